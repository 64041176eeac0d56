"""NumPy's options on Tensors: values and dtypes of NumPy on the arrays, gradients against numerical differentiation."""

import warnings

import numpy as np
import pytest
from against_numpy import numpy_is

import zen
from zen.testing import check_gradients

X = np.array([[0.5, -1.0, 2.0], [1.5, 0.25, -0.75]])
P = np.abs(X) + 0.1
M = np.array([[True, False, True], [True, True, False]])
ROW = np.array([True, False, True])

UFUNCS = {
    "dtype": lambda x: np.sin(x, dtype=np.float64),
    "dtype wider than both": lambda x: np.add(x, np.float32(2), dtype=np.float64),
    "signature": lambda x: np.multiply(x, x, signature="dd->d"),
    "signature by dtypes": lambda x: np.multiply(x, 2, signature=(None, np.float64, None)),
    "casting": lambda x: np.multiply(x, np.float32(2), casting="safe"),
    "order": lambda x: np.exp(x, order="F"),
    "out": lambda x: np.sin(x, out=zen.zeros((2, 3)) if isinstance(x, zen.Tensor) else np.zeros((2, 3))),
    "out in a tuple": lambda x: np.sin(x, out=(zeros_for(x, (2, 3)),)),
    "out wider than the result": lambda x: np.multiply(x, x, out=zeros_for(x, (4, 2, 3))),
    "where and out": lambda x: np.log(x * x, where=M, out=zeros_for(x, (2, 3)) + 7.0),
    "where of other shapes": lambda x: np.multiply(x[0], x[1], where=M, out=zeros_for(x, (2, 3))),
    "where of scalars": lambda x: np.multiply(x[0, 0], 2.0, where=True, out=zeros_for(x, ())),
    "where with a number": lambda x: np.power(2.0, x, where=ROW, out=zeros_for(x, (2, 3))),
    "clip where": lambda x: np.clip(x, -0.5, 1.0, where=M, out=zeros_for(x, (2, 3)) + 3.0),
    "clip dtype": lambda x: np.clip(x, -0.5, 1.0, dtype=np.float64),
    "clip casting": lambda x: np.clip(x, np.float32(-0.5), X[0] + 0.1, casting="safe", order="F"),
    "clip to limits": lambda x: np.clip(0.3, a_min=x, a_max=x + 1.0, where=ROW, out=zeros_for(x, (2, 3))),
    "clip one side": lambda x: np.clip(x, 0.3, None, where=M, out=zeros_for(x, (2, 3)), subok=True),
    "clip the other side": lambda x: np.clip(x, None, 0.3, dtype=np.float64, casting="same_kind"),
    "in place": lambda x: written(x, lambda y: np.multiply(y, y, out=y)),
    "in place where": lambda x: written(x, lambda y: np.multiply(y, y, where=M, out=y)),
    "matmul axes": lambda x: np.matmul(x, X, axes=[(1, 0), (0, 1), (0, 1)]),
    "matmul axes of the result": lambda x: np.matmul(x, X.T, axes=[(0, 1), (0, 1), (1, 0)]),
    "matmul axes of a vector": lambda x: np.matmul(x, x[0], axes=[(0, 1), (0,), (0,)]),
    "matmul out": lambda x: np.matmul(x, X.T, out=zeros_for(x, (2, 2))),
}
if hasattr(np, "vecdot"):
    UFUNCS["vecdot axis"] = lambda x: np.vecdot(x, X, axis=0)
    UFUNCS["vecdot keepdims"] = lambda x: np.vecdot(x, X, axis=0, keepdims=True)
    UFUNCS["vecdot axes"] = lambda x: np.vecdot(x, X.T, axes=[0, 1, ()])
