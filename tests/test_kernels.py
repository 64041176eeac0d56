"""The kernels that rows and optimisers call by name: the same modules, functions and arguments on both engines."""

import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import zen
from zen import backend
from zen._reference import kernels as plain

MODULES = sorted(path.stem for path in Path(plain.__file__).parent.glob("[a-z]*.py"))


@pytest.mark.parametrize("name", MODULES)
def test_the_engine_has_every_kernel(name):
    module, twin = getattr(backend.kernels, name), getattr(plain, name)
    public = [
        v for k, v in vars(twin).items() if inspect.isfunction(v) and v.__module__ == twin.__name__ and k[0] != "_"
    ]
    assert public
    for expected in public:
        found = inspect.signature(getattr(module, expected.__name__))
        assert [*found.parameters] == [*inspect.signature(expected).parameters], expected.__name__


def test_an_unknown_module_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no module of kernels is named 'nosuch'"):
        backend.kernels.nosuch  # noqa: B018
    assert not hasattr(backend.kernels, "__wrapped__")


def test_kernels_of_layers_are_imported_when_they_are_called():
    code = (
        "import sys, numpy as np, zen\n"
        "loaded = lambda: [name for name in sys.modules if name.endswith(('.conv', '._conv'))]\n"
        "before = loaded()\n"
        "zen.f.conv2d(np.ones((1, 1, 3, 3)), np.ones((1, 1, 2, 2)))\n"
        "print(before, len(loaded()) > 0)"
    )
    root = str(Path(zen.__file__).parents[1])
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True)
    assert done.stdout.split() == ["[]", "True"], done.stderr
