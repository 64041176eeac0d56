"""The public functions of the elementwise rows.

Made from the declarations in `elementwise.py`: name, docstring, NumPy dispatch and method follow from the row. Written
out here are only those whose signature differs from their row's.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..backend import Tensor, apply, binary, unary
from ..dtypes import BOOLEAN, COMPLEX, DEFAULT, EXACT, FLOATING, INTEGER
from . import elementwise
from .axes import either
from .casting import astype, inexact
from .operands import floating, number, operand, raw, whole
from .overwriting import written
from .register import FUNCTIONS, ROWS, define, public
from .row import Row

_INPLACE = {"relu", "silu", "selu", "mish", "hardswish"}
"""The functions that take PyTorch's `inplace` besides their argument."""
_OPERANDS = {
    1: "input (x): Tensor, array or number of any shape.",
    2: "{}, {}: Tensors, arrays or numbers whose shapes broadcast.",
}


def _documentation(declaration: Row) -> str:
    """The docstring that the declaration holds: what it computes, its arguments and its derivatives."""
    args = declaration.args
    lines = [declaration.doc, "", _OPERANDS[len(args)].format(*args)]
    lines.append("Returns a Tensor of the broadcast shape" if len(args) == 2 else "Returns a Tensor of the same shape")
    lines[-1] += "; dtypes promote as in NumPy, and Python numbers take the dtype of the Tensor."
    if declaration.name in _INPLACE:
        lines.append("inplace: the result is written into the input, a Tensor, which is returned.")
    lines.append("Derivatives, for a cotangent g and the result y:")
    assert isinstance(declaration.vjp, tuple)
    lines += [f"    {arg}: {formula}" for arg, formula in zip(args, declaration.vjp, strict=True)]
    if len(args) == 2:
        lines.append("Raises ValueError if the shapes do not broadcast.")
    operands = ", ".join(_example(bounds) for bounds in declaration.domain)
    lines += ["", f">>> zen.f.{declaration.name}({operands}).shape", "(2,)"]
    return "\n".join(lines)


def _example(bounds: Any) -> str:
    low, high = bounds
    return f"zen.tensor([{low + 0.25 * (high - low):.4g}, {low + 0.75 * (high - low):.4g}])"


def declare(declaration: Row) -> Any:
    """Define an elementwise row; its public function as well, if it has at most two arguments."""
    made = define(declaration)
    if len(declaration.args) <= 2:
        if declaration.name in _INPLACE:
            function = unary(made, written)
        else:
            function = (unary if len(declaration.args) == 1 else binary)(made)
        function.__doc__ = _documentation(declaration)
        public(" ".join(declaration.numpy), declaration.method, declaration.name)(function)
    return made


for _declaration in elementwise.ROWS:
    declare(_declaration)

PARTS = {
    row.name: FUNCTIONS.pop(row.name)
    for row in (*elementwise.slopes, *elementwise.losses)
    if row.name in FUNCTIONS  # where not, it has three arguments
}
"""What formulas and losses are made of: no functions for users."""

_leaky_relu, _elu = FUNCTIONS["leaky_relu"], FUNCTIONS["elu"]
_gelu, _gelu_tanh = FUNCTIONS["gelu"], FUNCTIONS.pop("gelu_tanh")
_rint, _ABS, _POWER = FUNCTIONS["rint"], FUNCTIONS["abs"], FUNCTIONS["power"]
FUNCTIONS["pow"] = _POWER  # the name in the Array API standard
_SOFTPLUS = ROWS["bounded_softplus"]
_WHERE, _CLIP, _MAXIMUM, _MINIMUM = ROWS["where"], ROWS["clip"], ROWS["maximum"], ROWS["minimum"]


@public(method=None)
def where(condition: Any, x: Any, y: Any) -> Any:
    """x where the condition holds, else y.

    condition: bools (other dtypes: non-zero holds); no derivative. condition, x, y: Tensors, arrays or numbers whose
    shapes broadcast; ValueError if they do not. The branch not taken gets a gradient of exactly zero.

    >>> zen.f.where(zen.tensor([True, False]), zen.tensor([1.0, 2.0]), 0.0).tolist()
    [1.0, 0.0]
    """
    if not isinstance(condition, bool):
        condition = operand("where", condition)
        if condition.dtype not in BOOLEAN:
            condition = raw(condition) != 0
    return apply(_WHERE, (condition, x, y))


@public()
def clip(x: Any, min: Any = None, max: Any = None, *, a_min: Any = None, a_max: Any = None) -> Any:
    """x limited to [min, max]. None leaves a side open; if min > max the result is max.

    x, min, max: Tensors, arrays or numbers whose shapes broadcast; ValueError if they do not. `a_min` and `a_max` are
    NumPy's older names. The gradient in x passes where min <= x <= max, limits included; a limit's gradient passes
    where it took effect.

    >>> zen.f.clip(zen.tensor([-2.0, 0.5, 2.0]), 0.0, 1.0).tolist()
    [0.0, 0.5, 1.0]
    """
    low, high = min, max
    if a_min is not None or a_max is not None:
        low, high = either("clip", "min", min, "a_min", a_min), either("clip", "max", max, "a_max", a_max)
    if not isinstance(x, (Tensor, int, float)):
        x = operand("clip", x)
    if getattr(x, "dtype", None) is not None and x.dtype in INTEGER:
        low, high = _effective(x.dtype, low, high)
    if low is None and high is None:
        return apply(ROWS["positive"], (x,))
    if low is not None and high is not None:
        return apply(_CLIP, (x, low, high))
    if getattr(x, "dtype", None) is not None and x.dtype in FLOATING:
        infinity = float("inf")
        return apply(_CLIP, (x, -infinity if low is None else low, infinity if high is None else high))
    return apply(_MINIMUM, (x, high)) if low is None else apply(_MAXIMUM, (x, low))


