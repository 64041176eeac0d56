"""Adamax."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from .. import backend
from . import rules
from .optimizer import FRACTION, NOT_NEGATIVE, Optimizer, Parameters

_STEP = backend.kernels.optim.rule(rules.ADAMAX)


class Adamax(Optimizer):
    """Adam by the norm of infinity, as torch.optim.Adamax.

    With g the gradient plus `weight_decay * p`, and t the number of the step:

        m = beta1 * m + (1 - beta1) * g          u = max(beta2 * u, |g| + eps)
        p = p - lr / (1 - beta1**t) * m / u

    `maximize` ascends. ValueError for an option out of its range.
    Source: Kingma, Ba, "Adam" (ICLR 2015), algorithm 2.

    >>> w = zen.tensor([1.0, 2.0], requires_grad=True)
    >>> opt = zen.optim.Adamax([w], lr=0.5)
    >>> (w * w).sum().backward()
    >>> opt.step()
    >>> [round(x, 6) for x in w.tolist()]
    [0.5, 1.5]
    """

    RANGES = {"lr": NOT_NEGATIVE, "betas": FRACTION, "eps": NOT_NEGATIVE, "weight_decay": NOT_NEGATIVE}
    STATE = ("step", *rules.ADAMAX.arrays)

    def __init__(
        self,
        params: Parameters,
        lr: float = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
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
            },
        )

    def _check_options(self, options: Mapping[str, Any]) -> None:
        self._check_betas(options)
        super()._check_options(options)

    def _update(self, group: dict[str, Any], written: list[np.ndarray]) -> Any:
        beta1, beta2 = group["betas"]
        return _STEP(
            group["params"], self.state, self._complete, written, group["lr"], beta1, beta2, group["eps"],
            group["weight_decay"], group["maximize"],
        )  # fmt: skip
