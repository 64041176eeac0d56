"""Convolutions beyond what test_rows.py draws: arguments, errors, sizes at which the kernels work in tiles, memory."""

import re
import tracemalloc

import numpy as np
import pytest
from layouts import LAYOUTS

import zen
from zen import backend
from zen.testing import check_gradients

RNG = np.random.default_rng(0)


def draw(*shape, dtype=np.float64):
    return RNG.normal(size=shape).astype(dtype)


def direct(x, w, stride=(1, 1), padding=(0, 0), dilation=(1, 1), groups=1):
    """The definition: a sum over every position of the kernel, one output element at a time, in float64."""
    x, w = x.astype(np.float64), w.astype(np.float64)
    (sh, sw), (ph, pw), (dh, dw) = stride, padding, dilation
    (n, _, h, width), (o, cg, kh, kw) = x.shape, w.shape
    x = np.pad(x, [(0, 0), (0, 0), (ph, ph), (pw, pw)])
    out = np.zeros((n, o, (h + 2 * ph - dh * (kh - 1) - 1) // sh + 1, (width + 2 * pw - dw * (kw - 1) - 1) // sw + 1))
    for k in range(o):
        first = k // (o // groups) * cg
        for i, j in np.ndindex(*out.shape[2:]):
            seen = x[:, first : first + cg, i * sh : i * sh + dh * kh : dh, j * sw : j * sw + dw * kw : dw]
            out[:, k, i, j] = (seen[:, :, :kh, :kw] * w[k]).sum(axis=(1, 2, 3))
    return out


# Shapes that take every path of the kernels: several images in a tile, rows of one image, part of a row, one row of
# the kernel at a time or all, no columns at all, and weights larger than the input.
TILES = {
    "several images": ((9, 3, 7, 6), (4, 3, 3, 3), {"padding": (1, 1)}),
    "rows of an image": ((1, 24, 70, 75), (3, 24, 3, 2), {"padding": (2, 0)}),
    "part of a row": ((1, 2, 1, 9000), (2, 2, 1, 9), {"dilation": (1, 3)}),
    "tall kernel": ((1, 1, 200, 40), (2, 1, 50, 3), {"dilation": (2, 1)}),
    "strided": ((2, 8, 41, 38), (4, 4, 5, 3), {"stride": (2, 3), "padding": (2, 1), "groups": 2}),
    "one by one": ((3, 5, 9, 8), (4, 5, 1, 1), {}),
    "small one by one": ((5, 4, 2, 2), (2, 2, 1, 1), {"groups": 2}),
    "each channel by itself": ((2, 6, 12, 11), (6, 1, 3, 3), {"groups": 6, "padding": (1, 1)}),
    "several outputs for each channel": ((3, 4, 9, 31), (12, 1, 3, 4), {"groups": 4, "padding": (2, 0)}),
    "phases of each channel": (
        (2, 3, 25, 18),
        (6, 1, 5, 3),
        {"groups": 3, "stride": (2, 3), "padding": (4, 1), "dilation": (3, 2)},
    ),
    "bands of each channel": ((1, 2, 150, 130), (2, 1, 7, 7), {"groups": 2, "padding": (3, 3), "stride": (1, 2)}),
    "more padding than kernel": ((2, 2, 5, 4), (2, 1, 2, 2), {"groups": 2, "padding": (5, 3), "stride": (3, 2)}),
    "large weight": ((1, 2, 4, 4), (40, 2, 3, 3), {"padding": (1, 1)}),
    "beyond the padding": ((1, 1, 2, 2), (1, 1, 2, 5), {"padding": (3, 4), "stride": (3, 1)}),
}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("case", TILES)
def test_kernels_follow_the_definition(case, dtype):
    x_shape, w_shape, options = TILES[case]
    x, w = draw(*x_shape, dtype=dtype), draw(*w_shape, dtype=dtype)
    expected = direct(x, w, **options)
    tolerance = 1e-12 if dtype == np.float64 else 2e-5
    tx, tw, tb = zen.Tensor(x), zen.Tensor(w), zen.Tensor(np.arange(1.0, len(w) + 1, dtype=dtype))
    y = zen.f.conv2d(tx, tw, tb, **options)
    assert y.dtype == dtype
    np.testing.assert_allclose(y.array, expected + tb.array[:, None, None], rtol=tolerance, atol=tolerance * 40)
    # The derivatives are the transposes: <g, conv(x, w)> = <conv_input(g, w), x> = <conv_weight(x, g), w>.
    g = draw(*y.shape, dtype=dtype)
    y.backward(g)
    inner = np.vdot(g.astype(np.float64), expected)
    scale = np.linalg.norm(g) * np.linalg.norm(expected)
    assert abs(np.vdot(tx.gradient.astype(np.float64), x) - inner) < tolerance * scale
    assert abs(np.vdot(tw.gradient.astype(np.float64), w) - inner) < tolerance * scale
    np.testing.assert_allclose(tb.gradient, g.sum(axis=(0, 2, 3)), rtol=1e-3, atol=1e-3)
    u, v = draw(*x.shape, dtype=dtype), draw(*w.shape, dtype=dtype)  # and not only in one direction
    assert abs(np.vdot(tx.gradient, u) - np.vdot(g, direct(u, w, **options))) < 10 * tolerance * scale
    assert abs(np.vdot(tw.gradient, v) - np.vdot(g, direct(x, v, **options))) < 10 * tolerance * scale


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_each_channel_by_itself_agrees_with_the_reference(dtype):
    from zen._reference.kernels import conv as reference

    tolerance = 1e-11 if dtype == np.float64 else 1e-4
    rng = np.random.default_rng(3)
    tried = 0
    while tried < 60:
        images, channels, outputs, h, width = (int(v) for v in rng.integers(1, [4, 4, 6, 60, 60]))
        kernel, stride, dilation = (tuple(v.tolist()) for v in rng.integers(1, [[9], [6], [4]], size=(3, 2)))
        padding = tuple(rng.integers(0, 7, size=2).tolist())
        spans = [d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True)]
        if any(n + 2 * p < span for n, p, span in zip((h, width), padding, spans, strict=True)):
            continue
        tried += 1
        geometry = stride, padding, dilation, channels
        x, w = draw(images, channels, h, width, dtype=dtype), draw(channels * outputs, 1, *kernel, dtype=dtype)
        bias = draw(len(w), dtype=dtype)
        y = reference.conv2d(x, w, bias, *geometry)
        g = draw(*y.shape, dtype=dtype)
        for name, arguments in [
            ("conv2d", (x, w, bias)), ("conv2d_input", (g, w, (h, width))), ("conv2d_weight", (x, g, kernel)),
        ]:  # fmt: skip
            expected = getattr(reference, name)(*arguments, *geometry)
            found = getattr(backend.kernels.conv, name)(*arguments, *geometry)
            scale = max(np.abs(expected).max(), 1)
            np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance * scale, err_msg=str(geometry))


