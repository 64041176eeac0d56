"""Products and linear algebra against NumPy; singular and other special matrices; error messages."""

import numpy as np
import pytest

import zen
from zen import f
from zen.testing import check_gradients

rng = np.random.default_rng(0)
A = rng.normal(size=(2, 3, 3)) + 3 * np.eye(3)
B = rng.normal(size=(2, 3, 2))
S = A @ A.transpose(0, 2, 1)


def gradients(function, *arrays):
    ts = [zen.tensor(np.asarray(x, float), requires_grad=True) for x in arrays]
    f.sum(function(*ts)).backward()
    return [t.gradient for t in ts]


def rand(*shape):
    return np.random.default_rng(len(shape)).normal(size=shape)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ((3,), (3,)), ((2, 3), (3,)), ((3,), (3, 4)), ((2, 3), (3, 4)), ((5, 2, 3), (3,)), ((3,), (5, 3, 2)),
        ((5, 2, 3), (3, 4)), ((2, 3), (5, 3, 4)), ((5, 2, 3), (5, 3, 1)), ((4, 1, 2, 3), (5, 3, 2)), ((0, 3), (3, 2)),
        ((2, 0), (0, 3)), ((0, 2, 3), (3, 4)),
    ],
    ids=str,
)  # fmt: skip
def test_matmul_of_all_ranks(a, b):
    a, b = rand(*a), rand(*b)
    for form in (f.matmul, np.matmul, lambda x, y: x @ y):
        found = form(zen.tensor(a), zen.tensor(b)).array
        assert found.shape == (a @ b).shape
        np.testing.assert_allclose(found, a @ b, rtol=1e-12, atol=1e-12)
    assert (zen.tensor(a.astype(np.float32)) @ b.astype(np.float32)).dtype == np.float32
    np.testing.assert_allclose((zen.tensor(a) @ b).array, a @ b, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose((a @ zen.tensor(b)).array, a @ b, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(
    ("m", "n"), [(1, 1), (3, 5), (4, 16), (9, 33), (300, 7), (7, 600), (130, 1100), (0, 3), (3, 0)]
)
def test_products_of_a_matrix_and_a_vector(m, n, dtype):
    """By rows, by columns and with gaps; twice, so that the second gradient is added to the first."""
    tolerance = {"rtol": 1e-10, "atol": 1e-10} if dtype == "float64" else {"rtol": 1e-4, "atol": 1e-4}
    dense, x, g = rand(m, n), rand(n, 1)[:, 0], rand(m, 1)[:, 0]
    for a in (dense, np.asfortranarray(dense), np.repeat(np.repeat(dense, 2, 0), 3, 1)[::2, ::3], dense[::-1]):
        for order in (1, -1):
            t = zen.from_numpy(a.astype(dtype, order="K")).requires_grad_()
            u = zen.tensor(np.repeat(x, 2)[::2], dtype=dtype, requires_grad=True)
            y = t @ u if order == 1 else u @ t.T
            np.testing.assert_allclose(y.array, a @ x, **tolerance)
            y.backward(zen.tensor(g, dtype=dtype), retain_graph=True)
            (2 * y).backward(zen.tensor(g, dtype=dtype))
            np.testing.assert_allclose(t.gradient, 3 * np.outer(g, x), **tolerance)
            np.testing.assert_allclose(u.gradient, 3 * g @ a, **tolerance)


def test_a_matrix_and_a_vector_to_the_second_order():
    check_gradients(lambda a, x: a @ x, [rand(3, 4), rand(4, 1)[:, 0]], order=2)
    check_gradients(lambda x, a: x @ a, [rand(3, 1)[:, 0], rand(3, 4)], order=2)


EINSUMS = [
    ("ij,jk->ik", (2, 3), (3, 4)), ("ij,jk", (2, 3), (3, 4)), ("ba", (2, 3)), ("ii", (3, 3)), ("ii->i", (3, 3)),
    ("iij->j", (3, 3, 2)), ("iji->ij", (2, 3, 2)), ("ij->", (2, 3)), ("ij->j", (2, 3)), ("i,i,i->", (3,), (3,), (3,)),
    ("ij,kl->il", (2, 3), (2, 3)), ("...ij,...jk->...ik", (5, 1, 2, 3), (4, 3, 2)), ("...i->...", (2, 3)),
    ("i...->...", (2, 3)), ("...,...", (2, 1), (3,)), ("b i j , b j", (2, 3, 4), (2, 4)),
    ("ij,jk,kl,lm->im", (2, 2), (2, 3), (3, 2), (2, 2)), ("ii,ij->j", (3, 3), (3, 2)), ("i,i->i", (1,), (3,)),
    (",i->i", (), (3,)), ("i->", (0,)), ("Aa,aB->BA", (2, 3), (3, 2)),
]  # fmt: skip


@pytest.mark.parametrize(("subscripts", "shapes"), [(s, shapes) for s, *shapes in EINSUMS], ids=[e[0] for e in EINSUMS])
def test_einsum(subscripts, shapes):
    arrays = [np.random.default_rng(k).normal(size=s) for k, s in enumerate(shapes)]
    expected = np.einsum(subscripts, *arrays)
    for form in (f.einsum, np.einsum):
        found = form(subscripts, *[zen.tensor(x) for x in arrays]).array
        assert found.shape == expected.shape
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)
    check_gradients(lambda *xs: f.einsum(subscripts, *xs), arrays, order=2)


def test_einsum_with_lists():
    x, y = rand(2, 3), rand(3, 4)
    np.testing.assert_allclose(f.einsum(zen.tensor(x), [0, 1], zen.tensor(y), [1, 2], [2, 0]).array, (x @ y).T)
    np.testing.assert_allclose(f.einsum(zen.tensor(x), [..., 1], [...]).array, x.sum(1))


def test_a_large_einsum_is_planned():
    x = rand(40, 50)
    np.testing.assert_allclose(f.einsum("ij,kj,kl->il", zen.tensor(x), x, x).array, x @ x.T @ x)


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("dot", (B[0], B[0].T)), ("dot", (A, B)), ("dot", (B[0, 0], B[0, 1])), ("dot", (A, 2.0)), ("inner", (B, B[0])),
        ("vdot", (B, B)), ("outer", (B[0, 0], B)), ("tensordot", (B, B, ([0, 1], [0, 1]))), ("tensordot", (A, B[0], 1)),
        ("tensordot", (B[0], B[0], 0)), ("tensordot", (A, A, (2, 1))), ("vecdot", (B, B[0])),
    ],
)  # fmt: skip
def test_other_products(name, args):
    expected = getattr(np, name)(*args)
    found = getattr(f, name)(*[zen.tensor(a) if isinstance(a, np.ndarray) else a for a in args]).array
    np.testing.assert_allclose(found, expected)
    check_gradients(lambda a, b: getattr(f, name)(a, b, *args[2:]), [np.asarray(a) for a in args[:2]])


