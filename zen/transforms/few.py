"""Jacobians of a few rows or columns, by one pass for each, which the engine makes without a level of `vmap`.

Called by `jacobians.py`, which computes anything else with all of a basis at once.
"""

from __future__ import annotations

import numpy as np

from .. import backend
from ..backend import Tensor
from .forward import ARRAYS

FEW = 8
"""Passes up to which one for each costs less than one for all."""
SMALL = 1 << 14
"""Elements of a block up to which it does: a matrix that the function uses is then read once for each."""


def blocks_one_by_one(
    by_columns: bool, outputs: list[Tensor], inputs: list[Tensor]
) -> tuple[list[list[Tensor]], list[np.ndarray]] | None:
    """For each output and input the block of the Jacobian, and the memory of these; None where another way is better.

    That is so with many rows or columns, and where an element is not finite: 0 * inf makes nan of a zero that is exact
    where diagonals are told from the rest. Raises Undetermined as `backend.push` does.
    """
    starts = inputs if by_columns else outputs
    count, largest = 0, 0
    for t in starts:
        count += t.size
    for t in outputs if by_columns else inputs:
        largest += t.size
    if count > FEW or count * largest > SMALL:
        return None
    own = [[np.zeros((*y.shape, *x.shape), x.dtype) for x in inputs] for y in outputs]
    flat = [[block.reshape(y.size, x.size) for block, x in zip(row, inputs, strict=True)]
            for row, y in zip(own, outputs, strict=True)]  # fmt: skip
    for k, t in enumerate(starts):
        if not by_columns and t.node is None:
            continue
        for n in range(t.size):
            vector = np.zeros(t.shape, t.dtype)
            vector.reshape(-1)[n] = 1
            if by_columns:
                for row, part in zip(flat, backend.push(outputs, [t], [vector], ARRAYS, False), strict=True):
                    if part is not None:
                        row[k][:, n] = part.reshape(-1)
            else:
                made = backend.run([t], [vector], inputs, True, False)
                for block, gradient in zip(flat[k], made or (), strict=True):
                    if gradient is not None:
                        block[n] = gradient._array.reshape(-1)
    if not all([np.isfinite(block).all() for row in own for block in row]):
        return None
    return [[backend.wrap(block) for block in row] for row in own], [block for row in own for block in row]
