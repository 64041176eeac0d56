"""The line search of L-BFGS: a step length that meets the strong Wolfe conditions."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np


class Point(NamedTuple):
    """The objective at step length t: value, gradient, derivative along the direction, the gradient's largest size."""

    t: float
    f: float
    g: np.ndarray
    slope: float
    largest: float = math.nan


def strong_wolfe(
    evaluate: Callable[[float], Point],
    t: float,
    start: Point,
    size: float,
    *,
    change: float,
    limit: int,
    c1: float = 1e-4,
    c2: float = 0.9,
) -> tuple[Point, int]:
    """A point with f <= f(0) + c1 t f'(0) and |f'| <= c2 |f'(0)|, and the number of evaluations.

    Begins at t, extends until the point is bracketed, then narrows the bracket by cubic interpolation; after `limit`
    trials, or when the bracket times `size` (the direction's largest element) is below `change`, the best point so far.
    Values that are not finite count as too high.

    Source: Nocedal, Wright, "Numerical Optimization" (2006), algorithms 3.5 and 3.6, with the safeguards of Schmidt's
    minFunc (2005).
    """

    def too_high(p: Point) -> bool:
        return not p.f <= start.f + c1 * p.t * start.slope

    def flat(p: Point) -> bool:
        return abs(p.slope) <= -c2 * start.slope

    previous, new, trials = start, evaluate(t), 0
    while trials < limit:
        if too_high(new) or (trials > 1 and not new.f < previous.f):
            break
        if flat(new):
            return new, trials + 1
        if new.slope >= 0:
            break
        t = cubic_minimum(previous, new, new.t + 0.01 * (new.t - previous.t), 10 * new.t)
        previous, new, trials = new, evaluate(t), trials + 1
    else:
        previous = start
    low, high = (new, previous) if new.f < previous.f else (previous, new)
    stuck = False
    while trials < limit and abs(high.t - low.t) * size >= change:
        t, stuck = _inside(low, high, stuck)
        new, trials = evaluate(t), trials + 1
        if too_high(new) or not new.f < low.f:
            low, high = (new, low) if new.f < low.f else (low, new)
        elif flat(new):
            return new, trials + 1
        else:
            high = low if new.slope * (high.t - low.t) >= 0 else high
            low = new
    return low, trials + 1


def _inside(low: Point, high: Point, stuck: bool) -> tuple[float, bool]:
    """The next trial between two points, and whether it came so close to an end that the next must keep away."""
    left, right = sorted((low.t, high.t))
    t = cubic_minimum(low, high, left, right)
    margin = 0.1 * (right - left)
    if min(right - t, t - left) >= margin:
        return t, False
    if not stuck and left < t < right:
        return t, True
    return (right - margin if right - t < t - left else left + margin), False


def cubic_minimum(p: Point, q: Point, lowest: float, highest: float) -> float:
    """Where the cubic through two points with their slopes is least, within bounds; their middle if it has no minimum.

    Source: Nocedal, Wright (2006), equation 3.59.
    """
    a, b = (p, q) if p.t <= q.t else (q, p)
    if a.t < b.t:
        s = a.slope + b.slope - 3 * (a.f - b.f) / (a.t - b.t)
        square = s * s - a.slope * b.slope
        if square >= 0:
            root = math.sqrt(square)
            divisor = b.slope - a.slope + 2 * root
            t = b.t - (b.t - a.t) * ((b.slope + root - s) / divisor) if divisor else math.nan
            if math.isfinite(t):
                return min(max(t, lowest), highest)
    return (lowest + highest) / 2
