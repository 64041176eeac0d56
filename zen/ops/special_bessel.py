"""Bessel functions. Their derivatives: DLMF 10.6.1, 10.29.1; those in the order raise.

`special_bessel_slopes.py` and `modified_bessel.py` compute those of any order in x from values at hand. The singular
functions, Y and K, are infinite at 0, and so are all derivatives there, with their signs.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from ..backend import Shaped, binary, unary
from .modified_bessel import i0e_derivative, i1e_derivative
from .register import FUNCTIONS, define, dispatch
from .row import row
from .special import (
    ANY,
    POSITIVE,
    declare,
    derivative,
    doubles,
    fixed,
    in_blocks,
    result,
    scipy_function,
    special,
    values,
)
from .special_bessel_slopes import (
    j1_derivative,
    k0_derivative,
    k0e_derivative,
    k1e_derivative,
    kve_derivative,
    ordered_asymptotic,
    split,
    y1_derivative,
    yv_derivative,
)  # fmt: skip

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
    """The n-th derivative of exp(-abs(x)) iv(v, x), by Leibniz' rule; at the kink the mean of both sides. Far to the
    right by the asymptotic series."""
    (v, x), dtype = doubles(v, x)

    def near(v: Any, x: Any) -> Any:
        found = np.zeros(x.shape)
        for k in range(n + 1):
            left = (-np.sign(x)) ** (n - k) if (n - k) % 2 else 1.0
            inner = sum([math.comb(k, j) * scipy_function("ive")(v - k + 2 * j, x) for j in range(k + 1)])
            found = found + math.comb(n, k) * left * inner / 2**k
        return found

    def far(v: Any, x: Any) -> Any:
        return ordered_asymptotic(v, x, n, -1.0) / math.sqrt(2 * math.pi)

    return split(v, x, n, near, far).astype(dtype)


def _ordered_cases(rng: np.random.Generator) -> list[Any]:
    return [
        ((np.array(1.25), rng.uniform(0.3, 3, 4)), (1,)),
        ((rng.uniform(0, 2, (2, 6))[:, ::2], rng.uniform(0.3, 3, 3)), (2,)), ((np.ones((0, 2)), np.ones(2)), (1,)),
        ((np.array(0.5), rng.uniform(1, 2, ())), (1,)),
    ]  # fmt: skip


def _slope(name: str, forward: Any, doc: str) -> None:
    derivative(name, forward, [f"g * {name}(x, n + 1)"], _positive_cases, doc)


def _on_doubles(forward: Any) -> Any:
    def converted(x: Any, n: int) -> Any:
        (x,), dtype = doubles(x)
        return in_blocks(lambda x: forward(x, n), x).astype(dtype)

    return converted


def _positive_cases(rng: np.random.Generator) -> list[Any]:
    return [
        ((rng.uniform(0.3, 3, 4),), (1,)), ((rng.uniform(0.3, 30, (2, 6))[:, ::2],), (2,)), ((np.ones((0, 2)),), (1,)),
        ((rng.uniform(1, 2, ()),), (1,)),
    ]  # fmt: skip


_slope("j1_slope", j1_derivative, "The n-th derivative of j1.")
_slope("y1_slope", y1_derivative, "The n-th derivative of y1.")
_slope("k0_slope", k0_derivative, "The n-th derivative of k0.")
_slope("k0e_slope", k0e_derivative, "The n-th derivative of k0e.")
_slope("k1e_slope", k1e_derivative, "The n-th derivative of k1e.")
_slope("i0e_slope", _on_doubles(i0e_derivative), "The n-th derivative of i0e.")
_slope("i1e_slope", _on_doubles(i1e_derivative), "The n-th derivative of i1e.")
for _name, _made, _complex in (
    ("ive", _ive_slope, False), ("yv", yv_derivative, True), ("kve", kve_derivative, True),
):  # fmt: skip
    derivative(
        f"{_name}_slope", _made, [None, f"g * {_name}_slope(v, x, n + 1)"], _ordered_cases,
        f"The n-th derivative of {_name} in x.", "v x", complex=_complex,
    )  # fmt: skip
_J0 = _plain("j0", "-g * j1(x)", ANY, "The Bessel function of the first kind of order 0.")
_J1 = _plain("j1", "g * j1_slope(x, 1)", ANY, "The Bessel function of the first kind of order 1.")
_Y0 = _plain("y0", "-g * y1(x)", POSITIVE, "The Bessel function of the second kind of order 0.")
_Y1 = _plain("y1", "g * y1_slope(x, 1)", POSITIVE, "The Bessel function of the second kind of order 1.")
_I1 = _plain("i1", "g * i0_slope(x, 2)", ANY, "The modified Bessel function of the first kind of order 1.")
_I0E = _plain("i0e", "g * i0e_slope(x, 1)", POSITIVE, "exp(-abs(x)) * i0(x).")
_I1E = _plain("i1e", "g * i1e_slope(x, 1)", POSITIVE, "exp(-abs(x)) * i1(x).")
_K0 = _plain("k0", "-g * k1(x)", POSITIVE, "The modified Bessel function of the second kind of order 0.")
_K1 = _plain("k1", "-g * k0_slope(x, 2)", POSITIVE, "The modified Bessel function of the second kind of order 1.")
_K0E = _plain("k0e", "g * k0e_slope(x, 1)", POSITIVE, "exp(x) * k0(x).")
_K1E = _plain("k1e", "g * k1e_slope(x, 1)", POSITIVE, "exp(x) * k1(x).")
_JV = _ordered("jv", "g * 0.5 * (jv(v - 1, x) - jv(v + 1, x))", POSITIVE, "The Bessel function of the first kind.")
_YV = _ordered("yv", "g * yv_slope(v, x, 1)", POSITIVE, "The Bessel function of the second kind.")
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
_KVE = _ordered("kve", "g * kve_slope(v, x, 1)", POSITIVE, "exp(x) * kv(v, x).")


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
