"""Module: what is registered, walks, state, conversion, copies, text, hooks."""

import copy
import pickle

import numpy as np
import pytest

import zen
from zen import nn


class Layer(nn.Module):
    def __init__(self, n=2):
        super().__init__()
        self.weight = nn.Parameter(np.arange(n, dtype=np.float32))
        self.register_buffer("count", zen.zeros(1))
        self.register_buffer("scratch", zen.zeros(2), persistent=False)
        self.name = "layer"

    def forward(self, x, scale=1.0):
        return x * self.weight * scale

    def extra_repr(self):
        return f"n={self.weight.size}"


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second = Layer(), Layer()
        self.tied = self.first
        self.none = None
        self.register_parameter("bias", None)
        self.top = nn.Parameter(np.ones(3))

    def forward(self, x):
        return self.second(self.first(x))


def test_attributes_register():
    m = Model()
    assert [n for n, _ in m.named_parameters()] == ["top", "first.weight", "second.weight"]
    assert [n for n, _ in m.named_parameters(prefix="a", recurse=False)] == ["a.top"]
    assert "tied.weight" in dict(m.named_parameters(remove_duplicate=False))
    assert [n for n, _ in m.named_buffers()] == ["first.count", "first.scratch", "second.count", "second.scratch"]
    assert [n for n, _ in m.named_children()] == ["first", "second"]
    assert [n for n, _ in m.named_modules()] == ["", "first", "second"]
    assert list(m.modules()) == [m, m.first, m.second] and list(m.children()) == [m.first, m.second]
    assert m.bias is None and m.none is None
    assert len(list(m.buffers())) == 4


def test_a_registered_name_changes_its_kind_only_on_purpose():
    m = Layer()
    m.weight = nn.Parameter(np.ones(4))
    assert [p.size for p in m.parameters()] == [4]
    m.weight = None
    assert list(m.parameters()) == [] and m.weight is None
    with pytest.raises(
        TypeError, match=r"Layer.weight is a parameter: it takes a Parameter or None, not Tensor; del it"
    ):
        m.weight = zen.ones(2)
    m.count = zen.ones(3)
    assert dict(m.named_buffers())["count"].shape == (3,)
    with pytest.raises(TypeError, match="count is a buffer: it takes a Tensor or None, not list"):
        m.count = [1.0]
    del m.weight
    m.weight = zen.ones(2)
    assert list(m.parameters()) == [] and not hasattr(Layer, "weight")
    m.count = nn.Linear(2, 2)
    assert [n for n, _ in m.named_children()] == ["count"] and [n for n, _ in m.named_buffers()] == ["scratch"]
    with pytest.raises(TypeError, match="count is a module: it takes a Module or None, not int"):
        m.count = 3
    with pytest.raises(AttributeError):
        del m.missing


def test_buffers_say_whether_they_persist():
    m = nn.Module()
    m.a, m.b = nn.Buffer(np.zeros(2)), nn.Buffer(np.zeros(2, np.int64), persistent=False)
    assert list(m.state_dict()) == ["a"] and [n for n, _ in m.named_buffers()] == ["a", "b"]
    m.b = nn.Buffer(np.zeros(2))
    assert list(m.state_dict()) == ["a", "b"]
    assert not m.a.requires_grad and m.double().b.dtype == np.float64


@pytest.mark.parametrize("value", [nn.Parameter(np.ones(1)), nn.Buffer(np.ones(1)), nn.Identity()])
def test_assignment_before_init(value):
    class Early(nn.Module):
        def __init__(self):
            self.plain = 1
            self.x = value
            super().__init__()

    with pytest.raises(AttributeError, match=r"Early.x: call super\(\).__init__\(\) before assigning a "):
        Early()


