"""Rows of each family of functions, value and gradient, beside other libraries: `python -m benchmarks.families`.

A row is ordinary NumPy code over a namespace `np`; PyTorch's own form stands beside it. The loss is the real part of
the sum of what it returns. zen, HIPS autograd and Advect differentiate the function as it is, JAX compiles it, PyTorch
runs backward. Gradients are compared before anything is timed. Advect needs Python 3.12; `--advect PYTHON` names an
interpreter that has it, where the one that runs has not. A library that is not there has no column.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from importlib import import_module
from statistics import median
from typing import Any, NamedTuple

import numpy

from . import report
from .rounds import ADVECT, AUTOGRAD, COMPILED, JAX, PYTORCH, Engine, Times, installed, measure, pin
from .workloads import Array, Task

SIZES = (10, 100)

Draw = Callable[[numpy.random.Generator, int], Array]


class Row(NamedTuple):
    """One function of one array that has a gradient."""

    name: str
    function: Callable[..., Any]
    torch: Callable[..., Any] | None = None
    """PyTorch's form; None where it is the same."""
    draw: Draw | None = None
    """None: the family's."""


def matrix(rng: numpy.random.Generator, n: int) -> Array:
    return rng.standard_normal((n, n))


def vector(rng: numpy.random.Generator, n: int) -> Array:
    return rng.standard_normal(n * n)


def positive(rng: numpy.random.Generator, n: int) -> Array:
    return rng.uniform(0.2, 2.0, (n, n))


def inside(rng: numpy.random.Generator, n: int) -> Array:
    return rng.uniform(-0.9, 0.9, (n, n))


def with_gaps(rng: numpy.random.Generator, n: int) -> Array:
    found = rng.standard_normal((n, n))
    found[rng.random((n, n)) < 0.1] = numpy.nan
    return found


def complex_matrix(rng: numpy.random.Generator, n: int) -> Array:
    return rng.standard_normal((n, n)) + 1j * rng.standard_normal((n, n))


def regular(rng: numpy.random.Generator, n: int) -> Array:
    return numpy.eye(n) + 0.3 * n**-0.5 * rng.standard_normal((n, n))


def definite(rng: numpy.random.Generator, n: int) -> Array:
    a = rng.standard_normal((n, n))
    return a @ a.T / n + numpy.eye(n) + numpy.diag(numpy.arange(n) / n)


def symmetric(np: Any, x: Any) -> Any:
    return (x + x.T) / 2


