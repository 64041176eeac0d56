"""Jacobians, Hessians and products with them, against numerical differentiation and against one another."""

import pickle

import numpy as np
import pytest

import zen
from zen.transforms import few

RNG = np.random.default_rng(0)
X, W = RNG.normal(size=4), RNG.normal(size=(3, 4))
KINDS = [zen.jacobian, zen.jacfwd, zen.jacrev]


@pytest.fixture(autouse=True, params=["one by one", "all at once"])
def way(request, monkeypatch):
    if request.param == "all at once":
        monkeypatch.setattr(few, "FEW", 0)


def vector(x):
    return np.tanh(W @ x) * np.exp(x[:3])


def scalar(x):
    return (np.exp(np.sin(x)) * x[0]).sum() + (x**3).prod() + np.tanh(x @ x)


def numerical(f, x, h=1e-6):
    """Central differences of a function of one array, the array's axes last."""
    columns = []
    for k in range(x.size):
        d = np.zeros(x.size)
        d[k] = h
        d = d.reshape(x.shape)
        columns.append((np.asarray(f(x + d)) - np.asarray(f(x - d))) / (2 * h))
    return np.stack(columns, -1).reshape(*columns[0].shape, *x.shape)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("f", [vector, scalar, lambda x: x[:, None] * x, lambda x: np.outer(x, x)[1:].cumsum(0)])
def test_agrees_with_differences(kind, f):
    np.testing.assert_allclose(kind(f)(X), numerical(f, X), rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("kind", KINDS)
def test_shapes_of_any_rank(kind):
    x = RNG.normal(size=(2, 3))
    for f in (lambda x: x.T * 2, lambda x: x.sum(), lambda x: np.stack([x, x**2]), lambda x: x[0, 0]):
        np.testing.assert_allclose(kind(f)(x), numerical(f, x), rtol=1e-6, atol=1e-8)
    assert kind(lambda x: x * 3)(2.0) == 3 and kind(lambda x: x * np.ones(2))(2.0).shape == (2,)


@pytest.mark.parametrize("kind", KINDS)
def test_trees_in_and_out(kind):
    def f(p, s):
        return {"y": p["w"] @ p["b"], "z": [s * p["b"], s]}

    p = {"w": W, "b": X}
    found = kind(f, (0, 1))(p, 2.0)
    np.testing.assert_allclose(found["y"][0]["b"], W)
    np.testing.assert_allclose(found["y"][0]["w"], np.einsum("ij,k->ijk", np.eye(3), X))
    np.testing.assert_array_equal(found["y"][1], np.zeros(3))
    np.testing.assert_array_equal(found["z"][0][0]["b"], 2 * np.eye(4))
    np.testing.assert_array_equal(found["z"][0][1], X)
    assert found["z"][1][1] == 1 and found["z"][1][0]["w"].shape == (3, 4)
    inner = kind(f)(p, zen.tensor(2.0))
    np.testing.assert_allclose(inner["y"]["b"], W)


@pytest.mark.parametrize("chunk_size", [1, 2, 3, 100])
@pytest.mark.parametrize("kind", KINDS)
def test_chunks_give_the_same(kind, chunk_size):
    np.testing.assert_allclose(kind(vector, chunk_size=chunk_size)(X), kind(vector)(X), rtol=1e-14)


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_not_differentiated_comes_back_beside(kind):
    found, aux = kind(lambda x: (x * 2, {"n": x.sum(), "s": "text"}), has_aux=True)(X)
    np.testing.assert_array_equal(found, 2 * np.eye(4))
    assert aux["n"] == X.sum() and aux["s"] == "text"


def test_value_and_jacobian():
    value, found = zen.value_and_jacobian(vector)(X)
    np.testing.assert_allclose(value, vector(X))
    np.testing.assert_allclose(found, zen.jacfwd(vector)(X))
    (value, aux), _ = zen.value_and_jacobian(lambda x: (x, 3), has_aux=True)(X)
    assert aux == 3


@pytest.mark.parametrize(
    "kind", [*KINDS, lambda f, k: zen.vmap(zen.jacfwd(f, k)), lambda f, k: zen.vmap(zen.jacrev(f, k))]
)
@pytest.mark.parametrize("requires_grad", [False, True])
def test_each_block_has_the_dtype_of_its_argument(kind, requires_grad):
    """Whatever the direction: of the result, of the other arguments, and where it is zero."""
    x, y = (zen.tensor(np.ones((2, 2), d), requires_grad=requires_grad) for d in "fd")
    found = kind(lambda x, y: (x * y, x.astype(zen.float64) * 2, y.astype(zen.float32), x[0]), (0, 1))(x, y)
    assert [[str(block.dtype) for block in row] for row in found] == [["float32", "float64"]] * 4


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kind", KINDS)
def test_dtypes_and_empty_arrays(kind, dtype):
    assert kind(lambda x: x * 2)(X.astype(dtype)).dtype == dtype
    assert kind(lambda x: x[:0])(X.astype(dtype)).shape == (0, 4)
    assert kind(lambda x: x.sum())(np.zeros(0, dtype)).shape == (0,)


@pytest.mark.parametrize("kind", KINDS)
def test_holomorphic(kind):
    z = X + 1j * X[::-1]
    np.testing.assert_allclose(kind(lambda z: z**2 * 1j, holomorphic=True)(z), np.diag(2j * z), rtol=1e-14)
    with pytest.raises(TypeError, match="holomorphic=True, or take real and imaginary parts"):
        kind(lambda z: z**2)(z)
    with pytest.raises(TypeError, match="of a holomorphic function arguments and result are complex"):
        kind(lambda z: z.real, holomorphic=True)(z)


@pytest.mark.parametrize("kind", KINDS)
def test_free_variables_stay_connected(kind):
    w = zen.tensor(2.0, requires_grad=True)
    found = kind(lambda x: w * x * x)(X)
    np.testing.assert_allclose(found.detach(), np.diag(4 * X))
    found.sum().backward()
    np.testing.assert_allclose(w.grad.item(), 2 * X.sum())


@pytest.mark.parametrize("kind", KINDS)
def test_gradient_of_a_jacobian(kind):
    found = zen.grad(lambda x: (kind(vector)(x) ** 2).sum())(X)
    np.testing.assert_allclose(found, numerical(lambda x: (kind(vector)(x) ** 2).sum(), X), rtol=1e-6)


@pytest.mark.parametrize("first", KINDS)
@pytest.mark.parametrize("second", KINDS)
def test_nests(first, second):
    found = first(second(vector))(X)
    np.testing.assert_allclose(found, numerical(zen.jacfwd(vector), X), rtol=1e-6, atol=1e-7)


def test_hessian():
    expected = numerical(zen.grad(scalar), X)
    found = zen.hessian(scalar)(X)
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-7)
    value, again = zen.value_and_hessian(scalar)(X)
    np.testing.assert_allclose(value, scalar(X))
    np.testing.assert_allclose(again, found, rtol=1e-14)
    np.testing.assert_allclose(zen.hessian_diag(scalar)(X), np.diag(found), rtol=1e-12)
    np.testing.assert_allclose(zen.hessian_diag(scalar, chunk_size=3)(X), np.diag(found), rtol=1e-12)
    np.testing.assert_allclose(zen.hvp(scalar, X, W[0]), found @ W[0], rtol=1e-12)


