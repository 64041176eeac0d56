"""The log of in-place writes: which bytes were overwritten, when, and by which operation.

Written by `zen/attached/inplace.py`, read by the engines when a backward pass is about to use a saved value. A value
saved at sequence number s is spoilt if a later write touched a byte of it. Writes that miss it do no harm, which is
what lets a loop `h[i] = tanh(h[i - 1] * w)` be differentiated.

Addresses are enough to tell. The saved array keeps its memory alive, so a write after s to one of its addresses was
a write to it, never to memory freed and reused. The log is nevertheless kept per owner of the memory and vanishes
with it; memory that comes from elsewhere (DLPack, the buffer protocol) shares one log.

Only the newest write to a byte matters, so a log is a set of disjoint ranges, repainted by each write and searched by
bisection: ten thousand writes cost ten thousand searches, not their square. Writes with a gap, such as columns, are
painted by their addresses modulo the distance between rows. Where that is inexact it errs towards "overwritten".
"""

from __future__ import annotations

import weakref
from _thread import RLock  # what threading gives; `import zen` need not load that
from bisect import bisect_left, bisect_right
from typing import Any

import numpy as np

_FOREIGN_LIMIT = 4096  # ranges kept apart in memory whose end nobody tells us
_CLOSE = 4096  # bytes


def note(array: np.ndarray, seq: int, name: str) -> None:
    """Log that `name` wrote to every byte of `array` at sequence number `seq`."""
    with _lock:
        if array.base is None and array.flags.forc:
            entry = _owned.get(id(array))
            if entry is not None and entry[0]() is array:  # all of an array written before: an optimiser's step
                entry[1].write_all((seq, name))
                return
        if array.size:
            _log_of(array).write(*_layout(array), (seq, name))


def overwritten(array: np.ndarray, seq: int) -> str | None:
    """The operation that wrote to memory of `array` after `seq`, or None."""
    owner = _owner(array)
    with _lock:
        return _found(array, owner, seq)


def _found(array: np.ndarray, owner: Any, seq: int) -> str | None:
    if owner is None:
        logs = [_foreign, *(log for _, log in _owned.values())]  # the same memory may have an owner here as well
    else:
        entry = _owned.get(id(owner))
        logs = [_foreign] if entry is None or entry[0]() is not owner else [entry[1], _foreign]
    layout = None
    for log in logs:
        if log.latest > seq and array.size:
            layout = layout or _layout(array)
            name = log.find(*layout, seq)
            if name is not None:
                return name
    return None


class _Ranges:
    """Disjoint half-open ranges in rising order, each marked with the (seq, name) of its newest write."""

    __slots__ = ("starts", "ends", "marks")

    def __init__(self) -> None:
        self.starts: list[int] = []
        self.ends: list[int] = []
        self.marks: list[tuple[int, str]] = []

    def paint(self, start: int, end: int, mark: tuple[int, str]) -> None:
        first = bisect_right(self.ends, start)
        last = bisect_left(self.starts, end, first)
        starts, ends, marks = [start], [end], [mark]
        if first < last:  # what sticks out of the ranges covered keeps its mark
            if self.starts[first] < start:
                starts.insert(0, self.starts[first])
                ends.insert(0, start)
                marks.insert(0, self.marks[first])
            if self.ends[last - 1] > end:
                starts.append(end)
                ends.append(self.ends[last - 1])
                marks.append(self.marks[last - 1])
        self.starts[first:last], self.ends[first:last], self.marks[first:last] = starts, ends, marks

    def newer(self, start: int, end: int, seq: int) -> list[int]:
        """Positions of the ranges that meet [start, end) and were written after `seq`."""
        first = bisect_right(self.ends, start)
        last = bisect_left(self.starts, end, first)
        return [i for i in range(first, last) if self.marks[i][0] > seq]

    def coarsen(self) -> None:
        """Join neighbours that lie close together, so that they are almost surely parts of one block of memory."""
        starts, ends, marks = self.starts[:1], self.ends[:1], self.marks[:1]
        for start, end, mark in zip(self.starts[1:], self.ends[1:], self.marks[1:], strict=True):
            if start - ends[-1] <= _CLOSE:
                ends[-1], marks[-1] = end, max(marks[-1], mark)
            else:
                starts.append(start)
                ends.append(end)
                marks.append(mark)
        self.starts, self.ends, self.marks = starts, ends, marks


