"""Each kernel of the engine against its NumPy form: the cases, and the table.

A kernel is kept because it wins here, and goes when it loses. `python -m benchmarks.kernels` times every case by
alternating rounds and writes tables/kernels.md; `benchmarks/test_kernels.py` times the same cases one by one.

A derivative is timed inside a pass, over a recorded graph that is kept: that of `sum(w * f(x))`, so that its cotangent
comes from another node, as it does in a program. The NumPy form multiplies by w as well. Small inputs are taken ten at
a time, ten roots of one pass, to see the node's cost beside the call's.
"""

from __future__ import annotations

import operator
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

SMALL, LARGE = 100, 1_000_000


class Case(NamedTuple):
    """One kernel on one input: both callables compute the same value."""

    kernel: str
    name: str
    zen: Callable[[], Any]
    numpy: Callable[[], Any]


def normal(*shape: int, seed: int = 0) -> Array:
    return np.random.default_rng([seed, *shape]).standard_normal(shape).astype(np.float32)


def backward(function: Callable[..., Any], weights: Array, *arrays: Array) -> Callable[[], Any]:
    """The gradients of sum(weights * function(*arrays)), the graph recorded beforehand."""
    from zen import backend

    inputs, roots = [], []
    for _ in range(repeats(weights)):
        own = [backend.leaf(a, True) for a in arrays]
        roots.append((function(*own) * weights).sum())
        inputs += own
    run, seeds = backend.run, [np.ones((), weights.dtype)] * len(roots)
    return lambda: run(roots, seeds, inputs, retain_graph=True)


def by_hand(vjp: Callable[[Array], Any], weights: Array) -> Callable[[], Any]:
    """The same in NumPy: `vjp` of the cotangent, as often."""
    one, count = np.ones((), weights.dtype), range(repeats(weights))
    if isinstance(vjp(weights), tuple):
        return lambda: [gradient for _ in count for gradient in vjp(one * weights)]
    return lambda: [vjp(one * weights) for _ in count]


def repeats(weights: Array) -> int:
    return 10 if weights.size < 10_000 else 1


# -- Broadcasting undone ------------------------------------------------------------------------------------------

PATTERNS: dict[str, tuple[Sequence[int], bool]] = {
    "none": ((), False),
    "leading": ((0,), False),
    "leading two": ((0, 1), False),
    "leading, kept": ((0,), True),
    "middle": ((1,), True),
    "trailing": ((2,), True),
    "trailing two": ((1, 2), True),
    "outer and inner": ((0, 2), True),
    "all, kept": ((0, 1, 2), True),
    "all": ((0, 1, 2), False),
}
"""The axes that broadcasting stretched, and whether the input had them with length 1 or not at all."""


def unbroadcast_cases() -> Iterator[Case]:
    from zen import backend

    for size, shape in (("small", (4, 5, 6)), ("large", (64, 128, 128))):
        inputs = {"": normal(*shape), ", transposed": normal(*shape[::-1]).T}
        for layout, array in inputs.items():
            for name, (axes, keep) in PATTERNS.items():
                if layout and name not in ("leading", "trailing", "all"):
                    continue
                target = tuple(1 if k in axes else n for k, n in enumerate(shape) if keep or k not in axes)
                yield Case(
                    "unbroadcast", f"{name}{layout}, {size}",
                    partial(backend.unbroadcast, array, target),
                    sum_over(array, tuple(axes), keep, target),
                )  # fmt: skip


def sum_over(array: Array, axes: tuple[int, ...], keep: bool, target: tuple[int, ...]) -> Callable[[], Any]:
    if not axes:
        return lambda: array if array.shape == target else None
    return lambda: array.sum(axis=axes, keepdims=keep)


def fused_broadcast_cases() -> Iterator[Case]:
    """The gradient of a broadcast factor: multiplication and sum in one pass over memory."""
    import zen

    for size, n in (("small", 10), ("large", 1024)):
        a, w = normal(n, n), normal(n, n, seed=1)
        for name, shape, axis in (("leading", (n,), 0), ("trailing", (n, 1), 1)):
            yield Case(
                "multiply and unbroadcast", f"{name}, {size}",
                backward(partial(operator.mul, zen.tensor(a)), w, normal(*shape)),
                by_hand(partial(multiply_and_sum, a, axis), w),
            )  # fmt: skip