FAMILIES: dict[str, tuple[Draw, list[Row]]] = {
    "complex": (complex_matrix, [
        Row("exp", lambda np, z: np.exp(z)), Row("log", lambda np, z: np.log(z)), Row("sqrt", lambda np, z: np.sqrt(z)),
        Row("sin", lambda np, z: np.sin(z)), Row("square", lambda np, z: z * z),
        Row("quotient", lambda np, z: z / (1 + z)),
        Row("abs", lambda np, z: np.abs(z)), Row("conj", lambda np, z: np.conj(z) * z, lambda np, z: z.conj() * z),
        Row("matmul", lambda np, z: z @ z), Row("angle", lambda np, z: np.angle(z)),
    ]),
    "statistics": (matrix, [
        Row("var", lambda np, x: np.var(x, axis=0), lambda np, x: np.var(x, dim=0, correction=0)),
        Row("std", lambda np, x: np.std(x, axis=1), lambda np, x: np.std(x, dim=1, correction=0)),
        Row("median", lambda np, x: np.median(x, axis=0), lambda np, x: np.quantile(x, 0.5, dim=0)),
        Row("quantile", lambda np, x: np.quantile(x, 0.3, axis=0), lambda np, x: np.quantile(x, 0.3, dim=0)),
        Row("nanmean", lambda np, x: np.nanmean(x, axis=0), lambda np, x: np.nanmean(x, dim=0), with_gaps),
        Row("nansum", lambda np, x: np.nansum(x, axis=1), lambda np, x: np.nansum(x, dim=1), with_gaps),
        Row("cov", lambda np, x: np.cov(x)),
        Row("max", lambda np, x: np.max(x, axis=0), lambda np, x: np.amax(x, dim=0)),
        Row("average", lambda np, x: np.average(x, axis=0), lambda np, x: np.mean(x, dim=0)),
        Row("cumprod", lambda np, x: np.cumprod(x, axis=1), lambda np, x: np.cumprod(x, dim=1)),
    ]),
    "linalg": (regular, [
        Row("svd values", lambda np, x: np.linalg.svd(x, compute_uv=False), lambda np, x: np.linalg.svdvals(x)),
        Row("svd", lambda np, x: np.linalg.svd(x, full_matrices=False)[1]),
        Row("eigvalsh", lambda np, x: np.linalg.eigvalsh(symmetric(np, x)), None, definite),
        Row("eigh", lambda np, x: np.linalg.eigh(symmetric(np, x))[0], None, definite),
        Row("qr", lambda np, x: np.linalg.qr(x)[1]), Row("pinv", lambda np, x: np.linalg.pinv(x)),
        Row("inv", lambda np, x: np.linalg.inv(x)), Row("det", lambda np, x: np.linalg.det(x)),
        Row("slogdet", lambda np, x: np.linalg.slogdet(x)[1]),
        Row("cholesky", lambda np, x: np.linalg.cholesky(symmetric(np, x)), None, definite),
    ]),
    "fft": (matrix, [
        *[Row(name, lambda np, x, name=name: getattr(np.fft, name)(x))
          for name in "fft ifft rfft irfft fft2 ifft2 rfft2 fftn ifftn rfftn".split()],
    ]),
    "special": (positive, [
        *[Row(name, lambda np, x, name=name: np.special(name)(x))
          for name in "erf gammaln digamma expit i0e log_ndtr ndtr".split()],
        Row("erfinv", lambda np, x: np.special("erfinv")(x), None, inside),
        Row("logsumexp", lambda np, x: np.special("logsumexp")(x)),
        Row("xlogy", lambda np, x: np.special("xlogy")(x, x)),
    ]),
    "signals": (vector, [
        Row("convolve", lambda np, x: np.convolve(x[:50], np.ones(5)), lambda np, x: np.nn.functional.conv1d(
            x[:50].reshape(1, 1, -1), np.ones(1, 1, 5, dtype=np.float64), padding=4)),
        Row("gradient", lambda np, x: np.gradient(x), lambda np, x: np.gradient(x)[0]),
        Row("diff", lambda np, x: np.diff(x)), Row("trapezoid", lambda np, x: np.trapezoid(x)),
        Row("interp", lambda np, x: np.interp(x, np.linspace(-1, 1, 5), np.linspace(0, 1, 5) ** 2)),
        Row("roll", lambda np, x: np.roll(x, 3)),
        Row("pad", lambda np, x: np.pad(x, 2), lambda np, x: np.nn.functional.pad(x, (2, 2))),
        Row("kron", lambda np, x: np.kron(x[:10], x[:10])), Row("outer", lambda np, x: np.outer(x[:20], x[:20])),
        Row("cumsum", lambda np, x: np.cumsum(x), lambda np, x: np.cumsum(x, dim=0)),
    ]),
}  # fmt: skip
WORKLOADS = [f"family:{family}/{row.name}/{n}" for family, (_, rows) in FAMILIES.items() for row in rows for n in SIZES]


def found(workload: str) -> tuple[Row, Draw, int]:
    family, name, n = workload.removeprefix("family:").split("/")
    draw, rows = FAMILIES[family]
    [row] = [row for row in rows if row.name == name]
    return row, row.draw or draw, int(n)


class Namespace:
    """A library's NumPy, and its special functions by name."""

    def __init__(self, numpy: Any, special: str) -> None:
        self._numpy, self._special = numpy, special

    def __getattr__(self, name: str) -> Any:
        return getattr(self._numpy, name)

    def special(self, name: str) -> Any:
        return getattr(import_module(self._special), name)


class Own(Namespace):
    """NumPy, with zen's own form of a function of SciPy that does not ask Tensors."""

    def special(self, name: str) -> Any:
        return import_module("zen").special.logsumexp if name == "logsumexp" else super().special(name)


def loss(np: Any, row: Row) -> Callable[[Any], Any]:
    def value(x: Any) -> Any:
        return np.real(np.sum(row.function(np, x)))

    return value


