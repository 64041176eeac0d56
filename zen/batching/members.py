"""Operators, methods and protocols of Batched: those of Tensor, by the same functions."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import partial
from types import ModuleType
from typing import Any

import numpy as np

from .. import backend, trees
from ..attached import members
from ..backend import Tensor
from ..batched import CALLER, Batched, Unbatched
from ..ops import indexing
from ..ops.axes import all_axes
from ..ops.data import asarray
from ..ops.indexing import plain_key
from ..ops.register import FUNCTIONS, METHODS, ROWS, answering
from .applying import check_running, note

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
    if not _is_alone(x) or new.level is not x.level or new.shape != x.shape or new.dtype != x.dtype:
        raise Unbatched("an operation in place on a view, or of another shape or dtype")
    x.examples = new.examples


_ALONE = 2
"""References to what x alone holds: its own, and that of the call."""


def _is_alone(x: Batched) -> bool:
    """Whether nobody else sees the memory of x: neither the caller of `vmap`, nor a view that still lives."""
    if x.shared is None:
        return True
    return x.shared is not CALLER and sys.getrefcount(x.shared) <= _ALONE


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
    if options.get("out") is not None:
        raise Unbatched(f"{ufunc.__name__} writes into an array from outside")
    if method == "__call__" and not options:
        function = answering(ufunc)
        if function is not None:
            return function(*inputs)
    made = None
    if method in ("reduce", "accumulate"):
        made = _along(ufunc, method, *inputs, **options)
    elif method == "outer" and not options and len(inputs) == 2:
        made = _outer(ufunc, *inputs)
    return in_turn(getattr(ufunc, method), inputs, options) if made is None else made


def _along(ufunc: np.ufunc, method: str, x: Any, axis: Any = 0, **options: Any) -> Any:
    """A ufunc along axes, one further on; None where more than the operand differs by example."""
    if not x.ndim or any([type(v) is Batched for v in options.values()]) or options.get("where", True) is not True:
        return None
    axes = tuple(range(x.ndim)) if axis is None else all_axes(f"{ufunc.__name__}.{method}", axis, x.shape)
    moved = axes[0] + 1 if len(axes) == 1 else tuple([k + 1 for k in axes])
    return Batched(getattr(ufunc, method)(x.examples, axis=moved, **options), x.level)


def _outer(ufunc: np.ufunc, a: Any, b: Any) -> Any:
    a, b = [x if type(x) is Batched else asarray(x) for x in (a, b)]
    return ufunc(FUNCTIONS["reshape"](a, (*a.shape, *(1,) * b.ndim)), b)


def _array_function(self: Batched, func: Any, types: Any, args: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """A NumPy function: by zen's function for it, or one example after the other."""
    if func in _OF_SHAPES:
        return _OF_SHAPES[func](*[_shaped(x) for x in args], **options)
    if func in _LIKE and args and type(args[0]) is Batched and not options.get("shape"):
        value, *rest = args
        if not any([type(x) is Batched for x in (*rest, *options.values())]):
            return Batched(func(value.examples, *rest, **options), value.level)
    function = answering(func)
    if function is None:
        made = _undifferentiated(func, args, options)
        return in_turn(func, args, options) if made is None else made
    try:
        return function(*args, **options)
    except (Unbatched, TypeError):
        return in_turn(func, args, options)


_OF_SHAPES: dict[Any, Any] = {
    np.shape: np.shape, np.ndim: np.ndim, np.size: np.size, np.iscomplexobj: np.iscomplexobj,
    np.isrealobj: np.isrealobj, np.result_type: np.result_type, np.can_cast: np.can_cast,
}  # fmt: skip
"""What asks for nothing but shapes and dtypes."""
_LIKE = {np.zeros_like, np.ones_like, np.empty_like}
"""What makes an array like another: one for each example, into which each may write."""


_OF_ELEMENTS = {np.digitize: 0, np.isin: 0, np.searchsorted: 1}
"""What has no derivative and treats each element of one operand, whose place this is, by itself."""
_OF_LINES = {np.argpartition: -1, np.nanargmax: None, np.nanargmin: None}
"""What has no derivative and works along an axis; this one if none is given."""


def _undifferentiated(func: Any, args: tuple[Any, ...], options: dict[str, Any]) -> Any:
    place = _OF_ELEMENTS.get(func, 0 if func in _OF_LINES else len(args))
    held = [x for x in trees.values([args, options]) if type(x) is Batched]
    if place >= len(args) or len(held) != 1 or args[place] is not held[0]:
        return None
    x = held[0].examples
    if func in _OF_LINES:
        axis = options.get("axis", _OF_LINES[func])
        if not held[0].ndim or options.get("keepdims") or len(args) > 1 + (func is np.argpartition):
            return None
        x = FUNCTIONS["reshape"](x, (x.shape[0], -1)) if axis is None else x
        options = {**options, "axis": 1 if axis is None else axis % held[0].ndim + 1}
    if type(x) is Tensor:
        x = x._array
    made = func(*args[:place], x, *args[place + 1 :], **options)
    return Batched(made if type(made) is Batched else backend.wrap(np.asarray(made)), held[0].level)


def _shaped(x: Any) -> Any:
    return np.broadcast_to(np.zeros((), x.dtype), x.shape) if type(x) is Batched else x


def in_turn(function: Any, args: Any, options: dict[str, Any]) -> Any:
    """What a function makes of the arguments of one example after the other."""
    held = [x for x in trees.values([list(args), options]) if type(x) is Batched]
    level = max([x.level for x in held], key=lambda level: level.depth)
    name = getattr(function, "__name__", repr(function))
    check_running(name, level)
    if not level.size:
        raise Unbatched("of no examples at all")
    note(name)

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
