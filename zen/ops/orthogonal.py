"""QR decompositions.

Derivatives: M. Seeger et al., "Auto-differentiating linear algebra", arXiv:1710.08717, 2017; H. Liao et al.,
"Differentiable programming tensor networks", Phys. Rev. X 9, 2019, for wide matrices. Cotangents are not conjugated.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from .. import backend
from ..backend import Shaped, Tensor, apply
from ..dtypes import floating
from ..dtypes import real as real_dtype
from . import lapack
from .joining import concat
from .linalg import solution
from .operands import raw
from .products import adjoint, conjugate, turned
from .register import define, public
from .row import row
from .singular_values import adjoint_of, completed, matrices
from .spectra import failing
from .ties import recorded


def _qr(x: Any) -> tuple[Any, Any]:
    q, r = failing("qr", lapack.qr, x)
    return q, r


def _vjp(f: Any, g: Any, q: Any, r: Any) -> Any:
    gq, gr = g
    _check_rank(raw(r))
    core = 0.0 if gr is None else f.matmul(gr, turned(f, r))
    core = core if gq is None else core - f.matmul(turned(f, q), gq)
    upper = core * upper_half(r.shape[-1], real_dtype(r.dtype))
    inner = f.matmul(conjugate(f, q), upper + adjoint(f, upper))
    return turned(f, solution(f, r, turned(f, inner if gq is None else gq + inner)))


def _upper_half(n: int, dtype: np.dtype[Any]) -> np.ndarray:
    """1 above the diagonal, and 1/2 on it."""
    made = np.triu(np.ones((n, n), dtype))
    np.fill_diagonal(made, 0.5)
    made.flags.writeable = False
    return made


_small_half = lru_cache(maxsize=64)(_upper_half)  # at most 8 MiB


def upper_half(n: int, dtype: np.dtype[Any]) -> np.ndarray:
    return _small_half(n, dtype) if n <= 128 else _upper_half(n, dtype)


def _check_rank(r: np.ndarray) -> None:
    pivots, part = np.abs(r.diagonal(0, -2, -1)), r.shape[-1] * np.finfo(r.dtype).eps
    if pivots.size and pivots.min() > part * np.linalg.norm(r):  # no less than the largest element
        return
    limit = part * np.max(np.abs(r), axis=(-2, -1), initial=0)
    if (pivots <= limit[..., None]).any():
        raise np.linalg.LinAlgError(
            f"qr: the first {r.shape[-1]} columns are linearly dependent (shape of r {r.shape}), where q and r have no "
            "derivative; leave out columns, or use svd"
        )


def _draws(rng: np.random.Generator) -> list[Any]:
    shapes = [(3, 3), (4, 2), (2, 3, 2), (1, 1), (3, 1)]
    found = [rng.normal(size=s) + 2 * np.eye(s[-2], s[-1]) for s in shapes]
    return [((x,), ()) for x in [*found, rng.normal(size=(2, 4)).T, np.zeros((0, 3, 2)), np.zeros((2, 0))]]


def _shapes(x: Any) -> tuple[Shaped, Shaped]:
    dtype = floating(x.dtype)
    return Shaped(x.shape, dtype), Shaped((*x.shape[:-2], x.shape[-1], x.shape[-1]), dtype)


QR = define(row(
    "qr", "x", _qr, ["vjp(g, q, r)"], outputs="q r", uses={"vjp": _vjp}, shape=_shapes, domain=_draws, complex=True,
    doc="Orthonormal columns and an upper triangular matrix, of matrices that are not wider than tall.",
))  # fmt: skip


class QRResult(NamedTuple):
    """Orthonormal columns, and an upper triangular matrix."""

    Q: Tensor
    R: Tensor


@public("linalg.qr", method=None)
def qr(x: Any, mode: str = "reduced") -> Any:
    """QR decomposition: a named tuple (Q, R) with x = Q @ R, R upper triangular, the columns of Q orthonormal.

    x: matrices (..., m, n), k = min(m, n). mode: "reduced", Q (..., m, k) and R (..., k, n); "complete", Q (..., m, m)
    and R (..., m, n), where columns of Q beyond k are determined as a space alone, and so is their gradient; "r", R
    alone; "raw", LAPACK's own form, without a gradient. The first k columns of x must be linearly independent to have a
    gradient (numpy.linalg.LinAlgError otherwise). Raises ValueError for less than two dimensions or another mode.

    >>> zen.f.qr(zen.tensor([[3.0], [4.0]]), mode="r").tolist()
    [[-5.0]]
    """
    if mode not in ("reduced", "complete", "r", "raw"):
        raise ValueError(f"qr: mode must be 'reduced', 'complete', 'r' or 'raw', not {mode!r}")
    x = matrices("qr", x)
    if mode == "raw":
        if recorded(x):
            raise TypeError("qr: mode='raw' has no derivative; use mode='reduced', or pass x.detach()")
        return tuple([backend.wrap(a) for a in failing("qr", np.linalg.qr, raw(x), mode="raw")])
    m, n = x.shape[-2:]
    if mode == "complete" and not recorded(x):
        return QRResult(*[backend.wrap(a) for a in failing("qr", np.linalg.qr, raw(x), mode=mode)])
    if m >= n:
        q, r = apply(QR, (x,))
    else:
        q, r = apply(QR, (x[..., :m],))
        r = concat([r, adjoint_of(q) @ x[..., m:]], -1)
    if mode == "r":
        return r
    if mode == "complete" and m > n:
        q = completed(q, failing("qr", np.linalg.qr, raw(x), mode="complete")[0][..., n:])
        r = concat([r, np.zeros((*r.shape[:-2], m - n, n), r.dtype)], -2)
    return QRResult(q, r)
