"""Every fused operation agrees with its composition: value, gradients of orders 1 and 2, forward mode."""

import numpy as np
import pytest

import zen
from zen import f
from zen.ops.fused import FUSED, Fused
from zen.testing import check_gradients


def each():
    for name, operation in sorted(FUSED.items()):
        for k, (inputs, keywords) in enumerate(operation.domain(np.random.default_rng(0))):
            yield pytest.param(operation, inputs, keywords, id=f"{name}-{k}")


CASES = list(each())


def prepared(inputs, dtype, strided=False):
    """Leaves of the given dtype for floating arrays, everything else as it is."""
    made = []
    for x in inputs:
        if isinstance(x, np.ndarray) and x.dtype.kind == "f":
            x = x.astype(dtype)
            if strided and x.ndim:
                x = np.repeat(x, 2, -1)[..., ::2]
            x = zen.from_numpy(x).requires_grad_()
        made.append(x)
    return made


def gradients(function, inputs, keywords, cotangent):
    leaves = [x for x in inputs if isinstance(x, zen.Tensor)]
    out = function(*inputs, **keywords)
    return out, zen.gradients(out, leaves, cotangent(out.shape, out.dtype), allow_unused=True)


def cotangent(shape, dtype):
    return zen.tensor(np.random.default_rng(1).normal(size=shape), dtype=dtype)


@pytest.mark.parametrize("strided", [False, True], ids=["dense", "strided"])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(("operation", "inputs", "keywords"), CASES)
def test_agrees_with_its_composition(operation, inputs, keywords, dtype, strided):
    inputs = prepared(inputs, dtype, strided)
    out, found = gradients(operation, inputs, keywords, cotangent)
    expected, wanted = gradients(operation.composition, inputs, keywords, cotangent)
    tolerance = {"rtol": 1e-10, "atol": 1e-10} if dtype == "float64" else {"rtol": 2e-4, "atol": 2e-4}
    assert out.dtype == expected.dtype == np.dtype(dtype)
    np.testing.assert_allclose(out.value, expected.value, **tolerance)
    for x, a, b in zip([x for x in inputs if isinstance(x, zen.Tensor)], found, wanted, strict=True):
        assert (a is None or not a.array.any()) if b is None else (a.shape == x.shape and a.dtype == x.dtype)
        if b is not None:
            np.testing.assert_allclose(a.value, b.value, **tolerance)


@pytest.mark.parametrize(("operation", "inputs", "keywords"), CASES)
def test_derivatives_of_orders_one_and_two(operation, inputs, keywords):
    places = [k for k, x in enumerate(inputs) if isinstance(x, np.ndarray) and x.dtype.kind == "f"]
    if not all(inputs[k].size for k in places):
        places = []

    def function(*given):
        placed = list(inputs)
        for k, x in zip(places, given, strict=True):
            placed[k] = x
        return operation(*placed, **keywords)

    arrays = [inputs[k] for k in places]
    assert places or any(isinstance(x, np.ndarray) and not x.size for x in inputs)
    if places:
        check_gradients(function, arrays, order=2)


# The mechanism itself, on x * x * w + b.


def composed(x, w, b, *, scale):
    y = scale * x * x * w
    return y if b is None else y + b


def value(arrays, save, *, scale):
    x, w, b = arrays
    if save is not None:
        save["xw"] = x * w
    return scale * x * x * w + (0 if b is None else b)


def vjp(g, arrays, out, saved, wanted, *, scale):
    x, w, b = arrays
    return 2 * scale * g * saved["xw"], scale * g * x * x if wanted[1] else None, g.copy() if wanted[2] else None


@pytest.fixture
def operation():
    return Fused("squares", composed, value, vjp, lambda rng: [])


def leaf(*values, dtype="float64"):
    return zen.tensor(values, dtype=dtype, requires_grad=True)


def test_kernels_run_where_they_can(operation):
    x, w, b = leaf(1.0, 2.0), leaf(3.0, 4.0), leaf(5.0, 6.0)
    y = operation(x, w, b, scale=2.0)
    assert y.node.row.name == "squares" and y.tolist() == [11.0, 38.0]
    y.sum().backward()
    assert (x.grad.tolist(), w.grad.tolist(), b.grad.tolist()) == ([12.0, 32.0], [2.0, 8.0], [1.0, 1.0])


def test_an_input_may_be_missing(operation):
    x, w = leaf(1.0, 2.0), leaf(3.0, 4.0)
    operation(x, w, None, scale=1.0).sum().backward()
    assert (x.grad.tolist(), w.grad.tolist()) == ([6.0, 16.0], [1.0, 4.0])


def test_constants_get_no_gradient_and_nothing_is_kept_without_one(operation):
    assert operation(zen.ones(2), np.ones(2), None, scale=1.0).node is None
    x = leaf(1.0, 2.0)
    operation(x, np.array([3.0, 4.0]), None, scale=1.0).sum().backward()
    assert x.grad.tolist() == [6.0, 16.0]


def test_one_tensor_in_two_places(operation):
    x = leaf(2.0)
    first = zen.gradients(operation(x, x, None, scale=1.0), x, zen.ones(1), create_graph=True)
    second = zen.gradients(first, x, zen.ones(1), create_graph=True)
    third = zen.gradients(second, x, zen.ones(1))
    assert (first.tolist(), second.tolist(), third.tolist()) == ([12.0], [12.0], [6.0])


def test_forward_mode(operation):
    tangent = zen.jvp(lambda x: operation(x, np.array([3.0]), None, scale=1.0), (np.array([2.0]),), (np.array([1.0]),))
    assert tangent[1].tolist() == [12.0]


def test_other_dtypes_take_the_composition(operation):
    y = operation(leaf(1.0, dtype="float32"), leaf(3.0), None, scale=1.0)
    assert y.dtype == np.float64 and y.node.row.name != "squares"
    assert operation(leaf(1.0, dtype="float16"), leaf(3.0, dtype="float16"), None, scale=1.0).dtype == np.float16


def test_a_graph_may_be_used_twice_and_is_released(operation):
    x = leaf(1.0, 2.0)
    y = f.sum(operation(x, np.array([3.0, 4.0]), None, scale=1.0))
    y.backward(retain_graph=True)
    y.backward()
    assert x.grad.tolist() == [12.0, 32.0]
    with pytest.raises(RuntimeError, match="released"):
        y.backward()


def test_an_overwritten_input_is_noticed(operation):
    x = leaf(1.0, 2.0)
    y = operation(x, zen.ones(2), None, scale=1.0).sum()
    view = x[:]
    with zen.no_grad():
        x += 1
    assert view.tolist() == [2.0, 3.0]  # it shares the memory, which the write must therefore change
    with pytest.raises(RuntimeError, match="squares.*overwritten"):
        y.backward()
