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
from .special import POSITIVE, declare, derivative, doubles, fixed, scipy_function, special

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


def polygamma_gap(a: Any, b: Any, n: int) -> Any:
    """polygamma(n, a + b) - polygamma(n, a), without the cancellation for large a or small b.

    Each term of the recurrence (DLMF 5.15.5) and of the asymptotic series (5.15.8) is subtracted by itself. Where
    a or a + b is not positive the functions are.
    """
    (a, b), dtype = doubles(a, b)
    fits = (a > 0) & (a + b > 0)
    x, step = np.where(fits, a, 1.0), np.where(fits, b, 1.0)

    def power(z: Any, p: int) -> Any:
        """(z + b) ** -p - z ** -p."""
        return z**-p * np.expm1(-p * np.log1p(step / z))

    sign, found = (-1) ** n, np.zeros(x.shape)
    near = np.minimum(x, x + step) < SHIFT
    for k in range(SHIFT if near.any() else 0):
        found = found - sign * math.factorial(n) * np.where(near, power(x + k, n + 1), 0)
    z = np.where(near, x + SHIFT, x)
    if n:
        found = found - sign * math.factorial(n - 1) * power(z, n)
    else:
        found = found + np.log1p(step / z)
    found = found - sign * math.factorial(n) / 2 * power(z, n + 1)
    for k, number in enumerate(BERNOULLI, 1):
        factor = number * math.factorial(2 * k + n - 1) / math.factorial(2 * k)
        found = found - sign * factor * power(z, 2 * k + n)
    if not fits.all():
        found = np.where(fits, found, _polygamma(n, a + b) - _polygamma(n, a))
    return found.astype(dtype)


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
