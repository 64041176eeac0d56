"""What a program consists of: values, instructions, checks. Plain data, made by `trace.py` and read by the machines.

A program is immutable once it is made. A value is one array of the program, or one Python number (`weak`): numbers take
the dtype of what they meet, as NumPy's promotion has it. Every value is written once, by the instruction of which it is
a result, or is given: by the call, by a live object, or as a constant.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..backend import Row


@dataclass(frozen=True, slots=True, eq=False)
class Value:
    """One array of known shape and dtype, or a Python float (`weak`, with shape () and dtype float64)."""

    number: int
    shape: tuple[int, ...]
    dtype: np.dtype
    weak: bool = False

    def __repr__(self) -> str:
        return f"%{self.number}"


@dataclass(frozen=True, slots=True, eq=False)
class Instruction:
    """One row applied.

    operands: a Value, or a constant that is no array (a Python number, None). params: the row's parameters, constants,
    with Values in place of arrays that the program computes. results: one Value, or several where the row has several.
    """

    row: Row
    operands: tuple[Any, ...]
    params: tuple[Any, ...]
    results: tuple[Value, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Number:
    """Arithmetic of Python floats: `+`, `-`, `*`, `/` or `neg` of weak values and floats, as Python computes it; or
    `array`, one of them as a 0-d array."""

    operator: str
    operands: tuple[Any, ...]
    result: Value


@dataclass(frozen=True, slots=True, eq=False)
class Check:
    """A value that the function's Python code read: where it is not what it was, bit for bit, the program ends.

    line: of the user's code that read it.
    """

    operand: Value
    expected: np.ndarray
    line: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Effect:
    """What a call changes outside: "grad" of a leaf (to `value`, or None), the memory of a Tensor ("write"), or what a
    function does ("call")."""

    action: str
    target: Any
    value: Value | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Program:
    """A linear program.

    inputs: what a call gives, in order. live: Values with the Tensors or arrays whose memory is read at each call.
    constants: Values with arrays that never change. steps: instructions in order. outputs: the Values that a call
    returns, in order; one may stand there twice, and may be an input, a constant or a live value. effects: what is done
    when all steps have passed, in order; Values in them follow those of the function's result in `outputs`.
    ungraded: leaves that have no gradient when the program begins. notes: "layouts", the strides of results that are
    not in the order of C, by number.
    """

    inputs: tuple[Value, ...]
    live: tuple[tuple[Value, Any], ...]
    constants: tuple[tuple[Value, np.ndarray], ...]
    steps: tuple[Instruction | Number | Check, ...]
    outputs: tuple[Value, ...]
    effects: tuple[Effect, ...] = ()
    ungraded: tuple[Any, ...] = ()
    notes: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        lines = [f"{_shown(value)} is given" for value in self.inputs]
        lines += [f"{_shown(value)} is read from a {type(thing).__name__} at each call" for value, thing in self.live]
        lines += [f"{_shown(value)} is {array.tolist()!r:.60}" for value, array in self.constants]
        for step in self.steps:
            if isinstance(step, Check):
                lines.append(f"{step.operand!r} has to be {step.expected.tolist()!r:.60}{step.line}")
                continue
            made = (step.result,) if isinstance(step, Number) else step.results
            name = step.operator if isinstance(step, Number) else step.row.name
            params = "" if isinstance(step, Number) or not step.params else f" {step.params!r:.80}"
            given = ", ".join([f"{x!r}" for x in step.operands])
            lines.append(f"{', '.join([_shown(value) for value in made])} = {name}({given}){params}")
        for effect in self.effects:
            lines.append(f"then {effect.action}" + ("" if effect.value is None else f" {effect.value!r}"))
        count = len(self.outputs) - sum([effect.value is not None for effect in self.effects])
        return "\n".join([*lines, f"returns {', '.join([repr(value) for value in self.outputs[:count]])}"])


def _shown(value: Value) -> str:
    kind = "float" if value.weak else f"{value.dtype}{list(value.shape)}"
    return f"{value!r}: {kind}"
