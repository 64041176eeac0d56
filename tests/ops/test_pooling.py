"""Pooling beyond what test_rows.py draws: the windows, ties and nan, derivatives, errors."""

import re

import numpy as np
import pytest
from layouts import LAYOUTS

import zen
from zen.testing import check_gradients

RNG = np.random.default_rng(0)


def draw(*shape, dtype=np.float64):
    return RNG.permutation(int(np.prod(shape))).reshape(shape).astype(dtype)  # no two are equal: no kinks nearby


def pooled(x, kernel, stride, padding, reduce, fill, dilation=(1, 1)):
    """Windows one by one over the padded images; only whole windows count."""
    x = np.pad(x, [(0, 0), (0, 0), *[(p, p) for p in padding]], constant_values=fill)
    reach = [d * (k - 1) + 1 for d, k in zip(dilation, kernel, strict=True)]
    count = [(n - r) // s + 1 for n, r, s in zip(x.shape[2:], reach, stride, strict=True)]
    out = np.zeros((*x.shape[:2], *count))
    for i, j in np.ndindex(*count):
        a, b = i * stride[0], j * stride[1]
        out[:, :, i, j] = reduce(x[:, :, a : a + reach[0] : dilation[0], b : b + reach[1] : dilation[1]], axis=(2, 3))
    return out


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("kernel", "stride", "padding", "dilation"), [
    ((2, 2), (2, 2), (0, 0), (1, 1)), ((2, 2), (1, 1), (0, 0), (1, 1)), ((3, 2), (2, 3), (1, 1), (1, 1)),
    ((2, 3), (1, 2), (0, 1), (2, 2)), ((2, 2), (2, 2), (1, 1), (1, 1)), ((5, 7), (1, 1), (0, 0), (1, 1)),
])  # fmt: skip
def test_windows(kernel, stride, padding, dilation, dtype):
    x = draw(2, 3, 5, 7, dtype=dtype)
    y = zen.f.max_pool2d(x, kernel, stride, padding, dilation)
    assert y.dtype == dtype
    np.testing.assert_array_equal(y.array, pooled(x, kernel, stride, padding, np.max, -np.inf, dilation))
    if dilation == (1, 1):
        y = zen.f.avg_pool2d(x, kernel, stride, padding)
        assert y.dtype == dtype
        np.testing.assert_allclose(y.array, pooled(x, kernel, stride, padding, np.mean, 0), rtol=1e-6)


def test_positions_name_the_elements():
    x = zen.Tensor(draw(2, 3, 5, 7))
    y, index = zen.f.max_pool2d(x, 2, 2, 1, return_indices=True)
    assert index.dtype == np.int64 and not index.requires_grad
    np.testing.assert_array_equal(np.take_along_axis(x.array.reshape(2, 3, 35), index.array.reshape(2, 3, -1), 2),
                                  y.array.reshape(2, 3, -1))  # fmt: skip
    assert y.requires_grad
    plain, again = zen.f.max_pool2d(x.array, 2, 2, 1, return_indices=True)
    np.testing.assert_array_equal(again.array, index.array)
    row, places = zen.f.max_pool1d([[1.0, 5.0, 2.0]], 3, return_indices=True)
    assert (row.tolist(), places.tolist()) == ([[5.0]], [[1]])


def test_ties_and_nan():
    x = zen.Tensor([[[1.0, 1.0, np.nan, 2.0], [1.0, 1.0, 3.0, np.nan]]])
    y, index = zen.f.max_pool2d(x, 2, return_indices=True)
    assert y.tolist()[0][0][0] == 1.0 and np.isnan(y.array[0, 0, 1])
    assert index.tolist() == [[[0, 2]]]  # the first
    y.backward(np.array([[[5.0, 7.0]]]))
    np.testing.assert_array_equal(x.gradient, [[[5.0, 0.0, 7.0, 0.0], [0.0, 0.0, 0.0, 0.0]]])
    assert zen.f.max_pool1d(np.full((1, 4), -np.inf), 2).tolist() == [[-np.inf, -np.inf]]
    np.testing.assert_array_equal(zen.f.max_pool1d([[1.0, np.nan, 3.0]], 3).array, [[np.nan]])  # not a pair


def test_overlapping_windows_add_up():
    x = zen.Tensor([[1.0, 5.0, 2.0, 3.0]])
    zen.f.max_pool1d(x, 2, 1).backward(np.array([[1.0, 10.0, 100.0]]))
    assert x.gradient.tolist() == [[0.0, 11.0, 0.0, 100.0]]
    x = zen.Tensor([[1.0, 5.0, 2.0, 3.0]])
    zen.f.avg_pool1d(x, 2, 1).backward(np.array([[2.0, 20.0, 200.0]]))
    assert x.gradient.tolist() == [[1.0, 11.0, 110.0, 100.0]]


