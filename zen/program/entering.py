"""What the walk does with an object when it first comes by: it is remembered, by the rules of `Reads`.

`Entering` is what `Following` (`following.py`) and with it `Walker` (`walking.py`) start from.
"""

from __future__ import annotations

import functools
import threading
import weakref
from collections import deque
from collections.abc import Callable
from enum import Enum
from types import (
    BuiltinFunctionType,
    CellType,
    FunctionType,
    MethodType,
    ModuleType,
)
from typing import Any

import numpy as np

from ..backend import Tensor
from ..batched import Batched
from .remembering import (
    CONTAINERS,
    DEEPEST,
    MISSING,
    SCALARS,
    Memory,
    instance_dict,
    is_a,
    is_generator,
    is_trusted,
    static,
)
from .slots import UNKNOWN, Mark, Slot

MOST = 20_000  # items in all
KINDS = CONTAINERS  # with their subclasses
_LIKE_CONTAINERS = ("__len__", "__iter__", "__getitem__", "keys", "values", "items", "get", "__contains__")


_PROXIES = (weakref.ProxyType, weakref.CallableProxyType)
_CONSTANT = frozenset({  # modules whose types without a `__dict__` are values, or made of functions
    "builtins", "types", "typing", "datetime", "_datetime", "zoneinfo", "decimal", "fractions", "re", "uuid", "pathlib",
    "ipaddress", "_thread", "threading", "operator", "functools", "numpy", "zen", "scipy",
})  # fmt: skip


