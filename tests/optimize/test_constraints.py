"""Bounds and constraints of `minimize`, against SciPy with derivatives by hand and against known optima."""

import numpy as np
import pytest
import scipy.optimize
from scipy.optimize import Bounds, LinearConstraint, NonlinearConstraint

import zen
from zen import optimize

WITH_CONSTRAINTS = ("SLSQP", "trust-constr", "COBYLA", "COBYQA")
WITH_BOUNDS = ("Nelder-Mead", "Powell", "L-BFGS-B", "TNC", "SLSQP", "trust-constr", "COBYLA", "COBYQA")


def distance(p):
    return (p["x"] - 2) ** 2 + ((p["y"] - np.array([1.0, 3.0])) ** 2).sum()


START = {"x": 0.5, "y": np.array([0.5, 0.5])}


@pytest.mark.parametrize("method", WITH_BOUNDS)
@pytest.mark.parametrize(
    "bounds",
    [
        {"x": (0, 1), "y": (None, 2)},
        {"x": (0, 1), "y": [(None, 2), (None, 2)]},
        {"x": (0, 1), "y": (None, np.array([2.0, 2.0]))},
        {"x": (None, 1), "y": [None, (0, 2)]},
        [(0, 1), (None, None), (None, 2)],
        Bounds([-np.inf, -np.inf, -np.inf], [1, 2, 2]),
        Bounds({"x": 0}, {"x": 1, "y": 2.0}),
        np.array([[0, 1], [-5, 2], [-5, 2]]),
    ],
    ids=repr,
)
def test_bounds_of_every_form_hold(bounds, method):
    found = optimize.minimize(distance, START, method=method, bounds=bounds)
    assert found.x["x"] == pytest.approx(1, abs=2e-2)
    np.testing.assert_allclose(found.x["y"], [1, 2], atol=2e-2)


