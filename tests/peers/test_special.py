"""zen.special against scipy.special: values in both dtypes, derivatives against SciPy's, and its ufuncs on Tensors.

Run by `make test-peers`.
"""

import inspect

import numpy as np
import pytest
import scipy.special

import zen
from zen import special

RNG = np.random.default_rng(0)
WHOLE, POSITIVE, UNIT = RNG.normal(size=60) * 4, RNG.gamma(0.7, 8.0, 60), RNG.uniform(0, 1, 60)
EDGES = np.array([0.0, -0.0, 1.0, -1.0, 0.5, 2.0, np.inf, -np.inf, np.nan, 1e-10, 1e10, -2.5])
ARGUMENTS = {
    **dict.fromkeys("erfinv ndtri logit".split(), UNIT), "erfcinv": 2 * UNIT,
    **dict.fromkeys("gammaln gamma loggamma digamma y0 y1 k0 k1 k0e k1e".split(), POSITIVE),
}  # fmt: skip
NO_UFUNCS = {"logsumexp", "softmax", "log_softmax", "multigammaln", "polygamma", "zeta", "sinc"}
SEVERAL = {"airy", "fresnel", "shichi", "sici"}
NAMES = sorted({*special.__all__} - NO_UFUNCS - SEVERAL)
ONE = [n for n in NAMES if len(inspect.signature(getattr(special, n)).parameters) == 1]
TWO = (
    "beta betaln gammainc gammaincc xlogy xlog1py rel_entr kl_div stdtr boxcox boxcox1p inv_boxcox inv_boxcox1p".split()
)
ORDERED = "jv yv iv ive kv kve".split()


def compare(name, *args, dtype=np.float64):
    given = [np.asarray(a, dtype) for a in args]
    found = getattr(special, name)(*given)
    with np.errstate(all="ignore"):
        exact = getattr(scipy.special, name)(*[a.astype(np.float64) for a in given])
        exact = exact.astype(dtype)
    assert found.dtype == dtype
    tolerance = 1e-12 if dtype == np.float64 else 2e-5
    np.testing.assert_allclose(found.array, exact, rtol=tolerance, atol=tolerance / 100)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", ONE)
def test_values_of_one_argument(name, dtype):
    compare(name, ARGUMENTS.get(name, WHOLE), dtype=dtype)
    # SciPy's i0 of inf is nan, zen's is the limit
    compare(name, EDGES[~np.isinf(EDGES)] if name == "i0" else EDGES, dtype=dtype)


@pytest.mark.parametrize("name", TWO)
def test_values_of_two_arguments(name):
    compare(name, POSITIVE, UNIT)
    compare(name, UNIT[:, None], POSITIVE)
    if name not in ("stdtr", "gammainc", "gammaincc", "beta", "betaln") and "boxcox" not in name:
        compare(name, *np.meshgrid(EDGES, EDGES))


@pytest.mark.parametrize("name", ORDERED)
def test_values_of_bessel_functions(name):
    for order in (0, 1, 2.5, UNIT):
        compare(name, np.asarray(order), POSITIVE)


def test_values_of_the_others():
    compare("betainc", POSITIVE, 1 + UNIT, UNIT)
    compare("betaincc", POSITIVE, 1 + UNIT, UNIT)
    for n in (0, 1, 4):
        np.testing.assert_allclose(special.polygamma(n, POSITIVE), scipy.special.polygamma(n, POSITIVE), rtol=1e-14)
    np.testing.assert_allclose(special.polygamma([0, 1], -0.5), scipy.special.polygamma([0, 1], -0.5), rtol=1e-14)
    np.testing.assert_allclose(special.zeta(1 + POSITIVE), scipy.special.zeta(1 + POSITIVE), rtol=1e-14)
    np.testing.assert_allclose(special.zeta(-1.5), scipy.special.zeta(-1.5), rtol=1e-14)
    np.testing.assert_allclose(special.zeta(2.5, POSITIVE), scipy.special.zeta(2.5, POSITIVE), rtol=1e-14)
    np.testing.assert_allclose(special.multigammaln(4.0, 3), scipy.special.multigammaln(4.0, 3), rtol=1e-14)
    a, b = RNG.normal(size=(3, 4)) * 50, RNG.normal(size=4)
    for axis in (None, 0, (0, 1)):
        for keepdims in (False, True):
            found = special.logsumexp(a, axis=axis, b=b, keepdims=keepdims, return_sign=True)
            expected = scipy.special.logsumexp(a, axis=axis, b=b, keepdims=keepdims, return_sign=True)
            for x, y in zip(found, expected, strict=True):
                np.testing.assert_allclose(x.array, y, rtol=1e-13)
        np.testing.assert_allclose(special.softmax(a, axis), scipy.special.softmax(a, axis), rtol=1e-12)
        np.testing.assert_allclose(special.log_softmax(a, axis), scipy.special.log_softmax(a, axis), rtol=1e-12)


