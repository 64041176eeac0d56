"""Attention and transformer layers against PyTorch: results and all gradients, with the weights carried over."""

import numpy as np
import pytest
import torch

import zen

RNG = np.random.default_rng(0)
INF = float("inf")


def both(array):
    if array is None or array.dtype == bool:
        return array, None if array is None else torch.tensor(array)
    return zen.tensor(array, requires_grad=True), torch.tensor(array, requires_grad=True)


def compare(ours, theirs, arrays, tolerance=1e-9):
    """Results (None where both have none) and the gradients of all inputs."""
    mine, yours = zip(*[both(a) for a in arrays], strict=True)
    found, expected = ours(*mine), theirs(*yours)
    found, expected = (a if isinstance(a, tuple) else (a,) for a in (found, expected))
    loss, reference = 0, 0
    for a, b in zip(found, expected, strict=True):
        assert (a is None) == (b is None)
        if b is not None:
            assert a.shape == tuple(b.shape)
            np.testing.assert_allclose(a.array, b.detach().numpy(), rtol=tolerance, atol=tolerance)
            weights = np.random.default_rng(3).normal(size=a.shape)
            loss, reference = loss + (a * weights).sum(), reference + (b * torch.tensor(weights)).sum()
    loss.backward()
    reference.backward()
    for a, b in zip(mine, yours, strict=True):
        if isinstance(a, zen.Tensor):
            np.testing.assert_allclose(a.grad.array, b.grad.numpy(), rtol=10 * tolerance, atol=tolerance)


def compare_modules(ours, theirs, call, arrays):
    """As `compare`, with the parameters' gradients."""
    ours.load_state_dict({key: value.numpy() for key, value in theirs.state_dict().items()})
    assert list(ours.state_dict()) == list(theirs.state_dict())
    compare(lambda *a: call(ours, *a), lambda *a: call(theirs, *a), arrays)
    parameters = dict(theirs.named_parameters())
    for name, p in ours.named_parameters():
        expected = parameters[name].grad
        if expected is not None:
            np.testing.assert_allclose(p.grad.array, expected.numpy(), rtol=1e-8, atol=1e-9, err_msg=name)


def heads(*shape):
    return np.random.default_rng(sum(shape)).normal(size=shape)


SHAPES = [
    ((3, 2), (4, 2), (4, 3)), ((2, 3, 2), (2, 4, 2), (2, 4, 3)), ((2, 3, 5, 4), (2, 3, 7, 4), (2, 3, 7, 4)),
    ((2, 2, 3, 5, 4), (2, 2, 3, 5, 4), (2, 2, 3, 5, 1)),
]  # fmt: skip


@pytest.mark.parametrize("shapes", SHAPES, ids=str)
@pytest.mark.parametrize("options", [{}, {"is_causal": True}, {"scale": 0.3}, {"scale": 0.0}], ids=str)
def test_attention(shapes, options):
    compare(
        lambda q, k, v: zen.f.scaled_dot_product_attention(q, k, v, **options),
        lambda q, k, v: torch.nn.functional.scaled_dot_product_attention(q, k, v, **options),
        [heads(*s) for s in shapes],
    )


@pytest.mark.parametrize("shape", [(5, 7), (2, 1, 5, 7), (3, 5, 7), (2, 3, 5, 1)])
@pytest.mark.parametrize("kind", ["bool", "float"])
def test_masks(shape, kind):
    """A bool mask with a query that may see no key; a float one with its own gradient."""
    mask = RNG.random(shape) < 0.6 if kind == "bool" else RNG.normal(size=shape)
    if kind == "bool":
        mask[..., 1, :] = False
    compare(
        zen.f.scaled_dot_product_attention, torch.nn.functional.scaled_dot_product_attention,
        [heads(2, 3, 5, 4), heads(2, 3, 7, 4), heads(2, 3, 7, 2), mask],
    )  # fmt: skip


def test_a_row_of_minus_infinity_gives_zeros():
    mask = np.zeros((3, 4))
    mask[1] = -INF
    q, k, v = heads(3, 2), heads(4, 2), heads(4, 2)
    found = zen.f.scaled_dot_product_attention(q, k, v, mask)
    expected = torch.nn.functional.scaled_dot_product_attention(*map(torch.tensor, (q, k, v, mask)))
    np.testing.assert_allclose(found.array, expected.numpy(), rtol=1e-12)
    assert not found.array[1].any()


def test_grouped_heads_and_broadcasting():
    compare(
        lambda q, k, v: zen.f.scaled_dot_product_attention(q, k, v, enable_gqa=True),
        lambda q, k, v: torch.nn.functional.scaled_dot_product_attention(q, k, v, enable_gqa=True),
        [heads(2, 6, 5, 4), heads(2, 2, 7, 4), heads(2, 2, 7, 4)],
    )


@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("need_weights", [False, True])
@pytest.mark.parametrize("masks", ["none", "causal", "bool", "float", "by head"])
def test_self_attention(batch_first, need_weights, masks):
    options = {
        "none": {}, "causal": {"attn_mask": np.triu(np.ones((5, 5), bool), 1), "is_causal": True},
        "bool": {"attn_mask": RNG.random((5, 5)) < 0.3, "key_padding_mask": np.arange(5) > np.array([[3], [4]])},
        "float": {"attn_mask": RNG.normal(size=(5, 5)), "key_padding_mask": RNG.normal(size=(2, 5))},
        "by head": {"attn_mask": RNG.normal(size=(6, 5, 5))},
    }[masks]  # fmt: skip
    if masks == "bool":
        options["attn_mask"][:, 0] = False
    args = (12, 3)
    ours = zen.nn.MultiheadAttention(*args, batch_first=batch_first, dtype="float64")
    theirs = torch.nn.MultiheadAttention(*args, batch_first=batch_first).double()

    def call(module, x):
        library = torch.tensor if isinstance(module, torch.nn.Module) else np.asarray
        given = {k: v if isinstance(v, bool) else library(v) for k, v in options.items()}
        return module(x, x, x, need_weights=need_weights, **given)

    compare_modules(ours, theirs, call, [heads(2, 5, 12) if batch_first else heads(5, 2, 12)])


