"""Unique elements and sets of them: NumPy's values, indices and counts; the gradient of the first occurrence."""

import numpy as np
import pytest
from against_numpy import same_as_numpy, smooth, tensors

from zen import f

nan = np.nan
X = np.array([3.0, 1.0, 3.0, 2.0, 1.0, 7.0])
Y = np.array([2.0, 9.0, 3.0, 2.0, 0.5])
ROWS = np.array([[1.0, 2.0, 1.0], [0.0, 5.0, 0.0], [1.0, 2.0, 1.0]])
ARRAYS = [X, X.astype(np.float32), X.astype(int), X > 2, X.reshape(2, 3), np.array([nan, 1.0, nan]), np.zeros(0), ROWS]
FLAGS = [(a, b, c) for a in (False, True) for b in (False, True) for c in (False, True)]


@pytest.mark.parametrize("flags", FLAGS, ids=str)
def test_unique_elements(flags):
    for x in ARRAYS:
        for equal in (True, False):
            same_as_numpy(lambda t, e=equal: np.unique(t, *flags, equal_nan=e), x)
    for axis in (0, 1, -1):
        same_as_numpy(lambda t, a=axis: np.unique(t, *flags, axis=a), ROWS)
    same_as_numpy(lambda t: np.unique(t, *flags, axis=0), X)


def test_the_first_of_equal_elements_has_the_gradient():
    (t,) = tensors([X])
    (np.unique(t) * np.array([1.0, 10.0, 100.0, 1000.0])).sum().backward()
    np.testing.assert_array_equal(t.gradient, [100.0, 1.0, 0.0, 10.0, 0.0, 1000.0])
    (r,) = tensors([ROWS])
    (np.unique(r, axis=0) * np.array([[1.0], [10.0]])).sum().backward()
    np.testing.assert_array_equal(r.gradient, [[10.0] * 3, [1.0] * 3, [0.0] * 3])
    smooth(lambda t: f.unique(t) ** 2, Y[[0, 1, 2, 4]])


def test_sets():
    for a, b in (
        (X, Y),
        (X.astype(np.float32), Y),
        (X.astype(int), Y),
        (X.reshape(2, 3), Y),
        (X, np.zeros(0)),
        (ROWS, X),
    ):
        same_as_numpy(np.union1d, a, b)
        same_as_numpy(np.setdiff1d, a, b)
        same_as_numpy(np.setxor1d, a, b)
        same_as_numpy(np.intersect1d, a, b)
        same_as_numpy(lambda a, b: np.intersect1d(a, b, return_indices=True), a, b)
    a, b = X[[0, 1, 3]], Y[[1, 2, 4]]
    for function in (np.setdiff1d, np.setxor1d, np.intersect1d):
        same_as_numpy(lambda a, b, function=function: function(a, b, True), a, b)
    same_as_numpy(np.union1d, np.array([nan, 1.0]), np.array([nan]))


def test_derivatives_of_sets():
    a, b = X[[0, 1, 3]], Y[[1, 4]]
    for function in (f.union1d, f.setdiff1d, f.setxor1d):
        smooth(lambda a, b, function=function: function(a, b) ** 2, a, b)
    x, y = tensors([X, Y])
    np.intersect1d(x, y).sum().backward()
    np.testing.assert_array_equal(x.gradient, [1, 0, 0, 1, 0, 0])
    assert y.grad is None
