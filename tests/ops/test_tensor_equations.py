"""Chains of products, cross products and equations between tensors, against NumPy."""

import numpy as np
import pytest

import zen
from zen import f
from zen.testing import check_gradients


def drawn(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


def leaf(x):
    return zen.tensor(x, requires_grad=True)


@pytest.mark.parametrize(
    "shapes",
    [
        [(2, 3), (3, 4)], [(2, 3), (3, 4), (4, 5)], [(10, 2), (2, 9), (9, 3), (3, 8)], [(3,), (3, 4), (4, 2)],
        [(2, 3), (3, 4), (4,)], [(3,), (3, 4), (4,)], [(3,), (3,)], [(2, 0), (0, 3), (3, 2)],
    ],
    ids=str,
)  # fmt: skip
def test_multi_dot(shapes):
    arrays = [drawn(*s, seed=k) for k, s in enumerate(shapes)]
    expected = np.linalg.multi_dot(arrays)
    for found in (zen.linalg.multi_dot(arrays), np.linalg.multi_dot([leaf(x) for x in arrays])):
        assert found.shape == np.shape(expected)
        np.testing.assert_allclose(found.array, expected)
    check_gradients(lambda *xs: zen.linalg.multi_dot(xs), arrays)


def test_tensorsolve_and_tensorinv():
    a, b = drawn(6, 4, 2, 3, 4), drawn(6, 4, seed=1)
    np.testing.assert_allclose(zen.linalg.tensorsolve(a, b).array, np.linalg.tensorsolve(a, b))
    moved = np.moveaxis(a, 2, 0)
    found = np.linalg.tensorsolve(leaf(moved), b, axes=(0, 3))
    np.testing.assert_allclose(found.array, np.linalg.tensorsolve(moved, b, axes=(0, 3)))
    small = drawn(2, 2, 4) + np.eye(4).reshape(2, 2, 4) * 3
    check_gradients(zen.linalg.tensorsolve, [small, drawn(2, 2)], rtol=1e-5)
    np.testing.assert_allclose(np.linalg.tensorinv(leaf(small)).array, np.linalg.tensorinv(small))
    other = small.reshape(4, 2, 2)
    np.testing.assert_allclose(zen.linalg.tensorinv(other, ind=1).array, np.linalg.tensorinv(other, ind=1))
    check_gradients(lambda x: zen.linalg.tensorinv(x), [small], rtol=1e-5)


@pytest.mark.parametrize(
    ("a", "b", "options"),
    [
        ((3,), (3,), {}), ((4, 3), (3,), {}), ((3, 4), (4, 3), {"axisa": 0}), ((3, 4), (3, 4), {"axis": 0}),
        ((2, 1, 3), (4, 3), {"axisc": 0}), ((3, 4), (4, 3), {"axisa": 0, "axisc": 0}), ((0, 3), (0, 3), {}),
    ],
    ids=str,
)  # fmt: skip
def test_cross(a, b, options):
    a, b = drawn(*a), drawn(*b, seed=1)
    expected = np.cross(a, b, **options)
    for found in (f.cross(a, b, **options), np.cross(leaf(a), b, **options)):
        assert found.dtype == expected.dtype
        np.testing.assert_allclose(found.array, expected)
    if a.size:
        check_gradients(lambda x, y: f.cross(x, y, **options), [a, b])


@pytest.mark.filterwarnings("ignore:Arrays of 2-dimensional vectors are deprecated")
@pytest.mark.parametrize(("a", "b"), [((2,), (2,)), ((4, 2), (3,)), ((3,), (4, 2)), ((4, 2), (2,))], ids=str)
def test_cross_products_of_vectors_of_two_components(a, b):
    a, b = drawn(*a), drawn(*b, seed=1)
    whole = np.cross(*[x if x.shape[-1] == 3 else np.append(x, np.zeros((*x.shape[:-1], 1)), -1) for x in (a, b)])
    np.testing.assert_allclose(f.cross(a, b).array, whole[..., 2] if a.shape[-1] == b.shape[-1] == 2 else whole)
    check_gradients(lambda x, y: f.cross(x, y), [a, b])


def test_vectors_of_two_components_are_warned_of_as_in_numpy():
    with pytest.warns(DeprecationWarning, match="2-dimensional vectors are deprecated"):
        f.cross(np.ones(2), np.ones(2))


def test_the_cross_product_of_linalg():
    a, b = drawn(3, 4), drawn(3, 1, seed=1)
    for found in (zen.linalg.cross(a, b, axis=0), np.linalg.cross(leaf(a), b, axis=0)):
        np.testing.assert_allclose(found.array, np.linalg.cross(a, b, axis=0))
    z = drawn(3) + 1j * drawn(3, seed=1)
    np.testing.assert_allclose(zen.linalg.cross(z, z.conj()).array, np.cross(z, z.conj()))


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: zen.linalg.multi_dot([np.eye(2)]), ValueError, r"multi_dot: at least two arrays .*1"),
        (lambda: zen.linalg.multi_dot([np.eye(2), np.ones(2), np.eye(2)]), np.linalg.LinAlgError, r"dot: array 1"),
        (lambda: zen.linalg.multi_dot([np.eye(2), np.eye(3), np.eye(3)]), ValueError, r"\(2, 2\) and \(3, 3\)"),
        (lambda: zen.linalg.tensorsolve(np.ones((2, 3)), np.ones(2)), np.linalg.LinAlgError, r"solve: .*\(2, 3\)"),
        (lambda: zen.linalg.tensorinv(np.ones((2, 3)), 1), np.linalg.LinAlgError, r"tensorinv: .*\(2, 3\).*ind=1"),
        (lambda: zen.linalg.tensorinv(np.eye(2), 0), ValueError, r"tensorinv: ind must be positive"),
        (lambda: zen.linalg.tensorinv(np.zeros((2, 2)), 1), np.linalg.LinAlgError, r"inv: Singular matrix"),
        (lambda: f.cross(np.ones(4), np.ones(3)), ValueError, r"cross: vectors of 2 or 3 components.*4 and 3"),
        (lambda: zen.linalg.cross(np.ones(2), np.ones(3)), ValueError, r"cross: vectors of 3 components.*2 and 3"),
    ],
)  # fmt: skip
def test_errors(call, error, words):
    with pytest.raises(error, match=words):
        call()
