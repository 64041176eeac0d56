"""The tangents of one step of a recurrent net in plain NumPy: the twin of `zen/_core/_steps.pyx`."""

from __future__ import annotations

from typing import Any

import numpy as np

Optional = np.ndarray | None


def _parts(count: int, like: np.ndarray, *given: Optional) -> list[Any]:
    """The sum of what is given, cut into as many parts as there are gates."""
    total: Any = np.zeros((len(like), count * like.shape[1]), like.dtype)
    for a in given:
        total = total if a is None else total + a
    return np.split(total, count, 1)


def lstm_step(
    gates: np.ndarray, before: np.ndarray, squashed: np.ndarray, q: Optional, drive: Optional, dc: np.ndarray,
    out: np.ndarray,
) -> None:  # fmt: skip
    """Writes the tangents of the states to `out`, and makes those of the cells, `dc`, those of the new cells."""
    i, f, g, o = np.split(gates, 4, 1)
    di, df, dg, do = _parts(4, out, q, drive)
    dc[...] = f * dc + di * (i * (1 - i) * g) + df * (f * (1 - f) * before) + dg * (i * (1 - g * g))
    out[...] = (1 - squashed * squashed) * o * dc + do * (o * (1 - o) * squashed)


def gru_step(
    gates: np.ndarray, before: np.ndarray, kept: np.ndarray, q: Optional, inputs: Optional, states: Optional,
    dh: Optional, out: np.ndarray,
) -> None:  # fmt: skip
    """Writes the tangents of the states to `out`."""
    r, z, s = np.split(gates, 3, 1)
    dr, dz, ds = _parts(3, out, q, states)
    er, ez, es = _parts(3, out, inputs)
    new = ((dr + er) * (r * (1 - r) * kept) + ds * r + es) * ((1 - s * s) * (1 - z))
    out[...] = new + (dz + ez) * (z * (1 - z) * (before - s)) + (0 if dh is None else z * dh)
