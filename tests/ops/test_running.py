"""Running sums and products: NumPy's values, the Array API standard's arguments, gradients where elements are zero."""

import numpy as np
import pytest

import zen
from zen import f
from zen.testing import check_gradients

HAS = [name for name in ("cumulative_sum", "cumulative_prod") if hasattr(np, name)]
X = np.array([[1.5, 0.0, -2.0, 3.0], [0.5, 2.0, 0.0, 0.0]])
PLAIN = {"cumulative_sum": np.cumsum, "cumulative_prod": np.cumprod}


@pytest.mark.parametrize("axis", [None, 0, 1, -1])
def test_running_product_of_numpy(axis):
    for function in (np.cumprod, f.cumprod):
        np.testing.assert_array_equal(function(zen.tensor(X), axis=axis).numpy(), np.cumprod(X, axis=axis))


@pytest.mark.parametrize("x", [X, X[0], np.array([2.0, -1.0, 0.5]), np.zeros((0, 2)), np.zeros(3)])
def test_gradients_of_the_running_product_are_exact_at_zeros(x):
    check_gradients(lambda t: f.cumprod(t, 0), [x], order=3, rtol=1e-5, atol=1e-5)


def test_gradient_of_a_running_product_by_hand():
    x = zen.tensor([2.0, 0.0, 5.0], requires_grad=True)
    np.cumprod(x).sum().backward()  # a + ab + abc
    assert x.gradient.tolist() == [1 + 0 + 0, 2 + 2 * 5, 0]


def test_running_product_of_a_long_array_has_no_quadratic_memory():
    x = zen.tensor(np.full(20_000, 1.0), requires_grad=True)
    f.cumprod(x).sum().backward()
    np.testing.assert_array_equal(x.gradient, np.arange(20_000, 0, -1.0))


@pytest.mark.parametrize("name", PLAIN)
def test_a_leading_initial_value(name):
    start = {"cumulative_sum": 0.0, "cumulative_prod": 1.0}[name]
    for axis in (0, 1, -1):
        expected = PLAIN[name](X, axis=axis)
        first = np.full_like(np.take(X, [0], axis=axis), start)
        found = getattr(f, name)(zen.tensor(X), axis=axis, include_initial=True)
        np.testing.assert_array_equal(found.numpy(), np.concatenate([first, expected], axis=axis))
        check_gradients(
            lambda t, axis=axis: getattr(f, name)(t, axis=axis, include_initial=True), [X + 4], rtol=1e-6, atol=1e-6
        )
    assert getattr(zen, name)(zen.zeros((0,)), include_initial=True).tolist() == [start]
    assert getattr(f, name)(zen.tensor(2.0), include_initial=True).tolist() == [start, 2.0]


@pytest.mark.parametrize("options", [{}, {"include_initial": True}, {"dtype": np.float32}, {"axis": -1}])
def test_numpy_functions_of_one_dimension(options):
    assert HAS or np.lib.NumpyVersion(np.__version__) < "2.1.0"
    for name in HAS:
        expected = getattr(np, name)(X[0], **options)
        found = getattr(np, name)(zen.tensor(X[0]), **options)
        assert found.dtype == expected.dtype
        np.testing.assert_array_equal(found.numpy(), expected)


@pytest.mark.parametrize("name", PLAIN)
def test_two_dimensions_need_an_axis(name):
    functions = [getattr(f, name)] + [getattr(np, name) for _ in range(name in HAS)]
    for function in functions:
        with pytest.raises(ValueError, match=rf"{name}: shape \(2, 4\) has more than one axis.*axis="):
            function(zen.tensor(X))
        with pytest.raises(np.exceptions.AxisError, match="axis 2"):
            function(zen.tensor(X), axis=2)


def test_accumulate_of_multiply_is_the_running_product():
    x = zen.tensor(X, requires_grad=True)
    y = np.multiply.accumulate(x, axis=1)
    assert y.requires_grad
    np.testing.assert_array_equal(y.detach().numpy(), np.cumprod(X, axis=1))
