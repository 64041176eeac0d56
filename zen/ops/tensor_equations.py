"""Products and equations made of the rows of linear algebra: chains, powers, cross products, tensor equations."""

from __future__ import annotations

import math
import warnings
from typing import Any, Never

import numpy as np

from ..backend import apply
from .arguments import refuse
from .axes import all_axes, one_axis
from .joining import stack
from .linalg import inv, solve, square_matrices
from .operands import operand, whole
from .products import matmul
from .reduction import CONSTANT
from .register import dispatch, placed, public
from .shape import moveaxis, reshape


@public("linalg.multi_dot", method=None)
def multi_dot(arrays: Any) -> Any:
    """The matrix product of two or more arrays, in the order that takes the fewest multiplications.

    arrays: a sequence; the first and the last may be vectors, all others are matrices. Raises ValueError for less than
    two, numpy.linalg.LinAlgError for other dimensions, ValueError for shapes that do not fit.

    >>> zen.f.multi_dot([zen.ones((2, 3)), zen.ones((3, 4)), zen.ones(4)]).tolist()
    [12.0, 12.0]
    """
    chain = [operand("multi_dot", x) for x in arrays]
    if len(chain) < 2:
        raise ValueError(f"multi_dot: at least two arrays are needed, not {len(chain)}")
    for k, x in enumerate(chain):
        if x.ndim != 2 and not (x.ndim == 1 and k in (0, len(chain) - 1)):
            raise np.linalg.LinAlgError(
                f"multi_dot: array {k} has shape {x.shape}; matrices are needed, and vectors only first and last"
            )
    first, last = chain[0].ndim == 1, chain[-1].ndim == 1
    if len(chain) == 2:
        return matmul(*chain)
    chain[0] = reshape(chain[0], (1, -1)) if first else chain[0]
    chain[-1] = reshape(chain[-1], (-1, 1)) if last else chain[-1]
    found = _chained(chain, _order([chain[0].shape[0], *[x.shape[1] for x in chain]]), 0, len(chain) - 1)
    shape = found.shape[1 if first else 0 : 1 if last else 2]
    return found if shape == found.shape else reshape(found, shape)


def _order(sizes: list[int]) -> list[list[int]]:
    """Where to split each part of a chain of matrices. Cormen et al., Introduction to Algorithms, section 15.2."""
    n = len(sizes) - 1
    cost, split = [[0] * n for _ in range(n)], [[0] * n for _ in range(n)]
    for length in range(1, n):
        for i in range(n - length):
            j = i + length
            costs = [cost[i][k] + cost[k + 1][j] + sizes[i] * sizes[k + 1] * sizes[j + 1] for k in range(i, j)]
            cost[i][j] = min(costs)
            split[i][j] = i + costs.index(cost[i][j])
    return split


def _chained(chain: list[Any], split: list[list[int]], i: int, j: int) -> Any:
    if i == j:
        return chain[i]
    k = split[i][j]
    return matmul(_chained(chain, split, i, k), _chained(chain, split, k + 1, j))


@public("linalg.matrix_power", method=None)
def matrix_power(x: Any, n: int) -> Any:
    """The matrices in the last two axes of x, multiplied n times; n < 0 takes the inverse, n = 0 the identity.

    Raises ValueError for matrices that are not square, numpy.linalg.LinAlgError for an inverse that does not exist.

    >>> zen.f.matrix_power(zen.tensor([[1.0, 1.0], [0.0, 1.0]]), 3).tolist()
    [[1.0, 3.0], [0.0, 1.0]]
    """
    n = whole("matrix_power", "n", n)
    x = square_matrices("matrix_power", x, half=n >= 0)  # products of float16 exist, their inverse does not
    if n == 0:
        return apply(CONSTANT, (x,), (np.broadcast_to(np.eye(x.shape[-1], dtype=x.dtype), x.shape).copy(),))
    if n < 0:
        x, n = inv(x), -n
    result = None
    while n:
        if n & 1:
            result = x if result is None else result @ x
        n >>= 1
        if n:
            x = x @ x
    return result


@public("linalg.tensorsolve", method=None)
def tensorsolve(a: Any, b: Any, axes: Any = None, **unknown: Never) -> Any:
    """The x with tensordot(a, x, x.ndim) = b.

    a: of shape (*b.shape, *x.shape), where the products of both parts are equal. axes: axes of a that are moved to its
    end first. Raises numpy.linalg.LinAlgError for another shape and for a singular a.

    >>> zen.f.tensorsolve(zen.f.reshape(2 * zen.eye(4), (2, 2, 4)), zen.ones((2, 2))).tolist()
    [0.5, 0.5, 0.5, 0.5]
    """
    if unknown:
        refuse(tensorsolve, unknown)
    a, b = operand("tensorsolve", a), operand("tensorsolve", b)
    if axes is not None:
        moved = all_axes("tensorsolve", axes, a.shape)
        a = moveaxis(a, moved, tuple(range(a.ndim - len(moved), a.ndim)))
    shape = a.shape[b.ndim :] if b.ndim else a.shape
    n = math.prod(shape)
    if a.size != n * n or b.size != n:
        raise np.linalg.LinAlgError(
            f"tensorsolve: a of shape {a.shape} is no square matrix from shape {shape} to that of b, {b.shape}"
        )
    return reshape(solve(reshape(a, (n, n)), reshape(b, (n,))), shape)


