"""`custom_jvp`: an operation whose tangent the user writes, in every mode and order."""

import pickle
import warnings

import numpy as np
import pytest

import zen

X = np.linspace(0.1, 1.0, 3)


@zen.custom_jvp
def several(p, y, n):
    return {"a": np.sin(p["x"]) * y, "b": [p["x"].sum() * y, n]}


@several.defjvp
def _several(primals, tangents):
    (p, y, _), (tp, ty, tn) = primals, tangents
    x, t = p["x"], tp["x"]
    tangent = {"a": np.cos(x) * t * y + np.sin(x) * ty, "b": [t.sum() * y + x.sum() * ty, tn]}
    return several(*primals), tangent


def plain(p, y, n):
    return {"a": np.sin(p["x"]) * y, "b": [p["x"].sum() * y, n]}


def loss(f):
    return lambda x, y: (f({"x": x}, y, 2.0)["a"] ** 2).sum() + f({"x": x}, y, 2.0)["b"][0] ** 3


def both(transform):
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="vmap: ")
        return [zen.ravel_tree(transform(loss(f))(X, 1.5))[0] for f in (several, plain)]


@pytest.mark.parametrize("transform", [
    lambda f: zen.grad(f, (0, 1)), lambda f: zen.hessian(f, (0, 1)), lambda f: zen.jacrev(zen.grad(f, (0, 1)), (0, 1)),
    lambda f: zen.jacfwd(zen.hessian(f, (0, 1))), lambda f: lambda x, y: zen.jvp(f, (x, y), (x, 1.0))[1],
    lambda f: lambda x, y: zen.vmap(zen.grad(f))(np.stack([x, 2 * x]), np.array([y, 3.0])),
])  # fmt: skip
def test_within_the_transforms(transform):
    found, expected = both(transform)
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_the_derivative_is_the_one_written():
    @zen.custom_jvp
    def written(x):
        return x * 1

    @written.defjvp
    def _(primals, tangents):
        return primals[0], 30 * tangents[0]

    assert zen.jvp(written, (1.0,), (1.0,))[1] == 30 and zen.grad(written)(1.0) == 30
    with pytest.warns(UserWarning, match="written has no rule for all examples at once"):
        np.testing.assert_array_equal(zen.vmap(zen.grad(written))(X), [30, 30, 30])


def test_the_function_and_forward_mode_get_arrays():
    seen = []

    @zen.custom_jvp
    def f(x, name, scale=1.0):
        seen.append(type(x))
        return x * scale

    @f.defjvp
    def _(primals, tangents, scale=1.0):
        seen.append((type(primals[0]), primals[1], tangents[1]))
        return primals[0] * scale, tangents[0] * scale

    zen.jvp(lambda x: f(x, "text", scale=2.0), (X,), (X,))
    assert seen == [np.ndarray, (np.ndarray, "text", None)]


@pytest.mark.parametrize(("rule", "message"), [
    (None, "f: the operation has no derivative; define it with @f.defjvp"),
    (lambda p, t: t[0], "f: the jvp returned ndarray; it must return (result, tangent)"),
    (lambda p, t: (p[0], [t[0], t[0]]), "f: the tangent that the jvp returned does not have the structure"),
    (lambda p, t: (p[0], t[0].sum()), "f: the jvp returned a tangent of shape () for result 1, whose shape is (3,)"),
])  # fmt: skip
def test_errors_of_the_rule(rule, message):
    def f(x):
        return x * 2

    operation = zen.custom_jvp(f)
    if rule is not None:
        operation.defjvp(rule)
    with pytest.raises((RuntimeError, TypeError, ValueError)) as raised:
        zen.jvp(operation, (X,), (X,))
    assert message in str(raised.value)


def test_other_errors():
    with pytest.raises(TypeError, match="custom_jvp: expected a function, not int"):
        zen.custom_jvp(3)
    with pytest.raises(TypeError, match="defjvp takes a function, not int"):
        zen.custom_jvp(np.sin).defjvp(3)
    with pytest.raises(TypeError, match="a Tensor as a keyword argument"):
        zen.custom_jvp(lambda x, y=1: x)(X, y=zen.tensor(2.0))
    with pytest.raises(TypeError, match="the function returned None; it must return arrays"):
        zen.custom_jvp(lambda x: None)(X)
    lost = zen.custom_jvp(np.sin, lambda p, t: (p[0], np.cos(p[0].numpy()) * 0))
    with pytest.raises(TypeError, match="in reverse mode it gets Tensors and must return Tensors"):
        zen.grad(lambda x: lost(x).sum())(X)


def test_pickles_by_its_parts():
    again = pickle.loads(pickle.dumps(several))
    assert again is several
