"""Simple layers and dropout: shapes, dtypes, what they refuse. Their values: tests/peers."""

import numpy as np
import pytest

import zen
from zen import nn


def test_parameters_are_float32_unless_told_otherwise():
    x = np.ones((4, 3), np.float32)
    assert nn.Linear(3, 2)(x).dtype == np.float32
    for make in (
        lambda d: nn.Linear(3, 2, dtype=d), lambda d: nn.Embedding(3, 2, dtype=d), lambda d: nn.PReLU(dtype=d),
        lambda d: nn.Bilinear(2, 2, 2, dtype=d), lambda d: nn.LayerNorm(3, dtype=d), lambda d: nn.RMSNorm(3, dtype=d),
        lambda d: nn.BatchNorm1d(3, dtype=d), lambda d: nn.GroupNorm(1, 3, dtype=d),
        lambda d: nn.InstanceNorm1d(3, affine=True, dtype=d),
    ):  # fmt: skip
        assert {p.dtype for p in make(None).parameters()} == {np.dtype(np.float32)}
        assert {p.dtype for p in make("float64").parameters()} == {np.dtype(np.float64)}
        with pytest.raises(TypeError, match="need a floating (or complex )?dtype, not int32"):
            make("int32")


def test_seeds_repeat_initial_values():
    zen.random.seed(3)
    first = nn.Linear(4, 5).weight.value.copy()
    zen.random.seed(3)
    again = nn.Linear(4, 5)
    np.testing.assert_array_equal(first, again.weight.value)
    again.reset_parameters()
    assert (first != again.weight.value).all() and np.abs(again.weight.value).max() <= 0.5


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: nn.Linear(0, 3), ValueError, "Linear: in_features must be a positive int, not 0"),
        (lambda: nn.Linear(3, 2.5), ValueError, "Linear: out_features must be a positive int, not 2.5"),
        (lambda: nn.Linear(3, 2)(zen.ones((4, 5))), ValueError, r"\(4, 5\).*\(2, 3\)"),
        (lambda: nn.Bilinear(2, 3, 1)(zen.ones((4, 2)), zen.ones((5, 3))), ValueError, r"got \(4, 2\) and \(5, 3\)"),
        (lambda: nn.Embedding(4, 2, padding_idx=4), ValueError, "padding_idx 4 is out of range for 4 rows"),
        (lambda: nn.Embedding(4, 2)([4]), IndexError, "4"),
        (lambda: nn.Embedding.from_pretrained([1.0]), ValueError, "two dimensions"),
        (lambda: nn.Flatten(2)(zen.ones((2, 3))), IndexError, r"shape \(2, 3\) has no such axes"),
        (lambda: nn.Flatten(1, 0)(zen.ones((2, 3))), ValueError, "first axis comes after the last"),
        (lambda: nn.Unflatten(1, (2, 2))(zen.ones((2, 3))), ValueError, "an axis of length 3 has no such sizes"),
        (lambda: nn.Unflatten(1, (-1, -1))(zen.ones((2, 4))), ValueError, "no such sizes"),
        (lambda: nn.Unflatten(2, (1, -1))(zen.ones((2, 4))), IndexError, "no such axis"),
        (lambda: nn.Dropout(1.5), ValueError, r"Dropout: p .* lies in \[0, 1\]; got 1.5"),
        (lambda: zen.f.dropout([1.0], -0.1), ValueError, "got -0.1"),
        (lambda: zen.f.dropout([1, 2]), TypeError, "floating dtype, not int64"),
        (
            lambda: nn.Dropout2d()(zen.ones((2, 3))),
            ValueError,
            r"dropout2d: expected 3 dimensions .*got shape \(2, 3\)",
        ),
        (
            lambda: nn.Softmax()(zen.ones(2)),
            ValueError,
            r"Softmax: say along which axis, for example Softmax\(dim=-1\)",
        ),
        (lambda: nn.GELU("fast"), ValueError, "approximate must be"),
        (lambda: nn.Hardtanh(1.0, 1.0), ValueError, "min_val must be below max_val"),
        (lambda: zen.f.hardtanh([1.0], 2.0, 1.0), ValueError, "min_val must not be above max_val"),
        (lambda: zen.f.softshrink([1.0], -1.0), ValueError, "must not be negative"),
        (lambda: zen.f.celu([1.0], 0.0), ValueError, "alpha must not be zero"),
        (lambda: zen.f.glu(zen.ones((2, 3))), ValueError, r"axis -1 of shape \(2, 3\) must have an even length"),
        (lambda: nn.PReLU(3)(zen.ones((2, 4))), ValueError, r"weight of shape \(3,\) fits x of shape \(2, 4\) neither"),
    ],
)
def test_refusals(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_embedding_padding_and_pretrained_tables():
    table = nn.Embedding(4, 3, padding_idx=-1)
    assert table.padding_idx == 3 and table.weight.value[3].tolist() == [0.0, 0.0, 0.0]
    table(np.array([3, 3, 1])).sum().backward()
    assert table.weight.grad.value[:, 0].tolist() == [0.0, 1.0, 0.0, 0.0]
    values = np.ones((2, 2))
    fixed = nn.Embedding.from_pretrained(values)
    values[1] = 5
    assert fixed([1]).tolist() == [[5.0, 5.0]] and not fixed.weight.requires_grad


def test_activations_of_integers_give_floats():
    x = np.array([-2, 0, 3])
    for name in (
        "hardtanh",
        "relu6",
        "hardsigmoid",
        "celu",
        "softsign",
        "tanhshrink",
        "softshrink",
        "hardshrink",
        "softmin",
    ):
        assert getattr(zen.f, name)(x).dtype == np.float64
    assert zen.f.threshold(x, 1, 7).tolist() == [7.0, 7.0, 3.0]


def test_dropout_drops_while_training():
    zen.random.seed(0)
    x = zen.ones((200, 500), dtype="float32").requires_grad_()
    y = nn.Dropout(0.2)(x)
    kept = y.value != 0
    assert y.dtype == np.float32 and set(np.unique(y.value)) == {np.float32(0), np.float32(1.25)}
    assert abs(kept.mean() - 0.8) < 0.01
    y.sum().backward()
    np.testing.assert_array_equal(x.grad.value, y.value)
    layer = nn.Dropout(0.2)
    assert layer.eval()(x) is x and nn.Dropout(0.0)(x) is x and not nn.Dropout(1.0)(x).value.any()


def test_dropout_masks_follow_the_seed_or_the_generator():
    masks = []
    for _ in range(2):
        zen.random.seed(5)
        masks.append(zen.f.dropout(zen.ones(50)).tolist())
    assert masks[0] == masks[1] != zen.f.dropout(zen.ones(50)).tolist()
    drawn = [zen.f.dropout(zen.ones(50), generator=np.random.default_rng(1)).tolist() for _ in range(2)]
    assert drawn[0] == drawn[1]


@pytest.mark.parametrize(
    ("layer", "shape"), [(nn.Dropout1d, (50, 40, 3)), (nn.Dropout2d, (50, 40, 2, 3)), (nn.Dropout2d, (999, 2, 3))]
)
def test_whole_channels_drop(layer, shape):
    zen.random.seed(0)
    y = layer(0.3)(zen.ones(shape)).value
    channels = y.reshape(-1, np.prod(shape[-1 if layer is nn.Dropout1d else -2 :]))
    assert (channels == channels[:, :1]).all() and abs((channels[:, 0] == 0).mean() - 0.3) < 0.05
