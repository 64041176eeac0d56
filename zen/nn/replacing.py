"""Other values in the place of attributes of modules, for one thread, while a block runs. `stateless.py` calls this.

Attributes of a module are ordinary ones, and cost no more to read. While something is replaced, the module has a class
of its own whose members of these names, and whose `__dict__`, give each thread what it is to see: the thread that
replaced them the new values, every other the module's own. No thread waits for another.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from .module import Module

_DICT: Any = Module.__dict__["__dict__"]  # the instance's own, whatever its class says


class _Local(threading.local):
    def __init__(self) -> None:
        self.values: dict[int, dict[str, Any]] = {}


_local = _Local()
"""What this thread sees: for a module, by its id, all values of the names that are replaced."""
_lock = threading.Lock()
_users: dict[int, int] = {}
"""How many blocks replace something of a module, by its id."""
_classes: dict[tuple[type[Module], frozenset[str]], type[Module]] = {}


@contextmanager
def replaced(values: Mapping[int, tuple[Module, dict[str, Any]]]) -> Iterator[None]:
    """Run with other values: for each module, by its id, the module and all that this thread is to see by name."""
    before = {key: _local.values.get(key) for key in values}
    entered: list[Module] = []
    try:
        for key, (module, named) in values.items():
            _enter(module, frozenset(named))
            entered.append(module)
            _local.values[key] = {**(before[key] or {}), **named}
        yield
    finally:
        for module in entered:
            old = before[id(module)]
            if old is None:
                _local.values.pop(id(module), None)
            else:
                _local.values[id(module)] = old
            _leave(module)


def _enter(module: Module, names: frozenset[str]) -> None:
    with _lock:
        kind = type(module)
        base: Any = getattr(kind, "_replacing_base", kind)
        names |= getattr(kind, "_replacing_names", frozenset())
        if (base, names) not in _classes:
            _classes[base, names] = _made(base, names)
        module.__class__ = _classes[base, names]
        _users[id(module)] = _users.get(id(module), 0) + 1


def _leave(module: Module) -> None:
    with _lock:
        _users[id(module)] -= 1
        if not _users[id(module)]:
            del _users[id(module)]
            module.__class__ = getattr(type(module), "_replacing_base", type(module))


def _made(base: type[Module], names: frozenset[str]) -> type[Module]:
    def __reduce_ex__(self: Any, protocol: Any) -> Any:
        """As of the class that it has otherwise: another thread may copy the module or pickle it meanwhile."""
        kind, made = type(self), base.__reduce_ex__(self, protocol)
        if isinstance(made, str):
            return made
        function, args, *rest = made
        state = [dict(x) if isinstance(x, _Members) else x for x in rest]
        if getattr(function, "__name__", "") == "__newobj__":  # which pickle compares with the class of now
            function = _empty
        return function, tuple([base if x is kind else x for x in args]), *state

    return type(base.__name__, (base,), {
        **{name: _Member(name, base) for name in names}, "__dict__": property(_members),
        "__reduce_ex__": __reduce_ex__, "__module__": base.__module__, "__qualname__": base.__qualname__,
        "__doc__": base.__doc__, "_replacing_base": base, "_replacing_names": names,
    })  # fmt: skip


def _empty(kind: Any, *args: Any) -> Any:
    """A module to be filled by copy and pickle."""
    return kind.__new__(kind, *args)


class _Member:
    """The attribute `name`: this thread's value, or the module's own."""

    def __init__(self, name: str, base: type[Module]) -> None:
        self.name, self.base = name, base

    def __get__(self, module: Any, kind: Any = None) -> Any:
        if module is not None:
            seen = _local.values.get(id(module))
            if seen is not None and self.name in seen:
                return seen[self.name]
            own = _DICT.__get__(module)
            if self.name in own:
                return own[self.name]
        return getattr(super(kind, kind if module is None else module), self.name)

    def __set__(self, module: Any, value: Any) -> None:
        seen = _local.values.get(id(module))
        (_DICT.__get__(module) if seen is None or self.name not in seen else seen)[self.name] = value

    def __delete__(self, module: Any) -> None:
        members = _members(module)
        if self.name not in members:
            raise AttributeError(self.name)
        del members[self.name]


def _members(module: Any) -> Any:
    """`__dict__` of a module, as this thread sees it."""
    own, seen = _DICT.__get__(module), _local.values.get(id(module))
    return own if seen is None else _Members(own, seen)


class _Members(dict[str, Any]):
    """What a module has, with some values replaced. What is written goes to where it came from."""

    def __init__(self, own: dict[str, Any], seen: dict[str, Any]) -> None:
        super().__init__(own)
        super().update(seen)
        self._own, self._seen = own, seen

    def __setitem__(self, name: str, value: Any) -> None:
        super().__setitem__(name, value)
        (self._seen if name in self._seen else self._own)[name] = value

    def __delitem__(self, name: str) -> None:
        super().__delitem__(name)
        self._seen.pop(name, None)
        self._own.pop(name, None)

    def setdefault(self, name: str, default: Any = None) -> Any:
        if name not in self:
            self[name] = default
        return self[name]

    def update(self, *args: Any, **named: Any) -> None:
        for name, value in dict(*args, **named).items():
            self[name] = value

    def pop(self, name: str, *default: Any) -> Any:
        if name not in self:
            return super().pop(name, *default)
        value = self[name]
        del self[name]
        return value
