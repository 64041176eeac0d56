"""Padding, windows and shuffled images, distances of vectors, against PyTorch: values, first and second derivatives."""

import numpy as np
import pytest
import torch
from torch.nn import functional
from twice import agree

import zen
from zen import nn

RNG = np.random.default_rng(3)


def normal(*shape):
    return RNG.normal(size=shape)


PADS = [
    ("ConstantPad1d", (2, 0.5), (2, 3, 4)), ("ConstantPad2d", ((1, 0, 2, 3), -1.5), (3, 4, 5)),
    ("ConstantPad3d", (1, 2.0), (1, 2, 2, 3, 2)), ("ConstantPad2d", ((-1, 2, 1, -2), 9.0), (2, 2, 4, 5)),
    ("ZeroPad1d", ((1, 2),), (3, 4)), ("ZeroPad2d", ((-1, 1, 0, -1),), (2, 3, 4, 5)), ("ZeroPad3d", (1,), (2, 3, 2, 2)),
    ("ReflectionPad1d", (3,), (2, 3, 4)), ("ReflectionPad2d", ((3, 1, 0, 2),), (2, 3, 4)),
    ("ReflectionPad3d", ((1, 0, 1, 1, 0, 1),), (1, 2, 2, 3, 2)), ("ReplicationPad1d", ((5, 1),), (2, 3, 2)),
    ("ReplicationPad2d", ((1, 2, 3, 0),), (2, 2, 3, 1)), ("ReplicationPad3d", (2,), (2, 2, 1, 3)),
    ("CircularPad1d", ((3, 1),), (2, 3)), ("CircularPad2d", ((1, 2, 0, 3),), (2, 2, 3, 4)),
    ("CircularPad3d", ((1, 1, 2, 0, 0, 2),), (1, 2, 2, 3, 2)), ("ReplicationPad2d", ((-1, 2, 1, 0),), (2, 3, 4)),
]  # fmt: skip


@pytest.mark.parametrize(("name", "arguments", "shape"), PADS, ids=str)
def test_padding(name, arguments, shape):
    mine, theirs = getattr(nn, name)(*arguments), getattr(torch.nn, name)(*arguments)
    assert repr(mine) == repr(theirs) and mine.padding == theirs.padding
    agree(mine, theirs, normal(*shape))
    agree(mine, theirs, normal(*shape).astype(np.float32), tolerance=1e-6)


LAYERS = [
    ("PixelShuffle", (2,), (2, 8, 3, 2)), ("PixelShuffle", (3,), (9, 1, 2)), ("PixelUnshuffle", (2,), (2, 2, 4, 6)),
    ("PixelUnshuffle", (3,), (1, 1, 2, 3, 6)), ("ChannelShuffle", (3,), (2, 6, 2, 3)),
    ("Unfold", (2,), (2, 3, 4, 5)), ("Unfold", ((2, 3), 2, (1, 2), (2, 1)), (2, 2, 5, 6)),
    ("Unfold", ((1, 2),), (2, 3, 4)),
    ("Fold", ((4, 5), 2), (2, 12, 12)), ("Fold", ((5, 6), (2, 3), 2, (1, 2), (2, 1)), (1, 12, 18)),
    ("Fold", (3, 2), (8, 4)), ("Softmax2d", (), (2, 3, 2, 2)), ("Softmax2d", (), (3, 2, 2)),
]  # fmt: skip


@pytest.mark.parametrize(("name", "arguments", "shape"), LAYERS, ids=str)
def test_layers(name, arguments, shape):
    mine, theirs = getattr(nn, name)(*arguments), getattr(torch.nn, name)(*arguments)
    assert repr(mine) == repr(theirs)
    agree(mine, theirs, normal(*shape))


@pytest.mark.parametrize("p", [1.0, 2.0, 3.0, 1.5, float("inf"), 0.0])
@pytest.mark.parametrize(("left", "right"), [((3, 4), (5, 4)), ((2, 3, 4), (5, 4)), ((2, 1, 3, 2), (3, 2, 2))])
def test_cdist(p, left, right):
    a, b = normal(*left), normal(*right)
    order = 2 if p in (1.0, 2.0, 3.0, 1.5) else 1
    agree(lambda x, y: zen.f.cdist(x, y, p), lambda x, y: torch.cdist(x, y, p), a, b, order=1)
    if order == 2:
        norm = torch.linalg.vector_norm
        agree(
            lambda x, y: zen.f.cdist(x, y, p), lambda x, y: norm(x[..., :, None, :] - y[..., None, :, :], p, -1), a, b
        )


def test_cdist_of_large_stacks_goes_in_blocks():
    a, b = normal(700, 30).astype(np.float32), normal(500, 30).astype(np.float32)
    theirs = lambda x, y: torch.cdist(x, y, compute_mode="donot_use_mm_for_euclid_dist")  # noqa: E731
    agree(zen.f.cdist, theirs, a, b, tolerance=1e-4, order=1)


@pytest.mark.parametrize("p", [1.0, 2.0, 3.0, float("inf")])
def test_pdist(p):
    agree(lambda x: zen.f.pdist(x, p), lambda x: functional.pdist(x, p), normal(5, 3), order=1)


@pytest.mark.parametrize("p", [1.0, 2.0, 3.0, float("inf")])
@pytest.mark.parametrize(
    ("dim", "shape", "eps"), [(1, (3, 4), 1e-12), (0, (3,), 0.0), (-1, (2, 3, 4), 0.1), (1, (3, 4), 9.0)]
)
def test_normalize(p, dim, shape, eps):
    options = {"p": p, "dim": dim, "eps": eps}
    agree(lambda x: zen.f.normalize(x, **options), lambda x: functional.normalize(x, **options), normal(*shape))


def test_one_hot():
    for classes, count in (([[0, 2], [1, 1]], -1), ([3], 5), (2, 4)):
        found = zen.f.one_hot(classes, count)
        expected = functional.one_hot(torch.tensor(classes), count).numpy()
        assert found.dtype == expected.dtype
        np.testing.assert_array_equal(found.numpy(), expected)


@pytest.mark.parametrize(("pad", "mode", "value", "shape"), [
    ((1, 2), "constant", 3.0, (2, 3, 4, 5)), ((0, 1, 2, 0), "reflect", None, (2, 3, 4, 5)),
    ((2, 1), "circular", None, (3, 4)),
    ((1, 1, 3, 2, 0, 1), "constant", None, (2, 3, 4, 5)), ((-1, 2), "replicate", None, (2, 3, 4)),
])  # fmt: skip
def test_functional_padding(pad, mode, value, shape):
    agree(
        lambda x: zen.f.pad(x, pad=pad, mode=mode, value=value), lambda x: functional.pad(x, pad, mode, value),
        normal(*shape),
    )  # fmt: skip