def test_an_infinite_pixel_reaches_only_what_sees_it():
    x, g = np.ones((1, 1, 4, 5)), np.ones((1, 1, 4, 5))
    x[0, 0, 1, 4] = np.inf
    geometry = (1, 1), (1, 1), (1, 1), 1
    found = backend.kernels.conv.conv2d_weight(x, g, (3, 3), *geometry)
    assert found[0, 0, :, 0].tolist() == [12, 16, 12] and np.isposinf(found[0, 0, :, 1:]).all()
    seen = np.isposinf(backend.kernels.conv.conv2d(x, np.ones((1, 1, 3, 3)), None, *geometry))
    np.testing.assert_array_equal(seen[0, 0], np.pad(np.ones((3, 2), bool), [(0, 1), (3, 0)]))


def test_derivatives_of_order_1_and_2():
    x, w, b = draw(2, 2, 3, 4), draw(4, 1, 2, 3), draw(4)
    check_gradients(
        lambda x, w, b: zen.f.conv2d(x, w, b, (2, 1), (1, 2), (1, 2), 2), [x, w, b], order=2, rtol=2e-6, atol=2e-6
    )
    check_gradients(lambda x, w: zen.f.conv1d(x, w, None, 2, 1), [draw(2, 5), draw(2, 2, 3)], rtol=2e-6, atol=2e-6)
    check_gradients(
        lambda x, w, b: zen.f.conv_transpose2d(x, w, b, 2, 1, (1, 0), 2), [draw(1, 2, 2, 3), draw(2, 2, 3, 2), draw(4)],
        rtol=2e-6, atol=2e-6,
    )  # fmt: skip
    check_gradients(lambda x, w: zen.f.conv2d(x, w, None, padding="same"), [draw(1, 3, 2), draw(1, 1, 2, 3)], order=1)


