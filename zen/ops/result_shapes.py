"""Shapes and dtypes of results from those of the arguments, without computing: the facet `shape` of rows.

Arguments are what has a `shape` and a `dtype` (arrays, Tensors, `Shaped`), or None; results are `Shaped`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..backend import Shaped
from .row import Row


def same(x: Any, *rest: Any) -> Shaped:
    """The shape and dtype of the first argument."""
    return Shaped(tuple(x.shape), x.dtype)


def reduced(x: Any, axis: tuple[int, ...] | None, keepdims: bool) -> tuple[int, ...]:
    """The shape without the axes, all if None, or with 1 in their place."""
    axes = range(len(x.shape)) if axis is None else axis
    return tuple([1 if k in axes else n for k, n in enumerate(x.shape) if keepdims or k not in axes])


def multiplied(a: tuple[int, ...], b: tuple[int, ...]) -> tuple[int, ...]:
    """The shape of a matrix product, of which vectors are matrices whose added axis is taken out again."""
    left, right = a if len(a) > 1 else (1, *a), b if len(b) > 1 else (*b, 1)
    lead = np.broadcast_shapes(left[:-2], right[:-2])
    return (*lead, *(left[-2:-1] if len(a) > 1 else ()), *(right[-1:] if len(b) > 1 else ()))


def results(row: Row, forward: Any, args: tuple[Any, ...], params: tuple[Any, ...]) -> tuple[Shaped, ...] | None:
    """What the row's results would have; None for a row that does not say.

    forward: the function that computes the row, which tells the dtype of an elementwise one.
    """
    if row.shape is not None:
        made = row.shape(*args, *params)
        return made if row.several else (made,)
    if not row.elementwise:
        return None
    empty = [np.empty(0, x.dtype) for x in args]
    with np.errstate(all="ignore"):
        dtype = np.asarray(forward(*empty)).dtype
    return (Shaped(np.broadcast_shapes(*[x.shape for x in args]), dtype),)
