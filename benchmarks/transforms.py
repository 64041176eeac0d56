"""Jacobians, Hessians and gradients of each example beside other libraries: `python -m benchmarks.transforms`.

Each workload is a function and a transform of it, written over the names of NumPy for zen, JAX and HIPS autograd, and
over PyTorch's with `torch.func`. JAX is jitted; what its first call takes, tracing and compilation, is measured in a
process of its own. HIPS autograd has neither vmap nor forward mode for all of these: a dash. Advect has no
vmap. It needs Python 3.12; `--advect` names an interpreter that has it, where the one that runs has not.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Callable
from importlib import import_module
from time import perf_counter
from typing import Any, NamedTuple

import numpy

from . import report
from .rounds import (
    ADVECT,
    AUTOGRAD,
    COMPILED,
    JAX,
    PYTORCH,
    REFERENCE,
    ROOT,
    Engine,
    Times,
    environment,
    installed,
    measure,
    pin,
)
from .workloads import Task

PREFIX = "transform:"


class Workload(NamedTuple):
    """what: for the table. data: the arrays it takes. make: (library, namespace, its transforms) to a function."""

    what: str
    data: Callable[[], list[Any]]
    make: Callable[[Any, Any], Callable[..., Any]]
    goal: str = ""


# -- The functions


def mixed(np: Any, a: Any) -> Callable[[Any], Any]:
    """Elementwise functions and a product with a matrix."""
    return lambda x: np.sin(x) * (a @ x) + np.exp(x)


def elementwise(np: Any) -> Callable[[Any], Any]:
    return lambda x: np.sin(x) * x + np.exp(x)


def rosenbrock(np: Any) -> Callable[[Any], Any]:
    return lambda x: np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)


def layers(np: Any) -> Callable[[Any], Any]:
    """Three layers of a vector."""
    return lambda x, w1, w2, w3: w3 @ np.tanh(w2 @ np.tanh(w1 @ x))


def digits(np: Any) -> Callable[..., Any]:
    """The loss of one digit: 64-32-10, softmax cross entropy with a target of ones and zeros."""

    def loss(w1: Any, b1: Any, w2: Any, b2: Any, x: Any, target: Any) -> Any:
        logits = np.tanh(x @ w1 + b1) @ w2 + b2
        return np.log(np.sum(np.exp(logits))) - np.sum(logits * target)

    return loss


def logistic(np: Any, d: Any, y: Any) -> Callable[[Any], Any]:
    return lambda w: np.sum(np.logaddexp(0 * y, d @ w)) - np.sum(y * (d @ w))


# -- The workloads


def vector(n: int) -> list[Any]:
    return [numpy.random.default_rng(0).normal(size=n)]


def with_matrix(n: int) -> list[Any]:
    rng = numpy.random.default_rng(0)
    return [rng.normal(size=n), rng.normal(size=(n, n))]


def of_layers() -> list[Any]:
    rng = numpy.random.default_rng(0)
    return [rng.normal(size=200), *[rng.normal(size=(200, 200)) / 14 for _ in range(3)]]


def of_digits() -> list[Any]:
    rng = numpy.random.default_rng(0)
    parameters = rng.normal(size=(64, 32)) / 8, numpy.zeros(32), rng.normal(size=(32, 10)) / 6, numpy.zeros(10)
    return [*parameters, rng.normal(size=(64, 64)), numpy.eye(10)[rng.integers(0, 10, 64)]]


def of_regression() -> list[Any]:
    rng = numpy.random.default_rng(0)
    return [rng.normal(size=20), rng.normal(size=(500, 20)), (rng.random(500) < 0.5) * 1.0]


def each_gradient(np: Any, t: Any) -> Callable[..., Any]:
    return t.vmap(t.grad(digits(np), (0, 1, 2, 3)), (None, None, None, None, 0, 0))  # type: ignore[no-any-return]


def product(f: Callable[..., Any]) -> Callable[[Any, Any], Any]:
    """A Hessian times a vector: here the point itself."""
    return lambda np, t: lambda x, *rest: t.hvp(f(np, *rest), x)


WORKLOADS = {
    "jacobian": Workload(
        "Jacobian of sin(x) * (A @ x) + exp(x), 1000 -> 1000", lambda: with_matrix(1000),
        lambda np, t: lambda x, a: t.jacobian(mixed(np, a))(x), "5 times PyTorch"),
    "elementwise": Workload(
        "Jacobian of sin(x) * x + exp(x), 1000 -> 1000", lambda: vector(1000),
        lambda np, t: t.jacobian(elementwise(np)), "5 times PyTorch"),
    "layers": Workload(
        "Jacobian of three layers, 200 -> 200", of_layers, lambda np, t: t.jacobian(layers(np))),
    "hessian": Workload(
        "Hessian of Rosenbrock's function, n = 100", lambda: vector(100),
        lambda np, t: t.hessian(rosenbrock(np)), "at most 1000 us"),
    "rosenbrock hvp": Workload(
        "its product with a vector, n = 100", lambda: vector(100), product(rosenbrock), "4 gradients"),
    "rosenbrock gradient": Workload(
        "its gradient, n = 100", lambda: vector(100), lambda np, t: t.grad(rosenbrock(np), 0)),
    "rosenbrock hvp 10k": Workload(
        "its product with a vector, n = 10,000", lambda: vector(10_000), product(rosenbrock), "4 gradients"),
    "rosenbrock gradient 10k": Workload(
        "its gradient, n = 10,000", lambda: vector(10_000), lambda np, t: t.grad(rosenbrock(np), 0)),
    "regression hvp": Workload(
        "Hessian times vector, logistic regression, 500 x 20", of_regression, product(logistic), "4 gradients"),
    "regression gradient": Workload(
        "its gradient", of_regression, lambda np, t: lambda w, d, y: t.grad(logistic(np, d, y), 0)(w)),
    "each gradient": Workload(
        "gradients of each of 64 digits, 64-32-10", of_digits, each_gradient, "faster than PyTorch"),
}  # fmt: skip
NAMES = [PREFIX + name for name in WORKLOADS]


# -- The libraries


def zen_task(workload: Workload) -> Task:
    import zen

    class Transforms:
        grad, vmap, jacobian, hessian = zen.grad, zen.vmap, zen.jacobian, zen.hessian

        @staticmethod
        def hvp(f: Any, x: Any) -> Any:
            return zen.hvp(f, x, x)

    return ready(workload.make(numpy, Transforms), workload.data())


def torch_task(workload: Workload) -> Task:
    torch: Any = import_module("torch")

    class Names:
        """Where PyTorch's names for what the functions use differ."""

        sin, exp, tanh, log, sum = torch.sin, torch.exp, torch.tanh, torch.log, torch.sum
        logaddexp = torch.logaddexp

    class Transforms:
        grad, vmap, jacobian, hessian = torch.func.grad, torch.func.vmap, torch.func.jacrev, torch.func.hessian

        @staticmethod
        def hvp(f: Any, x: Any) -> Any:
            return torch.func.jvp(torch.func.grad(f), (x,), (x,))[1]

    return ready(workload.make(Names, Transforms), [torch.tensor(a) for a in workload.data()])


