"""<u, J v> by forward mode against <J^T u, v> by reverse mode. Of complex numbers the product is the real part."""

import numpy as np
import pytest

import zen
from zen import trees


def random_like(rng, array):
    drawn = np.asarray(rng.normal(size=np.shape(array)))
    return drawn if np.asarray(array).dtype.kind != "c" else drawn + 1j * rng.normal(size=drawn.shape)


def product(a, b):
    return float(np.real(np.sum(np.conj(a) * np.asarray(b))))


def check_adjoint(f, primals, seed=0):
    """<u, J v> both ways, on arrays, and on Tensors whose derivative may be differentiated itself."""
    rng = np.random.default_rng(seed)
    v = tuple(random_like(rng, x) for x in primals)
    out, tangents = zen.jvp(f, primals, v)
    outputs, tangents = list(trees.values(out)), list(trees.values(tangents))
    u = [random_like(rng, y) if y.dtype.kind in "fc" else np.zeros(y.shape) for y in outputs]
    forward = sum(product(c, t) for c, t in zip(u, tangents, strict=True))
    _, pull = zen.vjp(f, *primals)
    found = pull(trees.rebuild(out, u))
    scale = sum(float(np.sum(np.abs(g * t))) for g, t in zip(found, v, strict=True))
    assert sum(product(g, t) for g, t in zip(found, v, strict=True)) == pytest.approx(
        forward, rel=1e-9, abs=1e-9 * (1 + scale)
    )
    leaves = tuple(zen.tensor(t, requires_grad=True) for t in v)
    _, recorded = zen.jvp(f, primals, leaves)
    for t, expected in zip(trees.values(recorded), tangents, strict=True):
        np.testing.assert_allclose(t.array, expected, rtol=1e-9, atol=1e-9)
