"""Forward mode: `jvp` runs a function, then pushes tangents through the nodes that it recorded, in rising order.

An elementwise row's formula gives its tangent with the tangent in place of the cotangent `g`. A linear row is applied
to the tangent itself. Any other row's vjp, which is linear in `g`, is transposed: the gradient of <vjp(g), tangent>
with respect to a dummy `g`. A row has a rule of its own for this only where none of these is its derivative.

Tangents are arrays, or, if the derivative may itself be differentiated, Tensors on which the formulas are recorded.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .. import backend, trees
from ..backend import Shaped, Tensor
from ..conversion import convert
from ..dtypes import DIFFERENTIABLE, floating
from ..ops import register
from .variables import Variables, results


def jvp(f: Callable[..., Any], primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, Any]:
    """`(f(*primals), tangent)`: the value, and its derivative in the direction of `tangents`.

    primals, tangents: tuples of equal structure and shapes, of numbers, arrays or Tensors, possibly nested. Both
    results have the structure of what `f` returns. Without a Tensor among the arguments the results are NumPy arrays,
    unless a Tensor that `f` uses requires a gradient: then, as where a primal or tangent does, they are Tensors with a
    graph (not under `zen.no_grad()`). A result of integer or bool dtype has a tangent of zeros.

    The cost is that of `f`, recorded, and one more pass, however large the result is. Nests with itself and with the
    other transforms.

    >>> import numpy as np, zen
    >>> y, dy = zen.jvp(lambda x: x * x, (np.array([1.0, 2.0]),), (np.array([1.0, 0.5]),))
    >>> y.tolist(), dy.tolist()
    ([1.0, 4.0], [2.0, 2.0])
    """
    for name, given in (("primals", primals), ("tangents", tangents)):
        if not isinstance(given, (tuple, list)):
            raise TypeError(f"jvp: {name} is a tuple with an entry for each argument, not {type(given).__name__}")
    variables = Variables("jvp", primals, range(len(primals)))
    directions = _directions(primals, tangents, variables.tensors)
    out = variables.call(f, {})
    outputs = results("jvp", out)
    linked = variables.recording and any([isinstance(t, Tensor) and t.requires_grad for t in directions])
    connected = linked or variables.connected(outputs)
    as_array = not (variables.took_tensors or any([isinstance(t, Tensor) for t in directions]))
    push = _Push({t.node: d for t, d in zip(variables.tensors, directions, strict=True)}, connected)
    pushed = backend.call_recording(connected, push.through, outputs)
    if connected:
        moved = [variables.settle(p, True, False) for p in pushed]
    else:
        moved = pushed if as_array else [backend.wrap(p) for p in pushed]
    return variables.settled(out, connected, as_array), trees.rebuild(out, moved)


def _directions(primals: Sequence[Any], tangents: Sequence[Any], variables: list[Tensor]) -> list[Any]:
    if len(primals) != len(tangents):
        raise ValueError(f"jvp: {len(tangents)} tangents for {len(primals)} primals")
    if not all([trees.same_structure(p, t) for p, t in zip(primals, tangents, strict=True)]):
        raise ValueError("jvp: the tangents do not have the structure of the primals")
    found = []
    for variable, (path, value) in zip(variables, trees.leaves(tuple(tangents), "tangents"), strict=True):
        shape = value.shape if isinstance(value, Tensor) else np.shape(value)
        if shape != variable.shape:
            raise ValueError(f"jvp: {path} has shape {shape}; expected {variable.shape}, as its primal")
        found.append(value if isinstance(value, Tensor) else convert(value))
    return found


class _Push:
    """Tangents on their way. `recorded`: they are Tensors, and what is done to them is recorded."""

    def __init__(self, tangents: dict[Any, Any], recorded: bool) -> None:
        self.recorded = recorded
        self.f: Any = register.tensors if recorded else register.arrays
        self.tangents = {node: self.fit(value, node) for node, value in tangents.items()}
        self.variables = set(tangents)

    def through(self, outputs: list[Tensor]) -> list[Any]:
        """The tangents of `outputs`, each an array or Tensor of its own."""
        nodes = [t.node for t in outputs]
        order, uses = self.plan([n for n in nodes if n is not None])
        for node in order:
            if node in self.variables:
                continue
            tangent = self.push(node)
            if tangent is not None:
                self.tangents[node] = tangent if node.row.several else self.fit(tangent, node)
            for below in node.inputs:
                if below is not None:
                    uses[below] -= 1
                    if not uses[below]:  # a tangent dies when its last consumer has it
                        self.tangents.pop(below, None)
        found = []
        for t, node in zip(outputs, nodes, strict=True):
            tangent = None if node is None else self.tangents.get(node)
            if tangent is None:
                zeros = np.zeros(t.shape, floating(t.dtype))
                found.append(backend.wrap(zeros) if self.recorded else zeros)
            else:
                found.append(self.f.positive(tangent) if self.recorded else np.array(tangent))
        return found

    def plan(self, roots: list[Any]) -> tuple[list[Any], dict[Any, int]]:
        """The nodes under `roots` as far down as the variables, in rising order, and how often each is used."""
        oldest = min([n.seq for n in self.variables], default=0)
        uses = dict.fromkeys(roots, 0)
        for n in roots:
            uses[n] += 1  # by the result itself
        pending = list(uses)
        while pending:
            for below in pending.pop().inputs:
                if below is None:
                    continue
                if below in uses:
                    uses[below] += 1
                    continue
                uses[below] = 1
                if below.seq >= oldest and below not in self.variables:
                    pending.append(below)
        return sorted([n for n in uses if n.seq >= oldest], key=lambda n: n.seq), uses

    # One node

    def push(self, node: Any) -> Any:
        """The tangent of a node's result, or None if no input has one; for several results a tuple of these."""
        moving = {k: self.tangents[n] for k, n in enumerate(node.inputs) if n is not None and n in self.tangents}
        if not moving:
            return None
        row, saved = node.row, node.saved
        if row.is_output:
            return moving[0][node.params[0]]
        backend.verify_saved(node)
        if row.elementwise:
            return self.elementwise(node, saved, moving)
        total = None
        if row.tangents:
            moving, total = self.ruled(node, saved, moving)
        elif row.linear:
            moving, total = (self.linear_variadic if row.variadic else self.linear)(node, saved, moving)
        if moving:
            transposed = backend.call_recording(True, self.transposed, node, saved, moving)
            total = self.add(total, transposed)
        return total

    def elementwise(self, node: Any, saved: tuple[Any, ...], moving: dict[int, Any]) -> Any:
        values = self.revived(node, saved)
        total = None
        for k, tangent in moving.items():
            if tangent.shape != node.shape:
                tangent = self.broadcast(tangent, node.shape)
            with np.errstate(all="ignore"):
                total = self.add(total, node.row.vjps[k](self.f, tangent, *values, *node.params))
        return total

    # Each of the next three returns (what is left to be moved, the tangent from the other arguments).

    def ruled(self, node: Any, saved: tuple[Any, ...], moving: dict[int, Any]) -> Any:
        """By the row's own formulas."""
        values = self.revived(node, saved)
        left, total = {}, None
        for k, tangent in moving.items():
            rule = node.row.tangents[k]
            if rule is None:
                left[k] = tangent
            else:
                total = self.add(total, rule(self.f, tangent, *values, *node.params))
        return left, total

    def linear(self, node: Any, saved: tuple[Any, ...], moving: dict[int, Any]) -> Any:
        """By the row itself, for each argument in which it is linear."""
        values = self.revived(node, saved)[: len(node.inputs)]
        left, total = {}, None
        for k, tangent in moving.items():
            unsaved = any([j != k and (v is None or isinstance(v, Shaped)) for j, v in enumerate(values)])
            if unsaved or k not in node.row.linear:
                left[k] = tangent
                continue
            inputs = tuple([tangent if j == k else v for j, v in enumerate(values)])
            total = self.add(total, self.apply(node, inputs))
        return left, total

    def linear_variadic(self, node: Any, saved: tuple[Any, ...], moving: dict[int, Any]) -> Any:
        """As `linear`, for a row that is linear in all of its arguments together: the others' tangents are zero."""
        inputs = []
        for k, (below, x) in enumerate(zip(node.inputs, saved[0], strict=True)):
            like = x if below is None else below
            if k not in moving and like is None:  # a constant of which not even the shape was saved
                return moving, None
            inputs.append(moving[k] if k in moving else self.zeros(np.shape(like), node.dtype))
        return {}, self.apply(node, tuple(inputs))

    def apply(self, node: Any, inputs: tuple[Any, ...]) -> Any:
        if self.recorded:
            return backend.apply(node.row, inputs, node.params)
        with np.errstate(all="ignore"):
            return node.row.forward(*inputs, *node.params)

    def transposed(self, node: Any, saved: tuple[Any, ...], moving: dict[int, Any]) -> Any:
        """The tangent by way of the vjps, which are linear in their cotangent."""
        several = node.row.several
        shapes: Any = self.outputs(node, saved) if several else (node,)
        dummies = [
            backend.leaf(np.zeros(s.shape, s.dtype), True) if s.dtype in DIFFERENTIABLE else None for s in shapes
        ]
        for dummy in dummies:
            if dummy is not None:
                dummy.node.closed = True  # type: ignore[union-attr]
        roots, seeds = [], []
        cotangent = tuple(dummies) if several else dummies[0]
        for k, pulled in self.vjps(node, cotangent, self.revived(node, saved, tensors=True), moving):
            if not isinstance(pulled, Tensor) or not pulled.requires_grad:
                continue  # does not depend on the cotangent: zero
            shape = node.inputs[k].shape
            if pulled.ndim == 0 and shape:
                pulled = register.tensors.broadcast_to(pulled, shape)
            tangent = moving[k]
            # A vjp's result is summed over the axes that were broadcast; the transpose of that is broadcasting.
            seeds.append(tangent if pulled.shape == shape else self.broadcast(tangent, pulled.shape))
            roots.append(pulled)
        wanted = [d for d in dummies if d is not None]
        found = iter(backend.run(roots, seeds, wanted, True, self.recorded) or () if roots else [None] * len(wanted))
        tangents = []
        for dummy in dummies:
            tangent = None if dummy is None else next(found)
            tangents.append(tangent if tangent is None or self.recorded else tangent._array)
        if several:
            return tuple(tangents)
        return self.zeros(node.shape, node.dtype) if tangents[0] is None else tangents[0]

    def vjps(self, node: Any, g: Any, values: tuple[Any, ...], moving: dict[int, Any]) -> Any:
        row, f = node.row, register.tensors
        if row.joint:
            count = len(node.inputs)
            wanted = tuple([k in moving for k in range(count)])
            made = row.vjps[0](f, g, values[:count], values[count:], wanted, *node.params)
            return [(k, made[k]) for k in moving]
        if row.variadic:
            return [(k, row.vjps[0](f, g, k, *values, *node.params)) for k in moving]
        return [(k, row.vjps[k](f, g, *values, *node.params)) for k in moving]

    # Values

    def revived(self, node: Any, saved: tuple[Any, ...], tensors: bool = False) -> tuple[Any, ...]:
        """What the node saved: arrays; or Tensors, which if recorded are on the nodes that they came from."""
        if not self.recorded and not tensors:
            return saved
        return backend.revived(node, saved, self.recorded)

    def outputs(self, node: Any, saved: tuple[Any, ...]) -> tuple[Any, ...]:
        """What the node of a call with several results saved of these: at least their shapes and dtypes."""
        count, several = len(node.inputs), node.row.several
        found: tuple[Any, ...] = saved[count] if several < 0 else saved[count : count + several]
        return found

    def fit(self, value: Any, node: Any) -> Any:
        """`value` with the shape and dtype of the node's result, as an array or Tensor."""
        if self.recorded:
            value = value if isinstance(value, Tensor) else backend.wrap(np.array(value, node.dtype))
            value = value if value.shape == node.shape else self.broadcast(value, node.shape)
            return value if value.dtype == node.dtype else register.tensors.astype(value, node.dtype)
        value = np.asarray(value._array if isinstance(value, Tensor) else value)
        value = value if value.shape == node.shape else np.broadcast_to(value, node.shape)
        return value.astype(node.dtype, copy=False)

    def broadcast(self, value: Any, shape: tuple[int, ...]) -> Any:
        return register.tensors.broadcast_to(value, shape) if self.recorded else np.broadcast_to(value, shape)

    def zeros(self, shape: tuple[int, ...], dtype: Any) -> Any:
        zeros = np.zeros(shape, dtype)
        return backend.wrap(zeros) if self.recorded else zeros

    def add(self, first: Any, second: Any) -> Any:
        if first is None or second is None:
            return second if first is None else first
        if isinstance(first, tuple):
            return tuple([self.add(a, b) for a, b in zip(first, second, strict=True)])
        return first + second
