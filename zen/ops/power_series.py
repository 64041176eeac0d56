"""Polynomials by their coefficients, lowest power first: numpy.polynomial.polynomial, as `zen.polynomial`.

Sums, products, derivatives and their like. Values at points and matrices of powers stand in `power_series_values.py`.
Zeros behind the highest power are taken off as in NumPy, by the values that the coefficients have. What is left depends
on them nevertheless, so they are taken off the results: those of the operands only where no derivative is recorded.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dtypes import COMPLEX, DEFAULT, INEXACT
from .axes import one_axis
from .casting import astype
from .data import asarray
from .joining import concat, stack
from .operands import constant, operand, raw, whole
from .polynomials import roots
from .register import FUNCTIONS
from .selection import take_along_axis
from .shape import atleast_1d, moveaxis, reshape
from .signals import convolve
from .ties import recorded

_add, _divide, _multiply, _subtract = [FUNCTIONS[name] for name in ("add", "divide", "multiply", "subtract")]


def floats(name: str, c: Any) -> Any:
    """Coefficients of at least one dimension, in a floating dtype."""
    c = atleast_1d(asarray(operand(name, c)))
    return c if c.dtype in INEXACT else astype(c, DEFAULT)


def series(name: str, *given: Any) -> list[Any]:
    """Coefficients in one dtype, recorded ones as they are; ValueError for none, or several dimensions."""
    found = [floats(name, c) for c in given]
    for c in found:
        if c.ndim != 1 or not c.size:
            raise ValueError(f"{name}: coefficients are one-dimensional and not empty, unlike shape {c.shape}")
    dtype = np.result_type(*[c.dtype for c in found])
    return [astype(c if recorded(c) else trimmed(c), dtype, copy=False) for c in found]


def _length(c: Any) -> int:
    """How many coefficients there are without the zeros behind; of zeros alone the first counts."""
    found = np.flatnonzero(raw(c))
    return int(found[-1]) + 1 if len(found) else min(1, len(c))


def trimmed(c: Any) -> Any:
    """c without the zeros behind its last other element; of zeros alone the first is left."""
    return _first_of(c, _length(c))


def _first_of(c: Any, count: int) -> Any:
    return c if count >= len(c) else c[:count]


def _sum(name: str, combine: Any, c1: Any, c2: Any) -> Any:
    pair = series(name, c1, c2)
    longest = max(len(c) for c in pair)
    full = [c if len(c) == longest else concat([c, np.zeros(longest - len(c), c.dtype)]) for c in pair]
    return trimmed(combine(*full))


def polyadd(c1: Any, c2: Any) -> Any:
    """The sum of two polynomials.

    >>> import zen
    >>> zen.polynomial.polyadd(zen.tensor([1.0, 2.0]), [3.0]).tolist()
    [4.0, 2.0]
    """
    return _sum("polyadd", _add, c1, c2)


def polysub(c1: Any, c2: Any) -> Any:
    """The difference of two polynomials.

    >>> import zen
    >>> zen.polynomial.polysub(zen.tensor([1.0, 2.0]), [3.0]).tolist()
    [-2.0, 2.0]
    """
    return _sum("polysub", _subtract, c1, c2)


def polymul(c1: Any, c2: Any) -> Any:
    """The product of two polynomials.

    >>> import zen
    >>> zen.polynomial.polymul(zen.tensor([2.0, 1.0]), [-1.0, 1.0]).tolist()
    [-2.0, 1.0, 1.0]
    """
    return trimmed(convolve(*series("polymul", c1, c2)))


def polymulx(c: Any) -> Any:
    """The product of a polynomial and x.

    >>> import zen
    >>> zen.polynomial.polymulx(zen.tensor([2.0, 1.0])).tolist()
    [0.0, 2.0, 1.0]
    """
    [c] = series("polymulx", c)
    return _first_of(concat([c[:1] * 0, c]), _length(c) + bool(raw(c).any()))


def polypow(c: Any, pow: int, maxpower: int | None = None) -> Any:
    """A polynomial to the power `pow`. ValueError for a power that is negative or above `maxpower`.

    >>> import zen
    >>> zen.polynomial.polypow(zen.tensor([1.0, 1.0]), 2).tolist()
    [1.0, 2.0, 1.0]
    """
    [c] = series("polypow", c)
    power = whole("polypow", "pow", pow)
    if power < 0 or (maxpower is not None and power > maxpower):
        raise ValueError(f"polypow: pow must not be negative, or above maxpower={maxpower}, but is {power}")
    if power == 0:
        return asarray(np.ones(1, c.dtype))
    made = c
    for _ in range(power - 1):
        made = convolve(made, c)
    return _first_of(made, (_length(c) - 1) * power + 1)


def polydiv(c1: Any, c2: Any) -> tuple[Any, Any]:
    """Quotient and remainder of two polynomials. ZeroDivisionError for the divisor 0.

    >>> import zen
    >>> [part.tolist() for part in zen.polynomial.polydiv(zen.tensor([2.0, 5.0, 3.0]), [1.0, 2.0])]
    [[1.75, 1.5], [0.25]]
    """
    a, b = series("polydiv", c1, c2)
    b = trimmed(b)  # the degree of a divisor is that of its values: in what would raise it there is no derivative
    if raw(b)[-1] == 0:
        raise ZeroDivisionError("polydiv: the divisor is 0")
    length = max(_length(a) - len(b) + 1, 1)
    if len(a) < len(b):
        return a[:1] * 0, trimmed(a)
    if len(b) == 1:
        return _first_of(_divide(a, b[-1]), length), a[:1] * 0
    scaled, rest, quotient = _divide(b[:-1], b[-1]), a, []
    n = len(b) - 1
    for _ in range(len(a) - n):
        highest = rest[-1]
        quotient.append(highest[None])
        rest = concat([rest[: len(rest) - 1 - n], _subtract(rest[len(rest) - 1 - n : -1], _multiply(scaled, highest))])
    return _first_of(_divide(concat(quotient[::-1]), b[-1]), length), trimmed(rest)


def polytrim(c: Any, tol: float = 0) -> Any:
    """A polynomial without the coefficients of its highest powers that are at most `tol` in magnitude.

    ValueError for a negative tol.

    >>> import zen
    >>> zen.polynomial.polytrim(zen.tensor([1.0, 0.0, 1e-9]), 1e-6).tolist()
    [1.0]
    """
    limit = constant("polytrim", "tol", tol)
    if limit < 0:
        raise ValueError(f"polytrim: tol must not be negative, but is {limit}")
    [c] = series("polytrim", c)
    found = np.flatnonzero(np.abs(raw(c)) > limit)
    return c[: int(found[-1]) + 1] if len(found) else c[:1] * 0


def polyline(off: Any, scl: Any) -> Any:
    """The polynomial off + scl * x.

    >>> import zen
    >>> zen.polynomial.polyline(1.0, zen.tensor(2.0)).tolist()
    [1.0, 2.0]
    """
    parts = [asarray(operand("polyline", part)) for part in (off, scl)]
    return stack(parts if raw(parts[1]) != 0 else parts[:1])


# --- derivatives and integrals


def _first(name: str, c: Any, axis: int) -> tuple[Any, int]:
    c = floats(name, c)
    k = one_axis(name, axis, c.shape)
    return moveaxis(c, k, 0), k


def _along(values: np.ndarray, c: Any) -> np.ndarray:
    return values.reshape((-1,) + (1,) * (c.ndim - 1))


def polyder(c: Any, m: int = 1, scl: Any = 1, axis: int = 0) -> Any:
    """The m-th derivative of polynomials along `axis`, times scl at each time. ValueError for a negative m.

    >>> import zen
    >>> zen.polynomial.polyder(zen.tensor([1.0, 2.0, 3.0])).tolist()
    [2.0, 6.0]
    """
    c, k = _first("polyder", c, axis)
    times = whole("polyder", "m", m)
    if times < 0:
        raise ValueError(f"polyder: m must not be negative, but is {times}; see polyint")
    if times >= len(c) and times:
        c = c[:1] * 0
    else:
        for _ in range(times):
            c = astype(_multiply(_multiply(c, scl)[1:], _along(np.arange(1, len(c)), c)), c.dtype, copy=False)
    return moveaxis(c, 0, k)


def polyint(c: Any, m: int = 1, k: Any = (), lbnd: Any = 0, scl: Any = 1, axis: int = 0) -> Any:
    """The m-th antiderivative of polynomials along `axis`, times scl before each integration.

    k: the values at lbnd, in the order of the integrations; 0 for those that are missing. Raises ValueError for a
    negative m and more than m constants.

    >>> import zen
    >>> zen.polynomial.polyint(zen.tensor([2.0, 2.0]), k=[5.0]).tolist()
    [5.0, 2.0, 1.0]
    """
    c, place = _first("polyint", c, axis)
    times = whole("polyint", "m", m)
    values = atleast_1d(asarray(operand("polyint", k)))
    if times < 0:
        raise ValueError(f"polyint: m must not be negative, but is {times}; see polyder")
    if len(values) > times:
        raise ValueError(f"polyint: {len(values)} constants for {times} integrations")
    for name, bound in (("lbnd", lbnd), ("scl", scl)):
        if np.ndim(bound):
            raise ValueError(f"polyint: {name} must be a number, not of shape {np.shape(bound)}")
    length = len(c)
    for j in range(times):
        n = len(c)
        c = _multiply(c, scl)
        value: Any = values[j] if j < len(values) else 0.0
        length += length > 1 or bool(raw(c)[0].any())  # the integral of 0 has one coefficient as well
        made = concat([c[:1] * 0, _divide(c, _along(np.arange(1, n + 1), c))])
        at_bound = made[-1]
        for i in range(n - 1, -1, -1):
            at_bound = _add(made[i], _multiply(at_bound, lbnd))
        lowest = _add(made[:1], _subtract(value, at_bound))
        c = astype(concat([reshape(lowest, (1, *c.shape[1:])), made[1:]]), c.dtype, copy=False)
    return moveaxis(_first_of(c, length), 0, place)


# --- roots


def polyfromroots(roots: Any) -> Any:
    """The polynomial with these roots, and coefficient 1 of its highest power. ValueError for several dimensions.

    >>> import zen
    >>> zen.polynomial.polyfromroots(zen.tensor([1.0, 2.0])).tolist()
    [2.0, -3.0, 1.0]
    """
    zeros = floats("polyfromroots", roots)
    if zeros.ndim != 1:
        raise ValueError(f"polyfromroots: roots are one-dimensional, not of shape {zeros.shape}")
    if not len(zeros):
        return asarray(np.ones(1))
    made: Any = asarray(np.ones(1, zeros.dtype))
    for k in np.argsort(raw(zeros), kind="stable").tolist():
        made = convolve(made, concat([-zeros[k : k + 1], np.ones(1, zeros.dtype)]))
    return made


def polyroots(c: Any) -> Any:
    """The roots of a polynomial, sorted: real if all are, else complex. Derivatives as in `zen.f.roots`.

    >>> import zen
    >>> zen.polynomial.polyroots(zen.tensor([2.0, -3.0, 1.0])).tolist()
    [1.0, 2.0]
    """
    [c] = series("polyroots", c)
    if len(c) < 2:
        return asarray(np.array([], c.dtype))
    found = roots(c[::-1])
    if found.dtype not in COMPLEX:
        return take_along_axis(found, np.argsort(raw(found)))
    return found[np.argsort(raw(found))]


def polycompanion(c: Any) -> Any:
    """The companion matrix of a polynomial, whose eigenvalues are its roots. ValueError for a constant.

    >>> import zen
    >>> zen.polynomial.polycompanion(zen.tensor([2.0, -3.0, 1.0])).tolist()
    [[0.0, -2.0], [1.0, 3.0]]
    """
    c = trimmed(series("polycompanion", c)[0])
    if len(c) < 2:
        raise ValueError("polycompanion: a constant has no companion matrix; give at least two coefficients")
    n = len(c) - 1
    last = _divide(-c[:-1], c[-1])
    below = np.eye(n, n - 1, -1, dtype=c.dtype)
    return concat([below, last[:, None]], 1)
