"""The elementwise rows: plain data. The build reads this file to generate the compiled kernels.

To add an operation, add one row here, rebuild, and everything else follows: the function in `zen.f`, the method,
NumPy dispatch, both engines, forward mode, higher order and the tests. The language of the formulas is described
in `zen/ops/row.py`; what may be called in `forward` is listed in `zen/ops/primitives.py`.

A formula is differentiated in its turn, so a constant put in at a special point has to be right for every order. Where
it cannot be, the formula calls a row of `slopes`, which has the wanted value there and declares its own derivatives.

`domain` gives tests a (low, high) interval for each argument, away from kinks and poles; "bool" is a mask and
"const" marks an argument drawn as one scalar.
"""

from .row import NOT_DIFFERENTIABLE, Row, elementwise

ANY = (-3.0, 3.0)
POSITIVE = (0.2, 3.0)

arithmetic = [
    elementwise("add", "a b", "a + b", ["g", "g"], [ANY, ANY], complex=True, doc="Sum, `a + b`."),
    elementwise("subtract", "a b", "a - b", ["g", "-g"], [ANY, ANY], complex=True, doc="Difference, `a - b`."),
    elementwise("multiply", "a b", "a * b", ["g * b", "g * a"], [ANY, ANY], complex=True, doc="Product, `a * b`."),
    elementwise(
        "divide", "a b", "a / b", ["g / b", "-g * y / b"], [ANY, POSITIVE],
        numpy="divide true_divide", complex=True,
        doc="Quotient, `a / b`. A zero divisor gives inf or nan, as in NumPy.",
    ),
    elementwise(
        "power", "a b", "a ** b",
        ["g * power_slope(a, b)", "g * product(where((a == 0) & (b == 0), b, 1), power_log(a, b))"],
        [POSITIVE, ANY], numpy="power pow",
        complex=True,
        doc="`a ** b`. The derivative in b is nan where a < 0; at a = 0 it is 0 for b >= 0, and at b = 0 no higher one "
        "in both is finite.",
    ),
    elementwise(
        "floor_divide", "a b", "floor_divide(a, b)", ["0", "0"], [ANY, POSITIVE],
        doc="Largest integer not above the quotient, `a // b`. Piecewise constant: its gradient is zero.",
    ),
    elementwise(
        "remainder", "a b", "remainder(a, b)", ["g", "-g * floor_divide(a, b)"],
        [ANY, POSITIVE], numpy="remainder mod", doc="`a % b`, with the sign of b: a - b * (a // b).",
    ),
    elementwise("negative", "x", "-x", ["-g"], [ANY], complex=True, doc="`-x`."),
    elementwise("positive", "x", "+x", ["g"], [ANY], complex=True, doc="`+x`, a copy."),
    elementwise("abs", "x", "abs(x)", ["g * sign(x)"], [POSITIVE], numpy="abs absolute",
                complex="complex_abs",
                doc="Absolute value. The subgradient at 0 is 0, a constant: the second derivative of abs(x) ** 2 there "
                    "is 0, as in PyTorch, and not the 2 of x ** 2."),
    elementwise("sign", "x", "sign(x)", ["0"], [POSITIVE], complex="complex_sign",
    doc="-1, 0 or 1. Its gradient is zero."),
    elementwise("square", "x", "x * x", ["g * 2 * x"], [ANY], complex=True, doc="`x * x`."),
    elementwise("sqrt", "x", "sqrt(x)", ["g * 0.5 / y"], [POSITIVE],
                complex=True, doc="Square root; nan below 0. The derivative at 0 is inf."),
    elementwise("reciprocal", "x", "1 / x", ["-g * y * y"], [POSITIVE],
                complex=True, doc="`1 / x`; of integers the integer part, as in NumPy."),
    elementwise("maximum", "a b", "maximum(a, b)",
                ["where(a < b, 0, where(a == b, 0.5 * g, g))", "where(b < a, 0, where(a == b, 0.5 * g, g))"],
                [ANY, (4.0, 5.0)],
                complex=True,
                doc="The larger value; nan if either is. Ties share the gradient equally, in constant parts: the "
                    "second derivative of maximum(x, -x) ** 2 at 0 is 0, as in PyTorch, and not the 2 of x ** 2."),
    elementwise("minimum", "a b", "minimum(a, b)",
                ["where(a > b, 0, where(a == b, 0.5 * g, g))", "where(b > a, 0, where(a == b, 0.5 * g, g))"],
                [ANY, (4.0, 5.0)],
                complex=True,
                doc="The smaller value; nan if either is. Ties share the gradient equally, as in `maximum`."),
    elementwise(
        "clip", "x lo hi", "minimum(maximum(x, lo), hi)",
        ["where((x >= lo) & (x <= hi), g, 0)", "where((x < lo) & (lo <= hi), g, 0)",
         "where((x > hi) | (lo > hi), g, 0)"],
        [(-0.9, 0.9), (-2.0, -1.0), (1.0, 2.0)], complex="complex_clip",
        doc="x limited to [lo, hi]. The gradient passes where lo <= x <= hi, limits included.",
    ),
    elementwise(
        "where", "c a b", "where(c, a, b)", [NOT_DIFFERENTIABLE, "where(c, g, 0)", "where(c, 0, g)"],
        ["bool", ANY, ANY], method=None,
        complex=True,
        doc="a where the condition c holds, else b. The branch not taken gets a gradient of exactly zero.",
    ),
    elementwise("floor", "x", "floor(x)", ["0"], [(0.1, 0.9)], doc="Largest integer <= x. Its gradient is zero."),
    elementwise("ceil", "x", "ceil(x)", ["0"], [(0.1, 0.9)], doc="Smallest integer >= x. Its gradient is zero."),
    elementwise("rint", "x", "rint(x)", ["0"], [(0.1, 0.4)], method=None, complex="complex_rint",
                doc="Nearest integer, halves to even. Its gradient is zero."),
    elementwise("trunc", "x", "trunc(x)", ["0"], [(0.1, 0.9)], numpy="trunc fix",
                doc="x rounded towards zero. Its gradient is zero."),
]  # fmt: skip

