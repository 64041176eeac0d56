"""Elementwise rows on complex arrays: every layout and size that kernels tell apart, beside NumPy and mathematics.

A gradient is that of L = real(sum(w * f(z))). For a function with the complex derivative f' it is conj(w * f'(z)).
"""

import warnings

import numpy as np
import pytest

import zen

RNG = np.random.default_rng(0)
DTYPES = ["complex64", "complex128"]

# The functions of one argument with their derivatives.
HOLOMORPHIC = {
    "negative": (np.negative, lambda z: -np.ones_like(z)),
    "square": (np.square, lambda z: 2 * z),
    "sqrt": (np.sqrt, lambda z: 0.5 / np.sqrt(z)),
    "reciprocal": (np.reciprocal, lambda z: -1 / z**2),
    "exp": (np.exp, np.exp),
    "expm1": (np.expm1, np.exp),
    "exp2": (np.exp2, lambda z: np.log(2) * np.exp2(z)),
    "log": (np.log, lambda z: 1 / z),
    "log1p": (np.log1p, lambda z: 1 / (1 + z)),
    "log2": (np.log2, lambda z: 1 / (np.log(2) * z)),
    "log10": (np.log10, lambda z: 1 / (np.log(10) * z)),
    "sin": (np.sin, np.cos),
    "cos": (np.cos, lambda z: -np.sin(z)),
    "tan": (np.tan, lambda z: 1 / np.cos(z) ** 2),
    "asin": (np.arcsin, lambda z: 1 / np.sqrt(1 - z * z)),
    "acos": (np.arccos, lambda z: -1 / np.sqrt(1 - z * z)),
    "atan": (np.arctan, lambda z: 1 / (1 + z * z)),
    "sinh": (np.sinh, np.cosh),
    "cosh": (np.cosh, np.sinh),
    "tanh": (np.tanh, lambda z: 1 / np.cosh(z) ** 2),
    "asinh": (np.arcsinh, lambda z: 1 / np.sqrt(1 + z * z)),
    "acosh": (np.arccosh, lambda z: 1 / (np.sqrt(z - 1) * np.sqrt(z + 1))),
    "atanh": (np.arctanh, lambda z: 1 / (1 - z * z)),
    "times a number": (lambda z: z * (2 - 3j), lambda z: np.full_like(z, 2 - 3j)),
    "a number over it": (lambda z: 2j / z, lambda z: -2j / z**2),
    "squared": (lambda z: z**2, lambda z: 2 * z),
    "a cube": (lambda z: z**3, lambda z: 3 * z**2),
    "a root": (lambda z: z**0.5, lambda z: 0.5 / np.sqrt(z)),
    "a complex power": (lambda z: z ** (1 + 2j), lambda z: (1 + 2j) * z**2j),
    "a power of a number": (lambda z: 2.0**z, lambda z: np.log(2) * 2**z),
    "to the power 0": (lambda z: z**0, np.zeros_like),
    "rint": (np.rint, np.zeros_like),
}  # fmt: skip
# Those without a complex derivative: the gradient for weights w, and the change along d.
OTHERS = {
    "conj": (np.conj, lambda z, w: w, lambda z, d: np.conj(d)),
    "abs": (np.abs, lambda z, w: w * z / np.abs(z), lambda z, d: (np.conj(z) * d).real / np.abs(z)),
    "real": (np.real, lambda z, w: w + 0j, lambda z, d: d.real),
    "imag": (np.imag, lambda z, w: 1j * w, lambda z, d: d.imag),
    "angle": (np.angle, lambda z, w: 1j * w * z / np.abs(z) ** 2, lambda z, d: (np.conj(z) * d).imag / np.abs(z) ** 2),
}


def draw(shape, dtype="complex128", seed=0):
    """Values within the unit square, away from 0, cuts and halves."""
    rng = np.random.default_rng(seed)
    parts = [rng.uniform(0.15, 0.45, shape) * rng.choice([-1, 1], shape) for _ in range(2)]
    return np.asarray(parts[0] + 1j * parts[1], dtype)


def laid_out(layout, dtype):
    if layout == "contiguous":
        return draw((1000,), dtype)
    if layout == "strided":
        return draw((300, 2), dtype)[:, 1]
    if layout == "reversed":
        return draw((20, 40), dtype)[::-1, ::-2]
    if layout == "transposed":
        return draw((7, 3, 50), dtype).transpose(2, 0, 1)
    if layout == "Fortran":
        return np.asfortranarray(draw((30, 11), dtype))
    if layout == "spread":
        return np.broadcast_to(draw((3, 1), dtype), (3, 5))
    return draw(layout, dtype)


