"""A recurrent net learns to continue sin(x) cos(x).

Fifty values of the sequence at whole x are shown, the next is to be told. The net is an LSTM of 64 units, trained on
the first 50 windows; the picture shows all 150 predictions, the last hundred of them from data never seen in training.
"""

from __future__ import annotations

import numpy as np
from program import arguments, clock, picture

import zen
from zen import Tensor, nn
from zen.data import DataLoader, TensorDataset

WINDOW, TRAINED = 50, 50


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(1, 64, batch_first=True)
        self.out = nn.Linear(64, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, window, 1) to (batch, 1)."""
        states, _ = self.lstm(x)
        return self.out(states[:, -1])


def main() -> None:
    chosen = arguments("A recurrent net learns to continue sin(x) cos(x).").parse_args()
    epochs = 40 if chosen.quick else 150
    zen.random.seed(chosen.seed)
    sequence = (np.sin(np.arange(200)) * np.cos(np.arange(200))).astype(np.float32)
    windows = np.lib.stride_tricks.sliding_window_view(sequence, WINDOW)[:-1, :, None]
    targets = sequence[WINDOW:, None]
    loader = DataLoader(
        TensorDataset(windows[:TRAINED], targets[:TRAINED]), batch_size=10, shuffle=True, seed=chosen.seed
    )
    model = Net()
    optimiser = zen.optim.Adam(model.parameters(), lr=3e-3)
    schedule = zen.optim.lr_scheduler.CosineAnnealingLR(optimiser, epochs)
    with clock(chosen):
        history = zen.fit(model, loader, nn.MSELoss(), optimiser, epochs, scheduler=schedule, clip_norm=1.0)
    with zen.no_grad():
        found = model(zen.asarray(windows)).numpy()[:, 0]
    error = np.mean((found[TRAINED:] - targets[TRAINED:, 0]) ** 2)
    print(f"mean squared error: {history.loss[-1]:.2e} in training, {error:.2e} on the rest")
    with picture(chosen, "recurrent", figsize=(9, 3.6)) as axes:
        x = np.arange(WINDOW, 200)
        axes.plot(x, targets[:, 0], color="k", linewidth=0.8, label="sin(x) cos(x)")
        axes.plot(x[:TRAINED], found[:TRAINED], ".", color="#1f4e8c", label="predicted, trained on")
        axes.plot(x[TRAINED:], found[TRAINED:], ".", color="#a23b2a", label="predicted, not seen before")
        axes.set(xlabel="x", title="The next value from the fifty before it", ylim=(-0.75, 0.6))
        axes.legend(loc="lower right", ncols=3)


if __name__ == "__main__":
    main()
