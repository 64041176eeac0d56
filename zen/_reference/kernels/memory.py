"""Room for results. `zen/_core/_memory.pyx` keeps large blocks and uses them again."""

from __future__ import annotations

from typing import Any

import numpy as np


def empty(shape: Any, dtype: Any) -> Any:
    """An uninitialised array."""
    return np.empty(shape, dtype)
