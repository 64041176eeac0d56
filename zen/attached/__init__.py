"""What is attached to Tensor, alike for both engines, when this package is imported.

The class itself belongs to the engine. Here it gets its methods and properties, NumPy's protocols and in-place writes,
and the engine gets the hooks by which it calls back.
"""

from types import FunctionType

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
for _names in (
    habits.ATTRIBUTES,
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
