"""One layer and direction of a recurrent net over a whole sequence, as one operation: RNN, LSTM and GRU.

`zen/nn/recurrent.py` checks shapes and calls them. Inputs are x (T, B, I), the first state h0 (B, H) or None for zeros
(LSTM: c0 as well), w_ih (G*H, I), w_hh (G*H, H) and the biases b_ih, b_hh (G*H), or None, with G gates in PyTorch's
order. `reverse` walks from the last step to the first. The result (T, B, H) holds the state after step t at index t;
LSTM has a second one, the last cell (B, H).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import backend
from ..backend import Shaped
from . import recurrent_tangents as tangents
from .joining import stack
from .register import define
from .register import tensors as f
from .row import row

# --- compositions


def _affine(x: Any, w: Any, b: Any) -> Any:
    y = f.matmul(x, f.permute_dims(w, (1, 0)))
    return y if b is None else y + b


def _steps(x: Any, reverse: bool) -> range:
    return range(x.shape[0] - 1, -1, -1) if reverse else range(x.shape[0])


def _first(x: Any, state: Any, w_hh: Any) -> Any:
    return np.zeros((x.shape[1], w_hh.shape[1]), w_hh.dtype) if state is None else state


def _in_order(found: list[Any], reverse: bool) -> list[Any]:
    return found[::-1] if reverse else found


def _rnn(x: Any, h: Any, w_ih: Any, w_hh: Any, b_ih: Any, b_hh: Any, relu: bool, reverse: bool) -> Any:
    inputs, h, states = _affine(x, w_ih, b_ih), _first(x, h, w_hh), []
    for t in _steps(x, reverse):
        h = (f.relu if relu else f.tanh)(inputs[t] + _affine(h, w_hh, b_hh))
        states.append(h)
    return stack(_in_order(states, reverse))


def _lstm(x: Any, h: Any, c: Any, w_ih: Any, w_hh: Any, b_ih: Any, b_hh: Any, reverse: bool) -> Any:
    inputs, n, states = _affine(x, w_ih, b_ih), w_hh.shape[1], []
    h, c = _first(x, h, w_hh), _first(x, c, w_hh)
    for t in _steps(x, reverse):
        a = inputs[t] + _affine(h, w_hh, b_hh)
        i, forget, o = f.sigmoid(a[:, :n]), f.sigmoid(a[:, n : 2 * n]), f.sigmoid(a[:, 3 * n :])
        c = forget * c + i * f.tanh(a[:, 2 * n : 3 * n])
        h = o * f.tanh(c)
        states.append(h)
    return stack(_in_order(states, reverse)), c


def _gru(x: Any, h: Any, w_ih: Any, w_hh: Any, b_ih: Any, b_hh: Any, reverse: bool) -> Any:
    inputs, n, states = _affine(x, w_ih, b_ih), w_hh.shape[1], []
    h = _first(x, h, w_hh)
    for t in _steps(x, reverse):
        q = _affine(h, w_hh, b_hh)
        a = inputs[t][:, : 2 * n] + q[:, : 2 * n]
        r, z = f.sigmoid(a[:, :n]), f.sigmoid(a[:, n:])
        new = f.tanh(inputs[t][:, 2 * n :] + r * q[:, 2 * n :])
        h = new + z * (h - new)
        states.append(h)
    return stack(_in_order(states, reverse))


# --- kernels


def _ready(*arrays: Any) -> list[Any]:
    """The arrays as kernels read them: of the weights' dtype (the third from the end), C-contiguous, aligned."""
    dtype = arrays[-3].dtype
    return [
        a
        if a is None or (a.flags.c_contiguous and a.flags.aligned and a.dtype == dtype)
        else np.array(a, dtype, order="C")
        for a in arrays
    ]


def _zeros(x: Any, w_hh: Any) -> Any:
    return np.zeros((x.shape[1], w_hh.shape[1]), w_hh.dtype)


