"""Reductions: axis patterns against NumPy, and the points where a derivative needs care."""

import numpy as np
import pytest

import zen
from zen import f
from zen.testing import check_gradients

X = np.random.default_rng(0).normal(size=(2, 3, 4))
AXES = [None, 0, -1, 2, (0, 2), (-1, 0), ()]
inf, nan = np.inf, np.nan


def gradient(function, x):
    t = zen.tensor(np.asarray(x, float), requires_grad=True)
    f.sum(function(t)).backward()
    return t.gradient


@pytest.mark.parametrize("name", "sum mean prod max min var std any all".split())
@pytest.mark.parametrize("axis", AXES, ids=str)
@pytest.mark.parametrize("keepdims", [False, True])
def test_axes_as_in_numpy(name, axis, keepdims):
    for x in (X, X.astype(np.float32), X.transpose(2, 0, 1)[::2], (X * 3).astype(np.int32), X > 0):
        try:
            expected = getattr(np, name)(x, axis=axis, keepdims=keepdims)
        except TypeError:
            continue
        found = getattr(f, name)(zen.tensor(x), axis=axis, keepdims=keepdims).array
        assert found.dtype == expected.dtype and found.shape == expected.shape
        np.testing.assert_allclose(found, expected, rtol=2e-6, atol=1e-7)


@pytest.mark.parametrize("name", ["argmax", "argmin"])
@pytest.mark.parametrize("axis", [None, 0, -1])
@pytest.mark.parametrize("keepdims", [False, True])
def test_indices_as_in_numpy(name, axis, keepdims):
    found = getattr(f, name)(zen.tensor(X), axis=axis, keepdims=keepdims).array
    np.testing.assert_array_equal(found, getattr(np, name)(X, axis=axis, keepdims=keepdims))
    assert found.dtype == np.int64


@pytest.mark.parametrize("axis", [None, 0, 1, -1])
def test_cumsum_as_in_numpy(axis):
    np.testing.assert_allclose(f.cumsum(zen.tensor(X), axis).array, np.cumsum(X, axis))
    check_gradients(lambda x: f.cumsum(x, axis) ** 2, [X[:, :2, :2]])


@pytest.mark.parametrize("dtype", [">f8", ">f4", ">i4"])
def test_mean_in_the_other_byte_order(dtype):
    assert f.mean(np.array([1, 2, 6], dtype)).item() == 3


def test_dtype_converts_before_the_reduction():
    assert f.sum(zen.tensor([1, 2]), dtype=zen.float32).dtype == np.float32
    t = zen.tensor([1.0, 2.0], dtype=zen.float32, requires_grad=True)
    f.sum(t, dtype=zen.float64).backward()
    assert t.gradient.dtype == np.float32


def test_ties_share_the_gradient():
    np.testing.assert_allclose(gradient(f.max, [1.0, 3.0, 3.0]), [0, 0.5, 0.5])
    np.testing.assert_allclose(gradient(lambda x: f.min(x, axis=0), [[1.0, 2.0], [1.0, 3.0]]), [[0.5, 1], [0.5, 0]])
    np.testing.assert_allclose(gradient(lambda x: f.max(x, axis=(0, 1)), np.ones((2, 2))), np.full((2, 2), 0.25))


def test_nan_takes_the_gradient_of_max():
    assert np.isnan(f.max(zen.tensor([1.0, nan])).item())
    np.testing.assert_allclose(gradient(f.max, [1.0, nan]), [0, 1])


def test_std_of_equal_elements_has_gradient_zero():
    np.testing.assert_array_equal(gradient(f.std, [2.0, 2.0, 2.0]), [0, 0, 0])
    np.testing.assert_array_equal(gradient(lambda x: f.std(x, axis=1), np.ones((2, 3))), np.zeros((2, 3)))


def test_correction_and_ddof_are_one():
    expected = np.var(X, axis=1, ddof=1)
    np.testing.assert_allclose(f.var(zen.tensor(X), axis=1, correction=1).array, expected)
    np.testing.assert_allclose(f.var(zen.tensor(X), axis=1, ddof=1).array, expected)
    assert np.isnan(f.var(zen.tensor([1.0]), correction=1).item())


def test_norm_at_zero_has_gradient_zero():
    for order in (None, 1, 2, 3, inf):
        np.testing.assert_array_equal(gradient(lambda x, o=order: f.norm(x, o), [0.0, 0.0]), [0, 0])


@pytest.mark.parametrize("order", [None, 1, 2, 3, 1.5, inf, -inf, 0])
def test_vector_norms(order):
    np.testing.assert_allclose(f.norm(zen.tensor(X), order, 1).array, np.linalg.norm(X, order, 1))
    np.testing.assert_allclose(f.norm(zen.tensor(X[0, 0]), order).array, np.linalg.norm(X[0, 0], order))
    if order != 0:
        check_gradients(lambda x: f.norm(x, order, 1), [X[0]])


