"""Medians and quantiles: NumPy's values, dtypes and warnings for every method; derivatives, in the quantile as well."""

import numpy as np
import pytest
from against_numpy import numpy_is, same_as_numpy, same_error, smooth, tensors

import zen
from zen import f

nan = np.nan
RNG = np.random.default_rng(3)
X = RNG.normal(size=(2, 3, 4))
HOLES = np.where(RNG.random((2, 3, 4)) < 0.3, nan, X)
NAN_ROW = np.array([[1.0, nan, 2.0, 7.0], [5.0, 3.0, 0.0, 1.0]])
METHODS = (
    "linear hazen weibull median_unbiased normal_unbiased interpolated_inverted_cdf averaged_inverted_cdf inverted_cdf "
    "closest_observation lower higher nearest midpoint"
).split()
SMOOTH = METHODS[:6]
Q = np.array([0.0, 0.1, 0.25, 0.5, 0.6, 0.75, 0.99, 1.0])


@pytest.mark.parametrize("name", ["median", "nanmedian"])
@pytest.mark.parametrize("keepdims", [False, True])
def test_medians(name, keepdims):
    function = getattr(np, name)
    for x in (X, X[:, :3], X[0], X[0, 0], X[0, 0, :2], NAN_ROW, X.transpose(2, 0, 1)[::2], np.array(3.0), HOLES):
        for axis in (None, 0, -1, (0, 1), (1, 0), (0, 2)):
            axes = axis if isinstance(axis, tuple) else (0 if axis is None else axis,)
            if axis is None or all(-x.ndim <= a < x.ndim for a in axes):
                same_as_numpy(lambda t, a=axis: function(t, axis=a, keepdims=keepdims), x)


@pytest.mark.parametrize("name", ["median", "nanmedian"])
@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16, np.int64, np.int8, np.uint8])
def test_medians_of_every_dtype(name, dtype):
    x = np.array([[3, 1, 2, 100], [100, 1, 4, 9]]).astype(dtype)
    for axis in (None, 0, 1):
        same_as_numpy(lambda t, a=axis: getattr(np, name)(t, a), x)


@pytest.mark.parametrize("name", ["median", "nanmedian", "nanquantile"])
def test_nothing_left(name):
    function = getattr(np, name) if name != "nanquantile" else lambda t, axis=None: np.nanquantile(t, [0.2, 0.4], axis)
    holes = np.array([[1.0, nan, 2.0], [nan, nan, nan]])
    same_as_numpy(function, holes[1])
    same_as_numpy(lambda t: function(t, axis=1), holes)
    same_as_numpy(lambda t: function(t, axis=0), np.zeros((0, 2)), warnings_too=name != "median")
    same_as_numpy(function, np.zeros(0), warnings_too=name != "median")


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", ["quantile", "nanquantile", "percentile", "nanpercentile"])
def test_every_method(name, method):
    function, scale = getattr(np, name), 100 if "percentile" in name else 1
    for x in (HOLES, NAN_ROW, X[0, 0], np.array([1.5])):
        for axis in (None, -1, (0, 1)):
            if axis != (0, 1) or x.ndim > 1:
                for q in (Q * scale, 0.3 * scale, Q[2:6].reshape(2, 2) * scale):
                    if axis == (0, 1) and np.ndim(q) == 2 and "nan" in name:
                        continue  # NumPy leaves the axes of q in the wrong places
                    same_as_numpy(lambda t, q=q, a=axis: function(t, q, axis=a, method=method), x)
        same_as_numpy(lambda t: function(t, np.float64(0.3 * scale), axis=0, method=method, keepdims=True), x)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("dtype", [np.float32, np.float16, np.int64, np.uint8])
def test_dtypes(method, dtype):
    x = np.array([[3, 1, 2, 60], [100, 1, 4, 9]]).astype(dtype)
    ends = (1, 0) if numpy_is("2.4.0") else ()  # which gave integers of integers for other methods as well
    for q in (0.3, *ends, [0.3, 0.6], np.float32(0.3), np.array([0.25, 0.75], np.float32)):
        for name in ("quantile", "nanquantile"):
            same_as_numpy(lambda t, q=q, n=name: getattr(np, n)(t, q, method=method), x)
            same_as_numpy(lambda t, q=q, n=name: getattr(np, n)(t, q, axis=0, method=method), x)
    for q in (30, 30.0, [10, 20]):
        same_as_numpy(lambda t, q=q: np.percentile(t, q, axis=1, method=method), x)


def full(weights, axis):
    letters = "ijk"
    given = "".join(letters[k] for k in (axis if isinstance(axis, tuple) else (axis,)))
    return np.einsum(f"ijk,{given}->ijk", np.ones(X.shape), weights)


