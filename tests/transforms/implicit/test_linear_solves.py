"""`cg` and `gmres`: values and derivatives of every order are those of a solve with the matrix."""

import warnings

import numpy as np
import pytest
import scipy.sparse as sp
import scipy.sparse.linalg as spl

import zen
from zen.testing import check_grads

N = 6
RNG = np.random.default_rng(0)
Q = RNG.normal(size=(N, N))
MATRIX = {"cg": Q @ Q.T + N * np.eye(N), "gmres": Q + N * np.eye(N)}
B, D = RNG.normal(size=N), RNG.uniform(1, 2, N)


@pytest.fixture(params=["cg", "gmres"])
def name(request):
    return request.param


def solver(name):
    return getattr(zen.linalg, name)


def by_products(name):
    matrix, solve = MATRIX[name], solver(name)
    return lambda d, b: solve(lambda v: matrix @ v + d * v, b)


def by_matrix(name):
    return lambda d, b: zen.linalg.solve(MATRIX[name] + np.eye(N) * d, b)


@pytest.mark.parametrize(
    "transform",
    [zen.grad, zen.hessian, lambda f: zen.jacfwd(zen.grad(f)), lambda f: zen.jacrev(zen.jacfwd(f)),
     lambda f: zen.jacrev(zen.hessian(f)), lambda f: zen.jacfwd(zen.jacfwd(f))],
    ids=["r", "fr", "fr again", "rf", "rfr", "ff"],
)  # fmt: skip
def test_derivatives_by_what_the_product_uses(name, transform):
    found, exact = [transform(lambda d, f=f: (f(d, B) ** 3).sum())(D) for f in (by_products(name), by_matrix(name))]
    np.testing.assert_allclose(found, exact, rtol=1e-6, atol=1e-9)


def test_derivatives_by_the_right_side_and_by_arguments(name):
    solve = solver(name)
    check_grads(lambda d, b: solve(lambda v, d: MATRIX[name] @ v + d * v, b, args=(d,)), (D, B))


def test_matrices_of_every_kind(name):
    matrix, solve = MATRIX[name], solver(name)
    inverse = np.linalg.inv(matrix)
    kinds = [sp.csr_array(matrix), sp.csr_matrix(matrix), spl.aslinearoperator(matrix), matrix, matrix.tolist()]
    for a in kinds:
        np.testing.assert_allclose(solve(a, B), inverse @ B, rtol=1e-8)
        for transform in (zen.jacrev, zen.jacfwd):
            np.testing.assert_allclose(transform(lambda b, a=a: solve(a, b))(B), inverse, rtol=1e-7, atol=1e-9)
        second = zen.hessian(lambda b, a=a: (solve(a, b) ** 2).sum())(B)
        np.testing.assert_allclose(second, 2 * inverse.T @ inverse, rtol=1e-7, atol=1e-9)
    t = zen.tensor(matrix, requires_grad=True)
    g, exact = [zen.gradients((x**2).sum(), t).array for x in (solve(t, B), zen.linalg.solve(t, B))]
    np.testing.assert_allclose(g, exact, rtol=1e-6, atol=1e-9)


def test_complex_systems(name):
    matrix = MATRIX[name] + (1j * (Q - Q.T) if name == "cg" else 1j * Q)
    b, solve = B + 1j * D, solver(name)

    def by_b(f):
        return lambda b: zen.sum(zen.abs(f(b) - 1) ** 2)

    found = zen.grad(by_b(lambda b: solve(lambda v: matrix @ v, b)))(b)
    np.testing.assert_allclose(found, zen.grad(by_b(lambda b: zen.linalg.solve(matrix, b)))(b), rtol=1e-7)

    def mine(d):
        return zen.sum(zen.abs(solve(lambda v: matrix @ v + d * v, b)) ** 2)

    def theirs(d):
        return zen.sum(zen.abs(zen.linalg.solve(matrix + np.eye(N) * d, b)) ** 2)

    np.testing.assert_allclose(zen.grad(mine)(D), zen.grad(theirs)(D), rtol=1e-7, atol=1e-10)
    np.testing.assert_allclose(zen.hessian(mine)(D), zen.hessian(theirs)(D), rtol=1e-6, atol=1e-9)


