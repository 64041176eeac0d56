"""Programs written for gradflow run under its name, and reach what right gradients reach."""

import runpy
import sys
from pathlib import Path

import numpy as np
import pytest

import zen.compat.gradflow as gradflow

PROGRAM = Path(__file__).parent / "programs_gradflow" / "regression.py"


@pytest.fixture
def program(monkeypatch):
    for name, module in list(sys.modules.items()):
        if name.startswith("zen.compat.gradflow"):
            monkeypatch.setitem(sys.modules, name.removeprefix("zen.compat."), module)
    np.random.seed(0)
    return runpy.run_path(str(PROGRAM))


def regression_data():
    """What scikit-learn's make_regression(100, 1, n_informative=1, noise=10, random_state=0) draws.

    tests/peers/test_sklearn.py compares it with the original.
    """
    draw = np.random.RandomState(0)
    X = draw.standard_normal((100, 1))
    y = X[:, 0] * (100 * draw.uniform(size=1)) + draw.normal(scale=10, size=(100, 1))[:, 0]
    order = np.arange(100)
    draw.shuffle(order)
    return X[order], y[order]


def steps_by_hand(X, y, epochs):
    """The losses of the linear program, with the derivatives written out."""
    np.random.seed(0)
    w, b = np.random.uniform(size=1)[0], np.random.uniform(size=1)[0]
    losses = []
    for _ in range(epochs):
        total = 0.0
        for x, target in zip(X[:, 0], y, strict=True):
            error = w * x + b - target
            total += error**2
            w, b = w - 0.001 * np.clip(2 * error * x, -1000, 1000), b - 0.001 * np.clip(2 * error, -1000, 1000)
        losses.append(total / len(y))
    return losses


def test_every_submodule_is_there_under_its_own_name():
    names = (
        "utils", "grad_engine", "data_containers", "layers.module", "layers.linear", "activations.common",
        "optimizers.optimizers", "data.dataset",
    )  # fmt: skip
    for name in names:
        assert f"zen.compat.gradflow.{name}" in sys.modules
    assert gradflow.__version__ == "1.0.0" and gradflow.grad_enabled() and gradflow.Variable and gradflow.init_logger


def test_linear_regression(program):
    X, y = regression_data()
    losses, _, curve = program["train"](program["Line"](), X, y, epochs=20)
    best = np.linalg.lstsq(np.c_[X, np.ones(100)], y, rcond=None)[1][0] / 100
    assert np.allclose(losses, steps_by_hand(X, y, 20), rtol=1e-10)
    assert round(best, 1) == 114.2
    assert best < losses[-1] < 115.5
    assert curve.shape == (100, 1)


def test_regression_of_the_square(program):
    X, y = regression_data()
    np.random.seed(10)
    losses, places, curve = program["train"](program["Network"](), X, y**2, epochs=100)
    assert min(losses) < 1.1e6  # the original stays at 2.1e6
    curve = np.asarray(curve)[:, 0]  # as plotting does
    middle = np.abs(places[:, 0]) < 0.5
    assert curve[middle].max() < 0.3 * curve[~middle].max()  # it has the shape of a square
