"""What the transforms differentiate with respect to: their arguments as fresh Tensors, and how these relate to others.

Transforms nest. Each call makes variables of its own for the arguments, so an inner and an outer derivative by the
same value are told apart. A variable for a Tensor that is itself being differentiated is an identity operation on
that Tensor, so what is computed from it stays part of the outer graph.

A derivative is *connected* if somebody may still differentiate it: an argument requires a gradient, or the function
used another Tensor that does. Only then is it computed by a pass that is recorded, and only then are results Tensors
with a graph. The arguments alone cannot tell, as in `grad(lambda x: grad(lambda y: x * y)(2.0))`, so the graph is
searched; without Tensors among the arguments, for the variables of the surrounding transforms only.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from .. import backend, trees
from ..backend import Tensor
from ..conversion import convert
from ..ops.register import ROWS


class _Surrounding(threading.local):
    def __init__(self) -> None:
        self.variables: list[set[Any]] = []


_surrounding = _Surrounding()


class Variables:
    """The differentiated arguments of one call, as Tensors. `name` is the transform's, for messages."""

    def __init__(self, name: str, args: Sequence[Any], where: Sequence[int]) -> None:
        self.recording = backend.grad_enabled()
        given = {k: list(trees.leaves(args[k], f"argument {k}")) for k in where}
        self.given = [value for k in where for _, value in given[k]]
        previous = backend.set_grad_enabled(True)
        try:
            made = {k: [self._make(name, path, value) for path, value in given[k]] for k in where}
        finally:
            backend.set_grad_enabled(previous)
        self.tensors: list[Tensor] = [t for k in where for t in made[k]]
        self.nodes = {t.node for t in self.tensors}
        self.args = [trees.rebuild(a, made[k]) if k in made else a for k, a in enumerate(args)]
        self.took_tensors = any(isinstance(x, Tensor) for a in args for _, x in trees.leaves(a))
        self.linked = self.recording and any(isinstance(x, Tensor) and x.requires_grad for x in self.given)

    def _make(self, name: str, path: str, value: Any) -> Tensor:
        if isinstance(value, Tensor):
            if value.dtype.kind != "f":
                raise TypeError(f"{name}: {path} has dtype {value.dtype}, which has no gradients; make it float64")
            if self.recording and value.requires_grad:
                return backend.apply(ROWS["positive"], (value,))
            return backend.leaf(value.detach()._array, True)
        if not isinstance(value, (np.ndarray, np.generic, int, float)):
            raise TypeError(
                f"{name}: {path} is {type(value).__name__}, which cannot be differentiated; expected numbers, arrays "
                "or Tensors in lists, tuples and dicts (choose other arguments with argnums)"
            )
        array = convert(value)
        if array.dtype.kind == "b":
            raise TypeError(f"{name}: {path} has dtype bool, which has no gradients; make it float64")
        if array.dtype.kind in "iu":
            array = array.astype(np.float64)
        # A copy: the caller may write to the array while a pullback is kept, and NumPy tells nobody.
        return backend.leaf(array.copy() if array is value else array, True)

    @contextmanager
    def surround(self) -> Any:
        """While the function runs: record, and let transforms inside know of these variables."""
        previous = backend.set_grad_enabled(True)
        _surrounding.variables.append(self.nodes)
        try:
            yield
        finally:
            _surrounding.variables.pop()
            backend.set_grad_enabled(previous)

    def connected(self, outputs: Iterable[Tensor]) -> bool:
        """Whether derivatives of `outputs` by these variables may be differentiated by others."""
        if not self.recording or self.linked:
            return self.linked
        if not self.took_tensors and not _surrounding.variables:
            return False
        return self._reaches_others([t.node for t in outputs if t.requires_grad])

    def _reaches_others(self, pending: list[Any]) -> bool:
        others = set().union(*_surrounding.variables)
        seen = set(pending)
        while pending:
            node = pending.pop()
            if node in self.nodes:
                continue
            if node in others or (self.took_tensors and (node.row is None or node.released)):
                return True
            for below in node.inputs:
                if below is not None and below not in seen:
                    seen.add(below)
                    pending.append(below)
        return False


def results(name: str, tree: Any) -> list[Tensor]:
    """The leaves of what the function returned; TypeError if one is not a Tensor."""
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


def settle(t: Tensor, connected: bool, as_array: bool) -> Any:
    """A result as the caller gets it: with its graph if connected, else without, as an array or a Tensor."""
    if connected:
        return t
    return t._array.copy() if as_array else t.detach()


def settled(tree: Any, connected: bool, as_array: bool) -> Any:
    """`settle` for the Tensors in a tree; other leaves stay as they are."""
    return trees.transform(lambda x: settle(x, connected, as_array) if isinstance(x, Tensor) else x, tree)
