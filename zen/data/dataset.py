"""Datasets: where samples come from, by index (`Dataset`) or one after the other (`IterableDataset`).

A subclass of `Dataset` may define `batch(indices)` besides `__getitem__`. A DataLoader without a `collate_fn` then asks
for a whole batch at once, which for arrays in memory is many times faster than collecting the samples one by one.
"""

from __future__ import annotations

import bisect
import math
import operator
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from .. import backend
from ..backend import Tensor
from ..conversion import convert
from ..dtypes import BOOLEAN, INTEGER
from .randomness import Stream


class Dataset:
    """Samples by index. A subclass defines `__getitem__(index)` and `__len__()`.

    >>> class Squares(zen.data.Dataset):
    ...     def __len__(self):
    ...         return 5
    ...
    ...     def __getitem__(self, index):
    ...         return index, index**2
    >>> [y.tolist() for x, y in zen.data.DataLoader(Squares(), batch_size=3)]
    [[0, 1, 4], [9, 16]]
    """

    def __getitem__(self, index: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__} must define __getitem__(index)")

    def __len__(self) -> int:
        raise NotImplementedError(f"{type(self).__name__} must define __len__()")

    def __iter__(self) -> Iterator[Any]:
        return (self[k] for k in range(len(self)))

    def __add__(self, other: Any) -> ConcatDataset:
        return ConcatDataset([self, other])


class IterableDataset:
    """Samples one after the other. A subclass defines `__iter__()`; `__len__()` may be defined where it is known.

    A DataLoader iterates over it in one thread, whatever `num_workers` is, so no sample comes twice.
    """

    def __iter__(self) -> Iterator[Any]:
        raise NotImplementedError(f"{type(self).__name__} must define __iter__()")


class TensorDataset(Dataset):
    """Tensors or arrays with the same first size; sample i is the tuple of their rows i.

    Memory is shared with the arrays, not copied. Raises ValueError for no tensors, 0-d ones or different lengths.

    >>> data = zen.data.TensorDataset(np.eye(3), [0, 1, 2])
    >>> data[2]
    (Tensor([0., 0., 1.], dtype=float64), Tensor(2, dtype=int64))
    """

    def __init__(self, *tensors: Any) -> None:
        if not tensors:
            raise ValueError("TensorDataset: at least one Tensor or array is needed")
        made = [t if isinstance(t, Tensor) else backend.leaf(convert(t), False) for t in tensors]
        shapes = [t.shape for t in made]
        if any(shape == () for shape in shapes) or len({shape[0] for shape in shapes}) > 1:
            raise ValueError(f"TensorDataset: shapes {_listed(shapes)} must begin with one and the same length")
        self.tensors: tuple[Tensor, ...] = tuple(made)

    def __len__(self) -> int:
        return int(self.tensors[0].shape[0])

    def __getitem__(self, index: Any) -> tuple[Tensor, ...]:
        return tuple([t[index] for t in self.tensors])

    def __repr__(self) -> str:
        return f"TensorDataset({', '.join(f'{t.shape} {t.dtype}' for t in self.tensors)})"

    def batch(self, indices: Any) -> tuple[Tensor, ...]:
        """The rows `indices` of every Tensor, taken at once."""
        return tuple([_rows(t, indices) for t in self.tensors])


class MapDataset(Dataset):
    """The samples of a dataset, each passed through `function`.

    >>> data = zen.data.MapDataset(zen.data.TensorDataset(np.arange(3)), lambda sample: sample[0] * 2)
    >>> data[2]
    Tensor(4, dtype=int64)
    """

    def __init__(self, dataset: Any, function: Callable[[Any], Any]) -> None:
        self.dataset, self.function = dataset, function

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, index: Any) -> Any:
        return self.function(self.dataset[index])

    def __repr__(self) -> str:
        return f"MapDataset({described(self.dataset)}, {getattr(self.function, '__name__', repr(self.function))})"


class Subset(Dataset):
    """The samples of a dataset at the given indices, in that order; TypeError for a mask or numbers with fractions."""

    batch: Callable[[Any], Any]  # only where the dataset itself has it

    def __init__(self, dataset: Any, indices: Sequence[int] | np.ndarray) -> None:
        self.dataset, self.indices = dataset, indices
        first = indices[0] if len(indices) else 0
        if whole_batches(dataset) is not None or isinstance(first, (bool, float, np.bool_, np.floating)):
            self._index = integers("Subset", indices)
        if whole_batches(dataset) is not None:
            self.batch = self._batch

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, index: Any) -> Any:
        try:
            chosen = self.indices[index]
        except IndexError:
            raise IndexError(f"Subset: index {index} is out of range for {len(self)} samples") from None
        return self.dataset[chosen]

    def __repr__(self) -> str:
        return f"Subset({described(self.dataset)}, {_count(self)})"

    def _batch(self, indices: Any) -> Any:
        return self.dataset.batch(self._index[indices])


