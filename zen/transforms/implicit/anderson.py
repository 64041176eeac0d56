"""Anderson's mixing for fixed points, in plain NumPy. Called by `solutions.py`.

Walker and Ni, Anderson acceleration for fixed-point iterations, SIAM J. Numer. Anal. 49 (2011), algorithm AA.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .newton import Found, largest


def anderson(residual: Callable[[np.ndarray], np.ndarray], x: np.ndarray, tol: float, steps: int, depth: int) -> Found:
    """A zero of `residual`, f(x) - x, mixing the last `depth` iterates; 0 for x = f(x) alone."""
    points: list[np.ndarray] = []
    values: list[np.ndarray] = []
    least, norm = float("inf"), float("inf")
    for k in range(steps):
        value = residual(x)
        norm = largest(value)
        if norm <= tol * max(1.0, largest(x)):
            return Found(x, norm, k, True)
        if not np.isfinite(norm):
            return Found(x, norm, k, False, "the iteration left where the function is finite")
        if norm > 1e3 * least:  # mixing went astray: what is remembered is of no use here
            points, values = [], []
        least = min(least, norm)
        points, values = [*points, x][-depth - 1 :], [*values, value][-depth - 1 :]
        x = x + value
        if len(points) > 1 and depth:
            slopes = np.stack([values[j + 1] - values[j] for j in range(len(values) - 1)], 1)
            moves = np.stack([points[j + 1] - points[j] for j in range(len(points) - 1)], 1)
            weights = np.linalg.lstsq(slopes, value, rcond=None)[0]
            x = x - (moves + slopes) @ weights
    return Found(x, norm, steps, False, "the iteration does not contract fast enough, or not at all")
