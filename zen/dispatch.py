"""NumPy functions called on Tensors: `np.sin(t)`, `np.sum(t, axis=0)`, `np.concatenate([t, a])`.

NumPy hands such calls to `__array_ufunc__` and `__array_function__`, which zen/tensor.py attaches to Tensor. A function
with a row runs that row, so the result has a gradient. A few others cannot lose one, because their result is a shape,
an index or a truth value; they run on the arrays. Everything else raises TypeError and names the remedy: no gradient is
ever dropped in silence.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from . import backend, creation
from .backend import Tensor
from .conversion import convert
from .ops.register import FUNCTIONS, NUMPY_FUNCTIONS

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
    np.array_repr, np.array_str, np.array2string, np.count_nonzero,
})  # fmt: skip
"""Functions whose result is no array of values: it is returned as NumPy gives it."""

_INDEX = frozenset({
    np.isclose, np.argsort, np.argpartition, np.lexsort, np.nonzero, np.flatnonzero, np.argwhere, np.searchsorted,
    np.digitize, np.isin, np.isreal, np.iscomplex, np.isposinf, np.isneginf, np.nanargmax, np.nanargmin,
})  # fmt: skip
"""Functions whose result is made of indices or truth values: it becomes Tensors without a gradient."""

_CREATION: dict[Any, Callable[..., Any]] = {
    np.zeros_like: creation.zeros_like, np.ones_like: creation.ones_like, np.empty_like: creation.empty_like,
    np.full_like: creation.full_like,
}  # fmt: skip

_IGNORED = {"order": ("K", "C", None), "subok": (True, False), "casting": ("same_kind",), "optimize": None}
"""Arguments that do not change the values, with the settings under which they are passed over (None: any)."""

_OUT = "compute the result first and write it with t.copy_(result) or array[...] = result.detach().numpy()"
_REMEDIES = {
    "out": _OUT,
    "where": "choose with zen.where(mask, a, b)",
    "dtype": "convert with astype(dtype)",
    "initial": "combine the result with the initial value yourself",
}


def array_ufunc(self: Tensor, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
    """A NumPy ufunc, or one of its methods, on Tensors."""
    if not all(isinstance(x, (Tensor, np.ndarray, np.generic, int, float, list, tuple)) for x in inputs):
        return NotImplemented  # another library's array: it may know what to do
    name = f"numpy.{ufunc.__name__}" + ("" if method == "__call__" else f".{method}")
    if method != "__call__":
        return _ufunc_method(ufunc, method, name, inputs, options)
    out = options.pop("out", None)
    if out is not None:
        return _into(out, ufunc, name, inputs, options)
    for key, value in list(options.items()):
        if _passes(key, value):
            del options[key]
    function = NUMPY_FUNCTIONS.get(ufunc)
    if ufunc in _TRUTH_UFUNCS:
        if options:
            raise _no_argument(name, next(iter(options)))
        return _wrapped(ufunc(*_arrays(inputs)))
    if function is None:
        raise _no_row(name)
    if options:
        raise _no_argument(name, next(iter(options)))
    return function(*(x if isinstance(x, (Tensor, int, float)) else convert(x) for x in inputs))


def array_function(self: Tensor, func: Any, types: Any, args: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """A NumPy function other than a ufunc on Tensors."""
    if not all(issubclass(kind, (Tensor, np.ndarray)) for kind in types):
        return NotImplemented
    name = f"{getattr(func, '__module__', None) or 'numpy'}.{func.__name__}"
    if func is np.where and len(args) == 1:
        func = np.nonzero
    if func in _PLAIN or func in _INDEX:
        if options.get("out") is not None:
            raise _no_argument(name, "out")
        result = func(*_arrays(args), **{key: _arrays(value) for key, value in options.items()})
        return _wrapped(result) if func in _INDEX else result
    function: Callable[..., Any] | None = _CREATION.get(func) or NUMPY_FUNCTIONS.get(func)
    if function is None:
        raise _no_row(name)
    if len(args) > 2:
        args, options = _by_name(func, args, options)
    return function(*args, **_accepted(name, function, options))


METHODS = {"__array_ufunc__": array_ufunc, "__array_function__": array_function}


def _ufunc_method(ufunc: np.ufunc, method: str, name: str, inputs: tuple[Any, ...], options: dict[str, Any]) -> Any:
    target = _REDUCTIONS.get((ufunc, method))
    if target is None:
        raise _no_row(name)
    function = FUNCTIONS[target]
    array, *rest = inputs
    options = {**dict(zip(("axis", "dtype", "out", "keepdims"), rest, strict=False)), **options}
    options.setdefault("axis", 0)
    if options["axis"] is None and method == "accumulate":
        raise TypeError(f"{name}: an axis is needed")
    if not options.get("keepdims"):
        options.pop("keepdims", None)
    if isinstance(options.get("out"), tuple):
        (options["out"],) = options["out"]
    return function(array, **_accepted(name, function, options))


def _into(out: tuple[Any, ...], ufunc: np.ufunc, name: str, inputs: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """A ufunc with `out`: allowed where no gradient is at stake and the target is an ndarray (`array += t`)."""
    if any(isinstance(x, Tensor) for x in out):
        raise TypeError(
            f"{name}: a Tensor cannot be the target of out=; {_OUT}, or use the in-place form (t += x, t.add_(x))"
        )
    if any(isinstance(x, Tensor) and x.requires_grad for x in inputs):
        raise TypeError(
            f"{name}: an ndarray cannot take a result that requires a gradient; write `a = a + t` instead of `a += t`, "
            "which makes a Tensor, or t.detach() if the gradient is not wanted"
        )
    return ufunc(*_arrays(inputs), out=out, **options)


def _accepted(name: str, function: Any, options: dict[str, Any]) -> dict[str, Any]:
    """The options to pass on; TypeError for those that zen's function does not have."""
    code = getattr(function, "__code__", None)
    known = () if code is None else code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    accepted = {}
    for key, value in options.items():
        if key in known:
            accepted[key] = value
        elif not _passes(key, value):
            raise _no_argument(name, key)
    return accepted


