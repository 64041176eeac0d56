"""An LSTM and a transformer block beside PyTorch: `python -m benchmarks.layers_sequence`.

One training step each, forward, mean squared error and backward, in both libraries from the same parameters, whose
gradients are compared first. All run in this process, on one thread, in alternating rounds; medians are shown. Beside
them stand the step's bare matrix products through zen's BLAS (ZEN_BLAS=numpy or mkl chooses it), which are what is left
when everything else costs nothing.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from importlib import import_module
from statistics import median
from typing import Any, NamedTuple

import numpy

from .rounds import Engine, environment, pin
from .worker import round_of, steps_in
from .workloads import Array

Step = Callable[[], Any]


class Model(NamedTuple):
    """One workload. `products` lists (count, m, k, n): that many products (m, k) @ (k, n) in a step."""

    what: str
    build: Callable[[Any], Any]
    shape: tuple[int, ...]
    products: list[tuple[int, int, int, int]]


def lstm_products(steps: int, batch: int, inputs: int, hidden: int) -> list[tuple[int, int, int, int]]:
    rows, width = steps * batch, 4 * hidden
    return [
        (1, rows, inputs, width), (steps, batch, hidden, width), (steps, batch, width, hidden),
        (1, width, rows, inputs), (1, width, rows, hidden),
    ]  # fmt: skip


def block_products(batch: int, length: int, width: int, heads: int, inner: int) -> list[tuple[int, int, int, int]]:
    rows, depth = batch * length, width // heads
    found = []
    for n, m, times in ((width, 3 * width, 1), (width, width, 2), (width, inner, 2), (inner, width, 2)):
        found += [(1, rows, n, m), (1, m, rows, n)] + [(1, rows, m, n)] * (times - 1)  # the input needs no gradient
    pairs = batch * heads
    return [*found, (2 * pairs, length, depth, length), (4 * pairs, length, length, depth)]


MODELS = {
    "lstm": Model("LSTM(64, 64), 100 steps, batch 16", lambda nn: nn.LSTM(64, 64), (100, 16, 64),
                  lstm_products(100, 16, 64, 64)),
    "gru": Model("GRU(64, 64), 100 steps, batch 16", lambda nn: nn.GRU(64, 64), (100, 16, 64), []),
    "block": Model("transformer block, width 128, 4 heads, 64 rows, batch 16, inner width 512",
                   lambda nn: nn.TransformerEncoderLayer(128, 4, 512, dropout=0.0, batch_first=True), (16, 64, 128),
                   block_products(16, 64, 128, 4, 512)),
}  # fmt: skip


def normal(seed: int, *shape: int) -> Array:
    return numpy.random.default_rng(seed).standard_normal(shape).astype(numpy.float32)


def step_of(library: str, model: Model, state: dict[str, Any]) -> tuple[Step, Callable[[], list[Array]]]:
    """A training step in `library` (zen or torch), and its gradients."""
    module: Any = import_module(library)
    net = model.build(import_module(f"{library}.nn"))
    net.load_state_dict({key: module.from_numpy(value) for key, value in state.items()})
    # All results have the input's shape. A target, as the mean square of a normalised result alone has no gradient.
    x, target = (module.from_numpy(normal(seed, *model.shape)) for seed in (0, 1))
    parameters = list(net.parameters())

    def step() -> None:
        for p in parameters:
            p.grad = None
        y = net(x)
        error = (y[0] if isinstance(y, tuple) else y) - target
        (error * error).mean().backward()

    return step, lambda: [p.grad.numpy() for p in parameters]


def products_of(model: Model) -> Step:
    """The bare products, on arrays of their own, through zen's BLAS."""
    product = import_module("zen._core._blas").product
    pairs = [(count, normal(0, m, k), normal(1, k, n)) for count, m, k, n in model.products]

    def step() -> None:
        for count, a, b in pairs:
            for _ in range(count):
                product(a, b)

    return step


def state_of(model: Model) -> dict[str, Any]:
    """Parameters for both: PyTorch's initial ones."""
    torch: Any = import_module("torch")
    torch.manual_seed(0)
    return {key: value.detach().numpy() for key, value in model.build(torch.nn).state_dict().items()}


def prepare(model: Model) -> dict[str, Step]:
    """The steps, after a comparison of their gradients."""
    state, steps, found = state_of(model), {}, []
    for library in ("zen", "torch"):
        steps[library], gradients = step_of(library, model, state)
        steps[library]()
        found.append([numpy.array(g) for g in gradients()])
    for ours, theirs in zip(*found, strict=True):
        error = float(abs(ours - theirs).max() / (abs(theirs).max() or 1))
        if not error < 2e-4:
            raise AssertionError(f"{model.what}: gradients differ by {error:.1e} of the largest element")
    if model.products:
        steps["products"] = products_of(model)
    return steps


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.layers_sequence", description=__doc__)
    parser.add_argument("models", nargs="*", default=list(MODELS))
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--seconds", type=float, default=0.05)
    options = parser.parse_args()
    wanted = environment(Engine("", "zen"), threads=1)
    if any(os.environ.get(key) != value for key, value in wanted.items()):
        os.execve(sys.executable, [sys.executable, "-m", "benchmarks.layers_sequence", *sys.argv[1:]], wanted)
    pin()
    import_module("torch").set_num_threads(1)
    blas = import_module("zen._core._blas").blas
    for name in options.models:
        steps = prepare(MODELS[name])
        counts = {key: steps_in(options.seconds, step) for key, step in steps.items()}
        times: dict[str, list[float]] = {key: [] for key in steps}
        for _ in range(options.rounds):
            for key, step in steps.items():
                times[key].append(round_of(step, counts[key]))
        medians = {key: median(found) for key, found in times.items()}
        text = ", ".join(f"{key} {value:.0f} us" for key, value in medians.items())
        ratio = medians["torch"] / medians["zen"]
        print(f"{MODELS[name].what} (BLAS: {blas}): {text}; zen is {ratio:.2f} times as fast as PyTorch", flush=True)


if __name__ == "__main__":
    main()
