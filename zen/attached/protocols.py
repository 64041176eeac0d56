"""NumPy functions called on Tensors: `np.sin(t)`, `np.sum(t, axis=0)`, `np.concatenate([t, a])`.

NumPy hands such calls to `__array_ufunc__` and `__array_function__`, which this package attaches to Tensor. A function
with a row runs that row, so the result has a gradient. A few others cannot lose one, because their result is a shape,
an index or a truth value; they run on the arrays. So does everything else, in `undifferentiated.py`, where no Tensor
requires a gradient; where one does, it raises TypeError and names the remedy: no gradient is ever dropped in silence.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import backend, creation
from ..backend import Tensor
from ..conversion import convert
from ..ops import data
from ..ops.operands import operand
from ..ops.register import NUMPY_FUNCTIONS, answering
from . import undifferentiated
from .undifferentiated import WRITERS, by_name, by_position, name_of, plain, refusal, requires_gradient, tensors_of

_TRUTH_UFUNCS = frozenset({
    np.isnan, np.isinf, np.isfinite, np.signbit, np.logical_and, np.logical_or, np.logical_xor, np.logical_not,
    np.equal, np.not_equal, np.less, np.less_equal, np.greater, np.greater_equal,
    np.bitwise_and, np.bitwise_or, np.bitwise_xor, np.invert, np.left_shift, np.right_shift, np.gcd, np.lcm,
    np.bitwise_count,
})  # fmt: skip
"""Ufuncs whose result is a truth value or an integer: there is no gradient to lose."""

_PLAIN = frozenset({
    np.shape, np.ndim, np.size, np.iscomplexobj, np.isrealobj, np.result_type, np.can_cast, np.min_scalar_type,
    np.common_type, np.array_equal, np.array_equiv, np.allclose, np.may_share_memory, np.shares_memory,
    np.array_repr, np.array_str, np.array2string, np.count_nonzero, np.linalg.matrix_rank, np.einsum_path,
})  # fmt: skip
"""Functions whose result is no array of values: it is returned as NumPy gives it."""

_FORM = _PLAIN & frozenset({
    np.shape, np.ndim, np.size, np.iscomplexobj, np.isrealobj, np.result_type, np.can_cast, np.common_type,
    np.may_share_memory, np.shares_memory, np.einsum_path,
})  # fmt: skip
"""Those of them that look at no values."""

_INDEX = frozenset({
    np.isclose, np.argsort, np.argpartition, np.lexsort, np.nonzero, np.flatnonzero, np.argwhere, np.searchsorted,
    np.digitize, np.isin, np.isreal, np.iscomplex, np.isposinf, np.isneginf, np.nanargmax, np.nanargmin,
    np.diag_indices_from, np.tril_indices_from, np.triu_indices_from,
})  # fmt: skip
"""Functions whose result is made of indices or truth values: it becomes Tensors without a gradient."""
_OF_SIZE = WRITERS | frozenset({
    np.nonzero, np.flatnonzero, np.argwhere, np.unique, np.trim_zeros, np.compress, np.extract, np.intersect1d,
    np.union1d, np.setdiff1d, np.setxor1d, np.histogram_bin_edges, np.histogram, np.bincount, np.repeat, np.delete,
})  # fmt: skip
"""Functions whose result may have a shape that depends on values, or that have none."""


def _asarray(a: Any, dtype: Any = None, order: Any = None, *, copy: bool | None = None) -> Tensor:
    return data.array(a, dtype, copy=copy, order=order or "K")


def _ascontiguousarray(a: Any, dtype: Any = None) -> Tensor:
    return data.array(a, dtype, copy=None, order="C", ndmin=1)


def _asfortranarray(a: Any, dtype: Any = None) -> Tensor:
    return data.array(a, dtype, copy=None, order="F", ndmin=1)


_CREATION: dict[Any, Callable[..., Any]] = {
    np.zeros_like: creation.zeros_like, np.ones_like: creation.ones_like, np.empty_like: creation.empty_like,
    np.full_like: data.full_like, np.full: data.full, np.array: data.array, np.asarray: _asarray,
    np.asanyarray: _asarray, np.ascontiguousarray: _ascontiguousarray, np.asfortranarray: _asfortranarray,
}  # fmt: skip
"""Functions that make arrays: of the shape of a Tensor, or asked for a Tensor by `like=`."""

_IGNORED = {
    "order": ("K", "C", None), "subok": (True, False), "casting": ("same_kind",), "optimize": None, "kind": None,
    "stable": None, "device": ("cpu", None), "overwrite_input": None, "mode": ("raise",),
}  # fmt: skip
"""Arguments that do not change the values, with the settings under which they are passed over (None: any)."""

_REMEDIES = {
    "where": "choose with zen.where(mask, a, b)",
    "dtype": "convert with astype(dtype)",
    "initial": "combine the result with the initial value yourself",
}
_TAKES = (Tensor, np.ndarray, np.generic, int, float, complex, list, tuple)


def array_ufunc(self: Tensor, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
    """A NumPy ufunc, or one of its methods, on Tensors."""
    if not all([isinstance(x, _TAKES) for x in inputs]):
        return NotImplemented  # another library's array: it may know what to do
    called = ufunc if method == "__call__" else getattr(ufunc, method)
    if ufunc in _TRUTH_UFUNCS:
        return _truth(ufunc, called, inputs, options)
    function = _late(ufunc)
    if method != "__call__":
        return _method(function, ufunc, called, inputs, options)
    if options or function is None:
        return _run(function, ufunc, ufunc, inputs, options)
    try:
        return function(*[x if isinstance(x, (Tensor, int, float, complex)) else _operand(ufunc, x) for x in inputs])
    except Exception as error:
        return _instead(error, ufunc, ufunc, inputs, options)


def _operand(ufunc: np.ufunc, x: Any) -> Any:
    return operand(ufunc.__name__, x) if isinstance(x, (list, tuple)) else convert(x)


def _truth(ufunc: np.ufunc, called: Any, inputs: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """NumPy's own result, whatever requires a gradient."""
    tracer = backend.tracer()
    if tracer is not None and not options:
        return tracer.numpy(name_of(ufunc, called), called, inputs, options)
    if not options and called is ufunc:
        return tensors_of(ufunc(*plain(inputs)))
    result = undifferentiated.run(name_of(ufunc, called), called, inputs, options)
    return result if result is None or isinstance(result, Tensor) or "out" in options else tensors_of(result)


