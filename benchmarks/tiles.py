"""Single matrix products through zen's tiles, and through the BLAS alone: `python -m benchmarks.tiles`.

The BLAS columns lower ZEN_SIMD, which switches the tiles off and leaves nothing else of a product changed. Shapes are
m, k, n of (m, k) @ (k, n); the second operand lies by rows, or by columns, as the weights of a layer do.
"""

from __future__ import annotations

import argparse
from importlib import import_module
from typing import Any

import numpy

from . import report
from .rounds import Engine, measure, pin
from .workloads import Task

TILES = Engine("tiles", "zen", {"ZEN_BACKEND": "compiled", "ZEN_BLAS": "numpy"})
OPENBLAS = Engine("NumPy's BLAS", "zen", {**TILES.environment, "ZEN_SIMD": "avx2"})
MKL = Engine("MKL", "zen", {**OPENBLAS.environment, "ZEN_BLAS": "mkl"})

SHAPES = [
    (4, 64, 256), (16, 64, 256), (16, 256, 64), (16, 512, 2048), (6, 25, 784), (32, 144, 1800), (64, 32, 64),
    (64, 64, 10), (64, 64, 128), (64, 400, 120), (64, 512, 2048), (256, 64, 256), (256, 256, 64), (512, 512, 512),
    (1024, 128, 512), (5000, 64, 64), (1000, 1000, 1000),
]  # fmt: skip
PRODUCTS = {
    f"{dtype}, {m} x {k} x {n}, {by}": (dtype, m, k, n, by)
    for dtype in ("float32", "float64") for m, k, n in SHAPES for by in ("rows", "columns")
}  # fmt: skip


def task(name: str) -> Task:
    """One product in zen's compiled engine. There are no gradients to compare: the result stands in for them."""
    dtype, m, k, n, by = PRODUCTS[name]
    multiply: Any = import_module("zen._core._blas").product
    rng = numpy.random.default_rng(0)
    a, b = (rng.standard_normal(shape).astype(dtype) for shape in ((m, k), (k, n)))
    if by == "columns":
        b = b.T.copy().T
    return Task(lambda: multiply(a, b), lambda: [multiply(a, b)])


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.tiles", description=__doc__)
    parser.add_argument("--rounds", type=int, default=20, help="alternating rounds (default: 20)")
    parser.add_argument("--seconds", type=float, default=0.01, help="length of one round (default: 0.01)")
    options = parser.parse_args()
    pin()
    times = measure([TILES, OPENBLAS, MKL], PRODUCTS, rounds=options.rounds, seconds=options.seconds, threads=1,
                    progress=lambda line: print(line, flush=True))  # fmt: skip
    rows = []
    for name in PRODUCTS:
        tiles, openblas, mkl = (times.median(engine.title, name) for engine in (TILES, OPENBLAS, MKL))
        rows.append([name, *map(report.number, (tiles, openblas, mkl, openblas / tiles, mkl / tiles))])
    head = ["", "zen", "NumPy's BLAS", "MKL", "times faster than NumPy's BLAS", "than MKL"]
    report.write("tiles", "Matrix products, 1 thread", [
        f"Microseconds of processor time, medians of {options.rounds} alternating rounds of "
        f"{options.seconds * 1e3:.0f} ms. m x k x n: (m, k) @ (k, n), the second operand by rows or by columns. Where "
        "zen itself takes the BLAS, for large operands and few rows, the ratio is 1.",
        report.markdown(head, rows),
    ])  # fmt: skip


if __name__ == "__main__":
    main()
