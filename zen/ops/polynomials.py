"""Polynomials by their coefficients, highest power first, under NumPy's names. Fits stand in `polynomial_fits.py`.

Those by their coefficients with the lowest power first, as in numpy.polynomial.polynomial, stand in `power_series.py`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..backend import Shaped, apply
from ..dtypes import COMPLEX, DEFAULT, INEXACT, complexed
from . import signals
from .casting import astype
from .complex_numbers import real
from .data import asarray
from .joining import concat, unstack
from .operands import operand, raw, whole
from .register import FUNCTIONS, define, public
from .row import row
from .shape import atleast_1d

_add, _divide, _multiply, _subtract = [FUNCTIONS[name] for name in ("add", "divide", "multiply", "subtract")]


def coefficients(name: str, p: Any, dimensions: int = 1) -> Any:
    """Coefficients as a Tensor of one dimension, or of so many; ValueError for more."""
    p = atleast_1d(asarray(operand(name, p)))
    if p.ndim > dimensions:
        raise ValueError(f"{name}: coefficients are one-dimensional, not of shape {p.shape}")
    return p


def _filled(p: Any, length: int) -> Any:
    return p if len(p) == length else concat([np.zeros(length - len(p), p.dtype), p])


@public("polyval", method=None)
def polyval(p: Any, x: Any) -> Any:
    """The polynomial with coefficients p, highest power first, at x, by Horner's scheme; of the shape of x.

    Further axes of p hold further polynomials, which broadcast with x. Raises TypeError for a single number and
    for an x that is itself a polynomial.

    >>> zen.f.polyval(zen.tensor([1.0, 0.0, -2.0]), 3.0).tolist()
    7.0
    """
    if isinstance(x, np.poly1d):
        raise TypeError("polyval: x is a polynomial; polynomials are composed of arrays by numpy.polyval alone")
    p, x = asarray(operand("polyval", p)), asarray(operand("polyval", x))
    if not p.ndim:
        raise TypeError("polyval: p is a single number; coefficients are a sequence")
    made: Any = asarray(np.zeros(x.shape, x.dtype))
    for part in unstack(p):
        made = _add(_multiply(made, x), part)
    return made


@public("polyadd", method=None)
def polyadd(a1: Any, a2: Any) -> Any:
    """The sum of two polynomials, highest power first. ValueError for several dimensions and different lengths.

    >>> zen.f.polyadd(zen.tensor([1.0, 2.0]), [3.0]).tolist()
    [1.0, 5.0]
    """
    return _combined("polyadd", _add, a1, a2)


@public("polysub", method=None)
def polysub(a1: Any, a2: Any) -> Any:
    """The difference of two polynomials, highest power first. Errors as in `polyadd`.

    >>> zen.f.polysub(zen.tensor([1.0, 2.0]), [3.0]).tolist()
    [1.0, -1.0]
    """
    return _combined("polysub", _subtract, a1, a2)


def _combined(name: str, function: Any, a1: Any, a2: Any) -> Any:
    pair = [coefficients(name, a, 99) for a in (a1, a2)]
    longest = max(len(p) for p in pair)
    if len(pair[0]) != len(pair[1]):
        pair = [coefficients(name, p) for p in pair]
    return function(*[_filled(p, longest) for p in pair])


def _zeros_in_front(p: Any) -> int:
    """How many there are; of zeros alone the last does not count."""
    found = np.flatnonzero(raw(p))
    return int(found[0]) if len(found) else len(p) - 1


@public("polymul", method=None)
def polymul(a1: Any, a2: Any) -> Any:
    """The product of two polynomials, highest power first, without zeros in front of the factors.

    Errors as in `polyadd`.

    >>> zen.f.polymul(zen.tensor([1.0, 2.0]), [1.0, -1.0]).tolist()
    [1.0, 1.0, -2.0]
    """
    pair = [coefficients("polymul", p) for p in (a1, a2)]
    a, b = (p if len(p) else asarray(np.zeros(1, p.dtype)) for p in pair)
    made, cut = signals.convolve(a, b), _zeros_in_front(a) + _zeros_in_front(b)
    return made[cut:] if cut else made  # off the product, not off the factors: what is left depends on their zeros


@public("polydiv", method=None)
def polydiv(u: Any, v: Any) -> tuple[Any, Any]:
    """Quotient and remainder of two polynomials, highest power first. Errors as in `polyadd`.

    >>> [part.tolist() for part in zen.f.polydiv(zen.tensor([3.0, 5.0, 2.0]), [2.0, 1.0])]
    [[1.5, 1.75], [0.25]]
    """
    u, v = (coefficients("polydiv", p) for p in (u, v))
    dtype = np.result_type(u.dtype, v.dtype, np.float16 if u.dtype in INEXACT or v.dtype in INEXACT else DEFAULT)
    u, v = (astype(p, dtype, copy=False) for p in (u, v))
    n, steps = len(v) - 1, len(u) - len(v) + 1
    with np.errstate(divide="ignore", invalid="ignore"):
        scale = _divide(1.0, v[0])
    rest, quotient, left = u, [], []
    for _ in range(steps):
        factor = _multiply(scale, rest[0])
        quotient.append(factor[None])
        taken = _subtract(rest[: n + 1], _multiply(factor, v))
        left.append(taken[:1])
        rest = concat([taken[1:], rest[n + 1 :]])
    rest = concat([*left, rest])
    values, first = raw(rest), 0
    while first < len(values) - 1 and np.allclose(values[first], 0, rtol=1e-14):
        first += 1
    return concat(quotient) if quotient else asarray(np.zeros(1, dtype)), rest[first:]


@public("polyder", method=None)
def polyder(p: Any, m: int = 1) -> Any:
    """The m-th derivative of a polynomial, highest power first. ValueError for a negative m.

    >>> zen.f.polyder(zen.tensor([1.0, 2.0, 3.0])).tolist()
    [2.0, 2.0]
    """
    p, times = asarray(operand("polyder", p)), whole("polyder", "m", m)
    if times < 0:
        raise ValueError(f"polyder: m must not be negative, but is {times}; see polyint")
    for _ in range(times):
        p = _multiply(p[:-1], np.arange(len(p) - 1, 0, -1))
    return p


@public("polyint", method=None)
def polyint(p: Any, m: int = 1, k: Any = None) -> Any:
    """The m-th antiderivative of a polynomial, highest power first.

    k: the constants of integration, in the order of the integrations; a single one stands for all, and 0 for none.
    Raises ValueError for a negative m and fewer than m constants.

    >>> zen.f.polyint(zen.tensor([2.0, 2.0]), k=5.0).tolist()
    [1.0, 2.0, 5.0]
    """
    p, times = asarray(operand("polyint", p)), whole("polyint", "m", m)
    if times < 0:
        raise ValueError(f"polyint: m must not be negative, but is {times}; see polyder")
    constants = asarray(np.zeros(times)) if k is None else coefficients("polyint", k)
    if len(constants) == 1 and times > 1:
        constants = _multiply(constants[0], np.ones(times))
    if len(constants) < times:
        raise ValueError(
            f"polyint: k has {len(constants)} constants for {times} integrations; give one, or one for each"
        )
    for j in range(times):
        p = concat([_divide(p, np.arange(len(p), 0, -1)), constants[j : j + 1]])
    return p


# --- roots


def _powers(f: Any, y: Any, n: int) -> Any:
    """In rows, the powers of each y from the n-th to the 0-th."""
    found = [y * 0 + 1]
    for _ in range(n):
        found.append(found[-1] * y)
    return f.stack(*found[::-1], 1)


def _slopes(f: Any, p: Any, powers: Any, n: int) -> Any:
    """The derivative of the polynomial p at the roots, of which these are the powers."""
    factors = f.getitem(p, (slice(0, n),)) * np.arange(n, 0, -1)
    return f.matmul(f.getitem(powers, (slice(None), slice(1, None))), f.astype(factors, powers.dtype))


def _roots_vjp(f: Any, g: Any, p: Any, y: Any) -> Any:
    """Where p(y) = 0, dy = -dp(y) / p'(y)."""
    n = p.shape[0] - 1
    powers = _powers(f, y, n)
    return f.matmul(-g / _slopes(f, p, powers, n), powers)


