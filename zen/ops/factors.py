"""Products of the elements over any axes, and what their derivatives are made of: the products of the others.

Rows and functions are as in `reduction.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Never

import numpy as np

from .. import backend
from ..backend import Shaped, Tensor
from ..batched import Batched
from ..dtypes import COMPLEX, KERNELS, accumulator
from . import masked
from .arguments import refuse
from .axes import count, kept, reduced_shape
from .operands import raw
from .reduction import reduce_by, reduction_draws
from .register import define, public
from .result_shapes import reduced, same
from .row import row

if TYPE_CHECKING:
    from ..typing import Axes


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
    return reduce_by(PROD, "prod", x, axis, keepdims, dtype)
