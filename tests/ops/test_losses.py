"""Losses: what is broadcast, what is refused, dtypes, edge cases. Their values: tests/peers."""

import numpy as np
import pytest

import zen
from zen import f, nn
from zen.testing import check_gradients

PAIRS = [
    f.mse_loss, f.l1_loss, f.huber_loss, f.smooth_l1_loss, f.poisson_nll_loss, f.hinge_embedding_loss,
    f.binary_cross_entropy, f.binary_cross_entropy_with_logits, f.kl_div, f.soft_margin_loss,
]  # fmt: skip
BROADCAST = PAIRS[:4]
EQUAL = PAIRS[6:]


@pytest.mark.parametrize("loss", EQUAL)
def test_shapes_must_be_equal(loss):
    with pytest.raises(
        ValueError, match=rf"{loss.__name__}: input of shape \(3, 1\) and target of shape \(3,\) must have"
    ):
        loss(zen.full((3, 1), 0.5), np.ones(3))


@pytest.mark.parametrize("loss", BROADCAST)
def test_other_shapes_are_broadcast_with_a_warning_that_names_them(loss):
    x, t = zen.tensor([[1.0], [3.0]], requires_grad=True), np.array([1, 2, 6])
    message = r"input of shape \(2, 1\) and target of shape \(3,\) are broadcast to \(2, 3\), .*; reshape one"
    with pytest.warns(UserWarning, match=f"{loss.__name__}: {message}") as caught:
        found = loss(x, t, reduction="none")
    assert len(caught) == 1 and caught[0].filename == __file__
    expected = loss(np.repeat(x.array, 3, 1), np.array([t, t]), reduction="none")
    np.testing.assert_array_equal(found.array, expected.array)
    found.sum().backward()
    assert x.grad.shape == (2, 1)
    message = rf"{loss.__name__}: input of shape \(2, 1\) and target of shape \(3, 3\) must have one shape"
    with pytest.raises(ValueError, match=message):
        loss(x, np.ones((3, 3)))


def test_weights_of_elements():
    x, t, w = np.array([1.0, 2.0]), np.array([3.0, 5.0]), np.array([1, 3])
    assert f.mse_loss(x, t, weight=w).item() == (4 + 27) / 4
    assert f.l1_loss(x, t, weight=w).item() == (2 + 9) / 4
    assert f.huber_loss(x, t, weight=w).item() == (1.5 + 7.5) / 2
    assert f.mse_loss(x, t, weight=w, reduction="none").tolist() == [4.0, 27.0]
    for loss in BROADCAST[:3]:
        assert loss(zen.tensor(x, dtype="float32"), t.astype("float32"), weight=w).dtype == np.float32
        message = rf"{loss.__name__}: weight of shape \(1,\) must have the shape of input, \(2,\)"
        with pytest.raises(ValueError, match=message):
            loss(x, t, weight=[1.0])


@pytest.mark.parametrize("loss", PAIRS)
def test_reductions_are_checked(loss):
    with pytest.raises(ValueError, match=f'{loss.__name__}: reduction must be "mean", "sum" or "none", not \'avg\''):
        loss(zen.full(3, 0.5), np.ones(3), reduction="avg")


@pytest.mark.parametrize("loss", PAIRS)
def test_whole_targets_take_the_dtype_of_the_prediction(loss):
    x = zen.tensor(np.full(3, 0.5), dtype="float32", requires_grad=True)
    y = loss(x, np.ones(3, np.int64))
    assert y.dtype == np.float32 and y.shape == ()
    y.backward()
    assert x.grad.dtype == np.float32
    assert loss(np.ones(2, int), [1, 1]).dtype == np.float64
    assert loss(x, np.ones(3, bool), reduction="none").shape == (3,)


