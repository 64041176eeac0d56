"""A cotangent of all examples brought to the shape and dtype of what it belongs to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import backend
from ..dtypes import COMPLEX
from ..ops import register


def conformed(value: Any, shape: tuple[int, ...], dtype: Any) -> Any:
    """A cotangent brought to the shape and dtype of its value: summed over the axes that were broadcast."""
    f = register.tensors
    if not hasattr(value, "shape"):
        value = backend.wrap(np.asarray(value, dtype))
    if value.shape != shape:
        extra = value.ndim - len(shape)
        axes = [k for k in range(value.ndim) if k < extra or (shape[k - extra] == 1 and value.shape[k] != 1)]
        if axes:
            value = f.sum(value, tuple(axes), True)
            value = f.reshape(value, tuple(value.shape[extra:]))
        if value.shape != shape:  # a number for all elements
            value = f.broadcast_to(value, shape)
    if value.dtype in COMPLEX and dtype not in COMPLEX:
        value = f.real(value)
    return value if value.dtype == dtype else f.astype(value, dtype)


def cast(value: Any, dtype: Any) -> Any:
    """In another dtype; the real part where that is a real one."""
    f = register.tensors
    if value.dtype in COMPLEX and dtype not in COMPLEX:
        value = f.real(value)
    return f.astype(value, dtype)


OF_THE_ENGINE: dict[str, Callable[..., Any]] = {
    "cast": cast,
    "expand": lambda x, shape: register.tensors.broadcast_to(x, shape),
    "unbroadcast": lambda x, shape: conformed(x, shape, x.dtype),
}
"""What the rows of the reference engine's own do, which its recorded passes apply; they are declared nowhere."""
