"""Special functions, linear algebra and whole derivatives against SciPy, in the ranges where precision is hard.

Run by `make test-peers`.
"""

import numpy as np
import pytest
from scipy import linalg, optimize, special, stats

import zen

WIDE = np.concatenate([np.linspace(-40, 40, 161), np.array([1e-300, -1e-300, 1e-8, -1e-8, 700.0, -700.0])])

# name: (ours, SciPy's, SciPy's form of the derivative)
FUNCTIONS = {
    "erf": (zen.f.erf, special.erf, lambda x: 2 / np.sqrt(np.pi) * np.exp(-x * x)),
    "sigmoid": (zen.f.sigmoid, special.expit, lambda x: special.expit(x) * special.expit(-x)),
    "softplus": (lambda x: zen.f.softplus(x, threshold=np.inf), lambda x: np.logaddexp(0, x), special.expit),
    "gelu": (zen.f.gelu, lambda x: x * stats.norm.cdf(x), lambda x: stats.norm.cdf(x) + x * stats.norm.pdf(x)),
    "silu": (zen.f.silu, lambda x: x * special.expit(x), lambda x: special.expit(x) * (1 + x * special.expit(-x))),
    "exp2": (zen.f.exp2, special.exp2, lambda x: np.log(2) * special.exp2(x)),
    "expm1": (zen.f.expm1, special.expm1, np.exp),
}


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_special_functions(name, dtype):
    ours, theirs, derivative = FUNCTIONS[name]
    x = WIDE.astype(dtype)
    x = x[np.abs(x) < 80]
    t = zen.Tensor(x)
    y = ours(t)
    y.backward(np.ones_like(x))
    exact = x.astype(np.float64)
    tolerance = 4e-6 if dtype == np.float32 else 1e-13
    np.testing.assert_allclose(y.array, theirs(exact), rtol=tolerance, atol=tolerance)
    np.testing.assert_allclose(t.gradient, derivative(exact), rtol=tolerance, atol=tolerance)


def test_small_results_keep_their_relative_precision():
    """sigmoid and softplus far left, expm1 and log1p near 0: not merely close to zero."""
    left, tiny = np.array([-30.0, -300.0, -700.0]), np.array([1e-20, -1e-12, 1e-300])
    np.testing.assert_allclose(zen.f.sigmoid(left).array, special.expit(left), rtol=1e-14)
    np.testing.assert_allclose(zen.f.softplus(left).array, special.expit(left), rtol=1e-12)
    np.testing.assert_allclose(zen.expm1(tiny).array, special.expm1(tiny), rtol=1e-15)
    np.testing.assert_allclose(zen.log1p(tiny).array, special.log1p(tiny), rtol=1e-15)


@pytest.mark.parametrize("axis", [None, 0, 1, (0, 1)])
@pytest.mark.parametrize("keepdims", [False, True])
def test_logsumexp(axis, keepdims):
    for scale in (1.0, 1000.0):
        x = scale * np.random.default_rng(0).standard_normal((4, 5))
        t = zen.Tensor(x)
        y = zen.f.logsumexp(t, axis=axis, keepdims=keepdims)
        np.testing.assert_allclose(y.array, special.logsumexp(x, axis=axis, keepdims=keepdims), rtol=1e-14)
        y.backward(np.ones(y.shape))
        np.testing.assert_allclose(t.gradient, special.softmax(x, axis=axis), rtol=1e-12, atol=1e-300)


def test_logsumexp_of_minus_infinity():
    x = np.array([[-np.inf, -np.inf], [-np.inf, 0.0]])
    with np.errstate(divide="ignore"):
        np.testing.assert_array_equal(zen.f.logsumexp(x, axis=1).array, special.logsumexp(x, axis=1))


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_softmax_and_its_logarithm(axis):
    x = 300 * np.random.default_rng(0).standard_normal((4, 5))
    np.testing.assert_allclose(zen.f.softmax(x, axis=axis).array, special.softmax(x, axis=axis), rtol=1e-12)
    np.testing.assert_allclose(zen.f.log_softmax(x, axis=axis).array, special.log_softmax(x, axis=axis), rtol=1e-13)


def matrices():
    rng = np.random.default_rng(0)
    ill = linalg.hilbert(5)
    return [rng.standard_normal((n, n)) + np.eye(n) for n in (1, 2, 5, 20)] + [ill]


@pytest.mark.parametrize("a", matrices(), ids=lambda a: f"{len(a)}x{len(a)} cond {np.linalg.cond(a):.0e}")
def test_linear_algebra(a):
    b = np.arange(float(len(a)))
    tolerance = 1e-15 * np.linalg.cond(a) * 100
    np.testing.assert_allclose(zen.linalg.inv(a).array, linalg.inv(a), rtol=tolerance, atol=tolerance)
    np.testing.assert_allclose(zen.linalg.solve(a, b).array, linalg.solve(a, b), rtol=tolerance, atol=tolerance)
    np.testing.assert_allclose(zen.linalg.det(a).array, linalg.det(a), rtol=tolerance)
    spd = a @ a.T + np.eye(len(a))
    np.testing.assert_allclose(zen.linalg.cholesky(spd).array, linalg.cholesky(spd, lower=True), rtol=1e-11, atol=1e-13)
    t = zen.Tensor(spd)
    zen.linalg.slogdet(t)[1].backward()
    np.testing.assert_allclose(t.gradient, linalg.inv(spd).T, rtol=1e-11, atol=1e-12)


def test_rosenbrock_gradient_and_hessian():
    x = np.random.default_rng(0).standard_normal(10)

    def rosen(t):
        return zen.sum(100.0 * (t[1:] - t[:-1] ** 2) ** 2 + (1 - t[:-1]) ** 2)

    t = zen.Tensor(x)
    y = rosen(t)
    (g,) = zen.gradients(y, [t], create_graph=True)
    np.testing.assert_allclose(y.item(), optimize.rosen(x), rtol=1e-14)
    np.testing.assert_allclose(g.array, optimize.rosen_der(x), rtol=1e-12, atol=1e-11)
    direction = np.random.default_rng(1).standard_normal(10)
    (product,) = zen.gradients(g, [t], grad_outputs=direction)
    np.testing.assert_allclose(product.array, optimize.rosen_hess_prod(x, direction), rtol=1e-11, atol=1e-10)
