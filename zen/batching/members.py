"""Operators, methods and protocols of Batched: those of Tensor, by the same functions."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import partial
from types import ModuleType
from typing import Any

import numpy as np

from .. import backend, creation, trees
from ..attached import members
from ..backend import Tensor
from ..batched import Batched, Unbatched
from ..ops import indexing
from ..ops.indexing import plain_key
from ..ops.register import FUNCTIONS, METHODS, ROWS, answering
from .applying import note

_BINARY = {
    "add": "add", "sub": "subtract", "mul": "multiply", "truediv": "divide", "floordiv": "floor_divide",
    "mod": "remainder", "pow": "power", "matmul": "matmul", "and": "bitwise_and", "or": "bitwise_or",
    "xor": "bitwise_xor", "lshift": "bitwise_left_shift", "rshift": "bitwise_right_shift",
}  # fmt: skip
_COMPARED = {
    "lt": "less", "le": "less_equal", "gt": "greater", "ge": "greater_equal", "eq": "equal", "ne": "not_equal",
}  # fmt: skip
_UNARY = {"neg": "negative", "pos": "positive", "abs": "abs", "invert": "bitwise_invert"}
_PROPERTIES = ("T", "mT", "mH", "real", "imag", "device", "itemsize", "nbytes")


def attach() -> None:
    """Put the members on the class."""
    for operator, name in _BINARY.items():
        setattr(Batched, f"__{operator}__", _binary(name))
        setattr(Batched, f"__r{operator}__", _reflected(name))
        setattr(Batched, f"__i{operator}__", _inplace(name))
    for operator, name in _COMPARED.items():
        setattr(Batched, f"__{operator}__", _binary(name))
    for operator, name in _UNARY.items():
        setattr(Batched, f"__{operator}__", _unary(name))
    for name in _PROPERTIES:
        setattr(Batched, name, property(members.PROPERTIES[name].fget))
    for name, function in {
        "__array_ufunc__": _array_ufunc, "__array_function__": _array_function, "__getattr__": _getattr,
        "__array_namespace__": _array_namespace, "__getitem__": _getitem, "__setitem__": _setitem, "__iter__": _iter,
        "__len__": _len, "detach": detach, "clone": clone,
    }.items():  # fmt: skip
        setattr(Batched, name, function)


def _binary(name: str) -> Any:
    def call(self: Batched, other: Any) -> Any:
        if not _is_operand(other):
            return NotImplemented
        return backend.apply(ROWS[name], (self, other))

    return call


def _reflected(name: str) -> Any:
    def call(self: Batched, other: Any) -> Any:
        if not _is_operand(other):
            return NotImplemented
        return backend.apply(ROWS[name], (other, self))

    return call


def _unary(name: str) -> Any:
    return lambda self: backend.apply(ROWS[name], (self,))


def _inplace(name: str) -> Any:
    def call(self: Batched, other: Any) -> Batched:
        _overwrite(self, backend.apply(ROWS[name], (self, other)))
        return self

    return call


def _is_operand(x: Any) -> bool:
    return isinstance(x, (Batched, Tensor, float, int, complex, np.ndarray, np.generic))


def _overwrite(x: Batched, new: Batched) -> None:
    """Give `x` the values of `new`. Where others see its memory, each example is computed by itself."""
    if x.shared or new.level is not x.level or new.shape != x.shape or new.dtype != x.dtype:
        raise Unbatched("an operation in place on a view, or of another shape or dtype")
    x.examples = new.examples


def _getitem(self: Batched, key: Any) -> Any:
    key = plain_key(key)
    later = [k.level for k in key if type(k) is Batched and k.level.depth > self.level.depth]
    if later:
        return indexing.getitem(self, key)
    return backend.apply(ROWS["getitem"], (self,), (key,))


def _setitem(self: Batched, key: Any, value: Any) -> None:
    _overwrite(self, backend.apply(ROWS["setitem"], (self, value), (plain_key(key),)))


def _len(self: Batched) -> int:
    if not self.ndim:
        raise TypeError("len() of a 0-d Tensor")
    return self.shape[0]


def _iter(self: Batched) -> Iterator[Any]:
    if not self.ndim:
        raise TypeError("iteration over a 0-d Tensor")
    return iter([self[k] for k in range(self.shape[0])])


def _getattr(self: Batched, name: str) -> Any:
    if (name in METHODS or name in METHODS.late) and not name.startswith("__"):
        return partial(_method, METHODS[name], self)  # which loads its family
    if hasattr(Tensor, name):
        raise Unbatched(f".{name} is of one example")
    raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")


def _method(function: Any, self: Batched, /, *args: Any, **options: Any) -> Any:
    try:
        return function(self, *args, **options)
    except Unbatched:
        return in_turn(function, (self, *args), options)


def detach(self: Batched) -> Batched:
    return Batched(self.examples.detach(), self.level)


def clone(self: Batched) -> Any:
    return backend.apply(ROWS["positive"], (self,))


def _array_namespace(self: Batched, /, *, api_version: str | None = None) -> ModuleType:
    return sys.modules[__name__.partition(".")[0]]


def _array_ufunc(self: Batched, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
    """A NumPy ufunc: by zen's function for it, or one example after the other."""
    if method == "__call__" and not options:
        function = answering(ufunc)
        if function is not None:
            return function(*inputs)
    return in_turn(getattr(ufunc, method), inputs, options)


def _array_function(self: Batched, func: Any, types: Any, args: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """A NumPy function: by zen's function for it, or one example after the other."""
    if func in _OF_SHAPES:
        return _OF_SHAPES[func](*[_shaped(x) for x in args], **options)
    function = answering(func)
    if function is None:
        return in_turn(func, args, options)
    try:
        return function(*args, **options)
    except (Unbatched, TypeError):
        return in_turn(func, args, options)


_OF_SHAPES: dict[Any, Any] = {
    np.shape: np.shape, np.ndim: np.ndim, np.size: np.size, np.iscomplexobj: np.iscomplexobj,
    np.isrealobj: np.isrealobj, np.result_type: np.result_type, np.can_cast: np.can_cast,
    np.zeros_like: creation.zeros_like, np.ones_like: creation.ones_like, np.empty_like: creation.empty_like,
}  # fmt: skip
"""What asks for nothing but shapes and dtypes."""


def _shaped(x: Any) -> Any:
    return np.broadcast_to(np.zeros((), x.dtype), x.shape) if type(x) is Batched else x


def in_turn(function: Any, args: Any, options: dict[str, Any]) -> Any:
    """What a function makes of the arguments of one example after the other."""
    held = [x for x in trees.values([list(args), options]) if type(x) is Batched]
    level = max([x.level for x in held], key=lambda level: level.depth)
    if not level.size:
        raise Unbatched("of no examples at all")
    note(getattr(function, "__name__", repr(function)))

    def part(b: int) -> Any:
        inner = trees.transform(
            lambda x: x.examples[b] if type(x) is Batched and x.level is level else x, [list(args), options]
        )
        return function(*inner[0], **inner[1])

    found = [part(b) for b in range(level.size)]
    leaves = [trees.values([tree]) for tree in found]
    if not all([isinstance(x, (Tensor, Batched, np.ndarray, np.generic, float, int)) for x in leaves[0]]):
        raise Unbatched("the result is no array")
    stacked = [Batched(FUNCTIONS["stack"](list(group)), level) for group in zip(*leaves, strict=True)]
    return trees.rebuild(found[0], stacked)
