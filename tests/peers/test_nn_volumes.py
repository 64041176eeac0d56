"""Convolution and pooling of volumes, and pooling by norms, against PyTorch: values, first and second derivatives."""

import numpy as np
import pytest
import torch
from torch.nn import functional
from twice import agree

import zen
from zen import nn

RNG = np.random.default_rng(3)


def normal(*shape):
    return RNG.normal(size=shape)


CONV = [
    ((2, 2, 4, 5, 4), (3, 2, 2, 3, 1), {}), ((2, 4, 4, 3), (6, 1, 2, 2, 2), {"groups": 2}),
    ((1, 4, 5, 6, 5), (4, 2, 2, 1, 3), {"groups": 2, "stride": (2, 1, 2), "padding": (1, 0, 2), "dilation": (1, 2, 1)}),
    ((1, 1, 3, 4, 3), (2, 1, 2, 3, 2), {"padding": "same"}), ((1, 1, 3, 4, 3), (2, 1, 2, 3, 2), {"padding": "valid"}),
]  # fmt: skip


@pytest.mark.filterwarnings("ignore:Using padding='same'")
@pytest.mark.parametrize(("x", "w", "options"), CONV)
def test_conv3d(x, w, options):
    if options.get("groups") == 2 and len(x) == 4:
        w = (6, 2, 2, 2, 2)
        x = (4, 4, 4, 3)
    arrays = normal(*x), normal(*w), normal(w[0])
    for count in (2, 3):
        agree(lambda *a: zen.f.conv3d(*a, **options), lambda *a: functional.conv3d(*a, **options), *arrays[:count])


TRANSPOSED = [
    ((2, 2, 3, 2, 3), (2, 3, 2, 3, 1), {}), ((4, 2, 3, 2), (4, 1, 2, 2, 2), {"groups": 2}),
    ((1, 4, 2, 3, 2), (4, 2, 2, 3, 3),
     {"groups": 2, "stride": (2, 1, 2), "padding": (1, 0, 2), "output_padding": (1, 0, 1)},
     ),
    ((1, 2, 2, 2, 2), (2, 1, 2, 2, 2), {"dilation": 3, "output_padding": (2, 1, 0), "stride": (1, 1, 2)}),
]  # fmt: skip


@pytest.mark.parametrize(("x", "w", "options"), TRANSPOSED)
def test_conv_transpose3d(x, w, options):
    arrays = normal(*x), normal(*w), normal(w[1] * options.get("groups", 1))
    one, other = zen.f.conv_transpose3d, functional.conv_transpose3d
    for count in (2, 3):
        agree(lambda *a: one(*a, **options), lambda *a: other(*a, **options), *arrays[:count])


LAYERS = [
    ("Conv3d", (2, 4, 3), {"padding": 1, "padding_mode": "circular"}, (1, 2, 3, 4, 3)),
    ("ConvTranspose3d", (2, 4, 3, 2), {"groups": 2, "output_padding": 1}, (1, 2, 3, 2, 3)),
    ("MaxPool3d", (2,), {}, (2, 2, 4, 5, 4)), ("MaxPool3d", ((2, 3, 2), 1, (1, 1, 0), (2, 1, 1)), {}, (1, 2, 4, 4, 3)),
    ("MaxPool3d", (3, 2), {"ceil_mode": True}, (2, 4, 6, 5)),
    ("AvgPool3d", (2,), {}, (2, 2, 4, 5, 4)), ("AvgPool3d", ((2, 3, 2), (1, 2, 1), 1), {}, (1, 2, 3, 4, 3)),
    ("AvgPool3d", (3, 2, 1, True, False), {}, (2, 4, 6, 5)),
    ("AvgPool3d", (2, 1), {"divisor_override": 3}, (2, 3, 3, 3)),
    ("AdaptiveAvgPool3d", ((2, None, 3),), {}, (1, 2, 5, 4, 4)), ("AdaptiveAvgPool3d", (2,), {}, (2, 5, 4, 3)),
    ("AdaptiveMaxPool3d", ((2, None, 3),), {}, (1, 2, 5, 4, 4)),
    ("LPPool1d", (2, 3), {}, (2, 3, 7)), ("LPPool2d", (2, (2, 3), 2), {}, (2, 3, 7, 6)),
    ("LPPool3d", (4, 2), {"ceil_mode": True}, (2, 3, 5, 4, 3)), ("LPPool2d", (float("inf"), 2), {}, (2, 3, 7, 6)),
]  # fmt: skip


@pytest.mark.parametrize(("name", "arguments", "options", "shape"), LAYERS, ids=str)
def test_layers(name, arguments, options, shape):
    mine, theirs = getattr(nn, name)(*arguments, **options), getattr(torch.nn, name)(*arguments, **options).double()
    assert list(mine.state_dict()) == list(theirs.state_dict())
    mine.double().load_state_dict({k: v.numpy() for k, v in theirs.state_dict().items()})
    if not mine.state_dict():
        assert repr(mine) == repr(theirs)
    agree(mine, theirs, np.abs(normal(*shape)) if name == "LPPool3d" else normal(*shape))


def test_positions_of_the_largest():
    x = RNG.integers(0, 3, (2, 2, 5, 6, 4)).astype(float)  # with ties
    for options in (
        {"kernel_size": 2},
        {"kernel_size": 3, "stride": 1, "padding": 1},
        {"kernel_size": 2, "dilation": 2},
    ):
        y, index = zen.f.max_pool3d(x, return_indices=True, **options)
        expected, at = functional.max_pool3d(torch.tensor(x), return_indices=True, **options)
        np.testing.assert_array_equal(y.numpy(), expected.numpy())
        np.testing.assert_array_equal(index.numpy(), at.numpy())
    y, index = zen.f.adaptive_max_pool3d(x, (2, 3, 1), True)
    expected, at = functional.adaptive_max_pool3d(torch.tensor(x), (2, 3, 1), return_indices=True)
    np.testing.assert_array_equal(index.numpy(), at.numpy())
    single, place = zen.f.max_pool3d(x[0], 2, return_indices=True)
    np.testing.assert_array_equal(place.numpy(), zen.f.max_pool3d(x, 2, return_indices=True)[1].numpy()[0])
