"""Cross entropy and the negative log likelihood, from class numbers or probabilities.

At the level of rows, a sample of class t counts the logarithms of its probabilities by coefficients q: 1 - smoothing at
t, `smoothing` spread evenly over all classes, each times the weight of its class, and nothing at all if t is the
ignored class. The loss is -sum(q * log_softmax(x)). `reduction` is "mean", "sum" or "none"; the classes are along
`axis`.
"""

from __future__ import annotations

from typing import Any, Never

import numpy as np

from ..backend import Shaped, Tensor, apply
from ..dtypes import FLOATING, INTEGER
from .arguments import refuse
from .axes import kept, one_axis, reduced_shape
from .indexing import along_axis
from .nn import log_softmax_array
from .operands import constant, floating, operand, raw, whole
from .register import define, public
from .result_shapes import reduced
from .row import NOT_DIFFERENTIABLE, row
from .shape import moveaxis

_REDUCTIONS = ("mean", "sum", "none")


def _cotangent(f: Any, g: Any, shape: tuple[int, ...], axis: int, reduction: str, total: Any) -> Any:
    """The cotangent of each sample's loss, with an axis of length 1 for the classes. A mean divides by `total`."""
    if reduction == "none":
        return kept(f, g, shape, (axis,), False)
    if reduction == "mean" and isinstance(total, Tensor):  # a program is recorded
        return g * np.where(total == 0, 0.0, 1 / total).astype(g.dtype)
    return g * (1 / total if total else 0.0) if reduction == "mean" else g


def _reduced(losses: Any, reduction: str, total: float) -> Any:
    if reduction == "none":
        return losses
    found = np.add.reduce(losses, axis=None)
    return found / losses.dtype.type(total) if reduction == "mean" else found


def _coefficients(
    name: str, x: Any, target: Any, axis: int, weight: Any, ignored: int, smoothing: float
) -> tuple[Any, Any]:
    """q in the shape and dtype of x, and the sum of the weights of the samples that count."""
    classes, n = raw(target), x.shape[axis]
    counted = classes != ignored
    wrong = counted & ((classes < 0) | (classes >= n))
    if np.any(wrong):
        raise IndexError(
            f"{name}: class {classes[wrong].flat[0]} is out of range: x of shape {x.shape} has {n} along axis {axis}"
        )
    if isinstance(classes, Tensor):  # a program is recorded
        return _recorded_coefficients(x, classes, counted, axis, weight, smoothing)
    q = np.full(x.shape, smoothing / max(n, 1), x.dtype)
    if not q.size:
        return q, 0.0
    index = np.where(counted, classes, 0)
    q[along_axis(x.shape, np.expand_dims(index, axis), axis)] += 1 - smoothing
    q *= np.expand_dims(counted, axis)
    if weight is None:
        return q, float(np.count_nonzero(counted))
    q *= _along(weight, x.ndim, axis)
    return q, float(np.add.reduce(weight[index] * counted, axis=None))


def _recorded_coefficients(
    x: Any, classes: Any, counted: Any, axis: int, weight: Any, smoothing: float
) -> tuple[Any, Any]:
    """As `_coefficients`, by operations on Tensors."""
    n, kind = x.shape[axis], x.dtype.type
    index = np.where(counted, classes, 0)
    numbers = np.arange(n).reshape((-1,) + (1,) * (x.ndim - 1 - axis))
    hot = np.expand_dims(index, axis) == numbers
    q = np.where(hot, kind(smoothing / max(n, 1)) + kind(1 - smoothing), kind(smoothing / max(n, 1)))
    q = q * np.expand_dims(counted, axis)
    if weight is None:
        return q, np.sum(counted, dtype=np.float64)
    return q * _along(weight, x.ndim, axis), np.sum(np.asarray(weight)[index] * counted)


def _along(weight: np.ndarray, ndim: int, axis: int) -> np.ndarray:
    return weight.reshape((-1,) + (1,) * (ndim - 1 - axis))


def _weighted_sum(log_p: Any, q: Any, axis: int) -> Any:
    """-sum(q * log_p), where a coefficient of zero outweighs an infinity."""
    return -np.add.reduce(np.where(q == 0, 0, q * log_p), axis=axis)


