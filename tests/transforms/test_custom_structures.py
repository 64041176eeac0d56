"""custom_vjp and custom_jvp with arguments and results of any structure and dtype, under every transform."""

from collections import namedtuple

import numpy as np
import pytest

import zen

Pair = namedtuple("Pair", "u v")
X, Y = np.array([0.3, 0.7, 1.1]), np.array([1.5, -0.5, 0.25])
A = np.arange(9.0).reshape(3, 3) / 10


def plain(p, c):
    """What both operations compute, in ordinary operations."""
    x, y = p["x"], p["rest"][0]
    return {"sum": np.sin(x) * y, "pair": Pair(x * x, (y**3, c * x.sum()))}


def with_counts(p, c):
    return plain(p, c) | {"count": np.arange(3), "label": np.array([True, False])}


@zen.custom_vjp
def by_vjp(p, c, mode, *, scale=1.0):
    assert type(p["x"]) is type(p["rest"][0]) is np.ndarray and p["rest"][1] == "text" and mode == "exact"
    return with_counts(p, c)


@by_vjp.defvjp
def _(g, out, p, c, mode, *, scale=1.0):
    x, y = p["x"], p["rest"][0]
    first, (second, (third, fourth)) = g["sum"], g["pair"]
    assert type(out["pair"]) is type(g["pair"]) is Pair and out["count"].dtype.kind == "i"
    assert g["count"].shape == (3,) and g["label"].shape == (2,)
    gx = first * np.cos(x) * y + second * 2 * x + fourth * c
    gy = first * np.sin(x) + third * 3 * y**2
    return {"x": gx, "rest": [gy, None]}, (fourth * x.sum()), None


@zen.custom_jvp
def by_jvp(p, c, mode):
    return with_counts(p, c)


@by_jvp.defjvp
def _(primals, tangents):
    (p, c, _), (t, tc, _) = primals, tangents
    x, y, tx, ty = p["x"], p["rest"][0], t["x"], t["rest"][0]
    moved = {
        "sum": np.cos(x) * tx * y + np.sin(x) * ty,
        "pair": Pair(2 * x * tx, (3 * y**2 * ty, tc * x.sum() + c * tx.sum())),
        "count": np.zeros(3), "label": np.zeros(2),
    }  # fmt: skip
    return by_jvp(p, c, "exact"), moved


def through(operation):
    """A function of one vector that uses all results but the counts, and gives them all."""

    def f(z):
        out = operation({"x": z[:3], "rest": [z[3:6], "text"]}, z[6], "exact")
        assert out["count"].dtype.kind == "i" and out["label"].dtype == bool
        pair = out["pair"]
        return np.concatenate([out["sum"], pair.u, pair[1][0], pair.v[1].reshape(1)])

    return f


def reference(z):
    out = plain({"x": z[:3], "rest": [z[3:6]]}, z[6])
    return np.concatenate([out["sum"], out["pair"].u, out["pair"].v[0], out["pair"].v[1].reshape(1)])


Z = np.concatenate([X, Y, [2.0]])
T = np.linspace(-1.0, 1.0, 7)
OPERATIONS = {"vjp": by_vjp, "jvp": by_jvp}
TRANSFORMS = {
    "value": lambda f: f(Z),
    "grad": lambda f: zen.grad(lambda z: (f(z) ** 2).sum())(Z),
    "one result": lambda f: zen.grad(lambda z: f(z)[0])(Z),
    "jvp": lambda f: zen.jvp(f, (Z,), (T,))[1],
    "jacrev": lambda f: zen.jacrev(f)(Z),
    "jacfwd": lambda f: zen.jacfwd(f)(Z),
    "hessian": lambda f: zen.hessian(lambda z: (f(z) ** 2).sum())(Z),
    "jacrev of grad": lambda f: zen.jacrev(zen.grad(lambda z: (f(z) ** 2).sum()))(Z),
    "hvp": lambda f: zen.hvp(lambda z: (f(z) ** 2).sum(), Z, T),
    "hessian_diag": lambda f: zen.hessian_diag(lambda z: (f(z) ** 2).sum())(Z),
    "linearize": lambda f: zen.linearize(f, Z)[1](T),
    "vjp": lambda f: zen.vjp(f, Z)[1](np.arange(10.0))[0],
    "third": lambda f: zen.jacfwd(zen.hessian(lambda z: (f(z) ** 2).sum()))(Z),
    "vmap": lambda f: zen.vmap(f)(np.stack([Z, T])),
    "vmap of grad": lambda f: zen.vmap(zen.grad(lambda z: (f(z) ** 2).sum()))(np.stack([Z, T])),
    "grad of vmap": lambda f: zen.grad(lambda z: (zen.vmap(f)(z) ** 2).sum())(np.stack([Z, T])),
    "vmap of jacfwd": lambda f: zen.vmap(zen.jacfwd(f))(np.stack([Z, T])),
    "vmap of vmap": lambda f: zen.vmap(zen.vmap(f))(np.stack([Z, T, Z, T]).reshape(2, 2, 7)),
    "checkpoint": lambda f: zen.grad(lambda z: (zen.checkpoint(f)(z) ** 2).sum())(Z),
    "hessian of checkpoint": lambda f: zen.hessian(lambda z: (zen.checkpoint(f)(z) ** 2).sum())(Z),
}


