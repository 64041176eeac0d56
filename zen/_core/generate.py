"""Generates the compiled elementwise kernels from the rows. Run by the build; imports neither NumPy nor zen.

For each elementwise row and each of float and double: one forward kernel, one kernel for each derivative formula, and
one for the sum of the first two in forward mode. A kernel works on blocks of BLOCK elements. Each operand's block is
read where it lies if it is contiguous, else gathered into a stack buffer, so that one loop serves every layout and is
always vectorised. A call that has no cheap inline form (exp, tanh, power) becomes a stage of its own over the block:
NumPy's SIMD loop, called directly. The result goes straight to a contiguous output; otherwise the block is stored,
added or reduced into it (`_blocks.pxd`), also where the output is the cotangent's own memory, which a vectorised loop
must not write ahead of.

The same source is compiled once for each instruction set (`_kernels_base`, `_avx2`, `_avx512`); `_dispatch.pyx`
picks one at import. The kernels of complex operands are made by `generate_complex.py`.

To add a name that forward formulas may call, add it to INLINE, COMPOSED, LOOPS or DIRECT here and to
`zen/ops/primitives.py`; where operands may be complex, to LOOPS there.
"""

from __future__ import annotations

import ast
import importlib
import re
import sys
import types
from pathlib import Path
from typing import Any

VARIANTS = ("base", "avx2", "avx512")

# Cheap, vectorisable by the C compiler: a template over the C expressions of the arguments.
INLINE = {
    "abs": "fabs_{T}({0})",
    "sqrt": "sqrt_{T}({0})",
    "sign": "sign_{T}({0})",
    "maximum": "({0} if ({0} >= {1}) | ({0} != {0}) else {1})",
    "minimum": "({0} if ({0} <= {1}) | ({0} != {0}) else {1})",
    "where": "({1} if {0} else {2})",
}
# The same for float alone.
INLINE_FLOAT = {"erf": "zen_erf({0})"}
# Made of the others, where NumPy's loop takes one element at a time.
COMPOSED = {"logaddexp": ("a b", "maximum(a, b) + log1p(exp(where(a == b, 0, -abs(a - b))))")}
# NumPy ufuncs whose inner loops are called directly on a block.
LOOPS = {
    "acos": "arccos", "acosh": "arccosh", "asin": "arcsin", "asinh": "arcsinh", "atan": "arctan",
    "atan2": "arctan2", "atanh": "arctanh", "ceil": "ceil", "cos": "cos", "cosh": "cosh", "exp": "exp",
    "exp2": "exp2", "expm1": "expm1", "floor": "floor", "floor_divide": "floor_divide", "hypot": "hypot",
    "log": "log", "log10": "log10", "log1p": "log1p", "log2": "log2", "power": "power",
    "remainder": "remainder", "rint": "rint", "sin": "sin", "sinh": "sinh", "tan": "tan", "tanh": "tanh",
    "trunc": "trunc",
}  # fmt: skip
LOOP_NAMES = sorted(LOOPS)
# Functions of `_blocks.pxd`, which call NumPy's loop where that is faster or more exact.
DIRECT = ("angle_slope", "erf", "exp", "gelu_slope", "hypot", "power")
WHOLE = ("exp", "hypot", "loop")  # may be called for more than a block
TYPES = ("float", "double")
OPERANDS = ("out", "g", "arg0", "arg1", "arg2", "y")
"""What the slots of a kernel's pointer array mean; `_dispatch.pxd` repeats the numbers."""

SECOND = "_h"
"""The tangent of the second of two arguments. It lies in a slot that their formulas leave."""

COMPARE = {ast.Gt: ">", ast.GtE: ">=", ast.Lt: "<", ast.LtE: "<=", ast.Eq: "==", ast.NotEq: "!="}
BINARY = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.BitAnd: "&", ast.BitOr: "|"}


def load(source: Path, module: str, name: str) -> list[Any]:
    """A list of declarations of zen/ops, imported without running `zen/__init__.py`."""
    package = types.ModuleType("_zen_ops_for_build")
    package.__path__ = [str(source / "ops")]
    sys.modules.setdefault(package.__name__, package)
    found: list[Any] = getattr(importlib.import_module(f"{package.__name__}.{module}"), name)
    return found


