"""Normalisation by channels: batch_norm, group_norm, instance_norm. x is (batch, channels, ...).

Each is one row: two passes for the statistics and one for the result, two for the gradients.
"""

from __future__ import annotations

import math
from threading import RLock
from typing import Any

import numpy as np

from .. import backend, writes
from ..backend import Shaped, Tensor, apply, kernels
from ..dtypes import FLOATING
from . import normalisation_tangents as tangents
from .casting import astype
from .normalisation import Arrays, Wanted, layer_composed, optional_weight, rooted, scaled
from .operands import constant, floating, number, raw, whole
from .reduction import mean as average
from .register import FUNCTIONS, ROWS, define, public
from .result_shapes import same
from .row import row
from .shape import reshape

_sqrt, _square = FUNCTIONS["sqrt"], FUNCTIONS["square"]


def _per_channel(x: Any, v: Any) -> Any:
    return None if v is None else reshape(v, (v.shape[0], *[1] * (len(x.shape) - 2)))


def _batch_composed(x: Any, weight: Any, bias: Any, eps: float) -> Arrays:
    axes = (0, *range(2, len(x.shape)))
    mean = average(x, axes)
    d = x - average(x, axes, keepdims=True)
    y = scaled(d / rooted(d, axes, eps), _per_channel(x, weight), _per_channel(x, bias))
    return y, astype(mean, np.float64), average(_square(astype(d, np.float64)), axes)


def _batch_shapes(x: Any, *rest: Any) -> tuple[Shaped, ...]:
    return same(x), *[Shaped(x.shape[1:2], np.dtype(np.float64))] * 2


def _batch_forward(x: Any, weight: Any, bias: Any, eps: float) -> Arrays:
    batch, channels = x.shape[:2]
    found: Arrays = kernels.norm.norm_channels(
        x, batch, channels, math.prod(x.shape[2:]), channels, 1, weight, bias, eps
    )
    return found


def _batch_vjp(g: Arrays, args: Arrays, results: Arrays, wanted: Wanted, eps: float) -> Arrays:
    if g[1] is not None or g[2] is not None:
        return NotImplemented  # type: ignore[no-any-return]
    x, weight, _ = args
    _, mean, var = results
    batch, channels = x.shape[:2]
    dx, sum_g, sum_gh = kernels.norm.norm_channels_backward(
        g[0], x, batch, channels, math.prod(x.shape[2:]), channels, 1, weight, eps, mean, var, False, wanted[0]
    )
    return dx, sum_gh.astype(x.dtype) if wanted[1] else None, sum_g.astype(x.dtype) if wanted[2] else None


def _fixed_composed(x: Any, mean: Any, var: Any, weight: Any, bias: Any, eps: float) -> Any:
    y = (x - _per_channel(x, mean)) / _sqrt(_per_channel(x, var) + eps)
    return scaled(y, _per_channel(x, weight), _per_channel(x, bias))


def _fixed_forward(x: Any, mean: Any, var: Any, weight: Any, bias: Any, eps: float) -> np.ndarray:
    batch, channels = x.shape[:2]
    given = mean.astype(np.float64), var.astype(np.float64)
    found: Arrays = kernels.norm.norm_channels(
        x, batch, channels, math.prod(x.shape[2:]), channels, 1, weight, bias, eps, *given
    )
    y: np.ndarray = found[0]
    return y


def _fixed_vjp(g: Any, args: Arrays, results: Arrays, wanted: Wanted, eps: float) -> Arrays:
    x, mean, var, weight, _ = args
    batch, channels = x.shape[:2]
    mean, var = mean.astype(np.float64), var.astype(np.float64)
    dx, sum_g, sum_gh = kernels.norm.norm_channels_backward(
        g, x, batch, channels, math.prod(x.shape[2:]), channels, 1, weight, eps, mean, var, True, wanted[0]
    )
    w = 1 if weight is None else weight
    found = (-w / np.sqrt(var + eps) * sum_g, -0.5 * w / (var + eps) * sum_gh, sum_gh, sum_g)
    return dx, *[v.astype(x.dtype) if want else None for v, want in zip(found, wanted[1:], strict=True)]


def _group_composed(x: Any, weight: Any, bias: Any, groups: int, eps: float) -> Any:
    runs = reshape(x, (x.shape[0], groups, -1)) if x.size else x
    y = layer_composed(runs, None, None, 1, eps)
    return scaled(reshape(y, x.shape), _per_channel(x, weight), _per_channel(x, bias))


def _pool(channels: int, groups: int) -> int:
    """How many channels share their statistics; at least 1, as the kernels divide by it, where there are none."""
    return channels // groups if channels else 1


