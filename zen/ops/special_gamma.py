"""The gamma function, its logarithm and their derivatives, beta and zeta functions.

Formulas: DLMF chapters 5 and 25. The order of a polygamma function is no variable: its derivative raises.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from ..backend import apply, binary, unary
from ..dtypes import COMPLEX, INEXACT
from .complex_polygamma import BERNOULLI, SHIFT, complex_polygamma, to_the_left
from .operands import floating, operand, raw, whole
from .register import FUNCTIONS, ROWS, dispatch
from .special import POSITIVE, declare, derivative, doubles, fixed, in_blocks, scipy_function, special

if TYPE_CHECKING:
    from ..backend import Tensor
    from ..typing import ArrayLike

_FAR = -1e5


def _zeta(x: Any, q: Any) -> Any:
    """SciPy's, but for q far below 0: there SciPy takes a step for each whole number between."""
    q = np.asarray(q)
    zeta = scipy_function("zeta")
    found = np.asarray(zeta(x, np.where(q < _FAR, q.dtype.type(1), q)))
    if not (q < _FAR).any():
        return found
    s, far = np.asarray(x, np.float64), np.where(q < _FAR, q, -0.5).astype(np.float64)
    return np.where(q < _FAR, to_the_left(zeta, s, far), found).astype(found.dtype)


def _polygamma(n: Any, x: Any) -> Any:
    """(-1) ** (n + 1) n! zeta(n + 1, x), and digamma for n = 0, in the dtype of x."""
    x = np.asarray(x)
    x = x if x.dtype in INEXACT else x.astype(np.float64)
    n = np.asarray(n, np.float64)
    if x.dtype in COMPLEX:
        return _of_complex(n, x)
    if n.ndim == 0 and 0 < n <= 6 and np.all(x > 0):
        return in_blocks(lambda x: right_polygamma(int(n), x), np.asarray(x, np.float64)).astype(x.dtype)
    factor = np.where(n % 2 == 1, 1.0, -1.0) * scipy_function("gamma")(n + 1)
    found = _zeta(np.where(n == 0, 2.0, n + 1).astype(x.dtype), x) * factor.astype(x.dtype)
    return np.where(n == 0, scipy_function("psi")(x), found)


def _of_complex(n: np.ndarray, z: np.ndarray) -> np.ndarray:
    found = scipy_function("psi")(z) + np.zeros(n.shape, z.dtype)
    for order in np.unique(n[n > 0]):
        with np.errstate(all="ignore"):
            found = np.where(n == order, complex_polygamma(int(order), z.astype(np.complex128)), found)
    made: np.ndarray = found.astype(z.dtype)
    return made


def _series(n: int, square: Any) -> Any:
    """The sum of B(2k) (2k + n - 1)! / (2k)! square ** k, from k = 1, of DLMF 5.15.8."""
    found: Any = 0.0
    for k, number in reversed([*enumerate(BERNOULLI, 1)]):
        found = (found + number * math.factorial(2 * k + n - 1) / math.factorial(2 * k)) * square
    return found


def _shifts(lowest: float, n: int) -> int:
    """How many steps of the recurrence lead to where the asymptotic series gives all digits."""
    return max(0, 9 + n - int(min(lowest, SHIFT)))


def right_polygamma(n: int, x: np.ndarray) -> np.ndarray:
    """The n-th derivative of digamma, n > 0, for positive x in float64: sums of terms of one sign, by the recurrence
    and the asymptotic series (DLMF 5.15.5, 5.15.8)."""
    total, z, work, inverse = np.zeros(x.shape), x.copy(), np.empty(x.shape), np.empty(x.shape)
    with np.errstate(all="ignore"):
        for _ in range(_shifts(np.min(x, initial=SHIFT), n)):  # in place: these passes are most of the work
            np.divide(1.0, z, out=inverse)
            np.multiply(inverse, inverse, out=work)
            for _ in range(n - 1):
                np.multiply(work, inverse, out=work)
            np.add(total, work, out=total)
            np.add(z, 1.0, out=z)
        np.divide(1.0, z, out=inverse)
        total = math.factorial(n) * total + _power(inverse, n) * (
            math.factorial(n - 1) + 0.5 * math.factorial(n) * inverse + _series(n, inverse * inverse)
        )
    return np.asarray(total if n % 2 else -total)


def _power(u: Any, n: int) -> Any:
    found = u
    for _ in range(n - 1):
        found = found * u
    return found


def polygamma_gap(a: Any, b: Any, n: int) -> Any:
    """polygamma(n, a + b) - polygamma(n, a), without the cancellation for large a or small b.

    Each term of the recurrence (DLMF 5.15.5) and of the asymptotic series (5.15.8) is subtracted by itself. Where
    a or a + b is not positive the functions are.
    """
    (a, b), dtype = doubles(a, b)
    return in_blocks(lambda a, b: _polygamma_gap(a, b, n), a, b).astype(dtype)


