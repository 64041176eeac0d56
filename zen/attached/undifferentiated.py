"""NumPy functions that run on the arrays of Tensors, because no gradient is at stake, and the errors where one is.

Used by `protocols.py` for what has no row, and for arguments that a row does not take.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import lru_cache
from itertools import takewhile
from typing import Any

import numpy as np

from .. import backend
from ..backend import Tensor
from ..conversion import refuse_stripping
from ..dtypes import SUPPORTED
from ..ops.register import FUNCTIONS

_NAMES = {"expit": "sigmoid", "log_expit": "logsigmoid"}
"""Ufuncs of SciPy that zen has under another name."""

WRITERS = frozenset({np.copyto, np.put, np.place, np.putmask, np.fill_diagonal, np.put_along_axis})
_FIRST: dict[Any, tuple[str, ...]] = {
    np.copyto: ("dst", "src"), np.putmask: ("a", "mask", "values"), np.concatenate: ("arrays",), np.dot: ("a", "b"),
    np.vdot: ("a", "b"), np.inner: ("a", "b"), np.where: ("condition", "x", "y"),
}  # fmt: skip
"""The arguments of functions in C, which older NumPy does not describe."""
KEEPERS = frozenset({np.save, np.savez, np.savez_compressed, np.savetxt})
_NUMBERS = "it takes whole numbers, which have none"
_DATES = "it is about dates"
REASONS = {
    "busday_count": _DATES, "busday_offset": _DATES, "datetime_as_string": _DATES, "is_busday": _DATES, "isnat": _DATES,
    "ix_": _NUMBERS, "packbits": "it takes bits", "ravel_multi_index": _NUMBERS, "unpackbits": "it takes bits",
    "unravel_index": _NUMBERS,
}  # fmt: skip
"""Why a function has no derivative, by its name."""
_OVERWRITING = {"overwrite_input": True, "copy": False}
"""Options by which a function may write into its first argument."""


def requires_gradient(*values: Any) -> bool:
    """Whether a Tensor in nested sequences and dicts requires a gradient, while operations are recorded."""
    return backend.grad_enabled() and any([_requires(x) for x in values])


def _requires(x: Any) -> bool:
    if isinstance(x, Tensor):
        return x.requires_grad
    if isinstance(x, dict):
        x = list(x.values())
    return isinstance(x, (list, tuple)) and any([_requires(part) for part in x])


def run(name: str, called: Callable[..., Any], args: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """NumPy's own function on the arrays of Tensors, none of which requires a gradient.

    Arrays in the result become Tensors, with memory of their own; what no Tensor can hold (strings, dates), scalars
    and everything else are returned as NumPy gives them. A Tensor that the function writes into, `out` among
    them, is written by `copy_`, which lets graphs know.
    """
    targets: dict[int, tuple[Tensor, np.ndarray]] = {}

    def target(t: Any) -> Any:
        if not isinstance(t, Tensor):
            return t
        targets.setdefault(id(t), (t, t.array.copy()))
        return targets[id(t)][1]

    given, named = list(args), dict(options)
    if given and (_writes(called) or any([named.get(key) is value for key, value in _OVERWRITING.items()])):
        given[0] = target(given[0])
    if named.get("out") is not None:
        out = named["out"]
        named["out"] = tuple([target(t) for t in out]) if isinstance(out, tuple) else target(out)
    tracer = backend.tracer()
    if tracer is not None and not targets and called not in KEEPERS:
        return tracer.numpy(name, called, given, named)
    arrays = plain(given)
    result = called(*arrays, **{key: plain(value) for key, value in named.items()})
    for t, array in targets.values():
        t.copy_(array)
    own = {id(array): t for t, array in targets.values()}
    inputs: list[np.ndarray] = []
    users: list[np.ndarray] = []
    for original, array in (*_pairs(args, arrays), *_pairs(list(options.values()), list(options.values()))):
        if isinstance(original, Tensor):
            inputs.append(array if isinstance(array, np.ndarray) else original.array)
        elif isinstance(original, np.ndarray):
            users.append(original)
    return _returned(result, own, inputs, users)


def _returned(result: Any, own: dict[int, Tensor], inputs: list[np.ndarray], users: list[np.ndarray]) -> Any:
    if isinstance(result, (tuple, list)):
        parts = [_returned(part, own, inputs, users) for part in result]
        return type(result)(*parts) if hasattr(result, "_fields") else type(result)(parts)
    if id(result) in own:
        return own[id(result)]
    if type(result) is not np.ndarray or any([result is x for x in users]) or result.dtype not in SUPPORTED:
        return result
    if not result.dtype.isnative:
        result = result.astype(result.dtype.newbyteorder("="))
    if any([np.may_share_memory(result, x) for x in inputs]):
        result = result.copy()  # a view of a Tensor that the Tensor does not know would miss what is written into it
    return backend.wrap(result)


def _pairs(values: Any, arrays: Any) -> list[tuple[Any, Any]]:
    """The leaves of nested sequences, each with what stands in its place in `arrays`."""
    found: list[tuple[Any, Any]] = []
    for value, array in zip(values, arrays, strict=True):
        if isinstance(value, (list, tuple)):
            found += _pairs(value, array)
        else:
            found.append((value, array))
    return found


def _writes(called: Any) -> bool:
    return called in WRITERS or getattr(called, "__name__", "") == "at"


def plain(x: Any) -> Any:
    """x with every Tensor in it replaced by its array; TypeError for arrays that are more than their values."""
    if isinstance(x, Tensor):
        return x.array
    if isinstance(x, (list, tuple)):
        if not any([isinstance(part, (Tensor, list, tuple, np.ndarray)) for part in x]):
            return x
        parts = [plain(part) for part in x]
        return type(x)(*parts) if hasattr(x, "_fields") else type(x)(parts)
    if isinstance(x, np.ndarray):
        refuse_stripping(x)
    return x


def tensors_of(result: Any) -> Any:
    """Indices and truth values as Tensors, scalars too."""
    if isinstance(result, tuple):
        return tuple([tensors_of(part) for part in result])
    return backend.wrap(np.asarray(result))


def by_position(func: Any, args: tuple[Any, ...], options: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """A call with the needed arguments by position, in NumPy's order: zen's functions call them otherwise."""
    names, needed, _ = _parameters(func)
    found, rest = list(args), dict(options)
    for name in names[len(args) : needed]:
        if name not in rest:
            break
        found.append(rest.pop(name))
    return tuple(found), rest


def by_name(func: Any, args: tuple[Any, ...], options: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Positional arguments from the first of `_NAMED` onwards, by name: zen's functions have no place for them."""
    names, _, first = _parameters(func)
    if first >= len(args):
        return args, options
    given = [(key, x) for key, x in zip(names[first:], args[first:], strict=False) if x is not np._NoValue]
    return args[:first], {**dict(given), **options}


