"""`root`, `fsolve`, `root_scalar`, `newton` and `brentq`: SciPy's, with derivatives filled in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import backend
from ..backend import Tensor
from ..batched import Batched
from ..dtypes import DEFAULT, FLOATING, INTEGER
from ..extras import scipy_module
from ..ops.operands import raw
from ..transforms.forward import jvp
from ..transforms.unknowns import check_number
from .constraints import free_columns
from .layout import Array, Layout, refuse_connected
from .objective import Vector
from .reports import Bar, callback_for, structured

METHODS = (
    "hybr", "lm", "broyden1", "broyden2", "anderson", "linearmixing", "diagbroyden", "excitingmixing", "krylov",
    "df-sane",
)  # fmt: skip


def root(
    f: Callable[..., Any], x0: Any, args: Any = (), method: str = "hybr", jac: Any = None, tol: float | None = None,
    callback: Callable[..., Any] | None = None, options: dict[str, Any] | None = None, *, fixed: Any = None,
    progress: bool = False,
) -> Any:  # fmt: skip
    """`scipy.optimize.root` of `f(x, *args) = 0`, with the Jacobian filled in where the method takes one (hybr, lm).

    x0, fixed, progress: as `params` in `zen.optimize.minimize`; `f` gets Tensors in the structure of x0 and returns as
    many numbers as x0 has, in any arrays. jac: a function of `(x, *args)` to use instead, that returns a matrix or the
    structure of x0 with the rows in front; jac=True where `f` returns both; False for differences. Other methods call
    `f` with what x0 was given as.

    Returns SciPy's result, x in the structure of x0; the result is a constant, as in `minimize`, whose errors these
    are. Where it did not converge, `success` is False.

    >>> import numpy as np, zen
    >>> found = zen.optimize.root(lambda p: [p["x"] + p["y"] - 3, p["x"] * p["y"] - 2], {"x": 0.0, "y": 5.0})
    >>> round(found.x["x"], 6), round(found.x["y"], 6)
    (1.0, 2.0)
    """
    scipy = scipy_module("optimize", "zen.optimize.root", "optimize")
    if not isinstance(method, str) or method.lower() not in METHODS:
        raise ValueError(f"root: there is no method {method!r}; SciPy's are {', '.join(METHODS)}")
    if tol is not None:
        check_number("root", "tol", tol, or_zero=True)
    takes_jacobian = method.lower() in METHODS[:2]
    layout = Layout("root", x0, fixed, "x0")
    function = Vector("root", "the function", f, layout, args if isinstance(args, tuple) else (args,))
    value, slope = _with_jacobian(function, jac if takes_jacobian else False)
    _square(layout, value)
    sizes = [np.inf]

    def measured(x: Array) -> Array:
        found = value(x)
        sizes[0] = min(sizes[0], float(np.abs(found).max()))
        if takes_jacobian:
            bar.step(sizes[0])
        return found

    with Bar("root", progress) as bar:
        watch = callback_for(layout, callback, bar, lambda: sizes[0], scipy.OptimizeResult)
        if takes_jacobian and callback is None:  # they take none, and SciPy warns of one
            watch = None
        result = scipy.root(measured, layout.start.copy(), (), method, slope, tol, watch, options)
    return structured(result, layout, ())


def fsolve(
    func: Callable[..., Any], x0: Any, args: Any = (), fprime: Any = None, full_output: bool = False, *,
    fixed: Any = None, **options: Any,
) -> Any:  # fmt: skip
    """`scipy.optimize.fsolve`: where `func(x, *args)` is 0, from x0 on, with the Jacobian filled in.

    x0, fprime: as `x0` and `jac` in `zen.optimize.root`. options: of SciPy: xtol, maxfev, factor, diag, ... Returns x
    in the structure of x0; with full_output `(x, infodict, ier, mesg)`. SciPy warns where it did not converge.

    >>> import numpy as np, zen
    >>> float(zen.optimize.fsolve(lambda x: x**2 - 2, np.array([1.0]))[0].round(6))
    1.414214
    """
    scipy = scipy_module("optimize", "zen.optimize.fsolve", "optimize")
    if options.pop("col_deriv", 0):
        raise ValueError("fsolve: col_deriv is not supported; return derivatives in rows")
    layout = Layout("fsolve", x0, fixed, "x0")
    function = Vector("fsolve", "the function", func, layout, args if isinstance(args, tuple) else (args,))
    value, slope = _with_jacobian(function, fprime)
    _square(layout, value)
    found = scipy.fsolve(value, layout.start.copy(), (), slope, full_output, **options)
    return (layout.given(found[0]), *found[1:]) if full_output else layout.given(found)


def _with_jacobian(function: Vector, jac: Any) -> tuple[Callable[[Array], Array], Any]:
    layout, f, args = function.layout, function.f, function.args
    if jac is None:
        return function.value, function.jacobian
    if jac is True:
        parts = {}
        for k in (0, 1):
            parts[k] = lambda *given, k=k: f(*given)[k]
        function = Vector(function.operation, function.what, parts[0], layout, args)
        jac = parts[1]
    if not callable(jac):
        return function.plain_value, None
    return function.plain_value, lambda x: free_columns(layout, jac(layout.given(x), *args), "what jac returned")


def _square(layout: Layout, value: Callable[[Array], Array]) -> None:
    with layout.first_call():
        found = value(layout.start)
    if found.size != layout.size:
        raise ValueError(
            f"{layout.operation}: the function returned {found.size} numbers for {layout.size} unknowns; where they "
            "differ take zen.optimize.least_squares"
        )
    if np.isnan(found).any():
        raise ValueError(f"{layout.operation}: the function is nan at the start; start where it is finite")


class _Scalar:
    """A function of one number as SciPy's root finders call it, with its derivatives."""

    def __init__(self, operation: str, f: Callable[..., Any], args: Any) -> None:
        if not callable(f):
            raise TypeError(f"{operation}: the first argument is a function, not {type(f).__name__}")
        self.operation, self.f = operation, f
        self.args = args if isinstance(args, tuple) else (args,)

    def value(self, x: Any) -> Any:
        found = self.f(backend.wrap(np.array(x, DEFAULT)), *self.args)
        return self._plain(found, np.shape(x), "the function")

    def several(self, count: int) -> Callable[[Any], Any]:
        """The function of one that returns its derivatives as well, `count` numbers in all."""

        def values(x: Any) -> Any:
            found = self.f(backend.wrap(np.array(x, DEFAULT)), *self.args)
            if not isinstance(found, (tuple, list)) or len(found) < count:
                wanted = "fprime=True" if count == 2 else "fprime2=True"
                raise TypeError(
                    f"{self.operation}: with {wanted} the function returns {count} numbers, not {type(found).__name__}"
                )
            return tuple([self._plain(part, np.shape(x), "a part of the result") for part in found[:count]])

        return values

    def given(self, derivative: Callable[..., Any]) -> Callable[[Any], Any]:
        """A derivative of the user's, as a constant."""

        def value(x: Any) -> Any:
            found = derivative(x, *self.args)
            self._detached(found)
            return raw(found)

        return value

    def slope(self, x: Any) -> Any:
        return self._plain(self._pushed(self._checked, x), np.shape(x), "the derivative")

    def second(self, x: Any) -> Any:
        found = self._pushed(lambda t: self._pushed(self._checked, t), x)
        return self._plain(found, np.shape(x), "the second derivative")

    def _pushed(self, f: Callable[[Any], Any], x: Any) -> Any:
        """The derivative of each element of f(x) by the same one of x."""
        given = x if isinstance(x, (Tensor, Batched)) else np.array(x, DEFAULT)
        return jvp(f, (given,), (np.ones(np.shape(raw(given)), DEFAULT),))[1]

    def _checked(self, x: Any) -> Any:
        found = self.f(x, *self.args)
        if isinstance(found, (Tensor, Batched)) and found.dtype in FLOATING:
            return found
        raise TypeError(
            f"{self.operation}: the function returned {type(found).__name__}, not a Tensor of floating dtype, so its "
            "derivative is lost; compute it with operations on Tensors, or give fprime="
        )

    def _plain(self, found: Any, shape: tuple[int, ...], what: str) -> Any:
        self._detached(found)
        if isinstance(found, Batched):
            found.__float__()
        a = np.asarray(raw(found)) if found is not None else np.asarray(None)
        real = a.dtype in FLOATING or a.dtype in INTEGER
        if not real or a.size != np.prod(shape, dtype=int):
            kind = f"shape {a.shape}" if real else f"{type(found).__name__} of dtype {a.dtype}"
            raise TypeError(f"{self.operation}: {what} is {kind}; expected a real number of shape {shape}")
        return a.reshape(shape) if shape else float(a.item())

    def _detached(self, found: Any) -> None:
        refuse_connected(self.operation, found, "what the function uses besides its argument")


