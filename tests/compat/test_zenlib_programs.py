"""Programs written for the original library, run unchanged on zen.compat.zenlib under the original's module names."""

import runpy
import sys
from pathlib import Path

import numpy as np
import pytest

from zen.compat import zenlib

PROGRAMS = Path(__file__).parent / "programs"


@pytest.fixture
def run(monkeypatch, capsys):
    for name in ("autodiff", "loss", "nn", "optim"):
        monkeypatch.setitem(sys.modules, name, getattr(zenlib, name))

    def run(program):
        np.random.seed(345)  # as the original does when nn is imported
        found = runpy.run_path(str(PROGRAMS / f"{program}.py"))
        return found, capsys.readouterr()

    return run


def losses(printed):
    return [float(line.split()[1]) for line in printed.out.splitlines() if line.startswith("LOSS")]


def test_digits(run):
    found, printed = run("digits")
    assert found["accuracy"] >= 0.96
    assert len(losses(printed)) == 15
    assert printed.out.startswith("**\n \nEPOCH 1\nLOSS ")
    assert "100%" in printed.err and "4/4" in printed.err  # tqdm's bar


def test_recurrent(run):
    found, printed = run("recurrent")
    assert losses(printed)[-1] < 0.011
    expected = [y for (y,) in found["y"]]
    assert np.max(np.abs(np.subtract(found["preds"], expected))) < 0.2


def test_fizzbuzz(run):
    found, printed = run("fizzbuzz")
    assert found["accuracy"] >= 0.81
    assert losses(printed)[-1] < 0.0621  # what the original ends with


def test_convolution(run):
    found, printed = run("convolution")
    # By hand: 8 * 3 + 9 * 9 + 4 * 2 + 4 * 8 = 145, and so on; the gradient of a corner sees one weight, the middle all.
    assert found["c"].value.tolist() == [[145.0, 108.0], [108.0, 121.0]]
    assert found["a"].gradient.tolist() == [[8.0, 17.0, 9.0], [12.0, 25.0, 13.0], [4.0, 8.0, 4.0]]
    assert printed.out.startswith("Tensor ([[145. 108.]")


def test_star_import_gives_the_originals_names_and_no_others():
    assert set(zenlib.autodiff.__all__) == {
        "Tensor", "conv2d", "flatten", "log", "np", "reduce_mean", "reduce_sum", "reshape", "stack",
    }  # fmt: skip
