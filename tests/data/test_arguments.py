"""Arguments of data that would silently mean something else."""

import numpy as np
import pytest

import zen
from zen import data
from zen.data import transforms as T

POINTS = data.TensorDataset(np.arange(4.0))
MASK = np.array([False, True, True, False])


@pytest.mark.parametrize(
    "make, error, text",
    [
        (lambda: data.Subset(POINTS, MASK), TypeError, "Subset: indices must be integers, not bool; numpy.flatnonzero"),
        (lambda: data.Subset(range(4), MASK.tolist()), TypeError, "Subset: indices must be integers, not bool"),
        (lambda: data.Subset(POINTS, [0.5, 1.5]), TypeError, "Subset: indices must be integers, not float64"),
        (lambda: data.Subset(POINTS, ["a"]), TypeError, "Subset: indices must be integers, not <U1"),
        (lambda: data.SubsetRandomSampler(MASK), TypeError, "SubsetRandomSampler: indices must be integers, not bool"),
        (lambda: data.SubsetRandomSampler([0.5]), TypeError, "indices must be integers, not float64"),
        (lambda: data.RandomSampler(POINTS, num_samples=2.5), ValueError, "num_samples is 2.5; it must be an integer"),
        (lambda: data.WeightedRandomSampler([1.0], 2.5), ValueError, "num_samples is 2.5"),
        (lambda: data.read_npz("a.npz", "xy"), TypeError, "names must be a list of names, not the string 'xy'"),
        (lambda: T.Normalize(0.0, np.inf), ValueError, "must be finite, and std positive"),
        (lambda: T.GaussianNoise(sigma=np.nan), ValueError, "sigma is nan"),
        (lambda: T.GaussianNoise(sigma=np.inf), ValueError, "sigma is inf"),
    ],
)
def test_what_would_mean_something_else_is_refused(make, error, text):
    with pytest.raises(error, match=text):
        make()


def test_indices_of_every_kind_of_integer_and_keys_of_a_dict():
    for indices in ([1, 2], np.array([1, 2], np.uint8), range(1, 3), zen.tensor([1, 2]), np.flatnonzero(MASK)):
        subset = data.Subset(POINTS, indices)
        assert [x.item() for (x,) in subset] == [1, 2]
        [[batch]] = data.DataLoader(subset, 2)
        assert batch.tolist() == [1, 2]
    assert len(data.Subset(POINTS, [])) == 0
    assert list(data.Subset({"a": 1, "b": 2}, ["b"])) == [2]


def test_a_masked_array_is_refused_where_its_mask_would_be_lost(tmp_path):
    masked = np.ma.masked_array(np.arange(3, dtype=np.int32), [False, True, False])
    with pytest.raises(TypeError, match="a masked array would lose its mask"):
        data.write_idx(tmp_path / "a", masked)
    data.write_idx(tmp_path / "a", zen.tensor(masked.filled(7)))
    assert data.read_idx(tmp_path / "a").tolist() == [0, 7, 2]
    with pytest.raises(RuntimeError, match="requires a gradient"):
        data.write_idx(tmp_path / "a", zen.tensor([1.0], requires_grad=True))


@pytest.mark.parametrize("state", [{}, {"bit_generator": "PCG64"}, {"bit_generator": "PCG64", "state": {"state": "x"}}])
def test_a_damaged_state_of_a_loader_is_refused_and_nothing_changes(state):
    loader = data.DataLoader(POINTS, 2, shuffle=True, seed=0)
    before = loader.state_dict()
    for spoilt in ({**before, "generator": state}, {**before, "epoch": "x"}, {**before, "epoch": -1}):
        with pytest.raises(ValueError, match="DataLoader: "):
            loader.load_state_dict(spoilt)
    assert loader.state_dict() == before


def test_what_other_datasets_call_batch_is_left_alone():
    class Foreign:  # as the datasets of other libraries have it
        def __len__(self):
            return 4

        def __getitem__(self, index):
            return index * 10

        def batch(self, batch_size):
            raise AssertionError

    class Own(data.Dataset):
        batch = 32

        def __len__(self):
            return 4

        def __getitem__(self, index):
            return index * 10

    for dataset in (Foreign(), Own()):
        for wrapped in (dataset, data.Subset(dataset, range(4)), data.ConcatDataset([dataset])):
            assert [batch.tolist() for batch in data.DataLoader(wrapped, 3)] == [[0, 10, 20], [30]]
