"""Parameters computed from others, norms of weights, and parameters as a vector."""

import copy
import pickle

import numpy as np
import pytest

import zen
from zen import nn
from zen.nn import parametrizations, parametrize

X = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)


class Symmetric(nn.Module):
    def forward(self, x):
        upper = zen.triu(x)
        return upper + zen.triu(x, 1).T


class Exponential(nn.Module):
    def forward(self, x):
        return zen.exp(x)

    def right_inverse(self, y):
        return zen.log(y)


def linear(n=3, out=3):
    zen.random.seed(0)
    return nn.Linear(n, out)


def test_what_is_trained_is_the_original():
    layer = linear()
    before = layer.weight.numpy().copy() if not layer.weight.requires_grad else layer.weight.detach().numpy().copy()
    assert parametrize.register_parametrization(layer, "weight", Symmetric()) is layer
    weight = layer.weight.detach().numpy()
    np.testing.assert_array_equal(weight, weight.T)
    assert [name for name, _ in layer.named_parameters()] == ["bias", "parametrizations.weight.original"]
    np.testing.assert_array_equal(layer.parametrizations.weight.original.detach().numpy(), before)
    y = layer(X)
    np.testing.assert_allclose(y.detach().numpy(), X @ weight.T + layer.bias.detach().numpy(), rtol=1e-5)
    y.sum().backward()
    grad = layer.parametrizations.weight.original.grad.numpy()
    whole = np.tile(X.sum(0), (3, 1))
    np.testing.assert_allclose(grad, np.triu(whole) + np.triu(whole.T, 1), rtol=1e-4)


def test_chains_assignments_and_removal():
    layer = linear()
    layer.weight = nn.Parameter(np.abs(layer.weight.detach().numpy()) + 0.1)
    value = layer.weight.detach().numpy().copy()
    parametrize.register_parametrization(layer, "weight", Exponential())
    parametrize.register_parametrization(layer, "weight", Exponential())
    assert parametrize.is_parametrized(layer) and parametrize.is_parametrized(layer, "weight")
    assert not parametrize.is_parametrized(layer, "bias")
    np.testing.assert_allclose(layer.weight.detach().numpy(), np.exp(value), rtol=1e-5)
    layer.weight = np.full((3, 3), 5.0, np.float32)
    np.testing.assert_allclose(layer.weight.detach().numpy(), 5.0, rtol=1e-5)
    with pytest.raises(ValueError, match="has no parametrized 'bias'"):
        parametrize.remove_parametrizations(layer, "bias")
    parametrize.remove_parametrizations(layer, "weight")
    assert type(layer) is nn.Linear and list(layer.state_dict()) == ["bias", "weight"]
    np.testing.assert_allclose(layer.weight.detach().numpy(), 5.0, rtol=1e-5)
    parametrize.register_parametrization(layer, "weight", Exponential())
    parametrize.remove_parametrizations(layer, "weight", leave_parametrized=False)
    np.testing.assert_allclose(layer.weight.detach().numpy(), np.log(5.0), rtol=1e-5)


def test_optimisers_keep_a_single_original():
    layer = linear()
    layer.weight = nn.Parameter(np.full((3, 3), 2.0, np.float32))
    trained = layer.weight
    opt = zen.optim.SGD([trained], lr=0.5)
    recorded = (trained * trained).sum()
    parametrize.register_parametrization(layer, "weight", Exponential())
    assert layer.parametrizations.weight.original is trained
    np.testing.assert_allclose(layer.weight.array, 2.0, rtol=1e-6)
    recorded.backward()  # by the values of before
    np.testing.assert_array_equal(trained.grad.numpy(), 4.0)
    opt.zero_grad()
    layer.weight.sum().backward()
    opt.step()
    np.testing.assert_allclose(layer.weight.array, np.exp(np.log(2) - 0.5 * 2), rtol=1e-5)
    trained.requires_grad = False
    layer.weight = np.full((3, 3), 7.0, np.float32)
    assert layer.parametrizations.weight.original is trained and not trained.requires_grad
    np.testing.assert_allclose(layer.weight.array, 7.0, rtol=1e-6)
    parametrize.remove_parametrizations(layer, "weight")
    assert layer.weight is trained
    np.testing.assert_allclose(trained.array, 7.0, rtol=1e-6)


