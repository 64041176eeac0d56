"""What makes a program shorter without changing a bit of its results.

Each pass takes a program and returns another; `optimised` runs them in order. A value that is another one under a
second name (`positive`, a product with one, a repeated instruction) is replaced by it; what depends on constants alone
is computed once; what nobody uses goes. Checks, draws and functions of the user's stay where they are.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np

from .. import backend
from ..dtypes import KERNELS
from ..ops.register import DECLARATIONS, ROWS
from .draws import DRAW
from .instructions import Check, Instruction, Number, Program, Value

_LARGEST = 1 << 16
"""Bytes up to which a constant is computed ahead: beyond, it would take more memory than time."""
_EXACT = 1 << 24
"""Ones up to which every order of adding them up in float32 gives how many there are."""


def optimised(program: Program) -> Program:
    """The program without what it can do without."""
    return numbered(without_dead(renamed(program)))


def renamed(program: Program) -> Program:
    """Each value under one name, and constants computed."""
    return _Renaming(program).run()


class _Renaming:
    def __init__(self, program: Program) -> None:
        self.program = program
        self.names: dict[int, Value] = {}
        self.constants = {value.number: array for value, array in program.constants}
        self.added: list[tuple[Value, np.ndarray]] = []
        self.seen: dict[Any, tuple[Value, ...]] = {}
        self.pure = {id(row) for name, row in ROWS.items() if name in DECLARATIONS}
        self.equal: dict[Any, Value] = {}
        self.ones: set[int] = set()
        """Values that are ones everywhere, of any size."""

    def run(self) -> Program:
        for value, array in self.program.constants:  # one of equal constants
            kept = self.equal.setdefault((array.shape, array.dtype, array.tobytes()), value)
            if kept is not value:
                self.names[value.number] = kept
        steps = []
        for step in self.program.steps:
            made = self._step(step)
            if made is not None:
                steps.append(made)
        outputs = tuple([self.name(value) for value in self.program.outputs])
        effects = tuple([
            effect if effect.value is None else replace(effect, value=self.name(effect.value))
            for effect in self.program.effects
        ])  # fmt: skip
        constants = (*self.program.constants, *self.added)
        return replace(self.program, steps=tuple(steps), outputs=outputs, effects=effects, constants=constants)

    def name(self, x: Any) -> Any:
        return self.names.get(x.number, x) if type(x) is Value else x

    def _parameter(self, x: Any) -> Any:
        if type(x) is tuple:
            return tuple([self._parameter(part) for part in x])
        return [self._parameter(part) for part in x] if type(x) is list else self.name(x)

    def _step(self, step: Any) -> Any:
        if type(step) is Check:
            if step.operand.number in self.constants:
                return None
            return replace(step, operand=self.name(step.operand))
        operands = tuple([self.name(x) for x in step.operands])
        if type(step) is Number:
            return replace(step, operands=operands)
        params = self._parameter(step.params)
        step = replace(step, operands=operands, params=params)
        if id(step.row) not in self.pure or step.row is DRAW:
            return step
        step = self._simpler(step)
        if step.row.name == "broadcast_to" and self._is_one(step.operands[0]):
            self.ones.add(step.results[0].number)
        return None if self._is_known(step) or self._is_constant(step) or self._is_repeated(step) else step

    def _simpler(self, step: Instruction) -> Instruction:
        """The same bits by another row: a square as a product, and its slope as one with 2; a product with ones as what
        it repeats."""
        if step.row.name == "multiply":
            return self._repeated(step)
        if step.row.name not in ("power", "power_slope"):
            return step
        base, exponent = step.operands
        number: Any = self.constants.get(exponent.number) if type(exponent) is Value else exponent
        if type(number) not in (int, float, np.ndarray) or type(base) is not Value or base.weak or np.ndim(number):
            return step
        if number != 2 or base.dtype not in KERNELS or step.results[0].dtype != base.dtype:
            return step
        operands = (base, base) if step.row.name == "power" else (2.0, base)
        return replace(step, row=ROWS["multiply"], operands=operands)

    def _repeated(self, step: Instruction) -> Instruction:
        result = step.results[0]
        for x, y in (step.operands, step.operands[::-1]):
            if type(x) is Value and not x.weak and x.dtype == result.dtype and x.dtype in KERNELS and self._is_one(y):
                return replace(step, row=ROWS["broadcast_to"], operands=(x,), params=(result.shape,))
        return step

    def _is_known(self, step: Instruction) -> bool:
        """Whether the result is one of the operands."""
        name, operands = step.row.name, step.operands
        if name not in ("positive", "reshape", "broadcast_to"):
            return False
        same = operands[0]
        result = step.results[0]
        if type(same) is not Value or same.weak or (same.shape, same.dtype) != (result.shape, result.dtype):
            return False
        self.names[result.number] = same
        return True

    def _is_one(self, x: Any) -> bool:
        if type(x) in (int, float):
            return bool(x == 1)
        if type(x) is Value and x.number in self.ones:
            return True
        array = self.constants.get(x.number) if type(x) is Value else None
        return array is not None and array.size > 0 and bool((array == 1).all())

    def _is_count(self, step: Instruction) -> bool:
        """Whether it is a sum of ones, which is how many there are."""
        if step.row.name != "sum" or type(step.operands[0]) is not Value or step.operands[0].number not in self.ones:
            return False
        value, operand = step.results[0], step.operands[0]
        size, of = math.prod(value.shape), math.prod(operand.shape)
        if not 0 < size * value.dtype.itemsize <= _LARGEST or of > _EXACT or value.dtype not in KERNELS:
            return False
        self._enter(value, np.full(value.shape, of // size, value.dtype))
        return True

    def _enter(self, value: Value, array: np.ndarray) -> None:
        """A value is known to be this constant."""
        kept = self.equal.setdefault((array.shape, array.dtype, array.tobytes()), value)
        if kept is not value:
            self.names[value.number] = kept
            return
        self.constants[value.number] = array
        self.added.append((value, array))

    def _is_constant(self, step: Instruction) -> bool:
        if self._is_count(step):
            return True
        given = []
        for x in step.operands:
            if type(x) is Value and x.number not in self.constants:
                return False
            given.append(self.constants[x.number] if type(x) is Value else x)
        if (
            _holds_values(step.params)
            or sum([v.dtype.itemsize * int(np.prod(v.shape)) for v in step.results]) > _LARGEST
        ):
            return False
        try:
            made = backend.call_recording(False, backend.apply, step.row, tuple(given), step.params)
        except Exception:  # it is raised by every replay
            return False
        for value, t in zip(step.results, made if type(made) is tuple else (made,), strict=True):
            self._enter(value, np.array(t._array))
        return True

    def _is_repeated(self, step: Instruction) -> bool:
        key = (id(step.row), *[_key(x) for x in step.operands], _key(step.params))
        before = self.seen.get(key)
        if before is None:
            self.seen[key] = step.results
            return False
        for value, same in zip(step.results, before, strict=True):
            self.names[value.number] = same
        return True


def _key(x: Any) -> Any:
    """What tells two operands or parameters apart: 1 from 1.0 and 0.0 from -0.0 as well."""
    if type(x) is Value:
        return x.number
    if isinstance(x, (tuple, list)):
        return type(x), *[_key(part) for part in x]
    if isinstance(x, np.ndarray):
        return x.shape, x.dtype, x.tobytes()
    if type(x) is slice:
        return slice, x.start, x.stop, x.step
    if x is None or isinstance(x, (str, bool, int, float, complex, np.generic, np.dtype)):
        return type(x), repr(x)
    return id(x)


def _holds_values(x: Any) -> bool:
    return type(x) is Value or (isinstance(x, (tuple, list)) and any([_holds_values(part) for part in x]))


def without_dead(program: Program) -> Program:
    """Without what no output, check or effect comes from."""
    needed = {value.number for value in program.outputs}
    pure = {id(row) for name, row in ROWS.items() if name in DECLARATIONS}
    kept: list[Any] = []
    step: Any
    for step in reversed(program.steps):
        if type(step) is Check:
            needed.add(step.operand.number)
        elif type(step) is Number:
            # A quotient is kept: where it raises, the function does.
            if step.result.number not in needed and step.operator != "/":
                continue
            _need(step.operands, needed)
        else:
            if id(step.row) in pure and not any([value.number in needed for value in step.results]):
                continue
            _need(step.operands, needed)
            _need(step.params, needed)
        kept.append(step)
    live = tuple([(value, given) for value, given in program.live if value.number in needed])
    constants = tuple([(value, array) for value, array in program.constants if value.number in needed])
    return replace(program, steps=tuple(reversed(kept)), live=live, constants=constants)


def _need(values: Any, needed: set[int]) -> None:
    for x in values:
        if type(x) is Value:
            needed.add(x.number)
        elif isinstance(x, (tuple, list)):
            _need(x, needed)


def numbered(program: Program) -> Program:
    """The values numbered from 1, in the order in which they come up."""
    new: dict[int, Value] = {}

    def value(x: Any) -> Any:
        if type(x) is tuple:
            return tuple([value(part) for part in x])
        if type(x) is list:
            return [value(part) for part in x]
        if type(x) is not Value:
            return x
        if x.number not in new:
            new[x.number] = replace(x, number=len(new) + 1)
        return new[x.number]

    inputs = value(program.inputs)
    live = tuple([(value(v), given) for v, given in program.live])
    constants = tuple([(value(v), array) for v, array in program.constants])
    steps: list[Any] = []
    for step in program.steps:
        if type(step) is Check:
            steps.append(replace(step, operand=value(step.operand)))
        elif type(step) is Number:
            steps.append(replace(step, operands=value(step.operands), result=value(step.result)))
        elif isinstance(step, Instruction):
            operands, params = value(step.operands), value(step.params)
            steps.append(replace(step, operands=operands, params=params, results=value(step.results)))
    effects = tuple([replace(effect, value=value(effect.value)) for effect in program.effects])
    outputs = value(program.outputs)
    layouts = {new[k].number: strides for k, strides in program.notes.get("layouts", {}).items() if k in new}
    return Program(inputs, live, constants, tuple(steps), outputs, effects, program.ungraded, {"layouts": layouts})
