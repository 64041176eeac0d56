"""The methods of NumPy's ufuncs on Tensors: `reduce`, `accumulate`, `reduceat`, `outer` and `at`, differentiable.

Sums, products, extremes and logarithms of sums have rows. Any other function of two arguments is folded: halves with
halves where the order does not matter, else one element after the other. `protocols.py` imports this where it is used.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..backend import Tensor
from ..dtypes import BOOLEAN, INTEGER
from ..ops.axes import one_axis, reduced_axes, reduced_shape
from ..ops.casting import astype, converted
from ..ops.indexing import plain_key
from ..ops.joining import concat, stack
from ..ops.operands import operand, raw
from ..ops.register import FUNCTIONS, tensors
from ..ops.shape import broadcast_to, moveaxis, reshape
from . import inplace, options

Function = Callable[..., Any]

_REDUCTIONS = {np.add: "sum", np.multiply: "prod", np.maximum: "max", np.minimum: "min"}
_ACCUMULATIONS = {np.add: "cumsum", np.multiply: "cumprod"}
_ASSOCIATIVE = frozenset({
    np.add, np.multiply, np.maximum, np.minimum, np.fmax, np.fmin, np.logaddexp, np.logaddexp2, np.hypot,
})  # fmt: skip


def call(name: str, of: np.ufunc, method: str, function: Function, inputs: tuple[Any, ...], given: Any) -> Any:
    """A method of the ufunc `of`, for which `function` is zen's, with the arguments that NumPy hands on."""
    if method == "at":
        return _at(name, of, function, *inputs)
    if method == "outer":
        return _outer(name, of, function, inputs, given)
    names = ("indices", "axis", "dtype", "out") if method == "reduceat" else ("axis", "dtype", "out", "keepdims")
    array, *rest = inputs
    given = {"axis": 0, **dict(zip(names, rest, strict=False)), **given}
    out = given.pop("out", None)
    defaults = {"keepdims": False, "where": True}
    given = {
        key: value
        for key, value in given.items()
        if key == "axis" or not (value is None or value is np._NoValue or value is defaults.get(key))
    }

    def run(x: Any, **given: Any) -> Any:
        x = operand(name, x)
        if given.get("dtype") is not None:
            x = astype(x, given["dtype"], copy=False)
        elif of not in _REDUCTIONS:
            x = astype(x, of.resolve_dtypes((None, x.dtype, None), reduction=True)[1], copy=False)
        return _METHODS[method](name, of, function, x, **given)

    return run(array, **given) if out is None else options.with_out(name, run, (array,), given, out)


# --- reduce


def _reduce(
    name: str,
    of: np.ufunc,
    function: Function,
    x: Any,
    axis: Any,
    dtype: Any = None,
    keepdims: bool = False,
    initial: Any = None,
    where: Any = None,
) -> Any:
    if of in _REDUCTIONS:
        rest = {} if dtype is None or of in (np.maximum, np.minimum) else {"dtype": dtype}
        made = FUNCTIONS[_REDUCTIONS[of]](x, axis, keepdims=keepdims, initial=initial, where=where, **rest)
        return made
    axes = tuple(range(x.ndim)) if axis is None else reduced_axes(name, axis, x.shape) or ()
    if len(axes) > 1 and of not in _ASSOCIATIVE:
        raise ValueError(f"{name}: the order of the elements matters, so at most one axis can be reduced at a time")
    shape, kept = x.shape, reduced_shape(x.shape, axes, keepdims)
    mask = None if where is None else np.broadcast_to(_mask(name, where), shape)
    if mask is not None and initial is None and of.identity is None:
        raise ValueError(f"{name}: where= may leave nothing over, which has no value; give initial= as well")
    if mask is not None and of in _ASSOCIATIVE:
        neutral = initial if of.identity is None else of.identity
        x, mask = FUNCTIONS["where"](mask, x, _typed(name, neutral, x.dtype)), None
    lines = _in_front(x, axes)
    masks = None if mask is None else raw(_in_front(mask, axes))
    if initial is None and (len(lines) == 0 or masks is not None):
        if of.identity is None:
            raise ValueError(f"{name}: no elements along axis {axis} of shape {shape}, and no value for none of them")
        initial = of.identity
    first = None if initial is None else broadcast_to(_typed(name, initial, x.dtype), lines.shape[1:])
    return reshape(_folded(of, function, lines, first, masks), kept)


def _mask(name: str, where: Any) -> np.ndarray:
    mask = np.asarray(raw(operand(name, where)))
    if mask.dtype not in BOOLEAN:
        raise TypeError(f"{name}: where= is a mask of bools, not of dtype {mask.dtype}")
    return mask


def _typed(name: str, value: Any, dtype: Any) -> Any:
    return converted(name, value, dtype) if isinstance(value, Tensor) else np.asarray(value, dtype)


def _in_front(x: Any, axes: tuple[int, ...]) -> Any:
    """x with the axes joined to the first one."""
    x = moveaxis(x, axes, tuple(range(len(axes))))
    rest = x.shape[len(axes) :]
    return reshape(x, (int(np.prod(x.shape[: len(axes)])), *rest))


