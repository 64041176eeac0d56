"""Axes turned, stacked and cut, and products of shapes, under NumPy's names."""

from __future__ import annotations

from typing import Any, Never

import numpy as np

from ..dtypes import COMPLEX
from .arguments import refuse
from .axes import one_axis
from .casting import astype
from .data import asarray
from .errors import reworded
from .joining import concat, split
from .operands import operand, raw, whole
from .products import matmul
from .rearranging import flip
from .register import FUNCTIONS, public
from .running import cumprod
from .shape import atleast_3d, broadcast_to, moveaxis, reshape, swapaxes

_multiply = FUNCTIONS["multiply"]


def _of_dimensions(name: str, x: Any, least: int) -> Any:
    x = asarray(operand(name, x))
    if x.ndim < least:
        words = "one dimension is" if least == 1 else f"{least} dimensions are"
        raise ValueError(f"{name}: at least {words} needed, not shape {x.shape}")
    return x


@public("flipud", method=None)
def flipud(x: Any) -> Any:
    """x with the order of its rows, along the first axis, reversed; a view. ValueError for a 0-d array.

    >>> zen.f.flipud(zen.tensor([1.0, 2.0])).tolist()
    [2.0, 1.0]
    """
    return flip(_of_dimensions("flipud", x, 1), 0)


@public("fliplr", method=None)
def fliplr(x: Any) -> Any:
    """x with the order of its columns, along the second axis, reversed; a view. ValueError for less than two axes.

    >>> zen.f.fliplr(zen.tensor([[1.0, 2.0]])).tolist()
    [[2.0, 1.0]]
    """
    return flip(_of_dimensions("fliplr", x, 2), 1)


@public("rot90", method=None)
def rot90(x: Any, k: int = 1, axes: Any = (0, 1), **unknown: Never) -> Any:
    """x turned k times by 90 degrees in the plane of two axes, from the first of them towards the second; a view.

    Raises ValueError for axes that are not two different ones of x.

    >>> zen.f.rot90(zen.tensor([[1.0, 2.0], [3.0, 4.0]])).tolist()
    [[2.0, 4.0], [1.0, 3.0]]
    """
    if unknown:
        refuse(rot90, unknown)
    x, turns = asarray(operand("rot90", x)), whole("rot90", "k", k) % 4
    if len(axes) != 2:
        raise ValueError(f"rot90: two axes make a plane, not {tuple(axes)}")
    try:
        a, b = (one_axis("rot90", axis, x.shape) for axis in axes)
    except np.exceptions.AxisError as error:
        raise ValueError(str(error)) from None
    if a == b:
        raise ValueError(f"rot90: axes {tuple(axes)} of shape {x.shape} are one axis; a plane has two")
    if turns == 2:
        return flip(x, (a, b))
    if turns == 0:
        return x[...]
    return swapaxes(flip(x, b), a, b) if turns == 1 else flip(swapaxes(x, a, b), b)


@public("rollaxis", method=None)
def rollaxis(x: Any, axis: int, start: int = 0, **unknown: Never) -> Any:
    """x with `axis` moved to stand before the axis `start`; a view. See `moveaxis`, which says where it ends up.

    Raises AxisError for an axis out of range.

    >>> zen.f.rollaxis(zen.zeros((2, 3, 4)), 2).shape
    (4, 2, 3)
    """
    if unknown:
        refuse(rollaxis, unknown)
    x = asarray(operand("rollaxis", x))
    k, place = one_axis("rollaxis", axis, x.shape), whole("rollaxis", "start", start)
    if not -x.ndim <= place <= x.ndim:
        raise np.exceptions.AxisError(f"rollaxis: start {place} is out of range for shape {x.shape}")
    place = place + x.ndim if place < 0 else place
    return moveaxis(x, k, place - (k < place))


# --- stacked


@public("column_stack", method=None)
def column_stack(arrays: Any) -> Any:
    """Arrays joined side by side as columns, 1-d ones as single columns. Errors as in `concat`.

    >>> zen.f.column_stack([zen.tensor([1.0, 2.0]), zen.tensor([3.0, 4.0])]).tolist()
    [[1.0, 3.0], [2.0, 4.0]]
    """
    found = [asarray(operand("column_stack", x)) for x in arrays]
    return concat([reshape(x, (-1, 1)) if x.ndim < 2 else x for x in found], 1)


@public("dstack", method=None)
def dstack(arrays: Any) -> Any:
    """Arrays joined along the third axis, after `atleast_3d`. Errors as in `concat`.

    >>> zen.f.dstack([zen.zeros(3), zen.zeros(3)]).shape
    (1, 3, 2)
    """
    return concat([atleast_3d(x) for x in arrays], 2)


# --- cut


@public("array_split", method=None)
def array_split(x: Any, indices_or_sections: Any, axis: int = 0, **unknown: Never) -> list[Any]:
    """x cut along `axis`, as a list of views; the first parts are one longer where they cannot be equal.

    indices_or_sections: the number of parts, or the positions before which to cut. Raises ValueError for no parts,
    AxisError for an axis out of range.

    >>> [part.tolist() for part in zen.f.array_split(zen.tensor([1.0, 2.0, 3.0]), 2)]
    [[1.0, 2.0], [3.0]]
    """
    if unknown:
        refuse(array_split, unknown)
    x = asarray(operand("array_split", x))
    k = one_axis("array_split", axis, x.shape)
    if np.ndim(raw(indices_or_sections)):
        return split(x, indices_or_sections, k)
    parts = whole("array_split", "indices_or_sections", indices_or_sections)
    if parts <= 0:
        raise ValueError(f"array_split: the number of parts must be above 0, not {parts}")
    each, more = divmod(x.shape[k], parts)
    return split(x, [n * each + min(n, more) for n in range(1, parts)], k)


