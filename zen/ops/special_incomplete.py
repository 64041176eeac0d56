"""The incomplete gamma and beta functions, and Student's distribution function, in all of their arguments.

`special_jets.py` computes the derivatives by the parameters. Each of them is a function of the other arguments in its
turn, that of the function's density, so derivatives mix in every order.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from ..backend import Shaped, apply, binary
from . import special_jets
from .register import define
from .row import row
from .special import POSITIVE, UNIT, alike, declare, doubles, result, scipy_function, special

if TYPE_CHECKING:
    from ..backend import Tensor
    from ..typing import ArrayLike


def _moment(cumulant: Any, m: int, n: int) -> Any:
    """What m derivatives by a and n by b make of exp(K): the factor, where cumulant(i, j) is that derivative of K."""
    if m == n == 0:
        return 1.0
    i, j = (m - 1, n) if m else (0, n - 1)
    total = 0.0
    for k in range(i + 1):
        for l in range(j + 1):  # noqa: E741
            slope = cumulant(i - k + (m > 0), j - l + (m == 0))
            total = total + math.comb(i, k) * math.comb(j, l) * slope * _moment(cumulant, k, l)
    return total


# --- gamma


def _gamma_density(a: Any, x: Any) -> Any:
    """exp((a - 1) log(x) - x - gammaln(a)), by Stirling's series for large a, where that would lose digits."""
    (a, x), dtype = doubles(a, x)
    large = (a > 20) & (x > 0)
    p, q = np.where(large, a, 21.0), np.where(large, x, 21.0)
    away = (q - p) / p
    near = np.abs(away) < 0.5
    t = np.where(near, away, 0.0) / (2 + np.where(near, away, 0.0))
    # log1p(away) - away, by the series of atanh(t)
    series = sum([t ** (2 * k) / (2 * k + 3) for k in range(18)])
    fall = np.where(near, -2 * t * t / (1 - t) + 2 * t**3 * series, np.log(q / p) - away)
    stirling = (1 / 12 - (1 / 360 - (1 / 1260 - (1 / 1680 - (1 / 1188) / p**2) / p**2) / p**2) / p**2) / p
    peaked = np.exp(p * fall - stirling) * np.sqrt(p / (2 * np.pi)) / q
    size = scipy_function("gammaln")(a)
    plain = np.exp(scipy_function("xlogy")(a - 1, x) - x - size) * scipy_function("gammasgn")(a)
    found = np.where(large, peaked, np.where(np.isposinf(size), 0.0, plain))  # 1 / gamma(a) is 0 at the poles
    return np.where(x < 0, np.nan, np.where(np.isposinf(x), 0.0, found)).astype(dtype)


def _gamma_mixed(f: Any, g: Any, a: Any, x: Any, n: int) -> Any:
    """The cotangent times the n-th derivative of the density in a."""
    inside = f.where((x == 0) & (a > 1), 1.0, x)  # there the density is 0, and log(x) infinite

    def cumulant(i: int, _: int) -> Any:
        return f.log(inside) - f.digamma(a) if i == 1 else -f.polygamma(float(i - 1), a)

    return g * f.gamma_density(a, x) * _moment(cumulant, n, 0)


def _gamma_next(f: Any, g: Any, a: Any, x: Any, n: int) -> Any:
    return g * f.gammainc(a, x, n + 1)


def _gammainc(a: Any, x: Any, n: int) -> Any:
    return scipy_function("gammainc")(a, x) if n == 0 else special_jets.gammainc_derivative(a, x, n)


def _joint(*args: Any) -> Shaped:
    arrays = [x for x in args if hasattr(x, "dtype")]
    return Shaped(np.broadcast_shapes(*[x.shape for x in arrays]), result(*arrays))


def _gamma_cases(rng: np.random.Generator) -> list[Any]:
    return [
        ((rng.uniform(0.3, 3, 4), rng.uniform(0.3, 5, 4)), (0,)),
        ((rng.uniform(0.3, 3, (2, 6))[:, ::2], rng.uniform(0.3, 5, 3)), (1,)),
        ((np.ones((0, 2)), np.ones(2)), (0,)), ((rng.uniform(1, 2, size=()), rng.uniform(3, 4, size=())), (1,)),
    ]  # fmt: skip


