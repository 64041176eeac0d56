"""Every operation that PyTorch has too, forward and backward, beside PyTorch: `python -m benchmarks.operations`.

An operation is written over the namespace `f`: zen.f, or torch, whose own form stands beside it where it differs.
A step is forward, and backward of a given cotangent into cleared gradients, in float32, on inputs of n x n. The
gradients of both libraries are compared before anything is timed.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from importlib import import_module
from statistics import median
from typing import Any, NamedTuple

import numpy

from . import report
from .rounds import COMPILED, PYTORCH, Times, measure, pin
from .workloads import Array, Task

SIZES = (10, 100, 1000)

Draw = Callable[[numpy.random.Generator, int], Array]


class Operation(NamedTuple):
    """One operation of inputs that have gradients, and of constants."""

    name: str
    zen: Callable[..., Any]
    torch: Callable[..., Any] | None = None
    inputs: Sequence[Draw] = ()
    constants: Sequence[Draw] = ()


def within(low: float, high: float) -> Draw:
    return lambda rng, n: rng.uniform(low, high, (n, n)).astype(numpy.float32)


def normal(rng: numpy.random.Generator, n: int) -> Array:
    return rng.standard_normal((n, n)).astype(numpy.float32)


def distinct(rng: numpy.random.Generator, n: int) -> Array:
    """No two elements are equal: PyTorch's sort leaves the order of equal ones open."""
    return rng.permutation(n * n).reshape(n, n).astype(numpy.float32)


def row(rng: numpy.random.Generator, n: int) -> Array:
    return rng.standard_normal(n).astype(numpy.float32)


def column(rng: numpy.random.Generator, n: int) -> Array:
    return rng.standard_normal((n, 1)).astype(numpy.float32)


def mask(rng: numpy.random.Generator, n: int) -> Array:
    return rng.random((n, n)) < 0.5


def positions(rng: numpy.random.Generator, n: int) -> Array:
    return rng.integers(0, n, (n, n))


def numbers(rng: numpy.random.Generator, n: int) -> Array:
    return rng.integers(0, n, n)


def regular(rng: numpy.random.Generator, n: int) -> Array:
    """A matrix whose determinant neither vanishes nor overflows."""
    return (numpy.eye(n) + 0.1 * n**-0.5 * rng.standard_normal((n, n))).astype(numpy.float32)


def definite(rng: numpy.random.Generator, n: int) -> Array:
    a = rng.standard_normal((n, n))
    return (a @ a.T / n + numpy.eye(n)).astype(numpy.float32)


ANY, POSITIVE, INSIDE, BEYOND, ONE = (
    within(-3, 3),
    within(0.2, 3),
    within(-0.8, 0.8),
    within(1.5, 3),
    within(0.99, 1.01),
)


def unary(names: str, draw: Draw) -> list[Operation]:
    """Functions of one argument that both libraries have under one name."""
    return [Operation(n, lambda f, x, n=n: getattr(f, n)(x), None, [draw]) for n in names.split()]


def activation(names: str) -> list[Operation]:
    return [
        Operation(n, lambda f, x, n=n: getattr(f, n)(x), lambda f, x, n=n: getattr(f.nn.functional, n)(x), [ANY])
        for n in names.split()
    ]


def binary(names: str, *draws: Draw) -> list[Operation]:
    return [Operation(n, lambda f, a, b, n=n: getattr(f, n)(a, b), None, draws) for n in names.split()]


