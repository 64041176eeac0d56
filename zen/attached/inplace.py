"""In-place writes to Tensors: `x[i] = v`, `x += y` and the methods whose names end in an underscore.

Installed into the engine as the hooks `setitem`, `inplace` and `resync`; what nobody outside can see the compiled
engine does itself (`_record_writes.pxi`). A write changes the memory and enters the log of writes. If it takes part in
a gradient it also gives the Tensor a new Node, as though a new value had been computed; the Nodes that other Tensors
hold stay as they are.

A view shares memory with its root (`base`). A write through a view is recorded on the root as a `write_view`, and the
root's version rises. Every view whose `synced` is behind that version is stale: `resync` derives its Node from the
root at its next use.

A write to memory that, besides the Tensor, only nodes use moves the Tensor to memory of its own first (`_Target`), so
that nothing that was saved is lost. Writes to small parts of a large Tensor do so while nodes hold no more than 16 MiB
of such copies; further ones land in place. Where a view, a detached Tensor or an ndarray of the user's must see the
write, it lands where they look. The log tells a later pass what a write in place spoilt.

Nothing is changed before the arguments are known to fit, so a failed write leaves the Tensor as it was.
"""

from __future__ import annotations

import weakref
from typing import Any

import numpy as np

from .. import backend, writes
from ..backend import Tensor
from ..conversion import convert
from ..dtypes import BOOLEAN, COMPLEX, DIFFERENTIABLE, FLOATING, INEXACT, NUMBERS, RANK
from ..ops import indexing, views
from ..ops.errors import reworded
from ..ops.register import ENGINE_ROWS as ROWS

_NAMES = {
    "add": "add_", "subtract": "sub_", "multiply": "mul_", "divide": "div_", "floor_divide": "floor_divide_",
    "remainder": "remainder_", "power": "pow_", "matmul": "matmul_", "bitwise_and": "and_", "bitwise_or": "or_",
    "bitwise_xor": "xor_", "bitwise_left_shift": "lshift_", "bitwise_right_shift": "rshift_",
}  # fmt: skip
_DIRECT: dict[str, np.ufunc] = {"add": np.add, "subtract": np.subtract, "multiply": np.multiply, "divide": np.divide}
_VALUE = 2  # in Row.needs: the formula reads the argument's value
_WHOLE = (Ellipsis,)
_SMALL = 4096  # bytes: a copy of so many costs less than recording the write
_WIDE = 64  # times the part that is written: a copy of the whole costs about as much as the write
_MOST = 1 << 24  # bytes of copies that writes to small parts of one large Tensor may leave with nodes


def setitem(t: Tensor, key: Any, value: Any) -> None:
    """`t[key] = value`, differentiable in the old values of t and in `value`."""
    _assign(t, key, value, "setitem")


def inplace(t: Tensor, row: Any, other: Any) -> Any:
    """`t += other` and its like; NotImplemented if `other` is not an operand."""
    if not isinstance(other, (Tensor, np.ndarray, np.generic, int, float, complex)):
        return NotImplemented
    name = _NAMES.get(row.name, row.name)
    return _update(t, row, (_operand(other, name),), name)


def resync(t: Tensor) -> None:
    """Derive the Node of a stale view from its root again."""
    root = t.base
    if root is None or t.synced == root.version:
        return
    version, geometry = root.version, views.geometry(t._array, root._array)
    # Recorded under no_grad too: a stale view is stale there as well.
    t.node = backend.call_recording(True, backend.record, ROWS["view_of"], (root,), geometry, t._array).node
    t.synced = version  # last: another thread that uses the view meanwhile must not take its node for a fresh one


def add_(self: Tensor, other: Any, *, alpha: float = 1) -> Tensor:
    """Add `alpha * other` in place. Returns the Tensor."""
    return _update(self, ROWS["add"], (_scaled(other, alpha, "add_"),), "add_")


def sub_(self: Tensor, other: Any, *, alpha: float = 1) -> Tensor:
    """Subtract `alpha * other` in place. Returns the Tensor."""
    return _update(self, ROWS["subtract"], (_scaled(other, alpha, "sub_"),), "sub_")


def mul_(self: Tensor, other: Any) -> Tensor:
    """Multiply by `other` in place. Returns the Tensor."""
    return _update(self, ROWS["multiply"], (_operand(other, "mul_"),), "mul_")


def div_(self: Tensor, other: Any) -> Tensor:
    """Divide by `other` in place. Returns the Tensor."""
    return _update(self, ROWS["divide"], (_operand(other, "div_"),), "div_")


