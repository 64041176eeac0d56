"""For each element of an array the set of variables that it depends on, and what operations make of such sets.

Elements share one set where they can: `labels` has the shape of the array and says which, and the sets are the rows of
a sparse matrix of bools. Set 0 is the empty one. Whatever moves elements moves labels, and whatever computes
unites sets. Called by `dependence.py`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np

_LARGE = 1 << 12
"""Members from which SciPy unites rows faster than a sort does: below, most of its time goes into making matrices."""


class Matrix:
    """Compressed rows, of bools: the members of each in order. SciPy's class takes 100 us to make."""

    __slots__ = ("indices", "indptr", "shape")

    def __init__(self, indptr: np.ndarray, indices: np.ndarray, shape: tuple[int, int]) -> None:
        self.indptr, self.indices, self.shape = indptr, indices, shape

    def to_scipy(self) -> Any:
        from scipy.sparse import csr_array

        return csr_array((np.ones(self.indices.size, bool), self.indices, self.indptr), shape=self.shape)

    def row_of_each(self) -> np.ndarray:
        """The row of each member."""
        return np.repeat(np.arange(self.shape[0]), np.diff(self.indptr))


class Sets:
    """labels: ints of any shape. matrix: (sets, variables), the first row empty."""

    def __init__(self, labels: np.ndarray, matrix: Matrix) -> None:
        self.labels, self.matrix = labels, matrix

    @property
    def count(self) -> int:
        return int(self.matrix.shape[0])

    @cached_property
    def is_full(self) -> np.ndarray:
        """Of each set, whether all variables are in it: nothing can be added to such a one."""
        return np.asarray(np.diff(self.matrix.indptr) == max(1, self.matrix.shape[1]))

    def with_labels(self, labels: np.ndarray) -> Sets:
        """Other elements with these sets."""
        return Sets(labels, self.matrix)

    def rows(self) -> Any:
        """A scipy.sparse.csr_array with a row for each element."""
        return _taken(self.matrix, self.labels.ravel()).to_scipy()


def variables(shapes: Sequence[tuple[int, ...]]) -> list[Sets]:
    """For arrays of these shapes the sets of their own elements, numbered one array after the other."""
    sizes = [math.prod(shape) for shape in shapes]
    total = sum(sizes)
    matrix = Matrix(np.concatenate([[0], np.arange(total + 1)]), np.arange(total), (total + 1, total))
    found, first = [], 1
    for shape, size in zip(shapes, sizes, strict=True):
        found.append(Sets(np.arange(first, first + size).reshape(shape), matrix))
        first += size
    return found


def united(parts: Sequence[Sets], shape: tuple[int, ...]) -> Sets:
    """The unions of the sets of arrays that broadcast to `shape`, element by element."""
    total = _broadcast(parts[0], shape)
    for part in parts[1:]:
        total = _union(total, _broadcast(part, shape))
    return total


def gathered(sets: Sets, target: np.ndarray, shape: tuple[int, ...]) -> Sets:
    """For each element of an array of `shape`, the union of the sets of all elements whose target it is.

    target: for each element of `sets`, in order, the flat position there, or -1 for none.
    """
    size = math.prod(shape)
    labels, target = sets.labels.ravel(), target.ravel()
    kept = (target >= 0) & (labels > 0)
    if not kept.all():
        labels, target = labels[kept], target[kept]
    if target.size <= size and (not target.size or np.bincount(target, minlength=size).max() <= 1):
        made = np.zeros(size, np.intp)
        made[target] = labels
        return sets.with_labels(made.reshape(shape))
    relation = _relation(target, labels, (size, sets.count))
    numbers, first = numbered_rows(relation)
    matrix = _united_rows(_taken(relation, np.concatenate([[-1], first])), sets.matrix)
    return Sets(numbers.reshape(shape) + 1, matrix)


def all_of(sets: Sets, shape: tuple[int, ...]) -> Sets:
    """An array of which each element depends on all elements of `sets`."""
    one = gathered(sets, np.zeros(sets.labels.size, np.intp), (1,))
    return one.with_labels(np.broadcast_to(one.labels.reshape(()), shape))


def _broadcast(sets: Sets, shape: tuple[int, ...]) -> Sets:
    return sets if sets.labels.shape == shape else sets.with_labels(np.broadcast_to(sets.labels, shape))


