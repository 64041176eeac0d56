"""`summary`: standard errors, intervals and bands of a fit, from its Hessian or Jacobian at the estimates.

Of a negative log-likelihood the covariance of the estimates is the inverse of the Hessian (the observed information);
of least squares it is s^2 (J'J)^-1 with s^2 the mean square of the residuals. Bands are the delta method's. Seber and
Wild 1989, "Nonlinear Regression", sections 2.1.2 and 5.1.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ..extras import scipy_module
from ..ops.operands import raw
from .layout import Array, Layout
from .objective import Objective, Vector
from .reports import Fit
from .tables import html, text


class Band(NamedTuple):
    """A prediction with its interval: arrays of the prediction's shape."""

    value: Array
    lower: Array
    upper: Array
    standard_error: Array


class Summary:
    """The table of a fit, which `print` shows. Arrays have an entry for each element of the parameters, in order.

    names: `params['rate'][0]`. params, errors: estimates and standard errors in the structure of the parameters.
    estimates, standard_errors, statistics (their quotient: z, or t where there are degrees of freedom), p_values,
    lower, upper: the last five are nan for what was fixed or is at a bound; `free` says what was neither. covariance,
    correlation: of the free elements. scale: the residual standard error, or None. dof: degrees of freedom, inf for
    the normal distribution. value: the negative log-likelihood, or the sum of squares. notes: what to be wary of.
    """

    def __init__(
        self, layout: Layout, x: Array, free: Array, covariance: Array, basis: str, level: float, dof: float,
        scale: float | None, value: float, notes: list[str],
    ) -> None:  # fmt: skip
        self._layout, self._x = layout.at(x), x
        self._basis, self.level, self.dof, self.scale, self.value, self.notes = basis, level, dof, scale, value, notes
        self.names, self.covariance, self.free = layout.names(), covariance, layout.chosen()
        self._moving = np.flatnonzero(free)
        self.estimates = layout.offsets()
        self.estimates[self.free] = x
        self.free[self.free] = free
        self.standard_errors = np.full(layout.total, np.nan)
        self.standard_errors[self.free] = np.sqrt(np.diag(covariance))
        with np.errstate(divide="ignore", invalid="ignore"):
            self.statistics = self.estimates / self.standard_errors
        self.p_values = 2 * _below(-np.abs(self.statistics), dof)
        self.lower, self.upper = self.interval()

    @property
    def params(self) -> Any:
        return self._layout.given(self._x)

    @property
    def errors(self) -> Any:
        return self._layout.spread(self.standard_errors[self._layout.chosen()])

    @property
    def correlation(self) -> Array:
        errors = np.sqrt(np.diag(self.covariance))
        return np.asarray(self.covariance / errors[:, None] / errors)

    def interval(self, level: float | None = None) -> tuple[Array, Array]:
        """The limits of all elements at another level."""
        width = _quantile(self.level if level is None else level, self.dof) * self.standard_errors
        return self.estimates - width, self.estimates + width

    def band(self, g: Callable[..., Any], *args: Any, level: float | None = None, prediction: bool = False) -> Band:
        """What `g(params, *args)` predicts, with its interval at each element: the delta method's.

        g: returns an array of any shape, computed with operations on Tensors. level: None for that of the table.
        prediction: the interval of a new observation, which has the residual standard error as well: for least squares.

        >>> x = np.arange(5.0)
        >>> fit = zen.optimize.least_squares(lambda p: p["slope"] * x - (2 * x + (-1) ** x), {"slope": 1.0})
        >>> band = zen.optimize.summary(fit).band(lambda p, at: p["slope"] * at, np.array([10.0]))
        >>> band.value.round(3).tolist(), band.lower.round(3).tolist()
        ([20.667], [15.075])
        """
        if prediction and self.scale is None:
            raise ValueError("band: prediction=True needs a residual standard error, which least squares have")
        function = Vector("band", "g", g, self._layout, args)
        shape = np.shape(raw(g(self._layout.given(self._x), *args)))
        value = function.value(self._x)
        slope = function.jacobian(self._x)[:, self._moving]
        variance = np.einsum("ij,jk,ik->i", slope, self.covariance, slope)
        error = np.sqrt(variance + (self.scale**2 if prediction and self.scale is not None else 0))
        width = _quantile(self.level if level is None else level, self.dof) * error
        return Band(*[a.reshape(shape) for a in (value, value - width, value + width, error)])

    def foot(self) -> str:
        """What stands below the table: how well the model fits."""
        if self._basis == "nll":
            return f"negative log-likelihood {self.value:.6g}; standard errors from its Hessian"
        if self.scale is None:
            return f"sum of squares {self.value:.6g}; residuals in units of their standard deviations"
        return f"residual standard error {self.scale:.4g} on {self.dof:.0f} degrees of freedom"

    def __str__(self) -> str:
        return text(self)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return html(self)


