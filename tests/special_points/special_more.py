"""Polynomials, integrals and distribution functions of scipy.special at zeros, poles, ends and infinities.

Polynomials are written out; airy at 0 by DLMF 9.2.3 to 9.2.6; K(m) and E(m) by their series, DLMF 19.5.1 and 19.5.2.
"""

import math
from math import inf, pi, sqrt

from points import NO, same

from zen import special

EULER = 0.5772156649015329
AI, AIP = 3 ** (-2 / 3) / math.gamma(2 / 3), -(3 ** (-1 / 3)) / math.gamma(1 / 3)
BI, BIP = 3 ** (-1 / 6) / math.gamma(2 / 3), 3 ** (1 / 6) / math.gamma(1 / 3)
E1, E2 = math.exp(-1), math.exp(-2)

POINTS = [
    ("eval_legendre at 1", lambda x: special.eval_legendre(3, x), (1.0,), {"": 1, "a": 6, "aa": 15, "aaa": 15}),
    ("eval_legendre of degree 0", lambda x: special.eval_legendre(0, x), (0.5,), {"": 1, "a": 0, "aa": 0, "aaa": 0}),
    ("eval_chebyt at 1", lambda x: special.eval_chebyt(2, x), (1.0,), {"": 1, "a": 4, "aa": 4, "aaa": 0}),
    ("eval_chebyu at -1", lambda x: special.eval_chebyu(2, x), (-1.0,), {"": 3, "a": -8, "aa": 8, "aaa": 0}),
    ("eval_hermite at 0", lambda x: special.eval_hermite(3, x), (0.0,), {"": 0, "a": -12, "aa": 0, "aaa": 48}),
    ("eval_hermite of degree 0", lambda x: special.eval_hermite(0, x), (0.0,), {"": 1, "a": 0, "aa": 0}),
    ("eval_hermitenorm at 0", lambda x: special.eval_hermitenorm(3, x), (0.0,), {"": 0, "a": -3, "aa": 0, "aaa": 6}),
    ("eval_laguerre at 0", lambda x: special.eval_laguerre(2, x), (0.0,), {"": 1, "a": -2, "aa": 1, "aaa": 0}),
    ("eval_genlaguerre at 0", lambda x: special.eval_genlaguerre(2, 1.0, x), (0.0,),
     {"": 3, "a": -3, "aa": 1, "aaa": 0}),
    ("eval_gegenbauer at 0", lambda x: special.eval_gegenbauer(2, 2.0, x), (0.0,), {"": -2, "a": 0, "aa": 24}),
    ("eval_jacobi at 1", lambda x: special.eval_jacobi(2, 0.0, 0.0, x), (1.0,), {"": 1, "a": 3, "aa": 3, "aaa": 0}),
    ("ellipk at 0", special.ellipk, (0.0,), {"": pi / 2, "a": pi / 8, "aa": 9 * pi / 64, "aaa": 75 * pi / 256}),
    ("ellipk at 1", special.ellipk, (1.0,), {"": inf, "a": inf, "aa": inf}),
    ("ellipe at 0", special.ellipe, (0.0,), {"": pi / 2, "a": -pi / 8, "aa": -3 * pi / 64, "aaa": -15 * pi / 256}),
    ("ellipe at 1", special.ellipe, (1.0,), {"": 1, "a": -inf, "aa": -inf}),
    ("ellipe outside", special.ellipe, (1.5,), {"": NO, "a": NO}),
    ("erfi at 0", special.erfi, (0.0,), {"": 0, "a": 2 / sqrt(pi), "aa": 0, "aaa": 4 / sqrt(pi)}),
    ("exp1 at 0", special.exp1, (0.0,), {"": inf, "a": -inf}),
    ("exp1 of inf", special.exp1, (inf,), same(0)),
    ("exp1 at 1", special.exp1, (1.0,), {"a": -E1, "aa": 2 * E1, "aaa": -5 * E1}),
    ("expi at 0", special.expi, (0.0,), {"": -inf, "a": inf}),
    ("expi of inf", special.expi, (inf,), {"": inf, "a": inf}),
    ("expi far left", special.expi, (-inf,), {"": 0, "a": 0}),
    ("exp10 at 0", special.exp10, (0.0,), {"": 1, "a": math.log(10), "aa": math.log(10) ** 2}),
    ("exp10 far left", special.exp10, (-inf,), same(0)),
    ("owens_t at 0", special.owens_t, (0.0, 1.0),
     {"": 1 / 8, "a": 0, "b": 1 / (4 * pi), "ab": 0, "bb": -1 / (4 * pi), "aa": -1 / (2 * pi)}),
    ("owens_t of a 0", special.owens_t, (1.0, 0.0), {"": 0, "a": 0, "b": math.exp(-0.5) / (2 * pi), "bb": 0}),
    ("rgamma at 0", special.rgamma, (0.0,), {"": 0, "a": 1, "aa": 2 * EULER, "aaa": 3 * EULER**2 - pi**2 / 2}),
    ("rgamma at a pole of gamma", special.rgamma, (-2.0,), {"": 0, "a": 2}),
    ("rgamma of inf", special.rgamma, (inf,), {"": 0, "a": 0, "aa": 0}),
    ("spence at 1", special.spence, (1.0,), {"": 0, "a": -1, "aa": 0.5, "aaa": -2 / 3}),
    ("spence at 0", special.spence, (0.0,), {"": pi**2 / 6, "a": -inf, "aa": NO}),
    ("sici at 0", lambda x: special.sici(x)[0], (0.0,), {"": 0, "a": 1, "aa": 0, "aaa": -1 / 3}),
    ("sici of inf", lambda x: special.sici(x)[0], (inf,), {"": pi / 2, "a": 0}),
    ("sici, the cosine, at 0", lambda x: special.sici(x)[1], (0.0,), {"": -inf, "a": inf}),
    ("shichi at 0", lambda x: special.shichi(x)[0], (0.0,), {"": 0, "a": 1, "aa": 0, "aaa": 1 / 3}),
    ("shichi, the cosine, at 0", lambda x: special.shichi(x)[1], (0.0,), {"": -inf, "a": inf}),
    ("fresnel, S, at 0", lambda x: special.fresnel(x)[0], (0.0,), {"": 0, "a": 0, "aa": 0, "aaa": pi}),
    ("fresnel, C, at 0", lambda x: special.fresnel(x)[1], (0.0,), {"": 0, "a": 1, "aa": 0, "aaa": 0}),
    ("airy, Ai, at 0", lambda x: special.airy(x)[0], (0.0,), {"": AI, "a": AIP, "aa": 0, "aaa": AI}),
    ("airy, Ai', at 0", lambda x: special.airy(x)[1], (0.0,), {"": AIP, "a": 0, "aa": AI, "aaa": 2 * AIP}),
    ("airy, Bi, at 0", lambda x: special.airy(x)[2], (0.0,), {"": BI, "a": BIP, "aa": 0, "aaa": BI}),
    ("airy, Bi', at 0", lambda x: special.airy(x)[3], (0.0,), {"": BIP, "a": 0, "aa": BI, "aaa": 2 * BIP}),
    # of shape 1, gammainc(1, x) = 1 - exp(-x)
    ("chdtr at 0", special.chdtr, (2.0, 0.0), {"": 0, "a": 0, "b": 0.5, "bb": -0.25}),
    ("chdtrc", special.chdtrc, (2.0, 4.0), {"": E2, "b": -0.5 * E2, "bb": 0.25 * E2}),
    ("gdtr at 0", special.gdtr, (2.0, 1.0, 0.0), {"": 0, "a": 0, "b": 0, "c": 2, "cc": -4}),
    ("gdtrc", special.gdtrc, (2.0, 1.0, 1.0), {"": E2, "a": -E2, "c": -2 * E2, "cc": 4 * E2}),
    ("pdtr at 0", lambda m: special.pdtr(0, m), (0.0,), {"": 1, "a": -1, "aa": 1}),
    ("pdtrc", lambda m: special.pdtrc(0, m), (2.0,), {"": 1 - E2, "a": E2, "aa": -E2}),
    ("gammainccinv", special.gammainccinv, (1.0, 0.5), {"": math.log(2), "b": -2, "bb": 4}),  # -log(p)
    ("gammainccinv at 1", special.gammainccinv, (1.0, 1.0), {"": 0, "b": -1, "bb": 1}),
    ("huber within", special.huber, (1.0, 0.0), {"": 0, "a": 0, "b": 0, "bb": 1}),
    ("huber beyond", special.huber, (1.0, -3.0), {"": 2.5, "a": 2, "b": -1, "ab": -1, "aa": -1, "bb": 0}),
    ("huber of a negative delta", special.huber, (-1.0, 2.0), {"": inf, "a": 0, "b": 0}),
    ("pseudo_huber at 0", special.pseudo_huber, (1.0, 0.0), {"": 0, "a": 0, "b": 0, "bb": 1, "ab": 0, "aa": 0}),
    ("pseudo_huber", special.pseudo_huber, (3.0, 4.0),
     {"": 6, "a": 4 / 5, "b": 12 / 5, "bb": 27 / 125, "ab": 64 / 125}),
]  # fmt: skip
