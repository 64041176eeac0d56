"""What the Array API standard asks about dtypes and about the library itself; its functions of arrays are in `zen.f`.

The standard's version is 2025.12: https://data-apis.org/array-api/2025.12. `zen` is the namespace, which
`Tensor.__array_namespace__()` returns. Loaded when one of its names is first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, SupportsIndex

import numpy as np

from .backend import Tensor
from .creation import one_device
from .dtypes import BOOLEAN, COMPLEX, FLOATING, INEXACT, INTEGER, SIGNED, SUPPORTED, UNSIGNED, float64, int64

if TYPE_CHECKING:
    from numpy.typing import DTypeLike

    from .typing import ArrayLike

KINDS = {
    "bool": "bool",
    "signed integer": "int8 int16 int32 int64",
    "unsigned integer": "uint8 uint16 uint32 uint64",
    "integral": "int8 int16 int32 int64 uint8 uint16 uint32 uint64",
    "real floating": "float32 float64",
    "complex floating": "complex64 complex128",
    "numeric": "int8 int16 int32 int64 uint8 uint16 uint32 uint64 float32 float64 complex64 complex128",
}
"""The dtypes of the standard by kind. zen has float16 beside them."""
_SETS = {
    "bool": BOOLEAN, "signed integer": SIGNED, "unsigned integer": UNSIGNED, "integral": INTEGER,
    "real floating": FLOATING, "complex floating": COMPLEX, "numeric": INTEGER | INEXACT,
}  # fmt: skip


class FloatInfo(NamedTuple):
    """What `finfo` says: of a complex dtype it is what holds for each of its two parts."""

    bits: int
    eps: float
    """The distance from 1 to the next larger number."""
    max: float
    min: float
    smallest_normal: float
    dtype: np.dtype[Any]


class IntInfo(NamedTuple):
    """What `iinfo` says."""

    bits: int
    max: int
    min: int
    dtype: np.dtype[Any]


def finfo(type: DTypeLike | Tensor, /) -> FloatInfo:
    """The limits of a floating dtype, or of that of a Tensor or array, in Python numbers.

    `type`: float16, float32, float64 or a complex dtype; TypeError for others.

    >>> zen.finfo(zen.float32).bits
    32
    """
    dtype = _dtype_of("finfo", type)
    if dtype not in FLOATING | COMPLEX:
        raise TypeError(f"finfo: {dtype} is no floating dtype; zen.iinfo tells the limits of an integer one")
    found = np.finfo(dtype)
    eps, high, low, normal = [float(x) for x in (found.eps, found.max, found.min, found.smallest_normal)]
    return FloatInfo(int(found.bits), eps, high, low, normal, np.dtype(found.dtype))


def iinfo(type: DTypeLike | Tensor, /) -> IntInfo:
    """The limits of an integer dtype, or of that of a Tensor or array; TypeError for other dtypes.

    >>> zen.iinfo(zen.int8).max
    127
    """
    dtype = _dtype_of("iinfo", type)
    if dtype not in INTEGER:
        raise TypeError(f"iinfo: {dtype} is no integer dtype; zen.finfo tells the limits of a floating one")
    found = np.iinfo(dtype)
    return IntInfo(int(found.bits), int(found.max), int(found.min), dtype)


def isdtype(dtype: DTypeLike, kind: DTypeLike | tuple[DTypeLike, ...]) -> bool:
    """Whether a dtype is of a kind: "bool", "integral", "real floating", ..., or a dtype, or one of a tuple of these.

    float16 is real floating. Raises ValueError for a kind that the standard does not have.

    >>> zen.isdtype(zen.float32, ("real floating", "complex floating"))
    True
    """
    wanted, kinds = _dtype_of("isdtype", dtype), kind if isinstance(kind, tuple) else (kind,)
    return any([_is_of(wanted, one) for one in kinds])


def _is_of(dtype: np.dtype[Any], kind: Any) -> bool:
    if isinstance(kind, str) and kind not in KINDS:
        raise ValueError(f"isdtype: there is no kind {kind!r}; give a dtype, or one of {', '.join(KINDS)}")
    if isinstance(kind, str):
        return dtype in _SETS[kind]
    return dtype.newbyteorder("=") == _dtype_of("isdtype", kind).newbyteorder("=")


def can_cast(from_: DTypeLike | Tensor, to: DTypeLike, /) -> bool:
    """Whether a dtype, or that of a Tensor or array, becomes `to` without loss, by NumPy's rules.

    >>> zen.can_cast(zen.int32, zen.float64), zen.can_cast(zen.int64, zen.int32)
    (True, False)
    """
    return bool(np.can_cast(_dtype_of("can_cast", from_), _dtype_of("can_cast", to)))


def result_type(*arrays_and_dtypes: ArrayLike | DTypeLike) -> np.dtype[Any]:
    """The dtype to which Tensors, arrays, dtypes and Python numbers promote. A number alone decides nothing.

    Raises ValueError without any argument, and for Python numbers alone.

    >>> zen.result_type(zen.float32, zen.tensor([1], dtype=zen.int8), 2.5)
    dtype('float32')
    """
    numbers = (bool, int, float, complex)
    given = [x if isinstance(x, numbers) else _dtype_of("result_type", x) for x in arrays_and_dtypes]
    if not any([isinstance(x, np.dtype) for x in given]):
        raise ValueError("result_type: at least one Tensor, array or dtype is needed")
    found: np.dtype[Any] = np.result_type(*given)
    return found


def broadcast_shapes(*shapes: SupportsIndex | tuple[SupportsIndex, ...]) -> tuple[int, ...]:
    """The shape to which arrays of these shapes broadcast; ValueError if they do not.

    >>> zen.broadcast_shapes((3, 1), (2,))
    (3, 2)
    """
    try:
        found: tuple[int, ...] = np.broadcast_shapes(*shapes)
    except TypeError:
        raise TypeError(f"broadcast_shapes: a shape is an int or a tuple of ints, not one of {shapes!r}") from None
    except ValueError:
        raise ValueError(
            f"broadcast_shapes: shapes {' and '.join([str(s) for s in shapes])} do not broadcast together; axes are "
            "compared from the last one and must be equal or 1"
        ) from None
    return found


class Info:
    """What the library can do, for programs that ask: `zen.__array_namespace_info__()`."""

    def capabilities(self) -> dict[str, bool | int]:
        """Whether there is indexing by bools, results whose shape depends on values, and how many axes at most.

        >>> zen.__array_namespace_info__().capabilities()["max dimensions"]
        64
        """
        return {"boolean indexing": True, "data-dependent shapes": True, "max dimensions": 64}

    def devices(self) -> tuple[str, ...]:
        """The devices: the processor alone."""
        return ("cpu",)

    def default_device(self) -> str:
        """The device on which Tensors are made."""
        return "cpu"

    def default_dtypes(self, *, device: str | None = None) -> dict[str, np.dtype[Any]]:
        """What is made without a dtype, by kind."""
        one_device("default_dtypes", device)
        return {
            "real floating": float64, "complex floating": np.dtype("complex128"), "integral": int64, "indexing": int64,
        }  # fmt: skip

    def dtypes(self, *, device: str | None = None, kind: str | tuple[str, ...] | None = None) -> dict[str, Any]:
        """The standard's dtypes by name; those of a kind, or of any of several kinds, if given.

        >>> list(zen.__array_namespace_info__().dtypes(kind="real floating"))
        ['float32', 'float64']
        """
        one_device("dtypes", device)
        kinds = ("bool", "numeric") if kind is None else (kind,) if isinstance(kind, str) else kind
        wrong = [one for one in kinds if one not in KINDS]
        if wrong:
            raise ValueError(f"dtypes: there is no kind {wrong[0]!r}; give one of {', '.join(KINDS)}")
        names = [name for one in kinds for name in KINDS[one].split()]
        return {name: np.dtype(name) for name in names if np.dtype(name) in SUPPORTED}


def _dtype_of(name: str, type: Any) -> np.dtype[Any]:
    """The dtype that is meant, or that of a Tensor or array; TypeError for what is none."""
    own: Any = getattr(type, "dtype", None)
    try:
        found: np.dtype[Any] = own if isinstance(own, np.dtype) else np.dtype(type)
    except (TypeError, ValueError):
        raise TypeError(f"{name}: {type!r} is no dtype, and nothing that has one; zen.float32 is one") from None
    return found


for _function in (broadcast_shapes, can_cast, finfo, iinfo, isdtype, result_type):
    _function.__module__ = __name__.partition(".")[0]  # where they are public
