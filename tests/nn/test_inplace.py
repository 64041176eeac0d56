"""PyTorch's `inplace=True`, of functions and layers: the input holds the result afterwards, and gradients are right."""

import numpy as np
import pytest

import zen
from zen import f, nn

X = np.array([[-3.5, -1.0, 0.0], [0.4, 2.0, 7.0]])
FUNCTIONS = {
    "relu": {}, "silu": {}, "selu": {}, "mish": {}, "hardswish": {}, "relu6": {}, "hardsigmoid": {},
    "celu": {"alpha": 0.5}, "elu": {"alpha": 2.0}, "leaky_relu": {"negative_slope": 0.2}, "hardtanh": {"min_val": -0.5},
    "rrelu": {}, "threshold": {"threshold": 0.1, "value": -2.0}, "dropout": {"p": 1.0},
    "dropout1d": {"p": 1.0}, "alpha_dropout": {"p": 1.0, "training": True},
    "feature_alpha_dropout": {"p": 1.0, "training": True},
}  # fmt: skip
LAYERS = {
    "ReLU": {}, "SiLU": {}, "SELU": {}, "Mish": {}, "Hardswish": {}, "ReLU6": {}, "Hardsigmoid": {},
    "CELU": {"alpha": 0.5}, "ELU": {"alpha": 2.0}, "LeakyReLU": {"negative_slope": 0.2}, "Hardtanh": {"min_val": -0.5},
    "Threshold": {"threshold": 0.1, "value": -2.0}, "Dropout": {"p": 1.0},
}  # fmt: skip


def gradients(change):
    """Of a sum of x ** 3 and of what `change` makes of x ** 2 * 1.5, with weights: x's gradient, and the values."""
    t = zen.tensor(X, requires_grad=True)
    square = t * t * 1.5
    kept = square.sin()  # saves what is then overwritten
    y = change(square)
    (y * np.arange(1.0, 7.0).reshape(2, 3) + kept).sum().backward()
    return t.grad.numpy(), y.detach().numpy(), square.detach().numpy(), y is square


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions(name):
    function, options = getattr(f, name), FUNCTIONS[name]
    wanted, values, before, _ = gradients(lambda x: function(x, **options))
    found, y, after, same = gradients(lambda x: function(x, **options, inplace=True))
    assert same
    np.testing.assert_array_equal(y, values)
    np.testing.assert_array_equal(after, values)
    np.testing.assert_array_equal(before, 1.5 * X * X)
    np.testing.assert_allclose(found, wanted, rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("name", LAYERS)
def test_layers(name):
    wanted = gradients(getattr(nn, name)(**LAYERS[name]))[:2]
    *found, after, same = gradients(getattr(nn, name)(**LAYERS[name], inplace=True))
    assert same
    np.testing.assert_array_equal(after, wanted[1])
    for a, b in zip(found, wanted, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-13, atol=1e-13)


def test_by_position_as_in_pytorch():
    for call in (
        lambda x: f.relu(x, True), lambda x: f.leaky_relu(x, 0.01, True), lambda x: f.hardtanh(x, -1.0, 1.0, True),
        lambda x: f.dropout(x, 0.5, True, True), lambda x: f.rrelu(x, 0.1, 0.3, False, True),
    ):  # fmt: skip
        x = zen.tensor(X)
        assert call(x) is x
        assert not np.array_equal(x.numpy(), X)


def test_a_view_writes_into_what_it_is_a_view_of():
    t = zen.tensor(X)
    f.relu(t[1:], inplace=True)
    f.relu(t[:, 0], inplace=True)
    np.testing.assert_array_equal(t.numpy(), [[0.0, -1.0, 0.0], [0.4, 2.0, 7.0]])


def test_dropout_in_evaluation_leaves_the_input_as_it_is():
    x = zen.tensor(X)
    assert nn.Dropout(0.5, inplace=True).eval()(x) is x
    np.testing.assert_array_equal(x.numpy(), X)


@pytest.mark.parametrize("name", ["relu", "elu", "dropout", "hardswish"])
def test_only_tensors_are_written(name):
    with pytest.raises(TypeError, match=f"{name}: inplace=True writes into a Tensor, and the input is of type nd"):
        getattr(f, name)(X, inplace=True)


@pytest.mark.parametrize("name", ["relu", "leaky_relu", "mish"])
def test_a_leaf_that_requires_a_gradient_is_not_written(name):
    t = zen.tensor(X, requires_grad=True)
    with pytest.raises(RuntimeError, match=f"{name}: a leaf that requires a gradient cannot be changed in place"):
        getattr(f, name)(t, inplace=True)
    np.testing.assert_array_equal(t.detach().numpy(), X)


def test_a_dtype_that_cannot_hold_the_result():
    with pytest.raises(TypeError, match="elu: a value of dtype float64 does not fit into a Tensor of dtype int64"):
        f.elu(zen.tensor([1, -2]), inplace=True)


def test_the_others_do_not_take_it():
    with pytest.raises(TypeError, match="inplace"):
        f.sigmoid(X, inplace=True)
