"""Classical orthogonal polynomials of x. Derivatives: DLMF 18.9.15 to 18.9.26; those in the degree and the parameters
raise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..backend import apply
from .special import ANY, UNIT, declare, fixed, result, scipy_function, special

if TYPE_CHECKING:
    from ..backend import Tensor
    from ..typing import ArrayLike

_REASON = "it is a parameter of the polynomial"


def _polynomial(name: str, args: str, slope: str, domain: Any, doc: str, fractions: bool = True) -> Any:
    """`fractions`: whether SciPy knows it of other degrees than whole numbers, and of complex numbers."""
    names = args.split()

    def forward(*given: Any) -> Any:
        """SciPy's. Those of degree -1, -2, ..., of which a derivative may ask, are 0."""
        dtype = result(*given)
        degrees = np.asarray(given[0])
        whole = (np.abs(degrees) < 2**53) & (np.floor(degrees) == degrees)
        rest = [np.asarray(a, dtype if np.iscomplexobj(a) else np.float64) for a in given[1:]]
        inside = np.where(whole, np.maximum(degrees, 0), degrees)
        if whole.all() or not fractions:
            inside = np.where(whole, inside, 0).astype(np.int64)
        found = scipy_function(name)(inside, *rest)
        if not fractions:
            found = np.where(whole, found, np.nan)
        return np.where(whole & (degrees < 0), 0.0, found).astype(dtype)

    orders = [(2.0, 2.0) if k == "n" else (1.25, 1.25) for k in names[:-1]]
    return declare(
        name, args, forward, [*[None] * (len(names) - 1), slope], [*orders, domain], doc, complex=fractions
    )  # fmt: skip


_LEGENDRE = _polynomial(
    "eval_legendre", "n x", "g * eval_gegenbauer(n - 1, 1.5, x)", UNIT, "The Legendre polynomial of degree n."
)
_CHEBYT = _polynomial("eval_chebyt", "n x", "g * n * eval_chebyu(n - 1, x)", UNIT, "Chebyshev's T of degree n.")
_CHEBYU = _polynomial(
    "eval_chebyu", "n x", "g * 2 * eval_gegenbauer(n - 1, 2.0, x)", UNIT, "Chebyshev's U of degree n."
)
_HERMITE = _polynomial(
    "eval_hermite", "n x", "g * 2 * n * eval_hermite(n - 1, x)", ANY, "The physicists' Hermite polynomial.", False
)
_HERMITENORM = _polynomial(
    "eval_hermitenorm", "n x", "g * n * eval_hermitenorm(n - 1, x)", ANY, "The probabilists' Hermite polynomial.", False
)
_LAGUERRE = _polynomial(
    "eval_laguerre", "n x", "-g * eval_genlaguerre(n - 1, 1.0, x)", ANY, "The Laguerre polynomial of degree n."
)
_GENLAGUERRE = _polynomial(
    "eval_genlaguerre", "n a x", "-g * eval_genlaguerre(n - 1, a + 1, x)", ANY, "The generalised Laguerre polynomial."
)
_GEGENBAUER = _polynomial(
    "eval_gegenbauer", "n a x", "g * 2 * a * eval_gegenbauer(n - 1, a + 1, x)", UNIT, "The Gegenbauer polynomial."
)
_JACOBI = _polynomial(
    "eval_jacobi", "n a b x", "g * 0.5 * (n + a + b + 1) * eval_jacobi(n - 1, a + 1, b + 1, x)", UNIT,
    "The Jacobi polynomial.",
)  # fmt: skip


def _applied(row: Any, name: str, x: Any, **parameters: Any) -> Tensor:
    given = [fixed(name, argument, value, _REASON) for argument, value in parameters.items()]
    if name in ("eval_hermite", "eval_hermitenorm"):
        degrees = np.asarray(given[0])
        if np.any(degrees != np.floor(degrees)):
            raise ValueError(f"{name}: n must be whole numbers, got {given[0]!r}")
    constants = [a if isinstance(a, (int, float)) else np.asarray(a) for a in given]
    found: Tensor = apply(row, (*constants, x), ())
    return found


