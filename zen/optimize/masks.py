"""Which elements of the parameters are fixed: the argument `fixed`, for `zen/optimize/layout.py`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..batched import Batched
from ..dtypes import BOOLEAN
from ..ops.operands import raw

Array = np.ndarray[Any, np.dtype[Any]]


def masks(operation: str, params: Any, leaves: Sequence[tuple[str, Array]], fixed: Any, role: str) -> list[Array]:
    """For each leaf an array of its shape, True where it is fixed.

    fixed: None; a name or a list of names, which are keys of `params` or paths as `params['rate'][0]`; or bools in
    the structure of the upper part of `params`, each for all below it, or an array of them for one leaf. A dict need
    not have all keys. Raises ValueError where that does not fit, with what does.
    """
    found = [np.zeros(start.shape, bool) for _, start in leaves]
    if fixed is None:
        return found
    names = _names(fixed)
    by_path = {path: mask for (path, _), mask in zip(leaves, found, strict=True)}
    if names is None:
        _enter(operation, params, fixed, role, by_path)
    else:
        for name in names:
            _enter_name(operation, name, role, by_path)
    return found


def _names(fixed: Any) -> list[str] | None:
    if isinstance(fixed, str):
        return [fixed]
    if isinstance(fixed, (list, tuple, set, frozenset)) and fixed and all([isinstance(x, str) for x in fixed]):
        return list(fixed)
    return None


def _enter_name(operation: str, name: str, role: str, by_path: dict[str, Array]) -> None:
    wanted = (name, role + name, f"{role}[{name!r}]", f"{role}.{name}")
    hit = False
    for path, mask in by_path.items():
        if any([path == w or path.startswith((f"{w}[", f"{w}.")) for w in wanted]):
            mask[...], hit = True, True
            continue
        for index in np.ndindex(mask.shape) if any([w.startswith(f"{path}[") for w in wanted]) else ():
            if f"{path}[{', '.join(map(str, index))}]" in wanted:
                mask[index], hit = True, True
    if not hit:
        some = ", ".join(list(by_path)[:8])
        raise ValueError(f"{operation}: fixed names {name!r}, which is not in {role}; it has {some}")


def _enter(operation: str, params: Any, fixed: Any, path: str, by_path: dict[str, Array]) -> None:
    if fixed is None:
        return
    if isinstance(fixed, (bool, np.bool_)):
        for other, mask in by_path.items():
            if other == path or other.startswith((f"{path}[", f"{path}.")):
                mask[...] = fixed
        return
    if isinstance(params, dict):
        if not isinstance(fixed, dict):
            raise _misfit(operation, path, fixed, f"a dict with some of the keys {', '.join(map(repr, params))}")
        for key, part in fixed.items():
            if key not in params:
                raise ValueError(f"{operation}: fixed has the key {key!r}, which {path} has not")
            _enter(operation, params[key], part, f"{path}[{key!r}]", by_path)
    elif isinstance(params, (list, tuple)):
        if not isinstance(fixed, (list, tuple)) or len(fixed) != len(params):
            raise _misfit(operation, path, fixed, f"{len(params)} entries, as {path} has")
        keys = (
            [f".{n}" for n in params._fields] if hasattr(params, "_fields") else [f"[{k}]" for k in range(len(params))]
        )
        for key, part, below in zip(keys, fixed, params, strict=True):
            _enter(operation, below, part, path + key, by_path)
    else:
        given = np.asarray(None if isinstance(fixed, (dict, Batched)) else raw(fixed))
        expected = by_path[path].shape
        if given.dtype not in BOOLEAN or given.shape != expected:
            raise _misfit(operation, path, fixed, f"a bool, or bools of shape {expected}")
        by_path[path][...] = given


def _misfit(operation: str, path: str, fixed: Any, expected: str) -> ValueError:
    return ValueError(f"{operation}: fixed does not fit {path}: it is {fixed!r}; expected {expected}")
