"""Older libraries' interfaces on zen's engine, so that programs written for them run with only their import changed.

`zenlib`, `gradflow`, `graph` and `scalar` each delegate values and gradients to zen; none differentiates by itself.
They are loaded when first used, as `zen.compat.scalar` or by `import zen.compat.zenlib.nn`.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from . import gradflow as gradflow
    from . import graph as graph
    from . import scalar as scalar
    from . import zenlib as zenlib

_MODULES = ("gradflow", "graph", "scalar", "zenlib")

__all__ = [*_MODULES]


if not TYPE_CHECKING:  # for whom there are no other names

    def __getattr__(name: str) -> object:
        if name not in _MODULES:
            raise AttributeError(f"module 'zen.compat' has no attribute {name!r}")
        from importlib import import_module

        return import_module(f"{__name__}.{name}")


def __dir__() -> list[str]:
    return __all__