class ConcatDataset(Dataset):
    """Several datasets, one behind the other."""

    def __init__(self, datasets: Iterable[Any]) -> None:
        self.datasets = list(datasets)
        if not self.datasets:
            raise ValueError("ConcatDataset: at least one dataset is needed")
        for k, dataset in enumerate(self.datasets):
            if isinstance(dataset, IterableDataset):
                raise TypeError(f"ConcatDataset: dataset {k} is an IterableDataset, which has no indices")
        self.cumulative_sizes: list[int] = np.cumsum([len(d) for d in self.datasets]).tolist()

    def __len__(self) -> int:
        return self.cumulative_sizes[-1]

    def __getitem__(self, index: Any) -> Any:
        n, k = len(self), operator.index(index)
        if not -n <= k < n:
            raise IndexError(f"ConcatDataset: index {k} is out of range for {n} samples")
        k %= n
        which = bisect.bisect_right(self.cumulative_sizes, k)
        return self.datasets[which][k - (self.cumulative_sizes[which - 1] if which else 0)]

    def __repr__(self) -> str:
        return f"ConcatDataset([{', '.join(map(described, self.datasets))}])"


def whole_batches(dataset: Any) -> Callable[[Any], Any] | None:
    """The method that makes a whole batch; None where there is none. In other libraries `batch` means other things."""
    batch = getattr(dataset, "batch", None) if isinstance(dataset, Dataset) else None
    return batch if callable(batch) else None


def integers(owner: str, indices: Any) -> np.ndarray:
    """Indices as an array; a conversion would take a mask for the samples 0 and 1, and cut off fractions."""
    array = np.asarray(indices._array if isinstance(indices, Tensor) else indices)
    if array.size and array.dtype not in INTEGER:
        hint = "; numpy.flatnonzero(mask) gives those of a mask" if array.dtype in BOOLEAN else ""
        raise TypeError(f"{owner}: indices must be integers, not {array.dtype}{hint}")
    return array.astype(np.intp, copy=False)


def described(source: Any, noun: str = "sample") -> str:
    """What a repr says of a dataset or sampler: its own repr where that is one line, else its kind and length."""
    values = isinstance(source, (list, tuple, dict, np.ndarray, Tensor))
    plain = values or getattr(type(source), "__repr__", None) is object.__repr__
    text = "" if plain else repr(source)
    if text and "\n" not in text and len(text) <= 200:
        return text
    return f"{type(source).__name__} of {_count(source, noun)}"


def _count(source: Any, noun: str = "sample") -> str:
    try:
        count = len(source)
    except Exception:  # a repr is shown by debuggers too, and fails for nobody
        return "unknown length"
    return f"{count} {noun}{'' if count == 1 else 'es' if noun.endswith('ch') else 's'}"


def random_split(
    dataset: Any, lengths: Sequence[float], generator: np.random.Generator | None = None, seed: int | None = None
) -> list[Subset]:
    """Subsets of the given lengths without common samples, drawn at random.

    lengths: integers that add up to len(dataset), or fractions that add up to 1. Fractions are rounded down; the
        samples that remain go to the first subsets, one each.
    generator, seed: what to draw from; without either, zen.random decides.

    >>> [len(part) for part in zen.data.random_split(range(10), [0.75, 0.25], seed=0)]
    [8, 2]
    """
    n = len(dataset)
    sizes = _sizes(lengths, n)
    order = Stream("random_split", generator, seed).generator.permutation(n)
    ends = np.cumsum(sizes)
    return [Subset(dataset, order[end - size : end].tolist()) for size, end in zip(sizes, ends, strict=True)]


def _sizes(lengths: Sequence[float], n: int) -> list[int]:
    if any(not length >= 0 for length in lengths):
        raise ValueError(f"random_split: lengths {list(lengths)} must not be negative")
    if all(isinstance(length, (int, np.integer)) for length in lengths) and sum(lengths) == n:
        return [int(length) for length in lengths]
    total = math.fsum(lengths)
    if not math.isclose(total, 1.0, rel_tol=1e-9):
        raise ValueError(
            f"random_split: lengths {list(lengths)} add up to {total:g}; they must add up to the {n} samples of the "
            "dataset, or be fractions that add up to 1"
        )
    sizes = [math.floor(round(n * fraction, 6)) for fraction in lengths]  # 10 * 0.7 is 6.999...
    for k in range(n - sum(sizes)):
        sizes[k % len(sizes)] += 1
    return sizes


def _rows(t: Tensor, indices: Any) -> Tensor:
    if t.requires_grad:
        rows: Tensor = t[indices]
        return rows
    return backend.leaf(t._array.take(indices, axis=0), False)


def _listed(shapes: Sequence[Any]) -> str:
    return ", ".join(str(shape) for shape in shapes)
