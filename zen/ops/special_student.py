"""Student's distribution function, with its derivatives in the point and in the degrees of freedom.

It is 1 - betainc(df / 2, 1 / 2, df / (df + t * t)) / 2 for positive t (Abramowitz and Stegun, 26.7.1); composed so, it
would have no derivative at t = 0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..backend import binary
from .special import ANY, UNIT, declare, doubles, scipy_function, special
from .special_jets import betainc_derivative

if TYPE_CHECKING:
    from ..backend import Tensor
    from ..typing import ArrayLike


def _density(v: Any, t: Any) -> Any:
    (v, t), dtype = doubles(v, t)
    log = scipy_function("betaln")(0.5, 0.5 * v) + 0.5 * np.log(v) + 0.5 * (v + 1) * np.log1p(t * t / v)
    return np.exp(-log).astype(dtype)


def _slope(v: Any, t: Any) -> Any:
    """The derivative in v. The point x moves with v as well, by t * t / (v + t * t) ** 2."""
    (v, t), dtype = doubles(v, t)
    finite = np.where(np.isfinite(t), t, 0.0)
    square = v + finite * finite
    x = v / square
    log = 0.5 * v * np.log(x) - scipy_function("betaln")(0.5, 0.5 * v)
    moved = np.exp(log) * np.abs(finite) / (v * np.sqrt(square))
    found = -0.5 * np.sign(finite) * (0.5 * betainc_derivative(0.5 * v, 0.5, x, 1, 0) + moved)
    return np.where(np.isnan(t), t, found).astype(dtype)


def _quantile(v: Any, p: Any) -> Any:
    """SciPy's, but -inf at 0, where some versions of it say inf."""
    (v, p), dtype = doubles(v, p)
    return np.where((p == 0) & (v > 0), -np.inf, scipy_function("stdtrit")(v, p)).astype(dtype)


def _log_slope(f: Any, v: Any, t: Any) -> Any:
    """The derivative of the logarithm of the density in v."""
    square = t * t
    constant = 0.5 * f.polygamma_gap(0.5 * v, 0.5, 0) - 0.5 / v
    return constant - 0.5 * f.log1p(square / v) + 0.5 * (v + 1) * square / (v * (v + square))


def _bend(f: Any, v: Any, t: Any) -> Any:
    """The second derivative in v: that of each part of `_slope`."""
    square = v + t * t
    x, half = v / square, 0.5 * v
    log, gap = f.log(x), f.polygamma_gap(half, 0.5, 0)
    moved = f.exp(half * log - f.betaln(half, 0.5)) * f.abs(t) / (v * f.sqrt(square))
    growth = 0.5 * (log + 1 - x + gap) - 1 / v - 0.5 / square
    inner = 0.25 * f.betainc(half, 0.5, x, 2, 0) + 0.5 * moved * (log + gap) + moved * growth
    return f.where(t < 0, 0.5, -0.5) * inner


_USES = {"log_slope": _log_slope, "bend": _bend}
_FREEDOM = (1.5, 4.0)
declare(
    "student_density", "v t", _density,
    ["g * y * log_slope(v, where(y == 0, 0.0, t))",
     "-g * y * (v + 1) * where(y == 0, 0.0, t) / (v + square(where(y == 0, 0.0, t)))"],
    [_FREEDOM, ANY], "The density of Student's distribution: the derivative of stdtr in t.", uses=_USES,
)  # fmt: skip
declare(
    "student_slope", "v t", _slope,
    ["g * bend(v, t)", "g * student_density(v, t) * log_slope(v, where(abs(t) < 1e150, t, 0.0))"], [_FREEDOM, ANY],
    "The derivative of stdtr in the degrees of freedom.", uses=_USES,
)  # fmt: skip
_STDTR = binary(declare(
    "stdtr", "v t", "stdtr", ["g * student_slope(v, t)", "g * student_density(v, t)"], [_FREEDOM, ANY],
    "Student's distribution function.",
))  # fmt: skip
_STDTRIT = binary(declare(
    "stdtrit", "v p", _quantile, ["-g * student_slope(v, y) / student_density(v, y)", "g / student_density(v, y)"],
    [_FREEDOM, UNIT], "The inverse of stdtr in its second argument.",
))  # fmt: skip


@special
def stdtr(df: ArrayLike, t: ArrayLike) -> Tensor:
    """Student's distribution function with df degrees of freedom: the probability of a value up to t.

    df, t: Tensors, arrays or numbers that broadcast; nan where df is not positive. Derivatives in df are those of
    `betainc`, and so is their precision.

    >>> zen.special.stdtr(zen.tensor([1.0]), 0.0).tolist()
    [0.5]
    """
    return _STDTR(df, t)


@special
def stdtrit(df: ArrayLike, p: ArrayLike) -> Tensor:
    """The t with stdtr(df, t) = p: the quantile of Student's distribution, with derivatives of all orders in both.

    >>> zen.special.stdtrit(zen.tensor([1.0]), 0.5).tolist()
    [0.0]
    """
    return _STDTRIT(df, p)