exponential = [
    elementwise("exp", "x", "exp(x)", ["g * y"], [ANY], complex=True, doc="e ** x."),
    elementwise("expm1", "x", "expm1(x)", ["g * (y + 1)"], [ANY], complex=True, doc="exp(x) - 1, exact near 0."),
    elementwise("exp2", "x", "exp2(x)", ["g * y * 0.6931471805599453"], [ANY], complex=True, doc="2 ** x."),
    elementwise("log", "x", "log(x)", ["g / x"], [POSITIVE], complex=True,
    doc="Natural logarithm; -inf at 0, nan below."),
    elementwise("log1p", "x", "log1p(x)", ["g / (1 + x)"], [POSITIVE], complex=True, doc="log(1 + x), exact near 0."),
    elementwise("log2", "x", "log2(x)", ["g / (x * 0.6931471805599453)"], [POSITIVE], complex=True,
    doc="Logarithm to base 2."),
    elementwise("log10", "x", "log10(x)", ["g / (x * 2.302585092994046)"], [POSITIVE], complex=True,
    doc="Logarithm to base 10."),
    elementwise(
        "logaddexp", "a b", "logaddexp(a, b)",
        # Two equal infinities have no difference.
        ["g * sigmoid(where((a == b) & (a - a != 0), 0, a - b))",
         "g * sigmoid(where((a == b) & (a - a != 0), 0, b - a))"], [ANY, ANY],
        doc="log(exp(a) + exp(b)) without overflow. Equal infinities share the gradient equally.",
    ),
]  # fmt: skip

