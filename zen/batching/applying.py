"""One row on operands of which some are Batched: strip a level, apply the rule, put the level back."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from .. import backend
from ..batched import Batched, Level, Unbatched, running
from ..ops.register import DECLARATIONS, ROWS
from ..ops.row import Row
from .conforming import OF_THE_ENGINE

Rule = Callable[["Call"], Any]

RULES: dict[str, Rule] = {}
"""The rule of a row by its name, where its declaration does not give it. A rule gives None where it does not fit."""


class Call:
    """A row applied to all examples of a level.

    values: the operands, those that are `mapped` with the examples along their first axis. params: the row's own, for
    one example.
    """

    def __init__(self, row: Row, inputs: tuple[Any, ...], params: tuple[Any, ...], level: Level) -> None:
        self.row, self.params, self.level, self.size = row, params, level, level.size
        self.mapped = [type(x) is Batched and x.level is level for x in inputs]
        self.values = [x.examples if m else x for x, m in zip(inputs, self.mapped, strict=True)]

    def shape(self, k: int) -> tuple[int, ...]:
        """The shape of operand k in one example."""
        if isinstance(self.values[k], float):
            return ()
        found = np.shape(self.values[k]) if not hasattr(self.values[k], "shape") else self.values[k].shape
        return tuple(found[1:] if self.mapped[k] else found)

    def full(self, k: int) -> Any:
        """Operand k with the examples along its first axis, repeated without a copy if it is the same for all."""
        x = self.values[k]
        return x if self.mapped[k] or x is None else self.apply("broadcast_to", x, (self.size, *self.shape(k)))

    def padded(self, k: int, ndim: int) -> Any:
        """Operand k with axes of length 1 behind that of the examples, so that `ndim` follow it."""
        x, shape = self.values[k], self.shape(k)
        if not self.mapped[k] or len(shape) >= ndim:
            return x
        return self.apply("reshape", x, (self.size, *(1,) * (ndim - len(shape)), *shape))

    def apply(self, name: str, *values: Any) -> Any:
        """Another row, or this one, with its operands and parameters in order."""
        row = ROWS[name]
        n = len(values) - len(DECLARATIONS[name].params)
        return backend.apply(row, tuple(values[:n]), tuple(values[n:]))

    def again(self, values: Any, params: Any = None) -> Any:
        """This row on other operands and parameters."""
        return backend.apply(ROWS[self.row.name], tuple(values), tuple(self.params if params is None else params))

    def param(self, name: str) -> Any:
        return self.params[self.row.params.index(name)]

    def replaced(self, **changed: Any) -> tuple[Any, ...]:
        """The parameters with some of them changed."""
        return tuple([changed.get(n, p) for n, p in zip(self.row.params, self.params, strict=True)])


def check_running(name: str, level: Level) -> None:
    """RuntimeError for a value of a `vmap` that is over."""
    if level not in running.levels:
        raise RuntimeError(
            f"{name}: a value of one call of vmap was used after it, or in another thread; return it from the function "
            "instead"
        )


def apply_batched(row: Any, inputs: tuple[Any, ...], params: tuple[Any, ...]) -> Any:
    """What the engine calls for a row with a Batched among its operands or parameters."""
    if row.name in OF_THE_ENGINE:
        return OF_THE_ENGINE[row.name](*inputs, *params)
    held = [x for x in (*inputs, *params) if type(x) is Batched]
    level = max([x.level for x in held], key=lambda level: level.depth)
    check_running(row.name, level)
    if any([type(p) is Batched for p in params]):
        raise Unbatched(f"{row.name} has a parameter that differs by example")
    declaration = DECLARATIONS[row.name]
    call = Call(declaration, inputs, params, level)
    rule = RULES.get(row.name)
    made = rule(call) if rule is not None else derived(call)
    if made is None and declaration.composition is not None:
        try:
            return declaration.composition(*inputs, *params)
        except Unbatched:
            pass
    if made is None:
        made = looped(call)
    view = declaration.view
    memory = _memory(inputs[0]) if view else None
    if type(made) is tuple:
        return tuple([wrapped(y, level, memory) for y in made])
    return wrapped(made, level, memory)


class Memory:
    """What all hold that see the same memory: whoever is left alone with it may be given other values."""

    __slots__ = ()


def _memory(x: Any) -> Any:
    if x.shared is None:
        x.shared = Memory()
    return x.shared


def wrapped(value: Any, level: Level, shared: Any = None) -> Batched:
    made = Batched(value, level)
    made.shared = shared
    return made


def derived(call: Call) -> Any:
    """By what the declaration says: broadcasting, or axes of the first operand."""
    row = call.row
    if row.elementwise:
        return pointwise(call)
    if len(row.args) == 1 and not row.variadic and row.axes and not (row.shapes or row.keys):
        return shifted(call)
    return None


def pointwise(call: Call) -> Any:
    """The row itself: operands broadcast, those of fewer axes filled up behind the examples' axis."""
    ndim = max([len(call.shape(k)) for k in range(len(call.values))])
    return call.again([call.padded(k, ndim) for k in range(len(call.values))])


def shifted(call: Call) -> Any:
    """The row itself, with its axes one further on."""
    ndim = len(call.shape(0))
    return call.again([call.full(0)], call.replaced(**{n: moved(call.param(n), ndim) for n in call.row.axes}))


def moved(axes: Any, ndim: int) -> Any:
    """Axes of one example as axes of all."""
    if axes is None:
        return tuple(range(1, ndim + 1))
    return axes + 1 if isinstance(axes, int) else tuple([a + 1 for a in axes])


_noted: set[str] = set()


def note(name: str) -> None:
    """Tell once that an operation runs for one example after the other."""
    if name not in _noted:
        _noted.add(name)
        text = f"vmap: {name} has no rule for all examples at once in a call of this kind, and runs for each example"
        warnings.warn(text, UserWarning, stacklevel=2)


def looped(call: Call) -> Any:
    """The row on one example after the other."""
    note(call.row.name)
    found = []
    for b in range(call.size):
        key = (b,)
        found.append(call.again([call.apply("getitem", x, key) if m else x
                                 for x, m in zip(call.values, call.mapped, strict=True)]))  # fmt: skip
    if not found:
        raise Unbatched(f"{call.row.name} cannot be applied to no examples at all")
    if type(found[0]) is tuple:
        return tuple([stacked(call, list(parts)) for parts in zip(*found, strict=True)])
    return stacked(call, found)


def stacked(call: Call, parts: list[Any]) -> Any:
    return call.apply("stack", *parts, 0)
