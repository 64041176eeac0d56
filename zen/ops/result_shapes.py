"""Shapes and dtypes of results from those of the arguments, without computing: the facet `shape` of rows.

Arguments are what has a `shape` and a `dtype` (arrays, Tensors, `Shaped`), or None; results are `Shaped`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..backend import Shaped
from ..dtypes import floating
from .row import Row


def same(x: Any, *rest: Any) -> Shaped:
    """The shape and dtype of the first argument."""
    return Shaped(tuple(x.shape), x.dtype)


def promoted(*xs: Any) -> np.dtype:
    """The dtype that the arguments have in common."""
    found: np.dtype = np.result_type(*[x.dtype for x in xs])
    return found


def reduced(x: Any, axis: int | tuple[int, ...] | None, keepdims: bool) -> tuple[int, ...]:
    """The shape without the axes, all if None, or with 1 in their place."""
    axes: Any = range(len(x.shape)) if axis is None else (axis,) if isinstance(axis, int) else axis
    return tuple([1 if k in axes else n for k, n in enumerate(x.shape) if keepdims or k not in axes])


def reduced_floating(x: Any, axis: tuple[int, ...] | None, keepdims: bool, *rest: Any) -> Shaped:
    """A mean and its like."""
    return Shaped(reduced(x, axis, keepdims), floating(x.dtype))


def accumulated(ufunc: Any) -> Any:
    """The rule of a running sum or product: the dtype in which NumPy takes it."""
    return lambda x, axis: Shaped(x.shape, ufunc.accumulate(np.empty(0, x.dtype)).dtype)


def indexed(x: Any, key: Any) -> Shaped:
    """x[key]."""
    return Shaped(np.broadcast_to(np.zeros((), bool), x.shape)[key].shape, x.dtype)


def multiplied(a: tuple[int, ...], b: tuple[int, ...]) -> tuple[int, ...]:
    """The shape of a matrix product, of which vectors are matrices whose added axis is taken out again."""
    left, right = a if len(a) > 1 else (1, *a), b if len(b) > 1 else (*b, 1)
    lead = np.broadcast_shapes(left[:-2], right[:-2])
    return (*lead, *(left[-2:-1] if len(a) > 1 else ()), *(right[-1:] if len(b) > 1 else ()))


def results(row: Row, forward: Any, args: tuple[Any, ...], params: tuple[Any, ...]) -> tuple[Shaped, ...]:
    """What the row's results would have.

    forward: the function that computes the row, which tells the dtype of an elementwise one.
    """
    if row.shape is not None:
        made = row.shape(*args, *params)
        return made if row.several else (made,)
    empty = [np.empty(0, x.dtype) for x in args]
    with np.errstate(all="ignore"):
        dtype = np.asarray(forward(*empty)).dtype
    return (Shaped(np.broadcast_shapes(*[x.shape for x in args]), dtype),)
