"""What the forward formula of an elementwise row may call, in NumPy.

Plain NumPy; used by the rows on arrays (the reference engine, and dtypes without a compiled kernel). The compiled
twin of each name stands in `zen/_core/generate.py`, that for complex operands in `generate_complex.py`.
"""

import math
from typing import Any

import numpy as np

from ..dtypes import floating

_erf = np.frompyfunc(math.erf, 1, 1)


def erf(x: Any) -> Any:
    """The error function, elementwise, through the C library's double precision."""
    x = np.asarray(x)
    return np.asarray(_erf(x)).astype(floating(x.dtype))


def gelu_slope(x: Any) -> Any:
    """The derivative of x times the normal distribution function of x, elementwise."""
    return 0.5 * (1 + erf(x * 0.7071067811865476)) + x * np.exp(-0.5 * x * x) * 0.3989422804014327


def angle_slope(a: Any, b: Any) -> Any:
    """b / (a a + b b), and 0 at (0, 0). Where the squares would overflow or vanish, a and b are scaled."""
    dtype = floating(np.result_type(a, b))
    x, y = np.asarray(a, np.float64), np.asarray(b, np.float64)
    size = np.maximum(np.abs(x), np.abs(y))
    scale = np.where(size > 1e150, 2.0**-600, np.where(size < 1e-150, 2.0**600, 1.0))
    x, y = x * scale, y * scale
    square = x * x + y * y
    return np.asarray(np.where(square == 0, 0, y / np.where(square == 0, 1, square) * scale)).astype(dtype)


NUMPY: dict[str, Any] = {
    "abs": np.abs,
    "angle_slope": angle_slope,
    "acos": np.arccos,
    "acosh": np.arccosh,
    "asin": np.arcsin,
    "asinh": np.arcsinh,
    "atan": np.arctan,
    "atan2": np.arctan2,
    "atanh": np.arctanh,
    "conj": np.conjugate,
    "erf": erf,
    "gelu_slope": gelu_slope,
    "imag": np.imag,
    "real": np.real,
    **{
        name: getattr(np, name)
        for name in (
            "ceil cos cosh exp exp2 expm1 floor floor_divide hypot log log10 log1p log2 logaddexp maximum minimum "
            "remainder rint sign sin sinh sqrt tan tanh trunc where"
        ).split()
    },
}
