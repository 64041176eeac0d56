"""One training step of a convolutional network on 28 x 28 images, in zen and in PyTorch, and its bare products.

`python -m benchmarks.layers_conv` measures all three. The network is LeNet-5 (LeCun et al. 1998) with ReLU and largest
values: two convolutions of 5 x 5, three fully connected layers, cross entropy, a batch of 64, float32. A step clears
the gradients, computes the loss and runs backward. Both networks start from the same parameters; set OMP_NUM_THREADS,
OPENBLAS_NUM_THREADS and MKL_NUM_THREADS to 1 for one thread each, and ZEN_BLAS to choose zen's library.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy
from numpy.typing import NDArray

Step = Callable[[], Any]
Array = NDArray[Any]

BATCH = 64
CONVOLUTIONS = [  # output channels, elements of a patch, positions, whether the input's gradient is wanted
    (6, 25, 28 * 28, False),
    (16, 6 * 25, 10 * 10, True),
]
CONNECTED = [(400, 120), (120, 84), (84, 10)]


def data() -> tuple[Array, Array]:
    rng = numpy.random.default_rng(0)
    return rng.normal(size=(BATCH, 1, 28, 28)).astype(numpy.float32), rng.integers(0, 10, BATCH)


def network(nn: Any) -> Any:
    """The network from `zen.nn` or `torch.nn`: the names are the same."""
    return nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10),
    )  # fmt: skip


def parameters() -> dict[str, Array]:
    """Initial values by name."""
    zen: Any = import_module("zen")
    zen.random.seed(0)
    return {name: t.numpy().copy() for name, t in network(zen.nn).state_dict().items()}


def zen_step() -> Step:
    """A step in zen; it returns the gradients."""
    zen: Any = import_module("zen")
    model, (images, targets) = network(zen.nn), data()
    model.load_state_dict(parameters())

    def step() -> list[Any]:
        model.zero_grad()
        zen.f.cross_entropy(model(images), targets).backward()
        return [p.grad for p in model.parameters()]

    return step


def torch_step(threads: int = 1) -> Step:
    """The same step in PyTorch; it returns the gradients."""
    torch: Any = import_module("torch")
    torch.set_num_threads(threads)
    model, (images, targets) = network(torch.nn), [torch.tensor(a) for a in data()]
    model.load_state_dict({name: torch.tensor(a) for name, a in parameters().items()})

    def step() -> list[Any]:
        model.zero_grad()
        torch.nn.functional.cross_entropy(model(images), targets).backward()
        return [p.grad for p in model.parameters()]

    return step


def products_step() -> Step:
    """The matrix products of a step and nothing else, in the library that zen uses: one for each image and layer.

    The gradient in the first layer's input is not needed. Results are allocated by the library's function.
    """
    product = import_module("zen._core._blas").product
    rng = numpy.random.default_rng(0)

    def matrix(rows: int, columns: int) -> Array:
        return rng.normal(size=(rows, columns)).astype(numpy.float32)

    pairs: list[tuple[Array, Array]] = []
    for channels, patch, positions, wanted in CONVOLUTIONS:
        weight, columns, g = matrix(channels, patch), matrix(patch, positions), matrix(channels, positions)
        pairs += [(weight, columns), (g, columns.T), *([(weight.T, g)] if wanted else [])] * BATCH
    for before, after in CONNECTED:
        x, weight, g = matrix(BATCH, before), matrix(after, before), matrix(BATCH, after)
        pairs += [(x, weight.T), (g.T, x), (g, weight)]

    def step() -> None:
        for a, b in pairs:
            product(a, b)

    return step


def measure(steps: dict[str, Step], rounds: int = 40, calls: int = 5) -> dict[str, float]:
    """Seconds of a call, the least of all; the steps take turns, so that all see the same machine."""
    best = dict.fromkeys(steps, float("inf"))
    for _ in range(rounds):
        for name, step in steps.items():
            for _ in range(calls):
                start = time.perf_counter()
                step()
                best[name] = min(best[name], time.perf_counter() - start)
    return best


def main() -> None:
    steps = {"zen": zen_step(), "PyTorch": torch_step(int(os.environ.get("OMP_NUM_THREADS", "1")))}
    for ours, theirs in zip(*[step() for step in steps.values()], strict=True):
        numpy.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=1e-3, atol=1e-5)
    best = measure({**steps, "bare products": products_step()})
    blas = import_module("zen._core._blas").blas
    print(f"zen with the BLAS of {blas}, batch {BATCH}, one step:")
    for name, seconds in best.items():
        print(f"  {name:14s} {seconds * 1e6:7.0f} us")
    print(f"  zen runs at {best['PyTorch'] / best['zen']:.2f} times PyTorch's speed")


if __name__ == "__main__":
    main()
