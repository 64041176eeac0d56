"""Derivatives by arguments that nothing else takes part in: whose arrays, which structure, what else may happen."""

import numpy as np
import pytest

import zen

A, B = np.array([1.0, -2.0, 3.0]), np.array([0.5, 4.0, 2.0])


def test_gradients_are_arrays_of_their_own():
    value, g = zen.value_and_grad(lambda p: (p["a"] + p["b"]).sum())({"a": A, "b": B})
    g["a"] *= 10
    value += 1
    assert g["a"].tolist() == [10, 10, 10] and g["b"].tolist() == [1, 1, 1]
    cotangent = np.array([1.0, 2.0, 3.0])
    y, pull = zen.vjp(lambda x, y: x + y, A, B)
    first, second = pull(cotangent)
    first *= 10
    y *= 10
    assert cotangent.tolist() == second.tolist() == [1, 2, 3] and pull(cotangent)[0].tolist() == [1, 2, 3]
    assert A.tolist() == [1, -2, 3]
    given = zen.tensor(cotangent)
    (product,) = zen.vjp(lambda x: +x, zen.tensor(A))[1](given)
    with zen.no_grad():
        product *= 10
    assert given.tolist() == [1, 2, 3] and isinstance(product, zen.Tensor)


@pytest.mark.parametrize("count", [1, 15, 16, 17, 33, 100])
def test_many_arguments(count):
    xs = [np.full(2, k + 1.0) for k in range(count)]
    value, g = zen.value_and_grad(lambda xs: sum([(k + 1) * (x * x).sum() for k, x in enumerate(xs)]))(xs)
    assert value == sum([2 * (k + 1) ** 3 for k in range(count)])
    np.testing.assert_array_equal(g, [[2 * (k + 1) ** 2] * 2 for k in range(count)])


def test_what_is_not_needed_has_zeros_and_the_structure_stays():
    p = {"used": A, "not": (np.float32(3), None, np.ones((2, 0), np.float16), 2), "number": 3.0, "empty": []}
    g = zen.grad(lambda p: (p["used"] * p["number"]).sum())(p)
    assert list(g) == list(p) and g["empty"] == []
    assert g["used"].tolist() == [3, 3, 3] and g["number"].shape == () and g["number"] == 2
    number, none, empty, whole = g["not"]
    assert none is None and (number.shape, number.dtype, number) == ((), np.float32, 0)
    assert (empty.shape, empty.dtype) == ((2, 0), np.float16) and (whole.dtype, whole) == (np.float64, 0)


def test_the_argument_itself_as_the_result():
    assert zen.value_and_grad(lambda x: x)(2.5) == (2.5, 1.0)
    y, pull = zen.vjp(lambda x: x, A)
    assert y.tolist() == A.tolist() and pull(B)[0].tolist() == B.tolist()
    g = zen.grad(lambda pair: pair[0])((1.0, 2.0))
    assert g == (1.0, 0.0) and type(g) is tuple


def test_one_array_as_two_arguments():
    first, second = zen.grad(lambda x, y: (x * x * y).sum(), argnums=(0, 1))(A, A)
    np.testing.assert_array_equal(first, 2 * A * A)
    np.testing.assert_array_equal(second, A * A)


@pytest.mark.parametrize("argnums", [0, 1, -1, -2])
def test_arguments_beside_the_one(argnums):
    args = (A, B)
    g = zen.grad(lambda x, y, power=1: (x**power * y).sum(), argnums)(*args, power=2)
    assert type(g) is np.ndarray
    np.testing.assert_array_equal(g, 2 * A * B if argnums in (0, -2) else A * A)
    held = zen.tensor(B, requires_grad=True)  # a result that could be differentiated by it is a Tensor
    value, g = zen.value_and_grad(lambda x, y: (x * x).sum() + (y * y).sum())(A, held)
    g2 = zen.grad(lambda x, y: (x * x).sum())(A, held)
    assert value.requires_grad and isinstance(g, zen.Tensor) and isinstance(g2, zen.Tensor)
    assert g.tolist() == g2.tolist() == (2 * A).tolist()


