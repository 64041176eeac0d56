"""Whole recurrent layers: against one step at a time, in every layout, and over more than one chunk of steps."""

import os
import subprocess
import sys

import numpy as np
import pytest
from drawing import joined
from layouts import LAYOUTS

import zen
from zen.backend import apply
from zen.ops.recurrent import GRU, LSTM, RNN_RELU, RNN_TANH

OPERATIONS = {
    "rnn_tanh": (RNN_TANH, 1, 1, (False,)), "rnn_relu": (RNN_RELU, 1, 1, (True,)), "lstm": (LSTM, 4, 2, ()),
    "gru": (GRU, 3, 1, ()),
}  # fmt: skip


def draws(name, steps, batch, inputs, n, dtype="float64"):
    _, gates, states, static = OPERATIONS[name]
    rng = np.random.default_rng(0)
    shapes = [(steps, batch, inputs), *[(batch, n)] * states, (gates * n, inputs), (gates * n, n), *[(gates * n,)] * 2]
    bound = n**-0.5  # larger weights make long sequences chaotic
    return [rng.uniform(-bound, bound, size=s).astype(dtype) for s in shapes], static


def leaves(arrays):
    return [zen.tensor(a, requires_grad=True) for a in arrays]


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("name", OPERATIONS)
def test_chunks_join(name, reverse):
    """150 steps are several chunks for every net, and the last one is shorter."""
    operation = OPERATIONS[name][0]
    arrays, static = draws(name, 150, 16, 3, 40)
    given = leaves(arrays)
    out = joined(apply(operation, tuple(given), (*static, reverse)))
    expected = joined(operation.composition(*given, *static, reverse))
    np.testing.assert_allclose(out.array, expected.array, rtol=1e-9, atol=1e-12)
    cotangent = np.random.default_rng(1).normal(size=out.shape)
    for a, b in zip(*(zen.gradients(y, given, cotangent) for y in (out, expected)), strict=True):
        np.testing.assert_allclose(a.array, b.array, rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda f: f.__name__)
@pytest.mark.parametrize("name", OPERATIONS)
def test_layouts(name, layout):
    operation = OPERATIONS[name][0]
    arrays, static = draws(name, 3, 2, 2, 3)
    given, laid = leaves(arrays), [zen.from_numpy(layout(a)).requires_grad_() for a in arrays]
    found, expected = (joined(apply(operation, tuple(x), (*static, False))) for x in (laid, given))
    np.testing.assert_array_equal(found.array, expected.array)
    cotangent = np.random.default_rng(1).normal(size=found.shape)
    pairs = zip(zen.gradients(found, laid, layout(cotangent)), zen.gradients(expected, given, cotangent), strict=True)
    for a, b in pairs:
        np.testing.assert_allclose(a.array, b.array, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("name", OPERATIONS)
def test_a_graph_may_be_run_twice(name):
    """Backward writes to nothing that it keeps."""
    operation = OPERATIONS[name][0]
    arrays, static = draws(name, 4, 2, 2, 3)
    given = leaves(arrays)
    loss = (joined(apply(operation, tuple(given), (*static, True))) ** 2).sum()
    loss.backward(retain_graph=True)
    first = [x.grad.array.copy() for x in given]
    loss.backward()
    for x, g in zip(given, first, strict=True):
        np.testing.assert_allclose(x.grad.array, 2 * g, rtol=1e-12)


@pytest.mark.parametrize("name", OPERATIONS)
def test_saturated_gates_stay_finite(name):
    operation = OPERATIONS[name][0]
    arrays, static = draws(name, 3, 2, 2, 3, "float32")
    arrays[0] *= 1e4 if name != "rnn_relu" else 1
    given = leaves(arrays)
    out = joined(apply(operation, tuple(given), (*static, False)))
    out.sum().backward()
    assert all(np.isfinite(a).all() for a in [out.array, *[x.grad.array for x in given]])


def test_nan_stays_visible():
    for name in OPERATIONS:
        arrays, static = draws(name, 2, 1, 2, 3)
        arrays[0][0, 0, 0] = np.nan
        assert np.isnan(joined(apply(OPERATIONS[name][0], tuple(arrays), (*static, False))).array).all()


def test_states_that_relu_holds_at_zero_do_not_move():
    """By whatever their preactivations move; both ways of pushing a tangent say so."""
    x, w_ih, w_hh = np.array([[[1.0]]]), np.array([[-1.0], [1.0]]), np.eye(2)

    def run(x):
        return apply(RNN_RELU, (x, None, w_ih, w_hh, None, None), (True, False))

    for t in (np.full(x.shape, np.inf), zen.tensor(np.full(x.shape, np.inf), requires_grad=True)):
        _, tangent = zen.jvp(run, (x,), (t,))
        np.testing.assert_array_equal(getattr(tangent, "array", tangent), [[[0.0, np.inf]]])


def test_half_precision_takes_the_composition():
    arrays, _ = draws("lstm", 3, 2, 2, 3, "float16")
    out, _ = apply(LSTM, tuple(leaves(arrays)), (False,))
    exact, _ = apply(LSTM, tuple([a.astype("float64") for a in arrays]), (False,))
    assert out.dtype == np.float16 and out.node.row.name != "lstm"
    np.testing.assert_allclose(out.array, exact.array, atol=5e-3)


@pytest.mark.parametrize("simd", ["base", "avx512"])
def test_without_a_blas_to_call(simd):
    """Where NumPy's library exports no cblas, kernels multiply by themselves: in plain loops, or by tiles."""
    program = """
import os, numpy as np
listed = os.listdir
os.listdir = lambda folder: [n for n in listed(folder) if "openblas" not in n and "mkl" not in n]
import zen
from zen import backend
from zen.ops import register
from zen.ops.attention import ATTENTION
from zen.ops.recurrent import GRU
os.listdir = listed
if backend.NAME == "compiled":
    from zen._core._blas import blas
    assert blas.endswith("(C API)") or os.uname().sysname == "Darwin", blas
for operation, places in ((GRU, [0, 1, 2, 3, 4, 5]), (ATTENTION, [0, 1, 2])):
    for dtype in ("float32", "float64"):
        inputs, params = register.DECLARATIONS[operation.name].domain(np.random.default_rng(0))[0]
        given = [None if x is None else zen.tensor(x, dtype=dtype, requires_grad=True) for x in inputs]
        outs = [backend.apply(operation, tuple(given), params), operation.composition(*given, *params)]
        found = [zen.gradients((y * y).sum(), [given[k] for k in places]) for y in outs]
        for a, b in zip(*found):
            assert np.allclose(a.array, b.array, rtol=1e-3, atol=1e-5), operation
print("well")
"""
    env = os.environ | {"ZEN_BLAS": "auto", "ZEN_SIMD": simd}
    done = subprocess.run([sys.executable, "-c", program], env=env, capture_output=True, text=True)
    assert done.stdout == "well\n", done.stderr