# PyTorch's trigamma is not precise enough for these.
@pytest.mark.parametrize(
    ("function", "slope", "bend"),
    [
        (special.gammaln, scipy.special.psi, lambda x: scipy.special.polygamma(1, x)),
        (special.digamma, lambda x: scipy.special.polygamma(1, x), lambda x: scipy.special.polygamma(2, x)),
        (
            lambda x: special.betaln(x, 2.5),
            lambda x: scipy.special.psi(x) - scipy.special.psi(x + 2.5),
            lambda x: scipy.special.polygamma(1, x) - scipy.special.polygamma(1, x + 2.5),
        ),
    ],
)
def test_derivatives_by_digamma_and_trigamma(function, slope, bend):
    x = 0.01 + POSITIVE
    first = zen.grad(lambda t: zen.sum(function(t)))
    np.testing.assert_allclose(first(x), slope(x), rtol=1e-11)
    np.testing.assert_allclose(zen.grad(lambda t: zen.sum(first(t)))(x), bend(x), rtol=1e-11)


@pytest.mark.parametrize("name", NAMES)
def test_a_ufunc_of_scipy_on_a_tensor_is_zens_function(name):
    count = len(inspect.signature(getattr(special, name)).parameters)
    t = zen.tensor([0.25, 0.75], requires_grad=True)
    args = [*[2 if name.startswith("eval_hermite") else 0.5] * (count - 1), t]
    found, own = getattr(scipy.special, name)(*args), getattr(special, name)(*args)
    assert type(found) is zen.Tensor and found.requires_grad
    np.testing.assert_array_equal(found.array, own.array)
    np.testing.assert_array_equal(*[zen.gradients([y.sum()], [t])[0].array for y in (found, own)])
    plain = getattr(scipy.special, name)(*args[:-1], t.detach())
    np.testing.assert_array_equal(plain.array, own.array)


def test_what_scipys_functions_call():
    t = zen.tensor([1.5], requires_grad=True)
    assert scipy.special.zeta(2.0, t).requires_grad
    assert np.sinc(t).requires_grad and scipy.special.sinc(t).requires_grad
    with pytest.raises(TypeError, match="zeta: no derivative with respect to x"):
        scipy.special.zeta(t)
    with pytest.raises(TypeError, match="jv: no derivative with respect to v"):
        scipy.special.jv(t, 1.0)
    with pytest.raises(TypeError, match=r"scipy\.special\.mathieu_a has no derivative"):
        scipy.special.mathieu_a(1, t)
    for name in ("softmax", "logsumexp"):
        with pytest.raises(RuntimeError, match="would lose the gradient"):
            getattr(scipy.special, name)(t)
    for name in ("exp2", "cbrt"):
        np.testing.assert_allclose(getattr(scipy.special, name)(t).array, getattr(scipy.special, name)(1.5), rtol=1e-14)
    out = zen.zeros(1)
    assert scipy.special.gammaln(t, out=out) is out and out.requires_grad


@pytest.mark.parametrize("name", sorted(SEVERAL))
def test_functions_with_several_results(name):
    x = zen.tensor(POSITIVE, requires_grad=True)
    found = getattr(scipy.special, name)(x)
    for part, expected in zip(found, getattr(scipy.special, name)(POSITIVE), strict=True):
        np.testing.assert_allclose(part.array, expected, rtol=1e-12)
        assert part.requires_grad
