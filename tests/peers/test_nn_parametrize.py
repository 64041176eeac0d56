"""weight_norm and spectral_norm against PyTorch: names of the state, values, and gradients over several steps."""

import numpy as np
import pytest
import torch

import zen
from zen.nn import parametrizations

RNG = np.random.default_rng(0)
LAYERS = [
    (lambda m: m.Linear(4, 3), (5, 4)), (lambda m: m.Conv2d(2, 3, 2), (2, 2, 4, 4)),
    (lambda m: m.ConvTranspose2d(2, 3, 2), (2, 2, 3, 3)),
]  # fmt: skip


def carried(ours, theirs):
    ours.load_state_dict({k: v.numpy() for k, v in theirs.state_dict().items()})
    assert list(ours.state_dict()) == list(theirs.state_dict())


def steps(ours, theirs, shape):
    a, b = zen.optim.SGD(ours.parameters(), lr=0.01), torch.optim.SGD(theirs.parameters(), lr=0.01)
    for _ in range(4):
        x = RNG.normal(size=shape).astype(np.float32)
        y, z = ours(x), theirs(torch.tensor(x))
        np.testing.assert_allclose(y.array, z.detach().numpy(), rtol=1e-4, atol=1e-5)
        for opt, loss in ((a, (y**2).sum()), (b, (z**2).sum())):
            opt.zero_grad()
            loss.backward()
            opt.step()
        for (name, p), q in zip(ours.named_parameters(), theirs.parameters(), strict=True):
            np.testing.assert_allclose(p.grad.array, q.grad.numpy(), rtol=1e-3, atol=1e-4, err_msg=name)
    for name, t in ours.state_dict().items():
        np.testing.assert_allclose(t.array, theirs.state_dict()[name].numpy(), rtol=1e-4, atol=1e-5, err_msg=name)


@pytest.mark.parametrize(("make", "shape"), LAYERS)
@pytest.mark.parametrize("dim", [0, 1, -1, None])
def test_weight_norm(make, shape, dim):
    ours, theirs = parametrizations.weight_norm(make(zen.nn), dim=dim), make(torch.nn)
    if dim == -1:  # which PyTorch takes for None
        theirs = torch.nn.utils.parametrizations.weight_norm(theirs, dim=theirs.weight.ndim - 1)
    else:
        theirs = torch.nn.utils.parametrizations.weight_norm(theirs, dim=dim)
    carried(ours, theirs)
    steps(ours, theirs, shape)


@pytest.mark.parametrize(("make", "shape"), LAYERS)
@pytest.mark.parametrize("count", [1, 3])
def test_spectral_norm(make, shape, count):
    ours = parametrizations.spectral_norm(make(zen.nn), n_power_iterations=count)
    theirs = torch.nn.utils.parametrizations.spectral_norm(make(torch.nn), n_power_iterations=count)
    carried(ours, theirs)
    steps(ours, theirs, shape)
