"""Exponential, trigonometric, Fresnel and complete elliptic integrals, Airy functions, and others of one formula.

Derivatives: DLMF 6.2, 7.2, 9.2, 19.4 and 25.12.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from ..backend import binary, unary
from ..dtypes import COMPLEX
from .special import ANY, POSITIVE, declare, derivative, doubles, result, scipy_function, special

if TYPE_CHECKING:
    from ..backend import Tensor
    from ..typing import ArrayLike


def _part(name: str, k: int) -> Any:
    """The k-th result of SciPy's ufunc of this name."""

    def forward(x: Any) -> Any:
        x = np.asarray(x, result(x))
        x = x + 0 if x.dtype in COMPLEX else x  # SciPy's airy is of another branch below the negative axis, by -0j
        return scipy_function(name)(x)[k]

    return forward


def _k_slope(m: Any, n: int) -> Any:
    return _complete(m, n, 0.5, 0.5, -float(n))


def _e_slope(m: Any, n: int) -> Any:
    return _complete(m, n, -0.5, 1.5, 1.0 - n)


def _complete(m: Any, n: int, first: float, turned: float, power: float) -> Any:
    """The n-th derivative of pi / 2 hyp2f1(first, 1 / 2, 1, m) (DLMF 19.5.1 and 15.5.2) after Euler's transformation
    (15.8.1), from which a power of 1 - m comes; at 1 that power is infinite or the limit."""
    (m,), dtype = doubles(m)
    factor = 0.5 * math.pi * math.prod([(first + k) * (0.5 + k) / (1 + k) for k in range(n)])
    inside = np.where((m < 1) & (m > -np.inf), m, 0.0)
    found = factor * (1 - inside) ** power * scipy_function("hyp2f1")(turned, 0.5, n + 1.0, inside)
    end = np.where(m == 1, math.copysign(np.inf, factor), np.where(np.isneginf(m), 0.0, np.nan))
    return np.where((m < 1) & (m > -np.inf), found, end).astype(dtype)


def _cases(rng: np.random.Generator) -> list[Any]:
    return [
        ((rng.uniform(-2, 0.8, 4),), (1,)), ((rng.uniform(-9, 0.9, (2, 6))[:, ::2],), (2,)),
        ((np.zeros((0, 2)),), (1,)),
        ((rng.uniform(0, 0.5, ()),), (1,)),
    ]  # fmt: skip


for _name, _forward in (("ellipk", _k_slope), ("ellipe", _e_slope)):
    derivative(
        f"{_name}_slope", _forward, [f"g * {_name}_slope(m, n + 1)"], _cases, f"The n-th derivative of {_name}.", "m"
    )
