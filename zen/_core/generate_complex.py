"""Generates the kernels of complex operands, from the formulas of which `generate.py` makes those of real ones.

For each elementwise row that takes complex operands, and each of complex64 and complex128: the same kernels, in modules
of their own, `_kernels_complex_base` and `_avx2`, which `_dispatch.pyx` loads when a complex operand first comes by.
Wider vectors gain nothing here: quotients wait for the divider, sums and products for memory, the rest for NumPy.

An expression in a formula is complex, real (a part, a modulus) or a truth value. A real one beside a complex one, and
every number in a formula, is made complex, as by NumPy. What is one function of NumPy's is NumPy's loop, called for all
elements at once where the operands' memory allows it: its values are NumPy's to the last bit. What is made of several
is the arithmetic of `_blocks_complex.pxd`.

Rows whose results are real read a real cotangent, and have a kernel of their own for the tangent: the real part of the
formula's.
"""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING or __package__:
    from .generate import BINARY, OPERANDS, Kernel, load, tangent, written
else:
    from generate import BINARY, OPERANDS, Kernel, load, tangent, written  # the build imports no package of zen's

VARIANTS = ("base", "avx2")
PARTS = {"zen_cfloat": "float", "zen_cdouble": "double"}
"""The types of complex numbers, and those of their parts."""
TYPES = tuple(PARTS)

# NumPy's ufuncs by their names in formulas. The last ones are for formulas that are nothing but one operation.
LOOPS = {
    "abs": "absolute", "acos": "arccos", "acosh": "arccosh", "asin": "arcsin", "asinh": "arcsinh", "atan": "arctan",
    "atanh": "arctanh", "cos": "cos", "cosh": "cosh", "direction": "sign", "exp": "exp", "exp2": "exp2",
    "expm1": "expm1", "log": "log", "log10": "log10", "log1p": "log1p", "log2": "log2", "maximum": "maximum",
    "minimum": "minimum", "power": "power", "rint": "rint", "sin": "sin", "sinh": "sinh", "sqrt": "sqrt", "tan": "tan",
    "tanh": "tanh",
    "a + b": "add", "a - b": "subtract", "a * b": "multiply", "x * x": "square", "1 / x": "reciprocal",
    "conj(x)": "conjugate",
}  # fmt: skip
LOOPS_OF_PARTS = {"atan2": "arctan2"}
LOOP_NAMES = [*LOOPS, *LOOPS_OF_PARTS]
REAL_VALUED = ("abs",)
ARITHMETIC = {ast.Add: "add", ast.Sub: "sub", ast.Mult: "mul", ast.Div: "div"}
COMPARISONS = {ast.Gt: "gt", ast.GtE: "ge", ast.Lt: "lt", ast.LtE: "le", ast.Eq: "eq", ast.NotEq: "ne"}


class Value(NamedTuple):
    """A C expression, and whether it is "complex", "real" or a "truth"."""

    text: str
    form: str


