"""The rules of reading and writing by index, whose key may itself differ by example."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..backend import Tensor
from ..batched import Batched, Unbatched
from ..dtypes import BOOLEAN, INTEGER
from .applying import RULES, Call


def key_of(call: Call) -> tuple[Any, ...]:
    key = call.param("key")
    return key if type(key) is tuple else (key,)


def is_array(part: Any) -> bool:
    return isinstance(part, (np.ndarray, list, bool, np.bool_, Batched))


def is_together(key: tuple[Any, ...]) -> bool:
    """Whether the axes that arrays and ints in the key make stay in their place: NumPy puts them first otherwise."""
    places = [k for k, part in enumerate(key) if is_array(part)]
    if not places:
        return True
    advanced = [k for k, part in enumerate(key) if k in places or type(part) is int]
    return advanced[-1] - advanced[0] == len(advanced) - 1


def has_bool(key: tuple[Any, ...]) -> bool:
    """Whether a single bool is part of the key, which NumPy takes for an axis of its own."""
    return any([np.ndim(p) == 0 and np.asarray(p).dtype in BOOLEAN for p in key
                if isinstance(p, (np.ndarray, bool, np.bool_))])  # fmt: skip


def made_axes(key: tuple[Any, ...]) -> int:
    """How many axes the arrays of the key make: one for a mask, else as many as they have, broadcast."""
    return max([1 if np.asarray(p).dtype in BOOLEAN else np.ndim(p) for p in key if is_array(p)], default=0)


def getitem(call: Call) -> Any:
    key = key_of(call)
    if any([type(part) is Batched for part in key]):
        return chosen(call, key)
    if has_bool(key):
        return None
    made = call.again(call.values, ((slice(None), *key),))
    return made if is_together(key) else _examples_first(call, made, made_axes(key))


def scatter(call: Call) -> Any:
    shape, key = call.param("shape"), key_of(call)
    if has_bool(key):
        return None
    v = call.values[0] if is_together(key) else _examples_behind(call, call.values[0], made_axes(key))
    return call.again([v], ((call.size, *shape), (slice(None), *key)))


def setitem(call: Call) -> Any:
    key = key_of(call)
    if any([type(part) is Batched for part in key]):
        return _written(call, key)
    if has_bool(key):
        return None
    selected = np.broadcast_to(np.zeros((), bool), call.shape(0))[key].ndim
    if len(call.shape(1)) > selected:
        return None
    v = call.padded(1, selected)
    if not is_together(key):
        n = made_axes(key)
        if call.mapped[1]:
            v = _examples_behind(call, v, n)
        elif len(call.shape(1)) > selected - n:
            shape = (*(1,) * (selected - len(call.shape(1))), *call.shape(1))
            v = call.apply("reshape", v, (*shape[:n], 1, *shape[n:]))
    return call.again([call.full(0), v], ((slice(None), *key),))


def _examples_first(call: Call, x: Any, n: int) -> Any:
    """The axis of the examples before the n axes that a key made."""
    return call.apply("permute_dims", x, (n, *range(n), *range(n + 1, x.ndim)))


def _examples_behind(call: Call, x: Any, n: int) -> Any:
    return call.apply("permute_dims", x, (*range(1, n + 1), 0, *range(n + 1, x.ndim)))


# Keys that differ by example


def chosen(call: Call, key: tuple[Any, ...]) -> Any:
    """x[key]: the number of the example is one more index.

    What the key says by slices comes first, then the axes of its arrays are moved to the front.
    """
    in_place, key = is_together(key), _spelled_out(key, len(call.shape(0)))
    places = [k for k, part in enumerate(key) if not (part is None or isinstance(part, slice))]
    arrays = _arrays(call, [key[k] for k in places])
    x = call.full(0)
    basic = tuple([slice(None) if k in places else part for k, part in enumerate(key)])
    if any([part != slice(None) for part in basic]):
        x = call.apply("getitem", x, (slice(None), *basic))
    if places != list(range(len(places))):
        rest = [k for k in range(len(key)) if k not in places]
        x = call.apply("permute_dims", x, (0, *[k + 1 for k in (*places, *rest)]))
    made = call.apply("getitem", x, tuple(arrays))
    n = arrays[0].ndim - 1
    if in_place and places[0]:
        before = range(n + 1, n + 1 + places[0])
        behind = range(n + 1 + places[0], made.ndim)
        made = call.apply("permute_dims", made, (0, *before, *range(1, n + 1), *behind))
    return made


def _spelled_out(key: tuple[Any, ...], ndim: int) -> tuple[Any, ...]:
    """The key with slices in the place of an Ellipsis and behind its parts: as long as x has axes, but for None."""
    missing = ndim - len([p for p in key if p is not None and p is not Ellipsis])
    if missing < 0 or any([isinstance(p, list) for p in key]):
        raise Unbatched("an index differs by example")
    filled = [slice(None)] * missing
    at = next((k for k, p in enumerate(key) if p is Ellipsis), None)
    return (*key, *filled) if at is None else (*key[:at], *filled, *key[at + 1 :])


def _arrays(call: Call, parts: list[Any]) -> list[np.ndarray]:
    """Indices for all examples, that of the example in front: of as many axes, the examples' being the first."""
    found, ndim = [], 0
    for part in parts:
        if type(part) is Batched:
            if part.dtype not in INTEGER or part.level is not call.level or type(part.examples) is not Tensor:
                raise Unbatched("an index differs by example")
            found.append(part.examples._array)
        elif isinstance(part, (bool, np.bool_)) or np.asarray(part).dtype not in INTEGER:
            raise Unbatched("an index differs by example")
        else:
            found.append(np.asarray(part)[None])
        ndim = max(ndim, found[-1].ndim)
    found = [a.reshape(a.shape[0], *(1,) * (ndim - a.ndim), *a.shape[1:]) for a in found]
    return [np.arange(call.size).reshape(-1, *(1,) * (ndim - 1)), *found]


def _written(call: Call, key: tuple[Any, ...]) -> Any:
    """x with x[key] = v: by a mask for each example, or by indices that are the first parts of the key."""
    if len(key) == 1 and key[0].dtype in BOOLEAN:
        return _masked(call, key[0])
    places = [k for k, part in enumerate(key) if not (part is Ellipsis or part is None or isinstance(part, slice))]
    if places != list(range(len(places))) or None in key:
        raise Unbatched("an index differs by example")
    arrays = _arrays(call, [key[k] for k in places])
    rest = key[len(places) :]
    selected = arrays[0].ndim - 1 + len(call.shape(0)) - len(places)
    selected -= len([p for p in rest if type(p) is int])
    if len(call.shape(1)) > selected:
        return None
    return call.again([call.full(0), call.padded(1, selected)], ((*arrays, *rest),))


def _masked(call: Call, mask: Any) -> Any:
    """One number for all that a mask of each example selects: how many these are does not matter then."""
    if mask.level is not call.level or call.shape(1) or mask.shape != call.shape(0)[: mask.ndim]:
        raise Unbatched("a mask differs by example")
    x, v = call.full(0), call.padded(1, len(call.shape(0)))
    at = call.apply("reshape", mask.examples, (*mask.examples.shape, *(1,) * (len(call.shape(0)) - mask.ndim)))
    if getattr(v, "dtype", None) != x.dtype:
        v = call.apply("astype", v, x.dtype) if hasattr(v, "dtype") else np.asarray(v, x.dtype)
    return call.apply("where", at, v, x)


RULES.update(getitem=getitem, scatter=scatter, setitem=setitem)
