"""Transformer whole: what each mask hides, custom parts, initial values, and what it refuses. Values: tests/peers."""

import copy

import numpy as np
import pytest

import zen
from zen import nn

SOURCE, TARGET = (np.random.default_rng(k).normal(size=(2, n, 8)) for k, n in enumerate((5, 4)))


def small(**options):
    zen.random.seed(0)
    given = {"dropout": 0.0, "batch_first": True, "dtype": "float64", **options}
    return nn.Transformer(8, 2, 1, 2, 16, **given)


def test_the_subsequent_mask_hides_what_comes_later():
    mask = nn.Transformer.generate_square_subsequent_mask(3)
    assert mask.dtype == np.float32 and small().generate_square_subsequent_mask(0).shape == (0, 0)
    np.testing.assert_array_equal(mask.array, np.triu(np.full((3, 3), -np.inf), 1))
    model, changed = small(), TARGET.copy()
    changed[:, 2:] += 1
    for options in ({"tgt_mask": model.generate_square_subsequent_mask(4, dtype="float64")}, {"tgt_is_causal": True}):
        first, second = model(SOURCE, TARGET, **options).array, model(SOURCE, changed, **options).array
        np.testing.assert_allclose(first[:, :2], second[:, :2], rtol=1e-12)
        assert not np.allclose(first[:, 2:], second[:, 2:])


def test_padding_and_memory_masks_hide_the_source():
    model, changed = small(), SOURCE.copy()
    changed[:, 3:] += 1
    padding = np.tile(np.arange(5) >= 3, (2, 1))
    options = {"src_key_padding_mask": padding, "memory_key_padding_mask": padding}
    np.testing.assert_allclose(
        model(SOURCE, TARGET, **options).array, model(changed, TARGET, **options).array, rtol=1e-12
    )
    hidden = np.tile(np.arange(5) >= 3, (5, 1))
    options = {"src_mask": hidden, "memory_mask": hidden[:4]}
    np.testing.assert_allclose(
        model(SOURCE, TARGET, **options).array, model(changed, TARGET, **options).array, rtol=1e-12
    )
    options = {"tgt_key_padding_mask": np.tile(np.arange(4) >= 2, (2, 1))}
    moved = TARGET.copy()
    moved[:, 3] += 1
    first, second = model(SOURCE, TARGET, **options).array, model(SOURCE, moved, **options).array
    np.testing.assert_allclose(first[:, :3], second[:, :3], rtol=1e-12)


def test_batches_and_single_sequences_agree():
    model = small()
    whole = model(SOURCE, TARGET).array
    np.testing.assert_allclose(model(SOURCE[0], TARGET[0]).array, whole[0], rtol=1e-12)
    other = small(batch_first=False)
    np.testing.assert_allclose(
        other(SOURCE.swapaxes(0, 1), TARGET.swapaxes(0, 1)).array, whole.swapaxes(0, 1), rtol=1e-12
    )


def test_custom_parts_stand_in_the_places_of_the_own_ones():
    class Doubled(nn.Module):
        def forward(self, src, mask=None, src_key_padding_mask=None, is_causal=None):
            return 2 * zen.asarray(src)

    class Sum(nn.Module):
        def forward(self, tgt, memory, **options):
            assert set(options) >= {"tgt_mask", "memory_mask", "tgt_key_padding_mask", "memory_key_padding_mask"}
            return tgt + memory.mean(1, keepdims=True)

    model = small(custom_encoder=Doubled(), custom_decoder=Sum())
    np.testing.assert_allclose(model(SOURCE, TARGET).array, TARGET + 2 * SOURCE.mean(1, keepdims=True), rtol=1e-12)
    assert list(model.parameters()) == []


def test_matrices_are_drawn_anew_and_copies_are_their_own():
    model = small()
    layers = model.decoder.layers
    assert not np.array_equal(layers[0].linear1.weight.array, layers[1].linear1.weight.array)
    for name, p in model.named_parameters():
        if p.ndim > 1:
            assert np.abs(p.array).max() <= np.sqrt(6 / sum(p.shape)), name
    twin = copy.deepcopy(model)
    twin.load_state_dict(model.state_dict())
    np.testing.assert_array_equal(twin(SOURCE, TARGET).array, model(SOURCE, TARGET).array)


def test_every_parameter_gets_a_gradient():
    model = small(norm_first=True, activation="gelu")
    (model(SOURCE, TARGET) ** 2).sum().backward()
    assert all(
        np.abs(p.grad.array).max() > 0 for name, p in model.named_parameters() if not name.endswith("in_proj_bias")
    )


@pytest.mark.parametrize(("source", "target"), [
    (SOURCE[:1], TARGET), (SOURCE[0], TARGET), (SOURCE[..., :7], TARGET), (SOURCE, TARGET[..., :7]),
    (SOURCE[0, 0], TARGET[0, 0]),
])  # fmt: skip
def test_shapes_that_do_not_fit(source, target):
    with pytest.raises(ValueError, match=r"Transformer: src of shape .* and tgt of shape .*; expected"):
        small()(source, target)


def test_options_that_do_not_fit():
    with pytest.raises(ValueError, match="embed_dim 8 must be a multiple of num_heads 3"):
        nn.Transformer(8, 3)
    with pytest.raises(ValueError, match="num_layers must be a positive int, not 0"):
        nn.Transformer(8, 2, 0)
    with pytest.raises(TypeError, match="parameters need a floating dtype, not int64"):
        nn.Transformer.generate_square_subsequent_mask(3, dtype="int64")
