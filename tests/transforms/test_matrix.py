"""Each transform inside of each other one, against derivatives known in closed form.

Functions are sums f(x) = sum_r c_r exp(a_r . x). What a transform makes of one, contracted with fixed weights, is such
a sum again, with other c and a: `INNER` gives the sum that the outer transform is applied to, and `OUTER` what that
must return.
"""

import numpy as np
import pytest

import zen

RNG = np.random.default_rng(0)
X, V, W = RNG.normal(size=3) / 2, RNG.normal(size=3), RNG.normal(size=3)
M, SCALES, PARTS = RNG.normal(size=(3, 3)), np.array([1.0, 0.5]), np.array([0.7, -1.3])


class Sum:
    """sum_r c_r exp(a_r . x), and its derivatives of every order at x."""

    def __init__(self, c, a):
        self.c, self.a = np.asarray(c), np.asarray(a)

    def __call__(self, x):
        return (self.c * np.exp(self.a @ x)).sum()

    def derivative(self, order, x=X):
        terms = self.c * np.exp(self.a @ x)
        return np.einsum(f"r{''.join([f',r{k}' for k in 'ijklm'[:order]])}->{'ijklm'[:order]}", terms,
                         *[self.a] * order)  # fmt: skip

    def times(self, factors):
        return Sum(self.c * factors, self.a)


F = Sum([0.5, -0.8], RNG.normal(size=(2, 3)))


def custom_vjp(f):
    @zen.custom_vjp
    def own(x):
        return f(x)

    own.defvjp(lambda g, out, x: g * zen.grad(f)(x))
    return own


def custom_jvp(f):
    @zen.custom_jvp
    def own(x):
        return f(x)

    own.defjvp(lambda primals, tangents: (f(primals[0]), (zen.grad(f)(primals[0]) * tangents[0]).sum()))
    return own


pytestmark = pytest.mark.filterwarnings("ignore:vmap. (.*own|a derivative)")
"""What a user wrote gets one example after the other, which a warning says."""


def both(pair):
    return pair[0] + (pair[1] * W).sum()


INNER = {
    "grad": (lambda f: lambda x: (zen.grad(f)(x) * W).sum(), lambda s: s.times(s.a @ W)),
    "value_and_grad": (lambda f: lambda x: both(zen.value_and_grad(f)(x)), lambda s: s.times(1 + s.a @ W)),
    "vjp": (lambda f: lambda x: (zen.vjp(f, x)[1](1.5)[0] * W).sum(), lambda s: s.times(1.5 * (s.a @ W))),
    "jvp": (lambda f: lambda x: zen.jvp(f, (x,), (V,))[1], lambda s: s.times(s.a @ V)),
    "linearize": (lambda f: lambda x: zen.linearize(f, x)[1](V), lambda s: s.times(s.a @ V)),
    "jacobian": (lambda f: lambda x: (zen.jacobian(f)(x) * W).sum(), lambda s: s.times(s.a @ W)),
    "jacfwd": (lambda f: lambda x: (zen.jacfwd(f)(x) * W).sum(), lambda s: s.times(s.a @ W)),
    "jacrev": (lambda f: lambda x: (zen.jacrev(f)(x) * W).sum(), lambda s: s.times(s.a @ W)),
    "value_and_jacobian": (lambda f: lambda x: both(zen.value_and_jacobian(f)(x)), lambda s: s.times(1 + s.a @ W)),
    "hessian": (lambda f: lambda x: (zen.hessian(f)(x) * M).sum(), lambda s: s.times(((s.a @ M) * s.a).sum(1))),
    "value_and_hessian": (lambda f: lambda x: (zen.value_and_hessian(f)(x)[1] * M).sum(),
                          lambda s: s.times(((s.a @ M) * s.a).sum(1))),
    "hvp": (lambda f: lambda x: (zen.hvp(f, x, V) * W).sum(), lambda s: s.times((s.a @ V) * (s.a @ W))),
    "hessian_diag": (lambda f: lambda x: (zen.hessian_diag(f)(x) * W).sum(), lambda s: s.times((s.a * s.a) @ W)),
    "vmap": (lambda f: lambda x: (zen.vmap(f)(SCALES[:, None] * x) * PARTS).sum(),
             lambda s: Sum(np.outer(PARTS, s.c).ravel(), np.concatenate([k * s.a for k in SCALES]))),
    "checkpoint": (lambda f: zen.checkpoint(f), lambda s: s),
    "custom_vjp": (custom_vjp, lambda s: s),
    "custom_jvp": (custom_jvp, lambda s: s),
    "stop_gradient": (lambda f: lambda x: f(x) * 3 - zen.stop_gradient(f(x)) * 2, None),
}  # fmt: skip