class _Log:
    """The writes to one owner's memory.

    A layout is (lo, hi, pitch, width): runs of `width` bytes, `pitch` apart, the first starting at lo and the last
    ending at hi; pitch 0 is a single run.
    """

    __slots__ = ("latest", "lo", "hi", "solid", "pitched")

    def __init__(self, lo: int = 0, hi: int = 0) -> None:
        self.latest = 0
        self.lo, self.hi = lo, hi  # the memory of the owner
        self.solid = _Ranges()
        self.pitched: dict[tuple[int, int, int], tuple[list[int], _Ranges]] = {}

    def write(self, lo: int, hi: int, pitch: int, width: int, mark: tuple[int, str]) -> None:
        self.latest = max(self.latest, mark[0])
        if not pitch:
            self.solid.paint(lo, hi, mark)
            return
        # Writes that span the same rows share ranges: within them the residue alone tells two writes apart.
        bounds, ranges = self.pitched.setdefault((pitch, lo // pitch, (hi - 1) // pitch), ([lo, hi, 0], _Ranges()))
        bounds[:] = min(bounds[0], lo), max(bounds[1], hi), max(bounds[2], mark[0])
        for start, end in _residues(lo, width, pitch):
            ranges.paint(start, end, mark)

    def write_all(self, mark: tuple[int, str]) -> None:
        self.latest = mark[0]
        solid = self.solid
        if len(solid.starts) != 1 or self.pitched:
            self.pitched.clear()
            solid.starts[:] = solid.ends[:] = solid.marks[:] = ()
            solid.paint(self.lo, self.hi, mark)
        else:
            solid.starts[0], solid.ends[0], solid.marks[0] = self.lo, self.hi, mark

    def find(self, lo: int, hi: int, pitch: int, width: int, seq: int) -> str | None:
        solid = self.solid
        for i in solid.newer(lo, hi, seq):
            if not pitch or _meets(lo, hi, pitch, width, solid.starts[i], solid.ends[i]):
                return solid.marks[i][1]
        for (other, _, _), (bounds, ranges) in self.pitched.items():
            if bounds[2] <= seq or bounds[0] >= hi or bounds[1] <= lo:
                continue
            for start, end in _residues(lo, width if other == pitch else hi - lo, other):
                for i in ranges.newer(start, end, seq):
                    return ranges.marks[i][1]
        return None


def _layout(array: np.ndarray) -> tuple[int, int, int, int]:
    """(lo, hi, pitch, width) of the bytes of `array`, with inner gaps counted as part of the runs."""
    lo: int = array.__array_interface__["data"][0]
    width: int = array.itemsize
    if array.flags.forc:
        return lo, lo + array.nbytes, 0, array.nbytes
    dims = []
    for size, stride in zip(array.shape, array.strides, strict=True):
        if stride < 0:
            lo += (size - 1) * stride
        if size > 1 and stride:
            dims.append((abs(stride), size))
    dims.sort()
    pitch, count = 0, 1
    for stride, size in dims:
        if stride <= width:  # dense so far
            width += (size - 1) * stride
        elif stride == pitch * count:  # rows of a matrix, its columns skipped alike
            count *= size
        else:
            width += (count - 1) * pitch
            pitch, count = (stride, size) if stride > width else (0, 1)
            if not pitch:
                width += (size - 1) * stride
    hi = lo + width + (count - 1) * pitch
    return (lo, hi, pitch, width) if pitch else (lo, hi, 0, hi - lo)


def _residues(lo: int, width: int, pitch: int) -> list[tuple[int, int]]:
    """The addresses [lo, lo + width) modulo `pitch`, as one or two ranges."""
    if width >= pitch:
        return [(0, pitch)]
    start = lo % pitch
    end = start + width
    return [(start, end)] if end <= pitch else [(start, pitch), (0, end - pitch)]


def _meets(lo: int, hi: int, pitch: int, width: int, start: int, end: int) -> bool:
    """Whether runs of `width` bytes, `pitch` apart between lo and hi, meet [start, end)."""
    start, end = max(start, lo), min(end, hi)
    into = (start - lo) % pitch
    return into < width or into + end - start > pitch


def _owner(array: np.ndarray) -> np.ndarray | None:
    """The array that owns the memory; None if the memory is not NumPy's own."""
    base: Any = array.base
    while base is not None:
        if not isinstance(base, np.ndarray):
            return None
        array = base
        base = array.base
    return array


def _log_of(array: np.ndarray) -> _Log:
    owner = _owner(array)
    if owner is None:
        ranges = _foreign.solid
        if len(ranges.starts) > _FOREIGN_LIMIT and not len(ranges.starts) % _FOREIGN_LIMIT:
            ranges.coarsen()
        return _foreign
    key = id(owner)
    entry = _owned.get(key)
    if entry is None or entry[0]() is not owner:
        log = _Log(*_layout(owner)[:2])
        # The callback takes no lock (a collection may run while this thread holds it); one dict call is atomic.
        _owned[key] = weakref.ref(owner, lambda ref: _forget(key, ref)), log
        return log
    return entry[1]


def _forget(key: int, ref: Any) -> None:
    entry = _owned.get(key)
    if entry is not None and entry[0] is ref:
        _owned.pop(key, None)


_lock = RLock()
_owned: dict[int, tuple[Any, _Log]] = {}
_foreign = _Log()
