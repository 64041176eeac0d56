"""Distributions of vectors, along the last axis: Dirichlet and multivariate normal."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import f, special
from ..backend import Tensor
from ..ops.operands import floating, raw
from . import arguments
from .arguments import Distribution, limited, positive, sized, source
from .shaped import gamma_sample

if TYPE_CHECKING:
    from ..typing import ArrayLike, Ints


class Dirichlet(Distribution):
    """The Dirichlet distribution of vectors that add up to 1. alpha: positive, (..., m). It needs SciPy."""

    name = "dirichlet"

    def _alpha(self, method: str, alpha: Any) -> Any:
        operation = f"dirichlet.{method}"
        weights = floating(operation, alpha)
        if not weights.shape:
            raise ValueError(f"{operation}: alpha must be a vector, or a stack of them along the last axis")
        positive(operation, alpha=weights)
        return weights

    def logpdf(self, x: ArrayLike, alpha: ArrayLike) -> Tensor:
        """The logarithm of the density at x, (..., m); -inf where x is negative or does not add up to 1.

        There the gradients are zero. x is taken as it is: the gradient does not know of the sum.
        """
        weights = self._alpha("logpdf", alpha)
        at = floating("dirichlet.logpdf", x)
        if at.shape[-1:] != weights.shape[-1:]:
            raise ValueError(
                f"dirichlet.logpdf: x of shape {at.shape} and alpha of shape {weights.shape} differ in length"
            )
        values = raw(at)
        tolerance = 1e-10 if values.dtype == np.float64 else 1e-5
        outside = np.any(values < 0, -1) | (np.abs(np.sum(values, -1) - 1) > tolerance)
        inside = f.where(outside[..., None], 1 / at.shape[-1], at) if np.any(outside) else at
        size = f.sum(special.gammaln(weights), -1) - special.gammaln(f.sum(weights, -1))
        return limited(outside, -math.inf, f.sum(special.xlogy(weights - 1, inside), -1) - size)

    def pdf(self, x: ArrayLike, alpha: ArrayLike) -> Tensor:
        """The density at x."""
        return f.exp(self.logpdf(x, alpha))

    def rvs(
        self, alpha: ArrayLike, size: Ints | None = None, random_state: int | np.random.Generator | None = None,
        generator: np.random.Generator | None = None,
    ) -> Tensor:  # fmt: skip
        """Random vectors, differentiable in alpha: (*size, m), or of the shape of alpha.

        They are gamma(alpha) numbers divided by their sum, and these gamma(alpha + 1) numbers times u ** (1 / alpha):
        in logarithms, so that small alpha give no zeros.
        """
        weights = self._alpha("rvs", alpha)
        lead = sized("dirichlet.rvs", size, np.empty(weights.shape[:-1]))
        rng, shape = source(random_state, generator), (*lead, weights.shape[-1])
        drawn = gamma_sample(rng, shape, raw(weights).dtype, weights + 1)
        power = -np.asarray(rng.standard_exponential(shape)).astype(raw(weights).dtype)
        return f.softmax(f.log(drawn) + f.divide(power, weights), -1)

    def mean(self, alpha: ArrayLike) -> Tensor:
        """The mean, (..., m)."""
        weights = self._alpha("mean", alpha)
        return f.divide(weights, f.sum(weights, -1, keepdims=True))

    def var(self, alpha: ArrayLike) -> Tensor:
        """The variance of each element, (..., m)."""
        weights = self._alpha("var", alpha)
        total = f.sum(weights, -1, keepdims=True)
        found: Tensor = weights * (total - weights) / (total * total * (total + 1))
        return found

    def entropy(self, alpha: ArrayLike) -> Tensor:
        """The differential entropy, in nats."""
        weights = self._alpha("entropy", alpha)
        total = f.sum(weights, -1)
        size = f.sum(special.gammaln(weights), -1) - special.gammaln(total)
        own = f.sum((weights - 1) * special.digamma(weights), -1)
        found: Tensor = size + (total - weights.shape[-1]) * special.digamma(total) - own
        return found


class MultivariateNormal(Distribution):
    """The normal distribution of vectors. mean: (..., d), or a number; cov: a covariance, positive definite.

    cov is (..., d, d); a number stands for a multiple of the identity, a vector for a diagonal, as in SciPy.
    LinAlgError where it is not positive definite. It needs no SciPy.
    """

    name = "multivariate_normal"

    def _parameters(self, method: str, mean: Any, cov: Any, d: int = 0) -> tuple[Any, Any]:
        """The mean as vectors, and the Cholesky factor."""
        operation = f"multivariate_normal.{method}"
        mean = floating(operation, 0.0 if mean is None else mean)
        cov = floating(operation, 1.0 if cov is None else cov)
        d = (cov.shape[-1] if len(cov.shape) else 0) or (mean.shape[-1] if len(mean.shape) else 0) or d or 1
        if len(cov.shape) < 2:
            cov = f.multiply(cov if not cov.shape else cov[..., None], np.eye(d, dtype=raw(cov).dtype))
        if cov.shape[-2:] != (d, d) or (mean.shape and mean.shape[-1] != d):
            raise ValueError(f"{operation}: a mean of shape {mean.shape} does not fit a cov of shape {cov.shape}")
        return f.broadcast_to(mean, (d,)) if not mean.shape else mean, f.cholesky(cov)

    def logpdf(self, x: ArrayLike, mean: ArrayLike | None = None, cov: ArrayLike | None = None) -> Tensor:
        """The logarithm of the density at x, (..., d)."""
        at = floating("multivariate_normal.logpdf", x)
        center, factor = self._parameters("logpdf", mean, cov, at.shape[-1] if at.shape else 1)
        d = center.shape[-1]
        if at.shape[-1:] != (d,):
            if d != 1:
                raise ValueError(f"multivariate_normal.logpdf: x of shape {at.shape} does not end in {d} dimensions")
            at = at[..., None]  # numbers are vectors of one dimension, as in SciPy
        away = f.subtract(at, center)
        lead = np.broadcast_shapes(away.shape[:-1], factor.shape[:-2])
        away = f.broadcast_to(away, (*lead, d))
        white = f.solve_triangular(factor, away[..., None], lower=True)[..., 0]
        found: Tensor = -0.5 * f.sum(f.square(white), -1) - _log_size(factor) - 0.5 * d * math.log(2 * math.pi)
        return found

    def pdf(self, x: ArrayLike, mean: ArrayLike | None = None, cov: ArrayLike | None = None) -> Tensor:
        """The density at x."""
        return f.exp(self.logpdf(x, mean, cov))

    def rvs(
        self, mean: ArrayLike | None = None, cov: ArrayLike | None = None, size: Ints | None = None,
        random_state: int | np.random.Generator | None = None, generator: np.random.Generator | None = None,
    ) -> Tensor:  # fmt: skip
        """Random vectors, differentiable in mean and cov: (*size, d)."""
        center, factor = self._parameters("rvs", mean, cov)
        own = np.broadcast_shapes(center.shape[:-1], factor.shape[:-2])
        lead = sized("multivariate_normal.rvs", size, np.empty(own))
        drawn = np.asarray(source(random_state, generator).standard_normal((*lead, center.shape[-1])))
        drawn = drawn.astype(arguments.dtype_of(center, factor))
        found: Tensor = f.matmul(factor, drawn[..., None])[..., 0] + center
        return found

    def entropy(self, mean: ArrayLike | None = None, cov: ArrayLike | None = None) -> Tensor:
        """The differential entropy, in nats."""
        center, factor = self._parameters("entropy", mean, cov)
        found: Tensor = _log_size(factor) + 0.5 * center.shape[-1] * (1 + math.log(2 * math.pi))
        return found


def _log_size(factor: Any) -> Any:
    """Half the logarithm of the determinant of a covariance."""
    return f.sum(f.log(f.diagonal(factor, axis1=-2, axis2=-1)), -1)


dirichlet, multivariate_normal = Dirichlet(), MultivariateNormal()
