"""Polynomials, highest power first, and fits of them: NumPy's values and dtypes; derivatives, of roots as well."""

import numpy as np
import pytest
from against_numpy import same_as_numpy, same_error, smooth, smooth_complex, tensors, warned

import zen
from zen import f

RNG = np.random.default_rng(29)
P, Q = np.array([1.5, -2.0, 0.5, 3.0]), np.array([2.0, -1.0])
X = np.array([[0.5, -1.0], [2.0, 0.0]])
DTYPES = [np.float64, np.float32, np.int64]


@pytest.mark.parametrize("dtype", DTYPES)
def test_values(dtype):
    p, q, x = (P * 2).astype(dtype), Q.astype(dtype), (X * 2).astype(dtype)
    same_as_numpy(np.polyval, p, x)
    same_as_numpy(np.polyval, p, np.asarray(x[0, 0]))
    same_as_numpy(lambda t: np.polyval(t, [1, 2.5]), p)
    same_as_numpy(np.polyval, p[:0], x)
    for a, b in ((p, q), (q, p), (p, p), (np.concatenate([[0, 0], p]).astype(dtype), q), (p * 0, q)):
        for function in (np.polyadd, np.polysub, np.polymul):
            same_as_numpy(function, a, b)
    for m in range(5):
        same_as_numpy(lambda t, m=m: np.polyder(t, m), p)
        same_as_numpy(lambda t, m=m: np.polyint(t, m), p)
        same_as_numpy(lambda t, m=m: np.polyint(t, m, 2.0), p)
    same_as_numpy(lambda t, k: np.polyint(t, 2, k), p, np.array([1.0, 2.0, 3.0]))
    if dtype is not np.int64:
        same_as_numpy(np.polydiv, p, q)
        same_as_numpy(np.polydiv, q, p)
        same_as_numpy(np.polydiv, np.polymul(p, q), q)


def test_numpys_own_polynomials_take_tensors():
    p = zen.tensor(P, requires_grad=True)
    assert np.poly1d(p)(2.0).item() == np.poly1d(P)(2.0) and np.poly1d(p)(2.0).requires_grad
    np.testing.assert_array_equal(f.polyadd(p, np.poly1d(Q)).array, np.polyadd(P, Q))
    with pytest.raises(TypeError, match="polyval: x is a polynomial"):
        np.polyval(p, np.poly1d(Q))


def test_derivatives():
    smooth(f.polyval, P, X, order=3, rtol=1e-5, atol=1e-5)
    smooth_complex(f.polyval, P + 1j, X * (1 + 2j))
    for function in (f.polyadd, f.polysub, f.polymul, f.polydiv):
        smooth(function, P, Q)
        smooth(function, Q, P)
    smooth(lambda p, k: f.polyint(f.polyder(p, 2), 2, k), P, np.array([1.0, 2.0]))
    smooth(lambda p, k: f.polyint(p, 3, k), P, np.array(2.0))


@pytest.mark.parametrize(
    "p",
    [
        [1.0, -3.0, 2.0], [1.0, 0.0, 1.0], [2.0, -1.0, 3.0, 0.5, -4.0], [0.0, 0.0, 1.0, -2.0], [3.0, 6.0],
        [1.0, -3.0, 2.0, 0.0], [1.0, 2.0, 3.0, 0.0], [0.0, 2.0, 1.0, 0.0],
    ],
)  # fmt: skip
def test_roots(p):
    p = np.array(p)
    for dtype in (np.float64, np.float32, np.int64):
        same_as_numpy(np.roots, p.astype(dtype))
    same_as_numpy(np.roots, p * (1 + 2j))
    lead = int(np.flatnonzero(p)[0])

    def invariants(t):
        """What does not depend on the order of the roots."""
        y = f.roots(f.concat([np.zeros(lead), t]))
        found = [f.sum(f.exp(y)), f.sum(y * y * y), f.sum(f.sin(y))]
        return [part for z in found for part in ((z.real, z.imag) if z.dtype.kind == "c" else (z,))]

    smooth(invariants, p[lead:], rtol=1e-5, atol=1e-5)
    smooth_complex(lambda t: invariants(t)[0], p[lead:] * (1 + 2j), rtol=1e-5, atol=1e-5)


def test_roots_that_are_none_or_twice():
    for p in (np.zeros(3), np.array([5.0]), np.array([0.0, 2.0])):
        same_as_numpy(np.roots, p)
    assert f.roots(np.zeros(0)).shape == (0,)
    (t,) = tensors([np.array([1.0, 0.0, 0.0])])
    with np.errstate(all="ignore"):
        np.roots(t).sum().backward()
    assert not np.isfinite(t.gradient).all()


