"""What grows with the graph, and what must not: time and memory per node, import time, size of the wheel.

`python -m benchmarks.growth` measures and writes tables/growth.md. Each figure is taken in processes of its own,
started again with the name of a probe (`python -m benchmarks.growth chain_memory 1000`), because the peak of a
process cannot be taken back. Peaks are resident memory as the system counts it.
"""

from __future__ import annotations

import gc
import json
import platform
import resource
import subprocess
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from statistics import median
from time import process_time
from typing import Any

from .rounds import COMPILED, PYTORCH, REFERENCE, ROOT, Engine, environment

SIZES = (1_000, 10_000, 100_000, 1_000_000)
ADDITIONS = 1_000_000
ELEMENTS = 1_000
"""Length of the float32 arrays that are added: 4 kB each, 4 GB if a million of them were kept."""


# -- Memory of this process ---------------------------------------------------------------------------------------


def peak() -> int:
    """Bytes: the most this process has held since it started or since `reset_peak`."""
    status = Path("/proc/self/status")
    if status.exists():
        return next(int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith("VmHWM")) << 10
    kilo = 1 if platform.system() == "Darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * kilo


def reset_peak() -> None:
    """Start the peak again from what is held now, where the system can (Linux)."""
    gc.collect()
    if platform.system() == "Linux":
        Path("/proc/self/clear_refs").write_text("5")


# -- Probes: each runs in a process of its own and returns what it found ------------------------------------------


def library(name: str) -> Any:
    """zen, or PyTorch on one thread: what the chains need has the same names in both."""
    if name == "torch":
        torch: Any = import_module("torch")
        torch.set_num_threads(1)
        return torch
    import zen

    return zen


def chain(x: Any, nodes: int) -> Any:
    """`nodes` multiplications, each of which saves its two arguments."""
    y = x
    for _ in range(nodes):
        y = y * x
    return y


