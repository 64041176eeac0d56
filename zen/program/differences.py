"""Whether a replay gave what the function gives, up to rounding."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import trees
from ..backend import Tensor
from ..dtypes import INEXACT

_DATA = (Tensor, np.ndarray, np.generic, float)


def difference(made: Any, expected: Any) -> str:
    """Where two results differ, or an empty string.

    Sums may have been added up in another order: what counts is a difference beyond eps ** 0.75 of the largest element.
    """
    ours, theirs = trees.values(made), trees.values(expected)
    if len(ours) != len(theirs):
        return f"{len(ours)} results instead of {len(theirs)}"
    for k, (a, b) in enumerate(zip(ours, theirs, strict=True)):
        if isinstance(b, _DATA):
            x, y = [np.asarray(t.detach().numpy() if isinstance(t, Tensor) else t) for t in (a, b)]
            if x.shape != y.shape or not _close(x, y):
                return f"result {k} of shape {y.shape} differs{_by(x, y)}"
        elif type(a) is not type(b) or a != b:
            return f"result {k} is {a!r:.60}, not {b!r:.60}"
    return ""


def _close(x: np.ndarray, y: np.ndarray) -> bool:
    if x.dtype != y.dtype:
        return False
    if y.dtype not in INEXACT:
        return bool(np.array_equal(x, y))
    finite = np.isfinite(y)
    if not np.array_equal(finite, np.isfinite(x)):
        return False
    room = float(np.finfo(y.dtype).eps) ** 0.75
    largest = float(np.abs(y[finite]).max(initial=0))
    with np.errstate(all="ignore"):
        return bool(np.allclose(x, y, rtol=room, atol=room * largest, equal_nan=True))


def _by(x: np.ndarray, y: np.ndarray) -> str:
    if x.shape != y.shape or x.dtype != y.dtype or y.dtype not in INEXACT or not y.size:
        return f": {x.dtype} of shape {x.shape}, not {y.dtype}"
    with np.errstate(all="ignore"):
        return f" by up to {float(np.nanmax(np.abs(x - y))):.3g}"
