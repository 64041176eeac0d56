"""Losses against PyTorch: values and gradients in all inputs, for each reduction and the arguments that change them."""

import warnings

import numpy as np
import pytest
import torch

import zen
from zen import nn

RNG = np.random.default_rng(0)


def normal(*shape):
    return RNG.normal(size=shape)


def probabilities(*shape):
    return RNG.uniform(0.05, 0.95, size=shape)


def signs(*shape):
    return RNG.choice([-1.0, 1.0], size=shape)


X, T = 2 * normal(5, 4), normal(5, 4)
LABELS, POSITIVE = RNG.integers(0, 2, (5, 4)).astype(float), RNG.uniform(0.5, 2.0, 4)
SIMPLEX = np.array([RNG.dirichlet(np.ones(4)) for _ in range(5)])
CLASSES = np.array([0, 3, 1, 1, 2])
LABEL_SETS = np.array([[3, 0, -1, 1], [-1, 0, 1, 2], [0, 1, 2, 3], [2, -1, 2, 0], [1, 0, 3, -1]])
A, P, N = normal(5, 4), normal(5, 4), normal(5, 4)

CASES = [
    ("MSELoss", {}, (X, T)),
    ("L1Loss", {}, (X, T)),
    ("HuberLoss", {"delta": 0.7}, (X, T)),
    ("HuberLoss", {}, (X, T)),
    ("SmoothL1Loss", {"beta": 0.5}, (X, T)),
    ("SmoothL1Loss", {"beta": 0.0}, (X, T)),
    ("SmoothL1Loss", {}, (X, T)),
    ("BCELoss", {}, (probabilities(5, 4), LABELS)),
    ("BCELoss", {"weight": POSITIVE}, (probabilities(5, 4), SIMPLEX)),
    ("BCEWithLogitsLoss", {}, (10 * X, LABELS)),
    ("BCEWithLogitsLoss", {"pos_weight": POSITIVE}, (10 * X, LABELS)),
    ("BCEWithLogitsLoss", {"weight": POSITIVE}, (X, SIMPLEX)),
    ("KLDivLoss", {}, (np.log(probabilities(5, 4)), SIMPLEX)),
    ("KLDivLoss", {"log_target": True}, (np.log(probabilities(5, 4)), np.log(probabilities(5, 4)))),
    ("PoissonNLLLoss", {}, (X, np.arange(20.0).reshape(5, 4))),
    ("PoissonNLLLoss", {"log_input": False, "full": True}, (probabilities(5, 4), 0.5 + np.arange(20.0).reshape(5, 4))),
    ("GaussianNLLLoss", {"full": True}, (X, T, probabilities(5, 4))),
    ("GaussianNLLLoss", {}, (X, T, probabilities(5, 1))),
    ("GaussianNLLLoss", {}, (X, T, probabilities(5))),
    ("CosineEmbeddingLoss", {"margin": 0.1}, (A, P, signs(5))),
    ("HingeEmbeddingLoss", {"margin": 0.8}, (X, signs(5, 4))),
    ("MarginRankingLoss", {"margin": 0.2}, (X, T, signs(5, 4))),
    ("SoftMarginLoss", {}, (20 * X, signs(5, 4))),
    ("MultiMarginLoss", {}, (X, CLASSES)),
    ("MultiMarginLoss", {"p": 2, "margin": 0.5, "weight": POSITIVE}, (X, CLASSES)),
    ("MultiMarginLoss", {}, (X[0], np.array(2))),
    ("TripletMarginLoss", {}, (A, P, N)),
    ("MultiLabelMarginLoss", {}, (X, LABEL_SETS)),
    ("MultiLabelMarginLoss", {}, (X[0], np.array([1, 2, -1, -1]))),
    ("MultiLabelSoftMarginLoss", {}, (10 * X, LABELS)),
    ("MultiLabelSoftMarginLoss", {"weight": POSITIVE}, (X, SIMPLEX)),
    ("TripletMarginWithDistanceLoss", {}, (A, P, N)),
    ("TripletMarginWithDistanceLoss", {"swap": True, "margin": 0.5}, (A, P, N)),
    ("TripletMarginLoss", {"p": 1.0, "swap": True, "margin": 2.0}, (A, P, N)),
    ("CrossEntropyLoss", {}, (X, CLASSES)),
    ("CrossEntropyLoss", {"weight": POSITIVE, "ignore_index": 1}, (X, CLASSES)),
    ("CrossEntropyLoss", {"weight": POSITIVE, "label_smoothing": 0.2}, (X, CLASSES)),
    ("CrossEntropyLoss", {}, (X, SIMPLEX)),
    ("CrossEntropyLoss", {"label_smoothing": 0.1}, (normal(2, 4, 3), RNG.integers(0, 4, (2, 3)))),
    ("CrossEntropyLoss", {}, (X[0], np.array(3))),
    ("NLLLoss", {"weight": POSITIVE, "ignore_index": 2}, (X, CLASSES)),
    ("NLLLoss", {}, (normal(2, 4, 3), RNG.integers(0, 4, (2, 3)))),
]


