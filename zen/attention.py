"""Scaled dot-product attention: `zen.f.scaled_dot_product_attention`. Its dropout is drawn from `zen.random`."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from . import random
from .backend import Tensor
from .ops.attention import ATTENTION
from .ops.register import constant, operand, public
from .ops.shape import broadcast_to, reshape

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
    out = ATTENTION(q, k, v, mask, keep, scale=scale, causal=bool(is_causal), factor=factor)
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
        if x.dtype.kind != "f":
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
    if mask.dtype.kind not in "bf":
        raise TypeError(f"{_NAME}: attn_mask must hold bools (True: takes part) or floats (added), not {mask.dtype}")
    shape = tuple(mask.shape)
    try:
        fits = np.broadcast_shapes(shape, weights) == weights
    except ValueError:
        fits = False
    if not fits:
        raise ValueError(f"{_NAME}: attn_mask of shape {shape} does not broadcast to the weights' shape {weights}")
    if mask.dtype.kind == "f" and mask.dtype != q.dtype and not isinstance(mask, Tensor):
        mask = mask.astype(q.dtype)
    if len(shape) <= 2 or len(weights) == 4:
        return mask
    if len(weights) == 3:
        return reshape(mask, (shape[0], 1, *shape[1:]))
    return reshape(broadcast_to(mask, (*weights[:-2], *shape[-2:])), (*_two(weights[:-2]), *shape[-2:]))
