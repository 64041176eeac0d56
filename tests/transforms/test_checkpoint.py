"""`checkpoint` gives the derivatives of the function itself, and saves nothing of it; `stop_gradient` gives none."""

import pickle
import warnings

import numpy as np
import pytest

import zen

X = np.linspace(0.1, 1.0, 5)


def f(x):
    return np.sin(np.exp(x)) * x.sum()


def loss(g):
    return lambda x: (g(x) ** 2).sum()


def third(f):
    return zen.jacfwd(zen.hessian(f))


@pytest.mark.parametrize("transform", [zen.grad, zen.hessian, third, zen.jacrev, zen.hessian_diag])
def test_within_the_transforms(transform):
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="vmap: ")
        found = transform(loss(zen.checkpoint(f)))(X)
    np.testing.assert_allclose(found, transform(loss(f))(X), rtol=1e-12)


def test_forward_mode_and_vmap():
    np.testing.assert_allclose(zen.jvp(zen.checkpoint(f), (X,), (X,))[1], zen.jvp(f, (X,), (X,))[1], rtol=1e-14)
    rows = np.stack([X, 2 * X])
    found = zen.vmap(zen.grad(loss(zen.checkpoint(f))))(rows)
    np.testing.assert_allclose(found, [zen.grad(loss(f))(row) for row in rows], rtol=1e-12)


def test_one_call():
    np.testing.assert_array_equal(zen.checkpoint(f, zen.tensor(X)).numpy(), f(X))


def test_free_variables_stay_connected():
    w, m = zen.tensor(2.0, requires_grad=True), zen.tensor(np.eye(5) * 0.3, requires_grad=True)

    def g(x):
        return np.sin(np.exp(x) * w) @ m

    expected = zen.gradients((g(zen.tensor(X)) ** 2).sum(), [w, m])
    (zen.checkpoint(g)(X) ** 2).sum().backward()
    np.testing.assert_allclose(w.grad.numpy(), expected[0].numpy())
    np.testing.assert_allclose(m.grad.numpy(), expected[1].numpy())
    doubled = w * 2  # an intermediate, which the function finds in its closure
    found = zen.gradients(zen.checkpoint(lambda x: x * doubled)(zen.tensor(X)).sum(), w)
    np.testing.assert_allclose(found.item(), 2 * X.sum())
    second = zen.grad(lambda x: (zen.checkpoint(lambda y: y**2 * w)(x)).sum())(X)
    np.testing.assert_allclose(zen.gradients(second.sum(), w).item(), 2 * X.sum())


def test_a_parameter_that_the_first_call_makes_gets_its_gradient():
    made = {}

    def g(x):
        if not made:
            made["w"] = zen.tensor(2.0, requires_grad=True)
        return x * made["w"]

    zen.checkpoint(g)(X).sum().backward()
    np.testing.assert_allclose(made["w"].grad.numpy(), X.sum())


def test_the_variables_of_a_transform_within_are_none_of_the_functions():
    x = zen.tensor(X, requires_grad=True)
    y = zen.checkpoint(lambda x: zen.vjp(np.sin, X)[1](x)[0])(x)
    assert y.node.inputs[0].inputs == (x.node,)
    y.sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), np.cos(X))


def test_forward_mode_by_a_free_variable():
    def g(w):
        return zen.checkpoint(lambda x: np.sin(x * w))(zen.tensor(X))

    np.testing.assert_allclose(zen.jvp(g, (2.0,), (1.0,))[1], X * np.cos(2 * X))


def test_trees_and_what_is_no_tensor():
    def g(p, *, power):
        return {"y": p["x"] ** power, "n": power, "none": None, "z": [zen.tensor(1)]}

    x = zen.tensor(X, requires_grad=True)
    found = zen.checkpoint(g)({"x": x, "name": "text"}, power=3)
    assert found["n"] == 3 and found["none"] is None and found["z"][0].item() == 1
    found["y"].sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), 3 * X**2)


def test_the_function_runs_again_and_nothing_is_kept_before():
    runs = []

    def g(x):
        runs.append(1)
        return np.exp(np.exp(x))

    x = zen.tensor(X, requires_grad=True)
    y = zen.checkpoint(g)(x)
    assert len(runs) == 1
    y.sum().backward()
    assert len(runs) == 2
    with zen.no_grad():
        zen.checkpoint(g)(x)
    assert len(runs) == 3


def test_random_numbers_are_repeated():
    zen.random.seed(0)
    x = zen.tensor(np.ones(100), requires_grad=True)
    y = zen.checkpoint(lambda x: zen.f.dropout(x, 0.5))(x)
    after = zen.random.normal(3).numpy()
    y.sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), y.numpy() if not y.requires_grad else y.detach().numpy())
    zen.random.seed(0)
    zen.f.dropout(x, 0.5)
    np.testing.assert_array_equal(after, zen.random.normal(3).numpy())


def test_what_was_overwritten_is_noticed():
    w = zen.tensor(2.0, requires_grad=True)
    y = zen.checkpoint(lambda x: x * w)(zen.tensor(X, requires_grad=True))
    with zen.no_grad():
        w += 1.0
    with pytest.raises(RuntimeError, match="checkpoint: a Tensor of shape .* was overwritten in place before it ran"):
        y.sum().backward()


def test_a_function_that_does_something_else_is_noticed():
    sizes = iter((5, 3))
    x = zen.tensor(X, requires_grad=True)
    y = zen.checkpoint(lambda x: x[: next(sizes)] * 2)(x)
    with pytest.raises(RuntimeError, match="checkpoint: the function gave other results when it ran again"):
        y.sum().backward()


def test_pickles_with_its_function():
    again = pickle.loads(pickle.dumps(zen.checkpoint(np.sum)))
    assert again(zen.tensor(X)).item() == X.sum()
    with pytest.raises(TypeError, match="checkpoint: expected a function, not int"):
        zen.checkpoint(3)


def test_stop_gradient():
    assert zen.grad(lambda x: x * zen.stop_gradient(x))(3.0) == 3
    assert zen.jvp(lambda x: x * zen.stop_gradient(x), (3.0,), (1.0,))[1] == 3
    np.testing.assert_array_equal(zen.vmap(zen.grad(lambda x: x * zen.stop_gradient(x)))(X), X)
    found = zen.stop_gradient({"a": [zen.tensor(1.0, requires_grad=True)], "b": "text", "c": None})
    assert not found["a"][0].requires_grad and found["b"] == "text" and found["c"] is None


def test_tensors_that_were_made_of_one_another_are_not_counted_twice():
    a = zen.tensor(2.0, requires_grad=True)
    b = a * 3.0
    y = zen.checkpoint(lambda x: x * a * b)(zen.tensor(1.0))  # 3 a^2
    assert zen.gradients(y, a, retain_graph=True).item() == 12.0
    (g,) = zen.gradients(y, [a], create_graph=True)
    assert zen.gradients(g, a).item() == 6.0
    x = a * 5.0
    (g,) = zen.gradients(zen.checkpoint(lambda x: x * a)(x), [a], create_graph=True)
    assert g.item() == 20.0 and zen.gradients(g, a).item() == 10.0
    seen = []
    b = a * 1.0
    b.register_hook(lambda g: seen.append(g.item()))
    zen.checkpoint(lambda x: x * b)(zen.tensor(1.0)).backward()
    assert seen == [1.0]


def test_a_gradient_within_by_something_else_is_connected_to_the_argument():
    assert zen.grad(zen.checkpoint(lambda x: zen.grad(lambda y: y * y * x)(3.0)))(2.0) == 6.0
