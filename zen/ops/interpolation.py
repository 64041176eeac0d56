"""Linear interpolation, under NumPy's name."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dtypes import COMPLEX, DEFAULT
from .casting import astype
from .data import asarray
from .joining import concat
from .operands import operand, raw
from .pointwise import where
from .register import FUNCTIONS, public
from .shape import broadcast_to

_divide, _multiply, _remainder, _subtract = [
    FUNCTIONS[name] for name in ("divide", "multiply", "remainder", "subtract")
]


@public("interp", method=None)
def interp(x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None, period: Any = None) -> Any:
    """The straight lines through the points (xp, fp), at x: float64, of the shape of x.

    x, xp, fp, left and right have derivatives, and so has the period; at a point the slope in x is that of the line
    behind it. xp, fp: one-dimensional, of one length, with xp rising. left, right: the values before and behind all
    points, else those of the first and the last. period: x and xp are taken modulo it, and xp need not rise. Raises
    ValueError for points that do not fit, none at all, and a period of 0.

    >>> zen.f.interp([0.5, 2.5, 9.0], zen.tensor([0.0, 1.0, 3.0]), [1.0, 2.0, 0.0]).tolist()
    [1.5, 0.5, 0.0]
    """
    x, xp, fp = (asarray(operand("interp", v)) for v in (x, xp, fp))
    if xp.ndim != 1 or fp.shape != xp.shape or not xp.size:
        raise ValueError(
            f"interp: xp of shape {xp.shape} and fp of shape {fp.shape} must be one-dimensional, of one length above 0"
        )
    if x.dtype in COMPLEX or xp.dtype in COMPLEX:
        raise TypeError(f"interp: x and xp are real numbers, which are in order, not {x.dtype} and {xp.dtype}")
    x, xp = astype(x, DEFAULT, copy=False), astype(xp, DEFAULT, copy=False)
    fp = astype(fp, np.result_type(DEFAULT, fp.dtype), copy=False)
    if period is not None:
        x, xp, fp = _within_period(x, xp, fp, asarray(operand("interp", period)))
        left = right = None
    left = fp[0] if left is None else asarray(operand("interp", left))
    right = fp[-1] if right is None else asarray(operand("interp", right))
    if np.result_type(left.dtype, right.dtype) in COMPLEX and fp.dtype not in COMPLEX:
        raise TypeError("interp: left and right are complex, but fp is not")
    values, points = raw(x), raw(xp)
    last = len(points) - 1
    if last == 0:
        made = broadcast_to(fp[0], x.shape) + where(values != values, x, 0.0)
    else:
        made = _on_lines(x, xp, fp)
    made = where(values < points[0], left, where(values > points[last], right, made))
    return astype(made, fp.dtype, copy=False)


def _within_period(x: Any, xp: Any, fp: Any, period: Any) -> tuple[Any, Any, Any]:
    if raw(period) == 0:
        raise ValueError("interp: the period must not be 0")
    period = FUNCTIONS["abs"](period)
    x, xp = _remainder(x, period), _remainder(xp, period)
    order = np.argsort(raw(xp))
    xp, fp = xp[order], fp[order]
    return x, concat([xp[-1:] - period, xp, xp[:1] + period]), concat([fp[-1:], fp, fp[:1]])


def _on_lines(x: Any, xp: Any, fp: Any) -> Any:
    """From the point before x, or from the last one at that, so that all points are met exactly."""
    values, points = raw(x), raw(xp)
    n = len(points)
    before = np.clip(np.searchsorted(points, values, "right") - 1, 0, n - 2)
    near = np.where(values == points[-1], n - 1, before)
    jump = points[before + 1] == points[before]  # x is there, and no line
    slope = _divide(fp[before + 1] - fp[before], where(jump, 1.0, xp[before + 1] - xp[before]))
    slope = where(jump, 0.0, slope)
    made = _multiply(slope, _subtract(x, xp[near])) + fp[near]
    with np.errstate(all="ignore"):
        exact = np.interp(values, points, raw(fp))
    lost = np.isnan(raw(made)) & ~np.isnan(exact)  # beside infinite values
    return where(lost, exact, made) if lost.any() else made
