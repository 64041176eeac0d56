"""What loaders, datasets, samplers, transforms, callbacks and schedules show of themselves."""

import numpy as np
import pytest

import zen
from zen import data, training
from zen.data import transforms as T
from zen.data import write_idx
from zen.optim import lr_scheduler


class Squares(data.Dataset):
    def __len__(self):
        return 4

    def __getitem__(self, index):
        return index**2


class Stream(data.IterableDataset):
    def __iter__(self):
        yield from range(3)


POINTS = data.TensorDataset(np.zeros((100, 3), np.float32), np.arange(100))
_POINTS = "TensorDataset((100, 3) float32, (100,) int64)"
NUMBERS = range(4)


def schedule(kind, *arguments, **options):
    optimiser = zen.optim.SGD([zen.tensor([1.0], requires_grad=True)], lr=0.5)
    return kind(optimiser, *arguments, **options)


@pytest.mark.parametrize(
    "made, text",
    [
        (POINTS, _POINTS),
        (data.Subset(POINTS, [3, 4]), f"Subset({_POINTS}, 2 samples)"),
        (POINTS + Squares(), f"ConcatDataset([{_POINTS}, Squares of 4 samples])"),
        (data.MapDataset([0] * 9, np.sin), "MapDataset(list of 9 samples, sin)"),
        (data.random_split(NUMBERS, [0.75, 0.25])[1], "Subset(range(0, 4), 1 sample)"),
        (data.DataLoader(POINTS, 20, shuffle=True), f"DataLoader({_POINTS}, batch_size=20, shuffle=True)"),
        (
            data.DataLoader(Squares(), 3, drop_last=True, num_workers=2),
            "DataLoader(Squares of 4 samples, batch_size=3, drop_last=True, num_workers=2)",
        ),
        (data.DataLoader(Stream(), None), "DataLoader(Stream of unknown length, batch_size=None)"),
        (data.DataLoader(np.zeros((9, 9)), 2), "DataLoader(ndarray of 9 samples, batch_size=2)"),
        (
            data.DataLoader(NUMBERS, batch_sampler=data.BatchSampler(data.SequentialSampler(NUMBERS), 2, True)),
            "DataLoader(range(0, 4), batch_sampler=BatchSampler(SequentialSampler(range(0, 4)), batch_size=2, "
            "drop_last=True))",
        ),
        (data.DataLoader(NUMBERS, batch_sampler=[[0]]), "DataLoader(range(0, 4), batch_sampler=list of 1 batch)"),
        (
            data.DataLoader(NUMBERS, 2, sampler=data.SubsetRandomSampler([1, 2])),
            "DataLoader(range(0, 4), batch_size=2, sampler=SubsetRandomSampler(2 indices))",
        ),
        (data.RandomSampler(NUMBERS, True, 9), "RandomSampler(range(0, 4), replacement=True, num_samples=9)"),
        (
            data.WeightedRandomSampler([1, 2], 3),
            "WeightedRandomSampler(2 weights, num_samples=3, replacement=True)",
        ),
        (
            T.Compose([T.CenterCrop(3), T.ToTensor(), T.Normalize(0.5, 2.0)]),
            "Compose(transforms=[CenterCrop(size=(3, 3)), ToTensor(), Normalize(mean=0.5, std=2.0)])",
        ),
        (T.GaussianNoise(seed=1), "GaussianNoise(mean=0.0, sigma=0.1, clip=True)"),
        (
            training.EarlyStopping(3, "accuracy", mode="max"),
            "EarlyStopping(patience=3, monitor='accuracy', mode='max', min_delta=0.0, restore_best=True)",
        ),
        (training.Checkpoint("run-{epoch}", 2), "Checkpoint('run-{epoch}', every=2)"),
        (
            training.Checkpoint("run", best_only=True),
            "Checkpoint('run', best_only=True, monitor='validation_loss', mode='min', min_delta=0.0)",
        ),
        (training.Callback(), "Callback()"),
        (schedule(lr_scheduler.StepLR, 3), "StepLR(step_size=3, gamma=0.1, last_epoch=0, lr=[0.5])"),
        (
            schedule(lambda o: lr_scheduler.SequentialLR(o, [lr_scheduler.ExponentialLR(o, 0.5)], [])),
            "SequentialLR([ExponentialLR(gamma=0.5, last_epoch=0, lr=[0.5])], milestones=[], last_epoch=0)",
        ),
    ],
)  # fmt: skip
def test_the_repr_names_what_was_given_and_stays_short(made, text):
    assert repr(made) == text


def test_every_public_class_has_a_repr_of_its_own():
    found = [getattr(module, name) for module in (data, T, training, lr_scheduler) for name in dir(module)]
    bases = {data.Dataset, data.IterableDataset, data.Sampler, training.Training}
    classes = [c for c in found if isinstance(c, type) and not issubclass(c, Exception) and c not in bases]
    assert [c.__name__ for c in classes if c.__repr__ is object.__repr__] == []
    assert len(classes) > 40


def test_the_repr_of_mnist_and_of_a_schedule_along_the_way(tmp_path):
    write_idx(tmp_path / "t10k-images-idx3-ubyte", np.zeros((3, 2, 2), np.uint8))
    write_idx(tmp_path / "t10k-labels-idx1-ubyte", np.zeros(3, np.uint8))
    assert repr(data.MNIST(tmp_path, train=False)) == f"MNIST({str(tmp_path)!r}, train=False, 3 samples)"
    plateau = schedule(lr_scheduler.ReduceLROnPlateau)
    plateau.step(3.0)
    assert "mode='min'" in repr(plateau) and "best=3.0" in repr(plateau) and "lr=[0.5]" in repr(plateau)


def test_a_repr_fails_for_nobody():
    class Broken(data.Dataset):
        def __len__(self):
            raise ZeroDivisionError

    assert repr(data.DataLoader(Broken(), sampler=[0])) == (
        "DataLoader(Broken of unknown length, batch_size=1, sampler=list of 1 sample)"
    )
