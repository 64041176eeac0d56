"""Layers that reverse max pooling, and those that pool drawn windows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import f
from .module import Module

if TYPE_CHECKING:
    from ..backend import Tensor
    from ..typing import ArrayLike, Ints


class _MaxUnpool(Module):
    _function: staticmethod[..., Tensor]

    def __init__(self, kernel_size: Ints, stride: Ints | None = None, padding: Ints = 0) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding = padding

    def forward(self, input: ArrayLike, indices: ArrayLike, output_size: Ints | None = None) -> Tensor:
        return self._function(input, indices, self.kernel_size, self.stride, self.padding, output_size)

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class MaxUnpool1d(_MaxUnpool):
    """The reverse of a MaxPool1d with return_indices=True; see `zen.f.max_unpool1d`. Called with (input, indices).

    >>> y, at = zen.nn.MaxPool1d(2, return_indices=True)(zen.ones((4, 3, 10)))
    >>> zen.nn.MaxUnpool1d(2)(y, at).shape
    (4, 3, 10)
    """

    _function = staticmethod(f.max_unpool1d)


class MaxUnpool2d(_MaxUnpool):
    """The reverse of a MaxPool2d with return_indices=True; see `zen.f.max_unpool2d`. Called with (input, indices).

    >>> y, at = zen.nn.MaxPool2d(2, return_indices=True)(zen.ones((4, 3, 7, 6)))
    >>> zen.nn.MaxUnpool2d(2)(y, at, output_size=(7, 6)).shape
    (4, 3, 7, 6)
    """

    _function = staticmethod(f.max_unpool2d)


class MaxUnpool3d(_MaxUnpool):
    """The reverse of a MaxPool3d with return_indices=True; see `zen.f.max_unpool3d`. Called with (input, indices).

    >>> y, at = zen.nn.MaxPool3d(2, return_indices=True)(zen.ones((4, 3, 4, 6, 6)))
    >>> zen.nn.MaxUnpool3d(2)(y, at).shape
    (4, 3, 4, 6, 6)
    """

    _function = staticmethod(f.max_unpool3d)


class _Fractional(Module):
    _function: staticmethod[..., Tensor]

    def __init__(
        self, kernel_size: Ints, output_size: Ints | None = None, output_ratio: Any = None,
        return_indices: bool = False, _random_samples: ArrayLike | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        if (output_size is None) == (output_ratio is None):
            raise ValueError(f"{type(self).__name__}: give output_size or output_ratio, one of the two")
        self.kernel_size, self.output_size, self.output_ratio = kernel_size, output_size, output_ratio
        self.return_indices = return_indices
        self._samples = _random_samples

    def forward(self, input: ArrayLike) -> Tensor:
        return self._function(
            input, self.kernel_size, self.output_size, self.output_ratio, self.return_indices, self._samples
        )

    def extra_repr(self) -> str:
        size = self.output_ratio if self.output_size is None else self.output_size
        return f"kernel_size={self.kernel_size}, output_{'ratio' if self.output_size is None else 'size'}={size}"


class FractionalMaxPool2d(_Fractional):
    """The largest value of windows whose places are drawn; arguments of `zen.f.fractional_max_pool2d`.

    >>> zen.nn.FractionalMaxPool2d(3, output_ratio=0.5)(zen.ones((4, 6, 28, 28))).shape
    (4, 6, 14, 14)
    """

    _function = staticmethod(f.fractional_max_pool2d)


class FractionalMaxPool3d(_Fractional):
    """The largest value of windows of volumes whose places are drawn; arguments of `zen.f.fractional_max_pool3d`.

    >>> zen.nn.FractionalMaxPool3d(2, output_size=3)(zen.ones((4, 6, 8, 8, 8))).shape
    (4, 6, 3, 3, 3)
    """

    _function = staticmethod(f.fractional_max_pool3d)
