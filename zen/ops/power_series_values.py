"""Polynomials, lowest power first, at points; matrices of powers; fits. See `power_series.py`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..backend import Tensor
from ..dtypes import INTEGER
from . import factors
from .data import asarray
from .joining import concat, stack, unstack
from .operands import constant, operand, whole
from .polynomial_fits import fitted, samples
from .power_series import floats
from .register import FUNCTIONS, dispatch
from .shape import atleast_1d, reshape

_add, _multiply, _subtract = [FUNCTIONS[name] for name in ("add", "multiply", "subtract")]


def polyval(x: Any, c: Any, tensor: bool = True) -> Any:
    """Polynomials at x, by Horner's scheme.

    c: coefficients along its first axis; further axes hold further polynomials. tensor: each of these at each element
    of x, so that the result has the shape c.shape[1:] + x.shape; else c.shape[1:] and x.shape broadcast.

    >>> import zen
    >>> zen.polynomial.polyval(3.0, zen.tensor([-2.0, 0.0, 1.0])).tolist()
    7.0
    """
    c, x = floats("polyval", c), asarray(operand("polyval", x))
    if tensor and x.ndim:
        c = reshape(c, c.shape + (1,) * x.ndim)
    *others, highest = unstack(c)
    made = _add(highest, _multiply(x, 0))
    for part in others[::-1]:
        made = _add(part, _multiply(made, x))
    return made


def polyvalfromroots(x: Any, r: Any, tensor: bool = True) -> Any:
    """Polynomials with these roots, and coefficient 1 of their highest power, at x.

    r: roots along its first axis. x, tensor: as in `polyval`. ValueError for x of too many dimensions if not `tensor`.

    >>> import zen
    >>> zen.polynomial.polyvalfromroots(3.0, zen.tensor([1.0, 2.0])).tolist()
    2.0
    """
    r, x = floats("polyvalfromroots", r), asarray(operand("polyvalfromroots", x))
    if tensor and x.ndim:
        r = reshape(r, r.shape + (1,) * x.ndim)
    elif x.ndim and x.ndim >= r.ndim:
        raise ValueError(
            f"polyvalfromroots: x of {x.ndim} dimensions needs more of r, which has {r.ndim}, or tensor=True"
        )
    return factors.prod(_subtract(x, r), 0)


def _at_points(name: str, c: Any, *points: Any) -> Any:
    first, *others = [asarray(operand(name, x)) for x in points]
    if any([x.shape != first.shape for x in others]):
        shapes = ", ".join([str(x.shape) for x in (first, *others)])
        raise ValueError(f"{name}: points of shapes {shapes} must have one shape")
    c = polyval(first, c)
    for x in others:
        c = polyval(x, c, False)
    return c


def _on_grid(c: Any, *axes: Any) -> Any:
    for x in axes:
        c = polyval(x, c)
    return c


def polyval2d(x: Any, y: Any, c: Any) -> Any:
    """Polynomials in two variables at the points (x, y), which have one shape; c: their coefficients by both powers.

    >>> import zen
    >>> zen.polynomial.polyval2d(2.0, 3.0, zen.tensor([[1.0, 0.0], [0.0, 1.0]])).tolist()
    7.0
    """
    return _at_points("polyval2d", c, x, y)


def polyval3d(x: Any, y: Any, z: Any, c: Any) -> Any:
    """Polynomials in three variables at the points (x, y, z); see `polyval2d`.

    >>> import zen
    >>> zen.polynomial.polyval3d(1.0, 1.0, 1.0, zen.ones((2, 2, 2))).tolist()
    8.0
    """
    return _at_points("polyval3d", c, x, y, z)


def polyvalnd(pts: Any, c: Any) -> Any:
    """Polynomials in as many variables as `pts` has entries, at the points that these make together; see `polyval2d`.

    pts: a sequence of one array for each variable, all of one shape, or one array whose first axis holds them.

    >>> import zen
    >>> zen.polynomial.polyvalnd([2.0, 3.0], zen.tensor([[1.0, 0.0], [0.0, 1.0]])).tolist()
    7.0
    """
    if isinstance(pts, (Tensor, np.ndarray)):
        pts = [pts[k] for k in range(len(pts))]
    return _at_points("polyvalnd", c, *pts)


def polygrid2d(x: Any, y: Any, c: Any) -> Any:
    """Polynomials in two variables at every pair of an x and a y; see `polyval2d`.

    >>> import zen
    >>> zen.polynomial.polygrid2d([0.0, 1.0], [0.0, 1.0], zen.ones((2, 2))).tolist()
    [[1.0, 2.0], [2.0, 4.0]]
    """
    return _on_grid(c, x, y)


def polygrid3d(x: Any, y: Any, z: Any, c: Any) -> Any:
    """Polynomials in three variables at every triple of an x, a y and a z; see `polyval2d`.

    >>> import zen
    >>> zen.polynomial.polygrid3d([1.0], [1.0], [1.0], zen.ones((2, 2, 2))).shape
    (1, 1, 1)
    """
    return _on_grid(c, x, y, z)


# --- matrices of powers


def polyvander(x: Any, deg: int) -> Any:
    """The powers of each x from the 0-th to the deg-th, along a new last axis. ValueError for a negative deg.

    >>> import zen
    >>> zen.polynomial.polyvander(zen.tensor([2.0, 3.0]), 2).tolist()
    [[1.0, 2.0, 4.0], [1.0, 3.0, 9.0]]
    """
    degree, x = whole("polyvander", "deg", deg), floats("polyvander", x)
    if degree < 0:
        raise ValueError(f"polyvander: deg must not be negative, but is {degree}")
    found = [_add(_multiply(x, 0), 1)]
    for k in range(degree):
        found.append(_multiply(found[-1], x) if k else x)
    return stack(found, -1)


def _vander(name: str, points: Sequence[Any], deg: Any) -> Any:
    degrees = [whole(name, "deg", d) for d in deg]
    if len(degrees) != len(points):
        raise ValueError(f"{name}: deg has {len(degrees)} degrees for {len(points)} variables")
    found = [atleast_1d(asarray(operand(name, x))) for x in points]
    made: Any = None
    for k, (x, d) in enumerate(zip(found, degrees, strict=True)):
        powers = polyvander(x, d)
        spread = reshape(powers, (*x.shape, *[d + 1 if j == k else 1 for j in range(len(found))]))
        made = spread if made is None else _multiply(made, spread)
    return reshape(made, (*made.shape[: -len(found)], -1))


def polyvander2d(x: Any, y: Any, deg: Any) -> Any:
    """The products of powers of each x and y, along a new last axis, those of y changing first.

    deg: the highest powers of x and of y.

    >>> import zen
    >>> zen.polynomial.polyvander2d(zen.tensor([2.0]), [3.0], [1, 1]).tolist()
    [[1.0, 3.0, 2.0, 6.0]]
    """
    return _vander("polyvander2d", (x, y), deg)


def polyvander3d(x: Any, y: Any, z: Any, deg: Any) -> Any:
    """The products of powers of each x, y and z; see `polyvander2d`.

    >>> import zen
    >>> zen.polynomial.polyvander3d(zen.tensor([2.0]), [3.0], [1.0], [1, 1, 0]).tolist()
    [[1.0, 3.0, 2.0, 6.0]]
    """
    return _vander("polyvander3d", (x, y, z), deg)


def polyfit(x: Any, y: Any, deg: Any, rcond: float | None = None, full: bool = False, w: Any = None) -> Any:
    """The polynomial that fits points best, lowest power first; see `zen.f.polyfit`.

    deg: its degree, or the powers that it has. full: also a list of sums of squared residuals, rank, singular values
    and rcond.

    >>> import zen
    >>> zen.polynomial.polyfit([0.0, 1.0, 2.0], zen.tensor([1.0, 3.0, 5.0]), 1).round(9).tolist()
    [1.0, 2.0]
    """
    degrees = np.asarray(constant("polyfit", "deg", deg))
    if degrees.ndim > 1 or not degrees.size or degrees.dtype not in INTEGER:
        raise TypeError(f"polyfit: deg must be an int or a sequence of them, not {deg!r}")
    if degrees.min() < 0:
        raise ValueError(f"polyfit: deg must not be negative, but is {degrees.min()}")
    x, y, w = samples("polyfit", x, y, w)
    rcond = constant("polyfit", "rcond", rcond)
    rcond = len(x) * np.finfo(x.dtype).eps if rcond is None else rcond
    powers = np.sort(np.atleast_1d(degrees)) if degrees.ndim else np.arange(int(degrees) + 1)
    matrix = polyvander(x, int(powers[-1]))
    matrix = matrix[:, powers] if degrees.ndim else matrix
    message = None if full else "The fit may be poorly conditioned"
    found, residuals, rank, singular, _ = fitted("polyfit", matrix, y, w, rcond, message)
    if degrees.ndim:
        lowest = {int(p): found[k : k + 1] for k, p in enumerate(powers)}
        zero = np.zeros((1, *found.shape[1:]), found.dtype)
        found = concat([lowest.get(p, zero) for p in range(int(powers[-1]) + 1)])
    return (found, [residuals, rank, asarray(singular), rcond]) if full else found


for _function in (polyval2d, polygrid2d):
    dispatch(f"polynomial.polynomial.{_function.__name__}", _function)
