"""Distributions of counts: sums, supports, gradients in the parameters alone, samples without a derivative."""

import math

import numpy as np
import pytest

import zen
from zen import stats
from zen.testing import check_gradients

inf, nan = math.inf, math.nan
CASES = {"poisson": [3.5], "binom": [7, 0.3], "nbinom": [2.5, 0.4]}
SMOOTH = {"poisson": [0], "binom": [1], "nbinom": [0, 1]}
COUNTS = np.arange(120)


def call(name, method):
    return getattr(getattr(stats, name), method)


@pytest.mark.parametrize("name", CASES)
def test_probabilities_add_up(name):
    parameters = CASES[name]
    pmf = call(name, "pmf")(COUNTS, *parameters).array
    assert math.isclose(pmf.sum(), 1, rel_tol=1e-12)
    np.testing.assert_allclose(call(name, "cdf")(COUNTS, *parameters).array, np.cumsum(pmf), rtol=1e-12)
    np.testing.assert_allclose(call(name, "sf")(COUNTS[:7], *parameters).array, 1 - np.cumsum(pmf)[:7], rtol=1e-9)
    mean = (pmf * COUNTS).sum()
    np.testing.assert_allclose(call(name, "mean")(*parameters).item(), mean, rtol=1e-12)
    np.testing.assert_allclose(call(name, "var")(*parameters).item(), (pmf * (COUNTS - mean) ** 2).sum(), rtol=1e-11)
    np.testing.assert_allclose(call(name, "std")(*parameters).item() ** 2, call(name, "var")(*parameters).item())
    between = call(name, "cdf")(2.7, *parameters).item()
    assert between == call(name, "cdf")(2, *parameters).item()
    np.testing.assert_allclose(call(name, "logcdf")(2, *parameters).item(), math.log(between))
    np.testing.assert_allclose(call(name, "logsf")(2, *parameters).item(), math.log1p(-between))
    shifted = call(name, "pmf")(COUNTS + 2, *parameters, loc=2).array
    np.testing.assert_array_equal(shifted, pmf)


