"""RMSprop."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import backend
from . import rules
from .optimizer import NOT_NEGATIVE, Optimizer, Parameters

_STEP = backend.kernels.optim.rule(rules.RMSPROP)


class RMSprop(Optimizer):
    """RMSprop, as torch.optim.RMSprop.

    With g the gradient plus `weight_decay * p`:

        v = alpha * v + (1 - alpha) * g**2
        b = momentum * b + g / (sqrt(v) + eps)         p = p - lr * b

    `centered` takes v - a**2 in place of v, a being the average of g (never below zero, where rounding would leave it
    there); `maximize` ascends. ValueError for an option below zero.
    Sources: Tieleman, Hinton, lecture 6.5 of "Neural Networks for Machine Learning" (2012); Graves, "Generating
    Sequences With Recurrent Neural Networks" (2013), equations 38 to 45, for centered.

    >>> w = zen.tensor([1.0, -2.0], requires_grad=True)
    >>> opt = zen.optim.RMSprop([w], lr=0.1, alpha=0.75)
    >>> (w * w).sum().backward()
    >>> opt.step()
    >>> [round(x, 6) for x in w.tolist()]
    [0.8, -1.8]
    """

    RANGES = {key: NOT_NEGATIVE for key in ("lr", "alpha", "eps", "weight_decay", "momentum")}
    STATE = ("step", *rules.RMSPROP.arrays)

    def __init__(
        self,
        params: Parameters,
        lr: float = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum: float = 0,
        centered: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr,
                "momentum": momentum,
                "alpha": alpha,
                "eps": eps,
                "centered": centered,
                "weight_decay": weight_decay,
                "maximize": maximize,
            },
        )

    def _update(self, group: dict[str, Any], written: list[np.ndarray]) -> Any:
        return _STEP(
            group["params"], self.state, self._complete, written, group["lr"], group["alpha"],
            group["eps"], group["weight_decay"], group["momentum"], group["centered"],
            group["maximize"],
        )  # fmt: skip
