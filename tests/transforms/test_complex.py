"""Gradients by complex numbers as users see them: directions of steepest ascent, in every way to ask for one."""

import numpy as np
import pytest

import zen

Z = np.array([1 + 2j, -0.5 + 1j, 2 - 1j])
W = np.array([0.5 - 1j, 2 + 1j, 1j])


def loss(z):
    return (np.abs(z * W - 1) ** 2).sum()


ASCENT = 2 * np.conj(W) * (Z * W - 1)
"""The gradient of |w z - 1|^2 by z: the derivative by the real part, and i times that by the imaginary part."""


def test_every_way_to_a_gradient_gives_the_direction_of_ascent():
    z = zen.tensor(Z, requires_grad=True)
    loss(z).backward()
    np.testing.assert_allclose(z.grad.array, ASCENT)
    np.testing.assert_allclose(zen.grad(loss)(Z), ASCENT)
    np.testing.assert_allclose(zen.value_and_grad(loss)(Z)[1], ASCENT)
    np.testing.assert_allclose(zen.vjp(loss, Z)[1](np.array(1.0))[0], ASCENT)
    w = zen.tensor(Z, requires_grad=True)
    np.testing.assert_allclose(zen.gradients(loss(w), w).array, ASCENT)


def test_a_step_against_the_gradient_descends():
    z = Z
    before = loss(zen.tensor(z)).item()
    for _ in range(50):
        z = z - 0.05 * zen.grad(loss)(z)
    assert loss(zen.tensor(z)).item() < 1e-3 * before


def test_a_recorded_pass_gives_the_same_and_accumulates():
    z = zen.tensor(Z, requires_grad=True)
    loss(z).backward(create_graph=True)
    loss(z).backward()
    np.testing.assert_allclose(z.grad.array, 2 * ASCENT)


def test_a_cotangent_is_a_direction_as_well():
    # y = w z: the gradient of real(sum(conj(c) y)) by z is conj(w) c.
    c = np.array([1 + 1j, -2j, 0.5])
    z = zen.tensor(Z, requires_grad=True)
    (z * W).backward(c)
    np.testing.assert_allclose(z.grad.array, np.conj(W) * c)
    np.testing.assert_allclose(zen.vjp(lambda z: z * W, Z)[1](c)[0], np.conj(W) * c)
    w = zen.tensor(Z, requires_grad=True)
    np.testing.assert_allclose(zen.gradients(w * W, w, grad_outputs=c).array, np.conj(W) * c)


def test_hooks_and_intermediates_see_directions():
    z, seen = zen.tensor(Z, requires_grad=True), []
    y = z * W
    y.retain_grad()
    y.register_hook(lambda g: seen.append(g.array.copy()))
    (np.abs(y - 1) ** 2).sum().backward()
    np.testing.assert_allclose(seen[0], 2 * (Z * W - 1))
    np.testing.assert_allclose(y.grad.array, 2 * (Z * W - 1))


@pytest.mark.parametrize("create_graph", [False, True])
def test_what_a_hook_returns_is_a_direction(create_graph):
    z = zen.tensor(Z, requires_grad=True)
    y = z * W
    y.register_hook(lambda g: g * 2)
    (np.abs(y - 1) ** 2).sum().backward(create_graph=create_graph)
    np.testing.assert_allclose(z.grad.array, 2 * ASCENT)
    real = zen.tensor(1.0, requires_grad=True)
    real.register_hook(lambda g: g * 1j)
    with pytest.raises(TypeError, match="complex gradient for a Tensor of dtype float64"):
        (real * 2.0).backward()


def test_a_real_input_of_a_complex_computation():
    # |x e^(i)| = |x|; the real part of x e^(i a) has the derivative -x sin(a) by a.
    assert zen.grad(lambda a: (2.0 * np.exp(1j * a)).real)(0.3) == pytest.approx(-2 * np.sin(0.3))
    x = zen.tensor([1.0, -2.0], dtype=zen.float32, requires_grad=True)
    abs(x * (1 + 1j)).sum().backward()
    assert x.grad.dtype == np.float32
    np.testing.assert_allclose(x.grad.array, np.sqrt(2) * np.array([1, -1]), rtol=1e-6)


