"""The original computation graph's bugs, as its docstring here lists them: one test for each."""

import re

import numpy as np
import pytest

import zen.compat.graph as module
from zen.compat.graph import (
    AddNode,
    CompNode,
    Graph,
    L2Node,
    MulNode,
    SGDOptimizer,
    ValNode,
    register_grad,
    register_op,
)


class Minus(CompNode):
    def forward(self, first, second):
        return first.forward() - second.forward()


def test_every_listed_bug_has_its_test():
    listed = re.findall(r"^- (\w+):", module.__doc__, re.MULTILINE)
    here = {name.removeprefix("test_") for name in globals() if name.startswith("test_")}
    assert len(listed) == len(set(listed)) and set(listed) == here - {"every_listed_bug_has_its_test"}


def test_gradients_changed_in_place():
    graph = Graph()
    values = [ValNode(np.array([k, k + 1.0]), name) for k, name in ((2.0, "a"), (5.0, "b"), (7.0, "c"))]
    a, b, c = [v.val.copy() for v in values]
    register_grad(register_op(*values, MulNode("mul"), "product", graph), graph)
    for value, expected in zip(values, (b * c, a * c, a * b), strict=True):
        assert np.array_equal(value.grad, expected)


def test_value_used_twice():
    """Of z = y y with y = 2 x + x, the derivative is 18 x."""
    graph = Graph()
    x = ValNode(2.0, "x")
    y = register_op(register_op(x, ValNode(2.0, "two"), MulNode("m"), "2x", graph), x, AddNode("a"), "y", graph)
    z = register_op(register_op(y, ValNode(1.0, "one"), MulNode("n"), "y1", graph), y, MulNode("o"), "z", graph)
    register_grad(z, graph)
    assert (z.val, y.grad, x.grad) == (36, 12, 36)


def test_incomplete_gradient_passed_on():
    """y is used at two depths; after zero_grad all gradients look as though they were there."""
    graph = Graph()
    x, one = ValNode(3.0, "x"), ValNode(1.0, "one")
    y = register_op(x, one, MulNode("a"), "y", graph)
    deep = y
    for k in range(3):
        deep = register_op(deep, one, MulNode(f"deep{k}"), f"d{k}", graph)
    z = register_op(y, deep, AddNode("b"), "z", graph)
    SGDOptimizer(0.1, graph).zero_grad()
    register_grad(z, graph)
    assert (y.grad, x.grad) == (2, 2)


def test_second_pass_counts_twice():
    graph = Graph()
    x = ValNode(3.0, "x")
    y = register_op(x, x, AddNode("a"), "y", graph)
    z = register_op(y, ValNode(5.0, "five"), MulNode("b"), "z", graph)
    register_grad(z, graph)
    register_grad(z, graph)
    assert x.grad == 20


def test_repeated_input():
    graph = Graph()
    x = ValNode(3.0, "x")
    y = register_op(x, x, MulNode("mul"), "y", graph)
    register_grad(y, graph)
    assert (y.val, x.grad) == (9, 6)
    assert graph.forward({"x": 5.0})["y"].val == 25


@pytest.mark.parametrize("names", [("a", "b"), ("b", "a"), ("minuend", "subtrahend"), ("z", "y")])
def test_input_order(names):
    graph = Graph()
    first, second = [ValNode(0.0, name) for name in names]
    out = register_op(first, second, Minus("minus"), "out", graph)
    graph.forward({names[0]: 10.0, names[1]: 4.0})
    register_grad(out, graph)
    assert (out.val, first.grad, second.grad) == (6, 1, -1)


def test_graph_of_nodes():
    x, w, mul, y = ValNode(2.0, "x"), ValNode(3.0, "w"), MulNode("mul"), ValNode(None, "y")
    x.outputs, mul.inputs, y.inputs = ["mul"], ["x", "w"], ["mul"]  # each connection known to one node at least
    graph = Graph(nodes=[x, w, mul, y])
    assert graph.forward()["y"].val == 6
    assert (x.outputs, w.outputs, mul.inputs, mul.outputs) == (["mul"], ["mul"], ["x", "w"], ["y"])
    mul.inputs.append("nobody")
    with pytest.raises(ValueError, match="Input node does not exist for edge: nobody -> mul"):
        Graph(nodes=[x, w, mul, y])


