"""Eigenvalues and eigenvectors of symmetric and Hermitian matrices: eigh, eigvalsh.

Derivatives: M. Giles, "Collected matrix derivative results for forward and reverse mode algorithmic differentiation",
2008, section 3.1, with cotangents that are not conjugated. What holds where eigenvalues are equal stands in `ties.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from .. import backend
from ..backend import Shaped, Tensor, apply
from ..dtypes import COMPLEX, floating
from ..dtypes import real as real_dtype
from . import lapack
from .linalg import floated_square
from .operands import raw
from .pointwise import where
from .products import adjoint, conjugate, turned
from .register import ROWS, define, public
from .row import row
from .selection import tril, triu
from .shape import matrix_transpose
from .tied_slopes import turning
from .ties import (
    Ties,
    any_near,
    decomposed,
    equal,
    largest,
    near,
    quotient,
    recorded,
    size_of,
    vanishes,
)  # fmt: skip
from .undetermined import undetermined


def skewed(f: Any, x: Any) -> Any:
    """The skew-Hermitian part of matrices."""
    return (x - adjoint(f, x)) / 2


def between(x: Any) -> Any:
    """For each pair (i, j): the j-th value less the i-th."""
    return x[..., None, :] - x[..., :, None]


def failing(name: str, function: Any, *args: Any, **options: Any) -> Any:
    """NumPy's function with an error that names operation, shape and remedy."""
    try:
        return function(*args, **options)
    except np.linalg.LinAlgError as error:
        raise np.linalg.LinAlgError(
            f"{name}: {error} (shape {np.shape(args[0])}); look for nan and inf in it, or scale it nearer to 1"
        ) from None


def off_diagonal(n: int) -> np.ndarray:
    return ~np.eye(n, dtype=bool)


# --- the row


def _eigh(x: Any, ties: Ties | None) -> Any:
    across = x.swapaxes(-1, -2)
    x = (x + (np.conj(across) if x.dtype in COMPLEX else across)) / 2
    if lapack.is_finite(x):
        return failing("eigh", lapack.eigh, x)
    finite = np.isfinite(x).all((-2, -1), keepdims=True)
    w, v = failing("eigh", lapack.eigh, np.where(finite, x, 0))  # LAPACK may give up at nan, in one size or another
    nan = np.asarray(np.nan, w.dtype)
    return np.where(finite[..., 0], w, nan), np.where(finite, v, nan)


def phased(f: Any, name: str, inner: Any, phases: Any, anchor: Any, size: Callable[[], np.ndarray]) -> Any:
    """`inner` with what a function depends on the phase of vectors, which LAPACK chooses so that `anchor` is real.

    inner: the cotangents of vectors in their basis. phases: how the function changes with each vector's phase. anchor:
    the first components of the vectors, a row. size: gives what phases that are nothing but rounding are small beside.
    """
    if vanishes(raw(phases)[..., None], size()).all():
        return inner
    first = raw(anchor)
    small = 100 * np.finfo(first.real.dtype).eps
    if (np.abs(first.imag) > small).any() or (np.abs(first) < small).any():
        raise np.linalg.LinAlgError(
            f"{name}: the result depends on the phase of complex vectors, which no equation determines; use what does "
            "not, such as abs(v) or v @ v.mH"
        )
    first = f.real(anchor)
    return inner - 1j * (phases[..., None, :] / first) * turned(f, first)


def _inner(f: Any, gw: Any, gv: Any, w: Any, v: Any, ties: Ties | None) -> Any:
    """The gradient in the basis of the eigenvectors, off the diagonal."""
    full = f.matmul(turned(f, v), gv)

    def size() -> np.ndarray:
        return size_of(w, gw, full)

    if v.dtype in COMPLEX:
        full = phased(f, "eigh", full, f.imag(f.diagonal(full, 0)), v[..., :1, :], size)
    top, scale = skewed(f, full), np.max(np.abs(raw(w)), axis=-1, initial=0)[..., None, None]
    apart = np.broadcast_to(off_diagonal(w.shape[-1]), full.shape)

    def slopes() -> Any:
        return turning("eigh", gw, ties, "sum", ranks(w), top)

    return quotient(f, "eigh", top, between(w), scale, size, slopes, apart)


