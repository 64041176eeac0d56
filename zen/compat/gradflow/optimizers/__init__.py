"""gradflow's `optimizers`."""

from typing import TYPE_CHECKING

from ....exports import shown as _shown
from .optimizers import Adam as Adam
from .optimizers import BaseOptimizer as BaseOptimizer
from .optimizers import NaiveSGD as NaiveSGD

if not TYPE_CHECKING:  # which reads the imports above
    __all__, __dir__ = _shown(globals())
