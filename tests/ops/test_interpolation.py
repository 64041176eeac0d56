"""Linear interpolation in all its arguments: NumPy's values; derivatives; points, ends and nan."""

import numpy as np
import pytest
from against_numpy import same_as_numpy, same_error, smooth, smooth_complex, tensors

import zen
from zen import f

RNG = np.random.default_rng(13)
XP, FP = np.array([-1.0, 0.0, 0.5, 2.0, 3.5]), np.array([2.0, -1.0, 0.25, 4.0, 1.0])
X = np.array([[-2.0, -1.0, -0.3], [0.0, 0.4, 0.5], [1.9, 3.5, 7.0]])
INSIDE = np.array([-0.3, 0.2, 1.1, 1.9, 3.0])


def test_values():
    for x in (X, X[0], np.array(0.3), np.zeros((0, 2)), np.array([np.nan, np.inf, -np.inf, -0.0])):
        same_as_numpy(np.interp, x, XP, FP)
        same_as_numpy(lambda t, a, b: np.interp(t, a, b, -5.0, 7.0), x, XP, FP)
        same_as_numpy(lambda t, a, b: np.interp(t, a, b, left=9.0), x, XP, FP)
    same_as_numpy(lambda t: np.interp(t, XP, FP), X.astype(np.float32))
    same_as_numpy(lambda b: np.interp(0.25, [0, 1], b), np.array([3.0, 4.0], np.float32))
    same_as_numpy(lambda t: np.interp(t, [0, 1, 3], [1, 5, 2]), np.array([0, 1, 2, 3]))
    same_as_numpy(np.interp, X, XP[:1], FP[:1])
    same_as_numpy(lambda t, b: np.interp(t, XP, b), X, FP + 1j * FP[::-1])


def test_infinite_values_and_points_in_one_place():
    with np.errstate(all="ignore"):
        for fp in (np.array([1.0, np.inf, np.inf, 2.0, 3.0]), np.array([1.0, -np.inf, np.inf, 2.0, np.nan])):
            same_as_numpy(np.interp, X, XP, fp)
        same_as_numpy(np.interp, X, np.array([-1.0, 0.0, 0.0, 2.0, 2.0]), FP)
        x, fp = tensors([np.array([2.0, 0.0]), FP])
        np.interp(x, np.array([-1.0, 0.0, 0.0, 2.0, 2.0]), fp).sum().backward()
    np.testing.assert_array_equal(fp.gradient, [0, 0, 1, 0, 1])


@pytest.mark.parametrize("period", [3.0, -2.5, 4.7])
def test_periods(period):
    for x in (X, np.array(17.3)):
        same_as_numpy(lambda t, a, b: np.interp(t, a, b, period=period), x, XP[::-1].copy(), FP)
    smooth(lambda t, a, b, p: f.interp(t, a, b, period=p), INSIDE, XP + np.arange(5) * 0.03, FP, np.array(period))


def test_derivatives_in_all_arguments():
    smooth(f.interp, INSIDE, XP, FP)
    smooth(lambda t, a, b, c, d: f.interp(t, a, b, c, d), np.append(INSIDE, [-3.0, 9.0]), XP, FP, *np.array([2.0, 3.0]))
    smooth(f.interp, np.array([-3.0, 9.0]), XP, FP)
    smooth(f.interp, np.array(0.25), XP[:1], FP[:1])
    smooth_complex(lambda b: f.interp(INSIDE, XP, b), FP + 1j * FP[::-1])


def test_the_slope_at_a_point_is_that_of_the_line_behind_it():
    x, fp = tensors([XP, FP])
    np.interp(x, XP, fp).sum().backward()
    slopes = np.diff(FP) / np.diff(XP)
    np.testing.assert_allclose(x.gradient, [*slopes, slopes[-1]])
    np.testing.assert_array_equal(fp.gradient, np.ones(5))


def test_errors():
    for call in (
        lambda t: np.interp(t, XP, FP[:3]), lambda t: np.interp(t, [], []), lambda t: np.interp(t, XP[None], FP),
        lambda t: np.interp(t, XP, FP, period=0),
    ):  # fmt: skip
        same_error(call, X)
    with pytest.raises(ValueError, match=r"interp: xp of shape \(5,\) and fp of shape \(3,\) must be one-dimensional"):
        f.interp(zen.ones(2), XP, FP[:3])
