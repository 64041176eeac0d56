"""Arrays built of others: values and dtypes of NumPy on the arrays, gradients against numerical differentiation."""

import numpy as np
import pytest

import zen
from zen.testing import check_gradients

X = np.array([[0.5, -1.0, 2.0], [1.5, 0.25, -0.75]])
P = np.abs(X) + 0.2
M = np.array([[True, False, True], [True, True, False]])
A, B = np.array(0.7), np.array(2.9)
V = np.array([0.5, 1.5, 2.5])

CALLS = {
    "linspace": ([A, B], lambda a, b: np.linspace(a, b, 5)),
    "linspace without the end": ([A, B], lambda a, b: np.linspace(a, b, 4, endpoint=False)),
    "linspace of one": ([A, B], lambda a, b: np.linspace(a, b, 1)),
    "linspace of arrays": ([X, V], lambda a, b: np.linspace(a, b, num=3, axis=1)),
    "linspace axis -1": ([X], lambda a: np.linspace(a, 2, 3, axis=-1)),
    "linspace retstep": ([A, B], lambda a, b: np.linspace(a, b, 3, retstep=True)),
    "linspace by name": ([A, B], lambda a, b: np.linspace(start=a, stop=b, num=2)),
    "logspace": ([A, B], lambda a, b: np.logspace(a, b, 4)),
    "logspace base": ([A, B, A + 1], lambda a, b, c: np.logspace(a, b, 3, base=c, endpoint=False)),
    "logspace of arrays": ([V, B], lambda a, b: np.logspace(a, b, 3, axis=1, base=2.0)),
    "logspace of bases": ([A, B, V], lambda a, b, c: np.logspace(a, b, 3, base=c, axis=-1)),
    "geomspace": ([A, B], lambda a, b: np.geomspace(a, b, 4)),
    "geomspace below 0": ([-A, -B], lambda a, b: np.geomspace(a, b, 3, endpoint=False)),
    "geomspace of arrays": ([V, B], lambda a, b: np.geomspace(a, b, 3, axis=1)),
    "geomspace of one": ([A, B], lambda a, b: np.geomspace(a, b, 1)),
    "diag": ([V], lambda v: np.diag(v)),
    "diag above": ([V], lambda v: np.diag(v, 2)),
    "diag of a matrix": ([X], lambda x: np.diag(x, k=-1)),
    "diagflat": ([X], lambda x: np.diagflat(x, -1)),
    "block": ([X, V], lambda x, v: np.block([[x, x * 2], [v, v]])),
    "block of one": ([X], lambda x: np.block(x)),
    "block of vectors": ([V, A], lambda v, a: np.block([v, a, 3.0])),
    "block deep": ([X], lambda x: np.block([[[x]], [[X]]])),
    "meshgrid": ([V, X[0]], lambda a, b: np.meshgrid(a, b)),
    "meshgrid ij": ([V, A, X[1]], lambda a, b, c: np.meshgrid(a, b, c, indexing="ij")),
    "meshgrid sparse": ([V, X[0]], lambda a, b: np.meshgrid(a, b, sparse=True)),
    "meshgrid views": ([V, X[0]], lambda a, b: np.meshgrid(a, b, copy=False)),
    "meshgrid of matrices": ([X, V], lambda a, b: np.meshgrid(a, b)),
    "meshgrid of one": ([V], lambda a: np.meshgrid(a)),
    "select": ([X, P], lambda x, p: np.select([M, X > 0], [x, p * 2], 7.0)),
    "select default": ([X, A], lambda x, a: np.select([M], [x], default=a)),
    "select broadcast": ([V, A], lambda v, a: np.select([M[0], M], [v, a], 1)),
    "choose": ([X, V], lambda x, v: np.choose([[0, 1, 0], [1, 1, 0]], [x, v])),
    "choose of an array": ([X], lambda x: np.choose(np.array([1, 0, 1]), x)),
    "choose wrap": ([V, A], lambda v, a: np.choose([-1, 4, 3], [v, a], mode="wrap")),
    "choose clip": ([V, A], lambda v, a: np.choose([-1, 4, 1], (v, a), mode="clip")),
    "piecewise": ([X], lambda x: np.piecewise(x, [x < 0, x > 1], [lambda v: v * v, lambda v: 1 / v])),
    "piecewise with a rest": ([X], lambda x: np.piecewise(x, [M], [lambda v, k: v**k, lambda v, k: -v], 3)),
    "piecewise of numbers": ([X, A], lambda x, a: np.piecewise(x, [x < 0, x >= 0], [2.0, np.sin])),
    "piecewise of one mask": ([V], lambda v: np.piecewise(v, v > 1, [np.exp, np.sin])),
    "piecewise of a number": ([A], lambda a: np.piecewise(a, [a < 0, a >= 0], [np.exp, np.square])),
    "compress": ([X], lambda x: np.compress([True, False, True], x, axis=1)),
    "compress flat": ([X], lambda x: np.compress([False, True, True], x)),
    "extract": ([X], lambda x: np.extract(M, x)),
    "full like": ([A], lambda a: np.full_like(zeros(a, (2, 2)), a)),
}


