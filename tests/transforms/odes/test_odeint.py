"""`odeint`: solutions and derivatives against closed forms, the matrix exponential, and numerical differentiation."""

import threading
import warnings

import numpy as np
import pytest

import zen
from zen.testing import check_grads

A = np.array([[0.1, 1.0], [-1.0, -0.2]])
Y0, T = np.array([1.0, 0.5]), np.array([0.0, 0.5, 1.2])
W = np.random.default_rng(0).normal(size=(3, 2))
DIRECTION = (0.3 * A, Y0, 0.7 * T)
CLOSE = {"rtol": 1e-6, "atol": 1e-6}


def linear(a, y0, t, **options):
    return zen.odeint(lambda t, y, a: a @ y, y0, t, a, **options)


def exponential(a, y0, t):
    return zen.stack([zen.linalg.expm(a * (t[i] - t[0])) @ y0 for i in range(3)])


def loss(solution, **options):
    return lambda a, y0, t: (W * solution(a, y0, t, **options) ** 2).sum()


def allclose(found, exact):
    for a, b in zip(found, exact, strict=True):
        np.testing.assert_allclose(a, b, **CLOSE)


@pytest.mark.parametrize("sensitivity", ["adjoint", "forward"])
@pytest.mark.parametrize("method", ["RK45", "RK23", "DOP853", "Radau", "BDF", "LSODA"])
def test_first_derivatives_of_a_linear_equation(method, sensitivity):
    options = {"method": method, "sensitivity": sensitivity, "rtol": 1e-7 if method in ("RK23", "BDF") else 1e-8}
    np.testing.assert_allclose(linear(A, Y0, T, **options), exponential(A, Y0, T), **CLOSE)
    allclose(zen.grad(loss(linear, **options), (0, 1, 2))(A, Y0, T), zen.grad(loss(exponential), (0, 1, 2))(A, Y0, T))
    pushed = [zen.jvp(lambda *x, f=f, o=o: f(*x, **o), (A, Y0, T), DIRECTION)[1]
              for f, o in ((linear, options), (exponential, {}))]  # fmt: skip
    np.testing.assert_allclose(*pushed, **CLOSE)


@pytest.mark.parametrize("sensitivity", ["adjoint", "forward"])
@pytest.mark.parametrize("method", ["RK45", "Radau"])
def test_second_derivatives_in_mixed_and_reverse_mode(method, sensitivity):
    mine, theirs = loss(linear, method=method, sensitivity=sensitivity), loss(exponential)

    def slope(f):
        return lambda *x: sum((p * q).sum() for p, q in zip(zen.grad(f, (0, 1, 2))(*x), DIRECTION, strict=True))

    found, exact = [zen.jvp(zen.grad(f, (0, 1, 2)), (A, Y0, T), DIRECTION)[1] for f in (mine, theirs)]
    allclose(found, exact)
    if method == "RK45":
        allclose(zen.grad(slope(mine), (0, 1, 2))(A, Y0, T), exact)


def pushed(f):
    return lambda a: zen.jvp(f, (a,), (1.0,))[1]


@pytest.mark.parametrize("modes", ["rrr", "ff", "rf", "rfr", "fr"])
def test_derivatives_of_every_order_of_a_decay(modes):
    f = decay = lambda k: zen.odeint(lambda t, y, k: -k * y, 1.0, [0.0, 1.0], k)[-1]
    for mode in modes:
        f = zen.grad(f) if mode == "r" else pushed(f)
    assert float(f(2.0)) == pytest.approx((-1) ** len(modes) * np.exp(-2.0), rel=1e-6)
    assert float(decay(2.0)) == pytest.approx(np.exp(-2.0), rel=1e-7)


def volterra(t, y, p):
    hare, lynx = y["hare"], y["lynx"]
    return {"hare": (p[0] - p[1] * lynx) * hare, "lynx": (p[2] * hare - p[3]) * lynx}


def populations(p, hare, **options):
    return zen.odeint(volterra, {"hare": hare, "lynx": np.array([6.0, 5.0])}, [0.0, 2.0, 4.0], p, **options)


RATES, HARES = np.array([0.55, 0.028, 0.024, 0.8]), np.array([30.0, 31.0])


