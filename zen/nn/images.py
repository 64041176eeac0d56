"""Layers that move elements of images: between channels and places, into windows and back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import f
from .module import Module

if TYPE_CHECKING:
    from ..backend import Tensor
    from ..typing import ArrayLike, Ints


class PixelShuffle(Module):
    """Images of r ** 2 times as many places from r ** 2 as many channels; see `zen.f.pixel_shuffle`.

    >>> zen.nn.PixelShuffle(3)(zen.ones((1, 9, 4, 4))).shape
    (1, 1, 12, 12)
    """

    def __init__(self, upscale_factor: int) -> None:
        super().__init__()
        self.upscale_factor = upscale_factor

    def forward(self, input: ArrayLike) -> Tensor:
        return f.pixel_shuffle(input, self.upscale_factor)

    def extra_repr(self) -> str:
        return f"upscale_factor={self.upscale_factor}"


class PixelUnshuffle(Module):
    """The inverse of PixelShuffle; see `zen.f.pixel_unshuffle`.

    >>> zen.nn.PixelUnshuffle(3)(zen.ones((1, 1, 12, 12))).shape
    (1, 9, 4, 4)
    """

    def __init__(self, downscale_factor: int) -> None:
        super().__init__()
        self.downscale_factor = downscale_factor

    def forward(self, input: ArrayLike) -> Tensor:
        return f.pixel_unshuffle(input, self.downscale_factor)

    def extra_repr(self) -> str:
        return f"downscale_factor={self.downscale_factor}"


class ChannelShuffle(Module):
    """The channels in the order in which their groups take turns; see `zen.f.channel_shuffle`.

    >>> zen.nn.ChannelShuffle(2)(zen.tensor([[1.0, 2.0, 3.0, 4.0]])).tolist()
    [[1.0, 3.0, 2.0, 4.0]]
    """

    def __init__(self, groups: int) -> None:
        super().__init__()
        self.groups = groups

    def forward(self, input: ArrayLike) -> Tensor:
        return f.channel_shuffle(input, self.groups)

    def extra_repr(self) -> str:
        return f"groups={self.groups}"


class Unfold(Module):
    """The windows of images as columns; arguments of `zen.f.unfold`.

    >>> zen.nn.Unfold((2, 3))(zen.ones((2, 5, 3, 4))).shape
    (2, 30, 4)
    """

    def __init__(self, kernel_size: Ints, dilation: Ints = 1, padding: Ints = 0, stride: Ints = 1) -> None:
        super().__init__()
        self.kernel_size, self.dilation, self.padding, self.stride = kernel_size, dilation, padding, stride

    def forward(self, input: ArrayLike) -> Tensor:
        return f.unfold(input, self.kernel_size, self.dilation, self.padding, self.stride)

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, dilation={self.dilation}, padding={self.padding}, stride={self.stride}"


class Fold(Module):
    """Images from windows as columns, added up where these overlap; arguments of `zen.f.fold`.

    >>> zen.nn.Fold((3, 4), (2, 3))(zen.ones((2, 30, 4))).shape
    (2, 5, 3, 4)
    """

    def __init__(
        self, output_size: Ints, kernel_size: Ints, dilation: Ints = 1, padding: Ints = 0, stride: Ints = 1
    ) -> None:
        super().__init__()
        self.output_size = output_size
        self.kernel_size, self.dilation, self.padding, self.stride = kernel_size, dilation, padding, stride

    def forward(self, input: ArrayLike) -> Tensor:
        return f.fold(input, self.output_size, self.kernel_size, self.dilation, self.padding, self.stride)

    def extra_repr(self) -> str:
        return (
            f"output_size={self.output_size}, kernel_size={self.kernel_size}, dilation={self.dilation}, "
            f"padding={self.padding}, stride={self.stride}"
        )
