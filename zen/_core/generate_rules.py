"""Generates the loops of the optimisers from their rules. Run by the build; imports neither NumPy nor zen.

For each rule: `numbers` computes what is made of numbers alone, once for a parameter or for all of them, and the loop
does the rest in one pass over memory, in float or double. There is a loop for each way through the conditions, so that
each is vectorised; `way` says which one the options take, and the table of rules which arrays it needs.
"""

from __future__ import annotations

import ast
import importlib
import itertools
import sys
import types
from pathlib import Path
from typing import Any

BINARY = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}
FUNCTIONS = {"sqrt": "root", "maximum": "larger", "minimum": "smaller", "sign": "sign", "by_sign": "by_sign"}
"""Of arrays, by their names in _optim.pyx."""
COMPARE = {ast.Gt: ">", ast.GtE: ">=", ast.Lt: "<", ast.LtE: "<=", ast.Eq: "==", ast.NotEq: "!="}


def load_rules(source: Path) -> list[Any]:
    """The declarations, imported without running `zen/__init__.py`."""
    package = types.ModuleType("_zen_optim_for_build")
    package.__path__ = [str(source / "optim")]
    sys.modules[package.__name__] = package
    rules: list[Any] = list(importlib.import_module(f"{package.__name__}.rules").RULES)
    return rules


def number(node: ast.expr) -> str:
    """An expression of numbers, in C's double precision."""
    if isinstance(node, ast.Constant):
        return repr(float(ast.literal_eval(node)))
    if isinstance(node, ast.Name):
        return f"o_{node.id}"
    if isinstance(node, ast.UnaryOp):
        return f"(not {number(node.operand)})" if isinstance(node.op, ast.Not) else f"(-{number(node.operand)})"
    if isinstance(node, ast.BinOp):
        left, right = number(node.left), number(node.right)
        return f"pow({left}, {right})" if isinstance(node.op, ast.Pow) else f"({left} {BINARY[type(node.op)]} {right})"
    if isinstance(node, ast.Compare):
        return f"({number(node.left)} {COMPARE[type(node.ops[0])]} {number(node.comparators[0])})"
    if isinstance(node, ast.IfExp):
        return f"({number(node.body)} if {truth(node.test)} else {number(node.orelse)})"
    assert isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "sqrt", ast.dump(node)
    return f"sqrt({number(node.args[0])})"


def truth(node: ast.expr) -> str:
    return number(node) if isinstance(node, ast.Compare) else f"({number(node)} != 0)"


