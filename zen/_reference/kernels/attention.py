"""Scaled dot-product attention of every head of a batch. `zen/_core/_attention.pyx` has the same, compiled.

Arrays have four axes (batch, heads, rows, columns). Results are written to arrays that the caller makes.
"""

from __future__ import annotations

from typing import Any

import numpy as np


def _shared(x: Any, q: Any) -> Any:
    """Keys or values, as often as a group of queries shares them."""
    return x if x.shape[1] == q.shape[1] else np.repeat(x, q.shape[1] // x.shape[1], 1)


def _write(to: Any, g: Any) -> None:
    """The gradient of keys or values: those of a group added up."""
    batch, heads, rows, depth = to.shape
    to[...] = g if g.shape[1] == heads else g.reshape(batch, heads, -1, rows, depth).sum(2)


def _dropped(a: Any, keep: Any, factor: float) -> Any:
    return a if keep is None else a * keep * a.dtype.type(factor)


def attention_forward(
    q: Any, k: Any, v: Any, mask: Any, keep: Any, scale: float, factor: float, causal: bool, out: Any, kept: bool
) -> Any:
    """Writes the result to `out`; returns the weights (batch, heads, rows, keys) if they are to be kept, else None."""
    a = np.matmul(q, _shared(k, q).swapaxes(2, 3))
    a *= a.dtype.type(scale)
    if mask is not None:
        if mask.dtype == bool:
            a[~mask] = -np.inf
        else:
            a += mask
    if causal:
        a[..., np.tri(*a.shape[2:]) == 0] = -np.inf
    largest = a.max(-1, keepdims=True)
    with np.errstate(all="ignore"):
        a -= largest
        np.exp(a, out=a)
        a /= a.sum(-1, keepdims=True)
    a[np.broadcast_to(largest == -np.inf, a.shape)] = 0
    np.matmul(_dropped(a, keep, factor), _shared(v, q), out=out)
    return a if kept else None


def attention_backward(
    g: Any, q: Any, k: Any, v: Any, weights: Any, keep: Any, scale: float, factor: float, dq: Any, dk: Any, dv: Any,
    ds: Any,
) -> None:  # fmt: skip
    """Writes the gradients to dq, dk, dv and ds (of the scores, mask included), where these are not None."""
    if dv is not None:
        _write(dv, np.matmul(_dropped(weights, keep, factor).swapaxes(2, 3), g))
    d = _dropped(np.matmul(g, _shared(v, q).swapaxes(2, 3)), keep, factor)
    d = weights * (d - (weights * d).sum(-1, keepdims=True))
    if ds is not None:
        ds[...] = d
    d *= d.dtype.type(scale)
    if dq is not None:
        np.matmul(d, _shared(k, q), out=dq)
    if dk is not None:
        _write(dk, np.matmul(d.swapaxes(2, 3), q))
