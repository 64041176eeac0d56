"""Images read at the places of a grid: identities, derivatives, paddings by hand, and errors. Values: tests/peers."""

import numpy as np
import pytest

import zen
from zen import f
from zen.testing import check_gradients

RNG = np.random.default_rng(0)
X = RNG.normal(size=(2, 3, 4, 5))
SAME = np.tile([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]], (2, 1, 1))


@pytest.mark.parametrize("corners", [False, True])
@pytest.mark.parametrize("mode", ["bilinear", "nearest", "bicubic"])
def test_the_identity_reads_the_image(mode, corners):
    grid = f.affine_grid(SAME, X.shape, corners)
    np.testing.assert_allclose(f.grid_sample(X, grid, mode, "border", corners).numpy(), X, rtol=1e-9, atol=1e-12)


def test_maps_turn_and_mirror():
    mirrored = SAME * [[[-1.0], [1.0]]]
    found = f.grid_sample(X, f.affine_grid(mirrored, X.shape), "nearest").numpy()
    np.testing.assert_array_equal(found, X[..., ::-1])
    turned = np.tile([[0.0, 1.0, 0.0], [-1.0, 0.0, 0.0]], (2, 1, 1))
    found = f.grid_sample(X, f.affine_grid(turned, (2, 3, 5, 4)), "nearest").numpy()
    np.testing.assert_array_equal(found, np.rot90(X, -1, (2, 3))[:, :, ::1, ::-1][..., ::-1])


def test_paddings_of_a_line():
    line = np.array([[[[1.0, 2.0, 3.0]]]])
    at = np.array([-4.0, -2.0, -1.0, 0.0, 1.0, 2.0, 5.0])  # in elements from the middle one
    grid = np.stack([at * 2 / 3, at * 0], -1)[None, None]
    read = {p: f.grid_sample(line, grid, padding_mode=p).ravel().tolist() for p in ("zeros", "border", "reflection")}
    np.testing.assert_allclose(read["zeros"], [0, 0, 1, 2, 3, 0, 0], atol=1e-12)
    np.testing.assert_allclose(read["border"], [1, 1, 1, 2, 3, 3, 3], rtol=1e-12)
    np.testing.assert_allclose(read["reflection"], [3, 1, 1, 2, 3, 3, 1], rtol=1e-12)


@pytest.mark.parametrize("padding", ["zeros", "border", "reflection"])
@pytest.mark.parametrize("mode", ["bilinear", "bicubic"])
def test_derivatives_in_image_and_grid(mode, padding):
    grid = RNG.uniform(-1.6, 1.6, (1, 2, 3, 2))
    check_gradients(lambda x, g: f.grid_sample(x, g, mode, padding), [X[:1, :2], grid], rtol=1e-5)


def test_derivatives_of_volumes_and_maps():
    x, theta = RNG.normal(size=(1, 2, 2, 3, 3)), RNG.uniform(-0.5, 0.5, (1, 3, 4))
    check_gradients(lambda x, t: f.grid_sample(x, f.affine_grid(t, (1, 2, 2, 2, 2))), [x, theta], rtol=1e-5)


def test_places_that_are_none():
    grid = np.array([[[[np.nan, 0.0], [1e30, 0.0]]]])
    found = f.grid_sample(X[:1], grid).numpy()
    assert np.isnan(found[..., 0]).all() and (found[..., 1] == 0).all()
    assert f.grid_sample(X, np.zeros((2, 0, 3, 2))).shape == (2, 3, 0, 3)
    single = f.grid_sample(zen.tensor(X.astype(np.float32)), np.zeros((2, 1, 1, 2), np.float32))
    assert single.dtype == np.float32


@pytest.mark.parametrize(("call", "message"), [
    (lambda: f.grid_sample(X, np.zeros((2, 1, 1, 3))), r"grid_sample: input of shape \(2, 3, 4, 5\) and grid of shape"),
    (lambda: f.grid_sample(X, np.zeros((1, 1, 1, 2))), "expected .batch, channels, height, width. and"),
    (lambda: f.grid_sample(X[:, :0], np.zeros((2, 1, 1, 2))), "has no elements to read"),
    (lambda: f.grid_sample(X, np.zeros((2, 1, 1, 2)), "cubic"), "mode must be one of 'bilinear'.*not 'cubic'"),
    (lambda: f.grid_sample(X[None], np.zeros((1, 1, 1, 1, 3)), "bicubic"), "images alone.*not 'bicubic'"),
    (lambda: f.grid_sample(X, np.zeros((2, 1, 1, 2)), "nearest", "wrap"), "padding_mode must be one of.*not 'wrap'"),
    (lambda: f.affine_grid(SAME, (1, 1, 2, 2)), r"affine_grid: theta of shape \(2, 2, 3\) and size \(1, 1, 2, 2\)"),
    (lambda: f.affine_grid(SAME, (2, 1, 2)), "expected .batch, 2, 3. and"),
])  # fmt: skip
def test_errors(call, message):
    with pytest.raises(ValueError, match=message):
        call()
