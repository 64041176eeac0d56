"""Complex numbers beside PyTorch, whose gradients are directions of ascent as well: orders 1, 2, and forward mode."""

import numpy as np
import pytest
import torch

import zen

RNG = np.random.default_rng(5)


def draw(*shape):
    return RNG.normal(size=shape) + 1j * RNG.normal(size=shape)


A, B, V, W = draw(3, 3), draw(3, 3), draw(3), draw(2, 3, 4)
UNARY = {
    name: getattr(zen.f, name)
    for name in "exp log sqrt sin cos tan sinh cosh tanh asin acos atan asinh acosh atanh square reciprocal negative "
    "expm1 log1p log2 log10 sigmoid real imag conj angle abs".split()
}  # fmt: skip
TORCH = {
    "conj": torch.conj_physical, "negative": torch.neg, "real": torch.real, "imag": torch.imag, "sign": torch.sgn,
    "expm1": torch.expm1,
}  # fmt: skip
CASES = [
    *[pytest.param(f, TORCH.get(name) or getattr(torch, name), (A,), id=name) for name, f in UNARY.items()],
    pytest.param(zen.f.sign, torch.sgn, (A,), id="sign"),
    pytest.param(lambda a, b: a * b + b, lambda a, b: a * b + b, (A, V), id="arithmetic"),
    pytest.param(lambda a, b: a / b - b, lambda a, b: a / b - b, (A, B), id="quotient"),
    pytest.param(lambda a, b: a**b, lambda a, b: a**b, (A, V), id="power"),
    pytest.param(lambda a: a**3, lambda a: a**3, (A,), id="cube"),
    pytest.param(lambda a, b: a @ b, lambda a, b: a @ b, (A, B), id="matmul"),
    pytest.param(lambda a, b: a @ b, lambda a, b: a @ b, (A, V), id="matvec"),
    pytest.param(lambda a, b: zen.f.vdot(a, b), lambda a, b: torch.vdot(a, b), (V, draw(3)), id="vdot"),
    pytest.param(
        lambda a, b: zen.f.einsum("ij,kj->ik", a, b), lambda a, b: torch.einsum("ij,kj->ik", a, b), (A, B), id="einsum"
    ),
    pytest.param(lambda a: zen.f.sum(a, 1), lambda a: torch.sum(a, 1), (W,), id="sum"),
    pytest.param(lambda a: zen.f.mean(a, (0, 2)), lambda a: torch.mean(a, (0, 2)), (W,), id="mean"),
    pytest.param(lambda a: zen.f.prod(a, 1), lambda a: torch.prod(a, 1), (A,), id="prod"),
    pytest.param(lambda a: zen.f.cumsum(a, 1), lambda a: torch.cumsum(a, 1), (A,), id="cumsum"),
    pytest.param(lambda a: zen.f.cumprod(a, 1), lambda a: torch.cumprod(a, 1), (A,), id="cumprod"),
    pytest.param(lambda a: zen.f.var(a, 1), lambda a: torch.var(a, 1, correction=0), (A,), id="var"),
    pytest.param(lambda a: zen.f.std(a, 1), lambda a: torch.std(a, 1, correction=0), (A,), id="std"),
    pytest.param(
        lambda a: zen.f.vector_norm(a, 1), lambda a: torch.linalg.vector_norm(a, dim=1), (A,), id="norm"
    ),
    pytest.param(
        lambda a: zen.f.vector_norm(a, 1, ord=3), lambda a: torch.linalg.vector_norm(a, 3, dim=1), (A,), id="norm3"
    ),
    pytest.param(lambda a, b: zen.f.solve(a, b), torch.linalg.solve, (A, B), id="solve"),
    pytest.param(zen.f.inv, torch.linalg.inv, (A,), id="inv"),
    pytest.param(lambda a: a[1:, ::2], lambda a: a[1:, ::2], (A,), id="getitem"),
    pytest.param(lambda a: a.T * 2 + 1j, lambda a: a.T * 2 + 1j, (A,), id="transpose"),
    pytest.param(lambda a: abs(a * (2 + 1j)) ** 2, lambda a: abs(a * (2 + 1j)) ** 2, (A,), id="moduli"),
]  # fmt: skip


def is_complex(y):
    return "complex" in str(y.dtype)


def loss(module, y):
    """A real number made of any result, with weights that break symmetries."""
    weights = np.cos(np.arange(int(np.prod(y.shape))).reshape(tuple(y.shape)) + 0.5)
    if is_complex(y):
        weights = weights * np.exp(1j * np.sin(weights))
    total = (y * (torch.tensor(weights) if module is torch else weights)).sum()
    return total.real if is_complex(total) else total


@pytest.mark.parametrize(("ours", "theirs", "args"), CASES)
def test_gradients_of_order_1_and_2(ours, theirs, args):
    z, t = [zen.tensor(a, requires_grad=True) for a in args], [torch.tensor(a, requires_grad=True) for a in args]
    y, u = ours(*z), theirs(*t)
    np.testing.assert_allclose(y.detach().array, u.detach().numpy(), rtol=1e-10, atol=1e-12)
    first = zen.gradients(loss(zen, y), z, create_graph=True)
    expected = torch.autograd.grad(loss(torch, u), t, create_graph=True)
    for a, b in zip(first, expected, strict=True):
        np.testing.assert_allclose(a.detach().array, b.detach().resolve_conj().numpy(), rtol=1e-9, atol=1e-10)
    if not any(g.requires_grad for g in first):
        return  # the gradient is a constant; PyTorch records one all the same
    second = zen.gradients(sum(loss(zen, g) for g in first if g.requires_grad), z, allow_unused=True)
    live = [b for b in expected if b.requires_grad]
    found = torch.autograd.grad(sum(loss(torch, b) for b in live), t, allow_unused=True)
    for a, b in zip(second, found, strict=True):
        a = 0 if a is None else a.array
        b = 0 if b is None else b.resolve_conj().numpy()
        np.testing.assert_allclose(a, b, rtol=1e-8, atol=1e-9)


@pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:DeprecationWarning")
@pytest.mark.parametrize(("ours", "theirs", "args"), CASES)
def test_forward_mode(ours, theirs, args):
    tangents = [np.exp(1j * np.arange(a.size)).reshape(a.shape) for a in args]
    expected = torch.func.jvp(theirs, tuple(map(torch.tensor, args)), tuple(map(torch.tensor, tangents)))[1]
    found = zen.jvp(ours, tuple(args), tuple(tangents))[1]
    np.testing.assert_allclose(found, expected.resolve_conj().numpy(), rtol=1e-9, atol=1e-10)