def test_several_originals_are_written_together_or_not_at_all():
    layer = parametrizations.weight_norm(linear())
    g, v = layer.parametrizations.weight.original0, layer.parametrizations.weight.original1
    before = g.array.copy(), v.array.copy()
    with pytest.raises(ValueError, match=r"a value of shape \(3, 2\) for original1 of shape \(3, 3\)"):
        layer.weight = np.full((3, 2), 2.0, np.float32)
    np.testing.assert_array_equal(g.array, before[0])
    layer.weight = np.full((3, 3), 2.0, np.float32)
    assert layer.parametrizations.weight.original0 is g and layer.parametrizations.weight.original1 is v
    np.testing.assert_allclose(g.array, np.sqrt(12), rtol=1e-6)


def test_a_refused_parametrization_leaves_the_module_as_it_was():
    layer = linear()
    value = layer.weight.array.copy()
    with pytest.raises(ValueError, match="Flatten makes float32"):
        parametrize.register_parametrization(layer, "weight", nn.Flatten(0))
    assert type(layer) is nn.Linear and (layer.weight.array == value).all()
    parametrize.register_parametrization(layer, "weight", Symmetric())
    value = layer.weight.array.copy()
    with pytest.raises(ValueError, match="Flatten makes float32"):
        parametrize.register_parametrization(layer, "weight", nn.Flatten(0))
    assert len(layer.parametrizations.weight) == 1 and (layer.weight.array == value).all()


def test_a_parametrization_takes_the_mode_of_its_module():
    layer = linear().eval()
    parametrize.register_parametrization(layer, "weight", nn.Dropout(0.5))
    parametrize.register_parametrization(layer, "weight", nn.Dropout(0.5))
    assert not any(part.training for part in layer.parametrizations.weight)
    assert (layer.weight.array == layer.parametrizations.weight.original.array).all()


@pytest.mark.parametrize("make", [
    lambda: parametrizations.weight_norm(linear()), lambda: parametrizations.spectral_norm(linear()),
    lambda: parametrizations.weight_norm(parametrizations.spectral_norm(linear()), "bias"),
])  # fmt: skip
def test_copies_states_and_training(make):
    layer = make()
    for twin in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        assert type(twin) is type(layer) and list(twin.state_dict()) == list(layer.state_dict())
        np.testing.assert_array_equal(twin.eval()(X).array, copy.deepcopy(layer).eval()(X).array)
    other = make()
    opt = zen.optim.SGD(layer.parameters(), lr=0.1)
    for _ in range(3):
        opt.zero_grad()
        (layer(X) ** 2).sum().backward()
        opt.step()
    assert not np.allclose(other.eval()(X).array, layer.eval()(X).array)
    other.load_state_dict(layer.state_dict())
    np.testing.assert_array_equal(other.eval()(X).array, layer.eval()(X).array)
    assert repr(layer).startswith("ParametrizedLinear(")


def test_weight_norm_sets_lengths():
    layer = linear(4, 3)
    before = layer.weight.detach().numpy().copy()
    parametrizations.weight_norm(layer)
    np.testing.assert_allclose(layer.weight.detach().numpy(), before, rtol=1e-6)
    layer.parametrizations.weight.original0 = nn.Parameter(np.array([[1.0], [2.0], [3.0]], np.float32))
    np.testing.assert_allclose(np.linalg.norm(layer.weight.detach().numpy(), axis=1), [1, 2, 3], rtol=1e-6)


@pytest.mark.parametrize("kind", ["conv", "transposed", "linear"])
def test_spectral_norm_finds_the_largest_singular_value(kind):
    zen.random.seed(0)
    layer = {
        "conv": lambda: nn.Conv2d(3, 4, 2, dtype="float64"), "linear": lambda: nn.Linear(6, 5, dtype="float64"),
        "transposed": lambda: nn.ConvTranspose1d(3, 4, 2, dtype="float64"),
    }[kind]()  # fmt: skip
    weight = layer.weight.detach().numpy()
    axis = 1 if kind == "transposed" else 0
    matrix = np.moveaxis(weight, axis, 0).reshape(weight.shape[axis], -1)
    parametrizations.spectral_norm(layer, n_power_iterations=50)
    for _ in range(4):
        found = layer.weight
    np.testing.assert_allclose(found.detach().numpy(), weight / np.linalg.norm(matrix, 2), rtol=1e-6)
    layer.eval()
    u = layer.parametrizations.weight[0]._u.numpy().copy()
    assert layer.weight is not None and (layer.parametrizations.weight[0]._u.numpy() == u).all()


