"""The DataLoader: batches of a dataset, in order, made by threads ahead of their use.

Threads rather than processes: NumPy, file reading and decompression release the interpreter's lock, nothing has to be
pickled, and samples are not copied between processes.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import count, islice
from typing import Any, Self

import numpy as np

from .. import backend
from ..ops.arguments import refuse_absent
from .collate import default_collate, default_convert
from .dataset import IterableDataset, described, whole_batches
from .randomness import Place, Stream, here, peek
from .sampler import BatchSampler, RandomSampler, SequentialSampler

_END = object()
_THREADS = "zen-data"  # begins the names of the threads


class DataLoader:
    """Iterates over a dataset in batches.

    dataset: anything with `__getitem__` and `__len__`, or an IterableDataset.
    batch_size: samples in a batch; None yields single samples, their arrays converted to Tensors.
    shuffle: visit the samples in random order, another one in each epoch.
    sampler: an iterable of indices in place of `shuffle`; batch_sampler: one of lists of indices, in place of
        batch_size, shuffle, sampler and drop_last.
    num_workers: threads that prepare batches ahead of their use; 0 prepares each when it is asked for. Order and
        values of the batches do not depend on it.
    collate_fn: makes a batch of a list of samples; `default_collate` if not given. A `Dataset` with a method
        `batch(indices)`, such as TensorDataset, then makes the whole batch at once.
    drop_last: leave out the last batch if it is shorter than the others.
    generator, seed: what order and random transforms come from; without either, zen.random decides.
    prefetch_factor: batches that each worker is ahead.

    An exception from the dataset or collate_fn is raised where the loader is iterated over, after the batches before
    it, with its traceback and a note that names batch and index; the loader can be used again. Leaving the loop early,
    by an exception such as Ctrl-C too, stops the workers, as the collector does with an iterator that nobody holds.

    Loaders, datasets, samplers and transforms can be copied and pickled where what they were given can (a lambda
    cannot be pickled); a copy continues from the state of the original. An iterator over a loader can be neither.

    >>> data = zen.data.TensorDataset(np.arange(10).reshape(5, 2), np.arange(5))
    >>> loader = zen.data.DataLoader(data, batch_size=2, shuffle=True, seed=0)
    >>> len(loader), [x.shape for x, y in loader]
    (3, [(2, 2), (2, 2), (1, 2)])
    """

    def __new__(cls, *args: Any, **options: Any) -> Self:
        refuse_absent(cls.__name__, options)
        return super().__new__(cls)

    def __init__(
        self, dataset: Any, batch_size: int | None = 1, shuffle: bool = False, sampler: Iterable[Any] | None = None,
        batch_sampler: Iterable[Any] | None = None, num_workers: int = 0,
        collate_fn: Callable[[Any], Any] | None = None, *, drop_last: bool = False,
        generator: np.random.Generator | None = None, seed: int | None = None, prefetch_factor: int = 2,
    ) -> None:  # fmt: skip
        if not (_is_count(num_workers, 0) and _is_count(prefetch_factor, 1)):
            raise ValueError(
                f"DataLoader: num_workers is {num_workers!r} and prefetch_factor {prefetch_factor!r}; "
                "they must be integers of at least 0 and 1"
            )
        if not isinstance(dataset, IterableDataset) and not hasattr(dataset, "__getitem__"):
            raise TypeError(
                f"DataLoader: {type(dataset).__name__} has no __getitem__; a dataset has it and __len__, and one that "
                "can only be iterated over is a subclass of IterableDataset"
            )
        self.dataset, self.num_workers, self.prefetch_factor = dataset, num_workers, prefetch_factor
        self.collate_fn = collate_fn
        self._stream = Stream("DataLoader", generator, seed)
        self._epoch, self._shuffle = 0, shuffle
        self._iterable = isinstance(dataset, IterableDataset)
        self._refuse(batch_size, shuffle, sampler, batch_sampler, drop_last)
        self._own_sampler = sampler is None and batch_sampler is None
        if sampler is None and not self._iterable and batch_sampler is None:
            sampler = self._shuffled(dataset) if shuffle else SequentialSampler(dataset)
        if batch_sampler is None and sampler is not None and batch_size is not None:
            batch_sampler = BatchSampler(sampler, batch_size, drop_last)
        elif batch_sampler is not None:
            batch_size, drop_last = getattr(batch_sampler, "batch_size", None), False
        self.batch_size, self.drop_last = batch_size, drop_last
        self.sampler, self.batch_sampler = sampler, batch_sampler

    def _refuse(self, batch_size: Any, shuffle: bool, sampler: Any, batch_sampler: Any, drop_last: bool) -> None:
        if self._iterable and (shuffle or sampler is not None or batch_sampler is not None):
            raise ValueError("DataLoader: an IterableDataset has its own order; it takes neither shuffle nor samplers")
        if sampler is not None and shuffle:
            raise ValueError("DataLoader: give either shuffle=True or a sampler, not both")
        if batch_sampler is not None and (batch_size != 1 or shuffle or sampler is not None or drop_last):
            raise ValueError("DataLoader: a batch_sampler replaces batch_size, shuffle, sampler and drop_last")
        if batch_size is None and drop_last:
            raise ValueError("DataLoader: drop_last has no meaning without batches (batch_size=None)")
        if batch_size is not None:
            BatchSampler((), batch_size)  # raises for what is not a size

    def _shuffled(self, dataset: Any) -> RandomSampler:
        sampler = RandomSampler(dataset)
        sampler._stream = self._stream  # which may not be seeded yet
        return sampler

    def __len__(self) -> int:
        """The number of batches; TypeError where dataset or sampler do not know how many there are."""
        if self.batch_sampler is not None:
            return len(self.batch_sampler)  # type: ignore[arg-type]
        if self._iterable and self.batch_size is not None:
            return len(BatchSampler(self.dataset, self.batch_size, self.drop_last))
        return len(self.dataset if self.sampler is None else self.sampler)  # type: ignore[arg-type]

    def __iter__(self) -> Iterator[Any]:
        # A generator, so the epoch is drawn with its first batch: iter(loader) alone changes nothing.
        # One that needs no random order leaves zen.random alone as well, so that validating does not change training.
        root = self._stream.number() if self._shuffle or self._stream.seeded else peek()
        epoch = self._epoch
        self._epoch += 1
        tasks = self._stream_tasks(root, epoch) if self._iterable else self._index_tasks(self._plan(), root, epoch)
        tasks = _until_failure(tasks)
        if self.num_workers == 0:
            yield from _in_turn(tasks)
        else:  # one thread for an iterator, whose samples come one after the other anyhow
            workers = 1 if self._iterable else self.num_workers
            yield from _ahead(tasks, workers, self.num_workers * self.prefetch_factor)

    def __repr__(self) -> str:
        parts = [described(self.dataset)]
        if not self._own_sampler and self.sampler is None:
            parts.append(f"batch_sampler={described(self.batch_sampler, 'batch')}")
        else:
            parts.append(f"batch_size={self.batch_size}")
        if self._shuffle:
            parts.append("shuffle=True")
        elif not self._own_sampler and self.sampler is not None:
            parts.append(f"sampler={described(self.sampler)}")
        parts += ["drop_last=True"] if self.drop_last else []
        parts += [f"num_workers={self.num_workers}"] if self.num_workers else []
        return f"DataLoader({', '.join(parts)})"

    def state_dict(self) -> dict[str, Any]:
        """What the next epoch depends on: its number and the random generators. Can be written as JSON.

        Taken at the start of an epoch and given to `load_state_dict`, it makes the loader repeat that epoch and those
        that follow, bit for bit.
        """
        own: Any = self.batch_sampler if self.batch_sampler is not None else self.sampler
        drawn = self._shuffle or self._stream.seeded
        state = {"epoch": self._epoch, "generator": self._stream.state() if drawn else None, "sampler": None}
        if not self._own_sampler and hasattr(own, "state_dict"):
            state["sampler"] = own.state_dict()
        return state

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue where `state_dict` was taken; ValueError for a state of another kind of loader."""
        if not isinstance(state, dict) or state.keys() != {"epoch", "generator", "sampler"}:
            keys = sorted(map(str, state)) if isinstance(state, dict) else type(state).__name__
            raise ValueError(f"DataLoader: a state has the keys epoch, generator and sampler, not {keys}")
        if not _is_count(state["epoch"], 0):
            raise ValueError(f"DataLoader: the epoch was saved as {state['epoch']!r:.80}; expected a number of epochs")
        own: Any = self.batch_sampler if self.batch_sampler is not None else self.sampler
        if state["sampler"] is not None and (self._own_sampler or not hasattr(own, "load_state_dict")):
            raise ValueError("DataLoader: the state holds that of a sampler, but this loader was given none")
        if state["sampler"] is not None:
            own.load_state_dict(state["sampler"])
        if state["generator"] is not None:
            self._stream.restore(state["generator"])
        self._epoch = state["epoch"]

    def _plan(self) -> Iterator[Any]:
        """The indices of each batch, or each index where there are no batches."""
        if type(self.batch_sampler) is BatchSampler:
            return self.batch_sampler.batches()
        return iter(self.batch_sampler if self.batch_sampler is not None else self.sampler)  # type: ignore[arg-type]

    def _index_tasks(self, plan: Iterator[Any], root: int, epoch: int) -> Iterator[Callable[[], Any]]:
        position = 0
        single = self.batch_sampler is None
        whole = whole_batches(self.dataset) if self.collate_fn is None and not single else None
        for number, chosen in enumerate(plan):
            if whole is not None:
                yield _Whole(whole, chosen, number, Place(root, epoch, position))
            else:
                indices = [chosen] if single else chosen
                indices = indices.tolist() if isinstance(indices, np.ndarray) else list(indices)
                yield _Collected(self, indices, number, (root, epoch, position))
            position += 1 if single else len(chosen)

    def _stream_tasks(self, root: int, epoch: int) -> Iterator[Callable[[], Any]]:
        source = _Source(iter(self.dataset), root, epoch)
        for number in count():
            yield _Pulled(self, source, number)

    def _finish(self, samples: list[Any], number: int) -> Any:
        try:
            if self.batch_size is None and self.batch_sampler is None:
                return (self.collate_fn or default_convert)(samples[0])
            return (self.collate_fn or default_collate)(samples)
        except Exception as error:
            error.add_note(f"DataLoader: raised while samples were put together to batch {number}")
            raise


