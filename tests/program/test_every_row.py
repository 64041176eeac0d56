"""Every row and every layer as a program: forward and gradient, recorded once and replayed on other inputs."""

import copy
import warnings

import numpy as np
import pytest
from drawing import ROWS, cases
from every_layer import CASES

import zen
from zen import trees


def moved(x, factor):
    return np.asarray(x * factor) if isinstance(x, np.ndarray) and x.dtype.kind in "fc" else x


def replays(function, args):
    """Compiled and eager on three inputs: agreement, and that it was recorded once."""
    compiled = zen.compile(function)
    for factor in (1.0, 0.99, 0.97):
        given = [moved(x, factor) for x in args]
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            found, expected = compiled(*given), function(*given)
        for a, b in zip(trees.values(found), trees.values(expected), strict=True):
            a, b = [np.asarray(x.detach() if isinstance(x, zen.Tensor) else x) for x in (a, b)]
            assert (a.shape, a.dtype) == (b.shape, b.dtype)
            tolerance = {"float32": 1e-5, "float16": 1e-2, "complex64": 1e-5}.get(a.dtype.name, 1e-11)
            scale = np.max(np.abs(b[np.isfinite(b)]), initial=0.0) if b.dtype.kind in "fc" else 0
            np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance * scale)
    assert compiled.explain().count("recorded, because") == 1, compiled.explain()
    assert compiled.program is not None


def weighted(y):
    if y.dtype.kind == "c":
        return weighted(np.real(y)) + weighted(np.imag(y))
    return (y * np.cos(np.arange(1.0, y.size + 1)).reshape(y.shape)).sum()


@pytest.mark.parametrize("name", ROWS)
def test_a_row_and_its_gradient_are_replayed(name):
    case = cases(name)[0]
    if not case.floating:
        replays(case, case.args)
        return

    def loss(*args):
        return weighted(case.differentiable(*args))

    replays(zen.value_and_grad(loss, tuple(range(len(case.floating)))), case.smooth_args())


def total(module, case):
    """Of a layer, as a function of its inputs and parameters."""
    where, names = case.moving(), [name for name, _ in module.named_parameters()]

    def loss(*given):
        inputs = trees.values(case.inputs)
        for k, x in zip(where, given, strict=False):
            inputs[k] = x
        parameters = dict(zip(names, map(zen.asarray, given[len(where) :]), strict=True))
        out = zen.nn.functional_call(module, parameters, tuple(trees.rebuild(case.inputs, inputs)))
        return sum([weighted(y) for y in trees.values(out) if y is not None and y.dtype.kind == "f"], zen.tensor(0.0))

    return loss


def is_repeatable(case):
    """Whether it neither draws its windows anew nor writes to its weight while it runs."""
    return "Fractional" not in type(case.module).__name__ and getattr(case.module, "max_norm", None) is None


@pytest.mark.parametrize("case", [c for c in CASES if is_repeatable(c)], ids=lambda c: type(c.module).__name__)
def test_a_layer_and_its_gradient_are_replayed(case):
    primals = case.primals()
    module = copy.deepcopy(case.module)
    if case.changes():
        module.eval()
    replays(zen.value_and_grad(total(module, case), tuple(range(len(primals)))), primals)