def test_recurrent_layers_read_parametrized_weights():
    """A weight that is not in the layer's own dictionary is not left out."""
    for name in ("RNN", "LSTM", "GRU"):
        zen.random.seed(0)
        layer = getattr(nn, name)(3, 4)
        expected = layer(X[:, None])[0].array
        for weight in ("weight_hh_l0", "weight_ih_l0", "bias_hh_l0"):
            parametrizations.weight_norm(layer, weight)
        np.testing.assert_allclose(layer(X[:, None])[0].array, expected, rtol=1e-4, atol=1e-6)
    zen.random.seed(0)
    attention = nn.MultiheadAttention(4, 2, kdim=3, vdim=3)
    inputs = np.ones((2, 1, 4), np.float32), X[:2, None], X[2:4, None]
    expected = attention(*inputs)[0].array
    parametrizations.weight_norm(attention, "k_proj_weight")
    parametrizations.weight_norm(attention, "q_proj_weight")
    np.testing.assert_allclose(attention(*inputs)[0].array, expected, rtol=1e-4, atol=1e-6)
    (attention(*inputs)[0] ** 2).sum().backward()
    assert attention.parametrizations.q_proj_weight.original1.grad is not None


def test_parameters_as_a_vector_and_back():
    layer = linear(2, 3)
    vector = nn.parameters_to_vector(layer.parameters())
    assert vector.shape == (9,)
    (vector * vector).sum().backward()
    np.testing.assert_allclose(layer.weight.grad.numpy(), 2 * layer.weight.detach().numpy(), rtol=1e-6)
    saved = layer.weight
    nn.vector_to_parameters(zen.arange(9.0), layer.parameters())
    assert layer.weight is saved and layer.weight.dtype == np.float32
    np.testing.assert_array_equal(layer.weight.detach().numpy(), np.arange(6.0).reshape(3, 2))
    np.testing.assert_array_equal(layer.bias.detach().numpy(), [6, 7, 8])
    layer.weight.grad = None
    y = (layer.weight * layer.weight).sum()
    nn.vector_to_parameters(zen.zeros(9), layer.parameters())
    y.backward()  # by the values of before
    np.testing.assert_array_equal(layer.weight.grad.numpy(), 2 * np.arange(6.0).reshape(3, 2))


@pytest.mark.parametrize(("call", "kind", "message"), [
    (lambda: parametrize.register_parametrization(linear(), "w", Symmetric()), KeyError, "has no parameter or buffer"),
    (lambda: parametrize.register_parametrization(nn.Linear(2, 2, False), "bias", Symmetric()), KeyError, "is None"),
    (lambda: parametrize.register_parametrization(linear(), "weight", abs), TypeError, "expected a Module"),
    (lambda: parametrize.register_parametrization(linear(), "weight", nn.Flatten(0)), ValueError, "pass unsafe=True"),
    (lambda: setattr(parametrize.register_parametrization(linear(), "weight", Symmetric()), "weight", X[:3]),
     NotImplementedError, "Symmetric has no right_inverse"),
    (lambda: setattr(parametrizations.spectral_norm(linear()), "weight", X), ValueError, r"a value of shape \(5, 3\)"),
    (lambda: parametrizations.weight_norm(linear(), dim=2), ValueError, "weight_norm: dim 2 is out of range"),
    (lambda: parametrizations.spectral_norm(linear(), dim=2), ValueError, "spectral_norm: dim 2 is out of range"),
    (lambda: parametrizations.spectral_norm(linear(), "w"), KeyError, "spectral_norm: Linear has no parameter 'w'"),
    (lambda: parametrizations.spectral_norm(linear(), n_power_iterations=0), ValueError, "must be at least 1, not 0"),
    (lambda: parametrize.remove_parametrizations(parametrizations.weight_norm(linear()), "weight", False), ValueError,
     "is made of 2 originals"),
    (lambda: nn.parameters_to_vector([]), ValueError, "there are no parameters"),
    (lambda: nn.parameters_to_vector([1.0]), TypeError, "parameter 0 is a float, not a Tensor"),
    (lambda: nn.vector_to_parameters(zen.ones(8), linear(2, 3).parameters()), ValueError, r"shape \(8,\) for 9"),
    (lambda: nn.vector_to_parameters(zen.ones(2, dtype="complex64"), [zen.zeros(1, dtype="complex64"), zen.zeros(1)]),
     TypeError, "parameter 1 is float64, but the vector complex64"),
    (lambda: nn.vector_to_parameters([1.0], []), TypeError, "the vector must be a Tensor, not list"),
])  # fmt: skip
def test_errors(call, kind, message):
    with pytest.raises(kind, match=message):
        call()