@special
def eval_legendre(n: ArrayLike, x: ArrayLike) -> Tensor:
    """The Legendre polynomial of degree n, a constant, at x.

    >>> zen.special.eval_legendre(2, zen.tensor([0.0, 1.0])).numpy().round(6).tolist()
    [-0.5, 1.0]
    """
    return _applied(_LEGENDRE, "eval_legendre", x, n=n)


@special
def eval_chebyt(n: ArrayLike, x: ArrayLike) -> Tensor:
    """The Chebyshev polynomial of the first kind of degree n, a constant, at x.

    >>> zen.special.eval_chebyt(2, zen.tensor([0.0, 1.0])).tolist()
    [-1.0, 1.0]
    """
    return _applied(_CHEBYT, "eval_chebyt", x, n=n)


@special
def eval_chebyu(n: ArrayLike, x: ArrayLike) -> Tensor:
    """The Chebyshev polynomial of the second kind of degree n, a constant, at x.

    >>> zen.special.eval_chebyu(2, zen.tensor([0.0, 1.0])).tolist()
    [-1.0, 3.0]
    """
    return _applied(_CHEBYU, "eval_chebyu", x, n=n)


@special
def eval_hermite(n: ArrayLike, x: ArrayLike) -> Tensor:
    """The physicists' Hermite polynomial of degree n at x. n: whole numbers, constants; ValueError for others.

    >>> zen.special.eval_hermite(2, zen.tensor([0.0, 1.0])).numpy().round(6).tolist()
    [-2.0, 2.0]
    """
    return _applied(_HERMITE, "eval_hermite", x, n=n)


@special
def eval_hermitenorm(n: ArrayLike, x: ArrayLike) -> Tensor:
    """The probabilists' Hermite polynomial of degree n at x. n: whole numbers, constants; ValueError for others.

    >>> zen.special.eval_hermitenorm(2, zen.tensor([0.0, 1.0])).tolist()
    [-1.0, 0.0]
    """
    return _applied(_HERMITENORM, "eval_hermitenorm", x, n=n)


@special
def eval_laguerre(n: ArrayLike, x: ArrayLike) -> Tensor:
    """The Laguerre polynomial of degree n, a constant, at x.

    >>> zen.special.eval_laguerre(1, zen.tensor([0.0, 1.0])).tolist()
    [1.0, 0.0]
    """
    return _applied(_LAGUERRE, "eval_laguerre", x, n=n)


@special
def eval_genlaguerre(n: ArrayLike, alpha: ArrayLike, x: ArrayLike) -> Tensor:
    """The generalised Laguerre polynomial of degree n at x. n, alpha: constants.

    >>> zen.special.eval_genlaguerre(1, 1.0, zen.tensor([0.0, 1.0])).tolist()
    [2.0, 1.0]
    """
    return _applied(_GENLAGUERRE, "eval_genlaguerre", x, n=n, alpha=alpha)


@special
def eval_gegenbauer(n: ArrayLike, alpha: ArrayLike, x: ArrayLike) -> Tensor:
    """The Gegenbauer polynomial of degree n at x. n, alpha: constants.

    >>> zen.special.eval_gegenbauer(1, 1.0, zen.tensor([0.0, 1.0])).tolist()
    [0.0, 2.0]
    """
    return _applied(_GEGENBAUER, "eval_gegenbauer", x, n=n, alpha=alpha)


@special
def eval_jacobi(n: ArrayLike, alpha: ArrayLike, beta: ArrayLike, x: ArrayLike) -> Tensor:
    """The Jacobi polynomial of degree n at x. n, alpha, beta: constants.

    >>> zen.special.eval_jacobi(1, 0.0, 0.0, zen.tensor([0.0, 1.0])).tolist()
    [0.0, 1.0]
    """
    return _applied(_JACOBI, "eval_jacobi", x, n=n, alpha=alpha, beta=beta)