def test_slope_of_a_root_by_hand():
    """Those of x^2 + b x + c are (-b +- sqrt(b^2 - 4 c)) / 2."""
    p = zen.tensor([1.0, -5.0, 6.0], requires_grad=True)
    np.roots(p)[0].backward()  # 3
    np.testing.assert_allclose(p.gradient[1:], [-0.5 + 0.5 * -5.0 / 1.0, -1.0])


def test_polynomials_of_roots():
    for zeros in (np.array([1.0, 2.0, -0.5]), np.array([1 + 2j, 1 - 2j, 3.0]), np.array([1j, 2.0]), np.array([1, 2])):
        same_as_numpy(np.poly, zeros)
    same_as_numpy(np.poly, np.array([1.0, 2.0], np.float32))
    for matrix in (RNG.normal(size=(3, 3)), np.eye(2), np.array([[0.0, 1.0], [-1.0, 0.0]]), np.array([[1, 2], [3, 4]])):
        same_as_numpy(np.poly, matrix)
        smooth(f.poly, matrix.astype(float))
    smooth(f.poly, np.array([1.0, 2.0, -0.5]))
    assert f.poly(np.zeros(0)).item() == np.poly(np.zeros(0))


SAMPLES = np.linspace(-1.0, 2.0, 8), RNG.normal(size=8), RNG.uniform(0.5, 1.5, 8)


@pytest.mark.parametrize("degree", [0, 1, 3])
def test_fits(degree):
    x, y, w = SAMPLES
    for values in (y, np.stack([y, x**2], 1)):
        same_as_numpy(lambda a, b: np.polyfit(a, b, degree), x, values, rtol=1e-9)
        same_as_numpy(lambda a, b, c: np.polyfit(a, b, degree, w=c), x, values, w, rtol=1e-9)
        for cov in (True, "unscaled"):
            same_as_numpy(lambda a, b, c, cov=cov: np.polyfit(a, b, degree, w=c, cov=cov), x, values, w, rtol=1e-9)
        smooth(lambda a, b, c: f.polyfit(a, b, degree, w=c), x, values, w, rtol=1e-5, atol=1e-5)
        smooth(lambda a, b: f.polyfit(a, b, degree, cov=True), x, values, rtol=1e-5, atol=1e-5)
    smooth(lambda a, b: f.polyfit(a, b, degree, full=True)[1], x, y, rtol=1e-5, atol=1e-5)
    same_as_numpy(lambda a, b: np.polyfit(a, b, degree)[0], np.arange(8), np.arange(8) ** 2, rtol=1e-9)
    same_as_numpy(lambda b: np.polyfit(x, b, degree), y + 1j * w, rtol=1e-9)


def test_everything_of_a_fit():
    x, y, _ = SAMPLES
    expected, found = (np.polyfit(a, b, 2, full=True) for a, b in ((x, y), tensors([x, y])))
    for mine, theirs in zip(found[:2], expected[:2], strict=True):
        np.testing.assert_allclose(mine.array, theirs, rtol=1e-9)
    assert found[2] == expected[2] and found[4] == expected[4]
    np.testing.assert_allclose(found[3].array, expected[3])


def test_a_fit_that_the_points_do_not_determine():
    x, y = np.array([1.0, 1.0, 2.0]), np.array([1.0, 2.0, 3.0])
    with pytest.warns(np.exceptions.RankWarning, match="poorly conditioned"), pytest.raises(ValueError, match="2 of 3"):
        np.polyfit(zen.tensor(x), zen.tensor(y, requires_grad=True), 2)
    found, _ = warned(lambda: f.polyfit(x, y, 2))
    expected, _ = warned(lambda: np.polyfit(x, y, 2))
    np.testing.assert_allclose(found.array, expected)


def test_errors():
    for call in (
        lambda p: np.polyder(p, -1), lambda p: np.polyint(p, -1), lambda p: np.polyint(p, 3, [1.0, 2.0]),
        lambda p: np.roots(p.reshape(2, 2)), lambda p: np.poly(p.reshape(1, 4)), lambda p: np.polyfit(p, p[:3], 1),
        lambda p: np.polyfit(p, p, -1), lambda p: np.polyfit(p, p, 1, w=p[:2]), lambda p: np.polyfit(p[:0], p[:0], 1),
        lambda p: np.polyfit(p.reshape(2, 2), p, 1), lambda p: np.polyfit(p, p.reshape(4, 1, 1), 1),
        lambda p: np.polyfit(p, p, 3, cov=True),
    ):  # fmt: skip
        same_error(call, P)
    with pytest.raises(ValueError, match=r"polyadd: coefficients are one-dimensional, not of shape \(2, 2\)"):
        f.polyadd(X, P)
