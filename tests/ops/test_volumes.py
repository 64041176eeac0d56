"""Convolution and pooling of volumes by their definitions, special values, and errors. Values: tests/peers."""

import numpy as np
import pytest

import zen
from zen import f, nn
from zen.testing import check_gradients

RNG = np.random.default_rng(0)
X, W = RNG.normal(size=(2, 2, 3, 4, 3)), RNG.normal(size=(3, 2, 2, 2, 2))


def test_conv3d_is_a_sum_over_each_window():
    found = f.conv3d(X, W, stride=(1, 2, 1)).numpy()
    for at in np.ndindex(2, 2, 2):
        window = X[:, :, at[0] : at[0] + 2, 2 * at[1] : 2 * at[1] + 2, at[2] : at[2] + 2]
        np.testing.assert_allclose(found[(..., *at)], np.einsum("ncxyz,ocxyz->no", window, W), rtol=1e-12)


def test_the_transpose_is_one():
    options = {"stride": (2, 1, 1), "padding": (1, 0, 1), "dilation": (1, 1, 2)}
    y = f.conv3d(X, W, **options).numpy()
    v = RNG.normal(size=y.shape)
    back = f.conv_transpose3d(v, W, output_padding=(1, 0, 0), **options).numpy()
    np.testing.assert_allclose((y * v).sum(), (X * back).sum(), rtol=1e-12)


def test_volumes_of_height_one_are_images():
    flat = f.conv3d(X[:, :, :1], W[:, :, :1], np.ones(3), padding=(0, 1, 1)).numpy()[:, :, 0]
    np.testing.assert_allclose(flat, f.conv2d(X[:, :, 0], W[:, :, 0], np.ones(3), padding=1).numpy(), rtol=1e-12)
    np.testing.assert_array_equal(
        f.max_pool3d(X[:, :, :1], (1, 2, 2)).numpy()[:, :, 0], f.max_pool2d(X[:, :, 0], 2).numpy()
    )


def test_derivatives():
    check_gradients(lambda x, w, b: f.conv3d(x, w, b, 1, 1), [X[:1], W, np.ones(3)])
    check_gradients(
        lambda x, w: f.conv_transpose3d(x, w, stride=2, output_padding=1),
        [X[:1, :, :2, :2, :2], W.swapaxes(0, 1)[:, :2]],
    )
    check_gradients(lambda x: f.avg_pool3d(x, 2, 1, 1), [X[:1]])
    check_gradients(lambda x: f.lp_pool2d(x, 3, 2), [np.abs(X[0]) + 0.1])


def test_nan_and_infinity_in_windows():
    x = X.copy()
    x[0, 0, 1, 1, 1] = np.nan
    y = f.max_pool3d(x, 2, 1).numpy()
    expected = np.zeros(y.shape, bool)
    expected[0, 0, :2, :2, :2] = True
    np.testing.assert_array_equal(np.isnan(y), expected)
    assert np.isnan(f.conv3d(x, W).numpy()).sum() == 3 * 8


def test_a_window_of_zeros_has_no_gradient():
    x = zen.tensor(np.array([[0.0, 0.0, 3.0, 4.0]]), requires_grad=True)
    y = f.lp_pool1d(x, 2, 2)
    y.sum().backward()
    assert y.tolist() == [[0.0, 5.0]]
    np.testing.assert_allclose(x.grad.numpy(), [[0.0, 0.0, 0.6, 0.8]], rtol=1e-14)


def test_half_precision():
    half = f.conv3d(zen.tensor(X.astype(np.float16)), zen.tensor(W.astype(np.float16)))
    assert half.dtype == np.float16
    np.testing.assert_allclose(half.numpy(), f.conv3d(X, W).numpy(), atol=2e-2)
    assert f.conv3d(X[:0], W).shape == (0, 3, 2, 3, 2)


@pytest.mark.parametrize(("call", "message"), [
    (lambda: f.conv3d(X[0, 0], W), r"conv3d: input of shape \(3, 4, 3\) must have 5 axes"),
    (lambda: f.conv3d(X, W[0]), "conv3d: weight of shape .* must have 5 axes"),
    (lambda: f.conv3d(X, W, groups=2), "groups=2"),
    (lambda: f.conv3d(X[:, :1], W), "input has 1 channels, but a weight"),
    (lambda: f.conv3d(X, W, dilation=4), r"a kernel of length 2 with dilation 4 spans 5, more than the input's 3"),
    (lambda: f.conv3d(X, W, np.ones(2)), r"bias of shape \(2,\) does not fit 3 output channels"),
    (lambda: f.conv3d(X, W, padding="full"), 'padding must be "same", "valid" or ints'),
    (lambda: f.conv3d(X, W, stride=2, padding="same"), 'padding="same" needs a stride of 1'),
    (lambda: f.conv3d(X, W, stride=(1, 2)), "conv3d: stride must be an int or 3 ints"),
    (lambda: f.conv_transpose3d(X, W), "input has 2 channels, but weight .* has 3 on axis 0"),
    (lambda: f.conv_transpose3d(X, W[:2], output_padding=1), "output_padding 1 must be smaller than stride 1"),
    (lambda: f.conv_transpose3d(X, W[:2], padding=3), "padding 3 leaves nothing of an output of length 4"),
    (lambda: f.max_pool3d(X, 5), "max_pool3d: a window of length 5"),
    (lambda: f.max_pool3d(X[0, 0], 2), "must have 5 axes"),
    (lambda: f.avg_pool3d(X, 2, padding=2), "avg_pool3d: padding 2 must be at most half"),
    (lambda: f.avg_pool3d(X, 2, divisor_override=0), "divisor_override must not be 0"),
    (lambda: f.adaptive_avg_pool3d(X, (2, 2)), r"output_size must be an int or 3 of them, not \(2, 2\)"),
    (lambda: f.lp_pool2d(X[0], 0, 2), "lp_pool2d: norm_type must not be 0"),
    (lambda: nn.Conv3d(3, 4, 2, groups=2), "Conv3d: in_channels=3 and out_channels=4 must be divisible"),
])  # fmt: skip
def test_errors(call, message):
    with pytest.raises(ValueError, match=message):
        call()
