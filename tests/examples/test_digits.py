"""The demo, as `make demo` runs it but for three epochs: it learns, repeats itself and leaves its pictures."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def run(out, *options):
    command = [sys.executable, "-W", "error", str(ROOT / "examples" / "digits.py"), "--out", str(out), *options]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout


@pytest.fixture(scope="module")
def output(tmp_path_factory):
    out = tmp_path_factory.mktemp("out")
    return out, run(out, "--quick")


def accuracy(text):
    return float(re.search(r"test accuracy (\d\.\d+)", text).group(1))


def test_learns_in_three_epochs(output):
    assert accuracy(output[1]) > 0.85  # guessing gives 0.1; all sixty epochs give 0.97 and more


def test_says_what_it_ran_and_how_fast(output):
    assert f"{os.environ.get('ZEN_BACKEND', 'compiled')} engine" in output[1]
    assert re.search(r"\d+ steps per second", output[1])


def test_leaves_three_pictures(output):
    out = output[0]
    assert sorted(p.name for p in out.iterdir()) == ["confusion.png", "graph.svg", "loss.png"]
    assert (out / "loss.png").read_bytes().startswith(b"\x89PNG")
    assert "cross_entropy" in (out / "graph.svg").read_text()


def test_the_seed_decides_everything(output, tmp_path):
    assert accuracy(run(tmp_path, "--quick")) == accuracy(output[1])
    assert (tmp_path / "loss.png").read_bytes() == (output[0] / "loss.png").read_bytes()
