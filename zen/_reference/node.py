"""Node: one recorded operation, or a leaf. Made by `recording.py` and by Tensor; walked by `backward.py`."""

from __future__ import annotations

import sys
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np

from .rows import Row
from .state import next_seq, note_recorded


class Node:
    """One recorded operation, or a leaf (`row` is None).

    A Node holds arrays, never the Tensors they came from, so an intermediate's data dies with its Tensor unless it
    was saved. `inputs` has a Node for each argument, None where the argument is constant. `saved` is
    (args..., y), or (xs, y) for a variadic row; each entry is an array, a scalar, a Shaped or None.

    `variable` is set on a leaf while it stands for an argument of a transform, and `closed` when that is over: nobody
    differentiates by it again.

    A long chain is freed from a list, one node after the other, and needs no C stack for it: the interpreter's own
    deallocation recurses, on some versions until a thread with a small stack has none left.
    """

    __slots__ = (
        "__weakref__", "_tensor", "closed", "dtype", "grad", "hooks", "inputs", "params", "released", "retains_grad",
        "row", "saved", "seq", "shape", "variable",
    )  # fmt: skip

    def __init__(
        self,
        row: Row | None,
        inputs: tuple[Node | None, ...],
        params: tuple[Any, ...],
        saved: tuple[Any, ...],
        shape: tuple[int, ...],
        dtype: np.dtype,
    ) -> None:
        self.row = row
        if row is not None:
            note_recorded()
        self.inputs = inputs
        self.params = params
        self.saved = saved
        self.shape = shape
        self.dtype = dtype
        self.seq = next_seq()
        self.released = False
        self.closed = self.variable = False
        self.grad: Any = None
        self.retains_grad = False
        self.hooks: dict[int, Callable[[Any], Any]] | None = None
        self._tensor: weakref.ref[Any] | None = None

    @property
    def tensor(self) -> Any:
        """The live Tensor of this node, if there is one."""
        return None if self._tensor is None else self._tensor()

    @property
    def name(self) -> str:
        return "leaf" if self.row is None else self.row.name

    def release(self) -> None:
        """After a pass: drop what was saved, and the graph below."""
        self.released = True
        self.saved = self.params = ()
        self.inputs = (None,) * len(self.inputs)

    def __del__(self, references: Callable[[Any], int] = sys.getrefcount) -> None:  # globals may be gone at exit
        pending, self.inputs = list(getattr(self, "inputs", ())), ()  # none where an interrupt came while it was made
        while pending:
            node = pending.pop()
            if node is not None and references(node) <= 2:  # this call's alone: its variable, and the argument
                pending += node.inputs
                node.inputs = ()

    def __repr__(self) -> str:
        return f"<zen node {self.name!r} shape={self.shape} dtype={self.dtype} seq={self.seq}>"


def leaf_node(array: np.ndarray) -> Node:
    return Node(None, (), (), (), array.shape, array.dtype)


class HookHandle:
    """What `register_hook` returns: `remove()` takes the hook off again."""

    __slots__ = ("_hooks", "_key")

    def __init__(self, node: Node, hook: Callable[[Any], Any]) -> None:
        hooks: dict[int, Callable[[Any], Any]] = {}
        if node.hooks is None:  # between this and the next line no other thread runs
            node.hooks = hooks
        self._hooks = node.hooks
        self._key = next_seq()
        self._hooks[self._key] = hook

    def remove(self) -> None:
        """Take the hook off; doing so twice is harmless."""
        self._hooks.pop(self._key, None)
