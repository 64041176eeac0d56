"""Derivatives at special points: ties, zeros, kinks, poles, ends and infinities, to the third order and mixed.

The values of the tables come from mathematics; each says its formula where that is not plain. A table is a list of
(name, function, point, {arguments differentiated by: value}): "ab" is d2/da db, "" the value itself. `NO` stands for a
derivative that does not exist, or of which the formula makes 0 times infinity: zen must say so, by inf or nan. Each is
taken by nested reverse mode, by nested forward mode, and forward over reverse, in every order of the arguments.
"""

import itertools
import math
from math import inf

import numpy as np
import pytest
from points import MODES, NO, Reverse, agrees, agrees_complex, derivative, holomorphic
from special_points import (
    choices,
    complex_plane,
    curves,
    distributions,
    elementwise,
    layers,
    losses,
    matrices,
    real,
    special,
    special_more,
    sums,
)

import zen
from zen import backend

TABLES = {
    module.__name__.rpartition(".")[2]: module.POINTS
    for module in (
        elementwise, real, special, special_more, choices, sums, curves, matrices, layers, losses, distributions,
        complex_plane,
    )
}  # fmt: skip
EXACT = ("elementwise", "real", "choices")
CASES = [
    pytest.param(*point, 1e-12 if table in EXACT else 1e-10, id=f"{table}-{point[0]}")
    for table, points in TABLES.items()
    for point in points
]
ARGUMENTS = ("name", "function", "args", "expected", "rtol")


def may_be_nan(mode, which, args, expected):
    """In forward mode an argument that does not move counts nan where its slope is infinite."""
    if mode == "reverse":
        return False
    infinite = inf in expected.values() or -inf in expected.values() or not np.isfinite(args).all()
    return isinstance(expected[which], Reverse) or len(set(which)) > 1 or (len(args) > 1 and infinite)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(ARGUMENTS, CASES)
def test_derivatives_are_those_of_mathematics_or_not_finite(name, function, args, expected, rtol, mode):
    for which, value in expected.items():
        for order in sorted(set(itertools.permutations(which))):
            found = derivative(function, order, args, mode)
            assert agrees(found, value, rtol) or (math.isnan(found) and may_be_nan(mode, which, args, expected)), (
                f"{name}: {''.join(order)} is {found}, right is {value}"
            )


def test_names_are_unique_and_points_fit():
    for points in TABLES.values():
        names = [point[0] for point in points]
        assert len(set(names)) == len(names), [n for n in names if names.count(n) > 1]
        for name, _, args, expected in points:
            assert "".join(expected).strip("abcd"[: len(args)]) == "", name


ROUNDED = {
    "remainder, a rounded quotient": "0.1 is another number in float32",
    "remainder of negative numbers": "0.1 is another number in float32",
    "fmod, a rounded quotient": "0.1 is another number in float32",
    **dict.fromkeys(("spacing at 1", "nextafter"), "its value is that of the dtype"),
    "scaled_dot_product_attention of equals": "wants one dtype, and the table has constants of float64",
}


def fits(args):
    return all(a == 0 or not math.isfinite(a) or 1e-30 < abs(a) < 1e30 for a in args)


@pytest.mark.parametrize(ARGUMENTS, [c for c in CASES if c.values[0] not in ROUNDED and fits(c.values[2])])
def test_values_and_slopes_in_float32(name, function, args, expected, rtol):
    for which in ("", *"abcd"[: len(args)]):
        if which not in expected:
            continue
        leaves = [zen.tensor(np.float32(a), requires_grad=k == which) for k, a in zip("abcd", args, strict=False)]
        with np.errstate(all="ignore"):
            found = function(*leaves)
            if which and found.requires_grad:  # not where nothing of that argument is in the result
                found = zen.gradients(found, leaves["abcd".index(which)])
                assert found.dtype == np.float32
            elif which:
                found = zen.zeros(())
        value = expected[which]
        near = value != NO and abs(found.item() - value) < 1e-6
        assert agrees(found.item(), value, 1e-5) or near, f"{name}: {which} is {found}, right is {value}"


NO_ARRAYS = ("prelu", "glu")  # they name axes
ON_ARRAYS = [
    pytest.param(*point[:3], which, expected, id=f"{point[0]}-{which}")
    for point in (*elementwise.POINTS, *real.POINTS)
    for which, expected in point[3].items()
    if len(which) <= 1 and not point[0].startswith(NO_ARRAYS)
]


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize(("name", "function", "args", "which", "expected"), ON_ARRAYS)
def test_kernels_on_arrays_give_the_same(name, function, args, which, expected, dtype):
    """Alike on contiguous, strided and broadcast arrays, each with a path of its own."""
    if dtype == np.float32 and (name in ROUNDED or not fits(args)):
        return
    for shape, step in (((40,), 1), ((40,), 2), ((3, 40), 1)):
        arrays = [np.full(shape if k == 0 else shape[-1:], a, dtype)[..., ::step] for k, a in enumerate(args)]
        leaves = [backend.leaf(a, which == "abc"[k]) for k, a in enumerate(arrays)]
        with np.errstate(all="ignore"):
            y = function(*leaves)
            found = y.array
            if which:
                leaf = leaves["abc".index(which)]
                (found,) = zen.gradients([y], [leaf], grad_outputs=[np.ones(y.shape, y.dtype)])
                found = found.array / (y.size // leaf.size)
        if expected == NO:
            assert not np.isfinite(found).any()
        else:
            limits = {"rtol": 1e-6 if dtype == np.float32 else 1e-12, "atol": 1e-7 if dtype == np.float32 else 1e-14}
            np.testing.assert_allclose(found, np.full(found.shape, expected), **limits)


@pytest.mark.parametrize("mode", ["reverse", "forward"])
@pytest.mark.parametrize(("name", "function", "z", "expected"), complex_plane.HOLOMORPHIC)
def test_complex_derivatives_are_those_of_mathematics_or_not_finite(name, function, z, expected, mode):
    for order, value in enumerate(expected):
        found = holomorphic(function, z, order, mode)
        assert agrees_complex(found, value, 1e-10), f"{name}: order {order} is {found}, right is {value}"
