"""Medians, percentiles and quantiles, of all elements or of what is not nan, under NumPy's names.

A quantile is made of the one or two order statistics beside it, so it is differentiable where no two elements change
places: those two share its gradient. Methods as in Hyndman and Fan, Sample quantiles in statistical packages, 1996.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Never

import numpy as np

from ..backend import Tensor, apply
from ..dtypes import BOOLEAN, COMPLEX, DEFAULT, FLOATING, INEXACT, INTEGER
from .arguments import refuse
from .axes import kept_shape, reduced_axes
from .casting import astype
from .data import asarray
from .nan_functions import nanmean, warn
from .operands import constant, operand, raw
from .reduction import MEAN
from .register import FUNCTIONS, public
from .selection import TAKE_ALONG, Places
from .shape import permute_dims, reshape

if TYPE_CHECKING:
    from ..typing import Axes

_add, _subtract, _multiply = [FUNCTIONS[name] for name in ("add", "subtract", "multiply")]


def _gathered(name: str, x: Any, axis: Axes) -> tuple[Any, tuple[int, ...], tuple[int, ...]]:
    """x with the axes that are reduced joined into the last; the shapes of the result without them and with ones."""
    axes = reduced_axes(name, axis, x.shape)
    shape = x.shape
    if axes is None:
        return reshape(x, (math.prod(shape),)), (), kept_shape(shape, None)
    rest = [k for k in range(len(shape)) if k not in axes]
    left = tuple([shape[k] for k in rest])
    if (*rest, *axes) != tuple(range(len(shape))):
        x = permute_dims(x, (*rest, *sorted(axes)))
    return reshape(x, (*left, math.prod([shape[k] for k in axes]))), left, kept_shape(shape, axes)


def _taken(x: Any, places: np.ndarray) -> Any:
    """The elements of x at places along the last axis."""
    return apply(TAKE_ALONG, (x,), (Places(np.ascontiguousarray(places, np.int64)), x.ndim - 1))


def _nans(values: np.ndarray) -> np.ndarray | None:
    """In which lines there is a nan; None if in none, or if there can be none."""
    if values.dtype not in INEXACT:
        return None
    found: np.ndarray = np.isnan(values).any(-1)
    return found if found.any() else None


# --- medians


@public("median", method=None)
def median(x: Any, axis: Axes = None, *, keepdims: bool = False, **unknown: Never) -> Any:
    """The median over `axis`: the element in the middle, or the mean of the two there. nan if there is one.

    x: Tensor or array; integers give float64. axis, keepdims and errors as in `sum`. No elements give nan, with a
    RuntimeWarning. The elements in the middle share the gradient equally.

    >>> zen.f.median(zen.tensor([5.0, 1.0, 2.0])).tolist(), zen.f.median(zen.tensor([4.0, 1.0, 2.0, 7.0])).tolist()
    (2.0, 3.0)
    """
    if unknown:
        refuse(median, unknown)
    x, left, kept = _gathered("median", asarray(operand("median", x)), axis)
    values, n = raw(x), x.shape[-1]
    if n == 0:
        warn("Mean of empty slice.")
        return apply(MEAN, (x,), ((x.ndim - 1,), False)) if not keepdims else reshape(_means(x), kept)
    middle = sorted({(n - 1) // 2, n // 2})
    order = np.argpartition(values, sorted({*middle, n - 1}), axis=-1)
    places, bad = order[..., middle], _nans(values)
    if bad is not None:
        places = np.where(bad[..., None], order[..., -1:], places)
    made = _means(_taken(x, places))
    return reshape(made, kept) if keepdims else made


def _means(x: Any) -> Any:
    return apply(MEAN, (x,), ((x.ndim - 1,), False))


@public("nanmedian", method=None)
def nanmedian(x: Any, axis: Axes = None, *, keepdims: bool = False, **unknown: Never) -> Any:
    """The median over `axis` of what is not nan. Where nothing is left: nan, with a RuntimeWarning.

    Arguments and gradient as in `median`.

    >>> zen.f.nanmedian(zen.tensor([5.0, zen.nan, 2.0])).tolist()
    3.5
    """
    if unknown:
        refuse(nanmedian, unknown)
    x = asarray(operand("nanmedian", x))
    if x.size == 0:
        return nanmean(x, axis, keepdims=keepdims)
    if x.dtype not in INEXACT:
        return median(x, axis, keepdims=keepdims)
    x, left, kept = _gathered("nanmedian", x, axis)
    order, number = _ordered("nanmedian", raw(x))
    half = [_taken(x, np.take_along_axis(order, k[..., None], -1)) * 0.5 for k in ((number - 1) // 2, number // 2)]
    made = _add(*half)
    return reshape(made, kept if keepdims else left)


def _ordered(name: str, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The order of each line, nans last, and how many are none; all nans count, and give a warning."""
    number = np.asarray(np.sum(~np.isnan(values), -1)) if values.dtype in INEXACT else np.full(
        values.shape[:-1], values.shape[-1])  # fmt: skip
    empty = number == 0
    if empty.any():
        warn("All-NaN slice encountered")
        number = np.where(empty, values.shape[-1], number)
    return np.argsort(values, -1, kind="stable"), number


