"""From an object to what is read of it: attributes, elements, members of modules. No code of the user's is run.

`Following` is what `Walker` (`walking.py`) knows of objects. What it meets it enters into the `Memory`.
"""

from __future__ import annotations

import functools
import weakref
from enum import Enum
from types import (
    ClassMethodDescriptorType,
    FunctionType,
    GetSetDescriptorType,
    MappingProxyType,
    MemberDescriptorType,
    MethodType,
    ModuleType,
)
from typing import Any

import numpy as np

from ..backend import Tensor
from ..batched import Batched
from .entering import KINDS, Entering
from .remembering import (
    CONTAINERS,
    LONGEST,
    MISSING,
    SCALARS,
    SEQUENCES,
    instance_dict,
    is_a,
    is_plain,
    is_trusted,
    static,
)
from .slots import FRESH, GIVEN, SLICE, UNKNOWN, Elements, Instance, Mark, Method, Slot, Super, is_only, union

_NOT_OPERATORS = frozenset({
    "__init__", "__new__", "__repr__", "__str__", "__del__", "__reduce__", "__reduce_ex__", "__getstate__",
    "__setstate__", "__copy__", "__deepcopy__", "__init_subclass__", "__class_getitem__", "__set_name__", "__dir__",
    "__sizeof__", "__annotate__", "__class__", "__doc__", "__module__",
})  # fmt: skip

WRITES = frozenset({
    "append", "extend", "insert", "pop", "remove", "clear", "sort", "reverse", "update", "setdefault", "popitem", "add",
    "discard", "appendleft", "popleft", "extendleft", "rotate", "fill", "put", "partition", "resize", "itemset",
    "setfield", "setflags", "byteswap", "intersection_update", "difference_update", "symmetric_difference_update",
    "move_to_end", "__setitem__", "__delitem__", "__iadd__", "subtract",
})  # fmt: skip


