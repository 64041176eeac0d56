"""numpy.emath on Tensors: values and dtypes of NumPy inside and outside the real domain, gradients by differences."""

import numpy as np
import pytest

import zen
from zen.testing import check_gradients

INSIDE, OUTSIDE = np.array([0.3, 0.9, 0.5]), np.array([0.3, -2.5, 1.7])
CALLS = {
    **{name: getattr(np.emath, name) for name in "sqrt log log2 log10 arccos arcsin arctanh".split()},
    "logn": lambda x: np.emath.logn(3.0, x),
    "logn of bases": lambda x: np.emath.logn(x + 4.5, 2.0),
    "logn of negative bases": lambda x: np.emath.logn(-2.5, x),
    "power": lambda x: np.emath.power(x, 1.5),
    "power by x": lambda x: np.emath.power([2.0, 3.0, -1.5], x),
    "power of whole numbers": lambda x: np.emath.power(x, [2, -1, -2]),
}


@pytest.mark.parametrize("values", [INSIDE, OUTSIDE], ids=["inside", "outside"])
@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())
def test_values_and_derivatives(call, values):
    for dtype in (np.float64, np.float32):
        wanted = call(values.astype(dtype))
        found = call(zen.tensor(values, dtype, requires_grad=True))
        assert type(found) is zen.Tensor and found.dtype == wanted.dtype and found.requires_grad
        np.testing.assert_allclose(found.value, wanted, rtol=1e-12 if dtype == np.float64 else 1e-5)
    if wanted.dtype.kind == "f":
        check_gradients(call, [values])
        return
    x, w = zen.tensor(values, requires_grad=True), np.array([1.0 + 0.5j, -0.3j, 0.7])
    (call(x) * w).real.sum().backward()
    assert x.grad.dtype == np.float64
    steps = 1e-6 * np.eye(3)
    slope = [np.sum(((call(values + h) - call(values - h)) * w).real) / 2e-6 for h in steps]
    np.testing.assert_allclose(x.gradient, slope, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("dtype", [bool, np.int8, np.int32, np.uint8, np.float16, np.complex64])
def test_dtypes_are_numpys(dtype):
    for a in (np.array([1, 2, 3]).astype(dtype), np.array([-3, 1, 2]).astype(dtype)):
        for call in (*CALLS.values(), np.real_if_close):
            with np.errstate(all="ignore"):
                try:
                    wanted = np.asarray(call(a))
                except TypeError:
                    continue
                found = call(zen.tensor(a))
            assert found.dtype == wanted.dtype
            np.testing.assert_allclose(found.numpy(), wanted, rtol=5e-3 if dtype == np.float16 else 2e-5)


def test_real_if_close():
    for z in (np.array([1 + 1e-15j, 2]), np.array([1 + 1e-3j, 2]), np.array([1.0])):
        for tol in (100, 1e-2):
            wanted = np.real_if_close(z, tol)
            found = np.real_if_close(zen.tensor(z, requires_grad=True), tol)
            assert found.dtype == wanted.dtype and found.requires_grad
            np.testing.assert_array_equal(found.value, wanted)