@pytest.mark.filterwarnings("ignore:vmap")
@pytest.mark.parametrize("transform", list(TRANSFORMS))
@pytest.mark.parametrize("kind", list(OPERATIONS))
def test_under_every_transform(kind, transform):
    found, expected = TRANSFORMS[transform](through(OPERATIONS[kind])), TRANSFORMS[transform](reference)
    np.testing.assert_allclose(np.asarray(getattr(found, "value", found)), expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("shape", [(), (0,), (2, 3)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex128])
def test_shapes_and_dtypes(shape, dtype):
    both = zen.custom_vjp(lambda p: [p[0] * 2, (p[1] * 3,)], lambda g, out, p: ([2 * g[0], 3 * g[1][0]],))
    x, y = (zen.tensor(np.full(shape, v, dtype), requires_grad=True) for v in (1.0, 2.0))
    a, (b,) = both([x, y])
    assert a.shape == b.shape == shape and a.dtype == b.dtype == dtype
    zen.real((a + b).sum()).backward()
    np.testing.assert_array_equal(x.grad.value, np.full(shape, 2, dtype))
    np.testing.assert_array_equal(y.grad.value, np.full(shape, 3, dtype))


def test_cotangents_of_what_nobody_used_are_zeros():
    seen = []

    def pull(g, out, x):
        seen.append(g)
        return g[0] + g[1].sum()

    f = zen.custom_vjp(lambda x: (x * 2, np.full((2, 2), x), np.arange(3), x.astype(np.float32)), pull)
    x = zen.tensor(3.0, requires_grad=True)
    f(x)[0].backward()
    assert [c.shape for c in seen[0]] == [(), (2, 2), (3,), ()]
    assert [c.dtype for c in seen[0][:2]] == [np.float64, np.float64] and seen[0][3].dtype == np.float32
    assert not any(c.any() for c in seen[0][1:]) and x.gradient == 1


def test_an_operation_all_of_whose_results_are_integers():
    f = zen.custom_vjp(lambda x: {"n": np.rint(x).astype(int)}, lambda g, out, x: g["n"])
    x = zen.tensor(2.6, requires_grad=True)
    assert f(x)["n"].item() == 3 and not f(x)["n"].requires_grad


def test_lists_of_numbers_and_names_are_no_arguments_with_gradients():
    f = zen.custom_vjp(lambda x, shape, opts: x.reshape(shape) * opts["by"], lambda g, out, x, shape, opts:
                       (g.reshape(x.shape) * opts["by"], None, None))  # fmt: skip
    found = zen.grad(lambda x: f(x, (3, 2), {"by": 2.0, "name": "a"}).sum())(np.ones((2, 3)))
    np.testing.assert_array_equal(found, np.full((2, 3), 2.0))


@pytest.mark.parametrize(("gradient", "kind", "message"), [
    (lambda g, p: ({"x": g},), ValueError, "odd: the vjp returned a gradient for argument 1 that does not"),
    (lambda g, p: (g,), ValueError, "odd: the vjp returned a gradient for argument 1 that does not have its structure"),
    (lambda g, p: ([g, None],), ValueError, "odd: .* for argument 1 that does not have its structure"),
    (lambda g, p: ({"x": g, "y": [g.sum()]},), ValueError, r"odd: .* of shape \(\) for argument 1, whose .*\(3,\)"),
    (lambda g, p: (g, g), ValueError, "odd: the vjp returned 2 gradients for 1 arguments"),
])  # fmt: skip
def test_gradients_of_another_structure(gradient, kind, message):
    def odd(p):
        return p["x"] * p["y"][0]

    f = zen.custom_vjp(odd, lambda g, out, p: gradient(g, p))
    x = zen.tensor(X, requires_grad=True)
    with pytest.raises(kind, match=message):
        f({"x": x, "y": [x]}).sum().backward()
    f = zen.custom_vjp(odd, lambda g, out, p: ({"x": g * p["y"][0], "y": None},))
    np.testing.assert_allclose(zen.grad(lambda x: f({"x": x, "y": [Y]}).sum())(X), Y)


# Free variables


W = zen.tensor(2.0, requires_grad=True)
LAYER = zen.nn.Linear(3, 3)


def _vjp_of(function):
    return zen.custom_vjp(function, lambda g, out, x: g)


def _jvp_of(function):
    return zen.custom_jvp(function, lambda primals, tangents: (primals[0], tangents[0]))


USES = {
    "a global": lambda x: x * W,
    "in a container": lambda x: (x, [x * W]),
    "its values taken": lambda x: (x * W).value,
    "its values taken before": lambda x: np.exp((W * 2).value) * x,
    "a module": lambda x: LAYER(x.astype(np.float32)).value,
    "itself": lambda x: W,
}


@pytest.mark.parametrize("name", list(USES))
@pytest.mark.parametrize("made", [_vjp_of, _jvp_of])
def test_a_free_variable_is_refused(made, name):
    f, x = made(USES[name]), zen.tensor(X, requires_grad=True)
    calls = (
        lambda: f(x), lambda: f(X), lambda: zen.grad(lambda x: f(x).sum())(X), lambda: zen.jvp(f, (X,), (X,)),
        lambda: zen.checkpoint(f)(x), lambda: zen.hessian(lambda x: f(x).sum())(X),
    )  # fmt: skip
    for call in calls:
        with pytest.raises(
            TypeError, match="uses a Tensor that requires a gradient and is no argument.*pass it as an ar"
        ):
            call()


@pytest.mark.filterwarnings("ignore:vmap")
@pytest.mark.parametrize("made", [_vjp_of, _jvp_of])
def test_a_free_variable_of_a_transform_is_refused(made):
    def f(w):
        return made(lambda x: x * w)(X).sum()

    for call in (
        lambda: zen.grad(f)(2.0), lambda: zen.jvp(f, (2.0,), (1.0,)), lambda: zen.vmap(zen.grad(f))(X),
        lambda: zen.linearize(f, 2.0), lambda: zen.vmap(lambda w: zen.jvp(f, (w,), (1.0,))[1])(X),
    ):  # fmt: skip
        with pytest.raises(TypeError, match="is no argument of it"):
            call()
    np.testing.assert_allclose(zen.vmap(f)(X), [X.sum() * w for w in X])  # nothing asks for a gradient


@pytest.mark.parametrize("made", [_vjp_of, _jvp_of])
def test_what_is_constant_may_be_used(made):
    constant = zen.tensor(3.0)
    for function in (lambda x: x * constant, lambda x: x * W.detach(), lambda x: x * W.value,
                     lambda x: zen.grad(lambda y: (y**3).sum())(x)):  # fmt: skip
        assert made(function)(X).shape == (3,)
    with zen.no_grad():
        np.testing.assert_allclose(made(lambda x: x * W)(X), 2 * X)


def test_a_free_variable_of_the_rule_is_refused_in_forward_mode():
    f = zen.custom_jvp(lambda x: x * 2.0, lambda primals, tangents: (primals[0] * 2, tangents[0] * W))
    with pytest.raises(TypeError, match="the jvp uses a Tensor that requires a gradient and is no argument"):
        zen.jvp(f, (X,), (X,))
