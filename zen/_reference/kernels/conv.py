"""Convolution and its two derivatives, in NumPy: one sum over the positions of the kernel."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
Pair = tuple[int, int]


def conv2d(x: Array, w: Array, bias: Array | None, stride: Pair, padding: Pair, dilation: Pair, groups: int) -> Array:
    """Cross-correlation of images (n, c, h, w) with kernels (o, c / groups, kh, kw), plus bias (o,) or None."""
    size = _output_size(x.shape[2:], w.shape[2:], stride, padding, dilation)
    out = np.zeros((len(x), groups, len(w) // groups, size[0] * size[1]), x.dtype)
    grouped = _grouped_weight(w, groups)
    for tap, seen in _taps(_grouped(_padded(x, padding), groups), w.shape[2:], size, stride, dilation):
        out += grouped[(..., *tap)] @ _flat(seen)
    out = out.reshape(len(x), len(w), *size)
    return out if bias is None else out + bias[:, None, None]


def conv2d_input(g: Array, w: Array, size: Pair, stride: Pair, padding: Pair, dilation: Pair, groups: int) -> Array:
    """The transpose of `conv2d` in its input, of height and width `size`, applied to g (n, o, oh, ow)."""
    (top, left), (h, width) = padding, size
    out = np.zeros((len(g), groups, w.shape[1], h + 2 * top, width + 2 * left), g.dtype)
    grouped, cotangent = _grouped_weight(w, groups), _flat(_grouped(g, groups))
    for tap, seen in _taps(out, w.shape[2:], g.shape[2:], stride, dilation):
        seen += (grouped[(..., *tap)].swapaxes(-1, -2) @ cotangent).reshape(seen.shape)
    inner = out[..., top : top + h, left : left + width]
    return np.ascontiguousarray(inner).reshape(len(g), groups * w.shape[1], h, width)


def conv2d_weight(x: Array, g: Array, kernel: Pair, stride: Pair, padding: Pair, dilation: Pair, groups: int) -> Array:
    """The transpose of `conv2d` in its weight, of kernel height and width `kernel`, for input x, applied to g."""
    out = np.zeros((groups, g.shape[1] // groups, x.shape[1] // groups, *kernel), x.dtype)
    cotangent = _flat(_grouped(g, groups))
    for tap, seen in _taps(_grouped(_padded(x, padding), groups), kernel, g.shape[2:], stride, dilation):
        out[(..., *tap)] = (cotangent @ _flat(seen).swapaxes(-1, -2)).sum(axis=0)
    return out.reshape(g.shape[1], x.shape[1] // groups, *kernel)


def convolved(row: Any, inputs: tuple[Any, ...], params: tuple[Any, ...]) -> None:
    """None: the caller brings everything to the form in which it applies the row."""


def _taps(x: Array, kernel: Any, size: Any, stride: Pair, dilation: Pair) -> Iterator[tuple[Pair, Array]]:
    """Each position of the kernel, with a view of what all output positions see of x through it."""
    for tap in np.ndindex(*kernel):
        first = [t * d for t, d in zip(tap, dilation, strict=True)]
        ends = [a + n * s for a, n, s in zip(first, size, stride, strict=True)]
        rows, columns = [slice(a, max(b - s + 1, a), s) for a, b, s in zip(first, ends, stride, strict=True)]
        yield (tap[0], tap[1]), x[..., rows, columns]


def _grouped(x: Array, groups: int) -> Array:
    return x.reshape(len(x), groups, x.shape[1] // groups, *x.shape[2:])


def _grouped_weight(w: Array, groups: int) -> Array:
    return w.reshape(groups, len(w) // groups, *w.shape[1:])


def _flat(x: Array) -> Array:
    """Height and width as one axis."""
    return x.reshape(*x.shape[:-2], x.shape[-2] * x.shape[-1])


def _padded(x: Array, padding: Pair) -> Array:
    return np.pad(x, [(0, 0), (0, 0), *[(p, p) for p in padding]])


def _output_size(size: Any, kernel: Any, stride: Pair, padding: Pair, dilation: Pair) -> tuple[int, ...]:
    sizes = zip(size, kernel, stride, padding, dilation, strict=True)
    return tuple([max((n + 2 * p - d * (k - 1) - 1) // s + 1, 0) for n, k, s, p, d in sizes])
