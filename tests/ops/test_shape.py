"""Shape and joining functions against NumPy's, and their derivatives against numerical differentiation."""

import numpy as np
import pytest

import zen
from zen import f
from zen.testing import check_gradients

X = np.random.default_rng(0).normal(size=(2, 3, 4))
Y = np.random.default_rng(1).normal(size=(1, 3, 4))

# name, NumPy's name, arguments; arrays become Tensors that require a gradient
CALLS = [
    ("reshape", "reshape", X, (4, -1)),
    ("reshape", "reshape", X, 24),
    ("reshape", "reshape", X[:0], (0, 5)),
    ("permute_dims", "transpose", X, (2, 0, 1)),
    ("permute_dims", "transpose", X, (-1, 0, 1)),
    ("transpose", "transpose", X),
    ("swapaxes", "swapaxes", X, 0, -1),
    ("moveaxis", "moveaxis", X, 0, -1),
    ("moveaxis", "moveaxis", X, (0, 1), (-1, 0)),
    ("matrix_transpose", "matrix_transpose", X),
    ("expand_dims", "expand_dims", X, (0, -1)),
    ("expand_dims", "expand_dims", X, 1),
    ("squeeze", "squeeze", Y),
    ("squeeze", "squeeze", Y[:, :1], (0, 1)),
    ("broadcast_to", "broadcast_to", Y, (5, 2, 3, 4)),
    ("ravel", "ravel", X.T),
    ("flip", "flip", X),
    ("flip", "flip", X, (0, -1)),
    ("roll", "roll", X, 2),
    ("roll", "roll", X, (1, -5), (0, 2)),
    ("roll", "roll", X, 1, -1),
    ("tile", "tile", X, 2),
    ("tile", "tile", Y, (2, 1, 1, 3)),
    ("tile", "tile", Y, 0),
    ("repeat", "repeat", X, 2),
    ("repeat", "repeat", X, 3, 1),
    ("repeat", "repeat", X, [1, 2, 0], 1),
    ("pad", "pad", X, 1),
    ("pad", "pad", X, (1, 2)),
    ("pad", "pad", X, ((1, 0), (0, 2), (1, 1)), "edge"),
    ("pad", "pad", X, ((1, 0), (0, 2), (1, 1)), "reflect"),
    ("pad", "pad", X, 3, "wrap"),
    ("pad", "pad", X, 1, "symmetric"),
    ("concat", "concatenate", [X, Y]),
    ("concat", "concatenate", [X, X[:, :1]], 1),
    ("concat", "concatenate", [X, Y], None),
    ("stack", "stack", [X, X], -1),
    ("stack", "stack", [X[0], X[1]]),
    ("vstack", "vstack", [X[0], X[0, 0]]),
    ("hstack", "hstack", [X[0], X[0, :, :1]]),
    ("atleast_1d", "atleast_1d", np.array(1.0)),
    ("atleast_2d", "atleast_2d", X[0, 0]),
    ("atleast_3d", "atleast_3d", X[0]),
    ("atleast_3d", "atleast_3d", X[0, 0]),
]


def tensors(x):
    if isinstance(x, np.ndarray):
        return zen.tensor(x, requires_grad=True)
    return [tensors(part) for part in x] if isinstance(x, list) and isinstance(x[0], np.ndarray) else x


@pytest.mark.parametrize(("name", "numpy_name", "args"), [(n, m, a) for n, m, *a in CALLS], ids=[c[0] for c in CALLS])
def test_values_and_gradients(name, numpy_name, args):
    expected = getattr(np, numpy_name)(*args)
    for function in (getattr(f, name), getattr(np, numpy_name)):
        found = function(*[tensors(a) for a in args])
        assert isinstance(found, zen.Tensor) and found.requires_grad
        np.testing.assert_array_equal(found.array, expected)
    first, *rest = args
    if isinstance(first, list):
        check_gradients(lambda *xs: getattr(f, name)(list(xs), *rest) ** 2, first, order=2)
    else:
        check_gradients(lambda x: getattr(f, name)(x, *rest) ** 2, [first], order=2)


