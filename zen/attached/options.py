"""The options of NumPy's ufuncs, and `out=` of any function, on Tensors.

    out=        a Tensor is written as by `copy_`: the write is recorded, and the Tensor is the result
    where=      only what the mask chooses is computed. Without `out` the other elements are 0, where NumPy leaves
                whatever the memory held; with it they keep their values. Their gradients are exactly zero
    dtype=, signature=, casting=    the operands are converted as NumPy's loop of that dtype asks
    order=      of the result in memory
    axes=, axis=, keepdims=         of products: the axes are moved into place and back

`protocols.py` imports it where such an option is given.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..backend import Tensor
from ..dtypes import BOOLEAN
from ..ops import orders
from ..ops.axes import common_shape, either
from ..ops.casting import astype, converted
from ..ops.operands import operand, raw
from ..ops.register import tensors
from ..ops.shape import broadcast_to, expand_dims, moveaxis
from . import inplace

Function = Callable[..., Any]


def ufunc(name: str, of: np.ufunc, function: Function, inputs: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """`function`, zen's for the ufunc `of`, on these inputs. What `out=` names are Tensors or None."""
    targets = _targets(options.get("out"), of.nout)
    casting = options.get("casting", "same_kind")
    dtypes = options.get("dtype"), options.get("signature", options.get("sig"))
    operands = tuple([x if isinstance(x, (Tensor, int, float, complex)) else operand(name, x) for x in inputs])
    if dtypes != (None, None) or casting != "same_kind":
        operands = _converted(of, operands, *dtypes, casting)
    if of.signature is not None:
        return _finished(name, _along(of, function, operands, options), targets, casting, options.get("order"), True)
    where = options.get("where", True)
    if where is True:
        return _finished(name, function(*operands), targets, casting, options.get("order"), False)
    return _masked(name, function, operands, where, targets, casting)


def clip(
    function: Function, a: Any, a_min: Any = None, a_max: Any = None, out: Any = None, *, min: Any = None,
    max: Any = None, subok: bool = True, **options: Any,
) -> Any:  # fmt: skip
    """np.clip, which takes what ufuncs take."""
    low, high = either("clip", "min", min, "a_min", a_min), either("clip", "max", max, "a_max", a_max)
    options = {key: value for key, value in options.items() if value is not None}
    unknown = [key for key in options if key not in ("where", "dtype", "casting", "order", "signature", "sig")]
    if unknown:
        raise TypeError(f"clip: there is no argument {unknown[0]!r}")
    limits = [(key, x) for key, x in (("min", low), ("max", high)) if x is not None]
    names = [key for key, _ in limits]
    of: Any = _Clip() if len(limits) == 2 else np.maximum if low is not None else np.minimum if limits else np.positive

    def limited(x: Any, *given: Any) -> Any:
        return function(x, **dict(zip(names, given, strict=True)))

    return ufunc("clip", of, limited, (a, *[x for _, x in limits]), {"out": out, **options})


class _Clip:
    """What `ufunc` asks of np.clip with both limits, which is no ufunc by name."""

    nin, nout, signature = 3, 1, None

    def resolve_dtypes(self, dtypes: tuple[Any, ...], *, casting: Any, signature: Any = None) -> tuple[Any, ...]:
        x, low, high, _ = dtypes
        if signature is not None:
            of = np.dtype(signature[-1])
            for limit in (low, high):
                np.maximum.resolve_dtypes((x, limit, None), casting=casting, signature=(None, None, of))
            return (of,) * 4
        *_, first = np.maximum.resolve_dtypes((x, low, None), casting=casting)
        *_, both = np.maximum.resolve_dtypes((first, high, None), casting=casting)
        return (both,) * 4


def with_out(name: str, function: Function, args: tuple[Any, ...], options: dict[str, Any], out: Any) -> Any:
    """`function`, with its result in the Tensor `out`, which must have the shape of the result."""
    result = function(*args, **options)
    several = isinstance(result, tuple)
    return _finished(name, result, _targets(out, len(result) if several else 1), "same_kind", None, True)


def _targets(out: Any, n: int) -> tuple[Any, ...]:
    return (out if isinstance(out, tuple) else (out,)) if out is not None else (None,) * n


def _converted(of: np.ufunc, operands: tuple[Any, ...], dtype: Any, signature: Any, casting: Any) -> tuple[Any, ...]:
    """The operands in the dtypes of the loop that NumPy would choose; TypeError, NumPy's, where there is none."""
    if dtype is not None:
        signature = (None,) * of.nin + (np.dtype(dtype),) * of.nout
    elif isinstance(signature, tuple):
        signature = tuple([None if part is None else np.dtype(part) for part in signature])
    given = [
        type(x) if type(x) in (int, float, complex) else np.dtype(bool) if type(x) is bool else x.dtype
        for x in operands
    ]
    loop = {} if signature is None else {"signature": signature}
    found = of.resolve_dtypes((*given, *[None] * of.nout), casting=casting, **loop)
    return tuple([astype(_array(x), wanted, copy=False) for x, wanted in zip(operands, found, strict=False)])


