"""Elements in another dtype, or in memory of their own: astype and copy.

Gradients flow between the dtypes that may have them.
"""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np

from ..backend import Shaped, Tensor, apply, grad_enabled, kernels
from ..creation import one_device
from ..dtypes import COMPLEX, DIFFERENTIABLE, INEXACT, KERNELS, SUPPORTED
from ..dtypes import inexact as inexact_dtype
from . import orders
from .operands import operand, raw
from .register import METHODS, define, public
from .result_shapes import same
from .row import row

LARGE = 1024
"""Elements from which memory that the engine keeps is worth asking for."""


def _converted(x: Any, dtype: np.dtype) -> Any:
    x = np.asarray(x)
    return (x.real if x.dtype in COMPLEX and dtype not in COMPLEX else x).astype(dtype)


ASTYPE = define(row(
    "astype", "x", _converted, ["astype(g, x.dtype)"], params="dtype", linear="x",
    shape=lambda x, dtype: Shaped(x.shape, dtype),
    domain=lambda rng: [((rng.normal(size=(2, 3)),), (np.dtype(np.float64),))], complex=True,
    doc="Conversion to another dtype.",
))  # fmt: skip


def memory_for(shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    """An array for a result, not filled; a large one as in `copied`."""
    if dtype not in KERNELS or math.prod(shape) < LARGE:
        return np.empty(shape, dtype)
    out: np.ndarray = kernels.memory.empty(shape, dtype)
    return out


def copied(x: np.ndarray, order: Any = "K") -> np.ndarray:
    """A copy, if it is large in memory that the engine keeps: new memory would cost a page fault for every 4 KiB."""
    if x.size < LARGE or order == "F" or not x.flags.c_contiguous or x.dtype not in KERNELS:
        return np.array(x, order=order)
    out: np.ndarray = kernels.memory.empty(x.shape, x.dtype)
    out[...] = x
    return out


COPY = define(row(
    "copy", "x", lambda x, order: np.array(x, order=order) if x.size < LARGE else copied(x, order), ["g"],
    params="order", jvp=("g",), shape=same,
    domain=lambda rng: [((rng.normal(size=(2, 3)).T,), ("K",)), ((rng.normal(size=()),), ("C",))],
    complex=True, doc="A copy, laid out in memory as NumPy's letter for the order says.",
))  # fmt: skip


@public("astype")
def astype(
    x: Any, dtype: Any, *, copy: bool = True, order: Any = "K", casting: Any = "unsafe", device: str | None = None
) -> Any:
    """x converted to `dtype`. Gradients flow between floating dtypes; a bool or integer result has none.

    copy: False returns x itself if it has that dtype. order: of the result in memory, "K" for that of x. casting: which
    conversions are allowed, as in NumPy. device: "cpu", if given. Raises TypeError for a dtype that no Tensor can have
    and for a conversion that is not allowed. Of complex numbers that become real the real part is taken, with NumPy's
    ComplexWarning; `x.real` says so without one.

    >>> zen.f.astype(zen.tensor([1.7, -1.7]), zen.int64).tolist()
    [1, -1]
    """
    x = operand("astype", x)
    if device is not None:
        one_device("astype", device)
    wanted = np.dtype(dtype)
    if casting != "unsafe" and not np.can_cast(x.dtype, wanted, casting):
        raise TypeError(f"astype: dtype {x.dtype} does not convert to {wanted} with casting={casting!r}")
    if order != "K":
        return orders.laid_out(astype(x, wanted, copy=copy), orders.letter("astype", order, "CFAK"))
    if wanted == x.dtype and not copy:
        return x
    if wanted not in SUPPORTED:
        raise TypeError(
            f"astype: dtype {wanted} is not supported: use bool, an integer dtype, float16, 32 or 64, complex64 or 128"
        )
    if x.dtype in COMPLEX and wanted not in COMPLEX:
        warnings.warn(
            f"astype: the imaginary part is discarded on the way from {x.dtype} to {wanted}; take x.real",
            np.exceptions.ComplexWarning, stacklevel=2,
        )  # fmt: skip
    return apply(ASTYPE, (x,), (wanted,))


def converted(operation: str, x: Any, dtype: Any) -> Any:
    """x in this dtype where NumPy converts without being asked; TypeError where that would lose a gradient."""
    if isinstance(x, Tensor) and x.requires_grad and grad_enabled() and np.dtype(dtype) not in DIFFERENTIABLE:
        raise TypeError(
            f"{operation}: a value that requires a gradient would lose it in dtype {dtype}; convert what it goes into "
            "with astype, or detach() the value"
        )
    return astype(x, dtype, copy=False)


def inexact(x: Any) -> Any:
    """A Tensor or array as it is if it holds floats, else in the dtype in which NumPy takes its square root."""
    return x if x.dtype in INEXACT else astype(x, inexact_dtype(x.dtype))


@public(method=None)
def copy(x: Any, order: Any = "K") -> Any:
    """A copy of x with memory of its own; differentiable.

    order: of its axes in memory, "K" for that of x. The method gives C order unless told otherwise.

    >>> zen.f.copy(zen.tensor([1.0, 2.0])).tolist()
    [1.0, 2.0]
    """
    return apply(COPY, (operand("copy", x),), (orders.letter("copy", order, "CFAK"),))


def _copy_method(x: Any, order: Any = "C") -> Any:
    """A copy in C order unless told otherwise; see `zen.f.copy`."""
    return apply(COPY, (x,), (orders.letter("copy", order, "CFAK"),))


METHODS["copy"] = _copy_method


def owned(made: Any, x: Any) -> Any:
    """`made`, or a copy of it where it shows memory of x: for what NumPy always copies."""
    return apply(COPY, (made,), ("C",)) if np.may_share_memory(raw(made), raw(x)) else made
