"""What becomes of an operation whose operands hold all examples of a `vmap` at once.

`apply_batched` gets a row that was applied to a Batched, and applies rows to the values of all examples: the same row
with its axes and shapes moved on by one, or what `structured.py`, `keys.py` and `layers.py` say. Where none of them
knows, the row is applied to each example. `functions.py` has the rules of public functions that read values.
"""

from .. import backend
from ..batched import Batched
from . import functions as _functions  # noqa: F401  these enter their rules
from . import keys as _keys  # noqa: F401
from . import layers as _layers  # noqa: F401
from . import structured as _structured  # noqa: F401
from .applying import apply_batched as apply_batched
from .applying import note as note
from .members import attach

attach()
backend.install(batched=Batched, apply_batched=apply_batched)
