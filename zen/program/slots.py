"""What the walk knows of a variable: a slot, which is a tuple of the objects that it may hold, () if none is known.

A `Mark` stands for an object that is not there yet. A `Frame` has the variables of one function.
"""

from __future__ import annotations

import dis
from types import CellType, CodeType
from typing import Any, Protocol

Slot = tuple[Any, ...]
UNKNOWN: Slot = ()
WIDEST = 64  # objects in one slot


class Mark:
    """What a slot holds in the place of an object that is not there yet."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return self.name


FRESH, GIVEN = Mark("made by the function"), Mark("data that a call gives")
NULL, SLICE = Mark("NULL"), Mark("a slice")


class Elements(Mark):
    """An iterator over known objects."""

    def __init__(self, elements: Slot) -> None:
        super().__init__("an iterator")
        self.elements = elements


class Nested(Mark):
    """A function that is made where its `frame` stands in another's code."""

    def __init__(self, frame: Frame) -> None:
        super().__init__(frame.code.co_qualname)
        self.frame = frame


class Frame:
    """The names of one function, as they are known: variables, cells, globals; and what it returns."""

    def __init__(
        self, code: CodeType, namespace: dict[str, Any], cells: dict[str, CellType], parent: Frame | None = None
    ) -> None:
        self.code, self.namespace, self.cells, self.parent = code, namespace, cells, parent
        self.variables: dict[str, Slot] = {}
        self.returns: Slot = UNKNOWN
        self.is_open = False  # whether it may be called from where nothing is followed
        self.callers: dict[Frame, None] = {}
        self.inner: dict[CodeType, Frame] = {}
        self.instructions: list[dis.Instruction] | None = None

    def owner(self, name: str) -> Frame | None:
        """The frame that a variable of this name belongs to; None for a cell that was there before."""
        frame = self
        while name in frame.code.co_freevars:
            if name in frame.cells or frame.parent is None:
                return None
            frame = frame.parent
        return frame

    def cell(self, name: str) -> CellType | None:
        frame: Frame | None = self
        while frame is not None:
            if name in frame.cells:
                return frame.cells[name]
            frame = frame.parent
        return None


class Instance(Mark):
    """An object of a class of the user's, made by the function."""

    def __init__(self, cls: type) -> None:
        super().__init__(f"a new {cls.__name__}")
        self.cls = cls


class Super(Mark):
    """What `super()` is: the attributes of an object, looked for behind a class."""

    def __init__(self, cls: type, instance: Any) -> None:
        super().__init__("super()")
        self.cls, self.instance = cls, instance


class Method(Mark):
    """A method of a builtin type with the object that it was read of."""

    def __init__(self, owner: Any, name: str) -> None:
        super().__init__(f"{type(owner).__name__}.{name}")
        self.owner, self.name = owner, name


class Listener(Protocol):
    """Whom a walk over byte code tells what is done with slots, and asks what that gives: a `Walker` (`walking.py`)."""

    def at(self, place: str) -> None: ...
    def bind(self, frame: Frame, name: str, slot: Slot) -> None: ...
    def global_(self, namespace: dict[str, Any], name: str) -> Slot: ...
    def cell(self, cell: CellType, name: str) -> Slot: ...
    def imported(self, name: str) -> Slot: ...
    def attribute(self, slot: Slot, name: str) -> Slot: ...
    def super_of(self, classes: Slot, instances: Slot) -> Slot: ...
    def element(self, slot: Slot, key: Slot) -> Slot: ...
    def elements(self, slot: Slot) -> Slot: ...
    def iterator(self, slot: Slot) -> Slot: ...
    def made_of(self, left: Slot, right: Slot) -> Slot: ...
    def call(self, frame: Frame, called: Slot, args: list[Slot] | None, names: tuple[str, ...]) -> Slot: ...
    def nested(self, frame: Frame, code: CodeType) -> Nested: ...
    def returned(self, frame: Frame, slot: Slot) -> None: ...
    def use(self, *slots: Slot) -> None: ...
    def escape(self, *slots: Slot) -> None: ...
    def stored(self, what: str) -> None: ...
    def attribute_stored(self, slot: Slot, name: str) -> None: ...
    def written(self, slot: Slot, what: str) -> None: ...


def is_only(slot: Slot, mark: Mark) -> bool:
    return len(slot) == 1 and slot[0] is mark


def union(a: Slot, b: Slot) -> Slot:
    if a is b or not b:
        return a
    have = set(map(id, a))
    return a + tuple([x for x in b if id(x) not in have])
