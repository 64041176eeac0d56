"""A function of zen's beside one of PyTorch's: values, gradients, and the gradients of these."""

import numpy as np
import torch

import zen


def agree(mine, theirs, *arrays, tolerance=1e-9, order=2):
    """Assert that both do the same with the arrays; those of floats are differentiated, up to `order`."""
    floats = [np.asarray(a).dtype.kind == "f" for a in arrays]
    ours = [zen.tensor(a, requires_grad=f) for a, f in zip(arrays, floats, strict=True)]
    others = [torch.tensor(a, requires_grad=f) for a, f in zip(arrays, floats, strict=True)]
    y, expected = mine(*ours), theirs(*others)
    assert y.shape == tuple(expected.shape)
    assert y.dtype == expected.detach().numpy().dtype
    close(y, expected, tolerance)
    inputs = [a for a, f in zip(ours, floats, strict=True) if f]
    others = [b for b, f in zip(others, floats, strict=True) if f]
    if order == 0 or not y.size:
        return
    rng = np.random.default_rng(7)
    g = rng.normal(size=y.shape).astype(y.dtype)
    found = zen.gradients([(y * g).sum()], inputs, create_graph=order == 2)
    wanted = torch.autograd.grad((expected * torch.tensor(g)).sum(), others, create_graph=order == 2)
    for a, b in zip(found, wanted, strict=True):
        close(a, b, tolerance)
    if order == 1 or not any(b.requires_grad for b in wanted):
        return
    h = [rng.normal(size=a.shape).astype(a.dtype) for a in inputs]
    mixed = sum([(a * b).sum() for a, b in zip(found, h, strict=True)])
    if not mixed.requires_grad:
        mixed = mixed + sum([0.0 * x.sum() for x in inputs])
    other = sum([(a * torch.tensor(b)).sum() for a, b in zip(wanted, h, strict=True)])
    found = zen.gradients([mixed + sum([0.0 * x.sum() for x in inputs])], inputs)
    wanted = torch.autograd.grad(other, others, allow_unused=True)
    for a, b in zip(found, wanted, strict=True):
        close(a, torch.zeros(a.shape, dtype=torch.float64) if b is None else b, 10 * tolerance)


def close(mine, theirs, tolerance):
    np.testing.assert_allclose(mine.detach().numpy(), theirs.detach().numpy(), rtol=tolerance, atol=tolerance)
