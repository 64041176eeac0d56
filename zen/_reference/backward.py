"""The backward pass: order, traverse, accumulate, release. Called by `Tensor.backward` and by `zen/transforms`.

Nodes wait for their turn in a heap by falling sequence number. A node's consumers all have higher numbers, so when a
node comes up its gradient is complete. All state of a pass lives in its `_Pass`, none on the nodes: passes may nest
(a hook may start one) and run in several threads over the same graph. Gradients of leaves are committed when the
pass has come to its end, so a pass that fails changes none of them.

With `create_graph` the same traversal carries Tensors instead of arrays: the formulas then record what they do.
"""

from __future__ import annotations

import heapq
import threading
from typing import Any

import numpy as np

from ..dtypes import COMPLEX
from .broadcast import conform, conform_tensor
from .demands import must_record
from .guard import is_spoilt
from .node import Node
from .recording import apply
from .revival import revived
from .state import Installed, Writes, call_recording, tracer
from .tensor import Tensor, attach, wrap

_commit_lock = threading.RLock()


def run(
    roots: list[Tensor],
    seeds: list[Any],
    inputs: list[Tensor] | list[Node] | None = None,
    retain_graph: bool = False,
    create_graph: bool = False,
    hooks: bool = True,
) -> list[Any] | None:
    """Propagate `seeds` (arrays, Tensors, or None for ones) from `roots` backwards.

    With `inputs`, return their gradients (None where unreached) and touch no `.grad`; else accumulate into the leaves'
    and retained nodes' gradients. With `create_graph` the gradients are Tensors with a graph. A Node among `inputs`
    gets its gradient as an array, or as a number if it is 0-d; not with `create_graph`, which alone can do without
    `hooks`. Shapes were checked by the caller.
    """
    nodes = [_node(t) for t in roots]
    targets = None if inputs is None else [_node(x) for x in inputs]
    recorded = create_graph or tracer() is not None or must_record(nodes, targets)
    work = _Pass(nodes, targets, retain_graph, recorded, create_graph)
    work.hooked = hooks
    call_recording(recorded, work.run, nodes, seeds)
    return None if inputs is None else [work.result(x) for x in inputs]


def _node(x: Tensor | Node) -> Node:
    node = x.node if isinstance(x, Tensor) else x
    if node is None:
        raise RuntimeError("backward: a Tensor that does not require a gradient takes part in the pass")
    return node


