"""Forward mode: `jvp` runs a function, then has the engine push tangents through the nodes that it recorded.

An elementwise row's formula gives its tangent with the tangent in place of the cotangent `g`. A linear row is applied
to the tangent itself. A row that is made of others pushes the tangents through these. Any other row's vjp, which is
linear in `g`, is transposed: the gradient of <vjp(g), tangent> with respect to a dummy `g`. A row has a rule of its own
where none of these is its derivative, or they cost a second pass. Where a rule finds a tangent undetermined, the whole
backward pass is transposed in this way.

Tangents are arrays, or, if the derivative may itself be differentiated, Tensors on which the formulas are recorded.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .. import backend, trees
from ..backend import Shaped, Tensor
from ..batched import ANYWHERE, WITHIN, Batched, Unbatched, running
from ..conversion import convert
from ..dtypes import COMPLEX, DIFFERENTIABLE, KERNELS, floating
from ..ops import register
from ..ops.operands import leaf_of
from ..ops.undetermined import TooHigh, Undetermined, with_setting
from .conjugation import check_cotangent
from .variables import Variables, results

_LARGE = 1 << 12
"""Elements from which a sum lies in memory that the engine keeps: new memory costs a page fault for every 4 KiB."""


def jvp(f: Callable[..., Any], primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, Any]:
    """`(f(*primals), tangent)`: the value, and its derivative in the direction of `tangents`.

    primals, tangents: tuples of equal structure and shapes, of numbers, arrays or Tensors, possibly nested. Both
    results have the structure of what `f` returns. Without a Tensor among the arguments the results are NumPy arrays,
    unless a Tensor that `f` uses requires a gradient: then, as where a primal or tangent does, they are Tensors with a
    graph (not under `zen.no_grad()`). A result of integer or bool dtype has a tangent of zeros. Where `f` returns a
    view of a Tensor among the primals, so is the value, and the tangent one of that Tensor's tangent.

    The cost is that of `f`, recorded, and one more pass, however large the result is. Nests with itself and with the
    other transforms.

    >>> import numpy as np, zen
    >>> y, dy = zen.jvp(lambda x: x * x, (np.array([1.0, 2.0]),), (np.array([1.0, 0.5]),))
    >>> y.tolist(), dy.tolist()
    ([1.0, 4.0], [2.0, 2.0])
    """
    if not (isinstance(primals, (tuple, list)) and isinstance(tangents, (tuple, list))):
        name, given = ("tangents", tangents) if isinstance(primals, (tuple, list)) else ("primals", primals)
        raise TypeError(f"jvp: {name} is a tuple with an entry for each argument, not {type(given).__name__}")
    if ANYWHERE and running.levels:
        return WITHIN["jvp"](f, primals, tangents)  # type: ignore[no-any-return]
    variables = Variables("jvp", primals, None)
    directions = variables.directions(tangents)
    if directions is not None:
        out = variables.call(f, {})
        try:
            made = variables.pushed(out, directions, ARRAYS)
        except Undetermined:
            made = None
        if made is not None:
            return made
    else:
        directions = directions_of("jvp", primals, tangents, variables.tensors)
        out = variables.call(f, {})
    took_tensors, linked = variables.took_tensors, False
    for t in directions:
        if isinstance(t, Tensor):
            took_tensors, linked = True, linked or (variables.recording and t.requires_grad)
    outputs = results("jvp", out)
    connected = linked or variables.connected(outputs)
    if connected:
        directions = [TENSORS.fit(d, t.node) for d, t in zip(directions, variables.tensors, strict=True)]
        pushed = push_through(outputs, variables.tensors, directions, TENSORS)
        pushed = [owned(variables, t, p) for t, p in zip(outputs, pushed, strict=True)]
    else:
        pushed = push_through(outputs, variables.tensors, directions, ARRAYS)
        for k, p in enumerate(pushed):
            p = zero_tangent(outputs[k]) if p is None else p
            pushed[k] = backend.wrap(p) if took_tensors else p
    return variables.settled(out, connected, not took_tensors), trees.rebuild(out, pushed)


def push_through(outputs: list[Tensor], variables: list[Tensor], directions: list[Any], rule: Rule) -> list[Any]:
    """The tangents of `outputs`; None for one that depends on no variable."""
    try:
        return backend.push(outputs, variables, directions, rule, rule.recorded)
    except Undetermined:
        pass
    try:
        return _transposed(outputs, variables, directions, rule.recorded)
    except TooHigh:
        raise
    except np.linalg.LinAlgError:  # they do depend on the choice
        found: list[Any] = with_setting("nan", True, backend.push, outputs, variables, directions, rule, rule.recorded)
        return found


def _transposed(outputs: list[Tensor], variables: list[Tensor], directions: list[Any], recorded: bool) -> list[Any]:
    """The tangents, by way of the gradients, which are linear in the cotangents.

    These have some value, of which nothing is left, so that gradients that do not exist raise.
    """
    ways = [(t, d) for t, d in zip(variables, directions, strict=True) if t.node is not None]
    roots = [t for t in outputs if t.requires_grad]
    found: list[Any] = [None] * len(roots)
    dummies = [backend.leaf(_generic(t), True) for t in roots]
    for dummy in dummies:
        dummy.node.closed = True  # type: ignore[union-attr]
    made = None
    if roots:
        wanted = [t for t, _ in ways]
        made = with_setting("eager", recorded, backend.run, roots, dummies, wanted, True, True, hooks=False)
    moving = [(g, d) for g, (_, d) in zip(made or (), ways, strict=False) if g is not None and g.requires_grad]
    if moving:
        seeds = [d if recorded or not isinstance(d, Tensor) else d._array for _, d in moving]
        found = backend.run([g for g, _ in moving], seeds, dummies, True, recorded) or []
    tangents = iter([t if t is None or recorded else t._array for t in found])
    return [next(tangents) if t.requires_grad else None for t in outputs]


def _generic(t: Tensor) -> np.ndarray:
    """An array like t of which no two elements are alike."""
    place = np.arange(1.0, t.size + 1).reshape(t.shape)
    return np.asarray(np.cos(place) + 1j * np.sin(2 * place) if t.dtype in COMPLEX else np.cos(place), t.dtype)


def zero_tangent(t: Tensor) -> np.ndarray:
    return np.zeros(t.shape, floating(t.dtype))


def owned(variables: Variables, t: Tensor, tangent: Tensor | None) -> Any:
    """The tangent of a result, with its graph: a Tensor of its own, even where two results have the same."""
    if tangent is None:
        return backend.wrap(zero_tangent(t))
    return variables.settle(backend.call_recording(True, register.tensors.positive, tangent), True, False)


def directions_of(name: str, primals: Sequence[Any], tangents: Sequence[Any], variables: list[Tensor]) -> list[Any]:
    """The tangents of the variables, checked: Tensors or arrays."""
    if len(primals) != len(tangents):
        raise ValueError(f"{name}: {len(tangents)} tangents for {len(primals)} primals")
    found = trees.matched(primals, tangents)
    if found is None:
        raise ValueError(f"{name}: the tangents do not have the structure of the primals")
    for k, value in enumerate(found):
        shape = value.shape if isinstance(value, (Tensor, np.ndarray)) else np.shape(value)
        if shape != variables[k].shape:
            path = [path for path, _ in trees.leaves(tuple(primals), "tangents")][k]
            raise ValueError(f"{name}: {path} has shape {shape}; expected {variables[k].shape}, as its primal")
        if not (isinstance(value, Tensor) or (type(value) is np.ndarray and value.dtype in KERNELS)):
            value = found[k] = convert(value)
        check_cotangent(name, f"tangent {k}", variables[k], value)
    return found


class Rule:
    """The tangent of one node's value. `recorded`: tangents are Tensors, and what is done to them is recorded."""

    def __init__(self, recorded: bool) -> None:
        self.recorded = recorded
        self.f: Any = register.tensors if recorded else register.arrays

    def __call__(self, node: Any, moving: dict[int, Any]) -> Any:
        """From the tangents of its inputs by position, with the shape and dtype of the value; None for zero.

        For a call with several results, a tuple of these.
        """
        row, saved, total = node.row, node.saved, None
        if row.elementwise:
            moving, total = {}, self.elementwise(node, saved, moving)
        if moving and row.tangents and row.joint:
            total = None if self.recorded else self.jointly(node, saved, moving)
            moving = moving if total is None else {}
        elif moving and row.tangents:
            moving, total = self.ruled(node, saved, moving)
        if moving and row.linear:
            by = self.linear_variadic if row.variadic else self.together if row.together else self.linear
            moving, part = by(node, saved, moving)
            total = self.add(total, part)
        if moving and row.composition is not None:
            moving, total = {}, self.composed(node, saved, moving)
        if moving:
            total = self.add(total, backend.call_recording(True, self.transposed, node, saved, moving))
        if row.several and total is not None:
            results = zip(total, self.outputs(node, saved), strict=True)
            return tuple([None if part is None else self.fit(part, like) for part, like in results])
        return None if total is None else self.fit(total, node)

    def elementwise(self, node: Any, saved: tuple[Any, ...], moving: dict[int, Any]) -> Any:
        values = self.revived(node, saved)
        total = None
        for k, tangent in moving.items():
            if tangent.shape != node.shape:
                tangent = self.broadcast(tangent, node.shape)
            total = self.add(total, node.row.vjps[k](self.f, tangent, *values, *node.params))
        return total

    def jointly(self, node: Any, saved: tuple[Any, ...], moving: dict[int, Any]) -> Any:
        """By the function that a row with a vjp in one function has for arrays; None where that leaves it to others."""
        found = node.row.tangents[0](moving, saved, *node.params)
        return None if found is NotImplemented else found

    # Each of the next three returns (what is left to be moved, the tangent from the other arguments).

    def ruled(self, node: Any, saved: tuple[Any, ...], moving: dict[int, Any]) -> Any:
        """By the row's own formulas."""
        values = self.revived(node, saved)
        left, total = {}, None
        for k, tangent in moving.items():
            rule = node.row.tangents[0 if node.row.variadic else k]
            if rule is None:
                left[k] = tangent
                continue
            place = (k,) if node.row.variadic else ()
            total = self.add(total, rule(self.f, tangent, *place, *values, *node.params))
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

    def together(self, node: Any, saved: tuple[Any, ...], moving: dict[int, Any]) -> Any:
        """By the row itself, for all arguments at once: the first is like the result, the others broadcast."""
        inputs = []
        for k in range(len(node.inputs)):
            inputs.append(moving[k] if k in moving else self.still(() if k else node.shape, node.dtype))
        return {}, self.apply(node, tuple(inputs))

    def linear_variadic(self, node: Any, saved: tuple[Any, ...], moving: dict[int, Any]) -> Any:
        """As `linear`, for a row that is linear in all of its arguments together: the others' tangents are zero."""
        inputs = []
        for k, (below, x) in enumerate(zip(node.inputs, saved[0], strict=True)):
            like = x if below is None else below
            if k not in moving and like is None:  # a constant of which not even the shape was saved
                return moving, None
            inputs.append(moving[k] if k in moving else self.still(np.shape(like), node.dtype))
        return {}, self.apply(node, tuple(inputs))

    def apply(self, node: Any, inputs: tuple[Any, ...]) -> Any:
        if self.recorded:
            return backend.apply(node.row, inputs, node.params)
        return node.row.forward(*inputs, *node.params)

    def composed(self, node: Any, saved: tuple[Any, ...], moving: dict[int, Any]) -> Any:
        """By the rows that it is made of, run anew."""
        args, variables = list(self.revived(node, saved, tensors=True)[: len(node.inputs)]), []
        for k in moving:
            own: Any = register.tensors.positive(args[k]) if self.recorded else None
            if own is None or own.node is None:
                own = leaf_of(args[k])
                own.node.closed = True
            args[k] = own
            variables.append(own)
        out = backend.call_recording(True, node.row.composition, *args, *node.params)
        made = backend.push(
            list(out) if node.row.several else [out], variables, list(moving.values()), self, self.recorded
        )
        return tuple(made) if node.row.several else made[0]

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
            if type(pulled) is Batched:
                raise Unbatched(f"the derivative of {node.row.name!r} is of one example")
            if not isinstance(pulled, Tensor) or not pulled.requires_grad:
                continue  # does not depend on the cotangent: zero
            shape = node.inputs[k].shape
            if pulled.ndim == 0 and shape:
                pulled = register.tensors.broadcast_to(pulled, shape)
            tangent = moving[k]
            if tangent.dtype in COMPLEX and pulled.dtype not in COMPLEX:
                tangent = self.f.real(tangent)
            # A vjp's result is summed over the axes that were broadcast; the transpose of that is broadcasting.
            seeds.append(tangent if pulled.shape == shape else self.broadcast(tangent, pulled.shape))
            roots.append(pulled)
        wanted = [d for d in dummies if d is not None]
        found = iter(self.run(roots, seeds, wanted) if roots else [None] * len(wanted))
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

    def run(self, roots: list[Any], seeds: list[Any], wanted: list[Any]) -> list[Any]:
        """A backward pass from the vjps to their dummy cotangents."""
        return backend.run(roots, seeds, wanted, True, self.recorded) or []

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
            if value.dtype in COMPLEX and node.dtype not in COMPLEX:
                value = register.tensors.real(value)
            return value if value.dtype == node.dtype else register.tensors.astype(value, node.dtype)
        if type(value) is np.ndarray and value.dtype == node.dtype and value.shape == node.shape:
            return value
        value = np.asarray(value._array if isinstance(value, Tensor) else value)
        value = value if value.shape == node.shape else np.broadcast_to(value, node.shape)
        if value.dtype in COMPLEX and node.dtype not in COMPLEX:
            value = value.real
        return value.astype(node.dtype, copy=False)

    def broadcast(self, value: Any, shape: tuple[int, ...]) -> Any:
        return register.tensors.broadcast_to(value, shape) if self.recorded else np.broadcast_to(value, shape)

    def zeros(self, shape: tuple[int, ...], dtype: Any) -> Any:
        zeros = np.zeros(shape, dtype)
        return backend.wrap(zeros) if self.recorded else zeros

    def still(self, shape: tuple[int, ...], dtype: Any) -> Any:
        """The tangent of an argument that does not move; of arrays, one zero that is seen everywhere."""
        return self.zeros(shape, dtype) if self.recorded else np.broadcast_to(self.zeros((), dtype), shape)

    def add(self, first: Any, second: Any) -> Any:
        if first is None or second is None:
            return second if first is None else first
        if isinstance(first, tuple):
            return tuple([self.add(a, b) for a, b in zip(first, second, strict=True)])
        if self.recorded or not isinstance(first, np.ndarray) or not isinstance(second, np.ndarray):
            return first + second
        if first.size < second.size:
            first, second = second, first
        if first.dtype != second.dtype or first.size < _LARGE or not _reaches(second.shape, first.shape):
            return first + second
        return np.add(first, second, out=backend.kernels.memory.empty(first.shape, first.dtype))


def _reaches(shape: tuple[int, ...], full: tuple[int, ...]) -> bool:
    """Whether `shape` broadcasts to `full`."""
    if shape == full:
        return True
    pairs = zip(reversed(shape), reversed(full), strict=False)
    return len(shape) <= len(full) and all([n in (1, m) for n, m in pairs])


ARRAYS, TENSORS = Rule(False), Rule(True)
