"""SciPy's solvers of initial value problems: one call, its errors, and what the derivatives ask of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ...dtypes import COMPLEX
from ...extras import scipy_module

METHODS = ("RK45", "RK23", "DOP853", "Radau", "BDF", "LSODA")
_IMPLICIT = ("Radau", "BDF", "LSODA")

Right = Callable[[float, np.ndarray], np.ndarray]


@dataclasses.dataclass(frozen=True)
class Options:
    """How an equation is solved. jac: df/dy as a function of (t, y), where the method wants it and somebody has it."""

    method: str = "RK45"
    rtol: float = 1e-8
    atol: float = 1e-8
    max_step: float = float("inf")
    first_step: float | None = None
    sensitivity: str = "adjoint"
    jac: Any = None

    def with_jac(self, jac: Any = None) -> Options:
        """For another equation; without a Jacobian SciPy finds it by differences."""
        return dataclasses.replace(self, jac=jac, first_step=None)


class Solved(NamedTuple):
    """at: the solution as a function of time. last: where it ended. made: what SciPy returned."""

    at: Any
    last: np.ndarray
    made: Any


def solve(f: Right, y0: np.ndarray, t0: float, times: np.ndarray, options: Options, events: Any = None) -> Solved:
    """Solve from t0 to the farthest of the times."""
    if not times.size or not np.any(times != t0):
        return Solved(lambda t: y0 if np.ndim(t) == 0 else np.repeat(y0[:, None], len(t), 1), y0, None)
    solve_ivp = scipy_module("integrate", "zen.odeint").solve_ivp
    end = float(times[np.argmax(np.abs(times - t0))])
    given: dict[str, Any] = {} if not options.jac or options.method not in _IMPLICIT else {"jac": options.jac}
    if options.first_step is not None:
        given["first_step"] = options.first_step
    if y0.dtype in COMPLEX and options.method in ("LSODA", "Radau"):
        raise TypeError(f"odeint: {options.method} solves real equations only; take another method for complex ones")

    def right(t: float, y: np.ndarray) -> np.ndarray:
        return f(t, y.astype(y0.dtype, copy=False))

    with np.errstate(all="ignore"):
        made = solve_ivp(
            right, (t0, end), y0, method=options.method, rtol=options.rtol, atol=options.atol,
            max_step=options.max_step, dense_output=True, events=events, **given,
        )  # fmt: skip
    if made.status < 0 or not np.isfinite(made.y[:, -1]).all():
        message = made.message if made.status < 0 else "the solution is not finite."
        way = f"at t = {made.t[-1]:.6g}, on the way from {t0:.6g} to {end:.6g}"
        raise RuntimeError(
            f"odeint: {options.method} failed {way}: {message} "
            "The solution may be infinite or not smooth there; if it is stiff, take method='Radau' or 'LSODA'; else "
            "raise rtol and atol, or end before"
        )
    return Solved(made.sol, made.y[:, -1], made)
