"""Losses, distances and norms of 0-d, empty and broadcast arrays, as in PyTorch: values, gradients, statistics."""

import warnings

import numpy as np
import pytest
import torch
from torch.nn import functional

import zen

SHAPES = [(), (1,), (3,), (2, 3), (0,), (0, 3), (2, 0)]
DRAW = {
    "number": lambda rng, shape: rng.normal(size=shape),
    "probability": lambda rng, shape: rng.uniform(0.1, 0.9, size=shape),
    "logarithm": lambda rng, shape: np.log(rng.uniform(0.1, 0.9, size=shape)),
    "sign": lambda rng, shape: np.where(rng.uniform(size=shape) > 0.5, 1.0, -1.0),
}
PAIRS = {
    "mse_loss": "number number", "l1_loss": "number number", "huber_loss": "number number",
    "smooth_l1_loss": "number number", "poisson_nll_loss": "number probability",
    "binary_cross_entropy": "probability probability", "binary_cross_entropy_with_logits": "number probability",
    "kl_div": "logarithm probability", "hinge_embedding_loss": "number sign", "soft_margin_loss": "number sign",
    "margin_ranking_loss": "number number sign", "triplet_margin_loss": "number number number",
    "gaussian_nll_loss": "number number probability", "pairwise_distance": "number number",
}  # fmt: skip
BROADCASTING = ["mse_loss", "l1_loss", "huber_loss", "smooth_l1_loss", "poisson_nll_loss", "hinge_embedding_loss"]
NOT_AVERAGED = {"pairwise_distance"}
warnings.filterwarnings("ignore", "Using a target size")


def draw(kinds, shapes):
    rng = np.random.default_rng(0)
    return [np.asarray(DRAW[kind](rng, shape)) for kind, shape in zip(kinds.split(), shapes, strict=True)]


def run(module, make, name, arrays, options):
    """Value and gradients; the targets that are signs take none, as in PyTorch."""
    given = [make(a) for a in arrays]
    for t, a in zip(given, arrays, strict=True):
        t.requires_grad_(a.dtype.kind == "f" and not set(np.abs(a).ravel().tolist()) <= {1.0})
    result = getattr(module, name)(*given, **options)
    if any(t.requires_grad for t in given):
        result.sum().backward()
    grads = [
        np.zeros(a.shape) if t.grad is None else t.grad.detach().numpy() for t, a in zip(given, arrays, strict=True)
    ]
    return [result.detach().numpy(), *grads]


@pytest.mark.filterwarnings("ignore")
def same(name, arrays, options):
    theirs = run(functional, torch.tensor, name, arrays, options)
    mine = run(zen.f, zen.tensor, name, arrays, options)
    for a, b in zip(mine, theirs, strict=True):
        assert a.shape == b.shape
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12)


@pytest.mark.filterwarnings("ignore:reduction. 'mean' divides:UserWarning")
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", PAIRS)
def test_losses_of_0d_and_empty_arrays(name, shape, reduction):
    kinds = PAIRS[name]
    options = {} if name in NOT_AVERAGED else {"reduction": reduction}
    same(name, draw(kinds, [shape] * len(kinds.split())), options)


@pytest.mark.parametrize("shape", SHAPES)
def test_batchmean_of_no_samples_is_nan(shape):
    for log_target, kinds in ((False, "logarithm probability"), (True, "logarithm logarithm")):
        same("kl_div", draw(kinds, [shape] * 2), {"reduction": "batchmean", "log_target": log_target})


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("target", [(), (1,), (3,), (2, 1)])
@pytest.mark.parametrize("shape", [(3,), (2, 3), (0, 3), ()])
@pytest.mark.parametrize("name", BROADCASTING)
def test_losses_that_broadcast(name, shape, target):
    if 0 in shape and target == (2, 1):
        return  # no shape in common
    same(name, draw(PAIRS[name], [shape, target]), {"reduction": "none"})


def test_losses_that_broadcast_warn():
    for name in BROADCASTING:
        with pytest.warns(UserWarning, match=f"{name}: input of shape .2, 3. and target of shape .3,."):
            getattr(zen.f, name)(zen.zeros((2, 3)), np.ones(3))