def jax_task(workload: Workload) -> Task:
    jax: Any = import_module("jax")
    jnp: Any = import_module("jax.numpy")
    jax.config.update("jax_enable_x64", True)

    class Transforms:
        grad, vmap, jacobian, hessian = jax.grad, jax.vmap, jax.jacrev, jax.hessian

        @staticmethod
        def hvp(f: Any, x: Any) -> Any:
            return jax.jvp(jax.grad(f), (x,), (x,))[1]

    compiled = jax.jit(workload.make(jnp, Transforms))
    return ready(lambda *a: jax.block_until_ready(compiled(*a)), [jnp.asarray(a) for a in workload.data()])


def autograd_task(workload: Workload) -> Task:
    library: Any = import_module("autograd")

    class Transforms:
        grad, jacobian, hessian = library.grad, library.jacobian, library.hessian

        @staticmethod
        def hvp(f: Any, x: Any) -> Any:
            return library.hessian_vector_product(f)(x, x)

    return ready(workload.make(import_module("autograd.numpy"), Transforms), workload.data())


def advect_task(workload: Workload) -> Task:
    library: Any = import_module("advect")

    class Transforms:
        grad, jacobian, hessian = library.grad, library.jacobian, library.hessian

        @staticmethod
        def hvp(f: Any, x: Any) -> Any:
            return library.hvp(f)(x, vectors=x)[1]

    return ready(workload.make(numpy, Transforms), workload.data())


