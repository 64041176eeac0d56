"""`zen.compile`: a function that is recorded at its first call and replayed from then on."""

from __future__ import annotations

import os
import sys
import threading
import warnings
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, overload

import numpy as np

from .. import backend, random, trees
from ..backend import Tensor
from ..batched import ANYWHERE, running
from ..transforms.wrapper import Wrapper
from .draws import States
from .entries import Entry
from .optimise import optimised
from .places import Refused
from .reads import Reads
from .signatures import is_differentiated, plain_arguments, signature, substituted
from .symbol import Symbol
from .trace import Trace

_PROGRAMS = 16
"""Programs that a function keeps; of more, the one that was not used for longest goes."""
_MISSES = 16
"""Calls in a row that may be recorded before the function runs as it is from then on."""
_EVENTS = 100
"""Lines that `explain` keeps."""


class Compiled(backend.Caller, Wrapper):
    """What `zen.compile` returns."""

    _name = "compile"

    def __init__(self, f: Callable[..., Any], check_every: int | None = None) -> None:
        Wrapper.__init__(self, f)
        if check_every is not None and (
            isinstance(check_every, bool) or not isinstance(check_every, int) or check_every < 1
        ):
            raise ValueError(f"compile: check_every is a positive int or None, not {check_every!r}")
        self._given = f, check_every
        self._table: OrderedDict[Any, list[Entry]] = OrderedDict()
        self._lock = threading.Lock()
        self._misses, self._reason = 0, ""
        self._events: list[str] = []

    def _parts(self) -> tuple[Any, ...]:
        return self._given

    def _called(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """A call that is not like the last one."""
        f = self._given[0]
        if self._reason or backend.tracer() is not None or (ANYWHERE and running.levels):
            return f(*args, **kwargs)
        if is_differentiated(args, kwargs):  # its graph is that of the function
            return f(*args, **kwargs)
        key, leaves, others = signature(args, kwargs)
        why = "no program has these shapes, dtypes and constants" if self._table else "it is the first call"
        for entry in tuple(self._table.get(key, ())):
            refused = entry.refused()
            if refused is not None:
                why = refused
                continue
            if entry.writes_to(leaves):
                raise Trace(self._title()).refused("")
            done, result = self._replayed(entry, leaves, args, kwargs)
            if done:
                self._used(key, entry)
                return result
            why = entry.missed(result)
        return self._recorded(key, args, kwargs, leaves, others, why)

    def _replayed(self, entry: Entry, leaves: list[Any], args: Any, kwargs: Any) -> tuple[bool, Any]:
        """(True, result), or False and the step that ended the program."""
        f, every = self._given
        if entry.confirmed and not (every and entry.calls % every == every - 1):
            values = entry.run(leaves)
            if type(values) is not list:
                return False, values
            entry.calls += 1
            return True, entry.finished(values)
        result, wrong, ran = entry.compared(leaves, f, args, kwargs)
        if not ran:
            return False, result
        entry.calls += 1
        if wrong and entry.confirmed:
            raise RuntimeError(
                f"compile: {self._title()} did not do again what it did when it was recorded: {wrong}; it depends on "
                "something that changes from call to call and is no argument, such as a clock or a foreign generator"
            )
        if wrong:
            self._stop(f"its replay is not what the function gives: {wrong}")
        entry.confirmed = True
        return True, result if wrong or not entry.kinds else self._alike(entry, result)

    def _alike(self, entry: Entry, result: Any) -> Any:
        """A result of the function itself, with arrays where replays give arrays."""
        leaves = []
        for kind, x in zip(entry.kinds, trees.values(result), strict=True):
            if kind is np.ndarray or kind is Tensor:
                x = np.array(x.detach().numpy() if isinstance(x, Tensor) else x)
            elif isinstance(kind, np.ndarray):
                x = kind.copy()
            leaves.append(backend.wrap(x) if kind is Tensor else x)
        return trees.rebuild(entry.form, leaves)

    def _used(self, key: Any, entry: Entry) -> None:
        self._misses = 0
        with self._lock:
            entries = self._table.get(key)
            if entries is None or entry not in entries:
                return
            self._table.move_to_end(key)
            if entries[0] is not entry:
                entries.remove(entry)
                entries.insert(0, entry)
        every = self._given[1]
        self.remember(entry.signature(entry.arguments) if entry.confirmed and not every and not self._reason else None)

    # Recording

    def _recorded(self, key: Any, args: Any, kwargs: Any, leaves: list[Any], others: list[Any], why: str) -> Any:
        f = self._given[0]
        self._misses += 1
        if self._misses > _MISSES:
            self._stop(f"{_MISSES} calls in a row had to be recorded, the last because {why}")
            return f(*args, **kwargs)
        reads = Reads.of(f, args, kwargs)
        if reads.stores:
            self._stop(f"it changes what is not its own: {reads.stores[0]}")
            return f(*args, **kwargs)
        if reads.opaque:
            self._stop(f"it depends on what cannot be compared: {reads.opaque[0]}")
            return f(*args, **kwargs)
        self._note(f"recorded, because {why}")
        own = [] if random._generator is None else [random._generator]
        states = States([*reads.generators, *own], shared=True)
        trace = Trace(self._title())
        trace.given = [x for x in leaves if isinstance(x, np.ndarray)]
        given, keywords, tensors = substituted(trace, args, kwargs)
        try:
            result = trace.run(f, *given, **keywords)
        except Refused:
            raise
        except Exception as error:  # perhaps only because it was recorded
            self._note(f"not recorded: {type(error).__name__}: {error}")
            if trace.reason or not trace.undo():
                raise
            states.restore()
            return f(*args, **kwargs)
        trace.refuse_changed()
        if not trace.reason and states.unexplained(trace.steps):
            trace.give_up("it draws random numbers from a generator that is not zen's; draw from zen.random")
        made, result = [result], None
        return self._entered(key, trace, reads, made, tensors, plain_arguments(args) if not kwargs else None, others)

    def _entered(
        self, key: Any, trace: Trace, reads: Reads, made: list[Any], tensors: bool, arguments: Any, others: list[Any]
    ) -> Any:
        result = made.pop()  # which nobody else holds: what is made in the call is told from what was there by that
        leaves = trees.values(result)
        kinds: list[Any] = []
        dynamic: list[Any] = []
        for x in leaves:
            if type(x) is Symbol or isinstance(x, Tensor):
                dynamic.append(x)
                kinds.append(float if type(x) is Symbol else Tensor if tensors else np.ndarray)
            elif isinstance(x, (np.ndarray, np.generic, bool, int, float, complex, str, bytes)):
                kinds.append(x.copy() if isinstance(x, np.ndarray) else x)
            else:
                raise TypeError(
                    f"compile: {self._title()} returned {type(x).__name__}; a compiled function returns arrays, "
                    "Tensors, numbers and strings, in lists, tuples and dicts"
                )
        form = trees.rebuild(result, [0] * len(leaves))
        x = result = None
        program = trace.program(dynamic, leaves)
        if program is None:
            self._stop(trace.reason)
        if trace.connected:
            return trees.rebuild(form, leaves)
        found = trees.rebuild(form, [_handed(x, kind) for x, kind in zip(leaves, kinds, strict=True)])
        if program is None:
            return found
        entry = Entry(optimised(program), reads, form, kinds, others)
        entry.arguments = arguments
        with self._lock:
            self._keep(key, entry)
        return found

    def _keep(self, key: Any, entry: Entry) -> None:
        """Enter a program in the table, and drop those that were not used for longest."""
        self._table.setdefault(key, []).insert(0, entry)
        self._table.move_to_end(key)
        while sum(map(len, self._table.values())) > _PROGRAMS:
            oldest = next(iter(self._table))
            self._table[oldest].pop()
            if not self._table[oldest]:
                del self._table[oldest]

    # What is said about it

    def _title(self) -> str:
        return str(getattr(self, "__qualname__", repr(self._given[0])))

    def _note(self, text: str) -> None:
        self._events = [*self._events[1 - _EVENTS :], text]
        if os.environ.get("ZEN_EXPLAIN"):
            print(f"zen.compile: {self._title()}: {text}", file=sys.stderr)

    def _stop(self, reason: str) -> None:
        if self._reason:
            return
        self._reason = reason
        self.remember(None)
        self._note(f"runs as it is from now on: {reason}")
        warnings.warn(
            f"zen.compile: {self._title()} runs as it is from now on, without a program: {reason}", stacklevel=5
        )

    def explain(self) -> str:
        """Whether calls are replayed, and what was recorded and why: a line for each time.

        With the environment variable ZEN_EXPLAIN set, each line is printed to the error channel as it comes up.
        """
        count = sum(map(len, self._table.values()))
        state = f"runs as it is: {self._reason}" if self._reason else f"{count} program{'s' if count != 1 else ''}"
        return "\n".join([f"{self._title()}: {state}", *self._events])

    @property
    def program(self) -> Any:
        """The program that was used or made last, or None; `str` of it has one line for each instruction."""
        for entries in reversed(self._table.values()):
            return entries[0].program
        return None

    @property
    def plan(self) -> str:
        """That program as it is executed: one line for each instruction, with the memory of its result."""
        for entries in reversed(self._table.values()):
            return str(entries[0].machine.text())
        return ""


def _handed(x: Any, kind: Any) -> Any:
    """A leaf of the result of a recorded call, as the caller gets it."""
    if kind is float:
        return x.number
    if kind is np.ndarray or kind is Tensor:
        array = np.array(x.detach().numpy())
        return array if kind is np.ndarray else backend.wrap(array)
    return kind.copy() if isinstance(kind, np.ndarray) else x


@overload
def compile(f: Callable[..., Any], *, check_every: int | None = None) -> Compiled: ...  # noqa: A001
@overload
def compile(*, check_every: int | None = None) -> Callable[[Callable[..., Any]], Compiled]: ...  # noqa: A001
def compile(f: Callable[..., Any] | None = None, *, check_every: int | None = None) -> Any:  # noqa: A001
    """The function `f`, recorded at its first call and replayed from then on; also as a decorator.

    A call runs `f` and records the operations that it applies, through `grad`, `jvp`, `hessian`, `vmap` and whole
    training steps, as a program: memory planned, values computed in one loop without Python. Later calls of the same
    structure, shapes and dtypes run the program. Their results are those of `f`: where something that `f` depends on
    has changed it is recorded again. That is so for globals, closed-over variables and attributes that it reads,
    settings of modules, and every value of a Tensor or float that Python code looked at, as a condition does. Tensors
    that `f` uses are read where they lie. The second call runs `f` as well and compares.

    Arguments and results are arrays, Tensors, numbers and nested containers of these. Numbers and NumPy arrays give
    NumPy arrays; with a Tensor among the arguments the results are Tensors. `f` sees Tensors in the place of arrays.
    Floats are inputs; ints, bools and strings are constants, each value with a program of its own. The gradients that
    `f` leaves in parameters, what it writes into Tensors that exist already, optimisers' steps and numbers that are
    drawn from zen.random are part of the program, and are done when all checks have passed.

    A call with arguments that require gradients runs `f` as it is. A function that cannot be replayed always does, and
    a warning says why once: one that changes other state of Python, prints, or depends on what cannot be compared, as a
    clock, a file that it opens or a context variable; that draws from another generator; whose result has a graph by
    which parameters may be differentiated later; or that had to be recorded 16 times in a row. `explain()` tells the
    reasons. Not seen is what a library reads, as `numpy.load` does; `check_every=n` runs `f` in every n-th call too,
    and raises RuntimeError where it differs. TypeError for a result that is no data, RuntimeError for a function that
    writes to its arguments.

    >>> import numpy as np, zen
    >>> step = zen.compile(zen.value_and_grad(lambda x: (np.exp(x) * x).sum()))
    >>> for k in range(3):
    ...     value, gradient = step(np.arange(3.0) + k)
    >>> step.explain().splitlines()
    ['<lambda>: 1 program', 'recorded, because it is the first call']
    >>> np.allclose(gradient, (np.arange(3.0) + 3) * np.exp(np.arange(3.0) + 2))
    True
    """
    return Compiled(f, check_every) if f is not None else lambda function: Compiled(function, check_every)
