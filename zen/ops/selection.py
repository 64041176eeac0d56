"""Functions that select elements: take, diagonals and triangles, sorting."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Never

import numpy as np

from .. import backend
from ..backend import Shaped, Tensor, apply, wrap
from ..dtypes import BOOLEAN, COMPLEX, FLOATING, INTEGER, KERNELS, accumulator
from .arguments import refuse
from .axes import one_axis
from .casting import astype, owned
from .indexing import GETITEM, along_axis, plain_key, zeros
from .operands import complex_of, constant, operand, raw, whole
from .pointwise import where
from .register import define, dispatch, placed, public
from .row import row
from .shape import along, broadcast_to, moveaxis, ravel

if TYPE_CHECKING:
    from numpy.typing import DTypeLike

    from ..backend import Tensor
    from ..typing import ArrayLike


@public("take")
def take(x: Any, indices: Any, axis: int | None = None, *, mode: str = "raise", **unknown: Never) -> Any:
    """The elements of x at `indices` along `axis`; None takes from the flattened array.

    indices: int, or array or Tensor of ints; negative ones count from the end. The result has their shape in place of
    the axis. mode: "clip" takes the nearest for an index out of range (negative ones too), "wrap" counts on from the
    other end. Raises IndexError for an index out of range, AxisError for an axis out of range.

    >>> zen.f.take(zen.tensor([1.0, 2.0, 3.0]), [2, 0]).tolist()
    [3.0, 1.0]
    """
    if unknown:
        refuse(take, unknown)
    x = operand("take", x)
    x, k = along("take", x, axis)
    lead = (slice(None),) * k
    positions = _ints("take", indices)
    if mode != "raise":
        positions = within("take", positions, x.shape[k], mode)
    try:
        taken = apply(GETITEM, (x,), (lead + plain_key(positions),))
    except IndexError as error:
        _, _, reason = str(error).rpartition(": ")
        raise IndexError(f"take: {reason} (shape {x.shape})") from None
    return owned(taken, x) if type(positions) is int else taken


def within(operation: str, positions: Any, n: int, mode: str) -> Any:
    """Positions along an axis of length n, brought into range as NumPy's `mode` says."""
    if mode not in ("raise", "clip", "wrap"):
        raise ValueError(f"{operation}: mode must be 'raise', 'clip' or 'wrap', not {mode!r}")
    if mode == "raise" or not n:
        return positions
    return np.clip(positions, 0, n - 1) if mode == "clip" else positions % n


class Places:
    """Positions along an axis, from 0 on, as C-contiguous int64 that nobody else holds: so nodes need no copy."""

    __slots__ = ("at",)

    def __init__(self, at: np.ndarray) -> None:
        self.at = at


def _take_along(x: Any, places: Places, axis: int) -> Any:
    if x.dtype in KERNELS:
        return backend.kernels.places.take_along(x, places.at, axis)
    return np.take_along_axis(x, places.at, axis)


def _add_along(v: Any, places: Places, n: int, axis: int) -> Any:
    if v.dtype in COMPLEX:
        return complex_of(_add_along(v.real, places, n, axis), _add_along(v.imag, places, n, axis))
    wide = v if v.dtype in KERNELS else v.astype(accumulator(v.dtype))
    return backend.kernels.places.add_along(wide, places.at, n, axis).astype(v.dtype, copy=False)


def _placed(rng: np.random.Generator) -> list[Any]:
    found = []
    for shape, axis, m in (
        ((4,), 0, 6),
        ((3, 4), 1, 4),
        ((3, 4), 0, 2),
        ((2, 3, 2), 1, 5),
        ((3, 2), 1, 0),
        ((0, 2), 1, 3),
    ):
        taken = (*shape[:axis], m, *shape[axis + 1 :])
        found.append(((rng.normal(size=shape),), (Places(rng.integers(0, shape[axis], taken)), axis)))
    return found