class _Pass:
    """The state of one pass. recorded: it carries Tensors. linked: these are what it gives, with their graphs."""

    def __init__(
        self, roots: list[Node], targets: list[Node] | None, retain: bool, recorded: bool, linked: bool
    ) -> None:
        self.retain = retain
        self.recorded, self.linked, self.hooked = recorded, linked, True
        self.heap: list[int] = []
        self.waiting: dict[int, Node] = {}
        self.gradients: dict[Node, Any] = {}
        self.owned: set[Node] = set()  # nodes whose gradient nobody else holds: it may be written to
        self.wanted: dict[Node, Any] | None = None if targets is None else dict.fromkeys(targets)
        self.needed = None if self.wanted is None else _leading_to(roots, self.wanted)
        self.finished: list[tuple[Node, Any, bool]] = []
        self.passed: list[Node] = []

    def needs(self, node: Node | None) -> bool:
        return node is not None and (self.needed is None or node in self.needed)

    def run(self, roots: list[Node], seeds: list[Any]) -> None:
        for node, seed in zip(roots, seeds, strict=True):
            if self.needs(node):
                self.seed(node, seed)
        self.traverse()
        for node in [] if self.retain else self.passed:
            node.release()
        if self.wanted is None:
            self.commit()

    # Gradients on their way

    def seed(self, node: Node, value: Any) -> None:
        if value is None:
            value = np.ones(node.shape, node.dtype)
        elif self.recorded and isinstance(value, np.ndarray):
            value = value.copy()  # nobody tells of a write to the user's array, which the pass may save
        with np.errstate(all="ignore"):
            self.give(node, self.conform(value, node, "backward"), False)

    def conform(self, value: Any, node: Node, name: str) -> Any:
        return (conform_tensor if self.recorded else conform)(value, node.shape, node.dtype, name)

    def give(self, node: Node, value: Any, owned: bool) -> None:
        """Add `value`, of the node's shape and dtype, to the node's gradient."""
        held = self.gradients.get(node)
        if held is None:
            heapq.heappush(self.heap, -node.seq)
            self.waiting[node.seq] = node
        elif self.recorded:
            value = apply(Installed.operators["add"], (held, value))
        elif node in self.owned:
            value, owned = np.add(held, value, out=held), True
        else:
            value, owned = np.asarray(np.add(held, value)), True
        self.gradients[node] = value
        if owned:
            self.owned.add(node)

    # The traversal

    def traverse(self) -> None:
        while self.heap:
            node = self.waiting.pop(-heapq.heappop(self.heap))
            gradient = self.gradients.pop(node)
            owned = node in self.owned
            self.owned.discard(node)
            if node.hooks and self.hooked:
                gradient, owned = self.run_hooks(node, gradient), True
            if self.wanted is not None:
                if node in self.wanted:
                    self.wanted[node] = gradient
            elif node.row is None or node.retains_grad:
                self.finished.append((node, self.conjugated(gradient), owned and gradient.dtype not in COMPLEX))
            if node.row is not None:
                self.differentiate(node, gradient)

    def run_hooks(self, node: Node, gradient: Any) -> Any:
        t = gradient if self.recorded else wrap(gradient.copy())
        t = self.conjugated(t)
        for hook in tuple((node.hooks or {}).values()):
            replaced = hook(t)
            if replaced is None:
                continue
            if not isinstance(replaced, Tensor):
                replaced = wrap(Installed.convert(replaced))
            if replaced.shape != node.shape:
                raise ValueError(f"a hook gave a gradient of shape {replaced.shape}; expected {node.shape}")
            if replaced.dtype in COMPLEX and node.dtype not in COMPLEX:
                raise TypeError(
                    f"a hook gave a complex gradient for a Tensor of dtype {node.dtype}; take its real part"
                )
            t = conform_tensor(replaced, node.shape, node.dtype, "hook")
        t = self.conjugated(t)
        return t if self.recorded else t._data.copy()

    def conjugated(self, gradient: Any) -> Any:
        """Between what a pass carries, cotangents that are not conjugated, and what users see: directions of ascent."""
        if gradient.dtype not in COMPLEX:
            return gradient
        if isinstance(gradient, Tensor):
            return Installed.tensors.conj(gradient) if self.recorded else wrap(np.conj(gradient._data))
        return np.asarray(np.conj(gradient))

    def differentiate(self, node: Node, gradient: Any) -> None:
        """Hand the gradient of `node` on to its inputs."""
        saved, inputs, params = node.saved, node.inputs, node.params
        if node.released:  # asked after reading: another thread may release the node at any moment
            _raise_released(node)
        if not any([self.needs(n) for n in inputs]):
            return
        row = node.row
        assert row is not None
        if row.is_output:
            self.give_output(inputs[0], params[0], params[1], gradient)
            self.leave(node)
            return
        verify_saved(node, saved)
        with np.errstate(all="ignore"):
            self.give_vjps(node, saved, inputs, params, gradient)
        if not (row.several and row.view):  # parts of an array can be used one after the other
            self.leave(node)

    def leave(self, node: Node) -> None:
        """Let go of what a node saved. A pass that records itself may still be asked for cotangents through it."""
        if self.recorded:
            self.passed.append(node)
        elif not self.retain:
            node.release()

    def give_vjps(
        self, node: Node, saved: tuple[Any, ...], inputs: tuple[Node | None, ...], params: Any, gradient: Any
    ) -> None:
        for k, value in self.vjps(node, saved, inputs, params, gradient):
            receiver = inputs[k]
            if receiver is not None and value is not None:
                made = self.conform(value, receiver, node.name)
                self.give(receiver, made, not self.recorded and self.is_fresh(node, made, gradient, saved))

    def give_output(self, call: Any, k: int, count: int, value: Any) -> None:
        """Add `value` to the cotangent of result k of `call`, a node whose gradient is a list of these."""
        held = self.gradients.get(call)
        if held is None:
            heapq.heappush(self.heap, -call.seq)
            self.waiting[call.seq] = call
            held = self.gradients[call] = [None] * count
        if held[k] is None:
            held[k] = value
        elif self.recorded:
            held[k] = apply(Installed.operators["add"], (held[k], value))
        else:
            held[k] = np.asarray(np.add(held[k], value))

    def vjps(self, node: Node, saved: Any, inputs: tuple[Node | None, ...], params: Any, gradient: Any) -> Any:
        """(position, gradient) for each input that needs one."""
        row = node.row
        assert row is not None
        f = Installed.tensors if self.recorded else Installed.arrays
        values = revived(node, saved, inputs=inputs) if self.recorded else saved
        needed = [k for k, n in enumerate(inputs) if self.needs(n)]
        if row.several:
            gradient = tuple(gradient)
        if row.joint:
            count, wanted = len(inputs), tuple([self.needs(n) for n in inputs])
            found = row.vjps[0](f, gradient, values[:count], values[count:], wanted, *params)  # type: ignore[misc]
            yield from self.check_joint(node, inputs, found, needed)
            return
        for k in needed:
            vjp = row.vjps[0 if row.variadic else k]
            assert vjp is not None
            yield k, vjp(f, gradient, *((k,) if row.variadic else ()), *values, *params)

    def check_joint(self, node: Node, inputs: tuple[Node | None, ...], found: Any, needed: list[int]) -> Any:
        """The gradients of a custom operation, whose number and shapes are the user's."""
        if not isinstance(found, (tuple, list)):
            found = (found,)
        if len(found) != len(inputs):
            raise ValueError(f"{node.name}: the vjp returned {len(found)} gradients for {len(inputs)} arguments")
        for k in needed:
            expected = inputs[k].shape  # type: ignore[union-attr]
            if found[k] is not None and np.shape(found[k]) != expected:
                raise ValueError(
                    f"{node.name}: the vjp returned a gradient of shape {np.shape(found[k])} for argument {k + 1}, "
                    f"whose shape is {expected}"
                )
            yield k, found[k]

    def is_fresh(self, node: Node, made: np.ndarray, gradient: Any, saved: tuple[Any, ...]) -> bool:
        """Whether nobody but the pass holds the array `made`, as far as can be told without asking NumPy."""
        row = node.row
        if made.base is not None or made is gradient or row is None or row.joint:
            return False
        held = saved[0] if row.variadic else saved
        if row.several and any([made is x for x in gradient]):
            return False
        return not any([made is x for x in held]) and made is not saved[-1]

    # The end

    def result(self, x: Tensor | Node) -> Any:
        assert self.wanted is not None
        found = self.wanted[_node(x)]
        if found is None or self.linked or tracer() is not None:
            return found
        found = found._data if self.recorded else found
        if isinstance(x, Tensor):
            return wrap(found.copy())
        return found.copy() if found.ndim else found.item()

    def commit(self) -> None:
        """Store the gradients. All are made before the first is stored: an error here changes nothing.

        Passes take turns. Whatever else replaces a gradient meanwhile (`zero_grad`, an assignment) is seen, and the sum
        made anew.
        """
        with _commit_lock, np.errstate(all="ignore"):
            self.store()

    def store(self) -> None:
        ready = [(*entry, old := entry[0].grad, self.total(entry[0], old, *entry[1:])) for entry in self.finished]
        for node, value, owned, old, made in ready:
            while node.grad is not old:  # from a False to the assignment nothing is called: no thread comes between
                old = node.grad
                made = self.total(node, old, value, owned)
            node.grad = made

    def total(self, node: Node, old: Tensor | None, value: Any, owned: bool) -> Tensor:
        """What a leaf holds once `value` has been added to `old`."""
        own = tracer()
        if own is not None and not self.linked:
            return own.total(node, old, value)  # type: ignore[no-any-return]
        if self.recorded and not self.linked:
            value, owned = value._data, False
        if self.linked:
            # A node of its own for each leaf, even where two got the same Tensor.
            name, operands = ("positive", (value,)) if old is None else ("add", (old, value))
            return apply(Installed.operators[name], operands)  # type: ignore[no-any-return]
        if old is None:
            return wrap(value if owned else value.copy())
        return wrap(np.asarray(np.add(old._data, value)))


