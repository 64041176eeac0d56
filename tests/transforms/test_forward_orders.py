"""Forward mode within and around reverse mode: both orders of the two give one second derivative, for every row."""

import numpy as np
import pytest
from adjoint import random_like
from drawing import DIFFERENTIABLE, ROWS, cases

import zen


def settings():
    for name in DIFFERENTIABLE:
        for k, case in enumerate(cases(name)):
            if case.floating and case.args[case.floating[0]].size:
                yield pytest.param(case, id=f"{name}-{k}")


def drawn(f, primals):
    rng = np.random.default_rng(3)
    y = f(*primals)
    return tuple(random_like(rng, x) for x in primals), random_like(rng, y.array), y.dtype.kind == "f"


def forward_inside(f, primals, t, c):
    """The gradient of <c, J t>."""
    return zen.grad(lambda *x: zen.sum(zen.jvp(f, x, t)[1] * c), range(len(primals)))(*primals)


def forward_outside(f, primals, t, c):
    """The derivative of J^T c in the direction t."""
    return zen.jvp(lambda *x: zen.vjp(f, *x)[1](c), primals, t)[1]


@pytest.mark.parametrize("case", list(settings()))
def test_both_orders_of_the_modes_agree(case):
    f, primals = case.differentiable, tuple(np.asarray(x, np.float64) for x in case.smooth_args())
    t, c, differentiable = drawn(f, primals)
    if not differentiable or case.name == "astype" or "curved" in case.name:
        return
    inside, outside = forward_inside(f, primals, t, c), forward_outside(f, primals, t, c)
    for a, b in zip(inside, outside, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-8, atol=1e-8 * (1 + np.abs(b).max(initial=0)))


THIRD = [name for name in DIFFERENTIABLE if not ROWS[name].elementwise and (ROWS[name].jvp or ROWS[name].grouped)]


@pytest.mark.parametrize("name", THIRD)
def test_the_third_derivative_along_one_direction(name):
    """Three times forward, against the slope of the second derivative in differences."""
    case = next(case for case in cases(name) if case.floating and case.args[case.floating[0]].size)
    f, primals = case.differentiable, tuple(np.asarray(x, np.float64) for x in case.smooth_args())
    t, c, _ = drawn(f, primals)

    def moved(s):
        return f(*[x + s * d for x, d in zip(primals, t, strict=True)])

    def slope(f):
        return lambda s: zen.jvp(f, (s,), (1.0,))[1]

    second = slope(slope(moved))
    step = 1e-4
    expected = (np.asarray(second(step)) - np.asarray(second(-step))) / (2 * step)
    found = np.asarray(slope(second)(0.0))
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4 * (1 + np.abs(expected).max(initial=0)))