def _sum(b_ih: Any, b_hh: Any) -> Any:
    if b_ih is None or b_hh is None:
        return b_hh if b_ih is None else b_ih
    return b_ih + b_hh


def _states_shape(x: Any, h: Any, w_ih: Any, w_hh: Any, *rest: Any) -> Shaped:
    return Shaped((*x.shape[:2], w_hh.shape[1]), x.dtype)


def _lstm_shapes(x: Any, h: Any, c: Any, w_ih: Any, w_hh: Any, *rest: Any) -> tuple[Shaped, Shaped]:
    states = _states_shape(x, h, w_ih, w_hh)
    return states, Shaped(states.shape[1:], x.dtype)


def _placed(found: tuple[Any, ...], wanted: tuple[bool, ...]) -> tuple[Any, ...]:
    return tuple([a if asked else None for a, asked in zip(found, wanted, strict=True)])


def _rnn_forward(x: Any, h: Any, w_ih: Any, w_hh: Any, b_ih: Any, b_hh: Any, relu: bool, reverse: bool) -> Any:
    x, h, w_ih, w_hh, b_ih, b_hh = _ready(x, h, w_ih, w_hh, b_ih, b_hh)
    return backend.kernels.recurrent.rnn_forward(x, h, w_ih, w_hh, _sum(b_ih, b_hh), relu, reverse)


def _rnn_vjp(
    g: Any, args: tuple[Any, ...], results: tuple[Any], wanted: tuple[bool, ...], relu: bool, reverse: bool
) -> tuple[Any, ...]:
    x, h0, w_ih, w_hh, _, _ = _ready(*args)
    (out,), asked = results, (wanted[0], wanted[2], wanted[3])
    *found, db = backend.kernels.recurrent.rnn_backward(
        np.ascontiguousarray(g), x, h0, w_ih, w_hh, out, relu, reverse, asked
    )
    return _placed((*found, db, db), wanted)


def _lstm_forward(
    x: Any, h: Any, c: Any, w_ih: Any, w_hh: Any, b_ih: Any, b_hh: Any, reverse: bool, read: bool
) -> tuple[Any, ...]:
    x, h, c, w_ih, w_hh, b_ih, b_hh = _ready(x, h, c, w_ih, w_hh, b_ih, b_hh)
    c = _zeros(x, w_hh) if c is None else c
    found: tuple[Any, ...] = backend.kernels.recurrent.lstm_forward(x, h, c, w_ih, w_hh, _sum(b_ih, b_hh), reverse)
    return found


def _lstm_vjp(
    g: tuple[Any, Any], args: tuple[Any, ...], results: tuple[Any, ...], wanted: tuple[bool, ...], reverse: bool
) -> tuple[Any, ...]:
    x, h0, c0, w_ih, w_hh, _, _ = _ready(*args)
    c0 = _zeros(x, w_hh) if c0 is None else c0
    states, _, *saved = results
    gh, gc = [None if a is None else np.ascontiguousarray(a) for a in g]
    asked = wanted[0], wanted[3], wanted[4]
    *found, db = backend.kernels.recurrent.lstm_backward(
        gh, gc, x, h0, c0, w_ih, w_hh, states, tuple(saved), reverse, asked
    )
    return _placed((*found, db, db), wanted)


def _gru_forward(
    x: Any, h: Any, w_ih: Any, w_hh: Any, b_ih: Any, b_hh: Any, reverse: bool, read: bool
) -> tuple[Any, ...]:
    x, h, w_ih, w_hh, b_ih, b_hh = _ready(x, h, w_ih, w_hh, b_ih, b_hh)
    h, n = _zeros(x, w_hh) if h is None else h, w_hh.shape[1]
    new = np.zeros(n, w_hh.dtype) if b_hh is None else b_hh[2 * n :]
    bias = _sum(b_ih, b_hh)
    if b_hh is not None:  # the state's bias of n is multiplied by r with the rest of the state's part
        bias = bias.copy() if bias is b_hh else bias
        bias[2 * n :] = 0 if b_ih is None else b_ih[2 * n :]
    found: tuple[Any, ...] = backend.kernels.recurrent.gru_forward(x, h, w_ih, w_hh, bias, new, reverse)
    return found


