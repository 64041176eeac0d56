"""Sparse Hessians and Jacobians, beside CasADi and dense ones: `OPENBLAS_NUM_THREADS=1 python -m benchmarks.sparse`.

Each case is one function, written for zen in plain NumPy and for CasADi in its own symbols; the matrices are compared
before anything is timed. What is found once is timed apart from an evaluation: zen's pattern and colours, for which it
runs the function once, and CasADi's graphs, pattern and colours. Dense Hessians of 1000 variables by zen, PyTorch and
JAX (jitted, compiled before) stand below, with what a gradient takes. A library that is not installed is a missing
column. ZEN_BACKEND picks the engine.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from importlib import import_module
from statistics import median
from typing import Any, NamedTuple

import numpy as np

import zen

from . import report
from .rounds import pin

N, ROUNDS = 10_000, 30
GOALS = {"pattern and colours": 50.0, "evaluation": 3.0}
"""Milliseconds that the Hessian of the Rosenbrock function may take."""


class Case(NamedTuple):
    name: str
    function: Callable[[Any, Any], Any]
    """Of a vector and a namespace: NumPy, or what stands for it in CasADi."""
    size: int
    is_hessian: bool = True


def rosenbrock(x: Any, f: Any) -> Any:
    return f.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def grid(x: Any, f: Any) -> Any:
    """The energy of a sheet of 100 by 100 points."""
    u = f.reshape(x, (100, 100))
    return f.sum((u[1:, :] - u[:-1, :]) ** 4) + f.sum((u[:, 1:] - u[:, :-1]) ** 4) + f.sum(f.exp(u))


def arrow(x: Any, f: Any) -> Any:
    return f.sum(x**2 * x[0]) + f.sum(f.sin(x))


def stencil(x: Any, f: Any) -> Any:
    return x[2:] - 2 * x[1:-1] + x[:-2] + 0.1 * x[1:-1] ** 3


CASES = [
    Case("Hessian, Rosenbrock, 10,000", rosenbrock, N),
    Case("Hessian, grid, 10,000", grid, N),
    Case("Hessian, arrow, 10,000", arrow, N),
    Case("Jacobian, stencil, 10,000", stencil, N, False),
    Case("Jacobian, stencil, 100,000", stencil, 10 * N, False),
]


def library(name: str) -> Any:
    """The module, or None where it is not installed."""
    try:
        return import_module(name)
    except ImportError:
        return None


class Casadi:
    """CasADi's names for what the cases call."""

    def __init__(self) -> None:
        self.ca: Any = import_module("casadi")
        self.exp, self.sin = self.ca.exp, self.ca.sin

    def sum(self, x: Any) -> Any:
        return self.ca.sum1(self.ca.sum2(x))

    def reshape(self, x: Any, shape: tuple[int, int]) -> Any:
        return self.ca.reshape(x, *shape)

    def built(self, case: Case) -> Any:
        x = self.ca.MX.sym("x", case.size)
        y = case.function(x, self)
        made = self.ca.hessian(y, x)[0] if case.is_hessian else self.ca.jacobian(y, x)
        return self.ca.Function("f", [x], [made])


def milliseconds(function: Callable[[], Any], rounds: int = ROUNDS) -> float:
    """Of processor time: the median."""
    found = []
    function()
    for _ in range(rounds):
        start = time.process_time()
        function()
        found.append(time.process_time() - start)
    return median(found) * 1e3


def measured(case: Case, casadi: Casadi | None) -> list[str]:
    x = np.linspace(0.1, 1.0, case.size)
    transform: Any = zen.sparse_hessian if case.is_hessian else zen.sparse_jacobian

    def f(x: Any) -> Any:
        return case.function(x, np)

    coloring = transform(f).coloring(x)
    evaluated = transform(f, coloring=coloring)
    figures = [milliseconds(lambda: transform(f).coloring(x)), milliseconds(lambda: evaluated(x))]
    if casadi is not None:
        made = casadi.built(case)
        difference = abs(made(x).sparse() - evaluated(x)).max()
        if not difference < 1e-8 * abs(evaluated(x)).max():
            raise SystemExit(f"{case.name}: CasADi's matrix differs by {difference}")
        figures += [milliseconds(lambda: casadi.built(case), 5), milliseconds(lambda: made(x))]
    count = f"{coloring.count} ({coloring.scheme})"
    return [case.name, count, str(coloring.sparsity.nnz), *map(report.number, figures)]


def dense(n: int) -> list[list[str]]:
    """The Hessian of the Rosenbrock function as a full matrix, and what else there is to compare."""
    x = np.linspace(0.1, 1.0, n)

    def f(x: Any) -> Any:
        return rosenbrock(x, np)

    sparse = zen.sparse_hessian(f, coloring=zen.sparse_hessian(f).coloring(x))
    rows = [
        ["zen.grad", report.number(milliseconds(lambda: zen.grad(f)(x)))],
        ["zen.sparse_hessian, pattern found each time", report.number(milliseconds(lambda: zen.sparse_hessian(f)(x)))],
        ["zen.sparse_hessian, pattern and colours given", report.number(milliseconds(lambda: sparse(x)))],
        ["zen.hessian", report.number(milliseconds(lambda: zen.hessian(f)(x), 5))],
    ]
    torch, jax = library("torch"), library("jax")
    if torch is not None:
        torch.set_num_threads(1)
        t, of = torch.tensor(x), torch.func.hessian(lambda x: rosenbrock(x, torch))
        rows.append(["torch.func.hessian", report.number(milliseconds(lambda: of(t), 5))])
    if jax is not None:
        jax.config.update("jax_enable_x64", True)
        made, a = jax.jit(jax.hessian(lambda x: rosenbrock(x, jax.numpy))), jax.numpy.asarray(x)
        rows.append(["jax.hessian, jitted", report.number(milliseconds(lambda: made(a).block_until_ready(), 5))])
    return rows


def main() -> None:
    pin()
    casadi = Casadi() if library("casadi") is not None else None
    head = ["", "colours", "entries", "pattern and colours", "evaluation"]
    head += ["CasADi: built", "CasADi: evaluation"] if casadi is not None else []
    rows = [measured(case, casadi) for case in CASES]
    goals = ["goal, Rosenbrock", "4", "", *[report.number(goal) for goal in GOALS.values()]]
    table = report.markdown(head, [*rows, goals + [""] * (len(head) - len(goals))])
    about = f"Milliseconds of processor time on one core, medians of {ROUNDS} calls (of 5 for what is built or dense)."
    below = report.markdown(["Rosenbrock, 1000 variables", "ms"], dense(1000))
    if zen.backend.NAME != "compiled":
        print(table, below, sep="\n\n")
        return
    versions = [
        f"{name} {library(name).__version__}" for name in ("casadi", "torch", "jax") if library(name) is not None
    ]
    report.write("sparse", "Sparse derivatives", [about, table, below, "Beside: " + ", ".join(versions) + "."])


if __name__ == "__main__":
    main()