def task(library: str, workload: str) -> Task:
    """Value and gradient of one row in one library."""
    row, draw, n = found(workload)
    x = draw(numpy.random.default_rng(0), n)
    if library == "torch":
        return _torch_task(row, x)
    if library == "jax":
        return _jax_task(row, x)
    package: Any = import_module(library)
    if library == "autograd":
        np = Namespace(import_module("autograd.numpy"), "autograd.scipy.special")
    else:
        np = (Own if library == "zen" else Namespace)(numpy, "scipy.special")
    both = package.value_and_grad(loss(np, row))
    gradient = both(x)[1]
    conjugated = library == "autograd"
    return Task(lambda: both(x), lambda: [numpy.asarray(numpy.conj(gradient) if conjugated else gradient)])


def _torch_task(row: Row, x: Array) -> Task:
    torch: Any = import_module("torch")

    class Names:
        def __getattr__(self, name: str) -> Any:
            return getattr(torch, name)

        def special(self, name: str) -> Any:
            if name == "logsumexp":
                return lambda x: torch.logsumexp(x, (0, 1))
            return getattr(torch.special, name)

    np, t = Names(), torch.tensor(x, requires_grad=True)
    function = row.torch or row.function

    def step() -> None:
        t.grad = None
        y = function(np, t).sum()
        (torch.real(y) if y.is_complex() else y).backward()

    step()
    return Task(step, lambda: [t.grad.resolve_conj().numpy()])


def _jax_task(row: Row, x: Array) -> Task:
    jax: Any = import_module("jax")
    jax.config.update("jax_enable_x64", True)
    np = Namespace(jax.numpy, "jax.scipy.special")
    both = jax.jit(jax.value_and_grad(loss(np, row)))
    device = jax.numpy.asarray(x)
    return Task(
        lambda: jax.block_until_ready(both(device)),
        lambda: [numpy.conj(numpy.asarray(both(device)[1])).astype(x.dtype)],
    )


def section(times: Times, family: str, n: int, others: Sequence[Engine]) -> tuple[str, list[str]]:
    """A table of one family, and its medians: how many times faster zen is than each other library."""
    rows, ratios = [], {engine.title: [] for engine in others}
    for row in FAMILIES[family][1]:
        own = times.median(COMPILED.title, f"family:{family}/{row.name}/{n}")
        cells = [report.number(own)]
        for engine in others:
            rounds = times.rounds[engine.title].get(f"family:{family}/{row.name}/{n}")
            if not rounds:
                cells.append("-")
                continue
            ratio = float(numpy.median(rounds)) / own
            ratios[engine.title].append(ratio)
            cells.append(report.number(ratio))
        rows.append([row.name, *cells])
    medians = [report.number(median(r)) if r else "-" for r in ratios.values()]
    rows.append(["median", "", *medians])
    return report.markdown(["", "zen, us", *ratios], rows), medians


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("families", nargs="*", help="print these alone")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--seconds", type=float, default=0.02)
    parser.add_argument("--advect", help="an interpreter that has Advect")
    options = parser.parse_args()
    pin()
    advect = ADVECT._replace(python=options.advect) if options.advect else ADVECT
    others = [e for e in (PYTORCH, JAX, AUTOGRAD, advect) if installed(e)]
    names = options.families or list(FAMILIES)
    wanted = [w for w in WORKLOADS if w.removeprefix("family:").split("/")[0] in names]
    times = measure([COMPILED, *others], wanted, rounds=options.rounds, seconds=options.seconds, threads=1,
                    progress=print, partial=True)  # fmt: skip
    sections = []
    for n in SIZES:
        tables = {family: section(times, family, n, others) for family in names}
        head = ["", *[engine.title for engine in others]]
        sections.append(f"## n = {n}\n\nMedians: how many times faster zen is.\n\n" + report.markdown(
            head, [[family, *medians] for family, (_, medians) in tables.items()]))  # fmt: skip
        sections += [f"### {family}, n = {n}\n\n{table}" for family, (table, _) in tables.items()]
    if options.families:
        print("\n\n".join(sections))
        return
    versions = ", ".join(f"{title} {version}" for title, version in times.versions.items())
    report.write("families", "Families of functions, value and gradient, beside other libraries", [
        "Processor time of one core in microseconds, medians of alternating rounds; arrays of n x n, signals of n * n."
        "\nThe other columns are their time over zen's. A dash: the library has no such function or derivative, or "
        f"gives\nanother gradient. JAX's compilation is not counted. {versions}.", *sections,
    ])  # fmt: skip


if __name__ == "__main__":
    main()
