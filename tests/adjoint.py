"""<u, J v> by forward mode against <J^T u, v> by reverse mode. Of complex numbers the product is the real part."""

import numpy as np
import pytest

import zen
from zen import trees

TOLERANCES = {"f": 2e-4, "d": 1e-9, "F": 2e-4, "D": 1e-9}


def random_like(rng, array):
    """Drawn in the shape of the array and in its dtype if that is a floating one, else in float64."""
    dtype = np.asarray(array).dtype
    drawn = np.asarray(rng.normal(size=np.shape(array)))
    drawn = drawn if dtype.kind != "c" else drawn + 1j * rng.normal(size=drawn.shape)
    return drawn.astype(dtype) if dtype.kind in "fc" else drawn


def product(a, b):
    return float(np.real(np.sum(np.conj(a) * np.asarray(b), dtype=np.complex128)))


def check_adjoint(f, primals, seed=0):
    """<u, J v> both ways, on arrays, and on Tensors whose derivative may be differentiated itself."""
    tolerance = max([TOLERANCES[np.asarray(x).dtype.char] for x in primals], default=1e-9)
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
        forward, rel=tolerance, abs=tolerance * (1 + scale)
    )
    leaves = tuple(zen.tensor(t, requires_grad=True) for t in v)
    _, recorded = zen.jvp(f, primals, leaves)
    for t, expected in zip(trees.values(recorded), tangents, strict=True):
        np.testing.assert_allclose(t.array, expected, rtol=tolerance, atol=tolerance)
