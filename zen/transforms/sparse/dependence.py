"""Which elements of recorded results depend on which variables: the sparsity pattern of a Jacobian.

The recorded rows are walked once, in the order of their application, with a set of variables for each element. What a
row makes of the sets follows from its declaration: elementwise rows unite what is broadcast together; rows that
are views move elements; what a row is linear in is found by its own derivative (`relations.py`); rows with `axes`
depend on everything along these, rows that leave leading axes alone on everything along the others; a composition is
walked in its turn. Of any other row, each result depends on all of each argument.

Sets may be too large, never too small. No value of an argument is looked at: an entry that is zero at the point by
accident is in the pattern. What the program decided by values, it decided before: indices that were computed, the
order of a sort, the branch of an `if`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from ... import backend
from ...backend import Tensor
from ...batching import applying, structured
from ...ops import register
from .. import batched_passes
from .index_sets import Sets, all_of, united, variables
from .relations import is_affine, paired, related


def pattern(outputs: Sequence[Tensor], inputs: Sequence[Tensor]) -> Any:
    """A scipy.sparse.csr_array of bool: the elements of all outputs by those of all inputs, one after the other."""
    from scipy.sparse import csr_array, vstack

    width = sum([t.size for t in inputs])
    if not outputs:
        return csr_array((0, width), dtype=bool)
    states = dict(zip([t.node for t in inputs], variables([t.shape for t in inputs]), strict=True))
    found = walk(outputs, states)
    blocks = [
        csr_array((t.size, width), dtype=bool) if sets is None else sets.rows()
        for t, sets in zip(outputs, found, strict=True)
    ]
    return csr_array(blocks[0] if len(blocks) == 1 else vstack(blocks, format="csr"))


def walk(outputs: Sequence[Tensor], states: dict[Any, Sets]) -> list[Sets | None]:
    """The sets of the outputs from those of the nodes in `states`; None for one that depends on none of them."""
    known: dict[Any, Any] = dict(states)
    ends = [t.node for t in outputs]
    nodes = batched_passes.between([n for n in ends if n is not None], states)
    # How often each will be asked for: sets are dropped after the last time, so that few are held of a long graph.
    left = Counter([n for node in nodes for n in node.inputs] + ends)
    for node in nodes:
        if node.released:
            batched_passes.raise_released(node)
        moving = {k: known[n] for k, n in enumerate(node.inputs) if n is not None and n in known}
        if not moving:
            continue
        if node.row.several:
            known[node] = _Call(node, moving)
        elif node.row.is_output:
            made = moving[0].result(node)
            if made is not None:
                known[node] = made
        else:
            made = _result(node, moving, node.shape, None)
            if made is not None:
                known[node] = made
        left.subtract(node.inputs)
        for n in node.inputs:
            if not left[n]:
                known.pop(n, None)
    return [None if n is None else known.get(n) for n in ends]


class _Call:
    """A call with several results, which are asked for one by one."""

    def __init__(self, node: Any, moving: dict[int, Sets]) -> None:
        self.node, self.moving = node, moving
        self.walked: list[Sets | None] | None = None

    def result(self, output: Any) -> Sets | None:
        place = output.params[0]
        if _is_declared(self.node.row) and self.node.row.composition is not None:
            if self.walked is None:
                self.walked = _composed(self.node, self.moving)
            return self.walked[int(place)]
        return _result(self.node, self.moving, output.shape, place)


def _result(node: Any, moving: dict[int, Sets], shape: tuple[int, ...], place: int | None) -> Sets | None:
    """The sets of a result of a node, number `place` of several or the only one."""
    row = node.row
    declared = _is_declared(row)
    if declared and not row.several and row.composition is not None:
        return _composed(node, moving)[0]
    parts = []
    for k, sets in moving.items():
        if declared:
            made = _declared(node, k, sets, shape, place)
        else:  # the reference engine's own broadcast and cast; the derivative of a user's row stays unasked
            made = None if row.joint or not is_affine(row, k) else related(node, k, sets, shape, place)
            made = all_of(sets, shape) if made is None else made
        if made is not None:
            parts.append(made)
    return united(parts, shape) if parts else None


def _is_declared(row: Any) -> bool:
    """Whether it is one of zen's rows: a user's may have any name."""
    return row.name in register.DECLARATIONS and register.ROWS[row.name] is row


def _declared(node: Any, k: int, sets: Sets, shape: tuple[int, ...], place: int | None) -> Sets | None:
    """What comes from argument k."""
    row, name = register.DECLARATIONS[node.row.name], node.row.name
    if row.elementwise or applying.RULES.get(name) is applying.pointwise:
        formula = None if callable(row.vjp) else row.vjp[k]
        if formula == "0":
            return None
        return sets if _reaches(sets.labels.shape, shape) else all_of(sets, shape)
    if row.view:
        moved = row.forward(sets.labels, *node.params)  # type: ignore[operator]
        return sets.with_labels(moved if place is None else moved[place])
    if is_affine(node.row, k):
        made = related(node, k, sets, shape, place)
        return all_of(sets, shape) if made is None else made
    core = _core(row, node, sets.labels.shape)
    if core is not None and k == 0:
        made = _apart_from(core, sets, shape)
        if made is not None:
            return made
    return all_of(sets, shape)


def _reaches(shape: tuple[int, ...], full: tuple[int, ...]) -> bool:
    try:
        return np.broadcast_shapes(shape, full) == full
    except ValueError:
        return False


def _core(row: Any, node: Any, shape: tuple[int, ...]) -> set[int] | None:
    """The axes of the first argument along which a result depends on everything; None where nobody said."""
    count = structured.LEADING.get(row.name)
    if count is not None:
        return set(range(len(shape) - count, len(shape)))
    if not row.axes:
        return None
    core: set[int] = set()
    for name in row.axes:
        axes = node.params[row.params.index(name)]
        core |= set(range(len(shape))) if axes is None else {axes} if isinstance(axes, int) else set(axes)
    return core


def _apart_from(core: set[int], sets: Sets, shape: tuple[int, ...]) -> Sets | None:
    """Dense along the core axes, apart along the others; None where the result has not got these."""
    into = sets.labels.shape
    others = [p for p in range(len(into)) if p not in core]
    if len(shape) == len(into):
        places = others
    elif len(shape) == len(others):
        places = list(range(len(shape)))
    else:
        places = list(range(len(others)))
        if others != places or len(shape) < len(places):
            return None
    if [shape[q] for q in places] != [into[p] for p in others]:
        return None
    return paired(sets, shape, {q: (p, None) for q, p in zip(places, others, strict=True)})


def _composed(node: Any, moving: dict[int, Sets]) -> list[Sets | None]:
    """Through the rows that the row is made of, run anew."""
    backend.verify_saved(node)
    args = list(backend.revived(node, node.saved, False)[: len(node.inputs)])
    states = {}
    for k, sets in moving.items():
        args[k] = batched_passes.closed_leaf(args[k])
        states[args[k].node] = sets
    out = backend.call_recording(True, node.row.composition, *args, *node.params)
    return walk(list(out) if node.row.several else [out], states)
