"""What stands in pyproject.toml, and what `import zen` brings in."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import zen
from zen.extras import EXTRAS, missing

ROOT = Path(__file__).parents[1]


def environment(backend):
    return {**os.environ, "ZEN_BACKEND": backend}


@pytest.fixture(scope="module")
def tables():
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def test_numpy_is_the_only_requirement(tables):
    assert tables["project"]["dependencies"] == ["numpy>=2"]


def test_the_version_stands_in_one_place(tables):
    assert re.fullmatch(r"\d+\.\d+\.\d+(\.dev\d+)?", zen.__version__)
    assert "version" in tables["project"]["dynamic"] and "version" not in tables["project"]
    assert tables["tool"]["setuptools"]["dynamic"]["version"] == {"attr": "zen.__version__"}


def test_the_changelog_tells_of_this_version():
    assert f"## {zen.__version__}" in (ROOT / "CHANGELOG.md").read_text()


def test_every_extra_is_complete_in_itself(tables):
    """The Makefile hands these lists to pip as they are; a list that named zen itself would ask a registry for it."""
    for requirements in tables["project"]["optional-dependencies"].values():
        assert not [r for r in requirements if r.startswith("zen")]


def test_import_brings_in_numpy_alone():
    probe = (
        "import sys; before = set(sys.modules); import zen; "
        "new = {name.partition('.')[0] for name in set(sys.modules) - before}; "
        "print(*sorted(new - set(sys.stdlib_module_names)))"
    )
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True, cwd=ROOT)
    foreign = [name for name in done.stdout.split() if not re.match(r"_?cython_", name)]  # the runtime of Cython
    assert foreign == ["numpy", "zen"]


def test_a_compiled_engine_that_is_missing_is_an_error_with_the_remedy():
    """Never a silent change of engine."""
    program = (
        "import sys; sys.modules['zen._core'] = None\n"
        "try:\n    import zen\nexcept ImportError as error:\n    print(error)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        env=environment("compiled"),
    )
    assert "pip install" in done.stdout and "ZEN_BACKEND=reference" in done.stdout


def test_an_unknown_engine_is_an_error():
    done = subprocess.run(
        [sys.executable, "-c", "import zen"], capture_output=True, text=True, cwd=ROOT, env=environment("fastest")
    )
    assert done.returncode == 1 and "'fastest'" in done.stderr


def test_the_error_for_a_missing_library_names_what_its_extra_holds(tables):
    extras = tables["project"]["optional-dependencies"]
    for extra, libraries in EXTRAS.items():
        assert [re.match(r"[\w-]+", requirement)[0] for requirement in extras[extra]] == libraries.split()
        error = missing(ModuleNotFoundError(), "fit", "this", extra)
        assert f"fit needs this: pip install {libraries} (" in str(error) and f"pip install '.[{extra}]'" in str(error)


def test_a_library_that_does_not_load_is_not_called_missing():
    error = missing(ImportError("upgrade numpy"), "read_csv", "pandas", "data")
    assert "installed but does not load: upgrade numpy" in str(error) and "pip" not in str(error)


def test_nothing_advises_an_install_of_zen_from_an_index():
    for folder in ("zen", "benchmarks", "examples"):
        for path in (ROOT / folder).rglob("*.p[yx]*"):
            assert not re.search(r"pip install '?zen-autograd", path.read_text("utf-8", "ignore")), path
    assert "pip install 'zen" not in (ROOT / "README.md").read_text()


def test_links_of_the_readme_work_wherever_it_is_shown(tables):
    """An index shows README.md without the files beside it."""
    base = tables["project"]["urls"]["Homepage"] + "/blob/main/"
    text = (ROOT / "README.md").read_text()
    defined = dict(re.findall(r"^\[([^]]+)\]: (\S+)$", text, re.MULTILINE))
    assert len(defined) > 12 and not re.findall(r"\]\((?!https://)", text)
    for name, link in defined.items():
        assert link.startswith(base) and (ROOT / link.removeprefix(base)).exists(), link
        assert text.count(f"[{name}]") >= 2, name


def test_the_readme_says_what_the_classifiers_say(tables):
    classifiers = tables["project"]["classifiers"]
    versions = [c.split(" :: ")[-1] for c in classifiers if c.startswith("Programming Language :: Python :: 3.")]
    first, *_, last = versions
    assert tables["project"]["requires-python"] == f">={first}"
    assert f"CPython {', '.join(versions[:-1])} and {last}" in (ROOT / "README.md").read_text()
