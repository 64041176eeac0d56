"""Linear layers and embeddings."""

import numpy as np
import pytest

import zen
from zen import backend, f
from zen.testing import check_gradients

RNG = np.random.default_rng(0)
X, WEIGHT, BIAS = RNG.normal(size=(5, 3)), RNG.normal(size=(4, 3)), RNG.normal(size=4)


def leaves(*arrays):
    return [zen.tensor(a, requires_grad=True) for a in arrays]


@pytest.mark.parametrize("shape", [(3,), (5, 3), (2, 5, 3), (2, 0, 3)])
def test_linear_against_its_definition(shape):
    x = RNG.normal(size=shape)
    np.testing.assert_allclose(f.linear(zen.tensor(x), WEIGHT, BIAS).array, x @ WEIGHT.T + BIAS)
    np.testing.assert_allclose(f.linear(x, WEIGHT).array, x @ WEIGHT.T)
    check_gradients(f.linear, [x, WEIGHT, BIAS])


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_linear_keeps_its_dtype(dtype):
    tensors = leaves(*[a.astype(dtype) for a in (X, WEIGHT, BIAS)])
    y = f.linear(*tensors)
    y.sum().backward()
    assert [y.dtype, *(t.grad.dtype for t in tensors)] == [dtype] * 4
    np.testing.assert_allclose(tensors[2].gradient, np.full(4, 5.0))


def test_a_layer_used_twice_adds_its_gradients():
    square = RNG.normal(size=(3, 3))
    x, w, b = leaves(X, square, BIAS[:3])
    g = RNG.normal(size=X.shape)
    f.linear(f.linear(x, w, b), w, b).backward(g)
    h = X @ square.T + BIAS[:3]
    inner = g @ square
    np.testing.assert_allclose(w.gradient, g.T @ h + inner.T @ X)
    np.testing.assert_allclose(b.gradient, g.sum(0) + inner.sum(0))
    np.testing.assert_allclose(x.gradient, inner @ square)


@pytest.mark.parametrize("rows", [0, 1, 7, 8, 1001])
def test_the_bias_of_any_number_of_rows(rows):
    for width in (1, 255, 600):
        x, w, b = leaves(np.ones((rows, 1)), np.zeros((width, 1)), np.zeros(width))
        g = RNG.normal(size=(rows, width))
        f.linear(x, w, b).backward(g)
        np.testing.assert_allclose(b.gradient, g.sum(0), atol=1e-12)


def test_the_gradient_of_a_bias_does_not_lose_small_parts():
    rows = 200_000
    x, w, b = leaves(np.zeros((rows, 1), np.float32), np.zeros((1, 1), np.float32), np.zeros(1, np.float32))
    f.linear(x, w, b).backward(np.full((rows, 1), 0.1, np.float32))
    assert b.gradient[0] == pytest.approx(rows * float(np.float32(0.1)), rel=1e-6)


def test_a_constant_gradient_and_a_gradient_kept_from_before():
    x, w, b = leaves(X, WEIGHT, BIAS)
    for times in (1, 2):
        f.linear(x, w, b).sum().backward()  # whose gradient is one number seen everywhere
        np.testing.assert_allclose(x.gradient, times * np.tile(WEIGHT.sum(0), (5, 1)))
        np.testing.assert_allclose(w.gradient, times * np.tile(X.sum(0), (4, 1)))
        np.testing.assert_allclose(b.gradient, times * np.full(4, 5.0))


def test_only_the_gradients_asked_for():
    w, b = leaves(WEIGHT, BIAS)
    (found,) = zen.gradients([f.linear(X, w, b)], [w], grad_outputs=[np.ones((5, 4))])
    np.testing.assert_allclose(found.array, np.ones((4, 5)) @ X)
    assert not f.linear(X, WEIGHT, BIAS).requires_grad
    frozen = f.linear(zen.tensor(X, requires_grad=True), WEIGHT, BIAS)
    frozen.backward(np.ones((5, 4)))


def test_a_weight_overwritten_before_backward():
    x, w, b = leaves(X, WEIGHT, BIAS)
    y = f.linear(x, w, b)
    view = w.detach()  # it must see the write
    with zen.no_grad():
        w.copy_(np.zeros_like(WEIGHT))
    with pytest.raises(RuntimeError, match=r"(linear|affine).*overwritten"):
        y.backward(np.ones((5, 4)))
    assert not view.array.any()
    y = f.linear(x, w, b)
    with zen.no_grad():
        b.copy_(np.zeros_like(BIAS))  # which no gradient needs
    y.backward(np.ones((5, 4)))


# -- embedding

TABLE = RNG.normal(size=(6, 3))


@pytest.mark.parametrize("indices", [[[0, 2], [2, 5]], 4, np.zeros((0, 2), int), np.array([1, 1], np.uint8)])
def test_embedding_reads_rows(indices):
    for table in (TABLE, np.asfortranarray(TABLE), TABLE.astype(np.float32), TABLE.astype(np.float16)):
        t = zen.tensor(table, requires_grad=True)
        y = f.embedding(indices, t)
        np.testing.assert_array_equal(y.array, table[np.asarray(indices)])
        g = RNG.normal(size=y.shape).astype(table.dtype)
        y.backward(g)
        expected = np.zeros(table.shape, table.dtype)
        np.add.at(expected, np.asarray(indices), g)
        np.testing.assert_allclose(t.gradient, expected, rtol=1e-6)
    check_gradients(lambda t: f.embedding(indices, t), [TABLE])


