"""Decompositions beside PyTorch (orders 1 and 2) and SciPy: what does not depend on signs and phases of vectors."""

import numpy as np
import pytest
import torch
from scipy import linalg

import zen

f, L = zen.f, zen.linalg


def drawn(*shape, complex_=False, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=shape) + (1j * rng.normal(size=shape) if complex_ else 0)


def of_zen(function, x, w):
    leaf = zen.tensor(x, requires_grad=True)
    y = function(zen.linalg, leaf, zen.tensor(w))
    first = zen.gradients(y, leaf, create_graph=True)
    return [y.array, first.array, zen.gradients((first * first.conj()).real.sum(), leaf).array]


def of_torch(function, x, w):
    leaf = torch.tensor(x, requires_grad=True)
    y = function(torch.linalg, leaf, torch.tensor(w))
    (first,) = torch.autograd.grad(y, leaf, create_graph=True)
    (second,) = torch.autograd.grad((first * first.conj()).real.sum(), leaf)
    return [part.detach().numpy() for part in (y, first, second)]


def hermitian(x):
    return x @ x.mH


def _eigh(lib, x, w):
    s, v = lib.eigh(hermitian(x))
    return ((v * (s**2)[None, :]) @ v.mH * w).real.sum() + (abs(v) ** 4).sum() + (s**3).sum()


def _svd(lib, x, w):
    u, s, vh = lib.svd(x, full_matrices=False)
    return ((u * (s**2)[None, :]) @ vh * w).real.sum() + (abs(u) ** 4).sum() + (abs(vh) ** 4).sum()


def _qr(lib, x, w):
    q, r = lib.qr(x)
    return (q @ q.mH).real.sum() + (abs(q) ** 4).sum() + (r.real**3).sum()


def _eig(lib, x, w):
    s, v = lib.eig(x)
    return (abs(v) ** 4).sum() + (abs(s) ** 3).sum()


PROGRAMS = {
    "eig": _eig,
    "eigvals": lambda lib, x, w: (abs(lib.eigvals(x)) ** 2).sum(),
    "eigh": _eigh,
    "eigvalsh": lambda lib, x, w: (lib.eigvalsh(hermitian(x)) ** 2).sum(),
    "svd": _svd,
    "svdvals": lambda lib, x, w: (lib.svdvals(x) ** 3).sum(),
    "qr": _qr,
    "pinv": lambda lib, x, w: (abs(lib.pinv(x)) ** 2).sum(),
    "cond": lambda lib, x, w: lib.cond(x),
    "nuclear norm": lambda lib, x, w: lib.matrix_norm(x, ord="nuc") ** 3,
    "spectral norm": lambda lib, x, w: lib.matrix_norm(x, ord=2) ** 3,
    "smallest singular value": lambda lib, x, w: lib.matrix_norm(x, ord=-2) ** 3,
    "multi_dot": lambda lib, x, w: (abs(lib.multi_dot([x, w.mH, x])) ** 2).sum(),
    "determinant": lambda lib, x, w: abs(lib.det(hermitian(x))),
    "slogdet": lambda lib, x, w: lib.slogdet(hermitian(x) + 1 * (x @ x.mH))[1] ** 2,
    # away from the zeros of the upper triangle, where the modulus of a complex number has no second derivative
    "Cholesky": lambda lib, x, w: (abs(lib.cholesky(hermitian(x)) + 1) ** 3).sum(),
}


@pytest.mark.parametrize("complex_", [False, True])
@pytest.mark.parametrize("shape", [(3, 3), (4, 3), (3, 5)], ids=str)
@pytest.mark.parametrize("name", PROGRAMS)
def test_values_and_derivatives_are_those_of_pytorch(name, shape, complex_):
    if name in ("eigh", "eigvalsh", "determinant", "slogdet", "Cholesky") and shape[0] > shape[1]:
        shape = shape[::-1]  # x @ x.mH has full rank
    x, w = drawn(*shape, complex_=complex_), drawn(*shape, complex_=complex_, seed=1)
    if name in ("eig", "eigvals") and shape[0] != shape[1]:
        shape = (2, 3, 3)
        x, w = drawn(*shape, complex_=complex_), drawn(*shape, complex_=complex_, seed=1)
    w = w @ w.conj().T if name == "eigh" else w
    for k, (found, expected) in enumerate(
        zip(of_zen(PROGRAMS[name], x, w), of_torch(PROGRAMS[name], x, w), strict=True)
    ):
        np.testing.assert_allclose(found, expected, rtol=1e-8, atol=1e-9 * np.abs(expected).max(), err_msg=f"order {k}")


@pytest.mark.parametrize(("m", "n"), [(4, 2), (3, 3)])
def test_least_squares_are_those_of_pytorch(m, n):
    a, b = drawn(m, n), drawn(m, 2, seed=1)
    leaves = [zen.tensor(v, requires_grad=True) for v in (a, b)]
    (L.lstsq(*leaves)[0] ** 2).sum().backward()
    others = [torch.tensor(v, requires_grad=True) for v in (a, b)]
    (torch.linalg.lstsq(*others)[0] ** 2).sum().backward()
    for found, expected in zip(leaves, others, strict=True):
        np.testing.assert_allclose(found.gradient, expected.grad.numpy(), rtol=1e-9, atol=1e-9)


# SciPy


@pytest.mark.parametrize("complex_", [False, True])
@pytest.mark.parametrize("size", [1e-3, 0.1, 0.5, 1.0, 3.0, 30.0])
def test_expm_and_its_derivative(size, complex_):
    a, e = drawn(4, 4, complex_=complex_) * size / 4, drawn(4, 4, complex_=complex_, seed=1)
    value, change = linalg.expm_frechet(a, e)
    for found, expected in ((L.expm(a).array, value), (zen.jvp(L.expm, (a,), (e,))[1], change)):
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-11 * np.abs(expected).max())


@pytest.mark.parametrize("complex_", [False, True])
@pytest.mark.parametrize("shape", [(3, 3), (4, 2), (2, 4), (2, 3, 3), (20, 20)], ids=str)
def test_lu(shape, complex_):
    a = drawn(*shape, complex_=complex_)
    for options in ({}, {"permute_l": True}, {"p_indices": True}):
        for found, expected in zip(L.lu(a, **options), linalg.lu(a, **options), strict=True):
            np.testing.assert_allclose(found.array, expected, atol=1e-12)


@pytest.mark.parametrize("trans", [0, 1, 2])
@pytest.mark.parametrize("lower", [False, True])
def test_triangular_systems(trans, lower):
    a, b = drawn(4, 4, complex_=True) + 4 * np.eye(4), drawn(4, 2, seed=1)
    expected = linalg.solve_triangular(a, b, trans=trans, lower=lower)
    np.testing.assert_allclose(L.solve_triangular(a, b, trans=trans, lower=lower).array, expected)
    np.testing.assert_allclose(L.cho_solve((a, lower), b).array, linalg.cho_solve((a, lower), b))


def test_block_diag():
    blocks = [drawn(2, 3), drawn(2), 4.0, drawn(0, 2)]
    np.testing.assert_array_equal(L.block_diag(*blocks).array, linalg.block_diag(*blocks))
