"""What becomes of an operation whose operands hold all examples of a `vmap` at once.

`apply_batched` gets a row that was applied to a Batched, and applies rows to the values of all examples: the same row
with its axes and shapes moved on by one (`shifting.py`), or what `structured.py` says. Where neither knows, the row is
applied to each example.
"""

from .. import backend
from ..batched import Batched
from . import structured as _structured  # noqa: F401  enters its rules
from .applying import apply_batched as apply_batched
from .applying import note as note
from .members import attach

attach()
backend.install(batched=Batched, apply_batched=apply_batched)
