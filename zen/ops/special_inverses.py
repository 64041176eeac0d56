"""The inverses of the incomplete gamma and beta functions: quantiles, and through them samples, as functions of their
parameters.

A quantile keeps its probability while a parameter moves, so its derivative is that of the distribution function by the
parameter, divided by the density, with the other sign: Figurnov, Mohamed and Mnih 2018.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..backend import apply, binary
from .special import UNIT, declare, special

if TYPE_CHECKING:
    from ..backend import Tensor
    from ..typing import ArrayLike

_GAMMAINCINV = binary(declare(
    "gammaincinv", "a p", "gammaincinv",
    ["-g * gammainc(a, y, 1) / gamma_density(a, y)", "g / gamma_density(a, y)"], [(0.5, 3.0), UNIT],
    "The inverse of gammainc in its second argument.",
))  # fmt: skip
BETAINCINV = declare(
    "betaincinv", "a b p", "betaincinv",
    ["-g * betainc(a, b, y, 1, 0) / beta_density(a, b, y)", "-g * betainc(a, b, y, 0, 1) / beta_density(a, b, y)",
     "g / beta_density(a, b, y)"], [(0.5, 3.0), (0.5, 3.0), UNIT], "The inverse of betainc in its third argument.",
)  # fmt: skip


@special
def gammaincinv(a: ArrayLike, y: ArrayLike) -> Tensor:
    """The x with gammainc(a, x) = y: the quantile of the gamma distribution. It has derivatives of all orders in both.

    >>> round(zen.special.gammaincinv(zen.tensor(1.0), 0.5).item(), 4)
    0.6931
    """
    return _GAMMAINCINV(a, y)


@special
def betaincinv(a: ArrayLike, b: ArrayLike, y: ArrayLike) -> Tensor:
    """The x with betainc(a, b, x) = y: the quantile of the beta distribution. It has derivatives of all orders.

    >>> round(zen.special.betaincinv(zen.tensor(1.0), 1.0, 0.25).item(), 4)
    0.25
    """
    found: Tensor = apply(BETAINCINV, (a, b, y))
    return found
