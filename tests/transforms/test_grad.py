"""grad, value_and_grad and gradients: values, structures, nesting, errors."""

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
        (lambda: zen.grad(3), TypeError, "^grad: expected a function, not int"),
        (lambda: zen.value_and_grad(3), TypeError, "^value_and_grad: expected a function, not int"),
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


def test_what_is_returned_beside_the_value_comes_without_the_graph_that_the_pass_released():
    def f(x):
        y = np.exp(x)
        return y.sum(), {"y": y, "total": y.sum()}

    (value, aux), _ = zen.value_and_grad(f, has_aux=True)(np.zeros(2))
    assert not any([isinstance(x, zen.Tensor) for x in (value, aux["y"], aux["total"])])
    (value, aux), _ = zen.value_and_grad(f, has_aux=True)(zen.tensor([0.0, 0.0]))
    assert not (value.requires_grad or aux["y"].requires_grad or aux["total"].requires_grad)
    w = zen.tensor(2.0, requires_grad=True)
    _, aux = zen.grad(lambda x: ((x * x).sum(), w * x), has_aux=True)(np.ones(2))
    aux.sum().backward()
    assert w.grad.item() == 2.0