def test_forms_of_the_arguments():
    x, w = draw(2, 3, 6, 5), draw(4, 3, 3, 2)
    for ours, plain in [
        ({"stride": 2, "padding": 1}, {"stride": (2, 2), "padding": (1, 1)}),
        ({"padding": "valid"}, {}), ({"dilation": [2]}, {"dilation": (2, 2)}),
        ({"padding": "same"}, {"padding": (1, 1)}),
    ]:  # fmt: skip
        expected = direct(x, w, **plain)
        expected = expected[..., 1:] if ours == {"padding": "same"} else expected  # of an even kernel the end is longer
        np.testing.assert_allclose(zen.f.conv2d(x, w, **ours).array, expected, atol=1e-12)
    np.testing.assert_allclose(zen.f.conv2d(x[0], w).array, direct(x[:1], w)[0], atol=1e-12)
    sequence, kernel = draw(2, 3, 9), draw(4, 3, 2)
    expected = direct(sequence[:, :, None], kernel[:, :, None], (1, 2), (0, 1))[:, :, 0]
    np.testing.assert_allclose(zen.f.conv1d(sequence, kernel, stride=2, padding=1).array, expected, atol=1e-12)
    np.testing.assert_allclose(zen.f.conv1d(sequence[1], kernel, None, 2, 1).array, expected[1], atol=1e-12)
    whole = zen.f.conv2d(np.arange(9).reshape(1, 1, 3, 3), np.ones((1, 1, 2, 2), int))
    assert whole.dtype == np.float64 and whole.tolist() == [[[[8.0, 12.0], [20.0, 24.0]]]]
    half = zen.f.conv2d(x.astype(np.float16), w.astype(np.float16))
    assert half.dtype == np.float16
    np.testing.assert_allclose(half.array, direct(x, w), atol=0.05)
    assert zen.f.conv2d(x.astype(np.float32), w).dtype == np.float64


@pytest.mark.parametrize("options", [{"stride": 2, "output_padding": 1}, {"padding": 1, "dilation": (1, 2)}])
def test_transposed_convolution_is_the_transpose(options):
    x, w = draw(2, 4, 3, 4), draw(4, 3, 3, 2)
    y = zen.f.conv_transpose2d(x, w, **options)
    back = zen.f.conv2d(y, w, **{k: v for k, v in options.items() if k != "output_padding"})
    assert back.shape == x.shape
    other = draw(*y.shape)
    forth = zen.f.conv2d(other, w, **{k: v for k, v in options.items() if k != "output_padding"})
    np.testing.assert_allclose(np.vdot(y.array, other), np.vdot(x, forth.array), rtol=1e-12)
    sequence = zen.f.conv_transpose1d(x[:, :, 0], w[..., 0], np.ones(3), stride=2).array
    row = zen.f.conv_transpose2d(x[:, :, :1], w[:, :, :1, :1], stride=2)
    assert sequence.shape == (2, 3, 9) and row.shape == (2, 3, 1, 7)


def test_output_padding_beyond_the_stride():
    x, w = draw(1, 1, 1, 3), draw(1, 1, 1, 2)
    y = zen.f.conv_transpose2d(x, w, dilation=(1, 4), output_padding=(0, 3))
    expected = np.zeros(10)
    expected[:3] += x.ravel() * w[0, 0, 0, 0]
    expected[4:7] += x.ravel() * w[0, 0, 0, 1]
    np.testing.assert_allclose(y.array.ravel(), expected)


