"""The DataLoader: order, repeatability, resuming, threads, errors."""

import threading
import time

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
    Subset,
    TensorDataset,
    WeightedRandomSampler,
    default_collate,
    random_split,
    sample_generator,
)  # fmt: skip
from zen.data import transforms as T

WORKERS = (0, 1, 3)


class Numbers(Dataset):
    """Index, and a random number; every third sample takes longer than the others."""

    def __init__(self, n, fails=()):
        self.n, self.fails = n, fails

    def __len__(self):
        return self.n

    def __getitem__(self, index):
        if index % 3 == 0:
            time.sleep(0.0005)
        if index in self.fails:
            raise KeyError(f"no sample {index}")
        generator = sample_generator()
        return index, 0.0 if generator is None else generator.normal()


class Stream(IterableDataset):
    def __init__(self, n, fails=()):
        self.n, self.fails = n, fails

    def __iter__(self):
        for k in range(self.n):
            if k in self.fails:
                raise KeyError(f"no sample {k}")
            yield k, sample_generator().normal()


def epoch(loader):
    """All batches of one epoch as lists."""
    return [[part.tolist() for part in batch] for batch in loader]


def threads():
    return [t for t in threading.enumerate() if t.name.startswith("zen-data")]


@pytest.fixture(autouse=True)
def no_thread_is_left():
    yield
    assert threads() == []


def loaders(**options):
    for workers in WORKERS:
        yield DataLoader(Numbers(23), 5, seed=7, num_workers=workers, prefetch_factor=2, **options)


# Order


@pytest.mark.parametrize("options", [{"shuffle": True}, {}, {"shuffle": True, "drop_last": True}])
def test_epochs_are_the_same_with_any_number_of_workers_and_differ_from_each_other(options):
    runs = [[epoch(loader), epoch(loader)] for loader in loaders(**options)]
    assert runs[0] == runs[1] == runs[2]
    first, second = runs[0]
    assert first != second  # the random numbers, at least, are others
    kept = 20 if options.get("drop_last") else 23
    indices = sum([x for x, _ in first], [])
    assert len(set(indices)) == len(indices) == kept
    assert (indices == list(range(kept))) == ("shuffle" not in options)


def test_another_seed_is_another_order_and_zen_random_seeds_what_has_no_seed():
    data = TensorDataset(np.arange(50))

    def order(**options):
        return epoch(DataLoader(data, 50, shuffle=True, **options))

    assert order(seed=1) == order(seed=1) == order(generator=np.random.default_rng(1)) != order(seed=2)
    zen.random.seed(3)
    first = order()
    zen.random.seed(3)
    assert order() == first != order()


@pytest.mark.parametrize("drop_last", [False, True])
@pytest.mark.parametrize("n, size", [(10, 3), (9, 3), (2, 3), (0, 3), (3, 1)])
def test_length_is_the_number_of_batches(n, size, drop_last):
    for data in (TensorDataset(np.arange(n)), Numbers(n)):
        loader = DataLoader(data, size, drop_last=drop_last, num_workers=2)
        assert len(loader) == len(list(loader)) == len(BatchSampler(range(n), size, drop_last))


def test_two_loops_over_one_loader_at_once():
    loader = DataLoader(Numbers(6), 2, shuffle=True, seed=0, num_workers=2)
    first, second = zip(*zip(loader, loader, strict=True), strict=True)
    for batches in (first, second):
        assert sorted(np.concatenate([x.numpy() for x, _ in batches])) == list(range(6))