trigonometric = [
    elementwise("sin", "x", "sin(x)", ["g * cos(x)"], [ANY], complex=True, doc="Sine; x in radians."),
    elementwise("cos", "x", "cos(x)", ["-g * sin(x)"], [ANY], complex=True, doc="Cosine; x in radians."),
    elementwise("tan", "x", "tan(x)", ["g * (1 + y * y)"], [(-1.2, 1.2)], complex=True, doc="Tangent; x in radians."),
    elementwise("asin", "x", "asin(x)", ["g / sqrt(1 - x * x)"], [(-0.8, 0.8)], numpy="arcsin asin",
                complex="complex_asin", doc="Inverse sine in radians; nan outside [-1, 1]."),
    elementwise("acos", "x", "acos(x)", ["-g / sqrt(1 - x * x)"], [(-0.8, 0.8)], numpy="arccos acos",
                complex="complex_acos", doc="Inverse cosine in radians; nan outside [-1, 1]."),
    elementwise("atan", "x", "atan(x)", ["g / (1 + x * x)"], [ANY], numpy="arctan atan",
                complex=True, doc="Inverse tangent in radians."),
    elementwise("atan2", "a b", "atan2(a, b)",
                ["g * angle_slope(a, b)", "-g * angle_slope(b, a)"], [ANY, POSITIVE], numpy="arctan2 atan2",
                doc="Angle of the point (b, a) in radians, in [-pi, pi]. The derivatives at (0, 0) are 0."),
    elementwise("hypot", "a b", "hypot(a, b)", ["g * ratio(a, y)", "g * ratio(b, y)"], [ANY, POSITIVE],
                doc="sqrt(a*a + b*b) without overflow. At (0, 0) the subgradient is 0, higher ones are nan."),
    elementwise("sinh", "x", "sinh(x)", ["g * cosh(x)"], [ANY], complex=True, doc="Hyperbolic sine."),
    elementwise("cosh", "x", "cosh(x)", ["g * sinh(x)"], [ANY], complex=True, doc="Hyperbolic cosine."),
    elementwise("tanh", "x", "tanh(x)", ["g * (1 - y * y)"], [ANY], complex=True, doc="Hyperbolic tangent."),
    # x * x - -1: on the branch cut, where the sign of a zero says which side is meant, x * x + 1 would lose it.
    elementwise("asinh", "x", "asinh(x)", ["g / sqrt(x * x - -1)"], [ANY], numpy="arcsinh asinh",
                complex=True, doc="Inverse hyperbolic sine."),
    elementwise("acosh", "x", "acosh(x)", ["g / sqrt(x * x - 1)"], [(1.5, 3.0)], numpy="arccosh acosh",
                complex="complex_acosh", doc="Inverse hyperbolic cosine; nan below 1."),
    elementwise("atanh", "x", "atanh(x)", ["g / (1 - x * x)"], [(-0.8, 0.8)], numpy="arctanh atanh",
                complex=True, doc="Inverse hyperbolic tangent; nan outside [-1, 1]."),
]  # fmt: skip

