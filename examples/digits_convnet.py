"""A convolutional net on scikit-learn's digits: at least 0.985 of the test images right.

1,797 real images of 8 x 8 pixels, a fifth of them held back for the test. Two blocks of convolution, batch
normalisation and pooling; training images are moved by up to a pixel. Leaves the loss, the filters of the first layer
and the test images that were mistaken.
"""

from __future__ import annotations

import numpy as np
from digits import SIDE, Jitter, split
from program import arguments, clock, picture

import zen
from zen import Tensor, nn
from zen.data import DataLoader, TensorDataset


def net(seed: int) -> nn.Sequential:
    return nn.Sequential(
        Jitter(seed), nn.Unflatten(1, (1, SIDE, SIDE)),
        nn.Conv2d(1, 32, 3, padding=1), nn.BatchNorm2d(32), nn.ReLU(),
        nn.Conv2d(32, 32, 3, padding=1), nn.BatchNorm2d(32), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 3, padding=1), nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Dropout(0.3), nn.Linear(64 * 4, 10),
    )  # fmt: skip


def guesses(model: nn.Module, data: TensorDataset) -> np.ndarray:
    model.eval()
    with zen.no_grad():
        found: Tensor = model(data[:][0]).argmax(axis=1)
    return found.numpy()


def main() -> None:
    chosen = arguments("A convolutional net on scikit-learn's digits.").parse_args()
    epochs = 2 if chosen.quick else 40
    zen.random.seed(chosen.seed)
    training, test = split(chosen.seed)
    if chosen.quick:
        training = TensorDataset(*training[:640])
    model = net(chosen.seed)
    loader = DataLoader(training, batch_size=64, shuffle=True, drop_last=True, seed=chosen.seed)
    optimiser = zen.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=1e-2)
    schedule = zen.optim.lr_scheduler.OneCycleLR(optimiser, 6e-3, epochs=epochs, steps_per_epoch=len(loader))
    with clock(chosen):
        history = zen.fit(model, loader, nn.CrossEntropyLoss(), optimiser, epochs, step_scheduler=schedule)

    images, labels = (np.asarray(a) for a in test[:])
    found = guesses(model, test)
    wrong = np.flatnonzero(found != labels)
    print(f"test accuracy {1 - len(wrong) / len(labels):.4f} ({len(wrong)} of {len(labels)} images mistaken)")
    with picture(chosen, "digits_convnet", 4, 9, figsize=(10, 5)) as axes:
        for place in axes.flat:
            place.set_axis_off()
        for place, kernel in zip(axes[:2].flat, model[2].weight.value[:, 0], strict=False):
            place.imshow(kernel, cmap="RdBu")
        for place, k in zip(axes[2:].flat, wrong, strict=False):
            place.imshow(images[k].reshape(SIDE, SIDE), cmap="gray_r")
            place.set_title(f"{labels[k]} as {found[k]}", fontsize=8)
        title = f"Filters of the first layer; mistaken test images. Loss {history.loss[-1]:.3f}"
        axes[0, 0].figure.suptitle(title)


if __name__ == "__main__":
    main()