def _leading_to(roots: list[Node], wanted: dict[Node, Any]) -> set[Node]:
    """The nodes under `roots` from which a wanted one can be reached, these included."""
    oldest = min([n.seq for n in wanted], default=0)
    seen: dict[Node, tuple[Node | None, ...]] = {}  # with their inputs
    stack = list(roots)
    while stack:
        node = stack.pop()
        if node.seq >= oldest and node not in seen:
            inputs = seen[node] = node.inputs
            if node.released and node not in wanted:  # asked after reading, as in `differentiate`
                _raise_released(node)
            stack.extend([n for n in inputs if n is not None and n not in seen])
    found: set[Node] = set()
    for node in sorted(seen, key=lambda n: n.seq):
        if node in wanted or any([n in found for n in seen[node]]):
            found.add(node)
    return found


def _raise_released(node: Node) -> None:
    raise RuntimeError(
        f"the graph of {node.name!r} was released by an earlier backward pass; "
        "give that pass retain_graph=True to run another one through it"
    )


def verify_saved(node: Node, saved: tuple[Any, ...] | None = None) -> None:
    """Raise if what `node` saved was overwritten since."""
    saved = node.saved if saved is None else saved
    if Writes.last > node.seq:
        _check_saved(node, saved)
    _check_outside(node, (saved, node.params))


