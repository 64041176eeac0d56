"""The families of NumPy's wider list, which `wide_forms.py` spells out: how their arguments are prepared, and the draw.

A form is Python text over its arguments. The shape of its result is read off a trial with drawn numbers, so that it is
the same whatever engine runs. PyTorch is asked where a form names an operation that it has.
"""

from __future__ import annotations

import math
import warnings
from math import prod
from typing import Any

import numpy as np

from .build import Builder
from .program import Ref

MOST = 60  # elements


def wide(b: Builder) -> None:
    from .wide_forms import FAMILIES

    x = b.pick(lambda v: 0 < prod(v.shape) <= MOST)
    if 0 < prod(b.values[x].shape) <= MOST:
        b.rng.choice(FAMILIES)(b, x, b.values[x].shape)


class Argument(tuple[Ref, np.ndarray]):
    """A value of the program, and numbers of its kind to try a form with."""

    @property
    def shape(self) -> tuple[int, ...]:
        return self[1].shape


def numbers(shape: tuple[int, ...], low: float = 0.2, high: float = 0.8) -> np.ndarray:
    return np.random.default_rng(prod(shape)).uniform(low, high, shape)


def plain(b: Builder, x: Ref, shape: tuple[int, ...]) -> Argument:
    return Argument((x, numbers(shape)))


def distinct(b: Builder, x: Ref, shape: tuple[int, ...], low: float = 0.0) -> Argument:
    """No two elements are equal."""
    moved = b.emit("add", x, b.spread(shape, low), shape=shape, bound=low + 4, template="{0} + {1}")
    return Argument((moved, numbers(shape) + low))


def within(b: Builder, x: Ref, shape: tuple[int, ...]) -> Argument:
    """Between 0 and 1."""
    return _scaled(b, b.emit("sigmoid", x, shape=shape, bound=1), shape, 0.9, 0.05)


def small(b: Builder, x: Ref, shape: tuple[int, ...]) -> Argument:
    """Between -0.8 and 0.8."""
    return _scaled(b, b.emit("tanh", x, shape=shape, bound=1), shape, 0.8, 0.0)


def positive(b: Builder, x: Ref, shape: tuple[int, ...]) -> Argument:
    return _scaled(b, b.emit("softplus", x, shape=shape, bound=4), shape, 1.0, 0.3)


def _scaled(b: Builder, x: Ref, shape: tuple[int, ...], times: float, plus: float) -> Argument:
    x = b.emit("multiply", x, times, shape=shape, bound=3, template="{0} * {1}")
    x = b.emit("add", x, plus, shape=shape, bound=3, template="{0} + {1}")
    return Argument((x, numbers(shape)))


def sample(b: Builder, shape: tuple[int, ...]) -> Argument:
    """Another value, in this shape: a Tensor, since a form may read it alone."""
    x = b.fit(shape)
    return plain(b, x if x in b.values else b.leaf(shape, always=True), shape)


def matrix(b: Builder, n: int, k: int | None = None) -> Argument:
    """Well conditioned, without equal eigenvalues or singular values."""
    k = n if k is None else k
    a = b.emit("tanh", b.fit((n, k)), shape=(n, k), bound=1)
    a = b.emit("multiply", a, 0.2, shape=(n, k), bound=1, template="{0} * {1}")
    main = b.source("array", (n, k), kind="diagonal", low=1.0, high=2.0, layout="C")
    a = b.emit("add", a, main, shape=(n, k), bound=4, template="{0} + {1}")
    return Argument((a, np.eye(n, k) * np.arange(1.0, k + 1) + 0.1 * numbers((n, k))))


def definite(b: Builder, n: int) -> Argument:
    m = matrix(b, n)
    a = b.emit("matmul", m[0], b.emit("permute_dims", m[0], (1, 0), shape=(n, n), bound=4, view=True), shape=(n, n),
               bound=4, template="{0} @ {1}")  # fmt: skip
    return Argument((a, m[1] @ m[1].T))


def form(b: Builder, text: str, *args: Any, op: str = "", **options: Any) -> Ref:
    """A step of this text. op: its name in PyTorch's table, if it has one."""
    from .interpret import NAMES

    trial = {f"t{k}": a[1] if isinstance(a, Argument) else a for k, a in enumerate(args)}
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        found: Any = eval(text.format(*trial), NAMES | trial)
    found = np.asarray(found.array if hasattr(found, "array") else found)
    size = float(np.max(np.abs(found), initial=0.25))
    bound = 2.0 ** math.ceil(math.log2(3 * size)) if math.isfinite(size) else 64.0
    b.portable = b.portable and bool(op)
    given = [a[0] if isinstance(a, Argument) else a for a in args]
    return b.emit(op or text, *given, shape=found.shape, bound=bound, template=text, **options)
