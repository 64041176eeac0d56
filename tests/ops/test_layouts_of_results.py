"""Results lie in memory as NumPy's do: in C or Fortran order, and as views or copies of their operands.

So a write through a result reaches what it reaches in NumPy, on both engines.
"""

import operator
from functools import partial

import numpy as np
import pytest

import zen
from zen import f
from zen.ops import late
from zen.ops.register import NUMPY_FUNCTIONS

late.load_all()

SHAPE = (3, 4, 5)


def draw(shape=SHAPE):
    return np.random.default_rng(0).uniform(0.5, 0.9, size=shape)


LAYOUTS = {
    "C": lambda a: a.copy(),
    "F": lambda a: a.copy("F"),
    "transposed": lambda a: a.transpose(2, 0, 1).copy().transpose(1, 2, 0),
    "exchanged": lambda a: a.swapaxes(1, 2).copy().swapaxes(1, 2),
    "sliced": lambda a: np.repeat(np.repeat(a, 2, 0), 2, 2)[::2, :, 1::2],
    "sliced F": lambda a: np.repeat(np.repeat(a, 2, 0), 2, 2).copy("F")[::2, :, 1::2],
    "reversed": lambda a: a.copy()[::-1],
    "all reversed": lambda a: a.copy()[::-1, ::-1, ::-1],
    "reversed F": lambda a: a.copy("F")[:, ::-1],
    "broadcast": lambda a: np.broadcast_to(a[:, :1], a.shape),
    "broadcast first": lambda a: np.broadcast_to(a[:1], a.shape),
    "broadcast F": lambda a: np.broadcast_to(a.copy("F")[:, :, :1], a.shape),
}
DTYPES = [np.float64, np.float32, np.int64]
UFUNCS = {k.__name__: (k, v) for k, v in NUMPY_FUNCTIONS.items() if isinstance(k, np.ufunc) and k.signature is None}
CONVERTED = {"float_power", "fabs", "modf", "frexp", "ldexp"}  # of other dtypes: their operands are converted first
UNARY = [name for name, (ufunc, _) in UFUNCS.items() if ufunc.nin == 1]
BINARY = [name for name, (ufunc, _) in UFUNCS.items() if ufunc.nin == 2]