def _check_saved(node: Node, saved: tuple[Any, ...]) -> None:
    """Raise if an array that `node` saved was overwritten since."""
    if Installed.overwritten is None:
        return
    for entry in saved:
        for x in entry if type(entry) is tuple else (entry,):
            if isinstance(x, np.ndarray):
                writer = Installed.overwritten(x, node.seq)
                if writer is not None:
                    raise RuntimeError(
                        f"a value of shape {x.shape} that {node.name!r} saved for its gradient was overwritten in "
                        f"place by {writer!r}; write to a copy (clone()) instead"
                    )


def _check_outside(node: Node, values: tuple[Any, ...]) -> None:
    """Raise if somebody outside wrote to an array that `node` saved."""
    for x in values:
        if type(x) is tuple:
            _check_outside(node, x)
        elif is_spoilt(x, node.seq):
            raise RuntimeError(
                f"{node.name}: an array of shape {x.shape} that it saved for its gradient was overwritten by NumPy; "
                "pass a copy of the array, or run backward() before the array is written to"
            )


def backward(self: Tensor, gradient: Any = None, retain_graph: bool | None = None, create_graph: bool = False) -> None:
    """Accumulate the gradient of this Tensor into `.grad` of the leaves it depends on.

    gradient: the cotangent, of this Tensor's shape; may be left out for a Tensor of one element.
    retain_graph: keep the graph for another pass (default: create_graph).
    create_graph: record the pass itself, so that the gradients can be differentiated.

    Threads may run passes over the same leaves and graphs at a time; every gradient is added whole. Clearing a gradient
    meanwhile takes away what has been added until then.

    Raises RuntimeError where nothing requires a gradient, where the graph was released, and for a Tensor of several
    elements without `gradient`; ValueError for a `gradient` of another shape.
    """
    if self.node is None:
        raise RuntimeError(
            "backward: this Tensor does not require a gradient and has no graph; create its inputs with "
            "requires_grad=True, or check that it was not computed under zen.no_grad() or after detach()"
        )
    if gradient is None:
        if self.size != 1:
            raise RuntimeError(
                f"backward: a Tensor of shape {self.shape} is not a scalar; reduce it first, for example with .sum(), "
                "or give the cotangent: backward(gradient=zen.ones_like(t))"
            )
        if self.dtype in COMPLEX:
            raise RuntimeError(
                f"backward: this Tensor is of dtype {self.dtype}, and a gradient is of a real number; take its real "
                "part or abs(), or give the cotangent: backward(gradient=...)"
            )
    else:
        if np.shape(gradient) != self.shape:
            raise ValueError(f"backward: gradient has shape {np.shape(gradient)}; expected {self.shape}")
        if not isinstance(gradient, Tensor):
            gradient = Installed.convert(gradient)
        if gradient.dtype in COMPLEX and self.dtype not in COMPLEX:
            raise TypeError(
                f"backward: the gradient is complex, but this Tensor is of dtype {self.dtype}; take its real part"
            )
        if gradient.dtype in COMPLEX:
            gradient = call_recording(create_graph, Installed.tensors.conj, gradient)
    run([self], [gradient], None, create_graph if retain_graph is None else retain_graph, create_graph)


attach("backward", backward)
