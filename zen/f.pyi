# The functions of zen.f, for type checkers and editors. Written by `make stubs` (.ci/stubs.py): do not edit.

from collections.abc import Callable, Iterable
from typing import Any, Literal, overload

import numpy as np
from numpy.typing import DTypeLike

from .backend import Tensor
from .ops.eigen import EigResult
from .ops.linalg import SlogdetResult
from .ops.orthogonal import QRResult
from .ops.searching import UniqueAllResult, UniqueCountsResult, UniqueInverseResult
from .ops.singular_values import SVDResult
from .ops.spectra import EighResult
from .typing import ArrayLike, Axes, Ints, Nested

__all__ = [
    "abs",
    "acos",
    "acosh",
    "adaptive_avg_pool1d",
    "adaptive_avg_pool2d",
    "adaptive_avg_pool3d",
    "adaptive_max_pool1d",
    "adaptive_max_pool2d",
    "adaptive_max_pool3d",
    "add",
    "affine_grid",
    "all",
    "allclose",
    "alpha_dropout",
    "angle",
    "any",
    "append",
    "apply_along_axis",
    "apply_over_axes",
    "argmax",
    "argmin",
    "argsort",
    "array_equal",
    "array_split",
    "asin",
    "asinh",
    "astype",
    "atan",
    "atan2",
    "atanh",
    "atleast_1d",
    "atleast_2d",
    "atleast_3d",
    "average",
    "avg_pool1d",
    "avg_pool2d",
    "avg_pool3d",
    "batch_norm",
    "bilinear",
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "bincount",
    "bitwise_and",
    "bitwise_invert",
    "bitwise_left_shift",
    "bitwise_or",
    "bitwise_right_shift",
    "bitwise_xor",
    "block",
    "block_diag",
    "broadcast_arrays",
    "broadcast_to",
    "cbrt",
    "cdist",
    "ceil",
    "celu",
    "channel_shuffle",
    "cho_solve",
    "cholesky",
    "choose",
    "clamp",
    "clip",
    "column_stack",
    "compress",
    "concat",
    "cond",
    "conj",
    "conv1d",
    "conv2d",
    "conv3d",
    "conv_transpose1d",
    "conv_transpose2d",
    "conv_transpose3d",
    "convolve",
    "copy",
    "copysign",
    "copyto",
    "corrcoef",
    "correlate",
    "cos",
    "cosh",
    "cosine_embedding_loss",
    "cosine_similarity",
    "count_nonzero",
    "cov",
    "cross",
    "cross_entropy",
    "ctc_loss",
    "cumprod",
    "cumsum",
    "cumulative_prod",
    "cumulative_sum",
    "deg2rad",
    "degrees",
    "delete",
    "det",
    "diag",
    "diagflat",
    "diagonal",
    "diff",
    "divide",
    "divmod",
    "dot",
    "dropout",
    "dropout1d",
    "dropout2d",
    "dropout3d",
    "dsplit",
    "dstack",
    "ediff1d",
    "eig",
    "eigh",
    "eigvals",
    "eigvalsh",
    "einsum",
    "elu",
    "embedding",
    "embedding_bag",
    "equal",
    "erf",
    "exp",
    "exp2",
    "expand_dims",
    "expm",
    "expm1",
    "extract",
    "fabs",
    "feature_alpha_dropout",
    "fill_diagonal",
    "flatten",
    "flip",
    "fliplr",
    "flipud",
    "float_power",
    "floor",
    "floor_divide",
    "fmax",
    "fmin",
    "fmod",
    "fold",
    "fractional_max_pool2d",
    "fractional_max_pool3d",
    "frexp",
    "fromfunction",
    "gaussian_nll_loss",
    "gelu",
    "geomspace",
    "glu",
    "gradient",
    "greater",
    "greater_equal",
    "grid_sample",
    "group_norm",
    "gumbel_softmax",
    "hardshrink",
    "hardsigmoid",
    "hardswish",
    "hardtanh",
    "heaviside",
    "hinge_embedding_loss",
    "histogram",
    "histogram2d",
    "histogram_bin_edges",
    "histogramdd",
    "hsplit",
    "hstack",
    "huber_loss",
    "hypot",
    "i0",
    "imag",
    "inner",
    "insert",
    "instance_norm",
    "interp",
    "interpolate",
    "intersect1d",
    "inv",
    "isclose",
    "isfinite",
    "isin",
    "isinf",
    "isnan",
    "kaiser",
    "kl_div",
    "kron",
    "l1_loss",
    "layer_norm",
    "ldexp",
    "leaky_relu",
    "less",
    "less_equal",
    "linear",
    "linspace",
    "local_response_norm",
    "log",
    "log10",
    "log1p",
    "log2",
    "log_softmax",
    "logaddexp",
    "logaddexp2",
    "logical_and",
    "logical_not",
    "logical_or",
    "logical_xor",
    "logn",
    "logsigmoid",
    "logspace",
    "logsumexp",
    "lp_pool1d",
    "lp_pool2d",
    "lp_pool3d",
    "lstsq",
    "lu",
    "margin_ranking_loss",
    "matmul",
    "matrix_norm",
    "matrix_power",
    "matrix_rank",
    "matrix_transpose",
    "matvec",
    "max",
    "max_pool1d",
    "max_pool2d",
    "max_pool3d",
    "max_unpool1d",
    "max_unpool2d",
    "max_unpool3d",
    "maximum",
    "mean",
    "median",
    "meshgrid",
    "min",
    "minimum",
    "mish",
    "modf",
    "moveaxis",
    "mse_loss",
    "multi_dot",
    "multi_margin_loss",
    "multilabel_margin_loss",
    "multilabel_soft_margin_loss",
    "multiply",
    "nan_to_num",
    "nancumprod",
    "nancumsum",
    "nanmax",
    "nanmean",
    "nanmedian",
    "nanmin",
    "nanpercentile",
    "nanprod",
    "nanquantile",
    "nanstd",
    "nansum",
    "nanvar",
    "negative",
    "nextafter",
    "nll_loss",
    "nonzero",
    "norm",
    "normalize",
    "not_equal",
    "one_hot",
    "outer",
    "pad",
    "pairwise_distance",
    "partition",
    "pdist",
    "percentile",
    "permute_dims",
    "piecewise",
    "pinv",
    "pixel_shuffle",
    "pixel_unshuffle",
    "place",
    "poisson_nll_loss",
    "poly",
    "polyadd",
    "polyder",
    "polydiv",
    "polyfit",
    "polyint",
    "polymul",
    "polysub",
    "polyval",
    "positive",
    "pow",
    "power",
    "prelu",
    "prod",
    "ptp",
    "put",
    "put_along_axis",
    "putmask",
    "qr",
    "quantile",
    "rad2deg",
    "radians",
    "ravel",
    "real",
    "real_if_close",
    "reciprocal",
    "relu",
    "relu6",
    "remainder",
    "repeat",
    "reshape",
    "resize",
    "rint",
    "rms_norm",
    "roll",
    "rollaxis",
    "roots",
    "rot90",
    "round",
    "rrelu",
    "scaled_dot_product_attention",
    "searchsorted",
    "select",
    "selu",
    "setdiff1d",
    "setxor1d",
    "sigmoid",
    "sign",
    "signbit",
    "silu",
    "sin",
    "sinc",
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
    "solve_triangular",
    "sort",
    "sort_complex",
    "spacing",
    "split",
    "sqrt",
    "square",
    "squeeze",
    "stack",
    "std",
    "subtract",
    "sum",
    "svd",
    "svdvals",
    "swapaxes",
    "take",
    "take_along_axis",
    "tan",
    "tanh",
    "tanhshrink",
    "tensordot",
    "tensorinv",
    "tensorsolve",
    "threshold",
    "tile",
    "trace",
    "transpose",
    "trapezoid",
    "tril",
    "trim_zeros",
    "triplet_margin_loss",
    "triplet_margin_with_distance_loss",
    "triu",
    "trunc",
    "unfold",
    "union1d",
    "unique",
    "unique_all",
    "unique_counts",
    "unique_inverse",
    "unique_values",
    "unstack",
    "unwrap",
    "vander",
    "var",
    "vdot",
    "vecdot",
    "vecmat",
    "vector_norm",
    "vsplit",
    "vstack",
    "where",
]

