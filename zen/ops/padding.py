"""Padding of the last axes in PyTorch's form, for `zen.f.pad(x, pad=...)` and the layers of `zen/nn/padding.py`."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..backend import apply
from ..conversion import refuse_stripping
from .axes import check_size, one_shape
from .indexing import GETITEM
from .joining import PAD, concat
from .operands import constant, operand
from .shape import broadcast_to

Pairs = tuple[tuple[int, int], ...]

MODES = {"constant": "constant", "reflect": "reflect", "replicate": "edge", "circular": "wrap"}
"""PyTorch's modes, by NumPy's names."""


def pad_ends(input: Any, pad: Any, mode: str = "constant", value: Any = None, *, name: str = "pad") -> Any:
    """x with elements added at the ends of its last axes, or taken off there.

    pad: (before, after) of the last axis, then of the one before it, and so on; negative numbers take off. mode:
    "constant" (value, or 0), "reflect" (mirrored at the last element, which is not repeated), "replicate" (the last
    element) or "circular" (the other end). Raises ValueError for another mode, for more pairs than axes, and for what
    is too short to be mirrored or wrapped.
    """
    x = operand(name, input)
    refuse_stripping(pad)
    pairs = _pairs(name, pad, x.shape)
    if mode not in MODES:
        raise ValueError(f"{name}: mode {mode!r} is not available; give one of {', '.join(map(repr, MODES))}")
    if mode != "constant" and value is not None:
        raise ValueError(f"{name}: value belongs to mode='constant'; leave it out for mode={mode!r}")
    x, pairs = _cropped(name, x, pairs)
    lead = x.ndim - len(pairs)
    check_size(name, (*x.shape[:lead], *[a + n + b for (a, b), n in zip(pairs, x.shape[lead:], strict=True)]))
    if mode == "constant" or all([pair == (0, 0) for pair in pairs]):
        filling = np.asarray(0 if value is None else constant(name, "value", value))
        return apply(PAD, (x,), ((*[(0, 0)] * lead, *pairs), filling))
    _check_room(name, x.shape[lead:], pairs, mode)
    for k, (before, after) in enumerate(pairs):
        x = _extended(x, lead + k, before, after, mode)
    return x


def _pairs(name: str, pad: Any, shape: tuple[int, ...]) -> Pairs:
    """One pair for each of the last axes, in the order of the axes."""
    flat = one_shape(name, pad)
    if len(flat) % 2 or len(flat) > 2 * len(shape):
        raise ValueError(
            f"{name}: pad {flat} must be (before, after) of the last axis, then of the one before it, and so on, for "
            f"at most the {len(shape)} axes of shape {shape}"
        )
    return tuple([(flat[k], flat[k + 1]) for k in range(len(flat) - 2, -1, -2)])


def _cropped(name: str, x: Any, pairs: Pairs) -> tuple[Any, Pairs]:
    """x without what negative widths take off, and the widths that are left."""
    if all([a >= 0 and b >= 0 for a, b in pairs]):
        return x, pairs
    key: list[Any] = [...]
    for (a, b), n in zip(pairs, x.shape[x.ndim - len(pairs) :], strict=True):
        start, stop = max(-a, 0), n + min(b, 0)
        if start > stop:
            raise ValueError(f"{name}: widths {(a, b)} take off more than the {n} elements of an axis")
        key.append(slice(start, stop))
    return x[tuple(key)], tuple([(max(a, 0), max(b, 0)) for a, b in pairs])


def _check_room(name: str, sizes: tuple[int, ...], pairs: Pairs, mode: str) -> None:
    for pair, n in zip(pairs, sizes, strict=True):
        room = {"reflect": n - 1, "circular": n, "replicate": max(pair) if n else 0}[mode]
        if max(pair) > room and pair != (0, 0):
            most = f"at most {room}" if n else "none"
            raise ValueError(f"{name}: mode {mode!r} can add {most} at each end of an axis of {n} elements, not {pair}")


def _extended(x: Any, axis: int, before: int, after: int, mode: str) -> Any:
    """x with elements of its own at the ends of one axis. Joined parts lie in C order; a read by index does not."""
    n, parts = x.shape[axis], [x]
    last = n - 2 - after
    sources = {
        "reflect": (slice(before, 0, -1), slice(n - 2, None if last < 0 else last, -1)),
        "circular": (slice(n - before, n), slice(0, after)), "replicate": (slice(0, 1), slice(n - 1, n)),
    }[mode]  # fmt: skip
    if before:
        parts.insert(0, _part(x, axis, before, sources[0]))
    if after:
        parts.append(_part(x, axis, after, sources[1]))
    return concat(parts, axis) if len(parts) > 1 else x


def _part(x: Any, axis: int, length: int, source: slice) -> Any:
    part = apply(GETITEM, (x,), ((*(slice(None),) * axis, source),))
    shape = (*x.shape[:axis], length, *x.shape[axis + 1 :])
    return part if part.shape == shape else broadcast_to(part, shape)
