"""gradflow's `optimizers.optimizers`: updates of parameters by their gradients, clipped to +-1000."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any

import numpy as np

from ....dtypes import floating
from ..grad_engine import Variable

MIN_GRAD_CLIP = -1000
MAX_GRAD_CLIP = 1000
EPS = 1e-8


class BaseOptimizer(ABC):
    """Base class. parameters: those that require no gradient are left out, and each is taken once. lr: above 0.

    Raises ValueError for another learning rate.
    """

    def __init__(self, parameters: Iterable[Variable], lr: float = 0.0001) -> None:
        if not lr > 0.0:
            raise ValueError(f"Invalid learning rate: {lr}; it must be above 0")
        self._parameters = list(dict.fromkeys([p for p in parameters if p.requires_grad]))
        self._lr = lr

    def zero_grad(self) -> None:
        """Set the gradients to zero."""
        for parameter in self._parameters:
            if parameter.requires_grad:
                array = parameter.data.data
                parameter.grad = np.zeros(array.shape, floating(array.dtype))

    @abstractmethod
    def step(self) -> None:
        """Update the parameters; every subclass defines its own."""
        raise NotImplementedError(f"{type(self).__name__} does not define step")


class NaiveSGD(BaseOptimizer):
    """data -= lr * gradient, clipped.

    >>> from zen.compat.gradflow.optimizers import NaiveSGD
    >>> p = Variable(np.array([1.0, 1.0]), requires_grad=True)
    >>> p.backward(np.array([2.0, 1e6]))
    >>> NaiveSGD([p], lr=0.01).step()
    >>> p.data.data
    array([ 0.98, -9.  ])
    """

    def __init__(self, parameters: Iterable[Variable], lr: float = 0.001) -> None:
        super().__init__(parameters, lr)

    def step(self) -> None:
        """Update the parameters."""
        for parameter in self._parameters:
            parameter.data = parameter.data + -self._lr * _clipped(parameter)


class Adam(BaseOptimizer):
    """Kingma and Ba, "Adam: a method for stochastic optimization" (2015), algorithm 1, on clipped gradients.

    beta1, beta2: decay rates of the first and second moment.
    """

    def __init__(
        self, parameters: Iterable[Variable], lr: float = 0.0001, beta1: float = 0.9, beta2: float = 0.999
    ) -> None:
        super().__init__(parameters, lr)
        self._beta1, self._beta2 = beta1, beta2
        self.t = 0
        self.mt: list[Any] = [np.zeros_like(p.data.data * 1.0) for p in self._parameters]
        self.vt: list[Any] = [np.zeros_like(m) for m in self.mt]

    def step(self) -> None:
        """Update the parameters."""
        self.t += 1
        for k, parameter in enumerate(self._parameters):
            gradient = _clipped(parameter)
            self.mt[k] = self._beta1 * self.mt[k] + (1 - self._beta1) * gradient
            self.vt[k] = self._beta2 * self.vt[k] + (1 - self._beta2) * gradient**2
            mean = self.mt[k] / (1 - self._beta1**self.t)
            square = self.vt[k] / (1 - self._beta2**self.t)
            parameter.data = parameter.data + -self._lr * (mean / (np.sqrt(square) + EPS))


def _clipped(parameter: Variable) -> Any:
    return np.clip(parameter.grad, MIN_GRAD_CLIP, MAX_GRAD_CLIP)
