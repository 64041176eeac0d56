"""Jacobians, by rows (reverse mode) or columns (forward mode), many at once.

The function runs once, recorded. Rows are what a backward pass makes of the cotangents that are a basis of the result,
columns what a forward pass makes of the tangents that are a basis of the arguments: passes with all of a basis, or with
`chunk_size` of it, at a time. `diagonals.py` holds what is mostly zeros of these.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .. import backend, batching, trees
from ..backend import Tensor
from ..batched import ANYWHERE, Batched, running
from ..batching.conforming import cast
from ..dtypes import COMPLEX, DIFFERENTIABLE, floating
from ..ops import register
from ..ops.register import placed
from ..ops.undetermined import TooHigh, Undetermined
from . import batched_passes, reverse
from .diagonals import Diagonals
from .few import blocks_one_by_one
from .forward import ARRAYS, TENSORS, jvp, push_through
from .levels import new_level, tensor, within
from .mapping import vmap
from .variables import Variables, results
from .wrapper import Wrapper, check_chunk_size

Argnums = int | Sequence[int]

BYTES = 1 << 26
"""What one value of a pass may take where `chunk_size` is None: with more elements, fewer rows are made at a time."""


def jacobian(
    f: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False, holomorphic: bool = False,
    chunk_size: int | None = None,
) -> Callable[..., Any]:  # fmt: skip
    """The function that returns the Jacobian of `f`: by columns if the arguments have no more elements than the result.

    argnums, has_aux, holomorphic: as in `zen.grad`. The result has the structure of what `f` returns, with the
    structure of the argument in the place of each leaf (a tuple of these for a sequence of argnums), and arrays of the
    shape of that result followed by that of the argument. `f` may return any number of arrays of any shape. As
    gradients do, these have the dtype of the argument, by rows and by columns.
    chunk_size: how many rows or columns are computed at a time; None lets one value of a pass take at most 64 MB.

    What operations on elements alone come to is computed as a few diagonals. Zeros outside of them are exact, also
    beside an element whose slope is inf or nan.

    Results are NumPy arrays or Tensors, with a graph if need be, by the rules of `zen.grad`. Raises TypeError for
    complex arguments or results without `holomorphic`.

    >>> import numpy as np, zen
    >>> zen.jacobian(lambda x: x * x)(np.array([1.0, 2.0])).tolist()
    [[2.0, 0.0], [0.0, 4.0]]
    """
    return _Jacobian(f, argnums, has_aux, holomorphic, chunk_size, None, False)


def jacrev(
    f: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False, holomorphic: bool = False,
    chunk_size: int | None = None,
) -> Callable[..., Any]:  # fmt: skip
    """The Jacobian by rows, in reverse mode; see `jacobian`.

    >>> import numpy as np, zen
    >>> zen.jacrev(np.sum)(np.array([1.0, 2.0])).tolist()
    [1.0, 1.0]
    """
    return _Jacobian(f, argnums, has_aux, holomorphic, chunk_size, False, False)


def jacfwd(
    f: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False, holomorphic: bool = False,
    chunk_size: int | None = None,
) -> Callable[..., Any]:  # fmt: skip
    """The Jacobian by columns, in forward mode; see `jacobian`.

    >>> import numpy as np, zen
    >>> zen.jacfwd(lambda x: x * np.array([1.0, 2.0]))(3.0).tolist()
    [1.0, 2.0]
    """
    return _Jacobian(f, argnums, has_aux, holomorphic, chunk_size, True, False)


def value_and_jacobian(
    f: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False, holomorphic: bool = False,
    chunk_size: int | None = None,
) -> Callable[..., Any]:  # fmt: skip
    """The function that returns the value of `f` and its Jacobian; with `has_aux`, `((value, aux), jacobian)`.

    >>> import numpy as np, zen
    >>> value, j = zen.value_and_jacobian(lambda x: x * x)(np.array([1.0, 2.0]))
    >>> value.tolist(), j.tolist()
    ([1.0, 4.0], [[2.0, 0.0], [0.0, 4.0]])
    """
    return _Jacobian(f, argnums, has_aux, holomorphic, chunk_size, None, True)


class _Jacobian(Wrapper):
    """What these return. forward: by columns, by rows, or whichever are fewer (None)."""

    _name = "jacobian"

    def __init__(
        self, f: Callable[..., Any], argnums: Argnums, has_aux: bool, holomorphic: bool, chunk_size: int | None,
        forward: bool | None, with_value: bool,
    ) -> None:  # fmt: skip
        Wrapper.__init__(self, f)
        reverse.positions(argnums, None)
        check_chunk_size("jacobian", chunk_size)
        self._f, self._argnums, self._has_aux, self._holomorphic = f, argnums, has_aux, holomorphic
        self._chunk_size, self._forward, self._with_value = chunk_size, forward, with_value

    def _parts(self) -> tuple[Any, ...]:
        return (
            self._f, self._argnums, self._has_aux, self._holomorphic, self._chunk_size, self._forward,
            self._with_value,
        )  # fmt: skip

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        where = reverse.positions(self._argnums, len(args))
        if ANYWHERE and running.levels:
            return self._within(args, kwargs, where)
        variables = Variables("jacobian", args, where)
        out, aux = variables.call(self._f, kwargs), None
        if self._has_aux:
            out, aux = reverse.split_aux("jacobian", out)
        outputs = results("jacobian", out)
        self._check(outputs, variables.tensors)
        recorded = variables.connected(outputs)
        as_array = not (variables.took_tensors or recorded or variables.beside(args, kwargs, where))
        many_rows = sum([t.size for t in outputs]) >= sum([t.size for t in variables.tensors])
        by_columns = many_rows if self._forward is None else self._forward
        with backend.GradMode(recorded):
            blocks, own = _all_blocks(by_columns, outputs, variables.tensors, recorded, self._chunk_size)
        blocks = [[_given(variables, b, recorded, as_array, own) for b in row] for row in blocks]
        found = trees.rebuild(out, [self._inner(args, where, row) for row in blocks])
        return self._with(variables.settled(out, recorded, as_array), variables.settled(aux, recorded, as_array), found)

    def _with(self, value: Any, aux: Any, found: Any) -> Any:
        if self._with_value:
            return ((value, aux) if self._has_aux else value), found
        return (found, aux) if self._has_aux else found

    def _inner(self, args: tuple[Any, ...], where: list[int], row: list[Any]) -> Any:
        """The blocks of one result in the structure of the arguments."""
        if isinstance(self._argnums, int):
            return trees.rebuild(args[where[0]], row)
        rest = iter(row)
        return tuple([trees.rebuild(args[k], [next(rest) for _ in trees.values(args[k])]) for k in where])

    def _within(self, args: tuple[Any, ...], kwargs: dict[str, Any], where: list[int]) -> Any:
        """In a `vmap`, of whose examples each has a Jacobian of its own: by another one over a basis."""
        aux: list[Any] = []

        def chosen(*given: Any) -> Any:
            inner = list(args)
            for k, x in zip(where, given, strict=True):
                inner[k] = x
            out = self._f(*inner, **kwargs)
            if not self._has_aux:
                return out
            out, extra = reverse.split_aux("jacobian", out)
            aux.append(extra)
            return out

        primals = tuple([args[k] for k in where])
        out, pull = reverse.vjp(chosen, *primals)
        outputs, inputs = trees.values([out]), trees.values(list(primals))
        self._check(outputs, [tensor(x) for x in inputs])
        if self._forward:
            blocks = _mapped_columns(chosen, primals, inputs, outputs)
        else:
            blocks = _mapped_rows(pull, out, outputs, inputs)
        found = trees.rebuild(out, [self._inner(args, where, row) for row in blocks])
        return self._with(out, aux[0] if aux else None, found)

    def _check(self, outputs: list[Any], variables: list[Any]) -> None:
        for t in (*outputs, *variables):
            if t.dtype not in DIFFERENTIABLE:
                raise TypeError(f"jacobian: a result is of dtype {t.dtype}, which has no derivative")
            if (t.dtype in COMPLEX) != self._holomorphic:
                what = (
                    "of a holomorphic function arguments and result are complex"
                    if self._holomorphic
                    else ("with complex numbers pass holomorphic=True, or take real and imaginary parts as arguments")
                )
                raise TypeError(f"jacobian: an argument or a result is of dtype {t.dtype}; {what}")


def _given(variables: Variables, block: Any, recorded: bool, as_array: bool, own: list[np.ndarray]) -> Any:
    """A block as the caller gets it. own: memory that need not be copied."""
    if recorded:
        return variables.settle(block, True, False)
    a = block._array
    root = a if a.base is None else a.base
    a = a if any([root is x for x in own]) else np.array(a)
    return a if as_array else backend.wrap(a)


class _Rows:
    """For each output, rows of the Jacobian: what passes backwards make of its basis."""

    behind = False

    def __init__(self, outputs: list[Tensor], inputs: list[Tensor], recorded: bool) -> None:
        self.outputs, self.inputs, self.recorded = outputs, inputs, recorded
        self.starts, self.ends = outputs, inputs
        self.own: list[np.ndarray] = []  # memory that nobody else has

    def many(self, k: int, basis: Any) -> list[Any]:
        if self.outputs[k].node is None:
            return [None] * len(self.inputs)
        return batched_passes.pull([self.outputs[k]], [basis], self.inputs, self.recorded)

    def one(self, k: int, vector: Tensor) -> list[Any]:
        found = backend.run([self.outputs[k]], [vector], self.inputs, True, self.recorded)
        assert found is not None
        return found

    def blocks(self, made: list[list[Any]]) -> list[list[Any]]:
        return [
            [_block(part, (*y.shape, *x.shape), x.dtype) for part, x in zip(row, self.inputs, strict=True)]
            for row, y in zip(made, self.outputs, strict=True)
        ]


class _Columns:
    """For each input, columns of the Jacobian: what passes forwards make of its basis."""

    behind = True

    def __init__(self, outputs: list[Tensor], inputs: list[Tensor], recorded: bool) -> None:
        self.outputs, self.inputs, self.recorded = outputs, inputs, recorded
        self.starts, self.ends = inputs, outputs
        self.own: list[np.ndarray] = []

    def many(self, k: int, basis: Any) -> list[Any]:
        return batched_passes.push(self.outputs, [self.inputs[k]], [basis], self.recorded)

    def one(self, k: int, vector: Tensor) -> list[Any]:
        rule = TENSORS if self.recorded else ARRAYS
        made = push_through(self.outputs, [self.inputs[k]], [vector], rule)
        return [x if x is None or isinstance(x, Tensor) else backend.wrap(np.asarray(x)) for x in made]

    def blocks(self, made: list[list[Any]]) -> list[list[Any]]:
        found = []
        for j, y in enumerate(self.outputs):
            row = []
            for k, x in enumerate(self.inputs):
                part = made[k][j]
                if part is not None:  # the numbers of the basis behind
                    part = register.tensors.permute_dims(part, (*range(1, part.ndim), 0))
                row.append(_block(part, (*y.shape, *x.shape), x.dtype))
            found.append(row)
        return found


def _all_blocks(
    by_columns: bool, outputs: list[Tensor], inputs: list[Tensor], recorded: bool, chunk_size: int | None
) -> tuple[list[list[Any]], list[np.ndarray]]:
    """The blocks, and memory that nobody else has.

    By columns, where tangents are determined: with equal eigenvalues the gradients alone may be, and give rows.
    """
    columns, rows = _Columns(outputs, inputs, recorded), _Rows(outputs, inputs, recorded)
    try:
        made = None if recorded else blocks_one_by_one(by_columns, outputs, inputs)
    except np.linalg.LinAlgError:  # Undetermined is one: the passes below know other ways, or raise it again
        made = None
    if made is not None:
        return made
    if not by_columns:
        return _blocks(rows, chunk_size), rows.own
    try:
        return _blocks(columns, chunk_size), columns.own
    except Undetermined:
        pass
    try:
        return _blocks(rows, chunk_size), rows.own
    except TooHigh:
        raise
    except np.linalg.LinAlgError:  # then `jvp` says what each column is
        return _blocks(columns, chunk_size, together=False), columns.own


def _blocks(passes: _Rows | _Columns, chunk_size: int | None, together: bool = True) -> list[list[Any]]:
    """For each output and input the block of the Jacobian, of shape (*output, *input)."""
    largest = max([t.size * t.dtype.itemsize for t in (*passes.outputs, *passes.inputs)], default=1) or 1
    made = []
    for k, t in enumerate(passes.starts):
        n = t.size
        if not n:
            made.append([None] * len(passes.ends))
            continue
        step = int(chunk_size or max(1, min(n, BYTES // largest)))
        parts = [_part(passes, k, first, min(first + step, n), together) for first in range(0, n, step)]
        made.append(parts[0] if len(parts) == 1 else [_joined(group) for group in zip(*parts, strict=True)])
    return passes.blocks(made)


def _part(passes: _Rows | _Columns, k: int, first: int, last: int, together: bool) -> list[Any]:
    """What some of the basis vectors of start k come to: Tensors with the vectors' numbers in front, or None."""
    t = passes.starts[k]
    if together:
        try:
            return _part_together(passes, k, first, last)
        except Undetermined:
            raise
        except Exception:
            batching.note("a derivative")
    vectors = backend.wrap(np.eye(last - first, t.size, first, t.dtype).reshape(last - first, *t.shape))
    found = [passes.one(k, vectors[b]) for b in range(last - first)]
    return [
        None if group[0] is None else register.FUNCTIONS["stack"](list(group)) for group in zip(*found, strict=True)
    ]


