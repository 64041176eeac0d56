"""Samplers: in which order, and in which batches, a DataLoader visits a dataset.

The samplers here draw a whole epoch at its start (`draw`), as an array. Any iterable of indices can be a sampler too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from ..conversion import convert
from .dataset import described, integers
from .randomness import Stream


class Sampler:
    """What yields indices. A subclass defines `__iter__()`, and `__len__()` where the number is known."""

    def __iter__(self) -> Iterator[Any]:
        raise NotImplementedError(f"{type(self).__name__} must define __iter__()")


class _Drawn(Sampler):
    """A sampler whose epoch is one array of indices."""

    _stream: Stream | None = None

    def draw(self) -> np.ndarray:
        """The indices of one epoch; int64."""
        raise NotImplementedError

    def __iter__(self) -> Iterator[int]:
        return iter(self.draw().tolist())

    def state_dict(self) -> dict[str, Any]:
        """What the next epoch depends on; for `load_state_dict`. Python numbers, strings and lists only."""
        return {} if self._stream is None else {"generator": self._stream.state()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue where `state_dict` was taken."""
        if self._stream is not None:
            self._stream.restore(state["generator"])


class SequentialSampler(_Drawn):
    """0, 1, 2, ...

    >>> list(zen.data.SequentialSampler(range(3)))
    [0, 1, 2]
    """

    def __init__(self, data_source: Any) -> None:
        self.data_source = data_source

    def __repr__(self) -> str:
        return f"SequentialSampler({described(self.data_source)})"

    def draw(self) -> np.ndarray:
        return np.arange(len(self))

    def __len__(self) -> int:
        return len(self.data_source)


