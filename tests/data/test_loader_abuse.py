"""The DataLoader where things go wrong: errors, interruptions, abandoned iterators, copies."""

import _thread
import copy
import gc
import pickle
import signal
import subprocess
import sys
import threading
import time
import traceback

import numpy as np
import pytest

import zen
from zen.data import (
    BatchSampler,
    ConcatDataset,
    DataLoader,
    Dataset,
    IterableDataset,
    MapDataset,
    RandomSampler,
    SequentialSampler,
    Subset,
    SubsetRandomSampler,
    TensorDataset,
    WeightedRandomSampler,
    random_split,
    transforms,
)

WORKERS = [0, 1, 3]


class Numbers(Dataset):
    """The indices; `act` is called with each."""

    def __init__(self, act=lambda index: None, n=12):
        self.act, self.n = act, n

    def __len__(self):
        return self.n

    def __getitem__(self, index):
        self.act(index)
        return index


def fail_at(index, error):
    def act(k):
        if k == index:
            raise error

    return act


def threads():
    return [t for t in threading.enumerate() if t.name.startswith("zen-data")]


@pytest.fixture(autouse=True)
def no_thread_is_left():
    yield
    assert threads() == []


def indices(loader):
    return [batch.tolist() for batch in loader]


# Errors


@pytest.mark.parametrize("workers", WORKERS)
def test_an_error_in_the_dataset_keeps_its_traceback_and_the_loader_can_be_used_again(workers):
    dataset = Numbers(fail_at(5, ValueError("spoilt")))
    loader = DataLoader(dataset, 2, num_workers=workers)
    for _ in range(2):
        seen = []
        with pytest.raises(ValueError, match="^spoilt") as caught:
            for batch in loader:
                seen.append(batch.tolist())
        assert seen == [[0, 1], [2, 3]]
        names = [frame.name for frame in traceback.extract_tb(caught.value.__traceback__)]
        assert "act" in names and "__getitem__" in names
        assert "DataLoader: raised by index 5, sample 1 of batch 2" in caught.value.__notes__
        assert threads() == []
    dataset.act = lambda index: None
    assert indices(loader) == [[k, k + 1] for k in range(0, 12, 2)]


@pytest.mark.parametrize("workers", WORKERS)
def test_an_error_in_collate_fn_keeps_its_traceback_and_names_batch_and_indices(workers):
    def together(samples):
        if 4 in samples:
            raise ZeroDivisionError
        return samples

    with pytest.raises(ZeroDivisionError) as caught:
        list(DataLoader(Numbers(), 3, collate_fn=together, num_workers=workers))
    assert "together" in [frame.name for frame in traceback.extract_tb(caught.value.__traceback__)]
    assert caught.value.__notes__ == [
        "DataLoader: raised while samples were put together to batch 1",
        "DataLoader: the indices of its samples are [3, 4, 5]",
    ]


@pytest.mark.parametrize("workers", WORKERS)
def test_an_error_in_the_sampler_waits_for_the_batches_before_it(workers):
    def order():
        yield from [3, 1, 4, 1]
        raise LookupError("no more")

    class Order:
        def __iter__(self):
            return order()

    for sampler, expected in (({"sampler": Order()}, [[3, 1], [4, 1]]), ({"batch_sampler": [[3], None]}, [[3]])):
        loader = DataLoader(
            Numbers(), num_workers=workers, **({"batch_size": 2} if "sampler" in sampler else {}), **sampler
        )
        seen = []
        with pytest.raises((LookupError, TypeError)) as caught:
            for batch in loader:
                seen.append(batch.tolist())
        assert seen == expected
        assert caught.value.__notes__ == [
            f"DataLoader: raised by the sampler or the iterator, where batch {len(expected)} was to begin"
        ]


@pytest.mark.parametrize("workers", WORKERS)
def test_stop_iteration_in_the_dataset_does_not_end_the_epoch_without_a_word(workers):
    with pytest.raises(RuntimeError, match="the dataset raised StopIteration by index 5, sample 1 of batch 2"):
        list(DataLoader(Numbers(fail_at(5, StopIteration())), 2, num_workers=workers))


@pytest.mark.parametrize("workers", WORKERS)
@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, MemoryError])
def test_what_ends_a_program_passes_through_the_workers(workers, error):
    with pytest.raises(error):
        list(DataLoader(Numbers(fail_at(5, error())), 2, num_workers=workers))


def test_one_exception_object_raised_by_many_samples():
    error = ValueError("all")
    loader = DataLoader(Numbers(lambda index: (_ for _ in ()).throw(error)), 2, num_workers=3)
    for _ in range(2):
        with pytest.raises(ValueError, match="^all"):
            list(loader)


# Threads


