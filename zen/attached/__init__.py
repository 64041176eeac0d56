"""What is attached to Tensor, alike for both engines, when this package is imported.

The class itself belongs to the engine. Here it gets its methods and properties, NumPy's protocols and in-place writes,
and the engine gets the hooks by which it calls back.
"""

from types import FunctionType
from typing import Any

from .. import backend, habits, writes
from ..conversion import convert, to_float
from ..ops import data, register
from . import inplace, members, protocols

backend.install(
    convert=convert,
    connected=data.connected,
    repr=members.represent,
    to_float=to_float,
    setitem=inplace.setitem,
    inplace=inplace.inplace,
    resync=inplace.resync,
    overwritten=writes.overwritten,
    note=inplace.note,
)


class Late:
    """A method of a family that loads when the method is first read; it then takes this one's place."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        function = register.METHODS[self.name]
        backend.attach(self.name, function)
        return getattr(owner if instance is None else instance, self.name)


for _names in (
    habits.ATTRIBUTES,
    {name: Late(name) for name in register.METHODS.late},
    register.METHODS,
    inplace.METHODS,
    protocols.METHODS,
    members.METHODS,
    members.PROPERTIES,
):
    for _name, _member in _names.items():
        if type(_member) is FunctionType and _member.__module__ not in ("zen", "zen.f"):  # clamp_ is clip_
            register.placed(_member, "zen", f"Tensor.{_name}")
        backend.attach(_name, _member)
