"""gradflow's `optimizers`."""

from .optimizers import Adam as Adam
from .optimizers import BaseOptimizer as BaseOptimizer
from .optimizers import NaiveSGD as NaiveSGD
