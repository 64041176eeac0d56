"""Normalising layers against PyTorch: values, gradients, running statistics, evaluation."""

import numpy as np
import pytest
import torch
from test_nn_layers import both, close, draws

import zen
from zen import nn

LAYERS = [
    (lambda m: m.BatchNorm1d(4), (6, 4)),
    (lambda m: m.BatchNorm1d(4, momentum=None), (3, 4, 5)),
    (lambda m: m.BatchNorm1d(40, affine=False), (70, 40)),
    (lambda m: m.BatchNorm2d(3, eps=0.1, momentum=0.3), (2, 3, 5, 7)),
    (lambda m: m.BatchNorm2d(3, track_running_stats=False), (2, 3, 4, 4)),
    (lambda m: m.InstanceNorm1d(3, track_running_stats=True), (4, 3, 5)),
    (lambda m: m.InstanceNorm1d(3, 1e-5, None, True, True), (4, 3, 5)),
    (lambda m: m.InstanceNorm2d(3, 0.1, 0.3, True, True), (2, 3, 4, 5)),
    (lambda m: m.InstanceNorm2d(3, affine=True, track_running_stats=True, bias=False), (3, 4, 5)),
    (lambda m: m.InstanceNorm1d(3, momentum=1.0), (2, 3, 5)),
    (lambda m: m.LayerNorm(6), (3, 6)),
    (lambda m: m.LayerNorm((4, 5), eps=0.01), (2, 3, 4, 5)),
    (lambda m: m.LayerNorm(600, bias=False), (3, 600)),
    (lambda m: m.LayerNorm(5, elementwise_affine=False), (5,)),
    (lambda m: m.RMSNorm(6), (3, 6)),
    (lambda m: m.RMSNorm((3, 4), eps=0.1), (2, 3, 4)),
    (lambda m: m.RMSNorm(7, elementwise_affine=False), (2, 7)),
    (lambda m: m.GroupNorm(2, 6), (3, 6, 4)),
    (lambda m: m.GroupNorm(2, 6), (4, 6)),
    (lambda m: m.GroupNorm(6, 6, affine=False), (2, 6, 3, 5)),
    (lambda m: m.GroupNorm(1, 4), (2, 4, 3, 3)),
    (lambda m: m.GroupNorm(2, 4, bias=False), (2, 4, 3)),
    (lambda m: m.BatchNorm1d(4, bias=False), (6, 4)),
    (lambda m: m.InstanceNorm1d(3), (2, 3, 5)),
    (lambda m: m.InstanceNorm2d(3, affine=True), (2, 3, 4, 5)),
    (lambda m: m.InstanceNorm2d(3), (3, 4, 5)),
]


@pytest.mark.parametrize(("make", "shape"), LAYERS)
def test_training(make, shape):
    mine, theirs = make(nn), make(torch.nn)
    with torch.no_grad():
        for p in theirs.parameters():
            p.copy_(torch.from_numpy(1 + 0.3 * draws(*p.shape)))
    for _ in range(2):  # the running statistics of a second step start from those of the first
        both(mine, theirs, 2 * draws(*shape) + 3, tolerance=3e-5)
        mine.zero_grad()
        theirs.zero_grad()


@pytest.mark.parametrize(("make", "shape"), LAYERS[:10])
def test_evaluation(make, shape):
    mine, theirs = make(nn), make(torch.nn)
    x = draws(*shape) + 1
    mine(x)
    theirs(torch.from_numpy(x))
    both(mine.eval(), theirs.eval(), draws(*shape), tolerance=2e-5)


def test_instance_norm_as_a_function():
    x, mean, var, weight, bias = draws(4, 3, 5), draws(3), np.abs(draws(3)) + 0.5, draws(3), draws(3)
    for arguments in ((False,), (False, 0.3, 0.1), (), (True, 0.3, 0.1)):
        mine = [zen.tensor(a, requires_grad=k not in (1, 2)) for k, a in enumerate((x, mean, var, weight, bias))]
        theirs = [torch.tensor(a, requires_grad=k not in (1, 2)) for k, a in enumerate((x, mean, var, weight, bias))]
        y = zen.f.instance_norm(*mine, *arguments)
        expected = torch.nn.functional.instance_norm(*theirs, *arguments)
        close(y, expected)
        y.square().sum().backward()
        expected.square().sum().backward()
        for k, (a, b) in enumerate(zip(mine, theirs, strict=True)):
            close(*((a, b) if k in (1, 2) else (a.grad, b.grad)), 1e-4)


def test_float64_and_large_means():
    x = np.random.default_rng(0).normal(size=(8, 4, 50)) + 1e6
    mine, theirs = nn.BatchNorm1d(4, dtype="float64"), torch.nn.BatchNorm1d(4, dtype=torch.float64)
    both(mine, theirs, x, tolerance=1e-7)
    both(nn.LayerNorm(50, dtype="float64"), torch.nn.LayerNorm(50, dtype=torch.float64), x, tolerance=1e-7)


def test_a_large_mean_costs_little_precision_in_float32():
    x = (np.random.default_rng(0).normal(size=(4, 1000)) + 1000).astype(np.float32)
    exact = x.astype(np.float64)
    exact = (exact - exact.mean(1, keepdims=True)) / np.sqrt(exact.var(1, keepdims=True) + 1e-5)
    np.testing.assert_allclose(zen.f.layer_norm(x, 1000).array, exact, atol=2e-6)
    np.testing.assert_allclose(zen.f.group_norm(x.reshape(4, 10, 100), 1).array.reshape(4, 1000), exact, atol=2e-6)


def test_gradients_in_running_statistics():
    x, m, v = draws(5, 3), draws(3), np.abs(draws(3)) + 0.5
    mine = [zen.tensor(a, requires_grad=True) for a in (x, m, v)]
    theirs = [torch.tensor(a, requires_grad=True) for a in (x, m, v)]
    y = zen.f.batch_norm(*mine)
    expected = (theirs[0] - theirs[1]) / torch.sqrt(theirs[2] + 1e-5)
    close(y, expected)
    y.square().sum().backward()
    expected.square().sum().backward()
    for a, b in zip(mine, theirs, strict=True):
        close(a.grad, b.grad, 1e-4)
