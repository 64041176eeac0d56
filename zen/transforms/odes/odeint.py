"""`odeint`: solutions of ordinary differential equations, by SciPy's solvers, with derivatives by further equations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ... import backend, trees
from ...backend import Tensor
from ...batched import Batched, Unbatched
from ...conversion import convert
from ...dtypes import COMPLEX, DEFAULT, FLOATING
from ...ops.operands import raw
from ...ops.register import FUNCTIONS, placed
from ..levels import within
from ..unknowns import Unknowns, check_number, holds_tensors, plain, settled
from .results import resulting
from .rows import solution
from .solvers import METHODS, Options


def odeint(
    f: Callable[..., Any], y0: Any, t: Any, *args: Any, method: str = "RK45", rtol: float = 1e-8, atol: float = 1e-8,
    events: Any = None, dense_output: bool = False, sensitivity: str = "adjoint", max_step: float = float("inf"),
    first_step: float | None = None,
) -> Any:  # fmt: skip
    """The solution y of dy/dt = `f(t, y, *args)` with y = y0 at t[0], at the times `t`, by SciPy's `solve_ivp`.

    f: returns what has the structure and shapes of y, made of differentiable operations. y0: numbers, arrays or
    Tensors of any shape, in nested containers; real or complex. t: a vector of times that rise or fall. args: anything.
    Returns y at all times: for each leaf of y0 one of shape (len(t), *leaf.shape) and its dtype; Tensors where an
    argument is a Tensor or something that f uses requires a gradient. Equations are solved in float64.
    method: "RK45", "RK23", "DOP853", for stiff equations "Radau", "BDF", "LSODA"; with df/dy by zen for the last three.
    rtol, atol: how far each step may be off; derivatives are about as accurate. max_step, first_step: as in SciPy.

    Differentiable in y0, every time in t, args, and Tensors that f uses, to any order, in every mode. sensitivity:
    "adjoint", in reverse mode one equation backwards in time, which costs the same however many parameters there are
    (Chen et al. 2018), with y from the solution that was found; or "forward", the Jacobian by all parameters beside y,
    for few parameters, and for higher derivatives of stiff equations, where y0 is real. Forward mode solves for the
    tangent beside y.

    events: a function `event(t, y, *args)` of one number, or a list of these, whose zeros on the way are found; as in
    SciPy, `event.terminal` (the solution ends there; an int: at so many of them) and `event.direction`. Their times and
    the states there are differentiable too. With events, or with dense_output=True, an `ODEResult` is returned.

    In `zen.vmap` the examples are solved one after the other. Raises RuntimeError where the solver fails, or the right
    side changed before its derivative was computed, ValueError for times out of order and what f may not return.

    >>> import numpy as np, zen
    >>> decay = lambda k: zen.odeint(lambda t, y, k: -k * y, 1.0, np.array([0.0, 1.0]), k)[-1]
    >>> round(float(decay(2.0)), 6), round(float(zen.grad(decay)(2.0)), 6)
    (0.135335, -0.135335)
    """
    if not callable(f):
        raise TypeError(f"odeint: expected a function, not {type(f).__name__}")
    if method not in METHODS:
        raise ValueError(f"odeint: there is no method {method!r}; there are {', '.join(METHODS)}")
    if sensitivity not in ("adjoint", "forward"):
        raise ValueError(f"odeint: sensitivity is 'adjoint' or 'forward', not {sensitivity!r}")
    for name, value in (("rtol", rtol), ("atol", atol), ("max_step", max_step), ("first_step", first_step)):
        if name != "first_step" or value is not None:
            check_number("odeint", name, value)
    with within(()):
        problem = Problem(f, y0, t, args)
        options = Options(method, rtol, atol, max_step, first_step, sensitivity, problem.jac(method))
        if events is not None or dense_output:
            return resulting(problem, options, events, dense_output)
        times = problem.times
        y = solution(problem.right, problem.flat, times[0], times, problem.args, options)
        return problem.handed(y)


class Problem:
    """The arguments of one call: y0 as a vector, and f as a function of such."""

    def __init__(self, f: Callable[..., Any], y0: Any, t: Any, args: tuple[Any, ...]) -> None:
        self.f, self.args = f, args
        given = Unknowns("odeint", "y0", y0, or_complex=True)
        self.dtypes = [x.dtype for x in trees.values([given.tree])]
        wide = trees.transform(_widened, [given.tree])[0]
        self.unknowns = Unknowns("odeint", "y0", wide, or_complex=True)
        if self.unknowns.start.dtype in COMPLEX and len({d in COMPLEX for d in self.dtypes}) > 1:
            raise TypeError("odeint: y0 holds real and complex numbers; make all of them complex")
        self.flat = self.unknowns.flat
        self.times = _times(t)
        self.as_array = not (given.has_tensors or holds_tensors(t, args))
        first = plain(self.right, args)(raw(self.times)[0], self.unknowns.start)
        if not np.isfinite(first).all():
            raise FloatingPointError("odeint: the function gives nan or infinity at t[0] and y0")

    def right(self, t: Any, y: Any, *args: Any) -> Any:
        return self.unknowns.raveled(self.f(t, self.unknowns.unravel(y), *args), True)

    def jac(self, method: str) -> bool:
        """Whether zen gives the solver df/dy."""
        return method in METHODS[3:] and self.unknowns.start.dtype not in COMPLEX

    def state(self, y: Any) -> Any:
        """One vector as the caller's structure."""
        parts = trees.values([self.unknowns.unravel(y)])
        return trees.rebuild(self.unknowns.tree, [_cast(p, d) for p, d in zip(parts, self.dtypes, strict=True)])

    def states(self, y: Any) -> Any:
        """Vectors, one for each time, likewise."""
        n, parts, first = y.shape[0], [], 0
        for shape, dtype in zip(self.unknowns.shapes, self.dtypes, strict=True):
            size = int(np.prod(shape, dtype=np.intp))
            parts.append(_cast(FUNCTIONS["reshape"](y[:, first : first + size], (n, *shape)), dtype))
            first += size
        return trees.rebuild(self.unknowns.tree, parts)

    def handed(self, y: Any) -> Any:
        return settled(self.states(y), self.as_array)


