"""Roots of systems and of one equation, against SciPy with derivatives by hand and against known roots."""

import math

import numpy as np
import pytest
import scipy.optimize

import zen
from zen import optimize
from zen.optimize.roots import METHODS


def system(p):
    return [p["x"] + 0.5 * (p["x"] - p["y"]) ** 3 - 1.0, {"second": 0.5 * (p["y"] - p["x"]) ** 3 + p["y"]}]


ROOT = (0.8411639, 0.1588361)
"""Of SciPy's documentation."""


@pytest.mark.parametrize("method", [m for m in METHODS if not m.endswith("mixing")])
def test_every_method_finds_the_root(method):
    found = optimize.root(system, {"x": 0.5, "y": 0.1}, method=method)
    assert found.success and type(found.x["x"]) is float
    np.testing.assert_allclose(list(found.x.values()), ROOT, atol=1e-4)


@pytest.mark.parametrize("method", ["hybr", "lm"])
def test_the_jacobian_is_exact(method):
    def f(x):
        return np.stack([x[0] + 0.5 * (x[0] - x[1]) ** 3 - 1.0, 0.5 * (x[1] - x[0]) ** 3 + x[1]])

    def jac(x):
        d = 1.5 * (x[0] - x[1]) ** 2
        return np.array([[1 + d, -d], [-d, 1 + d]])

    theirs = scipy.optimize.root(f, [0.0, 0.0], jac=jac, method=method)
    ours = optimize.root(f, np.zeros(2), method=method)
    assert (ours.nfev, ours.njev) == (theirs.nfev, theirs.njev)
    np.testing.assert_allclose(ours.x, theirs.x, rtol=1e-12)
    given = optimize.root(lambda p: f(p["v"]), {"v": np.zeros(2)}, jac=lambda p: {"v": jac(p["v"])}, method=method)
    np.testing.assert_allclose(given.x["v"], theirs.x, rtol=1e-12)
    both = optimize.root(lambda x: (f(x), jac(x)), np.zeros(2), jac=True, method=method)
    np.testing.assert_allclose(both.x, theirs.x, rtol=1e-12)
    differences = optimize.root(f, np.array([0.5, 0.1]), jac=False, method=method)
    np.testing.assert_allclose(differences.x, theirs.x, rtol=1e-6)


def test_fsolve_is_scipys():
    def f(p):
        return [p[0] * np.cos(p[1]) - 4, p[0] * p[1] - p[1] - 5]

    x = optimize.fsolve(f, (1, 1.0))
    assert type(x) is tuple
    np.testing.assert_allclose(x, (6.50409711, 0.90841421), rtol=1e-7)
    x, info, ier, message = optimize.fsolve(f, [1.0, 1.0], full_output=True)
    assert ier == 1 and info["njev"] >= 1 and type(x) is list
    fixed = optimize.fsolve(lambda p: p["a"] * p["b"] - 6, {"a": 1.0, "b": 2.0}, fixed="b")
    assert fixed == {"a": pytest.approx(3.0), "b": 2.0}
    given = optimize.fsolve(lambda x, k: x**2 - k, np.array([1.0]), (9.0,), fprime=lambda x, k: np.diag(2 * x))
    np.testing.assert_allclose(given, [3.0])


def test_callbacks_and_the_bar(capfd):
    seen = []
    optimize.root(system, {"x": 0.5, "y": 0.1}, method="krylov", callback=lambda x, f: seen.append(x["x"]))
    assert seen and type(seen[0]) is float
    optimize.root(system, {"x": 0.5, "y": 0.1}, progress=True)
    assert "root" in capfd.readouterr().err


@pytest.mark.parametrize("f, error, said", [
    (lambda p: p["x"], ValueError, "returned 1 numbers for 2 unknowns.*least_squares"),
    (lambda p: [p["x"] * np.nan, p["y"]], ValueError, "the function is nan at the start"),
    (lambda p: None, TypeError, "the function returned NoneType"),
    (lambda p: [1.0, 2.0], TypeError, "not a Tensor, so its derivative is lost|returned"),
])  # fmt: skip
def test_functions_without_a_square_system_are_an_error(f, error, said):
    with pytest.raises(error, match=f"root: .*({said})"):
        optimize.root(f, {"x": 0.5, "y": 0.1})


def test_an_unknown_method_and_a_lost_gradient_are_errors():
    with pytest.raises(ValueError, match="root: there is no method 'newton'; SciPy's are hybr, lm"):
        optimize.root(system, {"x": 0.5, "y": 0.1}, method="newton")
    w = zen.tensor(1.0, requires_grad=True)
    for solve in (
        lambda: optimize.root(lambda x: x - w, np.zeros(1)),
        lambda: optimize.fsolve(lambda x: x - w, np.zeros(1)),
        lambda: optimize.brentq(lambda x: x - w, 0, 3),
        lambda: optimize.newton(lambda x: x - w, 0.5),
        lambda: optimize.root_scalar(lambda x: x - w, x0=0.5),
        lambda: optimize.root_scalar(lambda x: (x - w, 1), fprime=True, x0=0.5),
        lambda: optimize.root_scalar(lambda x: x - 1, fprime=lambda x: w, x0=0.5),
        lambda: optimize.newton(lambda x: x - 1, 0.5, fprime=lambda x: w),
    ):
        with pytest.raises(RuntimeError, match="requires a gradient, and the result carries none.*zen.implicit_root"):
            solve()
        with zen.no_grad():
            solve()