@pytest.mark.parametrize("method", ["logpmf", "cdf", "sf", "logcdf", "logsf"])
@pytest.mark.parametrize("name", CASES)
def test_derivatives(name, method):
    k = np.array([0, 2, 5])
    full = [np.full(3, p) if j == 0 else np.asarray(p) for j, p in enumerate(CASES[name])]

    def of(*moving):
        given = list(full)
        for j, value in zip(SMOOTH[name], moving, strict=True):
            given[j] = value
        return call(name, method)(k, *given)

    check_gradients(of, [full[j].astype(float) for j in SMOOTH[name]], order=2, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", CASES)
def test_what_is_no_count_has_no_probability_and_no_gradient(name):
    k = np.array([-1.0, 0.5, -inf, inf, *([8.0] if name == "binom" else [])])
    parameters = [zen.tensor(float(p), requires_grad=j in SMOOTH[name]) for j, p in enumerate(CASES[name])]
    inputs = [parameters[j] for j in SMOOTH[name]]
    expected = {"logpmf": np.full(k.shape, -inf), "pmf": np.zeros(k.shape)}
    for method, values in expected.items():
        y = call(name, method)(k, *parameters)
        np.testing.assert_array_equal(y.array, values)
        for gradient in zen.gradients([y], inputs, grad_outputs=[np.ones(y.shape)]):
            assert gradient.item() == 0.0
    for method, values in (("cdf", [0.0, 1.0]), ("sf", [1.0, 0.0]), ("logcdf", [-inf, 0.0]), ("logsf", [0.0, -inf])):
        y = call(name, method)([-1.0, inf], *parameters)
        np.testing.assert_array_equal(y.array, values)
        for gradient in zen.gradients([y], inputs, grad_outputs=[np.ones(2)]):
            assert gradient.item() == 0.0
    assert np.isnan(call(name, "logpmf")(nan, *CASES[name]).item())


def test_probabilities_of_zero_and_one():
    p = zen.tensor([0.0, 1.0], requires_grad=True)
    y = stats.binom.logpmf([0, 3], 3, p)
    y.sum().backward()
    assert y.tolist() == [0.0, 0.0] and p.gradient.tolist() == [-3.0, 3.0]
    mu = zen.tensor(0.0, requires_grad=True)
    y = stats.poisson.logpmf(0, mu)
    y.backward()
    assert y.item() == 0.0 and mu.gradient.item() == -1.0
    assert stats.poisson.logpmf(2, 0.0).item() == -inf
    assert stats.binom.pmf([0, 1], 0, 0.5).tolist() == [1.0, 0.0] and stats.binom.cdf(0, 0, 0.5).item() == 1.0


def test_parameters_without_meaning_are_nan():
    assert np.isnan(stats.poisson.logpmf([1, 1], [-1.0, nan]).array).all()
    assert np.isnan(stats.binom.logpmf(1, [-1, 2.5, 2, 2], [0.5, 0.5, 1.5, -0.5]).array).all()
    assert np.isnan(stats.nbinom.cdf(1, [0.0, 1.0, 1.0], [0.5, 0.0, 1.5]).array).all()
    assert np.isnan(stats.binom.mean(3, 2.0).item())


def test_the_negative_binomial_distribution_keeps_its_digits_for_large_n():
    """Close to the Poisson distribution: the derivative in n by the probability p = n / (n + mu) is that of mu."""
    n = zen.tensor(1e9, requires_grad=True)
    stats.nbinom.logpmf(3, n, 1 - 2e-9).backward()
    np.testing.assert_allclose(n.gradient, (3 / 1e9) - 2e-9, rtol=1e-6)


# --- categories


def test_categorical():
    p = np.array([[0.2, 0.3, 0.5], [0.0, 1.0, 3.0]])
    k = np.array([2, 1])
    np.testing.assert_allclose(stats.categorical.pmf(k, p).array, [0.5, 0.25])
    np.testing.assert_allclose(stats.categorical.pmf(k, logits=np.log([0.2, 0.3, 0.5])).array, [0.5, 0.3])
    assert stats.categorical.logpmf([-1, 3, 0.5], [0.5, 0.25, 0.25]).tolist() == [-inf] * 3
    np.testing.assert_allclose(stats.categorical.entropy(p[1]).item(), -(0.25 * math.log(0.25) + 0.75 * math.log(0.75)))
    np.testing.assert_allclose(stats.categorical.entropy(logits=[0.0, 0.0]).item(), math.log(2))
    check_gradients(lambda t: stats.categorical.logpmf(k, t), [p + 0.1], order=2)
    check_gradients(lambda t: stats.categorical.logpmf(k, logits=t), [p], order=2)
    t = zen.tensor(p, requires_grad=True)
    stats.categorical.logpmf([[2, 1], [-1, 2]], t).sum().backward()
    np.testing.assert_allclose(t.gradient, [[-1.0, -1.0, 1.0], [-0.5, 0.5, 1 / 3 - 0.5]], atol=1e-12)
    t = zen.tensor([0.0, 1.0], requires_grad=True)
    stats.categorical.logpmf([-1, 1], t).backward([1.0, 1.0])
    assert t.gradient.tolist() == [-1.0, 0.0]
    x = stats.categorical.rvs(p, size=(20_000, 2), random_state=0).array
    np.testing.assert_allclose(
        [np.bincount(column, minlength=3) / 20_000 for column in x.T], p / p.sum(1)[:, None], atol=0.02
    )
    assert stats.categorical.rvs(logits=[0.0, -inf], size=3).tolist() == [0, 0, 0]


# --- samples and errors


@pytest.mark.parametrize("name", CASES)
def test_samples(name):
    parameters, n = CASES[name], 40_000
    x = call(name, "rvs")(*parameters, size=n, random_state=0)
    mean, var = call(name, "mean")(*parameters).item(), call(name, "var")(*parameters).item()
    assert x.dtype == np.int64 and abs(x.array.mean() - mean) < 5 * math.sqrt(var / n)
    assert call(name, "rvs")(*parameters, loc=100, random_state=0).item() >= 100
    assert call(name, "rvs")(np.full((2, 1), parameters[0]), *parameters[1:], size=(2, 3)).shape == (2, 3)


@pytest.mark.parametrize(
    ("name", "parameter"), [("poisson", "mu"), ("binom", "p"), ("nbinom", "n"), ("nbinom", "p"), ("categorical", "p")]
)
def test_samples_have_no_derivative(name, parameter):
    given = dict(zip(getattr(stats, name).shapes, CASES[name], strict=True)) if name in CASES else {"p": [0.5, 0.5]}
    given[parameter] = zen.tensor(given[parameter], requires_grad=True)
    with pytest.raises(TypeError, match=rf"{name}\.rvs: no derivative with respect to {parameter}: .* no reparameter"):
        call(name, "rvs")(**given)


def test_errors():
    k = zen.tensor([1.0], requires_grad=True)
    with pytest.raises(TypeError, match=r"poisson\.logpmf: no derivative with respect to k: it counts"):
        stats.poisson.logpmf(k, 1.0)
    with pytest.raises(TypeError, match=r"binom\.logpmf: no derivative with respect to n: it counts"):
        stats.binom.logpmf(1, k, 0.5)
    with pytest.raises(
        ValueError, match=r"binom\.rvs: parameters without meaning; needed is n >= 0, whole, and 0 <= p"
    ):
        stats.binom.rvs(3, 1.5)
    with pytest.raises(TypeError, match=r"categorical\.logpmf takes either p or logits"):
        stats.categorical.logpmf(1)
    with pytest.raises(ValueError, match=r"categorical\.pmf|categorical\.logpmf: p must not be negative"):
        stats.categorical.pmf(0, [-1.0, 2.0])
    with pytest.raises(ValueError, match=r"categorical\.logpmf: needed is a last axis of categories"):
        stats.categorical.logpmf(0, 1.0)