def test_tensor_dataset_takes_whole_batches_and_they_equal_collected_ones():
    x, y = np.random.default_rng(0).normal(size=(11, 2, 3)).astype(np.float32), np.arange(11)
    data = TensorDataset(x, zen.tensor(y))
    options = {"batch_size": 4, "shuffle": True, "seed": 5}
    fast = list(DataLoader(data, **options))
    slow = list(DataLoader(data, collate_fn=default_collate, **options))
    nested = list(DataLoader(Subset(Subset(data, np.arange(11)), range(11)), **options))
    for a, b, c in zip(fast, slow, nested, strict=True):
        for part, (u, v, w) in enumerate(zip(a, b, c, strict=True)):
            assert isinstance(a, tuple) and u.dtype == data.tensors[part].dtype
            np.testing.assert_array_equal(u.numpy(), v.numpy())
            np.testing.assert_array_equal(u.numpy(), w.numpy())
    fast[0][0].array[...] = 0  # a batch is a copy
    assert (x != 0).all()


def test_gradients_reach_a_tensor_that_the_batches_are_taken_from():
    x = zen.tensor([1.0, 2.0, 3.0], requires_grad=True)
    for collate_fn in (None, default_collate):
        x.grad = None
        for (batch,) in DataLoader(TensorDataset(x), 2, num_workers=2, collate_fn=collate_fn):
            (batch * batch).sum().backward()
        np.testing.assert_array_equal(x.grad.numpy(), [2.0, 4.0, 6.0])


def test_workers_have_the_callers_grad_mode():
    x = zen.tensor([1.0, 2.0], requires_grad=True)
    with zen.no_grad():
        assert not next(iter(DataLoader(MapDataset(range(2), lambda k: x[k] * 2), 2, num_workers=1))).requires_grad


def test_a_loader_in_order_leaves_zen_random_alone_and_still_follows_its_seed():
    runs = []
    for workers in (0, 2, 2):
        zen.random.seed(4)
        state = zen.random.get_state()
        loader = DataLoader(Numbers(5), 2, num_workers=workers)
        runs.append([epoch(loader), epoch(loader)])
        resumed = DataLoader(Numbers(5), 2)
        resumed.load_state_dict(loader.state_dict())
        shuffled = DataLoader(Numbers(5), 2, shuffle=True)
        shuffled.load_state_dict(DataLoader(Numbers(5), shuffle=True, seed=0).state_dict())
        assert zen.random.get_state() == state
    assert runs[0] == runs[1] == runs[2] and runs[0][0] != runs[0][1]
    zen.random.seed(5)
    assert epoch(DataLoader(Numbers(5), 2)) != runs[0][0]


# Resuming


@pytest.mark.parametrize("workers", WORKERS)
@pytest.mark.parametrize("kind", [np.random.PCG64, np.random.MT19937, np.random.Philox])
def test_a_loader_continues_bit_for_bit_from_a_saved_state(workers, kind, tmp_path):
    def made(seed):
        return DataLoader(
            Numbers(13), 4, shuffle=True, generator=np.random.Generator(kind(seed)), num_workers=workers
        )  # fmt: skip

    loader = made(0)
    epoch(loader)
    zen.save(tmp_path / "state", {}, loader=loader)
    expected = [epoch(loader), epoch(loader)]
    resumed = made(99)
    iter(resumed)  # alone changes nothing
    resumed.load_state_dict(zen.load(tmp_path / "state").metadata["loader"])
    assert [epoch(resumed), epoch(resumed)] == expected


def test_state_within_an_epoch_is_that_of_the_next_and_holds_a_given_sampler():
    def made(seed):
        return DataLoader(range(9), 2, sampler=WeightedRandomSampler(np.arange(1.0, 10), 9, seed=seed), seed=seed)

    loader = made(0)
    steps = iter(loader)
    next(steps)
    state = loader.state_dict()
    list(steps)
    assert loader.state_dict() == state
    resumed = made(1)
    resumed.load_state_dict(state)
    assert [b.tolist() for b in resumed] == [b.tolist() for b in loader]


def test_states_that_do_not_fit_are_errors():
    loader = DataLoader(range(3), shuffle=True, seed=0)
    with pytest.raises(ValueError, match="keys epoch, generator and sampler, not \\['a'\\]"):
        loader.load_state_dict({"a": 1})
    other = DataLoader(range(3), generator=np.random.Generator(np.random.Philox(0)))
    with pytest.raises(ValueError, match="is of a Philox generator, this one is a PCG64"):
        loader.load_state_dict(other.state_dict())
    with pytest.raises(ValueError, match="this loader was given none"):
        loader.load_state_dict({**loader.state_dict(), "sampler": {}})