@pytest.mark.parametrize("loss", PAIRS)
def test_second_derivatives_and_forward_mode(loss):
    target = (
        np.array([1.0, -1.0, 1.0])
        if loss in (f.hinge_embedding_loss, f.soft_margin_loss)
        else np.array([0.9, 0.2, 0.6])
    )
    check_gradients(lambda x: loss(x, target, reduction="none"), [np.array([0.3, 0.45, 0.8])])


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: f.huber_loss([1.0], [1.0], delta=0.0), ValueError, "delta must be positive, not 0.0"),
        (lambda: f.smooth_l1_loss([1.0], [1.0], beta=-1.0), ValueError, "beta must not be negative"),
        (
            lambda: f.binary_cross_entropy([1.5], [1.0]),
            ValueError,
            "from 0 to 1, but it goes from 1.5 to 1.5; for logits",
        ),
        (lambda: f.binary_cross_entropy([np.nan], [1.0]), ValueError, "from 0 to 1"),
        (
            lambda: f.binary_cross_entropy_with_logits([1.0], [1.0], pos_weight=[1.0, 2.0]),
            ValueError,
            r"weight of shape \(2,\) does not",
        ),
        (
            lambda: f.binary_cross_entropy_with_logits([1.0], [1.0], weight=np.ones((2, 1))),
            ValueError,
            r"the losses' \(1,\)",
        ),
        (
            lambda: f.gaussian_nll_loss([1.0, 2.0], [1.0, 2.0], [1.0, 1.0, 1.0]),
            ValueError,
            r"var of shape \(3,\) fits input of shape \(2,\)",
        ),
        (
            lambda: f.gaussian_nll_loss([1.0], [1.0], [-1.0]),
            ValueError,
            "must not be negative, but its least value is -1.0",
        ),
        (lambda: f.hinge_embedding_loss([1.0], [0.0]), ValueError, "the target holds 0.0; expected 1 and -1"),
        (
            lambda: f.cosine_embedding_loss([[1.0]], [[1.0]], 1.0),
            ValueError,
            r"target of shape \(\); expected \(batch, width\)",
        ),
        (lambda: f.cosine_embedding_loss([[1.0]], [[1.0]], [2.0]), ValueError, "the target holds 2.0"),
        (
            lambda: f.margin_ranking_loss([1.0], [1.0], [1.0, 1.0]),
            ValueError,
            r"input of shape \(1,\) and target of shape \(2,\)",
        ),
        (lambda: f.multi_margin_loss([[1.0, 2.0]], [2]), IndexError, "class 2 is out of range for 2 classes"),
        (lambda: f.multi_margin_loss([[1.0, 2.0]], [0.5]), ValueError, "expected .batch, classes. and ints"),
        (lambda: f.multi_margin_loss([[1.0, 2.0]], [0], p=3), ValueError, "p must be 1 or 2, not 3"),
        (
            lambda: f.multi_margin_loss([[1.0, 2.0]], [0], weight=[1.0]),
            ValueError,
            r"weight of shape \(1,\); expected \(2,\)",
        ),
        (
            lambda: f.triplet_margin_loss(np.ones((2, 3)), np.ones((2, 3)), np.ones(3)),
            ValueError,
            r"\(2, 3\) and target of shape \(3,\)",
        ),
        (lambda: nn.TripletMarginLoss(margin=0.0), ValueError, "margin must be positive"),
        (
            lambda: nn.MSELoss(reduction="batchmean"),
            ValueError,
            "MSELoss: reduction must be one of 'mean', 'sum', 'none'",
        ),
        (lambda: nn.CrossEntropyLoss()(zen.ones((2, 3)), np.array([0.5, 1.0])), ValueError, "cross_entropy"),
        (lambda: f.cosine_similarity(np.ones((2, 3)), np.ones((2, 4))), ValueError, "broadcast"),
    ],
)
def test_refusals(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_extreme_logits_stay_exact():
    x = zen.tensor([1e4, -1e4, -800.0, 0.0], requires_grad=True)
    y = f.binary_cross_entropy_with_logits(x, [1.0, 0.0, 1.0, 0.5], reduction="none")
    np.testing.assert_allclose(y.value, [0.0, 0.0, 800.0, np.log(2)])
    y.sum().backward()
    np.testing.assert_allclose(x.grad.value, [0.0, 0.0, -1.0, 0.0])


def test_zero_vectors_have_a_finite_gradient():
    x = zen.zeros((2, 3)).requires_grad_()
    f.cosine_similarity(x, np.ones((2, 3))).sum().backward()
    assert np.isfinite(x.grad.value).all()
    a = zen.zeros((2, 3)).requires_grad_()
    f.pairwise_distance(a, np.zeros((2, 3)), eps=0.0).sum().backward()
    np.testing.assert_array_equal(a.grad.value, np.zeros((2, 3)))


def test_no_elements():
    assert f.mse_loss(np.zeros(0), np.zeros(0), reduction="sum").item() == 0.0
    assert f.huber_loss(np.zeros((0, 2)), np.zeros((0, 2)), reduction="none").shape == (0, 2)


def test_class_axis_of_the_modules_is_pytorchs():
    logits, classes = np.random.default_rng(0).normal(size=(2, 3, 4)), np.array([[0, 1, 2, 0], [1, 1, 0, 2]])
    expected = f.cross_entropy(logits.transpose(0, 2, 1), classes).item()
    assert nn.CrossEntropyLoss()(zen.tensor(logits), classes).item() == pytest.approx(expected, rel=1e-14)
    log_p = f.log_softmax(logits, 1)
    assert nn.NLLLoss()(log_p, classes).item() == pytest.approx(expected, rel=1e-14)


def test_constants_of_losses_are_state():
    loss = nn.BCEWithLogitsLoss(pos_weight=[1.0, 2.0])
    assert list(loss.state_dict()) == ["pos_weight"] and not list(loss.parameters())
    assert nn.CrossEntropyLoss(weight=np.ones(3)).float().weight.dtype == np.float32