@pytest.mark.parametrize("sensitivity", ["adjoint", "forward"])
def test_lotka_and_volterra_against_numerical_differentiation(sensitivity):
    def value(p, hare):
        y = populations(p, hare, sensitivity=sensitivity, rtol=1e-7, atol=1e-7, method="DOP853")
        return zen.log(y["hare"]).sum() + 0.1 * y["lynx"][-1].sum()

    check_grads(value, (RATES, HARES), order=1, rtol=1e-5, atol=1e-5)

    def slope(p):
        return (zen.grad(value)(p, HARES) * RATES).sum()

    mixed = zen.jvp(lambda p: zen.grad(value)(p, HARES), (RATES,), (RATES,))[1]
    np.testing.assert_allclose(zen.grad(slope)(RATES), mixed, rtol=1e-5)
    numerical = [zen.grad(value)(RATES * (1 + s * 1e-4), HARES) for s in (1, -1)]
    np.testing.assert_allclose(mixed, (numerical[0] - numerical[1]) / 2e-4, rtol=1e-4)


def test_free_variables_also_those_made_of_others_and_those_of_later_times():
    w = zen.tensor([1.0, 2.0], requires_grad=True)
    c = w * 2
    y = zen.odeint(lambda t, y: w - c * y, np.ones(2), [0.0, 1.0])  # 0.5 + 0.5 exp(-2 w)
    g = zen.gradients((y[-1] ** 2).sum(), w, create_graph=True)

    def exact(w):
        return ((0.5 + 0.5 * zen.exp(-2 * w)) ** 2).sum()

    np.testing.assert_allclose(g.array, zen.grad(exact)(np.array([1.0, 2.0])), **CLOSE)
    np.testing.assert_allclose(
        zen.gradients(g.sum(), w).array, zen.hessian(exact)(np.array([1.0, 2.0])).sum(0), **CLOSE
    )
    early, late = [zen.tensor(k, requires_grad=True) for k in (1.0, 2.0)]
    zen.odeint(lambda t, y: (early if t < 0.5 else late) * y, 1.0, [0.0, 1.0])[-1].backward()
    assert (early.gradient.item(), late.gradient.item()) == pytest.approx([0.5 * np.exp(1.5)] * 2, rel=1e-5)


def test_a_stiff_equation_backwards():
    """Backwards the solution of y' = -k (y - cos t) would leave it like exp(k t)."""

    def end(k, **options):
        return zen.odeint(
            lambda t, y, k: -k * (y - np.cos(t)), 0.0, [0.0, 1.0], k, method="Radau", rtol=1e-6, **options
        )[-1]

    def exact(k):
        return (k**2 * np.cos(1.0) + k * np.sin(1.0) - k**2 * zen.exp(-k)) / (1 + k**2)

    assert zen.grad(zen.grad(end))(1.0) == pytest.approx(zen.grad(zen.grad(exact))(1.0), rel=1e-4)
    assert zen.grad(end)(100.0) == pytest.approx(zen.grad(exact)(100.0), rel=1e-4)
    second = zen.grad(zen.grad(lambda k: end(k, sensitivity="forward")))(100.0)
    assert second == pytest.approx(zen.grad(zen.grad(exact))(100.0), rel=1e-3)
    with pytest.raises(RuntimeError, match="solved backwards.*pass sensitivity='forward'|odeint: Radau failed"):
        zen.grad(zen.grad(end))(50.0)


@pytest.mark.parametrize("sensitivity", ["adjoint", "forward"])
def test_a_complex_argument_of_a_real_equation_keeps_its_imaginary_part(sensitivity):
    def end(c):
        right = lambda t, y, c: -zen.real(c**3) * y * t  # noqa: E731
        return zen.odeint(right, 1.3, [0.0, 1.0], c, sensitivity=sensitivity)[-1]

    c = 0.6 + 0.5j
    # y = 1.3 exp(-Re(c^3) / 2), whose gradient is -y/2 times the conjugate of 3 c^2.
    value = 1.3 * np.exp(-((c**3).real) / 2)
    assert complex(zen.grad(end)(np.array(c))) == pytest.approx(-value / 2 * np.conj(3 * c**2), rel=1e-6)

    def of_slope(a):
        slope = zen.grad(end)(a + 0.5j * a)
        return zen.real(slope) + 3 * zen.imag(slope)

    numerical = (of_slope(0.6 + 1e-5) - of_slope(0.6 - 1e-5)) / 2e-5
    assert float(zen.grad(of_slope)(0.6)) == pytest.approx(float(numerical), rel=1e-5)


@pytest.mark.parametrize("method", ["LSODA", "Radau"])
def test_solvers_of_real_equations_are_named(method):
    with pytest.raises(TypeError, match=f"{method} solves real equations only; take another method"):
        zen.odeint(lambda t, y: y * 1j, 1j, [0.0, 1.0], method=method)


