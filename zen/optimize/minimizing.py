"""`minimize`: SciPy's methods on functions of nested parameters, with the derivatives that each method wants."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..dtypes import DEFAULT
from ..extras import scipy_module
from ..ops.operands import raw
from ..transforms.unknowns import check_number
from .bounds import limits
from .constraints import free_block, translated
from .layout import Array, Layout
from .objective import Objective
from .reports import Bar, Fit, callback_for, structured

METHODS = (
    "Nelder-Mead", "Powell", "CG", "BFGS", "Newton-CG", "L-BFGS-B", "TNC", "COBYLA", "COBYQA", "SLSQP", "trust-constr",
    "dogleg", "trust-ncg", "trust-exact", "trust-krylov",
)  # fmt: skip
_NAMES = {m.lower() for m in METHODS}
VALUES = {"nelder-mead", "powell", "cobyla", "cobyqa"}
"""Methods that want no derivative."""
MATRICES, PRODUCTS = {"dogleg", "trust-exact"}, {"newton-cg", "trust-ncg", "trust-krylov", "trust-constr"}
"""Methods that want the Hessian, and those that are served by its products."""


def minimize(
    f: Callable[..., Any], params: Any, args: Any = (), method: Any = None, jac: Any = None, hess: Any = None,
    hessp: Any = None, bounds: Any = None, constraints: Any = (), tol: float | None = None,
    callback: Callable[..., Any] | None = None, options: dict[str, Any] | None = None, *, fixed: Any = None,
    progress: bool = False,
) -> Any:  # fmt: skip
    """`scipy.optimize.minimize` of `f(params, *args)`, one number, with derivatives filled in as the method wants.

    params: where to start: numbers, arrays or Tensors in nested lists, tuples, named tuples and dicts, such as
        `dict(model.named_parameters())` for `nn.functional_call`. A list of numbers is a container; a vector is an
        array. `f` gets Tensors in the same structure, of their dtypes; SciPy itself computes in float64, so a function
        of float32 has float32's noise: take float64, or a larger `tol`. Integers count as float64.
    args: what `f` gets besides. Arrays up to 1 MiB that a derivative needs are copied at each evaluation, because `f`
        may write to them; data as Tensors (`zen.tensor(x)`) are not.
    method: any of SciPy's. Gradients come from the pass that computes the value; dogleg and trust-exact get the
        Hessian; Newton-CG, trust-ncg, trust-krylov and trust-constr its products with vectors. Nelder-Mead, Powell,
        COBYLA and COBYQA want none of these: for them, and where `jac` is given, `f` gets parameters as they were
        given and may be any code.
    jac, hess, hessp: as in SciPy, to use instead: functions of `(params, *args)` that return a gradient in the
        structure of params, and a Hessian as a matrix of all elements in the order of `zen.ravel_tree`; of `(params, p,
        *args)`, both and the product in that structure. jac=True where `f` returns both; "2-point" and the like for
        differences.
    bounds: SciPy's `Bounds` or pairs, or pairs in the structure of params, None for no bound:
        `{"rate": (0, None), "w": None}`.
    constraints: SciPy's dicts, `NonlinearConstraint` and `LinearConstraint`, or a sequence of them; their functions get
        params. Jacobians are filled in where `jac` was left out, and for trust-constr the Hessian where neither is
        given. The columns of a LinearConstraint are the elements in the order of `zen.ravel_tree`.
    fixed: what keeps its value: a name or a list of names (keys, or paths as in `summary`), or bools, or arrays of
        them, in the structure of params. progress: a bar on standard error (tqdm).

    Returns SciPy's result. Its x, jac (grad of trust-constr) and allvecs have the structure of params and what these
    were, numbers, arrays or Tensors; other vectors and matrices, as hess_inv, are by free elements in the order of
    `zen.ravel_tree`. The result is constant: where `f` uses something else that requires a gradient, RuntimeError says
    so (`zen.no_grad()` allows it). No gradient reaches `params`: a minimum does not depend on where the search began.

    Raises ValueError for an unknown method, for a value or gradient at the start that is not finite, for a function
    that returns several numbers, and for bounds or masks that do not fit; TypeError for parameters or results that are
    no real numbers; ImportError without SciPy. What `f` raises comes through unchanged.

    >>> import numpy as np, zen
    >>> def rosenbrock(p):
    ...     return (1 - p["a"]) ** 2 + 100 * (p["b"] - p["a"] ** 2) ** 2
    >>> result = zen.optimize.minimize(rosenbrock, {"a": -1.2, "b": 1.0})
    >>> {name: round(value, 4) for name, value in result.x.items()}
    {'a': 1.0, 'b': 1.0}
    >>> zen.optimize.minimize(rosenbrock, {"a": 0.5, "b": 1.0}, fixed="a").x
    {'a': 0.5, 'b': 0.25}
    """
    scipy = scipy_module("optimize", "zen.optimize.minimize", "optimize")
    if tol is not None:
        check_number("minimize", "tol", tol, or_zero=True)
    args = args if isinstance(args, tuple) else (args,)
    layout = Layout("minimize", params, fixed)
    given = bool(constraints) if isinstance(constraints, (list, tuple, dict)) else constraints is not None
    name = _method(method, bounds, given)
    objective = Objective("minimize", f, layout, args)
    problem = _Problem(objective, scipy, name)
    problem.derivatives(jac, hess, hessp)
    fit = Fit("nll", problem.value_alone or f, layout, args, constrained=given)
    if bounds is not None:
        fit.low, fit.high = limits(layout, bounds)
        free = layout.chosen()
        keep = np.broadcast_to(getattr(bounds, "keep_feasible", False), layout.total)[free]
        bounds = scipy.Bounds(fit.low, fit.high, bool(keep[0]) if keep.all() or not keep.any() else keep)
    if given:
        constraints = translated(layout, constraints, name, scipy)
    with layout.first_call():
        problem.check_start()
    with Bar("minimize", progress, (options or {}).get("maxiter")) as bar:
        watch = callback_for(layout, callback, bar, lambda: problem.objective.best, scipy.OptimizeResult)
        result = scipy.minimize(
            problem.function, layout.start.copy(), (), method if callable(method) else name, problem.jac, problem.hess,
            problem.hessp, bounds, constraints if given else (), tol, watch, options,
        )  # fmt: skip
    structured(result, layout, ("grad",) if name == "trust-constr" else ("jac",))
    fit.keep(result)
    return result


def _method(method: Any, bounds: Any, constrained: bool) -> str:
    """The method's name in small letters; what SciPy would choose for None."""
    if method is None:
        return "slsqp" if constrained else "bfgs" if bounds is None else "l-bfgs-b"
    if callable(method):
        return "custom"
    name = str(method).lower()
    if name not in _NAMES:
        raise ValueError(f"minimize: there is no method {method!r}; SciPy's are {', '.join(METHODS)}")
    return name


