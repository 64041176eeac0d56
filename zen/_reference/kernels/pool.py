"""Pooling of images in NumPy, over windows given as (first, end) pairs along each axis."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
Pair = tuple[int, int]


def max_pool2d(x: Array, down: Any, right: Any, dilation: Pair, with_index: bool) -> tuple[Array, Array | None]:
    """(largest values of the windows, their positions in the image or None), for x (n, c, h, w)."""
    shape = (*x.shape[:2], len(down), len(right))
    values, index = np.empty(shape, x.dtype), np.empty(shape, np.intp)
    positions = np.arange(x.shape[2] * x.shape[3]).reshape(x.shape[2:])
    for i, j, rows, columns in _windows(down, right, dilation):
        seen = positions[rows, columns].reshape(-1)
        window = x[:, :, rows, columns].reshape(*x.shape[:2], len(seen))
        first = np.argmax(window, axis=-1)
        index[:, :, i, j] = seen[first]
        values[:, :, i, j] = np.take_along_axis(window, first[..., None], -1)[..., 0]
    return values, index if with_index else None


def pool_gather(x: Array, index: Any) -> Array:
    """The elements of each image of x (n, c, h, w) at flat positions (n, c, oh, ow)."""
    flat = x.reshape(*x.shape[:2], x.shape[2] * x.shape[3])
    at = index.reshape(*index.shape[:2], index.shape[2] * index.shape[3])
    return np.take_along_axis(flat, at, -1).reshape(index.shape)


def pool_scatter(g: Array, index: Any, size: Pair) -> Array:
    """The transpose of `pool_gather`: images of height and width `size` with g added at the positions."""
    planes, length = g.shape[0] * g.shape[1], size[0] * size[1]
    out = np.zeros((planes, length), g.dtype)
    count = g.shape[2] * g.shape[3]
    np.add.at(out, (np.arange(planes)[:, None], index.reshape(planes, count)), g.reshape(planes, count))
    return out.reshape(*g.shape[:2], *size)


def avg_pool2d(x: Array, down: Any, right: Any, tall: Any, wide: Any) -> Array:
    """Sums over the windows of x (n, c, h, w), times a factor for the row of windows and one for the column."""
    out = np.empty((*x.shape[:2], len(down), len(right)), x.dtype)
    for i, j, rows, columns in _windows(down, right, (1, 1)):
        out[:, :, i, j] = x[:, :, rows, columns].sum(axis=(2, 3))
    return (out * np.outer(tall, wide)).astype(x.dtype)


def avg_pool2d_input(g: Array, size: Pair, down: Any, right: Any, tall: Any, wide: Any) -> Array:
    """The transpose of `avg_pool2d` for images of height and width `size`, applied to g (n, c, oh, ow)."""
    out = np.zeros((*g.shape[:2], *size), g.dtype)
    parts = (g * np.outer(tall, wide)).astype(g.dtype)
    for i, j, rows, columns in _windows(down, right, (1, 1)):
        out[:, :, rows, columns] += parts[:, :, i, j, None, None]
    return out


def _windows(down: Any, right: Any, dilation: Pair) -> Iterator[tuple[int, int, slice, slice]]:
    for i, (top, bottom) in enumerate(down):
        for j, (left, end) in enumerate(right):
            yield i, j, slice(top, bottom, dilation[0]), slice(left, end, dilation[1])