def test_a_complex_equation_by_an_implicit_method():
    def end(k):
        return zen.real(zen.odeint(lambda t, y, k: 1j * k * y, 1 + 1j, [0.0, 1.0], k, method="BDF")[-1])

    assert float(zen.grad(end)(0.7)) == pytest.approx((1j * np.exp(0.7j) * (1 + 1j)).real, rel=1e-4)
    assert float(zen.jvp(end, (0.7,), (1.0,))[1]) == pytest.approx((1j * np.exp(0.7j) * (1 + 1j)).real, rel=1e-4)


def test_forward_sensitivities_of_a_complex_state_are_refused_not_wrong():
    # The state moves with a real parameter, and with the real part of another one: no complex Jacobian says that.
    def end(k):
        y = zen.odeint(lambda t, y, k: 1j * k * y, 1 + 1j, [0.0, 1.0], k, sensitivity="forward")[-1]
        return zen.real(y)

    with pytest.raises(TypeError, match="sensitivity='forward' is for real y0, not complex; take sensitivity='adj"):
        zen.grad(end)(0.7)
    exact = (1j * np.exp(0.7j) * (1 + 1j)).real
    assert float(zen.jvp(end, (0.7,), (1.0,))[1]) == pytest.approx(exact, rel=1e-6)


def test_complex_equations():
    def real(k):
        return zen.real(zen.odeint(lambda t, y, k: 1j * k * y, 1.0 + 0j, [0.0, 1.0], k)[-1])

    assert real(2.0) == pytest.approx(np.cos(2.0)) and zen.grad(real)(2.0) == pytest.approx(-np.sin(2.0), rel=1e-6)
    assert zen.grad(zen.grad(real))(2.0) == pytest.approx(-np.cos(2.0), rel=1e-6)
    assert zen.jvp(real, (2.0,), (1.0,))[1] == pytest.approx(-np.sin(2.0), rel=1e-6)

    def distance(z):  # of an equation that is not holomorphic
        return zen.abs(zen.odeint(lambda t, y: 0.1j * y * zen.conj(y) * y - y, z, [0.0, 1.0])[-1] - 1) ** 2

    z, h = 1.0 + 0.5j, 1e-5
    numerical = [float(distance(z + s * h) - distance(z - s * h)) / (2 * h) for s in (1, 1j)]
    assert complex(zen.grad(distance)(z)) == pytest.approx(complex(*numerical), rel=1e-5)


def test_shapes_dtypes_times_and_containers():
    y = zen.odeint(lambda t, y: {"a": -y["a"], "b": [y["a"].sum() * np.ones((2, 1))]},
                   {"a": np.ones(3, np.float32), "b": [np.zeros((2, 1))]}, [0, 1, 2])  # fmt: skip
    assert y["a"].shape == (3, 3) and y["a"].dtype == np.float32 and type(y["a"]) is np.ndarray
    assert y["b"][0].shape == (3, 2, 1) and y["b"][0].dtype == np.float64
    np.testing.assert_allclose(y["a"][-1], np.exp(-2.0) * np.ones(3), rtol=1e-6)
    falling = zen.odeint(lambda t, y: -y, 1, np.array([1.0, 0.0, -1.0]))
    np.testing.assert_allclose(falling, np.exp([0.0, 1.0, 2.0]), rtol=1e-6)
    assert zen.odeint(lambda t, y: -y, 2.0, [3.0]).tolist() == [2.0]
    assert isinstance(zen.odeint(lambda t, y: -y, zen.tensor(1.0), [0.0, 1.0]), zen.Tensor)
    back = zen.grad(lambda y0: zen.odeint(lambda t, y: -y * y, y0, [1.0, 0.5, 0.0])[-1])
    assert back(0.5) == pytest.approx(1 / (1 - 0.5) ** 2, rel=1e-6)  # y(0) = y0 / (1 - y0)


def test_within_the_other_transforms():
    def f(k):
        return zen.odeint(lambda t, y, k: -k * y, 1.0, [0.0, 1.0], k)[-1]

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="vmap: ")
        np.testing.assert_allclose(zen.vmap(f)(np.array([1.0, 2.0])), np.exp([-1.0, -2.0]), rtol=1e-6)
        np.testing.assert_allclose(zen.vmap(zen.grad(f))(np.array([1.0, 2.0])), -np.exp([-1.0, -2.0]), rtol=1e-6)
        for transform in (zen.grad, zen.jacrev, zen.jacfwd):
            assert transform(zen.checkpoint(f))(1.0) == pytest.approx(-np.exp(-1.0), rel=1e-6)
    jacobians = [t(lambda a: linear(a, Y0, T))(A) for t in (zen.jacrev, zen.jacfwd)]
    np.testing.assert_allclose(*jacobians, **CLOSE)


