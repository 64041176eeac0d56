"""gradients, grad, value_and_grad, vjp, jvp and custom_vjp: values, structures, nesting, errors."""

import threading
from collections import OrderedDict, defaultdict, namedtuple

import numpy as np
import pytest

import zen
from zen import trees

Layer = namedtuple("Layer", "w b")
A = np.random.default_rng(0).normal(size=(3, 3))
V = np.random.default_rng(1).normal(size=3)
U = np.random.default_rng(2).normal(size=3)


def numerical(f, x, step=1e-6):
    x = np.asarray(x, np.float64)
    found = np.zeros(x.shape)
    for i in np.ndindex(x.shape):
        e = np.zeros(x.shape)
        e[i] = step
        found[i] = (f(x + e) - f(x - e)) / (2 * step)
    return found


def energy(x):
    return zen.sum(zen.tanh(A @ x) ** 2) + zen.prod(x)


def value(x):
    return float(np.sum(np.tanh(A @ x) ** 2) + np.prod(x))


HESSIAN = np.stack(
    [
        numerical(lambda x, i=i: float(zen.grad(energy)(x)[i]), V)  # of a gradient that is checked below
        for i in range(3)
    ]
)


# grad and value_and_grad


def test_numbers_and_arrays_in_arrays_out():
    assert zen.grad(lambda x: x * x)(3.0) == 6.0
    g = zen.grad(energy)(V)
    assert type(g) is np.ndarray
    np.testing.assert_allclose(g, numerical(value, V), atol=1e-8)
    v, g = zen.value_and_grad(energy)(V)
    assert type(v) is np.ndarray and type(g) is np.ndarray
    np.testing.assert_allclose(v, value(V))


def test_tensors_in_tensors_out():
    x = zen.tensor(V)
    v, g = zen.value_and_grad(energy)(x)
    assert isinstance(v, zen.Tensor) and isinstance(g, zen.Tensor)
    assert not v.requires_grad and not g.requires_grad and not x.requires_grad
    np.testing.assert_allclose(g.array, zen.grad(energy)(V))


@pytest.mark.parametrize("given", [3, np.int64(3), np.array(3), np.float64(3), 3.0])
def test_integers_count_as_float64(given):
    g = zen.grad(lambda x: x * x)(given)
    assert g.dtype == np.float64 and g == 6.0


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_gradients_keep_the_dtype(dtype):
    x = np.array([1, 2], dtype)
    assert zen.grad(lambda x: zen.sum(x * x * 0.5))(x).dtype == dtype
    assert zen.grad(zen.exp)(dtype(1)).dtype == dtype


def test_argnums():
    def f(a, b, c):
        return zen.sum(a * b * b) * c

    a, b = np.array([1.0, 2.0]), np.array([3.0, 4.0])
    np.testing.assert_allclose(zen.grad(f, 1)(a, b, 2.0), 4 * a * b)
    np.testing.assert_allclose(zen.grad(f, -2)(a, b, 2.0), 4 * a * b)
    gc, ga = zen.grad(f, (2, 0))(a, b, 2.0)
    np.testing.assert_allclose(gc, np.sum(a * b * b))
    np.testing.assert_allclose(ga, 2 * b * b)
    assert len(zen.grad(f, [0])(a, b, 2.0)) == 1


def test_keywords_are_passed_through():
    assert zen.grad(lambda x, *, n, name: x**n)(2.0, n=3, name="n") == 12.0


def test_nested_structures_come_back_as_what_they_were():
    params = {
        "layers": [Layer(np.ones((2, 2)), np.zeros(2)), Layer(np.full((2, 2), 2.0), np.ones(2))],
        "scale": (2.0, None),
        "ordered": OrderedDict(a=1.0, b=np.ones(1)),
    }

    def loss(p, x):
        for layer in p["layers"]:
            x = zen.tanh(x @ layer.w + layer.b)
        return zen.sum(x) * p["scale"][0] + p["ordered"]["a"] * 3.0

    v, g = zen.value_and_grad(loss)(params, np.ones(2))
    assert isinstance(g["layers"][0], Layer) and isinstance(g["scale"], tuple) and g["scale"][1] is None
    assert type(g["ordered"]) is OrderedDict and g["ordered"]["a"] == 3.0
    np.testing.assert_array_equal(g["ordered"]["b"], [0.0])  # not used: zero
    np.testing.assert_allclose(g["scale"][0], v / 2 - 1.5)
    assert all(type(x) is np.ndarray for _, x in trees.leaves(g))
    assert trees.same_structure(g, params)

    def of_w(w):
        changed = {**params, "layers": [Layer(w, np.zeros(2)), params["layers"][1]]}
        return float(loss(changed, zen.tensor(np.ones(2))).array)

    np.testing.assert_allclose(g["layers"][0].w, numerical(of_w, np.ones((2, 2))), atol=1e-8)


