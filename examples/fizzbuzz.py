"""Fizzbuzz, learned: from the bits of a number, whether 3, 5 or 15 divides it.

Trained on the numbers 101 to 1023, tested on 1 to 100, which it never saw (after Grus 2016). Leaves a picture of the
hundred answers.
"""

from __future__ import annotations

import numpy as np
from program import arguments, clock, picture

import zen
from zen import nn
from zen.data import DataLoader, TensorDataset

BITS = 10


def bits(numbers: np.ndarray) -> np.ndarray:
    return (numbers[:, None] >> np.arange(BITS) & 1).astype(np.float32)


def classes(numbers: np.ndarray) -> np.ndarray:
    """0: the number itself, 1: fizz, 2: buzz, 3: fizzbuzz."""
    return (numbers % 3 == 0) + 2 * (numbers % 5 == 0)


def main() -> None:
    chosen = arguments("Fizzbuzz, learned from the bits of a number.").parse_args()
    epochs = 5 if chosen.quick else 300
    zen.random.seed(chosen.seed)
    numbers = np.arange(101, 1 << BITS)
    loader = DataLoader(TensorDataset(bits(numbers), classes(numbers)), batch_size=64, shuffle=True, seed=chosen.seed)
    model = nn.Sequential(nn.Linear(BITS, 256), nn.ReLU(), nn.Linear(256, 256), nn.ReLU(), nn.Linear(256, 4))
    optimiser = zen.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=0.1)
    schedule = zen.optim.lr_scheduler.CosineAnnealingLR(optimiser, epochs)
    with clock(chosen):
        zen.fit(model, loader, nn.CrossEntropyLoss(), optimiser, epochs, scheduler=schedule)

    shown = np.arange(1, 101)
    with zen.no_grad():
        found = model(zen.asarray(bits(shown))).argmax(axis=1).numpy()
    right = found == classes(shown)
    said = [str(n) if c == 0 else ("fizz", "buzz", "fizzbuzz")[c - 1] for n, c in zip(shown, found, strict=True)]
    print(" ".join(said[:30]), "...")
    print(f"accuracy {right.mean():.2f} on 1 to 100, which were not trained on")
    with picture(chosen, "fizzbuzz", figsize=(8, 4.6)) as axes:
        colours = np.where(right, found, 4).reshape(10, 10)
        axes.imshow(colours, cmap="Pastel1", vmin=0, vmax=8)
        for k, word in enumerate(said):
            axes.text(k % 10, k // 10, word, ha="center", va="center", fontsize=7)
        axes.set_axis_off()
        axes.set_title(f"{right.sum()} of 100 are right")


if __name__ == "__main__":
    main()
