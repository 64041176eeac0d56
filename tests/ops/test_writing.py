"""put, place, putmask, copyto, fill_diagonal and put_along_axis on Tensors: what NumPy writes, and the gradients."""

import numpy as np
import pytest

import zen
from zen.testing import check_gradients

X = np.array([[0.5, -1.0, 2.0], [1.5, 0.25, -0.75]])
V = np.array([3.5, 4.5, 5.5])
M = np.array([[True, False, True], [True, True, False]])

WRITES = {
    "put": lambda t, v: np.put(t, [0, 4, -1], v),
    "put again": lambda t, v: np.put(t, [0, 4, 0, 1, 2], v[:2]),
    "put wrap": lambda t, v: np.put(t, [7, -8], v, mode="wrap"),
    "put clip": lambda t, v: np.put(t, [7, -8], v, "clip"),
    "put by name": lambda t, v: np.put(a=t, ind=[1], v=v),
    "place": lambda t, v: np.place(t, M, v),
    "place few": lambda t, v: np.place(t, M, v[:1]),
    "putmask": lambda t, v: np.putmask(t, M, v),
    "putmask again": lambda t, v: np.putmask(t, mask=M, values=v[:2]),
    "copyto": lambda t, v: np.copyto(t, v),
    "copyto where": lambda t, v: np.copyto(dst=t, src=v, where=M),
    "copyto a part": lambda t, v: np.copyto(t[1], v),
    "fill_diagonal": lambda t, v: np.fill_diagonal(t, v),
    "fill_diagonal of T": lambda t, v: np.fill_diagonal(t.T, v[:2]),
    "put_along_axis": lambda t, v: np.put_along_axis(t, np.array([[1], [2]]), v[:2, None], axis=1),
    "put_along_axis twice": lambda t, v: np.put_along_axis(t, np.array([[1, 1], [2, 0]]), v[1:], 1),
    "put_along_axis flat": lambda t, v: np.put_along_axis(t, np.array([1, -1, 3]), v, axis=None),
}


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES.keys())
def test_what_numpy_writes_with_gradients_in_old_and_new_values(write):
    wanted = X.copy()
    assert write(wanted, V) is None
    for gradients in ((False, False), (True, False), (False, True), (True, True)):
        x, v = (zen.tensor(a, requires_grad=g) for a, g in zip((X, V), gradients, strict=True))
        t = x * 1.0
        assert write(t, v) is None
        np.testing.assert_array_equal(t.value, wanted)
        assert t.requires_grad == any(gradients)

    def f(x, v):
        t = x * 1.0
        write(t, v)
        return t * t

    check_gradients(f, [X, V])


def test_shapes_of_diagonals():
    for shape, wrap in (((5, 2), False), ((5, 2), True), ((2, 5), True), ((3, 3, 3), False), ((0, 3), False)):
        a, t = np.zeros(shape), zen.zeros(shape) + zen.tensor(0.0, requires_grad=True)
        np.fill_diagonal(a, [1.0, 2.0], wrap)
        np.fill_diagonal(t, [1.0, 2.0], wrap)
        np.testing.assert_array_equal(t.value, a)


def test_functions_of_zen_write_without_gradients_as_well():
    t = zen.zeros((2, 2))
    zen.f.put(t, 3, 1)
    zen.f.copyto(t[0], 7)
    zen.f.put_along_axis(t, [[0], [0]], 5, 1)
    zen.f.place(t, t == 7, 2.5)
    zen.f.putmask(t, t == 1, t * 4)
    assert t.tolist() == [[5.0, 2.5], [5.0, 4.0]]
    s = zen.zeros(())
    zen.f.put(s, [0, 0], [1.0, 2.0])
    assert s.item() == 2.0


def test_views_and_graphs_see_the_write():
    x, whole = zen.tensor(V, requires_grad=True), zen.zeros((2, 3))
    row = whole[1]
    before = (x * whole[1]).sum()
    np.putmask(row, [True, False, True], x)
    (whole * X).sum().backward()
    np.testing.assert_array_equal(x.gradient, [1.5, 0.0, -0.75])
    x.grad = None
    try:
        before.backward()
    except RuntimeError as error:
        assert "overwritten in place" in str(error)
    else:
        assert not x.gradient.any()


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda t, v: np.put(t, [9], v), IndexError, "put: position 9 is out of range for 6 elements"),
        (lambda t, v: np.put(t, [0.5], v), TypeError, "put: positions are ints"),
        (lambda t, v: np.put(t, [0], v, mode="near"), ValueError, "put: mode must be"),
        (lambda t, v: np.place(t, M, v[:0]), ValueError, "place: there are no values"),
        (lambda t, v: np.place(t, M[0], v), ValueError, "place: the mask of shape .* differ in size"),
        (lambda t, v: np.putmask(t, M[0], v), ValueError, "putmask: the mask of shape"),
        (lambda t, v: np.copyto(t, v[:2]), ValueError, "copyto: a value of shape"),
        (lambda t, v: np.copyto(t, v, where=X), TypeError, "copyto: where= is a mask of bools"),
        (lambda t, v: np.copyto(t, v.astype("f4"), "no"), TypeError, "casting='no'"),
        (lambda t, v: np.fill_diagonal(t[0], v), ValueError, "fill_diagonal: at least two dimensions"),
        (lambda t, v: np.put_along_axis(t, np.array([[9], [0]]), v[:2, None], 1), IndexError, "9"),
        (lambda t, v: np.put_along_axis(t, np.array([0]), v, 1), ValueError, "differ in dimensions"),
        (lambda t, v: zen.f.put(X.copy(), [0], v), TypeError, "put: writes into a Tensor, not into ndarray"),
        (lambda t, v: np.put(X.copy(), [0], v), TypeError, r"numpy\.put would write"),
        (lambda t, v: np.put(v, [0], 1.0), RuntimeError, "put: a leaf that requires a gradient"),
    ],
)  # fmt: skip
def test_a_failed_write_changes_nothing(call, error, words):
    v, t = zen.tensor(V, requires_grad=True), zen.tensor(X, requires_grad=True) * 1.0
    with pytest.raises(error, match=words):
        call(t, v)
    np.testing.assert_array_equal(t.value, X)
