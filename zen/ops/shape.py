"""Changes of shape and order. The rows of this file are views where NumPy's are.

Dtypes and copies stand in `casting.py`. Functions that join arrays stand in `joining.py`, those that move or repeat
elements in `rearranging.py`. Functions without a row of their own are compositions of rows, and so are their gradients.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Never

import numpy as np

from ..backend import Shaped, apply, tracer
from ..batched import Batched
from . import orders
from .arguments import refuse
from .axes import all_axes, check_size, common_shape, one_axis, one_shape, reduced_axes
from .casting import COPY, owned
from .operands import operand, raw, whole
from .register import METHODS, define, public
from .row import row

if TYPE_CHECKING:
    from ..typing import Axes


def _inverse(f: Any, axes: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(sorted(range(len(axes)), key=axes.__getitem__))


RESHAPE = define(row(
    "reshape", "x", lambda x, shape: x.reshape(shape), ["reshape(g, x.shape)"],
    params="shape", shapes="shape", linear="x",
    shape=lambda x, shape: Shaped(shape, x.dtype),
    view=True, domain=lambda rng: [
        ((rng.normal(size=(2, 6)),), ((3, 4),)), ((rng.normal(size=()),), ((1, 1),)),
        ((rng.normal(size=(4, 3)).T,), ((12,),)), ((np.zeros((0, 3)),), ((3, 0),)), ((rng.normal(size=(1, 1)),), ((),)),
    ],
    complex=True, doc="Another shape for the same elements.",
))  # fmt: skip
PERMUTE_DIMS = define(row(
    "permute_dims", "x", lambda x, axes: x.transpose(axes), ["permute_dims(g, inverse(axes))"],
    params="axes", axes="axes",
    linear="x", view=True, uses={"inverse": _inverse},
    shape=lambda x, axes: Shaped(tuple([x.shape[k] for k in axes]), x.dtype),
    domain=lambda rng: [
        ((rng.normal(size=(2, 3, 4)),), ((2, 0, 1),)), ((rng.normal(size=()),), ((),)),
        ((rng.normal(size=(2, 0)),), ((1, 0),)), ((rng.normal(size=(2, 3, 8))[..., ::2],), ((1, 2, 0),)),
    ],
    complex=True, doc="Axes in another order.",
))  # fmt: skip
BROADCAST_TO = define(row(
    "broadcast_to", "x", lambda x, shape: np.broadcast_to(x, shape), ["g"],
    params="shape", shapes="shape", linear="x", view=True,
    shape=lambda x, shape: Shaped(shape, x.dtype),
    domain=lambda rng: [
        ((rng.normal(size=(3, 1)),), ((2, 3, 4),)), ((rng.normal(size=()),), ((2, 2),)),
        ((rng.normal(size=(1, 2)),), ((0, 2),)), ((rng.normal(size=(2, 3)),), ((2, 3),)),
    ],
    complex=True, doc="Elements repeated along axes of length 1 and new leading axes.",
))  # fmt: skip


@public()
def reshape(x: Any, shape: Any, order: Any = "C", *, copy: bool | None = None) -> Any:
    """The elements of x in another shape. A view where NumPy gives one.

    shape: int or sequence of ints; one of them may be -1 and is worked out. order: "C" reads and places the elements by
    rows, "F" by columns, "A" by columns if x lies in memory so. copy: True for a copy in any case, False for none.
    Raises ValueError if the number of elements differs, for another order, and where copy=False asks for a view that
    there is not.

    >>> zen.f.reshape(zen.tensor([1.0, 2.0, 3.0, 4.0]), (2, -1)).tolist()
    [[1.0, 2.0], [3.0, 4.0]]
    """
    x = operand("reshape", x)
    wanted = one_shape("reshape", shape)
    if math.prod(wanted) != x.size or (wanted and min(wanted) < 0):
        wanted = _filled(x, wanted)
    if order == "C" and copy is None:
        return apply(RESHAPE, (x,), (wanted,))
    columns = orders.in_columns(x, orders.letter("reshape", order, "CFA"))
    made = orders.reshaped(x, wanted) if columns else apply(RESHAPE, (x,), (wanted,))
    if copy:
        return owned(made, x)
    if copy is False and x.size and not np.may_share_memory(raw(made), raw(x)):
        raise ValueError(
            f"reshape: shape {x.shape} has no view of shape {wanted} in order {order}; leave out copy=False"
        )
    return made


def _filled(x: Any, wanted: tuple[int, ...]) -> tuple[int, ...]:
    """The shape with its -1 worked out; ValueError where x does not fill it."""
    known = math.prod([n for n in wanted if n != -1])
    if wanted.count(-1) == 1 and known and x.size % known == 0:
        wanted = tuple([x.size // known if n == -1 else n for n in wanted])
    if math.prod(wanted) != x.size or min(wanted, default=0) < 0:
        hint = "one -1 at most stands for the length that fits"
        raise ValueError(f"reshape: {x.size} elements of shape {x.shape} do not fill shape {tuple(wanted)}; {hint}")
    return wanted


def _reshape_method(x: Any, *shape: Any, order: Any = "C", copy: bool | None = None) -> Any:
    """`x.reshape(2, 3)` or `x.reshape((2, 3))`; see `zen.f.reshape`."""
    return reshape(x, shape[0] if len(shape) == 1 else shape, order, copy=copy)


@public("")
def permute_dims(x: Any, axes: Any, **unknown: Never) -> Any:
    """The axes of x in the order `axes`; a view.

    axes: a permutation of all axes; negative ones count from the end. Raises ValueError otherwise.

    >>> zen.f.permute_dims(zen.zeros((2, 3, 4)), (2, 0, 1)).shape
    (4, 2, 3)
    """
    if unknown:
        refuse(permute_dims, unknown)
    return _permuted("permute_dims", x, axes)


@public("transpose permute_dims")
def transpose(x: Any, axes: Any = None, **unknown: Never) -> Any:
    """The axes of x reversed, or in the order `axes`; a view. Errors as in `permute_dims`.

    >>> zen.f.transpose(zen.zeros((2, 3, 4))).shape
    (4, 3, 2)
    """
    if unknown:
        refuse(transpose, unknown)
    return _permuted("transpose", x, axes)


def _transpose_method(x: Any, *axes: Any, **unknown: Never) -> Any:
    """`x.transpose()`, `x.transpose(1, 0)` or `x.transpose((1, 0))`; see `zen.f.transpose`."""
    if unknown:
        refuse(transpose, unknown)
    if len(axes) == 1 and (axes[0] is None or isinstance(axes[0], (tuple, list))):
        return transpose(x, axes[0])
    return transpose(x, axes or None)


METHODS["reshape"], METHODS["transpose"] = _reshape_method, _transpose_method


def _permuted(name: str, x: Any, axes: Any) -> Any:
    x = operand(name, x)
    if axes is None:
        return apply(PERMUTE_DIMS, (x,), (tuple(range(x.ndim))[::-1],))
    order = all_axes(name, axes, x.shape)
    if len(order) != x.ndim:
        raise ValueError(f"{name}: axes {order} do not name each of the {x.ndim} axes of shape {x.shape} once")
    return apply(PERMUTE_DIMS, (x,), (order,))


@public()
def swapaxes(x: Any, axis1: int, axis2: int, **unknown: Never) -> Any:
    """x with two axes exchanged; a view. Raises AxisError for an axis out of range.

    >>> zen.f.swapaxes(zen.zeros((2, 3, 4)), 0, -1).shape
    (4, 3, 2)
    """
    if unknown:
        refuse(swapaxes, unknown)
    x = operand("swapaxes", x)
    a, b = one_axis("swapaxes", axis1, x.shape), one_axis("swapaxes", axis2, x.shape)
    order = list(range(x.ndim))
    order[a], order[b] = b, a
    return apply(PERMUTE_DIMS, (x,), (tuple(order),))


@public()
def moveaxis(x: Any, source: Any, destination: Any) -> Any:
    """x with the axes `source` moved to `destination`, the others in their order; a view.

    source, destination: ints or sequences of ints of equal length; ValueError or AxisError otherwise.

    >>> zen.f.moveaxis(zen.zeros((2, 3, 4)), 0, -1).shape
    (3, 4, 2)
    """
    x = operand("moveaxis", x)
    old, new = all_axes("moveaxis", source, x.shape), all_axes("moveaxis", destination, x.shape)
    if len(old) != len(new):
        raise ValueError(f"moveaxis: {len(old)} source axes {old} but {len(new)} destinations {new}")
    order = [k for k in range(x.ndim) if k not in old]
    for place, k in sorted(zip(new, old, strict=True)):
        order.insert(place, k)
    return apply(PERMUTE_DIMS, (x,), (tuple(order),))


@public("matrix_transpose linalg.matrix_transpose", method=None)
def matrix_transpose(x: Any) -> Any:
    """The matrices in the last two axes of x, transposed; a view. Raises ValueError for less than two dimensions.

    >>> zen.f.matrix_transpose(zen.zeros((5, 2, 3))).shape
    (5, 3, 2)
    """
    x = operand("matrix_transpose", x)
    if x.ndim < 2:
        raise ValueError(f"matrix_transpose: at least two dimensions are needed, not shape {x.shape}")
    return swapaxes(x, -1, -2)


@public()
def expand_dims(x: Any, axis: Any = 0, **unknown: Never) -> Any:
    """x with new axes of length 1 at the positions `axis` of the result; a view.

    axis: int or tuple of ints. Raises AxisError for a position out of range.

    >>> zen.f.expand_dims(zen.zeros((2, 3)), (0, -1)).shape
    (1, 2, 3, 1)
    """
    if unknown:
        refuse(expand_dims, unknown)
    x = operand("expand_dims", x)
    added = len(axis) if isinstance(axis, (tuple, list)) else 1
    places = all_axes("expand_dims", axis, x.shape, added=added)
    lengths = iter(x.shape)
    return apply(RESHAPE, (x,), (tuple([1 if k in places else next(lengths) for k in range(x.ndim + added)]),))


@public()
def squeeze(x: Any, axis: Axes = None, **unknown: Never) -> Any:
    """x without the axes `axis`, whose length must be 1; all such axes if None. A view.

    Raises ValueError for an axis of another length, AxisError for one out of range.

    >>> zen.f.squeeze(zen.zeros((1, 3, 1)), 0).shape
    (3, 1)
    """
    if unknown:
        refuse(squeeze, unknown)
    x = operand("squeeze", x)
    if axis is None:
        return apply(RESHAPE, (x,), (tuple([n for n in x.shape if n != 1]),))
    axes = reduced_axes("squeeze", axis, x.shape) or ()
    long = [k for k in axes if x.shape[k] != 1]
    if long:
        raise ValueError(f"squeeze: axis {long[0]} of shape {x.shape} has length {x.shape[long[0]]}, not 1")
    return apply(RESHAPE, (x,), (tuple([n for k, n in enumerate(x.shape) if k not in axes]),))


@public()
def broadcast_to(x: Any, shape: Any) -> Any:
    """x repeated to `shape` by the broadcasting rules; a read-only view.

    Raises ValueError if x does not broadcast to it.

    >>> zen.f.broadcast_to(zen.tensor([1.0, 2.0]), (2, 2)).tolist()
    [[1.0, 2.0], [1.0, 2.0]]
    """
    x = operand("broadcast_to", x)
    wanted = one_shape("broadcast_to", shape)
    lead = len(wanted) - x.ndim
    fits = lead >= 0 and all([n in (1, m) for n, m in zip(x.shape, wanted[lead:], strict=True)])
    if not fits or any([n < 0 for n in wanted]):
        raise ValueError(
            f"broadcast_to: shape {x.shape} does not broadcast to {wanted}; "
            "axes are compared from the last one and must be equal or 1 in the first"
        )
    check_size("broadcast_to", wanted)
    return apply(BROADCAST_TO, (x,), (wanted,))


@public(method=None)
def broadcast_arrays(*arrays: Any) -> tuple[Any, ...]:
    """All arrays broadcast to their common shape, as read-only views. Raises ValueError if they do not broadcast.

    >>> [x.shape for x in zen.f.broadcast_arrays(zen.zeros(3), zen.zeros((2, 1)))]
    [(2, 3), (2, 3)]
    """
    found = [operand("broadcast_arrays", x) for x in arrays]
    shape = common_shape("broadcast_arrays", *[x.shape for x in found])
    return tuple([broadcast_to(x, shape) for x in found])


@public("ravel")
def ravel(x: Any, order: Any = "C") -> Any:
    """The elements of x along one axis and without gaps; a view where NumPy gives one.

    order: "C" by rows, "F" by columns, "A" by columns if x lies in memory so, "K" as they lie in memory. Raises
    ValueError for another.

    >>> zen.f.ravel(zen.tensor([[1.0, 2.0], [3.0, 4.0]])).tolist()
    [1.0, 2.0, 3.0, 4.0]
    """
    x = operand("ravel", x)
    if order != "C":
        x = orders.as_in_memory(x, orders.letter("ravel", order, "CFAK"))
    flat = apply(RESHAPE, (x,), ((x.size,),))
    if type(flat) is Batched:
        return flat
    if tracer() is None and raw(flat).flags.c_contiguous:
        return flat
    return apply(COPY, (flat,), ("C",))


def along(operation: str, x: Any, axis: Any) -> tuple[Any, int]:
    """x, and `axis` from the front. For None x is flattened, and for axis 0 or -1 if it is 0-d, as in NumPy."""
    if axis is None:
        return ravel(x), 0
    if not x.shape:
        x = ravel(x)
    return x, one_axis(operation, axis, x.shape)


@public("")
def flatten(x: Any, start_axis: Any = 0, end_axis: int = -1, *, order: Any = "C") -> Any:
    """The axes from start_axis to end_axis, both included, joined into one; all of them if not given.

    Always a copy, as in NumPy (see `ravel`, also for `order`, which NumPy has in the first place, and which is for all
    axes). Raises AxisError for an axis that x does not have, ValueError
    where the first comes after the last.

    >>> zen.f.flatten(zen.zeros((2, 3))).shape, zen.f.flatten(zen.zeros((2, 3, 4)), 1).shape
    ((6,), (2, 12))
    """
    x = operand("flatten", x)
    shape = x.shape
    if isinstance(start_axis, str):
        start_axis, order = 0, start_axis
    if order != "C":
        if (start_axis, end_axis) != (0, -1):
            raise ValueError("flatten: order= is for all axes; leave out start_axis and end_axis")
        return owned(ravel(x, order), x)
    if type(start_axis) is not int or type(end_axis) is not int:
        start_axis = whole("flatten", "start_axis", start_axis)
        end_axis = whole("flatten", "end_axis", end_axis)
    if not shape or (start_axis == 0 and end_axis == -1):
        return apply(COPY, (ravel(x),), ("C",))
    start, end = one_axis("flatten", start_axis, shape), one_axis("flatten", end_axis, shape)
    if start > end:
        raise ValueError(f"flatten: start_axis {start_axis} comes after end_axis {end_axis} in shape {shape}")
    joined = (*shape[:start], math.prod(shape[start : end + 1]), *shape[end + 1 :])
    return apply(COPY, (apply(RESHAPE, (x,), (joined,)),), ("C",))


def _at_least(name: str, x: Any, shape: Any, ndim: int) -> Any:
    x = operand(name, x)
    return apply(RESHAPE, (x,), (x.shape if x.ndim >= ndim else shape(x.shape),))


def _each(function: Any, arrays: tuple[Any, ...]) -> Any:
    found = tuple([function(x) for x in arrays])
    return found[0] if len(found) == 1 else found


@public("atleast_1d", method=None)
def atleast_1d(*arrays: Any) -> Any:
    """An array with at least one axis; of several arrays a tuple of such.

    >>> zen.f.atleast_1d(zen.tensor(1.0)).shape
    (1,)
    """
    return _each(lambda x: _at_least("atleast_1d", x, lambda s: (1,), 1), arrays)


@public("atleast_2d", method=None)
def atleast_2d(*arrays: Any) -> Any:
    """An array with at least two axes, new ones coming first; of several arrays a tuple of such.

    >>> zen.f.atleast_2d(zen.zeros(3)).shape
    (1, 3)
    """
    return _each(lambda x: _at_least("atleast_2d", x, lambda s: (1,) * (2 - len(s)) + s, 2), arrays)


@public("atleast_3d", method=None)
def atleast_3d(*arrays: Any) -> Any:
    """An array with at least three axes, placed as in NumPy; of several arrays a tuple of such.

    (N,) gives (1, N, 1) and (M, N) gives (M, N, 1).

    >>> zen.f.atleast_3d(zen.zeros((2, 3))).shape
    (2, 3, 1)
    """

    def shape(s: tuple[int, ...]) -> tuple[int, ...]:
        return (*((1, *s) if len(s) < 2 else s), 1) if s else (1, 1, 1)

    return _each(lambda x: _at_least("atleast_3d", x, shape, 3), arrays)
