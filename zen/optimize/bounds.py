"""Bounds of nested parameters as the two vectors that SciPy takes."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import trees
from ..dtypes import DEFAULT, NUMBERS
from ..ops.operands import raw
from .layout import Array, Layout, Leaf


def limits(layout: Layout, bounds: Any) -> tuple[Array, Array]:
    """The lower and upper limits of the free elements.

    bounds: SciPy's `Bounds`, each side one number, a vector of all elements or in the structure of the parameters; a
    sequence of pairs, one for each element; or the structure of the parameters with a pair in the place of each leaf,
    of numbers or arrays of its shape, and None for no limit, also for a whole part. A dict need not have all keys.
    """
    if hasattr(bounds, "lb") and hasattr(bounds, "ub"):
        low, high = side(layout, bounds.lb, -np.inf), side(layout, bounds.ub, np.inf)
    else:
        found = _pairs(layout, bounds)
        low, high = np.concatenate([a for a, _ in found]), np.concatenate([b for _, b in found])
    low, high = low[layout.chosen()], high[layout.chosen()]
    wrong = ~(low <= high)
    if wrong.any():
        k = int(np.argmax(wrong))
        name = np.array(layout.names())[layout.chosen()][k]
        raise ValueError(
            f"{layout.operation}: the bounds of {name} are {low[k]} and {high[k]}, which nothing is between"
        )
    return low, high


def side(layout: Layout, given: Any, otherwise: float) -> Array:
    """One limit for each element, free or fixed."""
    if isinstance(given, np.ndarray) and given.dtype == object and given.size == 1:
        given = given.item()  # what SciPy's Bounds makes of a dict
    if not isinstance(given, (dict, list, tuple)):
        a = np.asarray(raw(given))
        if a.dtype in NUMBERS and a.ndim == 0:
            return np.full(layout.total, a, DEFAULT)
        if a.dtype in NUMBERS and a.size == layout.total and (a.ndim == 1 or layout.alone):
            return a.reshape(-1).astype(DEFAULT)
    else:
        found: list[Array] = []
        if _sides(layout.params, given, iter(layout.leaves), otherwise, found):
            return np.concatenate(found)
        if not isinstance(given, dict) and len(given) == layout.total:
            return np.array([otherwise if x is None else x for x in given], DEFAULT)
    raise ValueError(
        f"{layout.operation}: bounds do not fit: a limit is one number, a vector of {layout.total} numbers, or has the "
        f"structure of {layout.role}"
    )


def _sides(params: Any, given: Any, leaves: Any, otherwise: float, found: list[Array]) -> bool:
    """Enter the limits of each leaf; whether the structure fits."""
    if isinstance(params, dict):
        if given is not None and not (isinstance(given, dict) and given.keys() <= params.keys()):
            return False
        return all([_sides(part, (given or {}).get(k), leaves, otherwise, found) for k, part in params.items()])
    if isinstance(params, (list, tuple)):
        if given is not None and not (isinstance(given, (list, tuple)) and len(given) == len(params)):
            return False
        below = zip(params, [None] * len(params) if given is None else given, strict=True)
        return all([_sides(part, g, leaves, otherwise, found) for part, g in below])
    if params is None:
        return given is None
    leaf = next(leaves)
    try:
        a = np.broadcast_to(np.asarray(otherwise if given is None else raw(given), DEFAULT), leaf.start.shape)
    except (TypeError, ValueError):
        return False
    found.append(a.reshape(-1))
    return True


def _pairs(layout: Layout, bounds: Any) -> list[tuple[Array, Array]]:
    found: list[tuple[Array, Array]] = []
    if not layout.alone and isinstance(bounds, (list, tuple, np.ndarray)):
        nested = len(bounds) == len(layout.params) and not isinstance(layout.params, dict)
        if not nested and len(bounds) == layout.total:
            return [_pair(layout, "bounds", pair) for pair in bounds]
    _walk(layout, layout.params, bounds, layout.role, iter(layout.leaves), found)
    return found


def _walk(layout: Layout, params: Any, bounds: Any, path: str, leaves: Any, found: list[tuple[Array, Array]]) -> None:
    if params is None:
        return
    if not isinstance(params, (dict, list, tuple)):
        found.append(_leaf(layout, next(leaves), bounds))
        return
    if bounds is None:
        for _ in trees.values(params):
            found.append(_leaf(layout, next(leaves), None))
        return
    if isinstance(params, dict):
        unknown = [key for key in bounds if key not in params] if isinstance(bounds, dict) else [None]
        if unknown:
            what = f"the key {unknown[0]!r}" if isinstance(bounds, dict) else type(bounds).__name__
            raise ValueError(
                f"{layout.operation}: bounds have {what} where {path} is a dict with the keys "
                f"{', '.join(map(repr, params))}"
            )
        for key, part in params.items():
            _walk(layout, part, bounds.get(key), f"{path}[{key!r}]", leaves, found)
        return
    if isinstance(bounds, dict) or not hasattr(bounds, "__len__") or len(bounds) != len(params):
        count = f"{len(bounds)} entries" if hasattr(bounds, "__len__") else type(bounds).__name__
        raise ValueError(
            f"{layout.operation}: bounds have {count} for {path}, which has {len(params)} parts of "
            f"{layout.total} numbers in all; give a pair (low, high) or None for each"
        )
    for k, (part, inner) in enumerate(zip(params, bounds, strict=True)):
        _walk(layout, part, inner, f"{path}[{k}]", leaves, found)


def _leaf(layout: Layout, leaf: Leaf, bounds: Any) -> tuple[Array, Array]:
    """The limits of one array: a pair for all of it, or one for each element."""
    n = leaf.start.size
    if bounds is None:
        return np.full(n, -np.inf), np.full(n, np.inf)
    if isinstance(bounds, (list, tuple, np.ndarray)):
        of_arrays = not any([isinstance(b, (list, tuple)) for b in bounds]) and not isinstance(bounds, np.ndarray)
        if len(bounds) == 2 and (of_arrays or (isinstance(bounds, np.ndarray) and bounds.ndim == 1)):
            return _pair(layout, leaf.path, bounds, leaf.start.shape)
        if len(bounds) == n:
            pairs = [_pair(layout, leaf.path, pair) for pair in bounds]
            return np.concatenate([a for a, _ in pairs]), np.concatenate([b for _, b in pairs])
    raise ValueError(
        f"{layout.operation}: the bounds of {leaf.path}, of shape {leaf.start.shape}, are {bounds!r}; expected None, a "
        f"pair (low, high) for all of it, or {n} pairs"
    )


def _pair(layout: Layout, path: str, pair: Any, shape: tuple[int, ...] = ()) -> tuple[Array, Array]:
    if pair is None:
        pair = (None, None)
    found = []
    try:
        low, high = pair
        for limit, otherwise in ((low, -np.inf), (high, np.inf)):
            a = np.asarray(otherwise if limit is None else raw(limit), DEFAULT)
            found.append(np.broadcast_to(a, shape).reshape(-1))
    except (TypeError, ValueError):
        raise ValueError(
            f"{layout.operation}: a bound of {path} is {pair!r}; expected a pair (low, high) of numbers or None"
        ) from None
    return found[0], found[1]