def summary(
    fit: Any, params: Any = None, args: Any = (), kind: str | None = None, *, kwargs: dict[str, Any] | None = None,
    fixed: Any = None, level: float = 0.95, absolute_sigma: bool = False,
) -> Summary:  # fmt: skip
    """The table of a fit: estimates, standard errors, z or t values, p values and intervals. It prints.

    fit: a result of `zen.optimize.minimize` of a negative log-likelihood (the sum over all observations, not their
        mean), or of `least_squares`; these hold all that they were given. Or the function itself, with params, where it
        is least, args, kwargs, fixed, and kind: "nll", or "least_squares" for a function that returns residuals.
    level: of the intervals. absolute_sigma: the residuals are in units of their known standard deviations, as in
        `curve_fit`: no residual variance is estimated, and intervals are the normal distribution's.

    What ended at a bound counts as fixed there, and is noted; so is a point that is no minimum. Of constrained fits the
    constraints are not seen. `band` of the result gives intervals of predictions.

    Raises LinAlgError where the Hessian is not positive definite or the Jacobian has dependent columns, naming the
    parameters that the data do not determine; ValueError for residuals under a robust loss, for no more residuals than
    parameters, and for a result that has been pickled (give the function).

    >>> import numpy as np, zen
    >>> y = np.array([2.0, 3.0, 5.0, 6.0])
    >>> fit = zen.optimize.minimize(lambda p: (p["rate"] - y * np.log(p["rate"])).sum(), {"rate": 1.0})
    >>> print(zen.optimize.summary(fit))
                    estimate  std. error     z  p value    95 % interval
    params['rate']         4           1  4.00  6.3e-05   2.04 ...  5.96
    negative log-likelihood -6.18071; standard errors from its Hessian
    """
    scipy_module("optimize", "zen.optimize.summary", "optimize")
    problem = _problem(fit, params, args, kind, kwargs, fixed)
    if not 0 < level < 1:
        raise ValueError(f"summary: level is between 0 and 1, not {level!r}")
    if problem.basis == "nll":
        made = _of_likelihood(problem)
        dof, scale = np.inf, None
    else:
        made = _of_residuals(problem)
        dof, scale = np.inf, None
        if not absolute_sigma:
            found = int(made.free.sum())
            count = made.rows - found
            if count < 1:
                raise ValueError(
                    f"summary: {made.rows} residuals leave no degrees of freedom for {found} parameters; "
                    "give absolute_sigma=True where their standard deviations are known"
                )
            dof, scale = float(count), float(np.sqrt(made.value / count))
            made.covariance *= scale**2
    layout, notes = problem.layout, []
    names = np.array(layout.names())[layout.chosen()]
    if not made.free.all():
        notes.append(f"at a bound, so taken as fixed: {', '.join(names[~made.free])}")
    if problem.constrained:
        notes.append("the constraints of the fit are not taken into account")
    elif made.free.any():
        far = np.abs(made.step) / np.sqrt(np.diag(made.covariance))
        if far.max() > 0.05:
            k = int(np.argmax(far))
            notes.append(f"not at a minimum: {names[made.free][k]} is {far[k]:.2g} standard errors from it")
    return Summary(
        layout, layout.start, made.free, made.covariance, problem.basis, level, dof, scale, made.value, notes
    )


def _problem(fit: Any, params: Any, args: Any, kind: str | None, kwargs: Any, fixed: Any) -> Fit:
    args = args if isinstance(args, tuple) else (args,)
    kept = getattr(fit, "__dict__", {}).get("_zen_fit") if isinstance(fit, dict) else None
    if isinstance(fit, dict) and kept is None:
        raise ValueError(
            "summary: the result does not hold its function (it was pickled, or is SciPy's own); give the function and "
            'the parameters: summary(f, result.x, kind="nll")'
        )
    if kept is not None:
        if params is not None or args or kwargs or fixed is not None:
            raise TypeError("summary: a result holds its parameters, args and fixed; give them with a function alone")
        if kind not in (None, kept.basis):
            raise ValueError(f"summary: the result is one of {kept.basis!r}, not {kind!r}")
        solution = Layout("summary", fit["x"])
        at = Layout.at(kept.layout, solution.start[kept.layout.chosen()])
        at.operation = "summary"
        found = Fit(kept.basis, kept.f, at, kept.args, kept.kwargs, kept.low, kept.high, kept.loss, kept.constrained)
    else:
        if not callable(fit):
            raise TypeError(f"summary: expected a result of zen.optimize or a function, not {type(fit).__name__}")
        if kind not in ("nll", "least_squares"):
            raise ValueError(f'summary: kind is "nll" or "least_squares", not {kind!r}')
        found = Fit(kind, fit, Layout("summary", params, fixed), args, kwargs)
    if not (isinstance(found.loss, str) and found.loss == "linear"):
        raise ValueError(
            f"summary: standard errors of a fit with loss={found.loss!r} do not follow from its Jacobian; take "
            'loss="linear", or resample'
        )
    return found


