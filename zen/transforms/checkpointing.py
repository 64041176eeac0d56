"""`checkpoint`: compute again in the backward pass instead of saving; and `stop_gradient`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import backend, random, trees, writes
from ..backend import Tensor
from ..batched import ANYWHERE, Batched, running
from ..ops.operands import raw
from ..ops.register import placed, tensors
from .levels import lifted, lowered, within
from .wrapper import Wrapper


def stop_gradient(x: Any) -> Any:
    """The values of `x`, as a constant: no derivative of any kind goes through.

    x: a Tensor, or a nested container with Tensors anywhere; other leaves stay as they are.

    >>> zen.grad(lambda x: x * zen.stop_gradient(x))(3.0).item()
    3.0
    """
    return trees.transform(lambda t: t.detach() if isinstance(t, (Tensor, Batched)) else t, [x])[0]


def checkpoint(f: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """`f` with nothing saved for its derivative but its arguments: a backward pass runs it again. Chen et al. 2016.

    `checkpoint(f)` is a function that does so in every call, `checkpoint(f, *args)` the result of one call. Arguments
    and results are nested containers of anything; Tensors that `f` uses besides stay connected. The memory of a graph
    falls to that of the arguments, and the time of a gradient grows by that of `f`. `f` must do the same again: numbers
    from `zen.random` are repeated; what it writes outside is written again. Raises RuntimeError in the backward pass
    where it gave other results, or a Tensor that it uses was overwritten meanwhile.

    >>> import numpy as np, zen
    >>> block = zen.checkpoint(lambda x: np.sin(np.exp(x)))
    >>> round(float(zen.grad(lambda x: block(x))(0.0)), 6)
    0.540302
    """
    made = _Checkpointed(f)
    return made(*args, **kwargs) if args or kwargs else made


class _Checkpointed(Wrapper):
    """What `checkpoint` returns."""

    def __init__(self, f: Callable[..., Any]) -> None:
        if not callable(f):
            raise TypeError(f"checkpoint: expected a function, not {type(f).__name__}")
        super().__init__(f)
        self._f = f

    def _parts(self) -> tuple[Any, ...]:
        return (self._f,)

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        if not backend.grad_enabled():
            return self._f(*args, **kwargs)
        if ANYWHERE and running.levels:
            return self._within(args, kwargs)
        call = _Call(self._f, args, kwargs)
        out = call.first()
        if not call.outputs or not any([t.requires_grad for t in (*call.given, *call.free)]):
            return out
        row = backend.Row(
            "checkpoint", len(call.given) + len(call.free), lambda *_: tuple(call.values),
            lambda: ((call.pull,), (call.reads(),)), joint=True, several=-1,
        )  # fmt: skip
        made = iter(backend.apply(row, (*call.given, *call.free), ()))
        return trees.rebuild(out, [next(made) if moves else x for x, moves in call.leaves])

    def _within(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """In a `vmap`: of the function of all examples."""
        levels = running.levels

        def lower(x: Any) -> Any:
            return lowered(x, levels) if isinstance(x, (Tensor, Batched)) else x

        def lift(x: Any) -> Any:
            return lifted(x, levels) if isinstance(x, Tensor) else x

        def physical(args: Any, kwargs: Any) -> Any:
            with within(levels):
                out = self._f(*trees.transform(lift, args), **trees.transform(lift, kwargs))
                return trees.transform(lower, [out])

        given = trees.transform(lower, [list(args), kwargs])
        with within(()):
            out = _Checkpointed(physical)(*given)
        return trees.transform(lift, out)[0]


class _Call:
    """One call: its arguments, the Tensors that the function uses besides, and what it takes to run it again."""

    def __init__(self, f: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self.f, self.tree, self.state = f, [list(args), kwargs], random.get_state()
        self.given = [x for x in trees.values(self.tree) if isinstance(x, Tensor) and x.requires_grad]
        self.free: list[Tensor] = []
        self.outputs: list[Tensor] = []

    def run(self, given: list[Tensor]) -> Any:
        """The function of its arguments, those that require a gradient replaced, recorded."""
        rest = iter(given)
        args, kwargs = trees.transform(
            lambda x: next(rest) if isinstance(x, Tensor) and x.requires_grad else x, self.tree
        )
        return backend.call_recording(True, self.f, *args, **kwargs)

    def first(self) -> Any:
        """Run it, and find out what else the results depend on; what was recorded is let go."""
        oldest = backend.next_seq()
        own = [backend.leaf(raw(x), True) for x in self.given]
        out = self.run(own)
        found = trees.values([out])
        self.leaves = [(x, isinstance(x, Tensor) and x.requires_grad) for x in found]
        self.outputs = [x for x, moves in self.leaves if moves]
        self.values = [x._array for x in self.outputs]
        nodes = _outside(self.outputs, {t.node for t in own}, oldest)
        self.free = [_tensor_of(n) for n in nodes]
        self.watched = [(t, t._array) for t in (*trees.values(self.tree), *self.free) if isinstance(t, Tensor)]
        self.since = backend.next_seq()
        self.leaves = [(None if moves else x, moves) for x, moves in self.leaves]
        self.outputs = [x.detach() for x in self.outputs]
        return _skeleton(out)

    def reads(self) -> tuple[int, ...]:
        """What is saved: the arguments; not the other Tensors, which the function holds, nor the results."""
        return (*[2] * len(self.given), *[0] * len(self.free), 0)

    def pull(self, f: Any, g: Any, args: Any, results: Any, wanted: Any) -> tuple[Any, ...]:
        """The gradients, by a pass through the function run again."""
        for t, array in self.watched:
            if t._array is not array or writes.overwritten(array, self.since) is not None:
                raise RuntimeError(
                    f"checkpoint: a Tensor of shape {t.shape} that the function uses was overwritten in place before "
                    "it ran again; run backward() first, or write to a copy (clone()) instead"
                )
        recorded = any([isinstance(c, Tensor) for c in g])
        given = list(args[: len(self.given)])
        own = [_variable(x, recorded) for x in given]
        after = random.get_state()
        random.set_state(self.state)
        try:
            out = self.run(own)
        finally:
            random.set_state(after)
        outputs = [x for x in trees.values([out]) if isinstance(x, Tensor) and x.requires_grad]
        if [x.shape for x in outputs] != [x.shape for x in self.outputs]:
            raise RuntimeError("checkpoint: the function gave other results when it ran again; it must do the same")
        pairs = [(y, c) for y, c in zip(outputs, g, strict=True) if c is not None]
        seeds = [c if isinstance(c, Tensor) or c is None else backend.wrap(np.asarray(c)) for _, c in pairs]
        inputs = [*own, *self.free]
        found: Any = backend.run([y for y, _ in pairs], seeds, inputs, recorded, recorded) if pairs else None
        found = found or [None] * len(inputs)
        return tuple([x if x is None or recorded else x._array for x in found])


def _variable(x: Any, recorded: bool) -> Tensor:
    """What stands for an argument when the function runs again: on its node, if it has one and that is wanted."""
    if recorded and isinstance(x, Tensor) and x.requires_grad:
        made: Tensor = tensors.positive(x)
        return made
    own = backend.leaf(np.asarray(raw(x)), True)
    own.node.closed = True  # type: ignore[union-attr]
    return own


def _tensor_of(node: Any) -> Tensor:
    """A Tensor on the node: the one that holds its value, or if that is gone, one without it."""
    found = node.tensor
    return backend.wrap(np.zeros(node.shape, node.dtype), node) if found is None else found


def _outside(outputs: list[Tensor], own: set[Any], oldest: int) -> list[Any]:
    """The nodes that the outputs came from, of those that were there before: leaves and results of others."""
    found: dict[Any, None] = {}
    pending, seen = [t.node for t in outputs], set()
    while pending:
        node = pending.pop()
        if node is None or node in seen or node in own:
            continue
        seen.add(node)
        if node.seq < oldest or node.row is None:
            found[node] = None
        else:
            pending.extend(node.inputs)
    return list(found)


def _skeleton(out: Any) -> Any:
    """The structure of the result, which holds none of what was recorded."""
    return trees.transform(lambda x: x.detach() if isinstance(x, Tensor) else x, [out])[0]


for _function in (checkpoint, stop_gradient):
    placed(_function, "zen", _function.__name__)
