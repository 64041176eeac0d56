"""custom_vjp: an operation with a derivative of the user's own."""

from collections import namedtuple

import numpy as np
import pytest

import zen

Layer = namedtuple("Layer", "w b")
A = np.random.default_rng(0).normal(size=(3, 3))
V = np.random.default_rng(1).normal(size=3)
U = np.random.default_rng(2).normal(size=3)


def value(x):
    return float(np.sum(np.tanh(A @ x) ** 2) + np.prod(x))


# custom_vjp


@zen.custom_vjp
def cube(x):
    """x**3."""
    return x**3


@cube.defvjp
def _(g, out, x):
    return 3 * x * x * g


@zen.custom_vjp
def scaled(x, w, label, *, factor=1.0):
    assert type(x) is np.ndarray and label == "static"
    return x * w * factor


@scaled.defvjp
def _(g, out, x, w, label, *, factor=1.0):
    return g * w * factor, zen.sum(g * x) * factor, None


def test_a_custom_operation():
    x = zen.tensor(V, requires_grad=True)
    y = cube(x)
    assert isinstance(y, zen.Tensor) and y.node.row.name == "cube" and cube.__doc__ == "x**3."
    y.sum().backward()
    np.testing.assert_allclose(x.grad.array, 3 * V**2)
    np.testing.assert_allclose(cube(V).array, V**3)
    assert not cube(V).requires_grad


def test_a_custom_operation_of_several_arguments():
    np.testing.assert_allclose(
        zen.grad(lambda x, w: zen.sum(scaled(x, w, "static", factor=3.0)), (0, 1))(V, 2.0)[0], np.full(3, 6.0)
    )
    gx, gw = zen.grad(lambda x, w: zen.sum(scaled(x, w, "static")), (0, 1))(V, 2.0)
    np.testing.assert_allclose(gx, np.full(3, 2.0))
    np.testing.assert_allclose(gw, V.sum())
    g = zen.grad(lambda x: zen.sum(scaled(x, 2.0, "static")))(V)
    np.testing.assert_allclose(g, np.full(3, 2.0))


def test_a_custom_operation_at_higher_orders_and_in_forward_mode():
    np.testing.assert_allclose(zen.grad(zen.grad(cube))(2.0), 12.0)
    np.testing.assert_allclose(zen.grad(zen.grad(zen.grad(cube)))(2.0), 6.0)
    np.testing.assert_allclose(zen.jvp(cube, (V,), (U,))[1], 3 * V**2 * U)
    np.testing.assert_allclose(zen.jvp(zen.grad(cube), (2.0,), (1.0,))[1], 12.0)
    f = lambda x, w: zen.sum(scaled(x, w, "static", factor=3.0))  # noqa: E731
    np.testing.assert_allclose(zen.jvp(f, (V, 2.0), (U, 0.5))[1], 3 * (2 * U.sum() + 0.5 * V.sum()))
    np.testing.assert_allclose(zen.grad(lambda w: zen.grad(f)(V, w)[0])(2.0), 3.0)


def test_a_custom_operation_given_both_functions():
    double = zen.custom_vjp(lambda x: 2 * x, lambda g, out, x: (2 * g,))
    assert zen.grad(double)(1.0) == 2.0


def test_a_custom_operation_in_plain_numpy_cannot_be_differentiated_twice():
    @zen.custom_vjp
    def sine(x):
        return np.sin(x)

    @sine.defvjp
    def _(g, out, x):
        assert type(x) is np.ndarray
        return g * np.cos(x)

    @zen.custom_vjp
    def array_sine(x):
        return np.sin(x)

    @array_sine.defvjp
    def _(g, out, x):
        if isinstance(x, zen.Tensor):
            return g.array * np.cos(x.array)
        return g * np.cos(x)

    for f, error in ((sine, AssertionError), (array_sine, TypeError)):
        np.testing.assert_allclose(zen.grad(f)(1.0), np.cos(1.0))
        for call in (lambda f=f: zen.grad(zen.grad(f))(1.0), lambda f=f: zen.jvp(f, (1.0,), (1.0,))):
            with pytest.raises(error) as caught:
                call()
            text = str(caught.value) + "".join(getattr(caught.value, "__notes__", []))
            assert f.__name__ in text and "dispatch" in text
    x = zen.tensor(1.0, requires_grad=True)
    with pytest.raises(TypeError, match=r"array_sine.*create_graph"):
        array_sine(x).backward(create_graph=True)
    assert x.grad is None and zen.is_grad_enabled()


