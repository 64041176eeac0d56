"""`zen.testing.check_grads`: what is right passes in every mode, and what is wrong is named."""

import numpy as np
import pytest

import zen
from zen import testing


def f(p, x):
    return {"y": p["w"] @ x, "z": [zen.exp(x).sum() * p["c"]]}


ARGS = [{"w": np.arange(6.0).reshape(2, 3) / 5, "c": 0.7}, np.array([0.2, -0.4, 0.9])]


@pytest.mark.parametrize("modes", [("fwd",), ("rev",), ("fwd", "rev")])
def test_what_is_right_passes(modes):
    testing.check_grads(f, ARGS, order=3 if len(modes) == 1 else 2, modes=modes)


def wrong_at(order):
    """x ** 3 with a wrong derivative of this order."""

    @zen.custom_vjp
    def cube(x):
        return x**3

    @cube.defvjp
    def _(g, out, x):
        return (3.1 if order == 1 else 3) * square(x) * g

    @zen.custom_vjp
    def square(x):
        return x * x

    @square.defvjp
    def _(g, out, x):
        return (2.2 if order == 2 else 2) * x * g

    return cube


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("mode", ["fwd", "rev"])
def test_what_is_wrong_is_named(mode, order):
    cube = wrong_at(order)
    with pytest.raises(AssertionError) as raised:
        testing.check_grads(lambda p: cube(p["x"]), [{"x": np.array([1.0, 2.0])}], order=2, modes=(mode,))
    text = str(raised.value)
    assert text.startswith(mode if order == 1 else f"{mode}, {mode}")
    assert "numerically" in text and "at (0,)" in text
    if mode == "rev":
        assert "argument [0]['x']" in text


def test_wrong_arguments():
    with pytest.raises(ValueError, match="modes are 'fwd' and 'rev', not 'back'"):
        testing.check_grads(f, ARGS, modes=("back",))
    with pytest.raises(ValueError, match="order is 1 or more, not 0"):
        testing.check_grads(f, ARGS, order=0)
