"""Newton's method for a root, and for a minimum, of functions of one vector in plain NumPy. Called by `solutions.py`.

Dennis and Schnabel, Numerical Methods for Unconstrained Optimization, 1983: algorithms A5.5.1 (a Hessian made positive
definite by a multiple of the identity) and A6.3.1 (line search by backtracking).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

Vector = Callable[[np.ndarray], np.ndarray]


class Found(NamedTuple):
    """Where a solver stopped: the point, the largest residual there, steps taken, whether it got there and why not."""

    x: np.ndarray
    residual: float
    iterations: int
    converged: bool
    message: str = ""


def largest(v: Any) -> float:
    """The maximum norm; nan if one is."""
    return float(np.max(np.abs(v))) if np.size(v) else 0.0


def root(f: Vector, jacobian: Vector, x: np.ndarray, tol: float, steps: int) -> Found:
    """A zero of `f`, damped so that the sum of squares falls: where no entry exceeds `tol`, or a step is rounding."""
    value = f(x)
    for k in range(steps):
        norm = largest(value)
        matrix = jacobian(x)
        try:
            step = np.linalg.solve(matrix, -value)
        except np.linalg.LinAlgError:
            idle = np.flatnonzero(~matrix.any(0))
            why = f": the function does not depend on entry {idle[0]} of x" if idle.size else ""
            return Found(x, norm, k, norm <= tol, f"the Jacobian of the function by x is singular there{why}")
        if not np.isfinite(step).all():
            return Found(x, norm, k, norm <= tol, "the Jacobian of the function by x is not finite there")
        if norm <= tol:  # near to the root one more step gives all digits
            better = largest(f(x + step))
            return Found(x + step, better, k, True) if better <= norm else Found(x, norm, k, True)
        tiny = 4 * np.finfo(x.dtype).eps * (largest(x) + tol)
        if largest(step) <= tiny:
            return Found(x + step, norm, k, True)
        scale, squares = 1.0, value @ value
        # What rounding alone makes of each equation: one of large numbers must not hold up the others.
        noise = 4 * np.finfo(x.dtype).eps * (np.abs(matrix) @ np.abs(x))
        while True:
            after = x + scale * step
            new = f(after)
            if np.isfinite(new).all() and new @ new <= (1 - 2e-4 * scale) * squares:
                break
            if scale == 1.0 and (np.abs(new) <= np.maximum((1 - 2e-4) * np.abs(value), noise)).all():
                break
            if largest(scale * step) <= tiny:
                return Found(x, norm, k, False, "no step along Newton's direction reduces the residual")
            scale *= 0.5
        x, value = after, new
    norm = largest(value)
    return Found(x, norm, steps, norm <= tol, "more iterations would be needed")


def minimum(f: Callable[[np.ndarray], float], gradient: Vector, hessian: Vector, x: np.ndarray, tol: float,
            steps: int) -> Found:  # fmt: skip
    """A local minimum of `f`, by steps that descend."""
    for k in range(steps):
        slope = gradient(x)
        norm = largest(slope)
        if norm <= tol:
            return Found(x, norm, k, True)
        matrix = hessian(x)
        if not (np.isfinite(matrix).all() and np.isfinite(norm)):
            return Found(x, norm, k, False, "a derivative is not finite there")
        step = _descent(matrix, slope)
        tiny = 4 * np.finfo(x.dtype).eps * (largest(x) + tol)
        if largest(step) <= tiny:
            return Found(x + step, norm, k, True)
        value, falls, scale = f(x), float(slope @ step), 1.0
        noise = 8 * np.finfo(x.dtype).eps * abs(value)
        while True:
            after = x + scale * step
            new = f(after)
            if np.isfinite(new) and new <= value + 1e-4 * scale * falls + (noise if scale == 1.0 else 0.0):
                break
            if largest(scale * step) <= tiny:
                return Found(x, norm, k, False, "no step along Newton's direction reduces the function")
            scale *= 0.5
        x = after
    norm = largest(gradient(x))
    return Found(x, norm, steps, norm <= tol, "more iterations would be needed")


def _descent(matrix: np.ndarray, slope: np.ndarray) -> np.ndarray:
    """Newton's step; from a Hessian that is not positive definite, one made so."""
    shift, least = 0.0, 1e-3 * (float(np.abs(np.diag(matrix)).max(initial=0.0)) or 1.0)
    while True:
        try:
            lower = np.linalg.cholesky(matrix + shift * np.eye(len(matrix), dtype=matrix.dtype))
            return np.asarray(-np.linalg.solve(lower.T, np.linalg.solve(lower, slope)))
        except np.linalg.LinAlgError:
            shift = max(2 * shift, least)
