"""The learning loop of the scalar tutorial, on `zen.compat.scalar` and in the vectorised form that it announced.

    python -m benchmarks.scalar_layer [--rounds 5] [--plot out/scalar_layer.png]

100 steps of gradient descent on a linear layer, 50 inputs and 10 outputs, of one example: once with a node for each
number in NumPy arrays of objects, once with one Tensor for all weights. Both must have the same losses. Prints a
Markdown table of medians; --plot draws the losses, as the tutorial does (needs matplotlib).
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

import zen
from zen.compat.scalar import get_gradients, to_var

INPUTS, OUTPUTS, RATE, STEPS = 50, 10, 0.001, 100


def draws() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Input, target and first weights, the tutorial's."""
    state = np.random.RandomState(0)
    return state.random_sample(INPUTS), state.random_sample(OUTPUTS), state.random_sample((INPUTS, OUTPUTS))


def scalar() -> list[float]:
    x, y_true, weights = (to_var(a) for a in draws())
    losses = []
    for _ in range(STEPS):
        y_pred = np.dot(x, weights)
        loss = np.sum((y_true - y_pred) * (y_true - y_pred))
        losses.append(loss.value)
        gradients = get_gradients(loss)
        for weight in weights.flat:
            weight.value -= RATE * gradients[weight]
    return losses


def vectorised() -> list[float]:
    x, y_true, start = draws()
    weights = zen.tensor(start, requires_grad=True)
    losses = []
    for _ in range(STEPS):
        error = y_true - x @ weights
        loss = (error * error).sum()
        losses.append(loss.item())
        loss.backward()
        weights.value -= RATE * weights.gradient
        weights.grad = None
    return losses


def timed(form: Callable[[], list[float]]) -> tuple[float, list[float]]:
    start = time.perf_counter()
    losses = form()
    return time.perf_counter() - start, losses


def main() -> None:
    parser = argparse.ArgumentParser(description="the scalar tutorial's learning loop, two ways")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--plot", type=Path)
    options = parser.parse_args()
    forms = (scalar, vectorised)
    rounds = [[timed(form) for form in forms] for _ in range(options.rounds)]
    losses = [found for _, found in rounds[-1]]
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-9)
    seconds = [statistics.median(r[k][0] for r in rounds) for k in range(2)]
    print("| form | ms per step | first loss | last loss |")
    print("| --- | --: | --: | --: |")
    for form, s, found in zip(forms, seconds, losses, strict=True):
        print(f"| {form.__name__} | {1000 * s / STEPS:.3f} | {found[0]:.6f} | {found[-1]:.6f} |")
    print(f"\nvectorised, times faster: {seconds[0] / seconds[1]:.0f}")
    if options.plot:
        import matplotlib

        matplotlib.use("Agg")
        from matplotlib import pyplot as plt

        options.plot.parent.mkdir(parents=True, exist_ok=True)
        plt.plot(losses[0], label="scalar")
        plt.plot(losses[1], "--", label="vectorised")
        plt.xlabel("time step")
        plt.ylabel("loss")
        plt.title("Single linear layer learning")
        plt.legend()
        plt.savefig(options.plot)


if __name__ == "__main__":
    main()
