"""The modes of `zen.f.pad` that compute what they add: ramps, statistics, odd reflections, and constants that are
differentiated. Axis after axis, each over what those before it have added, as in NumPy.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..backend import apply
from ..dtypes import EXACT, INTEGER
from .casting import astype, converted
from .joining import PAD, concat
from .operands import operand, raw
from .register import FUNCTIONS
from .shape import broadcast_to

Pair = tuple[int, int]
Parts = Callable[[Any, int, Pair], tuple[Any, Any]]
"""Of x, an axis and the widths: what comes before and behind it. Either may have length 1 where it is repeated."""

MODES = ("empty", "linear_ramp", "maximum", "mean", "median", "minimum")
_STATISTICS = {"maximum": "max", "mean": "mean", "median": "median", "minimum": "min"}


def padded(x: Any, width: tuple[Pair, ...], mode: str, values: Any, lengths: Any) -> Any:
    """x padded in the mode. values: of constants and ends of ramps. lengths: how many elements statistics are of."""
    if mode == "empty":
        return apply(PAD, (x,), (width, np.asarray(0)))
    if mode == "constant":
        return _along_axes(x, width, _constants(_pairs(values, x.ndim)))
    short = [k for k, (pair, n) in enumerate(zip(width, x.shape, strict=True)) if not n and pair != (0, 0)]
    if short:
        raise ValueError(f"pad: mode {mode!r} has nothing to take along axis {short[0]} of shape {x.shape}")
    if mode == "linear_ramp":
        return _along_axes(x, width, _ramps(_pairs(values, x.ndim)))
    return _along_axes(x, width, _statistics(mode, _lengths(lengths, x.ndim)))


def reflected_oddly(x: Any, width: tuple[Pair, ...], with_edge: bool) -> Any:
    """x padded by its reflections in the values at its ends, in which the ends themselves are repeated `with_edge`."""
    for k, pair in enumerate(width):
        if pair == (0, 0):
            continue
        if x.shape[k] == 0:
            raise ValueError(f"pad: odd reflections have nothing to take along axis {k} of shape {x.shape}")
        x = _repeated_ends(x, k, pair) if x.shape[k] == 1 else _reflected(x, k, pair, with_edge)
    return x


def _along_axes(x: Any, width: tuple[Pair, ...], parts: Parts) -> Any:
    for k, pair in enumerate(width):
        if pair != (0, 0):
            before, behind = parts(x, k, pair)
            x = _joined(x, k, pair, before, behind)
    return x


def _joined(x: Any, k: int, pair: Pair, before: Any, behind: Any) -> Any:
    ends = []
    for part, n in zip((before, behind), pair, strict=True):
        shape = (*x.shape[:k], n, *x.shape[k + 1 :])
        ends.append(broadcast_to(converted("pad", operand("pad", part), x.dtype), shape))
    return concat([ends[0], x, ends[1]], k)


def _pairs(values: Any, ndim: int) -> Any:
    """For each axis the value before and the one behind."""
    values = operand("pad", values)
    try:
        return broadcast_to(values, (ndim, 2))
    except ValueError:
        raise ValueError(f"pad: values of shape {values.shape} are no pair for each of {ndim} axes") from None


def _lengths(lengths: Any, ndim: int) -> list[list[int | None]]:
    if lengths is None:
        return [[None, None]] * ndim
    found = np.asarray(raw(lengths))
    if found.dtype not in INTEGER or (found < 0).any():
        raise ValueError(f"pad: stat_length is made of positive ints, not {lengths!r}")
    pairs: list[list[int | None]] = np.broadcast_to(found, (ndim, 2)).tolist()
    return pairs


def _constants(values: Any) -> Parts:
    return lambda x, k, pair: (values[k, 0], values[k, 1])


def _ramps(ends: Any) -> Parts:
    def parts(x: Any, k: int, pair: Pair) -> tuple[Any, Any]:
        lead = (slice(None),) * k
        before = FUNCTIONS["linspace"](ends[k, 0], x[(*lead, 0)], pair[0], False, dtype=x.dtype, axis=k)
        behind = FUNCTIONS["linspace"](ends[k, 1], x[(*lead, -1)], pair[1], False, dtype=x.dtype, axis=k)
        return before, behind[(*lead, slice(None, None, -1))]

    return parts


def _statistics(mode: str, lengths: list[list[int | None]]) -> Parts:
    function = FUNCTIONS[_STATISTICS[mode]]

    def parts(x: Any, k: int, pair: Pair) -> tuple[Any, Any]:
        n, lead = x.shape[k], (slice(None),) * k
        first, last = [n if m is None else min(m, n) for m in lengths[k]]
        if mode in ("maximum", "minimum") and not (first and last):
            raise ValueError("pad: stat_length of 0 leaves no value to pad with")
        found = [
            function(x[(*lead, chosen)], axis=k, keepdims=True) for chosen in (slice(0, first), slice(n - last, n))
        ]
        if x.dtype in EXACT:
            found = [FUNCTIONS["round"](y) for y in found]
        return found[0], found[1]

    return parts


def _repeated_ends(x: Any, k: int, pair: Pair) -> Any:
    return _joined(x, k, pair, x, x)


def _reflected(x: Any, k: int, pair: Pair, with_edge: bool) -> Any:
    """As often as it takes, a whole number of periods at a time."""
    period, edge, lead = x.shape[k], int(with_edge), (slice(None),) * k
    left, right = pair
    turned = slice(None, None, -1)
    while left or right:
        n = x.shape[k]
        most = n // period * period if with_edge else (n - 1) // (period - 1) * (period - 1)
        count = min(most, left)
        if count:
            part = x[(*lead, slice(1 - edge, 1 - edge + count))][(*lead, turned)]
            x = concat([astype(2 * x[(*lead, slice(0, 1))] - part, x.dtype, copy=False), x], k)
            left, n = left - count, n + count
        count = min(most, right)
        if count:
            part = x[(*lead, slice(n - 1 + edge - count, n - 1 + edge))][(*lead, turned)]
            x = concat([x, astype(2 * x[(*lead, slice(n - 1, n))] - part, x.dtype, copy=False)], k)
            right -= count
    return x
