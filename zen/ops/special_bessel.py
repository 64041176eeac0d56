"""Bessel functions. Their derivatives: DLMF 10.6.1, 10.29.1; those in the order raise.

The singular ones, Y and K, are infinite at 0, and so are all derivatives there, with their signs.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from ..backend import Shaped, binary, unary
from .register import FUNCTIONS, define, dispatch
from .row import row
from .special import ANY, POSITIVE, declare, derivative, doubles, fixed, result, scipy_function, special, values

if TYPE_CHECKING:
    from ..backend import Tensor
    from ..typing import ArrayLike

_ORDER = (1.25, 1.25)
_REASON = "derivatives of Bessel functions in the order have no closed form"


def _ordered(name: str, slope: str, domain: Any, doc: str, complex: bool | str = True) -> Callable[[Any, Any], Tensor]:
    return binary(declare(name, "v x", name, [None, slope], [_ORDER, domain], doc, complex=complex))


def _plain(name: str, slope: str, domain: Any, doc: str) -> Callable[[Any], Tensor]:
    return unary(declare(name, "x", name, [slope], [domain], doc))


def _ive_slope(v: Any, x: Any, n: int) -> Any:
    """The n-th derivative of exp(-abs(x)) iv(v, x), by Leibniz' rule; at the kink the mean of both sides."""
    (v, x), dtype = doubles(v, x)
    found = np.zeros(x.shape)
    for k in range(n + 1):
        left = (-np.sign(x)) ** (n - k) if (n - k) % 2 else 1.0
        inner = sum([math.comb(k, j) * scipy_function("ive")(v - k + 2 * j, x) for j in range(k + 1)])
        found = found + math.comb(n, k) * left * inner / 2**k
    return found.astype(dtype)


def _ordered_cases(rng: np.random.Generator) -> list[Any]:
    return [
        ((np.array(1.25), rng.uniform(0.3, 3, 4)), (1,)),
        ((rng.uniform(0, 2, (2, 6))[:, ::2], rng.uniform(0.3, 3, 3)), (2,)), ((np.ones((0, 2)), np.ones(2)), (1,)),
        ((np.array(0.5), rng.uniform(1, 2, ())), (1,)),
    ]  # fmt: skip


derivative(
    "ive_slope", _ive_slope, [None, "g * ive_slope(v, x, n + 1)"], _ordered_cases, "The n-th derivative of ive in x.",
    "v x",
)  # fmt: skip
_J0 = _plain("j0", "-g * j1(x)", ANY, "The Bessel function of the first kind of order 0.")
_J1 = _plain("j1", "g * 0.5 * (j0(x) - jv(2.0, x))", ANY, "The Bessel function of the first kind of order 1.")
_Y0 = _plain("y0", "-g * y1(x)", POSITIVE, "The Bessel function of the second kind of order 0.")
_Y1 = _plain(
    "y1", "g * where(x == 0, -y, 0.5 * (y0(where(x == 0, 1.0, x)) - yv(2.0, where(x == 0, 1.0, x))))", POSITIVE,
    "The Bessel function of the second kind of order 1.",
)  # fmt: skip
_I1 = _plain("i1", "g * 0.5 * (i0(x) + iv(2.0, x))", ANY, "The modified Bessel function of the first kind of order 1.")
_I0E = _plain("i0e", "g * ive_slope(0.0, x, 1)", POSITIVE, "exp(-abs(x)) * i0(x).")
_I1E = _plain("i1e", "g * ive_slope(1.0, x, 1)", POSITIVE, "exp(-abs(x)) * i1(x).")
_K0 = _plain("k0", "-g * k1(x)", POSITIVE, "The modified Bessel function of the second kind of order 0.")
_K1 = _plain(
    "k1", "g * -0.5 * (k0(x) + kv(2.0, x))", POSITIVE, "The modified Bessel function of the second kind of order 1.",
)  # fmt: skip
_K0E = _plain("k0e", "g * (y - k1e(x))", POSITIVE, "exp(x) * k0(x).")
_K1E = _plain("k1e", "g * (y - 0.5 * (k0e(x) + kve(2.0, x)))", POSITIVE, "exp(x) * k1(x).")
_JV = _ordered("jv", "g * 0.5 * (jv(v - 1, x) - jv(v + 1, x))", POSITIVE, "The Bessel function of the first kind.")
_YV = _ordered(
    "yv", "g * where(x == 0, -y, 0.5 * (yv(v - 1, where(x == 0, 1.0, x)) - yv(v + 1, where(x == 0, 1.0, x))))",
    POSITIVE, "The Bessel function of the second kind.",
)  # fmt: skip
_IV = _ordered("iv", "g * 0.5 * (iv(v - 1, x) + iv(v + 1, x))", POSITIVE, "The modified Bessel function I.")
_IVE = _ordered("ive", "g * ive_slope(v, x, 1)", POSITIVE, "exp(-abs(x)) * iv(v, x).", "complex_ive")
# exp(-abs(real(x))) is no function of x that is differentiable in the complex plane: the modes differ.
define(row(
    "complex_ive", "v x", values("ive"),
    [None, "g * 0.5 * (ive(v - 1, x) + ive(v + 1, x)) - sign(real(x)) * real(g * y)"],
    jvp=(None, "g * 0.5 * (ive(v - 1, x) + ive(v + 1, x)) - sign(real(x)) * real(g) * y"),
    shape=lambda v, x: Shaped(np.broadcast_shapes(v.shape, x.shape), result(v, x)), complex=True,
    domain=lambda rng: [(args, ()) for args, _ in _ordered_cases(rng)], doc="exp(-abs(real(x))) * iv(v, x).",
))  # fmt: skip
_KV = _ordered("kv", "g * -0.5 * (kv(v - 1, x) + kv(v + 1, x))", POSITIVE, "The modified Bessel function K.")
_KVE = _ordered("kve", "g * (y - 0.5 * (kve(v - 1, x) + kve(v + 1, x)))", POSITIVE, "exp(x) * kv(v, x).")


