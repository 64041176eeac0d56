"""Elementwise values in float32 against double precision, over the whole range and at its ends."""

import numpy as np
import pytest

import zen
from zen import f

SPECIAL = [0.0, -0.0, np.inf, -np.inf, np.nan, 1e-45, -1e-45, 3.4e38, -3.4e38, 1.0, -1.0]


def every(low, high, n=200_001):
    """float32 over an interval, in an odd number so that every loop has a rest."""
    return np.linspace(low, high, n).astype(np.float32)


def distance(found, exact):
    """In units of the last place of the exact value."""
    rounded = exact.astype(np.float32)
    return np.abs(found.astype(np.float64) - exact) / np.spacing(np.abs(rounded)).astype(np.float64)


def test_exp_in_float32():
    x = every(-87.3, 88.7)
    found = f.exp(zen.tensor(x)).array
    assert found.dtype == np.float32
    assert distance(found, np.exp(x.astype(np.float64))).max() <= 2.5


def test_exp_beyond_the_normal_numbers():
    x = every(-104.5, -87.3)
    found, exact = f.exp(zen.tensor(x)).array, np.exp(x.astype(np.float64))
    np.testing.assert_allclose(found, exact, rtol=3e-7, atol=3e-45)
    assert f.exp(zen.tensor(x[:1])).item() == 0
    with np.errstate(all="ignore"):
        expected = np.exp(np.array([*SPECIAL, 88.72283, 88.73, 1e5, -1e5], np.float32))
    found = f.exp(zen.tensor([*SPECIAL, 88.72283, 88.73, 1e5, -1e5], dtype="float32")).array
    np.testing.assert_allclose(found, expected, rtol=3e-7)


@pytest.mark.parametrize("name", ["sigmoid", "silu", "softplus", "gelu", "elu", "logsigmoid", "mish"])
def test_activations_at_the_ends_of_float32(name):
    """The same as in double precision, or as close as float32 comes."""
    x = np.concatenate([every(-120, 120, 4001), np.array([1e10, -1e10, 1e30, -1e30, 0.0], np.float32)])
    values, slopes = [], []
    for dtype in ("float32", "float64"):
        t = zen.tensor(x, dtype=dtype, requires_grad=True)
        y = getattr(f, name)(t)
        y.sum().backward()
        values.append(y.array)
        slopes.append(t.gradient)
    np.testing.assert_allclose(values[0], values[1], rtol=3e-6, atol=1e-6)
    np.testing.assert_allclose(slopes[0], slopes[1], rtol=3e-6, atol=1e-6)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_hypot_at_all_magnitudes(dtype):
    rng = np.random.default_rng(0)
    top = 37 if dtype == "float32" else 300
    a, b = (rng.normal(size=1001) * 10.0 ** rng.uniform(-top, top, 1001) for _ in range(2))
    a, b = a.astype(dtype), b.astype(dtype)
    b[::3] = a[::3] * 0.75
    wide = np.longdouble
    exact = np.sqrt(a.astype(wide) ** 2 + b.astype(wide) ** 2).astype(np.float64)
    x, y = zen.tensor(a, requires_grad=True), zen.tensor(b, requires_grad=True)
    r = f.hypot(x, y)
    r.sum().backward()
    np.testing.assert_allclose(r.array, exact, rtol=3e-7 if dtype == "float32" else 3e-16)
    np.testing.assert_allclose(x.gradient, a / exact, rtol=1e-6, atol=1e-30)
    np.testing.assert_allclose(y.gradient, b / exact, rtol=1e-6, atol=1e-30)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_hypot_of_special_values_is_that_of_numpy(dtype):
    a, b = (x.ravel() for x in np.meshgrid(np.array(SPECIAL, dtype), np.array(SPECIAL, dtype)))
    with np.errstate(all="ignore"):
        expected = np.hypot(a, b)
    np.testing.assert_allclose(f.hypot(zen.tensor(a), zen.tensor(b)).array, expected, rtol=3e-7)