@pytest.mark.parametrize("cuts", [2, [1], [1, 3], [2, 9, 1], 1], ids=str)
def test_split_as_in_numpy(cuts):
    found, expected = f.split(zen.tensor(X), cuts, 2), np.split(X, cuts, 2)
    assert len(found) == len(expected)
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_array_equal(a.array, b)
    check_gradients(lambda x: sum((k + 1) * f.sum(p**2) for k, p in enumerate(f.split(x, cuts, 2))), [X])


def test_unstack_undoes_stack():
    parts = f.unstack(zen.tensor(X), 1)
    np.testing.assert_array_equal(f.stack(parts, 1).array, X)


@pytest.mark.parametrize(
    "view",
    [
        lambda x: f.reshape(x, (6, 4)), lambda x: f.transpose(x), lambda x: f.swapaxes(x, 0, 1), f.ravel, f.flip,
        lambda x: f.expand_dims(x, 0), lambda x: f.split(x, 2)[0], lambda x: f.broadcast_to(x, (2, 2, 3, 4)),
        lambda x: x.T, lambda x: x.mT, lambda x: x[1:],
    ],
)  # fmt: skip
def test_views_share_memory(view):
    x = zen.tensor(X)
    assert np.shares_memory(view(x).array, x.array)
    assert view(x).base is x


@pytest.mark.parametrize("copy", [f.flatten, f.copy, lambda x: x[[0, 1]], lambda x: f.astype(x, zen.float64)])
def test_copies_do_not(copy):
    x = zen.tensor(X)
    assert not np.shares_memory(copy(x).array, x.array)


def test_methods_take_what_numpys_methods_take():
    x = zen.tensor(X)
    assert x.reshape(4, -1).shape == x.reshape((4, -1)).shape == (4, 6)
    assert x.transpose().shape == (4, 3, 2)
    assert x.transpose(1, 0, 2).shape == x.transpose((1, 0, 2)).shape == (3, 2, 4)
    assert x.mT.shape == (2, 4, 3)


def test_astype_between_floats_carries_the_gradient():
    x = zen.tensor(np.ones(2, np.float32), requires_grad=True)
    (f.astype(x, zen.float64) * 3).sum().backward()
    assert x.gradient.dtype == np.float32
    np.testing.assert_array_equal(x.gradient, [3, 3])
    assert not f.astype(x, zen.int64).requires_grad
    assert f.astype(x, zen.float32, copy=False) is x


def test_concat_promotes_and_each_gradient_keeps_its_dtype():
    a = zen.tensor(np.ones(2, np.float32), requires_grad=True)
    b = zen.tensor(np.ones(1), requires_grad=True)
    joined = f.concat([a, b, np.array([1, 2])])
    assert joined.dtype == np.float64
    joined.sum().backward()
    assert a.gradient.dtype == np.float32 and b.gradient.dtype == np.float64


