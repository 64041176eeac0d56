"""In-place writes of complex numbers, and into Tensors of them."""

import numpy as np
import pytest

import zen

Z = np.array([1 + 1j, 2.0, 3j])


def test_numbers_of_any_kind_fit_into_complex_memory():
    t = zen.zeros(3, dtype=zen.complex64)
    t[0], t[1], t[2] = 5.0, 2, 1j
    t += zen.tensor([1.0, 0.0, 1.0])
    t *= 2j
    assert t.tolist() == [12j, 4j, -2 + 2j] and t.dtype == np.complex64


def test_the_gradient_flows_through_what_was_written():
    z, c = zen.tensor(Z, requires_grad=True), zen.tensor(0.5, requires_grad=True)
    y = z * 1
    y[0] = c
    y[1:] *= 2j
    (y * y.conj()).real.sum().backward()  # c ** 2 + 4 (|z1|^2 + |z2|^2)
    np.testing.assert_allclose(z.grad.array, [0, 8 * Z[1], 8 * Z[2]])
    assert c.grad.item() == 1.0 and c.grad.dtype == np.float64


@pytest.mark.parametrize(
    "write",
    [lambda x: x.__setitem__(0, 1j), lambda x: x.add_(1j), lambda x: x.__imul__(zen.tensor(1j)), lambda x: x.fill_(1j),
     lambda x: x.copy_(zen.tensor(Z)), lambda x: x.__setitem__(slice(None), Z)],
)  # fmt: skip
def test_complex_numbers_do_not_fit_into_real_memory(write):
    x = zen.zeros(3)
    with pytest.raises(TypeError, match="complex"):
        write(x)
    assert x.tolist() == [0.0, 0.0, 0.0]


def test_what_would_lose_a_part_says_so():
    with pytest.raises(TypeError, match="float32 cannot hold complex128; take the real part first"):
        zen.tensor(Z, dtype=zen.float32)
    with pytest.raises(TypeError, match=r"float\(\) of a Tensor of dtype complex128; take t.real"):
        float(zen.tensor(1j))
    with pytest.warns(np.exceptions.ComplexWarning, match="astype: the imaginary part is discarded"):
        assert zen.tensor(Z).astype(zen.float32).tolist() == [1.0, 2.0, 0.0]
    assert complex(zen.tensor(1j)) == 1j


def test_a_complex_python_number_in_place_is_no_new_tensor():
    t = same = zen.zeros(2, dtype=zen.complex128)
    t += 1j
    t *= 2j
    assert t is same and t.tolist() == [-2, -2]
    t = zen.zeros(2)
    with pytest.raises(TypeError, match="add_: a Tensor of dtype float64 cannot take the result with complex"):
        t += 1j
    with pytest.raises(TypeError, match="mul_: a Tensor of dtype float64 cannot take the result with complex"):
        t *= 1j
    assert t.tolist() == [0, 0]