def _cross_entropy(x: Any, target: Any, axis: int, reduction: str, weight: Any, ignored: int, smoothing: float) -> Any:
    q, total = _coefficients("cross_entropy", x, target, axis, weight, ignored, smoothing)
    return _reduced(_weighted_sum(log_softmax_array(x, axis), q, axis), reduction, total)


def _cross_entropy_vjp(
    f: Any, g: Any, x: Any, target: Any, axis: int, reduction: str, weight: Any, ignored: int, smoothing: float
) -> Any:
    q, total = _coefficients("cross_entropy", x, target, axis, weight, ignored, smoothing)
    part = f.softmax(x, axis) * np.add.reduce(q, axis=axis, keepdims=True) - q
    return part * _cotangent(f, g, x.shape, axis, reduction, total)


def _nll_loss(x: Any, target: Any, axis: int, reduction: str, weight: Any, ignored: int) -> Any:
    q, total = _coefficients("nll_loss", x, target, axis, weight, ignored, 0.0)
    return _reduced(_weighted_sum(x, q, axis), reduction, total)


def _nll_loss_vjp(f: Any, g: Any, x: Any, target: Any, axis: int, reduction: str, weight: Any, ignored: int) -> Any:
    q, total = _coefficients("nll_loss", x, target, axis, weight, ignored, 0.0)
    return _cotangent(f, g, x.shape, axis, reduction, total) * -q


def _samples(shape: tuple[int, ...], axis: int) -> int:
    samples = 1
    for k, n in enumerate(shape):
        samples *= 1 if k == axis else n
    return samples


def _soft_cross_entropy(x: Any, p: Any, axis: int, reduction: str) -> Any:
    log_p = log_softmax_array(x, axis)
    losses = -np.add.reduce(np.where((p == 0) & (log_p == log_p), 0, p * log_p), axis=axis)
    return _reduced(losses, reduction, _samples(x.shape, axis))


def _soft_logits_vjp(f: Any, g: Any, x: Any, p: Any, axis: int, reduction: str) -> Any:
    grad = f.softmax(x, axis) * f.sum(p, (axis,), True) - p
    return grad * _cotangent(f, g, x.shape, axis, reduction, _samples(x.shape, axis))


def _soft_target_vjp(f: Any, g: Any, x: Any, axis: int, reduction: str) -> Any:
    return -f.log_softmax(x, axis) * _cotangent(f, g, x.shape, axis, reduction, _samples(x.shape, axis))


def _class_draws(rng: np.random.Generator) -> list[Any]:
    x, t, w = rng.normal(size=(4, 3)), np.array([0, 2, 1, 2]), np.array([0.5, 2.0, 1.25])
    image, spots = rng.normal(size=(3, 2, 2)), np.array([[0, 1], [2, 2]])
    return [
        ((x, t), (1, "mean", None, -100, 0.0)), ((image, spots), (0, "none", None, -100, 0.0)),
        ((rng.normal(size=3), np.array(1)), (0, "sum", None, -100, 0.0)),
        ((np.zeros((0, 3)), np.zeros(0, int)), (1, "sum", None, -100, 0.0)),
        ((x, t), (1, "mean", w, 2, 0.3)), ((x * 100, t), (1, "none", w, 0, 0.0)),
        ((rng.normal(size=(2, 2, 3)), spots.astype(np.int32)), (2, "none", None, 1, 0.1)),
        ((rng.normal(size=(2, 2600)), np.array([2599, 7])), (1, "sum", None, -100, 0.2)),
        ((image, spots), (0, "mean", w, 1, 0.1)),
    ]  # fmt: skip


def _likelihood_draws(rng: np.random.Generator) -> list[Any]:
    return [(args, params[:4]) for args, params in _class_draws(rng) if args[0].size < 100]


def _soft_draws(rng: np.random.Generator) -> list[Any]:
    return [((x, rng.dirichlet(np.ones(4), x.shape[:1]) if x.ndim > 1 else np.full(4, 0.25)), (x.ndim - 1, r))
            for x, r in zip(rng.normal(size=(3, 2, 4)), _REDUCTIONS, strict=True)]  # fmt: skip


