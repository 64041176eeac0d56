"""Functions that select elements: take, diagonals and triangles, sorting. Their gradients are those of indexing."""

from __future__ import annotations

from typing import Any, Never

import numpy as np

from ..backend import apply, wrap
from .arguments import refuse
from .axes import one_axis
from .indexing import GETITEM, along_axis, plain_key
from .pointwise import where
from .reduction import sum
from .register import dispatch, operand, public, raw
from .shape import along, moveaxis, owned, ravel


@public("take")
def take(x: Any, indices: Any, axis: int | None = None, **unknown: Never) -> Any:
    """The elements of x at `indices` along `axis`; None takes from the flattened array.

    indices: int, or array or Tensor of ints; negative ones count from the end. The result has their shape in place of
    the axis. Raises IndexError for an index out of range, AxisError for an axis out of range.

    >>> zen.f.take(zen.tensor([1.0, 2.0, 3.0]), [2, 0]).tolist()
    [3.0, 1.0]
    """
    if unknown:
        refuse(take, unknown)
    x = operand("take", x)
    x, k = along("take", x, axis)
    lead = (slice(None),) * k
    positions = _ints("take", indices)
    try:
        taken = apply(GETITEM, (x,), (lead + plain_key(positions),))
    except IndexError as error:
        _, _, reason = str(error).rpartition(": ")
        raise IndexError(f"take: {reason} (shape {x.shape})") from None
    return owned(taken, x) if type(positions) is int else taken


@public("take_along_axis")
def take_along_axis(x: Any, indices: Any, axis: int | None = -1, **unknown: Never) -> Any:
    """For each position, the element of x at `indices` along `axis`: `out[i, j] = x[i, indices[i, j]]`.

    indices: array or Tensor of ints with as many dimensions as x, whose other axes broadcast with those of x. Raises
    IndexError for an index out of range, ValueError for shapes that do not fit, AxisError for an axis out of range.

    >>> zen.f.take_along_axis(zen.tensor([[1.0, 2.0], [3.0, 4.0]]), [[1], [0]], axis=1).tolist()
    [[2.0], [3.0]]
    """
    if unknown:
        refuse(take_along_axis, unknown)
    x, indices = operand("take_along_axis", x), np.asarray(_ints("take_along_axis", indices))
    if axis is None:
        x, axis = ravel(x), 0
    k = one_axis("take_along_axis", axis, x.shape)
    lengths = enumerate(zip(indices.shape, x.shape, strict=False))
    if indices.ndim != x.ndim or not all([j == k or n == m or 1 in (n, m) for j, (n, m) in lengths]):
        raise ValueError(f"take_along_axis: indices of shape {indices.shape} do not fit shape {x.shape} with axis {k}")
    return apply(GETITEM, (x,), (along_axis(x.shape, indices, k),))


def _ints(operation: str, indices: Any) -> Any:
    found = raw(operand(operation, indices))
    if found.dtype.kind not in "iu" and found.size:
        raise IndexError(f"{operation}: indices must be ints, not dtype {found.dtype}")
    return found.astype(np.intp) if found.ndim or found.dtype.kind == "f" else int(found)


@public("diagonal")
def diagonal(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1, **unknown: Never) -> Any:
    """The diagonals of the matrices in axes `axis1` and `axis2`, as a new last axis; a copy.

    offset: above (positive) or below the main diagonal. Raises ValueError for less than two dimensions or equal axes,
    AxisError for an axis out of range.

    >>> zen.f.diagonal(zen.tensor([[1.0, 2.0], [3.0, 4.0]])).tolist()
    [1.0, 4.0]
    """
    if unknown:
        refuse(diagonal, unknown)
    return _diagonal("diagonal", x, offset, axis1, axis2)


@public("trace")
def trace(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1, **unknown: Never) -> Any:
    """The sums of the diagonals. Arguments and errors as in `diagonal`.

    >>> zen.f.trace(zen.tensor([[1.0, 2.0], [3.0, 4.0]])).tolist()
    5.0
    """
    if unknown:
        refuse(trace, unknown)
    return sum(_diagonal("trace", x, offset, axis1, axis2), -1)


