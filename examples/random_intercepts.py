"""A model with random intercepts, by Laplace's approximation of its marginal likelihood on the sparse Hessian.

New cases of contagious bovine pleuropneumonia among the animals of 15 herds of zebu cattle in Ethiopia, in up to four
periods (Lesnoff et al. 2004). They are binomial; the logit of a case is an effect of the period and an intercept of the
herd, which is normal with mean 0. The 15 intercepts u are integrated out of the joint density exp(-j(u, theta)):

    -log marginal(theta) ~= j(u*, theta) + log det H / 2 - n / 2 log(2 pi),    H = d2j / du2 at u* = argmin j(u, theta)

(Skaug and Fournier 2006; Kristensen et al. 2016). u* comes from `zen.implicit_argmin`, H as the entries of its sparse
pattern, from as many Hessian-vector products as it has colours. All of it is differentiable, so the fit has exact
gradients, and its Hessian gives the standard errors. Compares with lme4's estimates, and leaves a picture of the herds.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from program import arguments, clock, picture
from scipy.sparse.linalg import splu
from scipy.special import gammaln

import zen
from zen import Tensor
from zen.typing import Array

HERD = np.repeat(np.arange(15), [4, 3, 4, 4, 4, 4, 4, 1, 4, 4, 4, 4, 4, 4, 4])
PERIOD = np.concatenate([np.arange(k) for k in np.bincount(HERD)])
CASES = np.array([
    2, 3, 4, 0, 3, 1, 1, 8, 2, 0, 2, 2, 0, 2, 0, 5, 0, 0, 1, 3, 0, 0, 1, 8, 1, 3, 0, 12, 2, 0, 0, 0, 1, 1, 0, 2, 0, 5,
    3, 1, 2, 1, 0, 0, 1, 2, 0, 0, 11, 0, 0, 0, 1, 1, 1, 0,
])  # fmt: skip
SIZE = np.array([
    14, 12, 9, 5, 22, 18, 21, 22, 16, 16, 20, 10, 10, 9, 6, 18, 25, 24, 4, 17, 17, 18, 20, 16, 10, 9, 5, 34, 9, 6, 8, 6,
    22, 22, 18, 22, 25, 27, 22, 22, 10, 8, 6, 5, 21, 24, 19, 23, 19, 2, 3, 2, 19, 15, 15, 15,
])  # fmt: skip
HERDS = 15
DESIGN = np.column_stack([np.ones(len(HERD)), *(PERIOD == k for k in (1, 2, 3))])
CHOICES = np.sum(gammaln(SIZE + 1) - gammaln(CASES + 1) - gammaln(SIZE - CASES + 1))
PUBLISHED = np.array([-1.3983, -0.9919, -1.1282, -1.5797, 0.6421])
"""lme4's: the intercept, the effects of periods 2 to 4, the standard deviation of the herds."""

START = {"effects": np.zeros(4), "log_deviation": 0.0}


def joint(u: Array, theta: dict[str, Any]) -> Tensor:
    """-log p(cases, intercepts)."""
    logit = DESIGN @ theta["effects"] + u[HERD]
    cases = np.sum(SIZE * np.logaddexp(0.0, logit) - CASES * logit) - CHOICES
    herds = np.sum((u * np.exp(-theta["log_deviation"])) ** 2) / 2
    return cases + herds + HERDS * (theta["log_deviation"] + np.log(2 * np.pi) / 2)


PATTERN = zen.sparse_hessian(joint).pattern(np.zeros(HERDS), START)
COLORS = PATTERN.coloring("column")
ROWS, COLUMNS = PATTERN.matrix.nonzero()


def hessian_entries(u: Array, theta: dict[str, Any]) -> Tensor:
    """The entries of H in PATTERN: those of columns of one colour come from one product."""
    products = [zen.hvp(lambda u: joint(u, theta), u, seed) for seed in COLORS.seeds(np.dtype(float))]
    return np.stack(products)[COLORS.colors[COLUMNS], ROWS]


@zen.custom_vjp
def log_determinant(entries: Array) -> Any:
    """Of the positive definite matrix with these entries in PATTERN."""
    factors = splu(PATTERN.filled(entries).tocsc())
    return np.sum(np.log(np.abs(factors.U.diagonal())))


@log_determinant.defvjp
def _(g: Array, out: Array, entries: Array) -> Array:
    return g * inverse_entries(entries)


@zen.custom_vjp
def inverse_entries(entries: Array) -> Array:
    """The entries of the inverse in PATTERN, which are the derivative of the log-determinant."""
    factors = splu(PATTERN.filled(entries).tocsc())
    return np.asarray(factors.solve(np.eye(HERDS))[ROWS, COLUMNS])


@inverse_entries.defvjp
def _(g: Array, out: Array, entries: Array) -> Array:
    """-inverse @ g @ inverse; this second derivative, for the standard errors, takes the matrices as dense."""
    h, c = zen.zeros((HERDS, HERDS)), zen.zeros((HERDS, HERDS))
    h[ROWS, COLUMNS] = entries
    c[ROWS, COLUMNS] = g
    inverse = zen.linalg.inv(h)
    return -(inverse @ c @ inverse)[ROWS, COLUMNS]


def marginal(theta: dict[str, Any]) -> Tensor:
    """-log p(cases), by Laplace's approximation."""
    u = zen.implicit_argmin(joint, np.zeros(HERDS), theta)
    return joint(u, theta) + log_determinant(hessian_entries(u, theta)) / 2 - HERDS / 2 * np.log(2 * np.pi)


def gradient_error(theta: dict[str, Any], step: float = 1e-5) -> float:
    """The largest difference of the gradient from central differences, relative to the largest of these."""
    x, back = zen.ravel_tree(theta)
    exact = zen.grad(lambda x: marginal(back(x)))(x)
    with zen.no_grad():
        moved = [float(marginal(back(x + s)) - marginal(back(x - s))) / (2 * step) for s in step * np.eye(len(x))]
    return float(np.abs(exact - moved).max() / np.abs(moved).max())


def main() -> None:
    chosen = arguments("A random-intercept model by Laplace's approximation.").parse_args()
    with clock(chosen, "the fit with its standard errors"):
        fit = zen.optimize.minimize(marginal, START, method="BFGS")
        table = zen.optimize.summary(fit)
    print(table)
    found = np.append(fit.x["effects"], np.exp(fit.x["log_deviation"]))
    print(f"standard deviation of the herds {found[4]:.4f}, log likelihood {-fit.fun:.4f}")
    print(f"differs from lme4's estimates by at most {np.abs(found - PUBLISHED).max():.1e}")
    print(f"gradient at the start, beside central differences: {gradient_error(START):.1e}")

    u = np.asarray(zen.implicit_argmin(joint, np.zeros(HERDS), fit.x))
    error = np.sqrt(1 / zen.sparse_hessian(joint)(u, fit.x).diagonal())
    order = np.argsort(u)
    with picture(chosen, "random_intercepts", figsize=(7, 4)) as axes:
        axes.errorbar(u[order], np.arange(HERDS), xerr=1.96 * error[order], fmt="o", color="#3d5a80", capsize=2)
        axes.axvline(0, color="0.7", lw=1)
        axes.set(xlabel="intercept (logit)", ylabel="herd", yticks=range(HERDS), yticklabels=order + 1)
        axes.set_title("Herds, with 95 % intervals")


if __name__ == "__main__":
    main()
