"""docs/coverage.md says what zen makes of every public function, and of no other."""

import importlib.util
import re
from pathlib import Path

import numpy as np
import pytest

from zen.attached.undifferentiated import REASONS
from zen.ops import late, register

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def writer():
    spec = importlib.util.spec_from_file_location("coverage_page", ROOT / ".ci" / "coverage_page.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def written(writer):
    """The page that would be written."""
    return writer.page()


def kinds_of(text):
    """{(section, name): kind} of a page."""
    found = {}
    for section in text.split("\n## ")[1:]:
        title, _, body = section.partition("\n")
        for kind, names in re.findall(r"\*\*([^*]+)\*\* \(\d+\):\n\n(.+?)(?=\n\n|\Z)", body, re.DOTALL):
            found |= {(title, name): kind for name in re.findall(r"`([^`]+)`", names)}
    return found


def test_the_page_is_what_make_stubs_writes(writer, written):
    """To the letter with the NumPy that it was written with; with another, for all functions that both have."""
    text = writer.PAGE.read_text()
    version = re.search(r"NumPy (\d+\.\d+)", text)[1]
    if np.__version__.startswith(f"{version}."):
        assert text == written, "docs/coverage.md is out of date: run `make stubs` and commit it"
    kept, now = [
        {key: kind for key, kind in kinds_of(page).items() if key[0].startswith("numpy")} for page in (text, written)
    ]
    missing = now.keys() - kept.keys() if np.lib.NumpyVersion(np.__version__) >= f"{version}.0" else set()
    assert not {key for key in missing if now[key] != writer.TYPES}, "run `make stubs` and commit docs/coverage.md"
    assert {key: kept[key] for key in now.keys() & kept.keys()} == {key: now[key] for key in now.keys() & kept.keys()}


def test_every_public_callable_of_the_installed_numpy_is_on_a_list(writer):
    kinds = {(place, name): kind for place, name, kind in writer.numpy_kinds()}
    assert len(kinds) > 500 and set(kinds.values()) <= set(writer.MEANINGS)
    for place, name, kind in (
        ("numpy", "tanh", writer.DIFFERENTIABLE), ("numpy", "sign", writer.CONSTANT),
        ("numpy", "argsort", writer.EXACT),
        ("numpy", "save", writer.REFUSED), ("numpy", "zeros", writer.MAKES), ("numpy", "float32", writer.TYPES),
        ("numpy", "seterr", writer.OTHER), ("numpy", "bincount", writer.DIFFERENTIABLE),
        ("numpy", "putmask", writer.DIFFERENTIABLE), ("numpy.linalg", "inv", writer.DIFFERENTIABLE),
    ):  # fmt: skip
        assert kinds[place, name] == kind


def test_a_new_callable_is_an_error(writer, monkeypatch):
    monkeypatch.setattr(np, "brand_new", lambda x: x, raising=False)
    monkeypatch.setattr(np, "__all__", [*np.__all__, "brand_new"])
    with pytest.raises(KeyError, match="numpy.brand_new is on no list: add it to TABLES in .ci/coverage_page.py"):
        list(writer.numpy_kinds())


def test_a_function_that_zen_lacks_runs_without_gradients(writer, monkeypatch):
    late.load_all()
    monkeypatch.delitem(register.NUMPY_FUNCTIONS, np.trace)
    monkeypatch.setattr(register, "_keys", dict)
    assert writer.kind_of("numpy", "trace") == writer.WITHOUT


def test_reasons_are_for_functions_without_derivatives():
    for name in REASONS:
        function = getattr(np, name)
        assert register.answering(function) is None


def test_names_of_scipy_are_all_there():
    special = pytest.importorskip("scipy.special")
    names = set((ROOT / "tests" / "scipy_special.txt").read_text().split())
    answered = {key.rpartition(".")[2] for key in register.ANSWERS.names() if key.startswith("scipy.special.")}
    assert {name for name in answered if name in special.__all__} <= names
