"""Passes through a recorded graph with many cotangents, or many tangents, at once: Batched ones.

The engine's own passes carry arrays and Tensors of the shape of each value. These carry what all examples of a `vmap`
have for it, and apply the rows' formulas to that, so that the rules of `zen/batching/` answer.
"""

from __future__ import annotations

import heapq
from functools import partial
from typing import Any

import numpy as np

from .. import backend
from ..backend import Tensor
from ..batching.conforming import conformed
from ..dtypes import COMPLEX
from ..ops import register
from ..ops.operands import leaf_of
from .diagonals import Diagonals, added, densified, pulled, pushed
from .forward import Rule


def pull(roots: list[Any], seeds: list[Any], inputs: list[Tensor], recorded: bool, partial: bool = False) -> list[Any]:
    """The gradients of `inputs`, None where the roots do not depend on one. `recorded`: with a graph.

    partial: by each input while the others are held, where one was made of another.
    """
    return backend.call_recording(recorded, _Pull(inputs, recorded, partial).run, roots, seeds)  # type: ignore[no-any-return]


class _Pull:
    """A backward pass: nodes by falling sequence number, as in the engine."""

    def __init__(self, inputs: list[Tensor], recorded: bool, partial: bool = False) -> None:
        self.inputs, self.recorded = [t.node for t in inputs], recorded
        self.ends = set(self.inputs) if partial else set()
        self.gradients: dict[Any, Any] = {}
        self.heap: list[tuple[int, Any]] = []

    def run(self, roots: list[Any], seeds: list[Any]) -> list[Any]:
        self.needed = _leading_to(
            [t.node for t in roots if t.node is not None], {n for n in self.inputs if n}, self.ends
        )
        for t, seed in zip(roots, seeds, strict=True):
            if t.node is not None and seed is not None:
                self.give(t.node, seed)
        while self.heap:
            node = heapq.heappop(self.heap)[1]
            if node.row is not None and node not in self.ends:
                self.differentiate(node, self.gradients[node] if node in self.inputs else self.gradients.pop(node))
        return [None if n is None else self.gradients.get(n) for n in self.inputs]

    def give(self, node: Any, value: Any) -> None:
        if node not in self.needed:
            return
        held = self.gradients.get(node)
        if held is None:
            heapq.heappush(self.heap, (-node.seq, node))
            self.gradients[node] = value
        else:
            self.gradients[node] = added(held, value)

    def differentiate(self, node: Any, gradient: Any) -> None:
        if node.row.is_output:
            gradient = densified(gradient)
            call, (k, count) = node.inputs[0], node.params
            if call not in self.gradients:
                heapq.heappush(self.heap, (-call.seq, call))
            parts = self.gradients.setdefault(call, [None] * count)
            parts[k] = gradient if parts[k] is None else parts[k] + gradient
            return
        if not any([n in self.needed for n in node.inputs]):
            return
        for k, value in self.vjps(node, gradient):
            if value is not None:
                receiver = node.inputs[k]
                is_fit = type(value) is Diagonals
                self.give(receiver, value if is_fit else conformed(value, receiver.shape, receiver.dtype))

    def vjps(self, node: Any, gradient: Any) -> Any:
        """(position, gradient) for each input that needs one."""
        row, f, params = node.row, register.tensors, node.params
        backend.verify_saved(node)
        values = backend.revived(node, node.saved, self.recorded)
        needed = [k for k, n in enumerate(node.inputs) if n in self.needed]
        if type(gradient) is Diagonals:
            kept = pulled(node, values, gradient, needed, partial(self.conformed, node))
            if kept is not None:
                return kept
            gradient = gradient.batched()
        gradient = tuple(gradient) if row.several else gradient
        if row.joint:
            count = len(node.inputs)
            if row.composition is not None:
                return self.composed(row, values[:count], params, gradient, needed)
            wanted = tuple([k in needed for k in range(count)])
            made = row.vjps[0](f, gradient, values[:count], values[count:], wanted, *params)
            made = made if isinstance(made, (tuple, list)) else (made,)
            return [(k, made[k]) for k in needed]
        place = [((k,) if row.variadic else ()) for k in range(len(node.inputs))]
        return [(k, row.vjps[0 if row.variadic else k](f, gradient, *place[k], *values, *params)) for k in needed]

    def conformed(self, node: Any, gradient: Any) -> Any:
        """As `vjps`, with the shapes and dtypes of the inputs."""
        found = [(k, node.inputs[k], value) for k, value in self.vjps(node, gradient)]
        return [(k, conformed(value, n.shape, n.dtype)) for k, n, value in found if value is not None]

    def composed(self, row: Any, args: tuple[Any, ...], params: Any, gradient: Any, needed: list[int]) -> Any:
        """Through the rows that the row is made of, run anew."""
        inputs, targets = list(args), {}
        for k in needed:
            linked = self.recorded and isinstance(inputs[k], Tensor) and inputs[k].requires_grad
            inputs[k] = targets[k] = register.tensors.positive(inputs[k]) if linked else closed_leaf(inputs[k])
        out = backend.call_recording(True, row.composition, *inputs, *params)
        outputs, seeds = (out, gradient) if row.several else ((out,), (gradient,))
        return zip(targets, pull(list(outputs), list(seeds), list(targets.values()), self.recorded), strict=True)


