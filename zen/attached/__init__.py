"""What is attached to Tensor, alike for both engines, when this package is imported.

The class itself belongs to the engine. Here it gets the names of its methods and properties, of NumPy's protocols and
of in-place writes, and the engine gets the hooks by which it calls back. What they do loads when it is first used;
`make stubs` lists the names in `zen/ops/late_names.py`.
"""

from types import FunctionType
from typing import TYPE_CHECKING, Any, NoReturn

from .. import backend
from ..ops import late_names, register

_HOOKS = {
    "convert": "conversion convert", "to_float": "conversion to_float", "connected": "ops.data connected",
    "overwritten": "writes overwritten", "repr": "attached.members represent", "setitem": "attached.inplace setitem",
    "inplace": "attached.inplace inplace", "resync": "attached.inplace resync", "note": "attached.inplace note",
    "getitem": "ops.indexing getitem",
}  # fmt: skip
"""What the engine calls back, by module and name."""


def _module(name: str) -> Any:
    from importlib import import_module

    return import_module(f"{__package__.rpartition('.')[0]}.{name}")


def _hook(hook: str, module: str, name: str) -> Any:
    """The hook until it is first called: it then puts the function itself in its place."""

    def call(*values: Any) -> Any:
        function = getattr(_module(module), name)
        backend.install(**{hook: function})
        return function(*values)

    return call


if not TYPE_CHECKING:  # for whom there are no other names

    def __getattr__(name: str) -> Any:
        if name in late_names.MEMBERS:
            return _module(f"attached.{name}")
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


class Late:
    """A member of Tensor that loads when it is first read, and then takes this one's place.

    home: the module of this package that has it among its METHODS; without one it is a method of a family.
    """

    def __init__(self, name: str, home: str = "") -> None:
        self.name, self.home = name, home

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self.member().__get__(instance, owner)

    def member(self) -> Any:
        if self.home:
            members = _module(f"attached.{self.home}").METHODS
            for name, member in members.items():
                _place(name, member)
            found = members[self.name]
        else:
            found = register.METHODS[self.name]
            _place(self.name, found)
        backend.attach(self.name, found)
        return found


def _protocol(name: str) -> Any:
    """A method that loads when it is called: NumPy takes any exception of the look-up, an interrupt too, for "none"."""

    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        return Late(name, "protocols").member()(self, *args, **kwargs)

    return call


def _place(name: str, member: Any) -> None:
    if type(member) is FunctionType and member.__module__ not in ("zen", "zen.f"):  # clamp_ is clip_
        register.placed(member, "zen", f"Tensor.{name}")


class LateProperty(Late):
    """A property; it may be set before it was read."""

    def member(self) -> Any:
        found = _module(f"attached.{self.home}").PROPERTIES[self.name]
        backend.attach(self.name, found)
        return found

    def __set__(self, instance: Any, value: Any) -> None:
        self.member().__set__(instance, value)

    def __delete__(self, instance: Any) -> None:
        self.member().__delete__(instance)


class Missing:
    """A name that Tensor does not have, in its dictionary all the same, to say what to write instead.

    It is no data descriptor: a subclass may define the name, and its instances may have it as an attribute.
    """

    def __init__(self, name: str) -> None:
        self.name = name

    def __get__(self, instance: Any, owner: Any = None) -> NoReturn:
        raise _module("habits").lacking(self.name)


backend.install(**{hook: _hook(hook, *place.split()) for hook, place in _HOOKS.items()})
_members: dict[str, Any] = {name: Missing(name) for name in late_names.MISSING.split()}
_members |= {name: Late(name) for name in register.METHODS.late}
for _home, _names in late_names.MEMBERS.items():
    _members |= {name: _protocol(name) if _home == "protocols" else Late(name, _home) for name in _names.split()}
for _home, _names in late_names.PROPERTIES.items():
    _members |= {name: LateProperty(name, _home) for name in _names.split()}
for _name, _member in _members.items():
    backend.attach(_name, _member)
