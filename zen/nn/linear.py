"""Layers of one matrix product, and those that only pass on or reshape: Identity, Flatten, Unflatten."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import f, random
from ..conversion import supported
from ..dtypes import FLOATING, INEXACT, PARAMETERS
from ..ops.operands import operand
from . import init
from .module import Module
from .parameter import Parameter

if TYPE_CHECKING:
    from numpy.typing import DTypeLike

    from ..backend import Tensor
    from ..typing import ArrayLike


def floating(name: str, dtype: Any, or_complex: bool = False) -> np.dtype:
    """The dtype that a layer's parameters get: float32 unless told otherwise; TypeError if it is not floating, or
    complex where that may be."""
    if dtype is None:
        return PARAMETERS
    found = supported(dtype)
    if found not in (INEXACT if or_complex else FLOATING):
        raise TypeError(f"{name}: parameters need a floating {'or complex ' if or_complex else ''}dtype, not {found}")
    return found


def drawn(shape: tuple[int, ...], bound: float, dtype: np.dtype) -> Parameter:
    """A parameter of even numbers from [-bound, bound)."""
    return Parameter(random.uniform(shape, -bound, bound, dtype=dtype))


def sizes(name: str, **given: Any) -> None:
    """Raise ValueError unless every given size is a positive int."""
    for key, n in given.items():
        if isinstance(n, bool) or not isinstance(n, (int, np.integer)) or n < 1:
            raise ValueError(f"{name}: {key} must be a positive int, not {n!r}")


class Identity(Module):
    """Returns its input; accepts and ignores any arguments.

    >>> zen.nn.Identity(54)(zen.ones(2)).tolist()
    [1.0, 1.0]
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()

    def forward(self, input: Any) -> Any:
        return input