# --- quantiles


def _between(alpha: float, beta: float) -> Callable[[Any, Any], Any]:
    return lambda n, q: n * q + (alpha + q * (1 - alpha - beta)) - 1


_POSITIONS: dict[str, Callable[[Any, Any], Any]] = {
    "averaged_inverted_cdf": lambda n, q: n * q - 1,
    "interpolated_inverted_cdf": _between(0, 1), "hazen": _between(0.5, 0.5), "weibull": _between(0, 0),
    "linear": lambda n, q: (n - 1) * q, "median_unbiased": _between(1 / 3.0, 1 / 3.0),
    "normal_unbiased": _between(3 / 8.0, 3 / 8.0),
    "midpoint": lambda n, q: 0.5 * (np.floor((n - 1) * q) + np.ceil((n - 1) * q)),
}  # fmt: skip
"""Methods that mix two order statistics: the position between them, of n elements and the quantile."""
_STEPS = {"averaged_inverted_cdf": (0.5, 1.0), "midpoint": (0.0, 0.5)}
"""Those of them whose weight is one of two constants: at a whole position, and between two."""


def _step(index: Any, whole: Callable[[Any, Any], Any]) -> Any:
    before = np.floor(index)
    return np.maximum(np.where(whole(index - before, index), before, before + 1), 0).astype(np.intp)


_PLACES: dict[str, Callable[[Any, Any], Any]] = {
    "inverted_cdf": lambda n, q: _step(n * q - 1, lambda gamma, index: gamma == 0),
    "closest_observation": lambda n, q: _step(
        n * q - 1 - 0.5, lambda gamma, index: (gamma == 0) & (np.floor(index) % 2 == 1)
    ),
    "lower": lambda n, q: np.floor((n - 1) * q).astype(np.intp),
    "higher": lambda n, q: np.ceil((n - 1) * q).astype(np.intp),
    "nearest": lambda n, q: np.around((n - 1) * q).astype(np.intp),
}
"""Methods that take one order statistic: which one."""


@public("quantile", method=None)
def quantile(
    x: Any,
    q: Any,
    axis: Axes = None,
    *,
    method: str = "linear",
    keepdims: bool = False,
    weights: Any = None,
    **unknown: Never,
) -> Any:
    """The q-th quantiles over `axis`: what a fraction q of the elements does not exceed. nan if there is one.

    x: Tensor or array of real numbers. q: a number or array of numbers in [0, 1], whose axes come first in the result;
    a Tensor is differentiated, with a derivative of zero for the methods that jump. axis, keepdims: as in `sum`.
    method: "linear", "hazen", "weibull", "median_unbiased", "normal_unbiased", "interpolated_inverted_cdf",
    "averaged_inverted_cdf", "inverted_cdf", "closest_observation", "lower", "higher", "nearest" or "midpoint".
    weights: of the elements, for "inverted_cdf" alone; of x's shape, or that of its axes `axis`; no derivative. Raises
    ValueError for another method, for q outside [0, 1] and for weights that do not fit or are negative or all zero.

    >>> zen.f.quantile(zen.tensor([1.0, 2.0, 4.0]), 0.25).tolist()
    1.5
    """
    if unknown:
        refuse(quantile, unknown)
    return _quantile("quantile", x, q, axis, method, keepdims, weights)