declare(
    "gamma_density", "a x", _gamma_density,
    ["g * y * (log(where((x == 0) & (a > 1), 1.0, x)) - digamma(a))",
     "g * where(x == 0, gamma_density(a - where(x == 0, 1.0, 0.0), x) - y, y * ((a - 1) / where(x == 0, 1.0, x) - 1))"],
    [(1.5, 3.0), POSITIVE],
    "The density of the gamma distribution: the derivative of gammainc in x.",
)  # fmt: skip
GAMMAINC = define(row(
    "gammainc", "a x", _gammainc, ["next(g, a, x, n)", "mixed(g, a, x, n)"], params="n",
    jvp=("next(g, a, x, n)", "mixed(g, a, x, n)"), uses={"next": _gamma_next, "mixed": _gamma_mixed},
    shape=_joint, domain=_gamma_cases, doc="The n-th derivative of the lower incomplete gamma function in a.",
))  # fmt: skip
_GAMMAINCC = binary(declare(
    "gammaincc", "a x", "gammaincc", ["-g * gammainc(a, x, 1)", "-g * gamma_density(a, x)"], [POSITIVE, POSITIVE],
    "1 - gammainc(a, x).",
))  # fmt: skip


# --- beta


def _beta_density(a: Any, b: Any, x: Any) -> Any:
    """x ** (a - 1) (1 - x) ** (b - 1) / beta(a, b)."""
    (a, b, x), dtype = doubles(a, b, x)
    xlogy, xlog1py = scipy_function("xlogy"), scipy_function("xlog1py")
    size, sign = scipy_function("betaln")(a, b), scipy_function("gammasgn")
    found = np.exp(xlogy(a - 1, x) + xlog1py(b - 1, -x) - size) * (sign(a) * sign(b) * sign(a + b))
    return np.where((x < 0) | (x > 1), np.nan, np.where(np.isposinf(size), 0.0, found)).astype(dtype)


def _beta_density_slope(f: Any, a: Any, b: Any, x: Any, y: Any) -> Any:
    """The derivative in x; at the ends, where that divides by 0, as a difference of densities."""
    end = (x == 0) | (x == 1)
    one = f.where(end, 1.0, 0.0)
    there = (a + b - 1) * (f.beta_density(a - one, b, x) - f.beta_density(a, b - one, x))
    return f.where(end, there, y * ((a - 1) / f.where(x == 0, 1.0, x) - (b - 1) / f.where(x == 1, 1.0, 1 - x)))


def _beta_mixed(f: Any, g: Any, a: Any, b: Any, x: Any, m: int, n: int) -> Any:
    """The cotangent times the density, differentiated m times in a and n times in b."""
    left, right = f.where((x == 0) & (a > 1), 1.0, x), f.where((x == 1) & (b > 1), 0.0, x)

    def cumulant(i: int, j: int) -> Any:
        k = i + j - 1
        if i and j:
            return f.polygamma(float(k), a + b)
        gap = f.polygamma_gap(a, b, k) if i else f.polygamma_gap(b, a, k)
        return gap if k else gap + (f.log(left) if i else f.log1p(-right))

    return g * f.beta_density(a, b, x) * _moment(cumulant, m, n)


def _beta_next(f: Any, g: Any, a: Any, b: Any, x: Any, m: int, n: int) -> Any:
    return g * f.betainc(a, b, x, m, n)


def _betainc(a: Any, b: Any, x: Any, m: int, n: int) -> Any:
    return scipy_function("betainc")(a, b, x) if m + n == 0 else special_jets.betainc_derivative(a, b, x, m, n)


