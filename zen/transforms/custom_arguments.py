"""The arguments and results of one call of an operation with a derivative of the user's own.

What the derivative will read is held as it was at the call: containers are copied, the arrays in them go to the engine,
which saves them as it does any operand. The function gets arrays, so a gradient can only go by the arguments: that of a
Tensor which it takes from elsewhere would be lost, and is refused.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from .. import backend, trees
from ..backend import Tensor
from ..batched import Batched, Unbatched
from ..dtypes import NUMBERS, floating
from ..ops.operands import raw

_NUMBERS = (Tensor, np.ndarray, np.generic, float, complex)


class _Array:
    """The place of array `k` of those that were taken out of the static arguments."""

    def __init__(self, k: int) -> None:
        self.k = k


class Arguments:
    """The arguments of one call.

    operands: what may have a gradient, in order: Tensors and arrays, and numbers that are arguments of their own.
    arrays: those among the keywords. Both are given back by the engine, as they were at the call.
    """

    def __init__(self, name: str, args: tuple[Any, ...], keywords: dict[str, Any], nested_numbers: bool) -> None:
        self.operands: list[Any] = []
        self.arrays: list[np.ndarray] = []
        self.nested_numbers = nested_numbers
        for path, value in trees.leaves(keywords):
            if isinstance(value, Tensor):
                raise TypeError(
                    f"{name}: a Tensor as a keyword argument (at {path}) would lose its gradient; pass it as a "
                    "positional argument"
                )
        self.args = tuple([self._entered(x) for x in args])
        self.keywords = {key: trees.transform(self._taken, [value])[0] for key, value in keywords.items()}

    def _entered(self, argument: Any) -> Any:
        if is_number(argument):
            return self._operand(argument)
        wanted = is_number if self.nested_numbers else _is_array
        return trees.transform(lambda x: self._operand(x) if wanted(x) else x, [argument])[0]

    def _operand(self, value: Any) -> _Operand:
        self.operands.append(value)
        return _OPERAND

    def _taken(self, value: Any) -> Any:
        if not isinstance(value, np.ndarray):
            return value
        self.arrays.append(value)
        return _Array(len(self.arrays) - 1)

    def positional(self, operands: Any, otherwise: bool = True) -> tuple[Any, ...]:
        """The positional arguments with these operands; what is none stays, or (`otherwise` False) is None."""
        rest = iter(operands)
        made: tuple[Any, ...] = trees.transform(
            lambda x: next(rest) if x is _OPERAND else x if otherwise else None, self.args
        )
        return made

    def named(self, arrays: Any) -> dict[str, Any]:
        """The keyword arguments with these arrays."""
        made: dict[str, Any] = trees.transform(lambda x: arrays[x.k] if isinstance(x, _Array) else x, self.keywords)
        return made

    def evaluated(self, name: str, function: Callable[..., Any]) -> Any:
        """What the function makes of the arrays."""
        before = backend.recorded()
        args, keywords = self.positional([raw(x) for x in self.operands]), self.named(self.arrays)
        with np.errstate(all="ignore"):
            out = function(*args, **keywords)
        held = isinstance(out, np.ndarray) and sys.getrefcount(out) > 2  # by more than the variable and the argument
        if out is None:
            raise TypeError(f"{name}: the function returned None; it must return arrays")
        for path, leaf in trees.leaves(out):
            if type(leaf) is Batched:
                raise Unbatched(f"{name} uses a value that differs by example, and gets arrays of one")
            if isinstance(leaf, Tensor) and leaf.requires_grad:
                raise TypeError(_FREE.format(name, f"in its result{path and f' at {path}'}"))
        if backend.recorded() > before:
            found = next(_requiring(function), None)
            if found is not None:
                raise TypeError(_FREE.format(name, f"as {found!r}"))
        if isinstance(out, (tuple, list, dict)):
            return trees.transform(lambda x: np.array(raw(x)), out)
        return self._own(raw(out), held)

    def _own(self, out: Any, held: bool) -> np.ndarray:
        """The result as an array that nobody else holds. held: it is perhaps a buffer of the function's own."""
        array = np.asarray(out)
        shared = any([isinstance(x, np.ndarray) and np.may_share_memory(array, x)
                      for x in [*[raw(x) for x in self.operands], *self.arrays]])  # fmt: skip
        return array.copy() if held or shared or array.base is not None else array


class _Operand:
    """The place of an operand."""


_OPERAND = _Operand()


def is_number(x: Any) -> bool:
    return isinstance(x, _NUMBERS) or type(x) is int


def _is_array(x: Any) -> bool:
    return isinstance(x, Tensor) or (isinstance(x, np.ndarray) and x.dtype in NUMBERS)


def gradients_of(name: str, argument: Any, gradient: Any, path: str) -> Iterator[Any]:
    """The gradients of the operands in one argument, in order; None is one for all that it stands for."""
    if argument is _OPERAND:
        yield gradient
    elif isinstance(argument, (list, tuple, dict)):
        if gradient is not None and not _fits(argument, gradient):
            raise ValueError(f"{name}: the vjp returned a gradient for {path} that does not have its structure")
        for key in argument if isinstance(argument, dict) else range(len(argument)):
            part = None if gradient is None else gradient[key]
            yield from gradients_of(name, argument[key], part, f"{path}[{key!r}]")


def _fits(argument: Any, gradient: Any) -> bool:
    if isinstance(argument, dict):
        return isinstance(gradient, dict) and argument.keys() == gradient.keys()
    return isinstance(gradient, (list, tuple)) and len(argument) == len(gradient)


def filled(cotangents: Any, results: Any, recorded: bool) -> list[Any]:
    """The cotangents of several results, zeros for those that nobody used."""
    made = []
    for c, y in zip(cotangents, results, strict=True):
        if c is None:
            c = np.zeros(y.shape, floating(y.dtype))
            c = backend.wrap(c) if recorded else c
        made.append(c)
    return made


def _requiring(function: Any) -> Iterator[str]:
    """Names by which the function has what requires a gradient: Tensors, and modules with parameters."""
    try:
        found = inspect.getclosurevars(inspect.unwrap(function))
    except (TypeError, ValueError):
        return
    bound = getattr(function, "__self__", None)
    for name, value in {"self": bound, **found.globals, **found.nonlocals}.items():
        parameters = getattr(value, "parameters", None)
        held = list(parameters()) if callable(parameters) and not isinstance(value, type) else trees.values([value])
        if any([isinstance(x, Tensor) and x.requires_grad for x in held]):
            yield name


_FREE = (
    "{}: the function uses a Tensor that requires a gradient and is no argument of it ({}): its gradient would be "
    "lost; pass it as an argument, or use its detach()"
)
