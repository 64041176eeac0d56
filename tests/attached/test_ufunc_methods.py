"""reduce, accumulate, reduceat, outer and at of NumPy's ufuncs: values from NumPy, gradients against differences."""

from functools import reduce
from itertools import accumulate

import numpy as np
import pytest

import zen
from zen.testing import check_gradients

X = np.array([[0.5, 1.2, 2.0, 0.7, 1.9], [1.5, 0.25, 0.75, 1.1, 0.9], [0.4, 2.2, 1.6, 0.3, 1.3]])
M = np.array([True, False, True, True, False])
OPERATIONS = [
    np.add, np.multiply, np.maximum, np.minimum, np.logaddexp, np.subtract, np.divide, np.hypot,
]  # fmt: skip
ASSOCIATIVE = [np.add, np.multiply, np.maximum, np.minimum, np.logaddexp, np.hypot]


def zeros_for(x, shape):
    return zen.zeros(shape) if isinstance(x, zen.Tensor) else np.zeros(shape)


def calls():
    for f in OPERATIONS:
        yield f"{f.__name__}.reduce", lambda x, f=f: f.reduce(x)
        yield f"{f.__name__}.reduce along", lambda x, f=f: f.reduce(x, 1, None, None, True)
        yield f"{f.__name__}.reduce initial", lambda x, f=f: f.reduce(x, axis=-1, initial=1.7)
        yield f"{f.__name__}.reduce where", lambda x, f=f: f.reduce(x, axis=1, initial=1.7, where=M)
        yield f"{f.__name__}.reduce out", lambda x, f=f: f.reduce(x, out=zeros_for(x, (5,)))
        yield f"{f.__name__}.reduce of one", lambda x, f=f: f.reduce(x[:1], dtype=np.float64)
        yield f"{f.__name__}.accumulate", lambda x, f=f: f.accumulate(x)
        yield f"{f.__name__}.accumulate along", lambda x, f=f: f.accumulate(x, axis=-1)
        yield f"{f.__name__}.accumulate out", lambda x, f=f: f.accumulate(x, 0, None, zeros_for(x, (3, 5)))
        yield f"{f.__name__}.reduceat", lambda x, f=f: f.reduceat(x, [0, 2, 1, 3], axis=1)
        yield f"{f.__name__}.reduceat rows", lambda x, f=f: f.reduceat(x, [1, 0, 2])
        yield f"{f.__name__}.outer", lambda x, f=f: f.outer(x[0], x)
        yield f"{f.__name__}.outer of an array", lambda x, f=f: f.outer(X[0], x[1], dtype=np.float64)
        yield f"{f.__name__}.outer of a number", lambda x, f=f: f.outer(x, 2.05)
        yield f"{f.__name__}.at", lambda x, f=f: changed(x, lambda y: f.at(y, (0, [1, 3]), x[1, :2]))
        yield f"{f.__name__}.at again", lambda x, f=f: changed(x, lambda y: f.at(y, [1, 0, 1, 1], X[:1] + 0.3))
        yield f"{f.__name__}.at values", lambda x, f=f: changed(X, lambda y: f.at(y, [0, 0, 2], x + 0.1), x)
        yield f"{f.__name__}.at mask", lambda x, f=f: changed(x, lambda y: f.at(y, y > 1, 1.35))
        yield f"{f.__name__}.at slices", lambda x, f=f: changed(x, lambda y: f.at(y, (slice(1), [1, 1]), x[0, 3]))
    for f in ASSOCIATIVE:
        yield f"{f.__name__}.reduce all", lambda x, f=f: f.reduce(x, axis=(0, 1))
        yield f"{f.__name__}.reduce axis None", lambda x, f=f: f.reduce(x, axis=None, keepdims=True)
        yield f"{f.__name__}.reduce no axis", lambda x, f=f: f.reduce(x, axis=())
    yield "negative.at", lambda x: changed(x, lambda y: np.negative.at(y, [0, 1, 0]))
    yield "exp.at", lambda x: changed(x, lambda y: np.exp.at(y, (0, [0, 0, 1])))


def changed(x, change, like=None):
    like = x if like is None else like
    y = x * 1.0 if isinstance(like, np.ndarray) == isinstance(x, np.ndarray) else zen.tensor(x)
    assert change(y) is None
    return y


CALLS = dict(calls())


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())
def test_values_are_numpys_and_derivatives_those_of_differences(call):
    wanted = np.asarray(call(X))
    for t in (zen.tensor(X), zen.tensor(X, requires_grad=True)):
        found = call(t)
        assert type(found) is zen.Tensor and found.requires_grad == t.requires_grad
        np.testing.assert_allclose(found.value, wanted, rtol=1e-13)
        assert (found.dtype, found.shape) == (wanted.dtype, wanted.shape)
    check_gradients(call, [X])


@pytest.mark.parametrize("f", [np.power, np.arctan2], ids=lambda f: f.__name__)
def test_one_after_the_other(f):
    """Where the order matters; NumPy's own loops for some processors do not keep to it."""
    for call, wanted in (
        (lambda x: f.reduce(x, axis=1, initial=1.7), [reduce(f, line, 1.7) for line in X]),
        (lambda x: f.reduce(x), [reduce(f, line) for line in X.T]),
        (lambda x: f.accumulate(x, axis=1), [list(accumulate(line, f)) for line in X]),
        (lambda x: f.reduceat(x, [0, 2], axis=1), [[f(a, b), reduce(f, rest)] for a, b, *rest in X]),
        (lambda x: f.reduce(x, 1, where=M, initial=1.7), [reduce(f, line[M], 1.7) for line in X]),
    ):
        np.testing.assert_allclose(call(zen.tensor(X)).numpy(), wanted, rtol=1e-14)
        check_gradients(call, [X])