def test_registration_checks_names_and_values():
    m = Layer()
    for name in ("", "a.b", 3):
        with pytest.raises(KeyError, match="cannot name a parameter"):
            m.register_parameter(name, None)
    with pytest.raises(KeyError, match="already has an attribute 'name'"):
        m.add_module("name", nn.Identity())
    with pytest.raises(TypeError, match="register_parameter.'p'.: expected a Parameter or None, not Tensor"):
        m.register_parameter("p", zen.ones(2))
    with pytest.raises(TypeError, match="register_buffer.'p'.: expected a Tensor or None, not ndarray"):
        m.register_buffer("p", np.ones(2))
    with pytest.raises(TypeError, match="Layer: expected a Module or None as 'p', not int"):
        m.register_module("p", 1)
    with pytest.raises(NotImplementedError, match="Module defines no forward"):
        nn.Module()(1)


def test_lookups_by_path():
    m = Model()
    assert m.get_submodule("second") is m.second and m.get_submodule("") is m
    assert m.get_parameter("second.weight") is m.second.weight and m.get_buffer("first.count") is m.first.count
    with pytest.raises(AttributeError, match=r"get_submodule\('second.third.x'\): second \(Layer\) has no 'third'"):
        m.get_submodule("second.third.x")
    with pytest.raises(AttributeError, match=r"second \(Layer\) has no parameter 'count'"):
        m.get_parameter("second.count")


def test_state_shares_memory_and_loads():
    m, other = Model(), Model()
    state = m.state_dict()
    assert list(state) == [
        "top",
        "first.weight",
        "first.count",
        "second.weight",
        "second.count",
        "tied.weight",
        "tied.count",
    ]
    assert np.shares_memory(state["top"].value, m.top.value) and not state["top"].requires_grad
    m.top.value[0] = 7
    assert state["top"].tolist() == [7.0, 1.0, 1.0]
    assert other.load_state_dict(state) == ([], [])
    assert other.top.tolist() == [7.0, 1.0, 1.0] and other.top.requires_grad
    partial = {"first.weight": [5, 6], "extra": 1.0}
    assert other.load_state_dict(partial, strict=False).missing_keys[:2] == ["top", "first.count"]
    assert other.first.weight.tolist() == [5.0, 6.0] and other.first.weight.dtype == np.float32
    assert m.load_state_dict(m.state_dict()).unexpected_keys == []


def test_an_error_lists_everything_and_changes_nothing():
    m = Model()
    state = {k: v.value.copy() + 1 for k, v in m.state_dict().items()}
    del state["top"]
    state |= {
        "first.weight": np.ones((2, 1)),
        "second.count": np.ones(4),
        "surplus": 1,
        "tied.count": np.ones(1, np.longdouble),
    }
    with pytest.raises(RuntimeError) as error:
        m.load_state_dict(state)
    for part in (
        "does not fit Model, which is unchanged", "missing: top (3,)", "unexpected: surplus",
        "wrong shape: first.weight is (2, 1), expected (2,)", "wrong shape: second.count is (4,), expected (1,)",
        "not a Tensor: tied.count: a Tensor cannot hold dtype",
    ):  # fmt: skip
        assert part in str(error.value)
    assert m.second.weight.tolist() == [0.0, 1.0]
    norm = nn.BatchNorm1d(1)
    with pytest.raises(
        RuntimeError, match="wrong dtype: num_batches_tracked is float64, which does not fit into int64"
    ):
        norm.load_state_dict(norm.state_dict() | {"num_batches_tracked": np.array(1.5)})
    with pytest.raises(TypeError, match="expected a dict of names and Tensors, not list"):
        m.load_state_dict([1])


def test_loading_is_noticed_by_graphs():
    m = Layer()
    y = m(zen.ones(2, requires_grad=True)).sum()
    m.load_state_dict(m.state_dict())
    with pytest.raises(RuntimeError, match="overwritten"):
        y.backward()