def test_subclasses_of_dict_keep_what_they_carry():
    g = zen.grad(lambda d: d["a"] * 2.0)(defaultdict(list, a=1.0))
    assert g.default_factory is list and g["a"] == 2.0


def test_aux():
    def f(x):
        return x * x, {"twice": x * 2.0, "note": "text"}

    g, aux = zen.grad(f, has_aux=True)(3.0)
    assert g == 6.0 and type(aux["twice"]) is np.ndarray and aux == {"twice": 6.0, "note": "text"}
    (v, aux), g = zen.value_and_grad(f, has_aux=True)(3.0)
    assert (v, aux["twice"], g) == (9.0, 6.0, 6.0)
    (_, aux), _ = zen.value_and_grad(f, has_aux=True)(zen.tensor(3.0))
    assert isinstance(aux["twice"], zen.Tensor) and not aux["twice"].requires_grad


def test_a_result_that_does_not_depend_on_the_argument():
    np.testing.assert_array_equal(zen.grad(lambda x, y: zen.sum(y * 2.0), (0, 1))(V, V)[0], np.zeros(3))
    np.testing.assert_array_equal(zen.grad(lambda x: zen.tensor(3.0))(V), np.zeros(3))


def test_arguments_and_results_share_no_memory_with_what_comes_back():
    x = np.array([1.0, 2.0])
    (out, g) = zen.vjp(lambda a: a, x)
    (back,) = g(x)
    assert not np.shares_memory(out, x) and not np.shares_memory(back, x)
    out, tangent = zen.jvp(lambda a: a, (x,), (x,))
    assert not np.shares_memory(out, x) and not np.shares_memory(tangent, x)


def test_no_grad_around_a_transform():
    with zen.no_grad():
        np.testing.assert_allclose(zen.grad(energy)(V), numerical(value, V), atol=1e-8)
        assert not zen.is_grad_enabled()
        x = zen.tensor(V, requires_grad=True)
        assert not zen.grad(energy)(x).requires_grad
    assert x.grad is None


def test_the_leaf_gradients_of_a_users_tensors_are_left_alone():
    x, w = zen.tensor(V, requires_grad=True), zen.tensor(U, requires_grad=True)
    zen.grad(lambda x: zen.sum(x * w))(x)
    zen.grad(lambda a: zen.sum(a * w))(V)
    assert x.grad is None and w.grad is None


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (lambda: zen.grad(lambda x: x * 2.0)(V), ValueError, r"\(3,\).*\.sum\(\)"),
        (lambda: zen.grad(lambda x: 3.0)(V), TypeError, "float, not a Tensor"),
        (lambda: zen.grad(lambda x: None)(V), TypeError, "NoneType"),
        (lambda: zen.grad(lambda x: (x, x))(1.0), TypeError, "has_aux"),
        (lambda: zen.grad(lambda x: x, has_aux=True)(1.0), TypeError, "has_aux"),
        (lambda: zen.grad(lambda x: x, 2)(1.0), ValueError, "argnums 2"),
        (lambda: zen.grad(lambda x: x, (0, -1))(1.0), ValueError, "twice"),
        (lambda: zen.grad(lambda x: x, "x")(1.0), TypeError, "argnums"),
        (lambda: zen.grad(lambda x: x["a"])({"a": 1.0, "b": ["text"]}), TypeError, r"argument 0\['b'\]\[0\] is str"),
        (lambda: zen.grad(lambda x: x)(True), TypeError, "bool"),
        (lambda: zen.grad(lambda x: x)(np.array([True])), TypeError, "bool"),
        (lambda: zen.grad(lambda x: x)(1j), TypeError, "complex"),
        (lambda: zen.grad(lambda x: x)(np.array([1j])), TypeError, "complex"),
        (lambda: zen.grad(lambda x: x)(zen.tensor([1])), TypeError, "int64"),
        (lambda: zen.grad(lambda x: 1 / 0)(1.0), ZeroDivisionError, None),
    ],
)
def test_bad_calls_of_grad(call, error, match):
    with pytest.raises(error, match=match):
        call()
    assert zen.is_grad_enabled()
    assert zen.grad(zen.sin)(0.0) == 1.0
    # A failed call leaves no trace that makes later results Tensors.
    assert type(zen.grad(lambda x: x * x)(1.0)) is np.ndarray


