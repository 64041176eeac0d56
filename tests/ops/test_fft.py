"""Fourier transforms: values against NumPy and against sums of exponentials, derivatives against numerical ones."""

import numpy as np
import pytest

import zen
from zen.testing import check_gradients

REAL = ("rfft", "ihfft", "rfft2", "rfftn")
LINES = "fft ifft rfft irfft hfft ihfft".split()
PLANES = "fft2 ifft2 rfft2 irfft2".split()
FIELDS = "fftn ifftn rfftn irfftn".split()
NORMS = (None, "backward", "ortho", "forward")


def drawn(name, shape, dtype="complex128", seed=0):
    rng = np.random.default_rng(seed)
    real = rng.normal(size=shape)
    return (
        real.astype(np.empty(0, dtype).real.dtype)
        if name in REAL
        else (real + 1j * rng.normal(size=shape)).astype(dtype)
    )


def cases():
    for name in LINES:
        for n in (None, 1, 3, 4, 5, 9):
            yield name, (4,), {"n": n}
            yield name, (3, 5), {"n": n, "axis": 0}
        yield name, (2, 1, 2), {"axis": 0}
        yield name, (0, 3), {"axis": 1}
    for name in PLANES:
        yield name, (3, 4), {}
        yield name, (2, 3, 5), {"s": (4, 3)}
        yield name, (2, 3, 4), {"axes": (0, 1), "s": (3, -1)}
    for name in FIELDS:
        yield name, (2, 3, 4), {}
        yield name, (5,), {}
        yield name, (2, 3, 4), {"s": (2, 6), "axes": (2, 0)}
        yield name, (3, 4), {"axes": (1,)}
        yield name, (3, 4), {"axes": (0, 0), "s": (3, 3)}
        yield name, (3, 4), {"axes": (1, 0, 1)}


CASES = [
    pytest.param(name, shape, {**options, "norm": norm}, id=f"{name}-{shape}-{options}-{norm}")
    for k, (name, shape, options) in enumerate(cases())
    for norm in (NORMS if k % 5 == 0 else NORMS[k % 4 :][:1])
]


@pytest.mark.parametrize(("name", "shape", "options"), CASES)
def test_values_are_those_of_numpy(name, shape, options):
    for dtype, tolerance in (("complex128", 1e-14), ("complex64", 1e-6)):
        x = drawn(name, shape, dtype)
        expected = getattr(np.fft, name)(x, **options)
        for made in (getattr(zen.fft, name)(zen.tensor(x), **options), getattr(np.fft, name)(zen.tensor(x), **options)):
            assert type(made) is zen.Tensor and made.dtype == expected.dtype and made.shape == expected.shape
            np.testing.assert_allclose(made.value, expected, rtol=tolerance, atol=tolerance)
        assert type(getattr(zen.fft, name)(x, **options)) is zen.Tensor


