"""Which elements of a result depend on which of an argument in which the row is linear, found by the row itself.

The row's derivative by that argument is a matrix that does not depend on it. Its transpose is the vjp, applied here to
vectors of the module's choice, with random numbers in the place of all others that the row saved: so no entry is zero
by accident, and those that are zero are zero for every value.

- Where each element of the argument goes to at most one of the result (sums, parts put into zeros, padding), or each
  of the result comes from at most one of the argument (repetition, overlapping windows), the vjp or the row of numbered
  elements says which one. Two random vectors confirm it.
- Otherwise axes are paired: along a pair, vectors that are zero outside of some slices say which slices depend on
  which. The slices are halved in blocks from step to step (Griewank and Mitev, "Detecting Jacobian sparsity patterns by
  Bayesian probing", Mathematical Programming 93, 2002), many of them in one vector where what depends on them is
  apart. An element depends on another only if it does so along every pair. Axes without a partner count as dense.
"""

from __future__ import annotations

import math
import re
from functools import cache
from typing import Any

import numpy as np

from ... import backend
from ...dtypes import INEXACT
from ...ops import register
from .index_sets import Sets, gathered

_EXACT = 1e-14
"""Up to which rounding may change what a random vector becomes, as a part of it."""
_VECTORS = 256
"""How many vectors may be spent on a pair of axes; what is not told apart by then counts as dependent."""


def is_affine(row: Any, k: int) -> bool:
    """Whether the derivative by argument k depends neither on it nor on the result."""
    if row.linear and (row.variadic or k in row.linear):
        return True
    if row.joint or row.elementwise:
        return False
    if row.name == "einsum":
        return True  # a product of different arguments
    levels = row.needs[0 if row.variadic else k]
    own = levels[0] if row.variadic else levels[k]
    return bool(max([own, *levels[1 if row.variadic else row.nin :]]) < 2)


def related(node: Any, k: int, sets: Sets, shape: tuple[int, ...], place: int | None) -> Sets | None:
    """What the sets of argument k become in a result, number `place` of several; None where that was not found."""
    backend.verify_saved(node)
    if not sets.labels.size or not math.prod(shape):
        return sets.with_labels(np.zeros(shape, np.intp))
    if place is None and _pulls_by_moving(node.row, k):
        numbers = np.arange(math.prod(shape)).reshape(shape)
        return gathered(sets, node.row.vjps[k](register.arrays, numbers, *node.saved, *node.params), shape)
    row = _Linear(node, k, sets.labels.shape, shape, place)
    try:
        with np.errstate(all="ignore"):
            return _found(row, sets, shape)
    except Exception:
        return None  # a row that takes nothing but what it saved


@cache
def _pulls_by_moving(row: Any, k: int) -> bool:
    """Whether the vjp is a row that is a view, of the cotangent: its elements are those of the cotangent, moved."""
    declaration = register.DECLARATIONS.get(row.name)
    if declaration is None or row.variadic or row.joint or register.ROWS[row.name] is not row:
        return False
    called = re.fullmatch(r"(\w+)\(g(, \w+)*\)", declaration.vjp[k] or "")  # type: ignore[index]
    moving = called and register.DECLARATIONS.get(called[1])
    return bool(moving and moving.view and len(moving.args) == 1 and not moving.several)


def _found(row: _Linear, sets: Sets, shape: tuple[int, ...]) -> Sets:
    target = _sources(row.pull, shape, sets.labels.shape)
    if target is not None:
        return gathered(sets, target, shape)
    source = _sources(row.push, sets.labels.shape, shape) if row.can_push else None
    if source is not None:
        return sets.with_labels(_at(sets.labels, source).reshape(shape))
    return _along_axes(row, sets, shape)