def _cut(name: str, x: Any, parts: Any, axis: int, least: int) -> list[Any]:
    x = _of_dimensions(name, x, least)
    try:
        return split(x, parts, axis)
    except ValueError as error:
        raise reworded(error, str(error).replace("split", name, 1)) from None


@public("vsplit", method=None)
def vsplit(x: Any, indices_or_sections: Any) -> list[Any]:
    """x cut along its first axis; see `split`. ValueError for less than two dimensions.

    >>> [part.tolist() for part in zen.f.vsplit(zen.tensor([[1.0, 2.0], [3.0, 4.0]]), 2)]
    [[[1.0, 2.0]], [[3.0, 4.0]]]
    """
    return _cut("vsplit", x, indices_or_sections, 0, 2)


@public("hsplit", method=None)
def hsplit(x: Any, indices_or_sections: Any) -> list[Any]:
    """x cut along its second axis, or along its only one; see `split`. ValueError for a 0-d array.

    >>> [part.tolist() for part in zen.f.hsplit(zen.tensor([[1.0, 2.0], [3.0, 4.0]]), 2)]
    [[[1.0], [3.0]], [[2.0], [4.0]]]
    """
    return _cut("hsplit", x, indices_or_sections, 1 if np.ndim(raw(x)) > 1 else 0, 1)


@public("dsplit", method=None)
def dsplit(x: Any, indices_or_sections: Any) -> list[Any]:
    """x cut along its third axis; see `split`. ValueError for less than three dimensions.

    >>> [part.tolist() for part in zen.f.dsplit(zen.tensor([[[1.0, 2.0]]]), 2)]
    [[[[1.0]]], [[[2.0]]]]
    """
    return _cut("dsplit", x, indices_or_sections, 2, 3)


# --- products


@public("kron", method=None)
def kron(a: Any, b: Any) -> Any:
    """The Kronecker product: b times each element of a, side by side in the places of these.

    a, b: Tensors or arrays of any shapes; missing axes count as 1.

    >>> zen.f.kron(zen.tensor([1.0, 10.0]), [1.0, 2.0]).tolist()
    [1.0, 2.0, 10.0, 20.0]
    """
    a, b = asarray(operand("kron", a)), asarray(operand("kron", b))
    ndim = max(a.ndim, b.ndim)
    if not (a.ndim and b.ndim):
        return _multiply(a, b)
    shapes = [(1,) * (ndim - x.ndim) + x.shape for x in (a, b)]
    left = reshape(a, tuple([n for length in shapes[0] for n in (length, 1)]))
    right = reshape(b, tuple([n for length in shapes[1] for n in (1, length)]))
    return reshape(_multiply(left, right), tuple([m * n for m, n in zip(*shapes, strict=True)]))


@public("vander", method=None)
def vander(x: Any, N: int | None = None, increasing: bool = False) -> Any:
    """The Vandermonde matrix: in each row the powers of one element, falling from N - 1 to 0, or rising.

    x: one-dimensional; float32 gives float64, as in NumPy. N: the number of columns, the length of x if not given.
    Raises ValueError for another number of dimensions.

    >>> zen.f.vander(zen.tensor([2.0, 3.0]), 3).tolist()
    [[4.0, 2.0, 1.0], [9.0, 3.0, 1.0]]
    """
    x = asarray(operand("vander", x))
    if x.ndim != 1:
        raise ValueError(f"vander: x must be one-dimensional, not of shape {x.shape}")
    columns = len(x) if N is None else whole("vander", "N", N)
    if columns < 0:
        raise ValueError(f"vander: N must not be negative, but is {columns}")
    x = astype(x, np.promote_types(x.dtype, int), copy=False)
    ones = np.ones((len(x), min(columns, 1)), x.dtype)
    powers = concat([ones, broadcast_to(x[:, None], (len(x), max(columns - 1, 0)))], 1)
    powers = cumprod(powers, 1) if columns > 1 else powers
    return powers if increasing else flip(powers, 1)


@public("matvec", method=None)
def matvec(x1: Any, x2: Any) -> Any:
    """Matrices in the last two axes of x1 times vectors in the last axis of x2; the others broadcast.

    Raises ValueError for shapes that do not fit.

    >>> zen.f.matvec(zen.tensor([[1.0, 2.0], [3.0, 4.0]]), [1.0, 10.0]).tolist()
    [21.0, 43.0]
    """
    return _as_matrices("matvec", _of_dimensions("matvec", x1, 2), _of_dimensions("matvec", x2, 1), (0, 1))


@public("vecmat", method=None)
def vecmat(x1: Any, x2: Any) -> Any:
    """Vectors in the last axis of x1, conjugated, times matrices in the last two axes of x2; the others broadcast.

    Raises ValueError for shapes that do not fit.

    >>> zen.f.vecmat(zen.tensor([1.0, 10.0]), [[1.0, 2.0], [3.0, 4.0]]).tolist()
    [31.0, 42.0]
    """
    x1, x2 = _of_dimensions("vecmat", x1, 1), _of_dimensions("vecmat", x2, 2)
    return _as_matrices("vecmat", FUNCTIONS["conj"](x1) if x1.dtype in COMPLEX else x1, x2, (1, 0))


def _as_matrices(name: str, a: Any, b: Any, which: tuple[int, int]) -> Any:
    """The product, of which one factor holds vectors: `which` says with a 1."""
    left = reshape(a, (*a.shape[:-1], 1, a.shape[-1])) if which[0] else a
    right = reshape(b, (*b.shape, 1)) if which[1] else b
    try:
        made = matmul(left, right)
    except ValueError:
        raise ValueError(f"{name}: shapes {a.shape} and {b.shape} do not fit") from None
    return made[..., 0, :] if which[0] else made[..., 0]
