"""Every elementwise row against its own limits at zeros and ties, to the third order and mixed.

Tables of values from mathematics stand in tests/special_points.
"""

import itertools

import numpy as np
import pytest
from drawing import ELEMENTWISE, ROWS
from points import forward
from points import row as called

import zen

GRID = (-1.0, -0.5, 0.0, 0.5, 1.0, 2.0)
DIRECTIONS = (1.0, -1.0), (0.7, -0.7), (0.4, -0.4)
STEPS = 1e-3, 1e-5, 1e-7
EXEMPT = {
    "clip": "equal limits that x meets let the gradient pass",
    "complex_clip": "equal limits that x meets let the gradient pass",
    "power": "b at (0, 0) by convention: a ** 0 is 1, and so does not change, at a = 0 as well",
    "power_slope": "its value at b = 0 is 0 at a = 0 as well, whatever the limit",
    "heaviside": "b counts where a is 0, and nowhere nearby",
    "bce": "its gradient is bounded as in PyTorch, where the limit is infinite",
    **dict.fromkeys(
        ("entr", "rel_entr", "kl_div", "limited_square", "pseudo_huber"),
        "infinite outside of their domain: see special_points",
    ),
    **dict.fromkeys(
        ("betaincc", "betaincinv", "gammaincinv", "stdtr", "stdtrit", "student_slope"),
        "dear at third order: see special_points",
    ),
}
SMOOTH = [n for n in ELEMENTWISE if n not in EXEMPT and any(ROWS[n].vjp) and "bool" not in ROWS[n].domain]
SMOOTH = [n for n in SMOOTH if None not in ROWS[n].vjp]  # as in the order of a Bessel function


@pytest.mark.parametrize("name", SMOOTH)
def test_a_derivative_is_the_limit_of_those_nearby_or_not_finite(name):
    """Where all directions lead to one limit. Order by order, mixed ones included, at a grid of zeros and ties."""
    row, args = ROWS[name], len(ROWS[name].args)
    functions = {(): called(name)}
    for order in (1, 2, 3):
        for which in itertools.combinations_with_replacement(range(args), order):
            functions[which] = forward(functions[which[:-1]], which[-1])
    grid = np.array(list(itertools.product(GRID, repeat=args)))
    directions = np.array(list(itertools.product(*DIRECTIONS[:args])))
    near = grid + np.multiply.outer(STEPS, directions)[:, :, np.newaxis]  # (steps, directions, points, args)
    for which, function in functions.items():
        with np.errstate(all="ignore"):  # all points in one call: series of a few take as long as those of many
            found = _values(function, np.concatenate([grid, near.reshape(-1, args)]))
        here, (far, close, closest) = found[: len(grid)], found[len(grid) :].reshape(near.shape[:-1])
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
