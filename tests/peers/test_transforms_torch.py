"""Transforms of functions with free variables, against torch.func."""

import numpy as np
import pytest
import torch

import zen

pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")  # PyTorch's own

X = np.array([0.5, -1.2, 2.0])
W = np.array([1.5, 0.7, -0.4])
CASES = {
    "product": lambda lib, w, x: (w * x**3).sum(),
    "exponential": lambda lib, w, x: lib.exp(w * x).sum(),
    "network": lambda lib, w, x: lib.tanh(w * lib.tanh(w * x) + x).sum(),
    "only in the value": lambda lib, w, x: (w * w).sum() + (x * x).sum(),
}


@pytest.mark.parametrize("name", CASES)
def test_gradients_of_grad_in_what_the_function_uses(name):
    f = CASES[name]
    w, v = zen.tensor(W, requires_grad=True), torch.tensor(W, requires_grad=True)
    value, g = zen.value_and_grad(lambda x: f(zen, w, x))(X)
    expected_g, expected = torch.func.grad_and_value(lambda x: f(torch, v, x))(torch.tensor(X))
    np.testing.assert_allclose(g.array, expected_g.detach().numpy())
    assert g.requires_grad == expected_g.requires_grad and value.requires_grad == expected.requires_grad
    ((g * g).sum() + value).backward()
    ((expected_g * expected_g).sum() + expected).backward()
    np.testing.assert_allclose(w.gradient, v.grad.numpy())


@pytest.mark.parametrize("name", CASES)
def test_no_grad_around_grad(name):
    f = CASES[name]
    w, v = zen.tensor(W, requires_grad=True), torch.tensor(W, requires_grad=True)
    with zen.no_grad(), torch.no_grad():
        g = zen.grad(lambda x: f(zen, w, x))(X)
        expected = torch.func.grad(lambda x: f(torch, v, x))(torch.tensor(X))
    assert type(g) is np.ndarray and not expected.requires_grad
    np.testing.assert_allclose(g, expected.numpy())


@pytest.mark.parametrize("name", CASES)
def test_gradients_of_jvp_and_vjp(name):
    f = CASES[name]
    w, v = zen.tensor(W, requires_grad=True), torch.tensor(W, requires_grad=True)
    direction = np.array([1.0, -2.0, 0.5])
    _, t = zen.jvp(lambda x: f(zen, w, x), (X,), (direction,))
    _, expected = torch.func.jvp(lambda x: f(torch, v, x), (torch.tensor(X),), (torch.tensor(direction),))
    _, pull = zen.vjp(lambda x: f(zen, w, x), X)
    _, torch_pull = torch.func.vjp(lambda x: f(torch, v, x), torch.tensor(X))
    (g,), (expected_g,) = pull(1.0), torch_pull(torch.tensor(1.0, dtype=torch.float64))
    np.testing.assert_allclose(t.item(), expected.item())
    assert (t.requires_grad, g.requires_grad) == (expected.requires_grad, expected_g.requires_grad)
    (t * t + (g * direction).sum() + w.sum()).backward()
    (expected * expected + (expected_g * torch.tensor(direction)).sum() + v.sum()).backward()
    np.testing.assert_allclose(w.gradient, v.grad.numpy())


def test_a_force_loss_on_a_batch_without_gradients():
    rng = np.random.default_rng(0)
    first, second, batch = rng.normal(size=(8, 2)), rng.normal(size=(1, 8)), rng.normal(size=(5, 2))

    def energy(lib, weights, x):
        return (lib.tanh(x @ weights[0].T) @ weights[1].T).sum()

    ours = [zen.tensor(a, requires_grad=True) for a in (first, second)]
    theirs = [torch.tensor(a, requires_grad=True) for a in (first, second)]
    (zen.grad(lambda x: energy(zen, ours, x))(batch) ** 2).sum().backward()
    (torch.func.grad(lambda x: energy(torch, theirs, x))(torch.tensor(batch)) ** 2).sum().backward()
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a.gradient, b.grad.numpy())


KINKS = {
    "abs": lambda lib, f, x: lib.abs(x) ** 2,
    "maximum": lambda lib, f, x: lib.maximum(x, -x) ** 2,
    "minimum": lambda lib, f, x: lib.minimum(x, -x) ** 2,
    "l1_loss": lambda lib, f, x: f.l1_loss(x, 0 * x) ** 2,
    "vector_norm 1": lambda lib, f, x: lib.linalg.vector_norm(lib.stack([x, 2 * x]), ord=1) ** 2,
    "vector_norm inf": lambda lib, f, x: lib.linalg.vector_norm(lib.stack([x, x]), ord=np.inf) ** 2,
}


@pytest.mark.parametrize("name", KINKS)
def test_derivatives_through_a_kink_are_products_of_subgradients(name):
    """At 0 and beside it: to the first and the second order."""
    g = zen.grad(lambda x: KINKS[name](zen, zen.f, x))
    h = torch.func.grad(lambda x: KINKS[name](torch, torch.nn.functional, x))
    for x in (0.0, 0.7, -0.7):
        t = torch.tensor(x, dtype=torch.float64)
        for ours, theirs in ((g, h), (zen.grad(g), torch.func.grad(h))):
            assert float(ours(x)) == pytest.approx(theirs(t).item(), abs=1e-12)
    assert float(zen.grad(g)(0.0)) == 0