def abs(input: ArrayLike) -> Tensor: ...
def acos(input: ArrayLike) -> Tensor: ...
def acosh(input: ArrayLike) -> Tensor: ...
def adaptive_avg_pool1d(input: ArrayLike, output_size: int | Nested[int | None] | None) -> Tensor: ...
def adaptive_avg_pool2d(input: ArrayLike, output_size: int | Nested[int | None] | None) -> Tensor: ...
def adaptive_avg_pool3d(input: ArrayLike, output_size: int | Nested[int | None] | None) -> Tensor: ...
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
@overload
def adaptive_max_pool3d(
    input: ArrayLike, output_size: int | Nested[int | None] | None, return_indices: Literal[False] = False
) -> Tensor: ...
@overload
def adaptive_max_pool3d(
    input: ArrayLike, output_size: int | Nested[int | None] | None, return_indices: Literal[True]
) -> tuple[Tensor, Tensor]: ...
@overload
def adaptive_max_pool3d(
    input: ArrayLike, output_size: int | Nested[int | None] | None, return_indices: bool = False
) -> Tensor | tuple[Tensor, Tensor]: ...
def add(a: ArrayLike, b: ArrayLike, /) -> Tensor: ...
def affine_grid(theta: ArrayLike, size: Ints, align_corners: bool | None = None) -> Tensor: ...
def all(x: ArrayLike, axis: Axes = None, *, keepdims: bool = False, where: ArrayLike | None = None) -> Tensor: ...
def allclose(a: ArrayLike, b: ArrayLike, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> bool: ...
def alpha_dropout(
    input: ArrayLike,
    p: float = 0.5,
    training: bool = False,
    inplace: bool = False,
    *,
    generator: np.random.Generator | None = None,
) -> Tensor: ...
def angle(z: ArrayLike, deg: bool = False) -> Tensor: ...
def any(x: ArrayLike, axis: Axes = None, *, keepdims: bool = False, where: ArrayLike | None = None) -> Tensor: ...
def append(x: ArrayLike, values: ArrayLike, axis: int | None = None) -> Tensor: ...
def apply_along_axis(func1d: object, axis: int, arr: ArrayLike, *args: object, **kwargs: object) -> Tensor: ...
def apply_over_axes(func: object, a: ArrayLike, axes: Ints) -> Tensor: ...
def argmax(x: ArrayLike, axis: int | None = None, *, keepdims: bool = False) -> Tensor: ...
def argmin(x: ArrayLike, axis: int | None = None, *, keepdims: bool = False) -> Tensor: ...
def argsort(x: ArrayLike, axis: int | None = -1, *, descending: bool = False, stable: bool | None = True) -> Tensor: ...
def array_equal(a: ArrayLike, b: ArrayLike, equal_nan: bool = False) -> bool: ...
def array_split(x: ArrayLike, indices_or_sections: ArrayLike, axis: int = 0) -> list[Tensor]: ...
def asin(input: ArrayLike) -> Tensor: ...
def asinh(input: ArrayLike) -> Tensor: ...
def astype(
    x: ArrayLike,
    dtype: DTypeLike,
    *,
    copy: bool = True,
    order: str | None = "K",
    casting: str = "unsafe",
    device: str | None = None,
) -> Tensor: ...
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
@overload
def average(
    x: ArrayLike,
    axis: Axes = None,
    weights: ArrayLike | None = None,
    returned: Literal[False] = False,
    *,
    keepdims: bool = False,
) -> Tensor: ...
@overload
def average(
    x: ArrayLike,
    axis: Axes = None,
    weights: ArrayLike | None = None,
    *,
    returned: Literal[True],
    keepdims: bool = False,
) -> tuple[Tensor, Tensor]: ...
@overload
def average(
    x: ArrayLike, axis: Axes = None, weights: ArrayLike | None = None, returned: bool = False, *, keepdims: bool = False
) -> Tensor | tuple[Tensor, Tensor]: ...
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
def avg_pool3d(
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
def bincount(x: ArrayLike, weights: ArrayLike | None = None, minlength: int = 0) -> Tensor: ...
def bitwise_and(a: ArrayLike, b: ArrayLike, /) -> Tensor: ...
def bitwise_invert(input: ArrayLike) -> Tensor: ...
def bitwise_left_shift(a: ArrayLike, b: ArrayLike, /) -> Tensor: ...
def bitwise_or(a: ArrayLike, b: ArrayLike, /) -> Tensor: ...
def bitwise_right_shift(a: ArrayLike, b: ArrayLike, /) -> Tensor: ...
def bitwise_xor(a: ArrayLike, b: ArrayLike, /) -> Tensor: ...
def block(arrays: ArrayLike) -> Tensor: ...
def block_diag(*arrays: ArrayLike) -> Tensor: ...
def broadcast_arrays(*arrays: ArrayLike) -> tuple[Tensor, ...]: ...
def broadcast_to(x: ArrayLike, shape: Ints) -> Tensor: ...
def cbrt(input: ArrayLike) -> Tensor: ...
def cdist(
    x1: ArrayLike, x2: ArrayLike, p: float = 2.0, compute_mode: str = "use_mm_for_euclid_dist_if_necessary"
) -> Tensor: ...
def ceil(input: ArrayLike) -> Tensor: ...
def celu(input: ArrayLike, alpha: float = 1.0, inplace: bool = False) -> Tensor: ...
def channel_shuffle(input: ArrayLike, groups: int) -> Tensor: ...
def cho_solve(c_and_lower: tuple[ArrayLike, bool], b: ArrayLike) -> Tensor: ...
def cholesky(x: ArrayLike, *, upper: bool = False) -> Tensor: ...
def choose(a: ArrayLike, choices: ArrayLike, *, mode: str = "raise") -> Tensor: ...
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
def column_stack(arrays: Iterable[ArrayLike]) -> Tensor: ...
def compress(condition: ArrayLike, a: ArrayLike, axis: int | None = None) -> Tensor: ...
def concat(
    arrays: Iterable[ArrayLike], axis: int | None = 0, *, dtype: DTypeLike | None = None, casting: str = "same_kind"
) -> Tensor: ...
def cond(x: ArrayLike, p: float | str | None = None) -> Tensor: ...
def conj(x: ArrayLike) -> Tensor: ...
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
def conv3d(
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
def conv_transpose3d(
    input: ArrayLike,
    weight: ArrayLike,
    bias: ArrayLike | None = None,
    stride: Ints = 1,
    padding: Ints = 0,
    output_padding: Ints = 0,
    groups: int = 1,
    dilation: Ints = 1,
) -> Tensor: ...
def convolve(a: ArrayLike, v: ArrayLike, mode: str = "full") -> Tensor: ...
def copy(x: ArrayLike, order: str | None = "K") -> Tensor: ...
def copysign(a: ArrayLike, b: ArrayLike, /) -> Tensor: ...
def copyto(dst: ArrayLike, src: ArrayLike, casting: str = "same_kind", where: ArrayLike | None = True) -> None: ...
def corrcoef(
    x: ArrayLike, y: ArrayLike | None = None, rowvar: bool = True, *, dtype: DTypeLike | None = None
) -> Tensor: ...
def correlate(a: ArrayLike, v: ArrayLike, mode: str = "valid") -> Tensor: ...
def cos(input: ArrayLike) -> Tensor: ...
def cosh(input: ArrayLike) -> Tensor: ...
def cosine_embedding_loss(
    input1: ArrayLike, input2: ArrayLike, target: ArrayLike, margin: float = 0.0, *, reduction: str = "mean"
) -> Tensor: ...
def cosine_similarity(
    x1: ArrayLike, x2: ArrayLike, axis: int = 1, eps: float = 1e-08, *, dim: int | None = None
) -> Tensor: ...
def count_nonzero(x: ArrayLike, axis: Axes = None, *, keepdims: bool = False) -> Tensor: ...
def cov(
    x: ArrayLike,
    y: ArrayLike | None = None,
    rowvar: bool = True,
    bias: bool = False,
    ddof: int | None = None,
    fweights: ArrayLike | None = None,
    aweights: ArrayLike | None = None,
    *,
    dtype: DTypeLike | None = None,
) -> Tensor: ...
def cross(
    a: ArrayLike, b: ArrayLike, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None
) -> Tensor: ...
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
def deg2rad(input: ArrayLike) -> Tensor: ...
def degrees(input: ArrayLike) -> Tensor: ...
def delete(x: ArrayLike, obj: ArrayLike, axis: int | None = None) -> Tensor: ...
def det(x: ArrayLike) -> Tensor: ...
def diag(v: ArrayLike, k: int = 0) -> Tensor: ...
def diagflat(v: ArrayLike, k: int = 0) -> Tensor: ...
def diagonal(x: ArrayLike, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor: ...
def diff(
    x: ArrayLike, n: int = 1, axis: int = -1, prepend: ArrayLike | None = None, append: ArrayLike | None = None
) -> Tensor: ...
def divide(a: ArrayLike, b: ArrayLike, /) -> Tensor: ...
def divmod(a: ArrayLike, b: ArrayLike) -> tuple[Tensor, Tensor]: ...
def dot(a: ArrayLike, b: ArrayLike) -> Tensor: ...
def dropout(
    input: ArrayLike,
    p: float = 0.5,
    training: bool = True,
    inplace: bool = False,
    *,
    generator: np.random.Generator | None = None,
) -> Tensor: ...
def dropout1d(
    input: ArrayLike,
    p: float = 0.5,
    training: bool = True,
    inplace: bool = False,
    *,
    generator: np.random.Generator | None = None,
) -> Tensor: ...
def dropout2d(
    input: ArrayLike,
    p: float = 0.5,
    training: bool = True,
    inplace: bool = False,
    *,
    generator: np.random.Generator | None = None,
) -> Tensor: ...
def dropout3d(
    input: ArrayLike,
    p: float = 0.5,
    training: bool = True,
    inplace: bool = False,
    *,
    generator: np.random.Generator | None = None,
) -> Tensor: ...
def dsplit(x: ArrayLike, indices_or_sections: ArrayLike) -> list[Tensor]: ...
def dstack(arrays: Iterable[ArrayLike]) -> Tensor: ...
def ediff1d(x: ArrayLike, to_end: ArrayLike | None = None, to_begin: ArrayLike | None = None) -> Tensor: ...
def eig(x: ArrayLike) -> EigResult: ...
def eigh(x: ArrayLike, UPLO: str = "L") -> EighResult: ...
def eigvals(x: ArrayLike) -> Tensor: ...
def eigvalsh(x: ArrayLike, UPLO: str = "L") -> Tensor: ...
def einsum(
    subscripts: object,
    *operands: ArrayLike,
    optimize: object = None,
    dtype: DTypeLike | None = None,
    casting: str = "safe",
    order: str | None = "K",
) -> Tensor: ...
def elu(input: ArrayLike, alpha: ArrayLike = 1.0, inplace: bool = False) -> Tensor: ...
def embedding(
    input: ArrayLike,
    weight: ArrayLike,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Tensor: ...
def embedding_bag(
    input: ArrayLike,
    weight: ArrayLike,
    offsets: ArrayLike | None = None,
    max_norm: float | None = None,
    norm_type: float = 2,
    scale_grad_by_freq: bool = False,
    mode: str = "mean",
    sparse: bool = False,
    per_sample_weights: ArrayLike | None = None,
    include_last_offset: bool = False,
    padding_idx: int | None = None,
) -> Tensor: ...
def equal(a: ArrayLike, b: ArrayLike, /) -> Tensor: ...
def erf(input: ArrayLike) -> Tensor: ...
def exp(input: ArrayLike) -> Tensor: ...
def exp2(input: ArrayLike) -> Tensor: ...
def expand_dims(x: ArrayLike, axis: Ints = 0) -> Tensor: ...
def expm(a: ArrayLike) -> Tensor: ...
def expm1(input: ArrayLike) -> Tensor: ...
def extract(condition: ArrayLike, arr: ArrayLike) -> Tensor: ...
def fabs(x: ArrayLike) -> Tensor: ...
def feature_alpha_dropout(
    input: ArrayLike,
    p: float = 0.5,
    training: bool = False,
    inplace: bool = False,
    *,
    generator: np.random.Generator | None = None,
) -> Tensor: ...
def fill_diagonal(a: ArrayLike, val: ArrayLike, wrap: bool = False) -> None: ...
def flatten(x: ArrayLike, start_axis: int | str = 0, end_axis: int = -1, *, order: str | None = "C") -> Tensor: ...
def flip(x: ArrayLike, axis: Axes = None) -> Tensor: ...
def fliplr(x: ArrayLike) -> Tensor: ...
def flipud(x: ArrayLike) -> Tensor: ...
def float_power(a: ArrayLike, b: ArrayLike) -> Tensor: ...
def floor(input: ArrayLike) -> Tensor: ...
def floor_divide(a: ArrayLike, b: ArrayLike, /) -> Tensor: ...
def fmax(a: ArrayLike, b: ArrayLike, /) -> Tensor: ...
def fmin(a: ArrayLike, b: ArrayLike, /) -> Tensor: ...
def fmod(a: ArrayLike, b: ArrayLike, /) -> Tensor: ...
def fold(
    input: ArrayLike, output_size: Ints, kernel_size: Ints, dilation: Ints = 1, padding: Ints = 0, stride: Ints = 1
) -> Tensor: ...
@overload
def fractional_max_pool2d(
    input: ArrayLike,
    kernel_size: Ints,
    output_size: int | Nested[int | None] | None = None,
    output_ratio: float | tuple[float, float] | None = None,
    return_indices: Literal[False] = False,
    _random_samples: ArrayLike | None = None,
    *,
    generator: np.random.Generator | None = None,
) -> Tensor: ...
@overload
def fractional_max_pool2d(
    input: ArrayLike,
    kernel_size: Ints,
    output_size: int | Nested[int | None] | None = None,
    output_ratio: float | tuple[float, float] | None = None,
    *,
    return_indices: Literal[True],
    _random_samples: ArrayLike | None = None,
    generator: np.random.Generator | None = None,
) -> tuple[Tensor, Tensor]: ...
@overload
def fractional_max_pool2d(
    input: ArrayLike,
    kernel_size: Ints,
    output_size: int | Nested[int | None] | None = None,
    output_ratio: float | tuple[float, float] | None = None,
    return_indices: bool = False,
    _random_samples: ArrayLike | None = None,
    *,
    generator: np.random.Generator | None = None,
) -> Tensor | tuple[Tensor, Tensor]: ...
@overload
def fractional_max_pool3d(
    input: ArrayLike,
    kernel_size: Ints,
    output_size: int | Nested[int | None] | None = None,
    output_ratio: float | tuple[float, float, float] | None = None,
    return_indices: Literal[False] = False,
    _random_samples: ArrayLike | None = None,
    *,
    generator: np.random.Generator | None = None,
) -> Tensor: ...
@overload
def fractional_max_pool3d(
    input: ArrayLike,
    kernel_size: Ints,
    output_size: int | Nested[int | None] | None = None,
    output_ratio: float | tuple[float, float, float] | None = None,
    *,
    return_indices: Literal[True],
    _random_samples: ArrayLike | None = None,
    generator: np.random.Generator | None = None,
) -> tuple[Tensor, Tensor]: ...
@overload
def fractional_max_pool3d(
    input: ArrayLike,
    kernel_size: Ints,
    output_size: int | Nested[int | None] | None = None,
    output_ratio: float | tuple[float, float, float] | None = None,
    return_indices: bool = False,
    _random_samples: ArrayLike | None = None,
    *,
    generator: np.random.Generator | None = None,
) -> Tensor | tuple[Tensor, Tensor]: ...
def frexp(x: ArrayLike) -> tuple[Tensor, Tensor]: ...
def fromfunction(function: object, shape: Ints, *, dtype: DTypeLike = ..., **kwargs: object) -> Tensor: ...
def gaussian_nll_loss(
    input: ArrayLike, target: ArrayLike, var: ArrayLike, full: bool = False, eps: float = 1e-06, reduction: str = "mean"
) -> Tensor: ...
def gelu(input: ArrayLike, approximate: str = "none") -> Tensor: ...
def geomspace(
    start: ArrayLike,
    stop: ArrayLike,
    num: int = 50,
    endpoint: bool = True,
    dtype: DTypeLike | None = None,
    axis: int = 0,
) -> Tensor: ...
def glu(input: ArrayLike, axis: int = -1, *, dim: int | None = None) -> Tensor: ...
def gradient(
    f: ArrayLike, *varargs: ArrayLike, axis: Axes = None, edge_order: int = 1
) -> Tensor | tuple[Tensor, ...]: ...
def greater(a: ArrayLike, b: ArrayLike, /) -> Tensor: ...
def greater_equal(a: ArrayLike, b: ArrayLike, /) -> Tensor: ...
def grid_sample(
    input: ArrayLike,
    grid: ArrayLike,
    mode: str = "bilinear",
    padding_mode: str = "zeros",
    align_corners: bool | None = None,
) -> Tensor: ...
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
def hardsigmoid(input: ArrayLike, inplace: bool = False) -> Tensor: ...
def hardswish(input: ArrayLike, inplace: bool = False) -> Tensor: ...
def hardtanh(input: ArrayLike, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> Tensor: ...
def heaviside(a: ArrayLike, b: ArrayLike, /) -> Tensor: ...
def hinge_embedding_loss(
    input: ArrayLike, target: ArrayLike, margin: float = 1.0, *, reduction: str = "mean"
) -> Tensor: ...
def histogram(
    x: ArrayLike, bins: object = 10, range: object = None, density: bool | None = None, weights: ArrayLike | None = None
) -> tuple[Tensor, Tensor]: ...
def histogram2d(
    x: ArrayLike,
    y: ArrayLike,
    bins: object = 10,
    range: object = None,
    density: bool | None = None,
    weights: ArrayLike | None = None,
) -> tuple[Tensor, Tensor, Tensor]: ...
def histogram_bin_edges(
    x: ArrayLike, bins: object = 10, range: object = None, weights: ArrayLike | None = None
) -> Tensor: ...
def histogramdd(
    sample: ArrayLike,
    bins: object = 10,
    range: object = None,
    density: bool | None = None,
    weights: ArrayLike | None = None,
) -> tuple[Tensor, Tensor]: ...
def hsplit(x: ArrayLike, indices_or_sections: ArrayLike) -> list[Tensor]: ...
def hstack(arrays: Iterable[ArrayLike], *, dtype: DTypeLike | None = None, casting: str = "same_kind") -> Tensor: ...
def huber_loss(
    input: ArrayLike, target: ArrayLike, reduction: str = "mean", delta: float = 1.0, weight: ArrayLike | None = None
) -> Tensor: ...
def hypot(a: ArrayLike, b: ArrayLike, /) -> Tensor: ...
def i0(input: ArrayLike) -> Tensor: ...
def imag(x: ArrayLike) -> Tensor: ...
def inner(a: ArrayLike, b: ArrayLike) -> Tensor: ...
def insert(x: ArrayLike, obj: ArrayLike, values: ArrayLike, axis: int | None = None) -> Tensor: ...
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
def interp(
    x: ArrayLike,
    xp: ArrayLike,
    fp: ArrayLike,
    left: ArrayLike | None = None,
    right: ArrayLike | None = None,
    period: ArrayLike | None = None,
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
@overload
def intersect1d(
    x1: ArrayLike, x2: ArrayLike, assume_unique: bool = False, return_indices: Literal[False] = False
) -> Tensor: ...
@overload
def intersect1d(
    x1: ArrayLike, x2: ArrayLike, assume_unique: bool = False, *, return_indices: Literal[True]
) -> tuple[Tensor, Tensor]: ...
@overload
def intersect1d(
    x1: ArrayLike, x2: ArrayLike, assume_unique: bool = False, return_indices: bool = False
) -> Tensor | tuple[Tensor, Tensor]: ...
def inv(x: ArrayLike) -> Tensor: ...
def isclose(
    a: ArrayLike, b: ArrayLike, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False
) -> Tensor: ...
def isfinite(input: ArrayLike) -> Tensor: ...
def isin(
    x1: ArrayLike,
    x2: ArrayLike,
    assume_unique: bool = False,
    invert: bool = False,
    *,
    kind: Literal["sort", "table"] | None = None,
) -> Tensor: ...
def isinf(input: ArrayLike) -> Tensor: ...
def isnan(input: ArrayLike) -> Tensor: ...
def kaiser(M: int, beta: ArrayLike) -> Tensor: ...
def kl_div(input: ArrayLike, target: ArrayLike, *, reduction: str = "mean", log_target: bool = False) -> Tensor: ...
def kron(a: ArrayLike, b: ArrayLike) -> Tensor: ...
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
def ldexp(x: ArrayLike, exponent: ArrayLike) -> Tensor: ...
def leaky_relu(input: ArrayLike, negative_slope: ArrayLike = 0.01, inplace: bool = False) -> Tensor: ...
def less(a: ArrayLike, b: ArrayLike, /) -> Tensor: ...
def less_equal(a: ArrayLike, b: ArrayLike, /) -> Tensor: ...
def linear(input: ArrayLike, weight: ArrayLike, bias: ArrayLike | None = None) -> Tensor: ...
def linspace(
    start: ArrayLike,
    stop: ArrayLike,
    num: int = 50,
    endpoint: bool = True,
    retstep: bool = False,
    dtype: DTypeLike | None = None,
    axis: int = 0,
) -> Tensor: ...
def local_response_norm(
    input: ArrayLike, size: int, alpha: float = 0.0001, beta: float = 0.75, k: float = 1.0
) -> Tensor: ...
def log(input: ArrayLike) -> Tensor: ...
def log10(input: ArrayLike) -> Tensor: ...
def log1p(input: ArrayLike) -> Tensor: ...
def log2(input: ArrayLike) -> Tensor: ...
def log_softmax(input: ArrayLike, axis: int = -1, dim: int | None = None, dtype: DTypeLike | None = None) -> Tensor: ...
def logaddexp(a: ArrayLike, b: ArrayLike, /) -> Tensor: ...
def logaddexp2(a: ArrayLike, b: ArrayLike, /) -> Tensor: ...
def logical_and(a: ArrayLike, b: ArrayLike, /) -> Tensor: ...
def logical_not(input: ArrayLike) -> Tensor: ...
def logical_or(a: ArrayLike, b: ArrayLike, /) -> Tensor: ...
def logical_xor(a: ArrayLike, b: ArrayLike, /) -> Tensor: ...
def logn(n: ArrayLike, x: ArrayLike) -> Tensor: ...
def logsigmoid(input: ArrayLike) -> Tensor: ...
def logspace(
    start: ArrayLike,
    stop: ArrayLike,
    num: int = 50,
    endpoint: bool = True,
    base: ArrayLike = 10.0,
    dtype: DTypeLike | None = None,
    axis: int = 0,
) -> Tensor: ...
def logsumexp(x: ArrayLike, axis: Axes = None, *, keepdims: bool = False) -> Tensor: ...
def lp_pool1d(
    input: ArrayLike, norm_type: float, kernel_size: Ints, stride: Ints | None = None, ceil_mode: bool = False
) -> Tensor: ...
def lp_pool2d(
    input: ArrayLike, norm_type: float, kernel_size: Ints, stride: Ints | None = None, ceil_mode: bool = False
) -> Tensor: ...
def lp_pool3d(
    input: ArrayLike, norm_type: float, kernel_size: Ints, stride: Ints | None = None, ceil_mode: bool = False
) -> Tensor: ...
def lstsq(a: ArrayLike, b: ArrayLike, rcond: float | None = None) -> tuple[Tensor, ...]: ...
def lu(a: ArrayLike, permute_l: bool = False, p_indices: bool = False) -> tuple[Tensor, ...]: ...
def margin_ranking_loss(
    input1: ArrayLike, input2: ArrayLike, target: ArrayLike, margin: float = 0.0, *, reduction: str = "mean"
) -> Tensor: ...
def matmul(a: ArrayLike, b: ArrayLike) -> Tensor: ...
def matrix_norm(x: ArrayLike, *, keepdims: bool = False, ord: float | str | None = "fro") -> Tensor: ...
def matrix_power(x: ArrayLike, n: int) -> Tensor: ...
def matrix_rank(
    A: ArrayLike, tol: ArrayLike | None = None, hermitian: bool = False, *, rtol: ArrayLike | None = None
) -> Tensor: ...
def matrix_transpose(x: ArrayLike) -> Tensor: ...
def matvec(x1: ArrayLike, x2: ArrayLike) -> Tensor: ...
def max(
    x: ArrayLike,
    axis: Axes = None,
    *,
    keepdims: bool = False,
    initial: ArrayLike | None = None,
    where: ArrayLike | None = None,
) -> Tensor: ...
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
@overload
def max_pool3d(
    input: ArrayLike,
    kernel_size: Ints,
    stride: Ints | None = None,
    padding: Ints = 0,
    dilation: Ints = 1,
    ceil_mode: bool = False,
    return_indices: Literal[False] = False,
) -> Tensor: ...
@overload
def max_pool3d(
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
def max_pool3d(
    input: ArrayLike,
    kernel_size: Ints,
    stride: Ints | None = None,
    padding: Ints = 0,
    dilation: Ints = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Tensor | tuple[Tensor, Tensor]: ...
def max_unpool1d(
    input: ArrayLike,
    indices: ArrayLike,
    kernel_size: Ints,
    stride: Ints | None = None,
    padding: Ints = 0,
    output_size: Ints | None = None,
) -> Tensor: ...
def max_unpool2d(
    input: ArrayLike,
    indices: ArrayLike,
    kernel_size: Ints,
    stride: Ints | None = None,
    padding: Ints = 0,
    output_size: Ints | None = None,
) -> Tensor: ...
def max_unpool3d(
    input: ArrayLike,
    indices: ArrayLike,
    kernel_size: Ints,
    stride: Ints | None = None,
    padding: Ints = 0,
    output_size: Ints | None = None,
) -> Tensor: ...
def maximum(a: ArrayLike, b: ArrayLike, /) -> Tensor: ...
def mean(
    x: ArrayLike,
    axis: Axes = None,
    *,
    dtype: DTypeLike | None = None,
    keepdims: bool = False,
    where: ArrayLike | None = None,
) -> Tensor: ...
def median(x: ArrayLike, axis: Axes = None, *, keepdims: bool = False) -> Tensor: ...
def meshgrid(*xi: ArrayLike, copy: bool = True, sparse: bool = False, indexing: str = "xy") -> tuple[Tensor, ...]: ...
def min(
    x: ArrayLike,
    axis: Axes = None,
    *,
    keepdims: bool = False,
    initial: ArrayLike | None = None,
    where: ArrayLike | None = None,
) -> Tensor: ...
def minimum(a: ArrayLike, b: ArrayLike, /) -> Tensor: ...
def mish(input: ArrayLike, inplace: bool = False) -> Tensor: ...
def modf(x: ArrayLike) -> tuple[Tensor, Tensor]: ...
def moveaxis(x: ArrayLike, source: Ints, destination: Ints) -> Tensor: ...
def mse_loss(
    input: ArrayLike, target: ArrayLike, *, reduction: str = "mean", weight: ArrayLike | None = None
) -> Tensor: ...
def multi_dot(arrays: Iterable[ArrayLike]) -> Tensor: ...
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
def nan_to_num(
    x: ArrayLike,
    copy: bool = True,
    nan: ArrayLike = 0.0,
    posinf: ArrayLike | None = None,
    neginf: ArrayLike | None = None,
) -> Tensor: ...
def nancumprod(x: ArrayLike, axis: int | None = None, *, dtype: DTypeLike | None = None) -> Tensor: ...
def nancumsum(x: ArrayLike, axis: int | None = None, *, dtype: DTypeLike | None = None) -> Tensor: ...
def nanmax(
    x: ArrayLike,
    axis: Axes = None,
    *,
    keepdims: bool = False,
    initial: ArrayLike | None = None,
    where: ArrayLike | None = None,
) -> Tensor: ...
def nanmean(
    x: ArrayLike,
    axis: Axes = None,
    *,
    dtype: DTypeLike | None = None,
    keepdims: bool = False,
    where: ArrayLike | None = None,
) -> Tensor: ...
def nanmedian(x: ArrayLike, axis: Axes = None, *, keepdims: bool = False) -> Tensor: ...
def nanmin(
    x: ArrayLike,
    axis: Axes = None,
    *,
    keepdims: bool = False,
    initial: ArrayLike | None = None,
    where: ArrayLike | None = None,
) -> Tensor: ...
def nanpercentile(
    x: ArrayLike,
    q: ArrayLike,
    axis: Axes = None,
    *,
    method: str = "linear",
    keepdims: bool = False,
    weights: ArrayLike | None = None,
) -> Tensor: ...
def nanprod(
    x: ArrayLike,
    axis: Axes = None,
    *,
    dtype: DTypeLike | None = None,
    keepdims: bool = False,
    initial: ArrayLike | None = None,
    where: ArrayLike | None = None,
) -> Tensor: ...
def nanquantile(
    x: ArrayLike,
    q: ArrayLike,
    axis: Axes = None,
    *,
    method: str = "linear",
    keepdims: bool = False,
    weights: ArrayLike | None = None,
) -> Tensor: ...
def nanstd(
    x: ArrayLike,
    axis: Axes = None,
    *,
    dtype: DTypeLike | None = None,
    correction: float = 0,
    ddof: float | None = None,
    keepdims: bool = False,
    where: ArrayLike | None = None,
    mean: ArrayLike | None = None,
) -> Tensor: ...
def nansum(
    x: ArrayLike,
    axis: Axes = None,
    *,
    dtype: DTypeLike | None = None,
    keepdims: bool = False,
    initial: ArrayLike | None = None,
    where: ArrayLike | None = None,
) -> Tensor: ...
def nanvar(
    x: ArrayLike,
    axis: Axes = None,
    *,
    dtype: DTypeLike | None = None,
    correction: float = 0,
    ddof: float | None = None,
    keepdims: bool = False,
    where: ArrayLike | None = None,
    mean: ArrayLike | None = None,
) -> Tensor: ...
def negative(input: ArrayLike) -> Tensor: ...
def nextafter(a: ArrayLike, b: ArrayLike, /) -> Tensor: ...
def nll_loss(
    log_probs: ArrayLike,
    target: ArrayLike,
    axis: int = -1,
    *,
    weight: ArrayLike | None = None,
    ignore_index: int = -100,
    reduction: str = "mean",
) -> Tensor: ...
def nonzero(x: ArrayLike) -> tuple[Tensor, ...]: ...
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
    end_values: ArrayLike = 0,
    stat_length: Ints | None = None,
    reflect_type: str = "even",
    pad: Ints | None = None,
    value: float | None = None,
) -> Tensor: ...
def pairwise_distance(
    x1: ArrayLike, x2: ArrayLike, p: float = 2.0, eps: float = 1e-06, keepdims: bool = False, *, keepdim: bool = False
) -> Tensor: ...
def partition(x: ArrayLike, kth: Ints, axis: int | None = -1) -> Tensor: ...
def pdist(input: ArrayLike, p: float = 2.0) -> Tensor: ...
def percentile(
    x: ArrayLike,
    q: ArrayLike,
    axis: Axes = None,
    *,
    method: str = "linear",
    keepdims: bool = False,
    weights: ArrayLike | None = None,
) -> Tensor: ...
def permute_dims(x: ArrayLike, axes: Ints) -> Tensor: ...
def piecewise(x: ArrayLike, condlist: Iterable[ArrayLike], funclist: object, *args: object, **kw: object) -> Tensor: ...
def pinv(
    x: ArrayLike, rcond: ArrayLike | None = None, hermitian: bool = False, *, rtol: ArrayLike | None = ...
) -> Tensor: ...
def pixel_shuffle(input: ArrayLike, upscale_factor: int) -> Tensor: ...
def pixel_unshuffle(input: ArrayLike, downscale_factor: int) -> Tensor: ...
def place(arr: ArrayLike, mask: ArrayLike, vals: ArrayLike) -> None: ...
def poisson_nll_loss(
    input: ArrayLike,
    target: ArrayLike,
    log_input: bool = True,
    full: bool = False,
    *,
    eps: float = 1e-08,
    reduction: str = "mean",
) -> Tensor: ...
def poly(seq_of_zeros: ArrayLike) -> Tensor: ...
def polyadd(a1: ArrayLike, a2: ArrayLike) -> Tensor: ...
def polyder(p: float | str | None, m: int = 1) -> Tensor: ...
def polydiv(u: ArrayLike, v: ArrayLike) -> tuple[Tensor, Tensor]: ...
def polyfit(
    x: ArrayLike,
    y: ArrayLike,
    deg: int,
    rcond: float | None = None,
    full: bool = False,
    w: ArrayLike | None = None,
    cov: bool | str = False,
) -> Tensor: ...
def polyint(p: float | str | None, m: int = 1, k: ArrayLike | None = None) -> Tensor: ...
def polymul(a1: ArrayLike, a2: ArrayLike) -> Tensor: ...
def polysub(a1: ArrayLike, a2: ArrayLike) -> Tensor: ...
def polyval(p: float | str | None, x: ArrayLike) -> Tensor: ...
def positive(input: ArrayLike) -> Tensor: ...
def pow(a: ArrayLike, b: ArrayLike, /) -> Tensor: ...
def power(a: ArrayLike, b: ArrayLike, /) -> Tensor: ...
def prelu(input: ArrayLike, weight: ArrayLike) -> Tensor: ...
def prod(
    x: ArrayLike,
    axis: Axes = None,
    *,
    dtype: DTypeLike | None = None,
    keepdims: bool = False,
    initial: ArrayLike | None = None,
    where: ArrayLike | None = None,
) -> Tensor: ...
def ptp(x: ArrayLike, axis: Axes = None, *, keepdims: bool = False) -> Tensor: ...
def put(a: ArrayLike, ind: ArrayLike, v: ArrayLike, mode: str = "raise") -> None: ...
def put_along_axis(arr: ArrayLike, indices: ArrayLike, values: ArrayLike, axis: int | None = -1) -> None: ...
def putmask(a: ArrayLike, mask: ArrayLike, values: ArrayLike) -> None: ...
@overload
def qr(x: ArrayLike, mode: Literal["reduced", "complete"] = "reduced") -> QRResult: ...
@overload
def qr(x: ArrayLike, mode: Literal["r"]) -> Tensor: ...
@overload
def qr(x: ArrayLike, mode: Literal["raw"]) -> tuple[Tensor, ...]: ...
def quantile(
    x: ArrayLike,
    q: ArrayLike,
    axis: Axes = None,
    *,
    method: str = "linear",
    keepdims: bool = False,
    weights: ArrayLike | None = None,
) -> Tensor: ...
def rad2deg(input: ArrayLike) -> Tensor: ...
def radians(input: ArrayLike) -> Tensor: ...
def ravel(x: ArrayLike, order: str | None = "C") -> Tensor: ...
def real(x: ArrayLike) -> Tensor: ...
def real_if_close(a: ArrayLike, tol: float = 100) -> Tensor: ...
def reciprocal(input: ArrayLike) -> Tensor: ...
def relu(input: ArrayLike, inplace: bool = False) -> Tensor: ...
def relu6(input: ArrayLike, inplace: bool = False) -> Tensor: ...
def remainder(a: ArrayLike, b: ArrayLike, /) -> Tensor: ...
def repeat(x: ArrayLike, repeats: ArrayLike, axis: int | None = None) -> Tensor: ...
def reshape(x: ArrayLike, shape: Ints, order: str | None = "C", *, copy: bool | None = None) -> Tensor: ...
def resize(x: ArrayLike, new_shape: Ints) -> Tensor: ...
def rint(input: ArrayLike) -> Tensor: ...
def rms_norm(
    input: ArrayLike, normalized_shape: Ints, weight: ArrayLike | None = None, eps: float | None = None
) -> Tensor: ...
def roll(x: ArrayLike, shift: Ints, axis: Axes = None) -> Tensor: ...
def rollaxis(x: ArrayLike, axis: int, start: int = 0) -> Tensor: ...
def roots(p: float | str | None) -> Tensor: ...
def rot90(x: ArrayLike, k: int = 1, axes: Ints = ...) -> Tensor: ...
def round(x: ArrayLike, decimals: int = 0) -> Tensor: ...
def rrelu(
    input: ArrayLike,
    lower: float = 0.125,
    upper: float = 0.3333333333333333,
    training: bool = False,
    inplace: bool = False,
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
def searchsorted(
    x1: ArrayLike, x2: ArrayLike, side: Literal["left", "right"] = "left", sorter: ArrayLike | None = None
) -> Tensor: ...
def select(condlist: Iterable[ArrayLike], choicelist: Iterable[ArrayLike], default: ArrayLike = 0) -> Tensor: ...
def selu(input: ArrayLike, inplace: bool = False) -> Tensor: ...
def setdiff1d(x1: ArrayLike, x2: ArrayLike, assume_unique: bool = False) -> Tensor: ...
def setxor1d(x1: ArrayLike, x2: ArrayLike, assume_unique: bool = False) -> Tensor: ...
def sigmoid(input: ArrayLike) -> Tensor: ...
def sign(input: ArrayLike) -> Tensor: ...
def signbit(input: ArrayLike) -> Tensor: ...
def silu(input: ArrayLike, inplace: bool = False) -> Tensor: ...
def sin(input: ArrayLike) -> Tensor: ...
def sinc(input: ArrayLike) -> Tensor: ...
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
def solve_triangular(
    a: ArrayLike, b: ArrayLike, trans: int | str = 0, lower: bool = False, unit_diagonal: bool = False
) -> Tensor: ...
def sort(x: ArrayLike, axis: int | None = -1, *, descending: bool = False, stable: bool | None = True) -> Tensor: ...
def sort_complex(x: ArrayLike) -> Tensor: ...
def spacing(input: ArrayLike) -> Tensor: ...
def split(x: ArrayLike, indices_or_sections: ArrayLike, axis: int = 0) -> list[Tensor]: ...
def sqrt(input: ArrayLike) -> Tensor: ...
def square(input: ArrayLike) -> Tensor: ...
def squeeze(x: ArrayLike, axis: Axes = None) -> Tensor: ...
def stack(
    arrays: Iterable[ArrayLike], axis: int = 0, *, dtype: DTypeLike | None = None, casting: str = "same_kind"
) -> Tensor: ...
def std(
    x: ArrayLike,
    axis: Axes = None,
    *,
    correction: float = 0,
    ddof: float | None = None,
    keepdims: bool = False,
    dtype: DTypeLike | None = None,
    where: ArrayLike | None = None,
    mean: ArrayLike | None = None,
) -> Tensor: ...
def subtract(a: ArrayLike, b: ArrayLike, /) -> Tensor: ...
def sum(
    x: ArrayLike,
    axis: Axes = None,
    *,
    dtype: DTypeLike | None = None,
    keepdims: bool = False,
    initial: ArrayLike | None = None,
    where: ArrayLike | None = None,
) -> Tensor: ...
@overload
def svd(
    x: ArrayLike, full_matrices: bool = True, compute_uv: Literal[True] = True, hermitian: bool = False
) -> SVDResult: ...
@overload
def svd(x: ArrayLike, full_matrices: bool = True, *, compute_uv: Literal[False], hermitian: bool = False) -> Tensor: ...
@overload
def svd(x: ArrayLike, full_matrices: bool, compute_uv: Literal[False], hermitian: bool = False) -> Tensor: ...
def svdvals(x: ArrayLike) -> Tensor: ...
def swapaxes(x: ArrayLike, axis1: int, axis2: int) -> Tensor: ...
def take(x: ArrayLike, indices: ArrayLike, axis: int | None = None, *, mode: str = "raise") -> Tensor: ...
def take_along_axis(x: ArrayLike, indices: ArrayLike, axis: int | None = -1) -> Tensor: ...
def tan(input: ArrayLike) -> Tensor: ...
def tanh(input: ArrayLike) -> Tensor: ...
def tanhshrink(input: ArrayLike) -> Tensor: ...
def tensordot(a: ArrayLike, b: ArrayLike, axes: int | Nested[Ints] = 2) -> Tensor: ...
def tensorinv(a: ArrayLike, ind: int = 2) -> Tensor: ...
def tensorsolve(a: ArrayLike, b: ArrayLike, axes: Ints | None = None) -> Tensor: ...
def threshold(input: ArrayLike, threshold: float, value: float, inplace: bool = False) -> Tensor: ...
def tile(x: ArrayLike, reps: ArrayLike) -> Tensor: ...
def trace(
    x: ArrayLike, offset: int = 0, axis1: int = 0, axis2: int = 1, *, dtype: DTypeLike | None = None
) -> Tensor: ...
def transpose(x: ArrayLike, axes: Ints | None = None) -> Tensor: ...
def trapezoid(y: ArrayLike, x: ArrayLike | None = None, dx: ArrayLike = 1.0, axis: int = -1) -> Tensor: ...
def tril(x: ArrayLike, k: int = 0) -> Tensor: ...
def trim_zeros(x: ArrayLike, trim: str = "fb", axis: Axes = None) -> Tensor: ...
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
def union1d(x1: ArrayLike, x2: ArrayLike) -> Tensor: ...
def unique(
    x: ArrayLike,
    return_index: bool = False,
    return_inverse: bool = False,
    return_counts: bool = False,
    axis: int | None = None,
    *,
    equal_nan: bool = True,
    sorted: bool = True,
) -> Tensor | tuple[Tensor, ...]: ...
def unique_all(x: ArrayLike) -> UniqueAllResult: ...
def unique_counts(x: ArrayLike) -> UniqueCountsResult: ...
def unique_inverse(x: ArrayLike) -> UniqueInverseResult: ...
def unique_values(x: ArrayLike) -> Tensor: ...
def unstack(x: ArrayLike, axis: int = 0) -> tuple[Tensor, ...]: ...
def unwrap(
    p: float | str | None, discont: float | None = None, axis: int = -1, *, period: float = 6.283185307179586
) -> Tensor: ...
def vander(x: ArrayLike, N: int | None = None, increasing: bool = False) -> Tensor: ...
def var(
    x: ArrayLike,
    axis: Axes = None,
    *,
    correction: float = 0,
    ddof: float | None = None,
    keepdims: bool = False,
    dtype: DTypeLike | None = None,
    where: ArrayLike | None = None,
    mean: ArrayLike | None = None,
) -> Tensor: ...
def vdot(a: ArrayLike, b: ArrayLike) -> Tensor: ...
def vecdot(a: ArrayLike, b: ArrayLike, *, axis: int = -1) -> Tensor: ...
def vecmat(x1: ArrayLike, x2: ArrayLike) -> Tensor: ...
def vector_norm(x: ArrayLike, axis: Axes = None, *, keepdims: bool = False, ord: float = 2) -> Tensor: ...
def vsplit(x: ArrayLike, indices_or_sections: ArrayLike) -> list[Tensor]: ...
def vstack(arrays: Iterable[ArrayLike], *, dtype: DTypeLike | None = None, casting: str = "same_kind") -> Tensor: ...
def where(condition: ArrayLike, x: ArrayLike, y: ArrayLike) -> Tensor: ...
