"""Fits by `zen.optimize` beside SciPy with a gradient written by hand: `python -m benchmarks.optimize`.

A logistic regression of 20 parameters with a ridge, by L-BFGS, the data NumPy arrays or Tensors; Rosenbrock's function;
a nonlinear fit by least squares. Each form runs in turn in one process on one core, in an order that rotates; times are
of the processor, which other programs on the machine disturb less. Both find the same minimum in as many evaluations,
which is checked first. The goal of the regression is 1.2 times SciPy's time.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from statistics import median
from time import process_time
from typing import Any, NamedTuple

if "numpy" not in sys.modules:  # SciPy has a BLAS of its own, which no limit set later reaches
    for _pool in ("OPENBLAS", "MKL", "OMP"):
        os.environ.setdefault(f"{_pool}_NUM_THREADS", "1")

import numpy
import scipy
import scipy.optimize

import zen

from . import report
from .rounds import pin

ROWS = (100, 569, 2000, 10_000)
GOAL = 1.2


class Race(NamedTuple):
    """One problem: by SciPy with derivatives by hand, and by zen in several forms."""

    name: str
    by_hand: Callable[[], Any]
    forms: dict[str, Callable[[], Any]]


def regression(rows: int) -> Race:
    rng = numpy.random.default_rng(0)
    x = rng.standard_normal((rows, 20))
    y = (rng.random(rows) < 1 / (1 + numpy.exp(-x @ rng.standard_normal(20)))).astype(float)
    start = numpy.zeros(20)

    def loss(w: Any, x: Any, y: Any) -> Any:
        z = x @ w
        return numpy.logaddexp(0, z).sum() - y @ z + 0.5 * (w @ w)

    def both(w: Any) -> tuple[Any, Any]:
        z = x @ w
        p = 1 / (1 + numpy.exp(-z))
        return numpy.logaddexp(0, z).sum() - y @ z + 0.5 * (w @ w), x.T @ (p - y) + w

    tensors = zen.tensor(x), zen.tensor(y)
    return Race(
        f"logistic regression, {rows} rows",
        lambda: scipy.optimize.minimize(both, start, jac=True, method="L-BFGS-B"),
        {
            "arrays": lambda: zen.optimize.minimize(loss, start, (x, y), method="L-BFGS-B"),
            "Tensors": lambda: zen.optimize.minimize(loss, start, tensors, method="L-BFGS-B"),
        },
    )


def rosenbrock() -> Race:
    start = numpy.full(10, 0.7)

    def value(x: Any) -> Any:
        return (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()

    return Race(
        "Rosenbrock, 10 variables",
        lambda: scipy.optimize.minimize(
            scipy.optimize.rosen, start, jac=scipy.optimize.rosen_der, method="L-BFGS-B"
        ),
        {"arrays": lambda: zen.optimize.minimize(value, start, method="L-BFGS-B")},
    )  # fmt: skip


def fit() -> Race:
    x = numpy.linspace(0, 4, 200)
    y = 2.5 * numpy.exp(-1.3 * x) + 0.5 + 0.05 * numpy.sin(37 * x)
    start = numpy.array([1.0, 1.0, 0.0])

    def residuals(p: Any) -> Any:
        return p[0] * numpy.exp(-p[1] * x) + p[2] - y

    def slope(p: Any) -> Any:
        e = numpy.exp(-p[1] * x)
        return numpy.stack([e, -p[0] * x * e, numpy.ones_like(x)], 1)

    return Race(
        "nonlinear fit, 200 points",
        lambda: scipy.optimize.least_squares(residuals, start, jac=slope),
        {"arrays": lambda: zen.optimize.least_squares(residuals, start)},
    )


def measure(race: Race, rounds: int, seconds: float) -> dict[str, list[float]]:
    """Microseconds of every round, by form; "by hand" is SciPy's."""
    forms = {"by hand": race.by_hand, **race.forms}
    expected = race.by_hand()
    for name, run in forms.items():
        found = run()
        if abs(found.nfev - expected.nfev) > 1 or not numpy.allclose(found.x, expected.x, rtol=1e-4, atol=1e-6):
            raise AssertionError(f"{race.name}: {name} found {found.x} in {found.nfev} evaluations, not {expected.x}")
    started = process_time()
    race.by_hand()
    count = max(1, int(seconds / max(process_time() - started, 1e-5)))
    times: dict[str, list[float]] = {name: [] for name in forms}
    order = list(forms)
    for turn in range(rounds):
        start = turn % len(order)
        for name in order[start:] + order[:start]:
            run = forms[name]
            began = process_time()
            for _ in range(count):
                run()
            times[name].append((process_time() - began) / count * 1e6)
    return times


def main() -> None:
    parser = argparse.ArgumentParser(description="Fits by zen.optimize beside SciPy with derivatives by hand.")
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--seconds", type=float, default=0.02, help="of each form in a round")
    chosen = parser.parse_args()
    pin()
    rows = []
    for race in [*map(regression, ROWS), rosenbrock(), fit()]:
        times = measure(race, chosen.rounds, chosen.seconds)
        by_hand = times["by hand"]
        cells = [race.name, report.number(median(by_hand))]
        for form in ("arrays", "Tensors"):
            if form not in times:
                cells.append("")
                continue
            cells.append(report.number(median([a / b for a, b in zip(times[form], by_hand, strict=True)])))
        rows.append([*cells, str(GOAL) if race.name.startswith("logistic") else ""])
        print(*rows[-1], sep=" | ", flush=True)
    head = ["", "SciPy with derivatives by hand, us", "zen, arrays", "zen, Tensors", "goal"]
    text = (
        "Processor time of a whole run on one core, medians of alternating rounds; the columns of zen are multiples of "
        f"SciPy's.\nSciPy {scipy.__version__}; {zen.backend.NAME} engine."
    )
    report.write("optimize", "Fits by zen.optimize beside SciPy", [text, report.markdown(head, rows)])


if __name__ == "__main__":
    main()
