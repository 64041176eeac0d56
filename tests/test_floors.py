"""Imports point only to a lower floor, or stay on their own, and never go in a circle: in Cython files as well.

FLOORS below lists them, from the ground.
"""

import ast
import re
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest

import zen

ROOT = Path(zen.__file__).parent
FLOORS = {
    "zen.dtypes": 0, "zen._core": 0, "zen._reference": 0, "zen.exports": 0, "zen.extras": 0,
    "zen.backend": 1, "zen.files": 1, "zen.safetensors": 1, "zen.writes": 1,
    "zen.array_api": 2, "zen.batched": 2, "zen.conversion": 2, "zen.creation": 2, "zen.habits": 2, "zen.modes": 2,
    "zen.random": 2, "zen.trees": 2, "zen.typing": 2, "zen.special": 3,
    "zen.ops": 3, "zen.f": 3, "zen.fft": 3, "zen.polynomial": 3,
    "zen.attached": 4, "zen.batching": 4,
    "zen.linalg": 5,
    "zen.transforms": 5, "zen.visualize": 5, "zen.testing": 5, "zen.serialize": 5, "zen.graph": 5, "zen.program": 5,
    "zen.nn": 6, "zen.optim": 6, "zen.data": 6, "zen.stats": 6, "zen.optimize": 6,
    "zen.training": 7, "zen.sklearn": 7,
    "zen.compat": 8,
    "zen": 9,
}  # fmt: skip
OPTIONAL = {
    "zen.compat": {"tqdm"}, "zen.data": {"pandas", "pyarrow"}, "zen.ops": {"scipy"}, "zen.optimize": {"scipy", "tqdm"},
    "zen.serialize": {"safetensors"}, "zen.sklearn": {"sklearn"}, "zen.testing": {"pytest"},
    "zen.training": {"matplotlib", "tqdm"}, "zen.transforms": {"scipy"}, "zen.visualize": {"matplotlib", "pygraphviz"},
}  # fmt: skip
FILES = sorted(p for p in ROOT.rglob("*.py") if "_core" not in p.parts or p.name == "__init__.py")
CYTHON = sorted(p for kind in ("pyx", "pxd", "pxi") for p in (ROOT / "_core").glob(f"*.{kind}"))
IMPORT = re.compile(r"^( *)(?:from +([\w.]+) +c?import +([\w, *]+|\()|c?import +([\w.]+))", re.MULTILINE)


def floor(module: str) -> int | None:
    """The floor of a module, or of the package it is in; only zen itself is the top."""
    while module not in FLOORS and "." in module:
        module = module.rpartition(".")[0]
        if module == "zen":
            return None
    return FLOORS.get(module)


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(path: Path):
    """(line, module) for every import of the file, at any depth, those for type checkers alone included."""
    package = module_name(path).split(".")
    if path.name != "__init__.py":
        package = package[:-1]
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            start = ".".join([*base, *([node.module] if node.module else [])])
            for alias in node.names:
                whole = f"{start}.{alias.name}"
                is_module = (ROOT.parent / whole.replace(".", "/")).with_suffix(".py").exists()
                is_package = (ROOT.parent / whole.replace(".", "/") / "__init__.py").exists()
                yield node.lineno, whole if is_module or is_package else start


def cython_imports(path: Path):
    """(indentation, module) for every import and cimport of a Cython file, comments and strings aside."""
    text = re.sub(r'""".*?"""', "", path.read_text(), flags=re.DOTALL)
    for indentation, module, names, alone in IMPORT.findall(text):
        if module == "zen._core":  # from zen._core import _kernels_base as module
            yield len(indentation), f"zen._core.{names.split()[0].strip(',')}"
        else:
            yield len(indentation), module or alone


def circle(graph: Mapping[str, Iterable[str]]) -> list[str]:
    """The names along a circle of the graph, or an empty list."""
    done: set[str] = set()

    def search(path: list[str]) -> list[str]:
        for target in graph.get(path[-1], ()):
            if target in path:
                return [*path[path.index(target) :], target]
            if target not in done and (found := search([*path, target])):
                return found
        done.add(path[-1])
        return []

    return next((found for name in graph if name not in done and (found := search([name]))), [])


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_point_down(path):
    name = module_name(path)
    own = floor(name)
    assert own is not None, f"{name} has no floor: add it to FLOORS"
    for line, target in imports(path):
        if target.split(".")[0] != "zen":
            continue
        found = floor(target)
        assert found is not None and found <= own, f"{path}:{line}: floor {own} imports {target} (floor {found})"
        if own == 0:
            package = ".".join(name.split(".")[:2])
            known = target.startswith(package) or target == "zen.dtypes"
            assert known, f"{path}:{line}: an engine knows nothing else of zen but dtypes, and uses {target}"


