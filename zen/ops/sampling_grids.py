"""Images and volumes read at any places: grid_sample, and the places of an affine map: affine_grid."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from ..backend import apply
from .axes import one_shape
from .indexing import GETITEM
from .operands import floating, raw
from .pointwise import where
from .register import FUNCTIONS, public
from .shape import moveaxis, reshape

_clip, _matmul = FUNCTIONS["clip"], FUNCTIONS["matmul"]
_MODES, _PADDINGS = ("bilinear", "nearest", "bicubic"), ("zeros", "border", "reflection")


def _reflected(x: Any, size: int, corners: bool) -> Any:
    """x mirrored at the outermost elements, or at their outer ends, until it lies between."""
    low, high = (0.0, size - 1.0) if corners else (-0.5, size - 0.5)
    if high == low:
        return x * 0
    values = raw(x)
    away = np.abs(values - low)
    flips = np.floor(away / (high - low))
    rest = away - flips * (high - low)
    even = flips % 2 == 0
    slope = np.where(values < low, -1.0, 1.0) * np.where(even, 1.0, -1.0)
    found = np.where(even, rest + low, high - rest)
    # Straight lines: the slope is the derivative, and the constant makes the values those found.
    return x * slope.astype(values.dtype) + (found - values * slope).astype(values.dtype)


def _padded(x: Any, size: int, padding: str, corners: bool) -> Any:
    """Places along an axis, moved inside as the padding says; "zeros" leaves them."""
    if padding == "reflection":
        x = _reflected(x, size, corners)
    return x if padding == "zeros" else _clip(x, 0, size - 1)


def _cubic(t: Any) -> list[Any]:
    """The weights of the four elements around a place, t behind the second. Keys 1981, with a = -3/4."""
    a = -0.75

    def near(x: Any) -> Any:
        return ((a + 2) * x - (a + 3)) * x * x + 1

    def far(x: Any) -> Any:
        return ((x - 5) * x + 8) * x * a - 4 * a

    return [far(t + 1), near(t), near(1 - t), far(2 - t)]


def _whole(values: np.ndarray) -> np.ndarray:
    """Floats without fractions as ints; what is nan or far away is anywhere outside."""
    with np.errstate(invalid="ignore"):
        safe = np.where(np.abs(values) < 2**30, values, -(2.0**30))
    found: np.ndarray = safe.astype(np.intp)
    return found


@public("", None)
def grid_sample(
    input: Any, grid: Any, mode: str = "bilinear", padding_mode: str = "zeros", align_corners: bool | None = None
) -> Any:
    """Images or volumes read at the places of a grid, between their elements.

    input (x): Tensor or array (batch, channels, height, width) or (batch, channels, depth, height, width). grid:
    (batch, ..., 2) or (batch, ..., 3), with as many axes as x: places as (x, y) or (x, y, z), from -1 to 1. mode:
    "bilinear" (in volumes trilinear), "nearest", or "bicubic" for images. padding_mode: what lies outside: "zeros", the
    "border", or the image mirrored ("reflection"). align_corners: -1 and 1 are the middles of the outermost elements,
    instead of their outer ends. The result is (batch, channels, ...). Raises ValueError for what does not fit.

    >>> x = zen.tensor([[[[1.0, 2.0], [3.0, 4.0]]]])
    >>> zen.f.grid_sample(x, zen.zeros((1, 1, 1, 2)), align_corners=True).item()
    2.5
    """
    name = "grid_sample"
    x, places = floating(name, input, True), floating(name, grid)
    axes = x.ndim - 2
    if axes not in (2, 3) or places.ndim != x.ndim or places.shape[-1:] != (axes,) or places.shape[0] != x.shape[0]:
        raise ValueError(
            f"{name}: input of shape {x.shape} and grid of shape {places.shape}; expected (batch, channels, height, "
            "width) and (batch, height, width, 2), or volumes and threes"
        )
    if min(x.shape[1:]) == 0:
        raise ValueError(f"{name}: input of shape {x.shape} has no elements to read")
    if mode not in _MODES or (mode == "bicubic" and axes == 3):
        raise ValueError(f"{name}: mode must be one of {', '.join(map(repr, _MODES))} (images alone), not {mode!r}")
    if padding_mode not in _PADDINGS:
        raise ValueError(f"{name}: padding_mode must be one of {', '.join(map(repr, _PADDINGS))}, not {padding_mode!r}")
    corners, sizes = bool(align_corners), x.shape[2:]
    taps = []
    for k, size in enumerate(sizes):
        at = places[..., axes - 1 - k]
        at = (at + 1) * ((size - 1) / 2) if corners else ((at + 1) * size - 1) / 2
        taps.append(_taps(at, size, mode, padding_mode, corners))
    batch = np.arange(x.shape[0]).reshape(-1, *[1] * axes)
    total: Any = None
    for chosen in itertools.product(*taps):
        inside, weight = np.True_, None
        for (index, factor), size in zip(chosen, sizes, strict=True):
            inside = inside & (index >= 0) & (index < size)
            if factor is not None:
                weight = factor if weight is None else weight * factor
        key = (batch, slice(None), *[index.clip(0, n - 1) for (index, _), n in zip(chosen, sizes, strict=True)])
        part = apply(GETITEM, (x,), (key,))
        if not np.all(inside):
            part = where(np.asarray(inside)[..., None], part, 0.0)
        if weight is not None:
            part = part * reshape(weight, (*weight.shape, 1))
        total = part if total is None else total + part
    return moveaxis(total, -1, 1)


def _taps(at: Any, size: int, mode: str, padding: str, corners: bool) -> list[tuple[np.ndarray, Any]]:
    """(position, weight) of the elements along an axis that each place is made of; None weighs 1."""
    if mode == "bicubic":
        low = np.floor(raw(at))
        found = []
        for k, weight in enumerate(_cubic(at - low), -1):
            found.append((_whole(np.asarray(raw(_padded(low + k, size, padding, corners)))), weight))
        return found
    at = _padded(at, size, padding, corners)
    if mode == "nearest":
        return [(_whole(np.rint(raw(at))), None)]
    low = np.floor(raw(at))
    share = at - low
    return [(_whole(low), 1 - share), (_whole(low + 1), share)]


@public("", None)
def affine_grid(theta: Any, size: Any, align_corners: bool | None = None) -> Any:
    """The places that an affine map takes the elements of images or volumes to, for `grid_sample`.

    theta: (batch, 2, 3) or (batch, 3, 4), the map of (x, y, 1) or (x, y, z, 1). size: of the result of grid_sample,
    (batch, channels, height, width) or (batch, channels, depth, height, width). align_corners: as in grid_sample. The
    result is (batch, height, width, 2) or (batch, depth, height, width, 3). Raises ValueError for what does not fit.

    >>> zen.f.affine_grid(zen.tensor([[[1.0, 0.0, 0.5], [0.0, 1.0, 0.0]]]), (1, 1, 1, 2)).tolist()
    [[[[0.0, 0.0], [1.0, 0.0]]]]
    """
    t, shape = floating("affine_grid", theta), one_shape("affine_grid", size)
    axes = len(shape) - 2
    if axes not in (2, 3) or t.shape != (shape[0], axes, axes + 1) or min(shape[2:]) < 1:
        raise ValueError(
            f"affine_grid: theta of shape {t.shape} and size {shape}; expected (batch, 2, 3) and (batch, channels, "
            "height, width), or (batch, 3, 4) and a size with a depth"
        )
    lines = []
    for n in shape[2:]:
        k = np.arange(n)
        lines.append((2 * k / (n - 1) - 1 if n > 1 else k * 0.0) if align_corners else (2 * k + 1) / n - 1)
    base = np.stack([*reversed(np.meshgrid(*lines, indexing="ij")), np.ones(shape[2:])], -1)
    flat = base.reshape(-1, axes + 1).astype(t.dtype)
    found = _matmul(flat, FUNCTIONS["matrix_transpose"](t))
    return reshape(found, (shape[0], *shape[2:], axes))
