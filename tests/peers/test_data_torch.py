"""Data and files against PyTorch: bilinear resizing, random_split's lengths, weights by safetensors."""

import numpy as np
import pytest
import safetensors.torch
import torch

import zen
from zen.data import random_split
from zen.data import transforms as T


@pytest.mark.parametrize("antialias", [False, True])
@pytest.mark.parametrize("size", [(4, 31), (13, 5), (9, 14), (1, 1), (40, 3)])
def test_resize(size, antialias):
    image = np.random.default_rng(0).normal(size=(3, 9, 14))
    wanted = torch.nn.functional.interpolate(
        torch.tensor(image)[None], size, mode="bilinear", align_corners=False, antialias=antialias
    )[0]
    np.testing.assert_allclose(T.Resize(size, antialias)(zen.tensor(image)).numpy(), wanted.numpy(), atol=1e-12)


@pytest.mark.parametrize("fractions", [[0.7, 0.3], [0.5, 0.25, 0.25], [1 / 3, 1 / 3, 1 / 3], [0.75, 0.25]])
@pytest.mark.parametrize("n", [5, 7, 10, 100])
def test_lengths_of_random_split(fractions, n):
    wanted = [len(part) for part in torch.utils.data.random_split(range(n), fractions)]
    got = [len(part) for part in random_split(range(n), fractions)]
    assert got == wanted


def test_weights_go_to_pytorch_and_come_back(tmp_path):
    path = tmp_path / "model.safetensors"
    model = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.BatchNorm1d(2))
    safetensors.torch.save_file(model.state_dict(), path)
    state = zen.load(path)
    state["0.weight"].array[...] *= 2
    before = model[0].weight.detach().clone()
    zen.save(path, state, epoch=1)
    model.load_state_dict(safetensors.torch.load_file(path))
    assert torch.equal(model[0].weight, before * 2) and model[1].num_batches_tracked.dtype == torch.int64


@pytest.mark.parametrize("drop_last", [False, True])
@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_numbers_of_batches(size, drop_last):
    class Stream(zen.data.IterableDataset, torch.utils.data.IterableDataset):
        def __init__(self, n):
            self.n = n

        def __len__(self):
            return self.n

        def __iter__(self):
            return iter(range(self.n))

    for n in range(9):
        for source in (range(n), Stream(n)):
            wanted = torch.utils.data.DataLoader(source, size, drop_last=drop_last)
            got = zen.data.DataLoader(source, size, drop_last=drop_last)
            assert len(got) == len(wanted) == len(list(got)), (n, source)
            assert [b.tolist() for b in got] == [b.tolist() for b in wanted]
            assert len(zen.data.DataLoader(source, None)) == len(torch.utils.data.DataLoader(source, None)) == n
    for n in range(9):
        sampler = range(0, n, 2)
        wanted = torch.utils.data.DataLoader(range(9), size, sampler=sampler, drop_last=drop_last)
        got = zen.data.DataLoader(range(9), size, sampler=sampler, drop_last=drop_last)
        assert len(got) == len(wanted) and [b.tolist() for b in got] == [b.tolist() for b in wanted]
        batches = torch.utils.data.BatchSampler(range(n), size, drop_last)
        assert len(zen.data.BatchSampler(range(n), size, drop_last)) == len(batches)
        assert list(zen.data.BatchSampler(range(n), size, drop_last)) == list(batches)


def test_plateaus_with_nan_and_infinities():
    values = [float("nan"), 3.0, float("inf"), 2.0, float("nan"), float("nan"), 1.0, float("-inf"), 0.5, 0.5, 0.5]
    for mode in ("min", "max"):
        for threshold_mode in ("rel", "abs"):
            rates = []
            for library, tensor in ((zen, zen.tensor([1.0], requires_grad=True)), (torch, torch.ones(1))):
                optimiser = library.optim.SGD([tensor], lr=1.0)
                schedule = library.optim.lr_scheduler.ReduceLROnPlateau(
                    optimiser, mode, 0.5, 1, threshold_mode=threshold_mode
                )
                rates.append([])
                for value in values:
                    schedule.step(value)
                    rates[-1].append(optimiser.param_groups[0]["lr"])
            assert rates[0] == rates[1], (mode, threshold_mode)