def test_second_order_through_both_forms():
    # The gradient of |z|^4 is 4 |z|^2 z; along v its change is 4 |z|^2 v + 8 real(conj(z) v) z.
    v = np.array([1j, 1.0, 1 - 1j])
    gradient = zen.grad(lambda z: (np.abs(z) ** 4).sum())
    change = zen.jvp(gradient, (Z,), (v,))[1]
    np.testing.assert_allclose(change, 4 * np.abs(Z) ** 2 * v + 8 * (np.conj(Z) * v).real * Z)
    products = zen.grad(lambda z: (np.conj(v) * gradient(z)).sum().real)(Z)
    np.testing.assert_allclose(products, change)  # the Hessian is symmetric


def test_forward_mode_pushes_tangents_as_they_are():
    y, dy = zen.jvp(np.exp, (Z,), (W,))
    np.testing.assert_allclose(dy, np.exp(Z) * W)
    y, dy = zen.jvp(np.abs, (Z,), (W,))
    assert dy.dtype == np.float64
    np.testing.assert_allclose(dy, (np.conj(Z) * W).real / np.abs(Z))


def test_a_custom_vjp_gets_and_gives_directions():
    @zen.custom_vjp
    def scaled(z):
        return z * (2 + 1j)

    scaled.defvjp(lambda g, out, z: g * np.conj(2 + 1j))
    found = zen.grad(lambda z: (np.abs(scaled(z) - 1) ** 2).sum())(Z)
    np.testing.assert_allclose(found, zen.grad(lambda z: (np.abs(z * (2 + 1j) - 1) ** 2).sum())(Z))
    second = zen.grad(lambda z: np.abs(zen.grad(lambda u: (np.abs(scaled(u)) ** 2).sum())(z)).sum())(Z)
    np.testing.assert_allclose(second, 10 * Z / np.abs(Z))  # the gradient of |(2+i) u|^2 is 10 u


def test_holomorphic_gives_the_complex_derivative():
    assert zen.grad(lambda z: z**3, holomorphic=True)(1 + 2j) == pytest.approx(3 * (1 + 2j) ** 2)
    value, slope = zen.value_and_grad(lambda z: 1 / z, holomorphic=True)(2j)
    assert (value, slope) == (pytest.approx(-0.5j), pytest.approx(0.25))


@pytest.mark.parametrize("dtype", [np.complex64, np.complex128, np.float16])
@pytest.mark.parametrize("n", [50, 100, 300])
def test_arrays_of_any_size(dtype, n):
    z = (np.arange(n * n).reshape(n, n) % 7 - 1j if np.dtype(dtype).kind == "c" else np.ones((n, n))).astype(dtype)
    found = [
        zen.grad(lambda z: (z * np.conj(z)).real.sum())(z),
        zen.vjp(lambda z: z * z.conj(), z)[1](np.ones_like(z))[0],
    ]
    for gradient in (*found, 2 * zen.jvp(lambda z: z + 0, (z,), (z,))[1]):
        assert gradient.dtype == dtype and gradient.shape == z.shape
    np.testing.assert_allclose(found[0], 2 * z, rtol=1e-3)
    np.testing.assert_allclose(found[1], 2 * z, rtol=1e-3)


def test_errors_name_the_dtype_and_the_remedy():
    z = zen.tensor(1 + 1j, requires_grad=True)
    with pytest.raises(
        RuntimeError, match=r"of dtype complex128, and a gradient is of a real number; take its real part"
    ):
        (z * 2).backward()
    with pytest.raises(TypeError, match=r"dtype complex128.*return its real part or abs\(\), or pass holomorphic=True"):
        zen.grad(lambda z: z * 2)(1j)
    with pytest.raises(RuntimeError, match="outputs is of dtype complex128"):
        zen.gradients(z * 2, z)
    with pytest.raises(TypeError, match="with holomorphic=True arguments and result are complex, but an argument is"):
        zen.grad(lambda z: z * 2j, holomorphic=True)(1.0)
    with pytest.raises(TypeError, match="the function returned a number of dtype float64"):
        zen.grad(lambda z: abs(z), holomorphic=True)(1j)
    x = zen.tensor(1.0, requires_grad=True)
    with pytest.raises(TypeError, match="backward: the gradient is complex, but this Tensor is of dtype float64"):
        (x * 2).backward(zen.tensor(1j))
    with pytest.raises(TypeError, match="complex, but the result is of dtype float64"):
        zen.vjp(lambda x: x * 2, 1.0)[1](1j)
    with pytest.raises(TypeError, match="jvp: .*complex, but tangent 0 is of dtype float64"):
        zen.jvp(lambda x: x * 2, (1.0,), (1j,))
    assert (z * 2).item() == 2 + 2j  # all are as they were
