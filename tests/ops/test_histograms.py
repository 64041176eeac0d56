"""Histograms and counts: NumPy's values and dtypes; derivatives in weights, in edges and in densities."""

import numpy as np
import pytest
from against_numpy import same_as_numpy, same_error, smooth, tensors

from zen import f

RNG = np.random.default_rng(7)
X, W = RNG.normal(size=40), RNG.random(40)
POINTS = RNG.normal(size=(30, 2))
EDGES = np.array([-1.5, -0.5, 0.0, 0.25, 2.0])
N = np.array([2, 0, 1, 2, 5])


@pytest.mark.parametrize("density", [None, False, True])
@pytest.mark.parametrize("bins", [1, 7, EDGES, [0.0, 1.0, 1.0, 2.0], np.arange(-3, 4)])
def test_histograms(bins, density):
    for x in (X, X.reshape(5, 8), X.astype(np.float32), np.round(X), np.round(X * 3).astype(int)):
        same_as_numpy(lambda t: np.histogram(t, bins, density=density) if not isinstance(bins, list) or not density
                      else np.histogram(t, bins), x)  # fmt: skip
        for weights in (W.reshape(x.shape), W.reshape(x.shape).astype(np.float32), np.arange(40).reshape(x.shape)):
            same_as_numpy(lambda t, w: np.histogram(t, bins, weights=w), x, weights)
    if not isinstance(bins, (list, np.ndarray)):
        same_as_numpy(lambda t, w: np.histogram(t, bins, (-0.5, 1.0), density, w), X, W)


def test_rules_for_bins_and_edges():
    for rule in ("auto", "fd", "sturges", "sqrt"):
        same_as_numpy(lambda t, r=rule: np.histogram(t, r), X)
        same_as_numpy(lambda t, r=rule: np.histogram_bin_edges(t, r), X)
    same_as_numpy(lambda t: np.histogram_bin_edges(t, 4, (0, 1)), X)
    same_as_numpy(np.histogram, np.full(3, 2.0))
    same_as_numpy(np.histogram, np.zeros(0))


def test_elements_on_the_edges():
    x = np.concatenate([EDGES, EDGES[:3], [np.inf, -np.inf, np.nan, 2.0, 0.0]])
    w = np.arange(1.0, len(x) + 1)
    same_as_numpy(lambda t, u: np.histogram(t, EDGES, weights=u), x, w)
    same_as_numpy(lambda t, u: np.histogram(t, [0, 1, 1, 2, 2], weights=u), x, w)
    y = np.linspace(0.1, 0.7, 31)
    same_as_numpy(lambda t, u: np.histogram(t, 30, weights=u), y, y)


def test_derivatives_in_weights_and_through_edges():
    smooth(lambda t, w: f.histogram(t, 5, weights=w), X[:12], W[:12])
    smooth(lambda t, w: f.histogram(t, 5, None, True, w), X[:12], W[:12])
    smooth(lambda t: f.histogram(t, 5, density=True), X[:12])
    smooth(lambda w, e: f.histogram(X, e, density=True, weights=w), W, EDGES)
    smooth(lambda t: f.histogram_bin_edges(t, 3), X[:6])
    (t,) = tensors([X])
    assert not np.histogram(t, EDGES)[0].requires_grad


@pytest.mark.parametrize("density", [None, True])
@pytest.mark.parametrize("bins", [4, (3, 5), [EDGES, 3], (np.arange(-3.0, 4), EDGES)], ids=str)
def test_grids(bins, density):
    same_as_numpy(lambda t: np.histogramdd(t, bins, density=density), POINTS)
    same_as_numpy(lambda t, w: np.histogramdd(t, bins, None, density, w), POINTS, W[:30])
    same_as_numpy(lambda x, y: np.histogram2d(x, y, bins, density=density), X, W)
    same_as_numpy(lambda x, y, w: np.histogram2d(x, y, bins, None, density, w), X, W[::-1], W)
    smooth(lambda t, w: f.histogramdd(t, bins, None, density, w)[0], POINTS, W[:30])


def test_forms_of_grids():
    same_as_numpy(lambda t, u: np.histogramdd([t, u], 3), X, W)
    same_as_numpy(lambda t: np.histogramdd(t, 3), X)
    same_as_numpy(lambda t: np.histogramdd(t, 3, [(-1, 1), None]), POINTS)
    same_as_numpy(lambda t, w: np.histogramdd(t, 3, [(-1, 1), None], weights=w), POINTS, W[:30])
    same_as_numpy(lambda x, y: np.histogram2d(x, y, EDGES), X, W)
    smooth(lambda x, y: f.histogram2d(x, y, 2), X[:8], W[:8])
    smooth(lambda w: f.histogram2d(X, X, EDGES, weights=w), W)


def test_counts():
    for weights in (None, W[:5], W[:5].astype(np.float32), N):
        for least in (0, 9):
            if weights is None:
                found = f.bincount(N, minlength=least)
                np.testing.assert_array_equal(found.array, np.bincount(N, minlength=least))
            else:
                same_as_numpy(lambda w, m=least: np.bincount(N, w, m), weights)
    same_as_numpy(lambda n: np.bincount(n), N)
    smooth(lambda w: f.bincount(N, w, 8), W[:5])


def test_errors():
    for call in (
        lambda t: np.histogram(t, EDGES[::-1]), lambda t: np.histogram(t, 0), lambda t: np.histogram(t, 1.5),
        lambda t: np.histogram(t, "nonsense"), lambda t: np.histogram(t, weights=W[:3]),
        lambda t: np.histogram(t, "auto", weights=W), lambda t: np.histogram(t * np.nan),
        lambda t: np.histogramdd(t[:, None], (1, 2)), lambda t: np.histogram2d(t, t[1:]),
        lambda t: np.bincount(N, t), lambda t: np.bincount(-N, t[:5]),
    ):  # fmt: skip
        same_error(call, X)
    with pytest.raises(ValueError, match=r"histogram: weights of shape \(3,\) for shape \(40,\)"):
        f.histogram(X, weights=W[:3])
