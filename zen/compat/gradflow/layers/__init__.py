"""gradflow's `layers`: `Module`, and `Linear`, its only layer."""

from .linear import Linear as Linear
from .module import Module as Module