def _folded(of: np.ufunc, function: Function, lines: Any, first: Any, masks: Any) -> Any:
    if of is np.logaddexp and len(lines):
        y = FUNCTIONS["logsumexp"](lines, 0)
        return y if first is None else function(first, y)
    if of in _ASSOCIATIVE and len(lines):
        while len(lines) > 1:
            half, odd = len(lines) // 2, len(lines) % 2
            joined = function(lines[:half], lines[half : 2 * half])
            lines = concat([joined, lines[-1:]]) if odd else joined
        return lines[0] if first is None else function(first, lines[0])
    y, begin = (lines[0], 1) if first is None else (first, 0)
    for k in range(begin, len(lines)):
        if masks is None:
            y = function(y, lines[k])
        else:  # a value that does no harm where none is taken
            y = FUNCTIONS["where"](masks[k], function(y, FUNCTIONS["where"](masks[k], lines[k], 1)), y)
    return y


# --- accumulate


def _accumulate(name: str, of: np.ufunc, function: Function, x: Any, axis: Any, dtype: Any = None) -> Any:
    if axis is None:
        raise TypeError(f"{name}: an axis is needed")
    if not x.ndim:
        raise TypeError(f"{name}: a 0-d array has no axis to go along")
    k = one_axis(name, axis, x.shape)
    if of in _ACCUMULATIONS:
        return FUNCTIONS[_ACCUMULATIONS[of]](x, k, dtype=dtype)
    if of in (np.maximum, np.minimum):
        return FUNCTIONS["take_along_axis"](x, _places(of, np.asarray(raw(x)), k), k)
    lines = moveaxis(x, k, 0)
    if of in _ASSOCIATIVE:
        step = 1
        while step < len(lines):
            lines = concat([lines[:step], function(lines[:-step], lines[step:])])
            step *= 2
        return moveaxis(lines, 0, k)
    found = [lines[0]] if len(lines) else []
    for j in range(1, len(lines)):
        found.append(function(found[-1], lines[j]))
    return stack(found, k) if found else x


def _places(of: np.ufunc, x: np.ndarray, axis: int) -> np.ndarray:
    """Where the extremes so far stand: of equal ones the last, which then has the whole gradient."""
    extremes = of.accumulate(x, axis=axis)
    positions = np.arange(x.shape[axis]).reshape((-1,) + (1,) * (x.ndim - axis - 1))
    found: np.ndarray = np.maximum.accumulate(np.where((x == extremes) | (x != x), positions, 0), axis=axis)
    return found


# --- reduceat


def _reduceat(name: str, of: np.ufunc, function: Function, x: Any, axis: Any, indices: Any, dtype: Any = None) -> Any:
    k = one_axis(name, axis, x.shape)
    starts = np.asarray(raw(operand(name, indices)))
    if starts.ndim != 1 or starts.dtype not in INTEGER:
        raise TypeError(f"{name}: indices are a list of ints, not of shape {starts.shape} and dtype {starts.dtype}")
    n, lines = x.shape[k], moveaxis(x, k, 0)
    wrong = starts[(starts < 0) | (starts >= n)]
    if wrong.size:
        raise IndexError(f"{name}: index {wrong[0]} is out of range for axis {k} of shape {x.shape}")
    found = []
    for start, end in zip(starts.tolist(), [*starts.tolist()[1:], n], strict=True):
        part = lines[start : max(end, start + 1)]
        found.append(_reduce(name, of, function, part, 0, dtype))
    empty = lines[:0] if dtype is None else astype(lines[:0], dtype)
    return moveaxis(stack(found) if found else empty, 0, k)


# --- outer and at


def _outer(name: str, of: np.ufunc, function: Function, inputs: tuple[Any, ...], given: dict[str, Any]) -> Any:
    operands: list[Any] = [x if isinstance(x, (Tensor, int, float, complex)) else operand(name, x) for x in inputs]
    a, b = operands
    if np.ndim(raw(b)) and np.ndim(raw(a)):
        a = reshape(a, (*a.shape, *(1,) * b.ndim))
    return options.ufunc(name, of, function, (a, b), given) if given else function(a, b)


def _at(name: str, of: np.ufunc, function: Function, t: Any, indices: Any, *values: Any) -> None:
    """Elements that are named several times are changed as often, in order."""
    places = np.asarray(np.arange(t.size).reshape(t.shape)[plain_key(indices)])
    given = [broadcast_to(operand(name, v), places.shape) for v in values]
    flat = places.reshape(-1)
    order = np.argsort(flat, kind="stable")
    first = np.searchsorted(flat[order], flat[order])
    turns = np.arange(flat.size) - first
    if of in (np.add, np.subtract) and turns.any():
        part = tensors.scatter(reshape(given[0], (flat.size,)), (t.size,), (flat,))
        change = inplace.add_ if of is np.add else inplace.sub_
        change(t, astype(reshape(part, t.shape), np.result_type(part.dtype, t.dtype), copy=False))
        return
    lined = [reshape(v, (flat.size,)) for v in given]
    for turn in range(int(turns.max(initial=-1)) + 1):
        chosen = np.sort(order[turns == turn])
        key = np.unravel_index(flat[chosen], t.shape) if t.ndim else ()
        changed = function(t[key], *[v[chosen] if t.ndim else reshape(v[chosen], ()) for v in lined])
        inplace.setitem(t, key, changed)  # which checks the dtype


_METHODS: dict[str, Function] = {"reduce": _reduce, "accumulate": _accumulate, "reduceat": _reduceat}
