"""NaN in is NaN out: no function swallows one, in its value or in its gradient.

One element of a differentiable row, of its composition, an activation, loss or pooling becomes nan. Every result that
depends on that element is nan then. Its gradient is nan, or, where the derivative does not depend on the value (as in a
sum), what it is elsewhere: never a zero that is no zero elsewhere. What is otherwise stands here with its reason.
"""

import numpy as np
import pytest
from drawing import COMPOSED, DIFFERENTIABLE, ROWS, cases, joined

import zen
from zen import f

PASSED_OVER = dict.fromkeys(
    ("fmax", "fmin", "nanmax", "nanmin"), "by definition nan counts for nothing beside a number"
)
ZERO_GRADIENT = {
    **PASSED_OVER,
    "clip": "PyTorch's clamp gives 0 outside of the limits and for nan",
    "complex_clip": "as clip",
    "cosine_embedding_loss": "PyTorch's clamp",
}
VALUES = {
    **PASSED_OVER,
    **dict.fromkeys(("det", "inv", "solve"), "LAPACK's elimination passes over some nans, as in NumPy and PyTorch"),
    "cofactor_slope": "for 2 x 2 it does not depend on the matrix, but its rounding does",
    "sort": "the other elements move up, and nan comes last, as in NumPy",
}
NEEDS_NUMBERS = {
    "binary_cross_entropy": (ValueError, "input must hold probabilities from 0 to 1"),
    **dict.fromkeys(("svd", "pinv"), (np.linalg.LinAlgError, "did not converge")),
    **dict.fromkeys(("eig", "roots"), (np.linalg.LinAlgError, "infs or NaNs")),
}


def check(name, function, arrays, k):
    """`function` of arrays, of which number k is floating: with its first and its last element nan."""
    arrays = [a.copy() for a in arrays]  # in one layout, so that nothing is added in another order
    for place in {0, arrays[k].size - 1}:
        other, spoilt = list(arrays), list(arrays)
        for copies, value in ((other, arrays[k].reshape(-1)[place] * 1.03125), (spoilt, np.nan)):
            copies[k] = arrays[k].copy()
            copies[k].reshape(-1)[place] = value
        with np.errstate(all="ignore"):
            usual, changed, found = (value_of(function, given) for given in (arrays, other, spoilt))
            assert np.isnan(found[usual != changed]).all() or name in VALUES, f"{name} swallows nan"
            usual, found = (gradient_of(function, given, k).reshape(-1)[place] for given in (arrays, spoilt))
        if usual != 0:
            assert found != 0 or name in ZERO_GRADIENT, f"{name}: the gradient at nan is {found}, elsewhere {usual}"


def value_of(function, arrays):
    return function(*map(zen.tensor, arrays)).array


def gradient_of(function, arrays, k):
    leaf = zen.tensor(arrays[k], requires_grad=True)
    given = list(arrays)
    given[k] = leaf
    y = function(*given)
    weights = np.linspace(1.0, 2.0, y.size).reshape(y.shape).astype(y.dtype)  # ones would cancel in a softmax
    return zen.gradients([y], [leaf], grad_outputs=[weights])[0].array


@pytest.mark.parametrize("name", [n for n in DIFFERENTIABLE if n not in NEEDS_NUMBERS])
def test_rows(name):
    for case in cases(name):
        places = [k for k, a in enumerate(case.args) if a is not None]
        arrays = [np.asarray(case.args[k]) for k in places]
        if name in COMPOSED and not all([a.size for a in arrays]):
            continue
        calls = [case, composed(case)] if name in COMPOSED else [case]
        for call in calls:
            for k in case.floating:
                if np.size(case.args[k]):
                    check(name, called(call, places, len(case.args)), arrays, places.index(k))


def composed(case):
    return lambda *args: joined(ROWS[case.name].composition(*args, *case.params))


def called(function, places, count):
    """`function` of the arguments at `places`; the others are None."""

    def of_some(*given):
        inputs = [None] * count
        for k, a in zip(places, given, strict=True):
            inputs[k] = a if isinstance(a, zen.Tensor) else zen.tensor(a)
        return function(*inputs)

    return of_some


