"""The rarer elementwise functions: NumPy's values and dtypes, derivatives at special points."""

import math

import numpy as np
import pytest
from against_numpy import numpy_is, same_as_numpy, smooth, smooth_complex

import zen
from zen import f

X = np.array([-2.5, -1.0, -0.25, 0.0, 0.5, 1.0, 3.75])
SPECIAL = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, -1.0, 1e300, 5e-324])
UNARY = "cbrt degrees radians deg2rad rad2deg sinc i0 modf frexp nan_to_num spacing".split()
BINARY = "fmax fmin fmod logaddexp2 heaviside copysign nextafter divmod".split()


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16, np.int64, np.int8, np.uint8, np.bool_])
@pytest.mark.parametrize("name", UNARY)
def test_functions_of_one_argument(name, dtype):
    function = getattr(np, name)
    if name == "sinc" and dtype is np.float16 and not numpy_is("2.3.0"):  # nan at 0
        return
    x = np.abs(X).astype(dtype) if dtype is np.uint8 else X.astype(dtype)
    try:
        function(x)
    except TypeError:
        assert dtype is np.bool_
        return
    with np.errstate(all="ignore"):
        for a in (x, x[0], np.zeros((0, 2), dtype), np.tile(x, (3, 2))[:, ::2]):
            same_as_numpy(function, np.asarray(a))


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int64, np.int8])
@pytest.mark.parametrize("name", BINARY)
def test_functions_of_two_arguments(name, dtype):
    function, x = getattr(np, name), X.astype(dtype)
    with np.errstate(all="ignore"):
        for b in (x[::-1], x[:, None], np.asarray(x[1]), np.zeros((0, 7), dtype)):
            if dtype in (np.int64, np.int8) and name in ("fmod", "divmod"):
                b = np.where(b == 0, 3, b).astype(dtype)
            same_as_numpy(function, x, b)
        same_as_numpy(lambda t: function(t, 2), x)
        if dtype is np.float32:
            same_as_numpy(function, x, X)


@pytest.mark.parametrize("name", [*UNARY, *BINARY])
def test_special_values(name):
    with np.errstate(all="ignore"):
        if name in UNARY:  # NumPy's i0 is nan at infinities
            same_as_numpy(getattr(np, name), SPECIAL[np.isfinite(SPECIAL)] if name == "i0" else SPECIAL)
        else:
            same_as_numpy(getattr(np, name), SPECIAL, SPECIAL[:, None])


def test_powers_of_two():
    same_as_numpy(lambda x: np.ldexp(x, np.array([[1], [-3]])), X)
    same_as_numpy(lambda x: np.ldexp(x, 1200), np.array([1e-300]))
    same_as_numpy(lambda x: np.ldexp(x, 2), np.array([1, 2, 3]))
    smooth(lambda x: f.ldexp(x, [[1], [-3]]), X, order=3)
    smooth(lambda x: f.frexp(x)[0], np.array([0.6, 3.0, -10.0]))
    with pytest.raises(TypeError, match="ldexp: the exponent must be ints, not dtype float64"):
        f.ldexp(zen.ones(2), 1.5)
    with pytest.raises(ValueError, match=r"ldexp: shapes \(2,\) and \(3,\) do not broadcast"):
        f.ldexp(zen.ones(2), [1, 2, 3])


