"""Dropout: `zen.f.dropout` and its forms that drop whole channels. The masks are drawn from `zen.random`."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import random
from ..backend import Tensor, apply, wrap
from ..dtypes import COMPLEX, INEXACT
from ..dtypes import real as real_dtype
from .operands import constant, floating, operand
from .overwriting import written
from .register import ROWS, public

_MULTIPLY = ROWS["multiply"]


@public("", None)
def dropout(
    input: Any,
    p: float = 0.5,
    training: bool = True,
    inplace: bool = False,
    *,
    generator: np.random.Generator | None = None,
) -> Any:
    """x with each element set to zero with probability p, the others divided by 1 - p. Srivastava et al. 2014.

    input (x): Tensor or array of floats or complex numbers, of any shape. training: False returns x itself. inplace:
    the result is written into the input, a Tensor, which is returned. generator: where the mask is drawn from, instead
    of zen.random's stream. Raises ValueError for a p outside [0, 1], TypeError for other dtypes.

    >>> zen.f.dropout(zen.ones(4), 0.0).tolist()
    [1.0, 1.0, 1.0, 1.0]
    """
    y = _dropped("dropout", input, p, training, None, generator)
    return written("dropout", input, y) if inplace else y


@public("", None)
def dropout1d(
    input: Any, p: float = 0.5, training: bool = True, inplace: bool = False, *,
    generator: np.random.Generator | None = None,
) -> Any:  # fmt: skip
    """x, of shape (channels, length) or (batch, channels, length), with whole channels set to zero.

    Arguments as in `dropout`; ValueError for other numbers of dimensions.

    >>> zen.f.dropout1d(zen.ones((2, 3, 4)), 1.0).sum().item()
    0.0
    """
    y = _dropped("dropout1d", input, p, training, 1, generator)
    return written("dropout1d", input, y) if inplace else y


@public("", None)
def dropout2d(
    input: Any, p: float = 0.5, training: bool = True, inplace: bool = False, *,
    generator: np.random.Generator | None = None,
) -> Any:  # fmt: skip
    """x, of shape (channels, height, width) or (batch, channels, height, width), with whole channels set to zero.

    Arguments as in `dropout`; ValueError for other numbers of dimensions.

    >>> zen.f.dropout2d(zen.ones((2, 3, 4, 4)), 1.0).sum().item()
    0.0
    """
    y = _dropped("dropout2d", input, p, training, 2, generator)
    return written("dropout2d", input, y) if inplace else y


@public("", None)
def dropout3d(
    input: Any, p: float = 0.5, training: bool = True, inplace: bool = False, *,
    generator: np.random.Generator | None = None,
) -> Any:  # fmt: skip
    """x, of shape (channels, depth, height, width), or with a batch before it, with whole channels set to zero.

    Arguments as in `dropout`; ValueError for other numbers of dimensions.

    >>> zen.f.dropout3d(zen.ones((2, 3, 2, 2, 2)), 1.0).sum().item()
    0.0
    """
    y = _dropped("dropout3d", input, p, training, 3, generator)
    return written("dropout3d", input, y) if inplace else y


@public("", None)
def alpha_dropout(
    input: Any, p: float = 0.5, training: bool = False, inplace: bool = False, *,
    generator: np.random.Generator | None = None,
) -> Any:  # fmt: skip
    """x with each element set to the lower limit of `selu` with probability p, then scaled and shifted so that mean 0
    and variance 1 stay what they are. Klambauer et al. 2017.

    Arguments as in `dropout`, but training is False unless told otherwise, as in PyTorch.

    >>> zen.f.alpha_dropout(zen.ones(3), 0.0, True).tolist()
    [1.0, 1.0, 1.0]
    """
    y = _saturated("alpha_dropout", input, p, training, False, generator)
    return written("alpha_dropout", input, y) if inplace else y


@public("", None)
def feature_alpha_dropout(
    input: Any, p: float = 0.5, training: bool = False, inplace: bool = False, *,
    generator: np.random.Generator | None = None,
) -> Any:  # fmt: skip
    """`alpha_dropout` of whole channels of (batch, channels, ...).

    >>> zen.f.feature_alpha_dropout(zen.ones((2, 3, 4)), 0.0, True).sum().item()
    24.0
    """
    y = _saturated("feature_alpha_dropout", input, p, training, True, generator)
    return written("feature_alpha_dropout", input, y) if inplace else y


_LIMIT = -1.7580993408473766
"""selu of minus infinity."""


def _saturated(
    name: str, x: Any, p: float, training: bool, channels: bool, generator: np.random.Generator | None
) -> Any:
    p, x = _checked(name, x, p)
    if channels and x.ndim < 2:
        raise ValueError(f"{name}: expected (batch, channels, ...), got shape {x.shape}")
    if not training or p == 0:
        return x if isinstance(x, Tensor) else wrap(x)
    shape = (*x.shape[:2], *[1] * (x.ndim - 2)) if channels else x.shape
    if p == 1:
        return apply(_MULTIPLY, (x, np.zeros(shape, x.dtype)))
    kept = random.stream(generator).random(shape, np.float32) >= p
    scale = ((1 - p) * (1 + p * _LIMIT**2)) ** -0.5
    factor, added = scale * kept, scale * _LIMIT * (~kept - p)
    return apply(ROWS["add"], (apply(_MULTIPLY, (x, factor.astype(x.dtype))), added.astype(x.dtype)))


def _checked(name: str, x: Any, p: Any, or_complex: bool = False) -> tuple[float, Any]:
    p = constant(name, "p", p)
    if not 0 <= p <= 1:
        raise ValueError(f"{name}: p is the probability of a zero, so it lies in [0, 1]; got {p}")
    x = operand(name, x)
    if x.dtype in COMPLEX and not or_complex:
        floating(name, x)  # which says so
    if x.dtype not in INEXACT:
        raise TypeError(f"{name}: x must be of a floating dtype, not {x.dtype}; convert it with astype")
    return p, x


def _dropped(
    name: str, x: Any, p: float, training: bool, sizes: int | None, generator: np.random.Generator | None
) -> Any:
    p, x = _checked(name, x, p, True)
    shape, kind = x.shape, real_dtype(x.dtype)
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
        factor = np.zeros(shape, kind)
    else:  # 24 random bits for each element
        kept = random.stream(generator).random(shape, np.float32) >= p
        factor = kept * kind.type(1 / (1 - p))
    return apply(_MULTIPLY, (x, factor))
