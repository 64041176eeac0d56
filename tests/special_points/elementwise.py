"""Elementwise functions at ties, zeros and kinks: powers, quotients, activations, losses, slopes within formulas."""

import math
from math import inf, nan

from points import NO, row

from zen import f


def sigma(x):
    return 1 / (1 + math.exp(-x))


S, L2 = sigma(-1.0), math.log(2)
SELU = 1.0507009873554805 * 1.6732632423543772

POINTS = [
    ("power at b = 0", f.power, (2.0, 0.0),
     {"": 1, "a": 0, "b": L2, "aa": 0, "ab": 0.5, "bb": L2**2, "aaa": 0, "aab": -0.25, "abb": L2, "bbb": L2**3}),
    ("power of 0", f.power, (0.0, 0.3), {"": 0, "a": inf, "b": 0, "bb": 0, "bbb": 0, "ab": NO}),
    ("0 ** 0", f.power, (0.0, 0.0), {"": 1, "a": 0, "b": 0, "aa": 0, "aaa": 0, "bb": NO, "ab": NO, "aab": NO}),
    ("0 ** 1", f.power, (0.0, 1.0), {"": 0, "a": 1, "b": 0, "aa": 0, "bb": 0, "aaa": 0, "ab": NO, "aab": NO}),
    ("0 ** 2", f.power, (0.0, 2.0),
     {"": 0, "a": 0, "b": 0, "aa": 2, "ab": 0, "bb": 0, "aaa": 0, "abb": 0, "bbb": 0, "aab": NO}),
    ("0 ** 3", f.power, (0.0, 3.0), {"a": 0, "aa": 0, "ab": 0, "aaa": 6, "aab": 0, "abb": 0}),
    ("negative base", f.power, (-2.0, 3.0), {"": -8, "a": 12, "aa": -12, "aaa": 6, "b": NO}),
    ("negative base to the 0", f.power, (-2.0, 0.0), {"": 1, "a": 0, "aa": 0, "aaa": 0}),
    ("root of 0 by power", f.power, (0.0, 0.5), {"a": inf, "aa": -inf}),
    ("logaddexp, a tie", f.logaddexp, (0.0, 0.0),
     {"": L2, "a": 0.5, "b": 0.5, "aa": 0.25, "ab": -0.25, "bb": 0.25, "aaa": 0, "aab": 0}),
    ("logaddexp", f.logaddexp, (0.0, 1.0),
     {"a": S, "b": 1 - S, "ab": -S * (1 - S), "aaa": S * (1 - S) * (1 - 2 * S), "abb": S * (1 - S) * (1 - 2 * S)}),
    ("logaddexp of inf", f.logaddexp, (0.0, inf), {"": inf, "a": 0, "b": 1, "bb": 0}),
    ("logaddexp of -inf", f.logaddexp, (0.0, -inf), {"": 0, "a": 1, "b": 0, "aa": 0}),
    ("logaddexp of two inf", f.logaddexp, (inf, inf), {"": inf, "a": 0.5, "b": 0.5}),
    ("logaddexp of two -inf", f.logaddexp, (-inf, -inf), {"": -inf, "a": 0.5, "b": 0.5}),
    ("hypot at 0", f.hypot, (0.0, 0.0), {"": 0, "a": 0, "b": 0, "aa": NO, "ab": NO, "bb": NO}),
    ("hypot squared at 0", lambda a, b: f.square(f.hypot(a, b)), (0.0, 0.0), {"a": 0, "aa": NO, "ab": NO}),
    ("hypot on an axis", f.hypot, (0.0, 2.0), {"a": 0, "b": 1, "aa": 0.5, "ab": 0, "bb": 0, "aab": -0.25, "aaa": 0}),
    ("atan2 at 0", f.atan2, (0.0, 0.0), {"": 0, "a": 0, "b": 0, "aa": NO, "ab": NO, "bb": NO}),
    ("atan2 on an axis", f.atan2, (0.0, 1.0), {"a": 1, "b": 0, "aa": 0, "ab": -1, "bb": 0, "aaa": -2, "abb": 2}),
    ("atan2 of tiny numbers", f.atan2, (1e-200, 1e-200), {"a": 5e199, "b": -5e199}),
    ("atan2 of large numbers", f.atan2, (1e200, 1e200), {"a": 5e-201, "b": -5e-201}),
    ("abs at 0", f.abs, (0.0,), {"": 0, "a": 0, "aa": 0, "aaa": 0}),
    ("sqrt of 0", f.sqrt, (0.0,), {"": 0, "a": inf, "aa": -inf, "aaa": NO}),
    ("sqrt of inf", f.sqrt, (inf,), {"": inf, "a": 0, "aa": 0}),
    ("reciprocal of inf", f.reciprocal, (inf,), {"": 0, "a": 0, "aa": 0}),
    ("square of 0", f.square, (0.0,), {"a": 0, "aa": 2, "aaa": 0}),
    ("divide 0 by 1", f.divide, (0.0, 1.0), {"a": 1, "b": 0, "ab": -1, "bb": 0, "abb": 2}),
    ("a product with 0", f.multiply, (0.0, 3.0), {"a": 3, "b": 0, "ab": 1, "aa": 0}),
    ("maximum, a tie", f.maximum, (1.0, 1.0), {"a": 0.5, "b": 0.5, "aa": 0, "ab": 0, "bb": 0}),
    ("maximum squared, a tie of x with itself", lambda x: f.square(f.maximum(x, x)), (3.0,), {"a": 6, "aa": 2}),
    ("minimum, a tie", f.minimum, (1.0, 1.0), {"a": 0.5, "b": 0.5, "aa": 0, "ab": 0, "bb": 0}),
    ("clip at its limit", f.clip, (1.0, 1.0, 2.0), {"a": 1, "aa": 0}),
    ("remainder, a rounded quotient", f.remainder, (1.0, 0.1), {"a": 1, "b": -9, "bb": 0, "ab": 0}),
    ("remainder of negative numbers", f.remainder, (-1.0, 0.1), {"a": 1, "b": 10}),
    ("elu at 0", f.elu, (0.0,), {"a": 1, "aa": 1, "aaa": 1}),
    ("celu at 0", lambda x: f.celu(x, 2.0), (0.0,), {"a": 1, "aa": 0.5, "aaa": 0.25}),
    ("selu at 0", f.selu, (0.0,), {"a": SELU, "aa": SELU, "aaa": SELU}),
    ("relu at 0", f.relu, (0.0,), {"a": 0, "aa": 0}),
    ("silu at 0", f.silu, (0.0,), {"a": 0.5, "aa": 0.5, "aaa": 0}),
    ("gelu at 0", f.gelu, (0.0,), {"a": 0.5, "aa": 2 / math.sqrt(2 * math.pi), "aaa": 0}),
    ("sigmoid at 0", f.sigmoid, (0.0,), {"a": 0.25, "aa": 0, "aaa": -0.125}),
    ("softplus at 0", f.softplus, (0.0,), {"a": 0.5, "aa": 0.25, "aaa": 0}),
    ("softplus at its threshold", lambda x: f.softplus(x, 1.0, 0.0), (0.0,), {"a": 0.5, "aa": 0.25, "aaa": 0}),
    ("logsigmoid at 0", f.logsigmoid, (0.0,), {"a": 0.5, "aa": -0.25, "aaa": 0}),
    ("tanh at inf", f.tanh, (inf,), {"a": 0, "aa": 0}),
    ("log of 0", f.log, (0.0,), {"": -inf, "a": inf, "aa": -inf, "aaa": inf}),
    ("asin of 1", f.asin, (1.0,), {"a": inf, "aa": NO}),
    ("huber at 0", row("huber"), (0.0, 0.0, 1.0), {"a": 0, "b": 0, "c": 0, "aa": 1, "ab": -1, "aaa": 0, "ac": 0}),
    ("huber of a far prediction", row("huber"), (5.0, 0.0, 1.0), {"a": 1, "c": 4, "aa": 0, "ac": 1, "cc": -1}),
    ("binary cross entropy, 0 of 0", row("bce"), (0.0, 0.0), {"": 0, "a": 1, "aa": 1}),
    ("binary cross entropy, 1 of 1", row("bce"), (1.0, 1.0), {"": 0, "a": -1, "aa": 1}),
    ("logit inf of 0", row("bce_logits"), (inf, 0.0), {"": inf, "a": 1, "b": -inf}),
    ("logit inf of 1", row("bce_logits"), (inf, 1.0), {"": 0, "a": 0, "b": -inf}),
    ("logit -inf of 0", row("bce_logits"), (-inf, 0.0), {"": 0, "a": 0, "b": inf}),
    ("logit -inf of 1", row("bce_logits"), (-inf, 1.0), {"": inf, "a": -1, "b": inf}),
    ("x log x at 0", row("entropy"), (0.0,), {"": 0, "a": -inf, "aa": inf}),
    ("a slope at a kink", row("ratio"), (0.0, 0.0), {"": 0, "a": inf, "b": NO}),
    ("cbrt of 0", f.cbrt, (0.0,), {"": 0, "a": inf, "aa": NO}),
    ("cbrt of -8", f.cbrt, (-8.0,), {"": -2, "a": 1 / 12, "aa": 1 / 144, "aaa": 5 / 3456}),
    ("sinc at 0", f.sinc, (0.0,), {"": 1, "a": 0, "aa": -(math.pi**2) / 3, "aaa": 0}),
    ("sinc at 1", f.sinc, (1.0,), {"a": -1, "aa": 2, "aaa": math.pi**2 - 6}),
    ("i0 at 0", f.i0, (0.0,), {"": 1, "a": 0, "aa": 0.5, "aaa": 0}),
    ("logaddexp2, a tie", f.logaddexp2, (0.0, 0.0), {"": 1, "a": 0.5, "b": 0.5, "aa": L2 / 4, "ab": -L2 / 4, "aaa": 0}),
    ("logaddexp2 of two inf", f.logaddexp2, (inf, inf), {"": inf, "a": 0.5, "b": 0.5}),
    ("fmax, a tie", f.fmax, (1.0, 1.0), {"a": 0.5, "b": 0.5, "aa": 0, "ab": 0, "bb": 0}),
    ("fmax of nan and a number", f.fmax, (nan, 1.0), {"": 1, "a": 0, "b": 1, "bb": 0}),
    ("fmod, a rounded quotient", f.fmod, (1.0, 0.1), {"a": 1, "b": -9, "bb": 0, "ab": 0}),
    ("fmod of a negative number", f.fmod, (-7.0, 2.0), {"": -1, "a": 1, "b": 3}),
    ("heaviside at 0", f.heaviside, (0.0, 0.25), {"": 0.25, "a": 0, "b": 1, "ab": 0, "bb": 0}),
    ("copysign of 0", f.copysign, (0.0, -1.0), {"": 0, "a": 0, "b": 0, "aa": 0}),
    ("copysign to -0", f.copysign, (2.0, -0.0), {"": -2, "a": -1, "b": 0, "aa": 0}),
    ("nothing of infinity", row("product"), (0.0, inf), {"": 0, "a": inf, "b": 0}),
    # what formulas are made of
    ("ratio", row("ratio"), (0.0, 2.0), {"": 0, "a": 0.5, "b": 0, "ab": -0.25, "bb": 0}),
    ("limit_power at (0, 0)", row("limit_power"), (0.0, 0.0), {"": 1, "a": 0, "b": -inf}),
    ("limit_power of 0", row("limit_power"), (0.0, 2.0), {"": 0, "a": 0, "aa": 2, "b": 0}),
    ("power_slope at b = 0", row("power_slope"), (2.0, 0.0), {"": 0, "a": 0, "b": 0.5, "ab": -0.25}),  # b a^(b - 1)
    ("power_log of 0", row("power_log"), (0.0, 2.0), {"": 0, "a": 0, "b": 0}),  # a^b log a
    ("power_log at b = 0", row("power_log"), (2.0, 0.0), {"": L2, "a": 0.5, "b": L2**2, "aa": -0.25}),
    ("angle_slope at (0, 0)", row("angle_slope"), (0.0, 0.0), {"": 0, "a": NO, "b": NO}),
    ("angle_slope on an axis", row("angle_slope"), (0.0, 1.0),
     {"": 1, "a": 0, "b": -1, "aa": -2, "bb": 2}),  # b / (a^2 + b^2)
    ("gelu_slope at 0", row("gelu_slope"), (0.0,), {"": 0.5, "a": 2 / math.sqrt(2 * math.pi), "aa": 0}),
    ("product of inf and 0", row("product"), (inf, 0.0), {"": NO, "a": 0, "b": inf}),
    ("entropy at 1", row("entropy"), (1.0,), {"": 0, "a": 1, "aa": 1, "aaa": -1}),
    ("squared_error of equals", row("squared_error"), (1.0, 1.0), {"": 0, "a": 0, "b": 0, "aa": 2, "ab": -2, "aaa": 0}),
    ("bounded_softplus at its threshold", row("bounded_softplus"), (2.0, 1.0, 2.0),
     {"": math.log1p(math.exp(2)), "a": sigma(2.0)}),
    ("bounded_softplus beyond", row("bounded_softplus"), (3.0, 1.0, 2.0), {"": 3, "a": 1, "aa": 0, "b": 0, "c": 0}),
    ("hardtanh at its limits", row("hardtanh"), (1.0, 1.0, 2.0), {"": 1, "a": 0, "b": 1, "c": 0}),
    ("gelu_tanh at 0", row("gelu_tanh"), (0.0,), {"": 0, "a": 0.5, "aa": 2 / math.sqrt(2 * math.pi), "aaa": 0}),
]  # fmt: skip
