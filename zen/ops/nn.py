"""Softmax and cross entropy, in forms that neither overflow nor lose small probabilities."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..backend import apply
from .axes import kept, one_axis
from .indexing import along_axis
from .register import define, operand, public, raw
from .row import NOT_DIFFERENTIABLE, row


def _shifted(x: Any, axis: int) -> np.ndarray:
    """x minus its largest element along the axis: exp of it does not overflow."""
    return x - np.maximum.reduce(x, axis=axis, keepdims=True) if x.size else x  # type: ignore[no-any-return]


def _softmax(x: Any, axis: int) -> Any:
    e = np.exp(_shifted(x, axis))
    e /= np.add.reduce(e, axis=axis, keepdims=True)
    return e


def _log_softmax(x: Any, axis: int) -> Any:
    s = _shifted(x, axis)
    return s - np.log(np.add.reduce(np.exp(s), axis=axis, keepdims=True))


def _floating(x: Any) -> Any:
    return x if x.dtype.kind == "f" else raw(x).astype(np.float64)


def _draws(rng: np.random.Generator) -> list[Any]:
    x = rng.normal(size=(2, 3, 4))
    return [
        ((rng.normal(size=4),), (0,)), ((x,), (1,)), ((x.transpose(2, 0, 1)[::2],), (2,)), ((np.zeros((0, 3)),), (1,)),
        ((rng.normal(size=(3, 1)),), (1,)), ((rng.normal(size=(2, 3)) * 300,), (1,)),
    ]  # fmt: skip


SOFTMAX = define(row(
    "softmax", "x", _softmax, ["y * (g - sum(g * y, (axis,), True))"], params="axis", domain=_draws,
    doc="exp(x) / sum(exp(x)) along an axis.",
))  # fmt: skip
LOG_SOFTMAX = define(row(
    "log_softmax", "x", _log_softmax, ["g - exp(y) * sum(g, (axis,), True)"], params="axis", domain=_draws,
    doc="The logarithm of softmax.",
))  # fmt: skip


@public("")
def softmax(x: Any, axis: int = -1) -> Any:
    """exp(x) / sum(exp(x)) along `axis`, without overflow: positive numbers that add up to 1.

    x: Tensor or array of at least one dimension; integers give float64. Raises AxisError for an axis out of range.

    >>> zen.f.softmax(zen.tensor([0.0, 0.0])).tolist()
    [0.5, 0.5]
    """
    x = _floating(operand("softmax", x))
    return apply(SOFTMAX, (x,), (one_axis("softmax", axis, x.shape),))


@public("")
def log_softmax(x: Any, axis: int = -1) -> Any:
    """x - logsumexp(x) along `axis`: the logarithm of softmax, exact where that is tiny.

    x: Tensor or array of at least one dimension; integers give float64. Raises AxisError for an axis out of range.

    >>> zen.f.log_softmax(zen.tensor([1000.0, 0.0])).tolist()
    [0.0, -1000.0]
    """
    x = _floating(operand("log_softmax", x))
    return apply(LOG_SOFTMAX, (x,), (one_axis("log_softmax", axis, x.shape),))


# --- cross entropy. Row level: reduction is "mean", "sum" or "none"; the classes are along `axis`.


def _reduced(losses: Any, reduction: str) -> Any:
    if reduction == "none":
        return losses
    return np.add.reduce(losses, axis=None) if reduction == "sum" else losses.mean()


def _weights(f: Any, g: Any, shape: tuple[int, ...], axis: int, reduction: str) -> Any:
    """The cotangent of each sample's loss, with an axis of length 1 for the classes."""
    if reduction == "none":
        return kept(f, g, shape, (axis,), False)
    samples = 1
    for k, n in enumerate(shape):
        samples *= 1 if k == axis else n
    return g * (1 / samples) if reduction == "mean" and samples else g


def _chosen(shape: tuple[int, ...], target: Any, axis: int) -> tuple[Any, ...]:
    """The key of each sample's target class."""
    if len(shape) == 2 and axis == 1:
        return np.arange(shape[0]), raw(target)
    return along_axis(shape, np.expand_dims(raw(target), axis), axis)


def _cross_entropy(x: Any, target: Any, axis: int, reduction: str) -> Any:
    shifted = _shifted(x, axis)
    total = np.log(np.add.reduce(np.exp(shifted), axis=axis))
    return _reduced(total - shifted[_chosen(x.shape, target, axis)].reshape(total.shape), reduction)


def _cross_entropy_vjp(f: Any, g: Any, x: Any, target: Any, axis: int, reduction: str) -> Any:
    hot = np.zeros(x.shape, x.dtype)
    hot[_chosen(x.shape, target, axis)] = 1
    return (f.softmax(x, axis) - hot) * _weights(f, g, x.shape, axis, reduction)