def ranks(w: Any) -> np.ndarray:
    """A number for each value, as w has it, that differs from those of the others."""
    return np.arange(w.shape[-1], dtype=real_dtype(w.dtype))


def _vjp(f: Any, g: Any, w: Any, v: Any, ties: Ties | None) -> Any:
    gw, gv = g
    part = None if ties is None else ties.probed()
    if part == "values":
        return None if gw is None else gw[..., None, :] * np.eye(w.shape[-1], dtype=w.dtype)
    if part:
        return None if gv is None else skewed(f, f.matmul(turned(f, v), gv))
    back = conjugate(f, v)
    made = None if gw is None else f.matmul(back * gw[..., None, :], turned(f, v))
    if gv is not None:
        inner = f.matmul(f.matmul(back, _inner(f, gw, gv, w, v, ties)), turned(f, v))
        made = inner if made is None else made + inner
    return made


def _tangent(f: Any, g: Any, w: Any, v: Any, ties: Ties | None) -> Any:
    back = conjugate(f, v)
    c = f.matmul(turned(f, back), f.matmul((g + adjoint(f, g)) / 2, v))
    scale = np.max(np.abs(raw(w)), axis=-1, initial=0)[..., None, None]
    gaps = between(w)
    turning = c * inverse_gaps("eigh", c, gaps, scale, off_diagonal(w.shape[-1]))
    dw, dv = f.diagonal(c, 0), f.matmul(v, turning)
    if v.dtype not in COMPLEX:
        return dw, dv
    return f.real(dw), dv - v * steadied(f, "eigh", dv[..., :1, :], v[..., :1, :])


def inverse_gaps(name: str, top: Any, gaps: Any, scale: np.ndarray, apart: np.ndarray) -> Any:
    """1 / gaps; 0 where top vanishes as well or there is no pair. Where vectors have no derivative: see `undetermined`.

    If tangents are recorded, what vanishes need not vanish nearby.
    """
    numerators, differences = raw(top), raw(gaps)
    apart = np.broadcast_to(apart, numerators.shape)
    close = near(differences, scale) & apart
    if close.any():
        vanishing = vanishes(numerators, largest(numerators))
        if isinstance(top, Tensor):
            undetermined(name)
        elif (close & ~vanishing & (np.abs(differences) <= np.finfo(differences.dtype).eps ** 0.5 * scale)).any():
            undetermined(name)
        tied = close & vanishing
        wrong = equal(differences, scale) & apart & ~tied
    else:
        tied = wrong = close
    used = apart & ~tied
    weights = np.where(wrong, np.nan, used).astype(differences.dtype)
    return weights / (gaps + (~used).astype(differences.dtype))


def steadied(f: Any, name: str, moving: Any, anchor: Any) -> Any:
    """The turning of phases that LAPACK takes out of vectors, so that their first components, in a row, stay real."""
    first = raw(anchor)
    small = 100 * np.finfo(first.real.dtype).eps
    if (np.abs(first.imag) > small).any() or (np.abs(first) < small).any():
        undetermined(name)
        return np.full(first.shape, np.nan, first.dtype)
    return 1j * (f.imag(moving) / f.real(anchor))


def hermitian(rng: np.random.Generator, *shape: int) -> np.ndarray:
    """Symmetric matrices with eigenvalues well apart."""
    n = shape[-1]
    q = np.linalg.qr(rng.normal(size=shape))[0]
    made: np.ndarray = (q * (np.arange(n) + rng.uniform(0.5, 0.9, n))) @ np.swapaxes(q, -1, -2)
    return made


EIGH = define(row(
    "eigh", "x", _eigh, ["vjp(g, w, v, ties)"], jvp=("tangent(g, w, v, ties)",), outputs="w v", params="ties",
    uses={"vjp": _vjp, "tangent": _tangent}, complex=True,
    shape=lambda x, ties: (
        Shaped(x.shape[:-1], real_dtype(floating(x.dtype))), Shaped(x.shape, floating(x.dtype)),
    ),
    domain=lambda rng: [
        ((hermitian(rng, 3, 3),), (None,)), ((hermitian(rng, 2, 2, 2),), (None,)), ((np.full((1, 1), 2.0),), (None,)),
        ((np.zeros((0, 2, 2)),), (None,)), ((np.zeros((0, 0)),), (None,)),
    ],
    doc="Eigenvalues and eigenvectors of (x + x^H) / 2.",
))  # fmt: skip


