"""Beside JAX: values and derivatives of orders 1 and 2 of what PyTorch does not have, and of complex functions.

JAX's gradient of a complex argument is the conjugate of zen's, the direction of steepest ascent. A loss is the real
part of a result times drawn weights, and what is differentiated again is the real part of its gradient times others.
"""

import jax
import jax.numpy as jnp
import jax.scipy as jsp
import numpy as np
import pytest

import zen
from zen import f, fft, special, stats

jax.config.update("jax_enable_x64", True)
jax.config.update("jax_disable_most_optimizations", True)  # each program runs once
RNG = np.random.default_rng(11)


def draw(*shape, low=-1.5, high=1.5):
    return RNG.uniform(low, high, shape)


X, Y, P, U = draw(2, 3), draw(2, 3), draw(2, 3, low=0.3, high=3.0), draw(2, 3, low=0.1, high=0.9)
V, W, M, N = draw(5), draw(3), draw(3, 3) + 3 * np.eye(3), draw(4, 3) + 3 * np.eye(4, 3)
GRID = np.array([-2.0, -0.7, 0.4, 1.1, 2.3])
HOLES = np.where(np.arange(6).reshape(2, 3) % 4 == 1, np.nan, X)
Z, Q = draw(2, 3) + 1j * draw(2, 3), draw(3, 3) + 1j * draw(3, 3) + 3 * np.eye(3)
POLY = np.array([1.0, -0.5, -4.0, 1.5])


def named(module, peer, names, *args):
    return {name: (getattr(module, name), getattr(peer, name), args) for name in names.split()}


def both(function, *args):
    """One text for both: of f and jnp alike."""
    return (lambda *x: function(np, *x)), (lambda *x: function(jnp, *x)), args


def gram(x):
    return x @ x.T