TAKE_ALONG = define(row(
    "take_along", "x", _take_along, ["add_along(g, places, x.shape[axis], axis)"],
    params="places axis", axes="axis", linear="x",
    shape=lambda x, places, axis: Shaped(places.at.shape, x.dtype),
    domain=_placed, complex=True, doc="Along an axis, the elements at positions from 0 on.",
))  # fmt: skip
define(row(
    "add_along", "v", _add_along, ["take_along(g, places, axis)"], params="places n axis", axes="axis", linear="v",
    domain=lambda rng: [((rng.normal(size=p.at.shape),), (p, x.shape[axis], axis)) for (x,), (p, axis) in _placed(rng)],
    shape=lambda v, places, n, axis: Shaped((*v.shape[:axis], n, *v.shape[axis + 1 :]), v.dtype),
    complex=True, doc="Zeros with values added along an axis: the transpose of take_along.",
))  # fmt: skip


@public("take_along_axis")
def take_along_axis(x: Any, indices: Any, axis: int | None = -1, **unknown: Never) -> Any:
    """For each position, the element of x at `indices` along `axis`: `out[i, j] = x[i, indices[i, j]]`.

    indices: array or Tensor of ints with as many dimensions as x, whose other axes broadcast with those of x. Raises
    IndexError for an index out of range, ValueError for shapes that do not fit, AxisError for an axis out of range.

    >>> zen.f.take_along_axis(zen.tensor([[1.0, 2.0], [3.0, 4.0]]), [[1], [0]], axis=1).tolist()
    [[2.0], [3.0]]
    """
    if unknown:
        refuse(take_along_axis, unknown)
    x, indices = operand("take_along_axis", x), _ints("take_along_axis", indices, False)
    recorded = isinstance(indices, Tensor)  # in a program: an operand of it
    indices = indices if recorded else np.asarray(indices)
    if axis is None:
        x, axis = ravel(x), 0
    k = one_axis("take_along_axis", axis, x.shape)
    if indices.shape == x.shape and not recorded:
        at = backend.kernels.places.positions(indices, x.shape[k])
        if at is not None:
            return apply(TAKE_ALONG, (x,), (Places(at), k))
    lengths = list(zip(indices.shape, x.shape, strict=False))
    if indices.ndim != x.ndim or not all([j == k or n == m or 1 in (n, m) for j, (n, m) in enumerate(lengths)]):
        raise ValueError(f"take_along_axis: indices of shape {indices.shape} do not fit shape {x.shape} with axis {k}")
    at = None if recorded else backend.kernels.places.positions(indices, x.shape[k])
    if at is None:
        return apply(GETITEM, (x,), (along_axis(x.shape, indices, k),))  # raises
    beside = [max(pair) if 0 not in pair else 0 for pair in lengths]
    if any([j != k and (n != m or m != beside[j]) for j, (n, m) in enumerate(lengths)]):
        x = broadcast_to(x, (*beside[:k], x.shape[k], *beside[k + 1 :]))
        at = np.ascontiguousarray(np.broadcast_to(at, (*beside[:k], at.shape[k], *beside[k + 1 :])))
    return apply(TAKE_ALONG, (x,), (Places(at), k))


def _ints(operation: str, indices: Any, copy: bool = True) -> Any:
    found = raw(operand(operation, indices))
    if found.dtype not in INTEGER and found.size:
        raise IndexError(f"{operation}: indices must be ints, not dtype {found.dtype}")
    return found.astype(np.intp, copy=copy) if found.ndim or found.dtype in FLOATING else int(found)


def _on_diagonal(v: Any, shape: tuple[int, ...], offset: int) -> Any:
    """Zeros, with v along the last axis, broadcast, on the diagonal: in equal steps through the matrix as one row."""
    rows, columns = shape[-2:]
    n = min(rows, columns - offset) if offset > 0 else min(rows + offset, columns)
    out = zeros(shape, v.dtype)
    if n > 0:
        first = offset if offset > 0 else -offset * columns
        out.reshape(*shape[:-2], rows * columns)[..., first : first + n * (columns + 1) : columns + 1] = v
    return out


def _matrices(rng: np.random.Generator) -> list[Any]:
    shapes = [
        ((3, 3), 0),
        ((2, 4), 1),
        ((4, 2), -2),
        ((2, 3, 2), 0),
        ((2, 2), 5),
        ((0, 3), 0),
        ((2, 0, 0), 0),
        ((0, 2, 2), 0),
    ]
    return [((rng.normal(size=shape),), (offset,)) for shape, offset in shapes]


def _diagonals(x: Any, offset: int) -> Shaped:
    height, width = x.shape[-2:]
    length = min(height + min(offset, 0), width - max(offset, 0))
    return Shaped((*x.shape[:-2], max(length, 0)), x.dtype)


