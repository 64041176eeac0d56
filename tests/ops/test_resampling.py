"""Interpolation: against what can be computed by hand, and its errors. Values of all modes: tests/peers."""

import numpy as np
import pytest

import zen
from zen import f
from zen.testing import check_gradients

RNG = np.random.default_rng(0)
X = RNG.normal(size=(2, 3, 4, 5))


def test_nearest_repeats_by_whole_factors():
    for mode in ("nearest", "nearest-exact", "area"):
        found = f.interpolate(X, scale_factor=(2, 3), mode=mode)
        np.testing.assert_array_equal(found.numpy(), X.repeat(2, 2).repeat(3, 3))


@pytest.mark.parametrize("size", range(1, 40))
def test_nearest_takes_the_element_that_the_left_end_lies_in(size):
    """In whole numbers: place k of n begins at k * length / n."""
    for length in range(1, 12):
        found = f.interpolate(np.arange(float(length))[None, None], size).ravel().tolist()
        assert found == [k * length // size for k in range(size)]


def test_linear_is_numpys_interp_between_centres_and_between_corners():
    x = RNG.normal(size=7)
    for count in (3, 7, 12, 1):
        centres = (np.arange(count) + 0.5) * 7 / count - 0.5
        found = f.interpolate(x[None, None], count, mode="linear").ravel().numpy()
        np.testing.assert_allclose(found, np.interp(centres, np.arange(7), x), rtol=1e-12)
        if count > 1:
            found = f.interpolate(x[None, None], count, mode="linear", align_corners=True).ravel().numpy()
            np.testing.assert_allclose(found, np.interp(np.linspace(0, 6, count), np.arange(7), x), rtol=1e-12)


def test_cubic_keeps_parabolas_inside():
    """Keys' kernel with a = -1/2 keeps parabolas, which antialias has; with -3/4 it keeps straight lines."""
    line = 2 * np.arange(9.0)
    found = f.interpolate(np.tile(line, (1, 1, 9, 1)), (9, 27), mode="bicubic").numpy()[0, 0, 0]
    np.testing.assert_allclose(found[6:-6], 2 * ((np.arange(27) + 0.5) / 3 - 0.5)[6:-6], rtol=0.05)
    square = np.arange(9.0) ** 2
    found = f.interpolate(np.tile(square, (1, 1, 9, 1)), (9, 27), mode="bicubic", antialias=True).numpy()[0, 0, 0]
    np.testing.assert_allclose(found[6:-6], (((np.arange(27) + 0.5) / 3 - 0.5) ** 2)[6:-6], rtol=1e-12)


def test_area_is_the_mean_of_what_a_place_covers():
    found = f.interpolate(X, (2, 5), mode="area").numpy()
    np.testing.assert_allclose(found, X.reshape(2, 3, 2, 2, 5).mean(3), rtol=1e-12)
    np.testing.assert_allclose(
        f.interpolate(X, 3, mode="area").numpy(), f.adaptive_avg_pool2d(X, 3).numpy(), rtol=1e-12
    )


@pytest.mark.parametrize("mode", ["nearest", "nearest-exact", "area", "bilinear", "bicubic"])
def test_constants_stay_and_the_same_size_is_a_copy(mode):
    x = zen.tensor(np.full((1, 2, 3, 4), 7.0))
    np.testing.assert_allclose(f.interpolate(x, (5, 2), mode=mode).numpy(), 7.0, rtol=1e-14)
    same = f.interpolate(zen.tensor(X), (4, 5), mode=mode)
    np.testing.assert_array_equal(same.numpy(), X)
    assert not np.may_share_memory(same.numpy(), X)


@pytest.mark.parametrize(("shape", "mode"), [
    ((1, 2, 5), "linear"), ((1, 2, 3, 4), "bilinear"), ((1, 2, 3, 4), "bicubic"), ((1, 1, 2, 3, 2), "trilinear"),
    ((2, 1, 3, 4), "nearest"), ((1, 2, 5), "area"),
])  # fmt: skip
def test_derivatives(shape, mode):
    x = RNG.normal(size=shape)
    for factor in (0.7, 2.5):
        check_gradients(lambda x: f.interpolate(x, scale_factor=factor, mode=mode), [x])  # noqa: B023


def test_half_precision_and_no_batch():
    x = zen.tensor(X.astype(np.float16), requires_grad=True)
    y = f.interpolate(x, 7, mode="bilinear")
    y.sum().backward()
    assert y.dtype == x.grad.dtype == np.float16
    np.testing.assert_allclose(y.detach().numpy(), f.interpolate(X, 7, mode="bilinear").numpy(), atol=4e-3)
    assert f.interpolate(X[:0], 7).shape == (0, 3, 7, 7)


@pytest.mark.parametrize(("options", "message"), [
    ({}, "give size or scale_factor, and not both"), ({"size": 2, "scale_factor": 2}, "and not both"),
    ({"size": 2, "mode": "cubic"}, "mode must be one of 'nearest'.*not 'cubic'"),
    ({"size": 2, "mode": "linear"}, r"mode 'linear' is for 3 axes, .*not shape \(2, 3, 4, 5\)"),
    ({"size": (2, 2, 2)}, "size must be an int or 2 ints"),
    ({"size": 0}, "size must be an int or 2 ints of at least 1"),
    ({"scale_factor": -1}, "scale_factor must be a positive number or 2 of them"),
    ({"scale_factor": (1, 2, 3)}, "scale_factor must be a positive number or 2 of them"),
    ({"scale_factor": 0.1}, "scale_factor 0.1 leaves nothing of x"),
    ({"size": 2, "recompute_scale_factor": True}, "recompute_scale_factor belongs to scale_factor"),
    ({"size": 2, "align_corners": False}, "align_corners belongs to linear, .*leave it out for 'nearest'"),
    ({"size": 2, "antialias": True}, "antialias is for 'bilinear' and 'bicubic', not for 'nearest'"),
])  # fmt: skip
def test_arguments_that_do_not_fit(options, message):
    with pytest.raises(ValueError, match=message):
        f.interpolate(X, **options)
    with pytest.raises(ValueError, match="has no elements to take"):
        f.interpolate(X[:, :, :0], 2)