def _part_together(passes: _Rows | _Columns, k: int, first: int, last: int) -> list[Any]:
    level = new_level(last - first)
    ANYWHERE.append(level)
    try:
        with within((*running.levels, level)):
            made = passes.many(k, Diagonals.basis(level, passes.starts[k], first, passes.recorded))
            return [None if x is None else _full(x, level, passes) for x in made]
    finally:
        ANYWHERE.remove(level)


def _full(x: Any, level: Any, passes: _Rows | _Columns) -> Any:
    if type(x) is Diagonals:
        made = x.value(passes.behind)
        if not passes.recorded:
            passes.own.append(made._array if made._array.base is None else made._array.base)
        return made
    if type(x) is Batched and x.level is level:
        return x.examples
    return register.tensors.broadcast_to(x, (level.size, *x.shape))


def _joined(parts: Sequence[Any]) -> Any:
    return None if parts[0] is None else register.FUNCTIONS["concat"](list(parts))


def _block(part: Any, shape: tuple[int, ...], dtype: Any) -> Any:
    """One block of the Jacobian; of zeros where the one does not depend on the other."""
    if part is None:
        return backend.wrap(np.zeros(shape, dtype))
    part = register.tensors.reshape(part, shape)
    return part if part.dtype == dtype else cast(part, dtype)  # tangents have the dtype of the result


