"""Running products, and running sums and products under the names of the Array API standard.

`cumsum` stands in `reduction.py`. The derivative of a running product is a linear recurrence run backwards, so it needs
no division and zeros are no exception.
"""

from __future__ import annotations

from typing import Any, Never

import numpy as np

from ..backend import apply
from .arguments import refuse
from .joining import concat
from .reduction import cumsum
from .register import define, operand, public
from .row import row
from .shape import along, astype


def _backwards(f: Any, x: Any, axis: int) -> Any:
    return f.getitem(x, (slice(None),) * axis + (slice(None, None, -1),))


def _before(f: Any, x: Any, axis: int, first: float) -> Any:
    """x moved one place along the axis, its last element dropped and `first` in front."""
    if x.shape[axis] == 0:
        return x
    width = tuple([(1, 0) if k == axis else (0, 0) for k in range(len(x.shape))])
    return f.pad(f.getitem(x, (slice(None),) * axis + (slice(None, -1),)), width, first)


def _recurrence(a: Any, b: Any, axis: int) -> Any:
    out = np.array(np.moveaxis(b, axis, 0), np.result_type(a, b), order="C")
    factors = np.moveaxis(a, axis, 0)
    for k in range(1, len(out)):
        out[k] += factors[k] * out[k - 1]
    return np.moveaxis(out, 0, axis)


def _to_come(f: Any, g: Any, a: Any, axis: int) -> Any:
    """What each element of a recurrence owes: r[k] = g[k] + a[k + 1] r[k + 1]."""
    factors = _before(f, _backwards(f, a, axis), axis, 0.0)
    return _backwards(f, f.recurrence(factors, _backwards(f, g, axis), axis), axis)


def _factor_vjp(f: Any, g: Any, a: Any, y: Any, axis: int) -> Any:
    return _to_come(f, g, a, axis) * _before(f, y, axis, 0.0)


def _cumprod_vjp(f: Any, g: Any, x: Any, y: Any, axis: int) -> Any:
    return _to_come(f, g, x, axis) * _before(f, y, axis, 1.0)


def _products(rng: np.random.Generator) -> list[Any]:
    zeros = np.array([[0.0, 2.0, -1.5, 3.0], [1.0, 0.0, 0.0, 3.0], [1.5, 0.5, 2.0, 0.0]])
    return [
        ((rng.normal(size=4),), (0,)), ((rng.normal(size=(2, 3, 6))[..., ::2],), (1,)), ((np.zeros((0, 2)),), (0,)),
        ((zeros,), (1,)), ((zeros,), (0,)), ((rng.normal(size=(2, 1)),), (1,)),
    ]  # fmt: skip


define(row(
    "recurrence", "a b", _recurrence, ["factor_vjp(g, a, y, axis)", "to_come(g, a, axis)"], params="axis",
    uses={"factor_vjp": _factor_vjp, "to_come": _to_come},
    domain=lambda rng: [((x, rng.normal(size=x.shape)), params) for (x,), params in _products(rng)],
    doc="y[k] = a[k] y[k - 1] + b[k] along an axis, y[0] being b[0].",
))  # fmt: skip
CUMPROD = define(row(
    "cumprod", "x", lambda x, axis: np.multiply.accumulate(x, axis=axis), ["cumprod_vjp(g, x, y, axis)"],
    params="axis", uses={"cumprod_vjp": _cumprod_vjp}, domain=_products, doc="Running product along an axis.",
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
    x = operand("cumprod", x)
    x, k = along("cumprod", x if dtype is None else astype(x, dtype), axis)
    made = apply(CUMPROD, (x,), (k,))
    return made if dtype is None else astype(made, dtype, copy=False)


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