FUNCTIONS["clamp"] = clip


def _effective(dtype: np.dtype, low: Any, high: Any) -> tuple[Any, Any]:
    """The limits without Python ints that no value of the dtype passes: NumPy takes those beyond its range as well."""
    bounds = np.iinfo(dtype)
    low = None if type(low) is int and low <= bounds.min else low
    return low, None if type(high) is int and high >= bounds.max else high


@public(method=None)
def fabs(x: Any) -> Any:
    """Absolute value as a float: integers and bools give what `sqrt` gives of them. The subgradient at 0 is 0.

    >>> zen.f.fabs(zen.tensor([-2, 3])).tolist()
    [2.0, 3.0]
    """
    x = operand("fabs", x)
    if x.dtype in COMPLEX:
        raise TypeError("fabs is for real numbers; the modulus of complex ones is abs(x)")
    return _ABS(inexact(x))


@public(method=None)
def float_power(a: Any, b: Any) -> Any:
    """`a ** b` in float64, or complex128, whatever the dtypes of a and b; so integers may have negative exponents.

    Shapes, errors and derivatives as in `power`.

    >>> zen.f.float_power(zen.tensor([2, 4]), -1).tolist()
    [0.5, 0.25]
    """
    return _POWER(_double("float_power", a), _double("float_power", b))


def _double(name: str, x: Any) -> Any:
    if type(x) in (int, float):
        return float(x)
    x = operand(name, x)
    return astype(x, np.result_type(x.dtype, DEFAULT), copy=False)


@public("")
def leaky_relu(input: Any, negative_slope: Any = 0.01, inplace: bool = False) -> Any:
    """x where x > 0, else negative_slope * x. The derivative at 0 is the slope's.

    input (x), negative_slope: Tensors, arrays or numbers whose shapes broadcast; both have derivatives.
    inplace: the result is written into the input, a Tensor, which is returned.

    >>> zen.f.leaky_relu(zen.tensor([-1.0, 2.0]), 0.5).tolist()
    [-0.5, 2.0]
    """
    if type(negative_slope) is not float:
        negative_slope = number(negative_slope)
    y = _leaky_relu(input, negative_slope)
    return written("leaky_relu", input, y) if inplace else y


@public("")
def elu(input: Any, alpha: Any = 1.0, inplace: bool = False) -> Any:
    """x where x > 0, else alpha * (exp(x) - 1). Clevert et al. 2016.

    input (x), alpha: Tensors, arrays or numbers whose shapes broadcast; both have derivatives.
    inplace: the result is written into the input, a Tensor, which is returned.

    >>> zen.f.elu(zen.tensor([0.0, 2.0])).tolist()
    [0.0, 2.0]
    """
    if type(alpha) is not float:
        alpha = number(alpha)
    y = _elu(input, alpha)
    return written("elu", input, y) if inplace else y


@public("")
def gelu(input: Any, approximate: str = "none") -> Any:
    """x times the normal distribution function of x. Hendrycks and Gimpel 2016.

    input (x): Tensor, array or number of any shape. approximate: "none" uses erf, "tanh" the cheaper approximation of
    the paper; ValueError for anything else.

    >>> zen.f.gelu(zen.tensor([0.0])).tolist()
    [0.0]
    """
    if approximate == "none":
        return _gelu(input)
    if approximate != "tanh":
        raise ValueError(f'gelu: approximate must be "none" or "tanh", not {approximate!r}')
    return _gelu_tanh(input)


@public("")
def softplus(input: Any, beta: Any = 1.0, threshold: float = 20.0) -> Any:
    """log(1 + exp(beta * x)) / beta, without overflow; and x itself where beta * x > threshold, as in PyTorch.

    input (x): Tensor, array or number of any shape; integers give float64. beta: a number or a Tensor that broadcasts,
    not zero. threshold: inf gives the logarithm everywhere, which float64 tells from x up to 36.

    >>> f"{zen.f.softplus(zen.tensor(0.0)).item():.4f}"
    '0.6931'
    """
    if not (isinstance(input, Tensor) and input.dtype in FLOATING):
        input = floating("softplus", input)
    if not type(beta) is type(threshold) is float:
        beta, threshold = number(beta), number(threshold)
    return apply(_SOFTPLUS, (input, beta, threshold))


@public("round around")
def round(x: Any, decimals: int = 0) -> Any:
    """x rounded to `decimals` places, halves to even. Its gradient is zero.

    x: Tensor, array or number of any shape. decimals: int, negative for tens, hundreds, ...

    >>> zen.f.round(zen.tensor([0.5, 1.5, 2.6])).tolist()
    [0.0, 2.0, 3.0]
    """
    places = decimals if type(decimals) is int else whole("round", "decimals", decimals)
    if not isinstance(x, Tensor):
        x = operand("round", x)
    if x.dtype in EXACT:
        return apply(ROWS["positive"], (np.round(raw(x), places),))
    if places == 0:
        return _rint(x)
    scale = 10.0 ** abs(places)
    return _rint(x * scale) / scale if places > 0 else _rint(x / scale) * scale