DOTTIE = 0.7390851332151607


def cosine(x):
    return np.cos(x) - x


@pytest.mark.parametrize("options", [
    {"bracket": (0, 1)}, {"bracket": (0, 1), "method": "toms748"}, {"bracket": (0, 1), "method": "bisect"},
    {"x0": 0.5}, {"x0": 0.5, "method": "newton"}, {"x0": 0.5, "method": "halley"}, {"x0": 0.5, "x1": 1.0},
    {"x0": 0.5, "fprime": lambda x: -np.sin(x) - 1}, {"x0": 0.5, "method": "halley", "fprime2": lambda x: -np.cos(x)},
], ids=lambda o: ",".join(o))  # fmt: skip
def test_root_scalar_fills_in_what_a_method_wants(options):
    found = optimize.root_scalar(cosine, **options)
    assert found.converged and found.root == pytest.approx(DOTTIE, abs=1e-8)


def test_a_function_that_returns_its_derivatives_gives_a_number():
    def both(x, k):
        return k * (np.cos(x) - x), k * (-np.sin(x) - 1), -k * np.cos(x)

    for options in ({"fprime": True}, {"fprime": True, "fprime2": True}, {"fprime2": True, "method": "halley"}):
        found = optimize.root_scalar(both, zen.tensor(2.0), x0=0.5, **options)
        assert isinstance(found.root, float) and found.root == pytest.approx(DOTTIE)
    with pytest.raises(TypeError, match="root_scalar: with fprime2=True the function returns 3 numbers, not tuple"):
        optimize.root_scalar(lambda x: (x, 1.0), x0=0.5, fprime2=True)
    with pytest.raises(TypeError, match="root_scalar: with fprime=True the function returns 2 numbers, not Tensor"):
        optimize.root_scalar(cosine, x0=0.5, fprime=True)


def test_scalar_roots_go_the_way_of_scipys():
    theirs = scipy.optimize.root_scalar(
        lambda x: math.cos(x) - x,
        x0=0.5,
        fprime=lambda x: -math.sin(x) - 1,
        fprime2=lambda x: -math.cos(x),
        method="halley",
    )
    ours = optimize.root_scalar(cosine, x0=0.5, method="halley")
    assert (ours.iterations, ours.function_calls) == (theirs.iterations, theirs.function_calls)
    assert optimize.brentq(cosine, 0, 1) == pytest.approx(DOTTIE)
    root, info = optimize.brentq(lambda x, k: k * cosine(x), zen.tensor(0.0), 1, (2.0,), full_output=True)
    assert info.converged and type(root) is float
    assert optimize.newton(cosine, 0.5) == pytest.approx(DOTTIE)
    assert optimize.newton(cosine, 0.5, fprime2=True) == pytest.approx(DOTTIE)
    assert optimize.newton(lambda x: math.cos(x) - x, 0.5, x1=1.0) == pytest.approx(DOTTIE)  # no derivative, any code
    cubes = optimize.newton(lambda x, a: x**3 - a, np.full((2, 2), 1.5), args=(np.arange(1.0, 5).reshape(2, 2),))
    np.testing.assert_allclose(cubes, np.cbrt(np.arange(1.0, 5)).reshape(2, 2))


def test_tolerances_and_counts_that_are_none_are_named():
    for call, said in (
        (lambda: optimize.newton(cosine, 0.5, maxiter="a"), "newton: maxiter is a positive int, not 'a'"),
        (lambda: optimize.brentq(cosine, 0, 1, xtol="a"), "brentq: xtol is a positive number, not 'a'"),
        (lambda: optimize.root(cosine, 0.5, tol="a"), "root: tol is a number that is not negative, not 'a'"),
        (lambda: optimize.minimize(cosine, 0.5, tol="a"), "minimize: tol is a number that is not negative, not 'a'"),
    ):
        with pytest.raises(TypeError, match=said):
            call()


def test_errors_of_scalar_roots():
    with pytest.raises(ValueError, match="different signs"):
        optimize.brentq(lambda x: x**2 + 1, 0, 1)
    with pytest.raises(RuntimeError, match="converge"):
        optimize.newton(lambda x: x**2 + 1, 0.5)
    with pytest.raises(TypeError, match="brentq: the function is NoneType"):
        optimize.brentq(lambda x: None, 0, 1)
    with pytest.raises(TypeError, match=r"brentq: the function is shape \(2,\); expected a real number of shape \(\)"):
        optimize.brentq(lambda x: np.ones(2) * x, -1, 1)
    with pytest.raises(TypeError, match="newton: the function returned float, not a Tensor.*fprime="):
        optimize.newton(lambda x: math.cos(x.item()) - x.item(), 0.5)
    with pytest.raises(TypeError, match="brentq: the first argument is a function, not int"):
        optimize.brentq(3, 0, 1)
