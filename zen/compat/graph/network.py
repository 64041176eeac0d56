"""The graph: nodes and edges, their validation, and the values that are computed along them."""

from __future__ import annotations

import warnings
from collections import Counter, deque
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from ...backend import Tensor
from .nodes import CompNode, Node, NodeType, ValNode, compute, leaf


class Graph:
    """Nodes by name, and what connects them.

    nodes: nodes that know their neighbours already, from one side at least, or have them in `edges`. edges: pairs of
    names; names without a node become nodes without a kind, which can be looked at but not computed.

    Raises ValueError for duplicate names, edges to nowhere, loops, and if there is no root or no leaf.

    >>> from zen.compat.graph import Graph
    >>> graph = Graph(edges=[("x", "multiply"), ("w", "multiply"), ("multiply", "plus"), ("b", "plus"), ("plus", "y")])
    >>> graph.root_nodes, graph.leaf_nodes, graph.nodes["plus"]
    (['x', 'w', 'b'], ['y'], ['multiply', 'b'] -> ['y'])
    >>> Graph(edges=[("a", "b"), ("b", "c"), ("c", "d"), ("c", "g"), ("d", "b")])
    Traceback (most recent call last):
    ...
    ValueError: Loop detected in graph.
    """

    def __init__(self, nodes: Iterable[Node] | None = None, edges: Iterable[tuple[str, str]] | None = None) -> None:
        self.init_graph(nodes, edges)
        self.valid_graph()

    def init_graph(self, nodes: Iterable[Node] | None, edges: Iterable[tuple[str, str]] | None) -> None:
        """Start anew with these nodes and edges."""
        self.nodes: dict[str, Any] = {}
        self._node_idx = 0
        self._tensors: dict[str, tuple[Tensor, Any]] = {}  # by value node: its Tensor, and the `val` it is of
        self._recorded: dict[str, list[Tensor]] = {}  # by computation: the Tensors it was computed from
        for node in nodes or ():
            self.add_node(node)
        self._complete_links()
        for start, end in edges or ():
            self.add_edge(start, end, insert_new_node=True)

    def add_node(self, node: Node) -> None:
        """Add a node. One without a name is given one: node_0, node_1, ..."""
        if not node.name:
            while f"node_{self._node_idx}" in self.nodes:
                self._node_idx += 1
            node.name = f"node_{self._node_idx}"
        if node.name in self.nodes:
            raise ValueError(f"Duplicate node name: {node.name}")
        self.nodes[node.name] = node
        self._node_idx += 1

    def add_edge(self, in_node: str, out_node: str, insert_new_node: bool = False) -> None:
        """Connect two nodes by their names. insert_new_node: make nodes for names that are not there."""
        for name, kind in ((in_node, "Input"), (out_node, "Output")):
            if name not in self.nodes:
                if not insert_new_node:
                    raise ValueError(f"{kind} node does not exist for edge: {in_node} -> {out_node}")
                self.add_node(Node(name))
        self.nodes[in_node].outputs.append(out_node)
        self.nodes[out_node].inputs.append(in_node)

    def _complete_links(self) -> None:
        """Where only one of two nodes knew of the other, tell the other."""
        inward: Counter[tuple[str, str]] = Counter()
        outward: Counter[tuple[str, str]] = Counter()
        for name, node in self.nodes.items():
            inward.update([(other, name) for other in node.inputs])
            outward.update([(name, other) for other in node.outputs])
        for start, end in {**inward, **outward}:
            if start not in self.nodes or end not in self.nodes:
                raise ValueError(
                    f"{'Input' if end in self.nodes else 'Output'} node does not exist for edge: {start} -> {end}"
                )
            missing = inward[start, end] - outward[start, end]
            self.nodes[start].outputs.extend([end] * missing)
            self.nodes[end].inputs.extend([start] * -missing)

    # Structure

    @property
    def graph(self) -> dict[str, list[list[str]]]:
        """[inputs, outputs] of each node, by its name."""
        return {name: [list(node.inputs), list(node.outputs)] for name, node in self.nodes.items()}

    @property
    def root_nodes(self) -> list[str]:
        """The names of nodes without inputs, stranded ones left out."""
        return [name for name, node in self.nodes.items() if not node.inputs and node.outputs]

    @property
    def leaf_nodes(self) -> list[str]:
        """The names of nodes without outputs, stranded ones left out."""
        return [name for name, node in self.nodes.items() if not node.outputs and node.inputs]

    def valid_graph(self) -> None:
        """Raise ValueError if the graph has no root, no leaf, or a loop; warn of nodes that nothing is connected to."""
        if not self.nodes:
            return
        stranded = [name for name, node in self.nodes.items() if not node.inputs and not node.outputs]
        if len(stranded) == len(self.nodes):
            return  # only nodes so far: the edges are to come
        if not self.root_nodes or not self.leaf_nodes:
            raise ValueError("A graph must have at least 1 root node and 1 leaf node.")
        self._sorted(self.nodes)
        if stranded:
            for kind in ("leaf", "root"):
                warnings.warn(f"Found stranded {kind} nodes. Ignore them. ({', '.join(stranded)})", stacklevel=3)

    def _sorted(self, names: Iterable[str]) -> list[str]:
        """These names, each after its inputs, which must be among them."""
        missing = {name: len(self.nodes[name].inputs) for name in names}
        ready = deque([name for name, count in missing.items() if not count])
        found = []
        while ready:
            name = ready.popleft()
            found.append(name)
            for out in self.nodes[name].outputs:
                if out in missing:
                    missing[out] -= 1
                    if not missing[out]:
                        ready.append(out)
        if len(found) < len(missing):
            raise ValueError("Loop detected in graph.")
        return found

    def computations(self, names: Iterable[str]) -> list[tuple[CompNode, list[ValNode], ValNode]]:
        """(computation, inputs, output) of the computations among these names, in an order that can be computed."""
        found, written = [], set()
        for name in self._sorted(names):
            node = self.nodes[name]
            near = [self.nodes[other] for other in (*node.inputs, *node.outputs)]
            other_kind = {NodeType.COMP: ValNode, NodeType.VAL: CompNode}.get(node.node_type)
            if other_kind is None:
                raise ValueError(f"Unrecognized `node_type` in: {name}; make it a ValNode or a CompNode")
            for other in near:
                if not isinstance(other, other_kind):
                    raise ValueError(f"{name} and {other.name} are of one kind: a computation connects values only")
            if node.node_type is NodeType.COMP:
                if len(node.outputs) != 1:
                    raise ValueError(f"A computational node must have 1 output: {name}")
                if not node.inputs:
                    raise ValueError(f"A computational node must have inputs: {name}")
                if node.outputs[0] in written:
                    raise ValueError(f"A value node can be computed by one node only: {node.outputs[0]}")
                written.add(node.outputs[0])
                found.append((node, near[:-1], near[-1]))
        return found

    # Values

    def forward(self, keywords: Mapping[str, Any] | None = None) -> dict[str, ValNode]:
        """Compute all values from those of the roots; returns the leaves by name.

        keywords: values, or ValNodes that have them, for roots by name; the other roots keep theirs.
        Raises ValueError for a root without a value, and for a name that is no root.
        """
        keywords = {} if keywords is None else keywords
        for name, value in keywords.items():
            if name not in self.nodes:
                raise ValueError(f"forward: the graph has no node {name!r}")
            if self.nodes[name].inputs:
                raise ValueError(f"forward: {name!r} is computed from {self.nodes[name].inputs} and cannot be given")
            self.nodes[name].val = value.val if isinstance(value, ValNode) else value
        computations = self.computations(self.nodes)
        for name in self.root_nodes:
            if self.nodes[name].val is None:
                raise ValueError(f"Input node {name} is not provided for the forward pass.")
        self.compute_all(computations)
        return {name: self.nodes[name] for name in self.leaf_nodes}

    def compute_all(self, computations: list[tuple[CompNode, list[ValNode], ValNode]]) -> None:
        """Compute and record anew, from the present values of the roots."""
        self._tensors.clear()
        self._recorded.clear()
        for op, inputs, out in computations:
            self.compute(op, inputs, out)

    def compute(self, op: CompNode, inputs: list[ValNode], out: ValNode) -> None:
        """Compute and record the value of one node."""
        tensors = self._inputs(inputs)
        out.val, tensor = compute(op, inputs, tensors)
        self._recorded[op.name] = tensors
        self._tensors[out.name] = tensor, out.val

    def _inputs(self, nodes: list[ValNode]) -> list[Tensor]:
        """The Tensors of value nodes: those recorded, if the values are still the same."""
        found = []
        for node in nodes:
            tensor, of = self._tensors.get(node.name, (None, None))
            if tensor is None or of is not node.val or (tensor.is_leaf and not _same(tensor.array, node.val)):
                tensor = leaf(node.val)
                self._tensors[node.name] = tensor, node.val
            found.append(tensor)
        return found

    def tensor(self, node: ValNode) -> Tensor:
        """The Tensor of a value node that was computed, or computed with."""
        return self._tensors[node.name][0]

    def is_recorded(self, op: CompNode, inputs: list[ValNode], out: ValNode) -> bool:
        """Whether `out` has the value that was computed from what is recorded for `inputs`."""
        used, (_, of) = self._recorded.get(op.name), self._tensors.get(out.name, (None, None))
        if used is None or of is not out.val:
            return False
        return all([self._tensors[node.name][0] is t for node, t in zip(inputs, used, strict=True)])

    def __getstate__(self) -> dict[str, Any]:
        """Without what was recorded, which cannot be copied."""
        return {**self.__dict__, "_tensors": {}, "_recorded": {}}


def _same(array: np.ndarray, value: Any) -> bool:
    return np.array_equal(array, np.asarray(value), equal_nan=True)