class _Linear:
    """A row as a linear map from argument k (of shape `into`) to a result (of shape `out`)."""

    def __init__(self, node: Any, k: int, into: tuple[int, ...], out: tuple[int, ...], place: int | None) -> None:
        self.node, self.k, self.into, self.out, self.place = node, k, into, out, place
        self.row, self.rng = node.row, np.random.default_rng(1)
        self.values = tuple([self._generic(v) for v in node.saved])
        declaration = register.DECLARATIONS.get(self.row.name)
        self.can_push = bool(
            declaration and self.row.linear and not self.row.workspace and (self.row.variadic or k in self.row.linear)
        )

    def _generic(self, value: Any) -> Any:
        """Random numbers in the place of floating ones."""
        if isinstance(value, tuple):
            return tuple([self._generic(v) for v in value])
        if isinstance(value, (float, complex)):
            return self.rng.uniform(0.5, 1.5)
        if isinstance(value, (np.ndarray, np.generic)) and value.dtype in INEXACT:
            return self.vector(np.shape(value))
        return value

    def vector(self, shape: tuple[int, ...]) -> np.ndarray:
        return np.asarray(self.rng.uniform(0.5, 1.5, shape))

    def pull(self, g: np.ndarray) -> np.ndarray:
        """The transpose: of a vector like the result one like the argument."""
        row, f, params, k = self.row, register.arrays, self.node.params, self.k
        given: Any = g
        if row.several:
            several = [None] * max(row.several, self.place + 1)  # type: ignore[operator]
            given = (*several[: self.place], g, *several[self.place + 1 :])  # type: ignore[operator]
        if row.joint:
            count = len(self.node.inputs)
            wanted = tuple([j == k for j in range(count)])
            made = row.vjps[0](f, given, self.values[:count], self.values[count:], wanted, *params)[k]
        elif row.variadic:
            made = row.vjps[0](f, given, k, *self.values, *params)
        else:
            made = row.vjps[k](f, given, *self.values, *params)
        return _fitted(np.asarray(made), self.into)

    def push(self, v: np.ndarray) -> np.ndarray:
        """The row itself: of a vector like the argument one like the result."""
        inputs, saved = [], self.values[0] if self.row.variadic else self.values
        for j, below in enumerate(self.node.inputs):
            held = below if below is not None else saved[j]
            if j == self.k:
                inputs.append(v)
            elif self.row.variadic or self.row.together:
                inputs.append(np.zeros(np.shape(held) if not hasattr(held, "shape") else held.shape))
            elif held is None:
                raise ValueError("an argument was not saved")
            else:
                inputs.append(self.vector(held.shape) if hasattr(held, "shape") else held)
        made = self.row.forward(*inputs, *self.node.params)
        return np.asarray(made[self.place] if self.row.several else made)


