"""Products with a Hessian, of functions of parts of an array, of sums and of repeated values.

Each function is a polynomial, so its Hessian is known.
"""

import numpy as np
import pytest

import zen

X, V = np.array([0.5, -1.0, 2.0, 1.5, -0.5]), np.array([1.0, 2.0, -1.0, 0.5, 3.0])


def neighbours(weight):
    """The Hessian of sum(weight * x[1:] * x[:-1]): the weight beside the diagonal."""
    return np.diag(np.full(4, weight), 1) + np.diag(np.full(4, weight), -1)


def picked(*places):
    return np.diag([1.0 if k in places else 0.0 for k in range(5)])


CASES = {
    "neighbours": (lambda x: np.sum(3.0 * x[1:] * x[:-1]), neighbours(3.0)),
    "every other": (lambda x: np.sum(x[::2] ** 3), 6 * np.diag(X) @ picked(0, 2, 4)),
    "backwards": (lambda x: np.sum(x[::-1] * x), 2 * np.fliplr(np.eye(5))),
    "one element": (lambda x: x[2] ** 2 * x[-1], np.array([
        [0, 0, 0, 0, 0], [0, 0, 0, 0, 0], [0, 0, 2 * X[4], 0, 2 * X[2]], [0, 0, 0, 0, 0], [0, 0, 2 * X[2], 0, 0],
    ])),
    "an element twice": (lambda x: np.sum(x[np.array([1, 1, 3])] ** 2), 2 * np.diag([0.0, 2, 0, 1, 0])),
    "nothing": (lambda x: np.sum(x[5:] ** 2), np.zeros((5, 5))),
    "beyond the end": (lambda x: np.sum(x[3:9] ** 2), 2 * picked(3, 4)),
    "a new axis": (lambda x: np.sum((x[:, None] * x) ** 1), 2 * np.ones((5, 5))),
    "square of a sum": (lambda x: np.sum(x) ** 2, 2 * np.ones((5, 5))),
    "sum of rows": (lambda x: np.sum(np.sum(x[None, :] * np.ones((3, 1)), 0) ** 2), 18 * np.eye(5)),
    "a value repeated": (lambda x: np.sum(np.broadcast_to(x[0], (2, 3)) * x[1]), 6.0 * (
        np.outer(np.eye(5)[0], np.eye(5)[1]) + np.outer(np.eye(5)[1], np.eye(5)[0])
    )),
    "mean": (lambda x: np.mean(x**2) * 5, 2 * np.eye(5)),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_product_is_that_of_the_matrix(name):
    f, matrix = CASES[name]
    np.testing.assert_allclose(zen.hvp(f, X, V), matrix @ V, rtol=1e-13)
    np.testing.assert_allclose(zen.grad(lambda x: np.sum(zen.grad(f)(x) * V))(X), matrix @ V, rtol=1e-13)
    np.testing.assert_allclose(zen.hessian(f)(X), matrix, rtol=1e-13)


@pytest.mark.parametrize("name", CASES)
def test_products_of_all_examples(name):
    f, matrix = CASES[name]
    directions = np.stack([V, X, 0 * X])
    np.testing.assert_allclose(zen.vmap(lambda v: zen.hvp(f, X, v))(directions), directions @ matrix, rtol=1e-13)


def test_structure_and_dtype_are_those_of_the_arguments():
    found = zen.hvp(lambda p: (p["a"][1:] ** 3).sum() * p["b"], {"a": X, "b": 2.0}, {"a": V, "b": 1.0})
    expected = np.concatenate([[0], 12 * X[1:] * V[1:] + 3 * X[1:] ** 2])
    np.testing.assert_allclose(found["a"], expected, rtol=1e-13)
    np.testing.assert_allclose(found["b"], np.sum(3 * X[1:] ** 2 * V[1:]), rtol=1e-13)
    single = zen.hvp(lambda x: np.sum(x[1:] ** 2), X.astype(np.float32), V.astype(np.float32))
    assert single.dtype == np.float32 and type(single) is np.ndarray
    assert zen.hvp(lambda t: t**3, 2.0, 1.0) == 12


def test_free_variables_stay_connected():
    w = zen.tensor(2.0, requires_grad=True)
    product = zen.hvp(lambda x: w * np.sum(x[1:] ** 3), X, V)
    product.sum().backward()
    np.testing.assert_allclose(w.grad.item(), 6 * np.sum(X[1:] * V[1:]), rtol=1e-13)


def test_complex_arguments():
    """Of sum(|z|^4) in the direction v: the derivative of 4 |z|^2 z."""
    z, v = X + 1j * V, V - 2j * X
    expected = 8 * np.real(np.conj(z) * v) * z + 4 * np.abs(z) ** 2 * v
    np.testing.assert_allclose(zen.hvp(lambda z: np.sum(abs(z) ** 4), z, v), expected, rtol=1e-13)
