"""Unbroadcasting: the gradient of broadcasting is the sum over the axes along which a value was repeated."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from layouts import LAYOUTS

import zen
from zen import backend

DTYPES = [np.float16, np.float32, np.float64]
TOLERANCE = {np.float16: 2e-2, np.float32: 1e-5, np.float64: 1e-13}


def summed(a, shape):
    """The definition: element j of the result is the sum of all elements of `a` that broadcasting made from j."""
    out = np.zeros(shape)
    source = np.broadcast_to(np.arange(out.size).reshape(shape), a.shape)
    np.add.at(out.reshape(-1), source.reshape(-1), a.astype(np.float64).reshape(-1))
    return out


def check(a, shape):
    result = backend.unbroadcast(a, shape)
    assert isinstance(result, np.ndarray) and result.shape == shape
    assert result.dtype == a.dtype
    tolerance = TOLERANCE[a.dtype.type]
    np.testing.assert_allclose(result, summed(a, shape), rtol=tolerance, atol=tolerance * (a.size + 1))


def axis_patterns(ndim):
    """Every way to have been broadcast to `ndim` axes: leading axes added, any others stretched from 1."""
    for added in range(ndim + 1):
        yield from ((added, stretched) for stretched in itertools.product([False, True], repeat=ndim - added))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("sizes", [(), (7,), (3, 5), (2, 3, 4), (2, 3, 2, 3), (2, 1, 3, 2, 2)], ids=str)
def test_every_axis_pattern(sizes, dtype):
    a = np.asarray(np.random.default_rng(0).standard_normal(sizes), dtype)
    for added, stretched in axis_patterns(a.ndim):
        shape = tuple(1 if s else n for s, n in zip(stretched, sizes[added:], strict=True))
        check(a, shape)
        for layout in LAYOUTS:
            check(layout(a), shape)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("sizes", [(300, 300), (40000,), (2, 50000), (50000, 2), (40, 30, 60), (17, 3, 1000)], ids=str)
def test_every_axis_pattern_of_a_large_array(sizes, dtype):
    a = np.random.default_rng(0).integers(-8, 8, sizes).astype(dtype)  # whole numbers: sums are exact
    for added, stretched in axis_patterns(a.ndim):
        shape = tuple(1 if s else n for s, n in zip(stretched, sizes[added:], strict=True))
        axes = tuple(k for k in range(a.ndim) if k < added or stretched[k - added])
        for array in (a, a.T.copy().T, a[::-1]):
            expected = array.sum(axis=axes, dtype=np.float64).reshape(shape)
            np.testing.assert_array_equal(backend.unbroadcast(array, shape), expected)


def test_a_long_float32_sum_keeps_its_precision():
    a = np.full((1000, 1000), 0.1, np.float32)
    np.testing.assert_allclose(backend.unbroadcast(a, (1000,)), a.sum(axis=0, dtype=np.float64), rtol=1e-5)
    rows = a.sum(axis=1, keepdims=True, dtype=np.float64)
    np.testing.assert_allclose(backend.unbroadcast(a, (1000, 1)), rows, rtol=1e-5)
    np.testing.assert_allclose(backend.unbroadcast(a, ()), a.sum(dtype=np.float64), rtol=1e-4)


@pytest.mark.parametrize(
    ("full", "shape"),
    [((0,), ()), ((0,), (1,)), ((3, 0), (3, 1)), ((3, 0), (1, 0)), ((0, 3), (3,)), ((0, 0), (1, 1))],
    ids=str,
)
def test_the_sum_over_nothing_is_zero(full, shape):
    for dtype in DTYPES:
        check(np.empty(full, dtype), shape)


def test_more_axes_than_usual():
    check(np.ones((1, 2) * 8), (1,) * 16)
    check(np.ones((1,) * 60 + (2, 3)), (1, 3))
    check(np.ones((2,) + (1,) * 63), (1,) * 64)


def test_nothing_to_do_returns_the_array_itself():
    a = np.ones((2, 3))
    assert backend.unbroadcast(a, (2, 3)) is a


@pytest.mark.parametrize(("full", "shape"), [((3,), (2,)), ((3,), (1, 3)), ((2, 3), (2,)), ((), (1,))], ids=str)
def test_a_shape_that_does_not_broadcast_is_refused(full, shape):
    with pytest.raises(ValueError, match="unbroadcast") as error:
        backend.unbroadcast(np.ones(full), shape)
    assert str(full) in str(error.value) and str(shape) in str(error.value)


pairs = hnp.mutually_broadcastable_shapes(num_shapes=2, max_dims=5, min_side=0, max_side=4)
layouts = st.sampled_from([lambda a: a, *LAYOUTS])


@given(pairs, layouts, st.sampled_from(DTYPES), st.randoms(use_true_random=False))
def test_unbroadcast_of_random_shapes(shapes, layout, dtype, random):
    values = np.asarray(np.random.default_rng(random.randrange(1 << 30)).standard_normal(shapes.result_shape), dtype)
    for shape in shapes.input_shapes:
        check(layout(values), shape)


# d(loss)/da of loss = sum(w * f(a, b)), before unbroadcasting, from the textbook.
BINARY = {
    "add": (lambda a, b: a + b, lambda a, b: (1.0, 1.0)),
    "subtract": (lambda a, b: a - b, lambda a, b: (1.0, -1.0)),
    "multiply": (lambda a, b: a * b, lambda a, b: (b, a)),
    "divide": (lambda a, b: a / b, lambda a, b: (1 / b, -a / b**2)),
    "power": (lambda a, b: a**b, lambda a, b: (b * a ** (b - 1), a**b * np.log(a))),
    "where": (lambda a, b: zen.where(a.array < b.array, a, b), lambda a, b: (1.0 * (a < b), 1.0 * (a >= b))),
}


@pytest.mark.parametrize("name", BINARY)
@given(shapes=pairs, first=layouts, second=layouts, seed=st.integers(0, 1 << 30))
def test_gradients_of_broadcast_operands(name, shapes, first, second, seed):
    f, derivative = BINARY[name]
    rng = np.random.default_rng(seed)
    x, y = (np.asarray(rng.uniform(0.5, 2.0, s)) for s in shapes.input_shapes)
    weight = np.asarray(rng.standard_normal(shapes.result_shape))
    a, b = zen.Tensor(first(x)), zen.Tensor(second(y))
    f(a, b).backward(weight)
    for t, d in zip((a, b), derivative(x, y), strict=True):
        expected = summed(np.broadcast_to(weight * d, shapes.result_shape), t.shape)
        np.testing.assert_allclose(t.gradient, expected, rtol=1e-12, atol=1e-12)


@given(pairs, st.integers(0, 1 << 30))
def test_an_operand_used_twice_in_two_shapes(shapes, seed):
    rng = np.random.default_rng(seed)
    x, y = (np.asarray(rng.uniform(0.5, 2.0, s)) for s in shapes.input_shapes)
    a, b = zen.Tensor(x), zen.Tensor(y)
    ((a + b) * a + a * 2.0 + b).backward(np.ones(shapes.result_shape))
    for t, derivative in ((a, 2 * x + y + 2), (b, x + 1)):
        expected = summed(np.broadcast_to(derivative, shapes.result_shape), t.shape)
        np.testing.assert_allclose(t.gradient, expected, rtol=1e-12, atol=1e-12)