def _unit(f: Any, x: Any, axis: int, reduction: str) -> Any:
    """The cotangent 1 of each loss."""
    return np.ones(reduced_shape(x.shape, (axis,), False), x.dtype) if reduction == "none" else 1.0


def _collected(f: Any, parts: Any, axis: int, reduction: str) -> Any:
    """The losses' tangents, from the parts that the logits have in them."""
    return f.sum(parts, (axis,) if reduction == "none" else None, False)


def _loss_shape(x: Any, target: Any, axis: int, reduction: str, *rest: Any) -> Shaped:
    return Shaped(reduced(x, axis, False) if reduction == "none" else (), x.dtype)


CROSS_ENTROPY = define(row(
    "cross_entropy", "x target", _cross_entropy,
    ["vjp(g, x, target, axis, reduction, weight, ignored, smoothing)", NOT_DIFFERENTIABLE],
    jvp=("collected(g * vjp(unit(x, axis, reduction), x, target, axis, reduction, weight, ignored, smoothing), "
         "axis, reduction)", None),
    params="axis reduction weight ignored smoothing", axes="axis",
    uses={"vjp": _cross_entropy_vjp, "unit": _unit, "collected": _collected}, domain=_class_draws, shape=_loss_shape,
    doc="-log_softmax(x) at the target classes.",
))  # fmt: skip
NLL_LOSS = define(row(
    "nll_loss", "x target", _nll_loss, ["vjp(g, x, target, axis, reduction, weight, ignored)", NOT_DIFFERENTIABLE],
    params="axis reduction weight ignored", axes="axis", uses={"vjp": _nll_loss_vjp}, domain=_likelihood_draws,
    linear="x", shape=_loss_shape, doc="-x at the target classes.",
))  # fmt: skip
SOFT_CROSS_ENTROPY = define(row(
    "soft_cross_entropy", "x p", _soft_cross_entropy,
    ["logits_vjp(g, x, p, axis, reduction)", "target_vjp(g, x, axis, reduction)"], params="axis reduction", axes="axis",
    jvp=("collected(g * logits_vjp(unit(x, axis, reduction), x, p, axis, reduction), axis, reduction)", None),
    uses={"logits_vjp": _soft_logits_vjp, "target_vjp": _soft_target_vjp, "unit": _unit, "collected": _collected},
    shape=_loss_shape, domain=_soft_draws, linear="p",
    doc="-sum(p * log_softmax(x)) over the classes.",
))  # fmt: skip


def _check(name: str, reduction: str) -> None:
    if reduction not in _REDUCTIONS:
        raise ValueError(f'{name}: reduction must be "mean", "sum" or "none", not {reduction!r}')


def _class_weights(name: str, weight: Any, classes: int, dtype: Any) -> np.ndarray:
    """A copy of `weight`, checked: later writes to it do not reach the gradient."""
    found = np.array(operand(name, constant(name, "weight", weight)), dtype)
    if found.shape != (classes,):
        raise ValueError(f"{name}: weight of shape {found.shape}; expected ({classes},), a number for each class")
    return found


def _ignored(name: str, ignore_index: Any) -> int:
    found = whole(name, "ignore_index", ignore_index)
    if not -(2**63) <= found < 2**63:
        raise ValueError(f"{name}: ignore_index must fit in 64 bits, as classes do; got {found}")
    return found