def test_third_derivatives():
    found = zen.jacfwd(zen.hessian(scalar))(X)
    np.testing.assert_allclose(found, numerical(zen.hessian(scalar), X), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(zen.jacrev(zen.jacfwd(zen.jacrev(scalar)))(X), found, rtol=1e-10, atol=1e-12)


def test_hessian_of_several_arguments():
    def f(x, y):
        return (x * x @ y).sum()

    found = zen.hessian(f, (0, 1))(X, X + 1)
    np.testing.assert_allclose(found[0][0], np.diag(2 * (X + 1)))
    np.testing.assert_allclose(found[0][1], np.diag(2 * X))
    np.testing.assert_allclose(found[1][0], np.diag(2 * X))
    np.testing.assert_allclose(found[1][1], np.zeros((4, 4)))
    tree = zen.hessian(lambda p: (p["a"] ** 2).sum() * p["b"])({"a": X, "b": 2.0})
    np.testing.assert_allclose(tree["a"]["a"], 4 * np.eye(4))
    np.testing.assert_allclose(tree["a"]["b"], 2 * X)
    products = zen.hvp(f, (X, X + 1), (np.ones(4), np.zeros(4)))
    np.testing.assert_allclose(products[0], 2 * (X + 1))
    np.testing.assert_allclose(products[1], 2 * X)
    diagonal = zen.hessian_diag(lambda p: (p["a"] ** 2).sum() * p["b"] ** 3)({"a": X, "b": 2.0})
    np.testing.assert_allclose(diagonal["a"], np.full(4, 16.0))
    np.testing.assert_allclose(diagonal["b"], (X**2).sum() * 12)


def test_the_function_runs_once():
    runs = []

    def counted(x):
        runs.append(1)
        return vector(x)

    for kind in KINDS:
        kind(counted)(X)
    assert len(runs) == len(KINDS)


def test_equal_eigenvalues_in_a_jacobian():
    """The sum of the eigenvalues is the trace, wherever they are equal."""
    found = zen.jacrev(lambda a: np.linalg.eigvalsh(a).sum())(np.eye(3))
    np.testing.assert_allclose(found, np.eye(3), atol=1e-12)


def test_pickles_with_its_function():
    for made in (zen.jacobian(np.sum), zen.hessian(np.sum), zen.hessian_diag(np.sum), zen.value_and_hessian(np.sum)):
        again = pickle.loads(pickle.dumps(made))
        assert type(again) is type(made)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(zen.jacobian(np.sum)))(X), np.ones(4))


