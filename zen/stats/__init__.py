"""Distributions under the names of scipy.stats, with gradients: `zen.stats.norm.logpdf(x, loc, scale)`.

Each has logpdf and pdf (of counts: logpmf and pmf); cdf, sf, logcdf, logsf and ppf where they are simple; mean, var,
std and entropy; and rvs, whose samples are differentiable in the parameters where a reparameterisation exists: Kingma
and Welling 2014, and for gamma, beta, Dirichlet and Student's t through quantiles, Figurnov et al. 2018. Outside of the
support a logarithm is -inf with gradients of zero. `norm(0, 2)` fixes parameters.

    x = zen.stats.gamma.rvs(a, scale=2.0, size=1000)    # x.sum().backward() reaches a
    zen.stats.t.logpdf(x, df, loc, scale).sum()

Those with gamma functions in them need SciPy, as zen.special does.
"""

from ..exports import shown as _shown
from .arguments import Distribution as Distribution
from .arguments import Frozen as Frozen
from .continuous import expon as expon
from .continuous import halfnorm as halfnorm
from .continuous import laplace as laplace
from .continuous import logistic as logistic
from .continuous import norm as norm
from .continuous import uniform as uniform
from .counts import binom as binom
from .counts import categorical as categorical
from .counts import nbinom as nbinom
from .counts import poisson as poisson
from .shaped import beta as beta
from .shaped import gamma as gamma
from .shaped import t as t
from .vectors import dirichlet as dirichlet
from .vectors import multivariate_normal as multivariate_normal

__all__, __dir__ = _shown(globals())
