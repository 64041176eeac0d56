"""One layer and direction of a recurrent net over a whole sequence. `zen/_core/_recurrent.pyx` has the same, compiled.

x (T, B, I), states (B, H), w_ih (G*H, I), w_hh (G*H, H) for G gates, biases (G*H); `reverse` walks from the last step
to the first. Backward takes `wanted`, which says whether the gradients of x, w_ih and w_hh are asked for; others are
None.
"""

from __future__ import annotations

from typing import Any

import numpy as np


def _places(steps: int, reverse: bool) -> list[int]:
    return list(range(steps))[:: -1 if reverse else 1]


def _sigmoid(x: Any) -> Any:
    return (1 + np.tanh(x / 2)) / 2


def _projected(x: Any, w_ih: Any, bias: Any) -> Any:
    y = x @ w_ih.T
    return y if bias is None else y + bias


def _gradients(
    d: Any, dq: Any, x: Any, h0: Any, w_ih: Any, out: Any, reverse: bool, wanted: tuple[bool, ...]
) -> tuple[Any, Any, Any]:
    """(dx, dw_ih, dw_hh) from the cotangents of the input's products, d, and of the state's, dq."""
    steps, width = len(d), d.shape[-1]
    dx = d @ w_ih if wanted[0] else None
    dw_ih = d.reshape(-1, width).T @ x.reshape(-1, x.shape[-1]) if wanted[1] else None
    if not wanted[2]:
        return dx, dw_ih, None
    after, before = (dq[:-1], out[1:steps]) if reverse else (dq[1:], out[: steps - 1])
    dw_hh = after.reshape(-1, width).T @ before.reshape(-1, out.shape[-1])
    if h0 is not None:
        dw_hh += dq[-1 if reverse else 0].T @ h0
    return dx, dw_ih, dw_hh


def rnn_forward(x: Any, h0: Any, w_ih: Any, w_hh: Any, bias: Any, relu: bool, reverse: bool) -> Any:
    """The states (T, B, H) of a plain net over x."""
    out, h = _projected(x, w_ih, bias), h0
    for t in _places(len(x), reverse):
        a = out[t] if h is None else out[t] + h @ w_hh.T
        out[t] = h = np.maximum(a, 0) if relu else np.tanh(a)
    return out


def rnn_backward(
    g: Any, x: Any, h0: Any, w_ih: Any, w_hh: Any, out: Any, relu: bool, reverse: bool, wanted: tuple[bool, ...]
) -> tuple[Any, ...]:
    """(dx, dh0, dw_ih, dw_hh, db) from the cotangent of the states."""
    d, carry = np.empty_like(g), np.zeros_like(g[0])
    for t in _places(len(g), not reverse):
        dh = g[t] + carry
        d[t] = np.where(out[t] <= 0, 0, dh) if relu else dh * (1 - out[t] * out[t])
        carry = d[t] @ w_hh
    dx, dw_ih, dw_hh = _gradients(d, d, x, h0, w_ih, out, reverse, wanted)
    return dx, carry, dw_ih, dw_hh, d.sum((0, 1))


def lstm_forward(x: Any, h0: Any, c0: Any, w_ih: Any, w_hh: Any, bias: Any, reverse: bool) -> tuple[Any, ...]:
    """(out, last cell, gates, cells, tanh of cells): the states (T, B, H), a cell (B, H), and what backward needs."""
    gates, n = _projected(x, w_ih, bias), w_hh.shape[1]
    steps, batch = x.shape[:2]
    out, cells = np.empty((steps, batch, n), gates.dtype), np.empty((steps, batch, n), gates.dtype)
    squashed, h, c = np.empty_like(cells), h0, c0
    for t in _places(steps, reverse):
        a = gates[t]
        if h is not None:
            a += h @ w_hh.T
        a[:, : 2 * n], a[:, 3 * n :] = _sigmoid(a[:, : 2 * n]), _sigmoid(a[:, 3 * n :])
        a[:, 2 * n : 3 * n] = np.tanh(a[:, 2 * n : 3 * n])
        c = cells[t] = a[:, n : 2 * n] * c + a[:, :n] * a[:, 2 * n : 3 * n]
        squashed[t] = np.tanh(c)
        h = out[t] = a[:, 3 * n :] * squashed[t]
    return out, c.copy(), gates, cells, squashed


