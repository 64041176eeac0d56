"""AdaptiveLogSoftmaxWithLoss: what makes it a distribution, and errors. Numbers stand in tests/peers."""

import numpy as np
import pytest

import zen
from zen import nn

RNG = np.random.default_rng(1)


def layer():
    zen.random.seed(0)
    return nn.AdaptiveLogSoftmaxWithLoss(16, 12, cutoffs=[3, 7], div_value=2.0, head_bias=True, dtype=np.float64)


def test_it_is_a_distribution_and_the_loss_reads_it():
    model, x, t = layer(), RNG.normal(size=(20, 16)), RNG.integers(0, 12, 20)
    scores = model.log_prob(x)
    np.testing.assert_allclose(np.exp(scores.detach().numpy()).sum(1), 1.0, rtol=1e-13)
    output, loss = model(x, t)
    np.testing.assert_allclose(output.detach().numpy(), scores.detach().numpy()[np.arange(20), t], rtol=1e-12)
    np.testing.assert_allclose(loss.item(), -output.detach().numpy().mean(), rtol=1e-13)
    np.testing.assert_array_equal(model.predict(x).numpy(), scores.detach().numpy().argmax(1))


@pytest.mark.parametrize("targets", [[0, 1, 2], [11], [3, 3, 8, 0], []], ids=["head", "last", "mixed", "none"])
def test_gradients_are_those_of_the_whole_distribution(targets):
    model, x = layer(), RNG.normal(size=(len(targets), 16))
    t = np.array(targets, int)
    (model(x, t).output * np.arange(1.0, len(t) + 1)).sum().backward()
    found = {name: None if p.grad is None else p.grad.numpy() for name, p in model.named_parameters()}
    model.zero_grad()
    (model.log_prob(x)[np.arange(len(t)), t] * np.arange(1.0, len(t) + 1)).sum().backward()
    for name, p in model.named_parameters():
        wanted = np.zeros(p.shape) if p.grad is None else p.grad.numpy()
        np.testing.assert_allclose(0 if found[name] is None else found[name], wanted, rtol=1e-10, atol=1e-14)


def test_one_input():
    model, x = layer(), RNG.normal(size=16)
    one = model(x, 8)
    assert one.output.shape == one.loss.shape == () and model.log_prob(x).shape == (12,)
    np.testing.assert_allclose(one.output.item(), model(x[None], [8]).output.item(), rtol=1e-13)
    assert model.predict(x).item() == model.predict(x[None])[0].item()


@pytest.mark.parametrize(("call", "kind", "message"), [
    (lambda: nn.AdaptiveLogSoftmaxWithLoss(8, 10, []), ValueError, "cutoffs must be rising ints between 1 and .* = 9"),
    (lambda: nn.AdaptiveLogSoftmaxWithLoss(8, 10, [3, 3]), ValueError, r"not \[3, 3\]"),
    (lambda: nn.AdaptiveLogSoftmaxWithLoss(8, 10, [2.5]), ValueError, "cutoffs must be rising ints"),
    (lambda: nn.AdaptiveLogSoftmaxWithLoss(8, 10, [10]), ValueError, "cutoffs must be rising ints"),
    (lambda: nn.AdaptiveLogSoftmaxWithLoss(8, 10, [2, 4]), ValueError, r"cluster 2 would have .* = 0.5 numbers"),
    (lambda: layer()(np.ones((2, 16)), [0, 12]), IndexError, "class 12 is out of range for 12 classes"),
    (lambda: layer()(np.ones((2, 16)), [0, -1]), IndexError, "class -1 is out of range"),
    (lambda: layer()(np.ones((2, 16)), [0, 1, 2]), ValueError, r"target of shape \(3,\) .* expected \(batch, 16\)"),
    (lambda: layer()(np.ones((2, 16)), [0.0, 1.0]), ValueError, "dtype float64; expected"),
    (lambda: layer().log_prob(np.ones((2, 15))), ValueError, r"input of shape \(2, 15\); expected \(batch, 16\)"),
])  # fmt: skip
def test_errors(call, kind, message):
    with pytest.raises(kind, match=message):
        call()
