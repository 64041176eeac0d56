"""The training loop: `zen.fit`, its history and its callbacks.

Everything in it can be written by hand in a dozen lines with `loss.backward()` and `optimiser.step()`; this is those
lines with a progress bar, validation, early stopping, and checkpoints from which training continues bit for bit.
"""

from typing import TYPE_CHECKING

from ..exports import shown as _shown
from .callbacks import Checkpoint as Checkpoint
from .callbacks import EarlyStopping as EarlyStopping
from .fitting import accuracy as accuracy
from .fitting import fit as fit
from .history import History as History
from .loop import Callback as Callback
from .loop import Training as Training

if not TYPE_CHECKING:  # which reads the imports above
    __all__, __dir__ = _shown(globals())
