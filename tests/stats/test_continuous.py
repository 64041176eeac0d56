"""Continuous distributions against what holds for all of them: integrals, derivatives, supports, samples."""

import math

import numpy as np
import pytest

import zen
from zen import stats
from zen.testing import check_gradients

inf, nan = math.inf, math.nan
# name: shape parameters, then loc and scale; an interval around most of the probability
CASES = {
    "norm": ([0.5, 1.5], (-14, 15)),
    "halfnorm": ([0.5, 1.5], (0.5, 16)),
    "laplace": ([0.5, 0.75], (-30, 31)),
    "logistic": ([0.5, 0.75], (-35, 36)),
    "expon": ([0.5, 0.75], (0.5, 31)),
    "uniform": ([0.5, 1.5], (0.5, 2.0)),
    "gamma": ([2.5, 0.5, 0.75], (0.5, 41)),
    "beta": ([2.5, 1.75, 0.5, 1.5], (0.5, 2.0)),
    "t": ([5.5, 0.5, 0.75], (-500, 501)),
}
METHODS = ("logpdf", "cdf", "sf", "logcdf", "logsf")


def points(name, n=5):
    low, high = CASES[name][1]
    low, high = max(low, -3), min(high, 4)
    return np.linspace(low, high, n + 2)[1:-1] + 0.013


def call(name, method):
    return getattr(getattr(stats, name), method)


@pytest.mark.parametrize("name", CASES)
def test_the_density_has_an_integral_of_one_and_the_moments_that_it_says(name):
    parameters, (low, high) = CASES[name]
    x = np.linspace(low, high, 400_001)
    density = call(name, "pdf")(x, *parameters).array
    log = np.where(density > 0, np.log(np.where(density > 0, density, 1)), 0)
    mean = np.trapezoid(density * x, x)
    assert math.isclose(np.trapezoid(density, x), 1, rel_tol=1e-5)
    np.testing.assert_allclose(call(name, "mean")(*parameters).item(), mean, rtol=1e-4)
    variance = np.trapezoid(density * (x - mean) ** 2, x)
    np.testing.assert_allclose(call(name, "var")(*parameters).item(), variance, rtol=1e-3)
    np.testing.assert_allclose(call(name, "std")(*parameters).item() ** 2, variance, rtol=1e-3)
    np.testing.assert_allclose(call(name, "entropy")(*parameters).item(), -np.trapezoid(density * log, x), rtol=1e-3)


@pytest.mark.parametrize("name", CASES)
def test_the_density_is_the_derivative_of_the_distribution_function(name):
    parameters, x = CASES[name][0], points(name)
    density = call(name, "pdf")(x, *parameters).array
    assert (density > 0).all()
    for method, expected in (("cdf", density), ("sf", -density)):
        slope = zen.grad(lambda t, m=method: zen.sum(call(name, m)(t, *parameters)))(x)
        np.testing.assert_allclose(slope, expected, rtol=1e-10)
    cdf, sf = (call(name, m)(x, *parameters).array for m in ("cdf", "sf"))
    np.testing.assert_allclose(cdf + sf, 1, rtol=1e-14)
    np.testing.assert_allclose(call(name, "logcdf")(x, *parameters).array, np.log(cdf), rtol=1e-12)
    np.testing.assert_allclose(call(name, "logsf")(x, *parameters).array, np.log(sf), rtol=1e-12)


