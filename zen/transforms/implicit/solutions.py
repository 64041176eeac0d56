"""Solutions of equations, and their derivatives by what they solve: `implicit_root`, `fixed_point`, `implicit_argmin`.

Whoever solves, the derivative is that of the implicit function theorem, by `rows.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Never

import numpy as np

from ... import backend, trees
from ...extras import scipy_module
from ...ops.operands import raw
from ...ops.register import placed
from ..hessians import hessian
from ..jacobians import jacobian
from ..levels import within
from ..reverse import grad, value_and_grad
from ..unknowns import Unknowns, check_number, holds_tensors, plain
from ..variables import Variables
from . import newton
from .anderson import anderson
from .linear_solves import transposed_by
from .newton import Found, largest
from .rows import check_regular, implicit

LARGE = 1000
"""Unknowns beyond which derivatives are solved for by iteration, unless `linear` says otherwise."""

FEW = 16
"""Unknowns up to which one pass for each row of a Jacobian costs less than one for all."""

_ROOTS = ("hybr", "lm", "broyden1", "broyden2", "anderson", "linearmixing", "diagbroyden", "excitingmixing", "krylov",
          "df-sane")  # fmt: skip
_MINIMA = {
    "nelder-mead": "", "powell": "", "cobyla": "", "cobyqa": "", "cg": "jac", "bfgs": "jac", "l-bfgs-b": "jac",
    "tnc": "jac", "slsqp": "jac", "newton-cg": "hess", "dogleg": "hess", "trust-ncg": "hess", "trust-krylov": "hess",
    "trust-exact": "hess", "trust-constr": "hess",
}  # fmt: skip
_SINGULAR = "where the root is not isolated it has no derivative: f must depend on every entry of x, independently"


def implicit_root(
    f: Callable[..., Any], x0: Any, *args: Any, method: str | Callable[..., Any] = "newton", tol: float | None = None,
    maxiter: int = 100, linear: str = "auto",
) -> Any:  # fmt: skip
    """The x near `x0` for which `f(x, *args)` is zero, differentiable in `args` and in the Tensors that f uses.

    x0: floats, arrays or Tensors, in nested containers; the root has its structure, shapes and dtypes, and does not
    depend on it. f: returns as many numbers as x has, in any structure of Tensors. args: anything; derivatives are by
    the Tensors among them that require a gradient.
    method: "newton", with a line search and the Jacobian by `zen.jacobian`; a method of `scipy.optimize.root` (which
    needs SciPy), whose result up to 1000 unknowns is improved by Newton's if need be; or a function `solve(f, x0,
    *args)` that returns x, by any means.
    tol: how large an entry of f may be at the root; 1e-10, for float32 1e-5. Newton's method also ends where a step is
    no more than rounding. maxiter: of Newton's method, and of SciPy's except hybr and lm.
    linear: how derivatives are solved for: "dense", by the Jacobian as a matrix; "gmres" or, where it is symmetric and
    positive definite, "cg", by its products alone (which need SciPy); "auto": dense up to 1000 unknowns, else gmres.

    Derivatives are those of the implicit function theorem, dx = -(df/dx)^-1 df/dargs dargs, of any order, in every
    mode; how the root was found does not matter to them. Results are Tensors where an argument is a Tensor or something
    that f uses requires a gradient. In `zen.vmap` the examples are solved one after the other.

    Raises RuntimeError where no root was found to `tol`, LinAlgError in the derivative where df/dx is singular,
    TypeError for integer and complex unknowns and what f may not return, ValueError for another number of equations.

    >>> import numpy as np, zen
    >>> root = lambda a: zen.implicit_root(lambda x, a: x * x - a, 1.0, a)
    >>> round(float(root(2.0)), 6), round(float(zen.grad(root)(2.0)), 6)
    (1.414214, 0.353553)
    """
    return _solved("implicit_root", f, x0, args, method, tol, maxiter, linear)


def fixed_point(
    f: Callable[..., Any], x0: Any, *args: Any, method: str | Callable[..., Any] = "anderson", tol: float | None = None,
    maxiter: int = 1000, linear: str = "auto",
) -> Any:  # fmt: skip
    """The x near `x0` for which `f(x, *args)` is x, differentiable in `args` and in the Tensors that f uses.

    f: returns what has the structure and shapes of x.
    method: "anderson", iteration with Anderson's mixing of the last five (Walker and Ni 2011); "iteration", which
    applies f again and again; "newton"; or a function `solve(f, x0, *args)` that returns x.
    tol: how far f may be from x, relative to the largest entry of x where that exceeds 1; 1e-10, for float32 1e-5.

    All else, derivatives and errors among it, is as in `zen.implicit_root`, for f(x, *args) - x.

    >>> import numpy as np, zen
    >>> x = zen.fixed_point(lambda x, a: np.cos(a * x), 1.0, 1.0)
    >>> round(float(x), 6)
    0.739085
    >>> round(float(zen.grad(lambda a: zen.fixed_point(lambda x, a: np.cos(a * x), 1.0, a))(1.0)), 6)
    -0.297474
    """
    return _solved("fixed_point", f, x0, args, method, tol, maxiter, linear)


def implicit_argmin(
    f: Callable[..., Any], x0: Any, *args: Any, method: str | Callable[..., Any] = "newton", tol: float | None = None,
    maxiter: int = 200, linear: str = "auto",
) -> Any:  # fmt: skip
    """The x near `x0` at which `f(x, *args)`, one number, has a minimum, differentiable in `args` and free Tensors.

    (`zen.argmin` is NumPy's, the position of the least entry of an array.) x is the root of the gradient of f, so f is
    differentiated twice where x is once.
    method: "newton", with a line search and the Hessian made positive definite; a method of `scipy.optimize.minimize`
    (which needs SciPy), improved likewise; or a function `solve(f, x0, *args)` that returns x.
    tol: how large an entry of the gradient may be at the minimum; 1e-8, for float32 1e-4. maxiter: of Newton's method;
    SciPy's have limits of their own.

    All else is as in `zen.implicit_root`, with "cg" for the Hessian of a large problem. Raises RuntimeError too where
    what was found is no minimum, since the Hessian is not positive definite.

    >>> import numpy as np, zen
    >>> ridge = lambda w, s: (w - 3.0) ** 2 + s * w**2
    >>> round(float(zen.implicit_argmin(ridge, 0.0, 0.5)), 6)
    2.0
    >>> round(float(zen.grad(lambda s: zen.implicit_argmin(ridge, 0.0, s))(0.5)), 6)
    -1.333333
    """
    return _solved("implicit_argmin", f, x0, args, method, tol, maxiter, linear)


def _solved(
    name: str, f: Callable[..., Any], x0: Any, args: tuple[Any, ...], method: Any, tol: float | None, maxiter: int,
    linear: str,
) -> Any:  # fmt: skip
    if not callable(f):
        raise TypeError(f"{name}: expected a function, not {type(f).__name__}")
    if linear not in ("auto", "dense", "gmres", "cg"):
        raise ValueError(f"{name}: linear is 'auto', 'dense', 'gmres' or 'cg', not {linear!r}")
    if tol is not None:
        check_number(name, "tol", tol)
    check_number(name, "maxiter", maxiter, whole=True)
    with within(()):
        problem = _KINDS[name](name, f, x0, args, tol, maxiter)
        x = problem.solution(method)
        if linear == "auto":
            linear = "dense" if x.size <= LARGE else "gmres"
        transposed = None if linear == "dense" else transposed_by(name, linear)
        flat = implicit(name, problem.residual, x, args, transposed, _SINGULAR)
        return problem.unknowns.handed(flat, not (problem.unknowns.has_tensors or holds_tensors(args)))


class _Root:
    """A function, and what is to be found for it."""

    zero = "the residual"

    def __init__(self, name: str, f: Callable[..., Any], x0: Any, args: tuple[Any, ...], tol: float | None,
                 maxiter: int) -> None:  # fmt: skip
        self.name, self.f, self.args, self.maxiter = name, f, args, maxiter
        self.unknowns = Unknowns(name, "x0", x0)
        self.tol = tol or (self.loose if self.unknowns.start.dtype.itemsize < 8 else self.close)
        self.values = plain(self.residual, args)

    close, loose = 1e-10, 1e-5

    def residual(self, x: Any, *args: Any) -> Any:
        return self.unknowns.raveled(self.f(self.unknowns.unravel(x), *args), False)

    def solution(self, method: Any) -> np.ndarray:
        start = self.unknowns.start
        first = self.values(start)
        if not np.isfinite(first).all():
            raise FloatingPointError(
                f"{self.name}: the function gives nan or infinity at x0; start where it is defined"
            )
        if callable(method):
            found = self.judged(self.given(method), 0)
        elif method in self.methods():
            if not start.size:
                return start  # SciPy's solvers take no empty vectors
            found = self.by(method, start)
        else:
            raise ValueError(f"{self.name}: there is no method {method!r}; there are {', '.join(self.methods())}")
        if not found.converged:
            self.refuse(found)
        return np.asarray(found.x, start.dtype)

    def methods(self) -> tuple[str, ...]:
        return ("newton", *_ROOTS)

    def by(self, method: str, start: np.ndarray) -> Found:
        if method == "newton":
            return newton.root(self.values, self.jacobian, start, self.tol, self.maxiter)
        options: dict[str, Any] = {} if method in ("hybr", "lm") else {"maxiter": self.maxiter, "fatol": self.tol}
        if method == "df-sane":
            options = {"maxfev": 100 * self.maxiter, "fatol": self.tol}
        jac = self.jacobian if method in ("hybr", "lm") else None
        with np.errstate(all="ignore"):
            made = _optimize(self.name).root(self.values, start, method=method, jac=jac, tol=None if jac is None else
                                             1e-14, options=options)  # fmt: skip
        found = self.judged(np.asarray(made.x, start.dtype), int(getattr(made, "nit", 0) or made.nfev), made.message)
        if found.converged or start.size > LARGE or not np.isfinite(found.residual):
            return found
        better = newton.root(self.values, self.jacobian, found.x, self.tol, self.maxiter)
        return better if better.converged else found

    def jacobian(self, x: np.ndarray) -> np.ndarray:
        with backend.GradMode(False):
            if x.size > FEW:
                return np.asarray(raw(jacobian(lambda x: self.residual(x, *self.args))(x)))
            variables = Variables(self.name, (x,), None)
            out = variables.call(lambda x: self.residual(x, *self.args), {})
            rows = [raw(variables.pull([out], [seed], True, False)[0]) for seed in np.eye(x.size, dtype=x.dtype)]
            return np.stack(rows) if rows else np.zeros((0, 0))

    def given(self, method: Callable[..., Any]) -> np.ndarray:
        """The vector that the user's solver found."""
        found = backend.call_recording(False, method, self.f, self.unknowns.tree, *self.args)
        parts = trees.matched(self.unknowns.tree, found)
        if parts is None or [np.shape(raw(x)) for x in parts] != self.unknowns.shapes:
            raise ValueError(f"{self.name}: method returned what has not the structure and shapes of x0")
        dtype = self.unknowns.start.dtype
        return np.concatenate([np.asarray(raw(x), dtype).reshape(-1) for x in parts])

    def judged(self, x: np.ndarray, iterations: int, message: str = "") -> Found:
        """What another solver found."""
        norm = largest(self.values(x)) if np.isfinite(x).all() else float("nan")
        return Found(x, norm, iterations, norm <= self.tol, " ".join(str(message).split()))

    def refuse(self, found: Found) -> Never:
        steps = f" after {found.iterations} iterations" if found.iterations else ""
        because = f" ({found.message})" if found.message else ""
        raise RuntimeError(
            f"{self.name}: no solution was found: {self.zero} is {found.residual:.3g}{steps}, more than tol = "
            f"{self.tol:.3g}{because}; start nearer to it, raise maxiter or tol, or choose another method"
        )


class _FixedPoint(_Root):
    zero = "the largest entry of f(x) - x"

    def residual(self, x: Any, *args: Any) -> Any:
        return self.unknowns.raveled(self.f(self.unknowns.unravel(x), *args), True) - x

    def methods(self) -> tuple[str, ...]:
        return "anderson", "iteration", "newton"

    def by(self, method: str, start: np.ndarray) -> Found:
        if method == "newton":
            return super().by(method, start)
        return anderson(self.values, start, self.tol, self.maxiter, 5 if method == "anderson" else 0)

    def judged(self, x: np.ndarray, iterations: int, message: str = "") -> Found:
        found = super().judged(x, iterations, message)
        return found._replace(converged=found.residual <= self.tol * max(1.0, largest(x)))


class _Minimum(_Root):
    zero, close, loose = "the largest entry of the gradient", 1e-8, 1e-4

    def number(self, x: Any, *args: Any) -> Any:
        value = self.f(self.unknowns.unravel(x), *args)
        if not hasattr(value, "shape") or value.size != 1:
            what = f"shape {value.shape}" if hasattr(value, "shape") else type(value).__name__
            raise TypeError(f"{self.name}: the function returned {what}; what is minimised is a Tensor of one number")
        return value

    def residual(self, x: Any, *args: Any) -> Any:
        return grad(lambda x: self.number(x, *args))(x)

    def value(self, x: np.ndarray) -> float:
        return float(plain(self.number, self.args)(x).reshape(()))

    def hessian(self, x: np.ndarray) -> np.ndarray:
        with backend.GradMode(False):
            return np.asarray(raw(hessian(lambda x: self.number(x, *self.args))(x)))

    def methods(self) -> tuple[str, ...]:
        return ("newton", *_MINIMA)

    def solution(self, method: Any) -> np.ndarray:
        return super().solution(method.lower() if isinstance(method, str) else method)

    def by(self, method: str, start: np.ndarray) -> Found:
        found = None
        if method != "newton":
            found = self.by_scipy(method, start)
            start = found.x
        if found is None or (start.size <= LARGE and not found.converged):
            before = found
            found = newton.minimum(self.value, self.values, self.hessian, start, self.tol, self.maxiter)
            if before is not None and not found.converged:
                found = found._replace(message=before.message or found.message)
        return self.least(found)

    def by_scipy(self, method: str, start: np.ndarray) -> Found:
        def both(x: np.ndarray) -> tuple[float, np.ndarray]:
            with backend.GradMode(False):
                value, slope = value_and_grad(lambda x: self.number(x, *self.args))(x.astype(start.dtype))
            return float(raw(value)), np.asarray(raw(slope), float)

        wants = _MINIMA[method]
        given: dict[str, Any] = {"fun": both, "jac": True} if wants else {"fun": self.value}
        if wants == "hess":
            given["hess"] = self.hessian
        made = _optimize(self.name).minimize(x0=start, method=method, tol=self.tol, **given)
        return self.judged(np.asarray(made.x, start.dtype), int(made.get("nit", 0)), made.message)

    def least(self, found: Found) -> Found:
        """What was found, if it is a minimum."""
        if found.converged and found.x.size <= LARGE:
            matrix = self.hessian(found.x)
            check_regular(self.name, matrix, "where the minimum is not isolated it has no derivative")
            if np.linalg.eigvalsh((matrix + matrix.T) / 2)[0] <= 0:
                raise RuntimeError(
                    f"{self.name}: the gradient is zero after {found.iterations} iterations, but at a saddle point or "
                    "maximum, where the Hessian is not positive definite; start nearer to a minimum"
                )
        return found


_KINDS: dict[str, type[_Root]] = {"implicit_root": _Root, "fixed_point": _FixedPoint, "implicit_argmin": _Minimum}


def _optimize(name: str) -> Any:
    return scipy_module(
        "optimize", f"{name} with a method of SciPy's", "scipy", "; the methods of zen's own do without"
    )


for _function in (fixed_point, implicit_argmin, implicit_root):
    placed(_function, "zen", _function.__name__)
