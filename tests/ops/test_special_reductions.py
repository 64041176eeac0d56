"""Special points of reductions, norms, products and linear algebra, to the third order; sums that are long or large."""

import itertools

import numpy as np
import pytest

import zen
from zen import f

inf = np.inf


def tensor_of(function, x, order):
    """All derivatives of one order, by reverse mode as often."""
    x = np.asarray(x, float)
    found = np.empty((x.size,) * order)
    for index in itertools.product(range(x.size), repeat=order):
        derivative = function
        for k in index:
            derivative = _element(zen.grad(derivative), k)
        found[index] = derivative(x)
    return found


def _element(gradient, k):
    return lambda x: gradient(x).reshape(-1)[k]


def hessian_forward(function, x):
    """Second derivatives by forward mode over forward mode."""
    x = np.asarray(x, float)

    def along(e):
        return lambda v: zen.jvp(function, (v,), (e,))[1]

    units = np.eye(x.size).reshape(-1, *x.shape)
    return np.array([[float(zen.jvp(along(a), (x,), (b,))[1]) for b in units] for a in units])


NORMS = {
    "norm": f.norm,
    "3-norm": lambda x: f.vector_norm(x, ord=3),
    "1.5-norm": lambda x: f.vector_norm(x, ord=1.5),
    "0.5-norm": lambda x: f.vector_norm(x, ord=0.5),
    "Frobenius norm": lambda x: f.matrix_norm(f.reshape(x, (1, -1))),
    "distance": lambda x: f.sum(f.pairwise_distance(x, np.zeros(2), eps=0.0)),
}


@pytest.mark.parametrize("name", NORMS)
def test_a_norm_at_zero_has_the_subgradient_zero_and_no_finite_second_derivative(name):
    norm = NORMS[name]
    np.testing.assert_array_equal(tensor_of(norm, [0.0, 0.0], 1), 0)
    for function in (norm, lambda x: norm(x) ** 2):  # the square has the Hessian 2, or of another norm, none
        for found in (tensor_of(function, [0.0, 0.0], 2), hessian_forward(function, [0.0, 0.0])):
            assert not np.isfinite(found).any()


def test_standard_deviation_of_constants_has_no_finite_second_derivative():
    for function in (f.std, lambda x: f.std(x) ** 2):
        np.testing.assert_array_equal(tensor_of(function, [2.0, 2.0], 1), 0)
        assert not np.isfinite(tensor_of(function, [2.0, 2.0], 2)).any()
        assert not np.isfinite(hessian_forward(function, [2.0, 2.0])).any()
    np.testing.assert_allclose(tensor_of(f.var, [2.0, 2.0], 2), [[0.5, -0.5], [-0.5, 0.5]])


def test_norms_on_an_axis():
    """y(a, 1) near a = 0: sqrt(1 + a^2), (1 + |a|^3)^(1/3) and (1 + |a|^1.5)^(2/3)."""
    np.testing.assert_allclose(tensor_of(f.norm, [0.0, 1.0], 2), [[1, 0], [0, 0]], atol=1e-15)
    third = tensor_of(f.norm, [0.0, 1.0], 3)  # only d3/da2 db = -1 is not 0
    np.testing.assert_allclose(third, [[[0, -1], [-1, 0]], [[-1, 0], [0, 0]]], atol=1e-15)
    np.testing.assert_allclose(tensor_of(NORMS["3-norm"], [0.0, 1.0], 2), 0, atol=1e-15)
    np.testing.assert_allclose(tensor_of(NORMS["1.5-norm"], [0.0, 1.0], 1), [0, 1])
    assert not np.isfinite(tensor_of(NORMS["1.5-norm"], [0.0, 1.0], 2)[0, 0])
    np.testing.assert_allclose(tensor_of(NORMS["0.5-norm"], [0.0, 1.0], 1), [0, 1])  # where the slope is infinite: 0
    np.testing.assert_allclose(tensor_of(lambda x: f.vector_norm(x, ord=4), [0.0, 1.0], 3), 0, atol=1e-15)


