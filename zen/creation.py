"""Making Tensors: from data, filled with a constant, as ranges.

The results are leaves. dtype defaults to NumPy's choice for data and to float64 elsewhere.
"""

from __future__ import annotations

import math
import operator
import sys
from typing import TYPE_CHECKING, Any

import numpy as np

from . import backend
from .backend import Tensor
from .conversion import convert, refuse_gradient, supported
from .ops.nesting import nested
from .ops.operands import describe, holds_gradients, refuse_stripping
from .ops.shape import broadcast_to

if TYPE_CHECKING:
    from numpy.typing import DTypeLike

    from .typing import ArrayLike, Ints, Operand

float16, float32, float64 = (np.dtype(name) for name in ("float16", "float32", "float64"))
int8, int16, int32, int64 = (np.dtype(name) for name in ("int8", "int16", "int32", "int64"))
uint8, uint16, uint32, uint64 = (np.dtype(name) for name in ("uint8", "uint16", "uint32", "uint64"))
bool_ = np.dtype("bool")


def tensor(data: ArrayLike, dtype: DTypeLike | None = None, requires_grad: bool = False) -> Tensor:
    """A Tensor with a copy of `data`: numbers, nested sequences, ndarrays, or whatever offers __array__ or DLPack.

    It is a leaf, unless nested sequences hold Tensors that require a gradient: then it stays connected with them, as
    in `asarray`, where PyTorch's `tensor` would cut them off. RuntimeError for a single Tensor that requires one, and
    for `requires_grad=True` beside such data: whether a leaf or a connected copy is meant has to be said. Raises
    TypeError for a dtype without meaning here (complex, strings, objects) and for `requires_grad` with an integer or
    bool dtype, ValueError for ragged sequences.

    >>> import zen
    >>> zen.tensor([1.0, 2.0], dtype=zen.float32)
    Tensor([1., 2.], dtype=float32)
    """
    if isinstance(data, Tensor) and data.requires_grad:
        raise RuntimeError(
            "tensor() of a Tensor that requires a gradient: write t.clone() for a copy that keeps the gradient, "
            "zen.tensor(t.detach().numpy()) for a new leaf without it"
        )
    if holds_gradients(data):
        if requires_grad:
            raise RuntimeError(
                "tensor: requires_grad=True makes a leaf, which would cut off the Tensors in the data that require a "
                "gradient; leave it out to stay connected with them, or detach() them first"
            )
        return asarray(data, dtype)
    array = convert(data, dtype)
    if not isinstance(data, (list, tuple, int, float)):  # those made a new array
        array = array.copy()
    return backend.leaf(array, requires_grad)


def connected(data: Any, trainable: bool) -> Tensor | None:
    """What `Tensor(data)` is made of, if data holds Tensors that require a gradient in nested sequences, else None."""
    if not holds_gradients(data):
        return None
    if not trainable:
        raise RuntimeError(
            "Tensor: trainable=False would cut off the Tensors in the data that require a gradient; "
            "leave it out to stay connected with them, or detach() them first"
        )
    return nested(data)


def asarray(data: ArrayLike, dtype: DTypeLike | None = None, copy: bool | None = None) -> Tensor:
    """`data` as a Tensor. A Tensor of that dtype is returned itself, with its graph; memory is shared where possible.

    Nested sequences may hold Tensors, of any shapes that NumPy would nest: `zen.asarray([[c, -s], [s, c]])` is
    differentiable in c and s. dtypes promote as NumPy's do, where a Python float among arrays counts as float64.
    copy=True always copies (a Tensor is cloned, differentiably); copy=False raises ValueError where a copy is needed.
    """
    if isinstance(data, Tensor):
        if dtype is None or supported(dtype) == data.dtype:
            return data.clone() if copy else data
        if copy is False:
            raise ValueError(f"asarray: dtype {data.dtype} cannot become {np.dtype(dtype)} without a copy")
        cast: Tensor = data.astype(supported(dtype))
        return cast
    if holds_gradients(data):
        if copy is False:
            raise ValueError(f"asarray: {describe(data)} cannot become a Tensor without a copy")
        return asarray(nested(data), dtype)
    array = convert(data, dtype)
    shares = array is data or array.base is not None
    if copy is False and not shares:
        raise ValueError(f"asarray: {type(data).__name__} cannot become a Tensor of dtype {array.dtype} without a copy")
    if not shares:
        return backend.leaf(array, False)
    return backend.leaf(array.copy() if copy else backend.borrow(array), False)