CASES = {
    **named(np, jnp, "cbrt sinc i0 exp2 expm1 rad2deg nan_to_num square", X),
    **named(np, jnp, "logaddexp2 hypot arctan2 copysign fmax float_power", P, U),
    "ldexp": both(lambda n, x: n.ldexp(x, 3), X),
    "modf": both(lambda n, x: n.modf(x)[0], X),
    "heaviside": both(lambda n, x: n.heaviside(x, 0.5) * x, X),
    # statistics
    **named(np, jnp, "median ptp std var cumprod prod", X),
    **named(np, jnp, "nanmean nansum nanprod nanvar nanstd nanmedian nanmax nancumsum nancumprod", HOLES),
    "quantile": both(lambda n, x, q: n.quantile(x, q), V, np.array([0.23, 0.61])),
    "percentile": both(lambda n, x: n.percentile(x, 37.0, axis=0), N),
    "average": both(lambda n, x, w: n.average(x, weights=w), X, P),
    "cov": both(lambda n, x: n.cov(x), N.T),
    "corrcoef": both(lambda n, x: n.corrcoef(x), N.T),
    "cumprod with a zero": both(lambda n, x: n.cumprod(x), np.array([1.5, 0.0, 2.0, 0.0, 3.0])),
    "prod with zeros": both(lambda n, x: n.prod(x), np.array([1.5, 0.0, 2.0])),
    # signals and curves
    "interp": both(lambda n, x, xp, fp: n.interp(x, xp, fp), W, GRID, V),
    "gradient": both(lambda n, y: n.gradient(y), V),
    "gradient with a step": both(lambda n, y: n.gradient(y, 0.7), V),
    "trapezoid": both(lambda n, y, x: n.trapezoid(y, x), V, GRID),
    "unwrap": both(lambda n, x: n.unwrap(x * 4), V),
    "convolve": both(lambda n, a, v: n.convolve(a, v), V, W),
    "correlate": both(lambda n, a, v: n.correlate(a, v, "same"), V, W),
    "polyval": both(lambda n, p, x: n.polyval(p, x), POLY, X),
    "polymul": both(lambda n, p, q: n.polymul(p, q), POLY, W),
    "polyder, polyint": both(lambda n, p: n.polyder(n.polyint(p, 2)), POLY),
    "vander": both(lambda n, x: n.vander(x, 4), W),
    "polyfit": both(lambda n, y: n.polyfit(GRID, y, 2), V),
    "linspace": both(lambda n, a, b: n.linspace(a, b, 4), W, W[::-1]),
    "logspace": both(lambda n, a, b: n.logspace(a, b, 4, base=2.0), W, W[::-1]),
    "geomspace": both(lambda n, a, b: n.geomspace(a, b, 4), P[0], P[1]),
    "kron": both(lambda n, a, b: n.kron(a, b), X, Y),
    "select": both(lambda n, x: n.select([x > 0.5, x > -0.5], [x**2, x**3], 1.5), X),
    # matrices
    "pinv": both(lambda n, x: n.linalg.pinv(x), N),
    "det, inv": both(lambda n, x: n.linalg.det(x) * n.linalg.inv(x), M),
    "singular matrix": both(lambda n, x: n.linalg.det(x), np.outer(W, W)),
    "eigvalsh": both(lambda n, x: n.linalg.eigvalsh(gram(x)), M),
    "eigh": both(lambda n, x: (lambda w, v: (v * n.log(w)) @ v.T)(*n.linalg.eigh(gram(x))), M),
    "svd": both(lambda n, x: (lambda u, s, v: (u * n.log(s)) @ v)(*n.linalg.svd(x, full_matrices=False)), N),
    "qr": both(lambda n, x: n.abs(n.linalg.qr(x)[1]), N),
    "cond": both(lambda n, x: n.linalg.cond(x), M),
    "nuclear norm": both(lambda n, x: n.linalg.norm(x, "nuc"), N),
    "tensorsolve": both(lambda n, a, b: n.linalg.tensorsolve(a, b), M, W),
    "matrix_power": both(lambda n, x: n.linalg.matrix_power(x, -2), M),
    "cross": both(lambda n, a, b: n.cross(a, b), X, Y),
    "expm": (f.expm, jsp.linalg.expm, (M * 0.3,)),
    "solve_triangular": (f.solve_triangular, jsp.linalg.solve_triangular, (M, W)),
    "cho_solve": (
        lambda x, b: f.cho_solve((f.cholesky(x @ x.T), True), b),
        lambda x, b: jsp.linalg.cho_solve((jnp.linalg.cholesky(x @ x.T), True), b), (M, W)),
    "block_diag": (f.block_diag, jsp.linalg.block_diag, (X, M)),
    "lu": (lambda x: f.lu(x)[2], lambda x: jsp.linalg.lu(x)[2], (M,)),
    # special functions
    **named(special, jsp.special, "gammaln digamma i0e i1 i1e entr gamma", P),
    **named(special, jsp.special, "erfc erfinv ndtri logit", U),
    **named(special, jsp.special, "ndtr log_ndtr expit", X),
    **named(special, jsp.special, "beta betaln xlogy xlog1py rel_entr kl_div", P, U),
    "polygamma": (lambda x: special.polygamma(2, x), lambda x: jsp.special.polygamma(2, x), (P,)),
    "zeta": (lambda q: special.zeta(2.5, q), lambda q: jsp.special.zeta(2.5, q), (P,)),
    "multigammaln": (lambda a: special.multigammaln(a, 2), lambda a: jsp.special.multigammaln(a, 2), (P + 1,)),
    "gammainc in x": (lambda x: special.gammainc(1.7, x), lambda x: jsp.special.gammainc(1.7, x), (P,)),
    "betainc in x": (lambda x: special.betainc(1.7, 0.6, x), lambda x: jsp.special.betainc(1.7, 0.6, x), (U,)),
    "logsumexp with factors": (
        lambda x, b: special.logsumexp(x, b=b), lambda x, b: jsp.special.logsumexp(x, b=b), (X, P)),
    # densities
    **{
        f"{name}.logpdf": (getattr(stats, name).logpdf, getattr(jsp.stats, name).logpdf, args)
        for name, args in {
            "norm": (X, Y, P), "laplace": (X, Y, P), "logistic": (X, Y, P), "expon": (P, U - 1, P),
            "gamma": (P, P[::-1] + 1), "beta": (U, P, P[::-1]), "t": (X, P),
        }.items()
    },
    "norm.logcdf": (stats.norm.logcdf, jsp.stats.norm.logcdf, (X, Y, P)),
    "poisson.logpmf": (lambda mu: stats.poisson.logpmf(2, mu), lambda mu: jsp.stats.poisson.logpmf(2, mu), (P,)),
    "binom.logpmf": (lambda p: stats.binom.logpmf(2, 5, p), lambda p: jsp.stats.binom.logpmf(2, 5, p), (U,)),
    "nbinom.logpmf": (
        lambda n, p: stats.nbinom.logpmf(3, n, p), lambda n, p: jsp.stats.nbinom.logpmf(3, n, p), (P, U)),
    "dirichlet.logpdf": (
        lambda x, a: stats.dirichlet.logpdf(x / f.sum(x), a), lambda x, a: jsp.stats.dirichlet.logpdf(x / x.sum(), a),
        (P[0], P[1])),
    "multivariate_normal.logpdf": (
        lambda x, m, c: stats.multivariate_normal.logpdf(x, m, c @ c.T),
        lambda x, m, c: jsp.stats.multivariate_normal.logpdf(x, m, c @ c.T), (W, W[::-1] * 0.5, M)),
    # complex numbers
    **{
        f"complex {name}": (getattr(np, name), getattr(jnp, name), (Z,))
        for name in (
            "exp log sqrt sin cos tan sinh cosh tanh arcsin arccos arctan arcsinh arctanh square reciprocal "
            "expm1 log1p log2 log10 abs angle conj real imag sinc prod cumprod sum"
        ).split()
    },
    "complex arccosh": both(lambda n, x: n.arccosh(x + 2), Z),  # left of 0 JAX's derivative has the other sign
    "complex power": both(lambda n, x, y: n.power(x, y), Z, Z[::-1]),
    "complex quotient": both(lambda n, x, y: x / y, Z, Z[::-1]),
    "complex polyval": both(lambda n, p, x: n.polyval(p, x), Z[0], Z),
    "complex inv": both(lambda n, x: n.linalg.inv(x), Q),
    "complex det": both(lambda n, x: n.linalg.det(x), Q),
    "complex expm": (f.expm, jsp.linalg.expm, (Q * 0.2,)),
    "complex eigvalsh": both(lambda n, x: n.linalg.eigvalsh(x @ n.conj(x.T)), Q),
    "complex norm": both(lambda n, x: n.linalg.norm(x), Z),
    "complex vdot": both(lambda n, x, y: n.vdot(x, y), Z, Z[::-1]),
    "complex convolve": both(lambda n, a, v: n.convolve(a, v), Z[0], Z[1]),
    **{
        f"{name}": (getattr(fft, name), getattr(jnp.fft, name), (x,))
        for names, x in (("fft ifft fftn ifft2 hfft irfft irfftn", Z), ("rfft rfftn ihfft", X))
        for name in names.split()
    },
}  # fmt: skip


