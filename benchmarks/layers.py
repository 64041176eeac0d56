"""Training steps of models built from `zen.nn` and `zen.optim`, beside PyTorch: `python -m benchmarks.layers`.

zen's modules have PyTorch's names and arguments, so each model is written once, over the namespaces `nn` and `optim`.
A step is forward, loss, backward and a step of Adam; in adam100 it is the optimiser's step alone. Both libraries start
from the same parameters, and their gradients are compared before anything is timed. Beside them stand the bare matrix
products of the step, through NumPy: what its BLAS allows. `--single` times single layers: forward and backward, the
gradient of their input included.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from importlib import import_module
from typing import Any, NamedTuple

import numpy

from . import report
from .rounds import COMPILED, MKL, PYTORCH, REFERENCE, Engine, measure, pin
from .workloads import Array, Task

NUMPY_PRODUCTS = Engine("bare products, NumPy", "products:numpy", {})
PYTORCH_PRODUCTS = Engine("bare products, PyTorch", "products:torch", {})


class Model(NamedTuple):
    """One workload. `products` lists (count, m, k, n): that many products (m, k) @ (k, n) in one step."""

    name: str
    what: str
    build: Callable[[Any], Any]
    inputs: Callable[[numpy.random.Generator], tuple[Array, Array]]
    loss: Callable[[Any], Callable[..., Any]]
    products: list[tuple[int, int, int, int]] = []
    goal: float = 0
    mkl_goal: float | None = None


def single(name: str, shape: tuple[int, ...], build: Callable[[Any], Any]) -> Model:
    """One layer on inputs of this shape: the sum of its outputs' tanh. No optimiser; the input has a gradient."""
    return Model(name, f"on {' x '.join(map(str, shape))}", build, lambda rng: (normal(rng, *shape), normal(rng, 1)),
                 lambda nn: lambda out, target: out.tanh().sum())  # fmt: skip


def digits_mlp(nn: Any) -> Any:
    return nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 64), nn.ReLU(), nn.Linear(64, 10))


def lenet(nn: Any) -> Any:
    return nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10),
    )  # fmt: skip


def lstm(nn: Any) -> Any:
    return nn.LSTM(64, 64)


def transformer(nn: Any) -> Any:
    return nn.TransformerEncoderLayer(128, 4, 512, dropout=0.0, batch_first=True, norm_first=True)


def many(nn: Any) -> Any:
    return nn.ParameterList([nn.Linear(32, 32).weight if k % 2 else nn.Linear(1, 32).bias for k in range(100)])


def thrice(*shapes: tuple[int, int, int, int]) -> list[tuple[int, int, int, int]]:
    """The products of a step: each of the forward pass, and its two gradients, which need as many multiplications."""
    return [p for count, m, k, n in shapes for p in ((count, m, k, n), (count, m, n, k), (count, k, m, n))]


def normal(rng: numpy.random.Generator, *shape: int) -> Array:
    return rng.standard_normal(shape).astype(numpy.float32)


def of_classes(*shape: int) -> Callable[[numpy.random.Generator], tuple[Array, Array]]:
    return lambda rng: (normal(rng, *shape), rng.integers(0, 10, shape[0]))


def of_values(*shape: int) -> Callable[[numpy.random.Generator], tuple[Array, Array]]:
    return lambda rng: (normal(rng, *shape), normal(rng, *shape))


MODELS = {
    m.name: m
    for m in [
        Model("digits_mlp", "64-128-64-10 with ReLU, cross entropy, batch 64, Adam", digits_mlp, of_classes(64, 64),
              lambda nn: nn.CrossEntropyLoss(), thrice((1, 64, 64, 128), (1, 64, 128, 64), (1, 64, 64, 10)), 3),
        Model("lstm", "LSTM, 64 inputs and 64 hidden, 100 steps, batch 16, mean squared error, Adam", lstm,
              of_values(100, 16, 64), lambda nn: nn.MSELoss(), thrice((1, 1600, 64, 256), (100, 16, 64, 256)), 2),
        Model("adam100", "the Adam step over 50 weights of 32 x 32 and 50 biases of 32", many, of_values(1),
              lambda nn: None, [], 10),
        Model("lenet", "LeNet-style convnet, 28 x 28, batch 64, Adam", lenet, of_classes(64, 1, 28, 28),
              lambda nn: nn.CrossEntropyLoss(),
              thrice((64, 6, 25, 784), (64, 16, 150, 100), (1, 64, 400, 120), (1, 64, 120, 84), (1, 64, 84, 10)),
              0.7, 1.0),
        Model("transformer", "one block, width 128, 4 heads, 512 hidden, 64 places, batch 16, Adam", transformer,
              of_values(16, 64, 128), lambda nn: nn.MSELoss(),
              thrice((1, 1024, 128, 384), (64, 64, 32, 64), (64, 64, 64, 32), (1, 1024, 128, 128), (1, 1024, 128, 512),
                     (1, 1024, 512, 128)), 0.7, 1.0),
    ]
}  # fmt: skip


