"""Second derivatives of functions of eigenvalues and singular values where these are equal, by every transform."""

import numpy as np
import pytest

import zen

N = 3
EYE = np.eye(N)
BASIS = np.eye(N * N).reshape(N * N, N, N)
TRANSPOSITION = BASIS.reshape(N * N, N, N).transpose(0, 2, 1).reshape(N * N, N * N)


def symmetric(a):
    return (a + a.T) / 2


def _power(p):
    """The Hessian of trace(s**p), s the symmetric part of a, at the identity: p (p - 1) times that part's projector."""
    return p * (p - 1) * (np.eye(N * N) + TRANSPOSITION) / 2


def _log_determinant():
    return -(np.eye(N * N) + TRANSPOSITION) / 2


def _fourth():
    """That of trace((a.T a)**2) at the identity, term by term of 4 trace(a.T a d.T d) and so on."""
    second = np.empty((N * N, N * N))
    for i, d in enumerate(BASIS):
        for j, e in enumerate(BASIS):
            symmetrical = (d + d.T) @ (e + e.T)
            second[i, j] = 2 * np.trace(symmetrical) + 4 * np.trace(d.T @ e)
    return second


FUNCTIONS = {
    "squares": (lambda a: (zen.linalg.eigvalsh(symmetric(a)) ** 2).sum(), _power(2)),
    "cubes": (lambda a: (zen.linalg.eigh(symmetric(a))[0] ** 3).sum(), _power(3)),
    "log": (lambda a: np.log(zen.linalg.eigvalsh(symmetric(a))).sum(), _log_determinant()),
    "singular values": (lambda a: (np.linalg.svd(a)[1] ** 2).sum(), 2 * np.eye(N * N)),
    "their fourth powers": (lambda a: (zen.linalg.svdvals(a) ** 4).sum(), _fourth()),
}
"""Each with its Hessian at the identity, of which all values are equal."""

TRANSFORMS = {
    "hessian": lambda f: zen.hessian(f)(EYE),
    "value_and_hessian": lambda f: zen.value_and_hessian(f)(EYE)[1],
    "jacfwd of jacrev": lambda f: zen.jacfwd(zen.jacrev(f))(EYE),
    "jacrev of jacrev": lambda f: zen.jacrev(zen.jacrev(f))(EYE),
    "jacrev of jacfwd": lambda f: zen.jacrev(zen.jacfwd(f))(EYE),
    "jacfwd of jacfwd": lambda f: zen.jacfwd(zen.jacfwd(f))(EYE),
    "jacobian of grad": lambda f: zen.jacobian(zen.grad(f))(EYE),
    "chunks": lambda f: zen.hessian(f, chunk_size=2)(EYE),
    "grad of grad": lambda f: np.stack([zen.grad(lambda a: (zen.grad(f)(a) * e).sum())(EYE) for e in BASIS]),  # noqa: B023
    "hvp": lambda f: np.stack([zen.hvp(f, EYE, e) for e in BASIS]),
    "vmap of hvp": lambda f: zen.vmap(lambda e: zen.hvp(f, EYE, e))(BASIS),
    "linearize of grad": lambda f: np.stack([zen.linearize(zen.grad(f), EYE)[1](e) for e in BASIS]),
    "vmap of hessian": lambda f: zen.vmap(zen.hessian(f))(np.stack([EYE, EYE]))[1],
}


@pytest.mark.filterwarnings("ignore:vmap")
@pytest.mark.parametrize("transform", list(TRANSFORMS))
@pytest.mark.parametrize("name", list(FUNCTIONS))
def test_the_hessian_where_all_values_are_equal(name, transform):
    f, expected = FUNCTIONS[name]
    found = np.reshape(TRANSFORMS[transform](f), (N * N, N * N))
    np.testing.assert_allclose(found, expected, atol=1e-12)
    np.testing.assert_allclose(zen.hessian_diag(f)(EYE).reshape(-1), np.diag(expected), atol=1e-12)


def test_no_warning_tells_of_a_loop():
    zen.hessian(lambda a: (zen.linalg.eigvalsh(a @ a.T) ** 2).sum())(EYE)


@pytest.mark.filterwarnings("ignore:vmap")
@pytest.mark.parametrize("jacobian", [zen.jacobian, zen.jacfwd])
def test_what_depends_on_the_choice_of_vectors_is_as_in_forward_mode(jacobian):
    def f(a):
        return zen.linalg.eigh(symmetric(a))[1] ** 2

    expected = np.stack([zen.jvp(f, (EYE,), (e,))[1] for e in BASIS], axis=-1).reshape(N, N, N, N)
    np.testing.assert_array_equal(jacobian(f)(EYE), expected)


@pytest.mark.filterwarnings("ignore:vmap")
def test_a_free_variable_beside_equal_values():
    w = zen.tensor(2.0, requires_grad=True)
    h = zen.hessian(lambda a: w * (zen.linalg.eigvalsh(symmetric(a)) ** 2).sum())(EYE)
    np.testing.assert_allclose(h.value.reshape(N * N, N * N), 2 * _power(2), atol=1e-12)
    h.sum().backward()
    np.testing.assert_allclose(w.gradient, _power(2).sum())
