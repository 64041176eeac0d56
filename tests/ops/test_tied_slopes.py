"""Second derivatives where eigenvalues or singular values are equal, in every order of the modes.

The functions are products, of which no factor is a function of the matrix alone; what they must equal is made of matrix
products, which know nothing of eigenvalues.
"""

import numpy as np
import pytest

import zen
from zen import f

RNG = np.random.default_rng(4)


@pytest.fixture(autouse=True)
def _draws_again():
    RNG.bit_generator.state = np.random.default_rng(4).bit_generator.state


def drawn(*shape, complex_):
    return RNG.normal(size=shape) + (1j * RNG.normal(size=shape) if complex_ else 0)


def real_sum(x):
    return f.real(f.sum(x))


def turned(spectrum, complex_):
    q = np.linalg.qr(drawn(3, 3, complex_=complex_))[0]
    x = (q * np.array(spectrum)) @ q.conj().T
    return (x + x.conj().T) / 2


def similar(spectrum, complex_):
    v = np.eye(3) + 0.2 * drawn(3, 3, complex_=complex_)
    return v @ np.diag(spectrum) @ np.linalg.inv(v)


def rectangle(spectrum, complex_):
    u, v = (np.linalg.qr(drawn(n, 3, complex_=complex_))[0] for n in (4, 3))
    return (u * np.array(spectrum)) @ v.conj().T


def functions(kind, complex_):
    """(by vectors and values, by products): the product of two numbers and a cube."""
    shape = (4, 3) if kind == "svd" else (3, 3)
    c, d = drawn(*shape, complex_=complex_), drawn(*shape, complex_=complex_)

    def joined(a, b):
        return real_sum(a * c) * real_sum(b * d) + real_sum(a * d) ** 3

    def by_vectors(x):
        if kind == "svd":
            u, s, vh = zen.linalg.svd(x, full_matrices=False)
            return joined((u * s**3) @ vh, (u * s**5) @ vh)
        if kind == "eigh":
            w, v = zen.linalg.eigh((x + x.mH) / 2)
            return joined((v * w**2) @ v.mH, (v * w**3) @ v.mH)
        w, v = zen.linalg.eig(x)
        return joined((v * w**2) @ zen.linalg.inv(v), (v * w**3) @ zen.linalg.inv(v))

    def by_products(x):
        if kind == "svd":
            return joined(x @ x.mH @ x, x @ x.mH @ x @ x.mH @ x)
        x = (x + x.mH) / 2 if kind == "eigh" else x
        return joined(x @ x, x @ x @ x)

    return by_vectors, by_products


KINDS = {"eigh": turned, "eig": similar, "svd": rectangle}
CASES = [([1.0, 1.0, 2.0], False), ([1.0, 1.0, 1.0], True)]


@pytest.mark.parametrize(("spectrum", "complex_"), CASES, ids=str)
@pytest.mark.parametrize("kind", KINDS)
def test_products_of_functions_of_a_matrix_to_the_second_order(kind, spectrum, complex_):
    x = KINDS[kind](spectrum, complex_)
    d, e = drawn(*x.shape, complex_=complex_), drawn(*x.shape, complex_=complex_)

    def derivatives(g):
        def along(x):
            return zen.jvp(g, (x,), (d,))[1]

        yield zen.grad(g)(x)
        yield along(x)
        yield zen.grad(lambda x: real_sum(f.conj(zen.grad(g)(x)) * d))(x)
        yield zen.jvp(zen.grad(g), (x,), (d,))[1]
        yield zen.grad(along)(x)
        yield zen.jvp(along, (x,), (e,))[1]

    for found, expected in zip(*map(derivatives, functions(kind, complex_)), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9 * np.max(np.abs(expected), initial=1))


@pytest.mark.parametrize("gap", [1e-15, 1e-9, 1e-6, 1e-4])
@pytest.mark.parametrize("kind", KINDS)
def test_products_at_every_distance_of_values(kind, gap):
    x = KINDS[kind]([1.0, 1.0 + gap, 3.0], False)
    d = drawn(*x.shape, complex_=False)
    by_vectors, by_products = functions(kind, False)

    def derivatives(g):
        yield 1e-7, zen.grad(g)(x)
        yield 1e-7, zen.jvp(g, (x,), (d,))[1]
        yield 1e-4, zen.grad(lambda x: f.sum(zen.grad(g)(x) * d))(x)
        yield 1e-4, zen.jvp(zen.grad(g), (x,), (d,))[1]
        yield 1e-4, zen.grad(lambda x: zen.jvp(g, (x,), (d,))[1])(x)

    for (tolerance, found), (_, expected) in zip(*map(derivatives, (by_vectors, by_products)), strict=True):
        np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance * np.max(np.abs(expected)))


