"""The class of distributions with a location and a scale, and of such the ones without further parameters.

A distribution says what its density, distribution function and sample are at location 0 and scale 1. Outside of its
support a logarithm is -inf, with gradients of zero; where a parameter has no meaning the result is nan, as in SciPy.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import f, special
from ..backend import Tensor
from ..ops.operands import raw
from . import arguments
from .arguments import Distribution, bound, limited, logarithm, number, positive, sized, source, typed, within

if TYPE_CHECKING:
    from ..typing import ArrayLike, Ints

_HALF_LOG = 0.5 * math.log(2 * math.pi)
_ROOT = math.sqrt(0.5)


class Continuous(Distribution):
    """Methods as in scipy.stats. Parameters by position or name: those of the shape, then loc (0) and scale (1).

    x and the parameters are Tensors, arrays or numbers that broadcast. All results are Tensors, differentiable in x and
    in every parameter, unless the class says otherwise.
    """

    shapes: tuple[str, ...] = ()
    low, high, inside = -math.inf, math.inf, 0.0
    """The support at location 0 and scale 1, and a point of it."""

    def _parameters(self, method: str, args: Any, given: Any) -> tuple[list[Any], Any, Any]:
        names = (*self.shapes, "loc", "scale")
        *shape, loc, scale = bound(f"{self.name}.{method}", names, {"loc": 0.0, "scale": 1.0}, args, given)
        return shape, loc, scale

    def _typed(self, method: str, args: Any, given: Any) -> tuple[list[Any], Any, Any]:
        shape, loc, scale = self._parameters(method, args, given)
        *shape, loc, scale = typed(*shape, loc, scale)
        return shape, loc, scale

    def _valid(self, shape: list[Any], scale: Any) -> Any:
        valid = np.asarray(raw(scale)) > 0
        for value in shape:
            valid = valid & (np.asarray(raw(value)) > 0)
        return valid

    def _at(self, method: str, x: Any, args: Any, given: Any) -> tuple[Any, ...]:
        """z = (x - loc) / scale, of an x pulled inside; the masks below and above the support; shape, scale, valid."""
        shape, loc, scale = self._parameters(method, args, given)
        x, loc, scale, *shape = typed(number(f"{self.name}.{method}", x), loc, scale, *shape)
        valid = self._valid(shape, scale)
        if not np.all(valid):
            shape = [within(~(np.asarray(raw(v)) > 0), v, 1.0) for v in shape]
            scale = within(~(np.asarray(raw(scale)) > 0), scale, 1.0)
        with np.errstate(all="ignore"):
            values = (raw(x) - raw(loc)) / raw(scale)
        below, above = values < self.low, values > self.high
        x = within(below | above, x, raw(loc) + raw(scale) * self.inside)
        return f.divide(f.subtract(x, loc), scale), below, above, shape, scale, valid

    def logpdf(self, x: ArrayLike, *args: ArrayLike, **parameters: ArrayLike) -> Tensor:
        """The logarithm of the density at x; -inf outside of the support, with gradients of zero."""
        z, below, above, shape, scale, valid = self._at("logpdf", x, args, parameters)
        return limited(below | above, -math.inf, self._logpdf(z, *shape) - f.log(scale), valid)

    def pdf(self, x: ArrayLike, *args: ArrayLike, **parameters: ArrayLike) -> Tensor:
        """The density at x."""
        return f.exp(self.logpdf(x, *args, **parameters))

    def cdf(self, x: ArrayLike, *args: ArrayLike, **parameters: ArrayLike) -> Tensor:
        """The probability of a value up to x."""
        z, below, above, shape, _, valid = self._at("cdf", x, args, parameters)
        return limited(below | above, np.where(above, 1.0, 0.0).astype(raw(z).dtype), self._cdf(z, *shape), valid)

    def sf(self, x: ArrayLike, *args: ArrayLike, **parameters: ArrayLike) -> Tensor:
        """The probability of a value above x: 1 - cdf, exact where that is tiny."""
        z, below, above, shape, _, valid = self._at("sf", x, args, parameters)
        return limited(below | above, np.where(below, 1.0, 0.0).astype(raw(z).dtype), self._sf(z, *shape), valid)

    def logcdf(self, x: ArrayLike, *args: ArrayLike, **parameters: ArrayLike) -> Tensor:
        """The logarithm of cdf."""
        z, below, above, shape, _, valid = self._at("logcdf", x, args, parameters)
        return limited(
            below | above, np.where(above, 0.0, -np.inf).astype(raw(z).dtype), self._logcdf(z, *shape), valid
        )

    def logsf(self, x: ArrayLike, *args: ArrayLike, **parameters: ArrayLike) -> Tensor:
        """The logarithm of sf."""
        z, below, above, shape, _, valid = self._at("logsf", x, args, parameters)
        return limited(below | above, np.where(below, 0.0, -np.inf).astype(raw(z).dtype), self._logsf(z, *shape), valid)

    def ppf(self, q: ArrayLike, *args: ArrayLike, **parameters: ArrayLike) -> Tensor:
        """The quantile: the x with cdf(x) = q; nan where q is outside [0, 1]."""
        shape, loc, scale = self._parameters("ppf", args, parameters)
        q, loc, scale, *shape = typed(number(f"{self.name}.ppf", q), loc, scale, *shape)
        valid = self._valid(shape, scale) & ~((raw(q) < 0) | (raw(q) > 1))
        if not np.all(valid):
            q, scale, shape = (
                within(~valid, q, 0.5),
                within(~valid, scale, 1.0),
                [within(~valid, v, 1.0) for v in shape],
            )
        return limited(np.zeros((), bool), 0.0, f.add(f.multiply(self._ppf(q, *shape), scale), loc), valid)

    def rvs(
        self, *args: ArrayLike, size: Ints | None = None, random_state: int | np.random.Generator | None = None,
        generator: np.random.Generator | None = None, **parameters: ArrayLike,
    ) -> Tensor:  # fmt: skip
        """Random samples, differentiable in the parameters: loc + scale * a sample of location 0 and scale 1.

        size: the shape of the result, to which the parameters broadcast; their own shape if None. random_state: a
        seed or a numpy.random.Generator, also called generator; without it the stream of zen.random. The dtype is that
        of the parameters. ValueError for parameters without meaning.
        """
        shape, loc, scale = self._typed("rvs", args, parameters)
        operation = f"{self.name}.rvs"
        positive(operation, **dict(zip(self.shapes, shape, strict=True)), scale=scale)
        sizes = sized(operation, size, *shape, loc, scale)
        z = self._rvs(source(random_state, generator), sizes, arguments.dtype_of(*shape, loc, scale), *shape)
        return f.add(f.multiply(z, scale), loc)

    def mean(self, *args: ArrayLike, **parameters: ArrayLike) -> Tensor:
        """The mean."""
        shape, loc, scale = self._typed("mean", args, parameters)
        return self._moment(f.add(f.multiply(self._mean(*shape), scale), loc), shape, loc, scale)

    def var(self, *args: ArrayLike, **parameters: ArrayLike) -> Tensor:
        """The variance."""
        shape, loc, scale = self._typed("var", args, parameters)
        return self._moment(f.multiply(self._var(*shape), f.square(scale)), shape, loc, scale)

    def std(self, *args: ArrayLike, **parameters: ArrayLike) -> Tensor:
        """The standard deviation."""
        return f.sqrt(self.var(*args, **parameters))

    def entropy(self, *args: ArrayLike, **parameters: ArrayLike) -> Tensor:
        """The differential entropy, in nats."""
        shape, loc, scale = self._typed("entropy", args, parameters)
        return self._moment(f.add(self._entropy(*shape), f.log(scale)), shape, loc, scale)

    def _moment(self, value: Tensor, shape: list[Any], loc: Any, scale: Any) -> Tensor:
        valid = self._valid(shape, scale)
        whole = f.broadcast_to(value, arguments.shape_of(*shape, loc, scale))
        return limited(np.zeros((), bool), 0.0, whole, valid)

    # What a distribution says, at location 0 and scale 1.

    def _logpdf(self, z: Any, *shape: Any) -> Any:
        raise NotImplementedError

    def _cdf(self, z: Any, *shape: Any) -> Any:
        raise NotImplementedError

    def _sf(self, z: Any, *shape: Any) -> Any:
        return 1 - self._cdf(z, *shape)

    def _logcdf(self, z: Any, *shape: Any) -> Any:
        return logarithm(self._cdf(z, *shape))

    def _logsf(self, z: Any, *shape: Any) -> Any:
        return logarithm(self._sf(z, *shape))

    def _ppf(self, q: Any, *shape: Any) -> Any:
        raise NotImplementedError

    def _rvs(self, rng: np.random.Generator, size: tuple[int, ...], dtype: Any, *shape: Any) -> Any:
        raise NotImplementedError

    def _mean(self, *shape: Any) -> Any:
        return 0.0

    def _var(self, *shape: Any) -> Any:
        raise NotImplementedError

    def _entropy(self, *shape: Any) -> Any:
        raise NotImplementedError


class Normal(Continuous):
    """The normal distribution of mean loc and standard deviation scale."""

    name = "norm"

    def _logpdf(self, z: Any) -> Any:
        return -0.5 * f.square(z) - _HALF_LOG

    def _cdf(self, z: Any) -> Any:
        return special.ndtr(z)

    def _sf(self, z: Any) -> Any:
        return special.ndtr(-z)

    def _logcdf(self, z: Any) -> Any:
        return special.log_ndtr(z)

    def _logsf(self, z: Any) -> Any:
        return special.log_ndtr(-z)

    def _ppf(self, q: Any) -> Any:
        return special.ndtri(q)

    def _rvs(self, rng: np.random.Generator, size: tuple[int, ...], dtype: Any) -> Any:
        return np.asarray(rng.standard_normal(size)).astype(dtype)

    def _var(self) -> Any:
        return 1.0

    def _entropy(self) -> Any:
        return 0.5 + _HALF_LOG


class HalfNormal(Continuous):
    """The absolute value of a normal number of mean 0 and standard deviation scale, plus loc."""

    name, low, inside = "halfnorm", 0.0, 1.0

    def _logpdf(self, z: Any) -> Any:
        return -0.5 * f.square(z) + (math.log(2) - _HALF_LOG)

    def _cdf(self, z: Any) -> Any:
        return special.erf(z * _ROOT)

    def _sf(self, z: Any) -> Any:
        return special.erfc(z * _ROOT)

    def _logsf(self, z: Any) -> Any:
        return special.log_ndtr(-z) + math.log(2)

    def _ppf(self, q: Any) -> Any:
        return special.erfinv(q) / _ROOT

    def _rvs(self, rng: np.random.Generator, size: tuple[int, ...], dtype: Any) -> Any:
        return np.abs(np.asarray(rng.standard_normal(size))).astype(dtype)

    def _mean(self) -> Any:
        return math.sqrt(2 / math.pi)

    def _var(self) -> Any:
        return 1 - 2 / math.pi

    def _entropy(self) -> Any:
        return 0.5 + _HALF_LOG - math.log(2)


class Laplace(Continuous):
    """The Laplace distribution: two exponential ones, back to back at loc."""

    name = "laplace"

    def _logpdf(self, z: Any) -> Any:
        return -f.abs(z) - math.log(2)

    def _cdf(self, z: Any) -> Any:
        left = raw(z) < 0
        return f.where(left, 0.5 * f.exp(f.where(left, z, 0.0)), 1 - 0.5 * f.exp(-f.where(left, 0.0, z)))

    def _sf(self, z: Any) -> Any:
        return self._cdf(-z)

    def _logcdf(self, z: Any) -> Any:
        left = raw(z) < 0
        return f.where(left, z - math.log(2), f.log1p(-0.5 * f.exp(-f.where(left, 0.0, z))))

    def _logsf(self, z: Any) -> Any:
        return self._logcdf(-z)

    def _ppf(self, q: Any) -> Any:
        left = raw(q) < 0.5
        return f.where(left, f.log(2 * f.where(left, q, 0.25)), -f.log(2 * (1 - f.where(left, 0.75, q))))

    def _rvs(self, rng: np.random.Generator, size: tuple[int, ...], dtype: Any) -> Any:
        return np.asarray(rng.laplace(size=size)).astype(dtype)

    def _var(self) -> Any:
        return 2.0

    def _entropy(self) -> Any:
        return 1 + math.log(2)


class Logistic(Continuous):
    """The logistic distribution, whose distribution function is expit."""

    name = "logistic"

    def _logpdf(self, z: Any) -> Any:
        return special.log_expit(z) + special.log_expit(-z)

    def _cdf(self, z: Any) -> Any:
        return special.expit(z)

    def _sf(self, z: Any) -> Any:
        return special.expit(-z)

    def _logcdf(self, z: Any) -> Any:
        return special.log_expit(z)

    def _logsf(self, z: Any) -> Any:
        return special.log_expit(-z)

    def _ppf(self, q: Any) -> Any:
        return special.logit(q)

    def _rvs(self, rng: np.random.Generator, size: tuple[int, ...], dtype: Any) -> Any:
        return np.asarray(rng.logistic(size=size)).astype(dtype)

    def _var(self) -> Any:
        return math.pi**2 / 3

    def _entropy(self) -> Any:
        return 2.0


class Exponential(Continuous):
    """The exponential distribution from loc on, of mean scale (1 / rate) above it."""

    name, low, inside = "expon", 0.0, 1.0

    def _logpdf(self, z: Any) -> Any:
        return -z

    def _cdf(self, z: Any) -> Any:
        return -f.expm1(-z)

    def _sf(self, z: Any) -> Any:
        return f.exp(-z)

    def _logsf(self, z: Any) -> Any:
        return -z

    def _ppf(self, q: Any) -> Any:
        return -f.log1p(-q)

    def _rvs(self, rng: np.random.Generator, size: tuple[int, ...], dtype: Any) -> Any:
        return np.asarray(rng.standard_exponential(size)).astype(dtype)

    def _mean(self) -> Any:
        return 1.0

    def _var(self) -> Any:
        return 1.0

    def _entropy(self) -> Any:
        return 1.0


class Uniform(Continuous):
    """The uniform distribution on [loc, loc + scale]."""

    name, low, high, inside = "uniform", 0.0, 1.0, 0.5

    def _logpdf(self, z: Any) -> Any:
        return f.where(np.isnan(raw(z)), z, 0.0)

    def _cdf(self, z: Any) -> Any:
        return z

    def _ppf(self, q: Any) -> Any:
        return q

    def _rvs(self, rng: np.random.Generator, size: tuple[int, ...], dtype: Any) -> Any:
        return np.asarray(rng.random(size)).astype(dtype)

    def _mean(self) -> Any:
        return 0.5

    def _var(self) -> Any:
        return 1 / 12

    def _entropy(self) -> Any:
        return 0.0


norm, halfnorm, laplace, logistic = Normal(), HalfNormal(), Laplace(), Logistic()
expon, uniform = Exponential(), Uniform()
