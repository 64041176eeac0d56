"""The rarer elementwise functions of real numbers that NumPy has: roots, angles, remainders, parts of floats, sinc, i0.

They run through NumPy's loops, without kernels of their own.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..backend import Shaped, apply, unary, wrap
from ..dtypes import COMPLEX, EXACT, FLOATING, floating
from .axes import common_shape
from .casting import astype
from .modified_bessel import i0_derivative
from .operands import constant, operand, raw
from .pointwise import declare, where
from .register import FUNCTIONS, define, public
from .row import row
from .shape import broadcast_to

ANY, POSITIVE = (-3.0, 3.0), (0.2, 3.0)


def _declare(name: str, args: str, vjp: list[str], domain: list[Any], doc: str, complex: bool = False) -> Any:
    """An elementwise row whose forward is NumPy's function of the same name."""
    return declare(row(
        name, args, getattr(np, name), vjp, elementwise=True, domain=domain, doc=doc, numpy=name, method=None,
        complex=complex,
    ))  # fmt: skip


_declare("cbrt", "x", ["g / (3 * y * y)"], [POSITIVE], "The real cube root. The derivative at 0 is inf.")
_DEGREES = _declare("rad2deg", "x", ["g * 57.29577951308232"], [ANY], "An angle in radians, in degrees.")
_RADIANS = _declare("deg2rad", "x", ["g * 0.017453292519943295"], [ANY], "An angle in degrees, in radians.")
for _name, _made in (("degrees", _DEGREES), ("radians", _RADIANS)):
    _function = unary(_made)
    _function.__doc__ = f"""The same as `{"rad2deg" if _name == "degrees" else "deg2rad"}`.

    >>> zen.f.{_name}(zen.tensor([0.0])).tolist()
    [0.0]
    """
    public(None, None, _name)(_function)


def _share(f: Any, g: Any, a: Any, b: Any, y: Any) -> Any:
    """What of g belongs to a. A nan beside a number counts for nothing; of two nans both take the gradient."""
    mine, tie = (a == y) | (b != b), a == b
    found = f.where(mine, g, 0)
    return f.where(tie, 0.5 * g, found) if np.any(raw(tie)) else found


for _name, _which in (("fmax", "larger"), ("fmin", "smaller")):
    declare(row(
        _name, "a b", getattr(np, _name), ["share(g, a, b, y)", "share(g, b, a, y)"], elementwise=True,
        domain=[ANY, (4.0, 5.0)], numpy=_name, method=None, complex=True, uses={"share": _share},
        doc=f"The {_which} value; of a number and nan the number. Ties share the gradient, as in `{_name[1:]}imum`.",
    ))  # fmt: skip
_declare(
    "fmod", "a b", ["g", "-g * rint((a - y) / b)"], [ANY, POSITIVE],
    "The remainder with the sign of a: a - b * trunc(a / b).",
)  # fmt: skip
_declare(
    "logaddexp2", "a b",
    ["g * sigmoid(where((a == b) & (a - a != 0), 0, (a - b) * 0.6931471805599453))",
     "g * sigmoid(where((a == b) & (a - a != 0), 0, (b - a) * 0.6931471805599453))"], [ANY, ANY],
    "log2(2 ** a + 2 ** b) without overflow. Equal infinities share the gradient equally.",
)  # fmt: skip
_declare(
    "heaviside", "a b", ["0", "where(a == 0, g, 0)"], [(0.2, 3.0), ANY],
    "0 where a < 0, 1 where a > 0, and b where a is 0. The gradient in a is zero.",
)  # fmt: skip
_declare(
    "copysign", "a b", ["g * sign(a) * copysign(1.0, b)", "0"], [POSITIVE, POSITIVE],
    "The magnitude of a with the sign of b. The gradient in b is zero, and in a where a is 0.",
)  # fmt: skip
_declare(
    "nextafter", "a b", ["g", "0"], [ANY, (4.0, 5.0)],
    "The float next to a on the way to b. Its derivative in a is that of a, 1; in b it is zero.",
)  # fmt: skip
_declare(
    "spacing", "x", ["0"], [(0.55, 0.95)], "The distance from x to the next larger float. Its gradient is zero.",
)  # fmt: skip


# --- parts of floats

MODF = define(row(
    "modf", "x", lambda x: np.modf(x)[0], ["g"], elementwise=True, domain=[(0.1, 0.9)],
    doc="What lies behind the point, with the sign of x.",
))  # fmt: skip
_TRUNC = FUNCTIONS["trunc"]


