"""Roots, fixed points and minima: values, and derivatives of every order, against closed forms and numerical ones."""

import sys
import threading
import warnings
from collections import namedtuple

import numpy as np
import pytest

import zen
from zen.testing import check_grads

A = np.array([[3.0, 1.0], [1.0, 2.0]])
B = np.array([1.0, 2.0])


def sqrt(a):
    return zen.implicit_root(lambda x, a: x * x - a, 1.0, a)


def cubic(b, **options):
    """The x with A x + x^3 / 10 = b."""
    return zen.implicit_root(lambda x, b: A @ x + 0.1 * x**3 - b, np.zeros(2), b, **options)


def pushed(f):
    return lambda a: zen.jvp(f, (a,), (1.0,))[1]


@pytest.mark.parametrize("modes", ["rrr", "f", "ff", "fff", "fr", "rf", "rfr", "frf"])
def test_a_square_root_has_its_derivatives_of_every_order_in_every_mode(modes):
    f = sqrt
    for mode in modes:
        f = zen.grad(f) if mode == "r" else pushed(f)
    exact = {0: 2**0.5, 1: 0.5 * 2**-0.5, 2: -0.25 * 2**-1.5, 3: 0.375 * 2**-2.5}
    assert float(f(2.0)) == pytest.approx(exact[len(modes)], rel=1e-12)
    assert float(sqrt(2.0)) == pytest.approx(exact[0], rel=1e-15)


def test_keplers_equation():
    def anomaly(m, e):
        return zen.implicit_root(lambda x, m, e: x - e * np.sin(x) - m, 1.0, m, e)

    x = float(anomaly(1.0, 0.3))
    assert x - 0.3 * np.sin(x) == pytest.approx(1.0, rel=1e-14)
    by_m, by_e = zen.grad(anomaly, (0, 1))(1.0, 0.3)
    assert (by_m, by_e) == pytest.approx((1 / (1 - 0.3 * np.cos(x)), np.sin(x) / (1 - 0.3 * np.cos(x))))
    assert zen.grad(zen.grad(anomaly))(1.0, 0.3) == pytest.approx(-0.3 * np.sin(x) / (1 - 0.3 * np.cos(x)) ** 3)
    check_grads(anomaly, (1.0, 0.3))


@pytest.mark.parametrize("linear", ["dense", "gmres", "cg"])
def test_a_system_of_equations_by_matrices_and_by_products(linear):
    check_grads(lambda b: cubic(b, linear=linear), (B,))
    jacobian = np.linalg.inv(A + np.diag(0.3 * np.asarray(cubic(B)) ** 2))
    for transform in (zen.jacobian, zen.jacrev, zen.jacfwd):
        np.testing.assert_allclose(transform(lambda b: cubic(b, linear=linear))(B), jacobian, rtol=1e-9)


@pytest.mark.parametrize("method", ["newton", "hybr", "lm", "krylov", "broyden1", "df-sane", "user"])
def test_whoever_solves_the_derivative_is_the_same(method):
    def solve(f, x0, b):
        return cubic(b)

    x = cubic(B, method=solve if method == "user" else method)
    np.testing.assert_allclose(x, cubic(B), rtol=1e-9)
    found = zen.jacobian(lambda b: cubic(b, method=solve if method == "user" else method))(B)
    np.testing.assert_allclose(found, zen.jacobian(cubic)(B), rtol=1e-8)


def test_unknowns_and_arguments_in_containers():
    Pair = namedtuple("Pair", "x y")

    def equations(p, q):
        return [p.x**2 + p.y.sum() - q["a"][0], p.y - q["b"] * p.x]

    def root(q):
        return zen.implicit_root(equations, Pair(1.0, np.ones(2)), q)

    q = {"a": (4.0, "text", None), "b": np.array([1.0, 2.0])}
    found = zen.implicit_root(equations, Pair(1.0, np.ones(2)), q)
    assert type(found) is Pair and [type(x) for x in found] == [np.ndarray] * 2
    np.testing.assert_allclose(found.y, [1.0, 2.0])
    check_grads(lambda a, b: root({"a": (a, "text", None), "b": b}), (4.0, q["b"]))


