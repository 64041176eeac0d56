"""Linear layers, embeddings and the losses of classifiers against PyTorch, in float32 and with all options."""

import itertools

import numpy as np
import pytest
import torch
from torch.nn import functional

import zen

RNG = np.random.default_rng(0)


def both(a):
    return zen.tensor(a, requires_grad=True), torch.tensor(a, requires_grad=True)


def same(found, expected, tolerance=1e-5):
    np.testing.assert_allclose(found, expected.detach().numpy(), rtol=tolerance, atol=tolerance)


OPTIONS = list(itertools.product(["mean", "sum", "none"], [False, True], [-100, 1], [0.0, 0.2]))


@pytest.mark.parametrize(("reduction", "weighted", "ignored", "smoothing"), OPTIONS)
def test_cross_entropy(reduction, weighted, ignored, smoothing):
    a = RNG.normal(size=(6, 4)).astype(np.float32)
    weight = RNG.uniform(0.5, 2, 4).astype(np.float32) if weighted else None
    theirs_weight = None if weight is None else torch.tensor(weight)
    g = RNG.normal(size=6 if reduction == "none" else ()).astype(np.float32)
    for target in (np.array([0, 1, 2, 3, 1, 0]), RNG.dirichlet(np.ones(4), 6).astype(np.float32)):
        if target.dtype.kind == "f" and ignored >= 0:
            continue
        x, t = both(a)
        found = zen.f.cross_entropy(
            x, target, weight=weight, ignore_index=ignored, label_smoothing=smoothing, reduction=reduction
        )
        expected = functional.cross_entropy(
            t, torch.tensor(target), theirs_weight, ignore_index=ignored, label_smoothing=smoothing, reduction=reduction
        )
        same(found.array, expected)
        found.backward(g)
        expected.backward(torch.tensor(g))
        same(x.gradient, t.grad)


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_classes_along_axis_1_of_images(reduction):
    a = RNG.normal(size=(2, 5, 3, 4)).astype(np.float32)
    target = RNG.integers(0, 5, (2, 3, 4))
    target[0, 0] = -100
    weight = RNG.uniform(0.5, 2, 5).astype(np.float32)
    for ours, theirs in ((zen.f.cross_entropy, functional.cross_entropy), (zen.f.nll_loss, functional.nll_loss)):
        x, t = both(a)
        found = ours(x, target, axis=1, weight=weight, reduction=reduction)
        expected = theirs(t, torch.tensor(target), torch.tensor(weight), reduction=reduction)
        same(found.array, expected)
        found.sum().backward()
        expected.sum().backward()
        same(x.gradient, t.grad)


def test_every_target_ignored():
    x, t = both(RNG.normal(size=(3, 4)))
    target = np.full(3, -100)
    found, expected = zen.f.cross_entropy(x, target), functional.cross_entropy(t, torch.tensor(target))
    assert np.isnan(found.item()) and torch.isnan(expected)
    found.backward()
    expected.backward()
    same(x.gradient, t.grad)


@pytest.mark.parametrize("shape", [(3,), (7, 3), (2, 7, 3)])
@pytest.mark.parametrize("biased", [True, False])
def test_linear(shape, biased):
    pairs = [both(RNG.normal(size=s).astype(np.float32)) for s in (shape, (5, 3), (5,))[: 2 + biased]]
    found = zen.f.linear(*[ours for ours, _ in pairs])
    expected = functional.linear(*[theirs for _, theirs in pairs])
    same(found.array, expected)
    g = RNG.normal(size=found.shape).astype(np.float32)
    found.backward(g)
    expected.backward(torch.tensor(g))
    for ours, theirs in pairs:
        same(ours.gradient, theirs.grad)


@pytest.mark.parametrize("padding", [None, 2, -1])
def test_embedding(padding):
    x, t = both(RNG.normal(size=(5, 3)).astype(np.float32))
    indices = RNG.integers(0, 5, (4, 6))
    found = zen.f.embedding(indices, x, padding)
    expected = functional.embedding(torch.tensor(indices), t, padding)
    same(found.array, expected)
    g = RNG.normal(size=found.shape).astype(np.float32)
    found.backward(g)
    expected.backward(torch.tensor(g))
    same(x.gradient, t.grad)