LAYOUTS = [
    "contiguous", "strided", "reversed", "transposed", "Fortran", "spread", (), (0,), (2, 0), (1,), (255,), (513,),
]  # fmt: skip


def close(dtype):
    return {"rtol": 2e-4, "atol": 2e-5} if np.dtype(dtype).itemsize <= 8 else {"rtol": 1e-11, "atol": 1e-12}


def gradient(function, z, w):
    """zen's, of real(sum(w * function(z))): through .grad, and through zen.grad."""
    t = zen.tensor(z, requires_grad=True)
    y = function(t)
    if np.iscomplexobj(y.array):
        y.backward(np.conj(w).astype(y.dtype))
    else:
        y.backward(np.real(w).astype(y.dtype))
    found = t.grad.array
    other = zen.grad(lambda z: np.real((function(z) * w).sum()))(z)
    np.testing.assert_allclose(found, other, **close(z.dtype))
    assert found.dtype == z.dtype and found.shape == z.shape
    return found


@pytest.mark.parametrize("layout", LAYOUTS, ids=str)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", HOLOMORPHIC)
def test_functions_with_a_derivative(name, dtype, layout):
    function, slope = HOLOMORPHIC[name]
    z = laid_out(layout, dtype)
    w, d = draw(z.shape, dtype, 1), draw(z.shape, dtype, 2)
    y = function(zen.tensor(z)).array
    assert y.dtype == dtype
    np.testing.assert_allclose(y, function(z), **close(dtype))
    exact = slope(z.astype("complex128"))
    np.testing.assert_allclose(gradient(function, z, w), np.conj(w * exact), **close(dtype))
    value, change = zen.jvp(function, (z,), (d,))
    assert change.dtype == dtype
    np.testing.assert_allclose(value, y, **close(dtype))
    np.testing.assert_allclose(change, d * exact, **close(dtype))


@pytest.mark.parametrize("layout", LAYOUTS, ids=str)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", OTHERS)
def test_functions_without_one(name, dtype, layout):
    function, slope, along = OTHERS[name]
    z = laid_out(layout, dtype)
    w, d = draw(z.shape, dtype, 1), draw(z.shape, dtype, 2)
    y = function(zen.tensor(z)).array
    expected = function(z)
    assert y.dtype == expected.dtype and y.shape == z.shape
    np.testing.assert_allclose(y, expected, **close(dtype))
    w = w if y.dtype == dtype else w.real
    np.testing.assert_allclose(gradient(function, z, w), slope(z, w), **close(dtype))
    change = zen.jvp(function, (z,), (d,))[1]
    assert change.dtype == expected.dtype
    np.testing.assert_allclose(change, along(z, d), **close(dtype))


# Two operands: the derivatives by both, summed to the operands' shapes.

BINARY = {
    "add": (np.add, lambda a, b: np.ones_like(a + b), lambda a, b: np.ones_like(a + b)),
    "subtract": (np.subtract, lambda a, b: np.ones_like(a + b), lambda a, b: -np.ones_like(a + b)),
    "multiply": (np.multiply, lambda a, b: b + 0 * a, lambda a, b: a + 0 * b),
    "divide": (np.divide, lambda a, b: 1 / b + 0 * a, lambda a, b: -a / b**2),
    "power": (np.power, lambda a, b: b * a ** (b - 1), lambda a, b: a**b * np.log(a)),
}
SHAPES = [
    ((3, 1), (1, 4)), ((4,), (2, 3, 4)), ((), (3,)), ((2, 3), ()), ((), ()), ((1,), (700,)), ((40, 1), (40, 30)),
    ((600,), (600,)), ((0,), (1,)), ((3, 0), (1, 1)), ((5, 1, 7), (1, 6, 1)),
]  # fmt: skip


def summed(values, shape):
    """Summed over what was broadcast."""
    values = values.sum(axis=tuple(range(values.ndim - len(shape))))
    axes = tuple(k for k, n in enumerate(shape) if n == 1 and values.shape[k] != 1)
    return values.sum(axis=axes, keepdims=True) if axes else values


