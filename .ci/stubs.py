"""Writes the stubs that type checkers and editors read: of the functions of `zen.f` and of the methods of Tensor. And
the names that the families hold which load with their first use: `zen/ops/late_names.py`.

`make stubs` runs it; commit what it writes. `tests/test_stubs.py` compares the files with what it would write.

Names, order, kinds and defaults are those of the functions themselves. A type is the function's own annotation, or,
where that says Any, what the tables below say of an argument of this name: a name that they do not know is an error.
"""

from __future__ import annotations

import ast
import builtins
import inspect
import re
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from inspect import Parameter
from pathlib import Path
from typing import Any

from zen import habits
from zen.attached import inplace, members, protocols
from zen.ops import late
from zen.ops.register import FUNCTIONS, METHODS

ROOT = Path(__file__).parents[1]
LIMIT = 120

TYPES = {
    **dict.fromkeys(
        "A a alpha anchor array arrays b beta bias condition constant_values indices indices_or_sections input input1 "
        "input2 key log_probs logits negative negative_slope operands other pad_width positive query repeats reps "
        "sorter source target targets tensor value var weight x x1 x2 y z".split(),
        "ArrayLike",
    ),
    **dict.fromkeys(
        "a_max a_min attn_mask max min neginf pos_weight posinf running_mean running_var".split(), "ArrayLike | None"
    ),
    **dict.fromkeys(
        "arr base choices default dst end_values ind mask n start stop src v val vals values xi".split(), "ArrayLike"
    ),
    **dict.fromkeys("choicelist condlist".split(), "Iterable[ArrayLike]"),
    **dict.fromkeys("args func func1d function funclist kw kwargs".split(), "object"),
    **dict.fromkeys("dx exponent f fp nan p q sample v varargs xp".split(), "ArrayLike"),
    **dict.fromkeys("axes dilation kernel_size normalized_shape output_padding shape shift stride".split(), "Ints"),
    **dict.fromkeys(("obj", "values"), "ArrayLike"),
    **dict.fromkeys(("kth", "new_shape"), "Ints"),
    **dict.fromkeys("a1 a2 p seq_of_zeros u v".split(), "ArrayLike"),
    "axis": "Axes",
    "bins": "object",
    "casting": "str",
    "stat_length": "Ints",
    "cov": "bool | str",
    **dict.fromkeys(
        "append aweights fweights initial k left mean period prepend right to_begin to_end w weights where".split(),
        "ArrayLike | None",
    ),
    "dtype": "DTypeLike",
    "inplace": "bool",
    "optimize": "object",
    "order": "str | None",
    "ord": "float | str | None",
    "p": "float | str | None",
    **dict.fromkeys("rcond rtol tol".split(), "ArrayLike | None"),
    "output_size": "int | Nested[int | None] | None",
    "padding": "Ints",
    "range": "object",
    "subscripts": "object",
}
"""The type of an argument by its name."""
TYPES_IN = {
    **{("ctc_loss", argument): "ArrayLike" for argument in ("input_lengths", "target_lengths")},
    **{(f"conv{n}d", "padding"): "Ints | str" for n in (1, 2, 3)},
    **{(name, argument): "Ints" for name in ("expand_dims",) for argument in ("axis",)},
    ("fold", "output_size"): "Ints",
    **{(f"max_unpool{n}d", "output_size"): "Ints | None" for n in (1, 2, 3)},
    **{(f"fractional_max_pool{n}d", "_random_samples"): "ArrayLike | None" for n in (2, 3)},
    **{("embedding_bag", argument): "ArrayLike | None" for argument in ("offsets", "per_sample_weights")},
    **{(name, argument): "ArrayLike" for name, argument in (("grid_sample", "grid"), ("affine_grid", "theta"))},
    ("affine_grid", "size"): "Ints",
    ("interpolate", "size"): "Ints | None",
    ("interpolate", "scale_factor"): "float | Nested[float] | None",
    ("normalize", "out"): "None",
    ("pad", "pad_width"): "Ints | Nested[Ints] | None",
    ("pad", "pad"): "Ints | None",
    ("pad", "value"): "float | None",
    **{("moveaxis", argument): "Ints" for argument in ("source", "destination")},
    ("flatten", "start_axis"): "int | str",
    **{(f"{kind}stack", "arrays"): "Iterable[ArrayLike]" for kind in ("column_", "d")},
    ("concat", "arrays"): "Iterable[ArrayLike]",
    ("cho_solve", "c_and_lower"): "tuple[ArrayLike, bool]",
    ("multi_dot", "arrays"): "Iterable[ArrayLike]",
    ("stack", "arrays"): "Iterable[ArrayLike]",
    ("hstack", "arrays"): "Iterable[ArrayLike]",
    ("vstack", "arrays"): "Iterable[ArrayLike]",
    ("tensordot", "axes"): "int | Nested[Ints]",
    ("transpose", "axes"): "Ints | None",
}
"""The same for an argument of one function."""
RESULTS = {
    "list[Any]": "list[Tensor]", "tuple[Any, ...]": "tuple[Tensor, ...]", "tuple[Any, Any]": "tuple[Tensor, Tensor]",
    "tuple[Any, Any, Any]": "tuple[Tensor, Tensor, Tensor]",
    "Any": "Tensor",
}  # fmt: skip
"""The type of a result by the function's own annotation."""
FLAGS = dict.fromkeys(("return_indices", "returned"), ("Tensor", "tuple[Tensor, Tensor]"))
"""Arguments that choose between two types of results: those for False, which is the default, and for True."""
WRITTEN = {
    f"atleast_{n}d": [
        f"def atleast_{n}d(array: ArrayLike, /) -> Tensor: ...",
        f"def atleast_{n}d(first: ArrayLike, second: ArrayLike, /, *arrays: ArrayLike) -> tuple[Tensor, ...]: ...",
    ]
    for n in (1, 2, 3)
}
WRITTEN["qr"] = [
    'def qr(x: ArrayLike, mode: Literal["reduced", "complete"] = "reduced") -> QRResult: ...',
    'def qr(x: ArrayLike, mode: Literal["r"]) -> Tensor: ...',
    'def qr(x: ArrayLike, mode: Literal["raw"]) -> tuple[Tensor, ...]: ...',
]
WRITTEN["svd"] = [
    "def svd(\n"
    "    x: ArrayLike, full_matrices: bool = True, compute_uv: Literal[True] = True, hermitian: bool = False\n"
    ") -> SVDResult: ...",
    "def svd(x: ArrayLike, full_matrices: bool = True, *, compute_uv: Literal[False], hermitian: bool = False) "
    "-> Tensor: ...",
    "def svd(x: ArrayLike, full_matrices: bool, compute_uv: Literal[False], hermitian: bool = False) -> Tensor: ...",
]
"""Overloads of functions whose results depend on the number of arguments."""

