"""What a basis comes to on its way through a graph, while most of it is zero: few diagonals, and a scaled matrix.

Of a Jacobian, n cotangents or tangents go through the graph together: an array of n rows for each value. They start as
the rows of a unit matrix. An elementwise operation scales their columns, reading a part selects some, and a product
with a matrix makes a dense array, whose columns further operations scale. `Diagonals` holds this as factors: what
needs no more than that costs as much as for a single vector, and the array is written once, at the end. Zeros outside
of the diagonals stay zeros, where an array of n rows would have 0 * inf.

`batched_passes.py` calls `pushed` and `pulled` for each node, and goes on with the dense array where they give None.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from .. import backend
from ..batched import Batched, Level
from ..batching.conforming import conformed
from ..dtypes import COMPLEX, DIFFERENTIABLE
from ..ops import register
from ..ops.indexing import is_basic

_TERMS = 8
"""Diagonals that are kept apart; with more of them there is one dense array."""


class Diagonals:
    """An array of shape (level.size, *shape): the sum of `terms` and `dense`.

    terms: pairs (d, rows) of arrays of `shape`. Element k has the number d[k] in row rows[k] and zeros in all others;
    in all of them if there is no such row. dense: None, or (left, matrix, right) for left[:, None] * matrix * right,
    where left and right may be None. All but rows are Tensors. `recorded`: with a graph.
    """

    __slots__ = ("dense", "dtype", "level", "recorded", "shape", "terms")

    def __init__(
        self, level: Level, shape: tuple[int, ...], dtype: Any, recorded: bool,
        terms: list[tuple[Any, np.ndarray]], dense: tuple[Any, Any, Any] | None = None,
    ) -> None:  # fmt: skip
        self.level, self.shape, self.dtype, self.recorded = level, shape, dtype, recorded
        self.terms, self.dense = terms, dense

    @staticmethod
    def basis(level: Level, like: Any, first: int, recorded: bool) -> Diagonals:
        """The rows of a unit matrix from `first` on, for a value like this one."""
        rows = np.arange(-first, like.size - first, dtype=np.intp).reshape(like.shape)
        ones = backend.wrap(np.ones(like.shape, like.dtype))
        return Diagonals(level, like.shape, like.dtype, recorded, [(ones, rows)])

    def like(self, shape: tuple[int, ...], terms: Any, dense: Any = None) -> Diagonals:
        return Diagonals(self.level, shape, self.dtype, self.recorded, terms, dense)

    def of(self, value: Any) -> Diagonals:
        """A Batched of the same level, or a Tensor that is the same for all, in this form."""
        matrix = value.examples if type(value) is Batched else None
        if matrix is None:
            matrix = register.tensors.broadcast_to(value, (self.level.size, *value.shape))
        return self.like(value.shape, [], (None, matrix, None))

    # What operations do

    def scaled(self, rule: Callable[[Any], Any]) -> Diagonals:
        """By a linear function of each element by itself."""
        dense = self.dense
        if dense is not None:
            left, matrix, right = dense
            dense = left, matrix, rule(backend.wrap(np.ones(self.shape, self.dtype)) if right is None else right)
        return self.like(self.shape, [(rule(d), rows) for d, rows in self.terms], dense)

    def product(self, matrix: Any, shape: tuple[int, ...]) -> Diagonals:
        """With a matrix that has a row for each element."""
        f, n, size = register.tensors, self.level.size, matrix.shape[0]
        first = None if len(self.terms) != 1 else _first(self.terms[0][1], n)
        total, dense = None, self.dense
        if first is not None:
            d = f.reshape(self.terms[0][0], (size,))
            part = (slice(first, first + n),)
            made = f.reshape(f.getitem(matrix, part), (n, *shape))
            total = self.like(shape, [], (f.getitem(d, part), made, None))
        elif self.terms:
            dense = (None, self.value(), None)
        if dense is not None:
            left, own, right = dense
            own = own if right is None else f.multiply(own, right)
            made = f.reshape(f.matmul(f.reshape(own, (n, size)), matrix), (n, *shape))
            more = self.like(shape, [], (left, made, None))
            total = more if total is None else total.plus(more)
        assert total is not None
        return total

    def selected(self, rule: Callable[[Any], Any], numbers: Callable[[Any], Any], dense: Any) -> Any:
        """By a function that places elements, and zeros elsewhere; `numbers`: the same of an array of ints from 1 on.

        dense: what becomes of the dense part, a Batched or None. None where nothing is left.
        """
        terms = [(rule(d), np.asarray(numbers(np.maximum(rows, -1) + 1)) - 1) for d, rows in self.terms]
        found = self.like(terms[0][0].shape, terms) if terms else None
        if dense is not None:
            found = self.of(dense) if found is None else found.plus(self.of(dense))
        return found

    def plus(self, other: Diagonals) -> Diagonals:
        f, terms = register.tensors, list(self.terms)
        for d, rows in other.terms:
            for k, (own, place) in enumerate(terms):
                if place is rows or np.array_equal(place, rows):
                    terms[k] = f.add(own, d), place
                    break
            else:
                terms.append((d, rows))
        dense = self.dense if other.dense is None else other.dense
        if self.dense is not None and other.dense is not None:
            dense = None, self._total(other), None
        made = self.like(self.shape, terms, dense)
        return made if len(terms) <= _TERMS else self.like(self.shape, [], (None, made.value(), None))

    def _total(self, other: Diagonals) -> Any:
        """Both dense parts added up."""
        a, b = self.like(self.shape, [], self.dense).value(), other.dense
        assert b is not None
        if self.recorded:
            return register.tensors.add(a, other.like(self.shape, [], b).value())
        if b[0] is None and b[2] is None:
            return backend.wrap(np.add(a._array, b[1]._array, out=a._array))
        return backend.wrap(np.add(a._array, other.like(self.shape, [], b).value()._array, out=a._array))

    # The array

    def batched(self) -> Batched:
        return Batched(self.value(), self.level)

    def value(self, behind: bool = False) -> Any:
        """The array, a Tensor of shape (level.size, *shape). Without a graph it is new, and nobody else has it.

        behind: whoever asks moves the first axis behind the others, so the memory is laid out for that.
        """
        if self.recorded:
            return self._recorded_value()
        n, size = self.level.size, math.prod(self.shape)
        if self.dense is None:
            made = np.zeros((size, n), self.dtype).T if behind else np.zeros((n, size), self.dtype)
        else:
            made = self._dense_array().reshape(n, size)
        for d, rows in self.terms:
            place, numbers = rows.reshape(-1), d._array.reshape(-1)
            inside = (place >= 0) & (place < n)
            if inside.all():
                made[place, np.arange(size)] += numbers
            else:
                (k,) = inside.nonzero()
                made[place[k], k] += numbers[k]
        if behind and made.flags.f_contiguous:
            return backend.wrap(np.moveaxis(made.T.reshape(*self.shape, n), -1, 0))
        return backend.wrap(made.reshape(n, *self.shape))

    def _dense_array(self) -> np.ndarray:
        assert self.dense is not None
        left, matrix, right = [x if x is None else x._array for x in self.dense]
        assert matrix is not None
        if left is None:
            made = np.array(matrix) if right is None else np.multiply(matrix, right)
        else:
            made = np.multiply(matrix, left.reshape(-1, *(1,) * len(self.shape)))
            if right is not None:
                np.multiply(made, right, out=made)
        return made if made.flags.c_contiguous or made.ndim == 2 else np.ascontiguousarray(made)

    def _recorded_value(self) -> Any:
        f, n, size = register.tensors, self.level.size, math.prod(self.shape)
        total = None
        if self.dense is not None:
            left, total, right = self.dense
            if left is not None:
                total = f.multiply(total, f.reshape(left, (n, *(1,) * len(self.shape))))
            total = total if right is None else f.multiply(total, right)
        for d, rows in self.terms:
            (k,) = ((rows.reshape(-1) >= 0) & (rows.reshape(-1) < n)).nonzero()
            numbers = f.getitem(f.reshape(d, (size,)), (k,))
            part = f.reshape(f.scatter(numbers, (n, size), (rows.reshape(-1)[k], k)), (n, *self.shape))
            total = part if total is None else f.add(total, part)
        return total


def _first(rows: np.ndarray, n: int) -> int | None:
    """The element from which on n elements lie in the rows 0 to n; None where these are not such a diagonal."""
    flat = rows.reshape(-1)
    if not flat.size:
        return None
    first = -int(flat[0])
    if first < 0 or first + n > flat.size or not np.array_equal(flat, np.arange(-first, flat.size - first)):
        return None
    return first


def added(a: Any, b: Any) -> Any:
    """The sum of two, each in this form or not."""
    if type(a) is Diagonals:
        return a.plus(b if type(b) is Diagonals else a.of(b))
    return b.plus(b.of(a)) if type(b) is Diagonals else a + b


def densified(x: Any) -> Any:
    return x.batched() if type(x) is Diagonals else x


# Which rows keep the form


def pushed(node: Any, values: tuple[Any, ...], moving: dict[int, Any], generic: Callable[..., Any]) -> Any:
    """The tangent of a node from those of its inputs, or None. generic(moving): that of dense ones."""
    some = next(t for t in moving.values() if type(t) is Diagonals)
    if not _of_one_dtype(node, moving):
        return None
    given = {k: t if type(t) is Diagonals else some.of(t) for k, t in moving.items()}
    f, row, params = register.tensors, node.row, node.params
    if row.elementwise:
        total = None
        for k, t in given.items():
            part = _broadcast(t, node.shape).scaled(_slope(node, k, values))
            total = part if total is None else total.plus(part)
        return total
    if len(given) != 1:
        return None
    ((k, t),) = given.items()
    if row.name in _PUSHED and _PUSHED[row.name](params):
        dense = None if t.dense is None else generic({k: t.like(t.shape, [], t.dense).batched()})
        return t.selected(
            lambda d: backend.apply(row, (d,), params), lambda rows: row.forward(rows, *params), dense
        )  # fmt: skip
    matrix = _matrix(node, values, k)
    return None if matrix is None else t.product(f.permute_dims(matrix, (1, 0)), node.shape)


def pulled(
    node: Any, values: tuple[Any, ...], gradient: Any, needed: list[int], generic: Callable[..., Any]
) -> list[tuple[int, Any]] | None:
    """(position, cotangent) for the inputs that need one, or None. generic(gradient): of a dense one."""
    f, row, params = register.tensors, node.row, node.params
    if row.joint or row.several or not _of_one_dtype(node, needed):
        return None
    if row.elementwise:
        if any([node.inputs[k].shape != node.shape for k in needed]):
            return None
        return [(k, gradient.scaled(_slope(node, k, values))) for k in needed]
    if row.name in _PULLED and _PULLED[row.name](params):
        place = [((k,) if row.variadic else ()) for k in range(len(node.inputs))]
        rules = {k: row.vjps[0 if row.variadic else k] for k in needed}
        dense = {}
        if gradient.dense is not None:
            dense = dict(generic(gradient.like(gradient.shape, [], gradient.dense).batched()))
        return [(k, gradient.selected(
            lambda d, k=k: rules[k](f, d, *place[k], *values, *params),
            lambda rows, k=k: rules[k](register.arrays, rows, *place[k], *node.saved, *params), dense.get(k),
        )) for k in needed]  # fmt: skip
    matrices = [_matrix(node, values, k) for k in needed]
    if any([m is None for m in matrices]):
        return None
    return [(k, gradient.product(m, node.inputs[k].shape)) for k, m in zip(needed, matrices, strict=True)]


def _slope(node: Any, k: int, values: tuple[Any, ...]) -> Callable[[Any], Any]:
    """What an elementwise row makes of one vector, by operand k."""
    formula, params, shape, dtype = node.row.vjps[k], node.params, node.shape, node.dtype
    return lambda d: conformed(formula(register.tensors, d, *values, *params), shape, dtype)


def _of_one_dtype(node: Any, which: Any) -> bool:
    """Whether the node and these of its inputs are of one real dtype."""
    dtype = node.dtype
    return (
        dtype in DIFFERENTIABLE
        and dtype not in COMPLEX
        and all([node.inputs[k] is not None and node.inputs[k].dtype == dtype for k in which])
    )


def _always(params: Any) -> bool:
    return True


def _basic(params: Any) -> bool:
    """A key, the last parameter, that names no element twice."""
    key = params[-1]
    return is_basic(key if type(key) is tuple else (key,))


def _fixed(params: Any) -> bool:
    """Whether the key, the last parameter, is the same at each call of a program."""
    tracer = backend.tracer()
    return tracer is None or not tracer.moves(params)


_PUSHED: dict[str, Callable[[Any], bool]] = {
    "broadcast_to": _always, "diagonal": _always, "getitem": _fixed, "permute_dims": _always, "reshape": _always,
    "scatter": _basic,
}  # fmt: skip
"""Rows that place the elements of their operand, each at most once but for repeating them."""
_PULLED: dict[str, Callable[[Any], bool]] = {
    "concat": _always, "getitem": _basic, "permute_dims": _always, "reshape": _always, "scatter": _fixed,
    "stack": _always, "sum": _always,
}  # fmt: skip
"""Rows whose vjp does."""


def _broadcast(t: Diagonals, shape: tuple[int, ...]) -> Diagonals:
    if t.shape == shape:
        return t
    f, n = register.tensors, t.level.size
    terms = [(f.broadcast_to(d, shape), np.broadcast_to(rows, shape)) for d, rows in t.terms]
    dense = None
    if t.dense is not None:
        whole = t.like(t.shape, [], t.dense).value()
        whole = f.reshape(whole, (n, *(1,) * (len(shape) - len(t.shape)), *t.shape))
        dense = None, f.broadcast_to(whole, (n, *shape)), None
    return t.like(shape, terms, dense)


def _matrix(node: Any, values: tuple[Any, ...], k: int) -> Any:
    """The matrix of a product with a vector, operand k, so that the result is matrix @ operand; None for others."""
    name, shape = node.row.name, node.inputs[k].shape
    if name not in ("matmul", "linear", "affine") or k > 1 or (k and name != "matmul"):
        return None
    other = values[1 - k]
    if other is None or other.ndim != 2 or not hasattr(other, "_array"):
        return None
    if name != "matmul":
        return other if len(shape) == 1 else None
    if k:
        is_vector = len(shape) == 1 or (len(shape) == 2 and shape[1] == 1)
        return other if is_vector else None
    return register.tensors.permute_dims(other, (1, 0)) if math.prod(shape[:-1]) == 1 and len(shape) < 3 else None
