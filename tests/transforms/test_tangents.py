"""Tangents of every kind: layouts, dtypes and alignments that kernels could trip over, and what is done with them."""

import threading

import numpy as np
import pytest

import zen

RNG = np.random.default_rng(0)
X, T = RNG.normal(size=(4, 6)), RNG.normal(size=(4, 6))


def misaligned(a):
    memory = np.zeros(a.nbytes + 1, np.uint8)
    out = memory[1:].view(a.dtype).reshape(a.shape)
    out[...] = a
    return out


def read_only(a):
    a = a.copy()
    a.flags.writeable = False
    return a


KINDS = {
    "Fortran": np.asfortranarray, "reversed": lambda a: a[::-1].copy()[::-1],
    "steps": lambda a: np.repeat(a, 2, 1)[:, ::2],
    "misaligned": misaligned, "read-only": read_only, "swapped": lambda a: a.astype(a.dtype.newbyteorder()),
    "Tensor": zen.tensor, "float32": lambda a: a.astype(np.float32), "list": lambda a: zen.tensor(a.tolist()),
}  # fmt: skip
FUNCTIONS = {
    "elementwise": lambda x: zen.tanh(x) * x + x,
    "broadcast": lambda x: x * x[0] - x[:, :1],
    "one number": lambda x: x * x[1, 2] + zen.sum(x),
    "product": lambda x: x @ x.T,
    "layer": lambda x: zen.f.linear(x, x[:2], x[0, :2]),
    "softmax": zen.f.softmax,
    "sums": lambda x: zen.sum(x, 0) + zen.mean(x, 0, keepdims=True),
    "views": lambda x: x.T.reshape(3, 8)[1:, ::-1],
    "joined": lambda x: zen.stack([zen.concat([x, x * 2.0], 1)[0], zen.concat([x[0], x[1]])]),
    "moments": lambda x: zen.std(x, 1) + zen.max(x, 1) + zen.f.vector_norm(x, 1),
    "itself": lambda x: x,
    "entropy": lambda x: zen.f.cross_entropy(x, [0, 5, 2, 2], reduction="none"),
    "mean entropy": lambda x: zen.f.cross_entropy(x, [0, -100, 2, 2], label_smoothing=0.1),
    "where": lambda x: zen.where(x > 0, x * x, -x),
}


