"""The types of arguments, for annotations: what zen's own signatures say, and what yours may say.

    from zen.typing import Array, ArrayLike

    def loss(weights: zen.Tensor, data: ArrayLike) -> zen.Tensor: ...
    def growth(state: Array) -> Array: ...

NumPy's own annotations say that its functions, and operators that begin with an ndarray, return an ndarray, though on
Tensors they return Tensors: `Array` stands for both. zen's functions, and what begins with a Tensor, return a Tensor.

Type checkers read this module; zen itself never imports it when it runs.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import EllipsisType
from typing import Any, Protocol, SupportsIndex, TypeAlias, TypeVar, Union

import numpy as np

from .backend import Tensor

__all__ = ["Array", "ArrayLike", "Axes", "Ints", "Key", "Nested", "Operand", "SupportsArray"]
__dir__ = __all__.copy

_Item = TypeVar("_Item", covariant=True)


class SupportsArray(Protocol):
    """What NumPy makes an array of: a pandas.Series, another library's array."""

    def __array__(self) -> np.ndarray[Any, Any]: ...


class Nested(Protocol[_Item]):
    """A list, tuple or other sequence, but no text: that asks whether it contains text alone."""

    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[_Item]: ...
    def __contains__(self, value: object, /) -> bool: ...
    def __getitem__(self, index: int, /) -> _Item: ...


# Union[...] below, because the operator | takes no types that are written as text.

ArrayLike: TypeAlias = Union[  # noqa: UP007
    Tensor, "np.ndarray[Any, Any]", np.generic, float, SupportsArray, "Nested[ArrayLike]"
]
"""What zen's functions take as an array: Tensors, arrays, numbers, and sequences of these in any depth."""

Array: TypeAlias = Union[Tensor, "np.ndarray[Any, Any]"]  # noqa: UP007
"""A Tensor or an ndarray: what NumPy's functions are written for and, called on either, return."""

Operand: TypeAlias = Union[Array, np.generic, float]  # noqa: UP007
"""What may stand beside a Tensor in arithmetic."""

Ints: TypeAlias = Union[SupportsIndex, "Nested[SupportsIndex]"]  # noqa: UP007
"""A shape, or what counts along axes: an int, or one for each axis."""

Axes: TypeAlias = SupportsIndex | tuple[SupportsIndex, ...] | list[int] | None
"""Axes of an array: one, several, or None for all."""

_Index: TypeAlias = Union[SupportsIndex, slice, EllipsisType, None, Tensor, "np.ndarray[Any, Any]", "Nested[Any]"]  # noqa: UP007

Key: TypeAlias = Union[_Index, tuple[_Index, ...]]  # noqa: UP007
"""What stands in the brackets of `t[key]`."""
