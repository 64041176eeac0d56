"""embedding_bag: each bag by itself, empty ones, ties and nan, derivatives, and errors. Values: tests/peers."""

import numpy as np
import pytest

import zen
from zen import f, nn
from zen.testing import check_gradients

RNG = np.random.default_rng(0)
TABLE = RNG.normal(size=(6, 3))
INDICES, OFFSETS = np.array([1, 5, 1, 0, 2, 2, 4]), np.array([0, 3, 3, 6])
W6 = np.ones(6)
BAGS = [INDICES[:3], INDICES[3:3], INDICES[3:6], INDICES[6:]]


@pytest.mark.parametrize("mode", ["sum", "mean", "max"])
def test_each_bag_by_itself(mode):
    expected = [getattr(TABLE[bag], mode)(0) if len(bag) else np.zeros(3) for bag in BAGS]
    np.testing.assert_allclose(f.embedding_bag(INDICES, TABLE, OFFSETS, mode=mode).numpy(), expected, rtol=1e-12)
    last = f.embedding_bag(INDICES, TABLE, [*OFFSETS, 7], mode=mode, include_last_offset=True)
    np.testing.assert_allclose(last.numpy(), expected, rtol=1e-12)
    square = INDICES[:6].reshape(2, 3)
    np.testing.assert_allclose(
        f.embedding_bag(square, TABLE, mode=mode).numpy(), getattr(TABLE[square], mode)(1), rtol=1e-12
    )
    check_gradients(lambda t: f.embedding_bag(INDICES, t, OFFSETS, mode=mode), [TABLE])


def test_weights_of_samples_have_gradients():
    w = RNG.normal(size=7)
    found = f.embedding_bag(INDICES, TABLE, OFFSETS, mode="sum", per_sample_weights=w).numpy()
    np.testing.assert_allclose(found[0], (TABLE[INDICES[:3]] * w[:3, None]).sum(0), rtol=1e-12)
    check_gradients(lambda t, w: f.embedding_bag(INDICES, t, OFFSETS, mode="sum", per_sample_weights=w), [TABLE, w])


def test_padding_counts_for_nothing():
    found = f.embedding_bag([[1, 2, 2], [2, 2, 2]], TABLE, padding_idx=2).numpy()
    np.testing.assert_allclose(found, [TABLE[1], np.zeros(3)], rtol=1e-12)
    layer = nn.EmbeddingBag(6, 3, padding_idx=-4)
    assert not layer.weight.detach().numpy()[2].any()


def test_of_equal_rows_the_first_gets_the_gradient_and_nan_is_largest():
    t = zen.tensor(np.array([[1.0, np.nan], [1.0, 2.0]]), requires_grad=True)
    y = f.embedding_bag([[1, 0]], t, mode="max")
    y[0, 0].backward()
    assert y[0, 0].item() == 1 and np.isnan(y[0, 1].item())
    assert t.grad.tolist() == [[0.0, 0.0], [1.0, 0.0]]
    assert f.embedding_bag(np.zeros((2, 0), int), TABLE, mode="max").tolist() == [[0.0] * 3] * 2
    assert f.embedding_bag(np.zeros(0, int), TABLE, np.zeros(0, int)).shape == (0, 3)


@pytest.mark.parametrize(("call", "kind", "message"), [
    (lambda: f.embedding_bag(INDICES, TABLE), ValueError, r"indices of shape \(7,\); expected \(bags, length\)"),
    (lambda: f.embedding_bag(INDICES[None], TABLE, OFFSETS), ValueError, "are bags already; leave offsets out"),
    (lambda: f.embedding_bag(INDICES, TABLE, [1, 3]), ValueError, "the first of them 0"),
    (lambda: f.embedding_bag(INDICES, TABLE, [0, 4, 3]), ValueError, "do not rise from 0 to the 7 indices"),
    (lambda: f.embedding_bag(INDICES, TABLE, [0, 8]), ValueError, "do not rise from 0 to the 7 indices"),
    (lambda: f.embedding_bag(INDICES, TABLE, [0, 3], include_last_offset=True), ValueError, "the last offset is 3"),
    (lambda: f.embedding_bag(INDICES, TABLE, OFFSETS, mode="min"), ValueError, 'mode must be "sum", "mean" or "max"'),
    (lambda: f.embedding_bag(INDICES, TABLE, OFFSETS, per_sample_weights=np.ones(7)), ValueError, 'to mode="sum"'),
    (lambda: f.embedding_bag(INDICES, TABLE, OFFSETS, mode="sum", per_sample_weights=W6), ValueError, "for indices"),
    (lambda: f.embedding_bag(INDICES + 1, TABLE, OFFSETS), IndexError, "index 6 is out of range"),
    (lambda: f.embedding_bag(INDICES, TABLE, OFFSETS, padding_idx=6), IndexError, "padding_idx 6 is out of range"),
    (lambda: f.embedding_bag(INDICES * 1.0, TABLE, OFFSETS), ValueError, "indices are ints, not float64"),
    (lambda: f.embedding_bag(INDICES, TABLE, OFFSETS, sparse=True), NotImplementedError, "gradients are dense"),
    (lambda: nn.EmbeddingBag(6, 3, mode="min"), ValueError, "EmbeddingBag: mode must be"),
])  # fmt: skip
def test_errors(call, kind, message):
    with pytest.raises(kind, match=message):
        call()