@public("percentile", method=None)
def percentile(
    x: Any,
    q: Any,
    axis: Axes = None,
    *,
    method: str = "linear",
    keepdims: bool = False,
    weights: Any = None,
    **unknown: Never,
) -> Any:
    """The q-th percentiles over `axis`: `quantile` of q / 100, with its arguments and errors.

    >>> zen.f.percentile(zen.tensor([1.0, 2.0, 4.0]), 25).tolist()
    1.5
    """
    if unknown:
        refuse(percentile, unknown)
    return _quantile("percentile", x, q, axis, method, keepdims, weights)


@public("nanquantile", method=None)
def nanquantile(
    x: Any,
    q: Any,
    axis: Axes = None,
    *,
    method: str = "linear",
    keepdims: bool = False,
    weights: Any = None,
    **unknown: Never,
) -> Any:
    """The q-th quantiles over `axis` of what is not nan. Where nothing is left: nan, with a RuntimeWarning.

    Arguments and errors as in `quantile`.

    >>> zen.f.nanquantile(zen.tensor([1.0, zen.nan, 2.0, 4.0]), 0.25).tolist()
    1.5
    """
    if unknown:
        refuse(nanquantile, unknown)
    return _quantile("nanquantile", x, q, axis, method, keepdims, weights)


@public("nanpercentile", method=None)
def nanpercentile(
    x: Any,
    q: Any,
    axis: Axes = None,
    *,
    method: str = "linear",
    keepdims: bool = False,
    weights: Any = None,
    **unknown: Never,
) -> Any:
    """The q-th percentiles over `axis` of what is not nan: `nanquantile` of q / 100.

    >>> zen.f.nanpercentile(zen.tensor([1.0, zen.nan, 2.0, 4.0]), 25).tolist()
    1.5
    """
    if unknown:
        refuse(nanpercentile, unknown)
    return _quantile("nanpercentile", x, q, axis, method, keepdims, weights)


def _quantile(name: str, x: Any, q: Any, axis: Axes, method: str, keepdims: bool, weights: Any) -> Any:
    x, weak, skips = asarray(operand(name, x)), type(q) in (int, float), name.startswith("nan")
    if x.dtype in COMPLEX:
        raise TypeError(f"{name}: the elements must be real numbers to be in order, not {x.dtype}")
    q = _fractions(name, q)
    if method not in _POSITIONS and method not in _PLACES:
        raise ValueError(f"{name}: method {method!r} is not one of {', '.join([*_POSITIONS, *_PLACES])}")
    if skips and x.size == 0:
        return nanmean(x, axis, keepdims=keepdims)
    if weights is not None:
        weights = _weights(name, x, weights, axis, method)
    values, left, kept = _gathered(name, x, axis)
    if values.shape[-1] == 0:
        raise ValueError(f"{name}: no elements along axis {axis} of shape {x.shape}; an empty {name} has no value")
    fractions = np.atleast_1d(raw(q)).reshape(-1)
    if weights is not None:
        found = _weighted(name, values, _gathered(name, weights, axis)[0], fractions, skips)
    elif method in _PLACES or (method == "linear" and fractions.dtype in INTEGER | BOOLEAN):
        order, number, bad = _order(name, values, skips)
        n = number[..., None]
        at = _PLACES[method](n, fractions) if method in _PLACES else ((n - 1) * fractions).astype(np.intp)
        found = _taken(values, _at(order, at, bad))
    else:
        flat = reshape(q, (fractions.size,)) if isinstance(q, Tensor) and q.requires_grad else fractions
        found = _mixed(name, values, flat, method, skips, weak)
    ndim = len(left)
    if ndim:
        found = permute_dims(found, (ndim, *range(ndim)))
    return reshape(found, (*q.shape, *(kept if keepdims else left)))


def _fractions(name: str, q: Any) -> Any:
    q = operand(name, q)
    if name.endswith("percentile"):
        q = q / 100 if isinstance(q, Tensor) else np.asarray(np.true_divide(q, 100))
    if q.ndim > 2:
        raise ValueError(f"{name}: q must be a number or one-dimensional, not of shape {q.shape}")
    values = raw(q)
    if not ((values >= 0) & (values <= 1)).all():
        highest = 100 if name.endswith("percentile") else 1
        raise ValueError(f"{name}: q must lie between 0 and {highest}")
    return q


