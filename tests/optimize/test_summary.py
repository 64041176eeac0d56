"""`summary`: standard errors against certified ones, SciPy's covariances, and formulas of likelihoods."""

import pickle

import numpy as np
import pytest
import scipy.optimize
import scipy.stats
from nist import SETS

import zen
from zen import optimize

TIGHT = {"ftol": 1e-15, "xtol": 1e-15, "gtol": 1e-15, "max_nfev": 20000}
RNG = np.random.default_rng(3)
X = RNG.normal(size=(60, 2))
COUNTS = RNG.poisson(np.exp(0.3 + X @ np.array([0.5, -0.2])))


@pytest.mark.parametrize("name", SETS)
def test_standard_errors_are_the_certified_ones(name):
    s = SETS[name]
    fit = optimize.least_squares(lambda b: s.model(b, s.x) - s.y, np.array(s.starts[-1], float), method="lm", **TIGHT)
    table = optimize.summary(fit)
    np.testing.assert_allclose(table.estimates, s.values, rtol=1e-6)
    np.testing.assert_allclose(table.standard_errors, s.deviations, rtol=1e-5)
    assert table.scale == pytest.approx(s.scale, rel=1e-8) and table.dof == len(s.x) - len(s.values)
    assert not table.notes
    popt, pcov = scipy.optimize.curve_fit(lambda x, *b: s.model(b, x), s.x, s.y, s.values)
    np.testing.assert_allclose(table.covariance, pcov, rtol=1e-3)
    width = scipy.stats.t.ppf(0.975, table.dof) * np.array(s.deviations)
    np.testing.assert_allclose(table.upper - table.estimates, width, rtol=1e-5)
    np.testing.assert_allclose(table.p_values, 2 * scipy.stats.t.sf(np.abs(table.statistics), table.dof), rtol=1e-9)


def poisson(p):
    eta = p["intercept"] + X @ p["slopes"]
    return (np.exp(eta) - COUNTS * eta).sum()


START = {"intercept": 0.0, "slopes": np.zeros(2)}


@pytest.mark.parametrize("method", ["BFGS", "L-BFGS-B", "trust-exact", "Nelder-Mead", "trust-constr"])
def test_of_a_likelihood_they_come_from_the_inverse_of_its_hessian(method):
    """Poisson regression, whose information is Z' diag(mu) Z."""
    fit = optimize.minimize(poisson, START, method=method, tol=1e-9)
    table = optimize.summary(fit, level=0.9)
    z = np.column_stack([np.ones(60), X])
    covariance = np.linalg.inv(z.T @ (np.exp(z @ table.estimates)[:, None] * z))
    np.testing.assert_allclose(table.covariance, covariance, rtol=1e-6)
    np.testing.assert_allclose(table.standard_errors, np.sqrt(np.diag(covariance)), rtol=1e-6)
    np.testing.assert_allclose(table.lower, table.estimates - 1.6448536269514722 * table.standard_errors, rtol=1e-6)
    assert table.names == ["params['intercept']", "params['slopes'][0]", "params['slopes'][1]"]
    assert table.errors["slopes"].tolist() == table.standard_errors[1:].tolist() and np.isinf(table.dof)
    np.testing.assert_allclose(np.diag(table.correlation), 1)
    same = optimize.summary(poisson, fit.x, kind="nll")
    np.testing.assert_allclose(same.covariance, covariance, rtol=1e-6)


def test_a_band_is_the_delta_methods():
    table = optimize.summary(optimize.minimize(poisson, START, tol=1e-9))
    at = np.array([[[0.0, 0.0], [1.0, 2.0]]])
    band = table.band(lambda p, at: np.exp(p["intercept"] + at @ p["slopes"]), at)
    z = np.concatenate([np.ones((1, 2, 1)), at], -1)
    value = np.exp(z @ table.estimates)
    error = value * np.sqrt(np.einsum("abi,ij,abj->ab", z, table.covariance, z))
    np.testing.assert_allclose(band.value, value)
    np.testing.assert_allclose(band.standard_error, error)
    np.testing.assert_allclose(band.upper, value + 1.959963984540054 * error)
    narrow = table.band(lambda p, at: np.exp(p["intercept"] + at @ p["slopes"]), at, level=0.5)
    assert (narrow.upper < band.upper).all() and narrow.value.shape == (1, 2)
    assert table.band(lambda p: p["intercept"]).value.shape == ()
    with pytest.raises(ValueError, match="band: prediction=True needs a residual standard error"):
        table.band(lambda p: p["intercept"], prediction=True)
    with pytest.raises(ValueError, match="level is between 0 and 1, not 95"):
        table.band(lambda p: p["intercept"], level=95)


def test_the_interval_of_a_new_observation_is_that_of_linear_regression():
    x = np.arange(8.0)
    y = 1 + 2 * x + np.sin(9 * x)
    table = optimize.summary(optimize.least_squares(lambda p: p["a"] + p["b"] * x - y, {"a": 0.0, "b": 0.0}))
    band = table.band(lambda p, at: p["a"] + p["b"] * at, 10.0, prediction=True)
    known = scipy.stats.linregress(x, y)
    assert table.standard_errors == pytest.approx([known.intercept_stderr, known.stderr])
    error = table.scale * np.sqrt(1 + 1 / 8 + (10 - x.mean()) ** 2 / ((x - x.mean()) ** 2).sum())
    assert band.standard_error == pytest.approx(error)


