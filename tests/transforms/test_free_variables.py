"""What a function uses besides its arguments stays connected, whatever the arguments are."""

import threading
from collections import namedtuple

import numpy as np
import pytest

import zen
from zen import nn

Pair = namedtuple("Pair", "left right")
X = np.array([0.5, -1.2, 2.0])
W = np.array([1.5, 0.7, -0.4])


def leaf(value):
    return zen.tensor(value, requires_grad=True)


def cubic(w):
    return lambda x: zen.sum(w * x**3)


def numerical(f, x, step=1e-5):
    x = np.asarray(x, np.float64)
    found = np.zeros(x.shape)
    for i in np.ndindex(x.shape):
        e = np.zeros(x.shape)
        e[i] = step
        found[i] = (f(x + e) - f(x - e)) / (2 * step)
    return found


ARGUMENTS = [1.5, 3, np.float64(1.5), np.float32(1.5), np.array(1.5), zen.tensor(1.5), leaf(1.5)]


@pytest.mark.parametrize("x", ARGUMENTS, ids=lambda x: type(x).__name__)
def test_a_gradient_is_connected_whatever_its_argument_is(x):
    w = leaf(2.0)
    for value, g in ((None, zen.grad(cubic(w))(x)), zen.value_and_grad(cubic(w))(x)):
        assert isinstance(g, zen.Tensor) and g.requires_grad
        assert zen.gradients(g, w).item() == pytest.approx(3 * float(np.asarray(x.item())) ** 2
                                                           if hasattr(x, "item") else 3 * x**2)  # fmt: skip
        if value is not None:
            assert zen.gradients(value, w).item() == pytest.approx(float(zen.gradients(cubic(w)(x), w).item()))
    assert w.grad is None


def test_nested_containers_of_arrays_give_connected_tensors():
    w = leaf(W)
    p = {"a": [X, 2.0], "b": Pair(X, None)}
    g = zen.grad(lambda p: zen.sum(w * p["a"][0] * p["b"].left) * p["a"][1])(p)
    assert isinstance(g["b"], Pair) and g["b"].right is None
    (g["a"][0].sum() + g["a"][1]).backward()
    np.testing.assert_allclose(w.gradient, 2 * X + X * X)


def test_vjp_and_its_pullback_are_connected():
    w = leaf(W)
    y, pull = zen.vjp(lambda x: w * x * x, X)
    assert y.requires_grad
    for _ in range(2):
        (g,) = pull(np.ones(3))
        np.testing.assert_allclose(zen.gradients(g.sum(), w, retain_graph=True).array, 2 * X)
    cotangent = leaf(np.ones(3))
    (g,) = pull(cotangent)
    (g * g).sum().backward(retain_graph=True)
    np.testing.assert_allclose(cotangent.gradient, 2 * (2 * W * X) ** 2)
    np.testing.assert_allclose(w.gradient, 2 * (2 * X) ** 2 * W)
    with zen.no_grad():
        (g,) = pull(np.ones(3))
    assert type(g) is np.ndarray
    np.testing.assert_allclose(g, 2 * W * X)
    y.sum().backward()  # releases the graph of the function, as any pass does
    with pytest.raises(RuntimeError, match=r"released by an earlier backward pass.*retain_graph=True"):
        pull(np.ones(3))


def test_jvp_is_connected():
    w = leaf(W)
    y, t = zen.jvp(lambda x: w * w * x**3, (X,), (np.ones(3),))
    np.testing.assert_allclose(zen.gradients(t.sum(), w, retain_graph=True).array, 2 * W * 3 * X**2)
    np.testing.assert_allclose(zen.gradients(y.sum(), w).array, 2 * W * X**3)
    d = leaf(np.ones(3))
    _, t = zen.jvp(lambda x: w * x**3, (X,), (d,))
    gw, gd = zen.gradients(t.sum(), [w, d])
    np.testing.assert_allclose(gw.array, 3 * X**2)
    np.testing.assert_allclose(gd.array, W * 3 * X**2)


