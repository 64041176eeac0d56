"""Layers and functions that draw: what holds of every draw, their moments, streams, and errors."""

import numpy as np
import pytest

import zen
from zen import f, nn

X = np.random.default_rng(0).normal(size=(40, 50, 20))


def test_alpha_dropout_keeps_mean_and_variance():
    y = f.alpha_dropout(X, 0.3, True, generator=np.random.default_rng(1)).numpy()
    assert abs(y.mean() - X.mean()) < 0.02 and abs(y.var() - X.var()) < 0.03
    scale = (0.7 * (1 + 0.3 * 1.7580993408473766**2)) ** -0.5
    dropped = np.isclose(y, scale * -1.7580993408473766 * (1 - 0.3))
    assert 0.29 < dropped.mean() < 0.31
    np.testing.assert_allclose(y[~dropped], scale * (X[~dropped] + 1.7580993408473766 * 0.3), rtol=1e-12, atol=1e-14)


def test_feature_alpha_dropout_drops_whole_channels():
    y = f.feature_alpha_dropout(X, 0.5, True, generator=np.random.default_rng(1)).numpy()
    constant = np.ptp(y, axis=2) == 0
    assert 0.45 < constant.mean() < 0.55 and np.unique(y[constant].round(12)).size == 1


def test_the_gradient_of_alpha_dropout_is_its_scale():
    x = zen.tensor(X[0], requires_grad=True)
    y = f.alpha_dropout(x, 0.4, True)
    y.sum().backward()
    scale = (0.6 * (1 + 0.4 * 1.7580993408473766**2)) ** -0.5
    assert set(x.grad.numpy().round(12).ravel()) == {0.0, round(scale, 12)}


@pytest.mark.parametrize("layer", [nn.AlphaDropout, nn.FeatureAlphaDropout, nn.Dropout3d])
def test_evaluation_passes_on_and_probability_one_leaves_nothing(layer):
    x = zen.tensor(X[:2, :3, :8].reshape(2, 3, 2, 2, 2))
    assert layer(0.5).eval()(x) is x and layer(0.0)(x) is x
    assert not layer(1.0)(x).numpy().any()
    zen.random.seed(3)
    first = layer(0.5)(x).numpy()
    zen.random.seed(3)
    np.testing.assert_array_equal(first, layer(0.5)(x).numpy())


def test_dropout3d_drops_whole_channels():
    y = f.dropout3d(np.ones((20, 30, 2, 2, 2)), 0.25).numpy()
    assert set(np.unique(y)) == {0.0, 1 / 0.75} and (np.ptp(y.reshape(20, 30, 8), axis=2) == 0).all()
    assert f.dropout3d(np.ones((30, 2, 2, 2)), 0.25).shape == (30, 2, 2, 2)


def test_rrelu_draws_slopes_while_training():
    x = zen.tensor(np.where(X == 0, 1, X), requires_grad=True)
    y = nn.RReLU(0.2, 0.6)(x)
    y.sum().backward()
    slopes = (y.numpy() if not y.requires_grad else y.detach().numpy()) / x.detach().numpy()
    np.testing.assert_allclose(x.grad.numpy(), slopes, rtol=1e-12)
    below = slopes[x.detach().numpy() < 0]
    assert (slopes[x.detach().numpy() > 0] == 1).all() and below.min() >= 0.2 - 1e-12 and below.max() < 0.6 + 1e-12
    assert abs(below.mean() - 0.4) < 0.01
    np.testing.assert_allclose(f.rrelu([-1.0, 2.0], 0.2, 0.6).numpy(), [-0.4, 2.0])


def test_gumbel_softmax_samples_the_categories():
    logits = np.log([0.1, 0.2, 0.7])
    y = f.gumbel_softmax(np.tile(logits, (20000, 1)), hard=True, generator=np.random.default_rng(0)).numpy()
    np.testing.assert_allclose(y.sum(1), 1, rtol=1e-12)
    np.testing.assert_allclose(y.mean(0), [0.1, 0.2, 0.7], atol=0.015)
    soft = f.gumbel_softmax(np.tile(logits, (5, 1)), 0.5, dim=0, generator=np.random.default_rng(0))
    np.testing.assert_allclose(soft.sum(0).numpy(), 1, rtol=1e-12)


def test_hard_samples_have_the_gradient_of_soft_ones():
    found = []
    for hard in (False, True):
        x = zen.tensor([0.3, -0.2, 0.1], requires_grad=True)
        y = f.gumbel_softmax(x, 0.7, hard, generator=np.random.default_rng(2))
        (y * zen.tensor([1.0, 2.0, 3.0])).sum().backward()
        found.append(x.grad.numpy())
    np.testing.assert_allclose(*found, rtol=1e-12)


@pytest.mark.parametrize(("call", "kind", "message"), [
    (lambda: f.alpha_dropout(X, 1.5), ValueError, "alpha_dropout: p is the probability of a zero"),
    (lambda: f.alpha_dropout(np.arange(3)), TypeError, "alpha_dropout: x must be of a floating dtype, not int64"),
    (lambda: f.feature_alpha_dropout(np.ones(3), 0.5, True), ValueError, r"expected \(batch, channels, ...\)"),
    (lambda: f.dropout3d(X), ValueError, "dropout3d: expected 4 dimensions .channels first., or 5 with a batch"),
    (lambda: f.rrelu(X, 0.5, 0.2), ValueError, "rrelu: lower must not be above upper, got 0.5 and 0.2"),
    (lambda: f.gumbel_softmax(X, 0), ValueError, "gumbel_softmax: tau must be positive, not 0"),
    (lambda: f.local_response_norm(X[0], 2), ValueError, r"local_response_norm: x of shape \(50, 20\) and size 2"),
    (lambda: f.bilinear(X[0], X[0], X), ValueError, r"bilinear: input1 of shape \(50, 20\)"),
    (lambda: f.bilinear(X[0], X[0], X[:, :20, :20], X[0, 0]), ValueError, r"bias of shape \(20,\) does not fit weight"),
    (lambda: nn.BatchNorm3d(3)(X), ValueError, r"BatchNorm3d: expected \(batch, channels, depth, height, width\)"),
    (lambda: nn.InstanceNorm3d(3)(X), ValueError, r"InstanceNorm3d: expected \(channels, 3 sizes\)"),
])  # fmt: skip
def test_errors(call, kind, message):
    with pytest.raises(kind, match=message):
        call()
