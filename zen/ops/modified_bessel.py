"""Derivatives of the modified Bessel functions I0 and I1, plain and times exp(-abs(x)), on arrays, by NumPy alone.

Series of positive terms up to `FAR`, the asymptotic series beyond: nothing cancels, at any order.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

FAR = 20.0


def far_from(n: int) -> float:
    """From where on the asymptotic series of the n-th derivative gives all digits."""
    return FAR + 4.0 * n


def horner(coefficients: list[float], z: np.ndarray) -> np.ndarray:
    """The polynomial with these coefficients, the constant first."""
    found = np.full(z.shape, coefficients[-1])
    for c in coefficients[-2::-1]:
        found *= z
        found += c
    return found


def _enough(coefficients: Any, size: float) -> list[float]:
    """So many of the coefficients of a power series as count for arguments up to `size`: sums of positive terms."""
    found: list[float] = []
    total, power = 0.0, 1.0
    for c in coefficients:
        found.append(c)
        total += c * power
        if c * power < 1e-18 * total:
            break
        power *= size
    return found


def asymptotic(x: np.ndarray, n: int, sign: float) -> np.ndarray:
    """The n-th derivative of the sum of (-sign) ** k a(k) x ** (-k - 1 / 2), where a(k) are those of order 0 in
    DLMF 10.17.1; sign -1 is that of I, 1 that of K. For x from `far_from(n)`."""
    b = 1.0
    coefficients: list[float] = []
    for k in range(60):
        c = (-sign) ** k * b * math.prod([k + 0.5 + j for j in range(n)])
        if k and abs(c) < 1e-18 * abs(coefficients[0]) * FAR**k:
            break
        coefficients.append(c)
        b *= (2 * k + 1) ** 2 / (8 * (k + 1))
    return np.asarray((-1.0) ** n * horner(coefficients, 1 / x) / np.sqrt(x) / x**n)


def _near_scaled(x: np.ndarray, n: int) -> np.ndarray:
    """By Kummer's transformation of DLMF 10.39.5: a multiple of exp(-2 x) M(1 / 2, n + 1, 2 x)."""

    def coefficients() -> Any:
        c, k = 1.0, 0
        while True:
            yield c
            c *= (0.5 + k) / ((n + 1 + k) * (k + 1))
            k += 1

    z = 2 * x
    first = (-1.0) ** n * math.prod([2 * (0.5 + j) / (1 + j) for j in range(n)])
    return np.asarray(first * np.exp(-z) * horner(_enough(coefficients(), np.max(z)), z))


def scaled(x: np.ndarray, n: int) -> np.ndarray:
    """The n-th derivative of exp(-x) I0(x), for x that are not negative."""
    return piecewise(
        x, far_from(n), lambda x: _near_scaled(x, n), lambda x: asymptotic(x, n, -1.0) / math.sqrt(2 * math.pi)
    )


def piecewise(x: np.ndarray, limit: float, near: Any, far: Any) -> np.ndarray:
    """`near` of what lies below the limit, `far` of the others; each is called only on what it is for."""
    low = x < limit
    if low.all():
        return np.asarray(near(x)) if x.size else np.empty(x.shape)
    found = np.where(np.isnan(x), x, 0.0)
    for function, mask in ((near, low), (far, ~low & (x < np.inf))):
        if mask.any():
            found[mask] = function(x[mask])
    return found


def _near_plain(x: np.ndarray, n: int) -> np.ndarray:
    """The power series, DLMF 10.25.2, differentiated."""
    first = (n + 1) // 2

    def coefficients() -> Any:
        k, c = first, math.perm(2 * first, n) / (4.0**first * math.factorial(first) ** 2)
        while True:
            yield c
            k += 1
            c *= (2 * k) * (2 * k - 1) / ((2 * k - n) * (2 * k - n - 1) * 4.0 * k * k)

    square = x * x
    found = horner(_enough(coefficients(), np.max(square)), square)
    return found * x if n % 2 else found


def _far_plain(x: np.ndarray, n: int) -> np.ndarray:
    total = sum([math.comb(n, k) * scaled(x, k) for k in range(n + 1)])
    half = np.exp(0.5 * x)  # exp(x) is infinite before the product is
    return np.asarray(half * total * half)


def i0_derivative(x: np.ndarray, n: int) -> np.ndarray:
    """The n-th derivative of I0(x), infinite where that is too large for a number."""
    size = np.abs(x)
    with np.errstate(over="ignore"):
        found = piecewise(size, far_from(n), lambda x: _near_plain(x, n), lambda x: _far_plain(x, n))
    found = np.where(size == np.inf, np.inf, found)
    return np.asarray(np.where(x < 0, -found, found)) if n % 2 else found


def i0e_derivative(x: np.ndarray, n: int) -> np.ndarray:
    """The n-th derivative of exp(-abs(x)) I0(x); at the kink the mean of both sides."""
    found = scaled(np.abs(x), n)
    return np.sign(x) * found if n % 2 else found


def i1e_derivative(x: np.ndarray, n: int) -> np.ndarray:
    """The n-th derivative of exp(-abs(x)) I1(x); at 0, a kink for even n, the mean of both sides."""
    size = np.abs(x)
    found = scaled(size, n) + scaled(size, n + 1)
    return np.asarray(found if n % 2 else np.sign(x) * found)
