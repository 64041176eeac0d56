"""Windows and folds, shuffled images, padding by PyTorch's widths, and distances: against what can be written out."""

import itertools

import numpy as np
import pytest

import zen
from zen import f, nn
from zen.testing import check_gradients

RNG = np.random.default_rng(0)


def test_unfold_lists_each_window():
    x = RNG.normal(size=(2, 3, 5, 6))
    found = f.unfold(x, (2, 3), dilation=(2, 1), padding=(1, 0), stride=(1, 2)).numpy()
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (0, 0)))
    columns = [
        padded[:, :, i : i + 3 : 2, j : j + 3].reshape(2, -1)
        for i, j in itertools.product(range(padded.shape[2] - 2), range(0, 4, 2))
    ]
    np.testing.assert_array_equal(found, np.stack(columns, -1))


def test_fold_is_the_transpose_of_unfold():
    options = {"kernel_size": (2, 3), "dilation": (1, 2), "padding": (1, 2), "stride": (2, 1)}
    x = RNG.normal(size=(2, 3, 5, 6))
    columns = f.unfold(x, **options)
    v = RNG.normal(size=columns.shape)
    np.testing.assert_allclose(
        (columns.numpy() * v).sum(), (x * f.fold(v, (5, 6), **options).numpy()).sum(), rtol=1e-12
    )
    check_gradients(lambda x: f.unfold(x, **options), [x])
    check_gradients(lambda v: f.fold(v, (5, 6), **options), [v])


def test_windows_and_padding_of_complex_images():
    x = RNG.normal(size=(1, 2, 3, 4)) + 1j * RNG.normal(size=(1, 2, 3, 4))
    functions = (
        lambda x: f.unfold(x, 2), lambda x: f.fold(x.reshape((1, 4, 6)), (3, 4), 2),
        lambda x: f.pad(x, pad=(1, 2, 2, 0), mode="reflect"), lambda x: f.pixel_unshuffle(x[:, :, :2], 2),
    )  # fmt: skip
    for function in functions:
        z = zen.tensor(x, requires_grad=True)
        y = function(z)
        np.testing.assert_array_equal(y.detach().numpy(), function(x.real).numpy() + 1j * function(x.imag).numpy())
        (y * y.conj()).real.sum().backward()
        real = zen.tensor(x.real, requires_grad=True)
        (function(real) ** 2).sum().backward()
        np.testing.assert_allclose(z.grad.numpy().real, real.grad.numpy(), rtol=1e-12)


def test_shuffles_undo_each_other():
    x = RNG.normal(size=(2, 12, 2, 3))
    np.testing.assert_array_equal(f.pixel_unshuffle(f.pixel_shuffle(x, 2), 2).numpy(), x)
    np.testing.assert_array_equal(f.channel_shuffle(f.channel_shuffle(x, 3), 4).numpy(), x)
    up = f.pixel_shuffle(x, 2).numpy()
    assert up[1, 2, 3, 4] == x[1, 2 * 4 + 1 * 2 + 0, 1, 2]


MODES = {"reflect": "reflect", "replicate": "edge", "circular": "wrap", "constant": "constant"}


@pytest.mark.parametrize("mode", MODES)
def test_padding_is_numpys_along_the_last_axes(mode):
    x = RNG.normal(size=(2, 4, 5))
    found = f.pad(x, pad=(2, 1, 0, 3), mode=mode)
    np.testing.assert_array_equal(found.numpy(), np.pad(x, ((0, 0), (0, 3), (2, 1)), MODES[mode]))
    check_gradients(lambda x: f.pad(x, pad=(2, 1, 0, 3), mode=mode), [x])
    np.testing.assert_array_equal(
        f.pad(x, pad=(-1, 2), mode=mode).numpy(), np.pad(x[..., 1:], ((0, 0), (0, 0), (0, 2)), MODES[mode])
    )


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("shape", [(2, 3, 40, 30), (1, 2, 2)])
def test_padding_by_all_that_there_is(mode, shape):
    x, most = RNG.normal(size=shape), [n - (mode == "reflect") for n in shape[-2:]]
    widths = (0, most[1], most[0], most[0])
    found = f.pad(x, pad=widths, mode=mode).numpy()
    front = ((0, 0),) * (x.ndim - 2)
    np.testing.assert_array_equal(found, np.pad(x, (*front, widths[2:], widths[:2]), MODES[mode]))
    assert found.flags.c_contiguous
    g, v = RNG.normal(size=found.shape), RNG.normal(size=shape)
    tangent = zen.jvp(lambda x: f.pad(x, pad=widths, mode=mode), (x,), (v,))[1]
    _, pull = zen.vjp(lambda x: f.pad(x, pad=widths, mode=mode), x)
    np.testing.assert_allclose(np.sum(pull(g)[0] * v), np.sum(g * tangent), rtol=1e-10)