def test_quadratic_queue():
    """The work for a node does not grow with their number: each node's lists are asked for a few times at most."""
    asked = 0

    class Counted(AddNode):
        def __getattribute__(self, name):
            nonlocal asked
            asked += name in ("inputs", "outputs")
            return super().__getattribute__(name)

    graph, one, count = Graph(), ValNode(1.0, "one"), 2_000
    start = value = ValNode(0.0, "start")
    for k in range(count):
        value = register_op(value, one, Counted(f"add{k}"), f"v{k}", graph)
    graph.valid_graph()
    assert graph.forward({"start": 5.0})[value.name].val == count + 5
    register_grad(value, graph)
    assert start.grad == 1 and one.grad == count
    assert asked < 60 * count


def test_diamond_is_valid():
    graph = Graph(edges=[("a", "b"), ("a", "c"), ("b", "d"), ("c", "d"), ("d", "e")])
    assert (graph.root_nodes, graph.leaf_nodes) == (["a"], ["e"])


def test_stranded_nodes():
    with pytest.warns(UserWarning, match="Found stranded") as caught:
        graph = Graph([ValNode(1.0, "alone")], [("a", "b")])
    assert [str(w.message) for w in caught] == [
        f"Found stranded {kind} nodes. Ignore them. (alone)" for kind in ("leaf", "root")
    ]
    assert graph.root_nodes == ["a"] and graph.leaf_nodes == ["b"]


def line():
    graph = Graph()
    y = register_op(ValNode(2.0, "x", train=False), ValNode(1.0, "w"), MulNode("mul"), "y", graph)
    return graph, register_op(y, ValNode(1.0, "label", train=False), L2Node("l2"), "loss", graph)


def test_step_changes_results():
    graph, loss = line()
    register_grad(loss, graph)
    SGDOptimizer(0.1, graph).step()
    assert loss.val == 0.5 and graph.nodes["y"].val == 2


def test_step_changes_the_users_array():
    mine = np.array([1.0, 2.0])
    graph = Graph()
    loss = register_op(ValNode(mine, "w"), ValNode(0.0, "zero"), L2Node("l2"), "loss", graph)
    register_grad(loss, graph)
    SGDOptimizer(0.5, graph).step()
    assert np.array_equal(mine, [1, 2]) and np.array_equal(graph.nodes["w"].val, [0.5, 1])


@pytest.mark.parametrize("node", [AddNode, MulNode])
def test_broadcast_inputs(node):
    graph = Graph()
    small, large = ValNode(np.array([1, 2, 3]), "small"), ValNode(np.full((2, 3), 0.5), "large")
    out = register_op(small, large, node("op"), "out", graph)
    register_grad(out, graph)
    assert out.val.shape == (2, 3)
    assert np.array_equal(small.grad, [2, 2, 2] if node is AddNode else [1, 1, 1])


def test_same_name_another_node():
    graph, _ = line()
    with pytest.raises(ValueError, match="Duplicate node name: w"):
        register_op(graph.nodes["x"], ValNode(7.0, "w"), MulNode("other"), "out", graph)


def test_failed_register_op():
    graph, _ = line()
    before = graph.graph
    bad = ValNode(np.ones(3), "bad")
    for inputs, name in (((ValNode(np.ones(2), "two"), bad), "out"), ((ValNode(1.0, "two"),), "loss")):
        with pytest.raises((RuntimeError, ValueError)):
            register_op(*inputs, AddNode("add"), name, graph)
        assert graph.graph == before


def test_computation_used_twice():
    graph, _ = line()
    with pytest.raises(ValueError, match="mul is in use already; make a node for each computation"):
        register_op(ValNode(1.0, "p"), ValNode(1.0, "q"), graph.nodes["mul"], "out", graph)


def test_unknown_input():
    graph, _ = line()
    with pytest.raises(ValueError, match="the graph has no node 'lable'"):
        graph.forward({"x": 1.0, "lable": 2.0})
    with pytest.raises(ValueError, match=r"'y' is computed from \['mul'\] and cannot be given"):
        graph.forward({"y": 1.0})


def test_automatic_name_taken():
    graph = Graph()
    graph.add_node(ValNode(1.0, "node_1"))
    graph.add_node(ValNode(2.0, ""))
    graph.add_node(ValNode(3.0))
    assert len(graph.nodes) == 3
