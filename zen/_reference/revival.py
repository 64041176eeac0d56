"""What a node saved as Tensors, for formulas that are recorded. Called by `backward.py`, and by transforms."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dtypes import DIFFERENTIABLE, INEXACT
from .node import Node
from .recording import output_node
from .rows import Row
from .state import tracer
from .tensor import wrap


def revived(
    node: Node, saved: tuple[Any, ...], linked: bool = True, inputs: tuple[Node | None, ...] | None = None
) -> tuple[Any, ...]:
    """What `node` saved as Tensors: on their nodes, so that formulas are recorded, or (not `linked`) on none."""
    values = _revived(node, saved, linked, inputs)
    own, row = tracer(), node.row
    if own is None or row is None:
        return values
    if row.variadic and not row.joint:
        for k, x in enumerate((*values[0], values[1])):
            own.revived(node, k, x)
        return values
    behind = len(node.inputs if inputs is None else inputs) + (1 if row.several < 0 else max(row.several, 1))
    for k, x in enumerate(values[:behind]):
        own.revived(node, k, x)
    return (
        *[own.number(node, k, x) for k, x in enumerate(values[:behind])],
        *[own.workspace(node, x) for x in values[behind:]],
    )


def _revived(
    node: Node, saved: tuple[Any, ...], linked: bool, inputs: tuple[Node | None, ...] | None
) -> tuple[Any, ...]:
    """What `node` saved as Tensors: on their nodes, so that formulas are recorded, or (not `linked`) on none."""
    row, inputs = node.row, node.inputs if inputs is None else inputs
    assert row is not None
    own = node if linked else None
    inputs = inputs if linked else (None,) * len(inputs)
    if row.variadic and not row.joint:
        return tuple([_tensor(x, n) for x, n in zip(saved[0], inputs, strict=True)]), _tensor(saved[1], own)
    count = len(inputs)
    args, results = [_tensor(x, n) for x, n in zip(saved, inputs, strict=False)], saved[count:]
    if not row.several:
        return (*args, _tensor(results[0], own), *_constants(row, results[1:]))
    outputs, behind = (results[0], 1) if row.several < 0 else (results[: row.several], row.several)
    made = tuple([_tensor(x, _on(own, k, outputs)) for k, x in enumerate(outputs)])
    return (*args, *((made,) if row.several < 0 else made), *_constants(row, results[behind:]))


def _on(call: Node | None, k: int, outputs: tuple[Any, ...]) -> Node | None:
    """A node for result k of `call`."""
    return (
        None
        if call is None or outputs[k].dtype not in DIFFERENTIABLE
        else output_node(call, k, len(outputs), outputs[k])
    )


def _constants(row: Row, workspace: tuple[Any, ...]) -> tuple[Any, ...]:
    """Workspace for formulas on Tensors. What depends on the arguments, without a node, gives wrong derivatives."""
    if not row.joint and any([isinstance(x, np.ndarray) and x.dtype in INEXACT for x in workspace]):
        raise RuntimeError(
            f"{row.name}: its formulas read floating workspace, which has no derivative, so they cannot be "
            "differentiated themselves; the row needs a composition"
        )
    return workspace


def _tensor(value: Any, node: Node | None) -> Any:
    return wrap(np.asarray(value), node) if isinstance(value, (np.ndarray, np.generic)) else value
