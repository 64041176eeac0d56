"""Convolutions of images and sequences. The kernels are in `_core/_conv.pyx` and `_reference/kernels/conv.py`.

Three rows, each linear in both arguments, close under differentiation: the convolution, its transpose in the input
(which is the transposed convolution), and its transpose in the weight. Their argument `t` is shaped as the output.
Sequences are images of height 1.
"""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from ..backend import Shaped, apply, kernels
from ..dtypes import COMPLEX, KERNELS, accumulator
from .joining import PAD
from .operands import by_parts, floating
from .register import ROWS, define, public
from .result_shapes import promoted
from .row import row
from .shape import RESHAPE

Pair = tuple[int, int]


def _run(kernel: Any, arrays: tuple[Any, ...], *params: Any) -> Any:
    """The kernel on arrays of their common dtype; float16 is computed in float32, complex numbers by their parts."""
    dtype = np.result_type(*arrays)
    if dtype in COMPLEX:
        n = len(arrays)
        return by_parts(lambda *given: _run(kernel, given[:n], *given[n:]), arrays, *params).astype(dtype, copy=False)
    inner = accumulator(dtype)
    return kernel(*[np.asarray(a, inner) for a in arrays], *params).astype(dtype, copy=False)


def _conv2d(x: Any, w: Any, stride: Any, padding: Any, dilation: Any, groups: int) -> Any:
    if x.dtype is w.dtype and x.dtype in KERNELS:
        return kernels.conv.conv2d(x, w, None, stride, padding, dilation, groups)
    return _run(kernels.conv.conv2d, (x, w), None, stride, padding, dilation, groups)


def _conv2d_bias(x: Any, w: Any, b: Any, stride: Any, padding: Any, dilation: Any, groups: int) -> Any:
    if x.dtype is w.dtype is b.dtype and x.dtype in KERNELS:
        return kernels.conv.conv2d(x, w, b, stride, padding, dilation, groups)
    if any([a.dtype in COMPLEX for a in (x, w, b)]):  # linear in x and w, but not in b
        return _conv2d(x, w, stride, padding, dilation, groups) + b[:, None, None]
    return _run(kernels.conv.conv2d, (x, w, b), stride, padding, dilation, groups)


def _conv2d_input(g: Any, w: Any, size: Pair, stride: Any, padding: Any, dilation: Any, groups: int) -> Any:
    return _run(kernels.conv.conv2d_input, (g, w), size, stride, padding, dilation, groups)


def _conv2d_weight(x: Any, g: Any, kernel: Pair, stride: Any, padding: Any, dilation: Any, groups: int) -> Any:
    return _run(kernels.conv.conv2d_weight, (x, g), kernel, stride, padding, dilation, groups)


_CASES: list[tuple[Any, ...]] = [
    # input, weight, stride, padding, dilation, groups
    ((2, 2, 3, 2), (2, 2, 2, 2), (1, 1), (1, 0), (1, 1), 1), ((1, 2, 5, 3), (2, 1, 2, 3), (2, 1), (0, 2), (1, 2), 2),
    ((1, 3, 1, 5), (3, 1, 1, 3), (1, 2), (0, 1), (1, 1), 3), ((2, 2, 2, 1), (1, 2, 1, 1), (1, 1), (0, 0), (1, 1), 1),
    ((0, 2, 3, 3), (2, 2, 2, 2), (1, 1), (0, 0), (1, 1), 1), ((1, 1, 5, 2), (1, 1, 2, 1), (3, 2), (1, 0), (2, 1), 1),
]  # fmt: skip