def test_what_depends_on_nothing_that_requires_a_gradient_stays_numpy():
    w, constant = leaf(2.0), zen.tensor(2.0)
    assert type(zen.grad(lambda x: constant * x * x)(3.0)) is np.ndarray
    assert type(zen.grad(lambda x: w.detach() * x * x)(3.0)) is np.ndarray
    assert type(zen.vjp(lambda x: constant * x, 3.0)[1](1.0)[0]) is np.ndarray
    assert all(type(x) is np.ndarray for x in zen.jvp(lambda x: constant * x, (3.0,), (1.0,)))

    def recorded_in_part(x):
        with zen.no_grad():
            factor = w * 2.0
        return factor * x

    assert type(zen.grad(recorded_in_part)(3.0)) is np.ndarray
    assert type(zen.grad(lambda x: (w * 2.0, x * x)[1])(3.0)) is np.ndarray


def test_no_grad_around_the_call_gives_arrays():
    w = leaf(2.0)
    with zen.no_grad():
        assert type(zen.grad(cubic(w))(1.5)) is np.ndarray
        value, g = zen.value_and_grad(cubic(w))(1.5)
        assert type(value) is np.ndarray and g == 13.5
        y, pull = zen.vjp(cubic(w), 1.5)
        assert type(y) is np.ndarray and type(pull(1.0)[0]) is np.ndarray
        assert [type(x) for x in zen.jvp(cubic(w), (1.5,), (1.0,))] == [np.ndarray] * 2
        # Within the function derivatives are taken of whatever is used.
        assert zen.grad(lambda x: zen.grad(lambda y: w * x * y * y)(3.0))(1.0) == 12.0
    assert w.grad is None


def test_an_auxiliary_result_keeps_its_graph():
    w = leaf(2.0)
    g, aux = zen.grad(lambda x: (x * x, {"twice": w * 2.0, "note": "text"}), has_aux=True)(3.0)
    assert zen.gradients(aux["twice"], w).item() == 2.0 and g.item() == 6.0 and aux["note"] == "text"
    (value, aux), g = zen.value_and_grad(lambda x: (w * x * x, x * 3.0), has_aux=True)(3.0)
    assert zen.gradients(g, w).item() == 6.0 and aux.item() == 9.0 and value.item() == 18.0


def test_free_variables_at_several_levels():
    a, b, c = leaf(2.0), leaf(3.0), leaf(5.0)

    def inner(x, y):
        return zen.grad(lambda z: c * x * y * z**3)(2.0)  # 12 c x y

    def middle(x):
        return zen.grad(lambda y: b * y * inner(x, y))(1.5)  # 2 b y 12 c x = 36 b c x

    g = zen.grad(lambda x: a * x * middle(x))(0.5)  # 2 a x 36 b c = 36 a b c
    assert g.item() == pytest.approx(36 * 30)
    found = zen.gradients(g, [a, b, c])
    assert [t.item() for t in found] == pytest.approx([36 * 15, 36 * 10, 36 * 6])


@pytest.mark.parametrize("outer", ["grad", "jvp", "vjp"])
@pytest.mark.parametrize("inner", ["grad", "jvp", "vjp"])
def test_every_transform_of_every_transform(outer, inner):
    w = leaf(1.7)

    def transform(name, f):
        return {
            "grad": zen.grad(f),
            "jvp": lambda x: zen.jvp(f, (x,), (1.0,))[1],
            "vjp": lambda x: zen.vjp(f, x)[1](1.0)[0],
        }[name]

    second = transform(outer, transform(inner, lambda x: zen.sin(w * x)))(0.3)  # -w^2 sin(w x)
    assert second.item() == pytest.approx(-(1.7**2) * np.sin(0.51))
    expected = -2 * 1.7 * np.sin(0.51) - 1.7**2 * 0.3 * np.cos(0.51)
    assert zen.gradients(second, w).item() == pytest.approx(expected)


