"""Eigenvalues and eigenvectors of symmetric matrices: values against NumPy, derivatives also where they are equal.

Expected derivatives of functions of a matrix come from the identity that defines them, or from numerical
differentiation of NumPy's result, which does not depend on the choice of eigenvectors.
"""

import gc
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from numerical import numerical

import zen
from zen import backend, f
from zen.testing import check_gradients

SPECTRA = {
    "different": [1.0, 2.0, 4.0], "two equal": [1.0, 1.0, 2.0], "all equal": [1.0, 1.0, 1.0],
    "two zeros": [0.0, 0.0, 1.0], "zeros": [0.0, 0.0, 0.0], "opposite": [-1.0, -1.0, 1.0],
    "nearly equal": [1.0, 1.0 + 1e-14, 2.0],
}  # fmt: skip
W = np.random.default_rng(1).normal(size=(3, 3))


def matrix(spectrum, seed=0, turned=True):
    rng = np.random.default_rng(seed)
    q = np.linalg.qr(rng.normal(size=(3, 3)))[0] if turned else np.eye(3)
    return symmetric((q * np.array(spectrum)) @ q.T)


def hermitian(spectrum, seed=0):
    rng = np.random.default_rng(seed)
    q = np.linalg.qr(rng.normal(size=(3, 3)) + 1j * rng.normal(size=(3, 3)))[0]
    x = (q * np.array(spectrum)) @ q.conj().T
    return (x + x.conj().T) / 2


def symmetric(x):
    return (x + x.mT) / 2


def test_values_are_those_of_numpy():
    rng = np.random.default_rng(0)
    for shape in [(3, 3), (2, 3, 3), (1, 1), (0, 0), (0, 2, 2), (2, 0, 0)]:
        for dtype in (np.float32, np.float64, np.complex64, np.complex128, np.int64):
            x = (3 * rng.normal(size=shape)).astype(dtype)
            x = x + (1j * rng.normal(size=shape)).astype(dtype) if x.dtype.kind == "c" else x
            for triangle in ("L", "U", "l"):
                expected = np.linalg.eigh(x, triangle)
                for found in (zen.linalg.eigh(x, triangle), np.linalg.eigh(zen.tensor(x), UPLO=triangle)):
                    assert type(found).__name__ == "EighResult"
                    tolerance = 1e-4 if dtype in (np.float32, np.complex64) else 1e-12
                    for a, b in zip(found, expected, strict=True):
                        assert a.dtype == b.dtype and a.shape == b.shape
                    np.testing.assert_allclose(found.eigenvalues.array, expected.eigenvalues, atol=tolerance)
                    v = found.eigenvectors.array
                    whole = (v * found.eigenvalues.array[..., None, :]) @ v.conj().mT
                    v = expected.eigenvectors
                    again = (v * expected.eigenvalues[..., None, :]) @ v.conj().mT
                    np.testing.assert_allclose(whole, again, atol=tolerance)
                only = zen.linalg.eigvalsh(x, triangle)
                assert only.dtype == expected.eigenvalues.dtype
                np.testing.assert_allclose(only.array, expected.eigenvalues, atol=tolerance)


@pytest.mark.parametrize("triangle", ["L", "U"])
@pytest.mark.parametrize("complex_", [False, True])
def test_of_a_matrix_that_is_not_symmetric_one_triangle_is_read_and_has_the_gradient(triangle, complex_):
    rng = np.random.default_rng(2)
    x = rng.normal(size=(3, 3)) + (1j * rng.normal(size=(3, 3)) if complex_ else 0)

    def function(x):
        return f.sum(f.sin(zen.linalg.eigvalsh(x, triangle)))

    found = zen.grad(function)(x)
    assert np.all((np.triu(found, 1) if triangle == "L" else np.tril(found, -1)) == 0)

    def value(x):
        return np.sin(np.linalg.eigvalsh(x, triangle)).sum()

    expected = numerical(value, x)
    np.testing.assert_allclose(found, expected, atol=1e-8)


def test_the_gradient_at_a_symmetric_matrix_is_symmetric():
    x = zen.tensor(matrix([1.0, 2.0, 4.0]), requires_grad=True)
    (zen.linalg.eigh(x).eigenvectors ** 2 * W).sum().backward()
    np.testing.assert_allclose(x.gradient, x.gradient.T, atol=1e-12)


