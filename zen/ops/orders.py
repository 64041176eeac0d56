"""NumPy's `order=`: the order in which the elements of an array are read and placed, as rows of reshaping and moving.

"C" is that of rows, "F" that of columns, "A" is F for what lies in memory so and C otherwise, "K" that of memory.
"""

from __future__ import annotations

from typing import Any

from ..backend import apply
from ..batched import Batched
from .operands import raw
from .register import ROWS


def letter(operation: str, order: Any, allowed: str) -> str:
    """`order` as a capital letter, C for None; ValueError for one that the operation does not take."""
    found = "C" if order is None else order
    if not isinstance(found, str) or len(found) != 1 or found.upper() not in allowed:
        raise ValueError(f"{operation}: order must be one of {', '.join(allowed)}, not {order!r}")
    return found.upper()


def in_columns(x: Any, order: str) -> bool:
    """Whether `order` reads x by columns."""
    if order == "C":
        return False
    flags = raw(x).flags
    return order == "F" or (order == "A" and flags.f_contiguous and not flags.c_contiguous)


def reshaped(x: Any, shape: tuple[int, ...]) -> Any:
    """x, read by columns, in a shape that is filled by columns."""
    return _reversed(apply(ROWS["reshape"], (_reversed(x),), (shape[::-1],)))


def as_in_memory(x: Any, order: str) -> Any:
    """x with its axes in such an order that reading its rows reads it in the given order."""
    if in_columns(x, order):
        return _reversed(x)
    if order != "K" or raw(x).flags.c_contiguous:
        return x
    strides = [abs(s) for s in raw(x).strides]
    return _permuted(x, tuple(sorted(range(x.ndim), key=lambda k: -strides[k])))


def laid_out(x: Any, order: Any) -> Any:
    """x, or a copy of it if it does not lie in memory in the order C or F."""
    if order not in ("C", "F") or type(x) is Batched or raw(x).flags[f"{order}_CONTIGUOUS"]:
        return x
    return apply(ROWS["copy"], (x,), (order,))


def _reversed(x: Any) -> Any:
    return _permuted(x, tuple(range(x.ndim))[::-1])


def _permuted(x: Any, axes: tuple[int, ...]) -> Any:
    return apply(ROWS["permute_dims"], (x,), (axes,)) if len(axes) > 1 else x