def test_on_threads():
    found = {}

    def work(k):
        found[k] = float(zen.grad(lambda k: zen.odeint(lambda t, y, k: -k * y, 1.0, [0.0, 1.0], k)[-1])(k))

    threads = [threading.Thread(target=work, args=(float(k),)) for k in range(1, 5)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert found == pytest.approx({k: -np.exp(-k) for k in (1.0, 2.0, 3.0, 4.0)}, rel=1e-5)


def test_what_changed_before_the_derivative_is_noticed():
    a, c = zen.tensor(1.0, requires_grad=True), np.array(2.0)
    y = zen.odeint(lambda t, y: -a * c * y, 1.0, [0, 1])
    c[...] = 3
    with pytest.raises(RuntimeError, match="odeint: the function changed before its derivative was computed"):
        y[-1].backward()
    c = np.array(2.0)
    y = zen.odeint(lambda t, y, c: -a * c * y, 1.0, [0, 1], c)  # an argument is copied
    c[...] = 3
    y[-1].backward()
    assert a.gradient.item() == pytest.approx(-2 * np.exp(-2.0), rel=1e-6)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: zen.odeint(lambda t, y: y**2, 1.0, [0.0, 2.0]), RuntimeError,
         r"RK45 failed at t = 1, .*step size.*method='Radau'"),
        (lambda: zen.odeint(lambda t, y: y[:1], np.ones(2), [0, 1]), ValueError, r"shape \(1,\) where y0 has shape"),
        (lambda: zen.odeint(lambda t, y: {"a": y}, 1.0, [0, 1]), ValueError, "another structure than y0 has"),
        (lambda: zen.odeint(lambda t, y: 1, 1.0, [0, 1]), TypeError, "returned int, not a Tensor"),
        (lambda: zen.odeint(lambda t, y: None, 1.0, [0, 1]), TypeError, "returned NoneType"),
        (lambda: zen.odeint(lambda t, y: y * 1j, 1.0, [0, 1]), TypeError, "returned complex numbers for a real y0"),
        (lambda: zen.odeint(lambda t, y: y, np.ones(2, int), [0, 1]), TypeError, "y0 has dtype int64"),
        (lambda: zen.odeint(lambda t, y: y, [1.0, 1j], [0, 1]), TypeError, "holds real and complex numbers"),
        (lambda: zen.odeint(lambda t, y: y, 1.0, [0, 1, 1]), ValueError, "all rise or all fall"),
        (lambda: zen.odeint(lambda t, y: y, 1.0, [0, 2, 1]), ValueError, "all rise or all fall"),
        (lambda: zen.odeint(lambda t, y: y, 1.0, [0, np.nan]), ValueError, "must be finite"),
        (lambda: zen.odeint(lambda t, y: y, 1.0, 3.0), ValueError, r"t is a vector .* not of shape \(\)"),
        (lambda: zen.odeint(lambda t, y: y, 1.0, []), ValueError, "t is a vector of at least one time"),
        (lambda: zen.odeint(lambda t, y: y * np.nan, 1.0, [0, 1]), FloatingPointError, "nan or infinity at"),
        (lambda: zen.odeint(lambda t, y: y, 1.0, [0, 1], method="Euler"), ValueError, "no method 'Euler'; there are"),
        (lambda: zen.odeint(lambda t, y: y, 1.0, [0, 1], sensitivity="x"), ValueError, "'adjoint' or 'forward'"),
        (lambda: zen.odeint(lambda t, y: y, 1.0, [0, 1], rtol=0), ValueError, "rtol is a positive number"),
        (lambda: zen.odeint(lambda t, y: y, 1.0, [0, 1], atol="a"), TypeError, "atol is a positive number, not 'a'"),
        (lambda: zen.odeint(lambda t, y: y, 1.0, [0, 1], max_step=[1, 2]), TypeError, "max_step is a positive number"),
        (lambda: zen.odeint(lambda t, y: y, 1.0, [0, 1], first_step=float("nan")), ValueError,  # SciPy would not end
         "first_step is a positive number, not nan"),
        (lambda: zen.odeint(lambda t, y: y, 1j, [0, 1], method="LSODA"), TypeError, "LSODA solves real equations"),
        (lambda: zen.odeint(3, 1.0, [0, 1]), TypeError, "expected a function, not int"),
    ],
)  # fmt: skip
def test_bad_input_is_named(call, error, message):
    with pytest.raises(error, match=message):
        call()
