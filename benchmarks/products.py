"""The matrix products of one mlp_large gradient and nothing else: what its BLAS allows. `benchmarks/worker.py` runs it.

The operands are computed beforehand and the results are written to arrays that exist, so the time is the library's
own. The gradients of the weights come out of these products; they are compared to the other engines' like any
gradient, with those of the biases, which are not part of the time, beside them.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy

from .workloads import WORKLOADS, Array, Task

Multiply = Callable[[Any, Any, Any], Any]
"""`multiply(a, b, out)` writes a @ b to out."""


def operands() -> tuple[list[tuple[Array, Array]], list[Array]]:
    """The eight pairs to be multiplied, the weights' gradients last; and the gradients of the biases."""
    data = WORKLOADS["mlp_large"].data()
    w1, b1, w2, b2, w3, b3 = data.parameters
    inputs, targets = data.constants
    h1 = numpy.tanh(inputs @ w1 + b1)
    h2 = numpy.tanh(h1 @ w2 + b2)
    exponentials = numpy.exp(h2 @ w3 + b3)
    g3 = (exponentials / exponentials.sum(1, keepdims=True) - targets) / numpy.float32(len(inputs))
    g2 = (g3 @ w3.T) * (1 - h2 * h2)
    g1 = (g2 @ w2.T) * (1 - h1 * h1)
    pairs = [(inputs, w1), (h1, w2), (h2, w3), (g3, w3.T), (g2, w2.T), (inputs.T, g1), (h1.T, g2), (h2.T, g3)]
    return pairs, [g.sum(0) for g in (g1, g2, g3)]


def products(multiply: Multiply, convert: Callable[[Array], Any] = lambda a: a) -> Task:
    """The products through `multiply`, on what `convert` makes of the arrays, sharing their memory."""
    pairs, biases = operands()
    outs = [numpy.empty((len(a), b.shape[1]), a.dtype) for a, b in pairs]
    calls = [(convert(a), convert(b), convert(out)) for (a, b), out in zip(pairs, outs, strict=True)]

    def step() -> None:
        for a, b, out in calls:
            multiply(a, b, out)

    return Task(step, lambda: [g for pair in zip(outs[-3:], biases, strict=True) for g in pair])


def numpy_multiply(a: Array, b: Array, out: Array) -> None:
    numpy.matmul(a, b, out=out)


def mkl_multiply() -> Multiply:
    """cblas_sgemm of the `mkl` wheel, whose libraries lie under the environment's prefix."""
    folders = [Path(sys.prefix, "lib"), Path(sys.prefix, "Library", "bin")]
    found = sorted(path for folder in folders for path in folder.glob("*mkl_rt.*"))
    if not found:
        raise ImportError("the mkl package is not installed: pip install mkl")
    sgemm = ctypes.CDLL(str(found[0])).cblas_sgemm
    rows, plain, transposed = 101, 111, 112
    integer, real, pointer = ctypes.c_int, ctypes.c_float, ctypes.c_void_p
    sgemm.argtypes = [integer] * 6 + [real, pointer, integer, pointer, integer, real, pointer, integer]
    sgemm.restype = None

    def side(a: Array) -> tuple[int, int]:
        by_rows = a.flags.c_contiguous
        return (plain if by_rows else transposed), a.strides[0 if by_rows else 1] // a.itemsize

    def multiply(a: Array, b: Array, out: Array) -> None:
        (ta, lda), (tb, ldb), (m, n) = side(a), side(b), out.shape
        sgemm(rows, ta, tb, m, n, a.shape[1], 1.0, a.ctypes.data, lda, b.ctypes.data, ldb, 0.0, out.ctypes.data, n)

    return multiply


def task(library: str) -> Task:
    """The bare products in `library`: numpy, mkl or torch."""
    if library == "torch":
        torch: Any = import_module("torch")
        return products(lambda a, b, out: torch.matmul(a, b, out=out), torch.from_numpy)
    return products(numpy_multiply if library == "numpy" else mkl_multiply())
