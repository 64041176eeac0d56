"""The error function, the normal distribution function, their relatives and inverses.

Derivatives: DLMF 7.2, 7.10 and 7.18. Far in the tails a derivative is 0, never 0 times inf.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..backend import unary
from ..dtypes import COMPLEX
from .register import ROWS, define
from .row import elementwise
from .special import ANY, UNIT, declare, derivative, doubles, in_blocks, scipy_function, special

if TYPE_CHECKING:
    from ..backend import Tensor
    from ..typing import ArrayLike

# exp(-x * x) is 0 long before x is infinite. Where it is, its derivatives are.
define(elementwise(
    "error_density", "x", "exp(-x * x) * 1.1283791670955126", ["g * -2 * where(y == 0, 0, x) * y"], [ANY], numpy="",
    method=None, complex=True, doc="The derivative of erf.",
))  # fmt: skip
define(elementwise(
    "normal_density", "x", "exp(-0.5 * x * x) * 0.3989422804014327", ["-g * where(y == 0, 0, x) * y"], [ANY], numpy="",
    method=None, complex=True, doc="The density of the standard normal distribution.",
))  # fmt: skip


def _moment(x: Any, n: int) -> Any:
    """2 / sqrt(pi) times the integral of t ** n exp(-t * t - 2 x t) over positive t: n! times DLMF 7.18.2, scaled.

    Upwards by its recurrence to the left, where no digits are lost; by the continued fraction of that (7.18.13)
    elsewhere.
    """
    (x,), dtype = doubles(x)
    if x.dtype in COMPLEX:
        return _complex_moment(x, n).astype(dtype)
    return in_blocks(lambda x: _real_moment(x, n), x).astype(dtype)


def _real_moment(x: np.ndarray, n: int) -> np.ndarray:
    limit = {1: 2.0, 2: 1.5}.get(n, 1.0)
    near = ~(x >= limit)
    if near.all():
        return np.asarray(_upwards(scipy_function("erfcx")(x), 1 / np.sqrt(np.pi), x, n))
    found, left, right = np.empty(x.shape), x[near], x[~near]
    found[near] = _upwards(scipy_function("erfcx")(left), 1 / np.sqrt(np.pi), left, n)
    ratio, product = np.zeros(right.shape), scipy_function("erfcx")(right)
    for k in range(n + 20 + int(300 / np.min(right) ** 2), 0, -1):
        np.add(right, ratio, out=ratio)
        np.divide(0.5 * k, ratio, out=ratio)
        if k <= n:
            product = product * ratio
    found[~near] = product
    return found


def _complex_moment(z: np.ndarray, n: int) -> np.ndarray:
    """The same for complex numbers: by the fraction far to the right; far to the left by reflection on that, which
    adds derivatives of 2 exp(z * z)."""
    near, is_left = np.abs(z) < 7, z.real < 0
    with np.errstate(all="ignore"):
        close = _upwards(scipy_function("erfcx")(z), 1 / np.sqrt(np.pi), z, n)
        far = np.where(near, 7, np.where(is_left, -z, z))
        ratio, product = np.zeros(z.shape, z.dtype), scipy_function("erfcx")(far)
        for k in range(n + 16, 0, -1):
            ratio = 0.5 * k / (far + ratio)
            product = product * ratio if k <= n else product
        beside = np.where(is_left, _upwards(2 * np.exp(z * z), 0.0, z, n), 0)
        found: np.ndarray = np.where(near, close, np.where(is_left, (-1) ** (n + 1) * product + beside, product))
    return found


def _upwards(first: Any, constant: float, z: np.ndarray, n: int) -> Any:
    before, found = first, constant - z * first
    for k in range(1, n):
        before, found = found, 0.5 * k * before - z * found
    return found


def _moments(rng: np.random.Generator) -> list[Any]:
    return [
        ((rng.uniform(-2, 2, 4),), (1,)), ((rng.uniform(0.5, 9, (2, 6))[:, ::2],), (2,)), ((np.zeros((0, 2)),), (1,)),
        ((rng.normal(size=()),), (1,)),
    ]  # fmt: skip


def _inverse_mills(x: Any) -> Any:
    x = np.asarray(x)
    if x.dtype in COMPLEX:
        return 0.7978845608028654 / scipy_function("erfcx")(x * x.dtype.type(-0.7071067811865476))
    left, right = np.where(x < 0, -x, 0) * 0.7071067811865476, np.where(x < 0, 0, x)
    density = np.exp(-0.5 * right * right) * 0.3989422804014327
    return np.where(x < 0, 0.7978845608028654 / scipy_function("erfcx")(left), density / scipy_function("ndtr")(right))


derivative(
    "erfcx_moment",
    _moment,
    ["g * -2 * erfcx_moment(x, n + 1)"],
    _moments,
    "Derivatives of erfcx, scaled.",
    complex=True,
)
declare(
    "inverse_mills", "x", _inverse_mills,
    ["g * where(x < 0, -1.1283791670955126 * erfcx_moment(where(x < 0, x, 0) * -0.7071067811865476, 1) "
     "/ square(erfcx(where(x < 0, x, 0) * -0.7071067811865476)), -y * (y + where(y == 0, 0, x)))"], [ANY],
    "The normal density divided by the distribution function: the derivative of log_ndtr.", complex=True,
)  # fmt: skip

declare("complex_erf", "x", "erf", ["g * error_density(x)"], [ANY], "The error function.", complex=True)

_erf = unary(ROWS["erf"])
_erfc = unary(declare("erfc", "x", "erfc", ["-g * error_density(x)"], [ANY], "1 - erf(x).", complex=True))
_erfcx = unary(
    declare(
        "erfcx",
        "x",
        "erfcx",
        ["g * -2 * erfcx_moment(x, 1)"],
        [(-1.0, 3.0)],
        "exp(x ** 2) * erfc(x).",
        complex=True,
    )
)
_erfinv = unary(declare(
    "erfinv", "x", "erfinv", ["g * 0.8862269254527580 * exp(square(y))"], [(-0.9, 0.9)], "The inverse of erf.",
))  # fmt: skip
_erfcinv = unary(declare(
    "erfcinv", "x", "erfcinv", ["-g * 0.8862269254527580 * exp(square(y))"], [(0.1, 1.9)], "The inverse of erfc.",
))  # fmt: skip
_ndtr = unary(
    declare("ndtr", "x", "ndtr", ["g * normal_density(x)"], [ANY], "The normal distribution function.", complex=True)
)
_log_ndtr = unary(
    declare("log_ndtr", "x", "log_ndtr", ["g * inverse_mills(x)"], [ANY], "The logarithm of ndtr.", complex=True)
)
_ndtri = unary(declare(
    "ndtri", "x", "ndtri", ["g * 2.5066282746310002 * exp(0.5 * square(y))"], [UNIT], "The inverse of ndtr.",
))  # fmt: skip


@special
def erf(x: ArrayLike) -> Tensor:
    """The error function, 2 / sqrt(pi) times the integral of exp(-t * t) from 0 to x. For real x it needs no SciPy.

    >>> zen.special.erf(zen.tensor([0.0])).tolist()
    [0.0]
    """
    return _erf(x)


@special
def erfc(x: ArrayLike) -> Tensor:
    """1 - erf(x), exact where that is tiny.

    >>> zen.special.erfc(zen.tensor([0.0])).tolist()
    [1.0]
    """
    return _erfc(x)


@special
def erfcx(x: ArrayLike) -> Tensor:
    """exp(x ** 2) * erfc(x), without overflow for positive x.

    >>> zen.special.erfcx(zen.tensor([0.0])).tolist()
    [1.0]
    """
    return _erfcx(x)


@special
def erfinv(y: ArrayLike) -> Tensor:
    """The inverse of erf, on [-1, 1]: nan outside, and -inf and inf at the ends, with infinite derivatives.

    >>> zen.special.erfinv(zen.tensor([0.0, 1.0])).tolist()
    [0.0, inf]
    """
    return _erfinv(y)


@special
def erfcinv(y: ArrayLike) -> Tensor:
    """The inverse of erfc, on [0, 2]: nan outside, and inf and -inf at the ends.

    >>> zen.special.erfcinv(zen.tensor([2.0, 0.0])).tolist()
    [-inf, inf]
    """
    return _erfcinv(y)


@special
def ndtr(x: ArrayLike) -> Tensor:
    """The distribution function of the standard normal distribution: the probability of a value up to x.

    >>> zen.special.ndtr(zen.tensor([0.0, zen.inf])).tolist()
    [0.5, 1.0]
    """
    return _ndtr(x)


@special
def log_ndtr(x: ArrayLike) -> Tensor:
    """The logarithm of ndtr(x), exact in both tails, and so are its derivatives.

    >>> round(zen.special.log_ndtr(zen.tensor(0.0)).item(), 4)
    -0.6931
    """
    return _log_ndtr(x)


@special
def ndtri(y: ArrayLike) -> Tensor:
    """The quantile of the standard normal distribution: the inverse of ndtr, -inf at 0 and inf at 1.

    >>> zen.special.ndtri(zen.tensor([0.5, 1.0])).tolist()
    [0.0, inf]
    """
    return _ndtri(y)
