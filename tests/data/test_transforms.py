"""Transforms for images, against NumPy's own operations and hand-computed values."""

import threading

import numpy as np
import pytest

import zen
from zen.data import DataLoader, MapDataset
from zen.data import transforms as T
from zen.data.transforms.resample import affine, affine_matrix

GREY = np.arange(12, dtype=np.uint8).reshape(3, 4)
COLOUR = np.random.default_rng(0).integers(0, 256, (5, 7, 3), np.uint8)


def layouts(transform):
    """The results for one image as HWC array, CHW array and CHW Tensor, all with channels last."""
    first = np.moveaxis(COLOUR, 2, 0)
    tensor = transform()(zen.tensor(first))
    assert isinstance(tensor, zen.Tensor)
    return [
        transform()(COLOUR), np.moveaxis(transform(channels="first")(first), 0, 2), np.moveaxis(tensor.numpy(), 0, 2)
    ]  # fmt: skip


@pytest.mark.parametrize(
    "make",
    [
        lambda **k: T.Pad((1, 2, 3, 4), fill=9, **k), lambda **k: T.CenterCrop((2, 4), **k),
        lambda **k: T.RandomCrop(3, padding=1, mode="reflect", seed=1, **k), lambda **k: T.RandomHorizontalFlip(1, **k),
        lambda **k: T.RandomVerticalFlip(1, **k), lambda **k: T.Resize((4, 9), **k), lambda **k: T.Resize(3, **k),
        lambda **k: T.RandomAffine(30, (0.2, 0.2), (0.5, 2), 20, fill=3, seed=2, **k),
        lambda **k: T.RandomErasing(1, seed=3, **k),
    ],
)  # fmt: skip
def test_every_layout_gives_the_same_pixels(make):
    before = COLOUR.copy()
    last, first, tensor = layouts(make)
    assert last.dtype == np.uint8 and last.shape[2] == 3
    np.testing.assert_array_equal(last, first)
    np.testing.assert_array_equal(last, tensor)
    grey = make()(np.ascontiguousarray(COLOUR[..., 1]))
    np.testing.assert_array_equal(grey, last[..., 1])  # what happens to a pixel does not depend on the channels
    np.testing.assert_array_equal(COLOUR, before)


def test_to_tensor_and_normalize():
    x = T.ToTensor()(COLOUR)
    assert x.shape == (3, 5, 7) and x.dtype == np.float32 and x.array.flags.c_contiguous
    np.testing.assert_array_equal(x.numpy(), np.moveaxis(COLOUR, 2, 0) / np.float32(255))
    assert T.ToTensor()(GREY).shape == (1, 3, 4)
    values = np.ones((2, 2))
    made = T.ToTensor()(values)
    assert made.dtype == np.float64 and not np.shares_memory(made.array, values)
    y = T.Normalize([0.1, 0.2, 0.3], [1, 2, 4])(x)
    assert y.dtype == np.float32
    np.testing.assert_allclose(y.numpy()[2], (x.numpy()[2] - 0.3) / 4, rtol=1e-6)
    last = T.Normalize([0.1, 0.2, 0.3], [1, 2, 4])(np.moveaxis(x.numpy(), 0, 2))
    np.testing.assert_array_equal(np.moveaxis(last, 2, 0), y.numpy())


def test_crops_and_padding_are_slices():
    np.testing.assert_array_equal(T.CenterCrop(2)(GREY), GREY[0:2, 1:3])
    np.testing.assert_array_equal(T.Pad((1, 2), fill=7)(GREY)[2:-2, 1:-1], GREY)
    assert T.Pad((1, 2, 3, 4))(GREY).shape == (3 + 2 + 4, 4 + 1 + 3)
    np.testing.assert_array_equal(T.Pad(1, mode="edge")(GREY), np.pad(GREY, 1, "edge"))
    found = {tuple(T.RandomCrop((2, 3), seed=k)(GREY).ravel()) for k in range(60)}
    assert found == {tuple(GREY[r : r + 2, c : c + 3].ravel()) for r in range(2) for c in range(2)}


