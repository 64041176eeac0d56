"""The layers that are one product or one lookup: linear, embedding."""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np

from .. import backend
from ..backend import Shaped, apply
from ..dtypes import COMPLEX, INTEGER, KERNELS, accumulator
from .einsum import einsum
from .operands import complex_of, constant, operand, raw, whole
from .products import turned
from .register import define, public
from .result_shapes import promoted
from .row import NOT_DIFFERENTIABLE, row


def _check_linear(x: tuple[int, ...], weight: tuple[int, ...], bias: tuple[int, ...] | None) -> None:
    shapes = f"linear: x of shape {x} and weight of shape {weight}"
    if not x or len(weight) != 2:
        raise ValueError(f"{shapes}; x has at least one axis, and weight is a matrix (out, in)")
    if x[-1] != weight[1]:
        raise ValueError(f"{shapes}: the last axis of x ({x[-1]}) must equal the last axis of weight ({weight[1]})")
    if bias is not None and bias != weight[:1]:
        raise ValueError(f"{shapes} need a bias of shape {weight[:1]}, not {bias}")


def _linear(x: Any, weight: Any) -> Any:
    _check_linear(np.shape(x), np.shape(weight), None)
    return np.matmul(x, np.transpose(weight))


def _affine(x: Any, weight: Any, bias: Any) -> Any:
    _check_linear(np.shape(x), np.shape(weight), np.shape(bias))
    return np.matmul(x, np.transpose(weight)) + bias


def _weight_vjp(f: Any, g: Any, x: Any) -> Any:
    """The gradient in the weight: one product over all leading axes."""
    rows, n = math.prod(x.shape[:-1]), x.shape[-1]
    return f.matmul(turned(f, f.reshape(g, (rows, g.shape[-1]))), f.reshape(x, (rows, n)))


def _bias_vjp(f: Any, g: Any) -> Any:
    return f.sum(g, tuple(range(g.ndim - 1)), False) if g.ndim > 1 else g


def _linear_draws(rng: np.random.Generator) -> list[Any]:
    shapes = [
        ((4, 3), 2), ((3,), 2), ((2, 5, 3), 4), ((0, 3), 2), ((4, 0), 2), ((4, 3), 0), ((1, 1), 1), ((20, 3), 300),
    ]  # fmt: skip
    found = [((rng.normal(size=s), rng.normal(size=(n, s[-1]))), ()) for s, n in shapes]
    return [*found, ((rng.normal(size=(3, 4)).T, rng.normal(size=(2, 6))[:, ::2]), ())]


def _affine_draws(rng: np.random.Generator) -> list[Any]:
    return [((*args, rng.normal(size=args[1].shape[0])), ()) for args, _ in _linear_draws(rng)]


def _transformed(x: Any, weight: Any, *bias: Any) -> Shaped:
    return Shaped((*x.shape[:-1], weight.shape[0]), promoted(x, weight, *bias))


LINEAR = define(row(
    "linear", "x weight", _linear, ["matmul(g, weight)", "weight_vjp(g, x)"], linear="x weight",
    shape=_transformed, uses={"weight_vjp": _weight_vjp}, domain=_linear_draws, complex=True, doc="x @ weight.T",
))  # fmt: skip
AFFINE = define(row(
    "affine", "x weight bias", _affine, ["matmul(g, weight)", "weight_vjp(g, x)", "bias_vjp(g)"],
    jvp=("linear(g, weight)", "linear(x, g)", "g"), uses={"weight_vjp": _weight_vjp, "bias_vjp": _bias_vjp},
    shape=_transformed, domain=_affine_draws, complex=True, doc="x @ weight.T + bias",
))  # fmt: skip


@public("")
def linear(input: Any, weight: Any, bias: Any = None) -> Any:
    """x @ weight.T + bias: a fully connected layer.

    input (x): Tensor or array of shape (..., in). weight: (out, in). bias: (out,) or None. The result has shape (...,
    out). Raises ValueError naming the shapes if they do not fit.

    >>> zen.f.linear(zen.tensor([[1.0, 2.0]]), zen.tensor([[1.0, 1.0], [0.0, 3.0]]), zen.tensor([0.5, 0.0])).tolist()
    [[3.5, 6.0]]
    """
    try:
        return apply(LINEAR, (input, weight)) if bias is None else apply(AFFINE, (input, weight, bias))
    except ValueError as error:  # which names the row, that nobody has called
        raise ValueError(str(error).removeprefix("affine: ").partition(" (operand shapes")[0]) from None


