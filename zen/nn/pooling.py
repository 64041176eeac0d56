"""Layers of pooling: the largest value, or the mean, of windows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import f
from .module import Module

if TYPE_CHECKING:
    from ..backend import Tensor
    from ..typing import ArrayLike, Ints, Nested


class MaxPool(Module):
    _function: staticmethod[..., Tensor]

    def __init__(
        self, kernel_size: Ints, stride: Ints | None = None, padding: Ints = 0, dilation: Ints = 1,
        return_indices: bool = False, ceil_mode: bool = False,
    ) -> None:  # fmt: skip
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding, self.dilation = padding, dilation
        self.return_indices, self.ceil_mode = return_indices, ceil_mode

    def forward(self, input: ArrayLike) -> Tensor:
        return self._function(
            input, self.kernel_size, self.stride, self.padding, self.dilation, self.ceil_mode, self.return_indices
        )

    def extra_repr(self) -> str:
        return (
            f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}, dilation={self.dilation}, "
            f"ceil_mode={self.ceil_mode}"
        )


class MaxPool1d(MaxPool):
    """The largest value of each window; arguments of `zen.f.max_pool1d`. x: (batch, channels, length).

    >>> zen.nn.MaxPool1d(2)(zen.ones((4, 3, 10))).shape
    (4, 3, 5)
    """

    _function = staticmethod(f.max_pool1d)


class MaxPool2d(MaxPool):
    """The largest value of each window; arguments of `zen.f.max_pool2d`. x: (batch, channels, height, width).

    >>> zen.nn.MaxPool2d(2)(zen.ones((4, 6, 28, 28))).shape
    (4, 6, 14, 14)
    """

    _function = staticmethod(f.max_pool2d)


class AvgPool1d(Module):
    """The mean of each window; arguments of `zen.f.avg_pool1d`. x: (batch, channels, length).

    >>> zen.nn.AvgPool1d(2)(zen.ones((4, 3, 10))).shape
    (4, 3, 5)
    """

    def __init__(
        self, kernel_size: Ints, stride: Ints | None = None, padding: Ints = 0, ceil_mode: bool = False,
        count_include_pad: bool = True,
    ) -> None:  # fmt: skip
        super().__init__()
        self.kernel_size = _single(kernel_size)
        self.stride = self.kernel_size if stride is None else _single(stride)
        self.padding = _single(padding)
        self.ceil_mode, self.count_include_pad = ceil_mode, count_include_pad

    def forward(self, input: ArrayLike) -> Tensor:
        return f.avg_pool1d(input, self.kernel_size, self.stride, self.padding, self.ceil_mode, self.count_include_pad)

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class AvgPool2d(Module):
    """The mean of each window; arguments of `zen.f.avg_pool2d`. x: (batch, channels, height, width).

    >>> zen.nn.AvgPool2d(2)(zen.ones((4, 6, 28, 28))).shape
    (4, 6, 14, 14)
    """

    def __init__(
        self, kernel_size: Ints, stride: Ints | None = None, padding: Ints = 0, ceil_mode: bool = False,
        count_include_pad: bool = True, divisor_override: int | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding = padding
        self.ceil_mode, self.count_include_pad, self.divisor_override = ceil_mode, count_include_pad, divisor_override

    def forward(self, input: ArrayLike) -> Tensor:
        return f.avg_pool2d(
            input, self.kernel_size, self.stride, self.padding, self.ceil_mode, self.count_include_pad,
            self.divisor_override,
        )  # fmt: skip

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class AdaptivePool(Module):
    _function: staticmethod[..., Tensor]

    def __init__(self, output_size: int | Nested[int | None] | None) -> None:
        super().__init__()
        self.output_size = output_size

    def forward(self, input: ArrayLike) -> Tensor:
        return self._function(input, self.output_size)

    def extra_repr(self) -> str:
        return f"output_size={self.output_size}"


class AdaptiveAvgPool1d(AdaptivePool):
    """The means of `output_size` windows that cover each sequence. x: (batch, channels, length).

    >>> zen.nn.AdaptiveAvgPool1d(3)(zen.ones((4, 2, 10))).shape
    (4, 2, 3)
    """

    _function = staticmethod(f.adaptive_avg_pool1d)


class AdaptiveAvgPool2d(AdaptivePool):
    """The means of windows that cover each image, `output_size` (an int or a pair) of them.

    >>> zen.nn.AdaptiveAvgPool2d(1)(zen.ones((4, 6, 28, 28))).shape
    (4, 6, 1, 1)
    """

    _function = staticmethod(f.adaptive_avg_pool2d)


class AdaptiveMax(AdaptivePool):
    def __init__(self, output_size: int | Nested[int | None] | None, return_indices: bool = False) -> None:
        super().__init__(output_size)
        self.return_indices = return_indices

    def forward(self, input: ArrayLike) -> Tensor:
        return self._function(input, self.output_size, self.return_indices)


class AdaptiveMaxPool1d(AdaptiveMax):
    """The largest values of `output_size` windows that cover each sequence. x: (batch, channels, length).

    >>> zen.nn.AdaptiveMaxPool1d(3)(zen.ones((4, 2, 10))).shape
    (4, 2, 3)
    """

    _function = staticmethod(f.adaptive_max_pool1d)


class AdaptiveMaxPool2d(AdaptiveMax):
    """The largest values of windows that cover each image, `output_size` (an int or a pair) of them.

    >>> zen.nn.AdaptiveMaxPool2d(2)(zen.ones((4, 6, 28, 28))).shape
    (4, 6, 2, 2)
    """

    _function = staticmethod(f.adaptive_max_pool2d)


def _single(value: Any) -> tuple[Any, ...]:
    """As PyTorch keeps it for AvgPool1d: a tuple of one."""
    return tuple(value) if isinstance(value, (tuple, list)) else (value,)
