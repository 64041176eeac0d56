"""Running sums and products, under NumPy's names and those of the Array API standard.

The derivative of a running sum is one from the other end. That of a running product is a linear recurrence run
backwards, so it needs no division and zeros are no exception.
"""

from __future__ import annotations

from typing import Any, Never

import numpy as np

from .. import backend
from ..backend import Shaped, apply
from ..dtypes import COMPLEX, KERNELS, accumulator
from .arguments import refuse
from .casting import LARGE, astype
from .joining import concat
from .operands import operand
from .register import define, public
from .result_shapes import accumulated, promoted, same
from .row import row
from .shape import along

# --- sums


def _running_sum(x: Any, axis: int) -> Any:
    if x.dtype in KERNELS and x.flags.c_contiguous and x.dtype.isnative:
        return backend.kernels.along.running_sum(x, axis, False)
    return np.add.accumulate(x, axis=axis)


def _sum_to_come(x: Any, axis: int) -> Any:
    if x.dtype in KERNELS:
        return backend.kernels.along.running_sum(x, axis, True)
    return np.flip(np.add.accumulate(np.flip(x, axis), axis=axis), axis)


def _sums(rng: np.random.Generator) -> list[Any]:
    return [
        ((rng.normal(size=4),), (0,)), ((rng.normal(size=(2, 3, 6))[..., ::2],), (1,)), ((np.zeros((0, 2)),), (0,)),
        ((rng.normal(size=(5, 3)),), (1,)), ((rng.normal(size=(2, 3, 2)),), (1,)), ((np.zeros((3, 0)),), (1,)),
    ]  # fmt: skip


CUMSUM = define(row(
    "cumsum", "x", _running_sum, ["sum_to_come(g, axis)"], params="axis", axes="axis", linear="x", domain=_sums,
    shape=accumulated(np.add), complex=True, doc="Running sum along an axis.",
))  # fmt: skip
define(row(
    "sum_to_come", "x", _sum_to_come, ["cumsum(g, axis)"], params="axis", axes="axis", linear="x", domain=_sums,
    shape=accumulated(np.add), complex=True, doc="For each element, the sum of those from it on along an axis.",
))  # fmt: skip


@public("cumsum")
def cumsum(x: Any, axis: int | None = None, *, dtype: Any = None, **unknown: Never) -> Any:
    """Running sum along `axis`; None takes the flattened array. The result has the shape of x.

    Raises AxisError for an axis out of range.

    >>> zen.f.cumsum(zen.tensor([1.0, 2.0, 3.0])).tolist()
    [1.0, 3.0, 6.0]
    """
    if unknown:
        refuse(cumsum, unknown)
    return accumulate(CUMSUM, "cumsum", x, axis, dtype)


# --- products


def _delayed(x: Any, axis: int, first: float, back: bool) -> Any:
    empty = np.empty if x.size < LARGE else backend.kernels.memory.empty
    out, lead = empty(x.shape, x.dtype), (slice(None),) * axis
    early, late = (*lead, slice(None, -1)), (*lead, slice(1, None))
    out[early if back else late] = x[late if back else early]
    out[(*lead, slice(-1, None) if back else slice(0, 1))] = first
    return out


def _recurrence(a: Any, b: Any, axis: int, back: bool) -> Any:
    dtype = np.result_type(a, b)
    if dtype in COMPLEX:
        return _complex_recurrence(a, b.astype(dtype), axis, back)
    wide = dtype if dtype in KERNELS else accumulator(dtype)
    a, b = a.astype(wide, copy=False), b.astype(wide, copy=False)
    return backend.kernels.along.recurrence(a, b, axis, back).astype(dtype, copy=False)


def _complex_recurrence(a: Any, y: Any, axis: int, back: bool) -> Any:
    """For which there is no kernel: one step of all lines after the other, written over b."""
    factors, steps = np.moveaxis(a, axis, 0), np.moveaxis(y, axis, 0)
    if back:
        factors, steps = factors[:0:-1], steps[::-1]
    else:
        factors = factors[1:]
    for k, factor in enumerate(factors):
        steps[k + 1] += factor * steps[k]
    return y


def _factor_vjp(f: Any, g: Any, a: Any, y: Any, axis: int, back: bool) -> Any:
    """What each element owes, times the one that its factor multiplies: after it, or with `back` before it."""
    owed = f.recurrence(a, g, axis, not back)
    return f.delayed(owed, axis, 0.0, False) * y if back else owed * f.delayed(y, axis, 0.0, False)


def _factor_tangent(f: Any, g: Any, a: Any, y: Any, axis: int, back: bool) -> Any:
    step = f.delayed(g * y, axis, 0.0, True) if back else g * f.delayed(y, axis, 0.0, False)
    return f.recurrence(a, step, axis, back)


def _cumprod_vjp(f: Any, g: Any, x: Any, y: Any, axis: int) -> Any:
    return f.recurrence(x, g, axis, True) * f.delayed(y, axis, 1.0, False)