SINGLES = {
    m.name: m
    for m in [
        single("Linear(128, 128)", (64, 128), lambda nn: nn.Linear(128, 128)),
        single("Conv2d(1, 6, 5)", (64, 1, 28, 28), lambda nn: nn.Conv2d(1, 6, 5, padding=2)),
        single("Conv2d(6, 16, 5)", (64, 6, 14, 14), lambda nn: nn.Conv2d(6, 16, 5)),
        single("Conv2d(16, 32, 3)", (32, 16, 14, 14), lambda nn: nn.Conv2d(16, 32, 3, padding=1)),
        single("Conv2d(32, 64, 1)", (32, 32, 14, 14), lambda nn: nn.Conv2d(32, 64, 1)),
        single("Conv2d(32, 32, 3), depthwise", (32, 32, 14, 14), lambda nn: nn.Conv2d(32, 32, 3, padding=1, groups=32)),
        single("ConvTranspose2d(16, 8, 4)", (32, 16, 7, 7), lambda nn: nn.ConvTranspose2d(16, 8, 4, 2, 1)),
        single("Conv1d(16, 32, 5)", (32, 16, 200), lambda nn: nn.Conv1d(16, 32, 5, padding=2)),
        single("MaxPool2d(2)", (64, 16, 28, 28), lambda nn: nn.MaxPool2d(2)),
        single("AvgPool2d(2)", (64, 16, 28, 28), lambda nn: nn.AvgPool2d(2)),
        single("BatchNorm2d(32)", (64, 32, 14, 14), lambda nn: nn.BatchNorm2d(32)),
        single("LayerNorm(128)", (1024, 128), lambda nn: nn.LayerNorm(128)),
        single("RMSNorm(128)", (1024, 128), lambda nn: nn.RMSNorm(128)),
        single("GroupNorm(8, 32)", (64, 32, 14, 14), lambda nn: nn.GroupNorm(8, 32)),
        single("Softmax", (1024, 128), lambda nn: nn.Softmax(-1)),
        single("GELU", (1024, 128), lambda nn: nn.GELU()),
        single("RNN(64, 64)", (100, 16, 64), lambda nn: nn.RNN(64, 64)),
        single("GRU(64, 64)", (100, 16, 64), lambda nn: nn.GRU(64, 64)),
        single("LSTM(64, 64)", (100, 16, 64), lambda nn: nn.LSTM(64, 64)),
    ]
}  # fmt: skip


def parameters_of(model: Any, seed: int = 0) -> dict[str, Array]:
    """The same values for every library: normal, scaled by the number of inputs."""
    found = {}
    for name, p in sorted(model.named_parameters()):
        shape = tuple(p.shape)
        rng = numpy.random.default_rng([seed, len(found)])
        scale = float(numpy.prod(shape[1:])) ** -0.5 if len(shape) > 1 else 0.1
        found[name] = (scale * rng.standard_normal(shape)).astype(numpy.float32) + (len(shape) == 1 and "norm" in name)
    return found


def task(library: str, name: str) -> Task:
    """The model, ready to run in `library`: zen or torch."""
    alone = name in SINGLES
    chosen = SINGLES[name] if alone else MODELS[name]
    x, y = chosen.inputs(numpy.random.default_rng(1))
    nn, optim = import_module(f"{library}.nn"), import_module(f"{library}.optim")
    tensor: Any = import_module(library).tensor
    model: Any = chosen.build(nn)
    values = parameters_of(model)
    model.load_state_dict({n: tensor(values[n]) if n in values else t for n, t in model.state_dict().items()})
    optimiser = None if alone else optim.Adam(model.parameters(), lr=1e-3)
    given, target, loss = tensor(x, requires_grad=alone), tensor(y), chosen.loss(nn)
    first: list[Array] = []

    def gradients() -> list[Array]:
        return first

    def keep() -> None:
        first.extend(p.grad.numpy().copy() for _, p in sorted(model.named_parameters()))
        if alone:
            first.append(given.grad.numpy().copy())

    if optimiser is not None and loss is None:
        for n, p in sorted(model.named_parameters()):
            p.grad = tensor(values[n])
        keep()
        return Task(optimiser.step, gradients)

    def backward() -> None:
        model.zero_grad()
        given.grad = None
        out = model(given)
        loss(out[0] if isinstance(out, tuple) else out, target).backward()

    def step() -> None:
        backward()
        optimiser.step()

    backward()
    keep()
    return Task(backward if optimiser is None else step, gradients)


