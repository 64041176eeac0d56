"""0-d arrays: reductions along axis 0 and -1, and what else NumPy and PyTorch say of an array without axes."""

import numpy as np
import pytest

import zen
from zen import f

REDUCTIONS = "sum prod max min any all argmax argmin mean std var count_nonzero".split()
ALONG = "cumsum cumprod sort argsort flip squeeze".split()
AXES = [None, 0, -1, (), (0,), 1, -2, 0.0]


def outcome(function, x, **options):
    try:
        found = function(x, **options)
    except (TypeError, ValueError, IndexError) as error:
        return TypeError if isinstance(error, TypeError) else ValueError
    found = found.detach().numpy() if isinstance(found, zen.Tensor) else np.asarray(found)
    return found.dtype, found.shape, found.tolist()


@pytest.mark.parametrize("axis", AXES)
@pytest.mark.parametrize("name", REDUCTIONS)
def test_reductions_follow_numpy(name, axis):
    for keepdims in (False, True):
        theirs = outcome(getattr(np, name), np.array(2.5), axis=axis, keepdims=keepdims)
        for function in (getattr(np, name), getattr(f, name)):
            found = outcome(function, zen.tensor(2.5), axis=axis, keepdims=keepdims)
            assert found == theirs or (axis == (0,) and {found, theirs} <= {TypeError, ValueError})


@pytest.mark.parametrize("axis", AXES)
@pytest.mark.parametrize("name", ALONG)
def test_what_works_along_an_axis_follows_numpy(name, axis):
    theirs = outcome(getattr(np, name), np.array(2.5), axis=axis)
    for function in (getattr(np, name), getattr(f, name)):
        assert outcome(function, zen.tensor(2.5), axis=axis) == theirs


@pytest.mark.parametrize("axis", [None, 0, -1, 1])
def test_take_and_repeat_follow_numpy(axis):
    for name, argument in (("take", {"indices": 0}), ("repeat", {"repeats": 2})):
        theirs = outcome(getattr(np, name), np.array(2.5), axis=axis, **argument)
        for xp in (np, f):
            assert outcome(getattr(xp, name), zen.tensor(2.5), axis=axis, **argument) == theirs


@pytest.mark.parametrize(
    ("call", "slope"),
    [
        (lambda x: np.sum(x, axis=0), 1.0), (lambda x: np.prod(x, axis=-1), 1.0), (lambda x: np.max(x, axis=0), 1.0),
        (lambda x: np.min(x, axis=-1), 1.0), (lambda x: f.logsumexp(x, axis=0), 1.0), (lambda x: f.softmax(x, 0), 0.0),
        (lambda x: f.log_softmax(x, -1), 0.0), (lambda x: f.softmin(x), 0.0), (lambda x: np.cumsum(x, axis=0), 1.0),
        (lambda x: np.cumprod(x, axis=0), 1.0), (lambda x: np.repeat(x, 3, axis=0), 3.0), (lambda x: np.var(x), 0.0),
        (lambda x: np.take(x, 0, axis=0), 1.0), (lambda x: np.squeeze(x, axis=0), 1.0), (lambda x: f.sort(x, None), 1),
    ],
)  # fmt: skip
def test_gradients_of_0d_results(call, slope):
    x = zen.tensor(2.5, requires_grad=True)
    call(x).sum().backward()
    assert x.gradient.shape == () and x.gradient.item() == slope


@pytest.mark.parametrize("axis", [0, -1])
def test_softmax_of_one_number_is_one(axis):
    assert f.softmax(zen.tensor(3.0), axis).tolist() == 1.0
    assert f.log_softmax(zen.tensor(3.0), axis).tolist() == 0.0
    assert f.logsumexp(zen.tensor(3.0), axis).tolist() == 3.0
    with pytest.raises(np.exceptions.AxisError, match="softmax: axis 1 is out of range"):
        f.softmax(zen.tensor(3.0), 1)


@pytest.mark.parametrize("name", ["sum", "argmax", "cumsum", "mean"])
def test_a_bool_is_no_axis(name):
    with pytest.raises(TypeError, match=f"{name}: axis must be an int, not True"):
        getattr(f, name)(zen.zeros((2, 2)), axis=True)


def test_at_least_of_several_arrays_is_a_tuple_of_each():
    given = [np.float64(1.0), np.arange(2.0), np.ones((2, 3)), np.ones((2, 1, 2))]
    for name in ("atleast_1d", "atleast_2d", "atleast_3d"):
        theirs = getattr(np, name)(*given)
        for function in (getattr(np, name), getattr(f, name)):
            found = function(*[zen.tensor(x) for x in given])
            assert type(found) is tuple and all(type(x) is zen.Tensor for x in found)
            assert [x.shape for x in found] == [x.shape for x in theirs]
            assert function(zen.tensor(1.0)).shape == getattr(np, name)(1.0).shape
    a, b = zen.tensor(1.0, requires_grad=True), np.ones(2)
    x, y = np.atleast_1d(a, b)
    (x * y * 3).sum().backward()
    assert a.gradient.item() == 6.0