def _widened(x: Any) -> Any:
    """In the precision in which equations are solved."""
    dtype = np.dtype(np.complex128) if x.dtype in COMPLEX else DEFAULT
    return x if x.dtype == dtype else FUNCTIONS["astype"](x, dtype) if isinstance(x, Tensor) else x.astype(dtype)


def _cast(x: Any, dtype: Any) -> Any:
    return x if x.dtype == dtype else FUNCTIONS["astype"](x, dtype)


def _times(t: Any) -> Any:
    """The times as a Tensor of float64, checked."""
    if type(t) is Batched:
        raise Unbatched("odeint solves for one example after the other")
    if isinstance(t, (list, tuple)):
        t = FUNCTIONS["stack"](list(t)) if any([isinstance(x, Tensor) for x in t]) else np.asarray(t)
    t = t if isinstance(t, Tensor) else backend.wrap(np.array(convert(t)))
    if t.dtype not in FLOATING:
        if t.dtype in COMPLEX or t.dtype == bool:
            raise TypeError(f"odeint: times are real numbers, not {t.dtype}")
        t = backend.wrap(t._array.astype(DEFAULT))
    t = t if t.dtype == DEFAULT else FUNCTIONS["astype"](t, DEFAULT)
    if t.ndim != 1 or not t.size:
        raise ValueError(f"odeint: t is a vector of at least one time, the first that of y0, not of shape {t.shape}")
    steps = np.diff(t._array)
    if not np.isfinite(t._array).all() or not (np.all(steps > 0) or np.all(steps < 0)):
        raise ValueError("odeint: the times must be finite, and all rise or all fall, without one coming twice")
    return t


placed(odeint, "zen", "odeint")