def matrix_diagonal(x: Any, *, offset: int = 0) -> Any:
    """`zen.linalg.diagonal`: the diagonals of the matrices in the last two axes. See `zen.f.diagonal`."""
    return _diagonal("diagonal", x, offset, -2, -1)


def matrix_trace(x: Any, *, offset: int = 0) -> Any:
    """`zen.linalg.trace`: the traces of the matrices in the last two axes. See `zen.f.trace`."""
    return sum(_diagonal("trace", x, offset, -2, -1), -1)


dispatch("linalg.diagonal", matrix_diagonal)
dispatch("linalg.trace", matrix_trace)


def _diagonal(name: str, x: Any, offset: int, axis1: int, axis2: int) -> Any:
    x = operand(name, x)
    if x.ndim < 2:
        raise ValueError(f"{name}: at least two dimensions are needed, not shape {x.shape}")
    a, b = one_axis(name, axis1, x.shape), one_axis(name, axis2, x.shape)
    if a == b:
        raise ValueError(f"{name}: axis1 and axis2 are both {a} for shape {x.shape}; give two different axes")
    n = max(0, min(x.shape[a] + min(offset, 0), x.shape[b] - max(offset, 0)))
    steps = np.arange(n)
    key = (Ellipsis, steps - min(offset, 0), steps + max(offset, 0))
    return apply(GETITEM, (moveaxis(x, (a, b), (-2, -1)),), (key,))


def _triangle(name: str, x: Any, k: int) -> Any:
    x = operand(name, x)
    if x.ndim < 2:
        raise ValueError(f"{name}: at least two dimensions are needed, not shape {x.shape}")
    rows, columns = x.shape[-2:]
    mask = np.tri(rows, columns, k if name == "tril" else k - 1, dtype=bool)
    return where(mask if name == "tril" else ~mask, x, False if x.dtype.kind == "b" else 0)


@public("tril")
def tril(x: Any, k: int = 0) -> Any:
    """The matrices in the last two axes with zeros above the k-th diagonal.

    Raises ValueError for less than two dimensions.

    >>> zen.f.tril(zen.tensor([[1.0, 2.0], [3.0, 4.0]])).tolist()
    [[1.0, 0.0], [3.0, 4.0]]
    """
    return _triangle("tril", x, k)


@public("triu")
def triu(x: Any, k: int = 0) -> Any:
    """The matrices in the last two axes with zeros below the k-th diagonal.

    Raises ValueError for less than two dimensions.

    >>> zen.f.triu(zen.tensor([[1.0, 2.0], [3.0, 4.0]])).tolist()
    [[1.0, 2.0], [0.0, 4.0]]
    """
    return _triangle("triu", x, k)


@public("argsort")
def argsort(x: Any, axis: int | None = -1, *, descending: bool = False, **unknown: Never) -> Any:
    """The indices that sort x along `axis` (flattened if None); equal elements keep their order. int64, no gradient.

    Raises AxisError for an axis out of range.

    >>> zen.f.argsort(zen.tensor([3.0, 1.0, 2.0])).tolist()
    [1, 2, 0]
    """
    if unknown:
        refuse(argsort, unknown)
    x = operand("argsort", x)
    x, k = along("argsort", x, axis)
    return wrap(_order(raw(x), k, descending))


@public("sort", method="sort")
def sort(x: Any, axis: int | None = -1, *, descending: bool = False, **unknown: Never) -> Any:
    """x sorted along `axis` (flattened if None), as a new Tensor. Raises AxisError for an axis out of range.

    >>> zen.f.sort(zen.tensor([3.0, 1.0, 2.0])).tolist()
    [1.0, 2.0, 3.0]
    """
    if unknown:
        refuse(sort, unknown)
    x = operand("sort", x)
    if axis is None:
        x, axis = ravel(x), 0
    k = one_axis("sort", axis, x.shape)
    return apply(GETITEM, (x,), (along_axis(x.shape, _order(raw(x), k, descending), k),))


def _order(array: np.ndarray, axis: int, descending: bool) -> np.ndarray:
    if not descending:
        return np.argsort(array, axis=axis, kind="stable")
    n = array.shape[axis]
    return np.flip(n - 1 - np.argsort(np.flip(array, axis), axis=axis, kind="stable"), axis)
