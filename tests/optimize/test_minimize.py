"""`minimize`: every method of SciPy's with zen's derivatives, against the same with derivatives written by hand."""

import gc
import pickle
import threading
import weakref
from collections import namedtuple

import numpy as np
import pytest
import scipy.optimize

import zen
from zen import optimize
from zen.optimize.minimizing import MATRICES, METHODS, PRODUCTS, VALUES

START = np.array([0.9, 0.8, 0.7])
OPTIONS = {"COBYLA": {"maxiter": 20000, "rhobeg": 0.3}, "Nelder-Mead": {"maxiter": 5000, "xatol": 1e-9, "fatol": 1e-9}}


def rosenbrock(x):
    return (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()


def slope(x):
    return scipy.optimize.rosen_der(x)


@pytest.mark.parametrize("method", METHODS)
def test_a_method_goes_the_way_that_it_goes_with_derivatives_by_hand(method):
    """The same steps: as many evaluations, to the same point."""
    name = method.lower()
    given = {} if name in VALUES else {"jac": slope}
    if name in MATRICES:
        given["hess"] = scipy.optimize.rosen_hess
    if name in PRODUCTS:
        given["hessp"] = scipy.optimize.rosen_hess_prod
    options = OPTIONS.get(method)
    theirs = scipy.optimize.minimize(scipy.optimize.rosen, START, method=method, options=options, **given)
    ours = optimize.minimize(rosenbrock, START, method=method, options=options)
    assert type(ours) is type(theirs) and ours.keys() == theirs.keys()
    tolerance = 1e-2 if method == "COBYLA" else 1e-4
    np.testing.assert_allclose(ours.x, theirs.x, atol=tolerance)
    assert abs(ours.nfev - theirs.nfev) <= 0.2 * theirs.nfev
    assert type(ours.x) is np.ndarray and isinstance(ours.fun, float)


@pytest.mark.parametrize("method", [None, "bfgs", "l-bfgs-b", "TRUST-NCG"])
def test_names_of_methods_are_as_scipy_reads_them(method):
    assert optimize.minimize(rosenbrock, START, method=method).success


def test_a_method_of_the_users_own_gets_all_derivatives():
    seen = {}

    def method(fun, x0, args, jac, hess, hessp, **options):
        seen.update(value=fun(x0), jac=jac(x0), hess=hess(x0), hessp=hessp(x0, x0), options=options)
        return scipy.optimize.OptimizeResult(x=x0, fun=fun(x0), success=True)

    optimize.minimize(rosenbrock, START, method=method, options={"depth": 3})
    assert seen["value"] == pytest.approx(scipy.optimize.rosen(START)) and seen["options"]["depth"] == 3
    np.testing.assert_allclose(seen["jac"], slope(START))
    np.testing.assert_allclose(seen["hess"], scipy.optimize.rosen_hess(START), rtol=1e-12)
    np.testing.assert_allclose(seen["hessp"], scipy.optimize.rosen_hess_prod(START, START), rtol=1e-12)


Pair = namedtuple("Pair", "left right")


def nested(p):
    return (p["a"] - 1) ** 2 + ((p["b"].left - np.arange(3.0)) ** 2).sum() + sum(t * t for t in p["b"].right)


def start():
    return {"a": 3, "b": Pair(zen.tensor([5.0, 6.0, 7.0]), [np.array(2.0), np.float64(1.0)]), "none": None}


@pytest.mark.parametrize("method", [m for m in METHODS if m != "dogleg"])
def test_parameters_come_back_as_what_they_were(method):
    found = optimize.minimize(nested, start(), method=method)
    x = found.x
    assert type(x) is dict and type(x["b"]) is Pair and type(x["b"].right) is list and x["none"] is None
    assert type(x["a"]) is float and isinstance(x["b"].left, zen.Tensor) and not x["b"].left.requires_grad
    assert type(x["b"].right[0]) is np.ndarray and x["b"].right[0].shape == () and type(x["b"].right[1]) is np.float64
    np.testing.assert_allclose(x["b"].left.array, [0, 1, 2], atol=1e-3)
    gradient = found.get("grad" if method == "trust-constr" else "jac")
    if method.lower() not in VALUES:
        assert gradient["b"].left.shape == (3,) and type(gradient["a"]) is float


@pytest.mark.parametrize("method", ["L-BFGS-B", "Nelder-Mead", "trust-exact", "Newton-CG", "trust-constr"])
@pytest.mark.parametrize(
    "fixed",
    ["a", ["a"], {"a": True}, {"a": np.True_, "b": None}, "params['a']", "['a']"],
    ids=repr,
)
def test_what_is_fixed_keeps_its_value(fixed, method):
    found = optimize.minimize(nested, start(), method=method, fixed=fixed)
    assert found.x["a"] == 3.0
    np.testing.assert_allclose(found.x["b"].left.array, [0, 1, 2], atol=1e-3)
    if method == "L-BFGS-B":
        assert found.jac["a"] == 0.0 and found.hess_inv.shape == (5, 5)


@pytest.mark.parametrize("method", ["BFGS", "trust-exact", "trust-krylov", "COBYLA"])
@pytest.mark.parametrize(
    "fixed",
    [
        ["params['b'].left[1]", "params['b'].right"],
        {"b": ([False, True, False], True)},
        {"b": Pair(np.array([False, True, False]), [True, True])},
    ],
    ids=repr,
)
def test_elements_are_fixed_one_by_one(fixed, method):
    found = optimize.minimize(nested, start(), method=method, fixed=fixed)
    np.testing.assert_allclose(found.x["b"].left.array, [0, 6, 2], atol=1e-3)
    assert found.x["b"].left.array[1] == 6 and found.x["b"].right[0] == 2 and found.x["b"].right[1] == 1


def test_a_single_number_and_a_matrix_are_parameters():
    assert optimize.minimize(lambda x: (x - 2.0) ** 2, 1).x == pytest.approx(2.0)
    target = np.arange(6.0).reshape(2, 3)
    found = optimize.minimize(lambda m: ((m - target) ** 2).sum(), np.asfortranarray(np.ones((2, 3))))
    np.testing.assert_allclose(found.x, target, atol=1e-6)
    assert found.jac.shape == (2, 3)


def test_the_function_sees_the_dtypes_that_were_given():
    seen = set()

    def f(p):
        seen.add((p["s"].dtype.name, p["d"].dtype.name))
        return ((p["s"] - 1) ** 2).sum() + (p["d"] - 2) ** 2

    found = optimize.minimize(f, {"s": np.zeros(2, np.float32), "d": 0.0}, method="L-BFGS-B")
    assert seen == {("float32", "float64")} and found.x["s"].dtype == np.float32
    np.testing.assert_allclose(found.x["s"], 1, atol=1e-5)


def test_the_start_is_not_written_to():
    x = START.copy()
    optimize.minimize(rosenbrock, x)
    t = zen.tensor(START.copy(), requires_grad=True)
    optimize.minimize(rosenbrock, t)
    assert (x == START).all() and (t.array == START).all() and t.gradient is None


def test_a_model_is_fitted_through_functional_call():
    model = zen.nn.Linear(2, 1)
    x = np.random.default_rng(0).normal(size=(20, 2))
    y = x @ np.array([[1.0], [-2.0]]) + 0.5
    inputs = zen.tensor(x.astype(np.float32))

    def loss(p):
        return ((zen.nn.functional_call(model, p, inputs) - y) ** 2).mean()

    found = optimize.minimize(loss, dict(model.named_parameters()), method="L-BFGS-B")
    model.load_state_dict(found.x)
    np.testing.assert_allclose(model.weight.detach().array, [[1.0, -2.0]], atol=1e-2)


def test_the_users_own_derivatives_are_used():
    calls = []

    def jac(p, k):
        calls.append(type(p["x"]))
        return {"x": k * slope(p["x"])}

    def plain(p, k):  # any code, of what was given
        assert type(p["x"]) is np.ndarray
        return k * scipy.optimize.rosen(p["x"])

    found = optimize.minimize(plain, {"x": START}, 2.0, jac=jac)
    np.testing.assert_allclose(found.x["x"], 1, atol=1e-4)
    assert set(calls) == {np.ndarray}
    both = optimize.minimize(lambda x: (scipy.optimize.rosen(x), slope(x)), START, jac=True)
    np.testing.assert_allclose(both.x, 1, atol=1e-4)
    differences = optimize.minimize(scipy.optimize.rosen, START, jac="2-point")
    np.testing.assert_allclose(differences.x, 1, atol=1e-3)


def test_the_users_own_hessians_are_used():
    calls = []

    def hess(x):
        calls.append("hess")
        return scipy.optimize.rosen_hess(x)

    def hessp(p, v):
        calls.append("hessp")
        return {"x": scipy.optimize.rosen_hess_prod(p["x"], v["x"])}

    optimize.minimize(rosenbrock, START, method="trust-exact", hess=hess)
    optimize.minimize(lambda p: rosenbrock(p["x"]), {"x": START}, method="trust-ncg", hessp=hessp)
    assert {"hess", "hessp"} == set(calls)
    whole = optimize.minimize(rosenbrock, START, method="trust-exact", hess=hess)
    np.testing.assert_allclose(whole.x, 1, atol=1e-4)
    partly = optimize.minimize(rosenbrock, START, method="trust-exact", hess=hess, fixed=np.array([True, False, False]))
    expected = scipy.optimize.minimize(lambda v: scipy.optimize.rosen(np.array([0.9, *v])), START[1:], tol=1e-9).x
    np.testing.assert_allclose(partly.x, [0.9, *expected], atol=1e-4)


def test_callbacks_get_parameters_in_their_structure():
    points, results = [], []
    optimize.minimize(nested, start(), method="L-BFGS-B", callback=lambda xk: points.append(xk["b"].left))

    def callback(intermediate_result):
        results.append((intermediate_result.x["a"], intermediate_result.fun))

    for method in ("BFGS", "SLSQP", "COBYLA", "trust-constr", "TNC", "COBYQA"):
        optimize.minimize(nested, start(), method=method, callback=callback)
    assert len(points) >= 1 and isinstance(points[0], zen.Tensor)
    assert len(results) > 6 and all(type(a) is float and np.isfinite(value) for a, value in results)
    states = []
    optimize.minimize(nested, start(), method="trust-constr", callback=lambda x, state: states.append(state.nit))
    assert states[0] == 1
    found = optimize.minimize(nested, start(), options={"return_all": True}, method="CG")
    assert isinstance(found.allvecs[0]["b"].left, zen.Tensor)


def test_a_callback_stops_the_run():
    def callback(xk):
        raise StopIteration

    found = optimize.minimize(rosenbrock, -START, method="BFGS", callback=callback)
    assert found.nit == 1


def test_the_bar_counts_iterations(capfd):
    found = optimize.minimize(rosenbrock, -START, method="BFGS", progress=True)
    said = capfd.readouterr().err
    assert f"{found.nit}iteration" in said.replace(" ", "") and "minimize" in said
    optimize.minimize(rosenbrock, -START, method="trust-constr", progress=True, options={"maxiter": 500})
    assert "/500" in capfd.readouterr().err


def test_runs_on_several_threads_do_not_disturb_each_other():
    found = {}

    def run(k):
        found[k] = optimize.minimize(lambda p: ((p["x"] - k) ** 4).sum() + rosenbrock(p["x"] - k + 1), {"x": START}).x[
            "x"
        ]

    threads = [threading.Thread(target=run, args=(k,)) for k in range(6)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    for k in range(6):
        np.testing.assert_allclose(found[k], k, atol=1e-3)


def test_a_result_is_pickled_without_its_function():
    found = pickle.loads(pickle.dumps(optimize.minimize(lambda x: rosenbrock(x), START, method="BFGS")))
    np.testing.assert_allclose(found.x, 1, atol=1e-4)
    with pytest.raises(ValueError, match="does not hold its function"):
        optimize.summary(found)


def test_in_a_vmap_it_runs_for_each_example():
    def solve(v):
        return optimize.minimize(lambda x: ((x - v) ** 2).sum(), np.zeros(2)).x

    with pytest.warns(UserWarning, match="runs once for each example"):
        found = zen.vmap(solve)(np.arange(6.0).reshape(3, 2))
    np.testing.assert_allclose(found, np.arange(6.0).reshape(3, 2), atol=1e-5)
    with pytest.warns(UserWarning, match="runs once for each example"):
        found = zen.vmap(lambda s: optimize.minimize(rosenbrock, s).x)(np.stack([START, -START]))
    np.testing.assert_allclose(found, 1, atol=1e-4)


def test_an_inner_derivative_of_the_function_is_differentiated():
    """The slope of x^3 + c x^2 is least where that has its turning point."""
    found = optimize.minimize(lambda x: zen.grad(lambda t: t**3 + 1.5 * t**2)(x), 0.0, method="trust-exact")
    assert found.x == pytest.approx(-0.5)


@pytest.mark.parametrize(
    "fixed, said",
    [
        ("c", r"fixed names 'c', which is not in params; it has params\['a'\], params\['b'\]\.left"),
        ({"c": True}, "fixed has the key 'c', which params has not"),
        ({"b": [True]}, r"does not fit params\['b'\].*expected 2 entries"),
        ({"b": Pair([True, False], False)}, r"does not fit params\['b'\]\.left.*bools of shape \(3,\)"),
        ({"a": 1}, r"does not fit params\['a'\]: it is 1; expected a bool"),
        ([True, False], "expected a dict with some of the keys 'a', 'b', 'none'"),
        (True, "every parameter is fixed, so there is nothing to find"),
    ],
)
def test_a_mask_that_does_not_fit_is_an_error(fixed, said):
    with pytest.raises(ValueError, match=f"minimize: .*{said}"):
        optimize.minimize(nested, start(), fixed=fixed)


def test_a_function_that_writes_into_what_it_gets_changes_nothing_outside():
    def f(p):
        p["x"] += 1
        return ((p["x"] - p["w"]) ** 2).sum()

    def into_fixed(p):
        p["w"] += 1
        return ((p["x"] - p["w"]) ** 2).sum()

    params = {"x": np.zeros(3), "w": np.ones(3)}
    found = optimize.minimize(f, params, method="Nelder-Mead", fixed="w")
    np.testing.assert_allclose(found.x["x"], 0, atol=1e-3)
    found = optimize.minimize(into_fixed, params, method="Nelder-Mead", fixed="w")
    np.testing.assert_allclose(found.x["x"], 2, atol=1e-3)
    for method in ("BFGS", "trust-exact"):
        with pytest.raises(RuntimeError, match="cannot be changed in place"):
            optimize.minimize(f, params, method=method, fixed="w")
        with pytest.raises((RuntimeError, ValueError), match="read-only|in place"):
            optimize.minimize(into_fixed, params, method=method, fixed="w")
    assert (params["x"] == 0).all() and (params["w"] == 1).all()


def test_odd_layouts_and_empty_leaves():
    wide = np.arange(12.0).reshape(3, 4)[::-1, ::2]
    found = optimize.minimize(
        lambda p: ((p["m"] - wide) ** 2).sum() + p["e"].sum(), {"m": wide.T.T + 1, "e": np.zeros((0, 2))}
    )
    np.testing.assert_allclose(found.x["m"], wide, atol=1e-5)
    assert found.x["e"].shape == (0, 2)
    swapped = optimize.minimize(lambda x: ((x - 2) ** 2).sum(), np.ones(2, ">f8"))
    np.testing.assert_allclose(swapped.x, 2, atol=1e-5)


def test_nothing_of_a_run_is_kept_when_its_result_goes():
    """Data go with the last reference, not when Python next looks for circles."""

    class Data:
        pass

    def run(solve):
        data = Data()
        kept = weakref.ref(data)
        solve(lambda p: (p["x"] - 1) ** 2 + 0 * id(data))
        return kept

    gc.collect()
    gc.disable()
    try:
        start = {"x": 0.5, "y": np.ones(2)}
        for method in ("L-BFGS-B", "Nelder-Mead", "trust-exact", "trust-krylov"):
            assert run(lambda f, m=method: optimize.minimize(f, start, method=m, fixed="y"))() is None
        assert (
            run(lambda f: optimize.minimize(f, start, jac=lambda p: {"x": 2 * p["x"] - 2, "y": 0 * p["y"]}))() is None
        )
        assert run(lambda f: optimize.least_squares(f, start, fixed="y"))() is None
        assert run(lambda f: optimize.summary(f, {"x": 1.0}, kind="nll"))() is None
    finally:
        gc.enable()