REDUCTIONS = {
    "sum where": lambda x: np.sum(x, where=M),
    "sum where of a row": lambda x: np.sum(x, axis=0, where=ROW, keepdims=True),
    "sum initial": lambda x: np.sum(x, axis=1, initial=3.0),
    "sum all": lambda x: np.sum(x, axis=(0, 1), where=M, initial=2.0, keepdims=True),
    "sum dtype": lambda x: np.sum(x, 1, np.float64),
    "sum out": lambda x: np.sum(x, axis=0, out=zeros_for(x, (3,))),
    "sum by name": lambda x: np.sum(a=x, axis=0, where=M),
    "prod where": lambda x: np.prod(x, axis=1, where=M, initial=2.0),
    "prod out": lambda x: np.prod(x, 1, None, zeros_for(x, (2,))),
    "mean where": lambda x: np.mean(x, axis=0, where=M | ROW),
    "mean where keepdims": lambda x: np.mean(x, axis=1, where=M, keepdims=True),
    "mean out": lambda x: np.mean(x, axis=0, out=zeros_for(x, (3,))),
    "max where": lambda x: np.max(x, axis=0, where=M, initial=-2.0),
    "max initial": lambda x: np.max(x, axis=1, initial=1.75),
    "min where": lambda x: np.min(x, where=ROW, initial=9.0),
    "max of nothing": lambda x: np.max(x[:, :0], axis=1, initial=1.5) + x[:, 0],
    "amax": lambda x: np.amax(x, axis=1, initial=0.0),
    "var where": lambda x: np.var(x, axis=1, where=M),
    "var ddof where": lambda x: np.var(x, axis=1, where=M, ddof=1, keepdims=True),
    "var mean": lambda x: np.var(x, axis=1, mean=np.mean(x, axis=1, keepdims=True) * 2),
    "var dtype": lambda x: np.var(x, dtype=np.float64),
    "std where": lambda x: np.std(x, axis=1, where=M),
    "std mean": lambda x: np.std(x, axis=0, mean=np.array([[0.3, 0.1, 0.2]]), correction=1),
    "std out": lambda x: np.std(x, axis=0, out=zeros_for(x, (3,))),
    "cumsum out": lambda x: np.cumsum(x, axis=1, out=zeros_for(x, (2, 3))),
    "cumprod dtype": lambda x: np.cumprod(x, axis=1, dtype=np.float64),
    "cumsum of 0-d": lambda x: np.cumsum(x[0, 0]) + np.cumsum(x[0, 0], axis=0),
    "sum of 0-d": lambda x: np.sum(x[0, 0], axis=0) + np.sum(x[0, 1], axis=-1, keepdims=True),
    "prod of 0-d": lambda x: np.prod(x[0, 0], axis=0) * np.max(x[0, 1], axis=0) * np.min(x[0, 1], axis=-1),
    "trace dtype": lambda x: np.trace(x, dtype=np.float64) * np.linalg.trace(x, dtype=np.float64),
}
SHAPES = {
    **{f"reshape {order}": lambda x, order=order: np.reshape(x, (3, 2), order=order) for order in "CFA"},
    **{f"ravel {order}": lambda x, order=order: np.ravel(x, order=order) for order in "CFAK"},
    **{f"ravel {order} of T": lambda x, order=order: np.ravel(x.T, order=order) for order in "CFAK"},
    **{f"flatten {order}": lambda x, order=order: x.T.flatten(order) for order in "CFAK"},
    "reshape -1 F": lambda x: np.reshape(x, (-1, 2), order="F"),
    "reshape copy": lambda x: zen.f.reshape(x, (3, 2), copy=True) if isinstance(x, zen.Tensor) else x.reshape(3, 2),
    "reshape method": lambda x: x.reshape(3, 2, order="F"),
    "ravel K of three": lambda x: np.ravel(np.transpose(np.reshape(x, (1, 2, 3)), (2, 0, 1)), order="K"),
    "copy F": lambda x: np.copy(x, order="F"),
    "take clip": lambda x: np.take(x, [7, -9, 1], mode="clip"),
    "take wrap": lambda x: np.take(x, [[7, -9], [2, 0]], axis=1, mode="wrap"),
    "take one": lambda x: np.take(x, 8, 1, mode="clip"),
    "concatenate dtype": lambda x: np.concatenate([x, np.float32(X)], dtype=np.float64),
    "concatenate out": lambda x: np.concatenate([x, X], out=zeros_for(x, (4, 3))),
    "stack dtype": lambda x: np.stack([x, X], axis=1, dtype=np.float64, casting="safe"),
    "hstack": lambda x: np.hstack(tup=[x, X], dtype=np.float64),
    "vstack": lambda x: np.vstack((x, X), dtype=np.float64, casting="no"),
    "clip out": lambda x: np.clip(x, a_min=-0.8, a_max=1.9, out=zeros_for(x, (2, 3))),
    "round out": lambda x: np.round(x * 10.33, 1, zeros_for(x, (2, 3))) * x,
    "dot out": lambda x: np.dot(x, X.T, out=zeros_for(x, (2, 2))),
}
CALLS = {**UFUNCS, **REDUCTIONS, **SHAPES}
if numpy_is("2.1.0"):
    CALLS["clip by the newer name"] = lambda x: np.clip(x, min=0.3, where=M, out=zeros_for(x, (2, 3)), subok=True)