def loss(y, weights, real, imag):
    """The real part of y times complex weights, in the terms of either library."""
    return (real(y) * weights.real - imag(y) * weights.imag).sum()


def of_zen(function, args, draws):
    leaves = [zen.tensor(a, requires_grad=True) for a in args]
    y = function(*leaves)
    gradients = zen.gradients(loss(y, draws("y", y.shape), f.real, f.imag), leaves, create_graph=True)
    terms = [loss(g, draws(k, g.shape), f.real, f.imag) for k, g in enumerate(gradients)]
    terms = [t for t in terms if t.requires_grad]
    second = zen.gradients(sum(terms), leaves, allow_unused=True) if terms else [None] * len(leaves)
    arrays = [np.zeros(a.shape) if g is None else g.array for g, a in zip(second, args, strict=True)]
    return [y.array, *[g.array for g in gradients], *arrays]


def of_jax(function, args, draws):
    """The same, compiled as one: to compile each part by itself takes most of the time."""
    shape, which = jax.eval_shape(function, *args).shape, range(len(args))

    def gradients(*xs):
        found = jax.grad(lambda *x: loss(function(*x), draws("y", shape), jnp.real, jnp.imag), which)(*xs)
        return [jnp.conj(g) for g in found]

    def along(*xs):
        found = gradients(*xs)
        return sum(loss(g, draws(k, g.shape), jnp.real, jnp.imag) for k, g in enumerate(found)), found

    @jax.jit
    def everything(*xs):
        second, first = jax.grad(along, which, has_aux=True)(*xs)
        return [function(*xs), *first, *[jnp.conj(g) for g in second]]

    return everything(*args)


def drawn(key, shape):
    rng = np.random.default_rng(sum(map(ord, str(key))))
    return rng.uniform(-1, 1, shape) + 1j * rng.uniform(-1, 1, shape)


@pytest.mark.parametrize("name", CASES)
def test_values_and_derivatives(name):
    mine, theirs, args = CASES[name]
    for found, expected in zip(of_zen(mine, args, drawn), of_jax(theirs, args, drawn), strict=True):
        np.testing.assert_allclose(found, np.asarray(expected), rtol=1e-8, atol=1e-9 * max(1, np.abs(found).max()))
