"""On the axes, where branch cuts lie, complex rows have the derivatives of the side that signed zeros name."""

import itertools

import numpy as np
import pytest
from drawing import ELEMENTWISE, ROWS, has_derivative
from points import forward
from points import row as called

import zen

KINKED = {
    "ive",  # exp(-abs(real(z))) has a kink on the imaginary axis
    "expi",  # on its cut SciPy has the mean of both sides
}
COMPLEX = [name for name in ELEMENTWISE if ROWS[name].complex and any(ROWS[name].vjp) and name not in KINKED]
AXES = [
    complex(*parts)
    for r, zero in itertools.product((-3.0, -1.5, -0.5, 0.5, 1.5, 3.0), (0.0, -0.0))
    for parts in ((r, zero), (zero, r))
]
OTHER = 0.7 + 0.4j
ORDERED = {
    "polygamma": (1.0,), "jv": (0.5,), "yv": (0.5,), "iv": (0.5,), "kv": (0.5,), "kve": (0.5,),
    "eval_legendre": (3.0,), "eval_chebyt": (3.0,), "eval_chebyu": (3.0,), "eval_laguerre": (3.0,),
    "eval_genlaguerre": (3.0, 0.5), "eval_gegenbauer": (3.0, 0.5), "eval_jacobi": (3.0, 0.5, 1.5),
}  # fmt: skip
"""Rows whose first arguments are real orders. SciPy's values on the cut do not look at the sign of a zero."""


def beside(z):
    """Off the axis, on the side that the zero names."""
    return complex(*[part or np.copysign(1e-9, part) for part in (z.real, z.imag)])


@pytest.mark.parametrize("name", COMPLEX)
def test_derivatives_are_those_of_the_side_that_a_zero_names(name):
    row = ROWS[name]
    for k in range(len(row.args)):
        if not has_derivative(row, k):
            continue
        before, after = (OTHER,) * k, (OTHER,) * (len(row.args) - 1 - k)
        if name in ORDERED:
            before = ORDERED[name]

        def function(x, before=before, after=after):
            return called(name)(*before, x, *after)

        axes = [z for z in AXES if not np.signbit(z.imag) or z.imag] if name in ORDERED else AXES
        for order in range(4):
            with np.errstate(all="ignore"):
                found, expected = (_values(function, [of(z) for z in axes]) for of in (complex, beside))
            near = np.abs(found - expected) < (1e-4 if name in ORDERED else 1e-5) * (1 + np.abs(expected))
            wrong = np.isfinite(found) & ~near
            assert not wrong.any(), f"order {order} in {row.args[k]} at {np.array(axes)[wrong]}: {found[wrong]}"
            function = forward(function, 0)


def _values(function, points):
    found = function(np.array(points))
    return np.broadcast_to(found.array if isinstance(found, zen.Tensor) else found, len(points))
