"""Averages, covariances and correlations, and ranges, under NumPy's names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Never

import numpy as np

from ..batched import Batched
from ..dtypes import COMPLEX, DEFAULT, EXACT
from . import reduction
from .arguments import refuse
from .axes import reduced_axes
from .casting import astype
from .data import asarray
from .joining import concat
from .nan_functions import warn
from .operands import constant, operand, raw, whole
from .quantiles import fitted
from .register import FUNCTIONS, public
from .selection import matrix_diagonal
from .shape import broadcast_to, reshape, squeeze

if TYPE_CHECKING:
    from ..typing import Axes

_add, _clip, _conj, _divide, _matmul, _multiply, _real, _sqrt, _subtract, _transpose = [
    FUNCTIONS[name] for name in "add clip conj divide matmul multiply real sqrt subtract transpose".split()
]


@public("ptp", method=None)
def ptp(x: Any, axis: Axes = None, *, keepdims: bool = False, **unknown: Never) -> Any:
    """The largest element over `axis` minus the smallest. Equal elements share the gradient equally.

    Arguments and errors as in `max`.

    >>> zen.f.ptp(zen.tensor([[1.0, 5.0], [3.0, 4.0]]), axis=1).tolist()
    [4.0, 1.0]
    """
    if unknown:
        refuse(ptp, unknown)
    x = asarray(operand("ptp", x))
    reduced_axes("ptp", axis, x.shape)
    try:
        return _subtract(*[extreme(x, axis, keepdims=keepdims) for extreme in (reduction.max, reduction.min)])
    except ValueError as error:
        raise ValueError(str(error).replace("max", "ptp")) from None


@public("average", method=None)
def average(
    x: Any, axis: Axes = None, weights: Any = None, returned: bool = False, *, keepdims: bool = False, **unknown: Never
) -> Any:
    """The mean over `axis`, weighted: sum(weights * x) / sum(weights).

    x: Tensor or array. weights: Tensor or array of x's shape, or of that of its axes `axis`, with a derivative as well;
    None counts all elements alike. returned: give a tuple of the average and of the sum of the weights, of the same
    shape. axis, keepdims: as in `sum`. Raises ZeroDivisionError where weights add up to 0, TypeError or ValueError for
    weights that do not fit.

    >>> zen.f.average(zen.tensor([1.0, 4.0]), weights=[2.0, 1.0]).tolist()
    2.0
    """
    if unknown:
        refuse(average, unknown)
    x = asarray(operand("average", x))
    axes = reduced_axes("average", axis, x.shape)
    if weights is None:
        made = reduction.mean(x, axes, keepdims=keepdims)
        total: Any = asarray(np.full(made.shape, x.size / made.size if made.size else np.nan, made.dtype))
        return (made, total) if returned else made
    weights = fitted("average", x.shape, asarray(operand("average", weights)), axis)
    dtype = np.result_type(x.dtype, weights.dtype, *([DEFAULT] if x.dtype in EXACT else []))
    total = reduction.sum(weights, axes, dtype=dtype, keepdims=keepdims)
    if type(total) is not Batched and (raw(total) == 0).any():
        raise ZeroDivisionError("average: the weights add up to zero, so that there is no average")
    summed = reduction.sum(astype(_multiply(x, weights), dtype, copy=False), axes, keepdims=keepdims)
    made = _divide(summed, total)
    if not returned:
        return made
    return made, total if total.shape == made.shape else broadcast_to(total, made.shape)


# --- covariances


@public("cov", method=None)
def cov(
    x: Any,
    y: Any = None,
    rowvar: bool = True,
    bias: bool = False,
    ddof: int | None = None,
    fweights: Any = None,
    aweights: Any = None,
    *,
    dtype: Any = None,
) -> Any:
    """The covariances of variables, a matrix; of a single one its variance.

    x: a Tensor or array of at most two dimensions, whose rows are variables and whose columns are observations; with
    rowvar=False the other way round. y: further variables. bias: divide by N rather than N - 1; ddof: by N - ddof.
    fweights: how often each observation was made, ints. aweights: how much it counts, with a derivative. dtype: at
    least float64 if not given. Raises ValueError for more dimensions, negative weights or numbers that do not fit. A
    RuntimeWarning comes where there are too few observations.

    >>> zen.f.cov(zen.tensor([[0.0, 1.0, 2.0], [2.0, 1.0, 0.0]])).tolist()
    [[1.0, -1.0], [-1.0, 1.0]]
    """
    table = _variables("cov", x, y, rowvar, dtype)
    if table.shape[0] == 0:
        return reshape(table, (0, 0)) if table.size == 0 else table
    ddof = int(not bias) if ddof is None else whole("cov", "ddof", ddof)
    counted, weights = _observations(table, fweights, aweights)
    if weights is None:
        mean, factor = reduction.mean(table, 1, keepdims=True), table.shape[1] - ddof
    else:
        mean, total = average(table, 1, weights, True, keepdims=True)
        total = total[0, 0]
        spare = ddof if aweights is None else _divide(reduction.sum(_multiply(weights, counted)) * ddof, total)
        factor = total if ddof == 0 else _subtract(total, spare)
    if raw(factor) <= 0:
        warn("Degrees of freedom <= 0 for slice")
        factor = 0.0
    apart = _subtract(table, mean)
    weighted = apart if weights is None else _multiply(apart, weights)
    turned = _transpose(weighted)
    found = _matmul(apart, _conj(turned) if turned.dtype in COMPLEX else turned)
    with np.errstate(divide="ignore", invalid="ignore"):
        return squeeze(astype(_multiply(found, _divide(1.0, factor)), found.dtype, copy=False))


def _variables(name: str, x: Any, y: Any, rowvar: bool, dtype: Any) -> Any:
    """The variables as rows."""
    given = [asarray(operand(name, v)) for v in (x, y) if v is not None]
    for v in given:
        if v.ndim > 2:
            raise ValueError(f"{name}: variables have at most two dimensions, not shape {v.shape}")
    dtype = np.result_type(*[v.dtype for v in given], DEFAULT) if dtype is None else np.dtype(dtype)
    tables = []
    for k, v in enumerate(given):
        table = astype(reshape(v, (1,) * (2 - v.ndim) + v.shape), dtype, copy=False)
        turned = not rowvar and (v.ndim != 1 if k == 0 else table.shape[0] != 1)
        tables.append(_transpose(table) if turned else table)
    if len(tables) == 1 or tables[0].shape[0] == 0:
        return tables[0]
    if tables[0].shape[1] != tables[1].shape[1]:
        raise ValueError(f"{name}: {tables[0].shape[1]} observations of x, but {tables[1].shape[1]} of y")
    return concat(tables, 0)


def _observations(table: Any, fweights: Any, aweights: Any) -> tuple[Any, Any]:
    """The given aweights, and what each observation weighs in all; None if all alike."""
    n = table.shape[1]
    frequencies = None
    if fweights is not None:
        frequencies = np.asarray(constant("cov", "fweights", fweights), DEFAULT)
        if not np.all(frequencies == np.around(frequencies)):
            raise TypeError("cov: fweights must be whole numbers; see aweights")
    if aweights is not None:
        aweights = astype(asarray(operand("cov", aweights)), DEFAULT, copy=False)
    for key, given in (("fweights", frequencies), ("aweights", aweights)):
        if given is None:
            continue
        if given.shape != (n,):
            kind = RuntimeError if given.ndim > 1 or given.shape[0] != n else ValueError
            raise kind(f"cov: {key} of shape {given.shape} do not fit {n} observations")
        if (raw(given) < 0).any():
            raise ValueError(f"cov: {key} must not be negative")
    if frequencies is None or aweights is None:
        return aweights, aweights if frequencies is None else asarray(frequencies)
    return aweights, _multiply(aweights, frequencies)


@public("corrcoef", method=None)
def corrcoef(x: Any, y: Any = None, rowvar: bool = True, *, dtype: Any = None) -> Any:
    """Pearson's correlations of variables, in [-1, 1]: their covariances over their standard deviations.

    Arguments as in `cov`. nan for a variable that does not vary.

    >>> zen.f.corrcoef(zen.tensor([[0.0, 1.0, 2.0], [2.0, 1.0, 0.0]])).round(12).tolist()
    [[1.0, -1.0], [-1.0, 1.0]]
    """
    found = cov(x, y, rowvar, dtype=dtype)
    if found.ndim == 0:
        return _divide(found, found)
    variances = matrix_diagonal(found)
    deviations = _sqrt(_real(variances) if variances.dtype in COMPLEX else variances)
    found = _divide(_divide(found, deviations[:, None]), deviations[None, :])
    if found.dtype not in COMPLEX:
        return _clip(found, -1, 1)
    parts = [_clip(part, -1, 1) for part in (found.real, found.imag)]
    return astype(_add(parts[0], _multiply(parts[1], 1j)), found.dtype, copy=False)
