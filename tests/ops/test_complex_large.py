"""Complex arrays beyond the sizes at which memory comes from NumPy: values, and derivatives along a direction."""

import numpy as np
import pytest

import zen

RNG = np.random.default_rng(0)
Z = (RNG.normal(size=(300, 300)) + 1j * RNG.normal(size=(300, 300))) * 0.3
R = RNG.normal(size=(300, 300))
ALONG = RNG.normal(size=Z.shape) + 1j * RNG.normal(size=Z.shape)
FUNCTIONS = {
    "exp": np.exp, "sin": np.sin, "abs": np.abs, "conj": np.conj, "square": np.square, "power": lambda z: z**3,
    "quotient": lambda z: z / (z + 2), "transpose": lambda z: z.T * 2, "matmul": lambda z: z @ z,
    "real": lambda z: z @ R,
    "sum": lambda z: np.sum(z, 0), "mean": lambda z: np.mean(z, 1), "cumsum": lambda z: np.cumsum(z, 1),
    "var": lambda z: np.var(z, 0), "norm": lambda z: np.linalg.norm(z, axis=1), "inv": np.linalg.inv,
    "index": lambda z: z[::2, 1:] * z[1::2, 1:], "where": lambda z: np.where(R > 0, z, 2j),
    "concat": lambda z: np.concatenate([z, z * 2]), "broadcast": lambda z: z * z[0] + R * z[:, :1],
    "pad": lambda z: np.pad(z, 1), "roll": lambda z: np.roll(z, 3, 1), "repeat": lambda z: np.repeat(z, 2, 0),
    "einsum": lambda z: np.einsum("ij,kj->ik", z, z), "fft": np.fft.fft,
}  # fmt: skip


@pytest.mark.parametrize("name", FUNCTIONS)
def test_values_and_derivatives(name):
    f = FUNCTIONS[name]
    t = zen.tensor(Z, requires_grad=True)
    y, expected = f(t), f(Z)
    np.testing.assert_allclose(y.detach().array, expected, rtol=1e-8, atol=1e-8)
    weights = np.cos(np.arange(expected.size).reshape(expected.shape))
    np.real((y * weights).sum()).backward()
    step = 1e-6
    numerically = np.real(((f(Z + step * ALONG) - f(Z - step * ALONG)) * weights).sum()) / (2 * step)
    assert np.real(np.conj(t.grad.array) * ALONG).sum() == pytest.approx(numerically, rel=1e-4, abs=1e-4)
    found = zen.grad(lambda z: np.real((f(z) * weights).sum()))(Z)
    np.testing.assert_allclose(found, t.grad.array, rtol=1e-10, atol=1e-10)
    change = zen.jvp(f, (Z,), (ALONG,))[1]
    assert np.real((change * weights).sum()) == pytest.approx(numerically, rel=1e-4, abs=1e-4)
