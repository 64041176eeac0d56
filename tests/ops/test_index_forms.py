"""Every form of index that NumPy knows, alone and mixed: values, gradients by scattering, writes, and errors.

0-d arrays, NumPy's scalars, bools, new axes, Ellipsis, lists, empty ones, Tensors in the place of any of them, negative
positions, and what is out of range or no index at all.
"""

import itertools
import warnings

import numpy as np
import pytest

import zen

X = np.random.default_rng(0).normal(size=(4, 3, 4))
FORMS = [
    0, -1, 5, -5, np.int64(2), np.int8(-2), np.int64(9), np.array(0), np.array(-1), np.array(9), np.uint8(1),
    np.array([0, 2, 0]), np.array([[1], [-1]]), np.array([7]), np.array([0, 2], np.uint8), np.array([], int),
    [1, 0], [], [0, 9], [[0, 1], [1, 2]], [np.array(1), 2], range(2), (0, 1),
    True, False, np.True_, np.array(False), np.array([True, False, True, True]), np.array([True, False, True]),
    [True, False, True], np.ones((4, 3), bool), np.zeros((3, 4), bool),
    None, Ellipsis, slice(None), slice(None, None, -2), slice(3, 1), slice(np.int64(0), np.array(2)),
    zen.tensor(1), zen.tensor([0, 2]), zen.tensor([[0, 1]]), zen.tensor([True, False, True]), zen.tensor(True),
    [zen.tensor(0), 1], slice(zen.tensor(0), zen.tensor(2)),
    1.0, "a", np.array([0, 1.5]), zen.tensor([1.0]), np.array([0, 1], object),
]  # fmt: skip


def draw(count):
    rng = np.random.default_rng(1)
    return [tuple([FORMS[k] for k in rng.integers(0, len(FORMS), rng.integers(3, 6))]) for _ in range(count)]


def plain(key):
    """The key with arrays and ints in the place of Tensors: what NumPy takes."""
    if isinstance(key, zen.Tensor):
        return key.array
    if isinstance(key, (tuple, list)):
        return type(key)([plain(part) for part in key])
    if isinstance(key, slice):
        ends = (key.start, key.stop, key.step)
        return slice(*[int(end.array) if isinstance(end, zen.Tensor) else end for end in ends])
    return key


def read(x, key):
    try:
        return np.asarray(x[plain(key)])
    except (IndexError, TypeError, ValueError):
        return None


