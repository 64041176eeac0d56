"""Functions of NumPy without a row, as rows of programs: on Tensors that take part in no gradient."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..backend import Row, Tensor
from ..dtypes import SUPPORTED


class Place:
    """Stands for operand `position` in the arguments of a call."""

    __slots__ = ("position",)

    def __init__(self, position: int) -> None:
        self.position = position


def outlined(x: Any, leaves: list[Any]) -> Any:
    """Nested arguments with a Place for each Tensor, which is put into `leaves`."""
    if isinstance(x, Tensor):
        leaves.append(x)
        return Place(len(leaves) - 1)
    if isinstance(x, dict):
        return {key: outlined(part, leaves) for key, part in x.items()}
    if isinstance(x, (list, tuple)):
        parts = [outlined(part, leaves) for part in x]
        if hasattr(x, "_fields"):
            return type(x)(*parts)
        return tuple(parts) if isinstance(x, tuple) else parts
    return x.copy() if isinstance(x, np.ndarray) else x


def filled(form: Any, arrays: tuple[Any, ...]) -> Any:
    """The arguments again."""
    if type(form) is Place:
        return arrays[form.position]
    if isinstance(form, dict):
        return {key: filled(part, arrays) for key, part in form.items()}
    if isinstance(form, (list, tuple)):
        parts = [filled(part, arrays) for part in form]
        if hasattr(form, "_fields"):
            return type(form)(*parts)
        return tuple(parts) if isinstance(form, tuple) else parts
    return form


def numpy_row(name: str, called: Callable[..., Any], form: Any, arrays: list[Any]) -> Row:
    """The row of a call; TypeError where it does not return arrays."""

    def forward(*given: Any) -> Any:
        args, options = filled(given[-1], given[:-1])
        return called(*args, **options)

    def prepare() -> tuple[tuple[Any, ...], tuple[Any, ...]]:
        return (None,) * len(arrays), ((0,) * (len(arrays) + 1),) * len(arrays)

    result = forward(*arrays, form)
    several = isinstance(result, (tuple, list))
    for part in result if several else (result,):
        if getattr(part, "dtype", None) not in SUPPORTED:
            raise TypeError(f"{name} returns {type(part).__name__}, which is no value of a program")
    return Row(name, len(arrays), forward, prepare, several=-1 if several else 0)