@pytest.mark.parametrize("spectrum", SPECTRA)
@pytest.mark.parametrize("turned", [True, False])
def test_functions_of_a_matrix_have_their_gradient_whatever_is_equal(spectrum, turned):
    """V exp(w) V^T, weighted: in backward(), grad and jvp."""
    x = matrix(SPECTRA[spectrum], turned=turned)

    def function(x):
        w, v = zen.linalg.eigh(symmetric(x))
        return f.sum((v * f.exp(w)) @ v.mT * W)

    def by_numpy(x):
        w, v = np.linalg.eigh(symmetric(x))
        return np.sum((v * np.exp(w)) @ v.T * W)

    expected = numerical(by_numpy, x)
    leaf = zen.tensor(x, requires_grad=True)
    function(leaf).backward()
    np.testing.assert_allclose(leaf.gradient, expected, atol=1e-8)
    np.testing.assert_allclose(zen.grad(function)(x), expected, atol=1e-8)
    direction = np.random.default_rng(3).normal(size=(3, 3))
    np.testing.assert_allclose(zen.jvp(function, (x,), (direction,))[1], np.sum(expected * direction), atol=1e-7)


@pytest.mark.parametrize("spectrum", SPECTRA)
def test_second_derivatives_of_functions_of_a_matrix(spectrum):
    """<W, X^3> has the gradient X X W + X W X + W X X, for a symmetric W; its derivative along D is known as well."""
    x, w3, d = matrix(SPECTRA[spectrum]), symmetric(W), symmetric(W.T @ W)

    def function(x):
        w, v = zen.linalg.eigh(symmetric(x))
        return f.sum((v * w**3) @ v.mT * w3)

    first = x @ x @ w3 + x @ w3 @ x + w3 @ x @ x
    second = d @ x @ w3 + x @ d @ w3 + d @ w3 @ x + x @ w3 @ d + w3 @ d @ x + w3 @ x @ d
    np.testing.assert_allclose(zen.grad(function)(x), first, atol=1e-11)
    along = zen.grad(lambda x: f.sum(zen.grad(function)(x) * d))(zen.tensor(x)).array
    np.testing.assert_allclose(along, second, atol=1e-9)
    tangent = zen.jvp(zen.grad(function), (x,), (d,))[1]
    np.testing.assert_allclose(tangent, second, atol=1e-9)


@pytest.mark.parametrize("spectrum", SPECTRA)
def test_sums_over_eigenvalues_to_the_second_order(spectrum):
    """sum(w^3) is the trace of X^3."""
    x, d = matrix(SPECTRA[spectrum]), symmetric(W)

    def function(x):
        return f.sum(zen.linalg.eigvalsh(symmetric(x)) ** 3)

    np.testing.assert_allclose(zen.grad(function)(x), 3 * x @ x, atol=1e-11)
    along = zen.grad(lambda x: f.sum(zen.grad(function)(x) * d))(zen.tensor(x)).array
    np.testing.assert_allclose(along, 3 * (x @ d + d @ x), atol=1e-10)
    np.testing.assert_allclose(zen.jvp(function, (x,), (d,))[1], np.sum(3 * x @ x * d), atol=1e-10)
    np.testing.assert_allclose(zen.jvp(zen.grad(function), (x,), (d,))[1], 3 * (x @ d + d @ x), atol=1e-10)


@pytest.mark.parametrize("gap", 10.0 ** -np.arange(1, 17, 1.5))
def test_derivatives_are_exact_at_every_distance_of_eigenvalues(gap):
    """V w^3 V^T is X^3; where both are divided by a small gap, rounding must not be."""
    x, w3, d = matrix([1.0, 1.0 + gap, 2.0]), symmetric(W), symmetric(W.T @ W)

    def function(x):
        w, v = zen.linalg.eigh(symmetric(x))
        return f.sum((v * w**3) @ v.mT * w3)

    first = x @ x @ w3 + x @ w3 @ x + w3 @ x @ x
    second = d @ x @ w3 + x @ d @ w3 + d @ w3 @ x + x @ w3 @ d + w3 @ d @ x + w3 @ x @ d
    np.testing.assert_allclose(zen.grad(function)(x), first, atol=1e-9)
    along = zen.grad(lambda x: f.sum(zen.grad(function)(x) * d))(zen.tensor(x)).array
    np.testing.assert_allclose(along, second, atol=1e-3)