class Kernel:
    """Translates one formula of one row, for one C type, into the body of a kernel."""

    BLOCK, ROOM = "BLOCK", "ROOM"

    def __init__(self, row: Any, formula: str, ctype: str, rows: dict[str, Any], second: str = ""):
        self.row, self.ctype, self.rows = row, ctype, rows
        self.stages: list[list[str]] = []
        self.known: dict[str, str] = {}
        self.used: dict[str, str] = {}
        self.temporaries: list[str] = []  # their C types
        names = {"g": "g", SECOND: second, "y": "y", **{a: f"arg{k}" for k, a in enumerate(row.args)}}
        self.result: str | None = self.translated(formula, names)
        self.call_into_result()

    def translated(self, formula: str, names: dict[str, Any]) -> str:
        return self.expression(ast.parse(formula, mode="eval").body, names)

    def expression(self, node: ast.expr, names: dict[str, str]) -> str:
        if isinstance(node, ast.Constant):
            return f"(<{self.ctype}>{node.value!r})"
        if isinstance(node, ast.Name):
            name = names[node.id]
            if name not in OPERANDS:
                return name  # an argument of an inlined row: already an expression
            self.used.setdefault(name, node.id)
            return f"(v_{name}[i] != 0)" if self.type_of(name) == "mask" else f"v_{name}[i]"
        if isinstance(node, ast.UnaryOp):
            operand = self.expression(node.operand, names)
            return f"(-{operand})" if isinstance(node.op, ast.USub) else operand
        if isinstance(node, ast.Compare):
            left, right = self.expression(node.left, names), self.expression(node.comparators[0], names)
            return f"({left} {COMPARE[type(node.ops[0])]} {right})"
        if isinstance(node, ast.BinOp):
            left, right = self.expression(node.left, names), self.expression(node.right, names)
            if isinstance(node.op, ast.Pow):
                return self.stage("power", [left, right])
            return f"({left} {BINARY[type(node.op)]} {right})"
        assert isinstance(node, ast.Call) and isinstance(node.func, ast.Name), ast.dump(node)
        return self.call(node.func.id, [self.expression(a, names) for a in node.args])

    def call(self, name: str, arguments: list[str]) -> str:
        if name in INLINE:
            if name in ("maximum", "minimum"):  # a conditional within a conditional is not vectorised
                arguments = [f"{self.materialise(a)}[i]" if " if " in a else a for a in arguments]
            return INLINE[name].format(*arguments, T=self.ctype)
        if name in INLINE_FLOAT and self.ctype == "float":
            return INLINE_FLOAT[name].format(*arguments)
        if name in LOOPS or name in DIRECT:
            return self.stage(name, arguments)
        if name in COMPOSED:
            parameters, formula = COMPOSED[name][0].split(), COMPOSED[name][1]
        else:
            parameters, formula = self.rows[name].args, self.rows[name].forward
        tree = ast.parse(formula, mode="eval").body
        return self.expression(tree, dict(zip(parameters, arguments, strict=True)))

    def stage(self, name: str, arguments: list[str]) -> str:
        """A call over the whole block; its arguments and its result live in stack buffers."""
        key = f"{name}({', '.join(arguments)})"
        if key not in self.known:
            sources = [self.materialise(a) for a in arguments]
            out = self.temporary()
            function = name if name in DIRECT else "loop"
            loop = name if name in LOOPS else "exp"  # which the others are made of
            extra = f"&loops[{LOOP_NAMES.index(loop)}][{TYPES.index(self.ctype)}], "
            arity = "" if function != "loop" else str(len(sources))
            self.stages.append([f"{function}{arity}_{self.ctype}({extra}{', '.join(sources)}, {out}, m)"])
            self.known[key] = f"{out}[i]"
        return self.known[key]

    def materialise(self, expression: str) -> str:
        if expression.endswith("[i]") and expression.count("[") == 1 and not expression.startswith("("):
            return expression.removesuffix("[i]")
        if expression not in self.known:
            out = self.temporary()
            self.stages.append(["for i in range(m):", f"    {out}[i] = {expression}"])
            self.known[expression] = f"{out}[i]"
        return self.known[expression].removesuffix("[i]")

    def call_into_result(self) -> None:
        """A formula that is one call over the block writes its result at once, without a temporary.

        If it is nothing else, contiguous operands need no blocks either: `whole` is the call over all elements.
        """
        self.whole: str | None = None
        last = len(self.temporaries)
        if self.result == f"t{last}[i]" and len(self.stages[-1]) == 1:
            self.stages[-1] = [self.stages[-1][0].replace(f" t{last}, m)", " r, m)")]
            self.temporaries.pop()
            self.result = None
            if len(self.stages) == 1 and self.stages[0][0].startswith(WHOLE):
                self.whole = self.stages[0][0].removesuffix(" r, m)") + f" <{self.ctype}*>p[0], n)"
                for operand in self.used:
                    slot = OPERANDS.index(operand)
                    self.whole = self.whole.replace(f" v_{operand},", f" <const {self.ctype}*>p[{slot}],")

    def temporary(self, ctype: str = "") -> str:
        self.temporaries.append(ctype or self.ctype)
        return f"t{len(self.temporaries)}"

    def is_mask(self, operand: str) -> bool:
        return self.row.domain[int(operand[3:]) : int(operand[3:]) + 1] in (("bool",), ["bool"])

    def type_of(self, operand: str) -> str:
        """The C type of the elements of an operand."""
        return "mask" if operand.startswith("arg") and self.is_mask(operand) else self.ctype

    def sum_type(self) -> str:
        """The C type of the sum of results."""
        return "double"

    def source(self, name: str) -> str:
        t = self.type_of("out")
        lines = [f"cdef void {name}(char** p, const Py_ssize_t* s, Py_ssize_t n, int mode) noexcept nogil:"]
        lines += ["    cdef Py_ssize_t i, m, done = 0", f"    cdef {self.sum_type()} total = {self.zero()}"]
        for operand in self.used:
            kind = self.type_of(operand)
            lines += [f"    cdef {kind} b_{operand}[{self.ROOM}]", f"    cdef const {kind}* v_{operand}"]
        lines += [f"    cdef {kind} t{k + 1}[{self.ROOM}]" for k, kind in enumerate(self.temporaries)]
        lines += [
            f"    cdef {t} block[{self.ROOM}]",
            f"    cdef {t}* r = block",
            f"    cdef bint direct = mode == SET and s[0] == sizeof({t}) and p[0] != p[1]",
            *self.whole_call(),
            "    while done < n:",
            f"        m = min(n - done, {self.BLOCK})",
            "        if direct:",
            f"            r = (<{t}*>p[0]) + done",
        ]
        for operand in self.used:
            slot, kind = OPERANDS.index(operand), self.type_of(operand)
            lines.append(f"        v_{operand} = load_{kind}(p[{slot}], s[{slot}], done, m, b_{operand})")
        for stage in self.stages:
            lines += ["        " + line for line in stage]
        block, bare = "r", self.result in [f"v_{operand}[i]" for operand in self.used]
        if bare:  # a sum, or an addition, of what is there already: no block is filled
            block = str(self.result).removesuffix("[i]")
            lines += ["        if direct:", "            for i in range(m):", f"                r[i] = {self.result}"]
        elif self.result is not None:
            lines += ["        for i in range(m):", f"            r[i] = {self.result}"]
        lines += ["        else:" if bare else "        if not direct:"]
        lines += [f"            store_{t}(p[0], s[0], done, m, {block}, mode, &total)"]
        lines += ["        done += m"]
        lines += ["    if mode == REDUCE:", f"        {self.add_total()}", ""]
        return "\n".join(lines)

    def zero(self) -> str:
        return "0"

    def add_total(self) -> str:
        t = self.type_of("out")
        return f"(<{t}*>p[0])[0] += <{t}>total"

    def whole_call(self) -> list[str]:
        if self.whole is None:
            return []
        aligned = " and ".join(f"s[{OPERANDS.index(o)}] == sizeof({self.ctype})" for o in self.used)
        return [f"    if direct and {aligned}:", f"        {self.whole}", "        return"]

    def needs(self) -> int:
        """Bit k is set where the formula reads operand k of OPERANDS."""
        return sum(1 << OPERANDS.index(o) for o in self.used)


