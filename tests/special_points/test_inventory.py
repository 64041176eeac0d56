"""Every row and every public function has its special points in a table, or stands here with the reason it has none.

A table counts for the functions that it calls, and for the rows that these apply, or their first two derivatives.
"""

import inspect
import itertools
import re
from pathlib import Path

import numpy as np
import pytest
from drawing import ROWS
from special_points import complex_plane
from special_points.test_tables import CASES

import zen
from zen import f, fft, linalg, polynomial, special, stats

HERE = Path(__file__).parent
MODULES = {"f": f, "fft": fft, "linalg": linalg, "polynomial": polynomial, "special": special}
KINDS = {
    "it moves, copies or repeats elements: linear, and alike at every value": """
        append array_split astype atleast_1d atleast_2d atleast_3d block broadcast_arrays broadcast_to channel_shuffle
        column_stack copyto delete diagflat diagonal dsplit dstack expand_dims fill_diagonal flatten flip fliplr
        flipud fold hsplit hstack insert meshgrid moveaxis pad permute_dims pixel_shuffle pixel_unshuffle place put
        put_along_axis putmask ravel repeat resize roll rollaxis rot90 split squeeze swapaxes take_along_axis tile
        transpose unfold unstack vsplit vstack max_unpool1d max_unpool2d max_unpool3d""",
    "it adds elements up with constant weights: linear": """
        adaptive_avg_pool1d adaptive_avg_pool2d adaptive_avg_pool3d avg_pool1d avg_pool2d avg_pool3d trace
        fft fft2 fftn ifft ifft2 ifftn rfft rfft2 rfftn irfft irfft2 irfftn hfft ihfft fftshift ifftshift""",
    "its result is whole numbers or truth values, without a derivative": """
        all allclose any argmax argmin argsort array_equal bitwise_and bitwise_invert bitwise_left_shift bitwise_or
        bitwise_right_shift bitwise_xor count_nonzero equal greater greater_equal isclose isfinite isin isinf isnan less
        less_equal logical_and logical_not logical_or logical_xor matrix_rank nonzero not_equal one_hot searchsorted
        signbit""",
    "it takes no array": "fftfreq rfftfreq",
    "it calls what it is given": "apply_along_axis apply_over_axes cg fromfunction gmres",
    "it multiplies with random numbers, adds them, or lays windows by them": """
        fractional_max_pool2d fractional_max_pool3d
        alpha_dropout dropout dropout1d dropout2d dropout3d feature_alpha_dropout gumbel_softmax""",
}
EXEMPT = {name: reason for reason, names in KINDS.items() for name in names.split()}
MOMENTS = {"mean", "var", "std"}
"""Polynomials and quotients of the parameters, wherever a distribution is defined at all."""


def text():
    return "\n".join(path.read_text() for path in HERE.glob("*.py") if not path.name.startswith("test_"))


def called():
    """The functions that the tables call."""
    found = re.findall(rf"\b({'|'.join(MODULES)})\.(\w+)", text())
    return [getattr(MODULES[module], name) for module, name in found if hasattr(MODULES[module], name)]


@pytest.mark.parametrize("module", MODULES)
def test_every_function_has_special_points_or_a_reason(module):
    home, known = MODULES[module], {id(function) for function in called()}
    names = [n for n in dir(home) if callable(getattr(home, n)) and not inspect.isclass(getattr(home, n))]
    missing = [n for n in names if id(getattr(home, n)) not in known and n not in EXEMPT]
    assert not missing, f"zen.{module}: add points to a table, or a reason here: {missing}"


def test_no_reason_is_given_for_what_has_points_or_is_gone():
    known = {id(function) for function in called()}
    for name, reason in EXEMPT.items():
        home = next(module for module in (fft, f, linalg) if hasattr(module, name))
        function = getattr(home, name)
        assert id(function) not in known, f"{name} has points; it does not hold that {reason}"


def test_every_distribution_has_special_points():
    known = set(re.findall(r"\bstats\.(\w+\.\w+)", text()))
    for name in stats.__all__:
        distribution = getattr(stats, name)
        if not isinstance(distribution, stats.Distribution):
            continue
        methods = {m for m in dir(distribution) if not m.startswith("_") and callable(getattr(distribution, m))}
        missing = [m for m in sorted(methods - MOMENTS - {"rvs"}) if f"{name}.{m}" not in known]
        assert not missing, f"zen.stats.{name}: {missing}"


def has_no_points(row):
    """Linear in all that it takes, or without any derivative."""
    if not callable(row.vjp) and not any(row.vjp):
        return True
    if row.elementwise or set(row.linear) != set(row.args):
        return False
    return len(row.args) == 1 or row.variadic or row.together


def applied_in(found, rows):
    """The names of the rows in a graph."""
    waiting, done = [found.node], set()
    while waiting:
        node = waiting.pop()
        if node is None or id(node) in done:
            continue
        done.add(id(node))
        if node.row is not None:
            rows.add(node.row.name)
        waiting.extend(node.inputs)


def apply_recorded(function, args, order, rows):
    """A derivative of the function at a point, as graphs: of order 0 the function itself."""
    leaves = [zen.tensor(a, requires_grad=True) for a in args]
    recorded = [y for y in [function(*leaves)] if y.requires_grad]
    options = {"create_graph": True, "allow_unused": True}
    for _ in range(order):
        try:
            waiting = [
                g for y in recorded for g in zen.gradients(y, leaves, np.ones(y.shape, y.dtype), **options)
            ]  # fmt: skip
        except np.linalg.LinAlgError:  # where there is no such derivative
            return
        recorded = [y for y in waiting if y is not None and y.requires_grad]
    for y in recorded:
        applied_in(y, rows)


def test_every_row_has_special_points_or_is_linear():
    rows, points = set(), [case.values[1:3] for case in CASES if case.values[0] != "slogdet of a singular matrix"]
    points += [(function, (z,)) for _, function, z, _ in complex_plane.HOLOMORPHIC]
    missing = {name for name, row in ROWS.items() if not has_no_points(row)}
    with np.errstate(all="ignore"):
        for order, (function, args) in itertools.product(range(3), points):  # the cheap ones first
            if missing:
                apply_recorded(function, args, order, rows)
                missing -= rows
    assert not missing, f"add points to a table for the rows {sorted(missing)}"
