"""Parameters of an ordinary differential equation, fitted to 21 years of hares and lynxes.

Pelts that the Hudson's Bay Company collected, in thousands, 1900 to 1920 (Hewitt 1921). The Lotka-Volterra equations

    d hare / dt = (a - b lynx) hare        d lynx / dt = (d hare - c) lynx

are solved by the classical Runge-Kutta method, written in ordinary NumPy; zen differentiates the solver itself. The
four rates and the two starting values minimise the squared differences of logarithms, which is what a log-normal error
asks for. Leaves a picture of the data and the solution.
"""

from __future__ import annotations

import numpy as np
from program import arguments, clock, picture

import zen
from zen import Tensor
from zen.typing import Array

YEARS = np.arange(1900, 1921)
HARES = np.array([
    30.0, 47.2, 70.2, 77.4, 36.3, 20.6, 18.1, 21.4, 22.0, 25.4, 27.1, 40.3, 57.0, 76.6, 52.3, 19.5, 11.2, 7.6, 14.6,
    16.2, 24.7,
])  # fmt: skip
LYNXES = np.array([
    4.0, 6.1, 9.8, 35.2, 59.4, 41.7, 19.0, 13.0, 8.3, 9.1, 7.4, 8.0, 12.3, 19.5, 45.7, 51.1, 29.7, 15.8, 9.7, 10.1,
    8.6,
])  # fmt: skip
GUESS = np.log([0.5, 0.03, 0.8, 0.02, 30.0, 6.0])


def change(state: Array, rates: Array) -> Array:
    """Time derivatives of the logarithms of hares and lynxes."""
    animals = np.exp(state)
    growth = np.stack([rates[0] - rates[1] * animals[1], rates[3] * animals[0] - rates[2]])
    return growth


def solve(logs: Array, years: int, steps: int) -> Array:
    """Logarithms of hares and lynxes, once a year: shape (years, 2)."""
    rates, state, h = np.exp(logs[:4]), logs[4:], 1 / steps
    found = [state]
    for _ in range(years - 1):
        for _ in range(steps):
            k1 = change(state, rates)
            k2 = change(state + h / 2 * k1, rates)
            k3 = change(state + h / 2 * k2, rates)
            k4 = change(state + h * k3, rates)
            state = state + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
        found.append(state)
    return np.stack(found)


def main() -> None:
    chosen = arguments("Parameters of the Lotka-Volterra equations from pelt counts.").parse_args()
    observed = np.log(np.stack([HARES, LYNXES], 1))
    steps = 2 if chosen.quick else 20
    logs = zen.tensor(GUESS, requires_grad=True)
    losses: list[float] = []
    iterations = 15 if chosen.quick else 60
    optimiser = zen.optim.LBFGS([logs], max_iter=iterations, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimiser.zero_grad()
        value = np.sum((solve(logs, len(YEARS), steps) - observed) ** 2)
        value.backward()
        losses.append(value.item())
        return value

    with clock(chosen):
        optimiser.step(closure)

    a, b, c, d, hare, lynx = np.exp(logs.value)
    deviation = np.sqrt(losses[-1] / observed.size)
    print(f"squared error of the logarithms {losses[0]:.3f} -> {losses[-1]:.3f}, deviation {deviation:.3f}")
    print(f"a {a:.3f}, b {b:.4f}, c {c:.3f}, d {d:.4f} a year; in 1900 {hare:.1f} hares, {lynx:.1f} lynxes (thousands)")

    with zen.no_grad():
        fine = np.asarray(np.exp(solve(logs, len(YEARS), steps)))
    with picture(chosen, "predator_prey", figsize=(8, 4)) as axes:
        for k, (name, counts, colour) in enumerate((("hares", HARES, "#3d7a43"), ("lynxes", LYNXES, "#a23b2a"))):
            axes.plot(YEARS, counts, "o", color=colour, label=f"{name}, pelts")
            axes.plot(YEARS, fine[:, k], color=colour, label=f"{name}, fitted")
        axes.set(xlabel="year", ylabel="thousands", xticks=YEARS[::5], title="Fitted through the solver")
        axes.legend()


if __name__ == "__main__":
    main()
