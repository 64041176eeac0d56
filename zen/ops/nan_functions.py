"""Sums, products, extremes, means and variances of what is not nan, under NumPy's names.

A nan takes no part and gets a gradient of zero; quantiles of what is not nan stand in `quantiles.py`. Where nothing is
left NumPy's value comes with NumPy's warning. `where` leaves elements out as well, `initial` is a value that is always
there.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, Never

import numpy as np

from ..backend import Shaped, apply
from ..dtypes import COMPLEX, DEFAULT, EXACT, INEXACT
from . import factors, moments, pointwise, reduction, running
from .arguments import refuse
from .axes import count, either, kept, reduced_axes, reduced_shape, some_axes
from .casting import astype
from .data import asarray
from .operands import constant, operand, raw
from .register import FUNCTIONS, define, public
from .result_shapes import reduced
from .row import row
from .shape import broadcast_to, reshape

if TYPE_CHECKING:
    from ..typing import Axes

_divide, _subtract = FUNCTIONS["divide"], FUNCTIONS["subtract"]


def warn(message: str) -> None:
    """NumPy's warning, of NumPy's kind."""
    warnings.warn(message, RuntimeWarning, stacklevel=4)


def _mask(name: str, where: Any, shape: tuple[int, ...]) -> np.ndarray | None:
    if where is None or where is True:
        return None
    mask = np.asarray(constant(name, "where", where)).astype(bool)
    try:
        return np.broadcast_to(mask, shape)
    except ValueError:
        raise ValueError(f"{name}: where of shape {mask.shape} does not broadcast to shape {shape}") from None


def _left_out(name: str, x: Any, where: Any) -> np.ndarray | None:
    """Where x takes no part: it is nan, or `where` does not hold. None where all take part."""
    out = np.isnan(raw(x)) if x.dtype in INEXACT else None
    mask = _mask(name, where, x.shape)
    if mask is not None:
        out = ~mask if out is None else out | ~mask
    return out if out is not None and out.any() else None


def _filled(x: Any, out: np.ndarray | None, fill: Any) -> Any:
    return x if out is None else pointwise.where(out, np.asarray(fill, x.dtype), x)


def _counts(x: Any, out: np.ndarray | None, axes: Any) -> np.ndarray:
    """How many elements take part, with the reduced axes at length 1."""
    shape = reduced_shape(x.shape, axes, True)
    whole = count(x.shape, axes)
    found = np.full(shape, whole)
    return found if out is None else found - np.sum(out, axis=axes, keepdims=True)


def _averaged(total: Any, number: np.ndarray) -> Any:
    """total / number in double precision, and nan where the number is 0."""
    wide = np.result_type(total.dtype, DEFAULT)
    made = _divide(astype(total, wide, copy=False), number.reshape(total.shape).astype(DEFAULT))
    return astype(made, total.dtype, copy=False)


def _typed(name: str, x: Any, dtype: Any) -> Any:
    x = asarray(operand(name, x))
    if dtype is None or x.dtype == dtype:
        return x
    if x.dtype in INEXACT and np.dtype(dtype) in EXACT:
        raise TypeError(f"{name}: the values are {x.dtype}, so dtype must be a floating one, not {np.dtype(dtype)}")
    return astype(x, dtype)


# --- sums and products


@public(method=None)
def nansum(
    x: Any,
    axis: Axes = None,
    *,
    dtype: Any = None,
    keepdims: bool = False,
    initial: Any = None,
    where: Any = None,
    **unknown: Never,
) -> Any:
    """Sum over `axis` of what is not nan; 0 where nothing is left.

    x: Tensor or array of any shape. axis, dtype, keepdims and errors as in `sum`. initial: a number to start from.
    where: bools that broadcast to x; elements where it does not hold are left out.

    >>> zen.f.nansum(zen.tensor([1.0, zen.nan, 2.0])).tolist()
    3.0
    """
    if unknown:
        refuse(nansum, unknown)
    made = _reduced("nansum", reduction.sum, 0, x, axis, dtype, keepdims, where)
    return made if initial is None else _combined("add", made, initial)


@public(method=None)
def nanprod(
    x: Any,
    axis: Axes = None,
    *,
    dtype: Any = None,
    keepdims: bool = False,
    initial: Any = None,
    where: Any = None,
    **unknown: Never,
) -> Any:
    """Product over `axis` of what is not nan; 1 where nothing is left. Arguments as in `nansum`, errors as in `prod`.

    >>> zen.f.nanprod(zen.tensor([2.0, zen.nan, 3.0])).tolist()
    6.0
    """
    if unknown:
        refuse(nanprod, unknown)
    made = _reduced("nanprod", factors.prod, 1, x, axis, dtype, keepdims, where)
    return made if initial is None else _combined("multiply", made, initial)


def _reduced(name: str, function: Any, fill: int, x: Any, axis: Axes, dtype: Any, keepdims: bool, where: Any) -> Any:
    x = asarray(operand(name, x))
    axes = reduced_axes(name, axis, x.shape)
    return function(_filled(x, _left_out(name, x, where), fill), axes, dtype=dtype, keepdims=keepdims)


def _combined(name: str, made: Any, initial: Any) -> Any:
    return astype(FUNCTIONS[name](made, initial), made.dtype, copy=False)


@public(method=None)
def nancumsum(x: Any, axis: int | None = None, *, dtype: Any = None, **unknown: Never) -> Any:
    """Running sum along `axis`, for which nan counts as 0. Arguments and errors as in `cumsum`.

    >>> zen.f.nancumsum(zen.tensor([1.0, zen.nan, 2.0])).tolist()
    [1.0, 1.0, 3.0]
    """
    if unknown:
        refuse(nancumsum, unknown)
    x = asarray(operand("nancumsum", x))
    x = _filled(x, _left_out("nancumsum", x, None), 0)
    return running.accumulate(running.CUMSUM, "nancumsum", x, axis, dtype)


@public(method=None)
def nancumprod(x: Any, axis: int | None = None, *, dtype: Any = None, **unknown: Never) -> Any:
    """Running product along `axis`, for which nan counts as 1. Arguments and errors as in `cumprod`.

    >>> zen.f.nancumprod(zen.tensor([2.0, zen.nan, 3.0])).tolist()
    [2.0, 2.0, 6.0]
    """
    if unknown:
        refuse(nancumprod, unknown)
    x = asarray(operand("nancumprod", x))
    return running.accumulate(
        running.CUMPROD, "nancumprod", _filled(x, _left_out("nancumprod", x, None), 1), axis, dtype
    )


# --- extremes


def _share(f: Any, g: Any, x: Any, y: Any, axis: Any, keepdims: bool) -> Any:
    """Ties share g equally, and so do the nans of a group that has nothing else."""
    extreme = kept(f, y, x.shape, axis, keepdims)
    taken = (x == extreme) | (extreme != extreme)
    ties = f.astype(f.sum(taken, axis, True), g.dtype)
    return f.where(taken, kept(f, g, x.shape, axis, keepdims) / ties, 0)


def _draws(rng: np.random.Generator) -> list[Any]:
    x = rng.normal(size=(2, 3, 4))
    return [
        ((rng.normal(size=5),), ((0,), False)), ((x,), ((0, 2), True)), ((x.transpose(2, 0, 1)[::2],), ((2, 0), False)),
        ((rng.normal(size=()),), (None, False)), ((rng.normal(size=(2, 0)),), ((0,), False)),
    ]  # fmt: skip


def _extreme(name: str, ufunc: np.ufunc) -> Any:
    return define(row(
        name, "x", lambda x, axis, keepdims: ufunc.reduce(x, axis=axis, keepdims=keepdims),
        ["share(g, x, y, axis, keepdims)"], params="axis keepdims", axes="axis", uses={"share": _share}, domain=_draws,
        grouped=True, complex=True, shape=lambda x, *where: Shaped(reduced(x, *where), x.dtype),
        doc=f"The {name[3:]}imum over axes of what is not nan; ties share the gradient equally.",
    ))  # fmt: skip


NANMAX, NANMIN = _extreme("nanmax", np.fmax), _extreme("nanmin", np.fmin)


@public(method=None)
def nanmax(
    x: Any, axis: Axes = None, *, keepdims: bool = False, initial: Any = None, where: Any = None, **unknown: Never
) -> Any:
    """The largest element over `axis` that is not nan. Equal elements share the gradient equally.

    Where all are nan the result is nan, with a RuntimeWarning. axis, keepdims: as in `sum`. initial: a value that is
    always among them. where: as in `nansum`, and needs `initial`. Raises ValueError for no elements without `initial`.

    >>> zen.f.nanmax(zen.tensor([[1.0, zen.nan], [3.0, 4.0]]), axis=1).tolist()
    [1.0, 4.0]
    """
    if unknown:
        refuse(nanmax, unknown)
    return _extreme_of(NANMAX, "nanmax", "fmax", x, axis, keepdims, initial, where)


@public(method=None)
def nanmin(
    x: Any, axis: Axes = None, *, keepdims: bool = False, initial: Any = None, where: Any = None, **unknown: Never
) -> Any:
    """The smallest element over `axis` that is not nan. Arguments, warning and errors as in `nanmax`.

    >>> zen.f.nanmin(zen.tensor([[1.0, zen.nan], [3.0, 4.0]]), axis=1).tolist()
    [1.0, 3.0]
    """
    if unknown:
        refuse(nanmin, unknown)
    return _extreme_of(NANMIN, "nanmin", "fmin", x, axis, keepdims, initial, where)


def _extreme_of(
    made: Any, name: str, combine: str, x: Any, axis: Axes, keepdims: bool, initial: Any, where: Any
) -> Any:
    x = asarray(operand(name, x))
    axes, mask = reduced_axes(name, axis, x.shape), _mask(name, where, x.shape)
    if mask is not None:
        if initial is None:
            raise ValueError(f"{name}: where= may leave nothing to choose from; give initial= as well")
        x = pointwise.where(mask, x, np.asarray(np.nan if x.dtype in INEXACT else raw(initial), x.dtype))
    if count(x.shape, axes) == 0:
        shape = reduced_shape(x.shape, axes, keepdims)
        if initial is not None:
            return broadcast_to(asarray(initial, x.dtype), shape)
        if x.size == 0 and 0 not in shape:
            raise ValueError(f"{name}: no elements along axis {axis} of shape {x.shape}; an empty {name} has no value")
    found = apply(made, (x,), (axes, bool(keepdims)))
    if initial is not None:
        found = astype(FUNCTIONS[combine](found, initial), x.dtype, copy=False)
    if np.isnan(raw(found)).any():
        warn("All-NaN slice encountered")
    return found


# --- means and variances


@public(method=None)
def nanmean(
    x: Any, axis: Axes = None, *, dtype: Any = None, keepdims: bool = False, where: Any = None, **unknown: Never
) -> Any:
    """Arithmetic mean over `axis` of what is not nan. Where nothing is left: nan, with a RuntimeWarning.

    Arguments as in `nansum`; integers give float64. Raises TypeError for an integer dtype of floats.

    >>> zen.f.nanmean(zen.tensor([1.0, zen.nan, 3.0])).tolist()
    2.0
    """
    if unknown:
        refuse(nanmean, unknown)
    x = _typed("nanmean", x, dtype)
    if x.dtype in EXACT:
        x = astype(x, DEFAULT)
    axes = some_axes("nanmean", axis, x.shape)
    out = _left_out("nanmean", x, where)
    number = _counts(x, out, axes)
    made = _averaged(reduction.sum(_filled(x, out, 0), axes, keepdims=keepdims), number)
    if not number.all():
        warn("Mean of empty slice")
    return made


@public(method=None)
def nanvar(
    x: Any,
    axis: Axes = None,
    *,
    dtype: Any = None,
    correction: float = 0,
    ddof: float | None = None,
    keepdims: bool = False,
    where: Any = None,
    mean: Any = None,
    **unknown: Never,
) -> Any:
    """Variance over `axis` of what is not nan: the sum of squared deviations divided by N - correction.

    x: Tensor or array; integers give float64. axis, dtype, keepdims, where: as in `nanmean`. correction: `ddof` is
    another name for it. mean: the means, if known already, with the reduced axes at length 1. Where N <= correction:
    nan, with a RuntimeWarning.

    >>> zen.f.nanvar(zen.tensor([1.0, zen.nan, 3.0])).tolist()
    1.0
    """
    if unknown:
        refuse(nanvar, unknown)
    return _deviation("nanvar", x, axis, dtype, correction, ddof, keepdims, where, mean)


@public(method=None)
def nanstd(
    x: Any,
    axis: Axes = None,
    *,
    dtype: Any = None,
    correction: float = 0,
    ddof: float | None = None,
    keepdims: bool = False,
    where: Any = None,
    mean: Any = None,
    **unknown: Never,
) -> Any:
    """Standard deviation over `axis` of what is not nan, the square root of `nanvar`, with its arguments.

    Where it is 0 its subgradient is 0, and higher derivatives are nan.

    >>> zen.f.nanstd(zen.tensor([1.0, zen.nan, 3.0])).tolist()
    1.0
    """
    if unknown:
        refuse(nanstd, unknown)
    return _deviation("nanstd", x, axis, dtype, correction, ddof, keepdims, where, mean)


def _deviation(
    name: str, x: Any, axis: Axes, dtype: Any, correction: Any, ddof: Any, keepdims: bool, where: Any, mean: Any
) -> Any:
    correction, ddof = constant(name, "correction", correction), constant(name, "ddof", ddof)
    correction = either(name, "correction", correction, "ddof", ddof, 0)
    x = _typed(name, x, dtype)
    if x.dtype in EXACT:
        x = astype(x, DEFAULT)
    axes = some_axes(name, axis, x.shape)
    out = _left_out(name, x, where)
    number = _counts(x, out, axes)
    free = number - correction
    if mean is None:
        mean = _averaged(reduction.sum(_filled(x, out, 0), axes, keepdims=True), number)
    apart = _filled(astype(_subtract(_filled(x, out, 0), mean), x.dtype, copy=False), out, 0)
    divisor = np.where(free > 0, free, np.nan)
    if name == "nanstd":
        made = _averaged(apply(moments.NORM2, (apart,), (axes, True)), np.sqrt(divisor))
    else:
        squares = (apart.conj() * apart).real if x.dtype in COMPLEX else apart * apart
        made = _averaged(reduction.sum(squares, axes, keepdims=True), divisor)
    if (free <= 0).any():
        warn("Degrees of freedom <= 0 for slice.")
    return made if keepdims else reshape(made, reduced_shape(x.shape, axes, False))