class Entering:
    """What is loaded is remembered, by the rules of `Reads`; what may be called is walked (`walk_callable`)."""

    def __init__(self) -> None:
        self.memory = Memory()
        self.names: dict[int, str] = {}
        self.made: dict[Any, Any] = {}  # methods and marks: each once, so that slots stop growing
        self.escaped: list[Any] = []  # objects that the function may reach in ways that are not followed
        self.shared: dict[int, Any] = {}  # containers and arrays likewise
        self.asked: set[str] = set()  # names of attributes that the function reads of anything
        self.unknown_writes: dict[str, str] = {}  # what may be done to a shared object, and where
        self._known: dict[int, Any] = {}
        self._escapes: set[tuple[int, bool]] = set()

    def walk_callable(self, value: Any) -> None:
        raise NotImplementedError

    def once(self, key: Any, make: Callable[[], Any]) -> Any:
        """The object made for this key; the first makes it. The key's numbers belong to objects that stay alive."""
        if key not in self.made:
            self.made[key] = make()
        return self.made[key]

    def unfollowed(self, text: str) -> None:
        self.memory.opaque[f"{text} ({self.memory.where})"] = None

    # Values

    def loaded(self, value: Any, subject: str) -> Slot:
        """Remember a value that the function gets to see; returns the slot for it."""
        if value is MISSING:
            return UNKNOWN
        if type(value) not in SCALARS and id(value) not in self._known:
            self._enter(value, subject)
        return (value,)

    def _enter(self, value: Any, subject: str) -> None:
        pending = deque([(value, subject, 0)])
        while pending:
            value, subject, depth = pending.popleft()
            if type(value) in SCALARS or id(value) in self._known:
                continue
            if len(self.memory.items) > MOST:
                self.unfollowed(f"more than {MOST} values are read, {subject} among them")
                return
            self._known[id(value)] = value
            self.names.setdefault(id(value), subject)
            for x, name in self._remember(value, subject, depth):
                pending.append((x, name, depth + 1))

    def _remember(self, value: Any, subject: str, depth: int) -> list[tuple[Any, str]]:
        """Remember one value; returns what is in it."""
        memory = self.memory
        if is_a(value, np.ndarray):
            memory.array(value, subject)
            own = instance_dict(value)
            return memory.container(own, subject, attributes=True) if own else []
        if is_a(value, (Tensor, Batched)):
            memory.tensor(value, subject)
        elif is_generator(value):
            memory.keep(value)
            memory.generators.append(value)
        elif is_a(value, Enum | ModuleType | Mark | np.generic):
            memory.keep(value)
        elif is_a(value, KINDS):
            return self._contents(value, subject, depth)
        elif is_a(value, (BuiltinFunctionType, MethodType)):
            memory.keep(value)
            self.walk_callable(value)
            owner = value.__self__
            return [] if is_a(owner, (ModuleType, type)) else [(owner, f"the object of {subject}")]
        else:
            memory.keep(value)
            self._walk_loaded(value, depth)
            return self._parts(value, subject)
        return []

    def _walk_loaded(self, value: Any, depth: int) -> None:
        """Walk what is called sooner or later; any other object that may be called when it is, or where it escapes."""
        cls = type(value)
        known = is_a(value, (type, FunctionType, functools.partial)) or "__wrapped__" in (instance_dict(value) or {})
        inside = depth > 0 and is_a(static(cls, "__call__"), FunctionType) and not is_trusted(cls.__module__)
        if known or inside or static(cls, "_remembered", None) is not None:  # inside: whoever holds it may call it
            self.walk_callable(value)

    def _contents(self, value: Any, subject: str, depth: int) -> list[tuple[Any, str]]:
        if type(value) not in CONTAINERS and not is_trusted(type(value).__module__):
            for name in _LIKE_CONTAINERS:
                if is_a(static(type(value), name, None), FunctionType):
                    self.memory.keep(value)
                    self.unfollowed(f"{subject} is a {type(value).__name__}, which has a {name} of its own")
                    return []
        if depth >= DEEPEST:
            self.memory.too_deep(subject)
            return []
        return self.memory.container(value, subject)

    def _parts(self, value: Any, subject: str) -> list[tuple[Any, str]]:
        """Of an object that says so (`_remembered`), its attributes: all (...), or those of a tuple of names.

        A frozenset: all, and of those names the objects alone, as what is in them follows from the others.
        """
        if is_a(value, (type, FunctionType)):
            return []
        cls = type(value)
        wanted = static(cls, "_remembered", None)
        own = instance_dict(value)
        if own is None or wanted is None:
            if own is None and is_trusted(cls.__module__) and not self._is_constant(value, cls):
                self.unfollowed(f"{subject} is not followed: it is of class {cls.__module__}.{cls.__name__}")
            return []
        self.memory.identity(value, subject)
        if is_a(wanted, frozenset):
            parts = self.memory.container(own, subject, attributes=True)
            return [x for x in parts if not any([x[0] is own.get(name) for name in wanted])]
        if wanted is ...:
            self.names.setdefault(id(own), subject)
            return self.memory.container(own, subject, attributes=True)
        found = [(self.memory.slot(own, name, f"{name!r} of {subject}"), f"{subject}.{name}") for name in wanted]
        return [(x, name) for x, name in found if x is not MISSING]

    def _is_constant(self, value: Any, cls: type) -> bool:
        """Whether an object of the library's has no state that changes, or none that decides a result."""
        if is_a(value, (weakref.ref, functools.partial)):
            return True  # followed where it is called
        if static(cls, "__next__") is not MISSING or is_a(value, (threading.local, memoryview, *_PROXIES)):
            return False
        return cls.__module__.partition(".")[0] in _CONSTANT

    def named(self, value: Any) -> str:
        return self.names.get(id(value), f"a {type(value).__name__}")

    # Roots

    def global_(self, namespace: dict[str, Any], name: str) -> Slot:
        module = namespace.get("__name__", "?")
        value = self.memory.slot(namespace, name, f"global {name!r} of module {module}")
        if value is not MISSING:
            return self.loaded(value, f"global {name!r} of module {module}")
        found = namespace.get("__builtins__", {})
        builtin: dict[str, Any] = found.__dict__ if is_a(found, ModuleType) else found
        return self.loaded(self.memory.slot(builtin, name, f"builtin {name!r}"), f"builtin {name!r}")

    def cell(self, cell: CellType, name: str) -> Slot:
        return self.loaded(self.memory.cell(cell, f"the closed-over {name!r}"), f"the closed-over {name!r}")
