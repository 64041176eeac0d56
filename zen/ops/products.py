"""Matrix products and what is built on them: matmul, tensordot, dot, inner, outer. einsum stands in `einsum.py`."""

from __future__ import annotations

import math
from typing import Any, Never

import numpy as np

from .. import backend
from ..backend import Shaped, apply
from ..dtypes import COMPLEX, KERNELS
from . import reduction
from .arguments import refuse
from .axes import all_axes, one_axis
from .casting import LARGE
from .operands import constant, operand
from .register import ROWS, define, dispatch, public
from .result_shapes import multiplied
from .row import row
from .shape import moveaxis, ravel, reshape


def turned(f: Any, x: Any) -> Any:
    """Matrices transposed, on arrays and on Tensors."""
    if isinstance(x, np.ndarray):
        return x.swapaxes(-1, -2)
    n = x.ndim
    return f.permute_dims(x, (*range(n - 2), n - 1, n - 2))


def conjugate(f: Any, x: Any) -> Any:
    return f.conj(x) if x.dtype in COMPLEX else x


def adjoint(f: Any, x: Any) -> Any:
    """Matrices conjugated and transposed, on arrays and on Tensors."""
    return conjugate(f, turned(f, x))


def _matmul(a: Any, b: Any) -> Any:
    try:
        if a.ndim > 2 and a.dtype in KERNELS and a.dtype == b.dtype:
            shape = multiplied(a.shape, b.shape)
            if math.prod(shape) >= LARGE:  # into memory that the engine keeps
                return np.matmul(a, b, out=backend.kernels.memory.empty(shape, a.dtype))
        return np.matmul(a, b)
    except ValueError:
        raise ValueError(_mismatch(np.shape(a), np.shape(b))) from None


def _mismatch(a: tuple[int, ...], b: tuple[int, ...]) -> str:
    shapes = f"matmul: shapes {a} and {b}"
    if not a or not b:
        return f"{shapes}: a 0-d operand has no matrix product; use * to scale"
    inner = b[-2] if len(b) > 1 else b[-1]
    if a[-1] != inner:
        axis = -2 if len(b) > 1 else -1
        return f"{shapes}: axis -1 of the first ({a[-1]}) must equal axis {axis} of the second ({inner})"
    return f"{shapes}: the leading axes {a[:-2]} and {b[:-2]} do not broadcast"


def _matmul_left(f: Any, g: Any, a: tuple[int, ...], b: Any) -> Any:
    """The gradient in the left operand, of shape a; the engine adds up broadcast batches."""
    if b.ndim == 1:
        return g * b if len(a) == 1 else g[..., None] * b
    if len(a) == 1:
        return f.matmul(b, g[..., None])[..., 0]
    if len(a) == 2 and b.ndim > 2:  # one product over all batches instead of many and a sum
        m, k = a
        n = math.prod(b.shape[:-2]) * b.shape[-1]
        order = (b.ndim - 2, *range(b.ndim - 2), b.ndim - 1)
        rows, columns = f.permute_dims(g, order), f.permute_dims(b, order)
        return f.matmul(f.reshape(rows, (m, n)), turned(f, f.reshape(columns, (k, n))))
    return f.matmul(g, turned(f, b))


def _matmul_right(f: Any, g: Any, a: Any, b: tuple[int, ...]) -> Any:
    """The gradient in the right operand, of shape b."""
    if a.ndim == 1:
        return g * a if len(b) == 1 else a[:, None] * g[..., None, :]
    if len(b) == 1:
        return f.matmul(g[..., None, :], a)[..., 0, :]
    if len(b) == 2 and a.ndim > 2:
        k, m = b
        n = math.prod(a.shape[:-1])
        return f.matmul(turned(f, f.reshape(a, (n, k))), f.reshape(g, (n, m)))
    return f.matmul(turned(f, a), g)


