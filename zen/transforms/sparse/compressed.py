"""Products of the Jacobian of what was recorded with the vectors of all colours. Called by `derivatives.py`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ... import backend, batching
from ...backend import Tensor
from ...batched import ANYWHERE, Batched, running
from .. import batched_passes
from ..forward import ARRAYS, push_through
from ..levels import new_level, within

_LARGE, _FEW = 1 << 10, 32
"""Elements from which, and vectors up to which, the engine's own passes for one after the other take less time than one
pass for all, which has to be told what to do for each row."""
BYTES = 1 << 26
"""What one value of a pass may take where `chunk_size` is None."""


def products(
    outputs: list[Tensor], inputs: list[Tensor], seeds: np.ndarray, by_rows: bool, chunk_size: int | None
) -> np.ndarray:
    """For each seed a row: J @ seed, or seed @ J. A seed goes over the elements of all inputs, or of all outputs."""
    starts, ends = (outputs, inputs) if by_rows else (inputs, outputs)
    length = sum([t.size for t in ends])
    made = np.zeros((len(seeds), length), seeds.dtype)
    if not length or not seeds.size:
        return made
    largest = max([t.size for t in (*outputs, *inputs)])
    alone = largest >= _LARGE or len(seeds) <= _FEW
    step = int(chunk_size or (1 if alone else max(1, BYTES // (largest * 8))))
    for first in range(0, len(seeds), step):
        part = seeds[first : first + step]
        if len(part) == 1 or not _together(outputs, inputs, part, by_rows, made[first : first + step]):
            for k, seed in enumerate(part):
                _alone(outputs, inputs, _split(seed, starts), by_rows, made[first + k])
    return made


def _split(seed: np.ndarray, tensors: Sequence[Tensor]) -> list[np.ndarray]:
    found, first = [], 0
    for t in tensors:
        part = seed[..., first : first + t.size]
        found.append(part.reshape((*part.shape[:-1], *t.shape)).astype(t.dtype))
        first += t.size
    return found


def _alone(outputs: list[Tensor], inputs: list[Tensor], seed: list[np.ndarray], by_rows: bool, made: Any) -> None:
    """By a pass of the engine's own."""
    if by_rows:
        linked = [k for k, t in enumerate(outputs) if t.node is not None]
        roots = [outputs[k] for k in linked]
        found = backend.run(roots, [backend.wrap(seed[k]) for k in linked], inputs, True, False) if roots else None
        ends, parts = inputs, found or [None] * len(inputs)
    else:
        ends, parts = outputs, push_through(outputs, inputs, seed, ARRAYS)
    first = 0
    for t, part in zip(ends, parts, strict=True):
        if part is not None:
            made[first : first + t.size] = np.asarray(getattr(part, "_array", part)).reshape(-1)
        first += t.size


def _together(outputs: list[Tensor], inputs: list[Tensor], seeds: Any, by_rows: bool, made: np.ndarray) -> bool:
    """By one pass for all; False where a row has no rule for that."""
    starts, ends = (outputs, inputs) if by_rows else (inputs, outputs)
    level = new_level(len(seeds))
    given = [Batched(backend.wrap(part), level) for part in _split(seeds, starts)]
    ANYWHERE.append(level)
    try:
        with within((*running.levels, level)):
            if by_rows:
                found = batched_passes.pull(outputs, given, inputs, False)
            else:
                found = batched_passes.push(outputs, inputs, given, False)
    except Exception:
        batching.note("a derivative")
        return False
    finally:
        ANYWHERE.remove(level)
    first = 0
    for t, part in zip(ends, found, strict=True):
        if part is not None:
            value = part.examples if type(part) is Batched and part.level is level else part
            rows = np.asarray(value._array)
            made[:, first : first + t.size] = rows.reshape(len(seeds) if value is not part else 1, t.size)
        first += t.size
    return True
