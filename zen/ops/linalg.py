"""Systems of equations, inverses, determinants, Cholesky factors. Products stand in `products.py`.

Derivatives: M. Giles, "Collected matrix derivative results for forward and reverse mode algorithmic differentiation",
2008 (solve, inverse, determinant); I. Murray, "Differentiation of the Cholesky decomposition", arXiv:1602.07527, 2016.
All functions take stacks of matrices in the last two axes.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from .. import backend
from ..backend import Shaped, Tensor, apply
from ..dtypes import COMPLEX, DEFAULT, INEXACT, KERNELS, floating
from ..dtypes import real as real_dtype
from . import lapack
from .casting import astype
from .factors import prod_others
from .operands import operand, raw
from .products import adjoint, conjugate, turned
from .register import ROWS, define, public
from .result_shapes import promoted
from .row import row
from .shape import matrix_transpose


def square_matrices(name: str, x: Any, half: bool = False) -> Any:
    x = operand(name, x)
    if x.ndim < 2 or x.shape[-1] != x.shape[-2]:
        raise ValueError(f"{name}: square matrices in the last two axes are needed, not shape {x.shape}")
    if x.dtype == np.float16 and not half:
        raise TypeError(f"{name}: float16 is not supported; convert to float32 with astype first")
    return x


def floated_square(name: str, x: Any) -> Any:
    """Square matrices of a dtype that LAPACK knows; integers become float64."""
    x = square_matrices(name, x)
    return x if x.dtype in INEXACT else astype(x, DEFAULT)


def _solvable(name: str, function: Any) -> Any:
    """NumPy's function with an error that names the operation and the shape."""

    def forward(*values: Any) -> Any:
        try:
            return function(*values)
        except np.linalg.LinAlgError as error:
            raise np.linalg.LinAlgError(f"{name}: {error} (shape {np.shape(values[0])})") from None

    return forward


def _floated(x: Any, *rest: Any) -> Shaped:
    return Shaped(x.shape, floating(x.dtype))


def _regular(rng: np.random.Generator, *shape: int) -> np.ndarray:
    """Matrices far from singular."""
    return rng.normal(size=shape) + 3 * np.eye(shape[-1])


# --- solve and inverse


def _solve_right(f: Any, g: Any, a: Any) -> Any:
    """The gradient in b: the solution of the transposed system."""
    if g.ndim < a.ndim:  # b is one vector
        return f.solve(turned(f, a), g[..., None])[..., 0]
    return f.solve(turned(f, a), g)


def _solve_left(f: Any, g: Any, a: Any, y: Any) -> Any:
    gb = _solve_right(f, g, a)
    return -gb[..., None] * y[..., None, :] if y.ndim < a.ndim else -f.matmul(gb, turned(f, y))


def _solve_tangent(f: Any, g: Any, a: Any, y: Any) -> Any:
    return -f.solve(a, f.matmul(g, y[..., None]))[..., 0] if y.ndim < a.ndim else -f.solve(a, f.matmul(g, y))


def _solved(a: Any, b: Any) -> Shaped:
    lead = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    return Shaped((*lead, *b.shape[-2:]) if len(b.shape) > 1 else a.shape[:-1], floating(promoted(a, b)))


SOLVE = define(row(
    "solve", "a b", _solvable("solve", lapack.solve),
    ["left(g, a, y)", "right(g, a)"], linear="b", jvp=("tangent(g, a, y)", None),
    uses={"left": _solve_left, "right": _solve_right, "tangent": _solve_tangent},
    domain=lambda rng: [
        ((_regular(rng, 3, 3), rng.normal(size=3)), ()), ((_regular(rng, 3, 3), rng.normal(size=(3, 2))), ()),
        ((_regular(rng, 2, 3, 3), rng.normal(size=3)), ()),
        ((_regular(rng, 2, 1, 2, 2), rng.normal(size=(3, 2, 1))), ()),
        ((_regular(rng, 3, 3).T, rng.normal(size=(2, 3)).T), ()),
        ((_regular(rng, 0, 2, 2), rng.normal(size=(2, 1))), ()),
    ],
    shape=_solved, complex=True, doc="The solution of a @ y = b.",
))  # fmt: skip
INV = define(row(
    "inv", "x", _solvable("inv", lapack.inv), ["-matmul(matmul(turned(y), g), turned(y))"],
    jvp=("-matmul(matmul(y, g), y)",), uses={"turned": turned},
    shape=_floated,
    domain=lambda rng: [
        ((_regular(rng, 3, 3),), ()), ((_regular(rng, 2, 2, 2),), ()), ((_regular(rng, 3, 3).T,), ()),
        ((_regular(rng, 1, 1),), ()), ((np.zeros((0, 2, 2)),), ()),
    ],
    complex=True, doc="Inverse matrices.",
))  # fmt: skip


