"""Interpolation in all modes against PyTorch: values, first and second derivatives."""

import numpy as np
import pytest
import torch
from torch.nn import functional
from twice import agree

import zen
from zen import nn

RNG = np.random.default_rng(3)
SHAPES = {
    "nearest": (2, 3, 4, 5), "nearest-exact": (2, 3, 5), "area": (2, 2, 5, 4), "linear": (2, 3, 5),
    "bilinear": (2, 2, 4, 5), "bicubic": (1, 2, 4, 5), "trilinear": (1, 2, 3, 4, 3),
}  # fmt: skip
OPTIONS = [
    {"size": 3}, {"size": 7}, {"size": 1}, {"scale_factor": 2.0}, {"scale_factor": 1.7}, {"scale_factor": 0.6},
    {"scale_factor": 1.3, "recompute_scale_factor": True},
]  # fmt: skip


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("mode", SHAPES)
@pytest.mark.parametrize("corners", [None, False, True])
def test_modes(mode, options, corners):
    if corners is not None:
        if "linear" not in mode and mode != "bicubic":
            return
        options = {**options, "align_corners": corners}
    x = RNG.normal(size=SHAPES[mode])
    agree(
        lambda x: zen.f.interpolate(x, mode=mode, **options),
        lambda x: functional.interpolate(x, mode=mode, **options),
        x,
    )


@pytest.mark.parametrize("size", [(3, 3), (2, 9), (12, 4), (1, 1)])
@pytest.mark.parametrize("mode", ["bilinear", "bicubic"])
@pytest.mark.parametrize("corners", [False, True])
def test_antialias(mode, size, corners):
    options = {"size": size, "mode": mode, "align_corners": corners, "antialias": True}
    x = RNG.normal(size=(1, 2, 9, 8))
    agree(lambda x: zen.f.interpolate(x, **options), lambda x: functional.interpolate(x, **options), x, order=1)
    options = {"scale_factor": (0.37, 1.4), "mode": mode, "antialias": True}
    agree(lambda x: zen.f.interpolate(x, **options), lambda x: functional.interpolate(x, **options), x, order=1)


LAYERS = [
    ("Upsample", {"scale_factor": 2}, (1, 2, 3)), ("Upsample", {"size": (4, 3), "mode": "bicubic"}, (1, 2, 3, 5)),
    ("Upsample", {"scale_factor": (2, 3), "mode": "bilinear", "align_corners": True}, (1, 2, 3, 2)),
    ("UpsamplingNearest2d", {"size": (4, 7)}, (1, 2, 3, 4)),
    ("UpsamplingBilinear2d", {"scale_factor": 3}, (1, 2, 3, 4)),
]  # fmt: skip


@pytest.mark.parametrize(("name", "options", "shape"), LAYERS, ids=str)
def test_layers(name, options, shape):
    mine, theirs = getattr(nn, name)(**options), getattr(torch.nn, name)(**options)
    assert repr(mine) == repr(theirs)
    agree(mine, theirs, RNG.normal(size=shape).astype(np.float32), tolerance=2e-6)


@pytest.mark.parametrize("corners", [False, True])
@pytest.mark.parametrize("padding", ["zeros", "border", "reflection"])
@pytest.mark.parametrize("mode", ["bilinear", "nearest", "bicubic"])
@pytest.mark.parametrize("axes", [2, 3])
def test_grid_sample(axes, mode, padding, corners):
    if axes == 3 and mode == "bicubic":
        return
    x = RNG.normal(size=(2, 3, *(4, 5, 3)[:axes]))
    grid = RNG.uniform(-3, 3, (2, *(3, 4, 2)[:axes], axes))
    options = {"mode": mode, "padding_mode": padding, "align_corners": corners}

    def one(library, sample):
        return (
            (lambda x: sample(x, library(grid), **options)) if mode == "nearest" else lambda *a: sample(*a, **options)
        )

    arrays = [x] if mode == "nearest" else [x, grid]
    agree(one(zen.tensor, zen.f.grid_sample), one(torch.tensor, functional.grid_sample), *arrays, order=1)


@pytest.mark.filterwarnings("ignore:Since version 1.3.0:UserWarning")
@pytest.mark.parametrize("corners", [False, True])
@pytest.mark.parametrize(("theta", "size"), [((2, 2, 3), (2, 1, 3, 4)), ((1, 3, 4), (1, 2, 2, 1, 3))])
def test_affine_grid(theta, size, corners):
    agree(
        lambda t: zen.f.affine_grid(t, size, corners),
        lambda t: functional.affine_grid(t, size, corners),
        RNG.normal(size=theta),
    )
