"""Minima, fits and roots by SciPy, with the derivatives that it wants: `zen.optimize.minimize(f, params)`.

Names, arguments and results are those of scipy.optimize, and SciPy does the work; zen fills in gradients, Hessians or
their products, and Jacobians. Parameters may be nested, and some of them fixed. `summary` makes the table of a fit:
standard errors, intervals, and bands of what it predicts. SciPy is imported on first use: the extra "optimize".

    fit = zen.optimize.least_squares(lambda p: p["a"] * np.exp(-p["b"] * x) - y, {"a": 1.0, "b": 0.1})
    print(zen.optimize.summary(fit))

Results are constants. Where a function uses something besides its parameters that requires a gradient, an error says
so: see `minimize`.
"""

from ..exports import shown as _shown
from .fitting import curve_fit as curve_fit
from .fitting import least_squares as least_squares
from .minimizing import minimize as minimize
from .roots import brentq as brentq
from .roots import fsolve as fsolve
from .roots import newton as newton
from .roots import root as root
from .roots import root_scalar as root_scalar
from .summaries import Band as Band
from .summaries import Summary as Summary
from .summaries import summary as summary

__all__, __dir__ = _shown(globals())
