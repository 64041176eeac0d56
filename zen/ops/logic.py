"""Comparisons, logic and tests of values: rows without derivatives. Their results are bools (integers for bitwise
rows on integers), so no gradient is lost.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..backend import binary, unary, wrap
from .operands import operand, raw
from .register import define, public
from .row import NOT_DIFFERENTIABLE, row

_ANY = (-3.0, 3.0)
_COMPARISONS = {
    "less": "a < b",
    "less_equal": "a <= b",
    "greater": "a > b",
    "greater_equal": "a >= b",
    "equal": "a == b",
    "not_equal": "a != b",
}
_LOGIC = {
    "logical_and": "Whether a and b are both non-zero.",
    "logical_or": "Whether a or b is non-zero.",
    "logical_xor": "Whether one of a and b is non-zero, but not both.",
}
_BITWISE = {
    "bitwise_and": "a & b: logical and of bools, bit by bit for integers. TypeError for floats.",
    "bitwise_or": "a | b: logical or of bools, bit by bit for integers. TypeError for floats.",
    "bitwise_xor": "a ^ b: exclusive or of bools, bit by bit for integers. TypeError for floats.",
}
_SHIFTS = {
    "bitwise_left_shift": ("left_shift", "a << b: the bits of integers moved up by b, zeros coming in below."),
    "bitwise_right_shift": ("right_shift", "a >> b: the bits of integers moved down by b, the sign coming in above."),
}
_TESTS = {
    "logical_not": "Whether x is zero.",
    "isnan": "Whether x is nan.",
    "isfinite": "Whether x is neither nan nor infinite.",
    "isinf": "Whether x is infinite.",
    "signbit": "Whether the sign of x is negative, that of -0.0 included.",
}


def _declare(name: str, args: str, domain: list[Any], doc: str, numpy: str, method: str | None) -> None:
    forward: Callable[..., Any] = getattr(np, numpy.partition(" ")[0] or name)
    count = len(args.split())
    declaration = row(
        name, args, forward, [NOT_DIFFERENTIABLE] * count, elementwise=True, domain=domain, complex=True, doc=doc
    )
    function = (unary if count == 1 else binary)(define(declaration))
    operands = "x: Tensor, array or number of any shape." if count == 1 else (
        "a, b: Tensors, arrays or numbers whose shapes broadcast; ValueError if they do not."
    )  # fmt: skip
    example = ", ".join(["zen.tensor([True, False])"] * count)
    function.__doc__ = f"{doc}\n\n{operands} The result has no gradient.\n\n>>> zen.f.{name}({example}).shape\n(2,)"
    public(numpy, method, name)(function)


for _name, _form in _COMPARISONS.items():
    _declare(_name, "a b", [_ANY, _ANY], f"`{_form}`, elementwise: a Tensor of bools.", _name, None)
for _name, _doc in _LOGIC.items():
    _declare(_name, "a b", ["bool", "bool"], _doc, _name, _name)
for _name, _doc in _BITWISE.items():
    _declare(_name, "a b", ["bool", "bool"], _doc, _name, None)
for _name, _doc in _TESTS.items():
    _declare(_name, "x", [_ANY], _doc, _name, _name if _name != "signbit" else None)
for _name, (_numpy, _doc) in _SHIFTS.items():
    _declare(_name, "a b", ["bool", "bool"], f"{_doc} TypeError for floats.", f"{_numpy} {_name}", None)
_declare(
    "bitwise_invert", "x", ["bool"], "~x: logical not of bools, bit by bit for integers. TypeError for floats.",
    "invert bitwise_not", None,
)  # fmt: skip


@public()
def isclose(a: Any, b: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Any:
    """Whether `abs(a - b) <= atol + rtol * abs(b)`, elementwise; a Tensor of bools.

    >>> zen.f.isclose(zen.tensor([1.0, 2.0]), zen.tensor([1.0, 2.1])).tolist()
    [True, False]
    """
    return wrap(np.asarray(np.isclose(_values("isclose", a), _values("isclose", b), rtol, atol, equal_nan)))


@public(method=None)
def allclose(a: Any, b: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> bool:
    """Whether all elements are close, as in `isclose`; a Python bool.

    >>> zen.f.allclose(zen.tensor([1.0, 2.0]), zen.tensor([1.0, 2.0]))
    True
    """
    return bool(np.allclose(_values("allclose", a), _values("allclose", b), rtol, atol, equal_nan))


@public(method=None)
def array_equal(a: Any, b: Any, equal_nan: bool = False) -> bool:
    """Whether shapes and all elements are equal; a Python bool.

    >>> zen.f.array_equal(zen.tensor([1.0, 2.0]), zen.tensor([1.0]))
    False
    """
    return bool(np.array_equal(_values("array_equal", a), _values("array_equal", b), equal_nan))


def _values(operation: str, x: Any) -> Any:
    return raw(operand(operation, x))
