"""Convolution and pooling against PyTorch: values, gradients and positions over many combinations of arguments.

Second derivatives are compared in test_torch.py, row by row.
"""

import itertools

import numpy as np
import pytest
import torch
from torch.nn import functional

import zen
from zen import nn

TOLERANCE = 1e-10


def close(found, expected, tolerance=TOLERANCE):
    expected = expected.detach().numpy()
    assert found.shape == expected.shape
    scale = np.abs(expected).max(initial=1.0)
    np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance * scale)


def compare(ours, theirs, arrays, *options, tolerance=TOLERANCE):
    """Values at the arrays with the options, and the gradients in all arrays for a random cotangent."""
    inputs, peers = [zen.Tensor(a) for a in arrays], [torch.tensor(a, requires_grad=True) for a in arrays]
    y, expected = ours(*inputs, *options), theirs(*peers, *options)
    close(y.array, expected, tolerance)
    g = np.random.default_rng(9).normal(size=y.shape).astype(y.dtype)
    y.backward(g)
    expected.backward(torch.tensor(g))
    for t, p in zip(inputs, peers, strict=True):
        close(t.gradient, p.grad, tolerance)


def test_convolution():
    rng = np.random.default_rng(0)
    done = 0
    while done < 120:
        groups, per_in, per_out = (int(n) for n in rng.integers(1, 4, 3))
        size, kernel = rng.integers(1, 14, 2), rng.integers(1, 5, 2)
        stride, dilation = (tuple(int(n) for n in rng.integers(1, 4, 2)) for _ in range(2))
        padding = tuple(int(n) for n in rng.integers(0, 3, 2))
        if any(n + 2 * p <= d * (k - 1) for n, p, d, k in zip(size, padding, dilation, kernel, strict=True)):
            continue
        done += 1
        batch = (int(rng.integers(1, 9)),) if done % 5 else ()
        channels = groups * per_out
        arrays = [rng.normal(size=(*batch, groups * per_in, *size)), rng.normal(size=(channels, per_in, *kernel)),
                  rng.normal(size=channels)][: 3 - done % 2]  # fmt: skip
        options = (*[None] * (done % 2), stride, padding, dilation, groups)
        dtype, tolerance = (np.float32, 1e-4) if done % 4 == 0 else (np.float64, TOLERANCE)
        arrays = [a.astype(dtype) for a in arrays]
        compare(zen.f.conv2d, functional.conv2d, arrays, *options, tolerance=tolerance)


def test_transposed_convolution():
    rng = np.random.default_rng(1)
    done = 0
    while done < 60:
        groups, per_in, per_out = (int(n) for n in rng.integers(1, 4, 3))
        size, kernel = rng.integers(1, 8, 2), rng.integers(1, 5, 2)
        stride, dilation = (tuple(int(n) for n in rng.integers(1, 4, 2)) for _ in range(2))
        padding = tuple(int(n) for n in rng.integers(0, 3, 2))
        extra = tuple(int(rng.integers(0, max(s, d))) for s, d in zip(stride, dilation, strict=True))
        geometry = zip(size, kernel, stride, padding, dilation, extra, strict=True)
        if any((n - 1) * s - 2 * p + d * (k - 1) + e + 1 < 1 for n, k, s, p, d, e in geometry):
            continue
        done += 1
        arrays = [rng.normal(size=(2, groups * per_in, *size)), rng.normal(size=(groups * per_in, per_out, *kernel)),
                  rng.normal(size=groups * per_out)]  # fmt: skip
        options = (stride, padding, extra, groups, dilation)
        compare(zen.f.conv_transpose2d, functional.conv_transpose2d, arrays, *options)
        arrays = [rng.normal(size=(2, groups * per_in, 9)), arrays[1][..., 0], arrays[2]]
        options = (stride[0], padding[0], extra[0], groups, dilation[0])
        compare(zen.f.conv_transpose1d, functional.conv_transpose1d, arrays, *options)


@pytest.mark.parametrize("kernel", [(2, 3), (4, 1), (3, 3)])
@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths")
def test_named_padding(kernel):
    rng = np.random.default_rng(2)
    x, w, b = rng.normal(size=(2, 2, 6, 5)), rng.normal(size=(3, 2, *kernel)), rng.normal(size=3)
    for padding, dilation in [("same", 1), ("same", (2, 1)), ("valid", 1)]:
        compare(zen.f.conv2d, functional.conv2d, [x, w, b], 1, padding, dilation)
        compare(zen.f.conv1d, functional.conv1d, [x[..., 0], w[..., 0], b], 1, padding)


POOLS = [(2, None, 0), (3, 2, 1), ((2, 3), (1, 2), (1, 0)), (3, 1, 0), (2, 3, 1), ((1, 2), 2, 0)]


