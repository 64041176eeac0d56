"""Imports point only to a lower floor, or stay on their own. The floors are listed in ARCHITECTURE and below."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import zen

ROOT = Path(zen.__file__).parent
FLOORS = {
    "zen._core": 0, "zen._reference": 0, "zen.writes": 0,
    "zen.exports": 0, "zen.extras": 0,
    "zen.backend": 1, "zen.files": 1, "zen.safetensors": 1,
    "zen.ops": 2, "zen.typing": 2,
    "zen.conversion": 3, "zen.tensor": 3, "zen.creation": 3, "zen.dispatch": 3, "zen.inplace": 3, "zen.f": 3,
    "zen.undifferentiated": 3, "zen.habits": 3, "zen.attention": 3, "zen.linalg": 3, "zen.random": 3,
    "zen.dropout": 3,
    "zen.transforms": 4, "zen.modes": 4, "zen.visualize": 4, "zen.testing": 4, "zen.serialize": 4, "zen.graph": 4,
    "zen.program": 4, "zen.trees": 4,
    "zen.nn": 5, "zen.optim": 5, "zen.data": 5,
    "zen.training": 6, "zen.sklearn": 6, "zen.compat": 6,
    "zen": 7,
}  # fmt: skip
OPTIONAL = {
    "zen.compat": {"tqdm"}, "zen.data": {"pandas", "pyarrow"}, "zen.serialize": {"safetensors"},
    "zen.sklearn": {"sklearn"}, "zen.testing": {"pytest"}, "zen.training": {"matplotlib", "tqdm"},
    "zen.visualize": {"matplotlib", "pygraphviz"},
}  # fmt: skip
FILES = sorted(p for p in ROOT.rglob("*.py") if "_core" not in p.parts or p.name == "__init__.py")


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
        if own == 0 and name != "zen.writes":
            package = ".".join(name.split(".")[:2])
            assert target.startswith(package), f"{path}:{line}: an engine knows nothing else of zen, but uses {target}"


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
    (tmp_path / "zen" / "tensor.py").touch()
    bad = package / "bad.py"
    bad.write_text("from ..tensor import x\ndef f():\n    from .. import tensor\n    import zen.transforms\n")
    found = [target for _, target in imports(bad)]
    assert found == ["zen.tensor", "zen.tensor", "zen.transforms"]
    assert all(floor(target) > floor("zen.ops.bad") for target in found)


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
