"""What the user writes into the other arguments of a NumPy function, after the call, does not reach the gradient.

For every function: the gradient of one argument, once as it is and once with the other arrays, or Tensors, overwritten
before the backward pass, is the same, or the pass raises.
"""

import numpy as np
import pytest
from numpy_calls import arguments, fresh, functions, parts

import zen
from zen.attached.undifferentiated import WRITERS


def mapped(x, f):
    if isinstance(x, np.ndarray):
        return f(x)
    return type(x)([mapped(part, f) for part in x]) if isinstance(x, (list, tuple)) else x


def arrays(x):
    found = []
    mapped(x, lambda a: found.append(a) or a)
    return found


def overwrite(x):
    if isinstance(x, zen.Tensor):
        x[...] = 0.123
    elif x.dtype.kind == "b":
        x[...] = ~x
    else:
        x[...] = 0.123 if x.dtype.kind in "fc" else x[..., ::-1].copy() if x.ndim else x


def gradient(function, given, place, as_tensors, spoilt):
    """The gradient by the array at this place of the arguments, or None where there is none."""
    leaf, others = [], []

    def argument(a):
        if len(leaf) + len(others) == place:
            leaf.append(zen.tensor(a, requires_grad=True))
            return leaf[0]
        others.append(zen.tensor(a) if as_tensors and a.dtype.kind == "f" else a.copy())
        return others[-1]

    results = parts(function(*mapped(fresh(given), argument)))
    results = [y for y in results if isinstance(y, zen.Tensor) and y.requires_grad]
    if not results:
        return None
    total = sum([(y * (1 + np.arange(y.size).reshape(y.shape))).real.sum() for y in results])
    if spoilt:
        for other in others:
            overwrite(other)
    total.backward()
    return leaf[0].grad.array


def calls():
    """The functions of several arrays, but for those that write."""
    for case in functions():
        name, function = case.values
        if function not in WRITERS and len(arrays(arguments(name, function) or ())) > 1:
            yield case


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("name", "function"), [*calls()])
def test_the_gradient_is_that_of_the_values_at_the_call(name, function):
    given = arguments(name, function)
    for place, a in enumerate(arrays(given)):
        if a.dtype.kind not in "fc":
            continue
        for as_tensors in (False, True):
            try:
                expected = gradient(function, given, place, as_tensors, False)
            except (TypeError, ValueError, RuntimeError):
                continue  # no derivative by this argument
            if expected is None:
                continue
            try:
                found = gradient(function, given, place, as_tensors, True)
            except RuntimeError as error:
                assert "overwritten" in str(error)
                continue
            np.testing.assert_array_equal(found, expected)
