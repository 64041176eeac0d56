"""Singular values and vectors: svd, svdvals.

Derivatives: J. Townsend, "Differentiating the singular value decomposition", 2016, in terms of the symmetric and skew
parts of the change, whose quotients are 1 / (s_j - s_i) and 1 / (s_i + s_j); cotangents are not conjugated. What holds
where singular values are equal, or zero, stands in `ties.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from .. import backend
from ..backend import Shaped, Tensor, apply
from ..dtypes import COMPLEX, DEFAULT, INEXACT, floating
from ..dtypes import real as real_dtype
from . import lapack
from .casting import astype
from .joining import concat
from .operands import operand, raw
from .products import adjoint, conjugate, turned
from .register import FUNCTIONS, ROWS, define, public
from .row import row
from .selection import take_along_axis
from .shape import matrix_transpose
from .spectra import (
    between,
    eigh,
    eigvalsh,
    failing,
    inverse_gaps,
    off_diagonal,
    phased,
    ranks,
    skewed,
    steadied,
)  # fmt: skip
from .tied_slopes import turning
from .ties import Ties, any_near, decomposed, quotient, recorded, size_of


def matrices(name: str, x: Any) -> Any:
    """Stacks of matrices of a dtype that LAPACK knows; integers become float64."""
    x = operand(name, x)
    if x.ndim < 2:
        raise ValueError(f"{name}: matrices in the last two axes are needed, not shape {x.shape}")
    if x.dtype == np.float16:
        raise TypeError(f"{name}: float16 is not supported; convert to float32 with astype first")
    return x if x.dtype in INEXACT else astype(x, DEFAULT)


def _svd(x: Any, ties: Ties | None) -> Any:
    return tuple(failing("svd", lapack.svd, x))


def _core(f: Any, g: Any, u: Any, s: Any, vh: Any) -> tuple[Any, Any, Any]:
    """The cotangents of both vectors in their bases, 0.0 where there is none, and what gives their size.

    LAPACK's choice of phases is undone.
    """
    left = 0.0 if g[0] is None else f.matmul(turned(f, u), g[0])
    right = 0.0 if g[2] is None else f.matmul(conjugate(f, vh), adjoint(f, g[2]))

    def size() -> np.ndarray:
        return size_of(s, g[1], *[c for c in (g[0], g[2]) if c is not None])

    if u.dtype not in COMPLEX:
        return left, right, size
    total = left + right
    phases = f.imag(f.diagonal(total, 0))
    if _is_left(u):
        return phased(f, "svd", left, phases, u[..., :1, :], size), right, size
    return left, phased(f, "svd", right, phases, turned(f, vh[..., :, :1]), size), size


def _beside(f: Any, g: Any, basis: Any) -> Any:
    """What of the cotangents of vectors, in rows, lies outside the space of the vectors: `basis`, in rows."""
    return g - f.matmul(f.matmul(g, adjoint(f, basis)), basis)


def _vjp(f: Any, g: Any, shape: tuple[int, ...], u: Any, s: Any, vh: Any, ties: Ties | None) -> Any:
    gu, gs, gvh = g
    part = None if ties is None else ties.probed()
    back, across = conjugate(f, u), conjugate(f, vh)
    if part == "values":
        return None if gs is None else _embedded(f, gs[..., None, :] * np.eye(s.shape[-1], dtype=s.dtype), shape)
    if gu is None and gvh is None:
        return None if part else f.matmul(back * gs[..., None, :], across)
    left, right, size = _core(f, g, u, s, vh)
    tops = {"sum": skewed(f, left + right), "difference": skewed(f, left - right)}
    if gu is not None and shape[-2] > shape[-1]:
        tops["left"] = turned(f, _beside(f, turned(f, gu), turned(f, back)))
    if gvh is not None and shape[-1] > shape[-2]:
        tops["right"] = _beside(f, gvh, across)
    if part:
        return _embedded(f, tops[part], shape) if part in tops else None
    return _assembled(f, g, tops, size, back, s, across, ties)


def _embedded(f: Any, a: Any, shape: tuple[int, ...]) -> Any:
    """Matrices with zeros behind them, up to this shape."""
    width = [(0, n - k) for n, k in zip(shape, a.shape, strict=True)]
    return f.pad(a, tuple(width), 0)


def _assembled(
    f: Any,
    g: Any,
    tops: dict[str, Any],
    size: Callable[[], np.ndarray],
    back: Any,
    s: Any,
    across: Any,
    ties: Ties | None,
) -> Any:
    """The gradient of the numerators, each divided by its gaps."""
    k, scale = s.shape[-1], np.max(raw(s), axis=-1, initial=0)[..., None, None]
    apart = np.ones((k, k), bool) if back.dtype in COMPLEX else off_diagonal(k)
    gaps = {"sum": between(s), "difference": s[..., None, :] + s[..., :, None]}
    gaps |= {"left": s[..., None, :], "right": s[..., :, None]}
    made = {}
    for part, top in tops.items():
        there = off_diagonal(k) if part == "sum" else apart if part == "difference" else np.ones((), bool)

        def slopes(part: str = part, top: Any = top) -> Any:
            rate = 2.0 if part == "difference" else 1.0
            return turning("svd", g[1], ties, part, ranks(s) if part == "sum" else None, top, rate)

        made[part] = quotient(f, "svd", top, gaps[part], scale, size, slopes, np.broadcast_to(there, top.shape))
    inner = f.matmul(made["sum"] + made["difference"], across)
    if g[1] is not None:
        inner = inner + g[1][..., :, None] * across
    if "right" in made:
        inner = inner + made["right"]
    found = f.matmul(back, inner)
    return found + f.matmul(made["left"], across) if "left" in made else found


def _tangent(f: Any, g: Any, u: Any, s: Any, vh: Any, ties: Ties | None) -> Any:
    scale, k = np.max(raw(s), axis=-1, initial=0)[..., None, None], s.shape[-1]
    v = adjoint(f, vh)
    right, left = f.matmul(g, v), f.matmul(adjoint(f, u), g)
    c = f.matmul(left, v)
    even, odd = (c + adjoint(f, c)) / 2, skewed(f, c)
    even = even * inverse_gaps("svd", even, between(s), scale, off_diagonal(k))
    apart = np.ones((k, k), bool) if u.dtype in COMPLEX else off_diagonal(k)
    odd = odd * inverse_gaps("svd", odd, s[..., None, :] + s[..., :, None], scale, apart)
    du, dv = f.matmul(u, even + odd), f.matmul(v, even - odd)
    if u.shape[-2] > k:
        out = right - f.matmul(u, c)
        du = du + out * inverse_gaps("svd", out, s[..., None, :], scale, np.ones((), bool))
    if vh.shape[-1] > k:
        out = adjoint(f, left) - f.matmul(v, adjoint(f, c))
        dv = dv + out * inverse_gaps("svd", out, s[..., None, :], scale, np.ones((), bool))
    ds = f.diagonal(c, 0)
    if u.dtype in COMPLEX and k:
        moving, anchor = (du, u) if _is_left(u) else (dv, v)
        phases = steadied(f, "svd", moving[..., :1, :], anchor[..., :1, :])
        du, dv, ds = du - u * phases, dv - v * phases, f.real(ds)
    return du, ds, adjoint(f, dv)


def _is_left(u: Any) -> bool:
    """Whether LAPACK chose phases so that the first components of the left vectors are real."""
    first = raw(u)[..., :1, :]
    return bool((np.abs(first.imag) <= 100 * np.finfo(first.real.dtype).eps).all())


def _draws(rng: np.random.Generator) -> list[Any]:
    found = []
    for *stack, m, n in [(3, 3), (4, 2), (2, 3), (2, 2, 2), (1, 1)]:
        k = min(m, n)
        u, v = (np.linalg.qr(rng.normal(size=(*stack, j, k)))[0] for j in (m, n))
        found.append((((u * (np.arange(k) + rng.uniform(0.5, 0.9, k))) @ np.swapaxes(v, -1, -2),), (None,)))
    return [*found, ((np.zeros((0, 2, 3)),), (None,)), ((np.zeros((0, 2)),), (None,))]


def _shapes(x: Any, ties: Any) -> tuple[Shaped, ...]:
    *stack, m, n = x.shape
    k, dtype = min(m, n), floating(x.dtype)
    return Shaped((*stack, m, k), dtype), Shaped((*stack, k), real_dtype(dtype)), Shaped((*stack, k, n), dtype)


SVD = define(row(
    "svd", "x", _svd, ["vjp(g, x.shape, u, s, vh, ties)"], jvp=("tangent(g, u, s, vh, ties)",), outputs="u s vh",
    params="ties", uses={"vjp": _vjp, "tangent": _tangent}, shape=_shapes, domain=_draws, complex=True,
    doc="Singular values, and as many left and right singular vectors.",
))  # fmt: skip


class SVDResult(NamedTuple):
    """Left singular vectors in columns, singular values in descending order, right singular vectors in rows."""

    U: Tensor
    S: Tensor
    Vh: Tensor


def _is_tied(s: np.ndarray) -> bool:
    gaps = s.copy()  # each to the next value, the last to 0
    gaps[..., :-1] -= s[..., 1:]
    return s.size > 0 and any_near(gaps, s[..., :1])


def _decompose(x: Any) -> SVDResult:
    return SVDResult(*decomposed(SVD, x, 1, _is_tied))


@public("linalg.svd", method=None)
def svd(x: Any, full_matrices: bool = True, compute_uv: bool = True, hermitian: bool = False) -> Any:
    """Singular value decomposition: a named tuple (U, S, Vh) with x = (U * S[..., None, :]) @ Vh.

    x: matrices (..., m, n). S: (..., k), k = min(m, n), in descending order. U: (..., m, m) and Vh: (..., n, n), with
    full_matrices=False (..., m, k) and (..., k, n). compute_uv=False: S alone. hermitian: x is symmetric or Hermitian,
    and decomposed by `eigh`.

    Where singular values are equal, or zero, what does not depend on the choice of vectors (sums over singular values,
    U @ diag(f(S)) @ Vh with an odd f where values are 0, projectors) has its exact first and second derivatives, in
    both modes. All else has none: in reverse mode it raises numpy.linalg.LinAlgError, as third derivatives do; in
    forward mode tangents are nan unless they are determined. Vectors beyond k are determined as a space alone, and so
    is their gradient. The phase of complex vectors is LAPACK's. Matrices that hold inf give nan. Raises ValueError for
    less than two dimensions, numpy.linalg.LinAlgError without convergence, nan among it.

    >>> zen.f.svd(zen.tensor([[0.0, 2.0], [1.0, 0.0]])).S.tolist()
    [2.0, 1.0]
    """
    if not compute_uv:
        return _values("svd", x, hermitian)
    if hermitian:
        return _of_hermitian(x)
    x = matrices("svd", x)
    if not full_matrices or x.shape[-2] == x.shape[-1]:
        return _decompose(x)
    whole = failing("svd", lapack.ending_svd, raw(x))
    if not recorded(x):
        return SVDResult(*[backend.wrap(a) for a in whole])
    u, s, vh = _decompose(x)
    k = s.shape[-1]
    if u.shape[-2] > k:
        u = completed(u, whole[0][..., k:])
    else:
        vh = adjoint_of(completed(adjoint_of(vh), np.conj(np.swapaxes(whole[2][..., k:, :], -1, -2))))
    return SVDResult(u, s, vh)


def adjoint_of(x: Any) -> Any:
    x = matrix_transpose(x)
    return apply(ROWS["conj"], (x,)) if x.dtype in COMPLEX else x


def completed(q: Any, rest: np.ndarray) -> Any:
    """Orthonormal columns, and with them `rest`, which spans what they do not, as they move."""
    moved = rest - q @ (adjoint_of(q) @ rest)
    square = adjoint_of(moved) @ moved
    return concat([q, moved @ ((3 * np.eye(rest.shape[-1], dtype=rest.dtype) - square) / 2)], -1)


def _of_hermitian(x: Any) -> SVDResult:
    """By eigenvalues, in falling order of their size, of which the vectors on the right take the sign."""
    w, v = eigh(x)
    order = np.argsort(-np.abs(raw(w)), axis=-1, kind="stable")
    s = take_along_axis(w, order, -1)
    u = take_along_axis(v, np.broadcast_to(order[..., None, :], v.shape), -1)
    signs = np.where(raw(s) < 0, -1, 1).astype(s.dtype)
    return SVDResult(u, s * signs, adjoint_of(u * signs[..., None, :]))


def _values(name: str, x: Any, hermitian: bool = False) -> Any:
    if hermitian:
        w = FUNCTIONS["abs"](eigvalsh(x))
        return take_along_axis(w, np.argsort(-raw(w), axis=-1, kind="stable"), -1)
    x = matrices(name, x)
    if recorded(x):
        return _decompose(x).S
    return backend.wrap(np.asarray(failing(name, lapack.ending_svd, raw(x), compute_uv=False)))


@public("linalg.svdvals", method=None)
def svdvals(x: Any) -> Any:
    """Singular values of matrices (..., m, n), in descending order: shape (..., min(m, n)). See `svd`.

    >>> zen.f.svdvals(zen.tensor([[0.0, 2.0], [1.0, 0.0]])).tolist()
    [2.0, 1.0]
    """
    return _values("svdvals", x)