def _matmul_draws(rng: np.random.Generator) -> list[Any]:
    shapes = [
        ((3,), (3,)), ((2, 3), (3,)), ((3,), (3, 4)), ((2, 3), (3, 4)), ((5, 2, 3), (3,)), ((3,), (5, 3, 2)),
        ((5, 2, 3), (3, 4)), ((2, 3), (5, 3, 4)), ((5, 2, 3), (5, 3, 1)), ((1, 2, 3), (4, 3, 2)),
        ((4, 1, 2, 3), (5, 3, 2)), ((0, 3), (3, 2)), ((2, 0), (0, 3)), ((0, 2, 3), (3, 4)),
        ((2, 3), (0, 3, 4)), ((2, 3), (3, 0)), ((2, 3, 0), (0, 2)), ((2, 0), (3, 0, 2)),
    ]  # fmt: skip
    found = [((rng.normal(size=a), rng.normal(size=b)), ()) for a, b in shapes]
    strided = rng.normal(size=(3, 4)).T, rng.normal(size=(3, 8))[:, ::2]
    return [*found, (strided, ())]


MATMUL = define(row(
    "matmul", "a b", _matmul, ["left(g, a.shape, b)", "right(g, a, b.shape)"], linear="a b",
    shape=lambda a, b: Shaped(multiplied(a.shape, b.shape), np.result_type(a.dtype, b.dtype)),
    uses={"left": _matmul_left, "right": _matmul_right}, domain=_matmul_draws, complex=True, doc="Matrix product.",
))  # fmt: skip


@public("matmul linalg.matmul")
def matmul(a: Any, b: Any) -> Any:
    """Matrix product of the last two axes, `a @ b`; leading axes broadcast.

    a, b: Tensors or arrays of at least one dimension. A 1-d operand counts as a row on the left and as a column on the
    right, and its axis is missing in the result. Raises ValueError naming both shapes if they do not fit.

    >>> zen.f.matmul(zen.tensor([[1.0, 2.0], [3.0, 4.0]]), zen.tensor([1.0, 1.0])).tolist()
    [3.0, 7.0]
    """
    return apply(MATMUL, (a, b))


@public("outer")
def outer(a: Any, b: Any) -> Any:
    """All products of an element of a with one of b: shape (a.size, b.size); operands are flattened.

    >>> zen.f.outer(zen.tensor([1.0, 2.0]), zen.tensor([3.0, 4.0])).tolist()
    [[3.0, 4.0], [6.0, 8.0]]
    """
    a, b = ravel(operand("outer", a)), ravel(operand("outer", b))
    return apply(ROWS["multiply"], (reshape(a, (a.size, 1)), b))


def _outer_of_vectors(x1: Any, x2: Any) -> Any:
    """numpy.linalg.outer, which flattens nothing."""
    x1, x2 = operand("outer", x1), operand("outer", x2)
    if x1.ndim != 1 or x2.ndim != 1:
        raise ValueError(f"outer: vectors are needed, not shapes {x1.shape} and {x2.shape}; numpy.outer flattens them")
    return outer(x1, x2)


dispatch("linalg.outer", _outer_of_vectors)


@public("tensordot linalg.tensordot", method=None)
def tensordot(a: Any, b: Any, axes: Any = 2, **unknown: Never) -> Any:
    """Sum of products over several axes of a and b at once; the other axes of a come first in the result.

    axes: an int n (the last n axes of a with the first n of b), or a pair of ints or sequences naming the axes.
    Raises ValueError if their lengths differ, AxisError for an axis out of range.

    >>> zen.f.tensordot(zen.ones((2, 3, 4)), zen.ones((3, 4, 5)), 2).shape
    (2, 5)
    """
    if unknown:
        refuse(tensordot, unknown)
    a, b = operand("tensordot", a), operand("tensordot", b)
    if np.ndim(axes) == 0 and not isinstance(axes, (tuple, list)):
        n = int(constant("tensordot", "axes", axes))
        if not 0 <= n <= min(a.ndim, b.ndim):
            raise ValueError(f"tensordot: cannot sum over {n} axes of shapes {a.shape} and {b.shape}")
        left, right = tuple(range(a.ndim - n, a.ndim)), tuple(range(n))
    else:
        left, right = all_axes("tensordot", axes[0], a.shape), all_axes("tensordot", axes[1], b.shape)
    lengths, others = [a.shape[k] for k in left], [b.shape[k] for k in right]
    if lengths != others:
        raise ValueError(
            f"tensordot: axes {left} of shape {a.shape} and axes {right} of shape {b.shape} have lengths "
            f"{tuple(lengths)} and {tuple(others)}, which must be equal"
        )
    return _contract(a, b, left, right)


