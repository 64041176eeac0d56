"""The arguments a transform differentiates by, as Tensors, and whether its result is itself differentiable.

Each call makes new Tensors of its arguments. The variable for a Tensor that is itself being differentiated is an
identity operation on that Tensor, so what is computed from it stays part of the outer graph; any other is a leaf, which
is closed when the function has run.

A derivative is *connected* if somebody may still differentiate it: an argument requires a gradient, or what the
function computed came from another leaf that does and is not closed. Such leaves are parameters, and the variables of
the surrounding transforms. Only then is it computed by a pass that is recorded, and only then are results Tensors with
a graph. The arguments alone cannot tell, as in `grad(lambda x: w * x)(2.0)`, so the graph is searched.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .. import backend, trees
from ..backend import Tensor
from ..conversion import convert
from ..ops.register import ROWS


class Variables:
    """The differentiated arguments of one call, as Tensors. `name` is the transform's, for messages."""

    def __init__(self, name: str, args: Sequence[Any], where: Sequence[int]) -> None:
        self.recording = backend.grad_enabled()
        self.oldest = backend.next_seq()
        self.took_tensors = self.linked = False
        self.tensors: list[Tensor] = []
        self.leaves: list[Any] = []  # nodes
        self.args = list(args)
        for k in where:
            if type(args[k]) is np.ndarray or isinstance(args[k], Tensor):
                self.args[k] = self._make(name, k, 0, args[k])
            else:
                made = [self._make(name, k, i, value) for i, value in enumerate(trees.values(args[k]))]
                self.args[k] = trees.rebuild(args[k], made)

    def _make(self, name: str, k: int, i: int, value: Any) -> Tensor:
        """The variable for the leaf i of argument k."""
        if isinstance(value, Tensor):
            if value.dtype.kind != "f":
                raise TypeError(
                    f"{name}: {self._path(k, i)} has dtype {value.dtype}, which has no gradients; make it float64"
                )
            self.took_tensors = True
            if self.recording and value.requires_grad:
                self.linked = True
                made = backend.apply(ROWS["positive"], (value,))
                # A Tensor of its own: writes of the function to the one that it gets would move that to another node.
                self.tensors.append(backend.wrap(made._array, made.node))
                return made
            array = value.detach()._array
        elif isinstance(value, (np.ndarray, np.generic, int, float)):
            array = convert(value)
            if array is value:  # a copy: NumPy tells nobody if it is written to while a pullback is kept
                array = array.copy()
            if array.dtype.kind == "b":
                raise TypeError(f"{name}: {self._path(k, i)} has dtype bool, which has no gradients; make it float64")
            if array.dtype.kind in "iu":
                array = array.astype(np.float64)
        else:
            raise TypeError(
                f"{name}: {self._path(k, i)} is {type(value).__name__}, which cannot be differentiated; expected "
                "numbers, arrays or Tensors in lists, tuples and dicts (choose other arguments with argnums)"
            )
        made = backend.leaf(array, True)
        self.tensors.append(made)
        self.leaves.append(made.node)
        return made

    def _path(self, k: int, i: int) -> str:
        return [path for path, _ in trees.leaves(self.args[k], f"argument {k}")][i]

    def call(self, f: Callable[..., Any], keywords: dict[str, Any]) -> Any:
        """What the function returns for the variables, recorded."""
        try:
            return backend.call_recording(True, f, *self.args, **keywords)
        finally:
            for node in self.leaves:
                node.closed = True

    def connected(self, outputs: list[Tensor]) -> bool:
        """Whether derivatives of `outputs` by these variables may be differentiated by others. Ask after the call."""
        if not self.recording or self.linked:
            return self.linked
        return backend.reaches_open_leaf(outputs, self.oldest)

    def settle(self, t: Tensor, connected: bool, as_array: bool) -> Any:
        """A result as the caller gets it: with its graph if that leads to others, else as an array or a Tensor."""
        if connected:
            return t if backend.reaches_open_leaf([t], self.oldest) else t.detach()
        return t._array.copy() if as_array else t.detach()

    def settled(self, tree: Any, connected: bool, as_array: bool) -> Any:
        """`settle` for the Tensors in a tree; other leaves stay as they are."""
        if isinstance(tree, Tensor):
            return self.settle(tree, connected, as_array)
        return trees.transform(lambda x: self.settle(x, connected, as_array) if isinstance(x, Tensor) else x, tree)


def results(name: str, tree: Any) -> list[Tensor]:
    """The leaves of what the function returned; TypeError if one is not a Tensor."""
    if isinstance(tree, Tensor):
        return [tree]
    found = []
    for path, value in [("", None)] if tree is None else trees.leaves(tree):
        if not isinstance(value, Tensor):
            place = f" at {path}" if path else ""
            raise TypeError(
                f"{name}: the function returned {type(value).__name__}{place}, not a Tensor, so its derivative is "
                "lost; compute it with operations on Tensors (float(), item(), math.* and .numpy() leave the graph)"
            )
        found.append(value)
    return found
