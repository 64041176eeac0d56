"""Adam and AdamW."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from .. import backend
from . import rules
from .optimizer import FRACTION, NOT_NEGATIVE, Optimizer, Parameters

_STEP = backend.kernels.optim.rule(rules.ADAM)


class Adam(Optimizer):
    """Adam, as torch.optim.Adam.

    With g the gradient plus `weight_decay * p`, and t the number of the step:

        m = beta1 * m + (1 - beta1) * g          v = beta2 * v + (1 - beta2) * g**2
        p = p - lr * (m / (1 - beta1**t)) / (sqrt(v / (1 - beta2**t)) + eps)

    `amsgrad` takes the largest v so far in place of v; `maximize` ascends; `decoupled_weight_decay` takes
    `lr * weight_decay * p` from p instead of adding to g. ValueError for an option out of its range.
    Sources: Kingma, Ba, "Adam" (ICLR 2015), algorithm 1; Reddi, Kale, Kumar, "On the Convergence of Adam and Beyond"
    (ICLR 2018) for amsgrad.

    >>> w = zen.tensor([1.0, 2.0], requires_grad=True)
    >>> opt = zen.optim.Adam([w], lr=0.5)
    >>> (w * w).sum().backward()
    >>> opt.step()
    >>> [round(x, 6) for x in w.tolist()]
    [0.5, 1.5]
    """

    RANGES = {"lr": NOT_NEGATIVE, "betas": FRACTION, "eps": NOT_NEGATIVE, "weight_decay": NOT_NEGATIVE}
    STATE = ("step", *rules.ADAM.arrays)

    def __init__(
        self,
        params: Parameters,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        decoupled_weight_decay: bool = False,
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr,
                "betas": betas,
                "eps": eps,
                "weight_decay": weight_decay,
                "amsgrad": amsgrad,
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
            group["params"], self.state, self._complete, written, group["lr"], beta1, beta2,
            group["eps"], 0.0 if decoupled else decay, decay if decoupled else 0.0, group["amsgrad"],
            group["maximize"],
        )  # fmt: skip


class AdamW(Adam):
    """Adam with weight decay apart from the gradient, as torch.optim.AdamW: p = p - lr * weight_decay * p first.

    Source: Loshchilov, Hutter, "Decoupled Weight Decay Regularization" (ICLR 2019), algorithm 2.

    >>> w = zen.tensor([1.0], requires_grad=True)
    >>> opt = zen.optim.AdamW([w], lr=0.5, weight_decay=0.1)
    >>> (w * w).sum().backward()
    >>> opt.step()
    >>> [round(x, 6) for x in w.tolist()]
    [0.45]
    """

    def __init__(
        self,
        params: Parameters,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(params, lr, betas, eps, weight_decay, amsgrad, maximize=maximize, decoupled_weight_decay=True)