def of_values(transform):
    """The value and the gradient of what a transform makes that leaves the values as they are."""
    return lambda f: zen.value_and_grad(transform(f))(X)


def value_and_gradient(s):
    return s.derivative(0), s.derivative(1)


OUTER = {
    "grad": (lambda f: zen.grad(f)(X), lambda s: s.derivative(1)),
    "value_and_grad": (lambda f: zen.value_and_grad(f)(X), value_and_gradient),
    "vjp": (lambda f: (zen.vjp(f, X)[0], zen.vjp(f, X)[1](1.5)[0]), lambda s: (s.derivative(0), 1.5 * s.derivative(1))),
    "jvp": (lambda f: zen.jvp(f, (X,), (V,)), lambda s: (s.derivative(0), s.derivative(1) @ V)),
    "linearize": (lambda f: zen.linearize(f, X)[1](V), lambda s: s.derivative(1) @ V),
    "all directions": (lambda f: zen.vmap(zen.linearize(f, X)[1])(np.eye(3)), lambda s: s.derivative(1)),
    "jacobian": (lambda f: zen.jacobian(f)(X), lambda s: s.derivative(1)),
    "jacfwd": (lambda f: zen.jacfwd(f)(X), lambda s: s.derivative(1)),
    "jacrev": (lambda f: zen.jacrev(f)(X), lambda s: s.derivative(1)),
    "value_and_jacobian": (lambda f: zen.value_and_jacobian(f)(X), value_and_gradient),
    "hessian": (lambda f: zen.hessian(f)(X), lambda s: s.derivative(2)),
    "value_and_hessian": (lambda f: zen.value_and_hessian(f)(X), lambda s: (s.derivative(0), s.derivative(2))),
    "hvp": (lambda f: zen.hvp(f, X, V), lambda s: s.derivative(2) @ V),
    "hessian_diag": (lambda f: zen.hessian_diag(f)(X), lambda s: np.diag(s.derivative(2))),
    "vmap": (lambda f: zen.vmap(f)(SCALES[:, None] * X), lambda s: np.array([s.derivative(0, k * X) for k in SCALES])),
    "vmap of grad": (lambda f: zen.vmap(zen.grad(f))(SCALES[:, None] * X),
                     lambda s: np.array([s.derivative(1, k * X) for k in SCALES])),
    "grad of vmap": (lambda f: zen.grad(lambda x: zen.vmap(f)(x[None]).sum())(X), lambda s: s.derivative(1)),
    "vmap of hessian": (lambda f: zen.vmap(zen.hessian(f))(X[None])[0], lambda s: s.derivative(2)),
    "checkpoint": (of_values(zen.checkpoint), value_and_gradient),
    "custom_vjp": (of_values(custom_vjp), value_and_gradient),
    "custom_jvp": (of_values(custom_jvp), value_and_gradient),
    "stop_gradient": (lambda f: zen.grad(lambda x: f(x) * zen.stop_gradient(f(x)))(X),
                      lambda s: s.derivative(0) * s.derivative(1)),
}  # fmt: skip


