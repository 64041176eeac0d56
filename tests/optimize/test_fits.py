"""`least_squares` and `curve_fit`: certified parameters, SciPy's own results, and every form of their arguments."""

import numpy as np
import pytest
import scipy.optimize
import scipy.sparse
from nist import SETS

import zen
from zen import optimize

TIGHT = {"ftol": 1e-15, "xtol": 1e-15, "gtol": 1e-15, "max_nfev": 20000}
RUNS = [(name, k) for name, s in SETS.items() for k in range(len(s.starts))]
X = np.linspace(0, 4, 30)
Y = 2.5 * np.exp(-1.3 * X) + 0.5 + 0.05 * np.sin(37 * X)


def decay(p):
    return p["scale"] * np.exp(-p["rate"] * X) + p["floor"] - Y


START = {"scale": 1.0, "rate": np.array([1.0]), "floor": 0.0}


def by_hand(v):
    e = np.exp(-v[1] * X)
    return np.stack([e, -v[0] * X * e, np.ones_like(X)], 1)


@pytest.mark.parametrize("name, k", RUNS)
def test_certified_parameters_are_found(name, k):
    s = SETS[name]
    fit = optimize.least_squares(lambda b: s.model(b, s.x) - s.y, np.array(s.starts[k], float), method="lm", **TIGHT)
    np.testing.assert_allclose(fit.x, s.values, rtol=1e-6)


@pytest.mark.parametrize("name, k", RUNS)
def test_curve_fit_finds_certified_parameters_and_deviations(name, k):
    s = SETS[name]
    popt, pcov = optimize.curve_fit(
        lambda x, *b: s.model(b, x), s.x, s.y, s.starts[k], ftol=1e-15, xtol=1e-15, maxfev=9999
    )
    np.testing.assert_allclose(popt, s.values, rtol=1e-6)
    np.testing.assert_allclose(np.sqrt(np.diag(pcov)), s.deviations, rtol=1e-5)


@pytest.mark.parametrize("method", ["trf", "dogbox", "lm"])
def test_a_method_goes_the_way_that_it_goes_with_a_jacobian_by_hand(method):
    theirs = scipy.optimize.least_squares(
        lambda v: v[0] * np.exp(-v[1] * X) + v[2] - Y, [1, 1, 0], jac=by_hand, method=method
    )
    ours = optimize.least_squares(decay, START, method=method)
    np.testing.assert_allclose([ours.x["scale"], ours.x["rate"][0], ours.x["floor"]], theirs.x, rtol=1e-6)
    np.testing.assert_allclose(ours.jac, theirs.jac, rtol=1e-5, atol=1e-8)
    assert ours.nfev == theirs.nfev and type(ours) is type(theirs)
    assert type(ours.x["scale"]) is float and ours.grad["rate"].shape == (1,)


def test_residuals_may_be_nested_and_of_any_shape():
    def f(p):
        return {"a": (decay(p)[:10], decay(p)[10:30].reshape(4, 5)), "prior": p["scale"] - 2.5}

    fit = optimize.least_squares(f, START)
    assert fit.fun.shape == (31,) and fit.jac.shape == (31, 3)


def test_bounds_masks_losses_and_scales():
    free = optimize.least_squares(decay, START)
    bounded = optimize.least_squares(decay, START, bounds=({"rate": 0}, {"rate": np.array([1.0]), "floor": 9}))
    assert bounded.x["rate"][0] <= 1 < free.x["rate"][0]
    same = optimize.least_squares(decay, START, bounds=([-9, -9, -9], [9, 1, 9]))
    np.testing.assert_allclose(same.x["rate"], bounded.x["rate"], rtol=1e-6)
    fixed = optimize.least_squares(decay, START, fixed="floor")
    assert fixed.x["floor"] == 0.0 and fixed.jac.shape == (30, 2)
    theirs = scipy.optimize.least_squares(lambda v: v[0] * np.exp(-v[1] * X) - Y, [1, 1])
    np.testing.assert_allclose([fixed.x["scale"], fixed.x["rate"][0]], theirs.x, rtol=1e-5)
    robust = optimize.least_squares(decay, START, loss="soft_l1", f_scale=0.1, x_scale={"rate": 2.0})
    np.testing.assert_allclose(robust.x["rate"], free.x["rate"], rtol=0.1)
    assert optimize.least_squares(decay, START, x_scale="jac").success


