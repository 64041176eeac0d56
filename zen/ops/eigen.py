"""Eigenvalues and right eigenvectors of any square matrices: eig, eigvals.

Derivatives: M. Giles, "Collected matrix derivative results for forward and reverse mode algorithmic differentiation",
2008, section 3.1, for eigenvectors of length 1; cotangents are not conjugated. What holds where eigenvalues are equal
stands in `ties.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from .. import backend
from ..backend import Shaped, Tensor, apply
from ..dtypes import COMPLEX, complexed, floating
from ..dtypes import real as real_dtype
from .casting import astype
from .linalg import floated_square
from .operands import raw
from .products import adjoint, conjugate, turned
from .register import ROWS, define, public
from .row import row
from .spectra import between, failing, inverse_gaps, off_diagonal, ranks
from .tied_slopes import turning
from .ties import Ties, decomposed, near, quotient, recorded, size_of, vanishes
from .undetermined import undetermined


def _complex(dtype: np.dtype[Any]) -> np.dtype[Any]:
    return complexed(floating(dtype))


def _eig(x: Any, is_real: bool, ties: Ties | None) -> Any:
    w, v = failing("eig", np.linalg.eig, x.real if is_real else x)
    dtype = _complex(x.dtype)
    return w.astype(dtype), v.astype(dtype)


def _anchors(v: np.ndarray) -> np.ndarray:
    """For each vector a row that picks its largest component, which LAPACK makes real."""
    if not v.size:
        return v
    picked: np.ndarray = np.argmax(np.abs(v), -2)[..., :, None] == np.arange(v.shape[-1])
    return picked.astype(v.dtype)


def _core(f: Any, gw: Any, gv: Any, w: Any, v: Any) -> tuple[Any, Callable[[], np.ndarray]]:
    """The cotangents of the vectors in their basis, without what changes length and phase; and what gives the size."""
    full = f.matmul(turned(f, v), gv)

    def size() -> np.ndarray:
        return size_of(w, gw, full)

    own = f.diagonal(full, 0)
    overlap = f.matmul(turned(f, v), conjugate(f, v))
    found = full - overlap * f.real(own)[..., None, :]
    phases = f.imag(own)
    if vanishes(raw(phases)[..., None], size()).all():
        return found, size
    picked = f.matmul(_anchors(raw(v)), v)
    first = f.diagonal(picked, 0)
    if (np.abs(raw(first).imag) > 100 * np.finfo(v.dtype).eps).any():
        raise np.linalg.LinAlgError(
            "eig: the result depends on the phase of complex vectors, which no equation determines; use what does not, "
            "such as abs(v)"
        )
    return found - 1j * turned(f, picked / first[..., :, None]) * phases[..., None, :], size


def _check_basis(v: np.ndarray) -> None:
    if not v.size or not np.isfinite(v).all():
        return
    condition = np.linalg.cond(v)
    if (condition * v.shape[-1] * np.finfo(v.dtype).eps > 0.1).any():
        raise np.linalg.LinAlgError(
            f"eig: a matrix of shape {v.shape} has no basis of eigenvectors, to rounding, where eigenvalues have no "
            "derivative; use det, slogdet, trace or expm, which do not need one"
        )


def _vjp(f: Any, g: Any, w: Any, v: Any, ties: Ties | None) -> Any:
    gw, gv = g
    part = None if ties is None else ties.probed()
    if part and part != "values":
        return None if gv is None else _core(f, gw, gv, w, v)[0]
    own = np.eye(w.shape[-1], dtype=real_dtype(w.dtype))
    inner = 0.0 if gw is None else gw[..., None, :] * own
    if part:
        return None if gw is None else inner
    _check_basis(raw(v))
    if gv is not None:
        top, size = _core(f, gw, gv, w, v)
        apart = np.broadcast_to(off_diagonal(w.shape[-1]), top.shape)
        scale = np.max(np.abs(raw(w)), axis=-1, initial=0)[..., None, None]

        def slopes() -> Any:
            return turning("eig", gw, ties, "sum", ranks(w), top)

        inner = inner + quotient(f, "eig", top, between(w), scale, size, slopes, apart)
    across = turned(f, v)
    return f.solve(across, f.matmul(inner, across))


def _tangent(f: Any, g: Any, w: Any, v: Any, ties: Ties | None) -> Any:
    _check_basis(raw(v))
    c = f.solve(v, f.matmul(g, v))
    scale = np.max(np.abs(raw(w)), axis=-1, initial=0)[..., None, None]
    dv = f.matmul(v, c * inverse_gaps("eig", c, between(w), scale, off_diagonal(w.shape[-1])))
    length = f.real(f.diagonal(f.matmul(adjoint(f, v), dv), 0))
    anchors = _anchors(raw(v))
    first, moving = (f.diagonal(f.matmul(anchors, part), 0) for part in (v, dv))
    phase = f.imag(moving) / f.real(first)
    if (np.abs(raw(first).imag) > 100 * np.finfo(v.dtype).eps).any():
        undetermined("eig")
        phase = phase * np.nan
    return f.diagonal(c, 0), dv - v * (length + 1j * phase)[..., None, :]


def _draws(rng: np.random.Generator) -> list[Any]:
    apart = np.array([[1.0, 2.0, 0.5], [0.3, -2.0, 1.0], [0.2, 0.1, 4.0]])
    spiral = np.array([[1.0, 2.0], [-1.5, 0.5]])
    return [
        ((apart + 0.1 * rng.normal(size=(3, 3)),), (False, None)),
        ((np.stack([spiral, apart[:2, :2]]),), (False, None)),
        ((np.full((1, 1), 2.0),), (False, None)), ((np.zeros((0, 2, 2)),), (False, None)),
        ((np.zeros((0, 0)),), (False, None)),
    ]  # fmt: skip


EIG = define(row(
    "eig", "x", _eig, ["vjp(g, w, v, ties)"], jvp=("tangent(g, w, v, ties)",), outputs="w v", params="is_real ties",
    uses={"vjp": _vjp, "tangent": _tangent}, complex=True, domain=_draws,
    shape=lambda x, is_real, ties: (Shaped(x.shape[:-1], _complex(x.dtype)), Shaped(x.shape, _complex(x.dtype))),
    doc="Eigenvalues and right eigenvectors, always as complex numbers.",
))  # fmt: skip


class EigResult(NamedTuple):
    """Eigenvalues, in no order, and the right eigenvectors in the columns of a matrix."""

    eigenvalues: Tensor
    eigenvectors: Tensor


def _is_tied(w: np.ndarray) -> bool:
    scale = np.max(np.abs(w), axis=-1, initial=0)[..., None, None]
    return bool((near(between(w), scale) & off_diagonal(w.shape[-1])).any())


def _decomposed(x: Any) -> Any:
    """A real matrix is decomposed as one, but is in the graph as a complex one: its vectors turn in complex ways."""
    if x.dtype in COMPLEX or not recorded(x):
        return decomposed(EIG, x, 0, _is_tied, False)
    return decomposed(EIG, astype(x, _complex(x.dtype)), 0, _is_tied, True)


_ALWAYS_COMPLEX = np.linalg.eig(np.eye(1))[0].dtype in COMPLEX
"""Whether this NumPy has complex eigenvalues of every matrix: from 2.5 on."""


def _as_numpy(x: Any, w: Any, parts: tuple[Any, ...]) -> tuple[Any, ...]:
    """Real numbers where those of a real matrix are all real, if NumPy has it so."""
    if _ALWAYS_COMPLEX or x.dtype in COMPLEX or (raw(w).imag != 0).any():
        return parts
    return tuple([apply(ROWS["real"], (part,)) for part in parts])


@public("linalg.eig", method=None)
def eig(x: Any) -> EigResult:
    """Eigenvalues and right eigenvectors of square matrices: a named tuple (eigenvalues, eigenvectors).

    x: (..., n, n), real or complex. x @ v = v * w[..., None, :]; the vectors have length 1 and a phase that makes the
    largest component of each real. The results are complex; before NumPy 2.5 real where x and all eigenvalues are. For
    symmetric matrices `eigh` is faster and more accurate. Where eigenvalues are equal, what does not depend on the
    choice of eigenvectors (symmetric functions of the eigenvalues, v @ diag(f(w)) @ inv(v)) has its exact first and
    second derivatives, in both modes. All else has none: in reverse mode it raises numpy.linalg.LinAlgError, as third
    derivatives do; in forward mode tangents are nan unless they are determined. Matrices without a basis of
    eigenvectors raise numpy.linalg.LinAlgError when they are differentiated. Raises ValueError for other shapes,
    numpy.linalg.LinAlgError for nan and inf, and without convergence.

    >>> zen.f.abs(zen.f.eig(zen.tensor([[0.0, 1.0], [-1.0, 0.0]])).eigenvalues).tolist()
    [1.0, 1.0]
    """
    x = floated_square("eig", x)
    found = _decomposed(x)
    return EigResult(*_as_numpy(x, found[0], tuple(found)))


@public("linalg.eigvals", method=None)
def eigvals(x: Any) -> Any:
    """Eigenvalues of square matrices, in no order: shape (..., n). See `eig`.

    >>> zen.f.eigvals(zen.tensor([[0.0, 1.0], [-1.0, 0.0]])).tolist()
    [1j, -1j]
    """
    x = floated_square("eigvals", x)
    if recorded(x):
        w = _decomposed(x)[0]
        return _as_numpy(x, w, (w,))[0]
    return backend.wrap(np.asarray(failing("eigvals", np.linalg.eigvals, raw(x))))