def multiply_and_sum(a: Array, axis: int, g: Array) -> Any:
    return (g * a).sum(axis=axis, keepdims=axis == 1)


# -- The pass itself ----------------------------------------------------------------------------------------------


def pass_cases() -> Iterator[Case]:
    from zen import backend

    factor, one = np.array(1.001), np.ones(())
    times = partial(operator.mul, factor)
    for what, apply, by in (("negative", operator.neg, -one), ("multiply", times, factor)):
        x = y = backend.leaf(one, True)
        for _ in range(1000):
            y = apply(y)
        yield Case(
            "traversal", f"1000 nodes of {what}, 0-d",
            partial(backend.run, [y], [one], [x], retain_graph=True), partial(chain_by_hand, by),
        )  # fmt: skip
    for size, n in (("small", SMALL), ("large", LARGE)):
        v = normal(n)
        total, w = np.zeros_like(v), np.ones_like(v)
        y = +backend.leaf(v, True)
        yield Case(
            "accumulation", f"one input used 100 times, {size}", backward(used_often, w, v), by_hand(add_up, w)
        )  # fmt: skip
        yield Case(
            "accumulation", f"into .grad, {size}",
            partial(backend.run, [y], [w], retain_graph=True), partial(np.add, total, w, out=total),
        )  # fmt: skip


def used_often(x: Any) -> Any:
    y = x
    for _ in range(99):
        y = y + x
    return y


def chain_by_hand(factor: Array) -> Array:
    g = np.ones(())
    for _ in range(1000):
        g = g * factor
    return g


def add_up(g: Array) -> Array:
    total = g.copy()
    for _ in range(99):
        total += g
    return total


def record_cases() -> Iterator[Case]:
    import zen

    for name, shape in (("0-d", ()), (f"{SMALL}", (SMALL,)), (f"{LARGE:,}", (LARGE,))):
        a, b = np.asarray(normal(*shape)), np.asarray(normal(*shape, seed=1))
        x, y = zen.tensor(a, requires_grad=True), zen.tensor(b, requires_grad=True)
        yield Case("record", f"x + y, {name}", partial(operator.add, x, y), partial(np.add, a, b))
        yield Case("record", f"tanh(x), {name}", partial(zen.tanh, x), partial(np.tanh, a))


# -- Indexing and products ----------------------------------------------------------------------------------------


def indexing_cases() -> Iterator[Case]:
    draw = np.random.default_rng(2)
    for size, n in (("small", SMALL), ("large", LARGE)):
        keys: dict[str, Any] = {
            "x[1:]": np.s_[1:],
            "x[::2]": np.s_[::2],
            "x[3]": np.s_[3:4],
            "mask": draw.random(n) < 0.5,
            "integers, repeated": draw.integers(0, n, n),
            "integers, ten different": draw.integers(0, 10, n),
        }
        for name, key in keys.items():
            yield indexing_case(f"{name}, {size}", normal(n), key, repeated=name.startswith("integers"))
    rows = draw.integers(0, 1000, 4096)
    yield indexing_case("4096 rows of an embedding of 1000 x 64", normal(1000, 64), rows, repeated=True)


def indexing_case(name: str, a: Array, key: Any, repeated: bool) -> Case:
    w = normal(*a[key].shape, seed=1)
    return Case(
        "indexing, backward", name,
        backward(operator.itemgetter(key), w, a), by_hand(partial(scatter, a, key, repeated), w),
    )  # fmt: skip


def scatter(array: Array, key: Any, repeated: bool, g: Array) -> Array:
    out = np.zeros_like(array)
    if repeated:
        np.add.at(out, key, g)
    else:
        out[key] = g
    return out


def matmul_cases() -> Iterator[Case]:
    import zen

    for m, k, n in ((1, 1, 1), (8, 64, 64), (32, 64, 64), (128, 784, 512)):
        a, b, w = normal(m, k), normal(k, n), normal(m, n)
        x, y = zen.tensor(a), zen.tensor(b)
        yield Case("matmul", f"{m}x{k} @ {k}x{n}", partial(operator.matmul, x, y), partial(np.matmul, a, b))
        yield Case(
            "matmul, backward", f"{m}x{k} @ {k}x{n}", backward(operator.matmul, w, a, b),
            by_hand(partial(matmul_vjp, a, b), w),
        )  # fmt: skip


