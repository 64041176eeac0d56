"""Convolution, correlation and the Kaiser window: NumPy's values and dtypes; derivatives."""

import numpy as np
import pytest
from against_numpy import same_as_numpy, same_error, smooth, smooth_complex

import zen
from zen import f

RNG = np.random.default_rng(17)
A, V = RNG.normal(size=7), RNG.normal(size=4)
MODES = ["full", "same", "valid"]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", ["convolve", "correlate"])
def test_values(name, mode):
    function = getattr(np, name)
    for m in range(1, 8):
        for n in range(1, 8):
            same_as_numpy(lambda a, v: function(a, v, mode), A[:m], RNG.normal(size=n))
            same_as_numpy(lambda a, v: function(a, v, mode), A[:m] + 1j, RNG.normal(size=n) * 1j)
    for dtype in (np.float32, np.int64, np.bool_):
        same_as_numpy(lambda a, v: function(a, v, mode), (A * 3).astype(dtype), V)
        same_as_numpy(lambda a, v: function(a, v, mode), (A * 3).astype(dtype), (V * 3).astype(dtype))
    if name == "convolve":
        same_as_numpy(lambda a: function(a, 2.0, mode=mode), A)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", ["convolve", "correlate"])
def test_derivatives(name, mode):
    function = getattr(f, name)
    for a, v in ((A, V), (V, A), (A[:4], V), (A[:1], V)):
        smooth(lambda a, v: function(a, v, mode), a, v, order=3, rtol=1e-5, atol=1e-5)
        smooth_complex(lambda a, v: function(a, v, mode), a + 1j, v * (1 - 2j))


def test_errors():
    for name in ("convolve", "correlate"):
        function = getattr(np, name)
        for rest in ((np.zeros(0),), (np.ones((2, 2)),), (A, "half")):
            same_error(lambda a, rest=rest, function=function: function(a, *rest), A)
        words = rf"{name}: sequences are one-dimensional and not empty, unlike shape \(0,\)"
        with pytest.raises(ValueError, match=words):
            getattr(f, name)(zen.ones(3), zen.ones(0))


def test_kaiser_windows():
    for size in (-1, 0, 1, 2, 9):
        np.testing.assert_allclose(f.kaiser(size, 8.5).array, np.kaiser(size, 8.5), rtol=1e-12)
    smooth(lambda b: f.kaiser(6, b), np.array(3.0))
    x = zen.tensor(A, requires_grad=True)
    assert (np.hamming(7) * x).requires_grad