ELEMENTWISE = [
    *unary("exp expm1 exp2 sin cos sinh cosh tanh asinh atan sigmoid erf square abs negative", ANY),
    *unary("log log1p log2 log10 sqrt reciprocal", POSITIVE),
    *unary("tan asin acos atanh", INSIDE),
    *unary("acosh", BEYOND),
    *activation("relu leaky_relu elu gelu silu softplus logsigmoid selu mish hardswish"),
    *binary("add subtract multiply maximum minimum logaddexp hypot", ANY, ANY),
    *binary("divide atan2", ANY, POSITIVE),
    Operation("power", lambda f, a, b: a**b, None, [POSITIVE, ANY]),
    Operation("x ** 2", lambda f, x: x**2, None, [ANY]),
    Operation("x ** 3", lambda f, x: x**3, None, [ANY]),
    Operation("x + row", lambda f, x, b: x + b, None, [ANY, row]),
    Operation("x * column", lambda f, x, b: x * b, None, [ANY, column]),
    Operation("where", lambda f, a, b, c: f.where(c, a, b), None, [ANY, ANY], [mask]),
    Operation("clip", lambda f, x: f.clip(x, -1.0, 1.0), None, [ANY]),
]
REDUCTIONS = [
    Operation("sum", lambda f, x: f.sum(x), None, [ANY]),
    Operation("sum, axis 0", lambda f, x: f.sum(x, 0), None, [ANY]),
    Operation("sum, axis 1", lambda f, x: f.sum(x, 1), None, [ANY]),
    Operation("mean, axis 1", lambda f, x: f.mean(x, 1), None, [ANY]),
    Operation("max, axis 1", lambda f, x: f.max(x, 1), lambda f, x: f.amax(x, 1), [ANY]),
    Operation("min, axis 0", lambda f, x: f.min(x, 0), lambda f, x: f.amin(x, 0), [ANY]),
    Operation("prod", lambda f, x: f.prod(x), None, [ONE]),
    Operation("prod, axis 0", lambda f, x: f.prod(x, 0), None, [ONE]),
    Operation("prod, axis 1", lambda f, x: f.prod(x, 1), None, [ONE]),
    Operation("var, axis 1", lambda f, x: f.var(x, 1), lambda f, x: f.var(x, 1, correction=0), [ANY]),
    Operation("std, axis 1", lambda f, x: f.std(x, 1), lambda f, x: f.std(x, 1, correction=0), [ANY]),
    Operation("logsumexp, axis 1", lambda f, x: f.logsumexp(x, 1), None, [ANY]),
    Operation("norm, axis 1", lambda f, x: f.vector_norm(x, axis=1), lambda f, x: f.linalg.vector_norm(x, dim=1),
              [ANY]),
    Operation("cumsum, axis 0", lambda f, x: f.cumsum(x, 0), None, [ANY]),
    Operation("cumsum, axis 1", lambda f, x: f.cumsum(x, 1), None, [ANY]),
    Operation("cumprod, axis 1", lambda f, x: f.cumprod(x, 1), None, [ONE]),
]  # fmt: skip
SHAPES = [
    Operation("reshape", lambda f, x: f.reshape(x, (-1,)), None, [ANY]),
    Operation("transpose", lambda f, x: f.permute_dims(x, (1, 0)), lambda f, x: f.permute(x, (1, 0)), [ANY]),
    Operation("flip", lambda f, x: f.flip(x, 0), lambda f, x: f.flip(x, (0,)), [ANY]),
    Operation("roll", lambda f, x: f.roll(x, 3, 1), None, [ANY]),
    Operation("tile", lambda f, x: f.tile(x, (2, 1)), None, [ANY]),
    Operation("concat", lambda f, a, b: f.concat([a, b], 1), None, [ANY, ANY]),
    Operation("stack", lambda f, a, b: f.stack([a, b], 0), None, [ANY, ANY]),
    Operation("slice", lambda f, x: x[1:-1, ::2], None, [ANY]),
    Operation("rows by number", lambda f, x, k: x[k], None, [ANY], [numbers]),
    Operation("mask", lambda f, x, c: x[c], None, [ANY], [mask]),
    Operation("take_along_axis 0", lambda f, x, k: f.take_along_axis(x, k, 0),
              lambda f, x, k: f.take_along_dim(x, k, 0), [ANY], [positions]),
    Operation("take_along_axis 1", lambda f, x, k: f.take_along_axis(x, k, 1),
              lambda f, x, k: f.take_along_dim(x, k, 1), [ANY], [positions]),
    Operation("sort, axis 0", lambda f, x: f.sort(x, 0), lambda f, x: f.sort(x, 0)[0], [distinct]),
    Operation("sort, axis 1", lambda f, x: f.sort(x, 1), lambda f, x: f.sort(x, 1)[0], [distinct]),
    *unary("diagonal trace tril triu", ANY),
]  # fmt: skip
PRODUCTS = [
    *binary("matmul", normal, normal),
    Operation("matrix @ vector", lambda f, a, b: a @ b, None, [normal, row]),
    Operation("einsum", lambda f, a, b: f.einsum("ij,kj->ik", a, b), None, [normal, normal]),
    Operation("solve", lambda f, a, b: f.solve(a, b), lambda f, a, b: f.linalg.solve(a, b), [regular, normal]),
    Operation("inv", lambda f, a: f.inv(a), lambda f, a: f.linalg.inv(a), [regular]),
    Operation("slogdet", lambda f, a: f.slogdet(a)[1], lambda f, a: f.linalg.slogdet(a)[1], [regular]),
    Operation("cholesky", lambda f, a: f.cholesky(a), lambda f, a: f.linalg.cholesky(a), [definite]),
]
NORMALISATIONS = [
    Operation("softmax", lambda f, x: f.softmax(x, -1), None, [ANY]),
    Operation("log_softmax", lambda f, x: f.log_softmax(x, -1), None, [ANY]),
    Operation("cross_entropy", lambda f, x, k: f.cross_entropy(x, k),
              lambda f, x, k: f.nn.functional.cross_entropy(x, k), [normal], [numbers]),
    Operation("layer_norm", lambda f, x: f.layer_norm(x, x.shape[-1]),
              lambda f, x: f.nn.functional.layer_norm(x, x.shape[-1:]), [ANY]),
    Operation("linear", lambda f, x, w, b: f.linear(x, w, b),
              lambda f, x, w, b: f.nn.functional.linear(x, w, b), [normal, normal, row]),
]  # fmt: skip