def closed_leaf(x: Any) -> Tensor:
    """A leaf with the values of x, of which nobody else asks a gradient."""
    made = leaf_of(x)
    made.node.closed = True  # type: ignore[union-attr]
    return made


def _leading_to(roots: list[Any], wanted: set[Any], ends: set[Any]) -> set[Any]:
    """The nodes under `roots` from which a wanted one can be reached, these included; not through one of `ends`."""
    seen: dict[Any, tuple[Any, ...]] = {}
    stack = list(roots)
    oldest = min([n.seq for n in wanted], default=0)
    while stack:
        node = stack.pop()
        if node.seq < oldest or node in seen:
            continue
        inputs = seen[node] = () if node in ends else node.inputs
        if node.released and node not in wanted:
            raise_released(node)
        stack.extend([n for n in inputs if n is not None])
    found: set[Any] = set()
    for node in sorted(seen, key=lambda n: n.seq):
        if node in wanted or any([n in found for n in seen[node]]):
            found.add(node)
    return found


def raise_released(node: Any) -> None:
    raise RuntimeError(
        f"the graph of {node.row.name!r} was released by an earlier backward pass; "
        "give that pass retain_graph=True to run another one through it"
    )


def push(outputs: list[Tensor], variables: list[Tensor], directions: list[Any], recorded: bool) -> list[Any]:
    """The tangents of `outputs`, None for one that does not move."""
    rule = _BatchedRule(recorded)
    return backend.call_recording(recorded, _push, outputs, variables, directions, rule)  # type: ignore[no-any-return]


def _push(outputs: list[Tensor], variables: list[Tensor], directions: list[Any], rule: Rule) -> list[Any]:
    tangents = {t.node: d for t, d in zip(variables, directions, strict=True) if t.node is not None and d is not None}
    ends = [t.node for t in outputs]
    for node in between([n for n in ends if n is not None], tangents):
        if node.released:
            raise_released(node)
        moving = {k: tangents[n] for k, n in enumerate(node.inputs) if n is not None and n in tangents}
        if not moving:
            continue
        if node.row.is_output:
            made = moving[0][node.params[0]]
        else:
            backend.verify_saved(node)
            made = rule(node, moving)
        if made is not None:
            tangents[node] = made
    return [None if n is None else tangents.get(n) for n in ends]


def between(roots: list[Any], variables: dict[Any, Any]) -> list[Any]:
    """The operations between `roots` and the variables, in rising order."""
    oldest = min([n.seq for n in variables], default=0)
    seen, stack = set(), [n for n in roots if n not in variables]
    while stack:
        node = stack.pop()
        if node in seen or node.row is None:
            continue
        seen.add(node)
        stack.extend([n for n in node.inputs if n is not None and n.seq >= oldest and n not in variables])
    return sorted(seen, key=lambda n: n.seq)


class _BatchedRule(Rule):
    """The tangents of one node's value for all examples, by operations on Tensors."""

    def __init__(self, linked: bool) -> None:
        super().__init__(True)
        self.linked = linked

    def __call__(self, node: Any, moving: dict[int, Any]) -> Any:
        if any([type(t) is Diagonals for t in moving.values()]):
            values = self.revived(node, node.saved)
            made = (
                None
                if node.row.several
                else pushed(node, values, moving, lambda dense: Rule.__call__(self, node, dense))
            )
            if made is not None:
                return made
            moving = {k: densified(t) for k, t in moving.items()}
        return super().__call__(node, moving)

    def composed(self, node: Any, saved: tuple[Any, ...], moving: dict[int, Any]) -> Any:
        args, variables = list(self.revived(node, saved, tensors=True)[: len(node.inputs)]), []
        for k in moving:
            linked = self.linked and isinstance(args[k], Tensor) and args[k].requires_grad
            args[k] = register.tensors.positive(args[k]) if linked else closed_leaf(args[k])
            variables.append(args[k])
        out = backend.call_recording(True, node.row.composition, *args, *node.params)
        made = push(list(out) if node.row.several else [out], variables, list(moving.values()), self.linked)
        return tuple(made) if node.row.several else made[0]

    def run(self, roots: list[Any], seeds: list[Any], wanted: list[Any]) -> list[Any]:
        return pull(roots, seeds, wanted, self.linked)

    def revived(self, node: Any, saved: tuple[Any, ...], tensors: bool = False) -> tuple[Any, ...]:
        return backend.revived(node, saved, self.linked)

    def fit(self, value: Any, node: Any) -> Any:
        if not hasattr(value, "shape"):
            value = backend.wrap(np.asarray(value, node.dtype))
        if value.shape != node.shape:
            value = self.broadcast(value, node.shape)
        if value.dtype in COMPLEX and node.dtype not in COMPLEX:
            value = register.tensors.real(value)
        return value if value.dtype == node.dtype else register.tensors.astype(value, node.dtype)