def _order(name: str, x: Any, skips: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """The order of each line, how many of its elements count, and which lines are nan in all."""
    values = raw(x)
    if skips:
        return (*_ordered(name, values), None)
    number = np.full(values.shape[:-1], values.shape[-1])
    return np.argsort(values, -1, kind="stable"), number, _nans(values)


def _at(order: np.ndarray, places: np.ndarray, bad: np.ndarray | None) -> np.ndarray:
    """Which elements stand at these places in the order; where there is a nan, the last, which is one."""
    if bad is not None:
        places = np.where(bad[..., None], order.shape[-1] - 1, places)
    shape = (*order.shape[:-1], places.shape[-1])
    found: np.ndarray = np.take_along_axis(order, np.broadcast_to(places, shape), -1)
    return found


def _mixed(name: str, x: Any, q: Any, method: str, skips: bool, weak: bool) -> Any:
    """Two neighbours in the order, mixed as NumPy does: from the nearer one on."""
    order, number, bad = _order(name, x, skips)
    fractions = raw(q)
    n = number[..., None].astype(fractions.dtype if fractions.dtype in FLOATING else DEFAULT)
    position = _POSITIONS[method](n, fractions)
    low = np.floor(position)
    last = n - 1
    before = np.clip(low, 0, last).astype(np.intp)
    after = np.where((position >= last) | (position < 0), before, before + 1)
    if method in _STEPS:
        weight: Any = np.where(position == low, *_STEPS[method]).astype(position.dtype)
    else:
        weight = position - low if q is fractions else _subtract(_POSITIONS[method](n, q), low)
    if weak:
        weight = astype(weight, x.dtype if x.dtype in FLOATING else DEFAULT, copy=False)
    upper = raw(weight) >= 0.5
    first, second = _at(order, before, bad), _at(order, after, bad)
    apart = _subtract(_taken(x, second), _taken(x, first))
    nearer = _taken(x, np.where(upper, second, first))
    return _add(nearer, _multiply(apart, _subtract(weight, upper.astype(weight.dtype))))


def _weights(name: str, x: Any, weights: Any, axis: Axes, method: str) -> np.ndarray:
    if method != "inverted_cdf":
        raise ValueError(f"{name}: weights need method='inverted_cdf', not {method!r}")
    given = np.asarray(constant(name, "weights", weights))
    if (given < 0).any():
        raise ValueError(f"{name}: weights must not be negative")
    found: np.ndarray = fitted(name, x.shape, given, axis)
    return found


def fitted(name: str, shape: tuple[int, ...], weights: Any, axis: Axes) -> Any:
    """Weights of this shape, or of its axes `axis`, with which they are made to broadcast."""
    if weights.shape == shape:
        return weights
    if axis is None:
        raise TypeError(f"{name}: weights of shape {weights.shape} for shape {shape} need an axis")
    axes = reduced_axes(name, axis, shape) or ()
    if weights.shape != tuple([shape[k] for k in axes]):
        raise ValueError(f"{name}: weights of shape {weights.shape} fit neither shape {shape} nor its axes {axes}")
    turned = FUNCTIONS["transpose"] if isinstance(weights, Tensor) else np.transpose
    spread = tuple([n if k in axes else 1 for k, n in enumerate(shape)])
    weights = turned(weights, tuple(np.argsort(axes).tolist())).reshape(spread)
    return weights if isinstance(weights, Tensor) else np.broadcast_to(weights, shape)


def _weighted(name: str, x: Any, weights: Any, q: np.ndarray, skips: bool) -> Any:
    order, number, bad = _order(name, x, skips)
    sorted_weights = np.take_along_axis(raw(weights), order, -1).astype(DEFAULT)
    if skips:
        taken = np.arange(order.shape[-1]) < number[..., None]
        sorted_weights = np.where(taken, sorted_weights, 0.0)
    cdf = np.cumsum(sorted_weights, -1)
    with np.errstate(all="ignore"):
        cdf = cdf / cdf[..., -1:]
    if np.isnan(cdf[..., -1]).any():
        raise ValueError(f"{name}: the weights hold nan or inf, or are all zero")
    cdf = cdf.astype(q.dtype if q.dtype in FLOATING else DEFAULT)
    if (cdf[..., 0] == 0).any():
        cdf[cdf == 0] = -1
    places = np.minimum(np.sum(cdf[..., None] < q, -2), number[..., None] - 1)
    return _taken(x, _at(order, places, bad))
