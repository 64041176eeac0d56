"""`vmap`: what a function gives for each example, for all of them at once."""

import pickle
import threading
import warnings

import numpy as np
import pytest

import zen
from zen import nn

X = np.random.default_rng(0).normal(size=(3, 4))
W = np.random.default_rng(1).normal(size=(4, 4))


@pytest.fixture(autouse=True)
def strict():
    """A warning says that something runs for each example: here it must not, unless a test asks."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def f(x):
    return np.exp(np.sin(x)) @ W @ np.cos(x) * x[0] + (x**3).prod()


def each(g, *args):
    return np.stack([np.asarray(g(*parts)) for parts in zip(*args, strict=True)])


def test_a_function_of_one_example_is_applied_to_all():
    np.testing.assert_allclose(zen.vmap(f)(X), [f(x) for x in X])


def test_arguments_may_be_the_same_for_all():
    found = zen.vmap(lambda w, x: w @ x, (None, 0))(W, X)
    np.testing.assert_allclose(found, X @ W.T)


def test_examples_may_lie_along_any_axis():
    np.testing.assert_allclose(zen.vmap(lambda x: x * 2, 1, -1)(X), X * 2)
    np.testing.assert_allclose(zen.vmap(lambda x, y: x + y, (0, -1), 1)(X, X.T), (X + X).T)


def test_nested_arguments_and_results():
    found = zen.vmap(lambda p, x: {"a": [p["w"] @ x, x], "b": p["c"]}, ({"w": None, "c": 0}, 0))(
        {"w": W, "c": np.arange(3.0)}, X
    )
    np.testing.assert_allclose(found["a"][0], X @ W.T)
    np.testing.assert_array_equal(found["a"][1], X)
    np.testing.assert_array_equal(found["b"], [0, 1, 2])


def test_keyword_arguments_have_their_examples_in_front():
    np.testing.assert_array_equal(zen.vmap(lambda x, *, s: x * s)(X, s=np.arange(3.0)), X * np.arange(3.0)[:, None])


def test_a_result_that_does_not_depend_on_the_example_is_repeated():
    np.testing.assert_array_equal(zen.vmap(lambda x: np.float64(2.0))(X), [2, 2, 2])
    assert zen.vmap(lambda x: zen.tensor(2.0), out_axes=None)(X) == 2


def test_arrays_give_arrays_and_tensors_tensors():
    assert type(zen.vmap(f)(X)) is np.ndarray
    assert isinstance(zen.vmap(f)(zen.tensor(X)), zen.Tensor)
    w = zen.tensor(2.0, requires_grad=True)
    assert zen.vmap(lambda x: w * x)(X).requires_grad


def test_free_variables_stay_connected():
    w = zen.tensor(2.0, requires_grad=True)
    zen.vmap(lambda x: (w * x).sum())(X).sum().backward()
    np.testing.assert_allclose(w.grad.item(), X.sum())


@pytest.mark.parametrize("name", ["grad", "jacobian", "jacfwd", "jacrev", "hessian", "hessian_diag"])
def test_within_and_around_the_other_transforms(name):
    g = getattr(zen, name)(f)
    expected = each(g, X)
    np.testing.assert_allclose(zen.vmap(g)(X), expected, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(zen.vmap(zen.vmap(g))(X[None]), expected[None], rtol=1e-12, atol=1e-12)
    found = zen.grad(lambda X: (zen.vmap(g)(X) ** 2).sum())(X)
    np.testing.assert_allclose(found, each(zen.grad(lambda x: (g(x) ** 2).sum()), X), rtol=1e-10, atol=1e-10)


def test_jvp_and_vjp_of_each_example():
    tangents = np.random.default_rng(2).normal(size=X.shape)
    value, tangent = zen.vmap(lambda x, t: zen.jvp(f, (x,), (t,)))(X, tangents)
    np.testing.assert_allclose(value, each(f, X))
    np.testing.assert_allclose(tangent, [zen.jvp(f, (x,), (t,))[1] for x, t in zip(X, tangents, strict=True)])

    def pulled(x, c):
        _, pull = zen.vjp(lambda x: np.sin(x) * x, x)
        return pull(c)[0]

    np.testing.assert_allclose(zen.vmap(pulled)(X, tangents), tangents * (np.cos(X) * X + np.sin(X)))


def test_all_cotangents_of_one_pullback():
    y, pull = zen.vjp(lambda x: np.tanh(W @ x), X[0])
    (rows,) = zen.vmap(pull)(np.eye(4))
    np.testing.assert_allclose(rows, (1 - np.asarray(y) ** 2)[:, None] * W)


def test_jvp_of_a_gradient_of_each_example():
    found = zen.vmap(lambda x: zen.jvp(zen.grad(f), (x,), (np.ones(4),))[1])(X)
    np.testing.assert_allclose(found, [zen.hessian(f)(x).sum(1) for x in X], rtol=1e-10, atol=1e-10)


def test_chunks_give_the_same():
    for size in (1, 2, 3, 5):
        np.testing.assert_allclose(zen.vmap(f, chunk_size=size)(X), each(f, X))
    found = zen.vmap(lambda x: (x, x.sum()), out_axes=(1, 0), chunk_size=2)(X)
    np.testing.assert_array_equal(found[0], X.T)


def test_gradients_of_each_example_by_the_parameters_of_a_model():
    zen.random.seed(0)
    model = nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(36, 5), nn.LayerNorm(5), nn.Linear(5, 3)
    )
    rng = np.random.default_rng(0)
    images, classes = zen.tensor(rng.normal(size=(6, 1, 8, 8)).astype("f")), zen.tensor(rng.integers(0, 3, 6))
    parameters = {name: p.detach() for name, p in model.named_parameters()}

    def loss(p, x, y):
        return zen.f.cross_entropy(nn.functional_call(model, p, x[None]), y[None])

    found = zen.vmap(zen.grad(loss), (None, 0, 0))(parameters, images, classes)
    zen.f.cross_entropy(model(images), classes).backward()
    for name, p in model.named_parameters():
        expected = each(lambda x, y, name=name: zen.grad(loss)(parameters, x, y)[name].numpy(), images, classes)
        np.testing.assert_allclose(found[name].numpy(), expected, rtol=1e-4, atol=1e-6)
        np.testing.assert_allclose(found[name].numpy().mean(0), p.grad.numpy(), rtol=1e-4, atol=1e-6)


def test_random_numbers_differ_by_example():
    zen.random.seed(0)
    drawn = zen.vmap(lambda x: zen.random.normal(2) + 0 * x[0])(X)
    assert len(np.unique(drawn)) == 6
    kept = zen.vmap(lambda x: zen.f.dropout(x, 0.5))(np.ones((50, 4)))
    assert set(np.unique(kept)) == {0.0, 2.0} and len(np.unique(kept, axis=0)) > 8
    nested = zen.vmap(zen.vmap(lambda x: zen.random.uniform() + 0 * x))(X)
    assert len(np.unique(nested)) == 12
    assert zen.vmap(lambda x: zen.random.integers(10, shape=3) + 0 * x[:3])(X).shape == (3, 3)


@pytest.mark.parametrize("g", [
    lambda x, k: x[k], lambda x, k: x[k, 1], lambda x, k: x[k[0], k[1] % 2], lambda x, k: x[k, ...],
    lambda x, k: x[1:][k[0] % 4], lambda x, k: zen.tensor(W)[k], lambda x, k: zen.tensor(W)[:, k[0] % 4],
])  # fmt: skip
def test_an_index_may_differ_by_example(g):
    x, k = np.random.default_rng(0).normal(size=(3, 5, 2)), np.array([[0, 1], [2, 2], [3, 0]])
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="vmap: ")
        found = zen.vmap(g)(x, k)
    np.testing.assert_array_equal(found, each(lambda x, k: g(zen.tensor(x), zen.tensor(k)), x, k))


def test_writes_in_place_to_what_the_function_made():
    def g(x):
        y = x * 2
        y[0] = x[1]
        y += 1
        y[1:] *= 3
        return y

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="vmap: ")
        found = zen.vmap(g)(X)
    expected = X * 2
    expected[:, 0] = X[:, 1]
    expected += 1
    expected[:, 1:] *= 3
    np.testing.assert_allclose(found, expected)


def test_a_write_reaches_what_shares_the_memory():
    def g(x):
        y = x * 1
        part = y[1:]
        part[0] = 7.0
        alias = y
        alias *= 2
        return y

    with pytest.warns(UserWarning, match="vmap: "):
        found = zen.vmap(g)(X)
    expected = X.copy()
    expected[:, 1] = 7
    np.testing.assert_allclose(found, 2 * expected)


def test_an_argument_of_the_caller_is_written_to_as_without_vmap():
    def g(x):
        x[0] = 0.0
        return x.sum()

    given = zen.tensor(X)
    with pytest.warns(UserWarning, match="runs once for each example"):
        zen.vmap(g)(given)
    assert (given.numpy()[:, 0] == 0).all()


def test_a_condition_on_values_runs_each_example_and_says_so_once():
    def relu(x):
        return x if x > 0 else 0 * x

    mapped = zen.vmap(relu)
    with pytest.warns(UserWarning, match=r"vmap: .*relu runs once for each example: Unbatched: a condition"):
        found = mapped(np.array([-1.0, 2.0]))
    np.testing.assert_array_equal(found, [0, 2])
    np.testing.assert_array_equal(mapped(np.array([3.0, -2.0])), [3, 0])


def test_a_function_without_a_rule_runs_for_each_example():
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="vmap: ")
        found = zen.vmap(np.median)(X)
    np.testing.assert_allclose(found, np.median(X, 1))


def test_a_custom_derivative_is_not_lost():
    @zen.custom_vjp
    def twice_for_each(x):
        assert x.shape == X.shape[1:]
        return 2 * x

    @twice_for_each.defvjp
    def _(g, out, x):
        return 30 * g

    with pytest.warns(UserWarning, match="twice_for_each has no rule for all examples at once"):
        found = zen.vmap(zen.grad(lambda x: twice_for_each(x).sum()))(X)
    np.testing.assert_array_equal(found, np.full(X.shape, 30.0))


def test_no_examples():
    assert zen.vmap(lambda x: x.sum())(np.zeros((0, 4))).shape == (0,)
    assert zen.vmap(zen.grad(lambda x: (x**2).sum()))(np.zeros((0, 4))).shape == (0, 4)


def test_threads_map_at_a_time():
    results = {}

    def run(k):
        results[k] = [zen.vmap(zen.grad(f))(X * k) for _ in range(20)]

    threads = [threading.Thread(target=run, args=(k,)) for k in range(1, 5)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    for k, found in results.items():
        expected = each(zen.grad(f), X * k)
        for one in found:
            np.testing.assert_allclose(one, expected)


def test_pickles_with_its_function():
    mapped = pickle.loads(pickle.dumps(zen.vmap(np.sum, 1)))
    np.testing.assert_allclose(mapped(X), X.sum(0))


@pytest.mark.parametrize(("call", "kind", "message"), [
    (lambda: zen.vmap(3), TypeError, "vmap: expected a function, not int"),
    (lambda: zen.vmap(f, chunk_size=0), ValueError, "vmap: chunk_size is a positive int or None, not 0"),
    (lambda: zen.vmap(f, chunk_size=True), ValueError, "vmap: chunk_size is a positive int or None, not True"),
    (lambda: zen.vmap(f, "a"), TypeError, "vmap: in_axes holds 'a'"),
    (lambda: zen.vmap(f, (0, 0))(X), ValueError, "vmap: in_axes has 2 entries for 1 positional arguments"),
    (lambda: zen.vmap(f, None)(X), ValueError, "vmap: no argument has examples"),
    (lambda: zen.vmap(np.add)(X, X[:2]), ValueError, "unequal number: argument 0 has 3, argument 1 has 2"),
    (lambda: zen.vmap(f)(2.0), ValueError, "argument 0 is a single number, which has no examples; give None"),
    (lambda: zen.vmap(f)("ab"), TypeError, "argument 0 is str, which has no examples; give None for it in in_axes"),
    (lambda: zen.vmap(f, 2)(X), np.exceptions.AxisError, "vmap: argument 0: axis 2 is out of range"),
    (lambda: zen.vmap(f, ({"a": 0},))(X), ValueError, "vmap: in_axes does not have the structure of argument 0"),
    (lambda: zen.vmap(f, out_axes=None)(X), ValueError, "vmap: out_axes is None for the result, but it depends"),
    (lambda: zen.vmap(lambda x: x, out_axes=(0, 0))(X), ValueError, "vmap: out_axes does not have the structure"),
    (lambda: zen.vmap(zen.grad(lambda x: x))(X), ValueError, "grad: the function returned shape"),
])  # fmt: skip
def test_errors(call, kind, message):
    with warnings.catch_warnings(), pytest.raises(kind) as raised:
        warnings.simplefilter("ignore")
        call()
    assert message in str(raised.value)


def test_a_value_that_outlives_its_call_is_refused():
    kept = []
    zen.vmap(lambda x: kept.append(x * 2) or x)(X)
    with pytest.raises(RuntimeError, match="was used after it"):
        zen.vmap(zen.grad(lambda x: (x * kept[0]).sum()))(X)