def test_the_variables_of_a_transform_that_is_over_connect_nothing():
    # The inner derivative 2 x^2 y has a graph with y in it, which nobody differentiates by any more.
    assert type(zen.grad(lambda x: zen.grad(lambda y: x * x * y * y)(3.0))(2.0)) is np.ndarray
    assert type(zen.grad(lambda x: zen.jvp(lambda y: x * x * y * y, (3.0,), (1.0,))[1])(2.0)) is np.ndarray
    assert type(zen.jvp(lambda x: zen.grad(lambda y: x * x * y * y)(3.0), (2.0,), (1.0,))[1]) is np.ndarray


def test_a_leaf_made_inside_the_function_counts():
    made = []

    def f(x):
        made.append(leaf(2.0))
        return made[-1] * x * x

    g = zen.grad(f)(3.0)
    assert zen.gradients(g, made[0]).item() == 6.0


def test_mixed_second_derivatives_and_the_hessian_in_a_free_variable():
    w = leaf(W)
    g = zen.grad(lambda x: zen.sum(zen.exp(w * x)))(X)  # w e^(wx)
    (first,) = zen.gradients(g.sum(), [w], create_graph=True)  # (1 + wx) e^(wx)
    np.testing.assert_allclose(first.array, (1 + W * X) * np.exp(W * X))
    first.sum().backward()  # (2x + w x^2) e^(wx)
    np.testing.assert_allclose(w.gradient, (2 * X + W * X**2) * np.exp(W * X))


def test_a_graph_from_before_survives_several_calls():
    w = leaf(2.0)
    h = zen.exp(w * w)
    f = zen.grad(lambda x: h * x * x)
    found = [f(1.5) for _ in range(3)]
    zen.gradients(found[0], w, retain_graph=True)
    assert zen.gradients(found[1], w).item() == pytest.approx(3 * 4 * np.exp(4.0))
    with zen.no_grad():
        assert f(1.5) == pytest.approx(3 * np.exp(4.0))


def test_a_graph_that_was_released_says_so():
    w = leaf(2.0)
    h = zen.exp(w * w)
    h.backward()
    g = zen.grad(lambda x: h * x * x)(1.5)
    assert g.item() == pytest.approx(3 * np.exp(4.0))
    with pytest.raises(RuntimeError, match=r"graph of 'exp' was released.*retain_graph=True"):
        g.backward()


def test_a_free_variable_that_was_overwritten_says_so():
    w = leaf(W)
    g = zen.grad(lambda x: zen.sum(w * w * x))(X)
    view = w.detach()  # it must see the write
    with zen.no_grad():
        w += 1.0
    np.testing.assert_array_equal(view.array, W + 1.0)
    with pytest.raises(RuntimeError, match="overwritten"):
        g.sum().backward()
    g = zen.grad(lambda x: zen.sum(w * w * x))(X)  # the next call is as right as ever
    g.sum().backward()
    np.testing.assert_allclose(w.gradient, 2 * (W + 1))


def test_hooks_of_free_variables_run_when_the_result_is_differentiated():
    w, seen = leaf(2.0), []
    w.register_hook(lambda g: seen.append(g.item()))
    g = zen.grad(cubic(w))(1.5)
    assert seen == []
    g.backward()
    assert seen == [6.75] and w.gradient == 6.75


def test_a_written_argument_is_differentiated_as_it_came():
    w, x = leaf(2.0), leaf(X)

    def f(x):
        x *= w
        return zen.sum(x * x)

    g = zen.grad(f)(x)
    np.testing.assert_allclose(g.array, 2 * 4 * X)
    np.testing.assert_allclose(zen.gradients(g.sum(), w).item(), np.sum(4 * 2 * X))


