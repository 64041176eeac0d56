"""Least-squares fits of polynomials, under NumPy's names.

The coefficients are NumPy's, c; their derivatives are those of c + solve(A^H A, A^H (b - A c)), which is the solution
for every c. As b - A c is all but orthogonal to A, nothing is lost by squaring the condition number.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from ..backend import Tensor, grad_enabled
from ..dtypes import COMPLEX, DEFAULT, INEXACT
from . import reduction
from .casting import astype
from .data import asarray
from .linalg import inv, solve
from .operands import constant, operand, raw, whole
from .register import FUNCTIONS, public
from .shape import reshape
from .turning import vander

_conj, _divide, _multiply, _subtract = [FUNCTIONS[name] for name in ("conj", "divide", "multiply", "subtract")]


def samples(name: str, x: Any, y: Any, w: Any) -> tuple[Any, Any, Any]:
    """Points, values and weights of a fit, checked as NumPy does."""
    x, y = (asarray(operand(name, v)) for v in (x, y))
    x, y = (v if v.dtype in INEXACT else astype(v, DEFAULT) for v in (x, y))
    if x.ndim != 1 or not x.size:
        raise TypeError(f"{name}: x must be one-dimensional and not empty, unlike shape {x.shape}")
    if y.ndim not in (1, 2):
        raise TypeError(f"{name}: y must have one or two dimensions, not shape {y.shape}")
    if len(x) != len(y):
        raise TypeError(f"{name}: {len(x)} points, but {len(y)} values")
    if w is not None:
        w = asarray(operand(name, w))
        w = w if w.dtype in INEXACT else astype(w, DEFAULT)
        if w.shape != x.shape:
            raise TypeError(f"{name}: weights of shape {w.shape} for {len(x)} points; give one for each")
    return x, y, w


def fitted(name: str, matrix: Any, values: Any, weights: Any, rcond: float, message: str | None) -> tuple[Any, ...]:
    """Coefficients, sums of squared residuals, rank, singular values, and the matrix with its weights.

    message: what is warned of where the rank is too low.
    """
    if weights is not None:
        matrix = _multiply(matrix, weights[:, None])
        values = _multiply(values, weights[:, None] if values.ndim == 2 else weights)
    plain = raw(matrix)
    scale = np.sqrt((np.abs(plain) ** 2 if plain.dtype in COMPLEX else plain * plain).sum(0))
    scale = np.where(scale == 0, 1, scale).astype(scale.dtype)
    columns = _divide(matrix, scale)
    found, residuals, rank, singular = np.linalg.lstsq(raw(columns), raw(values), rcond)
    if rank != plain.shape[1]:
        if message:
            warnings.warn(message, np.exceptions.RankWarning, stacklevel=4)
        if grad_enabled() and any([isinstance(v, Tensor) and v.requires_grad for v in (matrix, values)]):
            raise ValueError(
                f"{name}: the points determine {rank} of {plain.shape[1]} coefficients, so there is no derivative; "
                "lower the degree, or detach() the arguments"
            )
        made, apart = asarray(found), None
    else:
        turned = columns.T
        turned = _conj(turned) if turned.dtype in COMPLEX else turned
        apart = _subtract(values, columns @ found)
        made = astype(found + solve(turned @ columns, turned @ apart), found.dtype, copy=False)
    lead = (-1, 1) if made.ndim == 2 else (-1,)
    made = astype(_divide(made, scale.reshape(lead)), found.dtype, copy=False)
    if apart is not None and residuals.size:
        apart = _subtract(values, matrix @ made)
        squares = (_conj(apart) * apart).real if apart.dtype in COMPLEX else apart * apart
        sums = reshape(reduction.sum(squares, 0), residuals.shape)
        residuals = astype(residuals + (sums - sums.detach()), residuals.dtype, copy=False)
    return made, asarray(residuals), rank, singular, matrix


@public("polyfit", method=None)
def polyfit(
    x: Any, y: Any, deg: int, rcond: float | None = None, full: bool = False, w: Any = None, cov: Any = False
) -> Any:
    """The polynomial of degree `deg` that fits points best: least squares of its coefficients, highest power first.

    x: one-dimensional. y: the values there, in one or two dimensions; in two, each column is fitted by itself. w: what
    to multiply the deviations by. x, y and w have derivatives. rcond: singular values below this part of the largest
    count as zero. full: also sums of squared residuals, rank, singular values (no derivative) and rcond. cov: also the
    covariances of the coefficients; "unscaled" takes the weights for inverse standard deviations. A RankWarning comes
    where the points do not determine the polynomial, and ValueError if derivatives are asked for there. Raises
    TypeError for shapes that do not fit, ValueError for a negative degree.

    >>> zen.f.polyfit([0.0, 1.0, 2.0], zen.tensor([1.0, 3.0, 5.0]), 1).round(9).tolist()
    [2.0, 1.0]
    """
    degree = whole("polyfit", "deg", deg)
    if degree < 0:
        raise ValueError(f"polyfit: deg must not be negative, but is {degree}")
    x, y, w = samples("polyfit", x, y, w)
    rcond = constant("polyfit", "rcond", rcond)
    rcond = len(x) * np.finfo(x.dtype).eps if rcond is None else rcond
    message = None if full else "Polyfit may be poorly conditioned"
    found, residuals, rank, singular, matrix = fitted("polyfit", vander(x, degree + 1), y, w, rcond, message)
    if full:
        return found, residuals, rank, asarray(singular), rcond
    if not cov:
        return found
    spread = inv(matrix.T @ matrix)
    factor: Any = 1.0
    if cov != "unscaled":
        if len(x) <= degree + 1:
            raise ValueError(f"polyfit: {len(x)} points are too few to scale covariances; pass cov='unscaled'")
        factor = residuals / (len(x) - degree - 1)
    return found, spread * factor if y.ndim == 1 else spread[:, :, None] * factor
