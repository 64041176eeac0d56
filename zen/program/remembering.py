"""What is remembered of Python objects: the items behind `Reads`, and what it means that a value is the same.

An item is `(kind, owner, key, expected)`: what one owner has, never what is found along a path, so that a loop over a
flat list checks them all (`comparing.py`). Owners are kept alive, which makes an `is` safe.
"""

from __future__ import annotations

import functools
import gc
import os
import random
import sys
from array import array
from collections import deque
from collections.abc import Iterable
from enum import Enum
from itertools import islice
from operator import attrgetter
from types import BuiltinFunctionType, CellType, FunctionType, MappingProxyType, ModuleType
from typing import Any

import numpy as np

from ..backend import Tensor
from ..dtypes import NUMBERS

MISSING: Any = type("Missing", (), {})()
SCALARS = frozenset({int, float, complex, str, bytes, bool, type(None), range, slice, type(...), type(NotImplemented)})
SEQUENCES = (list, tuple, deque, bytearray, array)
CONTAINERS = (*SEQUENCES, dict, MappingProxyType, set, frozenset)
LONGEST, DEEPEST = 1000, 16  # elements of one container, and containers in containers, that are remembered

SLOT, CELL, MEMBER, CLASS, DICT, FUNCTION, TENSOR, ARRAY, COPY, ELEMENTS, LENGTH, KEYS, LIVE = range(13)
"""The kinds of items. SLOT: `owner.get(key)`. CELL: a closed-over variable. MEMBER: a slot; the key is its descriptor.
CLASS, DICT: of an object. FUNCTION, TENSOR: their `_PARTS`. ARRAY, COPY: the layout and the bytes of an array in one
piece, or of any. ELEMENTS: what iterating gives. LENGTH: of what has too many elements. KEYS: of a `__dict__`,
all strings. LIVE: of an array the layout alone."""

Item = tuple[int, Any, Any, Any]
FUNCTION_PARTS = attrgetter("__code__", "__defaults__", "__kwdefaults__")
TENSOR_PARTS = attrgetter("shape", "dtype", "requires_grad")
LAYOUT = attrgetter("shape", "strides", "dtype")
_OURS = frozenset({"zen", "numpy", "scipy", "builtins"})
_LIBRARY = os.path.dirname(os.__file__)


def is_a(value: Any, kinds: Any) -> bool:
    """isinstance by the real type: `__class__`, which isinstance asks as well, may be code of the user's."""
    return issubclass(type(value), kinds)


def static(cls: type, name: str, default: Any = MISSING) -> Any:
    """What a class has under a name, as it stands there."""
    for c in cls.__mro__:
        if name in c.__dict__:
            return c.__dict__[name]
    return default


def is_trusted(module: Any) -> bool:
    """Whether a module of this name is of zen, NumPy, SciPy or the standard library, whose functions are not walked."""
    return type(module) is str and _is_trusted(module.partition(".")[0])


@functools.cache
def _is_trusted(root: str) -> bool:
    if root in _OURS:
        return True
    if root not in sys.stdlib_module_names or root == "__main__":
        return False
    file = getattr(sys.modules.get(root), "__file__", None)  # a module of the user's may have a library's name
    return file is None or (file.startswith(_LIBRARY) and "site-packages" not in file)


def is_generator(value: Any) -> bool:
    """Whether it is a source of random numbers. `numpy.random`, slow to import, may not be there."""
    if is_a(value, random.Random):
        return True
    found = sys.modules.get("numpy.random")
    return found is not None and is_a(value, (found.Generator, found.RandomState, found.BitGenerator))


def instance_dict(value: Any) -> dict[str, Any] | None:
    """The `__dict__` of an object, by no code of its class."""
    try:
        found = object.__getattribute__(value, "__dict__")
    except (AttributeError, TypeError):
        return None
    return found if type(found) is dict else None


