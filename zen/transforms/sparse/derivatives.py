"""Sparse Jacobians and Hessians: of the pattern that the recorded rows have, by as many passes as it has colours."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ... import trees
from ...backend import Tensor
from ...batched import ANYWHERE, Unbatched, running
from ...dtypes import COMPLEX, DIFFERENTIABLE
from ...extras import scipy_module
from ...ops.register import placed
from .. import reverse
from ..forward import ARRAYS, push_through
from ..hessians import Swapped
from ..jacobians import Argnums
from ..variables import Variables, results
from ..wrapper import Wrapper, check_chunk_size
from . import compressed, dependence
from .sparsity import SCHEMES, Coloring, Sparsity


def sparse_jacobian(
    f: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False, *, pattern: Any = None, coloring: Any = None,
    check: bool = False, chunk_size: int | None = None,
) -> SparseJacobian:  # fmt: skip
    """The function that returns the Jacobian of `f` as a scipy.sparse.csr_array.

    Its rows are the elements of what `f` returns, its columns those of the arguments that `argnums` names, in the order
    of `zen.ravel_tree`; both may be nested containers of arrays of any shape.

    Each call finds the pattern of its own: which elements depend on which, of whatever value, by what was recorded of
    `f` at that point. An entry of the pattern may be zero. What a program decides by values is fixed with the pattern:
    the branch of an `if`, indices that were computed, the order of a sort. Columns that share no row are then computed
    in one pass, or rows that share no column, whichever need fewer passes.

    pattern: what `.pattern(*args)` returned before, a zen.Sparsity, or what that takes. Nothing is looked for then.
    coloring: what `.coloring(*args)` returned, which knows its pattern; or "column" or "row".
    check: compare with the derivative in a random direction, and raise ValueError where the pattern lacks entries.
    chunk_size: how many colours are computed at a time; None chooses.

    Results are arrays without a graph. So RuntimeError is raised where one is needed: within another transform, and for
    an argument, or a Tensor that `f` uses, that requires a gradient; `zen.no_grad()` and `zen.stop_gradient` say that
    it is not wanted. TypeError for complex numbers and for results of integers. Needs SciPy.

    Griewank & Walther, "Evaluating Derivatives" (2008), chapters 7 and 8; Gebremedhin, Manne & Pothen, "What color is
    your Jacobian?", SIAM Review 47 (2005).

    >>> import numpy as np, zen
    >>> f = zen.sparse_jacobian(lambda x: x[1:] * x[:-1])
    >>> f(np.array([1.0, 2.0, 3.0])).toarray().tolist()
    [[2.0, 1.0, 0.0], [0.0, 3.0, 2.0]]
    >>> colors = f.coloring(np.ones(1000))
    >>> colors.count, zen.sparse_jacobian(f.__wrapped__, coloring=colors)(np.ones(1000)).nnz
    (2, 1998)
    """
    return SparseJacobian(f, argnums, has_aux, pattern, coloring, check, chunk_size, False)


def value_and_sparse_jacobian(
    f: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False, *, pattern: Any = None, coloring: Any = None,
    check: bool = False, chunk_size: int | None = None,
) -> SparseJacobian:  # fmt: skip
    """The function that returns the value of `f` and its sparse Jacobian; with `has_aux`, `((value, aux), jacobian)`.

    >>> import numpy as np, zen
    >>> value, j = zen.value_and_sparse_jacobian(lambda x: x**2)(np.array([1.0, 2.0]))
    >>> value.tolist(), j.toarray().tolist()
    ([1.0, 4.0], [[2.0, 0.0], [0.0, 4.0]])
    """
    return SparseJacobian(f, argnums, has_aux, pattern, coloring, check, chunk_size, True)


def sparse_hessian(
    f: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False, *, pattern: Any = None, coloring: Any = None,
    check: bool = False, chunk_size: int | None = None,
) -> SparseHessian:  # fmt: skip
    """The function that returns the Hessian of `f`, which returns one number, as a scipy.sparse.csr_array.

    Its rows and columns are the elements of the arguments that `argnums` names, in the order of `zen.ravel_tree`. The
    pattern is that of the Jacobian of the recorded gradient, and the products with the vectors of all colours go
    forward through that gradient. The colours are those of a star coloring, by which each entry is computed for both
    sides of the diagonal at once, unless one of the columns needs fewer. All else is as in `zen.sparse_jacobian`;
    `coloring` may be "star", "column" or "row".

    Gebremedhin, Tarafdar, Manne & Pothen, "New acyclic and star coloring algorithms with application to computing
    Hessians", SIAM J. Sci. Comput. 29 (2007).

    >>> import numpy as np, zen
    >>> h = zen.sparse_hessian(lambda x: np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2))
    >>> h(np.array([1.0, 1.0, 1.0])).toarray().tolist()
    [[802.0, -400.0, 0.0], [-400.0, 1002.0, -400.0], [0.0, -400.0, 200.0]]
    >>> h.coloring(np.ones(10000)).count
    3
    """
    return SparseHessian(f, argnums, has_aux, pattern, coloring, check, chunk_size, False)


def value_and_sparse_hessian(
    f: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False, *, pattern: Any = None, coloring: Any = None,
    check: bool = False, chunk_size: int | None = None,
) -> SparseHessian:  # fmt: skip
    """The function that returns the value of `f` and its sparse Hessian; with `has_aux`, `((value, aux), hessian)`.

    >>> import numpy as np, zen
    >>> value, h = zen.value_and_sparse_hessian(lambda x: (x**3).sum())(np.array([1.0, 2.0]))
    >>> float(value), h.toarray().tolist()
    (9.0, [[6.0, 0.0], [0.0, 12.0]])
    """
    return SparseHessian(f, argnums, has_aux, pattern, coloring, check, chunk_size, True)


class SparseJacobian(Wrapper):
    """What `sparse_jacobian` returns."""

    _name, _dense = "sparse_jacobian", "jacobian"
    _schemes: tuple[str, ...] = SCHEMES[:2]

    def __init__(
        self, f: Callable[..., Any], argnums: Argnums, has_aux: bool, pattern: Any, coloring: Any, check: bool,
        chunk_size: int | None, with_value: bool,
    ) -> None:  # fmt: skip
        reverse.positions(argnums, None)
        scipy_module("sparse", f"zen.{self._name}")
        Wrapper.__init__(self, f)
        check_chunk_size(self._name, chunk_size)
        self._given = f, argnums, has_aux, pattern, coloring, check, chunk_size, with_value
        self._plan = self._planned(pattern, coloring)

    def _parts(self) -> tuple[Any, ...]:
        return self._given

    def _planned(self, pattern: Any, coloring: Any) -> Coloring | None:
        """The colours that are known before any call."""
        if isinstance(coloring, Coloring):
            known = None if pattern is None else Sparsity(pattern)
            if known is not None and coloring.scheme == "star":
                known = known.symmetric()
            if known is not None and known != coloring.sparsity:
                raise ValueError(f"{self._name}: the coloring is of {coloring.sparsity!r}, not of the pattern given")
            if coloring.scheme not in self._schemes:
                raise ValueError(f"{self._name}: a {coloring.scheme} coloring is for symmetric matrices")
            return coloring
        if coloring is not None and not (isinstance(coloring, str) and coloring in self._schemes):
            schemes = ", ".join([repr(scheme) for scheme in self._schemes])
            raise ValueError(
                f"{self._name}: coloring is a zen.Coloring (of a pattern, colours and a scheme), {schemes} or None, "
                f"not {coloring!r}"
            )
        return None if pattern is None else self._colored(Sparsity(pattern))

    def _colored(self, pattern: Sparsity) -> Coloring:
        return pattern.coloring(self._given[4])

    def pattern(self, /, *args: Any, **kwargs: Any) -> Sparsity:
        """The pattern at these arguments."""
        return self._detected(*self._recorded(args, kwargs)[1:3])

    def coloring(self, /, *args: Any, **kwargs: Any) -> Coloring:
        """The colours, with the pattern, at these arguments."""
        return self._colored(self.pattern(*args, **kwargs))

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        _, _, has_aux, _, _, check, chunk_size, with_value = self._given
        variables, outputs, inputs, value, aux = self._recorded(args, kwargs)
        plan = self._plan or self._colored(self._detected(outputs, inputs))
        shape = sum([t.size for t in outputs]), sum([t.size for t in inputs])
        if plan.sparsity.shape != shape:
            raise ValueError(
                f"{self._name}: the pattern is of shape {plan.sparsity.shape}, but the derivative of {shape}; leave "
                "the pattern out, or find it for arguments of these shapes"
            )
        # At least float32: SciPy has no sparse matrices of float16.
        dtype = np.result_type(np.float32, *[t.dtype for t in inputs]) if inputs else np.dtype(float)
        by_rows = plan.scheme == "row"
        found = plan.matrix(compressed.products(outputs, inputs, plan.seeds(dtype), by_rows, chunk_size))
        if check:
            self._compare(found, plan.sparsity, outputs, inputs)
        if not (with_value or has_aux):
            return found
        # They have a graph where they come from what requires a gradient, though the derivative does not.
        connected = variables.connected([x for x in trees.values([value, aux]) if isinstance(x, Tensor)])
        as_array = not (variables.took_tensors or connected)
        value, aux = (variables.settled(tree, connected, as_array) for tree in (value, aux))
        if with_value:
            return ((value, aux) if has_aux else value), found
        return found, aux

    def _run(self, variables: Variables, kwargs: dict[str, Any]) -> tuple[Any, Any, Any]:
        """`(what is differentiated, value, aux)`."""
        out, aux = variables.call(self._given[0], kwargs), None
        if self._given[2]:
            out, aux = reverse.split_aux(self._name, out)
        return out, out, aux

    def _recorded(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, ...]:
        """`(variables, outputs, inputs, value, aux)` of a call of the function."""
        if ANYWHERE and running.levels:
            raise Unbatched(f"{self._name} makes a sparse matrix for each example")
        variables = Variables(self._name, args, reverse.positions(self._given[1], len(args)))
        out, value, aux = self._run(variables, kwargs)
        outputs = results(self._name, out)
        for t in (*outputs, *variables.tensors):
            self._check_dtype(t)
        if variables.connected(outputs):
            raise RuntimeError(
                f"{self._name}: the result is a scipy.sparse matrix, which has no graph, but an argument, or a Tensor "
                "that the function uses, requires a gradient, or another transform differentiates it: that derivative "
                f"would be lost. Call it under zen.no_grad(), use t.detach() or zen.stop_gradient, or use "
                f"zen.{self._dense}"
            )
        return variables, outputs, variables.tensors, value, aux

    def _check_dtype(self, t: Tensor) -> None:
        if t.dtype not in DIFFERENTIABLE:
            raise TypeError(f"{self._name}: a result is of dtype {t.dtype}, which has no derivative")
        if t.dtype in COMPLEX:
            raise TypeError(
                f"{self._name}: an argument or a result is of dtype {t.dtype}; take real and imaginary parts as "
                f"arguments, or use zen.{self._dense} with holomorphic=True"
            )

    def _detected(self, outputs: list[Tensor], inputs: list[Tensor]) -> Sparsity:
        return Sparsity(dependence.pattern(outputs, inputs))

    def _compare(self, found: Any, pattern: Sparsity, outputs: list[Tensor], inputs: list[Tensor]) -> None:
        """The matrix against the derivative in a random direction."""
        if not outputs or not inputs:
            return
        rng = np.random.default_rng(0)
        directions = [np.asarray(rng.uniform(0.5, 1.5, t.shape), t.dtype) for t in inputs]
        pushed = push_through(outputs, inputs, directions, ARRAYS)
        made = [
            np.zeros(t.size) if p is None else np.asarray(p).reshape(-1) for t, p in zip(outputs, pushed, strict=True)
        ]
        direction = np.concatenate([d.reshape(-1) for d in directions])
        expected, product = np.concatenate(made), found @ direction
        size = np.maximum(abs(found) @ direction, np.abs(expected))
        room = np.sqrt(max([float(np.finfo(t.dtype).eps) for t in (*outputs, *inputs)])) * size
        # Where the function has no derivative, nothing can be compared, and the matrix says so as well.
        spared = ~(np.isfinite(expected) & np.isfinite(product)) & ~np.isfinite(found.data).all()
        with np.errstate(invalid="ignore"):
            wrong = np.flatnonzero(~((np.abs(product - expected) <= room) | spared))
        if not wrong.size:
            return
        lacking = _lacking(self._detected(outputs, inputs), pattern)
        remedy = "find the pattern at this point, or leave it out"
        raise ValueError(
            f"{self._name}: the matrix is not the derivative at this point: row {wrong[0]} is wrong, of "
            f"{wrong.size} wrong rows"
            + (f", and the pattern lacks the entries {lacking}; {remedy}" if lacking else f"; {remedy}")
        )


class SparseHessian(SparseJacobian):
    """What `sparse_hessian` returns: a Jacobian of the gradient."""

    _name, _dense, _schemes = "sparse_hessian", "hessian", SCHEMES

    def _run(self, variables: Variables, kwargs: dict[str, Any]) -> tuple[Any, Any, Any]:
        f, argnums, has_aux = self._given[:3]
        gradient, value = variables.call(Swapped(f, argnums, has_aux), kwargs)
        return gradient, *(value if has_aux else (value, None))

    def _colored(self, pattern: Sparsity) -> Coloring:
        if self._given[4] is not None:
            return pattern.coloring(self._given[4])
        found = pattern.coloring("star")
        if found.count > found.sparsity.longest_row:
            # Where entries of the diagonal are missing, neighbours may have one colour, but not in a star coloring.
            other = found.sparsity.coloring("column")
            return other if other.count < found.count else found
        return found


def _lacking(needed: Sparsity, pattern: Sparsity) -> list[tuple[int, int]]:
    """The first entries that are needed and not in the pattern."""
    rows, columns = (needed.matrix > pattern.matrix).nonzero()
    return [(int(i), int(j)) for i, j in zip(rows[:5], columns[:5], strict=True)]


for _function in (sparse_hessian, sparse_jacobian, value_and_sparse_hessian, value_and_sparse_jacobian):
    placed(_function, "zen", _function.__name__)
