"""MultiheadAttention: attention over several projections of the input, with PyTorch's parameters and arguments."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import f
from ..backend import Tensor, apply
from ..dtypes import BOOLEAN, FLOATING, INTEGER
from ..ops.attention import ATTENTION, SELF_ATTENTION, kept, weights_of
from ..ops.operands import operand, raw
from . import init
from .linear import Linear, floating, sizes
from .module import Module
from .parameter import Parameter

if TYPE_CHECKING:
    from numpy.typing import DTypeLike

    from ..typing import ArrayLike


class MultiheadAttention(Module):
    """Projections of query, key and value cut into heads, attention in each, and a projection of the heads together.

    embed_dim: length of the last axis of query and result; num_heads divides it. dropout: on the weights, while
    training. bias: False leaves the projections' biases out. kdim, vdim: lengths of the last axes of key and value,
    embed_dim if None. batch_first: inputs are (batch, rows, width) instead of (rows, batch, width); both may lack the
    batch. dtype: of the parameters, float32 by default. add_bias_kv: one more key and value, which are parameters,
    behind the others. add_zero_attn: one more key and value of zeros behind those. Both are seen by every query.

    Called with (query, key, value): key_padding_mask (batch, keys) and attn_mask (queries, keys) or (batch * num_heads,
    queries, keys) hold bools, True where a key must NOT be seen (the reverse of scaled_dot_product_attention), or
    floats that are added. is_causal: a query sees the keys up to its own place; beside an attn_mask it is a hint, and
    the mask decides. Returns (output, weights): weights are (batch, queries, keys), the mean over the heads, or one
    matrix for each with average_attn_weights=False, and None with need_weights=False, which is faster. A query that may
    see no key gets zeros from every head. Raises ValueError for shapes that do not fit, TypeError for masks of other
    dtypes. Vaswani et al. 2017, section 3.2.2.

    >>> attention = zen.nn.MultiheadAttention(8, 2, batch_first=True)
    >>> x = np.ones((3, 5, 8), np.float32)
    >>> output, weights = attention(x, x, x)
    >>> output.shape, weights.shape
    ((3, 5, 8), (3, 5, 5))
    """

    in_proj_weight: Parameter | None
    in_proj_bias: Parameter | None
    bias_k: Parameter | None
    bias_v: Parameter | None

    def __init__(
        self, embed_dim: int, num_heads: int, dropout: float = 0.0, bias: bool = True, add_bias_kv: bool = False,
        add_zero_attn: bool = False, kdim: int | None = None, vdim: int | None = None, batch_first: bool = False,
        *, dtype: DTypeLike | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        sizes("MultiheadAttention", embed_dim=embed_dim, num_heads=num_heads)
        if embed_dim % num_heads:
            raise ValueError(f"MultiheadAttention: embed_dim {embed_dim} must be a multiple of num_heads {num_heads}")
        if not 0 <= dropout < 1:
            raise ValueError(f"MultiheadAttention: dropout is a probability, at least 0 and less than 1; got {dropout}")
        self.embed_dim, self.num_heads, self.dropout, self.batch_first = embed_dim, num_heads, dropout, batch_first
        self.kdim, self.vdim = embed_dim if kdim is None else kdim, embed_dim if vdim is None else vdim
        sizes("MultiheadAttention", kdim=self.kdim, vdim=self.vdim)
        self.head_dim, dtype = embed_dim // num_heads, floating("MultiheadAttention", dtype)
        packed = self.kdim == self.vdim == embed_dim
        shapes: dict[str, tuple[int, int] | None] = {
            "q_proj_weight": None if packed else (embed_dim, embed_dim),
            "k_proj_weight": None if packed else (embed_dim, self.kdim),
            "v_proj_weight": None if packed else (embed_dim, self.vdim),
            "in_proj_weight": (3 * embed_dim, embed_dim) if packed else None,
        }
        for name, shape in shapes.items():
            self.register_parameter(name, None if shape is None else Parameter(np.empty(shape, dtype)))
        self.register_parameter("in_proj_bias", Parameter(np.empty(3 * embed_dim, dtype)) if bias else None)
        for name in ("bias_k", "bias_v"):
            self.register_parameter(name, Parameter(np.empty((1, 1, embed_dim), dtype)) if add_bias_kv else None)
        self.add_zero_attn, self._extra = add_zero_attn, bool(add_bias_kv) + bool(add_zero_attn)
        self.out_proj = Linear(embed_dim, embed_dim, bias, dtype=dtype)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the projections by Glorot's rule, evenly (bias_k, bias_v normally); biases become zero."""
        for name in ("q_proj_weight", "k_proj_weight", "v_proj_weight", "in_proj_weight"):
            if (weight := self.__dict__[name]) is not None:
                init.xavier_uniform_(weight)
        for bias in (self.in_proj_bias, self.out_proj.bias):
            if bias is not None:
                init.zeros_(bias)
        for row in (self.bias_k, self.bias_v):
            if row is not None:
                init.xavier_normal_(row)

    def forward(
        self, query: Any, key: Any, value: Any, key_padding_mask: ArrayLike | None = None, need_weights: bool = True,
        attn_mask: ArrayLike | None = None, average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[Tensor, Any]:  # fmt: skip
        same = query is key and key is value
        query, key, value = (operand("MultiheadAttention", x) for x in (query, key, value))
        batched = self._check(query, key, value)
        if not batched:
            axis = 0 if self.batch_first else 1
            query, key, value = (f.expand_dims(x, axis) for x in (query, key, value))
        rows = 1 if self.batch_first else 0
        shape = (query.shape[1 - rows], self.num_heads, query.shape[rows], key.shape[rows])
        causal = is_causal and attn_mask is None
        if causal and self._extra:  # the extra keys are behind the last place, and seen all the same
            attn_mask, causal = np.triu(np.ones(shape[2:], bool), 1), False
        mask = self._mask(attn_mask, key_padding_mask, shape, query.dtype, batched)
        keep, factor = kept((*shape[:3], shape[3] + self._extra), self.dropout if self.training else 0.0)
        weights = None
        if same and not need_weights and self.in_proj_weight is not None and not self._extra:
            qkv = f.linear(query, self.in_proj_weight, self.in_proj_bias)
            out = apply(SELF_ATTENTION, (qkv, mask, keep), (self.num_heads, self.batch_first, causal, factor))
        else:
            q, k, v = self._projected(query, key, value)
            scale = 1 / math.sqrt(self.head_dim)
            if need_weights:
                weights = weights_of(q, k, mask, scale, causal)
                if keep is not None:
                    weights = weights * (keep * weights.dtype.type(factor))
                out = f.matmul(weights, v)
                weights = f.mean(weights, 1) if average_attn_weights else weights
            else:
                out = apply(ATTENTION, (q, k, v, mask, keep), (scale, causal, factor))
            out = f.permute_dims(out, (0, 2, 1, 3) if self.batch_first else (2, 0, 1, 3))
            out = f.reshape(out, (*query.shape[:2], self.embed_dim))
        out = self.out_proj(out)
        if batched:
            return out, weights
        return f.squeeze(out, 0 if self.batch_first else 1), None if weights is None else f.squeeze(weights, 0)

    def _check(self, query: Any, key: Any, value: Any) -> bool:
        """Whether the inputs have a batch; ValueError unless they fit one another and the layer."""
        shapes = f"MultiheadAttention: query {tuple(query.shape)}, key {tuple(key.shape)}, value {tuple(value.shape)}"
        if query.ndim not in (2, 3) or not query.ndim == key.ndim == value.ndim:
            raise ValueError(f"{shapes}: all need three axes, or two without a batch")
        for name, x, width in (("query", query, self.embed_dim), ("key", key, self.kdim), ("value", value, self.vdim)):
            if x.shape[-1] != width:
                raise ValueError(f"{shapes}: the last axis of {name} must have {width} elements")
        if query.ndim == 3:
            axis = 0 if self.batch_first else 1
            if query.shape[axis] != key.shape[axis]:
                raise ValueError(
                    f"{shapes}: the batches (axis {axis}, as batch_first={self.batch_first}) have "
                    f"{query.shape[axis]} and {key.shape[axis]} members"
                )
        if key.shape[:-1] != value.shape[:-1]:
            raise ValueError(f"{shapes}: key and value must agree in all but the last axis")
        return bool(query.ndim == 3)

    def _projected(self, query: Any, key: Any, value: Any) -> list[Any]:
        """Query, key and value as (batch, heads, rows, head_dim)."""
        n, weight, bias, found = self.embed_dim, self.in_proj_weight, self.in_proj_bias, []
        for i, (name, x) in enumerate((("q", query), ("k", key), ("v", value))):
            w = getattr(self, f"{name}_proj_weight") if weight is None else weight[i * n : (i + 1) * n]
            y = f.linear(x, w, None if bias is None else bias[i * n : (i + 1) * n])
            y = f.reshape(y, (*x.shape[:2], self.num_heads, self.head_dim))
            found.append(f.permute_dims(y, (0, 2, 1, 3) if self.batch_first else (1, 2, 0, 3)))
        return self._lengthened(*found) if self._extra else found

    def _lengthened(self, q: Any, k: Any, v: Any) -> list[Any]:
        """Key and value with the rows that add_bias_kv and add_zero_attn put behind them."""
        shape = (*k.shape[:2], 1, self.head_dim)
        for bias in (self.bias_k, self.bias_v):
            row = None if bias is None else f.reshape(bias, (1, self.num_heads, 1, self.head_dim))
            rows: list[Any] = [] if row is None else [f.broadcast_to(row, shape)]
            rows += [np.zeros(shape, k.dtype)] if self.add_zero_attn else []
            k, v = v, f.concat([k, *rows], 2)  # after two rounds, each in its place again
        return [q, k, v]

    def _mask(self, attn_mask: Any, padding: Any, shape: tuple[int, int, int, int], dtype: Any, batched: bool) -> Any:
        """Both masks as one that broadcasts to the weights, of floats to be added or of bools, True: takes part."""
        batch, heads, queries, keys = shape
        found = []
        if attn_mask is not None:
            wanted = {2: (queries, keys), 3: (batch * heads, queries, keys)}
            mask = _checked("attn_mask", attn_mask, tuple(wanted.values()), dtype)
            found.append(mask if mask.ndim == 2 else f.reshape(mask, shape))
        if padding is not None:
            mask = _checked("key_padding_mask", padding, ((batch, keys),) if batched else ((keys,),), dtype)
            found.append(f.reshape(mask, (batch, 1, 1, keys)))
        if not found:
            return None
        if self._extra:  # the extra keys are never hidden
            found = [f.concat([m, np.zeros((*m.shape[:-1], self._extra), m.dtype)], -1) for m in found]
        if all(mask.dtype in BOOLEAN for mask in found):
            refused = [raw(mask) for mask in found]
            return ~(refused[0] if len(refused) == 1 else refused[0] | refused[1])
        added = [m if m.dtype in FLOATING else np.where(raw(m), -np.inf, 0.0).astype(dtype) for m in found]
        return added[0] if len(added) == 1 else added[0] + added[1]

    def extra_repr(self) -> str:
        return f"{self.embed_dim}, {self.num_heads}, dropout={self.dropout}, batch_first={self.batch_first}"


def _checked(name: str, mask: Any, shapes: tuple[tuple[int, ...], ...], dtype: Any) -> Any:
    mask = operand("MultiheadAttention", mask)
    if mask.dtype in INTEGER:
        raise TypeError(
            f"MultiheadAttention: {name} must hold bools (True: not seen) or floats (added), not {mask.dtype}"
        )
    if tuple(mask.shape) not in shapes:
        wanted = " or ".join(str(s) for s in shapes)
        raise ValueError(f"MultiheadAttention: {name} has shape {tuple(mask.shape)}; these inputs need {wanted}")
    if mask.dtype in FLOATING and mask.dtype != dtype and not isinstance(mask, Tensor):
        mask = mask.astype(dtype)
    return mask
