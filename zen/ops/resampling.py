"""Images and sequences in another size: `zen.f.interpolate`.

Along each axis an element of the result is a weighted sum of a few of the input's: `resampled` gathers them by their
positions, and `gathered_back` is its transpose. Sizes, positions and weights are those of PyTorch.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np

from .. import backend
from ..backend import Shaped, apply
from ..dtypes import FLOATING, KERNELS, accumulator
from .casting import COPY
from .convolution import several
from .operands import constant, floating
from .register import define, public
from .row import row

Array = np.ndarray


class Taps:
    """Which elements of an axis are added up for each of the result's, and their weights: arrays (places, count)."""

    def __init__(self, positions: Array, weights: Array | None) -> None:
        self.positions, self.weights = positions, weights
        for a in (positions, weights):
            if a is not None:
                a.flags.writeable = False


def _factors(weights: Array, k: int, v: Any, axis: int) -> Any:
    """Weights k of each place, to be multiplied with v along the axis."""
    return weights[:, k].astype(v.real.dtype).reshape(-1, *[1] * (v.ndim - axis - 1))


def _resampled(x: Any, taps: Taps, axis: int) -> Any:
    positions, weights = taps.positions, taps.weights
    if weights is None:
        return np.take(x, positions[:, 0], axis)
    wide = x.astype(accumulator(x.dtype), copy=False) if x.dtype in FLOATING else x
    out = np.take(wide, positions[:, 0], axis) * _factors(weights, 0, wide, axis)
    for k in range(1, positions.shape[1]):
        out += np.take(wide, positions[:, k], axis) * _factors(weights, k, wide, axis)
    return out.astype(x.dtype, copy=False)


