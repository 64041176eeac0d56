"""Softmax and its logarithm, in forms that neither overflow nor lose small probabilities.

Cross entropy stands in `classification.py`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..backend import Tensor, apply
from ..dtypes import FLOATING
from .axes import either, one_axis
from .casting import astype
from .operands import floating
from .register import define, public
from .result_shapes import same
from .row import row
from .shape import reshape


def _shifted(x: Any, axis: int) -> np.ndarray:
    """x minus its largest element along the axis: exp of it does not overflow."""
    return x - np.maximum.reduce(x, axis=axis, keepdims=True) if x.size else x  # type: ignore[no-any-return]


def _softmax(x: Any, axis: int) -> Any:
    e = np.exp(_shifted(x, axis))
    e /= np.add.reduce(e, axis=axis, keepdims=True)
    return e


def log_softmax_array(x: Any, axis: int) -> Any:
    s = _shifted(x, axis)
    return s - np.log(np.add.reduce(np.exp(s), axis=axis, keepdims=True))


def _draws(rng: np.random.Generator) -> list[Any]:
    x = rng.normal(size=(2, 3, 4))
    return [
        ((rng.normal(size=4),), (0,)), ((x,), (1,)), ((x.transpose(2, 0, 1)[::2],), (2,)), ((np.zeros((0, 3)),), (1,)),
        ((rng.normal(size=(3, 1)),), (1,)), ((rng.normal(size=(2, 3)) * 300,), (1,)),
    ]  # fmt: skip


_SYMMETRIC = "y * (g - sum(g * y, (axis,), True))"
SOFTMAX = define(row(
    "softmax", "x", _softmax, [_SYMMETRIC], params="axis", axes="axis", jvp=(_SYMMETRIC,), domain=_draws, shape=same,
    doc="exp(x) / sum(exp(x)) along an axis.",
))  # fmt: skip
LOG_SOFTMAX = define(row(
    "log_softmax", "x", log_softmax_array, ["g - exp(y) * sum(g, (axis,), True)"], params="axis", axes="axis",
    jvp=("g - sum(exp(y) * g, (axis,), True)",), domain=_draws, shape=same, doc="The logarithm of softmax.",
))  # fmt: skip


def _over_last(row_: Any, x: Any, axis: int) -> Any:
    """The usual call, checked with as little as it needs; None where it is another one."""
    if isinstance(x, Tensor) and type(axis) is int:
        n = x.ndim
        if n and (axis == -1 or axis == n - 1) and x.dtype in FLOATING:
            return apply(row_, (x,), (n - 1,))
    return None


def _over_axis(made: Any, name: str, x: Any, axis: int, dtype: Any) -> Any:
    x = floating(name, x)
    if dtype is not None:
        x = astype(x, dtype)
    if x.shape:
        return apply(made, (x,), (one_axis(name, axis, x.shape),))
    return reshape(apply(made, (reshape(x, (1,)),), (one_axis(name, axis, (1,)),)), ())


@public("")
def softmax(input: Any, axis: int = -1, dim: int | None = None, dtype: Any = None) -> Any:
    """exp(x) / sum(exp(x)) along `axis`, without overflow: positive numbers that add up to 1.

    input (x): Tensor or array; integers give float64, and a 0-d one counts as one of length 1. dim: PyTorch's name for
    axis. dtype: x is converted to it first. Raises AxisError for an axis out of range.

    >>> zen.f.softmax(zen.tensor([0.0, 0.0])).tolist()
    [0.5, 0.5]
    """
    if dim is not None:
        axis = either("softmax", "axis", axis, "dim", dim, -1)
    found = _over_last(SOFTMAX, input, axis) if dtype is None else None
    return found if found is not None else _over_axis(SOFTMAX, "softmax", input, axis, dtype)


@public("")
def log_softmax(input: Any, axis: int = -1, dim: int | None = None, dtype: Any = None) -> Any:
    """x - logsumexp(x) along `axis`: the logarithm of softmax, exact where that is tiny.

    input (x): Tensor or array; integers give float64, and a 0-d one counts as one of length 1. dim: PyTorch's name for
    axis. dtype: x is converted to it first. Raises AxisError for an axis out of range.

    >>> zen.f.log_softmax(zen.tensor([1000.0, 0.0])).tolist()
    [0.0, -1000.0]
    """
    if dim is not None:
        axis = either("log_softmax", "axis", axis, "dim", dim, -1)
    found = _over_last(LOG_SOFTMAX, input, axis) if dtype is None else None
    return found if found is not None else _over_axis(LOG_SOFTMAX, "log_softmax", input, axis, dtype)
