"""Transformer: encoder and decoder, of layers of attention and a small net, with residuals and normalisations."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import backend, f
from ..ops.operands import operand
from . import init
from .attention import MultiheadAttention
from .containers import ModuleList
from .dropout import Dropout
from .linear import Linear, floating, sizes
from .module import Module
from .normalisation import LayerNorm

if TYPE_CHECKING:
    from numpy.typing import DTypeLike

    from ..backend import Tensor
    from ..typing import ArrayLike

_ACTIVATIONS: dict[str, Callable[[Any], Any]] = {"relu": f.relu, "gelu": f.gelu}


def _activation(name: str, activation: str | Callable[[Any], Any]) -> Callable[[Any], Any]:
    if callable(activation):
        return activation
    if activation not in _ACTIVATIONS:
        raise ValueError(f"{name}: activation must be 'relu', 'gelu' or a function, not {activation!r}")
    return _ACTIVATIONS[activation]


class TransformerEncoderLayer(Module):
    """Self-attention and a net of two linear layers, each added to its input and normalised.

    d_model: length of the last axis of input and result; nhead divides it. dim_feedforward: width of the net. dropout:
    on the attention's weights, in the net and on both results, while training. activation: 'relu', 'gelu' or a
    function. norm_first: normalise what goes into each part, rather than the sum that comes out. batch_first and dtype:
    as in MultiheadAttention. src: (rows, batch, d_model). src_mask (rows, rows), src_key_padding_mask (batch, rows) and
    is_causal: as in MultiheadAttention. Raises ValueError for shapes that do not fit. Vaswani et al. 2017, section 3.

    >>> layer = zen.nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
    >>> layer(zen.ones((3, 5, 8), dtype="float32")).shape
    (3, 5, 8)
    """

    def __init__(
        self, d_model: int, nhead: int, dim_feedforward: int = 2048, dropout: float = 0.1,
        activation: str | Callable[[Any], Any] = "relu", layer_norm_eps: float = 1e-5, batch_first: bool = False,
        norm_first: bool = False, bias: bool = True, *, dtype: DTypeLike | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self.self_attn = MultiheadAttention(d_model, nhead, dropout, bias, batch_first=batch_first, dtype=dtype)
        self.linear1 = Linear(d_model, dim_feedforward, bias, dtype=dtype)
        self.dropout = Dropout(dropout)
        self.linear2 = Linear(dim_feedforward, d_model, bias, dtype=dtype)
        self.norm_first = norm_first
        self.norm1 = LayerNorm(d_model, layer_norm_eps, bias=bias, dtype=dtype)
        self.norm2 = LayerNorm(d_model, layer_norm_eps, bias=bias, dtype=dtype)
        self.dropout1, self.dropout2 = Dropout(dropout), Dropout(dropout)
        self.activation = _activation("TransformerEncoderLayer", activation)

    def forward(
        self, src: ArrayLike, src_mask: ArrayLike | None = None, src_key_padding_mask: ArrayLike | None = None,
        is_causal: bool = False,
    ) -> Tensor:  # fmt: skip
        x: Any = src
        if self.norm_first:
            x = x + self._attended(self.norm1(x), src_mask, src_key_padding_mask, is_causal)
            out: Tensor = x + self._fed(self.norm2(x))
            return out
        x = self.norm1(x + self._attended(x, src_mask, src_key_padding_mask, is_causal))
        return self.norm2(x + self._fed(x))

    def _attended(self, x: Any, mask: Any, padding: Any, is_causal: bool) -> Tensor:
        return self.dropout1(self.self_attn(x, x, x, padding, False, mask, is_causal=is_causal)[0])

    def _fed(self, x: Any) -> Tensor:
        return self.dropout2(self.linear2(self.dropout(self.activation(self.linear1(x)))))


class TransformerDecoderLayer(Module):
    """As TransformerEncoderLayer, with a second attention whose keys and values are `memory`, an encoder's result.

    tgt: (rows, batch, d_model); memory: (others, batch, d_model). tgt_mask and tgt_key_padding_mask are for the first
    attention, memory_mask and memory_key_padding_mask for the second; tgt_is_causal and memory_is_causal likewise.

    >>> layer = zen.nn.TransformerDecoderLayer(8, 2, 16, batch_first=True)
    >>> layer(zen.ones((3, 5, 8), dtype="float32"), zen.ones((3, 7, 8), dtype="float32")).shape
    (3, 5, 8)
    """

    def __init__(
        self, d_model: int, nhead: int, dim_feedforward: int = 2048, dropout: float = 0.1,
        activation: str | Callable[[Any], Any] = "relu", layer_norm_eps: float = 1e-5, batch_first: bool = False,
        norm_first: bool = False, bias: bool = True, *, dtype: DTypeLike | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self.self_attn = MultiheadAttention(d_model, nhead, dropout, bias, batch_first=batch_first, dtype=dtype)
        self.multihead_attn = MultiheadAttention(d_model, nhead, dropout, bias, batch_first=batch_first, dtype=dtype)
        self.linear1 = Linear(d_model, dim_feedforward, bias, dtype=dtype)
        self.dropout = Dropout(dropout)
        self.linear2 = Linear(dim_feedforward, d_model, bias, dtype=dtype)
        self.norm_first = norm_first
        for k in (1, 2, 3):
            setattr(self, f"norm{k}", LayerNorm(d_model, layer_norm_eps, bias=bias, dtype=dtype))
        for k in (1, 2, 3):
            setattr(self, f"dropout{k}", Dropout(dropout))
        self.activation = _activation("TransformerDecoderLayer", activation)

    def forward(
        self, tgt: ArrayLike, memory: ArrayLike, tgt_mask: ArrayLike | None = None,
        memory_mask: ArrayLike | None = None, tgt_key_padding_mask: ArrayLike | None = None,
        memory_key_padding_mask: ArrayLike | None = None, tgt_is_causal: bool = False, memory_is_causal: bool = False,
    ) -> Tensor:  # fmt: skip
        own = self.__dict__

        def attended(x: Any) -> Any:
            found = self.self_attn(x, x, x, tgt_key_padding_mask, False, tgt_mask, is_causal=tgt_is_causal)
            return own["dropout1"](found[0])

        def looked_up(x: Any) -> Any:
            found = self.multihead_attn(
                x, memory, memory, memory_key_padding_mask, False, memory_mask, is_causal=memory_is_causal
            )
            return own["dropout2"](found[0])

        def fed(x: Any) -> Any:
            return own["dropout3"](self.linear2(self.dropout(self.activation(self.linear1(x)))))

        x: Any = tgt
        for k, part in enumerate((attended, looked_up, fed), 1):
            norm = own[f"norm{k}"]
            x = x + part(norm(x)) if self.norm_first else norm(x + part(x))
        out: Tensor = x
        return out


class TransformerEncoder(Module):
    """`num_layers` copies of a TransformerEncoderLayer, one after the other, and `norm` at the end if it is given.

    The copies start with the same parameters, as in PyTorch; draw them anew where that matters. enable_nested_tensor
    and mask_check are PyTorch's, and do nothing. src: as the layer's; mask, src_key_padding_mask and is_causal go to
    every layer.

    >>> encoder = zen.nn.TransformerEncoder(zen.nn.TransformerEncoderLayer(8, 2, 16), 2)
    >>> encoder(zen.ones((5, 3, 8), dtype="float32")).shape
    (5, 3, 8)
    """

    def __init__(
        self, encoder_layer: Module, num_layers: int, norm: Module | None = None, enable_nested_tensor: bool = True,
        mask_check: bool = True,
    ) -> None:  # fmt: skip
        super().__init__()
        sizes("TransformerEncoder", num_layers=num_layers)
        self.layers = ModuleList([copy.deepcopy(encoder_layer) for _ in range(num_layers)])
        self.num_layers, self.norm = num_layers, norm
        self.enable_nested_tensor, self.mask_check = enable_nested_tensor, mask_check

    def forward(
        self, src: ArrayLike, mask: ArrayLike | None = None, src_key_padding_mask: ArrayLike | None = None,
        is_causal: bool | None = None,
    ) -> Tensor:  # fmt: skip
        x: Any = src
        for layer in self.layers:
            x = layer(x, mask, src_key_padding_mask, bool(is_causal))
        out: Tensor = x if self.norm is None else self.norm(x)
        return out


class TransformerDecoder(Module):
    """`num_layers` copies of a TransformerDecoderLayer, one after the other, and `norm` at the end if it is given.

    Arguments as the layer's; all masks go to every layer.

    >>> decoder = zen.nn.TransformerDecoder(zen.nn.TransformerDecoderLayer(8, 2, 16), 2)
    >>> decoder(zen.ones((5, 3, 8), dtype="float32"), zen.ones((7, 3, 8), dtype="float32")).shape
    (5, 3, 8)
    """

    def __init__(self, decoder_layer: Module, num_layers: int, norm: Module | None = None) -> None:
        super().__init__()
        sizes("TransformerDecoder", num_layers=num_layers)
        self.layers = ModuleList([copy.deepcopy(decoder_layer) for _ in range(num_layers)])
        self.num_layers, self.norm = num_layers, norm

    def forward(
        self, tgt: ArrayLike, memory: ArrayLike, tgt_mask: ArrayLike | None = None,
        memory_mask: ArrayLike | None = None, tgt_key_padding_mask: ArrayLike | None = None,
        memory_key_padding_mask: ArrayLike | None = None, tgt_is_causal: bool | None = None,
        memory_is_causal: bool = False,
    ) -> Tensor:  # fmt: skip
        x: Any = tgt
        for layer in self.layers:
            x = layer(
                x, memory, tgt_mask, memory_mask, tgt_key_padding_mask, memory_key_padding_mask, bool(tgt_is_causal),
                memory_is_causal,
            )  # fmt: skip
        out: Tensor = x if self.norm is None else self.norm(x)
        return out


class Transformer(Module):
    """A TransformerEncoder for the source and a TransformerDecoder for the target that looks at its result.

    d_model: length of the last axis of source, target and result; nhead divides it. num_encoder_layers,
    num_decoder_layers: how many layers each has; dim_feedforward, dropout, activation, layer_norm_eps, batch_first,
    norm_first, bias and dtype: as in TransformerEncoderLayer. Both end with a LayerNorm, and all matrices are drawn by
    `init.xavier_uniform_`. custom_encoder, custom_decoder: Modules in their places, that are called alike.

    src: (rows, batch, d_model); tgt: (others, batch, d_model); or (batch, rows, d_model) with batch_first, or without
    the batch. src_mask (rows, rows), tgt_mask (others, others) and memory_mask (others, rows) say what may not be
    looked at (bools) or are added to the weights (floats); the key_padding_masks (batch, length) which rows are none;
    src_is_causal, tgt_is_causal and memory_is_causal mask what comes later. ValueError for shapes that do not fit.
    Vaswani et al. 2017.

    >>> model = zen.nn.Transformer(8, 2, 1, 1, 16)
    >>> source, target = zen.ones((5, 3, 8), dtype="float32"), zen.ones((4, 3, 8), dtype="float32")
    >>> model(source, target, tgt_mask=model.generate_square_subsequent_mask(4)).shape
    (4, 3, 8)
    """

    def __init__(
        self, d_model: int = 512, nhead: int = 8, num_encoder_layers: int = 6, num_decoder_layers: int = 6,
        dim_feedforward: int = 2048, dropout: float = 0.1, activation: str | Callable[[Any], Any] = "relu",
        custom_encoder: Module | None = None, custom_decoder: Module | None = None, layer_norm_eps: float = 1e-5,
        batch_first: bool = False, norm_first: bool = False, bias: bool = True, *, dtype: DTypeLike | None = None,
    ) -> None:  # fmt: skip
        super().__init__()

        def made(stack: Any, layer: Any, count: int) -> Any:
            one = layer(
                d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps, batch_first, norm_first, bias,
                dtype=dtype,
            )  # fmt: skip
            return stack(one, count, LayerNorm(d_model, layer_norm_eps, bias=bias, dtype=dtype))

        encoder, decoder = custom_encoder, custom_decoder
        if encoder is None:
            encoder = made(TransformerEncoder, TransformerEncoderLayer, num_encoder_layers)
        if decoder is None:
            decoder = made(TransformerDecoder, TransformerDecoderLayer, num_decoder_layers)
        self.encoder, self.decoder = encoder, decoder
        self.d_model, self.nhead, self.batch_first = d_model, nhead, batch_first
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw all matrices anew."""
        for p in self.parameters():
            if p.ndim > 1:
                init.xavier_uniform_(p)

    def forward(
        self, src: ArrayLike, tgt: ArrayLike, src_mask: ArrayLike | None = None, tgt_mask: ArrayLike | None = None,
        memory_mask: ArrayLike | None = None, src_key_padding_mask: ArrayLike | None = None,
        tgt_key_padding_mask: ArrayLike | None = None, memory_key_padding_mask: ArrayLike | None = None,
        src_is_causal: bool | None = None, tgt_is_causal: bool | None = None, memory_is_causal: bool = False,
    ) -> Tensor:  # fmt: skip
        source, target = operand("Transformer", src), operand("Transformer", tgt)
        self._check(source.shape, target.shape)
        memory = self.encoder(source, mask=src_mask, src_key_padding_mask=src_key_padding_mask, is_causal=src_is_causal)
        out: Tensor = self.decoder(
            target, memory, tgt_mask=tgt_mask, memory_mask=memory_mask, tgt_key_padding_mask=tgt_key_padding_mask,
            memory_key_padding_mask=memory_key_padding_mask, tgt_is_causal=tgt_is_causal,
            memory_is_causal=memory_is_causal,
        )  # fmt: skip
        return out

    def _check(self, source: tuple[int, ...], target: tuple[int, ...]) -> None:
        batch = 0 if self.batch_first else 1
        fits = len(source) == len(target) and len(source) in (2, 3) and source[-1] == target[-1] == self.d_model
        if not fits or (len(source) == 3 and source[batch] != target[batch]):
            form = "(batch, rows, {0})" if self.batch_first else "(rows, batch, {0})"
            raise ValueError(
                f"Transformer: src of shape {source} and tgt of shape {target}; expected {form.format(self.d_model)} "
                "for both, with one batch, or both without it"
            )

    @staticmethod
    def generate_square_subsequent_mask(sz: int, *, dtype: DTypeLike | None = None) -> Tensor:
        """A mask for sequences of `sz` rows: 0 for the rows up to the own one, -inf for those that come later.

        dtype: float32 unless told otherwise.

        >>> zen.nn.Transformer.generate_square_subsequent_mask(2).tolist()
        [[0.0, -inf], [0.0, 0.0]]
        """
        kind = floating("Transformer.generate_square_subsequent_mask", dtype)
        return backend.wrap(np.triu(np.full((sz, sz), -np.inf, kind), 1))
