"""Running sums, products of the others, elements by position: along one axis, in plain NumPy."""

from __future__ import annotations

import numpy as np


def running_sum(x: np.ndarray, axis: int, back: bool) -> np.ndarray:
    """Sums along `axis` of all elements up to each one, itself included; with `back` of all from it on."""
    if not back:
        return np.add.accumulate(x, axis=axis)
    return np.ascontiguousarray(np.flip(np.add.accumulate(np.flip(x, axis), axis=axis), axis))


def recurrence(a: np.ndarray, b: np.ndarray, axis: int, back: bool) -> np.ndarray:
    """y[k] = a[k] y[k - 1] + b[k] along `axis`, y[0] being b[0]; with `back` y[k] = a[k + 1] y[k + 1] + b[k]."""
    out = np.array(b, order="C")
    y, factors = np.moveaxis(out, axis, 0), np.moveaxis(a, axis, 0)
    if back:
        for k in range(len(y) - 2, -1, -1):
            y[k] += factors[k + 1] * y[k + 1]
    else:
        for k in range(1, len(y)):
            y[k] += factors[k] * y[k - 1]
    return out


def prod_others(x: np.ndarray, axis: int) -> np.ndarray:
    """For each element the product of the others along `axis`: running products from both ends."""
    before, after = np.ones(x.shape, x.dtype), np.ones(x.shape, x.dtype)
    x, left, right = np.moveaxis(x, axis, -1), np.moveaxis(before, axis, -1), np.moveaxis(after, axis, -1)
    np.multiply.accumulate(x[..., :-1], axis=-1, out=left[..., 1:])
    np.multiply.accumulate(x[..., :0:-1], axis=-1, out=right[..., -2::-1])
    return np.multiply(before, after, out=before)


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
