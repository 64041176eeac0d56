"""Complex functions: complex derivatives at zeros, poles, ends of branch cuts and on them; real parameters elsewhere.

On a cut the value belongs to one side, and so do the derivatives: there they are those of the function continued from
that side. The sign of a zero says which.
"""

from math import inf, log, nan, pi, sqrt

import numpy as np
from points import NO

from zen import f, special

L2, L10 = log(2), log(10)
BELOW = complex(-1.0, -0.0)
ABOVE = complex(-1.0, 0.0)

# (name, function, point, derivatives of order 0 to 3)
HOLOMORPHIC = [
    ("rgamma at 1", special.rgamma, 1 + 0j, [1, 0.5772156649015329, 0.5772156649015329**2 - pi**2 / 6]),
    ("exp of pi i", f.exp, pi * 1j, [-1, -1, -1, -1]),
    ("exp at 0", f.exp, 0j, [1, 1, 1, 1]),
    ("expm1 at 0", f.expm1, 0j, [0, 1, 1, 1]),
    ("exp2 at 0", f.exp2, 0j, [1, L2, L2**2, L2**3]),
    ("log at i", f.log, 1j, [1j * pi / 2, -1j, 1, 2 * 1j]),  # 1 / z, -1 / z^2, 2 / z^3
    ("log above the cut", f.log, ABOVE, [1j * pi, -1, -1, -2]),
    ("log below the cut", f.log, BELOW, [-1j * pi, -1, -1, -2]),
    ("log at 0", f.log, 0j, [NO, NO, NO, NO]),
    ("log1p at 0", f.log1p, 0j, [0, 1, -1, 2]),
    ("log1p above the cut", f.log1p, complex(-2, 0.0), [1j * pi, -1, -1, -2]),
    ("log1p below the cut", f.log1p, complex(-2, -0.0), [-1j * pi, -1, -1, -2]),
    ("log2 at i", f.log2, 1j, [1j * pi / 2 / L2, -1j / L2, 1 / L2, 2 * 1j / L2]),
    ("log10 at i", f.log10, 1j, [1j * pi / 2 / L10, -1j / L10, 1 / L10, 2 * 1j / L10]),
    # z^(1/2): 1/2 z^(-1/2), -1/4 z^(-3/2), 3/8 z^(-5/2)
    ("sqrt above the cut", f.sqrt, ABOVE, [1j, -1j / 2, -1j / 4, -3 * 1j / 8]),
    ("sqrt below the cut", f.sqrt, BELOW, [-1j, 1j / 2, 1j / 4, 3 * 1j / 8]),
    ("sqrt at 0", f.sqrt, 0j, [0, NO, NO, NO]),
    ("sqrt of 2 i", f.sqrt, 2 * 1j, [1 + 1j, (1 - 1j) / 4, (1 + 1j) / 16, (-3 + 3 * 1j) / 64]),
    ("square at 0", f.square, 0j, [0, 0, 2, 0]),
    ("reciprocal at i", f.reciprocal, 1j, [-1j, 1, 2 * 1j, -6]),
    ("reciprocal at 0", f.reciprocal, 0j, [NO, NO, NO, NO]),
    ("power 2 at 0", lambda z: f.power(z, 2), 0j, [0, 0, 2, 0]),
    ("power 0 at 0", lambda z: f.power(z, 0), 0j, [1, 0, 0, 0]),
    ("power 3 at i", lambda z: f.power(z, 3), 1j, [-1j, -3, 6 * 1j, 6]),
    ("power 1/2 above the cut", lambda z: f.power(z, 0.5), ABOVE, [1j, -1j / 2, -1j / 4, -3 * 1j / 8]),
    ("power of i in the exponent at 0", lambda z: f.power(1j, z), 0j, [1, 1j * pi / 2, -(pi**2) / 4, -1j * pi**3 / 8]),
    ("power of 0 in the exponent", lambda z: f.power(0j, z), 2 + 0j, [0, 0, 0, 0]),
    ("float_power", lambda z: f.float_power(z, 2), 0j, [0, 0, 2, 0]),
    ("pow", lambda z: f.pow(z, 3), 0j, [0, 0, 0, 6]),
    ("divide by i", lambda z: f.divide(1, z), 1j, [-1j, 1, 2 * 1j, -6]),
    ("divide 0", lambda z: f.divide(z, 1j), 0j, [0, -1j, 0, 0]),
    ("multiply by 0", lambda z: f.multiply(z, 0j), 1j, [0, 0, 0, 0]),
    ("sin at 0", f.sin, 0j, [0, 1, 0, -1]),
    ("cos at 0", f.cos, 0j, [1, 0, -1, 0]),
    ("tan at 0", f.tan, 0j, [0, 1, 0, 2]),
    ("sinh of pi i / 2", f.sinh, pi / 2 * 1j, [1j, 0, 1j, 0]),
    ("cosh of pi i / 2", f.cosh, pi / 2 * 1j, [0, 1j, 0, 1j]),
    ("tanh at 0", f.tanh, 0j, [0, 1, 0, -2]),
    # asin: (1 - z^2)^(-1/2), z (1 - z^2)^(-3/2), (1 + 2 z^2) (1 - z^2)^(-5/2);
    # at 2 + 0i 1 - z^2 = -3 - 0i, whose root is -i sqrt 3
    ("asin at 0", f.asin, 0j, [0, 1, 0, 1]),
    ("asin above the cut", f.asin, complex(2, 0.0),
     [pi / 2 + 1j * log(2 + sqrt(3)), 1j / sqrt(3), -2 * 1j / 3**1.5, 9 * 1j / 3**2.5]),
    ("asin below the cut", f.asin, complex(2, -0.0),
     [pi / 2 - 1j * log(2 + sqrt(3)), -1j / sqrt(3), 2 * 1j / 3**1.5, -9 * 1j / 3**2.5]),
    ("asin left above the cut", f.asin, complex(-2, 0.0),
     [-pi / 2 + 1j * log(2 + sqrt(3)), -1j / sqrt(3), -2 * 1j / 3**1.5, -9 * 1j / 3**2.5]),
    ("asin left below the cut", f.asin, complex(-2, -0.0),
     [-pi / 2 - 1j * log(2 + sqrt(3)), 1j / sqrt(3), 2 * 1j / 3**1.5, 9 * 1j / 3**2.5]),
    ("asin at 1", f.asin, 1 + 0j, [pi / 2, NO, NO, NO]),
    ("acos at 0", f.acos, 0j, [pi / 2, -1, 0, -1]),
    ("acos above the cut", f.acos, complex(2, 0.0),
     [-1j * log(2 + sqrt(3)), -1j / sqrt(3), 2 * 1j / 3**1.5, -9 * 1j / 3**2.5]),
    ("acos below the cut", f.acos, complex(2, -0.0),
     [1j * log(2 + sqrt(3)), 1j / sqrt(3), -2 * 1j / 3**1.5, 9 * 1j / 3**2.5]),
    ("acos left above the cut", f.acos, complex(-2, 0.0),
     [pi - 1j * log(2 + sqrt(3)), 1j / sqrt(3), 2 * 1j / 3**1.5, 9 * 1j / 3**2.5]),
    ("atan at 0", f.atan, 0j, [0, 1, 0, -2]),
    ("atan at i", f.atan, 1j, [NO, NO, NO, NO]),
    # on the cut of atan the derivative 1 / (1 + z^2) is that of both sides
    ("atan on the cut", f.atan, complex(0.0, 2), [pi / 2 + 1j * log(3) / 2, -1 / 3, -4 * 1j / 9, 26 / 27]),
    ("atan left of the cut", f.atan, complex(-0.0, 2), [-pi / 2 + 1j * log(3) / 2, -1 / 3, -4 * 1j / 9, 26 / 27]),
    ("asinh at 0", f.asinh, 0j, [0, 1, 0, -1]),
    # asinh: (1 + z^2)^(-1/2), -z (1 + z^2)^(-3/2), (2 z^2 - 1) (1 + z^2)^(-5/2);
    # at +0 + 2i 1 + z^2 = -3 + 0i, whose root is i sqrt 3
    ("asinh right of the cut", f.asinh, complex(0.0, 2),
     [log(2 + sqrt(3)) + 1j * pi / 2, -1j / sqrt(3), 2 / 3**1.5, 9 * 1j / 3**2.5]),
    ("asinh left of the cut", f.asinh, complex(-0.0, 2),
     [-log(2 + sqrt(3)) + 1j * pi / 2, 1j / sqrt(3), -2 / 3**1.5, -9 * 1j / 3**2.5]),
    ("asinh right of the lower cut", f.asinh, complex(0.0, -2),
     [log(2 + sqrt(3)) - 1j * pi / 2, 1j / sqrt(3), 2 / 3**1.5, -9 * 1j / 3**2.5]),
    # acosh: ((z - 1) (z + 1))^(-1/2) as two roots; at 0: roots of -1 and 1
    ("acosh above the cut", f.acosh, complex(0, 0.0), [1j * pi / 2, -1j, 0, -1j]),
    ("acosh below the cut", f.acosh, complex(0, -0.0), [-1j * pi / 2, 1j, 0, 1j]),
    ("acosh left above the cut", f.acosh, complex(-2, 0.0),
     [log(2 + sqrt(3)) + 1j * pi, -1 / sqrt(3), -2 / 3**1.5, -9 / 3**2.5]),
    ("acosh left below the cut", f.acosh, complex(-2, -0.0),
     [log(2 + sqrt(3)) - 1j * pi, -1 / sqrt(3), -2 / 3**1.5, -9 / 3**2.5]),
    ("acosh at 1", f.acosh, 1 + 0j, [0, NO, NO, NO]),
    # atanh: 1 / (1 - z^2), 2 z / (1 - z^2)^2, (2 + 6 z^2) / (1 - z^2)^3
    ("atanh at 0", f.atanh, 0j, [0, 1, 0, 2]),
    ("atanh above the cut", f.atanh, complex(2, 0.0), [log(3) / 2 + 1j * pi / 2, -1 / 3, 4 / 9, -26 / 27]),
    ("atanh below the cut", f.atanh, complex(2, -0.0), [log(3) / 2 - 1j * pi / 2, -1 / 3, 4 / 9, -26 / 27]),
    ("sigmoid at 0", f.sigmoid, 0j, [0.5, 0.25, 0, -0.125]),
    ("erf at 0", f.erf, 0j, [0, 2 / sqrt(pi), 0, -4 / sqrt(pi)]),  # 2 / sqrt(pi) exp(-z^2)
    ("silu at 0", f.silu, 0j, [0, 0.5, 0.5, 0]),
    ("sinc at 0", f.sinc, 0j, [1, 0, -(pi**2) / 3, 0]),
    ("sinc at 1", f.sinc, 1 + 0j, [0, -1, 2, pi**2 - 6]),
    ("negative", f.negative, 0j, [0, -1, 0, 0]),
    ("logn at i", lambda z: f.logn(2.0, z), 1j, [1j * pi / 2 / L2, -1j / L2, 1 / L2, 2 * 1j / L2]),
    ("prod with zeros", lambda z: f.prod(f.stack([z, z, 1j])), 0j, [0, 0, 2 * 1j, 0]),
    ("cumprod with zeros", lambda z: f.cumprod(f.stack([z, z, 1j]))[2], 0j, [0, 0, 2 * 1j, 0]),
    ("sum with i", lambda z: f.sum(f.stack([z, 1j])), 0j, [1j, 1, 0, 0]),
    ("det of a singular matrix", lambda z: f.det(f.reshape(f.stack([z, 1j * z, 1j * z, -z]), (2, 2))), 1 + 0j,
     [0, 0, 0, 0]),
    ("det at 0", lambda z: f.det(f.reshape(f.stack([z, 1j, 0j, z]), (2, 2))), 0j, [0, 0, 2, 0]),
    ("polyval at 0", lambda z: f.polyval([1, 0, 1j], z), 0j, [1j, 0, 2, 0]),
    ("var of equals", lambda z: f.sum(f.stack([z, z])) ** 2, 0j, [0, 0, 8, 0]),
    ("expm at 0", lambda z: f.expm(f.reshape(f.stack([0j, z, z, 0j]), (2, 2)))[0, 1], 0j, [0, 1, 0, 1]),  # sinh
]  # fmt: skip


