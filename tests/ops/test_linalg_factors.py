"""Solutions, inverses, determinants and Cholesky factors of all sizes and layouts, against their definitions.

The factorisations work on blocks: the sizes lie around these. Expected gradients are the formulas of Giles 2008 and
Murray 2016, in NumPy and double precision.
"""

import os
import subprocess
import sys
import threading

import numpy as np
import pytest

import zen
from zen.testing import check_gradients

SIZES = [1, 2, 15, 16, 17, 31, 33, 64, 100, 129, 257]
TOLERANCE = {"float64": {"rtol": 1e-9, "atol": 1e-11}, "float32": {"rtol": 5e-3, "atol": 2e-4}}


def general(n, *lead):
    rng = np.random.default_rng(n)
    return rng.normal(size=(*lead, n, n)) + 2 * n**0.5 * np.eye(n)


def positive(n, *lead):
    x = np.random.default_rng(n).normal(size=(*lead, n, n))
    return x @ np.swapaxes(x, -1, -2) / n + np.eye(n)


def layouts(x):
    """The same matrices by rows, by columns, and with gaps."""
    yield x
    yield np.swapaxes(np.ascontiguousarray(np.swapaxes(x, -1, -2)), -1, -2)
    yield np.repeat(np.repeat(x, 2, -1), 2, -2)[..., ::2, ::2]


def pulled(function, cotangent, *arrays, dtype="float64"):
    """The value and the gradients of zen's function."""
    leaves = [zen.from_numpy(x.astype(dtype, order="K")).requires_grad_() for x in arrays]
    y = function(*leaves)
    found = zen.gradients(y, leaves, zen.tensor(cotangent, dtype=dtype))
    assert y.dtype == np.dtype(dtype)
    return y.array, [g.array for g in found]


def inverse_cholesky_pull(lower, g):
    """Murray 2016, eq. 10."""
    inverse = np.linalg.inv(lower)
    n = lower.shape[-1]
    middle = np.swapaxes(lower, -1, -2) @ np.tril(g) * (np.tri(n) - np.eye(n) / 2)
    s = np.swapaxes(inverse, -1, -2) @ middle @ inverse
    return (s + np.swapaxes(s, -1, -2)) / 2


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("n", SIZES)
def test_solve(n, dtype):
    rng = np.random.default_rng(1)
    for a in layouts(general(n)):
        for b in (rng.normal(size=n), rng.normal(size=(n, 1)), rng.normal(size=(5, n)).T, rng.normal(size=(n, n + 1))):
            g = rng.normal(size=b.shape)
            y, (ga, gb) = pulled(zen.linalg.solve, g, a, b, dtype=dtype)
            np.testing.assert_allclose(a @ y, b, **TOLERANCE[dtype])
            np.testing.assert_allclose(a.T @ gb, g, **TOLERANCE[dtype])
            exact = np.linalg.solve(a, b)
            outer = np.multiply.outer if b.ndim == 1 else lambda p, q: p @ q.T
            np.testing.assert_allclose(ga, -outer(np.linalg.solve(a.T, g), exact), **TOLERANCE[dtype])


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("n", SIZES)
def test_inverse_and_determinant(n, dtype):
    rng = np.random.default_rng(2)
    for a in layouts(general(n)):
        exact, g = np.linalg.inv(a), rng.normal(size=(n, n))
        y, (ga,) = pulled(zen.linalg.inv, g, a, dtype=dtype)
        np.testing.assert_allclose(y, exact, **TOLERANCE[dtype])
        np.testing.assert_allclose(ga, -exact.T @ g @ exact.T, **TOLERANCE[dtype])
        value, (ga,) = pulled(lambda x: zen.linalg.slogdet(x).logabsdet, 1.5, a, dtype=dtype)
        np.testing.assert_allclose(value, np.linalg.slogdet(a).logabsdet, **TOLERANCE[dtype])
        np.testing.assert_allclose(ga, 1.5 * exact.T, **TOLERANCE[dtype])


@pytest.mark.parametrize("n", SIZES)
def test_the_sign_of_a_determinant(n):
    """That of a product of permutations and reflections is known."""
    rng = np.random.default_rng(3)
    order, signs = rng.permutation(n), rng.choice([-1.0, 1.0], n)
    a = np.diag(signs)[order]
    swaps = n - len(cycles(order))
    sign, logabsdet = zen.linalg.slogdet(zen.tensor(a, requires_grad=True))
    assert sign.item() == np.prod(signs) * (-1) ** swaps and logabsdet.item() == 0
    sign.backward()


