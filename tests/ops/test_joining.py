"""concat and stack: any layout, sizes below and above those that are copied without the GIL, gradients part by part."""

import numpy as np
import pytest

import zen
from zen import backend, f
from zen.ops.joining import CONCAT
from zen.testing import check_gradients

RNG = np.random.default_rng(0)
LARGE = RNG.normal(size=(120, 100))


def pieces(shape, dtype):
    """Arrays of one shape: by rows, by columns, with gaps, backwards, and a constant that is broadcast."""
    rng = np.random.default_rng(len(shape))
    x = [rng.normal(size=shape).astype(dtype) for _ in range(4)]
    return [
        x[0], np.asfortranarray(x[1]), np.repeat(x[2], 2, -1)[..., ::2], x[3][::-1],
        np.broadcast_to(np.asarray(1.5, dtype), shape),
    ]  # fmt: skip


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("shape", [(1,), (7,), (2, 3), (3, 1, 4), (2, 0, 3), (300, 200), (3, 200, 100)], ids=str)
def test_joined_arrays_and_their_gradients(shape, dtype):
    given = pieces(shape, dtype)
    rng = np.random.default_rng(0)
    for function, expected, axes in (
        (f.concat, np.concatenate, range(len(shape))), (f.stack, np.stack, range(len(shape) + 1)),
    ):  # fmt: skip
        for axis in axes:
            leaves = [zen.from_numpy(x).requires_grad_() for x in given[:4]]
            y = function([*leaves, given[4]], axis=axis)
            np.testing.assert_array_equal(y.array, expected(given, axis=axis), strict=True)
            assert not any(np.shares_memory(y.array, t.array) for t in leaves)
            g = rng.normal(size=y.shape).astype(dtype)
            parts = np.split(g, 5, axis) if function is f.concat else np.moveaxis(g, axis, 0)
            y.backward(zen.tensor(g), retain_graph=True)
            (y * 2).backward(zen.tensor(g))
            for t, part in zip(leaves, parts, strict=False):
                np.testing.assert_allclose(t.gradient, 3 * part, rtol=1e-6)


def test_parts_of_different_lengths_and_one_array_twice():
    x, y = (zen.tensor(np.random.default_rng(k).normal(size=(2, n)), requires_grad=True) for k, n in ((0, 3), (1, 1)))
    joined = f.concat([x, y, x, zen.zeros((2, 0)), x * y], axis=1)
    assert joined.shape == (2, 10)
    g = np.arange(20.0).reshape(2, 10)
    joined.backward(zen.tensor(g))
    np.testing.assert_allclose(x.gradient, g[:, :3] + g[:, 4:7] + g[:, 7:] * y.array)
    np.testing.assert_allclose(y.gradient, g[:, 3:4] + (g[:, 7:] * x.array).sum(1, keepdims=True))


def test_second_order_and_forward_mode():
    a, b = np.random.default_rng(2).normal(size=(2, 2, 3))
    check_gradients(lambda x, y: f.concat([x * y, y], axis=1) ** 3, [a, b], order=2)
    check_gradients(lambda x, y: f.stack([x * y, y, x], axis=1) ** 3, [a, b], order=2)
    _, tangent = zen.jvp(lambda x: f.concat([x, np.ones((2, 3)), x * 2]), (a,), (b,))
    np.testing.assert_allclose(tangent, np.concatenate([b, np.zeros((2, 3)), 2 * b]))


def test_other_dtypes_and_scalars_are_joined_by_numpy():
    assert f.concat([zen.ones(2, dtype="float32"), zen.ones(2)]).dtype == np.float64
    assert f.stack([zen.ones(2, dtype="float16"), np.ones(2, "float16")]).dtype == np.float16
    assert f.concat([np.arange(2), np.arange(3)]).dtype == np.arange(2).dtype
    x = zen.tensor(2.0, requires_grad=True)
    y = f.stack([x, x * x, 3.0])
    y.backward(zen.tensor([1.0, 2.0, 3.0]))
    assert y.tolist() == [2.0, 4.0, 3.0] and x.grad.item() == 9.0