def test_pad_with_a_value():
    np.testing.assert_array_equal(
        f.pad(zen.tensor(X[0]), 1, constant_values=2.5).array, np.pad(X[0], 1, constant_values=2.5)
    )


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda x: f.reshape(x, (5, -1)), ValueError, r"reshape: 24 .*\(2, 3, 4\).*\(5, -1\)"),
        (lambda x: f.reshape(x, (-1, -1)), ValueError, r"reshape: .*\(-1, -1\)"),
        (lambda x: f.reshape(x, (2**62, 2**62)), ValueError, "reshape"),
        (lambda x: f.reshape(x, "ab"), TypeError, "reshape: a shape"),
        (lambda x: f.permute_dims(x, (0, 1)), ValueError, r"permute_dims: axes \(0, 1\).*\(2, 3, 4\)"),
        (lambda x: f.transpose(x, (0, 1, 1)), ValueError, r"transpose: .*twice"),
        (lambda x: f.swapaxes(x, 0, 3), ValueError, r"swapaxes: axis 3"),
        (lambda x: f.moveaxis(x, (0, 1), 0), ValueError, "moveaxis: 2 source axes"),
        (lambda x: f.expand_dims(x, 5), ValueError, r"expand_dims: axis 5"),
        (lambda x: f.squeeze(x, 1), ValueError, r"squeeze: axis 1 .*length 3"),
        (lambda x: f.broadcast_to(x, (3, 4)), ValueError, r"broadcast_to: shape \(2, 3, 4\).*\(3, 4\)"),
        (lambda x: f.broadcast_to(x[:1, :1, :1], (2**40, 2**40)), ValueError, r"broadcast_to"),
        (lambda x: f.tile(x, 2**62), ValueError, r"tile: .*more elements"),
        (lambda x: f.tile(x, -1), ValueError, r"tile: .*negative"),
        (lambda x: f.repeat(x, [1, 2], 1), ValueError, r"repeat: 2 repetitions.*\(2, 3, 4\)"),
        (lambda x: f.repeat(x, -1), ValueError, r"repeat: .*negative"),
        (lambda x: f.roll(x, (1, 2, 3), (0, 1)), ValueError, r"roll: 3 shifts"),
        (lambda x: f.pad(x, -1), ValueError, r"pad: .*negative"),
        (lambda x: f.pad(x, 1, "ramp"), ValueError, r"pad: mode 'ramp'"),
        (lambda x: f.pad(x, 2**62), ValueError, r"pad: .*more elements"),
        (lambda x: f.pad(x, ((1, 1), (1, 1))), ValueError, r"pad: pad_width"),
        (lambda x: f.concat([x, x[:, 0]]), ValueError, r"concat: .*\(2, 3, 4\), \(2, 4\)"),
        (lambda x: f.concat([]), ValueError, r"concat: at least one"),
        (lambda x: f.stack([x, x[0]]), ValueError, r"stack: .*equal"),
        (lambda x: f.split(x, 2, 1), ValueError, r"split: .*equal parts"),
        (lambda x: f.astype(x, "M8[s]"), TypeError, r"astype: dtype datetime64"),
        (lambda x: f.ravel([x, x[0]]), ValueError, r"ravel: .*ragged.*part \[1\]"),
    ],
)
def test_errors_name_operation_and_shapes(call, error, words):
    with pytest.raises(error, match=words):
        call(zen.tensor(X, requires_grad=True))


def test_the_gradient_of_concat_was_quadratic_in_the_number_of_parts():
    x = zen.tensor(np.arange(20_000.0), requires_grad=True)
    parts = zen.f.concat([x[i : i + 1] * i for i in range(20_000)])
    parts.sum().backward()
    np.testing.assert_array_equal(x.gradient, np.arange(20_000.0))


def test_flatten_joins_neighbouring_axes():
    x = np.arange(24.0).reshape(2, 3, 4)
    for axes in ((1,), (0, 1), (-2, -1), (1, 1)):
        start, end = (*axes, -1)[:2]
        joined = x.reshape(*x.shape[: start % 3], -1, *x.shape[end % 3 + 1 :])
        np.testing.assert_array_equal(f.flatten(x, *axes).value, joined)
    with pytest.raises(ValueError, match=r"start_axis 2 comes after end_axis 0 in shape \(2, 3, 4\)"):
        f.flatten(x, 2, 0)
    with pytest.raises(IndexError, match="flatten: axis 3 is out of range"):
        f.flatten(x, 3)


@pytest.mark.parametrize("name", ["broadcast_to", "reshape", "tile", "expand_dims"])
def test_more_axes_than_numpy_holds_are_refused(name):
    """64 are NumPy's limit; kernels keep lengths in memory for so many."""
    argument = tuple(range(80)) if name == "expand_dims" else (1,) * 80
    for x in (zen.tensor([2.0], requires_grad=True), zen.tensor(2.0)):
        with pytest.raises(ValueError, match=r"64|dimension|axes"):
            getattr(zen, name)(x, argument)
