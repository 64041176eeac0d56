"""Triangular systems, Cholesky solves and LU decompositions, against what defines them."""

import numpy as np
import pytest

import zen
from zen import f
from zen.testing import check_gradients


def drawn(*shape, complex_=False, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=shape) + (1j * rng.normal(size=shape) if complex_ else 0)


@pytest.mark.parametrize("complex_", [False, True])
@pytest.mark.parametrize("unit", [False, True])
@pytest.mark.parametrize("lower", [False, True])
@pytest.mark.parametrize("trans", [0, 1, 2, "N", "T", "C"])
def test_solve_triangular(trans, lower, unit, complex_):
    a = drawn(2, 3, 3, complex_=complex_) + 3 * np.eye(3)
    used = (np.tril if lower else np.triu)(a)
    if unit:
        used = used + np.eye(3) - used * np.eye(3)
    used = {0: used, 1: used.mT, 2: used.conj().mT}["NTC".index(trans) if isinstance(trans, str) else trans]
    options = {"trans": trans, "lower": lower, "unit_diagonal": unit}
    for b in (drawn(3, complex_=complex_), drawn(2, 3, 2, complex_=complex_)):
        y = zen.linalg.solve_triangular(a, b, **options).array
        np.testing.assert_allclose(
            (used @ y[..., None])[..., 0] if b.ndim == 1 else used @ y, np.broadcast_to(b, y.shape)
        )
        check_gradients(lambda a, b: zen.linalg.solve_triangular(a, b, **options), [a, b], order=1, rtol=1e-5)


def test_what_is_not_read_has_no_gradient():
    a = zen.tensor(drawn(3, 3) + 3 * np.eye(3), requires_grad=True)
    f.sum(zen.linalg.solve_triangular(a, np.ones(3), lower=True, unit_diagonal=True)).backward()
    assert (np.triu(a.gradient) == 0).all() and np.tril(a.gradient, -1).any()


@pytest.mark.parametrize("complex_", [False, True])
@pytest.mark.parametrize("lower", [False, True])
def test_cho_solve(lower, complex_):
    x, b = drawn(3, 3, complex_=complex_), drawn(3, 2)
    s = x @ x.conj().T + np.eye(3)
    c = zen.linalg.cholesky(s, upper=not lower)
    np.testing.assert_allclose(zen.linalg.cho_solve((c, lower), b).array, np.linalg.solve(s, b))
    check_gradients(
        lambda s, b: zen.linalg.cho_solve((zen.linalg.cholesky(s, upper=not lower), lower), b),
        [s, b],
        order=1,
        rtol=1e-5,
    )


@pytest.mark.parametrize("complex_", [False, True])
@pytest.mark.parametrize("shape", [(3, 3), (4, 2), (2, 4), (2, 3, 3), (1, 1), (0, 2), (3, 0), (0, 2, 2)], ids=str)
def test_lu(shape, complex_):
    a = drawn(*shape, complex_=complex_)
    m, n = shape[-2:]
    k = min(m, n)
    for given in (a, zen.tensor(a, requires_grad=True)):
        p, lower, upper = (x.array for x in zen.linalg.lu(given))
        assert (
            p.shape == (*shape[:-2], m, m) and lower.shape == (*shape[:-2], m, k) and upper.shape == (*shape[:-2], k, n)
        )
        np.testing.assert_allclose(p @ lower @ upper, a, atol=1e-12)
        np.testing.assert_array_equal(lower, np.tril(lower))
        np.testing.assert_array_equal(upper, np.triu(upper))
        assert np.abs(lower).max(initial=0) <= 2**0.5 + 1e-12  # LAPACK compares abs(real) + abs(imag)
        order, again, _ = zen.linalg.lu(given, p_indices=True)
        np.testing.assert_allclose(np.take_along_axis(again.array @ upper, order.array[..., None], -2), a, atol=1e-12)
        permuted, _ = zen.linalg.lu(given, permute_l=True)
        np.testing.assert_allclose(permuted.array, p @ lower, atol=1e-12)
    if a.size:
        check_gradients(lambda x: f.concat([f.ravel(t) for t in zen.linalg.lu(x)[1:]]), [a], rtol=1e-5, atol=1e-5)


def test_lu_of_a_singular_matrix_has_values_and_no_gradient():
    a = np.ones((2, 2))
    p, lower, upper = zen.linalg.lu(a)
    np.testing.assert_array_equal((p @ lower @ upper).array, a)
    with pytest.raises(np.linalg.LinAlgError, match=r"lu: the first 2 columns .*\(2, 2\).*detach"):
        zen.linalg.lu(zen.tensor(a, requires_grad=True))


def test_float32_stays():
    a = drawn(3, 3).astype(np.float32) + 3 * np.eye(3, dtype=np.float32)
    leaf = zen.tensor(a, requires_grad=True)
    y = f.sum(zen.linalg.lu(leaf)[2]) + f.sum(zen.linalg.solve_triangular(leaf, np.ones(3, np.float32)))
    y.backward()
    assert y.dtype == leaf.grad.dtype == np.float32


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (
            lambda: zen.linalg.solve_triangular(np.diag([1.0, 0.0]), np.ones(2)),
            np.linalg.LinAlgError, r"solve_triangular: Singular matrix \(shape \(2, 2\)\): diagonal element 1 is 0",
        ),
        (lambda: zen.linalg.solve_triangular(np.eye(2), np.ones(3)), ValueError, r"triangular: .*\(2, 2\).*\(3,\)"),
        (lambda: zen.linalg.solve_triangular(np.ones((2, 3)), np.ones(2)), ValueError, r"solve_triangular: square"),
        (lambda: zen.linalg.solve_triangular(np.eye(2), np.ones(2), trans=3), ValueError, r"trans must be .*not 3"),
        (lambda: zen.linalg.cho_solve(zen.eye(3), np.ones(2)), TypeError, r"cho_solve: .*pair \(c, lower\)"),
        (lambda: zen.linalg.lu(np.ones(3)), ValueError, r"lu: matrices .*\(3,\)"),
    ],
)  # fmt: skip
def test_errors(call, error, words):
    with pytest.raises(error, match=words):
        call()