@pytest.mark.parametrize("shapes", SHAPES, ids=str)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", BINARY)
def test_two_operands(name, dtype, shapes):
    function, *slopes = BINARY[name]
    a, b = (draw(shape, dtype, seed) for seed, shape in enumerate(shapes))
    s, t = zen.tensor(a, requires_grad=True), zen.tensor(b, requires_grad=True)
    y = function(s, t)
    expected = np.asarray(function(a, b))
    assert y.dtype == dtype
    np.testing.assert_allclose(y.detach().array, expected, **close(dtype))
    w = draw(expected.shape, dtype, 5)
    y.backward(np.conj(w))
    wide = (a.astype("complex128"), b.astype("complex128"))
    exact = [w * slope(*wide) for slope in slopes]
    for leaf, each in zip((s, t), exact, strict=True):
        loose = {"rtol": 1e-3, "atol": 1e-4} if dtype == "complex64" else close(dtype)
        np.testing.assert_allclose(leaf.grad.array, np.conj(summed(each, leaf.shape)), **loose)
    da, db = draw(a.shape, dtype, 6), draw(b.shape, dtype, 7)
    change = zen.jvp(function, (a, b), (da, db))[1]
    np.testing.assert_allclose(change, slopes[0](*wide) * da + slopes[1](*wide) * db, **close(dtype))


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_choice_by_a_mask(dtype):
    mask, a, b = RNG.random((30, 20)) < 0.5, draw((30, 20), dtype), draw((20,), dtype, 1)
    s, t = zen.tensor(a, requires_grad=True), zen.tensor(b, requires_grad=True)
    y = zen.where(mask, s, t)
    np.testing.assert_array_equal(y.detach().array, np.where(mask, a, b))
    y.backward(np.ones(y.shape, dtype))
    np.testing.assert_array_equal(s.grad.array, mask.astype(dtype))
    np.testing.assert_array_equal(t.grad.array, (~mask).sum(0).astype(dtype))
    d, e = draw(a.shape, dtype, 2), draw(b.shape, dtype, 3)
    change = zen.jvp(lambda a, b: zen.where(mask, a, b), (a, b), (d, e))[1]
    np.testing.assert_array_equal(change, np.where(mask, d, e))


def test_the_larger_of_two_as_tuples_are_ordered():
    a, b = np.array([1 + 2j, 1 + 2j, 3 - 1j, 2j]), np.array([1 + 3j, 1 + 2j, 2 + 9j, 1j])
    for function, of_a in ((np.maximum, [0, 0.5, 1, 1]), (np.minimum, [1, 0.5, 0, 0])):
        s, t = zen.tensor(a, requires_grad=True), zen.tensor(b, requires_grad=True)
        y = function(s, t)
        np.testing.assert_array_equal(y.detach().array, function(a, b))
        y.backward(np.ones(4, complex))
        np.testing.assert_array_equal(s.grad.array, of_a)
        np.testing.assert_array_equal(t.grad.array, 1 - np.array(of_a))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shapes", [((600,),) * 3, ((20, 30), (30,), ()), ((1, 7), (5, 1), (5, 7))], ids=str)
def test_limits_as_tuples_are_ordered(shapes, dtype):
    grid = np.array([complex(a, b) for a in range(-2, 3) for b in range(-2, 3)], dtype)  # with equal real parts
    arrays = [np.random.default_rng(k).choice(grid, shape) for k, shape in enumerate(shapes)]
    leaves = [zen.tensor(a, requires_grad=True) for a in arrays]
    y = zen.clip(*leaves)
    whole = np.broadcast_arrays(*arrays)
    # Which of the three counts: x within the limits, else a limit; the upper one where they cross.
    chosen = np.array([
        2 if x > hi or lo > hi else 1 if x < lo else 0
        for x, lo, hi in zip(*[[(z.real, z.imag) for z in a.ravel()] for a in whole], strict=True)
    ]).reshape(whole[0].shape)  # fmt: skip
    np.testing.assert_array_equal(y.detach().array, np.choose(chosen, whole))
    w = draw(y.shape, dtype, 5)
    y.backward(np.conj(w))
    directions = [draw(a.shape, dtype, 6 + k) for k, a in enumerate(arrays)]
    for k, leaf in enumerate(leaves):
        np.testing.assert_allclose(leaf.grad.array, np.conj(summed(w * (chosen == k), leaf.shape)), **close(dtype))
        others = [zen.tensor(a) for a in arrays]
        along = zen.jvp(lambda x, k=k, o=others: zen.clip(*o[:k], x, *o[k + 1 :]), (arrays[k],), (directions[k],))[1]
        np.testing.assert_array_equal(along, np.where(chosen == k, directions[k], 0))
    for along in (zen.jvp(zen.clip, arrays, directions)[1], zen.jvp(np.clip, arrays, directions)[1]):
        np.testing.assert_array_equal(along, np.choose(chosen, np.broadcast_arrays(*directions)))