def numerical(f, x, t):
    step = 1e-6
    return (np.asarray(f(zen.tensor(x + step * t)).array) - np.asarray(f(zen.tensor(x - step * t)).array)) / (2 * step)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_tangent_is_the_slope(name):
    f = FUNCTIONS[name]
    y, tangent = zen.jvp(f, (X,), (T,))
    np.testing.assert_array_equal(y, f(zen.tensor(X)).array)
    np.testing.assert_allclose(tangent, numerical(f, X, T), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_any_kind_of_tangent_and_primal(name, kind):
    f, made = FUNCTIONS[name], KINDS[kind]
    exact = kind != "float32"
    x, t = (X, T) if exact else (X.astype(np.float32), T.astype(np.float32))
    _, expected = zen.jvp(f, (x,), (t,))
    tolerance = {"rtol": 1e-12, "atol": 1e-12} if exact else {"rtol": 1e-4, "atol": 1e-5}
    for primal, tangent in ((x, made(T)), (made(X), t)):
        _, found = zen.jvp(f, (primal,), (tangent,))
        np.testing.assert_allclose(np.asarray(found), expected, **tolerance)


def test_tangents_of_constant_arrays_and_of_integers():
    _, tangent = zen.jvp(lambda x: x * x, (X,), (np.broadcast_to(1.0, X.shape),))
    np.testing.assert_allclose(tangent, 2 * X)
    _, tangent = zen.jvp(lambda x: x * x, (X,), (np.ones(X.shape, int),))
    np.testing.assert_allclose(tangent, 2 * X)
    with pytest.raises(TypeError, match="complex"):
        zen.jvp(lambda x: x * x, (X,), (np.ones(X.shape, complex),))
    _, tangent = zen.jvp(lambda x: zen.sum(x * 2.0), (np.zeros((0, 3)),), (np.zeros((0, 3)),))
    assert tangent == 0.0


def test_float16_and_mixtures():
    x, t = X.astype(np.float16), T.astype(np.float16)
    for f in (lambda x: x * x + 1.0, lambda x: zen.max(x, 1), lambda x: zen.concat([x, x])):
        y, tangent = zen.jvp(f, (x,), (t,))
        assert tangent.dtype == np.float16 and tangent.shape == y.shape
    _, tangent = zen.jvp(lambda x: x.astype(np.float64) * x, (X.astype(np.float32),), (T,))
    np.testing.assert_allclose(tangent, 2 * X * T, rtol=1e-4, atol=1e-5)


def test_what_is_handed_in_stays_and_what_comes_back_is_the_callers():
    direction = T.copy()
    for f in (lambda x: x, lambda x: x + 1.0, lambda x: x.reshape(6, 4), lambda x: (x, x + 0.0)):
        _, tangent = zen.jvp(f, (X,), (direction,))
        for part in tangent if isinstance(tangent, tuple) else [tangent]:
            part[...] = 0.0
        np.testing.assert_array_equal(direction, T)


VIEWS = {
    "part": lambda x: x[1:3], "rows": lambda x: zen.f.split(x, 2)[0], "turned": lambda x: x.T,
    "reshaped": lambda x: x.reshape(8, 3),
}  # fmt: skip


@pytest.mark.parametrize("name", VIEWS)
def test_of_a_view_of_a_tensor_the_tangent_is_a_view_as_well(name):
    x, t = zen.tensor(X), zen.tensor(T)
    y, tangent = zen.jvp(VIEWS[name], (x,), (t,))
    np.testing.assert_array_equal(tangent.array, VIEWS[name](zen.tensor(T)).array)
    y += 1.0
    tangent *= 2.0
    assert not np.array_equal(x.array, X) and not np.array_equal(t.array, T)
    np.testing.assert_array_equal(VIEWS[name](x).array, y.array)
    np.testing.assert_array_equal(VIEWS[name](t).array, tangent.array)


def test_other_tangents_in_tensors_have_memory_of_their_own():
    for f in (lambda x: x, lambda x: x + 1.0, lambda x: zen.f.broadcast_to(x, (2, 4, 6)), lambda x: zen.f.copy(x)):
        x, t = zen.tensor(X), zen.tensor(T)
        _, tangent = zen.jvp(f, (x,), (t,))
        tangent *= 2.0
        np.testing.assert_array_equal(t.array, T)
    x, t = zen.tensor(X), zen.tensor(T)
    _, tangent = zen.jvp(lambda x, y: (x * y)[1:], (x, zen.tensor(X)), (t, T))
    tangent *= 2.0
    np.testing.assert_allclose(tangent.array, 4 * (X * T)[1:])


def test_long_programs_keep_few_tangents():
    """A chain over large arrays: as many of its tangents as were kept would not fit."""
    x = np.ones(1 << 18)

    def f(y):
        for _ in range(2000):
            y = y + 1.0
        return y

    _, tangent = zen.jvp(f, (x,), (x,))
    np.testing.assert_array_equal(tangent, x)


def test_many_arguments_of_one_operation():
    x = RNG.normal(size=100)
    _, tangent = zen.jvp(lambda x: zen.stack([x[k] * x[k] for k in range(100)]), (x,), (np.ones(100),))
    np.testing.assert_allclose(tangent, 2 * x)
    _, tangent = zen.jvp(lambda x: zen.concat([x[k : k + 1] for k in range(100)][::-1]), (x,), (x,))
    np.testing.assert_allclose(tangent, x[::-1])


@pytest.mark.parametrize("place", [0, 63, 64, 100])
def test_a_tangent_lives_until_its_last_reader_at_whatever_place(place):
    x, t = RNG.normal(size=(2, 3))

    def f(x):
        y = x * 3.0
        return zen.stack([*[y * y] * place, y, y * 2.0]), zen.concat([*[y[:0]] * place, y])

    _, (stacked, joined) = zen.jvp(f, (x,), (t,))
    np.testing.assert_allclose(stacked, np.stack([*[18 * x * t] * place, 3 * t, 6 * t]))
    np.testing.assert_allclose(joined, 3 * t)


def test_threads_push_through_graphs_of_their_own_at_once():
    errors = []

    def work(seed):
        x, t = np.random.default_rng(seed).normal(size=(2, 200, 200))
        for _ in range(20):
            _, tangent = zen.jvp(lambda x: zen.sum(zen.tanh(x @ x) * x, 1), (x,), (t,))
            y = np.tanh(x @ x)
            expected = ((1 - y * y) * (t @ x + x @ t) * x + y * t).sum(1)
            if not np.allclose(tangent, expected):
                errors.append(seed)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors


def test_warnings_of_numpy_stay_off_and_the_callers_settings_stay():
    with np.errstate(all="raise"):
        zen.jvp(lambda x: zen.log(x) / x, (np.array([0.0, 1.0]),), (np.ones(2),))
        assert np.geterr()["divide"] == "raise"

    @zen.custom_vjp
    def settings(x):
        assert np.geterr()["divide"] == "ignore"
        if x[0] > 1:
            raise ValueError("settings: large")
        return x / 0.0

    with np.errstate(all="raise"):
        settings(np.ones(2))
        with pytest.raises(ValueError, match="large"):
            settings(np.full(2, 2.0))
        assert np.geterr()["divide"] == "raise"


SUMS = {
    "product": (lambda x, y: x @ y, (np.ones((1, 1, 2)), np.ones((1, 2, 1)))),
    "vectors": (lambda x, y: x @ y, (np.ones(2), np.ones(2))),
    "einsum": (lambda x, y: zen.einsum("bij,bjk->bik", x, y), (np.ones((1, 1, 2)), np.ones((1, 2, 1)))),
    "linear": (zen.f.linear, (np.ones((1, 2)), np.ones((1, 2)))),
    "convolution": (zen.f.conv2d, (np.ones((1, 1, 2, 2)), np.ones((1, 1, 2, 2)))),
}


@pytest.mark.parametrize("name", SUMS)
def test_no_warning_comes_from_the_sum_of_two_tangents(name):
    f, (x, y) = SUMS[name]
    with np.errstate(all="raise"):
        _, tangent = zen.jvp(f, (x, y), (np.full(x.shape, np.inf), np.full(y.shape, -np.inf)))
    assert np.isnan(tangent).all()


def test_an_error_names_the_tangent_that_does_not_fit():
    three, two = np.ones(3), np.ones(2)
    for primals, tangents, path in (
        ((three, two), (three, three), r"tangents\[1\]"),
        (([three, None, two],), ([three, None, three],), r"tangents\[0\]\[2\]"),
        (({"p": three, "q": two},), ({"q": three, "p": three},), r"tangents\[0\]\['q'\]"),
    ):
        with pytest.raises(ValueError, match=rf"jvp: {path} has shape \(3,\); expected \(2,\), as its primal"):
            zen.jvp(lambda *x: zen.ones(1), primals, tangents)


def test_tangents_that_are_views_share_no_memory():
    """Neither with each other, nor with what was given; a small part keeps no large array."""
    x, t = np.random.default_rng(0).normal(size=(2, 300, 40))

    def views(x):
        y = zen.tanh(x)
        return y, y.reshape(-1), y.T, zen.exp(y).reshape(-1), x.T, x[:, ::-1], zen.sin(x)[3]

    values, tangents = zen.jvp(views, (x,), (t,))
    arrays = [x, t, *values, *tangents]
    for k, a in enumerate(arrays):
        assert not any(np.shares_memory(a, b) for b in arrays[:k])
    assert tangents[-1].base is None or tangents[-1].base.size == 40
    dy = (1 - np.tanh(x) ** 2) * t
    expected = dy, dy.reshape(-1), dy.T, (np.exp(np.tanh(x)) * dy).reshape(-1), t.T, t[:, ::-1], (np.cos(x) * t)[3]
    for a, b in zip(tangents, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12)
        a[...] = 0  # the caller's own