def _passes(key: str, value: Any) -> bool:
    """Whether an option says nothing that NumPy's default does not say."""
    if value is None or value is np._NoValue or (key == "where" and value is True):
        return True
    return key in _IGNORED and (_IGNORED[key] is None or value in _IGNORED[key])  # type: ignore[operator]


def _by_name(func: Any, args: tuple[Any, ...], options: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Positional arguments from NumPy's dtype or out onwards, by name: zen's functions have no place for them."""
    import inspect  # costs milliseconds; only rare calls come here

    try:
        parameters = inspect.signature(func).parameters.values()
    except (TypeError, ValueError):
        return args, options
    if any(p.kind is p.VAR_POSITIONAL for p in parameters):
        return args, options
    names = [p.name for p in parameters]
    first = min((names.index(key) for key in ("dtype", "out") if key in names), default=len(names))
    return args[:first], {**dict(zip(names[first:], args[first:], strict=False)), **options}


def _arrays(x: Any) -> Any:
    """x with every Tensor in it replaced by its array."""
    if isinstance(x, Tensor):
        return x.array
    if isinstance(x, (list, tuple)) and any(isinstance(part, (Tensor, list, tuple)) for part in x):
        return type(x)(_arrays(part) for part in x)
    return x


def _wrapped(result: Any) -> Any:
    if isinstance(result, tuple):
        return tuple(_wrapped(part) for part in result)
    return backend.wrap(np.asarray(result))


def _no_row(name: str) -> TypeError:
    return TypeError(
        f"{name} has no derivative in zen and would lose the gradient of a Tensor; call it on t.detach().numpy() if "
        "no gradient is wanted, or define its derivative with zen.custom_vjp"
    )


def _no_argument(name: str, key: str) -> TypeError:
    remedy = _REMEDIES.get(key, "leave it out")
    return TypeError(f"{name} on a Tensor does not take the argument {key!r}; {remedy}")