def _contract(a: Any, b: Any, left: tuple[int, ...], right: tuple[int, ...]) -> Any:
    rows, columns = [k for k in range(a.ndim) if k not in left], [k for k in range(b.ndim) if k not in right]
    n = math.prod([a.shape[k] for k in left])
    shape = (*[a.shape[k] for k in rows], *[b.shape[k] for k in columns])
    a = a if not left else apply(ROWS["permute_dims"], (a,), ((*rows, *left),))
    b = b if not right else apply(ROWS["permute_dims"], (b,), ((*right, *columns),))
    a2 = reshape(a, (math.prod(shape[: len(rows)]), n))
    b2 = reshape(b, (n, math.prod(shape[len(rows) :])))
    return reshape(apply(MATMUL, (a2, b2)), shape)


@public()
def dot(a: Any, b: Any) -> Any:
    """NumPy's dot: sum of products over the last axis of a and the second to last (or only) axis of b.

    For one and two dimensions this is matmul; a 0-d operand multiplies. Raises ValueError if the lengths differ.

    >>> zen.f.dot(zen.tensor([1.0, 2.0]), zen.tensor([3.0, 4.0])).tolist()
    11.0
    """
    a, b = operand("dot", a), operand("dot", b)
    if a.ndim == 0 or b.ndim == 0:
        return apply(ROWS["multiply"], (a, b))
    if b.ndim <= 2:
        return apply(MATMUL, (a, b))
    return tensordot(a, b, (-1, -2))


@public("inner")
def inner(a: Any, b: Any) -> Any:
    """Sum of products over the last axes of a and b; a 0-d operand multiplies. Raises ValueError if the lengths differ.

    >>> zen.f.inner(zen.tensor([1.0, 2.0]), zen.tensor([3.0, 4.0])).tolist()
    11.0
    """
    a, b = operand("inner", a), operand("inner", b)
    if a.ndim == 0 or b.ndim == 0:
        return apply(ROWS["multiply"], (a, b))
    return tensordot(a, b, (-1, -1))


@public("vdot", method=None)
def vdot(a: Any, b: Any) -> Any:
    """Sum of products of all elements of a, conjugated, and b; operands are flattened. ValueError if the sizes differ.

    >>> zen.f.vdot(zen.tensor([[1.0], [2.0]]), zen.tensor([3.0, 4.0])).tolist()
    11.0
    """
    a, b = _conjugated(ravel(operand("vdot", a))), ravel(operand("vdot", b))
    return apply(MATMUL, (a, b))


def _conjugated(x: Any) -> Any:
    return apply(ROWS["conj"], (x,)) if x.dtype in COMPLEX else x


@public("vecdot linalg.vecdot", method=None)
def vecdot(a: Any, b: Any, *, axis: int = -1, **unknown: Never) -> Any:
    """Sums of products of the vectors along `axis`, counted from the end of both; the other axes broadcast. A complex a
    is conjugated.

    Raises ValueError if the lengths differ or the shapes do not broadcast, AxisError for an axis out of range.

    >>> zen.f.vecdot(zen.tensor([[1.0, 2.0], [3.0, 4.0]]), zen.tensor([1.0, 1.0])).tolist()
    [3.0, 7.0]
    """
    if unknown:
        refuse(vecdot, unknown)
    a, b = _conjugated(operand("vecdot", a)), operand("vecdot", b)
    i, j = one_axis("vecdot", axis, a.shape), one_axis("vecdot", axis, b.shape)
    if a.shape[i] != b.shape[j]:
        lengths = f"{a.shape[i]} and {b.shape[j]}, which must be equal"
        raise ValueError(f"vecdot: axis {axis} of shapes {a.shape} and {b.shape} has lengths {lengths}")
    products = apply(ROWS["multiply"], (moveaxis(a, i, -1), moveaxis(b, j, -1)))
    return reduction.sum(products, -1, dtype=products.dtype)
