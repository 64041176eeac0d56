"""Differences, sampled derivatives, integrals and unwrapped angles: NumPy's values and dtypes; derivatives."""

import numpy as np
import pytest
from against_numpy import same_as_numpy, same_error, smooth, smooth_complex

import zen
from zen import f

RNG = np.random.default_rng(11)
X = RNG.normal(size=(4, 5))
PLACES = np.array([0.0, 0.5, 1.5, 1.75, 3.0])
EVEN = np.linspace(0.0, 2.0, 5)
DTYPES = [np.float64, np.float32, np.float16, np.int64, np.uint8]
INTS = np.array([[3, 1, 2, 60], [100, 1, 4, 9], [1, 8, 0, 7]])


@pytest.mark.parametrize("n", [0, 1, 2, 5])
@pytest.mark.parametrize("axis", [0, 1, -1])
def test_differences(n, axis):
    for dtype in [*DTYPES, np.bool_]:
        same_as_numpy(lambda t: np.diff(t, n, axis), INTS.astype(dtype))
    same_as_numpy(lambda t, a: np.diff(t, n, axis, a, 2.0), X, np.array(1.5))
    same_as_numpy(lambda t, a: np.diff(t, n, axis, append=a), X, X[:, ::-1] * 2)
    smooth(lambda t: f.diff(t, n, axis), X)
    smooth(lambda t, a, b: f.diff(t, n, axis, prepend=a, append=b), X, np.array(0.5), X[::-1])


def test_derivatives_of_differences_by_hand():
    x = zen.tensor([1.0, 4.0, 9.0], requires_grad=True)
    (np.diff(x) * np.array([1.0, 10.0])).sum().backward()
    np.testing.assert_array_equal(x.gradient, [-1.0, -9.0, 10.0])
    smooth(lambda t: f.diff(t) ** 3, PLACES, order=3, rtol=1e-5, atol=1e-5)
    smooth_complex(f.diff, PLACES * (1 + 2j))


def test_flat_differences():
    same_as_numpy(np.ediff1d, X)
    same_as_numpy(lambda t: np.ediff1d(t, 5.0, [1.0, 2.0]), X)
    same_as_numpy(lambda t: np.ediff1d(t, to_begin=np.array([1, 2], np.int32)), INTS)
    same_as_numpy(lambda t: np.ediff1d(t, 1.0), X.astype(np.float32))
    same_error(lambda t: np.ediff1d(t, 1.5), INTS)
    same_as_numpy(np.ediff1d, np.zeros(0))
    smooth(lambda t, a, b: f.ediff1d(t, a, b), X, np.array(1.0), np.array([2.0, 3.0]))


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize(
    "steps",
    [(), (0.5,), (0.5, 2.0), (np.array([0.0, 1.0, 3.0, 3.5]), PLACES), (np.array([0, 1, 3, 4]), EVEN), (2, PLACES)],
    ids=str,
)  # fmt: skip
def test_sampled_derivatives(steps, order):
    for dtype in (np.float64, np.float32, np.int64):
        x = (X * 10).astype(dtype)
        same_as_numpy(lambda t: np.gradient(t, *steps, edge_order=order), x)
    same_as_numpy(lambda t: np.gradient(t, *steps[-1:], axis=1, edge_order=order), X)
    same_as_numpy(lambda t: np.gradient(t, *steps[::-1], axis=(1, 0), edge_order=order), X) if len(steps) != 1 else None
    smooth(lambda t: f.gradient(t, *steps, edge_order=order), X)


@pytest.mark.parametrize("order", [1, 2])
def test_derivatives_in_distances(order):
    smooth(lambda t, h: f.gradient(t, h, edge_order=order), X, np.array(0.7))
    smooth(lambda t, h, x: f.gradient(t, h, x, edge_order=order), X, np.array(0.7), PLACES)
    smooth(lambda t, x: f.gradient(t, x, edge_order=order), PLACES**2, EVEN)
    same_as_numpy(lambda t, x: np.gradient(t, x, edge_order=order), PLACES**2, EVEN)


def test_errors_of_sampled_derivatives():
    for call in (
        lambda t: np.gradient(t, 1.0, 2.0, 3.0), lambda t: np.gradient(t, PLACES, 1.0), lambda t: np.gradient(t[:1]),
        lambda t: np.gradient(t, X, X), lambda t: np.gradient(t, edge_order=3), lambda t: np.gradient(t, axis=2),
        lambda t: np.gradient(t[:2], edge_order=2),
    ):  # fmt: skip
        same_error(call, X)


def test_integrals():
    if not hasattr(np, "trapezoid"):
        return
    for dtype in DTYPES:
        same_as_numpy(lambda t: np.trapezoid(t, axis=0), INTS.astype(dtype))
        same_as_numpy(lambda t: np.trapezoid(t, dx=0.5), INTS.astype(dtype))
    same_as_numpy(lambda t, x: np.trapezoid(t, x), X, PLACES)
    same_as_numpy(lambda t, x: np.trapezoid(t, x, axis=0), X, PLACES[:4])
    same_as_numpy(lambda t, x: np.trapezoid(t, x, axis=0), X, np.cumsum(X**2, 0))
    same_as_numpy(np.trapezoid, np.zeros((2, 0)))
    smooth(lambda t, x: f.trapezoid(t, x), X, PLACES)
    smooth(lambda t, x: f.trapezoid(t, x, axis=0), X, np.cumsum(X**2, 0))
    smooth(lambda t, h: f.trapezoid(t, dx=h), X, np.array(0.5))
    smooth_complex(lambda t, x: f.trapezoid(t, x), X[0] + 1j, PLACES * (1 + 1j))
    with pytest.raises(ValueError, match=r"trapezoid: x of shape \(3,\) does not fit y of shape \(4, 5\)"):
        f.trapezoid(X, PLACES[:3])


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_unwrapped_angles(axis):
    x = np.cumsum(RNG.normal(size=(6, 7)) * 3, axis) % (2 * np.pi)
    for dtype in (np.float64, np.float32):
        same_as_numpy(lambda t: np.unwrap(t, axis=axis), x.astype(dtype))
    same_as_numpy(lambda t: np.unwrap(t, 4.0, axis), x)
    same_as_numpy(lambda t: np.unwrap(t, axis=axis, period=3), x)
    whole = np.round(x * 10).astype(int)
    for period in (12, 7, 6.5):
        same_as_numpy(lambda t, p=period: np.unwrap(t, axis=axis, period=p), whole)
    same_as_numpy(lambda t: np.unwrap(t, period=4), np.array([0.0, 2.0, 0.0, -2.0, 6.0]))
    smooth(lambda t: f.unwrap(t, axis=axis), x)
    smooth(lambda t: f.unwrap(t, axis=axis) ** 2, x)
