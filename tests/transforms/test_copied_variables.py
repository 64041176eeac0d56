"""Copies of an argument within a function that is being differentiated: what would lose the gradient is refused."""

import copy
import pickle

import numpy as np
import pytest

import zen
from zen import nn

X = np.array([1.0, 2.0, 3.0])
COPIES = {
    "copy": copy.copy, "deepcopy": copy.deepcopy, "deepcopy ": lambda x: copy.deepcopy({"state": [x]}),
    "pickle": pickle.dumps,
}  # fmt: skip
TRANSFORMS = [
    lambda f: zen.grad(f)(X), lambda f: zen.vjp(f, X), lambda f: zen.jvp(f, (X,), (X,)),
    lambda f: zen.value_and_grad(f)(X), lambda f: zen.grad(zen.grad(f))(1.0),
]  # fmt: skip


@pytest.mark.parametrize("name", COPIES)
@pytest.mark.parametrize("transform", TRANSFORMS, ids=["grad", "vjp", "jvp", "value_and_grad", "nested"])
def test_a_copy_that_would_lose_the_gradient_is_refused(name, transform):
    with pytest.raises(RuntimeError, match=rf"{name.strip()}: .*(use t\.copy\(\)|use clone\(\))"):
        transform(lambda x: (COPIES[name](x), (x * x).sum())[1])


@pytest.mark.parametrize("copied", [lambda x: x.copy(), np.copy, lambda x: x.clone()])
def test_what_is_advised_keeps_it(copied):
    def function(x):
        state = copied(x)
        state[1] *= 2.0  # the copy's own memory
        return (state**2).sum() + x[1]

    np.testing.assert_array_equal(zen.grad(function)(X), 2 * X * np.array([1.0, 4.0, 1.0]) + np.array([0.0, 1.0, 0.0]))
    assert zen.grad(lambda x: (copy.deepcopy(x.detach().clone()) * x).sum())(X).tolist() == X.tolist()
    np.testing.assert_array_equal(X, [1.0, 2.0, 3.0])


def test_leaves_of_ones_own_are_copied_as_leaves():
    w = zen.tensor(X, requires_grad=True)

    def function(x):
        own = copy.deepcopy(w)
        assert own.is_leaf and own.requires_grad
        return (own * x).sum()

    np.testing.assert_array_equal(zen.grad(function)(X).detach(), X)
    kept = []
    zen.grad(lambda x: (kept.append(x), (x * x).sum())[1])(X)
    assert copy.copy(kept[0]).is_leaf  # the function is over
    model = copy.deepcopy(nn.Linear(3, 2))
    assert all(p.is_leaf for p in model.parameters())
