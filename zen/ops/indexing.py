"""Reading and writing parts of arrays by index: `x[key]` and `x[key] = v`.

Functions built on it stand in `selection.py`, views of memory in `views.py`.

A key is whatever NumPy takes between brackets, with Tensors replaced by arrays (`plain_key`). Basic keys (ints, slices,
None, Ellipsis) read views; keys with arrays or lists of bools or ints read copies, and may name an element repeatedly.
"""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np

from .. import backend
from ..backend import Shaped, Tensor, apply
from ..batched import ANYWHERE, Batched
from ..conversion import refuse_stripping
from ..dtypes import BOOLEAN, INTEGER, KERNELS
from .casting import LARGE, copied
from .register import ROWS, define
from .result_shapes import indexed, same
from .row import row


def plain_key(key: Any) -> tuple[Any, ...]:
    """`key` as a tuple, with Tensors replaced by their arrays (0-d integer ones by ints)."""
    return tuple([_plain(k) for k in key]) if type(key) is tuple else (_plain(key),)


def _plain(k: Any) -> Any:
    if isinstance(k, Tensor):
        k = k._array
        if k.ndim == 0 and k.dtype in INTEGER:
            return int(k)
    elif isinstance(k, np.integer):
        return int(k)
    elif isinstance(k, (list, tuple, range)):
        return np.asarray([_plain(part) for part in k], dtype=np.intp if len(k) == 0 else None)
    elif isinstance(k, np.ndarray) and type(k) is not np.ndarray:
        refuse_stripping(k)
        return np.asarray(k)
    elif isinstance(k, slice):
        return slice(*[None if end is None else _end(end) for end in (k.start, k.stop, k.step)])
    return k


def _end(end: Any) -> Any:
    """An end of a slice as an int, which nobody can change; what NumPy refuses is left for it to refuse."""
    try:
        return operator.index(end._array if isinstance(end, Tensor) else end)
    except TypeError:
        return end


def is_basic(key: tuple[Any, ...]) -> bool:
    """Whether NumPy answers a plain key with a view."""
    return all([k is None or k is Ellipsis or type(k) is int or isinstance(k, slice) for k in key])


def _once(key: Any) -> bool:
    """Whether the key names no element twice: basic keys and masks."""
    for k in key if type(key) is tuple else (key,):
        if not (k is None or k is Ellipsis or isinstance(k, (int, slice)) or np.asarray(k).dtype in BOOLEAN):
            return False
    return True


def _show(key: Any) -> str:
    """The key as the user may have written it."""

    def one(k: Any) -> str:
        if k is Ellipsis:
            return "..."
        if isinstance(k, slice):
            ends = ["" if end is None else str(end) for end in (k.start, k.stop, k.step)]
            return ":".join(ends if k.step is not None else ends[:2])
        if isinstance(k, np.ndarray):
            return f"<{k.dtype} array of shape {k.shape}>" if k.size > 8 or k.ndim > 1 else str(k.tolist())
        return repr(k)

    return f"[{', '.join([one(k) for k in key])}]" if type(key) is tuple else f"[{one(key)}]"


def _getitem(x: Any, key: Any) -> Any:
    try:
        return x[key]
    except (IndexError, TypeError) as error:
        shape = np.shape(x)
        raise IndexError(f"getitem: index {_show(key)} does not fit shape {shape}: {error}") from None


def _setitem(x: Any, v: Any, key: Any) -> Any:
    out = copied(np.asarray(x))
    try:
        out[key] = v
    except IndexError as error:
        raise IndexError(f"setitem: index {_show(key)} does not fit shape {out.shape}: {error}") from None
    except ValueError:
        raise ValueError(
            f"setitem: a value of shape {np.shape(v)} does not broadcast to the shape {out[key].shape} "
            f"that {_show(key)} selects"
        ) from None
    return out


