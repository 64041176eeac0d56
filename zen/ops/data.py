"""Tensors made of data that may hold Tensors, with which they stay connected: `tensor`, `asarray`, `full`, `full_like`.

dtype defaults to NumPy's choice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .. import backend, creation
from ..backend import Tensor
from ..batched import Batched
from ..conversion import convert, describe, holds_gradients, supported
from ..creation import like, one_device, shape_of
from .nesting import nested
from .orders import laid_out, letter
from .register import FUNCTIONS, placed
from .shape import broadcast_to

if TYPE_CHECKING:
    from numpy.typing import DTypeLike

    from ..typing import ArrayLike, Ints


def tensor(data: ArrayLike, dtype: DTypeLike | None = None, requires_grad: bool = False) -> Tensor:
    """A Tensor with a copy of `data`: numbers, nested sequences, ndarrays, or whatever offers __array__ or DLPack.

    It is a leaf, unless nested sequences hold Tensors that require a gradient: then it stays connected with them, as
    in `asarray`, where PyTorch's `tensor` would cut them off. RuntimeError for a single Tensor that requires one, and
    for `requires_grad=True` beside such data: whether a leaf or a connected copy is meant has to be said. Raises
    TypeError for a dtype without meaning here (strings, objects) and for `requires_grad` with an integer or
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


def asarray(
    data: ArrayLike, dtype: DTypeLike | None = None, copy: bool | None = None, *, device: str | None = None
) -> Tensor:
    """`data` as a Tensor. A Tensor of that dtype is returned itself, with its graph; memory is shared where possible.

    Nested sequences may hold Tensors, of any shapes that NumPy would nest: `zen.asarray([[c, -s], [s, c]])` is
    differentiable in c and s. dtypes promote as NumPy's do, where a Python float among arrays counts as float64.
    copy=True always copies (a Tensor is cloned, differentiably); copy=False raises ValueError where a copy is needed.
    """
    if device is not None:
        one_device("asarray", device)
    if isinstance(data, (Tensor, Batched)):
        if dtype is None or supported(dtype) == data.dtype:
            return data.clone() if copy else data  # type: ignore[return-value]
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


def array(
    object: Any,
    dtype: DTypeLike | None = None,
    *,
    copy: bool | None = True,
    order: str | None = "K",
    subok: bool = False,
    ndmin: int = 0,
) -> Tensor:
    """A new Tensor with the values of `object`, as numpy.array; connected with the Tensors in it.

    object: what `asarray` takes. copy: None for a copy only where one is needed, False for ValueError there. order: of
    the elements in memory. ndmin: dimensions at least, new ones in front. subok has no meaning here.
    """
    given = isinstance(object, (Tensor, np.ndarray))
    found = asarray(object, dtype, copy if given or copy is False else None)
    made: Tensor = laid_out(found, letter("array", order, "CFAK"))
    return made if made.ndim >= ndmin else made.reshape((1,) * (ndmin - made.ndim) + made.shape)


placed(array, "zen", "array")


def linspace(
    start: ArrayLike,
    stop: ArrayLike,
    num: int = 50,
    endpoint: bool = True,
    dtype: DTypeLike | None = None,
    requires_grad: bool = False,
    *,
    device: str | None = None,
) -> Tensor:
    """`num` numbers evenly spaced from `start` to `stop`, which is left out if not `endpoint`; float64 unless given.

    Differentiable in a limit that requires a gradient; then they may be arrays, as in `zen.f.linspace`. RuntimeError
    for `requires_grad=True`, which asks for a leaf, beside such a limit.
    """
    if not any([isinstance(x, Tensor) and x.requires_grad for x in (start, stop)]) or not backend.grad_enabled():
        return creation.linspace(start, stop, num, endpoint, dtype, requires_grad, device=device)  # type: ignore[arg-type]
    if requires_grad:
        raise RuntimeError(
            "linspace: requires_grad=True makes a leaf, which would cut off the limits that require a gradient; leave "
            "it out to stay connected with them, or detach() them first"
        )
    creation.one_device("linspace", device)
    made: Tensor = FUNCTIONS["linspace"](start, stop, num, endpoint, dtype=dtype)
    return made


placed(linspace, "zen", "linspace")


def full(
    shape: Ints,
    fill_value: ArrayLike,
    dtype: DTypeLike | None = None,
    requires_grad: bool = False,
    *,
    device: str | None = None,
) -> Tensor:
    """A Tensor filled with `fill_value`, a scalar or an array that broadcasts to the shape; differentiable in a Tensor.

    Raises ValueError for a value that does not broadcast, RuntimeError for `requires_grad=True`, which asks for a leaf,
    beside a value that requires a gradient.
    """
    one_device("full", device)
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


def full_like(
    x: ArrayLike,
    fill_value: ArrayLike,
    dtype: DTypeLike | None = None,
    requires_grad: bool = False,
    *,
    device: str | None = None,
) -> Tensor:
    """A Tensor of the shape and, unless given, the dtype of x, filled with `fill_value`, as `full`."""
    one_device("full_like", device)
    array, dtype = like(x, dtype)
    if isinstance(fill_value, Tensor) and _is_differentiated(fill_value, requires_grad):
        filled: Tensor = broadcast_to(asarray(fill_value, dtype), array.shape).clone()
        return filled
    value = convert(fill_value, dtype)
    try:
        return backend.leaf(np.full_like(array, value, dtype), requires_grad)
    except ValueError:
        raise ValueError(f"full_like: fill_value of shape {value.shape} does not fit shape {array.shape}") from None
