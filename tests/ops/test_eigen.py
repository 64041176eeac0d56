"""Eigenvalues and eigenvectors of general matrices: values against NumPy, derivatives also where they are equal."""

import numpy as np
import pytest
from numerical import numerical

import zen
from zen import f
from zen.testing import check_gradients

SPECTRA = {
    "different": [1.0, 2.0, 4.0], "two equal": [1.0, 1.0, 2.0], "all equal": [1.0, 1.0, 1.0],
    "nearly equal": [2.0, 1.0, 1.0 + 1e-14], "zeros": [0.0, 0.0, 0.0],
}  # fmt: skip


def drawn(*shape, complex_=False, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=shape) + (1j * rng.normal(size=shape) if complex_ else 0)


def matrix(spectrum, complex_=False, seed=0):
    v = drawn(3, 3, complex_=complex_, seed=seed)
    return v @ np.diag(spectrum) @ np.linalg.inv(v)


def real_sum(x):
    return f.sum(f.real(x))


@pytest.mark.parametrize("complex_", [False, True])
@pytest.mark.parametrize("shape", [(3, 3), (2, 4, 4), (1, 1), (0, 0), (0, 2, 2)], ids=str)
def test_values_are_those_of_numpy(shape, complex_):
    for x in (drawn(*shape, complex_=complex_), drawn(*shape) + drawn(*shape).mT):
        for dtype in (x.dtype, np.complex64 if x.dtype.kind == "c" else np.float32):
            x = x.astype(dtype)
            expected = np.linalg.eig(x)
            leaf = zen.tensor(x, requires_grad=True)
            for given in (x, leaf):
                for found in (zen.linalg.eig(given), np.linalg.eig(leaf)):
                    assert type(found).__name__ == "EigResult"
                    for a, b in zip(found, expected, strict=True):
                        assert a.dtype == b.dtype
                        np.testing.assert_array_equal(a.array, b)
                only = zen.linalg.eigvals(given)
                assert only.dtype == np.linalg.eigvals(x).dtype
            assert x.size == 0 or only.requires_grad
    assert zen.linalg.eigvals(np.eye(2, dtype=int)).dtype == np.linalg.eigvals(np.eye(2, dtype=int)).dtype


@pytest.mark.parametrize("complex_", [False, True])
def test_derivatives_where_eigenvalues_differ(complex_):
    x = drawn(2, 3, 3, complex_=complex_)
    check_gradients(lambda x: f.concat([f.ravel(t) for t in zen.linalg.eig(x)]), [x], order=2, rtol=1e-5, atol=1e-5)
    by = lambda x: np.sum(np.abs(np.linalg.eig(x)[1]) ** 3) + np.sum(np.abs(np.linalg.eigvals(x)))  # noqa: E731
    np.testing.assert_allclose(zen.grad(by)(x), numerical(by, x), atol=1e-6)


@pytest.mark.parametrize("complex_", [False, True])
@pytest.mark.parametrize("spectrum", SPECTRA)
def test_functions_of_a_matrix_have_their_derivatives_whatever_is_equal(spectrum, complex_):
    """V diag(w^2 + w^3) inv(V) is X^2 + X^3."""
    x, w = matrix(SPECTRA[spectrum], complex_), drawn(3, 3, complex_=complex_, seed=1)

    def function(x):
        e, v = zen.linalg.eig(x)
        return real_sum((v * (e**2 + e**3)) @ zen.linalg.inv(v) * w)

    def exact(x):
        return real_sum((x @ x + x @ x @ x) * w)

    expected = zen.grad(exact)(x)
    np.testing.assert_allclose(zen.grad(function)(x), expected, atol=1e-11)
    leaf = zen.tensor(x, requires_grad=True)
    function(leaf).backward()
    np.testing.assert_allclose(leaf.gradient, expected, atol=1e-11)
    np.testing.assert_allclose(*[zen.jvp(g, (x,), (w,))[1] for g in (function, exact)], atol=1e-11)
    along = [zen.grad(lambda x, g=g: real_sum(zen.grad(g)(x) * w))(zen.tensor(x)).array for g in (function, exact)]
    np.testing.assert_allclose(along[0], along[1], atol=1e-10)


@pytest.mark.parametrize("complex_", [False, True])
@pytest.mark.parametrize("spectrum", SPECTRA)
def test_sums_over_eigenvalues_to_the_second_order(spectrum, complex_):
    """sum(w^3) is the trace of X^3."""
    x, w = matrix(SPECTRA[spectrum], complex_), drawn(3, 3, complex_=complex_, seed=1)
    function = lambda x: real_sum(zen.linalg.eigvals(x) ** 3)  # noqa: E731
    exact = lambda x: real_sum(x @ x @ x * np.eye(3))  # noqa: E731
    np.testing.assert_allclose(zen.grad(function)(x), zen.grad(exact)(x), atol=1e-11)
    along = [zen.grad(lambda x, g=g: real_sum(zen.grad(g)(x) * w))(zen.tensor(x)).array for g in (function, exact)]
    np.testing.assert_allclose(along[0], along[1], atol=1e-10)


def test_a_matrix_without_a_basis_of_eigenvectors_has_no_gradient():
    x = zen.tensor(np.array([[1.0, 1.0], [0.0, 1.0]]), requires_grad=True)
    with pytest.raises(np.linalg.LinAlgError, match=r"eig: a matrix of shape \(2, 2\) has no basis.*trace or expm"):
        real_sum(zen.linalg.eigvals(x)).backward()


def test_what_depends_on_the_choice_of_eigenvectors_raises():
    x = zen.tensor(np.eye(3), requires_grad=True)
    with pytest.raises(np.linalg.LinAlgError, match=r"eig: values \d and \d are equal"):
        real_sum(zen.linalg.eig(x).eigenvectors * drawn(3, 3)).backward()


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: zen.linalg.eig(np.ones((2, 3))), ValueError, r"eig: square matrices .*\(2, 3\)"),
        (lambda: zen.linalg.eigvals(np.ones(3)), ValueError, r"eigvals: square matrices .*\(3,\)"),
        (lambda: zen.linalg.eig(np.full((2, 2), np.nan)), np.linalg.LinAlgError, r"eig: .*\(2, 2\)\); look for nan"),
        (lambda: zen.linalg.eigvals(np.full((2, 2), np.inf)), np.linalg.LinAlgError, r"eigvals: .*\(2, 2\)"),
        (lambda: zen.linalg.eig(np.eye(2, dtype=np.float16)), TypeError, r"eig: float16"),
    ],
)  # fmt: skip
def test_errors(call, error, words):
    with pytest.raises(error, match=words):
        call()