def _gru_vjp(
    g: Any, args: tuple[Any, ...], results: tuple[Any, ...], wanted: tuple[bool, ...], reverse: bool
) -> tuple[Any, ...]:
    x, h0, w_ih, w_hh, _, _ = _ready(*args)
    h0 = _zeros(x, w_hh) if h0 is None else h0
    out, *saved = results
    asked, g = (wanted[0], wanted[2], wanted[3]), np.ascontiguousarray(g)
    *found, db, dn = backend.kernels.recurrent.gru_backward(g, x, h0, w_ih, w_hh, out, tuple(saved), reverse, asked)
    return _placed((*found, db, np.concatenate([db[: -len(dn)], dn])), wanted)


def _rnn_jvp(t: Any, args: Any, results: Any, relu: bool, reverse: bool) -> Any:
    return tangents.rnn(t, args, results[0], relu, reverse)


def _lstm_jvp(t: Any, args: Any, results: Any, reverse: bool) -> Any:
    states, _, *kept = results
    return tangents.lstm(t, args, states, tuple(kept), reverse)


def _gru_jvp(t: Any, args: Any, results: Any, reverse: bool) -> Any:
    y, *kept = results
    return tangents.gru(t, args, y, tuple(kept), reverse)


# --- what tests draw


def _draws(gates: int, states: int, *params: Any) -> Any:
    def draws(rng: np.random.Generator) -> list[Any]:
        def case(steps: int, batch: int, inputs: int, n: int, first: bool, bias: bool, reverse: bool) -> Any:
            found: list[Any] = [rng.normal(size=(steps, batch, inputs))]
            found += [rng.normal(size=(batch, n)) if first else None for _ in range(states)]
            found += [rng.normal(size=(gates * n, inputs)), rng.normal(size=(gates * n, n))]
            found += [rng.normal(size=gates * n) if bias else None for _ in range(2)]
            return tuple(found), (*params, reverse)

        return [
            case(3, 2, 2, 3, True, True, False), case(3, 2, 3, 2, True, True, True),
            case(2, 1, 2, 2, False, False, False), case(1, 2, 1, 1, True, True, False),
            case(2, 0, 2, 2, True, True, True),
        ]  # fmt: skip

    return draws


RNN_TANH, RNN_RELU = [define(row(
    name, "x h? w_ih w_hh b_ih? b_hh?", _rnn_forward, _rnn_vjp, params="relu reverse", saves="y", jvp=_rnn_jvp,
    composition=_rnn, shape=_states_shape, domain=_draws(1, 1, relu), complex=not relu,
    doc="The states of a recurrent net without gates.",
)) for name, relu in (("rnn_tanh", False), ("rnn_relu", True))]  # fmt: skip
LSTM = define(row(
    "lstm", "x h? c? w_ih w_hh b_ih? b_hh?", _lstm_forward, _lstm_vjp, params="reverse", outputs="states cell",
    workspace="gates cells squashed", saves="states", jvp=_lstm_jvp, composition=_lstm, shape=_lstm_shapes,
    domain=_draws(4, 2), complex=True, doc="The states of an LSTM, and its last cell.",
))  # fmt: skip
GRU = define(row(
    "gru", "x h? w_ih w_hh b_ih? b_hh?", _gru_forward, _gru_vjp, params="reverse", workspace="gates kept", saves="y",
    jvp=_gru_jvp, composition=_gru, shape=_states_shape, domain=_draws(3, 1), complex=True,
    doc="The states of a GRU.",
))  # fmt: skip
