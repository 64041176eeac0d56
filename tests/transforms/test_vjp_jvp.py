"""vjp, jvp: values, structures, nesting, errors."""

from collections import namedtuple

import numpy as np
import pytest

import zen

Layer = namedtuple("Layer", "w b")
A = np.random.default_rng(0).normal(size=(3, 3))
V = np.random.default_rng(1).normal(size=3)
U = np.random.default_rng(2).normal(size=3)


# vjp


def test_vjp_of_nested_results():
    def f(a, p):
        return {"s": a @ p["v"], "t": (zen.sum(a), p["w"] * 2.0)}

    out, pull = zen.vjp(f, A, {"v": V, "w": 3.0})
    np.testing.assert_allclose(out["s"], A @ V)
    assert type(out["t"][1]) is np.ndarray
    for _ in range(2):  # any number of times
        ga, gp = pull({"s": U, "t": (2.0, 5.0)})
        np.testing.assert_allclose(ga, np.outer(U, V) + 2)
        np.testing.assert_allclose(gp["v"], A.T @ U)
        assert gp["w"] == 10.0 and type(ga) is np.ndarray


def test_vjp_in_tensors():
    out, pull = zen.vjp(zen.exp, zen.tensor(V))
    assert isinstance(out, zen.Tensor) and not out.requires_grad
    (g,) = pull(U)
    assert isinstance(g, zen.Tensor) and not g.requires_grad
    c = zen.tensor(U, requires_grad=True)
    (g,) = pull(c)
    np.testing.assert_allclose(zen.gradients(g.sum(), c).array, np.exp(V))


def test_bad_calls_of_vjp():
    _, pull = zen.vjp(lambda x: (x * 2.0, zen.sum(x)), V)
    with pytest.raises(ValueError, match=r"the result\[0\].*\(2,\).*\(3,\)"):
        pull((np.ones(2), 1.0))
    with pytest.raises(ValueError, match="structure"):
        pull((V,))
    with pytest.raises(RuntimeError, match="not a scalar"):
        pull((None, None))
    with pytest.raises(TypeError, match=r"float at \[1\]"):
        zen.vjp(lambda x: (x, 2.0), V)
    np.testing.assert_allclose(pull((U, 1.0))[0], 2 * U + 1)


# jvp


def jacobian_times(f, x, t, step=1e-6):
    return (np.asarray(f(zen.tensor(x + step * t)).array) - np.asarray(f(zen.tensor(x - step * t)).array)) / (2 * step)


X = np.linspace(0.4, 1.6, 12).reshape(3, 4)
T = np.random.default_rng(3).normal(size=(3, 4))


@pytest.mark.parametrize(
    "f",
    [
        lambda x: zen.tanh(x) * x + 2.0 / x,
        lambda x: x + x[0] - x[:, :1],  # broadcasting
        lambda x: x**x,
        lambda x: x @ x.T,
        lambda x: x[0] @ x.T,
        lambda x: zen.sum(x, axis=0, keepdims=True) * x,
        lambda x: zen.max(x, axis=1),
        lambda x: zen.prod(x, axis=0),
        lambda x: zen.std(x, axis=1),
        lambda x: zen.cumsum(x, axis=1),
        lambda x: zen.concat([x * 2.0, np.ones((1, 4)), x[:1]], axis=0) ** 2,
        lambda x: zen.stack([x, np.ones((3, 4)), x * x]),
        lambda x: zen.reshape(x, (2, 6))[::-1, [0, 0, 3]],
        lambda x: x[x > 0.8] * 2.0,
        lambda x: zen.where(x > 0.8, x * x, 3.0),
        lambda x: zen.einsum("ij,kj->ik", x, x),
        lambda x: zen.linalg.inv(x[:3, :3] + 3 * np.eye(3)),
        lambda x: zen.linalg.solve(x[:3, :3] + 3 * np.eye(3), x),
        lambda x: zen.f.softmax(x, axis=1),
        lambda x: zen.f.logsumexp(x, axis=0),
        lambda x: zen.pad(x, ((1, 0), (0, 2))) * 2.0,
        lambda x: zen.roll(zen.flip(zen.tile(x, (1, 2)), axis=1), 3, 1),
        lambda x: zen.floor(x) + x,
    ],
)
@pytest.mark.parametrize("nested", [False, True])
def test_forward_mode_of_every_kind_of_row(f, nested):
    expected = jacobian_times(f, X, T)
    if not nested:
        out, found = zen.jvp(f, (X,), (T,))
        np.testing.assert_allclose(out, f(zen.tensor(X)).array)
    else:  # on Tensors: the tangent of a tangent's sum, by reverse mode over forward mode
        c = np.random.default_rng(4).normal(size=expected.shape)
        found = zen.grad(lambda t: zen.sum(zen.jvp(f, (X,), (t,))[1] * c))(T)
        expected = zen.grad(lambda x: zen.sum(f(x) * c))(X)
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_forward_mode_of_several_arguments_and_nested_results():
    primals = ({"a": V, "b": 2.0}, [A])
    tangents = ({"a": U, "b": 3.0}, [np.zeros((3, 3))])
    out, tangent = zen.jvp(lambda p, q: {"r": (p["b"] * (q[0] @ p["a"]),), "n": p["b"]}, primals, tangents)
    np.testing.assert_allclose(tangent["r"][0], 2 * A @ U + 3 * A @ V)
    assert tangent["n"] == 3.0 and out["n"] == 2.0 and type(tangent["r"][0]) is np.ndarray