@pytest.mark.parametrize("f", OPERATIONS, ids=lambda f: f.__name__)
@pytest.mark.parametrize("dtype", [np.float32, np.float16, np.int32, np.bool_])
def test_dtypes_are_numpys(f, dtype):
    a = np.array([[2, 1, 3], [1, 2, 1]]).astype(dtype)
    for call in (
        lambda x: f.reduce(x), lambda x: f.accumulate(x, axis=1), lambda x: f.outer(x, x), lambda x: f.reduceat(x, [1]),
        lambda x: f.reduce(x, dtype=np.float64), lambda x: f.accumulate(x, dtype=np.float32),
    ):  # fmt: skip
        try:
            wanted = np.asarray(call(a))
        except TypeError:
            with pytest.raises(TypeError):
                call(zen.tensor(a))
            continue
        found = call(zen.tensor(a))
        assert np.asarray(found).dtype == wanted.dtype
        np.testing.assert_allclose(np.asarray(found), wanted, rtol=2e-3 if dtype == np.float16 else 1e-6)


@pytest.mark.parametrize("f", [*ASSOCIATIVE, np.subtract], ids=lambda f: f.__name__)
def test_nothing_and_numbers(f):
    for a in (np.zeros((2, 0)), np.zeros((0, 2))):
        t = zen.tensor(a, requires_grad=True)
        np.testing.assert_array_equal(f.reduce(t, axis=0, initial=1.0).value, f.reduce(a, axis=0, initial=1.0))
        if f.identity is not None:
            np.testing.assert_array_equal(f.reduce(t, axis=0).value, f.reduce(a, axis=0))
        assert f.accumulate(t, axis=0).shape == a.shape and f.outer(t, t).shape == (*a.shape, *a.shape)
    t = zen.tensor(2.0, requires_grad=True)
    assert f.reduce(t, axis=0).item() == 2.0 and f.outer(t, [1.0, 3.0]).tolist() == f.outer(2.0, [1.0, 3.0]).tolist()
    s = t * 1.0
    f.at(s, (), t)
    assert s.item() == f(2.0, 2.0)


def test_of_equal_extremes_the_last_has_the_running_gradient():
    x = zen.tensor([1.0, 3.0, 3.0, 2.0, np.nan, 5.0], requires_grad=True)
    y = np.maximum.accumulate(x)
    np.testing.assert_array_equal(y.value, np.maximum.accumulate(x.value))
    y[:4].sum().backward()
    assert x.gradient.tolist() == [1.0, 1.0, 2.0, 0.0, 0.0, 0.0]


def test_truth_values():
    x = zen.tensor(X, requires_grad=True)
    assert np.logical_and.reduce(x > 0, axis=None).item() is True
    np.testing.assert_array_equal(np.less.outer(x[0], x).numpy(), np.less.outer(X[0], X))
    np.testing.assert_array_equal(np.logical_or.accumulate(x > 1, axis=1).numpy(), np.logical_or.accumulate(X > 1, 1))
    mask = zen.tensor([True, True])
    assert np.logical_not.at(mask, [0]) is None and mask.tolist() == [False, True]


def test_a_view_is_changed_with_its_root():
    x, whole = zen.tensor(X[0], requires_grad=True), zen.zeros((2, 5))
    np.add.at(whole[1], [0, 0, 3], x[:3])
    (whole * np.arange(10.0).reshape(2, 5)).sum().backward()
    np.testing.assert_array_equal(x.gradient, [5.0, 5.0, 8.0, 0.0, 0.0])


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda x: np.subtract.reduce(x, axis=(0, 1)), ValueError, r"numpy\.subtract\.reduce: the order .* one axis"),
        (lambda x: np.divide.reduce(x, where=M), ValueError, r"numpy\.divide\.reduce: where= .*initial="),
        (lambda x: np.power.reduce(x[:0]), ValueError, r"numpy\.power\.reduce: no elements along axis 0"),
        (lambda x: np.hypot.reduce(x, where=X), TypeError, "where= is a mask of bools, not of dtype float64"),
        (lambda x: np.add.accumulate(x, axis=None), TypeError, r"numpy\.add\.accumulate: an axis is needed"),
        (lambda x: np.hypot.accumulate(x[0, 0]), TypeError, "a 0-d array has no axis"),
        (lambda x: np.add.reduceat(x, [0, 7]), IndexError, r"reduceat: index 7 is out of range for axis 0"),
        (lambda x: np.add.reduceat(x, [0.5]), TypeError, "indices are a list of ints"),
        (lambda x: np.add.reduce(x, axis=4), ValueError, "axis 4 is out of range"),
        (lambda x: np.add.at(x, [0], 1.0), RuntimeError, "a leaf that requires a gradient cannot be changed in place"),
        (lambda x: np.add.at(x * 1.0, [9], 1.0), IndexError, "out of bounds"),
        (lambda x: np.add.at(X.copy(), [0], x), TypeError, r"numpy\.add\.at would write"),
        (lambda x: np.sin.reduce(x), ValueError, "binary functions"),
        (lambda x: np.multiply.reduce(x, out=np.zeros(5)), TypeError, "'out'"),
    ],
)  # fmt: skip
def test_errors_say_what_is_wrong(call, error, words):
    with pytest.raises(error, match=words):
        call(zen.tensor(X, requires_grad=True))


def test_long_folds_are_quick_enough():
    x = zen.tensor(np.linspace(0.1, 1.0, 5000), requires_grad=True)
    np.hypot.reduce(x).backward()
    np.testing.assert_allclose(x.gradient, x.value / np.linalg.norm(x.value), rtol=1e-12)
    np.logaddexp.accumulate(x)[-1].backward()
