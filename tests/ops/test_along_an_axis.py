"""Running sums and products along axes of lengths around the kernels' blocks, in every layout."""

import numpy as np
import pytest

import zen
from zen import backend, f

RNG = np.random.default_rng(0)
SHAPES = [
    (1,),
    (7,),
    (9, 1),
    (3, 4),
    (4, 5),
    (6, 300),
    (300, 3),
    (2, 5, 257),
    (5, 0),
    (0, 5),
    (4099,),
    (2, 4101),
    (1, 9),
]
CASES = [(shape, axis) for shape in SHAPES for axis in range(len(shape))]


def laid(a):
    return [a, np.asfortranarray(a), a[::-1], np.repeat(a, 2, -1)[..., ::2]]


def pulled(function, a, w):
    x = zen.tensor(a, requires_grad=True)
    y = function(x)
    y.backward(zen.tensor(w))
    return y.array, x.gradient


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("shape", "axis"), CASES)
def test_running_sums_from_both_ends(shape, axis, dtype):
    w = RNG.normal(size=shape).astype(dtype)
    owed = np.flip(np.cumsum(np.flip(w.astype(np.float64), axis), axis), axis)
    for a in laid(RNG.normal(size=shape).astype(dtype)):
        y, gradient = pulled(lambda x: f.cumsum(x, axis), a, w)
        np.testing.assert_array_equal(y, np.cumsum(a, axis))
        np.testing.assert_allclose(gradient, owed, rtol=0, atol=1e-3 if dtype == np.float32 else 1e-11)
        assert gradient.dtype == dtype


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize(("shape", "axis"), CASES)
def test_gradient_of_a_product_is_that_of_the_others(shape, axis, dtype):
    drawn = np.exp(RNG.normal(size=shape) / max(shape[axis], 1) ** 0.5 / 2).astype(dtype)
    one, two = drawn.copy(), drawn.copy()
    np.moveaxis(one, axis, 0)[-1:] = 0
    np.moveaxis(two, axis, 0)[:2] = 0
    for a in [b for values in (drawn, one, two) for b in laid(values)]:
        exact = a.astype(np.float64)
        lines = np.moveaxis(exact, axis, 0)
        expected = np.empty(shape)
        for k in {0, 1, len(lines) // 2, len(lines) - 1} & set(range(len(lines))):
            np.moveaxis(expected, axis, 0)[k] = np.delete(lines, k, 0).prod(0)
            _, gradient = pulled(lambda x: f.prod(x, axis), a, np.ones(np.delete(shape, axis), dtype))
            np.testing.assert_allclose(
                np.moveaxis(gradient, axis, 0)[k], np.moveaxis(expected, axis, 0)[k],
                rtol={2: 2e-1, 4: 1e-3, 8: 1e-11}[a.itemsize],
            )  # fmt: skip
            assert gradient.dtype == dtype


@pytest.mark.parametrize("axes", [(0, 1), (1, 2), (2, 0), (2, 1), (0, 2), (0, 1, 2), (1,)])
def test_products_over_several_axes(axes):
    a = RNG.normal(size=(2, 3, 4))
    _, gradient = pulled(
        lambda x: f.prod(x, axes, keepdims=True), a, np.ones([1 if k in axes else n for k, n in enumerate(a.shape)])
    )
    np.testing.assert_allclose(gradient, np.prod(a, axes, keepdims=True) / a)


def test_a_product_that_leaves_the_range_of_floats_on_the_way():
    x = zen.tensor([1e200, 1e200, 1e-300], requires_grad=True)
    f.prod(x).backward()
    np.testing.assert_allclose(x.gradient[:2], [1e-100, 1e-100])


def test_nan_and_infinity_in_running_sums_and_products():
    a = np.array([1.0, np.nan, 2.0, np.inf])
    _, gradient = pulled(f.prod, a, np.ones(()))
    np.testing.assert_array_equal(gradient, [np.nan, np.inf, np.nan, np.nan])
    np.testing.assert_array_equal(f.cumsum(zen.tensor([1.0, np.inf, -np.inf, 1.0])).array, [1, np.inf, np.nan, np.nan])
    assert np.signbit(f.cumsum(zen.tensor([[-0.0, -0.0]] * 5), 1).array).all()


def test_the_kernels_refuse_what_they_cannot_read():
    for kernel in (lambda x, axis: backend.kernels.along.running_sum(x, axis, True), backend.kernels.along.prod_others):
        with pytest.raises(ValueError, match="axis"):
            kernel(np.ones(3), 1)


@pytest.mark.parametrize("count", [0, 1, 5, 700])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize(("shape", "axis"), [c for c in CASES if c[0][c[1]] and c[0] != (4099,)])
def test_taking_along_an_axis(shape, axis, dtype, count):
    n = shape[axis]
    at = RNG.integers(-n, n, (*shape[:axis], count, *shape[axis + 1 :]))
    w = RNG.normal(size=at.shape).astype(dtype)
    expected = np.zeros(shape)
    key = list(np.indices(at.shape))
    key[axis] = at
    np.add.at(expected, tuple(key), w)
    for a in laid(RNG.normal(size=shape).astype(dtype)):
        y, gradient = pulled(lambda x: f.take_along_axis(x, at, axis), a, w)
        np.testing.assert_array_equal(y, np.take_along_axis(a, at, axis))
        assert gradient.dtype == dtype
        np.testing.assert_allclose(gradient, expected, rtol={2: 3e-3, 4: 1e-5, 8: 1e-12}[a.itemsize], atol=1e-2)


def test_indices_overwritten_after_taking_change_nothing():
    at = np.array([[0], [1]])
    x = zen.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    y = f.take_along_axis(x, at, 1)
    at[:] = 0
    y.sum().backward()
    np.testing.assert_array_equal(x.gradient, [[1, 0], [0, 1]])


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.int32, np.bool_])
@pytest.mark.parametrize(("shape", "axis"), CASES)
def test_sorting_keeps_the_order_of_equal_elements(shape, axis, dtype, descending):
    drawn = RNG.integers(-3, 4, shape).astype(dtype)
    if drawn.dtype.kind == "f":
        hard = [np.nan, -0.0, 0.0, np.inf, -np.inf, -np.nan, 1e-7, -1e-7]
        drawn.reshape(-1)[: len(hard)] = hard[: drawn.size]
    for a in laid(drawn):
        order = f.argsort(zen.tensor(a), axis, descending=descending).array
        sorted_by = np.argsort(np.flip(a, axis) if descending else a, axis=axis, kind="stable")
        value = np.flip(a.shape[axis] - 1 - sorted_by, axis) if descending else sorted_by
        np.testing.assert_array_equal(order, value)
        assert order.dtype == np.int64
        y = f.sort(zen.tensor(a), axis, descending=descending).array
        np.testing.assert_array_equal(y, np.take_along_axis(a, value, axis))
        np.testing.assert_array_equal(np.signbit(y), np.signbit(np.take_along_axis(a, value, axis)))