def test_gradients_may_be_written_to():
    x, y = zen.ones(3).requires_grad_(), zen.ones(3).requires_grad_()
    f.stack([x, y]).backward(zen.ones((2, 3)))
    x.grad.array[:] = 5.0
    assert y.grad.tolist() == [1.0, 1.0, 1.0]


PARTS = {
    "C": lambda: [LARGE, LARGE * 2, LARGE + 1],
    "Fortran": lambda: [np.asfortranarray(LARGE), np.asfortranarray(LARGE * 2)],
    "mixed": lambda: [LARGE, LARGE.T.copy().T, LARGE[::-1]],
    "small": lambda: [LARGE[:2, :3], LARGE[2:4, :3]],
    "empty": lambda: [LARGE[:0], LARGE[:0]],
}


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("axis", [0, 1, -1])
@pytest.mark.parametrize("name", PARTS)
@pytest.mark.parametrize("function", ["concat", "stack"])
def test_values_layout_and_gradients(function, name, axis, dtype):
    parts = [p.astype(dtype, order="K") for p in PARTS[name]()]
    turned = name == "Fortran"  # a Tensor made of an array has the order of C
    leaves = [zen.tensor(p.T if turned else p, requires_grad=True) for p in parts]
    given = [t.T if turned else t for t in leaves]
    expected = (np.concatenate if function == "concat" else np.stack)([t.array for t in given], axis)
    made = getattr(zen, function)(given, axis)
    np.testing.assert_array_equal(made.array, expected)
    assert made.dtype == dtype and made.array.flags.c_contiguous == expected.flags.c_contiguous
    weights = RNG.normal(size=expected.shape).astype(dtype)
    (made * weights).sum().backward()
    if function == "concat":
        shares = np.split(weights, np.cumsum([p.shape[axis] for p in parts])[:-1], axis)
    else:
        shares = [np.take(weights, k, axis) for k in range(len(parts))]
    for leaf, share in zip(leaves, shares, strict=True):
        np.testing.assert_allclose(leaf.gradient, share.T if turned else share, rtol=1e-6)


def test_stacked_numbers():
    leaves = [zen.tensor(v, requires_grad=True) for v in (1.0, 2.0, 3.0)]
    made = zen.stack([leaves[0], 7.0, leaves[1] * leaves[2]])
    np.testing.assert_array_equal(made.array, [1.0, 7.0, 6.0])
    (made * np.array([1.0, 10.0, 100.0])).sum().backward()
    assert [t.grad.item() for t in leaves] == [1.0, 300.0, 200.0]


def test_constants_beside_what_has_a_tangent():
    f = lambda x: zen.concat([x, np.ones((1, 3)), x[:1] * x[:1]]) * 2.0  # noqa: E731
    x, t = RNG.normal(size=(2, 3)), RNG.normal(size=(2, 3))
    _, tangent = zen.jvp(f, (x,), (t,))
    np.testing.assert_allclose(tangent, 2 * np.concatenate([t, np.zeros((1, 3)), 2 * x[:1] * t[:1]]))
    _, tangent = zen.jvp(lambda x: zen.stack([x[0], np.ones(3), x[1]], 1), (x,), (t,))
    np.testing.assert_allclose(tangent, np.stack([t[0], np.zeros(3), t[1]], 1))


@pytest.mark.parametrize("rows", [2, 400])
def test_a_part_of_length_one_is_not_repeated(rows):
    parts = (zen.tensor(np.ones((rows, 50))), zen.tensor(np.ones((1, 50))))
    with pytest.raises(ValueError, match="concat"):
        backend.apply(CONCAT, parts, (1, (0, 50, 100)))
    with pytest.raises(ValueError, match=r"concat: shapes .* must agree except along axis 1"):
        zen.concat(parts, 1)


def test_a_part_that_is_joined_twice_gets_both_gradients():
    x = zen.tensor([1.0, 2.0], requires_grad=True)
    (zen.concat([x, x]) * np.array([1.0, 2.0, 10.0, 20.0])).sum().backward()
    np.testing.assert_array_equal(x.gradient, [11.0, 22.0])


def test_an_axis_too_many_is_refused_by_name():
    x = zen.tensor(np.ones((1,) * 64), requires_grad=True)
    with pytest.raises(IndexError, match=r"stack: .* \(operand shapes: "):
        zen.stack([x, x])
