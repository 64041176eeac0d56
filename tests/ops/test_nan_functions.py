"""Reductions of what is not nan: NumPy's values, dtypes and warnings; derivatives; groups where nothing is left."""

import numpy as np
import pytest
from against_numpy import same_as_numpy, same_error, smooth, smooth_complex, tensors

import zen
from zen import f

nan, inf = np.nan, np.inf
X = np.array([[1.5, nan, -2.0, 0.5], [nan, 3.0, 0.25, nan], [2.0, -1.0, nan, 4.0]])
WIDE = np.where(np.random.default_rng(0).random((2, 3, 4)) < 0.3, nan, np.random.default_rng(1).normal(size=(2, 3, 4)))
EMPTY_ROW = np.array([[1.0, nan, 2.0], [nan, nan, nan]])
REDUCTIONS = "nansum nanprod nanmax nanmin nanmean nanvar nanstd".split()
DTYPES = [np.float64, np.float32, np.float16, np.int64, np.int32, np.uint8, np.bool_]
MASK = np.array([[True, True, False, True], [True, False, True, True], [False, True, True, True]])


def finite(dtype):
    return np.array([[3, 1, 2, 0], [5, 1, 4, 9]]).astype(dtype)


@pytest.mark.parametrize("name", REDUCTIONS)
@pytest.mark.parametrize("keepdims", [False, True])
def test_axes(name, keepdims):
    function = getattr(np, name)
    for x in (X, WIDE, WIDE.transpose(2, 0, 1)[::2], X[0], np.array(2.0)):
        for axis in (None, 0, -1, (0,), (0, 1), (1, 0), (0, 2)):
            axes = axis if isinstance(axis, tuple) else (0 if axis is None else axis,)
            if all(-x.ndim <= a < x.ndim for a in axes) or axis is None:
                same_as_numpy(lambda t, a=axis: function(t, axis=a, keepdims=keepdims), x)
    if name not in ("nanmean", "nanvar", "nanstd"):
        same_as_numpy(lambda t: function(t, axis=0), np.array(2.0))


