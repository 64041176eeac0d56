"""Both modes compute one derivative of every layer and loss, in its inputs and its parameters, with every setting."""

import copy

import numpy as np
import pytest
from adjoint import check_adjoint

import zen
from zen import nn

RNG = np.random.default_rng(0)
F8 = {"dtype": "float64"}
X, Y = RNG.normal(size=(4, 6)), RNG.normal(size=(4, 6))
P, Q = RNG.uniform(0.1, 0.9, size=(4, 6)), RNG.uniform(0.1, 0.9, size=(4, 6))
VOLUMES = RNG.normal(size=(1, 2, 2, 4, 4))
SIGNALS, IMAGES, SEQUENCE = RNG.normal(size=(2, 4, 9)), RNG.normal(size=(2, 4, 6, 7)), RNG.normal(size=(5, 2, 6))
CLASSES, WEIGHTS, SIGNS = np.array([0, 2, 5, 2]), RNG.uniform(0.5, 2, 6), np.where(Y > 0, 1.0, -1.0)
FOUND = np.tile([1, 2, 5, 5], (2, 4, 1))  # of two values for one place the last counts
REDUCTIONS = ("mean", "sum", "none")

LAYERS = [
    (nn.Linear(6, 3, **F8), X), (nn.Linear(6, 3, bias=False, **F8), SEQUENCE), (nn.Bilinear(6, 6, 2, **F8), X, Y),
    (nn.Embedding(7, 3, **F8), CLASSES), (nn.Embedding(7, 3, padding_idx=2, **F8), CLASSES),
    (nn.Embedding(7, 3, padding_idx=-5, scale_grad_by_freq=True, **F8), CLASSES),
    (nn.Conv1d(4, 6, 3, **F8), SIGNALS), (nn.Conv1d(4, 6, 3, 2, 2, 2, 2, **F8), SIGNALS),
    (nn.Conv2d(4, 6, 3, **F8), IMAGES), (nn.Conv2d(4, 4, (2, 3), (2, 1), (1, 2), (2, 1), 4, False, **F8), IMAGES),
    (nn.Conv2d(4, 2, 3, padding="same", **F8), IMAGES),
    (nn.ConvTranspose1d(4, 6, 3, 2, 1, 1, 2, **F8), SIGNALS), (nn.ConvTranspose2d(4, 2, 3, 2, 1, 1, **F8), IMAGES),
    (nn.AvgPool1d(3, 2, 1), SIGNALS), (nn.AvgPool2d(2), IMAGES), (nn.AvgPool2d((2, 3), 2, 1, True, False), IMAGES),
    (nn.AvgPool2d(2, divisor_override=3), IMAGES), (nn.MaxPool1d(3, 2, 1), SIGNALS), (nn.MaxPool2d(2), IMAGES),
    (nn.MaxPool2d(3, 1, 1, 2), IMAGES), (nn.MaxPool2d(2, ceil_mode=True), IMAGES),
    (nn.AdaptiveAvgPool1d(4), SIGNALS), (nn.AdaptiveAvgPool2d((4, 3)), IMAGES), (nn.AdaptiveMaxPool1d(4), SIGNALS),
    (nn.AdaptiveMaxPool2d(3), IMAGES), (nn.BatchNorm1d(6, **F8), X), (nn.BatchNorm1d(6, affine=False), X),
    (nn.BatchNorm2d(4, track_running_stats=False, **F8), IMAGES), (nn.BatchNorm2d(4, **F8).eval(), IMAGES),
    (nn.LayerNorm(6, **F8), X), (nn.LayerNorm((6, 7), elementwise_affine=False), IMAGES), (nn.RMSNorm(6, **F8), X),
    (nn.GroupNorm(2, 4, **F8), IMAGES), (nn.InstanceNorm1d(4, affine=True, **F8), SIGNALS),
    (nn.InstanceNorm2d(4), IMAGES), (nn.Flatten(), IMAGES), (nn.Unflatten(1, (2, 3)), X), (nn.Identity(), X),
    (nn.RNN(6, 3, **F8), SEQUENCE), (nn.RNN(6, 3, 2, "relu", bidirectional=True, **F8), SEQUENCE),
    (nn.LSTM(6, 3, **F8), SEQUENCE), (nn.LSTM(6, 3, 2, False, True, bidirectional=True, **F8), SEQUENCE),
    (nn.GRU(6, 3, **F8), SEQUENCE), (nn.GRU(6, 3, bidirectional=True, **F8), SEQUENCE),
    (nn.RNNCell(6, 3, **F8), X), (nn.LSTMCell(6, 3, **F8), X), (nn.GRUCell(6, 3, **F8), X),
    (nn.MultiheadAttention(6, 2, **F8), SEQUENCE, SEQUENCE, SEQUENCE),
    (nn.TransformerEncoderLayer(6, 2, 8, 0.0, **F8), SEQUENCE),
    (nn.TransformerDecoderLayer(6, 2, 8, 0.0, norm_first=True, **F8), SEQUENCE, SEQUENCE[:3]),
    (nn.GLU(), X), (nn.GLU(0), X), (nn.Softmax(0), X), (nn.Softmax(-1), X), (nn.LogSoftmax(1), X), (nn.Softmin(0), X),
    (nn.PReLU(**F8), X), (nn.PReLU(6, **F8), X), (nn.CELU(1.3), X), (nn.ELU(0.7), X), (nn.GELU(), X),
    (nn.GELU("tanh"), X), (nn.Hardshrink(), X), (nn.Hardsigmoid(), X), (nn.Hardswish(), X), (nn.Hardtanh(-0.5, 0.7), X),
    (nn.LeakyReLU(0.2), X), (nn.LogSigmoid(), X), (nn.Mish(), X), (nn.ReLU(), X), (nn.ReLU6(), X), (nn.SELU(), X),
    (nn.SiLU(), X), (nn.Sigmoid(), X), (nn.Softplus(2, 1), X), (nn.Softshrink(), X), (nn.Softsign(), X),
    (nn.Tanh(), X), (nn.Tanhshrink(), X), (nn.Threshold(0.1, 2.0), X), (nn.CosineSimilarity(), X, Y),
    (nn.PairwiseDistance(1.0), X, Y), (nn.PairwiseDistance(3.0, keepdim=True), X, Y), (nn.Dropout(0.4), X),
    (nn.Dropout1d(0.4), SIGNALS), (nn.Dropout2d(0.4), IMAGES), (nn.Dropout3d(0.4), VOLUMES),
    (nn.AlphaDropout(0.4), X), (nn.FeatureAlphaDropout(0.4), SIGNALS), (nn.RReLU(), X), (nn.Softmax2d(), IMAGES),
    (nn.BatchNorm3d(2, **F8), VOLUMES), (nn.InstanceNorm3d(2, affine=True, **F8), VOLUMES),
    (nn.Conv3d(2, 4, (1, 2, 3), (1, 2, 1), 1, 1, 2, **F8), VOLUMES),
    (nn.Conv3d(2, 2, 2, padding="same", **F8), VOLUMES),
    (nn.ConvTranspose3d(2, 4, 2, 2, 1, 1, 2, **F8), VOLUMES), (nn.AvgPool3d(2, 1, 1, False, False), VOLUMES),
    (nn.MaxPool3d(2, 1), VOLUMES), (nn.AdaptiveAvgPool3d((1, 2, 3)), VOLUMES), (nn.AdaptiveMaxPool3d(2), VOLUMES),
    (nn.LPPool1d(2, 3), SIGNALS), (nn.LPPool2d(2, 2), IMAGES), (nn.LPPool3d(4, 2), VOLUMES),
    (nn.EmbeddingBag(7, 3, **F8), CLASSES[None]), (nn.EmbeddingBag(7, 3, mode="max", **F8), CLASSES, np.array([0, 3])),
    (nn.LocalResponseNorm(2, 0.5), IMAGES), (nn.PixelShuffle(2), IMAGES), (nn.PixelUnshuffle(2), VOLUMES),
    (nn.ChannelShuffle(2), IMAGES), (nn.Unfold(2, 1, 1, 2), IMAGES), (nn.Fold(4, 2), SIGNALS),
    (nn.Upsample(scale_factor=1.5, mode="bicubic"), IMAGES), (nn.UpsamplingBilinear2d((3, 9)), IMAGES),
    (nn.UpsamplingNearest2d((3, 9)), IMAGES), (nn.Transformer(6, 2, 1, 1, 8, 0.0, **F8), SEQUENCE, SEQUENCE[:3]),
    (nn.MaxUnpool1d(2), SIGNALS[..., :4], FOUND), (nn.MaxUnpool2d((1, 2)), SIGNALS[:, :, None, :4], FOUND[:, :, None]),
    (nn.MaxUnpool3d((1, 1, 2)), SIGNALS[:, :, None, None, :4], FOUND[:, :, None, None]),
    (nn.FractionalMaxPool2d(2, 3), IMAGES), (nn.FractionalMaxPool3d(2, output_ratio=0.6), IMAGES[None]),
    (nn.AdaptiveLogSoftmaxWithLoss(6, 7, [1, 3], 2.0, True, **F8), X, CLASSES),
    (nn.CircularPad1d(1), SIGNALS), (nn.CircularPad2d(1), IMAGES), (nn.CircularPad3d(1), VOLUMES),
    (nn.ConstantPad1d(1, 0.5), SIGNALS), (nn.ConstantPad2d(1, 0.5), IMAGES), (nn.ConstantPad3d(1, 0.5), VOLUMES),
    (nn.ReflectionPad1d(1), SIGNALS), (nn.ReflectionPad2d(1), IMAGES), (nn.ReflectionPad3d(1), VOLUMES),
    (nn.ReplicationPad1d(1), SIGNALS), (nn.ReplicationPad2d(1), IMAGES), (nn.ReplicationPad3d(1), VOLUMES),
    (nn.ZeroPad1d(1), SIGNALS), (nn.ZeroPad2d(1), IMAGES), (nn.ZeroPad3d(1), VOLUMES),
]  # fmt: skip
LOSSES = [
    case
    for r in REDUCTIONS
    for case in [
        (nn.BCELoss(WEIGHTS, reduction=r), P, Q),
        (nn.BCEWithLogitsLoss(WEIGHTS, reduction=r, pos_weight=2 * WEIGHTS), X, Q),
        (nn.CrossEntropyLoss(WEIGHTS, reduction=r, ignore_index=2, label_smoothing=0.1), X, CLASSES),
        (nn.CrossEntropyLoss(reduction=r), X, Q), (nn.NLLLoss(WEIGHTS, ignore_index=2, reduction=r), X, CLASSES),
        (nn.CosineEmbeddingLoss(0.1, reduction=r), X, Y, SIGNS[:, 0]), (nn.GaussianNLLLoss(reduction=r), X, Y, P),
        (nn.HingeEmbeddingLoss(reduction=r), P, SIGNS), (nn.HuberLoss(reduction=r, delta=0.7), X, Y),
        (nn.KLDivLoss(reduction=r), X, Q),
        (nn.KLDivLoss(reduction=r, log_target=True), X, Y), (nn.L1Loss(reduction=r), X, Y),
        (nn.MSELoss(reduction=r), X, Y),
        (nn.MarginRankingLoss(0.1, reduction=r), X, Y, SIGNS),
        (nn.MultiMarginLoss(2, 1.0, WEIGHTS, reduction=r), X, CLASSES),
        (nn.PoissonNLLLoss(full=True, reduction=r), X, 5 * P), (nn.SmoothL1Loss(reduction=r, beta=0.5), X, Y),
        (nn.CTCLoss(reduction=r), np.log(Q[:, None]), np.array([[1, 2]]), np.array([4]), np.array([2])),
        (nn.MultiLabelMarginLoss(reduction=r), X, np.tile([2, 1, -1, 0, 3, 4], (4, 1))),
        (nn.MultiLabelSoftMarginLoss(WEIGHTS, reduction=r), X, Q),
        (nn.TripletMarginWithDistanceLoss(swap=True, reduction=r), X, Y, P),
        (nn.SoftMarginLoss(reduction=r), X, SIGNS), (nn.TripletMarginLoss(1.0, 3.0, swap=True, reduction=r), X, Y, P),
    ]
]  # fmt: skip
ALL = [
    pytest.param(module, inputs, id=f"{type(module).__name__}-{k}")
    for k, (module, *inputs) in enumerate([*LAYERS, *LOSSES])
]
WITHOUT = {  # containers, bases, and what is made of the layers above
    "Module", "ModuleDict", "ModuleList", "ParameterDict", "ParameterList", "Sequential", "RNNBase",
    "TransformerDecoder", "TransformerEncoder",
}  # fmt: skip


def test_every_layer_is_there():
    known = {type(p.values[0]).__name__ for p in ALL}
    classes = {n for n in dir(nn) if isinstance(getattr(nn, n), type) and issubclass(getattr(nn, n), nn.Module)}
    assert classes - known - WITHOUT == set()


@pytest.mark.parametrize(("module", "inputs"), ALL)
def test_both_modes_of_a_layer_agree(module, inputs):
    def positions():
        for k, x in enumerate(inputs):
            sign = x.dtype.kind != "f" or set(np.unique(x)) <= {-1.0, 1.0}
            if not sign:
                yield k

    where = list(positions())

    def f(*given):
        zen.random.seed(0)  # the same masks in either mode
        own, args = copy.deepcopy(module), list(inputs)
        for k, x in zip(where, given, strict=False):
            args[k] = x
        for p, value in zip(own.parameters(), given[len(where) :], strict=True):
            p.requires_grad_(False)
            p.copy_(value)
        out = own(*args)
        return tuple(x for x in out if x is not None) if isinstance(out, tuple) else out

    primals = (*(inputs[k] for k in where), *(p.value.copy() for p in module.parameters()))
    check_adjoint(f, primals)
