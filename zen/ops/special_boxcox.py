"""The transformation of Box and Cox (1964) and its inverse, with derivatives of every order at lambda = 0 as elsewhere.

boxcox(x, l) is L E0(l L) with L = log(x), where En(z) is the integral of t ** n exp(z t) from 0 to 1: E0 is exprel, and
the derivative of En is the next. These need no SciPy.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from ..backend import apply, binary, unary
from .register import FUNCTIONS, ROWS, define, dispatch
from .row import elementwise
from .special import ANY, POSITIVE, alike, declare, derivative, doubles, special

if TYPE_CHECKING:
    from ..backend import Tensor
    from ..typing import ArrayLike

_FAR = 20.0


def _growth(z: Any, n: int) -> Any:
    """The integral of t ** n exp(z t) from 0 to 1, in float64.

    By series of positive terms within _FAR, for negative z through Kummer's transformation (DLMF 13.2.39); beyond by
    the recurrence of integration by parts, which loses nothing there.
    """
    size = np.minimum(np.abs(z), _FAR)
    rising, falling = np.full(z.shape, 1 / (n + 1)), np.full(z.shape, 1 / (n + 1))
    power, product = np.ones(z.shape), falling
    for k in range(1, 90 + n):
        power = power * size / k
        rising = rising + power / (n + k + 1)
        product = product * size / (n + k + 1)
        falling = falling + product
    near = np.where(z < 0, np.exp(-size) * falling, rising)
    far = np.where(np.abs(z) < _FAR, _FAR, z)
    found = np.expm1(far) / far
    for k in range(1, n + 1):
        found = (np.exp(far) - k * found) / far
    found = np.where(np.isneginf(far), 0.0, np.where(np.isposinf(far), np.inf, found))
    return np.where(np.abs(z) < _FAR, near, found)


def _exprel(z: Any, n: int) -> Any:
    (z,), dtype = doubles(z)
    return _growth(z, n).astype(dtype)


def _boxcox(log: Any, x: Any, l: Any, n: int) -> Any:  # noqa: E741
    """The n-th derivative in lambda: L ** (n + 1) En(l L); at x = 0, where L is -inf, its limit."""
    found = log ** (n + 1) * _growth(l * log, n)
    positive = np.where(l > 0, l, 1.0)
    limit = np.where(l > 0, (-1.0) ** (n + 1) * math.factorial(n) / positive ** (n + 1), (-1.0) ** (n + 1) * np.inf)
    return np.where(np.isneginf(log), np.where(np.isnan(l), l, limit), np.where(x < 0, np.nan, found))


def _boxcox_of(x: Any, l: Any, n: int) -> Any:  # noqa: E741
    (x, l), dtype = doubles(x, l)  # noqa: E741
    return _boxcox(np.log(x), x, l, n).astype(dtype)


def _boxcox1p_of(x: Any, l: Any, n: int) -> Any:  # noqa: E741
    (x, l), dtype = doubles(x, l)  # noqa: E741
    return _boxcox(np.log1p(x), x + 1, l, n).astype(dtype)


def _slope(f: Any, x: Any, l: Any, n: int) -> Any:  # noqa: E741
    """The derivative in x: x ** (l - 1) log(x) ** n."""
    if n == 0:
        return f.limit_power(x, l - 1)
    found = f.power_log(x, l - 1)
    return found if n == 1 else found * f.log(x) ** (n - 1)


def _logrel(z: Any, n: int) -> Any:
    """The n-th derivative of log1p(z) / z, by its series near 0, elsewhere by z s(n) + n s(n - 1) = log1p's."""
    (z,), dtype = doubles(z)
    near = np.abs(z) < 0.35
    small, away = np.where(near, z, 0.0), np.where(near, 1.0, z)
    series, power = np.zeros(z.shape), np.ones(z.shape)
    for k in range(40 + 6 * n):
        series = series + (-1.0) ** (k + n) * math.perm(k + n, n) / (k + n + 1) * power
        power = power * small
    found = np.log1p(away) / away
    for m in range(1, n + 1):
        found = ((-1.0) ** (m + 1) * math.factorial(m - 1) / (1 + away) ** m - m * found) / away
    return np.where(near, series, found).astype(dtype)


def _one(rng: np.random.Generator) -> list[Any]:
    return [
        ((rng.uniform(-2, 2, 4),), (0,)), ((rng.uniform(-9, 9, (2, 6))[:, ::2],), (1,)), ((np.zeros((0, 2)),), (0,)),
        ((rng.normal(size=()),), (1,)),
    ]  # fmt: skip


def _near(rng: np.random.Generator) -> list[Any]:
    return [
        ((rng.uniform(-0.6, 2, 4),), (0,)), ((rng.uniform(-0.6, 3, (2, 6))[:, ::2],), (1,)),
        ((np.zeros((0, 2)),), (0,)), ((rng.uniform(0, 0.2, ()),), (1,)),
    ]  # fmt: skip


def _two(rng: np.random.Generator) -> list[Any]:
    def pair(*shape: int) -> Any:
        return rng.uniform(0.3, 3, shape), rng.uniform(-2, 2, shape[-1:])

    x, l = pair(2, 6)  # noqa: E741
    return [
        (pair(4), (0,)), ((x[:, ::2], l[::2]), (1,)), ((np.ones((0, 2)), np.ones(2)), (0,)), (pair(), (1,)),
        ((rng.uniform(0.5, 2, 2), np.array([0.0, 1e-9])), (0,)),
    ]  # fmt: skip


