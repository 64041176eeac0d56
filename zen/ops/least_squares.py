"""Pseudo-inverses, least squares, ranks and condition numbers.

Derivatives: G. Golub and V. Pereyra, "The differentiation of pseudo-inverses and nonlinear least squares problems whose
variables separate", SIAM J. Numer. Anal. 10, 1973. They hold while the rank stays what it is.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import backend
from ..backend import Shaped, apply
from ..dtypes import floating
from . import lapack, reduction
from .casting import astype
from .linalg import inv
from .moments import norm
from .operands import constant, operand, raw
from .pointwise import where
from .products import adjoint, conjugate, turned
from .register import FUNCTIONS, define, public
from .row import row
from .singular_values import matrices, svdvals
from .spectra import failing, symmetric
from .ties import recorded


def _pinv(x: Any, rcond: Any) -> Any:
    return failing("pinv", lapack.pinv, x, rcond)


def _complete(x: np.ndarray, y: np.ndarray) -> tuple[bool, bool]:
    """Whether x @ y, and y @ x, are the identity, and stay it nearby: where rows, or columns, are independent.

    The trace of these projectors is the rank.
    """
    m, n = x.shape[-2:]
    full = bool((np.einsum("...ij,...ji", x, y).real > min(m, n) - 0.5).all())
    return full and m <= n, full and m >= n


def _pinv_vjp(f: Any, g: Any, x: Any, y: Any) -> Any:
    across, back, (rows, columns) = adjoint(f, y), turned(f, g), _complete(raw(x), raw(y))
    found = -f.matmul(f.matmul(turned(f, y), g), turned(f, y))
    if not rows:
        left = f.matmul(back, f.matmul(y, across))
        found = found + conjugate(f, left - f.matmul(x, f.matmul(y, left)))
    if not columns:
        right = f.matmul(f.matmul(across, y), back)
        found = found + conjugate(f, right - f.matmul(f.matmul(right, y), x))
    return found


def _pinv_tangent(f: Any, g: Any, x: Any, y: Any) -> Any:
    across, back, (rows, columns) = adjoint(f, y), adjoint(f, g), _complete(raw(x), raw(y))
    found = -f.matmul(f.matmul(y, g), y)
    if not rows:
        left = f.matmul(f.matmul(y, across), back)
        found = found + left - f.matmul(f.matmul(left, x), y)
    if not columns:
        right = f.matmul(back, f.matmul(across, y))
        found = found + right - f.matmul(y, f.matmul(x, right))
    return found


def _tall_and_wide(rng: np.random.Generator) -> list[Any]:
    shapes = [(3, 3), (4, 2), (2, 3), (2, 3, 2), (1, 1)]
    found = [rng.normal(size=s) + 2 * np.eye(s[-2], s[-1]) for s in shapes]
    return [((x,), (1e-15,)) for x in [*found, rng.normal(size=(2, 4)).T, np.zeros((0, 3, 2)), np.zeros((0, 2))]]


PINV = define(row(
    "pinv", "x", _pinv, ["vjp(g, x, y)"], jvp=("tangent(g, x, y)",), params="rcond",
    uses={"vjp": _pinv_vjp, "tangent": _pinv_tangent}, domain=_tall_and_wide, complex=True,
    shape=lambda x, rcond: Shaped((*x.shape[:-2], x.shape[-1], x.shape[-2]), floating(x.dtype)),
    doc="Moore-Penrose inverses.",
))  # fmt: skip


@public("linalg.pinv", method=None)
def pinv(x: Any, rcond: Any = None, hermitian: bool = False, *, rtol: Any = np._NoValue) -> Any:
    """Moore-Penrose inverses of matrices (..., m, n): (..., n, m).

    rcond, or rtol: singular values up to this part of the largest count as zero; 1e-15 by default, and with rtol=None
    max(m, n) times the rounding of the dtype. hermitian: x is symmetric or Hermitian, and its lower triangle is read.
    The derivatives are those at constant rank; a matrix without full rank has no other. Raises ValueError for less than
    two dimensions, or for both rcond and rtol; numpy.linalg.LinAlgError where LAPACK does not converge.

    >>> zen.f.pinv(zen.tensor([[2.0], [0.0]])).tolist()
    [[0.5, 0.0]]
    """
    x = matrices("pinv", x)
    rcond, given = constant("pinv", "rcond", rcond), rtol is not np._NoValue
    if rcond is not None and given:
        raise ValueError("pinv: rcond and rtol are two names of one argument; give one of them")
    if rcond is None:
        rcond = 1e-15 if not given else constant("pinv", "rtol", rtol)
    if rcond is None:
        rcond = max(x.shape[-2:]) * np.finfo(x.dtype).eps
    return apply(PINV, (symmetric("pinv", x, "L") if hermitian else x,), (rcond,))


@public("linalg.lstsq", method=None)
def lstsq(a: Any, b: Any, rcond: float | None = None) -> tuple[Any, ...]:
    """Least squares: (x, residuals, rank, s), where x has the smallest sum of abs(b - a @ x) ** 2, and of all that have
    it the smallest norm.

    a: (m, n). b: (m,) or (m, k). residuals: these sums, (k,), or (1,) for a vector; empty where the rank of a is less
    than n, or m <= n. rank: an int of NumPy. s: the singular values of a, of which those up to rcond times the largest
    count as zero; by default max(m, n) times the rounding of float64. x, residuals and s are differentiable, while the
    rank stays what it is. Raises numpy.linalg.LinAlgError for shapes that do not fit, or where LAPACK does not
    converge.

    >>> x, residuals, rank, s = zen.f.lstsq(zen.tensor([[1.0], [1.0]]), zen.tensor([1.0, 3.0]))
    >>> [round(v, 6) for v in (x.item(), residuals.item())], int(rank)
    ([2.0, 2.0], 1)
    """
    a, b = operand("lstsq", a), operand("lstsq", b)
    if a.ndim != 2 or b.ndim not in (1, 2) or a.shape[0] != b.shape[0]:
        raise np.linalg.LinAlgError(
            f"lstsq: a matrix (m, n) needs a right side (m,) or (m, k); the shapes are {a.shape} and {b.shape}"
        )
    rcond = constant("lstsq", "rcond", rcond)
    x, residuals, rank, s = failing("lstsq", lapack.lstsq, raw(a), raw(b), rcond)
    if not (recorded(a) or recorded(b)):
        return backend.wrap(np.asarray(x)), backend.wrap(residuals), rank, backend.wrap(s)
    double = np.result_type(a.dtype, b.dtype, np.float64)  # what LAPACK computes in
    if rcond is None:
        rcond = max(a.shape) * np.finfo(double).eps
    wide, right = astype(a, double), astype(b, double)
    solution = apply(PINV, (wide,), (rcond,)) @ right
    sums = reduction.sum(FUNCTIONS["abs"](right - wide @ solution) ** 2, axis=0, keepdims=b.ndim == 1)
    sums = astype(sums if sums.shape == residuals.shape else sums[:0], residuals.dtype)
    return astype(solution, x.dtype), sums, rank, astype(svdvals(wide), s.dtype)


@public("linalg.matrix_rank", method=None)
def matrix_rank(A: Any, tol: Any = None, hermitian: bool = False, *, rtol: Any = None) -> Any:  # noqa: N803  NumPy's
    """How many singular values of the matrices in the last two axes are not zero: integers (...). No gradient.

    tol: values up to it count as zero; or rtol, a part of the largest, by default max(m, n) times the rounding of the
    dtype. hermitian: A is symmetric or Hermitian. A vector has rank 1 unless it is zero.

    >>> zen.f.matrix_rank(zen.ones((3, 3))).item()
    1
    """
    x = raw(operand("matrix_rank", A))
    tol, rtol = constant("matrix_rank", "tol", tol), constant("matrix_rank", "rtol", rtol)
    if tol is not None and rtol is not None:
        raise ValueError("matrix_rank: tol and rtol cannot both be given")
    return backend.wrap(np.asarray(failing("matrix_rank", np.linalg.matrix_rank, x, tol, hermitian, rtol=rtol)))


@public("linalg.cond", method=None)
def cond(x: Any, p: Any = None) -> Any:
    """Condition numbers of the matrices in the last two axes: norm(x, p) * norm(inv(x), p).

    p: None or 2, the largest singular value over the smallest, for any shape; -2, the inverse of that; or an order of
    `norm` for square matrices, "fro", "nuc", 1, -1, inf or -inf. A condition beyond the inverse of the dtype's rounding
    is nothing but rounding, or inf, and has a gradient of zero. Raises ValueError for less than two dimensions or
    another p, numpy.linalg.LinAlgError for empty matrices and, with an order that needs the inverse, for matrices that
    are not square.

    >>> zen.f.cond(zen.tensor([[2.0, 0.0], [0.0, 1.0]])).item()
    2.0
    """
    x, p = matrices("cond", x), constant("cond", "p", p)
    if 0 in x.shape[-2:]:
        raise np.linalg.LinAlgError(f"cond: matrices without elements, of shape {x.shape}, have no condition")
    if p not in (None, 2, -2, "fro", "nuc", 1, -1, np.inf, -np.inf):
        raise ValueError(f"cond: p={p!r} is no matrix norm; give None, 2, -2, 1, -1, inf, -inf, 'fro' or 'nuc'")
    if p not in (None, 2, -2) and x.shape[-1] != x.shape[-2]:
        raise np.linalg.LinAlgError(f"cond: p={p!r} needs square matrices, not shape {x.shape}; p=2 takes any")
    values = np.asarray(failing("cond", np.linalg.cond, raw(x), p))
    if not recorded(x):
        return backend.wrap(values)
    singular = ~(values * np.finfo(values.dtype).eps < 1)
    if singular.any():
        x = where(singular[..., None, None], np.eye(*x.shape[-2:], dtype=x.dtype), x)
    if p in (None, 2, -2):
        s = svdvals(x)
        found = s[..., -1] / s[..., 0] if p == -2 else s[..., 0] / s[..., -1]
    else:
        found = norm(x, p, axis=(-2, -1)) * norm(inv(x), p, axis=(-2, -1))
    return where(singular, values, found) if singular.any() else found
