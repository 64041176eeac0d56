"""Errors about what a layer is made of, in the layer's own name: used by Module when one of zen's is made."""

from __future__ import annotations

import re
from types import FunctionType
from typing import Any

import numpy as np

from ..backend import Tensor
from ..ops.arguments import refuse_absent

_SIZES = {"kernel_size", "stride", "dilation", "output_size", "output_padding", "normalized_shape"}
_NUMBERS = {"int", "float", "bool", "None", "tuple"}
_OPTIONS = _NUMBERS | {"str"}


def check(kind: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """TypeError for Tensors where a module takes numbers and options, for text where it takes numbers, for a surplus.

    `nn.MSELoss(a, b)` is the first: PyTorch's function for it is `f.mse_loss`.
    """
    made = kind.__init__
    code, annotations = made.__code__, made.__annotations__
    names = code.co_varnames[1 : code.co_argcount]
    if kwargs and not code.co_flags & 8:
        refuse_absent(kind.__name__, kwargs, code.co_varnames[: code.co_argcount + code.co_kwonlyargcount])
    given = [*zip(names, args, strict=False), *kwargs.items()]
    for name, value in given:
        wanted = "int, or ints for each axis" if name in _SIZES else str(annotations.get(name, "Any"))
        words = {"int"} if name in _SIZES else set(re.findall(r"\w+", wanted))
        if _is_tensor(value) and words <= _OPTIONS:
            raise TypeError(f"{kind.__name__}: {name} is given a Tensor{_how_to_call(kind)}")
        if isinstance(value, str) and words <= _NUMBERS:
            raise TypeError(f"{kind.__name__}: {name} must be {wanted}, not {value!r}")
    if len(args) > len(names) and not code.co_flags & 4:
        options = ", ".join(code.co_varnames[len(names) + 1 :][: code.co_kwonlyargcount])
        count = "1 argument" if len(args) == 1 else f"{len(args)} arguments"
        raise TypeError(
            f"{kind.__name__}: {count} by position, but it takes {', '.join(names) or 'none'}"
            f"{f' (by name: {options})' if options else ''}{_how_to_call(kind)}"
        )


def rename(kind: Any) -> None:
    """Give the class `__init__` and `forward` of its own name where it inherits them, for Python's errors to name."""
    for method in ("__init__", "forward"):
        inherited = getattr(kind, method)
        if method not in vars(kind) and isinstance(inherited, FunctionType):
            own = FunctionType(
                inherited.__code__, inherited.__globals__, method, inherited.__defaults__, inherited.__closure__
            )
            own.__kwdefaults__, own.__annotations__ = inherited.__kwdefaults__, inherited.__annotations__
            own.__doc__, own.__module__ = inherited.__doc__, inherited.__module__
            own.__qualname__ = f"{kind.__name__}.{method}"
            setattr(kind, method, own)


def described(value: Any) -> str:
    """What was given in the place of a module, and what to give."""
    if isinstance(value, type):
        return f"the class {value.__name__}: write {value.__name__}(...), with parentheses"
    if isinstance(value, (list, tuple)):
        return f"a {type(value).__name__}: write *modules to pass each by itself"
    if callable(value):
        return f"the function {getattr(value, '__name__', value)!r}: wrap it in a Module whose forward calls it"
    return type(value).__name__


def _is_tensor(value: Any) -> bool:
    return isinstance(value, (Tensor, np.ndarray)) and value.ndim > 0


def _how_to_call(kind: Any) -> str:
    forward = getattr(kind.forward, "__code__", None)
    inputs = "x"
    if forward is not None and forward.co_argcount == 1:  # as Module has it: of containers that are not called
        return ""
    if forward is not None:
        needed = forward.co_argcount - len(kind.forward.__defaults__ or ())
        inputs = ", ".join(forward.co_varnames[1:needed])
    code, defaults = kind.__init__.__code__, kind.__init__.__defaults__ or ()
    options = "..." if code.co_argcount - 1 > len(defaults) else ""
    return f"; the module is made first, and then called on Tensors: nn.{kind.__name__}({options})({inputs})"
