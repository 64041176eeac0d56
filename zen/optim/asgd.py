"""ASGD."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import backend
from ..backend import Tensor
from . import rules
from .optimizer import NOT_NEGATIVE, Optimizer, Parameters, State

_STEP = backend.kernels.optim.rule(rules.ASGD)


class ASGD(Optimizer):
    """Averaged stochastic gradient descent, as torch.optim.ASGD.

    With g the gradient plus `weight_decay * p`, and t the number of the step:

        p = (1 - lambd * eta) * p - eta * g      eta = lr at first, then lr / (1 + lambd * lr * t)**alpha
        ax = ax + mu * (p - ax)                  mu = 1 until step t0, then 1 / (t - t0)

    `ax`, the average of the parameter, is in its state: `opt.state[p]["ax"]`; the numbers `eta` and `mu` as well, for
    the next step. `maximize` ascends. ValueError for an option out of its range.
    Source: Polyak, Juditsky, "Acceleration of stochastic approximation by averaging" (1992).

    >>> w = zen.tensor([1.0], requires_grad=True)
    >>> opt = zen.optim.ASGD([w], lr=0.25, lambd=0.0)
    >>> (w * w).sum().backward()
    >>> opt.step()
    >>> w.item(), opt.state[w]["ax"].item()
    (0.5, 0.5)
    """

    RANGES = {"lr": NOT_NEGATIVE, "weight_decay": NOT_NEGATIVE}
    STATE = ("step", *rules.ASGD.numbers, *rules.ASGD.arrays)
    NUMBERS = rules.ASGD.numbers

    def __init__(
        self,
        params: Parameters,
        lr: float = 1e-2,
        lambd: float = 1e-4,
        alpha: float = 0.75,
        t0: float = 1e6,
        weight_decay: float = 0,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr,
                "lambd": lambd,
                "alpha": alpha,
                "t0": t0,
                "weight_decay": weight_decay,
                "maximize": maximize,
            },
        )

    def _update(self, group: dict[str, Any], written: list[np.ndarray]) -> Any:
        def fill(p: Tensor, names: Sequence[str], step: bool = True) -> State:
            return self._complete(p, names, step, {"eta": float(group["lr"]), "mu": 1.0})

        return _STEP(
            group["params"], self.state, fill, written, group["lr"], group["lambd"], group["alpha"], group["t0"],
            group["weight_decay"], group["maximize"],
        )  # fmt: skip
