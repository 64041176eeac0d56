"""ODEs, matrix-free systems and custom roots against JAX, which differentiates them by the same theorems."""

import jax
import jax.numpy as jnp
import numpy as np
from jax.experimental.ode import odeint
from jax.scipy.sparse.linalg import cg

import zen

jax.config.update("jax_enable_x64", True)
jax.config.update("jax_disable_most_optimizations", True)  # each program runs once
RATES, Y0, T = np.array([0.55, 0.028, 0.8, 0.024]), np.array([30.0, 6.0]), np.array([0.0, 1.0, 3.0])
RNG = np.random.default_rng(0)
Q = RNG.normal(size=(5, 5))
MATRIX = Q @ Q.T + 5 * np.eye(5)
B, D = RNG.normal(size=5), RNG.uniform(1, 2, 5)


def change(stack):
    return lambda y, t, p: stack([(p[0] - p[1] * y[1]) * y[0], (p[3] * y[0] - p[2]) * y[1]])


def test_an_ode_and_its_gradients():
    def mine(p, y0, t):
        y = zen.odeint(lambda t, y, p: change(zen.stack)(y, t, p), y0, t, p, rtol=1e-10, atol=1e-10)
        return (zen.log(y) ** 2).sum()

    def theirs(p, y0, t):
        return (jnp.log(odeint(change(jnp.stack), y0, t, p, rtol=1e-10, atol=1e-10)) ** 2).sum()

    found, expected = zen.grad(mine, (0, 1, 2))(RATES, Y0, T), jax.grad(theirs, (0, 1, 2))(RATES, Y0, T)
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-7)


def test_matrix_free_systems_to_second_order():
    def mine(d):
        return (zen.linalg.cg(lambda v: MATRIX @ v + d * v, B) ** 3).sum()

    def theirs(d):
        return (cg(lambda v: MATRIX @ v + d * v, B, tol=1e-12)[0] ** 3).sum()

    np.testing.assert_allclose(zen.grad(mine)(D), jax.grad(theirs)(D), rtol=1e-6, atol=1e-9)
    second = jax.jvp(jax.grad(theirs), (D,), (B,))[1]
    np.testing.assert_allclose(zen.hvp(mine, (D,), (B,))[0], second, rtol=1e-5, atol=1e-8)


def test_a_custom_root():
    def mine(a):
        return zen.implicit_root(lambda x, a: zen.tanh(x) * x - a, np.ones(3), a)

    def theirs(a):
        def solve(f, x):
            for _ in range(30):
                x = x - f(x) / jax.jvp(f, (x,), (jnp.ones(3),))[1]
            return x

        return jax.lax.custom_root(
            lambda x: jnp.tanh(x) * x - a, jnp.ones(3), solve, lambda g, y: jnp.linalg.solve(jax.jacobian(g)(y), y)
        )

    a = np.array([0.5, 1.0, 2.0])
    np.testing.assert_allclose(mine(a), theirs(a), rtol=1e-10)
    np.testing.assert_allclose(zen.jacobian(mine)(a), jax.jacobian(theirs)(a), rtol=1e-8, atol=1e-12)
