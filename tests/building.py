"""Programs made by hand: rows on values, one after the other, and what the engine makes of them eagerly."""

from __future__ import annotations

from typing import Any

import numpy as np

from zen import no_grad
from zen.backend import Machine, apply, wrap
from zen.ops.register import ROWS
from zen.program.instructions import Check, Instruction, Number, Program, Value

FLOAT = np.dtype(np.float64)
RNG = np.random.default_rng(7)


def draw(shape: Any, dtype: Any = np.float64, low: float = 0.3, high: float = 0.9) -> Any:
    return RNG.uniform(low, high, shape).astype(dtype)


class Builder:
    """Applies rows to sample inputs and writes them down. `eager` maps the values to what they were."""

    def __init__(self) -> None:
        self.inputs: list[Value] = []
        self.samples: list[Any] = []
        self.live: list[tuple[Value, Any]] = []
        self.constants: list[tuple[Value, np.ndarray]] = []
        self.steps: list[Any] = []
        self.eager: dict[int, Any] = {}

    def value(self, found: Any) -> Value:
        weak = type(found) is float
        array = np.asarray(found)
        made = Value(len(self.eager), array.shape, array.dtype, weak)
        self.eager[made.number] = found
        return made

    def input(self, sample: Any) -> Value:
        made = self.value(sample if type(sample) is float else np.require(sample, None, ["C", "A"]))
        self.inputs.append(made)
        self.samples.append(sample)
        return made

    def bound(self, thing: Any) -> Value:
        made = self.value(np.asarray(thing._array if hasattr(thing, "_array") else thing))
        self.live.append((made, thing))
        return made

    def constant(self, array: Any) -> Value:
        made = self.value(np.asarray(array))
        self.constants.append((made, self.eager[made.number]))
        return made

    def row(self, name: Any, *operands: Any, params: tuple[Any, ...] = ()) -> Any:
        """The result of a row; a tuple for several. Operands that the engine gets are contiguous, as the machine's."""
        row = ROWS[name] if isinstance(name, str) else name
        made = eagerly(row, [self.eager[x.number] if isinstance(x, Value) else x for x in operands], params)
        results = tuple([self.value(t._array) for t in (made if row.several else (made,))])
        self.steps.append(Instruction(row, operands, params, results))
        return results if row.several else results[0]

    def number(self, operator: str, *operands: Any) -> Value:
        a = [self.eager[x.number] if isinstance(x, Value) else x for x in operands]
        found = -a[0] if operator == "neg" else eval(f"a[0] {operator} a[1]", {"a": a})
        made = self.value(float(found))
        self.steps.append(Number(operator, operands, made))
        return made

    def check(self, value: Value) -> None:
        self.steps.append(Check(value, np.array(self.eager[value.number])))

    def program(self, *outputs: Value, **notes: Any) -> Program:
        live, constants = tuple(self.live), tuple(self.constants)
        return Program(tuple(self.inputs), live, constants, tuple(self.steps), outputs, notes=notes)


def eagerly(row: Any, operands: list[Any], params: tuple[Any, ...]) -> Any:
    with no_grad():
        return apply(row, tuple([wrap(x) if isinstance(x, np.ndarray) else x for x in operands]), params)


def replayed_eagerly(program: Program, inputs: list[Any]) -> list[Any]:
    """The outputs by one eager application after the other."""
    values = {
        v.number: x if v.weak else np.require(x, None, ["C", "A"]) for v, x in zip(program.inputs, inputs, strict=True)
    }
    values |= {v.number: np.require(getattr(x, "_array", x), None, ["C", "A"]) for v, x in program.live}
    values |= {v.number: np.require(x, None, ["C", "A"]) for v, x in program.constants}
    for step in program.steps:
        if isinstance(step, Check):
            continue
        operands = [values[x.number] if isinstance(x, Value) else x for x in step.operands]
        if isinstance(step, Number):
            a = operands
            values[step.result.number] = -a[0] if step.operator == "neg" else eval(f"a[0] {step.operator} a[1]")
            continue
        made = eagerly(step.row, operands, step.params)
        for value, t in zip(step.results, made if step.row.several else (made,), strict=True):
            values[value.number] = t._array
    return [values[v.number] for v in program.outputs]


def same(found: Any, expected: Any) -> bool:
    """Equal bit for bit, nans alike, in dtype and shape."""
    if isinstance(expected, float):
        return isinstance(found, float) and np.float64(found).tobytes() == np.float64(expected).tobytes()
    if found.dtype != expected.dtype or found.shape != expected.shape:
        return False
    if found.dtype.kind in "fc":
        signs = np.signbit(found.real) == np.signbit(expected.real)
        return bool(np.array_equal(found, expected, equal_nan=True) and (signs | np.isnan(expected)).all())
    return bool(np.array_equal(found, expected))


def agrees(builder: Builder, *outputs: Value, times: int = 2) -> Machine:
    """Asserts that the machine gives what the engine gave, several times over."""
    program = builder.program(*outputs)
    machine = Machine(program)
    for _ in range(times):
        found = machine.run(list(builder.samples))
        assert isinstance(found, list), found
        for made, value in zip(found, outputs, strict=True):
            assert same(made, builder.eager[value.number]), f"{value}\n{machine.text()}"
    return machine
