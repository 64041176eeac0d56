"""ctc_loss: against the sum over all paths, one by one, its derivatives numerically, and its errors."""

import itertools

import numpy as np
import pytest

import zen
from zen import f
from zen.testing import check_gradients

RNG = np.random.default_rng(0)


def draw(steps, batch, classes):
    return np.log(RNG.dirichlet(np.ones(classes), (steps, batch)))


def collapsed(path, blank):
    return [k for k, _ in itertools.groupby(path) if k != blank]


def one_by_one(log_probs, target, blank):
    """-log of the sum of the probabilities of all paths that spell the target."""
    steps, classes = log_probs.shape
    sums = [
        np.exp(sum(log_probs[t, k] for t, k in enumerate(path)))
        for path in itertools.product(range(classes), repeat=steps)
        if collapsed(path, blank) == list(target)
    ]
    return -np.log(np.sum(sums)) if sums else np.inf


@pytest.mark.parametrize("blank", [0, 2])
@pytest.mark.parametrize("target", [[], [1], [1, 1], [1, 3], [3, 1, 3], [1, 1, 1], [3, 3, 1, 1]])
def test_the_sum_over_all_paths(target, blank):
    x = draw(5, 1, 4)
    given = np.array([target], int).reshape(1, -1)
    found = f.ctc_loss(x, given, [5], [len(target)], blank=blank, reduction="none").item()
    np.testing.assert_allclose(found, one_by_one(x[:, 0], target, blank), rtol=1e-12)


def test_each_sequence_has_its_own_lengths():
    x, targets = draw(6, 3, 4), np.array([[1, 2, 3], [2, 2, 0], [3, 0, 0]])
    times, lengths = [6, 4, 3], [3, 2, 1]
    found = f.ctc_loss(x, targets, times, lengths, reduction="none").numpy()
    expected = [one_by_one(x[:t, k], targets[k, :n], 0) for k, (t, n) in enumerate(zip(times, lengths, strict=True))]
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    joined = f.ctc_loss(x, [1, 2, 3, 2, 2, 3], times, lengths, reduction="none").numpy()
    np.testing.assert_array_equal(joined, found)
    assert f.ctc_loss(x, targets, times, lengths).item() == pytest.approx(np.mean(found / lengths), rel=1e-14)
    single = f.ctc_loss(x[:4, 1], [2, 2], 4, 2, reduction="none")
    assert single.shape == () and single.item() == pytest.approx(found[1], rel=1e-14)


def test_derivatives_in_each_log_probability():
    x, targets = draw(4, 3, 3), np.array([[1, 2], [2, 2], [1, 0]])
    check_gradients(lambda x: f.ctc_loss(x, targets, [4, 4, 2], [2, 2, 1]), [x], rtol=1e-5)
    check_gradients(
        lambda x: f.ctc_loss(f.log_softmax(x), targets, [4, 4, 2], [2, 2, 1], reduction="sum"), [x], rtol=1e-5
    )


def test_an_input_too_short_has_an_infinite_loss():
    x = zen.tensor(draw(3, 2, 3), requires_grad=True)
    targets, times, lengths = [[1, 1], [1, 2]], [2, 3], [2, 2]
    y = f.ctc_loss(x, targets, times, lengths, reduction="none")
    assert y[0].item() == np.inf and np.isfinite(y[1].item())
    y.sum().backward()
    assert np.isnan(x.grad.numpy()[:2, 0]).any() and np.isfinite(x.grad.numpy()[:, 1]).all()
    x.grad = None
    y = f.ctc_loss(x, targets, times, lengths, reduction="none", zero_infinity=True)
    y.sum().backward()
    assert y[0].item() == 0 and (x.grad.numpy()[:, 0] == 0).all() and np.isfinite(x.grad.numpy()).all()


