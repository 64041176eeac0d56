"""The exponential of a matrix against its series and identities, and block diagonal matrices."""

import numpy as np
import pytest

import zen
from zen import f
from zen.testing import check_gradients


def drawn(*shape, complex_=False, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=shape) + (1j * rng.normal(size=shape) if complex_ else 0)


def series(a):
    """exp(a) = exp(a / 2^20)^(2^20), the inner one by its series."""
    small, term, total = a / 2**20, np.eye(a.shape[-1]), np.eye(a.shape[-1]) + 0 * a
    rest = total * 0  # what is added to the identity, squared without it so that nothing is lost
    for k in range(1, 8):
        term = term @ small / k
        rest = rest + term
    for _ in range(20):
        rest = 2 * rest + rest @ rest
    return np.eye(a.shape[-1]) + rest


@pytest.mark.parametrize("complex_", [False, True])
@pytest.mark.parametrize("size", [1e-3, 0.1, 0.5, 1.0, 3.0, 10.0])
def test_values_and_derivatives_at_every_degree(size, complex_):
    a = drawn(3, 3, complex_=complex_)
    a *= size / np.abs(a).sum(0).max()
    np.testing.assert_allclose(zen.linalg.expm(a).array, series(a), rtol=1e-9, atol=1e-9 * np.abs(series(a)).max())
    if size < 5:
        check_gradients(zen.linalg.expm, [a], order=2, rtol=1e-5, atol=1e-5)


def test_a_stack_of_matrices_of_all_sizes():
    a = np.stack([drawn(3, 3) * k for k in (0, 1e-3, 1, 20)])
    each = [zen.linalg.expm(x).array for x in a]
    for x, y in zip(zen.linalg.expm(a).array, each, strict=True):
        np.testing.assert_allclose(x, y, rtol=1e-10, atol=1e-12 * np.abs(y).max())
    found = zen.grad(lambda a: f.sum(f.log1p(zen.linalg.expm(a) ** 2)))(a)
    wanted = [zen.grad(lambda a: f.sum(f.log1p(zen.linalg.expm(a) ** 2)))(x) for x in a]
    np.testing.assert_allclose(found, np.stack(wanted), rtol=1e-7, atol=1e-9)


def test_known_exponentials():
    np.testing.assert_array_equal(zen.linalg.expm(np.zeros((2, 2))).array, np.eye(2))
    np.testing.assert_allclose(zen.linalg.expm(np.diag([1.0, -2.0])).array, np.diag(np.exp([1.0, -2.0])))
    turn = zen.linalg.expm(np.array([[0.0, -1.0], [1.0, 0.0]]) * 0.3).array
    np.testing.assert_allclose(turn, [[np.cos(0.3), -np.sin(0.3)], [np.sin(0.3), np.cos(0.3)]])
    assert zen.linalg.expm(np.zeros((2, 2), int)).dtype == np.float64
    assert zen.linalg.expm(np.zeros((2, 2), np.float32)).dtype == np.float32
    for shape in ((0, 0), (0, 2, 2)):
        assert zen.linalg.expm(np.zeros(shape)).shape == shape
    assert np.isnan(zen.linalg.expm(np.full((2, 2), np.nan)).array).all()


def test_the_gradient_of_the_trace_is_the_exponential_transposed():
    a = drawn(3, 3)
    found = zen.grad(lambda x: f.trace(zen.linalg.expm(x)))(a)
    np.testing.assert_allclose(found, zen.linalg.expm(a).array.T, rtol=1e-10)


def test_block_diag():
    found = zen.linalg.block_diag(zen.tensor([[1.0, 2.0]], requires_grad=True), [3, 4], 5)
    assert found.tolist() == [[1, 2, 0, 0, 0], [0, 0, 3, 4, 0], [0, 0, 0, 0, 5]]
    assert zen.linalg.block_diag().shape == (1, 0)
    assert zen.linalg.block_diag(np.ones((2, 0)), np.ones((0, 2)), []).shape == (3, 2)
    assert zen.linalg.block_diag(np.ones((2, 1, 2, 2)), np.ones((3, 1, 1))).shape == (2, 3, 3, 3)
    assert zen.linalg.block_diag(np.ones(2, np.float32), np.ones(2, np.int64)).dtype == np.float64
    assert zen.linalg.block_diag(np.ones(1), 1j).dtype == np.complex128
    check_gradients(lambda a, b: zen.linalg.block_diag(a, b, 2.0), [drawn(2, 2, 3), drawn(2)])


def test_errors():
    with pytest.raises(ValueError, match=r"expm: square matrices .*\(2, 3\)"):
        zen.linalg.expm(np.ones((2, 3)))
    with pytest.raises(TypeError, match=r"expm: float16"):
        zen.linalg.expm(np.eye(2, dtype=np.float16))