@pytest.mark.parametrize("kind", KINDS)
def test_third_derivatives_at_ties_raise_and_elsewhere_are_made(kind):
    d = drawn(*KINDS[kind]([1.0, 2.0, 3.0], False).shape, complex_=False)
    by_vectors, by_products = functions(kind, False)

    def reverse(g):
        return lambda x: f.sum(zen.grad(g)(x) * d)

    def forward(g):
        return lambda x: zen.jvp(g, (x,), (d,))[1]

    tied, apart = KINDS[kind]([1.0, 1.0, 2.0], False), KINDS[kind]([3.0, 1.0, 2.0], False)
    for a, b, c in (
        (reverse, reverse, reverse), (forward, reverse, reverse), (reverse, reverse, forward),
        (reverse, forward, reverse), (forward, forward, forward),
    ):  # fmt: skip
        with pytest.raises(np.linalg.LinAlgError, match=rf"{kind}: third derivatives where values are equal"):
            np.asarray(a(b(c(by_vectors)))(tied))
        found, expected = (np.asarray(a(b(c(g)))(apart)) for g in (by_vectors, by_products))
        np.testing.assert_allclose(found, expected, rtol=1e-7)


def test_one_decomposition_after_another():
    """What the first gives has ties, and what the second makes of it again; at the second order that is refused."""
    c = drawn(3, 3, complex_=False)

    def by_vectors(x):
        w, v = zen.linalg.eigh((x + x.mT) / 2)
        y = (v * w**2) @ v.mT
        u, s, vh = zen.linalg.svd(y)
        z = (u * s**3) @ vh
        return f.sum(z * c) * f.sum(y * c.T)

    def by_products(x):
        y = (x + x.mT) @ (x + x.mT) / 4
        return f.sum(y @ y.mT @ y * c) * f.sum(y * c.T)

    x, d = turned([1.0, 1.0, 2.0], False), drawn(3, 3, complex_=False)
    for order in (zen.grad, lambda g: lambda x: zen.jvp(g, (x,), (d,))[1]):
        np.testing.assert_allclose(order(by_vectors)(x), order(by_products)(x), rtol=1e-8, atol=1e-8)
    with pytest.raises(np.linalg.LinAlgError, match="svd: third derivatives .* second ones of one decomposition"):
        zen.jvp(zen.grad(by_vectors), (x,), (d,))


def test_second_derivatives_of_stacks():
    """A stack may hold ties in some of its matrices, and functions may join them."""
    x = np.stack([turned([*s], False) for s in ([1.0, 1.0, 2.0], [1.0, 2.0, 3.0])])
    c, d = drawn(2, 3, 3, complex_=False), drawn(2, 3, 3, complex_=False)

    def by_vectors(x):
        w, v = zen.linalg.eigh((x + x.mT) / 2)
        each = f.sum((v * f.expand_dims(w, -2) ** 3) @ v.mT * c, axis=(-2, -1))
        return each[0] * each[1] + each[0] ** 2

    def by_products(x):
        x = (x + x.mT) / 2
        each = f.sum(x @ x @ x * c, axis=(-2, -1))
        return each[0] * each[1] + each[0] ** 2

    for order in (
        zen.grad, lambda g: zen.grad(lambda x: f.sum(zen.grad(g)(x) * d)),
        lambda g: lambda x: zen.jvp(zen.grad(g), (x,), (d,))[1],
    ):  # fmt: skip
        found, expected = (order(g)(x) for g in (by_vectors, by_products))
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9 * np.max(np.abs(expected)))


def test_parameters_beside_a_matrix_with_ties():
    """Mixed derivatives, and a tangent that somebody may differentiate."""
    x, d = turned([1.0, 1.0, 2.0], False), drawn(3, 3, complex_=False)
    scale = zen.tensor(0.7, requires_grad=True)

    def by_vectors(x):
        w, v = zen.linalg.eigh((x + x.mT) / 2)
        return f.sum(((v * f.exp(scale * w)) @ v.mT) * d) ** 2

    def by_products(x):
        return f.sum(zen.linalg.expm(scale * (x + x.mT) / 2) * d) ** 2

    found = []
    for g in (by_vectors, by_products):
        tangent = zen.jvp(zen.grad(g), (x,), (d,))[1]
        found.append((tangent.array, zen.gradients(f.sum(zen.jvp(g, (x,), (d,))[1]), scale).array))
    np.testing.assert_allclose(found[0][0], found[1][0], rtol=1e-8)
    np.testing.assert_allclose(found[0][1], found[1][1], rtol=1e-8)


def test_phases_that_no_equation_determines_do_not_matter_in_forward_mode():
    """The first component of a vector is 0, so nothing says which phase it has."""
    x, d = np.diag([1.0 + 0j, 2.0, 3.0]), turned([1.0, -2.0, 0.5], True)
    expected = zen.jvp(lambda x: real_sum(x @ x @ x * d.T), (x,), (d,))[1]

    def by_vectors(x):
        w, v = zen.linalg.eigh((x + x.mH) / 2)
        return real_sum((v * w**3) @ v.mH * d.T)

    np.testing.assert_allclose(zen.jvp(by_vectors, (x,), (d,))[1], expected, rtol=1e-10)