def test_padding_of_nothing_is_a_copy():
    x = zen.tensor(RNG.normal(size=(2, 3)))
    for mode in MODES:
        found = f.pad(x, pad=(0, 0), mode=mode)
        np.testing.assert_array_equal(found.numpy(), x.numpy())
        assert not np.may_share_memory(found.numpy(), x.numpy())


@pytest.mark.parametrize("p", [0.0, 0.5, 1.0, 2.0, 3.5, np.inf])
def test_cdist_is_the_norm_of_each_difference(p):
    a, b = RNG.normal(size=(2, 3, 4)), RNG.normal(size=(5, 4))
    expected = [[[np.linalg.norm(u - v, p) for v in b] for u in part] for part in a]
    np.testing.assert_allclose(f.cdist(a, b, p).numpy(), expected, rtol=1e-12)
    np.testing.assert_allclose(f.pdist(b, p).numpy(), f.cdist(b, b, p).numpy()[np.triu_indices(5, 1)], rtol=1e-12)


@pytest.mark.parametrize("p", [0.0, 1.0, 1.5, 2.0, 3.0, np.inf])
def test_points_that_coincide_get_no_gradient(p):
    a = zen.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    b = zen.tensor([[1.0, 2.0]], requires_grad=True)
    y = f.cdist(a, b, p)
    assert y[0, 0].item() == 0
    (y[0, 0] * 5).backward()
    assert (a.grad.numpy() == 0).all() and (b.grad.numpy() == 0).all()


def test_cdist_of_far_and_large_vectors():
    """Differences, not products: no digits are lost far from the origin, nor is there an overflow."""
    a, b = np.array([[1e8, 1e8]]), np.array([[1e8 + 3, 1e8 + 4]])
    assert f.cdist(a, b).item() == 5.0
    assert f.cdist(np.array([[3e200, 4e200]]), np.zeros((1, 2))).item() == pytest.approx(5e200, rel=1e-15)
    assert f.cdist(np.array([[np.inf, np.nan]]), np.zeros((1, 2))).isnan().item()
    assert f.cdist(np.zeros((3, 0)), np.zeros((2, 0))).tolist() == [[0.0, 0.0]] * 3
    assert f.cdist(np.zeros((0, 2)), np.zeros((2, 2))).shape == (0, 2)


def test_normalize_has_the_slope_of_a_scaled_vector_at_zero():
    x = zen.tensor([[0.0, 0.0]], requires_grad=True)
    f.normalize(x, eps=0.5).sum().backward()
    assert x.grad.tolist() == [[2.0, 2.0]]
    check_gradients(lambda x: f.normalize(x, 3.0, -1), [RNG.normal(size=(3, 4))])


def test_one_hot_of_unsigned_numbers_and_of_none():
    assert f.one_hot(np.array([1, 0], np.uint8)).tolist() == [[0, 1], [1, 0]]
    assert f.one_hot(np.zeros((0, 2), int), 3).shape == (0, 2, 3)
    assert f.one_hot(np.array([5]), num_classes=6).dtype == np.int64


IMAGE = np.ones((1, 4, 4, 4))