def products(library: str, name: str) -> Task:
    """The bare products of one step in `library`: numpy or torch. They have no gradients to compare."""
    module: Any = import_module(library)
    convert = module.from_numpy if library == "torch" else (lambda a: a)
    rng = numpy.random.default_rng(0)
    calls = []
    for count, m, k, n in MODELS[name].products:
        triple = (normal(rng, m, k), normal(rng, k, n), numpy.empty((m, n), numpy.float32))
        calls += [tuple(map(convert, triple))] * count
    multiply = module.matmul

    def step() -> None:
        for a, b, out in calls:
            multiply(a, b, out=out)

    return Task(step, list)


def time_singles(options: argparse.Namespace) -> None:
    times = measure([COMPILED, REFERENCE, PYTORCH], SINGLES, rounds=options.rounds, seconds=options.seconds, threads=1,
                    progress=lambda line: print(line, flush=True))  # fmt: skip
    rows = []
    for name, model in SINGLES.items():
        zen, reference, torch = (times.median(engine.title, name) for engine in (COMPILED, REFERENCE, PYTORCH))
        ratios = zen, reference, torch, reference / zen, torch / zen
        rows.append([f"{name}, {model.what}", *map(report.number, ratios)])
    head = ["", "compiled", "reference", "PyTorch", "times faster than reference", "than PyTorch"]
    report.write("single-layers", "Single layers, 1 thread", [
        "Forward and backward, with the gradients of parameters and input; microseconds of processor time, medians of "
        f"{options.rounds} alternating rounds of {options.seconds * 1e3:.0f} ms.",
        report.markdown(head, rows),
    ])  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.layers", description=__doc__)
    parser.add_argument("models", nargs="*", help="default: all of them", metavar=f"{{{','.join(MODELS)}}}")
    parser.add_argument("--mkl", action="store_true", help="zen through MKL")
    parser.add_argument("--single", action="store_true", help="single layers instead of models")
    parser.add_argument("--rounds", type=int, default=40, help="alternating rounds (default: 40)")
    parser.add_argument("--seconds", type=float, default=0.05, help="length of one round (default: 0.05)")
    options = parser.parse_args()
    pin()
    if options.single:
        time_singles(options)
    else:
        time_models(options)


def time_models(options: argparse.Namespace) -> None:
    names = options.models or list(MODELS)
    engines = [MKL if options.mkl else COMPILED, REFERENCE, PYTORCH]
    show = {"rounds": options.rounds, "seconds": options.seconds, "threads": 1}
    times = measure(engines, names, progress=lambda line: print(line, flush=True), **show)
    bare = [n for n in names if MODELS[n].products]
    beside = measure([NUMPY_PRODUCTS, PYTORCH_PRODUCTS], bare, progress=print, **show) if bare else None
    goals = {"PyTorch": {n: (MODELS[n].mkl_goal or MODELS[n].goal) if options.mkl else MODELS[n].goal for n in names}}
    table = report.workload_table(times, names, times.median, engines[0].title, goals)
    versions = "; ".join(f"{title}: {v}" for title, v in times.versions.items())
    sections = [
        f"One training step, microseconds of processor time, one thread each. {versions}.",
        "\n".join(f"- {n}: {MODELS[n].what}" for n in names),
        f"Medians of {options.rounds} alternating rounds of {options.seconds * 1e3:.0f} ms:\n\n{table}",
    ]
    if beside is not None:
        bare_table = report.workload_table(beside, bare, beside.median, NUMPY_PRODUCTS.title, {})
        sections.append(f"The matrix products of the same steps, and nothing else:\n\n{bare_table}")
    report.write("layers-mkl" if options.mkl else "layers", "Training steps, 1 thread", sections)


if __name__ == "__main__":
    main()