def zeros_for(x, shape):
    return zen.zeros(shape) if isinstance(x, zen.Tensor) else np.zeros(shape)


def written(x, write):
    y = x * 1.0
    assert write(y) is y
    return y


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())
def test_values_are_numpys_and_derivatives_those_of_differences(call):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        wanted = np.asarray(call(X))
    for t in (zen.tensor(X), zen.tensor(X, requires_grad=True)):
        found = call(t)
        assert type(found) is zen.Tensor and found.requires_grad == t.requires_grad
        np.testing.assert_allclose(found.value, wanted, rtol=1e-14, atol=1e-15)
        assert (found.dtype, found.shape) == (wanted.dtype, wanted.shape)
    check_gradients(call, [X])


@pytest.mark.parametrize("dtype", [np.float32, np.float16, np.int32, np.uint8, np.bool_])
def test_dtypes_are_numpys(dtype):
    a = np.array([[1, 0, 2], [3, 1, 1]]).astype(dtype)
    calls = [
        lambda x: np.sum(x, axis=0, where=ROW), lambda x: np.prod(x, where=ROW), lambda x: np.mean(x, where=M),
        lambda x: np.sum(x, initial=1), lambda x: np.max(x, initial=2), lambda x: np.var(x, axis=1, where=M),
        lambda x: np.std(x, axis=1, where=M), lambda x: np.add(x, 1, dtype=np.float64), lambda x: np.any(x, where=M),
        lambda x: np.all(x, axis=1, where=M), lambda x: np.var(x, dtype=np.float32), lambda x: np.sum(x, dtype="f4"),
        lambda x: np.cumsum(x, dtype="f4"), lambda x: np.trace(x, dtype="i8"), lambda x: np.reshape(x, 6, order="F"),
        lambda x: np.mean(x, dtype="f4"), lambda x: np.std(x, dtype="f8", axis=0), lambda x: np.sum(x, dtype="i8"),
        lambda x: np.multiply(x, x, where=M, out=zeros_for(x, (2, 3))), lambda x: np.true_divide(x, 2, dtype="f4"),
    ]  # fmt: skip
    for call in calls:
        try:
            wanted = np.asarray(call(a))
        except TypeError:
            with pytest.raises(TypeError):
                call(zen.tensor(a))
            continue
        found = call(zen.tensor(a))
        assert found.dtype == wanted.dtype
        np.testing.assert_allclose(found.numpy(), wanted, rtol=1e-6 if dtype != np.float16 else 1e-3)