class Linear(Module):
    """x @ weight.T + bias, on the last axis.

    in_features, out_features: the lengths of the last axis before and after. bias: False leaves it out. dtype: of the
    parameters, float32 by default. weight is (out_features, in_features), bias (out_features,); both are drawn evenly
    from +-1 / sqrt(in_features). x: (..., in_features); ValueError for another length.

    >>> zen.nn.Linear(3, 2)(np.ones((5, 3), np.float32)).shape
    (5, 2)
    """

    bias: Parameter | None

    def __init__(
        self, in_features: int, out_features: int, bias: bool = True, *, dtype: DTypeLike | None = None
    ) -> None:
        super().__init__()
        sizes("Linear", in_features=in_features, out_features=out_features)
        dtype = floating("Linear", dtype, True)
        self.in_features, self.out_features = in_features, out_features
        self.weight = Parameter(np.empty((out_features, in_features), dtype))
        self.register_parameter("bias", Parameter(np.empty(out_features, dtype)) if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the parameters anew."""
        bound = 1 / math.sqrt(self.in_features)
        init.uniform_(self.weight, -bound, bound)
        if self.bias is not None:
            init.uniform_(self.bias, -bound, bound)

    def forward(self, input: ArrayLike) -> Tensor:
        return f.linear(input, self.weight, self.bias)

    def extra_repr(self) -> str:
        return f"in_features={self.in_features}, out_features={self.out_features}, bias={self.bias is not None}"


class Bilinear(Module):
    """x1 @ weight[k] @ x2 + bias[k] for each output k.

    weight is (out_features, in1_features, in2_features), bias (out_features,), drawn evenly from
    +-1 / sqrt(in1_features). x1: (..., in1_features); x2: (..., in2_features) with the same leading sizes; ValueError
    otherwise.

    >>> zen.nn.Bilinear(3, 4, 2)(np.ones((5, 3), np.float32), np.ones((5, 4), np.float32)).shape
    (5, 2)
    """

    bias: Parameter | None

    def __init__(
        self,
        in1_features: int,
        in2_features: int,
        out_features: int,
        bias: bool = True,
        *,
        dtype: DTypeLike | None = None,
    ) -> None:
        super().__init__()
        sizes("Bilinear", in1_features=in1_features, in2_features=in2_features, out_features=out_features)
        dtype = floating("Bilinear", dtype, True)
        self.in1_features, self.in2_features, self.out_features = in1_features, in2_features, out_features
        self.weight = Parameter(np.empty((out_features, in1_features, in2_features), dtype))
        self.register_parameter("bias", Parameter(np.empty(out_features, dtype)) if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the parameters anew."""
        bound = 1 / math.sqrt(self.in1_features)
        init.uniform_(self.weight, -bound, bound)
        if self.bias is not None:
            init.uniform_(self.bias, -bound, bound)

    def forward(self, input1: ArrayLike, input2: ArrayLike) -> Tensor:
        x1, x2 = operand("Bilinear", input1), operand("Bilinear", input2)
        shapes = x1.shape, x2.shape
        if [s[-1:] for s in shapes] != [(self.in1_features,), (self.in2_features,)] or shapes[0][:-1] != shapes[1][:-1]:
            raise ValueError(
                f"Bilinear: expected (..., {self.in1_features}) and (..., {self.in2_features}) with equal leading "
                f"sizes, got {shapes[0]} and {shapes[1]}"
            )
        return f.bilinear(x1, x2, self.weight, self.bias)

    def extra_repr(self) -> str:
        return (
            f"in1_features={self.in1_features}, in2_features={self.in2_features}, out_features={self.out_features}, "
            f"bias={self.bias is not None}"
        )


class Embedding(Module):
    """Rows of a table, chosen by integers.

    num_embeddings, embedding_dim: the table's shape; it is drawn from the standard normal distribution. padding_idx:
    a row that starts as zeros and gets no gradient. max_norm: rows that are looked up and whose norm (of the order
    norm_type) is larger are first scaled down to it, in place. scale_grad_by_freq: a row's gradient is divided by how
    often the indices name it. sparse=True raises NotImplementedError: gradients are dense. Indices: ints of any shape;
    the result has one axis more. IndexError for one out of range.

    >>> zen.nn.Embedding(10, 3)(np.array([[1, 2], [3, 4]])).shape
    (2, 2, 3)
    """

    def __init__(
        self, num_embeddings: int, embedding_dim: int, padding_idx: int | None = None, max_norm: float | None = None,
        norm_type: float = 2.0, scale_grad_by_freq: bool = False, sparse: bool = False, *,
        dtype: DTypeLike | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        sizes("Embedding", num_embeddings=num_embeddings, embedding_dim=embedding_dim)
        if sparse:
            raise NotImplementedError("Embedding: gradients are dense here; leave sparse=False")
        dtype = floating("Embedding", dtype, True)
        if padding_idx is not None:
            if not -num_embeddings <= padding_idx < num_embeddings:
                raise ValueError(f"Embedding: padding_idx {padding_idx} is out of range for {num_embeddings} rows")
            padding_idx %= num_embeddings
        self.num_embeddings, self.embedding_dim, self.padding_idx = num_embeddings, embedding_dim, padding_idx
        self.max_norm, self.norm_type, self.scale_grad_by_freq = max_norm, norm_type, scale_grad_by_freq
        self.sparse = sparse
        self.weight = Parameter(np.empty((num_embeddings, embedding_dim), dtype))
        self.reset_parameters()

    @classmethod
    def from_pretrained(
        cls, embeddings: Any, freeze: bool = True, padding_idx: int | None = None, max_norm: float | None = None,
        norm_type: float = 2.0, scale_grad_by_freq: bool = False, sparse: bool = False,
    ) -> Embedding:  # fmt: skip
        """An Embedding around a given table (rows, columns), whose memory it shares; frozen unless freeze is False."""
        weight = Parameter(embeddings, not freeze)
        if weight.ndim != 2:
            raise ValueError(f"Embedding.from_pretrained: expected a table of two dimensions, not shape {weight.shape}")
        rows, width = weight.shape
        made = cls(rows, width, padding_idx, max_norm, norm_type, scale_grad_by_freq, sparse, dtype=weight.dtype)
        made.weight = weight
        return made

    def reset_parameters(self) -> None:
        """Draw the table anew."""
        init.normal_(self.weight)
        if self.padding_idx is not None:
            self.weight._array[self.padding_idx] = 0

    def forward(self, input: ArrayLike) -> Tensor:
        return f.embedding(
            input, self.weight, self.padding_idx, self.max_norm, self.norm_type, self.scale_grad_by_freq, self.sparse
        )

    def extra_repr(self) -> str:
        text = f"{self.num_embeddings}, {self.embedding_dim}"
        defaults = {"padding_idx": None, "max_norm": None, "norm_type": 2.0, "scale_grad_by_freq": False}
        return text + "".join([f", {k}={self.__dict__[k]}" for k, v in defaults.items() if self.__dict__[k] != v])


class Flatten(Module):
    """Joins the axes start_dim to end_dim, both included, into one.

    >>> zen.nn.Flatten()(zen.ones((2, 3, 4))).shape
    (2, 12)
    """

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        super().__init__()
        self.start_dim, self.end_dim = start_dim, end_dim

    def forward(self, input: ArrayLike) -> Tensor:
        x = operand("Flatten", input)
        shape = x.shape
        n = max(len(shape), 1)
        if not (-n <= self.start_dim < n and -n <= self.end_dim < n):
            raise IndexError(f"Flatten({self.extra_repr()}): shape {shape} has no such axes")
        start, end = self.start_dim % n, self.end_dim % n
        if start > end:
            raise ValueError(f"Flatten({self.extra_repr()}): the first axis comes after the last in shape {shape}")
        return f.reshape(x, (*shape[:start], math.prod(shape[start : end + 1]), *shape[end + 1 :]))

    def extra_repr(self) -> str:
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"


class Unflatten(Module):
    """Splits the axis dim into axes of the sizes unflattened_size, of which one may be -1.

    >>> zen.nn.Unflatten(1, (3, -1))(zen.ones((2, 12))).shape
    (2, 3, 4)
    """

    def __init__(self, dim: int, unflattened_size: tuple[int, ...]) -> None:
        super().__init__()
        self.dim, self.unflattened_size = dim, tuple(unflattened_size)

    def forward(self, input: ArrayLike) -> Tensor:
        x = operand("Unflatten", input)
        shape = x.shape
        if not -len(shape) <= self.dim < len(shape):
            raise IndexError(f"Unflatten({self.extra_repr()}): shape {shape} has no such axis")
        k = self.dim % len(shape)
        found = list(self.unflattened_size)
        known = math.prod([n for n in found if n != -1])
        if found.count(-1) == 1 and known and shape[k] % known == 0:
            found[found.index(-1)] = shape[k] // known
        if math.prod(found) != shape[k] or -1 in found:
            raise ValueError(f"Unflatten({self.extra_repr()}): an axis of length {shape[k]} has no such sizes")
        return f.reshape(x, (*shape[:k], *found, *shape[k + 1 :]))

    def extra_repr(self) -> str:
        return f"dim={self.dim}, unflattened_size={self.unflattened_size}"