def pow_(self: Tensor, other: Any) -> Tensor:
    """Raise to the power `other` in place. Returns the Tensor."""
    return _update(self, ROWS["power"], (_operand(other, "pow_"),), "pow_")


def clip_(self: Tensor, min: Any = None, max: Any = None) -> Tensor:
    """Limit to [min, max] in place; None leaves a side open. Returns the Tensor."""
    if min is None and max is None:
        raise ValueError("clip_: give min, max or both")
    limits = (-np.inf, np.inf) if self.dtype in FLOATING else _whole_range(self.dtype)
    low, high = (limits[0] if min is None else min), (limits[1] if max is None else max)
    return _update(self, ROWS["clip"], (_operand(low, "clip_"), _operand(high, "clip_")), "clip_")


def zero_(self: Tensor) -> Tensor:
    """Set every element to zero. Returns the Tensor."""
    return _assign(self, _WHOLE, False, "zero_")


def fill_(self: Tensor, value: Any) -> Tensor:
    """Set every element to `value`, a scalar or a Tensor of one element. Returns the Tensor."""
    value = _operand(value, "fill_")
    if np.ndim(value) != 0:
        raise ValueError(f"fill_: expected a scalar, got shape {value.shape}; copy_() takes arrays")
    return _assign(self, _WHOLE, value, "fill_")


def copy_(self: Tensor, source: Any) -> Tensor:
    """Copy `source`, broadcast, into the Tensor. Returns the Tensor."""
    return _assign(self, _WHOLE, source, "copy_")


METHODS = {f.__name__: f for f in (add_, sub_, mul_, div_, pow_, clip_, zero_, fill_, copy_)} | {"clamp_": clip_}


def _assign(t: Tensor, key: Any, value: Any, name: str) -> Tensor:
    value = _operand(value, name)
    if key is not _WHOLE:
        key = indexing.plain_key(key)
    sharers = backend.sharers(t)
    basic = indexing.is_basic(key)
    region = _region(t._array, key) if basic and key is not _WHOLE else t._array
    if basic and isinstance(value, Tensor) and _is_region(value, t, region):
        return t  # the last step of `x[i] += y`: Python stores the view it has just changed
    recorded = _check(t, (value,), name)
    data = value._array if isinstance(value, Tensor) else value
    if not _fits(data, t.dtype):
        raise TypeError(
            f"{name}: a value of dtype {getattr(data, 'dtype', type(data).__name__)} does not fit into a Tensor of "
            f"dtype {t.dtype}; convert one of them with astype"
        )
    target = _Target(t, sharers, region.nbytes if basic else np.size(data) * t.dtype.itemsize)
    if target.moved:
        region = _region(target.array, key) if basic and key is not _WHOLE else target.array
    with np.errstate(all="ignore"):
        try:
            region[... if basic else key] = data
        except ValueError as error:
            selected = region.shape if basic else region[key].shape
            raise ValueError(
                f"{name}: a value of shape {np.shape(data)} does not fit into the selected shape {selected}; "
                "it must broadcast to it"
            ) from error
        except OverflowError as error:
            raise OverflowError(f"{name}: {error}; convert the Tensor with astype first") from error
        except (IndexError, TypeError):
            _explain(region, key)
            raise
    value = backend.record(ROWS["setitem"], (t, value), (key,), target.array) if recorded else None
    target.written(region, name)
    if value is not None:
        _adopt(t, value)
    return t


def _region(array: np.ndarray, key: tuple[Any, ...]) -> np.ndarray:
    """The part of `array` that a basic key selects, as a view even of a single element."""
    try:
        part: np.ndarray = array[key if Ellipsis in key else (*key, Ellipsis)]
    except (IndexError, TypeError, ValueError):
        _explain(array, key)
        raise
    return part


def _explain(array: np.ndarray, key: tuple[Any, ...]) -> None:
    """Raise the error by which `x[key]` says what is wrong with the key."""
    ROWS["getitem"].forward(array, key)


