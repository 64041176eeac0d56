"""In-place writes, views and views of views: random programs run in step in zen and PyTorch.

Values must agree after every step, gradients at the end. Where PyTorch refuses the backward pass because a saved value
was overwritten zen may still answer, since its log of writes is finer; the other way round is a failure.

One difference is deliberate: an element read with integers only is a copy, as in NumPy, where PyTorch gives a view.
"""

import random

import numpy as np
import pytest
import torch

import zen


def key(rng, shape):
    parts = []
    for n in shape:
        kind = rng.random()
        start = rng.randrange(n)
        if kind < 0.25 and len(shape) > 1:
            parts.append(start)
        elif kind < 0.6:
            parts.append(slice(start, rng.randrange(start + 1, n + 1), rng.choice([None, 1, 2])))
        else:
            parts.append(slice(None))
    return tuple(parts)


def operand(rng, mine, theirs, w, shape):
    """A number, a Tensor of the pool or part of the leaf w, of a shape that broadcasts to `shape`."""
    if rng.random() < 0.2:
        number = rng.uniform(0.5, 1.5)
        return number, number
    if rng.random() < 0.4 and 0 < len(shape) and shape[-1] <= 4 and (len(shape) == 1 or shape[0] <= 3):
        part = (slice(shape[0]), slice(shape[1])) if len(shape) == 2 else (0, slice(shape[0]))
        return w[0][part], w[1][part]
    k = rng.randrange(len(mine))
    if mine[k].shape == shape:
        return (mine[k], theirs[k]) if rng.random() < 0.5 else (mine[k] * 1, theirs[k] * 1)
    return mine[k].sum(), theirs[k].sum()


def step(rng, mine, theirs, w):
    k = rng.randrange(len(mine))
    x, y = mine[k], theirs[k]
    name = rng.choice("view view T reshape add_ mul_ div_ set row tanh zero_ clamp_ pow_ +=".split())
    if name == "view" and x.ndim:
        part = key(rng, x.shape)
        mine.append(x[part])
        theirs.append(y[part].clone() if y[part].ndim == 0 else y[part])
    elif name == "T" and x.ndim == 2:
        mine.append(x.T)
        theirs.append(y.T)
    elif name == "reshape" and x.value.flags.c_contiguous and y.is_contiguous():
        mine.append(x.reshape(-1))
        theirs.append(y.reshape(-1))
    elif name in ("add_", "mul_", "div_"):
        a, b = operand(rng, mine, theirs, w, x.shape)
        if name == "div_":
            a, b = a * a + 1, b * b + 1
        getattr(x, name)(a)
        getattr(y, name)(b)
    elif name == "set":
        part = key(rng, x.shape)
        a, b = operand(rng, mine, theirs, w, x[part].shape)
        x[part] = a
        y[part] = b
    elif name == "+=" and x.ndim:
        part = key(rng, x.shape)
        x[part] += 0.5
        y[part] += 0.5
    elif name == "row" and x.ndim and x.shape[0] > 1:
        x[0] = x[1] * 0.5
        y[0] = y[1] * 0.5
    elif name == "tanh":
        mine.append(x.tanh())
        theirs.append(y.tanh())
    elif name == "zero_" and rng.random() < 0.5:
        x.zero_()
        y.zero_()
    elif name in ("clamp_", "pow_"):
        arguments = (-0.8, 0.9) if name == "clamp_" else (2,)
        getattr(x, name)(*arguments)
        getattr(y, name)(*arguments)


@pytest.mark.parametrize("seed", range(300))
def test_random_program(seed):
    rng, numbers = random.Random(seed), np.random.default_rng(seed)
    x0, w0 = numbers.normal(size=(3, 4)), numbers.normal(size=(3, 4)) + 2
    leaves = [zen.tensor(a, requires_grad=True) for a in (x0, w0)]
    peers = [torch.tensor(a, requires_grad=True) for a in (x0, w0)]
    mine, theirs = [leaves[0] * 1], [peers[0] * 1]
    for _ in range(rng.randrange(2, 10)):
        step(rng, mine, theirs, (leaves[1], peers[1]))
        for x, y in zip(mine, theirs, strict=True):
            np.testing.assert_allclose(x.value, y.detach().numpy(), rtol=1e-9, atol=1e-12)
    total = sum((x * x).sum() * (k + 1) for k, x in enumerate(mine))
    try:
        sum((y * y).sum() * (k + 1) for k, y in enumerate(theirs)).backward()
    except RuntimeError as error:
        assert "modified by an inplace operation" in str(error)
        return
    total.backward()
    for leaf, peer in zip(leaves, peers, strict=True):
        expected = np.zeros((3, 4)) if peer.grad is None else peer.grad.numpy()
        found = np.zeros((3, 4)) if leaf.gradient is None else leaf.gradient
        np.testing.assert_allclose(found, expected, rtol=1e-7, atol=1e-9)
