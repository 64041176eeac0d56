"""Kernels of whole layers and optimiser steps on arrays: `kernels.conv` is the module `_conv`.

A module is imported when it is first asked for, so that a program pays for the layers that it uses. A new one is found
without an entry here. `zen/_reference/kernels` has modules and functions of the same names in NumPy.
"""

from __future__ import annotations

from types import ModuleType


def __getattr__(name: str) -> ModuleType:
    from importlib import import_module  # a program without layers does not need it

    try:
        module = import_module(f"._{name}", __package__)
    except ModuleNotFoundError as error:
        if error.name != f"{__package__}._{name}":
            raise
        raise AttributeError(f"no module of kernels is named {name!r}") from None
    globals()[name] = module
    return module