def solution(f: Any, a: Any, b: Any) -> Any:
    """The solution in a formula: `f.solve`, which on arrays would be NumPy's, by the engine."""
    if isinstance(a, Tensor) or isinstance(b, Tensor):
        return f.solve(a, b)
    return apply(SOLVE, (a, b)).array


@public("linalg.solve", method=None)
def solve(a: Any, b: Any) -> Any:
    """The y with `a @ y = b`.

    a: square matrices (..., n, n). b: one vector (n,), or matrices (..., n, k); leading axes broadcast. Integers give
    float64. Raises ValueError for shapes that do not fit, numpy.linalg.LinAlgError for a singular matrix.

    >>> zen.f.solve(zen.tensor([[2.0, 0.0], [0.0, 4.0]]), zen.tensor([2.0, 2.0])).tolist()
    [1.0, 0.5]
    """
    a, b = square_matrices("solve", a), operand("solve", b)
    n = a.shape[-1]
    if b.ndim == 0 or b.shape[-2 if b.ndim > 1 else -1] != n:
        raise ValueError(f"solve: matrices of shape {a.shape} need a right side ({n},) or (..., {n}, k), not {b.shape}")
    return apply(SOLVE, (a, b))


@public("linalg.inv", method=None)
def inv(x: Any) -> Any:
    """Inverses of the matrices in the last two axes of x.

    x: square matrices (..., n, n); integers give float64. Raises ValueError for other shapes,
    numpy.linalg.LinAlgError for a singular matrix. To solve equations, `solve` is faster and more accurate.

    >>> zen.f.inv(zen.tensor([[2.0, 0.0], [0.0, 4.0]])).tolist()
    [[0.5, 0.0], [0.0, 0.25]]
    """
    return apply(INV, (square_matrices("inv", x),))


# --- determinants


def _svd(x: Any) -> Any:
    """Singular values and vectors; nan for matrices that hold nan or inf, where LAPACK finds no end."""
    finite = np.isfinite(x).all((-2, -1), keepdims=True)
    if finite.all():
        return np.linalg.svd(x)
    u, s, vt = np.linalg.svd(np.where(finite, x, np.eye(x.shape[-1], dtype=x.dtype)))
    return u, np.where(finite[..., 0], s, np.nan), vt


def _inverted(x: np.ndarray) -> tuple[Any, Any] | None:
    """(det(x), inv(x)^T) by LU, where no matrix is so near to a singular one that its inverse is inexact; else None."""
    found = backend.kernels.factor.slogdet(x) if x.dtype in KERNELS and x.dtype.isnative else None
    if found is None:
        return None
    sign, logarithm, lu, pivots = found
    turned = backend.kernels.factor.slogdet_pull_back(lu, pivots, np.ones_like(sign))
    # The condition squared, and at most n times too large.
    condition = np.einsum("...ij,...ij", x, x) * np.einsum("...ij,...ij", turned, turned)
    if not (condition < np.finfo(x.dtype).eps ** (-2 / 3)).all():
        return None
    return np.asarray(sign * np.exp(logarithm))[..., None, None], turned


def _cofactor(x: Any) -> Any:
    """The derivative of the determinant: det(x) inv(x)^T, which exists for singular matrices too."""
    found = _inverted(np.asarray(x))
    if found is not None:
        det, turned = found
        turned *= det
        if np.isfinite(turned).all():
            return turned
    u, s, vt = _svd(np.asarray(x))
    sign = np.linalg.det(u) * np.linalg.det(vt)
    return (sign[..., None, None] * np.conj(u) * prod_others(s)[..., None, :]) @ np.conj(vt)


