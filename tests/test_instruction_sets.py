"""The builds of the kernels for wider instruction sets compute what the plain one computes, to the last bit.

No contraction to fused multiply-add, and sums that add in one fixed order: see the flags in setup.py. Matrix products
alone are rounded otherwise, where AVX-512 has tiles of its own for them. On the reference engine there is one build
only, and the variable changes nothing: one other set and a few sizes show it there.
"""

import os
import subprocess
import sys

import numpy as np
import pytest

from zen import backend

PROGRAM = """
import sys, numpy as np, zen
from zen import backend
from zen.ops import late, register

rng, out = np.random.default_rng(0), {}
late.load("pointwise"), late.load("complex_numbers")  # the rows that have generated kernels
each = slice(None, None, 1 if backend.NAME == "compiled" else 6)  # of the sizes
for name, row in [*register.DECLARATIONS.items()]:  # a family may load meanwhile
    if not row.elementwise or row.vjp == (None,) * len(row.args):
        continue
    for dtype in (np.float32, np.float64):
        # Every remainder of the vector widths, a stride, a broadcast, and sizes beyond the unrolled loops.
        for n, shape in enumerate(([(k,) for k in range(18)] + [(33,), (1000,), (40, 30)])[each]):
            args = []
            for domain in row.domain:
                low, high = (-1.0, 1.0) if domain in ("bool", "const") else domain
                a = rng.uniform(low, high, shape)
                args.append(a > 0 if domain == "bool" else a.astype(dtype))
            if n % 3 == 2:
                args = [np.stack([a, a], axis=-1)[..., 0] for a in args]
            elif n % 3 == 1 and len(args) > 1:
                args[-1] = args[-1][..., :1]
            leaves = [backend.leaf(a, a.dtype.kind == "f") for a in args]
            y = backend.apply(register.ROWS[name], tuple(leaves))
            y.backward(np.ones(y.shape, y.dtype))
            key = f"{name} {np.dtype(dtype).name} {shape}"
            out[key] = y.array
            for k, t in enumerate(leaves):
                if t.grad is not None:
                    out[f"{key} gradient {k}"] = t.gradient

# The same of complex operands.
for name, row in [*register.DECLARATIONS.items()]:
    if row.complex is not True or not row.elementwise or row.vjp == (None,) * len(row.args):
        continue
    for dtype in (np.complex64, np.complex128):
        for n, shape in enumerate(([(k,) for k in range(10)] + [(33,), (600,), (40, 30)])[each]):
            parts = rng.uniform(0.2, 0.9, (2, len(row.args), *shape))
            args = [a.astype(dtype) if row.domain[k] != "bool" else a.real > 0.5
                    for k, a in enumerate(parts[0] + 1j * parts[1])]
            if n % 3 == 2:
                args = [np.stack([a, a], axis=-1)[..., 0] for a in args]
            elif n % 3 == 1 and len(args) > 1:
                args[-1] = args[-1][..., :1]
            leaves = [backend.leaf(a, a.dtype.kind == "c") for a in args]
            y = backend.apply(register.ROWS[name], tuple(leaves))
            y.backward(np.ones(y.shape, y.dtype))
            key = f"{name} {np.dtype(dtype).name} {shape}"
            out[key] = y.array
            for k, t in enumerate(leaves):
                if t.grad is not None:
                    out[f"{key} gradient {k}"] = t.gradient

# Normalisation: lengths around the partial sums and the blocks of these.
for dtype in (np.float32, np.float64):
    for n in (1, 7, 31, 32, 33, 196, 512, 1025, 2100)[each]:
        x = zen.tensor(rng.normal(2.0, 1.0, (3, 6, n)).astype(dtype), requires_grad=True)
        w, b = (zen.tensor(rng.normal(size=n).astype(dtype), requires_grad=True) for _ in range(2))
        c = zen.tensor(rng.normal(size=6).astype(dtype), requires_grad=True)
        g = rng.normal(size=x.shape).astype(dtype)
        for k, y in enumerate([
            zen.f.layer_norm(x, n, w, b), zen.f.layer_norm(x, n), zen.f.layer_norm(x, n, None, b),
            zen.f.rms_norm(x, n, w), zen.f.batch_norm(x, None, None, c, c, training=True), zen.f.group_norm(x, 2, c, c),
            zen.f.batch_norm(x[..., 0], None, None, c, c, training=True),
        ]):
            y.backward(g if y.shape == x.shape else g[..., 0])
            out[f"norm {k} {np.dtype(dtype).name} {n}"] = y.value
            for name, t in zip("xwbc", (x, w, b, c)):
                if t.grad is not None:
                    out[f"norm {k} {np.dtype(dtype).name} {n} gradient in {name}"] = t.gradient
                t.grad = None

# What stands beside matrix products: sums of squares, the directions of L-BFGS, recurrent layers, attention.
for dtype in (np.float32, np.float64):
    for n in (1, 15, 16, 31, 33, 513, 1100)[each]:
        p = zen.nn.Parameter(rng.normal(size=n).astype(dtype))
        q = rng.uniform(0.5, 2.0, n).astype(dtype)
        step = zen.optim.LBFGS([p], lr=0.5, max_iter=4)
        def closure():
            step.zero_grad()
            loss = (q * p * p).sum()
            loss.backward()
            return loss
        step.step(closure)
        out[f"lbfgs {np.dtype(dtype).name} {n}"] = p.value.copy()
        out[f"norm of gradients {np.dtype(dtype).name} {n}"] = np.array(zen.optim.clip_grad_norm_([p], 1.0).item())
    for n in (1, 5, 16, 19):
        x = rng.normal(size=(4, 6, n)).astype(dtype)
        for kind in (zen.nn.RNN, zen.nn.GRU, zen.nn.LSTM):
            for options in ({}, {"nonlinearity": "relu"})[: 2 if kind is zen.nn.RNN else 1]:
                zen.random.seed(n)
                layer, t = kind(n, n, **options).to(dtype), zen.tensor(x, requires_grad=True)
                y, _ = layer(t)
                (y * y).sum().backward()
                key = f"product {kind.__name__} {options} {np.dtype(dtype).name} {n}"
                out[key] = y.value
                for k, v in {"x": t, **dict(layer.named_parameters())}.items():
                    out[f"{key} gradient in {k}"] = v.gradient
        t = zen.tensor(x, requires_grad=True)
        y = zen.f.scaled_dot_product_attention(t, t, t, dropout_p=0.5, generator=np.random.default_rng(n))
        (y * y).sum().backward()
        out[f"product attention {np.dtype(dtype).name} {n}"] = y.value
        out[f"product attention {np.dtype(dtype).name} {n} gradient"] = t.gradient
out["simd"] = np.array(zen._core.simd if backend.NAME == "compiled" else "none")
np.savez(sys.argv[1], **out)
"""


