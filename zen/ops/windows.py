"""Windows over the last axes of an array, laid side by side and added up again: unfold, fold.

A window of length k with dilation d spans d * (k - 1) + 1 elements. `windows` has the axes (..., kernel, places), and
`overlapped` is its transpose.
"""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np

from ..backend import Shaped, apply
from ..dtypes import COMPLEX, FLOATING, accumulator
from .casting import memory_for
from .convolution import several
from .joining import PAD
from .operands import floating, operand
from .register import define, public
from .row import row
from .shape import reshape

Sizes = tuple[int, ...]


def _places(size: Sizes, kernel: Sizes, dilation: Sizes, stride: Sizes) -> Sizes:
    """How many windows fit along each axis."""
    each = zip(size, kernel, dilation, stride, strict=True)
    return tuple([(n - d * (k - 1) - 1) // s + 1 for n, k, d, s in each])


def _windows(x: Any, kernel: Sizes, dilation: Sizes, stride: Sizes) -> Any:
    n = len(kernel)
    places = _places(x.shape[-n:], kernel, dilation, stride)
    steps = x.strides[-n:]
    strides = [*x.strides[:-n], *[s * d for s, d in zip(steps, dilation, strict=True)],
               *[s * d for s, d in zip(steps, stride, strict=True)]]  # fmt: skip
    out = memory_for((*x.shape[:-n], *kernel, *places), x.dtype)
    out[...] = np.lib.stride_tricks.as_strided(x, out.shape, strides)
    return out


def _overlapped(v: Any, size: Sizes, kernel: Sizes, dilation: Sizes, stride: Sizes) -> Any:
    n = len(size)
    out = np.zeros((*v.shape[: v.ndim - 2 * n], *size), accumulator(v.dtype) if v.dtype in FLOATING else v.dtype)
    for at in itertools.product(*map(range, kernel)):
        key: list[Any] = [
            slice(k * d, k * d + s * (m - 1) + 1, s)
            for k, d, s, m in zip(at, dilation, stride, v.shape[-n:], strict=True)
        ]
        out[(Ellipsis, *key)] += v[(Ellipsis, *at, *[slice(None)] * n)]
    return out.astype(v.dtype, copy=False)


def _draws(rng: np.random.Generator) -> list[Any]:
    return [
        ((rng.normal(size=(2, 3, 4, 5)),), ((2, 3), (1, 1), (1, 2))),
        ((rng.normal(size=(7, 2)).T,), ((3,), (2,), (1,))),
        ((rng.normal(size=(1, 4, 3, 4))[:, ::2],), ((2, 1, 2), (1, 1, 2), (2, 1, 1))),
        ((np.zeros((0, 2, 4)),), ((2,), (1,), (2,))),
    ]  # fmt: skip


def _side_by_side(x: Any, kernel: Sizes, dilation: Sizes, stride: Sizes) -> Shaped:
    n = len(kernel)
    return Shaped((*x.shape[:-n], *kernel, *_places(tuple(x.shape[-n:]), kernel, dilation, stride)), x.dtype)


def _added_up(f: Any, g: Any, shape: Sizes, kernel: Sizes, dilation: Sizes, stride: Sizes) -> Any:
    return f.overlapped(g, tuple(shape[-len(kernel) :]), kernel, dilation, stride)


WINDOWS = define(row(
    "windows", "x", _windows, ["added_up(g, x.shape, kernel, dilation, stride)"],
    params="kernel dilation stride", linear="x", complex=True, uses={"added_up": _added_up}, shape=_side_by_side,
    domain=_draws, doc="Windows over the last axes.",
))  # fmt: skip
OVERLAPPED = define(row(
    "overlapped", "v", _overlapped, ["windows(g, kernel, dilation, stride)"], params="size kernel dilation stride",
    linear="v", complex=True,
    shape=lambda v, size, *rest: Shaped((*v.shape[: len(v.shape) - 2 * len(size)], *size), v.dtype),
    domain=lambda rng: [
        ((rng.normal(size=_side_by_side(x, *p).shape),), (x.shape[-len(p[0]) :], *p)) for (x,), p in _draws(rng)
    ],
    doc="Windows added up where they come from: the transpose of `windows`.",
))  # fmt: skip


def _numbers(name: str, x: Any) -> Any:
    """x as floats or complex numbers."""
    x = operand(name, x)
    return x if x.dtype in COMPLEX else floating(name, x)


def _geometry(name: str, kernel_size: Any, dilation: Any, padding: Any, stride: Any) -> tuple[Sizes, ...]:
    return (
        several(name, "kernel_size", kernel_size, 2, 1), several(name, "dilation", dilation, 2, 1),
        several(name, "padding", padding, 2, 0), several(name, "stride", stride, 2, 1),
    )  # fmt: skip


def _checked_places(name: str, size: Sizes, kernel: Sizes, dilation: Sizes, padding: Sizes, stride: Sizes) -> Sizes:
    padded = tuple([n + 2 * p for n, p in zip(size, padding, strict=True)])
    places = _places(padded, kernel, dilation, stride)
    if min(places) < 1:
        raise ValueError(
            f"{name}: a window of {kernel} with dilation {dilation} does not fit an image of {size} with padding "
            f"{padding} on both sides"
        )
    return places


@public("", None)
def unfold(input: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> Any:
    """The windows of images as columns: (batch, channels * window, places).

    input (x): Tensor or array (batch, channels, height, width) or (channels, height, width). kernel_size, dilation,
    padding (zeros on every side), stride: ints or pairs. A column holds the window's elements, channel by channel.
    Raises ValueError for sizes that do not fit.

    >>> zen.f.unfold(zen.tensor([[[1.0, 2.0, 3.0]]]), (1, 2)).tolist()
    [[1.0, 2.0], [2.0, 3.0]]
    """
    x = _numbers("unfold", input)
    kernel, dilation, padding, stride = _geometry("unfold", kernel_size, dilation, padding, stride)
    if x.ndim not in (3, 4) or min(x.shape[-3:]) == 0:
        raise ValueError(
            f"unfold: expected images (batch, channels, height, width) or (channels, height, width) with elements, not "
            f"shape {x.shape}"
        )
    places = _checked_places("unfold", x.shape[-2:], kernel, dilation, padding, stride)
    if any(padding):
        x = apply(PAD, (x,), ((*[(0, 0)] * (x.ndim - 2), *[(p, p) for p in padding]), 0))
    found = apply(WINDOWS, (x,), (kernel, dilation, stride))
    return reshape(found, (*x.shape[:-3], x.shape[-3] * math.prod(kernel), math.prod(places)))


@public("", None)
def fold(input: Any, output_size: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> Any:
    """Images from windows as columns, added up where these overlap: the transpose of `unfold`.

    input (x): Tensor or array (batch, channels * window, places) or (channels * window, places). output_size: the
    height and width of the images, an int or a pair. The other arguments are those of `unfold`. Raises ValueError for
    sizes that do not fit.

    >>> zen.f.fold(zen.tensor([[1.0, 2.0], [2.0, 3.0]]), (1, 3), (1, 2)).tolist()
    [[[1.0, 4.0, 3.0]]]
    """
    x, size = _numbers("fold", input), several("fold", "output_size", output_size, 2, 1)
    kernel, dilation, padding, stride = _geometry("fold", kernel_size, dilation, padding, stride)
    places, window = _checked_places("fold", size, kernel, dilation, padding, stride), math.prod(kernel)
    if x.ndim not in (2, 3) or x.shape[-2] % window or x.shape[-1] != math.prod(places) or not x.shape[-2]:
        raise ValueError(
            f"fold: input of shape {x.shape}; windows of {kernel} at {places[0]} x {places[1]} places of an image of "
            f"{size} need (batch, a multiple of {window}, {math.prod(places)}), or without the batch"
        )
    lead = x.shape[:-2]
    columns = reshape(x, (*lead, x.shape[-2] // window, *kernel, *places))
    padded = tuple([n + 2 * p for n, p in zip(size, padding, strict=True)])
    y = apply(OVERLAPPED, (columns,), (padded, kernel, dilation, stride))
    if not any(padding):
        return y
    return y[(..., *[slice(p, p + n) for p, n in zip(padding, size, strict=True)])]
