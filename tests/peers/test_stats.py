"""zen.stats against scipy.stats: every function of every distribution, at parameters and points of all kinds.

Run by `make test-peers`.
"""

import numpy as np
import pytest
import scipy.stats

from zen import stats

RNG = np.random.default_rng(0)
X = np.concatenate(
    [RNG.normal(size=40) * 3, RNG.uniform(0, 1, 20), [0.0, 1.0, -1.0, 30.0, -30.0, np.inf, -np.inf, np.nan]]
)
K = np.array([-1.0, 0.0, 1.0, 2.0, 3.0, 6.0, 7.0, 40.0, 2.5, np.inf, -np.inf, np.nan])
CONTINUOUS = {
    "norm": [()], "halfnorm": [()], "laplace": [()], "logistic": [()], "expon": [()], "uniform": [()],
    "gamma": [(0.4,), (1.0,), (30.0,)], "beta": [(0.4, 0.7), (1.0, 1.0), (5.0, 20.0)], "t": [(0.8,), (3.0,), (200.0,)],
}  # fmt: skip
DISCRETE = {"poisson": [(0.0,), (3.5,), (200.0,)], "binom": [(7, 0.3), (0, 0.5), (3, 0.0), (3, 1.0)],
            "nbinom": [(2.5, 0.4), (1000.0, 0.99), (3.0, 1.0)]}  # fmt: skip


def compare(found, expected, **tolerance):
    expected = np.asarray(expected)
    np.testing.assert_allclose(found.array, expected, **{"rtol": 1e-10, "atol": 1e-13, **tolerance})


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("method", ["pdf", "logpdf", "cdf", "sf", "logcdf", "logsf"])
@pytest.mark.parametrize("name", CONTINUOUS)
def test_continuous(name, method):
    for shape in CONTINUOUS[name]:
        for place in ((), (0.5, 1.5), (0.0, -1.0)):
            theirs = getattr(getattr(scipy.stats, name), method)
            compare(getattr(getattr(stats, name), method)(X, *shape, *place), theirs(X, *shape, *place), atol=1e-11)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("name", CONTINUOUS)
def test_quantiles(name):
    q = np.array([0.0, 1e-12, 0.3, 0.5, 0.99, 1.0, -0.1, 1.1, np.nan])
    for shape in CONTINUOUS[name]:
        theirs = getattr(scipy.stats, name).ppf(q, *shape, 0.5, 1.5)
        compare(getattr(stats, name).ppf(q, *shape, 0.5, 1.5), theirs, rtol=1e-8)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("name", CONTINUOUS)
def test_moments(name):
    for shape in CONTINUOUS[name]:
        for method in ("mean", "var", "std", "entropy"):
            theirs = getattr(getattr(scipy.stats, name), method)(*shape, 0.5, 1.5)
            compare(getattr(getattr(stats, name), method)(*shape, 0.5, 1.5), theirs, rtol=1e-8)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("method", ["pmf", "logpmf", "cdf", "sf", "logcdf", "logsf"])
@pytest.mark.parametrize("name", DISCRETE)
def test_discrete(name, method):
    for shape in DISCRETE[name]:
        for loc in (0, 2):
            theirs = getattr(getattr(scipy.stats, name), method)
            k = K[np.isfinite(K)] if "pmf" in method else K  # SciPy's pmf of infinity is nan for some, here it is 0
            compare(getattr(getattr(stats, name), method)(k, *shape, loc), theirs(k, *shape, loc), atol=1e-11)
    for method_ in ("mean", "var", "std"):
        for shape in DISCRETE[name]:
            compare(
                getattr(getattr(stats, name), method_)(*shape), getattr(getattr(scipy.stats, name), method_)(*shape)
            )


def test_vectors():
    x, alpha = RNG.dirichlet([1.0, 2.0, 3.0], 6), np.array([0.7, 1.5, 3.0])
    compare(stats.dirichlet.logpdf(x, alpha), scipy.stats.dirichlet.logpdf(x.T, alpha))
    for method in ("mean", "var", "entropy"):
        compare(getattr(stats.dirichlet, method)(alpha), getattr(scipy.stats.dirichlet, method)(alpha))
    y, mean, cov = RNG.normal(size=(5, 2)), np.array([1.0, -1.0]), np.array([[2.0, 0.3], [0.3, 1.0]])
    compare(stats.multivariate_normal.logpdf(y, mean, cov), scipy.stats.multivariate_normal.logpdf(y, mean, cov))
    compare(stats.multivariate_normal.pdf(y), scipy.stats.multivariate_normal.pdf(y, np.zeros(2)))
    compare(stats.multivariate_normal.entropy(mean, cov), scipy.stats.multivariate_normal.entropy(mean, cov))


@pytest.mark.parametrize(
    ("name", "parameters"), [("gamma", (0.6,)), ("gamma", (40.0,)), ("beta", (0.5, 3.0)), ("t", (4.0,))]
)
def test_samples_are_of_the_distribution(name, parameters):
    sample = getattr(stats, name).rvs(*parameters, 0.5, 1.5, size=4000, random_state=2).array
    assert scipy.stats.kstest(sample, name, (*parameters, 0.5, 1.5)).pvalue > 1e-3
