"""The arguments of functions: as something with a shape, as plain values, as constants, as whole numbers."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from .. import backend
from ..backend import Tensor, tracer
from ..batched import Batched, Unbatched
from ..conversion import as_array, holds_gradients
from ..dtypes import COMPLEX, DEFAULT, FLOATING, NUMBERS, complexed
from .errors import reworded
from .nesting import nested

_INSTEAD = {
    "mse_loss": "write (abs(input - target) ** 2).mean()",
    "cosine_similarity": "write (x1 * x2.conj()).real.sum(axis) over the lengths, or its modulus without .real",
    "cdist": "write abs(x1[..., :, None, :] - x2[..., None, :, :]) and take its norm",
}
"""What to write for complex numbers where their parts and their modulus alone would not do."""


def operand(operation: str, x: Any) -> Any:
    """`x` as something with a shape: Tensors and arrays as they are, numbers and nested lists of them converted."""
    if isinstance(x, Tensor) or (type(x) is np.ndarray and x.dtype in NUMBERS) or type(x) is Batched:
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


def floating(operation: str, x: Any, or_complex: bool = False) -> Any:
    """`x` as an operand of a floating dtype: integers and bools become the default one. TypeError for complex numbers,
    unless they may be."""
    x = operand(operation, x)
    if x.dtype in COMPLEX:
        if or_complex:
            return x
        instead = _INSTEAD.get(operation, "compute with x.real, x.imag or abs(x)")
        raise TypeError(f"{operation} is not defined here for complex numbers; {instead}")
    return x if x.dtype in FLOATING else raw(x).astype(DEFAULT)


def raw(x: Any) -> Any:
    """The values of a Tensor or array, for what no gradient depends on (positions, masks).

    While a program is recorded, a Tensor without a graph, on which NumPy's functions are NumPy's own: what they make of
    it is part of the program.
    """
    if type(x) is Batched:
        raise Unbatched("an operation reads values, which differ by example")
    if not isinstance(x, Tensor):
        return x
    own = tracer()
    return x._array if own is None else own.raw(x)


def leaf_of(x: Any) -> Tensor:
    """A new leaf with the values of a Tensor or array, on its memory."""
    values = raw(x)
    made: Tensor = values.requires_grad_() if isinstance(values, Tensor) else backend.leaf(values, True)
    return made


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


def by_parts(function: Callable[..., Any], arrays: tuple[Any, ...], *params: Any) -> Any:
    """A function of real arrays that is linear in each of them, of arrays that may be complex."""
    for k, x in enumerate(arrays):
        if x.dtype in COMPLEX:
            one, other = [
                by_parts(function, (*arrays[:k], part, *arrays[k + 1 :]), *params) for part in (x.real, x.imag)
            ]
            if one.dtype in COMPLEX:
                return complex_of(one.real - other.imag, one.imag + other.real)
            return complex_of(one, other)
    return function(*arrays, *params)


def complex_of(real: np.ndarray, imag: np.ndarray) -> np.ndarray:
    """The array of complex numbers with these parts: what a kernel for real numbers made of each."""
    made = np.empty(real.shape, complexed(real.dtype))
    made.real, made.imag = real, imag
    return made
