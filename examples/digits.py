"""Trains a classifier of handwritten digits on zen: `make demo`, or `python examples/digits.py --help`.

The data are scikit-learn's bundled digits: 1,797 real images of 8 x 8 pixels. A fifth is held back for the test. The
model is a multilayer perceptron, trained by Adam with decoupled weight decay; each image is moved by a pixel now and
then. Everything random comes from the seed. Leaves a loss curve, a confusion matrix and the graph of one step.
"""

from __future__ import annotations

import numpy as np
from program import arguments, clock, picture
from sklearn.datasets import load_digits

import zen
from zen import Tensor, nn
from zen.data import DataLoader, TensorDataset, random_split
from zen.visualize import graph

SIDE = 8


class Jitter(nn.Module):
    """Moves each image by a pixel now and then and adds some noise, in training only; zeros come in at the border."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.random = np.random.default_rng(seed)

    def forward(self, images: Tensor) -> Tensor:
        if not self.training:
            return images
        n = len(images)
        padded = np.pad(images.numpy().reshape(n, SIDE, SIDE), ((0, 0), (1, 1), (1, 1)))
        windows = np.lib.stride_tricks.sliding_window_view(padded, (SIDE, SIDE), axis=(1, 2))
        down, right = self.random.choice(3, (2, n), p=(0.15, 0.7, 0.15))
        moved = windows[np.arange(n), down, right].reshape(images.shape)
        return zen.asarray(moved + self.random.normal(0, 0.1, moved.shape).astype(np.float32))


def split(seed: int) -> tuple[TensorDataset, TensorDataset]:
    """Training and test images, (64,) float32 in [0, 1], with their labels; divided at random."""
    digits = load_digits()
    both = TensorDataset((digits.data / 16).astype(np.float32), digits.target)
    held_back = len(both) // 5
    training, test = random_split(both, [len(both) - held_back, held_back], seed=seed)
    return TensorDataset(*training[:]), TensorDataset(*test[:])


def confusion(model: nn.Module, data: TensorDataset) -> np.ndarray:
    """How many images of each digit (row) were taken for each digit (column)."""
    images, labels = data[:]
    model.eval()
    with zen.no_grad():
        guesses = model(images).argmax(axis=1).numpy()
    table = np.zeros((10, 10), int)
    np.add.at(table, (np.asarray(labels), guesses), 1)
    return table


def main() -> None:
    parser = arguments("Train a classifier of handwritten digits.")
    parser.add_argument("--epochs", type=int, default=60, help="passes over the training images (default: 60)")
    chosen = parser.parse_args()
    epochs = 3 if chosen.quick else chosen.epochs

    zen.random.seed(chosen.seed)
    training, test = split(chosen.seed)
    model = nn.Sequential(
        Jitter(chosen.seed), nn.Linear(SIDE * SIDE, 128), nn.ReLU(), nn.Linear(128, 64), nn.ReLU(), nn.Linear(64, 10)
    )
    loader = DataLoader(training, batch_size=64, shuffle=True, drop_last=True, seed=chosen.seed)
    optimiser = zen.optim.AdamW(model.parameters(), lr=4e-3, betas=(0.9, 0.99), weight_decay=1e-2)
    schedule = zen.optim.lr_scheduler.CosineAnnealingLR(optimiser, epochs)
    print(f"zen {zen.__version__}, {zen.backend.NAME} engine; {len(training)} training, {len(test)} test images")
    print(model)

    with clock(chosen):
        history = zen.fit(
            model, loader, nn.CrossEntropyLoss(), optimiser, epochs, validation=DataLoader(test, batch_size=512),
            scheduler=schedule,
        )  # fmt: skip

    table = confusion(model, test)
    print(f"test accuracy {np.trace(table) / table.sum():.4f} ({np.trace(table)} of {table.sum()} images)")
    with picture(chosen, "digits", 1, 2, figsize=(10.5, 5)) as (left, right):
        left.semilogy(history.loss, label="training")
        left.semilogy(history.validation_loss, label="test")
        left.set(xlabel="epoch", ylabel="cross entropy", title="Loss")
        left.legend()
        right.imshow(np.log1p(table), cmap="Blues")
        for (row, column), count in np.ndenumerate(table):
            if count:
                right.text(column, row, str(count), ha="center", va="center", color="w" if row == column else "k")
        right.set(xlabel="predicted digit", ylabel="true digit", xticks=range(10), yticks=range(10))
        right.set_title(f"{np.trace(table)} of {table.sum()} test images are right")

    images, labels = test[:64]
    loss = nn.CrossEntropyLoss()(model(images), labels)
    graph(loss, {**dict(model.named_parameters()), "loss": loss}).save(chosen.out / "digits_graph.svg")
    print(f"picture: {chosen.out / 'digits_graph.svg'}")


if __name__ == "__main__":
    main()
