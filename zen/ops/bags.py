"""Sums, means and maxima of rows of a table, in bags of any lengths: embedding_bag."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..backend import apply
from ..dtypes import INTEGER
from .indexing import GETITEM
from .layers import SCATTER_ROWS, embedding
from .operands import constant, operand, raw, whole
from .register import public
from .shape import reshape

Array = np.ndarray


@public("", None)
def embedding_bag(
    input: Any, weight: Any, offsets: Any = None, max_norm: float | None = None, norm_type: float = 2,
    scale_grad_by_freq: bool = False, mode: str = "mean", sparse: bool = False, per_sample_weights: Any = None,
    include_last_offset: bool = False, padding_idx: int | None = None,
) -> Any:  # fmt: skip
    """The sum, mean or maximum of rows of a table, for each bag of indices: (bags, width). An empty bag gives zeros.

    input (indices): ints of shape (bags, length); or all one after the other, with offsets: where each bag begins, the
    first at 0. weight: Tensor or array of shape (rows, width). mode: "sum", "mean" or "max"; of equal ones the first
    gets the gradient. per_sample_weights: a factor for each index, for "sum" alone. include_last_offset: offsets ends
    with the number of indices. padding_idx: indices that count for nothing. max_norm, norm_type, scale_grad_by_freq,
    sparse and errors: as in `embedding`; ValueError as well for offsets and weights that do not fit.

    >>> table = zen.tensor([[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]])
    >>> zen.f.embedding_bag([0, 2, 1], table, [0, 2], mode="sum").tolist()
    [[4.0, 6.0], [2.0, 3.0]]
    """
    name = "embedding_bag"
    if mode not in ("sum", "mean", "max"):
        raise ValueError(f'{name}: mode must be "sum", "mean" or "max", not {mode!r}')
    indices, table = np.asarray(raw(operand(name, input))), operand(name, weight)
    if indices.dtype not in INTEGER and indices.size:
        raise ValueError(f"{name}: indices are ints, not {indices.dtype}")
    bags, count = _bags(name, indices, offsets, include_last_offset)
    factors = None
    if per_sample_weights is not None:
        factors = operand(name, per_sample_weights)
        if mode != "sum":
            raise ValueError(f'{name}: per_sample_weights belong to mode="sum", not {mode!r}')
        if factors.shape != indices.shape:
            raise ValueError(f"{name}: per_sample_weights of shape {factors.shape} for indices of {indices.shape}")
        factors = reshape(factors, (factors.size,))
    flat = indices.reshape(-1).astype(np.intp)
    if padding_idx is not None:
        rows = (table.shape or (0,))[0]
        k = whole(name, "padding_idx", padding_idx)
        if not -rows <= k < rows:
            raise IndexError(f"{name}: padding_idx {k} is out of range for a weight of shape {table.shape}")
        kept = np.flatnonzero(flat != k % rows)
        flat, bags = flat[kept], bags[kept]
        factors = None if factors is None else apply(GETITEM, (factors,), ((kept,),))
    max_norm, norm_type = [
        constant("embedding_bag", key, value) for key, value in (("max_norm", max_norm), ("norm_type", norm_type))
    ]
    found = embedding(flat, table, None, max_norm, norm_type, scale_grad_by_freq, sparse)
    if mode == "max":
        return _largest(found, bags, count)
    if factors is not None:
        found = found * reshape(factors, (factors.size, 1))
    sums = apply(SCATTER_ROWS, (found, bags), (count, None))
    if mode == "sum":
        return sums
    return sums / np.maximum(np.bincount(bags, minlength=count), 1).astype(sums.dtype)[:, None]


def _bags(name: str, indices: Array, offsets: Any, last: bool) -> tuple[Array, int]:
    """(the bag of each index, how many bags there are)."""
    if indices.ndim == 2:
        if offsets is not None:
            raise ValueError(f"{name}: indices of shape {indices.shape} are bags already; leave offsets out")
        return np.repeat(np.arange(len(indices)), indices.shape[1]), len(indices)
    if indices.ndim != 1 or offsets is None:
        raise ValueError(
            f"{name}: indices of shape {indices.shape}; expected (bags, length), or (indices,) and offsets"
        )
    starts = np.asarray(raw(operand(name, offsets)))
    fits = starts.ndim == 1 and (starts.dtype in INTEGER or not starts.size)
    if not fits or (len(starts) and starts[0] != 0) or (last and not len(starts)):
        raise ValueError(f"{name}: offsets {starts.tolist()}; expected ints along one axis, the first of them 0")
    starts = starts.astype(np.intp)
    if (np.diff(starts) < 0).any() or (len(starts) and starts[-1] > len(indices)):
        raise ValueError(f"{name}: offsets {starts.tolist()} do not rise from 0 to the {len(indices)} indices")
    if last:
        if starts[-1] != len(indices):
            raise ValueError(f"{name}: the last offset is {starts[-1]}, but there are {len(indices)} indices")
        starts = starts[:-1]
    if not len(starts) and len(indices):
        raise ValueError(f"{name}: {len(indices)} indices, but no bag; offsets begin with 0")
    return np.searchsorted(starts, np.arange(len(indices)), side="right") - 1, len(starts)


def _largest(found: Any, bags: Array, count: int) -> Any:
    """The largest of each bag and column; nan counts as largest."""
    values = raw(found)
    starts = np.flatnonzero(np.diff(bags, prepend=-1))
    if not len(starts):
        return apply(SCATTER_ROWS, (found, bags), (count, None))
    most = np.maximum.reduceat(values, starts, axis=0)
    group = np.repeat(np.arange(len(starts)), np.diff(starts, append=len(bags)))
    is_most = (values == most[group]) | np.isnan(values)
    places = np.where(is_most, np.arange(len(bags))[:, None], len(bags))
    first = np.minimum.reduceat(places, starts, axis=0)
    chosen = apply(GETITEM, (found,), ((first, np.arange(values.shape[1])),))
    return apply(SCATTER_ROWS, (chosen, bags[starts]), (count, None))
