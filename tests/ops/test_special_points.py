"""Derivatives at special points: ties, zeros, kinks and infinities, to the third order and mixed.

The values come from mathematics. `NO` stands for a derivative that does not exist: whatever zen gives must say so, and
be inf or nan. Each one is taken by nested reverse mode, by nested forward mode, and forward over reverse, in every
order of the arguments, of numbers and of arrays.
"""

import itertools
import math

import numpy as np
import pytest
from drawing import ELEMENTWISE, ROWS
from points import MODES, NO, agrees, derivative, forward

import zen
from zen import backend, f
from zen.ops import register

inf, nan = math.inf, math.nan


def sigma(x):
    return 1 / (1 + math.exp(-x))


S, L2 = sigma(-1.0), math.log(2)
SELU = 1.0507009873554805 * 1.6732632423543772


def loss(name):
    return lambda *args: backend.apply(register.ROWS[name], args, ())


# (name, function, point, {arguments differentiated by: value}). "ab" is d2/da db, "" the value itself.
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
    ("huber at 0", loss("huber"), (0.0, 0.0, 1.0), {"a": 0, "b": 0, "c": 0, "aa": 1, "ab": -1, "aaa": 0, "ac": 0}),
    ("huber of a far prediction", loss("huber"), (5.0, 0.0, 1.0), {"a": 1, "c": 4, "aa": 0, "ac": 1, "cc": -1}),
    ("binary cross entropy, 0 of 0", loss("bce"), (0.0, 0.0), {"": 0, "a": 1, "aa": 1}),
    ("binary cross entropy, 1 of 1", loss("bce"), (1.0, 1.0), {"": 0, "a": -1, "aa": 1}),
    ("logit inf of 0", loss("bce_logits"), (inf, 0.0), {"": inf, "a": 1, "b": -inf}),
    ("logit inf of 1", loss("bce_logits"), (inf, 1.0), {"": 0, "a": 0, "b": -inf}),
    ("logit -inf of 0", loss("bce_logits"), (-inf, 0.0), {"": 0, "a": 0, "b": inf}),
    ("logit -inf of 1", loss("bce_logits"), (-inf, 1.0), {"": inf, "a": -1, "b": inf}),
    ("x log x at 0", loss("entropy"), (0.0,), {"": 0, "a": -inf, "aa": inf}),
    ("a slope at a kink", loss("ratio"), (0.0, 0.0), {"": 0, "a": inf, "b": NO}),
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
    ("nothing of infinity", loss("product"), (0.0, inf), {"": 0, "a": inf, "b": 0}),
]  # fmt: skip