def _update(t: Tensor, row: Any, others: tuple[Any, ...], name: str) -> Tensor:
    """Replace the values of t by row(t, *others)."""
    sharers = backend.sharers(t)
    recorded = _check(t, others, name)
    target = _Target(t, sharers, t._array.nbytes)
    inputs, keeps_result = _originals(t, row, others, target.moved) if recorded else (None, False)
    array = target.array
    operands = [x._array if isinstance(x, Tensor) else x for x in others]
    with np.errstate(all="ignore"):
        try:
            if row.name in _DIRECT:
                _DIRECT[row.name](array, *operands, out=array, casting="same_kind")
            else:
                result = np.asarray(row.forward(array, *operands))
                if result.shape != array.shape:
                    raise ValueError
                np.copyto(array, result, casting="same_kind")
        except ValueError as error:
            shapes = " and ".join(str(np.shape(x)) for x in operands)
            raise ValueError(
                f"{name}: a Tensor of shape {array.shape} cannot take the result with {shapes} in place"
                f"{_because(error)}; its shape cannot change, write x = {row.name}(x, ...) instead"
            ) from error
        except OverflowError as error:
            raise OverflowError(f"{name}: {error}; convert the Tensor with astype first") from error
        except TypeError as error:
            kinds = " and ".join(str(getattr(x, "dtype", type(x).__name__)) for x in operands)
            raise TypeError(
                f"{name}: a Tensor of dtype {array.dtype} cannot take the result with {kinds} in place; "
                f"convert it with astype first, or write x = {row.name}(x, ...)"
            ) from error
    # A row that saves its result gets a copy: t may be shared by then, and the next write to it spoil the saved value.
    value = None
    if inputs is not None:
        value = backend.record(row, inputs, (), array.copy() if keeps_result else array)
    target.written(array, name)
    if value is not None:
        _adopt(t, value)
    return t


_NODES, _OTHERS = 1, 2  # what `backend.sharers` says


class _Target:
    """Where a write to t goes: into its own memory, or (`moved`) into a copy that then takes the place of that."""

    def __init__(self, t: Tensor, sharers: int, nbytes: int) -> None:
        self.t, self.root = t, t if t.base is None else t.base
        self.array: np.ndarray = t._array
        self.shared = sharers == _OTHERS
        self.moved = sharers == _NODES and self._may_move(nbytes)
        if self.moved:
            self.memory = self.root._array.copy(order="K")
            self.array = self.memory if t is self.root else self._same_part()
        else:
            self.seq = backend.next_seq()
            if self.shared:
                backend.settle(self.array)

    def _may_move(self, nbytes: int) -> bool:
        """Whether a copy of the whole is worth it for a write of `nbytes`. Loops over a large Tensor stay linear."""
        whole = self.root._array
        if self.t is not self.root and not whole.flags.forc:
            return False  # a copy would have other strides
        if whole.nbytes > max(_SMALL, _WIDE * nbytes):
            return _left.add(self.root, whole)
        return True

    def _same_part(self) -> np.ndarray:
        """The part of the copy that t is of its root."""
        memory = self.memory if self.memory.flags.c_contiguous else self.memory.T
        offset, shape, strides, *_ = views.geometry(self.t._array, self.root._array)
        return np.ndarray(shape, self.array.dtype, memory, offset, strides)

    def written(self, region: np.ndarray, name: str) -> None:
        """The write to `region` is done."""
        if self.moved:
            self.root.set_array(self.memory)
            if self.t is not self.root:
                self.t.set_array(self.array)
            return
        note(region, self.seq, name)
        if self.shared:
            backend.renew(region)


class _Left:
    """The memory that Tensors have moved away from and that nodes still hold: so many bytes for each."""

    def __init__(self) -> None:
        self.found: dict[int, tuple[Any, Any, int]] = {}  # id of a Tensor -> it, the newest of its arrays, bytes

    def add(self, t: Tensor, array: np.ndarray) -> bool:
        """Count `array`, which t is to leave; False where that would be too much."""
        key = id(t)
        owner, newest, nbytes = self.found.get(key, (None, None, 0))
        if owner is None or owner() is not t or newest() is None:  # what was computed with it is gone
            nbytes = 0
        if nbytes >= _MOST:
            return False
        held = weakref.ref(array, lambda ref: self.forget(key, ref))
        self.found[key] = weakref.ref(t), held, nbytes + array.nbytes
        return True

    def forget(self, key: int, ref: Any) -> None:
        entry = self.found.get(key)
        if entry is not None and entry[1] is ref:
            self.found.pop(key, None)


_left = _Left()


def _because(error: ValueError) -> str:
    text = str(error)
    return "" if not text or "broadcast" in text else f" ({text})"


