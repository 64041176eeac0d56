"""Unique elements, and sets of them, under NumPy's names.

Of equal elements the first one is taken, and has the gradient; where it stands does not change with the elements but
for jumps. Indices and counts have no derivative.
"""

from __future__ import annotations

from typing import Any, Never

import numpy as np

from ..backend import Tensor
from .arguments import refuse
from .axes import one_axis
from .casting import astype
from .data import asarray
from .editing import joined, taken
from .errors import asked
from .operands import operand, raw
from .register import public
from .selection import take
from .shape import ravel


def _first(name: str, values: np.ndarray, equal_nan: bool = True) -> np.ndarray:
    """Where each of the unique elements stands first, in their order."""
    found: np.ndarray = asked(name, lambda: np.unique(values, return_index=True, equal_nan=equal_nan))[1]
    return found


@public("unique", method=None)
def unique(
    x: Any,
    return_index: bool = False,
    return_inverse: bool = False,
    return_counts: bool = False,
    axis: int | None = None,
    *,
    equal_nan: bool = True,
    sorted: bool = True,
    **unknown: Never,
) -> Tensor | tuple[Tensor, ...]:
    """The different elements of x, sorted, or along `axis` the different parts of it.

    return_index: also where each stands first; return_inverse: which of them each element is; return_counts: how often
    each occurs; a tuple then, in this order. equal_nan: whether all nans are one. The gradient of each goes to the
    element that stands first. Raises AxisError for an axis out of range.

    >>> zen.f.unique(zen.tensor([3.0, 1.0, 3.0])).tolist()
    [1.0, 3.0]
    """
    if unknown:
        refuse(unique, unknown)
    x = asarray(operand("unique", x))
    k = None if axis is None else one_axis("unique", axis, x.shape)
    options: Any = {"return_inverse": return_inverse, "return_counts": return_counts, "axis": k, "equal_nan": equal_nan}
    found = asked("unique", lambda: np.unique(raw(x), return_index=True, **options))
    values = taken(x, found[1]) if k is None or x.ndim == 1 else take(x, found[1], k)
    rest = [asarray(part) for part in (found[1:] if return_index else found[2:])]
    return (values, *rest) if rest else values


# --- sets


def _pair(name: str, *arrays: Any) -> list[Any]:
    return [ravel(asarray(operand(name, x))) for x in arrays]


@public("union1d", method=None)
def union1d(x1: Any, x2: Any) -> Any:
    """The different elements of both arrays, sorted. The gradient as in `unique`.

    >>> zen.f.union1d(zen.tensor([2.0, 1.0]), [3.0, 2.0]).tolist()
    [1.0, 2.0, 3.0]
    """
    whole, _ = joined(*_pair("union1d", x1, x2))
    return taken(whole, _first("union1d", raw(whole)))


@public("intersect1d", method=None)
def intersect1d(
    x1: Any, x2: Any, assume_unique: bool = False, return_indices: bool = False
) -> Tensor | tuple[Tensor, ...]:
    """The different elements that are in both arrays, sorted. The gradient goes to where each stands first in x1.

    assume_unique: no element occurs twice in one array. return_indices: also where each stands first in x1 and in x2.

    >>> zen.f.intersect1d(zen.tensor([3.0, 1.0, 2.0]), [2.0, 3.0, 4.0]).tolist()
    [2.0, 3.0]
    """
    a, b = _pair("intersect1d", x1, x2)
    _, first, second = np.intersect1d(raw(a), raw(b), assume_unique, True)
    values = astype(taken(a, first), np.result_type(a.dtype, b.dtype), copy=False)
    return (values, asarray(first), asarray(second)) if return_indices else values


@public("setdiff1d", method=None)
def setdiff1d(x1: Any, x2: Any, assume_unique: bool = False) -> Any:
    """The different elements of x1 that are not in x2, sorted. The gradient as in `unique`.

    assume_unique: no element occurs twice in one array; the order is then that of x1.

    >>> zen.f.setdiff1d(zen.tensor([3.0, 1.0, 2.0]), [2.0]).tolist()
    [1.0, 3.0]
    """
    a, b = _pair("setdiff1d", x1, x2)
    first = np.arange(a.size) if assume_unique else _first("setdiff1d", raw(a))
    return taken(a, first[np.isin(raw(a)[first], raw(b), invert=True)])


@public("setxor1d", method=None)
def setxor1d(x1: Any, x2: Any, assume_unique: bool = False) -> Any:
    """The different elements that are in one of the arrays alone, sorted. The gradient as in `unique`.

    assume_unique: no element occurs twice in one array.

    >>> zen.f.setxor1d(zen.tensor([3.0, 1.0, 2.0]), [2.0, 4.0]).tolist()
    [1.0, 3.0, 4.0]
    """
    pair = _pair("setxor1d", x1, x2)
    if not assume_unique:
        pair = [taken(x, _first("setxor1d", raw(x))) for x in pair]
    whole, _ = joined(*pair)
    order = np.argsort(raw(whole), kind="stable")
    values = raw(whole)[order]
    apart = np.concatenate(([True], values[1:] != values[:-1], [True])) if len(values) else np.zeros(1, bool)
    return taken(whole, order[apart[1:] & apart[:-1]])
