"""Rows of layers by themselves, at zeros and kinks: recurrent steps, affine maps, attention, fixed normalisation."""

from math import nan

from points import applied

from zen import f


def at(x, *shape):
    return f.reshape(x, shape)


def column(*numbers):
    return f.reshape(f.stack(numbers), (-1, 1))


ZERO = [[0.0]]
ZEROS = [[0.0]] * 4

POINTS = [
    # one step of tanh(x w) and of max(x w, 0)
    ("rnn_tanh of zeros", lambda x, w: applied("rnn_tanh", (False, False), at(x, 1, 1, 1), None, at(w, 1, 1),
     ZERO, None, None).sum(),
     (0.0, 0.0), {"": 0, "a": 0, "b": 0, "ab": 1, "aa": 0, "aab": 0}),
    ("rnn_tanh at 0", lambda x: applied("rnn_tanh", (False, False), at(x, 1, 1, 1), None, [[1.0]],
     ZERO, None, None).sum(),
     (0.0,), {"": 0, "a": 1, "aa": 0, "aaa": -2}),
    ("rnn_relu at its kink", lambda x: applied("rnn_relu", (True, False), at(x, 1, 1, 1), None, [[1.0]],
     ZERO, None, None).sum(),
     (0.0,), {"": 0, "a": 0, "aa": 0}),
    # without weights every gate is 1/2: tanh(c / 2) / 2, and h / 2
    ("lstm in its cell", lambda c: applied("lstm", (False,), [[[0.0]]], ZERO, at(c, 1, 1),
     ZEROS, ZEROS, None, None)[0].sum(),
     (0.0,), {"": 0, "a": 0.25, "aa": 0, "aaa": -0.125}),
    ("gru in its state", lambda h: applied("gru", (False,), [[[0.0]]], at(h, 1, 1), ZEROS[:3], ZEROS[:3],
     None, None).sum(),
     (0.0,), {"": 0, "a": 0.5, "aa": 0}),
    ("gru in its input", lambda x: applied("gru", (False,), at(x, 1, 1, 1), ZERO, [[0.0], [0.0], [1.0]], ZEROS[:3],
     None, None).sum(),
     (0.0,), {"": 0, "a": 0.5, "aa": 0, "aaa": -1}),  # tanh(x) / 2
    ("linear with a bias, of zeros", lambda a, b, c: f.linear(at(a, 1, 1), at(b, 1, 1), at(c, 1)).sum(),
     (0.0, 0.0, 0.0),
     {"": 0, "a": 0, "b": 0, "c": 1, "ab": 1, "ac": 0, "aa": 0}),
    ("conv2d with a bias, of zeros", lambda a, b, c: f.conv2d(at(a, 1, 1, 1, 1), at(b, 1, 1, 1, 1), at(c, 1)).sum(),
     (0.0, 0.0, 0.0), {"": 0, "a": 0, "b": 0, "c": 1, "ab": 1, "bc": 0}),
    # (x - m) / sqrt(v + 1)
    ("fixed_norm of variance 0", lambda x, m, v: applied("fixed_norm", (1.0,), at(x, 1, 1), at(m, 1), at(v, 1),
     None, None).sum(),
     (1.0, 0.0, 0.0), {"": 1, "a": 1, "b": -1, "c": -0.5, "ac": -0.5, "bc": 0.5, "cc": 0.75, "aa": 0, "ccc": -1.875}),
    ("self_attention to itself alone", lambda q, k, v: applied(
        "self_attention", (1, True, False, 1.0), at(f.stack([q, k, v]), 1, 1, 3), None, None).sum(),
     (0.0, 0.0, 2.0), {"": 2, "a": 0, "b": 0, "c": 1, "ab": 0, "ac": 0}),
    ("embedding beside nan", lambda a, b: f.embedding([0, 0], column(a, b)).sum(), (1.0, nan),
     {"": 2, "a": 2, "b": 0, "aa": 0}),
]  # fmt: skip
