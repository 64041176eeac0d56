"""A radio receiver that undoes echoes: a complex convolution, trained on known symbols.

Symbols of four phases (QPSK) reach two antennas over paths of different lengths, so that each sample is a sum of
several symbols, and noise. A filter with complex weights over both antennas, `nn.Conv1d` of complex numbers, learns
from the first half of the symbols to give each back; the second half tests it. The least mean error that any such
filter has on the first half is found by least squares (Wiener 1949), for comparison. Leaves a picture of the received
and of the filtered symbols in the complex plane.
"""

from __future__ import annotations

import numpy as np
from program import arguments, clock, picture

import zen
from zen import Tensor, nn

ANTENNAS, PATHS, TAPS, NOISE = 2, 4, 11, 0.2


def transmission(rng: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Symbols (count,), and what the antennas receive: (antennas, count)."""
    symbols = np.exp(0.25j * np.pi * (2 * rng.integers(4, size=count) + 1))
    strengths = rng.normal(size=(ANTENNAS, PATHS, 2)) @ [1, 1j] * 0.8 ** np.arange(PATHS)
    received = [np.convolve(symbols, echoes)[:count] for echoes in strengths]
    noise = rng.normal(size=(ANTENNAS, count, 2)) @ [1, 1j] * NOISE
    return symbols, np.stack(received) + noise


def fit(received: np.ndarray, symbols: np.ndarray, steps: int) -> tuple[nn.Conv1d, list[float]]:
    model = nn.Conv1d(ANTENNAS, 1, TAPS, padding="same", bias=False, dtype=zen.complex128)
    optimiser = zen.optim.Adam(model.parameters(), lr=0.02)
    schedule = zen.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    losses: list[float] = []
    for _ in range(steps):
        optimiser.zero_grad()
        loss = error(model(received)[0], symbols)
        loss.backward()
        optimiser.step()
        schedule.step()
        losses.append(loss.item())
    return model, losses


def error(filtered: Tensor, symbols: np.ndarray) -> Tensor:
    """The mean squared distance in the complex plane: a real number, whose gradient points uphill in both parts."""
    return (abs(filtered - symbols) ** 2).mean()


def least_error(received: np.ndarray, symbols: np.ndarray) -> float:
    """The mean squared error of the best filter, by least squares over the windows that it sees."""
    padded = np.pad(received, ((0, 0), (TAPS // 2, TAPS // 2)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, TAPS, axis=1)  # (antennas, count, taps)
    columns = windows.transpose(1, 0, 2).reshape(len(symbols), -1)
    weights = np.linalg.lstsq(columns, symbols, rcond=None)[0]
    return float(np.mean(np.abs(columns @ weights - symbols) ** 2))


def share_wrong(filtered: np.ndarray, symbols: np.ndarray) -> float:
    """How many symbols lie in another quadrant than what was sent."""
    across, down = filtered.real * symbols.real < 0, filtered.imag * symbols.imag < 0
    return float(np.mean(across | down))


def main() -> None:
    chosen = arguments("A complex convolution that undoes the echoes of a radio channel.").parse_args()
    zen.random.seed(chosen.seed)
    rng = np.random.default_rng(chosen.seed)
    half = 500 if chosen.quick else 2000
    symbols, received = transmission(rng, 2 * half)
    with clock(chosen):
        model, losses = fit(received[:, :half], symbols[:half], 200 if chosen.quick else 600)
    best = least_error(received[:, :half], symbols[:half])
    print(f"mean squared error {losses[0]:.4f} -> {losses[-1]:.4f}; the best filter has {best:.4f}")
    with zen.no_grad():
        filtered = model(received[:, half:]).value[0]
    before, after = share_wrong(received[0, half:], symbols[half:]), share_wrong(filtered, symbols[half:])
    print(f"wrong symbols in the second half: {before:.4f} as received -> {after:.4f} filtered")

    with picture(chosen, "equaliser", 1, 2) as axes:
        for part, values, title in zip(axes, (received[0, half:], filtered), ("received", "filtered"), strict=True):
            part.scatter(values.real, values.imag, s=4, c=np.angle(symbols[half:]), cmap="viridis")
            part.set(title=title, xlabel="real part", ylabel="imaginary part", aspect="equal")


if __name__ == "__main__":
    main()
