"""Scaled dot-product attention as one operation, on heads and on the packed projection of a self-attention layer.

Dropout is drawn from `zen.random`. `zen/nn/attention.py` calls the second. Vaswani et al. 2017, "Attention Is All You
Need", section 3.2.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import backend, random
from ..backend import Shaped, Tensor, apply
from ..batched import Batched
from ..dtypes import BOOLEAN, FLOATING, INTEGER
from .operands import constant, operand, raw
from .register import define, public
from .register import tensors as f
from .row import row
from .shape import broadcast_to, reshape

# --- compositions


def _repeated(x: Any, heads: int) -> Any:
    """Every head of x as often as queries share it."""
    batch, own, rows, depth = x.shape
    if own == heads:
        return x
    wide = broadcast_to(reshape(x, (batch, own, 1, rows, depth)), (batch, own, heads // own, rows, depth))
    return reshape(wide, (batch, heads, rows, depth))


def weights_of(q: Any, k: Any, mask: Any, scale: float, causal: bool) -> Any:
    """softmax(scale * q @ k.T + mask), with zeros for a query that no key is allowed to."""
    scores = f.matmul(q, f.permute_dims(_repeated(k, q.shape[1]), (0, 1, 3, 2))) * scale
    if mask is not None:
        allowed = mask if type(mask) is Batched else raw(mask)
        scores = f.where(allowed, scores, -np.inf) if mask.dtype in BOOLEAN else scores + mask
    if causal:
        scores = f.where(np.tri(*scores.shape[-2:], dtype=bool), scores, -np.inf)
    if type(scores) is Batched:
        none: Any = f.equal(f.max(scores, (3,), True), -np.inf) if scores.shape[3] else np.True_
    else:
        none = np.max(raw(scores), axis=-1, keepdims=True, initial=-np.inf) == -np.inf
        if not none.any():
            return f.softmax(scores, 3)
    return f.where(none, 0.0, f.softmax(f.where(none, 0.0, scores), 3))


def _composed(q: Any, k: Any, v: Any, mask: Any, keep: Any, scale: float, causal: bool, factor: float) -> Any:
    weights = weights_of(q, k, mask, scale, causal)
    if keep is not None:
        weights = weights * (raw(keep) * weights.dtype.type(factor))
    return f.matmul(weights, _repeated(v, q.shape[1]))


def _split(qkv: Any, heads: int, batch_first: bool) -> Any:
    """The packed projection (batch, rows, 3 * width) as an array or Tensor (3, batch, heads, rows, depth)."""
    a, b, width = qkv.shape
    order = (2, 0, 3, 1, 4) if batch_first else (2, 1, 3, 0, 4)
    shape = (a, b, 3, heads, width // 3 // heads)
    if isinstance(qkv, np.ndarray):
        return qkv.reshape(shape).transpose(order)
    return f.permute_dims(reshape(qkv, shape), order)


def _composed_packed(qkv: Any, mask: Any, keep: Any, heads: int, batch_first: bool, causal: bool, factor: float) -> Any:
    parts = _split(qkv, heads, batch_first)
    scale = 1 / math.sqrt(parts.shape[-1])
    out = _composed(parts[0], parts[1], parts[2], mask, keep, scale, causal, factor)
    rows = f.permute_dims(out, (0, 2, 1, 3) if batch_first else (2, 0, 1, 3))
    return reshape(rows, (*qkv.shape[:2], qkv.shape[2] // 3))


# --- kernels


def _like(a: Any) -> Any:
    """Room for the gradient of a, its heads beside one another in memory where those of a are."""
    batch, heads, rows, depth = a.shape
    if a.strides[1] < a.strides[2]:
        return backend.kernels.memory.empty((batch, rows, heads, depth), a.dtype).transpose(0, 2, 1, 3)
    return backend.kernels.memory.empty(a.shape, a.dtype)


def _allowed(mask: Any, q: Any, k: Any) -> Any:
    if mask is None:
        return None
    return np.broadcast_to(mask, (*q.shape[:3], k.shape[2]))


def _kept(keep: Any) -> Any:
    return None if keep is None else np.ascontiguousarray(keep)


def _run(
    q: Any, k: Any, v: Any, mask: Any, keep: Any, out: Any, scale: float, causal: bool, factor: float, read: bool
) -> Any:
    """Writes the result to `out`; returns the weights if they will be read and there are any, else None."""
    if not out.size or not k.size:
        out[...] = 0
        return None
    return backend.kernels.attention.attention_forward(
        q, k, v, _allowed(mask, q, k), _kept(keep), scale, factor, causal, out, read
    )  # fmt: skip


def _forward(
    q: Any, k: Any, v: Any, mask: Any, keep: Any, scale: float, causal: bool, factor: float, read: bool
) -> tuple[Any, Any]:
    batch, heads, rows, _ = q.shape
    out = backend.kernels.memory.empty((batch, rows, heads, v.shape[3]), q.dtype).transpose(0, 2, 1, 3)
    return out, _run(q, k, v, mask, keep, out, scale, causal, factor, read)


def _vjp(
    g: Any, args: tuple[Any, ...], results: tuple[Any, Any], wanted: tuple[bool, ...], scale: float, causal: bool,
    factor: float,
) -> tuple[Any, ...]:  # fmt: skip
    (q, k, v, mask, keep), (_, weights) = args, results
    if weights is None:
        return tuple([np.zeros_like(a) if asked else None for a, asked in zip(args, wanted, strict=True)])
    dq, dk, dv = (_like(a) if asked else None for a, asked in zip((q, k, v), wanted, strict=False))
    ds = np.empty_like(weights) if wanted[3] else None
    backend.kernels.attention.attention_backward(g, q, k, v, weights, _kept(keep), scale, factor, dq, dk, dv, ds)
    return dq, dk, dv, backend.unbroadcast(ds, mask.shape) if wanted[3] else None, None


def _jvp(
    t: tuple[Any, ...], args: tuple[Any, ...], results: tuple[Any, Any], scale: float, causal: bool, factor: float
) -> Any:
    """From the weights that were kept; a softmax's derivative is symmetric."""
    (q, k, v, _, keep), (_, weights) = args, results
    dq, dk, dv, dmask, _ = t
    if weights is None or k.shape[1] != q.shape[1]:
        return NotImplemented
    moved = None
    for a, b in ((dq, k), (q, dk)):
        if a is not None and b is not None:
            part = _product(a, b.swapaxes(2, 3))
            moved = part if moved is None else np.add(moved, part, out=moved)
    if moved is not None:
        moved *= scale
    if dmask is not None:
        moved = np.array(np.broadcast_to(dmask, weights.shape)) if moved is None else np.add(moved, dmask, out=moved)
    total = None if dv is None else _product(_dropped(weights, keep, factor), dv)
    if moved is None:
        return total
    moved *= weights
    means = np.add.reduce(moved, axis=3, keepdims=True)
    moved -= np.multiply(weights, means, out=backend.kernels.memory.empty(weights.shape, weights.dtype))
    found = _product(_dropped(moved, keep, factor), v)
    return found if total is None else np.add(total, found, out=total)


