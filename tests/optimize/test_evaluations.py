"""How often `minimize` calls the function, and what it remembers of a call."""

import numpy as np
import pytest
import scipy.optimize

from zen import optimize

START = np.array([0.9, 0.8, 0.7])


def rosenbrock(x):
    return (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()


@pytest.mark.parametrize("method", ["BFGS", "L-BFGS-B", "CG", "TNC", "SLSQP", "trust-constr", "Newton-CG"])
def test_value_and_gradient_at_one_point_come_from_one_call(method):
    calls = []

    def counted(x):
        calls.append(np.asarray(x.detach()).tobytes())
        return rosenbrock(x)

    bounds = [(-5, 5)] * 3 if method in ("L-BFGS-B", "TNC", "SLSQP") else None
    hess = None if method not in ("Newton-CG", "trust-constr") else lambda x: scipy.optimize.rosen_hess(np.asarray(x))
    result = optimize.minimize(counted, START, method=method, bounds=bounds, hess=hess)
    assert result.success and len(calls) <= result.nfev + 1
    assert all(a != b for a, b in zip(calls, calls[1:], strict=False))


def test_a_function_that_raises_leaves_nothing_that_is_taken_for_known():
    """A method of the user's that goes on after an error gets the value of the point that it asks for."""
    seen = []

    def function(x):
        if float(x.detach().sum()) > 10:
            raise ArithmeticError("too far")
        return (x * x).sum()

    def method(fun, x0, args, jac, **_):
        far = np.full_like(x0, 9.0)
        for ask in (fun, jac):
            with pytest.raises(ArithmeticError):
                ask(far)
        seen.append((fun(x0), jac(x0), fun(2 * x0), jac(2 * x0)))
        return scipy.optimize.OptimizeResult(x=x0, fun=fun(x0), jac=jac(x0))

    optimize.minimize(function, START, method=method)
    value, gradient, further, steeper = seen[0]
    assert value == START @ START and further == 4 * value
    np.testing.assert_array_equal(gradient, 2 * START)
    np.testing.assert_array_equal(steeper, 4 * START)