def test_empty_batch_and_empty_channels():
    for shape, w in [((0, 2, 4, 4), (3, 2, 2, 2)), ((2, 0, 4, 4), (3, 0, 2, 2)), ((2, 2, 4, 4), (0, 2, 2, 2))]:
        tx, tw, tb = zen.zeros(shape), zen.zeros(w), zen.ones(w[0])
        for t in (tx, tw, tb):
            t.requires_grad_()
        y = zen.f.conv2d(tx, tw, tb)
        assert y.shape == (shape[0], w[0], 3, 3) and (y.array == 1).all()
        y.backward(np.ones(y.shape))
        assert [t.gradient.tolist() for t in (tx, tw)] == [np.zeros(shape).tolist(), np.zeros(w).tolist()]
        np.testing.assert_array_equal(tb.gradient, np.full(w[0], 9.0 * shape[0]))


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda f: f.__name__)
def test_memory_layout_changes_nothing(layout):
    x, w, b = draw(2, 3, 5, 4), draw(2, 3, 2, 2), draw(2)
    found = zen.f.conv2d(layout(x), layout(w), layout(b)).array
    np.testing.assert_allclose(found, direct(x, w) + b[:, None, None], atol=1e-12)


def test_results_do_not_depend_on_what_else_is_asked_for():
    x, w = zen.Tensor(draw(2, 3, 5, 4)), zen.Tensor(draw(2, 3, 2, 2))
    g = draw(2, 2, 4, 3)
    zen.f.conv2d(x, w).backward(g)
    alone = zen.Tensor(w.array)
    zen.f.conv2d(x.array, alone).backward(g)
    np.testing.assert_array_equal(alone.gradient, w.gradient)


def test_the_workspace_is_at_most_twice_the_input():
    """A matrix of all patches would take 49 times the input."""
    x, w = draw(2, 8, 120, 120, dtype=np.float32), draw(8, 8, 7, 7, dtype=np.float32)
    results = x.nbytes + w.nbytes + 2 * 8 * 114 * 114 * 4
    kernels = backend.kernels.conv
    geometry = (1, 1), (0, 0), (1, 1), 1
    g = kernels.conv2d(x, w, None, *geometry)
    for run in (
        lambda: kernels.conv2d(x, w, None, *geometry), lambda: kernels.conv2d_input(g, w, (120, 120), *geometry),
        lambda: kernels.conv2d_weight(x, g, (7, 7), *geometry),
    ):  # fmt: skip
        if backend.NAME == "compiled":
            from zen._core import empty_cache

            empty_cache()
            run()
            held = empty_cache()  # every block that the call gave back: its result and its workspace
        else:
            tracemalloc.start()
            run()
            held = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
        assert held <= results + 2 * x.nbytes


