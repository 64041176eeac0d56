"""Kernels of whole layers and optimiser steps in plain NumPy: modules and functions named as in `zen/_core/kernels.py`.

A module is imported when it is first asked for.
"""

from __future__ import annotations

import importlib
from types import ModuleType


def __getattr__(name: str) -> ModuleType:
    try:
        return importlib.import_module(f".{name}", __name__)
    except ModuleNotFoundError as error:
        if error.name != f"{__name__}.{name}":
            raise
        raise AttributeError(f"no module of kernels is named {name!r}") from None