@public(method=None)
def modf(x: Any) -> tuple[Any, Any]:
    """What lies behind the point of x and what lies before it, both with the sign of x.

    x: Tensor, array or number of any shape; integers give float64. The derivative of the first is 1, that of the second
    is zero.

    >>> [part.tolist() for part in zen.f.modf(zen.tensor([1.5, -2.25]))]
    [[0.5, -0.25], [1.0, -2.0]]
    """
    x = operand("modf", x)
    if x.dtype in EXACT:
        behind, before = np.modf(np.asarray(raw(x)))
        return wrap(np.asarray(behind)), wrap(np.asarray(before))
    return unary(MODF)(x), _TRUNC(x)


@public("divmod", method=None)
def divmod(a: Any, b: Any) -> tuple[Any, Any]:
    """`a // b` and `a % b`. Operands, errors and derivatives as in `floor_divide` and `remainder`.

    >>> [part.tolist() for part in zen.f.divmod(zen.tensor([7.0, -7.0]), 2.0)]
    [[3.0, -4.0], [1.0, 1.0]]
    """
    return FUNCTIONS["floor_divide"](a, b), FUNCTIONS["remainder"](a, b)


def _ldexp_shape(x: Any, exponent: Any) -> Shaped:
    return Shaped(x.shape, np.ldexp(np.empty(0, x.dtype), np.empty(0, exponent.dtype)).dtype)


LDEXP = define(row(
    "ldexp", "x", lambda x, exponent: np.ldexp(x, exponent), ["ldexp(g, exponent)"], params="exponent", linear="x",
    shape=_ldexp_shape,
    domain=lambda rng: [
        ((rng.normal(size=3),), (np.array([1, 0, -2]),)), ((rng.normal(size=(4, 4)).T[::2],), (np.full((2, 4), 3),)),
        ((np.zeros((0, 2)),), (np.zeros((0, 2), int),)),
    ],
    doc="x times a power of 2.",
))  # fmt: skip


@public(method=None)
def ldexp(x: Any, exponent: Any) -> Any:
    """`x * 2 ** exponent`, exact unless it overflows.

    x: Tensor, array or number; integers give floats. exponent: ints, without a derivative, whose shape broadcasts with
    that of x. Raises TypeError for an exponent that is no int or of uint64, ValueError for shapes that do not
    broadcast.

    >>> zen.f.ldexp(zen.tensor([1.5, -1.0]), [1, 3]).tolist()
    [3.0, -8.0]
    """
    places = _exponents(x, exponent)
    if type(x) in (bool, int, float):  # whose dtype NumPy chooses by the exponent
        return wrap(np.asarray(np.ldexp(x, places)))
    x = operand("ldexp", x)
    shape = common_shape("ldexp", x.shape, places.shape)
    return apply(LDEXP, (x if x.shape == shape else broadcast_to(x, shape),), (places,))


def _exponents(x: Any, given: Any) -> np.ndarray:
    constant("ldexp", "exponent", given)
    if type(given) is int:
        try:
            np.ldexp(np.empty(0, getattr(x, "dtype", float)), given)  # of each dtype NumPy takes other ints
        except OverflowError as error:
            raise OverflowError(f"ldexp: the exponent {given} is too large: {error}") from None
    found: np.ndarray = raw(operand("ldexp", given))
    if found.dtype not in EXACT:
        raise TypeError(f"ldexp: the exponent must be ints, not dtype {found.dtype}; see exp2 for 2 ** x")
    if not np.can_cast(found.dtype, np.int64):
        raise TypeError(f"ldexp: an exponent of dtype {found.dtype} is not taken; convert it to int64 with astype")
    return found


@public(method=None)
def frexp(x: Any) -> tuple[Any, Any]:
    """The mantissa of x, of magnitude 0.5 to 1, and the power of 2 with which it makes x, as int32.

    x: Tensor, array or number of any shape; integers give floats. The derivative of the mantissa is that power, as it
    is constant between two powers of 2; the exponent has none.

    >>> [part.tolist() for part in zen.f.frexp(zen.tensor([3.0, -0.25]))]
    [[0.75, -0.5], [2, -1]]
    """
    x = operand("frexp", x)
    mantissa, exponent = (np.asarray(part) for part in np.frexp(np.asarray(raw(x))))
    return wrap(mantissa) if x.dtype in EXACT else apply(LDEXP, (x,), (-exponent,)), wrap(exponent)


# --- sin(pi x) / (pi x)


