"""What the parts of the reference engine share: sequence numbers, grad mode, and what higher floors installed.

Used by the modules of this package only; the public names are re-exported by `zen/_reference/__init__.py`.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, Self

import numpy as np

from ..dtypes import DIFFERENTIABLE, SUPPORTED

_count = itertools.count(1)


def next_seq() -> int:
    """The next sequence number. Nodes and in-place writes draw from the same sequence, so they can be ordered."""
    return next(_count)


class _Mode(threading.local):
    enabled = True
    tracer: Any = None
    recorded = 0
    blocks: Any = None
    """The `with` blocks that have not ended: (id of the mode object, `enabled` before, the blocks around, overtaken).

    A block is overtaken if one around it has ended first: it has nothing to restore when its object goes.
    """


_mode = _Mode()


def grad_enabled() -> bool:
    """Whether operations of this thread are recorded."""
    return _mode.enabled


def recorded() -> int:
    """How many operations this thread has recorded."""
    return _mode.recorded


def note_recorded() -> None:
    _mode.recorded += 1


def tracer() -> Any:
    """What notes the operations of this thread, or None."""
    return _mode.tracer


def call_tracing(own: Any, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
    """`function(*args, **kwargs)` while `own` notes the operations of this thread; None: nothing does.

    See zen/program/trace.py for what it is asked. As with `call_recording`, no interrupt comes in between.
    """
    before = _mode.tracer
    _mode.tracer = own
    try:
        return function(*args, **kwargs)
    finally:
        _mode.tracer = before


def set_grad_enabled(enabled: bool) -> bool:
    """Turn recording on or off in this thread; returns what it was."""
    previous = _mode.enabled
    _mode.enabled = bool(enabled)
    return previous


def call_recording(enabled: bool, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
    """`function(*args, **kwargs)` with recording on or off; the mode from before is restored in every case.

    Between attributes that are set and read the interpreter looks for no interrupt, as it does around calls.
    """
    previous = _mode.enabled
    _mode.enabled = enabled
    try:
        return function(*args, **kwargs)
    finally:
        _mode.enabled = previous


class GradMode:
    """A context manager: recording is on or off in a `with` block. See zen/modes.py.

    May be entered any number of times over and by any number of threads. `at_once`: the mode is switched already when
    the object is made, and the first block of this thread restores the one from before that.

    An interrupt finds nothing done, or a block whose end restores the mode, but for one moment: where it arrives just
    as the block ends, before the first line of `__exit__`, the block lasts as long as this object, which the exception
    holds until it has been handled. Compiled code has no such moment.
    """

    enabled: bool
    _key: int
    _outside: tuple[int, bool] | None

    def __new__(cls, enabled: bool, at_once: bool = False) -> Self:
        self = super().__new__(cls)
        self.enabled, self._key, self._outside = enabled, id(self), None
        if at_once:
            self._outside = threading.get_ident(), _mode.enabled
            _mode.enabled = enabled
        return self

    def __enter__(self) -> None:
        before = self._taken_outside()
        if before is None:  # from here on nothing is called: no interrupt and no other thread comes in between
            before = _mode.enabled
        _mode.blocks = (self._key, before, _mode.blocks, False)
        _mode.enabled = self.enabled

    def __exit__(self, kind: object, error: object, traceback: object) -> None:
        block = _mode.blocks
        if block is not None and block[0] == self._key:
            _mode.enabled = block[1]
            _mode.blocks = block[2]
            return
        passed = []
        while block is not None and block[0] != self._key:  # generators end their blocks in any order
            passed.append(block)
            block = block[2]
        if block is None:
            raise RuntimeError(
                f"{self!r}: its block ends in a thread in which it did not begin, so neither has its mode back; a "
                "generator that other threads continue takes the mode as a decorator"
            )
        rest = block[2]
        for key, before, _, _ in reversed(passed):
            rest = (key, before, rest, True)
        _mode.enabled = block[1]
        _mode.blocks = rest

    def __del__(self) -> None:
        block = _mode.blocks
        if block is not None and block[0] == self._key:
            if not block[3]:
                _mode.enabled = block[1]
            _mode.blocks = block[2]

    def withdraw(self) -> None:
        """Take back what making the object did, where it serves as a decorator instead."""
        before = self._taken_outside()
        if before is not None:
            _mode.enabled = before

    def _taken_outside(self) -> bool | None:
        """The mode before the object was made, once, in the thread that made it."""
        if self._outside is None or self._outside[0] != threading.get_ident():
            return None
        _, before = self._outside
        self._outside = None
        return before


class Writes:
    """When any array was last overwritten: nodes younger than that need no check of what they saved."""

    last = 0


def note_write(seq: int) -> None:
    """Tell the engine that some array was overwritten in place at sequence number `seq`."""
    if seq > Writes.last:  # nothing is called, so no other thread comes in between
        Writes.last = seq


def _convert(value: Any, dtype: Any = None) -> np.ndarray:
    array = np.asarray(value, dtype=dtype)
    check_dtype(array.dtype)
    return array


def _missing(*args: Any) -> Any:
    raise RuntimeError("the engine is used on its own: import zen, which installs the operations")


class Installed:
    """What the higher floors gave the engine through `install`. The defaults serve the bare engine."""

    convert: Callable[..., np.ndarray] = staticmethod(_convert)
    connected: Callable[..., Any] = staticmethod(lambda value, trainable: None)
    operators: dict[str, Any] = {}
    getitem: Callable[..., Any] = staticmethod(_missing)
    setitem: Callable[..., Any] = staticmethod(_missing)
    inplace: Callable[..., Any] = staticmethod(_missing)
    resync: Callable[..., None] = staticmethod(_missing)
    to_float: Callable[..., float] | None = None
    repr: Callable[..., str] | None = None
    overwritten: Callable[[np.ndarray, int], str | None] | None = None
    note: Callable[[np.ndarray, int, str], None] | None = None
    arrays: Any = SimpleNamespace()
    tensors: Any = SimpleNamespace()
    batched: Any = None
    apply_batched: Callable[..., Any] = staticmethod(_missing)
    apply: Callable[..., Any] = staticmethod(_missing)
    """The engine's own `apply`, for the operators of Tensor, which stand below it."""


def install(**hooks: Any) -> None:
    """Give the engine what it may call back; the names are the attributes of `Installed`."""
    for name, value in hooks.items():
        if name.startswith("_") or not hasattr(Installed, name):
            raise TypeError(f"install: unknown hook {name!r}")
        setattr(Installed, name, staticmethod(value) if callable(value) and not isinstance(value, type) else value)


def check_dtype(dtype: np.dtype) -> None:
    """Reject the dtypes that no Tensor can have."""
    if dtype not in SUPPORTED:
        raise TypeError(
            f"dtype {dtype} is not supported: use bool, an integer dtype, float16, 32 or 64, or complex64 or 128"
        )


def check_trainable(dtype: np.dtype) -> None:
    """Reject the dtypes that have no gradients."""
    if dtype not in DIFFERENTIABLE:
        raise TypeError(
            f"only a floating-point Tensor can require a gradient, not one of dtype {dtype}; "
            "convert it first, for example with dtype=zen.float64"
        )