class _Problem:
    """What SciPy's minimize gets of a function: function, jac, hess, hessp.

    value_alone: the function without the gradient that it returns beside the value, where jac is True.
    """

    def __init__(self, objective: Objective, scipy: Any, name: str) -> None:
        self.objective, self.layout, self.scipy, self.name = objective, objective.layout, scipy, name
        self.function: Callable[[Array], Any] = objective.value
        self.jac: Any = None
        self.hess: Any = None
        self.hessp: Any = None
        self.last: _Last | None = None
        self.value_alone: Callable[..., Any] | None = None

    def derivatives(self, jac: Any, hess: Any, hessp: Any) -> None:
        exact = jac is None or jac is True or callable(jac)
        if jac is None and self.name not in VALUES:
            self.last = _Last(self.objective)
            self.function, self.jac = self.last.value, self.last.gradient
        elif jac is True:
            self._split()
        elif callable(jac):
            self.jac = _gradient_of(self.layout, jac, self.objective.args)
        else:
            self.jac = jac
        if hess is None and hessp is None and exact:
            if self.name in MATRICES or self.name == "custom":
                self.hess = self.objective.hessian
            if self.name in PRODUCTS or self.name == "custom":
                self.hessp = self.objective.product
        if hess is not None:
            self.hess = (
                _matrix_of(self.layout, hess, self.objective.args)
                if callable(hess) and not hasattr(hess, "get_matrix")
                else hess
            )
        if hessp is not None:
            self.hessp = _product_of(self.layout, hessp, self.objective.args)

    def check_start(self) -> None:
        """ValueError where the value, or the gradient, at the start is not a number."""
        x = self.layout.start
        gradient: Any = None
        if self.last is not None:
            value, gradient = self.last.value(x), self.last.gradient(x)
        elif self.value_alone is not None:
            value, gradient = self.function(x)
        else:
            value = self.objective.value(x)
        if math.isnan(value) or (gradient is not None and math.isinf(value)):
            raise ValueError(f"minimize: the function is {value} at the start; start where it is finite")
        if gradient is not None and not np.isfinite(gradient).all():
            k = int(np.argmin(np.isfinite(gradient)))
            path = np.array(self.layout.names())[self.layout.chosen()][k]
            raise ValueError(
                f"minimize: the gradient by {path} is {gradient[k]} at the start; start where it is finite"
            )

    def _split(self) -> None:
        layout, both, args = self.layout, self.objective.f, self.objective.args

        def value_alone(*given: Any) -> Any:
            return both(*given)[0]

        objective = self.objective = Objective("minimize", value_alone, layout, args)

        def function(x: Array) -> tuple[float, Array]:
            found = both(layout.given(x), *args)
            if not isinstance(found, tuple) or len(found) != 2:
                raise TypeError(f"minimize: with jac=True the function returns (value, gradient), not {_kind(found)}")
            return objective.number(found[0]), _vector(layout, found[1])

        self.function, self.jac, self.value_alone = function, True, value_alone