class Memory:
    """Collects items while a function is walked. `arrays`, `generators`, `opaque`: as in `Reads`."""

    def __init__(self) -> None:
        self.items: list[Item] = []
        self.subjects: list[tuple[str, str]] = []  # of each item: what it is, and where it is read
        self.arrays: list[np.ndarray] = []
        self.generators: list[Any] = []
        self.opaque: dict[str, None] = {}
        self.where = ""
        self.kept: dict[int, Any] = {}  # what is remembered, by its number: alive
        self._classes: dict[int, Any] = {}
        self._places: set[tuple[Any, ...]] = set()

    def keep(self, value: Any) -> None:
        self.kept.setdefault(id(value), value)

    def _add(self, subject: str, kind: int, owner: Any, key: Any, expected: Any) -> None:
        self.items.append((kind, owner, key, expected))
        self.subjects.append((subject, self.where))

    def _once(self, *place: Any) -> bool:
        """Whether a place, of which the first part is the owner, is new; then the owner is kept."""
        owner, *rest = place
        known = (id(owner), *rest)
        if known in self._places:
            return False
        self._places.add(known)
        self.keep(owner)
        return True

    # Places

    def slot(self, owner: Any, key: Any, subject: str) -> Any:
        """What a dict, or the view of a class's, has under a key; MISSING is remembered as well."""
        value = owner.get(key, MISSING)
        if self._once(owner, SLOT, key):
            self._add(subject, SLOT, owner, key, value)
        return value

    def class_slot(self, cls: type, key: str) -> Any:
        if id(cls) not in self._classes:  # each `cls.__dict__` is a new view; behind it lies one dict
            self.keep(cls)
            view: Any = cls.__dict__
            behind = gc.get_referents(view)
            real = len(behind) == 1 and type(behind[0]) is dict and behind[0].keys() == view.keys()
            self._classes[id(cls)] = behind[0] if real else view
        return self.slot(self._classes[id(cls)], key, f"{key!r} of class {cls.__name__}")

    def cell(self, cell: CellType, subject: str) -> Any:
        value = contents(cell)
        if self._once(cell, CELL):
            self._add(subject, CELL, cell, None, value)
        return value

    def member(self, descriptor: Any, owner: Any, subject: str) -> Any:
        """What a slot of an object holds."""
        value = slot_of(descriptor, owner)
        if self._once(owner, MEMBER, id(descriptor)):
            self.keep(descriptor)
            self._add(subject, MEMBER, owner, descriptor, value)
        return value

    def identity(self, value: Any, subject: str) -> None:
        """That the object keeps its class, and the dict of its attributes."""
        if not self._once(value, CLASS):
            return
        self._add(f"the class of {subject}", CLASS, value, None, type(value))
        own = instance_dict(value)
        if own is not None:
            self._add(f"the __dict__ of {subject}", DICT, value, None, own)

    # Values

    def function(self, value: FunctionType) -> None:
        if self._once(value, FUNCTION):
            subject = f"the code or the defaults of {value.__qualname__}"
            self._add(subject, FUNCTION, value, None, FUNCTION_PARTS(value))

    def array(self, value: np.ndarray, subject: str) -> None:
        if not self._once(value, ARRAY):
            return
        self.arrays.append(value)
        if value.dtype.hasobject:
            self.opaque[f"{subject} is an array of objects ({self.where})"] = None
        elif type(value) is np.ndarray and value.flags.c_contiguous and value.dtype in NUMBERS:
            self._add(subject, ARRAY, value, LAYOUT(value), bytearray(value.tobytes()))
        else:
            self._add(subject, COPY, value, LAYOUT(value), plain(value).tobytes())

    def tensor(self, value: Any, subject: str) -> None:
        if self._once(value, TENSOR):
            self._add(subject, TENSOR, value, None, TENSOR_PARTS(value))

    def container(self, value: Any, subject: str, attributes: bool = False) -> list[tuple[Any, str]]:
        """Remember which elements it has; returns them, with their names, for whoever remembers what is in them.

        attributes: it is the `__dict__` of what the subject names.
        """
        if not self._once(value, ELEMENTS):
            return []
        count = len(value)
        if count > LONGEST:
            much = f"{subject} has {count} elements, more than the {LONGEST} that are compared ({self.where})"
            self.opaque[much] = None
            self._add(subject, LENGTH, value, None, count)
            return []
        elements = list(value)
        if attributes and all([type(k) is str for k in elements]):
            self._add(subject, KEYS, value, None, tuple(elements))
        elif not is_a(value, (tuple, frozenset)):  # those stay what they are, though what is in them may not
            self._add(subject, ELEMENTS, value, None, elements)
        if not is_a(value, (dict, MappingProxyType)):
            return [(v, f"{subject}[{k}]") for k, v in enumerate(elements)]
        values = list(value.values())
        self._add(subject, ELEMENTS, value.values(), (elements, attributes), values)
        return [
            (v, f"{subject}.{k}" if attributes else f"{subject}[{key_name(k)}]")
            for k, v in zip(elements, values, strict=True)
        ]

    def too_deep(self, subject: str) -> None:
        self.opaque[f"{subject} is nested deeper than {DEEPEST} containers ({self.where})"] = None


