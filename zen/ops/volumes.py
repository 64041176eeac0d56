"""Convolution and pooling of volumes (batch, channels, depth, height, width), and pooling by norms.

Convolutions are matrix products with the windows laid side by side. Pooling goes over height and width first, then over
depth: maxima, and sums over windows, may be taken one axis at a time.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..backend import apply, wrap
from .convolution import several
from .joining import PAD
from .operands import constant, floating, raw
from .padding import pad_ends
from .pointwise import where
from .pooling import adaptive_avg_pool2d, adaptive_max_pool2d, avg_pool1d, avg_pool2d, max_pool1d, max_pool2d
from .register import FUNCTIONS, ROWS, public
from .shape import reshape
from .windows import OVERLAPPED, WINDOWS

_matmul, _power = FUNCTIONS["matmul"], FUNCTIONS["power"]


def _volume(name: str, x: Any) -> tuple[Any, bool]:
    """x with a batch, and whether it came without one."""
    x = floating(name, x, True)
    if x.ndim not in (4, 5):
        raise ValueError(
            f"{name}: input of shape {x.shape} must have 5 axes (batch, channels, depth, height, width), or 4 without "
            "the batch"
        )
    return (reshape(x, (1, *x.shape)), True) if x.ndim == 4 else (x, False)


def _kernel(name: str, weight: Any, groups: Any) -> tuple[Any, int]:
    w = floating(name, weight, True)
    (groups,) = several(name, "groups", groups, 1, 1)
    if w.ndim != 5 or min(w.shape[2:]) < 1 or w.shape[0] % groups:
        raise ValueError(
            f"{name}: weight of shape {w.shape} must have 5 axes, two of channels, of which groups={groups} divides "
            "the first, and a kernel (depth, height, width)"
        )
    return w, groups


def _biased(name: str, y: Any, bias: Any, alone: bool) -> Any:
    if bias is not None:
        b = floating(name, bias, True)
        if b.shape != y.shape[1:2]:
            raise ValueError(f"{name}: bias of shape {b.shape} does not fit {y.shape[1]} output channels")
        y = apply(ROWS["add"], (y, reshape(b, (b.shape[0], 1, 1, 1))))
    return reshape(y, y.shape[1:]) if alone else y


def _sides(name: str, padding: Any, kernel: Any, stride: Any, dilation: Any) -> list[tuple[int, int]]:
    """The zeros before and after each axis."""
    if not isinstance(padding, str):
        return [(p, p) for p in several(name, "padding", padding, 3, 0)]
    if padding not in ("same", "valid"):
        raise ValueError(f'{name}: padding must be "same", "valid" or ints, not {padding!r}')
    if padding == "valid":
        return [(0, 0)] * 3
    if max(stride) > 1:
        raise ValueError(f'{name}: padding="same" needs a stride of 1, not {stride}')
    total = [d * (k - 1) for d, k in zip(dilation, kernel, strict=True)]
    return [(n // 2, n - n // 2) for n in total]


@public("", None)
def conv3d(
    input: Any, weight: Any, bias: Any = None, stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups: int = 1
) -> Any:
    """Cross-correlation of volumes with kernels, as `conv2d` of images.

    input (x): (batch, channels, depth, height, width), or without the batch. weight: (out, channels / groups, depth,
    height, width). The other arguments and errors are those of `conv2d`, with threes in the place of pairs.

    >>> zen.f.conv3d(zen.ones((1, 2, 2, 2)), zen.ones((1, 1, 2, 2, 2)), zen.tensor([0.5])).tolist()
    [[[[8.5]]]]
    """
    name = "conv3d"
    w, groups = _kernel(name, weight, groups)
    x, alone = _volume(name, input)
    stride, dilation = several(name, "stride", stride, 3, 1), several(name, "dilation", dilation, 3, 1)
    if x.shape[1] != w.shape[1] * groups:
        raise ValueError(
            f"{name}: input has {x.shape[1]} channels, but a weight with {w.shape[1]} on axis 1 and groups={groups} "
            f"needs {w.shape[1] * groups}"
        )
    kernel = tuple(w.shape[2:])
    sides = _sides(name, padding, kernel, stride, dilation)
    for n, k, d, (a, b) in zip(x.shape[2:], kernel, dilation, sides, strict=True):
        if d * (k - 1) + 1 > n + a + b:
            raise ValueError(
                f"{name}: a kernel of length {k} with dilation {d} spans {d * (k - 1) + 1}, more than the input's {n} "
                f"with padding {(a, b)}"
            )
    if any([pair != (0, 0) for pair in sides]):
        x = apply(PAD, (x,), (((0, 0), (0, 0), *sides), 0))
    columns = apply(WINDOWS, (x,), (kernel, dilation, stride))
    batch, places = x.shape[0], columns.shape[5:]
    inner, out = w.shape[1] * math.prod(kernel), w.shape[0]
    columns = reshape(columns, (batch, groups, inner, math.prod(places)))
    y = _matmul(reshape(w, (groups, out // groups, inner)), columns)
    return _biased(name, reshape(y, (batch, out, *places)), bias, alone)


@public("", None)
def conv_transpose3d(
    input: Any, weight: Any, bias: Any = None, stride: Any = 1, padding: Any = 0, output_padding: Any = 0,
    groups: int = 1, dilation: Any = 1,
) -> Any:  # fmt: skip
    """The transpose of `conv3d` in its input, as `conv_transpose2d` that of `conv2d`.

    input (x): (batch, channels, depth, height, width), or without the batch. weight: (channels, out / groups, depth,
    height, width). The other arguments and errors are those of `conv_transpose2d`, with threes in the place of pairs.

    >>> zen.f.conv_transpose3d(zen.tensor([[[[1.0, 2.0]]]]), zen.ones((1, 1, 1, 1, 2))).tolist()
    [[[[1.0, 3.0, 2.0]]]]
    """
    name = "conv_transpose3d"
    w, groups = _kernel(name, weight, groups)
    x, alone = _volume(name, input)
    if x.shape[1] != w.shape[0]:
        raise ValueError(f"{name}: input has {x.shape[1]} channels, but weight {w.shape} has {w.shape[0]} on axis 0")
    stride, dilation = several(name, "stride", stride, 3, 1), several(name, "dilation", dilation, 3, 1)
    padding = several(name, "padding", padding, 3, 0)
    extra = several(name, "output_padding", output_padding, 3, 0)
    batch, kernel, places = x.shape[0], tuple(w.shape[2:]), tuple(x.shape[2:])
    size, ends = [], []
    for n, k, s, p, d, e in zip(places, kernel, stride, padding, dilation, extra, strict=True):
        if e >= max(s, d):
            raise ValueError(f"{name}: output_padding {e} must be smaller than stride {s} or dilation {d}")
        size.append((n - 1) * s + d * (k - 1) + 1)
        if size[-1] + e - 2 * p < 1:
            raise ValueError(f"{name}: padding {p} leaves nothing of an output of length {size[-1] + e}")
        ends.append((-p, e - p))
    inner, outer = w.shape[0] // groups, w.shape[1] * math.prod(kernel)
    flat = reshape(x, (batch, groups, inner, math.prod(places)))
    columns = _matmul(FUNCTIONS["matrix_transpose"](reshape(w, (groups, inner, outer))), flat)
    columns = reshape(columns, (batch, groups * w.shape[1], *kernel, *places))
    y = apply(OVERLAPPED, (columns,), (tuple(size), kernel, dilation, stride))
    if any([pair != (0, 0) for pair in ends]):
        y = pad_ends(y, [n for pair in reversed(ends) for n in pair])
    return _biased(name, y, bias, alone)


# --- pooling


def _by_planes(name: str, x: Any, planes: Callable[[Any], Any], depths: Callable[[Any], Any]) -> Any:
    """Pool height and width by `planes`, and depth by `depths`, which get images; without indices."""
    x, alone = _volume(name, x)
    batch, channels, depth = x.shape[:3]
    try:
        flat = planes(reshape(x, (batch, channels * depth, *x.shape[3:])))
        y = depths(reshape(flat, (batch, channels, depth, math.prod(flat.shape[2:]))))
    except ValueError as error:
        raise ValueError(str(error).replace("pool2d", "pool3d", 1)) from None
    y = reshape(y, (batch, channels, y.shape[2], *flat.shape[2:]))
    return reshape(y, y.shape[1:]) if alone else y


def _largest(name: str, x: Any, planes: Callable[[Any], Any], depths: Callable[[Any], Any], indices: bool) -> Any:
    """As `_by_planes`, of functions that return values and positions."""
    found: list[Any] = []

    def kept(pool: Callable[[Any], Any]) -> Callable[[Any], Any]:
        def values(images: Any) -> Any:
            y, index = pool(images)
            found.append(raw(index))
            return y

        return values

    y = _by_planes(name, x, kept(planes), kept(depths))
    if not indices:
        return y
    shape = np.shape(raw(x))
    inside, at = found
    columns = at.shape[3]
    inside = inside.reshape(*at.shape[:2], shape[-3], columns)
    level = at // columns
    plane = np.take_along_axis(inside.reshape(*at.shape[:2], -1), at.reshape(*at.shape[:2], -1).clip(0), 2)
    flat = level * (shape[-2] * shape[-1]) + plane.reshape(at.shape)
    return y, wrap(np.where((at < 0) | (plane.reshape(at.shape) < 0), -1, flat).reshape(y.shape))


def _split(name: str, key: str, value: Any, least: int) -> tuple[int, tuple[int, int]]:
    depth, height, width = several(name, key, value, 3, least)
    return depth, (height, width)


@public("", None)
def max_pool3d(
    input: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1, ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:  # fmt: skip
    """The largest value of each window of volumes; arguments and errors as in `max_pool2d`.

    >>> zen.f.max_pool3d(zen.arange(8.0).reshape((1, 2, 2, 2)), 2).tolist()
    [[[[7.0]]]]
    """
    name = "max_pool3d"
    depth, plane = _split(name, "kernel_size", kernel_size, 1)
    step, steps = (depth, plane) if stride is None else _split(name, "stride", stride, 1)
    pad, pads = _split(name, "padding", padding, 0)
    hole, holes = _split(name, "dilation", dilation, 1)
    return _largest(
        name, floating(name, input), lambda x: max_pool2d(x, plane, steps, pads, holes, ceil_mode, True),
        lambda x: max_pool2d(x, (depth, 1), (step, 1), (pad, 0), (hole, 1), ceil_mode, True), return_indices,
    )  # fmt: skip


@public("", None)
def avg_pool3d(
    input: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, ceil_mode: bool = False,
    count_include_pad: bool = True, divisor_override: int | None = None,
) -> Any:  # fmt: skip
    """The mean of each window of volumes; arguments and errors as in `avg_pool2d`.

    >>> zen.f.avg_pool3d(zen.arange(8.0).reshape((1, 2, 2, 2)), 2).tolist()
    [[[[3.5]]]]
    """
    name = "avg_pool3d"
    depth, plane = _split(name, "kernel_size", kernel_size, 1)
    step, steps = (depth, plane) if stride is None else _split(name, "stride", stride, 1)
    pad, pads = _split(name, "padding", padding, 0)
    divisor = constant(name, "divisor_override", divisor_override)
    if divisor is not None and not divisor:
        raise ValueError(f"{name}: divisor_override must not be 0")
    one = None if divisor is None else 1
    y = _by_planes(
        name, input, lambda x: avg_pool2d(x, plane, steps, pads, ceil_mode, count_include_pad, one),
        lambda x: avg_pool2d(x, (depth, 1), (step, 1), (pad, 0), ceil_mode, count_include_pad, one),
    )  # fmt: skip
    return y if divisor is None else y / divisor


def _adapted(output_size: Any) -> tuple[Any, Any]:
    given = tuple(output_size) if isinstance(output_size, (tuple, list)) else (output_size,) * 3
    if len(given) != 3:
        raise ValueError(f"adaptive pooling of volumes: output_size must be an int or 3 of them, not {output_size!r}")
    return (given[0], None), given[1:]


@public("", None)
def adaptive_avg_pool3d(input: Any, output_size: Any) -> Any:
    """The means of windows that cover the volumes; as `adaptive_avg_pool2d`.

    >>> zen.f.adaptive_avg_pool3d(zen.arange(8.0).reshape((1, 2, 2, 2)), 1).tolist()
    [[[[3.5]]]]
    """
    depth, plane = _adapted(output_size)
    return _by_planes(
        "adaptive_avg_pool3d", input, lambda x: adaptive_avg_pool2d(x, plane), lambda x: adaptive_avg_pool2d(x, depth)
    )


@public("", None)
def adaptive_max_pool3d(input: Any, output_size: Any, return_indices: bool = False) -> Any:
    """The largest values of windows that cover the volumes; as `adaptive_max_pool2d`.

    >>> zen.f.adaptive_max_pool3d(zen.arange(8.0).reshape((1, 2, 2, 2)), 1).tolist()
    [[[[7.0]]]]
    """
    depth, plane = _adapted(output_size)
    return _largest(
        "adaptive_max_pool3d", floating("adaptive_max_pool3d", input), lambda x: adaptive_max_pool2d(x, plane, True),
        lambda x: adaptive_max_pool2d(x, depth, True), return_indices,
    )  # fmt: skip


# --- pooling by norms


def _norms(name: str, axes: int, x: Any, order: Any, kernel: Any, stride: Any, ceil: bool) -> Any:
    x, order = floating(name, x), constant(name, "norm_type", order)
    if math.isinf(order):
        largest = (max_pool1d, max_pool2d, max_pool3d)[axes - 1]
        sizes = FUNCTIONS["abs"](x)
        return largest(sizes, kernel, stride, 0, 1, ceil) if order > 0 else -largest(-sizes, kernel, stride, 0, 1, ceil)
    if order == 0:
        raise ValueError(f"{name}: norm_type must not be 0")
    count = math.prod(several(name, "kernel_size", kernel, axes, 1))
    mean = (avg_pool1d, avg_pool2d, avg_pool3d)[axes - 1]
    sums = mean(_power(x, order), kernel, stride, 0, ceil) * count
    zero = raw(sums) == 0  # where the root has no slope
    return where(zero, 0.0, _power(where(zero, 1.0, sums), 1 / order)) if order > 0 else _power(sums, 1 / order)


@public("", None)
def lp_pool1d(input: Any, norm_type: float, kernel_size: Any, stride: Any = None, ceil_mode: bool = False) -> Any:
    """(sum of x ** p) ** (1 / p) over each window of sequences, p = norm_type; infinity takes the largest |x|.

    Arguments and errors as in `avg_pool1d`; ValueError as well for p = 0. The gradient where a sum is 0 is zero.

    >>> zen.f.lp_pool1d(zen.tensor([[3.0, 4.0]]), 2, 2).tolist()
    [[5.0]]
    """
    return _norms("lp_pool1d", 1, input, norm_type, kernel_size, stride, ceil_mode)


@public("", None)
def lp_pool2d(input: Any, norm_type: float, kernel_size: Any, stride: Any = None, ceil_mode: bool = False) -> Any:
    """(sum of x ** p) ** (1 / p) over each window of images; as `lp_pool1d`.

    >>> zen.f.lp_pool2d(zen.tensor([[[3.0, 4.0]]]), 2, (1, 2)).tolist()
    [[[5.0]]]
    """
    return _norms("lp_pool2d", 2, input, norm_type, kernel_size, stride, ceil_mode)


@public("", None)
def lp_pool3d(input: Any, norm_type: float, kernel_size: Any, stride: Any = None, ceil_mode: bool = False) -> Any:
    """(sum of x ** p) ** (1 / p) over each window of volumes; as `lp_pool1d`.

    >>> zen.f.lp_pool3d(zen.tensor([[[[3.0, 4.0]]]]), 2, (1, 1, 2)).tolist()
    [[[[5.0]]]]
    """
    return _norms("lp_pool3d", 3, input, norm_type, kernel_size, stride, ceil_mode)
