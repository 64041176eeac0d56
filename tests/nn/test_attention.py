"""MultiheadAttention and transformer layers: masks, dropout, dtypes, and what they refuse. Values: tests/peers."""

import copy
import pickle

import numpy as np
import pytest

import zen
from zen import nn


def draw(*shape):
    return np.random.default_rng(0).normal(size=shape).astype("float32")


def attention(**options):
    zen.random.seed(0)
    return nn.MultiheadAttention(8, 2, batch_first=True, **options)


def test_with_and_without_weights_agree():
    layer, x = attention(), draw(3, 5, 8)
    mask, padding = np.triu(np.ones((5, 5), bool), 1), np.arange(5) >= np.array([[5], [4], [2]])
    for options in [{}, {"attn_mask": mask}, {"key_padding_mask": padding},
                    {"attn_mask": mask, "key_padding_mask": padding}]:  # fmt: skip
        (out, weights), (other, none) = (layer(x, x, x, need_weights=n, **options) for n in (True, False))
        np.testing.assert_allclose(out.array, other.array, rtol=1e-4, atol=1e-5)
        assert weights.shape == (3, 5, 5) and none is None
        np.testing.assert_allclose(weights.array.sum(-1), 1, rtol=1e-5)
    np.testing.assert_allclose(
        layer(x, x, x, is_causal=True)[0].array, layer(x, x, x, attn_mask=mask)[0].array, rtol=1e-5, atol=1e-6
    )


def test_masks_of_both_kinds_add_up():
    layer, x = attention(), draw(2, 3, 8)
    padding = np.array([[False, False, True], [False, True, False]])
    mixed = layer(x, x, x, attn_mask=np.zeros((3, 3)), key_padding_mask=padding)[1].array
    np.testing.assert_allclose(mixed, layer(x, x, x, key_padding_mask=padding)[1].array, rtol=1e-5)
    assert not mixed[0, :, 2].any() and not mixed[1, :, 1].any()


def test_a_query_that_may_see_nothing_gets_zeros():
    layer, x = attention(bias=False), draw(1, 3, 8)
    for need_weights in (False, True):
        out = layer(x, x, x, attn_mask=np.ones((3, 3), bool), need_weights=need_weights)[0]
        assert not out.array.any()


def test_a_mask_may_be_trained():
    layer, x = attention(), draw(2, 3, 8)
    bias = zen.zeros((3, 3), dtype="float32", requires_grad=True)
    (layer(x, x, x, attn_mask=bias, need_weights=False)[0] ** 2).sum().backward()
    fused = bias.grad.array
    bias.grad = None
    (layer(x, x, x, attn_mask=bias)[0] ** 2).sum().backward()
    np.testing.assert_allclose(fused, bias.grad.array, rtol=1e-3, atol=1e-5)
    assert fused.any()


def test_dropout_while_training():
    layer, x = attention(dropout=0.5), draw(2, 3, 8)
    for need_weights in (False, True):
        first, second = (layer.train()(x, x, x, need_weights=need_weights)[0].array for _ in range(2))
        assert not np.array_equal(first, second)
        first, second = (layer.eval()(x, x, x, need_weights=need_weights)[0].array for _ in range(2))
        np.testing.assert_array_equal(first, second)


def test_parameters():
    assert list(attention().state_dict()) == ["in_proj_weight", "in_proj_bias", "out_proj.weight", "out_proj.bias"]
    layer = attention(kdim=3, vdim=5, bias=False)
    assert list(layer.state_dict()) == ["q_proj_weight", "k_proj_weight", "v_proj_weight", "out_proj.weight"]
    assert not attention().in_proj_bias.array.any() and not attention().out_proj.bias.array.any()
    assert np.abs(attention().in_proj_weight.array).max() <= (6 / 32) ** 0.5


X = draw(2, 3, 8)
WRONG = [
    (lambda: nn.MultiheadAttention(8, 3), ValueError, "embed_dim 8 must be a multiple of num_heads 3"),
    (lambda: nn.MultiheadAttention(8, 2, dropout=1.0), ValueError, "less than 1; got 1.0"),
    (lambda: attention()(X, X, X[0]), ValueError, "all need three axes, or two without a batch"),
    (lambda: attention()(X, X, X[..., :4]), ValueError, "the last axis of value must have 8 elements"),
    (lambda: attention()(X, X[:1], X[:1]), ValueError, r"batches \(axis 0, as batch_first=True\) have 2 and 1"),
    (lambda: attention()(X, X, X[:, :2]), ValueError, "key and value must agree in all but the last axis"),
    (lambda: attention()(X, X, X, attn_mask=np.ones((2, 3), bool)), ValueError, r"need \(3, 3\) or \(4, 3, 3\)"),
    (lambda: attention()(X, X, X, np.ones(3, bool)), ValueError, r"key_padding_mask has shape \(3,\).*need \(2, 3\)"),
    (lambda: attention()(X, X, X, np.ones((2, 3), int)), TypeError, "key_padding_mask must hold bools.*not int64"),
    (lambda: nn.TransformerEncoderLayer(8, 2, activation="tanh"), ValueError, "'gelu' or a function, not 'tanh'"),
    (lambda: nn.TransformerEncoder(nn.Identity(), 0), ValueError, "num_layers must be a positive int, not 0"),
]  # fmt: skip


@pytest.mark.parametrize(("make", "error", "text"), WRONG, ids=[w[2][:30] for w in WRONG])
def test_what_is_refused(make, error, text):
    with pytest.raises(error, match=text):
        make()


def test_transformer_layers():
    layer = nn.TransformerEncoderLayer(8, 2, 16, activation=lambda x: x * x, batch_first=True, dtype="float64")
    assert layer.eval()(np.ones((2, 3, 8))).dtype == np.float64
    encoder = nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), 2, nn.LayerNorm(8))
    assert sum(p.size for p in encoder.layers[0].parameters()) == 8 * 24 + 24 + 64 + 8 + 2 * 128 + 24 + 4 * 8
    assert encoder.layers[0].linear1.weight is not encoder.layers[1].linear1.weight
    x = draw(2, 3, 8)
    assert not np.array_equal(encoder(x).array, encoder(x).array)  # dropout
    encoder.eval()
    causal = encoder(x, np.triu(np.ones((3, 3), bool), 1)).array
    np.testing.assert_allclose(causal[:, :2], encoder(x[:, :2], is_causal=True).array, rtol=1e-4, atol=1e-5)
    for twin in (copy.deepcopy(encoder), pickle.loads(pickle.dumps(encoder))):
        np.testing.assert_array_equal(twin(x).array, encoder(x).array)


def test_extra_keys_are_seen_by_every_query_of_a_causal_layer():
    layer = nn.MultiheadAttention(8, 2, batch_first=True, add_bias_kv=True, add_zero_attn=True)
    _, weights = layer(X, X, X, is_causal=True)
    assert weights.shape == (2, 3, 5)
    np.testing.assert_array_equal(weights.array[0] > 0, np.c_[np.tril(np.ones((3, 3), bool)), np.ones((3, 2), bool)])
