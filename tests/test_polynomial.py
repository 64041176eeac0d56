"""zen.polynomial against numpy.polynomial.polynomial: values, dtypes, errors; derivatives."""

import numpy as np
import numpy.polynomial.polynomial as npp
import pytest
from against_numpy import same, smooth, smooth_complex, tensors

import zen
import zen.polynomial as zp

RNG = np.random.default_rng(31)
P, Q = np.array([3.0, 0.5, -2.0, 1.5]), np.array([-1.0, 2.0])
X = np.array([[0.5, -1.0], [2.0, 0.0]])
C2, C3 = RNG.normal(size=(3, 2)), RNG.normal(size=(3, 2, 2))


def check(name, *args, rtol=1e-12, **options):
    expected = getattr(npp, name)(*args, **options)
    same(getattr(zp, name)(*tensors(list(args)), **options), expected, rtol)
    with zen.no_grad():
        same(getattr(zp, name)(*args, **options), expected, rtol)


def test_every_function_of_numpy_is_there():
    functions = {
        n for n in npp.__all__ if n.startswith("poly") and n not in ("polydomain", "polyzero", "polyone", "polyx")
    }
    assert set(zp.__all__) == functions | {"polyvalnd"}  # of NumPy 2.5


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int64])
def test_arithmetic(dtype):
    p, q = (P * 2).astype(dtype), Q.astype(dtype)
    for a, b in ((p, q), (q, p), (p, p), (np.append(p, [0, 0]).astype(dtype), q), (p * 0, q), (p, -p)):
        for name in ("polyadd", "polysub", "polymul"):
            check(name, a, b)
        if b.any():
            check("polydiv", a, b)
    check("polydiv", p, q[:1])
    for name in ("polymulx", "polytrim", "polycompanion", "polyroots"):
        check(name, p)
        check(name, q)
    for power in range(4):
        check("polypow", p, power)
    for m in range(6):
        for scale in (1, 2.0):
            check("polyder", p, m, scale)
            check("polyint", p, m, [1.5] * min(m, 2), 0.5, scale)


def test_several_polynomials_at_once():
    for axis in (0, 1, -1):
        check("polyder", C3, 1, axis=axis)
        check("polyint", C3, 2, [1.0, 2.0], 0.5, axis=axis)
        smooth(lambda c, s, a=axis: zp.polyder(c, 1, s, a), C3, np.array(1.5))
        smooth(lambda c, k, b, s, a=axis: zp.polyint(c, 2, k, b, s, a), C3, Q, np.array(0.5), np.array(1.5))


def test_values_at_points():
    for x in (X, X[0], np.array(0.5)):
        check("polyval", x, P)
        check("polyval", x, C3)
        check("polyval", x.astype(np.float32), P.astype(np.float32))
        check("polyvalfromroots", x, P)
        check("polyvalfromroots", x, C2)
        smooth(zp.polyval, x, C2)
        smooth(zp.polyvalfromroots, x, P)
    check("polyval", X[0], C2, False)
    check("polyvalfromroots", X[0], C2, False)
    y, z = X + 1, X - 2
    check("polyval2d", X, y, C2)
    check("polygrid2d", X, y, C2)
    check("polyval3d", X, y, z, C3)
    check("polygrid3d", X[0], y[0], z[0], C3)
    np.testing.assert_allclose(zp.polyvalnd([X, y, z], C3).array, np.polynomial.polynomial.polyval3d(X, y, z, C3))
    smooth(lambda x, y: zp.polyvalnd([x, y], C2), X, y)
    for degree in (0, 1, 3):
        check("polyvander", X, degree)
    check("polyvander2d", X, y, [1, 2])
    check("polyvander3d", X, y, z, [1, 0, 2])
    smooth(zp.polyval2d, X, y, C2)
    smooth(zp.polygrid3d, X[0], y[0], z[0], C3)
    smooth(lambda x, y: zp.polyvander2d(x, y, [2, 1]), X, y)
    smooth_complex(zp.polyval, X + 1j, P - 2j)
    if hasattr(npp.polyval2d, "_implementation"):  # from NumPy 2.4 on these ask Tensors
        same(npp.polyval2d(*tensors([X, y]), C2), npp.polyval2d(X, y, C2))