# Nesting


def test_gradients_of_gradients():
    f = zen.sin
    expected = [np.cos, lambda x: -np.sin(x), lambda x: -np.cos(x), np.sin, np.cos]
    for derivative in expected:
        f = zen.grad(f)
        g = f(0.7)
        assert type(g) is np.ndarray
        np.testing.assert_allclose(g, derivative(0.7))


def test_the_hessian_in_four_ways():
    hvp = HESSIAN @ U
    np.testing.assert_allclose(zen.grad(lambda x: zen.sum(zen.grad(energy)(x) * U))(V), hvp, atol=1e-7)
    np.testing.assert_allclose(zen.jvp(zen.grad(energy), (V,), (U,))[1], hvp, atol=1e-7)
    np.testing.assert_allclose(zen.grad(lambda x: zen.jvp(energy, (x,), (U,))[1])(V), hvp, atol=1e-7)
    _, pull = zen.vjp(zen.grad(energy), V)
    np.testing.assert_allclose(pull(U)[0], hvp, atol=1e-7)


def test_forward_over_forward_over_forward():
    def along(f):
        return lambda x: zen.jvp(f, (x,), (1.0,))[1]

    np.testing.assert_allclose(along(along(along(zen.sin)))(0.7), -np.cos(0.7))
    np.testing.assert_allclose(along(zen.grad(along(zen.sin)))(0.7), -np.cos(0.7))
    np.testing.assert_allclose(zen.grad(along(along(zen.sin)))(0.7), -np.cos(0.7))


def test_inner_and_outer_variables_are_told_apart():
    # d/dx [x * d/dy (x + y)] = 1; Siskind and Pearlmutter 2005, "Perturbation Confusion and Referential Transparency".
    assert zen.grad(lambda x: x * zen.grad(lambda y: x + y)(1.0))(1.0) == 1.0
    assert zen.jvp(lambda x: x * zen.jvp(lambda y: x + y, (1.0,), (1.0,))[1], (1.0,), (1.0,))[1] == 1.0
    assert zen.grad(lambda x: zen.grad(lambda y: x * y * y)(x))(3.0) == 12.0


@pytest.mark.parametrize("inner", [2.0, np.array(2.0)])
def test_an_inner_gradient_sees_that_an_outer_variable_was_closed_over(inner):
    assert zen.grad(lambda x: zen.grad(lambda y: x * x * y)(inner))(3.0) == 6.0
    assert zen.jvp(lambda x: zen.grad(lambda y: x * x * y)(inner), (3.0,), (1.0,))[1] == 6.0
    assert zen.grad(lambda x: zen.jvp(lambda y: x * x * y, (inner,), (1.0,))[1])(3.0) == 6.0

    def by_vjp(x):
        out, pull = zen.vjp(lambda y: x * x * y, inner)
        return pull(1.0)[0] + out

    assert zen.grad(by_vjp)(3.0) == 18.0


def test_an_inner_gradient_of_constants_stays_numpy():
    inner = []

    def f(x):
        inner.append(zen.grad(lambda y: y * y)(5.0))
        return x * inner[0]

    assert zen.grad(f)(3.0) == 10.0
    assert type(inner[0]) is np.ndarray