def test_resize_is_exact():
    ramp = np.arange(8.0)[None] + np.zeros((3, 1))
    reduced = T.Resize((3, 4), antialias=False)(ramp)  # centres at 0.5, 2.5, ...: linear functions stay linear
    np.testing.assert_allclose(reduced[0], [0.5, 2.5, 4.5, 6.5], rtol=1e-14)
    columns = T.Resize((1, 4))(np.eye(8)[None])[0].T  # what each old pixel gives to each new one
    # Distances 0.5, 1.5 over a reduction of 2 weigh 3 and 1; at the border one of the weights is missing.
    np.testing.assert_allclose(columns[3], [0, 3 / 8, 1 / 8, 0], rtol=1e-14)
    np.testing.assert_allclose(columns[0], [3 / 7, 0, 0, 0], rtol=1e-14)
    assert T.Resize(6)(np.zeros((3, 4))).shape == (6, 8) and T.Resize(2)(np.zeros((5, 3))).shape == (3, 2)
    np.testing.assert_array_equal(T.Resize((1, 2))(np.array([[0, 1, 2, 3]], np.uint8)), [[1, 2]])
    assert T.Resize((4, 4))(np.full((9, 9), 255, np.uint8)).min() == 255
    assert T.Resize((2, 2))(np.full((3, 3), True)).all()


@pytest.mark.parametrize("turns", range(4))
def test_quarter_turns_are_numpys(turns):
    image = np.random.default_rng(1).normal(size=(5, 5, 2))
    np.testing.assert_allclose(T.RandomRotation((90 * turns, 90 * turns))(image), np.rot90(image, turns), atol=1e-12)


def test_affine_maps_move_a_smooth_image_as_they_should():
    def smooth(y, x):
        return np.sin(0.1 * x) + np.cos(0.07 * y)

    n = 41
    y, x = np.indices((n, n)) - (n - 1) / 2
    forward = affine_matrix(25, 1.3, 10)
    moved = affine(smooth(y, x), (0, 1), forward, (1.5, -2.0), 0)
    sy, sx = np.linalg.inv(forward) @ np.stack([y - 1.5, x + 2.0]).reshape(2, -1)
    inside = (np.abs(sy) < n / 2 - 1) & (np.abs(sx) < n / 2 - 1)
    np.testing.assert_allclose(moved.ravel()[inside], smooth(sy, sx)[inside], atol=2e-3)
    shifted = affine(GREY.astype(float), (0, 1), np.eye(2), (1, 0), -1)
    np.testing.assert_array_equal(shifted, [[-1] * 4, *GREY[:2]])
    half = affine(np.ones((1, 3)), (0, 1), np.eye(2), (0, 0.5), 0)
    np.testing.assert_allclose(half, [[0.5, 1, 1]])  # the border is mixed with what lies beyond it
    assert affine_matrix(0, 2, 0).tolist() == [[2, 0], [0, 2]]
    np.testing.assert_allclose(affine_matrix(90, 1, 0) @ [0, 1], [-1, 0], atol=1e-15)  # right becomes up
    np.testing.assert_allclose(affine_matrix(0, 1, 45) @ [-1, 0], [-1, 1])  # the top leans to the right


def test_noise_and_erasing():
    noisy = T.GaussianNoise(0.5, 0.1, clip=False, seed=0)(np.zeros((100, 100), np.float32))
    assert noisy.dtype == np.float32
    np.testing.assert_allclose([noisy.mean(), noisy.std()], [0.5, 0.1], atol=3e-3)
    clipped = T.GaussianNoise(sigma=5, seed=0)(np.zeros((20, 20)))
    assert clipped.min() == 0 and clipped.max() == 1
    shares = []
    for k in range(300):
        erased = T.RandomErasing(1, scale=(0.1, 0.2), ratio=(0.5, 2), value=0, seed=k)(np.ones((40, 50)))
        rows, columns = np.nonzero(erased == 0)
        height, width = np.ptp(rows) + 1, np.ptp(columns) + 1
        assert height * width == rows.size and 0.45 < height / width < 2.2  # one whole rectangle
        shares.append(rows.size / 2000)
    assert 0.09 < min(shares) < 0.11 and 0.19 < max(shares) < 0.21
    assert T.RandomErasing(1, value="random", seed=0)(np.zeros((9, 9))).std() > 0
    image = np.ones((4, 4))
    assert T.RandomErasing(0)(image) is image


