"""Recurrent layers against PyTorch: outputs, last states and all gradients, with the weights carried over."""

import numpy as np
import pytest
import torch

import zen

KINDS = ["RNN", "LSTM", "GRU"]


def pair(kind, *args, **keywords):
    """The same layer in both, in float64."""
    ours, theirs = (
        getattr(zen.nn, kind)(*args, **keywords).double(),
        getattr(torch.nn, kind)(*args, **keywords).double(),
    )
    ours.load_state_dict({key: value.numpy() for key, value in theirs.state_dict().items()})
    return ours, theirs


def both(array):
    return zen.tensor(array, requires_grad=True), torch.tensor(array, requires_grad=True)


def flat(result):
    """Output and states as a flat list."""
    return [result] if not isinstance(result, tuple) else [a for part in result for a in flat(part)]


def compare(ours, theirs, arrays, state=lambda given: given):
    """Results and gradients of a sum with random weights, of inputs and parameters."""
    rng = np.random.default_rng(5)
    mine, yours = zip(*[both(a) for a in arrays], strict=True)
    found, expected = flat(ours(mine[0], state(mine[1:]))), flat(theirs(yours[0], state(yours[1:])))
    weights = [rng.normal(size=tuple(a.shape)) for a in expected]
    sum((a * w).sum() for a, w in zip(found, weights, strict=True)).backward()
    sum((a * torch.tensor(w)).sum() for a, w in zip(expected, weights, strict=True)).backward()
    for a, b in zip(found, expected, strict=True):
        assert a.shape == tuple(b.shape)
        np.testing.assert_allclose(a.array, b.detach().numpy(), rtol=1e-9, atol=1e-9)
    parameters = dict(theirs.named_parameters())
    pairs = [(a.grad, b.grad) for a, b in zip(mine, yours, strict=True)]
    pairs += [(p.grad, parameters[name].grad) for name, p in ours.named_parameters()]
    for a, b in pairs:
        np.testing.assert_allclose(a.array, b.numpy(), rtol=1e-8, atol=1e-9)


def states_of(kind):
    """hx from the arrays that are given as states: none, h_0, or for LSTM a pair."""
    return lambda given: None if not given else (given if "LSTM" in kind else given[0])


def draw(kind, layers, batch, size):
    rng = np.random.default_rng(1)
    shape = (layers, size) if batch is None else (layers, batch, size)
    return [rng.normal(size=shape) for _ in range(2 if kind == "LSTM" else 1)]


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_two_layers(kind, bidirectional, batch_first):
    ours, theirs = pair(kind, 3, 4, 2, batch_first=batch_first, bidirectional=bidirectional)
    x = np.random.default_rng(0).normal(size=(2, 6, 3) if batch_first else (6, 2, 3))
    compare(ours, theirs, [x, *draw(kind, 4 if bidirectional else 2, 2, 4)], states_of(kind))


@pytest.mark.parametrize("kind", KINDS)
def test_long_sequences_are_worked_on_in_chunks(kind):
    """Several chunks, the last of them shorter, in both directions."""
    ours, theirs = pair(kind, 5, 64, bidirectional=True)
    compare(ours, theirs, [np.random.default_rng(0).normal(size=(101, 16, 5)), *draw(kind, 2, 16, 64)], states_of(kind))


@pytest.mark.parametrize("kind", KINDS)
def test_without_bias_states_and_batch(kind):
    ours, theirs = pair(kind, 3, 4, bias=False)
    compare(ours, theirs, [np.random.default_rng(0).normal(size=(5, 3))], states_of(kind))
    ours, theirs = pair(kind, 3, 4, bidirectional=True)
    compare(ours, theirs, [np.random.default_rng(0).normal(size=(1, 3)), *draw(kind, 2, None, 4)], states_of(kind))


@pytest.mark.parametrize("options", [{}, {"bidirectional": True, "batch_first": True}, {"bias": False}], ids=str)
def test_projections(options):
    ours, theirs = pair("LSTM", 3, 4, 2, proj_size=2, **options)
    assert repr(ours).split("  #")[0] == repr(theirs)
    x = np.random.default_rng(0).normal(size=(5, 6, 3))
    layers, batch = 4 if "bidirectional" in options else 2, 5 if "batch_first" in options else 6
    states = [np.random.default_rng(1).normal(size=(layers, batch, n)) for n in (2, 4)]
    compare(ours, theirs, [x, *states], states_of("LSTM"))
    compare(ours, theirs, [x[0]], states_of("LSTM"))


def test_relu():
    ours, theirs = pair("RNN", 3, 4, 2, "relu", bidirectional=True)
    compare(ours, theirs, [np.random.default_rng(0).normal(size=(5, 2, 3))], states_of("RNN"))


@pytest.mark.parametrize("batch", [(2,), ()])
@pytest.mark.parametrize("kind", ["RNNCell", "LSTMCell", "GRUCell"])
def test_cells(kind, batch):
    rng = np.random.default_rng(0)
    ours, theirs = pair(kind, 3, 4)
    states = [rng.normal(size=(*batch, 4)) for _ in range(2 if kind == "LSTMCell" else 1)]
    compare(ours, theirs, [rng.normal(size=(*batch, 3)), *states], states_of(kind))
    compare(*pair(kind, 3, 4, bias=False), [rng.normal(size=(*batch, 3))], states_of(kind))


def test_names_shapes_and_text():
    for kind in KINDS:
        ours, theirs = pair(kind, 3, 4, 2, bidirectional=True, batch_first=True)
        assert list(ours.state_dict()) == list(theirs.state_dict())
        assert ours.extra_repr() == theirs.extra_repr()
        for name in (
            "mode",
            "input_size",
            "hidden_size",
            "num_layers",
            "bias",
            "batch_first",
            "dropout",
            "bidirectional",
        ):
            assert getattr(ours, name) == getattr(theirs, name)


def test_the_second_derivative():
    ours, theirs = pair("LSTM", 2, 3)
    x, y = both(np.random.default_rng(0).normal(size=(4, 2, 2)))
    first = zen.gradients((ours(x)[0] ** 3).sum(), x, create_graph=True)
    (expected,) = torch.autograd.grad((theirs(y)[0] ** 3).sum(), y, create_graph=True)
    np.testing.assert_allclose(first.array, expected.detach().numpy(), rtol=1e-9, atol=1e-10)
    second = zen.gradients((first * first).sum(), x)
    (expected,) = torch.autograd.grad((expected * expected).sum(), y)
    np.testing.assert_allclose(second.array, expected.numpy(), rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("options", [{}, {"batch_first": True}, {"padding_value": 2.5, "padding_side": "left"}])
def test_padding_of_sequences(options):
    rng = np.random.default_rng(0)
    arrays = [rng.normal(size=(n, 2)) for n in (3, 1, 4)]
    found = zen.nn.pad_sequence(arrays, **options)
    wanted = torch.nn.utils.rnn.pad_sequence([torch.tensor(a) for a in arrays], **options)
    np.testing.assert_array_equal(found.numpy(), wanted.numpy(), strict=True)
    first = options.get("batch_first", False)
    theirs = torch.nn.utils.rnn.unpad_sequence(wanted, torch.tensor([2, 1, 3]), first)
    for a, b in zip(zen.nn.unpad_sequence(found, [2, 1, 3], first), theirs, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())
