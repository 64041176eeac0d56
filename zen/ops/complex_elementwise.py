"""The elementwise rows of complex numbers alone: plain data, of which the build makes kernels, as of `elementwise.py`.

Some are what another row is for complex operands. Cotangents are not conjugated on their way (see `complex` in
`row.py`), so a formula with `conj`, `real` or `imag` in it stands only where a function has no complex derivative.
"""

from .elementwise import ANY, POSITIVE
from .row import Row, elementwise

# Their results are real: the cotangent is, and the tangent is the real part of the formula's.
parts = [
    elementwise("complex_abs", "x", "abs(x)", ["g * conj(direction(x))"], [POSITIVE], numpy="", method=None,
                complex=True, doc="The modulus. The subgradient at 0 is 0, higher ones are nan."),
    elementwise("complex_angle", "x", "atan2(imag(x), real(x))", ["-1j * g * ratio(1, x)"], [ANY], numpy="",
                method=None, complex=True, doc="The angle of a complex number in radians."),
]  # fmt: skip

others = [
    elementwise("conj", "x", "conj(x)", ["conj(g)"], [ANY], numpy="", method=None, complex=True,
                doc="The complex conjugate; real x itself."),
    elementwise("complex_rint", "x", "rint(x)", ["0"], [(0.1, 0.4)], numpy="", method=None, complex=True,
                doc="Both parts rounded to the nearest integer, halves to even. Its gradient is zero."),
    # On a branch cut the sign of a zero says which side is meant: x * x - 1 keeps it, 1 - x * x and x + 1 do not.
    elementwise("complex_asin", "x", "asin(x)", ["g / sqrt(-(x * x - 1))"], [(-0.8, 0.8)], numpy="", method=None,
                complex=True, doc="Inverse sine, on its principal branch."),
    elementwise("complex_acos", "x", "acos(x)", ["-g / sqrt(-(x * x - 1))"], [(-0.8, 0.8)], numpy="", method=None,
                complex=True, doc="Inverse cosine, on its principal branch."),
    elementwise("complex_clip", "x lo hi", "minimum(maximum(x, lo), hi)",
                ["where((x >= lo) & (x <= hi), g, 0)", "where((x < lo) & (lo <= hi), g, 0)",
                 "where((x > hi) | (lo > hi), g, 0)"], [(-0.9, 0.9), (-2.0, -1.0), (1.0, 2.0)], numpy="", method=None,
                complex=True, doc="x limited to [lo, hi], in the order of real parts, then of imaginary ones."),
    elementwise("complex_acosh", "x", "acosh(x)", ["g / (sqrt(x - 1) * sqrt(x - -1))"], [(1.5, 3.0)], numpy="",
                method=None, complex=True, doc="Inverse hyperbolic cosine, on its principal branch."),
    elementwise("complex_sigmoid", "x", "1 / (1 + exp(-x))", ["g * y * (1 - y)"], [ANY], numpy="", method=None,
                complex=True, doc="1 / (1 + exp(-x))."),
    elementwise("complex_silu", "x", "x / (1 + exp(-x))", ["g * (sigmoid(x) * (1 + x * (1 - sigmoid(x))))"], [ANY],
                numpy="", method=None, complex=True, doc="x / (1 + exp(-x))."),
]  # fmt: skip

ROWS: list[Row] = [*parts, *others]