@public("linalg.tensorinv", method=None)
def tensorinv(a: Any, ind: int = 2) -> Any:
    """The inverse of a with respect to tensordot(a, b, ind): of shape (*a.shape[ind:], *a.shape[:ind]).

    The products of a.shape[:ind] and a.shape[ind:] are equal, ind is positive (ValueError otherwise). Raises
    numpy.linalg.LinAlgError for a singular a.

    >>> zen.f.tensorinv(zen.f.reshape(2 * zen.eye(4), (2, 2, 4))).shape
    (4, 2, 2)
    """
    a, ind = operand("tensorinv", a), whole("tensorinv", "ind", ind)
    if ind <= 0:
        raise ValueError(f"tensorinv: ind must be positive, not {ind}")
    rows, columns = math.prod(a.shape[:ind]), math.prod(a.shape[ind:])
    if rows != columns:
        raise np.linalg.LinAlgError(
            f"tensorinv: a of shape {a.shape} with ind={ind} is a matrix of shape ({rows}, {columns}), which has no "
            "inverse"
        )
    return reshape(inv(reshape(a, (rows, columns))), (*a.shape[ind:], *a.shape[:ind]))


@public("cross", method=None)
def cross(
    a: Any, b: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None, **unknown: Never
) -> Any:
    """Cross products of vectors of three components, as numpy.cross; the other axes broadcast.

    axisa, axisb, axisc: the axes of the vectors in a, b and the result; axis stands for all three. Vectors of two
    components, which NumPy deprecates with a warning, have a third one of zero; of two of them the third component of
    the product is returned. Raises ValueError for other lengths, AxisError for an axis out of range.

    >>> zen.f.cross(zen.tensor([1.0, 0.0, 0.0]), zen.tensor([0.0, 1.0, 0.0])).tolist()
    [0.0, 0.0, 1.0]
    """
    if unknown:
        refuse(cross, unknown)
    a, b = operand("cross", a), operand("cross", b)
    if axis is not None:
        axisa = axisb = axisc = axis
    i, j = one_axis("cross", axisa, a.shape), one_axis("cross", axisb, b.shape)
    lengths = a.shape[i], b.shape[j]
    if not {*lengths} <= {2, 3}:
        raise ValueError(f"cross: vectors of 2 or 3 components are needed, not of {lengths[0]} and {lengths[1]}")
    if 2 in lengths:
        warnings.warn(
            "Arrays of 2-dimensional vectors are deprecated. Use arrays of 3-dimensional vectors instead. "
            "(deprecated in NumPy 2.0)", DeprecationWarning, stacklevel=2,
        )  # fmt: skip
    return _crossed("cross", moveaxis(a, i, -1), moveaxis(b, j, -1), axisc)


def _crossed(name: str, a: Any, b: Any, axis: int) -> Any:
    x, y = ([v[..., k] for k in range(v.shape[-1])] for v in (a, b))
    last = x[0] * y[1] - x[1] * y[0]
    if len(x) == len(y) == 2:
        return last
    if len(x) == 2:
        parts = [x[1] * y[2], -(x[0] * y[2]), last]
    elif len(y) == 2:
        parts = [-(x[2] * y[1]), x[2] * y[0], last]
    else:
        parts = [x[1] * y[2] - x[2] * y[1], x[2] * y[0] - x[0] * y[2], last]
    return stack(parts, one_axis(name, axis, last.shape, added=1))


def vector_cross(x1: Any, x2: Any, /, *, axis: int = -1) -> Any:
    """`zen.linalg.cross`: cross products of vectors of three components along `axis`. See `zen.f.cross`."""
    a, b = operand("cross", x1), operand("cross", x2)
    i, j = one_axis("cross", axis, a.shape), one_axis("cross", axis, b.shape)
    if a.shape[i] != 3 or b.shape[j] != 3:
        raise ValueError(f"cross: vectors of 3 components are needed, not of {a.shape[i]} and {b.shape[j]}")
    return _crossed("cross", moveaxis(a, i, -1), moveaxis(b, j, -1), axis)


dispatch("linalg.cross", placed(vector_cross, "zen.linalg", "cross"))