def _output(x: Any, w: Any, stride: Pair, padding: Pair, dilation: Pair) -> tuple[int, ...]:
    sizes = zip(x[2:], w[2:], stride, padding, dilation, strict=True)
    return (x[0], w[0], *[(n + 2 * p - d * (k - 1) - 1) // s + 1 for n, k, s, p, d in sizes])


def _draws(rng: np.random.Generator) -> list[Any]:
    return [((rng.normal(size=x), rng.normal(size=w)), tuple(rest)) for x, w, *rest in _CASES]


def _bias_draws(rng: np.random.Generator) -> list[Any]:
    return [((x, w, rng.normal(size=len(w))), params) for (x, w), params in _draws(rng)]


def _input_draws(rng: np.random.Generator) -> list[Any]:
    return [((rng.normal(size=_output(x, w, *rest[:3])), rng.normal(size=w)), (x[2:], *rest))
            for x, w, *rest in _CASES]  # fmt: skip


def _weight_draws(rng: np.random.Generator) -> list[Any]:
    return [((rng.normal(size=x), rng.normal(size=_output(x, w, *rest[:3]))), (w[2:], *rest))
            for x, w, *rest in _CASES]  # fmt: skip


_GEOMETRY = "stride padding dilation groups"
_LIST = "stride, padding, dilation, groups"
_TO_INPUT = "conv2d_input(g, w, x.shape[2:], stride, padding, dilation, groups)"
_TO_WEIGHT = "conv2d_weight(x, g, w.shape[2:], stride, padding, dilation, groups)"


def _convolved(x: Any, w: Any, stride: Any, padding: Any, dilation: Any, groups: int) -> Shaped:
    sizes = [
        (n + 2 * p - d * (k - 1) - 1) // s + 1
        for n, k, s, p, d in zip(x.shape[2:], w.shape[2:], stride, padding, dilation, strict=True)
    ]
    return Shaped((x.shape[0], w.shape[0], *sizes), promoted(x, w))


CONV2D = define(row(
    "conv2d", "x w", _conv2d, [_TO_INPUT, _TO_WEIGHT], params=_GEOMETRY, linear="x w", domain=_draws, shape=_convolved,
    complex=True,
    doc="Cross-correlation of images with kernels.",
))  # fmt: skip
CONV2D_BIAS = define(row(
    "conv2d_bias", "x w b", _conv2d_bias, [_TO_INPUT, _TO_WEIGHT, "sum(sum(g, (2, 3), False), (0,), False)"],
    jvp=(f"conv2d(g, w, {_LIST})", f"conv2d(x, g, {_LIST})", "reshape(g, (g.shape[0], 1, 1))"),
    params=_GEOMETRY, domain=_bias_draws,
    shape=lambda x, w, b, *rest: Shaped(_convolved(x, w, *rest).shape, promoted(x, w, b)),
    complex=True,
    doc="Cross-correlation of images with kernels, plus a number per channel.",
))  # fmt: skip
CONV2D_INPUT = define(row(
    "conv2d_input", "t w", _conv2d_input,
    ["conv2d(g, w, stride, padding, dilation, groups)",
     "conv2d_weight(g, t, w.shape[2:], stride, padding, dilation, groups)"],
    params=f"size {_GEOMETRY}", linear="t w", domain=_input_draws, complex=True,
    doc="The transpose of conv2d in its input.",
    shape=lambda t, w, size, *rest: Shaped((t.shape[0], w.shape[1] * rest[-1], *size), promoted(t, w)),
))  # fmt: skip
CONV2D_WEIGHT = define(row(
    "conv2d_weight", "x t", _conv2d_weight,
    ["conv2d_input(t, g, x.shape[2:], stride, padding, dilation, groups)",
     "conv2d(x, g, stride, padding, dilation, groups)"],
    params=f"kernel {_GEOMETRY}", linear="x t", domain=_weight_draws, complex=True,
    doc="The transpose of conv2d in its weight.",
    shape=lambda x, t, kernel, *rest: Shaped((t.shape[1], x.shape[1] // rest[-1], *kernel), promoted(x, t)),
))  # fmt: skip


# --- arguments


_LARGEST = 2**31 - 1  # products of two sizes still fit in 64 bits


def several(name: str, key: str, value: Any, count: int, least: int) -> tuple[int, ...]:
    """An int, or a sequence of `count` ints, as a tuple of ints that are at least `least`."""
    try:
        found = tuple([operator.index(n) for n in value]) if hasattr(value, "__len__") else (operator.index(value),)
    except TypeError:
        found = ()
    if len(found) == 1:
        found *= count
    if len(found) != count or min(found) < least:
        form = "an int" if count == 1 else f"an int or {count} ints"
        raise ValueError(f"{name}: {key} must be {form} of at least {least}, not {value!r}")
    if max(found) > _LARGEST:
        raise ValueError(f"{name}: {key} must be at most {_LARGEST}, not {value!r}")
    return found


def batched(name: str, x: Any, axes: int, what: str) -> tuple[Any, bool]:
    """(x of shape (batch, channels, height, width), whether it came without a batch), for `axes` spatial axes."""
    if x.ndim not in (axes + 1, axes + 2):
        names = "length" if axes == 1 else "height, width"
        raise ValueError(
            f"{name}: {what} of shape {x.shape} must have {axes + 2} axes (batch, channels, {names}), or {axes + 1} "
            "without the batch"
        )
    alone = x.ndim == axes + 1
    if alone or axes == 1:
        shape = ((1,) if alone else x.shape[:1]) + (x.shape[-1 - axes],) + (1,) * (2 - axes) + x.shape[x.ndim - axes :]
        x = apply(RESHAPE, (x,), (shape,))
    return x, alone


def unbatched(y: Any, axes: int, alone: bool) -> Any:
    """The reverse of `batched`, for a result."""
    if not alone and axes == 2:
        return y
    return apply(RESHAPE, (y,), ((() if alone else y.shape[:1]) + y.shape[1:2] + y.shape[4 - axes :],))


def _weight(name: str, weight: Any, axes: int, groups: Any, form: str) -> tuple[Any, int]:
    """(the weight with four axes, the number of groups)."""
    weight = floating(name, weight, True)
    (groups,) = several(name, "groups", groups, 1, 1)
    if weight.ndim != axes + 2 or min(weight.shape[2:]) < 1:
        raise ValueError(f"{name}: weight of shape {weight.shape} must be {form}")
    if weight.shape[0] % groups:
        raise ValueError(f"{name}: groups={groups} does not divide axis 0 of weight {weight.shape}")
    if axes == 1:
        weight = apply(RESHAPE, (weight,), ((*weight.shape[:2], 1, weight.shape[2]),))
    return weight, groups


def _bias(name: str, bias: Any, channels: int) -> Any:
    bias = floating(name, bias, True)
    if bias.shape != (channels,):
        raise ValueError(f"{name}: bias of shape {bias.shape} does not fit {channels} output channels: ({channels},)")
    return bias


def _flat(sizes: tuple[int, ...], fill: int) -> Pair:
    """A pair from one number, for images of height 1."""
    return (fill, sizes[0]) if len(sizes) == 1 else (sizes[0], sizes[1])


def _padding(
    name: str, x: Any, padding: Any, kernel: Pair, stride: Pair, dilation: Pair, axes: int
) -> tuple[Any, Pair]:
    """(x, perhaps padded already where the sides differ; the padding that is left to do)."""
    if not isinstance(padding, str):
        return x, _flat(several(name, "padding", padding, axes, 0), 0)
    if padding == "valid":
        return x, (0, 0)
    if padding != "same":
        raise ValueError(f'{name}: padding must be "same", "valid" or ints, not {padding!r}')
    if stride != (1, 1):
        raise ValueError(f'{name}: padding="same" needs a stride of 1, not {stride[2 - axes :]}')
    total = [d * (k - 1) for d, k in zip(dilation, kernel, strict=True)]
    if any([n % 2 for n in total]):  # the odd one goes to the end
        x = apply(PAD, (x,), (((0, 0), (0, 0), *[(0, n % 2) for n in total]), 0))
    return x, (total[0] // 2, total[1] // 2)


def _convolve(
    name: str, axes: int, x: Any, weight: Any, bias: Any, stride: Any, padding: Any, dilation: Any, groups: Any
) -> Any:
    form = "(out, in / groups, length)" if axes == 1 else "(out, in / groups, height, width)"
    weight, groups = _weight(name, weight, axes, groups, form)
    x, alone = batched(name, floating(name, x, True), axes, "input")
    stride = _flat(several(name, "stride", stride, axes, 1), 1)
    dilation = _flat(several(name, "dilation", dilation, axes, 1), 1)
    if x.shape[1] != weight.shape[1] * groups:
        raise ValueError(
            f"{name}: input has {x.shape[1]} channels, but a weight with {weight.shape[1]} on axis 1 and "
            f"groups={groups} needs {weight.shape[1] * groups}"
        )
    x, padding = _padding(name, x, padding, weight.shape[2:], stride, dilation, axes)
    for n, k, p, d in zip(x.shape[2:], weight.shape[2:], padding, dilation, strict=True):
        if d * (k - 1) + 1 > n + 2 * p:
            raise ValueError(
                f"{name}: a kernel of length {k} with dilation {d} spans {d * (k - 1) + 1}, more than the input's {n} "
                f"with padding {p} on both sides"
            )
    if bias is None:
        y = apply(CONV2D, (x, weight), (stride, padding, dilation, groups))
    else:
        bias = _bias(name, bias, weight.shape[0])
        y = apply(CONV2D_BIAS, (x, weight, bias), (stride, padding, dilation, groups))
    return unbatched(y, axes, alone)


def _transpose(
    name: str, axes: int, x: Any, weight: Any, bias: Any, stride: Any, padding: Any, output_padding: Any, groups: Any,
    dilation: Any,
) -> Any:  # fmt: skip
    form = "(in, out / groups, length)" if axes == 1 else "(in, out / groups, height, width)"
    weight, groups = _weight(name, weight, axes, groups, form)
    x, alone = batched(name, floating(name, x, True), axes, "input")
    if x.shape[1] != weight.shape[0]:
        shape = weight.shape if axes == 2 else (*weight.shape[:2], weight.shape[3])
        raise ValueError(f"{name}: input has {x.shape[1]} channels, but weight {shape} has {shape[0]} on axis 0")
    stride = _flat(several(name, "stride", stride, axes, 1), 1)
    padding = _flat(several(name, "padding", padding, axes, 0), 0)
    dilation = _flat(several(name, "dilation", dilation, axes, 1), 1)
    extra = _flat(several(name, "output_padding", output_padding, axes, 0), 0)
    size, beyond = [], []
    for n, k, s, p, d, e in zip(x.shape[2:], weight.shape[2:], stride, padding, dilation, extra, strict=True):
        if e >= max(s, d):
            raise ValueError(f"{name}: output_padding {e} must be smaller than stride {s} or dilation {d}")
        size.append((n - 1) * s - 2 * p + d * (k - 1) + e + 1)
        if size[-1] < 1:
            raise ValueError(
                f"{name}: the output would have length {size[-1]}; padding {p} is too large for length {n}"
            )
        beyond.append(e // s)  # a convolution of that output would have so many positions more
    if any(beyond):
        x = apply(PAD, (x,), (((0, 0), (0, 0), *[(0, n) for n in beyond]), 0))
    y = apply(CONV2D_INPUT, (x, weight), (tuple(size), stride, padding, dilation, groups))
    if bias is not None:
        bias = _bias(name, bias, weight.shape[1] * groups)
        y = apply(ROWS["add"], (y, apply(RESHAPE, (bias,), ((bias.shape[0], 1, 1),))))
    return unbatched(y, axes, alone)


# --- public functions


@public("")
def conv1d(
    input: Any, weight: Any, bias: Any = None, stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups: int = 1
) -> Any:
    """Cross-correlation of sequences with kernels.

    input (x): (batch, channels, length) or (channels, length). weight: (out, channels / groups, kernel). The other
    arguments and errors are those of `conv2d`.

    >>> zen.f.conv1d(zen.tensor([[1.0, 2.0, 4.0, 7.0]]), zen.tensor([[[-1.0, 1.0]]])).tolist()
    [[1.0, 2.0, 3.0]]
    """
    return _convolve("conv1d", 1, input, weight, bias, stride, padding, dilation, groups)


@public("")
def conv2d(
    input: Any, weight: Any, bias: Any = None, stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups: int = 1
) -> Any:
    """Cross-correlation of images with kernels: y[n, o, i, j] = bias[o] + the sum over c, u, v of
    weight[o, c, u, v] * x[n, c, i * stride + u * dilation - padding, j * stride + v * dilation - padding].

    input (x): Tensor or array (batch, channels, height, width) or (channels, height, width). weight: (out, channels /
    groups, kernel height, kernel width). bias: (out,) or None. stride, dilation: ints or pairs, at least 1. padding:
    zeros on every side, an int or a pair; "valid" (none) or "same" (the output's size is the input's; stride 1).
    groups: the channels are split into so many parts, each with its own part of the output channels. Integers count as
    float64; float16 is computed in float32; any of the three may be complex. Raises ValueError for shapes that do not
    fit and for a kernel larger than the padded input.

    >>> x = zen.tensor([[[1.0, 2.0], [3.0, 4.0]]])
    >>> zen.f.conv2d(x, zen.ones((1, 1, 2, 2)), zen.tensor([0.5])).tolist()
    [[[10.5]]]
    """
    # What a layer calls again and again needs no preparation.
    if bias is None:
        y = kernels.conv.convolved(CONV2D, (input, weight), (stride, padding, dilation, groups))
    else:
        y = kernels.conv.convolved(CONV2D_BIAS, (input, weight, bias), (stride, padding, dilation, groups))
    return _convolve("conv2d", 2, input, weight, bias, stride, padding, dilation, groups) if y is None else y


@public("")
def conv_transpose1d(
    input: Any, weight: Any, bias: Any = None, stride: Any = 1, padding: Any = 0, output_padding: Any = 0,
    groups: int = 1, dilation: Any = 1,
) -> Any:  # fmt: skip
    """The transpose of `conv1d` in its input; see `conv_transpose2d`.

    input (x): (batch, channels, length) or (channels, length). weight: (channels, out / groups, kernel).

    >>> zen.f.conv_transpose1d(zen.tensor([[1.0, 2.0]]), zen.tensor([[[1.0, 10.0]]]), stride=2).tolist()
    [[1.0, 10.0, 2.0, 20.0]]
    """
    return _transpose("conv_transpose1d", 1, input, weight, bias, stride, padding, output_padding, groups, dilation)


@public("")
def conv_transpose2d(
    input: Any, weight: Any, bias: Any = None, stride: Any = 1, padding: Any = 0, output_padding: Any = 0,
    groups: int = 1, dilation: Any = 1,
) -> Any:  # fmt: skip
    """The transpose of `conv2d` in its input: every element of x adds the kernel, times itself, to the output.

    input (x): Tensor or array (batch, channels, height, width) or (channels, height, width). weight: (channels, out /
    groups, kernel height, kernel width). bias: (out,) or None. The output's height is (height - 1) * stride - 2 *
    padding + dilation * (kernel height - 1) + output_padding + 1, and its width likewise. Raises ValueError for shapes
    that do not fit, and unless output_padding is smaller than the stride or the dilation.

    >>> zen.f.conv_transpose2d(zen.tensor([[[1.0, 2.0]]]), zen.ones((1, 1, 1, 2))).tolist()
    [[[1.0, 3.0, 2.0]]]
    """
    return _transpose("conv_transpose2d", 2, input, weight, bias, stride, padding, output_padding, groups, dilation)
