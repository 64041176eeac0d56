"""Dropout: `zen.f.dropout` and its forms that drop whole channels. The masks are drawn from `zen.random`."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import random
from ..backend import apply
from ..dtypes import FLOATING
from .operands import constant, operand
from .register import ROWS, public

_MULTIPLY = ROWS["multiply"]


@public("", None)
def dropout(input: Any, p: float = 0.5, training: bool = True, *, generator: np.random.Generator | None = None) -> Any:
    """x with each element set to zero with probability p, the others divided by 1 - p. Srivastava et al. 2014.

    input (x): Tensor or array of floats, of any shape. training: False returns x itself. generator: where the mask is
    drawn from, instead of zen.random's stream. Raises ValueError for a p outside [0, 1], TypeError for other dtypes.

    >>> zen.f.dropout(zen.ones(4), 0.0).tolist()
    [1.0, 1.0, 1.0, 1.0]
    """
    return _dropped("dropout", input, p, training, None, generator)


@public("", None)
def dropout1d(
    input: Any, p: float = 0.5, training: bool = True, *, generator: np.random.Generator | None = None
) -> Any:
    """x, of shape (channels, length) or (batch, channels, length), with whole channels set to zero.

    Arguments as in `dropout`; ValueError for other numbers of dimensions.

    >>> zen.f.dropout1d(zen.ones((2, 3, 4)), 1.0).sum().item()
    0.0
    """
    return _dropped("dropout1d", input, p, training, 1, generator)


@public("", None)
def dropout2d(
    input: Any, p: float = 0.5, training: bool = True, *, generator: np.random.Generator | None = None
) -> Any:
    """x, of shape (channels, height, width) or (batch, channels, height, width), with whole channels set to zero.

    Arguments as in `dropout`; ValueError for other numbers of dimensions.

    >>> zen.f.dropout2d(zen.ones((2, 3, 4, 4)), 1.0).sum().item()
    0.0
    """
    return _dropped("dropout2d", input, p, training, 2, generator)


def _dropped(
    name: str, x: Any, p: float, training: bool, sizes: int | None, generator: np.random.Generator | None
) -> Any:
    p = constant(name, "p", p)
    if not 0 <= p <= 1:
        raise ValueError(f"{name}: p is the probability of a zero, so it lies in [0, 1]; got {p}")
    x = operand(name, x)
    if x.dtype not in FLOATING:
        raise TypeError(f"{name}: x must be of a floating dtype, not {x.dtype}; convert it with astype")
    shape = x.shape
    if sizes is not None:
        if len(shape) not in (sizes + 1, sizes + 2):
            raise ValueError(
                f"{name}: expected {sizes + 1} dimensions (channels first), or {sizes + 2} with a batch, "
                f"got shape {shape}"
            )
        shape = (*shape[:-sizes], *[1] * sizes)
    if not training or p == 0:
        return x
    if p == 1:
        factor = np.zeros(shape, x.dtype)
    else:  # 24 random bits for each element
        kept = random.stream(generator).random(shape, np.float32) >= p
        factor = kept * x.dtype.type(1 / (1 - p))
    return apply(_MULTIPLY, (x, factor))