_ELLIPK = unary(declare("ellipk", "m", "ellipk", ["g * ellipk_slope(m, 1)"], [(-2.0, 0.8)], "The integral K(m)."))
_ELLIPE = unary(declare("ellipe", "m", "ellipe", ["g * ellipe_slope(m, 1)"], [(-2.0, 0.8)], "The integral E(m)."))
_EXPI = unary(declare(
    "expi", "x", "expi", ["g * exp(x) / where(abs(x) > 1e30, 1.0, x)"], [POSITIVE], "The exponential integral Ei.",
    complex=True,
))  # fmt: skip
_EXP1 = unary(declare("exp1", "x", "exp1", ["-g * exp(-x) / x"], [POSITIVE], "The integral E1.", complex=True))
_ERFI = unary(declare(
    "erfi", "x", "erfi", ["g * exp(x * x) * 1.1283791670955126"], [(-1.5, 1.5)], "-1j * erf(1j * x).", complex=True,
))  # fmt: skip
_EXP10 = unary(declare("exp10", "x", "exp10", ["g * y * 2.302585092994046"], [(-1.0, 1.0)], "10 ** x."))
_SPENCE = unary(declare(
    "spence", "x", "spence",
    ["g * where(x < 0.5, log(where(x < 0.5, x, 1.0)) / (1 - where(x < 0.5, x, 0.0)), "
     "-logrel(where(x < 0.5, 1.0, x) - 1, 0))"], [POSITIVE], "Spence's integral, the dilogarithm of 1 - x.",
))  # fmt: skip
_OWENS = binary(declare(
    "owens_t", "h a", "owens_t",
    ["-g * 0.5 * normal_density(h) * erf(a * h * 0.7071067811865476)",
     "g * 0.15915494309189535 * exp(-0.5 * h * h * (1 + a * a)) / (1 + a * a)"], [ANY, ANY],
    "Owen's T, a part of the bivariate normal distribution.",
))  # fmt: skip
_RGAMMA = unary(declare(
    "rgamma", "x", "rgamma",
    # to the left by reflection, where gamma has its poles
    ["g * where(x < 0.5, gamma(1 - where(x < 0.5, x, 0.0)) * (cos(where(x < 0.5, x, 0.0) * 3.141592653589793) "
     "- sin(where(x < 0.5, x, 0.0) * 3.141592653589793) * 0.3183098861837907 * digamma(1 - where(x < 0.5, x, 0.0))), "
     "-y * digamma(where((x < 0.5) | (y == 0), 1.0, x)))"], [ANY], "1 / gamma(x).", complex="complex_rgamma",
))  # fmt: skip
declare("complex_rgamma", "x", "rgamma", ["-g * y * digamma(x)"], [POSITIVE], "1 / gamma(x).", complex=True)
_SI = unary(declare(
    "si", "x", _part("sici", 0),
    ["g * where(abs(x) < 1, sinc(where(abs(x) < 1, x, 0.0) * 0.3183098861837907), "
     "sin(where(abs(x) < 1e300, x, 0.0)) / where(abs(x) < 1, 1.0, x))"], [ANY], "The sine integral.",
))  # fmt: skip
_CI = unary(declare(
    "ci", "x", _part("sici", 1), ["g * cos(where(abs(x) < 1e300, x, 0.0)) / x"], [POSITIVE], "The cosine integral.",
))  # fmt: skip
_SHI = unary(declare(
    "shi", "x", _part("shichi", 0), ["g * 0.5 * (exprel(x, 0) + exprel(-x, 0))"], [ANY],
    "The hyperbolic sine integral.",
))  # fmt: skip
_CHI = unary(declare(
    "chi", "x", _part("shichi", 1), ["g * cosh(x) / where(abs(x) > 1e30, sign(x), x)"], [POSITIVE],
    "The hyperbolic cosine integral.",
))  # fmt: skip
_FRESNEL_S = unary(declare(
    "fresnel_s", "x", _part("fresnel", 0), ["g * sin(x * x * 1.5707963267948966)"], [ANY], "Fresnel's integral S.",
    complex=True,
))  # fmt: skip
_FRESNEL_C = unary(declare(
    "fresnel_c", "x", _part("fresnel", 1), ["g * cos(x * x * 1.5707963267948966)"], [ANY], "Fresnel's integral C.",
    complex=True,
))  # fmt: skip
_AIRY = [
    unary(declare(name, "x", _part("airy", k), [slope], [ANY], doc, complex=True))
    for k, (name, slope, doc) in enumerate([
        ("airy_ai", "g * airy_ai_slope(x)", "Airy's function Ai."),
        ("airy_ai_slope", "g * where(airy_ai(x) == 0, 0, x) * airy_ai(x)", "Its derivative."),
        ("airy_bi", "g * airy_bi_slope(x)", "Airy's function Bi."),
        ("airy_bi_slope", "g * where(airy_bi(x) == 0, 0, x) * airy_bi(x)", "Its derivative."),
    ])
]  # fmt: skip


@special
def ellipk(m: ArrayLike) -> Tensor:
    """The complete elliptic integral of the first kind of the parameter m (not the modulus): inf at 1.

    >>> round(zen.special.ellipk(zen.tensor(0.0)).item(), 4)
    1.5708
    """
    return _ELLIPK(m)


