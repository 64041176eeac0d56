"""One library in one long-lived process, timed on request. `benchmarks/rounds.py` starts it and talks to it.

Each request is a line of JSON on standard input, each answer a line of JSON on standard output:

    {"do": "prepare", "workload": ..., "seconds": ...}   build it, warm it up, settle how many steps fill a round; with
                                                         "partial" an error is answered, else it ends the process
    {"do": "gradients", "path": ...}                     save the gradients there as .npz
    {"do": "round"}                                      one timed round; answers microseconds for each step

The first answer is sent unasked and tells the library's version. The garbage collector stays on, as it does in
the programs that people run.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from time import perf_counter, process_time
from typing import Any

import numpy

from . import families, layers, operations, products, replay, tiles, transforms, workloads

Clock = Callable[[], float]


def steps_in(seconds: float, step: Callable[[], Any]) -> int:
    """How many steps take about `seconds`; running them warms the step up."""
    count = 1
    while True:
        elapsed = run(step, count)
        if elapsed > 0.25 * seconds:
            return max(1, round(count * seconds / elapsed))
        count *= 2


def run(step: Callable[[], Any], count: int, clock: Clock = perf_counter) -> float:
    """Seconds that `count` steps take."""
    start = clock()
    for _ in range(count):
        step()
    return clock() - start


def round_of(step: Callable[[], Any], count: int, clock: Clock = perf_counter) -> float:
    """Microseconds for each of `count` steps. A few steps before them bring caches and clock back."""
    run(step, max(1, count // 10))
    return run(step, count, clock) / count * 1e6


def library_version(library: str) -> str:
    if library == "zen":
        import zen

        return str(zen.__version__)
    try:
        return version(library)
    except PackageNotFoundError:
        return "unknown"


def task(kind: str, library: str, name: str) -> workloads.Task:
    """What to time: a workload or a training step in a library, or its bare products."""
    if name in layers.MODELS or name in layers.SINGLES:
        return layers.products(library, name) if kind else layers.task(library, name)
    if name.startswith("family:"):
        return families.task(library, name)
    if name.startswith(transforms.PREFIX):
        return transforms.task(library, name)
    if name.startswith((replay.REPLAY, replay.EAGER)):
        return replay.task(library, name)
    if name in operations.WORKLOADS:
        return operations.task(library, name)
    if name in tiles.PRODUCTS:
        return tiles.task(name)
    return products.task(library) if kind else workloads.task(library, name)


def serve(library: str, threads: int) -> None:
    """Answer requests until standard input ends. `products:<library>` stands for the bare products in it."""
    kind, _, library = library.rpartition(":")
    if library == "torch":
        torch: Any = import_module("torch")
        torch.set_num_threads(threads)

    def answer(**values: Any) -> None:
        print(json.dumps(values), flush=True)

    clock = process_time if threads == 1 else perf_counter  # what other programs take of the core does not count
    answer(version=library_version(library))
    current: workloads.Task
    count = 1
    for line in sys.stdin:
        request = json.loads(line)
        if request["do"] == "prepare":
            try:
                current = task(kind, library, request["workload"])
                current.step()
            except Exception as error:
                if not request.get("partial"):
                    raise
                answer(error=repr(error))
                continue
            count = steps_in(request["seconds"], current.step)
            answer(steps=count)
        elif request["do"] == "gradients":
            numpy.savez(request["path"], *current.gradients())
            answer()
        else:
            answer(microseconds=round_of(current.step, count, clock))


if __name__ == "__main__":
    serve(sys.argv[1], int(sys.argv[2]))