def test_a_users_tensor_stays_in_its_graph():
    x = zen.tensor(V, requires_grad=True)
    g = zen.grad(energy)(x)
    assert g.requires_grad
    np.testing.assert_allclose(zen.gradients(g, x, U).array, HESSIAN @ U, atol=1e-7)
    w = zen.tensor(2.0, requires_grad=True)
    g = zen.grad(lambda y: w * y * y)(zen.tensor(3.0))
    assert zen.gradients(g, w).item() == 6.0
    v, _ = zen.value_and_grad(lambda y: w * y)(zen.tensor(3.0))
    assert zen.gradients(v, w).item() == 3.0


def test_a_gradient_step_can_be_differentiated():
    def inner_loss(w, rate):
        return zen.sum((w * rate - 1.0) ** 2)

    def outer(rate):
        w = np.array([0.5, 2.0])
        for _ in range(3):
            w = w - 0.1 * zen.grad(inner_loss)(w, rate)
        return zen.sum(w * w)

    def plain(rate):
        w = np.array([0.5, 2.0])
        for _ in range(3):
            w = w - 0.1 * 2 * rate * (w * rate - 1.0)
        return np.sum(w * w)

    np.testing.assert_allclose(zen.grad(outer)(1.5), numerical(plain, 1.5), rtol=1e-6)


def test_transforms_in_threads_do_not_see_each_other():
    kinds = []

    def work():
        kinds.append(type(zen.grad(lambda x: x * x)(3.0)))

    def f(x):
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        return x * x

    assert zen.grad(f)(2.0) == 4.0
    assert kinds == [np.ndarray]


# gradients


def test_gradients_has_the_structure_of_its_inputs():
    x, y = zen.tensor(2.0, requires_grad=True), zen.tensor(3.0, requires_grad=True)
    z = x * y * y
    assert zen.gradients(z, x, retain_graph=True).item() == 9.0
    (gx, gy) = zen.gradients(z, [x, y], retain_graph=True)
    assert (gx.item(), gy.item()) == (9.0, 12.0)
    g = zen.gradients(z, {"x": x, "rest": (y,)})
    assert g["x"].item() == 9.0 and g["rest"][0].item() == 12.0
    assert zen.gradients([], [x], allow_unused=True) == [None] and zen.gradients(x * 2.0, []) == []


def test_cotangents_of_several_outputs():
    x = zen.tensor(V, requires_grad=True)

    def outs():
        return [x * 2.0, zen.sum(x)]

    np.testing.assert_allclose(zen.gradients(outs(), x, [U, 3.0]).array, 2 * U + 3)
    np.testing.assert_allclose(zen.gradients(outs(), x, (zen.tensor(U), None)).array, 2 * U + 1)
    np.testing.assert_allclose(zen.gradients({"a": x * 2.0}, x, {"a": U}).array, 2 * U)
    np.testing.assert_allclose(zen.gradients(x * 2.0, x, [U]).array, 2 * U)


def test_a_cotangent_can_be_differentiated():
    x, c = zen.tensor(V, requires_grad=True), zen.tensor(U, requires_grad=True)
    g = zen.gradients(zen.exp(x), x, c, create_graph=True)
    np.testing.assert_allclose(zen.gradients(g.sum(), c).array, np.exp(V))


def test_bad_calls_of_gradients():
    x, free = zen.tensor(V, requires_grad=True), zen.tensor(V)
    other = zen.tensor(1.0, requires_grad=True)

    def y():
        return x * 2.0

    for call, error, match in (
        (lambda: zen.gradients(y(), x), RuntimeError, r"outputs has shape \(3,\).*grad_outputs"),
        (lambda: zen.gradients(y(), x, np.ones(2)), ValueError, r"\(2,\).*\(3,\)"),
        (lambda: zen.gradients(y(), x, [U, U]), ValueError, "structure"),
        (lambda: zen.gradients([y(), y()], x, U), ValueError, "1 cotangents for 2"),
        (lambda: zen.gradients({"a": y()}, x, {"b": U}), ValueError, "structure"),
        (lambda: zen.gradients(free * 2.0, x, U), RuntimeError, "outputs does not require a gradient"),
        (lambda: zen.gradients(y(), [x, free], U), RuntimeError, r"inputs\[1\].*requires_grad_"),
        (lambda: zen.gradients(y(), [x, other], U), RuntimeError, r"inputs\[1\].*allow_unused=True"),
        (lambda: zen.gradients(V, x), TypeError, "outputs is ndarray"),
        (lambda: zen.gradients(y(), V, U), TypeError, "inputs is ndarray"),
    ):
        with pytest.raises(error, match=match):
            call()
    g = zen.gradients(x * 2.0, [x, other], U, allow_unused=True)
    assert g[1] is None
    np.testing.assert_allclose(g[0].array, 2 * U)


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
        with zen.no_grad():
            y += 1.0
        return y

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