def _beta_cases(rng: np.random.Generator) -> list[Any]:
    def three(*shape: int) -> Any:
        return rng.uniform(0.5, 3, shape), rng.uniform(0.5, 3, shape[-1:]), rng.uniform(0.1, 0.9, shape)

    a, b, x = three(2, 6)
    return [
        (three(4), (0, 0)), ((a[:, ::2], b[::2], x[:, ::2]), (1, 0)),
        ((np.ones((0, 2)), np.ones(2), np.ones(2)), (0, 0)), (three(3), (0, 1)), (three(), (0, 0)),
    ]  # fmt: skip


declare(
    "beta_density", "a b x", _beta_density,
    ["g * y * (log(where((x == 0) & (a > 1), 1.0, x)) + polygamma_gap(a, b, 0))",
     "g * y * (log1p(where((x == 1) & (b > 1), 0.0, x * -1.0)) + polygamma_gap(b, a, 0))",
     "g * slope(a, b, x, y)"], [(1.5, 3.0), (1.5, 3.0), UNIT],
    "The density of the beta distribution: the derivative of betainc in x.", uses={"slope": _beta_density_slope},
)  # fmt: skip
_NEXT = ("next(g, a, b, x, m + 1, n)", "next(g, a, b, x, m, n + 1)", "mixed(g, a, b, x, m, n)")
BETAINC = define(row(
    "betainc", "a b x", _betainc, list(_NEXT), params="m n", jvp=_NEXT,
    uses={"next": _beta_next, "mixed": _beta_mixed}, shape=_joint, domain=_beta_cases,
    doc="The regularised incomplete beta function, differentiated m times in a and n times in b.",
))  # fmt: skip
BETAINCC = declare(
    "betaincc", "a b x", "betaincc",
    ["-g * betainc(a, b, x, 1, 0)", "-g * betainc(a, b, x, 0, 1)", "-g * beta_density(a, b, x)"],
    [(0.5, 3.0), (0.5, 3.0), UNIT], "1 - betainc(a, b, x).",
)  # fmt: skip


@special
def gammainc(a: ArrayLike, x: ArrayLike) -> Tensor:
    """The regularised lower incomplete gamma function: the integral of t ** (a - 1) exp(-t) / gamma(a) from 0 to x.

    a, x: Tensors, arrays or numbers that broadcast; nan where one is negative. It has derivatives of all orders in
    both. Those in a agree with 40 digits to 1e-12 of their size for a from 1e-3 to 1e4; where a is about x and more
    than 1e6 they may be nan.

    >>> round(zen.special.gammainc(1.0, zen.tensor(1.0)).item(), 4)
    0.6321
    """
    found: Tensor = apply(GAMMAINC, alike("gammainc", a, x), (0,))
    return found


@special
def gammaincc(a: ArrayLike, x: ArrayLike) -> Tensor:
    """1 - gammainc(a, x), exact where that is tiny. Arguments and derivatives as there.

    >>> round(zen.special.gammaincc(1.0, zen.tensor(1.0)).item(), 4)
    0.3679
    """
    return _GAMMAINCC(a, x)


@special
def betainc(a: ArrayLike, b: ArrayLike, x: ArrayLike) -> Tensor:
    """The regularised incomplete beta function: the integral of t ** (a - 1) (1 - t) ** (b - 1) / beta(a, b) up to x.

    a, b, x: Tensors, arrays or numbers that broadcast; nan where a or b is negative, or x outside [0, 1]. It has
    derivatives of all orders in all of them. Those in a and b have the precision of those of `gammainc`.

    >>> zen.special.betainc(1.0, 1.0, zen.tensor([0.25])).tolist()
    [0.25]
    """
    found: Tensor = apply(BETAINC, alike("betainc", a, b, x), (0, 0))
    return found


@special
def betaincc(a: ArrayLike, b: ArrayLike, x: ArrayLike) -> Tensor:
    """1 - betainc(a, b, x), exact where that is tiny. Arguments and derivatives as there.

    >>> zen.special.betaincc(1.0, 1.0, zen.tensor([0.25])).tolist()
    [0.75]
    """
    found: Tensor = apply(BETAINCC, (a, b, x))
    return found
