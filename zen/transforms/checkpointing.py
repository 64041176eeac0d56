"""`checkpoint`: compute again in the backward pass instead of saving; and `stop_gradient`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import backend, random, trees, writes
from ..backend import Tensor
from ..batched import ANYWHERE, Batched, running
from ..dtypes import NUMBERS
from ..ops.operands import leaf_of, raw
from ..ops.register import placed, tensors
from .closures import pulled, tensor_of
from .levels import called, lifted, lowered, within
from .recordings import Recording
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
    from `zen.random` are repeated; what it writes outside is written again. It gets its arguments as they were.

    Raises RuntimeError in the backward pass where `f` did not do the same, bit by bit: where it applied other
    operations, gave other results, or found other values in arrays, numbers and Tensors that it uses besides its
    arguments; and where a Tensor or array that it uses was overwritten meanwhile.

    >>> import numpy as np, zen
    >>> block = zen.checkpoint(lambda x: np.sin(np.exp(x)))
    >>> round(float(zen.grad(lambda x: block(x))(0.0)), 6)
    0.540302
    """
    made = _Checkpointed(f)
    return made(*args, **kwargs) if args or kwargs else made


class _Checkpointed(Wrapper):
    """What `checkpoint` returns."""

    _name = "checkpoint"

    def __init__(self, f: Callable[..., Any]) -> None:
        super().__init__(f)
        self._f = f

    def _parts(self) -> tuple[Any, ...]:
        return (self._f,)

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        if not backend.grad_enabled() or backend.tracer() is not None:
            return self._f(*args, **kwargs)
        if ANYWHERE and running.levels:
            return self._within(args, kwargs)
        call = _Call(self._f, args, kwargs)
        out = call.first()
        if not call.shapes:
            return out
        inputs, values = (*call.operands, *call.free), call.values
        row = backend.Row(
            "checkpoint", len(inputs), lambda *_: tuple(values), lambda: ((call.pull,), (call.reads(),)),
            joint=True, several=-1,
        )  # fmt: skip
        made = iter(backend.apply(row, inputs, (call.digest,)))
        values = call.values = []
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
    """One call: its arguments, the Tensors that the function uses besides, and what it takes to run it again.

    operands: the Tensors and arrays among the arguments, which the engine saves and gives back as they were.
    """

    def __init__(self, f: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self.f, self.state = f, random.get_state()
        self.tree: Any = trees.transform(lambda x: x, [list(args), kwargs])  # containers may change as well
        self.operands = [x for x in trees.values(self.tree) if _is_operand(x)]
        self.moving = [k for k, x in enumerate(self.operands) if isinstance(x, Tensor) and x.requires_grad]
        self.free: list[Tensor] = []

    def run(self, operands: list[Any]) -> Any:
        """The function of its arguments, with these Tensors and arrays among them, recorded."""
        rest = iter(operands)
        args, kwargs = trees.transform(lambda x: next(rest) if _is_operand(x) else x, self.tree)
        return backend.call_recording(True, called, self.f, *args, **kwargs)

    def first(self) -> Any:
        """Run it, and find out what else the results depend on; what was recorded is let go."""
        oldest = backend.next_seq()
        operands = list(self.operands)
        for k in self.moving:
            operands[k] = leaf_of(operands[k])
        out = self.run(operands)
        self.leaves = [(x, isinstance(x, Tensor) and x.requires_grad) for x in trees.values([out])]
        outputs = [x for x, moves in self.leaves if moves]
        self.shapes, self.values = [x.shape for x in outputs], [x._array for x in outputs]
        recording = Recording(outputs, [operands[k] for k in self.moving], oldest)
        self.digest = recording.digest
        self.free = [tensor_of(n) for n in recording.free]
        self.watched = [(t, t._array) for t in (*self.operands, *self.free) if isinstance(t, Tensor)]
        self.since = backend.next_seq()
        self.leaves = [(None if moves else x, moves) for x, moves in self.leaves]
        made = trees.transform(lambda x: _Shape() if isinstance(x, Tensor) and x.requires_grad else x, [out])
        return made[0]

    def reads(self) -> tuple[int, ...]:
        """What is saved: the arguments; not the other Tensors, which the function holds, nor the results."""
        return (*[2] * len(self.operands), *[0] * len(self.free), 0)

    def pull(self, f: Any, g: Any, args: Any, results: Any, wanted: Any, digest: int) -> tuple[Any, ...]:
        """The gradients, by a pass through the function run again."""
        for t, array in self.watched:
            if t._array is not array or writes.overwritten(array, self.since) is not None:
                raise RuntimeError(
                    f"checkpoint: a Tensor of shape {t.shape} that the function uses was overwritten in place before "
                    "it ran again; run backward() first, or write to a copy (clone()) instead"
                )
        as_tensors = any([isinstance(x, Tensor) for x in (*g, *args)])
        recorded = as_tensors and backend.grad_enabled()
        operands = [_again(x, given) for x, given in zip(args, self.operands, strict=False)]
        own = []
        for k in self.moving:
            operands[k] = _variable(args[k], recorded)
            own.append(operands[k])
        outputs = self.again(operands, own, digest)
        pairs = [(y, c) for y, c in zip(outputs, g, strict=True) if c is not None]
        found = pulled([y for y, _ in pairs], [c for _, c in pairs], [*own, *self.free], recorded)
        found = [x if x is None or as_tensors or type(x) is Batched else x._array for x in found]
        made: list[Any] = [None] * len(self.operands)
        for k, x in zip(self.moving, found, strict=False):
            made[k] = x
        return (*made, *found[len(own) :])

    def again(self, operands: list[Any], own: list[Tensor], digest: int) -> list[Tensor]:
        """What the function makes of the operands, recorded: the same as before, or RuntimeError."""
        after, oldest = random.get_state(), backend.next_seq()
        random.set_state(self.state)
        try:
            out = self.run(operands)
        finally:
            random.set_state(after)
            for t in own:  # open meanwhile: transforms in the function take them for free variables
                if t.node.row is None:  # type: ignore[union-attr]
                    t.node.closed = True  # type: ignore[union-attr]
        outputs = [x for x in trees.values([out]) if isinstance(x, Tensor) and x.requires_grad]
        if [x.shape for x in outputs] != self.shapes:
            raise RuntimeError("checkpoint: the function gave other results when it ran again; it must do the same")
        if Recording(outputs, own, oldest).digest != digest:
            raise RuntimeError(
                "checkpoint: the function did not do the same when it ran again: it gave other results, or an array, "
                "number or Tensor that it uses besides its arguments has changed since; pass it as an argument, or run "
                "backward() before it changes"
            )
        return outputs


class _Shape:
    """The place of a result in the structure that the function returned, which holds none of what was recorded."""


def _is_operand(x: Any) -> bool:
    return isinstance(x, Tensor) or (isinstance(x, np.ndarray) and x.dtype in NUMBERS)


def _again(x: Any, given: Any) -> Any:
    """An argument that has no gradient, as the engine saved it: a Tensor or an array, as it was given."""
    if isinstance(given, Tensor):
        return x if isinstance(x, Tensor) else backend.wrap(np.asarray(x))
    return raw(x)


def _variable(x: Any, recorded: bool) -> Tensor:
    """What stands for an argument when the function runs again: on its node, if it has one and that is wanted."""
    if recorded and isinstance(x, Tensor) and x.requires_grad:
        made: Tensor = tensors.positive(x)
        return made
    return leaf_of(x if isinstance(x, Tensor) else np.asarray(x))


for _function in (checkpoint, stop_gradient):
    placed(_function, "zen", _function.__name__)