def test_a_thread_sees_the_variable_that_its_starter_differentiates_by():
    found = []

    def f(x):
        thread = threading.Thread(target=lambda: found.append(zen.grad(lambda y: x * y * y)(3.0)))
        thread.start()
        thread.join()
        return found[0] * x

    assert zen.grad(f)(2.0) == 24.0


# Training through a derivative


class Field(nn.Module):
    """A potential whose forward is its own force: grad inside a layer's forward."""

    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(1, 8, dtype="float64"), nn.Tanh(), nn.Linear(8, 1, dtype="float64"))

    def forward(self, x):
        return -zen.grad(lambda x: zen.sum(self.net(x)))(x)


def test_a_force_loss_on_a_numpy_batch_has_gradients_in_every_parameter():
    zen.random.seed(0)
    field, x = Field(), np.linspace(-1, 1, 5)[:, None]
    target = -3 * x

    def loss():
        return zen.mean((field(x) - target) ** 2)

    loss().backward()
    for p in field.parameters():
        where = p.value.copy()

        def at(values, p=p):
            with zen.no_grad():
                p.copy_(values)
                return loss().item()

        expected = numerical(at, where)
        at(where)
        if p is field.net[2].bias:  # a constant in the potential has no force
            np.testing.assert_allclose(expected, 0.0, atol=1e-9)
            assert p.grad is None or not p.gradient.any()
        else:
            np.testing.assert_allclose(p.gradient, expected, atol=1e-7)
            assert np.abs(expected).max() > 1e-3


def test_a_physics_term_on_a_numpy_batch_trains():
    # u' = -u, u(0) = 1 on [0, 1]: without the term in u' nothing but u(0) would be learned.
    zen.random.seed(0)
    net = nn.Sequential(nn.Linear(1, 16, dtype="float64"), nn.Tanh(), nn.Linear(16, 1, dtype="float64"))
    optimiser = zen.optim.Adam(net.parameters(), lr=0.02)
    t = np.linspace(0, 1, 20)[:, None]
    for _ in range(400):
        u, pull = zen.vjp(net, t)
        (slope,) = pull(np.ones((20, 1)))
        loss = zen.mean((slope + u) ** 2) + (u[0, 0] - 1.0) ** 2
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    np.testing.assert_allclose(net(t).value, np.exp(-t), atol=0.02)


@pytest.mark.parametrize(
    ("f", "numbers", "order", "expected"),
    [
        (lambda x, y: y * y, (1.0, 2.0), (1, 0), 0.0),
        (lambda x, y: y * y, (1.0, 2.0), (1, 0, 1), 0.0),
        (lambda a, b: a / b, (0.0, 1.0), (0, 1, 0), 0.0),
        (lambda a, b: a / b, (3.0, 2.0), (1, 0), -0.25),
    ],
)
def test_derivatives_by_one_argument_after_another(f, numbers, order, expected):
    for k in order:
        f = zen.grad(f, k)
    for kind in (float, np.array, zen.tensor):
        assert float(f(*[kind(x) for x in numbers])) == expected


def test_an_argument_that_is_not_differentiated_makes_tensors_where_it_requires_a_gradient():
    w = zen.tensor(2.0, requires_grad=True)
    for call in (lambda: zen.grad(lambda x, w: x * x)(3.0, w), lambda: zen.grad(lambda x, w: x * x)(3.0, w=[w])):
        assert isinstance(call(), zen.Tensor) and call().item() == 6.0
        with zen.no_grad():
            assert isinstance(call(), np.ndarray)
    assert isinstance(zen.grad(lambda x, w: x * w)(3.0, w.detach()), np.ndarray)


def test_a_derivative_that_does_not_depend_on_the_argument_says_how_to_return_a_constant():
    with pytest.raises(TypeError, match=r"returned ndarray, not a Tensor.*a constant is returned as zen.tensor"):
        zen.grad(lambda x: zen.grad(lambda y: y * y)(2.0))(1.0)
    assert zen.grad(lambda x: zen.grad(lambda y: y * y)(zen.tensor(2.0)))(1.0) == 0.0