class ComplexKernel(Kernel):
    """Translates one formula of one row, for one complex type, into the body of a kernel.

    real: names of the operands that are real.
    """

    BLOCK, ROOM = "HALF", "HALF_ROOM"

    def __init__(
        self, row: Any, formula: str, ctype: str, rows: dict[str, Any], real: tuple[str, ...], second: str = ""
    ):
        self.part, self.real = PARTS[ctype], real
        super().__init__(row, formula, ctype, rows, second)

    def type_of(self, operand: str) -> str:
        return self.part if operand in self.real else super().type_of(operand)

    def translated(self, formula: str, names: dict[str, Any]) -> str:
        if formula in LOOPS:
            value = self.stage(formula, [self.operand(f"arg{k}", a) for k, a in enumerate(self.row.args)])
        else:
            value = self.value(ast.parse(formula, mode="eval").body, names)
        return self.as_real(value) if "out" in self.real else self.as_complex(value)

    # -- expressions

    def value(self, node: ast.expr, names: dict[str, Any]) -> Value:
        if isinstance(node, ast.Constant):
            return self.number(node.value)
        if isinstance(node, ast.Name):
            found = names[node.id]
            return found if isinstance(found, Value) else self.operand(found, node.id)
        if isinstance(node, ast.UnaryOp):
            if isinstance(node.op, ast.USub) and isinstance(node.operand, ast.Constant):
                return self.number(-node.operand.value)  # type: ignore[operator]
            value = self.value(node.operand, names)
            if isinstance(node.op, ast.UAdd):
                return value
            return Value(f"(-{value.text})" if value.form == "real" else f"neg_{self.ctype}({value.text})", value.form)
        if isinstance(node, ast.Compare):
            function = COMPARISONS[type(node.ops[0])]
            pair = [self.as_complex(self.value(side, names)) for side in (node.left, node.comparators[0])]
            return Value(f"{function}_{self.ctype}({', '.join(pair)})", "truth")
        if isinstance(node, ast.BinOp):
            return self.binary(node.op, self.value(node.left, names), self.value(node.right, names))
        assert isinstance(node, ast.Call) and isinstance(node.func, ast.Name), ast.dump(node)
        return self.called(node.func.id, [self.value(a, names) for a in node.args])

    def number(self, value: Any) -> Value:
        """A number as NumPy makes it complex: the imaginary part of -1 is 0, not -0."""
        z = complex(value)
        return Value(f"make_{self.ctype}(<{self.part}>{z.real!r}, <{self.part}>{z.imag!r})", "complex")

    def operand(self, name: str, written: str) -> Value:
        self.used.setdefault(name, written)
        ctype = self.type_of(name)
        if ctype == "mask":
            return Value(f"(v_{name}[i] != 0)", "truth")
        return Value(f"v_{name}[i]", "complex" if ctype == self.ctype else "real")

    def binary(self, op: ast.operator, left: Value, right: Value) -> Value:
        if isinstance(op, ast.Pow):
            return self.stage("power", [left, right])
        if left.form == right.form and left.form != "complex":
            return Value(f"({left.text} {BINARY[type(op)]} {right.text})", left.form)
        function = ARITHMETIC[type(op)]
        return Value(f"{function}_{self.ctype}({self.as_complex(left)}, {self.as_complex(right)})", "complex")

    def called(self, name: str, arguments: list[Value]) -> Value:
        t = self.ctype
        if name == "where":
            which, *values = arguments
            return Value(f"pick_{t}({which.text}, {', '.join([self.as_complex(v) for v in values])})", "complex")
        if name == "conj":
            return Value(f"conj_{t}({self.as_complex(arguments[0])})", "complex")
        if name in ("real", "imag"):
            return Value(f"{name}_{t}({self.as_complex(arguments[0])})", "real")
        if name in LOOPS or name in LOOPS_OF_PARTS:
            return self.stage(name, arguments)
        row = self.rows[name]
        row = self.rows[row.complex] if isinstance(row.complex, str) else row
        return self.value(ast.parse(row.forward, mode="eval").body, dict(zip(row.args, arguments, strict=True)))

    def as_complex(self, value: Value) -> str:
        return f"make_{self.ctype}({value.text}, <{self.part}>0)" if value.form == "real" else value.text

    def as_real(self, value: Value) -> str:
        return f"real_{self.ctype}({value.text})" if value.form == "complex" else value.text

    # -- calls over the whole block

    def stage(self, name: str, arguments: list[Value]) -> Value:  # type: ignore[override]
        of_parts = name in LOOPS_OF_PARTS
        texts = [self.as_real(a) if of_parts else self.as_complex(a) for a in arguments]
        taken, given = self.part if of_parts else self.ctype, "real" if of_parts or name in REAL_VALUED else "complex"
        key = f"{name}({', '.join(texts)})"
        if key not in self.known:
            sources = [self.block_of(text, taken) for text in texts]
            out = self.temporary(self.part if given == "real" else self.ctype)
            loop = f"&loops[{LOOP_NAMES.index(name)}][{TYPES.index(self.ctype)}]"
            self.stages.append([f"{self.function(name, len(sources))}({loop}, {', '.join(sources)}, {out}, m)"])
            self.known[key] = f"{out}[i]"
        return Value(self.known[key], given)

    def function(self, name: str, arity: int) -> str:
        if name == "power":
            return f"power_{self.ctype}"
        if name in LOOPS_OF_PARTS:
            return f"loop{arity}_{self.part}"
        return f"modulus_{self.ctype}" if name in REAL_VALUED else f"loop{arity}_{self.ctype}"

    def block_of(self, text: str, ctype: str) -> str:
        """The name of a block that holds the expression."""
        if text.endswith("[i]") and "(" not in text:
            return text.removesuffix("[i]")
        if text not in self.known:
            out = self.temporary(ctype)
            self.stages.append(["for i in range(m):", f"    {out}[i] = {text}"])
            self.known[text] = f"{out}[i]"
        return self.known[text].removesuffix("[i]")

    def call_into_result(self) -> None:
        super().call_into_result()
        self.whole = None
        if self.result is None and len(self.stages) == 1 and self.stages[0][0].startswith(("loop", "modulus")):
            loop, *sources = self.stages[0][0].partition("(")[2].removesuffix(", r, m)").split(", ")
            slots = [OPERANDS.index(source.removeprefix("v_")) for source in sources]
            operands = [f"p[{slot}], s[{slot}]" for slot in slots]
            self.whole = f"apply{len(slots)}({loop}, {', '.join(operands)}, p[0], s[0], n)"

    def whole_call(self) -> list[str]:
        if self.whole is None:
            return []
        spread = [f"s[{OPERANDS.index(o)}] != FILLED" for o in self.used]
        return [f"    if {' and '.join(['direct', *spread])}:", f"        {self.whole}", "        return"]

    # -- sums

    def sum_type(self) -> str:
        return "double" if "out" in self.real else "zen_cdouble"

    def zero(self) -> str:
        return "0" if "out" in self.real else "make_zen_cdouble(0, 0)"

    def add_total(self) -> str:
        return super().add_total() if "out" in self.real else f"add_{self.ctype}_total(p[0], &total)"