HEADER = """\
# The functions of zen.f, for type checkers and editors. Written by `make stubs` (.ci/stubs.py): do not edit.

from collections.abc import Callable, Iterable
from typing import Any, Literal, overload

import numpy as np
from numpy.typing import DTypeLike

from .backend import Tensor
from .ops.eigen import EigResult
from .ops.linalg import SlogdetResult
from .ops.orthogonal import QRResult
from .ops.searching import UniqueAllResult, UniqueCountsResult, UniqueInverseResult
from .ops.singular_values import SVDResult
from .ops.spectra import EighResult
from .typing import ArrayLike, Axes, Ints, Nested

"""
BEGIN, END = "    # Written by `make stubs` (.ci/stubs.py), down to the next comment: do not edit.\n", "    # Operators"


NAMES = """\
# What is known of modules that are not loaded yet: the families (`late.py`), and where members of Tensor stand
# (`zen/attached`). Written by `make stubs` (.ci/stubs.py): do not edit.

"""
LIST = """
from zen.ops import late, register

tables = {
    "ROWS": register.ROWS, "FUNCTIONS": register.FUNCTIONS, "METHODS": register.METHODS, "NUMPY": register.ANSWERS,
}
for table in (*tables.values(), register.DECLARATIONS):
    table.late.clear()
for family in late.FAMILIES:
    before, known = late.loaded(), {name: set(table) for name, table in tables.items()}
    if family in before:
        raise SystemExit(f"zen/ops/late.py: something that loads before imports {family}; put that one first")
    late.load(family)
    for name, table in tables.items():
        print(name, family, *sorted(set(table) - known[name]))
"""


