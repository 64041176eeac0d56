"""Losses of several labels at once, and of triplets with a distance of one's own: values by hand, and errors."""

import numpy as np
import pytest

import zen
from zen import f
from zen.testing import check_gradients

RNG = np.random.default_rng(0)
X = RNG.normal(size=(3, 4))


def test_margins_count_each_target_and_stop_at_the_first_minus_one():
    targets = np.array([[2, 0, -1, 3], [-1, 1, 2, 3], [1, 1, -1, 0]])
    expected = []
    for row, named in zip(X, ([2, 0], [], [1, 1]), strict=True):
        others = [i for i in range(4) if i not in named]
        expected.append(sum(max(1 - (row[j] - row[i]), 0) for j in named for i in others) / 4)
    found = f.multilabel_margin_loss(X, targets, reduction="none")
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-12)
    check_gradients(lambda x: f.multilabel_margin_loss(x, targets, reduction="sum"), [X])


def test_soft_margins_are_binary_cross_entropies():
    t = RNG.integers(0, 2, (3, 4)).astype(float)
    w = np.array([1.0, 0.0, 2.0, 0.5])
    p = 1 / (1 + np.exp(-X))
    losses = -(t * np.log(p) + (1 - t) * np.log(1 - p))
    found = f.multilabel_soft_margin_loss(X, t, w, reduction="none")
    np.testing.assert_allclose(found.numpy(), (losses * w).mean(-1), rtol=1e-12)
    check_gradients(lambda x: f.multilabel_soft_margin_loss(x, t), [X])


def test_triplets_by_a_distance_of_ones_own():
    a, p, n = (RNG.normal(size=(5, 3)) for _ in range(3))

    def distance(x, y):
        return ((x - y) ** 2).sum(-1)

    near, far = ((a - p) ** 2).sum(-1), np.minimum(((a - n) ** 2).sum(-1), ((p - n) ** 2).sum(-1))
    found = f.triplet_margin_with_distance_loss(a, p, n, distance_function=distance, margin=0.5, swap=True)
    assert found.item() == pytest.approx(np.maximum(near - far + 0.5, 0).mean(), rel=1e-12)


@pytest.mark.parametrize(("call", "kind", "message"), [
    (lambda: f.multilabel_margin_loss(X, [0, 1]), ValueError, r"input of shape \(3, 4\) and target of shape \(2,\)"),
    (lambda: f.multilabel_margin_loss(X, X), ValueError, "target of shape .* and dtype float64"),
    (lambda: f.multilabel_margin_loss(X[0], [4, -1, 0, 0]), IndexError, "class 4 is out of range for 4 classes"),
    (lambda: f.multilabel_soft_margin_loss(X, X[0]), ValueError, "must have one shape"),
    (lambda: f.multilabel_soft_margin_loss(X, X, [1.0]), ValueError, r"weight of shape \(1,\); expected \(4,\)"),
    (lambda: f.multilabel_soft_margin_loss(0.5, 1.0), ValueError, "needs an axis of classes"),
    (lambda: f.triplet_margin_with_distance_loss(X, X, X[0]), ValueError, "must have as many axes each"),
    (lambda: zen.nn.TripletMarginWithDistanceLoss(margin=0), ValueError, "margin must be positive, not 0"),
])  # fmt: skip
def test_arguments_that_do_not_fit(call, kind, message):
    with pytest.raises(kind, match=message):
        call()
