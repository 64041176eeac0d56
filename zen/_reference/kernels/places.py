"""Elements by their positions along one axis, in plain NumPy."""

from __future__ import annotations

import numpy as np


def positions(indices: np.ndarray, n: int) -> np.ndarray | None:
    """`indices` as new int64 from 0 to n - 1, negative ones from the end; None where one is out of range."""
    at = indices.astype(np.int64, order="C")
    at[at < 0] += n
    return at if at.size == 0 or (at.min() >= 0 and at.max() < n) else None


def take_along(x: np.ndarray, at: np.ndarray, axis: int) -> np.ndarray:
    """For each position in `at`, the element of x there along `axis`."""
    return np.ascontiguousarray(np.take_along_axis(x, at, axis))


def add_along(g: np.ndarray, at: np.ndarray, n: int, axis: int) -> np.ndarray:
    """Zeros of length n along `axis` with each element of g added at its position: the transpose of `take_along`."""
    shape = (*g.shape[:axis], n, *g.shape[axis + 1 :])
    key = [np.arange(m).reshape((1,) * k + (m,) + (1,) * (g.ndim - k - 1)) for k, m in enumerate(g.shape)]
    key[axis] = at
    out = np.zeros(shape)  # float32 loses what is added to a long sum
    np.add.at(out, tuple(key), g)
    return out.astype(g.dtype)


def order(x: np.ndarray, axis: int, descending: bool) -> np.ndarray:
    """The positions that sort x along `axis`; equal elements keep their order, and nan counts as the largest."""
    if not descending:
        return np.argsort(x, axis=axis, kind="stable")
    return np.flip(x.shape[axis] - 1 - np.argsort(np.flip(x, axis), axis=axis, kind="stable"), axis)
