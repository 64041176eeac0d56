"""Elements put in, taken out and picked again, under NumPy's names.

Where each element of the result comes from is asked of NumPy, which is given the numbers of the elements in their
place; so its rules for positions hold to the letter.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Never

import numpy as np

from ..backend import apply
from ..dtypes import COMPLEX, int8, int16, uint8, uint16
from .arguments import refuse
from .axes import all_axes, one_axis, one_shape
from .casting import astype
from .data import asarray
from .errors import asked, reworded
from .indexing import GETITEM
from .joining import concat
from .operands import constant, operand, raw
from .register import public
from .selection import TAKE_ALONG, Places
from .shape import along, ravel


def picked(name: str, x: Any, choose: Callable[[np.ndarray], Any]) -> Any:
    """The elements of x whose numbers `choose` returns of an array of the numbers of all."""
    return taken(x, asked(name, choose, np.arange(x.size).reshape(x.shape)))


def taken(x: Any, numbers: np.ndarray) -> Any:
    """The elements of the flattened x with these numbers."""
    return apply(GETITEM, (ravel(x),), ((np.asarray(numbers, np.intp),),))


def joined(*arrays: Any) -> tuple[Any, list[np.ndarray]]:
    """All elements in one line, and their numbers there in the shapes of the arrays."""
    numbers, first = [], 0
    for x in arrays:
        numbers.append(np.arange(first, first + x.size).reshape(x.shape))
        first += x.size
    return concat([ravel(x) for x in arrays]), numbers


@public("append", method=None)
def append(x: Any, values: Any, axis: int | None = None, **unknown: Never) -> Any:
    """x with `values` behind it along `axis`; None joins both flattened. dtypes promote.

    Raises ValueError for shapes that disagree, AxisError for an axis out of range.

    >>> zen.f.append(zen.tensor([1.0, 2.0]), 3.0).tolist()
    [1.0, 2.0, 3.0]
    """
    if unknown:
        refuse(append, unknown)
    pair = [asarray(operand("append", v)) for v in (x, values)]
    try:
        return concat([ravel(v) for v in pair] if axis is None else pair, 0 if axis is None else axis)
    except (TypeError, ValueError) as error:
        raise reworded(error, str(error).replace("concat", "append", 1)) from None


@public("insert", method=None)
def insert(x: Any, obj: Any, values: Any, axis: int | None = None, **unknown: Never) -> Any:
    """x with `values` put in before the positions `obj` along `axis`; None takes the flattened array.

    obj: an int, a slice, or several ints or bools. values: they broadcast, and take the dtype of x. The derivatives are
    those of the elements in their new places. Raises IndexError for positions out of range, ValueError for values that
    do not fit, AxisError for an axis out of range.

    >>> zen.f.insert(zen.tensor([1.0, 2.0, 3.0]), 1, 9.0).tolist()
    [1.0, 9.0, 2.0, 3.0]
    """
    if unknown:
        refuse(insert, unknown)
    x, values = asarray(operand("insert", x)), asarray(operand("insert", values))
    axis = None if axis is None else one_axis("insert", axis, x.shape)
    whole, (own, new) = joined(x, astype(values, x.dtype, copy=False))
    return taken(whole, asked("insert", np.insert, own, constant("insert", "obj", obj), new, axis))


@public("delete", method=None)
def delete(x: Any, obj: Any, axis: int | None = None, **unknown: Never) -> Any:
    """x without the positions `obj` along `axis`; None takes the flattened array.

    obj: an int, a slice, or several ints or bools. Raises IndexError for positions out of range, AxisError for an axis
    out of range.

    >>> zen.f.delete(zen.tensor([1.0, 2.0, 3.0]), 1).tolist()
    [1.0, 3.0]
    """
    if unknown:
        refuse(delete, unknown)
    x, obj = asarray(operand("delete", x)), constant("delete", "obj", obj)
    axis = None if axis is None else one_axis("delete", axis, x.shape)
    return picked("delete", x, lambda numbers: np.delete(numbers, obj, axis))


@public("resize", method=None)
def resize(x: Any, new_shape: Any) -> Any:
    """The elements of x in another shape, from the first one on again where there are too few; zeros if x is empty.

    Raises ValueError for a negative length.

    >>> zen.f.resize(zen.tensor([1.0, 2.0, 3.0]), (2, 2)).tolist()
    [[1.0, 2.0], [3.0, 1.0]]
    """
    x, shape = asarray(operand("resize", x)), one_shape("resize", new_shape)
    if any([n < 0 for n in shape]):
        raise ValueError(f"resize: shape {shape} has a negative length")
    if x.size == 0:
        return asarray(np.zeros(shape, x.dtype))
    return taken(x, (np.arange(math.prod(shape)) % x.size).reshape(shape))


@public("trim_zeros", method=None)
def trim_zeros(x: Any, trim: str = "fb", axis: Any = None, **unknown: Never) -> Any:
    """x without the zeros at its ends; a view.

    trim: "f" for those in front, "b" for those at the back, "fb" for both. axis: an int or several; None for all. Of
    zeros alone nothing is left. Raises ValueError for another trim, AxisError for an axis out of range.

    >>> zen.f.trim_zeros(zen.tensor([0.0, 1.0, 0.0, 2.0, 0.0])).tolist()
    [1.0, 0.0, 2.0]
    """
    if unknown:
        refuse(trim_zeros, unknown)
    x, ends = asarray(operand("trim_zeros", x)), trim.lower()
    if ends not in ("f", "b", "fb", "bf"):
        raise ValueError(f"trim_zeros: trim must be 'f', 'b' or 'fb', not {trim!r}")
    axes = tuple(range(x.ndim)) if axis is None else all_axes("trim_zeros", axis, x.shape)
    found = np.argwhere(raw(x))
    key: list[slice] = [slice(None)] * x.ndim
    for k in axes:
        if not len(found):
            key[k] = slice(0, 0)
            continue
        first, last = int(found[:, k].min()), int(found[:, k].max()) + 1
        key[k] = slice(first if "f" in ends else None, last if "b" in ends else None)
    return x[tuple(key)] if axes else x


# --- orders


@public("partition", method=None)
def partition(x: Any, kth: Any, axis: int | None = -1, **unknown: Never) -> Any:
    """x with the elements in the places `kth` along `axis` as if sorted.

    None before them is larger, none behind them smaller. kth: an int or several. axis: None takes the flattened array.
    Raises ValueError for a place out of range, AxisError for an axis out of range.

    >>> zen.f.partition(zen.tensor([3.0, 1.0, 2.0]), 1)[1].item()
    2.0
    """
    if unknown:
        refuse(partition, unknown)
    x, k = along("partition", asarray(operand("partition", x)), axis)
    order = asked("partition", np.argpartition, raw(x), constant("partition", "kth", kth), k)
    return apply(TAKE_ALONG, (x,), (Places(np.ascontiguousarray(order, np.int64)), k))


@public("sort_complex", method=None)
def sort_complex(x: Any) -> Any:
    """x sorted along its last axis, by real parts and then by imaginary ones, as complex numbers.

    >>> zen.f.sort_complex(zen.tensor([2.0, 1.0])).tolist()
    [(1+0j), (2+0j)]
    """
    x = asarray(operand("sort_complex", x))
    if not x.ndim:
        raise np.exceptions.AxisError("sort_complex: a 0-d array has no axis to sort along")
    order = np.argsort(raw(x), -1, kind="stable")
    found = apply(TAKE_ALONG, (x,), (Places(np.ascontiguousarray(order, np.int64)), x.ndim - 1))
    if x.dtype in COMPLEX:
        return found
    return astype(found, np.complex64 if x.dtype in (int8, int16, uint8, uint16) else np.complex128)
