"""Both modes compute one derivative: <u, J v> by `jvp` equals <J^T u, v> by `vjp`, for every row, with every setting
that its domain draws. What is declared linear is linear.
"""

import numpy as np
import pytest
from adjoint import check_adjoint, random_like
from drawing import DIFFERENTIABLE, ROWS, STRUCTURAL, cases

from zen import backend
from zen.ops import register


def settings():
    for name in DIFFERENTIABLE:
        for k, case in enumerate(cases(name)):
            if case.floating:
                yield pytest.param(case, id=f"{name}-{k}")


@pytest.mark.parametrize("case", list(settings()))
def test_both_modes_of_a_row_agree(case):
    check_adjoint(lambda *args: case.differentiable(*args), tuple(case.smooth_args()))


# Linearity. A row may be linear in one argument while the others are held, or in all arguments of a variadic one.


def linear_settings():
    for name in STRUCTURAL:
        if ROWS[name].linear:
            for k, case in enumerate(cases(name)):
                yield pytest.param(case, id=f"{name}-{k}")


def combined(case, where, a, b):
    """f(x + a y + b z) is to be f(x) + a f(y) + b f(z): the two sides, for new values at the positions `where`."""
    rng = np.random.default_rng(5)
    x = [np.asarray(arg, np.float64) for arg in case.args] if len(where) > 1 else list(case.args)
    x, y, z = ([random_like(rng, v) if k in where else v for k, v in enumerate(x)] for _ in range(3))
    mixed = [s + a * t + b * u if k in where else s for k, (s, t, u) in enumerate(zip(x, y, z, strict=True))]
    return case(*mixed).array, case(*x).array + a * case(*y).array + b * case(*z).array


@pytest.mark.parametrize("case", list(linear_settings()))
def test_what_is_declared_linear_is_linear(case):
    row = ROWS[case.name]
    if case.name == "astype" and np.dtype(case.params[0]).kind != "f":
        return  # has no tangent
    if row.variadic or row.together:
        places = [[k for k, a in enumerate(case.args) if a.dtype.kind == "f"]]
    else:
        places = [[k] for k, arg in enumerate(row.args) if arg in row.linear]
    for where in places:
        found, expected = combined(case, where, 2.0, -0.5)
        tolerance = 1e-3 if found.dtype.itemsize < 8 else 1e-10
        np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance)


def test_linearity_belongs_to_the_row_not_to_its_name():
    for name, declaration in ROWS.items():
        row = register.ROWS[name]
        assert tuple(declaration.args[k] for k in row.linear) == tuple(
            a for a in declaration.args if a in declaration.linear
        )
        assert backend.Row(name, 1, np.positive, lambda: ((None,), ((0, 0),))).linear == ()
