"""Matrix products: small ones run through tiles in registers where the processor allows it, others through the BLAS.

Operands are small whole numbers, so every product and sum is exact and results are compared to the last bit with a sum
written out over the definition.
"""

import os
import subprocess
import sys

import numpy as np
import pytest

import zen

# Each remainder of eight rows, of one and of two vectors of columns, and a summed axis cut in two.
SHAPES = [(m, 3, n) for m in (4, 7, 9, 16, 21) for n in (8, 15, 16, 17, 31, 32, 33, 70)]
SHAPES += [(18, k, n) for k in (1, 2, 5, 255, 256, 257, 600) for n in (9, 40)]
SHAPES += [(1, 5, 9), (2, 5, 1), (5, 4, 0), (0, 4, 5), (5, 0, 9), (300, 70, 300)]


def whole(rng, dtype, *shape):
    return rng.integers(-4, 5, shape).astype(dtype)


def defined(a, b):
    return np.einsum("ik,kj->ij", a.astype(np.float64), b.astype(np.float64))


def stored(a, how):
    """The same matrix with its columns side by side, as a part of a larger one, or as it is."""
    if how == "transposed":
        return a.T.copy().T
    if how == "part":
        out = np.full((a.shape[0] + 1, a.shape[1] + 3), np.nan, a.dtype)[:-1, :-3]
        out[...] = a
        return out
    return a


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("right", ["plain", "transposed", "part"])
@pytest.mark.parametrize("left", ["plain", "transposed", "part"])
def test_every_remainder_of_the_tiles(left, right, dtype):
    rng = np.random.default_rng(0)
    for m, k, n in SHAPES:
        a, b, w = whole(rng, dtype, m, k), whole(rng, dtype, k, n), whole(rng, dtype, m, n)
        x = zen.tensor(stored(a, left), requires_grad=True)
        y = zen.tensor(stored(b, right), requires_grad=True)
        out = x @ y
        assert out.dtype == dtype
        np.testing.assert_array_equal(out.array, defined(a, b), err_msg=str((m, k, n)))
        out.backward(w)
        np.testing.assert_array_equal(x.gradient, defined(w, b.T), err_msg=str((m, k, n)))
        np.testing.assert_array_equal(y.gradient, defined(a.T, w), err_msg=str((m, k, n)))


def stored_stack(a, how):
    """The same matrices, each transposed in memory, with gaps between them, or one behind the other."""
    if how == "transposed":
        return np.ascontiguousarray(a.swapaxes(-1, -2)).swapaxes(-1, -2)
    if how == "apart":
        out = np.full((*a.shape[:-2], a.shape[-2] + 1, a.shape[-1] + 2), np.nan, a.dtype)[..., :-1, :-2]
        out[...] = a
        return out
    if how == "last":
        return np.moveaxis(np.ascontiguousarray(np.moveaxis(a, 0, -1)), -1, 0)
    return a


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("right", ["plain", "transposed", "apart", "last"])
@pytest.mark.parametrize("left", ["plain", "transposed", "apart", "last"])
def test_stacks_of_matrices(left, right, dtype):
    rng = np.random.default_rng(0)
    for stack in [(3,), (1,), (2, 1, 2), (0,)]:
        for m, k, n in [(1, 1, 1), (7, 3, 5), (16, 9, 17), (2, 0, 3), (0, 2, 3), (3, 2, 0)]:
            given = [whole(rng, dtype, *stack, *shape) for shape in ((m, k), (k, n), (m, n), (m, k), (k, n))]
            a, b, w, da, db = given
            x = zen.tensor(stored_stack(a, left), requires_grad=True)
            y = zen.tensor(stored_stack(b, right), requires_grad=True)
            out = x @ y
            assert out.dtype == dtype
            np.testing.assert_array_equal(out.array, np.einsum("...ik,...kj->...ij", a, b))
            out.backward(stored_stack(w, left))
            np.testing.assert_array_equal(x.gradient, np.einsum("...ij,...kj->...ik", w, b))
            np.testing.assert_array_equal(y.gradient, np.einsum("...ik,...ij->...kj", a, w))
            _, tangent = zen.jvp(lambda x, y: x @ y, (x.detach(), y.detach()), (stored_stack(da, right), db))
            moved = np.einsum("...ik,...kj->...ij", da, b) + np.einsum("...ik,...kj->...ij", a, db)
            np.testing.assert_array_equal(tangent.numpy(), moved)