@pytest.mark.parametrize("gap", [1e-3, 1e-6, 1e-9])
def test_a_single_eigenvector_close_to_another_has_its_large_gradient(gap):
    """The first eigenvector of diag(1, 1 + gap, 2) turns to the second by change / gap."""
    x = zen.tensor(np.diag([1.0, 1.0 + gap, 2.0]), requires_grad=True)
    v = zen.linalg.eigh(x).eigenvectors
    (v[1, 0] * np.sign(v.array[0, 0])).backward()
    np.testing.assert_allclose(x.gradient[0, 1] + x.gradient[1, 0], -1 / gap, rtol=1e-6)


@pytest.mark.parametrize("spectrum", [[1.0, 1.0, 2.0], [1.0, 1.0, 1.0], [1.0, 2.0, 4.0]])
def test_complex_functions_of_a_matrix(spectrum):
    x = hermitian(spectrum)
    weights = W + 1j * W.T[::-1]

    def function(x):
        w, v = zen.linalg.eigh((x + x.mH) / 2)
        return f.real(f.sum((v * f.exp(w)) @ v.mH * weights))

    def by_numpy(x):
        w, v = np.linalg.eigh((x + x.conj().T) / 2)
        return np.sum((v * np.exp(w)) @ v.conj().T * weights).real

    np.testing.assert_allclose(zen.grad(function)(x), numerical(by_numpy, x), atol=1e-8)


def test_a_projector_onto_a_space_of_equal_eigenvalues():
    x, d = np.diag([1.0, 1.0, 3.0]), symmetric(W)
    function = lambda x: f.sum(f.matmul(zen.linalg.eigh(x)[1][:, :2], zen.linalg.eigh(x)[1][:, :2].mT) * d)  # noqa: E731
    expected = np.zeros((3, 3))
    expected[:2, 2] = d[:2, 2] / (1 - 3)  # the projector changes by (d_ik / (w_i - w_k)) between the spaces
    np.testing.assert_allclose(zen.grad(function)(x), expected + expected.T, atol=1e-12)


def test_one_element_of_a_logarithm_at_the_identity():
    """log(1 + d) is d to the first order, though every cotangent of the one element is zero."""

    def function(x):
        w, v = zen.linalg.eigh(x)
        return ((v * f.log(w)) @ v.mT)[0, 1]

    np.testing.assert_allclose(zen.grad(function)(np.eye(2)), [[0, 0.5], [0.5, 0]], atol=1e-14)


def test_every_way_to_ask_for_a_gradient_knows_of_ties():
    def square(x):
        w, v = zen.linalg.eigh(x)
        return (v * w**2) @ v.mT

    s = symmetric(W)
    _, pull = zen.vjp(square, np.eye(3))
    for weights in (s, np.eye(3)):
        np.testing.assert_allclose(pull(weights)[0], 2 * weights, atol=1e-12)
    x = zen.tensor(np.eye(3), requires_grad=True)
    y = f.sum(square(x) * s)
    y.backward(retain_graph=True)
    y.backward()
    np.testing.assert_allclose(x.gradient, 4 * s, atol=1e-12)
    first = zen.gradients(f.sum(square(x) * s), x, create_graph=True)
    np.testing.assert_allclose(zen.gradients(f.sum(first * s), x).array, 2 * s @ s, atol=1e-12)


def test_stacks_may_hold_ties_in_some_matrices():
    x = np.stack([matrix(s) for s in SPECTRA.values()])

    def function(x):
        w, v = zen.linalg.eigh(symmetric(x))
        return f.sum((v * f.exp(w)[..., None, :]) @ v.mT * W)

    each = [zen.grad(function)(m) for m in x]
    np.testing.assert_allclose(zen.grad(function)(x), np.stack(each), atol=1e-12)


def test_one_decomposition_after_the_other():
    """The gradient of the outer one passes through the inner one; both have ties."""

    def function(x):
        w, v = zen.linalg.eigh(symmetric(x))
        y = (v * f.exp(w)) @ v.mT
        u, t = zen.linalg.eigh(symmetric(y))[::-1]
        return f.sum((u * f.log(t)) @ u.mT * W)

    x = matrix([1.0, 1.0, 2.0])
    np.testing.assert_allclose(zen.grad(function)(x), symmetric(W), atol=1e-9)