def late_names() -> str:
    """The content of zen/ops/late_names.py, as a process finds it that loads one family after the other."""
    listed = subprocess.run([sys.executable, "-c", LIST], capture_output=True, text=True, cwd=ROOT, check=False)
    if listed.returncode:
        raise SystemExit(listed.stderr)
    found: dict[str, dict[str, str]] = {"ROWS": {}, "FUNCTIONS": {}, "METHODS": {}, "NUMPY": {}}
    for line in listed.stdout.splitlines():
        table, family, *names = line.split()
        if names:
            found[table][family] = " ".join(names)
    attached = {"inplace": inplace, "protocols": protocols, "members": members}
    found["MEMBERS"] = {name: " ".join(sorted(module.METHODS)) for name, module in attached.items()}
    found["PROPERTIES"] = {"members": " ".join(sorted(members.PROPERTIES))}
    tables = "".join([f"{table}: dict[str, str] = {pretty(families)}\n" for table, families in found.items()])
    return f"{NAMES}{tables}MISSING = (\n{folded(' '.join(sorted(habits.METHODS)), 4)}\n)\n"


def folded(names: str, indent: int) -> str:
    """The literal of a long string, in lines."""
    parts = textwrap.wrap(names, LIMIT - indent - 4)
    ends = [*[" "] * (len(parts) - 1), ""]
    return "\n".join([f'{" " * indent}"{part}{end}"' for part, end in zip(parts, ends, strict=True)])


def pretty(families: dict[str, str]) -> str:
    """A dictionary of strings as `ruff format` lays it out, long strings folded."""
    lines = []
    for family, names in families.items():
        line = f'    "{family}": "{names}",'
        if len(line) > LIMIT:
            line = f'    "{family}": (\n{folded(names, 8)}\n    ),'
        lines.append(line)
    return "\n".join(["{", *lines, "}"]) if lines else "{}"


def type_of(function: str, parameter: Parameter) -> str:
    annotation = parameter.annotation
    if annotation is not Parameter.empty and annotation != "Any":
        return str(annotation).replace(chr(39), chr(34))
    found = TYPES_IN.get((function, parameter.name)) or TYPES.get(parameter.name)
    if found is None:
        raise SystemExit(
            f".ci/stubs.py: {function}() has an argument {parameter.name!r} of no known type: add it to TYPES"
        )
    if parameter.default is None and "None" not in found and found not in ("object", "Axes"):
        found += " | None"
    return found


def written(function: str, parameter: Parameter, kind: str | None = None) -> str:
    """An argument as it stands in a signature; `kind` is a type to write in the place of its own."""
    star = {Parameter.VAR_POSITIONAL: "*", Parameter.VAR_KEYWORD: "**"}.get(parameter.kind, "")
    text = f"{star}{parameter.name}: {kind or type_of(function, parameter)}"
    default = parameter.default
    if default is Parameter.empty or kind == "Literal[True]":
        return text
    plain = default is None or isinstance(default, (bool, int, float, str))
    return f"{text} = {repr(default).replace(chr(39), chr(34)) if plain else '...'}"


def arguments(function: str, parameters: list[Parameter], flag: str = "", kind: str | None = None) -> list[str]:
    """The arguments, with the `/` and `*` between their kinds. `flag` is written with the type `kind`."""
    found: list[str] = []
    before, starred = None, False
    for p in parameters:
        if before is Parameter.POSITIONAL_ONLY and p.kind is not before:
            found.append("/")
        required = p.name == flag and kind == "Literal[True]" and "=" in "".join(found)
        if (p.kind is Parameter.KEYWORD_ONLY or required) and not starred:
            found.append("*")
            starred = True
        starred |= p.kind is Parameter.VAR_POSITIONAL
        found.append(written(function, p, kind if p.name == flag else None))
        before = p.kind
    if before is Parameter.POSITIONAL_ONLY:
        found.append("/")
    return found