# custom_vjp


@zen.custom_vjp
def cube(x):
    """x**3."""
    return x**3


@cube.defvjp
def _(g, out, x):
    return 3 * x * x * g


@zen.custom_vjp
def scaled(x, w, label, *, factor=1.0):
    assert type(x) is np.ndarray and label == "static"
    return x * w * factor


@scaled.defvjp
def _(g, out, x, w, label, *, factor=1.0):
    return g * w * factor, zen.sum(g * x) * factor, None


def test_a_custom_operation():
    x = zen.tensor(V, requires_grad=True)
    y = cube(x)
    assert isinstance(y, zen.Tensor) and y.node.row.name == "cube" and cube.__doc__ == "x**3."
    y.sum().backward()
    np.testing.assert_allclose(x.grad.array, 3 * V**2)
    np.testing.assert_allclose(cube(V).array, V**3)
    assert not cube(V).requires_grad


def test_a_custom_operation_of_several_arguments():
    np.testing.assert_allclose(
        zen.grad(lambda x, w: zen.sum(scaled(x, w, "static", factor=3.0)), (0, 1))(V, 2.0)[0], np.full(3, 6.0)
    )
    gx, gw = zen.grad(lambda x, w: zen.sum(scaled(x, w, "static")), (0, 1))(V, 2.0)
    np.testing.assert_allclose(gx, np.full(3, 2.0))
    np.testing.assert_allclose(gw, V.sum())
    g = zen.grad(lambda x: zen.sum(scaled(x, 2.0, "static")))(V)
    np.testing.assert_allclose(g, np.full(3, 2.0))


def test_a_custom_operation_at_higher_orders_and_in_forward_mode():
    np.testing.assert_allclose(zen.grad(zen.grad(cube))(2.0), 12.0)
    np.testing.assert_allclose(zen.grad(zen.grad(zen.grad(cube)))(2.0), 6.0)
    np.testing.assert_allclose(zen.jvp(cube, (V,), (U,))[1], 3 * V**2 * U)
    np.testing.assert_allclose(zen.jvp(zen.grad(cube), (2.0,), (1.0,))[1], 12.0)
    f = lambda x, w: zen.sum(scaled(x, w, "static", factor=3.0))  # noqa: E731
    np.testing.assert_allclose(zen.jvp(f, (V, 2.0), (U, 0.5))[1], 3 * (2 * U.sum() + 0.5 * V.sum()))
    np.testing.assert_allclose(zen.grad(lambda w: zen.grad(f)(V, w)[0])(2.0), 3.0)


def test_a_custom_operation_given_both_functions():
    double = zen.custom_vjp(lambda x: 2 * x, lambda g, out, x: (2 * g,))
    assert zen.grad(double)(1.0) == 2.0


def test_a_custom_operation_in_plain_numpy_cannot_be_differentiated_twice():
    @zen.custom_vjp
    def sine(x):
        return np.sin(x)

    @sine.defvjp
    def _(g, out, x):
        assert type(x) is np.ndarray
        return g * np.cos(x)

    @zen.custom_vjp
    def array_sine(x):
        return np.sin(x)

    @array_sine.defvjp
    def _(g, out, x):
        if isinstance(x, zen.Tensor):
            return g.array * np.cos(x.array)
        return g * np.cos(x)

    for f, error in ((sine, AssertionError), (array_sine, TypeError)):
        np.testing.assert_allclose(zen.grad(f)(1.0), np.cos(1.0))
        for call in (lambda f=f: zen.grad(zen.grad(f))(1.0), lambda f=f: zen.jvp(f, (1.0,), (1.0,))):
            with pytest.raises(error) as caught:
                call()
            text = str(caught.value) + "".join(getattr(caught.value, "__notes__", []))
            assert f.__name__ in text and "dispatch" in text
    x = zen.tensor(1.0, requires_grad=True)
    with pytest.raises(TypeError, match=r"array_sine.*create_graph"):
        array_sine(x).backward(create_graph=True)
    assert x.grad is None and zen.is_grad_enabled()


