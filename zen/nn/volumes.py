"""Layers for volumes (batch, channels, depth, height, width): convolution and pooling; and pooling by norms."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import f
from .convolution import Plain, Transposed
from .module import Module
from .pooling import AdaptiveMax, AdaptivePool, MaxPool

if TYPE_CHECKING:
    from ..backend import Tensor
    from ..typing import ArrayLike, Ints


class Conv3d(Plain):
    """Cross-correlation of volumes with `out_channels` kernels, plus a bias; see `zen.f.conv3d`.

    Arguments as in Conv1d; kernel_size, stride, padding and dilation are ints or threes. weight is (out_channels,
    in_channels / groups, depth, height, width). ValueError for sizes that do not fit.

    >>> zen.nn.Conv3d(1, 6, 3, padding=1)(np.ones((2, 1, 4, 5, 6), np.float32)).shape
    (2, 6, 4, 5, 6)
    """

    axes = 3
    _function = staticmethod(f.conv3d)


class ConvTranspose3d(Transposed):
    """The transpose of a Conv3d in its input; see `zen.f.conv_transpose3d`.

    Arguments as in ConvTranspose1d, as ints or threes. weight is (in_channels, out_channels / groups, depth, height,
    width).

    >>> zen.nn.ConvTranspose3d(4, 2, 2, stride=2)(np.ones((1, 4, 2, 3, 4), np.float32)).shape
    (1, 2, 4, 6, 8)
    """

    axes = 3
    _function = staticmethod(f.conv_transpose3d)


class MaxPool3d(MaxPool):
    """The largest value of each window; arguments of `zen.f.max_pool3d`.

    >>> zen.nn.MaxPool3d(2)(zen.ones((4, 6, 4, 8, 8))).shape
    (4, 6, 2, 4, 4)
    """

    _function = staticmethod(f.max_pool3d)


class AvgPool3d(Module):
    """The mean of each window; arguments of `zen.f.avg_pool3d`.

    >>> zen.nn.AvgPool3d(2)(zen.ones((4, 6, 4, 8, 8))).shape
    (4, 6, 2, 4, 4)
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
        return f.avg_pool3d(
            input, self.kernel_size, self.stride, self.padding, self.ceil_mode, self.count_include_pad,
            self.divisor_override,
        )  # fmt: skip

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class AdaptiveAvgPool3d(AdaptivePool):
    """The means of windows that cover each volume, `output_size` (an int or three) of them.

    >>> zen.nn.AdaptiveAvgPool3d(1)(zen.ones((4, 6, 4, 8, 8))).shape
    (4, 6, 1, 1, 1)
    """

    _function = staticmethod(f.adaptive_avg_pool3d)


class AdaptiveMaxPool3d(AdaptiveMax):
    """The largest values of windows that cover each volume, `output_size` (an int or three) of them.

    >>> zen.nn.AdaptiveMaxPool3d(2)(zen.ones((4, 6, 4, 8, 8))).shape
    (4, 6, 2, 2, 2)
    """

    _function = staticmethod(f.adaptive_max_pool3d)


class _NormPool(Module):
    _function: staticmethod[..., Tensor]

    def __init__(
        self, norm_type: float, kernel_size: Ints, stride: Ints | None = None, ceil_mode: bool = False
    ) -> None:
        super().__init__()
        self.norm_type, self.kernel_size, self.stride, self.ceil_mode = norm_type, kernel_size, stride, ceil_mode

    def forward(self, input: ArrayLike) -> Tensor:
        return self._function(input, float(self.norm_type), self.kernel_size, self.stride, self.ceil_mode)

    def extra_repr(self) -> str:
        return (
            f"norm_type={self.norm_type}, kernel_size={self.kernel_size}, stride={self.stride}, "
            f"ceil_mode={self.ceil_mode}"
        )


class LPPool1d(_NormPool):
    """The norm of each window of sequences; arguments of `zen.f.lp_pool1d`."""

    _function = staticmethod(f.lp_pool1d)


class LPPool2d(_NormPool):
    """The norm of each window of images; arguments of `zen.f.lp_pool2d`."""

    _function = staticmethod(f.lp_pool2d)


class LPPool3d(_NormPool):
    """The norm of each window of volumes; arguments of `zen.f.lp_pool3d`."""

    _function = staticmethod(f.lp_pool3d)
