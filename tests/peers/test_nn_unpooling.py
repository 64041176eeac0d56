"""Unpooling and fractional pooling against PyTorch: values, positions and gradients."""

import numpy as np
import pytest
import torch
from torch.nn import functional

import zen
from zen import f, nn

RNG = np.random.default_rng(5)
SHAPES = {1: (2, 3, 9), 2: (2, 3, 7, 9), 3: (1, 2, 5, 6, 7)}


def compare(ours, theirs, *arrays):
    mine = [zen.tensor(a, requires_grad=True) for a in arrays]
    yours = [torch.tensor(a, requires_grad=True) for a in arrays]
    found, wanted = ours(*mine), theirs(*yours)
    assert found.shape == tuple(wanted.shape)
    np.testing.assert_array_equal(found.detach().numpy(), wanted.detach().numpy())
    weights = RNG.normal(size=found.shape)
    (found * weights).sum().backward()
    (wanted * torch.tensor(weights)).sum().backward()
    for a, b in zip(mine, yours, strict=True):
        np.testing.assert_allclose(a.grad.numpy(), b.grad.numpy(), rtol=1e-12)


@pytest.mark.parametrize("axes", [1, 2, 3])
@pytest.mark.parametrize(
    ("kernel", "stride", "padding", "given"),
    [(2, None, 0, False), (2, None, 0, True), (3, 3, 1, True), (2, 3, 0, True)],
)
def test_unpooling(axes, kernel, stride, padding, given):
    x = RNG.normal(size=SHAPES[axes] if given else (2, 3, *(4, 6, 8)[:axes]))
    size = SHAPES[axes][2:] if given else None

    def through(module):
        pool, unpool = getattr(module, f"max_pool{axes}d"), getattr(module, f"max_unpool{axes}d")

        def call(t):
            y, at = pool(t, kernel, stride, padding, return_indices=True)
            return unpool(y, at, kernel, stride, padding, size)

        return call

    compare(through(f), through(functional), x)


def test_layers():
    x = RNG.normal(size=(2, 3, 8, 6))
    compare(*[
        lambda t, m=m: m.MaxUnpool2d(2, stride=2)(*m.MaxPool2d(2, stride=2, return_indices=True)(t))
        for m in (nn, torch.nn)
    ], x)  # fmt: skip


@pytest.mark.parametrize("axes", [2, 3])
@pytest.mark.parametrize("options", [{"output_size": 3}, {"output_ratio": 0.6}, {"output_size": 1}])
def test_fractional(axes, options):
    if "output_ratio" in options:
        options = {"output_ratio": (options["output_ratio"],) * axes}  # PyTorch's function takes no single one
    x, samples = RNG.normal(size=(2, 3, *(9, 7, 8)[:axes])), RNG.random((2, 3, axes))
    name = f"fractional_max_pool{axes}d"
    ours = getattr(f, name)(x, 2, **options, return_indices=True, _random_samples=samples)
    theirs = getattr(functional, name)(
        torch.tensor(x), 2, **options, return_indices=True, _random_samples=torch.tensor(samples)
    )
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy(), strict=True)
    layer = f"FractionalMaxPool{axes}d"
    compare(
        getattr(nn, layer)(2, **options, _random_samples=samples),
        getattr(torch.nn, layer)(2, **options, _random_samples=torch.tensor(samples)), x,
    )  # fmt: skip