def chain_time(name: str, rounds: str) -> list[list[float]]:
    """Nanoseconds of processor time per node, of forward and of backward and release, for each of SIZES."""
    x = library(name).tensor(1.0, requires_grad=True)
    found: dict[int, list[list[float]]] = {n: [] for n in SIZES}
    for _ in range(int(rounds)):
        for n in SIZES:
            for _ in range(max(1, 20_000 // n)):
                found[n].append(one_chain(x, n))
    return [[median(column) for column in zip(*times, strict=True)] for times in found.values()]


def one_chain(x: Any, nodes: int) -> list[float]:
    x.grad = None
    times = [process_time()]
    y = chain(x, nodes)
    times.append(process_time())
    y.backward()
    del y
    times.append(process_time())
    return [(b - a) / nodes * 1e9 for a, b in zip(times[:-1], times[1:], strict=True)]


def chain_memory(name: str, nodes: str) -> list[float]:
    """Bytes per node of the recorded graph, and of the peak while the backward pass runs.

    Short chains are held many at a time: pages and pools are counted as they are, not as one chain finds them.
    """
    n = int(nodes)
    x = library(name).tensor(1.0, requires_grad=True)
    chain(x, 10).backward()
    x.grad = None
    reset_peak()
    before, held = peak(), [chain(x, n) for _ in range(max(1, 100_000 // n))]
    recorded = peak()
    held[-1].backward()
    graph = (recorded - before) / (n * len(held))
    return [graph, graph + (peak() - recorded) / n]


def additions(name: str, how: str) -> list[float]:
    """Bytes by which the peak grows for each of a million additions whose intermediates nobody holds."""
    zen = library(name)
    x = zen.ones(ELEMENTS, dtype=zen.float32, requires_grad=True)

    def run(count: int) -> Any:
        y = x + x
        if how == "dropped":
            for _ in range(count):
                y = x + x
        else:
            for _ in range(count):
                y = y + x
        return y

    with zen.set_grad_enabled(how != "no_grad"):
        run(1000)
        reset_peak()
        before = peak()
        y = run(ADDITIONS)
        held = [(peak() - before) / ADDITIONS]
        if how == "recorded":
            y.sum().backward()
            held.append((peak() - before) / ADDITIONS)
    return held


def workload_peak(name: str, workload: str) -> list[float]:
    """Megabytes: the peak of the process after 50 steps, and how much of it the steps added."""
    from .workloads import task

    if name == "torch":
        library(name)
    ready = task(name, workload)
    reset_peak()
    before = peak()
    for _ in range(50):
        ready.step()
    return [peak() / 1e6, (peak() - before) / 1e6]


PROBES: dict[str, Callable[[str, str], Any]] = {
    probe.__name__: probe for probe in (chain_time, chain_memory, additions, workload_peak)
}

IMPORT = """
from time import perf_counter
times = [perf_counter()]
import numpy
times.append(perf_counter())
import {library}
times.append(perf_counter())
print([(b - a) * 1e3 for a, b in zip(times[:-1], times[1:])])
"""
"""Milliseconds: NumPy, and the library after it."""


def run(engine: Engine, *arguments: str) -> Any:
    """What a new Python process prints."""
    command = [sys.executable, *arguments]
    variables = environment(engine, 1)
    variables.pop("PYTHONDONTWRITEBYTECODE", None)  # an installed package has its bytecode
    done = subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(arguments)} failed on {engine.title}:\n{done.stderr}")
    return json.loads(done.stdout)


def probe(name: str, engine: Engine, argument: object) -> Any:
    """Run a probe in a new process."""
    return run(engine, "-m", "benchmarks.growth", name, engine.library, str(argument))


def medians(measured: list[list[float]]) -> list[float]:
    """Column by column."""
    return [median(column) for column in zip(*measured, strict=True)]


# -- The report ---------------------------------------------------------------------------------------------------


def chains(engines: list[Engine]) -> str:
    """Time and memory per node, by engine and size; the last column is the largest over the smallest."""
    from .report import markdown, number

    rows = []
    for engine in engines:
        times = probe("chain_time", engine, 2 if engine is REFERENCE else 9)
        sizes = [medians([probe("chain_memory", engine, n) for _ in range(3)]) for n in SIZES]
        figures = [(f"{what}, ns", [t[k] for t in times]) for k, what in enumerate(("forward", "backward and release"))]
        figures += [("graph, bytes", [m[0] for m in sizes]), ("peak of backward, bytes", [m[1] for m in sizes])]
        for what, values in figures:
            spread = max(values) / min(values) if min(values) > 0 else float("inf")
            rows.append([f"{engine.title}: {what}", *map(number, values), number(spread)])
        print("\n".join(" ".join(row) for row in rows[-4:]), flush=True)
    return markdown(["per node", *(f"{n:,}" for n in SIZES), "max / min"], rows)


def memory(engines: list[Engine]) -> str:
    """A million additions, and the peak of mlp_large."""
    from .report import markdown, number

    rows = []
    for engine in engines:
        no_grad, dropped = probe("additions", engine, "no_grad"), probe("additions", engine, "dropped")
        recorded = probe("additions", engine, "recorded")
        total, steps = medians([probe("workload_peak", engine, "mlp_large") for _ in range(3)])
        cells = [no_grad[0], dropped[0], *recorded, total, steps]
        rows.append([engine.title, *map(number, cells)])
        print(" ".join(rows[-1]), flush=True)
    return markdown(
        ["", "no_grad, B", "result dropped, B", "recorded, B", "and backward, B", "mlp_large, MB", "of it steps, MB"],
        rows,
    )


def imports(engines: list[Engine]) -> str:
    from .report import markdown, number

    rows = []
    for engine in engines:
        script = IMPORT.format(library=engine.library)
        measured = [run(engine, "-c", script) for _ in range(16)][5:]  # the first ones fill the page cache
        rows.append([engine.title, *map(number, medians(measured))])
    return markdown(["", "NumPy, ms", "the library after it, ms"], rows)


def wheel() -> str:
    """The size of the newest wheel in dist/ or build/dist/."""
    found = sorted([*ROOT.glob("dist/*.whl"), *ROOT.glob("build/dist/*.whl")], key=lambda path: path.stat().st_mtime)
    if not found:
        return "Wheel: none in dist/; `python -m build` makes one."
    return f"Wheel: {found[-1].name}, {found[-1].stat().st_size / 1e6:.2f} MB (goal: under 5)."


def main() -> None:
    import importlib.util

    from . import report

    engines = [COMPILED, REFERENCE]
    peers = [PYTORCH] if importlib.util.find_spec("torch") else []
    sections = [
        "One thread, each figure from processes of its own.",
        f"A chain of multiplications `y = y * x` of 0-d tensors (goal: flat within 1.5):\n\n{chains(engines)}",
        f"Peak memory. Growth for each of a million additions of {ELEMENTS} float32 (4000 bytes), intermediates held "
        "by nobody: `y = y + x` without recording, `x + x` recorded and dropped, `y = y + x` recorded (its nodes stay, "
        "its data does not) and its backward pass. Then the process that runs mlp_large (goal: no more than PyTorch), "
        f"and what its steps added:\n\n{memory(engines + peers)}",
        f"Import (goal: at most 20 ms after NumPy), medians of 11 processes:\n\n{imports(engines + peers)}",
        wheel(),
    ]
    report.write("growth", "Growth", sections)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(json.dumps(PROBES[sys.argv[1]](*sys.argv[2:])))
    else:
        main()
