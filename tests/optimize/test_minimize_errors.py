"""`minimize`: what it refuses, and what its errors say."""

import warnings

import numpy as np
import pytest

import zen
from zen import optimize

START = np.array([0.9, 0.8, 0.7])


def rosenbrock(x):
    return (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()


@pytest.mark.parametrize("method", ["L-BFGS-B", "SLSQP", "TNC", "trust-exact", "COBYLA", "Nelder-Mead"])
@pytest.mark.parametrize("error", [KeyboardInterrupt, ZeroDivisionError("mine")])
def test_what_the_function_raises_comes_through(method, error):
    count = [0]

    def f(x):
        count[0] += 1
        if count[0] == 4:
            raise error
        return rosenbrock(x)

    with pytest.raises(error if isinstance(error, type) else type(error)) as caught:
        optimize.minimize(f, START, method=method)
    assert isinstance(error, type) or caught.value is error
    assert zen.is_grad_enabled()
    assert optimize.minimize(rosenbrock, START, method=method).nfev > 1


def test_a_gradient_that_would_be_lost_is_an_error_with_the_remedy():
    w = zen.tensor(2.0, requires_grad=True)
    for method in ("BFGS", "Nelder-Mead", "trust-exact"):
        with pytest.raises(RuntimeError, match=r"minimize: what the function uses besides.*no_grad.*implicit_argmin"):
            optimize.minimize(lambda x: ((x - w) ** 2).sum(), START, method=method)
        with pytest.raises(RuntimeError, match="requires a gradient"):
            optimize.minimize(lambda x, v: ((x - v) ** 2).sum(), START, (w,), method=method)
        with zen.no_grad():
            found = optimize.minimize(lambda x: ((x - w) ** 2).sum(), START, method=method)
        np.testing.assert_allclose(found.x, 2, atol=1e-3)
    with pytest.raises(RuntimeError, match=r"params\['w'\], which is fixed, requires a gradient"):
        optimize.minimize(lambda p: ((p["x"] - p["w"]) ** 2).sum(), {"x": START, "w": w}, fixed="w")
    with pytest.raises(RuntimeError, match="requires a gradient"):
        zen.grad(lambda v: zen.tensor(optimize.minimize(lambda x: (x - v) ** 2, 1.0).x))(3.0)
    with pytest.raises(RuntimeError, match="requires a gradient"):
        zen.jvp(lambda v: zen.tensor(optimize.minimize(lambda x: (x - v) ** 2, 1.0).x), (3.0,), (1.0,))


@pytest.mark.parametrize(
    "f, error, said",
    [
        (lambda x: x * 2, ValueError, r"returned shape \(3,\), but must return one number; reduce it"),
        (lambda x: None, TypeError, "returned NoneType, but must return one number"),
        (lambda x: (x.sum(), 1), TypeError, "returned tuple, but must return one number"),
        (
            lambda x: float(x.detach().sum().item()),
            TypeError,
            "returned float, not a Tensor, so its derivative is lost",
        ),
        (lambda x: zen.argmax(x), TypeError, "returned dtype int64, but must return one real number"),
        (lambda x: (x * 1j).sum(), TypeError, "returned dtype complex128"),
        (lambda x: x.sum() * np.nan, ValueError, "the function is nan at the start"),
        (lambda x: x.sum() + np.inf, ValueError, "the function is inf at the start"),
        (
            lambda x: np.sqrt(x - np.array([0.9, 0, 0])).sum(),
            ValueError,
            r"gradient by params\[0\] is inf at the start",
        ),
        (3, TypeError, "the first argument is a function, not int"),
    ],
)
def test_a_function_that_cannot_be_minimised_is_an_error(f, error, said):
    with pytest.raises(error, match=f"minimize: .*{said}"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        optimize.minimize(f, START)


@pytest.mark.parametrize("f", [lambda x: None, lambda x: x * 2, lambda x: [1.0], lambda x: x.sum() * 1j])
def test_methods_without_derivatives_check_the_value_as_well(f):
    with pytest.raises((TypeError, ValueError), match="minimize: the function returned .* must return one"):
        optimize.minimize(f, START, method="Nelder-Mead")


@pytest.mark.parametrize(
    "params, error, said",
    [
        ({"a": "x"}, TypeError, r"params\['a'\] is str; parameters are numbers, arrays or Tensors"),
        ([True], TypeError, r"params\[0\] is of dtype bool"),
        (np.array([1j]), TypeError, "params is of dtype complex128.*real and imaginary parts"),
        ({}, ValueError, "params has no numbers"),
        (np.zeros((0, 2)), ValueError, "params has no numbers"),
        (np.array(["a"]), TypeError, "cannot hold dtype <U1"),
    ],
)
def test_parameters_that_scipy_cannot_move_are_an_error(params, error, said):
    with pytest.raises(error, match=said):
        optimize.minimize(lambda p: 0.0, params)


def test_an_unknown_method_is_an_error():
    with pytest.raises(ValueError, match="minimize: there is no method 'adam'; SciPy's are Nelder-Mead, Powell"):
        optimize.minimize(rosenbrock, START, method="adam")


@pytest.mark.parametrize(
    "jac, said",
    [
        (lambda p: {"y": 1.0}, "what jac returned does not have the structure of params"),
        (lambda p: {"x": np.ones(2)}, r"what jac returned has shape \(2,\) at params\['x'\]; expected \(3,\)"),
    ],
)
def test_a_gradient_of_another_structure_is_an_error(jac, said):
    with pytest.raises(ValueError, match=said):
        optimize.minimize(lambda p: rosenbrock(p["x"]), {"x": START}, jac=jac)


@pytest.mark.parametrize("solve", [optimize.minimize, optimize.least_squares, optimize.root, optimize.fsolve])
def test_a_list_of_numbers_is_explained_where_a_vector_was_meant(solve):
    with pytest.raises(TypeError) as caught:
        solve(lambda x: ((x - 1) ** 2).sum(), [1.0, 2.0])
    assert (
        "is a list of numbers, and so is what the function gets; for a vector give np.array"
        in caught.value.__notes__[0]
    )


def test_derivatives_of_the_result_in_a_vmap_of_gradients_are_refused():
    with pytest.raises(RuntimeError, match="requires a gradient"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        zen.vmap(zen.grad(lambda v: zen.tensor(optimize.minimize(lambda x: (x - v) ** 2, 1.0).x)))(np.ones(3))