def test_a_narrower_dtype_rounds_and_its_gradient_has_the_dtype_of_the_input():
    x = zen.tensor(X, requires_grad=True)
    y = np.exp(x, dtype=np.float32)
    assert y.dtype == np.float32
    y.sum().backward()
    assert x.grad.dtype == np.float64
    np.testing.assert_allclose(x.gradient, np.exp(X), rtol=1e-6)


def test_what_the_mask_leaves_out_never_happens():
    """log(0) and 0 / 0 outside the mask: no warning, no nan in values or gradients; 0 where there is no `out`."""
    a = np.array([0.0, 1.0, -2.0, np.e])
    for options in ({}, {"out": zen.zeros(4)}):
        x = zen.tensor(a, requires_grad=True)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            y = np.log(x, where=a > 0, **options)
            z = np.divide(y, x, where=a > 0, **options and {"out": zen.zeros(4)})
            (y + z).sum().backward()
        assert y.tolist() == [0.0, 0.0, 0.0, 1.0]
        np.testing.assert_allclose(x.gradient, [0.0, 1.0 + 1.0, 0.0, 1 / np.e], atol=1e-15)
    x = zen.tensor([1.0, np.nan, np.inf], requires_grad=True)
    np.sum(x, where=[True, False, False]).backward()
    assert x.gradient.tolist() == [1.0, 0.0, 0.0]


def test_the_old_values_of_out_have_a_gradient_where_the_mask_leaves_them():
    x, old = zen.tensor(X, requires_grad=True), zen.tensor(X * 3, requires_grad=True)
    out = old * 2.0
    assert np.square(x, where=M, out=out) is out
    out.sum().backward()
    np.testing.assert_array_equal(old.gradient, np.where(M, 0.0, 2.0))
    np.testing.assert_array_equal(x.gradient, np.where(M, 2 * X, 0.0))


def test_an_initial_value_and_a_known_mean_have_gradients():
    calls = (
        lambda x, v: np.sum(x, axis=1, initial=v), lambda x, v: np.prod(x, initial=v, where=M),
        lambda x, v: np.max(x, axis=0, initial=v), lambda x, v: np.var(x, axis=1, mean=v[None, None], where=ROW),
        lambda x, v: np.std(x, mean=v, ddof=1),
    )  # fmt: skip
    for call in calls:
        check_gradients(call, [X, np.array(0.3)])


def test_out_of_three_dots_and_lists_that_hold_tensors():
    x, t = zen.tensor(X[0], requires_grad=True), zen.tensor(3.0, requires_grad=True)
    assert np.sum(x, out=...).item() == X[0].sum() and np.sum(x.detach(), out=...).item() == X[0].sum()
    y = np.multiply(x, [t, 1.0, t]) + np.add(x, [t, 1.0, 2.0], where=ROW)
    np.testing.assert_array_equal(y.value, X[0] * [3, 1, 3] + [3.5, 0, 4])
    y.sum().backward()
    assert t.gradient == X[0, 0] + X[0, 2] + 1


def test_out_forgets_what_it_was():
    old = zen.tensor(X, requires_grad=True)
    out = old * 2.0
    np.add(X, 1.0, out=out)
    np.testing.assert_array_equal(out.value, X + 1)
    out.sum().backward()
    assert old.grad is None or not old.gradient.any()


def test_a_view_as_out_is_written_in_its_root():
    x, whole = zen.tensor(X[0], requires_grad=True), zen.zeros((2, 3))
    np.multiply(x, x, out=whole[1])
    (whole * X).sum().backward()
    np.testing.assert_array_equal(x.gradient, 2 * X[0] * X[1])


