"""Complex parameters: every optimiser moves the parts as if they were two real parameters."""

import numpy as np
import pytest

import zen
from zen import optim

OPTIMISERS = [
    lambda p: optim.SGD(p, lr=0.1, momentum=0.9, weight_decay=0.01), lambda p: optim.Adam(p, lr=0.1, amsgrad=True),
    lambda p: optim.AdamW(p, lr=0.1), lambda p: optim.Adagrad(p, lr=0.1, initial_accumulator_value=0.5),
    lambda p: optim.RMSprop(p, lr=0.1, centered=True, momentum=0.5), lambda p: optim.Lion(p, lr=0.1),
    lambda p: optim.NAdam(p, lr=0.1, weight_decay=0.01), lambda p: optim.RAdam(p, lr=0.1, betas=(0.8, 0.7)),
    lambda p: optim.Adamax(p, lr=0.1), lambda p: optim.Adadelta(p, eps=0.01), lambda p: optim.Rprop(p, lr=0.1),
    lambda p: optim.ASGD(p, lr=0.1, t0=1),
]  # fmt: skip
START = np.array([1 + 2j, -0.5 + 1j, 2 - 1j])
TARGET = np.array([0.5 - 1j, 2 + 1j, 1j])


@pytest.mark.parametrize("make", OPTIMISERS)
@pytest.mark.parametrize("dtype", [zen.complex64, zen.complex128])
def test_the_parts_move_as_real_parameters_do(make, dtype):
    z = zen.tensor(START, dtype=dtype, requires_grad=True)
    real = zen.float32 if dtype == zen.complex64 else zen.float64
    parts = zen.tensor(np.stack([START.real, START.imag], -1), dtype=real, requires_grad=True)
    ours, theirs = make([z]), make([parts])
    for _ in range(5):
        for optimiser in (ours, theirs):
            optimiser.zero_grad()
        (abs(z - TARGET.astype(dtype)) ** 2).sum().backward()
        ((parts - np.stack([TARGET.real, TARGET.imag], -1).astype(real)) ** 2).sum().backward()
        ours.step()
        theirs.step()
        found = np.stack([z.detach().array.real, z.detach().array.imag], -1)
        tolerance = 1e-6 if dtype == zen.complex64 else 1e-14  # the numbers are about 1, but for some near 0
        np.testing.assert_allclose(found, parts.detach().array, rtol=10 * tolerance, atol=tolerance)


def test_a_strided_and_a_0d_parameter():
    z = zen.tensor(1 + 1j, requires_grad=True)
    w = zen.Tensor(np.asfortranarray(np.ones((2, 3), complex)))
    optimiser = optim.Adam([z, w], lr=0.1)
    (abs(z) ** 2 + (abs(w) ** 2).sum()).backward()
    optimiser.step()
    assert z.item() == pytest.approx(0.9 + 0.9j, rel=1e-6)  # the first step of Adam has the length lr in each part
    np.testing.assert_allclose(w.detach().array, 0.9, rtol=1e-6)


def test_gradients_are_clipped_by_their_moduli():
    z = zen.tensor([3j, 4.0], requires_grad=True)
    (z * np.conj(z)).real.sum().backward()
    assert optim.get_total_norm([z.grad]).item() == 10.0
    assert optim.get_total_norm([z.grad], norm_type=float("inf")).item() == 8.0
    assert optim.get_total_norm([z.grad], norm_type=1).item() == 14.0
    optim.clip_grad_norm_([z], 1.0)
    np.testing.assert_allclose(z.grad.array, [0.6j, 0.8], rtol=1e-6)
    with pytest.raises(TypeError, match="clip_grad_value_: .*complex128 has no order; use clip_grad_norm_"):
        optim.clip_grad_value_([z], 1.0)


def test_what_needs_real_matrices_says_so():
    w = zen.tensor(np.eye(2) * 1j, requires_grad=True)
    abs(w).sum().backward()
    with pytest.raises(TypeError, match="Muon is for real matrices, not for a parameter of dtype complex128"):
        optim.Muon([w], lr=0.1).step()
    with pytest.raises(TypeError, match="Adafactor is for real parameters, not for one of dtype complex128"):
        optim.Adafactor([w], lr=0.1).step()
    with pytest.raises(TypeError, match="L-BFGS computes with float32 and float64, not with complex128"):
        optim.LBFGS([w], lr=0.1).step(lambda: abs(w).sum())
