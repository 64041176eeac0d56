"""`zen.compile`: a function that is recorded at its first call and replayed from then on."""

from __future__ import annotations

import os
import sys
import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import numpy as np

from .. import backend, random, trees
from ..backend import Tensor
from ..batched import ANYWHERE, running
from ..dtypes import SUPPORTED
from ..transforms.wrapper import Wrapper
from .draws import States, drawn_from
from .instructions import Instruction
from .optimise import optimised
from .reads import Reads
from .symbol import Symbol
from .trace import Trace

_MOST = 16
"""Programs that a function keeps; of more, the one that was not used for longest goes."""
_MISSES = 32
"""Calls that may be recorded before the function runs as it is from then on."""


class Entry:
    """One program of a function, for one signature."""

    __slots__ = (
        "calls", "checks", "confirmed", "count", "generators", "kinds", "machine", "program", "reads", "rebuild", "settled",
    )  # fmt: skip

    def __init__(self, program: Any, machine: Any, reads: Any, result: Any, kinds: list[Any]) -> None:
        self.program, self.machine, self.reads, self.kinds = program, machine, reads, kinds
        self.rebuild = result
        self.confirmed, self.settled, self.calls = False, False, 0
        self.generators = drawn_from(program.steps)
        self.count = len(program.outputs) - sum([effect.value is not None for effect in program.effects])
        self.checks = any([type(step) is not Instruction for step in program.steps])

    def refused(self) -> str | None:
        """Why the program does not hold now, as far as it can be told before it runs."""
        for t in self.program.ungraded:
            if t.grad is not None:
                return "a leaf has a gradient from before the call; call zero_grad() in the function"
        why: str | None = self.reads.changed()
        return why

    def publish(self, values: list[Any]) -> None:
        """Do what the function does beside returning something."""
        rest = iter(values[self.count :])
        for effect in self.program.effects:
            if effect.kind == "call":
                effect.target()
            elif effect.kind == "grad":
                effect.target.grad = None if effect.value is None else backend.wrap(next(rest))
            else:
                backend.call_recording(False, effect.target.copy_, next(rest))

    def outputs(self, values: list[Any]) -> Any:
        """The result of a call, of which everything is done."""
        if self.program.effects:
            self.publish(values)
        return self.rebuilt(values)

    def missed(self, values: list[Any]) -> str:
        """Where what the function changed differs from the values of a replay, which changed nothing."""
        rest, last = iter(values[self.count :]), {}
        for effect in self.program.effects:
            if effect.value is not None:
                last[id(effect.target), effect.kind] = effect.target, next(rest)
        for (_, kind), (target, value) in last.items():
            now = target.grad if kind == "grad" else target
            if now is None or differs(value, now.detach().numpy()):
                return f"the gradient of a leaf of shape {target.shape}" if kind == "grad" else "what is written"
        return ""

    def rebuilt(self, values: list[Any]) -> Any:
        """The result of a call in the structure of the function's own."""
        found, rest = [], iter(values)
        for kind in self.kinds:
            if kind is Tensor:
                found.append(backend.wrap(next(rest)))
            elif kind is np.ndarray:
                found.append(next(rest))
            else:
                found.append(kind.copy() if isinstance(kind, np.ndarray) else kind)
        return trees.rebuild(self.rebuild, found)