def _check(t: Tensor, others: tuple[Any, ...], name: str) -> bool:
    """Raise if t must not be written to; otherwise tell whether the write is recorded."""
    array = t._array
    if not array.flags.writeable or (0 in array.strides and array.size > 1 and _repeats(array)):
        raise ValueError(
            f"{name}: the memory of this Tensor is read-only or shared by several elements; clone() it first"
        )
    if not backend.grad_enabled():
        return False
    root = t if t.base is None else t.base
    if root.requires_grad and root.is_leaf:
        what = "a leaf that requires a gradient" if root is t else "a view of a leaf that requires a gradient"
        raise RuntimeError(
            f"{name}: {what} cannot be changed in place while operations are recorded; "
            "write under zen.no_grad(), or clone() it first"
        )
    incoming = any(isinstance(x, Tensor) and x.requires_grad for x in others)
    if incoming and t.dtype not in DIFFERENTIABLE:
        raise TypeError(
            f"{name}: a Tensor of dtype {t.dtype} has no gradients, so it cannot take a value that requires one; "
            "detach() the value or convert the Tensor with astype"
        )
    if t is not root and root.requires_grad and t.node is None:
        t.synced = -1  # a view made under no_grad; the write must reach the root's graph all the same
        resync(t)
    return bool(incoming or root.requires_grad)


def _repeats(array: np.ndarray) -> bool:
    return any(n > 1 and s == 0 for n, s in zip(array.shape, array.strides, strict=True))


def _originals(t: Tensor, row: Any, others: tuple[Any, ...], moved: bool) -> tuple[tuple[Any, ...], bool]:
    """The inputs to record, copies of those whose saved value the write is about to change; whether y is saved."""
    inputs = (t, *others)
    asked = [isinstance(x, Tensor) and x.requires_grad for x in inputs]
    kept = [False] * (len(inputs) + 1)
    for needs, wanted in zip(row.needs, asked, strict=True):
        if wanted and needs is not None:
            kept = [k or need == _VALUE for k, need in zip(kept, needs, strict=True)]
    *values, result = kept
    return tuple(
        [
            _copy(x) if keep and not moved and (x is t or _overlaps(x, t)) else x
            for x, keep in zip(inputs, values, strict=True)
        ]
    ), result


def _copy(x: Any) -> Any:
    return backend.wrap(x._array.copy(), x.node) if isinstance(x, Tensor) else x.copy()


def _overlaps(x: Any, t: Tensor) -> bool:
    array = x._array if isinstance(x, Tensor) else x
    return isinstance(array, np.ndarray) and np.may_share_memory(array, t._array)


def note(array: np.ndarray, seq: int, name: str) -> None:
    """Enter into the log that `name` wrote to `array` at `seq`."""
    writes.note(array, seq, name)
    backend.note_write(seq)


def _adopt(t: Tensor, value: Tensor) -> None:
    """Make the recorded `value`, which lives in the memory of t, the value of t."""
    root = t.base
    if root is None:
        root = t
    else:
        value = backend.record(ROWS["write_view"], (root, value), views.geometry(t._array, root._array), root._array)
    root.node = value.node
    root.version += 1  # views, t among them, derive their node anew when next used


def _address(array: np.ndarray) -> int:
    address: int = array.__array_interface__["data"][0]
    return address


def _is_region(value: Tensor, t: Tensor, region: np.ndarray) -> bool:
    """Whether `value` is, by memory, the part of t that is about to be written."""
    root = t if t.base is None else t.base
    array = value._array
    return (
        (value is t or value is root or value.base is root)
        and value.requires_grad == root.requires_grad  # not a constant: that cuts the gradient off
        and array.shape == region.shape
        and array.strides == region.strides
        and array.dtype == region.dtype
        and _address(array) == _address(region)
    )


def _whole_range(dtype: np.dtype) -> tuple[int, int]:
    if dtype in BOOLEAN:
        raise TypeError("clip_: a bool Tensor has no order; convert it with astype first")
    return int(np.iinfo(dtype).min), int(np.iinfo(dtype).max)


def _fits(value: Any, dtype: np.dtype) -> bool:
    """Whether an array of this dtype can take `value` without a change of kind; masks take 0 and 1 as well."""
    if isinstance(value, (np.ndarray, np.generic)):
        return RANK[value.dtype] <= RANK[dtype]
    if isinstance(value, int):
        return dtype not in BOOLEAN or value in (0, 1)
    return dtype in COMPLEX if isinstance(value, complex) else dtype in INEXACT


def _scaled(value: Any, alpha: Any, name: str) -> Any:
    value = _operand(value, name)
    return value if isinstance(alpha, (int, float)) and alpha == 1 else alpha * value


def _operand(value: Any, name: str) -> Any:
    """`value` as an operand: Tensors, arrays and scalars as they are, anything else converted."""
    if isinstance(value, (Tensor, int, float, complex)):
        return value
    if (type(value) is np.ndarray or isinstance(value, np.generic)) and value.dtype in NUMBERS:
        return value
    try:
        return convert(value)
    except (TypeError, ValueError) as error:
        raise reworded(error, f"{name}: {error}") from None