ERRORS = [
    (lambda: zen.f.conv2d(zen.ones((1, 3, 4, 4)), zen.ones((2, 2, 3, 3))),
     "conv2d: input has 3 channels, but a weight with 2 on axis 1 and groups=1 needs 2"),
    (lambda: zen.f.conv2d(zen.ones((1, 2, 4, 4)), zen.ones((3, 1, 3, 3)), groups=2),
     "conv2d: groups=2 does not divide axis 0 of weight (3, 1, 3, 3)"),
    (lambda: zen.f.conv2d(zen.ones((1, 1, 4, 2)), zen.ones((2, 1, 3, 3))),
     "conv2d: a kernel of length 3 with dilation 1 spans 3, more than the input's 2 with padding 0 on both sides"),
    (lambda: zen.f.conv1d(zen.ones((1, 4)), zen.ones((2, 1, 3)), dilation=2),
     "conv1d: a kernel of length 3 with dilation 2 spans 5, more than the input's 4 with padding 0 on both sides"),
    (lambda: zen.f.conv2d(zen.ones((4, 4)), zen.ones((2, 1, 3, 3))),
     "conv2d: input of shape (4, 4) must have 4 axes (batch, channels, height, width), or 3 without the batch"),
    (lambda: zen.f.conv1d(zen.ones((1, 2, 4, 4)), zen.ones((2, 2, 3))),
     "conv1d: input of shape (1, 2, 4, 4) must have 3 axes (batch, channels, length), or 2 without the batch"),
    (lambda: zen.f.conv2d(zen.ones((1, 1, 4, 4)), zen.ones((2, 1, 3))),
     "conv2d: weight of shape (2, 1, 3) must be (out, in / groups, height, width)"),
    (lambda: zen.f.conv2d(zen.ones((1, 1, 4, 4)), zen.ones((2, 1, 3, 3)), zen.ones(3)),
     "conv2d: bias of shape (3,) does not fit 2 output channels: (2,)"),
    (lambda: zen.f.conv2d(zen.ones((1, 1, 4, 4)), zen.ones((2, 1, 3, 3)), stride=0),
     "conv2d: stride must be an int or 2 ints of at least 1, not 0"),
    (lambda: zen.f.conv2d(zen.ones((1, 1, 4, 4)), zen.ones((2, 1, 3, 3)), stride=2**62),
     f"conv2d: stride must be at most 2147483647, not {2**62}"),
    (lambda: zen.f.conv2d(zen.ones((1, 1, 4, 4)), zen.ones((2, 1, 3, 3)), padding=(1, 2, 3)),
     "conv2d: padding must be an int or 2 ints of at least 0, not (1, 2, 3)"),
    (lambda: zen.f.conv2d(zen.ones((1, 1, 4, 4)), zen.ones((2, 1, 3, 3)), padding="full"),
     'conv2d: padding must be "same", "valid" or ints, not \'full\''),
    (lambda: zen.f.conv1d(zen.ones((1, 1, 4)), zen.ones((2, 1, 3)), stride=2, padding="same"),
     'conv1d: padding="same" needs a stride of 1, not (2,)'),
    (lambda: zen.f.conv_transpose2d(zen.ones((1, 3, 4, 4)), zen.ones((2, 1, 3, 3))),
     "conv_transpose2d: input has 3 channels, but weight (2, 1, 3, 3) has 2 on axis 0"),
    (lambda: zen.f.conv_transpose2d(zen.ones((1, 2, 4, 4)), zen.ones((2, 1, 3, 3)), output_padding=1),
     "conv_transpose2d: output_padding 1 must be smaller than stride 1 or dilation 1"),
    (lambda: zen.f.conv_transpose1d(zen.ones((1, 2, 1)), zen.ones((2, 1, 3)), padding=2),
     "conv_transpose1d: the output would have length -1; padding 2 is too large for length 1"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "message"), ERRORS)
