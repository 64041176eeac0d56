"""Unpooling and fractional pooling: values and gradients from what they mean, and errors."""

import numpy as np
import pytest

import zen
from zen import f, nn, testing

RNG = np.random.default_rng(3)
SHAPES = {1: (2, 3, 8), 2: (2, 3, 6, 4), 3: (2, 2, 4, 4, 6)}


@pytest.mark.parametrize("axes", [1, 2, 3])
@pytest.mark.parametrize("batch", [True, False])
def test_the_largest_of_each_window_stays_where_it_was(axes, batch):
    x = RNG.permutation(np.prod(SHAPES[axes])).reshape(SHAPES[axes]).astype(np.float32)[slice(None) if batch else 0]
    y, at = getattr(f, f"max_pool{axes}d")(zen.tensor(x), 2, return_indices=True)
    back = getattr(f, f"max_unpool{axes}d")(y, at, 2)
    assert back.shape == x.shape and back.dtype == np.float32
    kept = back.numpy() != 0
    np.testing.assert_array_equal(back.numpy()[kept], x[kept])
    np.testing.assert_array_equal(getattr(f, f"max_pool{axes}d")(back, 2).numpy(), y.numpy())


@pytest.mark.parametrize("axes", [1, 2, 3])
def test_derivatives(axes):
    x = RNG.normal(size=SHAPES[axes])
    y, at = getattr(f, f"max_pool{axes}d")(zen.tensor(x), 2, return_indices=True)
    function = getattr(f, f"max_unpool{axes}d")
    testing.check_gradients(lambda v: function(v, at, 2) ** 3, [y.numpy()])
    tangent = zen.jvp(lambda v: function(v, at, 2), (y.numpy(),), (np.ones(y.shape),))[1]
    np.testing.assert_array_equal(np.asarray(tangent), function(np.ones(y.shape), at, 2).numpy())


def test_of_two_values_for_one_place_the_last_counts():
    v = zen.tensor([[[1.0, 2.0]]], requires_grad=True)
    y = f.max_unpool1d(v, [[[1, 1]]], 2)
    assert y.tolist() == [[[0.0, 2.0, 0.0, 0.0]]]
    y.sum().backward()
    assert v.grad.tolist() == [[[0.0, 1.0]]]


def test_sizes_that_pool_to_the_same():
    y, at = f.max_pool2d(zen.arange(35.0).reshape((1, 1, 7, 5)), 2, return_indices=True)
    for size in ((7, 5), (1, 1, 7, 5), [7, 5]):
        assert f.max_unpool2d(y, at, 2, output_size=size).shape == (1, 1, 7, 5)
    layer = nn.MaxUnpool2d(2)
    assert layer(y, at, output_size=(7, 5)).tolist() == f.max_unpool2d(y, at, 2, output_size=(7, 5)).tolist()
    assert repr(layer) == "MaxUnpool2d(kernel_size=2, stride=2, padding=0)"
    with pytest.raises(ValueError, match=r"max_unpool2d: output_size \(8, 5\) .*had sizes 5 to 7 x 3 to 5"):
        f.max_unpool2d(y, at, 2, output_size=(8, 5))


