"""Arrays that are overwritten, or exchanged for others, between what a transform ran and its backward pass.

The gradient is that of the values when the function ran, or RuntimeError says what changed.
"""

import numpy as np
import pytest

import zen

SMALL, HUGE = 6, 200_000  # saved by copy, and by reference with a fingerprint
SIZES = pytest.mark.parametrize("n", [SMALL, HUGE], ids=["small", "huge"])
MESSAGE = r"overwritten|did not do the same"
held = {"a": None}


def agree(gradient, expected, may_raise=True):
    """Whether `gradient()` is what is expected, or an error that says why not."""
    try:
        found = gradient()
    except RuntimeError as error:
        assert may_raise and any(part in str(error) for part in MESSAGE.split("|")), error  # noqa: PT017
    else:
        np.testing.assert_allclose(np.asarray(getattr(found, "value", found)), expected, rtol=1e-12)


def leaf(n):
    return zen.tensor(np.ones(n), requires_grad=True)


def backward(y, w):
    y.sum().backward()
    return w.gradient


# vmap


def _looped(x, w):
    return x * w if x[0] > -100 else x


MAPPED = {
    "mapped": lambda x, w, g: zen.vmap(lambda x, w: x * w, (0, None))(g, w),
    "along another axis": lambda x, w, g: zen.vmap(lambda x, w: x * w, (1, None))(g.T, w),
    "as a keyword": lambda x, w, g: zen.vmap(lambda w, x: x * w, (None,))(w, x=g),
    "in a container": lambda x, w, g: zen.vmap(lambda d, w: d["x"] * w, (0, None))({"x": g}, w),
    "in chunks": lambda x, w, g: zen.vmap(lambda x, w: x * w, (0, None), chunk_size=1)(g, w),
    "in a loop": lambda x, w, g: zen.vmap(_looped, (0, None))(g, w),
    "product": lambda x, w, g: zen.vmap(lambda x, w: x @ w, (0, None))(g, w),
    "two levels": lambda x, w, g: zen.vmap(zen.vmap(lambda x, w: x * w))(g[None], w[None, None] * np.ones((1, 2, 1))),
    "captured": lambda x, w, g: zen.vmap(lambda k, w: w * g[k], (0, None))(np.arange(2), w),
    "the same for all": lambda x, w, g: zen.vmap(lambda k, w, g: w * g[k], (0, None, None))(np.arange(2), w, g),
    "gradient": lambda x, w, g: zen.vmap(zen.grad(lambda v, w: (v * v * w).sum() / 2), (0, None))(g, w),
    "selection": lambda x, w, g: zen.vmap(lambda x, w: zen.where(x > -1e9, x, 0.0) * w, (0, None))(g, w),
    "checkpointed": lambda x, w, g: zen.vmap(zen.checkpoint(lambda x, w: x * w), (0, None))(g, w),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore:vmap")
@SIZES
@pytest.mark.parametrize("name", list(MAPPED))
def test_vmap(name, n):
    x, w = np.random.default_rng(0).normal(size=(2, n)), leaf(n)
    given = x.copy()
    y = MAPPED[name](x, w, given)
    given[...] = 0.0
    agree(lambda: backward(y, w), x.sum(0), may_raise=n == HUGE)


@SIZES
def test_masks_and_indices_of_vmap(n):
    mask, index = np.random.default_rng(0).random((2, n)) < 0.5, np.random.default_rng(1).integers(0, n, (2, 4))
    for f, given, expected in (
        (lambda m, w: zen.where(m, w, 0.0), mask.copy(), mask.sum(0)),
        (lambda k, w: w[k], index.copy(), np.bincount(index.ravel(), minlength=n)),
    ):
        w = leaf(n)
        y = zen.vmap(f, (0, None))(given, w)
        given[...] = 0
        agree(lambda: backward(y, w), expected, may_raise=False)  # noqa: B023


@pytest.mark.filterwarnings("ignore:vmap")
@SIZES
def test_pullbacks_and_linearizations(n):
    x, a = np.random.default_rng(0).normal(size=(2, n))
    ones, expected = np.ones(n), 2 * x * a

    def overwritten(make):
        point, array = x.copy(), a.copy()
        apply = make(point, array)
        point[:] = array[:] = 0.0
        agree(apply, expected, may_raise=n == HUGE)

    for name in ("vjp", "linearize"):
        made = getattr(zen, name)
        only = (lambda y: y[0]) if name == "vjp" else (lambda y: y)
        for call in (lambda f: f(ones), lambda f: zen.vmap(f)(ones[None])):

            def make(x, a, made=made, only=only, call=call):
                _, f = made(lambda v: v * v * a, x)
                return lambda: np.reshape(only(call(f)), n)

            overwritten(make)


DIRECTIONS = {
    "vjp": lambda w, x, c: zen.vjp(lambda x: w * w * x**2, x)[1](c)[0],
    "linearize": lambda w, x, c: zen.linearize(lambda x: w * w * x**2, x)[1](c),
    "jvp": lambda w, x, c: zen.jvp(lambda x: w * w * x**2, (x,), (c,))[1],
    "gradients": lambda w, x, c: zen.gradients(2 * w * w * x * w / 3, w, grad_outputs=c, create_graph=True),
    "vmap of a pullback": lambda w, x, c: zen.vmap(zen.vjp(lambda x: w * w * x**2, x)[1])(c[None])[0],
    "vmap of jvp": lambda w, x, c: zen.vmap(lambda c: zen.jvp(lambda x: w * w * x**2, (x,), (c,))[1])(c[None]),
}  # fmt: skip


@SIZES
@pytest.mark.parametrize("name", list(DIRECTIONS))
def test_cotangents_and_tangents_of_what_is_differentiated_again(name, n):
    x, w = np.random.default_rng(0).normal(size=n), zen.tensor(np.full(n, 2.0), requires_grad=True)
    for given in (lambda c: c, zen.asarray):
        w.grad, c = None, np.ones(n)
        y = DIRECTIONS[name](w, x, given(c))
        c[:] = 7.0
        agree(lambda: backward(y, w), 8 * x, may_raise=n == HUGE)  # noqa: B023


def test_a_linearization_within_vmap_is_that_of_the_values_then():
    def f(x):
        a = np.array([3.0, 4.0])
        y, push = zen.linearize(lambda v: v * v * a, x)
        a[:] = 0.0
        return push(np.ones(2)), zen.vmap(push)(np.eye(2))

    x = np.array([[1.0, 2.0], [5.0, 6.0]])
    one, many = zen.vmap(f)(x)
    np.testing.assert_array_equal(one, 2 * x * [3, 4])
    np.testing.assert_array_equal(many, [np.diag(row) for row in 2 * x * [3, 4]])


def test_stop_gradient_of_what_is_written_to():
    w = leaf(3)
    inner = w * 2.0
    s = zen.stop_gradient(inner)
    y = inner * inner
    s += 1
    agree(lambda: backward(y, w), np.full(3, 8.0))


# checkpoint: f(w, g) is linear in w, and of value 0 at the point: the result alone could not tell.


def _use_global(w):
    return (w - 1.0) * held["a"]


def _even(w, a):
    """The same for a and for -a - 2."""
    return (w + a) ** 2


def _through_operation(g):
    weighted = zen.custom_vjp(lambda x: x * g, lambda c, out, x: c * g)
    return lambda w: weighted(w) - weighted(np.ones(len(g))).value


CHECKPOINTS = {
    "argument": lambda w, g: zen.checkpoint(lambda w, a: (w - 1.0) * a, w, g),
    "keyword": lambda w, g: zen.checkpoint(lambda w, a: (w - 1.0) * a, w, a=g),
    "nested": lambda w, g: zen.checkpoint(lambda w, d: (w - 1.0) * d["a"][0], w, {"a": [g]}),
    "Tensor": lambda w, g: zen.checkpoint(lambda w, a: (w - 1.0) * a, w, zen.asarray(g)),
    "closure": lambda w, g: zen.checkpoint(lambda w: (w - 1.0) * g, w),
    "Tensor of a closure": lambda w, g: (lambda t: zen.checkpoint(lambda w: (w - 1.0) * t, w))(zen.asarray(g)),
    "in NumPy's part": lambda w, g: zen.checkpoint(lambda w: (w - 1.0) * np.abs(g) * np.sign(g), w),
    "added": lambda w, g: zen.checkpoint(lambda w: zen.exp(w + g) / np.exp(w.value + g) * g, w),
    "nested checkpoints": lambda w, g: zen.checkpoint(zen.checkpoint(lambda w: (w - 1.0) * g), w),
    "an operation's closure": lambda w, g: zen.checkpoint(_through_operation(g), w),
    "its index": lambda w, g: zen.checkpoint(lambda w: (w[np.arange(len(g))] - 1.0) * g, w),
}  # fmt: skip


@SIZES
@pytest.mark.parametrize("name", list(CHECKPOINTS))
def test_checkpoint(name, n):
    a, w = np.random.default_rng(0).normal(size=n), leaf(n)
    given = a.copy()
    y = CHECKPOINTS[name](w, given)
    given[:] = -given
    agree(lambda: backward(y, w), a)


@SIZES
def test_arguments_of_checkpoint_are_as_they_were(n):
    a, w = np.random.default_rng(0).normal(size=n), leaf(n)
    given, box = a.copy(), {"a": a.copy()}
    y = zen.checkpoint(lambda w, a, d: w * a * d["a"], w, given, box)
    box["a"] = np.zeros(n)
    if n == SMALL:
        given[:] = 0.0
    agree(lambda: backward(y, w), a * a, may_raise=False)


@pytest.mark.parametrize("change", ["in place", "another", "a number", "a branch", "a Tensor", "the function"])
def test_what_checkpoint_finds_outside_has_changed(change):
    w = leaf(3)
    held.update(a=np.array([1.0, 2.0, 3.0]), flag=True, f=np.sin)
    if change in ("a number", "a Tensor"):
        held["a"] = 2.0 if change == "a number" else zen.tensor([1.0, 2.0, 3.0])
    if change == "a branch":
        y = zen.checkpoint(lambda w: (w - 1.0) * 2.0 if held["flag"] else (w - 1.0) * 3.0, w)
    elif change == "the function":
        y = zen.checkpoint(lambda w: held["f"](w - 1.0), w)
    else:
        y = zen.checkpoint(_use_global, w)
    held.update(flag=False, f=np.tan)
    if change == "in place":
        held["a"][:] = 5.0
    else:
        held["a"] = held["a"] * 2.0
    with pytest.raises(RuntimeError, match="checkpoint: the function did not do the same when it ran again.*argument"):
        backward(y, w)
    assert w.grad is None


def test_a_value_that_is_the_same_by_chance():
    w, a = leaf(3), np.array([1.0, 2.0, 3.0])
    y = zen.checkpoint(lambda w: _even(w, a), w)
    a[:] = -a - 2
    with pytest.raises(RuntimeError, match="did not do the same"):
        backward(y, w)


def test_random_numbers_of_numpy_differ():
    w, rng = leaf(3), np.random.default_rng(0)
    y = zen.checkpoint(lambda w: w * rng.normal(size=3), w)
    with pytest.raises(RuntimeError, match="did not do the same"):
        backward(y, w)


def test_what_is_put_back_is_the_same():
    w, a = leaf(3), np.array([1.0, 2.0, 3.0])
    y, before = zen.checkpoint(lambda w: w * a, w), a.copy()
    a[:] = 0.0
    a[:] = before
    np.testing.assert_array_equal(backward(y, w), before)


@pytest.mark.filterwarnings("ignore:vmap")
@pytest.mark.parametrize("layer", [
    lambda: zen.nn.Sequential(zen.nn.Linear(6, 8), zen.nn.GELU(), zen.nn.Dropout(0.4), zen.nn.LayerNorm(8)),
    lambda: zen.nn.LSTM(6, 4, batch_first=True), lambda: zen.nn.TransformerEncoderLayer(6, 2, 8, batch_first=True),
    lambda: zen.nn.Sequential(zen.nn.Conv1d(5, 4, 3), zen.nn.MaxPool1d(2), zen.nn.Softmax(-1)),
])  # fmt: skip
@pytest.mark.parametrize("order", ["C", "F"])
def test_layers_do_the_same_again(layer, order):
    net, x = layer().double(), np.asarray(np.random.default_rng(0).normal(size=(3, 5, 6)), order=order)

    def loss(f):
        zen.random.seed(1)
        y = f(zen.tensor(x))
        return ((y[0] if isinstance(y, tuple) else y) ** 3).sum()

    found, expected = (zen.gradients(loss(f), list(net.parameters())) for f in (zen.checkpoint(net), net))
    for g, e in zip(found, expected, strict=True):
        np.testing.assert_allclose(g.value, e.value, rtol=1e-9, atol=1e-12)


# custom_vjp and custom_jvp


def _first(x):
    while isinstance(x, (dict, list, tuple)):
        x = x["k"] if isinstance(x, dict) else x[0]
    return x


@zen.custom_vjp
def vjp_operation(x, b=None, *, k=None):
    return x * 1.0


@vjp_operation.defvjp
def _(g, out, x, b=None, *, k=None):
    made = g * _first(k if b is None else b)
    return made if b is None else (made, None)


@zen.custom_jvp
def jvp_operation(x, b=None, *, k=None):
    return x * 1.0


@jvp_operation.defjvp
def _(primals, tangents, k=None):
    return primals[0], tangents[0] * _first(k if len(primals) == 1 else primals[1])


GIVEN = {
    "argument": lambda f, w, g: f(w, g), "list": lambda f, w, g: f(w, [g]), "dict": lambda f, w, g: f(w, {"k": (g,)}),
    "keyword": lambda f, w, g: f(w, k=g), "dict as keyword": lambda f, w, g: f(w, k={"k": [g]}),
    "list as keyword": lambda f, w, g: f(w, k=[g]),
}  # fmt: skip


@SIZES
@pytest.mark.parametrize("operation", [vjp_operation, jvp_operation])
@pytest.mark.parametrize("name", list(GIVEN))
def test_what_an_operation_of_the_user_s_own_is_given(name, operation, n):
    a = np.random.default_rng(0).normal(size=n)
    for transform in ("backward", "linearize", "vjp", "hessian"):
        given, w = a.copy(), leaf(n)
        if transform == "backward":
            y = GIVEN[name](operation, w, given)
            apply = lambda: backward(y, w)  # noqa: E731, B023
        elif transform == "hessian":
            if n == HUGE:
                continue
            y = zen.gradients((GIVEN[name](operation, w, given) * w).sum(), w, create_graph=True)
            apply = lambda: backward(y, w)  # noqa: E731, B023
        else:
            _, made = getattr(zen, transform)(lambda w: GIVEN[name](operation, w, given), np.ones(n))  # noqa: B023
            apply = lambda: made(np.ones(n)) if transform == "linearize" else made(np.ones(n))[0]  # noqa: E731, B023
        given[:] = 0.0
        agree(apply, 2 * a if transform == "hessian" else a, may_raise=n == HUGE)


@pytest.mark.parametrize("operation", [vjp_operation, jvp_operation])
def test_containers_of_an_operation_s_arguments_may_change(operation):
    for key in ("b", "k"):
        box, w = [np.array([1.0, 2.0])], leaf(2)
        y = operation(w, box) if key == "b" else operation(w, k=box)
        box[0] = np.zeros(2)
        np.testing.assert_array_equal(backward(y, w), [1, 2])


@pytest.mark.parametrize("n", [16, 1000, 10_000])
def test_a_change_of_all_signs_is_noticed(n):
    t, w = zen.tensor(np.random.default_rng(0).normal(size=n)), leaf(n)
    expected, y = t.value.copy(), w * t
    t.array[:] *= -1
    agree(lambda: backward(y, w), expected)
