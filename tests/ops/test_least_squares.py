"""Pseudo-inverses, least squares, ranks, conditions and matrix norms against NumPy, and at special matrices."""

import numpy as np
import pytest
from numerical import numerical

import zen
from zen import f
from zen.testing import check_gradients

ORDERS = [None, 2, -2, 1, -1, np.inf, -np.inf, "fro", "nuc"]


def drawn(*shape, complex_=False, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=shape) + (1j * rng.normal(size=shape) if complex_ else 0)


def leaf(x):
    return zen.tensor(x, requires_grad=True)


@pytest.mark.parametrize("complex_", [False, True])
@pytest.mark.parametrize("shape", [(3, 3), (4, 2), (2, 4), (2, 3, 2), (0, 3), (3, 0), (0, 2, 3)], ids=str)
def test_pinv(shape, complex_):
    x = drawn(*shape, complex_=complex_)
    for options in ({}, {"rcond": 1e-3}, {"rtol": None}, {"rtol": 0.1}):
        expected = np.linalg.pinv(x, **options)
        for found in (zen.linalg.pinv(x, **options), np.linalg.pinv(leaf(x), **options)):
            assert found.dtype == expected.dtype
            np.testing.assert_allclose(found.array, expected, atol=1e-12)
    if x.size:
        w = drawn(*expected.shape, complex_=complex_, seed=1)
        by = lambda xp: lambda x: xp.sum(xp.real(xp.linalg.pinv(x) * w))  # noqa: E731
        np.testing.assert_allclose(zen.grad(by(np))(x), numerical(by(np), x), atol=1e-6)


def test_pinv_of_a_hermitian_matrix():
    x = drawn(3, 3)
    x = x + x.T
    np.testing.assert_allclose(zen.linalg.pinv(x, hermitian=True).array, np.linalg.inv(x))
    found = zen.grad(lambda x: f.sum(zen.linalg.pinv(x, hermitian=True) ** 2))(x)
    np.testing.assert_allclose(found, zen.grad(lambda x: f.sum(zen.linalg.inv(x) ** 2))(x), atol=1e-8)


def test_pinv_of_a_matrix_without_full_rank_has_the_gradient_of_constant_rank():
    """Along changes that keep the rank: x = u v^T with u and v varied."""
    u, v, w = drawn(4, 2), drawn(2, 3, seed=1), drawn(3, 4, seed=2)
    by = lambda xp, pinv: lambda u: xp.sum(pinv(u @ v, rcond=1e-10) * w)  # noqa: E731
    np.testing.assert_allclose(
        zen.grad(by(f, zen.linalg.pinv))(u), numerical(by(np, np.linalg.pinv), u), rtol=1e-6, atol=1e-7
    )


def test_pinv_of_a_stack_with_and_without_full_rank():
    """Each matrix has the gradient that it has alone, in both modes."""
    low = drawn(3, 2) @ drawn(2, 3, seed=1)
    x, w, t = np.stack([drawn(3, 3, seed=2), low]), drawn(3, 3, seed=3), drawn(2, 3, 3, seed=4)
    by = lambda x: f.sum(zen.linalg.pinv(x, rcond=1e-10) * w)  # noqa: E731
    alone = [zen.grad(by)(part) for part in x]
    np.testing.assert_allclose(zen.grad(by)(x), alone, rtol=1e-12, atol=1e-12)
    tangents = [np.sum(g * part) for g, part in zip(alone, t, strict=True)]
    np.testing.assert_allclose(zen.jvp(by, (x,), (t,))[1], sum(tangents), rtol=1e-10)


@pytest.mark.parametrize("smallest", [1e-3, 1e-7, 1e-11])
def test_pinv_of_a_nearly_singular_matrix_has_the_gradient_of_the_inverse(smallest):
    """-y^T w y^T, with the inverse y known from its factors."""
    u, v, w = np.linalg.qr(drawn(3, 3))[0], np.linalg.qr(drawn(3, 3, seed=1))[0], drawn(3, 3, seed=2)
    s = np.array([1.0, 0.5, smallest])
    y = (v / s) @ u.T
    found = zen.grad(lambda x: f.sum(zen.linalg.pinv(x) * w))((u * s) @ v.T)
    np.testing.assert_allclose(found, -y.T @ w @ y.T, rtol=1e-13 / smallest, atol=1e-14 / smallest**3)


def test_pinv_with_equal_singular_values():
    """The inverse is that of a rotation; d inv(x) = -inv(x) dx inv(x)."""
    q = np.linalg.qr(drawn(3, 3))[0]
    w = drawn(3, 3, seed=1)
    np.testing.assert_allclose(zen.grad(lambda x: f.sum(zen.linalg.pinv(x) * w))(q), -q @ w @ q, atol=1e-12)


