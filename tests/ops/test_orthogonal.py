"""QR decompositions: values against NumPy, derivatives against numerical differentiation."""

import numpy as np
import pytest
from numerical import numerical

import zen
from zen import f
from zen.testing import check_gradients

SHAPES = [(3, 3), (4, 2), (2, 4), (2, 3, 2), (1, 1), (1, 3), (3, 1), (0, 2), (2, 0), (0, 2, 3)]


def drawn(shape, dtype, seed=0):
    rng = np.random.default_rng(seed)
    x = (3 * rng.normal(size=shape)).astype(dtype)
    return x + (1j * rng.normal(size=shape)).astype(dtype) if x.dtype.kind == "c" else x


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64", "complex128", "int64"])
def test_values_are_those_of_numpy(shape, dtype):
    x = drawn(shape, dtype)
    for mode in ("reduced", "complete", "r"):
        expected = np.linalg.qr(x, mode)
        leaf = zen.tensor(x, requires_grad=dtype != "int64")
        for found in (zen.linalg.qr(x, mode), np.linalg.qr(leaf, mode)):
            pairs = [(found, expected)] if mode == "r" else zip(found, expected, strict=True)
            for a, b in pairs:
                assert a.dtype == b.dtype and a.shape == b.shape
                np.testing.assert_allclose(a.array, b, atol=1e-5 if dtype in ("float32", "complex64") else 1e-12)
    for a, b in zip(zen.linalg.qr(x, "raw"), np.linalg.qr(x, "raw"), strict=True):
        np.testing.assert_array_equal(a.array, b)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_derivatives_of_both_factors(shape):
    x = drawn(shape, "float64")
    if x.size:
        for mode in ("reduced", "r"):
            parts = lambda x, mode=mode: [zen.linalg.qr(x, mode)] if mode == "r" else zen.linalg.qr(x, mode)  # noqa: E731
            check_gradients(lambda x: f.concat([f.ravel(t) for t in parts(x)]), [x], order=2, rtol=1e-5, atol=1e-5)  # noqa: B023


@pytest.mark.parametrize("shape", [(3, 3), (4, 2), (2, 4)], ids=str)
def test_complex_factors(shape):
    x, w = drawn(shape, "complex128"), drawn((shape[0], shape[0]), "complex128", 1)

    def function(x):
        q, r = np.linalg.qr(x)
        return np.sum(np.real(q @ np.conj(q).mT * w)) + np.sum(np.abs(q) ** 3) + np.sum(np.real(r) ** 3)

    np.testing.assert_allclose(zen.grad(function)(x), numerical(function, x), atol=1e-6)


def test_the_space_beyond_the_columns_has_its_gradient():
    x, w = drawn((4, 2), "float64"), drawn((4, 4), "float64", 1)

    def function(xp, qr):
        return lambda x: (
            xp.sum(qr(x, "complete")[0][:, 2:] @ qr(x, "complete")[0][:, 2:].mT * w) + xp.sum(qr(x, "complete")[1] ** 3)
        )

    expected = numerical(function(np, np.linalg.qr), x)
    np.testing.assert_allclose(zen.grad(function(f, zen.linalg.qr))(x), expected, rtol=1e-7, atol=1e-6)


def test_dependent_columns_have_no_gradient():
    x = zen.tensor(np.ones((3, 2)), requires_grad=True)
    with pytest.raises(np.linalg.LinAlgError, match=r"qr: the first 2 columns are linearly dependent.*use svd"):
        f.sum(zen.linalg.qr(x, "r")).backward()


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: zen.linalg.qr(np.ones(3)), ValueError, r"qr: matrices .*\(3,\)"),
        (lambda: zen.linalg.qr(np.eye(2), "full"), ValueError, r"qr: mode must be .*'full'"),
        (lambda: zen.linalg.qr(np.eye(2, dtype=np.float16)), TypeError, r"qr: float16.*float32"),
        (
            lambda: zen.linalg.qr(zen.tensor(np.eye(2), requires_grad=True), "raw"),
            TypeError, r"qr: mode='raw' has no derivative; use mode='reduced'",
        ),
    ],
)  # fmt: skip
def test_errors(call, error, words):
    with pytest.raises(error, match=words):
        call()
