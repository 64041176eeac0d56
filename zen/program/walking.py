"""The walk from a function to all that it depends on, and what it stores.

A frame is walked again while what is known of its variables, or of what its callees return, still grows. Slots only
grow, and are bounded, so this ends.
"""

from __future__ import annotations

from collections import deque
from types import CodeType, FunctionType
from typing import Any

import numpy as np

from ..backend import Tensor
from ..batched import Batched
from .bytecode import Walk
from .calling import Calling
from .remembering import MISSING, SCALARS, instance_dict, is_a, is_plain, static
from .slots import FRESH, GIVEN, UNKNOWN, WIDEST, Frame, Instance, Mark, Nested, Slot, union

BUDGET = 10_000  # instructions that are walked in all


class Walker(Calling):
    """Walks frames until nothing new is found. `stores`: what the function changes besides what it makes."""

    def __init__(self) -> None:
        super().__init__()
        self.stores: dict[str, None] = {}
        self.frames: dict[Any, Frame] = {}
        self.budget = BUDGET
        self.queue: dict[Frame, None] = {}
        self.stored_names: dict[str, str] = {}

    def run(self) -> None:
        """Walk until nothing is new, or the budget is spent, which is opaque."""
        done = -1
        while True:
            self._walk_queue()
            # names that are read of anything may be read of what escaped
            names, objects = list(self.asked), list(self.escaped)
            if len(names) * len(objects) == done or self.budget < 0:
                break
            done = len(names) * len(objects)
            self._ask(names, objects)
        self._unknown_stores()

    def _walk_queue(self) -> None:
        while self.queue:
            frame = next(iter(self.queue))
            del self.queue[frame]
            self.current = frame
            Walk(self, frame).run()
            self.current = None
            self.budget -= len(frame.instructions or ())
            if self.budget < 0:
                self.unfollowed(f"the function calls more code than is followed, {frame.code.co_qualname} among it")
                self.queue.clear()

    def _ask(self, names: list[str], objects: list[Any]) -> None:
        for value in objects:
            cls = value.cls if is_a(value, Instance) else type(value)
            for name in names:
                if static(cls, name) is not MISSING:
                    self.escape(self._attribute_of(value, name))

    def _unknown_stores(self) -> None:
        """What is done to objects that nobody knows may be done to those that escaped."""
        if self.shared:
            some = self.named(next(iter(self.shared.values())))
            for what, where in self.unknown_writes.items():
                self.stores[f"{where}: {what.format('what may be ' + some)}"] = None
        for value in [x for x in self.escaped if not is_a(x, Mark)]:
            for name, where in self.stored_names.items():
                if name in (instance_dict(value) or {}) or static(type(value), name) is not MISSING:
                    self.stores[f"{where}: attribute {name!r} of {self.named(value)} may be assigned"] = None

    # Frames

    def frame_of(self, function: FunctionType) -> Frame:
        frame = self.frames.get(id(function))
        if frame is None:
            code = function.__code__
            cells = dict(zip(code.co_freevars, function.__closure__ or (), strict=True))
            frame = self.frames[id(function)] = Frame(code, function.__globals__, cells)
            self.memory.keep(function)
            where = self.memory.where
            self.memory.function(function)
            self._defaults(function, frame)
            self.memory.where = where
            self.queue[frame] = None
        return frame

    def _defaults(self, function: FunctionType, frame: Frame) -> None:
        code, name = frame.code, function.__qualname__
        self.memory.where = f"line {code.co_firstlineno} of {code.co_qualname}"
        positional = code.co_varnames[: code.co_argcount]
        given = function.__defaults__ or ()
        pairs = list(zip(positional[len(positional) - len(given) :], given, strict=True))
        if function.__kwdefaults__:
            self.memory.container(function.__kwdefaults__, f"the defaults of {name}")
            pairs += function.__kwdefaults__.items()
        for argument, value in pairs:
            self.bind(frame, argument, self.loaded(value, f"the default of {argument!r} of {name}"))

    def at(self, place: str) -> None:
        self.memory.where = place

    def nested(self, frame: Frame, code: CodeType) -> Nested:
        inner = frame.inner.get(code)
        if inner is None:
            inner = frame.inner[code] = Frame(code, frame.namespace, {}, frame)
            self.queue[inner] = None
        made: Nested = self.once((id(inner), "nested"), lambda: Nested(inner))
        return made

    def bind(self, frame: Frame, name: str, slot: Slot) -> None:
        """A variable may hold these objects from now on."""
        have = frame.variables.get(name, UNKNOWN)
        whole = union(have, slot)
        if len(whole) > WIDEST:
            self.escape(slot)
            whole = have
        if whole is not have:
            frame.variables[name] = whole
            self._again(frame)

    def _again(self, frame: Frame) -> None:
        self.queue[frame] = None
        for inner in frame.inner.values():
            self._again(inner)

    def returned(self, frame: Frame, slot: Slot) -> None:
        if frame.is_open:
            self.escape(slot)
        whole = union(frame.returns, slot)
        if len(whole) > WIDEST:
            self.escape(slot)
        elif len(whole) != len(frame.returns):
            frame.returns = whole
            for caller in frame.callers:
                self.queue[caller] = None

    def opened(self, frame: Frame) -> None:
        """What calls this function is not followed: what it returns may go anywhere."""
        if not frame.is_open:
            frame.is_open = True
            self.escape(frame.returns)

    def imported(self, name: str) -> Slot:
        self.unfollowed(f"{name} is imported inside the function")
        return UNKNOWN

    # Side effects

    def stored(self, what: str) -> None:
        self.stores[f"{self.memory.where}: {what}"] = None

    def written(self, slot: Slot, what: str) -> None:
        """An object of this slot is changed in place."""
        for value in slot:
            if is_a(value, (Tensor, Batched, Mark, type(None))) or type(value) in SCALARS:
                continue
            if "by" in what and "()" not in what and is_a(value, (tuple, frozenset, np.generic)):
                continue  # += makes a new object
            self.stored(what.format(self.named(value)))
        if not slot:
            self.unknown_writes[what] = self.memory.where

    def attribute_stored(self, slot: Slot, name: str) -> None:
        for value in slot:
            if not is_a(value, Mark):
                self.stored(f"attribute {name!r} of {self.named(value)} is assigned")
                setter = static(type(value), name, None)
                if is_a(setter, property) and setter.fset is not None:
                    self.call_function(setter.fset, [(value,), UNKNOWN])
        if not slot:
            self.stored_names.setdefault(name, self.memory.where)

    def made_of(self, left: Slot, right: Slot) -> Slot:
        """The result of an operator: a new object, unless a class of the user's says otherwise."""
        return UNKNOWN if any(is_plain(x) and not is_a(x, Mark) for x in left + right) else (FRESH,)

    # The start

    def start(self, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Walk from a call: arguments that are data are known to be given, all else is followed."""
        self.loaded(function, "the function")
        while "__wrapped__" in (own := instance_dict(function) or {}) and not is_a(function, FunctionType):
            self._wrapper(function, own, None)
            function = own["__wrapped__"]
        slots = [self._given(x, f"argument {k}") for k, x in enumerate(args)]
        slots += [self._given(x, f"argument {name!r}") for name, x in kwargs.items()]
        self._enter_call(function, slots, tuple(kwargs))
        self.run()

    def _given(self, value: Any, subject: str) -> Slot:
        if is_data(value):
            return (GIVEN,)
        if type(value) in (list, tuple, dict):  # data and other objects: its data is none of the function's state
            for x in _others(value):
                self.escape(self.loaded(x, f"a part of {subject}"))
            return (GIVEN,)
        return self.loaded(value, subject)


def is_data(value: Any) -> bool:
    """Whether an argument is what a program computes with: it is given anew by each call."""
    if type(value) in (list, tuple, dict):
        return not _others(value)
    return type(value) in SCALARS or is_a(value, (np.ndarray, np.generic, Tensor, Batched))


def _others(value: Any) -> list[Any]:
    """What is no data in nested containers."""
    found, seen, pending = [], set(), deque([value])
    while pending:
        x = pending.popleft()
        if id(x) in seen:
            continue
        seen.add(id(x))
        if type(x) in (list, tuple):
            pending.extend(x)
        elif type(x) is dict:
            pending.extend(x.values())
        elif not is_data(x):
            found.append(x)
    return found
