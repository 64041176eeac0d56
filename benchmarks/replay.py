"""Programs of `zen.compile` beside JAX's compiled code: `python -m benchmarks.replay`.

The seven workloads, value and gradients, with NumPy arrays in and out of each call. zen also runs them as they are,
and PyTorch does. First calls are measured in processes of their own.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Callable
from importlib import import_module
from time import perf_counter
from typing import Any

import numpy

from . import report
from .rounds import COMPILED, JAX, PYTORCH, ROOT, Engine, Times, environment, installed, measure, pin
from .workloads import WORKLOADS, Task, Workload

REPLAY, EAGER = "replay:", "eager:"
NOTHING = "nothing"
GOALS = {
    "scalar": "0.8 us, 7", "rosen10": "0.8 us, 7", "mlp_small": "3", "mlp_large": "1", "elem1M": "1", "bcast1k": "1",
    "rnn200": "2", NOTHING: "0.25 us",
}  # fmt: skip


def arguments(workload: Workload) -> tuple[list[Any], tuple[int, ...]]:
    data = workload.data()
    return [*data.parameters, *data.constants], tuple(range(len(data.parameters)))


def zen_step(workload: Workload, replayed: bool) -> tuple[Callable[..., Any], list[Any]]:
    import zen

    given, places = arguments(workload)
    loss = workload.loss
    function = zen.value_and_grad(lambda *a: loss(zen, *a), places)
    return (zen.compile(function) if replayed else function), given


def jax_step(workload: Workload) -> tuple[Callable[..., Any], list[Any]]:
    jax: Any = import_module("jax")
    jnp: Any = import_module("jax.numpy")
    jax.config.update("jax_enable_x64", True)
    given, places = arguments(workload)
    compiled = jax.jit(jax.value_and_grad(lambda *a: workload.loss(jnp, *a), argnums=places))

    def step(*a: Any) -> Any:
        value, gradients = compiled(*a)
        return numpy.asarray(value), [numpy.asarray(g) for g in gradients]

    return step, given


def torch_step(workload: Workload) -> tuple[Callable[..., Any], list[Any]]:
    torch: Any = import_module("torch")
    given, places = arguments(workload)

    def step(*a: Any) -> Any:
        tensors = [torch.from_numpy(x) for x in a]
        for k in places:
            tensors[k] = tensors[k].requires_grad_()
        loss = workload.torch_loss(torch, *tensors)
        gradients = torch.autograd.grad(loss, [tensors[k] for k in places])
        return loss.detach().numpy(), [g.numpy() for g in gradients]

    return step, given


def nothing(library: str) -> tuple[Callable[..., Any], list[Any]]:
    """A function that returns its argument."""
    if library == "zen":
        import zen

        return zen.compile(lambda x: x), [numpy.linspace(0, 1, 10)]
    jax: Any = import_module("jax")
    compiled = jax.jit(lambda x: x)
    return lambda x: numpy.asarray(compiled(x)), [numpy.linspace(0, 1, 10)]


def step_of(library: str, name: str) -> tuple[Callable[..., Any], list[Any]]:
    kind, _, workload = name.rpartition(":")
    if workload == NOTHING:
        return nothing(library)
    if library == "zen":
        return zen_step(WORKLOADS[workload], f"{kind}:" == REPLAY)
    return (jax_step if library == "jax" else torch_step)(WORKLOADS[workload])


def task(library: str, name: str) -> Task:
    """A workload by its name with the prefix, ready in a library: recorded, compared, and what it was kept."""
    step, given = step_of(library, name)
    for _ in range(3):
        step(*given)

    def results() -> list[Any]:
        made = step(*given)
        value, gradients = made if isinstance(made, tuple) else (made, [])
        return [numpy.asarray(value), *map(numpy.asarray, gradients)]

    return Task(lambda: step(*given), results)


def first_call(engine: Engine, name: str) -> float:
    """Milliseconds of a first call; runs in a process of its own, in which a small call has loaded what all share."""
    command = [sys.executable, "-m", "benchmarks.replay", "--first", engine.library, name]
    done = subprocess.run(command, cwd=ROOT, env=environment(engine, 1), capture_output=True, text=True, check=True)
    return float(json.loads(done.stdout)) * 1e3


def show_first_call(library: str, name: str) -> None:
    warm, x = nothing(library)
    warm(*x)
    step, given = step_of(library, REPLAY + name)
    start = perf_counter()
    step(*given)
    print(json.dumps(perf_counter() - start))


def rows(times: Times, peers: list[Engine], names: list[str]) -> list[list[str]]:
    found = []
    for name in names:
        own = times.median(COMPILED.title, REPLAY + name)
        eager = times.rounds[COMPILED.title].get(EAGER + name)
        cells = [report.number(own), report.number(float(numpy.median(eager)) / own) if eager else "-"]
        for engine in peers:
            rounds = times.rounds[engine.title].get(REPLAY + name)
            cells.append(report.number(float(numpy.median(rounds)) / own) if rounds else "-")
        firsts = [f"{first_call(engine, name):.1f} ms" for engine in (COMPILED, JAX) if installed(engine)]
        found.append([name, *cells, *firsts, GOALS[name]])
    return found


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.replay", description=__doc__)
    parser.add_argument("names", nargs="*", help="print these alone", metavar=f"{{{','.join(GOALS)}}}")
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--seconds", type=float, default=0.03)
    parser.add_argument("--first", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.first:
        show_first_call(*options.first)
        return
    pin()
    peers = [engine for engine in (JAX, PYTORCH) if installed(engine)]
    names = options.names or list(GOALS)
    wanted = [kind + name for kind in (REPLAY, EAGER) for name in names]
    times = measure(
        [COMPILED, *peers], wanted, rounds=options.rounds, seconds=options.seconds, threads=1, progress=print,
        partial=True,
    )  # fmt: skip
    titles = ["", "zen.compile, us", "zen as it is", *[engine.title for engine in peers]]
    titles += [f"first call, {engine.library}" for engine in (COMPILED, JAX) if installed(engine)]
    table = report.markdown([*titles, "goal"], rows(times, peers, names))
    if options.names:
        print(table)
        return
    versions = ", ".join(f"{title} {version}" for title, version in times.versions.items())
    report.write("replay", "Programs of zen.compile beside compiled code", [
        "Value and gradients, NumPy arrays in and out, in microseconds of processor time of one core, medians of"
        "\nalternating rounds. The next columns are their time over that of zen.compile: how many times faster it is."
        "\nGoals: microseconds at most, and times faster than JAX at least. `nothing` returns its ten"
        "\nnumbers."
        f"\n{versions}.",
        table,
    ])  # fmt: skip


if __name__ == "__main__":
    main()
