"""`optim` of the Zen Deep Learning Library: SGD, Momentum, RMSProp and Adam, called with a model and its loss.

Bugs of the original that are fixed, by the names of their tests:

- gradient_is_never_reset: a parameter's gradient was that of all steps so far, added up.
- adam_bias_correction: Adam divided by 1 - beta instead of by 1 - beta ** t.
- layer_used_twice: a layer that stands in a model twice was updated twice in each step.

Conventions that were kept: RMSProp's epsilon stands under the root; Momentum multiplies the rate into its average.
"""

from __future__ import annotations

from typing import Any

from .autodiff import Tensor
from .layer import Layer

__all__ = ["SGD", "Adam", "Momentum", "RMSProp"]


class _Optimizer:
    """Asks each layer to update itself by `delta` of each of its parameters, then clears their gradients."""

    def __init__(self, lr: float) -> None:
        self.lr = lr
        self._asked: dict[str, Tensor] = {}

    def delta(self, param: Tensor) -> Any:
        """What to subtract from the parameter's value in this step."""
        self._asked[param.id] = param
        return self._change(param.id, param.gradient)

    def _change(self, param_id: str, gradient: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__} does not define _change")

    def __call__(self, model: Any, loss: Tensor) -> None:
        """One step: the gradients of `loss`, and an update of each of the model's layers that are a `nn.Layer`."""
        loss.get_gradients()
        for layer in dict.fromkeys(model.layers):
            if isinstance(layer, Layer):
                layer.update(self)
        for param in self._asked.values():
            param.gradient = 0
        self._asked = {}


class SGD(_Optimizer):
    """Gradient descent: value -= lr * gradient."""

    def _change(self, param_id: str, gradient: Any) -> Any:
        return gradient * self.lr


class Momentum(_Optimizer):
    """Gradient descent by a running sum: v = beta * v + lr * gradient, value -= v."""

    def __init__(self, lr: float = 0.01, beta: float = 0.9) -> None:
        super().__init__(lr)
        self.beta = beta
        self.averages: dict[str, Any] = {}

    def _change(self, param_id: str, gradient: Any) -> Any:
        v = self.averages[param_id] = self.beta * self.averages.get(param_id, 0) + self.lr * gradient
        return v


class RMSProp(_Optimizer):
    """Steps divided by the root of the running mean of gradient ** 2, plus epsilon (Hinton, lecture 6e)."""

    def __init__(self, lr: float = 0.01, beta: float = 0.9, epsilon: float = 10**-10) -> None:
        super().__init__(lr)
        self.beta = beta
        self.epsilon = epsilon
        self.averages: dict[str, Any] = {}

    def _change(self, param_id: str, gradient: Any) -> Any:
        square = gradient * gradient
        square *= 1 - self.beta
        square += self.beta * self.averages.get(param_id, 0)
        self.averages[param_id] = square
        step = square + self.epsilon
        step **= 0.5
        return self.lr / step * gradient


class Adam(_Optimizer):
    """Adam with bias-corrected moments (Kingma and Ba 2015, algorithm 1); steps are counted for each parameter."""

    def __init__(self, lr: float = 0.01, beta1: float = 0.9, beta2: float = 0.999, epsilon: float = 10**-8) -> None:
        super().__init__(lr)
        self.beta1, self.beta2 = beta1, beta2
        self.epsilon = epsilon
        self.averages: dict[str, Any] = {}
        self.averages2: dict[str, Any] = {}
        self.steps: dict[str, int] = {}

    def _change(self, param_id: str, gradient: Any) -> Any:
        t = self.steps[param_id] = self.steps.get(param_id, 0) + 1
        first = self.beta1 * self.averages.get(param_id, 0) + (1 - self.beta1) * gradient
        second = self.beta2 * self.averages2.get(param_id, 0) + (1 - self.beta2) * (gradient * gradient)
        self.averages[param_id], self.averages2[param_id] = first, second
        return self.lr * (first / (1 - self.beta1**t)) / ((second / (1 - self.beta2**t)) ** 0.5 + self.epsilon)
