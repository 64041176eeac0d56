"""What a row says of its parameters: with axes moved by one, shapes and keys lengthened, it works on a stack."""

import numpy as np
import pytest
from drawing import ROWS, cases

from zen import backend
from zen.ops import register
from zen.ops.selection import Places

SAYING = [name for name, row in ROWS.items() if row.axes or row.shapes or row.keys]
STACKED = 3


def moved(axis, ndim):
    """The axes of each array of a stack."""
    if axis is None:
        return tuple(range(1, ndim + 1))
    return axis + 1 if isinstance(axis, int) else tuple(k + 1 for k in axis)


def params_of_a_stack(row, case):
    for name, value in zip(row.params, case.params, strict=True):
        if name in row.axes:
            yield (0, *moved(value, 0)) if name == "axes" else moved(value, np.ndim(case.args[0]))
        elif name in row.shapes:
            yield (STACKED, *value)
        elif name in row.keys:
            yield (slice(None), *value)
        else:
            yield Places(np.stack([value.at] * STACKED)) if isinstance(value, Places) else value


def has_a_stack(row, case):
    """Not where the row makes one number of everything, nor where NumPy puts the axes of a key elsewhere."""
    named = dict(zip(row.params, case.params, strict=True))
    arrays = [k for k, part in enumerate(named.get("key", ())) if isinstance(part, np.ndarray)]
    apart = arrays and arrays[-1] - arrays[0] >= len(arrays)
    flattening = row.name in ("argmax", "argmin") and named["axis"] is None
    return named.get("reduction", "none") == "none" and not apart and not flattening


@pytest.mark.parametrize("name", SAYING)
def test_a_row_works_on_a_stack(name):
    row, engine_row, tried = ROWS[name], register.ROWS[name], 0
    for case in cases(name):
        if not has_a_stack(row, case):
            continue
        args = [np.asarray(a) for a in case.args]
        if name == "broadcast_to":  # what is broadcast has all of the axes
            args = [args[0].reshape((1,) * (len(case.params[0]) - args[0].ndim) + args[0].shape)]
        if name == "setitem":
            args[1] = np.broadcast_to(args[1], args[0][case.params[0]].shape)
        stacks = [np.stack([a + k / 4 if a.dtype.kind == "f" else a for k in range(STACKED)]) for a in args]
        found = backend.apply(engine_row, tuple(stacks), tuple(params_of_a_stack(row, case)))
        single = [backend.apply(engine_row, tuple(s[k] for s in stacks), case.params) for k in range(STACKED)]
        together = zip(*single, strict=True) if row.several else [single]
        for made, parts in zip(found if row.several else (found,), together, strict=True):
            np.testing.assert_allclose(made.array, np.stack([t.array for t in parts]), rtol=1e-12, atol=1e-12)
        tried += 1
    assert tried


def test_every_parameter_called_axis_shape_or_key_is_declared_so():
    for row in ROWS.values():
        assert {"axis", "axes"} & {*row.params} <= {*row.axes}
        assert {"key"} & {*row.params} <= {*row.keys}
        assert {"shape"} & {*row.params} <= {*row.shapes} or "strides" in row.params
