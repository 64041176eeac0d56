"""Which state of Python a function depends on besides its arguments, and whether it has changed since.

A program replays in the place of a function; `Reads` says when the function has to be traced again. It is found by a
walk over the byte code at trace time (`walking.py`), which runs no code of the user's: globals, closed-over variables,
defaults, and what attributes and elements are read of these, of `self` and of arguments that are no data; the same of
every function that is called, but those of zen, NumPy, SciPy and the standard library, which are known by identity.

The arguments themselves are not compared: who replays compares them. Of Tensors the memory is not remembered, as a
program reads it live.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from copy import copy
from typing import Any

import numpy as np

from ..backend import Watch
from .comparing import Columns, difference
from .remembering import ARRAY, COPY, LIVE, MISSING, Item, Memory
from .walking import Walker

_NOTHING: Mapping[str, Any] = {}


class Reads:
    """What a function reads besides its arguments, as it was when `of` looked. Immutable.

    arrays: the NumPy arrays found, whose contents are compared. generators: sources of random numbers. opaque: what
    could not be followed, so that `changed` knows nothing of it. stores: what the function changes, besides what it
    makes and besides Tensors. The last two are sentences with the line.

    >>> scale = [2.0]
    >>> reads = Reads.of(lambda x: x * scale[0])
    >>> reads.changed()
    """

    __slots__ = (
        "_items", "_kept", "_subjects", "arrays", "generators", "opaque", "rest", "stores", "watch",
    )  # fmt: skip

    arrays: list[np.ndarray]
    generators: list[Any]
    opaque: list[str]
    stores: list[str]

    def __init__(self, memory: Memory, stores: list[str]) -> None:
        self._kept = tuple(memory.kept.values())  # alive, as numbers of dead objects are used again
        self._subjects = tuple(memory.subjects)
        self.arrays, self.generators = memory.arrays, memory.generators
        self.opaque, self.stores = list(memory.opaque), stores
        self._set(tuple(memory.items))

    def _set(self, items: tuple[Item, ...]) -> None:
        self._items, self.watch = items, Watch(items, MISSING)
        self.rest = Columns(self.watch.left) if self.watch.left else None

    @staticmethod
    def of(function: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] = _NOTHING) -> Reads:
        """What a call `function(*args, **kwargs)` would read. The function is not called."""
        walker = Walker()
        walker.start(function, args, dict(kwargs))
        return Reads(walker.memory, list(walker.stores))

    def live(self, arrays: Iterable[np.ndarray]) -> Reads:
        """The same for a program that reads these arrays live: their contents may change, their layout may not."""
        numbers = {id(a) for a in arrays}
        made = copy(self)
        made._set(tuple([
            (LIVE, owner, key, key) if kind in (ARRAY, COPY) and id(owner) in numbers else (kind, owner, key, expected)
            for kind, owner, key, expected in self._items
        ]))  # fmt: skip
        return made

    def changed(self) -> str | None:
        """None while all that was read is what it was; otherwise a sentence that says what is not. Never raises."""
        try:
            if self.watch.holds() and (self.rest is None or self.rest.hold()):
                return None
        except Exception:
            pass
        for item, (subject, where) in zip(self._items, self._subjects, strict=True):
            said = difference(item, subject)
            if said is not None:
                return f"{said} ({where})" if where else said
        return None