def zeros(like, shape):
    return zen.zeros(shape) if isinstance(like, zen.Tensor) else np.zeros(shape)


def parts(y):
    return list(y) if isinstance(y, (tuple, list)) else [y]


@pytest.mark.parametrize(("args", "call"), CALLS.values(), ids=CALLS.keys())
def test_values_are_numpys_and_derivatives_those_of_differences(args, call):
    wanted = parts(call(*args))
    for gradient in (False, True):
        found = call(*[zen.tensor(x, requires_grad=gradient) for x in args])
        assert type(found) is type(call(*args)) or not isinstance(found, tuple)
        for y, expected in zip(parts(found), wanted, strict=True):
            assert type(y) is zen.Tensor and (y.dtype, y.shape) == (expected.dtype, expected.shape)
            np.testing.assert_allclose(y.value, expected, rtol=1e-13)
        assert any(y.requires_grad for y in parts(found)) == gradient
    check_gradients(lambda *xs: call(*xs), args)


@pytest.mark.parametrize("dtype", [np.float32, np.float16, np.int32, np.complex64])
def test_dtypes_are_numpys(dtype):
    a, v = np.array(1, dtype), np.array([1, 2, 3], dtype)
    calls = [
        lambda a, v: np.linspace(a, v, 3), lambda a, v: np.diag(v),
        lambda a, v: np.block([a, v]), lambda a, v: np.diagflat(v),
        lambda a, v: np.select([[True, False, True]], [v], 0), lambda a, v: np.choose([0, 1, 0], [v, a]),
        lambda a, v: np.select([[True, False, True]], [v], 0.5), lambda a, v: np.extract([1, 0, 1], v),
        lambda a, v: np.piecewise(v, [[True, False, True]], [2.7, lambda x: x]), lambda a, v: np.meshgrid(v, v)[1],
        lambda a, v: np.logspace(a, v, 3),
    ]  # fmt: skip
    if dtype != np.complex64:
        calls += [
            lambda a, v: np.geomspace(a, v, 3),
            lambda a, v: np.geomspace(a, 4, 3, dtype=int),
            lambda a, v: np.linspace(a, v, 3, dtype=np.float64),
            lambda a, v: np.linspace(a, 5, 4, dtype=int),
        ]
    for call in calls:
        with np.errstate(all="ignore"):
            wanted, found = np.asarray(call(a, v)), call(zen.tensor(a), zen.tensor(v))
        assert found.dtype == wanted.dtype
        np.testing.assert_allclose(found.numpy(), wanted, rtol=2e-3 if dtype == np.float16 else 1e-5)


def test_ends_of_a_range_are_exact():
    a, b = zen.tensor(0.1, requires_grad=True), zen.tensor(7.3, requires_grad=True)
    for make in (np.linspace, np.geomspace):
        y = make(a, b, 7)
        assert y[0].item() == 0.1 and y[-1].item() == 7.3


@pytest.mark.parametrize("name", ["linspace", "logspace", "geomspace", "diag", "block", "select", "meshgrid"])
def test_names_in_f(name):
    assert getattr(zen.f, name).__name__ == name


def test_a_function_in_constant_pieces_has_a_gradient_of_zero():
    x = zen.tensor(V, requires_grad=True)
    np.piecewise(x, [x > 1], [1.0, 2.0]).sum().backward()
    assert x.gradient.tolist() == [0.0, 0.0, 0.0]


