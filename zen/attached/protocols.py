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
from ..ops.register import FUNCTIONS, NUMPY_FUNCTIONS, answering
from . import undifferentiated
from .undifferentiated import by_name, by_position, name_of, plain, refusal, requires_gradient, tensors_of

_TRUTH_UFUNCS = frozenset({
    np.isnan, np.isinf, np.isfinite, np.signbit, np.logical_and, np.logical_or, np.logical_xor, np.logical_not,
    np.equal, np.not_equal, np.less, np.less_equal, np.greater, np.greater_equal,
    np.bitwise_and, np.bitwise_or, np.bitwise_xor, np.invert, np.left_shift, np.right_shift, np.gcd, np.lcm,
    np.bitwise_count,
})  # fmt: skip
"""Ufuncs whose result is a truth value or an integer: there is no gradient to lose."""

_REDUCTIONS: dict[tuple[np.ufunc, str], str] = {
    (np.add, "reduce"): "sum", (np.multiply, "reduce"): "prod", (np.maximum, "reduce"): "max",
    (np.minimum, "reduce"): "min", (np.logical_and, "reduce"): "all", (np.logical_or, "reduce"): "any",
    (np.add, "accumulate"): "cumsum", (np.multiply, "accumulate"): "cumprod", (np.logaddexp, "reduce"): "logsumexp",
}  # fmt: skip

_PLAIN = frozenset({
    np.shape, np.ndim, np.size, np.iscomplexobj, np.isrealobj, np.result_type, np.can_cast, np.min_scalar_type,
    np.common_type, np.array_equal, np.array_equiv, np.allclose, np.may_share_memory, np.shares_memory,
    np.array_repr, np.array_str, np.array2string, np.count_nonzero, np.linalg.matrix_rank, np.einsum_path,
})  # fmt: skip
"""Functions whose result is no array of values: it is returned as NumPy gives it."""

_INDEX = frozenset({
    np.isclose, np.argsort, np.argpartition, np.lexsort, np.nonzero, np.flatnonzero, np.argwhere, np.searchsorted,
    np.digitize, np.isin, np.isreal, np.iscomplex, np.isposinf, np.isneginf, np.nanargmax, np.nanargmin,
    np.diag_indices_from, np.tril_indices_from, np.triu_indices_from,
})  # fmt: skip
"""Functions whose result is made of indices or truth values: it becomes Tensors without a gradient."""


def _array(object: Any, dtype: Any = None, *, copy: bool | None = True, ndmin: int = 0) -> Tensor:
    made = data.asarray(object, dtype, copy=copy if isinstance(object, (Tensor, np.ndarray)) else None)
    return made if made.ndim >= ndmin else made.reshape((1,) * (ndmin - made.ndim) + made.shape)


def _asarray(a: Any, dtype: Any = None, *, copy: bool | None = None) -> Tensor:
    return data.asarray(a, dtype, copy=copy)


_CREATION: dict[Any, Callable[..., Any]] = {
    np.zeros_like: creation.zeros_like, np.ones_like: creation.ones_like, np.empty_like: creation.empty_like,
    np.full_like: data.full_like, np.full: data.full, np.array: _array, np.asarray: _asarray,
    np.asanyarray: _asarray, np.ascontiguousarray: _asarray, np.asfortranarray: _asarray,
}  # fmt: skip
"""Functions that make arrays: of the shape of a Tensor, or asked for a Tensor by `like=`."""

_IGNORED = {
    "order": ("K", "C", None), "subok": (True, False), "casting": ("same_kind",), "optimize": None, "kind": None,
    "stable": None, "device": ("cpu", None), "overwrite_input": None, "mode": ("raise",),
}  # fmt: skip
"""Arguments that do not change the values, with the settings under which they are passed over (None: any)."""

_REMEDIES = {
    "out": "compute the result first and write it with t.copy_(result) or array[...] = result.detach().numpy()",
    "where": "choose with zen.where(mask, a, b)",
    "dtype": "convert with astype(dtype)",
    "initial": "combine the result with the initial value yourself",
    "order": "reverse the axes before and after, as in t.T.reshape(shape[::-1]).T for order='F'",
    "mode": "bring the indices into range first, with np.clip(i, 0, n - 1) for 'clip' and i % n for 'wrap'",
    "axes": "bring the axes into place first, with np.moveaxis",
}
_TAKES = (Tensor, np.ndarray, np.generic, int, float, complex, list, tuple)


