"""NAdam."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .. import backend
from ..backend import Tensor
from . import rules
from .optimizer import FRACTION, NOT_NEGATIVE, Optimizer, Parameters, State

_STEP = backend.kernels.optim.rule(rules.NADAM)


class NAdam(Optimizer):
    """Adam with Nesterov's momentum, as torch.optim.NAdam.

    With g the gradient plus `weight_decay * p`, and t the number of the step:

        mu_t = beta1 * (1 - 0.96**(t * momentum_decay) / 2)
        m = beta1 * m + (1 - beta1) * g          v = beta2 * v + (1 - beta2) * g**2
        u = (1 - mu_t) * g / (1 - mu_1 * ... * mu_t) + mu_(t+1) * m / (1 - mu_1 * ... * mu_(t+1))
        p = p - lr * u / (sqrt(v / (1 - beta2**t)) + eps)

    `maximize` ascends; `decoupled_weight_decay` takes `lr * weight_decay * p` from p instead of adding to g. The
    product of mu is the number `mu_product` of the state. ValueError for an option out of its range.
    Source: Dozat, "Incorporating Nesterov Momentum into Adam" (ICLR workshop 2016), algorithm 8.

    >>> w = zen.tensor([1.0], requires_grad=True)
    >>> opt = zen.optim.NAdam([w], lr=0.5, betas=(0.5, 0.5), momentum_decay=0.0)
    >>> (w * w).sum().backward()
    >>> opt.step()
    >>> [round(x, 4) for x in w.tolist()]
    [0.4333]
    """

    RANGES = {key: NOT_NEGATIVE for key in ("lr", "eps", "weight_decay", "momentum_decay")} | {"betas": FRACTION}
    STATE = ("step", *rules.NADAM.numbers, *rules.NADAM.arrays)
    NUMBERS = rules.NADAM.numbers

    def __init__(
        self,
        params: Parameters,
        lr: float = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum_decay: float = 4e-3,
        decoupled_weight_decay: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr,
                "betas": betas,
                "eps": eps,
                "weight_decay": weight_decay,
                "momentum_decay": momentum_decay,
                "decoupled_weight_decay": decoupled_weight_decay,
                "maximize": maximize,
            },
        )

    def _check_options(self, options: Mapping[str, Any]) -> None:
        self._check_betas(options)
        super()._check_options(options)

    def _fill(self, p: Tensor, names: Sequence[str], step: bool = True) -> State:
        return self._complete(p, names, step, {"mu_product": 1.0})

    def _update(self, group: dict[str, Any], written: list[np.ndarray]) -> Any:
        beta1, beta2 = group["betas"]
        decay, decoupled = group["weight_decay"], group["decoupled_weight_decay"]
        return _STEP(
            group["params"], self.state, self._fill, written, group["lr"], beta1, beta2, group["eps"],
            0.0 if decoupled else decay, decay if decoupled else 0.0, group["momentum_decay"], group["maximize"],
        )  # fmt: skip
