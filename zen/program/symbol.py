"""What stands for a Python float of a call while its function is recorded.

Arithmetic with numbers is recorded; whatever needs the value itself, a comparison or a function of `math`, looks at it,
and the program then holds for this value alone.
"""

from __future__ import annotations

from typing import Any

import numpy as np

_NUMBERS = (int, float)


class Symbol:
    """A Python float whose value is an input of the program, or computed from such."""

    __slots__ = ("number", "trace", "value")

    def __init__(self, number: float, value: Any, trace: Any) -> None:
        self.number, self.value, self.trace = number, value, trace

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        return float

    def __float__(self) -> float:
        self.trace.looked(self.value, self.number)
        return self.number

    def __int__(self) -> int:
        return int(float(self))

    def __bool__(self) -> bool:
        return bool(float(self))

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        return np.array(float(self), dtype)

    def __getattr__(self, name: str) -> Any:
        if not hasattr(float, name):  # which is known without a look at the value
            raise AttributeError(f"'float' object has no attribute {name!r}")
        return getattr(float(self), name)

    def __repr__(self) -> str:
        return repr(float(self))

    def __str__(self) -> str:
        return str(float(self))

    def __format__(self, spec: str) -> str:
        return format(float(self), spec)

    def __hash__(self) -> int:
        return hash(float(self))

    def __neg__(self) -> Any:
        return self.trace.arithmetic("neg", (self,), -self.number)

    def __pos__(self) -> Any:
        return self

    def __abs__(self) -> float:
        return abs(float(self))

    def __round__(self, digits: Any = None) -> Any:
        return round(float(self), digits)


def _arithmetic(name: str, operator: str, compute: Any) -> None:
    def forward(self: Symbol, other: Any) -> Any:
        if type(other) is Symbol or type(other) in _NUMBERS:
            number = other.number if type(other) is Symbol else other
            return self.trace.arithmetic(operator, (self, other), compute(self.number, number))
        return NotImplemented

    def reflected(self: Symbol, other: Any) -> Any:
        if type(other) in _NUMBERS:
            return self.trace.arithmetic(operator, (other, self), compute(other, self.number))
        return NotImplemented

    setattr(Symbol, f"__{name}__", forward)
    setattr(Symbol, f"__r{name}__", reflected)


def _looking(name: str) -> None:
    def forward(self: Symbol, other: Any) -> Any:
        other = float(other) if type(other) is Symbol else other
        return getattr(float, f"__{name}__")(float(self), other)

    setattr(Symbol, f"__{name}__", forward)


for _name, _operator, _compute in (
    ("add", "+", lambda a, b: a + b),
    ("sub", "-", lambda a, b: a - b),
    ("mul", "*", lambda a, b: a * b),
    ("truediv", "/", lambda a, b: a / b),
):
    _arithmetic(_name, _operator, _compute)
for _name in (
    "eq",
    "ne",
    "lt",
    "le",
    "gt",
    "ge",
    "pow",
    "rpow",
    "floordiv",
    "rfloordiv",
    "mod",
    "rmod",
    "divmod",
    "rdivmod",
):
    _looking(_name)
