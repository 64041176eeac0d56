"""Constraints on nested parameters as SciPy takes them: of the vector, with Jacobians and Hessians filled in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import trees
from ..dtypes import DEFAULT
from ..ops.operands import raw
from .layout import Array, Layout
from .objective import Vector

KINDS = {"eq": "eq", "ineq": "ineq"}


def translated(layout: Layout, constraints: Any, method: str, scipy: Any) -> list[Any]:
    """The constraints for a method of SciPy's.

    constraints: one, or a sequence, of SciPy's dicts {"type", "fun", "jac", "args"}, `NonlinearConstraint` and
    `LinearConstraint`. Functions get the parameters in their structure and may return any arrays. The columns of the
    matrix of a LinearConstraint are all elements of the parameters, in the order of `zen.ravel_tree`.
    """
    if isinstance(constraints, dict) or hasattr(constraints, "lb"):
        constraints = [constraints]
    found = []
    for k, c in enumerate(constraints):
        what = f"constraint {k}" if len(constraints) > 1 else "the constraint"
        if isinstance(c, dict):
            found.append(_of_dict(layout, c, method, what, scipy))
        elif isinstance(c, scipy.LinearConstraint):
            found.append(_linear(layout, c, what, scipy))
        elif isinstance(c, scipy.NonlinearConstraint):
            found.append(_nonlinear(layout, c, method, what, scipy))
        else:
            raise TypeError(
                f"{layout.operation}: {what} is {type(c).__name__}; expected a dict with type and fun, a "
                "scipy.optimize.NonlinearConstraint or a LinearConstraint"
            )
    return found


def _of_dict(layout: Layout, given: dict[str, Any], method: str, what: str, scipy: Any) -> Any:
    kind = str(given.get("type", "")).lower()
    if kind not in KINDS or "fun" not in given:
        raise ValueError(
            f'{layout.operation}: {what} is a dict with type "eq" or "ineq" and fun; it has {sorted(map(str, given))}, '
            f"with type {given.get('type')!r}"
        )
    args = given.get("args", ())
    function = Vector(layout.operation, what, given["fun"], layout, args if isinstance(args, tuple) else (args,))
    jac = given.get("jac")
    value, slope = _with_jacobian(function, jac, method, what)
    if method == "trust-constr":
        hess = _hessian(function, scipy) if jac is None else scipy.BFGS()
        return scipy.NonlinearConstraint(value, 0.0, 0.0 if kind == "eq" else np.inf, slope, hess)
    return {"type": kind, "fun": value, **({"jac": slope} if callable(slope) else {})}


def _nonlinear(layout: Layout, given: Any, method: str, what: str, scipy: Any) -> Any:
    function = Vector(layout.operation, what, given.fun, layout, ())
    is_left = given.jac is None or (isinstance(given.jac, str) and given.jac == "2-point")  # what SciPy puts in
    value, slope = _with_jacobian(function, None if is_left else given.jac, method, what)
    hess = given.hess
    if callable(hess) and not isinstance(hess, scipy.HessianUpdateStrategy):
        theirs = hess
        hess = lambda x, v: free_block(layout, theirs(layout.given(x), v), what)  # noqa: E731
    elif method == "trust-constr" and is_left and isinstance(hess, scipy.BFGS):  # likewise
        hess = _hessian(function, scipy)
    return scipy.NonlinearConstraint(
        value, given.lb, given.ub, slope, hess, given.keep_feasible, given.finite_diff_rel_step,
        given.finite_diff_jac_sparsity,
    )  # fmt: skip


def _with_jacobian(function: Vector, jac: Any, method: str, what: str) -> tuple[Callable[[Array], Array], Any]:
    """The values, and their Jacobian where the method asks for one."""
    layout = function.layout
    if method in ("cobyla", "cobyqa"):
        return function.plain_value, "2-point"
    if jac is None:
        return function.value, function.jacobian
    if not callable(jac):
        return function.plain_value, jac

    def slope(x: Array) -> Any:
        return free_columns(layout, jac(layout.given(x), *function.args), f"jac of {what}")

    return function.plain_value, slope


def free_columns(layout: Layout, given: Any, what: str) -> Any:
    """A Jacobian that a user's function returned, in the columns of the free elements.

    It is a matrix with a column for each element of the parameters, or in their structure, each leaf of shape
    (rows, *leaf); sparse ones stay sparse.
    """
    if hasattr(given, "tocsc"):
        return given if layout.all_free else given.tocsc()[:, layout.chosen()]
    if isinstance(given, (dict, list, tuple)) and not layout.alone:
        parts = trees.matched(layout.params, given)
        if parts is not None:
            rows = []
            for part, leaf in zip(parts, layout.leaves, strict=True):
                a = np.asarray(raw(part), DEFAULT)
                if a.size % max(leaf.start.size, 1) or a.shape[a.ndim - leaf.start.ndim :] != leaf.start.shape:
                    raise ValueError(
                        f"{layout.operation}: {what} has shape {a.shape} at {leaf.path}, whose shape is "
                        f"{leaf.start.shape}"
                    )
                rows.append(a.reshape(-1, leaf.start.size))
            return np.hstack(rows)[:, layout.chosen()]
    a = np.asarray(raw(given), DEFAULT)
    if a.size % layout.total:
        raise ValueError(
            f"{layout.operation}: {what} has shape {a.shape}; expected rows of {layout.total} numbers, as "
            f"{layout.role} has"
        )
    return a.reshape(-1, layout.total)[:, layout.chosen()]


def free_block(layout: Layout, matrix: Any, what: str) -> Any:
    """The rows and columns of the free elements of a user's Hessian."""
    if layout.all_free:
        return raw(matrix)
    if not hasattr(matrix, "shape") or matrix.shape != (layout.total, layout.total) or hasattr(matrix, "matvec"):
        raise ValueError(
            f"{layout.operation}: hess of {what} must return a matrix of shape {(layout.total, layout.total)} where "
            "parameters are fixed"
        )
    free = np.flatnonzero(layout.chosen())
    return raw(matrix)[free][:, free]


def _hessian(function: Vector, scipy: Any) -> Callable[[Array, Array], Any]:
    """The Hessian of `v @ f` as an operator: trust-constr asks for nothing but its products."""
    from scipy.sparse.linalg import LinearOperator

    def hess(x: Array, v: Array) -> Any:
        n = x.size
        product = function.weighted_products(x, v)
        return LinearOperator((n, n), matvec=product, rmatvec=product, dtype=DEFAULT)

    return hess


def _linear(layout: Layout, given: Any, what: str, scipy: Any) -> Any:
    if given.A.shape[1] != layout.total:
        raise ValueError(
            f"{layout.operation}: the matrix of {what} has {given.A.shape[1]} columns, and {layout.role} has "
            f"{layout.total} numbers"
        )
    if layout.all_free:
        return given
    free, shift = layout.chosen(), given.A @ layout.offsets()
    matrix = given.A.tocsc()[:, free] if hasattr(given.A, "tocsc") else given.A[:, free]
    return scipy.LinearConstraint(matrix, given.lb - shift, given.ub - shift, given.keep_feasible)
