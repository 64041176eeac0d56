"""Activation functions as modules, with PyTorch's names, arguments and defaults. What they compute stands in `zen.f`.

`inplace`, wherever PyTorch has it, writes the result into the input, which has to be a Tensor.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .. import f
from ..ops.operands import operand
from .init import constant_
from .linear import floating, sizes
from .module import Module
from .parameter import Parameter

if TYPE_CHECKING:
    from numpy.typing import DTypeLike

    from ..backend import Tensor
    from ..typing import ArrayLike


class _Elementwise(Module):
    """An activation without arguments of its own."""

    _function: staticmethod[..., Tensor]

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def forward(self, input: ArrayLike) -> Tensor:
        return self._function(input, self.inplace)


class _Plain(Module):
    _function: staticmethod[..., Tensor]

    def forward(self, input: ArrayLike) -> Tensor:
        return self._function(input)


class ReLU(_Elementwise):
    """max(x, 0)."""

    _function = staticmethod(f.relu)


class SELU(_Elementwise):
    """elu scaled so that layers keep mean 0 and variance 1. Klambauer et al. 2017."""

    _function = staticmethod(f.selu)


class SiLU(_Elementwise):
    """x * sigmoid(x)."""

    _function = staticmethod(f.silu)


class Mish(_Elementwise):
    """x * tanh(softplus(x))."""

    _function = staticmethod(f.mish)


class Hardsigmoid(_Elementwise):
    """clip(x + 3, 0, 6) / 6."""

    _function = staticmethod(f.hardsigmoid)


class Hardswish(_Elementwise):
    """x * clip(x + 3, 0, 6) / 6."""

    _function = staticmethod(f.hardswish)


class Tanh(_Plain):
    """Hyperbolic tangent."""

    _function = staticmethod(f.tanh)


class Sigmoid(_Plain):
    """1 / (1 + exp(-x))."""

    _function = staticmethod(f.sigmoid)


class LogSigmoid(_Plain):
    """log(sigmoid(x))."""

    _function = staticmethod(f.logsigmoid)


class Softsign(_Plain):
    """x / (1 + |x|)."""

    _function = staticmethod(f.softsign)


class Tanhshrink(_Plain):
    """x - tanh(x)."""

    _function = staticmethod(f.tanhshrink)


class LeakyReLU(Module):
    """x where x > 0, else negative_slope * x."""

    def __init__(self, negative_slope: float = 0.01, inplace: bool = False) -> None:
        super().__init__()
        self.negative_slope, self.inplace = negative_slope, inplace

    def forward(self, input: ArrayLike) -> Tensor:
        return f.leaky_relu(input, self.negative_slope, self.inplace)

    def extra_repr(self) -> str:
        return f"negative_slope={self.negative_slope}"


class RReLU(Module):
    """x where x > 0, else a slope times x, drawn from [lower, upper) while training, and their middle in evaluation."""

    def __init__(self, lower: float = 1 / 8, upper: float = 1 / 3, inplace: bool = False) -> None:
        super().__init__()
        self.lower, self.upper, self.inplace = lower, upper, inplace

    def forward(self, input: ArrayLike) -> Tensor:
        return f.rrelu(input, self.lower, self.upper, self.training, self.inplace)

    def extra_repr(self) -> str:
        return f"lower={self.lower}, upper={self.upper}"


class PReLU(Module):
    """x where x > 0, else weight * x, with a trained weight: one, or one for each channel on axis 1."""

    def __init__(self, num_parameters: int = 1, init: float = 0.25, *, dtype: DTypeLike | None = None) -> None:
        super().__init__()
        sizes("PReLU", num_parameters=num_parameters)
        self.num_parameters, self.init = num_parameters, init
        self.weight = Parameter(np.full(num_parameters, init, floating("PReLU", dtype)))

    def reset_parameters(self) -> None:
        """Set the weight to `init`."""
        constant_(self.weight, self.init)

    def forward(self, input: ArrayLike) -> Tensor:
        return f.prelu(input, self.weight)

    def extra_repr(self) -> str:
        return f"num_parameters={self.num_parameters}"


class ELU(Module):
    """x where x > 0, else alpha * (exp(x) - 1)."""

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__()
        self.alpha, self.inplace = alpha, inplace

    def forward(self, input: ArrayLike) -> Tensor:
        return f.elu(input, self.alpha, self.inplace)

    def extra_repr(self) -> str:
        return f"alpha={self.alpha}"


class CELU(ELU):
    """x where x > 0, else alpha * (exp(x / alpha) - 1)."""

    def forward(self, input: ArrayLike) -> Tensor:
        return f.celu(input, self.alpha, self.inplace)


class GELU(Module):
    """x times the normal distribution function of x; approximate="tanh" is cheaper."""

    def __init__(self, approximate: str = "none") -> None:
        super().__init__()
        if approximate not in ("none", "tanh"):
            raise ValueError(f'GELU: approximate must be "none" or "tanh", not {approximate!r}')
        self.approximate = approximate

    def forward(self, input: ArrayLike) -> Tensor:
        return f.gelu(input, self.approximate)

    def extra_repr(self) -> str:
        return f"approximate={self.approximate!r}"


class Softplus(Module):
    """log(1 + exp(beta * x)) / beta, and x itself where beta * x > threshold."""

    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None:
        super().__init__()
        self.beta, self.threshold = beta, threshold

    def forward(self, input: ArrayLike) -> Tensor:
        return f.softplus(input, self.beta, self.threshold)

    def extra_repr(self) -> str:
        return f"beta={self.beta}, threshold={self.threshold}"


class Hardtanh(Module):
    """x limited to [min_val, max_val]; ValueError unless min_val < max_val."""

    def __init__(self, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> None:
        super().__init__()
        if min_val >= max_val:
            raise ValueError(f"Hardtanh: min_val must be below max_val, got {min_val} and {max_val}")
        self.min_val, self.max_val, self.inplace = min_val, max_val, inplace

    def forward(self, input: ArrayLike) -> Tensor:
        return f.hardtanh(input, self.min_val, self.max_val, self.inplace)

    def extra_repr(self) -> str:
        return f"min_val={self.min_val}, max_val={self.max_val}"


class ReLU6(Hardtanh):
    """x limited to [0, 6]."""

    def __init__(self, inplace: bool = False) -> None:
        super().__init__(0.0, 6.0, inplace)

    def extra_repr(self) -> str:
        return ""


class Softshrink(Module):
    """x moved towards zero by lambd, and zero within [-lambd, lambd]."""

    def __init__(self, lambd: float = 0.5) -> None:
        super().__init__()
        self.lambd = lambd

    def forward(self, input: ArrayLike) -> Tensor:
        return f.softshrink(input, self.lambd)

    def extra_repr(self) -> str:
        return f"{self.lambd}"


class Hardshrink(Softshrink):
    """x, but zero within [-lambd, lambd]."""

    def forward(self, input: ArrayLike) -> Tensor:
        return f.hardshrink(input, self.lambd)


class Threshold(Module):
    """x where x > threshold, else value."""

    def __init__(self, threshold: float, value: float, inplace: bool = False) -> None:
        super().__init__()
        self.threshold, self.value, self.inplace = threshold, value, inplace

    def forward(self, input: ArrayLike) -> Tensor:
        return f.threshold(input, self.threshold, self.value, self.inplace)

    def extra_repr(self) -> str:
        return f"threshold={self.threshold}, value={self.value}"


class _AlongAxis(Module):
    _function: staticmethod[..., Tensor]

    def __init__(self, dim: int | None = None) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, input: ArrayLike) -> Tensor:
        if self.dim is None:
            raise ValueError(f"{type(self).__name__}: say along which axis, for example {type(self).__name__}(dim=-1)")
        return self._function(input, self.dim)

    def extra_repr(self) -> str:
        return f"dim={self.dim}"


class Softmax(_AlongAxis):
    """exp(x) / sum(exp(x)) along axis dim. ValueError when called without one.

    >>> zen.nn.Softmax(dim=1)(zen.zeros((1, 2))).tolist()
    [[0.5, 0.5]]
    """

    _function = staticmethod(f.softmax)


class Softmax2d(Module):
    """exp(x) / sum(exp(x)) over the channels of images (batch, channels, height, width) or (channels, height, width).

    >>> zen.nn.Softmax2d()(zen.zeros((2, 1, 1))).ravel().tolist()
    [0.5, 0.5]
    """

    def forward(self, input: ArrayLike) -> Tensor:
        x = operand("Softmax2d", input)
        if x.ndim not in (3, 4):
            raise ValueError(f"Softmax2d: expected images, of 3 dimensions or 4 with a batch, not shape {x.shape}")
        y: Tensor = f.softmax(x, -3)
        return y


class LogSoftmax(_AlongAxis):
    """The logarithm of softmax along axis dim. ValueError when called without one."""

    _function = staticmethod(f.log_softmax)


class Softmin(_AlongAxis):
    """softmax(-x) along axis dim. ValueError when called without one."""

    _function = staticmethod(f.softmin)


class GLU(Module):
    """The first half of x along axis dim times the sigmoid of the second half."""

    def __init__(self, dim: int = -1) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, input: ArrayLike) -> Tensor:
        return f.glu(input, self.dim)

    def extra_repr(self) -> str:
        return f"dim={self.dim}"