def _gathered_back(v: Any, taps: Taps, size: int, axis: int) -> Any:
    positions, weights = taps.positions, taps.weights
    wide = v.astype(accumulator(v.dtype), copy=False) if v.dtype in FLOATING else v
    first = np.moveaxis(wide, axis, 0)
    out = np.zeros((size, v.size // max(v.shape[axis], 1)), wide.dtype)
    for k in range(positions.shape[1]):
        part = first if weights is None else first * _factors(weights, k, first, 0)
        rows = np.ascontiguousarray(part).reshape(len(positions), out.shape[1])
        if out.dtype in KERNELS:
            backend.kernels.lines.scatter_add_rows(out, np.ascontiguousarray(positions[:, k]), rows)
        else:
            np.add.at(out, positions[:, k], rows)
    whole = out.reshape(size, *first.shape[1:])
    return np.ascontiguousarray(np.moveaxis(whole, 0, axis)).astype(v.dtype, copy=False)


def _draws(rng: np.random.Generator) -> list[Any]:
    found = []
    for shape, axis, count, taps in [((2, 3, 4), 2, 5, 2), ((3, 2), 0, 2, 3), ((0, 3), 1, 2, 1), ((4,), 0, 3, 1)]:
        weights = rng.normal(size=(count, taps)) if taps > 1 else None
        found.append(((rng.normal(size=shape),), (Taps(rng.integers(0, shape[axis], (count, taps)), weights), axis)))
    return found


def _with(shape: Any, axis: int, n: int) -> tuple[int, ...]:
    return (*shape[:axis], n, *shape[axis + 1 :])


RESAMPLED = define(row(
    "resampled", "x", _resampled, ["gathered_back(g, taps, x.shape[axis], axis)"], params="taps axis", axes="axis",
    linear="x", complex=True, domain=_draws, doc="Weighted sums of elements along an axis.",
    shape=lambda x, taps, axis: Shaped(_with(x.shape, axis, len(taps.positions)), x.dtype),
))  # fmt: skip
define(row(
    "gathered_back", "v", _gathered_back, ["resampled(g, taps, axis)"], params="taps size axis", axes="axis",
    linear="v", complex=True,
    domain=lambda rng: [
        ((rng.normal(size=_with(x.shape, axis, len(taps.positions))),), (taps, x.shape[axis], axis))
        for (x,), (taps, axis) in _draws(rng)
    ],
    shape=lambda v, taps, size, axis: Shaped(_with(v.shape, axis, size), v.dtype), doc="The transpose of resampled.",
))  # fmt: skip


# --- positions and weights along one axis. `step` is the distance of two places of the result, on the input.


def _nearest(size: int, count: int, step: float, shift: float) -> Taps:
    found = np.floor((np.arange(count) + shift) * step).astype(np.intp)
    return Taps(np.minimum(found, size - 1)[:, None], None)


def _centres(count: int, step: float, corners: bool) -> Array:
    k = np.arange(count)
    return k * step if corners else (k + 0.5) * step - 0.5


def _linear(size: int, count: int, step: float, corners: bool) -> Taps:
    at = np.maximum(_centres(count, step, corners), 0)
    low = np.minimum(np.floor(at).astype(np.intp), size - 1)
    share = np.clip(at - low, 0, 1)
    high = np.minimum(low + 1, size - 1)
    return Taps(np.stack([low, high], 1), np.stack([1 - share, share], 1))


def _cubic_weight(x: Array, a: float) -> Array:
    """Keys' kernel of convolution. Keys 1981."""
    x = np.abs(x)
    near, far = ((a + 2) * x - (a + 3)) * x * x + 1, ((x - 5) * x + 8) * x * a - 4 * a
    return np.where(x <= 1, near, np.where(x < 2, far, 0.0))


def _cubic(size: int, count: int, step: float, corners: bool) -> Taps:
    at = _centres(count, step, corners)
    low = np.floor(at)
    offsets = np.arange(-1, 3)
    weights = _cubic_weight((at - low)[:, None] - offsets, -0.75)
    return Taps(np.clip(low[:, None].astype(np.intp) + offsets, 0, size - 1), weights)


def _smoothed(size: int, count: int, step: float, reach: int) -> Taps:
    """Linear (reach 1) or cubic (reach 2) weights, stretched over all elements that one of the result stands for."""
    scale = max(step, 1.0)
    centre = step * (np.arange(count) + 0.5)
    first = np.maximum((centre - reach * scale + 0.5).astype(np.intp), 0)
    end = np.minimum((centre + reach * scale + 0.5).astype(np.intp), size)
    at = first[:, None] + np.arange(max(int((end - first).max()), 1))
    x = (at - centre[:, None] + 0.5) / scale
    weights = np.maximum(1 - np.abs(x), 0) if reach == 1 else _cubic_weight(x, -0.5)
    weights = np.where(at < end[:, None], weights, 0)
    return Taps(np.minimum(at, end[:, None] - 1), weights / weights.sum(1, keepdims=True))


def _means(size: int, count: int) -> Taps:
    k = np.arange(count)
    first, end = k * size // count, -((-(k + 1) * size) // count)
    at = first[:, None] + np.arange((end - first).max())
    inside = at < end[:, None]
    return Taps(np.minimum(at, end[:, None] - 1), inside / inside.sum(1, keepdims=True))


_MODES = {
    "nearest": (1, 2, 3), "nearest-exact": (1, 2, 3), "area": (1, 2, 3), "linear": (1,),
    "bilinear": (2,), "bicubic": (2,), "trilinear": (3,),
}  # fmt: skip
"""The numbers of spatial axes that each mode is for."""
_SMOOTH = ("linear", "bilinear", "bicubic", "trilinear")


@lru_cache(256)
def _taps(mode: str, size: int, count: int, factor: float | None, corners: bool, antialias: bool) -> Taps:
    if mode == "area":
        return _means(size, count)
    step = size / count if factor is None else 1 / factor
    if corners:
        step = (size - 1) / (count - 1) if count > 1 else 0.0
    if antialias:
        return _smoothed(size, count, step, 2 if mode == "bicubic" else 1)
    if mode == "bicubic":
        return _cubic(size, count, step, corners)
    if mode in _SMOOTH:
        return _linear(size, count, step, corners)
    if mode == "nearest" and factor is None:  # in whole numbers, which no rounding moves
        return Taps((np.arange(count) * size // count)[:, None], None)
    return _nearest(size, count, step, 0.0 if mode == "nearest" else 0.5)


def _sizes(
    x: Any, axes: int, size: Any, scale_factor: Any, recompute: bool | None
) -> tuple[tuple[int, ...], tuple[float | None, ...]]:
    """The result's lengths, and the factors that positions are computed with: None where the lengths say them."""
    if (size is None) == (scale_factor is None):
        raise ValueError("interpolate: give size or scale_factor, and not both")
    if size is not None:
        if recompute:
            raise ValueError("interpolate: recompute_scale_factor belongs to scale_factor, not to size")
        return several("interpolate", "size", size, axes, 1), (None,) * axes
    given = scale_factor if isinstance(scale_factor, (tuple, list)) else (scale_factor,) * axes
    factors = tuple([float(constant("interpolate", "scale_factor", s)) for s in given])
    if len(factors) != axes or not all([0 < s < math.inf for s in factors]):
        raise ValueError(
            f"interpolate: scale_factor must be a positive number or {axes} of them, one for each spatial axis, not "
            f"{scale_factor!r}"
        )
    sizes = tuple([math.floor(n * s) for n, s in zip(x.shape[2:], factors, strict=True)])
    if min(sizes) < 1:
        raise ValueError(f"interpolate: scale_factor {scale_factor} leaves nothing of x of shape {x.shape}")
    return sizes, (None,) * axes if recompute else factors


@public("", None)
def interpolate(
    input: Any, size: Any = None, scale_factor: Any = None, mode: str = "nearest", align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None, antialias: bool = False,
) -> Any:  # fmt: skip
    """Sequences, images or volumes in another size.

    input (x): Tensor or array (batch, channels, length), (batch, channels, height, width) or (batch, channels, depth,
    height, width). size: the lengths of the result, an int or one for each spatial axis; or scale_factor: how many
    times longer, a number or one for each (the lengths are rounded down). mode: "nearest" (the element in which the
    place's left end lies), "nearest-exact" (its centre), "area" (the mean of those that it covers); "linear" for
    sequences, "bilinear" and "bicubic" for images, "trilinear" for volumes. align_corners: the outermost elements lie
    on one another, instead of their outer ends. recompute_scale_factor: place the elements by the rounded lengths, not
    by the factor given. antialias: for "bilinear" and "bicubic", weigh all elements that a place covers where the
    result is smaller. Raises ValueError for what does not fit, and for an empty image.

    >>> zen.f.interpolate(zen.tensor([[[1.0, 3.0]]]), scale_factor=2, mode="linear").tolist()
    [[[1.0, 1.5, 2.5, 3.0]]]
    """
    x = floating("interpolate", input, True)
    axes = x.ndim - 2
    if mode not in _MODES:
        raise ValueError(f"interpolate: mode must be one of {', '.join(map(repr, _MODES))}, not {mode!r}")
    if axes not in _MODES[mode]:
        known = " or ".join([str(n + 2) for n in _MODES[mode]])
        raise ValueError(f"interpolate: mode {mode!r} is for {known} axes, (batch, channels, ...), not shape {x.shape}")
    if align_corners is not None and mode not in _SMOOTH:
        raise ValueError(f"interpolate: align_corners belongs to {', '.join(_SMOOTH)}; leave it out for {mode!r}")
    if antialias and mode not in ("bilinear", "bicubic"):
        raise ValueError(f"interpolate: antialias is for 'bilinear' and 'bicubic', not for {mode!r}")
    if min(x.shape[1:]) == 0:
        raise ValueError(f"interpolate: x of shape {x.shape} has no elements to take")
    sizes, factors = _sizes(x, axes, size, scale_factor, recompute_scale_factor)
    y = x
    for k, (n, count, factor) in enumerate(zip(x.shape[2:], sizes, factors, strict=True), 2):
        taps = _taps(mode, n, count, factor, bool(align_corners), bool(antialias))
        if n != count or factor not in (None, 1.0):
            y = apply(RESAMPLED, (y,), (taps, k))
    return apply(COPY, (x,), ("C",)) if y is x else y
