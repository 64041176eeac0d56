"""What `odeint` returns with events or dense output: the solution as a function of time, and the events on the way.

A solution that the solver found once is known at all times; what is read off it are rows like any other, on which
nothing is solved again. The time of an event is a root, and has the derivative of one.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

from ... import backend, trees
from ...backend import Tensor
from ...ops.operands import raw
from ...ops.register import FUNCTIONS, placed
from ..closures import Closure
from ..implicit.rows import implicit
from ..jacobians import jacobian
from ..unknowns import plain, settled
from ..variables import results as tensors_of
from .rows import Solution
from .solvers import Options, solve


@dataclasses.dataclass(frozen=True, eq=False)
class ODEResult:
    """A solution by `odeint`, with SciPy's names.

    t: the times that were asked for and reached, y: the solution there, as `odeint` returns it. sol: the solution as a
    differentiable function of time (`dense_output`), else None: of a number or a vector between the first and the last
    time. t_events, y_events: for each event function a vector of its times, and the states there, in the structure of
    y0; None without events. status: 0, or 1 where a terminal event ended it. message, nfev, njev, nlu: SciPy's.
    """

    t: Any
    y: Any
    sol: Any
    t_events: list[Any] | None
    y_events: list[Any] | None
    status: int
    message: str
    nfev: int
    njev: int
    nlu: int
    success: bool = True

    def __repr__(self) -> str:
        return f"<zen.ODEResult to t = {float(raw(self.t)[-1]):.6g}, status {self.status}: {self.message}>"


class Dense:
    """The solution as a function of time: `sol(t)`."""

    def __init__(self, problem: Any, options: Options, known: Any, first: float, last: float) -> None:
        self._problem, self._options, self._known = problem, options, known
        self._first, self._last = first, last
        self._closure: Closure | None = None

    def vectors(self, times: Any) -> Any:
        p = self._problem
        made = Solution(p.right, p.flat, p.times[0], times, p.args, self._options, self._closure)
        y = made.attached(self._known)
        if backend.grad_enabled() and self._closure is None:
            self._closure = made.closure
        return y

    def __call__(self, t: Any) -> Any:
        """The state at one time, or at a vector of them."""
        p = self._problem
        t = FUNCTIONS["astype"](t if isinstance(t, Tensor) else backend.wrap(np.asarray(t, np.float64)), np.float64)
        values = raw(t)
        low, high = min(self._first, self._last), max(self._first, self._last)
        if values.ndim > 1 or (values.size and not (values.min() >= low and values.max() <= high)):
            raise ValueError(
                f"odeint: the solution is known from {low:.6g} to {high:.6g}, at a number or a vector of times; asked "
                f"for shape {values.shape}" + (f", {values.min():.6g} to {values.max():.6g}" if values.size else "")
            )
        y = self.vectors(FUNCTIONS["reshape"](t, -1))
        return settled(p.states(y) if values.ndim else p.state(y[0]), p.as_array)

    def __repr__(self) -> str:
        return f"<zen solution of an ODE from t = {self._first:.6g} to {self._last:.6g}>"


def resulting(problem: Any, options: Options, events: Any, dense_output: bool) -> ODEResult:
    """Solve once, and read all off the solution."""
    functions = [] if events is None else list(events) if isinstance(events, (list, tuple)) else [events]
    for g in functions:
        if not callable(g):
            raise TypeError(f"odeint: an event is a function of (t, y, *args), not {type(g).__name__}")
    flat = [_of_vector(problem, g) for g in functions]
    times = raw(problem.times)
    own = options
    if options.jac:
        own = options.with_jac(lambda t, y: plain_jacobian(problem, t, y))
    y0, t0 = problem.unknowns.start, float(times[0])
    wrapped = [_for_scipy(problem, g, function) for g, function in zip(functions, flat, strict=True)]
    made = solve(plain(problem.right, problem.args), y0, t0, times, own, wrapped or None)
    found = made.made
    last = float(times[-1]) if found is None else float(found.t[-1])
    known = _Known(made.at, getattr(made.made, "t", None))
    dense = Dense(problem, options, known, t0, last)
    reached = times <= last if times[-1] >= t0 else times >= last
    t = problem.times if reached.all() else problem.times[: int(reached.sum())]
    t_events, y_events = _events(problem, dense, flat, None if found is None else found.t_events)
    results = t, problem.states(dense.vectors(t)), t_events, y_events
    connected = any([x.requires_grad for x in trees.values(results)])
    t, y, t_events, y_events = settled(results, problem.as_array and not connected)
    return ODEResult(
        t=t, y=y, sol=dense if dense_output else None,
        t_events=t_events if functions else None, y_events=y_events if functions else None,
        status=0 if found is None else int(found.status),
        message="The solver was asked for the first time alone." if found is None else str(found.message),
        nfev=0 if found is None else found.nfev, njev=0 if found is None else found.njev,
        nlu=0 if found is None else found.nlu,
    )  # fmt: skip


class _Known:
    """The solver's own solution, with the times of its steps."""

    def __init__(self, at: Callable[[Any], np.ndarray], ts: Any) -> None:
        self.at, self.ts = at, ts

    def __call__(self, t: Any) -> np.ndarray:
        return self.at(t)


def plain_jacobian(problem: Any, t: float, y: np.ndarray) -> np.ndarray:
    with backend.GradMode(False):
        time = backend.wrap(np.array(t))
        return np.asarray(raw(jacobian(lambda y: problem.right(time, y, *problem.args))(y)))


def _of_vector(problem: Any, g: Callable[..., Any]) -> Callable[..., Any]:
    """An event as a function of a vector that returns a vector of one number."""

    def event(t: Any, y: Any, *args: Any) -> Any:
        out = g(t, problem.unknowns.unravel(y), *args)
        (value, *more) = tensors_of("odeint: an event", out)
        if more or value.size != 1:
            raise ValueError(f"odeint: an event returns one number, not shape {value.shape}")
        return FUNCTIONS["reshape"](value, -1)

    return event


def _for_scipy(problem: Any, g: Any, event: Callable[..., Any]) -> Any:
    values = plain(event, problem.args)

    def function(t: float, y: np.ndarray) -> float:
        return float(values(t, y)[0])

    function.terminal = getattr(g, "terminal", False)  # type: ignore[attr-defined]
    function.direction = getattr(g, "direction", 0)  # type: ignore[attr-defined]
    return function


def _events(problem: Any, dense: Dense, functions: list[Callable[..., Any]], found: Any) -> tuple[list[Any], list[Any]]:
    times, states = [], []
    for k, event in enumerate(functions):
        moments = [] if found is None else [_moment(problem, dense, event, t) for t in found[k]]
        t = FUNCTIONS["concat"](moments) if moments else backend.wrap(np.zeros(0))
        times.append(t)
        states.append(problem.states(dense.vectors(t)))
    return times, states


def _moment(problem: Any, dense: Dense, event: Callable[..., Any], t: float) -> Any:
    """The time of an event, a vector of one: where the event's function of the solution is zero."""

    def residual(t: Any) -> Any:
        return event(t[0], dense.vectors(t)[0], *problem.args)

    remedy = "the event's function does not cross zero with a slope there, so its time has no derivative"
    return implicit("odeint: an event", residual, np.array([t]), (), None, remedy)


placed(ODEResult, "zen", "ODEResult")
