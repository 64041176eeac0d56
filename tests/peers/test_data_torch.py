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
