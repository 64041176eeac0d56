"""gradflow's `layers`: `Module`, and `Linear`, its only layer."""

from typing import TYPE_CHECKING

from ....exports import shown as _shown
from .linear import Linear as Linear
from .module import Module as Module

if not TYPE_CHECKING:  # which reads the imports above
    __all__, __dir__ = _shown(globals())