@pytest.mark.parametrize("name", ["quantile", "nanquantile"])
def test_weights(name):
    function = getattr(np, name)
    for x in (X, HOLES, np.round(X)):
        for weights, axis in (
            (RNG.random(X.shape), None), (RNG.random(X.shape), 1), (RNG.random(3), 1), (RNG.random((2, 4)), (0, 2)),
            (RNG.random((4, 2)), (2, 0)), (np.array([0, 1, 2, 0]), 2),
        ):  # fmt: skip
            if not numpy_is("2.4.0") and (weights.shape != X.shape or isinstance(axis, tuple)):
                continue
            if name == "nanquantile" and weights.shape != X.shape:  # which NumPy takes and does not use rightly
                expected = np.nanquantile(x, Q, axis=axis, weights=full(weights, axis), method="inverted_cdf")
                found = f.nanquantile(x, Q, axis=axis, weights=weights, method="inverted_cdf")
                np.testing.assert_array_equal(found.array, expected)
                continue
            for q in (Q, 0.4):
                same_as_numpy(
                    lambda t, w=weights, a=axis, q=q: function(t, q, axis=a, weights=w, method="inverted_cdf"), x
                )
    same_error(lambda t: function(t, 0.5, weights=np.ones(4)), X)
    same_error(lambda t: function(t, 0.5, axis=0, method="inverted_cdf", weights=np.ones(4)), X)
    same_error(lambda t: function(t, 0.5, method="inverted_cdf", weights=np.ones(4)), X)
    same_error(lambda t: function(t, 0.5, axis=1, method="inverted_cdf", weights=-np.ones(3)), X)
    with pytest.raises(ValueError, match=f"{name}: the weights hold nan or inf, or are all zero"):
        function(tensors(X), 0.5, axis=1, method="inverted_cdf", weights=np.zeros(3))


@pytest.mark.parametrize("method", METHODS)
def test_derivatives(method):
    smooth(lambda t: f.quantile(t, Q, axis=1, method=method), X)
    smooth(lambda t: f.nanquantile(t, 0.3, axis=(0, 2), method=method), X[..., :2])
    smooth(lambda t: f.nanpercentile(f.where(np.isnan(HOLES), nan, t), [20, 60], axis=1, method=method), X)


@pytest.mark.parametrize("method", SMOOTH)
def test_derivatives_in_the_quantile(method):
    smooth(lambda t, q: f.quantile(t, q, axis=1, method=method), X, np.array([0.3, 0.61]))
    smooth(lambda t, q: f.nanpercentile(t, q, method=method), X[0], np.array(37.0))


def test_derivatives_of_medians():
    for axis in (None, 0, 1, (0, 2)):
        smooth(lambda t, a=axis: f.median(t, a), X)
        smooth(lambda t, a=axis: f.nanmedian(t, a), X)
    smooth(lambda t: f.nanmedian(f.where(np.isnan(HOLES), nan, t), 1), X)
    (t,) = tensors([np.array([1.0, 5.0, 2.0, 9.0])])
    np.median(t).backward()
    np.testing.assert_array_equal(t.gradient, [0, 0.5, 0.5, 0])


def test_a_nan_takes_the_gradient_of_its_line():
    (t,) = tensors([NAN_ROW])
    np.quantile(t, 0.4, axis=1)[1].backward()
    np.testing.assert_allclose(t.gradient, [[0, 0, 0, 0], [0, 0.2, 0, 0.8]])


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda t: f.quantile(t, 1.5), r"quantile: q must lie between 0 and 1$"),
        (lambda t: np.percentile(t, [5, 101]), r"percentile: q must lie between 0 and 100"),
        (lambda t: np.quantile(t, nan), r"quantile: q must lie between"),
        (
            lambda t: np.quantile(t, 0.5, method="best"),
            r"quantile: method 'best' is not one of averaged_inverted_cdf, ",
        ),
        (lambda t: np.quantile(t, np.zeros((1, 1, 1))), r"quantile: q must be a number or one-dimensional"),
        (lambda t: np.quantile(t[:0], 0.5), r"quantile: no elements along axis None of shape \(0,\)"),
        (lambda t: np.quantile(t, 0.5, method="inverted_cdf", weights=t), "quantile: weights is a constant here"),
        (lambda t: np.quantile(t, 0.5, weights=[1, 2, 3]), "quantile: weights need method='inverted_cdf'"),
        (lambda t: np.quantile(t + 1j, 0.5), "quantile: the elements must be real numbers"),
    ],
)
def test_errors(call, words):
    with pytest.raises((ValueError, TypeError), match=words):
        call(zen.tensor([1.0, 2.0, 3.0], requires_grad=True))
