"""What a package shows: its `__all__` and `dir()`, made of the names that its `__init__` imports as themselves."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping
from types import FunctionType, ModuleType
from typing import Any

HOMES: dict[str, Container[Any]] = {}
"""The names in `zen`, `zen.f` and `zen.linalg`, and NumPy's functions that zen has: entered there. What `habits.py`
finds a missing name in."""


def shown(names: Mapping[str, Any], modules: Iterable[str] = ()) -> tuple[list[str], Callable[[], list[str]]]:
    """`__all__` and `__dir__` for the globals of a package: without the modules that they were made in, but `modules`.

    `modules` may name what is loaded when it is first used, and so is not among the globals yet.
    """
    made = {n for n, value in names.items() if not n.startswith("_") and not isinstance(value, ModuleType)}
    package = names["__name__"]
    elsewhere = {f"{package}.{module}" for module in modules}
    for name in made:
        placed(names[name], package, elsewhere)
    found = sorted(made - {"annotations", "TYPE_CHECKING"} | {*modules})
    return found, found.copy


def placed(value: Any, package: str, modules: Container[str]) -> Any:
    """The value. A function that was made in a module of the package which is not shown, so none of `modules`, says
    from now on that it stands in the package.
    """
    if type(value) is FunctionType and value.__module__ not in modules and value.__module__.startswith(f"{package}."):
        value.__module__ = package
    return value