DIAGONAL = define(row(
    "diagonal", "x", lambda x, offset: x.diagonal(offset, -2, -1).copy(), ["from_diagonal(g, x.shape, offset)"],
    params="offset", linear="x", domain=_matrices, shape=_diagonals,
    complex=True, doc="The diagonals of the matrices in the last two axes.",
))  # fmt: skip
define(row(
    "from_diagonal", "v", _on_diagonal, ["diagonal(g, offset)"], params="shape offset", shapes="shape", linear="v",
    domain=lambda rng: [((rng.normal(size=np.diagonal(x, offset, -2, -1).shape),), (x.shape, offset))
                        for (x,), (offset,) in _matrices(rng)],
    shape=lambda v, shape, offset: Shaped(shape, v.dtype), complex=True, doc="Matrices of zeros with these diagonals.",
))  # fmt: skip


TRACE = define(row(
    "trace", "x", lambda x, offset: np.asarray(np.add.reduce(x.diagonal(offset, -2, -1), -1)),
    ["from_trace(g, x.shape, offset)"], params="offset", linear="x", domain=_matrices,
    shape=lambda x, offset: Shaped(x.shape[:-2], np.add.reduce(np.empty(0, x.dtype)).dtype),
    complex=True, doc="The sums of the diagonals of the matrices in the last two axes.",
))  # fmt: skip
define(row(
    "from_trace", "v", lambda v, shape, offset: _on_diagonal(np.asarray(v)[..., None], shape, offset),
    ["trace(g, offset)"], params="shape offset", shapes="shape", linear="v",
    domain=lambda rng: [((rng.normal(size=x.shape[:-2]),), (x.shape, offset)) for (x,), (offset,) in _matrices(rng)],
    shape=lambda v, shape, offset: Shaped(shape, v.dtype), complex=True,
    doc="Matrices of zeros with one value along the diagonal.",
))  # fmt: skip


@public("diagonal")
def diagonal(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1, **unknown: Never) -> Any:
    """The diagonals of the matrices in axes `axis1` and `axis2`, as a new last axis; a copy.

    offset: above (positive) or below the main diagonal. Raises ValueError for less than two dimensions or equal axes,
    AxisError for an axis out of range.

    >>> zen.f.diagonal(zen.tensor([[1.0, 2.0], [3.0, 4.0]])).tolist()
    [1.0, 4.0]
    """
    if unknown:
        refuse(diagonal, unknown)
    return _diagonal(DIAGONAL, "diagonal", x, offset, axis1, axis2)


@public("trace")
def trace(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1, *, dtype: Any = None, **unknown: Never) -> Any:
    """The sums of the diagonals. dtype: x is converted to it first. Arguments and errors as in `diagonal`.

    >>> zen.f.trace(zen.tensor([[1.0, 2.0], [3.0, 4.0]])).tolist()
    5.0
    """
    if unknown:
        refuse(trace, unknown)
    return _traced(x, offset, axis1, axis2, dtype)


def _traced(x: Any, offset: int, axis1: int, axis2: int, dtype: Any) -> Tensor:
    if dtype is None:
        return _diagonal(TRACE, "trace", x, offset, axis1, axis2)
    x = astype(operand("trace", x), dtype, copy=False)
    found: Tensor = astype(_diagonal(TRACE, "trace", x, offset, axis1, axis2), dtype, copy=False)
    return found


def matrix_diagonal(x: ArrayLike, *, offset: int = 0) -> Tensor:
    """`zen.linalg.diagonal`: the diagonals of the matrices in the last two axes. See `zen.f.diagonal`."""
    return _diagonal(DIAGONAL, "diagonal", x, offset, -2, -1)


def matrix_trace(x: ArrayLike, *, offset: int = 0, dtype: DTypeLike | None = None) -> Tensor:
    """`zen.linalg.trace`: the traces of the matrices in the last two axes. See `zen.f.trace`."""
    return _traced(x, offset, -2, -1, dtype)


dispatch("linalg.diagonal", placed(matrix_diagonal, "zen.linalg", "diagonal"))
dispatch("linalg.trace", placed(matrix_trace, "zen.linalg", "trace"))


