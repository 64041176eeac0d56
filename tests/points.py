"""Derivatives at a point, mixed ones by the names of the arguments, in every mode; and what they are compared with."""

import cmath
import math

import numpy as np

import zen
from zen import backend
from zen.ops import register

NO = "not finite"
LETTERS = "abcd"


class Reverse(float):
    """A derivative that reverse mode gives, and for which forward mode may give nan."""


def row(name):
    """A row by itself, for those that no function shows as they are."""
    return lambda *args: backend.apply(register.ROWS[name], args, ())


def applied(name, params, *args):
    """A row by itself, with parameters; lists stand for arrays."""
    given = [np.array(a) if isinstance(a, list) else a for a in args]
    return backend.apply(register.ROWS[name], tuple(given), params)


def same(value):
    """One value for the function and all of its derivatives."""
    return dict.fromkeys(("", "a", "aa", "aaa"), value)


def reverse(function, k):
    return lambda *args: zen.grad(function, k)(*args)


def forward(function, k):
    def along(*args):
        tangents = tuple(np.full(np.shape(a), j == k, getattr(a, "dtype", float)) for j, a in enumerate(args))
        return zen.jvp(function, args, tangents)[1]

    return along


MODES = {
    "reverse": (reverse, reverse, reverse),
    "forward": (forward, forward, forward),
    "forward over reverse": (reverse, forward, forward),
}


def derivative(function, which, args, mode):
    if len(set(which)) == 1:  # the other arguments are constants, which have no tangents
        k = LETTERS.index(which[0])
        before, after = args[:k], args[k + 1 :]
        function, args, which = _in_one(function, before, after), args[k : k + 1], "a" * len(which)
    for k, step in zip(which, MODES[mode], strict=False):
        function = step(function, LETTERS.index(k))
    with np.errstate(all="ignore"):
        found = function(*args)
    return float(found.array if isinstance(found, zen.Tensor) else found)


def _in_one(function, before, after):
    return lambda x: function(*before, x, *after)


def agrees(found, expected, rtol=1e-12):
    if expected == NO:
        return not math.isfinite(found)
    if math.isnan(expected):
        return math.isnan(found)
    return found == expected or math.isclose(found, expected, rel_tol=rtol, abs_tol=1e-14)


def holomorphic(function, z, order, mode):
    """The complex derivative at z, by nested reverse or by nested forward mode."""
    for _ in range(order):
        function = zen.grad(function, holomorphic=True) if mode == "reverse" else forward(function, 0)
    with np.errstate(all="ignore"):
        found = function(zen.tensor(z) if mode == "reverse" else np.asarray(z))
    return complex(found.array if isinstance(found, zen.Tensor) else found)


def agrees_complex(found, expected, rtol=1e-12):
    if expected == NO:
        return not cmath.isfinite(found)
    return cmath.isclose(found, expected, rel_tol=rtol, abs_tol=1e-14)