HEADER = '''"""Generated from zen/ops by zen/_core/generate_complex.py. Not to be edited, not committed."""

from zen._core._blocks cimport *
from zen._core._blocks_complex cimport *
from zen._core._loops cimport Loop
from zen._core._types cimport FILLED, REDUCE, SET
from zen._core._loops import find

cdef Loop loops[{count}][2]


cdef void fill() except *:
    cdef size_t function, data
    for k, (name, taken, given) in enumerate({ufuncs!r}):
        for t in range(2):
            function, data = find(name, taken[t], given[t])
            loops[k][t].function = <void*> function
            loops[k][t].data = <void*> data


fill()


'''


def ufuncs() -> list[tuple[str, str, str]]:
    """NumPy's names of the loops, and the letters of what they take and give, for complex64 and complex128."""
    found = [(ufunc, "FD", "fd" if name in REAL_VALUED else "FD") for name, ufunc in LOOPS.items()]
    return found + [(ufunc, "fd", "fd") for ufunc in LOOPS_OF_PARTS.values()]


class Kernels:
    """The kernels of one row. `is_part`: its result is real."""

    def __init__(self, row: Any, rows: dict[str, Any], is_part: bool):
        self.row, self.rows, self.is_part = row, rows, is_part
        self.sources: list[str] = []

    def add(self, role: str, formula: str, real: str, second: str = "") -> str:
        """Both kernels of a formula; what the table says of them. real: the real operands, where the result is."""
        given = tuple(real.split()) if self.is_part else ()
        kernels = [ComplexKernel(self.row, formula, t, self.rows, given, second) for t in TYPES]
        names = [f"{self.row.name}_{role}_{PARTS[t]}" for t in TYPES]
        self.sources += [k.source(n) for k, n in zip(kernels, names, strict=True)]
        return f"({kernels[0].needs()}, " + ", ".join([f"<size_t> &{n}" for n in names]) + ")"

    def entry(self) -> str:
        row, nothing = self.row, "(0, 0, 0)"
        forward = self.add("forward", row.forward, "out")
        derivatives = []
        for k, formula in enumerate(row.vjp):
            if formula == "g" and not self.is_part:
                derivatives.append("(2, 0, 0)")
            else:
                derivatives.append(nothing if formula is None else self.add(f"vjp{k}", formula, "g y"))
        formula, slot = (row.vjp[0], "") if self.is_part else tangent(row)
        pushed = self.add("tangent", formula, "y out", slot) if formula else nothing
        place = OPERANDS.index(slot) if slot else 0
        return f"        {row.name!r}: ({forward}, ({', '.join(derivatives)},), ({place}, *{pushed}), {self.is_part}),"


def source(package: Path) -> str:
    """The Cython source of one module: all kernels, and a function that returns their addresses."""
    rows, parts = load(package, "elementwise", "ROWS"), load(package, "complex_elementwise", "parts")
    rows = [*rows, *load(package, "complex_elementwise", "ROWS")]
    by_name = {r.name: r for r in rows}
    made = [Kernels(r, by_name, r in parts) for r in rows if r.complex is True]
    table = [kernels.entry() for kernels in made]
    text = [HEADER.format(count=len(LOOP_NAMES), ufuncs=ufuncs())]
    text += [one for kernels in made for one in kernels.sources]
    text += [
        "def kernels():",
        '    """By row: (what is read, complex64, complex128) of forward, vjps and, behind the slot of the second '
        "tangent,",
        '    tangent; whether results are real."""',
    ]
    return "\n".join([*text, "    return {", *table, "    }", ""])


def generate(package: Path) -> list[Path]:
    """Write the kernel modules next to the other Cython sources of `package`; return their paths."""
    return written(package, "_kernels_complex_", VARIANTS, source(package))


if __name__ == "__main__":
    generate(Path(__file__).parents[1])
