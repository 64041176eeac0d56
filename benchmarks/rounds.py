"""Alternating rounds: every engine in its own process, timed in turn. `benchmarks/__main__.py` calls `measure`.

Times drift on shared machines, ratios measured in one run do not: each round gives every worker a few tens of
milliseconds, one after the other, in an order that rotates, and medians are taken over many rounds. The workers
stay alive and idle between their turns; their thread pools are apart.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

import numpy

ROOT = Path(__file__).resolve().parent.parent


class Engine(NamedTuple):
    """A column of the table: what to import, and the environment that chooses how it runs."""

    title: str
    library: str
    environment: dict[str, str] = {}
    python: str = sys.executable


COMPILED = Engine("compiled", "zen", {"ZEN_BACKEND": "compiled", "ZEN_BLAS": "numpy"})
REFERENCE = Engine("reference", "zen", {"ZEN_BACKEND": "reference", "ZEN_BLAS": "numpy"})
MKL = Engine("compiled, MKL", "zen", {"ZEN_BACKEND": "compiled", "ZEN_BLAS": "mkl"})
PYTORCH = Engine("PyTorch", "torch")
AUTOGRAD = Engine("HIPS autograd", "autograd")
JAX = Engine("JAX jitted", "jax")
ADVECT = Engine("Advect", "advect")
NUMPY_PRODUCTS = Engine("bare products, NumPy", "products:numpy")
MKL_PRODUCTS = Engine("bare products, MKL", "products:mkl")
PYTORCH_PRODUCTS = Engine("bare products, PyTorch", "products:torch")


def installed(engine: Engine) -> bool:
    """Whether a peer can be imported, or has an interpreter of its own, whose absence is an error.

    zen must be there: that it is not is an error, not a missing column.
    """
    own = engine.python != sys.executable
    return own or engine.library == "zen" or importlib.util.find_spec(engine.library) is not None


def environment(engine: Engine, threads: int) -> dict[str, str]:
    """The environment of a worker: `threads` threads for every pool a library may bring."""
    pools = ("OPENBLAS", "MKL", "OMP", "VECLIB_MAXIMUM")
    limits = {f"{pool}_NUM_THREADS": str(threads) for pool in pools}
    limits["NPROC"] = str(threads)  # XLA's pool
    if threads == 1:
        limits["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false"
    return {**os.environ, "JAX_PLATFORMS": "cpu", **limits, **engine.environment}


def pin() -> None:
    """Keep this process, and the workers it starts, on one core: for one-thread tables, where the system allows it.

    A core that is never idle keeps its clock; processes that wake up on another one each time measure that instead.
    """
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


class Worker:
    """A process that runs one engine. A context manager: leaving it ends the process."""

    def __init__(self, engine: Engine, threads: int) -> None:
        self.engine = engine
        command = [engine.python, "-m", "benchmarks.worker", engine.library, str(threads)]
        self.process = subprocess.Popen(
            command, cwd=ROOT, env=environment(engine, threads), text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        self.version: str = self._answer()["version"]

    def __enter__(self) -> Worker:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.stdin is not None:
            self.process.stdin.close()
        self.process.wait(timeout=30)

    def _answer(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"the worker for {self.engine.title!r} ended; its error is printed above")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def ask(self, **request: Any) -> dict[str, Any]:
        assert self.process.stdin is not None
        print(json.dumps(request), file=self.process.stdin, flush=True)
        return self._answer()


def compare(workload: str, workers: list[Worker]) -> None:
    """Raise unless all workers that compute gradients compute the same: shapes, dtypes and values."""
    with tempfile.TemporaryDirectory() as directory:
        found = []
        for i, worker in enumerate(workers):
            path = str(Path(directory) / f"{i}.npz")
            worker.ask(do="gradients", path=path)
            with numpy.load(path) as archive:
                found.append(list(archive.values()))
    for worker, gradients in zip(workers[1:], found[1:], strict=True):
        if not gradients:
            continue
        for i, (a, b) in enumerate(zip(found[0], gradients, strict=True)):
            pair = f"{workload}, gradient {i}: {workers[0].engine.title} and {worker.engine.title}"
            if a.shape != b.shape or a.dtype != b.dtype:
                raise AssertionError(f"{pair} differ: {a.shape} {a.dtype} against {b.shape} {b.dtype}")
            scale = float(abs(a).max()) or 1.0
            error = float(abs(a - b).max()) / scale
            if not error < (1e-10 if a.dtype == numpy.float64 else 2e-4):
                raise AssertionError(f"{pair} differ by {error:.1e} of the largest element")


class Times(NamedTuple):
    """Microseconds of every round, by engine and workload; and the versions that ran."""

    rounds: dict[str, dict[str, list[float]]]
    versions: dict[str, str]

    def median(self, title: str, workload: str) -> float:
        return float(numpy.median(self.rounds[title][workload]))

    def fastest(self, title: str, workload: str) -> float:
        return min(self.rounds[title][workload])


def measure(
    engines: Iterable[Engine], workloads: Iterable[str], *, rounds: int, seconds: float, threads: int,
    progress: Callable[[str], None] = lambda line: None, partial: bool = False,
) -> Times:  # fmt: skip
    """Time every workload on every engine: `rounds` alternating rounds of about `seconds` each.

    partial: an engine that cannot run a workload, or gives another gradient than the first, is left out of it.
    """
    workers: list[Worker] = []
    try:
        for engine in engines:
            workers.append(Worker(engine, threads))
        times = Times({w.engine.title: {} for w in workers}, {w.engine.title: w.version for w in workers})
        for workload in workloads:
            able = [w for w in workers if _prepared(w, workload, seconds, partial)]
            if partial:
                able = [able[0], *[w for w in able[1:] if _agrees(workload, able[0], w, progress)]]
            else:
                compare(workload, able)
            for worker in able:
                times.rounds[worker.engine.title][workload] = []
            for turn in range(rounds):
                start = turn % len(able)
                for worker in able[start:] + able[:start]:
                    times.rounds[worker.engine.title][workload].append(worker.ask(do="round")["microseconds"])
            medians = (f"{w.engine.title} {times.median(w.engine.title, workload):.5g}" for w in able)
            progress(f"{workload:10} " + ", ".join(medians))
        return times
    finally:
        for worker in workers:
            worker.__exit__(None, None, None)


def _prepared(worker: Worker, workload: str, seconds: float, partial: bool) -> bool:
    answer = worker.ask(do="prepare", workload=workload, seconds=seconds, partial=partial)
    return "error" not in answer


def _agrees(workload: str, first: Worker, other: Worker, progress: Callable[[str], None]) -> bool:
    try:
        compare(workload, [first, other])
    except AssertionError as error:
        progress(str(error))
        return False
    return True