def ready(call: Callable[..., Any], arguments: list[Any]) -> Task:
    def results() -> list[Any]:
        made = call(*arguments)
        return [numpy.asarray(a) for a in (made if isinstance(made, (tuple, list)) else [made])]

    return Task(lambda: call(*arguments), results)


LIBRARIES = {
    "zen": zen_task, "torch": torch_task, "jax": jax_task, "autograd": autograd_task, "advect": advect_task,
}  # fmt: skip


def task(library: str, name: str) -> Task:
    """A workload by its name with the prefix, ready in a library."""
    return LIBRARIES[library](WORKLOADS[name.removeprefix(PREFIX)])


# -- The table


def first_call(name: str) -> float:
    """Milliseconds of JAX's first call, tracing and compilation among them; runs in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.transforms", "--first", name]
    done = subprocess.run(command, cwd=ROOT, env=environment(JAX, 1), capture_output=True, text=True, check=True)
    return float(json.loads(done.stdout)) * 1e3


def show_first_call(name: str) -> None:
    made = task("jax", name)
    start = perf_counter()
    made.step()
    print(json.dumps(perf_counter() - start))


def rows(times: Times, others: list[Engine], names: list[str], has_jax: bool) -> list[list[str]]:
    found = []
    for name in names:
        own = times.median(COMPILED.title, PREFIX + name)
        cells = [report.number(own)]
        for engine in others:
            rounds = times.rounds[engine.title].get(PREFIX + name)
            cells.append(report.number(float(numpy.median(rounds)) / own) if rounds else "-")
        first = [f"{first_call(name):.0f} ms"] if has_jax else []
        found.append([WORKLOADS[name].what, *cells, *first, WORKLOADS[name].goal])
    return found


def in_gradients(times: Times, names: list[str]) -> str:
    """What a product with the Hessian costs in gradients."""
    found = []
    for name in [n for n in names if "hvp" in n and n.replace("hvp", "gradient") in names]:
        cells = []
        for title, measured in times.rounds.items():
            both = [measured.get(PREFIX + n) for n in (name, name.replace("hvp", "gradient"))]
            ratio = float(numpy.median(both[0]) / numpy.median(both[1])) if both[0] and both[1] else 0.0
            cells.append(f"{title}: {report.number(ratio)}" if ratio else f"{title}: -")
        found.append(f"- {WORKLOADS[name].what} ({name}): {', '.join(cells)}")
    return "\n".join(found)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.transforms", description=__doc__)
    parser.add_argument("names", nargs="*", help="print these alone", metavar=f"{{{','.join(WORKLOADS)}}}")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--seconds", type=float, default=0.05)
    parser.add_argument("--advect", help="an interpreter that has Advect")
    parser.add_argument("--first", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.first:
        show_first_call(options.first)
        return
    pin()
    advect = ADVECT._replace(python=options.advect) if options.advect else ADVECT
    others = [REFERENCE, *[e for e in (PYTORCH, JAX, AUTOGRAD, advect) if installed(e)]]
    names = options.names or list(WORKLOADS)
    times = measure(
        [COMPILED, *others], [PREFIX + name for name in names], rounds=options.rounds, seconds=options.seconds,
        threads=1, progress=print, partial=True,
    )  # fmt: skip
    has_jax = JAX in others
    head = ["", "zen, us", *[engine.title for engine in others], *(["JAX's first call"] if has_jax else []), "goal"]
    table = report.markdown(head, rows(times, others, names, has_jax))
    if options.names:
        print(table)
        return
    versions = ", ".join(f"{title} {version}" for title, version in times.versions.items())
    report.write("transforms", "Jacobians, Hessians and gradients of each example, beside other libraries", [
        "Processor time of one core in microseconds, medians of alternating rounds, float64. The other columns are"
        "\ntheir time over zen's: how many times faster zen is. A dash: the library cannot do it, or gives another"
        "\nresult. The first call of JAX is a time, and not counted in its column. PyTorch runs torch.func.jacrev,"
        f"\nhessian, vmap, and jvp of grad. {versions}.",
        table,
        "Products with a Hessian, in gradients of the same function:\n\n" + in_gradients(times, names),
    ])  # fmt: skip


if __name__ == "__main__":
    main()
