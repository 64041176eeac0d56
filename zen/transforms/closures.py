"""Functions whose derivative is not that of their steps, with all that they depend on: arguments and free variables.

A `Closure` is a function with the arguments of one call. It runs the function recorded, on variables of its own, finds
which other Tensors it reads, and gives partial derivatives: by each of these while the others are held. Used by the
implicit derivatives and by `odeint`, whose rows have for inputs what a closure names.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .. import backend, trees, writes
from ..backend import Tensor
from ..batched import Batched, Unbatched
from ..ops.operands import raw
from ..ops.register import FUNCTIONS
from . import batched_passes
from .levels import within
from .recordings import origins
from .variables import Variables


def _before(outputs: list[Tensor], own: set[Any], oldest: int) -> list[Any]:
    """The nodes that the outputs came from, of those that were there before: not the leaves of the function's own."""
    return [n for n in origins(outputs, own, oldest)[0] if n.seq < oldest]


def tensor_of(node: Any) -> Tensor:
    """A Tensor on the node: the one that holds its value, or if that is gone, one without it."""
    found = node.tensor
    return backend.wrap(np.zeros(node.shape, node.dtype), node) if found is None else found


def pulled(outputs: list[Tensor], seeds: list[Any], inputs: list[Tensor], recorded: bool) -> list[Any]:
    """The gradients of `outputs` by each of `inputs` while the others are held: Tensors, None where there is none.

    The engine's own pass gives total derivatives, through every input that was made of others. It serves where none
    was; and where nobody hooked into an input, for whose hooks another pass is still to come.
    """
    live = [(t, s) for t, s in zip(outputs, seeds, strict=True) if t.node is not None]
    if not live:
        return [None] * len(inputs)
    roots, given = [t for t, _ in live], [s for _, s in live]
    nodes: set[Any] = {t.node for t in inputs}
    many = any([type(s) is Batched for s in given])
    if not many and all([n.hooks is None for n in nodes]) and _are_independent(nodes):
        return backend.run(roots, given, inputs, True, recorded) or [None] * len(inputs)
    given = [s if isinstance(s, (Tensor, Batched)) else backend.wrap(np.asarray(s)) for s in given]
    return batched_passes.pull(roots, given, inputs, recorded, partial=True)


def _are_independent(nodes: set[Any]) -> bool:
    """Whether no node was made of another."""
    if all([n.row is None for n in nodes]):
        return True
    oldest = min([n.seq for n in nodes])
    pending = [below for n in nodes for below in n.inputs]
    seen = set()
    while pending:
        n = pending.pop()
        if n is None or n.seq < oldest or n in seen:
            continue
        if n in nodes:
            return False
        seen.add(n)
        pending.extend(n.inputs)
    return True