@pytest.mark.parametrize(
    ("gradient", "error", "match"),
    [
        (lambda g, x: np.ones(5), (ValueError, RuntimeError), r"bad.*\(5,\).*\(3,\)"),
        (lambda g, x: 1.0, (ValueError, RuntimeError), r"bad.*\(\).*\(3,\)"),
        (lambda g, x: np.ones((1, 3)), (ValueError, RuntimeError), r"bad.*\(1, 3\).*\(3,\)"),
        (lambda g, x: (g, g), ValueError, r"bad.*2 gradients for 1 arguments"),
        (lambda g, x: (), ValueError, r"bad.*0 gradients"),
        (lambda g, x: np.array(["a", "b", "c"]), TypeError, "bad.*dtype"),
        (lambda g, x: 1 / 0, ZeroDivisionError, None),
    ],
)
def test_a_custom_derivative_that_is_wrong(gradient, error, match):
    bad = zen.custom_vjp(lambda x: x * 2.0, lambda g, out, x: gradient(g, x))
    bad._name = "bad"
    x = zen.tensor(V, requires_grad=True)
    with pytest.raises(error, match=match):
        bad(x).sum().backward()
    assert x.grad is None
    (x * 2.0).sum().backward()
    np.testing.assert_array_equal(x.grad.array, [2.0, 2.0, 2.0])


def test_nan_and_none_are_gradients():
    nan = zen.custom_vjp(lambda x: x * 1.0, lambda g, out, x: g * np.nan)
    assert np.isnan(zen.grad(nan)(1.0))
    half = zen.custom_vjp(lambda x, y: x + y, lambda g, out, x, y: (g, None))
    x, y = zen.tensor(1.0, requires_grad=True), zen.tensor(1.0, requires_grad=True)
    half(x, y).backward()
    assert x.grad.item() == 1.0 and (y.grad is None or y.grad.item() == 0.0)


def test_a_gradient_gets_the_dtype_of_its_argument():
    f = zen.custom_vjp(lambda x: x * 2, lambda g, out, x: np.full(x.shape, 2.0))
    assert zen.grad(lambda x: zen.sum(f(x)))(np.ones(3, np.float32)).dtype == np.float32


def test_bad_custom_operations():
    @zen.custom_vjp
    def nothing(x):
        return x * 2.0

    with pytest.raises(RuntimeError, match=r"nothing.*defvjp"):
        zen.grad(nothing)(1.0)
    assert nothing(1.0).item() == 2.0
    with pytest.raises(TypeError, match="custom_vjp"):
        zen.custom_vjp(3)
    with pytest.raises(TypeError, match="defvjp"):
        nothing.defvjp(None)
    with pytest.raises(TypeError, match="the function returned None; it must return arrays"):
        zen.custom_vjp(lambda x: None)(1.0)
    x = zen.tensor(1.0, requires_grad=True)
    with pytest.raises(
        TypeError, match=r"scaled: a Tensor as a keyword argument \(at \['factor'\]\) would lose its gra"
    ):
        scaled(1.0, 1.0, "static", factor=x)


def test_a_custom_operation_that_returns_its_argument():
    same = zen.custom_vjp(lambda x: x, lambda g, out, x: g)
    x = zen.tensor(V, requires_grad=True)
    y = same(x)
    assert not np.shares_memory(y.array, x.array)
    y.sum().backward()
    np.testing.assert_array_equal(x.grad.array, np.ones(3))
    reverse = zen.custom_vjp(lambda x: x[::-1], lambda g, out, x: g[::-1])
    assert not np.shares_memory(reverse(x).array, x.array)
    np.testing.assert_array_equal(zen.grad(lambda x: zen.sum(reverse(x) * U))(V), U[::-1])


def test_a_rule_with_a_gradient_in_it_has_all_columns_at_once():
    """Within the pass for all columns that gradient is still of one example: else the columns would be zeros."""
    x = np.array([0.1, 0.2, 0.3])

    def f(x):
        return np.exp(x).sum()

    own = zen.custom_vjp(f, lambda g, out, x: g * zen.grad(f)(x))
    for transform in (zen.jacfwd, zen.jacrev, zen.jacobian):
        np.testing.assert_allclose(transform(own)(x), np.exp(x), rtol=1e-14)
    forward = zen.custom_jvp(f)
    forward.defjvp(lambda primals, tangents: (f(*primals), (zen.grad(f)(primals[0]) * tangents[0]).sum()))
    for transform in (zen.jacfwd, zen.jacrev, zen.jacobian):
        np.testing.assert_allclose(transform(forward)(x), np.exp(x), rtol=1e-14)
    again = zen.checkpoint(lambda x: x * zen.grad(f)(x))
    np.testing.assert_allclose(zen.jacrev(again)(x), np.diag((1 + x) * np.exp(x)), rtol=1e-14)