def test_the_padding_row_gets_no_gradient():
    indices = np.array([[0, 2, 2], [5, 2, 0]])
    for padding in (2, -4):
        (t,) = leaves(TABLE)
        y = f.embedding(zen.tensor(indices), t, padding)
        np.testing.assert_array_equal(y.array, TABLE[indices])
        (first,) = zen.gradients([(y * y).sum()], [t], create_graph=True)
        expected = np.zeros_like(TABLE)
        expected[[0, 5]] = 4 * TABLE[0], 2 * TABLE[5]
        np.testing.assert_allclose(first.array, expected)
        (second,) = zen.gradients([first.sum()], [t])
        np.testing.assert_allclose(second.array, np.outer([4, 0, 0, 0, 0, 2], np.ones(3)))


def test_rows_are_limited_and_their_gradients_shared():
    table = np.array([[3.0, 4.0], [0.3, 0.4], [6.0, 8.0]])
    (t,) = leaves(table)
    y = f.embedding([0, 1, 0], t, max_norm=1.0)
    np.testing.assert_allclose(y.array, [[0.6, 0.8], [0.3, 0.4], [0.6, 0.8]], rtol=1e-6)
    np.testing.assert_array_equal(t.array[2], [6.0, 8.0])  # not looked up
    y = f.embedding([0, 2, 0], t, scale_grad_by_freq=True)
    y.sum().backward()
    assert t.gradient.tolist() == [[1.0, 1.0], [0.0, 0.0], [1.0, 1.0]]
    (wide,) = leaves(np.array([[np.inf, 1.0], [np.nan, -np.inf]], np.float32))
    y = f.embedding([0, 1, 0], wide, scale_grad_by_freq=True)
    np.testing.assert_array_equal(y.array, wide.array[[0, 1, 0]], strict=True)
    y.backward(np.ones((3, 2)))
    assert wide.gradient.tolist() == [[1.0, 1.0], [1.0, 1.0]]
    array = np.array([[3.0, -4.0]])
    np.testing.assert_allclose(f.embedding([0], array, None, 3.5, 1.0).array, [[1.5, -2.0]], rtol=1e-6)
    with pytest.raises(NotImplementedError, match="embedding: gradients are dense here"):
        f.embedding([0], t, sparse=True)
    with pytest.raises(IndexError, match="embedding: index 3"):
        f.embedding([0, 3], t, max_norm=1.0)


def test_two_lookups_add_up():
    (t,) = leaves(TABLE)
    (f.embedding([0, 1], t) + f.embedding([1, 3], t)).backward(np.ones((2, 3)))
    np.testing.assert_array_equal(t.gradient[:, 0], [1, 2, 0, 1, 0, 0])


def test_the_gradient_of_reading_rows_by_number():
    (t,) = leaves(TABLE)
    t[np.array([[-1, 0], [0, 5]])].sum().backward()
    np.testing.assert_array_equal(t.gradient, np.outer([2, 0, 0, 0, 0, 2], np.ones(3)))


def test_row_numbers_of_a_small_dtype_in_a_long_array():
    (t,) = leaves(np.zeros((300, 2)))
    t[np.array([-1, 5], np.int8)].sum().backward()
    np.testing.assert_array_equal(np.flatnonzero(t.gradient[:, 0]), [5, 299])


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (
            lambda: f.linear(X, WEIGHT.T),
            ValueError,
            r"linear: x of shape \(5, 3\) and weight of .*\(3, 4\).*must equal",
        ),
        (lambda: f.linear(zen.tensor(X), WEIGHT, BIAS[:3]), ValueError, r"linear: .* bias of shape \(4,\), not \(3,\)"),
        (lambda: f.linear(X, WEIGHT, BIAS[:1]), ValueError, r"linear: .* bias of shape \(4,\), not \(1,\)"),
        (lambda: f.linear(1.0, WEIGHT), ValueError, r"linear: .*at least one axis"),
        (lambda: f.linear(X, WEIGHT[0]), ValueError, r"linear: .*matrix \(out, in\)"),
        (lambda: f.embedding([0, 6], zen.tensor(TABLE)), IndexError, r"embedding: index 6 .*\(6, 3\)"),
        (lambda: f.embedding([0, -1], TABLE), IndexError, r"embedding: index -1 .*\(6, 3\)"),
        (lambda: f.embedding([0.5], TABLE), ValueError, r"embedding: .*float64"),
        (lambda: f.embedding([0], TABLE[0]), ValueError, r"embedding: .*\(3,\)"),
        (lambda: f.embedding([0], TABLE, padding_idx=6), IndexError, r"embedding: padding_idx 6 .*\(6, 3\)"),
    ],
)
def test_errors_say_what_does_not_fit(call, error, words):
    with pytest.raises(error, match=words):
        call()


def test_rows_are_added_by_a_kernel_that_checks_what_it_gets():
    add, out, g = backend.kernels.lines.scatter_add_rows, np.zeros((3, 2)), np.ones((4, 2))
    add(out, np.array([0, 2, 2, 1]), g[::1], 1)
    np.testing.assert_array_equal(out[:, 0], [1, 0, 2])
    with pytest.raises(IndexError, match="scatter_add_rows: .*3"):
        add(out, np.array([0, 1, 2, 3]), g)
    for bad in [(out[:, :1], [0], g[:1, :1]), (out, [0.5], g[:1]), (out, [0], g), (out, [0], g[:1].astype("f"))]:
        with pytest.raises(ValueError, match="scatter_add_rows"):
            add(bad[0], np.array(bad[1]), bad[2])
