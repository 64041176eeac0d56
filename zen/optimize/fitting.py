"""`least_squares` and `curve_fit`: SciPy's, of nested parameters, with the Jacobian filled in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..dtypes import DEFAULT
from ..extras import scipy_module
from ..ops.operands import raw
from ..transforms.sparse.sparsity import Sparsity
from .bounds import side
from .constraints import free_columns
from .layout import Array, Layout
from .objective import Vector
from .reports import Bar, Fit, structured


def least_squares(
    residuals: Callable[..., Any], params: Any, jac: Any = None, bounds: Any = (-np.inf, np.inf), method: str = "trf",
    *, args: Any = (), kwargs: dict[str, Any] | None = None, fixed: Any = None, jac_sparsity: Any = None,
    x_scale: Any = None, progress: bool = False, **options: Any,
) -> Any:  # fmt: skip
    """`scipy.optimize.least_squares` of `residuals(params, *args, **kwargs)`, with the Jacobian filled in.

    residuals: returns any number of real numbers, in arrays of any shape, nested if need be.
    params, fixed, progress: as in `zen.optimize.minimize`.
    jac: None for zen's, by rows or columns, whichever are fewer; a function of `(params, *args, **kwargs)` that returns
        a matrix, dense or sparse, with a column for each element in the order of `zen.ravel_tree`, or the structure of
        params with the rows in front; "2-point" and the like for differences.
    bounds: `(low, high)`, or SciPy's `Bounds`; each side one number, a vector of all elements, or the structure of
        params.
    jac_sparsity: the pattern of the Jacobian, an array or sparse matrix, of which all stored entries count: zen's is
        then that of `zen.sparse_jacobian`, from few passes. method "lm" takes dense ones only.
    x_scale: numbers, or the structure of params. options: what else SciPy takes: loss, f_scale, ftol, xtol, gtol,
        max_nfev, tr_solver, verbose, ...

    Returns SciPy's result; x and grad have the structure of params; fun and jac are the vector and the matrix that
    SciPy has. Errors as in `minimize`; ValueError also for a function that returns another count of numbers later.

    >>> import numpy as np, zen
    >>> x = np.arange(5.0)
    >>> fit = zen.optimize.least_squares(lambda p: p["a"] * np.exp(-p["b"] * x) - 2 * 0.5**x, {"a": 1.0, "b": 1.0})
    >>> round(fit.x["a"], 6), round(float(np.exp(-fit.x["b"])), 6)
    (2.0, 0.5)
    """
    scipy = scipy_module("optimize", "zen.optimize.least_squares", "optimize")
    args = args if isinstance(args, tuple) else (args,)
    layout = Layout("least_squares", params, fixed)
    function = Vector("least_squares", "the function", residuals, layout, args, kwargs)
    value, slope = _derivative(function, jac)
    if not callable(slope):
        options["jac_sparsity"] = jac_sparsity
    if x_scale is not None:
        named = isinstance(x_scale, str)
        options["x_scale"] = x_scale if named else side(layout, x_scale, 1.0)[layout.chosen()]
    low, high = _sides(layout, bounds)
    with layout.first_call():
        start = value(layout.start)
    if jac is None and jac_sparsity is not None:
        slope = function.sparse_jacobian(_pattern(layout, jac_sparsity, start.size))
    if not np.isfinite(start).all():
        raise ValueError(f"least_squares: residual {int(np.argmin(np.isfinite(start)))} is not finite at the start")
    with Bar("least_squares", progress) as bar:

        def watched(x: Array, *_: Any) -> Any:
            bar.step(float(np.sum(value(x) ** 2)) / 2 if progress else 0.0)
            return slope(x)

        result = scipy.least_squares(
            value, layout.start.copy(), watched if callable(slope) else slope, (low, high), method, **options
        )
    loss = options.get("loss", "linear")
    structured(result, layout, ("grad",))
    Fit("least_squares", residuals, layout, args, kwargs, low, high, loss).keep(result)
    return result


def _derivative(function: Vector, jac: Any) -> tuple[Callable[[Array], Array], Any]:
    if jac is None:
        return function.value, function.jacobian
    if not callable(jac):
        return function.plain_value, jac
    layout = function.layout

    def slope(x: Array) -> Any:
        return free_columns(layout, jac(layout.given(x), *function.args, **function.kwargs), "what jac returned")

    return function.plain_value, slope


def _pattern(layout: Layout, given: Any, count: int) -> Sparsity:
    """The pattern of `jac_sparsity` by the free elements, whose columns it may be as well."""
    found = Sparsity(given if hasattr(given, "tocsr") or isinstance(given, Sparsity) else np.atleast_2d(given))
    rows, columns = found.shape
    if columns not in (layout.total, layout.size):
        raise ValueError(
            f"{layout.operation}: jac_sparsity has {columns} columns, and {layout.role} has {layout.total} numbers"
        )
    if rows != count:
        raise ValueError(f"{layout.operation}: jac_sparsity has {rows} rows, and the function returned {count} numbers")
    return found if columns == layout.size else Sparsity(found.matrix[:, layout.chosen()])


def _sides(layout: Layout, bounds: Any) -> tuple[Array, Array]:
    if hasattr(bounds, "lb"):
        bounds = (bounds.lb, bounds.ub)
    if not isinstance(bounds, (tuple, list)) or len(bounds) != 2:
        raise ValueError(f"{layout.operation}: bounds are (low, high), not {bounds!r}")
    free = layout.chosen()
    return side(layout, bounds[0], -np.inf)[free], side(layout, bounds[1], np.inf)[free]


def curve_fit(
    f: Callable[..., Any], xdata: Any, ydata: Any, p0: Any = None, sigma: Any = None, absolute_sigma: bool = False,
    check_finite: bool = True, bounds: Any = (-np.inf, np.inf), method: str | None = None, jac: Any = None, *,
    fixed: Any = None, full_output: bool = False, nan_policy: str | None = None, **options: Any,
) -> Any:  # fmt: skip
    """`scipy.optimize.curve_fit`: parameters for which `f(xdata, *params)` is near ydata; `(popt, pcov)`.

    f: called with xdata and a Tensor for each parameter; returns as many numbers as ydata has.
    p0: where to start: a sequence of what `f` takes behind xdata, numbers or arrays or nested; or a dict of what it
        takes by name, `f(xdata, **params)`. None: ones, one for each parameter that `f` names.
    sigma, absolute_sigma, check_finite, method, full_output, nan_policy, options: as in SciPy.
    bounds: `(low, high)`, each side one number, a vector of all elements, or the structure of p0.
    jac: None for zen's; a function called as `f` is, that returns a matrix with a column for each element.
    fixed: as in `zen.optimize.minimize`, of p0: a dict's names, or bools.

    popt is an array where p0 is a sequence of numbers, as in SciPy, else in the structure of p0. pcov is the covariance
    of the free elements, in the order of `zen.ravel_tree`. Errors as in `minimize`; RuntimeError, of SciPy, where the
    method does not converge.

    >>> import numpy as np, zen
    >>> x = np.arange(6.0)
    >>> popt, pcov = zen.optimize.curve_fit(lambda x, a, b: a * np.exp(-b * x), x, 3 * np.exp(-0.5 * x), (1.0, 1.0))
    >>> popt.round(6).tolist()
    [3.0, 0.5]
    """
    scipy = scipy_module("optimize", "zen.optimize.curve_fit", "optimize")
    p0 = _start(f, p0, bounds)
    layout = Layout("curve_fit", p0, fixed, "p0")
    flat_numbers = not isinstance(p0, dict) and all([leaf.given in ("number", "scalar") for leaf in layout.leaves])
    flat_numbers = flat_numbers and len(layout.leaves) == len(p0)

    def at(params: Any, x: Any) -> Any:
        return f(x, **params) if isinstance(p0, dict) else f(x, *params)

    known: dict[int, Vector] = {}

    def function(x: Any) -> Vector:  # SciPy hands on one array of xdata
        if id(x) not in known:
            known[id(x)] = Vector("curve_fit", "the function", at, layout, (x,))
        return known[id(x)]

    def value(x: Any, *vector: float) -> Array:
        v = np.array(vector)
        return function(x).value(v) if jac is None else function(x).plain_value(v)

    def slope(x: Any, *vector: float) -> Any:
        v = np.array(vector)
        if jac is None:
            return function(x).jacobian(v)
        params = layout.given(v)
        found = jac(x, **params) if isinstance(p0, dict) else jac(x, *params)
        return free_columns(layout, found, "what jac returned")

    if isinstance(xdata, (list, tuple)):
        xdata = np.asarray(xdata, DEFAULT)  # which SciPy keeps, so that its address is the same at each call
    found = scipy.curve_fit(
        value, raw(xdata), np.asarray(raw(ydata)), layout.start, sigma, absolute_sigma, check_finite,
        _sides(layout, bounds), method, jac if isinstance(jac, str) else slope, full_output=full_output,
        nan_policy=nan_policy, **options,
    )  # fmt: skip
    popt = layout.given(found[0])
    return (np.array(popt) if flat_numbers else popt, *found[1:])


def _start(f: Callable[..., Any], p0: Any, bounds: Any) -> Any:
    """p0 as a container; where it is None as SciPy has it, from the parameters that f names."""
    if isinstance(p0, dict) or (isinstance(p0, (list, tuple)) and not hasattr(p0, "_fields")):
        return p0
    if p0 is not None:
        return [float(v) for v in np.atleast_1d(np.asarray(raw(p0), DEFAULT))]
    import inspect

    named = inspect.getfullargspec(f)
    names = named.args[1:] if inspect.ismethod(f) else named.args
    if len(names) < 2 or named.varargs is not None:
        raise ValueError("curve_fit: give p0: the function does not name its parameters one by one")
    low, high = [np.broadcast_to(np.asarray(b, DEFAULT), len(names) - 1) for b in bounds]
    middle = np.ones(len(names) - 1)
    both, above, below = np.isfinite(low) & np.isfinite(high), np.isfinite(low), np.isfinite(high)
    middle = np.where(both, 0.5 * (np.where(both, low, 0) + np.where(both, high, 0)), middle)
    middle = np.where(above & ~both, low + 1, middle)
    return [float(v) for v in np.where(below & ~both, high - 1, middle)]
