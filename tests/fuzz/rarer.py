"""The family of rarer parameters and functions. PyTorch is not asked about them: engines, modes and differences are."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from .build import Builder, Value
from .program import Ref


def rare(b: Builder) -> None:
    x = b.pick(lambda v: len(v.shape) > 0 and 0 not in v.shape and prod(v.shape) <= 400)
    v = b.values[x]
    if not v.shape or 0 in v.shape or prod(v.shape) > 400:
        return
    b.portable = False
    b.rng.choice([joins, selections, counts, matrices, layers, losses, conversions, attention])(b, x, v)


def call(b: Builder, text: str, x: Ref, *others: Any, like: Any, bound: float = 4.0, **more: Any) -> Ref:
    """A step whose text takes x as {0}; `like` is the same call on an array, from which the shape is read."""
    return b.emit(text, x, *others, template=text, shape=np.shape(like), bound=bound, **more)


def _ones(v: Value) -> np.ndarray:
    return np.ones(v.shape)


def joins(b: Builder, x: Ref, v: Value) -> None:
    a, n = _ones(v), len(v.shape)
    forms = [
        ("np.hstack([{0}, {0}])", np.hstack([a, a])), ("np.vstack([{0}, {0} * 0.5])", np.vstack([a, a])),
        ("np.atleast_2d({0})", np.atleast_2d(a)), ("f.atleast_3d({0})", np.atleast_3d(a)),
        ("np.tile({0}, 2)", np.tile(a, 2)), ("np.tile({0}, (2, 1, 1, 2))", np.tile(a, (2, 1, 1, 2))),
        ("np.concatenate([{0}, {0}], axis=None)", np.concatenate([a, a], axis=None)),
        ("np.stack(f.broadcast_arrays({0}, 1.0)[:1], -1)", a[..., None]),
        ("np.expand_dims({0}, (0, -1))", np.expand_dims(a, (0, -1))), ("np.squeeze({0})", np.squeeze(a)),
        ("np.flip({0})", a), ("np.roll({0}, 2)", a), ("np.roll({0}, (1, -2), (0, -1))", a),
        ("np.repeat({0}, 3)", np.repeat(a, 3)), ("np.moveaxis({0}, (0,), (-1,))", np.moveaxis(a, 0, -1)),
        (f"np.repeat({{0}}, {[k % 3 for k in range(v.shape[0])]}, axis=0)",
         np.repeat(a, [k % 3 for k in range(v.shape[0])], axis=0)),
        ("f.unstack({0}, axis=-1)[0]", a[..., 0]), ("f.split({0}, 1, axis=-1)[0]", a),
        ("np.pad({0}, 1)", np.pad(a, 1)), ("np.pad({0}, (0, 2), constant_values=0.3)", np.pad(a, (0, 2))),
    ]  # fmt: skip
    if n >= 2:
        forms += [
            ("np.diagonal({0}, 1)", np.diagonal(a, 1)), ("np.trace({0}, -1)", np.trace(a, -1)),
            ("{0}.mT", np.swapaxes(a, -1, -2)), ("np.diagonal({0}, 0, -1, 0)", np.diagonal(a, 0, -1, 0)),
        ]  # fmt: skip
    text, like = b.rng.choice(forms)
    b.frozen.add(v.group)  # some of these are views
    y = call(b, text, x, like=like, bound=v.bound)
    b.frozen.add(b.values[y].group)


def selections(b: Builder, x: Ref, v: Value) -> None:
    a, n = _ones(v), v.shape[0]
    one = b.index((3,), prod(v.shape))
    rows = b.index((2, 2), n)
    column = b.source("index", (2, 1), kind="integers", low=0.0, high=float(n), dtype="int64")
    forms = [
        ("np.take({0}, {1})", one, np.zeros(3)), ("np.take({0}, {1}, axis=0)", rows, np.zeros((2, 2, *v.shape[1:]))),
        ("{0}[{1}, None]", rows, np.zeros((2, 2, 1, *v.shape[1:]))), ("{0}[..., None, {1}]", 0, a[..., None, 0]),
        ("{0}[None, {1}]", rows, np.zeros((1, 2, 2, *v.shape[1:]))), ("{0}[[{1}, {1}]]", n - 1, a[[0, 0]]),
        ("{0}[np.array({1})]", n - 1, a[0]), ("{0}[{1}:][::-1]", n // 2, a[n // 2 :]),
        ("np.take_along_axis({0}.ravel(), {1}, None)", one, np.zeros(3)),
    ]  # fmt: skip
    if len(v.shape) > 1:
        m = v.shape[1]
        across = b.source("index", (3,), kind="integers", low=0.0, high=float(m), dtype="int64")
        forms += [
            ("{0}[{1}, ..., 0]", column, np.zeros((2, 1, *v.shape[1:-1]))),
            ("{0}[:, {1}]", across, np.zeros((n, 3, *v.shape[2:]))),
            ("{0}[0, ..., {1}]", m - 1 if len(v.shape) == 2 else 0, a[0, ..., 0]),
        ]  # fmt: skip
    text, key, like = b.rng.choice(forms)
    b.frozen.add(v.group)
    y = call(b, text, x, key, like=like, bound=v.bound)
    b.frozen.add(b.values[y].group)


def counts(b: Builder, x: Ref, v: Value) -> None:
    """Reductions of several parameters, scans, sorts."""
    a = _ones(v)
    moved = b.emit("add", x, b.spread(v.shape, 4.6), shape=v.shape, bound=4, template="{0} + {1}")
    forms = [
        ("np.cumsum({0})", np.cumsum(a)), ("np.sort({0}, axis=None)", np.sort(a, axis=None)),
        ("f.sort({0}, axis=0, descending=True)", a), ("np.linalg.norm({0}.ravel(), 1)", 0.0),
        ("np.linalg.norm({0}.ravel(), np.inf)", 0.0), ("np.linalg.norm({0}.ravel(), 3)", 0.0),
        ("np.std({0}, axis=0, ddof=-1)", a[0]),
        ("np.var({0}, axis=tuple(range({0}.ndim)), keepdims=True)", a.sum(keepdims=True)),
        ("np.mean({0}, axis=(), keepdims=False)", a), ("f.logsumexp({0}, axis=0, keepdims=True)", a[:1]),
        ("np.clip({0}, 4.9137, {0} + 0.3)", a), ("np.clip({0}, None, 5.11371)", a), ("np.maximum({0}, 5.2137)", a),
        ("np.where({0} > 5.17, {0}, 2 * {0})", a), ("np.sum({0}, axis=0) + np.max({0})", a[0]),
        ("f.vector_norm({0}, axis=-1, ord=4)", a[..., 0]), ("np.prod({0} * 0.2, axis=-1)", a[..., 0]),
        ("f.hardtanh({0}, -1.0, 5.01371)", a), ("f.softplus({0}, 2.0, 10.003)", a),
        ("np.remainder({0}, 1.7317)", a), ("np.floor_divide({0}, 1.7317) + {0}", a), ("{0} % 2.3917", a),
        ("2.0 ** ({0} - 5)", a),
        ("np.mod(7.713, {0})", a), ("abs({0}) + (-{0}) ** 3 * 0.01", a), ("np.round({0}) + {0}", a),
    ]  # fmt: skip
    text, like = b.rng.choice(forms)
    call(b, text, moved, like=like, bound=9 * prod(v.shape))


def matrices(b: Builder, x: Ref, v: Value) -> None:
    n = b.rng.choice([2, 3])
    a = b.fit((2, n, n))
    a = b.emit("tanh", a, shape=(2, n, n), bound=1)
    eye = f"{{0}} + 3 * np.eye({n}, dtype={b.dtype!r})"
    a = call(b, eye, a, like=np.ones((2, n, n)))
    m = np.ones((2, n, n))
    forms = [
        ("f.matrix_power({0}, 0) @ {0}", m), ("f.matrix_power({0}, -2)", m), ("f.matrix_norm({0})", m[:, 0, 0]),
        ("np.linalg.norm({0}, axis=(-2, -1))", m[:, 0, 0]), ("f.cholesky({0} @ {0}.mT, upper=True)", m),
        ("np.einsum('bij,bkj->bik', {0}, {0})", m), ("np.einsum('bii->b', {0})", m[:, 0, 0]),
        ("np.einsum('...ij,...j', {0}, {0}[..., 0])", m[..., 0]), ("np.einsum('bij,cjk,ckl->il', {0}, {0}, {0})", m[0]),
        ("np.einsum('bij->jb', {0})", m[0, :, :1] * np.ones(2)),
        ("np.tensordot({0}, {0}, axes=((0, 2), (0, 1)))", m[0]),
        ("np.tensordot({0}, {0}, axes=0)", np.ones((2, n, n, 2, n, n))), ("np.vdot({0}, {0}[::-1])", 0.0),
        ("np.dot({0}, {0}[0])", m), ("np.dot({0}, {0})", np.ones((2, n, 2, n))),
        ("np.inner({0}, {0}[0, 0])", m[..., 0]),
        ("f.solve({0}, {0}[0])", m), ("np.linalg.inv({0})[::-1] @ {0}", m), ("np.linalg.det({0})", m[:, 0, 0]),
        ("np.vecdot({0}, {0}[..., ::-1])", m[..., 0]), ("np.outer({0}, {0}[0, 0])", np.ones((2 * n * n, n))),
        ("np.swapaxes({0}, 0, 1) @ {0}[0]", np.ones((n, 2, n))), ("{0}[0].T @ {0}", m), ("{0}[:, 0] @ {0}[1]", m[:, 0]),
    ]  # fmt: skip
    text, like = b.rng.choice(forms)
    call(b, text, a, like=like, bound=40.0)


def layers(b: Builder, x: Ref, v: Value) -> None:
    shape = (2, 4, 6, 5)
    y = b.emit("add", b.fit(shape), b.spread(shape), shape=shape, bound=4, template="{0} + {1}")
    a = np.ones(shape)
    w = b.fit((4,))
    forms = [
        ("f.max_pool2d({0}, 2, 1, 1, dilation=2)", np.ones((2, 4, 6, 5))),
        ("f.max_pool2d({0}, 3, 2, ceil_mode=True)", np.ones((2, 4, 3, 2))),
        ("f.avg_pool2d({0}, (3, 2), (2, 1), 1, count_include_pad=False)", np.ones((2, 4, 3, 6))),
        ("f.avg_pool2d({0}, 2, divisor_override=3)", np.ones((2, 4, 3, 2))),
        ("f.adaptive_max_pool2d({0}, (4, 3))", np.ones((2, 4, 4, 3))),
        ("f.adaptive_avg_pool2d({0}, 1)", np.ones((2, 4, 1, 1))),
        ("f.batch_norm({0}, np.zeros(4), np.full(4, 1.5), {1}, {1}, eps=0.01)", a),
        ("f.group_norm({0}, 4, {1})", a), ("f.instance_norm({0}, weight={1})", a),
        ("f.layer_norm({0}, (6, 5), eps=0.01)", a), ("f.rms_norm({0}, (4, 6, 5), eps=0.01)", a),
        ("f.softmax({0}, axis=1)", a), ("f.log_softmax({0}, 0)", a), ("f.glu({0}, axis=1)", a[:, :2]),
        ("f.prelu({0} - 1.0137, {1})", a), ("f.flatten({0}, 1, 2)", a.reshape(2, 24, 5)),
        ("f.cosine_similarity({0} + 1, {0}[:1] + 2, axis=-1)", a[..., 0]),
        ("f.pairwise_distance({0} + 1.5, {0}[::-1] * 0.3)", a[..., 0]),
    ]  # fmt: skip
    if b.dtype == "float32":
        forms = [form for form in forms if "np.full" not in form[0]]
    text, like = b.rng.choice(forms)
    call(b, text, y, w, like=like)


def losses(b: Builder, x: Ref, v: Value) -> None:
    n, c = b.rng.choice([(3, 2), (1, 4), (4, 3)])
    y = b.emit("add", b.fit((n, c)), b.spread((n, c)), shape=(n, c), bound=4, template="{0} + {1}")
    t = b.source("index", (n,), kind="integers", low=0.0, high=float(c), dtype="int64")
    w = b.source("array", (c,), low=0.2, high=1.0)
    p = b.source("array", (n, c), low=0.1, high=0.9)
    each = np.ones(n)
    forms = [
        ("f.cross_entropy({0}, {1}, weight={2}, reduction='none')", each),
        ("f.cross_entropy({0}, {1}, ignore_index=0, reduction='sum')", 0.0),
        ("f.cross_entropy({0}, {3} / {3}.sum(1, keepdims=True))", 0.0), ("f.cross_entropy({0}.T, {1}, axis=0)", 0.0),
        ("f.cross_entropy({0}, {1}, weight={2}, label_smoothing=0.2)", 0.0),
        ("f.nll_loss(f.log_softmax({0}), {1}, weight={2})", 0.0), ("f.mse_loss({0}, {3}, weight={3})", 0.0),
        ("f.binary_cross_entropy(f.sigmoid({0}), {3})", 0.0),
        ("f.binary_cross_entropy_with_logits({0}, {3}, reduction='none')", np.ones((n, c))),
        ("f.kl_div(f.log_softmax({0}), np.log({3}), log_target=True, reduction='batchmean')", 0.0),
        ("f.smooth_l1_loss({0}, {3} - 3)", 0.0), ("f.huber_loss({0}, {3} * 2, delta=0.5137)", 0.0),
        ("f.gaussian_nll_loss({0}, {3}, {3})", 0.0), ("f.poisson_nll_loss({0}, {3})", 0.0),
        ("f.soft_margin_loss({0}, np.sign({3} - 0.5))", 0.0), ("f.multi_margin_loss({0}, {1})", 0.0),
        ("f.triplet_margin_loss({0}, {3}, {3} + 2)", 0.0),
        ("f.embedding({1}, {0}[:{0}.shape[1]].T)", np.ones((n, min(n, c)))),
        ("f.margin_ranking_loss({0}, {3}, np.sign({3} - 0.51), margin=0.3137)", 0.0),
        ("f.hinge_embedding_loss({0}, np.sign({3} - 0.51), margin=0.9137)", 0.0),
        ("f.cosine_embedding_loss({0} + 1, {3}, np.sign({3}[:, 0] - 0.51), margin=0.1)", 0.0),
    ]  # fmt: skip
    text, like = b.rng.choice(forms)
    call(b, text, y, t, w, p, like=like, bound=20.0)


def conversions(b: Builder, x: Ref, v: Value) -> None:
    a = _ones(v)
    other = "float32" if b.dtype == "float64" else "float64"
    forms = [
        (f"{{0}}.astype({b.dtype!r}) * 2", a), ("{0}.clone()", a), ("np.copy({0})", a), ("zen.asarray({0}) * 1.5", a),
        ("{0}.copy() + np.float64(0.5)", a), ("{0} * np.ones((), 'int8')", a), ("{0} + np.arange({0}.shape[-1])", a),
        ("{0} * True", a), ("{0} * np.ones({0}.shape, bool)", a), ("np.zeros_like({0}) + {0}", a),
        ("{0}.reshape({0}.shape[::-1]).T * 2", a),
        ("sum([{0}, {0} * 2], start=0)", a),
    ]  # fmt: skip
    if b.dtype == "float32":
        forms.append((f"({{0}}.astype({other!r}) * 0.5).astype('float32')", a))
    text, like = b.rng.choice(forms)
    b.frozen.add(v.group)
    y = call(b, text, x, like=like, bound=2 * v.bound + 6)
    b.frozen.add(b.values[y].group)


def attention(b: Builder, x: Ref, v: Value) -> None:
    q, k, w = b.fit((2, 4, 3, 2)), b.fit((2, 2, 5, 2)), b.fit((2, 2, 5, 3))
    mask = b.source("array", (3, 5), kind="bool", dtype="bool")
    like = np.ones((2, 4, 3, 3))
    text = "f.scaled_dot_product_attention({0}, {1}, {2}, enable_gqa=True)"
    if b.rng.random() < 0.5:
        q, text = b.fit((2, 2, 3, 2)), "f.scaled_dot_product_attention({0}, {1}, {2}, {3} | np.eye(3, 5, dtype=bool))"
        like = np.ones((2, 2, 3, 3))
    call(b, text, q, k, w, mask, like=like)