def matmul_vjp(a: Array, b: Array, g: Array) -> tuple[Array, Array]:
    return g @ b.T, a.T @ g


# -- Every elementwise formula ------------------------------------------------------------------------------------


def elementwise_cases() -> Iterator[Case]:
    """Backward of each elementwise row with one argument, against its formula on NumPy arrays."""
    from zen import backend
    from zen.ops.elementwise import ROWS
    from zen.ops.register import ENGINE_ROWS, arrays

    for n in (SMALL, LARGE):
        for row in ROWS:
            formula = row.vjp[0]
            if len(row.args) != 1 or formula in (None, "0"):
                continue
            low, high = row.domain[0]
            a, w = np.linspace(low, high, n, dtype=np.float32), normal(n, seed=1)
            apply, vjp = backend.unary(ENGINE_ROWS[row.name]), row.compile(formula)
            value = apply(backend.leaf(a, False)).array
            yield Case(
                f"elementwise, backward, {n:,}", f"{row.name}: {shortened(formula)}", backward(apply, w, a),
                by_hand(partial(formula_vjp, vjp, arrays, a, value), w),
            )  # fmt: skip


def formula_vjp(vjp: Callable[..., Any], arrays: Any, a: Array, y: Array, g: Array) -> Any:
    return vjp(arrays, g, a, y)


def shortened(formula: str) -> str:
    return formula if len(formula) <= 40 else formula[:37] + "..."


FAMILIES = (
    unbroadcast_cases, fused_broadcast_cases, pass_cases, record_cases, indexing_cases, matmul_cases,
    elementwise_cases,
)  # fmt: skip


def cases() -> list[Case]:
    """Every case, made ready."""
    return [case for family in FAMILIES for case in family()]


def values(result: Any) -> list[Array]:
    """What a case computed, as arrays."""
    several = result if isinstance(result, list | tuple) else [result]
    return [r.array if hasattr(r, "array") else np.asarray(r) for r in several]


def check(case: Case) -> None:
    """Raise unless both forms agree: shapes, dtypes, values up to rounding."""
    got = case.zen()
    if got is None:  # accumulates into .grad
        return
    expected = values(case.numpy())
    for a, b in zip(values(got), expected, strict=True):
        same = a.shape == b.shape and a.dtype == b.dtype
        if not same or not np.allclose(a, b, rtol=1e-3, atol=1e-3 * float(abs(b).max(initial=0.0)), equal_nan=True):
            raise AssertionError(f"{case.kernel}, {case.name}: zen and NumPy differ")


def main() -> None:
    from statistics import median
    from time import process_time

    from .report import markdown, number, write
    from .rounds import COMPILED, environment, pin
    from .worker import round_of, steps_in

    if os.environ.get("OPENBLAS_NUM_THREADS") != "1":  # is read when NumPy is imported
        os.execve(sys.executable, [sys.executable, "-m", "benchmarks.kernels"], environment(COMPILED, 1))
    pin()
    tables: dict[str, list[list[str]]] = {}
    for case in cases():
        check(case)
        counts = [steps_in(0.004, form) for form in (case.zen, case.numpy)]
        rounds = [[round_of(form, n, process_time) for form, n in zip((case.zen, case.numpy), counts, strict=True)]
                  for _ in range(15)]  # fmt: skip
        zen, numpy = (median(column) for column in zip(*rounds, strict=True))
        print(f"{case.kernel}: {case.name} {number(zen)} {number(numpy)} {number(numpy / zen)}", flush=True)
        row = [case.name, number(zen), number(numpy), number(numpy / zen)]
        tables.setdefault(case.kernel, []).append(row)
    sections = [
        "Microseconds of processor time, medians of 15 alternating rounds, one thread: zen's kernel against its NumPy "
        "form. Backward passes hold a multiplication besides; those over fewer than 10,000 elements are ten at a time."
    ]
    for kernel, rows in tables.items():
        sections.append(f"## {kernel}\n\n{markdown(['', 'zen', 'NumPy', 'times faster'], rows)}")
    write("kernels", "Kernels", sections)


if __name__ == "__main__":
    main()