class Closure:
    """A function with the arguments of one call, and the Tensors among these and besides that require a gradient.

    `f(*lead, *args)`, where `lead` are the vectors that the caller moves, returns one Tensor. `given` are the Tensors
    in `args`, a list of trees, that require a gradient, in order; `free` those that f uses besides, once `explore` has
    seen them. NumPy arrays among the arguments are copied, for nobody tells if they are written to.
    """

    def __init__(self, name: str, f: Callable[..., Any], args: Sequence[Any]) -> None:
        self.name, self.f = name, f
        self.args = trees.transform(lambda x: x.copy() if type(x) is np.ndarray else x, list(args))
        values = trees.values(self.args)
        for x in values:
            if type(x) is Batched:
                raise Unbatched(f"{name} computes one example after the other")
        self.given = [x for x in values if _moves(x)]
        self._places = trees.transform(lambda x: _PLACE if _moves(x) else x, self.args)
        self.free: list[Tensor] = []
        self._known: set[Any] = set()
        self._watched = [(t, t._array) for t in values if isinstance(t, Tensor)]
        self._since = backend.next_seq()
        self._seen: list[tuple[list[np.ndarray], list[np.ndarray] | None, np.ndarray]] = []
        self._traced: Tensor | None = None

    def filled(self, given: Sequence[Any]) -> list[Any]:
        """The arguments, with others in the place of the Tensors that require a gradient."""
        rest = iter(given)
        made: list[Any] = trees.transform(lambda x: next(rest) if x is _PLACE else x, self._places)
        return made

    def value(self, *lead: Any, given: Sequence[Any] | None = None) -> Any:
        """What the function returns, with nothing recorded, as an array."""
        tensors = [backend.wrap(np.asarray(x)) for x in lead]
        args = self.args if given is None else self.filled([backend.wrap(x) for x in given])
        return raw(backend.call_recording(False, self.f, *tensors, *args))

    def run(self, lead: Sequence[Any], given: Sequence[Any]) -> tuple[list[Tensor], Tensor]:
        """`(variables, result)` of the function, recorded: the variables are those for `lead`, then for `given`.

        Where recording is on, a variable for a Tensor that requires a gradient is linked to it.
        """
        count = len(lead)
        variables = Variables(self.name, [*lead, *given], None)

        def function(*values: Any) -> Any:
            return self.f(*values[:count], *self.filled(values[count:]))

        out = variables.call(function, {})
        if self._known and isinstance(out, Tensor):
            own = {t.node for t in variables.tensors}
            if not self._known.issuperset(_before([out], own, variables.oldest)):
                raise RuntimeError(
                    f"{self.name}: the function used another Tensor that requires a gradient when it ran again, whose "
                    "gradient would be lost; it must use the same ones, or get them as arguments"
                )
        return variables.tensors, out

    def explore(self, *lead: np.ndarray) -> np.ndarray:
        """Run the function at a point of its way, take up what else it uses, and keep what `check` compares with."""
        self._known = set()
        oldest = backend.next_seq()
        with backend.GradMode(False):
            variables, out = self.run(lead, [x.detach() for x in self.given])
        have = {t.node for t in self.free}
        for node in _before([out], {t.node for t in variables}, oldest):
            if node not in have:
                t = tensor_of(node)
                self.free.append(t)
                self._watched.append((t, t._array))
        self._closed()
        value = np.array(raw(out))
        self._seen.append(([np.array(x) for x in lead], None, value))
        if self._traced is None:
            self._traced = out
            self._look_beside(lead)
        return value

    def _look_beside(self, lead: Sequence[np.ndarray]) -> None:
        """Keep a value nearby as well: at a root a function may change and stay zero."""
        beside, given = [_moved(np.array(x)) for x in lead], [_moved(np.array(raw(x))) for x in self.given]
        try:
            self._seen.append((beside, given, np.array(self.value(*beside, given=given))))
        except Exception:  # where it is not defined there is nothing to compare
            pass

    def adopt(self, other: Closure) -> None:
        """Take over what another one found, of whose function this one's is made."""
        self.free, self.check = list(other.free), other.check  # type: ignore[method-assign]
        self._closed()

    def _closed(self) -> None:
        self._known = {t.node for t in self.free}
        self._known.add(None)  # by which a function that uses none is known from one that was not explored

    @property
    def inputs(self) -> tuple[Tensor, ...]:
        return (*self.given, *self.free)

    def check(self) -> None:
        """RuntimeError if the function is no longer what it was when it was explored."""
        for t, array in self._watched:
            if t._array is not array or writes.overwritten(array, self._since) is not None:
                self._refuse(f"a Tensor of shape {t.shape} that it uses was overwritten in place")
        if self._traced is not None:
            pending, seen = [self._traced.node], set()
            while pending:
                node = pending.pop()
                if node is None or node in seen or node.seq < self._since or node.row is None:
                    continue
                seen.add(node)
                if not node.row.is_output:
                    backend.verify_saved(node)
                pending.extend(node.inputs)
        for lead, given, before in self._seen:
            now = self.value(*lead, given=given)
            scale = 1e-9 if before.dtype.itemsize > 7 else 1e-4
            if now.shape != before.shape or not np.allclose(now, before, scale, scale, equal_nan=True):
                self._refuse("it gives another value now")

    def _refuse(self, why: str) -> None:
        raise RuntimeError(
            f"{self.name}: the function changed before its derivative was computed: {why}; run backward() before what "
            "it uses is changed, and pass copies of arrays that are"
        )

    def pull(self, variables: list[Tensor], out: Tensor, seed: Any, recorded: bool) -> list[Any]:
        """<seed, df> by each variable and each free Tensor: zeros where there is none. Arrays if not recorded."""
        inputs = [*variables, *self.free]
        found = pulled([out], [seed], inputs, recorded) if out.node is not None else [None] * len(inputs)
        if recorded:
            return [
                backend.wrap(np.zeros(t.shape, t.dtype)) if g is None else g for t, g in zip(inputs, found, strict=True)
            ]
        return [np.zeros(t.shape, t.dtype) if g is None else raw(g) for t, g in zip(inputs, found, strict=True)]


_PLACE = object()
"""Stands for an argument that requires a gradient."""


def _moves(x: Any) -> bool:
    return isinstance(x, Tensor) and x.requires_grad


def _moved(x: np.ndarray) -> np.ndarray:
    """A point nearby, in no special direction."""
    pattern = np.cos(1.0 + np.arange(x.size)).reshape(x.shape)
    return np.asarray(x + 1e-2 * (1 + np.abs(x)) * pattern, x.dtype)


def each(pull: Callable[[Any], tuple[Any, ...]], g: Any) -> tuple[Any, ...]:
    """What `pull` makes of a cotangent; of a Batched one, for one example after the other.

    Out of the levels of a `vmap`, which are none of the closure's: no value of its own differs by example.
    """
    if type(g) is not Batched:
        with within(()):
            return pull(g)
    parts = [each(pull, g.examples[b]) for b in range(g.level.size)]
    made = []
    for group in zip(*parts, strict=True):
        values = [
            backend.wrap(np.asarray(x)) if not isinstance(x, (Tensor, Batched)) else x for x in group if x is not None
        ]
        made.append(Batched(FUNCTIONS["stack"](values), g.level) if values else None)
    return tuple(made)