def test_complex_arguments_point_uphill():
    z, x = np.array([1 + 2j, -3j]), np.array([2.0, 1.0])
    value, g = zen.value_and_grad(lambda p: (abs(p[0]) ** 2 * p[1]).sum())([z, x])
    np.testing.assert_allclose(value, 19)
    np.testing.assert_allclose(g[0], 2 * z * x)
    np.testing.assert_allclose(g[1], [5, 9])
    _, pull = zen.vjp(lambda x: x * z, x)
    np.testing.assert_allclose(pull(np.array([1j, 1.0]))[0], [2.0, 0.0])  # real(conj(z) * cotangent)


def test_hooks_and_retained_gradients_within_the_function():
    seen = []

    def f(x):
        y = x * 2
        y.retain_grad()
        y.register_hook(lambda g: g * 10)
        x.register_hook(lambda g: seen.append(g.tolist()))
        kept.append(y)
        return (y * y).sum()

    kept = []
    g = zen.grad(f)(A)
    np.testing.assert_array_equal(g, 80 * A)  # 10 * 2 * y * 2
    assert seen == [(80 * A).tolist()] and kept[0].grad is None


def test_the_graph_of_another_pullback_is_left_alone():
    leaked = []

    def inner(x):
        leaked.append(x * x)
        return leaked[0] * 3

    def outer(y):
        pulls.append(zen.vjp(inner, A)[1])
        return (leaked[0] * y).sum()

    pulls = []
    np.testing.assert_array_equal(zen.grad(outer)(B), A * A)
    np.testing.assert_array_equal(pulls[0](np.ones(3))[0], 6 * A)


def test_a_graph_that_the_function_used_up_says_so():
    def f(x):
        y = (x * x).sum()
        y.backward()
        return y

    with pytest.raises(RuntimeError, match="released by an earlier backward pass"):
        zen.grad(f)(A)


def test_a_pullback_of_what_the_function_released_says_so():
    kept = []

    def f(x):
        kept.append((x * x).sum())
        return kept[0]

    _, pull = zen.vjp(f, A)
    assert pull(np.float64(1.0))[0].tolist() == (2 * A).tolist()
    kept[0].backward()
    with pytest.raises(RuntimeError, match="released by an earlier backward pass"):
        pull(np.array(1.0))


@pytest.mark.parametrize("cotangent", [np.array([1.0, 2.0, 3.0], np.float32), np.array([1, 2, 3])])
def test_cotangents_of_other_kinds(cotangent):
    (g,) = zen.vjp(lambda x: x * x, A)[1](cotangent)
    assert type(g) is np.ndarray and g.dtype == np.float64
    np.testing.assert_array_equal(g, 2 * A * [1, 2, 3])


def test_a_cotangent_of_another_shape_is_refused():
    _, pull = zen.vjp(lambda x: x * x, A)
    for wrong in (np.ones(2), np.ones((1, 3)), np.ones(()), zen.ones(4)):
        with pytest.raises(ValueError, match=r"vjp: the cotangent of the result has shape .*; expected \(3,\)"):
            pull(wrong)


def test_without_recording_around_the_call():
    w = zen.tensor(B, requires_grad=True)
    with zen.no_grad():
        value, g = zen.value_and_grad(lambda x: (x * x * w).sum())(A)
        y, pull = zen.vjp(lambda x: x * x, A)
        alone = zen.grad(lambda x: (x * x).sum())(A)
    assert type(value) is type(g) is type(alone) is np.ndarray
    np.testing.assert_array_equal(g, 2 * A * B)
    np.testing.assert_array_equal(alone, 2 * A)
    np.testing.assert_array_equal(pull(B)[0], 2 * A * B)
    assert w.grad is None
