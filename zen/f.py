"""The public functions, `zen.f.tanh(x)`: one for each operation, under NumPy's and the Array API's names.

Each accepts Tensors, arrays and numbers, in any mixture, and returns a Tensor that records how it was made. The
elementwise ones come from their rows in `zen/ops/elementwise.py`: a row added there appears here by itself.
"""

from __future__ import annotations

from typing import Any

from .exports import HOMES
from .ops.register import FUNCTIONS, Answered

__all__ = FUNCTIONS.names()  # noqa: PLE0605

HOMES.update({__name__: frozenset(__all__), "numpy": Answered()})


def __dir__() -> list[str]:
    return __all__


def __getattr__(name: str) -> Any:
    if name in FUNCTIONS.late:
        found = globals()[name] = FUNCTIONS[name]
        return found
    from .habits import FUNCTIONS as ADVICE
    from .habits import elsewhere, missing

    raise missing("zen.f", name, __all__, {**elsewhere(name), **ADVICE})
