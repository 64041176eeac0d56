"""Decompositions by NumPy's own loops: results to the last bit, memory order and errors are those of its functions."""

import numpy as np
import pytest

import zen
from zen.ops import lapack

SQUARE = [(1, 1), (3, 3), (10, 10), (2, 3, 3), (0, 3, 3), (2, 0, 0), (0, 0)]
SHAPES = [*SQUARE, (4, 2), (2, 4), (5, 3, 2), (0, 2), (2, 0), (3, 3, 0), (40, 40)]


def matrices(shape, dtype):
    """In several layouts and sizes; singular; with nan."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=shape)
    x = (x + 1j * rng.normal(size=shape) if np.dtype(dtype).kind == "c" else x).astype(dtype)
    big = (x * (1e30 if np.dtype(dtype).itemsize < 8 or dtype == "F" else 1e200)).astype(dtype)
    low, bad = x.copy(), x.copy()
    if x.size:
        low[..., -1:], bad.flat[-1] = low[..., :1], np.nan
    swapped = x.astype(x.dtype.newbyteorder())
    return [x, x.swapaxes(-1, -2), x[..., ::-1], swapped, big, low, np.zeros_like(x), *([bad] if x.size < 100 else [])]


def assert_same(function, expected, *args):
    """Both return the same, or both raise the same."""
    with np.errstate(all="ignore"):
        try:
            wanted = expected(*args)
        except ValueError as error:  # LinAlgError is one
            with pytest.raises(type(error)) as raised:
                function(*args)
            assert str(raised.value) == str(error)
            return
        made = function(*args)
    pairs = zip(made, wanted, strict=True) if isinstance(wanted, tuple) else [(made, wanted)]
    for a, b in pairs:
        assert type(a) is np.ndarray and a.dtype == b.dtype and a.shape == b.shape and a.strides == b.strides
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("dtype", "fdFD")
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_any_matrices(shape, dtype):
    for x in matrices(shape, dtype):
        assert_same(lapack.svd, lambda x: np.linalg.svd(x, full_matrices=False), x)
        for rcond in (1e-15, np.full(x.shape[:-2], 1e-3)):
            assert_same(lapack.pinv, np.linalg.pinv, x, rcond)
        if x.shape[-2] >= x.shape[-1]:
            assert_same(lapack.qr, np.linalg.qr, x)


@pytest.mark.parametrize("dtype", "fdFD")
@pytest.mark.parametrize("shape", SQUARE, ids=str)
def test_square_matrices(shape, dtype):
    n = shape[-1]
    sides = [np.ones(n, dtype), np.ones((n, 2), dtype), np.ones((2, n, 1), dtype), np.ones((n, 0), dtype)]
    for x in matrices(shape, dtype):
        assert_same(lapack.inv, np.linalg.inv, x)
        assert_same(lapack.eigh, np.linalg.eigh, (x + np.conj(x.swapaxes(-1, -2))) / 2)
        for b in [*sides, np.ones((n, 2), "f"), x]:
            assert_same(lapack.solve, np.linalg.solve, x, b)


@pytest.mark.parametrize("place", [0, 1, 5])
def test_singular_values_of_matrices_with_inf_come_to_an_end(place):
    x = np.random.default_rng(0).normal(size=(2, 3, 3))
    expected = np.linalg.svd(x[1], compute_uv=False)
    x[0].flat[place] = np.inf
    t = zen.tensor(x, requires_grad=True)
    for s in (zen.linalg.svdvals(t), zen.linalg.svdvals(x), zen.linalg.svd(t[..., :3]).S, zen.linalg.svd(x).S):
        assert np.isnan(s.value[0]).all()
        np.testing.assert_allclose(s.value[1], expected, rtol=1e-14)
    whole = zen.linalg.svd(x[:, :2])
    assert np.isnan(whole.Vh.value[0]).all() and np.isfinite(whole.Vh.value[1]).all()
    assert np.isnan(zen.linalg.pinv(x).value[0]).all() and np.isfinite(zen.linalg.pinv(x).value[1]).all()


@pytest.mark.parametrize("name", ["svd", "svdvals", "pinv"])
def test_matrices_with_nan_have_no_singular_values(name):
    x = np.array([[1.0, np.nan], [np.inf, 2.0]])
    with pytest.raises(np.linalg.LinAlgError, match=rf"^{name}: SVD did not converge \(shape \(2, 2\)\); look for nan"):
        getattr(zen.linalg, name)(x)


@pytest.mark.parametrize("name", "svd eigh qr pinv inv solve".split())
def test_a_numpy_without_the_loops_gives_the_same(name, monkeypatch):
    x = np.random.default_rng(0).normal(size=(3, 3))
    x = x @ x.T + np.eye(3)

    def both():
        t = zen.tensor(x, requires_grad=True)
        found = getattr(zen.linalg, name)(t, *([x] if name == "solve" else []))
        found = found if isinstance(found, tuple) else (found,)
        found[-1].sum().backward() if name != "svd" else found[1].sum().backward()
        return [*[y.value for y in found], t.grad.value]

    expected = both()
    for loops in ("_EIGH", "_SVD", "_QR", "_INV", "_SOLVE"):
        monkeypatch.setattr(lapack, loops, ())
    for made, other in zip(both(), expected, strict=True):
        np.testing.assert_array_equal(made, other)
