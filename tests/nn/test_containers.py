"""Sequential, ModuleList, ModuleDict, ParameterList, ParameterDict: lists and dicts whose members are registered."""

from collections import OrderedDict

import numpy as np
import pytest

import zen
from zen import nn


def test_sequential_is_a_list_of_modules():
    a, b, c = nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1)
    m = nn.Sequential(a, b, c)
    x = zen.tensor(np.ones((4, 2), np.float32))
    np.testing.assert_array_equal(m(x).value, c(b(a(x))).value)
    assert len(m) == 3 and m[0] is a and m[-1] is c and list(m[:2]) == [a, b] and b in m
    assert list(m.state_dict()) == ["0.weight", "0.bias", "2.weight", "2.bias"]
    m.append(nn.Tanh()).insert(1, nn.Identity())
    assert [type(x).__name__ for x in m] == ["Linear", "Identity", "ReLU", "Linear", "Tanh"]
    del m[1:3]
    m[0] = nn.Identity()
    assert [n for n, _ in m.named_children()] == ["0", "1", "2"] and m.pop() is not c and len(m) == 2
    assert len(m + nn.Sequential(b)) == 3 and len(m.extend([b, b])) == 4
    with pytest.raises(IndexError, match="index 9 is out of range for a Sequential of 4"):
        m[9]
    with pytest.raises(TypeError, match="Sequential: expected a Module or None as '0', not int"):
        nn.Sequential(3)
    assert nn.Sequential()(5) == 5


def test_sequential_with_names():
    m = nn.Sequential(OrderedDict(first=nn.Linear(2, 3), act=nn.ReLU()))
    assert m.first is m[0] and list(m.state_dict()) == ["first.weight", "first.bias"]
    assert [n for n, _ in m[1:].named_children()] == ["act"]
    del m[0]
    assert [n for n, _ in m.named_children()] == ["act"]


def test_module_list():
    m = nn.ModuleList([nn.Linear(1, 1), nn.Linear(1, 1)])
    m += [nn.ReLU()]
    m[1] = nn.Identity()
    assert len(m) == 3 and len(list(m.parameters())) == 2 and isinstance(m[:2], nn.ModuleList)
    with pytest.raises(NotImplementedError, match="ModuleList defines no forward"):
        m(1)


def test_module_dict():
    m = nn.ModuleDict({"a": nn.Linear(1, 1), "b": nn.ReLU()})
    m["c"] = nn.Tanh()
    m.update([("b", nn.Identity())])
    assert list(m) == m.keys() == ["a", "b", "c"] and "c" in m and len(m) == 3 and isinstance(m["b"], nn.Identity)
    assert m.pop("c") is not None and [k for k, _ in m.items()] == ["a", "b"] and len(m.values()) == 2
    with pytest.raises(KeyError, match="ModuleDict has no 'z'; it has a, b"):
        m["z"]
    with pytest.raises(KeyError, match="already has an attribute 'keys'"):
        m["keys"] = nn.ReLU()
    m.clear()
    assert not len(m)


def test_parameter_list_and_dict():
    p = nn.ParameterList([np.ones(2), nn.Parameter(np.zeros(3))])
    p.append(zen.ones(1))
    assert [q.size for q in p] == [2, 3, 1] and all(isinstance(q, nn.Parameter) for q in p.parameters())
    assert list(p.state_dict()) == ["0", "1", "2"] and p[1].size == 3
    d = nn.ParameterDict({"w": np.ones((2, 2))})
    d["b"] = np.zeros(2)
    assert list(d.state_dict()) == ["w", "b"] and type(d["b"]) is nn.Parameter
    assert repr(d) == "ParameterDict(w: float64(2, 2), b: float64(2,))  # 6 parameters"


def test_containers_are_joined_and_repeated():
    a, b = nn.Linear(2, 2), nn.ReLU()
    assert list(nn.ModuleList([a]) + [b]) == [a, b]
    assert list(nn.Sequential(a, b) * 2) == list(2 * nn.Sequential(a, b)) == [a, b, a, b]
    model = nn.Sequential(a)
    model += nn.Sequential(b)
    assert list(model) == [a, b]
    with pytest.raises(ValueError, match="repetitions must be at least 1"):
        model * 0


def test_dicts_answer_for_names_they_lack():
    members = nn.ParameterDict({"a": np.ones(2)})
    assert members.get("b") is None and members.get("a") is members["a"]
    assert members.setdefault("b", np.zeros(3)) is members["b"] and isinstance(members["b"], nn.Parameter)
    assert members.setdefault("a", np.zeros(3)).shape == (2,)
