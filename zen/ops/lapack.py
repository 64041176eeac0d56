"""The loops behind NumPy's decompositions, called without what its functions do around them.

`numpy.linalg` calls LAPACK through ufuncs of a private module, in float64 or complex128 whatever the operand is; its
functions take 3 to 10 us besides. The functions below return what those of NumPy return, to the last bit. What a loop
could not compute it fills with nan, and NumPy's function then says what is wrong; it also takes the place of loops that
a NumPy lacks, and of other dtypes. The rows of decompositions call them, where the engine keeps NumPy's warnings off.
"""

from __future__ import annotations

from functools import lru_cache
from importlib import import_module
from math import isfinite
from typing import Any

import numpy as np

from ..dtypes import COMPLEX
from ..dtypes import real as real_dtype

_DOUBLE = {np.dtype(own): np.dtype(double) for own, double in [("f", "d"), ("d", "d"), ("F", "D"), ("D", "D")]}
"""By the dtype of an operand, the one that is computed in."""
_SMALL = 128


def _named(*names: str) -> tuple[Any, ...]:
    """The loops of these names, () if one is missing."""
    try:
        loops = import_module("numpy.linalg._umath_linalg")
        return tuple([getattr(loops, name) for name in names])
    except (ImportError, AttributeError):
        return ()


_EIGH = _named("eigh_lo")
_SVD = _named("svd_s", "svd_s") or _named("svd_m_s", "svd_n_s")
"""Of matrices wider than tall, and of others."""
_INV = _named("inv")
_SOLVE = _named("solve1", "solve")
"""For one vector, and for matrices."""
_QR = _named("qr_r_raw", "qr_reduced") or _named("qr_r_raw_n", "qr_reduced")
"""Of matrices that are not wider than tall."""


def _operand(x: Any, loops: tuple[Any, ...]) -> Any:
    """x in the dtype that is computed in; None where NumPy's function takes over."""
    double = _DOUBLE.get(x.dtype)
    if double is None or not loops or not x.size:
        return None
    return x if x.dtype is double else x.astype(double)


def is_finite(x: Any) -> bool:
    """Whether all of an array is finite, and no number so large that its square is not."""
    flat = x.ravel()
    return isfinite(flat.dot(flat)) if x.dtype not in COMPLEX else isfinite(np.vdot(flat, flat).real)


def eigh(x: Any) -> Any:
    """As `numpy.linalg.eigh`."""
    a = _operand(x, _EIGH)
    if a is not None:
        w, v = _EIGH[0](a)
        if is_finite(w):
            return (w, v) if a is x else (w.astype(real_dtype(x.dtype)), v.astype(x.dtype))
    return tuple(np.linalg.eigh(x))


def svd(x: Any) -> Any:
    """As `numpy.linalg.svd` with full_matrices=False; nan for matrices that hold inf."""
    a = _operand(x, _SVD)
    if a is not None and is_finite(a):
        u, s, vh = _SVD[x.shape[-2] >= x.shape[-1]](a)
        if is_finite(s):
            return (u, s, vh) if a is x else (u.astype(x.dtype), s.astype(real_dtype(x.dtype)), vh.astype(x.dtype))
    return ending_svd(x, full_matrices=False)


def ending_svd(x: Any, **options: Any) -> Any:
    """`numpy.linalg.svd`, but nan for matrices that hold inf: LAPACK finds no end with many of them."""
    if np.isnan(x).any():
        raise np.linalg.LinAlgError("SVD did not converge")
    endless = np.isinf(x).any((-2, -1), keepdims=True)
    found = np.linalg.svd(np.where(endless, 0, x) if endless.any() else x, **options)
    if not endless.any():
        return found if isinstance(found, np.ndarray) else tuple(found)
    if isinstance(found, np.ndarray):
        return np.where(endless[..., 0], np.nan, found)
    wheres = (endless, endless[..., 0], endless)
    return tuple([np.where(where, np.nan, part) for where, part in zip(wheres, found, strict=True)])


def qr(x: Any) -> Any:
    """As `numpy.linalg.qr`, of matrices that are not wider than tall."""
    a = _operand(x, _QR)
    if a is None:
        return tuple(np.linalg.qr(x))
    a = np.array(a)
    q = _QR[1](a, _QR[0](a))
    n = x.shape[-1]
    r = np.where((_small_below if n <= _SMALL else _below)(n), 0, a[..., :n, :])
    return (q, r) if a.dtype is x.dtype else (q.astype(x.dtype), r.astype(x.dtype))


def _below(n: int) -> np.ndarray:
    """True below the diagonal."""
    return np.tri(n, k=-1, dtype=bool)


_small_below = lru_cache(maxsize=64)(_below)  # at most 1 MiB


def pinv(x: Any, rcond: Any) -> Any:
    """As `numpy.linalg.pinv`."""
    if x.dtype not in _DOUBLE or not x.size:
        return np.linalg.pinv(x, rcond)
    u, s, vh = svd(np.conj(x) if x.dtype in COMPLEX else x)
    large = s > np.asarray(rcond)[..., None] * s[..., :1]
    inverse = np.divide(1, s, where=large, out=np.zeros_like(s))
    return np.matmul(vh.swapaxes(-1, -2), inverse[..., None] * u.swapaxes(-1, -2))


def lstsq(a: Any, b: Any, rcond: Any) -> Any:
    """`numpy.linalg.lstsq`, with its error for matrices that hold inf, with some of which LAPACK finds no end."""
    if not np.isfinite(a).all():
        raise np.linalg.LinAlgError("SVD did not converge in Linear Least Squares")
    return np.linalg.lstsq(a, b, rcond)


def inv(x: Any) -> Any:
    """As `numpy.linalg.inv`."""
    a = _operand(x, _INV)
    if a is not None:
        y = _INV[0](a)
        if is_finite(y):
            return y if a is x else y.astype(x.dtype)
    return np.linalg.inv(x)


def solve(a: Any, b: Any) -> Any:
    """As `numpy.linalg.solve`."""
    if a.dtype == b.dtype and b.size:
        left, right = _operand(a, _SOLVE), _operand(b, _SOLVE)
        if left is not None and a.shape[-1] == a.shape[-2]:
            y = _SOLVE[b.ndim > 1](left, right)
            if is_finite(y):
                return y if left is a else y.astype(a.dtype)
    return np.linalg.solve(a, b)
