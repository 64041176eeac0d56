"""Samplers, splitting, and what a batch is made of."""

from collections import namedtuple

import numpy as np
import pytest

import zen
from zen.data import (
    BatchSampler,
    DataLoader,
    RandomSampler,
    SequentialSampler,
    SubsetRandomSampler,
    TensorDataset,
    WeightedRandomSampler,
    default_collate,
    random_split,
)

# Samplers


def test_samplers():
    data = range(10)
    assert list(SequentialSampler(data)) == list(data)
    sampler = RandomSampler(data, seed=0)
    first, second = list(sampler), list(sampler)
    assert sorted(first) == sorted(second) == list(data) and first != second
    assert len(set(RandomSampler(data, num_samples=4, seed=0))) == 4
    several = list(RandomSampler(data, num_samples=25, seed=0))
    assert len(several) == 25 and sorted(several[10:20]) == list(data)
    repeated = list(RandomSampler(data, replacement=True, num_samples=1000, seed=0))
    assert set(repeated) == set(data) and len(repeated) == 1000
    assert sorted(SubsetRandomSampler([3, 5, 8], seed=0)) == [3, 5, 8]
    batches = list(BatchSampler(RandomSampler(data, seed=4), 4, drop_last=True))
    assert [len(set(batch)) for batch in batches] == [4, 4] and all(type(k) is int for k in batches[0])


def test_weights_are_the_probabilities():
    weights = np.array([1.0, 0.0, 3.0, 4.0]) * 4e307  # their sum overflows
    drawn = np.bincount(list(WeightedRandomSampler(weights, 8000, seed=0)), minlength=4)
    np.testing.assert_allclose(drawn, [1000, 0, 3000, 4000], atol=150)
    assert sorted(WeightedRandomSampler([0, 1, 2], 2, replacement=False, seed=0)) == [1, 2]


def test_random_split():
    parts = random_split(range(10), [0.5, 0.25, 0.25], seed=0)
    assert [len(p) for p in parts] == [6, 2, 2]
    assert sorted(x for part in parts for x in part) == list(range(10))
    assert [list(p) for p in random_split(range(10), [7, 3], seed=1)] == [
        list(p) for p in random_split(range(10), [0.7, 0.3], generator=np.random.default_rng(1))
    ]
    assert [len(p) for p in random_split(range(1), [1, 0])] == [1, 0]


def test_concatenated_datasets():
    both = TensorDataset(np.arange(3)) + TensorDataset(np.arange(10, 12))
    assert [x.item() for (x,) in both] == [0, 1, 2, 10, 11]
    assert both[-1][0].item() == 11 and both[-5][0].item() == 0
    with pytest.raises(IndexError, match="index 5 is out of range for 5 samples"):
        both[5]


# Collating

Point = namedtuple("Point", "x y")


def test_collating_goes_through_nested_samples():
    samples = [
        {"p": Point(np.float32(k), [k, True]), "s": "ab"[k], "t": (zen.tensor([k]), 0.5), "n": np.full(2, k, np.int8)}
        for k in range(2)
    ]
    batch = default_collate(samples)
    assert type(batch["p"]) is Point and batch["p"].x.dtype == np.float32 and batch["s"] == ["a", "b"]
    assert batch["p"].y[0].dtype == np.int64 and batch["p"].y[1].dtype == bool
    assert type(batch["t"]) is tuple and batch["t"][0].tolist() == [[0], [1]] and batch["t"][1].dtype == np.float64
    assert batch["n"].dtype == np.int8 and batch["n"].shape == (2, 2)


def test_single_samples_without_batches():
    got = list(DataLoader([(np.zeros(2), "a", 3)], batch_size=None, num_workers=1))
    assert got[0][0].shape == (2,) and isinstance(got[0][0], zen.Tensor) and got[0][1:] == ("a", 3)
    assert len(DataLoader(range(7), batch_size=None)) == 7


@pytest.mark.parametrize(
    "samples, error, text",
    [
        ([], ValueError, "no samples"),
        ([None, None], TypeError, "sample 0 of the batch is a NoneType"),
        ([(1, "a"), (1, 2)], TypeError, r"sample 1 of the batch\[1\] is a int, sample 0 a str"),
        ([{"a": 1}, {"b": 1}], ValueError, r"differ in keys \[\"'a'\", \"'b'\"\]"),
        ([(1, 2), (1,)], ValueError, "sample 1 of the batch has length 1, sample 0 has length 2"),
        ([{"a": [np.ones(2)]}, {"a": [np.ones((2, 1))]}], ValueError, r"batch\['a'\]\[0\] has shape \(2, 1\)"),
        ([np.array([None])], TypeError, "object"),
    ],
)
def test_what_cannot_be_collated_is_an_error(samples, error, text):
    with pytest.raises(error, match=text):
        default_collate(samples)