def _cofactor_slope(h: Any, x: Any) -> Any:
    """The second derivative of the determinant applied to h, in the basis of the singular vectors of x.

    For a diagonal matrix s it is, off the diagonal, -h[l, k] times the product of all s except s[k] and s[l]; on it,
    the sum over i of h[i, i] times the product of all except s[i] and s[k]. Of regular matrices it is made of inverses.
    """
    found = _inverted(x) if h.dtype == x.dtype and h.shape == x.shape else None
    if found is not None:
        det, turned = found
        slope = np.einsum("...ij,...ij", turned, h)[..., None, None] * turned
        slope -= turned @ np.swapaxes(h, -1, -2) @ turned
        slope *= det
        if np.isfinite(slope).all():
            return slope
    u, s, vt = _svd(x)
    sign = np.linalg.det(u) * np.linalg.det(vt)
    n = s.shape[-1]
    own = np.eye(n, dtype=bool)
    pairs = np.where(own, 0, prod_others(np.where(own, 1, s[..., None, :])))
    u, vt = np.conj(u), np.conj(vt)
    inner = np.swapaxes(u, -1, -2) @ h @ np.swapaxes(vt, -1, -2)
    trace = np.einsum("...ki,...ii->...k", pairs, inner)
    slope = np.where(own, trace[..., None], -np.swapaxes(inner, -1, -2) * pairs)
    return sign[..., None, None] * (u @ slope @ vt)


def _cofactor_curve(f: Any, h: Any, g: Any, x: Any) -> Any:
    """The derivative in x of <g, cofactor_slope(h, x)>.

    cofactor(x)[i, j] is, up to its sign, the determinant of x without row i and column j; so the derivative is a sum
    of the second derivatives of all these minors, exact at singular matrices as well.
    """
    n = x.shape[-1]
    rest = np.array([[k for k in range(n) if k != i] for i in range(n)], dtype=int).reshape(n, max(n - 1, 0))
    key = (Ellipsis, rest[:, None, :, None], rest[None, :, None, :])
    signs = (1 - 2 * (np.add.outer(np.arange(n), np.arange(n)) % 2)).astype(x.dtype)
    minors = f.cofactor_slope(f.getitem(h, key), f.getitem(x, key))
    return f.scatter(minors * (g * signs)[..., None, None], x.shape, key)


def _matrices(rng: np.random.Generator) -> list[Any]:
    one, none = np.full((1, 1), 2.0), np.zeros((0, 2, 2))
    return [_regular(rng, 3, 3), _regular(rng, 2, 2, 2), rng.normal(size=(3, 3)).T, one, none]


def _singular(rng: np.random.Generator) -> list[Any]:
    low = rng.normal(size=(3, 2)) @ rng.normal(size=(2, 3))
    return [*_matrices(rng), np.array([[1.0, 2.0], [2.0, 4.0]]), low, np.zeros((2, 2))]


def _paired(f: Any, g: Any, weights: Any) -> Any:
    """For each matrix, the sum of products with the other."""
    if not isinstance(g, Tensor):
        return np.einsum("...ij,...ij", g, weights)
    n = len(g.shape)
    return f.sum(g * weights, (n - 2, n - 1), False)


def _det_left(f: Any, g: Any, x: Any) -> Any:
    return g[..., None, None] * f.cofactor(x)


def _det_tangent(f: Any, g: Any, x: Any) -> Any:
    found = None if isinstance(g, Tensor) or g.dtype != x.dtype else _inverted(x)
    if found is not None:
        made = np.asarray(_paired(f, g, found[1]) * found[0][..., 0, 0])
        if np.isfinite(made).all():
            return made
    return _paired(f, g, f.cofactor(x))


DET = define(row(
    "det", "x", np.linalg.det, ["slope(g, x)"], jvp=("tangent(g, x)",),
    uses={"slope": _det_left, "tangent": _det_tangent}, shape=lambda x: Shaped(x.shape[:-2], floating(x.dtype)),
    domain=lambda rng: [((x,), ()) for x in _singular(rng)], complex=True, doc="Determinants.",
))  # fmt: skip
define(row(
    "cofactor", "x", _cofactor, ["cofactor_slope(g, x)"], jvp=("cofactor_slope(g, x)",), shape=_floated,
    domain=lambda rng: [((x,), ()) for x in _singular(rng)], complex=True,
    doc="det(x) inv(x)^T: the derivative of the determinant.",
))  # fmt: skip
define(row(
    "cofactor_slope", "h x", _cofactor_slope, ["cofactor_slope(g, x)", "curve(h, g, x)"], linear="h",
    uses={"curve": _cofactor_curve}, domain=lambda rng: [((rng.normal(size=x.shape), x), ()) for x in _singular(rng)],
    shape=_floated, complex=True, doc="The derivative of cofactor(x) applied to h.",
))  # fmt: skip


