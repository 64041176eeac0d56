# The functions of zen.f, for type checkers and editors. Written by `make stubs` (.ci/stubs.py): do not edit.

from collections.abc import Callable, Iterable
from typing import Any, Literal, overload

import numpy as np
from numpy.typing import DTypeLike

from .backend import Tensor
from .ops.linalg import SlogdetResult
from .typing import ArrayLike, Axes, Ints, Nested

__all__ = [
    "abs",
    "acos",
    "acosh",
    "adaptive_avg_pool1d",
    "adaptive_avg_pool2d",
    "adaptive_max_pool1d",
    "adaptive_max_pool2d",
    "add",
    "all",
    "allclose",
    "alpha_dropout",
    "any",
    "argmax",
    "argmin",
    "argsort",
    "array_equal",
    "asin",
    "asinh",
    "astype",
    "atan",
    "atan2",
    "atanh",
    "atleast_1d",
    "atleast_2d",
    "atleast_3d",
    "avg_pool1d",
    "avg_pool2d",
    "batch_norm",
    "bilinear",
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "bitwise_and",
    "bitwise_invert",
    "bitwise_or",
    "bitwise_xor",
    "broadcast_arrays",
    "broadcast_to",
    "cdist",
    "ceil",
    "celu",
    "channel_shuffle",
    "cholesky",
    "clamp",
    "clip",
    "concat",
    "conv1d",
    "conv2d",
    "conv_transpose1d",
    "conv_transpose2d",
    "copy",
    "cos",
    "cosh",
    "cosine_embedding_loss",
    "cosine_similarity",
    "count_nonzero",
    "cross_entropy",
    "ctc_loss",
    "cumprod",
    "cumsum",
    "cumulative_prod",
    "cumulative_sum",
    "det",
    "diagonal",
    "divide",
    "dot",
    "dropout",
    "dropout1d",
    "dropout2d",
    "dropout3d",
    "einsum",
    "elu",
    "embedding",
    "equal",
    "erf",
    "exp",
    "exp2",
    "expand_dims",
    "expm1",
    "fabs",
    "feature_alpha_dropout",
    "flatten",
    "flip",
    "float_power",
    "floor",
    "floor_divide",
    "fold",
    "gaussian_nll_loss",
    "gelu",
    "glu",
    "greater",
    "greater_equal",
    "group_norm",
    "gumbel_softmax",
    "hardshrink",
    "hardsigmoid",
    "hardswish",
    "hardtanh",
    "hinge_embedding_loss",
    "hstack",
    "huber_loss",
    "hypot",
    "inner",
    "instance_norm",
    "interpolate",
    "inv",
    "isclose",
    "isfinite",
    "isinf",
    "isnan",
    "kl_div",
    "l1_loss",
    "layer_norm",
    "leaky_relu",
    "less",
    "less_equal",
    "linear",
    "local_response_norm",
    "log",
    "log10",
    "log1p",
    "log2",
    "log_softmax",
    "logaddexp",
    "logical_and",
    "logical_not",
    "logical_or",
    "logical_xor",
    "logsigmoid",
    "logsumexp",
    "margin_ranking_loss",
    "matmul",
    "matrix_norm",
    "matrix_power",
    "matrix_transpose",
    "max",
    "max_pool1d",
    "max_pool2d",
    "maximum",
    "mean",
    "min",
    "minimum",
    "mish",
    "moveaxis",
    "mse_loss",
    "multi_margin_loss",
    "multilabel_margin_loss",
    "multilabel_soft_margin_loss",
    "multiply",
    "negative",
    "nll_loss",
    "norm",
    "normalize",
    "not_equal",
    "one_hot",
    "outer",
    "pad",
    "pairwise_distance",
    "pdist",
    "permute_dims",
    "pixel_shuffle",
    "pixel_unshuffle",
    "poisson_nll_loss",
    "positive",
    "power",
    "prelu",
    "prod",
    "ravel",
    "reciprocal",
    "relu",
    "relu6",
    "remainder",
    "repeat",
    "reshape",
    "rint",
    "rms_norm",
    "roll",
    "round",
    "rrelu",
    "scaled_dot_product_attention",
    "selu",
    "sigmoid",
    "sign",
    "signbit",
    "silu",
    "sin",
    "sinh",
    "slogdet",
    "smooth_l1_loss",
    "soft_margin_loss",
    "softmax",
    "softmin",
    "softplus",
    "softshrink",
    "softsign",
    "solve",
    "sort",
    "split",
    "sqrt",
    "square",
    "squeeze",
    "stack",
    "std",
    "subtract",
    "sum",
    "swapaxes",
    "take",
    "take_along_axis",
    "tan",
    "tanh",
    "tanhshrink",
    "tensordot",
    "threshold",
    "tile",
    "trace",
    "transpose",
    "tril",
    "triplet_margin_loss",
    "triplet_margin_with_distance_loss",
    "triu",
    "trunc",
    "unfold",
    "unstack",
    "var",
    "vdot",
    "vecdot",
    "vector_norm",
    "vstack",
    "where",
]