def test_products_with_zeros_to_the_third_order():
    x = [0.0, 0.0, 3.0]
    np.testing.assert_array_equal(tensor_of(f.prod, x, 1), 0)
    np.testing.assert_array_equal(tensor_of(f.prod, x, 2), [[0, 3, 0], [3, 0, 0], [0, 0, 0]])
    expected = np.zeros((3, 3, 3))
    for index in itertools.permutations(range(3)):
        expected[index] = 1
    np.testing.assert_array_equal(tensor_of(f.prod, x, 3), expected)


def test_determinant_of_zero_to_the_third_order():
    expected = np.zeros((9, 9, 9))
    for columns in itertools.permutations(range(3)):
        sign = np.linalg.det(np.eye(3)[list(columns)])
        for rows in itertools.permutations(range(3)):
            expected[tuple(3 * r + columns[r] for r in rows)] = sign
    x = np.zeros((3, 3))
    found = tensor_of(f.det, x, 1)
    np.testing.assert_allclose(found, 0, atol=1e-14)
    t = zen.tensor(x, requires_grad=True)
    h = zen.gradients(f.det(t), t, create_graph=True)
    h = zen.gradients(h[0, 0], t, create_graph=True)
    third = zen.gradients(h[1, 1], t)
    np.testing.assert_allclose(third.array.reshape(-1), expected[0, 4], atol=1e-14)


def test_ties_of_extremes_share_and_have_no_curvature():
    for function in (f.max, f.min):
        np.testing.assert_array_equal(tensor_of(function, [1.0, 1.0], 1), 0.5)
        np.testing.assert_array_equal(tensor_of(function, [1.0, 1.0], 2), 0)
    np.testing.assert_array_equal(tensor_of(lambda x: f.max(x) ** 2, [1.0, 1.0], 2), 0.5)


def test_logsumexp_is_softmax_to_the_third_order_and_at_infinities():
    np.testing.assert_allclose(tensor_of(f.logsumexp, [0.0, 0.0], 2), [[0.25, -0.25], [-0.25, 0.25]])
    np.testing.assert_allclose(tensor_of(f.logsumexp, [0.0, 0.0], 3), 0, atol=1e-15)
    for x, expected in (
        ([0.0, inf], [0, 1]), ([inf, inf], [0.5, 0.5]), ([-inf, 0.0], [0, 1]), ([-inf, -inf], [0, 0]),
        ([-inf, inf], [0, 1]), ([1e300, 0.0], [1, 0]),
    ):  # fmt: skip
        np.testing.assert_array_equal(tensor_of(f.logsumexp, x, 1), expected)
        np.testing.assert_array_equal(tensor_of(f.logsumexp, x, 2), 0)
    assert np.isnan(tensor_of(f.logsumexp, [0.0, np.nan], 1)).all()


def test_gradients_of_logsumexp_add_up_to_one_in_float32():
    """Far from zero exp(x - y) shows the rounding of y: two halves added up to 0.98 at 1e6."""
    x = zen.tensor(np.full((3, 7), 1e6, np.float32), requires_grad=True)
    f.logsumexp(x, axis=1).sum().backward()
    np.testing.assert_allclose(x.gradient, 1 / 7, rtol=1e-6)
    a, b = (zen.tensor(np.array([1e6, -1e6], np.float32) + k, requires_grad=True) for k in np.float32([0, 0.5]))
    f.logaddexp(a, b).sum().backward()
    np.testing.assert_allclose(a.gradient + b.gradient, 1, rtol=1e-6)
    np.testing.assert_allclose(b.gradient, 1 / (1 + np.exp(-0.5)), rtol=1e-6)


CONSTANT = {
    "matrix_power(x, 0)": lambda x: f.matrix_power(x, 0),
    "vector_norm(x, ord=0)": lambda x: f.vector_norm(x, ord=0),
    "vector_norm over an axis": lambda x: f.vector_norm(x, 1, ord=0, keepdims=True),
    "x ** 0": lambda x: x**0,
    "0 * x": lambda x: x * 0,
    "floor": f.floor, "ceil": f.ceil, "trunc": f.trunc, "round": lambda x: f.round(x, 1), "sign": f.sign,
    "x // 2": lambda x: x // 2,
    "dropout of all": lambda x: f.dropout(x, 1.0),
    "clip between equal limits": lambda x: f.clip(x, 7.0, 7.0),
    "softmax over one class": lambda x: f.softmax(x[..., None], -1),
    "sign of the determinant": lambda x: f.slogdet(x).sign,
    "cross entropy with all samples ignored": lambda x: f.cross_entropy(x, [-100, -100], reduction="sum"),
    "nothing selected": lambda x: x[:0],
    "where never": lambda x: f.where(False, x, 1.0),
}  # fmt: skip