def _logabsdet_tangent(f: Any, g: Any, x: Any) -> Any:
    """The trace of inv(x) g."""
    factors = None
    if not isinstance(g, Tensor) and g.dtype == x.dtype and x.dtype in KERNELS and x.dtype.isnative:
        factors = backend.kernels.factor.slogdet(x)
    if factors is not None:
        return backend.kernels.factor.slogdet_tangent(*factors[2:], g)
    return _paired(f, g, turned(f, f.inv(x)))


LOGABSDET = define(row(
    "logabsdet", "x", lambda x: np.linalg.slogdet(x)[1], ["g[..., None, None] * turned(inv(x))"],
    jvp=("tangent(g, x)",), uses={"turned": turned, "tangent": _logabsdet_tangent},
    shape=lambda x: Shaped(x.shape[:-2], real_dtype(floating(x.dtype))),
    domain=lambda rng: [((x,), ()) for x in _matrices(rng)], complex=True, doc="log(abs(det(x))).",
))  # fmt: skip
DET_ANGLE = define(row(
    "det_angle", "x", lambda x: np.angle(np.linalg.slogdet(x)[0]), ["-1j * g[..., None, None] * turned(inv(x))"],
    uses={"turned": turned}, shape=lambda x: Shaped(x.shape[:-2], real_dtype(floating(x.dtype))),
    domain=lambda rng: [((x,), ()) for x in _matrices(rng)], complex=True, doc="The angle of det(x).",
))  # fmt: skip


def _slogdet(x: Any, read: bool) -> tuple[Any, ...]:
    found = backend.kernels.factor.slogdet(x) if x.dtype in KERNELS and x.dtype.isnative else None
    return (*np.linalg.slogdet(x), None, None) if found is None else found


def _slogdet_vjp(
    g: tuple[Any, Any], args: tuple[Any], results: tuple[Any, ...], wanted: tuple[bool, ...]
) -> tuple[Any]:
    """The sign of a real determinant is constant; the factors of the forward pass give the inverse."""
    (x,), (sign, _, lu, pivots) = args, results
    if x.dtype in COMPLEX:
        inverse = np.swapaxes(np.linalg.inv(x), -1, -2)
        part: Any = 0.0 if g[1] is None else g[1]
        part = part if g[0] is None else part - 1j * np.real(1j * g[0] * sign)
        return (part[..., None, None] * inverse,)
    if g[1] is None:
        return (np.zeros(x.shape, x.dtype),)
    if lu is None:
        return (g[1][..., None, None] * np.swapaxes(np.linalg.inv(x), -1, -2),)
    return (backend.kernels.factor.slogdet_pull_back(lu, pivots, np.asarray(g[1], lu.dtype)),)


def _slogdet_composed(x: Any) -> tuple[Any, Any]:
    if x.dtype in COMPLEX:
        return apply(ROWS["exp"], (apply(DET_ANGLE, (x,)) * 1j,)), apply(LOGABSDET, (x,))
    return backend.wrap(np.asarray(np.linalg.slogdet(raw(x))[0])), apply(LOGABSDET, (x,))


def _slogdet_jvp(tangents: tuple[Any], args: tuple[Any], results: tuple[Any, ...]) -> tuple[Any, Any]:
    (t,), (x,), (sign, _, lu, pivots) = tangents, args, results
    if x.dtype in COMPLEX:
        change = np.einsum("...ij,...ji", np.linalg.inv(x), t)
        return 1j * sign * change.imag, change.real
    if lu is not None:
        return None, backend.kernels.factor.slogdet_tangent(lu, pivots, t)
    (slopes,) = _slogdet_vjp((None, np.ones(x.shape[:-2], x.dtype)), args, results, (True,))
    return None, np.asarray((slopes * t).sum((-2, -1)))


SLOGDET = define(row(
    "slogdet", "x", _slogdet, _slogdet_vjp, outputs="sign logabsdet", workspace="lu pivots", saves="sign",
    composition=_slogdet_composed, jvp=_slogdet_jvp, complex=True,
    shape=lambda x: (
        Shaped(x.shape[:-2], floating(x.dtype)), Shaped(x.shape[:-2], real_dtype(floating(x.dtype))),
    ),
    domain=lambda rng: [((x,), ()) for x in _matrices(rng)],
    doc="The sign of the determinant, and log(abs(det(x))).",
))  # fmt: skip