X = np.array([[0.75, -2.5, 0.25], [1.5, -0.125, 4.0]])
ACTIVATIONS = {
    name: getattr(f, name)
    for name in (
        "relu leaky_relu elu selu celu gelu silu mish softplus logsigmoid sigmoid tanh hardtanh relu6 hardsigmoid "
        "hardswish softsign tanhshrink softshrink hardshrink softmax log_softmax softmin"
    ).split()
}
ACTIVATIONS |= {
    "threshold": lambda x: f.threshold(x, 0.1, 7.0),
    "threshold below": lambda x: f.threshold(x, 9.0, 7.0),
    "gelu by tanh": lambda x: f.gelu(x, "tanh"),
    "clip from below": lambda x: f.clip(x, 0.0),
    "glu": lambda x: f.glu(x, 0),
    "prelu": lambda x: f.prelu(x, zen.tensor([0.25])),
    "max_pool1d": lambda x: f.max_pool1d(x, 2),
    "avg_pool1d": lambda x: f.avg_pool1d(x, 2, 1),
    "adaptive_max_pool1d": lambda x: f.adaptive_max_pool1d(x, 2),
    "adaptive_avg_pool1d": lambda x: f.adaptive_avg_pool1d(x, 2),
    "max_pool2d": lambda x: f.max_pool2d(x[None], 2, 1),
    "1-norm": lambda x: f.vector_norm(x, 1, ord=1),
    "inf-norm": lambda x: f.vector_norm(x, 1, ord=np.inf),
    "matrix norm": lambda x: f.matrix_norm(x, ord=1),
    "sort": f.sort, "cumsum": lambda x: f.cumsum(x, 1), "tril": f.tril, "round": lambda x: f.round(x, 1),
    "prod": lambda x: f.prod(x, 1), "matrix_power": lambda x: f.matrix_power(x[:, :2], 3),
}  # fmt: skip


@pytest.mark.parametrize("name", ACTIVATIONS)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_activations_poolings_and_norms(name, dtype):
    for sign in (1, -1):
        check(name.split()[0], ACTIVATIONS[name], [sign * X.astype(dtype)], 0)


@pytest.mark.parametrize("function", [f.hardshrink, f.softshrink, f.relu, f.relu6, f.hardtanh, f.leaky_relu, f.elu])
def test_the_gradient_at_nan_of_a_kinked_function_is_not_zero(function):
    """As in PyTorch, where a comparison with nan picks the branch that passes the gradient on."""
    x = zen.tensor([np.nan, 0.75, np.nan], requires_grad=True)
    y = function(x)
    y.sum().backward()
    assert np.isnan(y.array[::2]).all() and (x.gradient[::2] != 0).all()


def test_maximum_and_minimum_pass_the_gradient_to_both_where_one_is_nan():
    for function in (f.maximum, f.minimum):
        a, b = zen.tensor([np.nan, 1.0], requires_grad=True), zen.tensor([2.0, np.nan], requires_grad=True)
        function(a, b).sum().backward()
        np.testing.assert_array_equal([a.gradient, b.gradient], np.ones((2, 2)))