@public("", None)
def bilinear(input1: Any, input2: Any, weight: Any, bias: Any = None) -> Any:
    """sum over i and j of input1[..., i] * weight[k, i, j] * input2[..., j], plus bias[k].

    input1, input2: Tensors or arrays (..., n) and (..., m) with equal leading sizes. weight: (out, n, m). bias: (out,)
    or None. Raises ValueError for shapes that do not fit.

    >>> zen.f.bilinear(zen.tensor([1.0, 2.0]), zen.tensor([3.0]), zen.ones((1, 2, 1))).tolist()
    [9.0]
    """
    x1, x2, w = [operand("bilinear", x) for x in (input1, input2, weight)]
    if not x1.shape or not x2.shape or x1.shape[:-1] != x2.shape[:-1] or w.shape[1:] != (x1.shape[-1], x2.shape[-1]):
        raise ValueError(
            f"bilinear: input1 of shape {x1.shape}, input2 of shape {x2.shape} and weight of shape {w.shape}; expected "
            "(..., n), (..., m) with equal leading sizes, and (out, n, m)"
        )
    y = einsum("...i,kij,...j->...k", x1, w, x2)
    if bias is None:
        return y
    b = operand("bilinear", bias)
    if b.shape != w.shape[:1]:
        raise ValueError(f"bilinear: bias of shape {b.shape} does not fit weight of shape {w.shape}: {w.shape[:1]}")
    return y + b


# --- embedding. `skipped` is the row that gets no gradient, or None.


def _embedding(weight: Any, indices: Any, skipped: int | None) -> Any:
    if weight.ndim != 2 or indices.dtype not in INTEGER:
        raise ValueError(
            f"embedding: expected a weight of shape (rows, width) and indices that are ints, not a weight of shape "
            f"{weight.shape} and indices of dtype {indices.dtype}"
        )
    if indices.size and (indices.min() < 0 or indices.max() >= len(weight)):
        wrong = indices[(indices < 0) | (indices >= len(weight))].flat[0]
        raise IndexError(f"embedding: index {wrong} is out of range for a weight of shape {weight.shape}")
    return weight[indices]


def _scatter_rows(v: Any, indices: Any, height: int, skipped: int | None) -> Any:
    if v.dtype in COMPLEX:
        return complex_of(*[_scatter_rows(part, indices, height, skipped) for part in (v.real, v.imag)])
    out = np.zeros((height, v.shape[-1]), v.dtype)
    numbers, parts = np.asarray(indices), np.asarray(v)
    if v.dtype in KERNELS:
        backend.kernels.lines.scatter_add_rows(out, numbers, parts, -1 if skipped is None else skipped)
    else:
        wide = np.zeros(out.shape, accumulator(v.dtype))
        backend.kernels.lines.scatter_add_rows(
            wide, numbers, parts.astype(wide.dtype), -1 if skipped is None else skipped
        )
        out += wide.astype(v.dtype)
    return out


def _gathered(f: Any, g: Any, indices: Any, skipped: int | None) -> Any:
    part = f.embedding(g, indices, None)
    return part if skipped is None else f.where((raw(indices) == skipped)[..., None], 0, part)


def _embedding_draws(rng: np.random.Generator) -> list[Any]:
    weight = rng.normal(size=(4, 3))
    numbers = [np.array([[0, 2], [2, 3]]), np.array(1), np.zeros((0, 2), int), np.array([3, 3, 3], np.uint8)]
    found = [((weight, n), (None,)) for n in numbers]
    found += [((weight[:, :0], numbers[0]), (None,)), ((weight.T, numbers[1]), (None,))]
    return [*found, ((weight, numbers[0]), (1,))]


def _scatter_draws(rng: np.random.Generator) -> list[Any]:
    found = [((rng.normal(size=(*n.shape, w.shape[1])), n), (len(w), None)) for (w, n), _ in _embedding_draws(rng)]
    return [*found, (found[0][0], (4, 2))]


