"""Every layer and loss of zen.nn in many settings, with inputs: what tests of all of them draw from.

A case is a function of arrays: of the inputs that have a derivative, and of all parameters. Of what is random it has
the same each time.
"""

import copy
from typing import Any, NamedTuple

import numpy as np
import pytest

import zen
from zen import nn, trees

zen.random.seed(0)
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


class Kept(nn.Module):
    """Parameters and layers in each kind of container."""

    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(6, 5, **F8), nn.Linear(5, 5, **F8)])
        self.named = nn.ModuleDict({"inner": nn.Tanh(), "outer": nn.Softplus()})
        self.scales = nn.ParameterList([nn.Parameter(WEIGHTS[:5]), nn.Parameter(Y[0, :5])])
        self.shifts = nn.ParameterDict({"before": nn.Parameter(X[0, :5]), "after": nn.Parameter(np.array(0.5))})

    def forward(self, x):
        for layer, scale in zip(self.layers, self.scales, strict=True):
            x = self.named["inner"](layer(x) * scale + self.shifts["before"])
        return self.named["outer"](x) + self.shifts["after"]


def shared():
    """One layer in two places: its parameters count once."""
    layer = nn.Linear(6, 6, **F8)
    return nn.Sequential(layer, nn.Tanh(), layer)


STATE, CELL, WIDE = RNG.normal(size=(2, 2, 3)), RNG.normal(size=(2, 2, 3)), RNG.normal(size=(2, 2, 4))
WIDE_KEYS = RNG.normal(size=(5, 3, 4))
FLOATING_MASK, PADDING = RNG.normal(size=(5, 5)), np.array([[False] * 5, [False] * 3 + [True] * 2])
CAUSAL = np.triu(np.ones((5, 5), bool), 1)
COMPOSED = [
    (nn.Sequential(nn.Linear(6, 5, **F8), nn.BatchNorm1d(5, **F8), nn.Dropout(0.3), nn.Linear(5, 2, **F8)), X),
    (nn.Sequential(nn.Conv2d(4, 4, 3, **F8), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(16, 3, **F8)), IMAGES),
    (Kept(), X), (shared(), X),
    (nn.parametrizations.weight_norm(nn.Linear(6, 3, **F8)), X),
    (nn.parametrizations.weight_norm(nn.Conv2d(4, 2, 3, **F8), dim=None), IMAGES),
    (nn.parametrizations.spectral_norm(nn.Linear(6, 3, **F8)), X),
    (nn.RNN(6, 3, 2, batch_first=True, dropout=0.4, **F8), SEQUENCE), (nn.RNN(6, 3, 2, **F8), SEQUENCE, STATE),
    (nn.GRU(6, 3, 2, dropout=0.4, **F8), SEQUENCE, STATE), (nn.GRU(6, 3, **F8), SEQUENCE[:, 0]),
    (nn.LSTM(6, 3, 2, dropout=0.4, **F8), SEQUENCE, (STATE, CELL)), (nn.LSTM(6, 3, **F8), SEQUENCE[:, 0]),
    (nn.LSTM(6, 4, 2, proj_size=3, **F8), SEQUENCE, (STATE, WIDE)),
    (nn.RNNCell(6, 3, nonlinearity="relu", **F8), X, RNG.normal(size=(4, 3))),
    (nn.LSTMCell(6, 3, False, **F8), X, (RNG.normal(size=(4, 3)), RNG.normal(size=(4, 3)))),
    (nn.GRUCell(6, 3, **F8), X, RNG.normal(size=(4, 3))),
    (nn.MultiheadAttention(6, 2, 0.4, add_bias_kv=True, add_zero_attn=True, **F8), SEQUENCE, SEQUENCE, SEQUENCE),
    (nn.MultiheadAttention(6, 3, kdim=4, vdim=2, batch_first=True, **F8), SEQUENCE, WIDE_KEYS, WIDE_KEYS[..., :2]),
    (nn.MultiheadAttention(6, 2, **F8), SEQUENCE, SEQUENCE, SEQUENCE, PADDING, False, FLOATING_MASK),
    (nn.MultiheadAttention(6, 2, **F8), SEQUENCE, SEQUENCE, SEQUENCE, PADDING, True, CAUSAL, False),
    (nn.TransformerEncoderLayer(6, 2, 8, 0.4, "gelu", batch_first=True, norm_first=True, **F8), SEQUENCE),
    (nn.TransformerEncoderLayer(6, 2, 8, 0.0, bias=False, **F8), SEQUENCE, CAUSAL, PADDING),
    (nn.TransformerEncoder(nn.TransformerEncoderLayer(6, 2, 8, 0.4, **F8), 2, nn.LayerNorm(6, **F8)), SEQUENCE),
    (nn.TransformerDecoderLayer(6, 2, 8, 0.4, **F8), SEQUENCE, SEQUENCE[:3], CAUSAL),
    (nn.TransformerDecoder(nn.TransformerDecoderLayer(6, 2, 8, 0.4, **F8), 2), SEQUENCE[:3], SEQUENCE),
    (nn.Transformer(6, 2, 1, 1, 8, 0.4, **F8), SEQUENCE, SEQUENCE[:3]),
    (nn.Embedding(7, 3, max_norm=0.5, **F8), CLASSES),
    (nn.EmbeddingBag(7, 3, mode="sum", **F8), CLASSES[None], None, P[:1, :4]),
    (nn.EmbeddingBag(7, 3, max_norm=0.5, padding_idx=2, **F8), CLASSES[None]),
    (nn.BatchNorm1d(6, momentum=None, **F8), X), (nn.InstanceNorm1d(4, track_running_stats=True, **F8), SIGNALS),
    (nn.LayerNorm((6, 7), bias=False, **F8), IMAGES), (nn.MaxPool2d(2, return_indices=True), IMAGES),
    (nn.Dropout(1.0), X), (nn.Bilinear(6, 6, 2, False, **F8), X, Y), (nn.PairwiseDistance(2.0), X, Y),
    (nn.LPPool2d(1, (2, 3), 1), IMAGES), (nn.Upsample((3, 9)), IMAGES),
    (nn.Upsample(5, mode="linear", align_corners=True), SIGNALS),
]  # fmt: skip