@pytest.mark.parametrize("zero_infinity", [False, True])
def test_forward_mode_has_the_slopes_of_the_gradient_where_a_loss_is_infinite(zero_infinity):
    x, t = draw(3, 2, 3), draw(3, 2, 3)

    def losses(x):
        return f.ctc_loss(x, [[1, 1], [1, 2]], [2, 3], [2, 2], reduction="none", zero_infinity=zero_infinity)

    tangent = zen.jvp(losses, (x,), (t,))[1]
    gradients = zen.jacrev(losses)(x)
    assert tangent[0] == 0 if zero_infinity else np.isnan(tangent[0])
    np.testing.assert_allclose(tangent[1], np.sum(gradients[1] * t), rtol=1e-10)


def test_impossible_classes_and_long_inputs():
    x = draw(5, 1, 3)
    x[2, 0, 1] = -np.inf
    t = zen.tensor(x, requires_grad=True)
    y = f.ctc_loss(t, [[1, 2]], [5], [2])
    y.backward()
    assert np.isfinite(y.item()) and np.isfinite(t.grad.numpy()).all() and t.grad.numpy()[2, 0, 1] == 0
    long = zen.tensor(draw(2000, 2, 5).astype(np.float32), requires_grad=True)
    y = f.ctc_loss(long, RNG.integers(1, 5, (2, 300)), [2000, 1500], [300, 200])
    y.backward()
    assert np.isfinite(y.item()) and np.isfinite(long.grad.numpy()).all()
    np.testing.assert_allclose(long.grad.numpy().sum((0, 2)), [-2000 / 600, -1500 / 400], rtol=1e-3)


def test_nothing_to_spell_and_nothing_to_spell_with():
    x = draw(3, 1, 3)
    assert f.ctc_loss(x, np.zeros((1, 0), int), [3], [0]).item() == pytest.approx(-x[:, 0, 0].sum(), rel=1e-14)
    assert f.ctc_loss(x, np.zeros((1, 0), int), [0], [0]).item() == 0
    assert f.ctc_loss(x, [[1]], [0], [1]).item() == np.inf
    half = f.ctc_loss(zen.tensor(x.astype(np.float16)), [[1]], [3], [1])
    assert half.dtype == np.float16


X = draw(4, 2, 3)


@pytest.mark.parametrize(("arguments", "kind", "message"), [
    ((X[0, 0], [[1]], [4], [1]), ValueError, r"log_probs of shape \(3,\); expected \(time, batch, classes\)"),
    ((X, [[1], [1]], [4], [1, 1]), ValueError, "1 input_lengths for a batch of 2"),
    ((X, [[1], [1]], [5, 4], [1, 1]), ValueError, "input_lengths of 5; log_probs has 4 steps"),
    ((X, [[1], [1]], [4, 4], [1, -1]), ValueError, "target_lengths of -1; they are not negative"),
    ((X, [[1], [1]], [4, 4], [1, 2]), ValueError, r"targets of shape \(2, 1\); target_lengths \[1, 2\] need \(2, 2\)"),
    ((X, [1, 1], [4, 4], [1, 2]), ValueError, r"need \(2, 2\), or \(3,\) one after the other"),
    ((X, [[1], [3]], [4, 4], [1, 1]), ValueError, "target 3 is none of 3 classes"),
    ((X, [[1], [0]], [4, 4], [1, 1]), ValueError, "target 0 is the blank"),
    ((X, [[1], [1]], [4, 4], [1, 1], 3), ValueError, "blank 3 is none of 3 classes"),
    ((X, [[1], [1]], [4, 4], [1, 1], 0, "max"), ValueError, 'reduction must be "mean", "sum" or "none"'),
    ((X, [[1.5], [1]], [4, 4], [1, 1]), TypeError, "targets are ints, not float64"),
    ((X, [[1], [1]], [4.0, 4.0], [1, 1]), TypeError, "input_lengths are ints, not float64"),
])  # fmt: skip
def test_arguments_that_do_not_fit(arguments, kind, message):
    with pytest.raises(kind, match=message):
        f.ctc_loss(*arguments)