def test_free_variables_stay_connected_also_those_made_of_others():
    a = zen.tensor(2.0, requires_grad=True)
    b = a * 3.0
    x = zen.implicit_root(lambda x: x * x - a * b, 1.0)  # sqrt(3) a
    (g,) = zen.gradients(x, [a], create_graph=True)
    assert g.item() == pytest.approx(3**0.5) and zen.gradients(g, a).item() == pytest.approx(0.0, abs=1e-12)
    w = zen.tensor(2.0, requires_grad=True)
    zen.implicit_root(lambda x, y: x**3 - w * y, 1.5, w * w).backward()  # x = w
    assert w.gradient.item() == pytest.approx(1.0)
    seen = []
    b = zen.tensor(2.0, requires_grad=True)
    b.register_hook(lambda g: seen.append(g.item()))
    zen.implicit_root(lambda x: x * x - b, 1.0).backward()
    assert seen == pytest.approx([0.125**0.5])
    with zen.no_grad():
        assert type(zen.implicit_root(lambda x: x * x - w, 1.0)) is np.ndarray


def test_results_are_tensors_where_something_asks_for_them():
    assert type(sqrt(2.0)) is np.ndarray
    assert isinstance(zen.implicit_root(lambda x: x - 1.0, zen.tensor(0.0)), zen.Tensor)
    assert isinstance(sqrt(zen.tensor(2.0)), zen.Tensor)
    single = zen.implicit_root(lambda x: x * x - 2, np.ones(3, np.float32)[::2])
    assert single.dtype == np.float32 and single.shape == (2,)
    assert zen.implicit_root(lambda x: x - 1, np.zeros((3, 2)).T).shape == (2, 3)
    assert zen.implicit_root(lambda x: x - 1, np.zeros(0)).shape == (0,)


def test_within_the_other_transforms():
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="vmap: ")
        found = zen.vmap(zen.grad(sqrt))(np.array([1.0, 4.0]))
        np.testing.assert_allclose(found, [0.5, 0.25], rtol=1e-9)
        found = zen.vmap(lambda a: zen.implicit_root(lambda x: x * x - a, 1.0))(np.array([1.0, 4.0]))
        np.testing.assert_allclose(found, [1.0, 2.0])
    assert zen.grad(zen.checkpoint(sqrt))(4.0) == pytest.approx(0.25)
    assert zen.linearize(sqrt, 4.0)[1](1.0) == pytest.approx(0.25)
    # A root whose equation holds a root: x^2 = sqrt(a).
    nested = zen.grad(lambda a: zen.implicit_root(lambda x: x * x - sqrt(a), 1.0))
    assert nested(16.0) == pytest.approx(0.25 * 16**-0.75)


