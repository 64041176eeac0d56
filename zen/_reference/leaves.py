"""Trees of arguments, and the leaves that stand for them in a transform: see zen/trees.py and zen/transforms."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from .backward import run
from .state import call_recording, grad_enabled, next_seq, tracer
from .tensor import Tensor, leaf, traced_as, wrap


def rebuild(tree: Any, values: Iterable[Any]) -> Any:
    """The tree with its leaves replaced, in order, by `values`."""
    rest = iter(values)
    return transform(lambda _: next(rest), tree)


def transform(function: Callable[[Any], Any], tree: Any) -> Any:
    """The tree with every leaf replaced by `function` of it."""
    if tree is None:
        return None
    if isinstance(tree, dict):
        made = copy.copy(tree)  # keeps what a subclass of dict carries, such as a default factory
        for key, part in tree.items():
            made[key] = transform(function, part)
        return made
    if not isinstance(tree, (list, tuple)):
        return function(tree)
    parts = [transform(function, part) for part in tree]
    if hasattr(tree, "_fields"):
        return type(tree)(*parts)
    return tuple(parts) if isinstance(tree, tuple) else parts


def matched(first: Any, second: Any) -> list[Any] | None:
    """The leaves of `second` in the order of those of `first`; None where the trees differ in more than leaves."""
    if not isinstance(first, (dict, list, tuple)) or not isinstance(second, (dict, list, tuple)):
        if isinstance(first, (dict, list, tuple)) != isinstance(second, (dict, list, tuple)):
            return None
        return None if (first is None) != (second is None) else [] if second is None else [second]
    if isinstance(first, dict) != isinstance(second, dict) or len(first) != len(second):
        return None
    if isinstance(first, dict) and isinstance(second, dict) and first.keys() != second.keys():
        return None
    found: list[Any] = []
    for key in first if isinstance(first, dict) else range(len(first)):
        part = matched(first[key], second[key])
        if part is None:
            return None
        found += part
    return found


def reaches_open_leaf(outputs: list[Tensor], oldest: int) -> bool:
    """Whether derivatives of `outputs` may be differentiated by others than the transform that asks.

    That is, whether they came from a leaf that is not closed. What was recorded before `oldest`, the first of the
    transform's own variables, belongs to others.
    """
    pending = [t.node for t in outputs if t.node is not None]
    seen = set(pending)
    while pending:
        node = pending.pop()
        if node.row is None:
            if not node.closed:
                return True
        elif node.seq < oldest or node.released:
            return True
        for below in node.inputs:
            if below is not None and below not in seen:
                seen.add(below)
                pending.append(below)
    return False


class Leaves:
    """The Tensors that stand for the differentiated arguments of one call of a function.

    name: of the transform, for messages. args: all positional arguments; in those at the positions `where`, or in all
    of them where that is None, every leaf is replaced. A subclass has `variable(value)`, which makes what stands for a
    value.
    """

    def __init__(self, name: str, args: Sequence[Any], where: Sequence[int] | None) -> None:
        self.name = name
        self.args = list(args)
        self.tensors: list[Tensor] = []
        self._nodes: list[Any] = []
        self.recording, self.oldest = grad_enabled(), next_seq()
        self.linked = self.took_tensors = False
        for self.position in range(len(args)) if where is None else where:
            self.args[self.position] = transform(self.variable, args[self.position])

    def variable(self, value: Any) -> Tensor:
        raise NotImplementedError(f"{type(self).__name__} does not define variable()")

    def leaf(self, array: np.ndarray) -> Tensor:
        """A new leaf around `array`, closed when the function has run."""
        made = leaf(array, True)
        assert made.node is not None
        made.node.variable = True
        self.tensors.append(made)
        self._nodes.append(made.node)
        return made

    def leaf_of(self, t: Tensor) -> Tensor:
        """A new leaf with the values of t, on its memory."""
        return traced_as(self.leaf(t._data), t)

    def call(self, function: Callable[..., Any], keywords: dict[str, Any]) -> Any:
        """What the function returns for the arguments, recorded."""
        try:
            return call_recording(True, function, *self.args, **keywords)
        finally:
            for node in self._nodes:
                node.closed, node.variable = True, False

    def directions(self, tangents: Sequence[Any]) -> list[Any] | None:
        """None: the caller looks closer at every tangent, and does all that follows."""
        return None

    def pushed(self, out: Any, directions: list[Any], rule: Any) -> tuple[Any, Any] | None:
        return None

    def differentiated(self, out: Any, tree: Any) -> tuple[Any, Any] | None:
        """None: the caller does it."""
        return None

    def pulled(self, out: Any, cotangent: Any, primals: tuple[Any, ...]) -> tuple[Any, ...] | None:
        """None: the caller does it."""
        return None

    def connected(self, outputs: list[Tensor]) -> bool:
        """Whether derivatives of `outputs` by these variables may be differentiated by others. Ask after the call."""
        return self.linked or tracer() is not None or (self.recording and reaches_open_leaf(outputs, self.oldest))

    def settle(self, t: Tensor, connected: bool, as_array: bool) -> Any:
        """A result as the caller gets it: with its graph if that leads to others, else as an array or a Tensor."""
        if connected and tracer() is not None:
            return t if self.recording else t.detach()
        if connected and reaches_open_leaf([t], self.oldest):
            return t
        return t._data.copy() if as_array and not connected else t.detach()

    def pull(self, outputs: list[Tensor], seeds: list[Any], retain: bool, recorded: bool) -> list[Tensor]:
        """The gradients by the variables as Tensors, zero where the outputs do not depend on one."""
        live = [(t, s) for t, s in zip(outputs, seeds, strict=True) if t.requires_grad]
        found: list[Tensor | None] | None = [None] * len(self.tensors)
        if live and self.tensors:
            found = run([t for t, _ in live], [s for _, s in live], self.tensors, retain or recorded, recorded)
        assert found is not None
        return [wrap(np.zeros(t.shape, t.dtype)) if g is None else g for t, g in zip(self.tensors, found, strict=True)]

    def handed(self, gradients: list[Tensor], recorded: bool, as_array: bool) -> list[Any]:
        """The gradients as the caller gets them."""
        if recorded:
            return [self.settle(g, True, False) for g in gradients]
        return [g._data for g in gradients] if as_array else gradients