def _union(a: Sets, b: Sets) -> Sets:
    shape = a.labels.shape
    if a.matrix is b.matrix and (a.labels is b.labels or np.array_equal(a.labels, b.labels)):
        return a
    first, second = a.labels.ravel(), b.labels.ravel()
    if first.size == 1:
        return _united_pair(a, b, int(first[0]), int(second[0])).with_labels(np.ones(shape, np.intp))
    # One set for each pair of sets that meet: worth to look for where elements share sets.
    if first.size > max(a.count, b.count) or a.is_full.any() or b.is_full.any():
        keys = first * b.count + second
        keys[a.is_full[first] | b.is_full[second]] = -1
        pairs, numbers = np.unique(keys, return_inverse=True)
        if pairs.size and pairs[0] == -1:
            some = int(np.flatnonzero(keys == -1)[0])
            pairs[0] = first[some] * b.count + second[some]
        first, second = np.divmod(pairs, b.count)
        labels = numbers.reshape(shape) + 1
    else:
        labels = np.arange(1, first.size + 1).reshape(shape)
    return Sets(labels, _sum(_rows_of(a.matrix, first), _rows_of(b.matrix, second)))


def _sum(a: Matrix, b: Matrix) -> Matrix:
    """Row by row the members of both."""
    if a.indices.size + b.indices.size >= _LARGE:
        return _of_scipy(a.to_scipy() + b.to_scipy())
    rows = np.concatenate([a.row_of_each(), b.row_of_each()])
    return _relation(rows, np.concatenate([a.indices, b.indices]), a.shape)


def _united_rows(relation: Matrix, matrix: Matrix) -> Matrix:
    """For each row of the relation the union of the rows of the matrix that are its members."""
    parts = np.diff(matrix.indptr)[relation.indices]
    if parts.sum() >= _LARGE:
        return _of_scipy(relation.to_scipy() @ matrix.to_scipy())
    rows = np.repeat(relation.row_of_each(), parts)
    return _relation(rows, _taken(matrix, relation.indices).indices, (relation.shape[0], matrix.shape[1]))


def _of_scipy(matrix: Any) -> Matrix:
    matrix.sort_indices()
    return Matrix(matrix.indptr, matrix.indices, matrix.shape)


def _united_pair(a: Sets, b: Sets, k: int, m: int) -> Sets:
    members = _distinct(np.concatenate([_members(a.matrix, k), _members(b.matrix, m)]))
    return Sets(a.labels, Matrix(np.array([0, 0, members.size]), members, (2, a.matrix.shape[1])))


def _members(matrix: Matrix, k: int) -> np.ndarray:
    found: np.ndarray = matrix.indices[matrix.indptr[k] : matrix.indptr[k + 1]]
    return found


def _rows_of(matrix: Matrix, labels: np.ndarray) -> Matrix:
    """The empty set, then the sets of the labels."""
    if labels.size + 1 == matrix.shape[0] and np.array_equal(labels, np.arange(1, labels.size + 1)):
        return matrix
    return _taken(matrix, np.concatenate([[0], labels]))


def _taken(matrix: Matrix, rows: np.ndarray) -> Matrix:
    """The rows of these numbers; -1 is an empty one."""
    lengths = np.diff(matrix.indptr)[rows]
    lengths[rows < 0] = 0
    starts = np.zeros(rows.size + 1, np.int64)
    np.cumsum(lengths, out=starts[1:])
    # The place of each member: that of its row's first, and how far it lies behind it.
    places = np.repeat(matrix.indptr[rows] - starts[:-1], lengths) + np.arange(starts[-1])
    return Matrix(starts, matrix.indices[places], (rows.size, matrix.shape[1]))


def _distinct(values: np.ndarray) -> np.ndarray:
    """The values in order and once each, by sorting: np.unique hashes, which takes longer."""
    values = np.sort(values)
    return values[np.concatenate([[True], values[1:] != values[:-1]])] if values.size else values


def _relation(rows: np.ndarray, columns: np.ndarray, shape: tuple[int, int]) -> Matrix:
    """The matrix with these entries, in order and once each."""
    keys = _distinct(rows.astype(np.int64) * shape[1] + columns)
    rows, columns = np.divmod(keys, shape[1])
    starts = np.zeros(shape[0] + 1, np.int64)
    np.cumsum(np.bincount(rows, minlength=shape[0]), out=starts[1:])
    return Matrix(starts, columns, shape)


_MARKS = np.random.default_rng(20050601)


def numbered_rows(matrix: Any) -> tuple[np.ndarray, np.ndarray]:
    """`(numbers, first)`: rows with the same members have the same number; first: a row for each number.

    Rows are told apart by the sum of random marks of 64 bits, one for each member.
    """
    marks = _MARKS.integers(0, 1 << 64, matrix.shape[1], np.uint64)
    sums = np.zeros(matrix.indices.size + 1, np.uint64)
    np.cumsum(marks[matrix.indices], out=sums[1:])
    keys = sums[matrix.indptr[1:]] - sums[matrix.indptr[:-1]]
    _, first, numbers = np.unique(keys, return_index=True, return_inverse=True)
    return numbers.reshape(-1), first