def test_tangents_in_dicts_belong_to_their_keys_in_any_order():
    f = lambda p: p["a"] * p["a"] * p["b"]  # noqa: E731
    _, tangent = zen.jvp(f, ({"a": V, "b": U},), ({"b": 2 * V, "a": 3 * U},))
    np.testing.assert_allclose(tangent, 6 * V * U * U + 2 * V**3)


def test_results_that_are_one_tensor_have_tangents_of_their_own():
    _, (first, second) = zen.jvp(lambda x: (y := x * x, y), (V,), (U,))
    first += 1.0
    np.testing.assert_allclose(second, 2 * V * U)
    direction = U.copy()
    _, same = zen.jvp(lambda x: x, (V,), (direction,))
    same += 1.0
    np.testing.assert_array_equal(direction, U)


def test_forward_mode_through_a_graph_that_a_pass_released():
    def f(x):
        y = zen.exp(x)
        y.sum().backward()
        return y * 2.0

    with pytest.raises(RuntimeError, match=r"exp.*released by an earlier backward pass"):
        zen.jvp(f, (V,), (U,))


def test_results_without_a_tangent_have_zeros():
    _, (i, c, k) = zen.jvp(lambda x: (zen.argmax(x), zen.tensor([1.0, 2.0]), x > 1.0), (V,), (U,))
    assert i == 0 and i.dtype == np.float64
    np.testing.assert_array_equal(c, [0.0, 0.0])
    np.testing.assert_array_equal(k, np.zeros(3))


def test_forward_mode_in_tensors():
    out, tangent = zen.jvp(zen.exp, (zen.tensor(V),), (U,))
    assert isinstance(out, zen.Tensor) and isinstance(tangent, zen.Tensor)
    assert not out.requires_grad and not tangent.requires_grad
    t = zen.tensor(U, requires_grad=True)
    _, tangent = zen.jvp(zen.exp, (V,), (t,))
    np.testing.assert_allclose(zen.gradients(tangent.sum(), t).array, np.exp(V))


def test_forward_mode_keeps_dtypes():
    x = np.ones(3, np.float32)
    out, tangent = zen.jvp(lambda x: zen.mean(x * 2.0 + 1.0) * zen.sum(x), (x,), (np.ones(3),))
    assert out.dtype == np.float32 and tangent.dtype == np.float32


def test_forward_mode_through_a_long_chain():
    def f(x):
        for _ in range(20_000):
            x = x * 1.0
        return x

    assert zen.jvp(f, (1.0,), (3.0,))[1] == 3.0


def test_forward_mode_through_writes():
    def f(x):
        h = zen.zeros(4)
        h[0] = x[0]
        for i in range(1, 4):
            h[i] = zen.sin(h[i - 1]) * x[i]
        h += x
        return h

    np.testing.assert_allclose(zen.jvp(f, (X[0],), (T[0],))[1], jacobian_times(f, X[0], T[0]), atol=1e-7)


def test_forward_mode_notices_an_overwritten_value():
    def f(x):
        y = zen.exp(x)
        views.append(y[:1])
        with zen.no_grad():
            y += 1.0
        return y

    views = []

    with pytest.raises(RuntimeError, match=r"exp.*overwritten"):
        zen.jvp(f, (V,), (U,))


def test_bad_calls_of_jvp():
    for call, error, match in (
        (lambda: zen.jvp(zen.sin, V, V), TypeError, "primals is a tuple"),
        (lambda: zen.jvp(zen.sin, (V,), (U, U)), ValueError, "2 tangents for 1"),
        (lambda: zen.jvp(zen.sin, (V,), (U[:2],)), ValueError, r"tangents\[0\] has shape \(2,\); expected \(3,\)"),
        (lambda: zen.jvp(zen.sin, ([V],), ((U, U),)), ValueError, "structure"),
        (lambda: zen.jvp(lambda x: 2.0, (V,), (U,)), TypeError, "float"),
        (lambda: zen.jvp(zen.sin, ("x",), ("y",)), TypeError, "argument 0 is str"),
    ):
        with pytest.raises(error, match=match):
            call()
    assert zen.jvp(zen.sin, (0.0,), (2.0,))[1] == 2.0


def test_a_function_without_results_has_zero_products():
    y, pull = zen.vjp(lambda x: [], np.array([1.0, 2.0]))
    assert y == []
    np.testing.assert_array_equal(pull([])[0], [0.0, 0.0])