class _Whole:
    """Makes a batch by the dataset's own `batch`."""

    def __init__(self, whole: Callable[[Any], Any], indices: Any, number: int, place: Place) -> None:
        self.whole, self.indices, self.number, self.place = whole, indices, number, place

    def __call__(self) -> Any:
        before = here.place
        try:
            here.place = self.place
            return self.whole(self.indices)
        except Exception as error:
            error.add_note(f"DataLoader: raised by batch {self.number}, indices {np.asarray(self.indices).tolist()}")
            raise
        finally:
            here.place = before


class _Collected:
    """Makes a batch of samples fetched one by one."""

    def __init__(self, loader: DataLoader, indices: list[Any], number: int, place: tuple[int, int, int]) -> None:
        self.loader, self.indices, self.number, self.place = loader, indices, number, place

    def __call__(self) -> Any:
        samples = self._samples()
        try:
            return self.loader._finish(samples, self.number)
        except Exception as error:
            error.add_note(f"DataLoader: the indices of its samples are {self.indices}")
            raise

    def _samples(self) -> list[Any]:
        dataset, samples = self.loader.dataset, []
        root, epoch, start = self.place
        before = here.place
        try:
            for k, index in enumerate(self.indices):
                here.place = Place(root, epoch, start + k)
                samples.append(dataset[index])
        except StopIteration as error:  # which would end the loop over the loader without a word
            where = f"index {index!r}, sample {k} of batch {self.number}"
            raise RuntimeError(f"DataLoader: the dataset raised StopIteration by {where}") from error
        except Exception as error:
            error.add_note(f"DataLoader: raised by index {index!r}, sample {k} of batch {self.number}")
            raise
        finally:
            here.place = before
        return samples