@pytest.mark.parametrize("name", CASES)
def test_quantiles(name):
    parameters, x = CASES[name][0], points(name)
    q = call(name, "cdf")(x, *parameters).array
    np.testing.assert_allclose(call(name, "ppf")(q, *parameters).array, x, rtol=1e-9)
    arguments = [np.array([0.1, 0.4, 0.9]), *[np.full(3 if k == 0 else (), p) for k, p in enumerate(parameters)]]
    check_gradients(call(name, "ppf"), arguments, order=2, rtol=1e-5, atol=1e-6)
    low, high = CASES[name][1]
    low, high = low if low == 0.5 else -inf, high if high == 2 else inf
    assert call(name, "ppf")([0.0, 1.0], *parameters).tolist() == [low, high]
    inputs = [zen.tensor(a, requires_grad=True) for a in ([-0.5, 1.5], *parameters)]
    y = call(name, "ppf")(*inputs)
    assert np.isnan(y.array).all()
    for gradient in zen.gradients([y], inputs, grad_outputs=[np.ones(2)]):
        assert not gradient.array.any()


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", CASES)
def test_derivatives(name, method):
    x = points(name, 3)
    arguments = [x, *[np.full(3 if k == 0 else (), p) for k, p in enumerate(CASES[name][0])]]
    check_gradients(call(name, method), arguments, order=2, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", [n for n in CASES if CASES[n][1][0] == 0.5])
def test_outside_of_the_support_values_are_limits_and_gradients_zero(name):
    parameters, (_, high) = CASES[name]
    outside = np.array([-1.0, -1e300, -inf, *([2.5, 1e300, inf] if high == 2 else [])])
    left = outside < 0
    expected = {
        "logpdf": np.full(outside.shape, -inf), "pdf": np.zeros(outside.shape), "cdf": np.where(left, 0.0, 1.0),
        "sf": np.where(left, 1.0, 0.0), "logcdf": np.where(left, -inf, 0.0), "logsf": np.where(left, 0.0, -inf),
    }  # fmt: skip
    for method, values in expected.items():
        inputs = [zen.tensor(a, requires_grad=True) for a in (outside, *parameters)]
        y = call(name, method)(*inputs)
        np.testing.assert_array_equal(y.array, values)
        for gradient in zen.gradients([y], inputs, grad_outputs=[np.ones(y.shape)]):
            np.testing.assert_array_equal(gradient.array, np.zeros(gradient.shape))


@pytest.mark.parametrize("name", CASES)
def test_nan_in_is_nan_out_and_parameters_without_meaning_are_nan(name):
    parameters = CASES[name][0]
    for method in (*METHODS, "pdf"):
        assert np.isnan(call(name, method)([nan], *parameters).array).all()
        for k in [k for k in range(len(parameters)) if k != len(parameters) - 2]:
            wrong = [np.array([-1.0, p, 0.0]) if j == k else p for j, p in enumerate(parameters)]
            found = call(name, method)(1.25, *wrong).array
            assert np.isnan(found[[0, 2]]).all() and np.isfinite(found[1])
    assert np.isnan(call(name, "mean")(*parameters[:-1], -1.0).item())


def test_far_tails_have_their_slopes():
    x = zen.tensor([-40.0, -1e4], requires_grad=True)
    y = stats.norm.logcdf(x)
    y.sum().backward()
    np.testing.assert_allclose(x.gradient, [40.02496884720726, 10000.000099999997], rtol=1e-12)
    x = zen.tensor([800.0], requires_grad=True)
    stats.expon.logsf(x).sum().backward()
    assert x.gradient.tolist() == [-1.0]
    x = zen.tensor([-40.0, 50.0], requires_grad=True)
    stats.gamma.logcdf(x, 2.0).sum().backward()  # probabilities of 0, and of 1
    assert np.isfinite(x.gradient).all()


def test_boundaries_of_the_support():
    assert stats.gamma.logpdf([0.0, 0.0, 0.0], [0.5, 1.0, 2.0]).tolist() == [inf, 0.0, -inf]
    assert stats.uniform.logpdf([0.0, 1.0]).tolist() == [0.0, 0.0]
    assert stats.expon.logpdf(0.0).item() == 0.0
    x = zen.tensor([0.0], requires_grad=True)
    stats.laplace.cdf(x).sum().backward()
    assert x.gradient.tolist() == [0.5]


# --- samples


@pytest.mark.parametrize("name", CASES)
def test_samples_have_the_mean_and_the_variance(name):
    parameters = CASES[name][0]
    n = 40_000
    x = call(name, "rvs")(*parameters, size=n, random_state=0).array
    mean, var = call(name, "mean")(*parameters).item(), call(name, "var")(*parameters).item()
    assert abs(x.mean() - mean) < 5 * math.sqrt(var / n)
    assert abs(x.var() - var) < 5 * math.sqrt(np.var((x - mean) ** 2) / n)


@pytest.mark.parametrize("name", [n for n in CASES if n != "t"])
def test_a_sample_moves_with_the_parameters_so_that_its_probability_stays(name):
    parameters = [np.full(6, p) for p in CASES[name][0]]
    inputs = [zen.tensor(p, requires_grad=True) for p in parameters]
    x = call(name, "rvs")(*inputs, random_state=3)
    assert x.shape == (6,)
    found = zen.gradients([x], inputs, grad_outputs=[np.ones(6)])
    density = call(name, "pdf")(x.array, *parameters).array
    for k, gradient in enumerate(found):
        moved = [[p + h * (j == k) for j, p in enumerate(parameters)] for h in (1e-5, -1e-5)]
        slope = (call(name, "cdf")(x.array, *moved[0]).array - call(name, "cdf")(x.array, *moved[1]).array) / 2e-5
        np.testing.assert_allclose(gradient.array, -slope / density, rtol=1e-6, atol=1e-8)


def test_the_gradient_of_an_expectation_by_samples_of_student():
    df, scale = zen.tensor(9.0, requires_grad=True), zen.tensor(1.5, requires_grad=True)
    n = 60_000
    x = stats.t.rvs(df, scale=scale, size=n, random_state=1)
    (x * x).mean().backward()
    np.testing.assert_allclose(df.gradient, -2 * 1.5**2 / 7**2, rtol=0.1)
    np.testing.assert_allclose(scale.gradient, 2 * 1.5 * 9 / 7, rtol=0.05)


def test_sizes_streams_and_dtypes():
    zen.random.seed(4)
    a = stats.norm.rvs(size=3)
    zen.random.seed(4)
    assert a.tolist() == stats.norm.rvs(size=3).tolist() and a.dtype == np.float64
    first, again = (stats.gamma.rvs(2.0, size=(2, 3), generator=np.random.default_rng(7)) for _ in range(2))
    assert first.shape == (2, 3) and first.tolist() == again.tolist()
    assert first.tolist() == stats.gamma.rvs(2.0, size=(2, 3), random_state=7).tolist()
    single = zen.tensor(np.array([1.0, 2.0], np.float32))
    for sample in (stats.norm.rvs(single), stats.gamma.rvs(single), stats.t.rvs(single), stats.beta.rvs(single, 2.0)):
        assert sample.dtype == np.float32 and sample.shape == (2,)
    assert stats.norm.logpdf(single, 0.0, 2.0).dtype == np.float32
    assert stats.norm.logpdf(1, 0, 2).dtype == np.float64
    assert stats.norm.rvs(np.zeros((3, 1)), np.ones(2)).shape == (3, 2)
    assert stats.norm.rvs(size=()).shape == () and stats.norm.rvs(size=0).shape == (0,)


def test_fixed_parameters():
    frozen = stats.gamma(2.0, scale=3.0)
    assert frozen.logpdf(1.5).item() == stats.gamma.logpdf(1.5, 2.0, scale=3.0).item()
    assert frozen.mean().item() == 6.0
    assert (
        frozen.rvs(size=2, random_state=0).tolist() == stats.gamma.rvs(2.0, scale=3.0, size=2, random_state=0).tolist()
    )
    assert repr(frozen) == "zen.stats.gamma(2.0, scale=3.0)"


def test_errors():
    with pytest.raises(TypeError, match=r"gamma\.logpdf: the parameter a is missing"):
        stats.gamma.logpdf(1.0)
    with pytest.raises(TypeError, match=r"norm\.cdf has no parameter 'sigma'; it has loc, scale"):
        stats.norm.cdf(1.0, sigma=2.0)
    with pytest.raises(TypeError, match=r"norm\.cdf takes 2 parameters \(loc, scale\), but 3 were given"):
        stats.norm.cdf(1.0, 0.0, 1.0, 2.0)
    with pytest.raises(TypeError, match=r"norm\.cdf: loc was given twice"):
        stats.norm.cdf(1.0, 0.0, loc=1.0)
    with pytest.raises(ValueError, match=r"norm\.rvs: scale must be positive"):
        stats.norm.rvs(0.0, -1.0)
    with pytest.raises(ValueError, match=r"beta\.rvs: b must be positive"):
        stats.beta.rvs(1.0, [0.0, 1.0])
    with pytest.raises(ValueError, match=r"norm\.rvs: parameters of shape \(3,\) do not broadcast to size \(2,\)"):
        stats.norm.rvs(np.zeros(3), size=2)
    with pytest.raises(TypeError, match="give random_state or generator, not both"):
        stats.norm.rvs(random_state=1, generator=np.random.default_rng(0))
    with pytest.raises(AttributeError):
        stats.norm(0.0).median  # noqa: B018
