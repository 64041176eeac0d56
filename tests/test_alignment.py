"""Arrays at odd addresses, as from a buffer or a field of a record: the values and gradients of aligned ones.

Sanitizer builds (`-fsanitize=alignment`) stop at the first misaligned read; others show that nothing depends on it.
"""

import numpy as np
import pytest
from layouts import unaligned

import zen
from zen import f, nn

RNG = np.random.default_rng(0)
X = RNG.normal(size=(2, 3, 4))
ATTENDED = RNG.normal(size=(2, 2, 3, 4))
CASES = {
    "recurrent relu": (lambda x, w: nn_rnn(x, w, "relu"), (X, RNG.normal(size=(5, 4)))),
    "recurrent tanh": (lambda x, w: nn_rnn(x, w, "tanh"), (X, RNG.normal(size=(5, 4)))),
    "attention with a mask": (
        f.scaled_dot_product_attention, (ATTENDED, ATTENDED + 1, ATTENDED - 1, X[:, :1, :3]),
    ),
    "attention with a bool mask": (
        lambda q, k, v: f.scaled_dot_product_attention(q, k, v, unaligned(np.tri(3, dtype=bool))), (ATTENDED,) * 3,
    ),
    "layer_norm": (lambda x, w, b: f.layer_norm(x, 4, w, b), (X, X[0, 0], X[0, 1])),
    "batch_norm": (lambda x, w: f.batch_norm(x, None, None, w, training=True), (X, X[0, :, 0])),
    "group_norm": (lambda x, w: f.group_norm(x, 3, w), (X, X[0, :, 0])),
    "rms_norm": (lambda x, w: f.rms_norm(x, 4, w), (X, X[0, 0])),
    "linear": (f.linear, (X, RNG.normal(size=(5, 4)), RNG.normal(size=5))),
    "matmul": (f.matmul, (X[0], RNG.normal(size=(4, 2)))),
    "conv1d": (f.conv1d, (X, RNG.normal(size=(2, 3, 2)), RNG.normal(size=2))),
    "max_pool1d": (lambda x: f.max_pool1d(x, 2), (X,)),
    "avg_pool1d": (lambda x: f.avg_pool1d(x, 2), (X,)),
    "embedding": (lambda w: f.embedding(unaligned(np.array([0, 1, 0])), w), (X[0],)),
    "cross_entropy": (
        lambda x: f.cross_entropy(x, unaligned(np.array([0, 3, 1])), weight=unaligned(np.arange(1.0, 5.0))), (X[0],),
    ),
    "soft cross_entropy": (lambda x: f.cross_entropy(x, unaligned(np.full((3, 4), 0.25))), (X[0],)),
    "softmax": (f.softmax, (X,)), "log_softmax": (f.log_softmax, (X,)), "sum": (lambda x: f.sum(x, 1), (X,)),
    "tanh": (f.tanh, (X,)), "divide": (f.divide, (X, X[0] + 9)),
    "where": (lambda x, y: f.where(X > 0, x, y), (X, X + 1)),
    "take": (lambda x: f.take(x, unaligned(np.array([2, 0, 2])), 1), (X,)),
    "cumprod": (lambda x: f.cumprod(x, 1), (X,)),
    "index": (lambda x: x[unaligned(np.array([1, 0, 1])), :, 1:], (X,)), "slice": (lambda x: x[:, ::2] * 2, (X,)),
    "dot": (f.dot, (X[0, 0], X[0, 1])), "0-d": (lambda x: f.exp(x) * x, (np.array(0.5),)),
    "clip": (lambda x: f.clip(x, -1, 1), (X,)),
    "reshape": (lambda x: f.reshape(x, (6, 4)) ** 2, (X,)), "concat": (lambda x, y: f.concat([x, y], 1), (X, X)),
}  # fmt: skip


def nn_rnn(x, w, kind):
    zen.random.seed(0)
    layer = nn.RNN(4, 5, nonlinearity=kind, batch_first=True, dtype=x.dtype)
    layer.weight_ih_l0 = nn.Parameter(zen.zeros((5, 4), x.dtype))
    del layer.weight_ih_l0
    layer.weight_ih_l0 = w
    return layer(x)[0]


def results(call, arrays, place, cotangent):
    """Values and gradients, with operands and cotangent where `place` puts them."""
    leaves = [zen.from_numpy(place(a)).requires_grad_(True) for a in arrays]
    y = call(*leaves)
    y.backward(zen.from_numpy(place(cotangent(y))))
    return [y.detach().numpy(), *[t.gradient for t in leaves]]


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", CASES)
def test_odd_addresses_change_nothing(name, dtype):
    call, arrays = CASES[name]
    arrays = [a.astype(dtype) for a in arrays]

    def cotangent(y):
        return np.random.default_rng(1).normal(size=y.shape).astype(y.dtype)

    expected = results(call, arrays, np.copy, cotangent)
    odd = unaligned(arrays[0])
    assert not odd.flags.aligned and zen.from_numpy(odd).array.ctypes.data == odd.ctypes.data
    for found, wanted in zip(results(call, arrays, unaligned, cotangent), expected, strict=True):
        assert found.dtype == wanted.dtype
        np.testing.assert_allclose(found, wanted, rtol=1e-5 if dtype == np.float32 else 1e-12, atol=1e-6)


def test_fields_of_records_and_buffers():
    records = np.zeros(5, dtype=[("flag", "u1"), ("value", "f8"), ("small", "f4")])
    records["value"], records["small"] = np.arange(5.0), np.arange(5.0) / 2
    for name in ("value", "small"):
        t = zen.from_numpy(records[name]).requires_grad_(True)
        (f.tanh(t) * t + f.softmax(t)).sum().backward()
        wanted = zen.tensor(np.array(records[name]), requires_grad=True)
        (f.tanh(wanted) * wanted + f.softmax(wanted)).sum().backward()
        np.testing.assert_allclose(t.gradient, wanted.gradient, rtol=1e-6)
    raw = np.frombuffer(b"\0" + np.arange(4.0).tobytes(), dtype=np.float64, offset=1)
    assert zen.exp(zen.tensor(raw)).tolist() == np.exp(np.arange(4.0)).tolist()
    assert (zen.from_numpy(raw) * 2 + raw).tolist() == [0.0, 3.0, 6.0, 9.0]


@pytest.mark.parametrize("name", ["SGD", "Adam", "RMSprop", "Adagrad", "LBFGS"])
def test_optimisers_move_parameters_at_odd_addresses(name):
    moved = []
    for place in (np.copy, unaligned):
        p = zen.from_numpy(place(X[0])).requires_grad_(True)
        optimiser = getattr(zen.optim, name)([p], lr=0.1)

        def closure(p=p, optimiser=optimiser):
            optimiser.zero_grad()
            loss = (p**2).sum()
            loss.backward()
            return loss

        for _ in range(2):
            optimiser.step(closure)
        moved.append(p.detach().numpy().copy())
    np.testing.assert_allclose(*moved, rtol=1e-12)


def test_a_write_to_memory_at_odd_addresses_still_reaches_the_array():
    odd = unaligned(X[0])
    t = zen.from_numpy(odd)
    t[1] = 5.0
    t += 1.0
    t.reshape(-1)[0] = 7.0
    assert odd[0, 0] == 7.0 and odd[1].tolist() == [6.0] * 4
