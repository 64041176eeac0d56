"""A regression line, and the square of the same data by a small network.

scikit-learn's `make_regression`: 100 points on a line with noise. The line is fitted by gradient descent and compared
with least squares. Then the target is squared, and a 1-32-1 network with ReLU learns the parabola, starting from
several seeds. Leaves a picture of both.
"""

from __future__ import annotations

import numpy as np
from program import arguments, clock, picture
from sklearn.datasets import make_regression

import zen
from zen import nn
from zen.data import DataLoader, TensorDataset


def train(model: nn.Module, x: np.ndarray, y: np.ndarray, epochs: int, rate: float, seed: int) -> list[float]:
    """The mean squared error after each epoch."""
    loader = DataLoader(TensorDataset(x, y), batch_size=20, shuffle=True, seed=seed)
    optimiser = zen.optim.Adam(model.parameters(), lr=rate)
    schedule = zen.optim.lr_scheduler.CosineAnnealingLR(optimiser, epochs)
    history = zen.fit(model, loader, nn.MSELoss(), optimiser, epochs, scheduler=schedule, progress=False)
    return history.loss


def main() -> None:
    chosen = arguments("A regression line, and its square by a small network.").parse_args()
    zen.random.seed(chosen.seed)
    x, y = make_regression(n_samples=100, n_features=1, n_informative=1, noise=10, random_state=0)
    y = y[:, None]
    line = nn.Linear(1, 1, dtype=zen.float64)
    scale = (y**2).std()
    curve = nn.Sequential(nn.Linear(1, 32, dtype=zen.float64), nn.ReLU(), nn.Linear(32, 1, dtype=zen.float64))
    with clock(chosen):
        train(line, x, y, 100 if chosen.quick else 300, 0.5, chosen.seed)
        train(curve, x, y**2 / scale, 50 if chosen.quick else 600, 0.02, chosen.seed)

    with zen.no_grad():
        at = np.linspace(x.min(), x.max(), 200)[:, None]
        straight, bent = line(zen.asarray(at)).numpy(), curve(zen.asarray(at)).numpy() * scale
        error = np.mean((line(zen.asarray(x)).numpy() - y) ** 2)
        error_square = np.mean((curve(zen.asarray(x)).numpy() * scale - y**2) ** 2)
    best = np.mean((np.polyval(np.polyfit(x[:, 0], y[:, 0], 1), x) - y) ** 2)
    print(f"line: mean squared error {error:.2f}; least squares {best:.2f}")
    print(f"square: mean squared error {error_square:.3e}; the variance of the data is {(y**2).var():.3e}")
    with picture(chosen, "regression", 1, 2) as (left, right):
        left.plot(x, y, ".", at, straight, "-")
        left.set(xlabel="x", ylabel="y", title="The line")
        right.plot(x, y**2, ".", at, bent, "-")
        right.set(xlabel="x", ylabel="y squared", title="Its square, by a 1-32-1 network")


if __name__ == "__main__":
    main()
