"""What `zen.dtypes` says agrees with NumPy and with both engines, and nothing else asks a dtype for its kind."""

import ast
import re
from pathlib import Path

import numpy as np
import pytest

import zen
from zen import dtypes

ROOT = Path(zen.__file__).parent
NATIVE = [np.dtype(c) for c in np.typecodes["All"] if c not in "SUV"] + [np.dtype("S3"), np.dtype("U3"), np.dtype("V3")]
ALL = [d.newbyteorder(order) for d in NATIVE for order in "=S"]
STRANGE = [np.dtype([("a", float)]), np.dtype((float, 2)), np.dtypes.StringDType()]
FLOATS = [d for d in NATIVE if np.isdtype(d, "real floating")]
NUMBERS = [d for d in NATIVE if np.isdtype(d, ("bool", "integral", "real floating"))]


@pytest.mark.parametrize(("name", "kinds"), [
    ("BOOLEAN", "bool"), ("INTEGER", "integral"), ("EXACT", ("bool", "integral")), ("FLOATING", "real floating"),
    ("COMPLEX", "complex floating"), ("INEXACT", ("real floating", "complex floating")),
    ("NUMBERS", ("bool", "numeric")),
])  # fmt: skip
def test_a_set_holds_the_kinds_that_it_names(name, kinds):
    found = getattr(dtypes, name)
    for dtype in ALL:
        assert (dtype in found) == np.isdtype(dtype, kinds), dtype
    assert not any(dtype in found for dtype in STRANGE)


def test_no_set_knows_what_the_others_leave_out():
    kinds = dtypes.BOOLEAN, dtypes.INTEGER, dtypes.FLOATING, dtypes.COMPLEX
    assert sum(map(len, kinds)) == len(frozenset().union(*kinds))
    assert {*dtypes.RANK} == dtypes.NUMBERS
    assert dtypes.KERNELS < dtypes.DIFFERENTIABLE < dtypes.SUPPORTED < dtypes.NUMBERS
    assert {np.dtype(c) for c in "fd"} < dtypes.KERNELS and len(dtypes.KERNELS) == 4


@pytest.mark.parametrize("dtype", [*NATIVE, *STRANGE], ids=str)
def test_a_tensor_holds_what_is_supported(dtype):
    array = np.zeros(2, dtype)
    if array.dtype in dtypes.SUPPORTED:
        assert zen.tensor(array).dtype == array.dtype
    else:
        with pytest.raises(TypeError):
            zen.tensor(array)


@pytest.mark.parametrize("dtype", [d for d in NATIVE if d in dtypes.SUPPORTED], ids=str)
def test_the_engine_finds_differentiable_what_is(dtype):
    t = zen.zeros(2, dtype)
    if dtype in dtypes.DIFFERENTIABLE:
        assert t.requires_grad_().requires_grad and zen.zeros(2, dtype, requires_grad=True).requires_grad
        assert (t + t).requires_grad
    else:
        for ask in (t.requires_grad_, lambda: zen.zeros(2, dtype, requires_grad=True)):
            with pytest.raises(TypeError, match="floating-point"):
                ask()


@pytest.mark.parametrize("dtype", NATIVE, ids=str)
def test_a_row_gives_what_is_supported(dtype):
    """The engine's own question, of the result that a row's NumPy form has."""
    row = zen.backend.Row("made", 1, lambda x: np.zeros(2, dtype), lambda: ((None,), (None,)))
    if dtype in dtypes.SUPPORTED:
        assert zen.backend.apply(row, (zen.zeros(1),)).dtype == dtype
    else:
        with pytest.raises(TypeError):
            zen.backend.apply(row, (zen.zeros(1),))


@pytest.mark.parametrize("dtype", NUMBERS, ids=str)
def test_becoming_a_float(dtype):
    with np.errstate(all="ignore"):
        assert dtypes.inexact(dtype) == np.sqrt(np.zeros((), dtype)).dtype
        assert dtypes.floating(dtype) == (dtype if dtype in FLOATS else np.float64)


@pytest.mark.parametrize("dtype", NUMBERS, ids=str)
def test_an_accumulator_adds_up_as_numpys_mean_does(dtype):
    x = (np.arange(3001) % 7 / 7 if dtype in FLOATS else np.arange(3001) % 2).astype(dtype)
    mean = np.add.reduce(x, dtype=dtypes.accumulator(dtype)) / len(x)
    assert mean.astype(np.mean(x).dtype) == np.mean(x)
    swapped = dtype.newbyteorder("S")
    assert dtypes.accumulator(swapped) == dtypes.accumulator(dtype) and dtypes.accumulator(swapped).isnative