def test_solve_and_inverse_against_the_definition():
    np.testing.assert_allclose(A @ zen.linalg.solve(A, B).array, B)
    np.testing.assert_allclose(zen.linalg.inv(A).array @ A, np.broadcast_to(np.eye(3), A.shape), atol=1e-12)
    vector = zen.linalg.solve(zen.tensor(A), B[0, :, 0])
    np.testing.assert_allclose((A @ vector.array[..., None])[..., 0], np.broadcast_to(B[0, :, 0], (2, 3)))
    assert zen.linalg.solve(A.astype(np.float32), B.astype(np.float32)).dtype == np.float32


def test_det_and_its_derivatives_at_singular_matrices():
    """d det / dx is the matrix of cofactors; of [[1, 2], [2, 4]] it is [[4, -2], [-2, 1]], and of zeros it is zero."""
    np.testing.assert_allclose(gradients(zen.linalg.det, [[1.0, 2.0], [2.0, 4.0]])[0], [[4, -2], [-2, 1]], atol=1e-12)
    np.testing.assert_allclose(gradients(zen.linalg.det, np.zeros((3, 3)))[0], np.zeros((3, 3)))
    np.testing.assert_allclose(gradients(zen.linalg.det, np.diag([0.0, 2.0, 3.0]))[0], np.diag([6.0, 0, 0]), atol=1e-12)
    low_rank = rand(3, 1) @ rand(1, 3)
    check_gradients(zen.linalg.det, [low_rank], order=3, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(gradients(zen.linalg.det, [[5.0]])[0], [[1]])


def test_slogdet():
    x = A.copy()
    x[0, 0] *= -1
    sign, logabsdet = zen.linalg.slogdet(zen.tensor(x))
    np.testing.assert_allclose(sign.array, np.linalg.slogdet(x).sign)
    np.testing.assert_allclose(logabsdet.array, np.linalg.slogdet(x).logabsdet)
    (grad,) = gradients(lambda t: np.linalg.slogdet(t).logabsdet, x)
    np.testing.assert_allclose(grad, np.linalg.inv(x).transpose(0, 2, 1))


def test_cholesky():
    lower = zen.linalg.cholesky(zen.tensor(S)).array
    np.testing.assert_allclose(lower @ lower.transpose(0, 2, 1), S)
    np.testing.assert_array_equal(lower, np.tril(lower))
    np.testing.assert_array_equal(zen.linalg.cholesky(zen.tensor(S), upper=True).array, lower.transpose(0, 2, 1))
    (grad,) = gradients(lambda x: zen.linalg.cholesky(x) ** 3, S)
    np.testing.assert_allclose(grad, grad.transpose(0, 2, 1))


def test_log_likelihood_of_a_gaussian_has_its_known_gradient():
    """d/dS of log det S + x' inv(S) x is inv(S) - inv(S) x x' inv(S)."""
    s, x = S[0], B[0, :, 0]
    found = gradients(lambda m: zen.linalg.slogdet(m).logabsdet + x @ zen.linalg.solve(m, x), s)[0]
    inverse = np.linalg.inv(s)
    np.testing.assert_allclose(found, inverse - np.outer(inverse @ x, inverse @ x))


@pytest.mark.parametrize("n", [-2, -1, 0, 1, 2, 5])
def test_matrix_power(n):
    np.testing.assert_allclose(zen.linalg.matrix_power(zen.tensor(A), n).array, np.linalg.matrix_power(A, n))
    check_gradients(lambda x: zen.linalg.matrix_power(x, n) * 1.0, [A[0]], rtol=1e-5)


@pytest.mark.parametrize("name", "inv det cholesky solve norm matrix_norm vector_norm vecdot outer".split())
def test_numpy_linalg_dispatches(name):
    args = {"solve": (A, B), "vecdot": (B, B), "outer": (B[0, 0], B[0, 1]), "cholesky": (S,)}.get(name, (A,))
    found = getattr(np.linalg, name)(*[zen.tensor(a, requires_grad=True) for a in args])
    assert found.requires_grad
    np.testing.assert_allclose(found.array, getattr(np.linalg, name)(*args))


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: zen.tensor(rand(2, 3)) @ rand(2, 3), ValueError, r"matmul: .*\(2, 3\) and \(2, 3\).*3.*2"),
        (lambda: f.matmul(rand(3), rand(2)), ValueError, r"matmul: .*\(3,\) and \(2,\)"),
        (lambda: f.matmul(rand(2, 2, 3), rand(3, 3, 4)), ValueError, r"matmul: .*leading axes \(2,\) and \(3,\)"),
        (lambda: f.matmul(rand(2, 3), 2.0), ValueError, r"matmul: .*0-d"),
        (lambda: f.tensordot(rand(2, 3), rand(2, 3), 1), ValueError, r"tensordot: .*\(3,\) and \(2,\)"),
        (lambda: f.tensordot(rand(2), rand(2), 2), ValueError, r"tensordot: cannot sum over 2"),
        (lambda: f.vdot(rand(2), rand(3)), ValueError, r"\(2,\) and \(3,\)"),
        (lambda: f.einsum("ij,jk", rand(2, 3), rand(2, 3)), ValueError, r"einsum: .*index 'j' has lengths 3 and 2"),
        (lambda: f.einsum("ij", rand(2)), ValueError, r"einsum: .*'ij' does not name"),
        (lambda: f.einsum("i,j", rand(2)), ValueError, r"einsum: .*2 parts for 1"),
        (lambda: f.einsum("i->j", rand(2)), ValueError, r"einsum: .*'j' of the result"),
        (lambda: f.einsum("i->ii", rand(2)), ValueError, r"einsum: .*twice"),
        (lambda: f.einsum("i.", rand(2, 2)), ValueError, r"einsum: "),
        (lambda: f.einsum("1", rand(2)), ValueError, r"einsum: .*'1' is not a letter"),
        (lambda: zen.linalg.solve(rand(2, 3), rand(2)), ValueError, r"solve: square .*\(2, 3\)"),
        (lambda: zen.linalg.solve(np.eye(2), rand(3)), ValueError, r"solve: .*\(2, 2\).*\(3,\)"),
        (lambda: zen.linalg.inv(np.zeros((2, 2))), np.linalg.LinAlgError, r"inv: Singular matrix.*\(2, 2\)"),
        (lambda: zen.linalg.cholesky(-np.eye(2)), np.linalg.LinAlgError, r"cholesky: .*positive definite"),
        (lambda: zen.linalg.det(rand(3)), ValueError, r"det: square .*\(3,\)"),
        (lambda: zen.linalg.det(np.eye(2, dtype=np.float16)), TypeError, r"det: float16.*float32"),
    ],
)
def test_errors_name_operation_and_shapes(call, error, words):
    with pytest.raises(error, match=words):
        call()
