"""Padding of the last axes in PyTorch's form, for `zen.f.pad(x, pad=...)` and the layers of `zen/nn/padding.py`."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..backend import apply
from ..conversion import refuse_stripping
from .axes import check_size, one_shape
from .indexing import GETITEM
from .joining import PAD
from .operands import constant, operand

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
    return apply(GETITEM, (x,), (_key(name, x.shape[lead:], pairs, mode),))


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


def _key(name: str, sizes: tuple[int, ...], pairs: Pairs, mode: str) -> tuple[Any, ...]:
    """The key that reads the padded array off the array."""
    key: list[Any] = [...]
    for k, ((a, b), n) in enumerate(zip(pairs, sizes, strict=True)):
        if (a, b) == (0, 0) and all([p == (0, 0) for p in pairs[:k]]):
            key.append(slice(None))  # a slice in front of the indices costs nothing
            continue
        room = {"reflect": n - 1, "circular": n, "replicate": max(a, b) if n else 0}[mode]
        if max(a, b) > room:
            most = f"at most {room}" if n else "none"
            raise ValueError(
                f"{name}: mode {mode!r} can add {most} at each end of an axis of {n} elements, not {(a, b)}"
            )
        positions = np.pad(np.arange(n), (a, b), MODES[mode])  # type: ignore[call-overload]
        key.append(positions.reshape(-1, *[1] * (len(sizes) - k - 1)))
    return tuple(key)
