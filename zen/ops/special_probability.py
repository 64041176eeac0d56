"""Distribution functions under their names in scipy.special, inverses of survival functions, and Huber's losses.

The derivatives are those of the incomplete gamma and beta functions: `special_incomplete.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..backend import apply, binary
from .special import ANY, POSITIVE, UNIT, declare, fixed, special

if TYPE_CHECKING:
    from ..backend import Tensor
    from ..typing import ArrayLike

_FREEDOM = (1.5, 4.0)
_CHDTR, _CHDTRC = [
    binary(declare(
        name, "v x", name, [f"{sign}g * 0.5 * gammainc(0.5 * v, 0.5 * x, 1)",
                            f"{sign}g * 0.5 * gamma_density(0.5 * v, 0.5 * x)"], [_FREEDOM, POSITIVE], doc,
    ))
    for name, sign, doc in (("chdtr", "", "The chi-squared distribution function."),
                            ("chdtrc", "-", "The chi-squared survival function."))
]  # fmt: skip
_GDTR, _GDTRC = [
    declare(
        name, "a b x", name, [f"{sign}g * x * gamma_density(b, a * x)", f"{sign}g * gammainc(b, a * x, 1)",
                              f"{sign}g * a * gamma_density(b, a * x)"], [POSITIVE, _FREEDOM, POSITIVE], doc,
    )
    for name, sign, doc in (("gdtr", "", "The gamma distribution function."),
                            ("gdtrc", "-", "The gamma survival function."))
]  # fmt: skip
_PDTR, _PDTRC = [
    binary(declare(
        name, "k m", name, [None, f"{sign}g * gamma_density(floor(k) + 1, m)"], [(2.0, 2.0), POSITIVE], doc,
    ))
    for name, sign, doc in (("pdtr", "-", "The Poisson distribution function."),
                            ("pdtrc", "", "The Poisson survival function."))
]  # fmt: skip
_GAMMAINCCINV = binary(declare(
    "gammainccinv", "a p", "gammainccinv",
    ["-g * gammainc(a, y, 1) / gamma_density(a, y)", "-g / gamma_density(a, y)"], [(0.5, 3.0), UNIT],
    "The inverse of gammaincc in its second argument.",
))  # fmt: skip
_HUBER = binary(declare(
    "limited_square", "d r", "huber",
    ["where((d < 0) | (abs(r) <= d), 0, g * (abs(r) - d))",
     "where(d < 0, 0, g * where(abs(r) <= d, r, d * sign(r)))"], [(0.5, 1.0), (1.2, 3.0)], "Huber's loss.",
))  # fmt: skip
_PSEUDO_HUBER = binary(declare(
    "pseudo_huber", "d r", "pseudo_huber",
    ["g * square(ratio(r, hypot(d, r) + d)) * r * ratio(r, hypot(d, r))", "g * d * ratio(r, hypot(d, r))"],
    [POSITIVE, ANY], "A smooth loss like Huber's.",
))  # fmt: skip


@special
def chdtr(v: ArrayLike, x: ArrayLike) -> Tensor:
    """The chi-squared distribution function with v degrees of freedom: gammainc(v / 2, x / 2).

    >>> zen.special.chdtr(2.0, zen.tensor([0.0])).tolist()
    [0.0]
    """
    return _CHDTR(v, x)


@special
def chdtrc(v: ArrayLike, x: ArrayLike) -> Tensor:
    """1 - chdtr(v, x).

    >>> zen.special.chdtrc(2.0, zen.tensor([0.0])).tolist()
    [1.0]
    """
    return _CHDTRC(v, x)


@special
def gdtr(a: ArrayLike, b: ArrayLike, x: ArrayLike) -> Tensor:
    """The gamma distribution function of rate a and shape b: gammainc(b, a * x).

    >>> zen.special.gdtr(1.0, 2.0, zen.tensor([0.0])).tolist()
    [0.0]
    """
    found: Tensor = apply(_GDTR, (a, b, x))
    return found


@special
def gdtrc(a: ArrayLike, b: ArrayLike, x: ArrayLike) -> Tensor:
    """1 - gdtr(a, b, x).

    >>> zen.special.gdtrc(1.0, 2.0, zen.tensor([0.0])).tolist()
    [1.0]
    """
    found: Tensor = apply(_GDTRC, (a, b, x))
    return found


@special
def pdtr(k: ArrayLike, m: ArrayLike) -> Tensor:
    """The Poisson distribution function: the probability of at most k events where m are expected. k: constants.

    >>> zen.special.pdtr(0, zen.tensor([0.0])).tolist()
    [1.0]
    """
    return _PDTR(_counts("pdtr", k), m)


@special
def pdtrc(k: ArrayLike, m: ArrayLike) -> Tensor:
    """1 - pdtr(k, m).

    >>> zen.special.pdtrc(0, zen.tensor([0.0])).tolist()
    [0.0]
    """
    return _PDTRC(_counts("pdtrc", k), m)


def _counts(name: str, k: ArrayLike) -> ArrayLike:
    k = fixed(name, "k", k, "it counts events")
    return k if isinstance(k, (int, float)) else np.asarray(k)


@special
def gammainccinv(a: ArrayLike, y: ArrayLike) -> Tensor:
    """The x with gammaincc(a, x) = y, with derivatives of all orders in both.

    >>> round(zen.special.gammainccinv(zen.tensor(1.0), 0.5).item(), 4)
    0.6931
    """
    return _GAMMAINCCINV(a, y)


@special
def huber(delta: ArrayLike, r: ArrayLike) -> Tensor:
    """Huber's loss: r * r / 2 up to abs(r) = delta, delta * (abs(r) - delta / 2) beyond; inf where delta is negative.

    >>> zen.special.huber(1.0, zen.tensor([0.5, -2.0])).tolist()
    [0.125, 1.5]
    """
    return _HUBER(delta, r)


@special
def pseudo_huber(delta: ArrayLike, r: ArrayLike) -> Tensor:
    """delta ** 2 * (sqrt(1 + (r / delta) ** 2) - 1); inf where delta is negative.

    >>> zen.special.pseudo_huber(1.0, zen.tensor([0.0])).tolist()
    [0.0]
    """
    return _PSEUDO_HUBER(delta, r)