class SlogdetResult(NamedTuple):
    """Sign and logarithm of the magnitude of a determinant."""

    sign: Tensor
    logabsdet: Tensor


@public("linalg.det", method=None)
def det(x: Any) -> Any:
    """Determinants of the matrices in the last two axes of x.

    x: square matrices (..., n, n); integers give float64. The derivatives are exact at singular matrices too; from the
    third on they take the minors of all elements. Raises ValueError for other shapes.

    >>> round(zen.f.det(zen.tensor([[2.0, 0.0], [0.0, 4.0]])).item(), 6)
    8.0
    """
    return apply(DET, (square_matrices("det", x),))


@public("linalg.slogdet", method=None)
def slogdet(x: Any) -> SlogdetResult:
    """Sign and logarithm of the magnitude of determinants: a named tuple (sign, logabsdet), safe from overflow.

    x: square matrices (..., n, n). The gradient of a real sign is zero; that of logabsdet is inv(x)^T, and needs a
    regular matrix (numpy.linalg.LinAlgError otherwise). The sign of a complex determinant is its direction, a number of
    magnitude 1. Raises ValueError for other shapes.

    >>> zen.f.slogdet(zen.tensor([[1.0, 0.0], [0.0, -1.0]])).sign.tolist()
    -1.0
    """
    x = square_matrices("slogdet", x)
    return SlogdetResult(*apply(SLOGDET, (x,)))


# --- Cholesky


def _cholesky(x: Any) -> Any:
    return np.linalg.cholesky((x + np.conj(np.swapaxes(x, -1, -2))) / 2)


def _cholesky_vjp(f: Any, g: Any, y: Any) -> Any:
    """Murray 2016, eq. 10: inv(L)^T Phi(L^T g) inv(L), made symmetric; Phi takes the lower half, diagonal halved."""
    n = y.shape[-1]
    half = (np.tri(n) - np.eye(n) / 2).astype(y.dtype)
    inverse = f.inv(y)
    middle = f.matmul(turned(f, y), g) * half
    grad = f.matmul(f.matmul(turned(f, inverse), middle), conjugate(f, inverse))
    return (grad + adjoint(f, grad)) / 2


def _cholesky_tangent(f: Any, g: Any, y: Any) -> Any:
    """Murray 2016, eq. 8: L Phi(inv(L) S inv(L)^T) for the symmetric part S of g."""
    half = (np.tri(y.shape[-1]) - np.eye(y.shape[-1]) / 2).astype(y.dtype)
    inverse = f.inv(y)
    middle = f.matmul(f.matmul(inverse, g + adjoint(f, g)), adjoint(f, inverse)) * (half / 2)
    return f.matmul(y, middle)


def _positive(rng: np.random.Generator, *shape: int) -> np.ndarray:
    x = rng.normal(size=shape)
    return x @ np.swapaxes(x, -1, -2) + np.eye(shape[-1])


CHOLESKY = define(row(
    "cholesky", "x", _solvable("cholesky", _cholesky), ["vjp(g, y)"], jvp=("tangent(g, y)",),
    uses={"vjp": _cholesky_vjp, "tangent": _cholesky_tangent},
    domain=lambda rng: [
        ((_positive(rng, 3, 3),), ()), ((_positive(rng, 2, 2, 2),), ()), ((np.full((1, 1), 2.0),), ()),
        ((np.zeros((0, 2, 2)),), ()),
    ],
    shape=_floated, complex=True, doc="Lower Cholesky factors of Hermitian positive definite matrices.",
))  # fmt: skip


@public("linalg.cholesky", method=None)
def cholesky(x: Any, *, upper: bool = False) -> Any:
    """The lower triangular L with `x = L @ L.mH`, or with `upper` its conjugate transpose.

    x: symmetric or Hermitian positive definite matrices (..., n, n); (x + x.mH) / 2 is factored, so the gradient is
    Hermitian.
    Raises ValueError for other shapes, numpy.linalg.LinAlgError for a matrix that is not positive definite.

    >>> zen.f.cholesky(zen.tensor([[4.0, 0.0], [0.0, 9.0]])).tolist()
    [[2.0, 0.0], [0.0, 3.0]]
    """
    factor = apply(CHOLESKY, (square_matrices("cholesky", x),))
    if upper:
        factor = matrix_transpose(factor)
        return apply(ROWS["conj"], (factor,)) if factor.dtype in COMPLEX else factor
    return factor