def test_on_threads():
    found = {}

    def work(a):
        found[a] = float(zen.grad(sqrt)(a))

    threads = [threading.Thread(target=work, args=(float(a),)) for a in range(1, 9)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert found == pytest.approx({a: 0.5 * a**-0.5 for a in found}) and len(found) == 8


@pytest.mark.parametrize("method", ["anderson", "iteration", "newton"])
def test_a_fixed_point(method):
    def point(a):
        return zen.fixed_point(lambda x, a: np.cos(a * x), 1.0, a, method=method)

    x = 0.7390851332151607
    slope = -x * np.sin(x) / (1 + np.sin(x))
    assert float(point(1.0)) == pytest.approx(x) and zen.grad(point)(1.0) == pytest.approx(slope)
    check_grads(point, (1.0,))


def test_a_fixed_point_of_many():
    rng = np.random.default_rng(0)
    w = rng.normal(size=(5, 5)) / 5

    def layer(w, b):
        return zen.fixed_point(lambda z, w, b: {"z": np.tanh(w @ z["z"] + b)}, {"z": np.zeros(5)}, w, b)["z"]

    check_grads(layer, (w, rng.normal(size=5)), order=2)


DATA = np.random.default_rng(1)
X, Y = DATA.normal(size=(20, 3)), DATA.normal(size=20)


def ridge(w, s, y):
    return ((X @ w - y) ** 2).sum() + s * (w**2).sum()


def fitted(s, y, **options):
    return zen.implicit_argmin(ridge, np.zeros(3), s, y, **options)


def exact(s, y):
    return zen.linalg.solve(X.T @ X + s * np.eye(3), X.T @ y)


@pytest.mark.parametrize("linear", ["dense", "cg"])
def test_a_minimum_has_the_derivatives_of_the_closed_form(linear):
    for mine, theirs in zip(
        zen.jacobian(lambda s, y: fitted(s, y, linear=linear), (0, 1))(0.5, Y), zen.jacobian(exact, (0, 1))(0.5, Y),
        strict=True,
    ):  # fmt: skip
        np.testing.assert_allclose(mine, theirs, rtol=1e-7)
    second = [zen.grad(zen.grad(lambda s, f=f: (f(s, Y) ** 2).sum()))(0.5) for f in (fitted, exact)]
    third = [zen.grad(zen.grad(zen.grad(lambda s, f=f: (f(s, Y) ** 2).sum())))(0.5) for f in (fitted, exact)]
    assert second[0] == pytest.approx(second[1]) and third[0] == pytest.approx(third[1])


@pytest.mark.parametrize("method", ["BFGS", "Newton-CG", "Nelder-Mead", "L-BFGS-B", "trust-exact", "SLSQP"])
def test_a_minimum_by_scipy(method):
    np.testing.assert_allclose(fitted(0.5, Y, method=method), exact(0.5, Y), rtol=1e-6)


def test_a_minimum_from_where_the_hessian_is_not_positive_definite():
    def rosenbrock(p, a):
        return (a - p["x"]) ** 2 + 100 * (p["y"] - p["x"] ** 2) ** 2

    found = zen.implicit_argmin(rosenbrock, {"x": -1.2, "y": 1.0}, 1.0)
    assert (float(found["x"]), float(found["y"])) == pytest.approx((1.0, 1.0))
    slope = zen.grad(lambda a: zen.implicit_argmin(rosenbrock, {"x": -1.2, "y": 1.0}, a)["y"])  # y = a^2
    assert slope(1.0) == pytest.approx(2.0)


def test_what_changed_before_the_derivative_is_noticed():
    a = zen.tensor(1.0, requires_grad=True)
    c = np.array([2.0, 3.0])
    x = zen.implicit_root(lambda x: x * x - a * c, np.ones(2))
    c[0] = 9
    with pytest.raises(RuntimeError, match=r"implicit_root: the function changed .* gives another value now"):
        x.sum().backward()
    c = np.array([2.0, 3.0])
    x = zen.implicit_root(lambda x, c: x * x - a * c, np.ones(2), c)  # an argument is copied
    c[0] = 9
    x.sum().backward()
    assert a.gradient.item() == pytest.approx((2**0.5 + 3**0.5) / 2)
    b, c = zen.tensor(1.0, requires_grad=True), np.array(0.5)
    x = zen.implicit_root(lambda x, b: x - b + c * (b - 1), 1.0, b)  # 1, whatever c is; its slope is 1 - c
    c[...] = 9
    with pytest.raises(RuntimeError, match="gives another value now"):
        x.backward()
    x = zen.implicit_root(lambda x: x * x - a, 1.0)
    with zen.no_grad():
        a += 1.0
    with pytest.raises(RuntimeError, match=r"a Tensor of shape \(\) that it uses was overwritten in place"):
        x.backward()
    holder = [zen.tensor(1.0, requires_grad=True)]
    x = zen.implicit_root(lambda x: x * x - holder[0], 1.0)
    holder[0] = zen.tensor(1.0, requires_grad=True)
    with pytest.raises(RuntimeError, match="used another Tensor that requires a gradient when it ran again"):
        x.backward()


def test_rounding_in_an_equation_of_large_numbers_does_not_hold_up_the_others():
    a = np.array([-1.0000060000200002, -500011561115.81244, -0.9999985000019997])
    x = zen.implicit_root(lambda x: x**3 + x - a, np.zeros(3))
    expected = [np.real(r) for k in a for r in np.roots([1, 0, 1, -k]) if abs(np.imag(r)) < 1e-9 * abs(r)]
    np.testing.assert_allclose(x, expected, rtol=1e-12)


@pytest.mark.parametrize("method", ["newton", "bfgs", "trust-constr"])
def test_a_minimum_without_unknowns_is_empty(method):
    p = zen.tensor(2.0, requires_grad=True)
    x = zen.implicit_argmin(lambda x, p: (p * x * x).sum(), np.zeros(0), p, method=method)
    assert x.shape == (0,)
    x.sum().backward()
    assert float(p.grad) == 0.0


@pytest.mark.parametrize("method", ["hybr", "krylov"])
def test_a_root_without_unknowns_is_empty_by_scipy_too(method):
    assert zen.implicit_root(lambda x: x * x, np.zeros(0), method=method).shape == (0,)


def ones(*_):
    return np.ones(2)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: zen.implicit_root(lambda x: x * x + 1, 1.0), RuntimeError,
         r"the residual is [\d.]+ after \d+ iterations, more than tol = 1e-10 .*; start nearer to it, raise maxiter"),
        (lambda: zen.implicit_root(lambda x: x * 0 + 1, 1.0), RuntimeError, "does not depend on entry 0 of x"),
        (lambda: zen.implicit_root(lambda x: x[:1], np.ones(2)), ValueError,
         "returned 1 numbers .* for 2 unknowns .*as many equations as unknowns"),
        (lambda: zen.implicit_root(lambda x: 1, 1.0), TypeError, "returned int, not a Tensor"),
        (lambda: zen.implicit_root(lambda x: None, 1.0), TypeError, "returned NoneType"),
        (lambda: zen.implicit_root(lambda x: np.floor(x).astype(int), 1.0), TypeError, "int64.*no derivative"),
        (lambda: zen.implicit_root(lambda x: x * 1j, 1.0), TypeError, "returned complex numbers for a real x0"),
        (lambda: zen.implicit_root(lambda x: x, np.ones(2, int)), TypeError, "x0 has dtype int64.*make it float64"),
        (lambda: zen.implicit_root(lambda x: x, 1j), TypeError, "take real and imaginary parts as two arrays"),
        (lambda: zen.implicit_root(lambda x: x, "a"), TypeError, "x0 is str"),
        (lambda: zen.implicit_root(lambda x: x, {}), ValueError, "x0 holds no numbers"),
        (lambda: zen.implicit_root(lambda x: x, np.nan), ValueError, "x0 holds nan"),
        (lambda: zen.implicit_root(lambda x: np.sqrt(x - 5), 1.0), FloatingPointError, "nan or infinity at x0"),
        (lambda: zen.implicit_root(lambda x: x, 1.0, method="bad"), ValueError, "no method 'bad'; there are newton"),
        (lambda: zen.implicit_root(lambda x: x - 2, 1.0, method=lambda f, x: 1.2), RuntimeError, "residual is 0.8"),
        (lambda: zen.implicit_root(lambda x: x, 1.0, method=ones), ValueError, "structure and shapes of x0"),
        (lambda: zen.implicit_root(lambda x: x, 1.0, tol=-1), ValueError, "tol is a positive number"),
        (lambda: zen.implicit_root(lambda x: x, 1.0, tol="a"), TypeError, "root: tol is a positive number, not 'a'"),
        (lambda: zen.fixed_point(lambda x: x, 1.0, tol=[1]), TypeError, r"point: tol is a positive number, not \[1\]"),
        (lambda: zen.implicit_argmin(lambda x: x * x, 1.0, maxiter="a"), TypeError, "maxiter is a positive int, not"),
        (lambda: zen.implicit_root(lambda x: x, 1.0, maxiter=1.5), TypeError, "maxiter is a positive int, not 1.5"),
        (lambda: zen.implicit_root(lambda x: x, 1.0, maxiter=0), ValueError, "maxiter is a positive int, not 0"),
        (lambda: zen.implicit_root(lambda x: x, 1.0, linear="lu"), ValueError, "linear is 'auto', 'dense'"),
        (lambda: zen.implicit_root(3, 1.0), TypeError, "expected a function, not int"),
        (lambda: zen.fixed_point(lambda x: x[:1], np.ones(2)), ValueError, r"shape \(1,\) where x0 has shape \(2,\)"),
        (lambda: zen.fixed_point(lambda x: 3 * x + 1, 1.0, method="iteration"), RuntimeError,
         r"the largest entry of f\(x\) - x is .*does not contract|left where the function is finite"),
        (lambda: zen.implicit_argmin(lambda x: -(x**2).sum(), np.zeros(2)), RuntimeError, "a saddle point or maximum"),
        (lambda: zen.implicit_argmin(lambda x: x**2, np.zeros(2)), TypeError, "minimised is a Tensor of one number"),
        (lambda: zen.implicit_argmin(lambda x: zen.exp(-x), 1.0, maxiter=5), RuntimeError, "more iterations"),
    ],
)  # fmt: skip
def test_bad_input_is_named(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_a_root_that_is_not_isolated_has_no_derivative():
    def root(a):
        return zen.implicit_root(lambda x, a: (x[0] - a) * np.array([1.0, 2.0]), np.zeros(2), a, method=ones)

    assert root(1.0).tolist() == [1.0, 1.0]
    with pytest.raises(np.linalg.LinAlgError, match=r"singular \(it does not depend on entry 1 of x\): its rank is 1"):
        zen.grad(lambda a: root(a).sum())(1.0)


def test_without_scipy_newton_works_and_the_others_say_what_to_install(monkeypatch):
    for name in [n for n in sys.modules if n.split(".")[0] == "scipy"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "scipy", None)
    assert zen.grad(sqrt)(4.0) == pytest.approx(0.25)
    for call in (lambda: cubic(B, method="hybr"), lambda: zen.linalg.cg(A, B),
                 lambda: zen.odeint(lambda t, y: y, 1.0, [0.0, 1.0])):  # fmt: skip
        with pytest.raises(ImportError, match=r"needs SciPy: pip install scipy \(the extra 'scipy'"):
            call()
