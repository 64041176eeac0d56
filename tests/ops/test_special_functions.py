"""Special functions: derivatives by parameters against tables of 40 digits, dtypes, errors.

The rows themselves are tested with all others in test_rows.py, poles and ends in tests/special_points; values
against SciPy's in tests/peers/test_special.py.
"""

import inspect
import math
import subprocess
import sys

import numpy as np
import pytest
from points import derivative

import zen
from zen import special

inf, nan, pi = math.inf, math.nan, math.pi
EULER, ZETA3 = 0.5772156649015329, 1.2020569031595942

# --- by the parameters: mpmath, 40 digits, differences of the regularised functions

# a, x, first to third derivative in a
GAMMAINC = [
    (0.05, 1e-05, -6.362824818257325, 69.20193468172597, -741.5477433412716),
    (0.5, 0.3, -0.7705703513753519, 0.6261476558399126, 0.6171011020590006),
    (1.0, 1.0, -0.4317297106348987, 0.033618035299959194, 0.40356539791166174),
    (2.5, 8.0, -0.010308864177512016, -0.012262540441038125, -0.010265742750518884),
    (30.0, 25.0, -0.049954877425834855, 0.009137883116240923, -2.8904664919074376e-06),
    (30.0, 60.0, -5.0864222792600045e-06, -3.534937036753765e-06, -2.286387004734747e-06),
    (100.0, 101.0, -0.03953233929273042, -0.000393358111614196, 0.00039173592106186387),
]

# a, b, x; derivatives a, b, aa, ab, bb
BETAINC = [
    (
        0.05,
        2.0,
        0.0001,
        -5.470975192598588,
        0.021032362818029598,
        44.578792920800424,
        0.24053459967942153,
        -0.012321438230210912,
    ),
    (
        0.5,
        0.5,
        0.3,
        -0.6428114811572838,
        0.46874458391550544,
        1.3451995000262817,
        -0.2657297583584443,
        -0.6144616057845871,
    ),
    (
        1.0,
        1.0,
        0.75,
        -0.2157615543388357,
        0.34657359027997264,
        0.0620707311076138,
        0.15552814849706678,
        -0.48045301391820144,
    ),
    (
        5.0,
        2.0,
        0.2,
        -0.002319100659894561,
        0.0020291882987736876,
        0.0033204324192021174,
        -0.00270641381695363,
        0.001789108388714508,
    ),
    (
        2.0,
        30.0,
        0.3,
        -0.00042780958392712244,
        7.363037725877908e-05,
        -0.000674829898798789,
        0.0001331373627259521,
        -2.385034530058314e-05,
    ),
    (40.0, 40.0, 0.5, -0.04483631809918237, 0.04483631809918237, 0.0005663068538272342, 0.0, -0.0005663068538272342),
    (
        20.0,
        0.5,
        0.999,
        -0.003936547103899861,
        0.6235358303027804,
        0.00010354969069918712,
        0.007768773733515906,
        -2.329574225037491,
    ),
]

# df, t; derivatives in df: first, second, and mixed with t
STDTR = [
    (0.5, -3.0, -0.25872772673714384, 0.5956325034710169, 0.015398249548534136),
    (3.0, 0.7, 0.00770667299078443, -0.004663834069526801, 0.012068450840896333),
    (3.0, 25.0, 0.000162354292001301, -0.00038996452193516416, -1.6624427189624693e-05),
    (50.0, 2.0, 5.491062396998835e-05, -2.212798822614676e-06, -3.361858238341624e-05),
]

# x; log_ndtr and its first to third derivative
LOG_NDTR = [
    (-10000.0, -50000010.12927891, 10000.000099999997, -0.9999999900000006, 1.99999976000003e-12),
    (-40.0, -804.6084420137538, 40.02496884720726, -0.9993773316214086, 3.101744039648625e-05),
    (-3.0, -6.607726221510349, 3.2830986549304364, -0.9294408132147319, 0.03147067283084249),
    (0.0, -0.6931471805599453, 0.7978845608028654, -0.6366197723675814, 0.21801361414499015),
    (3.0, -0.0013508099647481938, 0.004437839042125664, -0.013333211541740806, 0.03568013687657047),
]


def of(function, which, args):
    return derivative(function, which, args, "reverse")


@pytest.mark.parametrize(("a", "x", "one", "two", "three"), GAMMAINC)
def test_gammainc_by_its_parameter(a, x, one, two, three):
    for sign, function in ((1, special.gammainc), (-1, special.gammaincc)):
        found = [of(function, which, (a, x)) for which in ("a", "aa", "aaa")]
        np.testing.assert_allclose(found, sign * np.array([one, two, three]), rtol=1e-11)


@pytest.mark.parametrize(("a", "b", "x", "expected"), [(*row[:3], row[3:]) for row in BETAINC])
def test_betainc_by_its_parameters(a, b, x, expected):
    for sign, function in ((1, special.betainc), (-1, special.betaincc)):
        found = [of(function, which, (a, b, x)) for which in ("a", "b", "aa", "ab", "bb")]
        np.testing.assert_allclose(found, sign * np.array(expected), rtol=1e-11, atol=1e-15)


