"""Layers of complex numbers beside PyTorch, where PyTorch takes them: values, and derivatives of order 1 and 2."""

import numpy as np
import pytest
import torch
from torch.nn import functional

import zen
from zen import f, nn

RNG = np.random.default_rng(11)


def draw(*shape):
    return RNG.normal(size=shape) + 1j * RNG.normal(size=shape)


def real(*shape):
    return RNG.normal(size=shape)


CASES = {
    "linear": (lambda m, x, w, b: m.linear(x, w, b), draw(4, 3), draw(5, 3), draw(5)),
    "conv1d": (lambda m, x, w, b: m.conv1d(x, w, b, 2, 1, 1, 2), draw(2, 4, 9), draw(6, 2, 3), draw(6)),
    "conv2d": (lambda m, x, w, b: m.conv2d(x, w, b, (2, 1), 1, (1, 2)), draw(2, 3, 6, 5), draw(4, 3, 3, 2), draw(4)),
    "conv3d": (lambda m, x, w, b: m.conv3d(x, w, b, padding=1), draw(1, 2, 3, 4, 3), draw(3, 2, 2, 2, 2), draw(3)),
    "conv_transpose1d": (lambda m, x, w, b: m.conv_transpose1d(x, w, b, 2), draw(2, 4, 5), draw(4, 3, 3), draw(3)),
    "conv_transpose2d": (
        lambda m, x, w, b: m.conv_transpose2d(x, w, b, 2, 1, 1), draw(2, 4, 3, 4), draw(4, 3, 3, 3), draw(3)
    ),
    "conv_transpose3d": (
        lambda m, x, w, b: m.conv_transpose3d(x, w, b, 2), draw(1, 2, 3, 2, 3), draw(2, 2, 2, 2, 1), draw(2)
    ),
    "normalize": (lambda m, x: m.normalize(x, dim=1), draw(4, 3)),
    "normalize of order 3": (lambda m, x: m.normalize(x, p=3.0, dim=0), draw(4, 3)),
    "pairwise_distance": (lambda m, x, y: m.pairwise_distance(x, y, 2.0, 0.1), draw(4, 3), draw(4, 3)),
    "triplet_margin_loss": (
        lambda m, x, y, z: m.triplet_margin_loss(x, y, z, 4.0), draw(4, 3), draw(4, 3), draw(4, 3)
    ),
    "l1_loss": (lambda m, x, y: m.l1_loss(x, y), draw(4, 3), draw(4, 3)),
    "pad": (lambda m, x: m.pad(x, pad=(1, 2), mode="circular"), draw(1, 4, 5)),
    "unfold": (lambda m, x: m.unfold(x, 2), draw(1, 2, 4, 4)),
    "softsign": (lambda m, x: m.softsign(x), draw(4, 3)), "tanhshrink": (lambda m, x: m.tanhshrink(x), draw(4, 3)),
}  # fmt: skip


def loss(y, weights):
    total = (y * weights).sum()
    return total.real if "complex" in str(total.dtype) else total


@pytest.mark.parametrize("name", CASES)
def test_functions(name):
    function, *args = CASES[name]
    z, t = [zen.tensor(a, requires_grad=True) for a in args], [torch.tensor(a, requires_grad=True) for a in args]
    y, u = function(f, *z), function(functional, *t)
    np.testing.assert_allclose(y.detach().numpy(), u.detach().numpy(), rtol=1e-11, atol=1e-12)
    weights = draw(*y.shape) if y.dtype.kind == "c" else real(*y.shape)
    first = zen.gradients(loss(y, weights), z, create_graph=True)
    expected = torch.autograd.grad(loss(u, torch.tensor(weights)), t, create_graph=True)
    for a, b in zip(first, expected, strict=True):
        np.testing.assert_allclose(a.detach().numpy(), b.detach().resolve_conj().numpy(), rtol=1e-9, atol=1e-11)
    weights = [draw(*a.shape) for a in args]
    live = [(a, w) for a, w in zip(first, weights, strict=True) if a.requires_grad]
    there = [(b, w) for b, w in zip(expected, weights, strict=True) if b.requires_grad]
    if not live:
        return
    second = zen.gradients(sum(loss(a, w) for a, w in live), z, allow_unused=True)
    found = torch.autograd.grad(sum(loss(b, torch.tensor(w)) for b, w in there), t, allow_unused=True)
    for a, b in zip(second, found, strict=True):
        a, b = 0 if a is None else a.numpy(), 0 if b is None else b.resolve_conj().numpy()
        np.testing.assert_allclose(a, b, rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize(
    ("name", "options", "shape"),
    [
        ("Linear", {"in_features": 3, "out_features": 4}, (2, 3)),
        ("Conv1d", {"in_channels": 2, "out_channels": 4, "kernel_size": 2, "groups": 2}, (2, 2, 5)),
        ("Conv2d", {"in_channels": 2, "out_channels": 3, "kernel_size": 3, "padding": 1}, (1, 2, 4, 3)),
        ("ConvTranspose2d", {"in_channels": 2, "out_channels": 3, "kernel_size": 3, "stride": 2}, (1, 2, 3, 2)),
        ("RNN", {"input_size": 3, "hidden_size": 2, "num_layers": 2, "bidirectional": True}, (4, 2, 3)),
        ("LSTM", {"input_size": 3, "hidden_size": 2}, (4, 2, 3)),
        ("GRU", {"input_size": 3, "hidden_size": 2}, (4, 2, 3)),
        ("LSTMCell", {"input_size": 3, "hidden_size": 2}, (2, 3)),
        ("GRUCell", {"input_size": 3, "hidden_size": 2}, (2, 3)),
    ],
)  # fmt: skip
def test_layers(name, options, shape):
    theirs = getattr(torch.nn, name)(**options, dtype=torch.complex128)
    ours = getattr(nn, name)(**options, dtype=np.complex128)
    ours.load_state_dict({key: v.detach().numpy() for key, v in theirs.state_dict().items()})
    x = 0.5 * draw(*shape)
    t, u = zen.tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)
    y, z = [out[0] if isinstance(out, tuple) else out for out in (ours(t), theirs(u))]
    np.testing.assert_allclose(y.detach().numpy(), z.detach().numpy(), rtol=1e-10, atol=1e-12)
    (abs(y) ** 2).sum().backward()
    (z.abs() ** 2).sum().backward()
    np.testing.assert_allclose(t.grad.numpy(), u.grad.numpy(), rtol=1e-8, atol=1e-9)
    for p, q in zip(ours.parameters(), theirs.parameters(), strict=True):
        np.testing.assert_allclose(p.grad.numpy(), q.grad.numpy(), rtol=1e-8, atol=1e-9)
