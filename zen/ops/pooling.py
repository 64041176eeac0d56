"""Pooling of images and sequences: the largest value, or the mean, of windows.

The kernels (`_core/_pool.pyx`, `_reference/kernels/pool.py`) get the windows as pairs (first, end) along each axis.
A maximum is differentiated as the elements at the positions found: `pool_gather`, whose transpose is `pool_scatter`.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from .. import backend
from ..backend import Shaped, Tensor, apply, kernels
from ..batched import Batched, Unbatched
from ..dtypes import COMPLEX, KERNELS
from .convolution import batched, several, unbatched
from .operands import by_parts, constant, floating, raw
from .pointwise import where
from .register import define, public
from .row import row
from .shape import reshape

Array = np.ndarray


def _run(kernel: Any, x: Any, *params: Any) -> Any:
    """The kernel on an array of a dtype that it has; the result in that of x. Of complex numbers on the parts."""
    if x.dtype in COMPLEX:
        return by_parts(lambda part, *rest: _run(kernel, part, *rest), (x,), *params)
    if x.dtype in KERNELS:
        return kernel(x, *params)
    return kernel(x.astype(np.float32), *params).astype(x.dtype)


def _spans(size: int, kernel: int, stride: int, padding: int) -> Array:
    pairs = [(k - padding, k - padding + kernel) for k in range(0, size + 2 * padding - kernel + 1, stride)]
    return np.array(pairs).clip(0, size)


def _index_draws(rng: np.random.Generator) -> list[Any]:
    return [((rng.normal(size=(2, 2, 3, 4)),), (rng.integers(0, 12, (2, 2, 2, 3)),)),
            ((rng.normal(size=(0, 2, 3, 4)),), (rng.integers(0, 12, (0, 2, 2, 3)),)),
            ((rng.normal(size=(1, 3, 1, 5)),), (rng.integers(0, 5, (1, 3, 1, 2)),))]  # fmt: skip


def _scatter_draws(rng: np.random.Generator) -> list[Any]:
    return [((rng.normal(size=index.shape),), (index, x.shape[2:])) for (x,), (index,) in _index_draws(rng)]


def _mean_draws(rng: np.random.Generator) -> list[Any]:
    found = []
    for shape, kernel, stride, padding in [((2, 2, 4, 6), 2, 2, 0), ((1, 2, 5, 4), 3, 2, 1), ((0, 1, 3, 3), 2, 1, 0)]:
        windows = [_spans(n, kernel, stride, padding) for n in shape[2:]]
        factors = [rng.uniform(0.5, 1.5, len(w)) for w in windows]
        found.append(((rng.normal(size=shape),), (*windows, *factors)))
    return found


def _spread_draws(rng: np.random.Generator) -> list[Any]:
    return [((rng.normal(size=(*x.shape[:2], len(params[0]), len(params[1]))),), (x.shape[2:], *params))
            for (x,), params in _mean_draws(rng)]  # fmt: skip


GATHER = define(row(
    "pool_gather", "x", lambda x, index: _run(kernels.pool.pool_gather, x, index),
    ["pool_scatter(g, index, x.shape[2:])"], params="index", linear="x", domain=_index_draws, complex=True,
    shape=lambda x, index: Shaped(index.shape, x.dtype), doc="The elements of images at flat positions.",
))  # fmt: skip
define(row(
    "pool_scatter", "v", lambda v, index, size: _run(kernels.pool.pool_scatter, v, index, size),
    ["pool_gather(g, index)"], params="index size", linear="v", domain=_scatter_draws,
    complex=True,
    shape=lambda v, index, size: Shaped((*v.shape[:2], *size), v.dtype), doc="The transpose of pool_gather.",
))  # fmt: skip
AVG_POOL2D = define(row(
    "avg_pool2d", "x", lambda x, *windows: _run(kernels.pool.avg_pool2d, x, *windows),
    ["avg_pool2d_input(g, x.shape[2:], down, right, tall, wide)"], params="down right tall wide", linear="x",
    complex=True, shape=lambda x, down, right, *factors: Shaped((*x.shape[:2], len(down), len(right)), x.dtype),
    domain=_mean_draws, doc="Sums over windows, times factors.",
))  # fmt: skip
define(row(
    "avg_pool2d_input", "v", lambda v, size, *windows: _run(kernels.pool.avg_pool2d_input, v, size, *windows),
    ["avg_pool2d(g, down, right, tall, wide)"], params="size down right tall wide", linear="v", domain=_spread_draws,
    complex=True,
    shape=lambda v, size, *windows: Shaped((*v.shape[:2], *size), v.dtype), doc="The transpose of avg_pool2d.",
))  # fmt: skip


# --- windows


@lru_cache(maxsize=256)
def _windows(size: int, kernel: int, stride: int, padding: int, dilation: int, ceil: bool) -> tuple[Array, Array]:
    """(pairs (first, end) within the image, lengths of the windows on the padded image), along one axis."""
    reach = dilation * (kernel - 1) + 1
    count = (size + 2 * padding - reach + (stride - 1 if ceil else 0)) // stride + 1
    if ceil and (count - 1) * stride >= size + padding:  # a window has to start within the image or its left padding
        count -= 1
    first = np.arange(max(count, 0)) * stride - padding
    end = np.minimum(first + reach, size + padding)
    lengths = end - first
    missing = np.maximum(-first, 0)  # what lies before the image, in whole steps of the dilation
    pairs = np.stack([first + (missing + dilation - 1) // dilation * dilation, np.minimum(end, size)], axis=1)
    return _fixed(pairs), _fixed(lengths)


@lru_cache(maxsize=256)
def _adaptive(size: int, count: int) -> Array:
    """Pairs of `count` windows of nearly equal length that cover an axis."""
    k = np.arange(count)
    return _fixed(np.stack([k * size // count, -((-(k + 1) * size) // count)], axis=1))


@lru_cache(maxsize=256)
def _inverse(lengths: tuple[int, ...]) -> Array:
    return _fixed(1 / np.array(lengths, np.float64))


def _fixed(a: Array) -> Array:
    a.flags.writeable = False
    return a


def _geometry(name: str, x: Any, axes: int, kernel: Any, stride: Any, padding: Any, dilation: Any, ceil: bool) -> Any:
    """For height and width: the arguments of `_windows`."""
    sizes = several(name, "kernel_size", kernel, axes, 1)
    steps = sizes if stride is None else several(name, "stride", stride, axes, 1)
    pads, holes = several(name, "padding", padding, axes, 0), several(name, "dilation", dilation, axes, 1)
    found = [(1, 1, 1, 0, 1, False)] * (2 - axes)
    for n, k, s, p, d in zip(x.shape[4 - axes :], sizes, steps, pads, holes, strict=True):
        reach = d * (k - 1) + 1
        if 2 * p > k:
            raise ValueError(f"{name}: padding {p} must be at most half of the window's length {k}")
        found.append((n, k, s, p, d, bool(ceil)))
        if not len(_windows(*found[-1])[0]):
            raise ValueError(
                f"{name}: a window of length {k} with dilation {d} spans {reach}, which does not fit the input's {n} "
                f"with padding {p} on both sides"
            )
    return found


def _check_sizes(name: str, x: Any) -> None:
    if min(x.shape[2:]) == 0:
        raise ValueError(f"{name}: an image of height {x.shape[2]} and width {x.shape[3]} has no elements to pool")


# --- the largest value


def _max_of_examples(name: str, axes: int, x: Batched, down: Any, right: Any, dilation: Any) -> Batched:
    """The images of all examples in one stack."""
    stack = reshape(x.examples, (-1, *x.shape[1:]))
    y = _max(name, axes, stack, down, right, dilation, False, False)
    return Batched(reshape(y, (*x.examples.shape[:3], *y.shape[2:])), x.level)


def _max(name: str, axes: int, x: Any, down: Any, right: Any, dilation: Any, return_indices: bool, alone: bool) -> Any:
    none = (down[:, 0] >= down[:, 1])[:, None] | (right[:, 0] >= right[:, 1])  # windows in the padding alone
    if none.any():
        down, right = [np.where((w[:, 0] >= w[:, 1])[:, None], (0, 1), w) for w in (down, right)]
    recorded = isinstance(x, Tensor) and x.requires_grad and backend.grad_enabled()
    if type(x) is Batched:
        if return_indices:
            raise Unbatched(f"{name} with return_indices")
        return unbatched(_max_of_examples(name, axes, x, down, right, dilation), axes, alone)
    array = raw(x)
    if isinstance(array, Tensor):  # a program is recorded
        index: Any = backend.apply(_PLACES, (array,), (down, right, dilation))
        return _taken(apply(GATHER, (x,), (index,)), index, none, axes, alone, return_indices)
    compute = array if array.dtype in KERNELS else array.astype(np.float32)
    values, index = kernels.pool.max_pool2d(compute, down, right, dilation, recorded or return_indices)
    values = values.astype(array.dtype, copy=False)
    y = backend.record(GATHER, (x,), (index,), values) if recorded else backend.wrap(values)
    return _taken(y, index, none, axes, alone, return_indices)


def _taken(y: Any, index: Any, none: Array, axes: int, alone: bool, return_indices: bool) -> Any:
    if none.any():
        y, index = where(none, -np.inf, y), None if index is None else np.where(none, -1, index)
    y = unbatched(y, axes, alone)
    if not return_indices:
        return y
    index = index.astype(np.int64, copy=False).reshape(y.shape)
    return y, index if isinstance(index, Tensor) else backend.wrap(index)


def _places(x: Array, down: Array, right: Array, dilation: Any) -> Array:
    """Flat positions of the largest values."""
    compute = x if x.dtype in KERNELS else x.astype(np.float32)
    found: Array = kernels.pool.max_pool2d(compute, down, right, dilation, True)[1]
    return found


_PLACES = backend.Row("max_pool_places", 1, _places, lambda: ((None,), ((0, 0),)))


def _max_pool(
    name: str, axes: int, x: Any, kernel: Any, stride: Any, padding: Any, dilation: Any, ceil: bool, indices: bool
) -> Any:
    x, alone = batched(name, floating(name, x), axes, "input")
    _check_sizes(name, x)
    tall, wide = _geometry(name, x, axes, kernel, stride, padding, dilation, ceil)
    return _max(name, axes, x, _windows(*tall)[0], _windows(*wide)[0], (tall[4], wide[4]), indices, alone)


@public("")
def max_pool1d(
    input: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1, ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:  # fmt: skip
    """The largest value of each window of sequences (batch, channels, length) or (channels, length).

    Arguments and errors as in `max_pool2d`.

    >>> zen.f.max_pool1d(zen.tensor([[1.0, 3.0, 2.0, 0.0]]), 2).tolist()
    [[3.0, 2.0]]
    """
    return _max_pool("max_pool1d", 1, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


@public("")
def max_pool2d(
    input: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1, ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:  # fmt: skip
    """The largest value of each window of images; of equal ones the first gets the gradient, and nan counts as largest.

    input (x): Tensor or array (batch, channels, height, width) or (channels, height, width). kernel_size: the window,
    an int or a pair. stride: from window to window, that of the window if None. padding: what does not count, on every
    side, at most half of the window. dilation: the step within a window. ceil_mode: windows may reach over the end.
    return_indices: return (values, positions), each the flat position in its image, int64. A dilated window that meets
    the padding alone gives -inf, and the position -1. Raises ValueError for sizes that do not fit.

    >>> zen.f.max_pool2d(zen.tensor([[[1.0, 2.0], [4.0, 3.0]]]), 2).tolist()
    [[[4.0]]]
    """
    return _max_pool("max_pool2d", 2, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


# --- the mean


def _mean(axes: int, x: Any, windows: tuple[Array, Array], counts: Any, alone: bool) -> Any:
    tall, wide = [_inverse(tuple(c.tolist())) for c in counts]
    return unbatched(apply(AVG_POOL2D, (x,), (*windows, tall, wide)), axes, alone)


def _avg_pool(
    name: str, axes: int, x: Any, kernel: Any, stride: Any, padding: Any, ceil: bool, include: bool, divisor: Any
) -> Any:
    x, alone = batched(name, floating(name, x, True), axes, "input")
    _check_sizes(name, x)
    found = [_windows(*g) for g in _geometry(name, x, axes, kernel, stride, padding, 1, ceil)]
    windows = (found[0][0], found[1][0])
    if divisor is not None:
        divisor = constant(name, "divisor_override", divisor)
        if not divisor:
            raise ValueError(f"{name}: divisor_override must not be 0")
        counts = [np.ones(len(windows[0])), np.full(len(windows[1]), divisor)]
    else:
        counts = [lengths if include else pairs[:, 1] - pairs[:, 0] for pairs, lengths in found]
    return _mean(axes, x, windows, counts, alone)


@public("")
def avg_pool1d(
    input: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Any:  # fmt: skip
    """The mean of each window of sequences (batch, channels, length) or (channels, length).

    Arguments and errors as in `avg_pool2d`.

    >>> zen.f.avg_pool1d(zen.tensor([[1.0, 3.0, 2.0, 0.0]]), 2).tolist()
    [[2.0, 1.0]]
    """
    return _avg_pool("avg_pool1d", 1, input, kernel_size, stride, padding, ceil_mode, count_include_pad, None)


@public("")
def avg_pool2d(
    input: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, ceil_mode: bool = False,
    count_include_pad: bool = True, divisor_override: int | None = None,
) -> Any:  # fmt: skip
    """The mean of each window of images.

    input (x): Tensor or array (batch, channels, height, width) or (channels, height, width). kernel_size, stride,
    padding, ceil_mode: as in `max_pool2d`; the padding is zeros. count_include_pad: whether these count in the mean.
    divisor_override: what to divide the sum by instead of the count. Raises ValueError for sizes that do not fit.

    >>> zen.f.avg_pool2d(zen.tensor([[[1.0, 2.0], [4.0, 3.0]]]), 2).tolist()
    [[[2.5]]]
    """
    return _avg_pool(
        "avg_pool2d", 2, input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override
    )  # fmt: skip


# --- windows from the output's size


def _adapted(
    name: str, axes: int, x: Any, output_size: Any, or_complex: bool = False
) -> tuple[Any, Array, Array, bool]:
    x, alone = batched(name, floating(name, x, or_complex), axes, "input")
    given = tuple(output_size) if isinstance(output_size, (tuple, list)) else (output_size,) * axes
    if len(given) == axes:
        given = tuple([n if k is None else k for k, n in zip(given, x.shape[4 - axes :], strict=True)])
    counts = several(name, "output_size", given, axes, 1)
    _check_sizes(name, x)
    down = _adaptive(x.shape[2], counts[0]) if axes == 2 else _adaptive(1, 1)
    return x, down, _adaptive(x.shape[3], counts[-1]), alone


def _adaptive_avg(name: str, axes: int, x: Any, output_size: Any) -> Any:
    x, down, right, alone = _adapted(name, axes, x, output_size, True)
    return _mean(axes, x, (down, right), [w[:, 1] - w[:, 0] for w in (down, right)], alone)


def _adaptive_max(name: str, axes: int, x: Any, output_size: Any, indices: bool) -> Any:
    x, down, right, alone = _adapted(name, axes, x, output_size)
    return _max(name, axes, x, down, right, (1, 1), indices, alone)


@public("")
def adaptive_avg_pool1d(input: Any, output_size: Any) -> Any:
    """The means of `output_size` windows that cover sequences (batch, channels, length) or (channels, length).

    As `adaptive_avg_pool2d`.

    >>> zen.f.adaptive_avg_pool1d(zen.tensor([[1.0, 3.0, 2.0]]), 2).tolist()
    [[2.0, 2.5]]
    """
    return _adaptive_avg("adaptive_avg_pool1d", 1, input, output_size)


@public("")
def adaptive_avg_pool2d(input: Any, output_size: Any) -> Any:
    """The means of windows that cover the images, as many as make the output's height and width.

    input (x): Tensor or array (batch, channels, height, width) or (channels, height, width). output_size: an int or a
    pair; None keeps the input's. Window k of n reaches from floor(k * size / n) to ceil((k + 1) * size / n). Raises
    ValueError for a size below 1 and for an empty image.

    >>> zen.f.adaptive_avg_pool2d(zen.tensor([[[1.0, 2.0], [4.0, 3.0]]]), 1).tolist()
    [[[2.5]]]
    """
    return _adaptive_avg("adaptive_avg_pool2d", 2, input, output_size)


@public("")
def adaptive_max_pool1d(input: Any, output_size: Any, return_indices: bool = False) -> Any:
    """The largest values of `output_size` windows that cover sequences; windows as in `adaptive_avg_pool2d`.

    >>> zen.f.adaptive_max_pool1d(zen.tensor([[1.0, 3.0, 2.0]]), 1).tolist()
    [[3.0]]
    """
    return _adaptive_max("adaptive_max_pool1d", 1, input, output_size, return_indices)


@public("")
def adaptive_max_pool2d(input: Any, output_size: Any, return_indices: bool = False) -> Any:
    """The largest values of windows that cover the images; windows as in `adaptive_avg_pool2d`.

    >>> zen.f.adaptive_max_pool2d(zen.tensor([[[1.0, 2.0], [4.0, 3.0]]]), 1).tolist()
    [[[4.0]]]
    """
    return _adaptive_max("adaptive_max_pool2d", 2, input, output_size, return_indices)