def array_ufunc(self: Tensor, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
    """A NumPy ufunc, or one of its methods, on Tensors."""
    if not all([isinstance(x, _TAKES) for x in inputs]):
        return NotImplemented  # another library's array: it may know what to do
    if method == "__call__":
        if ufunc in _TRUTH_UFUNCS and not options:
            return tensors_of(ufunc(*plain(inputs)))
        function = NUMPY_FUNCTIONS.get(ufunc) or _late(ufunc)
        if not options and function is not None:
            try:
                return function(*[x if isinstance(x, (Tensor, int, float)) else convert(x) for x in inputs])
            except Exception as error:
                return _instead(error, ufunc, ufunc, inputs, options)
        return _run(function, ufunc, ufunc, inputs, options)
    target, called = _REDUCTIONS.get((ufunc, method)), getattr(ufunc, method)
    if target is None:
        return _run(None, ufunc, called, inputs, options)
    if target == "cumsum" and options.get("axis", 0) is None:
        raise TypeError(f"{name_of(ufunc, called)}: an axis is needed")
    array, *rest = inputs
    given = {**dict(zip(("axis", "dtype", "out", "keepdims"), rest, strict=False)), **options}
    given.setdefault("axis", 0)
    if not given.get("keepdims"):
        given.pop("keepdims", None)
    return _run(FUNCTIONS[target], ufunc, called, (array,), given)


def array_function(self: Tensor, func: Any, types: Any, args: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """A NumPy function other than a ufunc on Tensors."""
    if not all([issubclass(kind, (Tensor, np.ndarray)) for kind in types]):
        return NotImplemented
    if func is np.where and len(args) == 1:
        func = np.nonzero
    if not args:
        args, options = by_position(func, options)
    elif len(args) > 2:
        args, options = by_name(func, args, options)
    if (func in _PLAIN or func in _INDEX) and options.get("out") is None:
        result = func(*plain(args), **{key: plain(value) for key, value in options.items()})
        return tensors_of(result) if func in _INDEX else result
    return _run(_CREATION.get(func) or NUMPY_FUNCTIONS.get(func) or answering(func), func, func, args, options)


_VALUES = {of: function for of, function in NUMPY_FUNCTIONS.items() if of not in _TRUTH_UFUNCS}
METHODS = {"__array_ufunc__": backend.ufunc(_VALUES, array_ufunc), "__array_function__": array_function}


def _late(ufunc: np.ufunc) -> Callable[..., Any] | None:
    """The function of a family that loads now; the engine calls it directly from then on."""
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
        return function(*args, **(options and _accepted(of, called, function, args, options)))
    except Exception as error:
        return _instead(error, of, called, args, options)


def _instead(error: Exception, of: Any, called: Any, args: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """What zen's function does not take, NumPy may: its result, if no gradient is at stake, else zen's error."""
    if requires_gradient(args, options):
        raise error
    try:
        return undifferentiated.run(name_of(of, called), called, args, options)
    except Exception:
        raise error from None


def _accepted(of: Any, called: Any, function: Any, args: tuple[Any, ...], options: dict[str, Any]) -> dict[str, Any]:
    """The options to pass on; TypeError for those that zen's function does not have."""
    code = getattr(function, "__code__", None)
    known = () if code is None else code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    accepted = {}
    for key, value in options.items():
        if key in known:
            accepted[key] = value
        elif not (_passes(key, value) or (function in _CREATION.values() and key == "order")):
            if key == "out":
                raise refusal(of, called, args, options)
            remedy = _REMEDIES.get(key, "write the result without it, or pass t.detach() if no gradient is wanted")
            raise TypeError(f"{name_of(of, called)} on a Tensor does not take the argument {key!r}; {remedy}")
    return accepted


def _passes(key: str, value: Any) -> bool:
    """Whether an option says nothing that NumPy's default does not say."""
    if value is None or value is np._NoValue or (key == "where" and value is True):
        return True
    return key in _IGNORED and (_IGNORED[key] is None or value in _IGNORED[key])  # type: ignore[operator]