def z(a, b):
    return f.multiply(b, 1j) + a


# Real functions of a complex number, by its parts; and complex ones that are not holomorphic.
POINTS = [
    ("abs at 0", lambda a, b: f.abs(z(a, b)), (0.0, 0.0), {"": 0, "a": 0, "b": 0, "aa": NO, "ab": NO}),
    ("abs of 3 + 4i", lambda a, b: f.abs(z(a, b)), (3.0, 4.0),
     {"": 5, "a": 0.6, "b": 0.8, "aa": 0.128, "ab": -0.096, "bb": 0.072}),
    ("abs on the real axis", lambda a, b: f.abs(z(a, b)), (-2.0, 0.0),
     {"": 2, "a": -1, "b": 0, "aa": 0, "ab": 0, "bb": 0.5, "aaa": 0, "abb": 0.25}),
    ("abs squared at 0", lambda a, b: f.real(f.conj(z(a, b)) * z(a, b)), (0.0, 0.0),
     {"": 0, "a": 0, "aa": 2, "ab": 0, "bb": 2, "aaa": 0}),
    # angle: -b / |z|^2 and a / |z|^2; the value jumps at the cut, the slopes do not
    ("angle on the cut", lambda a, b: f.angle(z(a, b)), (-1.0, 0.0),
     {"": pi, "a": 0, "b": -1, "aa": 0, "ab": -1, "bb": 0, "aab": -2, "bbb": 2}),
    ("angle at 0", lambda a, b: f.angle(z(a, b)), (0.0, 0.0), {"": 0, "a": 0, "b": 0, "aa": NO}),
    ("angle of a tiny number", lambda a, b: f.angle(z(a, b)), (0.0, 1e-200), {"": pi / 2, "a": -1e200, "b": 0}),
    ("angle of a large number", lambda a, b: f.angle(z(a, b)), (1e200, 0.0), {"": 0, "a": 0, "b": 1e-200}),
    ("angle in degrees", lambda a, b: f.angle(z(a, b), deg=True), (0.0, 2.0), {"": 90, "a": -90 / pi, "b": 0}),
    ("sign at i, real part", lambda a, b: f.real(f.sign(z(a, b))), (0.0, 2.0),
     {"": 0, "a": 0.5, "b": 0, "ab": -0.25, "aa": 0, "aaa": -0.375}),
    ("sign at 0", lambda a, b: f.real(f.sign(z(a, b))), (0.0, 0.0), {"": 0, "a": 0, "b": 0, "aa": NO}),
    ("conj", lambda a, b: f.imag(f.conj(z(a, b))), (1.0, 2.0), {"": -2, "a": 0, "b": -1, "bb": 0}),
    ("real of a square", lambda a, b: f.real(f.square(z(a, b))), (0.0, 0.0),
     {"": 0, "a": 0, "aa": 2, "bb": -2, "ab": 0}),
    ("imag of a square", lambda a, b: f.imag(f.square(z(a, b))), (0.0, 0.0), {"": 0, "a": 0, "aa": 0, "ab": 2}),
    ("real_if_close", lambda a: f.real_if_close(z(a, 0.0)), (2.0,), {"": 2, "a": 1, "aa": 0}),
    ("norm at 0", lambda a, b: f.norm(f.stack([z(a, b)])), (0.0, 0.0), {"": 0, "a": 0, "b": 0, "aa": NO}),
    ("norm on an axis", lambda a, b: f.norm(f.stack([z(a, b)])), (0.0, 2.0),
     {"": 2, "a": 0, "b": 1, "aa": 0.5, "bb": 0}),
    ("norm 1 at 0", lambda a, b: f.vector_norm(f.stack([z(a, b)]), ord=1), (0.0, 0.0), {"": 0, "a": 0, "b": 0}),
    ("norm 3 on an axis", lambda a, b: f.vector_norm(f.stack([z(a, b)]), ord=3), (0.0, 2.0),
     {"": 2, "a": 0, "b": 1, "aa": 0.5}),
    ("norm inf, a tie", lambda a, b: f.vector_norm(f.stack([z(a, 0.0), z(0.0, b)]), ord=inf), (2.0, -2.0),
     {"": 2, "a": 0.5, "b": -0.5}),
    ("var of equals", lambda a, b: f.var(f.stack([z(a, b), z(0.0, 0.0)])), (0.0, 0.0),
     {"": 0, "a": 0, "aa": 0.5, "bb": 0.5, "ab": 0}),
    ("std of equals", lambda a, b: f.std(f.stack([z(a, b), z(0.0, 0.0)])), (0.0, 0.0),
     {"": 0, "a": 0, "b": 0, "aa": NO}),
    ("max, a tie", lambda a, b: f.real(f.max(f.stack([z(a, 0.0), z(b, 0.0)]))), (1.0, 1.0),
     {"": 1, "a": 0.5, "b": 0.5}),
    ("maximum, a tie", lambda a, b: f.real(f.maximum(z(a, 0.0), z(b, 0.0))), (1.0, 1.0), {"": 1, "a": 0.5, "b": 0.5}),
    ("minimum by the imaginary part", lambda a, b: f.imag(f.minimum(z(0.0, a), z(0.0, b))), (1.0, 2.0),
     {"": 1, "a": 1, "b": 0}),
    ("sort, a tie", lambda a, b: f.real(f.sort(f.stack([z(a, 1.0), z(b, 0.0)]))[0]), (1.0, 1.0),
     {"": 1, "a": 0, "b": 1}),
    ("sort_complex", lambda a, b: f.real(f.sort_complex(f.stack([z(a, 1.0), z(b, 0.0)]))[0]), (1.0, 1.0),
     {"": 1, "a": 0, "b": 1}),
    ("clip, beyond by the imaginary part", lambda a, b: f.imag(f.clip(z(1.0, a), z(1.0, -1.0), z(1.0, b))), (3.0, 2.0),
     {"": 2, "a": 0, "b": 1}),
    # exp(-|real(z)|) I0(z), which at i a is J0(a) = 1 - a^2 / 4 + ...
    ("ive on the imaginary axis", lambda a: f.real(special.ive(0.0, z(0.0, a))), (0.0,),
     {"": 1, "a": 0, "aa": -0.5, "aaa": 0}),
    ("rint of a half", lambda a: f.real(f.rint(z(a, 0.5))), (0.5,), {"": 0, "a": 0}),
    ("nan_to_num", lambda a: f.real(f.nan_to_num(z(a, 0.0))), (nan,), {"": 0, "a": 0}),
    ("vdot at 0", lambda a, b: f.real(f.vdot(f.stack([z(a, b)]), f.stack([z(a, b)]))), (0.0, 0.0),
     {"": 0, "a": 0, "aa": 2, "bb": 2, "ab": 0}),
    # real numbers outside of the real domain stand above the cut
    ("emath.arcsin of 2", lambda a: f.imag(np.emath.arcsin(a)), (2.0,),
     {"": log(2 + sqrt(3)), "a": 1 / sqrt(3), "aa": -2 / 3**1.5, "aaa": 9 / 3**2.5}),
    ("emath.arccos of 2", lambda a: f.imag(np.emath.arccos(a)), (2.0,),
     {"": -log(2 + sqrt(3)), "a": -1 / sqrt(3), "aa": 2 / 3**1.5}),
    ("emath.arctanh of 2", lambda a: f.real(np.emath.arctanh(a)), (2.0,),
     {"": log(3) / 2, "a": -1 / 3, "aa": 4 / 9, "aaa": -26 / 27}),
    ("emath.sqrt of -4", lambda a: f.imag(np.emath.sqrt(a)), (-4.0,), {"": 2, "a": -0.25, "aa": -1 / 32}),
    ("emath.log of -1", lambda a: f.real(np.emath.log(a)), (-1.0,), {"": 0, "a": -1, "aa": -1, "aaa": -2}),
    ("emath.power of -1", lambda a: f.imag(np.emath.power(a, 0.5)), (-1.0,), {"": 1, "a": -0.5, "aa": -0.25}),
    # of one element: log |z|, and z / |z|
    ("slogdet", lambda a, b: f.slogdet(f.reshape(z(a, b), (1, 1))).logabsdet, (0.0, 2.0),
     {"": log(2), "a": 0, "b": 0.5, "aa": 0.25, "bb": -0.25, "ab": 0, "bbb": 0.25}),
    ("slogdet, the sign", lambda a, b: f.real(f.slogdet(f.reshape(z(a, b), (1, 1))).sign), (0.0, 2.0),
     {"": 0, "a": 0.5, "b": 0, "ab": -0.25, "aaa": -0.375}),
    ("copy", lambda a: f.real(f.copy(z(a, 0.0))), (0.0,), {"": 0, "a": 1, "aa": 0}),
    ("real root of a negative number", lambda a: f.imag(f.sqrt(f.multiply(a, 1 + 0j))), (-4.0,),
     {"": 2, "a": -0.25, "aa": -1 / 32}),
]  # fmt: skip