def _polygamma_gap(a: Any, b: Any, n: int) -> Any:
    fits = (a > 0) & (a + b > 0)
    all_fit = fits.all()
    x, step = (a, b) if all_fit else (np.where(fits, a, 1.0), np.where(fits, b, 1.0))
    total = np.zeros(x.shape)
    with np.errstate(all="ignore"):
        above = x + step
        for _ in range(_shifts(min(np.min(x, initial=SHIFT), np.min(above, initial=SHIFT)), n)):
            if n or np.isinf(step).any():
                total += _gap(x, step, n + 1)[1]
            else:
                part = step / above
                part /= x
                total -= part
                above += 1
            x = x + 1
        found = (-1) ** (n + 1) * (math.factorial(n) * total + _asymptotic_gap(x, step, n))
    return found if all_fit else np.where(fits, found, _polygamma(n, a + b) - _polygamma(n, a))


def _gap(z: Any, step: Any, n: int) -> tuple[Any, Any, Any]:
    """u ** n, v ** n - u ** n and v ** n for u = 1 / z and v = 1 / (z + step)."""
    u, above = 1 / z, z + step
    v = 1 / above
    part = step / above
    difference = -u * (np.where(np.isinf(step), 1.0, part) if np.isinf(step).any() else part)
    return _steps_up(u, difference, v, n)


def _steps_up(u: Any, difference: Any, v: Any, n: int) -> tuple[Any, Any, Any]:
    power, found, other = u, difference, v
    for _ in range(n - 1):
        found, power, other = found * v + power * difference, power * u, other * v
    return power, found, other


def _asymptotic_gap(z: Any, step: Any, n: int) -> Any:
    """What the terms of the asymptotic series that do not shrink with n, and the others, have more at z + step."""
    u, difference, v = _gap(z, step, 1)
    low, square, high = u * u, difference * (u + v), v * v
    value, found = 0.0, 0.0
    for k, number in reversed([*enumerate(BERNOULLI, 1)]):
        # of the polynomial by Horner's rule: its value at the one, and what it has more at the other
        coefficient = number * math.factorial(2 * k + n - 1) / math.factorial(2 * k)
        value = value + coefficient
        found, value = found * high + value * square, value * low
    if n == 0:
        return -np.log1p(step / z) + 0.5 * difference + found
    power, change, other = _steps_up(u, difference, v, n)
    outer = math.factorial(n - 1) + 0.5 * math.factorial(n) * u + value
    return change * outer + other * (0.5 * math.factorial(n) * difference + found)


def _pairs(rng: np.random.Generator) -> list[Any]:
    return [
        ((rng.uniform(0.3, 3, 4), rng.uniform(0.3, 3, 4)), (0,)),
        ((rng.uniform(0.3, 40, (2, 6))[:, ::2], rng.uniform(0.3, 3, 3)), (1,)),
        ((np.ones((0, 2)), np.ones(2)), (0,)), ((rng.uniform(1, 2, size=()), rng.uniform(1, 2, size=())), (1,)),
    ]  # fmt: skip


derivative(
    "polygamma_gap", polygamma_gap, ["g * polygamma_gap(a, b, n + 1)", "g * polygamma(n + 1, a + b)"], _pairs,
    "What polygamma(n, .) has more at a + b than at a.", "a b",
)  # fmt: skip
_GAMMA = unary(declare("gamma", "x", "gamma", ["g * y * digamma(x)"], [POSITIVE], "The gamma function.", complex=True))
_GAMMALN = unary(declare("gammaln", "x", "gammaln", ["g * digamma(x)"], [POSITIVE], "log(abs(gamma(x)))."))
_LOGGAMMA = unary(
    declare("loggamma", "x", "loggamma", ["g * digamma(x)"], [POSITIVE], "The logarithm of gamma.", complex=True)
)
_DIGAMMA = unary(
    declare("digamma", "x", "psi", ["g * polygamma(1, x)"], [POSITIVE], "The derivative of gammaln.", complex=True)
)
_POLYGAMMA = binary(declare(
    "polygamma", "n x", _polygamma, [None, "g * polygamma(n + 1, x)"], [(2.0, 2.0), (0.5, 3.0)],
    "The n-th derivative of digamma.", complex=True,
))  # fmt: skip
_BETA = binary(declare(
    "beta", "a b", "beta", ["-g * y * polygamma_gap(a, b, 0)", "-g * y * polygamma_gap(b, a, 0)"],
    [POSITIVE, (0.5, 3.0)], "The beta function.",
))  # fmt: skip
_BETALN = binary(declare(
    "betaln", "a b", "betaln", ["-g * polygamma_gap(a, b, 0)", "-g * polygamma_gap(b, a, 0)"], [POSITIVE, (0.5, 3.0)],
    "The logarithm of beta.",
))  # fmt: skip
_ZETA = binary(declare(
    "zeta", "x q", _zeta, [None, "-g * x * zeta(x + 1, q)"],
    [(2.5, 4.0), (0.5, 3.0)], "The Hurwitz zeta function.",
))  # fmt: skip