def is_settled(key):
    """Not where this NumPy warns that a later one refuses: a position out of range in a selection of no elements."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            read(X, key)
        except DeprecationWarning:
            return False
    return True


GROUPS = {"one": FORMS, "two": list(itertools.product(FORMS, FORMS)), "several": draw(1500)}
GROUPS = {name: [key for key in keys if is_settled(key)] for name, keys in GROUPS.items()}


def has_0d_tensor(key):
    return any(isinstance(k, zen.Tensor) and k.ndim == 0 for k in (key if isinstance(key, tuple) else (key,)))


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("keys", GROUPS.values(), ids=GROUPS.keys())
def test_reads_and_their_gradients(keys, dtype):
    x = X.astype(dtype)
    good = 0
    for key in keys:
        expected = read(x, key)
        t = zen.tensor(x, requires_grad=True)
        if expected is None:
            with pytest.raises(IndexError, match="getitem: index .* does not fit shape"):
                t[key]
            continue
        good += 1
        found = t[key]
        np.testing.assert_array_equal(found.detach().numpy(), expected, err_msg=repr(key))
        cotangent = np.random.default_rng(2).normal(size=expected.shape).astype(dtype)
        found.backward(cotangent)
        gradient = np.zeros_like(x)
        np.add.at(gradient, plain(key), cotangent)
        np.testing.assert_allclose(t.gradient, gradient, rtol=1e-5 if dtype == np.float32 else 1e-12, err_msg=repr(key))
        if not has_0d_tensor(key):  # a Tensor of one position is a position; NumPy copies for a 0-d array
            assert np.shares_memory(found.array, t.array) == np.shares_memory(x[plain(key)], x), key
    assert 0 < good < len(keys)


@pytest.mark.parametrize("keys", GROUPS.values(), ids=GROUPS.keys())
def test_writes_and_their_gradients(keys):
    rng = np.random.default_rng(3)
    for key in keys[::3]:
        selected = read(X, key)
        if selected is None:
            continue
        expected, weights = X.copy(), rng.normal(size=X.shape)
        x, value = zen.tensor(X, requires_grad=True), zen.tensor(rng.normal(size=selected.shape), requires_grad=True)
        written = x.clone()
        written[key] = value
        expected[plain(key)] = value.array
        np.testing.assert_array_equal(written.array, expected, err_msg=repr(key))
        (written * weights).sum().backward()
        kept, order, last = weights.copy(), np.arange(selected.size).reshape(selected.shape), np.zeros(X.shape, int)
        kept[plain(key)], last[plain(key)] = 0, order  # of several writes to one element the last one counts
        np.testing.assert_array_equal(x.gradient, kept, err_msg=repr(key))
        np.testing.assert_array_equal(value.gradient, np.where(last[plain(key)] == order, weights[plain(key)], 0))


def test_a_0d_array_among_integers_has_a_gradient():
    for key in [(np.array(0), 1), (np.array(0), np.uint8(1), -1), (np.array(-1),), (zen.tensor(1), np.array(0), 2)]:
        x = zen.tensor(X, requires_grad=True)
        (x[key] ** 2).sum().backward()
        expected = np.zeros_like(X)
        expected[plain(key)] = 2 * X[plain(key)]
        np.testing.assert_array_equal(x.gradient, expected)


@pytest.mark.parametrize("key", [(np.array(0), 1), (None, np.array(1), ..., [0, 0]), (True, 0), (np.array(2),)])
def test_second_derivatives_and_directions_of_such_keys(key):
    zen.testing.check_gradients(lambda t: t[key] ** 3, [X], order=2, rtol=1e-5, atol=1e-5)


def test_take_with_0d_positions():
    for positions in (0, np.array(1), np.int64(2), zen.tensor(-1), np.uint8(1)):
        x = zen.tensor(X, requires_grad=True)
        np.take(x, positions, axis=1).sum().backward()
        expected = np.zeros_like(X)
        expected[:, int(np.asarray(plain(positions)))] = 1
        np.testing.assert_array_equal(x.gradient, expected)


@pytest.mark.parametrize("make", [np.array, zen.tensor], ids=["array", "Tensor"])
def test_ends_of_slices_that_change_later(make):
    x, i, total = zen.tensor(np.zeros(5), requires_grad=True), make(0), 0
    for weights in ([1.0, 10.0], [2.0, 20.0], [3.0, 30.0]):
        total = total + (x[i : i + 2] * np.array(weights)).sum()
        i += 1
    total.backward()
    assert x.gradient.tolist() == [1, 12, 23, 30, 0]


@pytest.mark.parametrize("make", [np.array, zen.tensor], ids=["array", "Tensor"])
@pytest.mark.parametrize(
    "key", [lambda i: slice(i, None), lambda i: (slice(i, i + 2), None), lambda i: (..., slice(i, 12))]
)
def test_an_end_of_a_slice_that_would_lead_out_of_the_array(make, key):
    x, i = zen.tensor(np.zeros(12), requires_grad=True), make(10)
    read = (x[key(i)].reshape(-1) * np.array([3.0, 4.0])).sum()
    i[...] = 0
    read.backward()
    assert x.gradient.tolist() == [0] * 10 + [3, 4]


@pytest.mark.parametrize("make", [np.array, zen.tensor], ids=["array", "Tensor"])
def test_ends_of_slices_that_change_after_a_write(make):
    x, i = zen.tensor(np.ones(5), requires_grad=True), make(0)
    y = x * 1.0
    y[i : i + 2] = 7.0
    rows = (x[i : i + 2, None] * np.ones((2, 3))[:, [0, 2]]).sum()
    i += 2
    (y.sum() + rows).backward()
    assert x.gradient.tolist() == [2, 2, 1, 1, 1]