def _products(rng: np.random.Generator) -> list[Any]:
    zeros = np.array([[0.0, 2.0, -1.5, 3.0], [1.0, 0.0, 0.0, 3.0], [1.5, 0.5, 2.0, 0.0]])
    return [
        ((rng.normal(size=4),), (0,)), ((rng.normal(size=(2, 3, 6))[..., ::2],), (1,)), ((np.zeros((0, 2)),), (0,)),
        ((zeros,), (1,)), ((zeros,), (0,)), ((rng.normal(size=(2, 1)),), (1,)),
    ]  # fmt: skip


define(row(
    "delayed", "x", _delayed, ["delayed(g, axis, 0.0, not back)"], params="axis first back", axes="axis",
    jvp=("delayed(g, axis, 0.0, back)",), shape=same,
    domain=lambda rng: [((x,), (*axis, first, back))
                        for (x,), axis in _products(rng) for first, back in ((0.0, False), (1.0, False), (0.0, True))],
    complex=True,
    doc="x moved one place along an axis, `first` in the place that is left; with `back` towards the front.",
))  # fmt: skip
define(row(
    "recurrence", "a b", _recurrence, ["factor_vjp(g, a, y, axis, back)", "recurrence(a, g, axis, not back)"],
    params="axis back", axes="axis", linear="b", jvp=("factor_tangent(g, a, y, axis, back)", None),
    uses={"factor_vjp": _factor_vjp, "factor_tangent": _factor_tangent},
    shape=lambda a, b, *along: Shaped(b.shape, promoted(a, b)),
    domain=lambda rng: [((x, rng.normal(size=x.shape)), (*axis, back))
                        for x, axis in [(x, axis) for (x,), axis in _products(rng)] for back in (False, True)],
    complex=True,
    doc="y[k] = a[k] y[k - 1] + b[k] along an axis, y[0] being b[0]; with `back` y[k] = a[k + 1] y[k + 1] + b[k].",
))  # fmt: skip
CUMPROD = define(row(
    "cumprod", "x", lambda x, axis: np.multiply.accumulate(x, axis=axis), ["cumprod_vjp(g, x, y, axis)"],
    params="axis", axes="axis", jvp=("recurrence(x, g * delayed(y, axis, 1.0, False), axis, False)",),
    uses={"cumprod_vjp": _cumprod_vjp}, shape=accumulated(np.multiply), domain=_products,
    complex=True, doc="Running product along an axis.",
))  # fmt: skip


@public("cumprod")
def cumprod(x: Any, axis: int | None = None, *, dtype: Any = None, **unknown: Never) -> Any:
    """Running product along `axis`; None takes the flattened array. The gradient is exact where elements are zero.

    dtype: x is converted to it first. Raises AxisError for an axis out of range.

    >>> zen.f.cumprod(zen.tensor([1.0, 2.0, 3.0])).tolist()
    [1.0, 2.0, 6.0]
    """
    if unknown:
        refuse(cumprod, unknown)
    return accumulate(CUMPROD, "cumprod", x, axis, dtype)


def accumulate(made: Any, name: str, x: Any, axis: int | None, dtype: Any) -> Any:
    """The running sum or product by the row `made`, under the name of the function that asks for it."""
    x = operand(name, x)
    x, k = along(name, x if dtype is None else astype(x, dtype, copy=False), axis)
    found = apply(made, (x,), (k,))
    return found if dtype is None else astype(found, dtype, copy=False)


# --- the names of the standard


@public("cumulative_sum", method=None)
def cumulative_sum(
    x: Any, *, axis: int | None = None, dtype: Any = None, include_initial: bool = False, **unknown: Never
) -> Any:
    """Running sum along `axis`, which may be left out for one dimension; with a leading 0 if `include_initial`.

    dtype: x is converted to it first. Raises ValueError where an axis is needed, AxisError for one out of range.

    >>> zen.f.cumulative_sum(zen.tensor([1.0, 2.0, 3.0]), include_initial=True).tolist()
    [0.0, 1.0, 3.0, 6.0]
    """
    if unknown:
        refuse(cumulative_sum, unknown)
    return _cumulative("cumulative_sum", cumsum, x, axis, dtype, 0 if include_initial else None)


@public("cumulative_prod", method=None)
def cumulative_prod(
    x: Any, *, axis: int | None = None, dtype: Any = None, include_initial: bool = False, **unknown: Never
) -> Any:
    """Running product along `axis`, which may be left out for one dimension; with a leading 1 if `include_initial`.

    Arguments and errors as in `cumulative_sum`.

    >>> zen.f.cumulative_prod(zen.tensor([1.0, 2.0, 3.0])).tolist()
    [1.0, 2.0, 6.0]
    """
    if unknown:
        refuse(cumulative_prod, unknown)
    return _cumulative("cumulative_prod", cumprod, x, axis, dtype, 1 if include_initial else None)


def _cumulative(name: str, function: Any, x: Any, axis: int | None, dtype: Any, first: int | None) -> Any:
    x = operand(name, x)
    if axis is None and x.ndim > 1:
        raise ValueError(f"{name}: shape {x.shape} has more than one axis; say along which one with axis=")
    x, k = along(name, x, axis)
    made = function(x, k, dtype=dtype)
    if first is None:
        return made
    ends = (*made.shape[:k], 1, *made.shape[k + 1 :])
    return concat([np.full(ends, first, made.dtype), made], k)