class _Source:
    """The iterator of an IterableDataset, and how many samples it gave."""

    def __init__(self, iterator: Iterator[Any], root: int, epoch: int) -> None:
        self.iterator, self.root, self.epoch, self.taken = iterator, root, epoch, 0

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        before = here.place
        try:
            here.place = Place(self.root, self.epoch, self.taken)
            sample = next(self.iterator)
        except StopIteration:
            raise
        except Exception as error:
            error.add_note(f"DataLoader: raised by the IterableDataset after {self.taken} samples")
            raise
        finally:
            here.place = before
        self.taken += 1
        return sample


class _Pulled:
    """Makes a batch of the next samples of an iterator."""

    def __init__(self, loader: DataLoader, source: _Source, number: int) -> None:
        self.loader, self.source, self.number = loader, source, number

    def __call__(self) -> Any:
        wanted = self.loader.batch_size
        samples = list(islice(self.source, wanted or 1))
        if not samples or (self.loader.drop_last and len(samples) < (wanted or 1)):
            return _END
        return self.loader._finish(samples, self.number)


class _Failed:
    """Raises what the sampler raised, when it is the turn of the batch that was to be."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def __call__(self) -> Any:
        raise self.error


def _until_failure(tasks: Iterator[Callable[[], Any]]) -> Iterator[Callable[[], Any]]:
    """The tasks; the failure to make a further one is a task too, so that it waits for the batches before it."""
    number = 0
    try:
        for number, task in enumerate(tasks, 1):  # noqa: B007
            yield task
    except Exception as error:
        error.add_note(f"DataLoader: raised by the sampler or the iterator, where batch {number} was to begin")
        yield _Failed(error)


def _is_count(value: Any, least: int) -> bool:
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool) and bool(value >= least)


def _in_turn(tasks: Iterator[Callable[[], Any]]) -> Iterator[Any]:
    for task in tasks:
        batch = task()
        if batch is _END:
            return
        yield batch


def _ahead(tasks: Iterator[Callable[[], Any]], workers: int, limit: int) -> Iterator[Any]:
    """The tasks' results in order, with up to `limit` of them running or waiting."""
    pool = ThreadPoolExecutor(workers, _THREADS, backend.set_grad_enabled, (backend.grad_enabled(),))
    try:
        for batch in _submitted(pool, tasks, limit):
            yield batch
            del batch  # else it would live while the next is waited for
    finally:
        # A thread cannot wait for its own end, and the collector may run this in a worker.
        inside = threading.current_thread().name.startswith(_THREADS)
        pool.shutdown(wait=not inside, cancel_futures=True)


def _submitted(pool: ThreadPoolExecutor, tasks: Iterator[Callable[[], Any]], limit: int) -> Iterator[Any]:
    waiting: deque[Future[Any]] = deque(pool.submit(task) for task in islice(tasks, limit))
    while waiting:
        batch = waiting.popleft().result()
        if batch is _END:
            return
        waiting.extend(pool.submit(task) for task in islice(tasks, 1))
        yield batch
        del batch  # as above
