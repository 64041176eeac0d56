"""RAdam."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from .. import backend
from . import rules
from .optimizer import FRACTION, NOT_NEGATIVE, Optimizer, Parameters

_STEP = backend.kernels.optim.rule(rules.RADAM)


class RAdam(Optimizer):
    """Adam with a rectified variance, as torch.optim.RAdam.

    With g the gradient plus `weight_decay * p`, and t the number of the step:

        m = beta1 * m + (1 - beta1) * g          v = beta2 * v + (1 - beta2) * g**2
        n = 2 / (1 - beta2) - 1                  n_t = n - 2 * t * beta2**t / (1 - beta2**t)
        r = sqrt((n_t - 4) * (n_t - 2) * n / ((n - 4) * (n - 2) * n_t))
        p = p - lr * m / (1 - beta1**t) * r * sqrt(1 - beta2**t) / (sqrt(v) + eps)     where n_t > 5
        p = p - lr * m / (1 - beta1**t)                                                before that

    `maximize` ascends; `decoupled_weight_decay` takes `lr * weight_decay * p` from p instead of adding to g. ValueError
    for an option out of its range.
    Source: Liu et al., "On the Variance of the Adaptive Learning Rate and Beyond" (ICLR 2020), algorithm 2.

    >>> w = zen.tensor([1.0, 2.0], requires_grad=True)
    >>> opt = zen.optim.RAdam([w], lr=0.25)
    >>> (w * w).sum().backward()
    >>> opt.step()
    >>> [round(x, 6) for x in w.tolist()]
    [0.5, 1.0]
    """

    RANGES = {"lr": NOT_NEGATIVE, "betas": FRACTION, "eps": NOT_NEGATIVE, "weight_decay": NOT_NEGATIVE}
    STATE = ("step", *rules.RADAM.arrays)

    def __init__(
        self,
        params: Parameters,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
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
                "maximize": maximize,
                "decoupled_weight_decay": decoupled_weight_decay,
            },
        )

    def _check_options(self, options: Mapping[str, Any]) -> None:
        self._check_betas(options)
        super()._check_options(options)

    def _update(self, group: dict[str, Any], written: list[np.ndarray]) -> Any:
        beta1, beta2 = group["betas"]
        decay, decoupled = group["weight_decay"], group["decoupled_weight_decay"]
        return _STEP(
            group["params"], self.state, self._complete, written, group["lr"], beta1, beta2, group["eps"],
            0.0 if decoupled else decay, decay if decoupled else 0.0, group["maximize"],
        )  # fmt: skip
