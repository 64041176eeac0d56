"""Distributions of counts: Poisson, binomial, negative binomial and categorical.

Their functions are differentiable in the parameters, never in the counts; a sample of counts has no derivative at all.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import f, special
from ..backend import Tensor, wrap
from ..ops.operands import floating, raw
from . import arguments
from .arguments import Distribution, bound, limited, logarithm, number, sized, source, typed, within

if TYPE_CHECKING:
    from ..typing import ArrayLike, Ints

_COUNTS = "it counts"
_STEPS = (
    "a sample of counts moves in steps, so there is no reparameterisation (the gradient of an expectation is that of "
    "logpmf times the value)"
)


class Discrete(Distribution):
    """Methods as in scipy.stats. Parameters by position or name, then loc (0), a constant."""

    shapes: tuple[str, ...] = ()
    fixed: tuple[str, ...] = ()
    """Parameters that are counts themselves."""

    def _parameters(self, method: str, args: Any, given: Any) -> tuple[list[Any], Any]:
        operation = f"{self.name}.{method}"
        *shape, loc = bound(operation, (*self.shapes, "loc"), {"loc": 0.0}, args, given)
        arguments.constant(operation, "loc", _COUNTS, loc)
        for name, value in zip(self.shapes, shape, strict=True):
            if name in self.fixed:
                arguments.constant(operation, name, _COUNTS, value)
        shape = [raw(v) if name in self.fixed else v for name, v in zip(self.shapes, shape, strict=True)]
        return shape, raw(loc)

    def _typed(self, method: str, args: Any, given: Any) -> tuple[list[Any], Any]:
        shape, loc = self._parameters(method, args, given)
        loc, *shape = typed(loc, *shape)
        return shape, loc

    def _at(self, method: str, k: Any, args: Any, given: Any) -> tuple[Any, ...]:
        """The counts as an array, the parameters with harmless numbers where they have no meaning, and where not."""
        shape, loc = self._parameters(method, args, given)
        arguments.constant(f"{self.name}.{method}", "k", _COUNTS, k)
        k, loc, *shape = typed(number(f"{self.name}.{method}", k), loc, *shape)
        counts = raw(k) - loc
        valid = self._valid(*[np.asarray(raw(v)) for v in shape])
        if not np.all(valid):
            shape = [within(~valid, v, harmless) for v, harmless in zip(shape, self._harmless(), strict=True)]
        return counts, shape, valid & ~np.isnan(counts)

    def logpmf(self, k: ArrayLike, *args: ArrayLike, **parameters: ArrayLike) -> Tensor:
        """The logarithm of the probability of k; -inf for what is no count of the support, with gradients of zero."""
        counts, shape, valid = self._at("logpmf", k, args, parameters)
        outside = (
            (counts < 0) | np.isinf(counts) | (counts != np.floor(counts)) | (counts > self._most(*map(raw, shape)))
        )
        inside = np.where(outside | np.isnan(counts), 0.0, counts).astype(counts.dtype)
        return limited(outside, -math.inf, self._logpmf(inside, *shape), valid)

    def pmf(self, k: ArrayLike, *args: ArrayLike, **parameters: ArrayLike) -> Tensor:
        """The probability of k."""
        return f.exp(self.logpmf(k, *args, **parameters))

    def cdf(self, k: ArrayLike, *args: ArrayLike, **parameters: ArrayLike) -> Tensor:
        """The probability of a count up to k."""
        return self._probability("cdf", k, args, parameters)

    def sf(self, k: ArrayLike, *args: ArrayLike, **parameters: ArrayLike) -> Tensor:
        """The probability of a count above k: 1 - cdf, exact where that is tiny."""
        return self._probability("sf", k, args, parameters)

    def logcdf(self, k: ArrayLike, *args: ArrayLike, **parameters: ArrayLike) -> Tensor:
        """The logarithm of cdf."""
        return logarithm(self.cdf(k, *args, **parameters))

    def logsf(self, k: ArrayLike, *args: ArrayLike, **parameters: ArrayLike) -> Tensor:
        """The logarithm of sf."""
        return logarithm(self.sf(k, *args, **parameters))

    def _probability(self, method: str, k: Any, args: Any, given: Any) -> Tensor:
        counts, shape, valid = self._at(method, k, args, given)
        counts = np.floor(counts)
        below, above = counts < 0, counts >= self._most(*map(raw, shape))
        inside = np.where(below | above | np.isnan(counts), 0.0, counts).astype(counts.dtype)
        limit = np.where(above if method == "cdf" else below, 1.0, 0.0).astype(counts.dtype)
        if np.any(above):  # a binomial one of no trials has its only count above
            shape = self._room(shape)
        return limited(below | above, limit, (self._cdf if method == "cdf" else self._sf)(inside, *shape), valid)

    def rvs(
        self, *args: ArrayLike, size: Ints | None = None, random_state: int | np.random.Generator | None = None,
        generator: np.random.Generator | None = None, **parameters: ArrayLike,
    ) -> Tensor:  # fmt: skip
        """Random samples, int64. TypeError where a parameter requires a gradient: a sample of counts has none.

        size, random_state, generator: as for the continuous distributions. ValueError for parameters without meaning.
        """
        operation = f"{self.name}.rvs"
        shape, loc = self._parameters("rvs", args, parameters)
        for name, value in zip(self.shapes, shape, strict=True):
            arguments.constant(operation, name, _STEPS, value)
        values = [np.asarray(raw(v), np.float64) for v in shape]
        if not np.all(self._valid(*values)):
            raise ValueError(f"{operation}: parameters without meaning; needed is {self.needed}")
        sizes = sized(operation, size, *shape, loc)
        drawn = np.asarray(self._rvs(source(random_state, generator), sizes, *values))
        return wrap(np.asarray(drawn + np.asarray(loc).astype(np.int64)).astype(np.int64))

    def mean(self, *args: ArrayLike, **parameters: ArrayLike) -> Tensor:
        """The mean."""
        shape, loc = self._typed("mean", args, parameters)
        return self._moment(f.add(self._mean(*shape), loc), shape, loc)

    def var(self, *args: ArrayLike, **parameters: ArrayLike) -> Tensor:
        """The variance."""
        shape, loc = self._typed("var", args, parameters)
        return self._moment(f.positive(self._var(*shape)), shape, loc)

    def std(self, *args: ArrayLike, **parameters: ArrayLike) -> Tensor:
        """The standard deviation."""
        return f.sqrt(self.var(*args, **parameters))

    def _moment(self, value: Tensor, shape: list[Any], loc: Any) -> Tensor:
        whole = f.broadcast_to(value, arguments.shape_of(*shape, loc))
        return limited(np.zeros((), bool), 0.0, whole, self._valid(*[np.asarray(raw(v)) for v in shape]))

    needed = ""

    def _valid(self, *shape: Any) -> Any:
        raise NotImplementedError

    def _harmless(self) -> tuple[float, ...]:
        raise NotImplementedError

    def _most(self, *shape: Any) -> Any:
        return math.inf

    def _room(self, shape: list[Any]) -> list[Any]:
        return shape

    def _logpmf(self, k: Any, *shape: Any) -> Any:
        raise NotImplementedError

    def _cdf(self, k: Any, *shape: Any) -> Any:
        raise NotImplementedError

    def _sf(self, k: Any, *shape: Any) -> Any:
        raise NotImplementedError

    def _rvs(self, rng: np.random.Generator, size: tuple[int, ...], *shape: Any) -> Any:
        raise NotImplementedError

    def _mean(self, *shape: Any) -> Any:
        raise NotImplementedError

    def _var(self, *shape: Any) -> Any:
        raise NotImplementedError


class Poisson(Discrete):
    """The Poisson distribution of mean mu."""

    name, shapes, needed = "poisson", ("mu",), "mu >= 0"

    def _valid(self, mu: Any) -> Any:
        return mu >= 0

    def _harmless(self) -> tuple[float, ...]:
        return (1.0,)

    def _logpmf(self, k: Any, mu: Any) -> Any:
        return special.xlogy(k, mu) - mu - special.gammaln(k + 1)

    def _cdf(self, k: Any, mu: Any) -> Any:
        return special.gammaincc(k + 1, mu)

    def _sf(self, k: Any, mu: Any) -> Any:
        return special.gammainc(k + 1, mu)

    def _rvs(self, rng: np.random.Generator, size: tuple[int, ...], mu: Any) -> Any:
        return rng.poisson(mu, size)

    def _mean(self, mu: Any) -> Any:
        return mu

    def _var(self, mu: Any) -> Any:
        return mu


class Binomial(Discrete):
    """The number of successes, of probability p, in n trials. n is a constant."""

    name, shapes, fixed, needed = "binom", ("n", "p"), ("n",), "n >= 0, whole, and 0 <= p <= 1"

    def _valid(self, n: Any, p: Any) -> Any:
        return (n >= 0) & (n == np.floor(n)) & (p >= 0) & (p <= 1)

    def _harmless(self) -> tuple[float, ...]:
        return 1.0, 0.5

    def _most(self, n: Any, p: Any) -> Any:
        return n

    def _room(self, shape: list[Any]) -> list[Any]:
        return [np.maximum(raw(shape[0]), 1.0), shape[1]]

    def _logpmf(self, k: Any, n: Any, p: Any) -> Any:
        n = raw(n)
        ways = -special.betaln(1 + n - k, 1 + k) - np.log1p(n)
        return ways + special.xlogy(k, p) + special.xlog1py(n - k, -p)

    def _cdf(self, k: Any, n: Any, p: Any) -> Any:
        return special.betaincc(k + 1, np.maximum(raw(n) - k, 1.0), p)

    def _sf(self, k: Any, n: Any, p: Any) -> Any:
        return special.betainc(k + 1, np.maximum(raw(n) - k, 1.0), p)

    def _rvs(self, rng: np.random.Generator, size: tuple[int, ...], n: Any, p: Any) -> Any:
        return rng.binomial(n.astype(np.int64), p, size)

    def _mean(self, n: Any, p: Any) -> Any:
        return n * p

    def _var(self, n: Any, p: Any) -> Any:
        return n * p * (1 - p)


class NegativeBinomial(Discrete):
    """The number of failures before n successes of probability p; n is any positive number, and has a derivative."""

    name, shapes, needed = "nbinom", ("n", "p"), "n > 0 and 0 < p <= 1"

    def _valid(self, n: Any, p: Any) -> Any:
        return (n > 0) & (p > 0) & (p <= 1)

    def _harmless(self) -> tuple[float, ...]:
        return 1.0, 0.5

    def _logpmf(self, k: Any, n: Any, p: Any) -> Any:
        ways = -special.betaln(n, k + 1) - f.log(n + k)
        return ways + special.xlogy(n, p) + special.xlog1py(k, -p)

    def _cdf(self, k: Any, n: Any, p: Any) -> Any:
        return special.betainc(n, k + 1, p)

    def _sf(self, k: Any, n: Any, p: Any) -> Any:
        return special.betaincc(n, k + 1, p)

    def _rvs(self, rng: np.random.Generator, size: tuple[int, ...], n: Any, p: Any) -> Any:
        return rng.negative_binomial(n, p, size)

    def _mean(self, n: Any, p: Any) -> Any:
        return n * (1 - p) / p

    def _var(self, n: Any, p: Any) -> Any:
        return n * (1 - p) / (p * p)


class Categorical(Distribution):
    """One of the numbers 0, ..., m - 1, with given probabilities or logits along the last axis.

    p: weights from 0, of any sum, which are divided by it. logits: logarithms of weights, in the place of p. The axes
    before the last one broadcast against k. (SciPy has no such distribution; the names are those of the others.)
    """

    name = "categorical"

    def _weights(self, method: str, p: Any, logits: Any) -> tuple[Any, Any]:
        operation = f"categorical.{method}"
        if (p is None) == (logits is None):
            raise TypeError(f"{operation} takes either p or logits")
        p, logits = [None if v is None else floating(operation, v) for v in (p, logits)]
        given = logits if p is None else p
        if not given.shape or not given.shape[-1]:
            raise ValueError(f"{operation}: needed is a last axis of categories, but the shape is {given.shape}")
        if p is not None and np.any(raw(p) < 0):
            raise ValueError(f"{operation}: p must not be negative")
        return p, logits

    def logpmf(self, k: ArrayLike, p: ArrayLike | None = None, *, logits: ArrayLike | None = None) -> Tensor:
        """The logarithm of the probability of k; -inf for what is no category, with gradients of zero."""
        arguments.constant("categorical.logpmf", "k", _COUNTS, k)
        weights, logs = self._weights("logpmf", p, logits)
        given = logs if weights is None else weights
        counts = np.asarray(raw(number("categorical.logpmf", k)))
        outside = ~((counts >= 0) & (counts < given.shape[-1]) & (counts == np.floor(counts)))
        places = np.where(outside, 0, counts).astype(np.int64)
        shape = np.broadcast_shapes(places.shape, given.shape[:-1])
        places, outside = np.broadcast_to(places, shape), np.broadcast_to(outside, shape)
        if weights is None:
            given, total = logs, f.logsumexp(logs, axis=-1)
        else:
            total = f.log(f.sum(weights, -1))
        spread = f.broadcast_to(given, (*shape, given.shape[-1]))
        chosen = within(outside, f.take_along_axis(spread, places[..., None], -1)[..., 0], 1.0)
        # Only what was chosen goes through the logarithm: the slope at a zero elsewhere is infinite.
        return limited(outside, -math.inf, (chosen if weights is None else f.log(chosen)) - total)

    def pmf(self, k: ArrayLike, p: ArrayLike | None = None, *, logits: ArrayLike | None = None) -> Tensor:
        """The probability of k."""
        return f.exp(self.logpmf(k, p, logits=logits))

    def entropy(self, p: ArrayLike | None = None, *, logits: ArrayLike | None = None) -> Tensor:
        """The entropy, in nats."""
        weights, logs = self._weights("entropy", p, logits)
        q = f.softmax(logs, -1) if weights is None else weights / f.sum(weights, -1, keepdims=True)
        return f.sum(special.entr(q), -1)

    def rvs(
        self, p: ArrayLike | None = None, *, logits: ArrayLike | None = None, size: Ints | None = None,
        random_state: int | np.random.Generator | None = None, generator: np.random.Generator | None = None,
    ) -> Tensor:  # fmt: skip
        """Random categories, int64. TypeError where p or logits requires a gradient: a sample of them has none."""
        weights, logs = self._weights("rvs", p, logits)
        arguments.constant("categorical.rvs", "p" if logs is None else "logits", _STEPS, weights, logs)
        q = np.exp(raw(logs) - np.max(raw(logs), -1, keepdims=True)) if weights is None else raw(weights)
        edges = np.cumsum(np.asarray(q, np.float64), -1)
        sizes = sized("categorical.rvs", size, edges[..., 0])
        drawn = np.asarray(source(random_state, generator).random(sizes))[..., None] * edges[..., -1:]
        return wrap(np.asarray(np.sum(drawn >= edges[..., :-1], -1)).astype(np.int64))


poisson, binom, nbinom, categorical = Poisson(), Binomial(), NegativeBinomial(), Categorical()