@special
def ellipe(m: ArrayLike) -> Tensor:
    """The complete elliptic integral of the second kind of the parameter m (not the modulus).

    >>> zen.special.ellipe(zen.tensor([1.0])).tolist()
    [1.0]
    """
    return _ELLIPE(m)


@special
def expi(x: ArrayLike) -> Tensor:
    """The exponential integral Ei: of exp(t) / t from -inf to x. -inf at 0.

    >>> zen.special.expi(zen.tensor([0.0])).tolist()
    [-inf]
    """
    return _EXPI(x)


@special
def exp1(z: ArrayLike) -> Tensor:
    """The exponential integral E1: of exp(-t) / t from z to inf. inf at 0.

    >>> zen.special.exp1(zen.tensor([0.0])).tolist()
    [inf]
    """
    return _EXP1(z)


@special
def erfi(z: ArrayLike) -> Tensor:
    """The imaginary error function, -1j * erf(1j * z).

    >>> zen.special.erfi(zen.tensor([0.0])).tolist()
    [0.0]
    """
    return _ERFI(z)


@special
def exp10(x: ArrayLike) -> Tensor:
    """10 ** x.

    >>> zen.special.exp10(zen.tensor([2.0])).tolist()
    [100.0]
    """
    return _EXP10(x)


@special
def spence(z: ArrayLike) -> Tensor:
    """The integral of log(t) / (1 - t) from 1 to z: the dilogarithm of 1 - z. Of real z; nan below 0.

    >>> zen.special.spence(zen.tensor([1.0])).tolist()
    [0.0]
    """
    return _SPENCE(z)


@special
def owens_t(h: ArrayLike, a: ArrayLike) -> Tensor:
    """Owen's T: the integral of exp(-h * h * (1 + t * t) / 2) / (1 + t * t) / (2 pi) from 0 to a (Owen 1956).

    >>> round(zen.special.owens_t(zen.tensor(0.0), 1.0).item(), 6)
    0.125
    """
    return _OWENS(h, a)


@special
def rgamma(z: ArrayLike) -> Tensor:
    """1 / gamma(z), which is 0 at 0 and at negative integers, with the right derivatives there for real z.

    >>> zen.special.rgamma(zen.tensor([0.0, 1.0])).tolist()
    [0.0, 1.0]
    """
    return _RGAMMA(z)


@special
def sici(x: ArrayLike) -> tuple[Tensor, Tensor]:
    """The sine and the cosine integral of real x: of sin(t) / t from 0, and of cos(t) / t from inf.

    >>> [t.tolist() for t in zen.special.sici(zen.tensor([0.0]))]
    [[0.0], [-inf]]
    """
    return _SI(x), _CI(x)


@special
def shichi(x: ArrayLike) -> tuple[Tensor, Tensor]:
    """The hyperbolic sine and cosine integral of real x.

    >>> [t.tolist() for t in zen.special.shichi(zen.tensor([0.0]))]
    [[0.0], [-inf]]
    """
    return _SHI(x), _CHI(x)


@special
def fresnel(z: ArrayLike) -> tuple[Tensor, Tensor]:
    """Fresnel's integrals S and C: of sin and cos of pi t * t / 2 from 0 to z.

    >>> [t.tolist() for t in zen.special.fresnel(zen.tensor([0.0]))]
    [[0.0], [0.0]]
    """
    return _FRESNEL_S(z), _FRESNEL_C(z)


@special
def airy(z: ArrayLike) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Airy's functions and their derivatives: Ai, Ai', Bi, Bi'.

    >>> [round(t.item(), 4) for t in zen.special.airy(zen.tensor(0.0))]
    [0.355, -0.2588, 0.6149, 0.4483]
    """
    ai, ai_slope, bi, bi_slope = [part(z) for part in _AIRY]
    return ai, ai_slope, bi, bi_slope