class _Compiled(Wrapper):
    """What `compile` returns."""

    _name = "compile"

    def __init__(self, f: Callable[..., Any], check_every: int | None = None) -> None:
        Wrapper.__init__(self, f)
        self._given = f, check_every
        self._table: OrderedDict[Any, list[Entry]] = OrderedDict()
        self._lock = threading.Lock()
        self._misses, self._eager, self._calls = 0, "", 0
        self._log: list[str] = []

    def _parts(self) -> tuple[Any, ...]:
        return self._given

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        f = self._given[0]
        if self._eager or backend.tracer() is not None or (ANYWHERE and running.levels):
            return f(*args, **kwargs)
        key, leaves = signature(args, kwargs)
        if key is None:
            self._note("an argument is neither data nor a plain constant")
            return f(*args, **kwargs)
        why = "it is the first call" if not self._table else "no program has these shapes, dtypes and constants"
        for entry in self._table.get(key, ()):
            why = entry.refused()
            if why is not None:
                continue
            states = States(entry.generators) if entry.generators and not entry.settled else None
            values = entry.machine.run(leaves)
            if type(values) is list:
                return self._replayed(entry, values, args, kwargs, states)
            if states is not None:
                states.restore()
            why = _missed(entry, values)
        return self._record(key, args, kwargs, why)

    def _replayed(self, entry: Entry, values: list[Any], args: Any, kwargs: Any, states: Any) -> Any:
        entry.calls += 1
        every = self._given[1]
        if entry.confirmed and not (every and entry.calls % every == 0):
            return entry.outputs(values)
        if states is not None:
            states.restore()
        result = self._given[0](*args, **kwargs)
        wrong = differs(entry.rebuilt(values), result) or entry.missed(values)
        if wrong:
            if entry.confirmed and every:
                raise RuntimeError(f"compile: {self._title()} is not deterministic, or changed what it depends on: {wrong}")
            self._stop(f"its replay differs from the function: {wrong}")
        entry.confirmed = True
        entry.settled = not every and not entry.checks
        return entry.rebuilt(values) if not wrong else result

    def _record(self, key: Any, args: Any, kwargs: Any, why: str) -> Any:
        f = self._given[0]
        self._note(f"recorded, because {why}")
        self._misses += 1
        if self._misses > _MISSES:
            self._stop(f"it was recorded {_MISSES} times; the last reason: {why}")
            return f(*args, **kwargs)
        reads = Reads.of(f, args, kwargs)
        states = States([*reads.generators, *_own_generator()])
        trace = Trace()
        given, keywords, tensors = substituted(trace, args, kwargs)
        try:
            result = trace.run(f, *given, **keywords)
        except Exception as error:
            self._note(f"not recorded: {type(error).__name__}: {error}")
            return f(*args, **kwargs)
        if not trace.reason and states.unexplained(trace.steps):
            trace.give_up("it draws random numbers from a generator that zen does not see; pass it as generator=")
        return self._enter(key, trace, reads, result, tensors)

    def _enter(self, key: Any, trace: Trace, reads: Any, result: Any, tensors: bool) -> Any:
        leaves = trees.values(result)
        dynamic = [x for x in leaves if isinstance(x, Tensor) or type(x) is Symbol]
        kinds: list[Any] = []
        for x in leaves:
            if type(x) is Symbol:
                kinds.append(np.ndarray)
            elif isinstance(x, Tensor):
                kinds.append(Tensor if tensors else np.ndarray)
            else:
                kinds.append(x.copy() if isinstance(x, np.ndarray) else x)
        program = trace.program(dynamic)
        values = [x.number if type(x) is Symbol else x.detach() for x in dynamic]
        settled, rest = [], iter(values)
        for kind in kinds:
            x = kind if kind is not Tensor and kind is not np.ndarray else next(rest)
            settled.append(x.numpy().copy() if kind is np.ndarray and isinstance(x, Tensor) else x)
        found = trees.rebuild(result, settled)
        if program is None:
            self._stop(trace.reason)
            return found
        shape = trees.rebuild(result, [0] * len(leaves))
        program = optimised(program)
        entry = Entry(program, backend.Machine(program), reads, shape, kinds)
        with self._lock:
            self._table.setdefault(key, []).insert(0, entry)
            self._table.move_to_end(key)
            while sum(map(len, self._table.values())) > _MOST:
                first = next(iter(self._table))
                self._table[first].pop()
                if not self._table[first]:
                    del self._table[first]
        return found

    def _title(self) -> str:
        return getattr(self, "__qualname__", repr(self._given[0]))

    def _note(self, text: str) -> None:
        self._log.append(text)
        if os.environ.get("ZEN_EXPLAIN"):
            print(f"zen.compile: {self._title()} {text}", file=sys.stderr)

    def _stop(self, reason: str) -> None:
        self._eager = reason
        self._note(f"runs as it is from now on: {reason}")

    def explain(self) -> str:
        """What was recorded and why, a line for each event, and whether calls are replayed."""
        state = f"runs as it is: {self._eager}" if self._eager else f"{sum(map(len, self._table.values()))} programs"
        return "\n".join([f"{self._title()}: {state}", *self._log])

    @property
    def program(self) -> Any:
        """The program that was used last, or None."""
        for entries in reversed(self._table.values()):
            return entries[0].program
        return None


