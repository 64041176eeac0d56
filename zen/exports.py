"""What a package shows: its `__all__` and `dir()`, made of the names that its `__init__` imports as themselves."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import FunctionType, ModuleType
from typing import Any


def shown(
    names: Mapping[str, Any], modules: Iterable[str] = (), place: str = ""
) -> tuple[list[str], Callable[[], list[str]]]:
    """`__all__` and `__dir__` for the globals of a package: without the modules that they were made in, but `modules`.

    `modules` may name what is loaded when it is first used, and so is not among the globals yet. Functions that were
    made in a module which is not shown say from then on that they stand in the package, or in `place`.
    """
    made = {n for n, value in names.items() if not n.startswith("_") and not isinstance(value, ModuleType)}
    package = names["__name__"]
    below = f"{package}."
    elsewhere = {below + module for module in modules}
    for name in made:
        function = names[name]
        if type(function) is FunctionType and function.__module__ not in elsewhere:
            if function.__module__.startswith(below):
                function.__module__ = place or package
    found = sorted(made - {"annotations", "TYPE_CHECKING"} | {*modules})
    return found, found.copy
