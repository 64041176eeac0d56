"""Averages, covariances and ranges: NumPy's values, dtypes and warnings; derivatives, in weights as well."""

import numpy as np
import pytest
from against_numpy import same_as_numpy, same_error, smooth, smooth_complex, tensors

import zen
from zen import f

RNG = np.random.default_rng(5)
X = RNG.normal(size=(3, 4))
Y = RNG.normal(size=(2, 4))
W = RNG.random((3, 4))
INTS = np.array([[3, 1, 2, 60], [100, 1, 4, 9]])
DTYPES = [np.float64, np.float32, np.float16, np.int64, np.uint8]
F, A = np.array([1, 2, 0, 3]), np.array([0.5, 1.0, 2.0, 0.25])


@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("axis", [None, 0, -1, (0, 1)])
def test_ranges(axis, keepdims):
    for dtype in DTYPES:
        same_as_numpy(lambda t: np.ptp(t, axis=axis, keepdims=keepdims), INTS.astype(dtype))
    smooth(lambda t: f.ptp(t, axis, keepdims=keepdims), X)


def test_range_of_ties_and_of_nothing():
    (t,) = tensors([np.array([1.0, 3.0, 3.0, 1.0, 2.0])])
    np.ptp(t).backward()
    np.testing.assert_array_equal(t.gradient, [-0.5, 0.5, 0.5, -0.5, 0.0])
    with pytest.raises(ValueError, match="ptp: no elements along axis None"):
        f.ptp(zen.ones(0))
    with pytest.raises(np.exceptions.AxisError, match="ptp: axis 3"):
        f.ptp(zen.ones(2), 3)


@pytest.mark.parametrize("returned", [False, True])
@pytest.mark.parametrize("keepdims", [False, True])
def test_averages(keepdims, returned):
    options = {"keepdims": keepdims, "returned": returned}
    for axis in (None, 0, 1, (0, 1), (1, 0)):
        for dtype in DTYPES:
            same_as_numpy(lambda t, a=axis: np.average(t, axis=a, **options), INTS.astype(dtype))
        for weights in (W, W.astype(np.float32), np.ones(W.shape, int)):
            same_as_numpy(lambda t, w, a=axis: np.average(t, axis=a, weights=w, **options), X, weights)
            same_as_numpy(lambda t, w, a=axis: np.average(t, a, w, **options), np.ones(W.shape, np.float32), weights)
    same_as_numpy(lambda t, w: np.average(t, axis=1, weights=w, **options), X, A)
    same_as_numpy(lambda t, w: np.average(t, axis=(1, 0), weights=w, **options), X, W.T)
    same_as_numpy(lambda t, w: np.average(t, axis=0, weights=w, **options), INTS, np.array([1, 2]))


def test_derivatives_of_averages():
    smooth(lambda t, w: f.average(t, 1, w), X, W)
    smooth(lambda t, w: f.average(t, 1, w, True), X, A)
    smooth(lambda t, w: f.average(t, weights=w, returned=True), X, W)
    smooth(lambda t: f.average(t, (0, 1)), X)
    smooth_complex(lambda t, w: f.average(t, 0, w), X + 1j * W, W + 2j)


def test_errors_of_averages():
    same_error(lambda t: np.average(t, weights=np.ones(4)), X)
    same_error(lambda t: np.average(t, axis=0, weights=np.ones(4)), X)
    same_error(lambda t: np.average(t, axis=1, weights=np.zeros(4)), X)
    with pytest.raises(TypeError, match=r"average: weights of shape \(4,\) for shape \(3, 4\) need an axis"):
        f.average(X, weights=A)


@pytest.mark.parametrize(
    "options",
    [
        {}, {"bias": True}, {"ddof": 0}, {"ddof": 2}, {"fweights": F}, {"aweights": A}, {"fweights": F, "aweights": A},
        {"fweights": F, "aweights": A, "ddof": 0}, {"aweights": A, "bias": True}, {"dtype": np.float32},
    ],
)  # fmt: skip
def test_covariances(options):
    for x in (X, X[0], X.astype(np.float32), INTS, X[:1]):
        same_as_numpy(lambda t: np.cov(t, **options), x)
        same_as_numpy(lambda t: np.cov(t, rowvar=True, **options), x)
    same_as_numpy(lambda t, u: np.cov(t, u, **options), X, Y)
    same_as_numpy(lambda t, u: np.cov(t, u, False, **options), X.T, Y.T)
    same_as_numpy(lambda t, u: np.cov(t, u, **options), X[0], Y[0])
    smooth(lambda t: f.cov(t, **options), X) if "dtype" not in options else None


def test_covariances_of_few_observations():
    for x in (X[:, :1], np.array(2.0)):
        with np.errstate(all="ignore"):
            same_as_numpy(np.cov, x, warnings_too=False)
    with pytest.warns(RuntimeWarning, match="Degrees of freedom <= 0 for slice"):
        f.cov(zen.ones((2, 1)))
    same_as_numpy(np.cov, np.zeros((0, 3)))
    smooth_complex(f.cov, X + 1j * W)
    same_as_numpy(np.cov, X + 1j * W)


def test_derivatives_in_weights_of_covariances():
    smooth(lambda t, w: f.cov(t, aweights=w), X, A)
    smooth(lambda t, w: f.cov(t, aweights=w, fweights=F), X, A)
    smooth(lambda t, u: f.cov(t, u), X, Y)


def test_correlations():
    same_as_numpy(np.corrcoef, X)
    same_as_numpy(lambda t, u: np.corrcoef(t, u), X, Y)
    same_as_numpy(lambda t: np.corrcoef(t, rowvar=False), X)
    same_as_numpy(np.corrcoef, X[0])
    same_as_numpy(lambda t: np.corrcoef(t, dtype=np.float32), X)
    same_as_numpy(np.corrcoef, X + 1j * W)
    smooth(f.corrcoef, X)
    smooth(lambda t, u: f.corrcoef(t, u), X, Y)


def test_errors_of_covariances():
    for call in (
        lambda t: np.cov(t[None]), lambda t: np.cov(t, t[None]), lambda t: np.cov(t, ddof=1.5),
        lambda t: np.cov(t, fweights=[1, 2]), lambda t: np.cov(t, fweights=-F), lambda t: np.cov(t, fweights=A),
        lambda t: np.cov(t, aweights=[[1.0] * 4]), lambda t: np.cov(t, aweights=-A), lambda t: np.cov(t, t[:, :2]),
    ):  # fmt: skip
        with pytest.raises((ValueError, TypeError, RuntimeError)):
            call(X)
        with pytest.raises((ValueError, TypeError, RuntimeError), match="^cov: "):
            call(zen.tensor(X, requires_grad=True))
