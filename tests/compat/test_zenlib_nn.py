"""zen.compat.zenlib.nn, optim and loss: each fixed bug of the original by its name, and what the layers promise."""

import gc
import re
import sys
import weakref
from pathlib import Path

import numpy as np
import pytest

from zen.compat import zenlib
from zen.compat.zenlib import autodiff as ad
from zen.compat.zenlib import loss, nn, optim

RNG = np.random.default_rng(11)


@pytest.fixture(autouse=True)
def seeded():
    np.random.seed(345)


class Bare:
    """A model of given layers whose loss is made by hand."""

    def __init__(self, *layers):
        self.layers = layers


class One(nn.Layer):
    """A layer of one number, updated as programs for the library do it."""

    def __init__(self, value):
        self.w = ad.Tensor(value)

    def __call__(self, x):
        return x * self.w

    def update(self, optim):
        self.w.value -= optim.delta(self.w)


# nn


def test_conv2d_layer_second_call():
    layer = nn.Conv2D(3, (2, 2), 1)
    image = RNG.normal(size=(4, 5))
    first, second = layer(image), layer(image)
    assert first.shape == second.shape == (3, 3, 4)
    assert np.array_equal(first.value, second.value)
    windows = np.lib.stride_tricks.sliding_window_view(image, (2, 2))
    filters = np.stack([f.value for f in layer.filter_list])
    np.testing.assert_allclose(first.value, np.einsum("ijkl,fkl->fij", windows, filters))
    assert layer(np.stack([image] * 2)).shape == (2, 3, 3, 4)


def test_conv2d_layer_never_updates(capsys):
    model = nn.Model([nn.Conv2D(1, (2, 2), 1), lambda maps: ad.reduce_mean(maps, axis=(1, 2, 3))])
    images = RNG.normal(size=(8, 4, 4))
    model.train(images, images.sum(axis=(1, 2)), epochs=30, optimizer=optim.Adam(0.05), batch_size=8)
    found = [float(line.split()[1]) for line in capsys.readouterr().out.splitlines() if line.startswith("LOSS")]
    assert found[-1] < 0.9 * found[0]


def test_rnn_state_rows():
    layer = nn.RNN(2, hidden_dim=5)
    x = RNG.normal(size=(4, 3, 6))
    out = layer(x)
    h = np.zeros((4, 5))
    for t in range(3):
        h = np.tanh(x[:, t] @ layer.U.w.value + layer.U.b.value + h @ layer.W.w.value + layer.W.b.value)
    np.testing.assert_allclose(out.value, h, rtol=1e-12)


def test_rnn_loops_over_sequences():
    """The batch is one computation, and each sequence's result and the gradients are those of it alone."""
    layer = nn.RNN(2, hidden_dim=4, return_sequences=True)
    x = RNG.normal(size=(3, 5, 2))
    together = layer(x)
    assert len(together) == 3 and all(len(steps) == 5 for steps in together)
    total = 0
    for sequence in together:
        for step in sequence:
            assert step.shape == (1, 2)
            total = total + ad.reduce_sum(step**2)
    total.get_gradients()
    parameters = [p for part in (layer.U, layer.W, layer.V) for p in (part.w, part.b)]
    found = [p.gradient for p in parameters]
    for p in parameters:
        p.gradient = 0
    for k in range(3):
        for alone, step in zip(layer(x[k : k + 1])[0], together[k], strict=True):
            np.testing.assert_allclose(alone.value, step.value, rtol=1e-12)
            ad.reduce_sum(alone**2).get_gradients()
    for p, expected in zip(parameters, found, strict=True):
        np.testing.assert_allclose(p.gradient, expected, rtol=1e-9)
    values = [p.value.copy() for p in parameters]
    layer.update(optim.SGD(0.1))
    for p, before, g in zip(parameters, values, found, strict=True):
        np.testing.assert_allclose(p.value, before - 0.1 * g)
        assert type(p.gradient) is int


def test_softmax_of_a_far_row():
    out = nn.Softmax()(ad.Tensor(np.array([[1000.0, 1000.0], [-1000.0, -1000.0]])))
    assert out.value.tolist() == [[0.5, 0.5]] * 2


def test_sigmoid_overflows():
    t = ad.Tensor(np.array([-1000.0, 0.0, 1000.0]))
    out = nn.Sigmoid()(t)
    out.get_gradients()
    assert out.value.tolist() == [0.0, 0.5, 1.0] and t.gradient.tolist() == [0.0, 0.25, 0.0]
    assert nn.Tanh()(np.array([0.0])).value.tolist() == [0.0]


def test_layer_without_update(capsys):
    class Twice(nn.Layer):
        def __call__(self, x):
            return 2 * x

    nn.Model([Twice(), nn.Linear(1)]).train(np.ones((4, 2)), np.ones((4, 1)), epochs=1, optimizer=optim.SGD(0.01))
    assert "LOSS" in capsys.readouterr().out
    with pytest.raises(NotImplementedError, match="Layer does not define __call__"):
        nn.Layer()(1.0)


def test_an_optimizer_without_a_rule_says_so():
    class Lazy(optim.SGD.__base__):
        pass

    with pytest.raises(NotImplementedError, match="Lazy does not define _change"):
        Lazy(0.1).delta(ad.Tensor(1.0))


def test_epoch_graph_is_kept():
    alive = []

    def watched(pred, real):
        gc.collect()
        assert sum(1 for r in alive if r() is not None) <= 1  # the batch before, which `output` still names
        alive.append(weakref.ref(pred))
        return loss.MSE(pred, real)

    nn.Model([nn.Linear(1)]).train(np.ones((8, 2)), np.ones((8, 1)), epochs=1, loss_fn=watched, batch_size=1)
    assert len(alive) == 8


