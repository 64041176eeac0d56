"""Parameters of an ordinary differential equation, fitted by the adjoint equation, with their standard errors.

Pelts that the Hudson's Bay Company collected, in thousands, 1900 to 1920 (Hewitt 1921), as in predator_prey.py. There
zen differentiates a solver that is written out; here `zen.odeint` solves the Lotka-Volterra equations

    d hare / dt = (a - b lynx) hare        d lynx / dt = (d hare - c) lynx

with steps as long as an error of 1e-8 allows, and each gradient is one more equation, backwards in time. The four rates
and the two starting values minimise the squared differences of logarithms. Standard errors come from the Jacobian of
the solution. The times at which there are most hares are events of it, and their derivatives by the parameters say how
well the data determine them. Leaves a picture of the solution and these times.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from predator_prey import GUESS, HARES, LYNXES, YEARS
from program import arguments, clock, picture

import zen
from zen.typing import Array

TIMES = (YEARS - YEARS[0]).astype(float)
OBSERVED = np.log(np.stack([HARES, LYNXES], 1))


def change(t: Array, state: Array, rates: Array) -> Array:
    """Time derivatives of the logarithms of hares and lynxes."""
    animals = np.exp(state)
    growth = np.stack([rates[0] - rates[1] * animals[1], rates[3] * animals[0] - rates[2]])
    return growth


def most_hares(t: Array, state: Array, rates: Array) -> Array:
    """Zero where hares neither grow nor fall."""
    return change(t, state, rates)[0]


most_hares.direction = -1  # type: ignore[attr-defined]  # from growth to fall


def solution(logs: Array, times: Array, tolerance: float, **options: Any) -> Any:
    """Logarithms of hares and lynxes at the times, of the logarithms of the rates and of the numbers in 1900."""
    return zen.odeint(change, logs[4:], times, np.exp(logs[:4]), rtol=tolerance, atol=tolerance, **options)


def misfit(logs: Array, tolerance: float, **options: Any) -> Any:
    """Half the sum of squared differences of logarithms."""
    return 0.5 * np.sum((solution(logs, TIMES, tolerance, **options) - OBSERVED) ** 2)


def fitted(start: np.ndarray, tolerance: float, steps: int) -> tuple[np.ndarray, list[float]]:
    """Where the misfit is least, by gradients of the adjoint equation (L-BFGS), and its values on the way."""
    logs = zen.tensor(start, requires_grad=True)
    optimiser = zen.optim.LBFGS([logs], max_iter=steps, line_search_fn="strong_wolfe")
    values: list[float] = []

    def closure() -> zen.Tensor:
        optimiser.zero_grad()
        value: zen.Tensor = misfit(logs, tolerance)
        value.backward()
        values.append(value.item())
        return value

    optimiser.step(closure)
    return logs.value, values


def main() -> None:
    chosen = arguments("An ODE fitted by the adjoint equation to pelt counts, with standard errors.").parse_args()
    tolerance = 1e-5 if chosen.quick else 1e-8
    with clock(chosen):
        logs, values = fitted(GUESS, tolerance, 30 if chosen.quick else 60)
        # Of the Hessian the part that Gauss and Newton keep: the residuals are small.
        slopes = zen.jacfwd(lambda p: solution(p, TIMES, tolerance).reshape(-1))(logs)
    deviation = np.sqrt(2 * values[-1] / (OBSERVED.size - logs.size))
    covariance = deviation**2 * np.linalg.inv(slopes.T @ slopes)
    errors = np.sqrt(np.diag(covariance))

    print(f"half the squared error of the logarithms {values[0]:.3f} -> {values[-1]:.3f}, deviation {deviation:.3f}")
    print("parameter   estimate   standard error")
    names = ("a", "b", "c", "d", "hares 1900", "lynxes 1900")
    for name, log, error in zip(names, logs, errors, strict=True):
        print(f"{name:11s} {np.exp(log):8.4f}   {np.exp(log) * error:8.4f}")

    def peaks(p: Array) -> Array:
        return solution(p, TIMES[[0, -1]], tolerance, events=most_hares).t_events[0]

    moments, by_logs = zen.value_and_jacobian(peaks)(logs)
    spread = np.sqrt(np.einsum("ij,jk,ik->i", by_logs, covariance, by_logs))
    for moment, error in zip(moments, spread, strict=True):
        print(f"most hares in {YEARS[0] + moment:.2f} +- {error:.2f}")

    with zen.no_grad():
        fine = np.linspace(TIMES[0], TIMES[-1], 400)
        curves = np.exp(np.asarray(solution(logs, fine, tolerance)))
    with picture(chosen, "ode_fit", figsize=(8, 4)) as axes:
        for k, (name, counts, colour) in enumerate((("hares", HARES, "#3d7a43"), ("lynxes", LYNXES, "#a23b2a"))):
            axes.plot(YEARS, counts, "o", color=colour, label=f"{name}, pelts")
            axes.plot(YEARS[0] + fine, curves[:, k], color=colour, label=f"{name}, fitted")
        for moment, error in zip(moments, spread, strict=True):
            axes.axvspan(YEARS[0] + moment - error, YEARS[0] + moment + error, color="#3d7a43", alpha=0.2)
        axes.set(xlabel="year", ylabel="thousands", xticks=YEARS[::5], title="Fitted by the adjoint equation")
        axes.legend()


if __name__ == "__main__":
    main()