@pytest.mark.parametrize(("v", "t", "one", "two", "mixed"), STDTR)
def test_stdtr_by_the_degrees_of_freedom(v, t, one, two, mixed):
    found = [of(special.stdtr, which, (v, t)) for which in ("a", "aa", "ab")]
    np.testing.assert_allclose(found, [one, two, mixed], rtol=1e-10)
    np.testing.assert_allclose(of(special.stdtr, "ba", (v, t)), mixed, rtol=1e-10)


@pytest.mark.parametrize(("x", "value", "one", "two", "three"), LOG_NDTR)
def test_log_ndtr_in_the_tails(x, value, one, two, three):
    found = [of(special.log_ndtr, which, (x,)) for which in ("", "a", "aa")]
    np.testing.assert_allclose(found, [value, one, two], rtol=1e-13)
    np.testing.assert_allclose(of(special.log_ndtr, "aaa", (x,)), three, rtol=1e-10, atol=1e-15)


def test_quantiles_move_with_the_parameters():
    """Of exponential, of squares and of roots, which have formulas."""
    p = 0.3
    log = math.log1p(-p)
    found = [of(special.gammaincinv, which, (1.0, p)) for which in ("", "b", "bb")]
    np.testing.assert_allclose(found, [-log, 1 / (1 - p), 1 / (1 - p) ** 2], rtol=1e-12)
    found = [of(special.betaincinv, which, (2.0, 1.0, p)) for which in ("", "a", "aa", "c", "ac")]  # p ** (1 / a)
    log, y = math.log(p), p**0.5
    expected = [y, -y * log / 4, y * (log**2 / 16 + log / 4), y / (2 * p), -(log / 8 + 0.25) * y / p]
    np.testing.assert_allclose(found, expected, rtol=1e-11)
    a, x = 2.5, special.gammaincinv(2.5, p).item()
    slope = -of(special.gammainc, "a", (a, x)) / of(special.gammainc, "b", (a, x))
    np.testing.assert_allclose(of(special.gammaincinv, "a", (a, p)), slope, rtol=1e-12)


def test_what_does_not_converge_is_nan_and_not_wrong():
    assert math.isnan(of(special.gammainc, "a", (1e13, 1e13)))


# --- functions that are no rows


def test_logsumexp_with_factors():
    a, b = zen.tensor([1.0, 2.0, 800.0], requires_grad=True), zen.tensor([2.0, -1.0, 0.0], requires_grad=True)
    y, sign = special.logsumexp(a, b=b, return_sign=True)
    total = 2 * math.e - math.e**2
    assert sign.item() == -1.0 and not sign.requires_grad
    np.testing.assert_allclose(y.item(), math.log(-total), rtol=1e-13)
    y.backward()
    np.testing.assert_allclose(a.gradient, [2 * math.e / total, -math.exp(2) / total, 0], rtol=1e-13)
    np.testing.assert_allclose(b.gradient[:2], [math.e / total, math.exp(2) / total], rtol=1e-13)
    assert b.gradient[2] < -1e290  # exp(800) / total, as far as numbers go
    assert math.isnan(special.logsumexp(a, b=b).item())


def test_logsumexp_leaves_out_what_a_factor_of_zero_stands_before():
    a = zen.tensor([1.0, zen.inf, zen.nan], requires_grad=True)
    y = special.logsumexp(a, b=[2.0, 0.0, 0.0])
    y.backward()
    np.testing.assert_allclose(y.item(), 1 + math.log(2))
    np.testing.assert_allclose(a.gradient, [1.0, 0.0, 0.0])
    assert special.logsumexp([inf, 0.0], b=[1.0, 1.0]).item() == inf
    small = np.zeros(2, np.float32)
    assert [t.dtype for t in special.logsumexp(small, return_sign=True)] == [np.float32] * 2
    assert special.logsumexp(small, b=2.0).dtype == np.float32
    assert special.logsumexp(np.zeros((2, 3)), axis=1, b=np.ones(3), keepdims=True).shape == (2, 1)
    assert special.logsumexp(np.zeros((2, 0)), axis=1, b=1.0).tolist() == [-inf, -inf]


@pytest.mark.parametrize("function", [special.softmax, special.log_softmax])
def test_softmax_over_several_axes(function):
    x = np.random.default_rng(0).normal(size=(2, 3, 4))
    e = np.exp(x)
    for axis in (None, 1, -1, (0, 2), (1, 0)):
        p = e / e.sum(axis, keepdims=True)
        np.testing.assert_allclose(function(x, axis).array, p if function is special.softmax else np.log(p), rtol=1e-13)
    with pytest.raises(np.exceptions.AxisError, match="softmax"):
        function(x, 3)


