"""`functional_call`: a module with other parameters, and as it was behind it."""

import numpy as np
import pytest

import zen
from zen import nn


def model():
    zen.random.seed(0)
    return nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Tanh(), nn.Linear(4, 2))


X = zen.tensor(np.random.default_rng(0).normal(size=(5, 3)).astype("f"))


def test_other_parameters_for_one_call():
    net = model()
    net.eval()
    before, own = net(X).detach(), dict(net.named_parameters())
    given = {name: p.detach() * 2 for name, p in own.items()}
    other = nn.functional_call(net, given, X)
    for name, p in own.items():
        assert dict(net.named_parameters())[name] is p
        p.value *= 2
    np.testing.assert_array_equal(other.detach(), net(X).detach())
    assert not np.array_equal(before, other.detach())


def test_what_is_not_given_stays():
    net = model()
    weight = zen.zeros((2, 4), dtype=zen.float32)
    found = nn.functional_call(net, {"3.weight": weight}, (X,))
    np.testing.assert_array_equal(found.detach(), np.broadcast_to(net[3].bias.value, (5, 2)))


def test_gradients_reach_what_is_given():
    net = model()
    p = {name: v.detach() for name, v in net.named_parameters()}
    found = zen.grad(lambda p: (nn.functional_call(net, p, X) ** 2).sum())(p)
    (net(X) ** 2).sum().backward()
    for name, v in net.named_parameters():
        np.testing.assert_allclose(found[name].numpy(), v.grad.numpy(), rtol=1e-4, atol=1e-5)


def test_buffers_are_written_where_they_were_given():
    net = model()
    mean = zen.zeros(4, dtype=zen.float32)
    nn.functional_call(net, {"1.running_mean": mean}, X)
    assert (mean.numpy() != 0).all() and (net[1].running_mean.numpy() == 0).all()


def test_a_shared_parameter_is_replaced_everywhere():
    a, b = nn.Linear(3, 3), nn.Linear(3, 3)
    b.weight = a.weight
    net = nn.Sequential(a, b)
    zero = zen.zeros((3, 3), dtype=zen.float32)
    tied = nn.functional_call(net, {"0.weight": zero}, X)
    np.testing.assert_array_equal(tied.detach(), np.broadcast_to(b.bias.value, (5, 3)))
    apart = nn.functional_call(net, {"0.weight": zero}, X, tie_weights=False)
    assert not np.array_equal(apart.detach(), tied.detach())
    assert b.weight is a.weight


def test_the_module_is_as_before_after_an_error():
    net = model()
    own = dict(net.named_parameters())
    with pytest.raises(ValueError):
        nn.functional_call(net, {"0.weight": own["0.weight"] * 2}, zen.zeros((5, 7), dtype=zen.float32))
    assert all(dict(net.named_parameters())[name] is p for name, p in own.items())


@pytest.mark.parametrize(("given", "options", "kind", "message"), [
    ({"4.weight": zen.zeros(2)}, {}, KeyError, "no parameter or buffer '4.weight'; it has 0.weight"),
    ({"0.weight": np.zeros((4, 3))}, {}, TypeError, "0.weight must be a Tensor, not ndarray"),
    ({"0.weight": zen.zeros((3, 4))}, {}, ValueError, "0.weight has shape (4, 3), but shape (3, 4) was given"),
    ({}, {"strict": True}, KeyError, "strict=True, but 0.weight, 0.bias"),
])  # fmt: skip
def test_errors(given, options, kind, message):
    with pytest.raises(kind) as raised:
        nn.functional_call(model(), given, X, **options)
    assert message in str(raised.value)


def test_only_modules_are_called():
    with pytest.raises(TypeError, match="functional_call: expected a Module, not int"):
        nn.functional_call(3, {}, X)
