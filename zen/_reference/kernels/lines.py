"""Adding to rows by number, in plain NumPy."""

from __future__ import annotations

import numpy as np

from ...dtypes import INTEGER, KERNELS

_LONG = 512


def scatter_add_rows(out: np.ndarray, rows: np.ndarray, g: np.ndarray, skipped: int = -1) -> None:
    """Add row k of `g` to row rows[k] of `out`, for each k; a row named twice gets both.

    out: float32 or float64 of shape (height, width), C-contiguous. rows: ints from 0 to height - 1, of any shape. g: of
    out's dtype, with rows.size * width elements. skipped: a number whose rows are left out. Raises ValueError for
    operands that do not fit, IndexError for a number out of range.
    """
    if out.dtype not in KERNELS or out.ndim != 2 or not out.flags.carray:
        raise ValueError("scatter_add_rows: out must be a writeable C-contiguous matrix of float32 or float64")
    if rows.dtype not in INTEGER or g.dtype != out.dtype or g.size != rows.size * out.shape[1]:
        raise ValueError("scatter_add_rows: rows must be ints, and g of out's dtype with a row for each of them")
    if rows.size and (rows.min() < 0 or rows.max() >= out.shape[0]):
        raise IndexError(f"scatter_add_rows: a row out of range: out has {out.shape[0]}")
    numbers, parts = rows.reshape(-1), g.reshape(rows.size, out.shape[1])
    kept = numbers != skipped
    if out.dtype == np.float32 and rows.size >= _LONG:  # float32 loses what is added to a long sum
        wide = np.zeros(out.shape)
        np.add.at(wide, numbers[kept], parts[kept].astype(np.float64))
        out += wide
    else:
        np.add.at(out, numbers[kept], parts[kept])
