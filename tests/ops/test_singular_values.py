"""Singular values and vectors: values against NumPy, derivatives also where values are equal or zero."""

import numpy as np
import pytest
from numerical import numerical

import zen
from zen import f
from zen.testing import check_gradients

CASES = [
    ((3, 3), [3.0, 2.0, 1.0]), ((3, 3), [2.0, 1.0, 1.0]), ((3, 3), [1.0, 1.0, 1.0]), ((4, 3), [2.0, 1.0, 1.0]),
    ((3, 4), [2.0, 2.0, 1.0]), ((3, 3), [1.0, 0.0, 0.0]), ((4, 3), [1.0, 0.0, 0.0]), ((3, 5), [1.0, 1.0, 0.0]),
    ((2, 2), [0.0, 0.0]), ((3, 2), [0.0, 0.0]), ((3, 3), [1.0, 1.0 - 1e-14, 1e-15]),
]  # fmt: skip


def drawn(shape, values=None, seed=0, complex_=False):
    rng = np.random.default_rng(seed)
    k = min(shape)

    def orthonormal(n):
        x = rng.normal(size=(n, k)) + (1j * rng.normal(size=(n, k)) if complex_ else 0)
        return np.linalg.qr(x)[0]

    x = (orthonormal(shape[0]) * np.array(values or np.arange(k, 0, -1.0))) @ orthonormal(shape[1]).conj().T
    return x if complex_ else x.real


def real_sum(x):
    return f.sum(f.real(x) if x.dtype.kind == "c" else x)


def test_values_are_those_of_numpy():
    rng = np.random.default_rng(0)
    for shape in [(3, 3), (4, 2), (2, 4), (2, 3, 2), (1, 1), (0, 2), (2, 0), (0, 0), (0, 2, 3)]:
        for dtype in (np.float32, np.float64, np.complex64, np.complex128, np.int64):
            x = (3 * rng.normal(size=shape)).astype(dtype)
            x = x + (1j * rng.normal(size=shape)).astype(dtype) if x.dtype.kind == "c" else x
            tolerance = 1e-4 if dtype in (np.float32, np.complex64) else 1e-12
            for full in (True, False):
                expected = np.linalg.svd(x, full)
                leaf = zen.tensor(x, requires_grad=dtype != np.int64)
                for found in (zen.linalg.svd(x, full), np.linalg.svd(leaf, full_matrices=full), f.svd(leaf, full)):
                    assert type(found).__name__ == "SVDResult"
                    for a, b in zip(found, expected, strict=True):
                        assert a.dtype == b.dtype
                        np.testing.assert_allclose(a.array, b, atol=tolerance)
            for found in (zen.linalg.svdvals(x), zen.linalg.svd(leaf, compute_uv=False), zen.linalg.svdvals(leaf)):
                assert found.dtype == expected[1].dtype
                np.testing.assert_allclose(found.array, expected[1], atol=tolerance)


@pytest.mark.parametrize("complex_", [False, True])
def test_of_a_hermitian_matrix(complex_):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2, 3, 3)) + (1j * rng.normal(size=(2, 3, 3)) if complex_ else 0)
    x = x + x.conj().mT
    expected = np.linalg.svd(x, hermitian=True)
    found = zen.linalg.svd(zen.tensor(x, requires_grad=True), hermitian=True)
    np.testing.assert_allclose(found.S.array, expected.S)
    np.testing.assert_allclose(((found.U * found.S[..., None, :]) @ found.Vh).array, x, atol=1e-12)
    np.testing.assert_allclose(zen.linalg.svd(x, compute_uv=False, hermitian=True).array, expected.S)
    half = lambda x: (x + x.mH) / 2  # noqa: E731
    for uv in (True, False):

        def function(x, uv=uv):
            found = zen.linalg.svd(half(x), compute_uv=uv, hermitian=True)
            return f.sum((found.S if uv else found) ** 3)

        a = zen.grad(function)(x)
        b = zen.grad(lambda x: f.sum(zen.linalg.svdvals(half(x)) ** 3))(x)
        np.testing.assert_allclose(a, b, atol=1e-10)


@pytest.mark.parametrize("complex_", [False, True])
@pytest.mark.parametrize("shape", [(3, 3), (4, 2), (2, 4), (2, 3, 2), (1, 3), (3, 1)], ids=str)
def test_vectors_are_differentiated_where_values_differ(shape, complex_):
    rng = np.random.default_rng(1)
    x = rng.normal(size=shape) + (1j * rng.normal(size=shape) if complex_ else 0)
    if complex_:  # what does not depend on the phases
        np.testing.assert_allclose(zen.grad(_without_phases)(x), numerical(_without_phases, x), atol=1e-7)
        return
    check_gradients(
        lambda x: f.concat([f.ravel(part) for part in zen.linalg.svd(x, False)]), [x], order=2, rtol=1e-5, atol=1e-5
    )


def _without_phases(x):
    u, s, vh = np.linalg.svd(x, False)
    return np.sum(np.abs(u) ** 2 * np.exp(s)[..., None, :]) + np.sum(np.abs(vh[..., :1]) ** 3)


