"""Stochastic gradient descent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from .. import backend
from ..backend import Tensor
from . import rules
from .optimizer import NOT_NEGATIVE, Optimizer, Parameters

_STEP = backend.kernels.optim.rule(rules.SGD)


class SGD(Optimizer):
    """Gradient descent with momentum, as torch.optim.SGD.

    With g the gradient plus `weight_decay * p`, and b the momentum buffer, which starts as the first g:

        b = momentum * b + (1 - dampening) * g
        p = p - lr * b                            or, with nesterov, p - lr * (g + momentum * b)

    `maximize` ascends. ValueError for an option below zero, and for nesterov without momentum or with dampening.
    Source: Sutskever, Martens, Dahl, Hinton, "On the importance of initialization and momentum" (ICML 2013), with the
    learning rate outside of the buffer.

    >>> w = zen.tensor([1.0, 2.0], requires_grad=True)
    >>> opt = zen.optim.SGD([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> opt.step()
    >>> w.tolist()
    [0.8, 1.6]
    """

    RANGES = {key: NOT_NEGATIVE for key in ("lr", "momentum", "weight_decay")}
    STATE = ("momentum_buffer",)

    def __init__(
        self,
        params: Parameters,
        lr: float = 1e-3,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: float = 0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr,
                "momentum": momentum,
                "dampening": dampening,
                "weight_decay": weight_decay,
                "nesterov": nesterov,
                "maximize": maximize,
            },
        )

    def _check_options(self, options: Mapping[str, Any]) -> None:
        super()._check_options(options)
        if options["nesterov"] and (options["momentum"] <= 0 or options["dampening"] != 0):
            raise ValueError(
                f"SGD: nesterov needs momentum > 0 and dampening 0, but they are {options['momentum']} and "
                f"{options['dampening']}"
            )

    def _update(self, group: dict[str, Any], written: list[np.ndarray]) -> Any:
        return _STEP(
            group["params"], self.state, self._complete, written, group["lr"], group["momentum"],
            group["dampening"], group["weight_decay"], group["nesterov"], group["maximize"],
        )  # fmt: skip

    def _loaded_value(self, p: Tensor, place: str, value: Any) -> Any:
        if value is None:  # torch saves None where there is no momentum
            return backend.wrap(np.zeros(p.shape, p.dtype))
        return super()._loaded_value(p, place, value)