@pytest.mark.parametrize("order", ["fro", 1, -1, inf, -inf])
def test_matrix_norms(order):
    np.testing.assert_allclose(f.norm(zen.tensor(X[0]), order).array, np.linalg.norm(X[0], order))
    for axes, keepdims in [((0, 2), False), ((2, 0), True)]:
        found = f.norm(zen.tensor(X), order, axes, keepdims).array
        np.testing.assert_allclose(found, np.linalg.norm(X, order, axes, keepdims))
    np.testing.assert_allclose(zen.linalg.matrix_norm(zen.tensor(X), ord=order).array, np.linalg.norm(X, order, (1, 2)))
    check_gradients(lambda x: f.norm(x, order), [X[0]])


def test_logsumexp_neither_overflows_nor_makes_nan_of_minus_infinity():
    x = np.array([[1000.0, 1000.0], [-inf, -inf], [-inf, 0.0], [inf, 0.0]])
    np.testing.assert_allclose(f.logsumexp(zen.tensor(x), axis=1).array, [1000 + np.log(2), -inf, 0, inf])
    np.testing.assert_allclose(gradient(lambda t: f.logsumexp(t, axis=1), x[:3]), [[0.5, 0.5], [0, 0], [0, 1]])


@pytest.mark.parametrize(
    ("name", "value"),
    [("sum", 0), ("prod", 1), ("mean", nan), ("var", nan), ("std", nan), ("logsumexp", -inf), ("norm", 0),
     ("all", 1), ("any", 0)],
)  # fmt: skip
def test_empty_reductions(name, value):
    assert f.__dict__[name](zen.zeros(0)).item() == pytest.approx(value, nan_ok=True)
    assert f.__dict__[name](zen.zeros((0, 2)), axis=0).shape == (2,)
    assert f.__dict__[name](zen.zeros((2, 0)), axis=0).shape == (0,)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda x: f.sum(x, axis=3), np.exceptions.AxisError, r"sum: axis 3 .*\(2, 3, 4\).*-3 to 2"),
        (lambda x: f.mean(x, axis=(0, -4)), IndexError, r"mean: axis -4"),
        (lambda x: f.max(x, axis=(1, -2)), ValueError, r"max: .*twice"),
        (lambda x: f.min(x, axis=1.5), TypeError, r"min: axis .*1\.5"),
        (lambda x: f.mean(1.0, axis=0), ValueError, r"0-d"),
        (lambda x: f.max(x[:, :0], axis=1), ValueError, r"max: no elements.*\(2, 0, 4\)"),
        (lambda x: f.argmax(x[:0]), ValueError, r"argmax: no elements"),
        (lambda x: f.cumsum(x, 5), ValueError, r"cumsum: axis 5"),
        (lambda x: f.norm(x, 2), ValueError, r"norm: ord=2.*axis"),
        (lambda x: f.norm(x[0, 0], "nuc"), ValueError, r"norm: ord='nuc'"),
        (lambda x: f.norm(x[0], "fro", 0), ValueError, r"norm: ord='fro' is no vector norm"),
    ],
)
def test_errors_name_operation_axis_and_shape(call, error, words):
    with pytest.raises(error, match=words):
        call(zen.tensor(X, requires_grad=True))


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_logsumexp_over_the_last_axis_of_any_layout(dtype):
    """Short and long rows, small and large numbers, gradients added to others."""
    tolerance = {"rtol": 1e-12} if dtype == "float64" else {"rtol": 2e-5, "atol": 1e-6}
    for shape in [(1,), (5,), (3, 1), (700, 3), (2, 3, 40), (4, 2500)]:
        x = np.random.default_rng(shape[-1]).normal(size=shape) * 3 + np.arange(shape[-1]) * 100
        x = x.astype(dtype).astype(float)
        for a in (x, np.asfortranarray(x), np.repeat(x, 2, -1)[..., ::2]):
            t = zen.from_numpy(a.astype(dtype, order="K")).requires_grad_()
            top = x.max(-1, keepdims=True)
            weights = np.exp(x - top)
            total = weights.sum(-1, keepdims=True)
            for keepdims in (False, True):
                t.grad = None
                y = f.logsumexp(t, axis=-1, keepdims=keepdims)
                expected = np.log(total) + top
                np.testing.assert_allclose(y.array, expected if keepdims else expected[..., 0], **tolerance)
                g = np.random.default_rng(0).normal(size=y.shape)
                y.backward(zen.tensor(g, dtype=dtype), retain_graph=True)
                (y * 2).backward(zen.tensor(g, dtype=dtype))
                g = g if keepdims else g[..., None]
                np.testing.assert_allclose(t.gradient, 3 * g * weights / total, rtol=3e-4, atol=1e-6)