def laid_out(head: str, items: list[str], result: str, indent: str) -> str:
    """A definition as `ruff format` lays it out."""
    line = f"{indent}def {head}({', '.join(items)}) -> {result}: ..."
    if len(line) <= LIMIT:
        return line
    inner = f"{indent}    {', '.join(items)}"
    if len(inner) <= LIMIT:
        return f"{indent}def {head}(\n{inner}\n{indent}) -> {result}: ..."
    rows = "".join([f"{indent}    {item},\n" for item in items])
    return f"{indent}def {head}(\n{rows}{indent}) -> {result}: ..."


def definitions(name: str, function: Callable[..., Any], method: bool = False) -> Iterator[str]:
    """The definition of a function or method, or its overloads."""
    indent = "    " if method else ""
    if name in WRITTEN:
        yield from (f"{indent}@overload\n{indent}{line}" for line in WRITTEN[name])
        return
    signature = inspect.signature(function)
    parameters = [p for p in signature.parameters.values() if p.annotation != "Never"]
    first = ["self"] if method else []
    parameters = parameters[len(first) :]
    result = str(signature.return_annotation)
    result = RESULTS.get(result, result) if signature.return_annotation is not Parameter.empty else "Tensor"
    if method and name in inplace.METHODS:
        result = "Self"
    flag = next((p for p in parameters if p.name in FLAGS), None)
    if flag is None:
        yield laid_out(name, first + arguments(name, parameters), result, indent)
        return
    results = FLAGS[flag.name]
    for kind, chosen in zip(("Literal[False]", "Literal[True]", "bool"), (*results, " | ".join(results)), strict=True):
        yield f"{indent}@overload\n" + laid_out(
            name, first + arguments(name, parameters, flag.name, kind), chosen, indent
        )


def functions() -> str:
    """The content of zen/f.pyi."""
    body = "\n".join([line for name in sorted(FUNCTIONS) for line in definitions(name, FUNCTIONS[name])]) + "\n"
    names = "".join([f'    "{name}",\n' for name in sorted(FUNCTIONS)])
    return f"{HEADER}__all__ = [\n{names}]\n\n{body}"


def methods(stub: str) -> str:
    """The content of zen/_core/_tensor.pyi, with the methods of Tensor anew."""
    found = {**METHODS, **inplace.METHODS}
    body = "\n".join([line for name in sorted(found) for line in definitions(name, found[name], True)])
    pattern = re.compile(re.escape(BEGIN) + ".*?(?=\n" + re.escape(END) + ")", re.DOTALL)
    if not pattern.search(stub):
        raise SystemExit(f"zen/_core/_tensor.pyi has no place for the methods, between {BEGIN!r} and {END!r}")
    return pattern.sub(lambda _: f"{BEGIN}\n{body}\n", stub)


def check_names(path: Path, stub: str) -> None:
    """Every name in an annotation must be imported or defined."""
    tree = ast.parse(stub)
    known = set(dir(builtins))
    for node in ast.walk(tree):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            known |= {alias.asname or alias.name for alias in node.names}
        elif isinstance(node, (ast.ClassDef, ast.FunctionDef)):
            known.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            known.add(node.id)
    unknown = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)} - known
    if unknown:
        raise SystemExit(f".ci/stubs.py: import {', '.join(sorted(unknown))} in the header of {path.name}")


def stubs() -> dict[Path, str]:
    """The files, and what is to stand in them."""
    late.load_all()
    tensor = ROOT / "zen" / "_core" / "_tensor.pyi"
    made = {ROOT / "zen" / "f.pyi": functions(), tensor: methods(tensor.read_text())}
    for path, text in made.items():
        check_names(path, text)
    made[ROOT / "zen" / "ops" / "late_names.py"] = late_names()
    return made


if __name__ == "__main__":
    for path, text in stubs().items():
        path.write_text(text)
