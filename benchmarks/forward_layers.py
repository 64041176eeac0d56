"""Every layer and loss of zen.nn as a function of inputs and parameters: what `benchmarks.forward --layers` times.

Sizes are those of small models: 64 examples of 128 features, 8 images of 8 channels and 24 x 24, 20 steps of 16
sequences. Parameters are put where the module keeps them, as `nn.functional_call` does without its checks, whose time
would count as that of the layer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

import zen
from zen import nn

F8: Any = {"dtype": "float64"}
RNG = np.random.default_rng(0)


def drawn(*shape: int) -> Any:
    return RNG.normal(size=shape)


X, Y, P, Q = drawn(64, 128), drawn(64, 128), RNG.uniform(0.1, 0.9, (64, 128)), RNG.uniform(0.1, 0.9, (64, 128))
SIGNALS, IMAGES, VOLUMES, STEPS = drawn(16, 8, 200), drawn(8, 8, 24, 24), drawn(4, 4, 12, 12, 12), drawn(20, 16, 32)
CLASSES, SIGNS = RNG.integers(0, 128, 64), np.where(Y > 0, 1.0, -1.0)
ATTENTION = {"dropout": 0.0, **F8}
POOLED = tuple([zen.f.max_pool1d(SIGNALS, 2, return_indices=True), zen.f.max_pool2d(IMAGES, 2, return_indices=True),
                zen.f.max_pool3d(VOLUMES, 2, return_indices=True)])  # fmt: skip
STATE = drawn(64, 64)


def unpooled(k: int) -> tuple[Any, Any]:
    return POOLED[k][0].numpy(), POOLED[k][1].numpy()


Made = tuple[Any, ...]
"""A module, then its inputs."""


def plain() -> Iterator[Made]:
    yield nn.Linear(128, 128, **F8), X
    yield nn.Bilinear(16, 16, 16, **F8), X[:, :16], Y[:, :16]
    yield nn.Embedding(128, 64, **F8), RNG.integers(0, 128, (16, 20))
    yield nn.EmbeddingBag(128, 64, **F8), RNG.integers(0, 128, (16, 20))
    yield from [(layer, X) for layer in (nn.Identity(), nn.Flatten(), nn.Unflatten(1, (16, 8)))]
    yield from [(layer, X) for layer in (nn.Dropout(), nn.AlphaDropout(), nn.FeatureAlphaDropout())]
    yield from [(nn.Dropout1d(), SIGNALS), (nn.Dropout2d(), IMAGES), (nn.Dropout3d(), VOLUMES)]
    yield nn.Sequential(nn.Linear(128, 64, **F8), nn.ReLU(), nn.Linear(64, 10, **F8)), X
    yield nn.CosineSimilarity(), X, Y
    yield nn.PairwiseDistance(), X, Y
    yield nn.AdaptiveLogSoftmaxWithLoss(128, 128, [32, 64], **F8), X, CLASSES


def activations() -> Iterator[Made]:
    for name in (
        "CELU ELU GELU GLU SELU Hardshrink Hardsigmoid Hardswish Hardtanh LeakyReLU LogSigmoid Mish ReLU ReLU6 RReLU "
        "Sigmoid SiLU Softplus Softshrink Softsign Tanh Tanhshrink"
    ).split():
        yield getattr(nn, name)(), X
    yield nn.PReLU(128, **F8), X
    yield nn.Threshold(0.1, 2.0), X
    yield from [(layer(-1), X) for layer in (nn.Softmax, nn.LogSoftmax, nn.Softmin)]
    yield nn.Softmax2d(), IMAGES


def images() -> Iterator[Made]:
    places = ("1d", SIGNALS, 8), ("2d", IMAGES, 8), ("3d", VOLUMES, 4)
    for k, (of, x, channels) in enumerate(places):
        yield getattr(nn, f"Conv{of}")(channels, channels, 3, padding=1, **F8), x
        yield getattr(nn, f"ConvTranspose{of}")(channels, channels, 3, **F8), x
        yield getattr(nn, f"BatchNorm{of}")(channels, **F8), x
        yield getattr(nn, f"BatchNorm{of}")(channels, **F8).eval(), x
        yield getattr(nn, f"InstanceNorm{of}")(channels, affine=True, **F8), x
        for pool in ("AvgPool", "MaxPool"):
            yield getattr(nn, f"{pool}{of}")(2), x
            yield getattr(nn, f"Adaptive{pool}{of}")(4), x
        yield getattr(nn, f"LPPool{of}")(2, 2), x
        yield (getattr(nn, f"MaxUnpool{of}")(2), *unpooled(k))
        for pad in ("Circular", "Reflection", "Replication", "Zero"):
            yield getattr(nn, f"{pad}Pad{of}")(1), x
        yield getattr(nn, f"ConstantPad{of}")(1, 0.5), x
    yield from [(nn.FractionalMaxPool2d(2, 11), IMAGES), (nn.FractionalMaxPool3d(2, 5), VOLUMES)]
    yield nn.GroupNorm(4, 8, **F8), IMAGES
    yield nn.LocalResponseNorm(3), IMAGES
    yield from [(layer(2), IMAGES) for layer in (nn.PixelShuffle, nn.PixelUnshuffle, nn.ChannelShuffle)]
    yield nn.Unfold(3, padding=1), IMAGES
    yield nn.Fold((26, 26), 3), drawn(8, 72, 576)
    yield from [(nn.Upsample(scale_factor=2, mode=mode), IMAGES) for mode in ("nearest", "bilinear", "bicubic")]
    yield from [(layer(scale_factor=2), IMAGES) for layer in (nn.UpsamplingBilinear2d, nn.UpsamplingNearest2d)]


def sequences() -> Iterator[Made]:
    yield from [(layer(128, **F8), X) for layer in (nn.LayerNorm, nn.RMSNorm)]
    yield from [(layer(32, 64, **F8), STEPS) for layer in (nn.RNN, nn.LSTM, nn.GRU)]
    yield from [(layer(128, 64, **F8), X, STATE) for layer in (nn.RNNCell, nn.GRUCell)]
    yield nn.LSTMCell(128, 64, **F8), X, (STATE, STATE)
    yield nn.MultiheadAttention(32, 4, **F8), STEPS, STEPS, STEPS
    encoder, decoder = nn.TransformerEncoderLayer, nn.TransformerDecoderLayer
    yield encoder(32, 4, 64, **ATTENTION), STEPS
    yield decoder(32, 4, 64, **ATTENTION), STEPS, STEPS
    yield nn.TransformerEncoder(encoder(32, 4, 64, **ATTENTION), 2), STEPS
    yield nn.TransformerDecoder(decoder(32, 4, 64, **ATTENTION), 2), STEPS, STEPS
    yield nn.Transformer(32, 4, 1, 1, 64, **ATTENTION), STEPS, STEPS


def losses() -> Iterator[Made]:
    yield nn.BCELoss(), P, Q
    yield nn.BCEWithLogitsLoss(), X, Q
    yield nn.CrossEntropyLoss(), X, CLASSES
    yield nn.NLLLoss(), X, CLASSES
    yield nn.CosineEmbeddingLoss(), X, Y, SIGNS[:, 0]
    yield nn.GaussianNLLLoss(), X, Y, P
    yield nn.HingeEmbeddingLoss(), P, SIGNS
    yield nn.MarginRankingLoss(), X, Y, SIGNS
    yield nn.MultiMarginLoss(), X, CLASSES
    yield nn.MultiLabelMarginLoss(), X, RNG.permuted(np.tile(np.arange(128), (64, 1)), axis=1)
    yield nn.MultiLabelSoftMarginLoss(), X, (Y > 0) * 1.0
    yield nn.SoftMarginLoss(), X, SIGNS
    yield from [(layer(), X, Y) for layer in (nn.HuberLoss, nn.L1Loss, nn.MSELoss, nn.SmoothL1Loss)]
    yield from [(layer(), X, Q) for layer in (nn.KLDivLoss, nn.PoissonNLLLoss)]
    yield from [(layer(), X, Y, P) for layer in (nn.TripletMarginLoss, nn.TripletMarginWithDistanceLoss)]
    scores = zen.f.log_softmax(drawn(20, 16, 32)).numpy()
    yield nn.CTCLoss(), scores, RNG.integers(1, 32, (16, 8)), np.full(16, 20), np.full(16, 8)


class Layer(NamedTuple):
    name: str
    f: Callable[..., Any]
    primals: tuple[Any, ...]


def layers() -> Iterator[Layer]:
    for family in (plain, activations, images, sequences, losses):
        for module, *inputs in family():
            name = type(module).__name__ + ("" if module.training else ", evaluation")
            if getattr(module, "mode", None) and name == "Upsample":
                name += f", {module.mode}"
            yield layer(name, module, tuple(inputs))


def layer(name: str, module: Any, inputs: tuple[Any, ...]) -> Layer:
    """The module as a function of those inputs that have a derivative, and of its parameters."""
    given = zen.trees.values(inputs)
    moving = [k for k, x in enumerate(given) if x.dtype.kind == "f" and len(np.unique(x)) > 2]
    module.requires_grad_(False)
    places = [(owner.__dict__, key) for owner in module.modules() for key in owner._parameters]
    places = [(held, key) for held, key in places if held[key] is not None]

    def f(*values: Any) -> Any:
        full = list(given)
        for k, x in zip(moving, values, strict=False):
            full[k] = x
        for (held, key), x in zip(places, values[len(moving) :], strict=True):
            held[key] = zen.asarray(x)
        return module(*zen.trees.rebuild(inputs, full))

    parameters = [held[key].numpy() for held, key in places]
    return Layer(name, f, (*[given[k] for k in moving], *parameters))


CONTAINERS = {"Module", "ModuleDict", "ModuleList", "ParameterDict", "ParameterList", "RNNBase"}
"""What holds others and computes nothing."""


def absent(known: set[str]) -> list[str]:
    """The classes of zen.nn that no case times."""
    classes = {name for name, value in vars(nn).items() if isinstance(value, type) and issubclass(value, nn.Module)}
    return sorted(classes - CONTAINERS - {name.split(",")[0] for name in known})
