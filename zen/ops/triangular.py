"""Triangular systems and LU decompositions, under SciPy's names, by NumPy alone: solve_triangular, cho_solve, lu.

Derivatives of LU: S. Walter and L. Lehmann, "Algorithmic differentiation of linear algebra functions with application
in optimum experimental design", 2010, section 3. The permutation is held fixed.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import backend
from ..backend import Shaped, apply
from ..dtypes import KERNELS, floating
from ..dtypes import real as real_dtype
from .joining import concat
from .linalg import floated_square, solution, solve
from .operands import constant, operand, raw
from .products import turned
from .register import define, public
from .row import row
from .selection import take_along_axis, tril, triu
from .shape import matrix_transpose
from .singular_values import adjoint_of, matrices
from .ties import recorded

_TRANSPOSES = {0: "N", 1: "T", 2: "C", "N": "N", "T": "T", "C": "C"}


def _triangle(name: str, a: Any, lower: bool, unit: bool) -> Any:
    """The triangular matrices that are read; LinAlgError for a zero on the diagonal."""
    n = a.shape[-1]
    if unit:
        return (tril(a, -1) if lower else triu(a, 1)) + np.eye(n, dtype=a.dtype)
    zero = np.diagonal(raw(a), axis1=-2, axis2=-1) == 0
    if zero.any():
        raise np.linalg.LinAlgError(
            f"{name}: Singular matrix (shape {a.shape}): diagonal element {int(np.argwhere(zero)[0][-1])} is 0"
        )
    return tril(a) if lower else triu(a)


@public("", method=None)
def solve_triangular(a: Any, b: Any, trans: int | str = 0, lower: bool = False, unit_diagonal: bool = False) -> Any:
    """The y with a @ y = b, of which only the upper triangle of a is read, or with `lower` the lower one.

    a: (..., n, n). b: (n,) or (..., n, k). trans: 0 or "N"; 1 or "T" for a.mT @ y = b, 2 or "C" for a.mH @ y = b.
    unit_diagonal: the diagonal of a counts as ones. What is not read has a gradient of zero. Raises ValueError for
    shapes that do not fit or another trans, numpy.linalg.LinAlgError for a zero on the diagonal.

    >>> zen.f.solve_triangular(zen.tensor([[2.0, 0.0], [1.0, 1.0]]), zen.tensor([2.0, 3.0]), lower=True).tolist()
    [1.0, 2.0]
    """
    trans = constant("solve_triangular", "trans", trans)
    if trans not in _TRANSPOSES:
        raise ValueError(f"solve_triangular: trans must be 0, 1, 2, 'N', 'T' or 'C', not {trans!r}")
    return _solved("solve_triangular", a, b, _TRANSPOSES[trans], lower, unit_diagonal)


def _solved(name: str, a: Any, b: Any, trans: str, lower: bool, unit: bool = False) -> Any:
    a, b = floated_square(name, a), operand(name, b)
    n = a.shape[-1]
    if b.ndim == 0 or b.shape[-2 if b.ndim > 1 else -1] != n:
        raise ValueError(
            f"{name}: matrices of shape {a.shape} need a right side ({n},) or (..., {n}, k), not {b.shape}"
        )
    factor = _triangle(name, a, lower, unit)
    if trans != "N":
        factor = matrix_transpose(factor) if trans == "T" else adjoint_of(factor)
    return solve(factor, b)


@public("", method=None)
def cho_solve(c_and_lower: Any, b: Any) -> Any:
    """The y with a @ y = b, of the Cholesky factor of a.

    c_and_lower: (c, lower), where a = c @ c.mH, or a = c.mH @ c if not lower; the other triangle of c is not read.
    b: (n,) or (..., n, k). Raises ValueError for shapes that do not fit, numpy.linalg.LinAlgError for a zero on the
    diagonal.

    >>> c = zen.linalg.cholesky(zen.tensor([[4.0, 0.0], [0.0, 1.0]]))
    >>> zen.f.cho_solve((c, True), zen.tensor([4.0, 1.0])).tolist()
    [1.0, 1.0]
    """
    if not isinstance(c_and_lower, (tuple, list)) or len(c_and_lower) != 2:
        raise TypeError("cho_solve: the first argument is a pair (c, lower) of a Cholesky factor and a bool")
    c, lower = c_and_lower
    first, second = ("N", "C") if lower else ("C", "N")
    return _solved("cho_solve", c, _solved("cho_solve", c, b, first, lower), second, lower)


# --- LU


def _eliminate(x: np.ndarray, pivoting: bool) -> tuple[np.ndarray, np.ndarray]:
    """Both factors in one matrix, and the order that the rows were brought into."""
    found: tuple[np.ndarray, np.ndarray] | None = _by_kernel(x, pivoting)
    if found is not None:
        return found
    a = np.array(x)
    m, n = a.shape[-2:]
    order = np.broadcast_to(np.arange(m), a.shape[:-1]).copy()
    for k in range(min(m, n)):
        if pivoting and m - k > 1:
            column = a[..., k:, k]
            size = np.abs(column.real) + np.abs(column.imag)  # as LAPACK measures complex numbers
            best = k + np.argmax(size, axis=-1)[..., None]
            for held in (a, order):
                place = best[..., None] if held is a else best
                top = held[..., k : k + 1, :].copy() if held is a else held[..., k : k + 1].copy()
                axis = -2 if held is a else -1
                other = np.take_along_axis(held, place, axis)
                np.put_along_axis(held, place, top, axis)
                held[(..., slice(k, k + 1), slice(None)) if held is a else (..., slice(k, k + 1))] = other
        pivot = a[..., k, k][..., None]
        column = a[..., k + 1 :, k] / np.where(pivot == 0, 1, pivot)
        a[..., k + 1 :, k] = column
        a[..., k + 1 :, k + 1 :] -= column[..., :, None] * a[..., k, k + 1 :][..., None, :]
    return a, order


def _by_kernel(x: np.ndarray, pivoting: bool) -> Any:
    """The same by the kernel of `slogdet`; None where there is none, and where it exchanges rows that are to stay."""
    n = x.shape[-1]
    if x.dtype not in KERNELS or not x.dtype.isnative or x.shape[-2] != n:
        return None
    found = backend.kernels.factor.slogdet(x)
    if found is None:
        return None
    sign, _, packed, pivots = found
    if (sign == 0).any() or not (pivoting or (pivots == np.arange(n)).all()):
        return None
    order = np.broadcast_to(np.arange(n), pivots.shape).copy()
    for k in range(n):
        place = pivots[..., k : k + 1]
        top = order[..., k].copy()
        order[..., k] = np.take_along_axis(order, place, -1)[..., 0]
        np.put_along_axis(order, place, top[..., None], -1)
    return packed, order


def _factors(a: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    k = min(a.shape[-2:])
    return np.tril(a[..., :, :k], -1) + np.eye(a.shape[-2], k, dtype=a.dtype), np.triu(a[..., :k, :])


def _lu_vjp(f: Any, g: Any, lower: Any, upper: Any) -> Any:
    n = lower.shape[-1]
    below = np.tril(np.ones((n, n), real_dtype(lower.dtype)), -1)
    inner = 0.0
    if g[0] is not None:
        inner = inner + f.matmul(turned(f, lower), g[0]) * below
    if g[1] is not None:
        inner = inner + f.matmul(g[1], turned(f, upper)) * (1 - below)
    left = solution(f, turned(f, lower), inner)
    return turned(f, solution(f, upper, turned(f, left)))


def _lu(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    if x.dtype == np.float16:
        raise TypeError("lu: float16 is not supported; convert to float32 with astype first")
    return _factors(_eliminate(x, False)[0])


def _diagonal_heavy(rng: np.random.Generator) -> list[Any]:
    shapes = [(3, 3), (2, 2, 2), (1, 1)]
    found = [rng.normal(size=s) + 3 * np.eye(s[-1]) for s in shapes]
    return [((x,), ()) for x in [*found, found[0].T, np.zeros((0, 2, 2))]]


LU = define(row(
    "lu", "x", _lu, ["vjp(g, lower, upper)"], outputs="lower upper",
    uses={"vjp": _lu_vjp}, shape=lambda x: (Shaped(x.shape, floating(x.dtype)),) * 2, domain=_diagonal_heavy,
    complex=True, doc="The triangular factors of square matrices whose rows are in an order that needs no pivots.",
))  # fmt: skip


@public("", method=None)
def lu(a: Any, permute_l: bool = False, p_indices: bool = False) -> tuple[Any, ...]:
    """LU decomposition with partial pivoting: (p, l, u) with a = p @ l @ u.

    a: matrices (..., m, n), k = min(m, n). p: permutations (..., m, m), or with p_indices the indices (..., m) with
    a = l[p] @ u, without a gradient. l: (..., m, k), lower triangular with ones on the diagonal. u: (..., k, n), upper
    triangular. permute_l: (p @ l, u) instead. The permutation is held fixed in derivatives; they need the leading k
    columns of rank k (numpy.linalg.LinAlgError otherwise). Raises ValueError for less than two dimensions.

    >>> p, l, u = zen.f.lu(zen.tensor([[1.0, 2.0], [2.0, 2.0]]))
    >>> u.tolist()
    [[2.0, 2.0], [0.0, 1.0]]
    """
    a = matrices("lu", a)
    packed, order = _eliminate(raw(a), True)
    inverse = np.argsort(order, axis=-1)
    if recorded(a):
        lower, upper = _recorded_factors(a, packed, order)
    else:
        lower, upper = (backend.wrap(x) for x in _factors(packed))
    if permute_l:
        return _rows(lower, inverse), upper
    if p_indices:
        return backend.wrap(inverse), lower, upper
    eye = np.eye(a.shape[-2], dtype=real_dtype(a.dtype))
    return backend.wrap(np.asarray(eye[inverse])), lower, upper


def _rows(x: Any, order: np.ndarray) -> Any:
    return take_along_axis(x, np.broadcast_to(order[..., None], x.shape), -2)


def _recorded_factors(a: Any, packed: np.ndarray, order: np.ndarray) -> tuple[Any, Any]:
    """By rows: of the leading square part, and what belongs to the rest by solving with its factors."""
    m, n = a.shape[-2:]
    k = min(m, n)
    pivots = np.abs(np.diagonal(packed, axis1=-2, axis2=-1))
    if (pivots == 0).any():
        raise np.linalg.LinAlgError(
            f"lu: the first {k} columns of a matrix of shape {a.shape} are linearly dependent, where the factors "
            "have no derivative; pass a.detach() if none is wanted"
        )
    a = _rows(a, order)
    lower, upper = apply(LU, (a[..., :k, :k],))
    if m > k:
        rest = matrix_transpose(solve(matrix_transpose(upper), matrix_transpose(a[..., k:, :])))
        lower = concat([lower, rest], -2)
    if n > k:
        upper = concat([upper, solve(lower, a[..., :, k:])], -1)
    return lower, upper