@pytest.mark.parametrize(
    ("gradient", "error", "match"),
    [
        (lambda g, x: np.ones(5), (ValueError, RuntimeError), r"bad.*\(5,\).*\(3,\)"),
        (lambda g, x: 1.0, (ValueError, RuntimeError), r"bad.*\(\).*\(3,\)"),
        (lambda g, x: np.ones((1, 3)), (ValueError, RuntimeError), r"bad.*\(1, 3\).*\(3,\)"),
        (lambda g, x: (g, g), ValueError, r"bad.*2 gradients for 1 arguments"),
        (lambda g, x: (), ValueError, r"bad.*0 gradients"),
        (lambda g, x: np.array(["a", "b", "c"]), TypeError, "bad.*dtype"),
        (lambda g, x: 1 / 0, ZeroDivisionError, None),
    ],
)
def test_a_custom_derivative_that_is_wrong(gradient, error, match):
    bad = zen.custom_vjp(lambda x: x * 2.0, lambda g, out, x: gradient(g, x))
    bad._name = "bad"
    x = zen.tensor(V, requires_grad=True)
    with pytest.raises(error, match=match):
        bad(x).sum().backward()
    assert x.grad is None
    (x * 2.0).sum().backward()
    np.testing.assert_array_equal(x.grad.array, [2.0, 2.0, 2.0])


def test_nan_and_none_are_gradients():
    nan = zen.custom_vjp(lambda x: x * 1.0, lambda g, out, x: g * np.nan)
    assert np.isnan(zen.grad(nan)(1.0))
    half = zen.custom_vjp(lambda x, y: x + y, lambda g, out, x, y: (g, None))
    x, y = zen.tensor(1.0, requires_grad=True), zen.tensor(1.0, requires_grad=True)
    half(x, y).backward()
    assert x.grad.item() == 1.0 and (y.grad is None or y.grad.item() == 0.0)


def test_a_gradient_gets_the_dtype_of_its_argument():
    f = zen.custom_vjp(lambda x: x * 2, lambda g, out, x: np.full(x.shape, 2.0))
    assert zen.grad(lambda x: zen.sum(f(x)))(np.ones(3, np.float32)).dtype == np.float32


def test_bad_custom_operations():
    @zen.custom_vjp
    def nothing(x):
        return x * 2.0

    with pytest.raises(RuntimeError, match=r"nothing.*defvjp"):
        zen.grad(nothing)(1.0)
    assert nothing(1.0).item() == 2.0
    with pytest.raises(TypeError, match="custom_vjp"):
        zen.custom_vjp(3)
    with pytest.raises(TypeError, match="defvjp"):
        nothing.defvjp(None)
    with pytest.raises(TypeError, match="tuple"):
        zen.custom_vjp(lambda x: (x, x))(1.0)
    x = zen.tensor(1.0, requires_grad=True)
    for call in (lambda: scaled(1.0, 1.0, [x]), lambda: scaled(1.0, 1.0, "static", factor=x)):
        with pytest.raises(TypeError, match="scaled.*lose its gradient"):
            call()


def test_a_custom_operation_that_returns_its_argument():
    same = zen.custom_vjp(lambda x: x, lambda g, out, x: g)
    x = zen.tensor(V, requires_grad=True)
    y = same(x)
    assert not np.shares_memory(y.array, x.array)
    y.sum().backward()
    np.testing.assert_array_equal(x.grad.array, np.ones(3))
    reverse = zen.custom_vjp(lambda x: x[::-1], lambda g, out, x: g[::-1])
    assert not np.shares_memory(reverse(x).array, x.array)
    np.testing.assert_array_equal(zen.grad(lambda x: zen.sum(reverse(x) * U))(V), U[::-1])
