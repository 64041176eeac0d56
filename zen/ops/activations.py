"""Activation functions that are composed of rows, or whose arguments differ from their row's.

Names and arguments are those of torch.nn.functional. The elementary ones (relu, sigmoid, silu, ...) come straight from
their rows in `elementwise.py`; softmax stands in `nn.py`. `inplace` writes the result into the input, which has to be a
Tensor, and returns that.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import random
from ..backend import apply
from . import nn, pointwise
from .axes import either, one_axis
from .operands import constant, floating, number, operand, raw, whole
from .overwriting import written
from .register import FUNCTIONS, ROWS, public

_HARDTANH, _WHERE, _CLIP = ROWS["hardtanh"], ROWS["where"], ROWS["clip"]
_elu, _leaky_relu = pointwise.elu, pointwise.leaky_relu
_abs, _sigmoid, _tanh, _negative = [FUNCTIONS[name] for name in ("abs", "sigmoid", "tanh", "negative")]


@public("", None)
def hardtanh(input: Any, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> Any:
    """x limited to [min_val, max_val]. The gradient is zero at the limits and beyond.

    input (x): Tensor, array or number of any shape. ValueError where min_val > max_val.

    >>> zen.f.hardtanh(zen.tensor([-2.0, 0.5, 2.0])).tolist()
    [-1.0, 0.5, 1.0]
    """
    min_val, max_val = number(min_val), number(max_val)
    if min_val > max_val:
        raise ValueError(f"hardtanh: min_val must not be above max_val, got {min_val} and {max_val}")
    y = apply(_HARDTANH, (floating("hardtanh", input), min_val, max_val))
    return written("hardtanh", input, y) if inplace else y


@public("", None)
def relu6(input: Any, inplace: bool = False) -> Any:
    """x limited to [0, 6]; `hardtanh` with these limits.

    >>> zen.f.relu6(zen.tensor([-1.0, 3.0, 8.0])).tolist()
    [0.0, 3.0, 6.0]
    """
    y = apply(_HARDTANH, (floating("relu6", input), 0.0, 6.0))
    return written("relu6", input, y) if inplace else y


@public("", None)
def hardsigmoid(input: Any, inplace: bool = False) -> Any:
    """clip(x + 3, 0, 6) / 6, a sigmoid of straight lines.

    >>> zen.f.hardsigmoid(zen.tensor([-4.0, 0.0, 3.0])).tolist()
    [0.0, 0.5, 1.0]
    """
    y = apply(_HARDTANH, (floating("hardsigmoid", input) + 3, 0.0, 6.0)) / 6
    return written("hardsigmoid", input, y) if inplace else y


@public("", None)
def celu(input: Any, alpha: float = 1.0, inplace: bool = False) -> Any:
    """x where x > 0, else alpha * (exp(x / alpha) - 1). Barron 2017. ValueError for alpha = 0.

    >>> zen.f.celu(zen.tensor([0.0, 2.0]), 2.0).tolist()
    [0.0, 2.0]
    """
    alpha = number(alpha)
    if alpha == 0:
        raise ValueError("celu: alpha must not be zero")
    x = floating("celu", input)
    y = _elu(x) if alpha == 1 else alpha * _elu(x / alpha)
    return written("celu", input, y) if inplace else y


@public("", None)
def prelu(input: Any, weight: Any) -> Any:
    """x where x > 0, else weight * x, with a weight for all or one for each channel. He et al. 2015.

    input (x): Tensor or array, channels on axis 1. weight: one element, or (channels,); it has a derivative. ValueError
    for other shapes.

    >>> zen.f.prelu(zen.tensor([[-2.0, -2.0]]), zen.tensor([0.5, 0.25])).tolist()
    [[-1.0, -0.5]]
    """
    x, weight = floating("prelu", input), operand("prelu", weight)
    if weight.size != 1:
        channels = x.shape[1] if len(x.shape) > 1 else 1
        if weight.shape != (channels,):
            raise ValueError(
                f"prelu: weight of shape {weight.shape} fits x of shape {x.shape} neither as one number nor as one for "
                f"each of the {channels} channels on axis 1"
            )
        weight = weight.reshape((channels, *[1] * (len(x.shape) - 2)))
    else:
        weight = weight.reshape(())
    return _leaky_relu(x, weight)


@public("", None)
def rrelu(
    input: Any, lower: float = 1 / 8, upper: float = 1 / 3, training: bool = False, inplace: bool = False, *,
    generator: np.random.Generator | None = None,
) -> Any:  # fmt: skip
    """x where x > 0, else a slope times x: drawn evenly from [lower, upper) for each element while training, and
    their middle otherwise. Xu et al. 2015.

    generator: where the slopes are drawn from, instead of zen.random's stream. ValueError where lower > upper.

    >>> zen.f.rrelu(zen.tensor([-8.0, 3.0]), 0.25, 0.75).tolist()
    [-4.0, 3.0]
    """
    x = floating("rrelu", input)
    lower, upper = number(lower), number(upper)
    if not lower <= upper:
        raise ValueError(f"rrelu: lower must not be above upper, got {lower} and {upper}")
    slope = (lower + upper) / 2
    if training:
        slope = lower + (upper - lower) * random.stream(generator).uniform(size=x.shape).astype(x.dtype)
    y = _leaky_relu(x, slope)
    return written("rrelu", input, y) if inplace else y


@public("", None)
def gumbel_softmax(
    logits: Any, tau: float = 1, hard: bool = False, eps: float = 1e-10, axis: int = -1, *, dim: int | None = None,
    generator: np.random.Generator | None = None,
) -> Any:  # fmt: skip
    """A sample of the distribution of Gumbel and softmax: softmax((logits + noise) / tau) along `axis`.

    hard: one-hot vectors, with the gradient of the soft ones. eps: has no effect. dim: PyTorch's name for axis.
    generator: where the noise is drawn from, instead of zen.random's stream. ValueError unless tau > 0. Jang et al.
    2017, Maddison et al. 2017.

    >>> zen.f.gumbel_softmax(zen.tensor([0.0, 500.0]), hard=True).tolist()
    [0.0, 1.0]
    """
    x, axis = floating("gumbel_softmax", logits), either("gumbel_softmax", "axis", axis, "dim", dim, -1)
    axis = one_axis("gumbel_softmax", axis, x.shape)
    constant("gumbel_softmax", "eps", eps)
    tau = constant("gumbel_softmax", "tau", tau)
    if not tau > 0:
        raise ValueError(f"gumbel_softmax: tau must be positive, not {tau}")
    noise = random.stream(generator).gumbel(size=x.shape).astype(x.dtype)
    soft = nn.softmax((x + noise) / tau, axis)
    if not hard:
        return soft
    values = raw(soft)
    chosen = np.zeros_like(values)
    np.put_along_axis(chosen, np.expand_dims(values.argmax(axis), axis), 1, axis)
    return soft + (chosen - values)  # in one sum: the values are those of `chosen`, to rounding


@public("", None)
def softsign(input: Any) -> Any:
    """x / (1 + |x|).

    >>> zen.f.softsign(zen.tensor([-1.0, 3.0])).tolist()
    [-0.5, 0.75]
    """
    return input / (1 + _abs(input))


@public("", None)
def tanhshrink(input: Any) -> Any:
    """x - tanh(x).

    >>> zen.f.tanhshrink(zen.tensor([0.0])).tolist()
    [0.0]
    """
    return input - _tanh(input)


@public("", None)
def softshrink(input: Any, lambd: float = 0.5) -> Any:
    """x moved towards zero by lambd, and zero within [-lambd, lambd]. ValueError for a negative lambd.

    >>> zen.f.softshrink(zen.tensor([-1.0, 0.2, 2.0])).tolist()
    [-0.5, 0.0, 1.5]
    """
    lambd = number(lambd)
    if lambd < 0:
        raise ValueError(f"softshrink: lambd must not be negative, got {lambd}")
    x = floating("softshrink", input)
    return x - apply(_CLIP, (x, -lambd, lambd))


@public("", None)
def hardshrink(input: Any, lambd: float = 0.5) -> Any:
    """x, but zero within [-lambd, lambd].

    >>> zen.f.hardshrink(zen.tensor([-1.0, 0.2, 2.0])).tolist()
    [-1.0, 0.0, 2.0]
    """
    x = floating("hardshrink", input)
    values, lambd = raw(x), constant("hardshrink", "lambd", lambd)
    return apply(_WHERE, ((values >= -lambd) & (values <= lambd), 0.0, x))  # nan passes


@public("", None)
def threshold(input: Any, threshold: float, value: float, inplace: bool = False) -> Any:
    """value where x <= threshold, else x.

    >>> zen.f.threshold(zen.tensor([0.5, 2.0]), 1.0, -1.0).tolist()
    [-1.0, 2.0]
    """
    x = floating("threshold", input)
    y = apply(_WHERE, (raw(x) <= constant("threshold", "threshold", threshold), number(value), x))  # nan passes
    return written("threshold", input, y) if inplace else y


@public("", None)
def glu(input: Any, axis: int = -1, *, dim: int | None = None) -> Any:
    """The first half of x along `axis` times the sigmoid of the second. Dauphin et al. 2017.

    dim: PyTorch's name for axis. ValueError for an odd length, AxisError for an axis out of range.

    >>> zen.f.glu(zen.tensor([2.0, 0.0])).tolist()
    [1.0]
    """
    x = floating("glu", input)
    axis = either("glu", "axis", axis, "dim", dim, -1)
    k = one_axis("glu", axis, x.shape)
    if x.shape[k] % 2:
        raise ValueError(f"glu: axis {axis} of shape {x.shape} must have an even length, to be halved")
    half, before = x.shape[k] // 2, (slice(None),) * k
    return _sigmoid(x[(*before, slice(half, None))]) * x[(*before, slice(half))]


@public("", None)
def softmin(input: Any, axis: int = -1, *, dim: int | None = None, dtype: Any = None) -> Any:
    """softmax(-x) along `axis`. Arguments and errors as in `softmax`.

    >>> zen.f.softmin(zen.tensor([1.0, 1.0])).tolist()
    [0.5, 0.5]
    """
    axis = whole("softmin", "axis", either("softmin", "axis", axis, "dim", dim, -1))
    return nn.softmax(_negative(operand("softmin", input)), axis, dtype=dtype)