def test_derivatives():
    x = draw(1, 2, 4, 5) * 0.1
    for function in (
        lambda x: zen.f.max_pool2d(x, (2, 3), (2, 1), (1, 0)) ** 2,
        lambda x: zen.f.avg_pool2d(x, 3, 2, 1, ceil_mode=True, count_include_pad=False) ** 2,
        lambda x: zen.f.adaptive_avg_pool2d(x, (3, 2)) ** 2,
        lambda x: zen.f.adaptive_max_pool2d(x, (None, 2)) ** 2,
        lambda x: zen.f.max_pool1d(x[0, 0], 2) * zen.f.avg_pool1d(x[0, 0], 2),
    ):
        check_gradients(function, [x], order=2, rtol=2e-6, atol=2e-6)


def test_ceiling_and_what_counts_in_a_mean():
    x = np.arange(1.0, 8.0).reshape(1, 7)
    assert zen.f.max_pool1d(x, 3, 3).tolist() == [[3.0, 6.0]]
    assert zen.f.max_pool1d(x, 3, 3, ceil_mode=True).tolist() == [[3.0, 6.0, 7.0]]
    assert zen.f.avg_pool1d(x, 3, 3, ceil_mode=True).tolist() == [[2.0, 5.0, 7.0]]  # what lies beyond never counts
    assert zen.f.avg_pool1d(x, 3, 3, 1).tolist() == [[1.0, 4.0, (6 + 7) / 3 + (5 - 5)]]
    assert zen.f.avg_pool1d(x, 3, 3, 1, count_include_pad=False).tolist() == [[1.5, 4.0, 6.5]]
    # a last window that would start in the padding at the end is left out
    assert zen.f.max_pool1d(np.arange(4.0).reshape(1, 4), 2, 3, 1, ceil_mode=True).shape == (1, 2)
    image = np.ones((1, 3, 3))
    assert zen.f.avg_pool2d(image, 3, divisor_override=2).tolist() == [[[4.5]]]


def test_dilated_windows_that_meet_the_padding_alone():
    x = zen.Tensor([[[1.0, 2.0], [3.0, np.nan]]])
    y, index = zen.f.max_pool2d(x, 2, 1, 1, 3, return_indices=True)
    assert (y.tolist(), index.tolist()) == ([[[-np.inf]]], [[[-1]]])
    x = zen.Tensor(np.arange(1.0, 5.0).reshape(1, 4))
    y, index = zen.f.max_pool1d(x, 2, 1, 1, 5, return_indices=True)
    assert (y.tolist(), index.tolist()) == ([[-np.inf]], [[-1]])
    y, index = zen.f.max_pool1d(x, 2, 1, 1, 4, return_indices=True)  # (-1, 3), (0, 4)
    assert (y.tolist(), index.tolist()) == ([[4.0, 1.0]], [[3, 0]])
    (y[0, 0] + zen.f.max_pool1d(x, 2, 1, 1, 5)[0, 0]).backward()  # nothing gets the gradient of the second
    assert x.gradient.tolist() == [[0.0, 0.0, 0.0, 1.0]]
    assert zen.f.max_pool1d(np.ones((1, 4), np.float16), 2, 1, 1, 5).dtype == np.float16


def test_adaptive_windows():
    x = draw(2, 5, 7)
    y, z = zen.f.adaptive_avg_pool2d(x, (3, None)), zen.f.adaptive_max_pool2d(x, 2)
    np.testing.assert_allclose(y.array, np.stack([x[:, a:b].mean(axis=1) for a, b in ((0, 2), (1, 4), (3, 5))], 1))
    assert z.array[0].tolist() == [[x[0, :3, :4].max(), x[0, :3, 3:].max()], [x[0, 2:, :4].max(), x[0, 2:, 3:].max()]]
    assert zen.f.adaptive_avg_pool1d(x[0], 9).shape == (5, 9)  # more than there are: elements repeat
    np.testing.assert_array_equal(zen.f.adaptive_avg_pool1d(x[0], 7).array, x[0])
    values, index = zen.f.adaptive_max_pool1d(x[0], 1, return_indices=True)
    np.testing.assert_array_equal(index.array[:, 0], x[0].argmax(axis=1))


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda f: f.__name__)
def test_memory_layout_changes_nothing(layout):
    x = draw(2, 3, 5, 4)
    for function in (lambda x: zen.f.max_pool2d(x, 2), lambda x: zen.f.avg_pool2d(x, 3, 1)):
        plain, t = zen.Tensor(x), zen.Tensor(layout(x))
        expected, found = function(plain), function(t)
        np.testing.assert_array_equal(found.array, expected.array)
        expected.backward(np.ones(expected.shape))
        found.backward(layout(np.ones(expected.shape)))
        np.testing.assert_array_equal(found.array, expected.array)
        np.testing.assert_array_equal(t.gradient, plain.gradient)


