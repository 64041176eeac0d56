"""Operations that are planned apart from their execution: this depends on the plan and the inputs, on nothing else.

On the reference engine, which has no plans, the same calls agree with one another.
"""

import contextlib

import numpy as np
import pytest
from crowd import crowd

import zen
from zen import backend
from zen.ops import recurrent


def drawn(seed, *shapes):
    rng = np.random.default_rng(seed)
    return [rng.normal(size=shape) for shape in shapes]


def convolution(x, w, bias=True, **options):
    def arrays(seed):
        return drawn(seed, x, w, *[w[:1]] * bias)

    return arrays, lambda *args: zen.f.conv2d(*args, **options)


def net(row, gates, states, *params, steps=4, batch=3, n=5, first=True, last_alone=False):
    """A recurrent layer; without its first state, or where the last cell alone is used."""

    def arrays(seed):
        shapes = [
            (steps, batch, 2),
            *[(batch, n)] * states * first,
            (gates * n, 2),
            (gates * n, n),
            *[(gates * n,)] * 2,
        ]
        return [a / (2 * n**0.5) for a in drawn(seed, *shapes)]  # larger weights make long sequences chaotic

    def run(x, *args):
        given = args if first else (*[None] * states, *args)
        y = backend.apply(row, (x, *given), params)
        return y[1] if last_alone else zen.f.concat([y[0].reshape(-1), y[1].reshape(-1)]) if states == 2 else y

    return arrays, run


def attention(q, k, *mask, dropped=False, **options):
    def run(*args):
        drop = {"dropout_p": 0.4, "generator": np.random.default_rng(1)} if dropped else {}
        return zen.f.scaled_dot_product_attention(*args, **options, **drop)

    return lambda seed: drawn(seed, q, k, k, *mask), run


def norm(function, *shapes):
    return lambda seed: [2 * a + 1 for a in drawn(seed, *shapes)], function


def plain(function, *shapes):
    return lambda seed: drawn(seed, *shapes), function


def unrecorded(function):
    """With a result that needs no gradient, and so keeps nothing for one."""

    def run(*args):
        y = function(*[a.detach() for a in args])
        return y + sum(0 * a.sum() for a in args)

    return run


