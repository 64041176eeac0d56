"""Where elements are, and which there are: nonzero, searchsorted, isin and the unique elements."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Never

import numpy as np

from ..backend import wrap
from .arguments import refuse
from .errors import asked
from .operands import operand, raw
from .register import public
from .selection import take
from .shape import ravel

if TYPE_CHECKING:
    from ..backend import Tensor


class UniqueAllResult(NamedTuple):
    """What `unique_all` returns."""

    values: Tensor
    indices: Tensor
    inverse_indices: Tensor
    counts: Tensor


class UniqueCountsResult(NamedTuple):
    """What `unique_counts` returns."""

    values: Tensor
    counts: Tensor


class UniqueInverseResult(NamedTuple):
    """What `unique_inverse` returns."""

    values: Tensor
    inverse_indices: Tensor


@public("")
def nonzero(x: Any) -> tuple[Any, ...]:
    """Where x is not zero: for each axis the indices along it, in C order. int64, no gradient.

    Raises ValueError for a 0-d array.

    >>> [axis.tolist() for axis in zen.f.nonzero(zen.tensor([[1.0, 0.0], [0.0, 2.0]]))]
    [[0, 1], [0, 1]]
    """
    x = operand("nonzero", x)
    if not x.shape:
        raise ValueError("nonzero: a 0-d array has no axes to give indices for; take zen.f.atleast_1d of it")
    return tuple([wrap(where) for where in np.nonzero(raw(x))])


@public("")
def searchsorted(x1: Any, x2: Any, side: Literal["left", "right"] = "left", sorter: Any = None) -> Any:
    """Before which element of the sorted x1 each element of x2 belongs: int64 of the shape of x2, no gradient.

    x1: one-dimensional and sorted upwards, or sorted by the indices `sorter`. x2: of any shape. side: "left" puts equal
    elements after the ones of x2, "right" before them. Raises ValueError for another side or shape.

    >>> zen.f.searchsorted(zen.tensor([1.0, 2.0, 2.0, 3.0]), zen.tensor([2.0, 9.0])).tolist()
    [1, 4]
    """
    x1, x2 = operand("searchsorted", x1), operand("searchsorted", x2)
    if side not in ("left", "right"):
        raise ValueError(f'searchsorted: side must be "left" or "right", not {side!r}')
    if x1.ndim != 1:
        raise ValueError(f"searchsorted: x1 must have one dimension, not shape {x1.shape}")
    order = None if sorter is None else raw(operand("searchsorted", sorter))
    if order is not None and order.shape != x1.shape:
        raise ValueError(f"searchsorted: sorter of shape {order.shape} does not fit x1 of shape {x1.shape}")
    return wrap(np.asarray(asked("searchsorted", np.searchsorted, raw(x1), raw(x2), side, order)))


@public("", method=None)
def isin(
    x1: Any, x2: Any, assume_unique: bool = False, invert: bool = False, *, kind: Literal["sort", "table"] | None = None
) -> Any:
    """Whether each element of x1 is one of those of x2: bools of the shape of x1; the opposite if `invert`.

    nan is equal to nothing. assume_unique and kind are hints that NumPy takes.

    >>> zen.f.isin(zen.tensor([1, 2, 3]), zen.tensor([3, 1])).tolist()
    [True, False, True]
    """
    x1, x2 = raw(operand("isin", x1)), raw(operand("isin", x2))
    return wrap(np.asarray(np.isin(x1, x2, assume_unique, invert, kind=kind)))


@public("unique_all", method=None)
def unique_all(x: Any, **unknown: Never) -> UniqueAllResult:
    """The different elements of x, sorted; where each stands first; which is where in x; and how many there are.

    Returns a named tuple: values, with the gradient in the first of equal elements; indices in the flattened x;
    inverse_indices of the shape of x; counts. Each nan is an element of its own.

    >>> zen.f.unique_all(zen.tensor([2.0, 1.0, 2.0])).counts.tolist()
    [1, 2]
    """
    if unknown:
        refuse(unique_all, unknown)
    values, indices, inverse, counts = _unique("unique_all", x)
    return UniqueAllResult(values, wrap(indices), wrap(inverse), wrap(counts))


@public("unique_counts", method=None)
def unique_counts(x: Any, **unknown: Never) -> UniqueCountsResult:
    """The different elements of x, sorted, and how many there are of each, as `values` and `counts`. See `unique_all`.

    >>> zen.f.unique_counts(zen.tensor([2.0, 1.0, 2.0])).counts.tolist()
    [1, 2]
    """
    if unknown:
        refuse(unique_counts, unknown)
    values, _, _, counts = _unique("unique_counts", x)
    return UniqueCountsResult(values, wrap(counts))


@public("unique_inverse", method=None)
def unique_inverse(x: Any, **unknown: Never) -> UniqueInverseResult:
    """The different elements of x, sorted, and which of them is where in x, as `values` and `inverse_indices`.

    See `unique_all`.

    >>> zen.f.unique_inverse(zen.tensor([2.0, 1.0, 2.0])).inverse_indices.tolist()
    [1, 0, 1]
    """
    if unknown:
        refuse(unique_inverse, unknown)
    values, _, inverse, _ = _unique("unique_inverse", x)
    return UniqueInverseResult(values, wrap(inverse))


@public("unique_values", method=None)
def unique_values(x: Any, **unknown: Never) -> Any:
    """The different elements of x, sorted. See `unique_all`.

    >>> zen.f.unique_values(zen.tensor([2.0, 1.0, 2.0])).tolist()
    [1.0, 2.0]
    """
    if unknown:
        refuse(unique_values, unknown)
    return _unique("unique_values", x)[0]


def _unique(name: str, x: Any) -> tuple[Any, ...]:
    x = operand(name, x)
    _, indices, inverse, counts = np.unique(
        raw(x), return_index=True, return_inverse=True, return_counts=True, equal_nan=False
    )
    return take(ravel(x), indices), indices, inverse.reshape(x.shape), counts