def signature(args: Any, kwargs: Any) -> tuple[Any, list[Any]]:
    """(key, leaves): what selects a program, and what is given to it."""
    leaves: list[Any] = []
    key = _structure((args, kwargs), leaves) if kwargs else _structure(args, leaves)
    return (key, backend.grad_enabled()), leaves


def _structure(tree: Any, leaves: list[Any]) -> Any:
    kind = type(tree)
    if kind is np.ndarray:
        if tree.dtype not in SUPPORTED or not tree.dtype.isnative:
            return kind, id(tree)
        leaves.append(tree)
        return tree.shape, tree.dtype.char
    if isinstance(tree, Tensor):
        leaves.append(tree.array)
        return Tensor, tree.shape, tree.dtype.char, tree.requires_grad
    if kind is float:
        leaves.append(tree)
        return kind
    if isinstance(tree, (tuple, list)):
        return kind, *[_structure(x, leaves) for x in tree]
    if isinstance(tree, dict):
        return kind, *[(k, _structure(x, leaves)) for k, x in tree.items()]
    if isinstance(tree, np.generic):
        leaves.append(np.asarray(tree))
        return kind
    if tree is None or isinstance(tree, (bool, int, str, bytes, complex)):
        return kind, tree
    return kind, id(tree), tree


def substituted(trace: Trace, args: Any, kwargs: Any) -> tuple[Any, Any, bool]:
    """The arguments with what stands for them in a trace, and whether there is a Tensor among them."""
    tensors = False

    def one(x: Any) -> Any:
        nonlocal tensors
        if isinstance(x, Tensor):
            tensors = True
            return trace.root(x.array.copy(), x.requires_grad)
        if type(x) is np.ndarray or isinstance(x, np.generic):
            return trace.root(np.array(x)) if x.dtype in SUPPORTED and x.dtype.isnative else x
        return trace.symbol(x) if type(x) is float else x

    return trees.transform(one, args), trees.transform(one, kwargs), tensors


def differs(made: Any, result: Any) -> str:
    """Where two results differ by more than rounding, or an empty string."""
    ours, theirs = trees.values(made), trees.values(result)
    if len(ours) != len(theirs):
        return f"{len(ours)} results instead of {len(theirs)}"
    for k, (a, b) in enumerate(zip(ours, theirs, strict=True)):
        if isinstance(b, (Tensor, np.ndarray, np.generic, float)):
            x, y = [np.asarray(t.detach().numpy() if isinstance(t, Tensor) else t) for t in (a, b)]
            if x.shape != y.shape or not _close(x, y):
                return f"result {k}"
        elif a != b:
            return f"result {k}"
    return ""


def _close(x: np.ndarray, y: np.ndarray) -> bool:
    if y.dtype.kind not in "fc" or x.dtype != y.dtype:
        return x.dtype == y.dtype and bool(np.array_equal(x, y))
    finite = np.isfinite(y)
    if not np.array_equal(finite, np.isfinite(x)):
        return False
    largest = float(np.abs(y[finite]).max(initial=0))
    room = float(np.finfo(y.dtype).eps) ** 0.75
    return bool(np.allclose(x, y, rtol=room, atol=room * largest, equal_nan=True))


def _missed(entry: Entry, step: int) -> str:
    if step < 0:
        return "an object that it uses has another shape or dtype"
    check = entry.program.steps[step]
    return f"a value that Python code read is another{getattr(check, 'line', '')}"


def _own_generator() -> list[Any]:
    found = random._generator
    return [] if found is None else [found]


def compile(f: Callable[..., Any], *, check_every: int | None = None) -> Any:  # noqa: A001
    return _Compiled(f, check_every)
