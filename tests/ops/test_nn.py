"""Softmax, cross entropy and the activations whose functions have parameters of their own."""

import math

import numpy as np
import pytest

import zen
from zen import f
from zen.testing import check_gradients

X = np.random.default_rng(0).normal(size=(4, 3))
CLASSES = np.array([0, 2, 1, 2])
SOFT = np.random.default_rng(1).dirichlet(np.ones(3), 4)


def gradient(function, x):
    t = zen.tensor(np.asarray(x, float), requires_grad=True)
    f.sum(function(t)).backward()
    return t.gradient


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_softmax_against_its_definition(axis):
    e = np.exp(X)
    expected = e / e.sum(axis, keepdims=True)
    np.testing.assert_allclose(f.softmax(zen.tensor(X), axis).array, expected)
    np.testing.assert_allclose(f.log_softmax(zen.tensor(X), axis).array, np.log(expected))


def test_softmax_of_large_numbers():
    x = [[1000.0, 0.0], [-1000.0, 0.0], [-np.inf, 0.0]]
    np.testing.assert_allclose(f.softmax(zen.tensor(x)).array, [[1, 0], [0, 1], [0, 1]])
    np.testing.assert_allclose(f.log_softmax(zen.tensor(x)).array, [[0, -1000], [-1000, 0], [-np.inf, 0]])
    assert np.isfinite(gradient(lambda t: f.softmax(t)[:, 0], x)).all()


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_cross_entropy_against_its_definition(reduction):
    reduce = {"mean": np.mean, "sum": np.sum, "none": np.asarray}[reduction]
    log_p = X - np.log(np.exp(X).sum(1, keepdims=True))
    x = zen.tensor(X)
    np.testing.assert_allclose(
        f.cross_entropy(x, CLASSES, reduction=reduction).array, reduce(-log_p[np.arange(4), CLASSES])
    )
    np.testing.assert_allclose(f.cross_entropy(x, SOFT, reduction=reduction).array, reduce(-(SOFT * log_p).sum(1)))
    check_gradients(lambda t: f.cross_entropy(t, CLASSES, reduction=reduction), [X])
    check_gradients(lambda t, p: f.cross_entropy(t, p, reduction=reduction), [X, SOFT])


def test_classes_and_certain_probabilities_agree():
    hot = np.eye(3)[CLASSES]
    assert f.cross_entropy(X, CLASSES).item() == pytest.approx(f.cross_entropy(X, hot).item())
    np.testing.assert_allclose(
        gradient(lambda t: f.cross_entropy(t, CLASSES), X), gradient(lambda t: f.cross_entropy(t, hot), X)
    )


def test_the_classes_may_be_along_any_axis():
    images = np.random.default_rng(2).normal(size=(2, 3, 4, 5))
    target = np.random.default_rng(3).integers(0, 3, (2, 4, 5))
    last = f.cross_entropy(np.moveaxis(images, 1, -1), target).item()
    assert f.cross_entropy(images, zen.tensor(target), axis=1).item() == pytest.approx(last)


def test_cross_entropy_is_stable_and_its_gradient_adds_up_to_zero():
    x = [[1e4, 0.0], [0.0, -1e4], [-np.inf, 0.0]]
    np.testing.assert_allclose(f.cross_entropy(zen.tensor(x), [1, 0, 1], reduction="none").array, [1e4, 0, 0])
    grad = gradient(lambda t: f.cross_entropy(t, [1, 0, 1]), x)
    np.testing.assert_allclose(grad.sum(1), 0, atol=1e-15)
    np.testing.assert_allclose(f.cross_entropy(zen.tensor([[-np.inf, 0.0]]), [[0.0, 1.0]]).array, 0)


def log_p(x):
    return x - np.log(np.exp(x).sum(-1, keepdims=True))


