"""Adagrad."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import backend
from ..backend import Tensor
from . import rules
from .optimizer import NOT_NEGATIVE, Optimizer, Parameters, State

_STEP = backend.kernels.optim.rule(rules.ADAGRAD)


class Adagrad(Optimizer):
    """Adagrad, as torch.optim.Adagrad.

    With g the gradient plus `weight_decay * p`, and t the number of the step:

        s = s + g**2                              starting at initial_accumulator_value
        p = p - lr / (1 + (t - 1) * lr_decay) * g / (sqrt(s) + eps)

    `maximize` ascends. ValueError for an option below zero.
    Source: Duchi, Hazan, Singer, "Adaptive Subgradient Methods for Online Learning" (JMLR 12, 2011), figure 1.

    >>> w = zen.tensor([1.0, -2.0], requires_grad=True)
    >>> opt = zen.optim.Adagrad([w], lr=0.25)
    >>> (w * w).sum().backward()
    >>> opt.step()
    >>> [round(x, 6) for x in w.tolist()]
    [0.75, -1.75]
    """

    RANGES = {key: NOT_NEGATIVE for key in ("lr", "lr_decay", "weight_decay", "initial_accumulator_value", "eps")}
    STATE = ("step", "sum")

    def __init__(
        self,
        params: Parameters,
        lr: float = 1e-2,
        lr_decay: float = 0,
        weight_decay: float = 0,
        initial_accumulator_value: float = 0,
        eps: float = 1e-10,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr,
                "lr_decay": lr_decay,
                "eps": eps,
                "weight_decay": weight_decay,
                "initial_accumulator_value": initial_accumulator_value,
                "maximize": maximize,
            },
        )

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """As in Optimizer. The state starts here, not in the first step, as in torch.optim."""
        super().add_param_group(param_group)
        self._made = []
        try:
            for p in self.param_groups[-1]["params"]:
                self._fill(p)
        except BaseException:
            self._unmake()
            self.param_groups.pop()
            raise
        self._made = []

    def _fill(self, p: Tensor, names: Sequence[str] = rules.ADAGRAD.arrays, step: bool = True) -> State:
        group = next(group for group in self.param_groups if any(q is p for q in group["params"]))
        return self._complete(p, names, step, {"sum": group["initial_accumulator_value"]})

    def _update(self, group: dict[str, Any], written: list[np.ndarray]) -> Any:
        return _STEP(
            group["params"], self.state, self._fill, written, group["lr"], group["lr_decay"],
            group["eps"], group["weight_decay"], group["maximize"],
        )  # fmt: skip