def test_halves_in_the_other_byte_order_are_added_up_as_widely():
    x = np.full(4096, 1000.0, ">f2" if np.little_endian else "<f2")  # their sum does not fit into float16
    for mean in (zen.f.mean(x), zen.f.mean(zen.tensor(x))):
        assert mean.dtype == np.float16 and mean.item() == 1000
    assert zen.f.var(x).dtype == np.float16 and zen.f.var(x).item() == 0


def test_ranks_are_numpys_casts_of_the_same_kind_but_for_signs():
    for a in NUMBERS:
        for b in NUMBERS:
            cast = np.can_cast(a, b, "same_kind") or (np.isdtype(a, "integral") and np.isdtype(b, "integral"))
            assert (dtypes.RANK[a] <= dtypes.RANK[b]) == cast, (a, b)


def test_the_defaults():
    assert zen.zeros(2).dtype == zen.random.normal(2).dtype == zen.f.softmax([1, 2]).dtype == dtypes.DEFAULT
    assert zen.nn.Linear(2, 2).weight.dtype == dtypes.PARAMETERS


# --- nothing else asks


def _asks(node: ast.AST) -> bool:
    return isinstance(node, ast.Attribute) and node.attr in ("kind", "char", "num")


def stray_python(source: str) -> list[int]:
    """Lines that compare the kind of a dtype or look it up, or ask NumPy for it."""
    lines = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Compare):
            compares = any(isinstance(op, (ast.Eq, ast.NotEq, ast.In, ast.NotIn)) for op in node.ops)
            stray = compares and any(map(_asks, [node.left, *node.comparators]))
        elif isinstance(node, ast.Subscript):
            stray = _asks(node.slice)
        else:
            stray = isinstance(node, ast.Attribute) and node.attr in ("issubdtype", "isdtype")
        if stray:
            lines.append(node.lineno)
    return lines


_STRAY = re.compile(
    r"""\.(kind|char)\s*(==|!=|in|not\s+in)\s*["'(]   # of NumPy's object
    | \.issubdtype | \.isdtype | PyTypeNum_IS
    | \bin\s*\(\s*(cnp\.)?NPY_                        # of the type number: a class of several
    | NPY_\w+\s+(or|and)\s+[\w.]+(\([^()]*\))?\s*[!=]=\s*(cnp\.)?NPY_""",
    re.VERBOSE,
)


def stray_cython(source: str) -> list[int]:
    """Lines that ask for a class of dtypes; to compare one type number is to pick a kernel."""
    return [k for k, line in enumerate(source.splitlines(), 1) if _STRAY.search(line.split("#")[0])]


def test_only_dtypes_asks_for_the_kind_of_a_dtype():
    found = []
    for path in sorted(ROOT.rglob("*.p*")):
        if path.suffix not in (".py", ".pyx", ".pxd", ".pxi") or path.stem in ("dtypes", "_dtypes"):
            continue
        if path.name.startswith("_kernels_"):
            continue
        stray = stray_python if path.suffix == ".py" else stray_cython
        found += [f"{path.relative_to(ROOT.parent)}:{line}" for line in stray(path.read_text())]
    assert not found, f"ask zen.dtypes, or zen/_core/_dtypes.pxd in Cython, instead: {', '.join(found)}"


@pytest.mark.parametrize("line", [
    'x.dtype.kind == "f"', 'x.dtype.kind not in "iu"', "_ORDER[x.dtype.kind]", 'd.char in "fd"',
    "np.issubdtype(x.dtype, np.floating)", 'np.isdtype(d, "bool")', 'y = 1 if d.kind != "f" else 2',
])  # fmt: skip
def test_the_search_finds_questions_in_python(line):
    assert stray_python(line) == [1]


@pytest.mark.parametrize("line", [
    'if x.dtype.kind != "f":', "if t in (cnp.NPY_FLOAT, cnp.NPY_DOUBLE):", "return cnp.PyTypeNum_ISFLOAT(t)",
    "if t == cnp.NPY_FLOAT or t == cnp.NPY_DOUBLE:", "if t != cnp.NPY_FLOAT and t != cnp.NPY_DOUBLE:",
])  # fmt: skip
def test_the_search_finds_questions_in_cython(line):
    assert stray_cython(line) == [1]


def test_the_search_leaves_other_kinds_alone():
    assert not stray_python("p.kind is p.POSITIONAL\nf(row.kind)\nself.kind = 1\n'x.dtype.kind == 1'")
    assert not stray_cython("if job.kind == cnp.NPY_FLOAT:\n    return new(1, &n, cnp.NPY_DOUBLE)\nif t.kind == BOOL:")
