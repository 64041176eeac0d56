"""Similarities, distances, and the losses that hold them apart by a margin, under torch.nn.functional's names.

Axes are called `axis` here. `reduction` is as in `losses.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Never

import numpy as np

from ..backend import apply
from ..dtypes import INTEGER
from .arguments import refuse
from .axes import either, one_axis
from .losses import broadcast_pair, pair, reduced
from .moments import norm_of_vectors
from .operands import constant, floating, number, operand, raw
from .reduction import sum as total
from .register import FUNCTIONS, ROWS, public
from .selection import take_along_axis

_relu, _square, _sqrt = [FUNCTIONS[name] for name in ("relu", "square", "sqrt")]
_maximum, _minimum, _WHERE = FUNCTIONS["maximum"], FUNCTIONS["minimum"], ROWS["where"]


@public("", None)
def cosine_similarity(x1: Any, x2: Any, axis: int = 1, eps: float = 1e-8, *, dim: int | None = None) -> Any:
    """The cosine of the angle between vectors along `axis`; lengths below eps count as eps.

    x1, x2: Tensors or arrays whose shapes broadcast; the axis counts in the result of that, and dim is PyTorch's name
    for it. Raises ValueError for shapes that do not broadcast, AxisError for an axis out of range.

    >>> zen.f.cosine_similarity(zen.tensor([[1.0, 0.0]]), zen.tensor([[2.0, 0.0]])).tolist()
    [1.0]
    """
    x1, x2 = _vectors("cosine_similarity", x1, x2)
    products = apply(ROWS["multiply"], (x1, x2))
    shape = products.shape
    k = one_axis("cosine_similarity", either("cosine_similarity", "axis", axis, "dim", dim, 1), shape) - len(shape)
    lengths = [_squared_length(x, k, shape, eps) for x in (x1, x2)]
    return total(products, k) / _sqrt(lengths[0] * lengths[1])


def _vectors(name: str, x1: Any, x2: Any, or_complex: bool = False) -> tuple[Any, Any]:
    """Both as floats; two numbers are vectors of length 1."""
    x1, x2 = floating(name, x1, or_complex), floating(name, x2, or_complex)
    return (x1, x2) if x1.shape or x2.shape else (x1.reshape(1), x2.reshape(1))


def _squared_length(x: Any, axis: int, shape: tuple[int, ...], eps: float) -> Any:
    if -axis > len(x.shape) or x.shape[axis] != shape[axis]:  # one number stands for the whole vector
        x = FUNCTIONS["broadcast_to"](x, np.broadcast_shapes(x.shape, (shape[axis], *[1] * (-axis - 1))))
    return _maximum(total(_square(x), axis), number(eps) ** 2)


@public("", None)
def pairwise_distance(
    x1: Any, x2: Any, p: float = 2.0, eps: float = 1e-6, keepdims: bool = False, *, keepdim: bool = False
) -> Any:
    """The p-norm of x1 - x2 + eps along the last axis.

    x1, x2: Tensors or arrays whose shapes broadcast; ValueError if they do not. keepdim: PyTorch's name for keepdims.

    >>> zen.f.pairwise_distance(zen.tensor([[0.0, 0.0]]), zen.tensor([[3.0, 4.0]]), eps=0.0).tolist()
    [5.0]
    """
    return _distance("pairwise_distance", x1, x2, p, eps, keepdims or keepdim)


def _distance(name: str, x1: Any, x2: Any, p: float, eps: float, keepdims: bool = False) -> Any:
    x1, x2 = _vectors(name, x1, x2, True)
    return norm_of_vectors(name, apply(ROWS["subtract"], (x1, x2)) + number(eps), -1, keepdims, p, "p")


@public("", None)
def cosine_embedding_loss(
    input1: Any, input2: Any, target: Any, margin: float = 0.0, *, reduction: str = "mean",
    **unknown: Never,
) -> Any:  # fmt: skip
    """1 - cos where the target is 1, max(cos - margin, 0) where it is -1.

    input1, input2: (batch, width) or (width,). target: (batch,) or a number, of 1 and -1. Raises ValueError for other
    shapes and targets.

    >>> zen.f.cosine_embedding_loss(zen.tensor([[1.0, 0.0]]), zen.tensor([[0.0, 1.0]]), [1]).item()
    1.0
    """
    if unknown:
        refuse(cosine_embedding_loss, unknown)
    name = "cosine_embedding_loss"
    x1, x2 = pair(name, input1, input2)
    t = raw(operand(name, target))
    if len(x1.shape) not in (1, 2) or t.shape != x1.shape[:-1]:
        raise ValueError(
            f"{name}: inputs of shape {x1.shape} and target of shape {t.shape}; expected (batch, width) and (batch,), "
            "or (width,) and a number"
        )
    cosine = cosine_similarity(x1, x2, -1)
    return reduced(name, apply(_WHERE, (_positive(name, t), 1 - cosine, _relu(cosine - number(margin)))), reduction)


@public("", None)
def hinge_embedding_loss(
    input: Any, target: Any, margin: float = 1.0, *, reduction: str = "mean", **unknown: Never
) -> Any:
    """input where the target is 1, max(margin - input, 0) where it is -1.

    input, target: of one shape; others are broadcast, with a UserWarning. ValueError for shapes that do not broadcast
    and for targets that are neither 1 nor -1.

    >>> zen.f.hinge_embedding_loss(zen.tensor([0.25, 0.25]), [1, -1]).item()
    0.5
    """
    if unknown:
        refuse(hinge_embedding_loss, unknown)
    x, t = broadcast_pair("hinge_embedding_loss", input, target)
    losses = apply(_WHERE, (_positive("hinge_embedding_loss", raw(t)), x, _relu(number(margin) - x)))
    return reduced("hinge_embedding_loss", losses, reduction)


@public("", None)
def margin_ranking_loss(
    input1: Any, input2: Any, target: Any, margin: float = 0.0, *, reduction: str = "mean", **unknown: Never
) -> Any:
    """max(-target * (input1 - input2) + margin, 0): input1 is to rank higher where the target is 1, lower where -1.

    All three have one shape; ValueError otherwise.

    >>> zen.f.margin_ranking_loss(zen.tensor([1.0, 2.0]), zen.tensor([3.0, 1.0]), [1.0, 1.0]).item()
    1.0
    """
    if unknown:
        refuse(margin_ranking_loss, unknown)
    x1, x2 = pair("margin_ranking_loss", input1, input2)
    _, t = pair("margin_ranking_loss", x1, target)
    return reduced("margin_ranking_loss", _relu(t * (x2 - x1) + number(margin)), reduction)


@public("", None)
def soft_margin_loss(input: Any, target: Any, *, reduction: str = "mean", **unknown: Never) -> Any:
    """log(1 + exp(-target * input)), without overflow; targets are 1 and -1.

    input, target: of one shape; ValueError otherwise.

    >>> f"{zen.f.soft_margin_loss(zen.tensor([0.0]), [1.0]).item():.4f}"
    '0.6931'
    """
    if unknown:
        refuse(soft_margin_loss, unknown)
    x, t = pair("soft_margin_loss", input, target)
    return reduced("soft_margin_loss", apply(ROWS["softplus"], (-t * x,)), reduction)


@public("", None)
def multi_margin_loss(
    input: Any, target: Any, p: int = 1, margin: float = 1.0, weight: Any = None, *, reduction: str = "mean",
    **unknown: Never,
) -> Any:  # fmt: skip
    """sum over the other classes of max(margin - input[target] + input, 0) ** p, over the number of classes.

    input: scores, (batch, classes) or (classes,). target: class numbers, (batch,) or a number. p: 1 or 2. weight: a
    factor for each class, taken at the target. Raises ValueError for other shapes and p, IndexError for a class out of
    range.

    >>> zen.f.multi_margin_loss(zen.tensor([[1.0, 0.5]]), [0]).item()
    0.25
    """
    if unknown:
        refuse(multi_margin_loss, unknown)
    name = "multi_margin_loss"
    x, t = floating(name, input), raw(operand(name, target))
    if constant(name, "p", p) not in (1, 2):
        raise ValueError(f"{name}: p must be 1 or 2, not {p!r}")
    if not x.shape and not t.shape:  # one score of one class
        x = x.reshape(1)
    if len(x.shape) not in (1, 2) or t.shape != x.shape[:-1] or t.dtype not in INTEGER:
        raise ValueError(
            f"{name}: input of shape {x.shape} and target of shape {t.shape} and dtype {t.dtype}; expected "
            "(batch, classes) and ints of (batch,)"
        )
    classes = x.shape[-1]
    if t.size and not (t.min() >= 0 and t.max() < classes):
        wrong = t[(t < 0) | (t >= classes)].flat[0]
        raise IndexError(f"{name}: class {wrong} is out of range for {classes} classes")
    index = t[..., None]
    excess = _relu(number(margin) - take_along_axis(x, index, -1) + x)
    if p == 2:
        excess = _square(excess)
    if weight is not None:
        w = operand(name, weight)
        if w.shape != (classes,):
            raise ValueError(f"{name}: weight of shape {w.shape}; expected ({classes},), a number for each class")
        excess = excess * w[index]
    others = np.arange(classes) != index
    return reduced(name, total(apply(_WHERE, (others, excess, 0.0)), -1) / classes, reduction)


@public("", None)
def triplet_margin_loss(
    anchor: Any, positive: Any, negative: Any, margin: float = 1.0, p: float = 2.0, eps: float = 1e-6,
    swap: bool = False, *, reduction: str = "mean",
    **unknown: Never,
) -> Any:  # fmt: skip
    """max(d(anchor, positive) - d(anchor, negative) + margin, 0), with `pairwise_distance`.

    All three have one shape, (batch, width) or (width,); ValueError otherwise. swap: the negative's distance is the
    smaller of those to anchor and positive (Balntas et al. 2016).

    >>> a, b = zen.tensor([[0.0, 0.0]]), zen.tensor([[3.0, 4.0]])
    >>> zen.f.triplet_margin_loss(a, b, b, eps=0.0).item()
    1.0
    """
    if unknown:
        refuse(triplet_margin_loss, unknown)
    name = "triplet_margin_loss"
    anchor, positive = pair(name, anchor, positive, True)
    _, negative = pair(name, anchor, negative, True)
    near = _distance(name, anchor, positive, p, eps)
    far = _distance(name, anchor, negative, p, eps)
    if swap:
        far = _minimum(far, _distance(name, positive, negative, p, eps))
    return reduced(name, _relu(near - far + number(margin)), reduction)


@public("", None)
def triplet_margin_with_distance_loss(
    anchor: Any, positive: Any, negative: Any, *, distance_function: Callable[[Any, Any], Any] | None = None,
    margin: float = 1.0, swap: bool = False, reduction: str = "mean",
) -> Any:  # fmt: skip
    """`triplet_margin_loss` with a distance of one's own: a function of two Tensors; `pairwise_distance` if None.

    >>> a, b = zen.tensor([[0.0, 0.0]]), zen.tensor([[3.0, 4.0]])
    >>> distance = lambda x, y: abs(x - y).max(1)
    >>> zen.f.triplet_margin_with_distance_loss(a, b, a, distance_function=distance).item()
    5.0
    """
    name = "triplet_margin_with_distance_loss"
    distance = pairwise_distance if distance_function is None else distance_function
    anchor, positive, negative = [floating(name, x) for x in (anchor, positive, negative)]
    if not anchor.ndim == positive.ndim == negative.ndim:
        raise ValueError(
            f"{name}: anchor {anchor.shape}, positive {positive.shape} and negative {negative.shape} must have as many "
            "axes each"
        )
    near, far = distance(anchor, positive), distance(anchor, negative)
    if swap:
        far = _minimum(far, distance(positive, negative))
    return reduced(name, _relu(near - far + number(margin)), reduction)


def _positive(name: str, target: np.ndarray) -> np.ndarray:
    """Where the target is 1; ValueError unless it is -1 everywhere else."""
    found: np.ndarray = target == 1
    if not (found | (target == -1)).all():
        raise ValueError(f"{name}: the target holds {target[~(found | (target == -1))].flat[0]}; expected 1 and -1")
    return found