@pytest.mark.parametrize("complex_", [False, True])
@pytest.mark.parametrize(("shape", "values"), CASES)
def test_odd_functions_of_singular_values_have_their_gradient_whatever_is_equal(shape, values, complex_):
    """U f(S) V^H with f(s) = s + s^3 is X + X X^H X."""
    x = drawn(shape, values, complex_=complex_)
    w = drawn(shape, seed=7, complex_=complex_)

    def function(x):
        u, s, vh = zen.linalg.svd(x, full_matrices=False)
        return real_sum((u * (s + s**3)) @ vh * w)

    def exact(x):
        return real_sum((x + x @ x.mH @ x) * w)

    expected, d = zen.grad(exact)(x), drawn(shape, seed=8, complex_=complex_)
    leaf = zen.tensor(x, requires_grad=True)
    function(leaf).backward()
    np.testing.assert_allclose(leaf.gradient, expected, atol=1e-9)
    np.testing.assert_allclose(zen.grad(function)(x), expected, atol=1e-9)
    np.testing.assert_allclose(*[zen.jvp(g, (x,), (d,))[1] for g in (function, exact)], atol=1e-9)
    along = [zen.grad(lambda x, g=g: real_sum(zen.grad(g)(x) * d))(zen.tensor(x)).array for g in (function, exact)]
    np.testing.assert_allclose(along[0], along[1], atol=1e-8)


@pytest.mark.parametrize("complex_", [False, True])
@pytest.mark.parametrize(("shape", "values"), CASES)
def test_sums_over_singular_values_to_the_second_order(shape, values, complex_):
    """The sum of s^4 is that of the squares of the magnitudes of X X^H."""
    x, d = drawn(shape, values, complex_=complex_), drawn(shape, seed=8, complex_=complex_)
    function = lambda x: f.sum(zen.linalg.svdvals(x) ** 4)  # noqa: E731
    exact = lambda x: real_sum(x @ x.mH @ x @ x.mH * np.eye(x.shape[0]))  # noqa: E731
    np.testing.assert_allclose(zen.grad(function)(x), zen.grad(exact)(x), atol=1e-10)
    along = [zen.grad(lambda x, g=g: real_sum(zen.grad(g)(x) * d))(zen.tensor(x)).array for g in (function, exact)]
    np.testing.assert_allclose(along[0], along[1], atol=1e-9)


def test_the_sum_of_singular_values_has_a_subgradient_at_zero():
    for values in ([1.0, 0.0, 0.0], [0.0, 0.0, 0.0]):
        x = zen.tensor(drawn((4, 3), values), requires_grad=True)
        f.sum(zen.linalg.svdvals(x)).backward()
        assert np.linalg.norm(x.gradient, 2) <= 1 + 1e-12


def test_a_truncated_reconstruction_of_a_matrix_of_low_rank():
    x = drawn((5, 4), [3.0, 2.0, 0.0, 0.0])
    w = drawn((5, 4), seed=5)

    def function(x):
        u, s, vh = zen.linalg.svd(x, full_matrices=False)
        return f.sum((u[:, :2] * s[:2]) @ vh[:2] * w)

    def by_numpy(x):
        u, s, vh = np.linalg.svd(x, full_matrices=False)
        return np.sum((u[:, :2] * s[:2]) @ vh[:2] * w)

    np.testing.assert_allclose(zen.grad(function)(x), numerical(by_numpy, x), atol=1e-8)


@pytest.mark.parametrize("shape", [(4, 2), (2, 4)], ids=str)
def test_the_space_beyond_the_singular_vectors_has_its_gradient(shape):
    x, w = drawn(shape), drawn((4, 4), seed=3)

    def function(xp, svd):
        def of(x):
            u, _, vh = svd(x)
            rest = u[:, 2:] if shape[0] > 2 else vh[2:].mT
            return xp.sum(rest @ rest.mT * w)

        return of

    expected = numerical(function(np, np.linalg.svd), x)
    np.testing.assert_allclose(zen.grad(function(f, zen.linalg.svd))(x), expected, atol=1e-8)


def test_what_depends_on_the_choice_of_vectors_raises():
    for values in ([1.0, 1.0, 0.5], [1.0, 0.0, 0.0]):
        x = zen.tensor(drawn((4, 3), values), requires_grad=True)
        u, _, _ = zen.linalg.svd(x, full_matrices=False)
        with pytest.raises(np.linalg.LinAlgError, match=r"svd: .*equal, or 0.*how their vectors"):
            f.sum(u * drawn((4, 3), seed=9)).backward()


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: zen.linalg.svd(np.ones(3)), ValueError, r"svd: matrices .*\(3,\)"),
        (lambda: zen.linalg.svdvals(np.ones(3)), ValueError, r"svdvals: matrices .*\(3,\)"),
        (lambda: zen.linalg.svd(np.eye(2, dtype=np.float16)), TypeError, r"svd: float16.*float32"),
        (lambda: zen.linalg.svd(np.full((2, 3), np.nan)), np.linalg.LinAlgError, r"svd: .*\(2, 3\)\); look for nan"),
    ],
)  # fmt: skip
def test_errors(call, error, words):
    with pytest.raises(error, match=words):
        call()