HEADER = '''"""Generated from zen/ops/elementwise.py by zen/_core/generate.py. Not to be edited, not committed."""

from zen._core._blocks cimport *
from zen._core._kernels cimport *
from zen._core._loops cimport Loop
from zen._core._types cimport BLOCK, REDUCE, ROOM, SET
from zen._core._views cimport check_views
from zen._core._loops import find

cdef Loop loops[{count}][2]

cdef enum:
    EXP = {exp}

include "_kernels_lines.pxi"
include "_kernels_sums.pxi"
include "_kernels_rows.pxi"
include "_kernels_planes.pxi"
include "_kernels_norm_lines.pxi"
include "_kernels_norm_channels.pxi"
include "_kernels_gates.pxi"
include "_kernels_weights.pxi"
include "_kernels_dots.pxi"
include "_kernels_tiles.pxi"
include "_kernels_factors.pxi"
include "_kernels_tangents.pxi"
include "_kernels_matvec.pxi"


cdef void fill() except *:
    cdef size_t function, data
    for k, name in enumerate({ufuncs!r}):
        for t, letter in enumerate("fd"):
            function, data = find(name, letter)
            loops[k][t].function = <void*> function
            loops[k][t].data = <void*> data


fill()


def enter(size_t address):
    """Enter the addresses of the kernels that are not elementwise into the struct `Kernels` at `address`."""
    cdef Kernels* k = <Kernels*> <void*> address
    fill_lines(k)
    fill_sums(k)
    fill_rows(k)
    fill_planes(k)
    fill_norm_lines(k)
    fill_norm_channels(k)
    fill_gates(k)
    fill_weights(k)
    fill_dots(k)
    fill_tiles(k)
    fill_factors(k)
    fill_tangents(k)
    fill_matvec(k)
    check_views()


'''


