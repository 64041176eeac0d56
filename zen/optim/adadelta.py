"""Adadelta."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import backend
from . import rules
from .optimizer import NOT_NEGATIVE, PROPORTION, Optimizer, Parameters

_STEP = backend.kernels.optim.rule(rules.ADADELTA)


class Adadelta(Optimizer):
    """Adadelta, as torch.optim.Adadelta.

    With g the gradient plus `weight_decay * p`:

        s = rho * s + (1 - rho) * g**2
        d = sqrt(u + eps) / sqrt(s + eps) * g
        u = rho * u + (1 - rho) * d**2
        p = p - lr * d

    `maximize` ascends. ValueError for an option out of its range.
    Source: Zeiler, "ADADELTA: An Adaptive Learning Rate Method" (2012), algorithm 1.

    >>> w = zen.tensor([1.0], requires_grad=True)
    >>> opt = zen.optim.Adadelta([w], rho=0.75, eps=3.0)
    >>> (w * w).sum().backward()
    >>> opt.step()
    >>> [round(x, 6) for x in w.tolist()]
    [-0.732051]
    """

    RANGES = {"lr": NOT_NEGATIVE, "rho": PROPORTION, "eps": NOT_NEGATIVE, "weight_decay": NOT_NEGATIVE}
    STATE = ("step", *rules.ADADELTA.arrays)

    def __init__(
        self,
        params: Parameters,
        lr: float = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr,
                "rho": rho,
                "eps": eps,
                "weight_decay": weight_decay,
                "maximize": maximize,
            },
        )

    def _update(self, group: dict[str, Any], written: list[np.ndarray]) -> Any:
        return _STEP(
            group["params"], self.state, self._complete, written, group["lr"], group["rho"], group["eps"],
            group["weight_decay"], group["maximize"],
        )  # fmt: skip
