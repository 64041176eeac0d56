"""Fitting a user's gradient to the shape of what it is a gradient of. For the modules of `zen.compat` alone."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import backend
from ..dtypes import floating


def fitted(gradient: Any, shape: tuple[int, ...], what: str) -> np.ndarray:
    """`gradient` as a float array of `shape`: broadcast to it, or summed over what was broadcast to make it.

    Raises ValueError, beginning with `what`, where neither is possible.
    """
    array = np.asarray(gradient, floating(np.asarray(gradient).dtype))
    if array.shape == shape:
        return array
    try:
        if np.broadcast_shapes(array.shape, shape) == shape:
            return np.broadcast_to(array, shape).copy()
        return backend.unbroadcast(array, shape)
    except ValueError:
        raise ValueError(f"{what}: a gradient of shape {array.shape} does not fit a value of shape {shape}") from None