@pytest.mark.parametrize("name", [*REDUCTIONS, "nancumsum", "nancumprod"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_dtypes(name, dtype):
    function = getattr(np, name)
    for x in (finite(dtype), X.astype(dtype)) if np.dtype(dtype).kind == "f" else (finite(dtype),):
        same_as_numpy(function, x)
        same_as_numpy(lambda t: function(t, axis=1), x)


@pytest.mark.parametrize("name", ["nansum", "nanprod", "nanmean", "nanvar", "nanstd", "nancumsum", "nancumprod"])
def test_dtype_argument(name):
    function = getattr(np, name)
    for dtype in (np.float32, np.float64):
        same_as_numpy(lambda t, d=dtype: function(t, axis=1, dtype=d), X.astype(np.float32), rtol=1e-6)
        same_as_numpy(lambda t, d=dtype: function(t, axis=1, dtype=d), finite(np.int64), rtol=1e-6)
    if name in ("nanmean", "nanvar", "nanstd"):
        same_error(lambda t: function(t, dtype=np.int64), X)


@pytest.mark.parametrize("name", REDUCTIONS)
def test_where_and_initial(name):
    function = getattr(np, name)
    masked = {"where": MASK} if name not in ("nanmax", "nanmin") else {"where": MASK, "initial": 0.75}
    for axis in (None, 0, 1):
        same_as_numpy(lambda t, a=axis: function(t, axis=a, **masked), X)
        same_as_numpy(lambda t, a=axis: function(t, axis=a, **{**masked, "where": MASK[0]}), X)
        if name in ("nansum", "nanprod", "nanmax", "nanmin"):
            same_as_numpy(lambda t, a=axis: function(t, axis=a, initial=1.25), X)
    if name in ("nanmax", "nanmin"):
        same_error(lambda t: function(t, where=MASK), X)
        same_as_numpy(lambda t: function(t, axis=0, initial=1.0), np.zeros((0, 2)))
        same_as_numpy(lambda t: function(t, axis=0, initial=3, where=[[True], [False]]), finite(np.int64))
        same_error(lambda t: function(t, axis=0), np.zeros((0, 2)))
        same_as_numpy(lambda t: function(t, axis=1), np.zeros((0, 2)))


@pytest.mark.parametrize("name", ["nanvar", "nanstd"])
def test_degrees_of_freedom(name):
    function = getattr(np, name)
    for ddof in (0, 1, 1.5, 2, 3):
        same_as_numpy(lambda t, d=ddof: function(t, axis=1, ddof=d), X)
        same_as_numpy(lambda t, d=ddof: function(t, axis=1, correction=d), X)
    same_as_numpy(lambda t: function(t, axis=1, mean=np.array([[0.5], [1.0], [2.0]])), X)
    with pytest.raises(TypeError, match=f"{name}: correction and ddof are two names"):
        getattr(f, name)(X, ddof=1, correction=2)


@pytest.mark.parametrize("name", [*REDUCTIONS, "nancumsum", "nancumprod"])
def test_nothing_left(name):
    function = getattr(np, name)
    same_as_numpy(lambda t: function(t, axis=1), EMPTY_ROW)
    same_as_numpy(function, EMPTY_ROW[1])
    if name not in ("nanmax", "nanmin"):
        same_as_numpy(lambda t: function(t, axis=0), np.zeros((0, 2)))


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("name", REDUCTIONS)
def test_what_is_not_nan_has_its_gradient_beside_a_group_of_nans(name):
    (t,) = tensors([EMPTY_ROW])
    getattr(np, name)(t, axis=1)[0].backward()
    (alone,) = tensors([EMPTY_ROW[0, [0, 2]]])
    getattr(np, name.removeprefix("nan"))(alone).backward()
    np.testing.assert_allclose(t.gradient, [[alone.gradient[0], 0, alone.gradient[1]], [0, 0, 0]], rtol=1e-14)


def smooth_beside_holes(function, x, *rest):
    """The derivatives in numbers, of which those in the places of nan in x are covered by nan."""
    numbers = np.where(np.isnan(x), 7.0, x)
    smooth(lambda t, *others: function(f.where(np.isnan(x), nan, t), *others), numbers, *rest)


@pytest.mark.parametrize("name", [*REDUCTIONS, "nancumsum", "nancumprod"])
@pytest.mark.parametrize("axis", [None, 0, -1])
def test_derivatives(name, axis):
    function = getattr(f, name)
    if axis is None or name != "nanstd":  # of one element it is 0, where it has a kink
        smooth_beside_holes(lambda t: function(t, axis), WIDE if axis != 0 else X)
    smooth_beside_holes(lambda t: function(t, axis), X)


def test_derivatives_in_initial_values_and_known_means():
    smooth_beside_holes(lambda t, a: f.nansum(t, 0, initial=a), X, np.array(2.0))
    smooth_beside_holes(lambda t, a: f.nanprod(t, 0, initial=a), X, np.array(2.0))
    smooth_beside_holes(lambda t, a: f.nanmax(t, 0, initial=a), X, np.array(2.5))
    smooth_beside_holes(lambda t, a: f.nanvar(t, 1, mean=a), X, np.array([[0.5], [1.0], [2.0]]))


def test_ties_share_and_infinities_count():
    for sign, function in ((1, np.nanmax), (-1, np.nanmin)):
        (t,) = tensors([sign * np.array([[1.0, 3.0, 3.0], [nan, -inf, nan], [nan, inf, 0.0]])])
        function(t, axis=1).sum().backward()
        np.testing.assert_array_equal(t.gradient, [[0, 0.5, 0.5], [0, 1, 0], [0, 1, 0]])


def test_the_slope_of_a_deviation_of_zero_is_zero():
    (t,) = tensors([np.array([2.0, nan, 2.0])])
    np.nanstd(t).backward()
    np.testing.assert_array_equal(t.gradient, [0.0, 0.0, 0.0])


def test_errors():
    with pytest.raises(np.exceptions.AxisError, match="nansum: axis 2 is out of range"):
        np.nansum(zen.ones((2, 2)), axis=2)
    with pytest.raises(ValueError, match=r"nansum: where of shape \(3,\) does not broadcast to shape \(2, 2\)"):
        f.nansum(zen.ones((2, 2)), where=[True, False, True])
    with pytest.raises(TypeError, match="nanmean: the values are float64, so dtype must be a floating one, not int64"):
        f.nanmean(zen.ones(2), dtype=np.int64)
    with pytest.raises(TypeError, match="nansum: where is a constant here"):
        f.nansum(zen.ones(2), where=zen.ones(2, requires_grad=True))


@pytest.mark.parametrize("name", ["nansum", "nanmean", "nanvar", "nanstd", "nancumsum"])
def test_complex_numbers(name):
    z = np.array([[1 + 2j, nan, 3 - 1j], [0.5j, 2.0, complex(1, nan)]])
    for dtype in (np.complex128, np.complex64):
        same_as_numpy(getattr(np, name), z.astype(dtype))
        same_as_numpy(lambda t: getattr(np, name)(t, axis=1), z.astype(dtype))
    smooth_complex(lambda t: getattr(f, name)(f.where(np.isnan(z), nan, t), axis=1), np.nan_to_num(z, nan=2.0))