def test_free_variables(name):
    s = zen.tensor(2.0, requires_grad=True)
    twice = 2 * s
    x = solver(name)(lambda v: s * twice * v, s * np.ones(3))  # 1 / (2 s)
    g = zen.gradients(x.sum(), s, create_graph=True)
    assert g.item() == pytest.approx(-3 / 8) and zen.gradients(g, s).item() == pytest.approx(3 / 8)


def test_preconditioners_change_nothing_but_the_way(name):
    matrix, solve = MATRIX[name], solver(name)
    m = np.diag(1 / np.diag(matrix))
    for p in (m, sp.csr_array(m), spl.aslinearoperator(m), lambda v: v / np.diag(matrix), zen.tensor(m)):
        found = zen.jacobian(lambda b, p=p: solve(matrix, b, x0=np.ones(N), M=p))(B)
        np.testing.assert_allclose(found, np.linalg.inv(matrix), rtol=1e-7, atol=1e-9)


def test_shapes_dtypes_and_containers(name):
    solve = solver(name)
    found = solve(lambda v: {"a": 2 * v["a"], "b": 3 * v["b"]}, {"a": 1.0, "b": np.ones((2, 2))})
    np.testing.assert_allclose(found["b"], np.full((2, 2), 1 / 3))
    assert found["a"].shape == () and type(found["a"]) is np.ndarray
    single = solve(2 * np.eye(2, dtype=np.float32), np.ones(2, np.float32))
    assert single.dtype == np.float32 and single.tolist() == [0.5, 0.5]
    assert solve([[2.0]], [1.0]).tolist() == [0.5]
    assert solve(np.eye(2), np.zeros(2)).tolist() == [0.0, 0.0]
    assert isinstance(solve(zen.tensor([[2.0]]), [1.0]), zen.Tensor)


def test_a_tolerance_of_zero_leaves_the_absolute_one(name):
    found = solver(name)(MATRIX[name], B, rtol=0.0, atol=1e3)
    assert (found == 0).all()  # where the iteration starts is near enough


def test_in_vmap_one_after_the_other(name):
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="vmap: ")
        found = zen.vmap(zen.grad(lambda b: (solver(name)(MATRIX[name], b) ** 2).sum()))(np.stack([B, 2 * B]))
    exact = zen.grad(lambda b: (zen.linalg.solve(MATRIX[name], b) ** 2).sum())(B)
    np.testing.assert_allclose(found, [exact, 2 * exact], rtol=1e-7, atol=1e-10)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda s: s(lambda v: v + 1.0, B), ValueError, "A is not linear: of zeros it makes 1; move what does not"),
        (lambda s: s(lambda v: v[:2], B), ValueError, r"A returned shape \(2,\) where b has shape \(6,\)"),
        (lambda s: s(np.eye(3), B), ValueError, r"A has shape \(3, 3\); for a b of 6 numbers it must have \(6, 6\)"),
        (lambda s: s(3, B), TypeError, "A is a function, matrix or LinearOperator, not int"),
        (lambda s: s(lambda v: None, B), TypeError, "returned NoneType"),
        (lambda s: s(lambda v: v * np.nan, B), FloatingPointError, "A makes nan of zeros"),
        (lambda s: s(np.eye(N), B, M=np.eye(2)), ValueError, r"M has shape \(2, 2\); expected \(6, 6\)"),
        (lambda s: s(np.eye(N), B * np.nan), ValueError, "b holds nan or infinity"),
        (lambda s: s(lambda v: v, np.ones(2, int)), TypeError, "b has dtype int64"),
        (lambda s: s(np.eye(N), B, x0=np.ones(2)), ValueError, "x0 has 2 numbers, b has 6"),
        (lambda s: s(np.eye(N), B, args=3), TypeError, "args is a tuple"),
        (lambda s: s(np.eye(N), B, rtol="a"), TypeError, "rtol is a number that is not negative, not 'a'"),
        (lambda s: s(np.eye(N), B, atol=-1), ValueError, "atol is a number that is not negative, not -1"),
        (lambda s: s(np.eye(N), B, maxiter=1.5), TypeError, "maxiter is a positive int, not 1.5"),
        (lambda s: s(np.diag([1.0, 0.0]), np.ones(2)), RuntimeError,
         r"did not converge: norm\(b - A\(x\)\) is [\d.e+naif]+ after \d+ products, more than"),
    ],
)  # fmt: skip
def test_bad_input_is_named(name, call, error, message):
    with pytest.raises(error, match=f"{name}: .*{message}"):
        call(solver(name))
