"""Complex numbers: their parts, conjugates and angles, and what operations are that differ for them.

The elementwise rows stand in `complex_elementwise.py`, which the build reads.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..backend import Shaped, apply, unary
from ..dtypes import COMPLEX
from ..dtypes import real as real_dtype
from . import complex_elementwise
from .operands import operand, raw
from .reduction import CONSTANT
from .register import DECLARATIONS, METHODS, ROWS, define, placed, public
from .row import Row, row


def _one(rng: np.random.Generator) -> list[Any]:
    """What tests draw of rows of one argument that are not declared elementwise."""
    draw = rng.normal(size=(3, 4))
    return [((draw,), ()), ((draw[::2, ::-1],), ()), ((np.zeros((0, 2)),), ()), ((np.asarray(1.5),), ())]


def _nonzero(rng: np.random.Generator) -> list[Any]:
    return [((abs(x) + 0.5,), params) for (x,), params in _one(rng)]


def _parts(x: Any) -> Shaped:
    return Shaped(x.shape, real_dtype(x.dtype))


def _like(x: Any) -> Shaped:
    return Shaped(x.shape, x.dtype)


def _real(x: Any) -> Any:
    return np.asarray(x).real[...]


def _imag(x: Any) -> Any:
    """A view; zeros that cannot be written to where there is none."""
    return np.asarray(x).imag


REAL = define(row(
    "real", "x", _real, ["g"], jvp=("real(g)",), shape=_parts, domain=_one, complex=True, view=True,
    doc="The real part.",
))  # fmt: skip
IMAG = define(row(
    "imag", "x", _imag, ["imag_cotangent(g, x.dtype)"], jvp=("imag(g)",), shape=_parts, view=True,
    domain=_one, complex=True, uses={"imag_cotangent": lambda f, g, dtype: g * -1j if dtype in COMPLEX else g * 0},
    doc="The imaginary part; zero for real x.",
))  # fmt: skip

for _declaration in complex_elementwise.ROWS:
    define(_declaration)
_conj, _angle = unary(ROWS["conj"]), unary(ROWS["complex_angle"])

# The change of the angle alone: (dx - y * real(conj(y) * dx)) / abs(x).
define(row(
    "complex_sign", "x", np.sign, ["ratio(0.5 * (g - conj(g * y * y)), complex_abs(x))"],
    jvp=("ratio(0.5 * (g - y * y * conj(g)), complex_abs(x))",),
    shape=_like, domain=_one, complex=True, doc="x / abs(x), and 0 at 0.",
))  # fmt: skip
define(row(
    "direction", "x", np.sign, ["0.5 * (g - conj(g * y * y)) / complex_abs(x)"],
    jvp=("0.5 * (g - y * y * conj(g)) / complex_abs(x)",),
    shape=_like, domain=_nonzero, complex=True,
    doc="The derivative of the modulus: x / abs(x), and 0 at 0, where it has no derivative.",
))  # fmt: skip

# Moments and norms: their results are real, and so is their cotangent, so that to conjugate a formula is to conjugate
# the weights in it.


def _of_moduli(base: Row) -> Any:
    assert callable(base.forward)
    forward = base.forward
    return lambda x, *params: forward(np.abs(x), *params)


def _spread(function: Any) -> Any:
    return lambda base: lambda x, axis, correction, keepdims: function(x, axis=axis, ddof=correction, keepdims=keepdims)


def _of_real_result(base: Row) -> Any:
    return lambda x, *params: base.shape(Shaped(x.shape, real_dtype(x.dtype)), *params)


for _name, _forward in {
    "var": _spread(np.var), "std": _spread(np.std), "norm2": _of_moduli, "norm_p": _of_moduli,
}.items():  # fmt: skip
    _base = DECLARATIONS[_name]
    assert not callable(_base.vjp)
    define(_base._replace(
        name=f"complex_{_name}", forward=_forward(_base), vjp=(f"conj({_base.vjp[0]})",), complex=True,
        shape=_of_real_result(_base),
    ))  # fmt: skip


@public("real", method=None)
def real(x: Any) -> Any:
    """The real part of x, a view of its memory; of x itself where it is real.

    x: Tensor, array or number of any shape. The gradient is real.

    >>> zen.f.real(zen.tensor([1 + 2j, 3.0])).tolist()
    [1.0, 3.0]
    """
    return apply(REAL, (operand("real", x),))


@public("imag", method=None)
def imag(x: Any) -> Any:
    """The imaginary part of x, a view of its memory; zeros that cannot be written to where it is real.

    x: Tensor, array or number of any shape. Its gradient, as a direction of ascent, is 1j for a complex x.

    >>> zen.f.imag(zen.tensor([1 + 2j, 3.0])).tolist()
    [2.0, 0.0]
    """
    return apply(IMAG, (operand("imag", x),))


@public("conj conjugate", name="conj")
def conj(x: Any) -> Any:
    """The complex conjugate of x, elementwise.

    x: Tensor, array or number of any shape.

    >>> zen.f.conj(zen.tensor([1 + 2j])).tolist()
    [(1-2j)]
    """
    return _conj(operand("conj", x))


def _conjugate(x: Any) -> Any:
    """The complex conjugate: NumPy's name for `conj`."""
    return conj(x)


METHODS["conjugate"] = placed(_conjugate, "zen", "Tensor.conjugate")


@public("angle", method=None)
def angle(z: Any, deg: bool = False) -> Any:
    """The angle of z in the complex plane, in (-pi, pi]; for real z 0 or pi, and nan for nan. Its gradient at 0 is 0.

    z: Tensor, array or number of any shape. deg: in degrees rather than radians.

    >>> zen.f.angle(zen.tensor([1j, -1.0]), deg=True).tolist()
    [90.0, 180.0]
    """
    z = operand("angle", z)
    if z.dtype in COMPLEX:
        made = _angle(z)
    else:
        made = apply(CONSTANT, (z,), (np.asarray(np.angle(raw(z))),))
    return made * (180 / np.pi) if deg else made
