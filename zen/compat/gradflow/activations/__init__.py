"""gradflow's `activations`."""

from typing import TYPE_CHECKING

from ....exports import shown as _shown
from .common import relu as relu
from .common import sigmoid as sigmoid
from .common import softmax as softmax
from .common import tanh as tanh

if not TYPE_CHECKING:  # which reads the imports above
    __all__, __dir__ = _shown(globals())
