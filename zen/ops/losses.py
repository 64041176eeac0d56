"""Losses that compare predictions with targets element by element, under torch.nn.functional's names.

Predictions and targets have equal shapes; the losses that broadcast others in PyTorch do so here with a warning.
`reduction` is "mean" over the elements, "sum", or "none" for the loss of each. Targets of integers or bools take the
dtype of the prediction. Cross entropy stands in `classification.py`, losses of distances in `margins.py`.
"""

from __future__ import annotations

import math
import warnings
from typing import Any, Never

import numpy as np

from ..backend import apply
from ..dtypes import EXACT
from .arguments import refuse
from .operands import constant, floating, number, operand, raw
from .pointwise import PARTS, where
from .reduction import MEAN, SUM
from .register import FUNCTIONS, ROWS, public

_squared_error, _bce, _bce_logits = [PARTS[name] for name in ("squared_error", "bce", "bce_logits")]
_abs, _exp, _log, _maximum = [FUNCTIONS[name] for name in ("abs", "exp", "log", "maximum")]
_entropy, _product = PARTS["entropy"], PARTS["product"]
_SOFTPLUS, _HUBER = ROWS["softplus"], ROWS["huber"]
_ALL = (None, False)


def reduced(name: str, losses: Any, reduction: str) -> Any:
    """The mean or sum of the losses, or the losses; ValueError for an unknown reduction."""
    if reduction == "mean":
        return apply(MEAN, (losses,), _ALL)
    if reduction == "sum":
        return apply(SUM, (losses,), _ALL)
    if reduction != "none":
        raise ValueError(f'{name}: reduction must be "mean", "sum" or "none", not {reduction!r}')
    return losses


def pair(name: str, x: Any, target: Any, or_complex: bool = False) -> tuple[Any, Any]:
    """Prediction and target, of one shape and floating; ValueError for shapes that differ."""
    x, target = floating(name, x, or_complex), operand(name, target)
    if x.shape != target.shape:
        raise ValueError(
            f"{name}: input of shape {x.shape} and target of shape {target.shape} must have one shape; "
            "nothing is broadcast here, reshape one of them"
        )
    return x, _like(name, target, x, or_complex)


def _like(name: str, target: Any, x: Any, or_complex: bool = False) -> Any:
    return raw(target).astype(x.dtype) if target.dtype in EXACT else floating(name, target, or_complex)


def broadcast_pair(name: str, x: Any, target: Any, or_complex: bool = False) -> tuple[Any, Any]:
    """As `pair`, but shapes that differ and broadcast are a UserWarning."""
    x, target = floating(name, x, or_complex), operand(name, target)
    if x.shape != target.shape:
        shapes = f"{name}: input of shape {x.shape} and target of shape {target.shape}"
        try:
            common = np.broadcast_shapes(x.shape, target.shape)
        except ValueError:
            raise ValueError(f"{shapes} must have one shape; they do not even broadcast, reshape one of them") from None
        warnings.warn(
            f"{shapes} are broadcast to {common}, which is rarely meant; reshape one of them to the other's shape",
            stacklevel=3,
        )
    return x, _like(name, target, x, or_complex)


def _weighed(name: str, losses: Any, x: Any, weight: Any, reduction: str) -> Any:
    """`reduced`, of the losses times a weight of the input's shape if there is one; their mean is the weighted one."""
    if weight is None:
        return reduced(name, losses, reduction)
    weight = _like(name, operand(name, weight), losses)
    if weight.shape != x.shape:
        raise ValueError(f"{name}: weight of shape {weight.shape} must have the shape of input, {x.shape}")
    if reduction == "mean" and name != "huber_loss":  # where PyTorch divides by the number of elements
        return reduced(name, losses * weight, "sum") / reduced(name, weight, "sum")
    return reduced(name, losses * weight, reduction)


def _weighted(name: str, losses: Any, weight: Any) -> Any:
    if weight is None:
        return losses
    weight = operand(name, weight)
    try:
        fits = np.broadcast_shapes(weight.shape, losses.shape) == losses.shape
    except ValueError:
        fits = False
    if not fits:
        raise ValueError(f"{name}: weight of shape {weight.shape} does not broadcast to the losses' {losses.shape}")
    return losses * weight


@public("", None)
def mse_loss(input: Any, target: Any, *, reduction: str = "mean", weight: Any = None, **unknown: Never) -> Any:
    """(input - target) ** 2.

    input, target: Tensors or arrays of one shape. Other shapes are broadcast, with a UserWarning that names them.
    weight: a factor for each element, of the input's shape; the mean is then divided by the sum of the weights.
    Raises ValueError for shapes that do not fit and another reduction.

    >>> zen.f.mse_loss(zen.tensor([1.0, 2.0]), [1.0, 4.0]).item()
    2.0
    """
    if unknown:
        refuse(mse_loss, unknown)
    x, t = broadcast_pair("mse_loss", input, target)
    return _weighed("mse_loss", _squared_error(x, t), x, weight, reduction)


