"""The transforms by NumPy's own loops: its functions' results to the last bit, and in their memory order."""

from itertools import permutations

import numpy as np
import pytest

import zen
from zen.ops import fft_loops

NORMS = ("backward", "ortho", "forward")
SHAPES = [(5,), (4, 6), (2, 3, 4), (1, 1), (7, 3), (0, 4), (2, 0, 3)]


def layouts(shape, dtype):
    rng = np.random.default_rng(0)
    x = rng.normal(size=shape)
    x = (x + 1j * rng.normal(size=shape) if np.dtype(dtype).kind == "c" else x).astype(dtype)
    return [x, x.T, x[..., ::-1], np.broadcast_to(x, (2, *shape)), x.astype(x.dtype.newbyteorder())]


def assert_same(made, expected):
    assert made.dtype == expected.dtype and made.shape == expected.shape and made.strides == expected.strides
    np.testing.assert_array_equal(made, expected)


@pytest.mark.parametrize("dtype", "efdFD")
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_transforms_are_those_of_numpy(shape, dtype):
    for x in layouts(shape, dtype):
        for k in range(1, x.ndim + 1):
            for axes in permutations(range(x.ndim), k):
                if 0 in [x.shape[axis] for axis in axes]:
                    continue
                for norm in NORMS:
                    assert_same(fft_loops.fourier(x, axes, False, norm), np.fft.fftn(x, axes=axes, norm=norm))
                    assert_same(fft_loops.fourier(x, axes, True, norm), np.fft.ifftn(x, axes=axes, norm=norm))


@pytest.mark.parametrize("dtype", "efdFD")
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_half_spectra_are_those_of_numpy(shape, dtype):
    for x in layouts(shape, dtype):
        for axis in [k for k in range(x.ndim) if x.shape[k]]:
            for norm in NORMS:
                if x.dtype.kind == "f":
                    assert_same(fft_loops.rfft(x, axis, norm), np.fft.rfft(x, axis=axis, norm=norm))
                for n in (2 * x.shape[axis] - 1, max(2 * x.shape[axis] - 2, 1), 3):
                    assert_same(fft_loops.irfft(x, n, axis, norm), np.fft.irfft(x, n, axis=axis, norm=norm))


@pytest.mark.parametrize("name", "fft ifft rfft irfft fft2 ifftn rfft2 irfftn".split())
def test_a_numpy_without_the_loops_gives_the_same(name, monkeypatch):
    x = np.random.default_rng(0).normal(size=(3, 4))

    def both():
        t = zen.tensor(x, requires_grad=True)
        y = getattr(zen.fft, name)(t)
        (y * y).real.sum().backward()
        return y.value, t.grad.value

    expected = both()
    monkeypatch.setattr(fft_loops, "_KINDS", {})
    for made, other in zip(both(), expected, strict=True):
        np.testing.assert_array_equal(made, other)


@pytest.mark.parametrize(("dtype", "tolerance"), [("complex64", 1e-5), ("complex128", 1e-13)])
@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize(("n", "axis"), [(1, 0), (4, 1), (5, 0), (4, 0)])
@pytest.mark.parametrize("has_loops", [True, False])
def test_the_transpose_of_half_a_spectrum(has_loops, n, axis, norm, dtype, tolerance, monkeypatch):
    if not has_loops:
        monkeypatch.setattr(fft_loops, "_KINDS", {})
    rng = np.random.default_rng(0)
    shape = (n // 2 + 1, 3) if axis == 0 else (3, n // 2 + 1)
    g = (rng.normal(size=shape) + 1j * rng.normal(size=shape)).astype(dtype)
    made = fft_loops.rfft_transposed(g, n, axis, norm)
    assert made.dtype == g.real.dtype and made.flags.c_contiguous
    columns = np.fft.rfft(np.eye(n), norm=norm)  # of a unit vector each
    expected = np.tensordot(columns, g, (1, axis)).real
    np.testing.assert_allclose(made, expected if axis == 0 else expected.T, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("n", [40, 100])
def test_gradients_of_few_and_of_many_values_agree_with_sums_of_cosines(n):
    x = np.random.default_rng(0).normal(size=(n, n))
    k, j = np.arange(n // 2 + 1)[:, None], np.arange(n)
    t = zen.tensor(x, requires_grad=True)
    zen.fft.rfft(t).real.sum().backward()
    np.testing.assert_allclose(t.grad.value, np.broadcast_to(np.cos(2 * np.pi * j * k / n).sum(0), (n, n)), atol=1e-12)
