"""Positions, counts, axes and other numbers may be NumPy's of any kind: they give what Python's numbers give."""

import numpy as np
import pytest

import zen

X = np.random.default_rng(0).normal(size=(5, 6)).astype(np.float32)
KINDS = [np.uint8, np.int8, np.uint16, np.uint64, np.int64, lambda x: np.array(x, np.int32)]
COUNTED = {
    "roll": lambda t, n: np.roll(t, n(3)), "roll by axes": lambda t, n: np.roll(t, (n(2), n(1)), (n(0), n(1))),
    "rot90": lambda t, n: np.rot90(t, n(3)), "take": lambda t, n: np.take(t, [1, 4], axis=n(0)),
    "repeat": lambda t, n: np.repeat(t, n(2), axis=n(1)), "tile": lambda t, n: np.tile(t, n(2)),
    "insert": lambda t, n: np.insert(t, n(2), 7.0, axis=n(1)), "delete": lambda t, n: np.delete(t, n(2), axis=n(1)),
    "split": lambda t, n: np.split(t, n(3), axis=n(1))[n(2)],
    "array_split": lambda t, n: np.array_split(t, n(4), axis=n(0))[n(3)],
    "diff": lambda t, n: np.diff(t, n=n(2), axis=n(1)), "diagonal": lambda t, n: np.diagonal(t, n(1)),
    "trace": lambda t, n: np.trace(t, n(1)), "triu": lambda t, n: np.triu(t, n(1)),
    "gradient": lambda t, n: np.gradient(t, axis=n(0)), "partition": lambda t, n: np.partition(t, n(2)),
    "swapaxes": lambda t, n: np.swapaxes(t, n(0), n(1)), "rollaxis": lambda t, n: np.rollaxis(t, n(1), n(0)),
    "flip": lambda t, n: np.flip(t, n(1)), "cumsum": lambda t, n: np.cumsum(t, n(1)),
    "indexing": lambda t, n: t[n(3), n(2)], "slices": lambda t, n: t[n(1) : n(4) : n(2)],
    "irfft": lambda t, n: np.fft.irfft(t, n(9)), "fftshift": lambda t, n: np.fft.fftshift(t, n(1)),
    "reshape": lambda t, n: np.reshape(t, (n(3), n(10))), "vander": lambda t, n: np.vander(t[0], n(4)),
    "matrix_power": lambda t, n: np.linalg.matrix_power(t[:, :5], n(3)),
    "norm": lambda t, n: np.linalg.norm(t, n(1), n(1)), "norm of order 3": lambda t, n: np.linalg.norm(t[0], n(3)),
    "matrix norm": lambda t, n: np.linalg.norm(t, n(1)),
    "std": lambda t, n: np.std(t, ddof=n(1)), "var": lambda t, n: np.var(t, axis=n(1), ddof=n(2)),
    "nanvar": lambda t, n: np.nanvar(t, axis=n(1), ddof=n(2)), "sum": lambda t, n: np.sum(t, (n(0), n(1))),
    "sort": lambda t, n: np.sort(t, n(0)), "stack": lambda t, n: np.stack([t, t * 2], n(1)),
    "linspace": lambda t, n: np.linspace(t, X[::-1], n(5), axis=n(1)),
}  # fmt: skip
LISTED = {
    "take": lambda t, a: np.take(t, a([7, 29])), "roll": lambda t, a: np.roll(t, a([2, 3]), a([0, 1])),
    "take_along_axis": lambda t, a: np.take_along_axis(t, a([[1, 2], [0, 0], [5, 1], [3, 3], [2, 2]]), 1),
    "repeat": lambda t, a: np.repeat(t, a([1, 0, 2, 3, 1]), axis=0), "tile": lambda t, a: np.tile(t, a([2, 3])),
    "insert": lambda t, a: np.insert(t, a([1, 3]), 7.0, axis=0), "delete": lambda t, a: np.delete(t, a([1, 3]), axis=0),
    "split": lambda t, a: np.split(t, a([1, 3]))[1], "fftn": lambda t, a: np.fft.irfftn(t, a([3, 4]), a([0, 1])),
    "reduceat": lambda t, a: np.add.reduceat(t, a([0, 2, 4]), axis=0), "indexing": lambda t, a: t[a([1, 4, 4])],
    "choose": lambda t, a: np.choose(a([0, 1, 4, 3, 2, 1]), t),
    "embedding_bag": lambda t, a: zen.f.embedding_bag(a([0, 2, 1, 4]), t, a([0, 1, 3]), mode="sum"),
}  # fmt: skip


def value_and_gradient(function, number):
    t = zen.tensor(X, requires_grad=True)
    y = function(t, number)
    (y * np.arange(1, y.size + 1, dtype=y.dtype).reshape(y.shape)).sum().backward()
    return y.detach().numpy(), t.grad.numpy()


@pytest.mark.parametrize("name", COUNTED)
@pytest.mark.parametrize("kind", KINDS, ids=["uint8", "int8", "uint16", "uint64", "int64", "array"])
def test_numbers(name, kind):
    if name == "split" and kind is KINDS[-1]:
        kind = np.int32  # an array stands for positions, and not for a count
    expected = value_and_gradient(COUNTED[name], int)
    for found, wanted in zip(value_and_gradient(COUNTED[name], kind), expected, strict=True):
        np.testing.assert_array_equal(found, wanted, strict=True)


@pytest.mark.parametrize("name", LISTED)
@pytest.mark.parametrize("kind", [np.uint8, np.int8, np.uint16, np.int16, np.int32])
def test_arrays_of_numbers(name, kind):
    if name == "insert" and np.dtype(kind).kind == "u":
        with pytest.raises(TypeError, match="insert: Cannot cast ufunc 'add' output"):  # as in NumPy
            value_and_gradient(LISTED[name], lambda x: np.array(x, kind))
        return
    expected = value_and_gradient(LISTED[name], list if name != "roll" else tuple)
    for found, wanted in zip(value_and_gradient(LISTED[name], lambda x: np.array(x, kind)), expected, strict=True):
        np.testing.assert_array_equal(found, wanted, strict=True)


def test_unsigned_numbers_that_fall_are_seen_to_fall():
    with pytest.raises(ValueError, match="do not rise from 0 to the 3 indices"):
        zen.f.embedding_bag([0, 2, 1], X, np.array([0, 3, 2], np.uint64), mode="sum")