def _array(x: Any) -> Any:
    return np.asarray(x) if isinstance(x, (int, float, complex)) else x


def _finished(name: str, result: Any, targets: tuple[Any, ...], casting: str, order: Any, whole: bool) -> Any:
    """The results, written into those targets that are given. whole: a target must have the shape of its result."""
    results = result if isinstance(result, tuple) else (result,)
    pairs = list(zip(results, targets, strict=True))
    for found, target in pairs:
        if target is not None:
            fits = found.shape == target.shape if whole else _broadcasts(found.shape, target.shape)
            _check(name, found, found.shape, target, fits, casting)
    fitted = [x if t is None else converted(name, x, t.dtype) for x, t in pairs]
    made = [
        orders.laid_out(x, order) if t is None else inplace.copy_(t, x) for x, t in zip(fitted, targets, strict=True)
    ]
    return tuple(made) if isinstance(result, tuple) else made[0]


def _broadcasts(shape: tuple[int, ...], to: tuple[int, ...]) -> bool:
    lead = len(to) - len(shape)
    return lead >= 0 and all([n in (1, m) for n, m in zip(shape, to[lead:], strict=True)])


def _check(name: str, found: Any, shape: tuple[int, ...], target: Tensor, fits: bool, casting: Any) -> None:
    if not fits:
        raise ValueError(f"{name}: out= has shape {target.shape}, but the result has shape {shape}")
    if not np.can_cast(found.dtype, target.dtype, casting):
        raise TypeError(
            f"{name}: a result of dtype {found.dtype} cannot be written into out= of dtype {target.dtype} with "
            f"casting={casting!r}"
        )


def _masked(
    name: str, function: Function, operands: tuple[Any, ...], where: Any, targets: tuple[Any, ...], casting: str
) -> Any:
    """The function of what the mask chooses alone: what it would do elsewhere, nan among it, never happens."""
    mask = np.asarray(raw(operand(name, where)))
    if mask.dtype not in BOOLEAN:
        raise TypeError(f"{name}: where= is a mask of bools, not of dtype {mask.dtype}")
    known = [t.shape for t in targets if t is not None]
    shape = common_shape(name, mask.shape, *[np.shape(raw(x)) for x in operands], *known)
    mask = np.array(np.broadcast_to(mask, shape))
    chosen = [tensors.getitem(broadcast_to(_array(x), shape), (mask,)) for x in operands]
    result = function(*chosen)
    parts = result if isinstance(result, tuple) else (result,)
    pairs = list(zip(parts, targets, strict=True))
    for part, target in pairs:
        if target is not None:
            _check(name, part, shape, target, target.shape == shape, casting)
    fitted = [x if t is None else converted(name, x, t.dtype) for x, t in pairs]
    made = [
        tensors.setitem(np.zeros(shape, x.dtype), x, (mask,)) if t is None else _written(t, mask, x)
        for x, t in zip(fitted, targets, strict=True)
    ]
    return tuple(made) if isinstance(result, tuple) else made[0]


def _written(target: Tensor, mask: np.ndarray, value: Any) -> Tensor:
    inplace.setitem(target, mask, value)
    return target


def _along(of: np.ufunc, function: Function, operands: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """A product along other axes than the last ones: they are moved there, and those of the result back."""
    given = {key: options[key] for key in ("axes", "axis", "keepdims") if options.get(key) is not None}
    if not given:
        return function(*operands)
    of(*[raw(x) for x in operands], **given)  # NumPy says what is wrong with them
    cores = _cores(of, operands)
    axes = given.get("axes")
    if "axis" in given or axes is None:
        axis = given.get("axis", -1)
        axes = [axis if core else () for core in cores]
    places = [tuple(a) if isinstance(a, (tuple, list)) else (a,) for a in axes]
    last = [tuple(range(-core, 0)) for core in cores]
    made = function(*[moveaxis(x, *pair) for x, *pair in zip(operands, places, last, strict=False)])
    if given.get("keepdims"):
        return expand_dims(made, places[of.nin] if places[of.nin :] and places[of.nin] else places[0])
    return moveaxis(made, last[-1], places[of.nin]) if cores[-1] else made


def _cores(of: np.ufunc, operands: tuple[Any, ...]) -> list[int]:
    """How many axes of each operand, and of the result, are the product's: one of a vector in a matrix's place."""
    assert of.signature is not None
    groups = [part.split("(")[-1] for part in of.signature.replace("->", ",").split(")")[:-1]]
    names = [[n for n in group.split(",") if n] for group in groups]
    gone = {n for x, core in zip(operands, names, strict=False) if x.ndim < len(core) for n in core if n.endswith("?")}
    return [len([n for n in core if n not in gone]) for core in names]
