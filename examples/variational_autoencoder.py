"""A variational autoencoder of handwritten digits, and digits that nobody wrote.

scikit-learn's 1,797 images of 8 x 8 pixels. The encoder gives mean and deviation of 8 latent numbers, the decoder the
probability of each pixel; the loss is the negative evidence lower bound (Kingma and Welling 2014, equation 10). Leaves
a picture of samples from the prior and of a walk between two digits.
"""

from __future__ import annotations

import numpy as np
from program import arguments, clock, picture
from sklearn.datasets import load_digits

import zen
from zen import Tensor, f, nn
from zen.data import DataLoader, TensorDataset

PIXELS, HIDDEN, LATENT = 64, 256, 8


class Autoencoder(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(PIXELS, HIDDEN), nn.SiLU(), nn.Linear(HIDDEN, 2 * LATENT))
        self.decoder = nn.Sequential(nn.Linear(LATENT, HIDDEN), nn.SiLU(), nn.Linear(HIDDEN, PIXELS))

    def encode(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and logarithm of the variance, (batch, LATENT) each."""
        found = self.encoder(images)
        return found[:, :LATENT], found[:, LATENT:]

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        mean, log_variance = self.encode(images)
        noise = zen.random.normal(mean.shape, dtype=mean.dtype)
        return self.decoder(mean + noise * zen.exp(0.5 * log_variance)), mean, log_variance


def negative_bound(found: tuple[Tensor, Tensor, Tensor], images: Tensor) -> Tensor:
    """The negative evidence lower bound of an image, in nats."""
    logits, mean, log_variance = found
    reconstruction = f.binary_cross_entropy_with_logits(logits, images, reduction="sum")
    divergence = 0.5 * (mean * mean + zen.exp(log_variance) - 1 - log_variance).sum()
    return (reconstruction + divergence) / len(images)


def main() -> None:
    chosen = arguments("A variational autoencoder of handwritten digits.").parse_args()
    epochs = 4 if chosen.quick else 150
    zen.random.seed(chosen.seed)
    images = (load_digits().data / 16).astype(np.float32)
    loader = DataLoader(TensorDataset(images, images), batch_size=64, shuffle=True, seed=chosen.seed)
    model = Autoencoder()
    optimiser = zen.optim.Adam(model.parameters(), lr=2e-3)
    schedule = zen.optim.lr_scheduler.CosineAnnealingLR(optimiser, epochs)
    with clock(chosen):
        history = zen.fit(model, loader, negative_bound, optimiser, epochs, scheduler=schedule)
    print(f"negative lower bound of an image: {history.loss[0]:.2f} -> {history.loss[-1]:.2f} nats")

    with zen.no_grad():
        drawn = f.sigmoid(model.decoder(zen.random.normal((30, LATENT), dtype=zen.float32))).numpy()
        ends = model.encode(zen.asarray(images[[0, 7]]))[0].numpy()
        walk = np.linspace(ends[0], ends[1], 10)
        between = f.sigmoid(model.decoder(zen.asarray(walk.astype(np.float32)))).numpy()
    with picture(chosen, "variational_autoencoder", 4, 10, figsize=(9, 4.2)) as axes:
        for place, image in zip(axes.flat, [*drawn, *between], strict=True):
            place.imshow(image.reshape(8, 8), cmap="gray_r", vmin=0, vmax=1)
            place.set_axis_off()
        axes[0, 0].figure.suptitle("Three rows drawn from the prior; below, a walk from a 0 to a 7")


if __name__ == "__main__":
    main()
