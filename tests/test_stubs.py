"""Stubs say what the functions are; public functions say where they stand; what type checkers refuse, zen refuses."""

import ast
import importlib.util
import pickle
import re
import runpy
from pathlib import Path
from types import BuiltinFunctionType, FunctionType, ModuleType

import numpy as np
import pytest

import zen
from zen.attached import inplace, members
from zen.ops import late
from zen.ops.register import FUNCTIONS, METHODS

ROOT = Path(__file__).parents[1]
PROGRAMS = ROOT / "tests" / "programs_typed"
MISTAKES = PROGRAMS / "mistakes.py"


@pytest.fixture(scope="module")
def writer():
    spec = importlib.util.spec_from_file_location("stubs", ROOT / ".ci" / "stubs.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_stubs_are_what_make_stubs_writes(writer):
    for path, text in writer.stubs().items():
        if path.name == "late_names.py" and np.lib.NumpyVersion(np.__version__) < "2.4.0":
            here, written = (set(re.findall(r"[\w.]+", x)) for x in (text, path.read_text()))
            assert here <= written
            assert not [name for name in written - here if hasattr(np, name)]  # older ones lack the rest
            continue
        assert path.read_text() == text, f"{path.name} is out of date: run `make stubs` and commit it"


def test_an_argument_of_unknown_type_is_an_error(writer):
    def strange(x, unheard_of): ...

    with pytest.raises(SystemExit, match=r"strange\(\) has an argument 'unheard_of' of no known type"):
        list(writer.definitions("strange", strange))


def test_a_type_that_nothing_imports_is_an_error(writer):
    with pytest.raises(SystemExit, match="import Strange in the header of f.pyi"):
        writer.check_names(Path("f.pyi"), writer.HEADER + "def f(x: ArrayLike) -> Strange: ...\n")


def test_the_writer_knows_every_kind_of_argument(writer):
    def f(a, /, x=None, *, axis: "int" = 0, dtype=None, **unknown: "Never") -> "list[Any]": ...  # noqa: F821

    assert list(writer.definitions("f", f)) == [
        "def f(\n    a: ArrayLike, /, x: ArrayLike | None = None, *, axis: int = 0, dtype: DTypeLike | None = None\n"
        ") -> list[Tensor]: ..."
    ]


def signatures():
    """The functions of zen/f.pyi with their overloads."""
    found = {}
    for node in ast.parse((ROOT / "zen" / "f.pyi").read_text()).body:
        if isinstance(node, ast.FunctionDef):
            found.setdefault(node.name, []).append(node)
    return found


def test_every_function_and_method_has_a_signature():
    assert signatures().keys() == set(zen.f.__all__)
    tree = ast.parse((ROOT / "zen" / "_core" / "_tensor.pyi").read_text())
    [body] = [node.body for node in tree.body if isinstance(node, ast.ClassDef) and node.name == "Tensor"]
    names = {node.target.id if isinstance(node, ast.AnnAssign) else node.name for node in body}
    assert {*METHODS, *inplace.METHODS, *members.METHODS, *members.PROPERTIES} <= names
    for name, overloads in signatures().items():
        for node in overloads:
            every = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            assert all(argument.annotation for argument in every) and node.returns, name


@pytest.mark.filterwarnings("ignore:Arrays of 2-dimensional vectors:DeprecationWarning")
def test_results_are_of_the_type_that_the_stub_names():
    """Each function's own examples in the documentation are run elsewhere; here on one argument of each kind."""
    x = zen.tensor([[0.25, 0.5], [0.75, 0.5]])
    kinds = {"Tensor": zen.Tensor, "bool": bool, "list[Tensor]": list, "tuple[Tensor, ...]": tuple}
    tried = 0
    for name, overloads in signatures().items():
        node = overloads[0]
        needed = len(node.args.posonlyargs + node.args.args) - len(node.args.defaults)
        for given in ((x,) * needed, (x.numpy(),) * needed):
            try:
                found = FUNCTIONS[name](*given)
            except (TypeError, ValueError, IndexError, DeprecationWarning):
                continue  # which asks for more than arrays
            kind = kinds.get(ast.unparse(node.returns))
            if kind is not None:
                assert isinstance(found, kind), name
                tried += 1
    assert tried > 200


def public_functions():
    seen = {}
    pending = [zen]
    while pending:
        module = pending.pop()
        for name in module.__all__:
            value = getattr(module, name)
            if isinstance(value, ModuleType):
                if value.__name__.startswith("zen.") and not value.__name__.startswith(("zen.compat", "zen.backend")):
                    pending.append(value)
            elif isinstance(value, (FunctionType, BuiltinFunctionType)) or type(value).__name__.startswith("cython"):
                seen[module.__name__, name] = value
    return seen


late.load_all()
PUBLIC = public_functions()


@pytest.mark.parametrize(("module", "name"), PUBLIC, ids=lambda part: part)
def test_a_public_function_names_a_public_place(module, name):
    function = PUBLIC[module, name]
    place = importlib.import_module(function.__module__)
    assert function.__module__ in {m for m, _ in PUBLIC} and function.__qualname__ in place.__all__
    assert getattr(place, function.__qualname__) is function
    assert pickle.loads(pickle.dumps(function)) is function


def test_functions_of_zen_f_are_there():
    assert len(PUBLIC) > 350 and all(
        (n, "zen.f") == (f.__qualname__, f.__module__) for n, f in FUNCTIONS.items() if n not in ("clamp", "pow")
    )
    assert (zen.tensor.__module__, zen.grad.__module__, zen.fit.__module__) == ("zen", "zen", "zen.training")
    assert zen.linalg.diagonal.__qualname__ == "diagonal" and zen.linalg.diagonal.__module__ == "zen.linalg"


@pytest.mark.parametrize("name", sorted({*METHODS, *inplace.METHODS, *members.METHODS} - {"clamp_"}))
def test_a_method_names_a_public_place(name):
    method = getattr(zen.Tensor, name)
    if METHODS.get(name) is not FUNCTIONS.get(name, 0) and not name.startswith("__"):
        assert (method.__module__, method.__qualname__) == ("zen", f"Tensor.{name}")
        assert ">>>" not in (method.__doc__ or "")  # doctest would not find it
    assert pickle.loads(pickle.dumps(getattr(zen.ones(2), name)))().tolist() if name == "copy" else True


@pytest.mark.parametrize("path", sorted(set(PROGRAMS.glob("*.py")) - {MISTAKES}), ids=lambda path: path.stem)
def test_the_typed_programs_run(path):
    runpy.run_path(str(path), run_name="__main__")


def statements():
    """What comes before the mistakes, and each mistake with its line."""
    text = MISTAKES.read_text()
    lines = text.splitlines()
    wrong = [k + 1 for k, line in enumerate(lines) if "# wrong:" in line]
    tree = ast.parse(text)
    tree.body = [node for node in tree.body if node.lineno not in wrong]
    return compile(tree, str(MISTAKES), "exec"), {k: lines[k - 1] for k in wrong}


PREPARED, WRONG = statements()


@pytest.mark.parametrize("line", WRONG)
def test_what_type_checkers_refuse_raises(line):
    names = {"__name__": "mistakes"}
    exec(PREPARED, names)
    with pytest.raises((AttributeError, TypeError, ValueError, IndexError)):
        exec(WRONG[line], names)


def test_there_are_mistakes_of_every_kind():
    assert len(WRONG) > 30 and np.shape(list(WRONG)) == (len(WRONG),)
