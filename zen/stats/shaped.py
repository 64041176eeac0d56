"""Distributions with parameters of shape: gamma, beta, Student's t. Samples are quantiles at random probabilities.

They need SciPy, for gamma and beta functions.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import f, special
from ..ops.operands import raw
from .continuous import Continuous


def chances(rng: np.random.Generator, size: tuple[int, ...]) -> Any:
    """Probabilities to take quantiles at: in float64, and never 0."""
    return np.maximum(np.asarray(rng.random(size)), 2.0**-54)


def gamma_sample(rng: np.random.Generator, size: tuple[int, ...], dtype: Any, a: Any) -> Any:
    """A sample of the gamma distribution of scale 1, as a function of a: a quantile."""
    return f.astype(special.gammaincinv(a, chances(rng, size)), dtype)


class Gamma(Continuous):
    """The gamma distribution of shape a; its rate is 1 / scale."""

    name, shapes, low, inside = "gamma", ("a",), 0.0, 1.0

    def _logpdf(self, z: Any, a: Any) -> Any:
        return special.xlogy(a - 1, z) - z - special.gammaln(a)

    def _cdf(self, z: Any, a: Any) -> Any:
        return special.gammainc(a, z)

    def _sf(self, z: Any, a: Any) -> Any:
        return special.gammaincc(a, z)

    def _ppf(self, q: Any, a: Any) -> Any:
        return special.gammaincinv(a, q)

    def _rvs(self, rng: np.random.Generator, size: tuple[int, ...], dtype: Any, a: Any) -> Any:
        return gamma_sample(rng, size, dtype, a)

    def _mean(self, a: Any) -> Any:
        return a

    def _var(self, a: Any) -> Any:
        return a

    def _entropy(self, a: Any) -> Any:
        return a + special.gammaln(a) + (1 - a) * special.digamma(a)


class Beta(Continuous):
    """The beta distribution on [loc, loc + scale]."""

    name, shapes, low, high, inside = "beta", ("a", "b"), 0.0, 1.0, 0.5

    def _logpdf(self, z: Any, a: Any, b: Any) -> Any:
        return special.xlogy(a - 1, z) + special.xlog1py(b - 1, -z) - special.betaln(a, b)

    def _cdf(self, z: Any, a: Any, b: Any) -> Any:
        return special.betainc(a, b, z)

    def _sf(self, z: Any, a: Any, b: Any) -> Any:
        return special.betaincc(a, b, z)

    def _ppf(self, q: Any, a: Any, b: Any) -> Any:
        return special.betaincinv(a, b, q)

    def _rvs(self, rng: np.random.Generator, size: tuple[int, ...], dtype: Any, a: Any, b: Any) -> Any:
        return f.astype(special.betaincinv(a, b, chances(rng, size)), dtype)

    def _mean(self, a: Any, b: Any) -> Any:
        return a / (a + b)

    def _var(self, a: Any, b: Any) -> Any:
        return a * b / ((a + b) * (a + b) * (a + b + 1))

    def _entropy(self, a: Any, b: Any) -> Any:
        both = (a + b - 2) * special.digamma(a + b)
        return special.betaln(a, b) - (a - 1) * special.digamma(a) - (b - 1) * special.digamma(b) + both


class Student(Continuous):
    """Student's t distribution with df degrees of freedom."""

    name, shapes = "t", ("df",)

    def _logpdf(self, z: Any, df: Any) -> Any:
        tail = 0.5 * (df + 1) * f.log1p(f.square(z) / df)
        return -special.betaln(0.5, 0.5 * df) - 0.5 * f.log(df) - tail

    def _cdf(self, z: Any, df: Any) -> Any:
        return special.stdtr(df, z)

    def _sf(self, z: Any, df: Any) -> Any:
        return special.stdtr(df, -z)

    def _ppf(self, q: Any, df: Any) -> Any:
        return special.stdtrit(df, q)

    def _rvs(self, rng: np.random.Generator, size: tuple[int, ...], dtype: Any, df: Any) -> Any:
        normal = np.asarray(rng.standard_normal(size)).astype(dtype)
        return normal * f.sqrt(0.5 * df / gamma_sample(rng, size, dtype, 0.5 * df))

    def _mean(self, df: Any) -> Any:
        return f.where(np.asarray(raw(df)) > 1, 0.0, math.inf)

    def _var(self, df: Any) -> Any:
        values = np.asarray(raw(df))
        finite = f.where(values > 2, df, 3.0)
        return f.where(values > 2, finite / (finite - 2), np.where(values > 1, math.inf, math.nan))

    def _entropy(self, df: Any) -> Any:
        half = 0.5 * (df + 1)
        slope = half * (special.digamma(half) - special.digamma(0.5 * df))
        return slope + 0.5 * f.log(df) + special.betaln(0.5 * df, 0.5)


gamma, beta, t = Gamma(), Beta(), Student()
