"""Functions made of functions: pickled, copied, bound as methods, described as what they stand for."""

import copy
import functools
import inspect
import pickle

import pytest

import zen


def square(x, scale=1.0):
    """x * x * scale."""
    return x * x * scale


def triple(g, out, x):
    return 3 * g


@zen.grad
def slope(x):
    return x * x


@zen.custom_vjp
def cube(x):
    return x**3


@cube.defvjp
def _(g, out, x):
    return 3 * x * x * g


@zen.no_grad
def frozen(x):
    return x * x


def by_pickle(f):
    return pickle.loads(pickle.dumps(f))


COPIES = pytest.mark.parametrize("again", [by_pickle, copy.copy, copy.deepcopy])


@COPIES
def test_transforms_of_a_module_s_function(again):
    assert again(zen.grad(square))(3.0) == 6.0
    assert again(zen.grad(zen.grad(square)))(3.0) == 2.0
    assert again(zen.grad(square, 1))(3.0, 2.0) == 9.0
    assert again(zen.value_and_grad(square, (0, 1)))(3.0, 2.0) == (18.0, (12.0, 9.0))


@COPIES
def test_decorated_functions(again):
    for f in (slope, cube, frozen):
        assert again(f) is f
    assert again(zen.grad(cube))(2.0) == 12.0


@COPIES
def test_a_custom_operation_made_of_two_functions(again):
    made = again(zen.custom_vjp(square, triple))
    assert made(2.0).item() == 4.0 and zen.grad(made)(2.0) == 3.0


def test_what_cannot_be_pickled_says_so():
    with pytest.raises((pickle.PicklingError, AttributeError), match="lambda"):
        pickle.dumps(zen.grad(lambda x: x))


@pytest.mark.parametrize("wrapped", [zen.grad(square), zen.value_and_grad(square), zen.custom_vjp(square)])
def test_it_looks_like_the_function(wrapped):
    assert wrapped.__name__ == "square" and wrapped.__doc__ == "x * x * scale." and wrapped.__wrapped__ is square
    assert inspect.signature(wrapped) == inspect.signature(square)
    assert "square" in repr(wrapped)


def test_it_has_what_the_function_has_and_no_more():
    def typed(x: float) -> float:
        return x * x

    g = zen.grad(typed)
    assert g.__annotations__ == typed.__annotations__ and g.__qualname__ == typed.__qualname__
    assert g.__module__ == __name__ and not hasattr(g, "nosuch")
    assert not hasattr(zen.grad(functools.partial(square)), "__name__")


def test_keywords_may_have_any_name():
    f = zen.grad(lambda x, self, f, args: x * self * f * args)
    assert f(2.0, self=3.0, f=5.0, args=7.0) == 105.0


class Model:
    rate = 2.0

    def energy(self, x):
        return self.rate * x * x

    force = zen.grad(energy, 1)


def test_it_binds_as_a_method():
    assert Model().force(3.0) == 12.0
    assert zen.grad(Model().energy)(3.0) == 12.0
