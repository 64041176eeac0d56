"""Sequences of different lengths as one padded batch, and back."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from .. import f
from ..backend import Tensor
from ..dtypes import INTEGER
from ..ops.operands import constant, operand, raw


def pad_sequence(
    sequences: Iterable[Any], batch_first: bool = False, padding_value: float = 0.0, padding_side: str = "right"
) -> Tensor:
    """Sequences of different lengths, as one Tensor of the longest length.

    sequences: Tensors or arrays of shape (length, ...), equal behind the first axis. The result has the shape (longest,
    batch, ...), or (batch, longest, ...) if batch_first. padding_value: what fills the rest, at the end of the shorter
    ones, or at their start with padding_side="left". Raises ValueError for no sequence at all, shapes that do not fit
    and another side.

    >>> zen.nn.pad_sequence([zen.tensor([1.0, 2.0, 3.0]), zen.tensor([4.0])], batch_first=True).tolist()
    [[1.0, 2.0, 3.0], [4.0, 0.0, 0.0]]
    """
    found = [operand("pad_sequence", x) for x in sequences]
    if padding_side not in ("right", "left"):
        raise ValueError(f"pad_sequence: padding_side must be 'right' or 'left', not {padding_side!r}")
    if not found or not all([x.ndim and x.shape[1:] == found[0].shape[1:] for x in found]):
        raise ValueError(
            "pad_sequence: expected one sequence or more, of shapes (length, ...) that are equal behind the first "
            f"axis, not {[tuple(x.shape) for x in found]}"
        )
    longest = max([len(x) for x in found])
    filling = constant("pad_sequence", "padding_value", padding_value)
    rows = []
    for x in found:
        missing = longest - len(x)
        width = ((0, missing) if padding_side == "right" else (missing, 0), *[(0, 0)] * (x.ndim - 1))
        rows.append(f.pad(x, width, constant_values=filling) if missing else x)
    return f.stack(rows, axis=0 if batch_first else 1)


def unpad_sequence(padded_sequences: Any, lengths: Any, batch_first: bool = False) -> list[Tensor]:
    """The reverse of `pad_sequence`, of what was padded at the end: a list of sequences of these lengths.

    padded_sequences: (longest, batch, ...), or (batch, longest, ...) if batch_first. lengths: ints, one for each
    sequence. Raises ValueError for lengths that do not fit.

    >>> [x.tolist() for x in zen.nn.unpad_sequence(zen.tensor([[1.0, 2.0], [4.0, 0.0]]), [2, 1], batch_first=True)]
    [[1.0, 2.0], [4.0]]
    """
    x, sizes = operand("unpad_sequence", padded_sequences), np.asarray(raw(operand("unpad_sequence", lengths)))
    batch, longest = (0, 1) if batch_first else (1, 0)
    fits = x.ndim > 1 and sizes.shape == (x.shape[batch],) and (sizes.dtype in INTEGER or not sizes.size)
    if not fits or sizes.size and not 0 <= sizes.min() <= sizes.max() <= x.shape[longest]:
        raise ValueError(
            f"unpad_sequence: lengths {sizes.tolist()} do not fit a batch of shape {x.shape} with "
            f"batch_first={batch_first}"
        )
    return [x[k, :n] if batch_first else x[:n, k] for k, n in enumerate(sizes.tolist())]