class EighResult(NamedTuple):
    """Eigenvalues in ascending order, and the eigenvectors in the columns of a matrix."""

    eigenvalues: Tensor
    eigenvectors: Tensor


def symmetric(name: str, x: Any, triangle: str) -> Any:
    """x if it is Hermitian, to rounding; else the Hermitian matrices with its lower ("L") or upper triangle."""
    if not isinstance(triangle, str) or triangle.upper() not in ("L", "U"):
        raise ValueError(f"{name}: UPLO must be 'L' or 'U', not {triangle!r}")
    x = floated_square(name, x)
    array = raw(x)
    if x.dtype not in COMPLEX and (array == np.swapaxes(array, -1, -2)).all():
        return x
    with np.errstate(invalid="ignore"):
        beside = np.abs(array - np.conj(np.swapaxes(array, -1, -2)))
        if not (beside > 8 * array.shape[-1] * np.finfo(array.dtype).eps * largest(array)).any():  # nor is nan
            return x
    part, edge = (tril, -1) if triangle.upper() == "L" else (triu, 1)
    other = matrix_transpose(part(x, edge))
    if x.dtype not in COMPLEX:
        return part(x) + other
    n = np.arange(x.shape[-1])
    real = np.zeros(x.shape[-2:], bool)
    real[n, n] = True
    half = part(x) + apply(ROWS["conj"], (other,))
    return where(real, (half + apply(ROWS["conj"], (half,))) / 2, half)


def _is_tied(w: np.ndarray) -> bool:
    return w.size > 0 and any_near(w[..., 1:] - w[..., :-1], np.maximum(-w[..., :1], w[..., -1:]))


@public("linalg.eigh", method=None)
def eigh(x: Any, UPLO: str = "L") -> EighResult:  # noqa: N803  NumPy's name
    """Eigenvalues and eigenvectors of symmetric or Hermitian matrices: a named tuple (eigenvalues, eigenvectors).

    x: square matrices (..., n, n). Of a matrix that is not Hermitian the triangle `UPLO` is read, "L" or "U", and has
    the gradient; that of a Hermitian one is Hermitian. Eigenvalues are real and ascending; x @ v = v * w[..., None, :].
    Where eigenvalues are equal, what does not depend on the choice of eigenvectors (sums over eigenvalues, v @
    diag(f(w)) @ v.mH, projectors) has its exact first and second derivatives, in both modes. All else has none: in
    reverse mode it raises numpy.linalg.LinAlgError, as third derivatives do; in forward mode tangents are nan unless
    they are determined. The phase of complex eigenvectors is LAPACK's, their first component real. Raises ValueError
    for other shapes, numpy.linalg.LinAlgError where LAPACK does not converge.

    >>> w, v = zen.f.eigh(zen.tensor([[2.0, 0.0], [0.0, 1.0]]))
    >>> w.tolist()
    [1.0, 2.0]
    """
    return EighResult(*decomposed(EIGH, symmetric("eigh", x, UPLO), 0, _is_tied))


@public("linalg.eigvalsh", method=None)
def eigvalsh(x: Any, UPLO: str = "L") -> Any:  # noqa: N803
    """Eigenvalues of symmetric or Hermitian matrices, ascending, shape (..., n). See `eigh`.

    Sums over functions of the eigenvalues have their exact first and second derivatives, in both modes, also where some
    are equal.

    >>> zen.f.eigvalsh(zen.tensor([[2.0, 0.0], [0.0, 1.0]])).tolist()
    [1.0, 2.0]
    """
    x = symmetric("eigvalsh", x, UPLO)
    if recorded(x):
        return decomposed(EIGH, x, 0, _is_tied)[0]
    array = raw(x)
    if not np.isfinite(array).all():
        return apply(EIGH, (x,), (None,))[0]
    return backend.wrap(np.asarray(failing("eigvalsh", np.linalg.eigvalsh, array)))