def _method(function: Any, ufunc: np.ufunc, called: Any, inputs: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """`ufunc.reduce` and its like: of zen's function for the ufunc, where it has one of two arguments."""
    method, at_stake = called.__name__, requires_gradient(inputs, options)
    written = inputs[:1] if method == "at" else _several(options.get("out"))
    fits = all([x is None or isinstance(x, Tensor) for x in written]) and (method == "at" or ufunc.nin == 2)
    if function is None or not fits or (method == "at" and not at_stake):
        return _run(None, ufunc, called, inputs, options)
    from . import ufunc_methods  # rare

    try:
        return ufunc_methods.call(name_of(ufunc, called), ufunc, method, function, inputs, options)
    except Exception as error:
        return _instead(error, ufunc, called, inputs, options)


def array_function(self: Tensor, func: Any, types: Any, args: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """A NumPy function other than a ufunc on Tensors."""
    if not all([issubclass(kind, (Tensor, np.ndarray)) for kind in types]):
        return NotImplemented
    if func is np.where and len(args) == 1:
        func = np.nonzero
    if not args:
        args, options = by_position(func, args, options)
    elif len(args) > 2:
        args, options = by_name(func, args, options)
    tracer = backend.tracer()
    own = tracer is not None and tracer.is_raw([args, list(options.values())]) and not requires_gradient(args, options)
    if tracer is not None and options.get("out") is None and func not in _OF_SIZE:
        if func in _FORM:
            return tracer.unseen(func, *args, **options)
        if func in _INDEX or (func not in _PLAIN and own):
            return tracer.numpy(name_of(func, func), func, args, options)
    looks = own and func in _OF_SIZE - WRITERS
    if (func in _PLAIN or func in _INDEX or looks) and options.get("out") is None:
        result = func(*plain(args), **{key: plain(value) for key, value in options.items()})
        return tensors_of(result) if func in _INDEX and not looks else result
    function = _CREATION.get(func) or NUMPY_FUNCTIONS.get(func) or answering(func)
    if func in WRITERS and not (isinstance(args[0], Tensor) and requires_gradient(args, options)):
        function = None
    return _run(function, func, func, args, options)


_VALUES = {of: function for of, function in NUMPY_FUNCTIONS.items() if of not in _TRUTH_UFUNCS}
METHODS = {"__array_ufunc__": backend.ufunc(_VALUES, array_ufunc), "__array_function__": array_function}


def _late(ufunc: np.ufunc) -> Callable[..., Any] | None:
    """The function for a ufunc, whose family loads if need be; the engine calls it directly from then on."""
    function = answering(ufunc)
    if function is not None and ufunc not in _TRUTH_UFUNCS:
        _VALUES[ufunc] = function
    return function


def _run(function: Any, of: Any, called: Any, args: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """zen's function in the place of NumPy's `called`, if there is one and it takes these arguments."""
    if function is None:
        if requires_gradient(args, options):
            raise refusal(of, called, args, options)
        return undifferentiated.run(name_of(of, called), called, args, options)
    try:
        if not options:
            return function(*args)
        out = options.get("out")
        if out is Ellipsis:  # no scalars: there are none here
            out, options = None, {**options, "out": None}
        if out is not None and not all([x is None or isinstance(x, Tensor) for x in _several(out)]):
            raise refusal(of, called, args, options)
        if called is of and isinstance(of, np.ufunc):
            from . import options as apart  # rare

            return apart.ufunc(name_of(of, of), of, function, args, options)
        if of is np.clip:
            from . import options as apart

            return apart.clip(function, *args, **options)
        args, options = _accepted(of, called, function, args, options)
        if out is None:
            return function(*args, **options)
        from . import options as apart

        return apart.with_out(name_of(of, called), function, args, options, out)
    except Exception as error:
        return _instead(error, of, called, args, options)


def _several(out: Any) -> tuple[Any, ...]:
    return out if isinstance(out, tuple) else (out,)


def _instead(error: Exception, of: Any, called: Any, args: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """What zen's function does not take, NumPy may: its result, if no gradient is at stake, else zen's error.

    Least squares that have no result have none in NumPy, whose search for it may not end.
    """
    endless = of is np.linalg.lstsq and isinstance(error, np.linalg.LinAlgError)
    if endless or requires_gradient(args, options):
        raise error
    try:
        return undifferentiated.run(name_of(of, called), called, args, options)
    except Exception:
        raise error from None


def _accepted(
    of: Any, called: Any, function: Any, args: tuple[Any, ...], options: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """What to pass on to zen's function, `out` left out; TypeError for arguments that it does not have."""
    known = _known(function)
    if not known.issuperset(options):
        args, options = by_position(called, args, options)
    accepted = {}
    for key, value in options.items():
        if key in known or (_ANY in known and key != "out"):
            accepted[key] = value
        elif key != "out" and not (_passes(key, value) or (function in _CREATION.values() and key == "order")):
            remedy = _REMEDIES.get(key, "write the result without it, or pass t.detach() if no gradient is wanted")
            raise TypeError(f"{name_of(of, called)} on a Tensor does not take the argument {key!r}; {remedy}")
    return args, accepted


def _known(function: Any) -> frozenset[str]:
    """The names of the arguments that zen's function has, and `_ANY` if it hands on all others."""
    found = _names.get(function)
    if found is None:
        code = getattr(getattr(function, "__wrapped__", function), "__code__", None)
        n = 0 if code is None else code.co_argcount + code.co_kwonlyargcount
        names = () if code is None else code.co_varnames[:n]
        takes_all = code is not None and code.co_flags & 8 and function.__annotations__.get("unknown") != "Never"
        found = _names[function] = frozenset((*names, _ANY) if takes_all else names)
    return found


_names: dict[Any, frozenset[str]] = {}
_ANY = "**"


def _passes(key: str, value: Any) -> bool:
    """Whether an option says nothing that NumPy's default does not say."""
    if value is None or value is np._NoValue or (key == "where" and value is True):
        return True
    return key in _IGNORED and (_IGNORED[key] is None or value in _IGNORED[key])  # type: ignore[operator]
