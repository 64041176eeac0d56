"""The picture of a graph: its source, and that Graphviz draws all of it."""

import re
import sys
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

import zen
from zen.visualize import graph


@pytest.fixture
def loss():
    x = zen.tensor([[1.0, 2.0]], requires_grad=True)
    w = zen.ones((2, 3), dtype=zen.float64, requires_grad=True)
    h = zen.tanh(x @ w)
    return (h * h + h).sum(), {"x": x, "w": w, "h": h}


def lines(source, pattern):
    return re.findall(pattern, source)


def test_every_node_and_edge_is_there_once(loss):
    source = graph(*loss).source
    labels = lines(source, r'label="([^"]*)"')
    assert labels == [
        r"x\n(1, 2) float64", r"w\n(2, 3) float64", r"matmul\n(1, 3) float64", r"h = tanh\n(1, 3) float64",
        r"multiply\n(1, 3) float64", r"add\n(1, 3) float64", r"sum\n() float64",
    ]  # fmt: skip
    edges = lines(source, r"n(\d) -> n(\d)")
    assert sorted(edges) == [(a, b) for a, b in ("02", "12", "23", "34", "34", "35", "45", "56")]


def test_constants_take_no_part(loss):
    x = zen.tensor([1.0], requires_grad=True)
    assert len(lines(graph(x * np.ones(1)).source, "label")) == 2


def test_several_outputs_share_their_graph(loss):
    total, names = loss
    both = graph([total, names["h"] * 2], names).source
    assert len(lines(both, "label")) == 8


def test_leaf_without_a_name():
    assert r'label="leaf\n(1,) float64"' in graph(zen.tensor([1.0], requires_grad=True)).source


def test_names_are_quoted():
    x = zen.tensor([1.0], requires_grad=True)
    assert r'label="a \"b\" \\c\n(1,)' in graph(x * 2, {'a "b" \\c': x}).source


def test_graphviz_draws_every_node_and_edge(loss, tmp_path):
    picture = graph(*loss)
    picture.save(tmp_path / "graph.svg")
    root = ElementTree.parse(tmp_path / "graph.svg").getroot()
    classes = [element.get("class") for element in root.iter()]
    assert classes.count("node") == 7 and classes.count("edge") == 8
    assert "h = tanh" in "".join(root.itertext())
    assert picture._repr_svg_() == picture.svg()


def test_png_and_source_files(loss, tmp_path):
    picture = graph(*loss)
    picture.save(tmp_path / "graph.png")
    assert (tmp_path / "graph.png").read_bytes().startswith(b"\x89PNG")
    picture.save(str(tmp_path / "graph.dot"))
    assert (tmp_path / "graph.dot").read_text() == picture.source


def test_unknown_ending_is_an_error(loss, tmp_path):
    with pytest.raises(ValueError, match=r"'graph.gif' must end with \.svg"):
        graph(*loss).save(tmp_path / "graph.gif")


def test_a_source_that_graphviz_rejects_is_an_error(loss):
    with pytest.raises(RuntimeError, match="Graphviz could not draw"):
        graph(*loss)._replace(source="digraph {").svg()


def test_missing_pygraphviz_names_the_extra(loss, monkeypatch):
    monkeypatch.setitem(sys.modules, "pygraphviz", None)
    with pytest.raises(
        ImportError, match=r"needs pygraphviz: pip install matplotlib pygraphviz .*save the graph as \.dot"
    ):
        graph(*loss).svg()


def test_tensor_without_a_graph_is_an_error():
    with pytest.raises(ValueError, match=r"shape \(2,\) has no graph, because it does not require a gradient"):
        graph(zen.ones(2))


def test_released_graph_is_an_error(loss):
    total, names = loss
    total.backward()
    with pytest.raises(ValueError, match="draw it before the pass, or pass retain_graph=True"):
        graph(total)


def test_something_else_is_an_error():
    with pytest.raises(TypeError, match="expected a Tensor, not ndarray"):
        graph([np.ones(2)])
    with pytest.raises(TypeError, match="expected a Tensor, not int"):
        graph(3)


def test_large_graph_is_an_error_and_long_chains_do_not_recurse():
    x = y = zen.tensor(1.0, requires_grad=True)
    for _ in range(5000):
        y = y + 1
    with pytest.raises(ValueError, match="more than 1000 nodes"):
        graph(y)
    assert len(lines(graph(y, max_nodes=6000).source, "label")) == 5001
    del x
