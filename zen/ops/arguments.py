"""What zen calls the arguments that users of PyTorch reach for: the advice in the error for an unknown one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn

_ARGUMENTS = {
    "dim": ("axis", "axes"), "dims": ("axis", "axes"), "dim0": ("axes",), "dim1": ("axis1", "axes"), "dim2": ("axis2",),
    "keepdim": ("keepdims",), "unbiased": ("correction",), "p": ("ord",),
}  # fmt: skip
"""What an argument of another library may be called in zen."""


def refuse(function: Any, unknown: Mapping[str, Any]) -> NoReturn:
    """Raise TypeError for arguments that `function` does not have, with what to write for the first of them.

    Functions take them as `**unknown: Never`: type checkers refuse any, as they do where nothing takes them.
    """
    code = function.__code__
    own = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    given = next(iter(unknown))
    for name in _ARGUMENTS.get(given, ()):
        if name in own:
            raise TypeError(f"{function.__name__}: there is no argument {given!r}; write {name}=")
    raise TypeError(f"{function.__name__}: there is no argument {given!r}; there are {', '.join(own)}")