def test_imports_make_no_circle():
    names = {module_name(path) for path in FILES} - {"zen"}  # the top: what it imports never imports it
    graph = {module_name(p): {t for _, t in imports(p) if t in names and t != module_name(p)} for p in FILES}
    assert not circle(graph)


@pytest.mark.parametrize("path", CYTHON, ids=lambda p: p.name)
def test_cython_files_know_numpy_and_c_and_nothing_else_of_zen(path):
    for indentation, target in cython_imports(path):
        allowed = {"numpy", "cython", "cpython", "libc", *sys.stdlib_module_names}
        assert target.startswith("zen._core.") or target.split(".")[0] in allowed, f"{path.name} imports {target}"
        # _dispatch loads one variant alone; the reader of a file finds all else at its top
        assert indentation == 0 or not target.startswith("zen._core.") or path.name == "_dispatch.pyx", (
            f"{path.name} imports {target} inside a function"
        )


def test_imports_of_cython_files_make_no_circle():
    files = {f"zen._core.{path.stem}{path.suffix}": path for path in CYTHON}
    graph: dict[str, set[str]] = {}
    for name, path in files.items():
        targets = graph.setdefault(name, set())
        for _, target in cython_imports(path):
            # a cimport reads the declarations; an import, and a cimport that runs, needs the module itself
            targets |= {f"{target}.{kind}" for kind in ("pxd", "pyx") if f"{target}.{kind}" in files} - {name}
        if name.endswith(".pxd"):  # declarations need other declarations alone
            graph[name] = {t for t in targets if t.endswith(".pxd")}
    for name in [n for n in files if n.endswith(".pxi")]:  # textually part of their parents
        parents = [p for p, path in files.items() if f'include "{files[name].name}"' in path.read_text()]
        for parent in parents:
            graph[parent] |= graph[name] - {parent}
    assert len(graph["zen._core._engine.pyx"]) > 5
    assert not circle(graph)


def test_only_numpy_and_the_standard_library_are_imported():
    allowed = {"zen", "numpy", *sys.stdlib_module_names}
    for path in FILES:
        package = ".".join(module_name(path).split(".")[:2])
        for line, target in imports(path):
            extra = OPTIONAL.get(package, set())
            assert target.split(".")[0] in allowed | extra, f"{path}:{line} imports {target}"


def test_the_walk_sees_imports_that_point_up(tmp_path, monkeypatch):
    monkeypatch.setitem(globals(), "ROOT", tmp_path / "zen")
    package = tmp_path / "zen" / "ops"
    package.mkdir(parents=True)
    (tmp_path / "zen" / "attached.py").touch()
    bad = package / "bad.py"
    bad.write_text("from ..attached import x\ndef f():\n    from .. import attached\n    import zen.transforms\n")
    found = [target for _, target in imports(bad)]
    assert found == ["zen.attached", "zen.attached", "zen.transforms"]
    assert all(floor(target) > floor("zen.ops.bad") for target in found)


def test_the_walk_sees_circles_and_what_cython_imports(tmp_path):
    assert circle({"a": ["b"], "b": ["c"], "c": ["b"]}) == ["b", "c", "b"]
    assert circle({"a": ["b", "c"], "b": ["c"]}) == []
    file = tmp_path / "_bad.pyx"
    file.write_text('"""from x import y"""\nfrom zen.ops cimport (\n  a)\ndef f():\n    from zen._core import _b as c')
    assert list(cython_imports(file)) == [(0, "zen.ops"), (4, "zen._core._b")]


def test_import_is_light():
    """Nothing that costs milliseconds is loaded, beyond what NumPy itself loads."""
    code = (
        "import sys, numpy; before = set(sys.modules); import zen;"
        "print(sorted(m for m in set(sys.modules) - before if m.split('.')[0] != 'zen'))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT.parent)
    loaded = set(ast.literal_eval(found.stdout))
    light = {"__future__", "_bisect", "_heapq", "bisect", "copy", "cython_runtime", "heapq", "threading"}
    assert {m for m in loaded if not m.startswith("_cython")} <= light
