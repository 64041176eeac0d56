"""Logistic regression on the breast cancer data, and scikit-learn's own coefficients beside it.

569 tumours, 30 measurements of each (Street, Wolberg and Mangasarian 1993), bundled with scikit-learn. Both minimise
the same loss, cross entropy plus half the squared norm of the weights, so they must find the same weights: zen by
L-BFGS on its gradients, scikit-learn by its own solver. Leaves a picture of both.
"""

from __future__ import annotations

import numpy as np
from program import arguments, clock, picture
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression

import zen
from zen import Tensor, f


def loss(weights: Tensor, bias: Tensor, x: np.ndarray, y: np.ndarray) -> Tensor:
    """The negative log likelihood, log(1 + exp(-s z)) with s = +-1, and the penalty."""
    margins = (2 * y - 1) * (x @ weights + bias)
    return f.softplus(-margins).sum() + 0.5 * (weights * weights).sum()


def fit(x: np.ndarray, y: np.ndarray, steps: int) -> tuple[np.ndarray, float, list[float]]:
    """Weights, bias, and the loss at each evaluation of L-BFGS."""
    weights = zen.zeros(x.shape[1], requires_grad=True)
    bias = zen.zeros((), requires_grad=True)
    optimiser = zen.optim.LBFGS(
        [weights, bias], max_iter=steps, tolerance_grad=1e-8, tolerance_change=0, line_search_fn="strong_wolfe"
    )
    losses: list[float] = []

    def closure() -> Tensor:
        optimiser.zero_grad()
        value = loss(weights, bias, x, y)
        value.backward()
        losses.append(value.item())
        return value

    optimiser.step(closure)
    return weights.value, bias.item(), losses


def main() -> None:
    chosen = arguments("Logistic regression on breast cancer data.").parse_args()
    data = load_breast_cancer()
    x = (data.data - data.data.mean(0)) / data.data.std(0)
    with clock(chosen):
        weights, bias, losses = fit(x, data.target, 100)

    theirs = LogisticRegression(C=1.0, tol=1e-10, max_iter=10_000).fit(x, data.target)
    gap = max(np.abs(weights - theirs.coef_[0]).max(), abs(bias - theirs.intercept_[0]))
    accuracy = np.mean((x @ weights + bias > 0) == data.target)
    print(f"loss {losses[-1]:.4f}, accuracy on the data {accuracy:.4f}")
    print(f"largest difference from scikit-learn's coefficients: {gap:.1e}")

    with picture(chosen, "logistic_regression", 1, 2) as (left, right):
        left.semilogy(np.array(losses) - min(losses) + 1e-12)
        left.set(xlabel="evaluation", ylabel="loss above the best", title="Convergence")
        right.barh(data.feature_names, weights, color="#b8cbe4", label="zen")
        right.plot(theirs.coef_[0], data.feature_names, "k.", label="scikit-learn")
        right.tick_params(axis="y", labelsize=6)
        right.set(xlabel="coefficient", title="Weights of the standardised measurements")
        right.legend()


if __name__ == "__main__":
    main()