class Loops:
    """Translates one rule."""

    def __init__(self, rule: Any) -> None:
        self.rule = rule
        self.lines = rule.lines()[0]
        self.known = {*rule.options, *rule.numbers, "step", "first", *[line.name for line in self.lines]}
        self.numbers: dict[str, int] = {}
        self.tests = rule.tests()
        self.ways: list[list[Any]] = []
        self.taken: list[int] = []
        written: dict[str, int] = {}
        for values in itertools.product((False, True), repeat=len(self.tests)):
            way = rule.way(dict(zip(self.tests, values, strict=True)))
            text = "\n".join(f"{line.name} = {ast.unparse(line.value)}" for line in way)
            if text not in written:
                written[text] = len(self.ways)
                self.ways.append(way)
            self.taken.append(written[text])
        self.bodies = [self.body(way) for way in self.ways]

    def constant(self, node: ast.expr) -> str:
        """A number among arrays: computed beforehand, and rounded to their dtype."""
        if isinstance(node, ast.Constant):
            return f"<real>{float(ast.literal_eval(node))!r}"
        at = self.numbers.setdefault(number(node), len(self.numbers))
        return f"c{at}"

    def element(self, node: ast.expr) -> str:
        names = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
        if names - {*FUNCTIONS} <= self.known:
            return self.constant(node)
        if isinstance(node, ast.Name):
            return f"v_{node.id}"
        if isinstance(node, ast.BinOp):
            return f"({self.element(node.left)} {BINARY[type(node.op)]} {self.element(node.right)})"
        if isinstance(node, ast.UnaryOp):
            return f"(-{self.element(node.operand)})"
        assert isinstance(node, ast.Call) and isinstance(node.func, ast.Name), ast.dump(node)
        return f"{FUNCTIONS[node.func.id]}({', '.join(self.element(a) for a in node.args)})"

    def body(self, way: list[Any]) -> list[str]:
        """One element's update: what is read, computed and stored."""
        needs = self.rule.needs(way)
        assigned = {line.name for line in way}
        lines = [f"x_{name} = x[{k + 2}]" for k, name in enumerate(needs)]
        lines += ["for i in range(n):"]
        lines += [f"    v_{name} = x_{name}[i]" for name in ("p", "g", *needs)]
        lines += [f"    v_{line.name} = {self.element(line.value)}" for line in way]
        lines += [f"    x_{name}[i] = v_{name}" for name in ("p", *needs) if name in assigned]
        return lines

    def source(self) -> str:
        return "\n".join([*self.numbers_source(), "", "", *self.way_source(), "", "", *self.loop_source(), ""])

    def options(self) -> list[str]:
        lines = [f"    cdef double o_{name} = o[{k}]" for k, name in enumerate(self.rule.options)]
        for line in self.lines:
            declared = "" if line.name in self.rule.numbers else "cdef double "
            lines.append(f"    {declared}o_{line.name} = {number(line.value)}")
        return lines

    def numbers_source(self) -> list[str]:
        head = f"cdef void {self.rule.name}_numbers("
        head += "const double* o, double o_step, double o_first, double* kept, double* c) noexcept nogil:"
        kept = list(enumerate(self.rule.numbers))
        return [
            head, *[f"    cdef double o_{name} = kept[{k}]" for k, name in kept], *self.options(),
            *[f"    c[{at}] = {text}" for text, at in self.numbers.items()],
            *[f"    kept[{k}] = o_{name}" for k, name in kept],
        ]  # fmt: skip

    def way_source(self) -> list[str]:
        bits = [
            f"({truth(ast.parse(test, mode='eval').body)}) << {len(self.tests) - 1 - k}"
            for k, test in enumerate(self.tests)
        ]
        return [
            f"cdef int {self.rule.name}_way(const double* o) noexcept nogil:",
            "    cdef double o_step = 1, o_first = 0",
            *[f"    cdef double o_{name} = 0" for name in self.rule.numbers],
            *self.options(),
            f"    cdef int[{len(self.taken)}] taken = [{', '.join(map(str, self.taken))}]",
            f"    return taken[{' | '.join(bits) or '0'}]",
        ]

    def loop_source(self) -> list[str]:
        names = sorted({line.name for way in self.ways for line in way} | {"p", "g", *self.rule.arrays})
        arrays = [name for name in self.rule.arrays if any(name in self.rule.needs(way) for way in self.ways)]
        lines = [
            f"cdef void {self.rule.name}_loop(real** x, Py_ssize_t n, const double* c, int way) noexcept nogil:",
            "    cdef real* x_p = x[0]",
            "    cdef const real* x_g = x[1]",
            *[f"    cdef real* x_{name}" for name in arrays],
            f"    cdef real {', '.join(f'v_{name}' for name in names)}",
            *[f"    cdef real c{at} = <real>c[{at}]" for at in self.numbers.values()],
            "    cdef Py_ssize_t i",
        ]
        for k, body in enumerate(self.bodies):
            lines += [f"    {'elif' if k else 'if'} way == {k}:", *[f"        {line}" for line in body]]
        return lines

    def entry(self) -> str:
        """What the engine compares with the declaration, and the arrays that each way needs."""
        return f"    {self.rule.name!r}: ({tuple(self.rule)!r}, {tuple(self.rule.needs(way) for way in self.ways)!r}),"

    def bound(self) -> list[str]:
        name = self.rule.name
        return [
            f"    if name == {name!r}:",
            f"        loops.numbers, loops.way = {name}_numbers, {name}_way",
            f"        loops.on_floats, loops.on_doubles = {name}_loop[float], {name}_loop[double]",
        ]


HEADER = """# Generated from zen/optim/rules.py by zen/_core/generate_rules.py. Not to be edited, not committed.
# Part of _optim.pyx.
#
# x: parameter, gradient, then the arrays of the state that the way needs. The arrays do not overlap. o: the options.
# c: what is computed of them. kept: the numbers of the state, of before and then those of after the step.

cdef enum:
    OPTIONS = {options}
    NUMBERS = {numbers}

"""


def source(rules: list[Any]) -> str:
    loops = [Loops(r) for r in rules]
    header = HEADER.format(
        options=max(len(one.rule.options) for one in loops), numbers=max(len(one.numbers) for one in loops)
    )
    parts = [header, *[one.source() + "\n" for one in loops]]
    parts += ["cdef dict COMPILED = {", *[one.entry() for one in loops], "}", "", ""]
    parts += ["cdef int bind(Loops* loops, str name) except -1:", *[line for one in loops for line in one.bound()]]
    return "\n".join([*parts, "    return 0", ""])


def generate(package: Path) -> None:
    """Write the loops beside the other Cython sources of `package`."""
    text = source(load_rules(package))
    path = package / "_core" / "_optim_rules.pxi"
    if not path.exists() or path.read_text() != text:
        path.write_text(text)


if __name__ == "__main__":
    generate(Path(__file__).parents[1])
