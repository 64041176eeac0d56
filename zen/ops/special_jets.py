"""Derivatives of the incomplete gamma and beta functions by their parameters, on arrays.

The functions are a power times a series or continued fraction, which is summed with truncated Taylor polynomials in the
parameters in place of numbers. The value itself comes from SciPy, so that only the derivatives of logarithms are left,
and each is computed on the side where the function is small: nothing cancels in the tails. The number of steps grows
with the square root of the parameters.

A jet is a dict: the coefficient of s ** i t ** j at (i, j), arrays of one shape.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .special import doubles, in_blocks, scipy_function
from .special_gamma import polygamma_gap

Jet = dict[tuple[int, int], Any]
Linear = tuple[Any, Any, Any]

LIMIT = 20_000
"""Steps after which what has not converged is nan."""


def _indices(order: tuple[int, int]) -> list[tuple[int, int]]:
    return [(i, j) for i in range(order[0] + 1) for j in range(order[1] + 1)]


def _times(p: Jet, q: Jet) -> Jet:
    return {(i, j): sum(p[k, m] * q[i - k, j - m] for k in range(i + 1) for m in range(j + 1)) for i, j in p}


def _linear(p: Jet, c: Any, first: Any = None, second: Any = None) -> Jet:
    """p times (c + first * s + second * t); None for what is absent."""
    found = {}
    for (i, j), value in p.items():
        product = value * c
        if i and first is not None:
            product = product + p[i - 1, j] * first
        if j and second is not None:
            product = product + p[i, j - 1] * second
        found[i, j] = product
    return found


def _quotient(p: Jet, q: Jet) -> Jet:
    found: Jet = {}
    for i, j in p:
        rest = sum(q[k, m] * found[i - k, j - m] for k in range(i + 1) for m in range(j + 1) if (k, m) != (0, 0))
        found[i, j] = (p[i, j] - rest) / q[0, 0]
    return found


def _exponential(k: Jet) -> Jet:
    """exp of a jet without a constant."""
    found: Jet = {(0, 0): np.ones_like(k[0, 0])}
    for i, j in k:
        if i:
            found[i, j] = sum(a * k[a, b] * found[i - a, j - b] for a in range(1, i + 1) for b in range(j + 1)) / i
        elif j:
            found[i, j] = sum(b * k[0, b] * found[0, j - b] for b in range(1, j + 1)) / j
    return found


def gammainc_derivative(a: Any, x: Any, n: int) -> Any:
    """The n-th derivative of gammainc(a, x) in a, for n from 1."""
    (a, x), dtype = doubles(a, x)
    return in_blocks(lambda a, x: _gammainc_derivative(a, x, n), a, x).astype(dtype)


def _gammainc_derivative(a: Any, x: Any, n: int) -> Any:
    found = np.where((a > 0) & (x >= 0), 0.0, np.nan)  # at both ends the function does not depend on a
    inside = (a > 0) & (x > 0) & np.isfinite(a) & np.isfinite(x)
    lower = inside & (x <= a + 1)
    for side, mask in (("gammainc", lower), ("gammaincc", inside & ~lower)):
        if not mask.any():
            continue
        p, q = a[mask], x[mask]
        value = scipy_function(side)(p, q)
        # x ** a exp(-x) / gamma(a + 1) times a series, or x ** a exp(-x) / gamma(a) times a fraction: DLMF 8.7.1, 8.9.2
        tail = _gamma_series(p, q, n) if side == "gammainc" else _gamma_fraction(p, q, n)
        base = p + 1 if side == "gammainc" else p
        power: Jet = {(i, 0): -_polygamma(i - 1, base) / math.factorial(i) for i in range(1, n + 1)}
        power[1, 0] = power[1, 0] + np.log(q)
        power = {(0, 0): np.zeros_like(p), **power}
        slope = _times(_exponential(power), tail)[n, 0] / tail[0, 0] * math.factorial(n)
        found[mask] = np.where(value == 0, 0.0, (value if side == "gammainc" else -value) * slope)
    return found


def _polygamma(n: int, x: Any) -> Any:
    return scipy_function("polygamma")(n, x)


def _gamma_series(a: Any, x: Any, n: int) -> Jet:
    """The sum of x ** k / ((a + 1) ... (a + k))."""
    term: Jet = {(i, 0): np.full(a.shape, float(i == 0)) for i in range(n + 1)}
    total = dict(term)
    for k in range(1, LIMIT):
        divided: Jet = {}
        for i in range(n + 1):
            divided[i, 0] = (term[i, 0] * x - (divided[i - 1, 0] if i else 0.0)) / (a + k)
        term = divided
        total = {key: total[key] + term[key] for key in total}
        if k % 8 == 0 and all([not np.any(np.abs(term[key]) > 1e-17 * np.abs(total[key])) for key in term]):
            return total
    return {key: np.full(a.shape, np.nan) for key in total}


def _gamma_fraction(a: Any, x: Any, n: int) -> Jet:
    """1 / (x + 1 - a - 1 (1 - a) / (x + 3 - a - ...))."""

    def numerator(k: int) -> list[Linear]:
        return [(-k * (k - a), k, None)]

    return _fraction((n, 0), numerator, lambda k: (x + 2 * k + 1 - a, -1, None))


def _fraction(order: tuple[int, int], numerator: Any, denominator: Any) -> Jet:
    """1 / (d(0) + n(1) / (d(1) + n(2) / (d(2) + ...))), of linear denominators and products of linear numerators.

    A forward recurrence of the values alone finds how many steps are needed. The jets go backwards, which neither grows
    nor loses digits.
    """
    shape = denominator(0)[0].shape
    steps = _steps(shape, numerator, denominator)
    one: Jet = {key: np.full(shape, float(key == (0, 0))) for key in _indices(order)}
    if not steps:
        return {key: np.full(shape, np.nan) for key in one}
    if sum(order) == 1:
        return _first_fraction(order, steps, numerator, denominator)
    total = _linear(one, *denominator(steps))
    for k in range(steps, 0, -1):
        above = one
        for factor in numerator(k):
            above = _linear(above, *factor)
        part, below = _quotient(above, total), _linear(one, *denominator(k - 1))
        total = {key: below[key] + part[key] for key in below}
    return _quotient(one, total)


def _first_fraction(order: tuple[int, int], steps: int, numerator: Any, denominator: Any) -> Jet:
    """The same to the first order in one parameter, in fewer passes."""
    place = 1 if order[0] else 2
    below = denominator(steps)
    total, slope = below[0], below[place] or 0.0
    for k in range(steps, 0, -1):
        above, rise = 1.0, 0.0
        for part in numerator(k):
            change = part[place]
            rise = rise * part[0] if change is None else rise * part[0] + above * change
            above = above * part[0]
        below = denominator(k - 1)
        inverse = 1 / total
        quotient = above * inverse
        slope = (rise - quotient * slope) * inverse + (below[place] or 0.0)
        total = quotient + below[0]
    inverse = 1 / total
    return {(0, 0): inverse, order: -slope * inverse * inverse}


def _steps(shape: tuple[int, ...], numerator: Any, denominator: Any) -> int:
    """After how many steps a continued fraction is exact; 0 if not within the limit.

    The error falls at least like exp(-c sqrt(k)): where twelve digits are right, twice as many steps give all.
    """
    above, below = (np.ones(shape), denominator(0)[0]), (np.zeros(shape), np.ones(shape))
    before, due = below[1] / above[1], 8
    for k in range(1, LIMIT):
        factor, step = 1.0, denominator(k)[0]
        for part in numerator(k):
            factor = factor * part[0]
        new = [step * now + factor * old for old, now in (above, below)]
        scale = 1 / new[0]
        above, below = (above[1] * scale, new[0] * scale), (below[1] * scale, new[1] * scale)
        if k == due:
            found, due = below[1] / above[1], k + 8 + k // 8
            if not np.any(np.abs(found - before) > 1e-12 * np.abs(found)):
                return 2 * k + 16
            before = found
    return 0


def betainc_derivative(a: Any, b: Any, x: Any, m: int, n: int) -> Any:
    """The derivative of betainc(a, b, x), m times in a and n times in b, for m + n from 1."""
    (a, b, x), dtype = doubles(a, b, x)
    return in_blocks(lambda a, b, x: _betainc_derivative(a, b, x, m, n), a, b, x).astype(dtype)


def _betainc_derivative(a: Any, b: Any, x: Any, m: int, n: int) -> Any:
    valid = (a > 0) & (b > 0) & (x >= 0) & (x <= 1)
    found = np.where(valid, 0.0, np.nan)  # at both ends the function does not depend on a and b
    inside = valid & (x > 0) & (x < 1) & np.isfinite(a) & np.isfinite(b)
    right = inside & (x > (a + 1) / (a + b + 2))
    left = inside & ~right
    if left.any():
        p, q, z = a[left], b[left], x[left]
        found[left] = _small_side("betainc", (p, q, z), (p, q, np.log(z), np.log1p(-z), z, m, n))
    if right.any():  # 1 - the function of 1 - x, with a and b exchanged
        p, q, z = a[right], b[right], x[right]
        found[right] = -_small_side("betaincc", (p, q, z), (q, p, np.log1p(-z), np.log(z), 1 - z, n, m))
    return found


def _small_side(name: str, args: Any, turned: Any) -> Any:
    """The derivative of the function of this name where it is small. What stands before the fraction is exact enough
    where its exponent is small; elsewhere the value says it, which costs more than all the rest."""
    a, b, log, other, *_ = turned
    part, fraction = _beta_parts(*turned)
    exponent = a * log + b * other - scipy_function("betaln")(a, b)
    plain = (a + b < 30) & (np.abs(exponent) < 20)
    found = part * np.exp(np.where(plain, exponent, 0.0))
    if not plain.all():
        p, q, z = [x[~plain] for x in args]
        value = scipy_function(name)(p, q, z)
        found[~plain] = np.where(value == 0, 0.0, value * (part[~plain] / fraction[~plain]))
    return found


def _beta_parts(a: Any, b: Any, log: Any, other: Any, x: Any, m: int, n: int) -> tuple[Any, Any]:
    """The derivative and the function, both divided by x ** a (1 - x) ** b / beta(a, b): a fraction, DLMF 8.17.22."""
    power: Jet = {}
    for i, j in _indices((m, n)):
        k = i + j - 1
        if k < 0:
            power[i, j] = np.zeros(a.shape)
            continue
        if i and j:
            total = _polygamma(k, a + b)
        else:
            total = polygamma_gap(a, b, k) if i else polygamma_gap(b, a, k)
        power[i, j] = total / (math.factorial(i) * math.factorial(j))
    if m:
        power[1, 0] = power[1, 0] + log
    if n:
        power[0, 1] = power[0, 1] + other

    def numerator(k: int) -> list[Linear]:
        half = k // 2
        if k % 2:
            return [(-x * (a + half), -x, None), (a + b + half, 1, 1)]
        return [(half * x * (b - half), None, half * x)]

    tail = _fraction((m, n), numerator, lambda k: (a + k, 1, None))
    product = _times(_exponential(power), tail)[m, n]
    return product * math.factorial(m) * math.factorial(n), tail[0, 0]
