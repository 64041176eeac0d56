"""Between the two forms of a gradient by complex numbers.

Inside, a cotangent g of z says dL = real(sum(g * dz)): it is not conjugated, and holomorphic formulas are the usual
ones. What users give and get is conj(g), the direction of steepest ascent of a real L, so that `z - lr * grad`
descends. For real numbers both are the same.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import backend
from ..backend import Tensor
from ..dtypes import COMPLEX
from ..ops import register


def conjugated(values: list[Any], recorded: bool) -> list[Any]:
    """Gradients in the other form; None, and what is real, stays as it is. `recorded`: with a graph."""
    if not any([v is not None and v.dtype in COMPLEX for v in values]):
        return values
    return [v if v is None or v.dtype not in COMPLEX else _conjugated(v, recorded) for v in values]


def _conjugated(value: Any, recorded: bool) -> Any:
    if isinstance(value, Tensor):
        return backend.call_recording(recorded, register.tensors.conj, value)
    return np.asarray(np.conj(value))


def check_cotangent(name: str, path: str, t: Any, value: Any) -> None:
    """TypeError for a complex cotangent, or tangent, of something real."""
    if value.dtype in COMPLEX and t.dtype not in COMPLEX:
        raise TypeError(
            f"{name}: what was given for {path} is complex, but {path} is of dtype {t.dtype}; take its real part"
        )