def cycles(order):
    left, found = set(range(len(order))), []
    while left:
        k, cycle = left.pop(), []
        while k not in cycle:
            cycle.append(k)
            left.discard(k)
            k = order[k]
        found.append(cycle)
    return found


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("n", SIZES)
def test_cholesky(n, dtype):
    rng = np.random.default_rng(4)
    for a in layouts(positive(n)):
        lower, g = np.linalg.cholesky(a), rng.normal(size=(n, n))
        y, (ga,) = pulled(zen.linalg.cholesky, g, a, dtype=dtype)
        np.testing.assert_allclose(y, lower, **TOLERANCE[dtype])
        np.testing.assert_array_equal(y, np.tril(y))
        np.testing.assert_allclose(ga, inverse_cholesky_pull(lower, g), **TOLERANCE[dtype])
        np.testing.assert_array_equal(ga, ga.T)
        upper, (gu,) = pulled(lambda x: zen.linalg.cholesky(x, upper=True), g.T, a, dtype=dtype)
        np.testing.assert_array_equal(upper, y.T)
        np.testing.assert_array_equal(gu, ga)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("lead", [(1,), (5,), (2, 3)], ids=str)
def test_stacks(lead, dtype):
    rng = np.random.default_rng(5)
    for n in (3, 40):
        a, s, b = general(n, *lead), positive(n, *lead), rng.normal(size=(*lead, n, 2))
        g = rng.normal(size=b.shape)
        turned = np.swapaxes(a, -1, -2)
        y, (ga, gb) = pulled(zen.linalg.solve, g, a, b, dtype=dtype)
        np.testing.assert_allclose(y, np.linalg.solve(a, b), **TOLERANCE[dtype])
        np.testing.assert_allclose(gb, np.linalg.solve(turned, g), **TOLERANCE[dtype])
        expected = -np.linalg.solve(turned, g) @ np.swapaxes(np.linalg.solve(a, b), -1, -2)
        np.testing.assert_allclose(ga, expected, **TOLERANCE[dtype])
        g = rng.normal(size=a.shape)
        y, (ga,) = pulled(zen.linalg.inv, g, a, dtype=dtype)
        np.testing.assert_allclose(y, np.linalg.inv(a), **TOLERANCE[dtype])
        np.testing.assert_allclose(ga, -np.swapaxes(y, -1, -2) @ g @ np.swapaxes(y, -1, -2), **TOLERANCE[dtype])
        y, (gs,) = pulled(zen.linalg.cholesky, g, s, dtype=dtype)
        np.testing.assert_allclose(gs, inverse_cholesky_pull(np.linalg.cholesky(s), g), **TOLERANCE[dtype])
        g = rng.normal(size=lead)
        y, (ga,) = pulled(lambda x: zen.linalg.slogdet(x).logabsdet, g, a, dtype=dtype)
        np.testing.assert_allclose(y, np.linalg.slogdet(a).logabsdet, **TOLERANCE[dtype])
        np.testing.assert_allclose(ga, g[..., None, None] * np.linalg.inv(turned), **TOLERANCE[dtype])


def test_derivatives_of_higher_orders_and_forward_mode():
    """Through the same nodes: the compiled gradient, differentiated again."""
    a, b, s = general(4), np.random.default_rng(6).normal(size=(4, 2)), positive(4)
    for function, arrays in (
        (zen.linalg.solve, [a, b]), (zen.linalg.solve, [a, b[:, 0]]), (zen.linalg.inv, [a]), (zen.linalg.cholesky, [s]),
        (lambda x: zen.linalg.slogdet(x).logabsdet, [a]),
    ):  # fmt: skip
        check_gradients(function, arrays, order=3, rtol=1e-4, atol=1e-4)
    step = np.random.default_rng(7).normal(size=a.shape)
    _, tangent = zen.jvp(lambda x: zen.linalg.solve(x, b), (a,), (step,))
    np.testing.assert_allclose(tangent, -np.linalg.solve(a, step @ np.linalg.solve(a, b)))
    _, tangent = zen.jvp(lambda x: zen.linalg.solve(a, x), (b,), (step[:, :2],))
    np.testing.assert_allclose(tangent, np.linalg.solve(a, step[:, :2]))


def test_gradients_of_one_argument_alone_and_of_the_same_twice():
    a, b = general(20), np.random.default_rng(8).normal(size=(20, 3))
    left, right = zen.tensor(a, requires_grad=True), zen.tensor(b, requires_grad=True)
    zen.linalg.solve(left, b).sum().backward()
    zen.linalg.solve(a, right).sum().backward()
    ones = np.linalg.solve(a.T, np.ones((20, 3)))
    np.testing.assert_allclose(right.grad.array, ones, rtol=1e-9)
    np.testing.assert_allclose(left.grad.array, -ones @ np.linalg.solve(a, b).T, rtol=1e-9, atol=1e-12)
    x = zen.tensor(a, requires_grad=True)
    g = np.random.default_rng(9).normal(size=(20, 20))
    (found,) = zen.gradients(zen.linalg.solve(x, x), [x], zen.tensor(g))
    np.testing.assert_allclose(found.array, np.zeros((20, 20)), atol=1e-10)
    y = zen.linalg.solve(x, b).sum()
    y.backward(retain_graph=True)
    first = x.grad.array.copy()
    y.backward()
    np.testing.assert_allclose(x.grad.array, 2 * first)


