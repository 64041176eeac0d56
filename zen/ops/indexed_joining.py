"""`zen.r_` and `zen.c_`: arrays, numbers and ranges joined between brackets, as NumPy's, differentiable in Tensors."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..backend import Tensor
from .building import linspace
from .casting import astype
from .joining import concat
from .operands import operand, raw
from .shape import permute_dims, reshape, swapaxes

_SCALARS = (int, float, complex, bool, np.generic)


class _Joiner:
    """Joins what stands between the brackets along an axis, each part with `ndmin` dimensions at least.

    A slice is a range, `start:stop:step`, or with an imaginary step so many numbers evenly apart, both ends included.
    A string "axis", "axis,ndmin" or "axis,ndmin,trans1d" in the first place says what else is meant: trans1d is where
    the axes of parts with fewer dimensions come to stand.
    """

    def __init__(self, axis: int, ndmin: int, trans1d: int, doc: str) -> None:
        self._defaults = axis, ndmin, trans1d
        self.__doc__ = doc

    def __getitem__(self, key: Any) -> Tensor:
        parts = key if isinstance(key, tuple) else (key,)
        axis, ndmin, trans1d = self._defaults
        if parts and isinstance(parts[0], str):
            axis, ndmin, trans1d = _directive(parts[0], *self._defaults)
            parts = parts[1:]
        if not parts:
            raise ValueError("zen.r_ and zen.c_: there is nothing to join")
        found = [x if isinstance(x, _SCALARS) else _part(x, ndmin, trans1d) for x in parts]
        dtype = np.result_type(*[x if isinstance(x, _SCALARS) else x.dtype for x in found])
        made: Tensor = concat([_lifted(astype(operand("concat", x), dtype, copy=False), ndmin) for x in found], axis)
        return made

    def __len__(self) -> int:
        return 0


def _directive(text: str, axis: int, ndmin: int, trans1d: int) -> tuple[int, int, int]:
    try:
        given = [int(n) for n in text.split(",")]
        if len(given) > 3:
            raise ValueError
    except ValueError:
        raise ValueError(f"zen.r_ and zen.c_: {text!r} is not 'axis', 'axis,ndmin' or 'axis,ndmin,trans1d'") from None
    defaults = [axis, ndmin, trans1d]
    axis, ndmin, trans1d = given + defaults[len(given) :]
    return axis, ndmin, trans1d


def _part(x: Any, ndmin: int, trans1d: int) -> Any:
    if isinstance(x, str):
        raise ValueError(f"zen.r_ and zen.c_: {x!r} must stand in the first place")
    if isinstance(x, slice):
        made = _lifted(_range(x), ndmin)
        return swapaxes(made, -1, trans1d) if ndmin > 1 and trans1d != -1 else made
    x = operand("concat", x)
    made, added = _lifted(x, ndmin), ndmin - x.ndim
    if trans1d == -1 or added <= 0:
        return made
    first = trans1d + added + 1 if trans1d < 0 else trans1d
    axes = list(range(ndmin))
    return permute_dims(made, axes[:first] + axes[added:] + axes[first:added])


def _range(s: slice) -> Any:
    start, step = 0 if s.start is None else s.start, 1 if s.step is None else s.step
    if isinstance(step, complex):
        return linspace(start, s.stop, int(abs(step)))
    ends = [np.asarray(raw(x)).item() for x in (start, s.stop, step)]
    if not any([isinstance(x, Tensor) for x in (start, s.stop, step)]):
        return np.arange(*ends)
    count = max(0, math.ceil((ends[1] - ends[0]) / ends[2]))
    return start + step * np.arange(count)


def _lifted(x: Any, ndmin: int) -> Any:
    return reshape(x, (1,) * (ndmin - x.ndim) + x.shape) if x.ndim < ndmin else x


r_ = _Joiner(0, 1, -1, "Arrays, numbers and ranges joined along the first axis: `zen.r_[x, 0.0, 1:4]`.")
c_ = _Joiner(-1, 2, 0, "Arrays joined along the last axis, vectors as columns: `zen.c_[x, y]`.")
