"""Layers of convolution: Conv1d, Conv2d, and their transposes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import f
from ..ops.convolution import several
from ..ops.operands import operand
from . import init
from .linear import floating, sizes
from .module import Module
from .parameter import Parameter

if TYPE_CHECKING:
    from numpy.typing import DTypeLike

    from ..backend import Tensor
    from ..typing import ArrayLike, Ints

_MODES = {"zeros": "constant", "reflect": "reflect", "replicate": "edge", "circular": "wrap"}


class _Convolution(Module):
    """What the layers have in common. A weight is (out, in / groups, kernel...), transposed (in, out / groups, ...)."""

    axes: int
    transposed = False
    bias: Parameter | None

    def _build(
        self, in_channels: int, out_channels: int, kernel_size: Any, stride: Any, padding: Any, output_padding: Any,
        dilation: Any, groups: int, bias: bool, padding_mode: str, dtype: Any,
    ) -> None:  # fmt: skip
        name = type(self).__name__
        sizes(name, in_channels=in_channels, out_channels=out_channels, groups=groups)
        if in_channels % groups or out_channels % groups:
            raise ValueError(
                f"{name}: in_channels={in_channels} and out_channels={out_channels} must be divisible by "
                f"groups={groups}"
            )
        if padding_mode not in (("zeros",) if self.transposed else _MODES):
            known = "zeros" if self.transposed else ", ".join(_MODES)
            raise ValueError(f"{name}: padding_mode {padding_mode!r} is not available; known: {known}")
        self.in_channels, self.out_channels, self.groups = in_channels, out_channels, groups
        self.kernel_size = several(name, "kernel_size", kernel_size, self.axes, 1)
        self.stride = several(name, "stride", stride, self.axes, 1)
        self.dilation = several(name, "dilation", dilation, self.axes, 1)
        self.output_padding = several(name, "output_padding", output_padding, self.axes, 0)
        self.padding = self._checked_padding(name, padding)
        self.padding_mode = padding_mode
        dtype = floating(name, dtype, True)
        ends = (in_channels, out_channels) if self.transposed else (out_channels, in_channels)
        self.weight = Parameter(np.empty((ends[0], ends[1] // groups, *self.kernel_size), dtype))
        self.register_parameter("bias", Parameter(np.empty(out_channels, dtype)) if bias else None)
        self.reset_parameters()

    def _checked_padding(self, name: str, padding: Any) -> Any:
        if not isinstance(padding, str) or self.transposed:
            return several(name, "padding", padding, self.axes, 0)
        if padding not in ("same", "valid"):
            raise ValueError(f'{name}: padding must be "same", "valid" or ints, not {padding!r}')
        if padding == "same" and max(self.stride) > 1:
            raise ValueError(f'{name}: padding="same" needs a stride of 1, not {self.stride}')
        return padding

    def reset_parameters(self) -> None:
        """Draw the parameters anew."""
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            bound = 1 / math.sqrt(init.fans(type(self).__name__, self.weight)[0])
            init.uniform_(self.bias, -bound, bound)

    def _padded(self, x: Any) -> Any:
        """The input with its borders filled, for another padding_mode than zeros."""
        x = operand(type(self).__name__, x)
        if self.padding == "valid":
            return x
        if self.padding == "same":
            total = [d * (k - 1) for d, k in zip(self.dilation, self.kernel_size, strict=True)]
            widths = [(n // 2, n - n // 2) for n in total]
        else:
            widths = [(n, n) for n in self.padding]
        return f.pad(x, [(0, 0)] * (x.ndim - self.axes) + widths, mode=_MODES[self.padding_mode])

    def extra_repr(self) -> str:
        parts = [f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}"]
        if self.padding not in ((0,) * self.axes, "valid"):
            parts.append(f"padding={self.padding}")
        if self.dilation != (1,) * self.axes:
            parts.append(f"dilation={self.dilation}")
        if self.output_padding != (0,) * self.axes:
            parts.append(f"output_padding={self.output_padding}")
        if self.groups != 1:
            parts.append(f"groups={self.groups}")
        if self.bias is None:
            parts.append("bias=False")
        if self.padding_mode != "zeros":
            parts.append(f"padding_mode={self.padding_mode}")
        return ", ".join(parts)


class Plain(_Convolution):
    _function: staticmethod[..., Tensor]

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: Ints, stride: Ints = 1, padding: Ints | str = 0,
        dilation: Ints = 1, groups: int = 1, bias: bool = True, padding_mode: str = "zeros", *,
        dtype: DTypeLike | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self._build(
            in_channels, out_channels, kernel_size, stride, padding, 0, dilation, groups, bias, padding_mode, dtype
        )

    def forward(self, input: ArrayLike) -> Tensor:
        padding = self.padding
        if self.padding_mode != "zeros":
            input, padding = self._padded(input), 0
        return self._function(input, self.weight, self.bias, self.stride, padding, self.dilation, self.groups)


class Conv1d(Plain):
    """Cross-correlation of sequences with `out_channels` kernels, plus a bias; see `zen.f.conv1d`.

    in_channels, out_channels: channels before and after. kernel_size, stride, padding, dilation: ints; padding also
    "same" or "valid". groups: parts into which the channels are split. bias: False leaves it out. padding_mode: what
    the border is filled with: "zeros", "reflect", "replicate" or "circular". dtype: of the parameters, float32 by
    default. weight is (out_channels, in_channels / groups, kernel_size), bias (out_channels,); both are drawn evenly
    from +-1 / sqrt(in_channels / groups * kernel_size). x: (batch, in_channels, length) or (in_channels, length).

    >>> zen.nn.Conv1d(3, 8, 5, padding=2)(np.ones((4, 3, 20), np.float32)).shape
    (4, 8, 20)
    """

    axes = 1
    _function = staticmethod(f.conv1d)


class Conv2d(Plain):
    """Cross-correlation of images with `out_channels` kernels, plus a bias; see `zen.f.conv2d`.

    Arguments as in Conv1d; kernel_size, stride, padding and dilation are ints or pairs. weight is (out_channels,
    in_channels / groups, height, width). x: (batch, in_channels, height, width) or without the batch. ValueError for
    sizes that do not fit.

    >>> zen.nn.Conv2d(1, 6, 5, padding=2)(np.ones((4, 1, 28, 28), np.float32)).shape
    (4, 6, 28, 28)
    """

    axes = 2
    _function = staticmethod(f.conv2d)


class Transposed(_Convolution):
    transposed = True
    _function: staticmethod[..., Tensor]

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: Ints, stride: Ints = 1, padding: Ints = 0,
        output_padding: Ints = 0, groups: int = 1, bias: bool = True, dilation: Ints = 1, padding_mode: str = "zeros",
        *, dtype: DTypeLike | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self._build(
            in_channels, out_channels, kernel_size, stride, padding, output_padding, dilation, groups, bias,
            padding_mode, dtype,
        )  # fmt: skip

    def forward(self, input: ArrayLike, output_size: Any = None) -> Tensor:
        extra = self.output_padding
        if output_size is not None:
            extra = self._extra(operand(type(self).__name__, input).shape, output_size)
        return self._function(
            input, self.weight, self.bias, self.stride, self.padding, extra, self.groups, self.dilation
        )  # fmt: skip

    def _extra(self, shape: tuple[int, ...], output_size: Any) -> tuple[int, ...]:
        """The output_padding that gives the wanted size; of a longer one the last entries count."""
        name = type(self).__name__
        wanted = several(name, "output_size", tuple(output_size)[-self.axes :], self.axes, 1)
        least = [
            (n - 1) * s - 2 * p + d * (k - 1) + 1
            for n, s, p, d, k in zip(
                shape[-self.axes :], self.stride, self.padding, self.dilation, self.kernel_size, strict=True
            )
        ]
        for low, n, s in zip(least, wanted, self.stride, strict=True):
            if not low <= n < low + s:
                raise ValueError(
                    f"{name}: output_size {wanted} is out of reach for an input of shape {shape}: each length must "
                    f"be from {tuple(least)} to {tuple([m + s - 1 for m, s in zip(least, self.stride, strict=True)])}"
                )
        return tuple([n - low for n, low in zip(wanted, least, strict=True)])


class ConvTranspose1d(Transposed):
    """The transpose of a Conv1d in its input; see `zen.f.conv_transpose1d`.

    Arguments as in Conv1d. output_padding: adds to one side of the output. weight is (in_channels, out_channels /
    groups, kernel_size). Calling it with `output_size` picks the output_padding that gives this length.

    >>> zen.nn.ConvTranspose1d(3, 8, 4, stride=2, padding=1)(np.ones((4, 3, 10), np.float32)).shape
    (4, 8, 20)
    """

    axes = 1
    _function = staticmethod(f.conv_transpose1d)


class ConvTranspose2d(Transposed):
    """The transpose of a Conv2d in its input; see `zen.f.conv_transpose2d`.

    Arguments as in ConvTranspose1d, as ints or pairs. weight is (in_channels, out_channels / groups, height, width).

    >>> zen.nn.ConvTranspose2d(16, 8, 2, stride=2)(np.ones((4, 16, 7, 7), np.float32)).shape
    (4, 8, 14, 14)
    """

    axes = 2
    _function = staticmethod(f.conv_transpose2d)
