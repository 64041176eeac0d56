"""Special functions under the names of scipy.special: `zen.special.gammaln(x)`.

Arguments, values and dtypes are SciPy's, except that a Python number never widens a Tensor; all are differentiable in
every argument that is no order, degree or count. `scipy.special.f(t)` on a Tensor is `zen.special.f(t)` where f is a
ufunc; logsumexp, softmax, log_softmax, multigammaln and polygamma are no ufuncs and are to be called here. What needs
SciPy's values imports it on first use: the extra "scipy".
"""

from typing import TYPE_CHECKING

from .f import i0, sinc
from .habits import elsewhere, missing
from .ops.special_bessel import i0e, i1, i1e, iv, ive, j0, j1, jv, k0, k0e, k1, k1e, kv, kve, y0, y1, yv
from .ops.special_boxcox import boxcox, boxcox1p, cosm1, expm1, exprel, inv_boxcox, inv_boxcox1p, log1p
from .ops.special_entropy import (
    entr,
    expit,
    kl_div,
    log_expit,
    log_softmax,
    logit,
    logsumexp,
    rel_entr,
    softmax,
    xlog1py,
    xlogy,
)
from .ops.special_error import erf, erfc, erfcinv, erfcx, erfinv, log_ndtr, ndtr, ndtri
from .ops.special_gamma import (
    beta,
    betaln,
    digamma,
    gamma,
    gammaln,
    loggamma,
    multigammaln,
    polygamma,
    zeta,
)
from .ops.special_incomplete import betainc, betaincc, gammainc, gammaincc
from .ops.special_integrals import (
    airy,
    ellipe,
    ellipk,
    erfi,
    exp1,
    exp10,
    expi,
    fresnel,
    owens_t,
    rgamma,
    shichi,
    sici,
    spence,
)
from .ops.special_inverses import betaincinv, gammaincinv
from .ops.special_polynomials import (
    eval_chebyt,
    eval_chebyu,
    eval_gegenbauer,
    eval_genlaguerre,
    eval_hermite,
    eval_hermitenorm,
    eval_jacobi,
    eval_laguerre,
    eval_legendre,
)
from .ops.special_probability import chdtr, chdtrc, gammainccinv, gdtr, gdtrc, huber, pdtr, pdtrc, pseudo_huber
from .ops.special_student import stdtr, stdtrit

psi = digamma  # its name in SciPy

__all__ = [
    "airy",
    "beta",
    "betainc",
    "betaincc",
    "betaincinv",
    "betaln",
    "boxcox",
    "boxcox1p",
    "chdtr",
    "chdtrc",
    "cosm1",
    "digamma",
    "ellipe",
    "ellipk",
    "entr",
    "erf",
    "erfc",
    "erfcinv",
    "erfcx",
    "erfi",
    "erfinv",
    "eval_chebyt",
    "eval_chebyu",
    "eval_gegenbauer",
    "eval_genlaguerre",
    "eval_hermite",
    "eval_hermitenorm",
    "eval_jacobi",
    "eval_laguerre",
    "eval_legendre",
    "exp1",
    "exp10",
    "expi",
    "expit",
    "expm1",
    "exprel",
    "fresnel",
    "gamma",
    "gammainc",
    "gammaincc",
    "gammainccinv",
    "gammaincinv",
    "gammaln",
    "gdtr",
    "gdtrc",
    "huber",
    "i0",
    "i0e",
    "i1",
    "i1e",
    "inv_boxcox",
    "inv_boxcox1p",
    "iv",
    "ive",
    "j0",
    "j1",
    "jv",
    "k0",
    "k0e",
    "k1",
    "k1e",
    "kl_div",
    "kv",
    "kve",
    "log1p",
    "log_expit",
    "log_ndtr",
    "log_softmax",
    "loggamma",
    "logit",
    "logsumexp",
    "multigammaln",
    "ndtr",
    "ndtri",
    "owens_t",
    "pdtr",
    "pdtrc",
    "polygamma",
    "pseudo_huber",
    "psi",
    "rel_entr",
    "rgamma",
    "shichi",
    "sici",
    "sinc",
    "softmax",
    "spence",
    "stdtr",
    "stdtrit",
    "xlog1py",
    "xlogy",
    "y0",
    "y1",
    "yv",
    "zeta",
]
__dir__ = __all__.copy


if not TYPE_CHECKING:  # for whom there are no other names

    def __getattr__(name: str) -> object:
        other = {"lgamma": "zen.special.gammaln", "sigmoid": "zen.special.expit"}
        raise missing(__name__, name, __all__, {**elsewhere(name), **other})