@pytest.mark.parametrize(("call", "kind", "message"), [
    (lambda: f.unfold(IMAGE, 7), ValueError, r"unfold: a window of \(7, 7\) with dilation \(1, 1\) does not"),
    (lambda: f.unfold(IMAGE[0, 0], 2), ValueError, r"unfold: expected images .*not shape \(4, 4\)"),
    (lambda: f.fold(np.ones((1, 8, 5)), 3, 2), ValueError, r"fold: input of shape \(1, 8, 5\); .*multiple of 4, 4"),
    (lambda: f.pixel_shuffle(IMAGE, 3), ValueError, "upscale_factor 3 needs channels in multiples of 9"),
    (lambda: f.pixel_shuffle(IMAGE, 0), ValueError, "upscale_factor must be at least 1, not 0"),
    (lambda: f.pixel_shuffle(IMAGE, 1.5), TypeError, "upscale_factor must be an int, not 1.5"),
    (lambda: f.pixel_unshuffle(IMAGE, 3), ValueError, "downscale_factor 3 divides height and width of no image"),
    (lambda: f.channel_shuffle(IMAGE, 3), ValueError, "3 groups of channels do not fit shape"),
    (lambda: f.pad(IMAGE, pad=(1, 2, 3)), ValueError, r"pad \(1, 2, 3\) must be \(before, after\) of the last"),
    (lambda: f.pad(IMAGE, pad=(1,) * 10), ValueError, "at most the 4 axes"),
    (lambda: f.pad(IMAGE, pad=(4, 0), mode="reflect"), ValueError, "'reflect' can add at most 3 at each end"),
    (lambda: f.pad(IMAGE, pad=(5, 0), mode="circular"), ValueError, "mode 'circular' can add at most 4"),
    (lambda: f.pad(IMAGE[..., :0], pad=(1, 0), mode="replicate"), ValueError, "'replicate' can add none"),
    (lambda: f.pad(IMAGE, pad=(1, 0), mode="mirror"), ValueError, "mode 'mirror' is not available; give one"),
    (lambda: f.pad(IMAGE, pad=(1, 0), mode="reflect", value=1), ValueError, "value belongs to mode='constant'"),
    (lambda: f.pad(IMAGE, pad=(-3, -3)), ValueError, r"widths \(-3, -3\) take off more than the 4 elements"),
    (lambda: f.pad(IMAGE, 1, pad=(1, 1)), TypeError, "pad: pad_width and pad are two names"),
    (lambda: f.pad(IMAGE), TypeError, "pad: give pad_width"),
    (lambda: f.pad(IMAGE, 1, value=2), TypeError, "pad: value belongs to pad"),
    (lambda: nn.ReflectionPad1d((1, 2, 3)), ValueError, "ReflectionPad1d: padding must be an int or 2 of them"),
    (lambda: nn.ReflectionPad1d(1)(IMAGE), ValueError, "ReflectionPad1d: expected 2 dimensions .channels first., or 3"),
    (lambda: nn.ReflectionPad2d(4)(IMAGE), ValueError, "ReflectionPad2d: mode 'reflect' can add at most 3"),
    (lambda: nn.Softmax2d()(IMAGE[0, 0]), ValueError, "Softmax2d: expected images"),
    (lambda: f.cdist(np.ones((2, 3)), np.ones((2, 4))), ValueError, r"cdist: rows of x1 \(2, 3\) and x2 \(2, 4\)"),
    (lambda: f.cdist(np.ones((2, 2, 3)), np.ones((3, 2, 3))), ValueError, "leading axes that broadcast"),
    (lambda: f.cdist(np.ones((2, 3)), np.ones((2, 3)), -1), ValueError, "cdist: p must not be negative, but is -1"),
    (lambda: f.cdist(np.ones((2, 3)), np.ones((2, 3)), compute_mode="fast"), ValueError, "compute_mode must be one of"),
    (lambda: f.pdist(np.ones(3)), ValueError, r"pdist: expected a matrix \(n, width\), not shape \(3,\)"),
    (lambda: f.one_hot([0.5]), TypeError, "one_hot: classes are ints, not float64"),
    (lambda: f.one_hot([3], 3), ValueError, "one_hot: class 3 is out of range for 3 classes"),
    (lambda: f.one_hot([-1]), ValueError, "one_hot: class -1 is out of range"),
    (lambda: f.one_hot(np.zeros(0, int)), ValueError, "to count; give num_classes"),
    (lambda: f.one_hot([0], 0), ValueError, "num_classes must be positive"),
    (lambda: f.normalize(IMAGE, out=zen.ones(3)), TypeError, r"the result is a new Tensor; write out\[...\] ="),
    (lambda: f.normalize(np.ones(3)), np.exceptions.AxisError, "normalize: axis 1 is out of range"),
])  # fmt: skip
def test_errors_say_what_is_wrong(call, kind, message):
    with pytest.raises(kind, match=message):
        call()