# Formulas: Hendrycks and Gimpel 2016 (gelu), Clevert et al. 2016 (elu), Elfwing et al. 2018 (silu).
# The sigmoid and softplus forms never take exp of a positive number, so they do not overflow.
activations = [
    elementwise(
        "sigmoid", "x", "where(x >= 0, 1, exp(-abs(x))) / (1 + exp(-abs(x)))", ["g * y * (1 - y)"], [ANY],
        numpy="", complex="complex_sigmoid", doc="1 / (1 + exp(-x)), without overflow.",
    ),
    elementwise("relu", "x", "maximum(x, 0)", ["where(x <= 0, 0, g)"], [POSITIVE], numpy="",
                doc="max(x, 0). The subgradient at 0 is 0."),
    elementwise(
        "leaky_relu", "x slope", "where(x > 0, x, slope * x)",
        ["where(x > 0, g, g * slope)", "where(x > 0, 0, g * x)"], [(-2.0, -0.2), (0.01, 0.3)], numpy="",
        doc="x where x > 0, else slope * x.",
    ),
    elementwise(
        "elu", "x alpha", "where(x > 0, x, alpha * expm1(where(x > 0, 0, x)))",
        ["where(x > 0, g, g * alpha * exp(where(x > 0, 0, x)))", "where(x > 0, 0, g * expm1(where(x > 0, 0, x)))"],
        [(-2.0, -0.2), (0.5, 1.5)], numpy="", doc="x where x > 0, else alpha * (exp(x) - 1).",
    ),
    elementwise(
        "gelu", "x", "0.5 * x * (1 + erf(x * 0.7071067811865476))",
        ["g * gelu_slope(x)"], [ANY], numpy="", method=None,
        doc="x times the normal distribution function of x (erf form).",
    ),
    elementwise(
        "gelu_tanh", "x", "0.5 * x * (1 + tanh(0.7978845608028654 * (x + 0.044715 * x * x * x)))",
        [
            "g * (0.5 * (1 + tanh(0.7978845608028654 * (x + 0.044715 * x * x * x)))"
            " + 0.5 * x * (1 - square(tanh(0.7978845608028654 * (x + 0.044715 * x * x * x))))"
            " * 0.7978845608028654 * (1 + 0.134145 * x * x))"
        ],
        [ANY], numpy="", method=None, doc="The tanh approximation of gelu.",
    ),
    elementwise("silu", "x", "x * sigmoid(x)", ["g * (sigmoid(x) * (1 + x * (1 - sigmoid(x))))"], [ANY],
                numpy="", complex="complex_silu", doc="x * sigmoid(x), also called swish."),
    elementwise("softplus", "x", "maximum(x, 0) + log1p(exp(-abs(x)))", ["g * sigmoid(x)"], [ANY], numpy="",
                doc="log(1 + exp(x)), without overflow."),
    elementwise(
        "bounded_softplus", "x beta threshold",
        "where(beta * x > threshold, x, (maximum(beta * x, 0) + log1p(exp(-abs(beta * x)))) / beta)",
        ["where(beta * x > threshold, g, g * sigmoid(beta * x))",
         "where(beta * x > threshold, 0, g * (x * sigmoid(beta * x) - y) / beta)", "0"],
        [ANY, (0.5, 1.5), (20.0, 30.0)], numpy="", method=None,
        doc="softplus(beta * x) / beta, and x where beta * x > threshold.",
    ),
    elementwise("erf", "x", "erf(x)", ["g * 1.1283791670955126 * exp(-x * x)"], [ANY], numpy="",
                complex="complex_erf", doc="The error function."),
    elementwise("logsigmoid", "x", "minimum(x, 0) - log1p(exp(-abs(x)))", ["g * sigmoid(-x)"], [ANY], numpy="",
                method=None, doc="log(sigmoid(x)), without overflow or loss of small values."),
    elementwise(
        "selu", "x", "1.0507009873554805 * where(x > 0, x, 1.6732632423543772 * expm1(where(x > 0, 0, x)))",
        ["g * 1.0507009873554805 * where(x > 0, 1, 1.6732632423543772 * exp(where(x > 0, 0, x)))"], [(-2.0, -0.2)],
        numpy="", method=None, doc="elu scaled so that layers keep mean 0 and variance 1. Klambauer et al. 2017.",
    ),
    elementwise(
        "mish", "x", "x * tanh(softplus(x))",
        ["g * (tanh(softplus(x)) + x * sigmoid(x) * (1 - square(tanh(softplus(x)))))"], [ANY], numpy="", method=None,
        doc="x * tanh(softplus(x)). Misra 2019.",
    ),
    elementwise(
        "hardswish", "x", "x * minimum(maximum(x + 3, 0), 6) / 6",
        ["g * where(x < -3, 0, where(x > 3, 1, x / 3 + 0.5))"], [(-2.5, 2.5)], numpy="", method=None,
        doc="x * clip(x + 3, 0, 6) / 6. Howard et al. 2019.",
    ),
    elementwise(
        "hardtanh", "x lo hi", "minimum(maximum(x, lo), hi)",
        ["where((x <= lo) | (x >= hi), 0, g)", "where(x <= lo, g, 0)", "where(x >= hi, g, 0)"],
        [(-0.9, 0.9), (-2.0, -1.0), (1.0, 2.0)], numpy="", method=None,
        doc="x limited to [lo, hi]. The gradient passes where lo < x < hi, limits excluded.",
    ),
]  # fmt: skip

# Losses of single elements: a prediction and its target. Forms as in PyTorch; the logarithms of `bce` end at -100.
losses = [
    elementwise("squared_error", "x t", "(x - t) * (x - t)", ["g * 2 * (x - t)", "-g * 2 * (x - t)"], [ANY, ANY],
                numpy="", method=None, complex=True, doc="(x - t) ** 2."),
    elementwise(
        "huber", "x t delta",  # with c the distance limited to delta: c * (x - t - c / 2)
        "minimum(maximum(x - t, -delta), delta) * (x - t - 0.5 * minimum(maximum(x - t, -delta), delta))",
        ["g * minimum(maximum(x - t, -delta), delta)", "-g * minimum(maximum(x - t, -delta), delta)",
         "g * (abs(x - t) - abs(minimum(maximum(x - t, -delta), delta)))"],
        [(1.0, 3.0), (-3.0, -1.0), (0.5, 1.5)], numpy="", method=None,
        doc="(x - t) ** 2 / 2 near t, and a straight line from the distance delta on. Huber 1964.",
    ),
    elementwise(
        "bce", "p t", "-(t * maximum(log(p), -100) + (1 - t) * maximum(log1p(-p), -100))",
        # Each quotient by itself: at p = t = 0 and p = t = 1 one of them counts still.
        ["g * ((1.0 - t) / maximum(1 - p, 1e-12) - t / maximum(p, 1e-12))",
         "g * (maximum(log1p(-p), -100) - maximum(log(p), -100))"],
        [(0.2, 0.8), (0.1, 0.9)], numpy="", method=None, doc="-t * log(p) - (1 - t) * log(1 - p).",
    ),
    elementwise(
        "bce_logits", "x t",  # an infinite logit that agrees with its target costs nothing
        "where(where(x > 0, 1.0 - t, 0.0 - t) == 0, 0, x * where(x > 0, 1.0 - t, 0.0 - t)) + log1p(exp(-abs(x)))",
        ["g * (sigmoid(x) - t)", "-g * x"], [ANY, (0.1, 0.9)], numpy="", method=None,
        doc="bce of sigmoid(x), without overflow.",
    ),
]  # fmt: skip