def test_stacks_used_twice_and_of_higher_order():
    rng = np.random.default_rng(2)
    a, b = rng.normal(size=(2, 3, 3)), rng.normal(size=(2, 3, 3))
    x = zen.tensor(a, requires_grad=True)
    (x @ x @ x).sum().backward()
    ones = np.ones((2, 3, 3))
    at = a.swapaxes(1, 2)
    np.testing.assert_allclose(x.gradient, ones @ at @ at + at @ ones @ at + at @ at @ ones, rtol=1e-12)
    step = 1e-6
    inner = zen.grad(lambda x: (x @ x @ x).sum())
    slope = (inner(a + step * b) - inner(a - step * b)) / (2 * step)
    _, moved = zen.jvp(inner, (a,), (b,))
    np.testing.assert_allclose(moved, slope, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_gradients_of_several_uses_add_up(dtype):
    rng = np.random.default_rng(1)
    a, b, c = whole(rng, dtype, 20, 30), whole(rng, dtype, 30, 40), whole(rng, dtype, 30, 9)
    x = zen.tensor(a, requires_grad=True)
    ((x @ b).sum() + (x @ c).sum()).backward()
    expected = b.sum(1) + c.sum(1)
    np.testing.assert_array_equal(x.gradient, np.broadcast_to(expected, (20, 30)))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("step", [1, 3, -2])
@pytest.mark.parametrize("n", [0, 1, 2, 17, 1000, 40_000])
def test_two_vectors(n, step, dtype):
    rng = np.random.default_rng(2)
    a, b = whole(rng, dtype, n * abs(step))[::step], whole(rng, dtype, n)
    x, y = zen.tensor(a, requires_grad=True), zen.tensor(b, requires_grad=True)
    out = x @ y
    assert out.shape == () and out.dtype == dtype
    assert out.item() == (a.astype(np.float64) * b).sum()
    (out * 3).backward()
    np.testing.assert_array_equal(x.gradient, 3 * b)
    np.testing.assert_array_equal(y.gradient, 3 * a)
    assert x.gradient.dtype == y.gradient.dtype == dtype
    (x @ y - 2 * (x @ x)).backward()  # added to what is there, and of both operands
    np.testing.assert_array_equal(x.gradient, 4 * b - 4 * a)


def test_two_vectors_in_other_modes():
    a, b, c = (np.array(v) for v in ([1.0, 2.0], [3.0, -1.0], [5.0, 7.0]))
    value, slope = zen.jvp(lambda x, y: x @ y, (a, b), (c, a))
    assert (value, slope) == (1.0, 8.0 + 5.0)
    assert zen.jvp(lambda x: x @ b, (a,), (c,))[1] == 8.0

    def slope_along(x):  # of (x @ x) (x @ b), along c
        return (zen.grad(lambda x: (x @ x) * (x @ b))(x) * c).sum()

    expected = 2 * (np.eye(2) + np.outer(a, b) + np.outer(b, a)) @ c  # a @ b is 1
    np.testing.assert_array_equal(zen.grad(slope_along)(a), expected)
    fixed, held = zen.tensor(b, requires_grad=True), a.copy()
    out = held @ fixed
    held[:] = np.nan
    out.backward()
    np.testing.assert_array_equal(fixed.gradient, a)
    for wrong in (np.ones(3), np.ones(())):
        with pytest.raises(ValueError, match="matmul"):
            zen.tensor(a) @ zen.tensor(wrong)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_nan_and_infinity_reach_their_row_and_no_other(bad, dtype):
    a, b = np.ones((17, 6), dtype), np.ones((6, 35), dtype)
    a[3, 2] = bad
    out = (zen.tensor(a) @ zen.tensor(b)).array
    np.testing.assert_array_equal(out[3], np.full(35, bad))
    assert np.isfinite(np.delete(out, 3, axis=0)).all()


PROGRAM = """
import numpy as np, zen
rng, total = np.random.default_rng(0), []
for m, k, n in [(16, 64, 256), (64, 300, 10), (5, 7, 33), (200, 200, 200)]:
    a, b = (zen.tensor(rng.integers(-4, 5, s).astype("f"), requires_grad=True) for s in ((m, k), (k, n)))
    out = a @ b
    (out * out).sum().backward()
    total += [float(out.array.sum()), float(a.gradient.sum()), float(b.gradient.sum())]
print(total)
"""


@pytest.mark.parametrize("variables", [{"ZEN_SIMD": "avx2"}, {"OPENBLAS_NUM_THREADS": "1"}, {}], ids=str)
def test_tiles_and_blas_agree(variables):
    """With whole numbers to the last bit, whichever multiplies: the processor and the threads decide."""
    found = []
    for env in (os.environ | {"ZEN_SIMD": "base"}, os.environ | variables):
        done = subprocess.run([sys.executable, "-c", PROGRAM], env=env, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        found.append(done.stdout)
    assert found[0] == found[1]