def compare(found, expected):
    found, expected = (list(zen.trees.values([x])) for x in (found, expected))
    assert len(found) == len(expected)
    for x, want in zip(found, expected, strict=True):
        assert np.shape(x) == np.shape(want)
        np.testing.assert_allclose(x, want, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("inner", [name for name in INNER if name != "stop_gradient"])
@pytest.mark.parametrize("outer", list(OUTER))
def test_one_inside_of_the_other(outer, inner):
    transform, analytic = INNER[inner]
    apply, expected = OUTER[outer]
    compare(apply(transform(F)), expected(analytic(F)))


@pytest.mark.parametrize("outer", ["grad", "jvp", "linearize", "jacobian", "jacfwd", "jacrev", "hessian", "hvp",
                                   "hessian_diag", "vmap of grad", "vmap of hessian", "grad of vmap"])  # fmt: skip
def test_around_a_stopped_gradient(outer):
    """The value is that of f, the derivatives are three times those of f."""
    apply, expected = OUTER[outer]
    found, want = apply(INNER["stop_gradient"][0](F)), expected(F.times(3.0))
    compare(found if outer != "jvp" else found[1], want if outer != "jvp" else want[1])


@pytest.mark.parametrize("inner", ["grad", "jvp", "hessian", "vmap", "hvp", "checkpoint", "custom_vjp", "custom_jvp"])
@pytest.mark.parametrize("middle", ["grad", "jvp", "jacobian", "vmap", "checkpoint", "custom_jvp", "hessian_diag"])
@pytest.mark.parametrize("outer", ["grad", "jvp", "hessian", "vmap of grad"])
def test_three_of_them(outer, middle, inner):
    (first, made), (second, then) = INNER[inner], INNER[middle]
    apply, expected = OUTER[outer]
    compare(apply(second(first(F))), expected(then(made(F))))


@pytest.mark.parametrize("inner", [name for name in INNER if name != "stop_gradient" and "custom" not in name])
def test_a_free_variable_stays_connected(inner):
    """Of a factor of f, by which every transform is linear."""
    transform, analytic = INNER[inner]
    k = zen.tensor(1.25, requires_grad=True)
    value = transform(lambda x: F(x) * k)(X)
    assert value.requires_grad
    compare(zen.gradients(value, k).numpy(), analytic(F).derivative(0))


def pulled(f, x):
    pull = zen.vjp(f, x)[1]
    return zen.vmap(lambda c: pull(c)[0])(PARTS)


MANY = {
    "pull": (pulled, lambda s, x: np.outer(PARTS, s.derivative(1, x))),
    "vjp": (lambda f, x: zen.vmap(lambda c: zen.vjp(f, x)[1](c)[0])(PARTS),
            lambda s, x: np.outer(PARTS, s.derivative(1, x))),
    "push": (lambda f, x: zen.vmap(zen.linearize(f, x)[1])(M), lambda s, x: M @ s.derivative(1, x)),
    "jacrev": (lambda f, x: zen.jacrev(f)(x), lambda s, x: s.derivative(1, x)),
    "jacfwd": (lambda f, x: zen.jacfwd(f)(x), lambda s, x: s.derivative(1, x)),
}  # fmt: skip


@pytest.mark.parametrize("inner", ["checkpoint", "custom_vjp", "custom_jvp"])
@pytest.mark.parametrize("many", list(MANY))
def test_a_pass_of_many_runs_what_differentiates_itself(many, inner):
    """In a `vmap` and outside; what the pass has many of is none of the function's."""
    apply, expected = MANY[many]
    transform, made = INNER["grad"]
    f, s = INNER[inner][0](transform(F)), made(F)
    compare(apply(f, X), expected(s, X))
    points = SCALES[:, None] * X
    compare(zen.vmap(lambda x: apply(f, x))(points), np.array([expected(s, x) for x in points]))
