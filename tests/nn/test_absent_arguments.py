"""Arguments that PyTorch has and zen has not: each is refused in the name of what was called, with what to write."""

import copy
import pickle

import numpy as np
import pytest

import zen
from zen import f, nn, optim
from zen.optim import lr_scheduler

X, Y = np.ones((2, 3)), np.zeros((2, 3))
W = [zen.tensor([1.0], requires_grad=True)]
LOSSES = [
    "mse_loss", "l1_loss", "smooth_l1_loss", "binary_cross_entropy", "binary_cross_entropy_with_logits", "kl_div",
    "poisson_nll_loss", "hinge_embedding_loss", "soft_margin_loss", "multi_margin_loss", "multilabel_margin_loss",
    "multilabel_soft_margin_loss", "cross_entropy", "nll_loss",
]  # fmt: skip


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize(("argument", "advice"), [
    ("size_average", "write reduction='mean' or 'sum'"), ("reduce", "write reduction='none' for False"),
])  # fmt: skip
def test_losses(name, argument, advice):
    with pytest.raises(TypeError, match=f"{name}: there is no argument '{argument}'; {advice}"):
        getattr(f, name)(X, Y, **{argument: False})


def test_losses_of_three():
    for name in ("cosine_embedding_loss", "margin_ranking_loss", "triplet_margin_loss"):
        with pytest.raises(TypeError, match=f"{name}: there is no argument 'reduce'; write reduction='none'"):
            getattr(f, name)(X, Y, X, reduce=False)


@pytest.mark.parametrize(("call", "message"), [
    (lambda: nn.Linear(2, 3, device="cpu"), "Linear: there is no argument 'device'; leave it out: zen"),
    (lambda: nn.Transformer(8, 2, device=None), "Transformer: there is no argument 'device'"),
    (lambda: nn.LSTM(2, 3, device="cpu"), "LSTM: there is no argument 'device'"),
    (lambda: nn.MSELoss(size_average=True), "MSELoss: there is no argument 'size_average'; write reduction="),
    (lambda: nn.Hardtanh(min_value=0.0), "Hardtanh: there is no argument 'min_value'; write min_val"),
    (lambda: optim.Adam(W, fused=True), "Adam: there is no argument 'fused'; leave it out: a step takes one pass"),
    (lambda: optim.SGD(W, lr=0.1, foreach=False), "SGD: there is no argument 'foreach'"),
    (lambda: optim.NAdam(W, differentiable=True), "NAdam: there is no argument 'differentiable'; leave it out: write"),
    (lambda: optim.AdamW(W, capturable=True), "AdamW: there is no argument 'capturable'"),
    (lambda: zen.data.DataLoader([1], pin_memory=True), "DataLoader: there is no argument 'pin_memory'"),
    (lambda: zen.data.DataLoader([1], persistent_workers=True), "'persistent_workers'; leave it out: workers are"),
    (lambda: optim.Adam(W, rate=1), "unexpected keyword argument 'rate'"),
])  # fmt: skip
def test_classes(call, message):
    with pytest.raises(TypeError, match=message):
        call()


def test_a_layer_of_ones_own_may_take_them():
    class Own(nn.Linear):
        def __init__(self, size, device=None):
            super().__init__(size, size)
            self.device = device

    class Descent(optim.SGD):
        def __init__(self, params, foreach=None):
            super().__init__(params, lr=0.5)

    assert Own(2, device="cpu").device == "cpu" and nn.Identity(device="cpu") is not None
    opt = Descent(W, foreach=True)
    for twin in (copy.deepcopy(opt), pickle.loads(pickle.dumps(optim.SGD(W, lr=0.5)))):
        assert twin.param_groups[0]["lr"] == 0.5
    assert lr_scheduler.StepLR(opt, 1).get_last_lr() == [0.5]


@pytest.mark.parametrize(("module", "name", "advice"), [
    (nn, "LazyConv2d", "write zen.nn.Conv2d, with the size of its input"),
    (nn, "weight_norm", "zen.nn.parametrizations"),
    (nn, "utils", "write zen.optim.clip_grad_norm_ and its like, zen.nn.param"),
    (nn, "CrossMapLRN2d", "LocalResponseNorm"),
    (f, "upsample", "write zen.f.interpolate"), (optim, "SparseAdam", "write zen.optim.Adam, as gradients are dense"),
])  # fmt: skip
def test_names_that_are_called_otherwise(module, name, advice):
    with pytest.raises(AttributeError, match=advice):
        getattr(module, name)