def test_multigammaln():
    a = zen.tensor([2.5, 3.0], requires_grad=True)
    y = special.multigammaln(a, 2)
    np.testing.assert_allclose(y.array, [math.lgamma(v) + math.lgamma(v - 0.5) + math.log(pi) / 2 for v in (2.5, 3.0)])
    y.sum().backward()
    np.testing.assert_allclose(
        a.gradient, [of(special.digamma, "", (v,)) + of(special.digamma, "", (v - 0.5,)) for v in (2.5, 3.0)]
    )
    with pytest.raises(ValueError, match=r"multigammaln: a must be more than \(d - 1\) / 2 = 0\.5"):
        special.multigammaln([0.5, 2.0], 2)
    with pytest.raises(ValueError, match="multigammaln: d must be positive, but is 0"):
        special.multigammaln(2.0, 0)
    with pytest.raises(TypeError, match="multigammaln: d must be an int"):
        special.multigammaln(2.0, 1.5)


# --- dtypes and errors

ORDERS = {
    **dict.fromkeys("jv yv iv ive kv kve polygamma zeta pdtr pdtrc".split(), 1),
    **dict.fromkeys("eval_legendre eval_chebyt eval_chebyu eval_hermite eval_hermitenorm eval_laguerre".split(), 1),
    "eval_genlaguerre": 2, "eval_gegenbauer": 2, "eval_jacobi": 3,
}  # fmt: skip
"""How many of the arguments of a function are constants."""


@pytest.mark.parametrize(
    "name", [n for n in special.__all__ if n not in ("logsumexp", "softmax", "log_softmax", "multigammaln")]
)
def test_dtypes(name):
    function = getattr(special, name)
    args = len(inspect.signature(function).parameters)
    order = ORDERS.get(name, 0)
    for dtype, expected in ((np.float32, np.float32), (np.float64, np.float64), (np.int64, np.float64)):
        given = [2.0 if k < order else np.array([1], dtype) for k in range(args)]
        made = function(*given)
        assert {t.dtype for t in (made if isinstance(made, tuple) else (made,))} == {np.dtype(expected)}
    if args > 1 + order:  # a Python number never widens
        assert function(*[np.array([0.5], np.float32), *[0.5] * (args - 1)]).dtype == np.float32, name


@pytest.mark.parametrize("name", ["jv", "yv", "iv", "ive", "kv", "kve"])
def test_orders_have_no_derivative(name):
    v = zen.tensor([0.5, 1.0], requires_grad=True)
    with pytest.raises(TypeError, match=rf"{name}: no derivative with respect to v: .* no closed form; detach\(\) it"):
        getattr(special, name)(v, 1.0)
    assert getattr(special, name)(v.detach(), 1.0).shape == (2,)


@pytest.mark.parametrize("name", [n for n in special.__all__ if n.startswith("eval_")] + ["pdtr", "pdtrc"])
def test_parameters_have_no_derivative(name):
    arguments = [*inspect.signature(getattr(special, name)).parameters]
    for k, argument in enumerate(arguments[:-1]):
        given = [zen.tensor(2.0, requires_grad=j == k) for j in range(len(arguments))]
        with pytest.raises(TypeError, match=rf"{name}: no derivative with respect to {argument}: .*detach"):
            getattr(special, name)(*given)


def test_hermite_polynomials_have_whole_degrees():
    with pytest.raises(ValueError, match="eval_hermite: n must be whole numbers, got 1.5"):
        special.eval_hermite(1.5, 1.0)


def test_other_errors():
    n = zen.tensor(2.0, requires_grad=True)
    with pytest.raises(TypeError, match="polygamma: no derivative with respect to n: it counts derivatives"):
        special.polygamma(n, 1.0)
    with pytest.raises(ValueError, match="polygamma: n must be whole numbers from 0, got 0.5"):
        special.polygamma(0.5, 1.0)
    with pytest.raises(TypeError, match="zeta: no derivative with respect to x"):
        special.zeta(n)
    with pytest.raises(AttributeError, match=r"zen\.special\.gammaln"):
        special.lgamma  # noqa: B018


def test_without_scipy_the_extra_is_named_and_the_others_work():
    program = """
import sys
sys.modules["scipy"] = None
import zen
x = zen.tensor([0.5], requires_grad=True)
for name in "expit log_expit logit entr erf exprel cosm1 softmax log_softmax logsumexp sinc i0".split():
    getattr(zen.special, name)(x).sum().backward()
for name in "xlogy xlog1py rel_entr kl_div boxcox boxcox1p inv_boxcox inv_boxcox1p".split():
    getattr(zen.special, name)(x, x).sum().backward()
try:
    zen.special.gammaln(x)
except ImportError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.stdout.startswith("zen.special.gammaln needs SciPy: pip install scipy (the extra 'scipy'"), done.stderr


def test_importing_zen_imports_neither_scipy_nor_the_families():
    program = (
        "import sys, zen; assert 'zen.special' not in sys.modules and 'scipy' not in sys.modules; zen.special.erf;"
        "assert 'scipy' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