def test_numbers_in_the_place_of_others():
    x = np.array([1.0, np.nan, np.inf, -np.inf, -2.0])
    for options in ({}, {"nan": 7.0}, {"posinf": 1.0, "neginf": -1.0}, {"nan": np.array([1.0, 2, 3, 4, 5])}):
        for dtype in (np.float64, np.float32, np.float16):
            same_as_numpy(lambda t, options=options: np.nan_to_num(t, **options), x.astype(dtype))
    same_as_numpy(np.nan_to_num, np.array([1, 2]))
    for dtype in (np.complex128, np.complex64):
        z = np.empty((5, 5), dtype)
        z.real, z.imag = x[:, None], x
        same_as_numpy(np.nan_to_num, z)
        same_as_numpy(lambda t: np.nan_to_num(t, nan=2.0, posinf=3.0), z)
    t = zen.tensor(x, requires_grad=True)
    number = zen.tensor(3.0, requires_grad=True)
    (np.nan_to_num(t, nan=number) * np.arange(5.0)).sum().backward()
    np.testing.assert_array_equal(t.gradient, [0.0, 0.0, 0.0, 0.0, 4.0])
    assert number.gradient == 1.0
    with pytest.raises(ValueError, match="copy=False would write into x"):
        np.nan_to_num(t, copy=False)


def test_nan_counts_for_nothing_in_fmax_and_fmin():
    for function in (np.fmax, np.fmin):
        a, b = (zen.tensor(v, requires_grad=True) for v in ([np.nan, 1.0, np.nan, 2.0], [1.0, np.nan, np.nan, 2.0]))
        function(a, b).sum().backward()
        np.testing.assert_array_equal(a.gradient, [0.0, 1.0, 1.0, 0.5])
        np.testing.assert_array_equal(b.gradient, [1.0, 0.0, 1.0, 0.5])


def test_complex_extremes_without_nan():
    """By the real part, then the imaginary one; the gradient goes to the winner, of equals to each in equal parts."""
    nan = complex("nan")
    a, b = np.array([1 + 2j, 1 - 2j, nan, 3, nan, 2j]), np.array([1 + 1j, 2, 5j, nan, nan, 2j])
    nan_part = np.array([complex(1, np.nan), complex(np.nan, 7), 4j])
    for dtype in (np.complex64, np.complex128):
        x, y = a.astype(dtype), b.astype(dtype)
        for function in (np.fmax, np.fmin):
            same_as_numpy(function, x, y)
            same_as_numpy(function, x, 1.5)
            same_as_numpy(function, nan_part.astype(dtype), y[:3])
            same_as_numpy(function.reduce, x)
            same_as_numpy(function.accumulate, x[:4])
        for function in (np.nanmax, np.nanmin):
            same_as_numpy(function, x)
            same_as_numpy(lambda t, g=function: g(t, axis=0, keepdims=True), x.reshape(2, 3))
            same_as_numpy(lambda t, g=function: g(t, where=[True, True, False] * 2, initial=3), x)
        same_as_numpy(lambda t: np.clip(t, 0.5, 2 + 1j), x)
        same_as_numpy(lambda t: np.clip(t, None, 2j), x[:2])
        same_as_numpy(lambda t: np.clip(t, 1 + 1j, None), x[:2])
    w = np.array([1 + 1j, 2, 3j, 4, 5, 6])
    for function, first in ((np.fmax, [1, 0, 0, 1, 1, 0.5]), (np.fmin, [0, 1, 0, 1, 1, 0.5])):
        s, t = zen.tensor(a, requires_grad=True), zen.tensor(b, requires_grad=True)
        (f.sum(function(s, t) * w)).real.backward()
        np.testing.assert_array_equal(s.gradient, np.conj(w) * first)
        np.testing.assert_array_equal(t.gradient, np.conj(w) * [1 - first[0], 1 - first[1], 1, 0, 1, 0.5])
    z = zen.tensor(np.array([1 + 1j, nan, 2 - 1j, 2 - 1j, 2 - 3j]), requires_grad=True)
    (np.nanmax(z) * (1 - 1j)).real.backward()
    np.testing.assert_array_equal(z.gradient, [0, 0, 0.5 + 0.5j, 0.5 + 0.5j, 0])
    z = zen.tensor(np.array([1 + 1j, 1 + 3j, 2.0, 0.5j]), requires_grad=True)
    low = zen.tensor(1 + 1j, requires_grad=True)
    (f.sum(np.clip(z, low, 1.5) * (1 - 1j))).real.backward()
    np.testing.assert_array_equal(z.gradient, [1 + 1j, 1 + 1j, 0, 0])
    assert low.gradient == 1 + 1j
    smooth_complex(lambda a, b: [f.fmax(a, b), f.fmin(a, b), f.clip(a, 0.1, b)], a[:2], b[:2] * 1j)


