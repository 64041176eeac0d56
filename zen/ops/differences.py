"""Differences between neighbours and what is made of them, under NumPy's names: gradients, integrals, angles."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Never

import numpy as np

from ..backend import Shaped, apply
from ..dtypes import BOOLEAN, DEFAULT, EXACT, INEXACT, INTEGER
from . import reduction
from .arguments import refuse
from .axes import all_axes, one_axis
from .casting import astype
from .data import asarray
from .joining import concat
from .operands import constant, operand, raw, whole
from .register import FUNCTIONS, define, public
from .row import row
from .shape import broadcast_to, ravel, reshape

if TYPE_CHECKING:
    from ..backend import Tensor

_divide, _multiply, _subtract = [FUNCTIONS[name] for name in ("divide", "multiply", "subtract")]


def _edged(f: Any, g: Any, axis: int) -> Any:
    """A zero before and after g along the axis."""
    return f.pad(g, tuple([(1, 1) if k == axis else (0, 0) for k in range(len(g.shape))]), 0)


DIFF = define(row(
    "diff", "x", lambda x, axis: np.diff(x, axis=axis), ["-diff(edged(g, axis), axis)"],
    params="axis", axes="axis", linear="x", uses={"edged": _edged}, complex=True,
    shape=lambda x, axis: Shaped((*x.shape[:axis], max(x.shape[axis] - 1, 0), *x.shape[axis + 1 :]), x.dtype),
    domain=lambda rng: [
        ((rng.normal(size=4),), (0,)), ((rng.normal(size=(2, 3, 6))[..., ::2],), (1,)), ((np.zeros((1, 2)),), (0,)),
        ((np.zeros((3, 0, 2)),), (0,)),
    ],
    doc="What each element along an axis has more than the one before it.",
))  # fmt: skip


def _part(x: Any, axis: int, start: int | None, stop: int | None) -> Any:
    """x[start:stop] along an axis."""
    return x[(slice(None),) * axis + (slice(start, stop),)]


@public("diff", method="diff")
def diff(x: Any, n: int = 1, axis: int = -1, prepend: Any = None, append: Any = None, **unknown: Never) -> Any:
    """Differences between neighbours along `axis`, taken n times; each time the axis becomes one shorter.

    x: Tensor or array of at least one dimension. prepend, append: what stands before and after x along the axis at
    first, a number or an array. Bools give whether neighbours differ. Raises AxisError for an axis out of range,
    ValueError for a negative n.

    >>> zen.f.diff(zen.tensor([1.0, 4.0, 9.0])).tolist()
    [3.0, 5.0]
    """
    if unknown:
        refuse(diff, unknown)
    x, n = asarray(operand("diff", x)), whole("diff", "n", n)
    if n < 0:
        raise ValueError(f"diff: n must not be negative, but is {n}")
    if n == 0:
        return x
    if x.ndim == 0:
        raise ValueError("diff: a 0-d array has no neighbours; at least one dimension is needed")
    k = one_axis("diff", axis, x.shape)
    parts = [_beside(end, x, k) for end in (prepend, x, append) if end is not None]
    x = concat(parts, k) if len(parts) > 1 else x
    for _ in range(min(n, x.shape[k])):
        x = apply(DIFF, (x,), (k,))
    return x


def _beside(end: Any, x: Any, axis: int) -> Any:
    end = end if end is x else asarray(operand("diff", end))
    return end if end.ndim else broadcast_to(end, (*x.shape[:axis], 1, *x.shape[axis + 1 :]))


@public("ediff1d", method=None)
def ediff1d(x: Any, to_end: Any = None, to_begin: Any = None) -> Any:
    """Differences between neighbours of the flattened x, with `to_begin` before and `to_end` behind them.

    Raises TypeError for what cannot be of x's dtype.

    >>> zen.f.ediff1d(zen.tensor([1.0, 4.0, 9.0]), to_begin=0.0).tolist()
    [0.0, 3.0, 5.0]
    """
    x = ravel(asarray(operand("ediff1d", x)))
    ends = []
    for name, end in (("to_begin", to_begin), ("to_end", to_end)):
        if end is None:
            continue
        end = ravel(asarray(operand("ediff1d", end)))
        if not np.can_cast(end.dtype, x.dtype, casting="same_kind"):
            raise TypeError(f"ediff1d: {name} is {end.dtype}, which does not fit among differences of {x.dtype}")
        ends.append((name, astype(end, x.dtype, copy=False)))
    if x.dtype in BOOLEAN:
        made = _subtract(x[1:], x[:-1])
    else:
        made = apply(DIFF, (x,), (0,))
    before, after = ([end for name, end in ends if name == key] for key in ("to_begin", "to_end"))
    return concat([*before, made, *after]) if ends else made


# --- derivatives of samples


@public("gradient", method=None)
def gradient(
    f: Any, *varargs: Any, axis: Any = None, edge_order: int = 1, **unknown: Never
) -> Tensor | tuple[Tensor, ...]:
    """The derivatives of sampled values along axes: central differences, and one-sided ones at the ends.

    f: Tensor or array; integers give float64. varargs: the distances between samples, 1 if there are none: one number
    for all axes, or for each axis a number or the coordinates along it; they are differentiated as well. axis: an int
    or several; None for all. edge_order: 1 or 2, of the differences at the ends. Returns one Tensor for a single axis,
    else a tuple with one for each. Fornberg, Generation of finite difference formulas, 1988. Raises ValueError for
    fewer than edge_order + 1 samples and coordinates that do not fit, TypeError for another number of distances.

    >>> zen.f.gradient(zen.tensor([1.0, 2.0, 4.0])).tolist()
    [1.0, 1.5, 2.0]
    """
    if unknown:
        refuse(gradient, unknown)
    f, order = asarray(operand("gradient", f)), whole("gradient", "edge_order", edge_order)
    axes = tuple(range(f.ndim)) if axis is None else all_axes("gradient", axis, f.shape)
    if order not in (1, 2):
        raise ValueError(f"gradient: edge_order must be 1 or 2, not {order}")
    steps = _steps(f, axes, varargs)
    if f.dtype in BOOLEAN:
        raise TypeError("gradient: bools have no differences; convert them with astype")
    if f.dtype not in INEXACT:
        f = astype(f, DEFAULT)
    found = []
    for k, step in zip(axes, steps, strict=True):
        if f.shape[k] < order + 1:
            raise ValueError(
                f"gradient: axis {k} of shape {f.shape} is too short; edge_order={order} needs {order + 1} samples"
            )
        made = [astype(part, f.dtype, copy=False) for part in _slopes(f, k, step, order)]
        found.append(concat(made, k))
    return found[0] if len(found) == 1 else tuple(found)


def _steps(f: Any, axes: tuple[int, ...], given: tuple[Any, ...]) -> list[Any]:
    """The distances along each axis: a number, or a one-dimensional array of them."""
    if not given:
        return [1.0] * len(axes)
    if len(given) == 1 and np.ndim(given[0]) == 0:
        return list(given) * len(axes)
    if len(given) != len(axes):
        raise TypeError(f"gradient: {len(given)} distances for {len(axes)} axes; give one number, or one for each axis")
    found = []
    for k, distance in zip(axes, given, strict=True):
        if np.ndim(distance) == 0:
            found.append(distance)
            continue
        places = asarray(operand("gradient", distance))
        if places.shape != (f.shape[k],):
            raise ValueError(f"gradient: coordinates of shape {places.shape} for axis {k} of shape {f.shape}")
        if places.dtype in INTEGER:
            places = astype(places, DEFAULT)
        step = diff(places)
        values = raw(step)
        found.append(values[0] if (values == values[:1]).all() and not places.requires_grad and len(values) else step)
    return found


def _slopes(f: Any, axis: int, step: Any, order: int) -> list[Any]:
    """The differences at the first end, between the ends, and at the last."""
    n = f.shape[axis]
    below, middle, above = (_part(f, axis, *ends) for ends in ((0, n - 2), (1, n - 1), (2, n)))
    if np.ndim(step) == 0:
        inner = (above - below) / (2.0 * step)
    else:
        lead = (-1,) + (1,) * (f.ndim - axis - 1)
        first, second = reshape(step[:-1], lead), reshape(step[1:], lead)
        whole_step = first + second
        inner = (
            below * (-second / (first * whole_step))
            + middle * ((second - first) / (first * second))
            + above * (first / (second * whole_step))
        )
    return [_end(f, axis, step, order, True), inner, _end(f, axis, step, order, False)]


def _end(f: Any, axis: int, step: Any, order: int, start: bool) -> Any:
    points = [_part(f, axis, k, k + 1 or None) for k in ((0, 1, 2) if start else (-1, -2, -3))[: order + 1]]
    sign = 1.0 if start else -1.0
    if order == 1:
        near = step if np.ndim(step) == 0 else step[0 if start else -1]
        return (points[1] - points[0]) / near if start else (points[0] - points[1]) / near
    if np.ndim(step) == 0:
        weights = (-1.5 * sign / step, 2.0 * sign / step, -0.5 * sign / step)
    else:
        near, far = (step[0], step[1]) if start else (step[-1], step[-2])
        both = near + far
        weights = (
            -sign * (2.0 * near + far) / (near * both), sign * both / (near * far), -sign * near / (far * both),
        )  # fmt: skip
    return points[0] * weights[0] + points[1] * weights[1] + points[2] * weights[2]


# --- integrals


@public("trapezoid", method=None)
def trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1, **unknown: Never) -> Any:
    """The integral of samples along `axis` by the trapezoidal rule.

    y: Tensor or array. x: where the samples were taken: one-dimensional, or of a shape that broadcasts to that of y;
    else they are `dx` apart. All three have derivatives. Raises AxisError for an axis out of range, ValueError for
    coordinates that do not fit.

    >>> zen.f.trapezoid(zen.tensor([1.0, 2.0, 4.0]), dx=2.0).tolist()
    9.0
    """
    if unknown:
        refuse(trapezoid, unknown)
    y = asarray(operand("trapezoid", y))
    k = one_axis("trapezoid", axis, y.shape)
    if x is None:
        step = dx
    else:
        x = asarray(operand("trapezoid", x))
        if x.ndim == 1:
            step = reshape(diff(x), (-1,) + (1,) * (y.ndim - k - 1))
        else:
            step = diff(x, axis=k - y.ndim)
    both = _part(y, k, 1, None) + _part(y, k, None, -1)
    try:
        areas = _divide(_multiply(both, step), 2.0)
    except ValueError:
        raise ValueError(f"trapezoid: x of shape {raw(x).shape} does not fit y of shape {y.shape}") from None
    return reduction.sum(areas, k)


# --- angles


@public("unwrap", method=None)
def unwrap(
    p: Any, discont: float | None = None, axis: int = -1, *, period: float = 2 * math.pi, **unknown: Never
) -> Any:
    """p with multiples of `period` added, so that neighbours along `axis` are at most half of one apart.

    p: Tensor or array, such as angles in radians. discont: neighbours less than this apart are left as they are.
    The derivative in p is 1: the multiples are constant but for jumps. Raises AxisError for an axis out of range.

    >>> zen.f.unwrap(zen.tensor([0.0, 3.5, 7.0]), period=4.0).tolist()
    [0.0, -0.5, -1.0]
    """
    if unknown:
        refuse(unwrap, unknown)
    p = asarray(operand("unwrap", p))
    k = one_axis("unwrap", axis, p.shape)
    period, discont = constant("unwrap", "period", period), constant("unwrap", "discont", discont)
    values = raw(p)
    steps = np.diff(values, axis=k)
    dtype = np.result_type(steps, period)
    if dtype in EXACT:
        high, odd = divmod(period, 2)
    else:
        high, odd = period / 2, 0
    turned = np.mod(steps + high, period) - high
    if odd == 0:
        turned = np.where((turned == -high) & (steps > 0), high, turned)
    added = np.where(np.abs(steps) < (period / 2 if discont is None else discont), 0, turned - steps).cumsum(k)
    first = astype(_part(p, k, 0, 1), dtype, copy=False)
    return concat([first, astype(_part(p, k, 1, None) + added, dtype, copy=False)], k)