T = np.array([[0.5, -1.5, 1.25], [2.0, 0.25, 3.0]])
P, Q = np.array([[0.25, 0.5, 0.25], [0.125, 0.75, 0.125]]), np.array([[0.5, 0.25, 0.25], [0.25, 0.5, 0.25]])
SIGNS = np.array([[1.0, -1.0, 1.0], [-1.0, 1.0, 1.0]])
LOSSES = {
    "mse_loss": (f.mse_loss, X, T),
    "l1_loss": (f.l1_loss, X, T),
    "huber_loss": (f.huber_loss, X, T),
    "smooth_l1_loss": (f.smooth_l1_loss, X, T),
    "smooth_l1_loss of beta 0": (lambda x, t: f.smooth_l1_loss(x, t, beta=0.0), X, T),
    "binary_cross_entropy_with_logits": (f.binary_cross_entropy_with_logits, X, P),
    "binary_cross_entropy_with_logits, weighted": (
        lambda x, t: f.binary_cross_entropy_with_logits(x, t, pos_weight=np.array([2.0, 3.0, 0.5])), X, P),
    "kl_div": (f.kl_div, np.log(Q), P),
    "kl_div of logarithms": (lambda x, t: f.kl_div(x, t, log_target=True), np.log(Q), np.log(P)),
    "poisson_nll_loss": (lambda x, t: f.poisson_nll_loss(x, t, full=True), X, np.abs(T)),
    "gaussian_nll_loss": (f.gaussian_nll_loss, X, T, np.abs(X)),
    "soft_margin_loss": (f.soft_margin_loss, X, SIGNS),
    "hinge_embedding_loss": (lambda x: f.hinge_embedding_loss(x, SIGNS), X),
    "margin_ranking_loss": (lambda x, y: f.margin_ranking_loss(x, y, SIGNS, margin=9.0), X, T),
    "cosine_embedding_loss": (lambda x, y: f.cosine_embedding_loss(x, y, [1, -1], margin=-1.0), X, T),
    "cosine_similarity": (f.cosine_similarity, X, T),
    "multi_margin_loss": (lambda x: f.multi_margin_loss(x, [0, 2], margin=9.0), X),
    "triplet_margin_loss": (lambda *x: f.triplet_margin_loss(*x, margin=9.0, swap=True), X, T, P),
    "pairwise_distance": (f.pairwise_distance, X, T),
    "cross_entropy": (lambda x: f.cross_entropy(x, [0, 2]), X),
    "cross_entropy of probabilities": (f.cross_entropy, X, P),
    "cross_entropy of certain probabilities": (f.cross_entropy, X, np.eye(3)[:2]),
    "cross_entropy, smoothed": (lambda x: f.cross_entropy(x, [0, 2], label_smoothing=0.1), X),
    "nll_loss": (lambda x: f.nll_loss(x, [0, 2]), X),
}  # fmt: skip


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", LOSSES)
def test_losses(name, dtype):
    function, *arrays = LOSSES[name]
    for k in range(len(arrays)):
        check(name, function, [a.astype(dtype) for a in arrays], k)


@pytest.mark.parametrize("name", NEEDS_NUMBERS)
def test_what_refuses_nan_says_so(name):
    error, message = NEEDS_NUMBERS[name]
    x = np.full(3 if name == "roots" else (2, 2), np.nan)
    with pytest.raises(error, match=f"{name}: .*{message}"):
        getattr(f, name)(zen.tensor(x), *([x] if name == "binary_cross_entropy" else []))


def test_kl_div_of_targets_that_are_nan_zero_and_negative():
    """t * log(t) - t * x: the derivative in t is log(t) + 1 - x. It is -inf at 0, and below it there is none."""
    x, t = zen.tensor([-1.0] * 4, requires_grad=True), zen.tensor([np.nan, 0.0, -0.5, 0.5], requires_grad=True)
    y = f.kl_div(x, t, reduction="none")
    np.testing.assert_allclose(y.array, [np.nan, 0, np.nan, 0.5 * np.log(0.5) + 0.5])
    with np.errstate(all="ignore"):
        y.sum().backward()
    np.testing.assert_allclose(t.gradient, [np.nan, -np.inf, np.nan, np.log(0.5) + 2])
    np.testing.assert_allclose(x.gradient, [np.nan, 0, 0.5, -0.5])


def test_infinite_logits_of_binary_cross_entropy():
    """An infinite logit costs nothing where it is right, and is infinitely wrong otherwise; weighted ones as well."""
    for weight in (None, np.array(3.0)):
        x, t = zen.tensor([np.inf, np.inf, -np.inf, -np.inf], requires_grad=True), np.array([0.0, 1.0, 0.0, 1.0])
        y = f.binary_cross_entropy_with_logits(x, t, reduction="none", pos_weight=weight)
        np.testing.assert_array_equal(y.array, [np.inf, 0, 0, np.inf])
        y.sum().backward()
        np.testing.assert_array_equal(x.gradient, [1, 0, 0, -1 if weight is None else -3])