def _diagonal(made: Any, name: str, x: Any, offset: int, axis1: int, axis2: int) -> Tensor:
    x = operand(name, x)
    if x.ndim < 2:
        raise ValueError(f"{name}: at least two dimensions are needed, not shape {x.shape}")
    a, b = one_axis(name, axis1, x.shape), one_axis(name, axis2, x.shape)
    if a == b:
        raise ValueError(f"{name}: axis1 and axis2 are both {a} for shape {x.shape}; give two different axes")
    offset = whole(name, "offset", offset)
    if (a, b) != (x.ndim - 2, x.ndim - 1):
        x = moveaxis(x, (a, b), (-2, -1))
    found: Tensor = apply(made, (x,), (offset,))
    return found


def _triangle(name: str, x: Any, k: int) -> Any:
    x = operand(name, x)
    if x.ndim < 2:
        raise ValueError(f"{name}: at least two dimensions are needed, not shape {x.shape}")
    rows, columns = x.shape[-2:]
    k = constant(name, "k", k)
    mask = (_small_mask if rows * columns <= 1024 and type(k) is int else _mask)(name, rows, columns, k)
    return where(mask, x, False if x.dtype in BOOLEAN else 0)


def _mask(name: str, rows: int, columns: int, k: Any) -> np.ndarray:
    return np.tri(rows, columns, k, dtype=bool) if name == "tril" else ~np.tri(rows, columns, k - 1, dtype=bool)


_small_mask = lru_cache(maxsize=64)(_mask)  # at most 64 KiB


@public("tril")
def tril(x: Any, k: int = 0) -> Any:
    """The matrices in the last two axes with zeros above the k-th diagonal.

    Raises ValueError for less than two dimensions.

    >>> zen.f.tril(zen.tensor([[1.0, 2.0], [3.0, 4.0]])).tolist()
    [[1.0, 0.0], [3.0, 4.0]]
    """
    return _triangle("tril", x, k)


@public("triu")
def triu(x: Any, k: int = 0) -> Any:
    """The matrices in the last two axes with zeros below the k-th diagonal.

    Raises ValueError for less than two dimensions.

    >>> zen.f.triu(zen.tensor([[1.0, 2.0], [3.0, 4.0]])).tolist()
    [[1.0, 2.0], [0.0, 4.0]]
    """
    return _triangle("triu", x, k)


@public("argsort")
def argsort(
    x: Any, axis: int | None = -1, *, descending: bool = False, stable: bool | None = True, **unknown: Never
) -> Any:
    """The indices that sort x along `axis` (flattened if None); equal elements keep their order. int64, no gradient.

    stable: whether the order of equal elements matters; they keep it in either case. Raises AxisError for an axis
    out of range.

    >>> zen.f.argsort(zen.tensor([3.0, 1.0, 2.0])).tolist()
    [1, 2, 0]
    """
    if unknown:
        refuse(argsort, unknown)
    x = operand("argsort", x)
    x, k = along("argsort", x, axis)
    found = _order(x, k, descending)
    return found if isinstance(found, Tensor) else wrap(found)


def _order(x: Any, axis: int, descending: bool) -> Any:
    """The positions that sort x: an array; while a program is recorded a Tensor, by a row of the program."""
    array = raw(x)
    if isinstance(array, Tensor):
        return apply(_ORDER, (array,), (axis, descending))
    return backend.kernels.places.order(array, axis, descending)


_ORDER = backend.Row(
    "order", 1, lambda x, axis, descending: backend.kernels.places.order(x, axis, descending),
    lambda: ((None,), ((0, 0, 0),)),
)  # fmt: skip


@public("sort", method="sort")
def sort(
    x: Any, axis: int | None = -1, *, descending: bool = False, stable: bool | None = True, **unknown: Never
) -> Any:
    """x sorted along `axis` (flattened if None), as a new Tensor. Raises AxisError for an axis out of range.

    stable: as in `argsort`.

    >>> zen.f.sort(zen.tensor([3.0, 1.0, 2.0])).tolist()
    [1.0, 2.0, 3.0]
    """
    if unknown:
        refuse(sort, unknown)
    x = operand("sort", x)
    if axis is None:
        x, axis = ravel(x), 0
    k = one_axis("sort", axis, x.shape)
    order = _order(x, k, descending)
    if isinstance(order, Tensor):
        return take_along_axis(x, order, k)
    return apply(TAKE_ALONG, (x,), (Places(np.ascontiguousarray(order)), k))
