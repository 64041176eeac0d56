"""zen.compat.scalar: the tutorial's results, its learning loop, and the fixed bugs by their names."""

import numpy as np
import pytest

import zen
from zen.compat import scalar
from zen.compat.scalar import Exp, Log, Ops, Sin, Var, add, get_gradients, inv, mul, neg, to_vals, to_var


def test_results_of_the_tutorial():
    a, b = Var(230.3), Var(33.2)
    y = (a / b - a) * (b / a + a + b) * (a - b)
    gradients = get_gradients(y)
    # Printed by the tutorial, in float64; the order of additions differs, which moves the last digit or two.
    np.testing.assert_allclose(gradients[a], -153284.83150602411, rtol=1e-15)
    np.testing.assert_allclose(gradients[b], 3815.0389441500993, rtol=1e-14)

    a, b, c = Var(43.0), Var(3.0), Var(2.0)
    f = Sin(a * b) + Exp(c - (a / b))
    y = Log(f * f) * c
    gradients = get_gradients(y)
    np.testing.assert_allclose(gradients[a], 60.85353612046653, rtol=1e-14)
    np.testing.assert_allclose(gradients[b], 872.2331479536114, rtol=1e-14)
    np.testing.assert_allclose(gradients[c], -3.2853671032530305, rtol=1e-14)


def test_gradients_of_every_node():
    a, b = Var(4), Var(3)
    c = add(a, b)
    d = mul(a, c)
    assert d.value == 28 and get_gradients(d) == {a: 11.0, b: 4.0, c: 4.0}
    assert get_gradients(c) == {a: 1.0, b: 1.0}


def test_local_derivatives():
    a, b = Var(4.0), Var(3.0)
    assert add(a, b).grad == [(a, 1.0), (b, 1.0)]
    assert mul(a, b).grad == [(a, 3.0), (b, 4.0)] and mul(a, a).grad == [(a, 4.0), (a, 4.0)]
    assert neg(a).grad == [(a, -1.0)] and inv(a).grad == [(a, -0.0625)] and inv(a).value == 0.25
    for made, value, local in (
        (Sin(a), np.sin(4), np.cos(4)), (Exp(b), np.exp(3), np.exp(3)), (Log(a), np.log(4), 0.25),
    ):  # fmt: skip
        np.testing.assert_allclose((made.value, made.grad[0][1]), (value, local), rtol=1e-15)
    assert a.grad == [] and repr(a + b) == "add(7.0)"


def test_routes_are_enumerated():
    x = y = Var(1.0)
    for _ in range(60):
        y = y + y
    gradients = get_gradients(y)
    assert gradients[x] == 2.0**60 and len(gradients) == 60


def test_gradients_of_a_leaf():
    assert get_gradients(Var(3.0)) == {}


def test_number_as_operand():
    a = Var(3.0)
    y = sum([2 * a, a - 1, 1 - a, a / 2, 6 / a, -a, np.float64(2) * a])
    assert y.value == 6 + 2 - 2 + 1.5 + 2 - 3 + 6
    np.testing.assert_allclose(get_gradients(y)[a], 2 + 1 - 1 + 0.5 - 6 / 9 - 1 + 2, rtol=1e-15)


def test_deep_graph():
    x, rate = Var(1.0), Var(1.0)
    y = x
    for _ in range(50_000):
        y = y * rate
    assert get_gradients(y)[rate] == 50_000
    del y  # freeing the chain does not recurse either


def test_function_of_its_own():
    class Square(Ops):
        def __init__(self, var):
            self.value = var.value**2
            self.grad = [(var, 2 * var.value)]

    a = Var(1.1)
    y = Square(Square(a) * a)
    assert y.value == (1.1**2 * 1.1) ** 2 and y.grad[0][1] == 2 * (1.1**2 * 1.1)
    np.testing.assert_allclose(get_gradients(y)[a], 6 * 1.1**5, rtol=1e-14)


def test_values_are_set_on_leaves_alone():
    a = Var(2.0)
    y = a * a
    a.value -= 0.5
    assert a.value == 1.5
    with pytest.raises(AttributeError, match="was computed"):
        y.value = 1.0
    assert y.value == 4.0 and get_gradients(y)[a] == 4.0  # of what was computed before
    assert get_gradients(Sin(a))[a] == np.cos(1.5)


@pytest.mark.parametrize("function", [Sin, Exp, Log, inv, lambda v: v * v, lambda v: 2 / v])
def test_results_keep_the_values_they_were_computed_from(function):
    a = Var(2.0)
    y = function(a)
    before = get_gradients(y)[a]
    a.value = 5.0
    assert get_gradients(y)[a] == before != get_gradients(function(a))[a]


def test_a_child_that_the_value_does_not_depend_on():
    a = Var(2.0)
    y = a * a
    y.children = (*y.children, Var(1.0))
    assert list(get_gradients(y).values()) == [4.0, 0.0]


def test_nodes_computed_under_no_grad():
    a = Var(2.0)
    with zen.no_grad():
        y = a * a
    for node in (y, y + a):
        with pytest.raises(RuntimeError, match=r"get_gradients.*no_grad"):
            get_gradients(node)


def test_arrays_of_nodes():
    x = to_var(np.array([[1.0, 2.0], [3.0, 4.0]]))
    assert x.dtype == object and isinstance(x[0, 0], Var)
    assert to_vals(x + x).tolist() == [[2.0, 4.0], [6.0, 8.0]]
    assert to_vals(np.dot(x, x)).tolist() == [[7.0, 10.0], [15.0, 22.0]]
    total = np.sum(x * 2.0)
    assert total.value == 20 and get_gradients(total)[x[1, 0]] == 2
    assert to_vals(to_var(np.zeros((0, 2)))).shape == (0, 2)


def test_linear_layer_learns_as_its_vectorised_form():
    np.random.seed(0)
    start = np.random.random(50), np.random.random(10), np.random.random((50, 10))
    x, y_true, weights = (to_var(a) for a in start)
    losses = []
    for _ in range(5):
        y_pred = np.dot(x, weights)
        loss = np.sum((y_true - y_pred) * (y_true - y_pred))
        losses.append(loss.value)
        gradients = get_gradients(loss)
        for i in range(50):
            for j in range(10):
                weights[i, j].value -= 0.001 * gradients[weights[i, j]]
    inputs, target, w = start
    for loss in losses:
        error = inputs @ w - target
        np.testing.assert_allclose(loss, error @ error, rtol=1e-12)
        w = w - 0.002 * np.outer(inputs, error)
    np.testing.assert_allclose(to_vals(weights), w, rtol=1e-12)


def test_every_bug_that_is_listed_has_its_test():
    listed = [line[2:].split(":")[0] for line in scalar.__doc__.splitlines() if line.startswith("- ")]
    assert listed and [name for name in listed if f"test_{name}" not in globals()] == []


def test_import_zen_is_enough():
    assert zen.compat.scalar is scalar and "graph" in dir(zen.compat)
    with pytest.raises(AttributeError, match="has no attribute 'pytorch'"):
        zen.compat.pytorch  # noqa: B018