def run(path, **variables):
    env = {k: v for k, v in os.environ.items() if k != "ZEN_SIMD"} | variables
    done = subprocess.run([sys.executable, "-c", PROGRAM, str(path)], env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    with np.load(path) as found:
        return dict(found)


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    return run(tmp_path_factory.mktemp("simd") / "base.npz", ZEN_SIMD="base")


@pytest.mark.parametrize("level", ["avx2", "avx512", None] if backend.NAME == "compiled" else ["avx2"])
def test_results_are_the_same(level, plain, tmp_path):
    found = run(tmp_path / "wide.npz", **({} if level is None else {"ZEN_SIMD": level}))
    assert found.keys() == plain.keys()
    assert len(found) > 2000
    for key in plain.keys() - {"simd"}:
        if key.startswith("product"):
            close = 2e-5 if "float32" in key else 1e-12
            np.testing.assert_allclose(found[key], plain[key], close, close, err_msg=key, strict=True)
        else:
            np.testing.assert_array_equal(found[key], plain[key], err_msg=key, strict=True)


def test_an_unknown_set_is_refused(engine):
    env = os.environ | {"ZEN_SIMD": "mmx"}
    done = subprocess.run([sys.executable, "-c", "import zen"], env=env, capture_output=True, text=True)
    if engine == "compiled":
        assert done.returncode != 0
        assert "ZEN_SIMD='mmx'" in done.stderr and "base, avx2, avx512" in done.stderr
    else:
        assert done.returncode == 0, done.stderr


def test_the_set_asked_for_is_the_one_in_use(engine, plain):
    assert str(plain["simd"]) == ("base" if engine == "compiled" else "none")
