"""`zen.compat.graph`: what the article shows, arrays, and nodes of one's own."""

import copy
import random

import numpy as np
import pytest

from zen.compat.graph import (
    AddNode,
    CompNode,
    Graph,
    L2Node,
    MulNode,
    Node,
    NodeType,
    Optimizer,
    SGDOptimizer,
    ValNode,
    register_grad,
    register_op,
)


def line(x=2, w=1, b=1, label=1):
    """The graph of the article: y = w x + b, and half of the squared distance from the label."""
    graph = Graph()
    x1 = register_op(ValNode(x, name="x", train=False), ValNode(w, name="w"), MulNode("mul"), "x1", graph)
    y = register_op(x1, ValNode(b, name="b"), AddNode("add"), "y", graph)
    loss = register_op(y, ValNode(label, name="label", train=False), L2Node("l2"), "loss", graph)
    return graph, loss


# The article


def test_a_graph_of_edges():
    edges = [("x", "multiply"), ("w", "multiply"), ("multiply", "plus"), ("b", "plus"), ("plus", "y")]
    graph = Graph(edges=edges)
    assert [f"{name}: {node}" for name, node in graph.nodes.items()] == [
        "x: [] -> ['multiply']", "multiply: ['x', 'w'] -> ['plus']", "w: [] -> ['multiply']",
        "plus: ['multiply', 'b'] -> ['y']", "b: [] -> ['plus']", "y: ['plus'] -> []",
    ]  # fmt: skip
    assert set(graph.root_nodes) == {"x", "w", "b"} and graph.leaf_nodes == ["y"]
    assert graph.graph["plus"] == [["multiply", "b"], ["y"]]


def test_loops():
    edges = [("a", "b"), ("e", "b"), ("b", "c"), ("f", "c"), ("c", "d"), ("c", "g"), ("d", "b")]
    with pytest.raises(ValueError, match=r"^Loop detected in graph\.$"):
        Graph(edges=edges)
    assert Graph(edges=edges[:-1]).leaf_nodes == ["d", "g"]
    with pytest.raises(ValueError, match="at least 1 root node and 1 leaf node"):
        Graph(edges=[("a", "b"), ("b", "a")])


def test_dynamic_graph():
    graph, loss = line()
    printed = {name: f"{node}" for name, node in graph.nodes.items()}
    assert printed == {
        "x": "2", "w": "1", "mul": "['x', 'w'] -> ['x1']", "x1": "2", "b": "1", "add": "['x1', 'b'] -> ['y']",
        "y": "3", "label": "1", "l2": "['y', 'label'] -> ['loss']", "loss": "2.0",
    }  # fmt: skip
    register_grad(loss, graph)
    assert {name: node.grad for name, node in graph.nodes.items() if isinstance(node, ValNode)} == {
        "x": 2, "w": 4, "x1": 2, "b": 2, "y": 2, "label": -2, "loss": 1,
    }  # fmt: skip
    SGDOptimizer(lr=0.1, graph=graph).step()
    assert np.isclose(graph.nodes["w"].val, 0.6) and np.isclose(graph.nodes["b"].val, 0.8)
    assert graph.nodes["x"].val == 2 and graph.nodes["label"].val == 1


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_static_graph_fits_a_line(seed):
    graph, loss = line()
    optimiser = SGDOptimizer(lr=0.1, graph=graph)
    draw = random.Random(seed)
    w, b = 1.0, 1.0
    for _ in range(20):
        x = draw.uniform(-4, 4)
        result = graph.forward({"x": x, "label": -x + 3})
        optimiser.zero_grad()
        register_grad(loss, graph)
        optimiser.step()
        error = w * x + b - (-x + 3)
        assert np.isclose(result["loss"].val, error**2 / 2)
        w, b = w - 0.1 * error * x, b - 0.1 * error
    assert np.isclose(graph.nodes["w"].val, w) and np.isclose(graph.nodes["b"].val, b)
    assert abs(w + 1) < 0.25 and abs(b - 3) < 0.7


# Nodes


def test_nodes_alone():
    value = ValNode(3.0, "v")
    assert value.forward() == 3 and value.node_type is NodeType.VAL and CompNode("c").node_type is NodeType.COMP
    with pytest.raises(ValueError, match="Grad has not been calculated for Node: v"):
        value.backward()
    value.grad = 2
    assert value.backward() == 2
    assert str(Node("n", ["a"], ["b"])) == "['a'] -> ['b']" and Node("n").backward(delta=5) == 5
    with pytest.raises(NotImplementedError, match="`forward` method is not implemented"):
        CompNode("c").forward()
    inputs = [ValNode(2.0, "a"), ValNode(3.0, "b")]
    assert MulNode("m").backward(delta=10.0, inputs=inputs) == [30, 20]
    assert L2Node("l").backward(delta=10.0, inputs=inputs) == [-10, 10]
    add = AddNode("a")
    add.inputs = ["a", "b", "c"]
    assert add.backward(delta=7) == [7, 7, 7] and add.backward(delta=7, inputs=inputs) == [7, 7]
    for kind in (Node, AddNode, MulNode, L2Node):
        with pytest.raises(ValueError, match=f"Arg `delta` must be passed to `{kind.__name__}` in backward pass"):
            kind("n").backward(inputs=inputs)
    with pytest.raises(ValueError, match="Arg `inputs` must be passed to `MulNode`"):
        MulNode("n").backward(delta=1)