@pytest.fixture
def ctrl_c():
    """What Ctrl-C does in a program in the foreground: one in the background ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_ctrl_c_while_a_batch_is_waited_for_ends_the_workers(ctrl_c):
    def act(index):
        if index == 2:
            time.sleep(0.05)
            _thread.interrupt_main()
            time.sleep(0.05)

    loader = DataLoader(Numbers(act), 1, num_workers=2)
    for workers in (0, 2):
        loader.num_workers = workers
        with pytest.raises(KeyboardInterrupt):
            for _ in loader:
                pass
        assert threads() == []
    loader.dataset.act = lambda index: None
    assert indices(loader) == [[k] for k in range(12)]


def test_an_abandoned_iterator_ends_its_workers():
    loader = DataLoader(Numbers(), 1, num_workers=3)
    iterator = iter(loader)
    next(iterator)
    assert threads()
    del iterator
    assert threads() == []
    for _ in loader:
        break
    assert threads() == []
    loop = [iter(loader)]
    loop.append(loop)  # only the collector finds it
    next(loop[0])
    del loop
    gc.collect()
    assert threads() == []
    iter(loader)  # not begun
    assert threads() == []


def test_a_program_that_ends_with_an_open_iterator_ends():
    program = """
import zen
loader = zen.data.DataLoader(range(1000), 1, num_workers=3)
iterator = iter(loader)
next(iterator)
class Cycle: pass
c = Cycle(); c.c, c.iterator = c, iterator
"""
    done = subprocess.run([sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_loader_inside_the_samples_of_another():
    inner = DataLoader(Numbers(n=3), 3, num_workers=2)
    outer = DataLoader(MapDataset(range(4), lambda k: next(iter(inner)) + k), 2, num_workers=2)
    assert [batch.tolist() for batch in outer] == [[[0, 1, 2], [1, 2, 3]], [[2, 3, 4], [3, 4, 5]]]
    end = time.monotonic() + 10  # a thread cannot wait for its own kind; they end by themselves
    while threads() and time.monotonic() < end:
        time.sleep(0.001)


# Copies


def double(x):
    return x * 2


class Stream(IterableDataset):
    def __iter__(self):
        return iter(range(5))


_POINTS = TensorDataset(np.arange(10.0), np.arange(10))
LOADERS = {
    "arrays": lambda: DataLoader(_POINTS, 4, shuffle=True, seed=1),
    "subset": lambda: DataLoader(Subset(_POINTS, [3, 1, 2]), 2, num_workers=2),
    "split": lambda: DataLoader(random_split(_POINTS, [6, 4], seed=0)[0], 2, shuffle=True, seed=2),
    "joined": lambda: DataLoader(ConcatDataset([_POINTS, _POINTS]), 4, sampler=RandomSampler(range(20), seed=3)),
    "mapped": lambda: DataLoader(MapDataset(range(6), double), 4, drop_last=True),
    "weighted": lambda: DataLoader(range(6), 4, sampler=WeightedRandomSampler(np.ones(6), 6, seed=4)),
    "batches": lambda: DataLoader(range(6), batch_sampler=BatchSampler(SubsetRandomSampler([5, 3], seed=5), 1)),
    "stream": lambda: DataLoader(Stream(), 2),
    "noise": lambda: DataLoader(MapDataset(np.zeros((4, 2, 2)), transforms.GaussianNoise(seed=1)), 2, seed=0),
    "unshuffled": lambda: DataLoader(_POINTS, sampler=SequentialSampler(_POINTS)),
}  # fmt: skip


def _values(loader):
    return [
        np.concatenate([np.ravel(part) for part in (batch if isinstance(batch, tuple) else [batch])])
        for batch in loader
    ]


@pytest.mark.parametrize("name", LOADERS)
@pytest.mark.parametrize("copied", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))], ids=["deepcopy", "pickle"])
def test_a_copy_continues_as_the_original_does_and_apart_from_it(name, copied):
    zen.random.seed(0)
    loader = LOADERS[name]()
    _values(loader)
    twin = copied(loader)
    assert repr(twin) == repr(loader) and (isinstance(loader.dataset, range) or twin.dataset is not loader.dataset)
    for _ in range(2):
        mine, theirs = _values(loader), _values(twin)
        assert len(mine) == len(theirs) > 0
        for a, b in zip(mine, theirs, strict=True):
            np.testing.assert_array_equal(a, b)


def test_what_cannot_be_copied_says_so():
    with pytest.raises((pickle.PicklingError, AttributeError), match="lambda"):
        pickle.dumps(DataLoader(MapDataset(range(3), lambda x: x)))
    with pytest.raises(TypeError, match="cannot pickle 'generator' object"):
        copy.deepcopy(iter(DataLoader(range(3))))


@pytest.mark.parametrize(
    "options", [{"num_workers": 1.5}, {"num_workers": True}, {"num_workers": "2"}, {"prefetch_factor": 2.0}]
)
def test_numbers_of_workers_and_batches_ahead_are_integers(options):
    [(name, value)] = options.items()
    with pytest.raises(ValueError, match=rf"{name} (is )?{value!r}.* must be integers of at least 0 and 1"):
        DataLoader(range(3), **options)
