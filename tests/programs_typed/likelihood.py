"""A likelihood in plain NumPy: its maximum by Newton's method, with gradients, Hessians and directional derivatives."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

import zen
from zen.typing import ArrayLike

Array = NDArray[np.float64]


def negative_log_likelihood(theta: Array, x: Array, y: Array, *, ridge: float = 0.0) -> Any:
    """Of counts y with the mean exp(theta[0] + theta[1] * x)."""
    mean = np.exp(theta[0] + theta[1] * x)
    return np.sum(mean - y * np.log(mean)) + 0.5 * ridge * np.sum(theta**2)


def hessian(theta: Array, x: Array, y: Array) -> Array:
    """One column for each direction: forward mode over the gradient."""

    def gradient(t: Array) -> Any:
        return zen.grad(negative_log_likelihood)(t, x, y, ridge=0.1)

    columns = [zen.jvp(gradient, (theta,), (direction,))[1] for direction in np.eye(len(theta))]
    return np.stack(columns, axis=1)


def deviance(mean: ArrayLike, y: ArrayLike) -> zen.Tensor:
    ratio = zen.divide(y, mean)
    return 2 * zen.sum(zen.multiply(y, zen.log(ratio)) - zen.subtract(y, mean))


def scaled(p: dict[str, Array]) -> tuple[Any, float]:
    return np.sum(np.square(p["a"])) * p["b"], 1.0


def main() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=200)
    y = rng.poisson(np.exp(0.5 + 0.3 * x)).astype(np.float64)

    theta, gradient = np.zeros(2), np.zeros(2)
    value_and_gradient = zen.value_and_grad(negative_log_likelihood)
    for _ in range(20):
        _, gradient = value_and_gradient(theta, x, y, ridge=0.1)
        theta = theta - np.linalg.solve(hessian(theta, x, y), gradient)
    assert np.abs(gradient).max() < 1e-8 and abs(theta[1] - 0.3) < 0.2

    by_data = zen.grad(negative_log_likelihood, argnums=(0, 2))
    assert [g.shape for g in by_data(theta, x, y)] == [(2,), (200,)]
    (gradients, aux) = zen.grad(scaled, has_aux=True)({"a": x, "b": np.array(2.0)})
    assert gradients["a"].shape == x.shape and aux == 1.0
    second = zen.grad(zen.grad(np.sin))
    assert abs(second(1.0) + np.sin(1.0)) < 1e-12

    value, pull = zen.vjp(lambda t: np.exp(t[0] + t[1] * x), theta)
    (product,) = pull(np.ones_like(value))
    assert product.shape == (2,)

    fitted = zen.tensor(theta, requires_grad=True)
    loss = deviance(zen.exp(fitted[0] + fitted[1] * x), y + 0.5)
    loss.backward()
    assert fitted.gradient is not None and zen.gradients(fitted.sum(), fitted).shape == (2,)


if __name__ == "__main__":
    main()