class Exponential(CompNode):
    """A node of one's own with a forward alone."""

    def forward(self, node):
        return np.exp(node.forward())


class Difference(CompNode):
    """A node of one's own as the article writes them."""

    def forward(self, first, second):
        return first.forward() - second.forward()

    def backward(self, **kwargs):
        assert len(kwargs["inputs"]) == 2 and kwargs["inputs"][0].val is not None
        return [kwargs["delta"], -kwargs["delta"]]


class Wrong(Difference):
    def backward(self, **kwargs):
        return [kwargs["delta"]]


class Clamped(CompNode):
    """Its backward builds on what the engine finds, and its forward needs plain numbers."""

    def forward(self, node):
        return max(node.forward(), 0.0)

    def backward(self, **kwargs):
        (node,) = kwargs["inputs"]
        return [kwargs["delta"] * float(node.val > 0)]


def test_nodes_of_ones_own():
    graph = Graph()
    a, b = ValNode(0.5, "a"), ValNode(0.2, "b")
    difference = register_op(a, b, Difference("minus"), "difference", graph)
    power = register_op(difference, Exponential("exp"), "power", graph)
    result = register_op(power, Clamped("clamp"), "result", graph)
    register_grad(result, graph)
    assert np.isclose(result.val, np.exp(0.3)) and np.isclose(a.grad, np.exp(0.3)) and b.grad == -a.grad
    graph.forward({"a": 0.2})
    assert result.val == 1 and isinstance(result.val, float)


def test_arrays_in_nodes_of_ones_own():
    graph = Graph()
    a, b = ValNode(np.array([[1.0, 2.0], [3.0, 4.0]]), "a"), ValNode(np.array([1.0, 1.0]), "b")
    loss = register_op(register_op(a, b, Difference("minus"), "d", graph), a, MulNode("mul"), "loss", graph)
    register_grad(loss, graph)
    assert np.array_equal(a.grad, 2 * a.val - 1) and np.array_equal(b.grad, [-4, -6])


class InPlace(MulNode):
    """The article's product, whose gradients of arrays are one array."""

    def backward(self, **kwargs):
        grad = kwargs["delta"]
        grad *= kwargs["inputs"][1].val
        return [grad, grad]


def test_a_backward_that_is_wrong():
    for node, values, message in (
        (Wrong("w"), (1.0, 2.0), r"len\(grads\) != len\(inputs\) for Node: w"),
        (InPlace("w"), (np.ones(2), np.ones(2)), "read-only"),
    ):
        graph = Graph()
        result = register_op(ValNode(values[0], "a"), ValNode(values[1], "b"), node, "c", graph)
        with pytest.raises(ValueError, match=message):
            register_grad(result, graph)


class Draw(CompNode):
    """Gives another value each time."""

    def forward(self, node):
        return node.forward() * random.random()


def test_a_node_is_computed_once_for_value_and_gradient():
    graph = Graph()
    a = ValNode(2.0, "a")
    c = register_op(a, Draw("draw"), "c", graph)
    register_grad(c, graph)
    assert np.isclose(a.grad, c.val / 2)


# The graph


def test_arrays():
    generator = np.random.default_rng(0)
    x, w = generator.normal(size=(4, 3)), generator.normal(size=3)
    graph, loss = line(x, w, 0.5, np.ones((4, 3)))
    register_grad(loss, graph)
    error = x * w + 0.5 - 1
    assert np.allclose(loss.val, error**2 / 2) and np.array_equal(loss.grad, np.ones((4, 3)))
    assert np.allclose(graph.nodes["w"].grad, (error * x).sum(0)) and np.isclose(graph.nodes["b"].grad, error.sum())
    assert graph.nodes["b"].grad.__class__ is float and graph.nodes["w"].grad.dtype == np.float64