class RandomSampler(_Drawn):
    """The indices of a dataset in random order, another one each time.

    replacement: draw each index from all of them, so that some come several times and others never.
    num_samples: how many to draw, len(data_source) if not given. Without replacement, more than there are means
        several orders one behind the other.
    generator, seed: what to draw from; without either, zen.random decides.

    >>> sorted(zen.data.RandomSampler(range(4), seed=1))
    [0, 1, 2, 3]
    """

    def __init__(
        self, data_source: Any, replacement: bool = False, num_samples: int | None = None,
        generator: np.random.Generator | None = None, *, seed: int | None = None,
    ) -> None:  # fmt: skip
        self.data_source, self.replacement, self._wanted = data_source, replacement, num_samples
        if num_samples is not None and (not isinstance(num_samples, (int, np.integer)) or num_samples < 0):
            raise ValueError(f"RandomSampler: num_samples is {num_samples!r}; it must be an integer, not negative")
        self._stream: Stream = Stream("RandomSampler", generator, seed)

    def __repr__(self) -> str:
        parts = [described(self.data_source), *(["replacement=True"] if self.replacement else [])]
        parts += [] if self._wanted is None else [f"num_samples={self._wanted}"]
        return f"RandomSampler({', '.join(parts)})"

    def draw(self) -> np.ndarray:
        n, wanted, generator = len(self.data_source), len(self), self._stream.generator
        if not n:
            if wanted:
                raise ValueError(f"RandomSampler: {wanted} samples were asked for, but the dataset is empty")
            return np.arange(0)
        if self.replacement:
            return generator.integers(0, n, wanted)
        rounds = [generator.permutation(n) for _ in range(-(-wanted // n))]
        return np.concatenate([np.arange(0), *rounds])[:wanted]

    def __len__(self) -> int:
        return len(self.data_source) if self._wanted is None else self._wanted


class SubsetRandomSampler(_Drawn):
    """The given indices in random order."""

    def __init__(
        self, indices: Sequence[int], generator: np.random.Generator | None = None, *, seed: int | None = None
    ) -> None:
        integers("SubsetRandomSampler", indices)
        self.indices = indices
        self._stream: Stream = Stream("SubsetRandomSampler", generator, seed)

    def __repr__(self) -> str:
        return f"SubsetRandomSampler({len(self)} indices)"

    def draw(self) -> np.ndarray:
        return self._stream.generator.permutation(integers("SubsetRandomSampler", self.indices))

    def __len__(self) -> int:
        return len(self.indices)


class WeightedRandomSampler(_Drawn):
    """Indices drawn with probabilities in proportion to `weights`, which need not add up to 1.

    Raises ValueError for weights that are negative, not finite or all zero, and, without replacement, for more samples
    than there are positive weights.

    >>> list(zen.data.WeightedRandomSampler([0.0, 2.0, 0.0], 4, seed=0))
    [1, 1, 1, 1]
    """

    def __init__(
        self, weights: Any, num_samples: int, replacement: bool = True, generator: np.random.Generator | None = None,
        *, seed: int | None = None,
    ) -> None:  # fmt: skip
        w = convert(weights, np.float64)
        if w.ndim != 1 or not w.size:
            raise ValueError(f"WeightedRandomSampler: weights must be one row of numbers, not of shape {w.shape}")
        bad = np.flatnonzero(~(np.isfinite(w) & (w >= 0)))
        if bad.size:
            raise ValueError(f"WeightedRandomSampler: weight {bad[0]} is {w[bad[0]]}; weights are finite, 0 or more")
        positive = np.count_nonzero(w)
        if not positive:
            raise ValueError("WeightedRandomSampler: all weights are zero")
        if (
            not isinstance(num_samples, (int, np.integer))
            or num_samples < 0
            or (not replacement and num_samples > positive)
        ):
            raise ValueError(
                f"WeightedRandomSampler: num_samples is {num_samples}, and without replacement must be 0 to "
                f"{positive}, the number of positive weights"
            )
        self.weights, self.num_samples, self.replacement = w, num_samples, replacement
        self._stream: Stream = Stream("WeightedRandomSampler", generator, seed)

    def __repr__(self) -> str:
        given = f"{len(self.weights)} weights, num_samples={self.num_samples}, replacement={self.replacement}"
        return f"WeightedRandomSampler({given})"

    def draw(self) -> np.ndarray:
        p = self.weights / self.weights.max()  # first, so that the sum cannot overflow
        return self._stream.generator.choice(len(p), self.num_samples, self.replacement, p / p.sum())

    def __len__(self) -> int:
        return self.num_samples


class BatchSampler(Sampler):
    """The indices of a sampler in lists of `batch_size`; the last, shorter one is left out if `drop_last`.

    >>> list(zen.data.BatchSampler(range(5), 2, drop_last=False))
    [[0, 1], [2, 3], [4]]
    """

    def __init__(self, sampler: Iterable[Any], batch_size: int, drop_last: bool = False) -> None:
        if not isinstance(batch_size, (int, np.integer)) or isinstance(batch_size, bool) or batch_size < 1:
            raise ValueError(f"batch_size must be a positive integer, not {batch_size!r}")
        self.sampler, self.batch_size, self.drop_last = sampler, int(batch_size), drop_last

    def __repr__(self) -> str:
        return f"BatchSampler({described(self.sampler)}, batch_size={self.batch_size}, drop_last={self.drop_last})"

    def __iter__(self) -> Iterator[list[Any]]:
        return (batch.tolist() if isinstance(batch, np.ndarray) else batch for batch in self.batches())

    def batches(self) -> Iterator[Any]:
        """The batches as arrays where the sampler draws arrays, else as lists. The epoch is drawn at once."""
        if isinstance(self.sampler, _Drawn):
            drawn = self.sampler.draw()
            starts = range(0, len(drawn), self.batch_size)[: self._count(len(drawn))]
            return (drawn[k : k + self.batch_size] for k in starts)
        return self._collected(iter(self.sampler))

    def _collected(self, indices: Iterator[Any]) -> Iterator[list[Any]]:
        batch: list[Any] = []
        for index in indices:
            batch.append(index)
            if len(batch) == self.batch_size:
                yield batch
                batch = []
        if batch and not self.drop_last:
            yield batch

    def __len__(self) -> int:
        return self._count(len(self.sampler))  # type: ignore[arg-type]  # TypeError, where the sampler has no length

    def _count(self, n: int) -> int:
        return n // self.batch_size if self.drop_last else -(-n // self.batch_size)

    def state_dict(self) -> dict[str, Any]:
        """The sampler's state, empty where it has none."""
        return self.sampler.state_dict() if hasattr(self.sampler, "state_dict") else {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue where `state_dict` was taken."""
        if hasattr(self.sampler, "load_state_dict"):
            self.sampler.load_state_dict(state)