def test_an_overwritten_matrix_is_noticed():
    x = zen.tensor(general(8), requires_grad=True) * 1.0
    y = zen.linalg.solve(x, np.ones(8)).sum()
    x[0, 0] = 5.0
    y.backward()  # the write moved x to a copy; what was saved stayed
    a = general(8)
    y = zen.linalg.solve(a, zen.ones(8).requires_grad_()).sum()
    a[0, 0] = 7.0
    y.backward()  # the ndarray was copied


# --- hard cases


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_scaled_rows_and_columns(dtype):
    """Scaling a row of both sides changes nothing in the solution; scaling column k divides element k."""
    n, top = 40, 150 if dtype == "float64" else 18
    a, b = general(n), np.random.default_rng(10).normal(size=(n, 3))
    scale = 10.0 ** np.linspace(-top, top, n)
    exact = np.linalg.solve(a, b)
    y = zen.linalg.solve((scale[:, None] * a).astype(dtype), (scale[:, None] * b).astype(dtype))
    np.testing.assert_allclose(y.array, exact, **TOLERANCE[dtype])
    y = zen.linalg.solve((a * scale).astype(dtype), b.astype(dtype))
    np.testing.assert_allclose(y.array * scale[:, None], exact, **TOLERANCE[dtype])
    logabsdet = zen.linalg.slogdet((scale[:, None] * a).astype(dtype)).logabsdet
    expected = np.linalg.slogdet(a).logabsdet + np.log(scale).sum()
    np.testing.assert_allclose(logabsdet.item(), expected, rtol=1e-4 if dtype == "float32" else 1e-12)


@pytest.mark.parametrize("factor", [1e-300, 1e-310, 1e300])
def test_very_small_and_very_large_matrices(factor):
    a, b = general(40) * factor, np.random.default_rng(11).normal(size=40)
    expected = np.linalg.solve(a, b)
    found = zen.linalg.solve(zen.tensor(a, requires_grad=True), b)
    np.testing.assert_allclose(found.array, expected, rtol=1e-5 if factor == 1e-310 else 1e-10)


def test_ill_conditioned_systems_have_small_residuals():
    """Gaussian elimination with pivoting is backward stable, whatever the condition is."""
    for n in (6, 12, 50, 120):
        hilbert = 1 / (np.arange(n)[:, None] + np.arange(n) + 1.0)
        b = np.random.default_rng(n).normal(size=(n, 2))
        y = zen.linalg.solve(hilbert, b).array
        assert np.abs(hilbert @ y - b).max() <= 1e-13 * n * (np.abs(hilbert).max() * np.abs(y).max() + np.abs(b).max())


def test_growth_of_the_pivots_is_that_of_partial_pivoting():
    """Wilkinson's matrix, whose last pivot is 2 ** (n - 1)."""
    n = 30
    a = np.eye(n) - np.tril(np.ones((n, n)), -1)
    a[:, -1] = 1
    np.testing.assert_allclose(zen.linalg.slogdet(a).logabsdet.item(), (n - 1) * np.log(2), rtol=1e-12)


def test_a_zero_where_the_first_pivot_would_be():
    a = np.array([[0.0, 2.0], [3.0, 0.0]])
    np.testing.assert_array_equal(zen.linalg.solve(a, [2.0, 3.0]).array, [1.0, 1.0])
    np.testing.assert_array_equal(zen.linalg.inv(a).array, [[0, 1 / 3], [0.5, 0]])


SINGULAR = {
    "zeros": np.zeros((3, 3)), "ones": np.ones((50, 50)), "twice a row": np.array([[1.0, 2.0], [2.0, 4.0]]),
    "a column of zeros": np.eye(40) * (np.arange(40) != 20), "one of a stack": np.stack([np.eye(3), np.zeros((3, 3))]),
}  # fmt: skip


@pytest.mark.parametrize("name", SINGULAR)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_singular_matrices_are_refused_as_by_numpy(name, dtype):
    x = zen.tensor(SINGULAR[name], dtype=dtype, requires_grad=True)
    with pytest.raises(np.linalg.LinAlgError, match=r"^inv: Singular matrix \(shape "):
        zen.linalg.inv(x)
    with pytest.raises(np.linalg.LinAlgError, match=r"^solve: Singular matrix \(shape "):
        zen.linalg.solve(x, zen.ones(x.shape, dtype=dtype))
    with pytest.raises(np.linalg.LinAlgError, match=r"^cholesky: Matrix is not positive definite \(shape "):
        zen.linalg.cholesky(x if name != "ones" else x - 1)
    sign, logabsdet = zen.linalg.slogdet(x)
    expected = np.linalg.slogdet(x.array)
    np.testing.assert_array_equal(sign.array, expected.sign)
    np.testing.assert_array_equal(logabsdet.array, expected.logabsdet)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("n", [1, 5, 40])
