"""What is done with a graph from outside: registering computations, gradients, and optimisers."""

from __future__ import annotations

from typing import Any

import numpy as np

from ... import backend
from .network import Graph
from .nodes import CompNode, ValNode, plain


def register_op(*args: Any, **keywords: Any) -> ValNode:
    """`register_op(a, b, op, out_name, graph)`: compute `op` of the values a and b, of one, or of any number of them.

    Adds what is not in the graph yet, and returns the new value node, named `out_name` or, if that is None, anyhow.

    Raises TypeError for other arguments, ValueError for duplicate names and for an `op` in use. Whatever is raised, the
    graph stays as it was.

    >>> from zen.compat.graph import AddNode, Graph, ValNode, register_op
    >>> register_op(ValNode(1, "a"), ValNode(2, "b"), ValNode(3, "c"), AddNode("add"), "sum", Graph())
    6
    """
    inputs, op, out_name, graph = _arguments(list(args), keywords)
    if op.inputs or op.outputs:
        raise ValueError(f"{op.name} is in use already; make a node for each computation")
    out = ValNode(None, out_name)
    count = graph._node_idx
    added: dict[int, Any] = {}
    try:
        _add(graph, (*inputs, op, out), added)
        graph.compute(op, inputs, out)
    except BaseException:
        for node in added.values():
            del graph.nodes[node.name]
        graph._node_idx = count
        raise
    for node in added.values():
        node.inputs, node.outputs = [], []  # of a graph that the node was in before
    for node in inputs:
        graph.add_edge(node.name, op.name)
    graph.add_edge(op.name, out.name)
    return out


def _add(graph: Graph, nodes: tuple[Any, ...], added: dict[int, Any]) -> None:
    for node in nodes:
        if id(node) not in added and (not node.name or graph.nodes.get(node.name) is not node):
            graph.add_node(node)
            added[id(node)] = node


def _arguments(given: list[Any], named: dict[str, Any]) -> tuple[list[ValNode], CompNode, str | None, Graph]:
    inputs = [named.pop(key) for key in ("a", "b") if key in named]
    while given and isinstance(given[0], ValNode):
        inputs.append(given.pop(0))
    rest = {**dict(zip(("op", "out_name", "graph"), given, strict=False)), **named}
    complete = len(given) <= 3 and set(rest) == {"op", "out_name", "graph"} and inputs
    if not complete or not isinstance(rest["op"], CompNode) or not isinstance(rest["graph"], Graph):
        raise TypeError("register_op takes ValNodes, a CompNode, the name of the result and the Graph, in this order")
    return inputs, rest["op"], rest["out_name"], rest["graph"]


def register_grad(loss: ValNode, graph: Graph) -> None:
    """Add to `grad` of all values that `loss` was computed from, by one pass of zen's engine; `loss.grad` becomes 1.

    The gradients are those at the values that were last computed with. A loss that is an array counts by its sum.
    Raises ValueError for a node of another graph.
    """
    if graph.nodes.get(loss.name) is not loss:
        raise ValueError(f"register_grad: {loss.name} is no node of this graph")
    names = {loss.name: None}
    pending = [loss.name]
    while pending:
        for name in graph.nodes[pending.pop()].inputs:
            if name not in names:
                names[name] = None
                pending.append(name)
    computations = graph.computations(names)
    if not all([graph.is_recorded(*step) for step in computations]):
        graph.compute_all(computations)
    loss.grad = 1 if np.ndim(loss.val) == 0 else np.ones(np.shape(loss.val))
    if not computations:
        return
    values = [node for name in names if isinstance(node := graph.nodes[name], ValNode) and node is not loss]
    tensors = [graph.tensor(node) for node in values]
    root = graph.tensor(loss)
    found = backend.run([root], [np.ones(root.shape, root.dtype)], tensors, True, False) or []
    for node, tensor, gradient in zip(values, tensors, found, strict=True):
        new = plain(np.zeros(tensor.shape, tensor.dtype) if gradient is None else gradient.array)
        node.grad = new if node.grad is None else node.grad + new


class Optimizer:
    """Base class: what changes the values of a graph by their gradients. Subclasses define `step`."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph

    def step(self) -> None:
        """Change the values."""
        raise NotImplementedError("`step` method is not implemented.")

    def zero_grad(self) -> None:
        """Set the gradients of all values to 0."""
        for node in self.graph.nodes.values():
            if isinstance(node, ValNode):
                node.grad = 0


class SGDOptimizer(Optimizer):
    """val -= lr * grad, for the roots that have `train`.

    Raises ValueError for one whose gradient has not been calculated.
    """

    def __init__(self, lr: float, graph: Graph) -> None:
        super().__init__(graph)
        self.lr = lr

    def step(self) -> None:
        """Change the values."""
        for name in self.graph.root_nodes:
            node = self.graph.nodes[name]
            if isinstance(node, ValNode) and node.train:
                node.val = node.val - self.lr * node.backward()