def close(mine, theirs):
    np.testing.assert_allclose(mine.array, theirs.detach().numpy(), rtol=1e-9, atol=1e-9)


def run(mine, theirs, inputs):
    ours = [zen.tensor(x, requires_grad=x.dtype.kind == "f") for x in inputs]
    others = [torch.tensor(x, requires_grad=x.dtype.kind == "f") for x in inputs]
    for k in (0, 1) if not isinstance(mine, nn.GaussianNLLLoss) else ():
        if k == 1 and isinstance(mine, (nn.HingeEmbeddingLoss, nn.SoftMarginLoss)):
            ours[1], others[1] = ours[1].detach(), others[1].detach()  # signs
    y, expected = mine(*ours), theirs(*others)
    close(y, expected)
    g = np.random.default_rng(1).normal(size=y.shape)
    y.backward(g)
    expected.backward(torch.tensor(g))
    for a, b in zip(ours, others, strict=True):
        if b.grad is not None:
            close(a.grad, b.grad)


@pytest.mark.filterwarnings("ignore:reduction")  # PyTorch recommends batchmean
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize(("name", "arguments", "inputs"), CASES, ids=lambda v: v if isinstance(v, str) else "")
def test_losses(name, arguments, inputs, reduction):
    tensors = {k: torch.tensor(v) if isinstance(v, np.ndarray) else v for k, v in arguments.items()}
    theirs = getattr(torch.nn, name)(**tensors, reduction=reduction)
    mine = getattr(nn, name)(**arguments, reduction=reduction)
    assert list(mine.state_dict()) == list(theirs.state_dict())
    run(mine, theirs, inputs)


