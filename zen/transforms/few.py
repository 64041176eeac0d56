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

    That is so with many rows or columns, where dtypes differ, and where an element is not finite: 0 * inf makes nan of
    a zero that is exact where diagonals are told from the rest. Raises Undetermined as `backend.push` does.
    """
    starts = inputs if by_columns else outputs
    count, largest = 0, 0
    for t in starts:
        count += t.size
    for t in outputs if by_columns else inputs:
        largest += t.size
    if count > FEW or count * largest > SMALL:
        return None
    dtype = inputs[0].dtype if inputs else None
    if any([t.dtype != dtype for t in (*outputs, *inputs)]):
        return None
    flat = [[np.zeros((y.size, x.size), dtype) for x in inputs] for y in outputs]
    for k, t in enumerate(starts):
        for n in range(t.size):
            vector = np.zeros(t.shape, t.dtype)
            vector.reshape(-1)[n] = 1
            if by_columns:
                for row, part in zip(flat, backend.push(outputs, [t], [vector], ARRAYS, False), strict=True):
                    if part is not None:
                        row[k][:, n] = part.reshape(-1)
            elif t.node is not None:
                for block, gradient in zip(flat[k], backend.run([t], [vector], inputs, True, False) or (), strict=True):
                    if gradient is not None:
                        block[n] = gradient._array.reshape(-1)
    own = [block for row in flat for block in row]
    if not all([np.isfinite(block).all() for block in own]):
        return None
    pairs = [zip(row, inputs, strict=True) for row in flat]
    return [
        [backend.wrap(block.reshape((*y.shape, *x.shape))) for block, x in pair]
        for pair, y in zip(pairs, outputs, strict=True)
    ], own
