"""Axes turned, stacked and cut, and products of shapes: NumPy's values and dtypes; derivatives."""

import numpy as np
import pytest
from against_numpy import numpy_is, same_as_numpy, same_error, smooth, smooth_complex

import zen
from zen import f

RNG = np.random.default_rng(23)
X, Y = RNG.normal(size=(3, 4)), RNG.normal(size=(3, 2))
CUBE = RNG.normal(size=(2, 3, 4))
NEW = numpy_is("2.2.0")


def test_turned():
    for x in (X, CUBE, np.arange(6).reshape(2, 3), np.zeros((0, 2))):
        same_as_numpy(np.flipud, x)
        same_as_numpy(np.fliplr, x)
        for k in range(-2, 5):
            for axes in ((0, 1), (1, 0), (-1, 0)):
                same_as_numpy(lambda t, k=k, a=axes: np.rot90(t, k, a), x)
                smooth(lambda t, k=k, a=axes: f.rot90(t, k, a), X, order=1)
    same_as_numpy(np.flipud, X[0])
    for axis in range(-3, 3):
        for start in range(-3, 4):
            same_as_numpy(lambda t, a=axis, s=start: np.rollaxis(t, a, s), CUBE)
    smooth(lambda t: f.rollaxis(f.fliplr(f.flipud(t)), 2, 1), CUBE)


def test_errors_of_turning():
    for call in (
        lambda t: np.fliplr(t[0]), lambda t: np.flipud(t[0, 0]), lambda t: np.rot90(t, 1, (0, 0)),
        lambda t: np.rot90(t, 1, (0, 2)), lambda t: np.rot90(t, 1, (0, 1, 2)), lambda t: np.rot90(t, 1, (0, -2)),
        lambda t: np.rollaxis(t, 2), lambda t: np.rollaxis(t, 0, 3), lambda t: np.array_split(t, 0),
        lambda t: np.vsplit(t, 2), lambda t: np.vsplit(t[0], 2), lambda t: np.hsplit(t[0, 0], 1),
        lambda t: np.dsplit(t, 2), lambda t: np.vander(t), lambda t: np.dstack([t, t[:2]]),
        lambda t: np.column_stack([t, t[0]]), lambda t: np.array_split(t, 2, 2),
    ):  # fmt: skip
        same_error(call, X)
    with pytest.raises(ValueError, match=r"vsplit: axis 0 of shape \(3, 4\) does not divide into 2"):
        f.vsplit(X, 2)


def test_stacked():
    for arrays in ([X, Y], [X[:, 0], Y], [X[:, 0], Y[:, 1], Y], [X.astype(np.float32), np.arange(3)]):
        same_as_numpy(np.column_stack, arrays)
    for arrays in ([X, X], [X[0], X[1]], [CUBE, CUBE[..., :1]], [np.array(1.0), np.array(2)]):
        same_as_numpy(np.dstack, arrays)
    smooth(lambda a, b: f.column_stack([a[:, 0], b]), X, Y)
    smooth(lambda a, b: f.dstack([a, b]), X, X * 2)


def test_cut():
    for x in (np.arange(7), X, CUBE):
        for parts in (1, 2, 3, 5, 9, [1, 3], [2, 2, 9], []):
            same_as_numpy(lambda t, p=parts: np.array_split(t, p), x)
            same_as_numpy(lambda t, p=parts: np.array_split(t, p, axis=-1), x)
    same_as_numpy(lambda t: np.vsplit(t, 3), X)
    same_as_numpy(lambda t: np.hsplit(t, 2), X)
    same_as_numpy(lambda t: np.hsplit(t, [1]), X[0])
    same_as_numpy(lambda t: np.dsplit(t, [1, 3]), CUBE)
    smooth(lambda t: [part**2 for part in f.array_split(t, 3, 1)], X)
    smooth(lambda t: f.dsplit(t, 2)[1] ** 2, CUBE)


def test_kronecker_products():
    for a, b in ((X, Y), (X[0], Y), (X, Y[0]), (CUBE, Y), (X[0], Y[0]), (np.array(2.0), X), (X, np.array(3.0))):
        same_as_numpy(np.kron, a, b)
        same_as_numpy(np.kron, a.astype(np.float32), (b * 9).astype(int))
        smooth(f.kron, a, b)
    smooth_complex(f.kron, X + 1j, Y * 2j)


def test_vandermonde_matrices():
    for x in (X[0], np.array([0.0, 1.0, 2.0]), np.array([1, 2, 3]), X[0].astype(np.float32), np.zeros(0)):
        for n in (None, 0, 1, 2, 5):
            for increasing in (False, True):
                same_as_numpy(lambda t, n=n, i=increasing: np.vander(t, n, i), x)
    smooth(lambda t: f.vander(t, 5), np.array([0.0, 1.0, -2.0]), order=3, rtol=1e-5, atol=1e-5)
    with pytest.raises(ValueError, match="vander: N must not be negative"):
        f.vander(X[0], -1)


def test_matrices_and_vectors():
    x, v = CUBE, RNG.normal(size=(2, 4))
    smooth(f.matvec, x, v)
    smooth(f.vecmat, v[:, None, :3], x)
    np.testing.assert_allclose(f.matvec(x, v).array, np.einsum("ijk,ik->ij", x, v))
    np.testing.assert_allclose(f.vecmat(v[:, :3] * 1j, x).array, -1j * np.einsum("ij,ijk->ik", v[:, :3], x))
    if NEW:
        same_as_numpy(np.matvec, x, v)
        same_as_numpy(np.vecmat, v[:, :3] + 1j, x * 2j)
    for name in ("matvec", "vecmat"):
        with pytest.raises(ValueError, match=rf"{name}: shapes .* do not fit"):
            getattr(f, name)(*((x, zen.ones(3)) if name == "matvec" else (zen.ones(4), x)))