EMBEDDING = define(row(
    "embedding", "weight indices", _embedding,
    ["scatter_rows(g, indices, weight.shape[0], skipped)", NOT_DIFFERENTIABLE],
    # Not linear: the derivative leaves the skipped row out, which the value does not.
    jvp=("gathered(g, indices, skipped)", None), uses={"gathered": _gathered},
    shape=lambda weight, indices, skipped: Shaped((*indices.shape, *weight.shape[1:]), weight.dtype),
    params="skipped", domain=_embedding_draws, complex=True, doc="weight[indices].",
))  # fmt: skip
SCATTER_ROWS = define(row(
    "scatter_rows", "v indices", _scatter_rows, ["gathered(g, indices, skipped)", NOT_DIFFERENTIABLE],
    params="height skipped", uses={"gathered": _gathered}, linear="v", domain=_scatter_draws,
    shape=lambda v, indices, height, skipped: Shaped((height, *v.shape[len(indices.shape) :]), v.dtype),
    complex=True, doc="Zeros with row k of v added at row indices[k].",
))  # fmt: skip


@public("")
def embedding(
    input: Any, weight: Any, padding_idx: int | None = None, max_norm: float | None = None, norm_type: float = 2.0,
    scale_grad_by_freq: bool = False, sparse: bool = False,
) -> Any:  # fmt: skip
    """Rows of a table by number: weight[indices].

    input (indices): ints of any shape, Tensor, array or list. weight: Tensor or array of shape (rows, width).
    padding_idx: a row that gets no gradient; a negative one counts from the end. max_norm: rows that are looked up and
    whose norm (of the order norm_type) is larger are first scaled down to it, in place. scale_grad_by_freq: a row's
    gradient is divided by how often the indices name it. The result has shape (*indices.shape, width).

    Raises IndexError for an index or a padding_idx out of range (indices do not count from the end), ValueError for
    a weight that is no matrix and for indices that are no ints, NotImplementedError for sparse=True: gradients are
    dense.

    >>> zen.f.embedding([[0, 2]], zen.tensor([[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]])).tolist()
    [[[0.0, 1.0], [4.0, 5.0]]]
    """
    if sparse:
        raise NotImplementedError("embedding: gradients are dense here; leave sparse=False")
    table, indices = operand("embedding", weight), operand("embedding", input)
    if padding_idx is not None:
        rows, k = (table.shape or (0,))[0], whole("embedding", "padding_idx", padding_idx)
        if not -rows <= k < rows:
            raise IndexError(f"embedding: padding_idx {k} is out of range for a weight of shape {table.shape}")
        padding_idx = k + rows if k < 0 else k
    max_norm, norm_type = constant("embedding", "max_norm", max_norm), constant("embedding", "norm_type", norm_type)
    if max_norm is not None:
        _shorten(table, raw(indices), max_norm, norm_type)
    y = apply(EMBEDDING, (table, indices), (padding_idx,))
    if not scale_grad_by_freq:
        return y
    _, places, counts = np.unique(raw(indices), return_inverse=True, return_counts=True)
    share = (1 / counts.astype(y.dtype))[places].reshape(*y.shape[:-1], 1)
    fixed = np.where(np.isfinite(raw(y)), raw(y), 0)
    return fixed + (y - fixed) * share  # the values of y, and its gradient times share


def _shorten(table: Any, indices: np.ndarray, max_norm: float, norm_type: float) -> None:
    """Scale the rows that are looked up and too long down to max_norm."""
    rows = np.unique(indices)
    if table.ndim != 2 or rows.dtype not in INTEGER or rows.size and not 0 <= rows[0] <= rows[-1] < len(table):
        return  # the row says what is wrong
    chosen = raw(table)[rows]
    lengths = np.linalg.norm(chosen, norm_type, axis=1)
    long = lengths > max_norm
    if long.any():
        factors = max_norm / (lengths[long] + 1e-7)
        shortened = chosen[long] * factors[:, None].astype(chosen.dtype)
        backend.call_recording(False, operator.setitem, table, rows[long], shortened)