def root_scalar(
    f: Callable[..., Any], args: Any = (), method: str | None = None, bracket: Any = None, fprime: Any = None,
    fprime2: Any = None, x0: Any = None, x1: Any = None, **options: Any,
) -> Any:  # fmt: skip
    """`scipy.optimize.root_scalar` of `f(x, *args) = 0`, x one number, with fprime and fprime2 filled in.

    method: None takes brentq for a bracket, secant for x0 and x1, else newton from x0. newton gets the first
    derivative, halley both. `f` gets a Tensor. fprime, fprime2: functions of `(x, *args)` to use instead, which get a
    number, or True where `f` returns them as well. options: of SciPy: xtol, rtol, maxiter, ... Returns SciPy's result,
    whose `root` is a constant.

    >>> import numpy as np, zen
    >>> round(float(zen.optimize.root_scalar(lambda x: np.cos(x) - x, x0=1.0).root), 6)
    0.739085
    """
    scipy = scipy_module("optimize", "zen.optimize.root_scalar", "optimize")
    function = _Scalar("root_scalar", f, args)
    if fprime is True or fprime2 is True:
        value: Any = function.several(3 if fprime2 is True else 2)
        fprime = True
    else:
        value = function.value
        name = (method or ("brentq" if bracket is not None else "secant" if x1 is not None else "newton")).lower()
        if name in ("newton", "halley"):
            fprime = function.slope if fprime is None else function.given(fprime)
        if name == "halley":
            fprime2 = function.second if fprime2 is None else function.given(fprime2)
        method = name
    return scipy.root_scalar(value, (), method, bracket, fprime, fprime2, x0, x1, **options)