def test_nothing():
    x = zen.tensor(np.zeros((0, 3)), requires_grad=True)
    for call in (
        lambda x: np.linspace(x, x, 2), lambda x: np.select([x > 0], [x]), lambda x: np.extract(x > 0, x),
        lambda x: np.choose(np.zeros((0, 3), int), [x]), lambda x: np.block([[x], [x]]), lambda x: np.diag(x[:, 0]),
        lambda x: np.piecewise(x, [x > 0], [np.sin]), lambda x: np.compress([], x, 0), lambda x: np.linspace(x, x, 0),
    ):  # fmt: skip
        assert call(x).shape == call(x.value).shape


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda x: np.linspace(x, x, -1), ValueError, "linspace: num is -1"),
        (lambda x: np.linspace(x, x[0, :2], 3), ValueError, r"linspace: shapes \(2, 3\) and \(2,\) do not broadcast"),
        (lambda x: np.geomspace(x, 2.0, 3), ValueError, "geomspace: .* one sign"),
        (lambda x: np.diag(x[None]), ValueError, r"diag: one or two dimensions.*\(1, 2, 3\)"),
        (lambda x: np.block([[x], x]), ValueError, r"block: arrays\[1\] is nested 0 deep, but arrays\[0\] 1 deep"),
        (lambda x: np.block((x, x)), TypeError, "arrays is a tuple"),
        (lambda x: np.block([[x], []]), ValueError, r"block: arrays\[1\] is an empty list"),
        (lambda x: np.meshgrid(x[0], indexing="yx"), ValueError, "meshgrid: indexing"),
        (lambda x: np.select([x], [x]), TypeError, "select: condition 0 is of dtype float64"),
        (lambda x: np.select([M, M], [x]), ValueError, "select: 2 conditions and 1 choices"),
        (lambda x: np.choose([0, 2], [x[0, :2], 1.0]), ValueError, "a numbers 2 choices from 0, but holds 0 to 2"),
        (lambda x: np.choose(x, [x, x]), TypeError, "choose: a numbers the choices with ints"),
        (lambda x: np.piecewise(x, [M], [1, 2, 3]), ValueError, "piecewise: 1 masks take .* not 3"),
        (lambda x: np.compress(M, x), ValueError, "compress: the condition is a vector"),
        (lambda x: np.compress([True] * 3, x, axis=0), IndexError, "take"),
    ],
)  # fmt: skip
def test_errors_say_what_is_wrong(call, error, words):
    with pytest.raises(error, match=words):
        call(zen.tensor(X, requires_grad=True))


def test_linspace_of_zen_and_methods():
    a = zen.tensor(1.0, requires_grad=True)
    y = zen.linspace(a, 3.0, 3)
    assert y.detach().tolist() == [1.0, 2.0, 3.0] and zen.linspace(0, 1, 3).tolist() == [0.0, 0.5, 1.0]
    y.sum().backward()
    assert a.gradient == 1.5 and zen.linspace(a.detach(), 2, 2, requires_grad=True).is_leaf
    with pytest.raises(RuntimeError, match="linspace: requires_grad=True makes a leaf"):
        zen.linspace(a, 3.0, 3, requires_grad=True)
    with pytest.raises(RuntimeError, match=r"zen\.vectorize in the place of numpy\.vectorize"):
        np.vectorize(float)(zen.tensor(V, requires_grad=True))
    t = zen.tensor(X)
    assert t.compress([True, False], axis=0).tolist() == X[:1].tolist()
    assert zen.tensor([1, 0]).choose([V[:2], V[1:]]).tolist() == [1.5, 1.5]
    assert [i.tolist() for i in t.nonzero()] == [i.tolist() for i in X.nonzero()]
    t.put([0], 9.0)
    assert t[0, 0].item() == 9.0


@pytest.mark.parametrize(
    "call",
    [
        lambda a, b: zen.f.linspace(a, b), lambda a, b: zen.f.logspace(0.0, a, base=b),
        lambda a, b: zen.f.select([a > 0], [b]), lambda a, b: zen.f.choose(0, [a, b]),
        lambda a, b: zen.vectorize(lambda x, y: x * y)(a, b),
        lambda a, b: zen.f.block_diag(a[:, None, None], b[:, None, None]),
    ],
)  # fmt: skip
def test_shapes_that_do_not_broadcast_are_named(call):
    with pytest.raises(ValueError, match=r"^\w+: shapes .*\(2,\) and \(3,\) .*do not broadcast together"):
        call(zen.ones(2), zen.ones(3))
