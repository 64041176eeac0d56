"""Python functions of lines, axes, elements and places: values from NumPy, gradients against differences."""

import numpy as np
import pytest

import zen
from zen.testing import check_gradients

X = np.array([[0.5, -1.0, 2.0], [1.5, 0.25, -0.75]])
T = np.arange(24.0).reshape(2, 3, 4) / 7

CALLS = {
    "along the last": lambda x: np.apply_along_axis(lambda v: v * v.sum(), 1, x),
    "along the first": lambda x: np.apply_along_axis(lambda v: v[::-1] * 2, 0, x),
    "to a number": lambda x: np.apply_along_axis(lambda v: np.sum(v * v), -1, x),
    "to a matrix": lambda x: np.apply_along_axis(lambda v: np.outer(v, v), 0, x),
    "to a matrix in the middle": lambda x: np.apply_along_axis(np.diag, 1, np.stack([x, x], axis=2)),
    "with arguments": lambda x: np.apply_along_axis(lambda v, k, s: v**k * s, 1, x, 3, s=2.0),
    "of a vector": lambda x: np.apply_along_axis(np.cumsum, 0, x[0]),
    "over axes": lambda x: np.apply_over_axes(np.sum, x, [0, 1]),
    "over one axis": lambda x: np.apply_over_axes(np.cumsum, x, 1),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())
def test_values_are_numpys_and_derivatives_those_of_differences(call):
    wanted = np.asarray(call(X))
    for t in (zen.tensor(X), zen.tensor(X, requires_grad=True)):
        found = call(t)
        assert type(found) is zen.Tensor and found.requires_grad == t.requires_grad
        np.testing.assert_allclose(found.value, wanted, rtol=1e-14)
        assert (found.dtype, found.shape) == (wanted.dtype, wanted.shape)
    check_gradients(call, [X])


def test_axes_of_three():
    for axis in range(3):
        found = np.apply_along_axis(lambda v: np.outer(v, v[:2]), axis, zen.tensor(T, requires_grad=True))
        np.testing.assert_allclose(found.value, np.apply_along_axis(lambda v: np.outer(v, v[:2]), axis, T))


def test_fromfunction_with_and_without_numpy():
    t = zen.tensor(2.0, requires_grad=True)
    for make in (np.fromfunction, zen.f.fromfunction):
        y = make(lambda i, j: i * t + j, (2, 3))
        assert y.detach().tolist() == [[0.0, 1.0, 2.0], [2.0, 3.0, 4.0]]
        assert zen.grad(lambda t, make=make: make(lambda i, j: i * t + j, (2, 3)).sum())(t).item() == 3.0
    assert zen.f.fromfunction(lambda i: i, 3, dtype=int).dtype == np.int64


# vectorize


def either(x, y):
    return x * y if x > y else y / x


def test_vectorize_is_numpys():
    f, g = zen.vectorize(either), np.vectorize(either)
    x, y = np.array([[1.5], [0.5]]), np.array([1.0, 2.0, 0.25])
    np.testing.assert_allclose(f(zen.tensor(x), y).numpy(), g(x, y))
    np.testing.assert_allclose(f(x, y=zen.tensor(y)).numpy(), g(x, y))
    assert f(2.0, 1.0).item() == 2.0 and f.__name__ == "either" and zen.vectorize(either, doc="text").__doc__ == "text"
    check_gradients(f, [x, y])


def test_vectorize_of_several_results_and_dtypes():
    f = zen.vectorize(lambda x: (x * 2, x + 1), otypes=["f", float])
    a, b = f(zen.tensor([1.0, 2.0], requires_grad=True))
    assert a.dtype == np.float32 and a.detach().tolist() == [2.0, 4.0] and b.detach().tolist() == [2.0, 3.0]
    a, b = f(zen.zeros((0, 2)))
    assert a.shape == (0, 2) and b.dtype == np.float64


def test_vectorize_of_vectors():
    f = zen.vectorize(lambda m, v: m @ v, signature="(m,n),(n)->(m)")
    m, v = np.arange(24.0).reshape(2, 4, 3) / 9, np.arange(6.0).reshape(2, 1, 3)
    np.testing.assert_allclose(
        f(zen.tensor(m), v).numpy(), np.vectorize(np.matmul, signature="(m,n),(n)->(m)")(m, v), rtol=1e-14
    )
    check_gradients(f, [m, v])


def test_vectorize_leaves_out_what_is_excluded():
    f = zen.vectorize(lambda p, x, k=1: sum(c * x**n for n, c in enumerate(p)) * k, excluded=[0, "k"])
    p = [1.0, zen.tensor(2.0, requires_grad=True)]
    y = f(p, zen.tensor([0.0, 3.0]), k=2)
    assert y.detach().tolist() == [2.0, 14.0]
    y.sum().backward()
    assert p[1].gradient == 6.0


def test_vectorize_decorates():
    @zen.vectorize
    def f(x):
        """Text."""
        return x + 1

    @zen.vectorize(signature="(n)->()")
    def g(v):
        return v.sum()

    assert f(zen.ones(2)).tolist() == [2.0, 2.0] and f.__doc__ == "Text." and g(zen.ones((2, 3))).tolist() == [3.0, 3.0]


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda x: np.apply_along_axis(lambda v: v, 0, x[:, :0]), ValueError, "has no lines along axis 0"),
        (lambda x: np.apply_along_axis(lambda v: v, 2, x), ValueError, "axis 2 is out of range"),
        (lambda x: np.apply_over_axes(lambda a, k: a.sum(), x, [0]), ValueError, r"made shape \(\)"),
        (lambda x: zen.vectorize(lambda v: v)(x[:0]), ValueError, "no elements.*otypes="),
        (lambda x: zen.vectorize(lambda v: v, signature="n->n"), ValueError, "'n->n' is no signature"),
        (lambda x: zen.vectorize(lambda v: v, signature="(n)->()")(x, x), TypeError, "takes 1 arguments, not 2"),
    ],
)  # fmt: skip
def test_errors_say_what_is_wrong(call, error, words):
    with pytest.raises(error, match=words):
        call(zen.tensor(X, requires_grad=True))
