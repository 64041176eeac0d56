"""gradflow's `activations`."""

from .common import relu as relu
from .common import sigmoid as sigmoid
from .common import softmax as softmax
from .common import tanh as tanh
