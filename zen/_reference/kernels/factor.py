"""The determinant's logarithm, which NumPy computes from factors that it does not hand out."""

from __future__ import annotations

from typing import Any

import numpy as np


def slogdet(x: np.ndarray) -> None:
    """None: NumPy decides."""
    return None


def slogdet_pull_back(lu: np.ndarray, pivots: np.ndarray, g: np.ndarray) -> Any:
    raise TypeError("slogdet_pull_back: there are no factors")


def slogdet_tangent(lu: np.ndarray, pivots: np.ndarray, t: np.ndarray) -> Any:
    raise TypeError("slogdet_tangent: there are no factors")