# What other formulas are made of: values at special points whose derivatives are declared, not those of a constant.
slopes = [
    elementwise(
        "ratio", "a b", "where(b == 0, 0, a / where(b == 0, 1, b))", ["g / b", "-g * y / b"], [ANY, POSITIVE],
        numpy="", method=None, complex=True,
        doc="a / b, and 0 where b is 0: a slope at a kink, which has no finite derivative.",
    ),
    elementwise(
        "power_slope", "a b", "where(b == 0, 0, b * a ** where(b == 0, 1, b - 1))",
        # At (0, 0) this is 0 times a power of -1: still 0 for every derivative in a, and nan for any in b.
        ["g * b * power_slope(where((a == 0) & (b == 0), -1, a), b - 1)",
         "g * (limit_power(a, b - 1) + b * power_log(a, b - 1))"], [POSITIVE, ANY],
        numpy="", method=None, complex=True, doc="The derivative of a ** b in a; 0 for b = 0.",
    ),
    elementwise(
        "limit_power", "a b", "a ** b", ["g * power_slope(a, b)", "g * power_log(a, b)"], [POSITIVE, ANY],
        numpy="", method=None, complex=True, doc="a ** b. Its derivative in b at (0, 0) is -inf, the limit.",
    ),
    elementwise(
        "power_log", "a b", "where((a == 0) & (b > 0), 0, a ** b * log(where((a == 0) & (b > 0), 1, a)))",
        ["g * (b * power_log(a, b - 1) + limit_power(a, b - 1))", "g * y * log(where((a == 0) & (b > 0), 1, a))"],
        [POSITIVE, ANY], numpy="", method=None, complex=True,
        doc="a ** b * log(a): the derivative of a ** b in b, and its limits.",
    ),
    elementwise(
        "gelu_slope", "x", "gelu_slope(x)", ["g * 0.3989422804014327 * exp(-0.5 * x * x) * (2 - x * x)"], [ANY],
        numpy="", method=None, doc="The derivative of gelu.",
    ),
    elementwise(
        "angle_slope", "a b", "angle_slope(a, b)",
        # The last factor is 1, and nan at (0, 0).
        ["-g * 2 * y * angle_slope(b, a) * ((abs(a) + abs(b)) / (abs(a) + abs(b)))",
         "g * (square(angle_slope(b, a)) - square(y)) * ((abs(a) + abs(b)) / (abs(a) + abs(b)))"],
        [ANY, POSITIVE], numpy="", method=None,
        doc="b / (a * a + b * b), the derivative of atan2(a, b) in a; 0 at (0, 0), where it has no derivative.",
    ),
    elementwise(
        "product", "a b", "where((a == 0) & (b == b), 0, a * b)", ["g * b", "g * a"], [ANY, ANY],
        numpy="", method=None, complex=True, doc="a * b, and 0 where a is 0, however large b is.",
    ),
    elementwise(
        "entropy", "x", "where(x == 0, 0, x * log(where(x == 0, 1, x)))", ["g * (log(x) + 1)"], [POSITIVE],
        numpy="", method=None, complex=True, doc="x * log(x), and 0 at 0, where the derivative is -inf.",
    ),
]  # fmt: skip

ROWS: list[Row] = [*slopes, *arithmetic, *exponential, *trigonometric, *activations, *losses]
