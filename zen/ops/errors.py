"""Errors of NumPy and of other functions of zen, under the name of the function that the user called."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def reworded(error: Exception, message: str) -> Exception:
    """An error of the same kind with another message.

    Kinds that are not made of a message alone, such as NumPy's of casts, become the next more general one.
    """
    for kind in type(error).__mro__:
        try:
            made = kind(message)
        except TypeError:
            continue
        if isinstance(made, Exception):
            return made
    raise AssertionError("every Exception is made of a message at last")


def asked(name: str, function: Callable[..., Any], *args: Any) -> Any:
    """The result of NumPy's function; its errors under the name of ours."""
    try:
        return function(*args)
    except (TypeError, ValueError, IndexError) as error:
        raise reworded(error, f"{name}: {error}") from None
