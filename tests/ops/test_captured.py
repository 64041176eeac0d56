"""Arrays that the user changes between a call and the pass: the gradient is that of the call, or the pass raises.

For functions that NumPy does not have; those of NumPy are in tests/attached/test_captured_everything.py.
"""

import numpy as np
import pytest

import zen
from zen import f

RNG = np.random.default_rng(0)
X, IMAGES = RNG.normal(size=(4, 3)), RNG.normal(size=(2, 3, 4, 5))
GRID = RNG.uniform(-0.8, 0.8, (2, 3, 3, 2))
CHANCES = np.log(np.full((5, 2, 4), 0.25) + RNG.random((5, 2, 4)) * 0.1)
LARGE = RNG.normal(size=(600, 600))
A, B = np.array([1.0, 2.0]), np.array([1.5, 2.5])
CALLS = {
    "embedding_bag": (lambda w, i: f.embedding_bag(i, w, mode="sum"), X, [np.array([[0, 1], [2, 3]])]),
    "embedding_bag max": (lambda w, i: f.embedding_bag(i, w, mode="max"), X, [np.array([[0, 1], [2, 3]])]),
    "ctc_loss": (f.ctc_loss, CHANCES, [np.array([[1, 2], [3, 1]]), np.array([5, 5]), np.array([2, 2])]),
    "cdist": (f.cdist, X, [X[:2] + 1]), "cdist 3": (lambda x, y: f.cdist(x, y, p=3), X, [X[:2] + 1]),
    "grid_sample": (lambda x, g: f.grid_sample(x, g, align_corners=False), IMAGES, [GRID]),
    "grid_sample grid": (lambda g, x: f.grid_sample(x, g, align_corners=False), GRID, [IMAGES]),
    "conv3d": (lambda w, x: f.conv3d(x, w), RNG.normal(size=(2, 3, 2, 2, 2)), [RNG.normal(size=(1, 3, 3, 3, 3))]),
    "gammainc": (lambda a, x: zen.special.gammainc(a, x), A, [B]), "jv": (lambda x, v: zen.special.jv(v, x), A, [B]),
    "poisson": (lambda m, k: zen.stats.poisson.logpmf(k, m), A, [A]),
    "multivariate_normal": (lambda x, c: zen.stats.multivariate_normal.logpdf(x, np.zeros(2), c), A, [np.eye(2)]),
    "solve_triangular": (lambda a, b: zen.linalg.solve_triangular(a, b, lower=True), np.eye(3) + 1, [np.ones(3)]),
    "large grid": (
        lambda x, g: f.grid_sample(x, g, align_corners=False), IMAGES, [RNG.uniform(-0.8, 0.8, (2, 300, 300, 2))],
    ),
    "large mask": (lambda x, m: np.where(m, x, 0.0), LARGE, [LARGE > 0]),
    "large masked sum": (lambda x, m: np.sum(x, axis=0, where=m), LARGE, [LARGE > 0]),
    "large product": (lambda x, y: np.nan_to_num(x) * y, LARGE, [LARGE + 1]),
    "large complex": (lambda x, y: np.real(x * y), LARGE * 1j, [LARGE * (1 + 1j)]),
    "large exponents": (np.ldexp, LARGE, [RNG.integers(0, 3, LARGE.shape)]),
    "large positions": (lambda x, i: np.take_along_axis(x, i, 1), LARGE, [RNG.integers(0, 600, LARGE.shape)]),
    "large index": (lambda x, i: x[i], LARGE.ravel(), [RNG.integers(0, 600, 300_000)]),
}  # fmt: skip


@pytest.mark.parametrize("name", CALLS)
def test_the_gradient_is_that_of_the_call(name):
    function, x, others = CALLS[name]

    def gradient(spoilt):
        leaf, given = zen.tensor(x, requires_grad=True), [a.copy() for a in others]
        y = function(leaf, *given)
        total = (y * (1 + np.arange(y.size).reshape(y.shape))).sum()
        if spoilt:
            for a in given:
                a[...] = 0
        total.backward()
        return leaf.grad.array

    expected = gradient(False)
    try:
        found = gradient(True)
    except RuntimeError as error:
        assert "was overwritten by NumPy" in str(error)
    else:
        np.testing.assert_array_equal(found, expected)
