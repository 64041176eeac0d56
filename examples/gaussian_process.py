"""Hyperparameters of a Gaussian process by marginal likelihood, on the diabetes data.

442 patients, bundled with scikit-learn (Efron et al. 2004): disease progression a year on, against the body mass
index. The covariance is squared exponential with noise; its three hyperparameters maximise the log marginal likelihood
(Rasmussen and Williams 2006, equation 2.30), differentiated through the Cholesky factor. scikit-learn's own Gaussian
process is fitted for comparison. Leaves a picture of the data, the mean and two standard deviations.
"""

from __future__ import annotations

import numpy as np
from program import arguments, clock, picture
from sklearn.datasets import load_diabetes
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, WhiteKernel

import zen
from zen import Tensor


def covariance(a: np.ndarray, b: np.ndarray, log_scale: Tensor, log_length: Tensor) -> Tensor:
    """exp(2 log_scale) exp(-|a - b|^2 / 2 length^2), of shape (len(a), len(b))."""
    squares = (a[:, None] - b[None, :]) ** 2
    return zen.exp(2 * log_scale - 0.5 * squares * zen.exp(-2 * log_length))


def log_likelihood(logs: Tensor, x: np.ndarray, y: np.ndarray) -> Tensor:
    """The log marginal likelihood; `logs` are the logarithms of scale, length and noise."""
    k = covariance(x, x, logs[0], logs[1]) + zen.exp(2 * logs[2]) * np.eye(len(x))
    factor = zen.linalg.cholesky(k)
    white = zen.linalg.solve(factor, zen.asarray(y))
    return -0.5 * (white @ white) - zen.log(factor.diagonal()).sum() - 0.5 * len(x) * np.log(2 * np.pi)


def fit(x: np.ndarray, y: np.ndarray, steps: int) -> tuple[np.ndarray, list[float]]:
    logs = zen.tensor(np.log([1.0, 1.0, 0.5]), requires_grad=True)
    values: list[float] = []
    optimiser = zen.optim.LBFGS([logs], max_iter=steps, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimiser.zero_grad()
        value = -log_likelihood(logs, x, y)
        value.backward()
        values.append(-value.item())
        return value

    optimiser.step(closure)
    return logs.value, values


def predict(logs: np.ndarray, x: np.ndarray, y: np.ndarray, at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of new observations."""
    with zen.no_grad():
        scale, length, noise = zen.asarray(logs)
        known = covariance(x, x, scale, length).value + np.exp(2 * logs[2]) * np.eye(len(x))
        between = covariance(at, x, scale, length).value
    gain = np.linalg.solve(known, between.T)
    variance = np.exp(2 * logs[0]) - np.sum(between.T * gain, 0) + np.exp(2 * noise.item())
    return gain.T @ y, np.sqrt(variance)


def main() -> None:
    chosen = arguments("Hyperparameters of a Gaussian process by marginal likelihood.").parse_args()
    data = load_diabetes(scaled=False)
    n = 120 if chosen.quick else len(data.target)
    x, y = data.data[:n, 2], data.target[:n]
    x_mean, x_std, y_mean, y_std = x.mean(), x.std(), y.mean(), y.std()
    x, y = (x - x_mean) / x_std, (y - y_mean) / y_std
    with clock(chosen):
        logs, values = fit(x, y, 15 if chosen.quick else 25)
    scale, length, noise = np.exp(logs)
    print(f"log marginal likelihood {values[0]:.4f} -> {values[-1]:.4f}")
    print(f"scale {scale:.4f}, length {length:.4f}, noise {noise:.4f} (standardised units)")

    kernel = ConstantKernel(1.0) * RBF(1.0) + WhiteKernel(0.25)
    theirs = GaussianProcessRegressor(kernel).fit(x[:, None], y)
    print(f"scikit-learn reaches {theirs.log_marginal_likelihood_value_:.4f}")

    at = np.linspace(x.min(), x.max(), 200)
    mean, deviation = predict(logs, x, y, at)
    with picture(chosen, "gaussian_process", figsize=(7, 4.2)) as axes:
        axes.plot(x * x_std + x_mean, y * y_std + y_mean, ".", color="#8aa4c8", label="patients")
        centre, band = mean * y_std + y_mean, 2 * deviation * y_std
        axes.plot(at * x_std + x_mean, centre, color="#1f4e8c", label="mean")
        axes.fill_between(at * x_std + x_mean, centre - band, centre + band, alpha=0.15, color="#1f4e8c")
        axes.set(xlabel="body mass index", ylabel="disease progression", title="Gaussian process, two deviations")
        axes.legend()


if __name__ == "__main__":
    main()
