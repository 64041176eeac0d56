"""Variance, logsumexp and norms: reductions whose derivative needs care at special points."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Never

import numpy as np

from ..backend import Shaped, apply
from ..dtypes import DEFAULT, EXACT, KERNELS, accumulator, real
from . import masked, reduction
from .arguments import refuse
from .axes import all_axes, count, either, kept, kept_shape, reduced_axes, some_axes
from .casting import astype, inexact
from .operands import constant, operand, raw
from .reduction import reduction_draws
from .register import FUNCTIONS, ROWS, arrays, define, public
from .result_shapes import reduced_floating
from .row import row
from .shape import moveaxis, reshape

if TYPE_CHECKING:
    from ..typing import Axes

# --- variance


def _var_scale(shape: tuple[int, ...], axis: Any, correction: float) -> float:
    n = count(shape, axis) - correction
    return 1 / n if n > 0 else float("nan")  # as NumPy: no degrees of freedom, no value


def _var_vjp(f: Any, g: Any, x: Any, axis: Any, correction: float, keepdims: bool) -> Any:
    g = kept(f, g, x.shape, axis, keepdims)
    return g * (2 * _var_scale(x.shape, axis, correction)) * (x - f.mean(x, axis, True))


def _std_vjp(f: Any, g: Any, x: Any, y: Any, axis: Any, correction: float, keepdims: bool) -> Any:
    g, y = kept(f, g, x.shape, axis, keepdims), kept(f, y, x.shape, axis, keepdims)
    # Where all elements are equal the subgradient is 0.
    return g * _var_scale(x.shape, axis, correction) * f.ratio(1.0, y) * (x - f.mean(x, axis, True))


def _spread_draws(rng: np.random.Generator) -> list[Any]:
    x = rng.normal(size=(2, 3, 4))
    return [
        ((rng.normal(size=5),), (None, 0, False)),
        ((x,), ((1,), 0, False)),
        ((x,), ((0, 2), 1, True)),
        ((x.transpose(2, 0, 1)[::2],), ((2, 0), 1, False)),
        ((rng.normal(size=(0, 3)),), ((1,), 0, False)),
    ]


def _var(x: Any, axis: Any, correction: float, keepdims: Any) -> Any:
    wide = x if x.dtype in KERNELS else x.astype(accumulator(x.dtype))
    n = count(wide.shape, axis)
    deviation = wide - np.true_divide(np.add.reduce(wide, axis=axis, keepdims=True), n)
    total = np.add.reduce(deviation * deviation, axis=axis, keepdims=keepdims)
    y = np.true_divide(total, n - correction if n > correction else 0)
    return y.astype(np.float16) if x.dtype.type is np.float16 else y


def _std(x: Any, axis: Any, correction: float, keepdims: Any) -> Any:
    return np.sqrt(_var(x, axis, correction, keepdims))


def _spread_shape(x: Any, axis: tuple[int, ...] | None, correction: float, keepdims: bool) -> Shaped:
    return reduced_floating(x, axis, keepdims)


VAR = define(row(
    "var", "x", _var,
    ["var_vjp(g, x, axis, correction, keepdims)"],
    params="axis correction keepdims", axes="axis", uses={"var_vjp": _var_vjp},
    shape=_spread_shape, domain=_spread_draws, grouped=True, complex="complex_var", doc="Variance over axes.",
))  # fmt: skip
STD = define(row(
    "std", "x", _std,
    ["std_vjp(g, x, y, axis, correction, keepdims)"],
    params="axis correction keepdims", axes="axis", uses={"std_vjp": _std_vjp},
    shape=_spread_shape, domain=_spread_draws, grouped=True, complex="complex_std",
    doc="Standard deviation over axes. Where it is 0 its subgradient is 0.",
))  # fmt: skip


@public()
def var(
    x: Any,
    axis: Axes = None,
    *,
    correction: float = 0,
    ddof: float | None = None,
    keepdims: bool = False,
    dtype: Any = None,
    where: Any = None,
    mean: Any = None,
    **unknown: Never,
) -> Any:
    """Variance over `axis`: the sum of squared deviations divided by N - correction.

    x: Tensor or array; integers give float64. axis, keepdims and errors as in `sum`. correction: 0 for the mean of
    squares, 1 for the unbiased estimate; `ddof` is NumPy's name for it. nan where N <= correction. dtype: x is
    converted to it first. where: a mask as in `sum`. mean: the mean over `axis`, with the reduced axes at length 1,
    where it is known already; differentiable.

    >>> zen.f.var(zen.tensor([1.0, 3.0])).tolist(), zen.f.var(zen.tensor([1.0, 3.0]), correction=1).tolist()
    (1.0, 2.0)
    """
    if unknown:
        refuse(var, unknown)
    if dtype is not None or where is not None or mean is not None:
        return _with_options("var", x, axis, correction, ddof, keepdims, dtype, where, mean)
    return _deviation(VAR, "var", x, axis, correction, ddof, keepdims)


@public()
def std(
    x: Any,
    axis: Axes = None,
    *,
    correction: float = 0,
    ddof: float | None = None,
    keepdims: bool = False,
    dtype: Any = None,
    where: Any = None,
    mean: Any = None,
    **unknown: Never,
) -> Any:
    """Standard deviation over `axis`, the square root of `var`. Where it is 0 its subgradient is 0, and higher
    derivatives are nan.

    Arguments and errors as in `var`.

    >>> zen.f.std(zen.tensor([1.0, 3.0])).tolist()
    1.0
    """
    if unknown:
        refuse(std, unknown)
    if dtype is not None or where is not None or mean is not None:
        return _with_options("std", x, axis, correction, ddof, keepdims, dtype, where, mean)
    return _deviation(STD, "std", x, axis, correction, ddof, keepdims)


def _deviation(made: Any, name: str, x: Any, axis: Axes, correction: float, ddof: float | None, keepdims: bool) -> Any:
    x, correction, ddof = operand(name, x), constant(name, "correction", correction), constant(name, "ddof", ddof)
    correction = either(name, "correction", correction, "ddof", ddof, 0)
    return apply(made, (x,), (some_axes(name, axis, x.shape), correction, bool(keepdims)))


def _with_options(
    name: str, x: Any, axis: Axes, correction: float, ddof: float | None, keepdims: bool, *options: Any
) -> Any:
    correction, ddof = constant(name, "correction", correction), constant(name, "ddof", ddof)
    return masked.deviation(name, x, axis, either(name, "correction", correction, "ddof", ddof, 0), keepdims, *options)


# --- logsumexp


def _logsumexp(x: Any, axis: Any, keepdims: bool) -> Any:
    if x.size == 0:
        top = np.zeros(np.add.reduce(x, axis=axis, keepdims=True).shape, x.dtype)
    else:
        top = np.maximum.reduce(x, axis=axis, keepdims=True)
        top = np.where(np.isfinite(top), top, 0)  # inf - inf has no value
    y = np.log(np.add.reduce(np.exp(x - top), axis=axis, keepdims=True)) + top
    return y if keepdims else y.reshape(np.add.reduce(y, axis=axis).shape)


def _logsumexp_vjp(f: Any, g: Any, x: Any, y: Any, axis: Any, keepdims: bool) -> Any:
    """g times the softmax of x. Dividing by the sum takes the rounding of y out again: the weights add up to 1."""
    level = kept(arrays, raw(y), x.shape, axis, keepdims)  # a constant: softmax does not depend on it
    top = level == np.inf
    if top.any():  # the infinite elements share the gradient, whatever the others are
        x = f.where(top, np.where(raw(x) == np.inf, x.dtype.type(0), x.dtype.type(-np.inf)), x)
    weights = f.exp(x - np.where(np.isinf(level), x.dtype.type(0), level))
    total = f.sum(weights, axis, True)
    if not raw(total).all():  # rows of -inf
        total = f.where(raw(total) == 0, 1, total)
    return kept(f, g, x.shape, axis, keepdims) / total * weights


LOGSUMEXP = define(row(
    "logsumexp", "x", _logsumexp, ["logsumexp_vjp(g, x, y, axis, keepdims)"], params="axis keepdims", axes="axis",
    uses={"logsumexp_vjp": _logsumexp_vjp}, domain=lambda rng: reduction_draws(rng)[:-1],
    grouped=True, shape=reduced_floating, doc="log(sum(exp(x))) over axes.",
))  # fmt: skip


@public("")
def logsumexp(x: Any, axis: Axes = None, *, keepdims: bool = False, **unknown: Never) -> Any:
    """log(sum(exp(x))) over `axis`, without overflow; -inf for no elements or where all are -inf (gradient 0 there).
    Elements that are inf share the gradient equally.

    x: Tensor or array; integers give the dtype that `exp` gives of them. axis, keepdims and errors as in `sum`.

    >>> zen.f.logsumexp(zen.tensor([1000.0, 1000.0])).tolist()
    1000.6931471805599
    """
    if unknown:
        refuse(logsumexp, unknown)
    x = inexact(operand("logsumexp", x))
    return apply(LOGSUMEXP, (x,), (reduced_axes("logsumexp", axis, x.shape), bool(keepdims)))


# --- norms


def _norm2(x: Any, axis: Any, keepdims: Any) -> Any:
    return np.sqrt(np.add.reduce(x * x, axis=axis, keepdims=keepdims))


def _norm2_vjp(f: Any, g: Any, x: Any, y: Any, axis: Any, keepdims: bool) -> Any:
    return kept(f, g, x.shape, axis, keepdims) * f.ratio(1.0, kept(f, y, x.shape, axis, keepdims)) * x


def _norm_p(x: Any, order: float, axis: Any, keepdims: Any) -> Any:
    return np.add.reduce(np.abs(x) ** order, axis=axis, keepdims=keepdims) ** (1 / order)


def _norm_p_vjp(f: Any, g: Any, x: Any, y: Any, order: float, axis: Any, keepdims: bool) -> Any:
    g, y = kept(f, g, x.shape, axis, keepdims), kept(f, y, x.shape, axis, keepdims)
    part = f.ratio(f.abs(x), y)
    if order > 1:
        return g * f.sign(x) * f.power(part, order - 1)
    return g * f.ratio(f.sign(x), f.power(part, 1 - order))  # where x is 0 the slope is infinite, the subgradient 0


NORM2 = define(row(
    "norm2", "x", _norm2, ["norm2_vjp(g, x, y, axis, keepdims)"], params="axis keepdims", axes="axis",
    uses={"norm2_vjp": _norm2_vjp}, shape=reduced_floating, domain=lambda rng: reduction_draws(rng)[1:], grouped=True,
    complex="complex_norm2", doc="Euclidean norm over axes.",
))  # fmt: skip
NORM_P = define(row(
    "norm_p", "x", _norm_p, ["norm_p_vjp(g, x, y, order, axis, keepdims)"], params="order axis keepdims", axes="axis",
    uses={"norm_p_vjp": _norm_p_vjp}, shape=lambda x, order, *where: reduced_floating(x, *where),
    domain=lambda rng: [
        (args, (order, *params))
        for order, (args, params) in zip((3, 1.5, 4, 2.5), reduction_draws(rng)[1:], strict=False)
    ],
    grouped=True, complex="complex_norm_p", doc="p-norm over axes.",
))  # fmt: skip


@public("linalg.vector_norm", method=None)
def vector_norm(x: Any, axis: Axes = None, *, keepdims: bool = False, ord: float = 2, **unknown: Never) -> Any:
    """Norm of vectors along `axis`; None takes all elements as one vector.

    ord: 2 (Euclidean), 1 (sum of magnitudes), inf (largest magnitude), -inf (smallest), 0 (how many are not zero, with
    a gradient of zero), or any other p: sum(abs(x) ** p) ** (1 / p). At the zero vector the subgradient is 0, and a
    norm that is curved has no higher derivative: nan; the subgradients of 1 and inf are constants, as in `abs`. x:
    Tensor or array; integers give float64. Raises AxisError for an axis out of range, ValueError for an unknown ord.

    >>> zen.f.vector_norm(zen.tensor([[3.0, 4.0], [0.0, 2.0]]), axis=1).tolist()
    [5.0, 2.0]
    """
    if unknown:
        refuse(vector_norm, unknown)
    return norm_of_vectors("vector_norm", x, axis, keepdims, ord)


@public("linalg.matrix_norm", method=None)
def matrix_norm(x: Any, *, keepdims: bool = False, ord: Any = "fro", **unknown: Never) -> Any:
    """Norm of the matrices in the last two axes of x.

    ord: "fro" (Frobenius), 2 and -2 (largest and smallest singular value), "nuc" (their sum), 1 and -1 (largest and
    smallest column sum of magnitudes), inf and -inf (of rows). Raises ValueError for less than two dimensions or
    another ord.

    >>> zen.f.matrix_norm(zen.tensor([[1.0, -2.0], [3.0, 4.0]]), ord=1).tolist()
    6.0
    """
    if unknown:
        refuse(matrix_norm, unknown)
    x = operand("matrix_norm", x)
    if x.ndim < 2:
        raise ValueError(f"matrix_norm: at least two dimensions are needed, not shape {x.shape}; see vector_norm")
    return _matrix_norm("matrix_norm", x, (x.ndim - 2, x.ndim - 1), keepdims, constant("matrix_norm", "ord", ord))


@public("linalg.norm")
def norm(x: Any, ord: Any = None, axis: Axes = None, keepdims: bool = False, **unknown: Never) -> Any:
    """A norm of vectors or matrices, as numpy.linalg.norm.

    Without `ord`: the Euclidean norm over `axis` (all elements if None); its subgradient at 0 is 0. With it: of vectors
    along an int axis (see `vector_norm`), of matrices for two axes (see `matrix_norm`); with
    no axis x must have one or two dimensions. Raises ValueError for another ord, AxisError for an axis out of range.

    >>> zen.f.norm(zen.tensor([3.0, 4.0])).tolist(), zen.f.norm(zen.tensor([3.0, 4.0]), 1).tolist()
    (5.0, 7.0)
    """
    if unknown:
        refuse(norm, unknown)
    x = operand("norm", x)
    ord = constant("norm", "ord", ord)
    if ord is None:
        return norm_of_vectors("norm", x, axis, keepdims, 2)
    if axis is None and x.ndim > 2 and ord != "fro":
        raise ValueError(f"norm: ord={ord!r} of shape {x.shape} needs an axis (vectors) or two axes (matrices)")
    axes = tuple(range(x.ndim)) if axis is None else all_axes("norm", axis, x.shape)
    if len(axes) == 2:
        return _matrix_norm("norm", x, axes, keepdims, ord)
    return norm_of_vectors("norm", x, axes, keepdims, 2 if ord == "fro" and axis is None else ord)


def norm_of_vectors(name: str, x: Any, axis: Axes, keepdims: bool, ord: Any, argument: str = "ord") -> Any:
    """`vector_norm` under the name of the function that asks for it, and that of its argument for the order."""
    x, ord = operand(name, x), constant(name, argument, ord)
    axes, keepdims = some_axes(name, axis, x.shape), bool(keepdims)
    if not isinstance(ord, (int, float)):
        raise ValueError(f"{name}: {argument}={ord!r} is no vector norm; give a number such as 1, 2 or inf")
    if x.dtype in EXACT:
        x = astype(x, DEFAULT)
    if ord == 2:
        return apply(NORM2, (x,), (axes, keepdims))
    if ord == 1:
        return reduction.sum(apply(ROWS["abs"], (x,)), axes, keepdims=keepdims)
    if ord == np.inf:
        return reduction.max(apply(ROWS["abs"], (x,)), axes, keepdims=keepdims)
    if ord == -np.inf:
        return reduction.min(apply(ROWS["abs"], (x,)), axes, keepdims=keepdims)
    if ord == 0:
        number = np.asarray(np.count_nonzero(raw(x), axis=axes, keepdims=keepdims), real(x.dtype))
        return apply(reduction.CONSTANT, (x,), (number,))
    return apply(NORM_P, (x,), (ord, axes, keepdims))


def _matrix_norm(name: str, x: Any, axes: tuple[int, ...], keepdims: bool, ord: Any) -> Any:
    if ord == "fro" or ord is None:
        return norm_of_vectors(name, x, axes, keepdims, 2)
    if ord not in ("nuc", 1, -1, 2, -2, np.inf, -np.inf):
        raise ValueError(
            f"{name}: ord={ord!r} is not available for matrices; give 'fro', 'nuc', 1, -1, 2, -2, inf or -inf, "
            "or an int axis for the norms of vectors"
        )
    if x.dtype in EXACT:
        x = astype(x, DEFAULT)
    if ord in ("nuc", 2, -2):
        s = FUNCTIONS["svdvals"](moveaxis(x, axes, (-2, -1)))
        found = {"nuc": reduction.sum, 2: reduction.max, -2: reduction.min}[ord](s, -1)
        return reshape(found, kept_shape(x.shape, axes)) if keepdims else found
    rows, columns = axes
    inner, outer = (rows, columns) if abs(ord) == 1 else (columns, rows)
    sums = reduction.sum(apply(ROWS["abs"], (x,)), inner, keepdims=True)
    extreme = (reduction.max if ord > 0 else reduction.min)(sums, outer, keepdims=True)
    return extreme if keepdims else reshape(extreme, tuple([n for k, n in enumerate(x.shape) if k not in axes]))