CASES = [
    pytest.param(*point[:3], which, expected, id=f"{point[0]}-{which}")
    for point in POINTS
    for which, expected in point[3].items()
]
ARGUMENTS = ("name", "function", "args", "which", "expected")


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(ARGUMENTS, CASES)
def test_derivatives_are_those_of_mathematics_or_not_finite(name, function, args, which, expected, mode):
    for order in sorted(set(itertools.permutations(which))):
        found = derivative(function, order, args, mode)
        # In forward mode an argument that does not move counts nan where its slope is infinite.
        unmoved = mode != "reverse" and len(set(which)) > 1 and math.isnan(found)
        assert agrees(found, expected) or unmoved, f"{name}: {''.join(order)} is {found}, right is {expected}"


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize(ARGUMENTS, [c for c in CASES if len(c.values[3]) <= 1])
def test_kernels_on_arrays_give_the_same(name, function, args, which, expected, dtype):
    """Alike on contiguous, strided and broadcast arrays, each with a path of its own."""
    if any(a and not 1e-30 < abs(a) < 1e30 and math.isfinite(a) for a in args) and dtype == np.float32:
        return
    for shape, step in (((40,), 1), ((40,), 2), ((3, 40), 1)):
        arrays = [np.full(shape if k == 0 else shape[-1:], a, dtype)[..., ::step] for k, a in enumerate(args)]
        leaves = [backend.leaf(a, which == "abc"[k]) for k, a in enumerate(arrays)]
        y = function(*leaves)
        found = y.array
        if which:
            leaf = leaves["abc".index(which)]
            (found,) = zen.gradients([y], [leaf], grad_outputs=[np.ones(y.shape, dtype)])
            found = found.array / (y.size // leaf.size)
        expected_array = np.full(found.shape, nan if expected == NO else expected, dtype)
        if expected == NO:
            assert not np.isfinite(found).any()
        elif abs(expected) == inf or dtype == np.float64 or name != "remainder, a rounded quotient":
            np.testing.assert_allclose(found, expected_array, rtol=1e-6 if dtype == np.float32 else 1e-12, atol=1e-7)


# --- every elementwise row, against its own limits

GRID = (-1.0, -0.5, 0.0, 0.5, 1.0, 2.0)
DIRECTIONS = [np.array(d) for d in itertools.product((1.0, -1.0), (0.7, -0.7), (0.4, -0.4))]
EXEMPT = {
    "clip": "equal limits that x meets let the gradient pass",
    "power": "b at (0, 0) by convention: a ** 0 is 1, and so does not change, at a = 0 as well",
    "power_slope": "its value at b = 0 is 0 at a = 0 as well, whatever the limit",
    "heaviside": "b counts where a is 0, and nowhere nearby",
    "bce": "its gradient is bounded as in PyTorch, where the limit is infinite",
    **dict.fromkeys(("entr", "rel_entr", "kl_div"), "infinite outside of their domain: see test_special_functions.py"),
    **dict.fromkeys(
        ("betaincc", "betaincinv", "gammaincinv", "stdtr", "stdtrit", "student_slope"),
        "dear at third order: see test_special_functions.py",
    ),
}
SMOOTH = [n for n in ELEMENTWISE if n not in EXEMPT and any(ROWS[n].vjp) and "bool" not in ROWS[n].domain]
SMOOTH = [n for n in SMOOTH if None not in ROWS[n].vjp]  # as in the order of a Bessel function


@pytest.mark.parametrize("name", SMOOTH)
def test_a_derivative_is_the_limit_of_those_nearby_or_not_finite(name):
    """Where all directions lead to one limit. Order by order, mixed ones included, at a grid of zeros and ties."""
    row, args = ROWS[name], len(ROWS[name].args)
    functions = {(): loss(name)}
    for order in (1, 2, 3):
        for which in itertools.combinations_with_replacement(range(args), order):
            functions[which] = forward(functions[which[:-1]], which[-1])
    grid = np.array(list(itertools.product(GRID, repeat=args)))
    for which, function in functions.items():
        with np.errstate(all="ignore"):
            here = _values(function, grid)
            near = [[_values(function, grid + h * d[:args]) for d in DIRECTIONS] for h in (1e-3, 1e-5, 1e-7)]
        far, close, closest = (np.array(v) for v in near)
        limit = closest.mean(0)
        size = 1e-3 * (1 + np.abs(limit))
        has_limit = (np.abs(closest - limit) < size).all(0) & (np.abs(close - limit) < 1e2 * size).all(0)
        wrong = has_limit & np.isfinite(here) & (np.abs(here - limit) > size)
        if len(which) > 1:  # what grows without bound on the way has no finite value there
            explodes = (np.abs(closest) > 5 * np.abs(close)) & (np.abs(close) > 5 * np.abs(far)) & (np.abs(close) > 10)
            wrong |= explodes.all(0) & np.isfinite(here)
        letters = "".join(row.args[k] + " " for k in which)
        assert not wrong.any(), f"{letters}at {grid[wrong].tolist()}: {here[wrong]}, limits {limit[wrong]}"


def _values(function, grid):
    found = function(*np.ascontiguousarray(grid.T))
    return np.broadcast_to(found.array if isinstance(found, zen.Tensor) else found, (len(grid),))