def from_numpy(array: np.ndarray) -> Tensor:
    """A Tensor that shares the memory of an ndarray; TypeError for anything else and for dtypes it cannot share."""
    if not isinstance(array, np.ndarray):
        raise TypeError(f"from_numpy: expected an ndarray, not {type(array).__name__}; zen.tensor() converts")
    converted = convert(array)
    if not array.dtype.isnative:
        raise TypeError(f"from_numpy: byte order of dtype {array.dtype} is not this machine's; zen.tensor() converts")
    return backend.leaf(backend.borrow(converted), False)


def from_dlpack(source: Any) -> Tensor:
    """A Tensor that shares the memory of any object with `__dlpack__` on the CPU."""
    if isinstance(source, Tensor):
        return source
    if not hasattr(source, "__dlpack__"):
        raise TypeError(f"from_dlpack: {type(source).__name__} does not offer __dlpack__; zen.tensor() converts")
    refuse_stripping(source)
    return backend.leaf(backend.borrow(convert(np.from_dlpack(source))), False)


def zeros(shape: Ints, dtype: DTypeLike = float64, requires_grad: bool = False) -> Tensor:
    """A Tensor of zeros."""
    return backend.leaf(np.zeros(*shape_of("zeros", shape, dtype)), requires_grad)


def ones(shape: Ints, dtype: DTypeLike = float64, requires_grad: bool = False) -> Tensor:
    """A Tensor of ones."""
    return backend.leaf(np.ones(*shape_of("ones", shape, dtype)), requires_grad)


def empty(shape: Ints, dtype: DTypeLike = float64, requires_grad: bool = False) -> Tensor:
    """A Tensor whose values are not set."""
    return backend.leaf(np.empty(*shape_of("empty", shape, dtype)), requires_grad)


def full(shape: Ints, fill_value: ArrayLike, dtype: DTypeLike | None = None, requires_grad: bool = False) -> Tensor:
    """A Tensor filled with `fill_value`, a scalar or an array that broadcasts to the shape; differentiable in a Tensor.

    Raises ValueError for a value that does not broadcast, RuntimeError for `requires_grad=True`, which asks for a leaf,
    beside a value that requires a gradient.
    """
    fill = asarray(fill_value, dtype)
    shape, dtype = shape_of("full", shape, fill.dtype)
    if _is_differentiated(fill, requires_grad):
        filled: Tensor = broadcast_to(fill, shape).clone()
        return filled
    value = convert(fill)
    try:
        return backend.leaf(np.full(shape, value, dtype), requires_grad)
    except ValueError:
        raise ValueError(f"full: fill_value of shape {value.shape} does not broadcast to shape {shape}") from None


def _is_differentiated(fill: Tensor, requires_grad: bool) -> bool:
    return bool(fill.requires_grad and backend.grad_enabled() and not requires_grad)


def zeros_like(x: ArrayLike, dtype: DTypeLike | None = None, requires_grad: bool = False) -> Tensor:
    """Zeros of the shape and, unless given, the dtype of x."""
    return backend.leaf(np.zeros_like(*_like(x, dtype)), requires_grad)


def ones_like(x: ArrayLike, dtype: DTypeLike | None = None, requires_grad: bool = False) -> Tensor:
    """Ones of the shape and, unless given, the dtype of x."""
    return backend.leaf(np.ones_like(*_like(x, dtype)), requires_grad)


def empty_like(x: ArrayLike, dtype: DTypeLike | None = None, requires_grad: bool = False) -> Tensor:
    """A Tensor of the shape and, unless given, the dtype of x; its values are not set."""
    return backend.leaf(np.empty_like(*_like(x, dtype)), requires_grad)


