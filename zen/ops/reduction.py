"""Sums, extremes, products and their like over any axes. Moments and norms stand in `moments.py`.

Row level: `axis` is None (all axes) or a tuple of non-negative ints, `keepdims` a bool. The public functions bring
NumPy's arguments into that form.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Never

import numpy as np

from .. import backend
from ..backend import Shaped, Tensor, apply
from ..batched import Batched
from ..dtypes import COMPLEX, KERNELS, accumulator
from . import masked
from .arguments import refuse
from .axes import count, kept, one_axis, reduced_axes, reduced_shape, some_axes, spread
from .casting import astype
from .operands import operand, raw
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
    return _reduce(SUM, "sum", x, axis, keepdims, dtype)


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


# --- products


def _prod(x: Any, axis: Any, keepdims: Any) -> Any:
    return np.multiply.reduce(x, axis=axis, keepdims=keepdims)


def _prod_vjp(f: Any, g: Any, x: Any, axis: Any, keepdims: bool) -> Any:
    """g times the product of the other elements: no division, so zeros in x are no exception."""
    shape = x.shape
    axes = tuple(range(len(shape))) if axis is None else axis
    if not axes:
        return g
    return kept(f, g, shape, axis, keepdims) * _others_over(f, x, shape, axes)


def _others_over(f: Any, x: Any, shape: tuple[int, ...], axes: tuple[int, ...]) -> Any:
    """For each element of x, the product of the others over several axes: over one that joins them."""
    first, n = axes[0], len(axes)
    if n == 1:
        return f.prod_others(x, first)
    if axes == tuple(range(first, first + n)):
        joined = (*shape[:first], count(shape, axes), *shape[first + n :])
        return f.reshape(f.prod_others(f.reshape(x, joined), first), shape)
    order = (*[k for k in range(len(shape)) if k not in axes], *axes)
    others = _others_over(
        f, f.permute_dims(x, order), tuple([shape[k] for k in order]), tuple(range(len(shape) - n, len(shape)))
    )
    return f.permute_dims(others, tuple(np.argsort(order).tolist()))


def _prod_tangent(f: Any, g: Any, x: Any, axis: Any, keepdims: bool) -> Any:
    """Of arrays, one factor after the other; else the sum of all tangents, each times the other factors."""
    shape = x.shape
    axes = tuple(range(len(shape))) if axis is None else tuple(sorted(axis))
    if not axes:
        return g
    first, n = axes[0], len(axes)
    if isinstance(g, (Tensor, Batched)) or g.dtype not in KERNELS or axes != tuple(range(first, first + n)):
        return f.sum(_others_over(f, x, shape, axes) * g, axis, keepdims)
    joined = (*shape[:first], count(shape, axes), *shape[first + n :])
    found = backend.kernels.along.product_tangent(x.reshape(joined), g.reshape(joined), first)
    return found.reshape(reduced_shape(shape, axis, keepdims))


def prod_others(x: Any, axis: int = -1) -> Any:
    """For each element, the product of the others along the axis: running products from both ends."""
    x = np.asarray(x)
    if x.dtype in COMPLEX:
        return _complex_prod_others(np.moveaxis(x, axis, -1), axis)
    wide = x if x.dtype in KERNELS else x.astype(accumulator(x.dtype))
    return backend.kernels.along.prod_others(wide, axis % x.ndim).astype(x.dtype, copy=False)


def _complex_prod_others(x: np.ndarray, axis: int) -> Any:
    ones = np.ones((*x.shape[:-1], 1), x.dtype)
    before = np.cumprod(np.concatenate([ones, x[..., :-1]], -1), -1)
    after = np.cumprod(np.concatenate([ones, x[..., :0:-1]], -1), -1)[..., ::-1]
    return np.moveaxis(before * after if x.shape[-1] else x, -1, axis)


def _prod_others_vjp(f: Any, g: Any, x: Any, axis: int) -> Any:
    """Of the products of those before and of those after each element, which recurrences make, one moves at a time.

    Its own transpose: how product i changes with element k is how product k changes with element i.
    """
    if type(x) is Batched or not np.isfinite(raw(x)).all():
        return _moved_among_copies(f, g, x, axis)
    first, last = np.zeros(x.shape, x.dtype), np.zeros(x.shape, x.dtype)
    lead = (slice(None),) * axis
    first[(*lead, slice(0, 1))] = last[(*lead, slice(-1, None))] = 1
    earlier = f.delayed(x, axis, 0.0, False)
    before, after = f.recurrence(earlier, first, axis, False), f.recurrence(x, last, axis, True)
    moved_before = f.recurrence(earlier, f.delayed(before * g, axis, 0.0, False), axis, False)
    moved_after = f.recurrence(x, f.delayed(after * g, axis, 0.0, True), axis, True)
    return moved_before * after + before * moved_after


def _moved_among_copies(f: Any, g: Any, x: Any, axis: int) -> Any:
    """The same by way of a matrix of copies of x, whose row i has its own element replaced by 1: its product is y[i].

    No product of an infinite element and 0 is in it, as there is where one part of the others moves.
    """
    last = len(x.shape) - 1
    if axis != last:
        order = tuple([last if k == axis else axis if k == last else k for k in range(last + 1)])
        moved = _moved_among_copies(f, f.permute_dims(g, order), f.permute_dims(x, order), last)
        return f.permute_dims(moved, order)
    n = x.shape[-1]
    own = np.eye(n, dtype=bool)
    copies = f.where(own, 1, f.broadcast_to(x[..., None, :], (*x.shape, n)))
    return f.sum(f.where(own, 0, g[..., None] * f.prod_others(copies, last + 1)), (last,), False)


def _prod_draws(rng: np.random.Generator) -> list[Any]:
    zeros = np.array([[0.0, 2.0, -1.5], [0.0, 0.0, 3.0], [1.5, 0.5, 2.0]])
    return [*reduction_draws(rng), ((zeros,), ((1,), False)), ((zeros,), ((0,), True)), ((zeros,), (None, False))]


PROD = define(row(
    "prod", "x", _prod, ["prod_vjp(g, x, axis, keepdims)"],
    params="axis keepdims", axes="axis", uses={"prod_vjp": _prod_vjp, "prod_tangent": _prod_tangent},
    jvp=("prod_tangent(g, x, axis, keepdims)",),
    shape=lambda x, *where: Shaped(reduced(x, *where), np.multiply.reduce(np.empty(0, x.dtype)).dtype),
    domain=_prod_draws, complex=True, doc="Product over axes.",
))  # fmt: skip
define(row(
    "prod_others", "x", prod_others, ["others_vjp(g, x, axis)"],
    params="axis", axes="axis", uses={"others_vjp": _prod_others_vjp},
    jvp=("others_vjp(g, x, axis)",), shape=same,
    domain=lambda rng: [
        ((rng.normal(size=(2, 3)),), (1,)), ((rng.normal(size=(2, 3, 2)),), (1,)), ((rng.normal(size=(2, 0)),), (1,)),
        ((np.array([0.0, 0.0, 1.5, 2.0]),), (0,)), ((rng.normal(size=1),), (0,)), ((rng.normal(size=(5, 3)),), (1,)),
    ],
    complex=True, doc="For each element, the product of the others along an axis.",
))  # fmt: skip


@public()
def prod(
    x: Any,
    axis: Axes = None,
    *,
    dtype: Any = None,
    keepdims: bool = False,
    initial: Any = None,
    where: Any = None,
    **unknown: Never,
) -> Any:
    """Product of the elements over `axis`; 1 for no elements. The gradient is exact where elements are zero.

    Arguments and errors as in `sum`. Second derivatives take memory quadratic in the number of factors.

    >>> zen.f.prod(zen.tensor([[1.0, 2.0], [3.0, 4.0]]), axis=0).tolist()
    [3.0, 8.0]
    """
    if unknown:
        refuse(prod, unknown)
    if (initial is not None or where is not None) and masked.wanted(initial, where):
        return masked.reduction("prod", x, axis, keepdims, dtype, initial, where)
    return _reduce(PROD, "prod", x, axis, keepdims, dtype)


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
    return _reduce(ANY, "any", x, axis, keepdims)


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
    return _reduce(ALL, "all", x, axis, keepdims)


@public()
def count_nonzero(x: Any, axis: Axes = None, *, keepdims: bool = False, **unknown: Never) -> Any:
    """How many elements over `axis` are not zero. Arguments and errors as in `sum`.

    >>> zen.f.count_nonzero(zen.tensor([0.0, 1.0, 2.0])).tolist()
    2
    """
    if unknown:
        refuse(count_nonzero, unknown)
    return _reduce(COUNT_NONZERO, "count_nonzero", x, axis, keepdims)


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


def _reduce(made: Any, name: str, x: Any, axis: Axes, keepdims: bool, dtype: Any = None) -> Any:
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