def test_one_input_and_many():
    graph = Graph()
    values = [ValNode(float(k), f"v{k}") for k in range(1, 5)]
    product = register_op(*values, MulNode("product"), "p", graph)
    register_grad(product, graph)
    assert product.val == 24 and [v.grad for v in values] == [24, 12, 8, 6]
    assert register_op(op=AddNode("add"), a=values[0], b=values[1], out_name="s", graph=graph).val == 3
    with pytest.raises(TypeError, match="register_op takes ValNodes, a CompNode"):
        register_op(MulNode("none"), "p2", graph)
    with pytest.raises(TypeError, match="register_op takes ValNodes, a CompNode"):
        register_op(values[0], MulNode("none"), graph)


def test_names():
    graph, _ = line()
    with pytest.raises(ValueError, match=r"^Duplicate node name: x$"):
        graph.add_node(ValNode(1, "x"))
    unnamed = ValNode(1)
    graph.add_node(unnamed)
    assert graph.nodes[unnamed.name] is unnamed and unnamed.name.startswith("node_")
    with pytest.raises(ValueError, match="Input node does not exist for edge: nobody -> x"):
        graph.add_edge("nobody", "x")
    with pytest.raises(ValueError, match="Output node does not exist for edge: x -> nobody"):
        graph.add_edge("x", "nobody")


def test_forward_needs_all_roots():
    graph, loss = line()
    graph.nodes["x"].val = None
    with pytest.raises(ValueError, match="Input node x is not provided for the forward pass"):
        graph.forward({"label": 1})
    assert graph.forward({"x": ValNode(4.0, "other")})["loss"] is loss and loss.val == 8


def test_graphs_that_cannot_be_computed():
    a, b, c = ValNode(1, "a"), ValNode(2, "b"), ValNode(None, "c")
    for nodes, edges, message in (
        ([], [("a", "b")], "Unrecognized `node_type`"),
        ([a, b], [("a", "b")], "a and b are of one kind"),
        ([AddNode("add"), b, c], [("b", "add"), ("add", "c"), ("add", "d")], "must have 1 output: add|of one kind"),
        ([AddNode("add"), c], [("add", "c")], "must have inputs: add"),
        ([AddNode("p"), AddNode("q"), b, c], [("b", "p"), ("p", "c"), ("b", "q"), ("q", "c")], "by one node only: c"),
    ):
        for node in nodes:
            node.inputs, node.outputs = [], []
        with pytest.raises(ValueError, match=message):
            Graph(nodes, edges).forward()


def test_gradients_are_those_of_what_was_computed():
    graph, loss = line(x=3.0, w=2.0)
    graph.nodes["w"].val = 100.0
    register_grad(loss, graph)
    assert graph.nodes["x"].grad == 6 * 2
    graph.forward()
    register_grad(loss, graph)
    assert graph.nodes["x"].grad == 6 * 2 + 300 * 100


def test_gradients_of_values_computed_by_hand():
    a, b, c = ValNode(2.0, "a"), ValNode(3.0, "b"), ValNode(6.0, "c")
    graph = Graph([a, b, MulNode("mul"), c], [("a", "mul"), ("b", "mul"), ("mul", "c")])
    register_grad(c, graph)
    assert (a.grad, b.grad, c.grad, c.val) == (3, 2, 1, 6)
    register_grad(a, graph)
    assert a.grad == 1
    with pytest.raises(ValueError, match="stranger is no node of this graph"):
        register_grad(ValNode(1, "stranger"), graph)


def test_a_value_changed_in_place_is_seen():
    graph = Graph()
    a = ValNode(np.array([1.0, 2.0]), "a")
    register_op(a, a, AddNode("add"), "b", graph)
    a.val += 1
    c = register_op(a, a, MulNode("mul"), "c", graph)
    assert np.array_equal(c.val, [4, 9])


def test_copies_are_independent():
    graph, _ = line()
    other = copy.deepcopy(graph)
    other.forward({"x": 5})
    register_grad(other.nodes["loss"], other)
    assert graph.nodes["loss"].val == 2 and graph.nodes["w"].grad is None and other.nodes["w"].grad == 25


def test_nodes_move_to_another_graph():
    w = ValNode(2.0, "w")
    for _ in range(3):
        graph = Graph()
        loss = register_op(w, ValNode(1.0, "target", train=False), L2Node("l2"), "loss", graph)
        SGDOptimizer(0.5, graph).zero_grad()
        register_grad(loss, graph)
        SGDOptimizer(0.5, graph).step()
    assert np.isclose(w.val, 1.125) and w.outputs == ["l2"]


def test_optimisers():
    graph, _ = line()
    with pytest.raises(NotImplementedError, match="`step` method is not implemented"):
        Optimizer(graph).step()
    with pytest.raises(ValueError, match="Grad has not been calculated for Node: w"):
        SGDOptimizer(0.1, graph).step()
    Optimizer(graph).zero_grad()
    assert graph.nodes["loss"].grad == 0