def key_name(key: Any) -> str:
    return repr(key) if type(key) in SCALARS else type(key).__name__


def contents(cell: CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:
        return MISSING


def slot_of(descriptor: Any, owner: Any) -> Any:
    try:
        return descriptor.__get__(owner)
    except AttributeError:
        return MISSING


def plain(value: np.ndarray) -> np.ndarray:
    return value if type(value) is np.ndarray else value.view(np.ndarray)


def same_members(value: Iterable[Any], expected: Iterable[Any]) -> bool:
    """Whether two sets have the same elements, by identity where they are no scalars."""

    def names(elements: Iterable[Any]) -> set[tuple[type, Any]]:
        return {(type(x), x if type(x) in SCALARS else id(x)) for x in elements}

    return names(value) == names(expected)


def same_scalar(a: Any, b: Any) -> bool:
    """Whether two values of one type of SCALARS are the same: nan is nan, 0.0 is not -0.0."""
    if type(a) is float or type(a) is complex:
        return repr(a) == repr(b)  # shortest digits that give the number back, signs of zeros and nan
    if type(a) is slice:
        parts = [(a.start, b.start), (a.stop, b.stop), (a.step, b.step)]
        return all(x is y or (type(x) is type(y) and type(x) in SCALARS and same_scalar(x, y)) for x, y in parts)
    return bool(a == b)


def same(old: Any, new: Any, depth: int = 0) -> bool:
    """Whether a value means what another one does: the same object, or equal in every part.

    So a container in the place of an equal one is accepted. The first is remembered itself, and has not changed.
    """
    if old is new:
        return True
    kind, below = type(old), depth + 1
    if kind is not type(new) or depth > DEEPEST:
        return False
    if kind in SCALARS:
        return same_scalar(old, new)
    if is_a(old, np.generic):
        return bool(old.dtype == new.dtype) and old.tobytes() == new.tobytes()
    if kind in SEQUENCES or (is_a(old, tuple) and static(kind, "_fields") is not MISSING):
        return len(old) == len(new) and all([same(a, b, below) for a, b in zip(old, new, strict=True)])
    if kind is dict:
        if len(old) != len(new) or not all([same(a, b, below) for a, b in zip(old, new, strict=True)]):
            return False
        return all([same(a, b, below) for a, b in zip(old.values(), new.values(), strict=True)])
    return (kind is set or kind is frozenset) and same_members(new, old)


def is_plain(value: Any) -> bool:
    """Whether an object is nothing of what has a rule of its own: its attributes are what may be read of it."""
    kinds = (type, ModuleType, FunctionType, BuiltinFunctionType, Enum, np.ndarray, np.generic, Tensor, CellType)
    return not (type(value) in SCALARS or is_a(value, kinds) or type(value) in CONTAINERS or is_generator(value))


def shown(value: Any) -> str:
    """A value in a sentence, without running code of its class."""
    if value is MISSING:
        return "missing"
    if type(value) in SCALARS:
        text = repr(value)
        return text if len(text) <= 60 else text[:57] + "..."
    if is_a(value, np.generic):
        return f"{type(value).__name__}({value.item()!r})"
    if is_a(value, type):
        return f"class {value.__name__}"
    if is_a(value, FunctionType):
        return f"function {value.__qualname__}"
    if is_a(value, ModuleType):
        return f"module {value.__name__}"
    if is_a(value, np.ndarray):
        return f"an array of shape {value.shape}"
    if is_a(value, (dict, list, tuple, set, frozenset, deque)) and len(value) <= 4:
        parts = value.items() if is_a(value, dict) else ((None, v) for v in value)
        flat = [(k, v) for k, v in islice(parts, 4)]
        if all(type(k) in SCALARS and type(v) in SCALARS for k, v in flat):
            return repr(value)[:60]
    return f"a {type(value).__name__}"
