"""The kernels that rows and optimisers call by name: the same modules, functions and arguments on both engines."""

import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import zen
from zen import backend
from zen._reference import kernels as plain
from zen.ops import complex_elementwise, elementwise, register

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


def test_kernels_of_complex_numbers_are_loaded_when_the_first_comes_by(engine):
    code = (
        "import sys, numpy as np, zen\n"
        "loaded = lambda: sum('_kernels_complex_' in name for name in sys.modules)\n"
        "x = zen.tensor([1.0, 2.0], requires_grad=True)\n"
        "np.exp(x * 2).sum().backward()\n"
        "before = loaded()\n"
        "zen.tensor([1j]) * 2\n"
        "print(before, loaded())"
    )
    root = str(Path(zen.__file__).parents[1])
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True)
    assert done.stdout.split() == ["0", "1" if engine == "compiled" else "0"], done.stderr


def test_formulas_read_the_same_of_real_and_of_complex_operands(engine):
    if engine != "compiled":
        assert backend.NAME == "reference"  # which has no kernels of formulas
        return
    from zen._core import _dispatch

    shared, built = 0, [*elementwise.ROWS, *complex_elementwise.ROWS]
    for name, row in register.DECLARATIONS.items():
        found, other = _dispatch.find(name), _dispatch.find_complex(name)
        if found is not None and other is not None:
            shared += 1
            assert found[0][0] == other[0][0], name
            assert [v[0] for v in found[1]] == [v[0] for v in other[1]], name
            assert (_dispatch.find_tangent(name) or (0, 0))[:2] == other[2][:2], name
        assert (other is not None) == (row in built and row.complex is True), name
    assert shared > 30
