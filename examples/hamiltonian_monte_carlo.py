"""A Bayesian linear model by Hamiltonian Monte Carlo, on the diabetes data.

442 patients with ten measurements each (Efron et al. 2004), bundled with scikit-learn. The weights along the data's
principal directions have normal priors, the deviation of the noise a log-normal one. Every leapfrog step needs the
gradient of the log posterior, which zen gives (Neal 2011, section 5.2). For a fixed noise the posterior of the weights
is known exactly, so the samples' means are checked against it. Leaves a picture of the marginal posteriors.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from program import arguments, clock, picture
from sklearn.datasets import load_diabetes

import zen
from zen import Tensor

Array = np.ndarray
PRIOR = 1.0  # deviation of the weights, in units of the standardised target


def log_posterior(q: Tensor, x: Array, y: Array) -> Tensor:
    """Up to a constant; q holds the weights and, last, the logarithm of the noise's deviation."""
    weights, log_noise = q[:-1], q[-1]
    residuals = y - x @ weights
    likelihood = -0.5 * zen.exp(-2 * log_noise) * (residuals @ residuals) - len(y) * log_noise
    return likelihood - 0.5 / PRIOR**2 * (weights @ weights) - 0.5 * log_noise**2


def sample(
    density: Callable[[Array], tuple[Array, Array]], start: Array, count: int, step: float, leaps: int, seed: int
) -> tuple[Array, float]:
    """`count` samples, and the share of proposals that were accepted. `density` gives value and gradient."""
    random = np.random.default_rng(seed)
    q = start
    value, gradient = density(q)
    found, accepted = np.empty((count, len(q))), 0
    for i in range(count):
        p = random.normal(size=len(q))
        energy = value - 0.5 * p @ p
        new, new_value, new_gradient = q, value, gradient
        p = p + 0.5 * step * new_gradient
        for leap in range(leaps):
            new = new + step * p
            new_value, new_gradient = density(new)
            p = p + (step if leap < leaps - 1 else 0.5 * step) * new_gradient
        if np.log(random.uniform()) < new_value - 0.5 * p @ p - energy:
            q, value, gradient = new, new_value, new_gradient
            accepted += 1
        found[i] = q
    return found, accepted / count


def main() -> None:
    chosen = arguments("A Bayesian linear model by Hamiltonian Monte Carlo.").parse_args()
    data = load_diabetes()
    standard = data.data / data.data.std(0)
    # Orthogonal directions make one step size fit all of them; the weights are turned back below.
    left, scales, turn = np.linalg.svd(standard, full_matrices=False)
    x = left * np.sqrt(len(standard))
    y = (data.target - data.target.mean()) / data.target.std()
    back = (turn.T / scales) * np.sqrt(len(standard))
    count, warm_up = (150, 50) if chosen.quick else (4000, 500)

    gradient = zen.value_and_grad(lambda q: log_posterior(q, x, y))
    fit = np.linalg.lstsq(x, y)[0]
    start = np.append(fit, np.log(np.std(y - x @ fit)))  # far from the mode, steps of this length are rejected
    with clock(chosen, "sampling"):
        samples, accepted = sample(gradient, start, count + warm_up, 0.03, 12, chosen.seed)
    samples = samples[warm_up:]

    noise = np.exp(samples[:, -1])
    precision = x.T @ x / noise.mean() ** 2 + np.eye(x.shape[1]) / PRIOR**2
    exact = np.linalg.solve(precision, x.T @ y) / noise.mean() ** 2
    deviations = np.sqrt(np.diag(np.linalg.inv(precision)))
    error = np.abs(samples[:, :-1].mean(0) - exact) / deviations
    print(f"{count} samples, {accepted:.2f} of the proposals accepted, noise {noise.mean():.3f} +- {noise.std():.3f}")
    print(f"means differ from the exact posterior by at most {error.max():.3f} of its deviation")

    weights = samples[:, :-1] @ back.T
    with picture(chosen, "hamiltonian_monte_carlo", 2, 5, figsize=(11, 4.5)) as axes:
        for name, column, place in zip(data.feature_names, weights.T, axes.flat, strict=True):
            place.hist(column, bins=40, density=True, color="#b8cbe4")
            place.axvline(0, color="k", linewidth=0.6)
            place.set_title(name)
            place.set_yticks([])
        axes[0, 0].figure.suptitle("Marginal posteriors of the weights (standardised)")


if __name__ == "__main__":
    main()