def _group_forward(x: Any, weight: Any, bias: Any, groups: int, eps: float, read: bool) -> Arrays:
    if not x.size:
        return np.zeros(x.shape, x.dtype), None, None
    batch, channels = x.shape[:2]
    size = math.prod(x.shape[2:])
    found: Arrays = kernels.norm.norm_channels(
        x, 1, batch * channels, size, channels, _pool(channels, groups), weight, bias, eps
    )  # fmt: skip
    return found


def _group_vjp(g: Any, args: Arrays, results: Arrays, wanted: Wanted, groups: int, eps: float) -> Arrays:
    x, weight, _ = args
    _, mean, var = results
    if not x.size:
        return tuple([np.zeros(a.shape, a.dtype) if want else None for a, want in zip(args, wanted, strict=True)])
    batch, channels = x.shape[:2]
    dx, sum_g, sum_gh = kernels.norm.norm_channels_backward(
        g, x, 1, batch * channels, math.prod(x.shape[2:]), channels, _pool(channels, groups), weight, eps, mean, var,
        False, wanted[0],
    )  # fmt: skip
    dw, db = [
        v.reshape(batch, channels).sum(0).astype(x.dtype) if want else None
        for v, want in ((sum_gh, wanted[1]), (sum_g, wanted[2]))
    ]
    return dx, dw, db


def _batch_jvp(t: Arrays, args: Arrays, results: Arrays, eps: float) -> Any:
    x, weight, _ = args
    _, mean, var = results
    batch, channels = x.shape[:2]
    found, sums = tangents.channels(t, x, weight, (batch, channels, channels, 1), (mean, var), eps, False)
    if sums is None:
        return found, None, None
    count = batch * math.prod(x.shape[2:])
    return found, sums[0] / count, 2 * np.sqrt(var + eps) * sums[1] / count


def _fixed_jvp(t: Arrays, args: Arrays, results: Arrays, eps: float) -> Any:
    if t[1] is not None or t[2] is not None:
        return NotImplemented
    x, mean, var, weight, _ = args
    batch, channels = x.shape[:2]
    given = mean.astype(np.float64), var.astype(np.float64)
    return tangents.channels((t[0], *t[3:]), x, weight, (batch, channels, channels, 1), given, eps, True)[0]


def _group_jvp(t: Arrays, args: Arrays, results: Arrays, groups: int, eps: float) -> Any:
    x, weight, _ = args
    if not x.size:
        return np.zeros(x.shape, x.dtype)
    batch, channels = x.shape[:2]
    layout = 1, batch * channels, channels, _pool(channels, groups)
    return tangents.channels(t, x, weight, layout, results[1:], eps, False)[0]


def _channel_draws(rng: np.random.Generator) -> list[Any]:
    w, b = rng.normal(size=4), rng.normal(size=4)
    return [
        (rng.normal(size=(3, 4, 2, 3)) + 1, w, b), (rng.normal(size=(5, 4)), w, None),
        (rng.normal(size=(2, 4, 17)), None, None), (rng.normal(size=(2, 4, 1)), None, b),
    ]  # fmt: skip


def _batch_draws(rng: np.random.Generator) -> list[Any]:
    return [(args, (0.01,)) for args in _channel_draws(rng)]


def _fixed_draws(rng: np.random.Generator) -> list[Any]:
    m, v = rng.normal(size=4), rng.uniform(0.5, 2.0, 4)
    return [((x, m, v, w, b), (1e-5,)) for x, w, b in _channel_draws(rng)]


def _group_draws(rng: np.random.Generator) -> list[Any]:
    return [(args, (n, 0.01)) for args, n in zip(_channel_draws(rng), (2, 2, 4, 1), strict=True)]


BATCH_NORM = define(row(
    "batch_norm", "x weight? bias?", _batch_forward, _batch_vjp, params="eps", outputs="y mean var", saves="mean var",
    jvp=_batch_jvp, composition=_batch_composed, shape=_batch_shapes, domain=_batch_draws,
    doc="Every channel minus its mean, over its deviation; and the means and variances, in float64.",
))  # fmt: skip
FIXED_NORM = define(row(
    "fixed_norm", "x mean var weight? bias?", _fixed_forward, _fixed_vjp, params="eps", jvp=_fixed_jvp,
    composition=_fixed_composed, shape=same, domain=_fixed_draws,
    doc="Every channel minus a given mean, over the deviation of a given variance.",
))  # fmt: skip
GROUP_NORM = define(row(
    "group_norm", "x weight? bias?", _group_forward, _group_vjp, params="groups eps", workspace="mean var",
    jvp=_group_jvp, composition=_group_composed, shape=same, domain=_group_draws,
    doc="Every sample's groups of channels minus their means, over their deviations.",
))  # fmt: skip