dispatch("scipy.special.i0", FUNCTIONS["i0"])


def _of_order(function: Callable[[Any, Any], Tensor], name: str, v: Any, x: Any) -> Tensor:
    v = fixed(name, "v", v, _REASON)
    if np.iscomplexobj(v):
        raise TypeError(f"{name}: the order v must be real, not {np.asarray(v).dtype}")
    return function(v if isinstance(v, (int, float)) else np.asarray(v), x)


@special
def j0(x: ArrayLike) -> Tensor:
    """The Bessel function of the first kind of order 0.

    >>> zen.special.j0(zen.tensor([0.0])).tolist()
    [1.0]
    """
    return _J0(x)


@special
def j1(x: ArrayLike) -> Tensor:
    """The Bessel function of the first kind of order 1.

    >>> zen.special.j1(zen.tensor([0.0])).tolist()
    [0.0]
    """
    return _J1(x)


@special
def y0(x: ArrayLike) -> Tensor:
    """The Bessel function of the second kind of order 0; -inf at 0, nan below.

    >>> zen.special.y0(zen.tensor([0.0])).tolist()
    [-inf]
    """
    return _Y0(x)


@special
def y1(x: ArrayLike) -> Tensor:
    """The Bessel function of the second kind of order 1; -inf at 0, nan below.

    >>> zen.special.y1(zen.tensor([0.0])).tolist()
    [-inf]
    """
    return _Y1(x)


@special
def i1(x: ArrayLike) -> Tensor:
    """The modified Bessel function of the first kind of order 1.

    >>> zen.special.i1(zen.tensor([0.0])).tolist()
    [0.0]
    """
    return _I1(x)


@special
def i0e(x: ArrayLike) -> Tensor:
    """exp(-abs(x)) * i0(x), without overflow. The subgradient at 0, a kink, is 0.

    >>> zen.special.i0e(zen.tensor([0.0])).tolist()
    [1.0]
    """
    return _I0E(x)


@special
def i1e(x: ArrayLike) -> Tensor:
    """exp(-abs(x)) * i1(x), without overflow.

    >>> zen.special.i1e(zen.tensor([0.0])).tolist()
    [0.0]
    """
    return _I1E(x)


@special
def k0(x: ArrayLike) -> Tensor:
    """The modified Bessel function of the second kind of order 0; inf at 0, nan below.

    >>> zen.special.k0(zen.tensor([0.0])).tolist()
    [inf]
    """
    return _K0(x)


@special
def k1(x: ArrayLike) -> Tensor:
    """The modified Bessel function of the second kind of order 1; inf at 0, nan below.

    >>> zen.special.k1(zen.tensor([0.0])).tolist()
    [inf]
    """
    return _K1(x)


@special
def k0e(x: ArrayLike) -> Tensor:
    """exp(x) * k0(x).

    >>> zen.special.k0e(zen.tensor([0.0])).tolist()
    [inf]
    """
    return _K0E(x)


@special
def k1e(x: ArrayLike) -> Tensor:
    """exp(x) * k1(x).

    >>> zen.special.k1e(zen.tensor([0.0])).tolist()
    [inf]
    """
    return _K1E(x)


@special
def jv(v: ArrayLike, x: ArrayLike) -> Tensor:
    """The Bessel function of the first kind of order v; nan for negative x where v is no whole number.

    v and x broadcast. v: a constant; TypeError if it requires a gradient.

    >>> zen.special.jv(0, zen.tensor([0.0])).tolist()
    [1.0]
    """
    return _of_order(_JV, "jv", v, x)


@special
def yv(v: ArrayLike, x: ArrayLike) -> Tensor:
    """The Bessel function of the second kind of order v; -inf at 0, nan below.

    v and x broadcast. v: a constant; TypeError if it requires a gradient.

    >>> zen.special.yv(0, zen.tensor([0.0])).tolist()
    [-inf]
    """
    return _of_order(_YV, "yv", v, x)


@special
def iv(v: ArrayLike, x: ArrayLike) -> Tensor:
    """The modified Bessel function of the first kind of order v.

    v and x broadcast. v: a constant; TypeError if it requires a gradient.

    >>> zen.special.iv(0, zen.tensor([0.0])).tolist()
    [1.0]
    """
    return _of_order(_IV, "iv", v, x)


@special
def ive(v: ArrayLike, x: ArrayLike) -> Tensor:
    """exp(-abs(x)) * iv(v, x), without overflow. The subgradient at 0, a kink for even v, is that of sign(0) = 0.

    v and x broadcast. v: a constant; TypeError if it requires a gradient.

    >>> zen.special.ive(0, zen.tensor([0.0])).tolist()
    [1.0]
    """
    return _of_order(_IVE, "ive", v, x)


@special
def kv(v: ArrayLike, x: ArrayLike) -> Tensor:
    """The modified Bessel function of the second kind of order v; inf at 0, nan below.

    v and x broadcast. v: a constant; TypeError if it requires a gradient.

    >>> zen.special.kv(0, zen.tensor([0.0])).tolist()
    [inf]
    """
    return _of_order(_KV, "kv", v, x)


@special
def kve(v: ArrayLike, x: ArrayLike) -> Tensor:
    """exp(x) * kv(v, x).

    v and x broadcast. v: a constant; TypeError if it requires a gradient.

    >>> zen.special.kve(0, zen.tensor([0.0])).tolist()
    [inf]
    """
    return _of_order(_KVE, "kve", v, x)
