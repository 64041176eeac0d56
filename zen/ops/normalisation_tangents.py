"""Tangents of normalisation, by the kernels of its value and gradient. Used by `normalisation.py`.

The derivative of the normalised x by x is symmetric: the kernel of the gradient takes the tangent in the place of the
cotangent, and the weight comes behind. The tangents of weight and bias stand in the place of these in the kernel of the
value. Tangents come in the order of the arguments, None for one that does not move.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..backend import kernels

Arrays = tuple[Any, ...]


def rows(t: Arrays, arrays: Arrays, statistics: Arrays, eps: float, centred: bool) -> Any:
    """Of runs of n elements. statistics: n, their means, and one over their roots."""
    x, weight = arrays[:2]
    dx, dw, db = (*t, None)[:3]
    n, mean, rstd = statistics
    total = None
    if dx is not None:
        total = kernels.norm.norm_rows_backward(dx, x, n, None, centred, mean, rstd, (True, False, False))[0]
        if weight is not None:
            total *= weight
    if dw is not None:
        part = kernels.norm.norm_rows(x, n, dw, db, eps, centred)[0]
        return part if total is None else np.add(total, part, out=part)
    return total if db is None else np.broadcast_to(db, x.shape) if total is None else total + db


def channels(t: Arrays, x: Any, weight: Any, layout: Arrays, statistics: Arrays, eps: float, given: bool) -> Any:
    """Of channels; and, for the statistics' own tangents, the sums of that of x and of its products with the result.

    layout: batch, channels, the period of the weights, and the channels with common statistics.
    """
    dx, dw, db = t
    batch, channels, period, pool = layout
    size, (mean, var) = math.prod(x.shape[2:]), statistics
    total = sums = None
    if dx is not None:
        total, *sums = kernels.norm.norm_channels_backward(
            dx, x, batch, channels, size, period, pool, weight if pool == 1 else None, eps, mean, var, given, True
        )
        if weight is not None and pool > 1:  # a weight that all of a group has passes the kernel as it is
            total *= _spread(weight, x)
    if dw is not None:
        part = kernels.norm.norm_channels(x, batch, channels, size, period, pool, dw, db, eps, mean, var)[0]
        return part if total is None else np.add(total, part, out=part), sums
    if db is None:
        return total, sums
    return np.broadcast_to(_spread(db, x), x.shape) if total is None else total + _spread(db, x), sums


def _spread(v: Any, x: Any) -> Any:
    return v.reshape(v.shape[0], *[1] * (x.ndim - 2))