# Special values, beside what NumPy returns for the same arrays.

SPECIAL = [0.0, -0.0, 1.0, -1.0, 0.5, -4.0, np.inf, -np.inf, np.nan]
GRID = np.array([complex(a, b) for a in SPECIAL for b in SPECIAL])


def same(found, expected, rounded=False):
    """Equal in both parts, signs of zeros among them; nan where nan is. rounded: other numbers nearly so."""
    assert found.dtype == expected.dtype
    for part in (np.real, np.imag):
        a, b = part(found), part(expected)
        np.testing.assert_allclose(a, b, rtol=1e-14 if rounded else 0, atol=1e-15 if rounded else 0)
        zero = (a == 0) & (b == 0)
        np.testing.assert_array_equal(np.signbit(a[zero]), np.signbit(b[zero]))


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", [n for n in HOLOMORPHIC if isinstance(HOLOMORPHIC[n][0], np.ufunc)] + [*OTHERS])
def test_special_values_of_functions(name, dtype):
    function = (HOLOMORPHIC | OTHERS)[name][0]
    z = GRID.astype(dtype)
    same(function(zen.tensor(z)).array, function(z))
    same(function(zen.tensor(np.stack([z, z], 1)[:, 0])).array, function(z))


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("function", [np.add, np.subtract, np.multiply, np.divide, np.power], ids=lambda f: f.__name__)
def test_special_values_of_two_operands(function, dtype):
    a, b = np.repeat(GRID, len(GRID)).astype(dtype), np.tile(GRID, len(GRID)).astype(dtype)
    same(function(zen.tensor(a), zen.tensor(b)).array, function(a, b))


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("number", [2.0, -1, 0, 1j, complex(0.0, -0.0), complex(np.inf, 0), complex(2, -0.0)])
def test_special_values_beside_a_number(number):
    for function in (np.add, np.subtract, np.multiply, np.divide):
        same(function(zen.tensor(GRID), number).array, function(GRID, number))
        same(function(number, zen.tensor(GRID)).array, function(number, GRID))


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_gradients_at_special_values_are_those_of_the_formulas_in_numpy():
    g = np.full(GRID.shape, 1 - 2j)
    a, b = np.repeat(GRID, len(GRID)), np.tile(GRID, len(GRID))
    h = np.full(a.shape, 1 - 2j)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for function, formula in (
            (np.exp, lambda g, z, y: g * y), (np.square, lambda g, z, y: g * 2 * z), (np.log, lambda g, z, y: g / z),
            (np.sqrt, lambda g, z, y: g * 0.5 / y), (np.reciprocal, lambda g, z, y: -g * y * y),
            (np.tanh, lambda g, z, y: g * (1 - y * y)), (np.conj, lambda g, z, y: np.conj(g)),
        ):  # fmt: skip
            t = zen.tensor(GRID, requires_grad=True)
            function(t).backward(np.conj(g))
            same(np.conj(t.grad.array), formula(g, GRID, function(GRID)), rounded=True)
        s, t = zen.tensor(a, requires_grad=True), zen.tensor(b, requires_grad=True)
        (s / t).backward(np.conj(h))
        same(np.conj(s.grad.array), h / b, rounded=True)
        same(np.conj(t.grad.array), -h * (a / b) / b, rounded=True)


def test_the_modulus_and_the_angle_at_zero():
    z = zen.tensor([0j, complex(-0.0, 0.0)], requires_grad=True)
    (np.abs(z) + np.angle(z)).backward(np.ones(2))
    np.testing.assert_array_equal(z.grad.array, [0, 0])