CTC = [
    ((9, 3, 5), [[1, 2, 2, 3], [4, 1, 4, 0], [3, 3, 3, 3]], [9, 7, 8], [4, 3, 2], {}),
    ((9, 3, 5), [1, 2, 2, 3, 4, 1, 4, 3, 3], [9, 7, 8], [4, 3, 2], {}),
    ((6, 2, 4), [[0, 1, 1], [2, 0, 1]], [6, 5], [3, 2], {"blank": 3}),
    ((4, 2, 3), [[1, 1, 2], [1, 2, 1]], [3, 4], [3, 3], {"zero_infinity": True}),
    ((4, 2, 3), [[1, 1], [2, 1]], [4, 4], [0, 1], {}),
    ((5, 3), [1, 2], [5], [2], {}),
]  # fmt: skip


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize(("shape", "targets", "times", "lengths", "options"), CTC)
def test_ctc_loss_behind_log_softmax(shape, targets, times, lengths, options, reduction):
    """PyTorch's own gradient in log_probs is that of logits: it presumes that log_softmax comes before."""
    options = {"reduction": reduction, **options}

    def mine(x):
        return nn.CTCLoss(**options)(zen.f.log_softmax(x, -1), targets, times, lengths)

    def theirs(x):
        given = [torch.tensor(v) for v in (targets, times, lengths)]
        if len(shape) == 2:
            given[1:] = [v[0] for v in given[1:]]
        return torch.nn.CTCLoss(**options)(torch.log_softmax(x, -1), *given)

    run(mine, theirs, (normal(*shape),))


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("name", ["MSELoss", "L1Loss", "HuberLoss", "SmoothL1Loss"])
def test_unequal_shapes_warn_and_are_broadcast(name, reduction):
    mine, theirs = (getattr(m, name)(reduction=reduction) for m in (nn, torch.nn))
    for inputs in ((X, T[0]), (X[:, :1], T[:, 0]), (X[0, 0], T)):
        with pytest.warns(UserWarning) as caught:
            run(mine, theirs, inputs)
        assert [str(w.message).startswith("Using a target size") for w in caught] == [False, True]
    for loss in (mine, theirs):
        with pytest.raises((ValueError, RuntimeError)), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            loss(zen.tensor(X) if loss is mine else torch.tensor(X), zen.zeros(3) if loss is mine else torch.zeros(3))


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("name", ["mse_loss", "l1_loss", "huber_loss"])
def test_weights_of_elements(name, reduction):
    weight = probabilities(5, 4)
    one, other = (getattr(m, name) for m in (zen.f, torch.nn.functional))
    run(lambda x, t, w: one(x, t, reduction=reduction, weight=w),
        lambda x, t, w: other(x, t, reduction=reduction, weight=w), (X, T, weight))  # fmt: skip


def test_the_divergence_itself():
    log_p = np.log(SIMPLEX + 0.1)
    run(nn.KLDivLoss(reduction="batchmean"), torch.nn.KLDivLoss(reduction="batchmean"), (log_p, SIMPLEX))


def test_a_target_of_zero_adds_nothing():
    p = np.array([[0.0, 0.5, 0.5, 0.0]])
    x, other = zen.tensor(np.log(p + 0.1), requires_grad=True), torch.tensor(np.log(p + 0.1), requires_grad=True)
    y, expected = nn.KLDivLoss(reduction="sum")(x, p), torch.nn.KLDivLoss(reduction="sum")(other, torch.tensor(p))
    close(y, expected)
    y.backward()
    expected.backward()
    close(x.grad, other.grad)


@pytest.mark.parametrize(
    ("dim", "shapes"), [(1, [(3, 4), (3, 4)]), (-1, [(2, 1, 4), (3, 4)]), (1, [(3, 4, 2), (4, 1)])]
)
def test_cosine_similarity(dim, shapes):
    run(nn.CosineSimilarity(dim), torch.nn.CosineSimilarity(dim), [normal(*s) for s in shapes])


@pytest.mark.parametrize(("p", "keep"), [(2.0, False), (1.0, True), (3.0, False)])
def test_pairwise_distance(p, keep):
    run(nn.PairwiseDistance(p, keepdim=keep), torch.nn.PairwiseDistance(p, keepdim=keep), [A, P])


def test_certain_probabilities_have_the_same_gradients():
    p = np.array([0.0, 1.0, 0.0, 1.0, 1e-13])
    t = np.array([0.0, 1.0, 1.0, 0.0, 1.0])
    x, other = zen.tensor(p, requires_grad=True), torch.tensor(p, requires_grad=True)
    y, expected = nn.BCELoss(reduction="none")(x, t), torch.nn.BCELoss(reduction="none")(other, torch.tensor(t))
    close(y, expected)
    y.sum().backward()
    expected.sum().backward()
    # PyTorch gives 0 where a certain probability is right. The slope of -log(1 - p) at 0 is 1, and zen gives that.
    np.testing.assert_array_equal(other.grad.numpy()[:2], [0.0, 0.0])
    np.testing.assert_allclose(x.grad.array, [1.0, -1.0, *other.grad.numpy()[2:]], rtol=1e-6)
