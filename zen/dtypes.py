"""What zen asks of a dtype: whether it floats, is differentiable, has kernels, and what it becomes.

The sets hold dtypes in both byte orders, so that a question is a membership: `x.dtype in FLOATING`. Nothing else of zen
is known here, so every floor may ask, the reference engine among them. The compiled engine asks by type number:
`zen/_core/_dtypes.pxd` says the same in C. A new dtype enters in these two files.
"""

from __future__ import annotations

from typing import Any

import numpy as np

float16, float32, float64 = (np.dtype(name) for name in ("float16", "float32", "float64"))
int8, int16, int32, int64 = (np.dtype(name) for name in ("int8", "int16", "int32", "int64"))
uint8, uint16, uint32, uint64 = (np.dtype(name) for name in ("uint8", "uint16", "uint32", "uint64"))
complex64, complex128 = (np.dtype(name) for name in ("complex64", "complex128"))
bool_ = np.dtype("bool")

Dtypes = frozenset[np.dtype[Any]]


def _dtypes(characters: str) -> Dtypes:
    native = [np.dtype(c) for c in characters]
    return frozenset([*native, *[d.newbyteorder() for d in native]])


BOOLEAN = _dtypes("?")
SIGNED, UNSIGNED = _dtypes("bhilq"), _dtypes("BHILQ")
INTEGER = SIGNED | UNSIGNED
EXACT = BOOLEAN | INTEGER
FLOATING = _dtypes("efdg")
"""Real numbers with fractions; long double, which no Tensor holds, is among them."""
COMPLEX = _dtypes("FDG")
"""Complex numbers, among them those of two long doubles, which no Tensor holds."""
INEXACT = FLOATING | COMPLEX
"""What divisions, roots and means of this dtype are of this dtype."""
NUMBERS = EXACT | INEXACT
"""What an operation takes for an operand; whether a Tensor holds the result is asked afterwards."""
DIFFERENTIABLE = _dtypes("efdFD")
SUPPORTED = EXACT | DIFFERENTIABLE
"""What a Tensor holds."""
KERNELS = _dtypes("fd")
"""What hand-written kernels compute in."""
RANK = {dtype: rank for rank, group in enumerate((BOOLEAN, INTEGER, FLOATING, COMPLEX)) for dtype in group}
"""Values fit into a dtype of the same rank or a higher one without a change of kind."""

DEFAULT = float64
"""What integers and bools become where floats are needed, and what is made without a dtype."""
PARAMETERS = float32
"""The dtype of a layer's parameters unless another is given."""


def floating(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """`dtype` if it has fractions, else the default."""
    return dtype if dtype in INEXACT else DEFAULT


def real(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The dtype of the parts of a complex number; any other dtype itself."""
    return np.dtype(dtype.char.lower()) if dtype in COMPLEX else dtype


def complexed(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The dtype of complex numbers with parts of this dtype."""
    found: np.dtype[Any] = np.result_type(dtype, complex64)
    return found


def inexact(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The dtype in which NumPy takes the square root of `dtype`."""
    return dtype if dtype in INEXACT else np.result_type(dtype, float16)


def accumulator(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """What NumPy adds up in: float32 for float16, float64 for integers and bools; in the machine's byte order.

    zen's own kernels add float32 up in double as well, or in pairs; the sums that they keep are of this dtype.
    """
    if dtype not in INEXACT:
        return float64
    native = dtype.newbyteorder("=")
    return float32 if native == float16 else native
