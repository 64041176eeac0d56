"""Keys that Hypothesis seldom draws, functions built on indexing, and error messages."""

import numpy as np
import pytest

import zen
from zen import f
from zen.ops import register, views
from zen.testing import check_gradients

X = np.random.default_rng(0).normal(size=(3, 4))


def gradient(function, x=X):
    t = zen.tensor(x, requires_grad=True)
    f.sum(function(t)).backward()
    return t.gradient


def test_repeated_indices_add_up():
    np.testing.assert_array_equal(gradient(lambda t: t[[0, 0, 2]]), [[2] * 4, [0] * 4, [1] * 4])
    np.testing.assert_array_equal(gradient(lambda t: t[[1, 1], [3, 3]])[1], [0, 0, 0, 2])
    np.testing.assert_array_equal(gradient(lambda t: t[np.array([1, 1, 1])], np.ones(2)), [0, 3])


@pytest.mark.parametrize(
    "key",
    [
        1, -1, slice(None), Ellipsis, None, (), (1, 2), (slice(None, None, -1), 0), (None, 1, ..., None),
        [0, 2], np.array(1), X > 0, (X > 0)[:, 0], (slice(None), [0, 0]), ([0, 1], slice(1, 3)), (0, [1, 2]),
        (np.array([[0], [2]]), [1, 3]), [], np.zeros((3, 4), bool), True,
        (np.int64(1), np.uint8(2)), ([0, 1], None, [1, 1]),
    ],
    ids=str,
)  # fmt: skip
def test_keys_as_in_numpy(key):
    np.testing.assert_array_equal(zen.tensor(X)[key].array, X[key])
    check_gradients(lambda t: t[key] ** 2, [X])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("layout", [lambda a: a, lambda a: a.T.copy().T, lambda a: a[::-1, :, ::-1]])
@pytest.mark.parametrize("key", [2, -3, (1, -1), (-1, 0, 3), (0, -2, -4), (2, 1, 0)], ids=str)
def test_ints_on_the_first_axes(key, layout, dtype):
    x = layout(np.arange(24, dtype=dtype).reshape(3, 2, 4))
    t = zen.tensor(x, dtype=dtype, requires_grad=True)
    y = t[key]
    np.testing.assert_array_equal(y.array, x[key])
    assert y.dtype == dtype and y.shape == x[key].shape
    weights = np.random.default_rng(1).normal(size=y.shape).astype(dtype)
    expected = np.zeros(x.shape, dtype)
    expected[key] = weights * 3
    (y * weights + t[key] * (2 * weights)).sum().backward()
    np.testing.assert_allclose(t.gradient, expected, rtol=1e-6)


def test_a_cotangent_that_is_strided_is_added_where_an_int_leads():
    t = zen.tensor(np.zeros((2, 3, 2)), requires_grad=True)
    g = np.arange(6.0).reshape(2, 3).T
    t[1].backward(zen.tensor(g), retain_graph=True)
    t[-1].backward(zen.tensor(g))
    np.testing.assert_array_equal(t.gradient, [np.zeros((3, 2)), 2 * g])


@pytest.mark.parametrize("key", [3, -4, (0, 2), (2, 1, -5), 2**70, (0, -(2**70))], ids=str)
def test_ints_out_of_range(key):
    with pytest.raises(IndexError, match=r"getitem: .*\(3, 2, 4\)"):
        zen.tensor(np.zeros((3, 2, 4)))[key]


def test_tensors_as_indices():
    t = zen.tensor(X, requires_grad=True)
    np.testing.assert_array_equal(t[zen.tensor([2, 0])].array, X[[2, 0]])
    np.testing.assert_array_equal(t[zen.tensor(1)].array, X[1])
    np.testing.assert_array_equal(t[t > 0].array, X[X > 0])
    np.testing.assert_array_equal(t[zen.tensor([0, 1]), 1:].array, X[[0, 1], 1:])
    np.testing.assert_array_equal(t[[zen.tensor(0), 1]].array, X[[0, 1]])


def test_a_written_element_keeps_only_the_last_value():
    """x[[0, 0]] = v writes v[0], then v[1] over it; v[0] has no influence."""
    x, v = zen.tensor([5.0, 6.0], requires_grad=True), zen.tensor([1.0, 2.0], requires_grad=True)
    y = zen.backend.apply(register.ROWS["setitem"], (x, v), ((np.array([0, 0]),),))
    np.testing.assert_array_equal(y.array, [2, 6])
    y.sum().backward()
    np.testing.assert_array_equal(x.gradient, [0, 1])
    np.testing.assert_array_equal(v.gradient, [0, 1])