@pytest.mark.parametrize("var", [(), (1,), (3,), (2,), (2, 1), (1, 3), (2, 3), (1, 1), (1, 2, 3), (2, 3, 1)])
@pytest.mark.parametrize("target", [(2, 3), (3,), (1, 3), (2, 1), ()])
def test_gaussian_likelihood_broadcasts(target, var):
    arrays = draw("number number probability", [(2, 3), target, var])
    if var == ():  # PyTorch takes a number, but no 0-d tensor
        found = zen.f.gaussian_nll_loss(*arrays[:2], zen.tensor(arrays[2]), reduction="none")
        same("gaussian_nll_loss", [*arrays[:2], np.full((2, 3), arrays[2])], {"reduction": "none"})
        assert found.shape == (2, 3)
        return
    try:
        run(functional, torch.tensor, "gaussian_nll_loss", arrays, {})
    except ValueError:
        with pytest.raises(ValueError, match="gaussian_nll_loss: var of shape .* fits input of shape"):
            zen.f.gaussian_nll_loss(*arrays)
        return
    same("gaussian_nll_loss", arrays, {"reduction": "none"})


@pytest.mark.parametrize(("shape", "target"), [((3,), ()), ((2, 3), (2,)), ((0, 3), (0,)), ((1,), ()), ((), ())])
def test_classification_losses(shape, target):
    classes = shape[-1] if shape else 1
    scores = draw("number", [shape])[0]
    numbers = np.asarray(np.arange(np.prod(target, dtype=int)).reshape(target) % classes)
    for name in ["cross_entropy", "nll_loss"] * bool(shape) + ["multi_margin_loss"]:
        for reduction in ("mean", "sum", "none"):
            if name == "multi_margin_loss" and reduction == "mean" and not scores.size:
                assert np.isnan(zen.f.multi_margin_loss(scores, numbers).item())  # uninitialised memory in PyTorch
                continue
            same(name, [scores, numbers], {"reduction": reduction})


@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (0, 3)])
def test_cosines(shape):
    same("cosine_similarity", draw("number number", [shape] * 2), {"dim": 0})
    if shape:
        same("cosine_embedding_loss", draw("number number sign", [shape, shape, shape[:-1]]), {"reduction": "none"})


@pytest.mark.parametrize("limits", [(0.0, 0.0), (1.0, 1.0), (-1.0, 1.0)])
@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (0, 3)])
def test_hardtanh_with_equal_limits(shape, limits):
    same("hardtanh", draw("number", [shape]), dict(zip(("min_val", "max_val"), limits, strict=True)))


NORMS = [
    ("BatchNorm1d", (0, 3)), ("BatchNorm1d", (0, 3, 4)), ("BatchNorm1d", (2, 3, 0)), ("BatchNorm1d", (2, 3)),
    ("BatchNorm2d", (0, 3, 2, 2)), ("BatchNorm2d", (2, 3, 0, 2)), ("InstanceNorm1d", (2, 3, 0)),
    ("InstanceNorm2d", (2, 3, 0, 2)), ("InstanceNorm1d", (3, 0)), ("InstanceNorm2d", (3, 2, 2)),
]  # fmt: skip


@pytest.mark.parametrize("tracked", [True, False])
@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize(("name", "shape"), NORMS)
def test_norms_of_empty_batches(name, shape, training, tracked):
    options = {"affine": True, "track_running_stats": tracked}
    x = np.random.default_rng(0).normal(size=shape)
    states = []
    for module, make in ((torch.nn, torch.tensor), (zen.nn, zen.tensor)):
        layer = getattr(module, name)(3, **options, dtype=torch.float64 if module is torch.nn else zen.float64)
        layer.train(training)
        t = make(x)
        t.requires_grad_(True)
        layer(t).sum().backward()
        parts = [t.grad, *[p.grad for p in layer.parameters()], *layer.state_dict().values()]
        states.append([part.detach().numpy() for part in parts])
    for mine, theirs in zip(*states, strict=True):
        assert mine.shape == theirs.shape
        np.testing.assert_allclose(mine, theirs, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(("name", "shape"), [("BatchNorm1d", (1, 3)), ("InstanceNorm1d", (2, 3, 1))])
def test_a_single_value_has_no_variance(name, shape):
    with pytest.raises(ValueError, match="more than 1"):
        getattr(torch.nn, name)(3)(torch.zeros(shape))
    with pytest.raises(ValueError, match="(1|single) value per channel"):
        getattr(zen.nn, name)(3)(zen.zeros(shape, zen.float32))
