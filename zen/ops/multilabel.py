"""Losses of several labels at once, under torch.nn.functional's names. `reduction` is as in `losses.py`."""

from __future__ import annotations

from typing import Any, Never

import numpy as np

from ..dtypes import INTEGER
from .arguments import refuse
from .losses import pair, reduced
from .operands import floating, operand, raw
from .pointwise import PARTS, where
from .reduction import mean as average
from .reduction import sum as total
from .register import FUNCTIONS, public

_relu, _bce_logits = FUNCTIONS["relu"], PARTS["bce_logits"]


@public("", None)
def multilabel_margin_loss(input: Any, target: Any, *, reduction: str = "mean", **unknown: Never) -> Any:
    """sum over targets j and other classes i of max(1 - (input[j] - input[i]), 0), over the number of classes.

    input: scores, (batch, classes) or (classes,). target: class numbers, of the input's shape: those before the first
    -1. Raises ValueError for other shapes, IndexError for a class out of range.

    >>> f"{zen.f.multilabel_margin_loss(zen.tensor([0.1, 0.2, 0.4, 0.8]), [3, 0, -1, 1]).item():.2f}"
    '0.85'
    """
    if unknown:
        refuse(multilabel_margin_loss, unknown)
    name = "multilabel_margin_loss"
    x, t = floating(name, input), raw(operand(name, target))
    if x.ndim not in (1, 2) or t.shape != x.shape or (t.dtype not in INTEGER and t.size):
        raise ValueError(
            f"{name}: input of shape {x.shape} and target of shape {t.shape} and dtype {t.dtype}; expected "
            "(batch, classes) or (classes,), and ints of the same shape"
        )
    classes = x.shape[-1]
    named = np.logical_and.accumulate(t >= 0, axis=-1)
    if (t[named] >= classes).any():
        raise IndexError(f"{name}: class {t[named].max()} is out of range for {classes} classes")
    count = np.zeros((*t.shape[:-1], classes + 1), np.intp)  # how often each class is named
    np.add.at(count, (*np.indices(t.shape)[:-1], np.where(named, t, classes)), 1)
    count = count[..., :classes]
    excess = _relu(1 - (x[..., :, None] - x[..., None, :]))
    factors = count[..., :, None] * (count[..., None, :] == 0)
    losses = where(factors == 0, 0.0, excess * factors.astype(x.dtype))
    return reduced(name, total(losses, (-2, -1)) / classes, reduction)


@public("", None)
def multilabel_soft_margin_loss(
    input: Any, target: Any, weight: Any = None, *, reduction: str = "mean", **unknown: Never
) -> Any:
    """The mean over classes of the binary cross entropy of sigmoid(input), exact for any logit.

    input: logits, (..., classes); target: of one shape, usually 0 or 1. weight: a factor for each class. Raises
    ValueError for shapes that do not fit.

    >>> f"{zen.f.multilabel_soft_margin_loss(zen.tensor([[0.0, 800.0]]), [[1.0, 1.0]]).item():.4f}"
    '0.3466'
    """
    if unknown:
        refuse(multilabel_soft_margin_loss, unknown)
    name = "multilabel_soft_margin_loss"
    x, t = pair(name, input, target)
    if not x.shape:
        raise ValueError(f"{name}: input needs an axis of classes, (..., classes)")
    losses = _bce_logits(x, t)
    if weight is not None:
        w = operand(name, weight)
        if w.shape not in (x.shape[-1:], x.shape):
            raise ValueError(f"{name}: weight of shape {w.shape}; expected {x.shape[-1:]}, a number for each class")
        losses = losses * w
    return reduced(name, average(losses, -1), reduction)