def abs(input: ArrayLike) -> Tensor: ...
def acos(input: ArrayLike) -> Tensor: ...
def acosh(input: ArrayLike) -> Tensor: ...
def adaptive_avg_pool1d(input: ArrayLike, output_size: int | Nested[int | None] | None) -> Tensor: ...
def adaptive_avg_pool2d(input: ArrayLike, output_size: int | Nested[int | None] | None) -> Tensor: ...
@overload
def adaptive_max_pool1d(
    input: ArrayLike, output_size: int | Nested[int | None] | None, return_indices: Literal[False] = False
) -> Tensor: ...
@overload
def adaptive_max_pool1d(
    input: ArrayLike, output_size: int | Nested[int | None] | None, return_indices: Literal[True]
) -> tuple[Tensor, Tensor]: ...
@overload
def adaptive_max_pool1d(
    input: ArrayLike, output_size: int | Nested[int | None] | None, return_indices: bool = False
) -> Tensor | tuple[Tensor, Tensor]: ...
@overload
def adaptive_max_pool2d(
    input: ArrayLike, output_size: int | Nested[int | None] | None, return_indices: Literal[False] = False
) -> Tensor: ...
@overload
def adaptive_max_pool2d(
    input: ArrayLike, output_size: int | Nested[int | None] | None, return_indices: Literal[True]
) -> tuple[Tensor, Tensor]: ...
@overload
def adaptive_max_pool2d(
    input: ArrayLike, output_size: int | Nested[int | None] | None, return_indices: bool = False
) -> Tensor | tuple[Tensor, Tensor]: ...
def add(a: ArrayLike, b: ArrayLike, /) -> Tensor: ...
def all(x: ArrayLike, axis: Axes = None, *, keepdims: bool = False) -> Tensor: ...
def allclose(a: ArrayLike, b: ArrayLike, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> bool: ...
def alpha_dropout(
    input: ArrayLike, p: float = 0.5, training: bool = False, *, generator: np.random.Generator | None = None
) -> Tensor: ...
def any(x: ArrayLike, axis: Axes = None, *, keepdims: bool = False) -> Tensor: ...
def argmax(x: ArrayLike, axis: int | None = None, *, keepdims: bool = False) -> Tensor: ...
def argmin(x: ArrayLike, axis: int | None = None, *, keepdims: bool = False) -> Tensor: ...
def argsort(x: ArrayLike, axis: int | None = -1, *, descending: bool = False) -> Tensor: ...
def array_equal(a: ArrayLike, b: ArrayLike, equal_nan: bool = False) -> bool: ...
def asin(input: ArrayLike) -> Tensor: ...
def asinh(input: ArrayLike) -> Tensor: ...
def astype(x: ArrayLike, dtype: DTypeLike, *, copy: bool = True) -> Tensor: ...
def atan(input: ArrayLike) -> Tensor: ...
def atan2(a: ArrayLike, b: ArrayLike, /) -> Tensor: ...
def atanh(input: ArrayLike) -> Tensor: ...
@overload
def atleast_1d(array: ArrayLike, /) -> Tensor: ...
@overload
def atleast_1d(first: ArrayLike, second: ArrayLike, /, *arrays: ArrayLike) -> tuple[Tensor, ...]: ...
@overload
def atleast_2d(array: ArrayLike, /) -> Tensor: ...
@overload
def atleast_2d(first: ArrayLike, second: ArrayLike, /, *arrays: ArrayLike) -> tuple[Tensor, ...]: ...
@overload
def atleast_3d(array: ArrayLike, /) -> Tensor: ...
@overload
def atleast_3d(first: ArrayLike, second: ArrayLike, /, *arrays: ArrayLike) -> tuple[Tensor, ...]: ...
def avg_pool1d(
    input: ArrayLike,
    kernel_size: Ints,
    stride: Ints | None = None,
    padding: Ints = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Tensor: ...
def avg_pool2d(
    input: ArrayLike,
    kernel_size: Ints,
    stride: Ints | None = None,
    padding: Ints = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Tensor: ...
def batch_norm(
    input: ArrayLike,
    running_mean: ArrayLike | None,
    running_var: ArrayLike | None,
    weight: ArrayLike | None = None,
    bias: ArrayLike | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-05,
) -> Tensor: ...
def bilinear(input1: ArrayLike, input2: ArrayLike, weight: ArrayLike, bias: ArrayLike | None = None) -> Tensor: ...
def binary_cross_entropy(
    input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = None, *, reduction: str = "mean"
) -> Tensor: ...
def binary_cross_entropy_with_logits(
    input: ArrayLike,
    target: ArrayLike,
    weight: ArrayLike | None = None,
    *,
    reduction: str = "mean",
    pos_weight: ArrayLike | None = None,
) -> Tensor: ...
def bitwise_and(a: ArrayLike, b: ArrayLike, /) -> Tensor: ...
def bitwise_invert(input: ArrayLike) -> Tensor: ...
def bitwise_or(a: ArrayLike, b: ArrayLike, /) -> Tensor: ...
def bitwise_xor(a: ArrayLike, b: ArrayLike, /) -> Tensor: ...
def broadcast_arrays(*arrays: ArrayLike) -> tuple[Tensor, ...]: ...
def broadcast_to(x: ArrayLike, shape: Ints) -> Tensor: ...
def cdist(
    x1: ArrayLike, x2: ArrayLike, p: float = 2.0, compute_mode: str = "use_mm_for_euclid_dist_if_necessary"
) -> Tensor: ...
def ceil(input: ArrayLike) -> Tensor: ...
def celu(input: ArrayLike, alpha: float = 1.0) -> Tensor: ...
def channel_shuffle(input: ArrayLike, groups: int) -> Tensor: ...
def cholesky(x: ArrayLike, *, upper: bool = False) -> Tensor: ...
def clamp(
    x: ArrayLike,
    min: ArrayLike | None = None,
    max: ArrayLike | None = None,
    *,
    a_min: ArrayLike | None = None,
    a_max: ArrayLike | None = None,
) -> Tensor: ...
def clip(
    x: ArrayLike,
    min: ArrayLike | None = None,
    max: ArrayLike | None = None,
    *,
    a_min: ArrayLike | None = None,
    a_max: ArrayLike | None = None,
) -> Tensor: ...
def concat(arrays: Iterable[ArrayLike], axis: int | None = 0) -> Tensor: ...
def conv1d(
    input: ArrayLike,
    weight: ArrayLike,
    bias: ArrayLike | None = None,
    stride: Ints = 1,
    padding: Ints | str = 0,
    dilation: Ints = 1,
    groups: int = 1,
) -> Tensor: ...
def conv2d(
    input: ArrayLike,
    weight: ArrayLike,
    bias: ArrayLike | None = None,
    stride: Ints = 1,
    padding: Ints | str = 0,
    dilation: Ints = 1,
    groups: int = 1,
) -> Tensor: ...
def conv_transpose1d(
    input: ArrayLike,
    weight: ArrayLike,
    bias: ArrayLike | None = None,
    stride: Ints = 1,
    padding: Ints = 0,
    output_padding: Ints = 0,
    groups: int = 1,
    dilation: Ints = 1,
) -> Tensor: ...
def conv_transpose2d(
    input: ArrayLike,
    weight: ArrayLike,
    bias: ArrayLike | None = None,
    stride: Ints = 1,
    padding: Ints = 0,
    output_padding: Ints = 0,
    groups: int = 1,
    dilation: Ints = 1,
) -> Tensor: ...
def copy(x: ArrayLike) -> Tensor: ...
def cos(input: ArrayLike) -> Tensor: ...
def cosh(input: ArrayLike) -> Tensor: ...
def cosine_embedding_loss(
    input1: ArrayLike, input2: ArrayLike, target: ArrayLike, margin: float = 0.0, *, reduction: str = "mean"
) -> Tensor: ...
def cosine_similarity(
    x1: ArrayLike, x2: ArrayLike, axis: int = 1, eps: float = 1e-08, *, dim: int | None = None
) -> Tensor: ...
def count_nonzero(x: ArrayLike, axis: Axes = None, *, keepdims: bool = False) -> Tensor: ...
def cross_entropy(
    logits: ArrayLike,
    target: ArrayLike,
    axis: int = -1,
    *,
    weight: ArrayLike | None = None,
    ignore_index: int = -100,
    label_smoothing: float = 0.0,
    reduction: str = "mean",
) -> Tensor: ...
def ctc_loss(
    log_probs: ArrayLike,
    targets: ArrayLike,
    input_lengths: ArrayLike,
    target_lengths: ArrayLike,
    blank: int = 0,
    reduction: str = "mean",
    zero_infinity: bool = False,
) -> Tensor: ...
def cumprod(x: ArrayLike, axis: int | None = None, *, dtype: DTypeLike | None = None) -> Tensor: ...
def cumsum(x: ArrayLike, axis: int | None = None, *, dtype: DTypeLike | None = None) -> Tensor: ...
def cumulative_prod(
    x: ArrayLike, *, axis: int | None = None, dtype: DTypeLike | None = None, include_initial: bool = False
) -> Tensor: ...
def cumulative_sum(
    x: ArrayLike, *, axis: int | None = None, dtype: DTypeLike | None = None, include_initial: bool = False
) -> Tensor: ...
def det(x: ArrayLike) -> Tensor: ...
def diagonal(x: ArrayLike, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor: ...
def divide(a: ArrayLike, b: ArrayLike, /) -> Tensor: ...
def dot(a: ArrayLike, b: ArrayLike) -> Tensor: ...
def dropout(
    input: ArrayLike, p: float = 0.5, training: bool = True, *, generator: np.random.Generator | None = None
) -> Tensor: ...
def dropout1d(
    input: ArrayLike, p: float = 0.5, training: bool = True, *, generator: np.random.Generator | None = None
) -> Tensor: ...
def dropout2d(
    input: ArrayLike, p: float = 0.5, training: bool = True, *, generator: np.random.Generator | None = None
) -> Tensor: ...
def dropout3d(
    input: ArrayLike, p: float = 0.5, training: bool = True, *, generator: np.random.Generator | None = None
) -> Tensor: ...
def einsum(subscripts: object, *operands: ArrayLike, optimize: object = None) -> Tensor: ...
def elu(input: ArrayLike, alpha: ArrayLike = 1.0) -> Tensor: ...
def embedding(
    input: ArrayLike,
    weight: ArrayLike,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Tensor: ...
def equal(a: ArrayLike, b: ArrayLike, /) -> Tensor: ...
def erf(input: ArrayLike) -> Tensor: ...
def exp(input: ArrayLike) -> Tensor: ...
def exp2(input: ArrayLike) -> Tensor: ...
def expand_dims(x: ArrayLike, axis: Ints = 0) -> Tensor: ...
def expm1(input: ArrayLike) -> Tensor: ...
def fabs(x: ArrayLike) -> Tensor: ...
def feature_alpha_dropout(
    input: ArrayLike, p: float = 0.5, training: bool = False, *, generator: np.random.Generator | None = None
) -> Tensor: ...
def flatten(x: ArrayLike, start_axis: int = 0, end_axis: int = -1) -> Tensor: ...
def flip(x: ArrayLike, axis: Axes = None) -> Tensor: ...
def float_power(a: ArrayLike, b: ArrayLike) -> Tensor: ...
def floor(input: ArrayLike) -> Tensor: ...
def floor_divide(a: ArrayLike, b: ArrayLike, /) -> Tensor: ...
def fold(
    input: ArrayLike, output_size: Ints, kernel_size: Ints, dilation: Ints = 1, padding: Ints = 0, stride: Ints = 1
) -> Tensor: ...
def gaussian_nll_loss(
    input: ArrayLike, target: ArrayLike, var: ArrayLike, full: bool = False, eps: float = 1e-06, reduction: str = "mean"
) -> Tensor: ...
def gelu(input: ArrayLike, approximate: str = "none") -> Tensor: ...
def glu(input: ArrayLike, axis: int = -1, *, dim: int | None = None) -> Tensor: ...
def greater(a: ArrayLike, b: ArrayLike, /) -> Tensor: ...
def greater_equal(a: ArrayLike, b: ArrayLike, /) -> Tensor: ...
def group_norm(
    input: ArrayLike,
    num_groups: int,
    weight: ArrayLike | None = None,
    bias: ArrayLike | None = None,
    eps: float = 1e-05,
) -> Tensor: ...
def gumbel_softmax(
    logits: ArrayLike,
    tau: float = 1,
    hard: bool = False,
    eps: float = 1e-10,
    axis: int = -1,
    *,
    dim: int | None = None,
    generator: np.random.Generator | None = None,
) -> Tensor: ...
def hardshrink(input: ArrayLike, lambd: float = 0.5) -> Tensor: ...
def hardsigmoid(input: ArrayLike) -> Tensor: ...
def hardswish(input: ArrayLike) -> Tensor: ...
def hardtanh(input: ArrayLike, min_val: float = -1.0, max_val: float = 1.0) -> Tensor: ...
def hinge_embedding_loss(
    input: ArrayLike, target: ArrayLike, margin: float = 1.0, *, reduction: str = "mean"
) -> Tensor: ...
def hstack(arrays: Iterable[ArrayLike]) -> Tensor: ...
def huber_loss(
    input: ArrayLike, target: ArrayLike, reduction: str = "mean", delta: float = 1.0, weight: ArrayLike | None = None
) -> Tensor: ...
def hypot(a: ArrayLike, b: ArrayLike, /) -> Tensor: ...
def inner(a: ArrayLike, b: ArrayLike) -> Tensor: ...
def instance_norm(
    input: ArrayLike,
    running_mean: ArrayLike | None = None,
    running_var: ArrayLike | None = None,
    weight: ArrayLike | None = None,
    bias: ArrayLike | None = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-05,
) -> Tensor: ...
def interpolate(
    input: ArrayLike,
    size: Ints | None = None,
    scale_factor: float | Nested[float] | None = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
    antialias: bool = False,
) -> Tensor: ...
def inv(x: ArrayLike) -> Tensor: ...
def isclose(
    a: ArrayLike, b: ArrayLike, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False
) -> Tensor: ...
def isfinite(input: ArrayLike) -> Tensor: ...
def isinf(input: ArrayLike) -> Tensor: ...
def isnan(input: ArrayLike) -> Tensor: ...
def kl_div(input: ArrayLike, target: ArrayLike, *, reduction: str = "mean", log_target: bool = False) -> Tensor: ...
def l1_loss(
    input: ArrayLike, target: ArrayLike, *, reduction: str = "mean", weight: ArrayLike | None = None
) -> Tensor: ...
def layer_norm(
    input: ArrayLike,
    normalized_shape: Ints,
    weight: ArrayLike | None = None,
    bias: ArrayLike | None = None,
    eps: float = 1e-05,
) -> Tensor: ...
def leaky_relu(input: ArrayLike, negative_slope: ArrayLike = 0.01) -> Tensor: ...
def less(a: ArrayLike, b: ArrayLike, /) -> Tensor: ...
def less_equal(a: ArrayLike, b: ArrayLike, /) -> Tensor: ...
def linear(input: ArrayLike, weight: ArrayLike, bias: ArrayLike | None = None) -> Tensor: ...
def local_response_norm(
    input: ArrayLike, size: int, alpha: float = 0.0001, beta: float = 0.75, k: float = 1.0
) -> Tensor: ...
def log(input: ArrayLike) -> Tensor: ...
def log10(input: ArrayLike) -> Tensor: ...
def log1p(input: ArrayLike) -> Tensor: ...
def log2(input: ArrayLike) -> Tensor: ...
def log_softmax(input: ArrayLike, axis: int = -1, dim: int | None = None, dtype: DTypeLike | None = None) -> Tensor: ...
def logaddexp(a: ArrayLike, b: ArrayLike, /) -> Tensor: ...
def logical_and(a: ArrayLike, b: ArrayLike, /) -> Tensor: ...
def logical_not(input: ArrayLike) -> Tensor: ...
def logical_or(a: ArrayLike, b: ArrayLike, /) -> Tensor: ...
def logical_xor(a: ArrayLike, b: ArrayLike, /) -> Tensor: ...
def logsigmoid(input: ArrayLike) -> Tensor: ...
def logsumexp(x: ArrayLike, axis: Axes = None, *, keepdims: bool = False) -> Tensor: ...
def margin_ranking_loss(
    input1: ArrayLike, input2: ArrayLike, target: ArrayLike, margin: float = 0.0, *, reduction: str = "mean"
) -> Tensor: ...
def matmul(a: ArrayLike, b: ArrayLike) -> Tensor: ...
def matrix_norm(x: ArrayLike, *, keepdims: bool = False, ord: float | str | None = "fro") -> Tensor: ...
def matrix_power(x: ArrayLike, n: int) -> Tensor: ...
def matrix_transpose(x: ArrayLike) -> Tensor: ...
def max(x: ArrayLike, axis: Axes = None, *, keepdims: bool = False) -> Tensor: ...
@overload
def max_pool1d(
    input: ArrayLike,
    kernel_size: Ints,
    stride: Ints | None = None,
    padding: Ints = 0,
    dilation: Ints = 1,
    ceil_mode: bool = False,
    return_indices: Literal[False] = False,
) -> Tensor: ...
@overload
def max_pool1d(
    input: ArrayLike,
    kernel_size: Ints,
    stride: Ints | None = None,
    padding: Ints = 0,
    dilation: Ints = 1,
    ceil_mode: bool = False,
    *,
    return_indices: Literal[True],
) -> tuple[Tensor, Tensor]: ...
@overload
def max_pool1d(
    input: ArrayLike,
    kernel_size: Ints,
    stride: Ints | None = None,
    padding: Ints = 0,
    dilation: Ints = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Tensor | tuple[Tensor, Tensor]: ...
@overload
def max_pool2d(
    input: ArrayLike,
    kernel_size: Ints,
    stride: Ints | None = None,
    padding: Ints = 0,
    dilation: Ints = 1,
    ceil_mode: bool = False,
    return_indices: Literal[False] = False,
) -> Tensor: ...
@overload
def max_pool2d(
    input: ArrayLike,
    kernel_size: Ints,
    stride: Ints | None = None,
    padding: Ints = 0,
    dilation: Ints = 1,
    ceil_mode: bool = False,
    *,
    return_indices: Literal[True],
) -> tuple[Tensor, Tensor]: ...
@overload
def max_pool2d(
    input: ArrayLike,
    kernel_size: Ints,
    stride: Ints | None = None,
    padding: Ints = 0,
    dilation: Ints = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Tensor | tuple[Tensor, Tensor]: ...
def maximum(a: ArrayLike, b: ArrayLike, /) -> Tensor: ...
def mean(x: ArrayLike, axis: Axes = None, *, dtype: DTypeLike | None = None, keepdims: bool = False) -> Tensor: ...
def min(x: ArrayLike, axis: Axes = None, *, keepdims: bool = False) -> Tensor: ...
def minimum(a: ArrayLike, b: ArrayLike, /) -> Tensor: ...
def mish(input: ArrayLike) -> Tensor: ...
def moveaxis(x: ArrayLike, source: Ints, destination: Ints) -> Tensor: ...
def mse_loss(
    input: ArrayLike, target: ArrayLike, *, reduction: str = "mean", weight: ArrayLike | None = None
) -> Tensor: ...
def multi_margin_loss(
    input: ArrayLike,
    target: ArrayLike,
    p: int = 1,
    margin: float = 1.0,
    weight: ArrayLike | None = None,
    *,
    reduction: str = "mean",
) -> Tensor: ...
def multilabel_margin_loss(input: ArrayLike, target: ArrayLike, *, reduction: str = "mean") -> Tensor: ...
def multilabel_soft_margin_loss(
    input: ArrayLike, target: ArrayLike, weight: ArrayLike | None = None, *, reduction: str = "mean"
) -> Tensor: ...
def multiply(a: ArrayLike, b: ArrayLike, /) -> Tensor: ...
def negative(input: ArrayLike) -> Tensor: ...
def nll_loss(
    log_probs: ArrayLike,
    target: ArrayLike,
    axis: int = -1,
    *,
    weight: ArrayLike | None = None,
    ignore_index: int = -100,
    reduction: str = "mean",
) -> Tensor: ...
def norm(x: ArrayLike, ord: float | str | None = None, axis: Axes = None, keepdims: bool = False) -> Tensor: ...
def normalize(
    input: ArrayLike, p: float = 2.0, axis: int = 1, eps: float = 1e-12, out: None = None, *, dim: int | None = None
) -> Tensor: ...
def not_equal(a: ArrayLike, b: ArrayLike, /) -> Tensor: ...
def one_hot(tensor: ArrayLike, num_classes: int = -1) -> Tensor: ...
def outer(a: ArrayLike, b: ArrayLike) -> Tensor: ...
def pad(
    x: ArrayLike,
    pad_width: Ints | Nested[Ints] | None = None,
    mode: str = "constant",
    constant_values: ArrayLike = 0,
    *,
    pad: Ints | None = None,
    value: float | None = None,
) -> Tensor: ...
def pairwise_distance(
    x1: ArrayLike, x2: ArrayLike, p: float = 2.0, eps: float = 1e-06, keepdims: bool = False, *, keepdim: bool = False
) -> Tensor: ...
def pdist(input: ArrayLike, p: float = 2.0) -> Tensor: ...
def permute_dims(x: ArrayLike, axes: Ints) -> Tensor: ...
def pixel_shuffle(input: ArrayLike, upscale_factor: int) -> Tensor: ...
def pixel_unshuffle(input: ArrayLike, downscale_factor: int) -> Tensor: ...
def poisson_nll_loss(
    input: ArrayLike,
    target: ArrayLike,
    log_input: bool = True,
    full: bool = False,
    *,
    eps: float = 1e-08,
    reduction: str = "mean",
) -> Tensor: ...
def positive(input: ArrayLike) -> Tensor: ...
def power(a: ArrayLike, b: ArrayLike, /) -> Tensor: ...
def prelu(input: ArrayLike, weight: ArrayLike) -> Tensor: ...
def prod(x: ArrayLike, axis: Axes = None, *, dtype: DTypeLike | None = None, keepdims: bool = False) -> Tensor: ...
def ravel(x: ArrayLike) -> Tensor: ...
def reciprocal(input: ArrayLike) -> Tensor: ...
def relu(input: ArrayLike) -> Tensor: ...
def relu6(input: ArrayLike) -> Tensor: ...
def remainder(a: ArrayLike, b: ArrayLike, /) -> Tensor: ...
def repeat(x: ArrayLike, repeats: ArrayLike, axis: int | None = None) -> Tensor: ...
def reshape(x: ArrayLike, shape: Ints) -> Tensor: ...
def rint(input: ArrayLike) -> Tensor: ...
def rms_norm(
    input: ArrayLike, normalized_shape: Ints, weight: ArrayLike | None = None, eps: float | None = None
) -> Tensor: ...
def roll(x: ArrayLike, shift: Ints, axis: Axes = None) -> Tensor: ...
def round(x: ArrayLike, decimals: int = 0) -> Tensor: ...
def rrelu(
    input: ArrayLike,
    lower: float = 0.125,
    upper: float = 0.3333333333333333,
    training: bool = False,
    *,
    generator: np.random.Generator | None = None,
) -> Tensor: ...
def scaled_dot_product_attention(
    query: ArrayLike,
    key: ArrayLike,
    value: ArrayLike,
    attn_mask: ArrayLike | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
    *,
    generator: np.random.Generator | None = None,
) -> Tensor: ...
def selu(input: ArrayLike) -> Tensor: ...
def sigmoid(input: ArrayLike) -> Tensor: ...
def sign(input: ArrayLike) -> Tensor: ...
def signbit(input: ArrayLike) -> Tensor: ...
def silu(input: ArrayLike) -> Tensor: ...
def sin(input: ArrayLike) -> Tensor: ...
def sinh(input: ArrayLike) -> Tensor: ...
def slogdet(x: ArrayLike) -> SlogdetResult: ...
def smooth_l1_loss(input: ArrayLike, target: ArrayLike, *, reduction: str = "mean", beta: float = 1.0) -> Tensor: ...
def soft_margin_loss(input: ArrayLike, target: ArrayLike, *, reduction: str = "mean") -> Tensor: ...
def softmax(input: ArrayLike, axis: int = -1, dim: int | None = None, dtype: DTypeLike | None = None) -> Tensor: ...
def softmin(input: ArrayLike, axis: int = -1, *, dim: int | None = None, dtype: DTypeLike | None = None) -> Tensor: ...
def softplus(input: ArrayLike, beta: ArrayLike = 1.0, threshold: float = 20.0) -> Tensor: ...
def softshrink(input: ArrayLike, lambd: float = 0.5) -> Tensor: ...
def softsign(input: ArrayLike) -> Tensor: ...
def solve(a: ArrayLike, b: ArrayLike) -> Tensor: ...
def sort(x: ArrayLike, axis: int | None = -1, *, descending: bool = False) -> Tensor: ...
def split(x: ArrayLike, indices_or_sections: ArrayLike, axis: int = 0) -> list[Tensor]: ...
def sqrt(input: ArrayLike) -> Tensor: ...
def square(input: ArrayLike) -> Tensor: ...
def squeeze(x: ArrayLike, axis: Axes = None) -> Tensor: ...
def stack(arrays: Iterable[ArrayLike], axis: int = 0) -> Tensor: ...
def std(
    x: ArrayLike, axis: Axes = None, *, correction: float = 0, ddof: float | None = None, keepdims: bool = False
) -> Tensor: ...
def subtract(a: ArrayLike, b: ArrayLike, /) -> Tensor: ...
def sum(x: ArrayLike, axis: Axes = None, *, dtype: DTypeLike | None = None, keepdims: bool = False) -> Tensor: ...
def swapaxes(x: ArrayLike, axis1: int, axis2: int) -> Tensor: ...
def take(x: ArrayLike, indices: ArrayLike, axis: int | None = None) -> Tensor: ...
def take_along_axis(x: ArrayLike, indices: ArrayLike, axis: int | None = -1) -> Tensor: ...
def tan(input: ArrayLike) -> Tensor: ...
def tanh(input: ArrayLike) -> Tensor: ...
def tanhshrink(input: ArrayLike) -> Tensor: ...
def tensordot(a: ArrayLike, b: ArrayLike, axes: int | Nested[Ints] = 2) -> Tensor: ...
def threshold(input: ArrayLike, threshold: float, value: float) -> Tensor: ...
def tile(x: ArrayLike, reps: ArrayLike) -> Tensor: ...
def trace(x: ArrayLike, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor: ...
def transpose(x: ArrayLike, axes: Ints | None = None) -> Tensor: ...
def tril(x: ArrayLike, k: int = 0) -> Tensor: ...
def triplet_margin_loss(
    anchor: ArrayLike,
    positive: ArrayLike,
    negative: ArrayLike,
    margin: float = 1.0,
    p: float = 2.0,
    eps: float = 1e-06,
    swap: bool = False,
    *,
    reduction: str = "mean",
) -> Tensor: ...
def triplet_margin_with_distance_loss(
    anchor: ArrayLike,
    positive: ArrayLike,
    negative: ArrayLike,
    *,
    distance_function: Callable[[Any, Any], Any] | None = None,
    margin: float = 1.0,
    swap: bool = False,
    reduction: str = "mean",
) -> Tensor: ...
def triu(x: ArrayLike, k: int = 0) -> Tensor: ...
def trunc(input: ArrayLike) -> Tensor: ...
def unfold(input: ArrayLike, kernel_size: Ints, dilation: Ints = 1, padding: Ints = 0, stride: Ints = 1) -> Tensor: ...
def unstack(x: ArrayLike, axis: int = 0) -> tuple[Tensor, ...]: ...
def var(
    x: ArrayLike, axis: Axes = None, *, correction: float = 0, ddof: float | None = None, keepdims: bool = False
) -> Tensor: ...
def vdot(a: ArrayLike, b: ArrayLike) -> Tensor: ...
def vecdot(a: ArrayLike, b: ArrayLike, *, axis: int = -1) -> Tensor: ...
def vector_norm(x: ArrayLike, axis: Axes = None, *, keepdims: bool = False, ord: float = 2) -> Tensor: ...
def vstack(arrays: Iterable[ArrayLike]) -> Tensor: ...
def where(condition: ArrayLike, x: ArrayLike, y: ArrayLike) -> Tensor: ...