def test_views_of_any_layout_are_found_again():
    root = np.arange(24.0).reshape(2, 3, 4)
    roots = [root, root.transpose(2, 0, 1), root[:, ::-2, ::2], root[..., 0]]
    for whole in roots:
        for view in (whole[0], whole[..., ::-1], whole.T[1:], whole[1:, 1], whole[:0]):
            params = views.geometry(view, whole)
            found = register.ROWS["view_of"].forward(np.ascontiguousarray(whole), *params)
            np.testing.assert_array_equal(found, view)
            written = register.ROWS["write_view"].forward(whole, -1.0, *params)
            expected = whole.copy(order="K")
            register.ROWS["view_of"].forward(expected, *params)  # leaves its argument alone
            np.testing.assert_array_equal(np.sum(written == -1), view.size)
            np.testing.assert_array_equal(written[written != -1], expected[written != -1])


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (lambda x: f.take(x, [2, 0, 2], 1), np.take(X, [2, 0, 2], 1)),
        (lambda x: f.take(x, [[5, -1]]), np.take(X, [[5, -1]])),
        (lambda x: f.take(x, 1, 0), np.take(X, 1, 0)),
        (lambda x: f.take_along_axis(x, np.argsort(X, 1)[:, :2], 1), np.take_along_axis(X, np.argsort(X, 1)[:, :2], 1)),
        (lambda x: f.take_along_axis(x, [[1, 0, 1, 2]], 0), np.take_along_axis(X, np.array([[1, 0, 1, 2]]), 0)),
        (lambda x: f.diagonal(x), np.diagonal(X)),
        (lambda x: f.diagonal(x, 2), np.diagonal(X, 2)),
        (lambda x: f.diagonal(x, -9), np.diagonal(X, -9)),
        (lambda x: f.trace(x, -1), np.trace(X, -1)),
        (lambda x: f.tril(x, -1), np.tril(X, -1)),
        (lambda x: f.triu(x, 1), np.triu(X, 1)),
        (lambda x: f.sort(x, 0), np.sort(X, 0)),
        (lambda x: f.sort(x, None), np.sort(X, None)),
        (lambda x: f.sort(x, descending=True), -np.sort(-X)),
    ],
)
def test_functions_built_on_indexing(call, expected):
    np.testing.assert_array_equal(call(zen.tensor(X)).array, expected)
    check_gradients(lambda x: call(x) ** 2, [X])


def test_linalg_diagonal_and_trace_take_the_last_axes():
    x = np.random.default_rng(1).normal(size=(2, 3, 3))
    np.testing.assert_allclose(zen.linalg.diagonal(zen.tensor(x)).array, np.linalg.diagonal(x))
    np.testing.assert_allclose(zen.linalg.trace(zen.tensor(x), offset=1).array, np.linalg.trace(x, offset=1))


def test_argsort_is_stable_both_ways():
    x = np.array([1.0, 0.0, 1.0, 0.0])
    assert f.argsort(zen.tensor(x)).tolist() == [1, 3, 0, 2]
    assert f.argsort(zen.tensor(x), descending=True).tolist() == [0, 2, 1, 3]


def test_tril_does_not_carry_infinity_over():
    x = np.array([[1.0, np.inf], [1.0, 1.0]])
    np.testing.assert_array_equal(f.tril(zen.tensor(x)).array, [[1, 0], [1, 1]])
    np.testing.assert_array_equal(gradient(f.tril, x), [[1, 0], [1, 1]])


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda x: x[3], IndexError, r"getitem: index \[3\].*\(3, 4\)"),
        (lambda x: x[0, 0, 0], IndexError, r"getitem: index \[0, 0, 0\].*\(3, 4\)"),
        (lambda x: x[1:, [7]], IndexError, r"getitem: index \[1:, \[7\]\].*\(3, 4\)"),
        (lambda x: x[1.5], IndexError, r"getitem: index \[1\.5\]"),
        (lambda x: x["a"], IndexError, r"getitem: index \['a'\]"),
        (lambda x: x[np.ones((2, 4), bool)], IndexError, r"getitem: .*bool array of shape \(2, 4\)"),
        (lambda x: x[zen.tensor([0.5])], IndexError, r"getitem: "),
        (lambda x: f.take(x, [5], 1), IndexError, r"take: index 5.*\(3, 4\)"),
        (lambda x: f.take(x, [0.5]), IndexError, r"take: indices must be ints"),
        (lambda x: f.take_along_axis(x, [0, 1], 0), ValueError, r"take_along_axis: .*\(2,\).*\(3, 4\)"),
        (lambda x: f.diagonal(x[0]), ValueError, r"diagonal: .*\(4,\)"),
        (lambda x: f.diagonal(x, 0, 1, -1), ValueError, r"diagonal: axis1 and axis2"),
        (lambda x: f.tril(x[0]), ValueError, r"tril: .*\(4,\)"),
        (lambda x: f.sort(x, 2), ValueError, r"sort: axis 2"),
    ],
)
def test_errors_name_index_and_shape(call, error, words):
    with pytest.raises(error, match=words):
        call(zen.tensor(X, requires_grad=True))
