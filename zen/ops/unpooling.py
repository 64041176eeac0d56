"""Unpooling: values at the positions that max pooling found, and zeros elsewhere. And pooling of drawn windows."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import random
from ..backend import apply, wrap
from ..dtypes import INTEGER
from .axes import one_shape
from .convolution import several
from .indexing import SETITEM
from .operands import constant, floating, operand, raw
from .pooling import GATHER
from .register import public
from .shape import reshape

_AXES = {1: "length", 2: "height, width", 3: "depth, height, width"}


def _batched(name: str, x: Any, axes: int) -> tuple[Any, bool]:
    """(x with a batch, whether it came without one)."""
    if x.ndim not in (axes + 1, axes + 2):
        raise ValueError(
            f"{name}: input of shape {x.shape} must have {axes + 2} axes (batch, channels, {_AXES[axes]}), or "
            f"{axes + 1} without the batch"
        )
    return (reshape(x, (1, *x.shape)), True) if x.ndim == axes + 1 else (x, False)


# --- the reverse of max pooling


def _unpool(
    name: str, axes: int, x: Any, indices: Any, kernel: Any, stride: Any, padding: Any, output_size: Any
) -> Any:
    x, at = floating(name, x, True), raw(operand(name, indices))
    if at.dtype not in INTEGER or at.shape != x.shape:
        raise ValueError(
            f"{name}: indices of shape {at.shape} and dtype {at.dtype} for an input of shape {x.shape}; expected ints "
            "of the input's shape, as max pooling returns them with return_indices=True"
        )
    x, alone = _batched(name, x, axes)
    kernel = several(name, "kernel_size", kernel, axes, 1)
    stride = kernel if stride is None else several(name, "stride", stride, axes, 1)
    padding = several(name, "padding", padding, axes, 0)
    size = _output_size(name, x.shape[2:], kernel, stride, padding, output_size)
    places, planes = math.prod(size), x.shape[0] * x.shape[1]
    if at.size and not (at.min() >= 0 and at.max() < places):
        wrong = at[(at < 0) | (at >= places)].flat[0]
        raise IndexError(f"{name}: index {wrong} is out of range for the {places} elements of an output of size {size}")
    key = (np.arange(planes)[:, None], at.reshape(planes, -1).astype(np.intp))
    y = apply(SETITEM, (np.zeros((planes, places), x.dtype), reshape(x, (planes, math.prod(x.shape[2:])))), (key,))
    return reshape(y, ((() if alone else x.shape[:1]) + (x.shape[1], *size)))


def _output_size(
    name: str, size: tuple[int, ...], kernel: tuple[int, ...], stride: tuple[int, ...], padding: tuple[int, ...],
    wanted: Any,
) -> tuple[int, ...]:  # fmt: skip
    """The sizes that pooling had, as far as these tell; `wanted` picks one of those that pool to the same."""
    usual = [(n - 1) * s + k - 2 * p for n, k, s, p in zip(size, kernel, stride, padding, strict=True)]
    if wanted is None:
        if min(usual) < 1:
            raise ValueError(f"{name}: an input of size {size} with padding {padding} would give size {tuple(usual)}")
        return tuple(usual)
    given = one_shape(name, wanted)
    given = given[2:] if len(given) == len(size) + 2 else given
    low, high = (
        [max(n - s, 0) for n, s in zip(usual, stride, strict=True)],
        [n + s for n, s in zip(usual, stride, strict=True)],
    )
    if len(given) != len(size) or not all([a < n < b for a, n, b in zip(low, given, high, strict=True)]):
        between = " x ".join(f"{a + 1} to {b - 1}" for a, b in zip(low, high, strict=True))
        raise ValueError(f"{name}: output_size {tuple(given)} does not fit; pooling may have had sizes {between}")
    return tuple(given)


@public("", None)
def max_unpool1d(
    input: Any, indices: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, output_size: Any = None
) -> Any:
    """The reverse of `max_pool1d`: each value at its position, and zeros elsewhere. As `max_unpool2d`.

    >>> y, at = zen.f.max_pool1d(zen.tensor([[1.0, 3.0, 2.0, 0.0]]), 2, return_indices=True)
    >>> zen.f.max_unpool1d(y, at, 2).tolist()
    [[0.0, 3.0, 2.0, 0.0]]
    """
    return _unpool("max_unpool1d", 1, input, indices, kernel_size, stride, padding, output_size)


@public("", None)
def max_unpool2d(
    input: Any, indices: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, output_size: Any = None
) -> Any:
    """The reverse of `max_pool2d`: each value at its position, and zeros elsewhere.

    input (x): what pooling gave, (batch, channels, height, width) or without the batch. indices: the positions that it
    gave with return_indices=True; of several values for one position the last counts, and gets the gradient.
    kernel_size, stride, padding: those of the pooling. output_size: the height and width before the pooling, or the
    whole shape, where several sizes pool to the same. Zeiler et al. 2011. Raises ValueError for shapes and sizes that
    do not fit, IndexError for an index out of range.

    >>> y, at = zen.f.max_pool2d(zen.tensor([[[1.0, 2.0], [4.0, 3.0]]]), 2, return_indices=True)
    >>> zen.f.max_unpool2d(y, at, 2).tolist()
    [[[0.0, 0.0], [4.0, 0.0]]]
    """
    return _unpool("max_unpool2d", 2, input, indices, kernel_size, stride, padding, output_size)


@public("", None)
def max_unpool3d(
    input: Any, indices: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, output_size: Any = None
) -> Any:
    """The reverse of `max_pool3d`, for volumes. As `max_unpool2d`.

    >>> y, at = zen.f.max_pool3d(zen.arange(8.0).reshape((1, 2, 2, 2)), 2, return_indices=True)
    >>> zen.f.max_unpool3d(y, at, 2).sum().item()
    7.0
    """
    return _unpool("max_unpool3d", 3, input, indices, kernel_size, stride, padding, output_size)


# --- windows whose places are drawn


def _sizes(name: str, x: Any, axes: int, size: Any, ratio: Any) -> tuple[int, ...]:
    if (size is None) == (ratio is None):
        raise ValueError(f"{name}: give output_size or output_ratio, one of the two")
    if size is not None:
        return several(name, "output_size", size, axes, 1)
    ratios = tuple(ratio) if isinstance(ratio, (tuple, list)) else (ratio,) * axes
    if len(ratios) != axes or not all([0 < constant(name, "output_ratio", r) < 1 for r in ratios]):
        raise ValueError(f"{name}: output_ratio must be a number between 0 and 1, or {axes} of them, not {ratio!r}")
    return several(name, "output_size", [int(n * r) for n, r in zip(x.shape[2:], ratios, strict=True)], axes, 1)


def _starts(n: int, kernel: int, count: int, samples: np.ndarray) -> np.ndarray:
    """Where `count` windows start on an axis, for each sample: (..., count). The last one ends with the axis."""
    if count == 1:
        return np.full((*samples.shape, 1), n - kernel)
    step = samples.dtype.type((n - kernel) / (count - 1))
    shift = (samples * step).astype(np.intp)[..., None]
    found: np.ndarray = ((np.arange(count) + samples[..., None]) * step).astype(np.intp) - shift
    found[..., -1] = n - kernel
    return found


def _fractional(
    name: str, axes: int, x: Any, kernel: Any, size: Any, ratio: Any, indices: bool, samples: Any, generator: Any
) -> Any:
    x, alone = _batched(name, floating(name, x), axes)
    kernel = several(name, "kernel_size", kernel, axes, 1)
    counts = _sizes(name, x, axes, size, ratio)
    for n, k, count in zip(x.shape[2:], kernel, counts, strict=True):
        if k + count - 1 > n:
            raise ValueError(
                f"{name}: {count} windows of length {k} do not fit the input's {n}; at most {n - k + 1} do"
            )
    if samples is None:
        drawn = random.stream(generator).random((*x.shape[:2], axes)).astype(x.dtype)
    else:
        drawn = raw(operand(name, samples)).reshape((-1, *np.shape(samples)[-2:]))
        if drawn.shape != (*x.shape[:2], axes) or drawn.size and not (drawn.min() >= 0 and drawn.max() < 1):
            raise ValueError(
                f"{name}: _random_samples of shape {np.shape(samples)}; expected numbers from 0 to 1, of shape "
                f"{(*x.shape[:2], axes)}"
            )
    order = drawn if axes == 3 else drawn[..., ::-1]  # of images PyTorch takes the width's first
    flat: Any = 0
    for k, (n, length, count) in enumerate(zip(x.shape[2:], kernel, counts, strict=True)):
        at = _starts(n, length, count, order[..., k])[..., None] + np.arange(length)
        around = [(1,) * k, (1,) * (axes - k - 1)]
        flat = flat * n + at.reshape((*x.shape[:2], *around[0], count, *around[1], *around[0], length, *around[1]))
    flat = flat.reshape((*x.shape[:2], math.prod(counts), math.prod(kernel)))
    values = raw(x).reshape((*x.shape[:2], 1, -1))
    best = np.take_along_axis(values, flat, -1).argmax(-1)  # the first of equal ones, or nan
    index = np.take_along_axis(flat, best[..., None], -1)[..., 0][:, :, None]
    y = apply(GATHER, (reshape(x, (*x.shape[:2], 1, math.prod(x.shape[2:]))),), (index,))
    shape = (() if alone else x.shape[:1]) + (x.shape[1], *counts)
    return (reshape(y, shape), wrap(index.astype(np.int64).reshape(shape))) if indices else reshape(y, shape)


@public("", None)
def fractional_max_pool2d(
    input: Any, kernel_size: Any, output_size: Any = None, output_ratio: float | tuple[float, float] | None = None,
    return_indices: bool = False, _random_samples: Any = None, *, generator: np.random.Generator | None = None,
) -> Any:  # fmt: skip
    """The largest value of each of `output_size` windows of images, whose places are drawn. Graham 2014.

    input (x): Tensor or array (batch, channels, height, width), or without the batch. kernel_size: the windows' size,
    an int or a pair. output_size: how many windows; or output_ratio, how many for each element, between 0 and 1. The
    windows start on average (size - kernel) / (output - 1) apart, where one number drawn for each image, channel and
    axis shifts them. return_indices: return (values, positions) as `max_pool2d` does. _random_samples: these numbers,
    of shape (batch, channels, 2), of the width before those of the height, instead of drawn ones. generator: where they
    are drawn from, instead of zen.random's stream. Raises ValueError for sizes that do not fit.

    >>> zen.f.fractional_max_pool2d(zen.tensor([[[1.0, 2.0], [4.0, 3.0]]]), 2, output_size=1).tolist()
    [[[4.0]]]
    """
    return _fractional(
        "fractional_max_pool2d", 2, input, kernel_size, output_size, output_ratio, return_indices, _random_samples,
        generator,
    )  # fmt: skip


@public("", None)
def fractional_max_pool3d(
    input: Any, kernel_size: Any, output_size: Any = None,
    output_ratio: float | tuple[float, float, float] | None = None, return_indices: bool = False,
    _random_samples: Any = None, *, generator: np.random.Generator | None = None,
) -> Any:  # fmt: skip
    """`fractional_max_pool2d` of volumes (batch, channels, depth, height, width), with threes in the place of pairs.

    _random_samples: of shape (batch, channels, 3), in the order of the axes.

    >>> zen.f.fractional_max_pool3d(zen.arange(8.0).reshape((1, 2, 2, 2)), 2, output_ratio=0.5).tolist()
    [[[[7.0]]]]
    """
    return _fractional(
        "fractional_max_pool3d", 3, input, kernel_size, output_size, output_ratio, return_indices, _random_samples,
        generator,
    )  # fmt: skip