def test_modes_gradients_and_apply():
    m = Model()
    assert m.eval() is m and not m.training and not m.second.training and m.train().first.training
    with pytest.raises(ValueError, match="mode must be True or False"):
        m.train("yes")
    m(zen.ones(2)).sum().backward()
    assert m.first.weight.grad is not None
    m.zero_grad(set_to_none=False)
    assert m.first.weight.grad.tolist() == [0.0, 0.0] and m.top.grad is None
    m.zero_grad()
    assert m.first.weight.grad is None
    m.requires_grad_(False)
    assert not any(p.requires_grad for p in m.parameters())
    order = []
    m.apply(lambda module: order.append(type(module).__name__))
    assert order == ["Layer", "Layer", "Model"]


def test_conversion_keeps_the_objects():
    m = Model()
    weight = m.first.weight
    m(zen.ones(2)).sum().backward()
    assert m.double() is m and weight is m.first.weight is m.tied.weight
    assert weight.dtype == weight.grad.dtype == np.float64 and weight.requires_grad and type(weight) is nn.Parameter
    m.to("float32")
    assert weight.dtype == weight.grad.dtype == np.float32 and m.first.count.dtype == np.float32
    m(zen.ones(2, dtype="float32")).sum().backward()
    assert weight.grad.tolist() == [0.0, 2.0]
    assert m.half().top.dtype == np.float16 and m.float().top.dtype == np.float32
    norm = nn.BatchNorm1d(2).double()
    assert norm.running_mean.dtype == np.float64 and norm.num_batches_tracked.dtype == np.int64
    with pytest.raises(TypeError, match="parameters need a floating or complex dtype, not int64"):
        m.to(np.int64)


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))], ids=["deepcopy", "pickle"])
def test_copies_are_independent_modules(copied):
    m = Model().eval()
    m.second.weight.requires_grad_(False)
    m.second.extra = nn.Buffer(np.ones(1), persistent=False)
    c = copied(m)
    assert type(c.first.weight) is nn.Parameter and type(c.second.extra) is nn.Buffer and not c.second.extra.persistent
    assert c.tied is c.first and not c.training and not c.second.weight.requires_grad and c.first.weight.requires_grad
    assert list(c.state_dict()) == list(m.state_dict())
    with zen.no_grad():
        c.first.weight += 1
    assert m.first.weight.tolist() == [0.0, 1.0] and c.tied.weight.tolist() == [1.0, 2.0]


def test_parameters_share_memory_and_survive_copies():
    array = np.ones(2, np.float32)
    p = nn.Parameter(array)
    array[0] = 3
    assert (
        p.tolist() == [3.0, 1.0]
        and p.is_leaf
        and p.requires_grad
        and not nn.Parameter(zen.ones(1), False).requires_grad
    )
    assert nn.Parameter(p).value.base is p.value.base
    p.grad = zen.ones(2, dtype="float32")
    for q in (copy.copy(p), copy.deepcopy(p), pickle.loads(pickle.dumps(p))):
        assert type(q) is nn.Parameter and q.tolist() == [3.0, 1.0] and q.requires_grad
    assert copy.deepcopy(p).grad.tolist() == [1.0, 1.0]
    assert (
        type(copy.copy(nn.Buffer([1.0], False))) is nn.Buffer and not copy.deepcopy(nn.Buffer([1.0], False)).persistent
    )
    with pytest.raises(RuntimeError, match=r"Parameter: the result of 'multiply' belongs to a graph"):
        nn.Parameter(p * 2)
    assert repr(p) == "Parameter(Tensor([3., 1.], dtype=float32, requires_grad=True))"
    assert type(p * 1) is zen.Tensor


def test_text_shows_tree_and_counts():
    m = Model()
    m.second.requires_grad_(False)
    assert repr(m) == (
        "Model(  # 7 parameters, 2 frozen\n"
        "  (first): Layer(n=2)  # 2 parameters\n"
        "  (second): Layer(n=2)  # 2 parameters, 2 frozen\n"
        "  (tied): Layer(n=2)  # 2 parameters\n"
        ")"
    )
    assert repr(nn.Sequential(nn.ReLU())) == "Sequential(\n  (0): ReLU()\n)"
    assert repr(nn.Linear(1000, 2)) == "Linear(in_features=1000, out_features=2, bias=True)  # 2,002 parameters"


