"""The loss of sequences of labels that are not aligned with the steps of the input: ctc_loss.

A path takes one state in each step: a label, or the blank before, between and behind them. It goes on by at most one
label and never skips one, nor the blank between equal ones. The row `paths` adds up the probabilities of all paths, in
logarithms, by Graves et al. 2006: equations 6 to 8 forwards, 9 to 11 backwards.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..backend import Shaped, apply
from ..dtypes import INTEGER, accumulator
from .casting import astype
from .indexing import GETITEM
from .losses import reduced
from .operands import floating, operand, raw, whole
from .pointwise import where
from .register import ROWS, define, public
from .row import row
from .shape import reshape

Array = np.ndarray
_BOTH = ROWS["logaddexp"]
_NEVER = -1e30
"""The logarithm of the probability of what cannot be, in the composition: its exponential is 0, as are its slopes."""


def _ends(lengths: Array, count: int) -> Array:
    """Of each sequence, where its paths end: in the last blank or the last label. (batch, states) of bools."""
    last, k = 2 * lengths[:, None], np.arange(count)
    ends: Array = (k == last) | ((k == last - 1) & (last > 0))
    return ends


def _stepped(a: Array, skips: Array) -> Array:
    """The logarithms of sums over the states that a step may come from: the same, the one before, the one skipped."""
    before = np.full_like(a, -np.inf)
    before[..., 1:] = a[..., :-1]
    over = np.full_like(a, -np.inf)
    over[..., 2:] = np.where(skips[..., 2:], a[..., :-2], -np.inf)
    found: Array = np.logaddexp(np.logaddexp(a, before), over)
    return found


def _paths(x: Any, skips: Array, times: Array, lengths: Array, read: bool) -> Any:
    """(-log of the probability of all paths, the forward sums of each step), of logarithms (time, batch, states).

    In double precision: the sums of long inputs are large, and their differences count.
    """
    steps, _, count = x.shape
    sums = np.full((steps + 1, *x.shape[1:]), -np.inf)
    sums[0] = np.where(np.arange(count) < 2, 0.0, -np.inf)  # before the first blank, or the first label
    for t in range(steps):
        moved = _stepped(sums[t], skips) if t else sums[0]
        sums[t + 1] = np.where((t < times)[:, None], moved + x[t], sums[t])
    found = np.where(times > 0, _total(sums[-1], lengths), np.where(lengths > 0, -np.inf, 0.0))
    return (-found).astype(x.dtype), sums[1:]


def _total(sums: Array, lengths: Array) -> Array:
    total: Array = np.logaddexp.reduce(np.where(_ends(lengths, sums.shape[1]), sums, -np.inf), axis=1)
    return total


def _paths_vjp(g: Any, args: Any, results: Any, wanted: Any, skips: Array, times: Array, lengths: Array) -> Any:
    x, slopes = args[0], _slopes(args[0], results[1], skips, times, lengths)
    weights = g.astype(slopes.dtype)[:, None]
    return (np.where(weights == 0, 0, slopes * weights).astype(x.dtype),)


def _paths_jvp(moving: Any, args: Any, results: Any, skips: Array, times: Array, lengths: Array) -> Any:
    x, t = args[0], moving[0]
    slopes = _slopes(x, results[1], skips, times, lengths)
    return np.where(t == 0, 0, slopes * t).sum((0, 2)).astype(x.dtype)


def _slopes(x: Array, sums: Array, skips: Array, times: Array, lengths: Array) -> Array:
    """The gradient of each loss: minus the probabilities of the states in each step."""
    steps, batch, count = x.shape
    if not steps:
        return np.zeros(x.shape)
    ends = np.where(_ends(lengths, count), 0.0, -np.inf)
    behind = np.zeros(skips.shape, bool)  # what may be skipped to from in front may be skipped from behind
    behind[:, :-2] = skips[:, 2:]
    total, front = _total(sums[-1], lengths)[:, None], behind[:, ::-1]
    number = np.arange(steps)[:, None, None]
    inside, last = number < times[:, None], number == times[:, None] - 1
    every, found = np.empty(sums.shape), np.full((batch, count), -np.inf)
    for t in range(steps - 1, -1, -1):
        ahead = np.where(last[t], ends, _stepped(found[:, ::-1], front)[:, ::-1])
        every[t] = ahead
        found = np.where(inside[t], ahead + x[t], -np.inf)
    with np.errstate(invalid="ignore"):  # a loss of infinity has no gradient: nan
        out: Array = np.where(inside, -np.exp(sums + every - total), 0)
    return out


def _composed(given: Any, skips: Array, times: Array, lengths: Array) -> Any:
    x = astype(given, accumulator(given.dtype))
    steps, batch, count = x.shape
    never = np.full((batch, count), _NEVER, x.dtype)
    sums: Any = np.where(np.arange(count) < 2, np.zeros_like(never), never)
    for t in range(steps):
        if t:
            over = where(skips, _shifted(sums, 2), never)
            sums, before = apply(_BOTH, (apply(_BOTH, (sums, _shifted(sums, 1))), over)), sums
        else:
            before = sums
        sums = where((t < times)[:, None], apply(ROWS["add"], (sums, x[t])), before)
    loss = -apply(ROWS["logsumexp"], (where(_ends(lengths, count), sums, never),), ((1,), False))
    impossible: Any = (raw(loss) > -_NEVER / 2) | ((times == 0) & (lengths > 0))
    loss = where(impossible, np.inf, where((times == 0) & (lengths == 0), 0.0, loss))
    return astype(loss, given.dtype)


def _shifted(a: Any, n: int) -> Any:
    """a with its last axis moved on by n places."""
    count = a.shape[1]
    kept = apply(GETITEM, (a,), ((Ellipsis, slice(0, max(count - n, 0))),))
    return apply(ROWS["pad"], (kept,), (((0, 0), (min(n, count), 0)), np.asarray(_NEVER)))


def _draws(rng: np.random.Generator) -> list[Any]:
    found = []
    for steps, times, lengths, repeated in (
        (5, [5, 4, 3], [2, 2, 1], [False, True, False]), (4, [4, 1, 0], [1, 0, 0], [False] * 3), (2, [], [], []),
    ):  # fmt: skip
        count = 2 * max(lengths, default=1) + 1
        skips = np.zeros((len(times), count), bool)
        skips[:, 3::2] = ~np.array(repeated, bool)[:, None]
        x = np.log(rng.dirichlet(np.ones(count), (steps, len(times)))).reshape(steps, len(times), count)
        found.append(((x,), (skips, np.array(times, int), np.array(lengths, int))))
    return found


PATHS = define(row(
    "paths", "x", _paths, _paths_vjp, workspace="sums", params="skips times lengths",
    jvp=_paths_jvp, composition=_composed, domain=_draws, shape=lambda x, *rest: Shaped((x.shape[1],), x.dtype),
    doc="-log of the sum of the probabilities of all paths through labels and blanks.",
))  # fmt: skip


@public("", None)
def ctc_loss(
    log_probs: Any, targets: Any, input_lengths: Any, target_lengths: Any, blank: int = 0, reduction: str = "mean",
    zero_infinity: bool = False,
) -> Any:  # fmt: skip
    """-log of the probability that the steps of the input, labels and blanks, spell the target. Graves et al. 2006.

    Repeated labels count as one, and blanks as none: "a-ab" spells "aab". log_probs: logarithms of probabilities, such
    as those of `log_softmax`, (time, batch, classes) or (time, classes). targets: labels other than blank, ints of
    shape (batch, longest), or all one after the other. input_lengths, target_lengths: ints, one for each sequence.
    blank: its class. reduction: "mean" divides each loss by the length of its target first (by 1 for none). An input
    too short for its target has a loss of infinity, whose gradient is nan; zero_infinity makes both zero. The gradient
    is that in each log-probability by itself; PyTorch's presumes a log_softmax before it, and behind that they are one.

    Raises ValueError for shapes and lengths that do not fit, for classes out of range and for blanks in a target.

    >>> steps = zen.log(zen.tensor([[[0.5, 0.5]], [[0.5, 0.5]]]))
    >>> f"{zen.exp(-zen.f.ctc_loss(steps, [[1]], [2], [1])).item():.2f}"
    '0.75'
    """
    name = "ctc_loss"
    x = floating(name, log_probs)
    alone = x.ndim == 2
    if x.ndim not in (2, 3) or not x.shape[-1]:
        raise ValueError(f"{name}: log_probs of shape {x.shape}; expected (time, batch, classes) or (time, classes)")
    if alone:
        x = reshape(x, (x.shape[0], 1, x.shape[1]))
    steps, batch, classes = x.shape
    blank = whole(name, "blank", blank)
    if not 0 <= blank < classes:
        raise ValueError(f"{name}: blank {blank} is none of {classes} classes")
    times = _lengths(name, "input_lengths", input_lengths, batch, steps)
    lengths = _lengths(name, "target_lengths", target_lengths, batch, None)
    states, skips = _states(name, _labels(name, targets, lengths), lengths, blank, classes)
    emitted = apply(GETITEM, (x,), ((slice(None), np.arange(batch)[:, None], states),))
    losses = apply(PATHS, (emitted,), (skips, times, lengths))
    if zero_infinity:
        losses = where(np.isinf(raw(losses)), 0.0, losses)
    if reduction == "mean":
        losses = losses / np.maximum(lengths, 1).astype(losses.dtype)
    return reduced(name, reshape(losses, ()) if alone else losses, reduction)


def _lengths(name: str, key: str, given: Any, batch: int, most: int | None) -> Array:
    found = np.asarray(raw(operand(name, given)))
    if found.dtype not in INTEGER and found.size:
        raise TypeError(f"{name}: {key} are ints, not {found.dtype}")
    found = found.astype(np.intp).reshape(-1)
    if found.shape != (batch,):
        raise ValueError(f"{name}: {len(found)} {key} for a batch of {batch}")
    wrong = found[(found < 0) | (found > (found if most is None else most))]
    if wrong.size:
        raise ValueError(
            f"{name}: {key} of {wrong[0]}; "
            + ("they are not negative" if most is None else f"log_probs has {most} steps")
        )
    return found


def _labels(name: str, targets: Any, lengths: Array) -> Array:
    """The labels of each sequence in a row of (batch, longest)."""
    found = np.asarray(raw(operand(name, targets)))
    if found.dtype not in INTEGER and found.size:
        raise TypeError(f"{name}: targets are ints, not {found.dtype}")
    longest = int(lengths.max(initial=0))
    if found.ndim == 1 and found.size == lengths.sum():
        out = np.zeros((len(lengths), longest), np.intp)
        out[np.arange(longest) < lengths[:, None]] = found
        return out
    if found.ndim != 2 or len(found) != len(lengths) or found.shape[1] < longest:
        raise ValueError(
            f"{name}: targets of shape {found.shape}; target_lengths {lengths.tolist()} need "
            f"({len(lengths)}, {longest}), or ({lengths.sum()},) one after the other"
        )
    return found[:, :longest].astype(np.intp)


def _states(name: str, labels: Array, lengths: Array, blank: int, classes: int) -> tuple[Array, Array]:
    """(the class of each state, which states may be reached from the label before), of shape (batch, states)."""
    used = labels[np.arange(labels.shape[1]) < lengths[:, None]]
    wrong = used[(used < 0) | (used >= classes) | (used == blank)]
    if wrong.size:
        what = "is the blank" if wrong[0] == blank else f"is none of {classes} classes"
        raise ValueError(f"{name}: target {wrong[0]} {what}")
    states = np.full((len(labels), 2 * labels.shape[1] + 1), blank)
    states[:, 1::2] = np.clip(labels, 0, classes - 1)
    skips = np.zeros(states.shape, bool)
    skips[:, 3::2] = labels[:, 1:] != labels[:, :-1]
    return states, skips