_NAMED = ("dtype", "out", "kind", "subok")


@lru_cache(maxsize=1024)
def _parameters(func: Any) -> tuple[tuple[str, ...], int, int]:
    """The names of NumPy's arguments; how many, from the first on, are needed; where the first of `_NAMED` stands."""
    import inspect

    try:
        parameters = list(inspect.signature(func).parameters.values())
    except (TypeError, ValueError):  # a function in C
        names = _FIRST.get(func, ())
        return names, len(names), sys.maxsize
    if any(p.kind is p.VAR_POSITIONAL for p in parameters):
        return (), 0, sys.maxsize
    names = tuple([p.name for p in parameters])
    needed = len(list(takewhile(_is_needed, parameters)))
    return names, needed, min([names.index(key) for key in _NAMED if key in names], default=sys.maxsize)


def _is_needed(p: Any) -> bool:
    return p.kind is p.POSITIONAL_OR_KEYWORD and p.default is p.empty


def name_of(of: Any, called: Any) -> str:
    """How the user knows a function: `numpy.linalg.svd`, `numpy.add.reduce`, `scipy.special.erf`."""
    if not isinstance(of, np.ufunc):
        return f"{getattr(of, '__module__', None) or 'numpy'}.{of.__name__}"
    name = of.__name__
    special = sys.modules.get("scipy.special")
    if getattr(np, name, None) is of:
        name = f"numpy.{name}"
    elif special is not None and getattr(special, name, None) is of:
        name = f"scipy.special.{name}"
    else:
        name = f"the ufunc {name!r}"
    return name if called is of else f"{name}.{called.__name__}"


def refusal(of: Any, called: Any, args: tuple[Any, ...], options: dict[str, Any]) -> TypeError:
    """The error for a function that would lose the gradient of a Tensor among its arguments."""
    name, own = name_of(of, called), of.__name__
    out = options.get("out")
    outs = [x for x in (out if isinstance(out, tuple) else (out,)) if x is not None]
    if outs:
        return TypeError(
            f"{name}: what is given as 'out' cannot take a result that requires a gradient, unless it is a Tensor and "
            "zen has the derivative; write `a = a + t` instead of `a += t`, which makes a Tensor, t.copy_(result) for "
            "a Tensor t, or pass t.detach() if the gradient is not wanted"
        )
    if called in KEEPERS:
        return TypeError(f"{name} keeps plain values, not gradients: pass t.detach()")
    if _writes(called):
        also = ", by which numpy.full and numpy.full_like fill," if called is np.copyto else ""
        return TypeError(
            f"{name}{also} would write a Tensor that requires a gradient into an array, or into such a Tensor, and "
            "lose the gradient; write into a Tensor with x[key] = t, fill one with zen.full(shape, t), or pass "
            "t.detach() if no gradient is wanted"
        )
    same = _NAMES.get(own, own)
    if called is of and same in FUNCTIONS.names():
        return TypeError(
            f"{name} would lose the gradient of a Tensor; call zen.f.{same}, which has its derivative, or pass "
            "t.detach() if no gradient is wanted"
        )
    if own in REASONS:
        return TypeError(f"{name} has no derivative: {REASONS[own]}; pass t.detach() if no gradient is wanted")
    return TypeError(
        f"{name} has no derivative in zen and would lose the gradient of a Tensor; pass t.detach() if no gradient is "
        "wanted, or define its derivative with zen.custom_vjp"
    )
