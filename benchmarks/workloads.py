"""The seven workloads, and how each library computes one gradient of them. `benchmarks/worker.py` runs them.

A workload is its data (parameters, whose gradients are asked for, and constants) and a loss. The loss is written
over a namespace `np` for the libraries that use NumPy's names (zen, HIPS autograd, JAX) and once more where
PyTorch's own names differ. A step is one gradient: gradients cleared, forward, backward. The softmax cross
entropy is written out, so that every library records the same operations.

Nothing here is imported before it is asked for: a worker process loads NumPy and one library.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any, NamedTuple

import numpy
from numpy.typing import NDArray

Array = NDArray[Any]
Step = Callable[[], Any]


class Data(NamedTuple):
    """What a workload computes on. Gradients are taken with respect to `parameters`."""

    parameters: list[Array]
    constants: list[Array]


class Workload(NamedTuple):
    """One workload: `loss(np, *parameters, *constants)` for NumPy's names, `torch_loss` for PyTorch's."""

    name: str
    what: str
    data: Callable[[], Data]
    loss: Callable[..., Any]
    torch_loss: Callable[..., Any]


# -- The losses ---------------------------------------------------------------------------------------------------


def scalar(np: Any, x: Any) -> Any:
    y = x
    for _ in range(50):
        y = y * x + x
    return y


def mlp(np: Any, w1: Any, b1: Any, w2: Any, b2: Any, w3: Any, b3: Any, inputs: Any, targets: Any) -> Any:
    h = np.tanh(inputs @ w1 + b1)
    h = np.tanh(h @ w2 + b2)
    logits = h @ w3 + b3
    log_probabilities = logits - np.log(np.sum(np.exp(logits), axis=1, keepdims=True))
    return -np.sum(log_probabilities * targets) / inputs.shape[0]


def mlp_torch(torch: Any, w1: Any, b1: Any, w2: Any, b2: Any, w3: Any, b3: Any, inputs: Any, targets: Any) -> Any:
    h = torch.tanh(inputs @ w1 + b1)
    h = torch.tanh(h @ w2 + b2)
    logits = h @ w3 + b3
    log_probabilities = logits - torch.log(torch.sum(torch.exp(logits), dim=1, keepdim=True))
    return -torch.sum(log_probabilities * targets) / inputs.shape[0]


def elementwise(np: Any, x: Any) -> Any:
    return (np.tanh(2 * x + 1) * np.exp(-x * x) + x).sum()


def broadcast(np: Any, a: Any, b: Any) -> Any:
    return (a * b + b).sum()


def rnn(np: Any, u: Any, w: Any, bias: Any, inputs: Any, h: Any) -> Any:
    for t in range(inputs.shape[0]):
        h = np.tanh(inputs[t] @ u + h @ w + bias)
    return h.sum()


def rosenbrock(np: Any, x: Any) -> Any:
    return (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()


# -- Their data ---------------------------------------------------------------------------------------------------


def _normal(*shape: int, scale: float = 1.0, seed: int = 0) -> Array:
    return (scale * numpy.random.default_rng([seed, *shape]).standard_normal(shape)).astype(numpy.float32)


def _scalar_data() -> Data:
    return Data([numpy.array(0.6, numpy.float32)], [])


def _mlp_data(batch: int, *widths: int) -> Data:
    parameters = []
    for layer, (n, m) in enumerate(zip(widths[:-1], widths[1:], strict=True)):
        parameters += [_normal(n, m, scale=n**-0.5, seed=layer), _normal(m, scale=0.1, seed=layer)]
    labels = numpy.random.default_rng(1).integers(0, widths[-1], batch)
    return Data(parameters, [_normal(batch, widths[0], seed=9), numpy.eye(widths[-1], dtype=numpy.float32)[labels]])


def _rnn_data() -> Data:
    # Orthogonal and far from saturation: a cotangent that vanished over 200 steps would time denormal arithmetic.
    orthogonal = numpy.linalg.qr(_normal(64, 64))[0]
    parameters = [_normal(16, 64, scale=0.02), orthogonal, _normal(64, scale=0.01)]
    return Data(parameters, [_normal(200, 8, 16), numpy.zeros((8, 64), numpy.float32)])


def _rosenbrock_data() -> Data:
    return Data([numpy.linspace(-1.2, 1.2, 10)], [])


WORKLOADS = {
    workload.name: workload
    for workload in [
        Workload("scalar", "y = y * x + x, 50 times, float32 0-d", _scalar_data, scalar, scalar),
        Workload("mlp_small", "64-64-32-10 tanh MLP, batch 32", lambda: _mlp_data(32, 64, 64, 32, 10), mlp, mlp_torch),
        Workload("mlp_large", "784-512-512-10, batch 128", lambda: _mlp_data(128, 784, 512, 512, 10), mlp, mlp_torch),
        Workload("elem1M", "(tanh(2x + 1) * exp(-x * x) + x).sum(), a million float32",
                 lambda: Data([_normal(1_000_000)], []), elementwise, elementwise),
        Workload("bcast1k", "(A * b + b).sum(), A 1024x1024, b 1024, float32",
                 lambda: Data([_normal(1024, 1024), _normal(1024)], []), broadcast, broadcast),
        Workload("rnn200", "200 steps of h = tanh(X[t] @ U + h @ W + B), 8x16 inputs, 64 hidden", _rnn_data, rnn, rnn),
        Workload("rosen10", "the Rosenbrock function of 10 float64 variables by slices",
                 _rosenbrock_data, rosenbrock, rosenbrock),
    ]
}  # fmt: skip


# -- One gradient in each library ---------------------------------------------------------------------------------


class Task(NamedTuple):
    """A workload made ready in one library: `step` computes the gradients once, `gradients` returns them."""

    step: Step
    gradients: Callable[[], list[Array]]


def zen_task(workload: Workload) -> Task:
    """Eager zen, on the engine that ZEN_BACKEND chose."""
    import zen

    data = workload.data()
    parameters: list[Any] = [zen.tensor(p, requires_grad=True) for p in data.parameters]
    constants = [zen.tensor(c) for c in data.constants]
    loss = workload.loss

    def step() -> None:
        for p in parameters:
            p.grad = None
        loss(zen, *parameters, *constants).backward()

    return Task(step, lambda: [p.grad.numpy() for p in parameters])


def torch_task(workload: Workload) -> Task:
    """Eager PyTorch."""
    torch: Any = import_module("torch")
    data = workload.data()
    parameters = [torch.tensor(p, requires_grad=True) for p in data.parameters]
    constants = [torch.tensor(c) for c in data.constants]
    loss = workload.torch_loss

    def step() -> None:
        for p in parameters:
            p.grad = None
        loss(torch, *parameters, *constants).backward()

    return Task(step, lambda: [p.grad.numpy() for p in parameters])


def autograd_task(workload: Workload) -> Task:
    """HIPS autograd."""
    autograd: Any = import_module("autograd")
    anp: Any = import_module("autograd.numpy")
    data = workload.data()
    arguments = [*data.parameters, *data.constants]
    loss = workload.loss
    gradient = autograd.grad(lambda *a: loss(anp, *a), argnum=tuple(range(len(data.parameters))))
    return Task(lambda: gradient(*arguments), lambda: [numpy.asarray(g) for g in gradient(*arguments)])


def jax_task(workload: Workload) -> Task:
    """JAX, compiled. The first call compiles; it is not part of the time."""
    jax: Any = import_module("jax")
    jnp: Any = import_module("jax.numpy")
    jax.config.update("jax_enable_x64", True)
    data = workload.data()
    arguments = [jnp.asarray(a) for a in [*data.parameters, *data.constants]]
    loss = workload.loss
    gradient = jax.jit(jax.grad(lambda *a: loss(jnp, *a), argnums=tuple(range(len(data.parameters)))))

    def step() -> None:
        jax.block_until_ready(gradient(*arguments))

    return Task(step, lambda: [numpy.asarray(g) for g in gradient(*arguments)])


LIBRARIES: dict[str, Callable[[Workload], Task]] = {
    "zen": zen_task,
    "torch": torch_task,
    "autograd": autograd_task,
    "jax": jax_task,
}


def task(library: str, name: str) -> Task:
    """The workload `name`, ready to run in `library`."""
    return LIBRARIES[library](WORKLOADS[name])