@public("", None)
def l1_loss(input: Any, target: Any, *, reduction: str = "mean", weight: Any = None, **unknown: Never) -> Any:
    """|input - target|. Arguments and errors as in `mse_loss`, but they may be complex; the subgradient where both are
    equal is 0, a constant, as in `abs`.

    >>> zen.f.l1_loss(zen.tensor([1.0, 2.0]), [1.0, 4.0]).item()
    1.0
    """
    if unknown:
        refuse(l1_loss, unknown)
    x, t = broadcast_pair("l1_loss", input, target, True)
    return _weighed("l1_loss", _abs(x - t), x, weight, reduction)


@public("", None)
def huber_loss(input: Any, target: Any, reduction: str = "mean", delta: float = 1.0, weight: Any = None) -> Any:
    """d ** 2 / 2 for distances d <= delta, else delta * (d - delta / 2). Huber 1964.

    Arguments and errors as in `mse_loss`, but the mean of weighted losses is divided by their number, as in PyTorch;
    ValueError as well unless delta > 0.

    >>> zen.f.huber_loss(zen.tensor([1.0, 2.0]), [1.0, 4.0]).item()
    0.75
    """
    delta = constant("huber_loss", "delta", delta)
    if not delta > 0:
        raise ValueError(f"huber_loss: delta must be positive, not {delta}")
    x, t = broadcast_pair("huber_loss", input, target)
    return _weighed("huber_loss", apply(_HUBER, (x, t, float(delta))), x, weight, reduction)


@public("", None)
def smooth_l1_loss(input: Any, target: Any, *, reduction: str = "mean", beta: float = 1.0, **unknown: Never) -> Any:
    """d ** 2 / (2 * beta) for distances d < beta, else d - beta / 2: `huber_loss` over beta. Girshick 2015.

    Arguments and errors as in `mse_loss`; ValueError as well if beta < 0. beta = 0 is `l1_loss`.

    >>> zen.f.smooth_l1_loss(zen.tensor([1.0, 2.0]), [1.0, 4.0], beta=2.0).item()
    0.5
    """
    if unknown:
        refuse(smooth_l1_loss, unknown)
    beta = constant("smooth_l1_loss", "beta", beta)
    if beta < 0:
        raise ValueError(f"smooth_l1_loss: beta must not be negative, got {beta}")
    x, t = broadcast_pair("smooth_l1_loss", input, target)
    losses = apply(_HUBER, (x, t, float(beta))) if beta else _abs(x - t)
    return reduced("smooth_l1_loss", losses / beta if beta not in (0, 1) else losses, reduction)


@public("", None)
def binary_cross_entropy(
    input: Any, target: Any, weight: Any = None, *, reduction: str = "mean", **unknown: Never
) -> Any:
    """-target * log(input) - (1 - target) * log(1 - input), each logarithm at least -100.

    input: probabilities; target: of one shape, usually 0 or 1. weight: broadcasts to the losses. Raises ValueError for
    shapes that differ and for inputs outside [0, 1]. Logits belong into `binary_cross_entropy_with_logits`.

    >>> f"{zen.f.binary_cross_entropy(zen.tensor([0.5]), [1.0]).item():.4f}"
    '0.6931'
    """
    if unknown:
        refuse(binary_cross_entropy, unknown)
    name = "binary_cross_entropy"
    p, t = pair(name, input, target)
    values = raw(p)
    if values.size and not (values.min() >= 0 and values.max() <= 1):
        raise ValueError(
            f"{name}: input must hold probabilities from 0 to 1, but it goes from {values.min()} to {values.max()}; "
            "for logits use binary_cross_entropy_with_logits"
        )
    return reduced(name, _weighted(name, _bce(p, t), weight), reduction)


@public("", None)
def binary_cross_entropy_with_logits(
    input: Any, target: Any, weight: Any = None, *, reduction: str = "mean", pos_weight: Any = None,
    **unknown: Never,
) -> Any:  # fmt: skip
    """`binary_cross_entropy` of sigmoid(input), exact for any logit.

    input: logits; target: of one shape, usually 0 or 1. weight: broadcasts to the losses. pos_weight: a factor on the
    losses of positive targets, that broadcasts to them. Raises ValueError for shapes that do not fit.

    >>> f"{zen.f.binary_cross_entropy_with_logits(zen.tensor([0.0, 800.0]), [1.0, 1.0]).item():.4f}"
    '0.3466'
    """
    if unknown:
        refuse(binary_cross_entropy_with_logits, unknown)
    name = "binary_cross_entropy_with_logits"
    x, t = pair(name, input, target)
    if pos_weight is None:
        losses = _bce_logits(x, t)
    else:
        more = _weighted(name, t, operand(name, pos_weight) - 1)  # what positive targets count above 1
        losses = _bce_logits(x, t) + _product(more, apply(_SOFTPLUS, (-x,)))
    return reduced(name, _weighted(name, losses, weight), reduction)


