"""The function to minimise as SciPy calls it: of a vector, with what the method wants of its derivatives.

`minimizing.py` makes one `Objective` for each run, `constraints.py` uses `Vector` for the functions of constraints and
`fitting.py` and `roots.py` for residuals. They hold nothing that other threads see.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from .. import backend, trees
from ..backend import Tensor
from ..batched import Batched
from ..dtypes import DEFAULT, FLOATING, INTEGER
from ..ops.operands import raw
from ..ops.register import FUNCTIONS
from ..transforms.hessians import hessian
from ..transforms.jacobians import jacobian
from ..transforms.linear import linearize
from ..transforms.raveling import ravel_tree
from ..transforms.reverse import grad, value_and_grad
from ..transforms.sparse.derivatives import sparse_jacobian
from ..transforms.sparse.sparsity import Sparsity
from .layout import Array, Layout, numbers, refuse_connected

Function = Callable[..., Any]


class Objective:
    """A function of nested parameters that returns one number. jac, hess, hessp: the user's own, or None.

    best: the least value so far. Nothing is computed twice for the vector that came last.
    """

    def __init__(self, operation: str, f: Function, layout: Layout, args: tuple[Any, ...]) -> None:
        if not callable(f):
            raise TypeError(f"{operation}: the first argument is a function, not {type(f).__name__}")
        self.operation, self.f, self.layout, self.args = operation, f, layout, args
        self.best = math.inf
        # No closure refers to `self`: a circle would keep it, and the data of f, until Python next looks for circles.
        self._checked = _one_number(operation, f, args)
        self._moves_part = not layout.plain and any([leaf.is_fixed for leaf in layout.leaves])
        self._both = value_and_grad(_with_fixed(layout, self._checked) if self._moves_part else self._checked)
        self._shape = layout.leaves[0].start.shape
        self._at: Array | None = None
        self._push: Function | None = None

    def value(self, x: Array) -> float:
        """The value alone, from a function of parameters as they were given: it need not use zen."""
        return self.number(self.f(self.layout.given(x), *self.args))

    def value_and_gradient(self, x: Array) -> tuple[float, Array]:
        layout = self.layout
        if layout.plain:
            value, found = self._both(x if x.ndim == len(self._shape) == 1 else x.reshape(self._shape))
        elif self._moves_part:
            pairs = zip(layout.arrays(x), layout.leaves, strict=True)
            value, found = self._both([a for a, leaf in pairs if not leaf.is_fixed])
        else:
            value, found = self._both(layout.tree(layout.arrays(x)))
        # A Tensor is what somebody else differentiates.
        value = value.item() if isinstance(value, (np.ndarray, np.generic)) else self.number(value)
        if value < self.best:
            self.best = value
        if layout.plain:
            found = raw(found)
            return value, found if found.ndim == 1 else found.reshape(-1)
        values = [np.asarray(raw(g)) for g in trees.values(found)]
        if self._moves_part:
            rest = iter(values)
            values = [leaf.start if leaf.is_fixed else next(rest) for leaf in layout.leaves]
        return value, layout.join(values)

    def hessian(self, x: Array) -> Array:
        """The matrix of second derivatives by the free elements."""
        found = hessian(self.layout.flat(self._checked))(x)
        return self._matrix(found)

    def product(self, x: Array, direction: Array) -> Array:
        """The Hessian at x times a vector: the gradient is recorded once for all vectors at one x."""
        if self._push is None or self._at is None or not np.array_equal(self._at, x):
            self._at = np.array(x)
            value, self._push = linearize(grad(self.layout.flat(self._checked)), self._at)
            self._detached(value)
        return np.asarray(raw(self._push(np.asarray(direction, DEFAULT))))

    def _matrix(self, found: Any) -> Array:
        self._detached(found)
        return np.asarray(raw(found), DEFAULT)

    def _detached(self, found: Any) -> None:
        refuse_connected(self.operation, found, "what the function uses besides its parameters")

    def number(self, value: Any) -> float:
        """A value as a float, where it is one number that nobody differentiates."""
        self._detached(value)
        if isinstance(value, Batched):
            value.__float__()
        if value is None or isinstance(value, (list, tuple, dict)):
            raise _refusal(self.operation, value, False)
        array = np.asarray(raw(value))
        if array.size != 1 or array.dtype not in FLOATING | INTEGER:
            raise _refusal(self.operation, value, False)
        found = float(array.item())
        self.best = min(self.best, found)
        return found


def _one_number(operation: str, f: Function, args: tuple[Any, ...]) -> Function:
    """The function of the parameters alone, whose result is checked."""

    def checked(params: Any) -> Any:
        value = f(params, *args)
        if isinstance(value, (Tensor, Batched)) and value.size == 1 and value.dtype in FLOATING:
            return value
        raise _refusal(operation, value, True)

    return checked


def _with_fixed(layout: Layout, f: Function) -> Function:
    """The function of the leaves that move, in a list."""

    def of_moving(moving: list[Any]) -> Any:
        rest = iter(moving)
        leaves = [backend.wrap(leaf.start) if leaf.is_fixed else next(rest) for leaf in layout.leaves]
        return f(layout.tree(leaves))

    return of_moving


def _refusal(operation: str, value: Any, differentiated: bool) -> Exception:
    what = f"{operation}: the function returned"
    if not isinstance(value, (Tensor, Batched, np.ndarray)):
        if isinstance(value, (tuple, list, dict)) or value is None or not differentiated:
            return TypeError(f"{what} {type(value).__name__}, but must return one number")
        return TypeError(
            f"{what} {type(value).__name__}, not a Tensor, so its derivative is lost; compute it with operations "
            "on Tensors (float(), item(), math.* leave the graph), give jac=, or take a method without "
            "derivatives such as 'Nelder-Mead'"
        )
    if value.size != 1:
        return ValueError(
            f"{what} shape {value.shape}, but must return one number; reduce it, for example with .sum(), or give "
            "the residuals to zen.optimize.least_squares"
        )
    return TypeError(f"{what} dtype {value.dtype}, but must return one real number; make it float64")


class Vector:
    """A function of nested parameters that returns any numbers, as one of a vector that returns a vector."""

    def __init__(
        self, operation: str, what: str, f: Function, layout: Layout, args: tuple[Any, ...], kwargs: Any = None
    ) -> None:
        if not callable(f):
            raise TypeError(f"{operation}: {what} must be a function, not {type(f).__name__}")
        self.operation, self.what, self.f, self.layout, self.args = operation, what, f, layout, args
        self.kwargs = kwargs or {}
        self.size: int | None = None
        self._flat = layout.flat(_numbers_of(operation, what, f, args, self.kwargs))
        self._jacobian = jacobian(self._flat)

    def value(self, x: Array) -> Array:
        """The numbers from Tensors, as where a derivative is taken."""
        layout = self.layout
        if layout.plain:
            tree: Any = backend.wrap(np.array(x).reshape(layout.leaves[0].start.shape))
        else:
            tree = layout.tree([backend.wrap(np.array(a)) for a in layout.arrays(x)])
        return self._vector(self.f(tree, *self.args, **self.kwargs))

    def plain_value(self, x: Array) -> Array:
        """The numbers from parameters as they were given."""
        return self._vector(self.f(self.layout.given(x), *self.args, **self.kwargs))

    def jacobian(self, x: Array) -> Array:
        """One row for each number, one column for each free element; by rows or columns, whichever are fewer."""
        found = self._jacobian(x)
        self._detached(found)
        return np.asarray(raw(found), DEFAULT).reshape(-1, self.layout.size)

    def sparse_jacobian(self, pattern: Sparsity) -> Function:
        """The Jacobian as a function of x that returns a sparse matrix of this pattern."""
        return sparse_jacobian(self._flat, pattern=pattern)

    def weighted_products(self, x: Array, weights: Array) -> Function:
        """The product of the Hessian of `weights @ f` with vectors, at x."""
        w = np.asarray(weights, DEFAULT)

        def weighted(v: Any) -> Any:
            return (FUNCTIONS["reshape"](self._flat(v), -1) * w).sum()

        value, push = linearize(grad(weighted), np.array(x))
        self._detached(value)
        return lambda p: np.asarray(raw(push(np.asarray(p, DEFAULT).reshape(-1))))

    def _vector(self, value: Any) -> Array:
        for leaf in [value] if isinstance(value, Tensor) else trees.values(value):
            self._detached(leaf)
        found = numbers(self.operation, self.what, value)
        if self.size is None:
            self.size = found.size
        elif self.size != found.size:
            raise ValueError(f"{self.operation}: {self.what} returned {found.size} numbers, and {self.size} before")
        return found

    def _detached(self, found: Any) -> None:
        refuse_connected(self.operation, found, f"what {self.what} uses besides its parameters")


def _numbers_of(operation: str, what: str, f: Function, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Function:
    """The function of the parameters alone, whose result is one Tensor."""

    def checked(params: Any) -> Any:
        value = f(params, *args, **kwargs)
        if isinstance(value, (list, tuple, dict)):
            value = ravel_tree(value)[0]
        if isinstance(value, (Tensor, Batched)) and value.dtype in FLOATING:
            return value
        if isinstance(value, (Tensor, Batched)):
            raise TypeError(f"{operation}: {what} returned dtype {value.dtype}; it returns real numbers")
        raise TypeError(
            f"{operation}: {what} returned {type(value).__name__}, not a Tensor, so its derivative is lost; compute it "
            "with operations on Tensors (float(), item(), math.* leave the graph), or give jac="
        )

    return checked