class _Made:
    """The covariance of the free elements that are at no bound; the Newton step from them, and what was least."""

    def __init__(self, free: Array, covariance: Array, step: Array, value: float, rows: int) -> None:
        self.free, self.covariance, self.step, self.value, self.rows = free, covariance, step, value, rows


def _of_likelihood(problem: Fit) -> _Made:
    layout, x = problem.layout, problem.layout.start
    args, kwargs = problem.args, problem.kwargs
    f = (lambda p, *given: problem.f(p, *given, **kwargs)) if kwargs else problem.f
    objective = Objective("summary", f, layout, args)
    value, gradient = objective.value_and_gradient(x)
    h = objective.hessian(x)
    h = (h + h.T) / 2
    free = _inside(problem, x, gradient, np.diag(h))
    h, names = h[free][:, free], np.array(layout.names())[layout.chosen()][free]
    scales = np.sqrt(np.abs(np.diag(h)))
    scales[scales == 0] = 1
    values, vectors = np.linalg.eigh(h / scales[:, None] / scales) if h.size else (np.ones(0), h)
    if h.size and not values[0] > len(h) * np.finfo(float).eps * values[-1]:
        raise np.linalg.LinAlgError(
            f"summary: the Hessian is not positive definite, along {_along(names, vectors[:, 0])}: this is no minimum, "
            "or the data do not determine them; fix one of them (fixed=)"
        )
    covariance = (vectors / values) @ vectors.T / scales[:, None] / scales
    return _Made(free, covariance, covariance @ gradient[free], value, 0)


def _of_residuals(problem: Fit) -> _Made:
    layout, x = problem.layout, problem.layout.start
    function = Vector("summary", "the function", problem.f, layout, problem.args, problem.kwargs)
    r, j = function.value(x), function.jacobian(x)
    gradient = j.T @ r
    free = _inside(problem, x, gradient, np.einsum("ij,ij->j", j, j))
    j, names = j[:, free], np.array(layout.names())[layout.chosen()][free]
    scales = np.linalg.norm(j, axis=0)
    scales[scales == 0] = 1
    _, values, vectors = np.linalg.svd(j / scales, full_matrices=False)
    if j.shape[0] < j.shape[1] or (values.size and not values[-1] > max(j.shape) * np.finfo(float).eps * values[0]):
        along = _along(names, vectors[-1]) if j.shape[0] >= j.shape[1] else f"{j.shape[0]} residuals only"
        raise np.linalg.LinAlgError(
            f"summary: the columns of the Jacobian depend on each other, along {along}: the data do not determine "
            "them; fix one of them (fixed=)"
        )
    roots = vectors.T / values / scales[:, None]
    covariance = roots @ roots.T
    return _Made(free, covariance, covariance @ gradient[free], float(r @ r), r.size)


def _inside(problem: Fit, x: Array, gradient: Array, curvature: Array) -> Array:
    """Which elements are at no bound: a Newton step along them would not lead out."""
    free = np.ones(x.size, bool)
    if problem.low is None or problem.high is None:
        return free
    with np.errstate(divide="ignore", invalid="ignore"):
        target = np.where(curvature > 0, x - gradient / curvature, x)
    return (x > problem.low) & (x < problem.high) & (target > problem.low) & (target < problem.high)


def _along(names: Array, direction: Array) -> str:
    large = np.argsort(-np.abs(direction))[: max(1, int((np.abs(direction) > 0.1).sum()))][:4]
    return ", ".join(names[np.sort(large)])


def _quantile(level: float, dof: float) -> float:
    if not 0 < level < 1:
        raise ValueError(f"level is between 0 and 1, not {level!r}")
    from scipy.special import ndtri, stdtrit

    return float(ndtri((1 + level) / 2) if np.isinf(dof) else stdtrit(dof, (1 + level) / 2))


def _below(t: Array, dof: float) -> Array:
    from scipy.special import ndtr, stdtr

    return np.asarray(ndtr(t) if np.isinf(dof) else stdtr(dof, t))