# What the engine does with gradients.


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(), (5,), (300, 300)], ids=str)
def test_gradients_add_up(shape, dtype):
    z = draw(shape, dtype)
    t = zen.tensor(z, requires_grad=True)
    for k in range(1, 4):
        y = np.exp(t) * t + np.exp(t) - t / 2
        y.backward(np.ones(shape, dtype))
        exact = np.exp(z) * (z + 2) - 0.5
        np.testing.assert_allclose(t.grad.array, k * np.conj(exact), **close(dtype))


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_chain_of_large_arrays(dtype):
    """From 65,536 elements on, nodes of one shape are run through together, block by block."""
    z, c = draw((70001,), dtype), draw((70001,), dtype, 3)
    t = zen.tensor(z, requires_grad=True)
    y = np.sin(t * c) / (2 + np.exp(t)) - t * 2j
    loss = np.real((np.conj(y) * y).sum())
    loss.backward()
    z, c = z.astype("complex128"), c.astype("complex128")
    e = np.exp(z)
    slope = c * np.cos(z * c) / (2 + e) - np.sin(z * c) * e / (2 + e) ** 2 - 2j
    expected = 2 * (np.sin(z * c) / (2 + e) - z * 2j) * np.conj(slope)
    np.testing.assert_allclose(t.grad.array, expected, **close(dtype))


def test_a_sum_over_broadcast_axes_of_a_constant_cotangent():
    z = zen.tensor([[1 + 1j], [2 - 1j]], requires_grad=True)
    (z + np.zeros((2, 50), complex)).sum().backward(np.asarray(1 + 2j))
    np.testing.assert_allclose(z.grad.array, np.full((2, 1), 50 * (1 + 2j)))


def test_numbers_take_part_at_every_order():
    z = 0.3 + 0.4j
    second = zen.grad(zen.grad(lambda z: (2 - 1j) * z**3 / 1j, holomorphic=True), holomorphic=True)
    assert second(z) == pytest.approx((2 - 1j) * 6 * z / 1j)
    assert zen.grad(lambda z: z * complex(2, -0.0) * 3 + 1, holomorphic=True)(z) == 6


def test_a_0d_value_that_was_saved_may_be_written_to():
    z = zen.tensor(1 + 2j, requires_grad=True)
    w = zen.tensor(3 - 1j)
    y = np.exp(z * 1) * w
    w += 5
    np.real(y).backward()
    assert z.grad.item() == pytest.approx(np.conj((3 - 1j) * np.exp(1 + 2j)))


def test_in_place():
    z, w = draw((4, 5)), draw((5,), seed=1)
    t = zen.tensor(z, requires_grad=True)
    y = t * 1
    y *= w
    y += 2j
    y /= t
    np.testing.assert_allclose(y.detach().array, (z * w + 2j) / z)
    y.backward(np.ones(y.shape, complex))
    np.testing.assert_allclose(t.grad.array, np.conj(-2j / z**2))


def test_an_array_of_the_user_that_is_overwritten():
    z, w = draw((40, 50)), draw((40, 50), seed=1)
    t, before = zen.tensor(z, requires_grad=True), w.copy()
    y = (t * w) / w
    w[:] = 0
    y.backward(np.ones(y.shape, complex))
    np.testing.assert_allclose(t.grad.array, np.ones(y.shape))
    assert not np.array_equal(before, w)


def test_precisions_promote():
    a, b = draw((3,), "complex64"), draw((3,), "complex128", 1)
    s, t = zen.tensor(a, requires_grad=True), zen.tensor(b, requires_grad=True)
    y = s * t
    assert y.dtype == "complex128"
    y.backward(np.ones(3, complex))
    assert s.grad.dtype == "complex64" and t.grad.dtype == "complex128"
    np.testing.assert_allclose(s.grad.array, np.conj(b), rtol=1e-6)
    np.testing.assert_allclose(t.grad.array, np.conj(a), rtol=1e-6)


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_real_operand_beside_complex_ones(dtype):
    real = np.zeros((), dtype).real.dtype
    r, z = RNG.uniform(0.5, 1.0, (3, 4)).astype(real), draw((4,), dtype)
    s, t = zen.tensor(r, requires_grad=True), zen.tensor(z, requires_grad=True)
    y = s * t * 2 + s / t
    assert y.dtype == dtype
    y.backward(np.full(y.shape, 1 - 2j, dtype))
    assert s.grad.dtype == real and t.grad.dtype == dtype
    w = 1 + 2j
    np.testing.assert_allclose(s.grad.array, np.real(w * (2 * z + 1 / z)) * np.ones((3, 1)), **close(dtype))
    np.testing.assert_allclose(t.grad.array, np.conj(w * (2 * r - r / z**2)).sum(0), **close(dtype))


def test_shapes_that_do_not_broadcast():
    with pytest.raises(ValueError, match=r"multiply: shapes \(2,\) and \(3,\) do not broadcast together"):
        zen.tensor([1j, 2]) * zen.tensor([1j, 2, 3])
