"""Tangents of recurrent nets: what forward mode makes of the gates that their kernels kept. Used by `recurrent.py`.

What the inputs' tangents give to the preactivations of all steps is one product; only what passes the states is walked
step by step. Tangents come in the order of the arguments, None for one that does not move.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import backend

Arrays = tuple[Any, ...]


def steps(y: Any, reverse: bool) -> range:
    return range(y.shape[0] - 1, -1, -1) if reverse else range(y.shape[0])


def _room(shape: tuple[int, ...], like: Any) -> Any:
    """Memory that the engine keeps: new memory for a whole sequence would cost a page fault for every 4 KiB."""
    return backend.kernels.memory.empty(shape, like.dtype)


def _shifted(states: Any, first: Any, reverse: bool) -> Any:
    """For each step, the state before it."""
    before = _room(states.shape, states)
    before[-1 if reverse else 0] = 0 if first is None else first
    before[slice(None, -1) if reverse else slice(1, None)] = states[slice(1, None) if reverse else slice(None, -1)]
    return before


def _curve(squashed: Any) -> Any:
    """1 - squashed * squashed."""
    out = _room(squashed.shape, squashed)
    np.multiply(squashed, squashed, out=out)
    return np.subtract(1, out, out=out)


def _drive(like: Any, width: int, *parts: tuple[Any, Any, Any, Any, Any]) -> Any:
    """For each step the sum of x' w^T + x w'^T + b' over (x, x', w, w', b'), None where something does not move."""
    out = None
    for x, dx, w, dw, db in parts:
        for a, b in ((dx, w), (x, dw)):
            if a is None or b is None:
                continue
            made = np.matmul(a, b.T, out=_room((*like.shape[:2], width), like))
            out = made if out is None else np.add(out, made, out=out)
        if db is not None:
            if out is None:
                out = _room((*like.shape[:2], width), like)
                out[...] = db
            else:
                out += db
    return out


def rnn(t: Arrays, args: Arrays, y: Any, relu: bool, reverse: bool) -> Any:
    x, h0, w_ih, w_hh, _, _ = args
    dx, dh, dw_ih, dw_hh, db_ih, db_hh = t
    before = None if dw_hh is None else _shifted(y, h0, reverse)
    drive = _drive(y, y.shape[2], (x, dx, w_ih, dw_ih, db_ih), (before, None, w_hh, dw_hh, db_hh))
    slope = np.less_equal(y, 0) if relu else _curve(y)
    out, w = _room(y.shape, y), w_hh.T
    for k in steps(y, reverse):
        dh = _step(dh, w, drive, k, out[k])
        if relu:
            np.copyto(dh, 0, where=slope[k])  # infinite ones too
        else:
            dh *= slope[k]
    return out


def _step(dh: Any, w: Any, drive: Any, k: int, out: Any) -> Any:
    """dh w + drive[k]: the tangents of a step's preactivations, written to `out`."""
    if dh is None:
        out[...] = 0 if drive is None else drive[k]
        return out
    np.matmul(dh, w, out=out)
    if drive is not None:
        out += drive[k]
    return out


def lstm(t: Arrays, args: Arrays, y: Any, kept: Arrays, reverse: bool) -> tuple[Any, Any]:
    """The tangents of the states and of the last cell."""
    x, h0, c0, w_ih, w_hh, _, _ = args
    dx, dh, dc, dw_ih, dw_hh, db_ih, db_hh = t
    gates, cells, squashed = kept
    before = None if dw_hh is None else _shifted(y, h0, reverse)
    drive = _drive(y, 4 * y.shape[2], (x, dx, w_ih, dw_ih, db_ih), (before, None, w_hh, dw_hh, db_hh))
    cells, w, out, room = _shifted(cells, c0, reverse), w_hh.T, _room(y.shape, y), _room(gates.shape[1:], y)
    dc = np.zeros_like(y[0]) if dc is None else dc.copy(order="C")
    for k in steps(y, reverse):
        q = None if dh is None else np.matmul(dh, w, out=room)
        backend.kernels.steps.lstm_step(
            gates[k], cells[k], squashed[k], q, None if drive is None else drive[k], dc, out[k]
        )
        dh = out[k]
    return out, dc


def gru(t: Arrays, args: Arrays, y: Any, saved: Arrays, reverse: bool) -> Any:
    x, h0, w_ih, w_hh, _, _ = args
    dx, dh, dw_ih, dw_hh, db_ih, db_hh = t
    dh = None if dh is None else np.ascontiguousarray(dh)
    gates, kept = saved
    n, w, out, room, before = y.shape[2], w_hh.T, _room(y.shape, y), _room(gates.shape[1:], y), _shifted(y, h0, reverse)
    inputs = _drive(y, 3 * n, (x, dx, w_ih, dw_ih, db_ih))
    states = _drive(y, 3 * n, (before, None, w_hh, dw_hh, db_hh))
    for k in steps(y, reverse):
        q = None if dh is None else np.matmul(dh, w, out=room)
        given = [None if drive is None else drive[k] for drive in (inputs, states)]
        backend.kernels.steps.gru_step(gates[k], before[k], kept[k], q, *given, dh, out[k])
        dh = out[k]
    return out
