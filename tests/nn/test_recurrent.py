"""RNN, LSTM, GRU and their cells: shapes, dtypes, states, dropout, and what they refuse. Values: tests/peers."""

import numpy as np
import pytest

import zen
from zen import nn

KINDS = ["RNN", "LSTM", "GRU"]
CELLS = ["RNNCell", "LSTMCell", "GRUCell"]


def states_of(result):
    return list(result[1]) if isinstance(result[1], tuple) else [result[1]]


@pytest.mark.parametrize("kind", KINDS)
def test_shapes(kind):
    net = getattr(nn, kind)(3, 4, 2, batch_first=True, bidirectional=True)
    result = net(np.ones((5, 7, 3), np.float32))
    assert result[0].shape == (5, 7, 8) and {s.shape for s in states_of(result)} == {(4, 5, 4)}
    result = net(np.ones((7, 3), np.float32))
    assert result[0].shape == (7, 8) and {s.shape for s in states_of(result)} == {(4, 4)}
    assert all(t.dtype == np.float32 for t in [result[0], *states_of(result)])


@pytest.mark.parametrize("kind", KINDS)
def test_the_last_states_are_those_of_the_output(kind):
    net = getattr(nn, kind)(3, 4, bidirectional=True)
    result = net(np.random.default_rng(0).normal(size=(6, 2, 3)).astype("float32"))
    out, last = result[0].array, states_of(result)[0].array
    np.testing.assert_array_equal(last[0], out[-1, :, :4])
    np.testing.assert_array_equal(last[1], out[0, :, 4:])


@pytest.mark.parametrize("kind", KINDS)
def test_a_sequence_may_be_cut_and_continued(kind):
    net = getattr(nn, kind)(3, 4, 2)
    x = np.random.default_rng(0).normal(size=(6, 2, 3)).astype("float32")
    whole, first = net(x), net(x[:4])
    second = net(x[4:], first[1])
    np.testing.assert_allclose(second[0].array, whole[0].array[4:], rtol=1e-5, atol=1e-6)
    for a, b in zip(states_of(second), states_of(whole), strict=True):
        np.testing.assert_allclose(a.array, b.array, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("kind", "cell"), list(zip(KINDS, CELLS, strict=True)))
def test_cells_do_one_step_of_the_net(kind, cell):
    net, one = getattr(nn, kind)(3, 4, dtype="float64"), getattr(nn, cell)(3, 4, dtype="float64")
    one.load_state_dict({name.removesuffix("_l0"): value for name, value in net.state_dict().items()})
    x, state = np.random.default_rng(0).normal(size=(5, 2, 3)), None
    for row in x:
        state = one(row, state)
    last = net(x)[1]
    for a, b in zip(*(t if isinstance(t, tuple) else (t,) for t in (state, last)), strict=True):
        np.testing.assert_allclose(a.array, b.array[0], rtol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_an_empty_batch_trains_as_well(kind):
    net = getattr(nn, kind)(3, 4)
    out = net(np.ones((5, 0, 3), np.float32))[0]
    assert out.shape == (5, 0, 4)
    out.sum().backward()
    assert all(p.grad is not None and not p.grad.array.any() for p in net.parameters())


def test_dropout_between_layers_only_while_training():
    zen.random.seed(0)
    with pytest.warns(UserWarning, match="LSTM: dropout=0.5 is applied between layers, and there is only one"):
        nn.LSTM(3, 4, dropout=0.5)
    net, x = nn.GRU(3, 4, 2, dropout=0.5), np.ones((5, 2, 3), np.float32)
    assert not np.array_equal(net(x)[0].array, net(x)[0].array)
    net.eval()
    np.testing.assert_array_equal(net(x)[0].array, net(x)[0].array)


def test_parameters():
    net = nn.LSTM(3, 16, 2, bidirectional=True)
    names = [n for n, _ in net.named_parameters()]
    assert names[:5] == ["weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0", "weight_ih_l0_reverse"]
    assert net.weight_ih_l1.shape == (64, 32) and len(net.all_weights) == 4 and net.all_weights[3][0].shape == (64, 32)
    values = np.concatenate([p.array.ravel() for p in net.parameters()])
    assert 0.24 < np.abs(values).max() <= 0.25 and abs(values.mean()) < 0.01
    assert net.flatten_parameters() is None
    assert [n for n, _ in nn.RNN(3, 4, bias=False).named_parameters()] == ["weight_ih_l0", "weight_hh_l0"]
    assert repr(nn.GRU(3, 4, 2, batch_first=True)).startswith("GRU(3, 4, num_layers=2, batch_first=True")


def test_mixed_precision_takes_the_wider_dtype():
    net = nn.LSTM(3, 4)
    assert net(np.ones((5, 2, 3)))[0].dtype == np.float64
    assert net.double()(np.ones((5, 2, 3)))[0].dtype == np.float64
    assert nn.GRU(3, 4, dtype="float16")(np.ones((5, 2, 3), np.float16))[0].dtype == np.float16


X = np.ones((5, 2, 3), np.float32)
WRONG = [
    (lambda: nn.RNN(3, 4, nonlinearity="sigmoid"), ValueError, "must be 'tanh' or 'relu', not 'sigmoid'"),
    (lambda: nn.LSTM(3, 4, proj_size=4), ValueError, "proj_size is 0, or less than hidden_size = 4; got 4"),
    (lambda: nn.LSTM(3, 4, proj_size=2)(X, (np.ones((1, 2, 4)),) * 2), ValueError, r"h_0 .* needs \(1, 2, 2\)"),
    (lambda: nn.GRU(3, 0), ValueError, "GRU: hidden_size must be a positive int, not 0"),
    (lambda: nn.GRU(3, 4, 2, dropout=1.5), ValueError, "GRU: dropout is the probability.*got 1.5"),
    (lambda: nn.GRU(3, 4)(X[..., :2]), ValueError, r"input_size = 3 elements, got shape \(5, 2, 2\)"),
    (lambda: nn.GRU(3, 4)(X[None]), ValueError, r"2 or 3 dimensions.*got shape \(1, 5, 2, 3\)"),
    (lambda: nn.GRU(3, 4)(X[:0]), ValueError, r"at least one step, got shape \(0, 2, 3\)"),
    (lambda: nn.GRU(3, 4)(X.astype(int)), TypeError, "floating dtype, not int64; convert"),
    (lambda: nn.GRU(3, 4)(X, np.ones((1, 3, 4))), ValueError, r"h_0 has shape \(1, 3, 4\).*needs \(1, 2, 4\)"),
    (lambda: nn.LSTM(3, 4)(X, np.ones((1, 2, 4))), TypeError, r"a pair \(h_0, c_0\), not ndarray"),
    (lambda: nn.LSTM(3, 4)(X[:, 0], (np.ones((1, 4)), np.ones((2, 4)))), ValueError, r"c_0 has shape \(2, 4\)"),
    (lambda: nn.LSTMCell(3, 4)(X), ValueError, "LSTMCell: expected an input of 1 or 2 dimensions"),
    (lambda: nn.GRUCell(3, 4)(X[0], np.ones(4)), ValueError, r"h_0 has shape \(4,\); this input needs \(2, 4\)"),
    (lambda: nn.RNNCell(3, 4, nonlinearity="gelu"), ValueError, "RNNCell: nonlinearity must be"),
]  # fmt: skip


@pytest.mark.parametrize(("make", "error", "text"), WRONG, ids=[w[2][:30] for w in WRONG])
def test_what_is_refused(make, error, text):
    with pytest.raises(error, match=text):
        make()