def full_like(
    x: ArrayLike, fill_value: ArrayLike, dtype: DTypeLike | None = None, requires_grad: bool = False
) -> Tensor:
    """A Tensor of the shape and, unless given, the dtype of x, filled with `fill_value`, as `full`."""
    array, dtype = _like(x, dtype)
    if isinstance(fill_value, Tensor) and _is_differentiated(fill_value, requires_grad):
        filled: Tensor = broadcast_to(asarray(fill_value, dtype), array.shape).clone()
        return filled
    value = convert(fill_value, dtype)
    try:
        return backend.leaf(np.full_like(array, value, dtype), requires_grad)
    except ValueError:
        raise ValueError(f"full_like: fill_value of shape {value.shape} does not fit shape {array.shape}") from None


def arange(
    start: Operand,
    stop: Operand | None = None,
    step: Operand = 1,
    dtype: DTypeLike | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """Numbers from `start` (0 if only one number is given) up to, not including, `stop`, `step` apart."""
    numbers = [_number("arange", x) for x in ((0, start, step) if stop is None else (start, stop, step))]
    if numbers[2] == 0:
        raise ValueError("arange: step must not be zero")
    if not all(math.isfinite(x) for x in numbers):
        raise ValueError(f"arange: start, stop and step must be finite, got {tuple(numbers)}")
    count = max(0, math.ceil((numbers[1] - numbers[0]) / numbers[2]))
    wanted = None if dtype is None else supported(dtype)
    shape_of("arange", count, float64 if wanted is None else wanted)
    return backend.leaf(convert(np.arange(*numbers, dtype=wanted)), requires_grad)


def linspace(
    start: Operand,
    stop: Operand,
    num: int = 50,
    endpoint: bool = True,
    dtype: DTypeLike | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """`num` numbers evenly spaced from `start` to `stop`, which is left out if not `endpoint`."""
    (count,), dtype = shape_of("linspace", num, float64 if dtype is None else dtype)
    limits = _number("linspace", start), _number("linspace", stop)
    return backend.leaf(np.linspace(*limits, count, endpoint=endpoint, dtype=dtype), requires_grad)


def eye(
    n_rows: int, n_cols: int | None = None, k: int = 0, dtype: DTypeLike = float64, requires_grad: bool = False
) -> Tensor:
    """A matrix with ones on its k-th diagonal and zeros elsewhere."""
    (n, m), dtype = shape_of("eye", (n_rows, n_rows if n_cols is None else n_cols), dtype)
    return backend.leaf(np.eye(n, m, operator.index(k), dtype), requires_grad)


def shape_of(name: str, shape: Any, dtype: Any) -> tuple[tuple[int, ...], np.dtype]:
    """Shape and dtype in full form; ValueError or TypeError, naming the operation, if there is no such array."""
    if isinstance(dtype, int):
        raise TypeError(f"{name}: several sizes are given as a tuple: {name}(({shape!r}, {dtype}))")
    dtype = supported(dtype)
    try:
        sizes = (operator.index(shape),) if not isinstance(shape, (tuple, list)) else tuple(map(operator.index, shape))
    except TypeError:
        raise TypeError(f"{name}: a shape is an integer or a tuple of integers, not {shape!r}") from None
    if any(n < 0 for n in sizes):
        raise ValueError(f"{name}: shape {sizes} has a negative dimension")
    if len(sizes) > 64:
        raise ValueError(f"{name}: a shape of {len(sizes)} dimensions; at most 64 are possible")
    if math.prod(n for n in sizes if n) * dtype.itemsize > sys.maxsize:
        raise ValueError(f"{name}: shape {sizes} of dtype {dtype} takes more bytes than can be addressed")
    return sizes, dtype


def _like(x: Any, dtype: Any) -> tuple[np.ndarray, np.dtype]:
    """The array whose shape and order in memory are wanted, and the dtype."""
    array = x._array if isinstance(x, Tensor) else convert(x)
    return array, array.dtype if dtype is None else supported(dtype)


def _number(name: str, x: Any) -> Any:
    if isinstance(x, Tensor):
        refuse_gradient(x, f"{name}() with an argument")
        return x.item()
    if isinstance(x, (int, float)):
        return x
    refuse_stripping(x)
    if np.ndim(x) != 0 or not isinstance(x, (np.generic, np.ndarray)) or x.dtype.kind not in "iuf":
        raise TypeError(f"{name}: expected numbers, got {type(x).__name__}")
    return x.item()