def _fitted(value: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """A vjp's result summed over the axes that were broadcast."""
    extra = value.ndim - len(shape)
    if extra > 0:
        value = value.sum(axis=tuple(range(extra)))
    axes = tuple([a for a, (have, want) in enumerate(zip(value.shape, shape, strict=True)) if have != 1 == want])
    return np.broadcast_to(value.sum(axis=axes, keepdims=True) if axes else value, shape)


def _sources(apply: Any, given: tuple[int, ...], made: tuple[int, ...]) -> np.ndarray | None:
    """For each element that `apply` makes the flat position of the one it comes from, -1 for none; None where it comes
    from several."""
    size, rng = math.prod(given), np.random.default_rng(2)
    factor = np.asarray(apply(np.ones(given)))
    if factor.shape != made:
        return None
    first = np.asarray(apply(np.arange(1.0, size + 1).reshape(given)))
    alone = factor != 0
    quotient = np.where(alone, first / np.where(alone, factor, 1), 0)
    numbers = np.rint(quotient.real)
    if not (np.isfinite(numbers).all() and (numbers >= 0).all() and (numbers <= size).all()):
        return None
    at: np.ndarray = numbers.astype(np.intp) - 1
    if (at[alone] < 0).any() or (at[~alone] >= 0).any():
        return None
    for _ in range(2):
        v = rng.uniform(0.5, 1.5, given)
        expected = np.where(alone, factor * v.ravel()[at], 0)
        if (np.abs(np.asarray(apply(v)) - expected) > _EXACT * np.abs(expected)).any():
            return None
    return at


def _at(labels: np.ndarray, source: np.ndarray) -> np.ndarray:
    flat = source.ravel()
    return np.where(flat >= 0, labels.ravel()[flat], 0)


# Pairs of axes


def _along_axes(row: _Linear, sets: Sets, shape: tuple[int, ...]) -> Sets:
    """By the axes of the result that have a partner among those of the argument."""
    pairs: dict[int, tuple[int, Any]] = {}
    for q in range(len(shape)):
        if shape[q] > 1:
            found = _pair(row, q, [p for p in range(len(row.into)) if p not in [pair[0] for pair in pairs.values()]])
            if found is not None:
                pairs[q] = found
    return paired(sets, shape, pairs)


def paired(sets: Sets, shape: tuple[int, ...], pairs: dict[int, tuple[int, Any]]) -> Sets:
    """The sets of a result of `shape` from those of an argument.

    pairs: for an axis of the result `(axis of the argument, slices)`, where slices are two arrays, (of the result, of
    the argument), of the slices that depend on each other, or None where each depends on the one of its own number.
    """
    into = sets.labels.shape
    # What is dense: the union over the axes without a partner.
    kept = [p for p, _ in pairs.values()]
    small = tuple([n if p in kept else 1 for p, n in enumerate(into)])
    sets = gathered(sets, np.broadcast_to(np.arange(math.prod(small)).reshape(small), into), small)
    order = [*kept, *[p for p in range(len(into)) if p not in kept]]
    labels = sets.labels.transpose(order).reshape([into[p] for p in kept])
    sets = sets.with_labels(labels)
    for place, (_, slices) in enumerate(pairs.values()):
        if slices is not None:
            sets = _moved_along(sets, place, slices, shape[list(pairs)[place]])
    full = tuple([n if q in pairs else 1 for q, n in enumerate(shape)])
    ordered = sets.labels.transpose(np.argsort(list(pairs), kind="stable")) if pairs else sets.labels
    return sets.with_labels(np.broadcast_to(ordered.reshape(full), shape))


def _moved_along(sets: Sets, axis: int, slices: tuple[np.ndarray, np.ndarray], length: int) -> Sets:
    """Along one axis the unions of the slices that each new slice depends on."""
    to, of = slices
    shape = (*sets.labels.shape[:axis], length, *sets.labels.shape[axis + 1 :])
    taken = sets.with_labels(np.take(sets.labels, of, axis))
    places = np.take(np.arange(math.prod(shape)).reshape(shape), to, axis)
    return gathered(taken, places, shape)


def _pair(row: _Linear, q: int, free: list[int]) -> tuple[int, Any] | None:
    """The axis of the argument along which the slices of axis q of the result depend on fewest, and on which."""
    weights = row.vector(row.out)
    whole = np.array([0, row.out[q]])
    halves = _halves(whole)
    made = [_reached(row, q, weights, halves, np.arange(2) == c) for c in range(2)]
    shares = {p: sum([found[p].mean() for found in made]) for p in free if row.into[p] > 1}
    if not shares or min(shares.values()) >= 2:
        return None
    p = min(shares, key=lambda axis: shares[axis])
    pair = _Pair(row, q, p, weights)
    while pair.is_coarse():
        if not pair.refine():
            break
    return p, pair.slices()


def _reached(row: _Linear, q: int, weights: np.ndarray, starts: np.ndarray, chosen: np.ndarray) -> list[np.ndarray]:
    """For each axis of the argument which of its slices the chosen blocks of slices of axis q depend on."""
    mask = np.repeat(chosen, np.diff(starts)).reshape((-1,) + (1,) * (len(row.out) - 1 - q))
    reached = row.pull(weights * mask) != 0
    axes = range(reached.ndim)
    return [reached.any(axis=tuple([a for a in axes if a != p])) if reached.ndim > 1 else reached for p in axes]


def _halves(starts: np.ndarray) -> np.ndarray:
    """Each block in two, except single slices. starts: where blocks begin, and the end."""
    lengths = np.diff(starts)
    return np.sort(np.concatenate([starts, (starts[:-1] + (lengths + 1) // 2)[lengths > 1]]))


class _Pair:
    """Axis q of the result and axis p of the argument, in blocks of slices, and which blocks may depend on which."""

    def __init__(self, row: _Linear, q: int, p: int, weights: np.ndarray) -> None:
        self.row, self.q, self.p, self.weights = row, q, p, weights
        self.to, self.of = np.array([0, row.out[q]]), np.array([0, row.into[p]])
        self.pairs = np.zeros(1, np.intp), np.zeros(1, np.intp)
        self.spent = 0

    def is_coarse(self) -> bool:
        return self.to.size <= self.row.out[self.q] or self.of.size <= self.row.into[self.p]

    def refine(self) -> bool:
        """Halve all blocks, and keep the pairs that do depend on each other; False where it takes too many vectors."""
        to, of = _halves(self.to), _halves(self.of)
        pairs = _children(self.pairs, np.minimum(np.diff(self.to), 2), np.minimum(np.diff(self.of), 2))
        colors = _apart(*pairs, to.size - 1, of.size - 1)
        count = int(colors.max(initial=-1)) + 1
        self.spent += count
        if self.spent > _VECTORS:
            return False
        seen = np.empty((count, of.size - 1), bool)
        for c in range(count):
            slices = _reached(self.row, self.q, self.weights, to, colors == c)[self.p]
            np.logical_or.reduceat(slices, of[:-1], out=seen[c])
        kept = seen[colors[pairs[0]], pairs[1]]
        self.to, self.of, self.pairs = to, of, (pairs[0][kept], pairs[1][kept])
        return True

    def slices(self) -> tuple[np.ndarray, np.ndarray]:
        """`(slices of q, slices of p)` that may depend on each other."""
        first, second = self.pairs
        lengths = np.diff(self.to)[first], np.diff(self.of)[second]
        numbers, places = _counted(lengths[0] * lengths[1])
        across = lengths[1][numbers]
        return self.to[first[numbers]] + places // across, self.of[second[numbers]] + places % across


def _children(pairs: tuple[Any, Any], first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Each pair of blocks as all pairs of their parts, of which the blocks have 1 or 2."""
    starts = np.cumsum(first) - first, np.cumsum(second) - second
    across = second[pairs[1]]
    numbers, places = _counted(first[pairs[0]] * across)
    across = across[numbers]
    return starts[0][pairs[0][numbers]] + places // across, starts[1][pairs[1][numbers]] + places % across


def _counted(counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Each number as often as its count says, and beside it how often it came before."""
    numbers = np.repeat(np.arange(counts.size), counts)
    return numbers, np.arange(numbers.size) - np.repeat(np.cumsum(counts) - counts, counts)


def _apart(blocks: np.ndarray, others: np.ndarray, count: int, length: int) -> np.ndarray:
    """A colour for each block, so that no two of one colour are paired with the same other one; -1 for one without."""
    by_block, by_other = np.argsort(blocks, kind="stable"), np.argsort(others, kind="stable")
    made: np.ndarray = backend.kernels.coloring.columns(
        _starts(others, length), blocks[by_other].astype(np.intp), _starts(blocks, count),
        others[by_block].astype(np.intp), np.arange(count),
    )  # fmt: skip
    return made


def _starts(values: np.ndarray, count: int) -> np.ndarray:
    """Where each value begins once they are in order."""
    return np.concatenate([[0], np.cumsum(np.bincount(values, minlength=count))]).astype(np.intp)
