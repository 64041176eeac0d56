"""Derivatives of the Bessel functions J, Y and K of the orders 0 and 1, on arrays, from SciPy's values of these two.

DLMF 10.6.1 and 10.29.1 say them as sums of functions of whole orders, which the recurrence makes upwards: that loses
nothing for Y and K, and nothing for J where x is larger than the order.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .modified_bessel import asymptotic, far_from
from .special import doubles, scipy_function

Orders = list[Any]


def _upwards(zero: Any, one: Any, x: Any, top: int, sign: float) -> Orders:
    """The functions of the orders 0 to top. `sign`: 1 for K, -1 for J and Y."""
    found = [zero, one]
    for m in range(1, top):
        found.append(2 * m / x * found[m] + sign * found[m - 1])
    return found


def _sum(orders: Orders, v: int, n: int, sign: float, reflection: float) -> Any:
    """The n-th derivative of that of order v. `reflection`: what that of order -1 is times that of order 1."""
    total = 0.0
    for k in range(n + 1):
        m = v - n + 2 * k
        total = total + sign**k * math.comb(n, k) * (reflection ** abs(m) if m < 0 else 1.0) * orders[abs(m)]
    return total / 2**n


def j1_derivative(x: Any, n: int) -> Any:
    (x,), dtype = doubles(x)
    if n == 1:
        with np.errstate(all="ignore"):
            ratio = scipy_function("j1")(x) / x
        tiny = np.abs(x) < 1e-150
        ratio = np.where(tiny, 0.5, ratio) if tiny.any() else ratio
        return (scipy_function("j0")(x) - ratio).astype(dtype, copy=False)
    near = np.abs(x) < n + 4
    away = np.where(near, n + 4.0, x)
    orders = _upwards(scipy_function("j0")(away), scipy_function("j1")(away), away, n + 1, -1.0)
    found = np.asarray(_sum(orders, 1, n, -1.0, -1.0))
    if near.any():
        inside = x[near]
        found[near] = _sum([scipy_function("jv")(float(m), inside) for m in range(n + 2)], 1, n, -1.0, -1.0)
    return found.astype(dtype)


def y1_derivative(x: Any, n: int) -> Any:
    (x,), dtype = doubles(x)
    with np.errstate(all="ignore"):
        zero, one = scipy_function("y0")(x), scipy_function("y1")(x)
        found = zero - one / x if n == 1 else _sum(_upwards(zero, one, x, n + 1, -1.0), 1, n, -1.0, -1.0)
    finite = np.isfinite(found)
    if not finite.all():  # the highest order is the largest close to 0, where it overflows first
        found = np.where(~finite & (x >= 0) & (x < 1), (-1.0) ** (n + 1) * np.inf, found)
    return found.astype(dtype, copy=False)


def k0_derivative(x: Any, n: int) -> Any:
    (x,), dtype = doubles(x)
    with np.errstate(all="ignore"):
        zero, one = scipy_function("k0")(x), scipy_function("k1")(x)
        found = zero + one / x if n == 2 else (-1.0) ** n * _sum(_upwards(zero, one, x, n, 1.0), 0, n, 1.0, 1.0)
    return found.astype(dtype, copy=False)


_STEP = 0.125
_RISE = 2 * np.sinh(0.5 * _STEP * np.arange(26)) ** 2
"""cosh(t) - 1 at equal steps, up to where exp(-4 (cosh(t) - 1)) counts no more."""


def _middle(x: np.ndarray, n: int) -> np.ndarray:
    """The integral of (1 - cosh(t)) ** n exp(x (1 - cosh(t))) over positive t (DLMF 10.32.9) in equal steps, the error
    of which falls exponentially."""
    total = 0.5 * (_RISE[0] ** n) * np.ones(x.shape)
    for rise in _RISE[1:]:
        total = total + rise**n * np.exp(-rise * x)
    return np.asarray((-1.0) ** n * _STEP * total)


def k0e_derivatives(x: np.ndarray, orders: tuple[int, ...]) -> list[np.ndarray]:
    """Of exp(x) K0(x), of these orders, in float64."""
    top, limit = max(orders), far_from(max(orders))
    near = ~(x >= 4)
    with np.errstate(all="ignore"):
        inside = x if near.all() else x[near]
        scaled = _upwards(scipy_function("k0e")(inside), scipy_function("k1e")(inside), inside, max(top, 1), 1.0)
        found = []
        for n in orders:
            made = np.zeros(inside.shape)
            for k in range(n + 1):
                made = made + (-1.0) ** k * math.comb(n, k) * _sum(scaled, 0, k, 1.0, 1.0)
            # of infinities the one of the highest order counts
            made = np.where(scaled[n] == np.inf, (-1.0) ** n * np.inf, made)
            found.append(_spread(made, near))
    for mask, part in (((x >= 4) & (x < limit), _middle), ((x >= limit) & (x < np.inf), _far)):
        if mask.any():
            for n, all_of_it in zip(orders, found, strict=True):
                all_of_it[mask] = part(x[mask], n)
    return found


def _spread(made: np.ndarray, where: np.ndarray) -> np.ndarray:
    """The elements at their places, among zeros."""
    if where.all():
        return made
    found = np.zeros(where.shape)
    found[where] = made
    return found


def _far(x: np.ndarray, n: int) -> np.ndarray:
    return np.asarray(math.sqrt(0.5 * math.pi) * asymptotic(x, n, 1.0))


def k0e_derivative(x: Any, n: int) -> Any:
    (x,), dtype = doubles(x)
    return k0e_derivatives(x, (n,))[0].astype(dtype)


def k1e_derivative(x: Any, n: int) -> Any:
    """exp(x) K1(x) is exp(x) K0(x) less its derivative; their signs alternate."""
    (x,), dtype = doubles(x)
    first, second = k0e_derivatives(x, (n, n + 1))
    return (first - second).astype(dtype)


def yv_derivative(v: Any, x: Any, n: int) -> Any:
    (v, x), dtype = doubles(v, x)
    with np.errstate(all="ignore"):
        found = sum([(-1) ** k * math.comb(n, k) * scipy_function("yv")(v - n + 2 * k, x) for k in range(n + 1)]) / 2**n
        if not np.iscomplexobj(x):
            over = (x >= 0) & (x < 1) & (v >= 0) & ~np.isfinite(found)
            found = np.where(over, (-1.0) ** (n + 1) * np.inf, found)
    return found.astype(dtype)


def kve_derivative(v: Any, x: Any, n: int) -> Any:
    """By Leibniz' rule; by the asymptotic series where that would cancel."""
    (v, x), dtype = doubles(v, x)
    v = np.abs(v.real)
    kve = scipy_function("kve")

    def near(v: Any, x: Any) -> Any:
        if n == 1:
            found = kve(v, x) * (1 - v / x) - kve(v - 1, x)
        else:
            orders = {j: kve(v + j, x) for j in range(-n, n + 1)}
            found = 0.0
            for k in range(n + 1):
                inner = sum([math.comb(k, j) * orders[2 * j - k] for j in range(k + 1)])
                found = found + math.comb(n, k) * (-0.5) ** k * inner
        if np.iscomplexobj(x):
            return found
        return np.where((x >= 0) & (x < 1) & ~np.isfinite(found), (-1.0) ** n * np.inf, found)

    with np.errstate(all="ignore"):
        found = split(v, x, n, near, lambda v, x: math.sqrt(0.5 * math.pi) * ordered_asymptotic(v, x, n, 1.0))
    return found.astype(dtype)


def split(v: Any, x: Any, n: int, near: Any, far: Any) -> np.ndarray:
    """`far` of what lies so far to the right that the asymptotic series of order v gives all digits, `near` of all
    others."""
    is_far = (x.real >= far_from(n) + v * v) & (x.real < np.inf)
    if not is_far.any():
        return np.asarray(near(v, x))
    found = np.zeros(x.shape, x.dtype)
    found[~is_far] = near(v[~is_far], x[~is_far])
    found[is_far] = far(v[is_far], x[is_far])
    return found


def ordered_asymptotic(v: Any, x: Any, n: int, sign: float) -> Any:
    """As `asymptotic`, with a(k) of the order v."""
    term: Any = np.ones(x.shape, x.dtype)
    total: Any = 0.0
    for k in range(40):
        total = total + math.prod([k + 0.5 + j for j in range(n)]) * term
        term = term * (sign * (4 * v * v - (2 * k + 1) ** 2) / (8 * (k + 1)) / x)
    return (-1.0) ** n * total / np.sqrt(x) / x**n