def test_truth_ufuncs_take_every_option():
    x, out = zen.tensor(X, requires_grad=True), zen.zeros((2, 3), dtype=bool)
    assert np.greater(x, 0, out=out) is out and out.tolist() == (X > 0).tolist()
    assert np.isnan(x, dtype=bool).tolist() == np.isnan(X).tolist()
    a = np.zeros((2, 3), bool)
    assert np.less(x, 0, where=M, out=a) is a
    np.testing.assert_array_equal(a, (X < 0) & M)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda x: np.sin(x, out=zen.zeros(4)), ValueError, r"numpy\.sin: out= has shape \(4,\).*shape \(2, 3\)"),
        (lambda x: np.sum(x, axis=0, out=zen.zeros((2, 3))), ValueError, r"numpy\.sum: out= has shape \(2, 3\)"),
        (lambda x: np.sin(x, out=zen.zeros((2, 3), dtype=int)), TypeError, "float64 cannot be written into .*int64"),
        (lambda x: np.sin(x, out=zen.zeros((2, 3), np.float32), casting="safe"), TypeError, "casting='safe'"),
        (lambda x: np.sin(x, where=X), TypeError, "where= is a mask of bools, not of dtype float64"),
        (lambda x: np.sin(x, where=M[:, :2]), ValueError, "broadcast"),
        (lambda x: np.sum(x, where=X), TypeError, "sum: where= is a mask of bools, not of dtype float64"),
        (lambda x: np.sum(x, where=M.T), ValueError, r"sum: where= of shape \(3, 2\) does not broadcast to .*\(2, 3\)"),
        (lambda x: np.max(x, where=M), ValueError, "max: where= may leave nothing over.*initial="),
        (lambda x: np.max(x[:0]), ValueError, "max: no elements"),
        (lambda x: np.sin(x, dtype=int), TypeError, "sin"),
        (lambda x: np.add(x, x, casting="odd"), ValueError, "casting"),
        (lambda x: np.matmul(x, X.T, keepdims=True), TypeError, "keepdims"),
        (lambda x: np.reshape(x, 6, order="K"), ValueError, "reshape: order must be one of C, F, A, not 'K'"),
        (lambda x: zen.f.reshape(x.T, 6, copy=False), ValueError, "reshape: .* no view .*copy=False"),
        (lambda x: np.ravel(x, order="Z"), ValueError, "ravel: order must be one of C, F, A, K, not 'Z'"),
        (lambda x: np.take(x, [7], mode="near"), ValueError, "take: mode must be 'raise', 'clip' or 'wrap'"),
        (lambda x: np.take(x, [7], mode="raise"), IndexError, "take"),
        (lambda x: np.concatenate([x, x], dtype=int), TypeError, "concat: dtype float64 does not convert to int64"),
        (lambda x: x.astype(np.float32, casting="safe"), TypeError, "astype: .*casting='safe'"),
        (lambda x: x.flatten(1, order="F"), ValueError, "flatten: order= is for all axes"),
    ],
)
def test_errors_say_what_is_wrong(call, error, words):
    with pytest.raises(error, match=words):
        call(zen.tensor(X, requires_grad=True))


def test_a_failed_call_leaves_out_as_it_was():
    x, good, bad = zen.tensor(X, requires_grad=True), zen.zeros((2, 3)), zen.zeros((2, 2))
    for call in (
        lambda: np.divmod(x, 2.0, out=(good, bad)), lambda: np.sin(x, where=M, out=bad),
        lambda: np.log(x, out=zen.zeros((2, 3), dtype=int)), lambda: np.matmul(x, x, out=good),
    ):  # fmt: skip
        with pytest.raises((TypeError, ValueError)):
            call()
    assert not good.any() and not bad.any()


