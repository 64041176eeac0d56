"""The family of layers and losses. Each takes an earlier value, fitted into the shape that it needs."""

from __future__ import annotations

from math import prod

from .build import Builder
from .program import Ref


def layer(b: Builder) -> None:
    b.rng.choice(LAYERS)(b)


def _some(b: Builder, *choices: int) -> int:
    return b.rng.choice(choices)


def convolution(b: Builder) -> None:
    groups = _some(b, 1, 1, 2)
    inputs, outputs = groups * _some(b, 1, 2), groups * _some(b, 1, 2)
    stride, padding, dilation = _some(b, 1, 1, 2), _some(b, 0, 1, 2), _some(b, 1, 1, 2)
    plane = b.rng.random() < 0.6
    sizes = (_some(b, 5, 6), _some(b, 5, 7)) if plane else (_some(b, 6, 9),)
    kernel = tuple(_some(b, 1, 2, 3) for _ in sizes)
    batch = (_some(b, 1, 2),)
    transposed = b.rng.random() < 0.3
    x = b.fit((*batch, inputs, *sizes))
    options = {"stride": stride, "padding": padding, "groups": groups, "dilation": dilation}
    if transposed:
        w = b.fit((inputs, outputs // groups, *kernel))
        spans = [(n - 1) * stride - 2 * padding + dilation * (k - 1) + 1 for n, k in zip(sizes, kernel, strict=True)]
    else:
        w = b.fit((outputs, inputs // groups, *kernel))
        spans = [(n + 2 * padding - dilation * (k - 1) - 1) // stride + 1 for n, k in zip(sizes, kernel, strict=True)]
    bias = b.fit((outputs,)) if b.rng.random() < 0.6 else None
    op = ("conv_transpose" if transposed else "conv") + ("2d" if plane else "1d")
    bound = b.values[x].bound * 2 * prod(kernel) * inputs if x in b.values else 9.0
    b.emit(op, x, w, bias, shape=(*batch, outputs, *spans), bound=bound, **options)


def pooling(b: Builder) -> None:
    plane = b.rng.random() < 0.6
    sizes = (_some(b, 4, 5), _some(b, 4, 6)) if plane else (_some(b, 5, 8),)
    shape = (_some(b, 1, 2), _some(b, 1, 3), *sizes)
    x = b.fit(shape)
    kind = b.rng.choice(["avg", "max", "max", "adaptive_avg"])
    suffix = "2d" if plane else "1d"
    if kind == "adaptive_avg":
        out = tuple(_some(b, 1, 2, 3) for _ in sizes)
        b.emit(f"adaptive_avg_pool{suffix}", x, out if plane else out[0], shape=(*shape[:2], *out), bound=4)
        return
    if kind == "max":
        x = b.emit("add", x, b.spread(shape), shape=shape, bound=4, template="{0} + {1}")
    k = _some(b, 2, 3)
    stride, padding = _some(b, 1, 2, 3), _some(b, 0, 1)
    out = tuple((n + 2 * padding - k) // stride + 1 for n in sizes)
    b.emit(f"{kind}_pool{suffix}", x, k, stride, padding, shape=(*shape[:2], *out), bound=4)


def normalisation(b: Builder) -> None:
    n, c = _some(b, 2, 3, 4), _some(b, 2, 4)
    op = b.rng.choice("layer_norm rms_norm batch_norm group_norm instance_norm softmax log_softmax".split())
    tail = () if op in ("layer_norm", "rms_norm", "softmax", "log_softmax") and b.rng.random() < 0.6 else (5,)
    shape = (n, c, *tail)
    x = b.emit("add", b.fit(shape), b.spread(shape), shape=shape, bound=3, template="{0} + {1}")
    pair = [b.fit((c,)), b.fit((c,))] if b.rng.random() < 0.6 else [None, None]
    if op in ("softmax", "log_softmax"):
        b.emit(op, x, axis=b.rng.choice([-1, 0, 1]), shape=shape, bound=4)
    elif op == "layer_norm":
        last = shape[-1:]
        pair = [b.fit(last), b.fit(last)] if pair[0] else pair
        b.emit(op, x, last, *pair, eps=1e-3, shape=shape, bound=5)
    elif op == "rms_norm":
        b.emit(op, x, shape[-1:], b.fit(shape[-1:]), eps=1e-3, shape=shape, bound=5)
    elif op == "batch_norm":
        b.emit(op, x, None, None, *pair, training=True, eps=1e-3, shape=shape, bound=5)
    elif op == "group_norm":
        b.emit(op, x, 2, *pair, eps=1e-2, shape=shape, bound=5)
    elif tail:
        b.emit(op, x, None, None, *pair, eps=1e-2, shape=shape, bound=5)


def loss(b: Builder) -> None:
    n, c = _some(b, 1, 2, 4), _some(b, 2, 3)
    how = b.rng.choice(["mean", "sum", "none"])
    shape = {"none": (n,)}.get(how, ())
    op = b.rng.choice("cross_entropy nll_loss mse_loss l1_loss huber_loss smooth_l1_loss bce kl_div".split())
    x = b.fit((n, c))
    if op in ("cross_entropy", "nll_loss"):
        y = x if op == "cross_entropy" else b.emit("log_softmax", x, axis=-1, shape=(n, c), bound=4)
        target = b.source("index", (n,), kind="integers", low=0.0, high=float(c), dtype="int64")
        smooth = {"label_smoothing": 0.1} if op == "cross_entropy" and b.rng.random() < 0.3 else {}
        b.emit(op, y, target, reduction=how, shape=shape, bound=4 * n, **smooth)
        return
    full = {"none": (n, c)}.get(how, ())
    if op == "kl_div":
        y = b.emit("log_softmax", x, axis=-1, shape=(n, c), bound=4)
        t = b.source("array", (n, c), low=0.1, high=0.9)
        b.emit(op, y, t, reduction=how, shape=full, bound=8 * n)
    elif op == "bce":
        t = b.source("array", (n, c), low=0.1, high=0.9)
        b.emit("binary_cross_entropy_with_logits", x, t, reduction=how, shape=full, bound=8 * n)
    else:
        x = b.emit("add", x, b.offset(), shape=(n, c), bound=4, template="{0} + {1}")
        b.emit(op, x, b.fit((n, c)), reduction=how, shape=full, bound=20 * n)


def lookup(b: Builder) -> None:
    rows, width = _some(b, 3, 5), _some(b, 1, 4)
    shape = b.rng.choice([(4,), (2, 3), ()])
    index = b.source("index", shape, kind="integers", low=0.0, high=float(rows), dtype="int64")
    b.emit("embedding", index, b.fit((rows, width)), shape=(*shape, width), bound=4)


def attention(b: Builder) -> None:
    n, t, s, d = _some(b, 1, 2), _some(b, 1, 3, 5), _some(b, 2, 4), _some(b, 2, 4)
    lead = b.rng.choice([(n,), (n, 2)])
    q, k, v = b.fit((*lead, t, d)), b.fit((*lead, s, d)), b.fit((*lead, s, d))
    options = b.rng.choice([{}, {}, {"is_causal": True}, {"scale": 0.37}, {"mask": True}])
    if options.pop("mask", False):
        if b.rng.random() < 0.5:
            options["attn_mask"] = b.fit((t, s))
        else:
            options["attn_mask"] = b.source("array", (t, s), low=-1.0, high=1.0)
    b.emit("scaled_dot_product_attention", q, k, v, shape=(*lead, t, d), bound=4, **options)


def recurrent(b: Builder) -> None:
    kind, gates = b.rng.choice([("LSTM", 4), ("GRU", 3), ("RNN_TANH", 1)])
    t, n, i, h = _some(b, 1, 2, 4), _some(b, 1, 3), _some(b, 1, 3), _some(b, 1, 2, 4)
    x = b.fit((t, n, i))
    states: list[Ref | None] = [None, None] if b.rng.random() < 0.4 else [b.fit((n, h)), b.fit((n, h))]
    if kind != "LSTM":
        states = states[:1]
    biases = [None, None] if b.rng.random() < 0.3 else [b.fit((gates * h,)), b.fit((gates * h,))]
    inputs = [x, *states, b.fit((gates * h, i)), b.fit((gates * h, h)), *biases]
    reverse = b.rng.random() < 0.3
    options = {"reverse": reverse} | ({"relu": False} if kind == "RNN_TANH" else {})
    text = ", ".join([f"{{{k}}}" for k in range(len(inputs))])
    params = f"({'False, ' if kind == 'RNN_TANH' else ''}{reverse},)"
    call = f"apply(recurrent.{kind}, ({text}), {params})"
    if kind == "LSTM":
        call = f"(lambda made: f.concat([made[0], made[1][None]]))({call})"
    shape = (t + (kind == "LSTM"), n, h)
    b.emit(kind, *inputs, shape=shape, bound=4, template=call, **options)


def activation(b: Builder) -> None:
    x = b.pick(lambda v: bool(v.shape) and v.shape[-1] % 2 == 0 and prod(v.shape) > 0)
    v = b.values[x]
    op = b.rng.choice(["glu", "prelu", "softplus", "gelu", "cosine_similarity", "threshold"])
    if op == "glu" and v.shape and v.shape[-1] % 2 == 0:
        b.emit(op, x, shape=(*v.shape[:-1], v.shape[-1] // 2), bound=v.bound)
    elif op == "prelu" and len(v.shape) >= 2:
        moved = b.emit("add", x, b.offset(), shape=v.shape, bound=v.bound, template="{0} + {1}")
        b.emit(op, moved, b.fit((1,)), shape=v.shape, bound=2 * v.bound)
    elif op == "softplus":
        b.emit(op, x, 0.7, shape=v.shape, bound=v.bound + 1)
    elif op == "gelu":
        b.emit(op, x, approximate="tanh", shape=v.shape, bound=v.bound)
    elif op == "cosine_similarity" and len(v.shape) >= 1 and prod(v.shape) < 3000:
        moved = b.emit("add", x, 1.3 + b.offset(), shape=v.shape, bound=v.bound + 2, template="{0} + {1}")
        b.emit(op, moved, b.fit(v.shape), axis=-1, shape=v.shape[:-1], bound=1)


LAYERS = [convolution, pooling, normalisation, normalisation, loss, loss, lookup, attention, recurrent, activation]
