"""The machine that replays a program, in NumPy: row after row, as `apply` computes them without recording.

`Machine` has the interface of the compiled one. It reads a program (zen/program/instructions.py) by its attributes. A
value is dropped behind the last step that reads it.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .recording import apply
from .state import call_recording
from .tensor import Tensor, wrap

_ARITHMETIC: dict[str, Callable[..., float]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "neg": operator.neg,
    "array": operator.pos,
}  # fmt: skip


class Machine:
    """Replays one program. It holds nothing of a call: any number of threads may run it at once."""

    def __init__(self, program: Any) -> None:
        self.program = program
        self._steps = tuple(program.steps)
        self._constants = {value.number: _contiguous(array) for value, array in program.constants}
        self._dying = _last_readers(program)
        self.arena_bytes = self._largest_live_set()
        """The bytes of the largest set of values that live at one time, views of others counted like arrays."""

    def run(self, inputs: Sequence[Any]) -> Any:
        """The outputs as a list of arrays that nobody else holds, weak ones as floats; or a number: the step that ends
        the program, a check that fails or a division by zero, or -1 where a live object is no longer what it was.

        inputs: an array of its value's shape and dtype for each, a float for a weak one. Raises TypeError for others.
        """
        values = dict(self._constants)
        if len(inputs) != len(self.program.inputs):
            raise TypeError(f"run: the program takes {len(self.program.inputs)} inputs, not {len(inputs)}")
        for k, (value, given) in enumerate(zip(self.program.inputs, inputs, strict=True)):
            values[value.number] = _given(k, value, given)
        for value, thing in self.program.live:
            array = thing._array if isinstance(thing, Tensor) else thing
            if array.shape != value.shape or array.dtype != value.dtype:
                return -1
            values[value.number] = _contiguous(array)
        ended = call_recording(False, self._replay, values)
        if ended is not None:
            return ended
        return [_fresh(value, values[value.number]) for value in self.program.outputs]

    def _replay(self, values: dict[int, Any]) -> int | None:
        for k, step in enumerate(self._steps):
            kind = type(step).__name__
            if kind == "Check":
                if not _same_bits(values[step.operand.number], step.expected):
                    return k
            elif kind == "Number":
                operands = [values[x.number] if hasattr(x, "number") else float(x) for x in step.operands]
                if step.operator == "/" and operands[1] == 0:
                    return k
                found = _ARITHMETIC[step.operator](*operands)
                values[step.result.number] = found if step.result.weak else np.array(found, step.result.dtype)
            else:
                _apply(step, values)
            for number in self._dying[k]:
                del values[number]
        return None

    def _largest_live_set(self) -> int:
        size = {v.number: _bytes(v) for step in self._steps for v in _results(step)}
        live = largest = 0
        for step, dying in zip(self._steps, self._dying, strict=True):
            live += sum([size[v.number] for v in _results(step)])
            largest = max(largest, live)
            live -= sum([size.get(number, 0) for number in dying])
        return largest

    def text(self) -> str:
        """One line for each step."""
        lines = []
        for k, step in enumerate(self._steps):
            kind = type(step).__name__
            operands = [step.operand] if kind == "Check" else step.operands
            name = {"Check": "check", "Number": getattr(step, "operator", "")}.get(kind) or step.row.name
            results = ", ".join([f"{v!r}: {_shown(v)}" for v in _results(step)])
            line = f"{results} = " if results else ""
            line += f"{name}({', '.join([repr(x) for x in operands])})"
            dying = [f"%{number}" for number in self._dying[k]]
            lines.append(line + (f"  frees {', '.join(dying)}" if dying else ""))
        lines.append(f"{len(self._steps)} steps, at most {self.arena_bytes} bytes live")
        return "\n".join(lines)


def _given(k: int, value: Any, given: Any) -> Any:
    if value.weak:
        if isinstance(given, float):
            return float(given)
    elif isinstance(given, np.ndarray) and given.shape == value.shape:
        if given.dtype.newbyteorder("=") == value.dtype:
            return _contiguous(given)
    wanted = "a float" if value.weak else f"an array of {_shown(value)}"
    found = f"one of {given.dtype}{list(given.shape)}" if isinstance(given, np.ndarray) else type(given).__name__
    raise TypeError(f"run: input {k} of the program is {wanted}, not {found}")


def _contiguous(array: np.ndarray) -> np.ndarray:
    """The array, or a copy where it is not contiguous, aligned and in the machine's byte order: as it was planned."""
    found: np.ndarray = np.require(array, array.dtype.newbyteorder("="), ["C", "A"])
    return found.view(np.ndarray)


def _apply(step: Any, values: dict[int, Any]) -> None:
    operands = [values[x.number] if hasattr(x, "number") else x for x in step.operands]
    given = tuple([wrap(x) if isinstance(x, np.ndarray) else x for x in operands])
    made = apply(step.row, given, _filled(step.params, values))
    results = made if step.row.several else (made,)
    for value, t in zip(step.results, results, strict=True):
        array = t._array
        if array.shape != value.shape or array.dtype != value.dtype:
            raise RuntimeError(
                f"{step.row.name}: the program has {_shown(value)} for a result that is {array.dtype}{array.shape}; "
                "a row's shapes and dtypes follow from those of its operands alone"
            )
        values[value.number] = array


def _same_bits(found: Any, expected: np.ndarray) -> bool:
    return np.asarray(found).tobytes() == np.asarray(expected).tobytes()


def _fresh(value: Any, found: Any) -> Any:
    return found if value.weak else np.array(found, order="K", copy=True, subok=False)


def _results(step: Any) -> tuple[Any, ...]:
    kind = type(step).__name__
    return () if kind == "Check" else (step.result,) if kind == "Number" else step.results


def _last_readers(program: Any) -> list[list[int]]:
    """For each step the values that nothing reads behind it."""
    last: dict[int, int] = {}
    for k, step in enumerate(program.steps):
        operands = (step.operand,) if type(step).__name__ == "Check" else step.operands
        read = [x for x in operands if hasattr(x, "number")] + _within(getattr(step, "params", ()))
        for value in (*_results(step), *read):
            last[value.number] = k
    for value in program.outputs:
        last.pop(value.number, None)
    dying: list[list[int]] = [[] for _ in program.steps]
    for number, k in last.items():
        dying[k].append(number)
    return dying


def _bytes(value: Any) -> int:
    return int(np.prod(value.shape, dtype=np.int64)) * int(value.dtype.itemsize)


def _shown(value: Any) -> str:
    return "float" if value.weak else f"{value.dtype}{list(value.shape)}"


def _filled(params: Any, values: dict[int, Any]) -> Any:
    """Parameters, with arrays in place of values."""
    if type(params) is tuple:
        return tuple([_filled(x, values) for x in params])
    if type(params) is list:
        return [_filled(x, values) for x in params]
    return values[params.number].copy() if hasattr(params, "number") else params


def _within(params: Any) -> list[Any]:
    """The values in parameters."""
    if not isinstance(params, (tuple, list)):
        return [params] if hasattr(params, "number") else []
    return [value for x in params for value in _within(x)]