@public("", None)
def kl_div(input: Any, target: Any, *, reduction: str = "mean", log_target: bool = False, **unknown: Never) -> Any:
    """target * (log(target) - input): the divergence of Kullback and Leibler, from log-probabilities.

    input: log-probabilities. target: probabilities of one shape, or their logarithms if log_target; the derivative in
    a probability of 0 is -inf, and a negative one is nan. reduction: "batchmean" as well, the sum over the number of
    samples, which is the divergence itself. Raises ValueError for shapes that differ.

    >>> zen.f.kl_div(zen.tensor([[0.0, -1.0]]), [[1.0, 0.0]], reduction="batchmean").item()
    0.0
    """
    if unknown:
        refuse(kl_div, unknown)
    x, t = pair("kl_div", input, target)
    if log_target:
        losses = _exp(t) * (t - x)
    else:
        losses = _entropy(t) - t * x
    if reduction == "batchmean":
        return reduced("kl_div", losses, "sum") / (x.shape[0] if x.shape else 1)
    return reduced("kl_div", losses, reduction)


@public("", None)
def poisson_nll_loss(
    input: Any, target: Any, log_input: bool = True, full: bool = False, *, eps: float = 1e-8, reduction: str = "mean",
    **unknown: Never,
) -> Any:  # fmt: skip
    """exp(input) - target * input: the negative log likelihood of counts, from the logarithms of their rates.

    log_input: False takes the rates themselves, with eps added in the logarithm. full: add Stirling's approximation
    of log(target!) for targets above 1. Other shapes are broadcast, with a UserWarning; ValueError if they do not.

    >>> zen.f.poisson_nll_loss(zen.tensor([0.0]), [3.0]).item()
    1.0
    """
    if unknown:
        refuse(poisson_nll_loss, unknown)
    x, t = broadcast_pair("poisson_nll_loss", input, target)
    losses = _exp(x) - t * x if log_input else x - t * _log(x + number(eps))
    if full:
        above = _maximum(t, 1.0)
        stirling = above * _log(above) - above + 0.5 * _log(2 * math.pi * above)
        losses = losses + where(raw(t) <= 1, 0.0, stirling)
    return reduced("poisson_nll_loss", losses, reduction)


def _one_axis_short(shape: tuple[int, ...], full: tuple[int, ...]) -> bool:
    if len(shape) != len(full):
        return False
    return [n for n, m in zip(shape, full, strict=True) if n != m] == [1]


@public("", None)
def gaussian_nll_loss(
    input: Any, target: Any, var: Any, full: bool = False, eps: float = 1e-6, reduction: str = "mean"
) -> Any:
    """(log(var) + (input - target) ** 2 / var) / 2: the negative log likelihood of normal numbers.

    input: means; target: broadcasts with them. var: variances of the input's shape, or with one of its axes at length
    1, or without the last one, or one number; below eps they count as eps. full: add log(2 * pi) / 2. Raises ValueError
    for shapes that do not fit and for negative variances.

    >>> zen.f.gaussian_nll_loss(zen.tensor([0.0]), [2.0], zen.tensor([1.0])).item()
    2.0
    """
    x, t = floating("gaussian_nll_loss", input), operand("gaussian_nll_loss", target)
    t, var = _like("gaussian_nll_loss", t, x), floating("gaussian_nll_loss", var)
    if var.shape not in ((), x.shape) and not _one_axis_short(var.shape, x.shape):
        if var.shape != x.shape[:-1]:
            raise ValueError(
                f"gaussian_nll_loss: var of shape {var.shape} fits input of shape {x.shape} neither as it is, nor with "
                "one axis of length 1, nor with a last axis added"
            )
        var = var[..., None]
    if (raw(var) < 0).any():
        raise ValueError(f"gaussian_nll_loss: var must not be negative, but its least value is {raw(var).min()}")
    var = _maximum(var, number(eps))
    losses = 0.5 * (_log(var) + _squared_error(x, t) / var)
    return reduced("gaussian_nll_loss", losses + 0.5 * math.log(2 * math.pi) if full else losses, reduction)
