"""Products of the elements: zeros among the factors, and what the gradient takes."""

import numpy as np
import pytest

import zen
from zen import f
from zen.testing import check_gradients


def gradient(function, x):
    t = zen.tensor(np.asarray(x, float), requires_grad=True)
    f.sum(function(t)).backward()
    return t.gradient


@pytest.mark.parametrize(
    ("x", "expected"), [([2.0, 3.0, 4.0], [12, 8, 6]), ([0.0, 3.0, 4.0], [12, 0, 0]), ([0.0, 0.0, 4.0], [0, 0, 0])]
)
def test_prod_with_zeros(x, expected):
    np.testing.assert_allclose(gradient(f.prod, x), expected)
    check_gradients(f.prod, [np.array(x)], order=3, rtol=1e-5, atol=1e-5)


def test_prod_takes_no_quadratic_memory_at_first_order():
    x = np.full(20_000, 1.0)
    np.testing.assert_allclose(gradient(f.prod, x), x)
