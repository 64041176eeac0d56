"""Polynomials by their coefficients, lowest power first, under the names of numpy.polynomial.polynomial.

NumPy's own functions of that module do not ask Tensors, so they are called here: `zen.polynomial.polyval(x, c)`.
Polynomials with the highest power first are `zen.f.polyval` and its like, which answer for `numpy.polyval`.
"""

from typing import TYPE_CHECKING

from .exports import HOMES
from .habits import elsewhere, missing
from .ops.power_series import (
    polyadd,
    polycompanion,
    polyder,
    polydiv,
    polyfromroots,
    polyint,
    polyline,
    polymul,
    polymulx,
    polypow,
    polyroots,
    polysub,
    polytrim,
)  # fmt: skip
from .ops.power_series_values import (
    polyfit,
    polygrid2d,
    polygrid3d,
    polyval,
    polyval2d,
    polyval3d,
    polyvalfromroots,
    polyvalnd,
    polyvander,
    polyvander2d,
    polyvander3d,
)  # fmt: skip
from .ops.register import placed

__all__ = [
    "polyadd",
    "polycompanion",
    "polyder",
    "polydiv",
    "polyfit",
    "polyfromroots",
    "polygrid2d",
    "polygrid3d",
    "polyint",
    "polyline",
    "polymul",
    "polymulx",
    "polypow",
    "polyroots",
    "polysub",
    "polytrim",
    "polyval",
    "polyval2d",
    "polyval3d",
    "polyvalfromroots",
    "polyvalnd",
    "polyvander",
    "polyvander2d",
    "polyvander3d",
]
__dir__ = __all__.copy
HOMES[__name__] = __all__

for _name in __all__:
    placed(globals()[_name], __name__, _name)

if not TYPE_CHECKING:  # for whom there are no other names

    def __getattr__(name: str) -> object:
        raise missing(__name__, name, __all__, elsewhere(name))
