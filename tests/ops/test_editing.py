"""Elements put in, taken out and picked again: NumPy's values and dtypes for every form of positions; derivatives."""

import numpy as np
import pytest
from against_numpy import numpy_is, same_as_numpy, same_error, smooth, tensors

import zen
from zen import f

RNG = np.random.default_rng(19)
X = RNG.normal(size=(3, 4))
DTYPES = [np.float64, np.float32, np.int64, np.bool_]
PLACES = [1, -1, [0, 2], [2, 0, 2], slice(0, 3, 2), np.array([True, False, True]), [], np.array([-1, 1])]


@pytest.mark.parametrize("place", PLACES, ids=str)
@pytest.mark.parametrize("axis", [None, 0, 1, -1])
def test_insert(place, axis):
    if isinstance(place, np.ndarray) and place.dtype == bool and (axis != 0 or not numpy_is("2.2.0")):
        return
    for dtype in DTYPES:
        same_as_numpy(lambda t: np.insert(t, place, 1, axis), X.astype(dtype))
    same_as_numpy(lambda t, v: np.insert(t, place, v, axis), X, np.array(2.5))
    smooth(lambda t, v: f.insert(t, place, v, axis), X, np.array(2.5))


def test_several_inserted_values():
    for values, axis in (
        ([1.0, 2.0], None),
        ([[1.0, 2.0, 3.0, 4.0]] * 2, 0),
        ([[1.0, 2.0]] * 3, 1),
        ([[7.0], [8.0]], 0),
    ):
        same_as_numpy(lambda t, v, a=axis: np.insert(t, [1, 2], v, a), X, np.array(values))
        smooth(lambda t, v, a=axis: f.insert(t, [1, 2], v, a), X, np.array(values))
    same_as_numpy(lambda t, v: np.insert(t, 1, v, 1), X, np.array([1.0, 2.0, 3.0]))
    same_as_numpy(lambda t, v: np.insert(t, 1, v, 0), X.astype(np.float32), np.arange(4.0))


@pytest.mark.parametrize("place", [*PLACES, np.array([True, False, True, True])], ids=str)
@pytest.mark.parametrize("axis", [None, 0, 1, -1])
def test_delete(place, axis):
    if isinstance(place, np.ndarray) and place.dtype == bool and (axis is None or len(place) != X.shape[axis]):
        return
    for dtype in DTYPES:
        same_as_numpy(lambda t: np.delete(t, place, axis), X.astype(dtype))
    smooth(lambda t: f.delete(t, place, axis), X)


def test_append():
    same_as_numpy(lambda t: np.append(t, [[1, 2]]), X)
    same_as_numpy(lambda t, v: np.append(t, v, 0), X, X[:1].astype(np.float32))
    same_as_numpy(lambda t, v: np.append(t, v, 1), X.astype(np.float32), X)
    same_as_numpy(lambda t, v: np.append(t, v), np.arange(3), np.array(1.5))
    smooth(lambda t, v: f.append(t, v, 1), X, X[:, :2])


def test_resize():
    for shape in ((2, 2), (5, 4), 3, (0, 2), (2, 3, 4), ()):
        for dtype in DTYPES:
            same_as_numpy(lambda t, s=shape: np.resize(t, s), X.astype(dtype))
        smooth(lambda t, s=shape: f.resize(t, s), X)
    same_as_numpy(lambda t: np.resize(t, (2, 2)), np.zeros((0, 3)))
    same_error(lambda t: np.resize(t, (-1, 2)), X)


@pytest.mark.parametrize("trim", ["fb", "f", "b", "B"])
def test_trim_zeros(trim):
    x = np.zeros((4, 5))
    x[1:3, 2:4] = [[1.0, 0.0], [np.nan, 2.0]]
    same_as_numpy(lambda t: np.trim_zeros(t, trim), np.array([0.0, 0.0, 1.0, 0.0, 2.0, 0.0]))
    same_as_numpy(lambda t: np.trim_zeros(t, trim), np.array([3, 0]))
    for zeros in (np.zeros(3), np.zeros(0)):
        same_as_numpy(lambda t: np.trim_zeros(t, trim), zeros)
    if numpy_is("2.4.0"):
        for axis in (None, 0, 1, (0, 1), ()):
            same_as_numpy(lambda t, a=axis: np.trim_zeros(t, trim, a), x)
    smooth(lambda t: f.trim_zeros(f.concat([np.zeros(2), t, np.zeros(1)]), trim), np.array([1.0, 2.0]))


@pytest.mark.parametrize("axis", [0, 1, -1, None])
def test_partition(axis):
    x = RNG.normal(size=(7, 6))
    n = x.size if axis is None else x.shape[axis]
    for kth in (0, 3, -1, [1, 4]):
        for dtype in (np.float64, np.float32, np.int64):
            values = (x * 10).astype(dtype)
            found = np.partition(zen.tensor(values), kth, axis)
            assert found.dtype == dtype
            expected = np.sort(values, axis)
            for k in np.atleast_1d(kth) % n:
                at = np.take(found.numpy(), k, axis)
                np.testing.assert_array_equal(at, np.take(expected, k, axis))
                below = np.take(found.numpy(), np.arange(k), axis)
                np.testing.assert_array_equal(np.sort(below, axis), np.take(expected, np.arange(k), axis))
    smooth(lambda t: f.partition(t, 3, axis), x)
    same_error(lambda t: np.partition(t, 99, axis), x)


def test_complex_order():
    for dtype in (np.float64, np.float32, np.int8, np.int16, np.int32, np.complex64, np.complex128):
        same_as_numpy(np.sort_complex, (X * 10).astype(dtype))
    same_as_numpy(np.sort_complex, np.array([2 + 1j, 1 - 1j, 2 - 3j, 1]))


def test_gradient_of_what_is_taken_twice():
    (t,) = tensors([np.array([1.0, 2.0, 3.0])])
    np.resize(t, (2, 4)).sum().backward()
    np.testing.assert_array_equal(t.gradient, [3.0, 3.0, 2.0])


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda t: np.insert(t, 90, 1.0), "^insert: .*90"), (lambda t: np.delete(t, 20), "^delete: .*20"),
        (lambda t: np.insert(t, [1, 2], [1.0, 2.0, 3.0]), "^insert: "),
        (lambda t: np.append(t, t, 5), "^append: axis 5"),
        (lambda t: np.append(t, [1.0], 0), r"^append: shapes \(3, 4\), \(1,\) must agree"),
        (lambda t: np.delete(t, t[0]), "^delete: obj is a constant here"),
        (lambda t: np.trim_zeros(t, "x"), "trim must be"),
        (lambda t: np.delete(t, 0, 3), "^delete: axis 3 is out of"), (lambda t: np.partition(t, 9), "^partition: .*9"),
    ],
)  # fmt: skip
def test_errors(call, words):
    with pytest.raises((TypeError, ValueError, IndexError), match=words):
        call(zen.tensor(X, requires_grad=True))
