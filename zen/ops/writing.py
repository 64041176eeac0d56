"""NumPy's functions that write into an array, on Tensors: `put`, `place`, `putmask`, `copyto`, `fill_diagonal` and
`put_along_axis`.

Each is an assignment `t[key] = v`: recorded, differentiable in the old and the new values, and seen by every view of
the memory. Nothing is changed before the arguments are known to fit. They return None, as NumPy's do.
"""

from __future__ import annotations

from typing import Any, Never

import numpy as np

from ..backend import Tensor
from ..batched import Batched
from ..dtypes import BOOLEAN, INTEGER
from .arguments import refuse
from .axes import one_axis
from .casting import converted
from .errors import reworded
from .indexing import along_axis
from .operands import operand, raw, whole
from .register import public
from .selection import within
from .shape import broadcast_to, ravel, reshape


def _target(name: str, t: Any) -> Any:
    if not isinstance(t, (Tensor, Batched)):
        raise TypeError(
            f"{name}: writes into a Tensor, not into {type(t).__name__}; an array cannot take a Tensor that requires a "
            "gradient: make a Tensor of it with zen.tensor"
        )
    return t


def _value(name: str, v: Any, t: Tensor, casting: Any = "unsafe") -> Any:
    """A value in the dtype of t. Python numbers take it as they do in an assignment."""
    v = operand(name, v)
    if not np.can_cast(v.dtype, t.dtype, casting):
        raise TypeError(f"{name}: dtype {v.dtype} does not convert to {t.dtype} with casting={casting!r}")
    return converted(name, v, t.dtype)


def _at(t: Tensor, flat: np.ndarray) -> tuple[Any, ...]:
    """The key of these positions in the flattened Tensor."""
    return np.unravel_index(flat, t.shape) if t.ndim else ()


def _repeated(v: Any, n: int) -> Any:
    """The elements of v, flattened, over and over again until there are n."""
    v = ravel(v)
    return v[:n] if v.shape[0] >= n else v[np.arange(n) % v.shape[0]]


def _assign(name: str, t: Tensor, key: Any, v: Any) -> None:
    try:
        t[key] = v
    except (IndexError, RuntimeError, TypeError, ValueError) as error:
        raise reworded(error, str(error).replace("setitem", name, 1)) from None


def _write(name: str, t: Tensor, flat: np.ndarray, v: Any) -> None:
    if flat.size:
        _assign(name, t, _at(t, flat), v if t.ndim else reshape(v[-1:], ()))


@public()
def put(a: Any, ind: Any, v: Any, mode: str = "raise") -> None:
    """Write `v` to the positions `ind` of the flattened Tensor, over and over again if it is shorter.

    mode: for positions out of range, "raise" (IndexError), "wrap" or "clip". Of several values for one position the
    last counts.

    >>> t = zen.zeros(3)
    >>> zen.f.put(t, [0, -1], [1.0, 2.0])
    >>> t.tolist()
    [1.0, 0.0, 2.0]
    """
    t, at = _target("put", a), np.asarray(raw(operand("put", ind))).reshape(-1)
    if at.size and at.dtype not in INTEGER:
        raise TypeError(f"put: positions are ints, not of dtype {at.dtype}")
    at, value = within("put", at.astype(np.intp), t.size, mode), ravel(_value("put", v, t))
    if not value.size or not at.size:
        return
    wrong = at[(at < -t.size) | (at >= t.size)]
    if wrong.size:
        raise IndexError(f"put: position {wrong[0]} is out of range for {t.size} elements of shape {t.shape}")
    _write("put", t, at % t.size, _repeated(value, at.size))


@public(method=None)
def place(arr: Any, mask: Any, vals: Any) -> None:
    """Write the first values of `vals`, over and over again if there are too few, where the mask holds.

    mask: of the size of arr. Raises ValueError for another size and for no values.

    >>> t = zen.zeros(3)
    >>> zen.f.place(t, [True, False, True], [1.0, 2.0])
    >>> t.tolist()
    [1.0, 0.0, 2.0]
    """
    t, at = _target("place", arr), _flat_mask("place", arr, mask)
    value = ravel(_value("place", vals, t))
    if at.size and not value.size:
        raise ValueError("place: there are no values to write")
    _write("place", t, at, _repeated(value, at.size) if at.size else value)


def _flat_mask(name: str, t: Any, mask: Any) -> np.ndarray:
    mask = np.asarray(raw(operand(name, mask)), bool)
    if mask.size != t.size:
        raise ValueError(f"{name}: the mask of shape {mask.shape} and the Tensor of shape {t.shape} differ in size")
    return np.flatnonzero(mask)


