"""Lion."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from .. import backend
from . import rules
from .optimizer import FRACTION, NOT_NEGATIVE, Optimizer, Parameters

_STEP = backend.kernels.optim.rule(rules.LION)


class Lion(Optimizer):
    """Lion: steps by the sign of an interpolated momentum, with decoupled weight decay.

        u = sign(beta1 * m + (1 - beta1) * g)
        p = p - lr * weight_decay * p - lr * u        m = beta2 * m + (1 - beta2) * g

    Its learning rate is three to ten times smaller than Adam's, its weight decay larger by the same factor. `maximize`
    ascends. ValueError for an option out of its range.
    Source: Chen et al., "Symbolic Discovery of Optimization Algorithms" (2023), algorithm 2.

    >>> w = zen.tensor([1.0, -2.0, 0.0], requires_grad=True)
    >>> opt = zen.optim.Lion([w], lr=0.5)
    >>> (w * w).sum().backward()
    >>> opt.step()
    >>> w.tolist()
    [0.5, -1.5, 0.0]
    """

    RANGES = {"lr": NOT_NEGATIVE, "betas": FRACTION, "weight_decay": NOT_NEGATIVE}
    STATE = ("exp_avg",)

    def __init__(
        self,
        params: Parameters,
        lr: float = 1e-4,
        betas: tuple[float, float] = (0.9, 0.99),
        weight_decay: float = 0,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(params, {"lr": lr, "betas": betas, "weight_decay": weight_decay, "maximize": maximize})

    def _check_options(self, options: Mapping[str, Any]) -> None:
        self._check_betas(options)
        super()._check_options(options)

    def _update(self, group: dict[str, Any], written: list[np.ndarray]) -> Any:
        beta1, beta2 = group["betas"]
        return _STEP(
            group["params"], self.state, self._complete, written, group["lr"], beta1, beta2,
            group["weight_decay"], group["maximize"],
        )  # fmt: skip
