"""Conversion of Python values to the arrays that Tensors hold, with errors that name the dtype and the remedy.

`convert` is the hook by which the engine turns a value into an array; creation, in-place writes and NumPy dispatch
use it as well. No array of objects ever gets past it, and no value that requires a gradient loses it here.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from .backend import Tensor
from .dtypes import COMPLEX, FLOATING, INTEGER, SUPPORTED

SEQUENCES = (list, tuple)


def convert(value: Any, dtype: Any = None) -> np.ndarray:
    """`value` as an ndarray of a supported dtype, without a copy where none is needed.

    Accepts numbers, nested sequences of numbers, ndarrays, Tensors that require no gradient and anything that offers
    `__array__`, DLPack or the buffer protocol. Raises TypeError for a dtype without meaning here (strings, objects,
    dates), ValueError for ragged sequences, RuntimeError for a Tensor that requires a gradient.
    """
    if type(value) is int and dtype is not None:
        return _fitting(value, supported(dtype))
    array = value if type(value) is np.ndarray else _to_array(value)
    if array.dtype not in SUPPORTED:
        raise TypeError(_unsupported(array.dtype, "" if isinstance(value, np.ndarray) else describe(value)))
    if dtype is not None:
        wanted = supported(dtype)
        if wanted != array.dtype:
            with np.errstate(all="ignore"):
                array = _cast(value, array, wanted)
    elif not array.dtype.isnative:
        array = array.astype(array.dtype.newbyteorder("="))
    return array


def supported(dtype: Any) -> np.dtype:
    """`dtype` as a NumPy dtype that a Tensor can have; TypeError otherwise."""
    found: np.dtype = np.dtype(dtype)
    if found not in SUPPORTED:
        raise TypeError(_unsupported(found, ""))
    return found.newbyteorder("=") if not found.isnative else found


def refuse_gradient(t: Tensor, action: str) -> None:
    """RuntimeError if `action` would silently cut t out of its graph."""
    if t.requires_grad:
        raise RuntimeError(
            f"{action} of a Tensor that requires a gradient would lose the gradient. Where plain values are wanted (to "
            "plot, to save, for another library), pass t.detach() or t.detach().numpy(); to compute with gradients, "
            "use zen's functions, zen.asarray for a list of Tensors, and zen.vectorize in the place of numpy.vectorize"
        )


def to_float(t: Tensor) -> float:
    """`float(t)`. A warning tells that the gradient is lost, because `array[i] = t` and `math.exp(t)` come here too."""
    if t.size != 1:
        raise TypeError(f"float() needs a Tensor of one element, not one of shape {t.shape}")
    if t.requires_grad:
        warnings.warn(
            "float() of a Tensor that requires a gradient loses the gradient: call t.item() if that is meant; "
            "to store the Tensor in an array use zen.stack or a zen Tensor, and zen's functions instead of math's",
            UserWarning,
            stacklevel=2,
        )
    if t.dtype in COMPLEX:
        raise TypeError(f"float() of a Tensor of dtype {t.dtype}; take t.real, t.imag or abs(t)")
    return float(t._array.item())


def _to_array(value: Any) -> np.ndarray:
    if isinstance(value, Tensor):
        refuse_gradient(value, "converting to an array")
        array: np.ndarray = value.array
        return array
    if isinstance(value, np.ndarray) or hasattr(value, "__array__") or not hasattr(value, "__dlpack__"):
        return as_array(value)
    return np.from_dlpack(value)


def _cast(value: Any, array: np.ndarray, wanted: np.dtype) -> np.ndarray:
    """`array` in another dtype. Python ints are never wrapped around: OverflowError where they do not fit; TypeError
    for complex numbers, of which a real dtype would lose a part."""
    if array.dtype in COMPLEX and wanted not in COMPLEX:
        raise TypeError(f"dtype {wanted} cannot hold {array.dtype}; take the real part first, or abs()")
    if wanted not in INTEGER or array.dtype not in INTEGER or not isinstance(value, (list, tuple)):
        return array.astype(wanted)
    return _fitting(value, wanted)


def _fitting(value: Any, wanted: np.dtype) -> np.ndarray:
    try:
        return np.asarray(value, wanted)
    except OverflowError as error:
        raise OverflowError(f"{error}; give a wider dtype, or convert an array with astype, which wraps") from None


def _unsupported(dtype: np.dtype, source: str) -> str:
    given = f" (from {source})" if source else ""
    if dtype in COMPLEX:
        remedy = "convert with astype(numpy.complex128) first"
    elif dtype in FLOATING:
        remedy = "convert with astype(numpy.float64) first"
    elif source == "NoneType":
        remedy = "None is no value; perhaps a function returned nothing"
    elif dtype.type is np.object_:
        remedy = "give numbers, or sequences of numbers of equal length"
    else:
        remedy = "convert the values to numbers first"
    known = "bool, integers, float16, float32, float64, complex64, complex128"
    return f"a Tensor cannot hold dtype {dtype}{given}; supported are {known}: {remedy}"


def refuse_stripping(value: Any) -> None:
    """TypeError for an array whose meaning `np.asarray` would take away: a masked array, a matrix."""
    masked = sys.modules.get("numpy.ma")
    if masked is not None and isinstance(value, masked.MaskedArray):
        raise TypeError("a masked array would lose its mask; use its filled() values")
    if isinstance(value, np.matrix):
        raise TypeError("a numpy.matrix would lose its own * and **; pass numpy.asarray(matrix), and multiply with @")


def leaf_types(value: Any) -> set[type]:
    """The types of what nested lists and tuples hold."""
    types = set(map(type, value))
    inner = [kind for kind in types if issubclass(kind, SEQUENCES)]
    if inner:
        types.difference_update(inner)
        for part in value:
            if isinstance(part, SEQUENCES):
                types |= leaf_types(part)
    return types


def as_array(value: Any) -> np.ndarray:
    """`np.asarray(value)` of what is not a Tensor, with zen's errors: ValueError where it is ragged, naming the place.

    Tensors in sequences give their values; RuntimeError if one of them requires a gradient.
    """
    if isinstance(value, np.ndarray):
        refuse_stripping(value)
        return np.asarray(value)
    if isinstance(value, SEQUENCES):
        for kind in leaf_types(value):
            if issubclass(kind, np.ndarray) and kind is not np.ndarray:
                _each(value, refuse_stripping)
    try:
        return np.asarray(value)
    except OverflowError as error:
        raise ValueError(f"cannot make a Tensor of {describe(value)}: {error}") from None
    except ValueError as error:
        if "inhomogeneous" not in str(error):
            raise
        raise ValueError(
            f"cannot make a Tensor of a ragged {describe(value)}: {_ragged(value)}; "
            "pad the parts to one shape, or make a Tensor of each"
        ) from None


def holds_gradients(value: Any) -> bool:
    """Whether value is a nest of sequences in which a Tensor requires a gradient."""
    if not isinstance(value, SEQUENCES) or not any([issubclass(kind, Tensor) for kind in leaf_types(value)]):
        return False
    found: list[bool] = []
    _each(value, lambda part: found.append(isinstance(part, Tensor) and part.requires_grad))
    return any(found)


def describe(value: Any) -> str:
    """The kind of a value, for messages."""
    name = type(value).__name__
    return f"{name} of length {len(value)}" if isinstance(value, SEQUENCES) else name


def _each(value: Any, call: Callable[[Any], object]) -> None:
    for part in value:
        if isinstance(part, SEQUENCES):
            _each(part, call)
        else:
            call(part)


def _ragged(value: Any) -> str:
    """What differs first: `part [1] has shape (2,), but part [0] has shape (3,)`."""

    def shape(part: Any, place: str) -> tuple[int, ...] | str:
        if not isinstance(part, SEQUENCES):
            own: tuple[int, ...] = np.shape(part)
            return own
        first: tuple[int, ...] = ()
        for k, p in enumerate(part):
            found = shape(p, f"{place}[{k}]")
            if isinstance(found, str):
                return found
            if k and found != first:
                return f"part {place}[{k}] has shape {found}, but part {place}[0] has shape {first}"
            first = found
        return (len(part), *first)

    found = shape(value, "")
    return found if isinstance(found, str) else "its parts differ in shape"