def _roots_tangent(f: Any, g: Any, p: Any, y: Any) -> Any:
    n = p.shape[0] - 1
    powers = _powers(f, y, n)
    return -f.matmul(powers, f.astype(g, powers.dtype)) / _slopes(f, p, powers, n)


ROOTS = define(row(
    "roots", "p", lambda p, lead: np.roots(p).astype(complexed(p.dtype), copy=False), ["roots_vjp(g, p, y)"],
    jvp=("roots_tangent(g, p, y)",), params="lead", uses={"roots_vjp": _roots_vjp, "roots_tangent": _roots_tangent},
    shape=lambda p, lead: Shaped((max(p.shape[0] - 1 - lead, 0),), complexed(p.dtype)), complex=True,
    domain=lambda rng: [
        ((np.array([1.0, -0.5, -4.0, 1.5]),), (0,)), ((np.array([2.0, 1.0, 3.0]),), (0,)),
        ((np.array([1.5, 9.0, -3.0, 9.0])[::2],), (0,)),
    ],
    doc="The complex roots of a polynomial, highest power first, behind so many zeros.",
))  # fmt: skip


@public("roots", method=None)
def roots(p: Any) -> Any:
    """The roots of the polynomial with coefficients p, highest power first: real if all are, else complex.

    Zeros in front lower the degree. A root that occurs once is differentiable, with -y ** k / p'(y) by the coefficient
    of the k-th power; at one that occurs more often the derivative is infinite. Raises ValueError for p of more than
    one dimension.

    >>> zen.f.roots(zen.tensor([1.0, -3.0, 2.0])).tolist()
    [2.0, 1.0]
    """
    p = coefficients("roots", p)
    p = p if p.dtype in INEXACT else astype(p, DEFAULT)
    found = np.flatnonzero(raw(p))
    if not len(found):
        return asarray(np.array([]))
    if int(found[0]) == len(p) - 1:
        return asarray(np.array([]))
    made = apply(ROOTS, (p,), (int(found[0]),))
    return made if p.dtype in COMPLEX or raw(made).imag.any() else real(made)