def test_bounds_of_a_vector_are_scipys():
    x = np.array([1.5, 0.5, 0.1])
    for bounds in ([(0, 0.5), (None, 2), (None, None)], Bounds(-1, 0.5)):
        theirs = scipy.optimize.minimize(scipy.optimize.rosen, x, jac=scipy.optimize.rosen_der, bounds=bounds)
        ours = optimize.minimize(
            lambda x: (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum(), x, bounds=bounds
        )
        np.testing.assert_allclose(ours.x, theirs.x, atol=1e-5)
        assert type(ours.hess_inv) is type(theirs.hess_inv)


def test_bounds_and_a_mask():
    found = optimize.minimize(distance, START, bounds={"y": (None, 2)}, fixed={"y": np.array([True, False])})
    assert found.x["y"].tolist() == [0.5, 2.0] and found.x["x"] == pytest.approx(2)
    found = optimize.minimize(distance, START, bounds=[(0, 1), (3, 4), (0, 2)], fixed={"y": [True, False]})
    assert found.x["y"].tolist() == [0.5, 2.0] and found.x["x"] == pytest.approx(1)


@pytest.mark.parametrize(
    "bounds, said",
    [
        ({"z": (0, 1)}, "bounds have the key 'z' where params is a dict with the keys 'x', 'y'"),
        ({"x": (1, 0)}, r"the bounds of params\['x'\] are 1.0 and 0.0, which nothing is between"),
        ({"x": 3}, r"the bounds of params\['x'\], of shape \(\), are 3; expected None, a pair"),
        ({"y": (0, 1, 2)}, r"the bounds of params\['y'\], of shape \(2,\).*or 2 pairs"),
        ({"y": (np.zeros(3), None)}, r"a bound of params\['y'\] is .*expected a pair"),
        ([(0, 1)], "bounds have list where params is a dict"),
        (Bounds([0, 0], [1, 1]), "a limit is one number, a vector of 3 numbers"),
        ({"x": (np.nan, 1)}, "which nothing is between"),
    ],
)
def test_bounds_of_another_structure_are_an_error(bounds, said):
    with pytest.raises(ValueError, match=f"minimize: .*{said}"):
        optimize.minimize(distance, START, bounds=bounds)


def paraboloid(p):
    return ((p["x"] - np.array([1.0, 2.5])) ** 2).sum()


def above(p):
    return [p["x"][0] - 2 * p["x"][1] + 2, -p["x"][0] - 2 * p["x"][1] + 6, 2 - p["x"][0] + 2 * p["x"][1]]


NOCEDAL = {"x": np.array([2.0, 0.1])}
"""Nocedal and Wright 2006, example 16.4, whose solution is (1.4, 1.7)."""


@pytest.mark.parametrize("method", [None, *WITH_CONSTRAINTS])
@pytest.mark.parametrize(
    "constraints",
    [
        {"type": "ineq", "fun": above},
        [{"type": "ineq", "fun": lambda p, k: above(p)[k], "args": (k,)} for k in range(3)],
        NonlinearConstraint(lambda p: np.stack(above(p)), 0, np.inf),
        NonlinearConstraint(lambda p: np.stack(above(p)), 0, np.inf, hess=scipy.optimize.SR1()),
        (LinearConstraint([[1, -2], [-1, -2], [-1, 2]], [-2, -6, -2]),),
    ],
    ids=["dict", "dicts", "nonlinear", "quasi-newton", "linear"],
)
@pytest.mark.filterwarnings("ignore:Constraint options:scipy.optimize.OptimizeWarning")
@pytest.mark.filterwarnings("ignore:delta_grad == 0.0")
def test_constraints_of_every_form_hold(constraints, method):
    found = optimize.minimize(paraboloid, NOCEDAL, method=method, constraints=constraints, bounds={"x": (0, None)})
    np.testing.assert_allclose(found.x["x"], [1.4, 1.7], atol=2e-3)


def test_curved_constraints_get_exact_jacobians_and_hessians():
    """Rosenbrock's function on a circle: as many iterations as with derivatives by hand."""
    x0 = np.array([0.3, 0.2])
    circle = NonlinearConstraint(
        lambda x: x[0] ** 2 + x[1] ** 2,
        1,
        1,
        jac=lambda x: [[2 * x[0], 2 * x[1]]],
        hess=lambda x, v: 2 * v[0] * np.eye(2),
    )
    theirs = scipy.optimize.minimize(
        scipy.optimize.rosen, x0, method="trust-constr", jac=scipy.optimize.rosen_der, hess=scipy.optimize.rosen_hess,
        constraints=circle,
    )  # fmt: skip

    def rosen(p):
        return 100 * (p["b"] - p["a"] ** 2) ** 2 + (1 - p["a"]) ** 2

    for given in (
        NonlinearConstraint(lambda p: p["a"] ** 2 + p["b"] ** 2, 1, 1),
        {"type": "eq", "fun": lambda p: p["a"] ** 2 + p["b"] ** 2 - 1},
    ):
        ours = optimize.minimize(rosen, {"a": 0.3, "b": 0.2}, method="trust-constr", constraints=given)
        np.testing.assert_allclose(list(ours.x.values()), theirs.x, atol=1e-5)
        assert abs(ours.nit - theirs.nit) <= 3 and set(ours.grad) == {"a", "b"}
    slsqp = optimize.minimize(rosen, {"a": 0.3, "b": 0.2}, constraints=given)
    np.testing.assert_allclose(list(slsqp.x.values()), theirs.x, atol=1e-4)


def test_the_users_own_jacobians_of_constraints_are_used():
    calls = []

    def jac(p):
        calls.append(1)
        return {"a": 2 * p["a"], "b": 2 * p["b"]}

    for method in ("SLSQP", "trust-constr"):
        found = optimize.minimize(
            lambda p: p["a"] + p["b"], {"a": 1.0, "b": 0.5}, method=method,
            constraints={"type": "ineq", "fun": lambda p: 1 - p["a"] ** 2 - p["b"] ** 2,
                         "jac": lambda p: {k: -v for k, v in jac(p).items()}},
        )  # fmt: skip
        np.testing.assert_allclose(list(found.x.values()), -np.sqrt(0.5), atol=1e-3)
    assert len(calls) > 4


@pytest.mark.parametrize("method", WITH_CONSTRAINTS)
def test_constraints_and_a_mask(method):
    """x[0] is fixed at 2, so that the line through it decides."""
    line = LinearConstraint([[1.0, 1.0]], -np.inf, 3.0)
    bent = NonlinearConstraint(lambda p: p["x"].sum(), -np.inf, 3.0)
    for constraint in (line, bent):
        found = optimize.minimize(
            paraboloid, NOCEDAL, method=method, constraints=constraint, fixed={"x": np.array([True, False])}
        )
        np.testing.assert_allclose(found.x["x"], [2.0, 1.0], atol=1e-3)


@pytest.mark.parametrize(
    "constraints, error, said",
    [
        ({"type": "less", "fun": above}, ValueError, 'the constraint is a dict with type "eq" or "ineq".*\'less\''),
        ({"type": "eq"}, ValueError, r"it has \['type'\]"),
        ([{"type": "eq", "fun": above}, 3], TypeError, "constraint 1 is int; expected a dict"),
        ({"type": "eq", "fun": 3}, TypeError, "the constraint must be a function, not int"),
        (
            LinearConstraint(np.eye(3)),
            ValueError,
            "the matrix of the constraint has 3 columns, and params has 2 numbers",
        ),
        ({"type": "eq", "fun": lambda p: None}, TypeError, "the constraint returned NoneType; it returns real numbers"),
        ({"type": "eq", "fun": lambda p: 1.0}, TypeError, "the constraint returned float, not a Tensor"),
    ],
)
def test_a_constraint_that_does_not_fit_is_an_error(constraints, error, said):
    with pytest.raises(error, match=f"minimize: .*{said}"):
        optimize.minimize(paraboloid, NOCEDAL, constraints=constraints)


def test_a_gradient_that_a_constraint_would_lose_is_an_error():
    w = zen.tensor(1.0, requires_grad=True)
    with pytest.raises(RuntimeError, match="minimize: what the constraint uses besides its parameters requires"):
        optimize.minimize(paraboloid, NOCEDAL, constraints={"type": "ineq", "fun": lambda p: w - p["x"]})


def test_scipy_warns_of_bounds_that_a_method_does_not_take():
    with pytest.warns(RuntimeWarning, match="cannot handle bounds"):
        optimize.minimize(paraboloid, NOCEDAL, method="BFGS", bounds={"x": (0, 1)})
