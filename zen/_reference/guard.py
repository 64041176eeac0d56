"""Who else can write to memory that a graph needs: what `zen/_core/_guard.pyx` says, in plain NumPy.

Memory is the engine's own, borrowed (it came from outside and somebody still holds it) or lent (an ndarray on the
engine's own is outside). Of borrowed and lent memory a node saves a copy up to 1 MiB and of integers, and else
a view under a `Watch`, with a fingerprint that is compared when the value is read. A loan has a fingerprint of its own
for what was saved before it; when it ends it enters what NumPy wrote into the log of writes.
"""

from __future__ import annotations

import _thread
import sys
import weakref
from typing import Any

import numpy as np

from ..dtypes import INEXACT
from .state import Installed, next_seq

COPIED = 1 << 20
"""Bytes up to which a value is saved by copy."""
EXACT = 1 << 20
"""Bytes up to which a fingerprint reads all; beyond, a line of 64 bytes in each 4096."""

_loans: dict[int, weakref.ref[Loan]] = {}


class _Memory:
    """The base of an ndarray on `array`'s memory: NumPy makes that ndarray from the interface, and holds the object."""

    def __init__(self, array: np.ndarray) -> None:
        self.__array_interface__ = array.__array_interface__


class Borrowed(_Memory):
    """The base of a Tensor's own header on memory that came from outside."""

    def __init__(self, source: np.ndarray) -> None:
        super().__init__(source)
        self.source = source


class Loan:
    """What the arrays outside, and detached Tensors, on one owner's memory share while there are any."""

    exposed = False  # an ndarray is outside; else only Tensors, whose writes are known
    seq = 0

    def __init__(self, owner: np.ndarray) -> None:
        self.owner = owner
        self.fingerprint = 0

    def expose(self) -> None:
        self.fingerprint = fingerprint(self.owner)
        self.seq = next_seq()
        self.exposed = True  # at last: another thread may ask `is_written` at any moment

    def is_written(self) -> bool:
        return self.exposed and fingerprint(self.owner) != self.fingerprint

    def report(self) -> None:
        if Installed.note is not None:
            Installed.note(self.owner, self.seq, "NumPy")

    def __del__(self) -> None:
        # Out of a deallocation no error can be raised: an interrupt waits, and the log is written all the same.
        interrupted = False
        for _ in range(8):
            try:
                if _loans is not None and self.owner is not None:  # None: the interpreter is going down
                    _loans.pop(id(self.owner), None)
                    if self.is_written():
                        self.report()
                break
            except KeyboardInterrupt:
                interrupted = True
        if interrupted:
            _thread.interrupt_main()


class _Lent(_Memory):
    def __init__(self, array: np.ndarray, loan: Loan) -> None:
        super().__init__(array)
        self.loan = loan


class Watch(_Memory):
    """The base of a saved view of memory that others can write to."""

    def __init__(self, source: np.ndarray) -> None:
        super().__init__(source)
        self.source, self.root = source, _root(source)
        self.place = _place(self.root)
        self.fingerprint = fingerprint(source)

    def is_spoilt(self, view: np.ndarray) -> bool:
        # In this order: memory that a resize has moved must not be read.
        return _place(self.root) != self.place or fingerprint(view) != self.fingerprint


def borrow(array: np.ndarray) -> np.ndarray:
    """An ndarray on the memory of one that came from outside, as the memory of a Tensor."""
    return np.asarray(Borrowed(array))


def lend(array: np.ndarray, expose: bool) -> np.ndarray:
    """An ndarray on the memory of a Tensor's: for somebody outside, or (not `expose`) for another Tensor."""
    owner = owner_of(array)
    if owner is None:
        return array.view()
    loan = _loan(owner)
    if loan is None:
        loan = Loan(owner)
        _loans[id(owner)] = weakref.ref(loan)
    if expose and not loan.exposed:
        loan.expose()
    return np.asarray(_Lent(array, loan))


def settle(array: np.ndarray) -> None:
    """Before the engine writes to a part of `array`: enter what NumPy wrote through a loan until now into the log."""
    loan = _loan(owner_of(array))
    if loan is not None and loan.is_written():
        loan.report()


