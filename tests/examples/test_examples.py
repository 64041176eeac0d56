"""Every example, in its short form: it runs without a warning, says what it found, and leaves its picture."""

import functools
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "examples"

# What each prints: a pattern of one number, and the range that the number must be in.
SAID = {
    "character_transformer": (r"cross entropy of a character: [\d.]+ -> ([\d.]+)", 1.0, 3.6),
    "digits": (r"test accuracy (\d\.\d+)", 0.85, 1.0),
    "digits_convnet": (r"test accuracy (\d\.\d+)", 0.6, 1.0),
    "equaliser": (r"as received -> (\d\.\d+) filtered", 0.0, 0.02),
    "explicit_graph": (r"y = (-\d\.\d+) x \+", -1.2, -0.8),
    "fizzbuzz": (r"accuracy (\d\.\d+)", 0.4, 1.0),
    "gaussian_process": (r"log marginal likelihood -[\d.]+ -> -([\d.]+)", 100, 160),
    "hamiltonian_monte_carlo": (r"differ from the exact posterior by at most (\d\.\d+)", 0.0, 0.4),
    "logistic_regression": (r"difference from scikit-learn's coefficients: ([\d.e+-]+)", 0.0, 1e-4),
    "nonlinear_fit": (r"standard errors differ from the certified ones by at most ([\d.e+-]+)", 0.0, 1e-5),
    "ode_fit": (r"most hares in (1902\.\d+) \+- 0\.\d+", 1902.2, 1902.8),
    "predator_prey": (r"deviation (\d\.\d+)", 0.2, 0.3),
    "random_intercepts": (r"differs from lme4's estimates by at most ([\d.e+-]+)", 0.0, 1e-3),
    "recurrent": (r"error: ([\d.e+-]+) in training", 0.0, 0.1),
    "regression": (r"line: mean squared error ([\d.]+)", 114.1, 118.0),
    "variational_autoencoder": (r"image: [\d.]+ -> ([\d.]+) nats", 20.0, 42.0),
}


def run(name, out, *options):
    command = [sys.executable, "-W", "error", str(FOLDER / f"{name}.py"), "--quick", "--out", str(out), *options]
    environment = {**os.environ, "PYTHONPATH": str(FOLDER.parent)}
    return subprocess.run(command, capture_output=True, text=True, env=environment)


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """The folder and the end of an example, which runs when it is first asked for."""

    @functools.cache
    def of(name):
        out = tmp_path_factory.mktemp(name)
        return out, run(name, out)

    return of


@pytest.mark.parametrize("name", SAID)
def test_runs_and_finds_what_it_should(name, ran, engine):
    out, done = ran(name)
    assert done.returncode == 0, done.stderr
    pattern, low, high = SAID[name]
    found = re.search(pattern, done.stdout)
    assert found, done.stdout
    assert low <= float(found.group(1)) <= high
    assert (out / f"{name}.png").read_bytes().startswith(b"\x89PNG")
    assert re.search(rf"took \d+\.\d\d s on the {engine} engine", done.stdout)
    assert ("times slower" in done.stdout) == (engine == "reference")


def test_every_example_is_listed_here_and_in_the_readme():
    programs = {path.stem for path in FOLDER.glob("*.py")} - {"program"}
    assert programs == set(SAID)
    text = (FOLDER.parent / "README.md").read_text()
    assert [name for name in sorted(programs) if f"examples/{name}.py" not in text] == []


def test_the_seed_decides_everything(ran, tmp_path):
    (first, once), again = ran("digits"), run("digits", tmp_path)
    accuracies = {re.search(r"test accuracy \S+", done.stdout).group() for done in (once, again)}
    assert len(accuracies) == 1
    assert (tmp_path / "digits.png").read_bytes() == (first / "digits.png").read_bytes()


def test_the_demo_draws_its_graph(ran):
    out, done = ran("digits")
    assert done.returncode == 0
    assert "cross_entropy" in (out / "digits_graph.svg").read_text()
