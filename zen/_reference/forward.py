"""Forward mode: tangents pushed through recorded nodes, in rising order. Called by `zen/transforms`.

What becomes of the tangents at one node is the caller's `rule`; in which order nodes come up, and how long a tangent is
kept, stands here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .backward import _raise_released, verify_saved
from .guard import lend
from .node import Node
from .state import call_recording
from .tensor import Tensor

Rule = Callable[[Node, dict[int, Any]], Any]


def push(
    outputs: list[Tensor], variables: list[Tensor], directions: list[Any], rule: Rule, recorded: bool
) -> list[Any]:
    """The tangents of `outputs`, from those of `variables`; None for one that depends on no variable.

    directions: for each variable an array or Tensor of its shape; a Tensor where `recorded`: then operations are, else
    they are not. The results are arrays of their own, or Tensors; where all directions are Tensors and the row says
    that its result is a view, so is the tangent, lent as the memory of a detached Tensor. `rule(node, moving)` makes
    the tangent of a node's value of those of its inputs, a dict from positions to arrays (Tensors), in the shape and
    dtype of the node; a tuple of them, None for one that does not move, for a call with several results, of which the
    nodes of these take theirs. NumPy's warnings are off meanwhile.
    """
    with np.errstate(all="ignore"):
        found: list[Any] = call_recording(recorded, _push, outputs, variables, directions, rule, recorded)
    return found


def _push(
    outputs: list[Tensor], variables: list[Tensor], directions: list[Any], rule: Rule, recorded: bool
) -> list[Any]:
    lent = not recorded and all([isinstance(d, Tensor) for d in directions])
    if not recorded:
        directions = [
            np.asarray(d._data if isinstance(d, Tensor) else d, t.dtype)
            for t, d in zip(variables, directions, strict=True)
        ]
    tangents = {t.node: d for t, d in zip(variables, directions, strict=True) if t.node is not None}
    ends = [t.node for t in outputs]
    order, uses = _plan([n for n in ends if n is not None], tangents)
    for node in order:
        inputs = node.inputs
        if node.released:
            _raise_released(node)
        moving = {k: tangents[n] for k, n in enumerate(inputs) if n is not None and n in tangents}
        if not moving:
            continue
        if node.row is not None and node.row.is_output:
            made = moving[0][node.params[0]]
        else:
            verify_saved(node)
            made = rule(node, moving)
        if made is not None:
            tangents[node] = made
        for below in inputs:
            if below is not None:
                uses[below] -= 1
                if not uses[below]:  # a tangent dies when its last consumer has it
                    tangents.pop(below, None)
    found = [None if n is None else tangents.get(n) for n in ends]
    if recorded:
        return found
    return [
        None if t is None else lend(t, False) if lent and _shows_view(n) and t.flags.writeable else np.array(t)
        for n, t in zip(ends, found, strict=True)
    ]


def _shows_view(node: Node | None) -> bool:
    """Whether the value is a view of another, by what its row says."""
    if node is not None and node.row is not None and node.row.is_output:
        node = node.inputs[0]
    return node is not None and node.row is not None and node.row.view


def _plan(roots: list[Node], variables: dict[Node, Any]) -> tuple[list[Node], dict[Node, int]]:
    """The operations between `roots` and variables, in rising order, and how often each node is used."""
    oldest = min([n.seq for n in variables], default=0)
    uses = dict.fromkeys(roots, 0)
    for n in roots:
        uses[n] += 1  # by the result itself
    pending = [n for n in uses if n.seq >= oldest and n not in variables]
    order = []
    while pending:
        node = pending.pop()
        order.append(node)
        for below in node.inputs:
            if below is None:
                continue
            if below in uses:
                uses[below] += 1
                continue
            uses[below] = 1
            if below.seq >= oldest and below not in variables:
                pending.append(below)
    return sorted([n for n in order if n.row is not None], key=lambda n: n.seq), uses
