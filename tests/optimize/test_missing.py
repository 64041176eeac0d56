"""`zen.optimize` without SciPy or tqdm: it loads, and says what to install when something is called."""

import subprocess
import sys

PROGRAM = """
import sys
sys.modules[{missing!r}] = None
import numpy as np, zen
zen.optimize
assert "scipy.optimize" not in sys.modules
for call in (
    lambda: zen.optimize.minimize(lambda x: x**2, 1.0, progress=True),
    lambda: zen.optimize.least_squares(lambda x: x, 1.0, progress=True),
    lambda: zen.optimize.root(lambda x: x, 1.0, progress=True),
    lambda: zen.optimize.summary(lambda x: x**2, 1.0, kind="nll"),
):
    try:
        call()
    except ImportError as error:
        print(error)
"""


def said(missing):
    program = PROGRAM.format(missing=missing)
    return subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout.splitlines()


def test_scipy_is_imported_on_first_use_and_named_where_it_is_missing():
    lines = said("scipy")
    assert len(lines) == 4
    for name, line in zip(("minimize", "least_squares", "root", "summary"), lines, strict=True):
        assert line.startswith(f"zen.optimize.{name} needs SciPy: pip install scipy tqdm (the extra 'optimize'")


def test_tqdm_is_needed_for_the_bar_alone():
    lines = said("tqdm")
    assert len(lines) == 3
    assert lines[0].startswith("the bar of zen.optimize.minimize needs tqdm: pip install scipy tqdm")
    assert lines[0].endswith("or give progress=False")