SHAPES = {
    "reshape": lambda x: np.reshape(x, (3, 20)), "reshape to one axis": lambda x: np.reshape(x, -1),
    "reshape to four": lambda x: np.reshape(x, (3, 2, 2, 5)), "method reshape": lambda x: x.reshape(12, 5),
    "reshape with ones": lambda x: np.reshape(x, (3, 1, 4, 5, 1)),
    "ravel": np.ravel, "method ravel": lambda x: x.ravel(), "ravel of a line": lambda x: np.ravel(x[0, :, 0]),
    "ravel of a plane": lambda x: np.ravel(x[:, 0]), "flatten": lambda x: x.flatten(),
    "transpose": np.transpose, "T": lambda x: x.T, "mT": lambda x: x.mT, "swapaxes": lambda x: np.swapaxes(x, 0, 1),
    "moveaxis": lambda x: np.moveaxis(x, 0, 2), "permuted": lambda x: np.transpose(x, (1, 0, 2)),
    "expand_dims": lambda x: np.expand_dims(x, 1), "squeeze": lambda x: np.squeeze(x[:1]),
    "broadcast_to": lambda x: np.broadcast_to(x, (2, *SHAPE)),
    "broadcast_arrays": lambda x: np.broadcast_arrays(x, x[:1]),
    "flip": lambda x: np.flip(x, 1), "roll": lambda x: np.roll(x, 1, axis=1), "roll of all": lambda x: np.roll(x, 1),
    "copy": np.copy, "method copy": lambda x: x.copy(), "astype": lambda x: x.astype(np.float16),
    "astype of the same": lambda x: x.astype(x.dtype), "astype without copy": lambda x: x.astype(x.dtype, copy=False),
    "concatenate": lambda x: np.concatenate([x, x], 1), "stack": lambda x: np.stack([x, x], 1),
    "vstack": lambda x: np.vstack([x, x]), "hstack": lambda x: np.hstack([x, x]),
    "split": lambda x: np.split(x, 2, axis=1), "tile": lambda x: np.tile(x, (1, 2, 1)),
    "tile once": lambda x: np.tile(x, 1), "repeat": lambda x: np.repeat(x, 2, axis=1),
    "repeat once": lambda x: np.repeat(x, 1, axis=1), "repeat of all": lambda x: np.repeat(x, 2),
    "pad": lambda x: np.pad(x, 1), "atleast_2d": lambda x: np.atleast_2d(x[0]), "atleast_3d": np.atleast_3d,
    "where": lambda x: np.where(x > 0.7, x, 0), "clip": lambda x: np.clip(x, 0.6, 0.7), "round": np.round,
    "clip on one side": lambda x: np.clip(x, 0.6, None), "tril": np.tril, "triu": np.triu,
    "negative": operator.neg, "positive": operator.pos, "zeros_like": np.zeros_like, "ones_like": np.ones_like,
    "empty_like": np.empty_like, "full_like": lambda x: np.full_like(x, 1),
    "sum over 0": lambda x: np.sum(x, axis=0), "sum over 1": lambda x: np.sum(x, axis=1),
    "sum kept": lambda x: np.sum(x, axis=2, keepdims=True), "mean over 0": lambda x: np.mean(x, axis=0),
    "mean over 1": lambda x: np.mean(x, axis=1), "max": lambda x: np.max(x, axis=0),
    "prod": lambda x: np.prod(x, axis=1), "any": lambda x: np.any(x, axis=0), "argmax": lambda x: np.argmax(x, axis=0),
    "cumsum": lambda x: np.cumsum(x, axis=1), "cumprod": lambda x: np.cumprod(x, axis=0),
    "an int": lambda x: x[1], "slices": lambda x: x[:, 1:3, ::2], "positions": lambda x: x[:, [0, 1]],
    "first positions": lambda x: x[[0, 1]], "last positions": lambda x: x[..., [0, 1]], "mask": lambda x: x[x > 0.7],
    "0-d position": lambda x: x[np.array(1)], "new axis": lambda x: x[:, None],
    "einsum": lambda x: np.einsum("ijk->kji", x),
    "matmul": lambda x: np.matmul(x, np.swapaxes(x, 1, 2)), "vecdot": lambda x: np.vecdot(x, x),
}  # fmt: skip
SELECTIONS = {  # copies as in NumPy; made by indexing or in steps, so the order in memory may be another
    "take": lambda x: np.take(x, [0, 1], axis=1), "take one": lambda x: np.take(x, 1, axis=0), "sort": np.sort,
    "pad with the edge": lambda x: np.pad(x, 1, mode="edge"), "rounded": lambda x: np.round(x, 1),
    "along an axis": lambda x: np.take_along_axis(x, np.zeros((3, 1, 5), int), axis=1),
    "var": lambda x: np.var(x, axis=0), "repeat each": lambda x: np.repeat(x, [1, 2, 1], axis=0),
}  # fmt: skip
if np.shares_memory(integers := np.arange(3), np.round(integers)):
    SHAPES["round"] = lambda x: np.round(x) if x.dtype.kind == "f" else np.positive(x)  # as in newer NumPy: a copy
if not hasattr(np, "vecdot"):
    del SHAPES["vecdot"]


def layout(result, operands):
    """Whether it is C- or F-contiguous, the order of its axes in memory, and whether it shares memory."""
    order = np.argsort([-abs(s) for n, s in zip(result.shape, result.strides, strict=True) if n > 1], kind="stable")
    return (
        result.flags.c_contiguous, result.flags.f_contiguous, order.tolist(),
        any(np.shares_memory(result, a) for a in operands),
    )  # fmt: skip


def parts(result):
    return list(result) if isinstance(result, (tuple, list)) else [result]


def outcome(call, values, operands):
    return [layout(getattr(part, "array", part), operands) for part in parts(call(*values))]


def tensor(a):
    return zen.from_numpy(a) if a.flags.writeable else zen.Tensor(a, trainable=False)


def compare(theirs, mine, arrays, only_sharing=False):
    with np.errstate(all="ignore"):
        try:
            expected = outcome(theirs, arrays, [a for a in arrays if isinstance(a, np.ndarray)])
        except TypeError:  # no loop for this dtype
            return
        given = [tensor(a) if isinstance(a, np.ndarray) else a for a in arrays]
        for call in mine:
            found = outcome(call, given, [t.array for t in given if isinstance(t, zen.Tensor)])
            assert [part[-1:] if only_sharing else part for part in found] == [
                part[-1:] if only_sharing else part for part in expected
            ]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", UNARY)