def test_nan_in_is_nan_out():
    x = zen.tensor(np.full((2, 2), np.nan), requires_grad=True)
    w, v = zen.linalg.eigh(x)
    assert np.isnan(w.array).all()
    f.sum((v * w) @ v.mT).backward()
    assert np.isnan(x.gradient).all()


def test_float32():
    x = matrix([1.0, 1.0, 2.0]).astype(np.float32)
    leaf = zen.tensor(x, requires_grad=True)
    w, v = zen.linalg.eigh(leaf)
    f.sum((v * w**2) @ v.mT * W.astype(np.float32)).backward()
    assert leaf.grad.dtype == np.float32
    np.testing.assert_allclose(leaf.gradient, x @ symmetric(W) + symmetric(W) @ x, atol=1e-5)


@pytest.mark.parametrize("spectrum", ["two equal", "all equal", "zeros"])
def test_what_depends_on_the_choice_of_eigenvectors_raises(spectrum):
    x = zen.tensor(matrix(SPECTRA[spectrum]), requires_grad=True)
    v = zen.linalg.eigh(x).eigenvectors
    with pytest.raises(np.linalg.LinAlgError, match=r"eigh: values \d and \d are equal.*v @ v\.mH"):
        f.sum(v * W).backward()
    tangent = zen.jvp(lambda x: zen.linalg.eigh(x).eigenvectors, (np.eye(3),), (symmetric(W),))[1]
    assert np.isnan(tangent).all()


def plain_only():
    """An operation without a second derivative."""

    @zen.custom_vjp
    def plain(x):
        return x * 1.0

    @plain.defvjp
    def _(g, out, x):
        if isinstance(g, zen.Tensor):
            raise TypeError("no second derivative")
        return g * 1.0

    return plain


def test_values_and_vectors_of_ties_need_second_derivatives_on_the_way():
    plain = plain_only()
    x = zen.tensor(np.eye(3), requires_grad=True)
    w, v = zen.linalg.eigh(x)
    with pytest.raises(TypeError, match="no second derivative"):
        f.sum(plain((v * f.exp(w)) @ v.mT) * W).backward()
    f.sum(plain(zen.linalg.eigvalsh(x))).backward()  # values alone need none
    np.testing.assert_array_equal(x.gradient, np.eye(3))
    f.sum(plain(v @ v.mT)).backward()  # nor do vectors
    np.testing.assert_allclose(x.gradient, np.eye(3), atol=1e-14)
    other = zen.tensor([1.0, 2.0], requires_grad=True)
    f.sum(plain(other)).backward()
    np.testing.assert_array_equal(other.gradient, np.ones(2))


@pytest.mark.parametrize("retain", [False, True])
def test_a_pass_that_records_itself_gives_what_any_pass_gives(retain):
    """Gradients without a graph, added to those from before, in leaves and retained results; hooks run once."""
    x = zen.tensor(np.eye(3), requires_grad=True)
    w, v = zen.linalg.eigh(x)
    made = (v * f.exp(w)) @ v.mT
    made.retain_grad()
    seen = []
    made.register_hook(seen.append)
    y = f.sum(made**2) / 2
    y.backward(retain_graph=retain)
    assert len(seen) == 1
    np.testing.assert_allclose(made.gradient, np.e * np.eye(3))
    assert not made.grad.requires_grad and not x.grad.requires_grad
    np.testing.assert_allclose(x.gradient, np.e**2 * np.eye(3), atol=1e-12)
    if not retain:
        with pytest.raises(RuntimeError, match="released"):
            y.backward()
        return
    y.backward(retain_graph=True)
    np.testing.assert_allclose(x.gradient, 2 * np.e**2 * np.eye(3), atol=1e-12)
    first = backend.run([y], [None], [x, x.node, x, y.node], True)
    assert not first[0].requires_grad and first[0].array is not first[2].array
    assert type(first[1]) is np.ndarray and type(first[3]) is float
    for found in first[:3]:
        np.testing.assert_allclose(np.asarray(found), np.e**2 * np.eye(3), atol=1e-12)
    np.testing.assert_allclose(x.gradient, 2 * np.e**2 * np.eye(3), atol=1e-12)