@public("poly", method=None)
def poly(seq_of_zeros: Any) -> Any:
    """The polynomial with these roots, highest power first and with coefficient 1 there; 1.0 without roots.

    seq_of_zeros: one-dimensional, or a square matrix, of which it is the characteristic polynomial. Of complex roots
    in conjugate pairs the coefficients are real. Raises ValueError for other shapes.

    >>> zen.f.poly(zen.tensor([1.0, 2.0])).tolist()
    [1.0, -3.0, 2.0]
    """
    given = atleast_1d(asarray(operand("poly", seq_of_zeros)))
    if given.ndim == 2 and given.shape[0] == given.shape[1] != 0:
        return _characteristic(given)
    if given.ndim != 1:
        raise ValueError(f"poly: roots are one-dimensional or a square matrix, not of shape {given.shape}")
    if not len(given):
        return asarray(1.0)
    zeros = given if given.dtype in INEXACT else astype(given, DEFAULT)
    made: Any = asarray(np.ones(1, zeros.dtype))
    for k in range(len(zeros)):
        made = signals.convolve(made, concat([np.ones(1, zeros.dtype), -zeros[k : k + 1]]))
    return real(made) if zeros.dtype in COMPLEX and _in_pairs(raw(zeros)) else made


def _in_pairs(zeros: np.ndarray) -> bool:
    return bool(np.all(np.sort(zeros) == np.sort(zeros.conj())))


def _characteristic(x: Any) -> Any:
    """By traces of powers, which have derivatives where eigenvalues coincide as well. Faddeev and LeVerrier."""
    x = x if x.dtype in INEXACT else astype(x, DEFAULT)
    n, eye = len(x), np.eye(len(x))
    term, found = asarray(eye.astype(x.dtype)), [asarray(np.ones(1, x.dtype))]
    for k in range(1, n + 1):
        term = x @ term
        factor = FUNCTIONS["trace"](term) * (-1.0 / k)
        found.append(factor[None])
        term = term + factor * eye
    made, expected = concat(found), np.poly(raw(x))
    made = real(made) if expected.dtype not in COMPLEX and made.dtype in COMPLEX else made
    return astype(expected + (made - made.detach()), expected.dtype, copy=False)