OPERATIONS = {o.name: o for o in [*ELEMENTWISE, *REDUCTIONS, *SHAPES, *PRODUCTS, *NORMALISATIONS]}


def workload(name: str, n: int) -> str:
    return f"{name}, {n} x {n}"


WORKLOADS = {workload(o.name, n): (o, n) for o in OPERATIONS.values() for n in SIZES}


def task(library: str, name: str) -> Task:
    """One operation of one size, ready to run in `library`: zen or torch."""
    chosen, n = WORKLOADS[name]
    module = import_module(library)
    rng = numpy.random.default_rng([n, len(chosen.name)])
    inputs = [module.tensor(draw(rng, n), requires_grad=True) for draw in chosen.inputs]
    constants = [module.tensor(draw(rng, n)) for draw in chosen.constants]
    if library == "torch":
        f, function = module, chosen.torch or chosen.zen
    else:
        f, function = import_module("zen.f"), chosen.zen
    shape = tuple(function(f, *inputs, *constants).shape)
    cotangent = module.tensor(rng.standard_normal(shape).astype(numpy.float32))

    def step() -> None:
        for x in inputs:
            x.grad = None
        function(f, *inputs, *constants).backward(cotangent)

    def gradients() -> list[Array]:
        step()
        return [x.grad.numpy().copy() for x in inputs]

    return Task(step, gradients)


def table(times: Times, names: Sequence[str]) -> tuple[str, dict[int, list[float]]]:
    """A line for each operation, and the ratios by size."""
    rows, ratios = [], {n: [] for n in SIZES}  # type: tuple[list[list[str]], dict[int, list[float]]]
    for name in names:
        cells = [name]
        for n in SIZES:
            zen, torch = (times.median(e.title, workload(name, n)) for e in (COMPILED, PYTORCH))
            ratios[n].append(torch / zen)
            cells += [report.number(zen), report.number(torch), report.number(torch / zen)]
        rows.append(cells)
    head = ["", *(f"{what} {n}" for n in SIZES for what in ("zen", "PyTorch", "ratio"))]
    return report.markdown(head, rows), ratios


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.operations", description=__doc__)
    parser.add_argument("operations", nargs="*", help="default: all of them", metavar="operation")
    parser.add_argument("--rounds", type=int, default=15, help="alternating rounds (default: 15)")
    parser.add_argument("--seconds", type=float, default=0.008, help="length of one round (default: 0.008)")
    options = parser.parse_args()
    names = options.operations or list(OPERATIONS)
    unknown = set(names) - set(OPERATIONS)
    if unknown:
        parser.error(f"unknown operations {sorted(unknown)}; there are {', '.join(OPERATIONS)}")
    pin()
    times = measure(
        [COMPILED, PYTORCH], [workload(name, n) for name in names for n in SIZES], rounds=options.rounds,
        seconds=options.seconds, threads=1, progress=lambda line: print(line, flush=True),
    )  # fmt: skip
    lines, ratios = table(times, names)
    if options.operations:
        print(lines)
        return
    every = [r for of_size in ratios.values() for r in of_size]
    medians = ", ".join(f"{report.number(median(r))} at {n} x {n}" for n, r in ratios.items())
    behind = sum(r < 1 for r in every)
    report.write("operations", "Operations beside PyTorch, 1 thread", [
        "Forward and backward of one operation on n x n float32 for n = 10, 100 and 1000; microseconds of processor "
        f"time, medians of {options.rounds} alternating rounds of {options.seconds * 1e3:.0f} ms, and how many times "
        f"faster zen is. PyTorch {times.versions[PYTORCH.title]}.",
        f"Median ratio of {len(names)} operations: {report.number(median(every))} ({medians}). "
        f"{behind} of {len(every)} are below 1.",
        lines,
    ])  # fmt: skip


if __name__ == "__main__":
    main()