class _Last:
    """Value and gradient as two functions of a vector; the second is known where the first was asked for the same.

    SciPy's own `jac=True` does that too, and compares vectors twice; the start is asked for before SciPy begins.
    """

    def __init__(self, objective: Objective) -> None:
        self.objective = objective
        self.last: tuple[bytes, float, Array] | None = None

    def value(self, x: Array) -> float:
        return self._at(x)[1]

    def gradient(self, x: Array) -> Array:
        return self._at(x)[2]

    def _at(self, x: Array) -> tuple[bytes, float, Array]:
        key, last = x.tobytes(), self.last
        if last is None or last[0] != key:
            last = self.last = (key, *self.objective.value_and_gradient(x))
        return last


def _vector(layout: Layout, gradient: Any) -> Array:
    """A gradient of the user's: in the structure of the parameters, or a vector of all elements."""
    if not isinstance(gradient, (dict, list, tuple)) and not layout.alone:
        a = np.asarray(raw(gradient), DEFAULT)
        if a.shape == (layout.total,):
            return a[layout.chosen()]
    return layout.vector(gradient, "what jac returned")


def _gradient_of(layout: Layout, jac: Callable[..., Any], args: tuple[Any, ...]) -> Callable[[Array], Array]:
    return lambda x: _vector(layout, jac(layout.given(x), *args))


def _matrix_of(layout: Layout, hess: Callable[..., Any], args: tuple[Any, ...]) -> Callable[[Array], Any]:
    return lambda x: free_block(layout, hess(layout.given(x), *args), "the function")


def _product_of(layout: Layout, hessp: Callable[..., Any], args: tuple[Any, ...]) -> Callable[[Array, Array], Array]:
    return lambda x, p: layout.vector(hessp(layout.given(x), layout.spread(p), *args), "what hessp returned")


def _kind(value: Any) -> str:
    return f"a tuple of {len(value)}" if isinstance(value, tuple) else type(value).__name__