CLASSES = np.random.default_rng(3).integers(0, 5, 30)
OFTEN = np.random.default_rng(4).integers(0, 3, 3000)
WEIGHTS = np.array([0.5, 1, 2, 0.25, 1.5])
CASES = {
    "conv2d tile of images": convolution((5, 3, 9, 8), (4, 3, 3, 3), padding=1),
    "conv2d tile of rows": convolution((1, 4, 120, 120), (4, 4, 3, 3), padding=1),
    "conv2d part of a row": convolution((1, 24, 3, 300), (4, 24, 3, 3), padding=1),
    "conv2d more weights than pixels": convolution((2, 4, 3, 3), (40, 4, 3, 3), padding=1, bias=False),
    "conv2d the image is the matrix": convolution((2, 4, 9, 9), (3, 4, 1, 1)),
    "conv2d strides and groups": convolution((3, 4, 11, 10), (6, 2, 3, 2), stride=(2, 1), dilation=(1, 2), groups=2),
    "conv2d planes": convolution((2, 3, 9, 20), (6, 1, 3, 3), stride=2, padding=1, groups=3),
    "conv2d one plane": convolution((1, 1, 5, 5), (1, 1, 3, 3), bias=False, padding=1),
    "rnn_tanh": net(recurrent.RNN_TANH, 1, 1, False, False),
    "rnn_relu reversed": net(recurrent.RNN_RELU, 1, 1, True, True, first=False),
    "rnn_tanh several chunks": net(recurrent.RNN_TANH, 1, 1, False, True, steps=150, batch=16, n=40),
    "lstm": net(recurrent.LSTM, 4, 2, False),
    "lstm reversed from zeros": net(recurrent.LSTM, 4, 2, True, first=False),
    "lstm the last cell alone": net(recurrent.LSTM, 4, 2, False, last_alone=True),
    "lstm several chunks": net(recurrent.LSTM, 4, 2, False, steps=40, batch=16, n=40),
    "gru": net(recurrent.GRU, 3, 1, False),
    "gru several chunks": net(recurrent.GRU, 3, 1, True, steps=60, batch=16, n=40, first=False),
    "layer_norm": norm(lambda x, w, b: zen.f.layer_norm(x, 19, w, b), (3, 40, 19), (19,), (19,)),
    "layer_norm of large rows": norm(lambda x: zen.f.layer_norm(x, 3000), (12, 3000)),
    "rms_norm": norm(lambda x, w: zen.f.rms_norm(x, 5, w), (7, 5), (5,)),
    "batch_norm": norm(lambda x, w, b: zen.f.batch_norm(x, None, None, w, b, True), (70, 5), (5,), (5,)),
    "batch_norm of images": norm(lambda x, w: zen.f.batch_norm(x, None, None, w, None, True), (9, 4, 31, 33), (4,)),
    "group_norm": norm(lambda x, w, b: zen.f.group_norm(x, 2, w, b), (3, 4, 2, 3), (4,), (4,)),
    "group_norm of one image": norm(lambda x, w, b: zen.f.group_norm(x, 3, w, b), (1, 12, 20, 9), (12,), (12,)),
    "instance_norm": norm(lambda x: zen.f.instance_norm(x), (1, 40, 17, 3)),
    "max_pool2d": plain(lambda x: zen.f.max_pool2d(x, 2), (2, 3, 8, 9)),
    "max_pool2d of windows that overlap": plain(lambda x: zen.f.max_pool2d(x, 3, 2, 1), (1, 2, 90, 100)),
    "avg_pool2d": plain(lambda x: zen.f.avg_pool2d(x, 2), (2, 3, 8, 9)),
    "avg_pool2d of windows that overlap": plain(lambda x: zen.f.avg_pool2d(x, 3, 2, 1), (1, 2, 90, 100)),
    "softmax": plain(lambda x: zen.f.softmax(x), (4, 7, 9)),
    "softmax of long rows": plain(lambda x: zen.f.softmax(x), (9, 4001)),
    "softmax used twice": plain(lambda x: zen.f.softmax(x) + zen.f.softmax(2 * x), (6, 5)),
    "log_softmax": plain(lambda x: zen.f.log_softmax(x), (4, 7, 9)),
    "logsumexp": plain(lambda x: zen.f.logsumexp(x, -1), (40, 60)),
    "cross_entropy": plain(lambda x: zen.f.cross_entropy(x, CLASSES), (30, 5)),
    "cross_entropy of each": plain(
        lambda x: zen.f.cross_entropy(
            x, CLASSES, weight=WEIGHTS.astype(x.dtype), ignore_index=1, reduction="none", label_smoothing=0.2
        ),
        (30, 5),
    ),
    "embedding": plain(lambda w: zen.f.embedding(CLASSES.reshape(5, 6), w), (7, 4)),
    "embedding of rows named often": plain(lambda w: zen.f.embedding(OFTEN, w), (7, 4)),
    "cumsum": plain(lambda x: zen.f.cumsum(x, 0), (9, 30)),
    "cumsum along the last axis": plain(lambda x: zen.f.cumsum(x, 1), (9, 30)),
    "cumprod": plain(lambda x: zen.f.cumprod(x, 0), (5, 30)),
    "prod": plain(lambda x: zen.f.prod(x, 0), (5, 30)),
    "prod along the last axis": plain(lambda x: zen.f.prod(x, 1), (9, 7)),
    "take_along_axis": plain(lambda x: zen.f.take_along_axis(x, CLASSES[None], 0), (5, 30)),
    "take_along_axis of elements named often": plain(
        lambda x: zen.f.take_along_axis(x, np.stack([OFTEN] * 20, 1), 0), (5, 20)
    ),
    "sort": plain(lambda x: zen.f.sort(x, 1), (6, 9)),
    "attention": attention((2, 3, 4, 5), (2, 3, 6, 5)),
    "attention with a mask": attention((2, 3, 4, 5), (2, 3, 6, 5), (3, 4, 6)),
    "attention with a mask and dropout": attention((2, 3, 4, 5), (2, 3, 6, 5), (4, 6), dropped=True),
    "attention causal in groups": attention((1, 4, 5, 3), (1, 2, 5, 3), is_causal=True, enable_gqa=True),
    "attention with a scale of 0": attention((1, 2, 4, 3), (1, 2, 4, 3), (4, 4), scale=0),
    "attention of large heads": attention((3, 4, 64, 40), (3, 4, 64, 40), dropped=True),
}
for name in [name for name in CASES if name.startswith("attention")]:
    CASES[f"{name}, unrecorded"] = CASES[name][0], unrecorded(CASES[name][1])
DTYPES = pytest.mark.parametrize("dtype", ["float32", "float64"])


def results(name, seed, dtype):
    """The result and the gradients of all arguments."""
    draws, function = CASES[name]
    leaves = [zen.tensor(a.astype(dtype), requires_grad=True) for a in draws(seed)]
    y = function(*leaves)
    cotangent = np.random.default_rng(7).normal(size=y.shape).astype(dtype)
    return [y.detach().numpy(), *[g.numpy() for g in zen.gradients(y, leaves, cotangent)]]


