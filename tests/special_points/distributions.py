"""Distributions at the ends of their support, at their modes and far out; parameters at the ends of their ranges.

At an end the derivatives are those from inside. Where the density is a power z^(a - 1), that says what they are.
"""

from math import inf, log, nan, pi, sqrt

from points import NO

from zen import f, stats

N0 = 1 / sqrt(2 * pi)
LN = log(2 * pi) / 2
L2 = log(2)

POINTS = [
    ("norm.logpdf at the mean", stats.norm.logpdf, (0.0, 0.0, 1.0),
     {"": -LN, "a": 0, "b": 0, "c": -1, "aa": -1, "ab": 1, "bb": -1, "cc": 1, "ac": 0, "aaa": 0, "aac": 2}),
    ("norm.logpdf far out", stats.norm.logpdf, (inf, 0.0, 1.0), {"": -inf, "a": -inf, "b": inf, "aa": -1}),
    ("norm.pdf at the mean", stats.norm.pdf, (0.0, 0.0, 1.0), {"": N0, "a": 0, "c": -N0, "aa": -N0, "aaa": 0}),
    ("norm.cdf at the mean", stats.norm.cdf, (0.0, 0.0, 1.0),
     {"": 0.5, "a": N0, "b": -N0, "c": 0, "aa": 0, "aaa": -N0, "ac": -N0}),
    ("norm.cdf far out", stats.norm.cdf, (-inf, 0.0, 1.0), {"": 0, "a": 0, "b": 0}),
    ("norm.sf far out", stats.norm.sf, (inf, 0.0, 1.0), {"": 0, "a": 0}),
    ("norm.logcdf far right", stats.norm.logcdf, (inf, 0.0, 1.0), {"": 0, "a": 0}),
    ("norm.logsf far left", stats.norm.logsf, (-inf, 0.0, 1.0), {"": 0, "a": 0}),
    ("norm.logcdf at the mean", stats.norm.logcdf, (0.0, 0.0, 1.0), {"": -L2, "a": 2 * N0, "aa": -4 * N0**2}),
    ("norm.ppf of a half", stats.norm.ppf, (0.5, 0.0, 1.0),
     {"": 0, "a": sqrt(2 * pi), "b": 1, "c": 0, "aa": 0, "aaa": (2 * pi) ** 1.5}),
    ("norm.ppf of 0", stats.norm.ppf, (0.0, 0.0, 1.0), {"": -inf, "a": inf, "b": 1}),
    ("norm.logpdf of nan", stats.norm.logpdf, (nan, 0.0, 1.0), {"": nan, "a": nan, "b": nan}),
    ("norm.logpdf of scale 0", stats.norm.logpdf, (1.0, 0.0, 0.0), {"": nan, "a": 0}),
    ("halfnorm.logpdf at its end", stats.halfnorm.logpdf, (0.0, 0.0, 1.0),
     {"": log(2) - LN, "a": 0, "aa": -1, "c": -1}),
    ("halfnorm.logpdf below", stats.halfnorm.logpdf, (-1.0, 0.0, 1.0), {"": -inf, "a": 0, "b": 0, "c": 0, "aa": 0}),
    ("halfnorm.cdf at its end", stats.halfnorm.cdf, (0.0, 0.0, 1.0), {"": 0, "a": 2 * N0, "aa": 0, "aaa": -2 * N0}),
    ("halfnorm.sf at its end", stats.halfnorm.sf, (0.0, 0.0, 1.0), {"": 1, "a": -2 * N0, "aa": 0}),
    ("halfnorm.ppf of 0", stats.halfnorm.ppf, (0.0, 0.0, 1.0), {"": 0, "a": sqrt(pi / 2), "aa": 0}),
    ("laplace.logpdf at the mode", stats.laplace.logpdf, (0.0, 0.0, 1.0), {"": -L2, "a": 0, "b": 0, "c": -1, "aa": 0}),
    ("laplace.cdf at the mode", stats.laplace.cdf, (0.0, 0.0, 1.0), {"": 0.5, "a": 0.5, "b": -0.5, "c": 0}),
    ("laplace.sf at the mode", stats.laplace.sf, (0.0, 0.0, 1.0), {"": 0.5, "a": -0.5, "b": 0.5}),
    ("laplace.logcdf at the mode", stats.laplace.logcdf, (0.0, 0.0, 1.0), {"": -L2, "a": 1}),
    ("laplace.logcdf far out", stats.laplace.logcdf, (-inf, 0.0, 1.0), {"": -inf, "a": 1}),
    ("laplace.ppf of a half", stats.laplace.ppf, (0.5, 0.0, 1.0), {"": 0, "a": 2, "b": 1, "c": 0}),
    ("laplace.ppf of 0", stats.laplace.ppf, (0.0, 0.0, 1.0), {"": -inf, "a": inf}),
    # log s(z) s(-z) = -2 log 2 - z^2 / 4 + ...
    ("logistic.logpdf at the mean", stats.logistic.logpdf, (0.0, 0.0, 1.0),
     {"": -2 * L2, "a": 0, "aa": -0.5, "aaa": 0, "c": -1}),
    ("logistic.logpdf far out", stats.logistic.logpdf, (inf, 0.0, 1.0), {"": -inf, "a": -1, "aa": 0}),
    ("logistic.cdf at the mean", stats.logistic.cdf, (0.0, 0.0, 1.0), {"": 0.5, "a": 0.25, "aa": 0, "aaa": -0.125}),
    ("logistic.ppf of a half", stats.logistic.ppf, (0.5, 0.0, 1.0), {"": 0, "a": 4, "aa": 0, "aaa": 32}),
    ("logistic.logsf far right", stats.logistic.logsf, (inf, 0.0, 1.0), {"": -inf, "a": -1}),
    ("expon.logpdf at its end", stats.expon.logpdf, (0.0, 0.0, 2.0),
     {"": -L2, "a": -0.5, "b": 0.5, "c": -0.5, "aa": 0, "ac": 0.25, "cc": 0.25}),
    ("expon.logpdf below", stats.expon.logpdf, (-1.0, 0.0, 2.0), {"": -inf, "a": 0, "c": 0}),
    ("expon.pdf below", stats.expon.pdf, (-1.0, 0.0, 2.0), {"": 0, "a": 0, "c": 0}),
    ("expon.cdf at its end", stats.expon.cdf, (0.0, 0.0, 1.0), {"": 0, "a": 1, "aa": -1, "aaa": 1, "c": 0, "ac": -1}),
    ("expon.cdf far out", stats.expon.cdf, (inf, 0.0, 1.0), {"": 1, "a": 0}),
    ("expon.logcdf at its end", stats.expon.logcdf, (0.0, 0.0, 1.0), {"": -inf}),
    ("expon.logsf at its end", stats.expon.logsf, (0.0, 0.0, 1.0), {"": 0, "a": -1, "aa": 0}),
    ("expon.ppf of 0", stats.expon.ppf, (0.0, 0.0, 1.0), {"": 0, "a": 1, "aa": 1, "aaa": 2}),
    ("expon.ppf of 1", stats.expon.ppf, (1.0, 0.0, 1.0), {"": inf, "a": inf}),
    ("uniform.logpdf at an end", stats.uniform.logpdf, (0.0, 0.0, 2.0),
     {"": -L2, "a": 0, "b": 0, "c": -0.5, "cc": 0.25}),
    ("uniform.logpdf outside", stats.uniform.logpdf, (3.0, 0.0, 2.0), {"": -inf, "a": 0, "c": 0}),
    ("uniform.cdf at an end", stats.uniform.cdf, (2.0, 0.0, 2.0), {"": 1, "a": 0.5, "aa": 0, "c": -0.5, "cc": 0.5}),
    ("uniform.cdf outside", stats.uniform.cdf, (3.0, 0.0, 2.0), {"": 1, "a": 0, "c": 0}),
    ("uniform.ppf of 0", stats.uniform.ppf, (0.0, 1.0, 2.0), {"": 1, "a": 2, "b": 1, "c": 0, "ac": 1}),
    ("gamma.logpdf at 0, exponential", stats.gamma.logpdf, (0.0, 1.0), {"": 0, "a": -1, "aa": 0}),
    ("gamma.logpdf at 0, rising", stats.gamma.logpdf, (0.0, 2.0), {"": -inf, "a": inf}),
    ("gamma.logpdf at 0, a pole", stats.gamma.logpdf, (0.0, 0.5), {"": inf, "a": -inf}),
    ("gamma.logpdf below", stats.gamma.logpdf, (-1.0, 2.0), {"": -inf, "a": 0, "b": 0}),
    ("gamma.cdf at 0, exponential", stats.gamma.cdf, (0.0, 1.0), {"": 0, "a": 1, "aa": -1, "aaa": 1, "b": 0}),
    ("gamma.cdf at 0, rising", stats.gamma.cdf, (0.0, 2.0), {"": 0, "a": 0, "aa": 1, "aaa": -2}),
    ("gamma.ppf of 0", stats.gamma.ppf, (0.0, 1.0), {"": 0, "a": 1}),
    ("beta.logpdf at 0, uniform", stats.beta.logpdf, (0.0, 1.0, 1.0), {"": 0, "a": 0, "aa": 0}),
    ("beta.logpdf at 1, uniform", stats.beta.logpdf, (1.0, 1.0, 1.0), {"": 0, "a": 0}),
    ("beta.logpdf at 0, rising", stats.beta.logpdf, (0.0, 2.0, 1.0), {"": -inf, "a": inf}),
    ("beta.logpdf at 1, falling", stats.beta.logpdf, (1.0, 1.0, 2.0), {"": -inf, "a": -inf}),
    ("beta.logpdf at 0, falling", stats.beta.logpdf, (0.0, 1.0, 3.0),
     {"": log(3), "a": -2, "aa": -2, "aaa": -4}),  # log 3 + 2 log(1 - x)
    ("beta.logpdf outside", stats.beta.logpdf, (1.5, 2.0, 2.0), {"": -inf, "a": 0, "b": 0, "c": 0}),
    ("beta.cdf at 0", stats.beta.cdf, (0.0, 1.0, 3.0), {"": 0, "a": 3, "aa": -6, "aaa": 6}),
    ("beta.cdf at 1", stats.beta.cdf, (1.0, 3.0, 1.0), {"": 1, "a": 3, "aa": 6, "b": 0}),
    # t of 1 degree: the Cauchy distribution, -log(1 + x^2)
    ("t.logpdf at 0", stats.t.logpdf, (0.0, 1.0), {"": -log(pi), "a": 0, "aa": -2, "aaa": 0}),
    ("t.cdf at 0", stats.t.cdf, (0.0, 1.0), {"": 0.5, "a": 1 / pi, "aa": 0, "aaa": -2 / pi, "b": 0}),
    ("t.cdf far out", stats.t.cdf, (inf, 1.0), {"": 1, "a": 0}),
    ("t.ppf of a half", stats.t.ppf, (0.5, 1.0), {"": 0, "a": pi, "b": 0, "aa": 0}),
    # counts: derivatives in the parameters alone
    ("poisson.logpmf of 0, rate 0", lambda mu: stats.poisson.logpmf(0, mu), (0.0,),
     {"": 0, "a": -1, "aa": 0, "aaa": 0}),
    ("poisson.logpmf of 1, rate 0", lambda mu: stats.poisson.logpmf(1, mu), (0.0,), {"": -inf, "a": inf, "aa": -inf}),
    ("poisson.logpmf of -1", lambda mu: stats.poisson.logpmf(-1, mu), (1.0,), {"": -inf, "a": 0}),
    ("poisson.logpmf of a half", lambda mu: stats.poisson.logpmf(0.5, mu), (1.0,), {"": -inf, "a": 0}),
    ("poisson.logpmf of a negative rate", lambda mu: stats.poisson.logpmf(1, mu), (-1.0,), {"": nan, "a": 0}),
    ("poisson.pmf of 0, rate 0", lambda mu: stats.poisson.pmf(0, mu), (0.0,), {"": 1, "a": -1, "aa": 1, "aaa": -1}),
    ("poisson.cdf of 0, rate 0", lambda mu: stats.poisson.cdf(0, mu), (0.0,), {"": 1, "a": -1, "aa": 1, "aaa": -1}),
    ("poisson.cdf of 1, rate 0", lambda mu: stats.poisson.cdf(1, mu), (0.0,),
     {"": 1, "a": 0, "aa": -1}),  # (1 + mu) e^-mu
    ("poisson.sf of 0, rate 0", lambda mu: stats.poisson.sf(0, mu), (0.0,), {"": 0, "a": 1, "aa": -1}),
    ("binom.logpmf of 0, p 0", lambda p: stats.binom.logpmf(0, 3, p), (0.0,), {"": 0, "a": -3, "aa": -3, "aaa": -6}),
    ("binom.logpmf of 3, p 1", lambda p: stats.binom.logpmf(3, 3, p), (1.0,), {"": 0, "a": 3, "aa": -3, "aaa": 6}),
    ("binom.logpmf of 1, p 0", lambda p: stats.binom.logpmf(1, 3, p), (0.0,), {"": -inf, "a": inf}),
    ("binom.logpmf of 4", lambda p: stats.binom.logpmf(4, 3, p), (0.5,), {"": -inf, "a": 0}),
    ("binom.pmf of 0, p 0", lambda p: stats.binom.pmf(0, 3, p), (0.0,), {"": 1, "a": -3, "aa": 6, "aaa": -6}),
    ("binom.cdf of 0, p 0", lambda p: stats.binom.cdf(0, 3, p), (0.0,), {"": 1, "a": -3, "aa": 6, "aaa": -6}),
    ("binom.cdf of 3", lambda p: stats.binom.cdf(3, 3, p), (0.5,), {"": 1, "a": 0}),
    ("binom.sf of 2, p 1", lambda p: stats.binom.sf(2, 3, p), (1.0,), {"": 1, "a": 3, "aa": 6}),  # p^3
    ("nbinom.logpmf of 0, p 1", lambda n, p: stats.nbinom.logpmf(0, n, p), (2.0, 1.0),
     {"": 0, "a": 0, "b": 2, "bb": -2, "ab": 1}),  # n log p
    ("nbinom.logpmf of 1, p 1", lambda n, p: stats.nbinom.logpmf(1, n, p), (2.0, 1.0), {"": -inf, "b": -inf}),
    ("nbinom.cdf of 0, p 1", lambda n, p: stats.nbinom.cdf(0, n, p), (2.0, 1.0),
     {"": 1, "b": 2, "bb": 2, "a": 0}),  # p^n
    ("nbinom.sf of 0, p 1", lambda n, p: stats.nbinom.sf(0, n, p), (2.0, 1.0), {"": 0, "b": -2, "bb": -2}),
    ("categorical.logpmf beside a weight of 0", lambda a, b: stats.categorical.logpmf(0, f.stack([a, b])), (1.0, 0.0),
     {"": 0, "a": 0, "b": -1, "bb": 1, "ab": 1, "aa": 0}),
    ("categorical.logpmf of a weight of 0", lambda a, b: stats.categorical.logpmf(1, f.stack([a, b])), (1.0, 0.0),
     {"": -inf, "a": -1, "b": inf}),
    ("categorical.logpmf of equal logits", lambda a, b: stats.categorical.logpmf(0, logits=f.stack([a, b])), (0.0, 0.0),
     {"": -L2, "a": 0.5, "b": -0.5, "aa": -0.25, "aaa": 0}),
    ("categorical.entropy of equals", lambda a, b: stats.categorical.entropy(f.stack([a, b])), (1.0, 1.0),
     {"": L2, "a": 0, "aa": -0.25, "ab": 0.25}),
    ("categorical.entropy of certainty", lambda a, b: stats.categorical.entropy(f.stack([a, b])), (1.0, 0.0),
     {"": 0, "b": NO}),
    ("dirichlet.logpdf at a corner, uniform", lambda a, b: stats.dirichlet.logpdf(f.stack([a, b]), [1.0, 1.0]),
     (0.0, 1.0), {"": 0, "a": 0, "b": 0}),
    ("dirichlet.logpdf at a corner, rising", lambda a, b: stats.dirichlet.logpdf(f.stack([a, b]), [2.0, 1.0]),
     (0.0, 1.0), {"": -inf, "a": inf, "b": 0}),
    ("dirichlet.mean of equals", lambda a, b: stats.dirichlet.mean(f.stack([a, b]))[0], (1.0, 1.0),
     {"": 0.5, "a": 0.25, "b": -0.25, "aa": -0.25, "ab": 0}),
    ("multivariate_normal.logpdf at the mean", lambda a, b: stats.multivariate_normal.logpdf(f.stack([a, b]),
     [0.0, 0.0]), (0.0, 0.0),
     {"": -2 * LN, "a": 0, "aa": -1, "ab": 0, "aaa": 0}),
    ("multivariate_normal.logpdf in the covariance", lambda a, c: stats.multivariate_normal.logpdf(
        f.stack([a, 0.0]), [0.0, 0.0], f.reshape(f.stack([c, 0.0, 0.0, 1.0]), (2, 2))), (0.0, 1.0),
     {"": -2 * LN, "a": 0, "b": -0.5, "bb": 0.5, "aa": -1, "aab": 1, "bbb": -1}),  # -a^2 / 2c - log(c) / 2
]  # fmt: skip
