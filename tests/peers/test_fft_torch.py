"""Every Fourier transform against PyTorch: values, and gradients of orders 1 and 2, of real and complex numbers."""

import numpy as np
import pytest
import torch

import zen

REAL = ("rfft", "ihfft", "rfft2", "rfftn")
CALLS = [
    *[(name, (3, 5), {"n": n, "axis": axis}) for name in "fft ifft rfft irfft hfft ihfft".split()
      for n, axis in ((None, -1), (4, 1), (7, 0), (1, -1), (6, 0))],
    *[(name, (2, 3, 4), {"s": s}) for name in "fft2 ifft2 rfft2 irfft2".split() for s in (None, (2, 6), (5, 3))],
    *[(name, (2, 3, 4), {"s": s, "axes": axes}) for name in "fftn ifftn rfftn irfftn".split()
      for s, axes in ((None, None), ((3, 5), (0, 2)), ((4,), (1,)), (None, (2, 0)))],
]  # fmt: skip


def loss_of(library, made, weights):
    """A real number that depends on both parts of each value, not linearly."""
    real, imag = (made.real, made.imag) if "complex" in str(made.dtype) else (made, made)
    return (real * real * weights + library.sin(imag * weights)).sum()


@pytest.mark.parametrize("norm", ["backward", "ortho", "forward"])
@pytest.mark.parametrize(("name", "shape", "options"), CALLS)
def test_values_and_gradients_are_those_of_pytorch(name, shape, options, norm):
    rng = np.random.default_rng(0)
    x = rng.normal(size=shape) if name in REAL else rng.normal(size=shape) + 1j * rng.normal(size=shape)
    v = rng.normal(size=shape) if name in REAL else rng.normal(size=shape) + 1j * rng.normal(size=shape)
    named = {{"axis": "dim", "axes": "dim"}.get(key, key): value for key, value in options.items()}
    their = torch.tensor(x, requires_grad=True)
    expected = getattr(torch.fft, name)(their, **named, norm=norm)
    weights = rng.normal(size=tuple(expected.shape))
    [first] = torch.autograd.grad(loss_of(torch, expected, torch.tensor(weights)), their, create_graph=True)
    [second] = torch.autograd.grad((first * torch.tensor(v).conj()).real.sum(), their)
    our = zen.tensor(x, requires_grad=True)
    made = getattr(zen.fft, name)(our, **options, norm=norm)
    np.testing.assert_allclose(made.detach().numpy(), expected.detach().numpy(force=True), rtol=1e-12, atol=1e-12)
    [g] = zen.gradients(loss_of(zen, made, weights), [our], create_graph=True)
    np.testing.assert_allclose(g.detach().numpy(), first.resolve_conj().detach().numpy(), rtol=1e-11, atol=1e-11)
    [h] = zen.gradients((g * v.conj()).real.sum(), [our])
    np.testing.assert_allclose(h.detach().numpy(), second.resolve_conj().detach().numpy(), rtol=1e-11, atol=1e-11)
