"""Functions made of a function: what `grad`, `value_and_grad`, `custom_vjp` and the other transforms return."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from types import MethodType
from typing import Any

import numpy as np


class Wrapper:
    """An object that is called in place of a function and looks like it: name, documentation, signature, binding.

    It is pickled, and copied, by the parts that it was made of; under its name where it has taken the function's place
    in its module, as a decorator does. The class itself has no annotations: they would stand in the place of the
    function's. `_name` is what errors call it.
    """

    _name = "zen"

    def __init__(self, function: Callable[..., Any]) -> None:
        if not callable(function):
            raise TypeError(f"{self._name}: expected a function, not {type(function).__name__}")
        self.__wrapped__ = function
        self.__doc__ = function.__doc__
        try:
            self.__module__ = function.__module__
        except AttributeError:
            pass

    def __getattr__(self, name: str) -> Any:
        """What else it has from the function. Looked up there: to copy it would be most of what making one costs."""
        if name in functools.WRAPPER_ASSIGNMENTS and "__wrapped__" in self.__dict__:
            return getattr(self.__dict__["__wrapped__"], name)
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else MethodType(self, instance)

    def __repr__(self) -> str:
        name = getattr(self, "__qualname__", repr(self._parts()[0]))
        return f"<zen.{type(self).__name__.strip('_')} of {name}>"

    def __reduce__(self) -> str | tuple[Any, ...]:
        name = getattr(self, "__qualname__", "")
        found: Any = sys.modules.get(self.__module__)
        for part in name.split("."):
            found = getattr(found, part, None)
        return name if found is self else (type(self), self._parts())

    def _parts(self) -> tuple[Any, ...]:
        """The arguments that make an equal object."""
        raise NotImplementedError


def check_chunk_size(name: str, size: Any) -> None:
    """ValueError unless it is how many are computed at a time, or None."""
    if size is not None and (isinstance(size, bool) or not isinstance(size, (int, np.integer)) or size < 1):
        raise ValueError(f"{name}: chunk_size is a positive int or None, not {size!r}")


class Recorded:
    """A function that belongs to the graph of one call: what `vjp` and `linearize` return beside the value.

    Copies are the function itself. It cannot be pickled, as the graph cannot; TypeError says what can.
    """

    __slots__ = ("__weakref__", "_call", "_name")

    def __init__(self, name: str, call: Callable[..., Any]) -> None:
        self._name, self._call = name, call

    def __call__(self, /, *args: Any) -> Any:
        return self._call(*args)

    def __repr__(self) -> str:
        return f"<the function that zen.{self._name} returned>"

    def __copy__(self) -> Recorded:
        return self

    def __deepcopy__(self, memo: Any) -> Recorded:
        return self

    def __reduce__(self) -> Any:
        raise TypeError(
            f"{self._name}: the function that it returned belongs to a graph, which cannot be pickled; pickle the "
            f"function and its arguments, and call zen.{self._name} in the other process"
        )
