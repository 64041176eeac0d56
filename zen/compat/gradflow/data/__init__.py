"""gradflow's `data`."""

from typing import TYPE_CHECKING

from ....exports import shown as _shown
from .dataset import Dataset as Dataset

if not TYPE_CHECKING:  # which reads the imports above
    __all__, __dir__ = _shown(globals())
