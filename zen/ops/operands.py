"""The arguments of functions: as something with a shape, as plain values, as constants, as whole numbers."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from ..backend import Tensor
from ..conversion import as_array, holds_gradients
from ..dtypes import COMPLEX, DEFAULT, FLOATING, NUMBERS, complexed
from .errors import reworded
from .nesting import nested


def operand(operation: str, x: Any) -> Any:
    """`x` as something with a shape: Tensors and arrays as they are, numbers and nested lists of them converted."""
    if isinstance(x, Tensor) or (type(x) is np.ndarray and x.dtype in NUMBERS):
        return x
    try:
        array = nested(x) if holds_gradients(x) else as_array(x)
    except (TypeError, ValueError) as error:
        raise reworded(error, f"{operation}: {error}") from None
    if array.dtype not in NUMBERS:
        raise TypeError(
            f"{operation}: cannot take {type(x).__name__} as an array of numbers; its dtype would be {array.dtype}"
        )
    return array


def floating(operation: str, x: Any) -> Any:
    """`x` as an operand of a floating dtype: integers and bools become the default one."""
    x = operand(operation, x)
    if x.dtype in COMPLEX:
        raise TypeError(f"{operation} is not defined here for complex numbers; compute with x.real, x.imag or abs(x)")
    return x if x.dtype in FLOATING else raw(x).astype(DEFAULT)


def raw(x: Any) -> Any:
    """The values of a Tensor or array, for what no gradient depends on (positions, masks)."""
    return x._array if isinstance(x, Tensor) else x


def number(x: Any) -> Any:
    """An option as it is, but a number of NumPy's as one of Python's, which decides no dtype."""
    return x.item() if isinstance(x, (np.generic, np.ndarray)) and not x.ndim else x


def constant(operation: str, argument: str, x: Any) -> Any:
    """The values of an argument that takes no part in gradients; TypeError for a Tensor that requires one.

    Numbers of NumPy become Python's, as those of `number`.
    """
    if not isinstance(x, Tensor):
        return number(x)
    if x.requires_grad:
        raise TypeError(f"{operation}: {argument} is a constant here, but it requires a gradient; detach() it")
    return x._array if x.ndim else x._array.item()


def whole(operation: str, argument: str, x: Any) -> int:
    """An argument that is a whole number; TypeError for what is none, and for a Tensor that requires a gradient."""
    try:
        return operator.index(constant(operation, argument, x))
    except TypeError as error:
        if isinstance(x, Tensor) and x.requires_grad:
            raise
        raise TypeError(f"{operation}: {argument} must be an int, not {x!r}") from error


def complex_of(real: np.ndarray, imag: np.ndarray) -> np.ndarray:
    """The array of complex numbers with these parts: what a kernel for real numbers made of each."""
    made = np.empty(real.shape, complexed(real.dtype))
    made.real, made.imag = real, imag
    return made
