"""What `help`, `dir`, `from zen import *` and completion show: the public names, and nothing else."""

import ast
import builtins
import pydoc
import subprocess
import sys
import typing
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

import zen

ROOT = Path(zen.__file__).parent


def modules(module=zen):
    """The module, and every module that can be reached from it by public names."""
    yield module
    for value in [getattr(module, name) for name in module.__all__]:
        if isinstance(value, ModuleType) and value.__name__.startswith("zen."):
            yield from modules(value)


PUBLIC = sorted({m.__name__: m for m in (*modules(), zen.sklearn)}.items())


def every(function):
    return pytest.mark.parametrize("module", [m for _, m in PUBLIC], ids=[name for name, _ in PUBLIC])(function)


def test_the_walk_finds_what_the_readme_names():
    expected = "nn nn.init optim optim.lr_scheduler data data.transforms f linalg random training visualize compat"
    assert {f"zen.{name}" for name in expected.split()} | {"zen"} <= dict(PUBLIC).keys()


@every
def test_names_are_sorted_unique_and_there(module):
    names = module.__all__
    assert sorted(names) == sorted(set(names))
    assert names == sorted(names) or module.__name__.startswith("zen.compat.")
    assert [n for n in names if n.startswith("_") or not hasattr(module, n)] == []


@every
def test_dir_shows_the_public_names(module):
    if module.__name__.startswith("zen.compat.") and not hasattr(module, "__path__"):
        assert set(module.__all__) <= set(dir(module))  # the modules of older libraries show what those showed
    else:
        assert dir(module) == module.__all__


@every
def test_nothing_leaks_that_a_module_imports_for_itself(module):
    foreign = {id(value) for source in (typing, ast, builtins) for value in vars(source).values()}
    foreign -= {id(v) for v in (None, True, False, Ellipsis)}
    for name in module.__all__:
        value = getattr(module, name)
        if name == "np" and module is zen.compat.zenlib.autodiff:
            continue  # its programs take NumPy from there
        assert name != "annotations" and value is not np, name
        assert not isinstance(value, ModuleType) or value.__name__.startswith("zen."), name
        assert id(value) not in foreign, name
        assert not getattr(value, "__module__", "zen").startswith(("typing", "collections", "numpy.random")), name


@every
def test_every_public_function_and_class_of_its_own_is_listed(module):
    """A name without an underscore that a module of the package defines, and that the package imports as itself."""
    if module.__name__.startswith("zen.compat.") or not hasattr(module, "__path__"):
        return
    tree = ast.parse(Path(module.__file__).read_text())
    imported = {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if alias.name == alias.asname
    }
    assert imported - {"sklearn"} <= set(module.__all__)


def test_help_shows_the_layers_with_what_they_say():
    text = pydoc.plain(pydoc.render_doc(zen.nn))
    assert "class Linear(" in text and zen.nn.Linear.__doc__.splitlines()[0] in text
    assert "class Adam(" in pydoc.plain(pydoc.render_doc(zen.optim))


@pytest.mark.parametrize("package", ["zen", "zen.nn", "zen.optim", "zen.data", "zen.linalg", "zen.f"])
def test_a_star_import_brings_the_public_names(package):
    program = f"from {package} import *\nprint(*sorted(n for n in globals() if not n.startswith('__')))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT.parent, check=True)
    assert done.stdout.split() == dict(PUBLIC)[package].__all__


def test_help_and_star_work_where_scikit_learn_is_missing():
    program = (
        "import sys; sys.modules['sklearn'] = sys.modules['sklearn.base'] = None\n"
        "import pydoc, zen\nfrom zen import *\nprint(pydoc.plain(pydoc.render_doc(zen)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT.parent, check=True)
    assert "value_and_grad(" in done.stdout and "class Tensor(" in done.stdout