def test_the_users_own_jacobian_is_used():
    calls = []

    def jac(p):
        calls.append(type(p["rate"]))
        j = by_hand([p["scale"], p["rate"][0], p["floor"]])
        return {"scale": j[:, 0], "rate": j[:, 1:2], "floor": j[:, 2]}

    expected = optimize.least_squares(decay, START).x["rate"]
    for given in (jac, lambda p: by_hand([p["scale"], p["rate"][0], p["floor"]]), "2-point"):
        fit = optimize.least_squares(decay, START, jac=given)
        np.testing.assert_allclose(fit.x["rate"], expected, rtol=1e-4)
    assert set(calls) == {np.ndarray}
    fixed = optimize.least_squares(decay, START, jac=jac, fixed="scale")
    assert fixed.jac.shape == (30, 2)
    sparse = optimize.least_squares(
        lambda p: p["x"] - 1, {"x": np.zeros(4)}, jac=lambda p: scipy.sparse.csr_matrix(np.eye(4))
    )
    np.testing.assert_allclose(sparse.x["x"], 1)


@pytest.mark.parametrize("kind", [np.asarray, scipy.sparse.csr_matrix, scipy.sparse.lil_matrix])
def test_a_sparse_jacobian_takes_few_passes(kind):
    """Broyden's tridiagonal function: three colours for any size."""
    n, passes = 40, []

    def f(x):
        passes.append(1)
        return (3 - x) * x + 1 - np.concatenate([[0.0], x[:-1]]) - 2 * np.concatenate([x[1:], [0.0]])

    pattern = kind((np.abs(np.subtract.outer(np.arange(n), np.arange(n))) <= 1).astype(int))
    fit = optimize.least_squares(f, -np.ones(n), jac_sparsity=pattern)
    dense = optimize.least_squares(f, -np.ones(n))
    assert scipy.sparse.issparse(fit.jac)
    np.testing.assert_allclose(fit.jac.toarray(), dense.jac, atol=1e-4)
    np.testing.assert_allclose(fit.x, dense.x, atol=1e-6)
    fixed = optimize.least_squares(f, -np.ones(n), jac_sparsity=pattern, fixed=np.arange(n) == 3)
    assert fixed.jac.shape == (n, n - 1) and fixed.x[3] == -1


def test_entries_of_a_pattern_that_hold_zeros_count_as_in_scipy():
    def f(x):
        return x * x.sum() - 3

    pattern = scipy.sparse.csr_array(np.ones((3, 3)))
    pattern.data[:] = 0
    start = np.array([1.0, 2.0, 3.0])
    fit = optimize.least_squares(f, start, jac_sparsity=pattern, x_scale=1.0)
    np.testing.assert_allclose(fit.jac.toarray(), np.full((3, 3), fit.x[:, None]) + fit.x.sum() * np.eye(3), rtol=1e-9)
    np.testing.assert_allclose(fit.x, 1, rtol=1e-6)


def test_an_arrow_takes_few_passes_by_rows():
    """Its first column has all rows, and its last row all columns: one pass by rows for all others."""
    n = 12

    def f(x):
        return np.concatenate([x[1:] ** 2 - x[0], zen.sum(x, keepdims=True) - n])

    pattern = np.eye(n, k=1)
    pattern[:, 0], pattern[-1] = 1, 1
    fit = optimize.least_squares(f, np.full(n, 2.0), jac_sparsity=zen.Sparsity(pattern))
    np.testing.assert_allclose(fit.jac.toarray(), zen.jacobian(f)(fit.x), rtol=1e-12)
    np.testing.assert_allclose(fit.x, 1, rtol=1e-6)


def test_the_bar_of_a_fit(capfd):
    optimize.least_squares(decay, START, progress=True)
    said = capfd.readouterr().err
    assert "least_squares" in said and "best=" in said


def model(x, a, b, c):
    return a * np.exp(-b * x) + c