def test_parameters_are_frozen_by_assignment():
    layer = nn.Linear(2, 2)
    layer.bias.requires_grad = False
    layer(np.ones((1, 2), np.float32)).sum().backward()
    assert layer.bias.grad is None and layer.weight.grad is not None and not layer.bias.requires_grad
    layer.bias.requires_grad = True
    assert layer.bias.requires_grad
    with pytest.raises(RuntimeError, match=r"requires_grad_\(False\) on"):
        layer(np.ones((1, 2), np.float32)).requires_grad = False
    with pytest.raises(TypeError, match="takes True or False, not 'no'"):
        layer.weight.requires_grad = "no"


def test_devices_and_the_state_of_the_parameters_themselves():
    layer = nn.Linear(2, 2)
    assert layer.to("cpu") is layer and layer.state_dict(keep_vars=True)["weight"] is layer.weight
    with pytest.raises(ValueError, match="no device 'cuda:0'; zen computes on the processor"):
        layer.to("cuda:0")
    for arguments in (("cpu", "float64"), (np.float64,), (zen.zeros(1), True)):
        assert layer.float().to(*arguments).weight.dtype == np.float64
    assert layer.to(device="cpu", dtype="float32").bias.dtype == np.float32
    found = {"other": zen.ones(1)}
    assert layer.state_dict(destination=found, prefix="a.") is found
    assert list(found) == ["other", "a.weight", "a.bias"]


def test_modules_are_put_in_the_place_of_others():
    m = nn.Sequential(nn.Sequential(nn.Linear(2, 3)), nn.ReLU())
    new = nn.Linear(2, 5)
    m.set_submodule("0.0", new, strict=True)
    assert m[0][0] is new and [p.shape for p in m.parameters()] == [(5, 2), (5,)]
    m.set_submodule("0.extra", nn.Tanh())
    assert list(dict(m.named_modules())) == ["", "0", "0.0", "0.extra", "1"]
    for target, strict, error in (
        ("0.1", True, AttributeError), ("2.0", False, AttributeError), ("0.forward", False, KeyError),
        ("", False, KeyError), ("0.", False, KeyError),
    ):  # fmt: skip
        with pytest.raises(error):
            m.set_submodule(target, new, strict)
    with pytest.raises(TypeError, match="expected a Module"):
        m.set_submodule("0.0", 3)
    assert m[0][0] is new
    m = Model()
    assert list(m.modules(remove_duplicate=False)) == [m, m.first, m.second, m.first]


def test_a_state_is_assigned_with_its_dtypes_and_memory():
    layer = nn.BatchNorm1d(3)
    layer.bias.requires_grad_(False)
    values = {k: zen.tensor(np.full(3, 2.0)) for k in ("weight", "bias", "running_mean", "running_var")}
    old = layer.weight
    assert layer.load_state_dict({**values, "num_batches_tracked": np.array(4)}, assign=True) == ([], [])
    assert layer.weight is not old and old.tolist() == [1.0, 1.0, 1.0]
    for name, t in values.items():
        now = getattr(layer, name)
        assert now.dtype == np.float64 and np.shares_memory(now.array, t.array)
    assert [p.requires_grad for p in layer.parameters()] == [True, False]
    assert all(isinstance(p, nn.Parameter) for p in layer.parameters())
    assert list(dict(layer.named_buffers())) == ["running_mean", "running_var", "num_batches_tracked"]
    layer(np.ones((2, 3)))
    before = layer.weight
    with pytest.raises(RuntimeError, match="unchanged:\n  wrong dtype: bias is int64, and parameters need a floating"):
        layer.load_state_dict({**values, "num_batches_tracked": 1, "bias": np.ones(3, int)}, assign=True)
    with pytest.raises(RuntimeError, match="wrong shape: bias"):
        layer.load_state_dict({"weight": np.ones(3), "bias": np.ones(4)}, strict=False, assign=True)
    assert layer.weight is before
