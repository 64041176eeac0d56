"""The Adam step beside PyTorch's, and one large parameter beside memcpy: `python -m benchmarks.layers_optim`.

Both libraries run in this process, on one thread, in alternating rounds; medians are shown. PyTorch's default is a loop
over the parameters in Python; `fused=True` is its one-pass kernel. The large parameter is measured in bytes that the
step must read and write (parameter, gradient, two moments; seven accesses) for each second, and memcpy likewise (two
accesses).
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from importlib import import_module
from statistics import median
from typing import Any

import numpy

from .worker import round_of, steps_in
from .workloads import Array

Step = Callable[[], Any]
COUNT = 100
SIZES = (4, 16, 32, 64)
LARGE = 1 << 20
ADAM_ACCESSES, COPY_ACCESSES = 7, 2


def arrays(shapes: list[tuple[int, ...]]) -> list[Array]:
    rng = numpy.random.default_rng(0)
    return [rng.standard_normal(shape).astype(numpy.float32) for shape in shapes]


def step_of(library: str, shapes: list[tuple[int, ...]], **options: Any) -> tuple[Step, Callable[[], list[Array]]]:
    """Adam's step in `library` (zen or torch) over parameters of these shapes, and what the parameters are."""
    tensor: Any = import_module(library).tensor
    optim: Any = import_module(f"{library}.optim")
    params = [tensor(a, requires_grad=True) for a in arrays(shapes)]
    for p, g in zip(params, arrays(shapes), strict=True):
        p.grad = tensor(g)
    return optim.Adam(params, **options).step, lambda: [p.detach().numpy().copy() for p in params]


def alternate(steps: dict[str, Step], rounds: int, seconds: float) -> dict[str, float]:
    """Median microseconds of a step of each, in rounds that take turns."""
    counts = {name: steps_in(seconds, step) for name, step in steps.items()}
    times: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(rounds):
        for name, step in steps.items():
            times[name].append(round_of(step, counts[name]))
    return {name: median(found) for name, found in times.items()}


def check(shapes: list[tuple[int, ...]]) -> None:
    """Raise unless both libraries arrive at the same parameters."""
    results = []
    for library in ("zen", "torch"):
        step, values = step_of(library, shapes)
        for _ in range(10):
            step()
        results.append(values())
    for a, b in zip(*results, strict=True):
        numpy.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)


def small(rounds: int, seconds: float) -> list[str]:
    lines = [
        "| 100 parameters of | zen, us | PyTorch, us | PyTorch fused, us | faster |",
        "| --- | --- | --- | --- | --- |",
    ]
    for n in SIZES:
        shapes: list[tuple[int, ...]] = [(n, n)] * COUNT
        check(shapes)
        steps = {
            "zen": step_of("zen", shapes)[0],
            "torch": step_of("torch", shapes)[0],
            "fused": step_of("torch", shapes, fused=True)[0],
        }
        t = alternate(steps, rounds, seconds)
        lines.append(
            f"| {n} x {n} | {t['zen']:.0f} | {t['torch']:.0f} | {t['fused']:.0f} | {t['torch'] / t['zen']:.1f} |"
        )
    return lines


def large(rounds: int, seconds: float) -> list[str]:
    source, target = numpy.ones(LARGE, numpy.float32), numpy.zeros(LARGE, numpy.float32)
    steps: dict[str, Step] = {
        "zen": step_of("zen", [(LARGE,)])[0],
        "PyTorch": step_of("torch", [(LARGE,)])[0],
        "PyTorch fused": step_of("torch", [(LARGE,)], fused=True)[0],
        "memcpy": lambda: numpy.copyto(target, source),
    }
    lines = [f"| one parameter of {LARGE} | us | GB/s |", "| --- | --- | --- |"]
    for name, t in alternate(steps, rounds, seconds).items():
        accesses = COPY_ACCESSES if name == "memcpy" else ADAM_ACCESSES
        lines.append(f"| {name} | {t:.0f} | {accesses * source.nbytes / t / 1e3:.1f} |")
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--seconds", type=float, default=0.02, help="length of a round of one library")
    given = parser.parse_args()
    torch: Any = import_module("torch")
    torch.set_num_threads(1)
    print("\n".join([*small(given.rounds, given.seconds), "", *large(given.rounds, given.seconds)]))


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
