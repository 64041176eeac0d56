"""Recording: what one thread does with Tensors while a function runs, as the steps of a program.

The engine tells a `Trace` of every row that is applied (`note`), of every look at values (`read`), of writes in place
and of Tensors that a pass makes of what nodes saved (`revived`). The function itself runs as ever: a trace that cannot
go on (`give_up`) only ceases to listen.

A Tensor has a place in the trace by its number (`traced`); what is met without one existed before, or was made of
arrays. Such Tensors and arrays are read where they lie, at each replay, if somebody else still holds them when the
function has returned; otherwise nobody can change them, and what they hold is a constant.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from .. import backend
from ..backend import Row, Tensor
from ..batched import Batched
from ..dtypes import INTEGER
from ..ops.register import ROWS
from .instructions import Check, Effect, Instruction, Number, Program, Value
from .draws import Stream
from .numpy_calls import numpy_row, outlined
from .symbol import Symbol

_numbers = itertools.count(1)
_WEAK = np.dtype(np.float64)


class Bound:
    """A Tensor or array from outside, as the trace met it."""

    __slots__ = ("called", "grad", "object", "seen", "value", "written")

    def __init__(self, value: Value, given: Any, seen: np.ndarray) -> None:
        self.value, self.object, self.seen = value, given, seen
        self.written, self.called = False, ""
        self.grad: Any = None


class Workspace:
    """An array that is not to be used while a trace listens: it ends the trace."""

    __slots__ = ("_array", "_name", "_trace")

    def __init__(self, trace: Trace, name: str, array: np.ndarray) -> None:
        self._trace, self._name, self._array = trace, name, array

    def _used(self) -> np.ndarray:
        self._trace.give_up(f"{self._name}: its derivative reads what it saved beside its results")
        return self._array

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        return np.asarray(self._used(), dtype)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._used(), name)

    def __getitem__(self, key: Any) -> Any:
        return self._used()[key]

    def __len__(self) -> int:
        return len(self._used())


class Trace:
    """One recording. `reason`: why it was given up, or an empty string."""

    def __init__(self) -> None:
        self.steps: list[Any] = []
        self.reason = ""
        self._known: dict[int, Value] = {}
        self._bound: dict[int, Bound] = {}
        self._constants: list[tuple[Value, np.ndarray]] = []
        self._nodes: dict[int, tuple[tuple[Any, ...], tuple[Value, ...]]] = {}
        self._made: dict[int, Instruction] = {}
        self._read: set[int] = set()
        self._arrays: dict[int, tuple[np.ndarray, Value]] = {}
        self._inputs: list[Value] = []
        self._cleared: dict[int, Any] = {}
        self._ungraded: dict[int, Any] = {}
        self.effects: list[Effect] = []
        self._kept: list[Any] = []
        self.since = backend.next_seq()

    def run(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """What the function returns, recorded."""
        before = backend.set_tracer(self)
        try:
            return function(*args, **kwargs)
        finally:
            backend.set_tracer(before)

    def give_up(self, reason: str) -> None:
        """Listen no longer. The first reason counts."""
        if not self.reason:
            self.reason = f"{reason}{_line()}"

    # Where values come from

    def root(self, array: np.ndarray, requires_grad: bool = False) -> Tensor:
        """The Tensor that stands for an array of the call, which is its memory from here on."""
        t = backend.leaf(array, requires_grad)
        self._inputs.append(self._new(t))
        self._kept.append(t)
        return t

    def symbol(self, number: float) -> Symbol:
        """What stands for a Python float of the call."""
        value = self._value((), _WEAK, True)
        self._inputs.append(value)
        return Symbol(number, value, self)

    def _value(self, shape: tuple[int, ...], dtype: np.dtype, weak: bool = False) -> Value:
        value = Value(next(_numbers), shape, dtype, weak)
        self._known[value.number] = value
        return value

    def _new(self, t: Tensor) -> Value:
        value = self._value(t.shape, t.dtype)
        t.traced = value.number
        return value

    def place_of(self, t: Tensor) -> Value:
        """The value that a Tensor has now."""
        known = self._known.get(t.traced)
        if known is not None:
            return known
        bound = self._bound.get(id(t))
        return self._bind(t) if bound is None else self._current(bound)

    def _bind(self, given: Any) -> Value:
        array = _values(given)
        bound = Bound(self._value(array.shape, array.dtype), given, array.copy())
        if isinstance(given, Tensor):
            bound.grad = given.grad if given.is_leaf else None
        self._bound[id(given)] = bound
        return bound.value

    def _current(self, bound: Bound) -> Value:
        if bound.called:
            self.give_up(f"a parameter is used after {bound.called}")
        if isinstance(bound.object, np.ndarray) and not _same(bound.object, bound.seen):
            self.give_up("an array was written to by NumPy between two uses")
        return bound.value

    def _operand(self, x: Any) -> Any:
        if isinstance(x, Tensor):
            return self.place_of(x)
        if type(x) is Symbol:
            return x.value
        if isinstance(x, np.ndarray):
            known = self._arrays.get(id(x))
            if known is not None:
                return known[1]
            bound = self._bound.get(id(x))
            return self._bind(x) if bound is None else self._current(bound)
        if x is None or isinstance(x, (bool, int, float, complex, np.generic)):
            return x
        if isinstance(x, (list, tuple)):
            return self._constant(np.array(x))
        self.give_up(f"an operand of type {type(x).__name__}")
        return x

    def _constant(self, array: np.ndarray) -> Value:
        value = self._value(array.shape, array.dtype)
        self._constants.append((value, array))
        return value

    # What the engine tells

    def numbers(self, operands: tuple[Any, ...]) -> tuple[Any, ...]:
        """The operands with numbers in place of symbols."""
        for x in operands:
            if type(x) is Symbol:
                return tuple([x.number if type(x) is Symbol else x for x in operands])
        return operands

    def fixed(self, params: tuple[Any, ...]) -> tuple[Any, ...]:
        """The parameters of a row as it takes them: arrays in place of Tensors, numbers in place of symbols.

        The arrays stay values of the program; the numbers are constants from here on.
        """
        for x in params:
            if isinstance(x, (tuple, Tensor)) or type(x) is Symbol:
                return tuple([self._fixed(x) for x in params])
        return params

    def _fixed(self, x: Any) -> Any:
        if type(x) is tuple:
            return tuple([self._fixed(part) for part in x])
        if isinstance(x, Tensor):
            value, array = self.place_of(x), _values(x)
            self._arrays[id(array)] = array, value
            return array
        return float(x) if type(x) is Symbol else x

    def key(self, key: Any) -> Any:
        """A key between brackets as an operation takes it. Whatever decides a shape is looked at."""
        if type(key) is tuple:
            return tuple([self.key(part) for part in key])
        is_positions = isinstance(key, Tensor) and key.ndim > 0 and key.dtype in INTEGER
        return self._fixed(key) if is_positions else key

    def note(self, row: Row, operands: tuple[Any, ...], params: tuple[Any, ...], result: Any) -> None:
        """A row was applied, unless it consists of others, which were noted themselves."""
        if self.reason:
            return
        results = result if type(result) is tuple else (result,)
        new = False
        for t in results:
            if type(t) is Batched:
                return
            new = new or t.traced not in self._known
        if new:
            self._add(row, operands, params, results)

    def _add(self, row: Row, operands: tuple[Any, ...], params: tuple[Any, ...], results: tuple[Tensor, ...]) -> None:
        given = tuple([self._operand(x) for x in operands])
        made = tuple([self._new(t) for t in results])
        step = Instruction(row, given, self._parameter(params), made, "")
        self.steps.append(step)
        for value in made:
            self._made[value.number] = step
        node = results[0].node
        for t in results:
            node = t.node if node is None else node
        if node is not None:
            if row.several and node.inputs and node.row.is_output:
                node = node.inputs[0]
            self._nodes[node.seq] = given, made
            if self._arrays and params:
                self._follow(params, node.params)

    def _parameter(self, x: Any) -> Any:
        """A parameter that nobody else can change, with values of the program in place of arrays that are such."""
        if type(x) is tuple:
            return tuple([self._parameter(part) for part in x])
        if isinstance(x, np.ndarray):
            found = self._arrays.get(id(x))
            return x.copy() if found is None else found[1]
        if isinstance(x, Tensor):
            return self.place_of(x)
        if type(x) is slice:
            return slice(*[end if end is None else int(end) for end in (x.start, x.stop, x.step)])
        return [self._parameter(part) for part in x] if type(x) is list else x

    def _follow(self, params: tuple[Any, ...], saved: tuple[Any, ...]) -> None:
        """What a node saved of parameters are the same values."""
        for x, y in zip(params, saved, strict=False):
            if type(x) is tuple and type(y) is tuple:
                self._follow(x, y)
            elif isinstance(y, np.ndarray) and id(x) in self._arrays:
                self._arrays[id(y)] = y, self._arrays[id(x)][1]

    def numpy(self, name: str, called: Callable[..., Any], args: list[Any], options: dict[str, Any]) -> Any:
        """A function of NumPy on Tensors without graphs, as an instruction."""
        leaves: list[Any] = []
        form = outlined((args, options), leaves)
        row = numpy_row(name, called, form, [_values(t) for t in leaves])
        return backend.call_recording(False, backend.apply, row, tuple(leaves), (form,))

    def unseen(self, function: Callable[..., Any], *args: Any, **options: Any) -> Any:
        """What a function says of Tensors that looks at none of their values."""
        before = backend.set_tracer(None)
        try:
            return function(*args, **options)
        finally:
            backend.set_tracer(before)

    def stream(self, generator: Any) -> Any:
        """The generator as one whose draws are recorded."""
        return Stream(generator)

    def read(self, t: Tensor) -> None:
        """Somebody looks at the values of t."""
        if self.reason:
            return
        value = self.place_of(t)
        if value.number in self._read:
            return
        self._read.add(value.number)
        before = backend.set_tracer(None)
        try:
            self.steps.append(Check(value, t._array.copy(), _line()))
        finally:
            backend.set_tracer(before)

    def looked(self, value: Value, number: float) -> None:
        """Somebody looks at a Python float."""
        if value.number not in self._read:
            self._read.add(value.number)
            self.steps.append(Check(value, np.array(number), _line()))

    def arithmetic(self, operator: str, operands: tuple[Any, ...], number: float) -> Symbol:
        """Arithmetic of Python floats."""
        given = tuple([x.value if type(x) is Symbol else x for x in operands])
        value = self._value((), _WEAK, True)
        self.steps.append(Number(operator, given, value, ""))
        return Symbol(number, value, self)

    def revived(self, node: Any, k: int, found: Any) -> None:
        """A pass made a Tensor of what a node saved of operand k, or of a result behind the operands."""
        if self.reason or found is None:
            return
        entry = self._nodes.get(node.seq)
        if entry is None:
            self.give_up(f"a pass through a graph of {node.row.name!r} that was made before the call, or by a write")
            return
        operands, results = entry
        if type(found) is tuple:
            if k < len(operands) or len(found) != len(results):
                self.give_up(f"{node.row.name}: what it saved is not known")
                return
            for t, value in zip(found, results, strict=True):
                if isinstance(t, Tensor):
                    t.traced = value.number
            return
        if not isinstance(found, Tensor) or k >= len(operands) + len(results):
            return
        value = operands[k] if k < len(operands) else results[k - len(operands)]
        if type(value) is Value:
            found.traced = (self._strong(value, found) if value.weak else value).number

    def workspace(self, node: Any, x: Any) -> Any:
        """What a node saved beside its results, which is no value of the program."""
        return x if self.reason or not isinstance(x, np.ndarray) else Workspace(self, node.row.name, x)

    def _strong(self, value: Value, t: Tensor) -> Value:
        """A Python float as an array of the dtype that it met."""
        made = self._value(t.shape, t.dtype)
        self.steps.append(Number("array", (value,), made, ""))
        return made

    def total(self, node: Any, before: Tensor | None, after: Tensor) -> Tensor:
        """The gradient that a leaf holds once `after` has been added."""
        leaf = node.tensor
        if leaf is None or (before is not None and before.traced not in self._known):
            self.give_up("a gradient is added to one from before the call; call zero_grad() in the function")
        elif before is None and id(leaf) not in self._cleared:
            self._ungraded[id(leaf)] = leaf
        return (after if before is None else before + after).detach()

    def cleared(self, leaves: Any) -> None:
        """The gradients of leaves were dropped."""
        for t in leaves:
            self._cleared[id(t)] = t

    def call(self, function: Callable[[], Any], tensors: list[Tensor], name: str) -> Any:
        """Something that is done as it is, at each call, when all steps have passed: it changes these Tensors."""
        self._publish()
        before = backend.set_tracer(None)
        try:
            result = function()
        finally:
            backend.set_tracer(before)
        if result is not None:
            self.give_up(f"{name} returned something")
        self.effects.append(Effect("call", function))
        for t in tensors:
            if id(t) not in self._bound:
                self._bind(t)
            self._bound[id(t)].called = name
        return result

    def _publish(self) -> None:
        """Gradients that leaves have got so far become effects."""
        if self.reason:
            return
        for t in self._cleared.values():
            if id(t) not in self._bound:
                self.place_of(t)
        for bound in list(self._bound.values()):
            t = bound.object
            if not isinstance(t, Tensor) or t.node is None or not t.is_leaf:
                continue
            grad = t.grad
            if grad is bound.grad and not (grad is None and id(t) in self._cleared):
                continue
            if grad is not None and grad.traced not in self._known:
                self.give_up("a gradient that was not computed in the call")
                return
            self.effects.append(Effect("grad", t, None if grad is None else self._known[grad.traced]))
            bound.grad = grad
            self._cleared.pop(id(t), None)

    def inplace(self, row: Row, t: Tensor, other: Any) -> Any:
        """`t op= other`."""
        if self.reason or not isinstance(t, Tensor):
            return self._untraced(row, t, *self.numbers((other,)))
        made = backend.apply(row, (t, other)) if self._may_write(t) else None
        result = self._untraced(row, t, *self.numbers((other,)))
        if made is not None and result is not NotImplemented:
            if made.dtype != t.dtype or made.shape != t.shape:
                self.give_up(f"{row.name}: a write in place that changes a dtype or a shape")
            else:
                self._moved(t, self.place_of(made), (t, other))
        return result

    def setitem(self, row: Row, t: Tensor, key: Any, value: Any) -> None:
        """`t[key] = value`."""
        key = self.key(key)
        if self.reason or not self._may_write(t):
            self._untraced(row, t, key, *self.numbers((value,)))
            return
        before, given = self.place_of(t), self._operand(value)
        self._untraced(row, t, key, *self.numbers((value,)))
        key = key if type(key) is tuple else (key,)
        made = self._value(before.shape, before.dtype)
        step = Instruction(ROWS["setitem"], (before, given), (self._parameter(key),), (made,), "")
        self.steps.append(step)
        self._made[made.number] = step
        self._moved(t, made, (before, given))

    def write(self, name: str) -> None:
        """A write in place that is not told in rows."""
        self.give_up(f"{name} writes in place")

    def _untraced(self, row: Row, *values: Any) -> Any:
        before = backend.set_tracer(None)
        try:
            return backend.write_plain(row, *values)
        finally:
            backend.set_tracer(before)

    def _may_write(self, t: Tensor) -> bool:
        """Whether a write to t changes no other Tensor that the trace knows; otherwise it is given up."""
        if t.base is not None or backend.sharers(t) == 2:
            self.give_up("a write to memory that several Tensors share")
            return False
        return True

    def _moved(self, t: Tensor, value: Value, operands: tuple[Any, ...]) -> None:
        """t was written to: it has another value from here on."""
        bound = self._bound.get(id(t))
        if bound is not None:
            bound.written = True
        t.traced = value.number
        if t.node is not None and t.node.seq not in self._nodes:
            given = tuple([self._operand(x) if not isinstance(x, Value) else x for x in operands])
            self._nodes[t.node.seq] = given, (value,)

    # The end

    def program(self, outputs: list[Any]) -> Program | None:
        """The program that makes these Tensors, or None where the trace was given up."""
        values = []
        for t in outputs:
            values.append(t.value if type(t) is Symbol else self.place_of(t))
            if isinstance(t, Tensor) and self._leads_out(t):
                self.give_up("a result has a graph that leads to other leaves, by which it may be differentiated later")
        self._publish()
        live: list[tuple[Value, Any]] = []
        for bound in list(self._bound.values()):
            self._settle(bound, live)
        if self.reason:
            return None
        values += [effect.value for effect in self.effects if effect.value is not None]
        return Program(
            tuple(self._inputs), tuple(live), tuple(self._constants), tuple(self.steps), tuple(values),
            tuple(self.effects), tuple(self._ungraded.values()),
        )  # fmt: skip

    def _settle(self, bound: Bound, live: list[tuple[Value, Any]]) -> None:
        """Whether what came from outside is a constant of the program, or is read at each call, or is written to."""
        alone = _holders(bound) <= _ALONE
        given = bound.object
        array = _values(given)
        if alone and (array.base is None or bound.written):
            self._constants.append((bound.value, bound.seen))  # nobody else has it
            return
        if bound.written:
            now = self._known.get(given.traced) if isinstance(given, Tensor) else None
            if now is None or given.node is not None or bound.called:
                self.give_up("a write to an array or Tensor from before the call that takes part in gradients")
                return
            self.effects.append(Effect("write", given, now))
        elif not bound.called and not _same(array, bound.seen):
            self.give_up("NumPy wrote to an array or Tensor from before the call")
        live.append((bound.value, given))

    def _leads_out(self, t: Tensor) -> bool:
        """Whether t has a graph that leads to a leaf that is no argument of the call."""
        if t.node is None:
            return False
        pending, seen = [t.node], {t.node.seq}
        while pending:
            node = pending.pop()
            if node.row is None:
                if not node.closed:
                    return True
                continue
            for other in node.inputs:
                if other is not None and other.seq not in seen:
                    seen.add(other.seq)
                    pending.append(other)
        return False


def _holders(bound: Bound) -> int:
    """How many references to the object there are beside the trace's own, and those of this function."""
    given, bound.object = bound.object, None
    count = sys.getrefcount(given)
    bound.object = given
    return count


_ALONE = _holders(Bound(Value(0, (), _WEAK), object(), np.zeros(0)))
"""What that is of an object that nobody else holds."""


def _values(given: Any) -> np.ndarray:
    if not isinstance(given, Tensor):
        return given  # type: ignore[no-any-return]
    before = backend.set_tracer(None)
    try:
        return given._array
    finally:
        backend.set_tracer(before)


def _same(a: np.ndarray, b: np.ndarray) -> bool:
    return a.shape == b.shape and a.dtype == b.dtype and a.tobytes() == b.tobytes()


def _line() -> str:
    """Where the user's code is, as `file:line`."""
    frame = sys._getframe(1)
    while frame is not None:
        name = frame.f_globals.get("__name__", "")
        if name != "zen" and not name.startswith("zen."):
            return f" ({frame.f_code.co_filename.rpartition('/')[2]}:{frame.f_lineno})"
        frame = frame.f_back  # type: ignore[assignment]
    return ""
