"""Where the values of a trace come from: arguments, what lies outside, constants. The base of `trace.Trace`.

A Tensor has a place in the trace by its number (`traced`); what is met without one existed before, or was made of
arrays. Such Tensors and arrays are read where they lie, at each replay, if somebody else still holds them when the
function has returned; otherwise nobody can change them, and what they hold is a constant.
"""

from __future__ import annotations

import itertools
import sys
from typing import Any

import numpy as np

from .. import backend
from ..backend import Tensor
from ..batched import Batched
from ..dtypes import INTEGER, KERNELS
from .instructions import Effect, Number, Value
from .symbol import Symbol

_numbers = itertools.count(1)
WEAK = np.dtype(np.float64)


class Refused(RuntimeError):
    """What a compiled function must not do, whatever its program."""


class Bound:
    """A Tensor or array from outside, as the trace met it."""

    __slots__ = ("called", "grad", "object", "seen", "value", "written")

    def __init__(self, value: Value, given: Any, seen: np.ndarray) -> None:
        self.value, self.object, self.seen = value, given, seen
        self.written, self.called = False, ""
        self.grad: Any = None


class Places:
    """The values of one trace. `reason`: why it was given up, or an empty string."""

    def __init__(self) -> None:
        self.steps: list[Any] = []
        self.effects: list[Effect] = []
        self.reason = ""
        self._known: dict[int, Value] = {}
        self._bound: dict[int, Bound] = {}
        self._constants: list[tuple[Value, np.ndarray]] = []
        self._arrays: dict[int, tuple[np.ndarray, Value]] = {}
        self._inputs: list[Value] = []
        self._layouts: dict[int, tuple[int, ...]] = {}
        self._roots: dict[int, Tensor] = {}
        self._made: dict[int, tuple[Tensor, Value, np.ndarray]] = {}
        self.mark = -next(_numbers)  # in place of a number: of Tensors that were made in the call and not met yet

    def give_up(self, reason: str) -> None:
        """Listen no longer. The first reason counts."""
        if not self.reason:
            self.reason = f"{reason}{line_of_user()}"

    def root(self, array: np.ndarray, requires_grad: bool = False) -> Tensor:
        """The Tensor that stands for an array of the call, which is its memory from here on."""
        t = backend.leaf(array, requires_grad)
        self._inputs.append(self._new(t))
        self._roots[id(t)] = t
        return t

    def symbol(self, number: float) -> Symbol:
        """What stands for a Python float of the call."""
        value = self._value((), WEAK, True)
        self._inputs.append(value)
        return Symbol(number, value, self)

    def _value(self, shape: tuple[int, ...], dtype: np.dtype, weak: bool = False) -> Value:
        value = Value(next(_numbers), shape, dtype, weak)
        self._known[value.number] = value
        return value

    def _new(self, t: Tensor) -> Value:
        value = self._value(t.shape, t.dtype)
        t.traced = value.number
        if t.ndim > 1:
            array = values_of(t)
            if not array.flags.c_contiguous:
                self._layouts[value.number] = array.strides
        return value

    def place_of(self, t: Tensor) -> Value:
        """The value that a Tensor has now."""
        known = self._known.get(t.traced)
        if known is not None:
            return known
        if t.traced == self.mark:
            return self._meet(t)
        bound = self._bound.get(id(t))
        return self._bind(t) if bound is None else self._current(bound)

    def _meet(self, t: Tensor) -> Value:
        """A Tensor that was made in the call of an array of its own: a constant."""
        array = values_of(t).copy()
        value = self._constant(array)
        t.traced = value.number
        self._made[id(t)] = t, value, array
        return value

    def _check_made(self) -> None:
        """Give up where NumPy wrote to a Tensor after the trace met it."""
        for t, value, array in self._made.values():
            if t.traced == value.number and not same_bits(values_of(t), array):
                self.give_up("NumPy wrote to a Tensor between two uses")

    def _bind(self, given: Any) -> Value:
        array = values_of(given)
        bound = Bound(self._value(array.shape, array.dtype), given, array.copy())
        if isinstance(given, Tensor):
            bound.grad = given.grad if given.is_leaf else None
        self._bound[id(given)] = bound
        return bound.value

    def _current(self, bound: Bound) -> Value:
        if bound.called:
            self.give_up(f"a parameter is used after {bound.called}")
        if isinstance(bound.object, np.ndarray) and not same_bits(bound.object, bound.seen):
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

    def _strong(self, value: Value, t: Tensor) -> Value:
        """A Python float as an array of the dtype that it met."""
        if t.dtype not in KERNELS:
            self.give_up(f"a number that met dtype {t.dtype}")
        made = self._value(t.shape, t.dtype)
        self.steps.append(Number("array", (value,), made))
        return made

    def fixed(self, params: tuple[Any, ...], inputs: tuple[Any, ...] = ()) -> tuple[Any, ...]:
        """The parameters of a row as it takes them: arrays in place of Tensors, numbers in place of symbols.

        The arrays stay values of the program; the numbers are constants from here on. A row on the examples of a vmap
        computes others of them, and gets Tensors.
        """
        if self._arrays and any([type(x) is Batched for x in inputs]):
            return tuple([self._loose(x) for x in params])
        for x in params:
            if isinstance(x, (tuple, Tensor)) or type(x) is Symbol:
                return tuple([self._fixed(x) for x in params])
        return params

    def _fixed(self, x: Any) -> Any:
        if type(x) is tuple:
            return tuple([self._fixed(part) for part in x])
        if isinstance(x, Tensor):
            value, array = self.place_of(x), values_of(x)
            self._arrays[id(array)] = array, value
            return array
        return float(x) if type(x) is Symbol else x

    def moves(self, params: Any) -> bool:
        """Whether parameters of a node hold values of the program, which are others at each call."""
        if isinstance(params, (tuple, list)):
            return any([self.moves(x) for x in params])
        return id(params) in self._arrays

    def _loose(self, x: Any) -> Any:
        if type(x) is tuple:
            return tuple([self._loose(part) for part in x])
        if isinstance(x, np.ndarray) and id(x) in self._arrays:
            t: Tensor = backend.wrap(x)
            t.traced = self._arrays[id(x)][1].number
            return t
        return float(x) if type(x) is Symbol else x

    def key(self, key: Any) -> Any:
        """A key between brackets as an operation takes it. Whatever decides a shape is looked at."""
        if type(key) is tuple:
            return tuple([self.key(part) for part in key])
        is_positions = isinstance(key, Tensor) and key.ndim > 0 and key.dtype in INTEGER
        return self._fixed(key) if is_positions else key

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

    def _settle(self, bound: Bound, live: list[tuple[Value, Any]], holders: int) -> None:
        """Whether what came from outside is a constant of the program, or is read at each call, or is written to.

        holders: references by what becomes the result.
        """
        alone = _holders(bound) <= _ALONE + holders
        given = bound.object
        array = values_of(given)
        if alone and (array.base is None or bound.written):
            self._constants.append((bound.value, bound.seen))  # nobody else has it
            return
        if bound.written:
            now = self._known.get(given.traced) if isinstance(given, Tensor) else None
            if now is None or not given.is_leaf or bound.called:
                self.give_up("a write to an array or Tensor from before the call that takes part in gradients")
                return
            self.effects.append(Effect("write", given, now))
        elif not bound.called and not same_bits(array, bound.seen):
            self.give_up("NumPy wrote to an array or Tensor from before the call")
        live.append((bound.value, given))


def _holders(bound: Bound) -> int:
    """How many references to the object there are beside the trace's own, and those of this function."""
    given, bound.object = bound.object, None
    count = sys.getrefcount(given)
    bound.object = given
    return count


_ALONE = _holders(Bound(Value(0, (), WEAK), object(), np.zeros(0)))
"""What that is of an object that nobody else holds."""


def values_of(given: Any) -> np.ndarray:
    if not isinstance(given, Tensor):
        return given  # type: ignore[no-any-return]
    return backend.call_tracing(None, getattr, given, "_array")  # type: ignore[no-any-return]


def same_bits(a: np.ndarray, b: np.ndarray) -> bool:
    return a.shape == b.shape and a.dtype == b.dtype and a.tobytes() == b.tobytes()


def line_of_user() -> str:
    """Where the user's code is, as `file:line`."""
    frame: Any = sys._getframe(1)
    while frame is not None:
        name = frame.f_globals.get("__name__", "zen")  # formulas of rows have none
        if name != "zen" and not name.startswith("zen."):
            return f" ({frame.f_code.co_filename.rpartition('/')[2]}:{frame.f_lineno})"
        frame = frame.f_back
    return ""
