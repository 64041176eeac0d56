"""gradflow's `data.dataset`: `Dataset`, batches of samples in the order they have."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..grad_engine import Variable


class Dataset:
    """Batches of features and labels, as pairs of Variables.

    features, labels: arrays (or what makes one) of equal length. batch_size: samples in each batch but the last, which
    holds the rest. `len` is the number of batches, `dataset[k]` the batch of that number.

    Raises ValueError for lengths that differ and for a batch_size below 1, IndexError beyond the last batch.

    >>> from zen.compat.gradflow.data import Dataset
    >>> dataset = Dataset(np.arange(10.0), np.arange(10), batch_size=4)
    >>> [len(features.data) for features, labels in dataset], dataset[1][1].data.data
    ([4, 4, 2], array([4, 5, 6, 7]))
    """

    def __init__(self, features: Any, labels: Any, batch_size: int = 16) -> None:
        self._features, self._labels = np.asarray(features), np.asarray(labels)
        if len(self._features) != len(self._labels):
            raise ValueError(f"Dataset: {len(self._features)} features, but {len(self._labels)} labels")
        if batch_size < 1:
            raise ValueError(f"Dataset: batch_size is a number of samples, at least 1, not {batch_size}")
        self._batch_size = batch_size
        self._cur_index = 0  # the batch that `next(dataset)` gives

    def __iter__(self) -> Iterator[tuple[Variable, Variable]]:
        self._cur_index = 0
        return self._batches()

    def _batches(self) -> Iterator[tuple[Variable, Variable]]:
        for k in range(len(self)):
            yield self[k]

    def __next__(self) -> tuple[Variable, Variable]:
        if self._cur_index >= len(self):
            raise StopIteration
        batch = self[self._cur_index]
        self._cur_index += 1
        return batch

    def __getitem__(self, idx: int) -> tuple[Variable, Variable]:
        count = len(self)
        if not -count <= idx < count:
            raise IndexError(f"batch {idx} is out of range: the data set has {count} batches of {self._batch_size}")
        start = idx % count * self._batch_size
        part = slice(start, start + self._batch_size)
        return Variable(self._features[part]), Variable(self._labels[part])

    def __len__(self) -> int:
        return -(-len(self._features) // self._batch_size)