class Following(Entering):
    """What is read of known objects, and what may be read of those that go where they are not followed."""

    def call_function(self, function: Any, args: list[Slot]) -> Slot:
        raise NotImplementedError

    def open_callable(self, value: Any) -> None:
        raise NotImplementedError

    def written(self, slot: Slot, what: str) -> None:
        raise NotImplementedError

    # Attributes

    def attribute(self, slot: Slot, name: str) -> Slot:
        """What the objects of a slot have under a name."""
        self.asked.add(name)
        if not slot and name in WRITES:
            self.unknown_writes["{} is changed by " + name + "()"] = self.memory.where
        found = UNKNOWN
        for value in slot:
            found = union(found, self._attribute_of(value, name))
        return found

    def _attribute_of(self, value: Any, name: str) -> Slot:
        if is_a(value, Mark):
            return self._of_mark(value, name)
        if is_a(value, ModuleType):
            return self._of_module(value, name)
        if is_a(value, type):
            return self._of_class(value, name)
        if is_a(value, (Tensor, Batched)):
            return UNKNOWN
        if is_a(value, np.ndarray) and name in ("T", "mT", "real", "imag", "flat", "base", "data"):
            return (value,)  # views: a write to one is a write to the array
        return self._of_object(value, name)

    def _of_mark(self, value: Mark, name: str) -> Slot:
        if isinstance(value, Instance):
            found = self.looked_up(value.cls, name)
            return UNKNOWN if found is MISSING else self._bound(value.cls, found, value, name)
        if isinstance(value, Super):
            instance = value.instance
            made = instance.cls if is_a(instance, Instance) else instance
            cls: type = made if is_a(made, type) else type(made)
            order = cls.__mro__
            rest = order[order.index(value.cls) + 1 :] if value.cls in order else ()
            return self._bound(cls, self._in_classes(rest, name), instance, name)
        return (GIVEN,) if value is GIVEN else UNKNOWN

    def _of_module(self, module: ModuleType, name: str) -> Slot:
        own = module.__dict__
        subject = f"{name!r} of module {module.__name__}"
        if name not in own and is_trusted(module.__name__):
            try:  # modules that load parts when they are first asked for
                value = getattr(module, name)
            except Exception:
                value = MISSING
            if name not in own:
                return self.loaded(value, subject)
        value = self.memory.slot(own, name, subject)
        if value is MISSING and "__getattr__" in own:
            return self.call_function(own["__getattr__"], [(FRESH,)])
        return self.loaded(value, subject)

    def _of_class(self, cls: type, name: str) -> Slot:
        found, meta = self.looked_up(cls, name), type(cls)
        if not is_trusted(meta.__module__) or found is MISSING:
            above = self.looked_up(meta, name)
            if is_a(above, property) or (found is MISSING and is_a(above, FunctionType)):
                return self._bound(meta, above, cls, name)
        return self._bound(cls, found, None, name)

    def looked_up(self, cls: type, name: str) -> Any:
        """What a class, or a base of it, has under a name; where it stands is remembered."""
        return self._in_classes(cls.__mro__, name)

    def _in_classes(self, classes: tuple[type, ...], name: str) -> Any:
        for cls in classes:
            if name in cls.__dict__:
                changes = cls.__flags__ & 256 == 0  # Py_TPFLAGS_IMMUTABLETYPE
                return self.memory.class_slot(cls, name) if changes else cls.__dict__[name]
            if not is_trusted(cls.__module__):
                self.memory.class_slot(cls, name)
        return MISSING

    def _of_object(self, value: Any, name: str) -> Slot:
        cls = type(value)
        own = instance_dict(value)
        subject = f"attribute {name!r} of {self.named(value)}"
        if not is_trusted(cls.__module__):
            self.memory.identity(value, self.named(value))
            if is_a(self._in_classes(cls.__mro__, "__getattribute__"), FunctionType):
                self.unfollowed(f"{cls.__name__} has a __getattribute__ of its own")
                self.escape((value,))
                return UNKNOWN
        found = self.looked_up(cls, name)
        if is_a(found, MemberDescriptorType):
            return self.loaded(self.memory.member(found, value, subject), subject)
        if name == "__dict__" and own is not None:
            self.escape((value,))
            return (own,)
        if name == "__class__":
            return self.loaded(cls, f"class {cls.__name__}")
        if is_a(found, property) or (found is not MISSING and static(type(found), "__set__") is not MISSING):
            return self._bound(cls, found, value, name)
        if own is not None:
            held = self.memory.slot(own, name, subject)
            if held is not MISSING:
                return self.loaded(held, subject)
        if found is MISSING:
            fallback = self._in_classes(cls.__mro__, "__getattr__")
            if is_a(fallback, FunctionType):
                return self.call_function(fallback, [(value,), (FRESH,)])
            return UNKNOWN
        return self._bound(cls, found, value, name)

    def _bound(self, cls: type, found: Any, value: Any, name: str) -> Slot:
        """What a descriptor found in a class gives for an object, or with None for the class itself."""
        if found is MISSING:
            return self._of_enum(cls, name) if value is None else UNKNOWN
        subject = f"{name!r} of class {cls.__name__}"
        if is_a(found, staticmethod):
            return self.loaded(found.__func__, subject)
        if is_a(found, classmethod):
            return self._method(found.__func__, cls)
        if is_a(found, ClassMethodDescriptorType):
            return (self.once((id(cls), name, "method"), lambda: Method(cls, name)),)
        if value is None:
            return self._of_enum(cls, name) or self.loaded(found, subject)
        if is_a(found, FunctionType):
            return self._method(found, value)
        if is_a(found, property):
            return self.call_function(found.fget, [(value,)])
        if is_a(found, functools.cached_property):
            return self.call_function(found.func, [(value,)])
        kind = type(found)
        if static(kind, "__get__") is MISSING:
            return self.loaded(found, subject)
        if is_a(found, GetSetDescriptorType) or is_a(value, Mark):
            return UNKNOWN
        if is_trusted(kind.__module__):
            if "__wrapped__" in (instance_dict(found) or {}):
                self.loaded(found, subject)
                return self._method(found, value)
            return (self.once((id(value), name, "method"), lambda: Method(value, name)),)
        self.escape((value,))
        return self.call_function(static(kind, "__get__"), [(found,), (value,), (cls,)])

    def _of_enum(self, cls: type, name: str) -> Slot:
        return (cls._member_map_[name],) if issubclass(cls, Enum) and name in cls._member_map_ else UNKNOWN

    def _method(self, function: Any, value: Any) -> Slot:
        def make() -> Any:
            return MethodType(function, value)

        method = self.once((id(function), id(value), "bound"), make)
        self.memory.keep(function)
        self.names.setdefault(id(method), getattr(function, "__qualname__", "a method"))
        self.loaded(method, self.names[id(method)])
        return (method,)

    # Elements

    def elements(self, slot: Slot) -> Slot:
        """What iterating over the objects of a slot gives."""
        found = UNKNOWN
        for value in slot:
            if is_a(value, Elements):
                found = union(found, value.elements)
            elif value is GIVEN:
                found = union(found, (GIVEN,))
            elif type(value) in CONTAINERS and len(value) <= LONGEST:
                self.loaded(value, self.named(value))
                found = union(found, tuple(value))
            elif is_a(value, np.ndarray):
                found = union(found, (value,))
            elif not is_a(value, Mark):
                self.escape((value,))
        return found

    def iterator(self, slot: Slot) -> Slot:
        found = self.elements(slot)
        if not found:
            return UNKNOWN
        return (self.once(("elements", *map(id, found)), lambda: Elements(found)),)

    def element(self, slot: Slot, key: Slot) -> Slot:
        """What `object[key]` gives: of an unknown key, all elements."""
        self.use(key)
        found = UNKNOWN
        for value in slot:
            if value is GIVEN or is_a(value, np.ndarray):
                found = union(found, (value,))
            elif is_a(value, Elements):
                found = union(found, (value,) if is_only(key, SLICE) else value.elements)
            elif is_only(key, SLICE) and type(value) in SEQUENCES:
                found = union(found, self.iterator((value,)))
            elif type(value) in (list, tuple, dict) and len(key) == 1 and type(key[0]) in (int, str):
                try:
                    found = union(found, (value[key[0]],))
                except (LookupError, TypeError):
                    pass
            elif type(value) in (dict, MappingProxyType):
                found = union(found, tuple(value.values()))
            elif type(value) in CONTAINERS:
                found = union(found, self.elements((value,)))
            elif not is_a(value, Mark):
                self.escape((value,))
        return found

    # Objects that go where they are not followed

    def use(self, *slots: Slot) -> None:
        """Operands and arguments, of which everything may be read, but which nobody keeps."""
        self.escape(*slots, shared=False)

    def escape(self, *slots: Slot, shared: bool = True) -> None:
        """Remember all that objects hold, as what follows may read it."""
        pending = [value for slot in slots for value in slot]
        while pending:
            value = pending.pop()
            self.open_callable(value)
            if type(value) in SCALARS or is_a(value, Mark):
                if is_a(value, Elements):
                    pending += value.elements
                elif is_a(value, Method) and value.name in WRITES and is_a(value.owner, (*KINDS, np.ndarray)):
                    self.written((value.owner,), "{} may be changed by " + value.name + "()")
                continue
            if is_a(value, (*KINDS, np.ndarray)) and shared:
                self.shared.setdefault(id(value), value)
            if (id(value), shared) not in self._escapes:
                self._escapes.add((id(value), shared))
                pending += self._held(value)

    def _held(self, value: Any) -> list[Any]:
        """What an object holds, remembered."""
        self.memory.keep(value)
        self.loaded(value, self.named(value))
        if is_a(value, KINDS):
            if len(value) > LONGEST:
                return []
            return list(value.values()) if is_a(value, dict) else list(value)
        if is_a(value, MethodType):
            return [value.__self__]
        if is_a(value, weakref.ref):
            return [value()]
        if not is_plain(value):
            return []
        cls, subject = type(value), self.named(value)
        if is_trusted(cls.__module__) and static(cls, "_remembered", None) is not None:
            return []
        if is_a(value, functools.partial):
            return []
        own = instance_dict(value)
        if own is not None and "__wrapped__" in own:
            return []
        if own and cls.__module__.partition(".")[0] == "zen":
            self.unfollowed(f"{subject} is a {cls.__name__} of zen, whose state is not followed")
            return []
        if not any(x is value for x in self.escaped):
            self.escaped.append(value)
        self.memory.identity(value, subject)
        found: list[Any] = []
        if own is not None:
            found += [x for x, name in self.memory.container(own, subject, attributes=True) if self.loaded(x, name)]
        if is_trusted(cls.__module__):
            return found
        for name in self._operators(cls):
            found += self._of_object(value, name)
        for base in cls.__mro__:
            for name, member in list(base.__dict__.items()):
                if is_a(member, MemberDescriptorType):
                    found += self._of_object(value, name)
        return found

    def _operators(self, cls: type) -> list[str]:
        """The methods of the user's that Python calls without naming them."""
        names = [(name, x) for c in cls.__mro__ if not is_trusted(c.__module__) for name, x in c.__dict__.items()]
        return [n for n, x in names if n[:2] == "__" and is_a(x, FunctionType) and n not in _NOT_OPERATORS]

    def instance(self, cls: type) -> Instance:
        """An object that the function makes of a class of the user's."""
        known = (id(cls), "instance") in self.made
        made: Instance = self.once((id(cls), "instance"), lambda: Instance(cls))
        if not known:
            self.memory.keep(cls)
            self.escaped.append(made)
            for name in [*self._operators(cls), "forward"]:
                self.escape(self._of_mark(made, name))
        return made
