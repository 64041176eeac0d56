"""Sums, extremes and their like over any axes. Moments and norms stand in `moments.py`, products in `factors.py`.

Row level: `axis` is None (all axes) or a tuple of non-negative ints, `keepdims` a bool. The public functions bring
NumPy's arguments into that form.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Never

import numpy as np

from ..backend import Shaped, apply
from ..dtypes import accumulator
from . import masked
from .arguments import refuse
from .axes import count, kept, one_axis, reduced_axes, some_axes, spread
from .casting import astype
from .operands import operand
from .register import define, public
from .result_shapes import reduced, reduced_floating, same
from .row import NOT_DIFFERENTIABLE, row

if TYPE_CHECKING:
    from ..typing import Axes


def _draws(rng: np.random.Generator) -> list[Any]:
    """Axis patterns over shapes with hard cases: 0-d, length 1, empty, non-contiguous."""
    x = rng.normal(size=(2, 3, 4))
    return [
        ((rng.normal(size=()),), (None, False)),
        ((rng.normal(size=5),), ((0,), False)),
        ((x,), (None, True)),
        ((x,), ((1,), False)),
        ((x,), ((0, 2), True)),
        ((x.transpose(2, 0, 1)[::2],), ((2, 0), False)),
        ((rng.normal(size=(3, 1)),), ((1,), False)),
        ((rng.normal(size=(2, 0)),), ((0,), False)),
        ((x,), ((), False)),
    ]


def reduction_draws(rng: np.random.Generator) -> list[Any]:
    """As above with an empty reduction: for rows that have a value there."""
    return [*_draws(rng), ((rng.normal(size=(0, 2)),), ((0,), True))]


# --- sum and mean


def _sum(x: Any, axis: Any, keepdims: Any) -> Any:
    return np.add.reduce(x, axis=axis, keepdims=keepdims)


def _mean(x: Any, axis: Any, keepdims: Any) -> Any:
    x = np.asarray(x)
    total = np.add.reduce(x, axis=axis, keepdims=keepdims, dtype=accumulator(x.dtype))
    y = np.true_divide(total, count(x.shape, axis))
    return y.astype(x.dtype) if x.dtype.type is np.float16 else y


def _mean_vjp(f: Any, g: Any, shape: tuple[int, ...], axis: Any, keepdims: bool) -> Any:
    n = count(shape, axis)
    return spread(f, g * (1 / n) if n else g, shape, axis, keepdims)


SUM = define(row(
    "sum", "x", _sum, ["spread(g, x.shape, axis, keepdims)"], params="axis keepdims", axes="axis", linear="x",
    shape=lambda x, *where: Shaped(reduced(x, *where), np.add.reduce(np.empty(0, x.dtype)).dtype),
    uses={"spread": spread}, domain=reduction_draws, complex=True, doc="Sum over axes.",
))  # fmt: skip
MEAN = define(row(
    "mean", "x", _mean, ["mean_vjp(g, x.shape, axis, keepdims)"], params="axis keepdims", axes="axis", linear="x",
    shape=reduced_floating,
    uses={"mean_vjp": _mean_vjp}, domain=_draws, complex=True, doc="Mean over axes.",
))  # fmt: skip


@public()
def sum(
    x: Any,
    axis: Axes = None,
    *,
    dtype: Any = None,
    keepdims: bool = False,
    initial: Any = None,
    where: Any = None,
    **unknown: Never,
) -> Any:
    """Sum of the elements over `axis`; 0 for no elements.

    x: Tensor or array of any shape; bools and small integers are added as the platform's integers.
    axis: int, tuple of ints, or None for all. dtype: x is converted to it first. keepdims: reduced axes stay at
    length 1. initial: what the sum starts with. where: a mask that broadcasts to x; what it leaves out counts for
    nothing and has a gradient of zero. Raises AxisError for an axis out of range, ValueError for a mask that does not
    fit.

    >>> zen.f.sum(zen.tensor([[1.0, 2.0], [3.0, 4.0]]), axis=0).tolist()
    [4.0, 6.0]
    """
    if unknown:
        refuse(sum, unknown)
    if (initial is not None or where is not None) and masked.wanted(initial, where):
        return masked.reduction("sum", x, axis, keepdims, dtype, initial, where)
    return reduce_by(SUM, "sum", x, axis, keepdims, dtype)


@public()
def mean(
    x: Any, axis: Axes = None, *, dtype: Any = None, keepdims: bool = False, where: Any = None, **unknown: Never
) -> Any:
    """Arithmetic mean over `axis`; nan for no elements. Integers give float64.

    Arguments and errors as in `sum`.

    >>> zen.f.mean(zen.tensor([[1.0, 2.0], [3.0, 4.0]]), axis=1).tolist()
    [1.5, 3.5]
    """
    if unknown:
        refuse(mean, unknown)
    if where is not None and masked.wanted(where):
        return masked.reduction("mean", x, axis, keepdims, dtype, None, where)
    x = _typed("mean", x, dtype)
    return _typed("mean", apply(MEAN, (x,), (some_axes("mean", axis, x.shape), bool(keepdims))), dtype)


# --- extremes


def _share(f: Any, g: Any, x: Any, y: Any, axis: Any, keepdims: bool) -> Any:
    """Ties share g equally. Where the extreme is nan, the nans take it."""
    taken = (x == kept(f, y, x.shape, axis, keepdims)) | (x != x)
    ties = f.astype(f.sum(taken, axis, True), g.dtype)
    return f.where(taken, kept(f, g, x.shape, axis, keepdims) / ties, 0)


def _extreme(name: str, ufunc: np.ufunc) -> Any:
    return define(row(
        name, "x", lambda x, axis, keepdims: ufunc.reduce(x, axis=axis, keepdims=keepdims),
        ["share(g, x, y, axis, keepdims)"],
        params="axis keepdims", axes="axis", uses={"share": _share}, domain=_draws, grouped=True,
        complex=True,
        shape=lambda x, *where: Shaped(reduced(x, *where), x.dtype),
        doc=f"The {name}imum over axes; ties share the gradient equally.",
    ))  # fmt: skip


MAX, MIN = _extreme("max", np.maximum), _extreme("min", np.minimum)


@public("max amax")
def max(
    x: Any, axis: Axes = None, *, keepdims: bool = False, initial: Any = None, where: Any = None, **unknown: Never
) -> Any:
    """The largest element over `axis`; nan if there is one. Equal elements share the gradient equally.

    Arguments as in `sum`; `initial` is one value more to choose from, and is needed with `where`. Raises ValueError for
    no elements, AxisError for an axis out of range.

    >>> zen.f.max(zen.tensor([[1.0, 5.0], [3.0, 4.0]]), axis=1).tolist()
    [5.0, 4.0]
    """
    if unknown:
        refuse(max, unknown)
    if (initial is not None or where is not None) and masked.wanted(initial, where):
        return masked.reduction("max", x, axis, keepdims, None, initial, where)
    return _nonempty(MAX, "max", x, axis, keepdims)


@public("min amin")
def min(
    x: Any, axis: Axes = None, *, keepdims: bool = False, initial: Any = None, where: Any = None, **unknown: Never
) -> Any:
    """The smallest element over `axis`; nan if there is one. Equal elements share the gradient equally.

    Arguments as in `sum`; `initial` is one value more to choose from, and is needed with `where`. Raises ValueError for
    no elements, AxisError for an axis out of range.

    >>> zen.f.min(zen.tensor([[1.0, 5.0], [3.0, 4.0]]), axis=1).tolist()
    [1.0, 3.0]
    """
    if unknown:
        refuse(min, unknown)
    if (initial is not None or where is not None) and masked.wanted(initial, where):
        return masked.reduction("min", x, axis, keepdims, None, initial, where)
    return _nonempty(MIN, "min", x, axis, keepdims)


# --- constant in their input

CONSTANT = define(row(
    "constant", "x", lambda x, value: value.copy(), ["0"], params="value", shape=lambda x, value: same(value),
    domain=lambda rng: [((rng.normal(size=(2, 3)),), (rng.normal(size=4),)), ((np.zeros((0, 2)),), (np.array(1.5),))],
    complex=True, doc="A value that does not change with x: its gradient in x is zero.",
))  # fmt: skip


# --- without derivatives


def _indexed(name: str, find: Any) -> Any:
    return define(row(
        name, "x", lambda x, axis, keepdims: find(x, axis=axis, keepdims=keepdims), [NOT_DIFFERENTIABLE],
        params="axis keepdims", axes="axis", shape=lambda x, *where: Shaped(reduced(x, *where), np.dtype(np.intp)),
        domain=lambda rng: [((rng.normal(size=(2, 3)),), (1, False)), ((rng.normal(size=(2, 3)),), (None, True))],
        complex=True, doc=f"{name} along an axis.",
    ))  # fmt: skip


def _truth(name: str, find: Any) -> Any:
    return define(row(
        name, "x", lambda x, axis, keepdims: find(x, axis=axis, keepdims=keepdims), [NOT_DIFFERENTIABLE],
        params="axis keepdims", axes="axis", domain=reduction_draws, complex=True, doc=f"{name} over axes.",
        shape=lambda x, *where: Shaped(reduced(x, *where), np.asarray(find(np.empty(0))).dtype),
    ))  # fmt: skip


ARGMAX, ARGMIN = _indexed("argmax", np.argmax), _indexed("argmin", np.argmin)
ANY, ALL, COUNT_NONZERO = _truth("any", np.any), _truth("all", np.all), _truth("count_nonzero", np.count_nonzero)


@public()
def any(x: Any, axis: Axes = None, *, keepdims: bool = False, where: Any = None, **unknown: Never) -> Any:
    """Whether any element over `axis` is non-zero; False for no elements. Arguments and errors as in `sum`.

    >>> zen.f.any(zen.tensor([[True, False], [False, False]]), axis=1).tolist()
    [True, False]
    """
    if unknown:
        refuse(any, unknown)
    if where is not None and masked.wanted(where):
        return masked.reduction("any", x, axis, keepdims, None, None, where)
    return reduce_by(ANY, "any", x, axis, keepdims)


@public()
def all(x: Any, axis: Axes = None, *, keepdims: bool = False, where: Any = None, **unknown: Never) -> Any:
    """Whether all elements over `axis` are non-zero; True for no elements. Arguments and errors as in `sum`.

    >>> zen.f.all(zen.tensor([[True, False], [True, True]]), axis=1).tolist()
    [False, True]
    """
    if unknown:
        refuse(all, unknown)
    if where is not None and masked.wanted(where):
        return masked.reduction("all", x, axis, keepdims, None, None, where)
    return reduce_by(ALL, "all", x, axis, keepdims)


@public()
def count_nonzero(x: Any, axis: Axes = None, *, keepdims: bool = False, **unknown: Never) -> Any:
    """How many elements over `axis` are not zero. Arguments and errors as in `sum`.

    >>> zen.f.count_nonzero(zen.tensor([0.0, 1.0, 2.0])).tolist()
    2
    """
    if unknown:
        refuse(count_nonzero, unknown)
    return reduce_by(COUNT_NONZERO, "count_nonzero", x, axis, keepdims)


@public()
def argmax(x: Any, axis: int | None = None, *, keepdims: bool = False, **unknown: Never) -> Any:
    """Index of the first largest element along `axis`, or in the flattened array if None; int64.

    Raises ValueError for no elements, AxisError for an axis out of range.

    >>> zen.f.argmax(zen.tensor([[1.0, 5.0], [3.0, 2.0]]), axis=1).tolist()
    [1, 0]
    """
    if unknown:
        refuse(argmax, unknown)
    return _arg(ARGMAX, "argmax", x, axis, keepdims)


@public()
def argmin(x: Any, axis: int | None = None, *, keepdims: bool = False, **unknown: Never) -> Any:
    """Index of the first smallest element along `axis`, or in the flattened array if None; int64.

    Raises ValueError for no elements, AxisError for an axis out of range.

    >>> zen.f.argmin(zen.tensor([[1.0, 5.0], [3.0, 2.0]]), axis=1).tolist()
    [0, 1]
    """
    if unknown:
        refuse(argmin, unknown)
    return _arg(ARGMIN, "argmin", x, axis, keepdims)


def _typed(name: str, x: Any, dtype: Any) -> Any:
    x = operand(name, x)
    if dtype is not None and x.dtype != dtype:
        return astype(x, dtype)
    return x


def reduce_by(made: Any, name: str, x: Any, axis: Axes, keepdims: bool, dtype: Any = None) -> Any:
    """The row applied over NumPy's `axis`, in the dtype that was asked for."""
    x = operand(name, x) if dtype is None else _typed(name, x, dtype)
    found = apply(made, (x,), (None if axis is None else reduced_axes(name, axis, x.shape), bool(keepdims)))
    return found if dtype is None else _typed(name, found, dtype)


def _nonempty(made: Any, name: str, x: Any, axis: Axes, keepdims: bool) -> Any:
    x = operand(name, x)
    axes = None if axis is None else reduced_axes(name, axis, x.shape)
    if x.size == 0 and count(x.shape, axes) == 0:
        raise ValueError(f"{name}: no elements along axis {axis} of shape {x.shape}; an empty {name} has no value")
    return apply(made, (x,), (axes, bool(keepdims)))


def _arg(made: Any, name: str, x: Any, axis: int | None, keepdims: bool) -> Any:
    x = operand(name, x)
    k = None if axis is None else one_axis(name, axis, x.shape or (1,))  # a 0-d array counts as one of length 1
    if not x.shape:
        k = None
    if (x.size if k is None else x.shape[k]) == 0:
        raise ValueError(f"{name}: no elements along axis {axis} of shape {x.shape}; an empty {name} has no value")
    return apply(made, (x,), (k, bool(keepdims)))