def test_known_deviations_are_not_estimated():
    s = SETS["Misra1a"]
    sigma = 0.2
    fit = optimize.least_squares(lambda b: (s.model(b, s.x) - s.y) / sigma, np.array(s.values), **TIGHT)
    table = optimize.summary(fit, absolute_sigma=True)
    _, pcov = scipy.optimize.curve_fit(
        lambda x, *b: s.model(b, x), s.x, s.y, s.values, sigma=np.full(14, sigma), absolute_sigma=True
    )
    np.testing.assert_allclose(table.covariance, pcov, rtol=1e-4)
    assert table.scale is None and "in units of their standard deviations" in str(table)


def test_what_is_fixed_or_at_a_bound_has_no_error():
    fit = optimize.minimize(poisson, START, fixed={"slopes": np.array([False, True])}, tol=1e-9)
    table = optimize.summary(fit)
    assert np.isnan(table.standard_errors).tolist() == [False, False, True] and table.covariance.shape == (2, 2)
    assert str(table).splitlines()[3].split()[-1] == "fixed"
    z = np.column_stack([np.ones(60), X[:, 0]])
    covariance = np.linalg.inv(z.T @ (np.exp(z @ table.estimates[:2])[:, None] * z))
    np.testing.assert_allclose(table.covariance, covariance, rtol=1e-6)
    for method in ("L-BFGS-B", "trust-constr"):
        bound = optimize.summary(optimize.minimize(poisson, START, method=method, bounds={"slopes": (0, None)}))
        assert bound.free.tolist() == [True, True, False]
        assert "note: at a bound, so taken as fixed: params['slopes'][1]" in str(bound)
        np.testing.assert_allclose(bound.covariance, covariance, rtol=0.05)
    line = np.arange(5.0)
    fit = optimize.least_squares(lambda p: p["a"] * line + p["b"] + 1, {"a": 1.0, "b": 1.0}, bounds=({"b": 0}, np.inf))
    assert optimize.summary(fit).free.tolist() == [True, False]


def test_a_point_that_is_no_minimum_is_noted():
    table = optimize.summary(poisson, {"intercept": 0.5, "slopes": np.zeros(2)}, kind="nll")
    assert any("not at a minimum" in note for note in table.notes) and "note: not at a minimum" in str(table)
    constrained = optimize.minimize(poisson, START, constraints={"type": "eq", "fun": lambda p: p["slopes"].sum()})
    assert "constraints of the fit are not taken into account" in str(optimize.summary(constrained))


def test_the_table_prints_in_columns():
    table = optimize.summary(optimize.minimize(poisson, START, tol=1e-9))
    lines = str(table).splitlines()
    assert lines[0].split() == ["estimate", "std.", "error", "z", "p", "value", "95", "%", "interval"]
    assert len({len(line) for line in lines[:4]}) == 1 and lines[4].startswith("negative log-likelihood")
    assert repr(table) == str(table)
    html = table._repr_html_()
    assert html.count("<tr>") == 4 and "params[&#x27;slopes&#x27;][1]" in html
    again = pickle.loads(pickle.dumps(table))
    assert str(again) == str(table) and again.band(lambda p: p["intercept"]).value == table.estimates[0]


def test_what_the_data_do_not_determine_is_named():
    fit = optimize.minimize(lambda p: (p["a"] + p["b"] - 1) ** 2 + p["c"] ** 2, {"a": 1.0, "b": 1.0, "c": 1.0})
    with pytest.raises(
        np.linalg.LinAlgError, match=r"not positive definite, along params\['a'\], params\['b'\]: .*fixed="
    ):
        optimize.summary(fit)
    x = np.arange(5.0)
    fit = optimize.least_squares(lambda p: (p["a"] + p["b"]) * x - x**2, {"a": 1.0, "b": 1.0})
    with pytest.raises(np.linalg.LinAlgError, match=r"depend on each other, along params\['a'\], params\['b'\]"):
        optimize.summary(fit)
    with pytest.raises(np.linalg.LinAlgError, match="2 residuals only"):
        optimize.summary(lambda p: p[:2], np.ones(3), kind="least_squares")


def test_what_has_no_table_is_an_error():
    fit = optimize.minimize(poisson, START)
    with pytest.raises(TypeError, match="expected a result of zen.optimize or a function, not int"):
        optimize.summary(3)
    with pytest.raises(ValueError, match='kind is "nll" or "least_squares", not None'):
        optimize.summary(poisson, START)
    with pytest.raises(ValueError, match="the result is one of 'nll', not 'least_squares'"):
        optimize.summary(fit, kind="least_squares")
    with pytest.raises(TypeError, match="a result holds its parameters"):
        optimize.summary(fit, START)
    with pytest.raises(ValueError, match="level is between 0 and 1, not 95"):
        optimize.summary(fit, level=95)
    with pytest.raises(ValueError, match="does not hold its function"):
        optimize.summary(scipy.optimize.minimize(scipy.optimize.rosen, [1.0, 2.0]))
    x = np.arange(4.0)
    robust = optimize.least_squares(lambda p: p["a"] * x - x**2, {"a": 1.0}, loss="huber")
    with pytest.raises(ValueError, match="standard errors of a fit with loss='huber' do not follow"):
        optimize.summary(robust)
    with pytest.raises(ValueError, match="2 residuals leave no degrees of freedom for 2 parameters"):
        optimize.summary(lambda p: p * np.array([1.0, 2.0]), np.ones(2), kind="least_squares")
    w = zen.tensor(1.0, requires_grad=True)
    with pytest.raises(RuntimeError, match="summary: what the function uses"):
        optimize.summary(lambda p: ((p - w) ** 2).sum(), np.ones(2), kind="nll")