@pytest.mark.parametrize("options", [
    {}, {"p0": (1, 1, 0)}, {"p0": np.ones(3)}, {"p0": [1.0, 1.0, 0.1], "bounds": (0, [9, 9, 9])},
    {"sigma": np.linspace(0.1, 0.3, 30)}, {"sigma": np.linspace(0.1, 0.3, 30), "absolute_sigma": True},
    {"bounds": ([0, 0, -1], [3, 2, np.inf])}, {"method": "trf"}, {"method": "dogbox", "p0": [1, 1, 1]},
    {"sigma": np.diag(np.linspace(0.1, 0.3, 30)) + 0.01},
], ids=repr)  # fmt: skip
def test_curve_fit_is_scipys(options):
    theirs = scipy.optimize.curve_fit(model, X, Y, **options)
    ours = optimize.curve_fit(model, X, Y, **options)
    np.testing.assert_allclose(ours[0], theirs[0], rtol=1e-4)
    np.testing.assert_allclose(ours[1], theirs[1], rtol=1e-2, atol=1e-10)
    assert type(ours[0]) is np.ndarray


def test_curve_fit_takes_named_and_nested_parameters():
    expected, covariance = scipy.optimize.curve_fit(model, X, Y)
    popt, pcov = optimize.curve_fit(model, X, Y, {"a": 1.0, "b": 1.0, "c": 0.0})
    np.testing.assert_allclose(list(popt.values()), expected, rtol=1e-5)
    np.testing.assert_allclose(pcov, covariance, rtol=1e-3)
    popt, _ = optimize.curve_fit(lambda x, p, c: model(x, p[0], p[1], c), X, Y, [np.ones(2), 0.0])
    np.testing.assert_allclose(np.array([*popt[0], popt[1]]), expected, rtol=1e-5)
    popt, pcov = optimize.curve_fit(model, X, Y, {"a": 1.0, "b": 1.0, "c": 0.5}, fixed="c")
    assert popt["c"] == 0.5 and pcov.shape == (2, 2)
    popt, pcov, info, *_ = optimize.curve_fit(model, X.tolist(), Y.tolist(), full_output=True)
    assert info["nfev"] > 2
    popt, _ = optimize.curve_fit(model, X, Y, (1, 1, 0), jac=lambda x, *p: by_hand([float(v) for v in p]))
    np.testing.assert_allclose(popt, expected, rtol=1e-5)


@pytest.mark.parametrize("f, error, said", [
    (lambda p: None, TypeError, "the function returned NoneType"),
    (lambda p: 3 * [1.0], TypeError, "not a Tensor, so its derivative is lost|returned"),
    (lambda p: decay(p) * np.nan, ValueError, "residual 0 is not finite at the start"),
    (lambda p: decay(p) * 1j, TypeError, "complex128"),
])  # fmt: skip
def test_residuals_that_cannot_be_fitted_are_an_error(f, error, said):
    with pytest.raises(error, match=f"least_squares: .*({said})"):
        optimize.least_squares(f, START)


def test_a_count_of_residuals_that_changes_is_an_error():
    counts = iter([30, 30, 29, 29, 29])
    with pytest.raises(ValueError, match="the function returned 29 numbers, and 30 before"):
        optimize.least_squares(lambda p: decay(p)[: next(counts)], START, jac="2-point")


def test_arguments_that_do_not_fit_are_an_error():
    with pytest.raises(ValueError, match=r"least_squares: bounds are \(low, high\), not 3"):
        optimize.least_squares(decay, START, bounds=3)
    with pytest.raises(ValueError, match="jac_sparsity has 5 columns, and params has 3 numbers"):
        optimize.least_squares(decay, START, jac_sparsity=np.ones((30, 5)))
    with pytest.raises(ValueError, match="jac_sparsity has 29 rows, and the function returned 30 numbers"):
        optimize.least_squares(decay, START, jac_sparsity=np.ones((29, 3)))
    with pytest.raises(ValueError, match="curve_fit: give p0"):
        optimize.curve_fit(lambda x, *p: x * p[0], X, Y)
    with pytest.raises(RuntimeError, match="least_squares: what the function uses besides its parameters requires"):
        w = zen.tensor(1.0, requires_grad=True)
        optimize.least_squares(lambda p: decay(p) * w, START)
    with pytest.raises(RuntimeError, match="curve_fit: what the function uses besides"):
        optimize.curve_fit(lambda x, a: a * x * w, X, Y, [1.0])