# Threads


def test_leaving_the_loop_stops_the_workers_and_they_are_never_far_ahead():
    seen = []
    data = MapDataset(range(1000), lambda k: seen.append(k) or k)
    for _ in DataLoader(data, 1, num_workers=3, prefetch_factor=2):
        assert len(threads()) <= 3
        break
    assert threads() == []
    assert len(seen) <= 1 + 2 * 3
    with pytest.raises(ZeroDivisionError):
        for _ in DataLoader(data, 1, num_workers=3):
            raise ZeroDivisionError
    assert threads() == []


def test_workers_run_at_the_same_time():
    meeting = threading.Barrier(3, timeout=10)  # breaks unless three samples are fetched at once
    data = MapDataset(range(3), lambda k: (meeting.wait(), k)[1])
    assert [b.item() for b in DataLoader(data, 1, num_workers=3)] == [0, 1, 2]


def test_more_workers_than_batches():
    assert [b.tolist() for b in DataLoader(range(3), 2, num_workers=16)] == [[0, 1], [2]]
    assert list(DataLoader(range(0), 2, num_workers=2)) == []


@pytest.mark.parametrize("workers", WORKERS)
def test_an_exception_in_the_dataset_names_index_and_batch(workers):
    loader = DataLoader(Numbers(20, fails={9}), 4, num_workers=workers)
    seen = []
    with pytest.raises(KeyError, match="no sample 9") as caught:
        for batch in loader:
            seen.append(batch[0].tolist())
    assert seen == [[0, 1, 2, 3], [4, 5, 6, 7]]
    assert caught.value.__notes__ == ["DataLoader: raised by index 9, sample 1 of batch 2"]
    with pytest.raises(IndexError) as caught:
        list(DataLoader(TensorDataset(np.arange(3)), 2, sampler=[0, 1, 5], num_workers=workers))
    assert caught.value.__notes__ == ["DataLoader: raised by batch 1, indices [5]"]


@pytest.mark.parametrize("workers", WORKERS)
def test_samples_of_different_shapes_name_sample_and_shapes(workers):
    data = [np.zeros(3), np.zeros(3), np.zeros(4)]
    with pytest.raises(
        ValueError, match=r"sample 2 of the batch has shape \(4,\), sample 0 has shape \(3,\)"
    ) as caught:
        list(DataLoader(data, 3, num_workers=workers))
    assert "indices of its samples are [0, 1, 2]" in caught.value.__notes__[-1]


# Iterable datasets


@pytest.mark.parametrize("drop_last", [False, True])
def test_an_iterable_dataset_is_gone_through_once_in_order(drop_last):
    runs = []
    for workers in WORKERS:
        loader = DataLoader(Stream(11), 4, seed=2, num_workers=workers, drop_last=drop_last)
        runs.append([epoch(loader), epoch(loader)])
    assert runs[0] == runs[1] == runs[2]
    assert [x for x, _ in runs[0][0]] == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10]][: 2 if drop_last else 3]
    assert runs[0][0] != runs[0][1]
    with pytest.raises(TypeError):
        len(loader)


@pytest.mark.parametrize("workers", WORKERS)
def test_an_exception_in_an_iterable_dataset(workers):
    seen = []
    with pytest.raises(KeyError) as caught:
        for batch in DataLoader(Stream(20, fails={9}), 4, num_workers=workers):
            seen.append(len(batch[0]))
    assert seen == [4, 4] and "after 9 samples" in caught.value.__notes__[0]
    for _ in DataLoader(Stream(10**9), 4, num_workers=workers):
        break


# Arguments


