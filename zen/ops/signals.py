"""Convolution and correlation of sequences, and a window with a parameter, under NumPy's names.

Two rows are each other's derivatives: the whole convolution, and the correlation where the sequences overlap in full.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..backend import Shaped, apply
from ..dtypes import COMPLEX
from .data import asarray
from .operands import operand, whole
from .register import FUNCTIONS, define, public
from .result_shapes import promoted
from .row import row

_conj, _divide, _flip, _multiply = [FUNCTIONS[name] for name in "conj divide flip multiply".split()]


def _correlated(x: Any, v: Any) -> Any:
    """sum over j of x[i + j] v[j], nothing conjugated."""
    return np.correlate(x, np.conj(v) if v.dtype in COMPLEX else v, "valid")


def _pairs(rng: np.random.Generator) -> list[Any]:
    return [
        ((rng.normal(size=5), rng.normal(size=3)), ()), ((rng.normal(size=8)[::2], rng.normal(size=4)), ()),
        ((rng.normal(size=3), rng.normal(size=1)), ()),
    ]  # fmt: skip


CONVOLVE = define(row(
    "convolve", "a v", lambda a, v: np.convolve(a, v), ["correlate_valid(g, v)", "correlate_valid(g, a)"],
    linear="a v", complex=True, shape=lambda a, v: Shaped((a.shape[0] + v.shape[0] - 1,), promoted(a, v)),
    domain=_pairs, doc="The convolution of two sequences, wherever they overlap.",
))  # fmt: skip
CORRELATE = define(row(
    "correlate_valid", "x v", _correlated, ["convolve(g, v)", "correlate_valid(x, g)"], linear="x v", complex=True,
    shape=lambda x, v: Shaped((x.shape[0] - v.shape[0] + 1,), promoted(x, v)), domain=_pairs,
    doc="The correlation of a sequence with a shorter one, where they overlap in full.",
))  # fmt: skip


def _sequences(name: str, a: Any, v: Any, mode: str) -> tuple[Any, Any]:
    a, v = (asarray(operand(name, x)) for x in (a, v))
    if mode not in ("full", "same", "valid"):
        raise ValueError(f"{name}: mode must be 'full', 'same' or 'valid', not {mode!r}")
    pair = [x if x.ndim or name == "correlate" else x.reshape((1,)) for x in (a, v)]
    for x in pair:
        if x.ndim != 1 or not x.size:
            raise ValueError(f"{name}: sequences are one-dimensional and not empty, unlike shape {x.shape}")
    return pair[0], pair[1]


def _convolved(a: Any, v: Any, mode: str) -> Any:
    """Of sequences of which a is not the shorter one."""
    if mode == "valid":
        return apply(CORRELATE, (a, _flip(v)))
    whole_of_it = apply(CONVOLVE, (a, v))
    if mode == "full":
        return whole_of_it
    start = (len(v) - 1) // 2
    return whole_of_it[start : start + len(a)]


@public("convolve", method=None)
def convolve(a: Any, v: Any, mode: str = "full") -> Any:
    """The convolution of two sequences: sum over m of a[m] v[n - m].

    a, v: one-dimensional Tensors or arrays, not empty. mode: "full" for all places where they overlap, "same" for as
    many as the longer one has, "valid" for those where they overlap in full. Raises ValueError for other arguments.

    >>> zen.f.convolve(zen.tensor([1.0, 2.0, 3.0]), [0.0, 1.0, 0.5]).tolist()
    [0.0, 1.0, 2.5, 4.0, 1.5]
    """
    a, v = _sequences("convolve", a, v, mode)
    return _convolved(a, v, mode) if len(a) >= len(v) else _convolved(v, a, mode)


@public("correlate", method=None)
def correlate(a: Any, v: Any, mode: str = "valid") -> Any:
    """The correlation of two sequences: sum over n of a[n + k] conj(v[n]).

    Arguments and errors as in `convolve`.

    >>> zen.f.correlate(zen.tensor([1.0, 2.0, 3.0]), [0.0, 1.0, 0.5]).tolist()
    [3.5]
    """
    a, v = _sequences("correlate", a, v, mode)
    v = _conj(v) if v.dtype in COMPLEX else v
    if len(a) >= len(v):
        return _convolved(a, _flip(v), mode)
    return _flip(_convolved(v, _flip(a), mode))


@public("", method=None)
def kaiser(M: int, beta: Any) -> Any:
    """The Kaiser window of M points: i0(beta * sqrt(1 - t ** 2)) / i0(beta) for t from -1 to 1.

    beta: a number, with a derivative. NumPy's window functions without a parameter work beside Tensors as they are.

    >>> zen.f.kaiser(3, zen.tensor(0.0)).tolist()
    [1.0, 1.0, 1.0]
    """
    number, beta = whole("kaiser", "M", M), asarray(operand("kaiser", beta))
    if number <= 1:
        return asarray(np.ones(max(number, 0)))
    half = (number - 1) / 2.0
    shape = np.sqrt(1 - ((np.arange(number) - half) / half) ** 2.0)
    i0 = FUNCTIONS["i0"]
    return _divide(i0(_multiply(beta, shape)), i0(beta))