@contextlib.contextmanager
def executed(times):
    """Every plan so many times, on a workspace of its own each time."""
    if backend.NAME == "reference":
        yield
        return
    from zen._core import _plan

    before = _plan.execute(times)
    try:
        yield
    finally:
        _plan.execute(before)


@DTYPES
@pytest.mark.parametrize("name", CASES)
def test_a_plan_that_is_executed_again_gives_the_same_bits(name, dtype):
    """Its outputs hold the first results by then, and its workspace nan."""
    once = results(name, 0, dtype)
    with executed(3):
        again = results(name, 0, dtype)
    for a, b in zip(once, again, strict=True):
        np.testing.assert_array_equal(a, b)
        assert np.isfinite(a).all()


@DTYPES
@pytest.mark.parametrize("name", [name for name in CASES if "norm" in name or "softmax" in name or "prod" in name])
def test_tangents_of_a_plan_that_is_executed_again_are_the_same_bits(name, dtype):
    draws, function = CASES[name]
    primals = tuple([zen.tensor(a.astype(dtype)) for a in draws(0)])
    tangents = tuple([zen.tensor(a.astype(dtype)) for a in draws(1)])
    once = zen.jvp(function, primals, tangents)
    with executed(3):
        again = zen.jvp(function, primals, tangents)
    for a, b in zip(once, again, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())
        assert np.isfinite(a.numpy()).all()


@DTYPES
@pytest.mark.parametrize("name", CASES)
def test_threads_that_execute_at_the_same_time_do_not_disturb_each_other(name, dtype):
    expected = [results(name, seed, dtype) for seed in range(4)]
    for _ in range(3):
        for one, other in zip(crowd(lambda k: results(name, k, dtype)), expected, strict=True):
            for a, b in zip(one, other, strict=True):
                # A product that the BLAS shared among its threads may be rounded otherwise.
                np.testing.assert_allclose(a, b, rtol=1e-4 if dtype == "float32" else 1e-10, atol=1e-5)


def blas_threads():
    """How many threads the BLAS would use; 1 where that is not known."""
    if backend.NAME == "reference":
        return 1
    from zen._core import _blas

    names = "scipy_openblas_get_num_threads64_", "openblas_get_num_threads", "MKL_Get_Max_Threads"
    found = [getattr(_blas._library, name, None) for name in names]
    return next((function() for function in found if function), 1)


def test_the_number_of_blas_threads_is_given_back():
    before, (x, w) = blas_threads(), drawn(0, (4, 4), (4, 4))

    def work(k):
        for _ in range(50):
            results("conv2d tile of images", 0, "float64") if k % 2 else zen.tensor(x) @ w

    crowd(work)
    assert blas_threads() == before


def zeros(*shape):
    return np.zeros(shape, "float32")


LAYER = zeros(2, 3, 4), zeros(3, 5), zeros(5, 4), zeros(5, 5)
HEADS = zeros(1, 2, 3, 4), zeros(1, 2, 6, 4), zeros(1, 2, 6, 5)
PLAIN = 1.0, 1.0, False


@pytest.mark.parametrize(
    "name, args",
    [
        ("rnn_forward", (zeros(2, 3, 7), *LAYER[1:], None, False, False)),
        ("rnn_forward", (LAYER[0], zeros(2, 5), *LAYER[2:], None, False, False)),
        ("rnn_forward", (*LAYER[:3], zeros(4, 5), None, False, False)),
        ("rnn_forward", (*LAYER, zeros(4), False, False)),
        ("rnn_backward", (zeros(2, 3, 5), *LAYER, zeros(2, 3, 4), False, False, (True,) * 3)),
        ("attention_forward", (HEADS[0], zeros(1, 2, 6, 3), HEADS[2], None, None, *PLAIN, zeros(1, 2, 3, 5), True)),
        ("attention_forward", (*HEADS[:2], zeros(1, 2, 5, 5), None, None, *PLAIN, zeros(1, 2, 3, 5), True)),
        ("attention_forward", (*HEADS, zeros(1, 2, 3, 5), None, *PLAIN, zeros(1, 2, 3, 5), True)),
        ("attention_forward", (*HEADS, None, None, *PLAIN, zeros(1, 2, 3, 6), True)),
        ("attention_backward", (zeros(1, 2, 3, 4), *HEADS, zeros(1, 2, 3, 6), None, 1.0, 1.0, *[None] * 4)),
        ("attention_backward", (zeros(1, 2, 3, 5), *HEADS, zeros(1, 2, 3, 7), None, 1.0, 1.0, HEADS[0], *[None] * 3)),
    ],
)  # fmt: skip
def test_arrays_that_do_not_fit_are_refused(name, args):
    module = backend.kernels.attention if name.startswith("attention") else backend.kernels.recurrent
    with pytest.raises(ValueError):
        getattr(module, name)(*args)