def _mapped_rows(pull: Any, out: Any, outputs: list[Any], inputs: list[Any]) -> list[list[Any]]:
    blocks = []
    for k, y in enumerate(outputs):

        def row(c: Any, k: int = k) -> Any:
            cotangents = [c if j == k else np.zeros(t.shape, t.dtype) for j, t in enumerate(outputs)]
            return pull(trees.rebuild(out, cotangents))

        made = trees.values(vmap(row)(np.eye(y.size, dtype=y.dtype).reshape(y.size, *y.shape)))
        blocks.append([_reshaped(part, y, x) for part, x in zip(made, inputs, strict=True)])
    return blocks


def _mapped_columns(f: Any, primals: tuple[Any, ...], inputs: list[Any], outputs: list[Any]) -> list[list[Any]]:
    blocks: list[list[Any]] = [[] for _ in outputs]
    values = [tensor(x) for x in inputs]
    for k, x in enumerate(values):

        def column(t: Any, k: int = k) -> Any:
            tangents = [t if j == k else np.zeros(v.shape, t.dtype) for j, v in enumerate(values)]
            return jvp(f, primals, trees.rebuild(primals, tangents))[1]

        basis = np.eye(x.size, dtype=floating(x.dtype)).reshape(x.size, *x.shape)
        made = trees.values(vmap(column, out_axes=-1)(basis))
        for row, part, y in zip(blocks, made, outputs, strict=True):
            row.append(_reshaped(part, y, x))
    return blocks


def _reshaped(part: Any, y: Any, x: Any) -> Any:
    x = tensor(x)
    return _block(part, (*y.shape, *x.shape), floating(x.dtype))


for _function in (jacfwd, jacobian, jacrev, value_and_jacobian):
    placed(_function, "zen", _function.__name__)