def _sinc_slope(x: Any, n: int) -> Any:
    """The n-th derivative of sin(z) / z by z = pi x, times pi ** n.

    Near 0 by its Taylor series; elsewhere by z s(n) + n s(n - 1) = sin(z + n pi / 2), which loses digits only there.
    """
    dtype = floating(x.dtype)
    z = np.pi * np.asarray(x, np.result_type(x, np.float64))
    near = np.abs(z) < 4 + n
    small, away = np.where(near, z, 0.0), np.where(near, 1.0, z)
    series, term = np.zeros_like(z), np.ones_like(z)
    factorial = 1.0  # (2k - n)!
    power = small if n % 2 else term
    for k in range((n + 1) // 2, (n + 1) // 2 + 22 + n):
        j = 2 * k - n
        if j > 1:
            factorial *= j * (j - 1)
            power = power * small * small
        series = series + (-1.0) ** k / ((2 * k + 1) * factorial) * power
    found = np.sin(away) / away
    for m in range(1, n + 1):
        found = (np.sin(away + m * np.pi / 2) - m * found) / away
    return np.asarray(np.pi**n * np.where(near, series, found)).astype(dtype)


def _even(rng: np.random.Generator) -> list[Any]:
    return [
        ((rng.normal(size=4),), (1,)), ((rng.normal(size=(2, 6))[:, ::2] * 3,), (2,)), ((np.zeros((0, 2)),), (1,)),
        ((np.array([0.0, 1e-9, 0.5, -7.25]),), (1,)), ((rng.normal(size=()),), (1,)),
    ]  # fmt: skip


def _floated(x: Any, *params: Any) -> Shaped:
    return Shaped(x.shape, floating(x.dtype))


declare(row(
    "sinc", "x", np.sinc, ["g * sinc_slope(x, 1)"], elementwise=True, domain=[ANY], numpy="sinc", method=None,
    complex=True, doc="sin(pi x) / (pi x), and 1 at 0, where all its derivatives are right as well.",
))  # fmt: skip
define(row(
    "sinc_slope", "x", _sinc_slope, ["g * sinc_slope(x, n + 1)"], params="n", shape=_floated, domain=_even,
    jvp=("g * sinc_slope(x, n + 1)",), complex=True, doc="The n-th derivative of sinc.",
))  # fmt: skip


# --- the modified Bessel function


def _i0_slope(x: Any, n: int) -> Any:
    dtype, x = floating(x.dtype), np.asarray(x, np.float64)
    return i0_derivative(x, n).astype(dtype)


def _i0(x: Any) -> Any:
    with np.errstate(invalid="ignore", over="ignore"):
        found = np.asarray(np.i0(x))
    far = np.abs(x) > 700
    if np.any(far):  # NumPy's overflows before the function does, and is nan at infinity
        found = np.where(far, i0_derivative(np.asarray(x, np.float64), 0), found)
    return found.astype(floating(np.asarray(x).dtype), copy=False)


declare(row(
    "i0", "x", _i0, ["g * i0_slope(x, 1)"], elementwise=True, domain=[ANY], numpy="i0", method=None,
    doc="The modified Bessel function of the first kind of order 0.",
))  # fmt: skip
define(row(
    "i0_slope", "x", _i0_slope, ["g * i0_slope(x, n + 1)"], params="n", shape=_floated, domain=_even,
    jvp=("g * i0_slope(x, n + 1)",), doc="The n-th derivative of i0.",
))  # fmt: skip


# --- numbers in the place of others


@public(method=None)
def nan_to_num(x: Any, copy: bool = True, nan: Any = 0.0, posinf: Any = None, neginf: Any = None) -> Any:
    """x with numbers in the place of nan, inf and -inf.

    x: Tensor, array or number of any shape; of complex numbers each part by itself. nan, posinf, neginf: the numbers,
    which broadcast; without them the largest and the smallest of the dtype stand for the infinities. Each of them has
    a derivative where it was put in, and x where it was left. copy: True; a Tensor that has to be written into raises
    ValueError, as `x[...] = ` does that.

    >>> zen.f.nan_to_num(zen.tensor([1.0, zen.nan]), nan=-1.0).tolist()
    [1.0, -1.0]
    """
    if not copy:
        raise ValueError("nan_to_num: copy=False would write into x; write x[...] = nan_to_num(x)")
    x = operand("nan_to_num", x)
    if x.dtype in COMPLEX:
        real, imaginary = (
            nan_to_num(FUNCTIONS[part](x), nan=nan, posinf=posinf, neginf=neginf) for part in ("real", "imag")
        )
        return FUNCTIONS["add"](real, FUNCTIONS["multiply"](imaginary, 1j))
    if x.dtype not in FLOATING:
        return astype(x, x.dtype)
    values, limits = raw(x), np.finfo(x.dtype)
    high, low = [limits.max if posinf is None else posinf, limits.min if neginf is None else neginf]
    for mask, number in ((np.isnan(values), nan), (np.isposinf(values), high), (np.isneginf(values), low)):
        typed = np.asarray(number, x.dtype) if isinstance(number, (int, float, np.generic)) else number
        x = astype(where(mask, typed, x), values.dtype, copy=False)
    return x