@pytest.mark.parametrize(("name", "shape", "options"), CASES)
def test_derivatives_of_order_1_and_2_in_both_modes(name, shape, options):
    x = drawn(name, shape)
    check_gradients(lambda x: getattr(zen.fft, name)(x, **options), [x], order=2, rtol=1e-6, atol=1e-6)
    if name not in REAL:
        check_gradients(lambda x: getattr(zen.fft, name)(x, **options), [x.real.copy()], order=2, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("n", [1, 2, 5, 6])
def test_a_transform_is_a_sum_of_exponentials(n):
    turns = np.exp(-2j * np.pi * np.outer(np.arange(n), np.arange(n)) / n)
    z, x = drawn("fft", n), drawn("rfft", n)
    np.testing.assert_allclose(zen.fft.fft(z).value, turns @ z, atol=1e-13)
    np.testing.assert_allclose(zen.fft.ifft(z).value, turns.conj() @ z / n, atol=1e-13)
    np.testing.assert_allclose(zen.fft.rfft(x).value, (turns @ x)[: n // 2 + 1], atol=1e-13)
    np.testing.assert_allclose(zen.fft.irfft(zen.fft.rfft(x), n).value, x, atol=1e-13)
    np.testing.assert_allclose(zen.fft.ihfft(x).value, (turns.conj() @ x)[: n // 2 + 1] / n, atol=1e-13)
    np.testing.assert_allclose(zen.fft.hfft(zen.fft.ihfft(x), n).value, x, atol=1e-13)


@pytest.mark.parametrize("n", [1, 2, 5, 6])
def test_gradients_of_real_losses_are_rows_of_the_transform(n):
    """Of a real loss that is the sum of real parts times weights: the weights times the transform's matrix."""
    turns = np.exp(-2j * np.pi * np.outer(np.arange(n), np.arange(n)) / n)
    c = drawn("fft", n, seed=1)
    x, z = zen.tensor(drawn("rfft", n), requires_grad=True), zen.tensor(drawn("fft", n), requires_grad=True)
    (zen.fft.fft(x) * c).real.sum().backward()
    np.testing.assert_allclose(x.grad.value, (turns @ c).real, atol=1e-13)
    (zen.fft.fft(z) * c).real.sum().backward()
    np.testing.assert_allclose(z.grad.value, (turns @ c).conj(), atol=1e-13)
    x.grad = None
    half = n // 2 + 1
    (zen.fft.rfft(x) * c[:half]).real.sum().backward()
    np.testing.assert_allclose(x.grad.value, (turns[:, :half] @ c[:half]).real, atol=1e-13)


def test_energy_is_the_same_on_both_sides():
    """The derivative of sum |fft(x)| ** 2 is 2 n x, and of the unitary transform 2 x."""
    z = zen.tensor(drawn("fft", (3, 4)), requires_grad=True)
    for norm, factor in (("ortho", 1), ("backward", 12), ("forward", 1 / 12)):
        z.grad = None
        (abs(zen.fft.fftn(z, norm=norm)) ** 2).sum().backward()
        np.testing.assert_allclose(z.grad.value, 2 * factor * z.value, atol=1e-12)


def test_a_product_of_transforms_is_a_convolution():
    a, b = np.array([1.0, 2.0, -1.0]), np.array([0.5, 0.25])
    for inverse, forward in ((zen.fft.irfft, zen.fft.rfft), (lambda y, n: zen.fft.ifft(y, n).real, zen.fft.fft)):
        x = zen.tensor(a, requires_grad=True)
        made = inverse(forward(x, 4) * forward(b, 4), 4)
        np.testing.assert_allclose(made.value, np.convolve(a, b), atol=1e-14)
        (made * np.arange(4.0)).sum().backward()
        np.testing.assert_allclose(x.grad.value, np.correlate(np.arange(4.0), b, "valid"), atol=1e-14)


@pytest.mark.parametrize("dtype", ["float16", "float32", "int32", "bool", "uint8"])
def test_dtypes_are_those_of_numpy(dtype):
    x = np.ones((3, 4), dtype)
    for name in (*LINES, *PLANES, *FIELDS):
        expected = getattr(np.fft, name)(x)
        assert getattr(zen.fft, name)(zen.tensor(x)).dtype == expected.dtype, name
    t = zen.tensor(np.ones(4, "float32"), requires_grad=True)
    abs(zen.fft.rfft(t)).sum().backward()
    assert t.grad.dtype == np.float32


def test_an_irfft_ignores_what_real_numbers_cannot_have():
    z = zen.tensor(drawn("fft", 3), requires_grad=True)
    zen.fft.irfft(z).sum().backward()
    assert z.grad.value[0] == 1 and z.grad.value.imag[[0, 2]].tolist() == [0, 0]
    changed = z.value + np.array([3j, 0, -2j])
    np.testing.assert_array_equal(zen.fft.irfft(changed).value, zen.fft.irfft(z).value)


def test_forward_mode_is_the_transform_of_the_tangent():
    for name in (*LINES, *PLANES, *FIELDS):
        x, v = drawn(name, (3, 4)), drawn(name, (3, 4), seed=1)
        value, tangent = zen.jvp(getattr(zen.fft, name), (x,), (v,))
        np.testing.assert_allclose(np.asarray(value), getattr(np.fft, name)(x), atol=1e-13)
        np.testing.assert_allclose(np.asarray(tangent), getattr(np.fft, name)(v), atol=1e-13)


def test_frequencies():
    for n in (1, 2, 5, 8):
        for d in (1.0, 0.1, np.float32(0.5), 2):
            for name in ("fftfreq", "rfftfreq"):
                made = getattr(zen.fft, name)(n, d)
                np.testing.assert_array_equal(made.value, getattr(np.fft, name)(n, d))
                assert made.dtype == np.float64 and not made.requires_grad
    assert zen.fft.fftfreq(4, dtype=zen.float32).dtype == np.float32 and zen.fft.rfftfreq(4, device="cpu").size == 3
    check_gradients(lambda d: zen.fft.fftfreq(5, d), [np.array(0.5)], order=2)
    check_gradients(lambda d: zen.fft.rfftfreq(4, d), [np.array(0.5)], order=2)


def test_shifts_are_those_of_numpy_and_undo_each_other():
    for shape, axes in (((5,), None), ((4, 5), None), ((4, 5), 1), ((2, 3, 4), (0, -1)), ((0, 3), None)):
        x = drawn("rfft", shape)
        for name in ("fftshift", "ifftshift"):
            expected = getattr(np.fft, name)(x, axes)
            np.testing.assert_array_equal(getattr(zen.fft, name)(x, axes).value, expected)
            np.testing.assert_array_equal(getattr(np.fft, name)(zen.tensor(x), axes).value, expected)
        np.testing.assert_array_equal(zen.fft.ifftshift(zen.fft.fftshift(x, axes), axes).value, x)
    assert zen.fft.fftshift(1.0).item() == 1 == zen.fft.ifftshift(zen.tensor(1.0), ()).item()
    check_gradients(lambda x: zen.fft.fftshift(x), [drawn("fft", (2, 3))], order=2)


def test_results_are_written_where_out_says():
    x = zen.tensor(drawn("rfft", 4), requires_grad=True)
    out = zen.zeros(4, zen.complex128)
    assert zen.fft.fft(x, out=out) is out and np.array_equal(out.value, np.fft.fft(x.value))
    (abs(out) ** 2).sum().backward()
    np.testing.assert_allclose(x.grad.value, 8 * x.value)
    array = np.zeros(3, complex)
    assert zen.fft.rfft(x.detach(), out=array) is array and np.array_equal(array, np.fft.rfft(x.value))
    for name in (*LINES, *PLANES, *FIELDS):
        given = drawn(name, (3, 4))
        expected = getattr(np.fft, name)(given)
        out = zen.zeros(expected.shape, expected.dtype)
        assert getattr(np.fft, name)(zen.tensor(given), out=out) is out
        np.testing.assert_allclose(out.value, expected, atol=1e-14)
    with pytest.raises(TypeError, match=r"fft: an ndarray as out would lose the gradient"):
        zen.fft.fft(x, out=np.zeros(4, complex))
    with pytest.raises(ValueError, match=r"fft: out of shape \(3,\) and dtype complex128 does not take .* \(4,\)"):
        zen.fft.fft(x, out=zen.zeros(3, zen.complex128))
    with pytest.raises(ValueError, match=r"fft: out of shape \(4,\) and dtype float64 does not take"):
        zen.fft.fft(x, out=zen.zeros(4))
    with pytest.raises(TypeError, match="fft: out must be a Tensor or an ndarray, not list"):
        zen.fft.fft(x, out=[0])


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (
            lambda x: zen.fft.fft(zen.zeros(0)),
            ValueError,
            r"fft: axis 0 of shape \(0,\) has length 0; give a length of",
        ),
        (lambda x: zen.fft.fft(x, 0), ValueError, r"fft: axis 1 of shape \(3, 4\) would get length 0"),
        (lambda x: zen.fft.rfft(x, -2), ValueError, r"rfft: axis 1 of shape \(3, 4\) would get length -2"),
        (lambda x: zen.fft.fft(x, 2.5), TypeError, r"fft: n must be an int, not 2\.5"),
        (lambda x: zen.fft.fft(x, axis=2), IndexError, r"fft: axis 2 is out of range for shape \(3, 4\)"),
        (lambda x: zen.fft.fft(zen.tensor(1.0)), IndexError, "fft: axis -1 is out of range for shape"),
        (
            lambda x: zen.fft.fft(x, norm="x"),
            ValueError,
            'fft: norm must be "backward", "ortho" or "forward", not \'x\'',
        ),
        (lambda x: zen.fft.fftn(x, (2,), (0, 1)), ValueError, "fftn: s has 1 lengths for 2 axes; give one for each"),
        (lambda x: zen.fft.fftn(x, (2, 2, 2)), ValueError, r"fftn: s has 3 lengths for the 2 axes of shape \(3, 4\)"),
        (lambda x: zen.fft.fftn(x, (2, "a")), TypeError, "fftn: s must be an int, not 'a'"),
        (lambda x: zen.fft.fft2(zen.zeros(3)), IndexError, r"fft2: axis -2 is out of range for shape \(3,\)"),
        (
            lambda x: zen.fft.rfft(x + 0j),
            TypeError,
            r"rfft: takes real numbers, not complex128; pass x.real, or take fft",
        ),
        (lambda x: zen.fft.rfftn(x + 0j), TypeError, r"rfftn: takes real numbers, .* or take fftn of all of it"),
        (lambda x: zen.fft.rfftn(x, axes=()), ValueError, "rfftn: there is no axis to transform over"),
        (lambda x: zen.fft.irfftn(x, axes=()), ValueError, "irfftn: there is no axis to transform over"),
        (
            lambda x: zen.fft.irfft(zen.zeros(1)),
            ValueError,
            r"irfft: axis 0 of shape \(1,\) would become one of length 0",
        ),
        (lambda x: zen.fft.hfft(x, 0), ValueError, r"hfft: axis 1 of shape \(3, 4\) would become one of length 0"),
        (lambda x: zen.fft.fftshift(x, 2), IndexError, "fftshift: axis 2 is out of range"),
        (lambda x: zen.fft.fftfreq(2.5), TypeError, r"fftfreq: n must be an int, not 2\.5"),
        (lambda x: zen.fft.rfftfreq(0), ValueError, "rfftfreq: n must be at least 1, not 0"),
        (lambda x: zen.fft.fftfreq(4, device="gpu"), ValueError, "fftfreq: there is no device 'gpu'"),
        (
            lambda x: zen.fft.fftfreqs(x),
            AttributeError,
            "module 'zen.fft' has no attribute 'fftfreqs'; did you mean 'fftfreq'",
        ),
        (lambda x: zen.fft.fft("abc"), TypeError, "fft: cannot take str as an array"),
    ],
)
def test_bad_arguments(call, kind, message):
    with pytest.raises(kind, match=message):
        call(zen.ones((3, 4)))


def test_lengths_and_axes_in_any_form():
    x = drawn("fft", (3, 4))
    expected = np.fft.fftn(x, (5, 4), (1, 0))
    for s in ((5, 4), [5, 4], np.array([5, 4]), zen.tensor([5, 4])):
        for axes in ((1, 0), [1, 0], np.array([1, 0]), zen.tensor([1, 0])):
            np.testing.assert_allclose(zen.fft.fftn(x, s, axes).value, expected, atol=1e-13)
    np.testing.assert_allclose(zen.fft.fftn(x, 6, 1).value, np.fft.fft(x, 6, 1), atol=1e-13)
    np.testing.assert_allclose(zen.fft.fft(x, zen.tensor(6), np.int64(0)).value, np.fft.fft(x, 6, 0), atol=1e-13)
    np.testing.assert_allclose(zen.fft.irfftn(x, (3, None)).value, np.fft.irfftn(x, (3, 6), (0, 1)), atol=1e-13)
    with pytest.raises(ValueError, match="fftfreq: shape .* takes more bytes than can be addressed"):
        zen.fft.fftfreq(2**62)


def test_the_argument_of_another_library_names_that_of_zen():
    for name in (*LINES, *PLANES, *FIELDS, "fftshift", "ifftshift"):
        own = "axis" if name in LINES else "axes"
        with pytest.raises(TypeError, match=f"^{name}: there is no argument 'dim'; write {own}=$"):
            getattr(zen.fft, name)(zen.ones((2, 2)), dim=0)


def test_a_transform_over_no_axis_changes_nothing():
    x = zen.tensor([[1.0, 2.0]], requires_grad=True)
    assert zen.fft.fftn(x, axes=()).tolist() == [[1.0, 2.0]] and zen.fft.fftn(3.0).item() == 3.0
    zen.fft.fftn(x, axes=()).sum().backward()
    assert x.grad.tolist() == [[1.0, 1.0]]


def test_infinite_and_nan_values_go_where_numpy_lets_them():
    for value in (np.inf, np.nan):
        x = np.array([1.0, value, 2.0, 3.0])
        with np.errstate(all="ignore"):
            for name in ("fft", "ifft", "rfft", "irfft", "hfft", "ihfft"):
                np.testing.assert_array_equal(getattr(zen.fft, name)(x).value, getattr(np.fft, name)(x))