@pytest.mark.parametrize("shape", [(4, 4), (3, 5), (5, 3), (2, 3, 4), (1, 6), (0, 3), (3, 0)])
def test_diagonals_of_every_pair_of_axes(shape):
    for a in laid(RNG.normal(size=shape)):
        for axis1 in range(a.ndim):
            for axis2 in set(range(a.ndim)) - {axis1}:
                for offset in range(-6, 7):
                    expected = np.diagonal(a, offset, axis1, axis2)
                    x = zen.tensor(a, requires_grad=True)
                    y = f.diagonal(x, offset, axis1, axis2)
                    np.testing.assert_array_equal(y.array, expected)
                    assert not np.shares_memory(y.array, x.array)
                    np.testing.assert_allclose(f.trace(x, offset, axis1, axis2).array, expected.sum(-1))
                    w = RNG.normal(size=expected.shape)
                    y.backward(zen.tensor(w))
                    np.testing.assert_array_equal(np.diagonal(x.gradient, offset, axis1, axis2), w)
                    assert np.count_nonzero(x.gradient) == w.size


def test_kernels_of_positions_check_them():
    k, x, at = backend.kernels.places, np.zeros((2, 3)), np.zeros((2, 1), np.int64)
    assert k.positions(np.array([[-4]]), 3) is None
    assert k.positions(np.array([3]), 3) is None
    assert k.positions(np.array([-3, 2]), 3).tolist() == [0, 2]
    for call in (lambda: k.take_along(x, at + 3, 1), lambda: k.add_along(x[:, :1], at + 3, 3, 1)):
        with pytest.raises(IndexError):
            call()


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize(("shape", "axis"), CASES)
def test_gradient_of_a_running_product(shape, axis, dtype):
    drawn = np.exp(RNG.normal(size=shape) / max(shape[axis], 1) ** 0.5 / 4).astype(dtype)
    np.moveaxis(drawn, axis, 0)[2:3] = 0
    w = RNG.normal(size=shape).astype(dtype)
    exact, owed = np.moveaxis(drawn.astype(np.float64), axis, 0), np.moveaxis(w.astype(np.float64), axis, 0)
    for a in laid(drawn):
        lines, wanted = np.moveaxis(a.astype(np.float64), axis, 0), {0, 1, 2, 3} & set(range(len(exact)))
        y, gradient = pulled(lambda x: f.cumprod(x, axis), a, w)
        np.testing.assert_allclose(y, np.cumprod(a, axis))
        for k in wanted:
            others = lines.copy()
            others[k] = 1
            expected = (owed * np.cumprod(others, 0))[k:].sum(0)
            tolerance = {2: 0.2, 4: 1e-2, 8: 1e-10}[a.itemsize]
            found = np.moveaxis(gradient, axis, 0)[k]
            np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance * max(1, len(lines)) ** 0.5)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_logaddexp_at_infinities_and_far_apart(dtype):
    hard = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, 1e-30, 1e30, -1e30, 88.0, -104.0], dtype)
    a, b = np.repeat(hard, len(hard)), np.tile(hard, len(hard))
    with np.errstate(all="ignore"):
        expected = np.logaddexp(a, b)
    found = f.logaddexp(zen.tensor(a), zen.tensor(b)).array
    np.testing.assert_allclose(found, expected, rtol=4 * np.finfo(dtype).eps)