def renew(array: np.ndarray) -> None:
    """After that write: from now on the loan is compared with what is there now."""
    loan = _loan(owner_of(array))
    if loan is not None and loan.exposed:
        loan.fingerprint = fingerprint(loan.owner)


def sharers(t: Any) -> int:
    """Who else uses the memory of t: 0 nobody, 1 only nodes that saved it, 2 somebody who must see what is written."""
    root = t if t.base is None else t.base
    owner = owner_of(root._data)
    if owner is None or _loan(owner) is not None or root.views > (t is not root):
        return 2
    # Each count has the argument of getrefcount; that of the owner also the variable here, and the base of t's array.
    known = 3 + (t is not root and t._data is not root._data)
    held = sys.getrefcount(owner) > known
    return int(held if owner is root._data else held or sys.getrefcount(root._data) > 2)


def guarded(array: np.ndarray, foreign: bool) -> np.ndarray:
    """What is saved of `array`. `foreign`: it was an operand itself, so somebody outside holds it."""
    if not foreign and (array.base is not None or _loans):
        owner = owner_of(array)
        loan = _loan(owner)
        if owner is not None and (loan is None or not loan.exposed):
            return array
    elif not foreign:
        return array
    if array.nbytes <= COPIED or array.dtype not in INEXACT:
        return array.copy(order="K")
    view = np.asarray(Watch(array))
    view.flags.writeable = False
    return view


def guarded_params(params: tuple[Any, ...]) -> tuple[Any, ...]:
    """Arrays among the parameters (keys, masks, weights) are saved values like any other."""
    return tuple(
        [guarded(p, True) if type(p) is np.ndarray else guarded_params(p) if type(p) is tuple else p for p in params]
    )


def is_spoilt(saved: Any, seq: int) -> bool:
    """Whether somebody outside wrote to the saved array since it was saved at `seq`."""
    if not isinstance(saved, np.ndarray):
        return False
    base: Any = saved.base
    if isinstance(base, Watch):
        return base.is_spoilt(saved)
    if not _loans:
        return False
    loan = _loan(owner_of(saved))
    return loan is not None and loan.seq > seq and loan.is_written()


def owner_of(array: np.ndarray) -> np.ndarray | None:
    """The array at the end of the bases, if its memory is the engine's own or was handed over; else None."""
    while True:
        base: Any = array.base
        if base is None:
            return array if array.flags.owndata else None
        if isinstance(base, np.ndarray):
            array = base
        elif isinstance(base, _Lent):
            array = base.loan.owner
        elif isinstance(base, Borrowed):
            source_is_owner = base.source.base is None and base.source.flags.owndata
            return array if source_is_owner and sys.getrefcount(base.source) == 2 else None
        else:
            return None


def fingerprint(array: np.ndarray) -> int:
    """A number that depends on the values and their order."""
    flat = array.reshape(-1, order="A") if array.flags.forc else np.ascontiguousarray(array).reshape(-1)
    raw = flat.view(np.uint8)
    if raw.size <= EXACT:
        return hash(raw.tobytes())
    pages = raw[: raw.size // 4096 * 4096].reshape(-1, 64, 64)
    k = np.arange(len(pages), dtype=np.uint64)
    lines = (k * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(58)
    return hash(pages[k, lines].tobytes() + raw[-4096:].tobytes())


def digest(array: np.ndarray) -> int:
    """A number that depends on every byte of `array`, in the order of memory."""
    flat = array.reshape(-1, order="A") if array.flags.forc else np.ascontiguousarray(array).reshape(-1)
    raw = flat.view(np.uint8)
    return hash(tuple([hash(raw[k : k + EXACT].tobytes()) for k in range(0, raw.size, EXACT)]))


def _loan(owner: np.ndarray | None) -> Loan | None:
    found = None if owner is None else _loans.get(id(owner))
    return None if found is None else found()


def _root(array: np.ndarray) -> np.ndarray:
    base: Any = array.base
    while isinstance(base, (np.ndarray, Borrowed, Watch)):
        array = base.source if isinstance(base, Borrowed) else base.root if isinstance(base, Watch) else base
        base = array.base
    return array


def _place(array: np.ndarray) -> tuple[int, int]:
    return array.__array_interface__["data"][0], array.nbytes
