"""The two engines compute the same values and gradients, program by program."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from programs import PROGRAMS

import zen


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """{engine: {program and number: array}}, each engine in a process of its own."""
    found = {}
    for engine in ("compiled", "reference"):
        path = tmp_path_factory.mktemp("engines") / f"{engine}.npz"
        command = [sys.executable, str(Path(__file__).with_name("programs.py")), str(path)]
        environment = os.environ | {"ZEN_BACKEND": engine, "PYTHONPATH": str(Path(zen.__file__).parents[1])}
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        with np.load(path) as arrays:
            found[engine] = dict(arrays)
    return found


@pytest.mark.parametrize("name", PROGRAMS)
def test_engines_agree(name, results):
    compiled, reference = (
        {key: a for key, a in found.items() if key.rsplit(" ", 1)[0] == name} for found in results.values()
    )
    assert compiled.keys() == reference.keys() and compiled
    for key, expected in reference.items():
        found = compiled[key]
        assert (found.shape, found.dtype) == (expected.shape, expected.dtype)
        tolerance = 1e-12 if found.dtype == np.float64 else 2e-5
        scale = np.max(np.abs(expected), initial=1e-30)
        np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance * scale, err_msg=key)
