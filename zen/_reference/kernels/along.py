"""Running sums and products of the others along one axis, in plain NumPy."""

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


def product_tangent(x: np.ndarray, t: np.ndarray, axis: int) -> np.ndarray:
    """The tangent of the products of x along `axis`, where t is that of x."""
    return np.asarray((prod_others(x, axis) * t).sum(axis))