@special
def gamma(x: ArrayLike) -> Tensor:
    """The gamma function, also of complex numbers. At 0 it is inf, at negative integers nan.

    >>> zen.special.gamma(zen.tensor([1.0, 5.0])).tolist()
    [1.0, 24.0]
    """
    return _GAMMA(x)


@special
def gammaln(x: ArrayLike) -> Tensor:
    """log(abs(gamma(x))); inf at 0 and at negative integers. Its derivative, digamma, is -inf at 0.

    >>> zen.special.gammaln(zen.tensor([1.0, 2.0])).tolist()
    [0.0, 0.0]
    """
    return _GAMMALN(x)


@special
def loggamma(x: ArrayLike) -> Tensor:
    """The principal branch of the logarithm of gamma(x), also of complex numbers: for real ones nan below 0.

    >>> zen.special.loggamma(zen.tensor([1.0, 2.0])).tolist()
    [0.0, 0.0]
    """
    return _LOGGAMMA(x)


@special
def digamma(x: ArrayLike) -> Tensor:
    """The derivative of gammaln, also called psi, also of complex numbers: -inf at 0, nan at negative integers.

    >>> round(zen.special.digamma(zen.tensor(1.0)).item(), 4)
    -0.5772
    """
    return _DIGAMMA(x)


dispatch("scipy.special.psi", digamma)  # the ufunc calls itself so


@special
def polygamma(n: ArrayLike, x: ArrayLike) -> Tensor:
    """The n-th derivative of digamma.

    n: whole numbers from 0, constants; ValueError for others. x: real, or complex with n up to 40. n and x broadcast;
    the result has the dtype of x.

    >>> round(zen.special.polygamma(1, zen.tensor(1.0)).item(), 4)
    1.6449
    """
    orders = np.asarray(fixed("polygamma", "n", n, "it counts derivatives"))
    if np.iscomplexobj(orders) or not np.all((orders >= 0) & (orders == np.floor(orders))):
        raise ValueError(f"polygamma: n must be whole numbers from 0, got {n!r}")
    return _POLYGAMMA(orders if orders.ndim else float(orders), x)


@special
def beta(a: ArrayLike, b: ArrayLike) -> Tensor:
    """gamma(a) * gamma(b) / gamma(a + b).

    >>> zen.special.beta(zen.tensor([1.0]), 2.0).tolist()
    [0.5]
    """
    return _BETA(a, b)


@special
def betaln(a: ArrayLike, b: ArrayLike) -> Tensor:
    """log(abs(beta(a, b))). The derivatives keep their digits for large arguments as well.

    >>> zen.special.betaln(zen.tensor([1.0]), 1.0).tolist()
    [0.0]
    """
    return _BETALN(a, b)


@special
def zeta(x: ArrayLike, q: ArrayLike | None = None) -> Tensor:
    """The sum of (q + k) ** -x over k = 0, 1, ...: Hurwitz's zeta function, and without q Riemann's, where q is 1.

    It has a derivative in q. x: a constant; TypeError if it requires a gradient.

    >>> round(zen.special.zeta(2.0, zen.tensor(1.0)).item(), 4)
    1.6449
    """
    x = fixed("zeta", "x", x, "it is no elementary function of values of zeta")
    if q is None:
        found: Tensor = apply(ROWS["positive"], (scipy_function("zeta")(raw(floating("zeta", x))),))
        return found
    return _ZETA(x, q)


dispatch("scipy.special._ufuncs._zeta", zeta)  # what SciPy's zeta calls
dispatch("scipy.special._ufuncs._riemann_zeta", zeta)


@special
def multigammaln(a: ArrayLike, d: int) -> Tensor:
    """The logarithm of the gamma function of d dimensions: d (d - 1) / 4 log(pi) plus all gammaln(a - j / 2), j < d.

    a: more than (d - 1) / 2 each, else ValueError. d: a positive int.

    >>> round(zen.special.multigammaln(zen.tensor(2.0), 2).item(), 4)
    0.4516
    """
    d, a = whole("multigammaln", "d", d), operand("multigammaln", a)
    if d < 1:
        raise ValueError(f"multigammaln: d must be positive, but is {d}")
    if np.any(raw(a) <= 0.5 * (d - 1)):
        raise ValueError(f"multigammaln: a must be more than (d - 1) / 2 = {0.5 * (d - 1):g}")
    total = _GAMMALN(a)
    for j in range(1, d):
        total = total + _GAMMALN(_SUBTRACT(a, 0.5 * j))
    return total + 0.25 * d * (d - 1) * math.log(math.pi)


_SUBTRACT = FUNCTIONS["subtract"]