def test_derivatives_of_arithmetic():
    for function in (zp.polyadd, zp.polysub, zp.polymul, zp.polydiv):
        smooth(function, P, Q)
        smooth(function, Q, P)
    for function in (zp.polymulx, zp.polycompanion, zp.polyfromroots, lambda c: zp.polypow(c, 3)):
        smooth(function, P)
    smooth(zp.polyline, np.array(1.0), np.array(2.0))
    check("polyline", np.array(1.0), np.array(2.0))
    check("polyline", np.array(1.0), np.array(0.0))


def test_roots():
    real = npp.polyfromroots([1.0, -2.0, 0.5])
    check("polyroots", real)
    check("polyroots", P)
    check("polyfromroots", np.array([2.0, -1.0, 0.5, 3.0]))
    check("polyfromroots", np.array([1 + 1j, 2.0]))
    check("polyfromroots", np.array([1, 2]))
    smooth(zp.polyroots, real, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("degree", [0, 2, [0, 2], [3, 1]], ids=str)
def test_fits(degree):
    x, y, w = np.linspace(-1.0, 2.0, 8), RNG.normal(size=8), RNG.uniform(0.5, 1.5, 8)
    for values in (y, np.stack([y, x**2], 1)):
        check("polyfit", x, values, degree, rtol=1e-9)
        check("polyfit", x, values, degree, w=w, rtol=1e-9)
        smooth(lambda a, b, c: zp.polyfit(a, b, degree, w=c), x, values, w, rtol=1e-5, atol=1e-5)
    found, rest = zp.polyfit(*tensors([x, y]), degree, full=True)
    expected, theirs = npp.polyfit(x, y, degree, full=True)
    np.testing.assert_allclose(found.array, expected, rtol=1e-9)
    np.testing.assert_allclose(rest[0].array, theirs[0], rtol=1e-9)
    assert rest[1] == theirs[1] and rest[3] == theirs[3]


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (
            lambda: zp.polyadd(X, P),
            ValueError,
            r"polyadd: coefficients are one-dimensional and not empty, unlike",
        ),
        (lambda: zp.polymul([], P), ValueError, r"polymul: .*unlike shape \(0,\)"),
        (lambda: zp.polydiv(P, [0.0]), ZeroDivisionError, "polydiv: the divisor is 0"),
        (lambda: zp.polypow(P, -1), ValueError, "polypow: pow must not be negative"),
        (lambda: zp.polyder(P, -1), ValueError, "polyder: m must not be negative"),
        (lambda: zp.polyint(P, 1, [1, 2]), ValueError, "polyint: 2 constants for 1 integrations"),
        (lambda: zp.polyint(P, 1, [], [1, 2]), ValueError, r"polyint: lbnd must be a number, not of shape \(2,\)"),
        (lambda: zp.polyval2d(X, X[0], C2), ValueError, r"polyval2d: points of shapes \(2, 2\), \(2,\)"),
        (lambda: zp.polyvander2d(X, X, [1]), ValueError, "polyvander2d: deg has 1 degrees for 2 variables"),
        (lambda: zp.polycompanion([1.0]), ValueError, "polycompanion: a constant has no companion matrix"),
        (lambda: zp.polyfit(P, P, 1.5), TypeError, "polyfit: deg must be an int or a sequence of them, not 1.5"),
        (lambda: zp.polytrim(P, -1), ValueError, "polytrim: tol must not be negative"),
        (lambda: zp.polyvalfromroots(X, P, False), ValueError, "polyvalfromroots: x of 2 dimensions needs more"),
        (lambda: zp.chebval, AttributeError, "has no attribute 'chebval'"),
    ],
)
def test_errors(call, error, words):
    with pytest.raises(error, match=words):
        call()
