"""Normalisation over the last axes: layer_norm and rms_norm. By channels: `normalisation_channels.py`.

Each is one row: two passes for the statistics and one for the result, two for the gradients.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..backend import apply, kernels
from ..dtypes import FLOATING
from . import normalisation_tangents as tangents
from .operands import constant, floating, operand, raw
from .reduction import mean as average
from .register import FUNCTIONS, define, public
from .result_shapes import same
from .row import row

_sqrt, _square = FUNCTIONS["sqrt"], FUNCTIONS["square"]
Arrays = tuple[Any, ...]
Wanted = tuple[bool, ...]


def scaled(y: Any, weight: Any, bias: Any) -> Any:
    """y * weight + bias, without those that are None."""
    if weight is not None:
        y = y * weight
    return y if bias is None else y + bias


def rooted(d: Any, axes: tuple[int, ...], eps: float) -> Any:
    """sqrt(mean(d * d) + eps) over axes that are kept, also where the squares alone would overflow."""
    if d.size:
        top = np.abs(raw(d)).max(axes, keepdims=True)
        if (top > float(np.finfo(d.dtype).max) ** 0.4).any():
            scale = np.exp2(np.where(np.isfinite(top) & (top > 1), np.frexp(top)[1], 0)).astype(d.dtype)
            return _sqrt(average(_square(d / scale), axes, keepdims=True) + eps / scale / scale) * scale
    return _sqrt(average(_square(d), axes, keepdims=True) + eps)


def layer_composed(x: Any, weight: Any, bias: Any, dims: int, eps: float) -> Any:
    axes = tuple(range(-dims, 0))
    d = x - average(x, axes, keepdims=True)
    return scaled(d / rooted(d, axes, eps), weight, bias)


def _rms_composed(x: Any, weight: Any, dims: int, eps: float) -> Any:
    return scaled(x / rooted(x, tuple(range(-dims, 0)), eps), weight, None)


def _layer_forward(x: Any, weight: Any, bias: Any, dims: int, eps: float, read: bool) -> Arrays:
    found: Arrays = kernels.norm.norm_rows(x, math.prod(x.shape[-dims:]), weight, bias, eps, True)
    return found


def _rms_forward(x: Any, weight: Any, dims: int, eps: float, read: bool) -> Arrays:
    found: Arrays = kernels.norm.norm_rows(x, math.prod(x.shape[-dims:]), weight, None, eps, False)
    return found


def _rows_vjp(g: Any, args: Arrays, results: Arrays, wanted: Wanted, dims: int, eps: float) -> Arrays:
    x, weight = args[:2]
    _, mean, rstd = results
    n, centred = math.prod(x.shape[-dims:]), len(args) == 3
    asked = wanted if centred else (*wanted, False)
    dx, *rest = kernels.norm.norm_rows_backward(g, x, n, weight, centred, mean, rstd, asked)
    found = [d if d is None else d.reshape(args[k].shape) for k, d in enumerate(rest[: len(args) - 1], 1)]
    return dx, *found


def _rows_jvp(t: Arrays, args: Arrays, results: Arrays, dims: int, eps: float) -> Any:
    return tangents.rows(t, args, (math.prod(args[0].shape[-dims:]), *results[1:]), eps, len(args) == 3)


def _row_draws(rng: np.random.Generator) -> list[Any]:
    x, w, b = rng.normal(size=(3, 2, 4)) * 2 + 1, rng.normal(size=4), rng.normal(size=4)
    return [
        ((x, w, b), (1, 1e-5)), ((x, None, None), (2, 0.1)), ((x[0, 0], w, None), (1, 1e-5)),
        ((np.zeros((0, 4)), w, b), (1, 1e-5)),
        ((rng.normal(size=(2, 2, 19)), rng.normal(size=(2, 19)), rng.normal(size=(2, 19))), (2, 1e-5)),
        ((x, None, b), (1, 1e-5)),
    ]  # fmt: skip


def _rms_draws(rng: np.random.Generator) -> list[Any]:
    return [(args[:2], params) for args, params in _row_draws(rng)]


LAYER_NORM = define(row(
    "layer_norm", "x weight? bias?", _layer_forward, _rows_vjp, params="dims eps", workspace="mean rstd",
    jvp=_rows_jvp, composition=layer_composed, shape=same, domain=_row_draws,
    doc="The last axes minus their mean, over their deviation.",
))  # fmt: skip
RMS_NORM = define(row(
    "rms_norm", "x weight?", _rms_forward, _rows_vjp, params="dims eps", workspace="mean rstd",
    jvp=_rows_jvp, composition=_rms_composed, shape=same, domain=_rms_draws,
    doc="The last axes over their root mean square.",
))  # fmt: skip


@public("", None)
def layer_norm(input: Any, normalized_shape: Any, weight: Any = None, bias: Any = None, eps: float = 1e-5) -> Any:
    """(x - mean) / sqrt(var + eps) * weight + bias over the last axes. Ba et al. 2016.

    input (x): Tensor or array of floats; integers give float64. normalized_shape: the shape of the axes that are
    normalised together, or an int for the last alone. weight, bias: of that shape, or None. Raises ValueError for other
    shapes.

    >>> zen.f.layer_norm(zen.tensor([[1.0, 3.0], [4.0, 2.0]]), 2, eps=0.0).tolist()
    [[-1.0, 1.0], [1.0, -1.0]]
    """
    x, shape, weight, bias = _row_arguments("layer_norm", input, normalized_shape, weight, bias)
    return apply(LAYER_NORM, (x, weight, bias), (len(shape), constant("layer_norm", "eps", eps)))


@public("", None)
def rms_norm(input: Any, normalized_shape: Any, weight: Any = None, eps: float | None = None) -> Any:
    """x / sqrt(mean(x * x) + eps) * weight over the last axes. Zhang and Sennrich 2019.

    Arguments as in `layer_norm`; eps None takes the machine epsilon of x's dtype.

    >>> zen.f.rms_norm(zen.tensor([2.0, -2.0]), 2, eps=0.0).tolist()
    [1.0, -1.0]
    """
    x, shape, weight, _ = _row_arguments("rms_norm", input, normalized_shape, weight, None)
    eps = float(np.finfo(x.dtype).eps) if eps is None else constant("rms_norm", "eps", eps)
    return apply(RMS_NORM, (x, weight), (len(shape), eps))


def _row_arguments(name: str, x: Any, normalized: Any, weight: Any, bias: Any) -> Arrays:
    x = floating(name, x)
    weight, bias = optional_weight(name, x, weight), optional_weight(name, x, bias)
    shape = normalized if type(normalized) is tuple else _shape(normalized)
    if not shape or x.shape[-len(shape) :] != shape:
        raise ValueError(f"{name}: x of shape {x.shape} does not end in the normalized shape {shape}")
    for key, value in (("weight", weight), ("bias", bias)):
        if value is not None and value.shape != shape:
            raise ValueError(f"{name}: {key} has shape {value.shape}, expected the normalized shape {shape}")
    return x, shape, weight, bias


def optional_weight(name: str, x: Any, v: Any) -> Any:
    """A weight or bias; one of integers or bools in the dtype of x, as the kernels read floats."""
    if v is None:
        return None
    v = operand(name, v)
    return v if v.dtype in FLOATING else raw(v).astype(x.dtype)


def _shape(normalized: Any) -> tuple[int, ...]:
    return (int(normalized),) if isinstance(normalized, (int, np.integer)) else tuple(normalized)
