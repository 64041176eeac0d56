"""Statistics of activations and gradients, against the same numbers computed by hand; the graph with gradients."""

import re
import sys

import numpy as np
import pytest

import zen
from zen import nn
from zen.visualize import Summary, graph, statistics


class Block(nn.Module):
    """Its linear layer is used twice, its ReLU's result is changed, and one parameter is used by nobody."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(3, 3)
        self.relu = nn.ReLU()
        self.unused = nn.Parameter(np.ones(2, np.float32))

    def forward(self, x):
        return self.relu(self.linear(self.linear(x))) * 2


class Counting(nn.Module):
    """Counts its calls in a buffer, as a running mean would."""

    def __init__(self):
        super().__init__()
        self.calls = nn.Buffer(np.zeros(1))

    def forward(self, x):
        self.calls += 1
        return x + 0.0


@pytest.fixture
def model():
    zen.random.seed(0)
    return nn.Sequential(Block(), nn.Identity())


X = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)


def test_records_hold_what_the_modules_gave_and_got(model):
    found = statistics(model, zen.tensor(X), lambda y: (y * y).sum())
    assert [(r.name, r.kind) for r in found.records] == [
        ("0.linear", "Linear"), ("0.linear (call 2)", "Linear"), ("0.relu", "ReLU"), ("0", "Block"), ("1", "Identity"),
    ]  # fmt: skip
    w, b = (p.numpy() for p in (model[0].linear.weight.detach(), model[0].linear.bias.detach()))
    first = X @ w.T + b
    second = first @ w.T + b
    relu = np.maximum(second, 0)
    grads = {"0.relu": 8 * relu, "0.linear (call 2)": 8 * relu * (second > 0), "0": 4 * relu}
    values = {"0.linear": first, "0.linear (call 2)": second, "0.relu": relu, "0": 2 * relu}
    for record in found.records[:-1]:
        expected = values[record.name]
        got = record.activation
        np.testing.assert_allclose([got.mean, got.std], [expected.mean(), expected.std()], rtol=1e-5)
        np.testing.assert_allclose([got.least, got.greatest], [expected.min(), expected.max()], rtol=1e-5)
        assert got.zeros == np.mean(expected == 0) and got.counts.sum() == got.size == 15
        if record.name in grads:
            expected = grads[record.name]
            got = record.gradient
            np.testing.assert_allclose([got.mean, got.std], [expected.mean(), expected.std()], rtol=1e-4)
            assert got.zeros == np.mean(expected == 0)
    second_gradient = grads["0.linear (call 2)"]
    weight = second_gradient.T @ first + (second_gradient @ w).T @ X
    parameters = found.records[0].parameters
    np.testing.assert_allclose(parameters["weight"].std, weight.std(), rtol=1e-4)
    assert found.records[1].parameters == {} and found.records[3].parameters == {"unused": None}


def test_the_model_is_left_as_it_was(model):
    model.append(Counting())
    model.append(nn.Dropout())
    before = {name: t.numpy().copy() for name, t in model.state_dict().items()}
    kept = model[0].linear.weight.grad = zen.ones((3, 3), dtype=np.float32)
    state = zen.random.get_state()
    with zen.no_grad():
        statistics(model, zen.tensor(X), lambda y: y.sum())
        with pytest.raises(ZeroDivisionError):
            statistics(model, zen.tensor(X), lambda y: 1 // 0)
    assert model[0].linear.weight.grad is kept and model[0].linear.bias.grad is None
    assert zen.random.get_state() == state
    for name, t in model.state_dict().items():
        np.testing.assert_array_equal(t.numpy(), before[name])
    calls = statistics(model, (zen.tensor(X),)).records
    assert len(calls) == 7 and all(r.gradient is None and r.parameters == {} for r in calls)


def test_summaries_of_awkward_values():
    empty = Summary.of([])
    assert empty.size == 0 and np.isnan(empty.mean) and empty.counts.sum() == 0
    broken = Summary.of([np.array([np.nan, np.inf])])
    assert broken.not_finite == 1 and np.isnan(broken.std)
    huge = Summary.of([np.array([-1.7e308, 1.7e308])])
    assert huge.mean == 0 and huge.std == 1.7e308 and huge.counts[[0, -1]].tolist() == [1, 1]
    same = Summary.of([np.full(9, 1e-300), np.full(3, 1e-300)])
    assert same.std == 0 and same.counts.sum() == 12
    mask = Summary.of([np.array([True, False])])
    assert mask.mean == 0.5 and mask.zeros == 0.5


def test_table_and_picture(model, tmp_path):
    found = statistics(model, zen.tensor(X), lambda y: (y / 0).sum() * 0)
    table = str(found).splitlines()
    assert table[0].split("  ")[0] == "module" and len(table) == 6
    assert "0.linear (Linear)" in table[1] and "weight" in table[1] and "not finite" in table[1]
    assert "unused none" in table[4]
    for one in (found, statistics(model, zen.tensor(X)), statistics(model, zen.tensor(X), lambda y: (y * y).mean())):
        figure = one.plot()
        figure.savefig(tmp_path / "a.png")
        assert len(figure.axes) == (1 if one.records[0].gradient is None else 3)


def test_missing_matplotlib_names_the_extra(model, monkeypatch):
    found = statistics(model, zen.tensor(X))
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ImportError, match=r"needs matplotlib: pip install matplotlib pygraphviz \(the extra 'draw'"):
        found.plot()


# The graph with values and gradients


def nodes(picture):
    """{first line of the label: (other lines, fill colour, whether dashed)}"""
    found = {}
    for label, style, colour in re.findall(
        r'label="([^"]*)", shape=box, style="([^"]*)", fillcolor="([^"]*)"', picture
    ):
        first, *rest = label.split(r"\n")
        found[first] = (rest, colour, "dashed" in style)
    return found


def test_graph_shows_values_and_gradients():
    x = zen.tensor([3.0, 4.0], requires_grad=True)
    unused, tiny = zen.tensor(0.0, requires_grad=True), zen.tensor(1.0, requires_grad=True)
    h = x * x
    h.retain_grad()
    y = h.sum() + tiny * 1e-9 + unused.detach() * 0 + zen.where(np.array(False), unused, 0.0)
    names = {"x": x, "tiny": tiny, "unused": unused, "h": h}
    before = nodes(graph(y, names, gradients=True).source)
    assert before["x"][0][-1] == "no gradient" and before["x"][2] and not before["h = multiply"][2]
    y.backward(retain_graph=True)
    found = nodes(graph(y, names, gradients=True, values=True).source)
    assert found["x"][0] == ["(2,) float64", "3, 4", "|gradient| 10"]
    assert found["h = multiply"][0] == ["(2,) float64", "9, 16", "|gradient| 1.41"]
    assert found["unused"][0][-1] == "|gradient| 0" and found["unused"][2]
    colours = [int(found[name][1][5:], 16) for name in ("x", "h = multiply", "tiny")]
    assert colours == sorted(colours) and len(set(colours)) == 3  # the smaller the gradient, the paler
    assert found["where"][0] == ["() float64"]  # nobody has kept it, so there is no value to show
    x.gradient = np.array([np.inf, 1.0])
    assert nodes(graph(y, names, gradients=True).source)["x"][1] == "#e4572e"
    x.gradient = np.array([3e200, 4e200])
    assert nodes(graph(y, names, gradients=True).source)["x"][0][-1] == "|gradient| 5e+200"
    big = zen.ones(5, requires_grad=True)
    assert nodes(graph(big * 2, values=True).source)["leaf"][0][-1] == "1 to 1"
    graph(y, names, gradients=True, values=True).svg()
