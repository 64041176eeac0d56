"""The functions of numpy.emath: roots, logarithms and inverse functions whose result is complex where it must be.

A real operand becomes complex where one of its elements lies outside the real domain; the gradient by it stays real.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..dtypes import COMPLEX, DEFAULT, EXACT
from ..dtypes import real as real_dtype
from .casting import astype
from .operands import constant, operand, raw
from .register import FUNCTIONS, dispatch, public

_SHORT = frozenset(map(np.dtype, "fFbhBH"))
"""Dtypes whose complex numbers are of single precision, as in NumPy."""


def _to_complex(x: Any) -> Any:
    return astype(x, np.complex64 if x.dtype in _SHORT else np.complex128, copy=False)


def _outside(x: Any, low: float) -> bool:
    """Whether a real element is below `low`, or for low = -1 of a magnitude above 1."""
    values = np.asarray(raw(x))
    wrong = values.real < 0 if low == 0 else np.abs(values.real) > 1
    return bool(np.any(wrong & (values.imag == 0)))


def _widened(name: str, x: Any, low: float = 0) -> Any:
    x = operand(name, x)
    return _to_complex(x) if _outside(x, low) else x


def _of_one(name: str, own: str, low: float) -> Callable[[Any], Any]:
    def function(x: Any) -> Any:
        return FUNCTIONS[own](_widened(name, x, low))

    return function


for _name, _own, _low in (
    ("sqrt", "sqrt", 0), ("log", "log", 0), ("log2", "log2", 0), ("log10", "log10", 0),
    ("arccos", "acos", -1), ("arcsin", "asin", -1), ("arctanh", "atanh", -1),
):  # fmt: skip
    dispatch(f"emath.{_name}", _of_one(_name, _own, _low))


@public("emath.logn", method=None)
def logn(n: Any, x: Any) -> Any:
    """The logarithm of x to the base n; complex where n or x holds a negative number.

    n, x: Tensors, arrays or numbers whose shapes broadcast; differentiable in both.

    >>> zen.f.logn(2.0, zen.tensor([4.0, 8.0])).round(12).tolist()
    [2.0, 3.0]
    """
    log = FUNCTIONS["log"]
    x = log(_widened("logn", x))
    return x / log(_widened("logn", n))


def _power(x: Any, p: Any) -> Any:
    """numpy.emath.power: complex where x holds a negative number; integers may have negative exponents."""
    x, p = _widened("power", x), operand("power", p)
    if p.dtype in EXACT and _outside(p, 0):
        p = astype(p, DEFAULT)
    return FUNCTIONS["power"](x, p)


dispatch("emath.power", _power)


@public(method=None)
def real_if_close(a: Any, tol: float = 100) -> Any:
    """The real part of complex `a` if all imaginary parts are nearly zero, else `a`; real `a` itself.

    tol: above 1 in units of the precision of the dtype, else the limit itself.

    >>> zen.f.real_if_close(zen.tensor([1.0 + 1e-15j])).tolist()
    [1.0]
    """
    a, tol = operand("real_if_close", a), constant("real_if_close", "tol", tol)
    if a.dtype not in COMPLEX:
        return FUNCTIONS["positive"](a) if isinstance(a, np.ndarray) else a
    limit = float(np.finfo(real_dtype(a.dtype)).eps) * tol if tol > 1 else tol
    return FUNCTIONS["real"](a) if np.all(np.abs(np.imag(raw(a))) < limit) else a
