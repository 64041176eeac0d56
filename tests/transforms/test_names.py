"""Nothing is found by name: an operation of a user's own may be called what it likes."""

import numpy as np
import pytest
from drawing import ROWS

import zen
from zen import backend

X = np.array([0.5, -1.2, 2.0])


def named(name):
    """x**3 under the name of another operation."""

    def cube(x):
        return x**3

    cube.__name__ = name
    return zen.custom_vjp(cube, lambda g, out, x: 3 * x * x * g)


@pytest.mark.parametrize("name", ROWS)
def test_a_custom_operation_named_like_a_row_keeps_its_own_derivative(name):
    cube = named(name)
    y, tangent = zen.jvp(cube, (X,), (np.ones(3),))
    np.testing.assert_allclose(y, X**3)
    np.testing.assert_allclose(tangent, 3 * X**2)
    np.testing.assert_allclose(zen.grad(lambda x: zen.sum(cube(x)))(X), 3 * X**2)
    np.testing.assert_allclose(zen.grad(lambda x: zen.sum(zen.grad(lambda y: zen.sum(cube(y)))(x)))(X), 6 * X)
    t = zen.tensor(X)
    assert not np.shares_memory(cube(t).array, t.array)


def test_zens_own_rows_are_what_they_were_after_a_row_of_the_same_name_is_made():
    for name in ("getitem", "matmul", "sum", "linear", "add"):
        backend.Row(name, 1, lambda x: x * 0.0, lambda: ((None,), ((0, 0),)), elementwise=name == "add")
    x = zen.tensor(np.ones((2, 2)), requires_grad=True)
    ((x @ x)[0].sum() + zen.f.linear(x, x).sum()).backward()
    np.testing.assert_array_equal(x.gradient, [[7.0, 7.0], [5.0, 5.0]])


# The skipped row of an embedding has a value but no derivative: its tangent is no part of the result's.


@pytest.mark.parametrize("padding", [1, -3])
def test_the_skipped_row_of_an_embedding_has_no_tangent(padding):
    weight, indices = np.arange(8.0).reshape(4, 2), np.array([[1, 2], [1, 0]])
    _, tangent = zen.jvp(lambda w: zen.f.embedding(indices, w, padding), (weight,), (np.ones((4, 2)),))
    np.testing.assert_array_equal(tangent[..., 0], [[0.0, 1.0], [0.0, 1.0]])
    g = zen.grad(lambda w: zen.sum(zen.f.embedding(indices, w, padding)))(weight)
    np.testing.assert_array_equal(g[:, 0], [1.0, 0.0, 1.0, 0.0])


@pytest.mark.parametrize("key", [slice(0, 1), slice(0, 3), [0, 2], (Ellipsis, 0)], ids=str)
def test_forward_mode_of_a_scalar_written_to_a_part(key):
    def f(x):
        h = zen.zeros((4, 1))
        h[key] = x * x
        return h

    _, tangent = zen.jvp(f, (3.0,), (1.0,))
    expected = np.zeros((4, 1))
    expected[key] = 6.0
    np.testing.assert_array_equal(tangent, expected)
