"""Vectors of the state's dtype that hold numbers of any: complex ones beside a real state by their two parts.

Called by `rows.py`, whose equations run for gradients and Jacobians beside the state.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...backend import Tensor
from ...dtypes import COMPLEX
from ...ops.operands import raw
from ...ops.register import FUNCTIONS


def dtype_of(x: Any) -> Any:
    return x.dtype if hasattr(x, "dtype") else np.result_type(x)


def size_of(like: Sequence[Any], dtype: Any) -> int:
    """How many numbers of a dtype hold all of these."""
    return sum([int(np.size(raw(x))) * (2 if _is_divided(x, dtype) else 1) for x in like])


def _is_divided(x: Any, dtype: Any) -> bool:
    return dtype_of(x) in COMPLEX and dtype not in COMPLEX


def flat(parts: Sequence[Any], dtype: Any) -> np.ndarray:
    """Arrays in one vector."""
    found = []
    for p in parts:
        a = np.asarray(p).reshape(-1)
        found.extend([a.real, a.imag] if _is_divided(a, dtype) else [a])
    return np.concatenate(found).astype(dtype, copy=False)


def recorded_flat(parts: Sequence[Any], dtype: Any) -> Any:
    """Tensors likewise."""
    found = []
    for p in parts:
        a = FUNCTIONS["reshape"](p, -1)
        found.extend([FUNCTIONS["real"](a), FUNCTIONS["imag"](a)] if _is_divided(a, dtype) else [a])
    return FUNCTIONS["concat"]([FUNCTIONS["astype"](a, dtype) for a in found])


def split(flat: Any, like: Sequence[Any]) -> list[Any]:
    """Parts of a vector in the shapes and dtypes of others."""
    parts, first = [], 0
    for x in like:
        size, shape, dtype = int(np.prod(np.shape(raw(x)), dtype=np.intp)), np.shape(raw(x)), dtype_of(x)
        part = flat[first : first + size]
        first += size
        if _is_divided(x, flat.dtype):
            part = part + 1j * flat[first : first + size]
            first += size
        part = FUNCTIONS["reshape"](part, shape)
        if part.dtype in COMPLEX and dtype not in COMPLEX:
            part = FUNCTIONS["real"](part)
        parts.append(part if isinstance(flat, Tensor) else np.asarray(raw(part)))
    return parts