@pytest.mark.parametrize("name", CONSTANT)
def test_a_result_that_is_constant_in_its_input_has_a_gradient_of_zero(name):
    x = np.array([[1.5, 2.25], [-0.75, 3.0]])
    t = zen.tensor(x, requires_grad=True)
    y = CONSTANT[name](t)
    assert y.requires_grad
    np.testing.assert_array_equal(zen.gradients(f.sum(y), t).array, np.zeros((2, 2)))
    np.testing.assert_array_equal(zen.grad(lambda v: f.sum(CONSTANT[name](v)))(x), np.zeros((2, 2)))
    np.testing.assert_array_equal(zen.jvp(CONSTANT[name], (x,), (np.ones((2, 2)),))[1], np.zeros(y.shape))


def test_values_that_are_constant_in_their_input():
    x = zen.tensor([[1.0, 0.0], [0.0, 3.0]], requires_grad=True)
    np.testing.assert_array_equal(f.matrix_power(x, 0).array, np.eye(2))
    np.testing.assert_array_equal(f.vector_norm(x, ord=0).array, 2.0)
    np.testing.assert_array_equal(f.vector_norm(x, 1, ord=0, keepdims=True).array, [[1.0], [1.0]])
    assert f.vector_norm(zen.tensor(np.ones(3, np.float32)), ord=0).dtype == np.float32


# --- sums in float32

MANY = 3_000_000
SCATTERS = {
    "embedding": lambda w, i: f.embedding(i, w),
    "take": lambda w, i: f.take(w, i, axis=0),
    "getitem": lambda w, i: w[i],
    "getitem of elements": lambda w, i: w[i, np.zeros(1, int)],
    "take_along_axis": lambda w, i: f.take_along_axis(w, i[:, None], 0),
}


@pytest.mark.parametrize("name", SCATTERS)
def test_millions_of_additions_into_one_element_keep_their_precision(name):
    """Row 1 is read 3e6 times, row 0 ten times: adding one by one in float32 stops counting tenths at 2e6."""
    index = np.ones(MANY, np.int64)
    index[:: MANY // 10] = 0
    w = zen.tensor(np.zeros((3, 1), np.float32), requires_grad=True)
    y = SCATTERS[name](w, index)
    y.backward(np.full(y.shape, 0.1, np.float32))
    np.testing.assert_allclose(w.gradient[:, 0], np.float32(0.1) * np.array([10.0, MANY - 10, 0.0]), rtol=2e-6)


def test_float16_scatters_add_up_in_float32():
    w = zen.tensor(np.zeros((2, 3), np.float16), requires_grad=True)
    index = np.zeros(5000, np.int64)
    for y in (w[index], f.embedding(index, w), f.take(w, index, axis=0)):
        (g,) = zen.gradients([y], [w], grad_outputs=[np.ones(y.shape, np.float16)])
        np.testing.assert_array_equal(g.array, [[5000.0] * 3, [0.0] * 3])


def test_long_rows_and_skipped_ones():
    """More rows than one are long, one of them is the padding, and the gradient adds to one that is there."""
    rng = np.random.default_rng(0)
    index = rng.choice([0, 1, 2, 5], 6000, p=[0.4, 0.3, 0.29, 0.01])
    g = rng.normal(size=(6000, 4)).astype(np.float32)
    w = zen.tensor(np.zeros((7, 4), np.float32), requires_grad=True)
    (f.embedding(index, w, padding_idx=1) * g).sum().backward()
    (f.embedding(index, w, padding_idx=1) * g).sum().backward()
    expected = np.zeros((7, 4))
    np.add.at(expected, index, 2.0 * g)
    expected[1] = 0
    np.testing.assert_allclose(w.gradient, expected, rtol=1e-5, atol=1e-4)