@pytest.mark.parametrize(
    "make, error, text",
    [
        (lambda: DataLoader(range(3), 0), ValueError, "batch_size must be a positive integer, not 0"),
        (lambda: DataLoader(range(3), 2.5), ValueError, "not 2.5"),
        (lambda: DataLoader(range(3), num_workers=-1), ValueError, "num_workers is -1"),
        (lambda: DataLoader(range(3), prefetch_factor=0), ValueError, "prefetch_factor 0"),
        (lambda: DataLoader(range(3), shuffle=True, sampler=[0]), ValueError, "either shuffle=True or a sampler"),
        (lambda: DataLoader(range(3), 2, batch_sampler=[[0]]), ValueError, "a batch_sampler replaces"),
        (lambda: DataLoader(range(3), None, drop_last=True), ValueError, "no meaning without batches"),
        (lambda: DataLoader(Stream(3), shuffle=True), ValueError, "has its own order"),
        (lambda: DataLoader(range(3), seed=1, generator=np.random.default_rng()), TypeError, "not both"),
        (lambda: DataLoader(range(3), generator=3), TypeError, "Generator, not int; seed= takes a number"),
        (lambda: TensorDataset(np.ones(2), np.ones(3)), ValueError, r"\(2,\), \(3,\) must begin with one"),
        (lambda: TensorDataset(1.0), ValueError, r"shapes \(\)"),
        (lambda: TensorDataset(), ValueError, "at least one"),
        (lambda: ConcatDataset([]), ValueError, "at least one"),
        (lambda: ConcatDataset([Stream(1)]), TypeError, "dataset 0 is an IterableDataset"),
        (lambda: random_split(range(4), [1, 2]), ValueError, "add up to 3; they must add up to the 4 samples"),
        (lambda: random_split(range(4), [0.5, 0.6]), ValueError, "add up to 1.1"),
        (lambda: random_split(range(4), [-1, 5]), ValueError, "must not be negative"),
        (lambda: list(RandomSampler([], num_samples=2)), ValueError, "the dataset is empty"),
        (lambda: RandomSampler([1], num_samples=-2), ValueError, "num_samples is -2"),
        (lambda: WeightedRandomSampler([1, np.nan], 1), ValueError, "weight 1 is nan"),
        (lambda: WeightedRandomSampler([0, 0], 1), ValueError, "all weights are zero"),
        (lambda: WeightedRandomSampler([1, 0], 2, replacement=False), ValueError, "must be 0 to 1"),
        (lambda: WeightedRandomSampler([[1]], 1), ValueError, r"not of shape \(1, 1\)"),
        (lambda: Dataset()[0], NotImplementedError, "must define __getitem__"),
    ],
)
def test_wrong_arguments_are_errors(make, error, text):
    with pytest.raises(error, match=text):
        make()


def test_batch_samplers_and_transforms_by_seed():
    loader = DataLoader(range(4), batch_sampler=[[3, 1], [0]], num_workers=1)
    assert [b.tolist() for b in loader] == [[3, 1], [0]] and len(loader) == 2
    noise = T.GaussianNoise(clip=False, seed=1)
    data = MapDataset(range(6), lambda k: (noise(np.zeros((2, 2))), noise(np.zeros((2, 2)))))
    runs = [epoch(DataLoader(data, 4, num_workers=n)) for n in WORKERS]  # the loaders have no seed, the noise has
    assert runs[0] == runs[1] == runs[2]
    values = np.concatenate([np.ravel(part) for batch in runs[0] for part in batch])
    assert len(np.unique(values)) == values.size == 6 * 2 * 4


def test_what_is_no_dataset_is_refused_at_once():
    with pytest.raises(TypeError, match="generator has no __getitem__; .* a subclass of IterableDataset"):
        DataLoader((x for x in range(3)), 2)
    with pytest.raises(IndexError, match="Subset: index 5 is out of range for 2 samples"):
        zen.data.Subset(TensorDataset(np.arange(4)), [1, 2])[5]