@pytest.mark.parametrize(("call", "kind", "message"), [
    (lambda: zen.jacobian(vector, chunk_size=0), ValueError, "chunk_size is a positive int or None, not 0"),
    (lambda: zen.jacobian(vector, chunk_size=True), ValueError, "jacobian: chunk_size is a positive int or None"),
    (lambda: zen.hessian_diag(scalar, chunk_size=0), ValueError, "hessian_diag: chunk_size is a positive int or None"),
    (lambda: zen.jacfwd(3), TypeError, "jacobian: expected a function, not int"),
    (lambda: zen.hessian_diag(3), TypeError, "hessian_diag: expected a function, not int"),
    (lambda: zen.value_and_hessian(3), TypeError, "value_and_hessian: expected a function, not int"),
    (lambda: zen.jacobian(vector, has_aux=True)(X), TypeError,
     "jacobian: with has_aux the function returns (value, aux), not Tensor"),
    (lambda: zen.jacobian(vector, "x"), TypeError, "argnums"),
    (lambda: zen.jacobian(vector, 1)(X), ValueError, "argnums 1 is out of range"),
    (lambda: zen.jacobian(lambda x: 3)(X), TypeError, "jacobian: the function returned int, not a Tensor"),
    (lambda: zen.jacobian(lambda x: None)(X), TypeError, "jacobian: the function returned NoneType"),
    (lambda: zen.jacobian(lambda x: x > 0)(X), TypeError, "jacobian: a result is of dtype bool"),
    (lambda: zen.hessian(vector)(X), ValueError, "a gradient is of one number"),
    (lambda: zen.hessian_diag(scalar, (0,)), TypeError, "hessian_diag: argnums is an int"),
    (lambda: zen.hvp(scalar, X, X[:2]), ValueError, "has shape (2,); expected (4,)"),
])  # fmt: skip
def test_errors(call, kind, message):
    with pytest.raises(kind) as raised:
        call()
    assert message in str(raised.value)


# linearize


def test_linearize():
    y, push = zen.linearize(vector, X)
    np.testing.assert_allclose(y, vector(X))
    expected = zen.jacfwd(vector)(X)
    for k, d in enumerate(np.eye(4)):
        np.testing.assert_allclose(push(d), expected[:, k], rtol=1e-14)
    np.testing.assert_allclose(zen.vmap(push, out_axes=1)(np.eye(4)), expected, rtol=1e-14)
    second = zen.linearize(zen.grad(scalar), X)[1]
    np.testing.assert_allclose(second(W[0]), zen.hessian(scalar)(X) @ W[0], rtol=1e-12)


def test_linearize_takes_and_gives_trees():
    y, push = zen.linearize(lambda p, s: {"r": p["a"] * s, "t": s}, {"a": X}, 2.0)
    found = push({"a": np.ones(4)}, 1.0)
    np.testing.assert_allclose(found["r"], 2 + X)
    assert found["t"] == 1 and y["t"] == 2
    with pytest.raises(ValueError, match="linearize: the tangents do not have the structure"):
        push(X, 1.0)
    with pytest.raises(ValueError, match="linearize: 1 tangents for 2 primals"):
        push({"a": X})


def test_linearize_stays_connected():
    w = zen.tensor(3.0, requires_grad=True)
    y, push = zen.linearize(lambda x: w * x * x, X)
    push(np.ones(4)).sum().backward()
    np.testing.assert_allclose(w.grad.item(), 2 * X.sum())
    assert y.requires_grad


# ravel_tree


def test_ravel_tree_and_back():
    tree = {"a": np.arange(4.0).reshape(2, 2), "b": [np.float32(3.0), (np.arange(2, dtype="f"), None)]}
    flat, unravel = zen.ravel_tree(tree)
    np.testing.assert_array_equal(flat, [0, 1, 2, 3, 3, 0, 1])
    back = unravel(flat * 2)
    assert back["a"].shape == (2, 2) and back["b"][1][0].dtype == np.float32 and back["b"][1][1] is None
    assert type(back["b"][1]) is tuple and back["b"][0] == 6
    with pytest.raises(ValueError, match=r"unravel: expected a vector of 7 numbers, not shape \(3,\)"):
        unravel(np.zeros(3))
    assert zen.ravel_tree([])[0].shape == (0,)


def test_ravel_tree_is_differentiable():
    def f(p):
        return (zen.ravel_tree(p)[0] ** 2).sum()

    found = zen.grad(f)({"a": X, "b": 3.0})
    np.testing.assert_allclose(found["a"], 2 * X)
    assert found["b"] == 6
    flat, unravel = zen.ravel_tree({"a": X, "b": 3.0})
    found = zen.grad(lambda v: (unravel(v)["a"] * unravel(v)["b"]).sum())(flat)
    np.testing.assert_allclose(found, [3, 3, 3, 3, X.sum()])
