"""The row of a solution: of F(x, *args) = 0, whoever solved it, with the derivative that the implicit function theorem
gives, dx = -(dF/dx)^-1 dF/dargs dargs.

Called by `solutions.py`, `linear_solves.py` and, for the times of events, `odes/results.py`. The derivative is made of
operations that are recorded themselves where it is differentiated, at the solution as the row's own result. So it has
derivatives of every order. Forward mode transposes it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ... import backend
from ...backend import Tensor
from ...ops.operands import raw
from ...ops.register import FUNCTIONS
from ..closures import Closure, each
from ..jacobians import jacobian

Residual = Callable[..., Any]
Transposed = Callable[[Callable[[Any], Any], Any, Any], Any]


def implicit(
    name: str, residual: Residual, x: np.ndarray, args: Sequence[Any], transposed: Any, singular: str
) -> Tensor:
    """The vector `x`, for which `residual(x, *args)` is a vector of zeros, as a function of `args` and all else that
    the residual depends on.

    transposed: `transposed(F, x, g)` solves (dF/dx)^T v = g, on arrays or, recorded, on Tensors; None for one that
    computes the matrix. singular: what the error says where that has no inverse.
    """
    if not backend.grad_enabled():
        return backend.wrap(np.array(x))
    return _Solution(name, residual, np.array(x), args, transposed, singular).attached()


class _Solution:
    """One solution."""

    def __init__(
        self, name: str, residual: Residual, x: np.ndarray, args: Sequence[Any], transposed: Any, singular: str
    ) -> None:
        self.closure = Closure(name, residual, args)
        self.name, self.x, self.transposed, self.singular = name, x, transposed, singular
        self.matrix: np.ndarray | None = None

    def attached(self) -> Tensor:
        self.closure.explore(self.x)
        inputs = self.closure.inputs
        if not inputs:
            return backend.wrap(self.x)
        count = len(inputs)
        reads = (*[2] * len(self.closure.given), *[0] * len(self.closure.free), 2)
        row = backend.Row(
            self.name, count, lambda *_: self.x.copy(), lambda: ((self.pull,), (reads,)), joint=True,
        )  # fmt: skip
        made: Tensor = backend.apply(row, inputs, ())
        return made

    def pull(self, f: Any, g: Any, args: Any, results: Any, wanted: Any) -> tuple[Any, ...]:
        return each(lambda c: self.pulled(c, args, results[0]), g)

    def pulled(self, g: Any, args: Any, x: Any) -> tuple[Any, ...]:
        """The gradients by each input: -<v, dF>, where (dF/dx)^T v = g."""
        self.closure.check()
        recorded = isinstance(g, Tensor) and backend.grad_enabled()
        variables, out = self.closure.run((x,), args[: len(self.closure.given)])
        own_x, *given = variables if recorded else [t.detach() for t in variables]

        def of_x(x: Any) -> Any:
            return self.closure.f(x, *self.closure.filled(given))

        if recorded:
            v = self.solved(of_x, own_x, g)
            return tuple([-part for part in self.closure.pull(variables, out, v, True)[1:]])
        with backend.GradMode(False):
            v = np.asarray(raw(self.solved(of_x, own_x, raw(g))), self.x.dtype)
        found = self.closure.pull(variables, out, -v, False)[1:]
        return tuple([backend.wrap(part) for part in found] if isinstance(g, Tensor) else found)

    def solved(self, of_x: Callable[[Any], Any], x: Tensor, g: Any) -> Any:
        if self.transposed is not None:
            return self.transposed(of_x, x, g)
        if backend.grad_enabled():
            matrix: Any = jacobian(of_x)(x)
            self.refuse_singular(raw(matrix))
        else:
            if self.matrix is None:
                self.matrix = np.asarray(raw(jacobian(of_x)(x)))
                self.refuse_singular(self.matrix)
            matrix = self.matrix
        column = FUNCTIONS["solve"](FUNCTIONS["matrix_transpose"](matrix), g[:, None])
        return column[:, 0]

    def refuse_singular(self, matrix: Any) -> None:
        check_regular(self.name, matrix, self.singular)


def check_regular(name: str, matrix: np.ndarray, remedy: str) -> None:
    """LinAlgError where the matrix has no inverse to the precision of its dtype."""
    if not matrix.size:
        return
    if not np.isfinite(matrix).all():
        raise FloatingPointError(f"{name}: the derivative of the function at the solution is not finite")
    values = np.linalg.svd(matrix, compute_uv=False)
    if values[-1] <= values[0] * np.finfo(matrix.dtype).eps * len(matrix):
        rank = int((values > values[0] * np.finfo(matrix.dtype).eps * len(matrix)).sum())
        idle = np.flatnonzero(~matrix.any(0))
        where = f" (it does not depend on entry {idle[0]} of x)" if idle.size else ""
        raise np.linalg.LinAlgError(
            f"{name}: the Jacobian of the function by x, of shape {matrix.shape}, is singular{where}: its rank is "
            f"{rank}; {remedy}"
        )
