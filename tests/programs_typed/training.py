"""Training by hand: modules of one's own, an optimiser, a loader, a recurrent layer."""

from __future__ import annotations

from typing import assert_type

import numpy as np

import zen
from zen import nn, optim
from zen.data import DataLoader, TensorDataset


class Net(nn.Module):
    def __init__(self, width: int, drop: float = 0.0) -> None:
        super().__init__()
        self.scale = nn.Parameter(np.ones(2, np.float32))
        self.body = nn.Sequential(nn.Linear(2, width), nn.Tanh(), nn.Dropout(drop), nn.LayerNorm(width))
        self.head = nn.Linear(width, 2, bias=False)

    def forward(self, x: zen.Tensor, temperature: float = 1.0) -> zen.Tensor:
        hidden = self.body(x * self.scale)
        return self.head(zen.f.relu(hidden)) / temperature


class Tagger(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(3, 4, batch_first=True)
        self.gru = nn.GRU(4, 4, batch_first=True)
        self.attention = nn.MultiheadAttention(4, 2, batch_first=True)
        self.pool = nn.AdaptiveAvgPool1d(1)

    def forward(self, x: zen.Tensor) -> tuple[zen.Tensor, zen.Tensor]:
        output, (hidden, cell) = self.lstm(x)
        assert_type(cell, zen.Tensor)
        output, _ = self.gru(output, hidden + cell)
        seen, _ = self.attention(output, output, output, need_weights=False)
        return seen, self.pool(seen.transpose(0, 2, 1)).squeeze(-1)


def accuracy(model: Net, x: zen.Tensor, y: zen.Tensor) -> float:
    with zen.no_grad():
        right = model(x).argmax(axis=1) == y
    return float(right.mean())


def main() -> None:
    zen.random.seed(0)
    points = zen.random.normal((64, 2), dtype=zen.float32)
    labels = (points[:, 0] * points[:, 1] > 0).astype(np.int64)
    loader = DataLoader(TensorDataset(points, labels), batch_size=16, shuffle=True)

    model = Net(width=8)
    criterion = nn.CrossEntropyLoss()
    optimiser = optim.Adam(model.parameters(), lr=1e-2, weight_decay=1e-4)
    schedule = optim.lr_scheduler.StepLR(optimiser, step_size=5)
    losses: list[float] = []
    for _ in range(10):
        for x, y in loader:
            optimiser.zero_grad()
            loss = criterion(model(x), y)
            assert_type(loss, zen.Tensor)
            loss.backward()
            optim.clip_grad_norm_(model.parameters(), max_norm=1.0)
            optimiser.step()
            losses.append(loss.item())
        schedule.step()
    assert_type(model(points, temperature=2.0), zen.Tensor)
    assert losses[-1] < losses[0] and accuracy(model, points, labels) > 0.5

    model.load_state_dict({name: t.clone() for name, t in model.state_dict().items()})
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None and parameter.grad.shape == parameter.shape, name
    zen.fit(model, loader, criterion, optimiser, 1, progress=False)

    seen, pooled = Tagger().eval()(zen.ones((2, 5, 3), zen.float32))
    assert_type(pooled, zen.Tensor)
    assert seen.shape == (2, 5, 4) and pooled.shape == (2, 4)


if __name__ == "__main__":
    main()
