"""Every public function of numpy, numpy.linalg, numpy.fft and numpy.emath that takes arrays, called on Tensors.

The calls are those of tests/numpy_calls.py. Where no Tensor requires a gradient the result is NumPy's. Where one does,
it is a Tensor with the right derivative, an answer that no gradient belongs to, or an error that names the function.
"""

import re

import numpy as np
import pytest
from numpy_calls import arguments, fresh, functions, on_tensors, parts

import zen

WRITERS = {"copyto", "fill_diagonal", "place", "put", "put_along_axis", "putmask"}
JUMPS = {"intersect1d"}
"""Functions with fewer elements in the result once an argument moves by itself; tests/ops knows their gradients."""
SHAPE_ALONE = {"zeros_like", "ones_like", "empty_like", "result_type", "common_type", "min_scalar_type"}


def same(found, wanted):
    found, wanted = parts(found), parts(wanted)
    assert len(found) == len(wanted)
    for a, b in zip(found, wanted, strict=True):
        if isinstance(a, zen.Tensor):
            a = a.numpy()
            assert a.dtype == np.asarray(b).dtype and a.shape == np.shape(b)
        else:
            assert type(a) is type(b) or (type(a) is int and isinstance(b, np.integer))
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12) if np.asarray(b).dtype.kind in "fc" else (
            np.testing.assert_array_equal(a, b)
        )


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("name", "function"), list(functions()))
def test_result_is_numpys_where_no_gradient_is_required(name, function):
    given = arguments(name, function)
    if given is None or name in ("empty_like", "shares_memory", "may_share_memory"):
        return
    written, tensors = fresh(given), on_tensors(fresh(given), zen.tensor)
    same(function(*tensors), function(*written))
    for t, a in zip(parts(tensors), parts(written), strict=True):  # what NumPy writes into, it writes into here
        np.testing.assert_array_equal(t.numpy() if isinstance(t, zen.Tensor) else t, a)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("name", "function"), list(functions()))
def test_gradient_is_right_or_refused_by_name(name, function):
    given = arguments(name, function)
    if given is None or name in JUMPS:
        return
    leaves = []

    def leaf(a):
        if a.dtype.kind != "f":
            return a
        leaves.append(zen.tensor(a, requires_grad=True))
        return leaves[-1]

    tensors = on_tensors(fresh(given), leaf)
    if not leaves:
        return
    try:
        result = function(*tensors)
    except (TypeError, RuntimeError) as error:
        what = "detach" if name not in WRITERS else "a leaf that requires a gradient cannot be changed"
        assert re.search(rf"\b{function.__name__}\b.*{what}", str(error)), error
        return
    where = [k for k, t in enumerate(parts(result)) if isinstance(t, zen.Tensor) and t.requires_grad]
    outputs = [parts(result)[k] for k in where]
    if not outputs:
        kinds = {np.asarray(t.numpy() if isinstance(t, zen.Tensor) else t).dtype.kind for t in parts(result)}
        assert kinds <= set("biuUO") or name in SHAPE_ALONE, f"{name} lost the gradient"
        return
    rng = np.random.default_rng(0)
    weights = [rng.normal(size=t.shape) for t in outputs]
    sum((t * w).real.sum() for t, w in zip(outputs, weights, strict=True)).backward()
    directions = [rng.normal(size=t.shape) for t in leaves]
    if name == "cholesky":  # NumPy reads one half of a symmetric matrix
        directions = [d + d.T for d in directions]
    slope = sum(np.sum(t.gradient * d) for t, d in zip(leaves, directions, strict=True) if t.grad is not None)

    def value(step):
        moved = iter([t.value + step * d for t, d in zip(leaves, directions, strict=True)])
        found = function(*on_tensors(fresh(given), lambda a: next(moved) if a.dtype.kind == "f" else a))
        return sum(np.sum((parts(found)[k] * w).real) for k, w in zip(where, weights, strict=True))

    np.testing.assert_allclose(slope, (value(1e-6) - value(-1e-6)) / 2e-6, rtol=1e-5, atol=1e-6)