@pytest.mark.parametrize("need_weights", [False, True])
@pytest.mark.parametrize(
    "options",
    [{}, {"kdim": 5, "vdim": 7}, {"bias": False, "add_bias_kv": True}, {"add_bias_kv": True, "add_zero_attn": True}],
    ids=str,
)
def test_cross_attention(need_weights, options):
    ours = zen.nn.MultiheadAttention(12, 3, **options, dtype="float64")
    theirs = torch.nn.MultiheadAttention(12, 3, **options).double()
    k, v = options.get("kdim", 12), options.get("vdim", 12)

    def call(module, q, k, v):
        return module(q, k, v, need_weights=need_weights, average_attn_weights=False)

    def masked(module, q, k, v):
        library = torch.tensor if isinstance(module, torch.nn.Module) else np.asarray
        hidden = library(np.triu(np.ones((4, 6), bool), 2)), library(np.eye(6, dtype=bool)[:2])
        return module(q, k, v, attn_mask=hidden[0], key_padding_mask=hidden[1], need_weights=need_weights)

    for given in (call, masked):
        compare_modules(ours, theirs, given, [heads(4, 2, 12), heads(6, 2, k), heads(6, 2, v)])
    compare_modules(ours, theirs, call, [heads(4, 12), heads(6, k), heads(6, v)])


@pytest.mark.parametrize("norm_first", [False, True])
@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("activation", ["relu", "gelu"])
def test_encoder_layer(norm_first, batch_first, activation):
    options = {"dropout": 0.0, "activation": activation, "batch_first": batch_first, "norm_first": norm_first}
    ours = zen.nn.TransformerEncoderLayer(12, 3, 20, **options, dtype="float64")
    theirs = torch.nn.TransformerEncoderLayer(12, 3, 20, **options).double()
    x = heads(2, 5, 12) if batch_first else heads(5, 2, 12)
    compare_modules(ours, theirs, lambda module, x: module(x), [x])
    mask = np.triu(np.full((5, 5), -INF), 1)
    padding = np.where(np.arange(5) > np.array([[3], [4]]), -INF, 0.0)

    def masked(module, x):
        library = torch.tensor if isinstance(module, torch.nn.Module) else np.asarray
        return module(x, library(mask), library(padding))

    compare_modules(ours, theirs, masked, [x])


def test_encoder_and_decoder():
    plain = {"dropout": 0.0, "batch_first": True}
    ours = zen.nn.TransformerEncoder(
        zen.nn.TransformerEncoderLayer(12, 3, 20, **plain, bias=False, dtype="float64"), 2,
        zen.nn.LayerNorm(12, dtype="float64"),
    )  # fmt: skip
    theirs = torch.nn.TransformerEncoder(
        torch.nn.TransformerEncoderLayer(12, 3, 20, **plain, bias=False).double(),
        2,
        torch.nn.LayerNorm(12).double(),
        enable_nested_tensor=False,
    )
    compare_modules(ours, theirs, lambda module, x: module(x), [heads(2, 5, 12)])
    for norm_first in (False, True):
        options = {**plain, "norm_first": norm_first}
        ours = zen.nn.TransformerDecoder(zen.nn.TransformerDecoderLayer(12, 3, 20, **options, dtype="float64"), 2)
        theirs = torch.nn.TransformerDecoder(torch.nn.TransformerDecoderLayer(12, 3, 20, **options).double(), 2)
        mask = np.triu(np.ones((4, 4), bool), 1)

        def call(module, x, memory, mask=mask):
            library = torch.tensor if isinstance(module, torch.nn.Module) else np.asarray
            return module(x, memory, tgt_mask=library(mask))

        compare_modules(ours, theirs, call, [heads(2, 4, 12), heads(2, 6, 12)])


@pytest.mark.filterwarnings("ignore:enable_nested_tensor is True:UserWarning")
@pytest.mark.parametrize("norm_first", [False, True])
@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("bias", [False, True])
def test_transformer(norm_first, batch_first, bias):
    options = {"dropout": 0.0, "activation": "gelu", "batch_first": batch_first, "norm_first": norm_first, "bias": bias}
    ours = zen.nn.Transformer(12, 3, 2, 2, 20, **options, dtype="float64")
    theirs = torch.nn.Transformer(12, 3, 2, 2, 20, **options).double()
    assert list(ours.state_dict()) == list(theirs.state_dict())
    source, target = (heads(2, 6, 12), heads(2, 4, 12)) if batch_first else (heads(6, 2, 12), heads(4, 2, 12))
    compare_modules(ours, theirs, lambda module, *x: module(*x), [source, target])

    def masked(module, *x):
        library = torch.tensor if isinstance(module, torch.nn.Module) else np.asarray
        padding = library(np.where(np.arange(6) > np.array([[3], [5]]), -INF, 0.0))
        hidden = library(np.triu(np.full((4, 6), -INF), 2))
        kind = torch.float64 if isinstance(module, torch.nn.Module) else np.float64
        causal = module.generate_square_subsequent_mask(4, dtype=kind)
        return module(
            *x, src_mask=library(np.eye(6)), tgt_mask=causal, memory_mask=hidden, src_key_padding_mask=padding,
            tgt_key_padding_mask=library(np.zeros((2, 4))), memory_key_padding_mask=padding,
        )  # fmt: skip

    compare_modules(ours, theirs, masked, [source, target])