def test_values_that_are_not_finite_give_what_numpy_gives(n, value):
    for place in ((0, 0), (0, n - 1), (n - 1, 0), (n // 2, n // 2)):
        a, s = general(n), positive(n)
        a[place] = s[place] = s[place[::-1]] = value
        for name, args in (("solve", (a, np.ones(n))), ("inv", (a,)), ("slogdet", (a,)), ("cholesky", (s,))):
            try:
                with np.errstate(all="ignore"):
                    expected = getattr(np.linalg, name)(*args)
            except np.linalg.LinAlgError as error:
                with pytest.raises(np.linalg.LinAlgError, match=str(error)):
                    getattr(zen.linalg, name)(*args)
                continue
            found = getattr(zen.linalg, name)(*args)
            for x, y in zip(*((found, expected) if name == "slogdet" else ([found], [expected])), strict=True):
                np.testing.assert_array_equal(x.array, y)


def test_no_matrices_and_matrices_without_elements():
    for shape in ((0, 0), (0, 3, 3), (2, 0, 0), (0, 0, 0)):
        x = zen.zeros(shape, requires_grad=True)
        for function in (zen.linalg.inv, zen.linalg.cholesky, lambda t: zen.linalg.slogdet(t).logabsdet):
            y = function(x)
            (g,) = zen.gradients(y, [x], zen.ones(y.shape))
            assert g.shape == shape
        y = zen.linalg.solve(x, zen.zeros((*shape[:-1], 2)))
        assert y.shape == (*shape[:-1], 2)
    x = zen.tensor(general(3), requires_grad=True)
    y = zen.linalg.solve(x, zen.zeros((3, 0)))
    assert y.shape == (3, 0) and zen.gradients(y, [x], zen.zeros((3, 0)))[0].array.tolist() == [[0.0] * 3] * 3


def test_threads_factor_side_by_side():
    found = {}

    def work(k):
        a = general(60 + k)
        x = zen.tensor(a, requires_grad=True)
        for _ in range(5):
            x.grad = None
            zen.linalg.solve(x, np.ones(len(a))).sum().backward()
        expected = -np.outer(np.linalg.solve(a.T, np.ones(len(a))), np.linalg.solve(a, np.ones(len(a))))
        found[k] = np.abs(x.grad.array - expected).max()

    threads = [threading.Thread(target=work, args=(k,)) for k in range(6)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert len(found) == 6 and max(found.values()) < 1e-10


@pytest.mark.parametrize("simd", ["base", "avx2", "avx512"])
@pytest.mark.parametrize("library", ["", "openblas mkl"], ids=["with", "without"])
def test_every_instruction_set_with_and_without_a_blas(simd, library):
    program = """
import os, sys
listed = os.listdir
hidden = sys.argv[1].split()
os.listdir = lambda folder: [n for n in listed(folder) if not any(h in n for h in hidden)]
import numpy as np, zen
os.listdir = listed
for dtype, tolerance in (("float32", 2e-3), ("float64", 1e-9)):
    for n in (1, 7, 40, 150):
        rng = np.random.default_rng(n)
        a, b = rng.normal(size=(n, n)) + 2 * n ** 0.5 * np.eye(n), rng.normal(size=(n, 4))
        s = a @ a.T
        x, y, z = (zen.tensor(v, dtype=dtype, requires_grad=True) for v in (a, b, s))
        out = zen.linalg.solve(x, y).sum() + zen.linalg.slogdet(x).logabsdet + zen.linalg.inv(x).sum()
        (out + zen.linalg.cholesky(z).sum() * 0).backward()
        inverse, ones = np.linalg.inv(a), np.ones((n, n))
        gy = inverse.T @ np.ones((n, 4))
        gx = -gy @ (inverse @ b).T + inverse.T - inverse.T @ ones @ inverse.T
        assert np.allclose(x.gradient, gx, rtol=tolerance, atol=tolerance), (dtype, n)
        assert np.allclose(y.gradient, gy, rtol=tolerance, atol=tolerance), (dtype, n)
        assert np.allclose(zen.linalg.cholesky(z).array, np.linalg.cholesky(s), rtol=tolerance, atol=tolerance)
print("well")
"""
    env = os.environ | {"ZEN_BLAS": "auto", "ZEN_SIMD": simd}
    done = subprocess.run([sys.executable, "-c", program, library], env=env, capture_output=True, text=True)
    assert done.stdout == "well\n", done.stderr