@pytest.mark.parametrize("complex_", [False, True])
@pytest.mark.parametrize(("shape", "right"), [((4, 3), (4,)), ((4, 3), (4, 2)), ((3, 3), (3,)), ((2, 4), (2, 2)),
                                              ((0, 3), (0,)), ((3, 2), (3, 0))], ids=str)  # fmt: skip
def test_lstsq(shape, right, complex_):
    a, b = drawn(*shape, complex_=complex_), drawn(*right, seed=1)
    for dtype in (None, np.float32):
        if dtype is not None and not complex_:
            a, b = a.astype(dtype), b.astype(dtype)
        expected = np.linalg.lstsq(a, b)
        for found in (zen.linalg.lstsq(a, b), np.linalg.lstsq(leaf(a), b), f.lstsq(a, leaf(b), rcond=None)):
            assert found[2] == expected[2] and type(found[2]) is type(expected[2])
            for x, y in zip((found[0], found[1], found[3]), (expected[0], expected[1], expected[3]), strict=True):
                assert x.dtype == y.dtype and x.shape == y.shape
                np.testing.assert_allclose(x.array, y, rtol=1e-5, atol=1e-6 if dtype else 1e-12)


@pytest.mark.parametrize("right", [(4,), (4, 2)], ids=str)
def test_lstsq_is_differentiable_in_all_results(right):
    def results(a, b):
        x, residuals, _, s = zen.linalg.lstsq(a, b)
        return f.concat([f.ravel(x), f.ravel(residuals), s])

    check_gradients(results, [drawn(4, 3), drawn(*right, seed=1)], order=2, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("place", [0, 1, 5])
def test_lstsq_with_a_matrix_that_is_not_finite_comes_to_an_end(value, place):
    x = drawn(3, 3)
    x.flat[place] = value
    message = r"^lstsq: SVD did not converge .*\(3, 3\)\); look for nan and inf"
    for a in (zen.tensor(x), leaf(x)):
        for function in (zen.linalg.lstsq, np.linalg.lstsq):
            with pytest.raises(np.linalg.LinAlgError, match=message):
                function(a, np.ones(3))


def test_matrix_rank():
    x = np.stack([np.eye(3), np.ones((3, 3)), np.zeros((3, 3))])
    found = zen.linalg.matrix_rank(leaf(x))
    assert found.tolist() == np.linalg.matrix_rank(leaf(x)).tolist() == [3, 1, 0] and not found.requires_grad
    assert zen.linalg.matrix_rank(np.diag([1.0, 1e-3]), tol=1e-2).item() == 1
    assert zen.linalg.matrix_rank(np.diag([1.0, 1e-3]), rtol=1e-2, hermitian=True).item() == 1
    assert zen.linalg.matrix_rank(np.zeros(3)).item() == 0


@pytest.mark.parametrize("complex_", [False, True])
@pytest.mark.parametrize("p", ORDERS)
def test_cond(p, complex_):
    x = drawn(2, 3, 3, complex_=complex_)
    for found in (zen.linalg.cond(x, p), np.linalg.cond(leaf(x), p)):
        np.testing.assert_allclose(found.array, np.linalg.cond(x, p), rtol=1e-12)
    by = lambda x: np.sum(np.linalg.cond(x, p))  # noqa: E731
    np.testing.assert_allclose(zen.grad(by)(x), numerical(by, x), rtol=1e-5, atol=1e-5)


def test_the_condition_of_a_singular_matrix_is_infinite_and_has_no_gradient():
    x = leaf(np.stack([np.ones((2, 2)), np.diag([2.0, 1.0])]))
    for p in (None, 2, 1, np.inf, "fro"):
        found = zen.linalg.cond(x, p)
        np.testing.assert_allclose(found.array, np.linalg.cond(x.array, p))
        (g,) = zen.gradients([f.sum(found)], [x])
        assert (g.array[0] == 0).all() and g.array[1].any()


@pytest.mark.parametrize("complex_", [False, True])
@pytest.mark.parametrize("order", ORDERS[1:])
def test_norms_of_matrices(order, complex_):
    x = drawn(2, 3, 4, complex_=complex_)
    for axis in ((0, 2), (2, 0), (-2, -1)):
        for keepdims in (False, True):
            found = zen.linalg.norm(x, order, axis=axis, keepdims=keepdims)
            expected = np.linalg.norm(x, order, axis=axis, keepdims=keepdims)
            assert found.dtype == expected.dtype
            np.testing.assert_allclose(found.array, expected, rtol=1e-12)
        by = lambda x, axis=axis: np.sum(np.linalg.norm(x, order, axis=axis))  # noqa: E731
        np.testing.assert_allclose(zen.grad(by)(x), numerical(by, x), rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(np.linalg.norm(leaf(x[0]), order).array, np.linalg.norm(x[0], order))
    found = zen.linalg.matrix_norm(x, ord=order, keepdims=True)
    np.testing.assert_allclose(found.array, np.linalg.matrix_norm(x, ord=order, keepdims=True))
    check_gradients(lambda x: zen.linalg.matrix_norm(x, ord=order), [drawn(2, 3, 4)], order=2, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("complex_", [False, True])
@pytest.mark.parametrize("order", [0, 1, 2, 3, 0.5, -1, -2, -0.5, np.inf, -np.inf])
def test_norms_of_vectors(order, complex_):
    x = drawn(3, 4, complex_=complex_)
    np.testing.assert_allclose(zen.linalg.norm(x, order, axis=1).array, np.linalg.norm(x, order, axis=1))
    found = zen.linalg.vector_norm(x, ord=order, axis=(0, 1), keepdims=True)
    expected = np.linalg.vector_norm(x, ord=order, axis=(0, 1), keepdims=True)
    assert found.dtype == expected.dtype
    np.testing.assert_allclose(found.array, expected)
    by = lambda x: np.sum(np.linalg.norm(x, order, axis=1))  # noqa: E731
    np.testing.assert_allclose(zen.grad(by)(x), numerical(by, x), rtol=1e-6, atol=1e-7)


def test_the_largest_singular_value_shares_its_subgradient_among_equal_ones():
    found = zen.grad(lambda x: zen.linalg.norm(x, 2))(np.eye(3))
    assert np.linalg.norm(found, "nuc") <= 1 + 1e-12


@pytest.mark.parametrize("n", [3, 2, 1])
def test_complex_determinants_and_factors(n):
    x = drawn(n, n, complex_=True)
    w = drawn(n, n, complex_=True, seed=1)
    for by in (
        lambda x: np.real(np.linalg.det(x) * (1 + 2j)), lambda x: np.linalg.slogdet(x).logabsdet,
        lambda x: np.real(np.linalg.slogdet(x).sign * (1 + 2j)) * np.linalg.slogdet(x).logabsdet,
        lambda x: np.sum(np.real(np.linalg.cholesky((x @ np.conj(x).mT) + np.eye(n)) * w)),
        lambda x: np.sum(np.real(np.linalg.inv(x) * w)),
    ):  # fmt: skip
        np.testing.assert_allclose(zen.grad(by)(x), numerical(by, x), rtol=1e-6, atol=1e-7)
    s = x @ x.conj().T + np.eye(n)
    np.testing.assert_allclose(zen.linalg.cholesky(s, upper=True).array, np.linalg.cholesky(s, upper=True))
    for found, expected in zip(np.linalg.slogdet(leaf(x)), np.linalg.slogdet(x), strict=True):
        assert found.dtype == expected.dtype
        np.testing.assert_allclose(found.array, expected)


def test_the_determinant_of_a_singular_complex_matrix():
    x = np.array([[1.0, 1j], [1j, -1.0]])  # d det / dx is [[x11, -x10], [-x01, x00]]
    found = zen.grad(zen.linalg.det, holomorphic=True)(x)
    np.testing.assert_allclose(found, [[-1, -1j], [-1j, 1]], atol=1e-14)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: zen.linalg.pinv(np.ones(3)), ValueError, r"pinv: matrices .*\(3,\)"),
        (lambda: zen.linalg.pinv(np.eye(2), 0.1, rtol=0.1), ValueError, r"pinv: rcond and rtol are two names"),
        (lambda: zen.linalg.pinv(np.full((2, 2), np.nan)), np.linalg.LinAlgError, r"pinv: .*\(2, 2\)\); look for nan"),
        (lambda: zen.linalg.lstsq(np.eye(2), np.ones(3)), np.linalg.LinAlgError, r"lstsq: .*\(2, 2\) and \(3,\)"),
        (lambda: zen.linalg.matrix_rank(np.eye(2), 0.1, rtol=0.1), ValueError, r"matrix_rank: tol and rtol"),
        (lambda: zen.linalg.cond(np.ones((2, 3)), 1), np.linalg.LinAlgError, r"cond: p=1 needs square.*\(2, 3\)"),
        (lambda: zen.linalg.cond(np.eye(2), 3), ValueError, r"cond: p=3 is no matrix norm"),
        (lambda: zen.linalg.cond(np.ones((0, 0))), np.linalg.LinAlgError, r"cond: .*\(0, 0\)"),
        (lambda: zen.linalg.norm(np.eye(2), 3), ValueError, r"norm: ord=3 is not available for matrices"),
        (lambda: zen.linalg.norm(np.eye(2), "nuc", axis=0), ValueError, r"norm: ord='nuc' is no vector norm"),
    ],
)  # fmt: skip
def test_errors(call, error, words):
    with pytest.raises(error, match=words):
        call()
