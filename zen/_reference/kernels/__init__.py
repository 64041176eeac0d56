"""Kernels of whole layers and optimiser steps in plain NumPy: modules and functions named as in `zen/_core/kernels.py`.

A module is imported when it is first asked for.
"""

from __future__ import annotations

from types import ModuleType


def __getattr__(name: str) -> ModuleType:
    from importlib import import_module  # a program without layers does not need it

    try:
        return import_module(f".{name}", __name__)
    except ModuleNotFoundError as error:
        if error.name != f"{__name__}.{name}":
            raise
        raise AttributeError(f"no module of kernels is named {name!r}") from None
