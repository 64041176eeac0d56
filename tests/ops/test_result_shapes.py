"""The facet `shape`: what it says is what the results of the row have."""

import numpy as np
import pytest
from drawing import ROWS, broadcast_shapes, cases, elementwise_case

from zen import backend
from zen.backend import Shaped
from zen.ops import register
from zen.ops.result_shapes import results


def shaped(x):
    return None if x is None else Shaped(x.shape, x.dtype)


def said(case):
    row = ROWS[case.name]
    return results(row, register.ROWS[case.name].forward, tuple(shaped(a) for a in case.args), case.params)


def compare(case):
    made = backend.apply(register.ROWS[case.name], case.args, case.params)
    found = made if isinstance(made, tuple) else (made,)
    assert [(t.shape, t.dtype) for t in found] == [(s.shape, s.dtype) for s in said(case)]


@pytest.mark.parametrize("name", ROWS)
def test_it_says_what_the_results_have(name):
    drawn = cases(name)
    if ROWS[name].elementwise:
        drawn = [*drawn, *[elementwise_case(name, shapes) for shapes in broadcast_shapes(len(ROWS[name].args))]]
    for case in drawn:
        for dtype in (np.float64, np.float32):
            compare(case.cast(dtype))


@pytest.mark.parametrize(
    "name", ["sum", "mean", "max", "min", "matmul", "det", "inv", "slogdet", "concat", "stack", "split"]
)
def test_of_whole_numbers(name):
    for case in cases(name):
        if all(np.size(a) for a in case.args):
            compare(case._replace(args=tuple(np.round(a * 8).astype(np.int32) for a in case.args)))
