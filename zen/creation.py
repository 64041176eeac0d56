"""Making Tensors: from memory of others, filled with zeros or ones, as ranges. The results are leaves.

`tensor`, `asarray` and `full`, which stay connected with the Tensors in their data, are in `zen/ops/data.py`.
"""

from __future__ import annotations

import math
import operator
import sys
from typing import TYPE_CHECKING, Any

import numpy as np

from . import backend
from .backend import Tensor
from .conversion import convert, refuse_gradient, refuse_stripping, supported
from .dtypes import BOOLEAN, DEFAULT, NUMBERS

if TYPE_CHECKING:
    from numpy.typing import DTypeLike

    from .typing import ArrayLike, Ints, Operand


def from_numpy(array: np.ndarray) -> Tensor:
    """A Tensor that shares the memory of an ndarray; TypeError for anything else and for dtypes it cannot share."""
    if not isinstance(array, np.ndarray):
        raise TypeError(f"from_numpy: expected an ndarray, not {type(array).__name__}; zen.tensor() converts")
    converted = convert(array)
    if not array.dtype.isnative:
        raise TypeError(f"from_numpy: byte order of dtype {array.dtype} is not this machine's; zen.tensor() converts")
    return backend.leaf(backend.borrow(converted), False)


def from_dlpack(source: Any, *, device: str | None = None, copy: bool | None = None) -> Tensor:
    """A Tensor that shares the memory of any object with `__dlpack__` on the CPU.

    copy=True copies it: a Tensor is cloned, differentiably.
    """
    one_device("from_dlpack", device)
    if isinstance(source, Tensor):
        return source.clone() if copy else source
    if not hasattr(source, "__dlpack__"):
        raise TypeError(f"from_dlpack: {type(source).__name__} does not offer __dlpack__; zen.tensor() converts")
    refuse_stripping(source)
    array = convert(np.from_dlpack(source))
    return backend.leaf(array.copy() if copy else backend.borrow(array), False)


def zeros(
    shape: Ints, dtype: DTypeLike | None = DEFAULT, requires_grad: bool = False, *, device: str | None = None
) -> Tensor:
    """A Tensor of zeros."""
    one_device("zeros", device)
    return backend.leaf(np.zeros(*shape_of("zeros", shape, dtype)), requires_grad)


def ones(
    shape: Ints, dtype: DTypeLike | None = DEFAULT, requires_grad: bool = False, *, device: str | None = None
) -> Tensor:
    """A Tensor of ones."""
    one_device("ones", device)
    return backend.leaf(np.ones(*shape_of("ones", shape, dtype)), requires_grad)


def empty(
    shape: Ints, dtype: DTypeLike | None = DEFAULT, requires_grad: bool = False, *, device: str | None = None
) -> Tensor:
    """A Tensor whose values are not set."""
    one_device("empty", device)
    return backend.leaf(np.empty(*shape_of("empty", shape, dtype)), requires_grad)


def zeros_like(
    x: ArrayLike, dtype: DTypeLike | None = None, requires_grad: bool = False, *, device: str | None = None
) -> Tensor:
    """Zeros of the shape and, unless given, the dtype of x."""
    one_device("zeros_like", device)
    return backend.leaf(np.zeros_like(*like(x, dtype)), requires_grad)


def ones_like(
    x: ArrayLike, dtype: DTypeLike | None = None, requires_grad: bool = False, *, device: str | None = None
) -> Tensor:
    """Ones of the shape and, unless given, the dtype of x."""
    one_device("ones_like", device)
    return backend.leaf(np.ones_like(*like(x, dtype)), requires_grad)


def empty_like(
    x: ArrayLike, dtype: DTypeLike | None = None, requires_grad: bool = False, *, device: str | None = None
) -> Tensor:
    """A Tensor of the shape and, unless given, the dtype of x; its values are not set."""
    one_device("empty_like", device)
    return backend.leaf(np.empty_like(*like(x, dtype)), requires_grad)


def arange(
    start: Operand,
    stop: Operand | None = None,
    step: Operand = 1,
    dtype: DTypeLike | None = None,
    requires_grad: bool = False,
    *,
    device: str | None = None,
) -> Tensor:
    """Numbers from `start` (0 if only one number is given) up to, not including, `stop`, `step` apart."""
    one_device("arange", device)
    numbers = [_number("arange", x) for x in ((0, start, step) if stop is None else (start, stop, step))]
    if numbers[2] == 0:
        raise ValueError("arange: step must not be zero")
    if not all(math.isfinite(x) for x in numbers):
        raise ValueError(f"arange: start, stop and step must be finite, got {tuple(numbers)}")
    count = max(0, math.ceil((numbers[1] - numbers[0]) / numbers[2]))
    wanted = None if dtype is None else supported(dtype)
    shape_of("arange", count, DEFAULT if wanted is None else wanted)
    return backend.leaf(convert(np.arange(*numbers, dtype=wanted)), requires_grad)


def linspace(
    start: Operand,
    stop: Operand,
    num: int = 50,
    endpoint: bool = True,
    dtype: DTypeLike | None = None,
    requires_grad: bool = False,
    *,
    device: str | None = None,
) -> Tensor:
    """`num` numbers evenly spaced from `start` to `stop`, which is left out if not `endpoint`."""
    one_device("linspace", device)
    limits = _number("linspace", start), _number("linspace", stop)
    default = np.result_type(DEFAULT, *limits)
    (count,), dtype = shape_of("linspace", num, default if dtype is None else dtype)
    return backend.leaf(np.linspace(*limits, count, endpoint=endpoint, dtype=dtype), requires_grad)


def eye(
    n_rows: int,
    n_cols: int | None = None,
    k: int = 0,
    dtype: DTypeLike | None = DEFAULT,
    requires_grad: bool = False,
    *,
    device: str | None = None,
) -> Tensor:
    """A matrix with ones on its k-th diagonal and zeros elsewhere."""
    one_device("eye", device)
    (n, m), dtype = shape_of("eye", (n_rows, n_rows if n_cols is None else n_cols), dtype)
    return backend.leaf(np.eye(n, m, operator.index(k), dtype), requires_grad)


def shape_of(name: str, shape: Any, dtype: Any) -> tuple[tuple[int, ...], np.dtype]:
    """Shape and dtype in full form; ValueError or TypeError, naming the operation, if there is no such array."""
    if isinstance(dtype, int):
        raise TypeError(f"{name}: several sizes are given as a tuple: {name}(({shape!r}, {dtype}))")
    dtype = DEFAULT if dtype is None else supported(dtype)
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


def one_device(name: str, device: Any) -> None:
    """ValueError for a device other than the processor, "cpu", on which all Tensors are."""
    if device is not None and device != "cpu":
        raise ValueError(f"{name}: there is no device {device!r}; zen computes on the processor, 'cpu'")


def like(x: Any, dtype: Any) -> tuple[np.ndarray, np.dtype]:
    """The array whose shape and order in memory are wanted, and the dtype."""
    array = x._array if isinstance(x, Tensor) else convert(x)
    return array, array.dtype if dtype is None else supported(dtype)


def _number(name: str, x: Any) -> Any:
    if isinstance(x, Tensor):
        refuse_gradient(x, f"{name}() with an argument")
        return x.item()
    if isinstance(x, (int, float, complex)):
        return x
    refuse_stripping(x)
    if np.ndim(x) != 0 or not isinstance(x, (np.generic, np.ndarray)) or x.dtype not in NUMBERS - BOOLEAN:
        raise TypeError(f"{name}: expected numbers, got {type(x).__name__}")
    return x.item()