@public("", None)
def batch_norm(
    input: Any, running_mean: Any, running_var: Any, weight: Any = None, bias: Any = None, training: bool = False,
    momentum: float = 0.1, eps: float = 1e-5,
) -> Any:  # fmt: skip
    """(x - mean) / sqrt(var + eps) * weight + bias, for each channel. Ioffe and Szegedy 2015.

    input (x): (batch, channels, ...), floats; integers give float64. training: the statistics are those of x, and
    running_mean and running_var (unless None), of shape (channels,), move towards them in place by the fraction
    momentum; the variance that they get is the unbiased one. Otherwise the running statistics are used. weight, bias:
    (channels,) or None. An x without elements gives such a result and moves nothing. Raises ValueError for other
    shapes, for missing running statistics, and for a single value per channel while training.

    >>> mean, var = zen.zeros(1), zen.ones(1)
    >>> zen.f.batch_norm(zen.tensor([[1.0], [3.0]]), mean, var, training=True, eps=0.0).tolist()
    [[-1.0], [1.0]]
    >>> mean.tolist()
    [0.2]
    """
    x = floating("batch_norm", input)
    weight, bias = optional_weight("batch_norm", x, weight), optional_weight("batch_norm", x, bias)
    _running_arguments("batch_norm", x, running_mean, running_var, weight, bias, "" if training else "training")
    eps, momentum = constant("batch_norm", "eps", eps), constant("batch_norm", "momentum", momentum)
    if not training:
        return apply(FIXED_NORM, (x, running_mean, running_var, weight, bias), (eps,))
    if x.size == 0:
        return _nothing(x, weight, bias, eps)
    count = x.size // x.shape[1]
    if count < 2:
        raise ValueError(
            f"batch_norm: x of shape {x.shape} has 1 value per channel, but training needs at least two; use a "
            "larger batch or evaluation mode"
        )
    y, mean, var = apply(BATCH_NORM, (x, weight, bias), (eps,))
    if running_mean is not None:
        _move("batch_norm", running_mean, raw(mean), momentum)
    if running_var is not None:
        _move("batch_norm", running_var, raw(var) * (count / (count - 1)), momentum)
    return y


@public("", None)
def group_norm(input: Any, num_groups: int, weight: Any = None, bias: Any = None, eps: float = 1e-5) -> Any:
    """(x - mean) / sqrt(var + eps) * weight + bias, for each sample and group of channels. Wu and He 2018.

    input (x): (batch, channels, ...), floats; integers give float64. weight, bias: (channels,) or None. Raises
    ValueError for other shapes, and if num_groups does not divide the channels.

    >>> zen.f.group_norm(zen.tensor([[1.0, 3.0, 2.0, 0.0]]), 2, eps=0.0).tolist()
    [[-1.0, 1.0, 1.0, -1.0]]
    """
    x = floating("group_norm", input)
    weight, bias = optional_weight("group_norm", x, weight), optional_weight("group_norm", x, bias)
    _channel_arguments("group_norm", x, {"weight": weight, "bias": bias})
    num_groups = constant("group_norm", "num_groups", num_groups)
    if not isinstance(num_groups, (int, np.integer)) or num_groups < 1 or x.shape[1] % num_groups:
        raise ValueError(f"group_norm: {num_groups!r} groups do not divide the {x.shape[1]} channels of x {x.shape}")
    return apply(GROUP_NORM, (x, weight, bias), (num_groups, constant("group_norm", "eps", eps)))


