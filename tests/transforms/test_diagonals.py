"""Jacobians by diagonals and scaled matrices: what numerical differentiation gives, in chunks, at every order."""

import numpy as np
import pytest

import zen
from zen.transforms import few

RNG = np.random.default_rng(0)
X, A, B, V = RNG.uniform(0.5, 1.5, 6), RNG.normal(size=(5, 6)), RNG.normal(size=(6, 6)), RNG.normal(size=6)
TABLE = RNG.integers(0, 6, 9)


@pytest.fixture(autouse=True)
def all_at_once(monkeypatch):
    """These Jacobians are small, and would be taken one row or column at a time."""
    monkeypatch.setattr(few, "FEW", 0)


FUNCTIONS = {
    "elementwise": lambda x: np.sin(x) * x + np.exp(x),
    "a product": lambda x: A @ x,
    "a product from the left": lambda x: x @ B,
    "elementwise and product": lambda x: np.sin(x) * (B @ x) + np.exp(x),
    "products in a chain": lambda x: np.tanh(A @ np.tanh(B @ np.tanh(x))) * 2,
    "layers": lambda x: zen.f.linear(np.tanh(zen.f.linear(x, B, V)), A),
    "neighbours": lambda x: (x[1:] - x[:-1] ** 2) * x[::-1][1:],
    "many diagonals": lambda x: sum([np.roll(x, k) ** k for k in range(1, 6)]) * np.roll(x, -1) + x[::-1] + x**3,
    "a table": lambda x: x[TABLE] * x[TABLE[::-1]],
    "reshaped": lambda x: np.exp(x.reshape(2, 3).T) * x.reshape(3, 2),
    "broadcast": lambda x: x[:, None] * x + np.exp(x),
    "a number among them": lambda x: x * x[0] + x.sum() * x,
    "written into": lambda x: zen.f.concat([x * x, x[2:4]]) * 2,
    "stacked": lambda x: zen.stack([x * x, np.sin(x)]) * x,
    "means": lambda x: x - x.mean() + (x * x).reshape(2, 3).sum(0)[0],
    "single precision within": lambda x: x.astype(np.float32).astype(np.float64) * x,
    "one row": lambda x: (x[None] @ B) * x,
    "one column": lambda x: (A @ x[:, None]) * 3,
    "normalised": lambda x: np.exp(x) / np.exp(x).sum(),
    "a constant": lambda x: x * 0 + 2.0,
    "flipped": lambda x: np.flip(x) * np.diag(np.outer(x, x)),
}


def numerical(f, x, h=1e-6):
    steps = np.eye(x.size).reshape(x.size, *x.shape) * h
    found = [(np.asarray(f(zen.tensor(x + s))) - np.asarray(f(zen.tensor(x - s)))) / (2 * h) for s in steps]
    return np.stack(found, -1).reshape(*found[0].shape, *x.shape)


@pytest.mark.parametrize("chunk_size", [None, 1, 4])
@pytest.mark.parametrize("name", list(FUNCTIONS))
def test_rows_and_columns(name, chunk_size):
    f = FUNCTIONS[name]
    expected = numerical(f, X)
    tolerance = 1 if "precision" in name else 1e-7
    for transform in (zen.jacrev, zen.jacfwd, zen.jacobian):
        found = transform(f, chunk_size=chunk_size)(X)
        assert type(found) is np.ndarray and found.dtype == X.dtype and found.flags.writeable
        np.testing.assert_allclose(found, expected, rtol=1e-6, atol=tolerance)


