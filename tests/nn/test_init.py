"""Initial values: in place, reproducible, orthogonal, truncated; what is refused. Distributions: tests/peers."""

import numpy as np
import pytest

import zen
from zen.nn import Parameter, init


def test_values_are_written_in_place_and_not_recorded():
    p = Parameter(np.zeros((3, 4), np.float32))
    memory = p.value
    assert init.normal_(p, generator=np.random.default_rng(0)) is p
    np.testing.assert_array_equal(p.value, np.random.default_rng(0).normal(size=(3, 4)).astype(np.float32))
    assert memory[0, 0] == p.value[0, 0] and p.is_leaf and zen.is_grad_enabled()
    draws = [init.trunc_normal_(zen.zeros(9), generator=np.random.default_rng(2)).tolist() for _ in range(2)]
    assert draws[0] == draws[1]


@pytest.mark.parametrize("shape", [(3, 5), (5, 3), (4, 4), (3, 2, 2)])
def test_orthogonal(shape):
    w = init.orthogonal_(zen.zeros(shape), gain=2.0).value.reshape(shape[0], -1)
    small = w @ w.T if w.shape[0] <= w.shape[1] else w.T @ w
    np.testing.assert_allclose(small, 4 * np.eye(min(w.shape)), atol=1e-12)


def test_truncation_holds_and_far_tails_end():
    for low, high in [(-2.0, 2.0), (0.5, 0.6), (8.0, 9.0), (-40.0, -30.0), (3.0, np.inf), (-np.inf, -3.0)]:
        x = init.trunc_normal_(zen.zeros(2000), a=low, b=high).value
        assert low <= x.min() and x.max() <= high
    assert abs(x.mean() + 3.2831) < 0.03  # -phi(3) / Phi(-3)


def test_sparse_zeroes_the_fraction_of_each_column():
    w = init.sparse_(zen.zeros((10, 6)), 0.25).value
    assert (w == 0).sum(0).tolist() == [3] * 6


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: init.kaiming_uniform_(zen.ones(3)), r"kaiming_uniform_: the fans of a Tensor of shape \(3,\)"),
        (lambda: init.xavier_normal_(zen.ones(3)), "xavier_normal_: the fans"),
        (lambda: init.kaiming_normal_(zen.ones((3, 3)), mode="fan"), 'mode must be "fan_in" or "fan_out", not \'fan\''),
        (lambda: init.kaiming_normal_(zen.ones((3, 3)), nonlinearity="x"), "unknown nonlinearity 'x'; known: linear"),
        (lambda: init.calculate_gain("leaky_relu", "a"), "slope of leaky_relu must be a number"),
        (lambda: init.orthogonal_(zen.ones(3)), "at least two dimensions"),
        (lambda: init.eye_(zen.ones(3)), "eye_: a Tensor of two dimensions"),
        (lambda: init.sparse_(zen.ones(3), 0.5), "sparse_: a Tensor of two dimensions"),
        (lambda: init.dirac_(zen.ones((3, 3))), "dirac_: a Tensor of three to five dimensions"),
        (lambda: init.dirac_(zen.ones((3, 3, 1)), 2), "2 groups do not divide 3 output channels"),
        (lambda: init.trunc_normal_(zen.ones(3), a=2.0, b=1.0), "std must be positive and a below b"),
    ],
)
def test_refusals(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_only_tensors_are_filled():
    with pytest.raises(TypeError, match="fills Tensors, not ndarray"):
        init.zeros_(np.ones(3))