def lstm_backward(
    g: Any, gc: Any, x: Any, h0: Any, c0: Any, w_ih: Any, w_hh: Any, out: Any, saved: tuple[Any, ...], reverse: bool,
    wanted: tuple[bool, ...],
) -> tuple[Any, ...]:  # fmt: skip
    """(dx, dh0, dc0, dw_ih, dw_hh, db) from the cotangents of out and of the last cell, None for zeros.

    saved: gates, cells, their tanh.
    """
    gates, cells, squashed = saved
    steps, _, n = cells.shape
    g = np.zeros_like(cells) if g is None else g
    dc = np.zeros_like(c0) if gc is None else gc
    d, carry, places = np.empty_like(gates), np.zeros_like(c0), _places(steps, reverse)
    for k in range(steps - 1, -1, -1):
        t = places[k]
        i, forget, s, o = (gates[t][:, j * n : (j + 1) * n] for j in range(4))
        before, dh = cells[places[k - 1]] if k else c0, g[t] + carry
        dc = dc + dh * o * (1 - squashed[t] * squashed[t])
        d[t][:, :n], d[t][:, n : 2 * n] = dc * s * i * (1 - i), dc * before * forget * (1 - forget)
        d[t][:, 2 * n : 3 * n], d[t][:, 3 * n :] = dc * i * (1 - s * s), dh * squashed[t] * o * (1 - o)
        dc, carry = dc * forget, d[t] @ w_hh
    dx, dw_ih, dw_hh = _gradients(d, d, x, h0, w_ih, out, reverse, wanted)
    return dx, carry, dc, dw_ih, dw_hh, d.sum((0, 1))


def gru_forward(x: Any, h0: Any, w_ih: Any, w_hh: Any, bias: Any, bias_n: Any, reverse: bool) -> tuple[Any, Any, Any]:
    """(out, gates, kept): the states (T, B, H), and what backward needs. bias_n (H): that of the state's part of n."""
    gates, n, h = _projected(x, w_ih, bias), w_hh.shape[1], h0
    out = np.empty((*x.shape[:2], n), gates.dtype)
    kept = np.empty_like(out)
    for t in _places(len(x), reverse):
        a, q = gates[t], h @ w_hh.T
        a[:, : 2 * n] = _sigmoid(a[:, : 2 * n] + q[:, : 2 * n])
        kept[t] = q[:, 2 * n :] + bias_n
        a[:, 2 * n :] = np.tanh(a[:, 2 * n :] + a[:, :n] * kept[t])
        h = out[t] = a[:, 2 * n :] + a[:, n : 2 * n] * (h - a[:, 2 * n :])
    return out, gates, kept


def gru_backward(
    g: Any, x: Any, h0: Any, w_ih: Any, w_hh: Any, out: Any, saved: tuple[Any, ...], reverse: bool,
    wanted: tuple[bool, ...],
) -> tuple[Any, ...]:  # fmt: skip
    """(dx, dh0, dw_ih, dw_hh, db_ih, and the last third of db_hh). saved: gates, kept."""
    gates, kept = saved
    steps, _, n = out.shape
    da, dq, carry, places = np.empty_like(gates), np.empty_like(gates), np.zeros_like(h0), _places(steps, reverse)
    for k in range(steps - 1, -1, -1):
        t = places[k]
        r, z, s = (gates[t][:, j * n : (j + 1) * n] for j in range(3))
        before, dh = out[places[k - 1]] if k else h0, g[t] + carry
        ds = dh * (1 - z) * (1 - s * s)
        da[t][:, :n], da[t][:, n : 2 * n] = ds * kept[t] * r * (1 - r), dh * (before - s) * z * (1 - z)
        da[t][:, 2 * n :] = ds
        dq[t], dq[t][:, 2 * n :] = da[t], ds * r
        carry = dh * z + dq[t] @ w_hh
    dx, dw_ih, dw_hh = _gradients(da, dq, x, h0, w_ih, out, reverse, wanted)
    return dx, carry, dw_ih, dw_hh, da.sum((0, 1)), dq[..., 2 * n :].sum((0, 1))