def test_options_of_complex_numbers():
    z = X + 1j * X[::-1]
    calls = [
        lambda z: np.sum(z, axis=0, where=ROW, initial=1j), lambda z: np.prod(z, where=M),
        lambda z: np.mean(z, where=M),
        lambda z: np.var(z, axis=1, where=M, ddof=1), lambda z: np.std(z, axis=1, where=M),
        lambda z: np.var(z, mean=1j),
        lambda z: np.multiply(z, 2j, where=M, out=zeros_for(z, (2, 3)).astype(complex)),
        lambda z: np.reshape(z, 6, "F"),
        lambda z: np.add(z.real, 1, dtype=complex), lambda z: np.multiply.outer(z[0], z),
        lambda z: np.add.reduceat(z, [1]),
        lambda z: np.add(z.astype(np.complex64), 1j, casting="no"), lambda z: np.subtract.accumulate(z, axis=1),
    ]  # fmt: skip
    for call in calls:
        wanted, t = np.asarray(call(z)), zen.tensor(z, requires_grad=True)
        found = call(t)
        assert found.dtype == wanted.dtype
        np.testing.assert_allclose(found.value, wanted, rtol=1e-6 if wanted.dtype == np.complex64 else 1e-13)
        rng = np.random.default_rng(0)
        weights, step = rng.normal(size=(2, *wanted.shape)), rng.normal(size=(2, *z.shape))
        w, h = weights[0] + 1j * weights[1], step[0] + 1j * step[1]
        (found * w).real.sum().backward()
        if wanted.dtype != np.complex64:
            slope = (np.sum(w * call(z + 1e-6 * h)) - np.sum(w * call(z - 1e-6 * h))).real / 2e-6
            np.testing.assert_allclose(np.sum(np.conj(t.gradient) * h).real, slope, rtol=1e-6)


@pytest.mark.parametrize(
    "call",
    [
        lambda t, k: np.sin(t, out=k, casting="unsafe"), lambda t, k: np.sin(t, where=M[0], out=k, casting="unsafe"),
        lambda t, k: np.sum(k, initial=t[0]), lambda t, k: np.max(k, initial=t[0]), lambda t, k: np.put(k, [0], t[0]),
        lambda t, k: np.place(k, M[0], t), lambda t, k: np.copyto(k, t, casting="unsafe"),
        lambda t, k: np.piecewise(k, [k > 0], [t[0], 1]), lambda t, k: np.pad(k, 1, constant_values=t[0]),
        lambda t, k: np.multiply.at(k, [0], t[0]), lambda t, k: np.add.at(k, [0, 0], t[0]),
        lambda t, k: np.multiply.reduce(k, initial=t[0]), lambda t, k: np.subtract.reduce(k, initial=t[0]),
        lambda t, k: zen.pad(k, 1, constant_values=t[0]), lambda t, k: np.fill_diagonal(k[None] * k[:, None], t),
    ],
)  # fmt: skip
def test_no_gradient_is_lost_in_whole_numbers(call):
    t, k = zen.tensor(X[0], requires_grad=True), zen.tensor([1, 2, 3])
    with pytest.raises(TypeError):
        call(t, k)
    assert k.tolist() == [1, 2, 3]


def test_clip_takes_what_ufuncs_take():
    t = zen.tensor(X, requires_grad=True)
    made = np.clip(t, -0.5, 1.0, where=M)  # without out= the other elements are 0
    np.testing.assert_array_equal(made.array, np.where(M, np.clip(X, -0.5, 1.0), 0))
    made.sum().backward()
    np.testing.assert_array_equal(t.gradient, M & (X >= -0.5) & (X <= 1.0))
    assert np.clip(t, -1, 1, dtype=np.float32).dtype == np.float32
    assert np.clip(t, -1, 1, dtype="f4", casting="unsafe", subok=False).requires_grad
    for arguments, words in (
        ({"dtype": np.float32, "casting": "safe"}, "Cannot cast|cannot cast"),
        ({"where": [1, 0, 1]}, r"clip: where= is a mask of bools, not of dtype int64"),
        ({"axis": 0}, "clip: there is no argument 'axis'"),
        ({"min": 0.0}, "clip: min and a_min are two names of one argument"),
    ):
        with pytest.raises(TypeError, match=words):
            np.clip(t, -1, 1, **arguments)