def _soft_cross_entropy(x: Any, p: Any, axis: int, reduction: str) -> Any:
    return _reduced(-np.add.reduce(np.where(p == 0, 0, p * _log_softmax(x, axis)), axis=axis), reduction)


def _soft_logits_vjp(f: Any, g: Any, x: Any, p: Any, axis: int, reduction: str) -> Any:
    grad = f.softmax(x, axis) * f.sum(p, (axis,), True) - p
    return grad * _weights(f, g, x.shape, axis, reduction)


def _soft_target_vjp(f: Any, g: Any, x: Any, axis: int, reduction: str) -> Any:
    return -f.log_softmax(x, axis) * _weights(f, g, x.shape, axis, reduction)


def _class_draws(rng: np.random.Generator) -> list[Any]:
    return [
        ((rng.normal(size=(4, 3)), np.array([0, 2, 1, 2])), (1, "mean")),
        ((rng.normal(size=(3, 2, 2)), np.array([[0, 1], [2, 2], [1, 0]])[:2]), (0, "none")),
        ((rng.normal(size=3), np.array(1)), (0, "sum")), ((np.zeros((0, 3)), np.zeros(0, int)), (1, "sum")),
    ]  # fmt: skip


def _soft_draws(rng: np.random.Generator) -> list[Any]:
    return [((x, rng.dirichlet(np.ones(4), x.shape[:1]) if x.ndim > 1 else np.full(4, 0.25)), (x.ndim - 1, r))
            for x, r in zip(rng.normal(size=(3, 2, 4)), ("mean", "sum", "none"), strict=True)]  # fmt: skip


CROSS_ENTROPY = define(row(
    "cross_entropy", "x target", _cross_entropy,
    ["vjp(g, x, target, axis, reduction)", NOT_DIFFERENTIABLE], params="axis reduction",
    uses={"vjp": _cross_entropy_vjp}, domain=_class_draws, doc="-log_softmax(x) at the target classes.",
))  # fmt: skip
SOFT_CROSS_ENTROPY = define(row(
    "soft_cross_entropy", "x p", _soft_cross_entropy,
    ["logits_vjp(g, x, p, axis, reduction)", "target_vjp(g, x, axis, reduction)"], params="axis reduction",
    uses={"logits_vjp": _soft_logits_vjp, "target_vjp": _soft_target_vjp}, domain=_soft_draws, linear="p",
    doc="-sum(p * log_softmax(x)) over the classes.",
))  # fmt: skip


@public("")
def cross_entropy(logits: Any, target: Any, axis: int = -1, *, reduction: str = "mean") -> Any:
    """Cross entropy of a softmax classifier, from its logits: -log(softmax(logits)[target]), stable for any logits.

    logits: Tensor or array with the classes along `axis`. target: class numbers (ints, the shape of the logits without
    the axis), or probabilities (floats, the shape of the logits), which may require a gradient as well. reduction:
    "mean" over the samples, "sum", or "none" for one loss for each sample. Raises ValueError for shapes that do not
    fit and for an unknown reduction, IndexError for a class out of range, AxisError for an axis out of range.

    >>> round(float(zen.f.cross_entropy(zen.tensor([[0.0, 0.0], [0.0, 0.0]]), [0, 1])), 4)
    0.6931
    """
    x, t = _floating(operand("cross_entropy", logits)), operand("cross_entropy", target)
    if reduction not in ("mean", "sum", "none"):
        raise ValueError(f'cross_entropy: reduction must be "mean", "sum" or "none", not {reduction!r}')
    k = one_axis("cross_entropy", axis, x.shape)
    samples = x.shape[:k] + x.shape[k + 1 :]
    if t.dtype.kind in "iu" and t.shape == samples:
        classes = raw(t)
        if classes.size and (classes.min() < 0 or classes.max() >= x.shape[k]):
            wrong = classes[(classes < 0) | (classes >= x.shape[k])].flat[0]
            raise IndexError(f"cross_entropy: class {wrong} is out of range: logits {x.shape} have {x.shape[k]}")
        return apply(CROSS_ENTROPY, (x, t), (k, reduction))
    if t.dtype.kind == "f" and t.shape == x.shape:
        return apply(SOFT_CROSS_ENTROPY, (x, t), (k, reduction))
    raise ValueError(
        f"cross_entropy: target of shape {t.shape} and dtype {t.dtype} fits logits of shape {x.shape} neither as "
        f"classes (ints of shape {samples}) nor as probabilities (floats of shape {x.shape})"
    )
