"""Trains a classifier of handwritten digits on zen: `make demo`, or `python examples/digits.py --help`.

The data are scikit-learn's bundled digits: 1,797 real images of 8 x 8 pixels. A fifth is held back for the test. The
model is a multilayer perceptron, the optimiser Adam (Kingma and Ba 2015), both written out below. Everything random
comes from the seed, so a run can be repeated. Leaves a loss curve, a confusion matrix and the graph of one step.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib
import numpy as np
from sklearn.datasets import load_digits
from threadpoolctl import threadpool_limits
from tqdm import tqdm

import zen
from zen import Tensor, f
from zen.visualize import graph

matplotlib.use("Agg")  # pictures go to files; no display is needed
import matplotlib.pyplot as plt  # noqa: E402

Array = np.ndarray[Any, Any]
SIDE = 8
SIZES = (SIDE * SIDE, 128, 64, 10)


class Split(NamedTuple):
    """Images as (n, 64) float32 in [0, 1], labels as (n,) integers."""

    images: Array
    labels: Array


def load(random: np.random.Generator) -> tuple[Split, Split]:
    """Training and test images, divided at random."""
    digits = load_digits()
    images = (digits.data / 16).astype(np.float32)
    order = random.permutation(len(images))
    held_back = len(images) // 5
    test, train = order[:held_back], order[held_back:]
    return Split(images[train], digits.target[train]), Split(images[test], digits.target[test])


def parameters(random: np.random.Generator) -> dict[str, Tensor]:
    """Weights with the variance of He et al. (2015), biases of zero."""
    found = {}
    for k, (inputs, outputs) in enumerate(zip(SIZES[:-1], SIZES[1:], strict=True), start=1):
        weight = random.normal(0, np.sqrt(2 / inputs), (inputs, outputs))
        found[f"W{k}"] = zen.tensor(weight, dtype=zen.float32, requires_grad=True)
        found[f"b{k}"] = zen.zeros(outputs, dtype=zen.float32, requires_grad=True)
    return found


def logits(model: dict[str, Tensor], images: Array) -> Tensor:
    h = f.relu(images @ model["W1"] + model["b1"])
    h = f.relu(h @ model["W2"] + model["b2"])
    return h @ model["W3"] + model["b3"]


class Adam:
    """Adam with decoupled weight decay (Loshchilov and Hutter 2019); the rate falls to zero along half a cosine."""

    def __init__(self, tensors: list[Tensor], steps: int, rate: float = 4e-3, decay: float = 1e-2) -> None:
        self.tensors, self.steps, self.rate, self.decay = tensors, steps, rate, decay
        self.mean = [np.zeros_like(t.value) for t in tensors]
        self.square = [np.zeros_like(t.value) for t in tensors]
        self.done = 0

    def step(self, beta1: float = 0.9, beta2: float = 0.99, epsilon: float = 1e-8) -> None:
        self.done += 1
        rate = self.rate * (1 + np.cos(np.pi * self.done / self.steps)) / 2
        correction = np.sqrt(1 - beta2**self.done) / (1 - beta1**self.done)
        for t, mean, square in zip(self.tensors, self.mean, self.square, strict=True):
            g = t.gradient
            mean += (1 - beta1) * (g - mean)
            square += (1 - beta2) * (g * g - square)
            t.value -= rate * (correction * mean / (np.sqrt(square) + epsilon) + self.decay * t.value)
            t.gradient = None


def varied(images: Array, random: np.random.Generator) -> Array:
    """The images with some noise, each of them moved by a pixel now and then; zeros come in at the border."""
    padded = np.pad(images.reshape(-1, SIDE, SIDE), ((0, 0), (1, 1), (1, 1)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (SIDE, SIDE), axis=(1, 2))
    down, right = random.choice(3, (2, len(images)), p=(0.15, 0.7, 0.15))
    moved = windows[np.arange(len(images)), down, right].reshape(len(images), -1)
    return moved + random.normal(0, 0.1, moved.shape).astype(np.float32)


def batches(split: Split, size: int, random: np.random.Generator) -> Iterator[Split]:
    order = random.permutation(len(split.images))
    for start in range(0, len(order) - size + 1, size):
        chosen = order[start : start + size]
        yield Split(varied(split.images[chosen], random), split.labels[chosen])


def train(model: dict[str, Tensor], data: Split, epochs: int, size: int, random: np.random.Generator) -> list[float]:
    """The loss of every step."""
    per_epoch = len(data.images) // size
    adam = Adam(list(model.values()), epochs * per_epoch)
    losses: list[float] = []
    with tqdm(total=epochs * per_epoch, unit="step") as bar:
        for epoch in range(epochs):
            bar.set_description(f"epoch {epoch + 1}/{epochs}", refresh=False)
            for images, labels in batches(data, size, random):
                loss = f.cross_entropy(logits(model, images), labels)
                loss.backward()
                adam.step()
                losses.append(loss.item())
                bar.update()
            bar.set_postfix(loss=f"{np.mean(losses[-per_epoch:]):.4f}", refresh=False)
    return losses


def confusion(model: dict[str, Tensor], data: Split) -> Array:
    """How many images of each digit (row) were taken for each digit (column)."""
    with zen.no_grad():
        guesses = logits(model, data.images).argmax(axis=1).numpy()
    table = np.zeros((10, 10), int)
    np.add.at(table, (data.labels, guesses), 1)
    return table


def draw_losses(losses: list[float], path: Path) -> None:
    window = min(len(losses), 20)
    smooth = np.convolve(losses, np.full(window, 1 / window), "valid")
    figure, axes = plt.subplots(figsize=(7, 4), layout="constrained")
    axes.semilogy(losses, color="#b8cbe4", linewidth=0.8, label="each step")
    axes.semilogy(np.arange(window - 1, len(losses)), smooth, color="#1f4e8c", label=f"mean of {window} steps")
    axes.set(xlabel="step", ylabel="cross entropy", title="Training loss")
    axes.legend()
    figure.savefig(path, dpi=150)
    plt.close(figure)


def draw_confusion(table: Array, path: Path) -> None:
    figure, axes = plt.subplots(figsize=(5.5, 5.5), layout="constrained")
    axes.imshow(np.log1p(table), cmap="Blues")
    for (row, column), count in np.ndenumerate(table):
        if count:
            colour = "white" if row == column else "black"
            axes.text(column, row, str(count), ha="center", va="center", color=colour)
    axes.set(xlabel="predicted digit", ylabel="true digit", xticks=range(10), yticks=range(10))
    axes.set_title(f"{np.trace(table)} of {table.sum()} test images are right")
    figure.savefig(path, dpi=150)
    plt.close(figure)


def draw_graph(model: dict[str, Tensor], data: Split, path: Path) -> None:
    """The graph that one training step records."""
    loss = f.cross_entropy(logits(model, data.images[:64]), data.labels[:64])
    graph(loss, {**model, "loss": loss}).save(path)


def main() -> None:
    options = argparse.ArgumentParser(description="Train a classifier of handwritten digits on zen.")
    options.add_argument("--epochs", type=int, default=60, help="passes over the training images (default: 60)")
    options.add_argument("--batch", type=int, default=64, help="images in one step (default: 64)")
    options.add_argument("--seed", type=int, default=0, help="of the split, the weights and the order (default: 0)")
    options.add_argument("--quick", action="store_true", help="three epochs: to see that everything runs")
    options.add_argument("--out", type=Path, default=Path("out"), help="folder for the pictures (default: out)")
    chosen = options.parse_args()

    random = np.random.default_rng(chosen.seed)
    training, test = load(random)
    model = parameters(random)
    print(f"zen {zen.__version__}, {zen.backend.NAME} engine; {len(training.images)} training images, ", end="")
    print(f"{len(test.images)} test images; layers {'-'.join(map(str, SIZES))}")
    started = time.perf_counter()
    with threadpool_limits(1):  # the products are too small to share; on a busy machine threads would wait in turn
        losses = train(model, training, 3 if chosen.quick else chosen.epochs, chosen.batch, random)
    seconds = time.perf_counter() - started
    table = confusion(model, test)

    chosen.out.mkdir(parents=True, exist_ok=True)
    draw_losses(losses, chosen.out / "loss.png")
    draw_confusion(table, chosen.out / "confusion.png")
    draw_graph(model, test, chosen.out / "graph.svg")
    print(f"test accuracy {np.trace(table) / table.sum():.4f} ({np.trace(table)} of {table.sum()} images)")
    print(f"{len(losses) / seconds:.0f} steps per second ({len(losses)} steps in {seconds:.2f} s)")
    print(f"pictures: {', '.join(str(chosen.out / name) for name in ('loss.png', 'confusion.png', 'graph.svg'))}")


if __name__ == "__main__":
    main()