# optim


def test_gradient_is_never_reset():
    layer, linear = One(3.0), nn.Linear(2)
    step = optim.SGD(0.1)
    for _ in range(2):
        step(Bare(layer, linear), layer.w * layer.w + ad.reduce_sum(linear(np.ones((1, 3)))))
        assert [type(p.gradient) for p in (layer.w, linear.w, linear.b)] == [int, int, int]
    np.testing.assert_allclose(layer.w.value, 3 * 0.8 * 0.8)
    np.testing.assert_allclose(linear.b.value, [[-0.2, -0.2]])


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        # Two steps with the gradients 2 and 4, from 0, worked out by hand.
        (lambda: optim.SGD(0.1), [-0.2, -0.6]),
        (lambda: optim.Momentum(0.1, beta=0.5), [-0.2, -0.7]),
        (lambda: optim.RMSProp(0.1, beta=0.75, epsilon=0.0), [-0.2, -0.2 - 0.4 / 4.75**0.5]),
        (lambda: optim.Adam(0.1, beta1=0.5, beta2=0.75, epsilon=0.0),
         [-0.1, -0.1 - 0.1 * (2.5 / 0.75) / (4.75 / 0.4375) ** 0.5]),
    ],
    ids=["SGD", "Momentum", "RMSProp", "Adam"],
)  # fmt: skip
def test_adam_bias_correction(make, expected):
    layer = One(0.0)
    step = make()
    for slope, value in zip((2.0, 4.0), expected, strict=True):
        step(Bare(layer), layer(slope))
        np.testing.assert_allclose(layer.w.value, value, rtol=1e-12)


def test_layer_used_twice():
    layer = One(1.0)
    optim.SGD(0.1)(Bare(layer, layer), layer(layer(1.0)))
    np.testing.assert_allclose(layer.w.value, 0.8)


# loss


def test_certain_predictions():
    pred = ad.Tensor(np.array([[1.0, 0.0], [0.5, 0.5]]))
    out = loss.categorical_crossentropy(pred, np.array([[1, 0], [0, 1]]))
    out.get_gradients()
    np.testing.assert_allclose(out.value, np.log(2) / 4)
    assert pred.gradient.tolist() == [[-0.25, 0.0], [0.0, -0.5]]
    real = np.array([[0.3, 0.7]])
    np.testing.assert_allclose(loss.categorical_crossentropy(real, real).value, -np.mean(real * np.log(real)))


def test_mse_is_a_mean_over_all_elements():
    pred = ad.Tensor(np.array([[1.0, 2.0], [3.0, 4.0]]))
    out = loss.MSE(pred, np.zeros((2, 2)))
    out.get_gradients()
    assert out.value == 7.5 and pred.gradient.tolist() == [[0.5, 1.0], [1.5, 2.0]]


# What the layers promise


def test_initial_values_are_the_originals():
    layer = nn.Linear(4)
    layer(np.ones((2, 9)))
    expected = np.random.RandomState(345).uniform(size=(9, 4), low=-1 / 3, high=1 / 3)
    assert np.array_equal(layer.w.value, expected) and layer.b.value.tolist() == [[0.0] * 4]
    np.random.seed(345)
    recurrent = nn.RNN(2, 3, return_sequences=True)
    recurrent(np.ones((1, 2, 9)))
    state = np.random.RandomState(345)
    for part, shape in ((recurrent.U, (9, 3)), (recurrent.W, (3, 3)), (recurrent.V, (3, 2))):
        bound = 1 / np.sqrt(shape[0])
        assert np.array_equal(part.w.value, state.uniform(size=shape, low=-bound, high=bound))


def test_rnn_of_a_tensor_passes_its_gradient_on():
    x = ad.Tensor(RNG.normal(size=(2, 3, 2)))
    layer = nn.RNN(1, hidden_dim=3)
    ad.reduce_sum(layer(x)).get_gradients()
    moved = x.value.copy()
    moved[1, 0, 1] += 1e-6
    difference = np.sum(layer(moved).value - layer(x).value) / 1e-6
    np.testing.assert_allclose(x.gradient[1, 0, 1], difference, rtol=1e-4)


@pytest.mark.parametrize("x", [np.ones((3, 2)), np.ones((2, 0, 3)), ad.Tensor(1.0)], ids=["2-d", "no steps", "number"])
def test_rnn_refuses_other_shapes(x):
    with pytest.raises(ValueError, match=r"RNN: expected shape \(batch, steps, features\)"):
        nn.RNN(1, 2)(x)


def test_train_without_tqdm(monkeypatch):
    monkeypatch.setitem(sys.modules, "tqdm", None)
    with pytest.raises(ImportError, match="needs tqdm: pip install tqdm matplotlib"):
        nn.Model([nn.Linear(1)]).train(np.ones((1, 1)), np.ones((1, 1)))


def test_every_bug_that_is_listed_has_its_test():
    here = Path(__file__).parent
    tests = set(re.findall(r"^def test_(\w+)", "".join(p.read_text() for p in here.glob("test_zenlib*.py")), re.M))
    for module in (zenlib.autodiff, zenlib.nn, zenlib.optim, zenlib.loss):
        listed = [line[2:].split(":")[0] for line in module.__doc__.splitlines() if line.startswith("- ")]
        assert listed and set(listed) <= tests
