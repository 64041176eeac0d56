"""Modules: layers, losses, and what holds them together. Names, arguments and shapes are those of PyTorch's nn.

The functions of PyTorch's nn.functional are in `zen.f`, with `axis` in the place of `dim`: `import zen.f as F`. Those
of its nn.utils that clip gradients are in `zen.optim`; its parametrize and parametrizations, and what turns parameters
into a vector and back, are here.
"""

from typing import TYPE_CHECKING

from ..exports import shown as _shown
from . import init as init
from . import parametrizations as parametrizations
from . import parametrize as parametrize
from .activation import CELU as CELU
from .activation import ELU as ELU
from .activation import GELU as GELU
from .activation import GLU as GLU
from .activation import SELU as SELU
from .activation import Hardshrink as Hardshrink
from .activation import Hardsigmoid as Hardsigmoid
from .activation import Hardswish as Hardswish
from .activation import Hardtanh as Hardtanh
from .activation import LeakyReLU as LeakyReLU
from .activation import LogSigmoid as LogSigmoid
from .activation import LogSoftmax as LogSoftmax
from .activation import Mish as Mish
from .activation import PReLU as PReLU
from .activation import ReLU as ReLU
from .activation import ReLU6 as ReLU6
from .activation import RReLU as RReLU
from .activation import Sigmoid as Sigmoid
from .activation import SiLU as SiLU
from .activation import Softmax as Softmax
from .activation import Softmax2d as Softmax2d
from .activation import Softmin as Softmin
from .activation import Softplus as Softplus
from .activation import Softshrink as Softshrink
from .activation import Softsign as Softsign
from .activation import Tanh as Tanh
from .activation import Tanhshrink as Tanhshrink
from .activation import Threshold as Threshold
from .attention import MultiheadAttention as MultiheadAttention
from .containers import ModuleDict as ModuleDict
from .containers import ModuleList as ModuleList
from .containers import ParameterDict as ParameterDict
from .containers import ParameterList as ParameterList
from .containers import Sequential as Sequential
from .convolution import Conv1d as Conv1d
from .convolution import Conv2d as Conv2d
from .convolution import ConvTranspose1d as ConvTranspose1d
from .convolution import ConvTranspose2d as ConvTranspose2d
from .dropout import AlphaDropout as AlphaDropout
from .dropout import Dropout as Dropout
from .dropout import Dropout1d as Dropout1d
from .dropout import Dropout2d as Dropout2d
from .dropout import Dropout3d as Dropout3d
from .dropout import FeatureAlphaDropout as FeatureAlphaDropout
from .images import ChannelShuffle as ChannelShuffle
from .images import Fold as Fold
from .images import PixelShuffle as PixelShuffle
from .images import PixelUnshuffle as PixelUnshuffle
from .images import Unfold as Unfold
from .labels import CTCLoss as CTCLoss
from .labels import MultiLabelMarginLoss as MultiLabelMarginLoss
from .labels import MultiLabelSoftMarginLoss as MultiLabelSoftMarginLoss
from .labels import TripletMarginWithDistanceLoss as TripletMarginWithDistanceLoss
from .linear import Bilinear as Bilinear
from .linear import Embedding as Embedding
from .linear import Flatten as Flatten
from .linear import Identity as Identity
from .linear import Linear as Linear
from .linear import Unflatten as Unflatten
from .loss import BCELoss as BCELoss
from .loss import BCEWithLogitsLoss as BCEWithLogitsLoss
from .loss import CosineEmbeddingLoss as CosineEmbeddingLoss
from .loss import CosineSimilarity as CosineSimilarity
from .loss import CrossEntropyLoss as CrossEntropyLoss
from .loss import GaussianNLLLoss as GaussianNLLLoss
from .loss import HingeEmbeddingLoss as HingeEmbeddingLoss
from .loss import HuberLoss as HuberLoss
from .loss import KLDivLoss as KLDivLoss
from .loss import L1Loss as L1Loss
from .loss import MarginRankingLoss as MarginRankingLoss
from .loss import MSELoss as MSELoss
from .loss import MultiMarginLoss as MultiMarginLoss
from .loss import NLLLoss as NLLLoss
from .loss import PairwiseDistance as PairwiseDistance
from .loss import PoissonNLLLoss as PoissonNLLLoss
from .loss import SmoothL1Loss as SmoothL1Loss
from .loss import SoftMarginLoss as SoftMarginLoss
from .loss import TripletMarginLoss as TripletMarginLoss
from .module import Module as Module
from .normalisation import BatchNorm1d as BatchNorm1d
from .normalisation import BatchNorm2d as BatchNorm2d
from .normalisation import BatchNorm3d as BatchNorm3d
from .normalisation import GroupNorm as GroupNorm
from .normalisation import InstanceNorm1d as InstanceNorm1d
from .normalisation import InstanceNorm2d as InstanceNorm2d
from .normalisation import InstanceNorm3d as InstanceNorm3d
from .normalisation import LayerNorm as LayerNorm
from .normalisation import LocalResponseNorm as LocalResponseNorm
from .normalisation import RMSNorm as RMSNorm
from .padding import CircularPad1d as CircularPad1d
from .padding import CircularPad2d as CircularPad2d
from .padding import CircularPad3d as CircularPad3d
from .padding import ConstantPad1d as ConstantPad1d
from .padding import ConstantPad2d as ConstantPad2d
from .padding import ConstantPad3d as ConstantPad3d
from .padding import ReflectionPad1d as ReflectionPad1d
from .padding import ReflectionPad2d as ReflectionPad2d
from .padding import ReflectionPad3d as ReflectionPad3d
from .padding import ReplicationPad1d as ReplicationPad1d
from .padding import ReplicationPad2d as ReplicationPad2d
from .padding import ReplicationPad3d as ReplicationPad3d
from .padding import ZeroPad1d as ZeroPad1d
from .padding import ZeroPad2d as ZeroPad2d
from .padding import ZeroPad3d as ZeroPad3d
from .parameter import Buffer as Buffer
from .parameter import Parameter as Parameter
from .pooling import AdaptiveAvgPool1d as AdaptiveAvgPool1d
from .pooling import AdaptiveAvgPool2d as AdaptiveAvgPool2d
from .pooling import AdaptiveMaxPool1d as AdaptiveMaxPool1d
from .pooling import AdaptiveMaxPool2d as AdaptiveMaxPool2d
from .pooling import AvgPool1d as AvgPool1d
from .pooling import AvgPool2d as AvgPool2d
from .pooling import MaxPool1d as MaxPool1d
from .pooling import MaxPool2d as MaxPool2d
from .recurrent import GRU as GRU
from .recurrent import LSTM as LSTM
from .recurrent import RNN as RNN
from .recurrent import GRUCell as GRUCell
from .recurrent import LSTMCell as LSTMCell
from .recurrent import RNNBase as RNNBase
from .recurrent import RNNCell as RNNCell
from .resampling import Upsample as Upsample
from .resampling import UpsamplingBilinear2d as UpsamplingBilinear2d
from .resampling import UpsamplingNearest2d as UpsamplingNearest2d
from .transformer import Transformer as Transformer
from .transformer import TransformerDecoder as TransformerDecoder
from .transformer import TransformerDecoderLayer as TransformerDecoderLayer
from .transformer import TransformerEncoder as TransformerEncoder
from .transformer import TransformerEncoderLayer as TransformerEncoderLayer
from .vectors import parameters_to_vector as parameters_to_vector
from .vectors import vector_to_parameters as vector_to_parameters

if not TYPE_CHECKING:  # which reads the imports above, and knows of no other names
    __all__, __dir__ = _shown(globals(), ("init", "parametrizations", "parametrize"))

    def __getattr__(name: str) -> object:
        from ..habits import NN, elsewhere, missing

        raise missing(__name__, name, globals()["__all__"], {**elsewhere(name), **NN})
