"""Giving a gradient its input's shape and dtype: the one place where broadcasting is undone.

`conform` serves the passes on arrays, `conform_tensor` those that are themselves recorded; the latter apply three
rows of the engine's own, each the transpose of another, so they can be differentiated any number of times.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dtypes import COMPLEX, NUMBERS
from .recording import apply
from .rows import SHAPE, UNUSED, Row
from .state import Installed
from .tensor import Tensor, wrap


def unbroadcast(array: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Sum `array` over the axes along which `shape` was broadcast to make it."""
    if array.shape == shape:
        return array
    extra = array.ndim - len(shape)
    if extra < 0 or any(n not in (1, m) for n, m in zip(shape, array.shape[max(extra, 0) :], strict=True)):
        raise ValueError(f"unbroadcast: shape {array.shape} does not come from broadcasting shape {tuple(shape)}")
    stretched = [extra + k for k, n in enumerate(shape) if n == 1 and array.shape[extra + k] != 1]
    return np.asarray(np.add.reduce(array, axis=(*range(extra), *stretched))).reshape(shape)


def conform(value: Any, shape: tuple[int, ...], dtype: np.dtype, name: str) -> np.ndarray:
    """The result of a vjp of row `name` as a gradient of this shape and dtype. A scalar fills the shape."""
    value = value._data if isinstance(value, Tensor) else np.asarray(value)
    if value.dtype not in NUMBERS:
        raise TypeError(f"{name}: the vjp gave a gradient of dtype {value.dtype}; expected {dtype}")
    if value.shape != shape:
        value = np.broadcast_to(value, shape) if _widens(value.shape, shape, name) else unbroadcast(value, shape)
    array: np.ndarray = _real(value, dtype).astype(dtype, copy=False)
    return array


def _real(value: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """`value`, of which a real `dtype` gets the real part: what a real input does to the loss."""
    return value.real if value.dtype in COMPLEX and dtype not in COMPLEX else value


def conform_tensor(value: Any, shape: tuple[int, ...], dtype: np.dtype, name: str) -> Tensor:
    """`conform` for the result of a vjp that ran on Tensors."""
    if not isinstance(value, Tensor):
        return wrap(conform(value, shape, dtype, name))
    if value.shape != shape:
        value = apply(_EXPAND if _widens(value.shape, shape, name) else _UNBROADCAST, (value,), (shape,))
    if value.dtype in COMPLEX and dtype not in COMPLEX:
        value = Installed.tensors.real(value)
    return value if value.dtype == dtype else apply(_CAST, (value,), (dtype,))  # type: ignore[no-any-return]


def _widens(have: tuple[int, ...], want: tuple[int, ...], name: str) -> bool:
    """Whether `have` broadcasts to `want`; False if it is the other way round; raises if neither."""
    try:
        both = np.broadcast_shapes(have, want)
    except ValueError:
        both = ()
    if both == want:
        return True
    if both == have:
        return False
    raise RuntimeError(f"{name}: its vjp gave a gradient of shape {have} for an argument of shape {want}")


def _row(name: str, forward: Any, transpose: Any) -> Row:
    """A linear row of one argument and one parameter; `transpose(g, x)` is its vjp, on arrays and on Tensors."""

    def vjp(f: Any, g: Any, x: Any, y: Any, parameter: Any) -> Any:
        return transpose(g, x)

    return Row(name, 1, forward, lambda: ((vjp,), ((SHAPE, UNUSED),)))


def _to(row_name: str) -> Any:
    def transpose(g: Any, x: Any) -> Any:
        parameter = x.dtype if row_name == "cast" else x.shape
        row = {"cast": _CAST, "expand": _EXPAND, "unbroadcast": _UNBROADCAST}[row_name]
        return row.forward(g, parameter) if isinstance(g, (np.ndarray, np.generic)) else apply(row, (g,), (parameter,))

    return transpose


_UNBROADCAST = _row("unbroadcast", unbroadcast, _to("expand"))
_EXPAND = _row("expand", lambda x, shape: np.broadcast_to(x, shape).copy(), _to("unbroadcast"))
_CAST = _row("cast", lambda x, dtype: _real(np.asarray(x), dtype).astype(dtype), _to("cast"))
