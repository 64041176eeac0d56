"""Linear algebra beside PyTorch and SciPy: values and gradients of whole expressions, from small to blocked sizes."""

import numpy as np
import pytest
import torch
from scipy import linalg

import zen


def drawn(n, dtype):
    rng = np.random.default_rng(n)
    a = rng.normal(size=(n, n)) + 2 * n**0.5 * np.eye(n)
    x = rng.normal(size=(n, n))
    return [v.astype(dtype) for v in (a, x @ x.T / n + np.eye(n), rng.normal(size=(n, 3)), rng.normal(size=(n, n)))]


def of_zen(function, *arrays):
    leaves = [zen.tensor(a, requires_grad=True) for a in arrays]
    y = function(zen.linalg, *leaves)
    y.backward()
    return [y.item(), *(t.gradient for t in leaves)]


def of_torch(function, *arrays):
    leaves = [torch.tensor(a, requires_grad=True) for a in arrays]
    y = function(torch.linalg, *leaves)
    y.backward()
    return [y.item(), *(t.grad.numpy() for t in leaves)]


PROGRAMS = {
    "solve": lambda f, a, s, b, w: (f.solve(a, b) ** 2).sum() + (w * a).sum() + s.sum(),
    "solve of a vector": lambda f, a, s, b, w: (f.solve(a, b[:, 0]) ** 3).sum() + (w * s).sum(),
    "inverse": lambda f, a, s, b, w: (f.inv(a) * w).sum() + s.sum() + b.sum(),
    "determinant": lambda f, a, s, b, w: f.slogdet(a)[1] ** 2 + (w * s).sum() + b.sum(),
    "log-likelihood": lambda f, a, s, b, w: (b * f.solve(s, b)).sum() + f.slogdet(s)[1] + (a * w).sum(),
    "Cholesky and solve": lambda f, a, s, b, w: (f.solve(f.cholesky(s), b) ** 2).sum() + (a * w).sum(),
    "upper": lambda f, a, s, b, w: (f.cholesky(s, upper=True) * w).sum() + (a * w).sum() + b.sum(),
}


@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-9), ("float32", 3e-3)])
@pytest.mark.parametrize("n", [3, 40, 150])
@pytest.mark.parametrize("name", PROGRAMS)
def test_gradients_are_those_of_pytorch(name, n, dtype, tolerance):
    arrays = drawn(n, dtype)
    for k, (found, expected) in enumerate(
        zip(of_zen(PROGRAMS[name], *arrays), of_torch(PROGRAMS[name], *arrays), strict=True)
    ):
        if name in ("log-likelihood", "Cholesky and solve", "upper") and k == 2:
            expected = (expected + expected.T) / 2  # PyTorch reads one triangle of s, or both as they are
            found = (found + found.T) / 2
        np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance * np.abs(expected).max())


@pytest.mark.parametrize("n", [3, 40, 150, 400])
def test_values_are_those_of_scipy(n):
    a, s, b, _ = drawn(n, "float64")
    lu, lower = linalg.lu_factor(a), linalg.cholesky(s, lower=True)
    np.testing.assert_allclose(zen.linalg.solve(a, b).array, linalg.lu_solve(lu, b), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(zen.linalg.inv(a).array, linalg.inv(a), rtol=1e-8, atol=1e-12)
    np.testing.assert_allclose(zen.linalg.cholesky(s).array, lower, rtol=1e-10, atol=1e-12)
    expected = linalg.solve_triangular(lower, b, lower=True)
    np.testing.assert_allclose(zen.linalg.solve(lower, b).array, expected, rtol=1e-9, atol=1e-12)
    logabsdet = 2 * np.log(np.diag(lower)).sum()
    np.testing.assert_allclose(zen.linalg.slogdet(s).logabsdet.item(), logabsdet, rtol=1e-10)