def test_errors(call, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        call()


FORMS = [(1, 0, 1, 1), ((2, 1), (0, 2), (1, 2), 2), (1, "same", 2, 2), ((1, 1), (1, 1), (1, 1), 1)]
NEEDED = [(1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 0), (1, 0, 1), (0, 1, 1), (1, 1, 1)]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("needed", NEEDED)
def test_gradients_where_only_some_operands_need_them(needed, form):
    groups = form[-1]
    arrays = [draw(2, 4, 5, 6), draw(6, 4 // groups, 2, 3), draw(6)]
    tensors = [zen.tensor(a, requires_grad=bool(k)) for a, k in zip(arrays, needed, strict=True)]
    y = zen.f.conv2d(*tensors, *form)
    g = draw(*y.shape)
    y.backward(zen.tensor(g))

    def value(k, direction):  # the convolution is linear in each operand: its slope is exact
        ends = [
            zen.f.conv2d(*[a + s * direction if j == k else a for j, a in enumerate(arrays)], *form) for s in (-1, 1)
        ]
        return float((g * (ends[1].array - ends[0].array)).sum()) / 2

    for k, t in enumerate(tensors):
        if not needed[k]:
            assert t.grad is None
            continue
        direction = draw(*t.shape)
        np.testing.assert_allclose((t.gradient * direction).sum(), value(k, direction), rtol=1e-9)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("needed", NEEDED)
def test_tangents_where_only_some_operands_move(needed, form, dtype):
    arrays = [a.astype(dtype) for a in (draw(2, 4, 5, 6), draw(6, 4 // form[-1], 2, 3), draw(6))]
    where = [k for k in range(3) if needed[k]]
    moves = [draw(*arrays[k].shape).astype(dtype) for k in where]

    def moved(*given):
        given = dict(zip(where, given, strict=True))
        return zen.f.conv2d(*[given.get(k, a) for k, a in enumerate(arrays)], *form)

    tangent = zen.jvp(moved, tuple(arrays[k] for k in where), tuple(moves))[1]
    expected = 0  # linear in each operand
    for k, t in zip(where, moves, strict=True):
        ends = [zen.f.conv2d(*[a + s * t if j == k else a for j, a in enumerate(arrays)], *form) for s in (-1, 1)]
        expected = expected + (ends[1].array - ends[0].array) / 2
    tolerance = 1e-4 if dtype == np.float32 else 1e-10
    assert tangent.dtype == dtype
    np.testing.assert_allclose(tangent, expected, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda f: f.__name__)
def test_gradients_of_operands_of_any_layout(layout):
    given = [draw(2, 2, 5, 4), draw(3, 2, 2, 2)]
    expected = [zen.tensor(a, requires_grad=True) for a in given]
    found = [zen.tensor(layout(a), requires_grad=True) for a in given]
    for x, w in (expected, found):
        (zen.f.conv2d(x, w, None, (2, 1), (1, 0)) ** 2).sum().backward()
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a.gradient, b.gradient, rtol=1e-12)


@pytest.mark.parametrize("first", ["written to", "read"])
def test_an_image_overwritten_before_the_backward_pass(first):
    image, w = draw(1, 1, 3, 3), zen.tensor(draw(1, 1, 2, 2), requires_grad=True)
    expected = [[image[0, 0, i : i + 2, j : j + 2].sum() for j in range(2)] for i in range(2)]
    y = zen.f.conv2d(image if first == "written to" else image.copy(), w).sum()
    image[...] = np.nan
    y.backward()
    np.testing.assert_allclose(w.gradient[0, 0], expected)


class One:
    def __index__(self):
        return 1


LAID_OUT = {"stride": (1, 1), "padding": (0, 0), "dilation": (1, 1), "groups": 1}


@pytest.mark.parametrize("key", LAID_OUT)
def test_settings_in_pairs_are_checked_as_others_are(key):
    x, w = zen.tensor(draw(1, 1, 4, 4)), zen.tensor(draw(2, 1, 3, 3))
    least, what = (0 if key == "padding" else 1), ("an int" if key == "groups" else "an int or 2 ints")
    zen.f.conv2d(x, w, None, **LAID_OUT)
    for wrong in (("a", 1), (None, 1), ([1], 1), (1.0, 1), ((1, 1), (1, 1)), (np.ones(2), np.ones(3)), None, "a", 1.0):
        if key == "padding" and isinstance(wrong, str):
            continue
        with pytest.raises(ValueError, match=re.escape(f"conv2d: {key} must be {what} of at least {least}, not")):
            zen.f.conv2d(x, w, None, **{**LAID_OUT, key: wrong})
    given = One() if key == "groups" else (One(), np.int64(1))
    plain = 1 if key == "groups" else (1, 1)
    expected = zen.f.conv2d(x, w, None, **{**LAID_OUT, key: plain}).array
    np.testing.assert_array_equal(zen.f.conv2d(x, w, None, **{**LAID_OUT, key: given}).array, expected)


@pytest.mark.parametrize("setting", [2, [2, 2], np.int64(2), np.array([2, 2])])
def test_a_layers_settings_may_be_set_in_any_form(setting):
    layer, x = zen.nn.Conv2d(1, 2, 2), zen.tensor(draw(1, 1, 5, 5, dtype=np.float32))
    for key in ("stride", "padding", "dilation"):
        setattr(layer, key, (2, 2))
        expected = layer(x).array
        setattr(layer, key, setting)
        np.testing.assert_array_equal(layer(x).array, expected)