@pytest.mark.parametrize(("kernel", "stride", "padding"), POOLS, ids=str)
@pytest.mark.parametrize("size", [(5, 6), (8, 7), (4, 4)], ids=str)
@pytest.mark.parametrize("ceil", [False, True])
def test_pooling(kernel, stride, padding, size, ceil):
    rng = np.random.default_rng(3)
    x = rng.normal(size=(2, 3, *size))
    for dilation in (1, (1, 2)):
        if max(np.broadcast_to(dilation, 2) * (np.broadcast_to(kernel, 2) - 1) + 1) > min(size):
            continue
        options = kernel, stride, padding, dilation, ceil
        compare(zen.f.max_pool2d, functional.max_pool2d, [x], *options)
        index = functional.max_pool2d(torch.tensor(x), *options, return_indices=True)[1]
        np.testing.assert_array_equal(zen.f.max_pool2d(x, *options, return_indices=True)[1].array, index.numpy())
    for include in (False, True):
        options = kernel, stride, padding, ceil, include
        compare(zen.f.avg_pool2d, functional.avg_pool2d, [x], *options)
        compare(zen.f.avg_pool2d, functional.avg_pool2d, [x[0]], *options, 5)
    if isinstance(kernel, int):
        compare(zen.f.max_pool1d, functional.max_pool1d, [x[0]], kernel, stride, padding, 1, ceil)
        compare(zen.f.avg_pool1d, functional.avg_pool1d, [x[0]], kernel, stride, padding, ceil)


@pytest.mark.parametrize("dilation", [1, 2, 3, 5])
def test_pooling_takes_and_refuses_the_same_sizes(dilation):
    """Dilated windows that meet the padding alone among them: -inf."""
    for size, kernel, stride, padding, ceil in itertools.product((1, 2, 5), (1, 2, 3, 4), (1, 2, 3), (0, 1, 2), (0, 1)):
        x = np.random.default_rng(5).normal(size=(2, 1, size))
        calls = [(name, (kernel, stride, padding, dilation, bool(ceil))) for name in ("max_pool1d", "max_pool2d")]
        if dilation == 1:
            calls += [(name, (kernel, stride, padding, bool(ceil), False)) for name in ("avg_pool1d", "avg_pool2d")]
        for name, options in calls:
            image = x if name.endswith("1d") else np.concatenate([x.swapaxes(1, 2)] * 6, 2)[:, None]
            try:
                expected = getattr(functional, name)(torch.tensor(image), *options).numpy()
            except RuntimeError:
                with pytest.raises(ValueError, match=f"{name}: .*(padding|window)"):
                    getattr(zen.f, name)(image, *options)
            else:
                np.testing.assert_allclose(getattr(zen.f, name)(image, *options).array, expected, rtol=1e-12)


@pytest.mark.parametrize("wanted", [1, 3, (2, 5), (None, 4), (9, 8)], ids=str)
def test_adaptive_pooling(wanted):
    x = np.random.default_rng(4).normal(size=(2, 3, 6, 7))
    compare(zen.f.adaptive_avg_pool2d, functional.adaptive_avg_pool2d, [x], wanted)
    compare(zen.f.adaptive_max_pool2d, functional.adaptive_max_pool2d, [x], wanted)
    n = 3 if isinstance(wanted, tuple) else wanted
    compare(zen.f.adaptive_avg_pool1d, functional.adaptive_avg_pool1d, [x[0]], n)
    compare(zen.f.adaptive_max_pool1d, functional.adaptive_max_pool1d, [x[0]], n)


@pytest.mark.parametrize("build", [
    lambda m: m.Conv2d(4, 6, 3, 2, 1, groups=2), lambda m: m.Conv2d(4, 6, 3, padding=(1, 2), padding_mode="reflect"),
    lambda m: m.Conv2d(4, 2, 2, padding=1, padding_mode="circular", bias=False),
    lambda m: m.Conv2d(4, 2, (3, 2), padding="same", padding_mode="replicate"), lambda m: m.Conv2d(4, 4, 3, dilation=2),
    lambda m: m.ConvTranspose2d(4, 6, 3, 2, 1, 1, 2), lambda m: m.MaxPool2d(2), lambda m: m.AvgPool2d(2, 1, 1),
    lambda m: m.AdaptiveAvgPool2d((2, None)),
])  # fmt: skip
def test_layers(build):
    ours, theirs = build(nn), build(torch.nn)
    assert repr(ours).split("  #")[0] == repr(theirs)  # behind it ours counts parameters
    assert list(ours.state_dict()) == list(theirs.state_dict())
    theirs.load_state_dict({k: torch.tensor(v.numpy()) for k, v in ours.state_dict().items()})
    x = np.random.default_rng(5).normal(size=(2, 4, 7, 6)).astype(np.float32)
    compare(ours, theirs, [x], tolerance=1e-5)
    for p, q in zip(ours.parameters(), theirs.parameters(), strict=True):
        close(p.gradient, q.grad, 1e-5)


def test_distribution_of_the_initial_values():
    zen.random.seed(0)
    torch.manual_seed(0)
    ours, theirs = nn.Conv2d(8, 64, 5), torch.nn.Conv2d(8, 64, 5)
    for p, q in zip(ours.parameters(), theirs.parameters(), strict=True):
        bound = 1 / np.sqrt(8 * 25)
        for values in (p.array, q.detach().numpy()):
            assert 0.95 * bound < np.abs(values).max() <= bound
            assert abs(values.mean()) < 0.15 * bound
