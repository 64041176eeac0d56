"""Polygamma functions of complex numbers, which SciPy has not. Used by `special_gamma.py`.

To the right by the recurrence and the asymptotic series (DLMF 5.15.5, 5.15.8), to the left by reflection (5.15.6).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.polynomial import polynomial

BERNOULLI = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510)
SHIFT = 15


def complex_polygamma(n: int, z: np.ndarray) -> np.ndarray:
    """The n-th derivative of digamma, n > 0, for complex128 z. At the poles inf."""
    if n > 40:
        raise ValueError(f"polygamma: of complex numbers n is at most 40, but is {n}")
    is_left = z.real < 0.5
    found = _to_the_right(n, np.where(is_left, 1 - z, z))
    if not is_left.any():
        return found
    below = z.imag < 0
    upper = np.where(below, np.conj(z), z)  # where exp(2 i pi z) does not grow
    part = np.where(is_left, _cotangent(n, upper), 0)
    reflected = (-1) ** n * found - np.pi * np.where(below, np.conj(part), part)
    reflected = np.where((z.imag == 0) & (z.real == np.floor(z.real)), np.inf, reflected)
    made: np.ndarray = np.where(is_left, reflected, found)
    return made


def _to_the_right(n: int, z: np.ndarray) -> np.ndarray:
    sign, total, steps = (-1) ** (n + 1), np.zeros(z.shape, z.dtype), SHIFT + n
    for k in range(steps):
        total = total + sign * math.factorial(n) * (z + k) ** -(n + 1.0)
    z = z + steps
    total = total + sign * (math.factorial(n - 1) * z**-n + math.factorial(n) / 2 * z ** -(n + 1.0))
    for k, number in enumerate(BERNOULLI, 1):
        factor = number * math.factorial(2 * k + n - 1) / math.factorial(2 * k)
        total = total + sign * factor * z ** -(2.0 * k + n)
    made: np.ndarray = total
    return made


def _cotangent(n: int, z: np.ndarray) -> np.ndarray:
    """The n-th derivative of cot(pi z) in the upper half plane: (1 + c^2) times a polynomial in c, the cotangent.

    1 + c^2 is made by itself: it is small where c is nearly -1j.
    """
    w = np.exp(2j * np.pi * (z.real - np.round(z.real) + 1j * z.imag))
    c, square = 1j * (w + 1) / (w - 1), -4 * w / (w - 1) ** 2
    factor = np.array([-np.pi])
    for _ in range(n - 1):
        slope = polynomial.polyder(factor)
        factor = -np.pi * polynomial.polyadd(polynomial.polymul([0, 2], factor), polynomial.polymul([1, 0, 1], slope))
    found: np.ndarray = square * polynomial.polyval(c, factor)
    return found


def to_the_left(zeta: Any, s: Any, q: np.ndarray) -> np.ndarray:
    """zeta(s, q) for q below 0 and s > 1: sums over all whole numbers less what lies before q.

    Where s is no whole number it is not real: nan.
    """
    rest = q - np.floor(q)
    even = np.where(s % 2 == 0, 1.0, -1.0)
    inside = np.where(rest == 0, 1.0, rest)
    found = zeta(s, inside) + even * (zeta(s, 1 - inside) - zeta(s, 1 - q))
    made: np.ndarray = np.where(rest == 0, np.inf, np.where(s == np.floor(s), found, np.nan))
    return made