@public("", None)
def instance_norm(
    input: Any, running_mean: Any = None, running_var: Any = None, weight: Any = None, bias: Any = None,
    use_input_stats: bool = True, momentum: float = 0.1, eps: float = 1e-5,
) -> Any:  # fmt: skip
    """(x - mean) / sqrt(var + eps) * weight + bias, for each sample and channel. Ulyanov et al. 2016.

    input (x): (batch, channels, length, ...), floats; integers give float64. use_input_stats: the statistics are those
    of each sample, and running_mean and running_var (unless None), of shape (channels,), move in place by the fraction
    momentum towards the samples' average; the variances in it are the unbiased ones. Otherwise the running statistics
    are used. weight, bias: (channels,) or None. Raises ValueError for other shapes, for missing running statistics, and
    for a single value per channel where the statistics are those of x.

    >>> zen.f.instance_norm(zen.tensor([[[1.0, 3.0]]]), eps=0.0).tolist()
    [[[-1.0, 1.0]]]
    """
    x = floating("instance_norm", input)
    weight, bias = optional_weight("instance_norm", x, weight), optional_weight("instance_norm", x, bias)
    without = "" if use_input_stats else "use_input_stats"
    _running_arguments("instance_norm", x, running_mean, running_var, weight, bias, without)
    eps, momentum = constant("instance_norm", "eps", eps), constant("instance_norm", "momentum", momentum)
    if not use_input_stats:
        return apply(FIXED_NORM, (x, running_mean, running_var, weight, bias), (eps,))
    if x.size == 0:
        return _nothing(x, weight, bias, eps)
    if math.prod(x.shape[2:]) < 2:
        raise ValueError(f"instance_norm: x of shape {x.shape} has a single value per channel; at least two are needed")
    if running_mean is not None or running_var is not None:
        values = raw(x).reshape(*x.shape[:2], -1)
        _move("instance_norm", running_mean, values.mean(2, dtype=np.float64).mean(0), momentum)
        _move("instance_norm", running_var, values.var(2, dtype=np.float64, ddof=1).mean(0), momentum)
    return apply(GROUP_NORM, (x, weight, bias), (x.shape[1], eps))


@public("", None)
def local_response_norm(input: Any, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> Any:
    """x / (k + alpha * mean) ** beta, with the mean of the squares of `size` neighbouring channels.

    input (x): (batch, channels, length, ...). Channels beyond the first and the last count as zeros. Raises ValueError
    for less than three axes, and a size below 1. Krizhevsky et al. 2012, with the mean in the place of the sum.

    >>> zen.f.local_response_norm(zen.tensor([[[2.0]]]), 1, alpha=1.0, beta=0.5, k=0.0).item()
    1.0
    """
    x = floating("local_response_norm", input)
    size = whole("local_response_norm", "size", size)
    alpha, beta, k = number(alpha), number(beta), number(k)
    if x.ndim < 3 or size < 1:
        raise ValueError(
            f"local_response_norm: x of shape {x.shape} and size {size}; expected (batch, channels, length, ...) and "
            "at least one channel"
        )
    channels, before = x.shape[1], size // 2
    width = ((0, 0), (before, size - 1 - before), *[(0, 0)] * (x.ndim - 2))
    squares = apply(ROWS["pad"], (_square(x),), (width, np.asarray(0)))
    total = squares[:, :channels]
    for n in range(1, size):
        total = total + squares[:, n : n + channels]
    return x / (k + total * (alpha / size)) ** beta


def _nothing(x: Any, weight: Any, bias: Any, eps: float) -> Any:
    """The result for an x without elements, whose statistics do not exist: empty, with zero gradients."""
    channels = x.shape[1]
    return apply(FIXED_NORM, (x, np.zeros(channels, x.dtype), np.ones(channels, x.dtype), weight, bias), (eps,))


def _running_arguments(name: str, x: Any, mean: Any, var: Any, weight: Any, bias: Any, without: str) -> None:
    for key, v in (("running_mean", mean), ("running_var", var)):
        if v is not None and not (isinstance(v, (Tensor, np.ndarray)) and v.dtype in FLOATING):
            raise TypeError(f"{name}: {key} must be a Tensor or array of floats")
    _channel_arguments(name, x, {"running_mean": mean, "running_var": var, "weight": weight, "bias": bias})
    if without and (mean is None or var is None):
        raise ValueError(f"{name}: without {without}, running_mean and running_var are needed")


def _channel_arguments(name: str, x: Any, given: dict[str, Any]) -> None:
    if len(x.shape) < 2:
        raise ValueError(f"{name}: x must have a batch and channels, (batch, channels, ...); got shape {x.shape}")
    expected = x.shape[1:2]
    for key, value in given.items():
        if value is not None and value.shape != expected:
            raise ValueError(f"{name}: {key} has shape {value.shape}, but x of shape {x.shape} needs {expected}")


_moving = RLock()  # threads that share a layer: no batch's statistics are lost


def _move(name: str, running: Any, fresh: np.ndarray, momentum: float) -> None:
    """running += momentum * (fresh - running), announced as a write."""
    if running is None:
        return
    if backend.tracer() is not None and isinstance(running, Tensor):
        running[...] = (running + momentum * (fresh - running)).astype(running.dtype)
        return
    array = running._array if isinstance(running, Tensor) else running
    seq = backend.next_seq()
    with _moving:
        array += momentum * (fresh - array)
    writes.note(array, seq, name)
    backend.note_write(seq)