@public("")
def cross_entropy(
    logits: Any, target: Any, axis: int = -1, *, weight: Any = None, ignore_index: int = -100,
    label_smoothing: float = 0.0, reduction: str = "mean",
    **unknown: Never,
) -> Any:  # fmt: skip
    """Cross entropy of a softmax classifier, from its logits: -log(softmax(logits)[target]), stable for any logits.

    logits: Tensor or array with the classes along `axis`. target: class numbers (ints, the shape of the logits without
    the axis), or probabilities (floats, the shape of the logits), which may require a gradient as well.

    weight: a factor for each class. ignore_index: samples of this class do not count, nor does a gradient reach their
    logits; it need not be a class. label_smoothing: from 0 to 1, the part of the target that is spread evenly over all
    classes (Szegedy et al. 2016). reduction: "none" for one loss for each sample, "sum", or "mean" over the samples
    that count; for class numbers the mean divides by the sum of their classes' weights, and it is nan if none counts.

    Raises ValueError for shapes that do not fit and for other values of `reduction` and `label_smoothing`, IndexError
    for a class out of range, AxisError for an axis out of range, TypeError for a weight that requires a gradient.

    >>> round(float(zen.f.cross_entropy(zen.tensor([[0.0, 0.0], [0.0, 0.0]]), [0, 1])), 4)
    0.6931
    >>> round(float(zen.f.cross_entropy(zen.tensor([[0.0, 0.0], [9.0, 0.0]]), [0, -100])), 4)
    0.6931
    """
    if unknown:
        refuse(cross_entropy, unknown)
    x, t = floating("cross_entropy", logits), operand("cross_entropy", target)
    _check("cross_entropy", reduction)
    label_smoothing = constant("cross_entropy", "label_smoothing", label_smoothing)
    if not 0 <= label_smoothing <= 1:
        raise ValueError(f"cross_entropy: label_smoothing must lie in [0, 1], not {label_smoothing!r}")
    shape = x.shape
    k = one_axis("cross_entropy", axis, shape)
    w = None if weight is None else _class_weights("cross_entropy", weight, shape[k], x.dtype)
    if t.dtype in INTEGER and t.shape == shape[:k] + shape[k + 1 :]:
        if k < len(shape) - 1:  # the kernel wants the classes last
            x, k = moveaxis(x, k, -1), len(shape) - 1
        ignored = _ignored("cross_entropy", ignore_index)
        return apply(CROSS_ENTROPY, (x, t), (k, reduction, w, ignored, float(label_smoothing)))
    if t.dtype in FLOATING and t.shape == shape:
        if _ignored("cross_entropy", ignore_index) >= 0:
            raise ValueError("cross_entropy: ignore_index names a class, but the target holds probabilities")
        if label_smoothing:
            t = t * (1 - label_smoothing) + label_smoothing / max(shape[k], 1)
        if w is not None:
            t = t * _along(w, len(shape), k)
        return apply(SOFT_CROSS_ENTROPY, (x, t), (k, reduction))
    raise ValueError(_misfit("cross_entropy", t, shape, k, f" nor as probabilities (floats of shape {shape})"))


@public("")
def nll_loss(
    log_probs: Any, target: Any, axis: int = -1, *, weight: Any = None, ignore_index: int = -100,
    reduction: str = "mean",
    **unknown: Never,
) -> Any:  # fmt: skip
    """The negative log likelihood: -log_probs[target], with what log_softmax gives.

    log_probs: Tensor or array with the classes along `axis`. target: class numbers, ints of the shape of log_probs
    without the axis. weight, ignore_index, reduction and the errors raised are those of `cross_entropy`.

    >>> zen.f.nll_loss(zen.tensor([[-0.5, -1.0], [-2.0, -0.25]]), [0, 1]).item()
    0.375
    """
    if unknown:
        refuse(nll_loss, unknown)
    x, t = floating("nll_loss", log_probs), operand("nll_loss", target)
    _check("nll_loss", reduction)
    shape = x.shape
    k = one_axis("nll_loss", axis, shape)
    w = None if weight is None else _class_weights("nll_loss", weight, shape[k], x.dtype)
    if t.dtype not in INTEGER or t.shape != shape[:k] + shape[k + 1 :]:
        raise ValueError(_misfit("nll_loss", t, shape, k, ""))
    return apply(NLL_LOSS, (x, t), (k, reduction, w, _ignored("nll_loss", ignore_index)))


def _misfit(name: str, t: Any, shape: tuple[int, ...], k: int, more: str) -> str:
    samples = shape[:k] + shape[k + 1 :]
    return (
        f"{name}: target of shape {t.shape} and dtype {t.dtype} does not fit logits of shape {shape} as classes "
        f"(ints of shape {samples}){more}"
    )
