"""Tangents of normalisation. Used by `normalisation.py`.

Tangents come in the order of the arguments, None for one that does not move. Where x does not, those of weight and bias
stand in the place of these in the kernel of the value.
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
    if dx is not None:
        return kernels.norm.norm_rows_tangent(dx, x, n, weight, dw, db, centred, mean, rstd)
    return kernels.norm.norm_rows(x, n, dw, db, eps, centred)[0] if dw is not None else np.broadcast_to(db, x.shape)


def channels(t: Arrays, x: Any, weight: Any, layout: Arrays, statistics: Arrays, eps: float, given: bool) -> Any:
    """Of channels; and, for the statistics' own tangents, the sums of that of x and of its products with the result.

    layout: batch, channels, the period of the weights, and the channels with common statistics.
    """
    dx, dw, db = t
    batch, channels, period, pool = layout
    size, (mean, var) = math.prod(x.shape[2:]), statistics
    if dx is not None:
        total, *sums = kernels.norm.norm_channels_tangent(
            dx, x, batch, channels, size, period, pool, weight, dw, db, eps, mean, var, given
        )
        return total, sums
    if dw is None:
        return np.broadcast_to(db.reshape(db.shape[0], *[1] * (x.ndim - 2)), x.shape), None
    return kernels.norm.norm_channels(x, batch, channels, size, period, pool, dw, db, eps, mean, var)[0], None