def zeros(shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    """Zeros in memory that the engine keeps for results: new memory would cost a page fault for every 4 KiB."""
    if dtype not in KERNELS or math.prod(shape) < LARGE:
        return np.zeros(shape, dtype)
    out: np.ndarray = backend.kernels.memory.empty(shape, dtype)
    out.fill(0)
    return out


def _scatter(v: Any, shape: tuple[int, ...], key: Any) -> Any:
    """Zeros of `shape` with v added at `key`; an element named twice gets both parts."""
    out = zeros(shape, v.dtype)
    if _once(key):
        out[key] = v
        return out
    if v.size == 0:
        return out
    parts = np.asarray(v)
    if _is_row_numbers(key):
        _add_rows(out.reshape(len(out), -1), backend.kernels.places.positions(key[0], len(out)), parts)
    else:  # flat positions make one 1-d addition of any mixture of indices
        positions = np.asarray(np.arange(out.size).reshape(shape)[key])  # a scalar where every index is one
        _add_rows(out.reshape(-1, 1), positions, parts)
    return out


def _is_row_numbers(key: Any) -> bool:
    return len(key) == 1 and isinstance(key[0], np.ndarray) and key[0].dtype in INTEGER


def _add_rows(out: np.ndarray, rows: np.ndarray, parts: np.ndarray) -> None:
    if out.dtype in KERNELS:
        backend.kernels.lines.scatter_add_rows(out, rows, parts)
    elif out.dtype == np.float16:
        wide = np.zeros(out.shape, np.float32)
        backend.kernels.lines.scatter_add_rows(wide, rows, parts.astype(np.float32))
        out += wide.astype(np.float16)
    else:
        np.add.at(out, rows.reshape(-1), parts.reshape(rows.size, -1))


def _written(f: Any, g: Any, shape: tuple[int, ...], key: Any) -> Any:
    """The part of g that belongs to a value written at `key`; of writes to one element only the last has any."""
    part = f.getitem(g, key)
    if _once(key):
        return part
    order = np.arange(part.size).reshape(part.shape)
    last = np.zeros(shape, order.dtype)
    last[key] = order
    return f.where(last[key] == order, part, 0)


def _draws(rng: np.random.Generator) -> list[Any]:
    x, mask = rng.normal(size=(3, 4)), np.array([[True, False, True, True]] * 3)
    keys: list[Any] = [
        (1,), (slice(None, None, -2),), (Ellipsis, None, 2), (slice(3, 3),), (2, -1), (np.array([0, 2, 0]),),
        (np.array([0, 2]), slice(1, 3)), (np.array([[1, 1], [2, 0]]), np.array([0, -1])), (mask,),
        (slice(None), mask[0]), (np.array([], dtype=int),), (np.array([2, 1]), None, np.array([1, 1])),
    ]  # fmt: skip
    return [((x if n % 2 else x.T.copy().T,), (key,)) for n, key in enumerate(keys)] + [
        ((rng.normal(size=()),), ((),)), ((np.zeros((0, 2)),), ((slice(None), 1),)),
    ]  # fmt: skip


def _write_draws(rng: np.random.Generator) -> list[Any]:
    found = []
    for (x,), (key,) in _draws(rng):
        shape = x[key].shape
        found.append(((x, rng.normal(size=shape)), (key,)))
        if shape:
            found.append(((x, rng.normal(size=shape[-1:])), (key,)))
    return found


GETITEM = define(row(
    "getitem", "x", _getitem, ["scatter(g, x.shape, key)"],
    params="key", keys="key", linear="x", view=True, domain=_draws,
    shape=indexed, complex=True, doc="x[key].",
))  # fmt: skip
SCATTER = define(row(
    "scatter", "v", _scatter, ["getitem(g, key)"], params="shape key", shapes="shape", keys="key", linear="v",
    shape=lambda v, shape, key: Shaped(shape, v.dtype),
    domain=lambda rng: [((rng.normal(size=x[key].shape),), (x.shape, key)) for (x,), (key,) in _draws(rng)],
    complex=True, doc="Zeros with values added at a key: the transpose of x[key].",
))  # fmt: skip
SETITEM = define(row(
    "setitem", "x v", _setitem, ["setitem(g, 0, key)", "written(g, x.shape, key)"], params="key", keys="key",
    linear="x v", together=True, uses={"written": _written},
    shape=same, domain=_write_draws, complex=True, doc="A copy of x with x[key] = v.",
))  # fmt: skip


def getitem(x: Any, key: Any) -> Tensor:
    """`x[key]`: the engine calls it for every key it does not handle itself.

    key: ints, slices, None, Ellipsis, boolean masks, arrays, lists or Tensors of ints, and mixtures, as in NumPy.
    Raises IndexError naming the index and the shape.
    """
    key = plain_key(key)
    if ANYWHERE and any([type(k) is Batched for k in key]):
        return _for_examples(x, key)  # type: ignore[no-any-return]
    return apply(GETITEM, (x,), (key,))  # type: ignore[no-any-return]


def _for_examples(x: Any, key: tuple[Any, ...]) -> Any:
    """`x[key]` where the key differs by example, and x may be the same for all."""
    level = max([k.level for k in key if type(k) is Batched], key=lambda level: level.depth)
    if len(key) == 1 and isinstance(key[0].examples, Tensor) and key[0].dtype in INTEGER:
        return Batched(apply(GETITEM, (x,), ((key[0].examples._array,),)), level)
    repeated = apply(ROWS["broadcast_to"], (x,), ((level.size, *x.shape),))
    return apply(GETITEM, (Batched(repeated, level),), (key,))


def along_axis(shape: tuple[int, ...], indices: np.ndarray, axis: int) -> tuple[Any, ...]:
    """The key that reads `indices` along an axis and every position along the others."""
    key: list[Any] = []
    for k, n in enumerate(shape):
        key.append(indices if k == axis else np.arange(n).reshape((1,) * k + (n,) + (1,) * (len(shape) - k - 1)))
    return tuple(key)
