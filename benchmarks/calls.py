"""What a call costs beside its arithmetic: `OPENBLAS_NUM_THREADS=1 python -m benchmarks.calls [names ...]`.

Each case is a call on ten float64 elements and the bare form that does the same arithmetic with the least around it;
the difference is what the call costs. Both are timed in turn, so that their difference does not drift. For writes the
bare form makes the Tensor that is written to. ZEN_BACKEND picks the engine.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from statistics import median
from typing import Any, NamedTuple

import numpy as np

import zen
from zen import backend

from . import report
from .rounds import pin

SIZE = 10


class Case(NamedTuple):
    name: str
    call: Callable[[], Any]
    bare: Callable[[], Any]
    goal: float
    """Microseconds that the call may cost beside the bare form."""


def f(x: Any) -> Any:
    return (x * x).sum()


def of_dict(p: Any) -> Any:
    return (p["a"] * p["b"] + p["c"] * p["d"] + p["e"]).sum()


def passed(function: Callable[..., Any], x: Any, cotangent: Any = None) -> None:
    """`function` of a Tensor or a dict of them, and the backward pass."""
    function(x).backward(cotangent)
    for t in x.values() if isinstance(x, dict) else [x]:
        t.grad = None


def cases() -> Iterator[Case]:
    rng = np.random.default_rng(0)
    array, other = rng.normal(size=(2, SIZE))
    x, direction = zen.tensor(array), zen.tensor(other)
    w = zen.tensor(array, requires_grad=True)
    arrays = dict(zip("abcde", rng.normal(size=(5, SIZE)), strict=True))
    leaves = {key: zen.tensor(a, requires_grad=True) for key, a in arrays.items()}
    yield from numpy_calls(w)
    yield from gradients(array, x, w, arrays, leaves)
    yield from directions(other, direction, array, x, w)
    yield from writes(w)
    yield from functions(array, w)
    yield from layers(rng)


def numpy_calls(w: Any) -> Iterator[Case]:
    yield Case("np.tanh(t)", lambda: np.tanh(w), lambda: zen.tanh(w), 0.5)
    yield Case("np.multiply(t, t)", lambda: np.multiply(w, w), lambda: zen.multiply(w, w), 0.5)
    yield Case("np.sum(t)", lambda: np.sum(w), lambda: zen.sum(w), 1.0)


def gradients(array: Any, x: Any, w: Any, arrays: Any, leaves: Any) -> Iterator[Case]:
    both, gradient = zen.value_and_grad(f), zen.grad(f)
    of_five = zen.value_and_grad(of_dict)
    yield Case("value_and_grad(f)(array)", lambda: both(array), lambda: passed(f, w), 3)
    yield Case("value_and_grad(f)(t)", lambda: both(x), lambda: passed(f, w), 3)
    yield Case("grad(f)(array)", lambda: gradient(array), lambda: passed(f, w), 3)
    yield Case("zen.grad(f)(array)", lambda: zen.grad(f)(array), lambda: passed(f, w), 3)
    yield Case("value_and_grad(f)(five arrays)", lambda: of_five(arrays), lambda: passed(of_dict, leaves), 3)


def directions(other: Any, direction: Any, array: Any, x: Any, w: Any) -> Iterator[Case]:
    def square(v: Any) -> Any:
        return v * v

    def pulled(v: Any, g: Any) -> Any:
        return zen.vjp(square, v)[1](g)

    yield Case("vjp, array", lambda: pulled(array, other), lambda: passed(square, w, direction), 3)
    yield Case("vjp, t", lambda: pulled(x, direction), lambda: passed(square, w, direction), 3)
    yield Case("jvp, array", lambda: zen.jvp(square, (array,), (other,)), lambda: passed(square, w, direction), 3)
    yield Case("jvp, t", lambda: zen.jvp(square, (x,), (direction,)), lambda: passed(square, w, direction), 3)


def writes(w: Any) -> Iterator[Case]:
    number, part = zen.tensor(1.5, requires_grad=True), zen.tensor([1.0, 2.0, 3.0], requires_grad=True)

    def at() -> None:
        y = +w
        y[3] = number

    def along() -> None:
        y = +w
        y[2:5] = part

    def added() -> None:
        y = +w
        y += w

    def made() -> None:
        y = +w
        del y

    yield Case("y[i] = t", at, made, 2)
    yield Case("y[a:b] = t", along, made, 2)
    yield Case("y += t", added, made, 2)


def functions(a: Any, w: Any) -> Iterator[Case]:
    matrix, vector = a.reshape(2, 5), a[:5].reshape(5, 1)
    m, v = (zen.tensor(x, requires_grad=True) for x in (matrix, vector))

    def deviation() -> Any:
        d = a - np.add.reduce(a) / SIZE
        return np.sqrt(np.add.reduce(d * d) / SIZE)

    yield Case("concat([t, t])", lambda: zen.concat([w, w]), lambda: np.concatenate([a, a]), 2)
    yield Case("stack([t, t])", lambda: zen.stack([w, w]), lambda: np.concatenate([a, a]).reshape(2, SIZE), 2)
    yield Case("max(t)", lambda: zen.max(w), lambda: np.maximum.reduce(a), 2)
    yield Case("t.max(0)", lambda: w.max(0), lambda: np.maximum.reduce(a), 2)
    yield Case("std(t)", lambda: zen.std(w), deviation, 2)
    yield Case("norm(t)", lambda: zen.f.norm(w), lambda: np.sqrt(np.add.reduce(a * a)), 2)
    yield Case("einsum('ij,jk->ik', t, t)", lambda: zen.einsum("ij,jk->ik", m, v), lambda: matrix @ vector, 4)
    yield Case("einsum('i,i', t, t)", lambda: zen.einsum("i,i", w, w), lambda: a @ a, 4)


def layers(rng: Any) -> Iterator[Case]:
    layer, image = zen.nn.Conv2d(1, 1, 2), zen.tensor(rng.normal(size=(1, 1, 3, 3)), dtype="float32")
    arrays = [t.array for t in (image, layer.weight, layer.bias)]
    plan = (1, 1), (0, 0), (1, 1), 1
    yield Case("Conv2d(1, 1, 2)(t)", lambda: layer(image), lambda: backend.kernels.conv.conv2d(*arrays, *plan), 3)


def per_call(function: Callable[[], Any], count: int) -> float:
    """Microseconds of processor time."""
    start = time.process_time()
    for _ in range(count):
        function()
    return (time.process_time() - start) / count * 1e6


def measured(case: Case, rounds: int) -> tuple[float, float]:
    """Medians for the call and for its bare form."""
    for form in (case.call, case.bare):
        per_call(form, 200)
    count = max(100, int(5000 / per_call(case.call, 200)))  # about 5 ms
    pairs = [(per_call(case.call, count), per_call(case.bare, count)) for _ in range(rounds)]
    return median([p[0] for p in pairs]), median([p[1] for p in pairs])


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.calls", description=__doc__)
    parser.add_argument("names", nargs="*", help="parts of the names of cases (default: all)")
    parser.add_argument("--rounds", type=int, default=40)
    options = parser.parse_args()
    pin()
    rows = []
    for case in cases():
        if options.names and not any(part in case.name for part in options.names):
            continue
        call, bare = measured(case, options.rounds)
        rows.append([case.name, *map(report.number, (call, bare, call - bare, case.goal))])
    table = report.markdown(["", "call", "bare", "beside it", "goal"], rows)
    about = (
        f"Microseconds of processor time on {SIZE} float64 elements, medians of {options.rounds} alternating rounds."
    )
    if options.names or zen.backend.NAME != "compiled":
        print(table)
    else:
        report.write("calls", "What a call costs beside its arithmetic", [about, table])


if __name__ == "__main__":
    main()
