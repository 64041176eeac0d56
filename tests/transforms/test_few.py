"""Small Jacobians, taken one row or column at a time: the same as all at once, in values, dtypes and kinds."""

import warnings

import numpy as np
import pytest

import zen
from zen import trees
from zen.transforms import few

X = np.array([0.5, 2.0, 3.0])
DATA = np.linspace(0.1, 2.0, 200)
KINDS = [zen.jacobian, zen.jacrev, zen.jacfwd]


def written(x):
    y = x * 1.0
    y[1] = y[0] * 3
    return y


# name -> (function, arguments, options)
CASES = {
    "a fit": (lambda p: p[0] * np.exp(-p[1] * DATA) + p[2], (X,), {}),
    "one number": (lambda x: (x**2).sum(), (X,), {}),
    "of a number": (lambda x: x * np.ones((3, 2)), (2.0,), {}),
    "float32": (lambda x: x * x, (X.astype(np.float32),), {}),
    "float32 and float64": (lambda x: x * DATA[:3], (X.astype(np.float32),), {}),
    "complex": (lambda z: z * z, (X + 1j,), {"holomorphic": True}),
    "no elements": (lambda x: x * 2, (np.zeros((2, 0)),), {}),
    "no results": (lambda x: x[:0], (X,), {}),
    "trees": (
        lambda d: {"a": d["x"] * d["y"][0], "b": [d["y"][1].sum()]},
        ({"x": X[:2], "y": [2.0, np.ones((2, 2))]},),
        {},
    ),
    "two arguments": (lambda x, y: x @ y, (np.ones((2, 2)), 2 * np.ones((2, 1))), {"argnums": (0, 1)}),
    "a Tensor": (lambda x: x * 2, (zen.tensor(X),), {}),
    "a constant": (lambda x: zen.tensor([1.0, 2.0]), (X,), {}),
    "the argument": (lambda x: (x, x * x), (X,), {}),
    "not contiguous": (lambda x: np.cumsum(x)[::-1].reshape(3, 1), (X[::-1],), {}),
    "written to": (written, (X,), {}),
    "solved": (lambda x: np.linalg.solve(np.diag(X), x), (X,), {}),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", CASES)
def test_one_by_one_is_the_same_as_all_at_once(name, kind, monkeypatch):
    f, args, options = CASES[name]
    found = trees.values(kind(f, **options)(*args))
    monkeypatch.setattr(few, "FEW", 0)
    expected = trees.values(kind(f, **options)(*args))
    for a, b in zip(found, expected, strict=True):
        assert type(a) is type(b) and a.shape == b.shape and a.dtype == b.dtype
        np.testing.assert_allclose(np.asarray(a), np.asarray(b), rtol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_a_few_are_taken_one_by_one(kind):
    x = zen.tensor(X, requires_grad=True)
    y = np.exp(x)
    blocks, own = few.blocks_one_by_one(kind is zen.jacfwd, [y], [x])
    np.testing.assert_allclose(blocks[0][0], np.diag(np.exp(X)))
    assert blocks[0][0]._array.base is own[0]


@pytest.mark.parametrize("kind", KINDS)
def test_zeros_beside_an_infinite_slope_stay_exact(kind):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = kind(np.sqrt)(np.array([0.0, 4.0]))
    np.testing.assert_array_equal(found, [[np.inf, 0], [0, 0.25]])


@pytest.mark.parametrize("kind", KINDS)
def test_a_jacobian_is_the_callers_own(kind):
    function = kind(lambda x: x * 2)
    first = function(X)
    first[...] = 9
    np.testing.assert_array_equal(function(X), 2 * np.eye(3))


@pytest.mark.parametrize("kind", KINDS)
def test_what_requires_a_gradient_stays_connected(kind):
    w = zen.tensor(2.0, requires_grad=True)
    kind(lambda x: w * x)(X).sum().backward()
    assert w.gradient == 3


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_of_a_derivative_comes_through(kind):
    @zen.custom_vjp
    def refused(x):
        return x * 2

    @refused.defvjp
    def vjp(g, out, x):
        raise ValueError("no derivative here")

    with pytest.raises(ValueError, match="no derivative here"):
        kind(refused)(X)
