"""Derivatives at a point, mixed ones by the names of the arguments, in every mode; and what they are compared with."""

import math

import numpy as np

import zen

NO = "not finite"


def reverse(function, k):
    return lambda *args: zen.grad(function, k)(*args)


def forward(function, k):
    def along(*args):
        tangents = tuple(np.full(np.shape(a), j == k, float) for j, a in enumerate(args))
        return zen.jvp(function, args, tangents)[1]

    return along


MODES = {
    "reverse": (reverse, reverse, reverse),
    "forward": (forward, forward, forward),
    "forward over reverse": (reverse, forward, forward),
}


def derivative(function, which, args, mode):
    if len(set(which)) == 1:  # the other arguments are constants, which have no tangents
        k = "abc".index(which[0])
        before, after = args[:k], args[k + 1 :]
        function, args, which = _in_one(function, before, after), args[k : k + 1], "a" * len(which)
    for k, step in zip(which, MODES[mode], strict=False):
        function = step(function, "abc".index(k))
    with np.errstate(all="ignore"):
        found = function(*args)
    return float(found.array if isinstance(found, zen.Tensor) else found)


def _in_one(function, before, after):
    return lambda x: function(*before, x, *after)


def agrees(found, expected):
    if expected == NO:
        return not math.isfinite(found)
    return found == expected or math.isclose(found, expected, rel_tol=1e-12, abs_tol=1e-14)