def test_builtin_divmod():
    x, y = np.array([7.5, -7.5, 0.3]), np.array([2.0, -3.0, 0.7])
    for a, b in ((x, y), (x, 2), (7, y), (np.array([7, -7]), 3), (np.array([7, -7]), np.array([-2, 2]))):
        same_as_numpy(divmod, a, b)
    t = zen.tensor(x, requires_grad=True)
    whole, rest = divmod(t, zen.tensor(y))
    (3 * whole + 5 * rest).sum().backward()
    np.testing.assert_array_equal(t.gradient, [5.0, 5.0, 5.0])
    t = zen.tensor(y, requires_grad=True)
    sum(divmod(x, t)).sum().backward()
    np.testing.assert_array_equal(t.gradient, -np.floor(x / y))
    for operands in ((zen.tensor(x), "2"), ("2", zen.tensor(x)), (zen.tensor(x), object())):
        with pytest.raises(TypeError):
            divmod(*operands)
    with pytest.raises(ValueError, match="do not broadcast"):
        divmod(zen.tensor(x), np.ones(2))


def test_derivatives_of_sinc_near_zero_and_far():
    """By its series: sinc(x) = sum of (-1)^k (pi x)^2k / (2k + 1)!."""

    def exact(x, n):
        total = 0.0
        for k in range(60):
            if 2 * k >= n:
                term = math.pi ** (2 * k) / math.factorial(2 * k + 1) * math.perm(2 * k, n)
                total += (-1) ** k * term * x ** (2 * k - n)
        return total

    for x in (0.0, 1e-9, 1e-3, 0.3, 1.0, 1.25, 2.0):
        g, value = f.sinc, zen.tensor(x)
        for n in range(1, 5):
            g = zen.grad(g)
            assert math.isclose(g(value).item(), exact(x, n), rel_tol=1e-10, abs_tol=1e-10), (x, n)
    smooth(f.sinc, np.array([0.0, 0.5, -1.0, 7.25, 30.0]), order=3)
    z = np.array([0.0, 0.5 + 1j, -1.0, 0.25 - 0.5j, 3j])
    same_as_numpy(np.sinc, z[1:])
    smooth_complex(f.sinc, z, rtol=1e-5)


def test_derivatives_of_i0():
    many = zen.tensor(np.linspace(-3.0, 3.0, 3000), requires_grad=True)
    f.i0(many).sum().backward()
    few = zen.tensor(many.value[::1000], requires_grad=True)
    f.i0(few).sum().backward()
    np.testing.assert_array_equal(many.gradient[::1000], few.gradient)
    smooth(f.i0, np.array([0.0, 0.5, -1.0, 4.0]), order=3)
    x = zen.tensor([0.0, np.inf, -np.inf, np.nan, 700.0], requires_grad=True)
    (g,) = zen.gradients([f.sum(f.i0(x))], [x])
    assert g.array[0] == 0 and g.array[1] == np.inf and g.array[2] == -np.inf and np.isnan(g.array[3])
    assert math.isclose(g.array[4], 1.5284958e302, rel_tol=1e-5)  # I1(x) = I0(x) (1 - 1 / 2x - 1 / 8x^2 ...)


def test_remainders_at_quotients_that_round():
    a, b = (zen.tensor(v, requires_grad=True) for v in ([1.0, -1.0, 5.0, 0.9], [0.1, 0.1, 3.0, 0.3]))
    np.fmod(a, b).sum().backward()
    np.testing.assert_array_equal(a.gradient, np.ones(4))
    np.testing.assert_array_equal(b.gradient, [-9.0, 9.0, -1.0, -3.0])
