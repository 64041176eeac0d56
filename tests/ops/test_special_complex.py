"""Special functions of complex numbers, and of real ones far below zero."""

import math

import numpy as np
import pytest

import zen
from zen import f, special

scipy_special = pytest.importorskip("scipy.special")

COMPLEX_NAMES = "gamma loggamma digamma psi erf erfc erfcx ndtr log_ndtr xlogy xlog1py jv yv iv ive kv kve".split()
COMPLEX_POINTS = np.array(
    [0.3 + 0.4j, -1.3 + 0.6j, 2.1 - 1.7j, -2.5 - 0.3j, 12 + 5j, 0.1 + 9j, -0.2 - 9j, -8 + 8j, 3 - 0.0j]
)


@pytest.mark.parametrize("name", COMPLEX_NAMES)
@pytest.mark.parametrize("dtype", [np.complex64, np.complex128])
def test_complex_values_and_derivatives(name, dtype):
    """Values and dtypes of SciPy; derivatives of its values along both axes, as the equations of Cauchy and Riemann say
    of all but ive."""
    of = getattr(scipy_special, name)
    z = COMPLEX_POINTS.astype(dtype)
    before = () if of.nin == 1 else (np.array(1.25, z.real.dtype),)
    if name in ("xlogy", "xlog1py"):
        before = (z[::-1].copy(),)
    with np.errstate(all="ignore"):
        t = zen.tensor(z, requires_grad=True)
        found = of(*before, t)
        expected = of(*before, z)
        assert found.dtype == expected.dtype == dtype
        np.testing.assert_allclose(found.array, expected, rtol=1e-5 if dtype == np.complex64 else 1e-13)
        if dtype == np.complex64:
            return
        for direction in (1.0, 1j):
            h = 1e-4
            ways = [of(*before, z + k * h * direction) for k in (-2, -1, 1, 2)]
            slope = (ways[0] - 8 * ways[1] + 8 * ways[2] - ways[3]) / (12 * h)
            tangent = zen.jvp(lambda t: of(*before, t), (z,), (np.full(z.shape, direction, dtype),))[1]
            np.testing.assert_allclose(tangent, slope, rtol=1e-7, atol=1e-9 * np.max(np.abs(slope)))
            if name != "ive":
                g = zen.grad(lambda t: f.real(f.sum(of(*before, t) / np.where(expected == 0, 1, expected))))(z)
                np.testing.assert_allclose(np.conj(g) * expected * direction, slope, rtol=1e-7, atol=1e-9)


def test_polygamma_of_complex_numbers():
    """By what defines it, (-1)^(n + 1) n! sum 1 / (z + k)^(n + 1), with the integral for what is left of the sum; and
    by its symmetry and recurrence."""
    z = np.array([0.7 + 0.4j, -1.3 + 0.6j, -30.2 - 2j, 0.4 - 25j, -3.5 + 0.001j, 20 + 1j])
    k = np.arange(20000.0)[:, None]
    for n in (1, 2, 3, 5):
        rest = (z + 20000 - 0.5) ** -n / n
        expected = (-1) ** (n + 1) * math.factorial(n) * (np.sum((z + k) ** -(n + 1), 0) + rest)
        found = special.polygamma(n, z).array
        np.testing.assert_allclose(found, expected, rtol=1e-9)
        np.testing.assert_allclose(special.polygamma(n, np.conj(z)).array, np.conj(found), rtol=1e-13)
        step = (-1) ** n * math.factorial(n) * z ** -(n + 1)
        np.testing.assert_allclose(special.polygamma(n, z + 1).array, found + step, rtol=1e-11)
        x = np.array([0.3, 1.5, 7.0, -2.25])
        of_real = special.polygamma(n, x).array
        np.testing.assert_allclose(special.polygamma(n, x + 0j).array, of_real, rtol=1e-12)
    assert np.isinf(special.polygamma(1, np.array([-3 + 0j])).array[0])
    assert special.polygamma(2, z.astype(np.complex64)).dtype == np.complex64
    with pytest.raises(ValueError, match="polygamma: n must be whole numbers from 0"):
        special.polygamma(1j, z)
    with pytest.raises(TypeError, match="jv: the order v must be real, not complex128"):
        special.jv(1j, z)


@pytest.mark.parametrize("q", [-1e5 - 0.3, -1e5 - 1.25, -12345678.75, -1e9 - 0.25])
def test_zeta_and_polygamma_far_below_zero(q):
    """zeta(s, q) is the sum over all whole numbers, which has the period 1, less a small one on the other side."""
    near = q - math.floor(q) - 3.0

    def of(n, x):
        return special.polygamma(n, np.float64(x)).item()

    for n in (1, 2, 3, 6):
        np.testing.assert_allclose(
            of(n, q), of(n, near) + (-1) ** (n + 1) * (of(n, 1 - near) - of(n, 1 - q)), rtol=1e-10, atol=1e-13
        )
        expected = of(n, q) * (-1) ** (n + 1) / math.factorial(n)
        np.testing.assert_allclose(special.zeta(n + 1.0, q).item(), expected, rtol=1e-10, atol=1e-13)
        x = zen.tensor(q, requires_grad=True)
        special.polygamma(n, x).backward()
        np.testing.assert_allclose(x.gradient, special.polygamma(n + 1, q).item(), rtol=1e-12)
    x = zen.tensor(q, requires_grad=True)
    special.digamma(x).backward()
    np.testing.assert_allclose(x.gradient, np.pi**2 / np.sin(np.pi * (q - round(q))) ** 2, rtol=1e-4)
    assert np.isnan(special.zeta(2.5, q).item())  # no real number
    assert special.zeta(2.0, -1e6).item() == np.inf