def test_seeds_and_probabilities():
    flip = T.RandomHorizontalFlip(0.3, seed=0)
    flipped = [flip(GREY)[0, 0] == GREY[0, -1] for _ in range(500)]
    assert 0.24 < np.mean(flipped) < 0.36
    again = T.RandomHorizontalFlip(0.3, generator=np.random.default_rng(0))
    assert [again(GREY)[0, 0] == GREY[0, -1] for _ in range(500)] == flipped
    zen.random.seed(1)
    first = T.RandomErasing(1)(np.ones((9, 9)))
    zen.random.seed(1)
    np.testing.assert_array_equal(first, T.RandomErasing(1)(np.ones((9, 9))))


def test_threads_outside_of_a_loader_never_share_numbers():
    noise, made = T.GaussianNoise(clip=False, seed=0), []

    def work():
        for _ in range(200):
            made.append(float(noise(np.zeros((1, 1)))[0, 0]))

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    alone = T.GaussianNoise(clip=False, seed=0)
    assert sorted(made) == sorted(float(alone(np.zeros((1, 1)))[0, 0]) for _ in range(800))


def test_augmentation_is_the_same_with_any_number_of_workers():
    augment = T.Compose([
        T.RandomCrop(5, padding=2), T.RandomHorizontalFlip(), T.RandomRotation(20), T.Lambda(np.ascontiguousarray),
        T.ToTensor(), T.GaussianNoise(), T.RandomErasing(),
    ])  # fmt: skip
    data = MapDataset(range(40), lambda k: augment(COLOUR))

    def images(workers):
        loader = DataLoader(data, 8, shuffle=True, seed=3, num_workers=workers)
        return np.concatenate([x.numpy() for _ in range(2) for x in loader])

    one, many = images(0), images(4)
    np.testing.assert_array_equal(one, many)
    assert len(np.unique(one.reshape(80, -1), axis=0)) == 80


@pytest.mark.parametrize(
    "apply, error, text",
    [
        (lambda: T.CenterCrop(9)(GREY), ValueError, r"height and width \(3, 4\) .* is smaller than \(9, 9\)"),
        (lambda: T.RandomCrop((3, 9), padding=1)(GREY), ValueError, "RandomCrop: an image of height and width"),
        (lambda: T.CenterCrop(0), ValueError, "size must be a positive integer"),
        (lambda: T.Resize((2, 2, 2)), ValueError, "size must be a positive integer or two"),
        (lambda: T.Resize(2)(np.zeros((0, 3))), ValueError, "no pixels"),
        (lambda: T.Pad((1, 2, 3)), ValueError, "padding must be 1, 2 or 4 integers"),
        (lambda: T.Normalize(0, 1)(GREY), TypeError, "dtype uint8; make it float first"),
        (lambda: T.Normalize([0, 0], 1)(np.zeros((2, 2, 3))), ValueError, "mean has 2 values, .* 3 channels"),
        (lambda: T.Normalize(0, 0), ValueError, "std positive"),
        (lambda: T.GaussianNoise()(GREY), TypeError, "dtype uint8"),
        (lambda: T.GaussianNoise(sigma=-1), ValueError, "sigma is -1"),
        (lambda: T.RandomErasing(1, value="random")(GREY), TypeError, "needs a float image"),
        (lambda: T.RandomErasing(value="noise"), ValueError, "not 'noise'"),
        (lambda: T.RandomErasing(scale=(0.5, 0.1)), ValueError, "must rise"),
        (lambda: T.RandomHorizontalFlip(1.5), ValueError, "p is 1.5"),
        (lambda: T.RandomRotation(-3), ValueError, "degrees is -3"),
        (lambda: T.RandomAffine(0, scale=(0, 1)), ValueError, "factors positive"),
        (lambda: T.RandomAffine((3, 1)), ValueError, "the least first"),
        (lambda: T.Pad(1)([[1]]), TypeError, "an ndarray or a Tensor, not list"),
        (lambda: T.Pad(1)(np.zeros(3)), ValueError, r"not \(3,\)"),
        (lambda: T.Pad(1, channels="middle"), ValueError, "not 'middle'"),
        (lambda: T.Pad(1)(zen.tensor([[1.0]], requires_grad=True)), RuntimeError, "lose the gradient"),
    ],
)
def test_errors(apply, error, text):
    with pytest.raises(error, match=text):
        apply()


def test_repr_shows_the_settings():
    assert repr(T.Compose([T.RandomCrop(4, padding=1)])) == (
        "Compose(transforms=[RandomCrop(size=(4, 4), padding=(1, 1, 1, 1), fill=0, mode='constant')])"
    )
