"""Layers of convolution and pooling: parameters, arguments, repr, errors. tests/ops and tests/peers check values."""

import math
import re

import numpy as np
import pytest

import zen
from zen import nn


def test_shapes_and_bounds_of_the_initial_values():
    zen.random.seed(0)
    for layer, shape, fan in [
        (nn.Conv2d(4, 6, (3, 5), groups=2), (6, 2, 3, 5), 30), (nn.Conv1d(3, 8, 4), (8, 3, 4), 12),
        (nn.ConvTranspose2d(4, 6, 3, groups=2), (4, 3, 3, 3), 27), (nn.ConvTranspose1d(5, 40, 2), (5, 40, 2), 80),
    ]:  # fmt: skip
        assert layer.weight.shape == shape and layer.weight.dtype == np.float32
        assert layer.bias.shape == (layer.out_channels,)
        bound = 1 / math.sqrt(fan)
        for values in (layer.weight.array, layer.bias.array):
            assert np.abs(values).max() <= bound and len(np.unique(values)) == values.size
        assert np.abs(layer.weight.array).max() > 0.8 * bound
        assert list(layer.state_dict()) == ["weight", "bias"]
    assert nn.Conv1d(2, 2, 1, bias=False).bias is None
    assert nn.Conv2d(2, 2, 1, dtype=np.float64).weight.dtype == np.float64


def test_a_layer_calls_the_function_with_its_parameters():
    x = np.random.default_rng(0).normal(size=(2, 4, 7, 6)).astype(np.float32)
    layer = nn.Conv2d(4, 6, 3, (2, 1), 1, (1, 2), 2)
    y = layer(x)
    expected = zen.f.conv2d(x, layer.weight, layer.bias, (2, 1), 1, (1, 2), 2)
    np.testing.assert_array_equal(y.array, expected.array)
    y.sum().backward()
    assert layer.weight.grad.shape == layer.weight.shape and layer.bias.gradient.tolist() == [2 * 4 * 4] * 6
    assert nn.Conv2d(4, 6, 2, padding="same")(x).shape == (2, 6, 7, 6)
    assert nn.Conv1d(7, 5, 3)(x[0].transpose(1, 0, 2)[:, :3].transpose(1, 0, 2)).shape == (3, 5, 4)


@pytest.mark.parametrize(("mode", "numpy_mode"), [("reflect", "reflect"), ("replicate", "edge"), ("circular", "wrap")])
def test_padding_modes(mode, numpy_mode):
    x = np.random.default_rng(0).normal(size=(1, 2, 5, 4)).astype(np.float32)
    layer = nn.Conv2d(2, 3, (3, 2), padding=(2, 1), padding_mode=mode)
    padded = np.pad(x, [(0, 0), (0, 0), (2, 2), (1, 1)], mode=numpy_mode)
    np.testing.assert_array_equal(layer(x).array, zen.f.conv2d(padded, layer.weight, layer.bias).array)
    same = nn.Conv2d(2, 3, (3, 2), padding="same", padding_mode=mode)
    padded = np.pad(x, [(0, 0), (0, 0), (1, 1), (0, 1)], mode=numpy_mode)
    np.testing.assert_array_equal(same(x).array, zen.f.conv2d(padded, same.weight, same.bias).array)
    assert nn.Conv1d(2, 3, 2, padding="valid", padding_mode=mode)(x[..., 0]).shape == (1, 3, 4)


def test_output_size_of_the_transpose():
    layer = nn.ConvTranspose2d(2, 3, 3, stride=2, padding=1)
    x = np.ones((1, 2, 4, 5), np.float32)
    assert layer(x).shape == (1, 3, 7, 9)
    assert layer(x, output_size=(8, 9)).shape == (1, 3, 8, 9)
    assert layer(x, output_size=(1, 3, 8, 10)).shape == (1, 3, 8, 10)
    message = "output_size (9, 9) is out of reach for an input of shape (1, 2, 4, 5): each length must be from (7, 9)"
    with pytest.raises(ValueError, match=re.escape(message)):
        layer(x, output_size=(9, 9))