@public(method=None)
def putmask(a: Any, mask: Any, values: Any) -> None:
    """Write `values[k]` to element k of the flattened Tensor where the mask holds; the values are repeated to its size.

    >>> t = zen.zeros(4)
    >>> zen.f.putmask(t, [True, True, True, False], [1.0, 2.0])
    >>> t.tolist()
    [1.0, 2.0, 1.0, 0.0]
    """
    t, at = _target("putmask", a), _flat_mask("putmask", a, mask)
    value = ravel(_value("putmask", values, t))
    if value.size and at.size:
        _write("putmask", t, at, value[at % value.shape[0]])


@public(method=None)
def copyto(dst: Any, src: Any, casting: str = "same_kind", where: Any = True) -> None:
    """Write `src`, which broadcasts to the Tensor, into it; where the mask holds, if there is one.

    Raises TypeError for dtypes that `casting` does not allow, ValueError for shapes that do not broadcast.

    >>> t = zen.zeros(3)
    >>> zen.f.copyto(t, [1.0, 2.0, 3.0], where=[True, False, True])
    >>> t.tolist()
    [1.0, 0.0, 3.0]
    """
    t = _target("copyto", dst)
    value = _value("copyto", np.asarray(src, t.dtype) if type(src) in (int, float, bool) else src, t, casting)
    if where is True:
        _assign("copyto", t, ..., value)
        return
    mask = np.asarray(raw(operand("copyto", where)))
    if mask.dtype not in BOOLEAN:
        raise TypeError(f"copyto: where= is a mask of bools, not of dtype {mask.dtype}")
    mask = np.array(np.broadcast_to(mask, t.shape))
    _assign("copyto", t, mask, broadcast_to(value, t.shape)[mask])


@public(method=None)
def fill_diagonal(a: Any, val: Any, wrap: bool = False) -> None:
    """Write `val`, over and over again if it is shorter, on the main diagonal.

    a: a Tensor of at least two dimensions, of equal lengths if there are more than two. wrap: begin again after a row
    left free, in a matrix that is taller than wide. Raises ValueError for other shapes.

    >>> t = zen.zeros((2, 2))
    >>> zen.f.fill_diagonal(t, 3.0)
    >>> t.tolist()
    [[3.0, 0.0], [0.0, 3.0]]
    """
    t = _target("fill_diagonal", a)
    if t.ndim < 2 or (t.ndim > 2 and len(set(t.shape)) > 1):
        raise ValueError(f"fill_diagonal: at least two dimensions, more than two of equal length, not shape {t.shape}")
    step = 1 + int(np.cumprod(t.shape[:-1]).sum()) if t.ndim > 2 else t.shape[1] + 1
    end = t.shape[1] * t.shape[1] if t.ndim == 2 and not wrap else t.size
    at = np.arange(0, min(end, t.size), step)
    value = ravel(_value("fill_diagonal", val, t))
    if at.size:
        if not value.size:
            raise ValueError("fill_diagonal: there are no values to write")
        _write("fill_diagonal", t, at, _repeated(value, at.size))


@public(method=None)
def put_along_axis(arr: Any, indices: Any, values: Any, axis: int | None = -1, **unknown: Never) -> None:
    """Write `values` to the positions `indices` along `axis`: the counterpart of `take_along_axis`.

    axis: None for the flattened Tensor. Raises ValueError for indices of another number of dimensions, IndexError for
    one out of range, AxisError for an axis out of range.

    >>> t = zen.zeros((2, 2))
    >>> zen.f.put_along_axis(t, [[1], [0]], 5.0, axis=1)
    >>> t.tolist()
    [[0.0, 5.0], [5.0, 0.0]]
    """
    if unknown:
        refuse(put_along_axis, unknown)
    t, at = _target("put_along_axis", arr), np.asarray(raw(operand("put_along_axis", indices)))
    if at.dtype not in INTEGER:
        raise IndexError(f"put_along_axis: indices must be ints, not of dtype {at.dtype}")
    if axis is None:
        if at.ndim != 1:
            raise ValueError(f"put_along_axis: for the flattened Tensor indices are a vector, not of shape {at.shape}")
        wrong = at[(at < -t.size) | (at >= t.size)]
        if wrong.size:
            raise IndexError(f"put_along_axis: index {wrong[0]} is out of range for {t.size} elements")
        _write("put_along_axis", t, at % t.size, broadcast_to(_value("put_along_axis", values, t), at.shape))
        return
    k = one_axis("put_along_axis", whole("put_along_axis", "axis", axis), t.shape)
    if at.ndim != t.ndim:
        raise ValueError(f"put_along_axis: indices of shape {at.shape} and shape {t.shape} differ in dimensions")
    _assign("put_along_axis", t, along_axis(t.shape, at, k), _value("put_along_axis", values, t))