def tangent(row: Any) -> tuple[str, str]:
    """The formula for what the first two arguments with derivatives give to the tangent, and the slot of the second's.

    The formula is the sum of theirs, each with a tangent of its own; of two quotients by one divisor, the quotient of
    the sum. Empty where there are not two, or no slot is left.
    """
    formulas = [f for f in row.vjp if f is not None][:2]
    if len(formulas) < 2:
        return "", ""
    read = {node.id for f in formulas for node in ast.walk(ast.parse(f)) if isinstance(node, ast.Name)}
    slot = "y" if "y" not in read else "arg2" if read.isdisjoint(row.args[2:]) else ""
    first, by = quotient(formulas[0])
    second, other = quotient(re.sub(r"\bg\b", SECOND, formulas[1]))
    if by != other:
        first, second, by = f"({first}){by}", f"({second}){other}", ""
    return f"(({first}) + ({second})){by}" if slot else "", slot


def quotient(formula: str) -> tuple[str, str]:
    """What is divided, and the division by the rest; without one, the formula and nothing."""
    tree = ast.parse(formula, mode="eval").body
    if isinstance(tree, ast.BinOp) and isinstance(tree.op, ast.Div):
        return ast.unparse(tree.left), f" / ({ast.unparse(tree.right)})"
    return formula, ""


def source(rows: list[Any]) -> str:
    """The Cython source of one kernel module: all kernels, and two functions that return their addresses."""
    by_name = {r.name: r for r in rows}
    parts = [HEADER.format(count=len(LOOP_NAMES), exp=LOOP_NAMES.index("exp"), ufuncs=[LOOPS[n] for n in LOOP_NAMES])]
    table, tangents = [], []
    for r in rows:
        formulas = [("forward", r.forward)]
        formulas += [(f"vjp{k}", f) for k, f in enumerate(r.vjp) if f is not None and f != "g"]
        together, slot = tangent(r)
        formulas += [("tangent", together)] if together else []
        entry = {f"vjp{k}": "(2, 0, 0)" if f == "g" else "(0, 0, 0)" for k, f in enumerate(r.vjp)}
        for role, formula in formulas:
            kernels = [Kernel(r, formula, t, by_name, slot) for t in TYPES]
            names = [f"{r.name}_{role}_{t}" for t in TYPES]
            parts += [k.source(n) for k, n in zip(kernels, names, strict=True)]
            entry[role] = f"({kernels[0].needs()}, " + ", ".join(f"<size_t> &{n}" for n in names) + ")"
        derivatives = ", ".join(entry[f"vjp{k}"] for k in range(len(r.vjp)))
        table.append(f"        {r.name!r}: ({entry['forward']}, ({derivatives},)),")
        if "tangent" in entry:
            tangents.append(f"        {r.name!r}: ({OPERANDS.index(slot)}, *{entry['tangent']}),")
    parts += [
        "def kernels():",
        '    """For each row: (what is read, float kernel, double kernel), forward and vjps."""',
    ]
    parts += ["    return {", *table, "    }", "", ""]
    parts += ["def tangents():", '    """(slot of the second tangent, what is read, float kernel, double kernel)."""']
    parts += ["    return {", *tangents, "    }", ""]
    return "\n".join(parts)


def written(package: Path, prefix: str, variants: tuple[str, ...], text: str) -> list[Path]:
    """Write the same source for each instruction set, where it is not there already; return the paths."""
    paths = [package / "_core" / f"{prefix}{variant}.pyx" for variant in variants]
    for path in paths:
        if not path.exists() or path.read_text() != text:
            path.write_text(text)
    return paths


def generate(package: Path) -> list[Path]:
    """Write the kernel modules next to the other Cython sources of `package`; return their paths."""
    return written(package, "_kernels_", VARIANTS, source(load(package, "elementwise", "ROWS")))


if __name__ == "__main__":
    generate(Path(__file__).parents[1])