@pytest.mark.parametrize(("layer", "text"), [
    (lambda: nn.Conv2d(1, 6, 5), "Conv2d(1, 6, kernel_size=(5, 5), stride=(1, 1))"),
    (lambda: nn.Conv2d(4, 6, 3, 2, 1, 2, 2, False, "reflect"),
     "Conv2d(4, 6, kernel_size=(3, 3), stride=(2, 2), padding=(1, 1), dilation=(2, 2), groups=2, bias=False, "
     "padding_mode=reflect)"),
    (lambda: nn.Conv1d(1, 6, 5, padding="same"), "Conv1d(1, 6, kernel_size=(5,), stride=(1,), padding=same)"),
    (lambda: nn.ConvTranspose1d(2, 6, 5, 3, output_padding=1),
     "ConvTranspose1d(2, 6, kernel_size=(5,), stride=(3,), output_padding=(1,))"),
    (lambda: nn.MaxPool2d(2), "MaxPool2d(kernel_size=2, stride=2, padding=0, dilation=1, ceil_mode=False)"),
    (lambda: nn.AvgPool1d(2), "AvgPool1d(kernel_size=(2,), stride=(2,), padding=(0,))"),
    (lambda: nn.AvgPool2d((2, 3), 1), "AvgPool2d(kernel_size=(2, 3), stride=1, padding=0)"),
    (lambda: nn.AdaptiveAvgPool2d((1, None)), "AdaptiveAvgPool2d(output_size=(1, None))"),
])  # fmt: skip
def test_repr(layer, text):
    assert repr(layer()).split("  #")[0] == text


def test_pooling_layers_pass_their_arguments_on():
    x = np.random.default_rng(0).normal(size=(2, 3, 7, 8))
    for layer, expected in [
        (nn.MaxPool2d(3, 2, 1, 2, ceil_mode=True), zen.f.max_pool2d(x, 3, 2, 1, 2, True)),
        (nn.AvgPool2d(3, 2, 1, True, False), zen.f.avg_pool2d(x, 3, 2, 1, True, False)),
        (nn.AvgPool2d(2, divisor_override=3), zen.f.avg_pool2d(x, 2, divisor_override=3)),
        (nn.AdaptiveAvgPool2d(3), zen.f.adaptive_avg_pool2d(x, 3)),
        (nn.AdaptiveMaxPool2d(3), zen.f.adaptive_max_pool2d(x, 3)),
    ]:
        np.testing.assert_array_equal(layer(x).array, expected.array)
    x = x[0]
    for layer, expected in [
        (nn.MaxPool1d(3, 2, 1), zen.f.max_pool1d(x, 3, 2, 1)), (nn.AvgPool1d(3, 2), zen.f.avg_pool1d(x, 3, 2)),
        (nn.AdaptiveAvgPool1d(3), zen.f.adaptive_avg_pool1d(x, 3)),
        (nn.AdaptiveMaxPool1d(3), zen.f.adaptive_max_pool1d(x, 3)),
    ]:  # fmt: skip
        np.testing.assert_array_equal(layer(x).array, expected.array)
    values, index = nn.MaxPool1d(2, return_indices=True)(x)
    assert values.shape == index.shape == (3, 7, 4)


@pytest.mark.parametrize(("build", "message"), [
    (lambda: nn.Conv2d(3, 4, 3, groups=2), "Conv2d: in_channels=3 and out_channels=4 must be divisible by groups=2"),
    (lambda: nn.Conv2d(0, 4, 3), "Conv2d: in_channels must be a positive int, not 0"),
    (lambda: nn.Conv1d(3, 4, (3, 3)), "Conv1d: kernel_size must be an int of at least 1, not (3, 3)"),
    (lambda: nn.Conv2d(3, 4, 3, padding_mode="mirror"),
     "Conv2d: padding_mode 'mirror' is not available; known: zeros, reflect, replicate, circular"),
    (lambda: nn.ConvTranspose2d(3, 4, 3, padding_mode="reflect"),
     "ConvTranspose2d: padding_mode 'reflect' is not available; known: zeros"),
    (lambda: nn.Conv2d(3, 4, 3, 2, "same"), 'Conv2d: padding="same" needs a stride of 1, not (2, 2)'),
    (lambda: nn.Conv2d(3, 4, 3, padding="full"), 'Conv2d: padding must be "same", "valid" or ints, not \'full\''),
])  # fmt: skip
def test_errors(build, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        build()
    with pytest.raises(TypeError, match="parameters need a floating or complex dtype, not int64"):
        nn.Conv2d(1, 1, 1, dtype=np.int64)