@pytest.mark.parametrize(("call", "kind", "message"), [
    (lambda: f.max_unpool1d(np.ones((1, 1, 2)), [[[0, 4]]], 2), IndexError, "index 4 is out of range for the 4"),
    (lambda: f.max_unpool1d(np.ones((1, 1, 2)), [[[0, -1]]], 2), IndexError, "index -1 is out of range"),
    (lambda: f.max_unpool1d(np.ones((1, 1, 2)), [[[0.0, 1.0]]], 2), ValueError, "dtype float64 .* expected ints"),
    (lambda: f.max_unpool1d(np.ones((1, 1, 2)), [[0, 1]], 2), ValueError, r"shape \(1, 2\) and .*expected ints of the"),
    (lambda: f.max_unpool2d(np.ones((1, 2)), [[0, 1]], 2), ValueError, "must have 4 axes .batch, channels, height, wi"),
    (lambda: f.max_unpool1d(np.ones((1, 1, 1)), [[[0]]], 2, padding=1), ValueError, r"would give size \(0,\)"),
    (lambda: f.fractional_max_pool2d(np.ones((1, 4, 4)), 2), ValueError, "give output_size or output_ratio, one"),
    (lambda: f.fractional_max_pool2d(np.ones((1, 4, 4)), 2, 2, 0.5), ValueError, "give output_size or output_ratio, o"),
    (lambda: f.fractional_max_pool2d(np.ones((1, 4, 4)), 2, 4), ValueError, "4 windows of length 2 .* at most 3 do"),
    (lambda: f.fractional_max_pool2d(np.ones((1, 4, 4)), 2, output_ratio=1.5), ValueError, "between 0 and 1"),
    (lambda: f.fractional_max_pool2d(np.ones((1, 4, 4)), 2, 2, _random_samples=np.ones((1, 1, 2))), ValueError,
     "expected numbers from 0 to 1"),
    (lambda: f.fractional_max_pool2d(np.ones((1, 4, 4)), 2, 2, _random_samples=np.zeros((1, 1, 3))), ValueError,
     r"_random_samples of shape \(1, 1, 3\)"),
    (lambda: nn.FractionalMaxPool2d(2), ValueError, "FractionalMaxPool2d: give output_size or output_ratio"),
])  # fmt: skip
def test_errors(call, kind, message):
    with pytest.raises(kind, match=message):
        call()


@pytest.mark.parametrize("axes", [2, 3])
def test_fractional_windows(axes):
    """Windows cover the axis from its start to its end; each value is the largest of the window that it comes from."""
    x = RNG.normal(size=(2, 3, *(11, 9, 7)[:axes]))
    function = getattr(f, f"fractional_max_pool{axes}d")
    y, at = function(zen.tensor(x), 3, output_size=4, return_indices=True, generator=np.random.default_rng(0))
    assert y.shape == at.shape == (2, 3, *(4,) * axes)
    flat = x.reshape(6, -1)
    np.testing.assert_array_equal(np.take_along_axis(flat, at.numpy().reshape(6, -1), 1), y.numpy().reshape(6, -1))
    corner = x[(slice(None), slice(None), *[slice(-3, None)] * axes)].reshape(2, 3, -1).max(-1)
    np.testing.assert_array_equal(y.numpy().reshape(2, 3, -1)[..., -1], corner)  # the last window ends with the axis
    again = function(zen.tensor(x), 3, output_size=4, generator=np.random.default_rng(0))
    np.testing.assert_array_equal(again.numpy(), y.numpy())
    alone = function(zen.tensor(x[0]), 3, output_ratio=0.5, generator=np.random.default_rng(0))
    assert alone.shape == (3, *(5, 4, 3)[:axes])


def test_one_window_is_the_last_one():
    x = RNG.normal(size=(1, 2, 5, 5))
    y = f.fractional_max_pool2d(x, (2, 3), output_size=1)
    np.testing.assert_array_equal(y.numpy()[..., 0, 0], x[..., -2:, -3:].max((-2, -1)))


@pytest.mark.parametrize("axes", [2, 3])
def test_derivatives_of_fractional(axes):
    x = RNG.normal(size=(1, 2, *(5, 6, 4)[:axes]))
    samples = RNG.random((1, 2, axes))
    function = getattr(f, f"fractional_max_pool{axes}d")
    testing.check_gradients(lambda v: function(v, 2, 3, _random_samples=samples) ** 3, [x])


def test_nan_and_ties_of_fractional():
    x = np.zeros((1, 3, 3))
    x[0, 1, 1] = np.nan
    assert np.isnan(f.fractional_max_pool2d(x, 2, 2).numpy()).all()
    t = zen.tensor(np.zeros((1, 2, 2)), requires_grad=True)
    f.fractional_max_pool2d(t, 2, 1).sum().backward()
    assert t.grad.tolist() == [[[1.0, 0.0], [0.0, 0.0]]]
