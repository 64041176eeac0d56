"""What comes in as an operand, before it is an array: refusals of what NumPy would strip, and ragged sequences located.

`as_array` stands before every `np.asarray` of a user's value.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from ..backend import Tensor

SEQUENCES = (list, tuple)


def refuse_stripping(value: Any) -> None:
    """TypeError for an array whose meaning `np.asarray` would take away: a masked array, a matrix."""
    masked = sys.modules.get("numpy.ma")
    if masked is not None and isinstance(value, masked.MaskedArray):
        raise TypeError("a masked array would lose its mask; use its filled() values")
    if isinstance(value, np.matrix):
        raise TypeError("a numpy.matrix would lose its own * and **; pass numpy.asarray(matrix), and multiply with @")


def leaf_types(value: Any) -> set[type]:
    """The types of what nested lists and tuples hold."""
    types = set(map(type, value))
    inner = [kind for kind in types if issubclass(kind, SEQUENCES)]
    if inner:
        types.difference_update(inner)
        for part in value:
            if isinstance(part, SEQUENCES):
                types |= leaf_types(part)
    return types


def as_array(value: Any) -> np.ndarray:
    """`np.asarray(value)` of what is not a Tensor, with zen's errors: ValueError where it is ragged, naming the place.

    Tensors in sequences give their values; RuntimeError if one of them requires a gradient.
    """
    if isinstance(value, np.ndarray):
        refuse_stripping(value)
        return np.asarray(value)
    if isinstance(value, SEQUENCES):
        for kind in leaf_types(value):
            if issubclass(kind, np.ndarray) and kind is not np.ndarray:
                _each(value, refuse_stripping)
    try:
        return np.asarray(value)
    except OverflowError as error:
        raise ValueError(f"cannot make a Tensor of {describe(value)}: {error}") from None
    except ValueError as error:
        if "inhomogeneous" not in str(error):
            raise
        raise ValueError(
            f"cannot make a Tensor of a ragged {describe(value)}: {_ragged(value)}; "
            "pad the parts to one shape, or make a Tensor of each"
        ) from None


def holds_gradients(value: Any) -> bool:
    """Whether value is a nest of sequences in which a Tensor requires a gradient."""
    if not isinstance(value, SEQUENCES) or not any([issubclass(kind, Tensor) for kind in leaf_types(value)]):
        return False
    found: list[bool] = []
    _each(value, lambda part: found.append(isinstance(part, Tensor) and part.requires_grad))
    return any(found)


def describe(value: Any) -> str:
    """The kind of a value, for messages."""
    name = type(value).__name__
    return f"{name} of length {len(value)}" if isinstance(value, SEQUENCES) else name


def _each(value: Any, call: Callable[[Any], object]) -> None:
    for part in value:
        if isinstance(part, SEQUENCES):
            _each(part, call)
        else:
            call(part)


def _ragged(value: Any) -> str:
    """What differs first: `part [1] has shape (2,), but part [0] has shape (3,)`."""

    def shape(part: Any, place: str) -> tuple[int, ...] | str:
        if not isinstance(part, SEQUENCES):
            own: tuple[int, ...] = np.shape(part)
            return own
        first: tuple[int, ...] = ()
        for k, p in enumerate(part):
            found = shape(p, f"{place}[{k}]")
            if isinstance(found, str):
                return found
            if k and found != first:
                return f"part {place}[{k}] has shape {found}, but part {place}[0] has shape {first}"
            first = found
        return (len(part), *first)

    found = shape(value, "")
    return found if isinstance(found, str) else "its parts differ in shape"
