"""Both modes compute one derivative of every layer and loss, in its inputs and its parameters, with every setting: in
training and evaluation, in double and single precision, of complex numbers where the layer takes them.
"""

import numpy as np
import pytest
from adjoint import check_adjoint
from every_layer import CASES, every_case, named

import zen
from zen import nn, trees
from zen.nn import parametrize

BASES = {"Module", "RNNBase"}  # whose subclasses compute
OF_COMPLEX = set(
    """AdaptiveAvgPool1d AdaptiveAvgPool2d AdaptiveAvgPool3d AvgPool1d AvgPool2d AvgPool3d Bilinear ChannelShuffle
    CircularPad1d CircularPad2d CircularPad3d ConstantPad1d ConstantPad2d ConstantPad3d Conv1d Conv2d Conv3d
    ConvTranspose1d ConvTranspose2d ConvTranspose3d Dropout Dropout1d Dropout2d Dropout3d Embedding EmbeddingBag
    Flatten Fold GRU GRUCell Identity L1Loss LSTM LSTMCell Linear MaxUnpool1d MaxUnpool2d MaxUnpool3d ModuleDict
    PairwiseDistance ParametrizationList ParametrizedConv2d ParametrizedLinear PixelShuffle PixelUnshuffle RNN
    RNNCell ReflectionPad1d ReflectionPad2d ReflectionPad3d ReplicationPad1d ReplicationPad2d ReplicationPad3d
    Sequential SiLU Sigmoid Softsign Tanh Tanhshrink TripletMarginLoss Unflatten Unfold Upsample UpsamplingBilinear2d
    UpsamplingNearest2d ZeroPad1d ZeroPad2d ZeroPad3d _SpectralNorm _WeightNorm""".split()
)


def test_every_layer_is_there():
    known = {name for case in CASES for name in named(case.module)}
    classes = {n for space in (nn, parametrize) for n, value in vars(space).items() if is_layer(value)}
    assert classes - known == BASES


def is_layer(value):
    return isinstance(value, type) and issubclass(value, nn.Module) and not value.__name__.startswith("_")


@every_case
def test_both_modes_of_a_layer_agree(case):
    check_adjoint(case, case.primals())


@pytest.mark.parametrize("case", [pytest.param(c, id=c.name(k)) for k, c in enumerate(CASES) if c.changes()])
def test_both_modes_agree_in_evaluation(case):
    case = case.evaluated()
    check_adjoint(case, case.primals())


@every_case
def test_both_modes_agree_in_single_precision(case):
    case = case.cast(np.float32)
    check_adjoint(case, case.primals())
    out, tangents = zen.jvp(case, case.primals(), case.primals())
    for y, t in zip(trees.values(out), trees.values(tangents), strict=True):
        assert y.dtype == np.int64 or y.dtype == t.dtype == np.float32


@every_case
def test_both_modes_agree_for_complex_numbers_where_the_layer_takes_them(case):
    case, rng = case.cast(np.complex128), np.random.default_rng(1)
    primals = tuple(x + 0.5j * rng.normal(size=x.shape) for x in case.primals())
    relu = any(getattr(m, "nonlinearity", "") == "relu" for m in case.module.modules())
    if set(named(case.module)) <= OF_COMPLEX and not relu:
        check_adjoint(case, primals)
        return
    with pytest.raises(TypeError, match="not defined here for complex numbers"):
        case(*primals)
