"""Muon's kernel: its rule by singular values, layouts and numbers at the edges."""

import math

import numpy as np
import pytest

import zen
from zen import backend

COEFFICIENTS = (3.4445, -4.775, 2.0315)


def moved(singular, steps):
    """What the iteration makes of singular values that are at most one."""
    a, b, c = COEFFICIENTS
    for _ in range(steps):
        singular = a * singular + b * singular**3 + c * singular**5
    return singular


@pytest.mark.parametrize("shape", [(3, 5), (5, 3), (4, 4), (1, 6), (6, 1), (1, 1), (70, 90), (200, 150)])
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize(("nesterov", "ns_steps"), [(True, 5), (False, 1), (True, 0)])
def test_the_rule_by_singular_values(shape, dtype, nesterov, ns_steps):
    rng = np.random.default_rng(0)
    start, *grads = rng.standard_normal((3, *shape)).astype(dtype)
    p = zen.tensor(start, requires_grad=True)
    opt = zen.optim.Muon([p], lr=0.1, weight_decay=0.5, momentum=0.8, nesterov=nesterov, ns_steps=ns_steps)
    expected, b = start.astype("float64"), np.zeros(shape)
    for g in (g.astype("float64") for g in grads):
        p.grad = zen.tensor(g.astype(dtype))
        opt.step()
        b = 0.8 * b + 0.2 * g
        left, singular, right = np.linalg.svd(0.2 * g + 0.8 * b if nesterov else b, full_matrices=False)
        change = left * moved(singular / math.sqrt((singular**2).sum()), ns_steps) @ right
        expected = expected - 0.1 * 0.5 * expected - 0.1 * math.sqrt(max(1, shape[0] / shape[1])) * change
    tolerance = {"float16": 5e-3, "float32": 1e-4, "float64": 1e-12}[dtype]
    np.testing.assert_allclose(p.detach().numpy(), expected, rtol=tolerance, atol=tolerance)
    buffer = opt.state[p]["momentum_buffer"]
    assert buffer.dtype == dtype
    np.testing.assert_allclose(buffer.detach().numpy(), b, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (0, 0)])
def test_matrices_without_elements(shape):
    p = zen.tensor(np.zeros(shape), requires_grad=True)
    p.grad = zen.tensor(np.zeros(shape))
    zen.optim.Muon([p]).step()
    assert p.shape == shape


def test_a_gradient_in_another_layout():
    g = np.arange(12.0).reshape(3, 4) ** 1.5
    found = []
    for layout in (np.ascontiguousarray, np.asfortranarray, lambda a: np.repeat(a, 2, 1)[:, ::2]):
        p = zen.tensor(np.ones((3, 4)), requires_grad=True)
        p.grad = zen.from_numpy(layout(g))
        zen.optim.Muon([p]).step()
        found.append(p.detach().numpy())
    np.testing.assert_array_equal(found[0], found[1])
    np.testing.assert_array_equal(found[0], found[2])


def test_gradients_near_the_ends_of_float32_are_divided_by_their_norm():
    """The squares of 1e25 are infinite in float32, and those of 1e-30 zero."""
    for size, eps in ((1e25, 1e-7), (1e-30, 0.0)):
        p = zen.tensor(np.zeros((2, 2), "float32"), requires_grad=True)
        p.grad = zen.tensor((np.eye(2) * size).astype("float32"))
        zen.optim.Muon([p], lr=1.0, momentum=0.0, eps=eps).step()
        expected = -np.eye(2) * moved(math.sqrt(0.5), 5)
        np.testing.assert_allclose(p.detach().numpy(), expected, rtol=1e-5, atol=1e-7)


def test_a_gradient_below_eps_counts_little_and_one_of_zeros_nothing():
    for size in (1e-9, 0.0):
        p = zen.tensor(np.zeros((2, 3)), requires_grad=True)
        p.grad = zen.tensor(np.full((2, 3), size))
        zen.optim.Muon([p], lr=1.0, momentum=0.0, eps=1e-3, ns_steps=0).step()
        np.testing.assert_allclose(p.detach().numpy(), -size / 1e-3, rtol=1e-12)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_number_that_is_not_finite_spoils_its_own_matrix_alone(bad):
    params = [zen.tensor(np.ones((2, 3)), requires_grad=True) for _ in range(2)]
    for p, value in zip(params, (bad, 2.0), strict=True):
        p.grad = zen.tensor([[1.0, value, 1.0], [0.0, 1.0, 3.0]])
    zen.optim.Muon(params).step()
    assert np.isnan(params[0].detach().numpy()).all() and np.isfinite(params[1].detach().numpy()).all()


def test_the_kernel_refuses_what_is_no_matrix():
    p = zen.tensor(np.ones(3), requires_grad=True)
    p.grad = zen.tensor(np.ones(3))
    state = {p: {"momentum_buffer": zen.zeros(3)}}
    with pytest.raises(ValueError, match=r"Muon is for matrices, not for a parameter of shape \(3,\)"):
        backend.kernels.optim.muon([p], state, None, [], 0.1, 0.9, 0.0, True, COEFFICIENTS, 5, 1e-7, lambda shape: 0.1)
    assert p.tolist() == [1, 1, 1]
