"""A program of a compiled function, with what its replay needs: the machine, what it depends on, what it returns."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import backend, trees
from ..backend import Tensor
from .differences import difference
from .draws import States, drawn_from
from .instructions import Program
from .reads import Reads


class Entry:
    """One program of a function, for one signature.

    form: the structure of the function's result. kinds: what becomes of each of its leaves: Tensor, np.ndarray or float
    for an output of the program, else the constant itself.
    """

    def __init__(self, program: Program, reads: Reads, form: Any, kinds: list[Any], kept: list[Any]) -> None:
        self.program, self.reads, self.form, self.kinds, self.kept = program, reads, form, kinds, kept
        self.machine = backend.Machine(program)
        self.confirmed, self.calls = False, 0
        self.arguments: list[Any] | None = None
        self.generators = drawn_from(program.steps)
        self.written = [effect.target for effect in program.effects if effect.action == "write"]
        self.count = len(program.outputs) - sum([effect.value is not None for effect in program.effects])

    def refused(self) -> str | None:
        """Why the program does not hold now, as far as it can be told before it runs."""
        for t in self.program.ungraded:
            if t.grad is not None:
                return "a leaf has a gradient from before the call; call zero_grad() in the function"
        return self.reads.changed()

    def writes_to(self, leaves: list[Any]) -> bool:
        """Whether the arguments lie in memory that the program writes to."""
        return any([np.may_share_memory(t._array, x) for t in self.written for x in leaves if type(x) is not float])

    def run(self, leaves: list[Any]) -> Any:
        """The outputs, or the number of the step that ended the program, or what it raised; then nothing is changed."""
        states = States(self.generators) if self.generators else None
        values = self._replayed(leaves)
        if states is not None and type(values) is not list:
            states.restore()
        return values

    def _replayed(self, leaves: list[Any]) -> Any:
        try:
            return self.machine.run(leaves)
        except Exception as error:  # the function says what to make of it
            return f"{type(error).__name__}: {error}"

    def finished(self, values: list[Any]) -> Any:
        """The result of a call, of which everything is done."""
        if self.program.effects:
            self._publish(values)
        return self._result(values)

    def _publish(self, values: list[Any]) -> None:
        """What the function does beside returning something."""
        rest = iter(values[self.count :])
        for effect in self.program.effects:
            if effect.action == "call":
                effect.target()
            elif effect.action == "grad":
                effect.target.grad = None if effect.value is None else backend.wrap(next(rest))
            else:
                backend.call_recording(False, effect.target.copy_, next(rest))

    def _result(self, values: list[Any]) -> Any:
        found: list[Any] = []
        rest = iter(values)
        for kind in self.kinds:
            if kind is Tensor:
                found.append(backend.wrap(next(rest)))
            elif kind is np.ndarray or kind is float:
                found.append(next(rest))
            else:
                found.append(kind.copy() if isinstance(kind, np.ndarray) else kind)
        return trees.rebuild(self.form, found)

    def compared(self, leaves: list[Any], function: Any, args: Any, kwargs: Any) -> tuple[Any, str, bool]:
        """(result, difference, True) of a call of the function, after a replay that changed nothing; or (what `run`
        returned, "", False)."""
        states = States(self.generators) if self.generators else None
        values = self._replayed(leaves)
        if states is not None:
            states.restore()
        if type(values) is not list:
            return values, "", False
        result = function(*args, **kwargs)
        return result, difference(self._result(values), result) or self._missed(values), True

    def _missed(self, values: list[Any]) -> str:
        """Where what the function changed differs from the values of a replay, which changed nothing."""
        rest, last = iter(values[self.count :]), {}
        for effect in self.program.effects:
            if effect.value is not None:
                last[id(effect.target), effect.action] = effect.target, next(rest)
        for (_, action), (target, value) in last.items():
            now = target.grad if action == "grad" else target
            if now is None or difference(value, now):
                return f"the gradient of a leaf of shape {target.shape}" if action == "grad" else "what is written"
        return ""

    def missed(self, step: int | str) -> str:
        """Why the program ended at a step."""
        if isinstance(step, str):
            return f"the program raised {step}"
        if step < 0:
            return "an object that it uses has another shape or dtype"
        line = getattr(self.program.steps[step], "line", "")
        return f"a value that Python code read is another{line}"

    def signature(self, arguments: list[Any] | None) -> Any:
        """What `backend.Caller` compares the next call with; None where more has to be done than to run the machine."""
        if arguments is None or self.program.effects or self.generators or self.program.ungraded:
            return None
        if not _is_plain(self.form) or any(
            [kind not in (Tensor, np.ndarray, float) for kind in map(_kind, self.kinds)]
        ):
            return None
        reads, tensors = self.reads, [kind is Tensor for kind in self.kinds]
        rest = reads.rest.hold if reads.rest is not None else None
        recorded = backend.grad_enabled()
        return backend.Signature(arguments, self.machine.run, reads.watch, rest, tensors, self.form, recorded)


def _kind(x: Any) -> Any:
    return x if isinstance(x, type) else None


def _is_plain(form: Any) -> bool:
    """Whether a structure is of tuples, lists and dicts, not of classes made of them, without None."""
    if type(form) in (tuple, list):
        return all([_is_plain(part) for part in form])
    if type(form) is dict:
        return all([_is_plain(part) for part in form.values()])
    return type(form) is int
