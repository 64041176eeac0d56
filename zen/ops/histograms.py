"""Histograms and counts, under NumPy's names.

How many elements fall into a bin does not change with the elements, so they have no derivative in it; weights have one,
and so have the edges of bins that span the elements, and densities through them.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..backend import Tensor, apply
from ..dtypes import DEFAULT, FLOATING
from . import reduction
from .casting import astype
from .data import asarray
from .errors import asked
from .indexing import SCATTER
from .joining import stack
from .operands import constant, operand, raw, whole
from .register import FUNCTIONS, public
from .shape import ravel, reshape

_divide = FUNCTIONS["divide"]


def _moves(x: Any) -> bool:
    return isinstance(x, Tensor) and x.requires_grad


def _number_or_edges(name: str, bins: Any) -> Any:
    return constant(name, "bins", bins) if isinstance(bins, Tensor) and bins.ndim == 0 else bins


def _counted(x: Any, counts: np.ndarray) -> Any:
    """Counts that do not change with x: floating ones have a gradient of zero."""
    return apply(reduction.CONSTANT, (x,), (counts,)) if _moves(x) and counts.dtype in FLOATING else asarray(counts)


def _edges(name: str, x: Any, bins: Any, range: Any) -> Any:
    """The edges of the bins, which follow the smallest and the largest element where nothing else places them."""
    if isinstance(bins, Tensor) and bins.ndim:
        asked(name, np.histogram_bin_edges, raw(x), raw(bins), range)
        return bins
    values = asked(name, np.histogram_bin_edges, raw(x), raw(bins), range)
    if not _moves(x) or range is not None or np.ndim(bins) or x.size == 0:
        return asarray(values)
    part = np.linspace(0.0, 1.0, len(values))
    span = reduction.min(x) * (1 - part) + reduction.max(x) * part
    return astype(values + (span - span.detach()), values.dtype, copy=False)


def _places(x: np.ndarray, edges: np.ndarray, equal: bool) -> tuple[np.ndarray, np.ndarray]:
    """Which elements lie within the edges, and in which bin each of them lies; the last holds both of its edges."""
    inside = (x >= edges[0]) & (x <= edges[-1])
    x = x[inside].astype(edges.dtype, copy=False) if equal else x[inside]
    return inside, np.where(x == edges[-1], len(edges) - 2, np.searchsorted(edges, x, "right") - 1)


@public("histogram_bin_edges", method=None)
def histogram_bin_edges(x: Any, bins: Any = 10, range: Any = None, weights: Any = None) -> Any:
    """The edges of the bins that `histogram` takes, with its arguments and errors.

    >>> zen.f.histogram_bin_edges(zen.tensor([0.0, 1.0, 4.0]), 4).tolist()
    [0.0, 1.0, 2.0, 3.0, 4.0]
    """
    x, bins = ravel(asarray(operand("histogram_bin_edges", x))), _number_or_edges("histogram_bin_edges", bins)
    if weights is not None:
        asked("histogram_bin_edges", np.histogram_bin_edges, raw(x), raw(bins), range, raw(ravel(asarray(weights))))
    return _edges("histogram_bin_edges", x, bins, range)


@public("histogram", method=None)
def histogram(
    x: Any, bins: Any = 10, range: Any = None, density: bool | None = None, weights: Any = None
) -> tuple[Any, Any]:
    """How many elements of x, or what weights of theirs in all, fall into each bin; and the edges of the bins.

    x: Tensor or array. bins: a number of equal bins, their edges, or the name of one of NumPy's rules. range: the
    lowest and the highest edge; else the smallest and the largest element. density: divide by the widths of the bins
    and the sum of all. weights: one for each element, with a derivative. Elements beyond the edges count nowhere.
    Raises ValueError for edges that fall, nan among elements without a range, and weights of another shape.

    >>> [part.tolist() for part in zen.f.histogram(zen.tensor([0.0, 1.0, 4.0]), 2)]
    [[2, 1], [0.0, 2.0, 4.0]]
    """
    x, bins = asarray(operand("histogram", x)), _number_or_edges("histogram", bins)
    if weights is not None:
        weights = asarray(operand("histogram", weights))
        if weights.shape != x.shape:
            raise ValueError(
                f"histogram: weights of shape {weights.shape} for shape {x.shape}; give one for each element"
            )
        if isinstance(bins, str):
            raise TypeError(
                "histogram: the rules that choose bins take no weights; give a number of bins or their edges"
            )
        weights = ravel(weights)
    x = ravel(x)
    edges = _edges("histogram", x, bins, range)
    if _moves(weights):
        inside, places = _places(raw(x), raw(edges), np.ndim(raw(bins)) == 0)
        shape = (len(edges) - 1,)
        counts = apply(SCATTER, (weights[inside],), (shape, (places,)))
    else:
        given = None if weights is None else raw(weights)
        counts = _counted(x, asked("histogram", np.histogram, raw(x), raw(bins), range, False, given)[0])
    if not density:
        return counts, edges
    widths = astype(edges[1:] - edges[:-1], DEFAULT, copy=False)
    return _divide(_divide(counts, widths), reduction.sum(counts)), edges


@public("histogramdd", method=None)
def histogramdd(
    sample: Any, bins: Any = 10, range: Any = None, density: bool | None = None, weights: Any = None
) -> tuple[Any, Any]:
    """How many points fall into each cell of a grid, or what weights of theirs in all; and the edges along each axis.

    sample: a Tensor or array of shape (points, axes), or a sequence of the coordinates along each axis. bins: a number
    for all axes, or for each axis a number or the edges. range: for each axis the lowest and the highest edge, or None.
    density, weights and errors as in `histogram`.

    >>> zen.f.histogramdd(zen.tensor([[0.0, 0.0], [1.0, 2.0], [1.0, 0.5]]), 2)[0].tolist()
    [[1.0, 0.0], [1.0, 1.0]]
    """
    return _grid("histogramdd", sample, bins, range, density, weights)


def _grid(name: str, sample: Any, bins: Any, range: Any, density: Any, weights: Any) -> tuple[Any, Any]:
    points, bins = _points(name, sample), _number_or_edges(name, bins)
    values, axes = raw(points), points.shape[1]
    several = hasattr(bins, "__len__")
    plain_bins = [raw(asarray(b)) if isinstance(b, (Tensor, list)) else b for b in bins] if several else bins
    if weights is not None:
        weights = asarray(operand(name, weights))
    given = None if weights is None else raw(weights)
    counts, found = asked(name, np.histogramdd, values, plain_bins, range, False, given)
    edges = []
    for k, fixed in enumerate(found):
        own = bins[k] if several else bins
        free = range is None or range[k] is None
        if isinstance(own, Tensor) and own.ndim:
            edges.append(own)
        elif np.ndim(raw(own)) == 0 and free and _moves(points):
            edges.append(_edges(name, points[:, k], raw(own), None))
        else:
            edges.append(asarray(fixed))
    if _moves(weights):
        counts = _scattered(values, found, weights)
    made = counts if _moves(counts) else _counted(points, counts)
    if not density:
        return made, edges
    total = reduction.sum(made)
    for k, e in enumerate(edges):
        widths = reshape(e[1:] - e[:-1], tuple([-1 if j == k else 1 for j in np.arange(axes)]))
        made = _divide(made, widths)
    return _divide(made, total), edges


def _points(name: str, sample: Any) -> Any:
    if isinstance(sample, (Tensor, np.ndarray)):
        points = asarray(operand(name, sample))
        if points.ndim == 2:
            return points
        return reshape(points, (1, -1)).T
    return stack([asarray(operand(name, x)) for x in sample], 1)


def _scattered(values: np.ndarray, edges: Any, weights: Any) -> Any:
    """The weights added up in the cells."""
    keep, places = np.ones(len(values), bool), []
    for k, e in enumerate(edges):
        x = values[:, k]
        place = np.searchsorted(e, x, side="right") - 1
        place[x == e[-1]] -= 1
        keep &= (place >= 0) & (place < len(e) - 1)
        places.append(place)
    shape = tuple([len(e) - 1 for e in edges])
    weights = astype(weights, DEFAULT, copy=False)
    return apply(SCATTER, (weights[keep],), (shape, tuple([place[keep] for place in places])))


@public("histogram2d", method=None)
def histogram2d(
    x: Any, y: Any, bins: Any = 10, range: Any = None, density: bool | None = None, weights: Any = None
) -> tuple[Any, Any, Any]:
    """`histogramdd` of points in the plane: the counts, and the edges along x and y.

    x, y: the coordinates, one-dimensional. bins: a number or the edges for both axes, or a pair of those.

    >>> zen.f.histogram2d([0.0, 1.0, 1.0], [0.0, 2.0, 0.5], 2)[0].tolist()
    [[1.0, 0.0], [1.0, 1.0]]
    """
    x, y = (asarray(operand("histogram2d", v)) for v in (x, y))
    if len(x) != len(y):
        raise ValueError(f"histogram2d: {len(x)} coordinates along x, but {len(y)} along y")
    bins = _number_or_edges("histogram2d", bins)
    if hasattr(bins, "__len__") and len(bins) not in (1, 2):
        bins = [bins, bins]
    counts, edges = _grid("histogram2d", [x, y], bins, range, density, weights)
    return counts, edges[0], edges[1]


@public("bincount", method=None)
def bincount(x: Any, weights: Any = None, minlength: int = 0) -> Any:
    """How often each of 0, 1, 2, ... occurs among ints, or what weights it has in all, in float64.

    x: one-dimensional, not negative. weights: one for each element, with a derivative. minlength: the least length of
    the result. Raises ValueError for negative elements and weights of another shape, TypeError for what is no int.

    >>> zen.f.bincount([0, 2, 2], zen.tensor([0.5, 1.0, 2.0])).tolist()
    [0.5, 0.0, 3.0]
    """
    numbers, minlength = raw(asarray(operand("bincount", x))), whole("bincount", "minlength", minlength)
    if not _moves(weights):
        given = None if weights is None else raw(asarray(operand("bincount", weights)))
        return asarray(asked("bincount", np.bincount, numbers, given, minlength))
    counts = asked("bincount", np.bincount, numbers, raw(weights), minlength)
    return apply(SCATTER, (astype(weights, DEFAULT, copy=False),), (counts.shape, (numbers.astype(np.intp),)))
