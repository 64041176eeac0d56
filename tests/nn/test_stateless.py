"""`functional_call`: a module with other parameters, and as it was behind it."""

import copy
import pickle

import numpy as np
import pytest
from crowd import crowd

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


class Penalised(nn.Module):
    """Reads its parameters in every way that modules have."""

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(3, 4), nn.LSTM(4, 4), nn.MultiheadAttention(4, 2))
        self.scale = nn.Parameter(np.ones(4, "f"))
        self.list = nn.ParameterList([nn.Parameter(np.ones(4, "f"))])
        self.named = nn.ParameterDict({"shift": nn.Parameter(np.ones(4, "f"))})

    def forward(self, x):
        h, _ = self.body[1](self.body[0](x))
        h, _ = self.body[2](h, h, h)
        h = h * self.scale * self.list[0] + self.named["shift"] * self.__dict__["scale"] + list(self.named.values())[0]
        return (h**2).sum() + sum((p**2).sum() for p in self.parameters()) + self.get_parameter("scale").sum()


def test_every_way_to_read_a_parameter_finds_what_was_given():
    zen.random.seed(0)
    net = Penalised().double()
    x = X.astype(zen.float64)
    given = {name: p.detach() * 1.5 for name, p in net.named_parameters()}
    own = {name: p.value.copy() for name, p in net.named_parameters()}
    found = zen.grad(lambda p: nn.functional_call(net, p, x))(given)
    for name, p in net.named_parameters():
        np.testing.assert_array_equal(p.value, own[name])
        p.value[...] = given[name].value
    net(x).backward()
    for name, p in net.named_parameters():
        np.testing.assert_allclose(found[name].numpy(), p.grad.numpy(), rtol=1e-10)


def test_threads_call_one_module_each_with_its_own_parameters():
    net = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1)).double()
    x, original = np.ones((4, 2)), net(np.ones((4, 2))).value.copy()
    given = [{name: p.detach() * (k + 2.0) for name, p in net.named_parameters()} for k in range(4)]
    expected = []
    for p in given:
        own = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1)).double()
        own.load_state_dict(p)
        own(x).sum().backward()
        expected.append((own(x).value, {name: q.grad.value for name, q in own.named_parameters()}))

    def work(k):
        for _ in range(20):
            y = nn.functional_call(net, given[k], x)
            np.testing.assert_array_equal(y.value, expected[k][0])
            g = zen.grad(lambda p: nn.functional_call(net, p, x).sum())(given[k])
            for name, value in expected[k][1].items():
                np.testing.assert_array_equal(g[name].value, value)
            each = zen.vmap(lambda x: nn.functional_call(net, given[k], x))(x)
            np.testing.assert_allclose(each, expected[k][0], rtol=1e-12)

    def plain():
        for _ in range(100):
            np.testing.assert_array_equal(net(x).value, original)
            copy.deepcopy(net), pickle.loads(pickle.dumps(net)), repr(net)

    crowd(lambda k: plain() if k == 4 else work(k), threads=5)
    assert type(net[0]) is nn.Linear and net[0].weight is dict(net.named_parameters())["0.weight"]
    net(x).sum().backward()
    assert net[0].weight.grad is not None


def test_a_call_within_a_call():
    inner = nn.Linear(2, 1, bias=False).double()
    one, two = ({"weight": zen.tensor(np.full((1, 2), v), requires_grad=True)} for v in (1.0, 2.0))

    class Outer(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = inner

        def forward(self, x):
            return self.inner(x) + 10 * nn.functional_call(self.inner, two, x) + 100 * self.inner(x)

    y = nn.functional_call(Outer(), {"inner.weight": one["weight"]}, np.ones(2))
    assert y.item() == 2 + 40 + 200
    y.backward()
    np.testing.assert_array_equal(one["weight"].gradient, [[101, 101]])
    np.testing.assert_array_equal(two["weight"].gradient, [[10, 10]])
    assert inner.weight.grad is None


def test_what_a_call_writes_to_the_module():
    class Counter(nn.Module):
        def __init__(self):
            super().__init__()
            self.w = nn.Parameter(np.ones(2))
            self.register_buffer("seen", zen.zeros(()))
            self.calls = 0

        def forward(self, x):
            self.calls += 1
            self.seen = self.seen + 1
            self.late = 3
            del self.late
            return x * self.w * self.seen

    net = Counter()
    net.eval()
    assert nn.functional_call(net, {"w": zen.tensor([2.0, 3.0])}, np.ones(2)).tolist() == [2, 3]
    assert net.calls == 1 and net.seen.item() == 0 and type(net) is Counter and not hasattr(net, "late")


def test_a_parametrized_module():
    class Doubled(nn.Module):
        def forward(self, x):
            return 2 * x

    net = nn.Linear(2, 1, bias=False).double()
    zen.nn.parametrize.register_parametrization(net, "weight", Doubled())
    kind = type(net)
    given = {"parametrizations.weight.original": zen.tensor([[1.0, 2.0]])}
    assert nn.functional_call(net, given, np.ones(2)).tolist() == [6.0] and type(net) is kind
