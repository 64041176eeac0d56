"""Variance, deviation, norms and extremes against NumPy, over every layout and at the points that need care."""

import numpy as np
import pytest

import zen

RNG = np.random.default_rng(0)
WIDE = RNG.normal(size=(40, 30, 35))  # more elements than kernels work on with the GIL held
ARRAYS = {
    "vector": RNG.normal(size=10),
    "C": RNG.normal(size=(4, 5, 6)),
    "Fortran": np.asfortranarray(RNG.normal(size=(4, 5, 6))),
    "transposed": RNG.normal(size=(6, 4, 5)).transpose(1, 2, 0),
    "reversed": RNG.normal(size=(4, 5, 12))[::-1, :, ::2],
    "wide": WIDE,
    "one": RNG.normal(size=(1, 3, 1)),
}
AXES = [None, 0, -1, (0, 2), (1,), ()]
FUNCTIONS = {
    "var": (zen.var, np.var), "std": (zen.std, np.std), "max": (zen.max, np.max), "min": (zen.min, np.min),
    "norm": (lambda x, axis, keepdims: zen.f.vector_norm(x, axis, keepdims=keepdims),
             lambda x, axis, keepdims: np.sqrt((x * x).sum(axis=axis, keepdims=keepdims))),
}  # fmt: skip


def applied(name, array, axis):
    axes = axis if isinstance(axis, tuple) else (0 if axis is None else axis,)
    return all(-array.ndim <= a < array.ndim for a in axes) and not (name in ("var", "std") and axis == ())


CASES = [(f, a, axis) for f in FUNCTIONS for a in ARRAYS for axis in AXES if applied(f, ARRAYS[a], axis)]


@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize(("name", "array", "axis"), CASES)
def test_values(name, array, axis, dtype, keepdims):
    function, expected = FUNCTIONS[name]
    x = ARRAYS[array].astype(dtype, order="K")
    made = function(zen.tensor(x, requires_grad=True), axis=axis, keepdims=keepdims)
    wanted = expected(x, axis=axis, keepdims=keepdims)
    assert made.dtype == dtype and made.shape == np.shape(wanted)
    np.testing.assert_allclose(made.array, wanted, rtol=2e-5 if dtype == np.float32 else 1e-12)


def slopes(name, x, axis):
    """The derivative of each group's value by each element, from its definition."""
    keep = {"axis": axis, "keepdims": True}
    if name in ("max", "min"):
        taken = x == getattr(np, name)(x, **keep)
        return taken / taken.sum(**keep)
    if name == "norm":
        return x / np.sqrt((x * x).sum(**keep))
    n = x.size / np.mean(x, **keep).size
    return 2 * (x - x.mean(**keep)) / n / (1 if name == "var" else 2 * x.std(**keep))


@pytest.mark.parametrize(("name", "array", "axis"), [case for case in CASES if case[1] != "one"])
def test_derivatives_of_both_modes(name, array, axis):
    function, _ = FUNCTIONS[name]
    x, t = ARRAYS[array], RNG.normal(size=ARRAYS[array].shape)
    slope = slopes(name, x, axis)
    leaf = zen.tensor(x, requires_grad=True)
    made = function(leaf, axis=axis, keepdims=True)
    weights = RNG.normal(size=made.shape)
    (made * weights).sum().backward()
    np.testing.assert_allclose(leaf.gradient, weights * slope, rtol=1e-9, atol=1e-12)
    _, tangent = zen.jvp(lambda x: function(x, axis=axis, keepdims=True), (x,), (t,))
    np.testing.assert_allclose(tangent, (slope * t).sum(axis=axis, keepdims=True), rtol=1e-9, atol=1e-12)


def test_ties_share_and_nans_take_the_gradient():
    x = np.array([[1.0, 3.0, 3.0], [np.nan, 1.0, np.nan], [-np.inf, np.inf, 0.0]])
    expected = [[0.0, 0.5, 0.5], [0.5, 0.0, 0.5], [0.0, 1.0, 0.0]]
    for sign, function in ((1, zen.max), (-1, zen.min)):
        leaf = zen.tensor(sign * x, requires_grad=True)
        function(leaf, axis=1).sum().backward()
        np.testing.assert_array_equal(leaf.gradient, expected)
        _, tangent = zen.jvp(lambda x, f=function: f(x, axis=1), (sign * x,), (np.array([[1.0, 2.0, 4.0]] * 3),))
        np.testing.assert_array_equal(tangent, [3.0, 2.5, 2.0])


def test_where_all_elements_are_equal_the_slope_is_zero():
    x, t = np.full((2, 3), 2.5), np.ones((2, 3))
    for function in (zen.std, lambda x, axis: zen.f.vector_norm(x - x, axis)):
        leaf = zen.tensor(x, requires_grad=True)
        function(leaf, axis=1).sum().backward()
        np.testing.assert_array_equal(leaf.gradient, np.zeros((2, 3)))
        _, tangent = zen.jvp(lambda x, f=function: f(x, axis=1), (x,), (t,))
        np.testing.assert_array_equal(tangent, [0.0, 0.0])


@pytest.mark.parametrize("correction", [0, 1, 1.5, 2, 3])
def test_corrections_up_to_and_beyond_the_number_of_elements(correction):
    x = zen.tensor([1.0, 4.0], requires_grad=True)
    with np.errstate(all="ignore"):
        expected = np.float64(4.5) / max(2 - correction, 0)
    np.testing.assert_array_equal(zen.var(x, correction=correction).array, expected)
    np.testing.assert_array_equal(zen.std(x, correction=correction).array, np.sqrt(expected))
    g = zen.gradients(zen.var(x, correction=correction), x).array
    if correction < 2:
        np.testing.assert_allclose(g, np.array([-3.0, 3.0]) / (2 - correction))
    else:
        assert np.isnan(g).all()


@pytest.mark.parametrize("correction", [np.nan, np.inf, 10**400, -np.inf])
def test_corrections_that_are_no_ordinary_numbers(correction):
    """None of these but the last leaves any freedom."""
    x = zen.tensor([1.0, 4.0], requires_grad=True)
    expected = 0.0 if correction == -np.inf else np.inf
    for function in (zen.var, zen.std):
        np.testing.assert_array_equal(function(x, correction=correction).array, expected)


@pytest.mark.parametrize("function", [zen.var, zen.std, zen.f.vector_norm])
def test_groups_without_elements_do_not_move(function):
    y, tangent = zen.jvp(lambda x: function(x, axis=1), (np.ones((2, 0)),), (np.ones((2, 0)),))
    assert y.shape == (2,)
    np.testing.assert_array_equal(tangent, [0.0, 0.0])
    _, tangent = zen.jvp(function, (np.ones(0),), (np.ones(0),))
    np.testing.assert_array_equal(tangent, 0.0)


def test_no_warning_comes_from_special_values():
    with np.errstate(all="raise"):
        for values in ([0.0, 0.0], [np.inf, 1.0], [np.nan, 1.0], [1e300, -1e300]):
            for function, _ in FUNCTIONS.values():
                x = zen.tensor(values, requires_grad=True)
                function(x, axis=None, keepdims=False).backward()
                zen.jvp(lambda x, f=function: f(x, axis=None, keepdims=False), (np.array(values),), (np.ones(2),))
