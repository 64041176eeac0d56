"""Axis and shape arguments, checked and brought to one form. Used by the public functions of the row families.

Rows get axes as tuples of non-negative ints (or None, meaning all); whatever else users may write ends here.
"""

from __future__ import annotations

import math
import operator
import sys
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    pass


def one_axis(operation: str, axis: Any, shape: tuple[int, ...], *, added: int = 0) -> int:
    """`axis` as an index from the front. `added` is the number of axes that the result has more than `shape`.

    Raises AxisError (a ValueError and an IndexError) naming operation, axis and shape.
    """
    ndim = len(shape) + added
    if type(axis) is int and -ndim <= axis < ndim:  # nearly every call
        return axis + ndim if axis < 0 else axis
    try:
        k = operator.index(axis)
    except TypeError:
        raise TypeError(f"{operation}: axis must be an int, not {axis!r}") from None
    if isinstance(axis, (bool, np.bool_)):
        raise TypeError(f"{operation}: axis must be an int, not {axis!r}")
    if not -ndim <= k < ndim:
        allowed = f"give one from {-ndim} to {ndim - 1}" if ndim else "a 0-d array has no axes"
        raise np.exceptions.AxisError(f"{operation}: axis {k} is out of range for shape {shape}; {allowed}")
    return k + ndim if k < 0 else k


def either(operation: str, own: str, value: Any, other: str, given: Any, default: Any = None) -> Any:
    """The argument that goes by two names, `given` under the `other`; TypeError where it is given under both."""
    if given is None:
        return value
    if value is not default and value != default:
        raise TypeError(f"{operation}: {own} and {other} are two names of one argument; give one of them")
    return given


def all_axes(operation: str, axes: Any, shape: tuple[int, ...], *, added: int = 0) -> tuple[int, ...]:
    """An int or a sequence of ints as a tuple of distinct axes from the front."""
    if not isinstance(axes, (tuple, list)):
        return (one_axis(operation, axes, shape, added=added),)
    ndim = len(shape) + added
    found = tuple([a if type(a) is int and 0 <= a < ndim else one_axis(operation, a, shape, added=added) for a in axes])
    if len(set(found)) != len(found):
        raise ValueError(f"{operation}: an axis is named twice in {tuple(axes)} for shape {shape}; name each one once")
    return found


def some_axes(operation: str, axes: Any, shape: tuple[int, ...]) -> tuple[int, ...] | None:
    """As `all_axes`; None stays None."""
    return None if axes is None else all_axes(operation, axes, shape)


def reduced_axes(operation: str, axes: Any, shape: tuple[int, ...]) -> tuple[int, ...] | None:
    """As `some_axes`, for reductions that take a 0-d array along axis 0 or -1 as well, as NumPy's ufuncs do."""
    if axes is None or (not shape and _first(axes)):
        return None
    return all_axes(operation, axes, shape)


def _first(axis: Any) -> bool:
    """Whether an axis names the one axis that NumPy and PyTorch let a 0-d array have."""
    return isinstance(axis, (int, np.integer)) and axis in (0, -1)


def one_shape(operation: str, shape: Any) -> tuple[int, ...]:
    """An int or a sequence of ints as a shape; -1 is left for the caller."""
    try:
        return tuple([operator.index(n) for n in shape]) if hasattr(shape, "__len__") else (operator.index(shape),)
    except TypeError:
        raise TypeError(f"{operation}: a shape is an int or a sequence of ints, not {shape!r}") from None


def common_shape(operation: str, *shapes: tuple[int, ...]) -> tuple[int, ...]:
    """The shape that arrays of these shapes broadcast to; ValueError naming all of them if there is none."""
    try:
        return np.broadcast_shapes(*shapes)
    except ValueError:
        text = " and ".join([str(s) for s in shapes])
        raise ValueError(f"{operation}: shapes {text} do not broadcast together") from None


def check_size(operation: str, shape: tuple[int, ...]) -> None:
    """ValueError for a result that no memory could hold, before NumPy counts past the largest integer."""
    if math.prod(shape) > sys.maxsize // 16:
        raise ValueError(f"{operation}: the result would have shape {shape}, more elements than can be addressed")


def kept_shape(shape: tuple[int, ...], axes: tuple[int, ...] | None) -> tuple[int, ...]:
    """The shape that reducing `axes` with keepdims leaves."""
    if axes is None:
        return (1,) * len(shape)
    return tuple([1 if k in axes else n for k, n in enumerate(shape)])


def reduced_shape(shape: tuple[int, ...], axes: tuple[int, ...] | None, keepdims: bool) -> tuple[int, ...]:
    """The shape of a reduction over `axes`."""
    if keepdims:
        return kept_shape(shape, axes)
    return () if axes is None else tuple([n for k, n in enumerate(shape) if k not in axes])


def count(shape: tuple[int, ...], axes: tuple[int, ...] | None) -> int:
    """How many elements a reduction over `axes` takes together."""
    if axes is None:
        return math.prod(shape)
    n = 1
    for k, length in enumerate(shape):
        if k in axes:
            n *= length
    return n


def kept(f: Any, g: Any, shape: tuple[int, ...], axes: tuple[int, ...] | None, keepdims: bool) -> Any:
    """`g`, which has the shape of a reduction of `shape`, with the reduced axes kept at length 1."""
    return g if keepdims or not shape else f.reshape(g, kept_shape(shape, axes))


def spread(f: Any, g: Any, shape: tuple[int, ...], axes: tuple[int, ...] | None, keepdims: bool) -> Any:
    """`g`, which has the shape of a reduction of `shape`, repeated along the reduced axes."""
    if axes is None and not keepdims:
        return g if type(g) is np.ndarray else f.broadcast_to(g, shape)  # the value of an array the engine repeats
    return f.broadcast_to(kept(f, g, shape, axes, keepdims), shape)