def newton(
    func: Callable[..., Any], x0: Any, fprime: Any = None, args: Any = (), tol: float = 1.48e-8, maxiter: int = 50,
    fprime2: Any = None, x1: Any = None, rtol: float = 0.0, full_output: bool = False, disp: bool = True,
) -> Any:  # fmt: skip
    """`scipy.optimize.newton`: a root of `func(x, *args)` near x0, with the derivative filled in.

    x0: a number, or an array whose elements are solved for one by one: each element of the result depends on the same
    one of x. x1: a second guess, for the secant method, which takes no derivative. fprime2: True for Halley's method
    with zen's second derivative. Raises RuntimeError, of SciPy, where it does not converge.

    >>> import numpy as np, zen
    >>> zen.optimize.newton(lambda x: x**3 - np.array([1.0, 8.0]), np.array([1.5, 1.5])).round(6).tolist()
    [1.0, 2.0]
    """
    scipy = scipy_module("optimize", "zen.optimize.newton", "optimize")
    check_number("newton", "tol", tol)
    check_number("newton", "rtol", rtol, or_zero=True)
    check_number("newton", "maxiter", maxiter, whole=True)
    function = _Scalar("newton", func, args)
    if fprime is not None or x1 is None:
        fprime = function.slope if fprime is None else function.given(fprime)
    if fprime2 is not None:
        fprime2 = function.second if fprime2 is True else function.given(fprime2)
    start = np.array(raw(x0), DEFAULT) if np.ndim(raw(x0)) else float(raw(x0))
    return scipy.newton(function.value, start, fprime, (), tol, maxiter, fprime2, x1, rtol, full_output, disp)


def brentq(
    f: Callable[..., Any], a: float, b: float, args: Any = (), xtol: float = 2e-12,
    rtol: float = 4 * float(np.finfo(float).eps), maxiter: int = 100, full_output: bool = False, disp: bool = True,
) -> Any:  # fmt: skip
    """`scipy.optimize.brentq`: the root of `f(x, *args)` between a and b, where it has different signs.

    Brent's method wants no derivative; `f` gets a Tensor, and the root is a constant. Raises ValueError, of SciPy, for
    equal signs, and RuntimeError where it does not converge.

    >>> import numpy as np, zen
    >>> round(zen.optimize.brentq(lambda x: np.cos(x) - x, 0.0, 1.0), 6)
    0.739085
    """
    scipy = scipy_module("optimize", "zen.optimize.brentq", "optimize")
    check_number("brentq", "xtol", xtol)
    check_number("brentq", "rtol", rtol)
    check_number("brentq", "maxiter", maxiter, whole=True)
    function = _Scalar("brentq", f, args)
    return scipy.brentq(function.value, float(raw(a)), float(raw(b)), (), xtol, rtol, maxiter, full_output, disp)
