"""Distributions of vectors: Dirichlet and multivariate normal."""

import math

import numpy as np
import pytest

import zen
from zen import stats
from zen.testing import check_gradients

inf = math.inf
COV = np.array([[2.0, 0.3], [0.3, 1.0]])
ALPHA = np.array([0.7, 1.5, 3.0])


def test_dirichlet_of_two_is_beta():
    x = np.linspace(0.1, 0.9, 5)
    found = stats.dirichlet.logpdf(np.stack([x, 1 - x], -1), [2.0, 3.5])
    np.testing.assert_allclose(found.array, stats.beta.logpdf(x, 2.0, 3.5).array, rtol=1e-12)
    np.testing.assert_allclose(stats.dirichlet.entropy([2.0, 3.5]).item(), stats.beta.entropy(2.0, 3.5).item())
    np.testing.assert_allclose(stats.dirichlet.mean([2.0, 3.5]).array[0], stats.beta.mean(2.0, 3.5).item())
    np.testing.assert_allclose(stats.dirichlet.var([2.0, 3.5]).array[0], stats.beta.var(2.0, 3.5).item())


def test_dirichlet_derivatives_and_support():
    x = np.array([[0.2, 0.3, 0.5], [0.1, 0.6, 0.3]])
    check_gradients(lambda a: stats.dirichlet.logpdf(x, a), [ALPHA], order=2)
    check_gradients(stats.dirichlet.entropy, [ALPHA], order=2)
    a, t = (zen.tensor(v, requires_grad=True) for v in (ALPHA, [[-0.5, 0.5, 1.0], [0.2, 0.2, 0.2], [inf, 0.0, 0.0]]))
    y = stats.dirichlet.logpdf(t, a)
    y.sum().backward()
    assert y.tolist() == [-inf] * 3
    assert not a.gradient.any() and not t.gradient.any()
    assert stats.dirichlet.logpdf([0.0, 1.0], [1.0, 1.0]).item() == 0.0


def test_dirichlet_samples():
    a = zen.tensor(ALPHA, requires_grad=True)
    n = 40_000
    x = stats.dirichlet.rvs(a, size=n, random_state=0)
    assert x.shape == (n, 3)
    np.testing.assert_allclose(x.array.sum(-1), 1, rtol=1e-12)
    mean, var = stats.dirichlet.mean(ALPHA).array, stats.dirichlet.var(ALPHA).array
    assert (np.abs(x.array.mean(0) - mean) < 5 * np.sqrt(var / n)).all()
    np.testing.assert_allclose(x.array.var(0), var, rtol=0.05)
    (x[:, 0] ** 2).mean().backward()  # E[x0 ** 2] = a0 (a0 + 1) / (A (A + 1))
    A, a0 = ALPHA.sum(), ALPHA[0]
    second = a0 * (a0 + 1) / (A * (A + 1))
    fall = -second * (2 * A + 1) / (A * (A + 1))
    np.testing.assert_allclose(a.gradient, [(2 * a0 + 1) / (A * (A + 1)) + fall, fall, fall], rtol=0.06)
    small = stats.dirichlet.rvs(np.full(4, 1e-3), size=100, random_state=0).array
    assert np.isfinite(small).all()
    assert stats.dirichlet.rvs(np.ones((2, 3), np.float32)).dtype == np.float32


def test_multivariate_normal_of_a_diagonal_is_a_product():
    x, scale = np.array([[0.5, -1.0], [2.0, 0.0]]), np.array([0.5, 2.0])
    expected = stats.norm.logpdf(x, 1.0, scale).array.sum(-1)
    for cov in (np.diag(scale**2), scale**2):
        np.testing.assert_allclose(stats.multivariate_normal.logpdf(x, [1.0, 1.0], cov).array, expected, rtol=1e-13)
    np.testing.assert_allclose(stats.multivariate_normal.logpdf(x, 1.0, scale**2).array, expected, rtol=1e-13)
    np.testing.assert_allclose(stats.multivariate_normal.pdf(0.3).item(), stats.norm.pdf(0.3).item())
    assert stats.multivariate_normal.logpdf(np.zeros((3, 1))).shape == (3,)
    found = stats.multivariate_normal.entropy(cov=np.diag(scale**2)).item()
    np.testing.assert_allclose(found, stats.norm.entropy(0.0, scale).array.sum())


def test_multivariate_normal_derivatives():
    x, mean = np.array([[0.5, -1.0], [2.0, 0.0]]), np.array([0.25, 0.5])

    def density(x, mean, root):
        return stats.multivariate_normal.logpdf(x, mean, root @ root.mT + np.eye(2))

    check_gradients(density, [x, mean, COV], order=2, rtol=1e-5, atol=1e-6)
    check_gradients(density, [x, mean, np.stack([COV, COV + 1])], order=1)
    cov = zen.tensor(COV, requires_grad=True)
    stats.multivariate_normal.entropy(cov=cov).backward()
    np.testing.assert_allclose(cov.gradient, np.linalg.inv(COV) / 2, rtol=1e-12)


def test_multivariate_normal_samples():
    mean, cov = zen.tensor([1.0, -1.0], requires_grad=True), zen.tensor(COV, requires_grad=True)
    n = 40_000
    x = stats.multivariate_normal.rvs(mean, cov, size=n, random_state=0)
    np.testing.assert_allclose(x.array.mean(0), [1.0, -1.0], atol=0.05)
    np.testing.assert_allclose(np.cov(x.array.T), COV, atol=0.06)
    away = x - np.array([1.0, -1.0])
    (away[:, 0] * away[:, 1]).mean().backward()
    np.testing.assert_allclose(cov.gradient, [[0, 0.5], [0.5, 0]], atol=0.03)
    assert mean.gradient.shape == (2,)
    assert stats.multivariate_normal.rvs(np.zeros((3, 2)), COV).shape == (3, 2)
    assert (
        stats.multivariate_normal.rvs(cov=np.eye(2, dtype=np.float32), mean=np.zeros(2, np.float32)).dtype == np.float32
    )


def test_errors():
    with pytest.raises(ValueError, match=r"dirichlet\.rvs: alpha must be positive"):
        stats.dirichlet.rvs([0.0, 1.0])
    with pytest.raises(ValueError, match=r"dirichlet\.logpdf: alpha must be a vector"):
        stats.dirichlet.logpdf([0.5, 0.5], 1.0)
    with pytest.raises(ValueError, match=r"x of shape \(2,\) and alpha of shape \(3,\) differ in length"):
        stats.dirichlet.logpdf([0.5, 0.5], ALPHA)
    with pytest.raises(ValueError, match=r"a mean of shape \(3,\) does not fit a cov of shape \(2, 2\)"):
        stats.multivariate_normal.logpdf([0.5, 0.5], np.zeros(3), COV)
    with pytest.raises(ValueError, match=r"x of shape \(3,\) does not end in 2 dimensions"):
        stats.multivariate_normal.logpdf(np.zeros(3), np.zeros(2), COV)
    with pytest.raises(np.linalg.LinAlgError):
        stats.multivariate_normal.logpdf(np.zeros(2), np.zeros(2), -COV)