WEIGHT = np.array([0.5, 2.0, 1.25])


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize(("weight", "ignored", "smoothing"), [(WEIGHT, -100, 0.0), (None, 2, 0.2), (WEIGHT, 2, 0.3)])
def test_cross_entropy_with_weights_an_ignored_class_and_smoothing(reduction, weight, ignored, smoothing):
    w = np.ones(3) if weight is None else weight
    losses, counted = np.zeros(4), 0.0
    for i, c in enumerate(CLASSES):  # sample by sample, as the definition reads
        if c != ignored:
            q = np.full(3, smoothing / 3) + (1 - smoothing) * np.eye(3)[c]
            losses[i] = -(q * w * log_p(X)[i]).sum()
            counted += w[c]
    expected = {"none": losses, "sum": losses.sum(), "mean": losses.sum() / counted}[reduction]

    def loss(x):
        return f.cross_entropy(
            x, CLASSES, weight=weight, ignore_index=ignored, label_smoothing=smoothing, reduction=reduction
        )

    for x in (X, zen.tensor(X), zen.tensor(X, requires_grad=True)):
        np.testing.assert_allclose(loss(x).array, expected, rtol=1e-13)
    check_gradients(loss, [X], order=2)


def test_probabilities_with_weights_and_smoothing():
    mixed = SOFT * 0.7 + 0.1
    expected = -(mixed * WEIGHT * log_p(X)).sum() / 4
    found = f.cross_entropy(X, SOFT, weight=WEIGHT, label_smoothing=0.3)
    assert found.item() == pytest.approx(expected)
    check_gradients(lambda x, p: f.cross_entropy(x, p, weight=WEIGHT, label_smoothing=0.3), [X, SOFT])


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_nll_loss_is_cross_entropy_without_its_softmax(reduction):
    options = {"weight": WEIGHT, "ignore_index": 1, "reduction": reduction}
    found = f.nll_loss(f.log_softmax(zen.tensor(X)), CLASSES, **options)
    np.testing.assert_allclose(found.array, f.cross_entropy(zen.tensor(X), CLASSES, **options).array)
    check_gradients(lambda x: f.nll_loss(x, CLASSES, **options), [X])


@pytest.mark.parametrize("loss", [f.cross_entropy, f.nll_loss])
def test_a_batch_in_which_every_target_is_ignored(loss):
    x = zen.tensor(X, requires_grad=True)
    mean = loss(x, np.full(4, -100))
    assert math.isnan(mean.item())
    mean.backward()
    np.testing.assert_array_equal(x.gradient, np.zeros((4, 3)))
    assert loss(X, np.full(4, -100), reduction="sum").item() == 0
    assert math.isnan(loss(np.zeros((0, 3)), np.zeros(0, int)).item())


