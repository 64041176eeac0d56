"""Tangents of operations with several results, which may be used together, alone or not at all."""

import numpy as np
import pytest

import zen

RNG = np.random.default_rng(0)
X, T = RNG.normal(size=(4, 4)), RNG.normal(size=(4, 4))
SEQUENCE, MOVES = RNG.normal(size=(3, 2, 4)), RNG.normal(size=(3, 2, 4))


def parts(x):
    first, _, third = zen.f.split(x * x, [1, 3])
    return zen.sum(first) * third + x[:1]


def determinant(x):
    sign, log = zen.linalg.slogdet(x)
    return sign * log * x[0]


def logarithm(x):
    return zen.linalg.slogdet(x)[1]


FUNCTIONS = {"parts": parts, "determinant": determinant, "logarithm": logarithm}


def slope(f, x, t):
    step = 1e-6
    return (f(x + step * t) - f(x - step * t)) / (2 * step)


def values(f):
    return lambda x: np.asarray(f(zen.tensor(x)).array)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_tangent_is_the_slope(name):
    f = FUNCTIONS[name]
    _, tangent = zen.jvp(f, (X,), (T,))
    np.testing.assert_allclose(tangent, slope(values(f), X, T), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_second_tangent_is_the_slope_of_the_first(name):
    f = FUNCTIONS[name]

    def first(x):
        return zen.jvp(f, (x,), (T,))[1]

    _, second = zen.jvp(first, (X,), (T,))
    np.testing.assert_allclose(second, slope(first, X, T), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_both_orders_of_the_modes_are_the_slope_of_the_gradient(name):
    def f(x):
        return zen.sum(FUNCTIONS[name](x) ** 2)

    expected = slope(zen.grad(f), X, T)
    np.testing.assert_allclose(zen.jvp(zen.grad(f), (X,), (T,))[1], expected, rtol=1e-5, atol=1e-5)
    inside = zen.grad(lambda x: zen.jvp(f, (x,), (T,))[1])(X)
    np.testing.assert_allclose(inside, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("used", ["states", "cell", "both"])
def test_a_recurrent_nets_states_and_last_cell(used):
    net = zen.nn.LSTM(4, 3, dtype=np.float64)
    for weights in net.parameters():
        weights.requires_grad_(False)

    def f(x):
        states, (_, cell) = net(x)
        return {"states": zen.sum(states**2), "cell": zen.sum(cell**3), "both": zen.sum(states[0] * cell)}[used]

    _, tangent = zen.jvp(f, (SEQUENCE,), (MOVES,))
    np.testing.assert_allclose(tangent, slope(values(f), SEQUENCE, MOVES), rtol=1e-6)
    np.testing.assert_allclose(tangent, np.sum(zen.grad(f)(SEQUENCE) * MOVES), rtol=1e-9)
    second = zen.jvp(lambda x: zen.jvp(f, (x,), (MOVES,))[1], (SEQUENCE,), (MOVES,))[1]
    expected = slope(lambda x: zen.jvp(f, (x,), (MOVES,))[1], SEQUENCE, MOVES)
    np.testing.assert_allclose(second, expected, rtol=1e-5)
    np.testing.assert_allclose(second, np.sum(zen.jvp(zen.grad(f), (SEQUENCE,), (MOVES,))[1] * MOVES), rtol=1e-8)


def test_statistics_have_tangents():
    """The means and variances of a batch norm, which its kernel's sums give."""
    row = zen.ops.register.ROWS["batch_norm"]
    for k, moved in ((1, lambda x: x.mean((0, 2))), (2, lambda x: x.var((0, 2)))):
        _, tangent = zen.jvp(lambda x, k=k: zen.backend.apply(row, (x, None, None), (0.1,))[k], (SEQUENCE,), (MOVES,))
        np.testing.assert_allclose(tangent, slope(moved, SEQUENCE, MOVES), rtol=1e-6)