def _product(a: Any, b: Any) -> Any:
    """a @ b in memory that the engine keeps."""
    return np.matmul(a, b, out=backend.kernels.memory.empty((*a.shape[:3], b.shape[3]), a.dtype))


def _dropped(weights: Any, keep: Any, factor: float) -> Any:
    return weights if keep is None else weights * (keep * weights.dtype.type(factor))


def _packed_forward(
    qkv: Any, mask: Any, keep: Any, heads: int, batch_first: bool, causal: bool, factor: float, read: bool
) -> tuple[Any, Any]:
    q, k, v = _split(qkv, heads, batch_first)
    out = backend.kernels.memory.empty((*qkv.shape[:2], qkv.shape[2] // 3), qkv.dtype)
    view = _heads(out, heads, batch_first)
    return out, _run(q, k, v, mask, keep, view, 1 / math.sqrt(q.shape[-1]), causal, factor, read)


def _heads(x: Any, heads: int, batch_first: bool) -> Any:
    """An array (batch, rows, width) as (batch, heads, rows, depth)."""
    a, b, width = x.shape
    return x.reshape(a, b, heads, width // heads).transpose((0, 2, 1, 3) if batch_first else (1, 2, 0, 3))


def _packed_vjp(
    g: Any, args: tuple[Any, ...], results: tuple[Any, Any], wanted: tuple[bool, ...], heads: int, batch_first: bool,
    causal: bool, factor: float,
) -> tuple[Any, ...]:  # fmt: skip
    (qkv, mask, keep), (_, weights) = args, results
    if weights is None:
        return tuple([np.zeros_like(a) if asked else None for a, asked in zip(args, wanted, strict=True)])
    q, k, v = _split(qkv, heads, batch_first)
    found = backend.kernels.memory.empty(qkv.shape, qkv.dtype)
    dq, dk, dv = _split(found, heads, batch_first)
    ds = np.empty_like(weights) if wanted[1] else None
    backend.kernels.attention.attention_backward(
        _heads(g, heads, batch_first), q, k, v, weights, _kept(keep), 1 / math.sqrt(q.shape[-1]), factor, dq, dk, dv, ds
    )
    return found, backend.unbroadcast(ds, mask.shape) if wanted[1] else None, None


def _packed_jvp(
    t: tuple[Any, ...], args: tuple[Any, ...], results: tuple[Any, Any], heads: int, batch_first: bool, causal: bool,
    factor: float,
) -> Any:  # fmt: skip
    qkv, mask, keep = args
    parts = _split(qkv, heads, batch_first)
    moving = (None,) * 3 if t[0] is None else _split(t[0], heads, batch_first)
    scale = 1 / math.sqrt(parts.shape[-1])
    found = _jvp((*moving, *t[1:]), (*parts, mask, keep), results, scale, causal, factor)
    if found is NotImplemented:
        return found
    rows = found.transpose((0, 2, 1, 3) if batch_first else (2, 0, 1, 3))
    return rows.reshape((*qkv.shape[:2], qkv.shape[2] // 3))


# --- what tests draw


def _draws(rng: np.random.Generator) -> list[Any]:
    def heads(*shape: int) -> Any:
        return rng.normal(size=shape)

    allowed = np.array([[True, False, True], [False, False, False]])  # the second query: none
    plain = 0.5, False, 1.0
    return [
        ((heads(2, 2, 3, 2), heads(2, 2, 4, 2), heads(2, 2, 4, 3), None, None), plain),
        ((heads(1, 4, 2, 2), heads(1, 2, 2, 2), heads(1, 2, 2, 1), heads(1, 1, 1, 2), None), plain),
        ((heads(2, 1, 2, 2), heads(2, 1, 3, 2), heads(2, 1, 3, 2), allowed, None), plain),
        ((heads(1, 2, 3, 1), heads(1, 2, 3, 1), heads(1, 2, 3, 1), None, None), (0.5, True, 1.0)),
        ((heads(1, 2, 2, 2), heads(1, 2, 3, 2), heads(1, 2, 3, 2), None, rng.random((1, 2, 2, 3)) < 0.6),
         (0.5, False, 1 / 0.6)),
        ((heads(0, 2, 3, 2), heads(0, 2, 4, 2), heads(0, 2, 4, 3), None, None), plain),
        ((heads(1, 1, 2, 2), heads(1, 1, 0, 2), heads(1, 1, 0, 3), None, None), plain),
    ]  # fmt: skip


def _packed_draws(rng: np.random.Generator) -> list[Any]:
    return [
        ((rng.normal(size=(2, 3, 12)), None, None), (2, True, False, 1.0)),
        ((rng.normal(size=(3, 2, 6)), rng.normal(size=(2, 1, 3, 3)), None), (2, False, False, 1.0)),
        ((rng.normal(size=(1, 2, 6)), None, rng.random((1, 2, 2, 2)) < 0.6), (2, True, True, 2.0)),
    ]


ATTENTION = define(row(
    "scaled_dot_product_attention", "q k v mask? keep?", _forward, _vjp, params="scale causal factor",
    workspace="weights", jvp=_jvp, composition=_composed,
    shape=lambda q, k, v, *rest: Shaped((*q.shape[:3], v.shape[3]), q.dtype), domain=_draws,
    doc="softmax(scale * q @ k.T + mask) @ v for every head; `keep` says which weights dropout keeps, times `factor`.",
))  # fmt: skip
SELF_ATTENTION = define(row(
    "self_attention", "qkv mask? keep?", _packed_forward, _packed_vjp, params="heads batch_first causal factor",
    workspace="weights", jvp=_packed_jvp, composition=_composed_packed,
    shape=lambda qkv, *rest: Shaped((*qkv.shape[:2], qkv.shape[2] // 3), qkv.dtype), domain=_packed_draws,
    doc="Attention of a sequence to itself, from the packed projection to queries, keys and values.",
))  # fmt: skip


# --- the public function

_NAME = "scaled_dot_product_attention"


@public("", None)
def scaled_dot_product_attention(
    query: Any, key: Any, value: Any, attn_mask: Any = None, dropout_p: float = 0.0, is_causal: bool = False,
    scale: float | None = None, enable_gqa: bool = False, *, generator: np.random.Generator | None = None,
) -> Any:  # fmt: skip
    """softmax(scale * query @ key.T + mask) @ value: every query's mean of the values, weighted by how its key fits.

    query: (..., L, E); key: (..., S, E); value: (..., S, V), of one floating dtype; leading axes broadcast. The result
    is (..., L, V). attn_mask: bools, True where a query (axis -2) may see a key (axis -1), or floats that are added to
    the scores; broadcast to (..., L, S). is_causal: query i sees keys 0 to i; not together with a mask. A query that
    may see no key gets zeros, and so do its gradients. dropout_p: probability with which a weight is set to zero, the
    others being divided by 1 - dropout_p; always applied, so pass 0 when not training. scale: 1 / sqrt(E) if None.
    enable_gqa: query may have a multiple of the heads (axis -3) of key and value, each of which serves as many queries
    in a row. Between the passes the weights are kept, and no second array of their size.

    Raises ValueError for shapes that do not fit, for a mask with is_causal and for a probability outside [0, 1);
    TypeError for dtypes. Vaswani et al. 2017, section 3.2.1; the names are PyTorch's.

    >>> x = np.eye(2)
    >>> zen.f.scaled_dot_product_attention(x, x, x, is_causal=True)[0].tolist()
    [1.0, 0.0]
    """
    q, k, v = (operand(_NAME, x) for x in (query, key, value))
    q, k, v, lead = _fitted(q, k, v, enable_gqa)
    mask = _mask(attn_mask, q, (*lead, q.shape[-2], k.shape[-2]), is_causal)
    scale = 1 / math.sqrt(max(q.shape[-1], 1)) if scale is None else float(constant(_NAME, "scale", scale))
    q, k, v = (x if x.ndim == 4 else reshape(x, (*_two(x.shape[:-2]), *x.shape[-2:])) for x in (q, k, v))
    keep, factor = kept((*q.shape[:3], k.shape[2]), dropout_p, generator)
    out = apply(ATTENTION, (q, k, v, mask, keep), (scale, bool(is_causal), factor))
    return out if len(lead) == 2 else reshape(out, (*lead, *out.shape[-2:]))


def kept(
    shape: tuple[int, ...], p: float, generator: np.random.Generator | None = None
) -> tuple[np.ndarray | None, float]:
    """Which weights dropout keeps (None: all of them), and what it multiplies them by."""
    p = constant(_NAME, "dropout_p", p)
    if not 0 <= p < 1:
        raise ValueError(f"{_NAME}: dropout_p is the probability of a zero, at least 0 and less than 1; got {p}")
    if p == 0:
        return None, 1.0
    return random.stream(generator).random(shape, np.float32) >= p, 1 / (1 - p)


def _two(lead: tuple[int, ...]) -> tuple[int, int]:
    """Leading axes as a batch and a number of heads."""
    return (1, 1) if not lead else (math.prod(lead[:-1]), lead[-1]) if len(lead) > 1 else (lead[0], 1)


def _fitted(q: Any, k: Any, v: Any, grouped: bool) -> tuple[Any, Any, Any, tuple[int, ...]]:
    """The three with their leading axes broadcast, and those of the result."""
    shapes = f"{_NAME}: query {tuple(q.shape)}, key {tuple(k.shape)} and value {tuple(v.shape)}"
    if min(q.ndim, k.ndim, v.ndim) < 2:
        raise ValueError(f"{shapes}: each needs at least two axes (rows, columns)")
    for name, x in (("query", q), ("key", k), ("value", v)):
        if x.dtype not in FLOATING:
            raise TypeError(f"{_NAME}: {name} must be of a floating dtype, not {x.dtype}; convert it with astype")
    if q.dtype != k.dtype or q.dtype != v.dtype:
        raise TypeError(f"{_NAME}: query, key and value must have one dtype, not {q.dtype}, {k.dtype} and {v.dtype}")
    if q.shape[-1] != k.shape[-1]:
        raise ValueError(f"{shapes}: the last axes of query ({q.shape[-1]}) and key ({k.shape[-1]}) must be equal")
    if k.shape[-2] != v.shape[-2]:
        raise ValueError(f"{shapes}: axis -2 of key ({k.shape[-2]}) and value ({v.shape[-2]}) must be equal")
    lead = [tuple(x.shape[:-2]) for x in (q, k, v)]
    if grouped and lead[0] != lead[1]:
        if lead[1] != lead[2] or len(lead[0]) != len(lead[1]) or lead[0][:-1] != lead[1][:-1]:
            raise ValueError(f"{shapes}: with enable_gqa, only the number of the query's heads (axis -3) may differ")
        if not lead[1][-1] or lead[0][-1] % lead[1][-1]:
            raise ValueError(
                f"{shapes}: with enable_gqa, {lead[0][-1]} query heads must be a multiple of {lead[1][-1]}"
            )
        return q, k, v, lead[0]
    if lead[0] == lead[1] == lead[2]:
        return q, k, v, lead[0]
    try:
        common = np.broadcast_shapes(*lead)
    except ValueError:
        hint = "; set enable_gqa=True for groups of heads" if not grouped else ""
        raise ValueError(f"{shapes}: the leading axes do not broadcast{hint}") from None
    q, k, v = (broadcast_to(x, (*common, *x.shape[-2:])) for x in (q, k, v))
    return q, k, v, common


def _mask(mask: Any, q: Any, weights: tuple[int, ...], is_causal: bool) -> Any:
    """The mask with four axes or fewer, that broadcasts to the weights as the operation has them."""
    if mask is None:
        return None
    if is_causal:
        raise ValueError(f"{_NAME}: pass attn_mask or is_causal=True, not both")
    mask = operand(_NAME, mask)
    if mask.dtype in INTEGER:
        raise TypeError(f"{_NAME}: attn_mask must hold bools (True: takes part) or floats (added), not {mask.dtype}")
    shape = tuple(mask.shape)
    try:
        fits = np.broadcast_shapes(shape, weights) == weights
    except ValueError:
        fits = False
    if not fits:
        raise ValueError(f"{_NAME}: attn_mask of shape {shape} does not broadcast to the weights' shape {weights}")
    if mask.dtype in FLOATING and mask.dtype != q.dtype and not isinstance(mask, Tensor):
        mask = mask.astype(q.dtype)
    if len(shape) <= 2 or len(weights) == 4:
        return mask
    if len(weights) == 3:
        return reshape(mask, (shape[0], 1, *shape[1:]))
    return reshape(broadcast_to(mask, (*weights[:-2], *shape[-2:])), (*_two(weights[:-2]), *shape[-2:]))
