"""What `vmap` shows a function is one example: no value of all of them, and no gradient less than without `vmap`."""

import copy
import math
from functools import partial

import numpy as np
import pytest

import zen

X = np.array([[1.0, 2.0], [3.0, 5.0], [0.5, -4.0]])


def each(f):
    return np.array([np.asarray(getattr(y, "value", y)) for y in (f(zen.tensor(row)) for row in X)])


READS = {
    "value": lambda v: v[0] * v.value.sum(), "numpy": lambda v: v[0] * v.numpy().sum(),
    "array": lambda v: v[0] * v.array.sum(), "shape of value": lambda v: v * v.value.shape[0],
    "float": lambda v: v[0] * float(v[1]), "int": lambda v: v[0] * int(v[1]), "item": lambda v: v[0] * v[1].item(),
    "tolist": lambda v: v[0] * v.tolist()[1], "asarray": lambda v: v[0] * np.asarray(v).sum(),
    "array of NumPy": lambda v: v[0] * np.array(v).sum(), "math": lambda v: v[0] * math.exp(v[1]),
    "float64": lambda v: v[0] * np.float64(v[1]), "condition": lambda v: v[0] if v[1] > 0 else -v[0],
    "min": lambda v: v[0] * min(v), "index": lambda v: v[int(v[0] > 1)], "format": lambda v: v[0] * len(f"{v[1]:.3f}"),
    "detached": lambda v: v[0] * v.detach().value.sum(), "deep copy": lambda v: copy.deepcopy(v) * 2,
    "value of a part": lambda v: v[1:] * v[:1].value, "value of a product": lambda v: v * (v * v).value,
    "value of a copy": lambda v: v * v.clone().value,
}  # fmt: skip


@pytest.mark.filterwarnings("ignore:vmap")
@pytest.mark.parametrize("name", list(READS))
def test_values_are_those_of_one_example(name):
    np.testing.assert_array_equal(zen.vmap(READS[name])(X), each(READS[name]))


@pytest.mark.filterwarnings("ignore:vmap")
@pytest.mark.parametrize("name", ["value", "numpy", "array", "item", "shape of value", "value of a part"])
def test_values_of_nested_maps_are_those_of_one_example(name):
    f, stack = READS[name], np.stack([X, 2 * X])
    found = zen.vmap(zen.vmap(f))(stack)
    np.testing.assert_array_equal(found, [zen.vmap(f)(x) for x in stack])


def test_the_reason_says_what_was_read():
    with pytest.warns(UserWarning, match=r"vmap: .* runs once for each example: Unbatched: \.value is of one example"):
        zen.vmap(lambda v: v.value.sum() * v)(X)


CASTS = {
    "astype": lambda v: (v.astype(int) * v).sum(), "astype alone": lambda v: v.astype(int).sum(),
    "and back": lambda v: (v.astype(int).astype(float) * v).sum(), "bool": lambda v: (v.astype(bool) * v).sum(),
    "float32": lambda v: (v.astype(np.float32) * v).sum(), "np.astype": lambda v: (zen.astype(v, zen.int64) * v).sum(),
    "array with dtype": lambda v: (np.array(v, dtype=int) * v).sum(),
    "array with dtype float": lambda v: (np.array(v, dtype=float) * v).sum(),
    "asarray with dtype": lambda v: (np.asarray(v, dtype=int) * v).sum(),
    "of a list": lambda v: (np.array([v[0], v[1]], dtype=int) * v).sum(),
    "zen.asarray": lambda v: (zen.asarray(v, dtype=zen.int64) * v).sum(),
    "zen.asarray float32": lambda v: (zen.asarray(v, dtype=zen.float32) * v).sum(),
    "zen.tensor of a list": lambda v: (zen.tensor([v[0], v[1]], dtype=zen.int64) * v).sum(),
    "sum": lambda v: np.sum(v, dtype=int) * v[0], "sum in float32": lambda v: np.sum(v, dtype=np.float32) * v[0],
    "cumsum": lambda v: (np.cumsum(v, dtype=int) * v).sum(), "prod": lambda v: np.prod(v, dtype=int) * v[0],
    "mean": lambda v: np.mean(v, dtype=np.float32) * v[0], "ufunc": lambda v: np.multiply(v, v, dtype=np.float32).sum(),
    "unsafe ufunc": lambda v: np.multiply(v, v, dtype=int, casting="unsafe").sum(),
    "concatenate": lambda v: np.concatenate([v, v], dtype=int, casting="unsafe").sum() * v[0],
    "complex": lambda v: (v.astype(complex) * (1 + 2j) * v).real.sum(), "floor": lambda v: (np.floor(v) * v).sum(),
    "trace": lambda v: np.trace(np.outer(v, v), dtype=int) * v[0],
}  # fmt: skip


def _result(f):
    try:
        return np.asarray(f())
    except (TypeError, ValueError, RuntimeError) as error:
        return type(error)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", list(CASTS))
def test_a_cast_loses_no_more_than_without_vmap(name):
    f = CASTS[name]
    expected = _result(lambda: [zen.grad(f)(row) for row in X])
    for found in (
        _result(lambda: zen.vmap(zen.grad(f))(X)), _result(lambda: zen.grad(lambda x: zen.vmap(f)(x).sum())(X)),
        _result(lambda: zen.vjp(zen.vmap(f), X)[1](np.ones(3))[0]),
        _result(lambda: zen.vmap(lambda x: zen.vjp(f, x)[1](1.0)[0])(X)),
    ):  # fmt: skip
        if isinstance(expected, type):
            assert found is expected
        else:
            np.testing.assert_allclose(found, expected)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", list(CASTS))
def test_a_cast_of_a_free_variable(name):
    def gradient(call):
        w = zen.tensor(np.array([1.5, -0.5]), requires_grad=True)
        zen.asarray(call(partial(lambda w, x: CASTS[name](w * x), w))).backward()
        return w.gradient.copy()

    expected = _result(lambda: gradient(lambda f: sum(f(zen.tensor(row)) for row in X)))
    found = _result(lambda: gradient(lambda f: zen.vmap(f)(X).sum()))
    if isinstance(expected, type):
        assert found is expected
    else:
        np.testing.assert_allclose(found, expected)
