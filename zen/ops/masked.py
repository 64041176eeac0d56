"""Reductions with NumPy's `initial=` and `where=`: from a value to start with, over the elements that a mask chooses.

What the mask leaves out is replaced by a value that changes nothing before it is used, so its gradient is exactly zero,
whatever it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..backend import Tensor, apply
from ..dtypes import BOOLEAN, COMPLEX, DEFAULT, EXACT, accumulator, real
from .axes import count, reduced_axes, some_axes
from .casting import astype, converted
from .operands import operand, raw
from .pointwise import where as choose
from .register import ROWS

if TYPE_CHECKING:
    from ..typing import Axes

_NEUTRAL = {"sum": 0, "mean": 0, "prod": 1, "any": 0, "all": 1}
_JOINS = {"sum": "add", "prod": "multiply", "max": "maximum", "min": "minimum"}


def wanted(*options: Any) -> bool:
    """Whether one of the options says anything: NumPy's own default is an object of its own."""
    return any([not (x is None or x is np._NoValue or x is True) for x in options])


def reduction(
    name: str, x: Any, axis: Axes, keepdims: bool, dtype: Any = None, initial: Any = None, where: Any = None
) -> Any:
    """The row `name` over the elements where the mask holds, joined with `initial`.

    Raises ValueError where `max` or `min` has a mask but no initial value, or nothing to choose from, and for a mask
    that does not broadcast to x; TypeError for a mask that is no mask.
    """
    x = operand(name, x)
    if dtype is not None:
        x = astype(x, dtype, copy=False)
    axes = None if axis is None else reduced_axes(name, axis, x.shape)
    mask = _mask(name, where, x.shape)
    if initial is np._NoValue:
        initial = None
    if mask is not None:
        if name not in _NEUTRAL and initial is None:
            raise ValueError(f"{name}: where= may leave nothing over, which has no {name}; give initial= as well")
        x = choose(mask, x, _typed(name, _NEUTRAL.get(name, initial), x.dtype))
    if name == "mean":
        return _mean(x, axes, keepdims, mask)
    empty = name not in _NEUTRAL and count(x.shape, axes) == 0
    if empty and initial is None:
        raise ValueError(f"{name}: no elements along axis {axis} of shape {x.shape}; give initial=")
    found = apply(ROWS["sum" if empty else name], (x,), (axes, bool(keepdims)))
    if initial is not None:
        found = apply(ROWS["add" if empty else _JOINS[name]], (found, _typed(name, initial, found.dtype)))
    return found if dtype is None else astype(found, dtype, copy=False)


def _mask(name: str, where: Any, shape: tuple[int, ...]) -> np.ndarray | None:
    if not wanted(where):
        return None
    mask = np.asarray(raw(operand(name, where)))
    if mask.dtype not in BOOLEAN:
        raise TypeError(f"{name}: where= is a mask of bools, not of dtype {mask.dtype}")
    try:
        return np.broadcast_to(mask, shape)
    except ValueError:
        raise ValueError(f"{name}: where= of shape {mask.shape} does not broadcast to shape {shape}") from None


def _typed(name: str, value: Any, dtype: Any) -> Any:
    """A value to start with in the dtype of the result, as NumPy takes it."""
    return converted(name, value, dtype) if isinstance(value, Tensor) else np.array(value, dtype)


def _chosen(shape: tuple[int, ...], axes: Any, mask: np.ndarray | None, keepdims: bool) -> Any:
    return count(shape, axes) if mask is None else np.count_nonzero(mask, axis=axes, keepdims=keepdims)


def _wide(x: Any) -> Any:
    """x in the dtype in which NumPy takes a mean."""
    return astype(x, accumulator(x.dtype), copy=False)


def _over(found: Any, n: Any, dtype: Any) -> Any:
    """found / n in the dtype that a mean of `dtype` has."""
    found = apply(ROWS["divide"], (found, n if isinstance(n, float) else np.asarray(n, found.dtype)))
    return astype(found, DEFAULT if dtype in EXACT else dtype, copy=False)


def _mean(x: Any, axes: Any, keepdims: bool, mask: np.ndarray | None) -> Any:
    total = apply(ROWS["sum"], (_wide(x),), (axes, bool(keepdims)))
    return _over(total, _chosen(x.shape, axes, mask, bool(keepdims)), x.dtype)


def deviation(
    name: str, x: Any, axis: Axes, correction: float, keepdims: bool, dtype: Any, where: Any, mean: Any
) -> Any:
    """`var` or `std` with NumPy's `dtype=`, `where=` and `mean=`: the mean, kept as with keepdims, where it is known.

    Differentiable in the mean as well. Where a deviation is 0 the subgradient of `std` is 0.
    """
    x = operand(name, x)
    if dtype is not None:
        x = astype(x, dtype, copy=False)
    axes, mask, own = some_axes(name, axis, x.shape), _mask(name, where, x.shape), x.dtype
    x = _wide(x)
    if mean is None or mean is np._NoValue:
        mean = _mean(x if mask is None else choose(mask, x, x.dtype.type(0)), axes, True, mask)
    distance = apply(ROWS["subtract"], (x, _wide(operand(name, mean))))
    if mask is not None:
        distance = choose(mask, distance, distance.dtype.type(0))
    n = np.maximum(np.asarray(_chosen(x.shape, axes, mask, bool(keepdims))) - correction, 0)
    with np.errstate(all="ignore"):
        if name == "std":
            found = apply(ROWS["norm2"], (distance,), (axes, bool(keepdims)))
            return _over(found, np.sqrt(n), real(own))
        parts = [distance]
        if distance.dtype in COMPLEX:
            parts = [apply(ROWS[part], (distance,)) for part in ("real", "imag")]
        squares = [apply(ROWS["sum"], (apply(ROWS["square"], (x,)),), (axes, bool(keepdims))) for x in parts]
        return _over(apply(ROWS["add"], tuple(squares)) if len(squares) > 1 else squares[0], n, real(own))