@pytest.mark.parametrize("size", [(3, 17), (300, 10), (3, 5000)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_blocks_of_rows_of_every_length(size, dtype):
    """The kernels work on several short rows, or on a part of a long one, at a time."""
    rng = np.random.default_rng(0)
    x, target, g = rng.normal(size=size) * 5, rng.integers(0, size[1], size[0]), rng.normal(size=size)
    p = np.exp(log_p(x))
    tolerance = {"rtol": 1e-11, "atol": 1e-13} if dtype is np.float64 else {"rtol": 2e-5, "atol": 2e-6}
    t = zen.tensor(x.astype(dtype), requires_grad=True)
    y = f.softmax(t)
    np.testing.assert_allclose(y.array, p, **tolerance)
    np.testing.assert_allclose(f.log_softmax(t).array, log_p(x), **tolerance)
    for function, expected in [
        (f.softmax, p * (g - (g * p).sum(1, keepdims=True))), (f.log_softmax, g - p * g.sum(1, keepdims=True)),
    ]:  # fmt: skip
        t.grad = None
        for times in (1, 2):  # the second gradient is added to the first within one pass
            (function(t) if times == 1 else function(t) + function(t)).backward(g.astype(dtype))
            np.testing.assert_allclose(t.gradient, times * expected, **tolerance)
            t.grad = None
    rows = np.arange(size[0])
    f.cross_entropy(t, target, reduction="none").backward(g[:, 0].astype(dtype))
    np.testing.assert_allclose(t.gradient, (p - np.eye(size[1])[target]) * g[:, :1], **tolerance)
    assert f.cross_entropy(t.detach(), target).item() == pytest.approx(-log_p(x)[rows, target].mean(), rel=1e-5)


def test_nan_and_infinity_in_a_row():
    rows = [[np.nan, 1.0, 2.0], [1.0, np.nan, np.inf], [np.inf, 0.0, 1.0], [-np.inf] * 3, [1.0, 1.0, 1.0]]
    for function in (f.softmax, f.log_softmax):
        for width in (1, 12):  # short rows and those that are searched by lanes
            found = function(zen.tensor([row * width for row in rows])).array
            assert np.isnan(found[:4]).all()
            assert np.isfinite(found[4]).all()


def test_classes_of_any_integer_dtype_and_layout():
    expected = f.cross_entropy(zen.tensor(X), CLASSES).item()
    wide = np.repeat(CLASSES, 2)[::2]
    for target in (CLASSES.astype(np.uint8), CLASSES.astype(">i4"), wide, zen.tensor(CLASSES), CLASSES.tolist()):
        for x in (zen.tensor(X, requires_grad=True), zen.tensor(np.asfortranarray(X), requires_grad=True)):
            loss = f.cross_entropy(x, target)
            assert loss.item() == pytest.approx(expected)
            loss.backward()
            assert x.gradient.shape == X.shape


def test_logits_overwritten_before_backward():
    x = zen.tensor(X, requires_grad=True)
    logits = x * 1.0
    loss = f.cross_entropy(logits, CLASSES)
    view = logits[:]  # it must see the write
    logits.copy_(np.zeros_like(X))
    with pytest.raises(RuntimeError, match="cross_entropy"):
        loss.backward()
    assert not view.detach().numpy().any()


def test_the_error_function_is_as_exact_as_its_dtype():
    x = np.concatenate([np.linspace(-7, 7, 4001), 10.0 ** np.linspace(-300, 0, 50)])
    expected = np.array([math.erf(v) for v in x])
    np.testing.assert_allclose(f.erf(zen.tensor(x)).array, expected, rtol=1e-15)
    single = x[np.abs(x) > 1e-30].astype(np.float32)
    expected = np.array([math.erf(v) for v in single])
    np.testing.assert_allclose(f.erf(zen.tensor(single)).array, expected, rtol=5e-7)
    special = f.erf(zen.tensor([np.inf, -np.inf, np.nan, -0.0])).array
    np.testing.assert_array_equal(special, [1, -1, np.nan, 0])
    assert np.signbit(special[3])


def test_dtype_stays_float32():
    x = zen.tensor(X.astype(np.float32), requires_grad=True)
    loss = f.cross_entropy(x, CLASSES)
    assert loss.dtype == np.float32
    loss.backward()
    assert x.gradient.dtype == np.float32
    assert f.softmax(zen.tensor([1, 2])).dtype == np.float64


def test_activations_with_parameters():
    x = np.array([-2.0, -0.5, 0.5, 2.0])
    t = zen.tensor(x)
    np.testing.assert_allclose(f.leaky_relu(t).array, np.where(x > 0, x, 0.01 * x))
    np.testing.assert_allclose(f.leaky_relu(t, negative_slope=0.2).array, np.where(x > 0, x, 0.2 * x))
    np.testing.assert_allclose(f.elu(t, alpha=2.0).array, np.where(x > 0, x, 2 * np.expm1(x)))
    np.testing.assert_allclose(f.softplus(t, beta=2.0).array, np.log1p(np.exp(2 * x)) / 2)
    phi = np.array([0.5 * (1 + math.erf(v / math.sqrt(2))) for v in x])
    np.testing.assert_allclose(f.gelu(t).array, x * phi)
    np.testing.assert_allclose(f.gelu(t, approximate="tanh").array, x * phi, atol=1e-3)
    assert not np.array_equal(f.gelu(t).array, f.gelu(t, "tanh").array)


def test_clip_with_open_sides_and_numpys_names():
    x = np.array([-2.0, 0.0, 1.0, 2.0])
    t = zen.tensor(x)
    for limits in [(-1.0, 1.0), (None, 1.0), (-1.0, None)]:
        np.testing.assert_array_equal(f.clip(t, *limits).array, np.clip(x, *limits))
        np.testing.assert_array_equal(np.clip(t, *limits).array, np.clip(x, *limits))
    np.testing.assert_array_equal(np.clip(t, a_min=0.0, a_max=1.0).array, [0, 0, 1, 1])
    np.testing.assert_array_equal(f.clip(t, min=0.0).array, [0, 0, 1, 2])
    np.testing.assert_array_equal(f.clip(zen.tensor([1, 5]), None, 3).array, [1, 3])
    assert f.clip(zen.tensor([1, 5]), None, 3).dtype == np.int64
    np.testing.assert_array_equal(gradient(lambda v: f.clip(v, None, 1.0), x), [1, 1, 1, 0])  # limits included
    assert f.clip(zen.tensor(x.astype(np.float32)), 0.0).dtype == np.float32


def test_where_with_any_condition():
    np.testing.assert_array_equal(f.where(np.array([0, 2]), zen.tensor([1.0, 2.0]), 5.0).array, [5, 2])
    assert f.where(zen.tensor([1.0, 0.0], requires_grad=True), 1.0, zen.tensor([2.0, 3.0])).tolist() == [1, 3]
    assert f.where(True, zen.tensor(np.float32(1)), 0.0).dtype == np.float32


def test_the_branch_not_taken_gives_exactly_zero():
    x = np.array([0.0, 1.0])
    found = gradient(lambda t: f.where(t > 0, f.log(f.where(t > 0, t, 1.0)), 0.0), x)
    np.testing.assert_array_equal(found, [0, 1])


def test_round_to_decimals():
    x = np.array([0.125, 2.5, -1.26, 1234.5])
    for decimals in (0, 1, 2, -2):
        np.testing.assert_allclose(f.round(zen.tensor(x), decimals).array, np.round(x, decimals))
        np.testing.assert_allclose(np.round(zen.tensor(x), decimals).array, np.round(x, decimals))
    np.testing.assert_array_equal(f.round(zen.tensor([14, 15]), -1).array, np.round([14, 15], -1))
    np.testing.assert_array_equal(gradient(f.round, x), np.zeros(4))


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: f.cross_entropy(X, [0, 1, 2, 3]), IndexError, r"cross_entropy: class 3 .*\(4, 3\)"),
        (lambda: f.cross_entropy(X, [0, 1, 2, -1]), IndexError, r"cross_entropy: class -1"),
        (lambda: f.cross_entropy(X, [0, 1]), ValueError, r"cross_entropy: target of shape \(2,\).*\(4, 3\)"),
        (lambda: f.cross_entropy(X, SOFT[:2]), ValueError, r"cross_entropy: .*probabilities"),
        (lambda: f.cross_entropy(X, CLASSES, reduction="avg"), ValueError, r"cross_entropy: reduction.*'avg'"),
        (lambda: f.cross_entropy(zen.tensor(X), [0, 1, 2, 3]), IndexError, r"cross_entropy: class 3 .*\(4, 3\)"),
        (lambda: f.cross_entropy(X, CLASSES, label_smoothing=1.5), ValueError, r"label_smoothing .* \[0, 1\], not 1.5"),
        (lambda: f.cross_entropy(X, CLASSES, weight=[1.0, 2.0]), ValueError, r"weight of .*\(2,\); expected \(3,\)"),
        (
            lambda: f.cross_entropy(X, CLASSES, weight=zen.ones(3, requires_grad=True)),
            TypeError,
            r"cross_entropy: weight .*detach",
        ),
        (lambda: f.nll_loss(X, CLASSES, ignore_index=2**63), ValueError, "nll_loss: ignore_index must fit in 64 bits"),
        (lambda: f.cross_entropy(X, SOFT, ignore_index=1), ValueError, r"ignore_index .*probabilities"),
        (lambda: f.nll_loss(X, [0, 1, 2, 3]), IndexError, r"nll_loss: class 3 .*\(4, 3\)"),
        (lambda: f.nll_loss(X, SOFT), ValueError, r"nll_loss: target of shape \(4, 3\)"),
        (lambda: f.nll_loss(X, CLASSES, reduction="avg"), ValueError, r"nll_loss: reduction.*'avg'"),
        (lambda: f.softmax(X, 2), ValueError, r"softmax: axis 2.*\(4, 3\)"),
        (lambda: f.log_softmax(1.0, 1), ValueError, r"log_softmax: axis 1 is out of range"),
        (lambda: f.gelu(X, "erf"), ValueError, r"gelu: .*'erf'"),
        (lambda: f.tanhh, AttributeError, r"zen\.f' has no attribute 'tanhh'; did you mean 'tanh'"),
    ],
)
def test_errors_say_what_is_wrong(call, error, words):
    with pytest.raises(error, match=words):
        call()
