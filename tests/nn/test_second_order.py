"""Second derivatives of every layer and loss, in its inputs and its parameters: forward over reverse, reverse over
reverse and reverse over forward give one product with the Hessian, and this is the slope of the gradient.
"""

import numpy as np
import pytest
from adjoint import random_like
from every_layer import every_case, named

import zen
from zen import trees


def curved(case, primals, rng):
    """A function of the results that has a second derivative even where the layer is linear."""
    weights = [random_like(rng, y) for y in trees.values(case(*primals))]

    def total(*given):
        results = zip(trees.values(case(*given)), weights, strict=True)
        return sum([zen.sum(zen.sin(y) * w) for y, w in results if y.dtype.kind == "f"], zen.tensor(0.0))

    return total


def agree(found, expected, tolerance):
    scale = 1 + max([np.abs(b).max(initial=0) for b in expected], default=0)
    for a, b in zip(found, expected, strict=True):
        assert np.isfinite(b).all()
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance * scale)


def holds_a_norm(module):
    """Whether it scales by a norm that its derivative takes for a constant, as PyTorch's does."""
    return any(getattr(m, "max_norm", None) for m in module.modules()) or "_SpectralNorm" in named(module)


@every_case
def test_every_order_of_the_modes_gives_one_second_derivative(case):
    rng, primals = np.random.default_rng(0), case.primals()
    f, v = curved(case, primals, rng), tuple(random_like(rng, x) for x in primals)
    every = range(len(primals))
    gradient = zen.grad(f, every)

    def slope(*x):
        return zen.jvp(f, x, v)[1]

    def along(*x):
        return sum([zen.sum(g * t) for g, t in zip(gradient(*x), v, strict=True)], zen.tensor(0.0))

    product = zen.jvp(gradient, primals, v)[1]
    agree(zen.grad(along, every)(*primals), product, 1e-9)
    agree(zen.grad(slope, every)(*primals), product, 1e-9)
    twice = sum(np.sum(p * t) for p, t in zip(product, v, strict=True))
    assert float(zen.jvp(slope, primals, v)[1]) == pytest.approx(twice, rel=1e-9, abs=1e-9)
    if not holds_a_norm(case.module):
        ahead, behind = [gradient(*[x + h * t for x, t in zip(primals, v, strict=True)]) for h in (1e-5, -1e-5)]
        agree([(a - b) / 2e-5 for a, b in zip(ahead, behind, strict=True)], product, 1e-6)