def test_what_a_hook_gives_instead_counts():
    x = zen.tensor(np.eye(2), requires_grad=True)
    w, v = zen.linalg.eigh(x)
    made = (v * f.log(w)) @ v.mT
    made.register_hook(lambda g: 2 * g)
    made[0, 1].backward()
    np.testing.assert_allclose(x.gradient, [[0, 1], [1, 0]], atol=1e-14)


def test_threads_pass_through_one_graph_with_ties():
    x = zen.tensor(np.eye(3), requires_grad=True)
    w, v = zen.linalg.eigh(x)
    y = f.sum((v * w**2) @ v.mT * W)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: backend.run([y], [None], [x], True)[0].array, range(40)))
    for each in found:
        np.testing.assert_allclose(each, 2 * symmetric(W), atol=1e-12)


def test_a_gradient_without_a_graph_is_added_to_one_that_has_one():
    x = zen.tensor(np.eye(2), requires_grad=True)
    w, v = zen.linalg.eigh(x)
    y = f.sum((v * w**2) @ v.mT)
    y.backward(create_graph=True)
    assert x.grad.requires_grad
    y.backward()
    assert not x.grad.requires_grad
    np.testing.assert_allclose(x.gradient, 4 * np.ones((2, 2)), atol=1e-12)


def test_passes_record_themselves_only_where_they_come_to_values_and_vectors_that_are_tied():
    def recorded(result):
        found = []
        result.register_hook(lambda g: found.append(g.requires_grad))
        f.sum(result**2).backward(retain_graph=True)
        return found

    x = zen.tensor(np.eye(3), requires_grad=True)
    w, v = zen.linalg.eigh(x)
    assert recorded((v * w) @ v.mT) == [True]
    assert recorded(w * 1.0) == recorded(v @ v.mT) == recorded(x * 1.0) == [False]
    assert recorded(zen.linalg.eigvalsh(x) * 1.0) == [False]
    w, v = zen.linalg.eigh(zen.tensor(np.diag([1.0, 2.0]), requires_grad=True))
    assert recorded((v * w) @ v.mT) == [False]


def test_what_asks_for_recorded_passes_goes_with_the_graph(monkeypatch):
    asked = []
    monkeypatch.setattr(backend, "record_passes", lambda call, needed: asked.append((call, needed)))
    w, v = zen.linalg.eigh(zen.tensor(np.eye(2), requires_grad=True))
    assert [needed for _, needed in asked] == [True]
    del w, v
    gc.collect()
    assert asked == [(asked[0][0], True), (asked[0][0], False)]
    zen.linalg.eigh(zen.tensor(np.diag([1.0, 2.0]), requires_grad=True))
    zen.linalg.eigh(zen.tensor(np.eye(2)))
    assert len(asked) == 2


def test_a_matrix_that_is_symmetric_to_rounding_has_a_symmetric_gradient():
    q = np.linalg.qr(np.random.default_rng(5).normal(size=(5, 5)))[0]
    x = (q * np.arange(1.0, 6.0)) @ q.T
    x[0, 1] *= 1 + 1e-15
    found = zen.grad(lambda x: f.sum(f.sin(zen.linalg.eigvalsh(x))))(x)
    np.testing.assert_allclose(found, found.T, atol=1e-14)


def test_eigenvectors_are_differentiated_to_the_third_order_where_eigenvalues_differ():
    def function(x):
        return f.concat([f.ravel(part) for part in zen.linalg.eigh(symmetric(x))])

    check_gradients(function, [matrix([1.0, 2.0, 4.0])], order=3, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: zen.linalg.eigh(np.ones((2, 3))), ValueError, r"eigh: square matrices.*\(2, 3\)"),
        (lambda: zen.linalg.eigvalsh(np.ones(3)), ValueError, r"eigvalsh: square matrices.*\(3,\)"),
        (lambda: zen.linalg.eigh(np.eye(2), "X"), ValueError, r"eigh: UPLO must be 'L' or 'U', not 'X'"),
        (lambda: zen.linalg.eigh(np.eye(2, dtype=np.float16)), TypeError, r"eigh: float16.*float32"),
    ],
)  # fmt: skip
def test_errors(call, error, words):
    with pytest.raises(error, match=words):
        call()