_EXPREL = derivative("exprel", _exprel, ["g * exprel(z, n + 1)"], _one, "The n-th derivative of exprel.", "z")
derivative("logrel", _logrel, ["g * logrel(z, n + 1)"], _near, "The n-th derivative of log1p(z) / z.", "z")
_BOXCOX = derivative(
    "boxcox", _boxcox_of, ["g * slope(x, l, n)", "g * boxcox(x, l, n + 1)"], _two,
    "The n-th derivative in lambda of boxcox.", "x l", uses={"slope": _slope},
)  # fmt: skip
_BOXCOX1P = derivative(
    "boxcox1p", _boxcox1p_of, ["g * slope(1.0 + x, l, n)", "g * boxcox1p(x, l, n + 1)"], _two,
    "The n-th derivative in lambda of boxcox1p.", "x l", uses={"slope": _slope},
)  # fmt: skip


def _inverse(t: Any, l: Any) -> Any:  # noqa: E741
    (t, l), dtype = doubles(t, l)  # noqa: E741
    z = l * t
    inside = np.where(z == 0, 1.0, z)
    return (t * np.where(z == 0, 1.0, np.log1p(inside) / inside)), dtype


def _inv_boxcox(t: Any, l: Any) -> Any:  # noqa: E741
    exponent, dtype = _inverse(t, l)
    return np.exp(exponent).astype(dtype)


def _inv_boxcox1p(t: Any, l: Any) -> Any:  # noqa: E741
    exponent, dtype = _inverse(t, l)
    return np.expm1(exponent).astype(dtype)


_INV_BOXCOX = binary(declare(
    "inv_boxcox", "t l", _inv_boxcox, ["g * y / (1 + l * t)", "g * y * square(t) * logrel(l * t, 1)"],
    [POSITIVE, (0.1, 1.0)], "The inverse of boxcox.",
))  # fmt: skip
_INV_BOXCOX1P = binary(declare(
    "inv_boxcox1p", "t l", _inv_boxcox1p,
    ["g * (y + 1) / (1 + l * t)", "g * (y + 1) * square(t) * logrel(l * t, 1)"], [POSITIVE, (0.1, 1.0)],
    "The inverse of boxcox1p.",
))  # fmt: skip
_COSM1 = unary(define(elementwise(
    "cosm1", "x", "-2 * sin(x * 0.5) * sin(x * 0.5)", ["-g * sin(x)"], [ANY], numpy="", method=None, doc="cos(x) - 1.",
)))  # fmt: skip
_expm1, _log1p = unary(ROWS["expm1"]), unary(ROWS["log1p"])
for _name in ("exp2", "cbrt"):  # SciPy's ufuncs are others than NumPy's
    dispatch(f"scipy.special.{_name}", FUNCTIONS[_name])


@special
def boxcox(x: ArrayLike, lmbda: ArrayLike) -> Tensor:
    """(x ** lmbda - 1) / lmbda, and log(x) at lmbda = 0; nan for negative x.

    x and lmbda broadcast. It has derivatives of every order in both, at lmbda = 0 and close to it as well.

    >>> zen.special.boxcox(zen.tensor([1.0, 3.0]), zen.tensor([0.0, 1.0])).tolist()
    [0.0, 2.0]
    """
    found: Tensor = apply(_BOXCOX, alike("boxcox", x, lmbda), (0,))
    return found


@special
def boxcox1p(x: ArrayLike, lmbda: ArrayLike) -> Tensor:
    """boxcox(1 + x, lmbda), exact for small x.

    >>> zen.special.boxcox1p(zen.tensor([0.0, 1e-20]), 1.0).tolist()
    [0.0, 1e-20]
    """
    found: Tensor = apply(_BOXCOX1P, alike("boxcox1p", x, lmbda), (0,))
    return found


@special
def inv_boxcox(y: ArrayLike, lmbda: ArrayLike) -> Tensor:
    """The inverse of boxcox: (1 + lmbda * y) ** (1 / lmbda), and exp(y) at lmbda = 0.

    >>> zen.special.inv_boxcox(zen.tensor([0.0]), 0.0).tolist()
    [1.0]
    """
    return _INV_BOXCOX(y, lmbda)


@special
def inv_boxcox1p(y: ArrayLike, lmbda: ArrayLike) -> Tensor:
    """The inverse of boxcox1p: inv_boxcox(y, lmbda) - 1, exact for small y.

    >>> zen.special.inv_boxcox1p(zen.tensor([0.0]), 0.0).tolist()
    [0.0]
    """
    return _INV_BOXCOX1P(y, lmbda)


@special
def exprel(x: ArrayLike) -> Tensor:
    """(exp(x) - 1) / x, and 1 at 0, where all derivatives are right as well.

    >>> zen.special.exprel(zen.tensor([0.0])).tolist()
    [1.0]
    """
    found: Tensor = apply(_EXPREL, alike("exprel", x), (0,))
    return found


@special
def cosm1(x: ArrayLike) -> Tensor:
    """cos(x) - 1, exact near 0.

    >>> zen.special.cosm1(zen.tensor([0.0])).tolist()
    [-0.0]
    """
    return _COSM1(x)


@special
def expm1(x: ArrayLike) -> Tensor:
    """exp(x) - 1, exact near 0; also zen.expm1.

    >>> zen.special.expm1(zen.tensor([0.0])).tolist()
    [0.0]
    """
    return _expm1(x)


@special
def log1p(x: ArrayLike) -> Tensor:
    """log(1 + x), exact near 0; also zen.log1p.

    >>> zen.special.log1p(zen.tensor([0.0])).tolist()
    [0.0]
    """
    return _log1p(x)
