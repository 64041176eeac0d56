"""The training loop: `zen.fit`, its history and its callbacks.

Everything in it can be written by hand in a dozen lines with `loss.backward()` and `optimiser.step()`; this is those
lines with a progress bar, validation, early stopping, and checkpoints from which training continues bit for bit.
"""

from typing import TYPE_CHECKING

from ..exports import shown as _shown
from .callbacks import Callback as Callback
from .callbacks import Checkpoint as Checkpoint
from .callbacks import EarlyStopping as EarlyStopping
from .history import History as History
from .loop import Training as Training
from .loop import accuracy as accuracy
from .loop import fit as fit

if not TYPE_CHECKING:  # which reads the imports above
    __all__, __dir__ = _shown(globals())
