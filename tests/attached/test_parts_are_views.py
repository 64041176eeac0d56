"""`z.real` and `z.imag` are views of z, as in NumPy: what is written to them is in z, and is differentiated."""

import numpy as np
import pytest

import zen
from zen import f

RNG = np.random.default_rng(5)
Z, V = RNG.normal(size=(3, 4)) + 1j * RNG.normal(size=(3, 4)), RNG.normal(size=(3, 4))
W = RNG.normal(size=(3, 4)) + 1j * RNG.normal(size=(3, 4))


def assign_real(z, v):
    z.real = v


def assign_imag_of_a_part(z, v):
    z[1:].imag = v[0]


def write_real(z, v):
    z.real[1, ::2] = v[0, ::2]


def write_imag_of_a_turned_view(z, v):
    part = z.T.imag[::-1]
    part[...] = v.T


def add_to_real(z, v):
    z.real += v


def multiply_imag(z, v):
    z.imag[0] *= v[1]


def write_behind_a_view(z, v):
    part = z.imag
    z[0] = v[0] * (2 + 1j)
    z[2] = part[0] * z[1]


def swap_parts(z, v):
    kept = z.real.copy() if isinstance(z, np.ndarray) else z.real.clone()
    z.real = z.imag * v
    z.imag = kept


WRITES = [
    assign_real, assign_imag_of_a_part, write_real, write_imag_of_a_turned_view, add_to_real, multiply_imag,
    write_behind_a_view, swap_parts,
]  # fmt: skip


def loss(write, z, v):
    """A loss of what is in z afterwards, for arrays and for Tensors alike."""
    z = z * (1 + 0.5j)
    write(z, v)
    return ((z * z * W).real + z.imag**3).sum()


@pytest.mark.parametrize("write", WRITES)
def test_writes_are_those_of_numpy_and_have_their_derivatives(write):
    z, v = zen.tensor(Z, requires_grad=True), zen.tensor(V, requires_grad=True)
    found = loss(write, z, v)
    np.testing.assert_allclose(found.item(), loss(write, Z, V), rtol=1e-13)
    found.backward()
    h, k = RNG.normal(size=Z.shape) + 1j * RNG.normal(size=Z.shape), RNG.normal(size=V.shape)
    slope = (loss(write, Z + 1e-6 * h, V + 1e-6 * k) - loss(write, Z - 1e-6 * h, V - 1e-6 * k)) / 2e-6
    along = np.sum(np.conj(z.gradient) * h).real + np.sum(v.gradient * k)
    np.testing.assert_allclose(along, slope, rtol=1e-6)
    tangent = zen.jvp(lambda z, v: loss(write, z, v), (Z, V), (h, k))[1]
    np.testing.assert_allclose(tangent, slope, rtol=1e-6)

    def first(z, v):
        a, b = zen.grad(lambda z, v: loss(write, z, v), argnums=(0, 1))(z, v)
        return (f.conj(a) * h).real.sum() + (b * k).sum()

    second = zen.grad(first, argnums=(0, 1))(Z, V)
    bend = (first(Z + 1e-5 * h, V + 1e-5 * k) - first(Z - 1e-5 * h, V - 1e-5 * k)) / 2e-5
    np.testing.assert_allclose(np.sum(np.conj(second[0]) * h).real + np.sum(second[1] * k), bend, rtol=1e-6)


@pytest.mark.parametrize("dtype", [np.complex64, np.complex128])
@pytest.mark.parametrize("index", [(), (0,), (slice(None), 1), (Ellipsis, slice(None, None, -2))])
def test_parts_share_memory(dtype, index):
    array = Z.astype(dtype)
    t = zen.tensor(array)
    for part in ("real", "imag"):
        mine, theirs = getattr(t[index], part), getattr(array[index], part)
        assert mine.dtype == theirs.dtype
        np.testing.assert_array_equal(mine.array, theirs)
        mine[...] = 7
        theirs[...] = 7
        np.testing.assert_array_equal(t.array, array)
        assert np.shares_memory(f.real(t)._array, t._array) and np.shares_memory(np.imag(t)._array, t._array)


def test_a_part_that_was_used_before_a_write_keeps_its_derivative_or_raises():
    z = zen.tensor(Z, requires_grad=True) * 1
    square = (z.real * z.real).sum()
    z[0] = 3.0
    square.backward()  # no view is alive: the write went elsewhere
    z = zen.tensor(Z, requires_grad=True) * 1
    part = z.real
    square = (part * part).sum()
    z[0] = 3.0
    np.testing.assert_array_equal(part.array[0], 3)
    with pytest.raises(RuntimeError, match="overwritten|changed|in place"):
        square.backward()


def test_parts_of_real_tensors():
    t = zen.tensor(V.copy())
    t.real = 2.0
    np.testing.assert_array_equal(t.array, np.full(V.shape, 2.0))
    t.real[0] = 3.0
    assert t.array[0, 0] == 3
    np.testing.assert_array_equal(t.imag.array, np.zeros(V.shape))
    with pytest.raises(ValueError, match="setitem: the memory of this Tensor is read-only"):
        t.imag[0] = 1.0
    with pytest.raises(TypeError, match="imag: a Tensor of dtype float64 has no imaginary part to set"):
        t.imag = 1.0
    x = zen.tensor(V, requires_grad=True)
    (f.real(x) ** 2 + f.imag(x)).sum().backward()
    np.testing.assert_allclose(x.gradient, 2 * V)


def test_what_does_not_fit_into_a_part():
    z = zen.tensor(Z)
    for value, error, words in (
        (1j, TypeError, "setitem: a value of dtype .*complex.* does not fit into a Tensor of dtype float64"),
        (np.ones(3), ValueError, r"setitem: a value of shape \(3,\) does not fit"),
    ):
        for part in ("real", "imag"):
            with pytest.raises(error, match=words):
                setattr(z, part, value)
    leaf = zen.tensor(Z, requires_grad=True)
    with pytest.raises(RuntimeError, match="setitem: a view of a leaf that requires a gradient"):
        leaf.real = 1.0
    with zen.no_grad():
        leaf.real = 1.0
    np.testing.assert_array_equal(leaf.detach().array.real, np.ones(Z.shape))