class Case(NamedTuple):
    """A module that holds its own numbers, and inputs: arrays, tuples of these, None."""

    module: Any
    inputs: tuple[Any, ...]

    def name(self, k: int) -> str:
        return f"{type(self.module).__name__}-{k}"

    def moving(self) -> list[int]:
        """Which of the inputs, flattened, have a derivative: what is floating, and not one of the signs 1 and -1."""
        given = trees.values(self.inputs)
        return [k for k, x in enumerate(given) if inexact(x) and not set(np.unique(x)) <= {-1.0, 1.0}]

    def primals(self) -> tuple[Any, ...]:
        given = trees.values(self.inputs)
        return (*[given[k] for k in self.moving()], *[p.value for p in self.module.parameters()])

    def __call__(self, *given: Any) -> Any:
        """The results, as a tuple if there are several, of the moving inputs and all parameters."""
        zen.random.seed(0)
        own, inputs, where = copy.deepcopy(self.module), trees.values(self.inputs), self.moving()
        for k, x in zip(where, given, strict=False):
            inputs[k] = x
        names = [name for name, _ in own.named_parameters()]
        parameters = dict(zip(names, map(zen.asarray, given[len(where) :]), strict=True))
        out = nn.functional_call(own, parameters, tuple(trees.rebuild(self.inputs, inputs)))
        out = [y for y in trees.values(out) if y is not None]
        return out[0] if len(out) == 1 else tuple(out)

    def cast(self, dtype: Any) -> "Case":
        """The module and its floating inputs in another dtype; signs are never complex."""
        inputs, where = trees.values(self.inputs), self.moving()
        signs = np.zeros(0, dtype).real.dtype
        inputs = [x.astype(dtype if k in where else signs) if inexact(x) else x for k, x in enumerate(inputs)]
        return Case(copy.deepcopy(self.module).to(dtype), trees.rebuild(self.inputs, inputs))

    def changes(self) -> bool:
        """Whether it computes something else in evaluation mode: statistics it keeps, what is random or iterated."""
        kept = any(hasattr(m, "running_mean") or "Spectral" in type(m).__name__ for m in self.module.modules())
        return kept or any(getattr(m, name, 0) for m in self.module.modules() for name in ("p", "dropout", "upper"))

    def evaluated(self) -> "Case":
        return Case(copy.deepcopy(self.module).eval(), self.inputs)


def inexact(x: Any) -> bool:
    return isinstance(x, np.ndarray) and x.dtype.kind in "fc"


def named(module: Any) -> list[str]:
    """The classes of the module and of all below it."""
    return [type(m).__name__ for m in module.modules()]


CASES = [Case(module, tuple(inputs)) for module, *inputs in [*LAYERS, *LOSSES, *COMPOSED]]
every_case = pytest.mark.parametrize("case", [pytest.param(c, id=c.name(k)) for k, c in enumerate(CASES)])
"""Runs a test on each."""