def test_elementwise_functions_of_one_argument(name, dtype):
    if name not in CONVERTED or dtype == np.float64:
        for lay in LAYOUTS.values():
            compare(UFUNCS[name][0], UFUNCS[name], [lay(draw().astype(dtype))])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", BINARY)
def test_elementwise_functions_of_two_arguments(name, dtype):
    if name in CONVERTED and dtype != np.float64:
        return
    drawn = [lay(draw().astype(dtype)) for lay in LAYOUTS.values()]
    for a in drawn:
        for b in drawn:
            compare(UFUNCS[name][0], UFUNCS[name], [a, b])
        compare(UFUNCS[name][0], UFUNCS[name], [a, 2])
        compare(UFUNCS[name][0], UFUNCS[name], [2, a])


@pytest.mark.parametrize("part", [(0,), (slice(None), slice(None, 1)), (Ellipsis, slice(None, 1)), (0, 0)])
def test_broadcast_operands(part):
    for dtype in DTYPES:
        drawn = [lay(draw().astype(dtype)) for lay in LAYOUTS.values()]
        for a in drawn:
            for b in drawn:
                compare(np.add, [np.add, f.add], [a, b[part]])
                compare(np.multiply, [np.multiply, f.multiply], [b[part], a])


@pytest.mark.parametrize("dtype", DTYPES)
def test_three_operands(dtype):
    drawn = [lay(draw().astype(dtype)) for lay in LAYOUTS.values()]
    for a in drawn:
        for b in drawn:
            compare(np.where, [np.where, f.where], [a > 0.7, a, b])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", SHAPES)
def test_shapes_reductions_and_indices(name, dtype):
    for lay in LAYOUTS.values():
        compare(SHAPES[name], [SHAPES[name]], [lay(draw().astype(dtype))])


@pytest.mark.parametrize("name", SELECTIONS)
def test_selections_are_copies(name):
    for lay in LAYOUTS.values():
        compare(SELECTIONS[name], [SELECTIONS[name]], [lay(draw())], only_sharing=True)


@pytest.mark.parametrize("make", [lambda x: x.reshape(-1), lambda x: x.ravel(), lambda x: x.T.ravel(), lambda x: x.T])
def test_a_write_reaches_what_it_reaches_in_numpy(make):
    for lay in LAYOUTS.values():
        a = np.asarray(lay(draw())).copy("K")
        t = tensor(a.copy("K"))
        numpy_result, result = a * 2, t * 2  # laid out as a
        flat, zen_flat = make(numpy_result), make(result)
        flat += 1.0
        zen_flat += 1.0
        np.testing.assert_array_equal(result.array, numpy_result)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_values_and_gradients_do_not_depend_on_the_layout(dtype):
    """Large enough for threads and the fused backward pass."""
    shape = (60, 40, 50)
    given = [draw(shape).astype(dtype), draw(shape)[::-1].astype(dtype)]
    weights = np.linspace(0.5, 1.5, 120_000).astype(dtype).reshape(shape)

    def gradients(lay, other):
        x, y = (zen.Tensor(part(a)) for part, a in zip((lay, other), given, strict=True))
        z = np.tanh(x * y + x) * np.exp(x) / (y + np.sum(y, axis=1, keepdims=True))
        (z * weights).sum().backward()
        return z.detach().numpy(), x.gradient, y.gradient

    expected = gradients(LAYOUTS["C"], LAYOUTS["C"])
    for first, second in [("F", "F"), ("F", "C"), ("transposed", "transposed"), ("sliced F", "F"), ("exchanged", "C")]:
        for found, wanted in zip(gradients(LAYOUTS[first], LAYOUTS[second]), expected, strict=True):
            np.testing.assert_allclose(found, wanted, rtol=2e-5 if dtype == np.float32 else 1e-12)


@pytest.mark.parametrize("operation", ["iadd", "imul", "itruediv", "ipow"])
def test_writes_in_place_into_results_of_any_layout(operation):
    change = partial(getattr(operator, operation))
    for lay in LAYOUTS.values():
        a = lay(draw())
        expected, x = a * 1.0, zen.tensor(a, requires_grad=True)
        found = x * 1.0
        change(found[1:], 3.0)
        change(expected[1:], 3.0)
        np.testing.assert_allclose(found.detach().numpy(), expected, rtol=1e-15)
        found.sum().backward()
        zen.testing.check_gradients(lambda t: changed(t, change), [np.array(a)], rtol=1e-6, atol=1e-6)


def changed(t, change):
    y = t * 1.0
    change(y[1:], 3.0)
    return y