def test_empty_batch_integers_and_float16():
    x = zen.Tensor(np.zeros((0, 2, 4, 4)))
    for y in (zen.f.max_pool2d(x, 2), zen.f.avg_pool2d(x, 2), zen.f.adaptive_avg_pool2d(x, 2)):
        assert y.shape == (0, 2, 2, 2)
        y.backward(np.zeros(y.shape))
    assert x.gradient.shape == (0, 2, 4, 4)
    assert zen.f.max_pool1d([[1, 3, 2, 0]], 2).dtype == np.float64
    half = zen.Tensor(np.arange(8, dtype=np.float16).reshape(1, 8))
    for function, value, gradient in ((zen.f.max_pool1d, 7, 1), (zen.f.avg_pool1d, 6.5, 0.5)):
        half.grad = None
        y = function(half, 2)
        y.backward(np.ones(y.shape))
        assert y.dtype == half.gradient.dtype == np.float16
        assert y.array[0, -1] == value and half.gradient[0, -1] == gradient


ERRORS = [
    (lambda: zen.f.max_pool2d(zen.ones((4, 4)), 2),
     "max_pool2d: input of shape (4, 4) must have 4 axes (batch, channels, height, width), or 3 without the batch"),
    (lambda: zen.f.max_pool2d(zen.ones((1, 4, 4)), 5),
     "max_pool2d: a window of length 5 with dilation 1 spans 5, which does not fit the input's 4 with padding 0"),
    (lambda: zen.f.avg_pool2d(zen.ones((1, 4, 4)), 2, padding=2),
     "avg_pool2d: padding 2 must be at most half of the window's length 2"),
    (lambda: zen.f.max_pool1d(zen.ones((1, 9)), 3, padding=2, dilation=3),
     "max_pool1d: padding 2 must be at most half of the window's length 3"),
    (lambda: zen.f.max_pool1d(zen.ones((1, 1)), 2, padding=1, dilation=3),
     "max_pool1d: a window of length 2 with dilation 3 spans 4, which does not fit the input's 1 with padding 1"),
    (lambda: zen.f.max_pool1d(zen.ones((1, 4)), 0),
     "max_pool1d: kernel_size must be an int of at least 1, not 0"),
    (lambda: zen.f.avg_pool2d(zen.ones((1, 4, 4)), (2, 2, 2)),
     "avg_pool2d: kernel_size must be an int or 2 ints of at least 1, not (2, 2, 2)"),
    (lambda: zen.f.avg_pool2d(zen.ones((1, 4, 4)), 2, divisor_override=0),
     "avg_pool2d: divisor_override must not be 0"),
    (lambda: zen.f.adaptive_avg_pool2d(zen.ones((1, 4, 4)), (0, 1)),
     "adaptive_avg_pool2d: output_size must be an int or 2 ints of at least 1, not (0, 1)"),
    (lambda: zen.f.max_pool2d(zen.ones((1, 0, 4)), 1),
     "max_pool2d: an image of height 0 and width 4 has no elements to pool"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "message"), ERRORS)
def test_errors(call, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        call()


@pytest.mark.parametrize("name", ["max_pool1d", "max_pool2d", "avg_pool1d", "avg_pool2d"])
@pytest.mark.parametrize("key", ["kernel_size", "stride", "padding", "dilation"])
def test_huge_sizes_are_errors_of_their_own(name, key):
    """Not a crash, a loop without end, or a number that has run over."""
    if name.startswith("avg") and key == "dilation":
        name = f"adaptive_{name}"
        key = "output_size"
    x = zen.ones((1, 4, 4) if name.endswith("2d") else (1, 4))
    for wrong, text in ((2**31, "at most 2147483647, not .?2147483648"), (2**62, f"at most 2147483647, not .?{2**62}"),
                        (2**64, f"at most 2147483647, not .?{2**64}"), (-(2**62), f"of at least ., not .?{-(2**62)}"),
                        (2.0**62, "not .?4.6")):  # fmt: skip
        sizes = {key: wrong} if key in ("kernel_size", "output_size") else {"kernel_size": 2, key: wrong}
        with pytest.raises(ValueError, match=f"{name}: {key} must be .*{text}"):
            getattr(zen.f, name)(x, **sizes)
    if key in ("kernel_size", "padding", "dilation"):  # the largest allowed does not fit, and says so
        sizes = {"kernel_size": 2, key: 2**31 - 1}
        with pytest.raises(ValueError, match=f"{name}: .*2147483647"):
            getattr(zen.f, name)(x, **sizes)
    elif key == "stride":
        assert getattr(zen.f, name)(x, 2, 2**31 - 1).size == 1