@pytest.mark.parametrize("name", [name for name in FUNCTIONS if "precision" not in name])
def test_second_derivatives(name):
    def f(x):
        return (FUNCTIONS[name](x) ** 2).sum()

    expected = numerical(zen.grad(f), X)
    np.testing.assert_allclose(zen.hessian(f)(X), expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(zen.jacrev(zen.grad(f), chunk_size=4)(X), expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(np.diag(expected), zen.hessian_diag(f)(X), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("transform", [zen.jacrev, zen.jacfwd])
@pytest.mark.parametrize("name", list(FUNCTIONS))
def test_a_jacobian_with_a_graph(name, transform):
    f, weights = FUNCTIONS[name], RNG.normal(size=np.asarray(transform(FUNCTIONS[name])(X)).shape)
    x = zen.tensor(X, requires_grad=True)
    made = transform(f)(x)
    np.testing.assert_allclose(made.detach().numpy(), transform(f)(X), rtol=1e-12, atol=1e-12)
    if made.requires_grad:
        found = zen.gradients((made * weights).sum(), x, allow_unused=True)
        found = np.zeros(6) if found is None else found.numpy()
        if "precision" not in name:
            expected = numerical(lambda x: (transform(f)(x) * weights).sum(), X)
            np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def test_zeros_beside_an_infinite_slope_stay_zeros():
    with np.errstate(all="ignore"):
        for transform in (zen.jacrev, zen.jacfwd):
            found = transform(np.sqrt)(np.array([0.0, 4.0]))
            np.testing.assert_array_equal(found, [[np.inf, 0], [0, 0.25]])
            found = transform(lambda x: np.sqrt(x[1:]))(np.array([1.0, 0.0, 4.0]))
            np.testing.assert_array_equal(found, [[0, np.inf, 0], [0, 0, 0.25]])


def test_nan_and_infinity_of_a_matrix_are_kept():
    m = np.array([[1.0, np.inf], [np.nan, 2.0]])
    for transform in (zen.jacrev, zen.jacfwd):
        with np.errstate(all="ignore"):
            np.testing.assert_array_equal(transform(lambda x: m @ x)(np.ones(2)), m)
            np.testing.assert_array_equal(transform(lambda x: 0 * (m @ x))(np.ones(2)), 0 * m)


def test_a_jacobian_shares_no_memory_with_what_the_function_used():
    m = np.arange(6.0).reshape(2, 3)
    for transform in (zen.jacrev, zen.jacfwd):
        found = transform(lambda x: m @ x)(np.ones(3))
        assert not np.shares_memory(found, m)
        found[:] = 9
        np.testing.assert_array_equal(transform(lambda x: m @ x)(np.ones(3)), np.arange(6.0).reshape(2, 3))
        one, two = transform(lambda x: (m @ x, m @ x), chunk_size=1)(np.ones(3))
        assert not np.shares_memory(one, two) and not np.shares_memory(one, m)


def test_jacobians_by_tensors_share_no_memory_with_each_other():
    functions = (lambda x: [x.sum()] * 2, lambda x: (x, x), lambda x: [zen.broadcast_to(x.sum(), (2, 2))] * 2)
    for transform in (zen.jacrev, zen.jacfwd):
        for f in functions:
            one, two = transform(f)(zen.tensor(np.ones(3)))
            before = np.array(two.numpy())
            one[...] = 9.0
            np.testing.assert_array_equal(one.numpy(), np.full(one.shape, 9.0))
            np.testing.assert_array_equal(two.numpy(), before)


def test_several_arguments_and_results_in_single_precision():
    x, w = X.astype("f"), A.astype("f")
    for transform in (zen.jacrev, zen.jacfwd):
        found = transform(lambda x, w: {"y": np.tanh(w @ x), "z": x * 2}, (0, 1))(x, w)
        slope = 1 - np.tanh(w @ x) ** 2
        np.testing.assert_allclose(found["y"][0], slope[:, None] * w, rtol=1e-5)
        expected = slope[:, None, None] * np.eye(5, dtype="f")[:, :, None] * x
        np.testing.assert_allclose(found["y"][1], expected, rtol=1e-5, atol=1e-7)
        np.testing.assert_array_equal(found["z"][0], 2 * np.eye(6, dtype="f"))
        np.testing.assert_array_equal(found["z"][1], np.zeros((6, 5, 6)))
        assert {a.dtype for a in (*found["y"], *found["z"])} == {np.dtype("f")}


def test_of_nothing():
    for transform in (zen.jacrev, zen.jacfwd, zen.jacobian):
        assert transform(np.sin)(np.zeros(0)).shape == (0, 0)
        assert transform(lambda x: x[:0] * 2)(X).shape == (0, 6)
        assert transform(lambda x: x[:, None] * np.zeros((6, 0)))(X).shape == (6, 0, 6)
        assert float(transform(np.sin)(0.0)) == 1.0
