"""AdaptiveLogSoftmaxWithLoss against PyTorch, with the same parameters by the same names."""

import numpy as np
import pytest
import torch

import zen
from zen import nn

RNG = np.random.default_rng(4)


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("batch", [9, None])
def test_values_and_gradients(bias, batch):
    options = {"in_features": 12, "n_classes": 30, "cutoffs": [4, 10, 20], "div_value": 2.0, "head_bias": bias}
    theirs = torch.nn.AdaptiveLogSoftmaxWithLoss(**options, dtype=torch.float64)
    ours = nn.AdaptiveLogSoftmaxWithLoss(**options, dtype=np.float64)
    ours.load_state_dict({name: p.detach().numpy() for name, p in theirs.state_dict().items()})
    x = RNG.normal(size=12 if batch is None else (batch, 12))
    target = np.int64(17) if batch is None else RNG.integers(0, 30, batch)
    t, u = zen.tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)
    found, wanted = ours(t, target), theirs(u, torch.tensor(target))
    for a, b in zip(found, wanted, strict=True):
        np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), rtol=1e-12)
    (found.loss + found.output.sin().sum()).backward()
    (wanted.loss + wanted.output.sin().sum()).backward()
    np.testing.assert_allclose(t.grad.numpy(), u.grad.numpy(), rtol=1e-10)
    other = dict(theirs.named_parameters())
    for name, p in ours.named_parameters():
        if p.grad is not None or other[name].grad is not None:
            np.testing.assert_allclose(p.grad.numpy(), other[name].grad.numpy(), rtol=1e-10, atol=1e-15)
    if batch is not None:
        np.testing.assert_allclose(ours.log_prob(x).detach().numpy(), theirs.log_prob(u).detach().numpy(), rtol=1e-12)
        np.testing.assert_array_equal(ours.predict(x).numpy(), theirs.predict(u).numpy())
